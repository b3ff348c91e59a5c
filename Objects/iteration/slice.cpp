// slice objects and the arithmetic of slicing. One freed slice is kept for the next one.
#include "Objects/bind.h"
#include "Objects/numbers/int.h"
#include "pycore_abstract.h"
#include "pycore_gc.h"
#include "pycore_interp.h"
#include "pycore_object.h"
#include "pycore_pystate.h"
#include "pycore_sliceobject.h"

using namespace pyston;

namespace {

PySliceObject* as_slice(PyObject* object) { return reinterpret_cast<PySliceObject*>(object); }

/// Steals start and stop; step is borrowed. Returns new.
PyObject* make_slice(PyObject* start, PyObject* stop, PyObject* step) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  PySliceObject* self = interp->slice_cache;
  if (self != nullptr) {
    interp->slice_cache = nullptr;
    _Py_NewReference(as_object(self));
  } else {
    self = PyObject_GC_New(PySliceObject, &PySlice_Type);
    if (self == nullptr) {
      Py_DECREF(start);
      Py_DECREF(stop);
      return nullptr;
    }
  }
  self->start = start;
  self->stop = stop;
  self->step = Py_NewRef(step);
  _PyObject_GC_TRACK(self);
  return as_object(self);
}

/// One of the three values, not None. False: exception set.
ALWAYS_INLINE bool unpack_index(PyObject* value, Py_ssize_t* out) {
  if (LIKELY(PyLong_CheckExact(value) && is_compact(as_long(value)))) {
    *out = compact_value(as_long(value));
    return true;
  }
  return _PyEval_SliceIndex(value, out);
}

}  // namespace

/// Null stands for None. Returns new.
PyObject* PySlice_New(PyObject* start, PyObject* stop, PyObject* step) {
  if (start == nullptr) start = Py_None;
  if (stop == nullptr) stop = Py_None;
  if (step == nullptr) step = Py_None;
  return make_slice(Py_NewRef(start), Py_NewRef(stop), step);
}

PyObject* _PySlice_FromIndices(Py_ssize_t start, Py_ssize_t stop) {
  Ref<> first = Ref<>::steal(PyLong_FromSsize_t(start));
  Ref<> last = Ref<>::steal(PyLong_FromSsize_t(stop));
  return first && last ? make_slice(first.release(), last.release(), Py_None) : nullptr;
}

/// The three values clipped to Py_ssize_t, defaults filled in. -1: exception set.
int PySlice_Unpack(PyObject* slice, Py_ssize_t* start, Py_ssize_t* stop, Py_ssize_t* step) {
  PySliceObject* self = as_slice(slice);
  if (self->step == Py_None) {
    *step = 1;
  } else {
    if (!unpack_index(self->step, step)) return -1;
    if (*step == 0) return raise(PyExc_ValueError, "slice step cannot be zero");
    // So that -step can't overflow.
    if (*step < -PY_SSIZE_T_MAX) *step = -PY_SSIZE_T_MAX;
  }
  if (self->start == Py_None) {
    *start = *step < 0 ? PY_SSIZE_T_MAX : 0;
  } else if (!unpack_index(self->start, start)) {
    return -1;
  }
  if (self->stop == Py_None) {
    *stop = *step < 0 ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX;
  } else if (!unpack_index(self->stop, stop)) {
    return -1;
  }
  return 0;
}

/// Brings unpacked values into the bounds of a sequence; returns the number of items selected.
Py_ssize_t PySlice_AdjustIndices(Py_ssize_t length, Py_ssize_t* start, Py_ssize_t* stop, Py_ssize_t step) {
  const auto clip = [&](Py_ssize_t& value) {
    if (value < 0) {
      value += length;
      if (value < 0) value = step < 0 ? -1 : 0;
    } else if (value >= length) {
      value = step < 0 ? length - 1 : length;
    }
  };
  clip(*start);
  clip(*stop);
  if (step < 0) return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
  return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

#undef PySlice_GetIndicesEx
int PySlice_GetIndicesEx(PyObject* slice, Py_ssize_t length, Py_ssize_t* start, Py_ssize_t* stop, Py_ssize_t* step,
                         Py_ssize_t* count) {
  if (PySlice_Unpack(slice, start, stop, step) < 0) return -1;
  *count = PySlice_AdjustIndices(length, start, stop, *step);
  return 0;
}

/// The oldest form: only ints, no clipping beyond the length. -1 without an exception set for bad values.
int PySlice_GetIndices(PyObject* slice, Py_ssize_t length, Py_ssize_t* start, Py_ssize_t* stop, Py_ssize_t* step) {
  PySliceObject* self = as_slice(slice);
  if (self->step == Py_None) {
    *step = 1;
  } else {
    if (!PyLong_Check(self->step)) return -1;
    *step = PyLong_AsSsize_t(self->step);
  }
  if (self->start == Py_None) {
    *start = *step < 0 ? length - 1 : 0;
  } else {
    if (!PyLong_Check(self->start)) return -1;
    *start = PyLong_AsSsize_t(self->start);
    if (*start < 0) *start += length;
  }
  if (self->stop == Py_None) {
    *stop = *step < 0 ? -1 : length;
  } else {
    if (!PyLong_Check(self->stop)) return -1;
    *stop = PyLong_AsSsize_t(self->stop);
    if (*stop < 0) *stop += length;
  }
  return *stop > length || *start >= length || *step == 0 ? -1 : 0;
}

/// indices() for a length of any size: new references to three ints. -1: exception set.
int _PySlice_GetLongIndices(PySliceObject* self, PyObject* length, PyObject** start_out, PyObject** stop_out,
                            PyObject** step_out) {
  *start_out = *stop_out = *step_out = nullptr;
  const auto to_int = [](PyObject* value) -> Ref<> {
    if (!PyIndex_Check(value)) {
      return raise(PyExc_TypeError, "slice indices must be integers or None or have an __index__ method");
    }
    return Ref<>::steal(PyNumber_Index(value));
  };
  Ref<> step = Ref<>::dup(_PyLong_GetOne());
  if (self->step != Py_None) {
    step = to_int(self->step);
    if (!step) return -1;
    if (Py_SIZE(step.get()) == 0) return raise(PyExc_ValueError, "slice step cannot be zero");
  }
  const bool backwards = is_negative(as_long(step.get()));
  // The bounds that indices are clipped to.
  Ref<> lower = Ref<>::steal(small_int(backwards ? -1 : 0));
  Ref<> upper = backwards ? Ref<>::steal(int_add(as_long(length), as_long(lower.get()))) : Ref<>::dup(length);
  if (!upper) return -1;
  const auto resolve = [&](PyObject* value, PyObject* missing) -> Ref<> {
    if (value == Py_None) return Ref<>::dup(missing);
    Ref<> index = to_int(value);
    if (!index) return nullptr;
    if (is_negative(as_long(index.get()))) {
      index = Ref<>::steal(int_add(as_long(index.get()), as_long(length)));
      if (!index) return nullptr;
      if (int_compare(as_long(index.get()), as_long(lower.get())) < 0) return Ref<>::dup(lower.get());
      return index;
    }
    if (int_compare(as_long(index.get()), as_long(upper.get())) > 0) return Ref<>::dup(upper.get());
    return index;
  };
  Ref<> start = resolve(self->start, backwards ? upper.get() : lower.get());
  if (!start) return -1;
  Ref<> stop = resolve(self->stop, backwards ? lower.get() : upper.get());
  if (!stop) return -1;
  *start_out = start.release();
  *stop_out = stop.release();
  *step_out = step.release();
  return 0;
}

namespace {

PyObject* slice_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  if (kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) return raise(PyExc_TypeError, "slice() takes no keyword arguments");
  const Py_ssize_t n = PyTuple_GET_SIZE(args);
  if (n == 0) return raise(PyExc_TypeError, "slice expected at least 1 argument, got 0");
  if (n > 3) return raise(PyExc_TypeError, "slice expected at most 3 arguments, got %zd", n);
  const auto item = [&](Py_ssize_t i) { return PyTuple_GET_ITEM(args, i); };
  if (n == 1) return PySlice_New(nullptr, item(0), nullptr);
  return PySlice_New(item(0), item(1), n == 3 ? item(2) : nullptr);
}

void slice_dealloc(PyObject* self) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  PySliceObject* slice = as_slice(self);
  _PyObject_GC_UNTRACK(self);
  Py_DECREF(slice->step);
  Py_DECREF(slice->start);
  Py_DECREF(slice->stop);
  if (interp->slice_cache == nullptr) {
    interp->slice_cache = slice;
  } else {
    PyObject_GC_Del(self);
  }
}

int slice_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_slice(self)->start);
  Py_VISIT(as_slice(self)->stop);
  Py_VISIT(as_slice(self)->step);
  return 0;
}

PyObject* slice_repr(PyObject* self) {
  return PyUnicode_FromFormat("slice(%R, %R, %R)", as_slice(self)->start, as_slice(self)->stop, as_slice(self)->step);
}

PyObject* slice_richcompare(PyObject* v, PyObject* w, int op) {
  if (!PySlice_Check(v) || !PySlice_Check(w)) Py_RETURN_NOTIMPLEMENTED;
  if (v == w) {
    return PyBool_FromLong(op == Py_EQ || op == Py_LE || op == Py_GE);
  }
  Ref<> a = Ref<>::steal(PyTuple_Pack(3, as_slice(v)->start, as_slice(v)->stop, as_slice(v)->step));
  Ref<> b = Ref<>::steal(PyTuple_Pack(3, as_slice(w)->start, as_slice(w)->stop, as_slice(w)->step));
  return a && b ? PyObject_RichCompare(a.get(), b.get(), op) : nullptr;
}

PyObject* slice_indices(Borrowed<PySliceObject> self, Borrowed<> length_object) {
  Ref<> length = Ref<>::steal(PyNumber_Index(length_object));
  if (!length) return nullptr;
  if (is_negative(as_long(length.get()))) return raise(PyExc_ValueError, "length should not be negative");
  PyObject* start;
  PyObject* stop;
  PyObject* step;
  if (_PySlice_GetLongIndices(self, length.get(), &start, &stop, &step) < 0) return nullptr;
  return Py_BuildValue("(NNN)", start, stop, step);
}

PyObject* slice_reduce(Borrowed<PySliceObject> self) {
  return Py_BuildValue("O(OOO)", Py_TYPE(self.object()), self->start, self->stop, self->step);
}

PyMethodDef slice_methods[] = {
    method<slice_indices, "indices($self, length, /)",
           "The (start, stop, stride) that the slice selects from a sequence of that length.">(),
    method<slice_reduce, "__reduce__($self, /)", "State for pickling.">(),
    {}};
PyMemberDef slice_members[] = {
    {"start", T_OBJECT, offsetof(PySliceObject, start), READONLY, nullptr},
    {"stop", T_OBJECT, offsetof(PySliceObject, stop), READONLY, nullptr},
    {"step", T_OBJECT, offsetof(PySliceObject, step), READONLY, nullptr},
    {}};

}  // namespace

void _PySlice_Fini(PyInterpreterState* interp) {
  PySliceObject* cached = interp->slice_cache;
  interp->slice_cache = nullptr;
  if (cached != nullptr) PyObject_GC_Del(cached);
}

PyTypeObject PySlice_Type = {
    .ob_base = type_head(),
    .tp_name = "slice",
    .tp_basicsize = sizeof(PySliceObject),
    .tp_dealloc = slice_dealloc,
    .tp_repr = slice_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "slice(stop)\nslice(start, stop[, step])\n\nWhat a[start:stop:step] passes to a's __getitem__.",
    .tp_traverse = slice_traverse,
    .tp_richcompare = slice_richcompare,
    .tp_methods = slice_methods,
    .tp_members = slice_members,
    .tp_new = slice_new,
};
