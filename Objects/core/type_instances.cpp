// Instances of heap types: allocation, deallocation, traversal, and their `__dict__` and `__weakref__`.
//
// A class written in Python adds fields to the nearest base whose deallocator isn't subtype_dealloc; the functions here
// handle the added part (slots, dict, weak references) and hand the rest to that base.
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_dict.h"
#include "pycore_gc.h"
#include "pycore_pyerrors.h"

namespace pyston {
namespace {

/// The nearest base whose tp_dealloc is its own.
PyTypeObject* native_base(PyTypeObject* type) {
  PyTypeObject* base = type;
  while (base->tp_dealloc == subtype_dealloc) base = base->tp_base;
  return base;
}

ALWAYS_INLINE PyObject** member_address(PyObject* self, const PyMemberDef& member) {
  return reinterpret_cast<PyObject**>(reinterpret_cast<char*>(self) + member.offset);
}

bool is_object_slot(const PyMemberDef& member) { return member.type == T_OBJECT_EX && !(member.flags & READONLY); }

void clear_slots(PyTypeObject* type, PyObject* self) {
  PyMemberDef* members = _PyHeapType_GET_MEMBERS(reinterpret_cast<PyHeapTypeObject*>(type));
  for (Py_ssize_t i = 0; i < Py_SIZE(type); i++) {
    if (!is_object_slot(members[i])) continue;
    PyObject** address = member_address(self, members[i]);
    Py_CLEAR(*address);
  }
}

int traverse_slots(PyTypeObject* type, PyObject* self, visitproc visit, void* arg) {
  PyMemberDef* members = _PyHeapType_GET_MEMBERS(reinterpret_cast<PyHeapTypeObject*>(type));
  for (Py_ssize_t i = 0; i < Py_SIZE(type); i++) {
    if (members[i].type != T_OBJECT_EX) continue;
    Py_VISIT(*member_address(self, members[i]));
  }
  return 0;
}

/// Weak references that a finalizer made to a dying object are cleared without their callbacks.
COLD void drop_late_weakrefs(PyObject* self) {
  auto** list = reinterpret_cast<PyWeakReference**>(_PyObject_GET_WEAKREFS_LISTPTR(self));
  while (*list != nullptr) _PyWeakref_ClearRef(*list);
}

/// Releases slots and dict, the parts that `base` doesn't know.
ALWAYS_INLINE void release_added_fields(PyObject* self, PyTypeObject* type, PyTypeObject* base) {
  for (PyTypeObject* current = type; current != base; current = current->tp_base) {
    if (Py_SIZE(current)) clear_slots(current, self);
  }
  if (has_feature(type, Py_TPFLAGS_MANAGED_DICT)) {
    PyObject** dict = _PyObject_ManagedDictPointer(self);
    if (*dict != nullptr) {
      Py_CLEAR(*dict);
    } else {
      _PyObject_FreeInstanceAttributes(self);
    }
  } else if (type->tp_dictoffset && !base->tp_dictoffset) {
    PyObject** dict = _PyObject_DictPointer(self);
    if (dict != nullptr) Py_CLEAR(*dict);
  }
}

void dealloc_uncollectable(PyObject* self, PyTypeObject* type) {
  if (type->tp_finalize != nullptr && PyObject_CallFinalizerFromDealloc(self) < 0) return;
  if (type->tp_del != nullptr) {
    type->tp_del(self);
    if (self->ob_refcnt > 0) return;
  }
  PyTypeObject* base = native_base(type);
  type = Py_TYPE(self);  // __del__ may have assigned __class__
  bool owns_type = has_feature(type, Py_TPFLAGS_HEAPTYPE) && !has_feature(base, Py_TPFLAGS_HEAPTYPE);
  base->tp_dealloc(self);
  if (owns_type) Py_DECREF(type);
}

/// False: the object was resurrected.
NEVER_INLINE bool run_finalizers(PyObject* self, PyTypeObject* type, PyTypeObject* base) {
  if (type->tp_finalize != nullptr) {
    _PyObject_GC_TRACK(self);
    if (PyObject_CallFinalizerFromDealloc(self) < 0) return false;
    _PyObject_GC_UNTRACK(self);
  }
  if (type->tp_weaklistoffset && !base->tp_weaklistoffset) PyObject_ClearWeakRefs(self);
  if (type->tp_del != nullptr) {
    _PyObject_GC_TRACK(self);
    type->tp_del(self);
    if (self->ob_refcnt > 0) return false;
    _PyObject_GC_UNTRACK(self);
  }
  if (type->tp_weaklistoffset && !base->tp_weaklistoffset) drop_late_weakrefs(self);
  return true;
}

void dealloc_collectable(PyObject* self, PyTypeObject* type) {
  PyTypeObject* base = native_base(type);
  if (UNLIKELY(type->tp_finalize != nullptr || type->tp_del != nullptr)) {
    if (!run_finalizers(self, type, base)) return;
  } else if (type->tp_weaklistoffset && !base->tp_weaklistoffset &&
             *_PyObject_GET_WEAKREFS_LISTPTR(self) != nullptr) {
    PyObject_ClearWeakRefs(self);
  }
  release_added_fields(self, type, base);
  type = Py_TYPE(self);
  if (LIKELY(base == &PyBaseObject_Type)) {
    // FAST: nothing is left but the memory.
    type->tp_free(self);
    Py_DECREF(type);
    return;
  }
  bool owns_type = has_feature(type, Py_TPFLAGS_HEAPTYPE) && !has_feature(base, Py_TPFLAGS_HEAPTYPE);
  if (_PyType_IS_GC(base)) _PyObject_GC_TRACK(self);  // the base's deallocator untracks
  base->tp_dealloc(self);
  if (owns_type) Py_DECREF(type);
}

}  // namespace

void subtype_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  if (UNLIKELY(!_PyType_IS_GC(type))) {
    dealloc_uncollectable(self, type);
    return;
  }
  PyObject_GC_UnTrack(self);
  PyThreadState* tstate = _PyThreadState_GET();
  if (_PyTrash_begin(tstate, self)) return;
  dealloc_collectable(self, type);
  _PyTrash_end(tstate);
}

int subtype_traverse(PyObject* self, visitproc visit, void* arg) {
  PyTypeObject* type = Py_TYPE(self);
  PyTypeObject* base = type;
  traverseproc base_traverse;
  while ((base_traverse = base->tp_traverse) == subtype_traverse) {
    if (Py_SIZE(base)) {
      int status = traverse_slots(base, self, visit, arg);
      if (status) return status;
    }
    base = base->tp_base;
  }
  if (has_feature(type, Py_TPFLAGS_MANAGED_DICT)) {
    int status = _PyObject_VisitInstanceAttributes(self, visit, arg);
    if (status) return status;
    Py_VISIT(*_PyObject_ManagedDictPointer(self));
  } else if (type->tp_dictoffset != base->tp_dictoffset) {
    PyObject** dict = _PyObject_DictPointer(self);
    if (dict != nullptr) Py_VISIT(*dict);
  }
  // A base that is a heap type visits the type itself.
  if (has_feature(type, Py_TPFLAGS_HEAPTYPE) &&
      (base_traverse == nullptr || !has_feature(base, Py_TPFLAGS_HEAPTYPE))) {
    Py_VISIT(type);
  }
  return base_traverse == nullptr ? 0 : base_traverse(self, visit, arg);
}

int subtype_clear(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyTypeObject* base = type;
  inquiry base_clear;
  while ((base_clear = base->tp_clear) == subtype_clear) {
    if (Py_SIZE(base)) clear_slots(base, self);
    base = base->tp_base;
  }
  if (has_feature(type, Py_TPFLAGS_MANAGED_DICT)) {
    if (*_PyObject_ValuesPointer(self) != nullptr) {
      _PyObject_ClearInstanceAttributes(self);
    } else {
      Py_CLEAR(*_PyObject_ManagedDictPointer(self));
    }
  } else if (type->tp_dictoffset != base->tp_dictoffset) {
    PyObject** dict = _PyObject_DictPointer(self);
    if (dict != nullptr) Py_CLEAR(*dict);
  }
  return base_clear == nullptr ? 0 : base_clear(self);
}

// ---------------------------------------------------------------------------------------------------------------
// `__dict__` and `__weakref__`

namespace {

/// A built-in base that has its own `__dict__` (a module, a function) also defines how to get at it.
PyTypeObject* native_base_with_dict(PyTypeObject* type) {
  while (type->tp_base != nullptr) {
    if (type->tp_dictoffset != 0 && !has_feature(type, Py_TPFLAGS_HEAPTYPE)) return type;
    type = type->tp_base;
  }
  return nullptr;
}

/// Borrowed; null without an exception when the base has no usable `__dict__` descriptor.
PyObject* dict_descriptor(PyTypeObject* type) {
  PyObject* descriptor = _PyType_Lookup(type, &_Py_ID(__dict__));
  return descriptor != nullptr && PyDescr_IsData(descriptor) ? descriptor : nullptr;
}

COLD void raise_no_dict(PyObject* self) {
  PyErr_Format(PyExc_TypeError, "this __dict__ descriptor does not support '%.200s' objects", Py_TYPE(self)->tp_name);
}

PyObject* subtype_get_dict(PyObject* self, void* context) {
  PyTypeObject* base = native_base_with_dict(Py_TYPE(self));
  if (base == nullptr) return PyObject_GenericGetDict(self, context);
  PyObject* descriptor = dict_descriptor(base);
  if (descriptor == nullptr || Py_TYPE(descriptor)->tp_descr_get == nullptr) {
    raise_no_dict(self);
    return nullptr;
  }
  return Py_TYPE(descriptor)->tp_descr_get(descriptor, self, as_object(Py_TYPE(self)));
}

int subtype_set_dict(PyObject* self, PyObject* value, void*) {
  PyTypeObject* base = native_base_with_dict(Py_TYPE(self));
  if (base != nullptr) {
    PyObject* descriptor = dict_descriptor(base);
    if (descriptor == nullptr) {
      raise_no_dict(self);
      return -1;
    }
    return Py_TYPE(descriptor)->tp_descr_set(descriptor, self, value);
  }
  PyObject** dict = _PyObject_GetDictPtr(self);
  if (dict == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
    return -1;
  }
  if (value != nullptr && !PyDict_Check(value)) {
    PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'", Py_TYPE(value)->tp_name);
    return -1;
  }
  Py_XINCREF(value);
  Py_XSETREF(*dict, value);
  return 0;
}

PyObject* subtype_get_weakref(PyObject* self, void*) {
  PyTypeObject* type = Py_TYPE(self);
  if (type->tp_weaklistoffset == 0) {
    PyErr_SetString(PyExc_AttributeError, "This object has no __weakref__");
    return nullptr;
  }
  PyObject* first = *_PyObject_GET_WEAKREFS_LISTPTR(self);
  return first == nullptr ? Ref<>::none().release() : Py_NewRef(first);
}

constexpr const char* kDictDoc = "dictionary for instance variables (if defined)";
constexpr const char* kWeakrefDoc = "list of weak references to the object (if defined)";

}  // namespace

PyGetSetDef subtype_getset_full[] = {
    {"__dict__", subtype_get_dict, subtype_set_dict, kDictDoc, nullptr},
    {"__weakref__", subtype_get_weakref, nullptr, kWeakrefDoc, nullptr},
    {}};
PyGetSetDef subtype_getset_dict_only[] = {{"__dict__", subtype_get_dict, subtype_set_dict, kDictDoc, nullptr}, {}};
PyGetSetDef subtype_getset_weakref_only[] = {{"__weakref__", subtype_get_weakref, nullptr, kWeakrefDoc, nullptr}, {}};

}  // namespace pyston

using namespace pyston;

extern "C" {

PyObject* _PyType_AllocNoTrack(PyTypeObject* type, Py_ssize_t item_count) {
  // One item more than asked for: variable-size types keep a terminator there.
  const size_t size = static_cast<size_t>(_PyObject_VAR_SIZE(type, item_count + 1));
  const size_t header = _PyType_PreHeaderSize(type);
  auto* memory = static_cast<char*>(PyObject_Malloc(size + header));
  if (UNLIKELY(memory == nullptr)) return PyErr_NoMemory();
  auto* object = reinterpret_cast<PyObject*>(memory + header);
  if (header) {
    reinterpret_cast<PyObject**>(memory)[0] = nullptr;
    reinterpret_cast<PyObject**>(memory)[1] = nullptr;
    if (_PyType_IS_GC(type)) _PyObject_GC_Link(object);
  }
  memset(static_cast<void*>(object), 0, size);
  if (type->tp_itemsize == 0) {
    _PyObject_Init(object, type);
  } else {
    _PyObject_InitVar(reinterpret_cast<PyVarObject*>(object), type, item_count);
  }
  return object;
}

PyObject* PyType_GenericAlloc(PyTypeObject* type, Py_ssize_t item_count) {
  PyObject* object = _PyType_AllocNoTrack(type, item_count);
  if (LIKELY(object != nullptr) && _PyType_IS_GC(type)) _PyObject_GC_TRACK(object);
  return object;
}

PyObject* PyType_GenericNew(PyTypeObject* type, PyObject*, PyObject*) { return type->tp_alloc(type, 0); }

}  // extern "C"
