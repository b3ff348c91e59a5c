// Internals of set that its two files share.
//
// The table is CPython's, because iteration order is visible: linear probes of up to nine neighbours, then a jump by
// the recurrence i = 5 i + 1 + perturb; growth to four times the used entries (two times above 50,000) once three
// fifths are filled.
#pragma once

#include "Objects/bind.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_object.h>
#include <internal/pycore_pyerrors.h>
#include <internal/pycore_pystate.h>

namespace pyston {

inline constexpr Py_ssize_t kSetLinearProbes = 9;
inline constexpr int kSetPerturbShift = 5;

ALWAYS_INLINE PySetObject* as_set(PyObject* object) { return reinterpret_cast<PySetObject*>(object); }
ALWAYS_INLINE Py_hash_t set_key_hash(PyObject* key) {
  if (LIKELY(PyUnicode_CheckExact(key))) {
    const Py_hash_t hash = reinterpret_cast<PyASCIIObject*>(key)->hash;
    if (LIKELY(hash != -1)) return hash;
  }
  return PyObject_Hash(key);
}

/// The live entry, an entry without key when missing, or null with an exception set.
setentry* set_find(PySetObject* set, PyObject* key, Py_hash_t hash);
/// Adds a key (a new reference is taken). 0 or -1.
int set_add(PySetObject* set, PyObject* key, Py_hash_t hash);
/// 1 when it was there, 0 when not, -1 with an exception set.
int set_discard(PySetObject* set, PyObject* key, Py_hash_t hash);
/// 1, 0 or -1.
int set_contains(PySetObject* set, PyObject* key, Py_hash_t hash);
int set_resize(PySetObject* set, Py_ssize_t minimum_used);
void set_clear(PySetObject* set);
/// Advances to the next live entry; false at the end.
ALWAYS_INLINE bool set_next(PySetObject* set, Py_ssize_t* position, setentry** entry) {
  Py_ssize_t i = *position;
  const Py_ssize_t mask = set->mask;
  setentry* at = &set->table[i];
  while (i <= mask && (at->key == nullptr || at->hash == -1)) {
    i++;
    at++;
  }
  *position = i + 1;
  if (i > mask) return false;
  *entry = at;
  return true;
}
/// Adds everything of a set, dict or iterable. 0 or -1.
int set_update(PySetObject* set, PyObject* iterable);
int set_merge(PySetObject* set, PySetObject* source);
PyObject* new_set(PyTypeObject* type, PyObject* iterable);
PyTypeObject* base_set_type(PyObject* set);

}  // namespace pyston
