// Iterators that belong to no container: over the sequence protocol, over a callable until a sentinel, and the awaitable
// behind anext(iterator, default).
#include "Objects/bind.h"
#include "Objects/iteration/range.h"
#include "pycore_call.h"
#include "pycore_ceval.h"
#include "pycore_genobject.h"
#include "pycore_object.h"

using namespace pyston;

namespace {

SequenceIterator* as_sequence_iterator(PyObject* self) { return reinterpret_cast<SequenceIterator*>(self); }

void sequence_iterator_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_sequence_iterator(self)->sequence);
  PyObject_GC_Del(self);
}
int sequence_iterator_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_sequence_iterator(self)->sequence);
  return 0;
}

PyObject* sequence_iterator_next(PyObject* self) {
  SequenceIterator* it = as_sequence_iterator(self);
  PyObject* sequence = it->sequence;
  if (sequence == nullptr) return nullptr;
  if (it->index == PY_SSIZE_T_MAX) return raise(PyExc_OverflowError, "iter index too large");
  PyObject* result = PySequence_GetItem(sequence, it->index);
  if (result != nullptr) {
    it->index++;
    return result;
  }
  if (PyErr_ExceptionMatches(PyExc_IndexError) || PyErr_ExceptionMatches(PyExc_StopIteration)) {
    PyErr_Clear();
    it->sequence = nullptr;
    Py_DECREF(sequence);
  }
  return nullptr;
}

PyObject* sequence_iterator_length_hint(Borrowed<SequenceIterator> self) {
  if (self->sequence == nullptr) return PyLong_FromLong(0);
  if (!_PyObject_HasLen(self->sequence)) return Py_NewRef(Py_NotImplemented);
  const Py_ssize_t size = PySequence_Size(self->sequence);
  if (size == -1) return nullptr;
  return PyLong_FromSsize_t(Py_MAX(size - self->index, 0));
}

PyObject* sequence_iterator_reduce(Borrowed<SequenceIterator> self) {
  if (self->sequence != nullptr) {
    return Py_BuildValue("N(O)n", _PyEval_GetBuiltin(&_Py_ID(iter)), self->sequence, self->index);
  }
  return Py_BuildValue("N(())", _PyEval_GetBuiltin(&_Py_ID(iter)));
}

PyObject* sequence_iterator_setstate(Borrowed<SequenceIterator> self, Borrowed<> state) {
  const Py_ssize_t index = PyLong_AsSsize_t(state);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  if (self->sequence != nullptr) self->index = index < 0 ? 0 : index;
  Py_RETURN_NONE;
}

PyMethodDef sequence_iterator_methods[] = {
    method<sequence_iterator_length_hint, "__length_hint__($self, /)", "How many items are left, if known.">(),
    method<sequence_iterator_reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<sequence_iterator_setstate, "__setstate__($self, state, /)", "Sets the position.">(),
    {}};

CallIterator* as_call_iterator(PyObject* self) { return reinterpret_cast<CallIterator*>(self); }

void call_iterator_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_call_iterator(self)->callable);
  Py_XDECREF(as_call_iterator(self)->sentinel);
  PyObject_GC_Del(self);
}
int call_iterator_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_call_iterator(self)->callable);
  Py_VISIT(as_call_iterator(self)->sentinel);
  return 0;
}

PyObject* call_iterator_next(PyObject* self) {
  CallIterator* it = as_call_iterator(self);
  if (it->callable == nullptr) return nullptr;
  Ref<> result = Ref<>::steal(_PyObject_CallNoArgs(it->callable));
  // The call may have exhausted this very iterator.
  if (result && it->sentinel != nullptr) {
    Ref<> sentinel = Ref<>::dup(it->sentinel);
    const int equal = PyObject_RichCompareBool(sentinel.get(), result.get(), Py_EQ);
    if (equal == 0) return result.release();
    if (equal < 0) return nullptr;
    Py_CLEAR(it->callable);
    Py_CLEAR(it->sentinel);
  } else if (!result && PyErr_ExceptionMatches(PyExc_StopIteration)) {
    PyErr_Clear();
    Py_CLEAR(it->callable);
    Py_CLEAR(it->sentinel);
  }
  return nullptr;
}

PyObject* call_iterator_reduce(Borrowed<CallIterator> self) {
  if (self->callable != nullptr && self->sentinel != nullptr) {
    return Py_BuildValue("N(OO)", _PyEval_GetBuiltin(&_Py_ID(iter)), self->callable, self->sentinel);
  }
  return Py_BuildValue("N(())", _PyEval_GetBuiltin(&_Py_ID(iter)));
}
PyMethodDef call_iterator_methods[] = {method<call_iterator_reduce, "__reduce__($self, /)", "State for pickling.">(), {}};

// anext() -----------------------------------------------------------------------------------------------------------

struct AnextAwaitable {
  PyObject_HEAD
  PyObject* wrapped;
  PyObject* default_value;
};
AnextAwaitable* as_anext(PyObject* self) { return reinterpret_cast<AnextAwaitable*>(self); }

void anext_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_anext(self)->wrapped);
  Py_XDECREF(as_anext(self)->default_value);
  PyObject_GC_Del(self);
}
int anext_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_anext(self)->wrapped);
  Py_VISIT(as_anext(self)->default_value);
  return 0;
}

/// The iterator behind the wrapped awaitable.
Ref<> anext_iterator(AnextAwaitable* self) {
  Ref<> awaitable = Ref<>::steal(_PyCoro_GetAwaitableIter(self->wrapped));
  if (!awaitable || Py_TYPE(awaitable.get())->tp_iternext != nullptr) return awaitable;
  // A coroutine: its own __await__ gives something that can be iterated.
  Ref<> inner = Ref<>::steal(Py_TYPE(awaitable.get())->tp_as_async->am_await(awaitable.get()));
  if (!inner) return nullptr;
  if (!PyIter_Check(inner.get())) return raise(PyExc_TypeError, "%.100s.__await__() must return an iterable, not %.100s",
                                               Py_TYPE(awaitable.get())->tp_name, Py_TYPE(inner.get())->tp_name);
  return inner;
}

/// A StopAsyncIteration becomes the result: the default value.
PyObject* anext_finish(AnextAwaitable* self, PyObject* result) {
  if (result != nullptr) return result;
  if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
    PyErr_Clear();
    _PyGen_SetStopIterationValue(self->default_value);
  }
  return nullptr;
}

PyObject* anext_next(PyObject* self) {
  Ref<> iterator = anext_iterator(as_anext(self));
  if (!iterator) return nullptr;
  return anext_finish(as_anext(self), Py_TYPE(iterator.get())->tp_iternext(iterator.get()));
}

PyObject* anext_delegate(AnextAwaitable* self, const char* name, PyObject* args) {
  Ref<> iterator = anext_iterator(self);
  if (!iterator) return nullptr;
  Ref<> function = Ref<>::steal(PyObject_GetAttrString(iterator.get(), name));
  if (!function) return nullptr;
  return anext_finish(self, PyObject_CallObject(function.get(), args));
}
PyObject* anext_send(PyObject* self, PyObject* args) { return anext_delegate(as_anext(self), "send", args); }
PyObject* anext_throw(PyObject* self, PyObject* args) { return anext_delegate(as_anext(self), "throw", args); }
PyObject* anext_close(PyObject* self, PyObject* args) { return anext_delegate(as_anext(self), "close", args); }

PyMethodDef anext_methods[] = {
    {"send", anext_send, METH_VARARGS, "send(arg) -> sends a value into the wrapped awaitable; its next value or StopIteration."},
    {"throw", anext_throw, METH_VARARGS, "throw(value) -> raises an exception in the wrapped awaitable; its next value or StopIteration."},
    {"close", anext_close, METH_VARARGS, "close() -> raises GeneratorExit inside the wrapped awaitable."},
    {}};
PyAsyncMethods anext_as_async = {.am_await = PyObject_SelfIter};

}  // namespace

PyObject* PySeqIter_New(PyObject* sequence) {
  if (!PySequence_Check(sequence)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  SequenceIterator* it = PyObject_GC_New(SequenceIterator, &PySeqIter_Type);
  if (it == nullptr) return nullptr;
  it->index = 0;
  it->sequence = Py_NewRef(sequence);
  _PyObject_GC_TRACK(it);
  return as_object(it);
}

PyObject* PyCallIter_New(PyObject* callable, PyObject* sentinel) {
  CallIterator* it = PyObject_GC_New(CallIterator, &PyCallIter_Type);
  if (it == nullptr) return nullptr;
  it->callable = Py_NewRef(callable);
  it->sentinel = Py_NewRef(sentinel);
  _PyObject_GC_TRACK(it);
  return as_object(it);
}

/// What anext(iterator, default) returns. Returns new.
extern "C" PyObject* PyAnextAwaitable_New(PyObject* awaitable, PyObject* default_value) {
  AnextAwaitable* self = PyObject_GC_New(AnextAwaitable, &_PyAnextAwaitable_Type);
  if (self == nullptr) return nullptr;
  self->wrapped = Py_NewRef(awaitable);
  self->default_value = Py_NewRef(default_value);
  _PyObject_GC_TRACK(self);
  return as_object(self);
}

PyTypeObject PySeqIter_Type = {
    .ob_base = type_head(),
    .tp_name = "iterator",
    .tp_basicsize = sizeof(SequenceIterator),
    .tp_dealloc = sequence_iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = sequence_iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = sequence_iterator_next,
    .tp_methods = sequence_iterator_methods,
};

PyTypeObject PyCallIter_Type = {
    .ob_base = type_head(),
    .tp_name = "callable_iterator",
    .tp_basicsize = sizeof(CallIterator),
    .tp_dealloc = call_iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = call_iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = call_iterator_next,
    .tp_methods = call_iterator_methods,
};

PyTypeObject _PyAnextAwaitable_Type = {
    .ob_base = type_head(),
    .tp_name = "anext_awaitable",
    .tp_basicsize = sizeof(AnextAwaitable),
    .tp_dealloc = anext_dealloc,
    .tp_as_async = &anext_as_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = anext_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = anext_next,
    .tp_methods = anext_methods,
};
