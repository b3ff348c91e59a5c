// Argument checking shared by every bound function; the messages are CPython 3.11's.
#include "Objects/bind.h"

#include <cstring>

namespace pyston {
namespace {

const char* plural(Py_ssize_t count) { return count == 1 ? "" : "s"; }

/// For functions without keywords: "f expected at least 1 argument, got 0".
COLD void raise_positional_count(const Signature& s, Py_ssize_t nargs) {
  const bool exact = s.required == s.positional;
  const bool too_few = nargs < s.required;
  const int bound = too_few ? s.required : s.positional;
  PyErr_Format(PyExc_TypeError, "%s expected %s%d argument%s, got %zd", s.function,
               exact ? "" : (too_few ? "at least " : "at most "), bound, plural(bound), nargs);
}

COLD void raise_too_many(const Signature& s, Py_ssize_t nargs, Py_ssize_t nkeywords) {
  if (nargs + nkeywords > s.total) {
    PyErr_Format(PyExc_TypeError, "%.200s() takes %s %d %sargument%s (%zd given)", s.function,
                 s.required == s.total ? "exactly" : "at most", s.total, nargs == 0 ? "keyword " : "", plural(s.total),
                 nargs + nkeywords);
  } else if (s.positional == 0) {
    PyErr_Format(PyExc_TypeError, "%.200s() takes no positional arguments", s.function);
  } else {
    PyErr_Format(PyExc_TypeError, "%.200s() takes %s %d positional argument%s (%zd given)", s.function,
                 s.required < s.positional ? "at most" : "exactly", s.positional, plural(s.positional), nargs);
  }
}

int find_keyword(const Signature& s, PyObject* name) {
  for (int i = s.positional_only; i < s.total; i++) {
    if (PyUnicode_CompareWithASCIIString(name, s.names[i]) == 0) return i;
  }
  return -1;
}

bool place_keyword(const Signature& s, PyObject* name, PyObject* value, Py_ssize_t nargs, PyObject** out) {
  if (!PyUnicode_Check(name)) {
    PyErr_SetString(PyExc_TypeError, "keywords must be strings");
    return false;
  }
  const int index = find_keyword(s, name);
  if (index < 0) {
    PyErr_Format(PyExc_TypeError, "'%S' is an invalid keyword argument for %.200s()", name, s.function);
    return false;
  }
  if (index < nargs) {
    PyErr_Format(PyExc_TypeError, "argument for %.200s() given by name ('%U') and position (%d)", s.function, name,
                 index + 1);
    return false;
  }
  out[index] = value;
  return true;
}

bool check_required(const Signature& s, Py_ssize_t nargs, PyObject** out) {
  if (nargs < s.positional_only && nargs < s.required) {
    const int needed = s.required < s.positional_only ? s.required : s.positional_only;
    if (nargs < needed) {
      PyErr_Format(PyExc_TypeError, "%.200s() takes %s %d positional argument%s (%zd given)", s.function,
                   s.required < s.positional ? "at least" : "exactly", needed, plural(needed), nargs);
      return false;
    }
  }
  for (int i = 0; i < s.total; i++) {
    if (out[i] == nullptr && (i < s.required || s.keyword_required[i])) {
      PyErr_Format(PyExc_TypeError, "%.200s() missing required argument '%s' (pos %d)", s.function, s.names[i], i + 1);
      return false;
    }
  }
  return true;
}

}  // namespace

bool bind_arguments(const Signature& s, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, PyObject** out) {
  const Py_ssize_t nkeywords = kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames);
  if (!s.takes_keywords()) {
    if (UNLIKELY(nkeywords > 0)) {
      PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", s.function);
      return false;
    }
    if (UNLIKELY(nargs < s.required || nargs > s.positional)) {
      raise_positional_count(s, nargs);
      return false;
    }
  } else if (UNLIKELY(nargs > s.positional || nargs + nkeywords > s.total)) {
    raise_too_many(s, nargs, nkeywords);
    return false;
  }
  for (Py_ssize_t i = 0; i < s.total; i++) out[i] = i < nargs ? args[i] : nullptr;
  for (Py_ssize_t i = 0; i < nkeywords; i++) {
    if (!place_keyword(s, PyTuple_GET_ITEM(kwnames, i), args[nargs + i], nargs, out)) return false;
  }
  if (!s.takes_keywords()) return true;
  return check_required(s, nargs, out);
}

bool bind_call_arguments(const Signature& s, PyObject* args, PyObject* kwargs, PyObject** out) {
  const Py_ssize_t nargs = PyTuple_GET_SIZE(args);
  const Py_ssize_t nkeywords = kwargs == nullptr ? 0 : PyDict_GET_SIZE(kwargs);
  PyObject* const* items = reinterpret_cast<PyTupleObject*>(args)->ob_item;
  if (nkeywords == 0) return bind_arguments(s, items, nargs, nullptr, out);
  if (!s.takes_keywords()) {
    PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", s.function);
    return false;
  }
  if (nargs > s.positional || nargs + nkeywords > s.total) {
    raise_too_many(s, nargs, nkeywords);
    return false;
  }
  for (Py_ssize_t i = 0; i < s.total; i++) out[i] = i < nargs ? items[i] : nullptr;
  Py_ssize_t position = 0;
  PyObject* name;
  PyObject* value;
  while (PyDict_Next(kwargs, &position, &name, &value)) {
    if (!place_keyword(s, name, value, nargs, out)) return false;
  }
  return check_required(s, nargs, out);
}

void raise_bad_argument(const Signature& s, int index, const char* expected, PyObject* value) {
  const char* got = value == Py_None ? "None" : Py_TYPE(value)->tp_name;
  if (s.total == 1 && !s.takes_keywords() && s.required == 1) {
    PyErr_Format(PyExc_TypeError, "%.200s() argument must be %.50s, not %.50s", s.function, expected, got);
  } else if (index < s.positional_only || !s.takes_keywords()) {
    PyErr_Format(PyExc_TypeError, "%.200s() argument %d must be %.50s, not %.50s", s.function, index + 1, expected, got);
  } else {
    PyErr_Format(PyExc_TypeError, "%.200s() argument '%s' must be %.50s, not %.50s", s.function, s.names[index],
                 expected, got);
  }
}

namespace binding {

bool convert_ssize(PyObject* value, Py_ssize_t& out) {
  PyObject* index = PyNumber_Index(value);
  if (index == nullptr) return false;
  out = PyLong_AsSsize_t(index);
  Py_DECREF(index);
  return !(out == -1 && PyErr_Occurred());
}

bool convert_integer(PyObject* value, long long low, long long high, const char* type_name, long long& out) {
  PyObject* index = PyNumber_Index(value);
  if (index == nullptr) return false;
  int overflow = 0;
  out = PyLong_AsLongLongAndOverflow(index, &overflow);
  Py_DECREF(index);
  if (overflow == 0 && out == -1 && PyErr_Occurred()) return false;
  if (overflow != 0 && low == LLONG_MIN) {
    PyErr_Format(PyExc_OverflowError, "Python int too large to convert to C %s", type_name);
    return false;
  }
  if (overflow > 0 || (overflow == 0 && out > high)) {
    PyErr_Format(PyExc_OverflowError, "signed integer is greater than maximum");
    return false;
  }
  if (overflow < 0 || out < low) {
    PyErr_Format(PyExc_OverflowError, "signed integer is less than minimum");
    return false;
  }
  return true;
}

}  // namespace binding
}  // namespace pyston
