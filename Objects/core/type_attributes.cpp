// Attributes of classes: reading and writing them, the computed ones (`__name__`, `__module__`, `__bases__`, …), and the
// changes of a class after its creation (`__bases__`, and `__class__` of instances).
#include "Objects/core/slot_functions.h"

#include "pycore_dict.h"
#include "pycore_moduleobject.h"
#include "pycore_pyerrors.h"

namespace pyston {

// ---------------------------------------------------------------------------------------------------------------
// Lookup and assignment

PyObject* type_lookup_attribute(PyTypeObject* type, PyObject* name, bool suppress) {
  if (UNLIKELY(!PyUnicode_Check(name))) {
    PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
    return nullptr;
  }
  if (UNLIKELY(!_PyType_IsReady(type)) && PyType_Ready(type) < 0) return nullptr;
  PyTypeObject* metatype = Py_TYPE(type);
  auto finish = [suppress](PyObject* result) {
    if (UNLIKELY(result == nullptr) && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
    return result;
  };

  PyObject* meta_attribute = _PyType_Lookup(metatype, name);
  descrgetfunc meta_get = nullptr;
  if (meta_attribute != nullptr) {
    Py_INCREF(meta_attribute);
    meta_get = Py_TYPE(meta_attribute)->tp_descr_get;
    if (meta_get != nullptr && PyDescr_IsData(meta_attribute)) {
      PyObject* result = meta_get(meta_attribute, as_object(type), as_object(metatype));
      Py_DECREF(meta_attribute);
      return finish(result);
    }
  }
  PyObject* attribute = _PyType_Lookup(type, name);
  if (attribute != nullptr) {
    Py_INCREF(attribute);
    Py_XDECREF(meta_attribute);
    descrgetfunc get = Py_TYPE(attribute)->tp_descr_get;
    if (get == nullptr) return attribute;
    PyObject* result = get(attribute, nullptr, as_object(type));
    Py_DECREF(attribute);
    return finish(result);
  }
  if (meta_get != nullptr) {
    PyObject* result = meta_get(meta_attribute, as_object(type), as_object(metatype));
    Py_DECREF(meta_attribute);
    return finish(result);
  }
  if (meta_attribute != nullptr) return meta_attribute;
  if (!suppress) {
    PyErr_Format(PyExc_AttributeError, "type object '%.50s' has no attribute '%U'", type->tp_name, name);
  }
  return nullptr;
}

PyObject* type_getattro(PyObject* type, PyObject* name) {
  return type_lookup_attribute(reinterpret_cast<PyTypeObject*>(type), name, false);
}

int type_setattro(PyObject* self, PyObject* name, PyObject* value) {
  auto* type = reinterpret_cast<PyTypeObject*>(self);
  if (has_feature(type, Py_TPFLAGS_IMMUTABLETYPE)) {
    PyErr_Format(PyExc_TypeError, "cannot set %R attribute of immutable type '%s'", name, type->tp_name);
    return -1;
  }
  if (!PyUnicode_Check(name)) {
    PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
    return -1;
  }
  if (PyUnicode_CheckExact(name)) {
    Py_INCREF(name);
  } else {
    name = _PyUnicode_Copy(name);
    if (name == nullptr) return -1;
  }
  PyUnicode_InternInPlace(&name);
  // Before the store, because the cache borrows the old value, whose finaliser may look things up; and after it, because
  // such a lookup can have given the type a new version.
  PyType_Modified(type);
  int status = _PyObject_GenericSetAttrWithDict(self, name, value, nullptr);
  if (status == 0) {
    PyType_Modified(type);
    if (is_dunder_name(name)) status = rederive_slots_for_name(type, name);
  }
  Py_DECREF(name);
  return status;
}

namespace {

PyTypeObject* as_type(PyObject* object) { return reinterpret_cast<PyTypeObject*>(object); }
PyHeapTypeObject* as_heap_type(PyObject* object) { return reinterpret_cast<PyHeapTypeObject*>(object); }

bool may_set_special(PyTypeObject* type, PyObject* value, const char* name) {
  if (has_feature(type, Py_TPFLAGS_IMMUTABLETYPE)) {
    PyErr_Format(PyExc_TypeError, "cannot set '%s' attribute of immutable type '%s'", name, type->tp_name);
    return false;
  }
  if (value == nullptr) {
    PyErr_Format(PyExc_TypeError, "cannot delete '%s' attribute of immutable type '%s'", name, type->tp_name);
    return false;
  }
  return PySys_Audit("object.__setattr__", "OsO", type, name, value) == 0;
}

// `__name__`, `__qualname__`, `__module__`

PyObject* get_name(PyObject* self, void*) {
  PyTypeObject* type = as_type(self);
  if (has_feature(type, Py_TPFLAGS_HEAPTYPE)) return Py_NewRef(as_heap_type(self)->ht_name);
  return PyUnicode_FromString(short_type_name(type));
}

int set_name(PyObject* self, PyObject* value, void*) {
  PyTypeObject* type = as_type(self);
  if (!may_set_special(type, value, "__name__")) return -1;
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "can only assign string to %s.__name__, not '%s'", type->tp_name,
                 Py_TYPE(value)->tp_name);
    return -1;
  }
  Py_ssize_t length;
  const char* text = PyUnicode_AsUTF8AndSize(value, &length);
  if (text == nullptr) return -1;
  if (strlen(text) != static_cast<size_t>(length)) {
    PyErr_SetString(PyExc_ValueError, "type name must not contain null characters");
    return -1;
  }
  type->tp_name = text;
  Py_INCREF(value);
  Py_SETREF(as_heap_type(self)->ht_name, value);
  return 0;
}

PyObject* get_qualified_name(PyObject* self, void*) {
  if (has_feature(as_type(self), Py_TPFLAGS_HEAPTYPE)) return Py_NewRef(as_heap_type(self)->ht_qualname);
  return get_name(self, nullptr);
}

int set_qualified_name(PyObject* self, PyObject* value, void*) {
  PyTypeObject* type = as_type(self);
  if (!may_set_special(type, value, "__qualname__")) return -1;
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "can only assign string to %s.__qualname__, not '%s'", type->tp_name,
                 Py_TYPE(value)->tp_name);
    return -1;
  }
  Py_INCREF(value);
  Py_SETREF(as_heap_type(self)->ht_qualname, value);
  return 0;
}

PyObject* get_module(PyObject* self, void*) {
  PyTypeObject* type = as_type(self);
  if (has_feature(type, Py_TPFLAGS_HEAPTYPE)) {
    PyObject* module = PyDict_GetItemWithError(type->tp_dict, &_Py_ID(__module__));
    if (module == nullptr && !PyErr_Occurred()) PyErr_Format(PyExc_AttributeError, "__module__");
    return Py_XNewRef(module);
  }
  const char* dot = strrchr(type->tp_name, '.');
  if (dot == nullptr) return Py_NewRef(&_Py_ID(builtins));
  PyObject* module = PyUnicode_FromStringAndSize(type->tp_name, dot - type->tp_name);
  if (module != nullptr) PyUnicode_InternInPlace(&module);
  return module;
}

int set_module(PyObject* self, PyObject* value, void*) {
  PyTypeObject* type = as_type(self);
  if (!may_set_special(type, value, "__module__")) return -1;
  PyType_Modified(type);
  return PyDict_SetItem(type->tp_dict, &_Py_ID(__module__), value);
}

// `__abstractmethods__`, `__dict__`, `__doc__`, `__text_signature__`, `__annotations__`

PyObject* get_abstract_methods(PyObject* self, void*) {
  PyTypeObject* type = as_type(self);
  PyObject* methods = nullptr;
  // type's own dict holds this very descriptor under the name.
  if (type != &PyType_Type) methods = PyDict_GetItemWithError(type->tp_dict, &_Py_ID(__abstractmethods__));
  if (methods == nullptr && !PyErr_Occurred()) PyErr_SetObject(PyExc_AttributeError, &_Py_ID(__abstractmethods__));
  return Py_XNewRef(methods);
}

int set_abstract_methods(PyObject* self, PyObject* value, void*) {
  PyTypeObject* type = as_type(self);
  int abstract = 0;
  int status;
  if (value != nullptr) {
    abstract = PyObject_IsTrue(value);
    if (abstract < 0) return -1;
    status = PyDict_SetItem(type->tp_dict, &_Py_ID(__abstractmethods__), value);
  } else {
    status = PyDict_DelItem(type->tp_dict, &_Py_ID(__abstractmethods__));
    if (status < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
      PyErr_SetObject(PyExc_AttributeError, &_Py_ID(__abstractmethods__));
    }
  }
  if (status < 0) return -1;
  PyType_Modified(type);
  if (abstract) {
    type->tp_flags |= Py_TPFLAGS_IS_ABSTRACT;
  } else {
    type->tp_flags &= ~Py_TPFLAGS_IS_ABSTRACT;
  }
  return 0;
}

PyObject* get_dict(PyObject* self, void*) {
  PyObject* dict = as_type(self)->tp_dict;
  return dict == nullptr ? Ref<>::none().release() : PyDictProxy_New(dict);
}

PyObject* get_doc(PyObject* self, void*) {
  PyTypeObject* type = as_type(self);
  if (!has_feature(type, Py_TPFLAGS_HEAPTYPE) && type->tp_doc != nullptr) {
    return _PyType_GetDocFromInternalDoc(type->tp_name, type->tp_doc);
  }
  PyObject* doc = PyDict_GetItemWithError(type->tp_dict, &_Py_ID(__doc__));
  if (doc == nullptr) return PyErr_Occurred() ? nullptr : Ref<>::none().release();
  if (Py_TYPE(doc)->tp_descr_get != nullptr) return Py_TYPE(doc)->tp_descr_get(doc, nullptr, self);
  return Py_NewRef(doc);
}

int set_doc(PyObject* self, PyObject* value, void*) {
  if (!may_set_special(as_type(self), value, "__doc__")) return -1;
  PyType_Modified(as_type(self));
  return PyDict_SetItem(as_type(self)->tp_dict, &_Py_ID(__doc__), value);
}

PyObject* get_text_signature(PyObject* self, void*) {
  return _PyType_GetTextSignatureFromInternalDoc(as_type(self)->tp_name, as_type(self)->tp_doc);
}

PyObject* get_annotations(PyObject* self, void*) {
  PyTypeObject* type = as_type(self);
  if (!has_feature(type, Py_TPFLAGS_HEAPTYPE)) {
    PyErr_Format(PyExc_AttributeError, "type object '%s' has no attribute '__annotations__'", type->tp_name);
    return nullptr;
  }
  PyObject* annotations = PyDict_GetItemWithError(type->tp_dict, &_Py_ID(__annotations__));
  if (annotations != nullptr) {
    descrgetfunc get = Py_TYPE(annotations)->tp_descr_get;
    return get != nullptr ? get(annotations, nullptr, self) : Py_NewRef(annotations);
  }
  if (PyErr_Occurred()) return nullptr;
  auto created = Ref<>::steal(PyDict_New());
  if (!created || PyDict_SetItem(type->tp_dict, &_Py_ID(__annotations__), created.get()) < 0) return nullptr;
  PyType_Modified(type);
  return created.release();
}

int set_annotations(PyObject* self, PyObject* value, void*) {
  PyTypeObject* type = as_type(self);
  if (has_feature(type, Py_TPFLAGS_IMMUTABLETYPE)) {
    PyErr_Format(PyExc_TypeError, "cannot set '__annotations__' attribute of immutable type '%s'", type->tp_name);
    return -1;
  }
  int status;
  if (value != nullptr) {
    status = PyDict_SetItem(type->tp_dict, &_Py_ID(__annotations__), value);
  } else {
    int present = PyDict_Contains(type->tp_dict, &_Py_ID(__annotations__));
    if (present < 0) return -1;
    if (!present) {
      PyErr_Format(PyExc_AttributeError, "__annotations__");
      return -1;
    }
    status = PyDict_DelItem(type->tp_dict, &_Py_ID(__annotations__));
  }
  if (status == 0) PyType_Modified(type);
  return status;
}

// ---------------------------------------------------------------------------------------------------------------
// Layout compatibility, for `__class__` and `__bases__`

/// Whether `child` adds nothing to its base's layout.
bool same_layout_as_base(PyTypeObject* child) {
  PyTypeObject* base = child->tp_base;
  return base != nullptr && child->tp_basicsize == base->tp_basicsize && child->tp_itemsize == base->tp_itemsize &&
         child->tp_dictoffset == base->tp_dictoffset && child->tp_weaklistoffset == base->tp_weaklistoffset &&
         has_feature(child, Py_TPFLAGS_HAVE_GC) == has_feature(base, Py_TPFLAGS_HAVE_GC) &&
         (child->tp_clear == subtype_clear || child->tp_clear == base->tp_clear);
}

/// Whether two classes with one base add the same dict, weak list and slots to it.
bool same_fields_added(PyTypeObject* left, PyTypeObject* right) {
  Py_ssize_t size = left->tp_base->tp_basicsize;
  constexpr Py_ssize_t kPointer = sizeof(PyObject*);
  if (left->tp_dictoffset == size && right->tp_dictoffset == size) size += kPointer;
  if (!has_feature(left, Py_TPFLAGS_HEAPTYPE) || !has_feature(right, Py_TPFLAGS_HEAPTYPE)) {
    return size == left->tp_basicsize && size == right->tp_basicsize;
  }
  PyObject* left_slots = reinterpret_cast<PyHeapTypeObject*>(left)->ht_slots;
  PyObject* right_slots = reinterpret_cast<PyHeapTypeObject*>(right)->ht_slots;
  if (left_slots != nullptr && right_slots != nullptr) {
    if (PyObject_RichCompareBool(left_slots, right_slots, Py_EQ) != 1) {
      PyErr_Clear();
      return false;
    }
    size += kPointer * PyTuple_GET_SIZE(left_slots);
  }
  if (left->tp_weaklistoffset == size && right->tp_weaklistoffset == size) size += kPointer;
  return size == left->tp_basicsize && size == right->tp_basicsize;
}

bool is_in_tp_base_chain(PyTypeObject* type, PyTypeObject* ancestor) {
  for (; type != nullptr; type = type->tp_base) {
    if (type == ancestor) return true;
  }
  return false;
}

/// Recomputes the MROs of `type` and all its subclasses; appends (class, new, old) to `done` for undoing.
int recompute_mros(PyTypeObject* type, void* done) {
  PyObject* old_mro = nullptr;
  int status = install_mro(type, &old_mro);
  if (status <= 0) return status;
  auto old_owner = Ref<>::steal(old_mro);
  auto record = Ref<>::steal(old_mro != nullptr ? PyTuple_Pack(3, type, type->tp_mro, old_mro)
                                                : PyTuple_Pack(2, type, type->tp_mro));
  if (!record || PyList_Append(static_cast<PyObject*>(done), record.get()) < 0) return -1;
  return for_each_subclass(type, recompute_mros, done);
}

bool check_new_bases(PyTypeObject* type, PyObject* bases) {
  if (!PyTuple_Check(bases)) {
    PyErr_Format(PyExc_TypeError, "can only assign tuple to %s.__bases__, not %s", type->tp_name,
                 Py_TYPE(bases)->tp_name);
    return false;
  }
  if (PyTuple_GET_SIZE(bases) == 0) {
    PyErr_Format(PyExc_TypeError, "can only assign non-empty tuple to %s.__bases__, not ()", type->tp_name);
    return false;
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
    PyObject* item = PyTuple_GET_ITEM(bases, i);
    if (!PyType_Check(item)) {
      PyErr_Format(PyExc_TypeError, "%s.__bases__ must be tuple of classes, not '%s'", type->tp_name,
                   Py_TYPE(item)->tp_name);
      return false;
    }
    // The chain is looked at too: while a custom mro() runs, tp_mro says nothing reliable.
    if (PyType_IsSubtype(as_type(item), type) ||
        (as_type(item)->tp_mro != nullptr && is_in_tp_base_chain(as_type(item), type))) {
      PyErr_SetString(PyExc_TypeError, "a __bases__ item causes an inheritance cycle");
      return false;
    }
  }
  return true;
}

PyObject* get_bases(PyObject* self, void*) { return Py_NewRef(as_type(self)->tp_bases); }

}  // namespace

bool compatible_for_assignment(PyTypeObject* old_type, PyTypeObject* new_type, const char* attribute) {
  if (new_type->tp_free != old_type->tp_free) {
    PyErr_Format(PyExc_TypeError, "%s assignment: '%s' deallocator differs from '%s'", attribute, new_type->tp_name,
                 old_type->tp_name);
    return false;
  }
  PyTypeObject* new_base = new_type;
  PyTypeObject* old_base = old_type;
  while (same_layout_as_base(new_base)) new_base = new_base->tp_base;
  while (same_layout_as_base(old_base)) old_base = old_base->tp_base;
  bool same = new_base == old_base || (new_base->tp_base == old_base->tp_base && new_base->tp_base != nullptr &&
                                       same_fields_added(new_base, old_base));
  if (same && has_feature(old_type, Py_TPFLAGS_MANAGED_DICT) == has_feature(new_type, Py_TPFLAGS_MANAGED_DICT)) {
    return true;
  }
  PyErr_Format(PyExc_TypeError, "%s assignment: '%s' object layout differs from '%s'", attribute, new_type->tp_name,
               old_type->tp_name);
  return false;
}

int type_set_bases(PyObject* self, PyObject* bases, void*) {
  PyTypeObject* type = as_type(self);
  if (!may_set_special(type, bases, "__bases__") || !check_new_bases(type, bases)) return -1;
  PyTypeObject* base = best_base(bases);
  if (base == nullptr || !compatible_for_assignment(type->tp_base, base, "__bases__")) return -1;

  PyObject* old_bases = type->tp_bases;
  PyTypeObject* old_base = type->tp_base;
  type->tp_bases = Py_NewRef(bases);
  type->tp_base = as_type(Py_NewRef(as_object(base)));
  auto done = Ref<>::steal(PyList_New(0));
  int status = done ? recompute_mros(type, done.get()) : -1;
  if (status < 0) {
    for (Py_ssize_t i = 0; done && i < PyList_GET_SIZE(done.get()); i++) {
      PyObject* record = PyList_GET_ITEM(done.get(), i);
      PyTypeObject* changed = as_type(PyTuple_GET_ITEM(record, 0));
      // Only where nobody has installed another one since.
      if (changed->tp_mro != PyTuple_GET_ITEM(record, 1)) continue;
      PyObject* restored = PyTuple_GET_SIZE(record) == 3 ? Py_NewRef(PyTuple_GET_ITEM(record, 2)) : nullptr;
      Py_XSETREF(changed->tp_mro, restored);
      PyType_Modified(changed);
    }
    if (type->tp_bases == bases) {
      type->tp_bases = old_bases;
      type->tp_base = old_base;
      Py_DECREF(bases);
      Py_DECREF(base);
    } else {
      Py_DECREF(old_bases);
      Py_DECREF(old_base);
    }
    return -1;
  }
  // A mro() may have assigned `__bases__` again; then that assignment has done the rest already.
  if (type->tp_bases == bases) {
    remove_from_bases(type, old_bases);
    status = add_to_bases(type, bases);
    if (rederive_all_slots(type) < 0) status = -1;
  } else {
    status = 0;
  }
  Py_DECREF(old_bases);
  Py_DECREF(old_base);
  return status;
}

int object_set_class(PyObject* self, PyObject* value, void*) {
  if (value == nullptr) {
    PyErr_SetString(PyExc_TypeError, "can't delete __class__ attribute");
    return -1;
  }
  if (!PyType_Check(value)) {
    PyErr_Format(PyExc_TypeError, "__class__ must be set to a class, not '%s' object", Py_TYPE(value)->tp_name);
    return -1;
  }
  PyTypeObject* new_type = as_type(value);
  if (PySys_Audit("object.__setattr__", "OsO", self, "__class__", value) < 0) return -1;
  PyTypeObject* old_type = Py_TYPE(self);
  // Objects of immutable types may be shared or compiled in; modules are the exception that lazy imports rely on.
  bool both_modules = PyType_IsSubtype(new_type, &PyModule_Type) && PyType_IsSubtype(old_type, &PyModule_Type);
  if (!both_modules &&
      (has_feature(new_type, Py_TPFLAGS_IMMUTABLETYPE) || has_feature(old_type, Py_TPFLAGS_IMMUTABLETYPE))) {
    PyErr_Format(PyExc_TypeError, "__class__ assignment only supported for mutable types or ModuleType subclasses");
    return -1;
  }
  if (!compatible_for_assignment(old_type, new_type, "__class__")) return -1;
  // The shared keys belong to the old class, so the inline values become an ordinary dict.
  if (has_feature(old_type, Py_TPFLAGS_MANAGED_DICT) && *_PyObject_ValuesPointer(self) != nullptr &&
      _PyObject_GetDictPtr(self) == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  if (new_type->tp_descr_get != old_type->tp_descr_get || new_type->tp_descr_set != old_type->tp_descr_set) {
    forget_all_versions();
  }
  if (has_feature(new_type, Py_TPFLAGS_HEAPTYPE)) Py_INCREF(new_type);
  Py_SET_TYPE(self, new_type);
  if (has_feature(old_type, Py_TPFLAGS_HEAPTYPE)) Py_DECREF(old_type);
  return 0;
}

PyMemberDef type_members[] = {
    {"__basicsize__", T_PYSSIZET, offsetof(PyTypeObject, tp_basicsize), READONLY, nullptr},
    {"__itemsize__", T_PYSSIZET, offsetof(PyTypeObject, tp_itemsize), READONLY, nullptr},
    {"__flags__", T_ULONG, offsetof(PyTypeObject, tp_flags), READONLY, nullptr},
    {"__weakrefoffset__", T_PYSSIZET, offsetof(PyTypeObject, tp_weaklistoffset), READONLY, nullptr},
    {"__base__", T_OBJECT, offsetof(PyTypeObject, tp_base), READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(PyTypeObject, tp_dictoffset), READONLY, nullptr},
    {"__mro__", T_OBJECT, offsetof(PyTypeObject, tp_mro), READONLY, nullptr},
    {}};

PyGetSetDef type_getset[] = {
    {"__name__", get_name, set_name, nullptr, nullptr},
    {"__qualname__", get_qualified_name, set_qualified_name, nullptr, nullptr},
    {"__bases__", get_bases, type_set_bases, nullptr, nullptr},
    {"__module__", get_module, set_module, nullptr, nullptr},
    {"__abstractmethods__", get_abstract_methods, set_abstract_methods, nullptr, nullptr},
    {"__dict__", get_dict, nullptr, nullptr, nullptr},
    {"__doc__", get_doc, set_doc, nullptr, nullptr},
    {"__text_signature__", get_text_signature, nullptr, nullptr, nullptr},
    {"__annotations__", get_annotations, set_annotations, nullptr, nullptr},
    {}};

}  // namespace pyston

using namespace pyston;

extern "C" {

const char* _PyType_Name(PyTypeObject* type) { return short_type_name(type); }
PyObject* PyType_GetName(PyTypeObject* type) { return get_name(as_object(type), nullptr); }
PyObject* PyType_GetQualName(PyTypeObject* type) { return get_qualified_name(as_object(type), nullptr); }
unsigned long PyType_GetFlags(PyTypeObject* type) { return type->tp_flags; }
int PyType_SUPPORTS_WEAKREFS(PyTypeObject* type) { return _PyType_SUPPORTS_WEAKREFS(type); }
PyObject** PyObject_GET_WEAKREFS_LISTPTR(PyObject* object) { return _PyObject_GET_WEAKREFS_LISTPTR(object); }

// ---------------------------------------------------------------------------------------------------------------
// "name(signature)\n--\n\ndoc": the text signature inside a C docstring

static const char* after_signature_name(const char* name, const char* doc) {
  const char* dot = strrchr(name, '.');
  if (dot != nullptr) name = dot + 1;
  size_t length = strlen(name);
  return doc != nullptr && strncmp(doc, name, length) == 0 && doc[length] == '(' ? doc + length : nullptr;
}

/// Behind the marker that ends a signature; null when there is none before the first blank line.
static const char* after_signature_marker(const char* text) {
  constexpr const char* kMarker = ")\n--\n\n";
  for (; *text != '\0'; text++) {
    if (*text == *kMarker && strncmp(text, kMarker, 6) == 0) return text + 6;
    if (*text == '\n' && text[1] == '\n') return nullptr;
  }
  return nullptr;
}

PyObject* _PyType_GetDocFromInternalDoc(const char* name, const char* internal_doc) {
  const char* text = internal_doc;
  if (const char* signature = after_signature_name(name, internal_doc)) {
    if (const char* end = after_signature_marker(signature)) text = end;
  }
  if (text == nullptr || *text == '\0') return Ref<>::none().release();
  return PyUnicode_FromString(text);
}

PyObject* _PyType_GetTextSignatureFromInternalDoc(const char* name, const char* internal_doc) {
  const char* start = after_signature_name(name, internal_doc);
  const char* end = start == nullptr ? nullptr : after_signature_marker(start);
  if (end == nullptr) return Ref<>::none().release();
  return PyUnicode_FromStringAndSize(start, end - 5 - start);
}

}  // extern "C"
