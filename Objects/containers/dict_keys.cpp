// Key tables of dicts: allocation, probing, versions. See dict.h for the layout.
//
// Probing is CPython's published recurrence i = 5 i + perturb + 1; the order is not visible to programs (iteration
// follows the entries), what matters is that one full cycle visits every slot.
#include "Objects/containers/dict.h"

#include <bit>

namespace pyston {

PyDictKeysObject g_empty_keys = {
    /* dk_refcnt */ 1,
    /* dk_log2_size */ 0,
    /* dk_log2_index_bytes */ 3,
    /* dk_kind */ DICT_KEYS_UNICODE,
    /* dk_version */ 1,
    /* dk_usable */ 0,
    /* dk_nentries */ 0,
    /* dk_indices */ {DKIX_EMPTY, DKIX_EMPTY, DKIX_EMPTY, DKIX_EMPTY, DKIX_EMPTY, DKIX_EMPTY, DKIX_EMPTY, DKIX_EMPTY},
};

namespace {

constexpr int kPerturbShift = 5;
uint32_t g_next_keys_version = 2;

ALWAYS_INLINE _Py_dict_state* dict_state() { return &_PyInterpreterState_GET()->dict_state; }

/// Walks the probe sequence; Index is the integer type of this table's index slots.
template <class Index>
struct Probe {
  const Index* indices;
  size_t mask;
  size_t perturb;
  size_t slot;
  Probe(PyDictKeysObject* keys, Py_hash_t hash)
      : indices(reinterpret_cast<const Index*>(keys->dk_indices)),
        mask(static_cast<size_t>(DK_SIZE(keys)) - 1),
        perturb(static_cast<size_t>(hash)),
        slot(static_cast<size_t>(hash) & mask) {}
  ALWAYS_INLINE Py_ssize_t index() const { return indices[slot]; }
  ALWAYS_INLINE void advance() {
    perturb >>= kPerturbShift;
    slot = (slot * 5 + perturb + 1) & mask;
  }
};

/// Calls visitor.template operator()<Index>() with the width of this table's slots.
template <class Visitor>
ALWAYS_INLINE auto with_index_type(PyDictKeysObject* keys, Visitor visitor) {
  const uint8_t log2_size = keys->dk_log2_size;
  if (LIKELY(log2_size < 8)) return visitor.template operator()<int8_t>();
  if (log2_size < 16) return visitor.template operator()<int16_t>();
  if (log2_size < 32) return visitor.template operator()<int32_t>();
  return visitor.template operator()<int64_t>();
}

template <class Index>
ALWAYS_INLINE Py_ssize_t find_string_as(PyDictKeysObject* keys, PyObject* key, Py_hash_t hash) {
  PyDictUnicodeEntry* entries = unicode_entries(keys);
  for (Probe<Index> probe(keys, hash);; probe.advance()) {
    const Py_ssize_t index = probe.index();
    if (LIKELY(index >= 0)) {
      PyObject* candidate = entries[index].me_key;
      if (LIKELY(candidate == key)) return index;
      if (reinterpret_cast<PyASCIIObject*>(candidate)->hash == hash && strings_equal(candidate, key)) return index;
    } else if (index == DKIX_EMPTY) {
      return DKIX_EMPTY;
    }
  }
}

/// A str in a general table; no Python code runs unless a key with the same hash is no exact str.
enum class Comparison { kDifferent, kEqual, kError, kTableChanged };

COLD Comparison compare_keys(PyDictObject* dict, PyDictKeysObject* keys, Py_ssize_t index, PyObject* candidate,
                             PyObject* key) {
  Py_INCREF(candidate);
  const int equal = PyObject_RichCompareBool(candidate, key, Py_EQ);
  Py_DECREF(candidate);
  if (equal < 0) return Comparison::kError;
  // The comparison may have changed the dict: what was found so far is void then.
  if (dict->ma_keys != keys || index >= keys->dk_nentries || entry_key(keys, index) != candidate) {
    return Comparison::kTableChanged;
  }
  return equal ? Comparison::kEqual : Comparison::kDifferent;
}

template <class Index>
Py_ssize_t find_in_general(PyDictObject* dict, PyDictKeysObject* keys, PyObject* key, Py_hash_t hash) {
  PyDictKeyEntry* entries = general_entries(keys);
  for (Probe<Index> probe(keys, hash);; probe.advance()) {
    const Py_ssize_t index = probe.index();
    if (LIKELY(index >= 0)) {
      PyDictKeyEntry* entry = &entries[index];
      PyObject* candidate = entry->me_key;
      if (candidate == key) return index;
      if (entry->me_hash == hash) {
        // FAST: two small exact ints or strs compare without a call.
        if (Py_TYPE(candidate) == Py_TYPE(key)) {
          if (PyUnicode_CheckExact(key)) {
            if (strings_equal(candidate, key)) return index;
            continue;
          }
          if (PyLong_CheckExact(key)) {
            const Py_ssize_t size = Py_SIZE(key);
            if (size == Py_SIZE(candidate) && size >= -1 && size <= 1) {
              if (size == 0 || reinterpret_cast<PyLongObject*>(key)->ob_digit[0] ==
                                   reinterpret_cast<PyLongObject*>(candidate)->ob_digit[0]) {
                return index;
              }
              continue;
            }
          }
        }
        switch (compare_keys(dict, keys, index, candidate, key)) {
          case Comparison::kEqual: return index;
          case Comparison::kError: return DKIX_ERROR;
          case Comparison::kTableChanged: return DKIX_KEY_CHANGED;
          case Comparison::kDifferent: break;
        }
      }
    } else if (index == DKIX_EMPTY) {
      return DKIX_EMPTY;
    }
  }
}

/// A key that is no exact str in a table of strs (a str subclass, or something with a str's hash).
template <class Index>
COLD Py_ssize_t find_other_in_unicode(PyDictObject* dict, PyDictKeysObject* keys, PyObject* key, Py_hash_t hash) {
  PyDictUnicodeEntry* entries = unicode_entries(keys);
  for (Probe<Index> probe(keys, hash);; probe.advance()) {
    const Py_ssize_t index = probe.index();
    if (index >= 0) {
      PyObject* candidate = entries[index].me_key;
      if (reinterpret_cast<PyASCIIObject*>(candidate)->hash == hash) {
        switch (compare_keys(dict, keys, index, candidate, key)) {
          case Comparison::kEqual: return index;
          case Comparison::kError: return DKIX_ERROR;
          case Comparison::kTableChanged: return DKIX_KEY_CHANGED;
          case Comparison::kDifferent: break;
        }
      }
    } else if (index == DKIX_EMPTY) {
      return DKIX_EMPTY;
    }
  }
}

}  // namespace

uint8_t log2_for_table(Py_ssize_t minimum_size) {
  if (minimum_size <= 1 << kDictLog2MinSize) return kDictLog2MinSize;
  return static_cast<uint8_t>(std::bit_width(static_cast<size_t>(minimum_size - 1)));
}

PyDictKeysObject* new_keys(uint8_t log2_size, DictKeysKind kind) {
  const bool unicode = kind != DICT_KEYS_GENERAL;
  Py_ssize_t usable = usable_fraction(static_cast<Py_ssize_t>(1) << log2_size);
  PyDictKeysObject* keys = nullptr;
  const int width = log2_size < 8 ? 0 : log2_size < 16 ? 1 : log2_size < 32 ? 2 : 3;
  const uint8_t log2_index_bytes = static_cast<uint8_t>(log2_size + width);
  if (kind == DICT_KEYS_UNICODE && log2_size == kDictLog2MinSize) {
    _Py_dict_state* state = dict_state();
    if (LIKELY(state->keys_numfree > 0)) keys = state->keys_free_list[--state->keys_numfree];
  }
  if (keys == nullptr) {
    const size_t entry_size = unicode ? sizeof(PyDictUnicodeEntry) : sizeof(PyDictKeyEntry);
    if (log2_size > 57) {
      PyErr_NoMemory();
      return nullptr;
    }
    keys = static_cast<PyDictKeysObject*>(
        PyObject_Malloc(sizeof(PyDictKeysObject) + (static_cast<size_t>(1) << log2_index_bytes) +
                        entry_size * static_cast<size_t>(usable)));
    if (UNLIKELY(keys == nullptr)) {
      PyErr_NoMemory();
      return nullptr;
    }
  }
  if (kind == DICT_KEYS_SPLIT) usable = SHARED_KEYS_MAX_SIZE;
  keys->dk_refcnt = 1;
  keys->dk_log2_size = log2_size;
  keys->dk_log2_index_bytes = log2_index_bytes;
  keys->dk_kind = static_cast<uint8_t>(kind);
  keys->dk_version = 0;
  keys->dk_usable = usable;
  keys->dk_nentries = 0;
  memset(keys->dk_indices, 0xff, static_cast<size_t>(1) << log2_index_bytes);
  return keys;
}

void free_keys(PyDictKeysObject* keys) {
  if (keys->dk_kind == DICT_KEYS_UNICODE && keys->dk_log2_size == kDictLog2MinSize) {
    _Py_dict_state* state = dict_state();
    if (LIKELY(state->keys_numfree < PyDict_MAXFREELIST)) {
      state->keys_free_list[state->keys_numfree++] = keys;
      return;
    }
  }
  PyObject_Free(keys);
}

void release_keys(PyDictKeysObject* keys) {
  const Py_ssize_t count = keys->dk_nentries;
  if (keys->dk_kind == DICT_KEYS_GENERAL) {
    PyDictKeyEntry* entry = general_entries(keys);
    for (PyDictKeyEntry* end = entry + count; entry != end; entry++) {
      Py_XDECREF(entry->me_key);
      Py_XDECREF(entry->me_value);
    }
  } else {
    PyDictUnicodeEntry* entry = unicode_entries(keys);
    for (PyDictUnicodeEntry* end = entry + count; entry != end; entry++) {
      Py_XDECREF(entry->me_key);
      Py_XDECREF(entry->me_value);
    }
  }
  free_keys(keys);
}

Py_ssize_t find_string(PyDictKeysObject* keys, PyObject* key, Py_hash_t hash) {
  return with_index_type(keys, [=]<class Index>() __attribute__((always_inline)) { return find_string_as<Index>(keys, key, hash); });
}

Py_ssize_t find_key(PyDictObject* dict, PyObject* key, Py_hash_t hash, PyObject** value) {
  Py_ssize_t index;
  do {
    PyDictKeysObject* keys = dict->ma_keys;
    if (LIKELY(DK_IS_UNICODE(keys))) {
      if (LIKELY(PyUnicode_CheckExact(key))) {
        index = find_string(keys, key, hash);
        if (index < 0) {
          *value = nullptr;
        } else {
          *value = dict->ma_values != nullptr ? dict->ma_values->values[index] : unicode_entries(keys)[index].me_value;
        }
        return index;
      }
      index = with_index_type(keys, [=]<class Index>() __attribute__((always_inline)) { return find_other_in_unicode<Index>(dict, keys, key, hash); });
    } else {
      index = with_index_type(keys, [=]<class Index>() __attribute__((always_inline)) { return find_in_general<Index>(dict, keys, key, hash); });
    }
  } while (UNLIKELY(index == DKIX_KEY_CHANGED));
  *value = index >= 0 ? *entry_value_slot(dict, index) : nullptr;
  return index;
}

Py_ssize_t find_or_link_string(PyDictKeysObject* keys, PyObject* key, Py_hash_t hash) {
  return with_index_type(keys, [=]<class Index>() __attribute__((always_inline)) -> Py_ssize_t {
    PyDictUnicodeEntry* entries = unicode_entries(keys);
    for (Probe<Index> probe(keys, hash);; probe.advance()) {
      const Py_ssize_t index = probe.index();
      if (index >= 0) {
        PyObject* candidate = entries[index].me_key;
        if (candidate == key) return index;
        if (reinterpret_cast<PyASCIIObject*>(candidate)->hash == hash && strings_equal(candidate, key)) return index;
      } else if (index == DKIX_EMPTY) {
        reinterpret_cast<Index*>(keys->dk_indices)[probe.slot] = static_cast<Index>(keys->dk_nentries);
        return DKIX_EMPTY;
      }
    }
  });
}

void link_entry(PyDictKeysObject* keys, Py_hash_t hash, Py_ssize_t index) {
  with_index_type(keys, [=]<class Index>() __attribute__((always_inline)) {
    Probe<Index> probe(keys, hash);
    while (probe.index() >= 0) probe.advance();
    reinterpret_cast<Index*>(keys->dk_indices)[probe.slot] = static_cast<Index>(index);
  });
}

void unlink_entry(PyDictKeysObject* keys, Py_hash_t hash, Py_ssize_t index) {
  with_index_type(keys, [=]<class Index>() __attribute__((always_inline)) {
    Probe<Index> probe(keys, hash);
    while (probe.index() != index) probe.advance();
    reinterpret_cast<Index*>(keys->dk_indices)[probe.slot] = DKIX_DUMMY;
  });
}

void rebuild_indices(PyDictKeysObject* keys) {
  const Py_ssize_t count = keys->dk_nentries;
  with_index_type(keys, [=]<class Index>() __attribute__((always_inline)) {
    Index* indices = reinterpret_cast<Index*>(keys->dk_indices);
    const bool unicode = DK_IS_UNICODE(keys);
    for (Py_ssize_t i = 0; i < count; i++) {
      const Py_hash_t hash = unicode ? reinterpret_cast<PyASCIIObject*>(unicode_entries(keys)[i].me_key)->hash
                                     : general_entries(keys)[i].me_hash;
      Probe<Index> probe(keys, hash);
      while (probe.index() >= 0) probe.advance();
      indices[probe.slot] = static_cast<Index>(i);
    }
  });
}

Py_ssize_t keys_memory(PyDictKeysObject* keys) {
  const size_t entry_size = DK_IS_UNICODE(keys) ? sizeof(PyDictUnicodeEntry) : sizeof(PyDictKeyEntry);
  return static_cast<Py_ssize_t>(sizeof(PyDictKeysObject) + (static_cast<size_t>(1) << keys->dk_log2_index_bytes) +
                                 static_cast<size_t>(usable_fraction(DK_SIZE(keys))) * entry_size);
}

}  // namespace pyston

using namespace pyston;

uint64_t _pydict_global_version = 0;

extern "C" void _PyDictKeys_DecRef(PyDictKeysObject* keys) { keys_decref(keys); }

Py_ssize_t _PyDict_KeysSize(PyDictKeysObject* keys) { return keys_memory(keys); }

uint32_t _PyDictKeys_GetVersionForCurrentState(PyDictKeysObject* keys) {
  if (keys->dk_version != 0) return keys->dk_version;
  if (g_next_keys_version == 0) return 0;  // all used up: nothing more is specialised
  return keys->dk_version = g_next_keys_version++;
}

/// DKIX_ERROR (no exception set) when the table is not a table of strs; `key` must be an exact str.
Py_ssize_t _PyDictKeys_StringLookup(PyDictKeysObject* keys, PyObject* key) {
  if (!PyUnicode_CheckExact(key) || keys->dk_kind == DICT_KEYS_GENERAL) return DKIX_ERROR;
  const Py_hash_t hash = key_hash(key);
  if (UNLIKELY(hash == -1)) {
    PyErr_Clear();
    return DKIX_ERROR;
  }
  return find_string(keys, key, hash);
}

Py_ssize_t _Py_dict_lookup(PyDictObject* dict, PyObject* key, Py_hash_t hash, PyObject** value) {
  return find_key(dict, key, hash, value);
}

void _PyDict_ClearFreeList(PyInterpreterState* interp) {
  _Py_dict_state* state = &interp->dict_state;
  while (state->numfree > 0) PyObject_GC_Del(state->free_list[--state->numfree]);
  while (state->keys_numfree > 0) PyObject_Free(state->keys_free_list[--state->keys_numfree]);
}

void _PyDict_Fini(PyInterpreterState* interp) { _PyDict_ClearFreeList(interp); }

void _PyDict_DebugMallocStats(FILE* out) {
  _PyDebugAllocatorStats(out, "free PyDictObject", dict_state()->numfree, sizeof(PyDictObject));
}
