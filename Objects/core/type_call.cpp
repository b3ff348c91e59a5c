// Calling a class. The vector paths avoid what type.__call__ would otherwise do per object: an argument tuple, a keyword
// dict, and a second lookup through generic slots.
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_dict.h"
#include "pycore_function.h"
#include "pycore_pyerrors.h"
#include "pycore_tuple.h"

namespace pyston {
namespace {

COLD PyObject* raise_cannot_create(PyTypeObject* type) {
  PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
  return nullptr;
}

/// What object.__new__ does when the arguments don't matter.
ALWAYS_INLINE PyObject* new_plain_object(PyTypeObject* type) {
  if (UNLIKELY(has_feature(type, Py_TPFLAGS_IS_ABSTRACT))) return raise_abstract_instantiation(type);
  PyObject* object = type->tp_alloc(type, 0);
  if (UNLIKELY(object == nullptr)) return nullptr;
  if (UNLIKELY(_PyObject_InitializeDict(object) < 0)) {
    Py_DECREF(object);
    return nullptr;
  }
  return object;
}

/// Runs `__init__` found on the type. Steals `object`, gives it back or null.
PyObject* initialize(PyThreadState* tstate, PyTypeObject* type, PyObject* object, PyObject* const* args,
                     Py_ssize_t nargs, PyObject* kwnames) {
  bool unbound = false;
  PyObject* method = lookup_special_method(object, &_Py_ID(__init__), &unbound);
  if (UNLIKELY(method == nullptr)) {
    if (!_PyErr_Occurred(tstate)) _PyErr_SetObject(tstate, PyExc_AttributeError, &_Py_ID(__init__));
    Py_DECREF(object);
    return nullptr;
  }
  PyObject* result = unbound ? call_with_self(tstate, method, object, args, nargs, kwnames)
                             : _PyObject_VectorcallTstate(tstate, method, args, static_cast<size_t>(nargs), kwnames);
  Py_DECREF(method);
  if (UNLIKELY(result != Py_None)) {
    if (result != nullptr) {
      PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(result)->tp_name);
      Py_DECREF(result);
    }
    Py_DECREF(object);
    return nullptr;
  }
  Py_DECREF(result);
  return object;
}

/// For an instance of an unusual subclass that `__new__` gave back. Steals `object`, gives it back or null.
COLD PyObject* initialize_with_tuple(PyTypeObject* type, PyObject* object, PyObject* const* args, Py_ssize_t nargs,
                                     PyObject* kwnames) {
  auto owner = Ref<>::steal(object);
  auto tuple = Ref<>::steal(_PyTuple_FromArray(args, nargs));
  if (!tuple) return nullptr;
  Ref<> kwargs;
  if (kwnames != nullptr && PyTuple_GET_SIZE(kwnames) != 0) {
    kwargs = Ref<>::steal(_PyStack_AsDict(args + nargs, kwnames));
    if (!kwargs) return nullptr;
  }
  if (type->tp_init != nullptr && type->tp_init(object, tuple.get(), kwargs.get()) < 0) return nullptr;
  return owner.release();
}

/// tp_new and tp_init by the book, for types whose functions want tuples. Steals nothing.
PyObject* construct_with_tuple(PyThreadState* tstate, PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  PyObject* object = type->tp_new(type, args, kwargs);
  object = _Py_CheckFunctionResult(tstate, as_object(type), object, nullptr);
  if (object == nullptr) return nullptr;
  PyTypeObject* actual = Py_TYPE(object);
  // Something else than an instance is returned as it is.
  if (actual != type && !PyType_IsSubtype(actual, type)) return object;
  if (actual->tp_init != nullptr && actual->tp_init(object, args, kwargs) < 0) {
    Py_DECREF(object);
    return nullptr;
  }
  return object;
}

COLD PyObject* call_type_itself(PyObject* args, PyObject* kwargs) {
  Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (count == 1 && (kwargs == nullptr || PyDict_GET_SIZE(kwargs) == 0)) {
    return Py_NewRef(as_object(Py_TYPE(PyTuple_GET_ITEM(args, 0))));
  }
  if (count != 3) PyErr_SetString(PyExc_TypeError, "type() takes 1 or 3 arguments");
  return nullptr;
}

/// `__new__` written in Python, as a static method in the class.
PyObject* call_python_new(PyThreadState* tstate, PyTypeObject* type, PyObject* const* args, Py_ssize_t nargs,
                          PyObject* kwnames) {
  PyObject* method = PyObject_GetAttr(as_object(type), &_Py_ID(__new__));
  if (method == nullptr) return nullptr;
  PyObject* object = call_with_self(tstate, method, as_object(type), args, nargs, kwnames);
  Py_DECREF(method);
  return object;
}

}  // namespace

PyObject* call_with_self(PyThreadState* tstate, PyObject* callable, PyObject* self, PyObject* const* args,
                         Py_ssize_t nargs, PyObject* kwnames) {
  Py_ssize_t total = nargs + (kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames));
  constexpr Py_ssize_t kOnStack = 8;
  PyObject* small[kOnStack + 2];
  PyObject** stack = small;
  if (UNLIKELY(total > kOnStack)) {
    stack = static_cast<PyObject**>(PyMem_Malloc(static_cast<size_t>(total + 2) * sizeof(PyObject*)));
    if (stack == nullptr) return PyErr_NoMemory();
  }
  stack[0] = nullptr;
  stack[1] = self;
  for (Py_ssize_t i = 0; i < total; i++) stack[i + 2] = args[i];
  PyObject* result = _PyObject_VectorcallTstate(
      tstate, callable, stack + 1, static_cast<size_t>(nargs + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
  if (UNLIKELY(stack != small)) PyMem_Free(stack);
  return result;
}

PyObject* type_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyThreadState* tstate = _PyThreadState_GET();
  auto* type = reinterpret_cast<PyTypeObject*>(self);
  if (type == &PyType_Type) {
    PyObject* result = call_type_itself(args, kwargs);
    if (result != nullptr || PyErr_Occurred()) return result;
  }
  if (type->tp_new == nullptr) return raise_cannot_create(type);
  return construct_with_tuple(tstate, type, args, kwargs);
}

PyObject* type_call_vector(PyThreadState* tstate, PyTypeObject* type, PyObject* const* args, Py_ssize_t nargs,
                           PyObject* kwnames) {
  if (type->tp_new == object_new) {
    if (type->tp_init == slot_tp_init) {
      // FAST: a class with `__init__` and no `__new__`. object.__new__ ignores the arguments in that case.
      PyObject* object = new_plain_object(type);
      if (UNLIKELY(object == nullptr)) return nullptr;
      return initialize(tstate, type, object, args, nargs, kwnames);
    }
    // FAST: a class with neither.
    if (type->tp_init == object_init && nargs == 0 && kwnames == nullptr) return new_plain_object(type);
  }
  if (type->tp_new == slot_tp_new && (type->tp_init == slot_tp_init || type->tp_init == object_init)) {
    PyObject* object = call_python_new(tstate, type, args, nargs, kwnames);
    if (object == nullptr) return nullptr;
    PyTypeObject* actual = Py_TYPE(object);
    if (actual != type && !PyType_IsSubtype(actual, type)) return object;
    if (actual->tp_init == slot_tp_init) return initialize(tstate, actual, object, args, nargs, kwnames);
    // object.__init__ accepts anything when only `__new__` is redefined.
    if (actual->tp_init == object_init && actual->tp_new != object_new) return object;
    return initialize_with_tuple(actual, object, args, nargs, kwnames);
  }
  if (UNLIKELY(type->tp_new == nullptr)) return raise_cannot_create(type);
  auto tuple = Ref<>::steal(_PyTuple_FromArray(args, nargs));
  if (!tuple) return nullptr;
  Ref<> kwargs;
  if (kwnames != nullptr && PyTuple_GET_SIZE(kwnames) != 0) {
    kwargs = Ref<>::steal(_PyStack_AsDict(args + nargs, kwnames));
    if (!kwargs) return nullptr;
  }
  if (type == &PyType_Type) return type_call(as_object(type), tuple.get(), kwargs.get());
  return construct_with_tuple(tstate, type, tuple.get(), kwargs.get());
}

PyObject* type_vectorcall(PyObject* metatype, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (nargs == 1 && metatype == as_object(&PyType_Type)) {
    if (!_PyArg_NoKwnames("type", kwnames)) return nullptr;
    return Py_NewRef(as_object(Py_TYPE(args[0])));
  }
  return _PyObject_MakeTpCall(_PyThreadState_GET(), metatype, args, nargs, kwnames);
}

}  // namespace pyston
