// The type `type`: methods, lifetime of heap types, and the PyTypeObject itself.
#include "Objects/bind.h"
#include "Objects/core/type.h"

#include "pycore_dict.h"
#include "pycore_pyerrors.h"
#include "pycore_unionobject.h"

using namespace pyston;

extern "C" void _PyDictKeys_DecRef(PyDictKeysObject* keys);

namespace pyston {

/// Adds the attributes of a class and, recursively, of its bases.
Status merge_class_dict(PyObject* into, PyObject* cls) {
  PyObject* dict;
  if (_PyObject_LookupAttr(cls, &_Py_ID(__dict__), &dict) < 0) return Status::kError;
  if (dict != nullptr) {
    int status = PyDict_Update(into, dict);
    Py_DECREF(dict);
    if (status < 0) return Status::kError;
  }
  PyObject* bases;
  if (_PyObject_LookupAttr(cls, &_Py_ID(__bases__), &bases) < 0) return Status::kError;
  if (bases == nullptr) return Status::kOk;
  auto owner = Ref<>::steal(bases);
  Py_ssize_t count = PySequence_Size(bases);
  if (count < 0) return Status::kError;
  for (Py_ssize_t i = 0; i < count; i++) {
    auto base = VM_TRY(Ref<>::steal(PySequence_GetItem(bases, i)));
    VM_CHECK(merge_class_dict(into, base.get()));
  }
  return Status::kOk;
}

}  // namespace pyston

namespace {

Ref<> type_mro_method(Borrowed<PyTypeObject> self) { return Ref<>::steal(compute_mro(self)); }

Ref<> type_subclasses(Borrowed<PyTypeObject> self) { return Ref<>::steal(_PyType_GetSubclasses(self)); }

Ref<> type_instance_check(Borrowed<PyTypeObject> self, Borrowed<> instance) {
  int result = _PyObject_RealIsInstance(instance, self.object());
  return result < 0 ? nullptr : Ref<>::dup(result ? Py_True : Py_False);
}

Ref<> type_subclass_check(Borrowed<PyTypeObject> self, Borrowed<> subclass) {
  int result = _PyObject_RealIsSubclass(subclass, self.object());
  return result < 0 ? nullptr : Ref<>::dup(result ? Py_True : Py_False);
}

Ref<> type_dir(Borrowed<PyTypeObject> self) {
  auto dict = VM_TRY(Ref<>::steal(PyDict_New()));
  VM_CHECK(merge_class_dict(dict.get(), self.object()));
  return Ref<>::steal(PyDict_Keys(dict.get()));
}

Ref<> type_sizeof(Borrowed<PyTypeObject> self) {
  size_t size = sizeof(PyTypeObject);
  if (has_feature(self, Py_TPFLAGS_HEAPTYPE)) {
    auto* heap_type = reinterpret_cast<PyHeapTypeObject*>(self.get());
    size = sizeof(PyHeapTypeObject);
    if (heap_type->ht_cached_keys != nullptr) size += static_cast<size_t>(_PyDict_KeysSize(heap_type->ht_cached_keys));
  }
  return Ref<>::steal(PyLong_FromSize_t(size));
}

PyMethodDef type_methods[] = {
    method<type_mro_method, "mro($self, /)", "Return a type's method resolution order.">(),
    method<type_subclasses, "__subclasses__($self, /)", "Return a list of immediate subclasses.">(),
    {"__prepare__", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(type_prepare)),
     METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     "__prepare__() -> dict\nThe namespace in which the body of a class statement runs."},
    method<type_instance_check, "__instancecheck__($self, instance, /)", "Check if an object is an instance.">(),
    method<type_subclass_check, "__subclasscheck__($self, subclass, /)", "Check if a class is a subclass.">(),
    method<type_dir, "__dir__($self, /)", "Specialized __dir__ implementation for types.">(),
    method<type_sizeof, "__sizeof__($self, /)", "Return memory consumption of the type object.">(),
    {}};

PyObject* type_repr(PyObject* self) {
  auto* type = reinterpret_cast<PyTypeObject*>(self);
  if (type->tp_name == nullptr) return PyUnicode_FromFormat("<class at %p>", type);
  PyObject* module;
  if (_PyObject_LookupAttr(self, &_Py_ID(__module__), &module) < 0) PyErr_Clear();
  auto owner = Ref<>::steal(module);
  auto qualified = Ref<>::steal(PyType_GetQualName(type));
  if (!qualified) return nullptr;
  if (module != nullptr && PyUnicode_Check(module) && !_PyUnicode_Equal(module, &_Py_ID(builtins))) {
    return PyUnicode_FromFormat("<class '%U.%U'>", module, qualified.get());
  }
  return PyUnicode_FromFormat("<class '%s'>", type->tp_name);
}

void type_dealloc(PyObject* self) {
  auto* type = reinterpret_cast<PyTypeObject*>(self);
  auto* heap_type = reinterpret_cast<PyHeapTypeObject*>(self);
  _PyObject_ASSERT(self, has_feature(type, Py_TPFLAGS_HEAPTYPE));
  PyObject_GC_UnTrack(self);
  if (type->tp_bases != nullptr) {
    PyObject *exception, *value, *traceback;
    PyErr_Fetch(&exception, &value, &traceback);
    remove_from_bases(type, type->tp_bases);
    PyErr_Restore(exception, value, traceback);
  }
  PyObject_ClearWeakRefs(self);
  Py_XDECREF(as_object(type->tp_base));
  Py_XDECREF(type->tp_dict);
  Py_XDECREF(type->tp_bases);
  Py_XDECREF(type->tp_mro);
  Py_XDECREF(type->tp_cache);
  Py_XDECREF(type->tp_subclasses);
  PyObject_Free(const_cast<char*>(type->tp_doc));
  Py_XDECREF(heap_type->ht_name);
  Py_XDECREF(heap_type->ht_qualname);
  Py_XDECREF(heap_type->ht_slots);
  if (heap_type->ht_cached_keys != nullptr) _PyDictKeys_DecRef(heap_type->ht_cached_keys);
  Py_XDECREF(heap_type->ht_module);
  PyMem_Free(heap_type->_ht_tpname);
  Py_TYPE(self)->tp_free(self);
}

int type_traverse(PyObject* self, visitproc visit, void* arg) {
  auto* type = reinterpret_cast<PyTypeObject*>(self);
  if (!has_feature(type, Py_TPFLAGS_HEAPTYPE)) {
    char message[200];
    PyOS_snprintf(message, sizeof(message), "type_traverse() called on non-heap type '%.100s'", type->tp_name);
    Py_FatalError(message);
  }
  Py_VISIT(type->tp_dict);
  Py_VISIT(type->tp_cache);
  Py_VISIT(type->tp_mro);
  Py_VISIT(type->tp_bases);
  Py_VISIT(type->tp_base);
  Py_VISIT(reinterpret_cast<PyHeapTypeObject*>(type)->ht_module);
  // Names and slots are strings and tuples of strings; tp_subclasses holds weak references only.
  return 0;
}

int type_clear(PyObject* self) {
  auto* type = reinterpret_cast<PyTypeObject*>(self);
  auto* heap_type = reinterpret_cast<PyHeapTypeObject*>(self);
  // Breaking the cycles through dict and MRO suffices; tp_base and tp_bases stay, deallocation of instances needs them.
  PyType_Modified(type);
  if (heap_type->ht_cached_keys != nullptr) {
    PyDictKeysObject* keys = heap_type->ht_cached_keys;
    heap_type->ht_cached_keys = nullptr;
    _PyDictKeys_DecRef(keys);
  }
  if (type->tp_dict != nullptr) PyDict_Clear(type->tp_dict);
  Py_CLEAR(heap_type->ht_module);
  Py_CLEAR(type->tp_mro);
  return 0;
}

int type_is_gc(PyObject* self) { return has_feature(reinterpret_cast<PyTypeObject*>(self), Py_TPFLAGS_HEAPTYPE); }

PyNumberMethods type_as_number = {.nb_or = _Py_union_type_or};

}  // namespace

PyTypeObject PyType_Type = {
    .ob_base = type_head(),
    .tp_name = "type",
    .tp_basicsize = sizeof(PyHeapTypeObject),
    .tp_itemsize = sizeof(PyMemberDef),
    .tp_dealloc = type_dealloc,
    .tp_vectorcall_offset = offsetof(PyTypeObject, tp_vectorcall),
    .tp_repr = type_repr,
    .tp_as_number = &type_as_number,
    .tp_call = type_call,
    .tp_getattro = type_getattro,
    .tp_setattro = type_setattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_TYPE_SUBCLASS |
                Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "type(object) -> the object's type\n"
              "type(name, bases, dict, **kwds) -> a new type",
    .tp_traverse = type_traverse,
    .tp_clear = type_clear,
    .tp_weaklistoffset = offsetof(PyTypeObject, tp_weaklist),
    .tp_methods = type_methods,
    .tp_members = type_members,
    .tp_getset = type_getset,
    .tp_dictoffset = offsetof(PyTypeObject, tp_dict),
    .tp_init = type_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = type_new,
    .tp_free = PyObject_GC_Del,
    .tp_is_gc = type_is_gc,
    .tp_vectorcall = type_vectorcall,
};
