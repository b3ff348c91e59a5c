// Internals of dict shared by its files (dict_keys, dict, dict_methods, dict_views, dict_instance) and by OrderedDict.
//
// A dict is insertion ordered: a PyDictKeysObject holds a table of small indices (probed by hash) followed by a dense
// array of entries. Entries of «unicode» tables have no hash (the str carries it). A «split» dict shares the keys
// object with the other instances of its class and keeps only values, preceded by the order in which they were set.
//
// INVARIANTS
//  - an entry of a combined table is live exactly when its value is not null; deleted entries keep key = value = null;
//  - dk_nentries + dk_usable never exceeds what the entry array holds; live entries lie below dk_nentries;
//  - every visible change of a dict takes a new ma_version_tag; every change of a table's keys zeroes dk_version;
//  - a dict is untracked by the collector until something that may be tracked is stored in it.
#pragma once

#include "Runtime/refs/ref.h"

#include <internal/pycore_dict.h>
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_object.h>
#include <internal/pycore_pyerrors.h>
#include <internal/pycore_pystate.h>

namespace pyston {

inline constexpr int kDictLog2MinSize = 3;

/// Iterator over a dict (keys, values or items, forward or backward); `dict` is null once exhausted.
struct DictIterObject {
  PyObject_HEAD
  PyDictObject* dict;
  Py_ssize_t used;      // ma_used when the iteration began: detects changes of size
  Py_ssize_t position;
  PyObject* result;     // reusable pair of an items iterator, else null
  Py_ssize_t length;
};

/// Compares two exact strings without checks.
ALWAYS_INLINE bool strings_equal(PyObject* a, PyObject* b) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(a);
  if (length != PyUnicode_GET_LENGTH(b)) return false;
  const int kind = PyUnicode_KIND(a);
  if (kind != static_cast<int>(PyUnicode_KIND(b))) return false;
  return memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), static_cast<size_t>(length) * static_cast<size_t>(kind)) == 0;
}

/// Hash of a key, from its cache when it is an exact str. -1: an exception is set.
ALWAYS_INLINE Py_hash_t key_hash(PyObject* key) {
  if (LIKELY(PyUnicode_CheckExact(key))) {
    const Py_hash_t hash = reinterpret_cast<PyASCIIObject*>(key)->hash;
    if (LIKELY(hash != -1)) return hash;
  }
  return PyObject_Hash(key);
}

ALWAYS_INLINE Py_ssize_t usable_fraction(Py_ssize_t table_size) { return (table_size << 1) / 3; }
ALWAYS_INLINE Py_ssize_t shared_keys_capacity(PyDictKeysObject* keys) { return keys->dk_nentries + keys->dk_usable; }
ALWAYS_INLINE char* keys_entries(PyDictKeysObject* keys) {
  return keys->dk_indices + (static_cast<size_t>(1) << keys->dk_log2_index_bytes);
}
ALWAYS_INLINE PyDictKeyEntry* general_entries(PyDictKeysObject* keys) {
  return reinterpret_cast<PyDictKeyEntry*>(keys_entries(keys));
}
ALWAYS_INLINE PyDictUnicodeEntry* unicode_entries(PyDictKeysObject* keys) {
  return reinterpret_cast<PyDictUnicodeEntry*>(keys_entries(keys));
}
ALWAYS_INLINE PyObject* entry_key(PyDictKeysObject* keys, Py_ssize_t index) {
  return DK_IS_UNICODE(keys) ? unicode_entries(keys)[index].me_key : general_entries(keys)[index].me_key;
}
/// Where the value of entry `index` is stored (in the table or in the split values).
ALWAYS_INLINE PyObject** entry_value_slot(PyDictObject* dict, Py_ssize_t index) {
  if (dict->ma_values != nullptr) return &dict->ma_values->values[index];
  PyDictKeysObject* keys = dict->ma_keys;
  return DK_IS_UNICODE(keys) ? &unicode_entries(keys)[index].me_value : &general_entries(keys)[index].me_value;
}

// Split values: bytes below the pointer hold [-1] the prefix size, [-2] the count, [-3-k] the index set k-th.
ALWAYS_INLINE int values_count(PyDictValues* values) { return reinterpret_cast<uint8_t*>(values)[-2]; }
ALWAYS_INLINE int values_index_at(PyDictValues* values, Py_ssize_t order) {
  return reinterpret_cast<uint8_t*>(values)[-3 - order];
}
/// Number of positions to visit when iterating (deleted ones included for combined tables).
ALWAYS_INLINE Py_ssize_t iteration_limit(PyDictObject* dict) {
  return dict->ma_values != nullptr ? values_count(dict->ma_values) : dict->ma_keys->dk_nentries;
}
/// Entry at iteration position `position`; false for a deleted one. All outputs are borrowed; hash may be null.
ALWAYS_INLINE bool entry_at(PyDictObject* dict, Py_ssize_t position, PyObject** key, PyObject** value,
                            Py_hash_t* hash) {
  PyDictKeysObject* keys = dict->ma_keys;
  if (dict->ma_values != nullptr) {
    const int index = values_index_at(dict->ma_values, position);
    *key = unicode_entries(keys)[index].me_key;
    *value = dict->ma_values->values[index];
    if (hash != nullptr) *hash = reinterpret_cast<PyASCIIObject*>(*key)->hash;
    return true;
  }
  if (DK_IS_UNICODE(keys)) {
    PyDictUnicodeEntry* entry = &unicode_entries(keys)[position];
    if (entry->me_value == nullptr) return false;
    *key = entry->me_key;
    *value = entry->me_value;
    if (hash != nullptr) *hash = reinterpret_cast<PyASCIIObject*>(entry->me_key)->hash;
    return true;
  }
  PyDictKeyEntry* entry = &general_entries(keys)[position];
  if (entry->me_value == nullptr) return false;
  *key = entry->me_key;
  *value = entry->me_value;
  if (hash != nullptr) *hash = entry->me_hash;
  return true;
}
/// Advances *position to the next live entry. All outputs are borrowed.
ALWAYS_INLINE bool next_entry(PyDictObject* dict, Py_ssize_t* position, PyObject** key, PyObject** value,
                              Py_hash_t* hash) {
  const Py_ssize_t limit = iteration_limit(dict);
  while (*position < limit) {
    if (entry_at(dict, (*position)++, key, value, hash)) return true;
  }
  return false;
}

ALWAYS_INLINE bool may_be_tracked(PyObject* object) {
  return _PyObject_GC_MAY_BE_TRACKED(object);
}
ALWAYS_INLINE void track_if_needed(PyDictObject* dict, PyObject* key, PyObject* value) {
  if (!_PyObject_GC_IS_TRACKED(dict) && (may_be_tracked(value) || may_be_tracked(key))) _PyObject_GC_TRACK(dict);
}
ALWAYS_INLINE void touch(PyDictObject* dict) { dict->ma_version_tag = DICT_NEXT_VERSION(); }

// dict_keys.cpp
/// The keys of every empty dict: never written to (no usable entries), never freed.
extern PyDictKeysObject g_empty_keys;
inline PyDictKeysObject* empty_keys() { return &g_empty_keys; }
uint8_t log2_for_table(Py_ssize_t minimum_size);
/// The table size in which `entries` entries fit.
inline uint8_t log2_for_entries(Py_ssize_t entries) { return log2_for_table((entries * 3 + 1) / 2); }
/// New reference; null with MemoryError set.
PyDictKeysObject* new_keys(uint8_t log2_size, DictKeysKind kind);
void free_keys(PyDictKeysObject* keys);  // the memory only
void release_keys(PyDictKeysObject* keys);
ALWAYS_INLINE void keys_incref(PyDictKeysObject* keys) { keys->dk_refcnt++; }
ALWAYS_INLINE void keys_decref(PyDictKeysObject* keys) {
  if (--keys->dk_refcnt == 0) release_keys(keys);
}
/// Index of a str in a unicode table, or DKIX_EMPTY. Runs no Python code. `key` must be an exact str.
Py_ssize_t find_string(PyDictKeysObject* keys, PyObject* key, Py_hash_t hash);
/// Index of any key, DKIX_EMPTY, or DKIX_ERROR with an exception set; *value (borrowed) is null when missing.
Py_ssize_t find_key(PyDictObject* dict, PyObject* key, Py_hash_t hash, PyObject** value);
/// Index of a str in a unicode table; when it is missing, links the entry that the caller appends next (there has to be
/// room for it) and gives DKIX_EMPTY. Runs no Python code.
Py_ssize_t find_or_link_string(PyDictKeysObject* keys, PyObject* key, Py_hash_t hash);
/// Writes `index` into the first free slot of the probe sequence of `hash`.
void link_entry(PyDictKeysObject* keys, Py_hash_t hash, Py_ssize_t index);
/// Marks the slot that holds `index` as deleted.
void unlink_entry(PyDictKeysObject* keys, Py_hash_t hash, Py_ssize_t index);
/// Enters all live entries into an index table that is empty.
void rebuild_indices(PyDictKeysObject* keys);
Py_ssize_t keys_memory(PyDictKeysObject* keys);

// dict.cpp
/// Takes over the references to keys and values (also on failure).
PyObject* new_dict(PyDictKeysObject* keys, PyDictValues* values, Py_ssize_t used);
/// Stores, stealing key and value (on failure too).
int insert_steal(PyDictObject* dict, PyObject* key, Py_hash_t hash, PyObject* value);
/// Removes the entry found at `index`; gives its value to the caller. Runs Python code only by dropping the key.
PyObject* remove_found(PyDictObject* dict, Py_hash_t hash, Py_ssize_t index);
/// Moves a dict into a combined table of the given size. 0, or -1 with MemoryError set.
int resize_dict(PyDictObject* dict, uint8_t log2_size, bool unicode);
int merge_dicts(PyObject* target, PyObject* source, int override);
PyObject* dict_missing_item(PyDictObject* dict, PyObject* key);

// dict_instance.cpp
PyDictValues* new_values(Py_ssize_t capacity);
void free_values(PyDictValues* values);
void values_forget_index(PyDictValues* values, int index);
PyObject* new_dict_with_shared_keys(PyDictKeysObject* keys);
/// Index of `name` in shared keys, added when there is room; DKIX_EMPTY when there is none.
Py_ssize_t add_shared_key(PyDictKeysObject* keys, PyObject* name, Py_hash_t hash);

// dict_views.cpp
PyObject* new_dict_iterator(PyDictObject* dict, PyTypeObject* type);
PyObject* dict_iter_keys(PyObject* dict);

}  // namespace pyston
