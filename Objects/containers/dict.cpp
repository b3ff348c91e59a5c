// dict: storing, removing, resizing, copying, merging, and the C API over them. See dict.h for layout and invariants.
#include "Objects/containers/dict.h"

#include <internal/pycore_unicodeobject.h>

namespace pyston {
namespace {

ALWAYS_INLINE PyDictObject* as_dict(PyObject* object) { return reinterpret_cast<PyDictObject*>(object); }

/// Appends an entry for a key known to be missing. Steals key and value.
int append_entry(PyDictObject* dict, PyObject* key, Py_hash_t hash, PyObject* value) {
  PyDictKeysObject* keys = dict->ma_keys;
  const bool unicode = PyUnicode_CheckExact(key);
  if (UNLIKELY(keys->dk_usable <= 0 || (DK_IS_UNICODE(keys) && !unicode))) {
    const Py_ssize_t wanted = keys->dk_usable <= 0 ? dict->ma_used * 3 : DK_SIZE(keys);
    if (resize_dict(dict, log2_for_table(wanted), unicode) < 0) {
      Py_DECREF(key);
      Py_DECREF(value);
      return -1;
    }
    keys = dict->ma_keys;
  }
  const Py_ssize_t index = keys->dk_nentries;
  keys->dk_version = 0;
  link_entry(keys, hash, index);
  if (LIKELY(DK_IS_UNICODE(keys))) {
    PyDictUnicodeEntry* entry = &unicode_entries(keys)[index];
    entry->me_key = key;
    if (LIKELY(dict->ma_values == nullptr)) {
      entry->me_value = value;
    } else {
      entry->me_value = nullptr;
      _PyDictValues_AddToInsertionOrder(dict->ma_values, index);
      dict->ma_values->values[index] = value;
    }
  } else {
    PyDictKeyEntry* entry = &general_entries(keys)[index];
    entry->me_hash = hash;
    entry->me_key = key;
    entry->me_value = value;
  }
  keys->dk_usable--;
  keys->dk_nentries++;
  dict->ma_used++;
  touch(dict);
  return 0;
}

/// First entry of a dict without a table: the table is made with the entry in it. Steals key and value.
int insert_into_empty(PyDictObject* dict, PyObject* key, Py_hash_t hash, PyObject* value) {
  const bool unicode = PyUnicode_CheckExact(key);
  PyDictKeysObject* keys = new_keys(kDictLog2MinSize, unicode ? DICT_KEYS_UNICODE : DICT_KEYS_GENERAL);
  if (UNLIKELY(keys == nullptr)) {
    Py_DECREF(key);
    Py_DECREF(value);
    return -1;
  }
  track_if_needed(dict, key, value);
  keys->dk_indices[static_cast<size_t>(hash) & ((1 << kDictLog2MinSize) - 1)] = 0;
  if (unicode) {
    unicode_entries(keys)[0] = {key, value};
  } else {
    general_entries(keys)[0] = {hash, key, value};
  }
  keys->dk_usable--;
  keys->dk_nentries = 1;
  keys_decref(dict->ma_keys);
  dict->ma_keys = keys;
  dict->ma_used = 1;
  touch(dict);
  return 0;
}

/// The store for a key whose search gave `index` and `old`. Steals key and value.
ALWAYS_INLINE int store_found(PyDictObject* dict, PyObject* key, Py_hash_t hash, PyObject* value, Py_ssize_t index,
                              PyObject* old) {
  track_if_needed(dict, key, value);
  if (old != nullptr) {
    if (old != value) {
      *entry_value_slot(dict, index) = value;
      touch(dict);
    }
    Py_DECREF(old);
    Py_DECREF(key);
    return 0;
  }
  if (index == DKIX_EMPTY) return append_entry(dict, key, hash, value);
  // A split dict whose shared keys know the key already.
  _PyDictValues_AddToInsertionOrder(dict->ma_values, index);
  dict->ma_values->values[index] = value;
  dict->ma_used++;
  touch(dict);
  Py_DECREF(key);
  return 0;
}

/// A copy of a combined table with all references taken.
PyDictKeysObject* clone_keys(PyDictKeysObject* source) {
  PyDictKeysObject* keys = new_keys(source->dk_log2_size, static_cast<DictKeysKind>(source->dk_kind));
  if (keys == nullptr) return nullptr;
  const size_t entry_size = DK_IS_UNICODE(source) ? sizeof(PyDictUnicodeEntry) : sizeof(PyDictKeyEntry);
  memcpy(keys, source, sizeof(PyDictKeysObject) + (static_cast<size_t>(1) << source->dk_log2_index_bytes) +
                           entry_size * static_cast<size_t>(source->dk_nentries));
  keys->dk_refcnt = 1;
  const Py_ssize_t count = keys->dk_nentries;
  if (DK_IS_UNICODE(keys)) {
    PyDictUnicodeEntry* entries = unicode_entries(keys);
    for (Py_ssize_t i = 0; i < count; i++) {
      if (entries[i].me_value != nullptr) {
        Py_INCREF(entries[i].me_value);
        Py_INCREF(entries[i].me_key);
      }
    }
  } else {
    PyDictKeyEntry* entries = general_entries(keys);
    for (Py_ssize_t i = 0; i < count; i++) {
      if (entries[i].me_value != nullptr) {
        Py_INCREF(entries[i].me_value);
        Py_INCREF(entries[i].me_key);
      }
    }
  }
  return keys;
}

PyObject* copy_split(PyDictObject* source) {
  const Py_ssize_t capacity = shared_keys_capacity(source->ma_keys);
  // The source's own array may be larger than what the keys allow today, never smaller than what is in use.
  PyDictValues* values = new_values(capacity);
  if (values == nullptr) return PyErr_NoMemory();
  const int count = values_count(source->ma_values);
  for (int i = 0; i < count; i++) {
    const int index = values_index_at(source->ma_values, i);
    values->values[index] = Py_NewRef(source->ma_values->values[index]);
    _PyDictValues_AddToInsertionOrder(values, index);
  }
  keys_incref(source->ma_keys);
  PyObject* copy = new_dict(source->ma_keys, values, source->ma_used);
  if (copy != nullptr && _PyObject_GC_IS_TRACKED(source)) _PyObject_GC_TRACK(copy);
  return copy;
}

COLD int raise_duplicate(PyObject* key) {
  _PyErr_SetKeyError(key);
  return -1;
}

/// dict to dict. 0, or -1 with an exception set.
int merge_from_dict(PyDictObject* target, PyDictObject* source, int override) {
  if (source == target || source->ma_used == 0) return 0;
  if (target->ma_used == 0) {
    override = 1;  // nothing can be found: no need to look
    PyDictKeysObject* keys = source->ma_keys;
    // FAST: a dense table is copied as it is.
    if (target->ma_values == nullptr && source->ma_values == nullptr && source->ma_used == keys->dk_nentries &&
        (keys->dk_log2_size == kDictLog2MinSize || usable_fraction(DK_SIZE(keys) / 2) < source->ma_used)) {
      PyDictKeysObject* copy = clone_keys(keys);
      if (copy == nullptr) return -1;
      PyDictKeysObject* old = target->ma_keys;
      target->ma_keys = copy;
      target->ma_used = source->ma_used;
      touch(target);
      if (_PyObject_GC_IS_TRACKED(source) && !_PyObject_GC_IS_TRACKED(target)) _PyObject_GC_TRACK(target);
      keys_decref(old);
      return 0;
    }
  }
  // One resize in front instead of several on the way; keys that both have make it an overestimate.
  if (usable_fraction(DK_SIZE(target->ma_keys)) < source->ma_used) {
    const bool unicode = DK_IS_UNICODE(source->ma_keys);
    if (resize_dict(target, log2_for_entries(target->ma_used + source->ma_used), unicode) < 0) return -1;
  }
  const Py_ssize_t used = source->ma_used;
  Py_ssize_t position = 0;
  PyObject *key, *value;
  Py_hash_t hash;
  while (next_entry(source, &position, &key, &value, &hash)) {
    Py_INCREF(key);
    Py_INCREF(value);
    int status = 0;
    if (override == 1) {
      status = insert_steal(target, key, hash, value);
    } else {
      PyObject* old;
      const Py_ssize_t index = find_key(target, key, hash, &old);
      if (index == DKIX_ERROR) {
        status = -1;
        Py_DECREF(key);
        Py_DECREF(value);
      } else if (old == nullptr) {
        status = store_found(target, key, hash, value, index, old);
      } else {
        if (override == 2) status = raise_duplicate(key);
        Py_DECREF(key);
        Py_DECREF(value);
      }
    }
    if (status < 0) return -1;
    if (UNLIKELY(used != source->ma_used)) {
      PyErr_SetString(PyExc_RuntimeError, "dict mutated during update");
      return -1;
    }
  }
  return 0;
}

/// Anything with keys() and __getitem__.
COLD int merge_from_mapping(PyObject* target, PyObject* source, int override) {
  Ref<> keys = Ref<>::steal(PyMapping_Keys(source));
  if (!keys) return -1;
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(keys.get()));
  if (!iterator) return -1;
  while (true) {
    Ref<> key = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!key) return PyErr_Occurred() ? -1 : 0;
    if (override != 1) {
      const int present = PyDict_Contains(target, key.get());
      if (present < 0) return -1;
      if (present > 0) {
        if (override != 0) return raise_duplicate(key.get());
        continue;
      }
    }
    Ref<> value = Ref<>::steal(PyObject_GetItem(source, key.get()));
    if (!value) return -1;
    if (PyDict_SetItem(target, key.get(), value.get()) < 0) return -1;
  }
}

COLD int not_a_dict() {
  PyErr_BadInternalCall();
  return -1;
}

/// Looks a key up without raising, for the API functions that promise so; borrowed.
PyObject* get_quietly(PyObject* dict, PyObject* key, Py_hash_t hash) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject *type, *error, *traceback, *value;
  _PyErr_Fetch(tstate, &type, &error, &traceback);
  const Py_ssize_t index = find_key(as_dict(dict), key, hash, &value);
  _PyErr_Restore(tstate, type, error, traceback);  // drops what the lookup raised
  return index >= 0 ? value : nullptr;
}

}  // namespace

PyObject* new_dict(PyDictKeysObject* keys, PyDictValues* values, Py_ssize_t used) {
  _Py_dict_state* state = &_PyInterpreterState_GET()->dict_state;
  PyDictObject* dict;
  if (LIKELY(state->numfree > 0)) {
    dict = state->free_list[--state->numfree];
    _Py_NewReference(as_object(dict));
  } else {
    dict = PyObject_GC_New(PyDictObject, &PyDict_Type);
    if (UNLIKELY(dict == nullptr)) {
      if (values != nullptr) {
        const int count = values_count(values);
        for (int i = 0; i < count; i++) Py_DECREF(values->values[values_index_at(values, i)]);
        free_values(values);
      }
      keys_decref(keys);
      return nullptr;
    }
  }
  dict->ma_used = used;
  dict->ma_version_tag = DICT_NEXT_VERSION();
  dict->ma_keys = keys;
  dict->ma_values = values;
  return as_object(dict);
}

int insert_steal(PyDictObject* dict, PyObject* key, Py_hash_t hash, PyObject* value) {
  PyDictKeysObject* keys = dict->ma_keys;
  // FAST: a str into a table of strs that has room: searched and linked in one pass.
  if (LIKELY(PyUnicode_CheckExact(key) && keys->dk_kind == DICT_KEYS_UNICODE && keys->dk_usable > 0)) {
    const Py_ssize_t index = find_or_link_string(keys, key, hash);
    track_if_needed(dict, key, value);
    PyDictUnicodeEntry* entries = unicode_entries(keys);
    if (index != DKIX_EMPTY) {
      PyObject* old = entries[index].me_value;
      if (old != value) {
        entries[index].me_value = value;
        touch(dict);
      }
      Py_DECREF(old);
      Py_DECREF(key);
      return 0;
    }
    entries[keys->dk_nentries] = {key, value};
    keys->dk_version = 0;
    keys->dk_nentries++;
    keys->dk_usable--;
    dict->ma_used++;
    touch(dict);
    return 0;
  }
  if (keys == empty_keys()) return insert_into_empty(dict, key, hash, value);
  PyObject* old;
  const Py_ssize_t index = find_key(dict, key, hash, &old);
  if (UNLIKELY(index == DKIX_ERROR)) {
    Py_DECREF(key);
    Py_DECREF(value);
    return -1;
  }
  return store_found(dict, key, hash, value, index, old);
}

PyObject* remove_found(PyDictObject* dict, Py_hash_t hash, Py_ssize_t index) {
  PyObject** slot = entry_value_slot(dict, index);
  PyObject* value = *slot;
  *slot = nullptr;
  dict->ma_used--;
  touch(dict);
  if (dict->ma_values != nullptr) {
    values_forget_index(dict->ma_values, static_cast<int>(index));
    return value;
  }
  PyDictKeysObject* keys = dict->ma_keys;
  keys->dk_version = 0;
  unlink_entry(keys, hash, index);
  PyObject* key;
  if (DK_IS_UNICODE(keys)) {
    key = std::exchange(unicode_entries(keys)[index].me_key, nullptr);
  } else {
    key = std::exchange(general_entries(keys)[index].me_key, nullptr);
    general_entries(keys)[index].me_hash = 0;
  }
  Py_DECREF(key);
  return value;
}

int resize_dict(PyDictObject* dict, uint8_t log2_size, bool unicode) {
  PyDictKeysObject* old = dict->ma_keys;
  PyDictValues* values = dict->ma_values;
  unicode = unicode && DK_IS_UNICODE(old);
  if (log2_size < kDictLog2MinSize) log2_size = kDictLog2MinSize;
  const Py_ssize_t used = dict->ma_used;
  // A caller's estimate may be too small when a dict changes its kind without growing.
  while (usable_fraction(static_cast<Py_ssize_t>(1) << log2_size) <= used && used > 0) log2_size++;
  PyDictKeysObject* keys = new_keys(log2_size, unicode ? DICT_KEYS_UNICODE : DICT_KEYS_GENERAL);
  if (keys == nullptr) return -1;

  if (values != nullptr) {
    for (Py_ssize_t i = 0; i < used; i++) {
      const int index = values_index_at(values, i);
      PyObject* key = Py_NewRef(unicode_entries(old)[index].me_key);
      PyObject* value = values->values[index];
      if (unicode) {
        unicode_entries(keys)[i] = {key, value};
      } else {
        general_entries(keys)[i] = {reinterpret_cast<PyASCIIObject*>(key)->hash, key, value};
      }
    }
  } else if (DK_IS_UNICODE(old)) {
    PyDictUnicodeEntry* source = unicode_entries(old);
    if (unicode && old->dk_nentries == used) {
      memcpy(unicode_entries(keys), source, static_cast<size_t>(used) * sizeof(PyDictUnicodeEntry));
    } else {
      for (Py_ssize_t i = 0; i < used; source++) {
        if (source->me_value == nullptr) continue;
        if (unicode) {
          unicode_entries(keys)[i++] = *source;
        } else {
          general_entries(keys)[i++] = {reinterpret_cast<PyASCIIObject*>(source->me_key)->hash, source->me_key,
                                        source->me_value};
        }
      }
    }
  } else {
    PyDictKeyEntry* source = general_entries(old);
    if (old->dk_nentries == used) {
      memcpy(general_entries(keys), source, static_cast<size_t>(used) * sizeof(PyDictKeyEntry));
    } else {
      for (Py_ssize_t i = 0; i < used; source++) {
        if (source->me_value != nullptr) general_entries(keys)[i++] = *source;
      }
    }
  }
  keys->dk_nentries = used;
  keys->dk_usable -= used;
  rebuild_indices(keys);
  dict->ma_keys = keys;
  dict->ma_values = nullptr;
  if (values != nullptr) {
    free_values(values);
    keys_decref(old);
  } else if (old == empty_keys()) {
    keys_decref(old);
  } else {
    free_keys(old);
  }
  return 0;
}

int merge_dicts(PyObject* target, PyObject* source, int override) {
  if (target == nullptr || !PyDict_Check(target) || source == nullptr) return not_a_dict();
  // A subclass that iterates in its own way (OrderedDict) is asked for its keys.
  if (PyDict_Check(source) && Py_TYPE(source)->tp_iter == dict_iter_keys) {
    return merge_from_dict(as_dict(target), as_dict(source), override);
  }
  return merge_from_mapping(target, source, override);
}

}  // namespace pyston

using namespace pyston;

// ---- Creation ----------------------------------------------------------------------------------------------------

PyObject* PyDict_New(void) {
  keys_incref(empty_keys());
  return new_dict(empty_keys(), nullptr, 0);
}

/// A dict into which `expected` entries go without a resize.
PyObject* _PyDict_NewPresized(Py_ssize_t expected) {
  constexpr Py_ssize_t kLargestGuess = 128 * 1024;  // a caller's hint must not reserve gigabytes
  if (expected <= usable_fraction(1 << kDictLog2MinSize)) return PyDict_New();
  const Py_ssize_t guess = expected > usable_fraction(kLargestGuess) ? usable_fraction(kLargestGuess) : expected;
  PyDictKeysObject* keys = new_keys(log2_for_entries(guess), DICT_KEYS_UNICODE);
  if (keys == nullptr) return nullptr;
  return new_dict(keys, nullptr, 0);
}

/// Builds a dict from keys and values that lie `keys_offset` and `values_offset` pointers apart.
PyObject* _PyDict_FromItems(PyObject* const* keys, Py_ssize_t keys_offset, PyObject* const* values,
                            Py_ssize_t values_offset, Py_ssize_t length) {
  bool unicode = true;
  for (Py_ssize_t i = 0; i < length && unicode; i++) unicode = PyUnicode_CheckExact(keys[i * keys_offset]);
  if (length == 0) return PyDict_New();
  PyDictKeysObject* table = new_keys(log2_for_entries(length), unicode ? DICT_KEYS_UNICODE : DICT_KEYS_GENERAL);
  if (table == nullptr) return nullptr;
  PyObject* object = new_dict(table, nullptr, 0);
  if (object == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < length; i++) {
    PyObject* key = keys[i * keys_offset];
    const Py_hash_t hash = key_hash(key);
    if (hash == -1 || insert_steal(as_dict(object), Py_NewRef(key), hash, Py_NewRef(values[i * values_offset])) < 0) {
      Py_DECREF(object);
      return nullptr;
    }
  }
  return object;
}

PyObject* _PyDict_FromKeys(PyObject* cls, PyObject* iterable, PyObject* value) {
  Ref<> result = Ref<>::steal(PyObject_CallNoArgs(cls));
  if (!result) return nullptr;
  const bool exact = PyDict_CheckExact(result.get());
  if (exact) {
    PyDictObject* dict = as_dict(result.get());
    if (PyDict_CheckExact(iterable)) {
      PyDictObject* source = as_dict(iterable);
      if (source->ma_used > 0 &&
          resize_dict(dict, log2_for_entries(source->ma_used), DK_IS_UNICODE(source->ma_keys)) < 0) {
        return nullptr;
      }
      Py_ssize_t position = 0;
      PyObject *key, *unused;
      Py_hash_t hash;
      while (next_entry(source, &position, &key, &unused, &hash)) {
        if (insert_steal(dict, Py_NewRef(key), hash, Py_NewRef(value)) < 0) return nullptr;
      }
      return result.release();
    }
    if (PyAnySet_CheckExact(iterable)) {
      if (PySet_GET_SIZE(iterable) > 0 && resize_dict(dict, log2_for_entries(PySet_GET_SIZE(iterable)), false) < 0) {
        return nullptr;
      }
      Py_ssize_t position = 0;
      PyObject* key;
      Py_hash_t hash;
      while (_PySet_NextEntry(iterable, &position, &key, &hash)) {
        if (insert_steal(dict, Py_NewRef(key), hash, Py_NewRef(value)) < 0) return nullptr;
      }
      return result.release();
    }
  }
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  while (true) {
    Ref<> key = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!key) break;
    const int status = exact ? PyDict_SetItem(result.get(), key.get(), value)
                             : PyObject_SetItem(result.get(), key.get(), value);
    if (status < 0) return nullptr;
  }
  if (PyErr_Occurred()) return nullptr;
  return result.release();
}

PyObject* PyDict_Copy(PyObject* object) {
  if (object == nullptr || !PyDict_Check(object)) {
    not_a_dict();
    return nullptr;
  }
  PyDictObject* dict = as_dict(object);
  if (dict->ma_used == 0) return PyDict_New();
  if (dict->ma_values != nullptr) return copy_split(dict);
  if (Py_TYPE(object)->tp_iter == dict_iter_keys && dict->ma_used >= dict->ma_keys->dk_nentries * 2 / 3) {
    PyDictKeysObject* keys = clone_keys(dict->ma_keys);
    if (keys == nullptr) return nullptr;
    PyObject* copy = new_dict(keys, nullptr, dict->ma_used);
    if (copy != nullptr && _PyObject_GC_IS_TRACKED(dict)) _PyObject_GC_TRACK(copy);
    return copy;
  }
  Ref<> copy = Ref<>::steal(PyDict_New());
  if (!copy || merge_dicts(copy.get(), object, 1) < 0) return nullptr;
  return copy.release();
}

// ---- Reading -----------------------------------------------------------------------------------------------------

/// Borrowed, or null; exceptions are swallowed, the one that is set is kept.
PyObject* PyDict_GetItem(PyObject* dict, PyObject* key) {
  if (!PyDict_Check(dict)) return nullptr;
  if (LIKELY(PyUnicode_CheckExact(key) && reinterpret_cast<PyASCIIObject*>(key)->hash != -1 &&
             DK_IS_UNICODE(as_dict(dict)->ma_keys))) {
    PyObject* value;
    find_key(as_dict(dict), key, reinterpret_cast<PyASCIIObject*>(key)->hash, &value);
    return value;
  }
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject *type, *error, *traceback;
  _PyErr_Fetch(tstate, &type, &error, &traceback);
  const Py_hash_t hash = key_hash(key);
  _PyErr_Restore(tstate, type, error, traceback);
  if (hash == -1) return nullptr;
  return get_quietly(dict, key, hash);
}

/// Borrowed; null without an exception when the key is missing.
PyObject* PyDict_GetItemWithError(PyObject* dict, PyObject* key) {
  if (UNLIKELY(!PyDict_Check(dict))) {
    not_a_dict();
    return nullptr;
  }
  const Py_hash_t hash = key_hash(key);
  if (UNLIKELY(hash == -1)) return nullptr;
  PyObject* value;
  find_key(as_dict(dict), key, hash, &value);
  return value;
}

PyObject* _PyDict_GetItemWithError(PyObject* dict, PyObject* key) {
  const Py_hash_t hash = key_hash(key);
  if (hash == -1) return nullptr;
  return _PyDict_GetItem_KnownHash(dict, key, hash);
}

PyObject* _PyDict_GetItem_KnownHash(PyObject* dict, PyObject* key, Py_hash_t hash) {
  if (UNLIKELY(!PyDict_Check(dict))) {
    not_a_dict();
    return nullptr;
  }
  PyObject* value;
  find_key(as_dict(dict), key, hash, &value);
  return value;
}

PyObject* _PyDict_GetItemIdWithError(PyObject* dict, _Py_Identifier* id) {
  PyObject* key = _PyUnicode_FromId(id);  // borrowed
  if (key == nullptr) return nullptr;
  return _PyDict_GetItem_KnownHash(dict, key, key_hash(key));
}

PyObject* _PyDict_GetItemStringWithError(PyObject* dict, const char* text) {
  Ref<> key = Ref<>::steal(PyUnicode_FromString(text));
  if (!key) return nullptr;
  return PyDict_GetItemWithError(dict, key.get());
}

PyObject* PyDict_GetItemString(PyObject* dict, const char* text) {
  Ref<> key = Ref<>::steal(PyUnicode_FromString(text));
  if (!key) {
    PyErr_Clear();
    return nullptr;
  }
  return PyDict_GetItem(dict, key.get());
}

/// Index of the entry, tried at `hint` first.
Py_ssize_t _PyDict_GetItemHint(PyDictObject* dict, PyObject* key, Py_ssize_t hint, PyObject** value) {
  PyDictKeysObject* keys = dict->ma_keys;
  if (dict->ma_values == nullptr && hint >= 0 && hint < keys->dk_nentries && entry_key(keys, hint) == key) {
    *value = *entry_value_slot(dict, hint);
    if (*value != nullptr) return hint;
  }
  const Py_hash_t hash = key_hash(key);
  if (hash == -1) return -1;
  return find_key(dict, key, hash, value);
}

/// A global or built-in; borrowed, null without an exception when there is none.
PyObject* _PyDict_LoadGlobal(PyDictObject* globals, PyDictObject* builtins, PyObject* key) {
  const Py_hash_t hash = key_hash(key);
  if (UNLIKELY(hash == -1)) return nullptr;
  PyObject* value;
  const Py_ssize_t index = find_key(globals, key, hash, &value);
  if (UNLIKELY(index == DKIX_ERROR)) return nullptr;
  if (value != nullptr) return value;
  find_key(builtins, key, hash, &value);
  return value;
}

int PyDict_Contains(PyObject* dict, PyObject* key) {
  const Py_hash_t hash = key_hash(key);
  if (UNLIKELY(hash == -1)) return -1;
  return _PyDict_Contains_KnownHash(dict, key, hash);
}

int _PyDict_Contains_KnownHash(PyObject* dict, PyObject* key, Py_hash_t hash) {
  PyObject* value;
  const Py_ssize_t index = find_key(as_dict(dict), key, hash, &value);
  if (UNLIKELY(index == DKIX_ERROR)) return -1;
  return value != nullptr;
}

int _PyDict_ContainsId(PyObject* dict, _Py_Identifier* id) {
  PyObject* key = _PyUnicode_FromId(id);
  return key == nullptr ? -1 : PyDict_Contains(dict, key);
}

Py_ssize_t PyDict_Size(PyObject* dict) {
  if (dict == nullptr || !PyDict_Check(dict)) return not_a_dict();
  return as_dict(dict)->ma_used;
}

/// Iterates with borrowed references; the dict must not change its keys meanwhile.
int _PyDict_Next(PyObject* object, Py_ssize_t* position, PyObject** key, PyObject** value, Py_hash_t* hash) {
  if (!PyDict_Check(object) || *position < 0) return 0;
  PyObject *found_key, *found_value;
  Py_hash_t found_hash;
  if (!next_entry(as_dict(object), position, &found_key, &found_value, &found_hash)) return 0;
  if (key != nullptr) *key = found_key;
  if (value != nullptr) *value = found_value;
  if (hash != nullptr) *hash = found_hash;
  return 1;
}

int PyDict_Next(PyObject* dict, Py_ssize_t* position, PyObject** key, PyObject** value) {
  return _PyDict_Next(dict, position, key, value, nullptr);
}

int _PyDict_HasOnlyStringKeys(PyObject* object) {
  PyDictObject* dict = as_dict(object);
  if (DK_IS_UNICODE(dict->ma_keys)) return 1;
  Py_ssize_t position = 0;
  PyObject *key, *value;
  while (next_entry(dict, &position, &key, &value, nullptr)) {
    if (!PyUnicode_Check(key)) return 0;
  }
  return 1;
}

namespace {
/// The live keys, values or pairs as a list.
template <class MakeItem>
PyObject* list_of_entries(PyObject* object, MakeItem make_item) {
  if (object == nullptr || !PyDict_Check(object)) {
    not_a_dict();
    return nullptr;
  }
  PyDictObject* dict = as_dict(object);
  while (true) {
    const Py_ssize_t count = dict->ma_used;
    PyObject* list = PyList_New(count);
    if (list == nullptr) return nullptr;
    if (count != dict->ma_used) {  // the allocation ran a collection that changed the dict
      Py_DECREF(list);
      continue;
    }
    Py_ssize_t position = 0, out = 0;
    PyObject *key, *value;
    while (next_entry(dict, &position, &key, &value, nullptr)) {
      PyObject* item = make_item(key, value);
      if (item == nullptr) {
        Py_DECREF(list);
        return nullptr;
      }
      PyList_SET_ITEM(list, out++, item);
    }
    return list;
  }
}
}  // namespace

PyObject* PyDict_Keys(PyObject* dict) {
  return list_of_entries(dict, [](PyObject* key, PyObject*) { return Py_NewRef(key); });
}
PyObject* PyDict_Values(PyObject* dict) {
  return list_of_entries(dict, [](PyObject*, PyObject* value) { return Py_NewRef(value); });
}
PyObject* PyDict_Items(PyObject* object) {
  if (object == nullptr || !PyDict_Check(object)) {
    not_a_dict();
    return nullptr;
  }
  // Pairs first: allocating them can run a collection, which can run anything.
  PyDictObject* dict = as_dict(object);
  while (true) {
    const Py_ssize_t count = dict->ma_used;
    Ref<> list = Ref<>::steal(PyList_New(count));
    if (!list) return nullptr;
    for (Py_ssize_t i = 0; i < count; i++) {
      PyObject* pair = PyTuple_New(2);
      if (pair == nullptr) return nullptr;
      PyList_SET_ITEM(list.get(), i, pair);
    }
    if (count != dict->ma_used) continue;
    Py_ssize_t position = 0, out = 0;
    PyObject *key, *value;
    while (next_entry(dict, &position, &key, &value, nullptr)) {
      PyObject* pair = PyList_GET_ITEM(list.get(), out++);
      PyTuple_SET_ITEM(pair, 0, Py_NewRef(key));
      PyTuple_SET_ITEM(pair, 1, Py_NewRef(value));
    }
    return list.release();
  }
}

// ---- Writing -----------------------------------------------------------------------------------------------------

int _PyDict_SetItem_Take2(PyDictObject* dict, PyObject* key, PyObject* value) {
  const Py_hash_t hash = key_hash(key);
  if (UNLIKELY(hash == -1)) {
    Py_DECREF(key);
    Py_DECREF(value);
    return -1;
  }
  return insert_steal(dict, key, hash, value);
}

int PyDict_SetItem(PyObject* dict, PyObject* key, PyObject* value) {
  if (UNLIKELY(!PyDict_Check(dict))) return not_a_dict();
  return _PyDict_SetItem_Take2(as_dict(dict), Py_NewRef(key), Py_NewRef(value));
}

int _PyDict_SetItem_KnownHash(PyObject* dict, PyObject* key, PyObject* value, Py_hash_t hash) {
  if (UNLIKELY(!PyDict_Check(dict))) return not_a_dict();
  return insert_steal(as_dict(dict), Py_NewRef(key), hash, Py_NewRef(value));
}

int _PyDict_SetItemId(PyObject* dict, _Py_Identifier* id, PyObject* value) {
  PyObject* key = _PyUnicode_FromId(id);
  return key == nullptr ? -1 : PyDict_SetItem(dict, key, value);
}

int PyDict_SetItemString(PyObject* dict, const char* text, PyObject* value) {
  PyObject* key = PyUnicode_FromString(text);
  if (key == nullptr) return -1;
  PyUnicode_InternInPlace(&key);
  const int status = PyDict_SetItem(dict, key, value);
  Py_DECREF(key);
  return status;
}

/// Borrowed: the value that is there, or `default_value`, which is stored then.
PyObject* PyDict_SetDefault(PyObject* object, PyObject* key, PyObject* default_value) {
  if (UNLIKELY(!PyDict_Check(object))) {
    not_a_dict();
    return nullptr;
  }
  const Py_hash_t hash = key_hash(key);
  if (UNLIKELY(hash == -1)) return nullptr;
  PyDictObject* dict = as_dict(object);
  if (dict->ma_keys == empty_keys()) {
    if (insert_into_empty(dict, Py_NewRef(key), hash, Py_NewRef(default_value)) < 0) return nullptr;
    return default_value;
  }
  PyObject* value;
  const Py_ssize_t index = find_key(dict, key, hash, &value);
  if (UNLIKELY(index == DKIX_ERROR)) return nullptr;
  if (value != nullptr) return value;
  if (store_found(dict, Py_NewRef(key), hash, Py_NewRef(default_value), index, nullptr) < 0) return nullptr;
  return default_value;
}

int PyDict_DelItem(PyObject* dict, PyObject* key) {
  const Py_hash_t hash = key_hash(key);
  if (UNLIKELY(hash == -1)) return -1;
  return _PyDict_DelItem_KnownHash(dict, key, hash);
}

int _PyDict_DelItem_KnownHash(PyObject* object, PyObject* key, Py_hash_t hash) {
  if (UNLIKELY(!PyDict_Check(object))) return not_a_dict();
  PyObject* value;
  const Py_ssize_t index = find_key(as_dict(object), key, hash, &value);
  if (UNLIKELY(index == DKIX_ERROR)) return -1;
  if (value == nullptr) {
    _PyErr_SetKeyError(key);
    return -1;
  }
  Py_DECREF(remove_found(as_dict(object), hash, index));
  return 0;
}

/// Deletes the key when predicate(value) is positive; the predicate must not touch the dict.
int _PyDict_DelItemIf(PyObject* object, PyObject* key, int (*predicate)(PyObject* value)) {
  if (!PyDict_Check(object)) return not_a_dict();
  const Py_hash_t hash = key_hash(key);
  if (hash == -1) return -1;
  PyObject* value;
  const Py_ssize_t index = find_key(as_dict(object), key, hash, &value);
  if (index == DKIX_ERROR) return -1;
  if (value == nullptr) {
    _PyErr_SetKeyError(key);
    return -1;
  }
  const int verdict = predicate(value);
  if (verdict < 0) return -1;
  if (verdict > 0) Py_DECREF(remove_found(as_dict(object), hash, index));
  return 0;
}

int _PyDict_DelItemId(PyObject* dict, _Py_Identifier* id) {
  PyObject* key = _PyUnicode_FromId(id);
  return key == nullptr ? -1 : PyDict_DelItem(dict, key);
}

int PyDict_DelItemString(PyObject* dict, const char* text) {
  Ref<> key = Ref<>::steal(PyUnicode_FromString(text));
  if (!key) return -1;
  return PyDict_DelItem(dict, key.get());
}

/// New reference: the removed value or the default; KeyError without either.
PyObject* _PyDict_Pop_KnownHash(PyObject* object, PyObject* key, Py_hash_t hash, PyObject* default_value) {
  PyDictObject* dict = as_dict(object);
  PyObject* value = nullptr;
  if (dict->ma_used != 0) {
    const Py_ssize_t index = find_key(dict, key, hash, &value);
    if (UNLIKELY(index == DKIX_ERROR)) return nullptr;
    if (value != nullptr) return remove_found(dict, hash, index);
  }
  if (default_value != nullptr) return Py_NewRef(default_value);
  _PyErr_SetKeyError(key);
  return nullptr;
}

PyObject* _PyDict_Pop(PyObject* dict, PyObject* key, PyObject* default_value) {
  if (as_dict(dict)->ma_used == 0) {  // an empty dict does not hash the key
    if (default_value != nullptr) return Py_NewRef(default_value);
    _PyErr_SetKeyError(key);
    return nullptr;
  }
  const Py_hash_t hash = key_hash(key);
  if (UNLIKELY(hash == -1)) return nullptr;
  return _PyDict_Pop_KnownHash(dict, key, hash, default_value);
}

void PyDict_Clear(PyObject* object) {
  if (!PyDict_Check(object)) return;
  PyDictObject* dict = as_dict(object);
  PyDictKeysObject* keys = dict->ma_keys;
  PyDictValues* values = dict->ma_values;
  if (keys == empty_keys()) return;
  // The dict is empty and consistent before anything is dropped.
  keys_incref(empty_keys());
  dict->ma_keys = empty_keys();
  dict->ma_values = nullptr;
  dict->ma_used = 0;
  touch(dict);
  if (values != nullptr) {
    const int count = values_count(values);
    for (int i = 0; i < count; i++) Py_DECREF(values->values[values_index_at(values, i)]);
    free_values(values);
  }
  keys_decref(keys);
}

// ---- Merging -----------------------------------------------------------------------------------------------------

int PyDict_Merge(PyObject* target, PyObject* source, int override) {
  return merge_dicts(target, source, override != 0);
}
int PyDict_Update(PyObject* target, PyObject* source) { return merge_dicts(target, source, 1); }
/// override: 0 keeps what is there, 1 replaces it, anything else refuses it with KeyError.
int _PyDict_MergeEx(PyObject* target, PyObject* source, int override) {
  return merge_dicts(target, source, override == 0 || override == 1 ? override : 2);
}

/// From an iterable of pairs.
int PyDict_MergeFromSeq2(PyObject* target, PyObject* pairs, int override) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(pairs));
  if (!iterator) return -1;
  for (Py_ssize_t i = 0;; i++) {
    Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!item) return PyErr_Occurred() ? -1 : 0;
    Ref<> pair = Ref<>::steal(PySequence_Fast(item.get(), ""));
    if (!pair) {
      if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError, "cannot convert dictionary update sequence element #%zd to a sequence", i);
      }
      return -1;
    }
    const Py_ssize_t length = PySequence_Fast_GET_SIZE(pair.get());
    if (length != 2) {
      PyErr_Format(PyExc_ValueError, "dictionary update sequence element #%zd has length %zd; 2 is required", i,
                   length);
      return -1;
    }
    Ref<> key = Ref<>::dup(PySequence_Fast_GET_ITEM(pair.get(), 0));
    Ref<> value = Ref<>::dup(PySequence_Fast_GET_ITEM(pair.get(), 1));
    if (override) {
      if (PyDict_SetItem(target, key.get(), value.get()) < 0) return -1;
    } else {
      if (PyDict_SetDefault(target, key.get(), value.get()) == nullptr) return -1;
    }
  }
}

// ---- For the collector and debugging -----------------------------------------------------------------------------

/// Called by full collections: a dict of untracked things need not be looked at again.
void _PyDict_MaybeUntrack(PyObject* object) {
  if (!PyDict_CheckExact(object) || !_PyObject_GC_IS_TRACKED(object)) return;
  PyDictObject* dict = as_dict(object);
  Py_ssize_t position = 0;
  PyObject *key, *value;
  while (next_entry(dict, &position, &key, &value, nullptr)) {
    if (may_be_tracked(value) || may_be_tracked(key)) return;
  }
  _PyObject_GC_UNTRACK(object);
}

Py_ssize_t _PyDict_SizeOf(PyDictObject* dict) {
  Py_ssize_t size = static_cast<Py_ssize_t>(_PyObject_SIZE(Py_TYPE(dict)));
  if (dict->ma_values != nullptr) {
    size += shared_keys_capacity(dict->ma_keys) * static_cast<Py_ssize_t>(sizeof(PyObject*));
  }
  // Shared keys are accounted to the class.
  if (dict->ma_keys->dk_refcnt == 1) size += keys_memory(dict->ma_keys);
  return size;
}

/// Asserts the invariants of dict.h.
int _PyDict_CheckConsistency(PyObject* object, int check_content) {
  PyDictObject* dict = as_dict(object);
  PyDictKeysObject* keys = dict->ma_keys;
  _PyObject_ASSERT(object, PyDict_Check(object));
  _PyObject_ASSERT(object, keys->dk_refcnt >= 1);
  _PyObject_ASSERT(object, 0 <= dict->ma_used && dict->ma_used <= usable_fraction(DK_SIZE(keys)));
  _PyObject_ASSERT(object, keys->dk_usable >= 0 && keys->dk_nentries >= 0);
  if (check_content) {
    Py_ssize_t position = 0, live = 0;
    PyObject *key, *value;
    while (next_entry(dict, &position, &key, &value, nullptr)) {
      _PyObject_ASSERT(object, key != nullptr && value != nullptr);
      live++;
    }
    _PyObject_ASSERT(object, live == dict->ma_used);
    (void)live;
  }
  (void)keys;
  return 1;
}
