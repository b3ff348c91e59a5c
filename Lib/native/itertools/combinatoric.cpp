// combinations, combinations_with_replacement, permutations, product: tuples of items of pools, in lexicographic order
// of positions. The result tuple is reused while nobody else holds it; only the positions that change are written.
#include "Lib/native/itertools/itertools.h"

namespace pyston {
namespace {

/// The common layout: what `pool` is differs, and objects of the simpler types end before the fields they don't have.
struct Combinatoric {
  PyObject_HEAD
  PyObject* pool;       // a tuple; for product a tuple of tuples
  PyObject* result;     // the last tuple given; null before the first
  Py_ssize_t* indices;  // positions in the pool(s)
  int stopped;
  Py_ssize_t r;         // length of results; not in product, where it is that of the pool
  Py_ssize_t* cycles;   // only in permutations
  static bool has_cycles(Combinatoric* self) { return PyObject_TypeCheck(as_object(self), &g_permutations_type); }
  static void free_extra(Combinatoric* self) {
    PyMem_Free(self->indices);
    if (has_cycles(self)) PyMem_Free(self->cycles);
  }
};
using Base = IteratorBase<Combinatoric, &Combinatoric::pool, &Combinatoric::result>;

Py_ssize_t* new_indices(Py_ssize_t count) {
  auto* indices = PyMem_New(Py_ssize_t, static_cast<size_t>(count));
  if (indices == nullptr) PyErr_NoMemory();
  return indices;
}

/// Writes result[i .. r) anew from the indices.
bool refresh(Combinatoric* self, Py_ssize_t from) {
  PyObject* result = writable_result(&self->result);
  if (result == nullptr) return false;
  for (Py_ssize_t i = from; i < self->r; i++) {
    PyObject* item = Py_NewRef(PyTuple_GET_ITEM(self->pool, self->indices[i]));
    PyObject* old = PyTuple_GET_ITEM(result, i);
    PyTuple_SET_ITEM(result, i, item);
    Py_DECREF(old);
  }
  return true;
}

/// The tuple that the indices say, as the current result.
bool set_result(Combinatoric* self) {
  PyObject* result = PyTuple_New(self->r);
  if (result == nullptr) return false;
  for (Py_ssize_t i = 0; i < self->r; i++) {
    PyTuple_SET_ITEM(result, i, Py_NewRef(PyTuple_GET_ITEM(self->pool, self->indices[i])));
  }
  Py_XSETREF(self->result, result);
  return true;
}

PyObject* stop(Combinatoric* self) {
  self->stopped = true;
  return nullptr;
}

Ref<> tuple_of(const Py_ssize_t* numbers, Py_ssize_t count) {
  Ref<> tuple = Ref<>::steal(PyTuple_New(count));
  for (Py_ssize_t i = 0; tuple && i < count; i++) {
    PyObject* number = PyLong_FromSsize_t(numbers[i]);
    if (number == nullptr) return nullptr;
    PyTuple_SET_ITEM(tuple.get(), i, number);
  }
  return tuple;
}

/// combinations and its brother.
Ref<> make(PyTypeObject* type, PyObject* iterable, Py_ssize_t r, bool replacement) {
  Ref<> pool = Ref<>::steal(PySequence_Tuple(iterable));
  if (!pool) return nullptr;
  if (r < 0) return raise(PyExc_ValueError, "r must be non-negative");
  Py_ssize_t* indices = new_indices(r);
  if (indices == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < r; i++) indices[i] = replacement ? 0 : i;
  auto* self = new_iterator<Combinatoric>(type);
  if (self == nullptr) {
    PyMem_Free(indices);
    return nullptr;
  }
  const Py_ssize_t n = PyTuple_GET_SIZE(pool.get());
  self->pool = pool.release();
  self->indices = indices;
  self->r = r;
  self->stopped = replacement ? n == 0 && r > 0 : r > n;
  return Ref<>::steal(as_object(self));
}

Ref<> combinations_new(PyTypeObject* type, PyObject* iterable, Py_ssize_t r) { return make(type, iterable, r, false); }
PyObject* combinations_next(PyObject* object) {
  auto* self = Base::cast(object);
  if (self->stopped) return nullptr;
  if (self->result == nullptr) {
    if (!set_result(self)) return nullptr;
    return Py_NewRef(self->result);
  }
  const Py_ssize_t n = PyTuple_GET_SIZE(self->pool), r = self->r;
  // The rightmost index that can grow; those behind it follow.
  Py_ssize_t i = r - 1;
  while (i >= 0 && self->indices[i] == i + n - r) i--;
  if (i < 0) return stop(self);
  self->indices[i]++;
  for (Py_ssize_t j = i + 1; j < r; j++) self->indices[j] = self->indices[j - 1] + 1;
  return refresh(self, i) ? Py_NewRef(self->result) : stop(self);
}

Ref<> replacement_new(PyTypeObject* type, PyObject* iterable, Py_ssize_t r) { return make(type, iterable, r, true); }
PyObject* replacement_next(PyObject* object) {
  auto* self = Base::cast(object);
  if (self->stopped) return nullptr;
  if (self->result == nullptr) {
    if (!set_result(self)) return nullptr;
    return Py_NewRef(self->result);
  }
  const Py_ssize_t n = PyTuple_GET_SIZE(self->pool), r = self->r;
  Py_ssize_t i = r - 1;
  while (i >= 0 && self->indices[i] == n - 1) i--;
  if (i < 0) return stop(self);
  const Py_ssize_t index = self->indices[i] + 1;
  for (Py_ssize_t j = i; j < r; j++) self->indices[j] = index;
  return refresh(self, i) ? Py_NewRef(self->result) : stop(self);
}

PyObject* indices_reduce(PyObject* object) {
  auto* self = Base::cast(object);
  if (self->stopped) return Py_BuildValue("O(()n)", Py_TYPE(object), self->r);
  if (self->result == nullptr) return Py_BuildValue("O(On)", Py_TYPE(object), self->pool, self->r);
  Ref<> indices = tuple_of(self->indices, self->r);
  return indices ? Py_BuildValue("O(On)N", Py_TYPE(object), self->pool, self->r, indices.release()) : nullptr;
}
/// Indices are clamped to what is possible, so that no state leads out of the pool.
template <bool replacement>
PyObject* indices_setstate(PyObject* object, PyObject* state) {
  auto* self = Base::cast(object);
  const Py_ssize_t n = PyTuple_GET_SIZE(self->pool);
  if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) != self->r) {
    PyErr_SetString(PyExc_ValueError, "invalid arguments");
    return nullptr;
  }
  if (n == 0 && self->r > 0) {
    PyErr_SetString(PyExc_ValueError, "invalid arguments");
    return nullptr;
  }
  for (Py_ssize_t i = 0; i < self->r; i++) {
    Py_ssize_t index = PyLong_AsSsize_t(PyTuple_GET_ITEM(state, i));
    if (index == -1 && PyErr_Occurred()) return nullptr;
    const Py_ssize_t highest = replacement ? n - 1 : i + n - self->r;
    if (index > highest) index = highest;
    if (index < 0) index = 0;
    self->indices[i] = index;
  }
  if (self->r > n && !replacement) Py_RETURN_NONE;
  if (!set_result(self)) return nullptr;
  Py_RETURN_NONE;
}

// ---- permutations ------------------------------------------------------------------------------------------------

Ref<> permutations_new(PyTypeObject* type, PyObject* iterable, PyObject* length) {
  Ref<> pool = Ref<>::steal(PySequence_Tuple(iterable));
  if (!pool) return nullptr;
  const Py_ssize_t n = PyTuple_GET_SIZE(pool.get());
  Py_ssize_t r = n;
  if (length != nullptr && length != Py_None) {
    if (!PyLong_Check(length)) return raise(PyExc_TypeError, "Expected int as r");
    r = PyLong_AsSsize_t(length);
    if (r == -1 && PyErr_Occurred()) return nullptr;
  }
  if (r < 0) return raise(PyExc_ValueError, "r must be non-negative");
  Py_ssize_t* indices = new_indices(n);
  if (indices == nullptr) return nullptr;
  Py_ssize_t* cycles = new_indices(r);
  auto* self = cycles != nullptr ? new_iterator<Combinatoric>(type) : nullptr;
  if (self == nullptr) {
    PyMem_Free(indices);
    PyMem_Free(cycles);
    return nullptr;
  }
  for (Py_ssize_t i = 0; i < n; i++) indices[i] = i;
  for (Py_ssize_t i = 0; i < r; i++) cycles[i] = n - i;
  self->pool = pool.release();
  self->indices = indices;
  self->cycles = cycles;
  self->r = r;
  self->stopped = r > n;
  return Ref<>::steal(as_object(self));
}
PyObject* permutations_next(PyObject* object) {
  auto* self = Base::cast(object);
  if (self->stopped) return nullptr;
  if (self->result == nullptr) {
    if (!set_result(self)) return nullptr;
    return Py_NewRef(self->result);
  }
  const Py_ssize_t n = PyTuple_GET_SIZE(self->pool);
  if (n == 0) return stop(self);
  for (Py_ssize_t i = self->r - 1; i >= 0; i--) {
    Py_ssize_t* indices = self->indices;
    if (--self->cycles[i] == 0) {
      // All choices for this place were used: it goes to the end, the others close up.
      const Py_ssize_t index = indices[i];
      for (Py_ssize_t j = i; j < n - 1; j++) indices[j] = indices[j + 1];
      indices[n - 1] = index;
      self->cycles[i] = n - i;
      continue;
    }
    std::swap(indices[i], indices[n - self->cycles[i]]);
    return refresh(self, i) ? Py_NewRef(self->result) : stop(self);
  }
  return stop(self);
}
PyObject* permutations_reduce(PyObject* object) {
  auto* self = Base::cast(object);
  if (self->stopped) return Py_BuildValue("O(()n)", Py_TYPE(object), self->r);
  if (self->result == nullptr) return Py_BuildValue("O(On)", Py_TYPE(object), self->pool, self->r);
  Ref<> indices = tuple_of(self->indices, PyTuple_GET_SIZE(self->pool));
  Ref<> cycles = indices ? tuple_of(self->cycles, self->r) : nullptr;
  return cycles ? Py_BuildValue("O(On)(NN)", Py_TYPE(object), self->pool, self->r, indices.release(), cycles.release())
                : nullptr;
}
PyObject* permutations_setstate(PyObject* object, PyObject* state) {
  auto* self = Base::cast(object);
  if (!PyTuple_Check(state)) {
    PyErr_SetString(PyExc_TypeError, "state is not a tuple");
    return nullptr;
  }
  PyObject *indices, *cycles;
  if (!PyArg_ParseTuple(state, "O!O!", &PyTuple_Type, &indices, &PyTuple_Type, &cycles)) return nullptr;
  const Py_ssize_t n = PyTuple_GET_SIZE(self->pool);
  if (PyTuple_GET_SIZE(indices) != n || PyTuple_GET_SIZE(cycles) != self->r) {
    PyErr_SetString(PyExc_ValueError, "invalid arguments");
    return nullptr;
  }
  for (Py_ssize_t i = 0; i < n; i++) {
    Py_ssize_t index = PyLong_AsSsize_t(PyTuple_GET_ITEM(indices, i));
    if (index < 0 && PyErr_Occurred()) return nullptr;
    self->indices[i] = index < 0 ? 0 : index > n - 1 ? n - 1 : index;
  }
  for (Py_ssize_t i = 0; i < self->r; i++) {
    Py_ssize_t cycle = PyLong_AsSsize_t(PyTuple_GET_ITEM(cycles, i));
    if (cycle < 0 && PyErr_Occurred()) return nullptr;
    self->cycles[i] = cycle < 1 ? 1 : cycle > n - i ? n - i : cycle;
  }
  if (self->r > n) Py_RETURN_NONE;
  if (!set_result(self)) return nullptr;
  Py_RETURN_NONE;
}

// ---- product -----------------------------------------------------------------------------------------------------

PyObject* pool_item(Combinatoric* self, Py_ssize_t i) {
  return PyTuple_GET_ITEM(PyTuple_GET_ITEM(self->pool, i), self->indices[i]);
}
bool set_product_result(Combinatoric* self) {
  PyObject* result = PyTuple_New(PyTuple_GET_SIZE(self->pool));
  if (result == nullptr) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->pool); i++) PyTuple_SET_ITEM(result, i, Py_NewRef(pool_item(self, i)));
  Py_XSETREF(self->result, result);
  return true;
}

PyObject* product_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  Py_ssize_t repeat = 1;
  if (kwargs != nullptr) {
    static const char* const keywords[] = {"repeat", nullptr};
    Ref<> nothing = Ref<>::steal(PyTuple_New(0));
    if (!nothing || !PyArg_ParseTupleAndKeywords(nothing.get(), kwargs, "|n:product", const_cast<char**>(keywords),
                                                 &repeat)) {
      return nullptr;
    }
    if (repeat < 0) {
      PyErr_SetString(PyExc_ValueError, "repeat argument cannot be negative");
      return nullptr;
    }
  }
  const Py_ssize_t count = repeat == 0 ? 0 : PyTuple_GET_SIZE(args);
  if (count != 0 && repeat > PY_SSIZE_T_MAX / static_cast<Py_ssize_t>(sizeof(Py_ssize_t)) / count) {
    PyErr_SetString(PyExc_OverflowError, "repeat argument too large");
    return nullptr;
  }
  const Py_ssize_t total = count * repeat;
  Ref<> pools = Ref<>::steal(PyTuple_New(total));
  if (!pools) return nullptr;
  bool empty = false;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* pool = PySequence_Tuple(PyTuple_GET_ITEM(args, i));
    if (pool == nullptr) return nullptr;
    empty = empty || PyTuple_GET_SIZE(pool) == 0;
    PyTuple_SET_ITEM(pools.get(), i, pool);
  }
  for (Py_ssize_t i = count; i < total; i++) {
    PyTuple_SET_ITEM(pools.get(), i, Py_NewRef(PyTuple_GET_ITEM(pools.get(), i - count)));
  }
  Py_ssize_t* indices = new_indices(total);
  auto* self = indices != nullptr ? new_iterator<Combinatoric>(type) : nullptr;
  if (self == nullptr) {
    PyMem_Free(indices);
    return nullptr;
  }
  for (Py_ssize_t i = 0; i < total; i++) indices[i] = 0;
  self->pool = pools.release();
  self->indices = indices;
  self->stopped = empty;
  return as_object(self);
}
PyObject* product_next(PyObject* object) {
  auto* self = Base::cast(object);
  if (self->stopped) return nullptr;
  if (self->result == nullptr) {
    if (!set_product_result(self)) return nullptr;
    return Py_NewRef(self->result);
  }
  PyObject* result = writable_result(&self->result);
  if (result == nullptr) return stop(self);
  // An odometer: the rightmost wheel turns, and each full turn moves the next.
  for (Py_ssize_t i = PyTuple_GET_SIZE(self->pool) - 1; i >= 0; i--) {
    const bool wraps = ++self->indices[i] == PyTuple_GET_SIZE(PyTuple_GET_ITEM(self->pool, i));
    if (wraps) self->indices[i] = 0;
    PyObject* item = Py_NewRef(pool_item(self, i));
    PyObject* old = PyTuple_GET_ITEM(result, i);
    PyTuple_SET_ITEM(result, i, item);
    Py_DECREF(old);
    if (!wraps) return Py_NewRef(result);
  }
  return stop(self);
}
PyObject* product_reduce(PyObject* object) {
  auto* self = Base::cast(object);
  if (self->stopped) return Py_BuildValue("O(())", Py_TYPE(object));
  if (self->result == nullptr) return Py_BuildValue("OO", Py_TYPE(object), self->pool);
  Ref<> indices = tuple_of(self->indices, PyTuple_GET_SIZE(self->pool));
  return indices ? Py_BuildValue("OON", Py_TYPE(object), self->pool, indices.release()) : nullptr;
}
PyObject* product_setstate(PyObject* object, PyObject* state) {
  auto* self = Base::cast(object);
  if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) != PyTuple_GET_SIZE(self->pool)) {
    PyErr_SetString(PyExc_ValueError, "invalid arguments");
    return nullptr;
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->pool); i++) {
    Py_ssize_t index = PyLong_AsSsize_t(PyTuple_GET_ITEM(state, i));
    if (index < 0 && PyErr_Occurred()) return nullptr;
    const Py_ssize_t size = PyTuple_GET_SIZE(PyTuple_GET_ITEM(self->pool, i));
    if (size == 0) {
      self->stopped = true;
      Py_RETURN_NONE;
    }
    self->indices[i] = index < 0 ? 0 : index > size - 1 ? size - 1 : index;
  }
  if (!set_product_result(self)) return nullptr;
  Py_RETURN_NONE;
}

PyObject* size_of(PyObject* object) {
  auto* self = Base::cast(object);
  Py_ssize_t numbers;
  if (PyObject_TypeCheck(object, &g_product_type)) {
    numbers = PyTuple_GET_SIZE(self->pool);
  } else {
    numbers = Combinatoric::has_cycles(self) ? PyTuple_GET_SIZE(self->pool) + self->r : self->r;
  }
  return PyLong_FromSsize_t(static_cast<Py_ssize_t>(_PyObject_SIZE(Py_TYPE(object))) +
                            numbers * static_cast<Py_ssize_t>(sizeof(Py_ssize_t)));
}

template <PyObject* (*reduce)(PyObject*), PyObject* (*setstate)(PyObject*, PyObject*)>
PyMethodDef g_methods[4] = {
    method<reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    method<setstate, "__setstate__($self, state, /)", "Set state information for unpickling.">(),
    method<size_of, "__sizeof__($self, /)", "Returns size in memory, in bytes.">(),
    {},
};

constexpr PyTypeObject with_size(PyTypeObject type, size_t size) {
  type.tp_basicsize = static_cast<Py_ssize_t>(size);
  return type;
}
constexpr size_t kSizeWithLength = offsetof(Combinatoric, cycles);
constexpr size_t kSizeOfProduct = offsetof(Combinatoric, r);

}  // namespace

PyTypeObject g_combinations_type = with_size(Base::type(
    "itertools.combinations",
    "combinations(iterable, r)\n--\n\nAll choices of r items in the order of the iterable, as tuples.\n\n"
    "combinations(range(4), 3) --> (0,1,2), (0,1,3), (0,2,3), (1,2,3)",
    constructor<combinations_new, "combinations(iterable, r)">, combinations_next,
    g_methods<indices_reduce, indices_setstate<false>>), kSizeWithLength);
PyTypeObject g_combinations_with_replacement_type = with_size(Base::type(
    "itertools.combinations_with_replacement",
    "combinations_with_replacement(iterable, r)\n--\n\nLike combinations(), but items can be chosen repeatedly.",
    constructor<replacement_new, "combinations_with_replacement(iterable, r)">, replacement_next,
    g_methods<indices_reduce, indices_setstate<true>>), kSizeWithLength);
PyTypeObject g_permutations_type = Base::type(
    "itertools.permutations",
    "permutations(iterable, r=None)\n--\n\nAll orders of all choices of r items (of all items, if r is None).",
    constructor<permutations_new, "permutations(iterable, r=None)">, permutations_next,
    g_methods<permutations_reduce, permutations_setstate>);
PyTypeObject g_product_type = with_size(Base::type(
    "itertools.product",
    "product(*iterables, repeat=1) --> product object\n\n"
    "The cartesian product: product(A, B) is ((x, y) for x in A for y in B).",
    product_new, product_next, g_methods<product_reduce, product_setstate>), kSizeOfProduct);

}  // namespace pyston
