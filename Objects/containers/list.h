// What list.cpp and list_sort.cpp share.
#pragma once

#include "Objects/containers/sequences.h"

namespace pyston {

/// Makes room for `size` items and sets the size; new places are uninitialised. 0, or -1 with MemoryError set.
int list_resize(PyListObject* list, Py_ssize_t size);

/// Sorts in place; key (borrowed) may be null. None (new reference), or null with an exception set: the list then
/// holds the same items in some order.
PyObject* sort_list(PyListObject* list, PyObject* key, bool reverse);

inline void reverse_items(PyObject** items, Py_ssize_t count) {
  if (count < 2) return;  // an empty list has no array to point behind
  for (PyObject **low = items, **high = items + count - 1; low < high; low++, high--) std::swap(*low, *high);
}

}  // namespace pyston
