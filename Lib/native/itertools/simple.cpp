// The itertools that pass items of other iterators on: chain, compress, cycle, dropwhile, filterfalse, islice,
// pairwise, starmap, takewhile, zip_longest, and the sources count and repeat, and accumulate.
#include "Lib/native/itertools/itertools.h"

namespace pyston {
namespace {

// ---- accumulate --------------------------------------------------------------------------------------------------

struct Accumulate {
  PyObject_HEAD
  PyObject* total;
  PyObject* iterator;
  PyObject* function;  // null: addition
  PyObject* initial;   // null once given or when there is none
};
using AccumulateBase = IteratorBase<Accumulate, &Accumulate::total, &Accumulate::iterator, &Accumulate::function,
                                    &Accumulate::initial>;

Ref<> accumulate_new(PyTypeObject* type, PyObject* iterable, PyObject* function, PyObject* initial) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  auto* self = new_iterator<Accumulate>(type);
  if (self == nullptr) return nullptr;
  if (function != Py_None) self->function = Py_XNewRef(function);
  self->iterator = iterator.release();
  self->initial = Py_XNewRef(initial == Py_None ? nullptr : initial);
  return Ref<>::steal(as_object(self));
}
PyObject* accumulate_next(PyObject* object) {
  auto* self = AccumulateBase::cast(object);
  if (self->initial != nullptr) {
    self->total = std::exchange(self->initial, nullptr);
    return Py_NewRef(self->total);
  }
  Ref<> item = Ref<>::steal(Py_TYPE(self->iterator)->tp_iternext(self->iterator));
  if (!item) return nullptr;
  if (self->total == nullptr) {
    self->total = item.release();
    return Py_NewRef(self->total);
  }
  PyObject* total;
  if (self->function == nullptr) {
    total = PyNumber_Add(self->total, item.get());
  } else {
    PyObject* arguments[3] = {nullptr, self->total, item.get()};
    total = PyObject_Vectorcall(self->function, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
  }
  if (total == nullptr) return nullptr;
  Py_INCREF(total);
  Py_SETREF(self->total, total);
  return total;
}
PyObject* accumulate_reduce(PyObject* object) {
  auto* self = AccumulateBase::cast(object);
  PyObject* function = self->function != nullptr ? self->function : Py_None;
  if (self->initial != nullptr) {
    // The initial value goes in front of the rest.
    Ref<> rest = Ref<>::steal(PyObject_CallFunction(as_object(&g_chain_type), "(O)O", self->initial, self->iterator));
    return rest ? Py_BuildValue("O(NO)O", Py_TYPE(object), rest.release(), function, Py_None) : nullptr;
  }
  if (self->total == Py_None) {
    // None as the state would say that there is none: start over with it and skip it.
    Ref<> rest = Ref<>::steal(PyObject_CallFunction(as_object(&g_chain_type), "(O)O", self->total, self->iterator));
    Ref<> again = rest ? Ref<>::steal(PyObject_CallFunction(as_object(Py_TYPE(object)), "OO", rest.get(), function))
                       : nullptr;
    return again ? Py_BuildValue("N(NiO)", Py_NewRef(as_object(&g_islice_type)), again.release(), 1, Py_None) : nullptr;
  }
  return Py_BuildValue("O(OO)O", Py_TYPE(object), self->iterator, function,
                       self->total != nullptr ? self->total : Py_None);
}
PyObject* accumulate_setstate(PyObject* object, PyObject* state) {
  Py_XSETREF(AccumulateBase::cast(object)->total, Py_NewRef(state));
  Py_RETURN_NONE;
}
PyMethodDef accumulate_methods[] = {
    method<accumulate_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    method<accumulate_setstate, "__setstate__($self, state, /)", "Set state information for unpickling.">(),
    {},
};

// ---- chain -------------------------------------------------------------------------------------------------------

struct Chain {
  PyObject_HEAD
  PyObject* source;  // iterator over iterables; null at the end
  PyObject* active;  // iterator over the current one
};
using ChainBase = IteratorBase<Chain, &Chain::source, &Chain::active>;

PyObject* make_chain(PyTypeObject* type, PyObject* iterables) {
  Ref<> source = Ref<>::steal(PyObject_GetIter(iterables));
  if (!source) return nullptr;
  auto* self = new_iterator<Chain>(type);
  if (self != nullptr) self->source = source.release();
  return as_object(self);
}
PyObject* chain_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return refuse_keywords(type, &g_chain_type, "chain", kwargs) ? make_chain(type, args) : nullptr;
}
PyObject* chain_from_iterable(PyObject* type, PyObject* iterable) {
  return make_chain(reinterpret_cast<PyTypeObject*>(type), iterable);
}
PyObject* chain_next(PyObject* object) {
  auto* self = ChainBase::cast(object);
  while (self->source != nullptr) {
    if (self->active == nullptr) {
      Ref<> iterable = Ref<>::steal(PyIter_Next(self->source));
      if (!iterable || (self->active = PyObject_GetIter(iterable.get())) == nullptr) {
        Py_CLEAR(self->source);
        return nullptr;
      }
    }
    PyObject* item = Py_TYPE(self->active)->tp_iternext(self->active);
    if (LIKELY(item != nullptr)) return item;
    if (PyErr_Occurred()) {
      if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return nullptr;
      PyErr_Clear();
    }
    Py_CLEAR(self->active);
  }
  return nullptr;
}
PyObject* chain_reduce(PyObject* object) {
  auto* self = ChainBase::cast(object);
  if (self->source == nullptr) return Py_BuildValue("O()", Py_TYPE(object));
  if (self->active != nullptr) return Py_BuildValue("O()(OO)", Py_TYPE(object), self->source, self->active);
  return Py_BuildValue("O()(O)", Py_TYPE(object), self->source);
}
PyObject* chain_setstate(PyObject* object, PyObject* state) {
  if (!PyTuple_Check(state)) {
    PyErr_SetString(PyExc_TypeError, "state is not a tuple");
    return nullptr;
  }
  PyObject *source, *active = nullptr;
  if (!PyArg_ParseTuple(state, "O|O", &source, &active)) return nullptr;
  if (!PyIter_Check(source) || (active != nullptr && !PyIter_Check(active))) {
    PyErr_SetString(PyExc_TypeError, "Arguments must be iterators.");
    return nullptr;
  }
  Py_XSETREF(ChainBase::cast(object)->source, Py_NewRef(source));
  Py_XSETREF(ChainBase::cast(object)->active, Py_XNewRef(active));
  Py_RETURN_NONE;
}
PyMethodDef chain_methods[] = {
    method<chain_from_iterable, "from_iterable($type, iterable, /)",
           "Alternative chain() constructor taking a single iterable argument that evaluates lazily.">(METH_CLASS),
    method<chain_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    method<chain_setstate, "__setstate__($self, state, /)", "Set state information for unpickling.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "chain[X], for annotations."},
    {},
};

// ---- compress ----------------------------------------------------------------------------------------------------

struct Compress {
  PyObject_HEAD
  PyObject* data;
  PyObject* selectors;
};
using CompressBase = IteratorBase<Compress, &Compress::data, &Compress::selectors>;

Ref<> compress_new(PyTypeObject* type, PyObject* data, PyObject* selectors) {
  Ref<> items = Ref<>::steal(PyObject_GetIter(data));
  Ref<> flags = items ? Ref<>::steal(PyObject_GetIter(selectors)) : nullptr;
  if (!flags) return nullptr;
  auto* self = new_iterator<Compress>(type);
  if (self == nullptr) return nullptr;
  self->data = items.release();
  self->selectors = flags.release();
  return Ref<>::steal(as_object(self));
}
PyObject* compress_next(PyObject* object) {
  auto* self = CompressBase::cast(object);
  while (true) {
    Ref<> item = Ref<>::steal(Py_TYPE(self->data)->tp_iternext(self->data));
    if (!item) return nullptr;
    Ref<> selector = Ref<>::steal(Py_TYPE(self->selectors)->tp_iternext(self->selectors));
    if (!selector) return nullptr;
    const int truth = PyObject_IsTrue(selector.get());
    if (truth < 0) return nullptr;
    if (truth) return item.release();
  }
}
PyObject* compress_reduce(PyObject* object) {
  auto* self = CompressBase::cast(object);
  return Py_BuildValue("O(OO)", Py_TYPE(object), self->data, self->selectors);
}
PyMethodDef compress_methods[] = {
    method<compress_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    {},
};

// ---- cycle -------------------------------------------------------------------------------------------------------

struct Cycle {
  PyObject_HEAD
  PyObject* iterator;  // null once the first pass is over
  PyObject* saved;     // a list
  Py_ssize_t index;
  int replaying;  // unpickled in the second pass: items are saved already
};
using CycleBase = IteratorBase<Cycle, &Cycle::iterator, &Cycle::saved>;

PyObject* cycle_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (!refuse_keywords(type, &g_cycle_type, "cycle", kwargs)) return nullptr;
  PyObject* iterable;
  if (!PyArg_UnpackTuple(args, "cycle", 1, 1, &iterable)) return nullptr;
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  Ref<> saved = iterator ? Ref<>::steal(PyList_New(0)) : nullptr;
  if (!saved) return nullptr;
  auto* self = new_iterator<Cycle>(type);
  if (self == nullptr) return nullptr;
  self->iterator = iterator.release();
  self->saved = saved.release();
  return as_object(self);
}
PyObject* cycle_next(PyObject* object) {
  auto* self = CycleBase::cast(object);
  if (self->iterator != nullptr) {
    Ref<> item = Ref<>::steal(PyIter_Next(self->iterator));
    if (item) {
      if (!self->replaying && PyList_Append(self->saved, item.get()) < 0) return nullptr;
      return item.release();
    }
    if (PyErr_Occurred()) return nullptr;
    Py_CLEAR(self->iterator);
  }
  const Py_ssize_t size = PyList_GET_SIZE(self->saved);
  if (size == 0) return nullptr;
  if (self->index >= size) self->index = 0;
  PyObject* item = PyList_GET_ITEM(self->saved, self->index);
  self->index++;
  if (self->index >= size) self->index = 0;
  return Py_NewRef(item);
}
PyObject* cycle_reduce(PyObject* object) {
  auto* self = CycleBase::cast(object);
  if (self->iterator != nullptr) {
    return Py_BuildValue("O(O)(OO)", Py_TYPE(object), self->iterator, self->saved,
                         self->replaying ? Py_True : Py_False);
  }
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(self->saved));
  if (!iterator) return nullptr;
  if (self->index != 0) {
    Ref<> done = Ref<>::steal(PyObject_CallMethod(iterator.get(), "__setstate__", "n", self->index));
    if (!done) return nullptr;
  }
  return Py_BuildValue("O(N)(OO)", Py_TYPE(object), iterator.release(), self->saved, Py_True);
}
PyObject* cycle_setstate(PyObject* object, PyObject* state) {
  if (!PyTuple_Check(state)) {
    PyErr_SetString(PyExc_TypeError, "state is not a tuple");
    return nullptr;
  }
  PyObject* saved;
  int replaying;
  if (!PyArg_ParseTuple(state, "O!i", &PyList_Type, &saved, &replaying)) return nullptr;
  auto* self = CycleBase::cast(object);
  Py_XSETREF(self->saved, Py_NewRef(saved));
  self->replaying = replaying != 0;
  self->index = 0;
  Py_RETURN_NONE;
}
PyMethodDef cycle_methods[] = {
    method<cycle_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    method<cycle_setstate, "__setstate__($self, state, /)", "Set state information for unpickling.">(),
    {},
};

// ---- dropwhile, takewhile, filterfalse, starmap: a function and an iterator ----------------------------------------

struct WithFunction {
  PyObject_HEAD
  PyObject* function;
  PyObject* iterator;
  long state;  // dropwhile: dropping is over; takewhile: taking is over
};
using WithFunctionBase = IteratorBase<WithFunction, &WithFunction::function, &WithFunction::iterator>;

template <PyTypeObject* base, FixedString name>
PyObject* with_function_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (!refuse_keywords(type, base, name.text, kwargs)) return nullptr;
  PyObject *function, *iterable;
  if (!PyArg_UnpackTuple(args, name.text, 2, 2, &function, &iterable)) return nullptr;
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  auto* self = new_iterator<WithFunction>(type);
  if (self == nullptr) return nullptr;
  self->function = Py_NewRef(function);
  self->iterator = iterator.release();
  return as_object(self);
}
/// Truth of function(item): 1, 0 or -1.
ALWAYS_INLINE int test_item(PyObject* function, PyObject* item) {
  PyObject* verdict = PyObject_CallOneArg(function, item);
  if (verdict == nullptr) return -1;
  const int truth = verdict == Py_True ? 1 : PyObject_IsTrue(verdict);
  Py_DECREF(verdict);
  return truth;
}
PyObject* dropwhile_next(PyObject* object) {
  auto* self = WithFunctionBase::cast(object);
  while (true) {
    Ref<> item = Ref<>::steal(Py_TYPE(self->iterator)->tp_iternext(self->iterator));
    if (!item || self->state) return item.release();
    const int truth = test_item(self->function, item.get());
    if (truth < 0) return nullptr;
    if (!truth) {
      self->state = 1;
      return item.release();
    }
  }
}
PyObject* takewhile_next(PyObject* object) {
  auto* self = WithFunctionBase::cast(object);
  if (self->state) return nullptr;
  Ref<> item = Ref<>::steal(Py_TYPE(self->iterator)->tp_iternext(self->iterator));
  if (!item) return nullptr;
  const int truth = test_item(self->function, item.get());
  if (truth > 0) return item.release();
  if (truth == 0) self->state = 1;
  return nullptr;
}
PyObject* filterfalse_next(PyObject* object) {
  auto* self = WithFunctionBase::cast(object);
  const bool identity = self->function == Py_None || self->function == as_object(&PyBool_Type);
  while (true) {
    Ref<> item = Ref<>::steal(Py_TYPE(self->iterator)->tp_iternext(self->iterator));
    if (!item) return nullptr;
    const int truth = identity ? PyObject_IsTrue(item.get()) : test_item(self->function, item.get());
    if (truth < 0) return nullptr;
    if (!truth) return item.release();
  }
}
PyObject* starmap_next(PyObject* object) {
  auto* self = WithFunctionBase::cast(object);
  Ref<> arguments = Ref<>::steal(Py_TYPE(self->iterator)->tp_iternext(self->iterator));
  if (!arguments) return nullptr;
  if (!PyTuple_CheckExact(arguments.get())) {
    arguments = Ref<>::steal(PySequence_Tuple(arguments.get()));
    if (!arguments) return nullptr;
  }
  return PyObject_Call(self->function, arguments.get(), nullptr);
}
PyObject* with_state_reduce(PyObject* object) {
  auto* self = WithFunctionBase::cast(object);
  return Py_BuildValue("O(OO)l", Py_TYPE(object), self->function, self->iterator, self->state);
}
PyObject* with_state_setstate(PyObject* object, PyObject* state) {
  const int truth = PyObject_IsTrue(state);
  if (truth < 0) return nullptr;
  WithFunctionBase::cast(object)->state = truth;
  Py_RETURN_NONE;
}
PyObject* with_function_reduce(PyObject* object) {
  auto* self = WithFunctionBase::cast(object);
  return Py_BuildValue("O(OO)", Py_TYPE(object), self->function, self->iterator);
}
PyMethodDef with_state_methods[] = {
    method<with_state_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    method<with_state_setstate, "__setstate__($self, state, /)", "Set state information for unpickling.">(),
    {},
};
PyMethodDef with_function_methods[] = {
    method<with_function_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    {},
};

// ---- islice ------------------------------------------------------------------------------------------------------

struct Islice {
  PyObject_HEAD
  PyObject* iterator;  // null at the end
  Py_ssize_t next;
  Py_ssize_t stop;  // -1: none
  Py_ssize_t step;
  Py_ssize_t count;  // items taken from the iterator so far
};
using IsliceBase = IteratorBase<Islice, &Islice::iterator>;

/// An index argument, None leaving `out` as it is. False (no exception) for anything that is no index.
bool parse_bound(PyObject* value, Py_ssize_t* out) {
  if (value == nullptr || value == Py_None) return true;
  *out = PyNumber_AsSsize_t(value, PyExc_OverflowError);
  if (*out == -1) PyErr_Clear();
  return *out >= 0;
}
PyObject* islice_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (!refuse_keywords(type, &g_islice_type, "islice", kwargs)) return nullptr;
  PyObject *iterable, *first, *second = nullptr, *third = nullptr;
  if (!PyArg_UnpackTuple(args, "islice", 2, 4, &iterable, &first, &second, &third)) return nullptr;
  Py_ssize_t start = 0, stop = -1, step = 1;
  if (PyTuple_GET_SIZE(args) == 2) {
    if (!parse_bound(first, &stop)) {
      PyErr_SetString(PyExc_ValueError,
                      "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
      return nullptr;
    }
  } else {
    if (!parse_bound(second, &stop)) {
      PyErr_SetString(PyExc_ValueError,
                      "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
      return nullptr;
    }
    if (!parse_bound(first, &start)) {
      PyErr_SetString(PyExc_ValueError,
                      "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
      return nullptr;
    }
    if (!parse_bound(third, &step) || step < 1) {
      PyErr_SetString(PyExc_ValueError, "Step for islice() must be a positive integer or None.");
      return nullptr;
    }
  }
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  auto* self = new_iterator<Islice>(type);
  if (self == nullptr) return nullptr;
  self->iterator = iterator.release();
  self->next = start;
  self->stop = stop;
  self->step = step;
  return as_object(self);
}
PyObject* islice_next(PyObject* object) {
  auto* self = IsliceBase::cast(object);
  if (self->iterator == nullptr) return nullptr;
  iternextfunc next = Py_TYPE(self->iterator)->tp_iternext;
  while (self->count < self->next) {
    PyObject* skipped = next(self->iterator);
    if (skipped == nullptr) goto finished;
    Py_DECREF(skipped);
    self->count++;
  }
  if (self->stop < 0 || self->count < self->stop) {
    PyObject* item = next(self->iterator);
    if (item == nullptr) goto finished;
    self->count++;
    const size_t following = static_cast<size_t>(self->next) + static_cast<size_t>(self->step);
    const bool past_end = following > static_cast<size_t>(PY_SSIZE_T_MAX) ||
                          (self->stop >= 0 && following > static_cast<size_t>(self->stop));
    self->next = past_end ? (self->stop >= 0 ? self->stop : PY_SSIZE_T_MAX) : static_cast<Py_ssize_t>(following);
    return item;
  }
finished:
  Py_CLEAR(self->iterator);
  return nullptr;
}
PyObject* islice_reduce(PyObject* object) {
  auto* self = IsliceBase::cast(object);
  if (self->iterator == nullptr) {
    Ref<> empty = Ref<>::steal(PyList_New(0));
    Ref<> iterator = empty ? Ref<>::steal(PyObject_GetIter(empty.get())) : nullptr;
    return iterator ? Py_BuildValue("O(Nn)n", Py_TYPE(object), iterator.release(), Py_ssize_t{0}, Py_ssize_t{0})
                    : nullptr;
  }
  Ref<> stop = self->stop == -1 ? Ref<>::none() : Ref<>::steal(PyLong_FromSsize_t(self->stop));
  if (!stop) return nullptr;
  return Py_BuildValue("O(OnNn)n", Py_TYPE(object), self->iterator, self->next, stop.release(), self->step,
                       self->count);
}
PyObject* islice_setstate(PyObject* object, PyObject* state) {
  const Py_ssize_t count = PyLong_AsSsize_t(state);
  if (count == -1 && PyErr_Occurred()) return nullptr;
  IsliceBase::cast(object)->count = count;
  Py_RETURN_NONE;
}
PyMethodDef islice_methods[] = {
    method<islice_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    method<islice_setstate, "__setstate__($self, state, /)", "Set state information for unpickling.">(),
    {},
};

// ---- pairwise ----------------------------------------------------------------------------------------------------

struct Pairwise {
  PyObject_HEAD
  PyObject* iterator;  // null at the end
  PyObject* old;
};
using PairwiseBase = IteratorBase<Pairwise, &Pairwise::iterator, &Pairwise::old>;

Ref<> pairwise_new(PyTypeObject* type, PyObject* iterable) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  auto* self = new_iterator<Pairwise>(type);
  if (self == nullptr) return nullptr;
  self->iterator = iterator.release();
  return Ref<>::steal(as_object(self));
}
constexpr newfunc pairwise_new_bound = constructor<pairwise_new, "pairwise(iterable, /)">;
PyObject* pairwise_new_slot(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return refuse_keywords(type, &g_pairwise_type, "pairwise", kwargs) ? pairwise_new_bound(type, args, nullptr) : nullptr;
}
PyObject* pairwise_next(PyObject* object) {
  auto* self = PairwiseBase::cast(object);
  if (self->iterator == nullptr) return nullptr;
  if (self->old == nullptr) {
    PyObject* first = Py_TYPE(self->iterator)->tp_iternext(self->iterator);
    Py_XSETREF(self->old, first);
    if (first == nullptr) {
      Py_CLEAR(self->iterator);
      return nullptr;
    }
    if (self->iterator == nullptr) {  // the iterator came back here and finished
      Py_CLEAR(self->old);
      return nullptr;
    }
  }
  Ref<> old = Ref<>::dup(self->old);
  PyObject* item = Py_TYPE(self->iterator)->tp_iternext(self->iterator);
  if (item == nullptr) {
    Py_CLEAR(self->iterator);
    Py_CLEAR(self->old);
    return nullptr;
  }
  PyObject* pair = PyTuple_Pack(2, old.get(), item);
  Py_XSETREF(self->old, item);
  return pair;
}

// ---- count -------------------------------------------------------------------------------------------------------

struct Count {
  PyObject_HEAD
  Py_ssize_t fast;  // the next number while `number` is null
  PyObject* number;
  PyObject* step;
};
using CountBase = IteratorBase<Count, &Count::number, &Count::step>;

Ref<> count_new(PyTypeObject* type, PyObject* start, PyObject* step) {
  if ((start != nullptr && !PyNumber_Check(start)) || (step != nullptr && !PyNumber_Check(step))) {
    return raise(PyExc_TypeError, "a number is required");
  }
  bool fast = true;
  Py_ssize_t first = 0;
  if (start != nullptr) {
    fast = PyLong_CheckExact(start);
    if (fast) {
      first = PyLong_AsSsize_t(start);
      if (first == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        fast = false;
      }
    }
  }
  Ref<> increment = step != nullptr ? Ref<>::dup(step) : Ref<>::steal(PyLong_FromLong(1));
  if (!increment) return nullptr;
  if (fast && step != nullptr) {
    fast = PyLong_CheckExact(step) && Py_SIZE(step) == 1 && reinterpret_cast<PyLongObject*>(step)->ob_digit[0] == 1;
  }
  Ref<> number;
  if (!fast) {
    number = start != nullptr ? Ref<>::dup(start) : Ref<>::steal(PyLong_FromLong(0));
    if (!number) return nullptr;
  }
  auto* self = new_iterator<Count>(type);
  if (self == nullptr) return nullptr;
  self->fast = first;
  self->number = number.release();
  self->step = increment.release();
  return Ref<>::steal(as_object(self));
}
PyObject* count_next(PyObject* object) {
  auto* self = CountBase::cast(object);
  if (LIKELY(self->number == nullptr)) {
    if (LIKELY(self->fast != PY_SSIZE_T_MAX)) return PyLong_FromSsize_t(self->fast++);
    self->number = PyLong_FromSsize_t(PY_SSIZE_T_MAX);
    if (self->number == nullptr) return nullptr;
  }
  PyObject* following = PyNumber_Add(self->number, self->step);
  if (following == nullptr) return nullptr;
  return std::exchange(self->number, following);
}
bool step_is_one(PyObject* step) {
  return PyLong_Check(step) && Py_SIZE(step) == 1 && reinterpret_cast<PyLongObject*>(step)->ob_digit[0] == 1;
}
PyObject* count_repr(PyObject* object) {
  auto* self = CountBase::cast(object);
  const char* name = _PyType_Name(Py_TYPE(object));
  if (self->number == nullptr) return PyUnicode_FromFormat("%s(%zd)", name, self->fast);
  // A step of 1 is left out, but not one of another type.
  if (PyLong_Check(self->step) && step_is_one(self->step)) {
    return PyUnicode_FromFormat("%s(%R)", name, self->number);
  }
  return PyUnicode_FromFormat("%s(%R, %R)", name, self->number, self->step);
}
PyObject* count_reduce(PyObject* object) {
  auto* self = CountBase::cast(object);
  if (self->number == nullptr) return Py_BuildValue("O(n)", Py_TYPE(object), self->fast);
  return Py_BuildValue("O(OO)", Py_TYPE(object), self->number, self->step);
}
PyMethodDef count_methods[] = {
    method<count_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    {},
};

// ---- repeat ------------------------------------------------------------------------------------------------------

struct Repeat {
  PyObject_HEAD
  PyObject* element;
  Py_ssize_t left;  // -1: for ever
};
using RepeatBase = IteratorBase<Repeat, &Repeat::element>;

PyObject* repeat_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const keywords[] = {"object", "times", nullptr};
  PyObject* element;
  Py_ssize_t times = -1;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|n:repeat", const_cast<char**>(keywords), &element, &times)) {
    return nullptr;
  }
  const Py_ssize_t given = PyTuple_GET_SIZE(args) + (kwargs != nullptr ? PyDict_GET_SIZE(kwargs) : 0);
  if (given == 2 && times < 0) times = 0;
  auto* self = new_iterator<Repeat>(type);
  if (self == nullptr) return nullptr;
  self->element = Py_NewRef(element);
  self->left = times;
  return as_object(self);
}
PyObject* repeat_next(PyObject* object) {
  auto* self = RepeatBase::cast(object);
  if (self->left == 0) return nullptr;
  if (self->left > 0) self->left--;
  return Py_NewRef(self->element);
}
PyObject* repeat_repr(PyObject* object) {
  auto* self = RepeatBase::cast(object);
  const char* name = _PyType_Name(Py_TYPE(object));
  return self->left == -1 ? PyUnicode_FromFormat("%s(%R)", name, self->element)
                          : PyUnicode_FromFormat("%s(%R, %zd)", name, self->element, self->left);
}
PyObject* repeat_length_hint(PyObject* object) {
  auto* self = RepeatBase::cast(object);
  if (self->left == -1) {
    PyErr_SetString(PyExc_TypeError, "len() of unsized object");
    return nullptr;
  }
  return PyLong_FromSsize_t(self->left);
}
PyObject* repeat_reduce(PyObject* object) {
  auto* self = RepeatBase::cast(object);
  return self->left >= 0 ? Py_BuildValue("O(On)", Py_TYPE(object), self->element, self->left)
                         : Py_BuildValue("O(O)", Py_TYPE(object), self->element);
}
PyMethodDef repeat_methods[] = {
    method<repeat_length_hint, "__length_hint__($self, /)", "How many items are left.">(),
    method<repeat_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    {},
};

// ---- zip_longest -------------------------------------------------------------------------------------------------

struct ZipLongest {
  PyObject_HEAD
  Py_ssize_t active;
  PyObject* iterators;  // a tuple; exhausted ones are null
  PyObject* result;     // reusable
  PyObject* fill;
};
using ZipLongestBase =
    IteratorBase<ZipLongest, &ZipLongest::iterators, &ZipLongest::result, &ZipLongest::fill>;

PyObject* zip_longest_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  PyObject* fill = Py_None;
  if (kwargs != nullptr && PyDict_GET_SIZE(kwargs) > 0) {
    fill = nullptr;
    if (PyDict_GET_SIZE(kwargs) == 1) fill = PyDict_GetItemWithError(kwargs, &_Py_ID(fillvalue));
    if (fill == nullptr) {
      if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "zip_longest() got an unexpected keyword argument");
      return nullptr;
    }
  }
  const Py_ssize_t count = PyTuple_GET_SIZE(args);
  Ref<> iterators = Ref<>::steal(PyTuple_New(count));
  Ref<> result = iterators ? Ref<>::steal(PyTuple_New(count)) : nullptr;
  if (!result) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* iterator = PyObject_GetIter(PyTuple_GET_ITEM(args, i));
    if (iterator == nullptr) return nullptr;
    PyTuple_SET_ITEM(iterators.get(), i, iterator);
    PyTuple_SET_ITEM(result.get(), i, Py_NewRef(Py_None));
  }
  auto* self = new_iterator<ZipLongest>(type);
  if (self == nullptr) return nullptr;
  self->active = count;
  self->iterators = iterators.release();
  self->result = result.release();
  self->fill = Py_NewRef(fill);
  return as_object(self);
}
PyObject* zip_longest_next(PyObject* object) {
  auto* self = ZipLongestBase::cast(object);
  const Py_ssize_t count = PyTuple_GET_SIZE(self->iterators);
  if (count == 0 || self->active == 0) return nullptr;
  // Held during the calls, so that a recursive next() gets another tuple.
  const bool reuse = Py_REFCNT(self->result) == 1;
  Ref<> result = reuse ? Ref<>::dup(self->result) : Ref<>::steal(PyTuple_New(count));
  if (!result) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* iterator = PyTuple_GET_ITEM(self->iterators, i);
    PyObject* item = nullptr;
    if (iterator != nullptr) {
      item = PyIter_Next(iterator);
      if (item == nullptr) {
        if (PyErr_Occurred() || --self->active == 0) {
          if (PyErr_Occurred()) self->active = 0;
          return nullptr;
        }
        PyTuple_SET_ITEM(self->iterators, i, nullptr);
        Py_DECREF(iterator);
      }
    }
    if (item == nullptr) item = Py_NewRef(self->fill);
    PyObject* old = PyTuple_GET_ITEM(result.get(), i);
    PyTuple_SET_ITEM(result.get(), i, item);
    Py_XDECREF(old);
  }
  if (reuse && !_PyObject_GC_IS_TRACKED(result.get())) _PyObject_GC_TRACK(result.get());
  return result.release();
}
PyObject* zip_longest_reduce(PyObject* object) {
  auto* self = ZipLongestBase::cast(object);
  const Py_ssize_t count = PyTuple_GET_SIZE(self->iterators);
  Ref<> args = Ref<>::steal(PyTuple_New(count));
  if (!args) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* iterator = PyTuple_GET_ITEM(self->iterators, i);
    PyObject* item = iterator != nullptr ? Py_NewRef(iterator) : PyTuple_New(0);
    if (item == nullptr) return nullptr;
    PyTuple_SET_ITEM(args.get(), i, item);
  }
  return Py_BuildValue("ONO", Py_TYPE(object), args.release(), self->fill);
}
PyObject* zip_longest_setstate(PyObject* object, PyObject* state) {
  Py_XSETREF(ZipLongestBase::cast(object)->fill, Py_NewRef(state));
  Py_RETURN_NONE;
}
PyMethodDef zip_longest_methods[] = {
    method<zip_longest_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    method<zip_longest_setstate, "__setstate__($self, state, /)", "Set state information for unpickling.">(),
    {},
};

constexpr PyTypeObject with_repr(PyTypeObject type, reprfunc repr) {
  type.tp_repr = repr;
  return type;
}

}  // namespace

PyTypeObject g_accumulate_type = AccumulateBase::type(
    "itertools.accumulate",
    "accumulate(iterable, func=None, *, initial=None)\n--\n\nReturn series of accumulated sums (or other combinations).",
    constructor<accumulate_new, "accumulate(iterable, func=None, *, initial=None)">, accumulate_next,
    accumulate_methods);
PyTypeObject g_chain_type = ChainBase::type("itertools.chain",
                                            "chain(*iterables) --> chain object\n\n"
                                            "The items of the first iterable, then those of the second, and so on.",
                                            chain_new, chain_next, chain_methods);
PyTypeObject g_compress_type = CompressBase::type(
    "itertools.compress", "compress(data, selectors)\n--\n\nThe items whose selector is true.",
    constructor<compress_new, "compress(data, selectors)">, compress_next, compress_methods);
PyTypeObject g_count_type = with_repr(
    CountBase::type("itertools.count", "count(start=0, step=1)\n--\n\nstart, start + step, start + 2 * step, ...",
                    constructor<count_new, "count(start=0, step=1)">, count_next, count_methods),
    count_repr);
PyTypeObject g_cycle_type =
    CycleBase::type("itertools.cycle", "cycle(iterable, /)\n--\n\nThe items over and over again.", cycle_new,
                    cycle_next, cycle_methods);
PyTypeObject g_dropwhile_type = WithFunctionBase::type(
    "itertools.dropwhile",
    "dropwhile(predicate, iterable, /)\n--\n\nThe items from the first one on for which predicate(item) is false.",
    with_function_new<&g_dropwhile_type, "dropwhile">, dropwhile_next, with_state_methods);
PyTypeObject g_takewhile_type = WithFunctionBase::type(
    "itertools.takewhile",
    "takewhile(predicate, iterable, /)\n--\n\nThe items up to the first one for which predicate(item) is false.",
    with_function_new<&g_takewhile_type, "takewhile">, takewhile_next, with_state_methods);
PyTypeObject g_filterfalse_type = WithFunctionBase::type(
    "itertools.filterfalse",
    "filterfalse(function, iterable, /)\n--\n\nThe items for which function(item) is false, or if it is None, that are false.",
    with_function_new<&g_filterfalse_type, "filterfalse">, filterfalse_next, with_function_methods);
PyTypeObject g_starmap_type = WithFunctionBase::type(
    "itertools.starmap", "starmap(function, iterable, /)\n--\n\nfunction(*item) for each item.",
    with_function_new<&g_starmap_type, "starmap">, starmap_next, with_function_methods);
PyTypeObject g_islice_type = IsliceBase::type(
    "itertools.islice",
    "islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\n"
    "The items that the slice of a sequence would have.",
    islice_new, islice_next, islice_methods);
PyTypeObject g_pairwise_type = PairwiseBase::type(
    "itertools.pairwise", "pairwise(iterable, /)\n--\n\nOverlapping pairs of neighbouring items.", pairwise_new_slot,
    pairwise_next, nullptr);
PyTypeObject g_repeat_type = with_repr(
    RepeatBase::type("itertools.repeat",
                     "repeat(object [,times]) -> create an iterator which returns the object\n"
                     "the given number of times, or for ever.",
                     repeat_new, repeat_next, repeat_methods),
    repeat_repr);
PyTypeObject g_zip_longest_type = ZipLongestBase::type(
    "itertools.zip_longest",
    "zip_longest(*iterables, fillvalue=None) --> zip_longest object\n\n"
    "Tuples of the i-th items, until the longest iterable ends; fillvalue stands for missing items.",
    zip_longest_new, zip_longest_next, zip_longest_methods);

}  // namespace pyston
