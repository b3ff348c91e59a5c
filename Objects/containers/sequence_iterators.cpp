// The iterators of list and tuple, forward, and of list, backward: an index into an object that stays alive.
//
// QUIRK: a list may shrink under its iterator, which then has nothing left and never comes back.
#include "Objects/containers/sequences.h"

namespace pyston {
namespace {

ALWAYS_INLINE SequenceIterObject* as_iter(PyObject* object) { return reinterpret_cast<SequenceIterObject*>(object); }

/// New reference to the item at the index that `step` moves on; null at the end, where the sequence is let go.
template <class Sequence, int step>
ALWAYS_INLINE PyObject* next_item(PyObject* object) {
  SequenceIterObject* self = as_iter(object);
  PyObject* sequence = self->sequence;
  if (UNLIKELY(sequence == nullptr)) return nullptr;
  if (LIKELY(self->index < Py_SIZE(sequence)) && (step > 0 || self->index >= 0)) {
    PyObject* item = reinterpret_cast<Sequence*>(sequence)->ob_item[self->index];
    self->index += step;
    return Py_NewRef(item);
  }
  if constexpr (step < 0) self->index = -1;
  self->sequence = nullptr;
  Py_DECREF(sequence);
  return nullptr;
}

PyObject* iter_length_hint(PyObject* object) {
  const SequenceIterObject* self = as_iter(object);
  const Py_ssize_t left = self->sequence != nullptr ? Py_SIZE(self->sequence) - self->index : 0;
  return PyLong_FromSsize_t(Py_MAX(left, 0));
}
PyObject* reverse_iter_length_hint(PyObject* object) {
  const SequenceIterObject* self = as_iter(object);
  const Py_ssize_t left = self->index + 1;
  return PyLong_FromSsize_t(self->sequence == nullptr || Py_SIZE(self->sequence) < left ? 0 : left);
}

/// (function, (sequence,), index), or (iter, (empty,)) once exhausted. `empty` is stolen.
PyObject* reduce(const SequenceIterObject* self, PyObject* function_name, Ref<> empty) {
  if (!empty) return nullptr;
  if (self->sequence != nullptr) {
    return Py_BuildValue("N(O)n", _PyEval_GetBuiltin(function_name), self->sequence, self->index);
  }
  return Py_BuildValue("N(N)", _PyEval_GetBuiltin(&_Py_ID(iter)), empty.release());
}
PyObject* list_iter_reduce(PyObject* object) {
  return reduce(as_iter(object), &_Py_ID(iter), Ref<>::steal(PyList_New(0)));
}
PyObject* reverse_iter_reduce(PyObject* object) {
  return reduce(as_iter(object), &_Py_ID(reversed), Ref<>::steal(PyList_New(0)));
}
PyObject* tuple_iter_reduce(PyObject* object) {
  return reduce(as_iter(object), &_Py_ID(iter), Ref<>::steal(PyTuple_New(0)));
}

/// Moves to an index, clipped to [before_first .. size + before_first].
template <Py_ssize_t before_first>
PyObject* set_state(PyObject* object, PyObject* state) {
  SequenceIterObject* self = as_iter(object);
  const Py_ssize_t index = PyLong_AsSsize_t(state);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  if (self->sequence != nullptr) {
    self->index = Py_MAX(Py_MIN(index, Py_SIZE(self->sequence) + before_first), before_first);
  }
  Py_RETURN_NONE;
}

template <auto length_hint, auto reduce_function, auto set_state_function>
PyMethodDef iterator_methods[] = {
    method<length_hint, "__length_hint__($self, /)", "How many items are left.">(),
    method<reduce_function, "__reduce__($self, /)", "State for pickling.">(),
    method<set_state_function, "__setstate__($self, state, /)", "Restores a pickled position.">(),
    {},
};

void dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_iter(self)->sequence);
  PyObject_GC_Del(self);
}
int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_iter(self)->sequence);
  return 0;
}

consteval PyTypeObject iterator_type(const char* name, iternextfunc next, PyMethodDef* methods) {
  return {
      .ob_base = type_head(),
      .tp_name = name,
      .tp_basicsize = sizeof(SequenceIterObject),
      .tp_dealloc = dealloc,
      .tp_getattro = PyObject_GenericGetAttr,
      .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
      .tp_traverse = traverse,
      .tp_iter = PyObject_SelfIter,
      .tp_iternext = next,
      .tp_methods = methods,
  };
}

}  // namespace

PyObject* new_sequence_iterator(PyObject* sequence, PyTypeObject* type, Py_ssize_t index) {
  SequenceIterObject* self = PyObject_GC_New(SequenceIterObject, type);
  if (UNLIKELY(self == nullptr)) return nullptr;
  self->index = index;
  self->sequence = Py_NewRef(sequence);
  _PyObject_GC_TRACK(self);
  return as_object(self);
}

}  // namespace pyston

using namespace pyston;

PyTypeObject PyListIter_Type = iterator_type("list_iterator", next_item<PyListObject, 1>,
                                             iterator_methods<iter_length_hint, list_iter_reduce, set_state<0>>);
PyTypeObject PyListRevIter_Type =
    iterator_type("list_reverseiterator", next_item<PyListObject, -1>,
                  iterator_methods<reverse_iter_length_hint, reverse_iter_reduce, set_state<-1>>);
PyTypeObject PyTupleIter_Type = iterator_type("tuple_iterator", next_item<PyTupleObject, 1>,
                                              iterator_methods<iter_length_hint, tuple_iter_reduce, set_state<0>>);
