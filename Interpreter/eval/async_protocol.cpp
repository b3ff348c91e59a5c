// `await`, `async for` and `yield from`: getting the iterator that SEND drives.
#include "Interpreter/eval/eval.h"
#include "internal/pycore_genobject.h"

namespace pyston {

PyObject* get_aiter(PyThreadState* tstate, PyObject* iterable) {
  PyTypeObject* type = Py_TYPE(iterable);
  unaryfunc getter = type->tp_as_async != nullptr ? type->tp_as_async->am_aiter : nullptr;
  if (getter == nullptr) {
    _PyErr_Format(tstate, PyExc_TypeError, "'async for' requires an object with __aiter__ method, got %.100s",
                  type->tp_name);
    return nullptr;
  }
  PyObject* iterator = getter(iterable);
  if (iterator == nullptr) return nullptr;
  PyTypeObject* iterator_type = Py_TYPE(iterator);
  if (iterator_type->tp_as_async == nullptr || iterator_type->tp_as_async->am_anext == nullptr) {
    _PyErr_Format(tstate, PyExc_TypeError,
                  "'async for' received an object from __aiter__ that does not implement __anext__: %.100s",
                  iterator_type->tp_name);
    Py_DECREF(iterator);
    return nullptr;
  }
  return iterator;
}

PyObject* get_anext(PyThreadState* tstate, PyObject* iterator) {
  PyTypeObject* type = Py_TYPE(iterator);
  if (PyAsyncGen_CheckExact(iterator)) return type->tp_as_async->am_anext(iterator);
  unaryfunc getter = type->tp_as_async != nullptr ? type->tp_as_async->am_anext : nullptr;
  if (getter == nullptr) {
    _PyErr_Format(tstate, PyExc_TypeError, "'async for' requires an iterator with __anext__ method, got %.100s",
                  type->tp_name);
    return nullptr;
  }
  PyObject* next = getter(iterator);
  if (next == nullptr) return nullptr;
  PyObject* awaitable = _PyCoro_GetAwaitableIter(next);
  if (awaitable == nullptr) {
    _PyErr_FormatFromCauseTstate(tstate, PyExc_TypeError,
                                 "'async for' received an invalid object from __anext__: %.100s",
                                 Py_TYPE(next)->tp_name);
  }
  Py_DECREF(next);
  return awaitable;
}

PyObject* get_awaitable(PyThreadState* tstate, PyObject* iterable, int where) {
  PyObject* iterator = _PyCoro_GetAwaitableIter(iterable);
  if (iterator == nullptr) {
    PyTypeObject* type = Py_TYPE(iterable);
    if (type->tp_as_async == nullptr || type->tp_as_async->am_await == nullptr) {
      if (where == 1) {
        _PyErr_Format(tstate, PyExc_TypeError,
                      "'async with' received an object from __aenter__ that does not implement __await__: %.100s",
                      type->tp_name);
      } else if (where == 2) {
        _PyErr_Format(tstate, PyExc_TypeError,
                      "'async with' received an object from __aexit__ that does not implement __await__: %.100s",
                      type->tp_name);
      }
    }
    return nullptr;
  }
  if (PyCoro_CheckExact(iterator)) {
    PyObject* awaited = _PyGen_yf(reinterpret_cast<PyGenObject*>(iterator));
    if (awaited != nullptr) {
      Py_DECREF(awaited);
      Py_DECREF(iterator);
      _PyErr_SetString(tstate, PyExc_RuntimeError, "coroutine is being awaited already");
      return nullptr;
    }
  }
  return iterator;
}

PyObject* get_yield_from_iter(PyThreadState* tstate, PyCodeObject* code, PyObject* iterable) {
  if (PyCoro_CheckExact(iterable)) {
    if ((code->co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE)) == 0) {
      _PyErr_SetString(tstate, PyExc_TypeError,
                       "cannot 'yield from' a coroutine object in a non-coroutine generator");
      return nullptr;
    }
    return Py_NewRef(iterable);
  }
  if (PyGen_CheckExact(iterable)) return Py_NewRef(iterable);
  return PyObject_GetIter(iterable);
}

}  // namespace pyston
