// PyCFunction and PyCMethod: C functions as objects, bound to a self (a module or an instance).
#include "Objects/bind.h"
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_ceval.h"
#include "pycore_object.h"
#include "pycore_pyerrors.h"
#include "pycore_tuple.h"

using namespace pyston;

namespace {

PyCFunctionObject* as_function(PyObject* object) { return reinterpret_cast<PyCFunctionObject*>(object); }

/// What the C function gets as self: a static method has none.
ALWAYS_INLINE PyObject* bound_self(PyCFunctionObject* function) {
  return (function->m_ml->ml_flags & METH_STATIC) ? nullptr : function->m_self;
}

template <class Function>
ALWAYS_INLINE Function c_function(PyObject* self) {
  return reinterpret_cast<Function>(reinterpret_cast<void (*)()>(as_function(self)->m_ml->ml_meth));
}

// ---------------------------------------------------------------------------------------------------------------
// Calls, one function a calling convention

COLD PyObject* raise_no_keywords(PyObject* function) {
  auto text = Ref<>::steal(_PyObject_FunctionStr(function));
  if (text) PyErr_Format(PyExc_TypeError, "%U takes no keyword arguments", text.get());
  return nullptr;
}

COLD PyObject* raise_argument_count(PyObject* function, const char* expectation, Py_ssize_t given) {
  auto text = Ref<>::steal(_PyObject_FunctionStr(function));
  if (text) PyErr_Format(PyExc_TypeError, "%U takes %s (%zd given)", text.get(), expectation, given);
  return nullptr;
}

ALWAYS_INLINE bool has_keywords(PyObject* kwnames) { return kwnames != nullptr && PyTuple_GET_SIZE(kwnames) != 0; }

constexpr const char* kRecursionText = " while calling a Python object";

PyObject* call_fastcall(PyObject* function, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (UNLIKELY(has_keywords(kwnames))) return raise_no_keywords(function);
  PyThreadState* tstate = _PyThreadState_GET();
  if (_Py_EnterRecursiveCallTstate(tstate, kRecursionText)) return nullptr;
  PyObject* result = c_function<_PyCFunctionFast>(function)(bound_self(as_function(function)), args,
                                                           PyVectorcall_NARGS(nargsf));
  _Py_LeaveRecursiveCallTstate(tstate);
  return result;
}

PyObject* call_fastcall_keywords(PyObject* function, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (_Py_EnterRecursiveCallTstate(tstate, kRecursionText)) return nullptr;
  PyObject* result = c_function<_PyCFunctionFastWithKeywords>(function)(bound_self(as_function(function)), args,
                                                                       PyVectorcall_NARGS(nargsf), kwnames);
  _Py_LeaveRecursiveCallTstate(tstate);
  return result;
}

PyObject* call_with_class(PyObject* function, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (_Py_EnterRecursiveCallTstate(tstate, kRecursionText)) return nullptr;
  PyTypeObject* cls = reinterpret_cast<PyCMethodObject*>(function)->mm_class;
  PyObject* result = c_function<PyCMethod>(function)(bound_self(as_function(function)), cls, args,
                                                    static_cast<size_t>(PyVectorcall_NARGS(nargsf)), kwnames);
  _Py_LeaveRecursiveCallTstate(tstate);
  return result;
}

PyObject* call_noargs(PyObject* function, PyObject* const*, size_t nargsf, PyObject* kwnames) {
  if (UNLIKELY(has_keywords(kwnames))) return raise_no_keywords(function);
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (UNLIKELY(nargs != 0)) return raise_argument_count(function, "no arguments", nargs);
  PyThreadState* tstate = _PyThreadState_GET();
  if (_Py_EnterRecursiveCallTstate(tstate, kRecursionText)) return nullptr;
  PyObject* result = c_function<PyCFunction>(function)(bound_self(as_function(function)), nullptr);
  _Py_LeaveRecursiveCallTstate(tstate);
  return result;
}

PyObject* call_one(PyObject* function, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (UNLIKELY(has_keywords(kwnames))) return raise_no_keywords(function);
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (UNLIKELY(nargs != 1)) return raise_argument_count(function, "exactly one argument", nargs);
  PyThreadState* tstate = _PyThreadState_GET();
  if (_Py_EnterRecursiveCallTstate(tstate, kRecursionText)) return nullptr;
  PyObject* result = c_function<PyCFunction>(function)(bound_self(as_function(function)), args[0]);
  _Py_LeaveRecursiveCallTstate(tstate);
  return result;
}

/// tp_call: METH_VARARGS functions have no vectorcall entry, they want the tuple.
PyObject* function_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyCFunctionObject* function = as_function(self);
  if (function->vectorcall != nullptr) return PyVectorcall_Call(self, args, kwargs);
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject* result;
  if (function->m_ml->ml_flags & METH_KEYWORDS) {
    result = c_function<PyCFunctionWithKeywords>(self)(bound_self(function), args, kwargs);
  } else {
    if (kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) return raise_no_keywords(self);
    result = c_function<PyCFunction>(self)(bound_self(function), args);
  }
  return _Py_CheckFunctionResult(tstate, self, result, nullptr);
}

// ---------------------------------------------------------------------------------------------------------------
// Lifetime

void function_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PyThreadState* tstate = _PyThreadState_GET();
  if (_PyTrash_begin(tstate, self)) return;
  PyCFunctionObject* function = as_function(self);
  if (function->m_weakreflist != nullptr) PyObject_ClearWeakRefs(self);
  // Before the class goes: the definition may live in it.
  Py_XDECREF(as_object(PyCFunction_GET_CLASS(self)));
  Py_XDECREF(function->m_self);
  Py_XDECREF(function->m_module);
  PyObject_GC_Del(self);
  _PyTrash_end(tstate);
}

int function_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(PyCFunction_GET_CLASS(self));
  Py_VISIT(as_function(self)->m_self);
  Py_VISIT(as_function(self)->m_module);
  return 0;
}

// ---------------------------------------------------------------------------------------------------------------
// Attributes

Ref<> function_reduce(Borrowed<PyCFunctionObject> self) {
  if (self->m_self == nullptr || PyModule_Check(self->m_self)) {
    return Ref<>::steal(PyUnicode_FromString(self->m_ml->ml_name));
  }
  auto getattr = VM_TRY(Ref<>::steal(_PyEval_GetBuiltin(&_Py_ID(getattr))));
  return Ref<>::steal(Py_BuildValue("N(Os)", getattr.release(), self->m_self, self->m_ml->ml_name));
}

PyObject* get_doc(PyObject* self, void*) {
  return _PyType_GetDocFromInternalDoc(as_function(self)->m_ml->ml_name, as_function(self)->m_ml->ml_doc);
}
PyObject* get_text_signature(PyObject* self, void*) {
  return _PyType_GetTextSignatureFromInternalDoc(as_function(self)->m_ml->ml_name, as_function(self)->m_ml->ml_doc);
}
PyObject* get_name(PyObject* self, void*) { return PyUnicode_FromString(as_function(self)->m_ml->ml_name); }

PyObject* get_qualified_name(PyObject* self, void*) {
  PyCFunctionObject* function = as_function(self);
  if (function->m_self == nullptr || PyModule_Check(function->m_self)) return get_name(self, nullptr);
  // type.__qualname__ "." name, with the class itself for class methods.
  PyObject* owner = PyType_Check(function->m_self) ? function->m_self : as_object(Py_TYPE(function->m_self));
  auto owner_name = Ref<>::steal(PyObject_GetAttr(owner, &_Py_ID(__qualname__)));
  if (!owner_name) return nullptr;
  if (!PyUnicode_Check(owner_name.get())) {
    PyErr_SetString(PyExc_TypeError, "<method>.__class__.__qualname__ is not a unicode object");
    return nullptr;
  }
  return PyUnicode_FromFormat("%S.%s", owner_name.get(), function->m_ml->ml_name);
}

PyObject* get_self(PyObject* self, void*) {
  PyObject* bound = bound_self(as_function(self));
  return Py_NewRef(bound == nullptr ? Py_None : bound);
}

PyMethodDef function_methods[] = {method<function_reduce, "__reduce__($self, /)", "Pickle by name.">(), {}};
PyGetSetDef function_getset[] = {{"__doc__", get_doc, nullptr, nullptr, nullptr},
                                 {"__name__", get_name, nullptr, nullptr, nullptr},
                                 {"__qualname__", get_qualified_name, nullptr, nullptr, nullptr},
                                 {"__self__", get_self, nullptr, nullptr, nullptr},
                                 {"__text_signature__", get_text_signature, nullptr, nullptr, nullptr},
                                 {}};
PyMemberDef function_members[] = {{"__module__", T_OBJECT, offsetof(PyCFunctionObject, m_module), 0, nullptr}, {}};

PyObject* function_repr(PyObject* self) {
  PyCFunctionObject* function = as_function(self);
  if (function->m_self == nullptr || PyModule_Check(function->m_self)) {
    return PyUnicode_FromFormat("<built-in function %s>", function->m_ml->ml_name);
  }
  return PyUnicode_FromFormat("<built-in method %s of %s object at %p>", function->m_ml->ml_name,
                              Py_TYPE(function->m_self)->tp_name, function->m_self);
}

PyObject* function_richcompare(PyObject* left, PyObject* right, int op) {
  if ((op != Py_EQ && op != Py_NE) || !PyCFunction_Check(left) || !PyCFunction_Check(right)) {
    return Py_NewRef(Py_NotImplemented);
  }
  bool equal = as_function(left)->m_self == as_function(right)->m_self &&
               as_function(left)->m_ml->ml_meth == as_function(right)->m_ml->ml_meth;
  return Py_NewRef(equal == (op == Py_EQ) ? Py_True : Py_False);
}

Py_hash_t function_hash(PyObject* self) {
  Py_hash_t hash = _Py_HashPointer(as_function(self)->m_self) ^
                   _Py_HashPointer(reinterpret_cast<const void*>(as_function(self)->m_ml->ml_meth));
  return hash == -1 ? -2 : hash;
}

/// False with SystemError for flags that fit no calling convention.
bool choose_vectorcall(const PyMethodDef* definition, vectorcallfunc* out) {
  switch (definition->ml_flags & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)) {
    case METH_VARARGS:
    case METH_VARARGS | METH_KEYWORDS: *out = nullptr; return true;
    case METH_FASTCALL: *out = call_fastcall; return true;
    case METH_FASTCALL | METH_KEYWORDS: *out = call_fastcall_keywords; return true;
    case METH_NOARGS: *out = call_noargs; return true;
    case METH_O: *out = call_one; return true;
    case METH_METHOD | METH_FASTCALL | METH_KEYWORDS: *out = call_with_class; return true;
    default:
      PyErr_Format(PyExc_SystemError, "%s() method: bad call flags", definition->ml_name);
      return false;
  }
}

}  // namespace

PyTypeObject PyCFunction_Type = {
    .ob_base = type_head(),
    .tp_name = "builtin_function_or_method",
    .tp_basicsize = sizeof(PyCFunctionObject),
    .tp_dealloc = function_dealloc,
    .tp_vectorcall_offset = offsetof(PyCFunctionObject, vectorcall),
    .tp_repr = function_repr,
    .tp_hash = function_hash,
    .tp_call = function_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_traverse = function_traverse,
    .tp_richcompare = function_richcompare,
    .tp_weaklistoffset = offsetof(PyCFunctionObject, m_weakreflist),
    .tp_methods = function_methods,
    .tp_members = function_members,
    .tp_getset = function_getset,
};

PyTypeObject PyCMethod_Type = {
    .ob_base = type_head(),
    .tp_name = "builtin_method",
    .tp_basicsize = sizeof(PyCMethodObject),
    .tp_base = &PyCFunction_Type,
};

#undef PyCFunction_New
#undef PyCFunction_NewEx

extern "C" {

PyObject* PyCMethod_New(PyMethodDef* definition, PyObject* self, PyObject* module, PyTypeObject* cls) {
  vectorcallfunc function;
  if (!choose_vectorcall(definition, &function)) return nullptr;
  bool with_class = definition->ml_flags & METH_METHOD;
  if (UNLIKELY(with_class != (cls != nullptr))) {
    PyErr_SetString(PyExc_SystemError, with_class
                                           ? "attempting to create PyCMethod with a METH_METHOD flag but no class"
                                           : "attempting to create PyCFunction with class but no METH_METHOD flag");
    return nullptr;
  }
  PyCFunctionObject* object;
  if (with_class) {
    auto* method = PyObject_GC_New(PyCMethodObject, &PyCMethod_Type);
    if (method == nullptr) return nullptr;
    method->mm_class = reinterpret_cast<PyTypeObject*>(Py_NewRef(as_object(cls)));
    object = &method->func;
  } else {
    object = PyObject_GC_New(PyCFunctionObject, &PyCFunction_Type);
    if (object == nullptr) return nullptr;
  }
  object->m_weakreflist = nullptr;
  object->m_ml = definition;
  object->m_self = Py_XNewRef(self);
  object->m_module = Py_XNewRef(module);
  object->vectorcall = function;
  _PyObject_GC_TRACK(as_object(object));
  return as_object(object);
}

PyAPI_FUNC(PyObject*) PyCFunction_NewEx(PyMethodDef* definition, PyObject* self, PyObject* module);
PyObject* PyCFunction_NewEx(PyMethodDef* definition, PyObject* self, PyObject* module) {
  return PyCMethod_New(definition, self, module, nullptr);
}
PyAPI_FUNC(PyObject*) PyCFunction_New(PyMethodDef* definition, PyObject* self);
PyObject* PyCFunction_New(PyMethodDef* definition, PyObject* self) {
  return PyCMethod_New(definition, self, nullptr, nullptr);
}

PyCFunction PyCFunction_GetFunction(PyObject* function) {
  if (PyCFunction_Check(function)) return as_function(function)->m_ml->ml_meth;
  PyErr_BadInternalCall();
  return nullptr;
}
PyObject* PyCFunction_GetSelf(PyObject* function) {
  if (PyCFunction_Check(function)) return bound_self(as_function(function));
  PyErr_BadInternalCall();
  return nullptr;
}
int PyCFunction_GetFlags(PyObject* function) {
  if (PyCFunction_Check(function)) return as_function(function)->m_ml->ml_flags;
  PyErr_BadInternalCall();
  return -1;
}
PyTypeObject* PyCMethod_GetClass(PyObject* function) {
  if (PyCFunction_Check(function)) return PyCFunction_GET_CLASS(function);
  PyErr_BadInternalCall();
  return nullptr;
}

}  // extern "C"
