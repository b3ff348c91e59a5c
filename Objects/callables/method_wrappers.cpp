// classmethod and staticmethod: wrappers that change what a callable found on a class is bound to.
#include "Objects/bind.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"

namespace pyston {
namespace {

/// Both types look the same.
struct WrapperObject {
  PyObject ob_base;
  PyObject* callable;  // null until __init__
  PyObject* dict;
};

/// Copies one of the attributes that make the wrapper look like its function.
int copy_attribute(PyObject* wrapped, PyObject* wrapper, PyObject* name) {
  PyObject* value = PyObject_GetAttr(wrapped, name);
  if (value == nullptr) {
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
    PyErr_Clear();
    return 0;
  }
  int status = PyObject_SetAttr(wrapper, name, value);
  Py_DECREF(value);
  return status;
}

int wrapper_init(WrapperObject* self, PyObject* args, PyObject* kwargs, const char* name) {
  if (kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) {
    PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", name);
    return -1;
  }
  PyObject* callable;
  if (!PyArg_UnpackTuple(args, name, 1, 1, &callable)) return -1;
  Py_XSETREF(self->callable, Py_NewRef(callable));
  for (PyObject* attribute : {&_Py_ID(__module__), &_Py_ID(__name__), &_Py_ID(__qualname__), &_Py_ID(__doc__),
                              &_Py_ID(__annotations__)}) {
    if (copy_attribute(callable, as_object(self), attribute) < 0) return -1;
  }
  return 0;
}

int classmethod_init(WrapperObject* self, PyObject* args, PyObject* kwargs) {
  return wrapper_init(self, args, kwargs, "classmethod");
}
int staticmethod_init(WrapperObject* self, PyObject* args, PyObject* kwargs) {
  return wrapper_init(self, args, kwargs, "staticmethod");
}

void wrapper_dealloc(WrapperObject* self) {
  _PyObject_GC_UNTRACK(as_object(self));
  Py_XDECREF(self->callable);
  Py_XDECREF(self->dict);
  Py_TYPE(as_object(self))->tp_free(self);
}

int wrapper_traverse(WrapperObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->dict);
  Py_VISIT(self->callable);
  return 0;
}

int wrapper_clear(WrapperObject* self) {
  Py_CLEAR(self->dict);
  Py_CLEAR(self->callable);
  return 0;
}

PyObject* classmethod_descr_get(PyObject* self, PyObject* object, PyObject* type) {
  PyObject* callable = reinterpret_cast<WrapperObject*>(self)->callable;
  if (callable == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "uninitialized classmethod object");
    return nullptr;
  }
  if (type == nullptr) type = as_object(Py_TYPE(object));
  // A wrapped descriptor (a property, say) is bound to the class.
  if (Py_TYPE(callable)->tp_descr_get != nullptr) return Py_TYPE(callable)->tp_descr_get(callable, type, type);
  return PyMethod_New(callable, type);
}

PyObject* staticmethod_descr_get(PyObject* self, PyObject*, PyObject*) {
  PyObject* callable = reinterpret_cast<WrapperObject*>(self)->callable;
  if (callable == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "uninitialized staticmethod object");
    return nullptr;
  }
  return Py_NewRef(callable);
}

PyObject* staticmethod_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  return PyObject_Call(reinterpret_cast<WrapperObject*>(self)->callable, args, kwargs);
}

Ref<> classmethod_repr(Borrowed<WrapperObject> self) {
  return Ref<>::steal(PyUnicode_FromFormat("<classmethod(%R)>", self->callable));
}
Ref<> staticmethod_repr(Borrowed<WrapperObject> self) {
  return Ref<>::steal(PyUnicode_FromFormat("<staticmethod(%R)>", self->callable));
}

Ref<> wrapper_get_isabstract(Borrowed<WrapperObject> self) {
  int result = _PyObject_IsAbstract(self->callable);
  if (result < 0) return nullptr;
  return Ref<>::dup(result ? Py_True : Py_False);
}

PyMemberDef wrapper_members[] = {
    {"__func__", T_OBJECT, offsetof(WrapperObject, callable), READONLY, nullptr},
    {"__wrapped__", T_OBJECT, offsetof(WrapperObject, callable), READONLY, nullptr},
    {}};

PyGetSetDef wrapper_getset[] = {
    getset<wrapper_get_isabstract>("__isabstractmethod__"),
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {}};

PyObject* new_wrapper(PyTypeObject* type, PyObject* callable) {
  auto* wrapper = reinterpret_cast<WrapperObject*>(PyType_GenericAlloc(type, 0));
  if (wrapper != nullptr) wrapper->callable = Py_NewRef(callable);
  return as_object(wrapper);
}

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyClassMethod_Type = {
    .ob_base = type_head(),
    .tp_name = "classmethod",
    .tp_basicsize = sizeof(WrapperObject),
    .tp_dealloc = reinterpret_cast<destructor>(wrapper_dealloc),
    .tp_repr = slot<classmethod_repr>,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "classmethod(function) -> method\n\nMakes a method that gets its class as first argument, however it is "
              "called.\n\n  class C:\n      @classmethod\n      def make(cls, argument):\n          ...\n\nCalled on an "
              "instance, the instance only says which class.",
    .tp_traverse = reinterpret_cast<traverseproc>(wrapper_traverse),
    .tp_clear = reinterpret_cast<inquiry>(wrapper_clear),
    .tp_members = wrapper_members,
    .tp_getset = wrapper_getset,
    .tp_descr_get = classmethod_descr_get,
    .tp_dictoffset = offsetof(WrapperObject, dict),
    .tp_init = reinterpret_cast<initproc>(classmethod_init),
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject PyStaticMethod_Type = {
    .ob_base = type_head(),
    .tp_name = "staticmethod",
    .tp_basicsize = sizeof(WrapperObject),
    .tp_dealloc = reinterpret_cast<destructor>(wrapper_dealloc),
    .tp_repr = slot<staticmethod_repr>,
    .tp_call = staticmethod_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "staticmethod(function) -> method\n\nMakes a method that gets no implicit first argument.\n\n  class C:\n    "
              "  @staticmethod\n      def helper(argument):\n          ...\n\nIt can be called on the class or on an "
              "instance.",
    .tp_traverse = reinterpret_cast<traverseproc>(wrapper_traverse),
    .tp_clear = reinterpret_cast<inquiry>(wrapper_clear),
    .tp_members = wrapper_members,
    .tp_getset = wrapper_getset,
    .tp_descr_get = staticmethod_descr_get,
    .tp_dictoffset = offsetof(WrapperObject, dict),
    .tp_init = reinterpret_cast<initproc>(staticmethod_init),
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};

PyObject* PyClassMethod_New(PyObject* callable) { return new_wrapper(&PyClassMethod_Type, callable); }
PyObject* PyStaticMethod_New(PyObject* callable) { return new_wrapper(&PyStaticMethod_Type, callable); }
