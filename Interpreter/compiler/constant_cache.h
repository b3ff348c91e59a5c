// One object for all equal constants of a module.
//
// Constants are the same when they have the same type and value, item by item: 0, 0.0, -0.0 and False differ, and so
// do the tuples that hold them. A NaN is only the same as itself.
// INVARIANT: the items of a cached tuple or frozenset are cached themselves, so that comparing addresses compares
// values, and a tuple costs one look at its items however deep it is.
#pragma once

#include <vector>

#include "Runtime/refs/ref.h"

namespace pyston {

class ConstantCache {
 public:
  ConstantCache() = default;
  ConstantCache(const ConstantCache&) = delete;
  ~ConstantCache();

  /// The object that stands for `value`, borrowed from the cache; null with an exception. Items of a tuple are replaced
  /// by their canonical objects in place.
  PyObject* canonical(PyObject* value);
  /// The same for a tuple whose items are canonical already, or interned strings.
  PyObject* canonical_tuple(PyObject* tuple);

 private:
  struct Entry {
    PyObject* object;
    size_t hash;
  };
  template <class Same>
  PyObject* find_or_add(PyObject* value, size_t hash, Same same);
  PyObject* canonical_frozenset(PyObject* value);
  void grow();

  std::vector<Entry> slots_;  // open addressing; object is null in a free slot
  size_t used_ = 0;
};

}  // namespace pyston
