// range and its two iterators. Ranges over machine integers iterate without creating anything but the items.
#include "Objects/iteration/range.h"

#include "Objects/bind.h"
#include "Objects/numbers/int.h"
#include "pycore_ceval.h"
#include "pycore_object.h"
#include "pycore_tuple.h"

namespace pyston {
namespace {

RangeObject* as_range(PyObject* object) { return reinterpret_cast<RangeObject*>(object); }

/// Number of items of a range as an int. Returns new.
PyObject* compute_length(PyObject* start, PyObject* stop, PyObject* step) {
  if (is_compact(as_long(start)) && is_compact(as_long(stop)) && is_compact(as_long(step))) {
    const int64_t a = compact_value(as_long(start));
    const int64_t b = compact_value(as_long(stop));
    const int64_t s = compact_value(as_long(step));
    if (s > 0 ? a >= b : a <= b) return small_int(0);
    return int_from_int64(s > 0 ? (b - a - 1) / s + 1 : (a - b - 1) / -s + 1);
  }
  const bool upwards = _PyLong_Sign(step) > 0;
  PyLongObject* low = as_long(upwards ? start : stop);
  PyLongObject* high = as_long(upwards ? stop : start);
  if (int_compare(low, high) >= 0) return small_int(0);
  Ref<> stride = Ref<>::steal(upwards ? Py_NewRef(step) : int_negative(as_long(step)));
  if (!stride) return nullptr;
  Ref<> distance = Ref<>::steal(int_subtract(high, low));
  if (!distance) return nullptr;
  Ref<> last = Ref<>::steal(int_subtract(as_long(distance.get()), as_long(_PyLong_GetOne())));
  if (!last) return nullptr;
  Ref<> quotient = Ref<>::steal(int_floor_divide(as_long(last.get()), as_long(stride.get())));
  if (!quotient) return nullptr;
  return int_add(as_long(quotient.get()), as_long(_PyLong_GetOne()));
}

/// A range from three exact ints (stolen, null on an earlier failure).
PyObject* make_range(PyTypeObject* type, Ref<> start, Ref<> stop, Ref<> step) {
  if (!start || !stop || !step) return nullptr;
  Ref<> length = Ref<>::steal(compute_length(start.get(), stop.get(), step.get()));
  if (!length) return nullptr;
  RangeObject* self = PyObject_New(RangeObject, type);
  if (self == nullptr) return nullptr;
  self->start = start.release();
  self->stop = stop.release();
  self->step = step.release();
  self->length = length.release();
  return as_object(self);
}

Ref<> to_index(PyObject* object) {
  return PyLong_CheckExact(object) ? Ref<>::dup(object) : Ref<>::steal(PyNumber_Index(object));
}

PyObject* range_from_args(PyTypeObject* type, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs == 1) {
    Ref<> stop = to_index(args[0]);
    if (!stop) return nullptr;
    return make_range(type, Ref<>::dup(_PyLong_GetZero()), std::move(stop), Ref<>::dup(_PyLong_GetOne()));
  }
  if (nargs == 0) return raise(PyExc_TypeError, "range expected at least 1 argument, got 0");
  if (nargs > 3) return raise(PyExc_TypeError, "range expected at most 3 arguments, got %zd", nargs);
  Ref<> start = to_index(args[0]);
  if (!start) return nullptr;
  Ref<> stop = to_index(args[1]);
  if (!stop) return nullptr;
  Ref<> step = nargs == 3 ? to_index(args[2]) : Ref<>::dup(_PyLong_GetOne());
  if (!step) return nullptr;
  if (Py_SIZE(step.get()) == 0) return raise(PyExc_ValueError, "range() arg 3 must not be zero");
  return make_range(type, std::move(start), std::move(stop), std::move(step));
}

PyObject* range_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) return raise(PyExc_TypeError, "range() takes no keyword arguments");
  return range_from_args(type, _PyTuple_ITEMS(args), PyTuple_GET_SIZE(args));
}
PyObject* range_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (kwnames != nullptr && PyTuple_GET_SIZE(kwnames) != 0) {
    return raise(PyExc_TypeError, "range() takes no keyword arguments");
  }
  return range_from_args(reinterpret_cast<PyTypeObject*>(type), args, PyVectorcall_NARGS(nargsf));
}

void range_dealloc(PyObject* self) {
  Py_DECREF(as_range(self)->start);
  Py_DECREF(as_range(self)->stop);
  Py_DECREF(as_range(self)->step);
  Py_DECREF(as_range(self)->length);
  PyObject_Free(self);
}

PyObject* range_repr(PyObject* self) {
  RangeObject* r = as_range(self);
  if (as_long(r->step)->ob_base.ob_size == 1 && as_long(r->step)->ob_digit[0] == 1) {
    return PyUnicode_FromFormat("range(%R, %R)", r->start, r->stop);
  }
  return PyUnicode_FromFormat("range(%R, %R, %R)", r->start, r->stop, r->step);
}

Py_ssize_t range_length(PyObject* self) { return PyLong_AsSsize_t(as_range(self)->length); }

/// start + index * step, no bounds check. Returns new.
PyObject* compute_item(RangeObject* r, PyObject* index) {
  Ref<> product = Ref<>::steal(int_multiply(as_long(index), as_long(r->step)));
  return product ? int_add(as_long(r->start), as_long(product.get())) : nullptr;
}

PyObject* item_at(RangeObject* r, PyObject* index) {
  Ref<> shifted = Ref<>::dup(index);
  if (is_negative(as_long(index))) {
    shifted = Ref<>::steal(int_add(as_long(index), as_long(r->length)));
    if (!shifted) return nullptr;
  }
  if (is_negative(as_long(shifted.get())) || int_compare(as_long(shifted.get()), as_long(r->length)) >= 0) {
    return raise(PyExc_IndexError, "range object index out of range");
  }
  return compute_item(r, shifted.get());
}

PyObject* range_item(PyObject* self, Py_ssize_t i) {
  Ref<> index = Ref<>::steal(PyLong_FromSsize_t(i));
  if (!index) return nullptr;
  // The sequence protocol has already added the length to a negative index.
  if (i < 0) return raise(PyExc_IndexError, "range object index out of range");
  return item_at(as_range(self), index.get());
}

PyObject* range_slice(RangeObject* r, PyObject* slice) {
  PyObject* start;
  PyObject* stop;
  PyObject* step;
  if (_PySlice_GetLongIndices(reinterpret_cast<PySliceObject*>(slice), r->length, &start, &stop, &step) < 0) return nullptr;
  Ref<> owners[] = {Ref<>::steal(start), Ref<>::steal(stop), Ref<>::steal(step)};
  Ref<> new_step = Ref<>::steal(int_multiply(as_long(r->step), as_long(step)));
  Ref<> new_start = Ref<>::steal(compute_item(r, start));
  Ref<> new_stop = Ref<>::steal(compute_item(r, stop));
  return make_range(&PyRange_Type, std::move(new_start), std::move(new_stop), std::move(new_step));
}

PyObject* range_subscript(PyObject* self, PyObject* key) {
  if (PyIndex_Check(key)) {
    Ref<> index = to_index(key);
    return index ? item_at(as_range(self), index.get()) : nullptr;
  }
  if (PySlice_Check(key)) return range_slice(as_range(self), key);
  return raise(PyExc_TypeError, "range indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
}

int range_contains_int(RangeObject* r, PyLongObject* value) {
  const bool upwards = _PyLong_Sign(r->step) > 0;
  const int from_start = int_compare(value, as_long(r->start));
  const int from_stop = int_compare(value, as_long(r->stop));
  if (upwards ? from_start < 0 || from_stop >= 0 : from_start > 0 || from_stop <= 0) return 0;
  Ref<> distance = Ref<>::steal(int_subtract(value, as_long(r->start)));
  if (!distance) return -1;
  Ref<> rest = Ref<>::steal(int_modulo(as_long(distance.get()), as_long(r->step)));
  return rest ? Py_SIZE(rest.get()) == 0 : -1;
}

int range_contains(PyObject* self, PyObject* value) {
  if (PyLong_CheckExact(value) || PyBool_Check(value)) return range_contains_int(as_range(self), as_long(value));
  return static_cast<int>(_PySequence_IterSearch(self, value, PY_ITERSEARCH_CONTAINS));
}

int range_bool(PyObject* self) { return Py_SIZE(as_range(self)->length) != 0; }

/// What decides equality: the length, then the first item, then the step. None stands for what doesn't matter.
PyObject* equality_key(RangeObject* r) {
  PyObject* first = Py_None;
  PyObject* step = Py_None;
  if (Py_SIZE(r->length) != 0) {
    first = r->start;
    if (!(is_single(as_long(r->length)) && single_value(as_long(r->length)) == 1)) step = r->step;
  }
  return PyTuple_Pack(3, r->length, first, step);
}

Py_hash_t range_hash(PyObject* self) {
  Ref<> key = Ref<>::steal(equality_key(as_range(self)));
  return key ? PyObject_Hash(key.get()) : -1;
}

bool equal_ranges(RangeObject* a, RangeObject* b) {
  if (a == b) return true;
  if (int_compare(as_long(a->length), as_long(b->length)) != 0) return false;
  if (Py_SIZE(a->length) == 0) return true;
  if (int_compare(as_long(a->start), as_long(b->start)) != 0) return false;
  if (is_single(as_long(a->length)) && single_value(as_long(a->length)) == 1) return true;
  return int_compare(as_long(a->step), as_long(b->step)) == 0;
}

PyObject* range_richcompare(PyObject* self, PyObject* other, int op) {
  if (!PyRange_Check(other) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong(equal_ranges(as_range(self), as_range(other)) == (op == Py_EQ));
}

// Iteration ---------------------------------------------------------------------------------------------------------

PyObject* make_iterator(long start, long step, long length) {
  RangeIterator* it = PyObject_New(RangeIterator, &PyRangeIter_Type);
  if (it == nullptr) return nullptr;
  it->index = 0;
  it->start = start;
  it->step = step;
  it->length = length;
  return as_object(it);
}

PyObject* make_long_iterator(PyObject* start, PyObject* step, PyObject* length) {
  LongRangeIterator* it = PyObject_New(LongRangeIterator, &PyLongRangeIter_Type);
  if (it == nullptr) return nullptr;
  it->index = small_int(0);
  it->start = Py_NewRef(start);
  it->step = Py_NewRef(step);
  it->length = Py_NewRef(length);
  return as_object(it);
}

bool fits_long(PyObject* object, long* out) {
  int overflow;
  *out = PyLong_AsLongAndOverflow(object, &overflow);
  return overflow == 0;
}

/// The fast iterator when start, step, stop, length and the end after the last step are longs.
PyObject* iterate(PyObject* start, PyObject* stop, PyObject* step, PyObject* length) {
  long a;
  long b;
  long s;
  long n;
  if (LIKELY(fits_long(start, &a) && fits_long(stop, &b) && fits_long(step, &s) && fits_long(length, &n))) {
    const bool end_fits = s > 0 ? b <= LONG_MAX - (s - 1) : b >= LONG_MIN + (-1 - s);
    if (LIKELY(n == 0 || end_fits)) return make_iterator(a, s, n);
  }
  return make_long_iterator(start, step, length);
}

PyObject* range_iter(PyObject* self) {
  RangeObject* r = as_range(self);
  return iterate(r->start, r->stop, r->step, r->length);
}

PyObject* range_reversed(Borrowed<RangeObject> self) {
  Ref<> last_index = Ref<>::steal(int_subtract(as_long(self->length), as_long(_PyLong_GetOne())));
  if (!last_index) return nullptr;
  Ref<> last = Ref<>::steal(compute_item(self, last_index.get()));
  Ref<> step = Ref<>::steal(int_negative(as_long(self->step)));
  if (!last || !step) return nullptr;
  return iterate(last.get(), self->start, step.get(), self->length);
}

PyObject* range_reduce(Borrowed<RangeObject> self) {
  return Py_BuildValue("(O(OOO))", Py_TYPE(self.object()), self->start, self->stop, self->step);
}

PyObject* range_count(Borrowed<RangeObject> self, Borrowed<> value) {
  if (PyLong_CheckExact(value.get()) || PyBool_Check(value.get())) {
    const int found = range_contains_int(self, as_long(value.get()));
    return found < 0 ? nullptr : small_int(found);
  }
  const Py_ssize_t count = _PySequence_IterSearch(self.object(), value, PY_ITERSEARCH_COUNT);
  return count < 0 ? nullptr : PyLong_FromSsize_t(count);
}

PyObject* range_index(Borrowed<RangeObject> self, Borrowed<> value) {
  if (!PyLong_CheckExact(value.get()) && !PyBool_Check(value.get())) {
    const Py_ssize_t index = _PySequence_IterSearch(self.object(), value, PY_ITERSEARCH_INDEX);
    return index < 0 ? nullptr : PyLong_FromSsize_t(index);
  }
  const int found = range_contains_int(self, as_long(value.get()));
  if (found < 0) return nullptr;
  if (!found) return raise(PyExc_ValueError, "%R is not in range", value.get());
  Ref<> distance = Ref<>::steal(int_subtract(as_long(value.get()), as_long(self->start)));
  return distance ? int_floor_divide(as_long(distance.get()), as_long(self->step)) : nullptr;
}

PyMethodDef range_methods[] = {
    method<range_reversed, "__reversed__($self, /)", "An iterator over the items from the last to the first.">(),
    method<range_reduce, "__reduce__($self, /)">(),
    method<range_count, "count($self, value, /)", "How often the value occurs: 0 or 1.">(),
    method<range_index, "index($self, value, /)", "The index of the value; ValueError when it doesn't occur.">(),
    {}};
PyMemberDef range_members[] = {
    {"start", T_OBJECT_EX, offsetof(RangeObject, start), READONLY, nullptr},
    {"stop", T_OBJECT_EX, offsetof(RangeObject, stop), READONLY, nullptr},
    {"step", T_OBJECT_EX, offsetof(RangeObject, step), READONLY, nullptr},
    {}};
PySequenceMethods range_as_sequence = {.sq_length = range_length, .sq_item = range_item, .sq_contains = range_contains};
PyMappingMethods range_as_mapping = {.mp_length = range_length, .mp_subscript = range_subscript};
PyNumberMethods range_as_number = {.nb_bool = range_bool};

PyObject* iterator_next(PyObject* self) {
  RangeIterator* it = reinterpret_cast<RangeIterator*>(self);
  if (UNLIKELY(it->index >= it->length)) return nullptr;
  return int_from_int64(it->start + it->index++ * it->step);
}
PyObject* iterator_length_hint(Borrowed<RangeIterator> self) {
  return PyLong_FromLong(self->index < self->length ? self->length - self->index : 0);
}
PyObject* iterator_reduce(Borrowed<RangeIterator> self) {
  Ref<> start = Ref<>::steal(PyLong_FromLong(self->start));
  Ref<> step = Ref<>::steal(PyLong_FromLong(self->step));
  Ref<> length = Ref<>::steal(PyLong_FromLong(self->length));
  if (!start || !step || !length) return nullptr;
  // The end is computed as an int: it can lie beyond a long by one step.
  Ref<> distance = Ref<>::steal(int_multiply(as_long(length.get()), as_long(step.get())));
  if (!distance) return nullptr;
  Ref<> stop = Ref<>::steal(int_add(as_long(start.get()), as_long(distance.get())));
  Ref<> range = Ref<>::steal(make_range(&PyRange_Type, std::move(start), std::move(stop), std::move(step)));
  if (!range) return nullptr;
  return Py_BuildValue("N(N)l", _PyEval_GetBuiltin(&_Py_ID(iter)), range.release(), self->index);
}
PyObject* iterator_setstate(Borrowed<RangeIterator> self, Borrowed<> state) {
  long index = PyLong_AsLong(state);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  self->index = index < 0 ? 0 : (index > self->length ? self->length : index);
  Py_RETURN_NONE;
}
PyMethodDef iterator_methods[] = {
    method<iterator_length_hint, "__length_hint__($self, /)", "How many items are left.">(),
    method<iterator_reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<iterator_setstate, "__setstate__($self, state, /)", "Sets the position.">(),
    {}};

LongRangeIterator* as_long_iterator(PyObject* self) { return reinterpret_cast<LongRangeIterator*>(self); }

PyObject* long_iterator_next(PyObject* self) {
  LongRangeIterator* it = as_long_iterator(self);
  if (int_compare(as_long(it->index), as_long(it->length)) >= 0) return nullptr;
  Ref<> next_index = Ref<>::steal(int_add(as_long(it->index), as_long(_PyLong_GetOne())));
  if (!next_index) return nullptr;
  Ref<> product = Ref<>::steal(int_multiply(as_long(it->index), as_long(it->step)));
  if (!product) return nullptr;
  PyObject* result = int_add(as_long(it->start), as_long(product.get()));
  if (result != nullptr) Py_SETREF(it->index, next_index.release());
  return result;
}
PyObject* long_iterator_length_hint(Borrowed<LongRangeIterator> self) {
  return int_subtract(as_long(self->length), as_long(self->index));
}
PyObject* long_iterator_reduce(Borrowed<LongRangeIterator> self) {
  Ref<> distance = Ref<>::steal(int_multiply(as_long(self->length), as_long(self->step)));
  if (!distance) return nullptr;
  Ref<> stop = Ref<>::steal(int_add(as_long(self->start), as_long(distance.get())));
  Ref<> range = Ref<>::steal(make_range(&PyRange_Type, Ref<>::dup(self->start), std::move(stop), Ref<>::dup(self->step)));
  if (!range) return nullptr;
  return Py_BuildValue("N(N)O", _PyEval_GetBuiltin(&_Py_ID(iter)), range.release(), self->index);
}
PyObject* long_iterator_setstate(Borrowed<LongRangeIterator> self, Borrowed<> state) {
  if (!PyLong_CheckExact(state.get())) return raise(PyExc_TypeError, "state must be an int, not %.200s", Py_TYPE(state.get())->tp_name);
  PyObject* index = state;
  if (is_negative(as_long(index))) index = _PyLong_GetZero();
  if (int_compare(as_long(index), as_long(self->length)) > 0) index = self->length;
  Py_SETREF(self->index, Py_NewRef(index));
  Py_RETURN_NONE;
}
PyMethodDef long_iterator_methods[] = {
    method<long_iterator_length_hint, "__length_hint__($self, /)", "How many items are left.">(),
    method<long_iterator_reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<long_iterator_setstate, "__setstate__($self, state, /)", "Sets the position.">(),
    {}};
void long_iterator_dealloc(PyObject* self) {
  LongRangeIterator* it = as_long_iterator(self);
  Py_DECREF(it->index);
  Py_DECREF(it->start);
  Py_DECREF(it->step);
  Py_DECREF(it->length);
  PyObject_Free(self);
}

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyRange_Type = {
    .ob_base = type_head(),
    .tp_name = "range",
    .tp_basicsize = sizeof(RangeObject),
    .tp_dealloc = range_dealloc,
    .tp_repr = range_repr,
    .tp_as_number = &range_as_number,
    .tp_as_sequence = &range_as_sequence,
    .tp_as_mapping = &range_as_mapping,
    .tp_hash = range_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\n"
              "The integers from start (0 when left out) up to, but without, stop, in strides of step.",
    .tp_richcompare = range_richcompare,
    .tp_iter = range_iter,
    .tp_methods = range_methods,
    .tp_members = range_members,
    .tp_new = range_new,
    .tp_vectorcall = range_vectorcall,
};

PyTypeObject PyRangeIter_Type = {
    .ob_base = type_head(),
    .tp_name = "range_iterator",
    .tp_basicsize = sizeof(RangeIterator),
    .tp_dealloc = [](PyObject* self) { PyObject_Free(self); },
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
    .tp_methods = iterator_methods,
};

PyTypeObject PyLongRangeIter_Type = {
    .ob_base = type_head(),
    .tp_name = "longrange_iterator",
    .tp_basicsize = sizeof(LongRangeIterator),
    .tp_dealloc = long_iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = long_iterator_next,
    .tp_methods = long_iterator_methods,
};

static_assert(sizeof(RangeObject) == 48 && sizeof(RangeIterator) == 48 && sizeof(LongRangeIterator) == 48);
