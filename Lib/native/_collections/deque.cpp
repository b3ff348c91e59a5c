// collections.deque: a ring buffer whose capacity is a power of two, so both ends grow in amortised constant time and
// every index is reached in constant time.
//
// INVARIANT: item i lies at items[(head + i) & (capacity - 1)]; items outside of the first ob_size are garbage.
// `state` changes with each change of length or order: iterators and searches notice.
#include "Lib/native/_collections/collections.h"

#include <internal/pycore_object.h>
#include <internal/pycore_pyerrors.h>

namespace pyston {
namespace {

constexpr Py_ssize_t kFirstCapacity = 8;

struct DequeObject {
  PyObject_VAR_HEAD
  PyObject** items;     // null while capacity is 0
  Py_ssize_t capacity;  // 0 or a power of two
  Py_ssize_t head;
  size_t state;
  Py_ssize_t maxlen;  // -1: unbounded
  PyObject* weakreflist;
};

ALWAYS_INLINE DequeObject* as_deque(PyObject* object) { return reinterpret_cast<DequeObject*>(object); }
ALWAYS_INLINE PyObject*& item_at(DequeObject* self, Py_ssize_t index) {
  return self->items[(self->head + index) & (self->capacity - 1)];
}
ALWAYS_INLINE bool is_deque(PyObject* object) { return PyObject_TypeCheck(object, &g_deque_type); }

COLD int grow(DequeObject* self, Py_ssize_t minimum) {
  Py_ssize_t capacity = self->capacity != 0 ? self->capacity : kFirstCapacity;
  while (capacity < minimum) {
    if (capacity > PY_SSIZE_T_MAX / 2 / static_cast<Py_ssize_t>(sizeof(PyObject*))) {
      PyErr_NoMemory();
      return -1;
    }
    capacity <<= 1;
  }
  PyObject** items = PyMem_New(PyObject*, static_cast<size_t>(capacity));
  if (items == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  const Py_ssize_t size = Py_SIZE(self);
  for (Py_ssize_t i = 0; i < size; i++) items[i] = item_at(self, i);
  PyMem_Free(self->items);
  self->items = items;
  self->capacity = capacity;
  self->head = 0;
  return 0;
}

ALWAYS_INLINE int reserve_one(DequeObject* self) {
  return LIKELY(Py_SIZE(self) < self->capacity) ? 0 : grow(self, Py_SIZE(self) + 1);
}

PyObject* take_last(DequeObject* self) {
  const Py_ssize_t size = Py_SIZE(self) - 1;
  Py_SET_SIZE(self, size);
  self->state++;
  return item_at(self, size);
}
PyObject* take_first(DequeObject* self) {
  PyObject* item = self->items[self->head];
  self->head = (self->head + 1) & (self->capacity - 1);
  Py_SET_SIZE(self, Py_SIZE(self) - 1);
  self->state++;
  return item;
}

ALWAYS_INLINE bool over_limit(DequeObject* self) {
  return static_cast<size_t>(self->maxlen) < static_cast<size_t>(Py_SIZE(self));
}

/// Steals the item; drops one at the other end when the deque is full.
ALWAYS_INLINE int push_last(DequeObject* self, PyObject* item) {
  if (UNLIKELY(reserve_one(self) < 0)) {
    Py_DECREF(item);
    return -1;
  }
  item_at(self, Py_SIZE(self)) = item;
  Py_SET_SIZE(self, Py_SIZE(self) + 1);
  self->state++;
  if (UNLIKELY(over_limit(self))) Py_DECREF(take_first(self));
  return 0;
}
ALWAYS_INLINE int push_first(DequeObject* self, PyObject* item) {
  if (UNLIKELY(reserve_one(self) < 0)) {
    Py_DECREF(item);
    return -1;
  }
  self->head = (self->head - 1) & (self->capacity - 1);
  self->items[self->head] = item;
  Py_SET_SIZE(self, Py_SIZE(self) + 1);
  self->state++;
  if (UNLIKELY(over_limit(self))) Py_DECREF(take_last(self));
  return 0;
}

void clear_items(DequeObject* self) {
  if (self->items == nullptr) return;
  // Empty and consistent before anything is dropped.
  DequeObject old = *self;
  self->items = nullptr;
  self->capacity = 0;
  self->head = 0;
  self->state++;
  Py_SET_SIZE(self, 0);
  for (Py_ssize_t i = 0; i < Py_SIZE(&old); i++) Py_DECREF(item_at(&old, i));
  PyMem_Free(old.items);
}

template <int (*push)(DequeObject*, PyObject*)>
int extend_with(DequeObject* self, PyObject* iterable) {
  Ref<> owner;
  if (iterable == as_object(self)) {  // d.extend(d)
    owner = Ref<>::steal(PySequence_List(iterable));
    if (!owner) return -1;
    iterable = owner.get();
  }
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return -1;
  iternextfunc next = Py_TYPE(iterator.get())->tp_iternext;
  while (PyObject* item = next(iterator.get())) {
    if (UNLIKELY(self->maxlen == 0)) {
      self->state++;
      Py_DECREF(item);
    } else if (push(self, item) < 0) {
      return -1;
    }
  }
  if (PyErr_Occurred()) {
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
    PyErr_Clear();
  }
  return 0;
}
int push_last_call(DequeObject* self, PyObject* item) { return push_last(self, item); }
int push_first_call(DequeObject* self, PyObject* item) { return push_first(self, item); }

// ---- Construction ------------------------------------------------------------------------------------------------

PyObject* deque_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* object = type->tp_alloc(type, 0);
  if (object == nullptr) return nullptr;
  DequeObject* self = as_deque(object);
  self->items = nullptr;
  self->capacity = 0;
  self->head = 0;
  self->state = 0;
  self->maxlen = -1;
  self->weakreflist = nullptr;
  return object;
}

int deque_init(PyObject* object, PyObject* args, PyObject* kwargs) {
  static const char* const keywords[] = {"iterable", "maxlen", nullptr};
  PyObject *iterable = nullptr, *limit = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:deque", const_cast<char**>(keywords), &iterable, &limit)) {
    return -1;
  }
  DequeObject* self = as_deque(object);
  Py_ssize_t maxlen = -1;
  if (limit != nullptr && limit != Py_None) {
    maxlen = PyLong_AsSsize_t(limit);
    if (maxlen == -1 && PyErr_Occurred()) return -1;
    if (maxlen < 0) {
      PyErr_SetString(PyExc_ValueError, "maxlen must be non-negative");
      return -1;
    }
  }
  self->maxlen = maxlen;
  if (Py_SIZE(self) > 0) clear_items(self);
  return iterable == nullptr ? 0 : extend_with<push_last_call>(self, iterable);
}

Ref<> new_like(DequeObject* self) {
  Ref<> copy = Ref<>::steal(deque_new(&g_deque_type, nullptr, nullptr));
  if (copy) as_deque(copy.get())->maxlen = self->maxlen;
  return copy;
}

PyObject* deque_copy(PyObject* object) {
  DequeObject* self = as_deque(object);
  if (Py_IS_TYPE(object, &g_deque_type)) {
    Ref<> copy = new_like(self);
    if (!copy) return nullptr;
    if (Py_SIZE(self) > 0) {
      if (grow(as_deque(copy.get()), Py_SIZE(self)) < 0) return nullptr;
      for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) as_deque(copy.get())->items[i] = Py_NewRef(item_at(self, i));
      Py_SET_SIZE(as_deque(copy.get()), Py_SIZE(self));
    }
    return copy.release();
  }
  PyObject* copy = self->maxlen < 0
                       ? PyObject_CallOneArg(as_object(Py_TYPE(object)), object)
                       : PyObject_CallFunction(as_object(Py_TYPE(object)), "On", object, self->maxlen);
  if (copy != nullptr && !is_deque(copy)) {
    PyErr_Format(PyExc_TypeError, "%.200s() must return a deque, not %.200s", Py_TYPE(object)->tp_name,
                 Py_TYPE(copy)->tp_name);
    Py_DECREF(copy);
    return nullptr;
  }
  return copy;
}

// ---- Slots -------------------------------------------------------------------------------------------------------

void deque_dealloc(PyObject* object) {
  PyObject_GC_UnTrack(object);
  Py_TRASHCAN_BEGIN(object, deque_dealloc)
  if (as_deque(object)->weakreflist != nullptr) PyObject_ClearWeakRefs(object);
  clear_items(as_deque(object));
  Py_TYPE(object)->tp_free(object);
  Py_TRASHCAN_END
}
int deque_traverse(PyObject* object, visitproc visit, void* arg) {
  DequeObject* self = as_deque(object);
  for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) Py_VISIT(item_at(self, i));
  return 0;
}
int deque_clear_slot(PyObject* self) {
  clear_items(as_deque(self));
  return 0;
}

PyObject* deque_repr(PyObject* self) {
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered > 0 ? PyUnicode_FromString("[...]") : nullptr;
  PyObject* result = nullptr;
  if (Ref<> list = Ref<>::steal(PySequence_List(self)); list) {
    const char* name = _PyType_Name(Py_TYPE(self));
    result = as_deque(self)->maxlen >= 0
                 ? PyUnicode_FromFormat("%s(%R, maxlen=%zd)", name, list.get(), as_deque(self)->maxlen)
                 : PyUnicode_FromFormat("%s(%R)", name, list.get());
  }
  Py_ReprLeave(self);
  return result;
}

PyObject* deque_richcompare(PyObject* a, PyObject* b, int op) {
  if (!is_deque(a) || !is_deque(b)) Py_RETURN_NOTIMPLEMENTED;
  if ((op == Py_EQ || op == Py_NE) && a != b && Py_SIZE(a) != Py_SIZE(b)) return PyBool_FromLong(op == Py_NE);
  Ref<> x_iterator = Ref<>::steal(PyObject_GetIter(a));
  Ref<> y_iterator = x_iterator ? Ref<>::steal(PyObject_GetIter(b)) : nullptr;
  if (!y_iterator) return nullptr;
  while (true) {
    Ref<> x = Ref<>::steal(PyIter_Next(x_iterator.get()));
    if (!x && PyErr_Occurred()) return nullptr;
    Ref<> y = Ref<>::steal(PyIter_Next(y_iterator.get()));
    if (!y && PyErr_Occurred()) return nullptr;
    if (!x || !y) {
      const int order = (x ? 1 : 0) - (y ? 1 : 0);
      Py_RETURN_RICHCOMPARE(order, 0, op);
    }
    const int equal = PyObject_RichCompareBool(x.get(), y.get(), Py_EQ);
    if (equal < 0) return nullptr;
    if (equal) continue;
    if (op == Py_EQ) Py_RETURN_FALSE;
    if (op == Py_NE) Py_RETURN_TRUE;
    return PyObject_RichCompare(x.get(), y.get(), op);
  }
}

Py_ssize_t deque_length(PyObject* self) { return Py_SIZE(self); }

COLD PyObject* out_of_range() {
  PyErr_SetString(PyExc_IndexError, "deque index out of range");
  return nullptr;
}
PyObject* deque_item(PyObject* self, Py_ssize_t index) {
  if (static_cast<size_t>(index) >= static_cast<size_t>(Py_SIZE(self))) return out_of_range();
  return Py_NewRef(item_at(as_deque(self), index));
}

/// Removes one item, moving the shorter side; gives it to the caller.
PyObject* remove_at(DequeObject* self, Py_ssize_t index) {
  PyObject* item = item_at(self, index);
  const Py_ssize_t size = Py_SIZE(self);
  if (index < size / 2) {
    for (Py_ssize_t i = index; i > 0; i--) item_at(self, i) = item_at(self, i - 1);
    self->head = (self->head + 1) & (self->capacity - 1);
  } else {
    for (Py_ssize_t i = index; i < size - 1; i++) item_at(self, i) = item_at(self, i + 1);
  }
  Py_SET_SIZE(self, size - 1);
  self->state++;
  return item;
}

int deque_assign(PyObject* object, Py_ssize_t index, PyObject* value) {
  DequeObject* self = as_deque(object);
  if (static_cast<size_t>(index) >= static_cast<size_t>(Py_SIZE(self))) {
    out_of_range();
    return -1;
  }
  PyObject* old = value == nullptr ? remove_at(self, index) : std::exchange(item_at(self, index), Py_NewRef(value));
  Py_DECREF(old);
  return 0;
}

/// Position of value in [start, stop), -1 when missing, -2 with an exception set.
Py_ssize_t find(DequeObject* self, PyObject* value, Py_ssize_t start, Py_ssize_t stop) {
  const size_t state = self->state;
  for (Py_ssize_t i = start; i < stop; i++) {
    Ref<> item = Ref<>::dup(item_at(self, i));
    const int equal = PyObject_RichCompareBool(item.get(), value, Py_EQ);
    if (equal < 0) return -2;
    if (state != self->state) {
      PyErr_SetString(PyExc_RuntimeError, "deque mutated during iteration");
      return -2;
    }
    if (equal) return i;
  }
  return -1;
}
int deque_contains(PyObject* self, PyObject* value) {
  const Py_ssize_t found = find(as_deque(self), value, 0, Py_SIZE(self));
  return found == -2 ? -1 : found >= 0;
}

PyObject* deque_inplace_concat(PyObject* self, PyObject* other) {
  return extend_with<push_last_call>(as_deque(self), other) < 0 ? nullptr : Py_NewRef(self);
}
PyObject* deque_concat(PyObject* self, PyObject* other) {
  if (!is_deque(other)) {
    PyErr_Format(PyExc_TypeError, "can only concatenate deque (not \"%.200s\") to deque", Py_TYPE(other)->tp_name);
    return nullptr;
  }
  Ref<> result = Ref<>::steal(deque_copy(self));
  if (!result || extend_with<push_last_call>(as_deque(result.get()), other) < 0) return nullptr;
  return result.release();
}
PyObject* deque_inplace_repeat(PyObject* object, Py_ssize_t count) {
  DequeObject* self = as_deque(object);
  const Py_ssize_t size = Py_SIZE(self);
  if (size == 0 || count == 1) return Py_NewRef(object);
  if (count <= 0) {
    clear_items(self);
    return Py_NewRef(object);
  }
  if (size > PY_SSIZE_T_MAX / count) return PyErr_NoMemory();
  // Of a bounded deque only the end of the repetition is left: build no more than that.
  Py_ssize_t total = size * count;
  Py_ssize_t first = 0;
  if (self->maxlen >= 0 && total > self->maxlen) {
    first = (total - self->maxlen) % size;
    total = self->maxlen;
  }
  Ref<> copy = Ref<>::steal(PySequence_List(object));
  if (!copy) return nullptr;
  clear_items(self);
  if (total > 0 && grow(self, total) < 0) return nullptr;
  for (Py_ssize_t i = 0; i < total; i++) self->items[i] = Py_NewRef(PyList_GET_ITEM(copy.get(), (first + i) % size));
  Py_SET_SIZE(self, total);
  self->state++;
  return Py_NewRef(object);
}
PyObject* deque_repeat(PyObject* self, Py_ssize_t count) {
  Ref<> copy = Ref<>::steal(deque_copy(self));
  return copy ? deque_inplace_repeat(copy.get(), count) : nullptr;
}

// ---- Methods -----------------------------------------------------------------------------------------------------

PyObject* append(PyObject* self, PyObject* item) {
  if (push_last(as_deque(self), Py_NewRef(item)) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* appendleft(PyObject* self, PyObject* item) {
  if (push_first(as_deque(self), Py_NewRef(item)) < 0) return nullptr;
  Py_RETURN_NONE;
}
COLD PyObject* pop_from_empty() {
  PyErr_SetString(PyExc_IndexError, "pop from an empty deque");
  return nullptr;
}
PyObject* pop(PyObject* self) { return Py_SIZE(self) == 0 ? pop_from_empty() : take_last(as_deque(self)); }
PyObject* popleft(PyObject* self) { return Py_SIZE(self) == 0 ? pop_from_empty() : take_first(as_deque(self)); }
PyObject* extend(PyObject* self, PyObject* iterable) {
  if (extend_with<push_last_call>(as_deque(self), iterable) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* extendleft(PyObject* self, PyObject* iterable) {
  if (extend_with<push_first_call>(as_deque(self), iterable) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* clear(PyObject* self) {
  clear_items(as_deque(self));
  Py_RETURN_NONE;
}
PyObject* count(PyObject* object, PyObject* value) {
  DequeObject* self = as_deque(object);
  const size_t state = self->state;
  Py_ssize_t found = 0;
  for (Py_ssize_t i = 0, n = Py_SIZE(self); i < n; i++) {
    Ref<> item = Ref<>::dup(item_at(self, i));
    const int equal = PyObject_RichCompareBool(item.get(), value, Py_EQ);
    if (equal < 0) return nullptr;
    found += equal;
    if (state != self->state) {
      PyErr_SetString(PyExc_RuntimeError, "deque mutated during iteration");
      return nullptr;
    }
  }
  return PyLong_FromSsize_t(found);
}
PyObject* index(PyObject* self, PyObject* value, PyObject* start_object, PyObject* stop_object) {
  const Py_ssize_t size = Py_SIZE(self);
  Py_ssize_t start = 0, stop = size;
  if (start_object != nullptr && !_PyEval_SliceIndexNotNone(start_object, &start)) return nullptr;
  if (stop_object != nullptr && !_PyEval_SliceIndexNotNone(stop_object, &stop)) return nullptr;
  if (start < 0 && (start += size) < 0) start = 0;
  if (stop < 0 && (stop += size) < 0) stop = 0;
  if (stop > size) stop = size;
  const Py_ssize_t found = find(as_deque(self), value, start, stop);
  if (found >= 0) return PyLong_FromSsize_t(found);
  if (found == -1) PyErr_Format(PyExc_ValueError, "%R is not in deque", value);
  return nullptr;
}
PyObject* insert(PyObject* object, Py_ssize_t where, PyObject* value) {
  DequeObject* self = as_deque(object);
  const Py_ssize_t size = Py_SIZE(self);
  if (self->maxlen == size) {
    PyErr_SetString(PyExc_IndexError, "deque already at its maximum size");
    return nullptr;
  }
  if (reserve_one(self) < 0) return nullptr;
  if (where < 0 && (where += size) < 0) where = 0;
  if (where > size) where = size;
  if (where < size / 2) {
    self->head = (self->head - 1) & (self->capacity - 1);
    for (Py_ssize_t i = 0; i < where; i++) item_at(self, i) = item_at(self, i + 1);
  } else {
    for (Py_ssize_t i = size; i > where; i--) item_at(self, i) = item_at(self, i - 1);
  }
  item_at(self, where) = Py_NewRef(value);
  Py_SET_SIZE(self, size + 1);
  self->state++;
  Py_RETURN_NONE;
}
PyObject* remove(PyObject* object, PyObject* value) {
  DequeObject* self = as_deque(object);
  const size_t state = self->state;
  for (Py_ssize_t i = 0, n = Py_SIZE(self); i < n; i++) {
    Ref<> item = Ref<>::dup(item_at(self, i));
    const int equal = PyObject_RichCompareBool(item.get(), value, Py_EQ);
    if (equal < 0) return nullptr;
    if (state != self->state) {
      PyErr_SetString(PyExc_IndexError, "deque mutated during remove().");
      return nullptr;
    }
    if (equal) {
      Py_DECREF(remove_at(self, i));
      Py_RETURN_NONE;
    }
  }
  PyErr_SetString(PyExc_ValueError, "deque.remove(x): x not in deque");
  return nullptr;
}
PyObject* reverse(PyObject* object) {
  DequeObject* self = as_deque(object);
  for (Py_ssize_t low = 0, high = Py_SIZE(self) - 1; low < high; low++, high--) {
    std::swap(item_at(self, low), item_at(self, high));
  }
  Py_RETURN_NONE;
}
PyObject* rotate(PyObject* object, Optional<Py_ssize_t> steps) {
  DequeObject* self = as_deque(object);
  const Py_ssize_t size = Py_SIZE(self);
  Py_ssize_t n = steps.value_or(1);
  if (size <= 1) Py_RETURN_NONE;
  n %= size;
  if (n > size / 2) n -= size;
  if (n < -(size / 2)) n += size;
  if (n == 0) Py_RETURN_NONE;
  self->state++;
  const Py_ssize_t mask = self->capacity - 1;
  if (size == self->capacity) {  // a full ring turns by moving its start
    self->head = (self->head - n) & mask;
    Py_RETURN_NONE;
  }
  for (; n > 0; n--) {
    PyObject* item = item_at(self, size - 1);
    self->head = (self->head - 1) & mask;
    self->items[self->head] = item;
  }
  for (; n < 0; n++) {
    PyObject* item = self->items[self->head];
    self->head = (self->head + 1) & mask;
    item_at(self, size - 1) = item;
  }
  Py_RETURN_NONE;
}
PyObject* reduce(PyObject* object) {
  Ref<> state = Ref<>::steal(_PyObject_GetState(object));
  if (!state) return nullptr;
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(object));
  if (!iterator) return nullptr;
  if (as_deque(object)->maxlen < 0) {
    return Py_BuildValue("O()NN", Py_TYPE(object), state.release(), iterator.release());
  }
  return Py_BuildValue("O(()n)NN", Py_TYPE(object), as_deque(object)->maxlen, state.release(), iterator.release());
}
PyObject* size_of(PyObject* object) {
  return PyLong_FromSsize_t(static_cast<Py_ssize_t>(_PyObject_SIZE(Py_TYPE(object))) +
                            as_deque(object)->capacity * static_cast<Py_ssize_t>(sizeof(PyObject*)));
}
Ref<> get_maxlen(Borrowed<DequeObject> self) {
  return self->maxlen < 0 ? Ref<>::none() : Ref<>::steal(PyLong_FromSsize_t(self->maxlen));
}

// ---- Iterators ---------------------------------------------------------------------------------------------------

struct DequeIterObject {
  PyObject_HEAD
  DequeObject* deque;
  size_t state;
  Py_ssize_t left;  // items still to be given
};
ALWAYS_INLINE DequeIterObject* as_iter(PyObject* object) { return reinterpret_cast<DequeIterObject*>(object); }

PyObject* new_iterator(PyTypeObject* type, PyObject* deque) {
  DequeIterObject* self = PyObject_GC_New(DequeIterObject, type);
  if (self == nullptr) return nullptr;
  self->deque = as_deque(Py_NewRef(deque));
  self->state = as_deque(deque)->state;
  self->left = Py_SIZE(deque);
  PyObject_GC_Track(self);
  return as_object(self);
}
PyObject* deque_iter(PyObject* self) { return new_iterator(&g_deque_iterator_type, self); }
PyObject* deque_reversed(PyObject* self) { return new_iterator(&g_deque_reverse_iterator_type, self); }

template <bool reversed>
PyObject* iter_next(PyObject* object) {
  DequeIterObject* self = as_iter(object);
  DequeObject* deque = self->deque;
  // QUIRK: the check comes first only going forward.
  if (!reversed && self->state != deque->state) {
    self->left = 0;
    PyErr_SetString(PyExc_RuntimeError, "deque mutated during iteration");
    return nullptr;
  }
  if (self->left == 0) return nullptr;
  if (reversed && self->state != deque->state) {
    self->left = 0;
    PyErr_SetString(PyExc_RuntimeError, "deque mutated during iteration");
    return nullptr;
  }
  const Py_ssize_t position = reversed ? self->left - 1 : Py_SIZE(deque) - self->left;
  self->left--;
  return Py_NewRef(item_at(deque, position));
}
int iter_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(as_iter(self)->deque));
  return 0;
}
void iter_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  Py_XDECREF(as_object(as_iter(self)->deque));
  PyObject_GC_Del(self);
}
PyObject* iter_length_hint(PyObject* self) { return PyLong_FromSsize_t(as_iter(self)->left); }
PyObject* iter_reduce(PyObject* self) {
  return Py_BuildValue("O(On)", Py_TYPE(self), as_iter(self)->deque, Py_SIZE(as_iter(self)->deque) - as_iter(self)->left);
}
PyObject* iter_new(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject* deque;
  Py_ssize_t skip = 0;
  if (!PyArg_ParseTuple(args, "O!|n", &g_deque_type, &deque, &skip)) return nullptr;
  PyObject* self = new_iterator(type, deque);
  if (self == nullptr) return nullptr;
  const Py_ssize_t left = as_iter(self)->left;
  as_iter(self)->left = skip < 0 ? left : skip > left ? 0 : left - skip;
  return self;
}
PyMethodDef iter_methods[] = {
    method<iter_length_hint, "__length_hint__($self, /)", "How many items are left.">(),
    method<iter_reduce, "__reduce__($self, /)", "State for pickling.">(),
    {},
};

PyMethodDef deque_methods[] = {
    method<append, "append($self, item, /)", "Add an item at the right end.">(),
    method<appendleft, "appendleft($self, item, /)", "Add an item at the left end.">(),
    method<clear, "clear($self, /)", "Remove all items.">(),
    method<deque_copy, "__copy__($self, /)", "A shallow copy.">(),
    method<deque_copy, "copy($self, /)", "A shallow copy.">(),
    method<count, "count($self, value, /)", "How many items equal value.">(),
    method<extend, "extend($self, iterable, /)", "Add the items of the iterable at the right end.">(),
    method<extendleft, "extendleft($self, iterable, /)", "Add the items of the iterable at the left end, one by one.">(),
    method<index, "index($self, value, start=0, stop=sys.maxsize, /)",
           "Position of the first item that equals value; ValueError when there is none.">(),
    method<insert, "insert($self, index, object, /)", "Insert the object before the index.">(),
    method<pop, "pop($self, /)", "Remove and return the rightmost item.">(),
    method<popleft, "popleft($self, /)", "Remove and return the leftmost item.">(),
    method<reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<remove, "remove($self, value, /)", "Remove the first item that equals value; ValueError without one.">(),
    method<deque_reversed, "__reversed__($self, /)", "An iterator from the right end to the left.">(),
    method<reverse, "reverse($self, /)", "Turn the order round, in place.">(),
    method<rotate, "rotate($self, n=1, /)", "Turn n steps to the right, to the left if n is negative.">(),
    method<size_of, "__sizeof__($self, /)", "Memory used by the deque, in bytes.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "deque[X], for annotations."},
    {},
};
PyGetSetDef deque_getset[] = {getset<get_maxlen>("maxlen", "maximum size of a deque or None if unbounded"), {}};
PySequenceMethods deque_as_sequence = {
    .sq_length = deque_length,
    .sq_concat = deque_concat,
    .sq_repeat = deque_repeat,
    .sq_item = deque_item,
    .sq_ass_item = deque_assign,
    .sq_contains = deque_contains,
    .sq_inplace_concat = deque_inplace_concat,
    .sq_inplace_repeat = deque_inplace_repeat,
};

constexpr PyTypeObject iterator_type(const char* name, iternextfunc next) {
  PyTypeObject type = {.ob_base = type_head()};
  type.tp_name = name;
  type.tp_basicsize = sizeof(DequeIterObject);
  type.tp_dealloc = iter_dealloc;
  type.tp_getattro = PyObject_GenericGetAttr;
  type.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = iter_traverse;
  type.tp_iter = PyObject_SelfIter;
  type.tp_iternext = next;
  type.tp_methods = iter_methods;
  type.tp_new = iter_new;
  return type;
}

}  // namespace

PyTypeObject g_deque_type = {
    .ob_base = type_head(),
    .tp_name = "collections.deque",
    .tp_basicsize = sizeof(DequeObject),
    .tp_dealloc = deque_dealloc,
    .tp_repr = deque_repr,
    .tp_as_sequence = &deque_as_sequence,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "deque([iterable[, maxlen]]) --> deque object\n\nA sequence that grows and shrinks fast at both ends.",
    .tp_traverse = deque_traverse,
    .tp_clear = deque_clear_slot,
    .tp_richcompare = deque_richcompare,
    .tp_weaklistoffset = offsetof(DequeObject, weakreflist),
    .tp_iter = deque_iter,
    .tp_methods = deque_methods,
    .tp_getset = deque_getset,
    .tp_init = deque_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = deque_new,
    .tp_free = PyObject_GC_Del,
};
PyTypeObject g_deque_iterator_type = iterator_type("_collections._deque_iterator", iter_next<false>);
PyTypeObject g_deque_reverse_iterator_type = iterator_type("_collections._deque_reverse_iterator", iter_next<true>);

}  // namespace pyston
