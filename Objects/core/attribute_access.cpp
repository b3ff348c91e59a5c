// Reading and writing attributes of ordinary objects.
//
// The order of a read is: data descriptor of the type, instance storage (inline values or dict), other descriptor of
// the type, plain class attribute. Every entry point here follows it through one function, `read_attribute`, so that
// the variants (raise, suppress, unbound method) can't drift apart.
#include "Objects/core/type.h"

#include "pycore_ceval.h"
#include "pycore_dict.h"
#include "pycore_moduleobject.h"
#include "pycore_pyerrors.h"

using namespace pyston;

namespace {

COLD void raise_name_not_string(PyObject* name) {
  PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
}

COLD void raise_no_attribute(PyObject* object, PyObject* name) {
  PyErr_Format(PyExc_AttributeError, "'%.50s' object has no attribute '%U'", Py_TYPE(object)->tp_name, name);
  add_attribute_error_context(object, name);
}

/// Instance storage. New reference or null; *failure is set to true when an exception is set.
ALWAYS_INLINE PyObject* instance_lookup(PyObject* object, PyTypeObject* type, PyObject* name, bool* failure) {
  PyObject* dict;
  if (has_feature(type, Py_TPFLAGS_MANAGED_DICT)) {
    PyDictValues* values = *_PyObject_ValuesPointer(object);
    if (LIKELY(values != nullptr)) {
      return _PyObject_GetInstanceAttribute(object, values, name);
    }
    dict = *_PyObject_ManagedDictPointer(object);
  } else if (type->tp_dictoffset == 0) {
    return nullptr;
  } else {
    PyObject** dict_pointer = type->tp_dictoffset > 0
                                  ? reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + type->tp_dictoffset)
                                  : _PyObject_DictPointer(object);
    if (dict_pointer == nullptr) return nullptr;
    dict = *dict_pointer;
  }
  if (dict == nullptr) return nullptr;
  Py_INCREF(dict);  // a key's __eq__ could replace the instance's dict
  PyObject* value = PyDict_GetItemWithError(dict, name);
  if (value != nullptr) {
    Py_INCREF(value);
  } else if (UNLIKELY(PyErr_Occurred())) {
    *failure = true;
  }
  Py_DECREF(dict);
  return value;
}

COLD PyObject* dict_lookup(PyObject* dict, PyObject* name, bool* failure) {
  Py_INCREF(dict);
  PyObject* value = Py_XNewRef(PyDict_GetItemWithError(dict, name));
  if (value == nullptr && PyErr_Occurred()) *failure = true;
  Py_DECREF(dict);
  return value;
}

PyObject* read_attribute(PyObject* object, PyObject* name, PyObject* dict, bool suppress) {
  PyTypeObject* type = Py_TYPE(object);
  if (UNLIKELY(!PyUnicode_Check(name))) {
    raise_name_not_string(name);
    return nullptr;
  }
  if (UNLIKELY(!_PyType_IsReady(type)) && PyType_Ready(type) < 0) return nullptr;

  PyObject* descriptor = _PyType_Lookup(type, name);
  descrgetfunc get = nullptr;
  if (descriptor != nullptr) {
    Py_INCREF(descriptor);
    PyTypeObject* descriptor_type = Py_TYPE(descriptor);
    get = descriptor_type->tp_descr_get;
    if (get != nullptr && descriptor_type->tp_descr_set != nullptr) {
      PyObject* result = get(descriptor, object, as_object(type));
      Py_DECREF(descriptor);
      if (UNLIKELY(result == nullptr) && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
      return result;
    }
  }

  bool failure = false;
  PyObject* value =
      LIKELY(dict == nullptr) ? instance_lookup(object, type, name, &failure) : dict_lookup(dict, name, &failure);
  if (value != nullptr || UNLIKELY(failure)) {
    Py_XDECREF(descriptor);
    if (value == nullptr && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
    return value;
  }

  if (get != nullptr) {
    PyObject* result = get(descriptor, object, as_object(type));
    Py_DECREF(descriptor);
    if (UNLIKELY(result == nullptr) && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
    return result;
  }
  if (descriptor != nullptr) return descriptor;
  if (!suppress) raise_no_attribute(object, name);
  return nullptr;
}

COLD int raise_cannot_set(PyObject* object, PyObject* name, PyObject* descriptor) {
  if (descriptor == nullptr) {
    PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", Py_TYPE(object)->tp_name, name);
  } else {
    PyErr_Format(PyExc_AttributeError, "'%.50s' object attribute '%U' is read-only", Py_TYPE(object)->tp_name, name);
  }
  return -1;
}

/// Deleting a missing key of the instance dict is an AttributeError to the outside.
COLD void translate_key_error(PyObject* object, PyObject* name) {
  if (!PyErr_ExceptionMatches(PyExc_KeyError)) return;
  PyTypeObject* type = Py_TYPE(object);
  if (PyType_IsSubtype(type, &PyType_Type)) {
    PyErr_Format(PyExc_AttributeError, "type object '%.50s' has no attribute '%U'",
                 reinterpret_cast<PyTypeObject*>(object)->tp_name, name);
  } else {
    PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", type->tp_name, name);
  }
}

}  // namespace

namespace pyston {

void add_attribute_error_context(PyObject* object, PyObject* name) {
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (PyErr_GivenExceptionMatches(value, PyExc_AttributeError)) {
    auto* error = reinterpret_cast<PyAttributeErrorObject*>(value);
    if (error->name == nullptr && error->obj == nullptr) {
      error->name = Py_NewRef(name);
      error->obj = Py_NewRef(object);
    }
  }
  PyErr_Restore(type, value, traceback);
}

}  // namespace pyston

extern "C" {

// ---------------------------------------------------------------------------------------------------------------
// Where the instance dict is

PyObject** _PyObject_DictPointer(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  if (has_feature(type, Py_TPFLAGS_MANAGED_DICT)) return _PyObject_ManagedDictPointer(object);
  Py_ssize_t offset = type->tp_dictoffset;
  if (offset == 0) return nullptr;
  if (offset < 0) {
    // Counted from the end of a variable-sized object; negative ob_size is an int's sign.
    Py_ssize_t count = reinterpret_cast<PyVarObject*>(object)->ob_size;
    if (count < 0) count = -count;
    offset += static_cast<Py_ssize_t>(_PyObject_VAR_SIZE(type, count));
  }
  return reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + offset);
}

PyObject** _PyObject_GetDictPtr(PyObject* object) {
  if (!has_feature(Py_TYPE(object), Py_TPFLAGS_MANAGED_DICT)) return _PyObject_DictPointer(object);
  PyObject** dict_pointer = _PyObject_ManagedDictPointer(object);
  PyDictValues** values_pointer = _PyObject_ValuesPointer(object);
  if (*values_pointer == nullptr) return dict_pointer;
  // Callers want to see a dict, so the inline values become one.
  PyObject* dict = _PyObject_MakeDictFromInstanceAttributes(object, *values_pointer);
  if (dict == nullptr) {
    PyErr_Clear();
    return nullptr;
  }
  *values_pointer = nullptr;
  *dict_pointer = dict;
  return dict_pointer;
}

// ---------------------------------------------------------------------------------------------------------------
// The generic implementations

PyObject* PyObject_GenericGetAttr(PyObject* object, PyObject* name) {
  return read_attribute(object, name, nullptr, false);
}

PyObject* _PyObject_GenericGetAttrWithDict(PyObject* object, PyObject* name, PyObject* dict, int suppress) {
  return read_attribute(object, name, dict, suppress != 0);
}

int _PyObject_GenericSetAttrWithDict(PyObject* object, PyObject* name, PyObject* value, PyObject* dict) {
  PyTypeObject* type = Py_TYPE(object);
  if (UNLIKELY(!PyUnicode_Check(name))) {
    raise_name_not_string(name);
    return -1;
  }
  if (UNLIKELY(!_PyType_IsReady(type)) && PyType_Ready(type) < 0) return -1;
  Py_INCREF(name);
  Py_INCREF(type);  // a setter may change the object's class and drop the last reference to the old one

  int status;
  PyObject* descriptor = _PyType_Lookup(type, name);
  if (descriptor != nullptr && Py_TYPE(descriptor)->tp_descr_set != nullptr) {
    Py_INCREF(descriptor);
    status = Py_TYPE(descriptor)->tp_descr_set(descriptor, object, value);
    Py_DECREF(descriptor);
    Py_DECREF(type);
    Py_DECREF(name);
    return status;
  }
  if (LIKELY(dict == nullptr)) {
    if (has_feature(type, Py_TPFLAGS_MANAGED_DICT) && *_PyObject_ValuesPointer(object) != nullptr) {
      status = _PyObject_StoreInstanceAttribute(object, *_PyObject_ValuesPointer(object), name, value);
    } else {
      PyObject** dict_pointer = _PyObject_DictPointer(object);
      if (dict_pointer == nullptr) {
        status = raise_cannot_set(object, name, descriptor);
        Py_DECREF(type);
        Py_DECREF(name);
        return status;
      }
      status = _PyObjectDict_SetItem(type, dict_pointer, name, value);
    }
  } else {
    Py_INCREF(dict);
    status = value == nullptr ? PyDict_DelItem(dict, name) : PyDict_SetItem(dict, name, value);
    Py_DECREF(dict);
  }
  if (UNLIKELY(status < 0)) translate_key_error(object, name);
  Py_DECREF(type);
  Py_DECREF(name);
  return status;
}

int PyObject_GenericSetAttr(PyObject* object, PyObject* name, PyObject* value) {
  return _PyObject_GenericSetAttrWithDict(object, name, value, nullptr);
}

int PyObject_GenericSetDict(PyObject* object, PyObject* value, void*) {
  PyObject** dict_pointer = _PyObject_GetDictPtr(object);
  if (dict_pointer == nullptr) {
    if (has_feature(Py_TYPE(object), Py_TPFLAGS_MANAGED_DICT) && *_PyObject_ValuesPointer(object) != nullptr) {
      PyErr_NoMemory();
    } else {
      PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
    }
    return -1;
  }
  if (value == nullptr) {
    PyErr_SetString(PyExc_TypeError, "cannot delete __dict__");
    return -1;
  }
  if (!PyDict_Check(value)) {
    PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'", Py_TYPE(value)->tp_name);
    return -1;
  }
  Py_INCREF(value);
  Py_XSETREF(*dict_pointer, value);
  return 0;
}

// ---------------------------------------------------------------------------------------------------------------
// Dispatching entry points

PyObject* PyObject_GetAttr(PyObject* object, PyObject* name) {
  PyTypeObject* type = Py_TYPE(object);
  if (UNLIKELY(!PyUnicode_Check(name))) {
    raise_name_not_string(name);
    return nullptr;
  }
  PyObject* result;
  if (LIKELY(type->tp_getattro != nullptr)) {
    result = type->tp_getattro(object, name);
  } else if (type->tp_getattr != nullptr) {
    const char* text = PyUnicode_AsUTF8(name);
    if (text == nullptr) return nullptr;
    result = type->tp_getattr(object, const_cast<char*>(text));
  } else {
    PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", type->tp_name, name);
    result = nullptr;
  }
  if (UNLIKELY(result == nullptr)) add_attribute_error_context(object, name);
  return result;
}

int _PyObject_LookupAttr(PyObject* object, PyObject* name, PyObject** result) {
  PyTypeObject* type = Py_TYPE(object);
  if (UNLIKELY(!PyUnicode_Check(name))) {
    raise_name_not_string(name);
    *result = nullptr;
    return -1;
  }
  // FAST: the three standard getters can miss without building an exception.
  getattrofunc getter = type->tp_getattro;
  if (getter == PyObject_GenericGetAttr) {
    *result = read_attribute(object, name, nullptr, true);
  } else if (getter == type_getattro) {
    *result = type_lookup_attribute(reinterpret_cast<PyTypeObject*>(object), name, true);
  } else if (getter == module_getattro) {
    *result = module_lookup_attribute(object, name, true);
  } else {
    if (getter != nullptr) {
      *result = getter(object, name);
    } else if (type->tp_getattr != nullptr) {
      const char* text = PyUnicode_AsUTF8(name);
      *result = text == nullptr ? nullptr : type->tp_getattr(object, const_cast<char*>(text));
    } else {
      *result = nullptr;
      return 0;
    }
    if (*result != nullptr) return 1;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
    PyErr_Clear();
    return 0;
  }
  if (*result != nullptr) return 1;
  return UNLIKELY(PyErr_Occurred() != nullptr) ? -1 : 0;
}

int PyObject_HasAttr(PyObject* object, PyObject* name) {
  PyObject* value;
  if (_PyObject_LookupAttr(object, name, &value) < 0) {
    PyErr_Clear();
    return 0;
  }
  if (value == nullptr) return 0;
  Py_DECREF(value);
  return 1;
}

int PyObject_SetAttr(PyObject* object, PyObject* name, PyObject* value) {
  PyTypeObject* type = Py_TYPE(object);
  if (UNLIKELY(!PyUnicode_Check(name))) {
    raise_name_not_string(name);
    return -1;
  }
  Py_INCREF(name);
  PyUnicode_InternInPlace(&name);
  int status;
  if (LIKELY(type->tp_setattro != nullptr)) {
    status = type->tp_setattro(object, name, value);
    Py_DECREF(name);
    return status;
  }
  if (type->tp_setattr != nullptr) {
    const char* text = PyUnicode_AsUTF8(name);
    status = text == nullptr ? -1 : type->tp_setattr(object, const_cast<char*>(text), value);
    Py_DECREF(name);
    return status;
  }
  bool readable = type->tp_getattr != nullptr || type->tp_getattro != nullptr;
  PyErr_Format(PyExc_TypeError,
               readable ? "'%.100s' object has only read-only attributes (%s .%U)"
                        : "'%.100s' object has no attributes (%s .%U)",
               type->tp_name, value == nullptr ? "del" : "assign to", name);
  Py_DECREF(name);
  return -1;
}

// A method found on the type is returned unbound (1), anything else as the attribute's value (0).
int _PyObject_GetMethod(PyObject* object, PyObject* name, PyObject** method) {
  PyTypeObject* type = Py_TYPE(object);
  if (UNLIKELY(!_PyType_IsReady(type)) && PyType_Ready(type) < 0) return 0;
  if (type->tp_getattro != PyObject_GenericGetAttr || UNLIKELY(!PyUnicode_Check(name))) {
    *method = PyObject_GetAttr(object, name);
    return 0;
  }
  PyObject* descriptor = _PyType_Lookup(type, name);
  descrgetfunc get = nullptr;
  bool is_method = false;
  if (descriptor != nullptr) {
    Py_INCREF(descriptor);
    PyTypeObject* descriptor_type = Py_TYPE(descriptor);
    if (has_feature(descriptor_type, Py_TPFLAGS_METHOD_DESCRIPTOR)) {
      is_method = true;
    } else {
      get = descriptor_type->tp_descr_get;
      if (get != nullptr && descriptor_type->tp_descr_set != nullptr) {
        *method = get(descriptor, object, as_object(type));
        Py_DECREF(descriptor);
        return 0;
      }
    }
  }
  bool failure = false;
  PyObject* value = instance_lookup(object, type, name, &failure);
  if (value != nullptr || UNLIKELY(failure)) {
    *method = value;
    Py_XDECREF(descriptor);
    return 0;
  }
  if (is_method) {
    *method = descriptor;
    return 1;
  }
  if (get != nullptr) {
    *method = get(descriptor, object, as_object(type));
    Py_DECREF(descriptor);
    return 0;
  }
  *method = descriptor;
  if (descriptor == nullptr) raise_no_attribute(object, name);
  return 0;
}

PyObject* PyObject_GetAttrString(PyObject* object, const char* name) {
  if (Py_TYPE(object)->tp_getattr != nullptr) {
    return Py_TYPE(object)->tp_getattr(object, const_cast<char*>(name));
  }
  auto text = Ref<>::steal(PyUnicode_FromString(name));
  return text ? PyObject_GetAttr(object, text.get()) : nullptr;
}

int PyObject_SetAttrString(PyObject* object, const char* name, PyObject* value) {
  if (Py_TYPE(object)->tp_setattr != nullptr) {
    return Py_TYPE(object)->tp_setattr(object, const_cast<char*>(name), value);
  }
  auto text = Ref<>::steal(PyUnicode_InternFromString(name));
  return text ? PyObject_SetAttr(object, text.get(), value) : -1;
}

int PyObject_HasAttrString(PyObject* object, const char* name) {
  auto value = Ref<>::steal(PyObject_GetAttrString(object, name));
  if (value) return 1;
  PyErr_Clear();
  return 0;
}

PyObject* _PyObject_GetAttrId(PyObject* object, _Py_Identifier* name) {
  PyObject* text = _PyUnicode_FromId(name);  // borrowed
  return text == nullptr ? nullptr : PyObject_GetAttr(object, text);
}

int _PyObject_SetAttrId(PyObject* object, _Py_Identifier* name, PyObject* value) {
  PyObject* text = _PyUnicode_FromId(name);
  return text == nullptr ? -1 : PyObject_SetAttr(object, text, value);
}

int _PyObject_LookupAttrId(PyObject* object, _Py_Identifier* name, PyObject** result) {
  PyObject* text = _PyUnicode_FromId(name);
  if (text == nullptr) {
    *result = nullptr;
    return -1;
  }
  return _PyObject_LookupAttr(object, text, result);
}

int _PyObject_IsAbstract(PyObject* object) {
  if (object == nullptr) return 0;
  PyObject* flag;
  if (_PyObject_LookupAttr(object, &_Py_ID(__isabstractmethod__), &flag) <= 0) return flag == nullptr && PyErr_Occurred() ? -1 : 0;
  int truth = PyObject_IsTrue(flag);
  Py_DECREF(flag);
  return truth;
}

}  // extern "C"
