// Built-in functions that run over an iterable: all, any, max, min, sorted, sum.
#include "Lib/native/builtins/builtins.h"

#include <pycore_long.h>
#include <pycore_tuple.h>

namespace pyston::builtins {
namespace {

/// The next item of an iterator; null at its end, with an exception when it failed.
ALWAYS_INLINE Ref<> next_item(PyObject* iterator) {
  PyObject* item = Py_TYPE(iterator)->tp_iternext(iterator);
  if (UNLIKELY(item == nullptr) && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_StopIteration)) PyErr_Clear();
  return Ref<>::steal(item);
}

/// Py_True as soon as an item has the truth value `wanted`, else Py_False; null on failure.
PyObject* find_truth(PyObject* iterable, int wanted) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  while (Ref<> item = next_item(iterator.get())) {
    const int truth = PyObject_IsTrue(item.get());
    if (truth < 0) return nullptr;
    if (truth == wanted) return Py_True;
  }
  return PyErr_Occurred() ? nullptr : Py_False;
}

struct ExtremeOptions {
  PyObject* key = nullptr;
  PyObject* fallback = nullptr;
};

bool parse_extreme_options(const char* name, PyObject* const* values, PyObject* kwnames, ExtremeOptions& options) {
  const Py_ssize_t count = kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames);
  if (count > 2) {
    PyErr_Format(PyExc_TypeError, "%s() takes at most 2 keyword arguments (%zd given)", name, count);
    return false;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* keyword = PyTuple_GET_ITEM(kwnames, i);
    if (_PyUnicode_EqualToASCIIString(keyword, "key")) {
      options.key = values[i] == Py_None ? nullptr : values[i];
    } else if (_PyUnicode_EqualToASCIIString(keyword, "default")) {
      options.fallback = values[i];
    } else {
      PyErr_Format(PyExc_TypeError, "'%S' is an invalid keyword argument for %s()", keyword, name);
      return false;
    }
  }
  return true;
}

PyObject* extreme(const char* name, int op, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  if (nargs == 0) {
    return raise(PyExc_TypeError, "%s expected at least 1 argument, got 0", name);
  }
  ExtremeOptions options;
  if (!parse_extreme_options(name, args + nargs, kwnames, options)) return nullptr;
  const bool from_arguments = nargs > 1;
  if (from_arguments && options.fallback != nullptr) {
    return raise(PyExc_TypeError, "Cannot specify a default for %s() with multiple positional arguments", name);
  }
  Ref<> iterator;
  if (!from_arguments) {
    iterator = Ref<>::steal(PyObject_GetIter(args[0]));
    if (!iterator) return nullptr;
  }
  Ref<> best;
  Ref<> best_key;
  for (Py_ssize_t i = 0; !from_arguments || i < nargs; i++) {
    Ref<> item = from_arguments ? Ref<>::dup(args[i]) : next_item(iterator.get());
    if (!item) break;
    Ref<> key = options.key == nullptr ? Ref<>::dup(item.get()) : Ref<>::steal(PyObject_CallOneArg(options.key, item.get()));
    if (!key) return nullptr;
    if (best) {
      const int better = PyObject_RichCompareBool(key.get(), best_key.get(), op);
      if (better < 0) return nullptr;
      if (better == 0) continue;
    }
    best = std::move(item);
    best_key = std::move(key);
  }
  if (PyErr_Occurred()) return nullptr;
  if (best) return best.release();
  if (options.fallback != nullptr) return Py_NewRef(options.fallback);
  return raise(PyExc_ValueError, "%s() arg is an empty sequence", name);
}

/// Adds ints that fit a C long. Gives the iterator's first other item in `pending` (with the sum in `total`), or the end.
Ref<> sum_ints(PyObject* iterator, Ref<> total, Ref<>& pending) {
  int overflow;
  long sum = PyLong_AsLongAndOverflow(total.get(), &overflow);
  if (overflow != 0) return total;
  while (Ref<> item = next_item(iterator)) {
    long value = 0;
    const bool is_small = (PyLong_CheckExact(item.get()) || PyBool_Check(item.get())) &&
                          ((value = PyLong_AsLongAndOverflow(item.get(), &overflow)), overflow == 0);
    long next;
    if (LIKELY(is_small && !__builtin_add_overflow(sum, value, &next))) {
      sum = next;
      continue;
    }
    pending = std::move(item);
    break;
  }
  return PyErr_Occurred() ? Ref<>() : Ref<>::steal(PyLong_FromLong(sum));
}

Ref<> sum_floats(PyObject* iterator, Ref<> total, Ref<>& pending) {
  double sum = PyFloat_AS_DOUBLE(total.get());
  for (;;) {
    Ref<> item = pending ? std::move(pending) : next_item(iterator);
    if (!item) break;
    if (LIKELY(PyFloat_CheckExact(item.get()))) {
      sum += PyFloat_AS_DOUBLE(item.get());
      continue;
    }
    if (PyLong_Check(item.get())) {
      int overflow;
      const long value = PyLong_AsLongAndOverflow(item.get(), &overflow);
      if (overflow == 0) {
        sum += static_cast<double>(value);
        continue;
      }
    }
    pending = std::move(item);
    break;
  }
  return PyErr_Occurred() ? Ref<>() : Ref<>::steal(PyFloat_FromDouble(sum));
}

}  // namespace

Ref<> all(Borrowed<> module, Borrowed<> iterable) {
  PyObject* found = find_truth(iterable, 0);
  if (found == nullptr) return nullptr;
  return Ref<>::dup(found == Py_True ? Py_False : Py_True);
}

Ref<> any(Borrowed<> module, Borrowed<> iterable) {
  PyObject* found = find_truth(iterable, 1);
  return Ref<>::dup(found);
}

PyObject* max(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return extreme("max", Py_GT, args, nargs, kwnames);
}

PyObject* min(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return extreme("min", Py_LT, args, nargs, kwnames);
}

PyObject* sorted(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  if (nargs != 1) {
    return raise(PyExc_TypeError, "sorted expected 1 argument, got %zd", nargs);
  }
  Ref<> list = Ref<>::steal(PySequence_List(args[0]));
  if (!list) return nullptr;
  Ref<> sort = Ref<>::steal(PyObject_GetAttrString(list.get(), "sort"));
  if (!sort) return nullptr;
  // `key` and `reverse` are list.sort's business.
  Ref<> done = Ref<>::steal(PyObject_Vectorcall(sort.get(), args + 1, 0, kwnames));
  return done ? list.release() : nullptr;
}

Ref<> sum(Borrowed<> module, Borrowed<> iterable, PyObject* start) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  if (start != nullptr) {
    if (PyUnicode_Check(start)) return raise(PyExc_TypeError, "sum() can't sum strings [use ''.join(seq) instead]");
    if (PyBytes_Check(start)) return raise(PyExc_TypeError, "sum() can't sum bytes [use b''.join(seq) instead]");
    if (PyByteArray_Check(start)) {
      return raise(PyExc_TypeError, "sum() can't sum bytearray [use b''.join(seq) instead]");
    }
  }
  Ref<> total = start == nullptr ? Ref<>::steal(PyLong_FromLong(0)) : Ref<>::dup(start);
  Ref<> pending;
  // FAST: runs of ints and of floats are summed unboxed.
  if (PyLong_CheckExact(total.get())) {
    total = sum_ints(iterator.get(), std::move(total), pending);
    if (!total) return nullptr;
    if (pending) {
      total = Ref<>::steal(PyNumber_Add(total.get(), pending.get()));
      pending.reset();
      if (!total) return nullptr;
    }
  }
  if (PyFloat_CheckExact(total.get())) {
    total = sum_floats(iterator.get(), std::move(total), pending);
    if (!total) return nullptr;
  }
  for (;;) {
    Ref<> item = pending ? std::move(pending) : next_item(iterator.get());
    if (!item) break;
    total = Ref<>::steal(PyNumber_Add(total.get(), item.get()));
    if (!total) return nullptr;
  }
  return PyErr_Occurred() ? Ref<>() : std::move(total);
}

}  // namespace pyston::builtins
