// Protocols that any object may have: length, subscription, formatting, isinstance/issubclass, iteration, and the
// mapping protocol.
#include "Objects/core/type.h"

#include "pycore_abstract.h"
#include "pycore_call.h"
#include "pycore_ceval.h"
#include "pycore_pyerrors.h"
#include "pycore_unionobject.h"

using namespace pyston;

namespace {

COLD PyObject* raise_null() {
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
  return nullptr;
}

template <class... Arguments>
COLD int fail(const char* format, Arguments... arguments) {
  PyErr_Format(PyExc_TypeError, format, arguments...);
  return -1;
}

/// `cls[key]` for a class whose metaclass doesn't define __getitem__.
PyObject* subscribe_class(PyObject* cls, PyObject* key) {
  if (cls == as_object(&PyType_Type)) return Py_GenericAlias(cls, key);
  PyObject* method;
  if (_PyObject_LookupAttr(cls, &_Py_ID(__class_getitem__), &method) < 0) return nullptr;
  auto owner = Ref<>::steal(method);
  if (method != nullptr && method != Py_None) return PyObject_CallOneArg(method, key);
  PyErr_Format(PyExc_TypeError, "type '%.200s' is not subscriptable", reinterpret_cast<PyTypeObject*>(cls)->tp_name);
  return nullptr;
}

int assign_subscript(PyObject* object, PyObject* key, PyObject* value, const char* message) {
  if (object == nullptr || key == nullptr) {
    raise_null();
    return -1;
  }
  PyTypeObject* type = Py_TYPE(object);
  if (type->tp_as_mapping != nullptr && type->tp_as_mapping->mp_ass_subscript != nullptr) {
    return type->tp_as_mapping->mp_ass_subscript(object, key, value);
  }
  if (type->tp_as_sequence != nullptr) {
    if (_PyIndex_Check(key)) {
      Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
      if (index == -1 && PyErr_Occurred()) return -1;
      return value == nullptr ? PySequence_DelItem(object, index) : PySequence_SetItem(object, index, value);
    }
    if (type->tp_as_sequence->sq_ass_item != nullptr) {
      return fail("sequence index must be integer, not '%.200s'", Py_TYPE(key)->tp_name);
    }
  }
  return fail(message, type->tp_name);
}

// isinstance() and issubclass() for things that only look like classes: anything with a `__bases__` tuple.

/// New reference, or null with or without an exception.
PyObject* bases_of(PyObject* cls) {
  PyObject* bases;
  (void)_PyObject_LookupAttr(cls, &_Py_ID(__bases__), &bases);
  if (bases != nullptr && !PyTuple_Check(bases)) {
    Py_DECREF(bases);
    return nullptr;
  }
  return bases;
}

bool check_class(PyObject* cls, const char* message) {
  auto bases = Ref<>::steal(bases_of(cls));
  if (bases) return true;
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, message);
  return false;
}

int abstract_is_subclass(PyObject* derived, PyObject* cls) {
  Ref<> bases;  // keeps `derived` alive while the chain has one base each
  while (true) {
    if (derived == cls) return 1;
    auto next = Ref<>::steal(bases_of(derived));
    if (!next) return PyErr_Occurred() ? -1 : 0;
    bases = std::move(next);
    Py_ssize_t count = PyTuple_GET_SIZE(bases.get());
    if (count == 0) return 0;
    if (count > 1) break;
    derived = PyTuple_GET_ITEM(bases.get(), 0);
  }
  if (_Py_EnterRecursiveCall(" in __issubclass__")) return -1;
  int result = 0;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases.get()) && result == 0; i++) {
    result = abstract_is_subclass(PyTuple_GET_ITEM(bases.get(), i), cls);
  }
  _Py_LeaveRecursiveCall();
  return result;
}

int is_instance(PyObject* instance, PyObject* cls) {
  if (PyType_Check(cls)) {
    auto* type = reinterpret_cast<PyTypeObject*>(cls);
    if (PyType_IsSubtype(Py_TYPE(instance), type)) return 1;
    // FAST: objects whose class doesn't redefine __class__ have told everything.
    PyTypeObject* instance_type = Py_TYPE(instance);
    if (instance_type->tp_getattro == PyObject_GenericGetAttr) {
      PyObject* descriptor = _PyType_Lookup(instance_type, &_Py_ID(__class__));
      static PyObject* object_class_descriptor = nullptr;
      if (UNLIKELY(object_class_descriptor == nullptr)) {
        object_class_descriptor = PyDict_GetItemWithError(PyBaseObject_Type.tp_dict, &_Py_ID(__class__));
      }
      if (descriptor == object_class_descriptor && descriptor != nullptr) return 0;
    }
    PyObject* claimed;
    if (_PyObject_LookupAttr(instance, &_Py_ID(__class__), &claimed) < 0) return -1;
    int result = claimed != nullptr && claimed != as_object(Py_TYPE(instance)) && PyType_Check(claimed) &&
                 PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(claimed), type);
    Py_XDECREF(claimed);
    return result;
  }
  if (!check_class(cls, "isinstance() arg 2 must be a type, a tuple of types, or a union")) return -1;
  PyObject* claimed;
  if (_PyObject_LookupAttr(instance, &_Py_ID(__class__), &claimed) < 0) return -1;
  if (claimed == nullptr) return 0;
  int result = abstract_is_subclass(claimed, cls);
  Py_DECREF(claimed);
  return result;
}

int is_subclass(PyObject* derived, PyObject* cls) {
  if (PyType_Check(cls) && PyType_Check(derived)) {
    return PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(derived), reinterpret_cast<PyTypeObject*>(cls));
  }
  if (!check_class(derived, "issubclass() arg 1 must be a class")) return -1;
  if (!_PyUnion_Check(cls) && !check_class(cls, "issubclass() arg 2 must be a class, a tuple of classes, or a union")) {
    return -1;
  }
  return abstract_is_subclass(derived, cls);
}

/// Asks the class's own __instancecheck__ or __subclasscheck__. -2: it has none.
int ask_class(PyThreadState* tstate, PyObject* cls, PyObject* subject, PyObject* method_name, const char* where) {
  bool unbound = false;
  PyObject* checker = lookup_special_method(cls, method_name, &unbound);
  if (checker == nullptr) return _PyErr_Occurred(tstate) ? -1 : -2;
  int result = -1;
  if (!_Py_EnterRecursiveCallTstate(tstate, where)) {
    PyObject* args[] = {cls, subject};
    PyObject* answer = unbound ? _PyObject_VectorcallTstate(tstate, checker, args, 2, nullptr)
                               : _PyObject_VectorcallTstate(tstate, checker, args + 1,
                                                            1 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
    _Py_LeaveRecursiveCallTstate(tstate);
    if (answer != nullptr) {
      result = PyObject_IsTrue(answer);
      Py_DECREF(answer);
    }
  }
  Py_DECREF(checker);
  return result;
}

int is_instance_of_any(PyThreadState* tstate, PyObject* instance, PyObject* tuple);

int is_instance_dispatch(PyThreadState* tstate, PyObject* instance, PyObject* cls) {
  if (Py_TYPE(instance) == reinterpret_cast<PyTypeObject*>(cls)) return 1;
  if (PyType_CheckExact(cls)) return is_instance(instance, cls);
  if (_PyUnion_Check(cls)) cls = _Py_union_args(cls);
  if (PyTuple_Check(cls)) return is_instance_of_any(tstate, instance, cls);
  int answer = ask_class(tstate, cls, instance, &_Py_ID(__instancecheck__), " in __instancecheck__");
  return answer == -2 ? is_instance(instance, cls) : answer;
}

int is_instance_of_any(PyThreadState* tstate, PyObject* instance, PyObject* tuple) {
  if (_Py_EnterRecursiveCallTstate(tstate, " in __instancecheck__")) return -1;
  int result = 0;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple) && result == 0; i++) {
    result = is_instance_dispatch(tstate, instance, PyTuple_GET_ITEM(tuple, i));
  }
  _Py_LeaveRecursiveCallTstate(tstate);
  return result;
}

int is_subclass_dispatch(PyThreadState* tstate, PyObject* derived, PyObject* cls) {
  if (PyType_CheckExact(cls)) return derived == cls ? 1 : is_subclass(derived, cls);
  if (_PyUnion_Check(cls)) cls = _Py_union_args(cls);
  if (PyTuple_Check(cls)) {
    if (_Py_EnterRecursiveCallTstate(tstate, " in __subclasscheck__")) return -1;
    int result = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(cls) && result == 0; i++) {
      result = is_subclass_dispatch(tstate, derived, PyTuple_GET_ITEM(cls, i));
    }
    _Py_LeaveRecursiveCallTstate(tstate);
    return result;
  }
  int answer = ask_class(tstate, cls, derived, &_Py_ID(__subclasscheck__), " in __subclasscheck__");
  return answer == -2 ? is_subclass(derived, cls) : answer;
}

/// keys(), values() or items() as a list.
PyObject* view_as_list(PyObject* mapping, PyObject* method) {
  auto output = Ref<>::steal(PyObject_CallMethodNoArgs(mapping, method));
  if (!output) return nullptr;
  auto iterator = Ref<>::steal(PyObject_GetIter(output.get()));
  if (!iterator) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Format(PyExc_TypeError, "%.200s.%U() returned a non-iterable (type %.200s)", Py_TYPE(mapping)->tp_name,
                   method, Py_TYPE(output.get())->tp_name);
    }
    return nullptr;
  }
  return PySequence_List(iterator.get());
}

}  // namespace

extern "C" {

PyObject* PyObject_Type(PyObject* object) {
  return object == nullptr ? raise_null() : Py_NewRef(as_object(Py_TYPE(object)));
}

// ---------------------------------------------------------------------------------------------------------------
// Length

Py_ssize_t PyObject_Size(PyObject* object) {
  if (object == nullptr) {
    raise_null();
    return -1;
  }
  PySequenceMethods* sequence = Py_TYPE(object)->tp_as_sequence;
  if (sequence != nullptr && sequence->sq_length != nullptr) return sequence->sq_length(object);
  return PyMapping_Size(object);
}

#undef PyObject_Length
PyAPI_FUNC(Py_ssize_t) PyObject_Length(PyObject* object);
Py_ssize_t PyObject_Length(PyObject* object) { return PyObject_Size(object); }

int _PyObject_HasLen(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  return (type->tp_as_sequence != nullptr && type->tp_as_sequence->sq_length != nullptr) ||
         (type->tp_as_mapping != nullptr && type->tp_as_mapping->mp_length != nullptr);
}

Py_ssize_t PyObject_LengthHint(PyObject* object, Py_ssize_t default_value) {
  if (_PyObject_HasLen(object)) {
    Py_ssize_t length = PyObject_Size(object);
    if (length >= 0) return length;
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
    PyErr_Clear();
  }
  auto method = Ref<>::steal(_PyObject_LookupSpecial(object, &_Py_ID(__length_hint__)));
  if (!method) return PyErr_Occurred() ? -1 : default_value;
  auto result = Ref<>::steal(_PyObject_CallNoArgs(method.get()));
  if (!result) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
    PyErr_Clear();
    return default_value;
  }
  if (result.get() == Py_NotImplemented) return default_value;
  if (!PyLong_Check(result.get())) {
    return fail("__length_hint__ must be an integer, not %.100s", Py_TYPE(result.get())->tp_name);
  }
  Py_ssize_t hint = PyLong_AsSsize_t(result.get());
  if (hint < 0) {
    if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "__length_hint__() should return >= 0");
    return -1;
  }
  return hint;
}

// ---------------------------------------------------------------------------------------------------------------
// Subscription

PyObject* PyObject_GetItem(PyObject* object, PyObject* key) {
  if (object == nullptr || key == nullptr) return raise_null();
  PyTypeObject* type = Py_TYPE(object);
  if (LIKELY(type->tp_as_mapping != nullptr && type->tp_as_mapping->mp_subscript != nullptr)) {
    return type->tp_as_mapping->mp_subscript(object, key);
  }
  if (type->tp_as_sequence != nullptr && type->tp_as_sequence->sq_item != nullptr) {
    if (_PyIndex_Check(key)) {
      Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
      if (index == -1 && PyErr_Occurred()) return nullptr;
      return PySequence_GetItem(object, index);
    }
    PyErr_Format(PyExc_TypeError, "sequence index must be integer, not '%.200s'", Py_TYPE(key)->tp_name);
    return nullptr;
  }
  if (PyType_Check(object)) return subscribe_class(object, key);
  PyErr_Format(PyExc_TypeError, "'%.200s' object is not subscriptable", type->tp_name);
  return nullptr;
}

int PyObject_SetItem(PyObject* object, PyObject* key, PyObject* value) {
  if (value == nullptr) {
    raise_null();
    return -1;
  }
  return assign_subscript(object, key, value, "'%.200s' object does not support item assignment");
}

int PyObject_DelItem(PyObject* object, PyObject* key) {
  return assign_subscript(object, key, nullptr, "'%.200s' object does not support item deletion");
}

int PyObject_DelItemString(PyObject* object, const char* key) {
  if (object == nullptr || key == nullptr) {
    raise_null();
    return -1;
  }
  auto text = Ref<>::steal(PyUnicode_FromString(key));
  return text ? PyObject_DelItem(object, text.get()) : -1;
}

PyObject* PyObject_Format(PyObject* object, PyObject* format_spec) {
  if (format_spec != nullptr && !PyUnicode_Check(format_spec)) {
    PyErr_Format(PyExc_SystemError, "Format specifier must be a string, not %.200s", Py_TYPE(format_spec)->tp_name);
    return nullptr;
  }
  // FAST: the common f"{name}" of str and int.
  if (format_spec == nullptr || PyUnicode_GET_LENGTH(format_spec) == 0) {
    if (PyUnicode_CheckExact(object)) return Py_NewRef(object);
    if (PyLong_CheckExact(object)) return PyObject_Str(object);
  }
  auto method = Ref<>::steal(_PyObject_LookupSpecial(object, &_Py_ID(__format__)));
  if (!method) {
    if (!PyErr_Occurred()) {
      PyErr_Format(PyExc_TypeError, "Type %.100s doesn't define __format__", Py_TYPE(object)->tp_name);
    }
    return nullptr;
  }
  PyObject* result = PyObject_CallOneArg(method.get(), format_spec != nullptr ? format_spec : &_Py_STR(empty));
  if (result != nullptr && !PyUnicode_Check(result)) {
    PyErr_Format(PyExc_TypeError, "__format__ must return a str, not %.200s", Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return nullptr;
  }
  return result;
}

// ---------------------------------------------------------------------------------------------------------------
// isinstance and issubclass

int PyObject_IsInstance(PyObject* instance, PyObject* cls) {
  if (Py_TYPE(instance) == reinterpret_cast<PyTypeObject*>(cls)) return 1;
  return is_instance_dispatch(_PyThreadState_GET(), instance, cls);
}
int PyObject_IsSubclass(PyObject* derived, PyObject* cls) {
  return is_subclass_dispatch(_PyThreadState_GET(), derived, cls);
}
int _PyObject_RealIsInstance(PyObject* instance, PyObject* cls) { return is_instance(instance, cls); }
int _PyObject_RealIsSubclass(PyObject* derived, PyObject* cls) { return is_subclass(derived, cls); }

// ---------------------------------------------------------------------------------------------------------------
// Iteration

PyObject* PyObject_GetIter(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  getiterfunc iter = type->tp_iter;
  if (iter == nullptr) {
    if (PySequence_Check(object)) return PySeqIter_New(object);
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", type->tp_name);
    return nullptr;
  }
  PyObject* result = iter(object);
  if (result != nullptr && UNLIKELY(!PyIter_Check(result))) {
    PyErr_Format(PyExc_TypeError, "iter() returned non-iterator of type '%.100s'", Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return nullptr;
  }
  return result;
}

PyObject* PyObject_GetAIter(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  if (type->tp_as_async == nullptr || type->tp_as_async->am_aiter == nullptr) {
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not an async iterable", type->tp_name);
    return nullptr;
  }
  PyObject* result = type->tp_as_async->am_aiter(object);
  if (result != nullptr && !PyAIter_Check(result)) {
    PyErr_Format(PyExc_TypeError, "aiter() returned not an async iterator of type '%.100s'", Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return nullptr;
  }
  return result;
}

int PyIter_Check(PyObject* object) {
  iternextfunc next = Py_TYPE(object)->tp_iternext;
  return next != nullptr && next != _PyObject_NextNotImplemented;
}

int PyAIter_Check(PyObject* object) {
  PyAsyncMethods* async = Py_TYPE(object)->tp_as_async;
  return async != nullptr && async->am_anext != nullptr && async->am_anext != _PyObject_NextNotImplemented;
}

PyObject* PyIter_Next(PyObject* iterator) {
  PyObject* result = Py_TYPE(iterator)->tp_iternext(iterator);
  if (result == nullptr) {
    PyThreadState* tstate = _PyThreadState_GET();
    if (_PyErr_Occurred(tstate) && _PyErr_ExceptionMatches(tstate, PyExc_StopIteration)) _PyErr_Clear(tstate);
  }
  return result;
}

PySendResult PyIter_Send(PyObject* iterator, PyObject* argument, PyObject** result) {
  PyAsyncMethods* async = Py_TYPE(iterator)->tp_as_async;
  if (async != nullptr && async->am_send != nullptr) return async->am_send(iterator, argument, result);
  if (argument == Py_None && PyIter_Check(iterator)) {
    *result = Py_TYPE(iterator)->tp_iternext(iterator);
  } else {
    *result = PyObject_CallMethodOneArg(iterator, &_Py_ID(send), argument);
  }
  if (*result != nullptr) return PYGEN_NEXT;
  return _PyGen_FetchStopIterationValue(result) == 0 ? PYGEN_RETURN : PYGEN_ERROR;
}

// ---------------------------------------------------------------------------------------------------------------
// Mappings

int PyMapping_Check(PyObject* object) {
  return object != nullptr && Py_TYPE(object)->tp_as_mapping != nullptr &&
         Py_TYPE(object)->tp_as_mapping->mp_subscript != nullptr;
}

Py_ssize_t PyMapping_Size(PyObject* object) {
  if (object == nullptr) {
    raise_null();
    return -1;
  }
  PyTypeObject* type = Py_TYPE(object);
  if (type->tp_as_mapping != nullptr && type->tp_as_mapping->mp_length != nullptr) {
    return type->tp_as_mapping->mp_length(object);
  }
  if (type->tp_as_sequence != nullptr && type->tp_as_sequence->sq_length != nullptr) {
    return fail("%.200s is not a mapping", type->tp_name);
  }
  return fail("object of type '%.200s' has no len()", type->tp_name);
}

#undef PyMapping_Length
PyAPI_FUNC(Py_ssize_t) PyMapping_Length(PyObject* object);
Py_ssize_t PyMapping_Length(PyObject* object) { return PyMapping_Size(object); }

PyObject* PyMapping_GetItemString(PyObject* object, const char* key) {
  if (key == nullptr) return raise_null();
  auto text = Ref<>::steal(PyUnicode_FromString(key));
  return text ? PyObject_GetItem(object, text.get()) : nullptr;
}

int PyMapping_SetItemString(PyObject* object, const char* key, PyObject* value) {
  if (key == nullptr) {
    raise_null();
    return -1;
  }
  auto text = Ref<>::steal(PyUnicode_FromString(key));
  return text ? PyObject_SetItem(object, text.get(), value) : -1;
}

int PyMapping_HasKeyString(PyObject* object, const char* key) {
  auto value = Ref<>::steal(PyMapping_GetItemString(object, key));
  if (!value) PyErr_Clear();
  return static_cast<bool>(value);
}

int PyMapping_HasKey(PyObject* object, PyObject* key) {
  auto value = Ref<>::steal(PyObject_GetItem(object, key));
  if (!value) PyErr_Clear();
  return static_cast<bool>(value);
}

PyObject* PyMapping_Keys(PyObject* object) {
  if (object == nullptr) return raise_null();
  return PyDict_CheckExact(object) ? PyDict_Keys(object) : view_as_list(object, &_Py_ID(keys));
}
PyObject* PyMapping_Values(PyObject* object) {
  if (object == nullptr) return raise_null();
  return PyDict_CheckExact(object) ? PyDict_Values(object) : view_as_list(object, &_Py_ID(values));
}
PyObject* PyMapping_Items(PyObject* object) {
  if (object == nullptr) return raise_null();
  return PyDict_CheckExact(object) ? PyDict_Items(object) : view_as_list(object, &_Py_ID(items));
}

// ---------------------------------------------------------------------------------------------------------------
// Special method lookup

PyObject* _PyObject_LookupSpecial(PyObject* self, PyObject* name) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject* method = _PyType_Lookup(type, name);
  if (method == nullptr) return nullptr;
  descrgetfunc get = Py_TYPE(method)->tp_descr_get;
  return get == nullptr ? Py_NewRef(method) : get(method, self, as_object(type));
}

PyObject* _PyObject_LookupSpecialId(PyObject* self, _Py_Identifier* name) {
  PyObject* text = _PyUnicode_FromId(name);
  return text == nullptr ? nullptr : _PyObject_LookupSpecial(self, text);
}

}  // extern "C"
