// enumerate and reversed. enumerate hands out the same tuple again when nobody kept the last one.
#include "Objects/bind.h"
#include "Objects/iteration/range.h"
#include "Objects/numbers/int.h"
#include "pycore_call.h"
#include "pycore_gc.h"
#include "pycore_object.h"
#include "pycore_tuple.h"

using namespace pyston;

namespace {

EnumerateObject* as_enumerate(PyObject* self) { return reinterpret_cast<EnumerateObject*>(self); }

PyObject* make_enumerate(PyTypeObject* type, PyObject* iterable, PyObject* start) {
  Ref<> self = Ref<>::steal(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  EnumerateObject* e = as_enumerate(self.get());
  if (start != nullptr) {
    Ref<> first = Ref<>::steal(PyNumber_Index(start));
    if (!first) return nullptr;
    e->index = PyLong_AsSsize_t(first.get());
    if (e->index == -1 && PyErr_Occurred()) {
      PyErr_Clear();
      e->index = PY_SSIZE_T_MAX;
      e->long_index = first.release();
    }
  }
  e->iterator = PyObject_GetIter(iterable);
  if (e->iterator == nullptr) return nullptr;
  e->result = PyTuple_Pack(2, Py_None, Py_None);
  if (e->result == nullptr) return nullptr;
  e->one = small_int(1);
  return self.release();
}

PyObject* enumerate_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  PyTypeObject* type_object = reinterpret_cast<PyTypeObject*>(type);
  const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  const Py_ssize_t nkw = kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames);
  const auto is_name = [&](Py_ssize_t i, const char* name) {
    return _PyUnicode_EqualToASCIIString(PyTuple_GET_ITEM(kwnames, i), name);
  };
  if (nargs + nkw > 2) return raise(PyExc_TypeError, "enumerate() takes at most 2 arguments (%zd given)", nargs + nkw);
  PyObject* iterable = nargs > 0 ? args[0] : nullptr;
  PyObject* start = nargs > 1 ? args[1] : nullptr;
  for (Py_ssize_t i = 0; i < nkw; i++) {
    if (iterable == nullptr && is_name(i, "iterable")) {
      iterable = args[nargs + i];
    } else if (start == nullptr && is_name(i, "start")) {
      start = args[nargs + i];
    } else {
      return raise(PyExc_TypeError, "'%U' is an invalid keyword argument for enumerate()", PyTuple_GET_ITEM(kwnames, i));
    }
  }
  if (iterable == nullptr) return raise(PyExc_TypeError, "enumerate() missing required argument 'iterable'");
  return make_enumerate(type_object, iterable, start);
}

PyObject* enumerate_new(PyTypeObject* type, Borrowed<> iterable, PyObject* start) {
  return make_enumerate(type, iterable, start);
}

void enumerate_dealloc(PyObject* self) {
  EnumerateObject* e = as_enumerate(self);
  PyObject_GC_UnTrack(self);
  Py_XDECREF(e->iterator);
  Py_XDECREF(e->result);
  Py_XDECREF(e->long_index);
  Py_XDECREF(e->one);
  Py_TYPE(self)->tp_free(self);
}
int enumerate_traverse(PyObject* self, visitproc visit, void* arg) {
  EnumerateObject* e = as_enumerate(self);
  Py_VISIT(e->iterator);
  Py_VISIT(e->result);
  Py_VISIT(e->long_index);
  Py_VISIT(e->one);
  return 0;
}

/// The index as an int, stepping on. Returns new.
PyObject* next_index(EnumerateObject* e) {
  if (LIKELY(e->index != PY_SSIZE_T_MAX)) return int_from_int64(e->index++);
  if (e->long_index == nullptr) {
    e->long_index = PyLong_FromSsize_t(PY_SSIZE_T_MAX);
    if (e->long_index == nullptr) return nullptr;
  }
  PyObject* following = int_add(as_long(e->long_index), as_long(e->one));
  if (following == nullptr) return nullptr;
  return std::exchange(e->long_index, following);
}

PyObject* enumerate_next(PyObject* self) {
  EnumerateObject* e = as_enumerate(self);
  PyObject* iterator = e->iterator;
  PyObject* item = Py_TYPE(iterator)->tp_iternext(iterator);
  if (item == nullptr) return nullptr;
  PyObject* index = next_index(e);
  if (UNLIKELY(index == nullptr)) {
    Py_DECREF(item);
    return nullptr;
  }
  PyObject* result = e->result;
  if (Py_REFCNT(result) == 1) {
    Py_INCREF(result);
    PyObject* old_index = PyTuple_GET_ITEM(result, 0);
    PyObject* old_item = PyTuple_GET_ITEM(result, 1);
    PyTuple_SET_ITEM(result, 0, index);
    PyTuple_SET_ITEM(result, 1, item);
    Py_DECREF(old_index);
    Py_DECREF(old_item);
    // The collector stops tracking tuples without containers: this one has new contents.
    if (!_PyObject_GC_IS_TRACKED(result)) _PyObject_GC_TRACK(result);
    return result;
  }
  result = PyTuple_New(2);
  if (UNLIKELY(result == nullptr)) {
    Py_DECREF(index);
    Py_DECREF(item);
    return nullptr;
  }
  PyTuple_SET_ITEM(result, 0, index);
  PyTuple_SET_ITEM(result, 1, item);
  return result;
}

PyObject* enumerate_reduce(Borrowed<EnumerateObject> self) {
  if (self->long_index != nullptr) {
    return Py_BuildValue("O(OO)", Py_TYPE(self.object()), self->iterator, self->long_index);
  }
  return Py_BuildValue("O(On)", Py_TYPE(self.object()), self->iterator, self->index);
}

PyMethodDef enumerate_methods[] = {
    method<enumerate_reduce, "__reduce__($self, /)", "State for pickling.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {}};

// reversed ----------------------------------------------------------------------------------------------------------

/// INVARIANT: index is -1 and sequence null when exhausted.
struct ReversedObject {
  PyObject_HEAD
  Py_ssize_t index;
  PyObject* sequence;
};
ReversedObject* as_reversed(PyObject* self) { return reinterpret_cast<ReversedObject*>(self); }

PyObject* make_reversed(PyTypeObject* type, PyObject* sequence) {
  Ref<> function = Ref<>::steal(_PyObject_LookupSpecial(sequence, &_Py_ID(__reversed__)));
  if (function.get() == Py_None) {
    return raise(PyExc_TypeError, "'%.200s' object is not reversible", Py_TYPE(sequence)->tp_name);
  }
  if (function) return _PyObject_CallNoArgs(function.get());
  if (PyErr_Occurred()) return nullptr;
  if (!PySequence_Check(sequence)) {
    return raise(PyExc_TypeError, "'%.200s' object is not reversible", Py_TYPE(sequence)->tp_name);
  }
  const Py_ssize_t size = PySequence_Size(sequence);
  if (size == -1) return nullptr;
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  as_reversed(self)->index = size - 1;
  as_reversed(self)->sequence = Py_NewRef(sequence);
  return self;
}

PyObject* reversed_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (type == &PyReversed_Type && kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) {
    return raise(PyExc_TypeError, "reversed() takes no keyword arguments");
  }
  if (PyTuple_GET_SIZE(args) != 1) {
    return raise(PyExc_TypeError, "reversed expected 1 argument, got %zd", PyTuple_GET_SIZE(args));
  }
  return make_reversed(type, PyTuple_GET_ITEM(args, 0));
}
PyObject* reversed_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (kwnames != nullptr && PyTuple_GET_SIZE(kwnames) != 0) {
    return raise(PyExc_TypeError, "reversed() takes no keyword arguments");
  }
  if (nargs != 1) return raise(PyExc_TypeError, "reversed expected 1 argument, got %zd", nargs);
  return make_reversed(reinterpret_cast<PyTypeObject*>(type), args[0]);
}

void reversed_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  Py_XDECREF(as_reversed(self)->sequence);
  Py_TYPE(self)->tp_free(self);
}
int reversed_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_reversed(self)->sequence);
  return 0;
}

PyObject* reversed_next(PyObject* self) {
  ReversedObject* r = as_reversed(self);
  if (r->index >= 0) {
    PyObject* item = PySequence_GetItem(r->sequence, r->index);
    if (item != nullptr) {
      r->index--;
      return item;
    }
    if (PyErr_ExceptionMatches(PyExc_IndexError) || PyErr_ExceptionMatches(PyExc_StopIteration)) PyErr_Clear();
  }
  r->index = -1;
  Py_CLEAR(r->sequence);
  return nullptr;
}

PyObject* reversed_length_hint(Borrowed<ReversedObject> self) {
  if (self->sequence == nullptr) return PyLong_FromLong(0);
  const Py_ssize_t size = PySequence_Size(self->sequence);
  if (size == -1) return nullptr;
  const Py_ssize_t position = self->index + 1;
  return PyLong_FromSsize_t(size < position ? 0 : position);
}

PyObject* reversed_reduce(Borrowed<ReversedObject> self) {
  if (self->sequence != nullptr) {
    return Py_BuildValue("O(O)n", Py_TYPE(self.object()), self->sequence, self->index);
  }
  return Py_BuildValue("O(())", Py_TYPE(self.object()));
}

PyObject* reversed_setstate(Borrowed<ReversedObject> self, Borrowed<> state) {
  Py_ssize_t index = PyLong_AsSsize_t(state);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  if (self->sequence != nullptr) {
    const Py_ssize_t size = PySequence_Size(self->sequence);
    if (size < 0) return nullptr;
    self->index = index < -1 ? -1 : (index > size - 1 ? size - 1 : index);
  }
  Py_RETURN_NONE;
}

PyMethodDef reversed_methods[] = {
    method<reversed_length_hint, "__length_hint__($self, /)", "How many items are left, if known.">(),
    method<reversed_reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<reversed_setstate, "__setstate__($self, state, /)", "Sets the position.">(),
    {}};

}  // namespace

PyTypeObject PyEnum_Type = {
    .ob_base = type_head(),
    .tp_name = "enumerate",
    .tp_basicsize = sizeof(EnumerateObject),
    .tp_dealloc = enumerate_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "enumerate(iterable, start=0)\n--\n\nPairs of a count, from start on, and an item of the iterable.",
    .tp_traverse = enumerate_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = enumerate_next,
    .tp_methods = enumerate_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = constructor<enumerate_new, "enumerate($type, iterable, start=0)">,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = enumerate_vectorcall,
};

PyTypeObject PyReversed_Type = {
    .ob_base = type_head(),
    .tp_name = "reversed",
    .tp_basicsize = sizeof(ReversedObject),
    .tp_dealloc = reversed_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "reversed(sequence, /)\n--\n\nAn iterator over the sequence's items from the last to the first.",
    .tp_traverse = reversed_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = reversed_next,
    .tp_methods = reversed_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = reversed_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = reversed_vectorcall,
};
