// _bisect: binary search in sorted sequences.
#include "Objects/bind.h"

#include <internal/pycore_global_strings.h>
#include <internal/pycore_pystate.h>

namespace pyston {
namespace {

enum class Side { kLeft, kRight };

/// a < b: 1, 0 or -1; without a call for the usual atoms.
ALWAYS_INLINE int less_than(PyObject* a, PyObject* b) {
  if (PyFloat_CheckExact(a) && PyFloat_CheckExact(b)) return PyFloat_AS_DOUBLE(a) < PyFloat_AS_DOUBLE(b);
  PyTypeObject* type = Py_TYPE(a);
  if (type == Py_TYPE(b) && type->tp_richcompare != nullptr) {
    PyObject* result = type->tp_richcompare(a, b, Py_LT);
    if (result == nullptr) return -1;
    if (result != Py_NotImplemented) {
      const int truth = PyBool_Check(result) ? result == Py_True : PyObject_IsTrue(result);
      Py_DECREF(result);
      return truth;
    }
    Py_DECREF(result);
  }
  return PyObject_RichCompareBool(a, b, Py_LT);
}

/// Where `item` goes in `sequence` so that it stays sorted, or -1. With a key function `item` is a key already.
template <Side side>
Py_ssize_t search(PyObject* sequence, PyObject* item, Py_ssize_t low, Optional<Py_ssize_t> high_argument,
                  PyObject* key) {
  if (low < 0) {
    PyErr_SetString(PyExc_ValueError, "lo must be non-negative");
    return -1;
  }
  Py_ssize_t high = high_argument.value_or(-1);
  if (high == -1) {
    high = PySequence_Size(sequence);
    if (high < 0) return -1;
  }
  if (low >= high) return low;
  ssizeargfunc get_item = Py_TYPE(sequence)->tp_as_sequence != nullptr ? Py_TYPE(sequence)->tp_as_sequence->sq_item
                                                                       : nullptr;
  if (get_item == nullptr) get_item = PySequence_GetItem;  // which raises the right error
  while (low < high) {
    const Py_ssize_t middle = low + ((high - low) >> 1);
    Ref<> probe = Ref<>::steal(get_item(sequence, middle));
    if (!probe) return -1;
    if (key != nullptr && key != Py_None) {
      probe = Ref<>::steal(PyObject_CallOneArg(key, probe.get()));
      if (!probe) return -1;
    }
    const int less = side == Side::kLeft ? less_than(probe.get(), item) : less_than(item, probe.get());
    if (less < 0) return -1;
    if ((side == Side::kLeft) == (less != 0)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// None as hi means the length.
struct Limit {
  Optional<Py_ssize_t> value;
};

template <Side side>
PyObject* bisect(PyObject*, PyObject* a, PyObject* x, Optional<Py_ssize_t> lo, Limit hi, PyObject* key) {
  const Py_ssize_t index = search<side>(a, x, lo.value_or(0), hi.value, key);
  return index < 0 ? nullptr : PyLong_FromSsize_t(index);
}

template <Side side>
PyObject* insort(PyObject*, PyObject* a, PyObject* x, Optional<Py_ssize_t> lo, Limit hi, PyObject* key) {
  Ref<> item_key;
  if (key != nullptr && key != Py_None) {
    item_key = Ref<>::steal(PyObject_CallOneArg(key, x));
    if (!item_key) return nullptr;
  }
  const Py_ssize_t index = search<side>(a, item_key ? item_key.get() : x, lo.value_or(0), hi.value, key);
  if (index < 0) return nullptr;
  if (PyList_CheckExact(a)) {
    if (PyList_Insert(a, index, x) < 0) return nullptr;
  } else {
    Ref<> done = Ref<>::steal(PyObject_CallMethod(a, "insert", "nO", index, x));
    if (!done) return nullptr;
  }
  Py_RETURN_NONE;
}

}  // namespace

namespace binding {
template <>
struct Convert<Limit> {
  static bool convert(const Signature&, int, PyObject* value, Limit& out) {
    if (value == nullptr || value == Py_None) return true;
    Py_ssize_t limit;
    if (!convert_ssize(value, limit)) return false;
    out.value = limit;
    return true;
  }
};
}  // namespace binding

namespace {

PyMethodDef bisect_functions[] = {
    method<bisect<Side::kRight>, "bisect_right($module, /, a, x, lo=0, hi=None, *, key=None)",
           "The index where to insert x in the sorted list a, after items that equal it.">(),
    method<insort<Side::kRight>, "insort_right($module, /, a, x, lo=0, hi=None, *, key=None)",
           "Insert x in the sorted list a, after items that equal it.">(),
    method<bisect<Side::kLeft>, "bisect_left($module, /, a, x, lo=0, hi=None, *, key=None)",
           "The index where to insert x in the sorted list a, before items that equal it.">(),
    method<insort<Side::kLeft>, "insort_left($module, /, a, x, lo=0, hi=None, *, key=None)",
           "Insert x in the sorted list a, before items that equal it.">(),
    {},
};
PyModuleDef_Slot bisect_slots[] = {{0, nullptr}};
PyModuleDef bisect_module = {
    PyModuleDef_HEAD_INIT, "_bisect", "Bisection algorithms.", 0, bisect_functions, bisect_slots,
    nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__bisect(void) { return PyModuleDef_Init(&pyston::bisect_module); }
