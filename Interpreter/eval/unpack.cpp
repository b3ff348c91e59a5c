// Unpacking of iterables and mappings, context managers, and structural pattern matching.
#include "Interpreter/eval/eval.h"
#include "internal/pycore_call.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_list.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_tuple.h"

namespace pyston {

bool unpack_iterable(PyThreadState* tstate, PyObject* iterable, int count, int after, PyObject** top) {
  // FAST: a tuple or list of the right length
  if (after == -1 && (PyTuple_CheckExact(iterable) || PyList_CheckExact(iterable)) && Py_SIZE(iterable) == count) {
    PyObject** items = PySequence_Fast_ITEMS(iterable);
    for (int i = 0; i < count; i++) *--top = Py_NewRef(items[i]);
    return true;
  }
  PyObject* iterator = PyObject_GetIter(iterable);
  if (iterator == nullptr) {
    if (_PyErr_ExceptionMatches(tstate, PyExc_TypeError) && Py_TYPE(iterable)->tp_iter == nullptr &&
        !PySequence_Check(iterable)) {
      _PyErr_Format(tstate, PyExc_TypeError, "cannot unpack non-iterable %.200s object", Py_TYPE(iterable)->tp_name);
    }
    return false;
  }
  PyObject** next = top;
  PyObject* rest = nullptr;
  int i = 0;
  for (; i < count; i++) {
    PyObject* item = PyIter_Next(iterator);
    if (item == nullptr) {
      if (!_PyErr_Occurred(tstate)) {
        if (after == -1) {
          _PyErr_Format(tstate, PyExc_ValueError, "not enough values to unpack (expected %d, got %d)", count, i);
        } else {
          _PyErr_Format(tstate, PyExc_ValueError, "not enough values to unpack (expected at least %d, got %d)",
                        count + after, i);
        }
      }
      goto fail;
    }
    *--next = item;
  }
  if (after == -1) {
    PyObject* extra = PyIter_Next(iterator);
    if (extra == nullptr) {
      if (_PyErr_Occurred(tstate)) goto fail;
      Py_DECREF(iterator);
      return true;
    }
    Py_DECREF(extra);
    _PyErr_Format(tstate, PyExc_ValueError, "too many values to unpack (expected %d)", count);
    goto fail;
  }
  rest = PySequence_List(iterator);
  if (rest == nullptr) goto fail;
  *--next = rest;
  i++;
  {
    Py_ssize_t length = PyList_GET_SIZE(rest);
    if (length < after) {
      _PyErr_Format(tstate, PyExc_ValueError, "not enough values to unpack (expected at least %d, got %zd)",
                    count + after, count + length);
      goto fail;
    }
    // The last `after` items move from the list to the stack.
    for (int k = after; k > 0; k--) *--next = PyList_GET_ITEM(rest, length - k);
    Py_SET_SIZE(rest, length - after);
  }
  Py_DECREF(iterator);
  return true;

fail:
  for (; i > 0; i--) Py_DECREF(*next++);
  Py_DECREF(iterator);
  return false;
}

int list_extend(PyThreadState* tstate, PyObject* list, PyObject* iterable) {
  PyObject* none = _PyList_Extend(reinterpret_cast<PyListObject*>(list), iterable);
  if (LIKELY(none != nullptr)) {
    Py_DECREF(none);
    return 0;
  }
  if (_PyErr_ExceptionMatches(tstate, PyExc_TypeError) && Py_TYPE(iterable)->tp_iter == nullptr &&
      !PySequence_Check(iterable)) {
    _PyErr_Clear(tstate);
    _PyErr_Format(tstate, PyExc_TypeError, "Value after * must be an iterable, not %.200s",
                  Py_TYPE(iterable)->tp_name);
  }
  return -1;
}

int dict_update(PyThreadState* tstate, PyObject* dict, PyObject* update) {
  int status = PyDict_Update(dict, update);
  if (status < 0 && _PyErr_ExceptionMatches(tstate, PyExc_AttributeError)) {
    _PyErr_Format(tstate, PyExc_TypeError, "'%.200s' object is not a mapping", Py_TYPE(update)->tp_name);
  }
  return status;
}

int lookup_context_manager(PyThreadState* tstate, PyObject* manager, bool async, PyObject** enter, PyObject** exit) {
  *enter = _PyObject_LookupSpecial(manager, async ? &_Py_ID(__aenter__) : &_Py_ID(__enter__));
  if (*enter == nullptr) {
    if (!_PyErr_Occurred(tstate)) {
      _PyErr_Format(tstate, PyExc_TypeError,
                    async ? "'%.200s' object does not support the asynchronous context manager protocol"
                          : "'%.200s' object does not support the context manager protocol",
                    Py_TYPE(manager)->tp_name);
    }
    return -1;
  }
  *exit = _PyObject_LookupSpecial(manager, async ? &_Py_ID(__aexit__) : &_Py_ID(__exit__));
  if (*exit == nullptr) {
    if (!_PyErr_Occurred(tstate)) {
      _PyErr_Format(tstate, PyExc_TypeError,
                    async ? "'%.200s' object does not support the asynchronous context manager protocol (missed "
                            "__aexit__ method)"
                          : "'%.200s' object does not support the context manager protocol (missed __exit__ method)",
                    Py_TYPE(manager)->tp_name);
    }
    Py_CLEAR(*enter);
    return -1;
  }
  return 0;
}

// --- patterns -----------------------------------------------------------------------------------------------------

PyObject* match_keys(PyThreadState* tstate, PyObject* subject, PyObject* keys) {
  Py_ssize_t count = PyTuple_GET_SIZE(keys);
  if (count == 0) return PyTuple_New(0);
  // get() with a default of our own tells a missing key from any value; it does not create items as [] may.
  PyObject* get = nullptr;
  int unbound = _PyObject_GetMethod(subject, &_Py_ID(get), &get);
  PyObject* seen = nullptr;
  PyObject* missing = nullptr;
  PyObject* values = nullptr;
  if (get == nullptr) return nullptr;
  seen = PySet_New(nullptr);
  missing = _PyObject_CallNoArgs(as_object(&PyBaseObject_Type));
  if (seen == nullptr || missing == nullptr) goto finish;
  values = PyTuple_New(count);
  if (values == nullptr) goto finish;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* key = PyTuple_GET_ITEM(keys, i);
    int duplicate = PySet_Contains(seen, key);
    if (duplicate != 0 || PySet_Add(seen, key) < 0) {
      if (duplicate > 0) _PyErr_Format(tstate, PyExc_ValueError, "mapping pattern checks duplicate key (%R)", key);
      Py_CLEAR(values);
      goto finish;
    }
    PyObject* args[] = {subject, key, missing};
    PyObject* value = PyObject_Vectorcall(get, unbound ? args : args + 1, unbound ? 3 : 2, nullptr);
    if (value == nullptr) {
      Py_CLEAR(values);
      goto finish;
    }
    if (value == missing) {
      Py_DECREF(value);
      Py_DECREF(values);
      values = Py_NewRef(Py_None);
      goto finish;
    }
    PyTuple_SET_ITEM(values, i, value);
  }
finish:
  Py_XDECREF(missing);
  Py_XDECREF(seen);
  Py_DECREF(get);
  return values;
}

namespace {

/// Attribute `name` for a class pattern, each only once; null without an exception: the pattern does not match.
PyObject* match_class_attribute(PyThreadState* tstate, PyObject* subject, PyObject* type, PyObject* name,
                                PyObject* seen) {
  int duplicate = PySet_Contains(seen, name);
  if (duplicate != 0 || PySet_Add(seen, name) < 0) {
    if (duplicate > 0) {
      _PyErr_Format(tstate, PyExc_TypeError, "%s() got multiple sub-patterns for attribute %R",
                    reinterpret_cast<PyTypeObject*>(type)->tp_name, name);
    }
    return nullptr;
  }
  PyObject* attribute;
  (void)_PyObject_LookupAttr(subject, name, &attribute);
  return attribute;
}

/// Appends the attributes matched by position. 1: matched, 0: no match, -1: error.
int match_positional(PyThreadState* tstate, PyObject* subject, PyObject* type, Py_ssize_t count, PyObject* seen,
                     PyObject* attributes) {
  const char* type_name = reinterpret_cast<PyTypeObject*>(type)->tp_name;
  bool match_self = false;
  PyObject* match_args;
  static PyObject* match_args_name = nullptr;
  if (match_args_name == nullptr) match_args_name = PyUnicode_InternFromString("__match_args__");
  if (match_args_name == nullptr || _PyObject_LookupAttr(type, match_args_name, &match_args) < 0) return -1;
  if (match_args != nullptr) {
    if (!PyTuple_CheckExact(match_args)) {
      _PyErr_Format(tstate, PyExc_TypeError, "%s.__match_args__ must be a tuple (got %s)", type_name,
                    Py_TYPE(match_args)->tp_name);
      Py_DECREF(match_args);
      return -1;
    }
  } else {
    match_args = PyTuple_New(0);
    if (match_args == nullptr) return -1;
    match_self = PyType_HasFeature(reinterpret_cast<PyTypeObject*>(type), _Py_TPFLAGS_MATCH_SELF);
  }
  int status = 1;
  Py_ssize_t allowed = match_self ? 1 : PyTuple_GET_SIZE(match_args);
  if (allowed < count) {
    _PyErr_Format(tstate, PyExc_TypeError, "%s() accepts %d positional sub-pattern%s (%d given)", type_name,
                  static_cast<int>(allowed), allowed == 1 ? "" : "s", static_cast<int>(count));
    status = -1;
  } else if (match_self) {
    status = PyList_Append(attributes, subject) < 0 ? -1 : 1;
  } else {
    for (Py_ssize_t i = 0; i < count && status == 1; i++) {
      PyObject* name = PyTuple_GET_ITEM(match_args, i);
      if (!PyUnicode_CheckExact(name)) {
        _PyErr_Format(tstate, PyExc_TypeError, "__match_args__ elements must be strings (got %s)",
                      Py_TYPE(name)->tp_name);
        status = -1;
        break;
      }
      PyObject* attribute = match_class_attribute(tstate, subject, type, name, seen);
      if (attribute == nullptr) {
        status = _PyErr_Occurred(tstate) ? -1 : 0;
        break;
      }
      if (PyList_Append(attributes, attribute) < 0) status = -1;
      Py_DECREF(attribute);
    }
  }
  Py_DECREF(match_args);
  return status;
}

}  // namespace

PyObject* match_class(PyThreadState* tstate, PyObject* subject, PyObject* type, Py_ssize_t count, PyObject* names) {
  if (!PyType_Check(type)) {
    _PyErr_Format(tstate, PyExc_TypeError, "called match pattern must be a type");
    return nullptr;
  }
  if (PyObject_IsInstance(subject, type) <= 0) return nullptr;
  PyObject* seen = PySet_New(nullptr);
  if (seen == nullptr) return nullptr;
  PyObject* attributes = PyList_New(0);
  if (attributes == nullptr) {
    Py_DECREF(seen);
    return nullptr;
  }
  int status = count == 0 ? 1 : match_positional(tstate, subject, type, count, seen, attributes);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names) && status == 1; i++) {
    PyObject* attribute = match_class_attribute(tstate, subject, type, PyTuple_GET_ITEM(names, i), seen);
    if (attribute == nullptr) {
      status = 0;
      break;
    }
    if (PyList_Append(attributes, attribute) < 0) status = -1;
    Py_DECREF(attribute);
  }
  PyObject* result = status == 1 ? PyList_AsTuple(attributes) : nullptr;
  Py_DECREF(attributes);
  Py_DECREF(seen);
  return result;
}

}  // namespace pyston
