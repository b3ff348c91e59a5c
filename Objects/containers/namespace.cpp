// types.SimpleNamespace: an object that is nothing but its attributes.
#include "Objects/bind.h"

#include <internal/pycore_namespace.h>

namespace pyston {
namespace {

struct NamespaceObject {
  PyObject_HEAD
  PyObject* dict;
};
ALWAYS_INLINE PyObject*& dict_of(PyObject* self) { return reinterpret_cast<NamespaceObject*>(self)->dict; }

PyObject* namespace_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  dict_of(self) = PyDict_New();
  if (dict_of(self) == nullptr) {
    Py_DECREF(self);
    return nullptr;
  }
  return self;
}

int namespace_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (PyTuple_GET_SIZE(args) != 0) {
    PyErr_Format(PyExc_TypeError, "no positional arguments expected");
    return -1;
  }
  if (kwargs == nullptr) return 0;
  if (!PyArg_ValidateKeywordArguments(kwargs)) return -1;
  return PyDict_Update(dict_of(self), kwargs);
}

void namespace_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  Py_CLEAR(dict_of(self));
  Py_TYPE(self)->tp_free(self);
}
int namespace_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(dict_of(self));
  return 0;
}
int namespace_clear(PyObject* self) {
  Py_CLEAR(dict_of(self));
  return 0;
}

/// "name(a=1, b=2)" of the attributes whose names are non-empty strs.
Ref<> repr_entries(PyObject* self, const char* name) {
  Ref<> pieces = Ref<>::steal(PyList_New(0));
  Ref<> keys = pieces ? Ref<>::steal(PyDict_Keys(dict_of(self))) : nullptr;
  if (!keys) return nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys.get()); i++) {
    PyObject* key = PyList_GET_ITEM(keys.get(), i);
    if (!PyUnicode_Check(key) || PyUnicode_GET_LENGTH(key) == 0) continue;
    Ref<> value = Ref<>::dup(PyDict_GetItemWithError(dict_of(self), key));
    if (!value) {
      if (PyErr_Occurred()) return nullptr;
      continue;
    }
    Ref<> piece = Ref<>::steal(PyUnicode_FromFormat("%U=%R", key, value.get()));
    if (!piece || PyList_Append(pieces.get(), piece.get()) < 0) return nullptr;
  }
  Ref<> separator = Ref<>::steal(PyUnicode_FromString(", "));
  Ref<> joined = separator ? Ref<>::steal(PyUnicode_Join(separator.get(), pieces.get())) : nullptr;
  if (!joined) return nullptr;
  return Ref<>::steal(PyUnicode_FromFormat("%s(%U)", name, joined.get()));
}

PyObject* namespace_repr(PyObject* self) {
  const char* name = Py_IS_TYPE(self, &_PyNamespace_Type) ? "namespace" : Py_TYPE(self)->tp_name;
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered > 0 ? PyUnicode_FromFormat("%s(...)", name) : nullptr;
  Ref<> result = repr_entries(self, name);
  Py_ReprLeave(self);
  return result.release();
}

PyObject* namespace_richcompare(PyObject* self, PyObject* other, int op) {
  if (!PyObject_TypeCheck(self, &_PyNamespace_Type) || !PyObject_TypeCheck(other, &_PyNamespace_Type)) {
    Py_RETURN_NOTIMPLEMENTED;
  }
  return PyObject_RichCompare(dict_of(self), dict_of(other), op);
}

PyObject* namespace_reduce(PyObject* self) { return Py_BuildValue("(O()O)", Py_TYPE(self), dict_of(self)); }

PyMethodDef namespace_methods[] = {
    method<namespace_reduce, "__reduce__($self, /)", "State for pickling.">(),
    {},
};
PyMemberDef namespace_members[] = {
    {"__dict__", T_OBJECT, offsetof(NamespaceObject, dict), READONLY, nullptr},
    {},
};

}  // namespace
}  // namespace pyston

using namespace pyston;

/// A namespace with the attributes of `attributes` (may be null); new reference.
PyObject* _PyNamespace_New(PyObject* attributes) {
  PyObject* self = namespace_new(&_PyNamespace_Type, nullptr, nullptr);
  if (self != nullptr && attributes != nullptr && PyDict_Update(dict_of(self), attributes) < 0) {
    Py_DECREF(self);
    return nullptr;
  }
  return self;
}

PyTypeObject _PyNamespace_Type = {
    .ob_base = type_head(),
    .tp_name = "types.SimpleNamespace",
    .tp_basicsize = sizeof(NamespaceObject),
    .tp_dealloc = namespace_dealloc,
    .tp_repr = namespace_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "A simple attribute-based namespace.\n\nSimpleNamespace(**kwargs)",
    .tp_traverse = namespace_traverse,
    .tp_clear = namespace_clear,
    .tp_richcompare = namespace_richcompare,
    .tp_methods = namespace_methods,
    .tp_members = namespace_members,
    .tp_dictoffset = offsetof(NamespaceObject, dict),
    .tp_init = namespace_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = namespace_new,
    .tp_free = PyObject_GC_Del,
};
