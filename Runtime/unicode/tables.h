// Typed access to the generated Unicode tables (tools/generate_unicode_tables.py writes the .bin and .inc files).
//
// A table set is one byte array; `Column<T, offset>` reads its elements. Two-stage tables map a code point to a record
// number: index[code >> shift] chooses a block of 1 << shift record numbers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pyston::unicode {

/// An array of T inside a byte array.
template <class T>
struct Column {
  const T* values;
  size_t count;
  T operator[](size_t i) const { return values[i]; }
};

#define UNICODE_COLUMN(data, type, offset, count) \
  (::pyston::unicode::Column<type>{reinterpret_cast<const type*>((data) + (offset)), (count)})

/// Position of `wanted` in an ascending column, or -1.
template <class T>
ptrdiff_t binary_search(Column<T> column, T wanted) {
  size_t low = 0;
  size_t high = column.count;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (column[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low < column.count && column[low] == wanted ? static_cast<ptrdiff_t>(low) : -1;
}

/// Position of the last element that isn't above `wanted`, or -1.
template <class T>
ptrdiff_t search_not_above(Column<T> column, T wanted) {
  size_t low = 0;
  size_t high = column.count;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (column[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return static_cast<ptrdiff_t>(low) - 1;
}

}  // namespace pyston::unicode
