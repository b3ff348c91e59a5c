// set and frozenset: the hash table, updates, and the C API. Operators, methods and types are in set_methods.cpp.
//
// INVARIANTS: a free slot has a null key and hash 0, a deleted one the dummy key and hash -1; fill counts both live
// and deleted slots; the table is never full.
#include "Objects/containers/set.h"

extern PyTypeObject _PySetDummy_Type;  // set_methods.cpp

namespace pyston {
namespace {

PyObject g_dummy = {1, &_PySetDummy_Type};

ALWAYS_INLINE bool same_text(PyObject* a, PyObject* b) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(a);
  return length == PyUnicode_GET_LENGTH(b) && PyUnicode_KIND(a) == PyUnicode_KIND(b) &&
         memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b),
                static_cast<size_t>(length) * static_cast<size_t>(PyUnicode_KIND(a))) == 0;
}

/// Compares a stored key of equal hash. 1, 0, -1, or 2 when the comparison changed the set.
ALWAYS_INLINE int compare_entry(PySetObject* set, setentry* table, setentry* entry, PyObject* key) {
  PyObject* stored = entry->key;
  if (stored == key) return 1;
  if (PyUnicode_CheckExact(stored) && PyUnicode_CheckExact(key)) return same_text(stored, key);
  Py_INCREF(stored);
  const int equal = PyObject_RichCompareBool(stored, key, Py_EQ);
  Py_DECREF(stored);
  if (equal < 0) return -1;
  if (UNLIKELY(table != set->table || entry->key != stored)) return 2;
  return equal;
}

/// Inserts a key that is not there into a table without deleted slots.
void insert_clean(setentry* table, size_t mask, PyObject* key, Py_hash_t hash) {
  size_t perturb = static_cast<size_t>(hash);
  size_t i = static_cast<size_t>(hash) & mask;
  while (true) {
    setentry* entry = &table[i];
    if (entry->key == nullptr) {
      *entry = {key, hash};
      return;
    }
    if (i + kSetLinearProbes <= mask) {
      for (Py_ssize_t j = 0; j < kSetLinearProbes; j++) {
        entry++;
        if (entry->key == nullptr) {
          *entry = {key, hash};
          return;
        }
      }
    }
    perturb >>= kSetPerturbShift;
    i = (i * 5 + 1 + perturb) & mask;
  }
}

void reset_to_small(PySetObject* set) {
  memset(set->smalltable, 0, sizeof(set->smalltable));
  set->fill = 0;
  set->used = 0;
  set->mask = PySet_MINSIZE - 1;
  set->table = set->smalltable;
  set->hash = -1;
}

COLD int not_a_set() {
  PyErr_BadInternalCall();
  return -1;
}

int update_from_dict(PySetObject* set, PyObject* dict) {
  // One resize in front, as if no key were shared.
  const Py_ssize_t size = PyDict_GET_SIZE(dict);
  if ((set->fill + size) * 5 >= set->mask * 3 && set_resize(set, (set->used + size) * 2) < 0) return -1;
  Py_ssize_t position = 0;
  PyObject *key, *value;
  Py_hash_t hash;
  while (_PyDict_Next(dict, &position, &key, &value, &hash)) {
    if (set_add(set, key, hash) < 0) return -1;
  }
  return 0;
}

}  // namespace

setentry* set_find(PySetObject* set, PyObject* key, Py_hash_t hash) {
  while (true) {
    setentry* const table = set->table;
    const size_t mask = static_cast<size_t>(set->mask);
    size_t perturb = static_cast<size_t>(hash);
    size_t i = static_cast<size_t>(hash) & mask;
    bool changed = false;
    while (!changed) {
      setentry* entry = &table[i];
      Py_ssize_t probes = i + kSetLinearProbes <= mask ? kSetLinearProbes : 0;
      do {
        if (LIKELY(entry->key == key && entry->hash == hash)) return entry;
        if (entry->key == nullptr) return entry;
        if (entry->hash == hash) {
          const int equal = compare_entry(set, table, entry, key);
          if (equal == 1) return entry;
          if (equal < 0) return nullptr;
          if (equal == 2) {
            changed = true;
            break;
          }
        }
        entry++;
      } while (probes--);
      perturb >>= kSetPerturbShift;
      i = (i * 5 + 1 + perturb) & mask;
    }
  }
}

int set_add(PySetObject* set, PyObject* key, Py_hash_t hash) {
  Py_INCREF(key);  // a comparison may drop the caller's
  setentry* entry;
  setentry* deleted;
restart:
  deleted = nullptr;
  setentry* const table = set->table;
  const size_t mask = static_cast<size_t>(set->mask);
  size_t perturb = static_cast<size_t>(hash);
  size_t i = static_cast<size_t>(hash) & mask;
  while (true) {
    entry = &table[i];
    Py_ssize_t probes = i + kSetLinearProbes <= mask ? kSetLinearProbes : 0;
    do {
      if (entry->hash == 0 && entry->key == nullptr) goto missing;
      if (entry->hash == hash) {
        const int equal = compare_entry(set, table, entry, key);
        if (equal == 1) {
          Py_DECREF(key);
          return 0;
        }
        if (equal < 0) {
          Py_DECREF(key);
          return -1;
        }
        if (equal == 2) goto restart;
      } else if (entry->hash == -1) {
        deleted = entry;  // QUIRK: the last deleted slot on the way is reused, which decides the order of iteration
      }
      entry++;
    } while (probes--);
    perturb >>= kSetPerturbShift;
    i = (i * 5 + 1 + perturb) & mask;
  }
missing:
  set->used++;
  if (deleted != nullptr) {
    *deleted = {key, hash};
    return 0;
  }
  set->fill++;
  *entry = {key, hash};
  if (LIKELY(static_cast<size_t>(set->fill) * 5 < mask * 3)) return 0;
  return set_resize(set, set->used > 50000 ? set->used * 2 : set->used * 4);
}

int set_discard(PySetObject* set, PyObject* key, Py_hash_t hash) {
  setentry* entry = set_find(set, key, hash);
  if (entry == nullptr) return -1;
  if (entry->key == nullptr) return 0;
  PyObject* old = entry->key;
  *entry = {&g_dummy, -1};
  set->used--;
  Py_DECREF(old);
  return 1;
}

int set_contains(PySetObject* set, PyObject* key, Py_hash_t hash) {
  setentry* entry = set_find(set, key, hash);
  return entry == nullptr ? -1 : entry->key != nullptr;
}

/// Moves to the smallest table with more than `minimum_used` slots, without deleted ones.
int set_resize(PySetObject* set, Py_ssize_t minimum_used) {
  size_t size = PySet_MINSIZE;
  while (size <= static_cast<size_t>(minimum_used)) size <<= 1;
  setentry* old = set->table;
  const bool old_is_heap = old != set->smalltable;
  setentry small_copy[PySet_MINSIZE];
  setentry* table;
  if (size == PySet_MINSIZE) {
    table = set->smalltable;
    if (!old_is_heap) {
      if (set->fill == set->used) return 0;  // nothing deleted: nothing to gain
      memcpy(small_copy, old, sizeof(small_copy));
      old = small_copy;
    }
  } else {
    table = size > static_cast<size_t>(PY_SSIZE_T_MAX) / sizeof(setentry)
                ? nullptr
                : static_cast<setentry*>(PyMem_Malloc(size * sizeof(setentry)));
    if (table == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
  }
  memset(table, 0, size * sizeof(setentry));
  const size_t mask = size - 1;
  const Py_ssize_t old_mask = set->mask;
  set->mask = static_cast<Py_ssize_t>(mask);
  set->table = table;
  for (setentry *entry = old, *end = old + old_mask + 1; entry != end; entry++) {
    if (entry->key != nullptr && entry->key != &g_dummy) insert_clean(table, mask, entry->key, entry->hash);
  }
  set->fill = set->used;
  if (old_is_heap) PyMem_Free(old);
  return 0;
}

void set_clear(PySetObject* set) {
  if (set->fill == 0 && set->table == set->smalltable) return;
  setentry* table = set->table;
  const bool is_heap = table != set->smalltable;
  setentry small_copy[PySet_MINSIZE];
  const Py_ssize_t size = set->mask + 1;
  Py_ssize_t used = set->used;
  if (!is_heap) {
    memcpy(small_copy, table, sizeof(small_copy));
    table = small_copy;
  }
  reset_to_small(set);  // empty and consistent before anything is dropped
  for (Py_ssize_t i = 0; used > 0 && i < size; i++) {
    if (table[i].key != nullptr && table[i].key != &g_dummy) {
      used--;
      Py_DECREF(table[i].key);
    }
  }
  if (is_heap) PyMem_Free(table);
}

int set_merge(PySetObject* set, PySetObject* source) {
  if (source == set || source->used == 0) return 0;
  if ((set->fill + source->used) * 5 >= set->mask * 3 && set_resize(set, (set->used + source->used) * 2) < 0) return -1;
  // FAST: an empty table of the same size becomes a copy, slot by slot.
  if (set->fill == 0 && set->mask == source->mask && source->fill == source->used) {
    for (Py_ssize_t i = 0; i <= source->mask; i++) {
      PyObject* key = source->table[i].key;
      if (key != nullptr) set->table[i] = {Py_NewRef(key), source->table[i].hash};
    }
    set->fill = source->fill;
    set->used = source->used;
    return 0;
  }
  // FAST: into an empty table nothing can be found.
  if (set->fill == 0) {
    const size_t mask = static_cast<size_t>(set->mask);
    set->fill = source->used;
    set->used = source->used;
    for (Py_ssize_t i = source->mask + 1; i > 0; i--) {
      const setentry& entry = source->table[source->mask + 1 - i];
      if (entry.key != nullptr && entry.key != &g_dummy) {
        insert_clean(set->table, mask, Py_NewRef(entry.key), entry.hash);
      }
    }
    return 0;
  }
  for (Py_ssize_t i = 0; i <= source->mask; i++) {
    const setentry entry = source->table[i];
    if (entry.key != nullptr && entry.key != &g_dummy && set_add(set, entry.key, entry.hash) < 0) return -1;
  }
  return 0;
}

int set_update(PySetObject* set, PyObject* iterable) {
  if (PyAnySet_Check(iterable)) return set_merge(set, as_set(iterable));
  if (PyDict_CheckExact(iterable)) return update_from_dict(set, iterable);
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return -1;
  while (true) {
    Ref<> key = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!key) return PyErr_Occurred() ? -1 : 0;
    const Py_hash_t hash = set_key_hash(key.get());
    if (hash == -1 || set_add(set, key.get(), hash) < 0) return -1;
  }
}

PyObject* new_set(PyTypeObject* type, PyObject* iterable) {
  PySetObject* set = reinterpret_cast<PySetObject*>(type->tp_alloc(type, 0));
  if (set == nullptr) return nullptr;
  reset_to_small(set);
  set->finger = 0;
  set->weakreflist = nullptr;
  if (iterable != nullptr && set_update(set, iterable) < 0) {
    Py_DECREF(as_object(set));
    return nullptr;
  }
  return as_object(set);
}

PyTypeObject* base_set_type(PyObject* set) {
  return PyType_IsSubtype(Py_TYPE(set), &PySet_Type) ? &PySet_Type : &PyFrozenSet_Type;
}

}  // namespace pyston

using namespace pyston;

PyObject* _PySet_Dummy = &pyston::g_dummy;

PyObject* PySet_New(PyObject* iterable) { return new_set(&PySet_Type, iterable); }
PyObject* PyFrozenSet_New(PyObject* iterable) { return new_set(&PyFrozenSet_Type, iterable); }

Py_ssize_t PySet_Size(PyObject* set) { return PyAnySet_Check(set) ? as_set(set)->used : not_a_set(); }

int PySet_Clear(PyObject* set) {
  if (!PySet_Check(set)) return not_a_set();
  set_clear(as_set(set));
  return 0;
}

int PySet_Contains(PyObject* set, PyObject* key) {
  if (!PyAnySet_Check(set)) return not_a_set();
  const Py_hash_t hash = set_key_hash(key);
  return hash == -1 ? -1 : set_contains(as_set(set), key, hash);
}

int PySet_Discard(PyObject* set, PyObject* key) {
  if (!PySet_Check(set)) return not_a_set();
  const Py_hash_t hash = set_key_hash(key);
  return hash == -1 ? -1 : set_discard(as_set(set), key, hash);
}

/// A frozenset may be filled as long as nobody else has seen it.
int PySet_Add(PyObject* set, PyObject* key) {
  if (!PySet_Check(set) && (!PyFrozenSet_Check(set) || Py_REFCNT(set) != 1)) return not_a_set();
  const Py_hash_t hash = set_key_hash(key);
  return hash == -1 ? -1 : set_add(as_set(set), key, hash);
}

int _PySet_NextEntry(PyObject* set, Py_ssize_t* position, PyObject** key, Py_hash_t* hash) {
  if (!PyAnySet_Check(set)) return not_a_set();
  setentry* entry;
  if (!set_next(as_set(set), position, &entry)) return 0;
  *key = entry->key;
  *hash = entry->hash;
  return 1;
}

int _PySet_Update(PyObject* set, PyObject* iterable) {
  return PySet_Check(set) ? set_update(as_set(set), iterable) : not_a_set();
}
