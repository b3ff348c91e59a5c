// The creation of classes by `class` statements and type(name, bases, namespace).
//
// The layout of instances: the base's fields, then one pointer a slot, then the weak reference list. A dict is managed
// (two pointers before the GC header) unless the base has a variable size, where the pointer is put at the very end.
#include "Objects/core/slot_functions.h"

#include "pycore_call.h"
#include "pycore_compile.h"
#include "pycore_dict.h"
#include "pycore_frame.h"
#include "pycore_pyerrors.h"

namespace pyston {
namespace {

/// What has been decided so far about a class under construction.
struct NewClass {
  PyTypeObject* metatype;
  PyObject* name;
  PyObject* bases;      // owned
  PyTypeObject* base;   // borrowed, one of the bases
  Ref<> namespace_;     // the class's own dict
  Ref<> slots;          // tuple of mangled names, empty Ref without __slots__
  Py_ssize_t slot_count = 0;
  bool add_dict = false;
  bool add_weakref = false;
  bool may_add_dict = false;
  bool may_add_weakref = false;
};

Status check_slot_name(PyObject* item) {
  if (!PyUnicode_Check(item)) {
    return raise(PyExc_TypeError, "__slots__ items must be strings, not '%.200s'", Py_TYPE(item)->tp_name);
  }
  int valid = PyUnicode_IsIdentifier(item);
  if (valid < 0) return Status::kError;
  if (!valid) return raise(PyExc_TypeError, "__slots__ must be identifiers");
  return Status::kOk;
}

/// Turns __slots__ into a sorted tuple of mangled names, with __dict__ and __weakref__ taken out.
Status collect_slots(NewClass& cls, PyObject* declared) {
  auto items = Ref<>::steal(PyUnicode_Check(declared) ? PyTuple_Pack(1, declared) : PySequence_Tuple(declared));
  if (!items) return Status::kError;
  Py_ssize_t count = PyTuple_GET_SIZE(items.get());
  if (count > 0 && cls.base->tp_itemsize != 0) {
    return raise(PyExc_TypeError, "nonempty __slots__ not supported for subtype of '%s'", cls.base->tp_name);
  }
  auto names = Ref<>::steal(PyList_New(0));
  if (!names) return Status::kError;
  for (Py_ssize_t i = 0; i < count; i++) VM_CHECK(check_slot_name(PyTuple_GET_ITEM(items.get(), i)));
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* item = PyTuple_GET_ITEM(items.get(), i);
    if (_PyUnicode_Equal(item, &_Py_ID(__dict__))) {
      if (!cls.may_add_dict || cls.add_dict) {
        return raise(PyExc_TypeError, "__dict__ slot disallowed: we already got one");
      }
      cls.add_dict = true;
      continue;
    }
    if (_PyUnicode_Equal(item, &_Py_ID(__weakref__))) {
      if (!cls.may_add_weakref || cls.add_weakref) {
        return raise(PyExc_TypeError, "__weakref__ slot disallowed: either we already got one, or __itemsize__ != 0");
      }
      cls.add_weakref = true;
      continue;
    }
    auto mangled = VM_TRY(Ref<>::steal(_Py_Mangle(cls.name, item)));
    if (PyList_Append(names.get(), mangled.get()) < 0) return Status::kError;
    // The compiler itself puts these two into a namespace; a slot of that name replaces them.
    if (_PyUnicode_Equal(mangled.get(), &_Py_ID(__qualname__)) ||
        _PyUnicode_Equal(mangled.get(), &_Py_ID(__classcell__))) {
      continue;
    }
    int conflict = PyDict_Contains(cls.namespace_.get(), mangled.get());
    if (conflict < 0) return Status::kError;
    if (conflict) return raise(PyExc_ValueError, "%R in __slots__ conflicts with class variable", mangled.get());
  }
  if (PyList_Sort(names.get()) < 0) return Status::kError;
  cls.slots = VM_TRY(Ref<>::steal(PyList_AsTuple(names.get())));
  cls.slot_count = PyTuple_GET_SIZE(cls.slots.get());
  return Status::kOk;
}

Status decide_layout(NewClass& cls) {
  cls.may_add_dict = cls.base->tp_dictoffset == 0;
  cls.may_add_weakref = cls.base->tp_weaklistoffset == 0 && cls.base->tp_itemsize == 0;
  PyObject* declared = PyDict_GetItemWithError(cls.namespace_.get(), &_Py_ID(__slots__));
  if (declared == nullptr) {
    if (PyErr_Occurred()) return Status::kError;
    cls.add_dict = cls.may_add_dict;
    cls.add_weakref = cls.may_add_weakref;
    return Status::kOk;
  }
  auto keep_alive = Ref<>::dup(declared);
  VM_CHECK(collect_slots(cls, declared));
  // Secondary bases may bring a dict or weak references that the primary one lacks.
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(cls.bases); i++) {
    auto* other = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(cls.bases, i));
    if (other == cls.base || !PyType_Check(as_object(other))) continue;
    if (cls.may_add_dict && other->tp_dictoffset != 0) cls.add_dict = true;
    if (cls.may_add_weakref && other->tp_weaklistoffset != 0) cls.add_weakref = true;
  }
  return Status::kOk;
}

/// A fresh, zeroed heap type with its names, base and sub-tables; the metatype's basic size decides where members go.
Ref<PyHeapTypeObject> allocate_type(NewClass& cls) {
  PyObject* memory = cls.metatype->tp_alloc(cls.metatype, cls.slot_count);
  if (memory == nullptr) return nullptr;
  auto heap_type = Ref<PyHeapTypeObject>::steal(memory);
  PyTypeObject* type = &heap_type->ht_type;
  type->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
  type->tp_as_async = &heap_type->as_async;
  type->tp_as_number = &heap_type->as_number;
  type->tp_as_sequence = &heap_type->as_sequence;
  type->tp_as_mapping = &heap_type->as_mapping;
  type->tp_as_buffer = &heap_type->as_buffer;
  type->tp_bases = Py_NewRef(cls.bases);
  type->tp_base = reinterpret_cast<PyTypeObject*>(Py_NewRef(as_object(cls.base)));
  type->tp_dict = Py_NewRef(cls.namespace_.get());
  heap_type->ht_name = Py_NewRef(cls.name);
  heap_type->ht_slots = cls.slots.release();
  type->tp_dealloc = subtype_dealloc;
  type->tp_alloc = PyType_GenericAlloc;
  type->tp_free = PyObject_GC_Del;
  type->tp_traverse = subtype_traverse;
  type->tp_clear = subtype_clear;

  Py_ssize_t length;
  type->tp_name = PyUnicode_AsUTF8AndSize(cls.name, &length);
  if (type->tp_name == nullptr) return nullptr;
  if (strlen(type->tp_name) != static_cast<size_t>(length)) {
    return raise(PyExc_ValueError, "type name must not contain null characters");
  }
  return heap_type;
}

Status set_module_name(PyTypeObject* type) {
  int present = PyDict_Contains(type->tp_dict, &_Py_ID(__module__));
  if (present != 0) return present < 0 ? Status::kError : Status::kOk;
  PyObject* globals = PyEval_GetGlobals();
  if (globals == nullptr) return Status::kOk;
  PyObject* module = PyDict_GetItemWithError(globals, &_Py_ID(__name__));
  if (module == nullptr) return PyErr_Occurred() ? Status::kError : Status::kOk;
  return PyDict_SetItem(type->tp_dict, &_Py_ID(__module__), module) < 0 ? Status::kError : Status::kOk;
}

Status set_qualified_name(PyHeapTypeObject* heap_type) {
  PyObject* dict = heap_type->ht_type.tp_dict;
  PyObject* qualified = PyDict_GetItemWithError(dict, &_Py_ID(__qualname__));
  if (qualified == nullptr) {
    if (PyErr_Occurred()) return Status::kError;
    heap_type->ht_qualname = Py_NewRef(heap_type->ht_name);
    return Status::kOk;
  }
  if (!PyUnicode_Check(qualified)) {
    return raise(PyExc_TypeError, "type __qualname__ must be a str, not %s", Py_TYPE(qualified)->tp_name);
  }
  heap_type->ht_qualname = Py_NewRef(qualified);
  return PyDict_DelItem(dict, &_Py_ID(__qualname__)) < 0 ? Status::kError : Status::kOk;
}

/// tp_doc is a copy of `__doc__` that the type owns.
Status set_doc(PyTypeObject* type) {
  PyObject* doc = PyDict_GetItemWithError(type->tp_dict, &_Py_ID(__doc__));
  if (doc == nullptr) return PyErr_Occurred() ? Status::kError : Status::kOk;
  if (!PyUnicode_Check(doc)) return Status::kOk;
  const char* text = PyUnicode_AsUTF8(doc);
  if (text == nullptr) return Status::kError;
  size_t size = strlen(text) + 1;
  auto* copy = static_cast<char*>(PyObject_Malloc(size));
  if (copy == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  memcpy(copy, text, size);
  type->tp_doc = copy;
  return Status::kOk;
}

/// A plain function under `name` becomes a static or class method.
Status wrap_function(PyTypeObject* type, PyObject* name, PyObject* (*wrap)(PyObject*)) {
  PyObject* function = PyDict_GetItemWithError(type->tp_dict, name);
  if (function == nullptr) return PyErr_Occurred() ? Status::kError : Status::kOk;
  if (!PyFunction_Check(function)) return Status::kOk;
  auto wrapped = VM_TRY(Ref<>::steal(wrap(function)));
  return PyDict_SetItem(type->tp_dict, name, wrapped.get()) < 0 ? Status::kError : Status::kOk;
}

Status place_members(const NewClass& cls, PyHeapTypeObject* heap_type) {
  PyTypeObject* type = &heap_type->ht_type;
  PyMemberDef* member = _PyHeapType_GET_MEMBERS(heap_type);
  Py_ssize_t offset = cls.base->tp_basicsize;
  for (Py_ssize_t i = 0; i < cls.slot_count; i++, member++) {
    member->name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(heap_type->ht_slots, i));
    if (member->name == nullptr) return Status::kError;
    member->type = T_OBJECT_EX;
    member->offset = offset;
    offset += static_cast<Py_ssize_t>(sizeof(PyObject*));
  }
  if (cls.add_dict && cls.base->tp_itemsize != 0) {
    type->tp_dictoffset = -static_cast<Py_ssize_t>(sizeof(PyObject*));
    offset += static_cast<Py_ssize_t>(sizeof(PyObject*));
  }
  if (cls.add_weakref) {
    type->tp_weaklistoffset = offset;
    offset += static_cast<Py_ssize_t>(sizeof(PyObject*));
  }
  if (cls.add_dict && cls.base->tp_itemsize == 0) {
    type->tp_flags |= Py_TPFLAGS_MANAGED_DICT;
    // "From the end": leads code that only knows tp_dictoffset to the managed dict pointer before the object.
    type->tp_dictoffset = -offset - static_cast<Py_ssize_t>(3 * sizeof(PyObject*));
  }
  type->tp_basicsize = offset;
  type->tp_itemsize = cls.base->tp_itemsize;
  type->tp_members = _PyHeapType_GET_MEMBERS(heap_type);
  if (type->tp_weaklistoffset && cls.add_dict) {
    type->tp_getset = subtype_getset_full;
  } else if (cls.add_weakref) {
    type->tp_getset = subtype_getset_weakref_only;
  } else if (cls.add_dict) {
    type->tp_getset = subtype_getset_dict_only;
  }
  return Status::kOk;
}

/// The cell that `__class__` and super() in methods refer to gets the finished class.
Status fill_class_cell(PyTypeObject* type) {
  PyObject* cell = PyDict_GetItemWithError(type->tp_dict, &_Py_ID(__classcell__));
  if (cell == nullptr) return PyErr_Occurred() ? Status::kError : Status::kOk;
  if (!PyCell_Check(cell)) {
    return raise(PyExc_TypeError, "__classcell__ must be a nonlocal cell, not <class '%.200s'>",
                 Py_TYPE(cell)->tp_name);
  }
  PyCell_Set(cell, as_object(type));
  return PyDict_DelItem(type->tp_dict, &_Py_ID(__classcell__)) < 0 ? Status::kError : Status::kOk;
}

Status call_set_name(PyTypeObject* type) {
  // A copy: a __set_name__ may change the class.
  PyObject* attributes = nullptr;
  Ref<> copy;
  PyObject *key, *value;
  Py_ssize_t position = 0;
  bool any = false;
  while (PyDict_Next(type->tp_dict, &position, &key, &value)) {
    if (!PyFunction_Check(value) && _PyType_Lookup(Py_TYPE(value), &_Py_ID(__set_name__)) != nullptr) {
      any = true;
      break;
    }
  }
  if (!any) return Status::kOk;
  copy = VM_TRY(Ref<>::steal(PyDict_Copy(type->tp_dict)));
  attributes = copy.get();
  position = 0;
  while (PyDict_Next(attributes, &position, &key, &value)) {
    bool unbound = false;
    auto method = Ref<>::steal(lookup_special_method(value, &_Py_ID(__set_name__), &unbound));
    if (!method) {
      if (PyErr_Occurred()) return Status::kError;
      continue;
    }
    PyObject* args[] = {value, as_object(type), key};
    auto result = Ref<>::steal(unbound ? PyObject_Vectorcall(method.get(), args, 3, nullptr)
                                       : PyObject_Vectorcall(method.get(), args + 1,
                                                             2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
    if (!result) {
      _PyErr_FormatFromCause(PyExc_RuntimeError, "Error calling __set_name__ on '%.100s' instance %R in '%.100s'",
                             Py_TYPE(value)->tp_name, key, type->tp_name);
      return Status::kError;
    }
  }
  return Status::kOk;
}

Status call_init_subclass(PyTypeObject* type, PyObject* kwargs) {
  if (kwargs == nullptr || PyDict_GET_SIZE(kwargs) == 0) {
    // FAST: object's own __init_subclass__ does nothing.
    PyObject* mro = type->tp_mro;
    PyObject* found = nullptr;
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro) && found == nullptr; i++) {
      auto* ancestor = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(mro, i));
      found = PyDict_GetItemWithError(ancestor->tp_dict, &_Py_ID(__init_subclass__));
      if (found != nullptr && ancestor == &PyBaseObject_Type) return Status::kOk;
      if (found == nullptr && PyErr_Occurred()) return Status::kError;
    }
  }
  PyObject* args[] = {as_object(type), as_object(type)};
  auto super = VM_TRY(Ref<>::steal(PyObject_Vectorcall(as_object(&PySuper_Type), args, 2, nullptr)));
  auto method = VM_TRY(Ref<>::steal(PyObject_GetAttr(super.get(), &_Py_ID(__init_subclass__))));
  auto result = VM_TRY(Ref<>::steal(PyObject_VectorcallDict(method.get(), nullptr, 0, kwargs)));
  return Status::kOk;
}

/// Everything between the decision about the metaclass and the finished class.
PyObject* build_class(NewClass& cls, PyObject* kwargs) {
  if (failed(decide_layout(cls))) return nullptr;
  auto heap_type = allocate_type(cls);
  if (!heap_type) return nullptr;
  PyTypeObject* type = &heap_type->ht_type;
  if (failed(set_module_name(type)) || failed(set_qualified_name(heap_type.get())) || failed(set_doc(type)) ||
      failed(wrap_function(type, &_Py_ID(__new__), PyStaticMethod_New)) ||
      failed(wrap_function(type, &_Py_ID(__init_subclass__), PyClassMethod_New)) ||
      failed(wrap_function(type, &_Py_ID(__class_getitem__), PyClassMethod_New)) ||
      failed(place_members(cls, heap_type.get())) || failed(fill_class_cell(type))) {
    return nullptr;
  }
  if (PyType_Ready(type) < 0) return nullptr;
  derive_slots(type);
  if (failed(call_set_name(type)) || failed(call_init_subclass(type, kwargs))) return nullptr;
  return heap_type.object() ? as_object(heap_type.release()) : nullptr;
}

Status check_base_is_class(PyObject* base) {
  if (PyType_Check(base)) return Status::kOk;
  PyObject* entries;
  if (_PyObject_LookupAttr(base, &_Py_ID(__mro_entries__), &entries) < 0) return Status::kError;
  if (entries == nullptr) return Status::kOk;
  Py_DECREF(entries);
  return raise(PyExc_TypeError, "type() doesn't support MRO entry resolution; use types.new_class()");
}

}  // namespace

PyObject* type_new(PyTypeObject* metatype, PyObject* args, PyObject* kwargs) {
  PyObject *name, *bases, *original_namespace;
  if (!PyArg_ParseTuple(args, "UO!O!:type.__new__", &name, &PyTuple_Type, &bases, &PyDict_Type,
                        &original_namespace)) {
    return nullptr;
  }
  NewClass cls{};
  cls.metatype = metatype;
  cls.name = name;
  Ref<> bases_owner;
  if (PyTuple_GET_SIZE(bases) == 0) {
    bases_owner = Ref<>::steal(PyTuple_Pack(1, &PyBaseObject_Type));
    if (!bases_owner) return nullptr;
    cls.base = &PyBaseObject_Type;
  } else {
    bases_owner = Ref<>::dup(bases);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
      if (failed(check_base_is_class(PyTuple_GET_ITEM(bases, i)))) return nullptr;
    }
    PyTypeObject* winner = _PyType_CalculateMetaclass(metatype, bases);
    if (winner == nullptr) return nullptr;
    if (winner != metatype) {
      if (winner->tp_new != type_new) return winner->tp_new(winner, args, kwargs);
      cls.metatype = winner;
    }
    cls.base = best_base(bases);
    if (cls.base == nullptr) return nullptr;
  }
  cls.bases = bases_owner.get();
  cls.namespace_ = Ref<>::steal(PyDict_Copy(original_namespace));
  if (!cls.namespace_) return nullptr;
  return build_class(cls, kwargs);
}

int type_init(PyObject*, PyObject* args, PyObject* kwargs) {
  if (kwargs != nullptr && PyTuple_GET_SIZE(args) == 1 && PyDict_GET_SIZE(kwargs) != 0) {
    PyErr_SetString(PyExc_TypeError, "type.__init__() takes no keyword arguments");
    return -1;
  }
  if (PyTuple_GET_SIZE(args) != 1 && PyTuple_GET_SIZE(args) != 3) {
    PyErr_SetString(PyExc_TypeError, "type.__init__() takes 1 or 3 arguments");
    return -1;
  }
  return 0;
}

PyObject* type_prepare(PyObject*, PyObject* const*, Py_ssize_t, PyObject*) { return PyDict_New(); }

}  // namespace pyston
