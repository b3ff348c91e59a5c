// Descriptors for what C code defines: methods, class methods, members, computed attributes and slot wrappers.
//
// A method descriptor carries the vectorcall function that fits the flags of its PyMethodDef, so that calling
// `list.append` needs no decision at run time. Bound forms are PyCFunction (methods) and method-wrapper (slots).
#include "Objects/bind.h"
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_ceval.h"
#include "pycore_pyerrors.h"
#include "pycore_tuple.h"

using namespace pyston;

namespace {

PyDescrObject* as_descr(PyObject* object) { return reinterpret_cast<PyDescrObject*>(object); }
PyMethodDescrObject* as_method(PyObject* object) { return reinterpret_cast<PyMethodDescrObject*>(object); }
PyMemberDescrObject* as_member(PyObject* object) { return reinterpret_cast<PyMemberDescrObject*>(object); }
PyGetSetDescrObject* as_getset(PyObject* object) { return reinterpret_cast<PyGetSetDescrObject*>(object); }
PyWrapperDescrObject* as_wrapper(PyObject* object) { return reinterpret_cast<PyWrapperDescrObject*>(object); }

// ---------------------------------------------------------------------------------------------------------------
// Common parts

void descr_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  Py_XDECREF(as_object(as_descr(self)->d_type));
  Py_XDECREF(as_descr(self)->d_name);
  Py_XDECREF(as_descr(self)->d_qualname);
  PyObject_GC_Del(self);
}

int descr_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_descr(self)->d_type);
  return 0;
}

PyObject* descr_repr_as(PyObject* self, const char* format) {
  PyDescrObject* descr = as_descr(self);
  PyObject* name = descr->d_name != nullptr && PyUnicode_Check(descr->d_name) ? descr->d_name : &_Py_STR(anon_unknown);
  return PyUnicode_FromFormat(format, name, descr->d_type->tp_name);
}
PyObject* method_repr(PyObject* self) { return descr_repr_as(self, "<method '%U' of '%s' objects>"); }

COLD bool raise_wrong_object(PyObject* descr, PyObject* object) {
  PyErr_Format(PyExc_TypeError, "descriptor '%V' for '%.100s' objects doesn't apply to a '%.100s' object",
               as_descr(descr)->d_name, "?", as_descr(descr)->d_type->tp_name, Py_TYPE(object)->tp_name);
  return false;
}

ALWAYS_INLINE bool check_object(PyObject* descr, PyObject* object) {
  return LIKELY(PyObject_TypeCheck(object, as_descr(descr)->d_type)) || raise_wrong_object(descr, object);
}

PyObject* compute_qualified_name(PyDescrObject* descr) {
  if (descr->d_name == nullptr || !PyUnicode_Check(descr->d_name)) {
    PyErr_SetString(PyExc_TypeError, "<descriptor>.__name__ is not a unicode object");
    return nullptr;
  }
  auto type_name = Ref<>::steal(PyObject_GetAttr(as_object(descr->d_type), &_Py_ID(__qualname__)));
  if (!type_name) return nullptr;
  if (!PyUnicode_Check(type_name.get())) {
    PyErr_SetString(PyExc_TypeError, "<descriptor>.__objclass__.__qualname__ is not a unicode object");
    return nullptr;
  }
  return PyUnicode_FromFormat("%S.%S", type_name.get(), descr->d_name);
}

PyObject* get_qualified_name(PyObject* self, void*) {
  PyDescrObject* descr = as_descr(self);
  if (descr->d_qualname == nullptr) descr->d_qualname = compute_qualified_name(descr);
  return Py_XNewRef(descr->d_qualname);
}

Ref<> descr_reduce(Borrowed<PyDescrObject> self) {
  auto getattr = VM_TRY(Ref<>::steal(_PyEval_GetBuiltin(&_Py_ID(getattr))));
  return Ref<>::steal(Py_BuildValue("N(OO)", getattr.release(), self->d_type, self->d_name));
}

PyMethodDef descr_methods[] = {method<descr_reduce, "__reduce__($self, /)", "Pickle as getattr(type, name).">(), {}};
PyMemberDef descr_members[] = {{"__objclass__", T_OBJECT, offsetof(PyDescrObject, d_type), READONLY, nullptr},
                               {"__name__", T_OBJECT, offsetof(PyDescrObject, d_name), READONLY, nullptr},
                               {}};

template <class T>
T* new_descr(PyTypeObject* descr_type, PyTypeObject* type, const char* name) {
  auto* descr = reinterpret_cast<PyDescrObject*>(PyType_GenericAlloc(descr_type, 0));
  if (descr == nullptr) return nullptr;
  descr->d_type = reinterpret_cast<PyTypeObject*>(Py_XNewRef(as_object(type)));
  descr->d_name = PyUnicode_InternFromString(name);
  descr->d_qualname = nullptr;
  if (descr->d_name == nullptr) {
    Py_DECREF(descr);
    return nullptr;
  }
  return reinterpret_cast<T*>(descr);
}

// ---------------------------------------------------------------------------------------------------------------
// Methods: calls

ALWAYS_INLINE Py_ssize_t keyword_count(PyObject* kwnames) { return kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames); }

COLD bool raise_no_keywords(PyObject* function) {
  auto text = Ref<>::steal(_PyObject_FunctionStr(function));
  if (text) PyErr_Format(PyExc_TypeError, "%U takes no keyword arguments", text.get());
  return false;
}

COLD bool raise_argument_count(PyObject* function, const char* expectation, Py_ssize_t given) {
  auto text = Ref<>::steal(_PyObject_FunctionStr(function));
  if (text) PyErr_Format(PyExc_TypeError, "%U takes %s (%zd given)", text.get(), expectation, given);
  return false;
}

/// args[0] has to be there and an instance; keywords only where the function takes them.
ALWAYS_INLINE bool check_method_call(PyObject* function, PyObject* const* args, Py_ssize_t nargs) {
  if (UNLIKELY(nargs < 1)) {
    auto text = Ref<>::steal(_PyObject_FunctionStr(function));
    if (text) PyErr_Format(PyExc_TypeError, "unbound method %U needs an argument", text.get());
    return false;
  }
  return check_object(function, args[0]);
}

template <class Function>
ALWAYS_INLINE Function c_function(PyObject* self) {
  return reinterpret_cast<Function>(reinterpret_cast<void (*)()>(as_method(self)->d_method->ml_meth));
}

struct RecursionGuard {
  explicit RecursionGuard(PyThreadState* tstate)
      : tstate_(tstate), entered(!_Py_EnterRecursiveCallTstate(tstate, " while calling a Python object")) {}
  ~RecursionGuard() {
    if (entered) _Py_LeaveRecursiveCallTstate(tstate_);
  }
  PyThreadState* tstate_;
  bool entered;
};

using MethodWithClass = PyObject* (*)(PyObject*, PyTypeObject*, PyObject* const*, size_t, PyObject*);

PyObject* method_vectorcall_varargs(PyObject* function, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (!check_method_call(function, args, nargs)) return nullptr;
  if (keyword_count(kwnames) && !raise_no_keywords(function)) return nullptr;
  auto tuple = Ref<>::steal(_PyTuple_FromArray(args + 1, nargs - 1));
  if (!tuple) return nullptr;
  RecursionGuard guard(_PyThreadState_GET());
  return guard.entered ? c_function<PyCFunction>(function)(args[0], tuple.get()) : nullptr;
}

PyObject* method_vectorcall_varargs_keywords(PyObject* function, PyObject* const* args, size_t nargsf,
                                             PyObject* kwnames) {
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (!check_method_call(function, args, nargs)) return nullptr;
  auto tuple = Ref<>::steal(_PyTuple_FromArray(args + 1, nargs - 1));
  if (!tuple) return nullptr;
  Ref<> kwargs;
  if (keyword_count(kwnames)) {
    kwargs = Ref<>::steal(_PyStack_AsDict(args + nargs, kwnames));
    if (!kwargs) return nullptr;
  }
  RecursionGuard guard(_PyThreadState_GET());
  return guard.entered ? c_function<PyCFunctionWithKeywords>(function)(args[0], tuple.get(), kwargs.get()) : nullptr;
}

PyObject* method_vectorcall_fastcall(PyObject* function, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (!check_method_call(function, args, nargs)) return nullptr;
  if (keyword_count(kwnames) && !raise_no_keywords(function)) return nullptr;
  RecursionGuard guard(_PyThreadState_GET());
  return guard.entered ? c_function<_PyCFunctionFast>(function)(args[0], args + 1, nargs - 1) : nullptr;
}

PyObject* method_vectorcall_fastcall_keywords(PyObject* function, PyObject* const* args, size_t nargsf,
                                              PyObject* kwnames) {
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (!check_method_call(function, args, nargs)) return nullptr;
  RecursionGuard guard(_PyThreadState_GET());
  return guard.entered
             ? c_function<_PyCFunctionFastWithKeywords>(function)(args[0], args + 1, nargs - 1, kwnames)
             : nullptr;
}

PyObject* method_vectorcall_with_class(PyObject* function, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (!check_method_call(function, args, nargs)) return nullptr;
  RecursionGuard guard(_PyThreadState_GET());
  return guard.entered ? c_function<MethodWithClass>(function)(args[0], as_descr(function)->d_type, args + 1,
                                                               static_cast<size_t>(nargs - 1), kwnames)
                       : nullptr;
}

PyObject* method_vectorcall_noargs(PyObject* function, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (!check_method_call(function, args, nargs)) return nullptr;
  if (keyword_count(kwnames) && !raise_no_keywords(function)) return nullptr;
  if (UNLIKELY(nargs != 1) && !raise_argument_count(function, "no arguments", nargs - 1)) return nullptr;
  RecursionGuard guard(_PyThreadState_GET());
  return guard.entered ? c_function<PyCFunction>(function)(args[0], nullptr) : nullptr;
}

PyObject* method_vectorcall_one(PyObject* function, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (!check_method_call(function, args, nargs)) return nullptr;
  if (keyword_count(kwnames) && !raise_no_keywords(function)) return nullptr;
  if (UNLIKELY(nargs != 2) && !raise_argument_count(function, "exactly one argument", nargs - 1)) return nullptr;
  RecursionGuard guard(_PyThreadState_GET());
  return guard.entered ? c_function<PyCFunction>(function)(args[0], args[1]) : nullptr;
}

/// The vectorcall function for a method's flags; null for an invalid combination.
vectorcallfunc choose_vectorcall(int flags) {
  switch (flags & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)) {
    case METH_VARARGS: return method_vectorcall_varargs;
    case METH_VARARGS | METH_KEYWORDS: return method_vectorcall_varargs_keywords;
    case METH_FASTCALL: return method_vectorcall_fastcall;
    case METH_FASTCALL | METH_KEYWORDS: return method_vectorcall_fastcall_keywords;
    case METH_NOARGS: return method_vectorcall_noargs;
    case METH_O: return method_vectorcall_one;
    case METH_METHOD | METH_FASTCALL | METH_KEYWORDS: return method_vectorcall_with_class;
    default: return nullptr;
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Methods: access

PyObject* method_get(PyObject* self, PyObject* object, PyObject*) {
  if (object == nullptr) return Py_NewRef(self);
  if (!check_object(self, object)) return nullptr;
  PyMethodDescrObject* descr = as_method(self);
  PyTypeObject* cls = (descr->d_method->ml_flags & METH_METHOD) ? descr->d_common.d_type : nullptr;
  return PyCMethod_New(descr->d_method, object, nullptr, cls);
}

PyObject* classmethod_get(PyObject* self, PyObject* object, PyObject* type) {
  PyMethodDescrObject* descr = as_method(self);
  PyTypeObject* own = descr->d_common.d_type;
  if (type == nullptr) {
    if (object == nullptr) {
      PyErr_Format(PyExc_TypeError, "descriptor '%V' for type '%.100s' needs either an object or a type",
                   descr->d_common.d_name, "?", own->tp_name);
      return nullptr;
    }
    type = as_object(Py_TYPE(object));
  }
  if (!PyType_Check(type)) {
    PyErr_Format(PyExc_TypeError, "descriptor '%V' for type '%.100s' needs a type, not a '%.100s' as arg 2",
                 descr->d_common.d_name, "?", own->tp_name, Py_TYPE(type)->tp_name);
    return nullptr;
  }
  if (!PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(type), own)) {
    PyErr_Format(PyExc_TypeError, "descriptor '%V' requires a subtype of '%.100s' but received '%.100s'",
                 descr->d_common.d_name, "?", own->tp_name, reinterpret_cast<PyTypeObject*>(type)->tp_name);
    return nullptr;
  }
  PyTypeObject* cls = (descr->d_method->ml_flags & METH_METHOD) ? own : nullptr;
  return PyCMethod_New(descr->d_method, type, nullptr, cls);
}

PyObject* classmethod_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (count < 1) {
    PyErr_Format(PyExc_TypeError, "descriptor '%V' of '%.100s' object needs an argument", as_descr(self)->d_name, "?",
                 as_descr(self)->d_type->tp_name);
    return nullptr;
  }
  auto bound = Ref<>::steal(classmethod_get(self, nullptr, PyTuple_GET_ITEM(args, 0)));
  if (!bound) return nullptr;
  return PyObject_VectorcallDict(bound.get(), _PyTuple_ITEMS(args) + 1, static_cast<size_t>(count - 1), kwargs);
}

PyObject* get_method_doc(PyObject* self, void*) {
  return _PyType_GetDocFromInternalDoc(as_method(self)->d_method->ml_name, as_method(self)->d_method->ml_doc);
}
PyObject* get_method_signature(PyObject* self, void*) {
  return _PyType_GetTextSignatureFromInternalDoc(as_method(self)->d_method->ml_name,
                                                 as_method(self)->d_method->ml_doc);
}

PyGetSetDef method_getset[] = {{"__doc__", get_method_doc, nullptr, nullptr, nullptr},
                               {"__qualname__", get_qualified_name, nullptr, nullptr, nullptr},
                               {"__text_signature__", get_method_signature, nullptr, nullptr, nullptr},
                               {}};

// ---------------------------------------------------------------------------------------------------------------
// Members and computed attributes

PyObject* member_repr(PyObject* self) { return descr_repr_as(self, "<member '%U' of '%s' objects>"); }

PyObject* member_get(PyObject* self, PyObject* object, PyObject*) {
  if (object == nullptr) return Py_NewRef(self);
  if (!check_object(self, object)) return nullptr;
  PyMemberDef* member = as_member(self)->d_member;
  if (UNLIKELY(member->flags & PY_AUDIT_READ) &&
      PySys_Audit("object.__getattr__", "Os", object, member->name) < 0) {
    return nullptr;
  }
  return PyMember_GetOne(reinterpret_cast<char*>(object), member);
}

COLD bool raise_cannot_set(PyObject* descr, PyObject* object) {
  PyErr_Format(PyExc_TypeError, "descriptor '%V' for '%.100s' objects doesn't apply to a '%.100s' object",
               as_descr(descr)->d_name, "?", as_descr(descr)->d_type->tp_name, Py_TYPE(object)->tp_name);
  return false;
}

int member_set(PyObject* self, PyObject* object, PyObject* value) {
  if (!PyObject_TypeCheck(object, as_descr(self)->d_type) && !raise_cannot_set(self, object)) return -1;
  return PyMember_SetOne(reinterpret_cast<char*>(object), as_member(self)->d_member, value);
}

PyObject* get_member_doc(PyObject* self, void*) {
  const char* doc = as_member(self)->d_member->doc;
  return doc == nullptr ? Ref<>::none().release() : PyUnicode_FromString(doc);
}
PyGetSetDef member_getset[] = {{"__doc__", get_member_doc, nullptr, nullptr, nullptr},
                               {"__qualname__", get_qualified_name, nullptr, nullptr, nullptr},
                               {}};

PyObject* getset_repr(PyObject* self) { return descr_repr_as(self, "<attribute '%U' of '%s' objects>"); }

PyObject* getset_get(PyObject* self, PyObject* object, PyObject*) {
  if (object == nullptr) return Py_NewRef(self);
  if (!check_object(self, object)) return nullptr;
  PyGetSetDef* definition = as_getset(self)->d_getset;
  if (definition->get != nullptr) return definition->get(object, definition->closure);
  PyErr_Format(PyExc_AttributeError, "attribute '%V' of '%.100s' objects is not readable", as_descr(self)->d_name, "?",
               as_descr(self)->d_type->tp_name);
  return nullptr;
}

int getset_set(PyObject* self, PyObject* object, PyObject* value) {
  if (!PyObject_TypeCheck(object, as_descr(self)->d_type) && !raise_cannot_set(self, object)) return -1;
  PyGetSetDef* definition = as_getset(self)->d_getset;
  if (definition->set != nullptr) return definition->set(object, value, definition->closure);
  PyErr_Format(PyExc_AttributeError, "attribute '%V' of '%.100s' objects is not writable", as_descr(self)->d_name, "?",
               as_descr(self)->d_type->tp_name);
  return -1;
}

PyObject* get_getset_doc(PyObject* self, void*) {
  const char* doc = as_getset(self)->d_getset->doc;
  return doc == nullptr ? Ref<>::none().release() : PyUnicode_FromString(doc);
}
PyGetSetDef getset_getset[] = {{"__doc__", get_getset_doc, nullptr, nullptr, nullptr},
                               {"__qualname__", get_qualified_name, nullptr, nullptr, nullptr},
                               {}};

// ---------------------------------------------------------------------------------------------------------------
// Slot wrappers

PyObject* wrapper_repr(PyObject* self) { return descr_repr_as(self, "<slot wrapper '%U' of '%s' objects>"); }

PyObject* call_wrapper(PyWrapperDescrObject* descr, PyObject* self, PyObject* args, PyObject* kwargs) {
  wrapperfunc function = descr->d_base->wrapper;
  if (descr->d_base->flags & PyWrapperFlag_KEYWORDS) {
    auto with_keywords = reinterpret_cast<wrapperfunc_kwds>(reinterpret_cast<void (*)()>(function));
    return with_keywords(self, args, descr->d_wrapped, kwargs);
  }
  if (kwargs != nullptr && (!PyDict_Check(kwargs) || PyDict_GET_SIZE(kwargs) != 0)) {
    PyErr_Format(PyExc_TypeError, "wrapper %s() takes no keyword arguments", descr->d_base->name);
    return nullptr;
  }
  return function(self, args, descr->d_wrapped);
}

PyObject* wrapper_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyWrapperDescrObject* descr = as_wrapper(self);
  Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (count < 1) {
    PyErr_Format(PyExc_TypeError, "descriptor '%V' of '%.100s' object needs an argument", descr->d_common.d_name, "?",
                 descr->d_common.d_type->tp_name);
    return nullptr;
  }
  PyObject* object = PyTuple_GET_ITEM(args, 0);
  if (!_PyObject_RealIsSubclass(as_object(Py_TYPE(object)), as_object(descr->d_common.d_type))) {
    PyErr_Format(PyExc_TypeError, "descriptor '%V' requires a '%.100s' object but received a '%.100s'",
                 descr->d_common.d_name, "?", descr->d_common.d_type->tp_name, Py_TYPE(object)->tp_name);
    return nullptr;
  }
  auto rest = Ref<>::steal(PyTuple_GetSlice(args, 1, count));
  return rest ? call_wrapper(descr, object, rest.get(), kwargs) : nullptr;
}

PyObject* wrapper_get(PyObject* self, PyObject* object, PyObject*) {
  if (object == nullptr) return Py_NewRef(self);
  return check_object(self, object) ? PyWrapper_New(self, object) : nullptr;
}

PyObject* get_wrapper_doc(PyObject* self, void*) {
  return _PyType_GetDocFromInternalDoc(as_wrapper(self)->d_base->name, as_wrapper(self)->d_base->doc);
}
PyObject* get_wrapper_signature(PyObject* self, void*) {
  return _PyType_GetTextSignatureFromInternalDoc(as_wrapper(self)->d_base->name, as_wrapper(self)->d_base->doc);
}
PyGetSetDef wrapper_getset[] = {{"__doc__", get_wrapper_doc, nullptr, nullptr, nullptr},
                                {"__qualname__", get_qualified_name, nullptr, nullptr, nullptr},
                                {"__text_signature__", get_wrapper_signature, nullptr, nullptr, nullptr},
                                {}};

// ---------------------------------------------------------------------------------------------------------------
// method-wrapper: a slot wrapper bound to an object

struct MethodWrapper {
  PyObject_HEAD
  PyWrapperDescrObject* descr;
  PyObject* self;
};
MethodWrapper* as_bound(PyObject* object) { return reinterpret_cast<MethodWrapper*>(object); }

void bound_dealloc(PyObject* object) {
  PyObject_GC_UnTrack(object);
  PyThreadState* tstate = _PyThreadState_GET();
  if (_PyTrash_begin(tstate, object)) return;
  Py_XDECREF(as_object(as_bound(object)->descr));
  Py_XDECREF(as_bound(object)->self);
  PyObject_GC_Del(object);
  _PyTrash_end(tstate);
}
int bound_traverse(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(as_bound(object)->descr);
  Py_VISIT(as_bound(object)->self);
  return 0;
}
PyObject* bound_richcompare(PyObject* left, PyObject* right, int op) {
  if ((op != Py_EQ && op != Py_NE) || Py_TYPE(left) != &_PyMethodWrapper_Type ||
      Py_TYPE(right) != &_PyMethodWrapper_Type) {
    return Py_NewRef(Py_NotImplemented);
  }
  bool equal = as_bound(left)->descr == as_bound(right)->descr && as_bound(left)->self == as_bound(right)->self;
  return Py_NewRef(equal == (op == Py_EQ) ? Py_True : Py_False);
}
Py_hash_t bound_hash(PyObject* object) {
  Py_hash_t hash = _Py_HashPointer(as_bound(object)->self) ^ _Py_HashPointer(as_bound(object)->descr);
  return hash == -1 ? -2 : hash;
}
PyObject* bound_repr(PyObject* object) {
  return PyUnicode_FromFormat("<method-wrapper '%s' of %s object at %p>", as_bound(object)->descr->d_base->name,
                              Py_TYPE(as_bound(object)->self)->tp_name, as_bound(object)->self);
}
PyObject* bound_call(PyObject* object, PyObject* args, PyObject* kwargs) {
  return call_wrapper(as_bound(object)->descr, as_bound(object)->self, args, kwargs);
}

Ref<> bound_reduce(Borrowed<MethodWrapper> object) {
  auto getattr = VM_TRY(Ref<>::steal(_PyEval_GetBuiltin(&_Py_ID(getattr))));
  return Ref<>::steal(
      Py_BuildValue("N(OO)", getattr.release(), object->self, PyDescr_NAME(as_object(object->descr))));
}

PyMethodDef bound_methods[] = {method<bound_reduce, "__reduce__($self, /)", "Pickle as getattr(object, name).">(), {}};
PyMemberDef bound_members[] = {{"__self__", T_OBJECT, offsetof(MethodWrapper, self), READONLY, nullptr}, {}};
PyGetSetDef bound_getset[] = {
    {"__objclass__", [](PyObject* o, void*) -> PyObject* { return Py_XNewRef(as_object(PyDescr_TYPE(as_bound(o)->descr))); }, nullptr, nullptr, nullptr},
    {"__name__", [](PyObject* o, void*) -> PyObject* { return PyUnicode_FromString(as_bound(o)->descr->d_base->name); }, nullptr, nullptr, nullptr},
    {"__qualname__", [](PyObject* o, void*) -> PyObject* { return get_qualified_name(as_object(as_bound(o)->descr), nullptr); }, nullptr, nullptr, nullptr},
    {"__doc__", [](PyObject* o, void*) -> PyObject* { return get_wrapper_doc(as_object(as_bound(o)->descr), nullptr); }, nullptr, nullptr, nullptr},
    {"__text_signature__", [](PyObject* o, void*) -> PyObject* { return get_wrapper_signature(as_object(as_bound(o)->descr), nullptr); }, nullptr, nullptr, nullptr},
    {}};

}  // namespace

PyTypeObject PyMethodDescr_Type = {
    .ob_base = type_head(),
    .tp_name = "method_descriptor",
    .tp_basicsize = sizeof(PyMethodDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_vectorcall_offset = offsetof(PyMethodDescrObject, vectorcall),
    .tp_repr = method_repr,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = method_getset,
    .tp_descr_get = method_get,
};

// QUIRK: no __reduce__ of its own, as opposed to the other descriptors.
PyTypeObject PyClassMethodDescr_Type = {
    .ob_base = type_head(),
    .tp_name = "classmethod_descriptor",
    .tp_basicsize = sizeof(PyMethodDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = method_repr,
    .tp_call = classmethod_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_members = descr_members,
    .tp_getset = method_getset,
    .tp_descr_get = classmethod_get,
};

PyTypeObject PyMemberDescr_Type = {
    .ob_base = type_head(),
    .tp_name = "member_descriptor",
    .tp_basicsize = sizeof(PyMemberDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = member_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = member_getset,
    .tp_descr_get = member_get,
    .tp_descr_set = member_set,
};

PyTypeObject PyGetSetDescr_Type = {
    .ob_base = type_head(),
    .tp_name = "getset_descriptor",
    .tp_basicsize = sizeof(PyGetSetDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = getset_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_members = descr_members,
    .tp_getset = getset_getset,
    .tp_descr_get = getset_get,
    .tp_descr_set = getset_set,
};

PyTypeObject PyWrapperDescr_Type = {
    .ob_base = type_head(),
    .tp_name = "wrapper_descriptor",
    .tp_basicsize = sizeof(PyWrapperDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = wrapper_repr,
    .tp_call = wrapper_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = wrapper_getset,
    .tp_descr_get = wrapper_get,
};

PyTypeObject _PyMethodWrapper_Type = {
    .ob_base = type_head(),
    .tp_name = "method-wrapper",
    .tp_basicsize = sizeof(MethodWrapper),
    .tp_dealloc = bound_dealloc,
    .tp_repr = bound_repr,
    .tp_hash = bound_hash,
    .tp_call = bound_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = bound_traverse,
    .tp_richcompare = bound_richcompare,
    .tp_methods = bound_methods,
    .tp_members = bound_members,
    .tp_getset = bound_getset,
};

extern "C" {

PyObject* PyDescr_NewMethod(PyTypeObject* type, PyMethodDef* definition) {
  vectorcallfunc function = choose_vectorcall(definition->ml_flags);
  if (function == nullptr) {
    PyErr_Format(PyExc_SystemError, "%s() method: bad call flags", definition->ml_name);
    return nullptr;
  }
  auto* descr = new_descr<PyMethodDescrObject>(&PyMethodDescr_Type, type, definition->ml_name);
  if (descr == nullptr) return nullptr;
  descr->d_method = definition;
  descr->vectorcall = function;
  return as_object(descr);
}

PyObject* PyDescr_NewClassMethod(PyTypeObject* type, PyMethodDef* definition) {
  auto* descr = new_descr<PyMethodDescrObject>(&PyClassMethodDescr_Type, type, definition->ml_name);
  if (descr != nullptr) descr->d_method = definition;
  return as_object(descr);
}

PyObject* PyDescr_NewMember(PyTypeObject* type, PyMemberDef* definition) {
  auto* descr = new_descr<PyMemberDescrObject>(&PyMemberDescr_Type, type, definition->name);
  if (descr != nullptr) descr->d_member = definition;
  return as_object(descr);
}

PyObject* PyDescr_NewGetSet(PyTypeObject* type, PyGetSetDef* definition) {
  auto* descr = new_descr<PyGetSetDescrObject>(&PyGetSetDescr_Type, type, definition->name);
  if (descr != nullptr) descr->d_getset = definition;
  return as_object(descr);
}

PyObject* PyDescr_NewWrapper(PyTypeObject* type, struct wrapperbase* base, void* wrapped) {
  auto* descr = new_descr<PyWrapperDescrObject>(&PyWrapperDescr_Type, type, base->name);
  if (descr != nullptr) {
    descr->d_base = base;
    descr->d_wrapped = wrapped;
  }
  return as_object(descr);
}

int PyDescr_IsData(PyObject* object) { return Py_TYPE(object)->tp_descr_set != nullptr; }

PyObject* PyWrapper_New(PyObject* descr, PyObject* self) {
  auto* bound = PyObject_GC_New(MethodWrapper, &_PyMethodWrapper_Type);
  if (bound == nullptr) return nullptr;
  bound->descr = as_wrapper(Py_NewRef(descr));
  bound->self = Py_NewRef(self);
  _PyObject_GC_TRACK(as_object(bound));
  return as_object(bound);
}

}  // extern "C"
