// Attributes of instances: values inline behind the object with keys shared by the class, and the dict made of them
// when somebody asks for `__dict__`.
//
// INVARIANT: an object with managed attributes has either values (behind obj[-4]) or a dict (at obj[-3]), never both;
// a dict made from values takes the values array over.
#include "Objects/containers/dict.h"

namespace pyston {
namespace {

ALWAYS_INLINE PyDictKeysObject* cached_keys(PyTypeObject* type) {
  return reinterpret_cast<PyHeapTypeObject*>(type)->ht_cached_keys;
}

PyObject* dict_from_values(PyDictKeysObject* keys, PyDictValues* values) {
  keys_incref(keys);
  const int used = values_count(values);
  bool track = false;
  for (int i = 0; i < used && !track; i++) track = may_be_tracked(values->values[values_index_at(values, i)]);
  PyObject* dict = new_dict(keys, values, used);
  if (dict != nullptr && track) _PyObject_GC_TRACK(dict);
  return dict;
}

COLD int store_through_dict(PyObject* object, PyDictValues* values, PyObject* name, PyObject* value) {
  // dict_from_values consumes the values even when it fails, so the object lets go of them first.
  *_PyObject_ValuesPointer(object) = nullptr;
  PyObject* dict = dict_from_values(cached_keys(Py_TYPE(object)), values);
  if (dict == nullptr) return -1;
  *_PyObject_ManagedDictPointer(object) = dict;
  return value == nullptr ? PyDict_DelItem(dict, name) : PyDict_SetItem(dict, name, value);
}

}  // namespace

PyDictValues* new_values(Py_ssize_t capacity) {
  const size_t prefix = (static_cast<size_t>(capacity) + 2 + sizeof(PyObject*) - 1) & ~(sizeof(PyObject*) - 1);
  auto* memory = static_cast<uint8_t*>(PyMem_Malloc(prefix + static_cast<size_t>(capacity) * sizeof(PyObject*)));
  if (memory == nullptr) return nullptr;
  memory[prefix - 1] = static_cast<uint8_t>(prefix);
  memory[prefix - 2] = 0;
  auto* values = reinterpret_cast<PyDictValues*>(memory + prefix);
  for (Py_ssize_t i = 0; i < capacity; i++) values->values[i] = nullptr;
  return values;
}

void free_values(PyDictValues* values) {
  auto* bytes = reinterpret_cast<uint8_t*>(values);
  PyMem_Free(bytes - bytes[-1]);
}

void values_forget_index(PyDictValues* values, int index) {
  auto* bytes = reinterpret_cast<uint8_t*>(values);
  const int count = bytes[-2];
  int position = 0;
  while (bytes[-3 - position] != index) position++;
  for (; position < count - 1; position++) bytes[-3 - position] = bytes[-3 - position - 1];
  bytes[-2] = static_cast<uint8_t>(count - 1);
}

PyObject* new_dict_with_shared_keys(PyDictKeysObject* keys) {
  PyDictValues* values = new_values(shared_keys_capacity(keys));
  if (values == nullptr) return PyErr_NoMemory();
  keys_incref(keys);
  return new_dict(keys, values, 0);
}

Py_ssize_t add_shared_key(PyDictKeysObject* keys, PyObject* name, Py_hash_t hash) {
  Py_ssize_t index = find_string(keys, name, hash);
  if (index != DKIX_EMPTY) return index;
  if (keys->dk_usable <= 0) return DKIX_EMPTY;
  keys->dk_version = 0;
  index = keys->dk_nentries;
  link_entry(keys, hash, index);
  PyDictUnicodeEntry* entry = &unicode_entries(keys)[index];
  entry->me_key = Py_NewRef(name);
  entry->me_value = nullptr;
  keys->dk_nentries++;
  keys->dk_usable--;
  return index;
}

}  // namespace pyston

using namespace pyston;

/// New reference; null without an exception when there is no memory (the class works without shared keys).
PyDictKeysObject* _PyDict_NewKeysForClass(void) {
  PyDictKeysObject* keys = new_keys(NEXT_LOG2_SHARED_KEYS_MAX_SIZE, DICT_KEYS_SPLIT);
  if (keys == nullptr) PyErr_Clear();
  return keys;
}

/// Gives a fresh object its inline values. 0, or -1 with MemoryError set.
int _PyObject_InitializeDict(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  if (type->tp_dictoffset == 0) return 0;
  if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
    PyDictKeysObject* keys = cached_keys(type);
    // Each instance lowers the room for further keys by one, so that values of a class without new attributes shrink.
    if (keys->dk_usable > 1) keys->dk_usable--;
    PyDictValues* values = new_values(shared_keys_capacity(keys));
    if (UNLIKELY(values == nullptr)) {
      PyErr_NoMemory();
      return -1;
    }
    *_PyObject_ValuesPointer(object) = values;
    return 0;
  }
  PyObject* dict;
  if (_PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && cached_keys(type) != nullptr) {
    dict = new_dict_with_shared_keys(cached_keys(type));
  } else {
    dict = PyDict_New();
  }
  if (dict == nullptr) return -1;
  *_PyObject_DictPointer(object) = dict;
  return 0;
}

/// The dict that takes over inline values; new reference.
PyObject* _PyObject_MakeDictFromInstanceAttributes(PyObject* object, PyDictValues* values) {
  return dict_from_values(cached_keys(Py_TYPE(object)), values);
}

/// Sets (or deletes: value null) an attribute of an object that has inline values.
int _PyObject_StoreInstanceAttribute(PyObject* object, PyDictValues* values, PyObject* name, PyObject* value) {
  PyDictKeysObject* keys = cached_keys(Py_TYPE(object));
  Py_ssize_t index = DKIX_EMPTY;
  if (LIKELY(PyUnicode_CheckExact(name))) {
    const Py_hash_t hash = key_hash(name);
    if (UNLIKELY(hash == -1)) return -1;
    index = value != nullptr ? add_shared_key(keys, name, hash) : find_string(keys, name, hash);
  }
  if (UNLIKELY(index == DKIX_EMPTY)) {
    if (value == nullptr && PyUnicode_CheckExact(name)) {
      PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", Py_TYPE(object)->tp_name, name);
      return -1;
    }
    return store_through_dict(object, values, name, value);
  }
  PyObject* old = values->values[index];
  values->values[index] = Py_XNewRef(value);
  if (old == nullptr) {
    if (value == nullptr) {
      PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", Py_TYPE(object)->tp_name, name);
      return -1;
    }
    _PyDictValues_AddToInsertionOrder(values, index);
  } else {
    if (value == nullptr) values_forget_index(values, static_cast<int>(index));
    Py_DECREF(old);
  }
  return 0;
}

/// New reference, or null without an exception.
PyObject* _PyObject_GetInstanceAttribute(PyObject* object, PyDictValues* values, PyObject* name) {
  PyDictKeysObject* keys = cached_keys(Py_TYPE(object));
  if (UNLIKELY(!PyUnicode_CheckExact(name))) {
    // A str subclass may hash and compare in its own way: as a key of a real dict.
    Ref<> dict = Ref<>::steal(PyObject_GenericGetDict(object, nullptr));
    return dict ? Py_XNewRef(PyDict_GetItemWithError(dict.get(), name)) : nullptr;
  }
  const Py_ssize_t index = _PyDictKeys_StringLookup(keys, name);
  if (index < 0) return nullptr;
  return Py_XNewRef(values->values[index]);
}

int _PyObject_IsInstanceDictEmpty(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  if (type->tp_dictoffset == 0) return 1;
  PyObject* dict;
  if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
    PyDictValues* values = *_PyObject_ValuesPointer(object);
    if (values != nullptr) return values_count(values) == 0;
    dict = *_PyObject_ManagedDictPointer(object);
  } else {
    PyObject** slot = _PyObject_DictPointer(object);
    dict = slot != nullptr ? *slot : nullptr;
  }
  return dict == nullptr || reinterpret_cast<PyDictObject*>(dict)->ma_used == 0;
}

int _PyObject_VisitInstanceAttributes(PyObject* object, visitproc visit, void* arg) {
  PyTypeObject* type = Py_TYPE(object);
  PyDictValues* values = *_PyObject_ValuesPointer(object);
  if (values == nullptr) return 0;
  for (int i = 0, count = values_count(values); i < count; i++) {
    Py_VISIT(values->values[values_index_at(values, i)]);
  }
  (void)type;
  return 0;
}

void _PyObject_ClearInstanceAttributes(PyObject* object) {
  PyDictValues* values = *_PyObject_ValuesPointer(object);
  if (values == nullptr) return;
  auto* bytes = reinterpret_cast<uint8_t*>(values);
  // Dropping a value can run code that stores or deletes attributes: take the newest off until none is left.
  for (int guard = 0; bytes[-2] > 0 && guard < 4 * SHARED_KEYS_MAX_SIZE; guard++) {
    const int index = values_index_at(values, bytes[-2] - 1);
    bytes[-2]--;
    PyObject* old = values->values[index];
    values->values[index] = nullptr;
    Py_XDECREF(old);
    if (*_PyObject_ValuesPointer(object) != values) return;  // that code asked for __dict__
  }
}

void _PyObject_FreeInstanceAttributes(PyObject* object) {
  PyDictValues** slot = _PyObject_ValuesPointer(object);
  PyDictValues* values = *slot;
  if (values == nullptr) return;
  *slot = nullptr;
  const int count = values_count(values);
  for (int i = 0; i < count; i++) Py_XDECREF(values->values[values_index_at(values, i)]);
  free_values(values);
}

/// `__dict__` of an instance, made when missing; new reference.
PyObject* PyObject_GenericGetDict(PyObject* object, void* context) {
  PyTypeObject* type = Py_TYPE(object);
  PyObject* dict;
  if (_PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
    PyDictValues** values_slot = _PyObject_ValuesPointer(object);
    PyObject** dict_slot = _PyObject_ManagedDictPointer(object);
    if (*values_slot != nullptr) {
      PyDictValues* values = *values_slot;
      *values_slot = nullptr;
      *dict_slot = dict = dict_from_values(cached_keys(type), values);
    } else if (*dict_slot == nullptr) {
      *dict_slot = dict = new_dict_with_shared_keys(cached_keys(type));
    } else {
      dict = *dict_slot;
    }
  } else {
    PyObject** dict_slot = _PyObject_DictPointer(object);
    if (dict_slot == nullptr) {
      PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
      return nullptr;
    }
    dict = *dict_slot;
    if (dict == nullptr) {
      if (_PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && cached_keys(type) != nullptr) {
        dict = new_dict_with_shared_keys(cached_keys(type));
      } else {
        dict = PyDict_New();
      }
      *dict_slot = dict;
    }
  }
  return Py_XNewRef(dict);
}

/// Stores into the dict at *slot, which is made when missing; value null deletes.
int _PyObjectDict_SetItem(PyTypeObject* type, PyObject** slot, PyObject* key, PyObject* value) {
  PyObject* dict = *slot;
  if (dict == nullptr) {
    if (_PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && cached_keys(type) != nullptr) {
      dict = new_dict_with_shared_keys(cached_keys(type));
    } else {
      dict = PyDict_New();
    }
    if (dict == nullptr) return -1;
    *slot = dict;
  }
  return value == nullptr ? PyDict_DelItem(dict, key) : PyDict_SetItem(dict, key, value);
}
