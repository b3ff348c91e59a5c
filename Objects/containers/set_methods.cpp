// set and frozenset: operators, methods, iterator and the two types. The table is in set.cpp.
//
// What surprises: results of operators have the base type of the left operand; which side is iterated decides the
// order of the result and follows CPython.
#include "Objects/containers/set.h"
#include "Objects/containers/trashcan.h"

extern "C" PyObject* _PyObject_GetState(PyObject*);

namespace pyston {
namespace {

void set_dealloc(PyObject* self) {
  untrack(self);
  TrashcanScope scope(self, set_dealloc);
  if (UNLIKELY(scope.postponed())) return;
  PySetObject* set = as_set(self);
  if (set->weakreflist != nullptr) PyObject_ClearWeakRefs(self);
  Py_ssize_t used = set->used;
  for (setentry* entry = set->table; used > 0; entry++) {
    if (entry->key != nullptr && entry->hash != -1) {
      used--;
      Py_DECREF(entry->key);
    }
  }
  if (set->table != set->smalltable) PyMem_Free(set->table);
  Py_TYPE(self)->tp_free(self);
}

int set_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_ssize_t position = 0;
  setentry* entry;
  while (set_next(as_set(self), &position, &entry)) Py_VISIT(entry->key);
  return 0;
}

int set_clear_slot(PyObject* self) {
  set_clear(as_set(self));
  return 0;
}

PyObject* set_repr(PyObject* self) {
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered < 0 ? nullptr : PyUnicode_FromFormat("%s(...)", Py_TYPE(self)->tp_name);
  PyObject* result = nullptr;
  if (as_set(self)->used == 0) {
    result = PyUnicode_FromFormat("%s()", Py_TYPE(self)->tp_name);
  } else if (Ref<> items = Ref<>::steal(PySequence_List(self)); items) {
    Ref<> text = Ref<>::steal(PyObject_Repr(items.get()));
    Ref<> inner;
    if (text) inner = Ref<>::steal(PyUnicode_Substring(text.get(), 1, PyUnicode_GET_LENGTH(text.get()) - 1));
    if (inner) {
      result = PySet_CheckExact(self) ? PyUnicode_FromFormat("{%U}", inner.get())
                                      : PyUnicode_FromFormat("%s({%U})", Py_TYPE(self)->tp_name, inner.get());
    }
  }
  Py_ReprLeave(self);
  return result;
}

Py_ssize_t set_length(PyObject* self) { return as_set(self)->used; }

/// Membership where a set as the key stands for the frozenset of its items. 1, 0 or -1.
template <int (*operation)(PySetObject*, PyObject*, Py_hash_t)>
int with_key(PyObject* self, PyObject* key) {
  const Py_hash_t hash = set_key_hash(key);
  if (LIKELY(hash != -1)) return operation(as_set(self), key, hash);
  if (!PySet_Check(key) || !PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
  PyErr_Clear();
  Ref<> frozen = Ref<>::steal(new_set(&PyFrozenSet_Type, key));
  if (!frozen) return -1;
  const Py_hash_t frozen_hash = PyObject_Hash(frozen.get());
  return frozen_hash == -1 ? -1 : operation(as_set(self), frozen.get(), frozen_hash);
}

int set_contains_slot(PyObject* self, PyObject* key) { return with_key<set_contains>(self, key); }

Py_uhash_t shuffle_bits(Py_uhash_t hash) { return ((hash ^ 89869747UL) ^ (hash << 16)) * 3644798167UL; }

/// Independent of order: the mixed hashes of the items xor-ed, then spread.
Py_hash_t frozenset_hash(PyObject* self) {
  PySetObject* set = as_set(self);
  if (set->hash != -1) return set->hash;
  Py_uhash_t hash = 0;
  Py_ssize_t position = 0;
  setentry* entry;
  while (set_next(set, &position, &entry)) hash ^= shuffle_bits(static_cast<Py_uhash_t>(entry->hash));
  hash ^= (static_cast<Py_uhash_t>(set->used) + 1) * 1927868237UL;
  hash ^= (hash >> 11) ^ (hash >> 25);
  hash = hash * 69069U + 907133923UL;
  if (hash == static_cast<Py_uhash_t>(-1)) hash = 590923713UL;
  set->hash = static_cast<Py_hash_t>(hash);
  return set->hash;
}

// ---- Set algebra -------------------------------------------------------------------------------------------------

/// New set of self's base type with the items of `iterable` (may be null).
PyObject* new_like(PyObject* self, PyObject* iterable) { return new_set(base_set_type(self), iterable); }

PyObject* set_copy(PyObject* self) { return new_like(self, self); }

PyObject* set_intersection(PyObject* self, PyObject* other) {
  if (self == other) return set_copy(self);
  Ref<> result = Ref<>::steal(new_like(self, nullptr));
  if (!result) return nullptr;
  if (PyAnySet_Check(other)) {
    if (as_set(other)->used > as_set(self)->used) std::swap(self, other);
    Py_ssize_t position = 0;
    setentry* entry;
    while (set_next(as_set(other), &position, &entry)) {
      Ref<> key = Ref<>::dup(entry->key);
      const Py_hash_t hash = entry->hash;
      const int found = set_contains(as_set(self), key.get(), hash);
      if (found < 0 || (found && set_add(as_set(result.get()), key.get(), hash) < 0)) return nullptr;
    }
    return result.release();
  }
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(other));
  if (!iterator) return nullptr;
  while (true) {
    Ref<> key = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!key) return PyErr_Occurred() ? nullptr : result.release();
    const Py_hash_t hash = set_key_hash(key.get());
    if (hash == -1) return nullptr;
    const int found = set_contains(as_set(self), key.get(), hash);
    if (found < 0) return nullptr;
    if (found) {
      if (set_add(as_set(result.get()), key.get(), hash) < 0) return nullptr;
    }
  }
}

int set_difference_update(PyObject* self, PyObject* other) {
  PySetObject* set = as_set(self);
  if (self == other) {
    set_clear(set);
    return 0;
  }
  if (PyAnySet_Check(other)) {
    // Of a much larger set only the common part matters.
    Ref<> owner = as_set(other)->used >> 3 > set->used ? Ref<>::steal(set_intersection(self, other)) : Ref<>::dup(other);
    if (!owner) return -1;
    Py_ssize_t position = 0;
    setentry* entry;
    while (set_next(as_set(owner.get()), &position, &entry)) {
      Ref<> key = Ref<>::dup(entry->key);
      if (set_discard(set, key.get(), entry->hash) < 0) return -1;
    }
  } else {
    Ref<> iterator = Ref<>::steal(PyObject_GetIter(other));
    if (!iterator) return -1;
    while (true) {
      Ref<> key = Ref<>::steal(PyIter_Next(iterator.get()));
      if (!key) break;
      const Py_hash_t hash = set_key_hash(key.get());
      if (hash == -1 || set_discard(set, key.get(), hash) < 0) return -1;
    }
    if (PyErr_Occurred()) return -1;
  }
  // Once a quarter of the table is deleted slots they are cleared away.
  if (set->fill - set->used <= set->mask / 4) return 0;
  return set_resize(set, set->used > 50000 ? set->used * 2 : set->used * 4);
}

PyObject* set_difference(PyObject* self, PyObject* other) {
  const bool other_is_set = PyAnySet_Check(other);
  const bool other_is_dict = !other_is_set && PyDict_CheckExact(other);
  const Py_ssize_t size = other_is_set ? as_set(other)->used : other_is_dict ? PyDict_GET_SIZE(other) : 0;
  // Removing a few items from a copy beats testing them all; of an iterable nothing can be tested.
  if ((!other_is_set && !other_is_dict) || as_set(self)->used >> 2 > size) {
    Ref<> copy = Ref<>::steal(set_copy(self));
    if (!copy || set_difference_update(copy.get(), other) < 0) return nullptr;
    return copy.release();
  }
  Ref<> result = Ref<>::steal(new_like(self, nullptr));
  if (!result) return nullptr;
  Py_ssize_t position = 0;
  setentry* entry;
  while (set_next(as_set(self), &position, &entry)) {
    Ref<> key = Ref<>::dup(entry->key);
    const Py_hash_t hash = entry->hash;
    const int found = other_is_set ? set_contains(as_set(other), key.get(), hash)
                                   : _PyDict_Contains_KnownHash(other, key.get(), hash);
    if (found < 0 || (!found && set_add(as_set(result.get()), key.get(), hash) < 0)) return nullptr;
  }
  return result.release();
}

int toggle(PySetObject* set, PyObject* key, Py_hash_t hash) {
  const int found = set_discard(set, key, hash);
  if (found != 0) return found < 0 ? -1 : 0;
  return set_add(set, key, hash);
}

int set_symmetric_update(PyObject* self, PyObject* other) {
  PySetObject* set = as_set(self);
  if (self == other) {
    set_clear(set);
    return 0;
  }
  if (PyDict_CheckExact(other)) {
    Py_ssize_t position = 0;
    PyObject *key, *value;
    Py_hash_t hash;
    while (_PyDict_Next(other, &position, &key, &value, &hash)) {
      Ref<> owner = Ref<>::dup(key);
      if (toggle(set, key, hash) < 0) return -1;
    }
    return 0;
  }
  Ref<> owner = PyAnySet_Check(other) ? Ref<>::dup(other) : Ref<>::steal(new_like(self, other));
  if (!owner) return -1;
  Py_ssize_t position = 0;
  setentry* entry;
  while (set_next(as_set(owner.get()), &position, &entry)) {
    Ref<> key = Ref<>::dup(entry->key);
    if (toggle(set, key.get(), entry->hash) < 0) return -1;
  }
  return 0;
}

PyObject* set_symmetric_difference(PyObject* self, PyObject* other) {
  Ref<> result = Ref<>::steal(new_like(self, other));
  if (!result || set_symmetric_update(result.get(), self) < 0) return nullptr;
  return result.release();
}

/// Exchanges the contents of two sets (their types and weak references stay).
void swap_contents(PySetObject* a, PySetObject* b) {
  std::swap(a->fill, b->fill);
  std::swap(a->used, b->used);
  std::swap(a->mask, b->mask);
  setentry* table_a = a->table == a->smalltable ? b->smalltable : a->table;
  setentry* table_b = b->table == b->smalltable ? a->smalltable : b->table;
  setentry small[PySet_MINSIZE];
  memcpy(small, a->smalltable, sizeof(small));
  memcpy(a->smalltable, b->smalltable, sizeof(small));
  memcpy(b->smalltable, small, sizeof(small));
  a->table = table_b;
  b->table = table_a;
  if (PyFrozenSet_Check(as_object(a)) && PyFrozenSet_Check(as_object(b))) {
    std::swap(a->hash, b->hash);
  } else {
    a->hash = -1;
    b->hash = -1;
  }
}

/// 1 when every item of self is in the set `other`, 0, or -1.
int is_subset(PyObject* self, PyObject* other) {
  if (as_set(self)->used > as_set(other)->used) return 0;
  Py_ssize_t position = 0;
  setentry* entry;
  while (set_next(as_set(self), &position, &entry)) {
    Ref<> key = Ref<>::dup(entry->key);
    const int found = set_contains(as_set(other), key.get(), entry->hash);
    if (found <= 0) return found;
  }
  return 1;
}

PyObject* set_richcompare(PyObject* self, PyObject* other, int op) {
  if (!PyAnySet_Check(other)) Py_RETURN_NOTIMPLEMENTED;
  PySetObject *a = as_set(self), *b = as_set(other);
  int verdict = 0;
  switch (op) {
    case Py_EQ:
    case Py_NE:
      if (a->used == b->used && (a->hash == -1 || b->hash == -1 || a->hash == b->hash)) {
        verdict = is_subset(self, other);
      }
      if (op == Py_NE && verdict >= 0) verdict = !verdict;
      break;
    case Py_LE: verdict = is_subset(self, other); break;
    case Py_GE: verdict = is_subset(other, self); break;
    case Py_LT: verdict = a->used < b->used ? is_subset(self, other) : 0; break;
    case Py_GT: verdict = a->used > b->used ? is_subset(other, self) : 0; break;
  }
  return verdict < 0 ? nullptr : PyBool_FromLong(verdict);
}

template <PyObject* (*operation)(PyObject*, PyObject*)>
PyObject* set_operator(PyObject* self, PyObject* other) {
  if (!PyAnySet_Check(self) || !PyAnySet_Check(other)) Py_RETURN_NOTIMPLEMENTED;
  return operation(self, other);
}
template <int (*operation)(PyObject*, PyObject*)>
PyObject* set_inplace_operator(PyObject* self, PyObject* other) {
  if (!PyAnySet_Check(other)) Py_RETURN_NOTIMPLEMENTED;
  return operation(self, other) < 0 ? nullptr : Py_NewRef(self);
}

PyObject* set_union_two(PyObject* self, PyObject* other) {
  Ref<> result = Ref<>::steal(set_copy(self));
  if (!result || (self != other && set_update(as_set(result.get()), other) < 0)) return nullptr;
  return result.release();
}
int set_update_slot(PyObject* self, PyObject* other) { return set_update(as_set(self), other); }
int set_intersection_update_one(PyObject* self, PyObject* other) {
  Ref<> common = Ref<>::steal(set_intersection(self, other));
  if (!common) return -1;
  swap_contents(as_set(self), as_set(common.get()));
  return 0;
}

// ---- Methods -----------------------------------------------------------------------------------------------------

PyObject* add_method(PyObject* self, PyObject* key) {
  const Py_hash_t hash = set_key_hash(key);
  if (hash == -1 || set_add(as_set(self), key, hash) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* clear_method(PyObject* self) {
  set_clear(as_set(self));
  Py_RETURN_NONE;
}
PyObject* contains_method(PyObject* self, PyObject* key) {
  const int found = set_contains_slot(self, key);
  return found < 0 ? nullptr : PyBool_FromLong(found);
}
PyObject* frozenset_copy(PyObject* self) {
  return PyFrozenSet_CheckExact(self) ? Py_NewRef(self) : set_copy(self);
}
PyObject* discard_method(PyObject* self, PyObject* key) {
  if (with_key<set_discard>(self, key) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* remove_method(PyObject* self, PyObject* key) {
  const int found = with_key<set_discard>(self, key);
  if (found < 0) return nullptr;
  if (found == 0) {
    _PyErr_SetKeyError(key);
    return nullptr;
  }
  Py_RETURN_NONE;
}
PyObject* pop_method(PyObject* self) {
  PySetObject* set = as_set(self);
  if (set->used == 0) {
    PyErr_SetString(PyExc_KeyError, "pop from an empty set");
    return nullptr;
  }
  // The finger goes on where the last pop stopped, so that emptying a set is linear.
  Py_ssize_t i = set->finger & set->mask;
  while (set->table[i].key == nullptr || set->table[i].hash == -1) i = i == set->mask ? 0 : i + 1;
  PyObject* key = set->table[i].key;
  set->table[i] = {_PySet_Dummy, -1};
  set->used--;
  set->finger = i + 1;
  return key;
}
PyObject* difference_method(PyObject* self, Arguments others) {
  if (others.empty()) return set_copy(self);
  Ref<> result = Ref<>::steal(set_difference(self, others[0]));
  for (size_t i = 1; result && i < others.size(); i++) {
    if (set_difference_update(result.get(), others[i]) < 0) return nullptr;
  }
  return result.release();
}
PyObject* difference_update_method(PyObject* self, Arguments others) {
  for (PyObject* other : others) {
    if (set_difference_update(self, other) < 0) return nullptr;
  }
  Py_RETURN_NONE;
}
PyObject* intersection_method(PyObject* self, Arguments others) {
  if (others.empty()) return set_copy(self);
  Ref<> result = Ref<>::dup(self);
  for (PyObject* other : others) {
    result = Ref<>::steal(set_intersection(result.get(), other));
    if (!result) return nullptr;
  }
  return result.release();
}
PyObject* intersection_update_method(PyObject* self, Arguments others) {
  Ref<> common = Ref<>::steal(intersection_method(self, others));
  if (!common) return nullptr;
  swap_contents(as_set(self), as_set(common.get()));
  Py_RETURN_NONE;
}
PyObject* union_method(PyObject* self, Arguments others) {
  Ref<> result = Ref<>::steal(set_copy(self));
  if (!result) return nullptr;
  for (PyObject* other : others) {
    if (other != self && set_update(as_set(result.get()), other) < 0) return nullptr;
  }
  return result.release();
}
PyObject* update_method(PyObject* self, Arguments others) {
  for (PyObject* other : others) {
    if (set_update(as_set(self), other) < 0) return nullptr;
  }
  Py_RETURN_NONE;
}
PyObject* symmetric_difference_update_method(PyObject* self, PyObject* other) {
  if (set_symmetric_update(self, other) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* isdisjoint_method(PyObject* self, PyObject* other) {
  if (self == other) return PyBool_FromLong(as_set(self)->used == 0);
  if (PyAnySet_CheckExact(other)) {
    if (as_set(other)->used > as_set(self)->used) std::swap(self, other);
    Py_ssize_t position = 0;
    setentry* entry;
    while (set_next(as_set(other), &position, &entry)) {
      Ref<> key = Ref<>::dup(entry->key);
      const int found = set_contains(as_set(self), key.get(), entry->hash);
      if (found < 0) return nullptr;
      if (found) Py_RETURN_FALSE;
    }
    Py_RETURN_TRUE;
  }
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(other));
  if (!iterator) return nullptr;
  while (true) {
    Ref<> key = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!key) {
      if (PyErr_Occurred()) return nullptr;
      Py_RETURN_TRUE;
    }
    const Py_hash_t hash = set_key_hash(key.get());
    const int found = hash == -1 ? -1 : set_contains(as_set(self), key.get(), hash);
    if (found < 0) return nullptr;
    if (found) Py_RETURN_FALSE;
  }
}
PyObject* issubset_method(PyObject* self, PyObject* other) {
  if (PyAnySet_Check(other)) {
    const int verdict = is_subset(self, other);
    return verdict < 0 ? nullptr : PyBool_FromLong(verdict);
  }
  Ref<> common = Ref<>::steal(set_intersection(self, other));
  return common ? PyBool_FromLong(as_set(common.get())->used == as_set(self)->used) : nullptr;
}
PyObject* issuperset_method(PyObject* self, PyObject* other) {
  if (PyAnySet_Check(other)) {
    const int verdict = is_subset(other, self);
    return verdict < 0 ? nullptr : PyBool_FromLong(verdict);
  }
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(other));
  if (!iterator) return nullptr;
  while (true) {
    Ref<> key = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!key) {
      if (PyErr_Occurred()) return nullptr;
      Py_RETURN_TRUE;
    }
    const int found = set_contains_slot(self, key.get());
    if (found < 0) return nullptr;
    if (!found) Py_RETURN_FALSE;
  }
}
PyObject* reduce_method(PyObject* self) {
  Ref<> keys = Ref<>::steal(PySequence_List(self));
  if (!keys) return nullptr;
  Ref<> state = Ref<>::steal(_PyObject_GetState(self));
  if (!state) return nullptr;
  return Py_BuildValue("O(N)N", Py_TYPE(self), keys.release(), state.release());
}
PyObject* sizeof_method(PyObject* self) {
  Py_ssize_t size = static_cast<Py_ssize_t>(_PyObject_SIZE(Py_TYPE(self)));
  if (as_set(self)->table != as_set(self)->smalltable) {
    size += (as_set(self)->mask + 1) * static_cast<Py_ssize_t>(sizeof(setentry));
  }
  return PyLong_FromSsize_t(size);
}

PyMethodDef set_methods[] = {
    method<add_method, "add($self, object, /)", "Add the object unless it is there already.">(),
    method<clear_method, "clear($self, /)", "Remove everything.">(),
    method<contains_method, "__contains__($self, object, /)", "x.__contains__(y) <==> y in x.">(METH_COEXIST),
    method<set_copy, "copy($self, /)", "A shallow copy.">(),
    method<discard_method, "discard($self, object, /)", "Remove the object if it is there.">(),
    method<difference_method, "difference($self, *others)", "The items that are in none of the others.">(),
    method<difference_update_method, "difference_update($self, *others)", "Remove all items of the others.">(),
    method<intersection_method, "intersection($self, *others)", "The items that all of the others have too.">(),
    method<intersection_update_method, "intersection_update($self, *others)",
           "Keep only items that all of the others have too.">(),
    method<isdisjoint_method, "isdisjoint($self, other, /)", "Whether the two have nothing in common.">(),
    method<issubset_method, "issubset($self, other, /)", "Whether the other has all items of this set.">(),
    method<issuperset_method, "issuperset($self, other, /)", "Whether this set has all items of the other.">(),
    method<pop_method, "pop($self, /)", "Remove and return some item; KeyError when there is none.">(),
    method<reduce_method, "__reduce__($self, /)", "State for pickling.">(),
    method<remove_method, "remove($self, object, /)", "Remove the object; KeyError when it is not there.">(),
    method<sizeof_method, "__sizeof__($self, /)", "Memory used by the set, in bytes.">(),
    method<set_symmetric_difference, "symmetric_difference($self, other, /)", "The items that exactly one of both has.">(),
    method<symmetric_difference_update_method, "symmetric_difference_update($self, other, /)",
           "Keep the items that exactly one of both has.">(),
    method<union_method, "union($self, *others)", "The items that any of them has.">(),
    method<update_method, "update($self, *others)", "Add all items of the others.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "set[X], for annotations."},
    {},
};

PyMethodDef frozenset_methods[] = {
    method<contains_method, "__contains__($self, object, /)", "x.__contains__(y) <==> y in x.">(METH_COEXIST),
    method<frozenset_copy, "copy($self, /)", "The set itself, or a frozenset of its items.">(),
    method<difference_method, "difference($self, *others)", "The items that are in none of the others.">(),
    method<intersection_method, "intersection($self, *others)", "The items that all of the others have too.">(),
    method<isdisjoint_method, "isdisjoint($self, other, /)", "Whether the two have nothing in common.">(),
    method<issubset_method, "issubset($self, other, /)", "Whether the other has all items of this set.">(),
    method<issuperset_method, "issuperset($self, other, /)", "Whether this set has all items of the other.">(),
    method<reduce_method, "__reduce__($self, /)", "State for pickling.">(),
    method<sizeof_method, "__sizeof__($self, /)", "Memory used by the set, in bytes.">(),
    method<set_symmetric_difference, "symmetric_difference($self, other, /)", "The items that exactly one of both has.">(),
    method<union_method, "union($self, *others)", "The items that any of them has.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "frozenset[X], for annotations."},
    {},
};

PySequenceMethods set_as_sequence = {.sq_length = set_length, .sq_contains = set_contains_slot};

PyNumberMethods set_as_number = {
    .nb_subtract = set_operator<set_difference>,
    .nb_and = set_operator<set_intersection>,
    .nb_xor = set_operator<set_symmetric_difference>,
    .nb_or = set_operator<set_union_two>,
    .nb_inplace_subtract = set_inplace_operator<set_difference_update>,
    .nb_inplace_and = set_inplace_operator<set_intersection_update_one>,
    .nb_inplace_xor = set_inplace_operator<set_symmetric_update>,
    .nb_inplace_or = set_inplace_operator<set_update_slot>,
};
PyNumberMethods frozenset_as_number = {
    .nb_subtract = set_operator<set_difference>,
    .nb_and = set_operator<set_intersection>,
    .nb_xor = set_operator<set_symmetric_difference>,
    .nb_or = set_operator<set_union_two>,
};

// ---- Construction ------------------------------------------------------------------------------------------------

int set_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (!_PyArg_NoKeywords("set", kwargs)) return -1;
  PyObject* iterable = nullptr;
  if (!PyArg_UnpackTuple(args, Py_TYPE(self)->tp_name, 0, 1, &iterable)) return -1;
  if (as_set(self)->fill != 0) set_clear(as_set(self));
  as_set(self)->hash = -1;
  return iterable == nullptr ? 0 : set_update(as_set(self), iterable);
}

PyObject* set_new_slot(PyTypeObject* type, PyObject*, PyObject*) { return new_set(type, nullptr); }

PyObject* set_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (!_PyArg_NoKwnames("set", kwnames)) return nullptr;
  const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  if (!_PyArg_CheckPositional("set", count, 0, 1)) return nullptr;
  return new_set(reinterpret_cast<PyTypeObject*>(type), count == 0 ? nullptr : args[0]);
}

PyObject* new_frozenset(PyTypeObject* type, PyObject* iterable) {
  if (type == &PyFrozenSet_Type && iterable != nullptr && PyFrozenSet_CheckExact(iterable)) return Py_NewRef(iterable);
  return new_set(type, iterable);
}

PyObject* frozenset_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if ((type == &PyFrozenSet_Type || type->tp_init == PyFrozenSet_Type.tp_init) &&
      !_PyArg_NoKeywords("frozenset", kwargs)) {
    return nullptr;
  }
  PyObject* iterable = nullptr;
  if (!PyArg_UnpackTuple(args, type->tp_name, 0, 1, &iterable)) return nullptr;
  return new_frozenset(type, iterable);
}

PyObject* frozenset_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (!_PyArg_NoKwnames("frozenset", kwnames)) return nullptr;
  const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  if (!_PyArg_CheckPositional("frozenset", count, 0, 1)) return nullptr;
  return new_frozenset(reinterpret_cast<PyTypeObject*>(type), count == 0 ? nullptr : args[0]);
}

// ---- Iterator ----------------------------------------------------------------------------------------------------

struct SetIterObject {
  PyObject_HEAD
  PySetObject* set;  // null once exhausted
  Py_ssize_t used;   // detects changes of size
  Py_ssize_t position;
  Py_ssize_t length;
};
ALWAYS_INLINE SetIterObject* as_iter(PyObject* object) { return reinterpret_cast<SetIterObject*>(object); }

PyObject* set_iter(PyObject* self) {
  SetIterObject* iterator = PyObject_GC_New(SetIterObject, &PySetIter_Type);
  if (iterator == nullptr) return nullptr;
  iterator->set = as_set(Py_NewRef(self));
  iterator->used = as_set(self)->used;
  iterator->position = 0;
  iterator->length = as_set(self)->used;
  _PyObject_GC_TRACK(iterator);
  return as_object(iterator);
}
void iter_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_object(as_iter(self)->set));
  PyObject_GC_Del(self);
}
int iter_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(as_iter(self)->set));
  return 0;
}
PyObject* iter_next(PyObject* object) {
  SetIterObject* self = as_iter(object);
  PySetObject* set = self->set;
  if (UNLIKELY(set == nullptr)) return nullptr;
  if (UNLIKELY(self->used != set->used)) {
    PyErr_SetString(PyExc_RuntimeError, "Set changed size during iteration");
    self->used = -1;  // every later step fails too
    return nullptr;
  }
  setentry* entry;
  if (LIKELY(set_next(set, &self->position, &entry))) {
    self->length--;
    return Py_NewRef(entry->key);
  }
  self->set = nullptr;
  Py_DECREF(as_object(set));
  return nullptr;
}
PyObject* iter_length_hint(PyObject* object) {
  SetIterObject* self = as_iter(object);
  return PyLong_FromSsize_t(self->set != nullptr && self->used == self->set->used ? self->length : 0);
}
PyObject* iter_reduce(PyObject* object) {
  SetIterObject* self = as_iter(object);
  Ref<> rest;
  if (self->set != nullptr) {
    Ref<> copy = Ref<>::steal(set_iter(as_object(self->set)));
    if (!copy) return nullptr;
    as_iter(copy.get())->used = self->used;
    as_iter(copy.get())->position = self->position;
    as_iter(copy.get())->length = self->length;
    rest = Ref<>::steal(PySequence_List(copy.get()));
  } else {
    rest = Ref<>::steal(PyList_New(0));
  }
  if (!rest) return nullptr;
  return Py_BuildValue("N(N)", _PyEval_GetBuiltin(&_Py_ID(iter)), rest.release());
}
PyMethodDef iter_methods[] = {
    method<iter_length_hint, "__length_hint__($self, /)", "How many items are left, as far as one can tell.">(),
    method<iter_reduce, "__reduce__($self, /)", "State for pickling.">(),
    {},
};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PySet_Type = {
    .ob_base = type_head(),
    .tp_name = "set",
    .tp_basicsize = sizeof(PySetObject),
    .tp_dealloc = set_dealloc,
    .tp_repr = set_repr,
    .tp_as_number = &set_as_number,
    .tp_as_sequence = &set_as_sequence,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "set() -> an empty set\nset(iterable) -> the different items of the iterable",
    .tp_traverse = set_traverse,
    .tp_clear = set_clear_slot,
    .tp_richcompare = set_richcompare,
    .tp_weaklistoffset = offsetof(PySetObject, weakreflist),
    .tp_iter = set_iter,
    .tp_methods = set_methods,
    .tp_init = set_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = set_new_slot,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = set_vectorcall,
};

PyTypeObject PyFrozenSet_Type = {
    .ob_base = type_head(),
    .tp_name = "frozenset",
    .tp_basicsize = sizeof(PySetObject),
    .tp_dealloc = set_dealloc,
    .tp_repr = set_repr,
    .tp_as_number = &frozenset_as_number,
    .tp_as_sequence = &set_as_sequence,
    .tp_hash = frozenset_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "frozenset() -> an empty frozenset\nfrozenset(iterable) -> the different items of the iterable, immutable",
    .tp_traverse = set_traverse,
    .tp_clear = set_clear_slot,
    .tp_richcompare = set_richcompare,
    .tp_weaklistoffset = offsetof(PySetObject, weakreflist),
    .tp_iter = set_iter,
    .tp_methods = frozenset_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = frozenset_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = frozenset_vectorcall,
};

PyTypeObject PySetIter_Type = {
    .ob_base = type_head(),
    .tp_name = "set_iterator",
    .tp_basicsize = sizeof(SetIterObject),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

/// The placeholder of deleted slots: no object that a program can meet.
PyTypeObject _PySetDummy_Type = {
    .ob_base = type_head(),
    .tp_name = "<dummy key> type",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};

static_assert(sizeof(PySetObject) == 200);

/// New reference to some item, removed; KeyError when the set is empty.
PyObject* PySet_Pop(PyObject* set) {
  if (!PySet_Check(set)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  return pyston::pop_method(set);
}
