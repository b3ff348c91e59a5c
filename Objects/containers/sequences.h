// Shared by tuple and list: their iterators (sequence_iterators.cpp), item comparison, searching, slices of pointers.
#pragma once

#include "Objects/bind.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_list.h>
#include <internal/pycore_object.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_tuple.h>

namespace pyston {

/// Iterator over a list or tuple; `sequence` is null once exhausted. INVARIANT: index >= 0.
struct SequenceIterObject {
  PyObject_HEAD
  Py_ssize_t index;
  PyObject* sequence;
};

PyObject* new_sequence_iterator(PyObject* sequence, PyTypeObject* type, Py_ssize_t index);

/// Takes a new reference to each of `count` items.
ALWAYS_INLINE void copy_items(PyObject** target, PyObject* const* source, Py_ssize_t count) {
  for (Py_ssize_t i = 0; i < count; i++) target[i] = Py_NewRef(source[i]);
}

/// Equality as containers use it (identity first), without a call for the usual atoms. 1, 0 or -1.
ALWAYS_INLINE int items_equal(PyObject* a, PyObject* b) {
  if (a == b) return 1;
  if (Py_TYPE(a) == Py_TYPE(b)) {
    if (PyLong_CheckExact(a)) {
      const Py_ssize_t size = Py_SIZE(a);
      if (size != Py_SIZE(b)) return 0;
      const Py_ssize_t digits = size < 0 ? -size : size;
      return memcmp(reinterpret_cast<PyLongObject*>(a)->ob_digit, reinterpret_cast<PyLongObject*>(b)->ob_digit,
                    static_cast<size_t>(digits) * sizeof(digit)) == 0;
    }
    if (PyUnicode_CheckExact(a) && PyUnicode_IS_READY(a) && PyUnicode_IS_READY(b)) {
      const Py_ssize_t length = PyUnicode_GET_LENGTH(a);
      if (length != PyUnicode_GET_LENGTH(b)) return 0;
      const int kind = PyUnicode_KIND(a);
      if (kind != static_cast<int>(PyUnicode_KIND(b))) return 0;
      return memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), static_cast<size_t>(length) * static_cast<size_t>(kind)) == 0;
    }
  }
  Py_INCREF(a);
  Py_INCREF(b);
  const int equal = PyObject_RichCompareBool(a, b, Py_EQ);
  Py_DECREF(a);
  Py_DECREF(b);
  return equal;
}

/// The result of comparing two sizes or of a decided comparison.
ALWAYS_INLINE PyObject* compare_sizes(Py_ssize_t a, Py_ssize_t b, int op) {
  bool verdict = false;
  switch (op) {
    case Py_LT: verdict = a < b; break;
    case Py_LE: verdict = a <= b; break;
    case Py_EQ: verdict = a == b; break;
    case Py_NE: verdict = a != b; break;
    case Py_GT: verdict = a > b; break;
    case Py_GE: verdict = a >= b; break;
  }
  return Py_NewRef(verdict ? Py_True : Py_False);
}

}  // namespace pyston
