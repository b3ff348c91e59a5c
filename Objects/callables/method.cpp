// Bound methods (`method`) and the C-level `instancemethod`, which binds any callable found on a class.
#include "Objects/bind.h"
#include "internal/pycore_call.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_runtime.h"

namespace pyston {
namespace {

// --- method -------------------------------------------------------------------------------------------------------

/// Calls the function with self in front. Borrows the slot before args[0] when the caller allows it.
PyObject* method_vectorcall(PyObject* method, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject* self = PyMethod_GET_SELF(method);
  PyObject* func = PyMethod_GET_FUNCTION(method);
  Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {  // FAST: no copy
    auto** shifted = const_cast<PyObject**>(args) - 1;
    PyObject* saved = std::exchange(shifted[0], self);
    PyObject* result = _PyObject_VectorcallTstate(tstate, func, shifted, static_cast<size_t>(count + 1), kwnames);
    shifted[0] = saved;
    return result;
  }
  Py_ssize_t total = count + (kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames));
  if (total == 0) return _PyObject_VectorcallTstate(tstate, func, &self, 1, nullptr);
  PyObject* small[8];
  PyObject** vector = small;
  if (total + 1 > 8) {
    vector = static_cast<PyObject**>(PyMem_Malloc((total + 1) * sizeof(PyObject*)));
    if (vector == nullptr) {
      _PyErr_NoMemory(tstate);
      return nullptr;
    }
  }
  vector[0] = self;
  memcpy(vector + 1, args, total * sizeof(PyObject*));
  PyObject* result = _PyObject_VectorcallTstate(tstate, func, vector, static_cast<size_t>(count + 1), kwnames);
  if (vector != small) PyMem_Free(vector);
  return result;
}

PyObject* method_getattro(PyObject* self, PyObject* name) {
  // Descriptors of the method type itself first; everything else is the function's.
  PyTypeObject* type = Py_TYPE(self);
  if (!_PyType_IsReady(type) && PyType_Ready(type) < 0) return nullptr;
  PyObject* descriptor = _PyType_Lookup(type, name);
  if (descriptor != nullptr) {
    descrgetfunc get = Py_TYPE(descriptor)->tp_descr_get;
    if (get != nullptr) return get(descriptor, self, as_object(type));
    return Py_NewRef(descriptor);
  }
  return PyObject_GetAttr(PyMethod_GET_FUNCTION(self), name);
}

Ref<> method_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) {
    return raise(PyExc_TypeError, "method() takes no keyword arguments");
  }
  PyObject *func, *self;
  if (!PyArg_UnpackTuple(args, "method", 2, 2, &func, &self)) return nullptr;
  if (!PyCallable_Check(func)) return raise(PyExc_TypeError, "first argument must be callable");
  if (self == Py_None) return raise(PyExc_TypeError, "self must not be None");
  return Ref<>::steal(PyMethod_New(func, self));
}

void method_dealloc(PyMethodObject* self) {
  _PyObject_GC_UNTRACK(as_object(self));
  if (self->im_weakreflist != nullptr) PyObject_ClearWeakRefs(as_object(self));
  Py_DECREF(self->im_func);
  Py_XDECREF(self->im_self);
  PyObject_GC_Del(self);
}

int method_traverse(PyMethodObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->im_func);
  Py_VISIT(self->im_self);
  return 0;
}

Ref<> method_repr(Borrowed<PyMethodObject> self) {
  PyObject* name = nullptr;
  if (_PyObject_LookupAttr(self->im_func, &_Py_ID(__qualname__), &name) < 0) return nullptr;
  if (name == nullptr && _PyObject_LookupAttr(self->im_func, &_Py_ID(__name__), &name) < 0) return nullptr;
  if (name != nullptr && !PyUnicode_Check(name)) Py_CLEAR(name);
  PyObject* result = PyUnicode_FromFormat("<bound method %V of %R>", name, "?", self->im_self);
  Py_XDECREF(name);
  return Ref<>::steal(result);
}

Ref<> method_richcompare(Borrowed<> left, Borrowed<> right, int op) {
  if ((op != Py_EQ && op != Py_NE) || !PyMethod_Check(left.get()) || !PyMethod_Check(right.get())) {
    return Ref<>::dup(Py_NotImplemented);
  }
  int equal = PyObject_RichCompareBool(PyMethod_GET_FUNCTION(left.get()), PyMethod_GET_FUNCTION(right.get()), Py_EQ);
  if (equal < 0) return nullptr;
  // The same object, not an equal one.
  if (equal) equal = PyMethod_GET_SELF(left.get()) == PyMethod_GET_SELF(right.get());
  return Ref<>::dup((equal != 0) == (op == Py_EQ) ? Py_True : Py_False);
}

Py_hash_t method_hash(PyMethodObject* self) {
  Py_hash_t self_hash = _Py_HashPointer(self->im_self);
  Py_hash_t func_hash = PyObject_Hash(self->im_func);
  if (func_hash == -1) return -1;
  Py_hash_t hash = self_hash ^ func_hash;
  return hash == -1 ? -2 : hash;
}

Ref<> method_reduce(Borrowed<PyMethodObject> self) {
  PyObject* name = PyObject_GetAttr(self->im_func, &_Py_ID(__name__));
  if (name == nullptr) return nullptr;
  PyObject* getattr = _PyEval_GetBuiltin(&_Py_ID(getattr));
  if (getattr == nullptr) {
    Py_DECREF(name);
    return nullptr;
  }
  return Ref<>::steal(Py_BuildValue("N(ON)", getattr, self->im_self, name));
}

Ref<> method_get_doc(Borrowed<PyMethodObject> self) {
  return Ref<>::steal(PyObject_GetAttr(self->im_func, &_Py_ID(__doc__)));
}

PyMethodDef method_methods[] = {
    method<method_reduce, "__reduce__($self, /)", "Pickling: the attribute of an object.">(),
    {}};

PyMemberDef method_members[] = {
    {"__func__", T_OBJECT, offsetof(PyMethodObject, im_func), READONLY,
     PyDoc_STR("the function (or other callable) implementing a method")},
    {"__self__", T_OBJECT, offsetof(PyMethodObject, im_self), READONLY,
     PyDoc_STR("the instance to which a method is bound")},
    {}};

PyGetSetDef method_getset[] = {getset<method_get_doc>("__doc__"), {}};

PyObject* method_type_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return method_new(type, args, kwargs).release();
}

// --- instancemethod -----------------------------------------------------------------------------------------------

PyObject* instancemethod_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  return PyObject_Call(PyInstanceMethod_GET_FUNCTION(self), args, kwargs);
}

PyObject* instancemethod_getattro(PyObject* self, PyObject* name) {
  PyTypeObject* type = Py_TYPE(self);
  if (!_PyType_IsReady(type) && PyType_Ready(type) < 0) return nullptr;
  PyObject* descriptor = _PyType_Lookup(type, name);
  if (descriptor != nullptr) {
    descrgetfunc get = Py_TYPE(descriptor)->tp_descr_get;
    if (get != nullptr) return get(descriptor, self, as_object(type));
    return Py_NewRef(descriptor);
  }
  return PyObject_GetAttr(PyInstanceMethod_GET_FUNCTION(self), name);
}

void instancemethod_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_DECREF(PyInstanceMethod_GET_FUNCTION(self));
  PyObject_GC_Del(self);
}

int instancemethod_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(PyInstanceMethod_GET_FUNCTION(self));
  return 0;
}

PyObject* instancemethod_descr_get(PyObject* self, PyObject* object, PyObject*) {
  PyObject* func = PyInstanceMethod_GET_FUNCTION(self);
  return object == nullptr ? Py_NewRef(func) : PyMethod_New(func, object);
}

Ref<> instancemethod_richcompare(Borrowed<> left, Borrowed<> right, int op) {
  if ((op != Py_EQ && op != Py_NE) || !PyInstanceMethod_Check(left.get()) || !PyInstanceMethod_Check(right.get())) {
    return Ref<>::dup(Py_NotImplemented);
  }
  int equal = PyObject_RichCompareBool(PyInstanceMethod_GET_FUNCTION(left.get()),
                                       PyInstanceMethod_GET_FUNCTION(right.get()), Py_EQ);
  if (equal < 0) return nullptr;
  return Ref<>::dup((equal != 0) == (op == Py_EQ) ? Py_True : Py_False);
}

Ref<> instancemethod_repr(Borrowed<> self) {
  PyObject* func = PyInstanceMethod_Function(self.get());
  PyObject* name = nullptr;
  if (_PyObject_LookupAttr(func, &_Py_ID(__name__), &name) < 0) return nullptr;
  if (name != nullptr && !PyUnicode_Check(name)) Py_CLEAR(name);
  PyObject* result = PyUnicode_FromFormat("<instancemethod %V at %p>", name, "?", self.get());
  Py_XDECREF(name);
  return Ref<>::steal(result);
}

PyObject* instancemethod_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  if (kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) {
    PyErr_SetString(PyExc_TypeError, "instancemethod() takes no keyword arguments");
    return nullptr;
  }
  PyObject* func;
  if (!PyArg_UnpackTuple(args, "instancemethod", 1, 1, &func)) return nullptr;
  if (!PyCallable_Check(func)) {
    PyErr_SetString(PyExc_TypeError, "first argument must be callable");
    return nullptr;
  }
  return PyInstanceMethod_New(func);
}

Ref<> instancemethod_get_doc(Borrowed<> self) {
  return Ref<>::steal(PyObject_GetAttr(PyInstanceMethod_GET_FUNCTION(self.get()), &_Py_ID(__doc__)));
}

PyMemberDef instancemethod_members[] = {
    {"__func__", T_OBJECT, offsetof(PyInstanceMethodObject, func), READONLY,
     PyDoc_STR("the function (or other callable) implementing a method")},
    {}};
PyGetSetDef instancemethod_getset[] = {getset<instancemethod_get_doc>("__doc__"), {}};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyMethod_Type = {
    .ob_base = type_head(),
    .tp_name = "method",
    .tp_basicsize = sizeof(PyMethodObject),
    .tp_dealloc = reinterpret_cast<destructor>(method_dealloc),
    .tp_vectorcall_offset = offsetof(PyMethodObject, vectorcall),
    .tp_repr = slot<method_repr>,
    .tp_hash = reinterpret_cast<hashfunc>(method_hash),
    .tp_call = PyVectorcall_Call,
    .tp_getattro = method_getattro,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "method(function, instance)\n--\n\nA callable bound to its first argument.",
    .tp_traverse = reinterpret_cast<traverseproc>(method_traverse),
    .tp_richcompare = slot<method_richcompare>,
    .tp_weaklistoffset = offsetof(PyMethodObject, im_weakreflist),
    .tp_methods = method_methods,
    .tp_members = method_members,
    .tp_getset = method_getset,
    .tp_new = method_type_new,
};

PyTypeObject PyInstanceMethod_Type = {
    .ob_base = type_head(),
    .tp_name = "instancemethod",
    .tp_basicsize = sizeof(PyInstanceMethodObject),
    .tp_dealloc = instancemethod_dealloc,
    .tp_repr = slot<instancemethod_repr>,
    .tp_call = instancemethod_call,
    .tp_getattro = instancemethod_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "instancemethod(function)\n--\n\nBinds a callable that is no function when it is found on a class.",
    .tp_traverse = instancemethod_traverse,
    .tp_richcompare = slot<instancemethod_richcompare>,
    .tp_members = instancemethod_members,
    .tp_getset = instancemethod_getset,
    .tp_descr_get = instancemethod_descr_get,
    .tp_new = instancemethod_new,
};

PyObject* PyMethod_New(PyObject* func, PyObject* self) {
  if (self == nullptr) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  auto* method = PyObject_GC_New(PyMethodObject, &PyMethod_Type);
  if (method == nullptr) return nullptr;
  method->im_weakreflist = nullptr;
  method->im_func = Py_NewRef(func);
  method->im_self = Py_NewRef(self);
  method->vectorcall = method_vectorcall;
  _PyObject_GC_TRACK(as_object(method));
  return as_object(method);
}

PyObject* PyMethod_Function(PyObject* method) {
  if (!PyMethod_Check(method)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  return PyMethod_GET_FUNCTION(method);
}

PyObject* PyMethod_Self(PyObject* method) {
  if (!PyMethod_Check(method)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  return PyMethod_GET_SELF(method);
}

PyObject* PyInstanceMethod_New(PyObject* func) {
  auto* method = PyObject_GC_New(PyInstanceMethodObject, &PyInstanceMethod_Type);
  if (method == nullptr) return nullptr;
  method->func = Py_NewRef(func);
  _PyObject_GC_TRACK(as_object(method));
  return as_object(method);
}

PyObject* PyInstanceMethod_Function(PyObject* method) {
  if (!PyInstanceMethod_Check(method)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  return PyInstanceMethod_GET_FUNCTION(method);
}
