// What fills the slots of classes written in Python: each function finds the special method on the type and calls it.
// The regular families (unary, binary, in-place) come from slots.def, the rest is spelled out.
#include "Objects/core/slot_functions.h"

#include "pycore_call.h"
#include "pycore_long.h"
#include "pycore_pyerrors.h"

namespace pyston {

PyObject* lookup_special_method(PyObject* self, PyObject* name, bool* unbound) {
  PyObject* method = _PyType_Lookup(Py_TYPE(self), name);
  if (method == nullptr) return nullptr;
  PyTypeObject* method_type = Py_TYPE(method);
  if (LIKELY(has_feature(method_type, Py_TPFLAGS_METHOD_DESCRIPTOR))) {
    *unbound = true;
    return Py_NewRef(method);
  }
  *unbound = false;
  if (method_type->tp_descr_get == nullptr) return Py_NewRef(method);
  return method_type->tp_descr_get(method, self, as_object(Py_TYPE(self)));
}

namespace {

/// args[0] is self. Calls an already looked-up method.
ALWAYS_INLINE PyObject* call_method(PyThreadState* tstate, PyObject* method, bool unbound, PyObject** args,
                                    size_t nargs) {
  if (unbound) return _PyObject_VectorcallTstate(tstate, method, args, nargs, nullptr);
  return _PyObject_VectorcallTstate(tstate, method, args + 1, (nargs - 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
}

/// Calls the special method `name` of args[0]; AttributeError when it is missing.
PyObject* call_special(PyObject* name, PyObject** args, size_t nargs) {
  PyThreadState* tstate = _PyThreadState_GET();
  bool unbound = false;
  PyObject* method = lookup_special_method(args[0], name, &unbound);
  if (UNLIKELY(method == nullptr)) {
    if (!_PyErr_Occurred(tstate)) _PyErr_SetObject(tstate, PyExc_AttributeError, name);
    return nullptr;
  }
  PyObject* result = call_method(tstate, method, unbound, args, nargs);
  Py_DECREF(method);
  return result;
}

/// The same; NotImplemented when it is missing.
PyObject* call_special_or_not_implemented(PyObject* self, PyObject* other, PyObject* name) {
  PyThreadState* tstate = _PyThreadState_GET();
  bool unbound = false;
  PyObject* method = lookup_special_method(self, name, &unbound);
  if (method == nullptr) return _PyErr_Occurred(tstate) ? nullptr : Ref<>::dup(Py_NotImplemented).release();
  PyObject* args[] = {self, other};
  PyObject* result = call_method(tstate, method, unbound, args, 2);
  Py_DECREF(method);
  return result;
}

/// Whether `right` answers `name` with another method than `left` does. -1 on error.
int overrides_method(PyObject* left, PyObject* right, PyObject* name) {
  PyObject *of_right, *of_left;
  if (_PyObject_LookupAttr(as_object(Py_TYPE(right)), name, &of_right) < 0) return -1;
  if (of_right == nullptr) return 0;
  auto right_owner = Ref<>::steal(of_right);
  if (_PyObject_LookupAttr(as_object(Py_TYPE(left)), name, &of_left) < 0) return -1;
  if (of_left == nullptr) return 1;
  auto left_owner = Ref<>::steal(of_left);
  return PyObject_RichCompareBool(of_left, of_right, Py_NE);
}

/// `left op right` where at least one side's slot is `Self`, a generic function. `read_slot` gives a type's slot.
template <class ReadSlot, class Function>
ALWAYS_INLINE PyObject* binary_operation(PyObject* left, PyObject* right, ReadSlot read_slot, Function self_function,
                                         PyObject* method, PyObject* reflected) {
  PyTypeObject* left_type = Py_TYPE(left);
  PyTypeObject* right_type = Py_TYPE(right);
  bool try_right = left_type != right_type && read_slot(right_type) == self_function;
  if (read_slot(left_type) == self_function) {
    if (try_right && PyType_IsSubtype(right_type, left_type)) {
      // The subclass goes first, but only when it really redefines the reflected method.
      int overridden = overrides_method(left, right, reflected);
      if (overridden < 0) return nullptr;
      if (overridden) {
        PyObject* result = call_special_or_not_implemented(right, left, reflected);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
        try_right = false;
      }
    }
    PyObject* result = call_special_or_not_implemented(left, right, method);
    if (result != Py_NotImplemented || Py_TYPE(right) == left_type) return result;
    Py_DECREF(result);
  }
  if (try_right) return call_special_or_not_implemented(right, left, reflected);
  return Ref<>::dup(Py_NotImplemented).release();
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------
// Numbers

#define UNARY(suite, member, method, wrapper, doc)     \
  PyObject* slot_##member(PyObject* self) {            \
    return call_special(&_Py_ID(method), &self, 1);    \
  }
#define DEFINE_BINARY(member, method, reflected)                                                        \
  PyObject* slot_##member(PyObject* left, PyObject* right) {                                            \
    return binary_operation(                                                                            \
        left, right,                                                                                    \
        [](PyTypeObject* type) { return type->tp_as_number ? type->tp_as_number->member : nullptr; },   \
        &slot_##member, &_Py_ID(method), &_Py_ID(reflected));                                           \
  }
#define BINARY(member, method, reflected, symbol) DEFINE_BINARY(member, method, reflected)
#define BINARY_DIVMOD(member, method, reflected) DEFINE_BINARY(member, method, reflected)
#define INPLACE(member, method, symbol)                  \
  PyObject* slot_##member(PyObject* self, PyObject* value) { \
    PyObject* args[] = {self, value};                    \
    return call_special(&_Py_ID(method), args, 2);       \
  }
#include "Objects/core/slots.def"

PyObject* slot_nb_power(PyObject* base, PyObject* exponent, PyObject* modulus) {
  auto read_slot = [](PyTypeObject* type) { return type->tp_as_number ? type->tp_as_number->nb_power : nullptr; };
  if (modulus == Py_None) {
    return binary_operation(base, exponent, read_slot, &slot_nb_power, &_Py_ID(__pow__), &_Py_ID(__rpow__));
  }
  // Three operands: there is no reflection, only the base's own method counts.
  if (read_slot(Py_TYPE(base)) == &slot_nb_power) {
    PyObject* args[] = {base, exponent, modulus};
    return call_special(&_Py_ID(__pow__), args, 3);
  }
  return Ref<>::dup(Py_NotImplemented).release();
}

PyObject* slot_nb_inplace_power(PyObject* self, PyObject* value, PyObject*) {
  PyObject* args[] = {self, value};
  return call_special(&_Py_ID(__ipow__), args, 2);
}

int slot_nb_bool(PyObject* self) {
  PyThreadState* tstate = _PyThreadState_GET();
  bool unbound = false;
  PyObject* method = lookup_special_method(self, &_Py_ID(__bool__), &unbound);
  if (method == nullptr) {
    if (_PyErr_Occurred(tstate)) return -1;
    if (_PyType_Lookup(Py_TYPE(self), &_Py_ID(__len__)) == nullptr) return 1;
    Py_ssize_t length = slot_sq_length(self);
    return length < 0 ? -1 : length > 0;
  }
  PyObject* result = call_method(tstate, method, unbound, &self, 1);
  Py_DECREF(method);
  if (result == nullptr) return -1;
  int truth = result == Py_True;
  if (UNLIKELY(!PyBool_Check(result))) {
    PyErr_Format(PyExc_TypeError, "__bool__ should return bool, returned %s", Py_TYPE(result)->tp_name);
    truth = -1;
  }
  Py_DECREF(result);
  return truth;
}

// ---------------------------------------------------------------------------------------------------------------
// Containers

Py_ssize_t slot_sq_length(PyObject* self) {
  PyObject* result = call_special(&_Py_ID(__len__), &self, 1);
  if (result == nullptr) return -1;
  auto length = Ref<>::steal(_PyNumber_Index(result));
  Py_DECREF(result);
  if (!length) return -1;
  if (Py_SIZE(length.get()) < 0) {
    PyErr_SetString(PyExc_ValueError, "__len__() should return >= 0");
    return -1;
  }
  return PyNumber_AsSsize_t(length.get(), PyExc_OverflowError);
}

PyObject* slot_mp_subscript(PyObject* self, PyObject* key) {
  PyObject* args[] = {self, key};
  return call_special(&_Py_ID(__getitem__), args, 2);
}

int slot_mp_ass_subscript(PyObject* self, PyObject* key, PyObject* value) {
  PyObject* args[] = {self, key, value};
  PyObject* result = value == nullptr ? call_special(&_Py_ID(__delitem__), args, 2)
                                      : call_special(&_Py_ID(__setitem__), args, 3);
  if (result == nullptr) return -1;
  Py_DECREF(result);
  return 0;
}

PyObject* slot_sq_item(PyObject* self, Py_ssize_t index) {
  auto key = Ref<>::steal(PyLong_FromSsize_t(index));
  return key ? slot_mp_subscript(self, key.get()) : nullptr;
}

int slot_sq_ass_item(PyObject* self, Py_ssize_t index, PyObject* value) {
  auto key = Ref<>::steal(PyLong_FromSsize_t(index));
  return key ? slot_mp_ass_subscript(self, key.get(), value) : -1;
}

int slot_sq_contains(PyObject* self, PyObject* value) {
  PyThreadState* tstate = _PyThreadState_GET();
  bool unbound = false;
  PyObject* method = lookup_special_method(self, &_Py_ID(__contains__), &unbound);
  if (method == Py_None) {
    Py_DECREF(method);
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not a container", Py_TYPE(self)->tp_name);
    return -1;
  }
  if (method == nullptr) {
    if (_PyErr_Occurred(tstate)) return -1;
    return static_cast<int>(_PySequence_IterSearch(self, value, PY_ITERSEARCH_CONTAINS));
  }
  PyObject* args[] = {self, value};
  PyObject* result = call_method(tstate, method, unbound, args, 2);
  Py_DECREF(method);
  if (result == nullptr) return -1;
  int truth = PyObject_IsTrue(result);
  Py_DECREF(result);
  return truth;
}

PyObject* slot_tp_iter(PyObject* self) {
  PyThreadState* tstate = _PyThreadState_GET();
  bool unbound = false;
  PyObject* method = lookup_special_method(self, &_Py_ID(__iter__), &unbound);
  if (method == nullptr && _PyErr_Occurred(tstate)) return nullptr;
  if (method == Py_None) {
    Py_DECREF(method);
  } else if (method != nullptr) {
    PyObject* result = call_method(tstate, method, unbound, &self, 1);
    Py_DECREF(method);
    return result;
  } else if (_PyType_Lookup(Py_TYPE(self), &_Py_ID(__getitem__)) != nullptr) {
    return PySeqIter_New(self);
  }
  PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", Py_TYPE(self)->tp_name);
  return nullptr;
}

PyObject* slot_tp_iternext(PyObject* self) { return call_special(&_Py_ID(__next__), &self, 1); }

// ---------------------------------------------------------------------------------------------------------------
// Text, hash, comparison, calls

PyObject* slot_tp_repr(PyObject* self) {
  PyThreadState* tstate = _PyThreadState_GET();
  bool unbound = false;
  PyObject* method = lookup_special_method(self, &_Py_ID(__repr__), &unbound);
  if (method == nullptr) {
    if (_PyErr_Occurred(tstate)) PyErr_Clear();
    return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(self)->tp_name, self);
  }
  PyObject* result = call_method(tstate, method, unbound, &self, 1);
  Py_DECREF(method);
  return result;
}

PyObject* slot_tp_str(PyObject* self) { return call_special(&_Py_ID(__str__), &self, 1); }

Py_hash_t slot_tp_hash(PyObject* self) {
  PyThreadState* tstate = _PyThreadState_GET();
  bool unbound = false;
  PyObject* method = lookup_special_method(self, &_Py_ID(__hash__), &unbound);
  if (method == Py_None || method == nullptr) {
    Py_XDECREF(method);
    if (method == nullptr && _PyErr_Occurred(tstate)) return -1;
    return PyObject_HashNotImplemented(self);
  }
  PyObject* result = call_method(tstate, method, unbound, &self, 1);
  Py_DECREF(method);
  if (result == nullptr) return -1;
  if (!PyLong_Check(result)) {
    Py_DECREF(result);
    PyErr_SetString(PyExc_TypeError, "__hash__ method should return an integer");
    return -1;
  }
  // A value in range is the hash as it stands, so that hash(x) == hash(hash(x)); a longer one is hashed.
  Py_hash_t hash = PyLong_AsSsize_t(result);
  if (hash == -1) {
    if (PyErr_Occurred()) {
      PyErr_Clear();
      hash = PyLong_Type.tp_hash(result);
    } else {
      hash = -2;
    }
  }
  Py_DECREF(result);
  return hash;
}

PyObject* slot_tp_richcompare(PyObject* self, PyObject* other, int op) {
  PyObject* const names[] = {&_Py_ID(__lt__), &_Py_ID(__le__), &_Py_ID(__eq__),
                             &_Py_ID(__ne__), &_Py_ID(__gt__), &_Py_ID(__ge__)};
  PyThreadState* tstate = _PyThreadState_GET();
  bool unbound = false;
  PyObject* method = lookup_special_method(self, names[op], &unbound);
  if (method == nullptr) {
    // QUIRK: a failing descriptor counts as a missing method here.
    if (_PyErr_Occurred(tstate)) _PyErr_Clear(tstate);
    return Py_NewRef(Py_NotImplemented);
  }
  PyObject* args[] = {self, other};
  PyObject* result = call_method(tstate, method, unbound, args, 2);
  Py_DECREF(method);
  return result;
}

PyObject* slot_tp_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyThreadState* tstate = _PyThreadState_GET();
  bool unbound = false;
  PyObject* method = lookup_special_method(self, &_Py_ID(__call__), &unbound);
  if (method == nullptr) {
    if (!_PyErr_Occurred(tstate)) _PyErr_SetObject(tstate, PyExc_AttributeError, &_Py_ID(__call__));
    return nullptr;
  }
  PyObject* result = unbound ? _PyObject_Call_Prepend(tstate, method, self, args, kwargs)
                             : _PyObject_Call(tstate, method, args, kwargs);
  Py_DECREF(method);
  return result;
}

// ---------------------------------------------------------------------------------------------------------------
// Attributes

PyObject* slot_tp_getattro(PyObject* self, PyObject* name) {
  PyObject* args[] = {self, name};
  return call_special(&_Py_ID(__getattribute__), args, 2);
}

// For classes with __getattr__ (and, until the first call, any class that redefines either of the two).
PyObject* slot_tp_getattr_hook(PyObject* self, PyObject* name) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject* fallback = _PyType_Lookup(type, &_Py_ID(__getattr__));
  if (fallback == nullptr) {
    type->tp_getattro = slot_tp_getattro;
    return slot_tp_getattro(self, name);
  }
  Py_INCREF(fallback);
  PyObject* getter = _PyType_Lookup(type, &_Py_ID(__getattribute__));
  PyObject* result;
  if (getter == nullptr ||
      (Py_TYPE(getter) == &PyWrapperDescr_Type &&
       reinterpret_cast<PyWrapperDescrObject*>(getter)->d_wrapped == reinterpret_cast<void*>(PyObject_GenericGetAttr))) {
    // FAST: a miss needs no exception object.
    result = _PyObject_GenericGetAttrWithDict(self, name, nullptr, 1);
    if (result == nullptr && PyErr_Occurred()) {
      Py_DECREF(fallback);
      return nullptr;
    }
  } else {
    PyObject* args[] = {self, name};
    result = call_special(&_Py_ID(__getattribute__), args, 2);
    if (result == nullptr) {
      if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        Py_DECREF(fallback);
        return nullptr;
      }
      PyErr_Clear();
    }
  }
  if (result == nullptr) {
    PyThreadState* tstate = _PyThreadState_GET();
    PyObject* args[] = {self, name};
    if (has_feature(Py_TYPE(fallback), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
      result = call_method(tstate, fallback, true, args, 2);
    } else if (Py_TYPE(fallback)->tp_descr_get == nullptr) {
      result = call_method(tstate, fallback, false, args, 2);
    } else {
      auto bound = Ref<>::steal(Py_TYPE(fallback)->tp_descr_get(fallback, self, as_object(Py_TYPE(self))));
      if (bound) result = call_method(tstate, bound.get(), false, args, 2);
    }
  }
  Py_DECREF(fallback);
  return result;
}

int slot_tp_setattro(PyObject* self, PyObject* name, PyObject* value) {
  PyObject* args[] = {self, name, value};
  PyObject* result = value == nullptr ? call_special(&_Py_ID(__delattr__), args, 2)
                                      : call_special(&_Py_ID(__setattr__), args, 3);
  if (result == nullptr) return -1;
  Py_DECREF(result);
  return 0;
}

PyObject* slot_tp_descr_get(PyObject* self, PyObject* object, PyObject* owner) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject* method = _PyType_Lookup(type, &_Py_ID(__get__));
  if (method == nullptr) {
    // __get__ was deleted from the class.
    if (type->tp_descr_get == slot_tp_descr_get) type->tp_descr_get = nullptr;
    return Py_NewRef(self);
  }
  Py_INCREF(method);
  PyObject* args[] = {self, object ? object : Py_None, owner ? owner : Py_None};
  PyObject* result = PyObject_Vectorcall(method, args, 3, nullptr);
  Py_DECREF(method);
  return result;
}

int slot_tp_descr_set(PyObject* self, PyObject* object, PyObject* value) {
  PyObject* args[] = {self, object, value};
  PyObject* result = value == nullptr ? call_special(&_Py_ID(__delete__), args, 2)
                                      : call_special(&_Py_ID(__set__), args, 3);
  if (result == nullptr) return -1;
  Py_DECREF(result);
  return 0;
}

// ---------------------------------------------------------------------------------------------------------------
// Creation and destruction

int slot_tp_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyThreadState* tstate = _PyThreadState_GET();
  bool unbound = false;
  PyObject* method = lookup_special_method(self, &_Py_ID(__init__), &unbound);
  if (method == nullptr) {
    if (!_PyErr_Occurred(tstate)) _PyErr_SetObject(tstate, PyExc_AttributeError, &_Py_ID(__init__));
    return -1;
  }
  PyObject* result = unbound ? _PyObject_Call_Prepend(tstate, method, self, args, kwargs)
                             : _PyObject_Call(tstate, method, args, kwargs);
  Py_DECREF(method);
  if (result == nullptr) return -1;
  if (UNLIKELY(result != Py_None)) {
    PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return -1;
  }
  Py_DECREF(result);
  return 0;
}

PyObject* slot_tp_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  auto method = Ref<>::steal(PyObject_GetAttr(as_object(type), &_Py_ID(__new__)));
  if (!method) return nullptr;
  return _PyObject_Call_Prepend(_PyThreadState_GET(), method.get(), as_object(type), args, kwargs);
}

void slot_tp_finalize(PyObject* self) {
  PyObject *exception, *value, *traceback;
  PyErr_Fetch(&exception, &value, &traceback);
  bool unbound = false;
  PyObject* method = lookup_special_method(self, &_Py_ID(__del__), &unbound);
  if (method != nullptr) {
    PyObject* result = call_method(_PyThreadState_GET(), method, unbound, &self, 1);
    if (result == nullptr) {
      PyErr_WriteUnraisable(method);
    } else {
      Py_DECREF(result);
    }
    Py_DECREF(method);
  } else if (PyErr_Occurred()) {
    PyErr_WriteUnraisable(self);
  }
  PyErr_Restore(exception, value, traceback);
}

// ---------------------------------------------------------------------------------------------------------------
// Asynchronous protocols

static PyObject* call_async_special(PyObject* self, PyObject* name) {
  bool unbound = false;
  PyObject* method = lookup_special_method(self, name, &unbound);
  if (method == nullptr) {
    if (!PyErr_Occurred()) {
      PyErr_Format(PyExc_AttributeError, "object %.50s does not have %U method", Py_TYPE(self)->tp_name, name);
    }
    return nullptr;
  }
  PyObject* result = call_method(_PyThreadState_GET(), method, unbound, &self, 1);
  Py_DECREF(method);
  return result;
}

PyObject* slot_am_await(PyObject* self) { return call_async_special(self, &_Py_ID(__await__)); }
PyObject* slot_am_aiter(PyObject* self) { return call_async_special(self, &_Py_ID(__aiter__)); }
PyObject* slot_am_anext(PyObject* self) { return call_async_special(self, &_Py_ID(__anext__)); }

}  // namespace pyston
