// The type attribute cache: (version tag of the type, interned name) -> what the MRO search finds, misses included.
//
// One table serves the process: tags are handed out process-wide and name objects are compared by address, so entries
// of different interpreters can't be confused. INVARIANT: an entry owns its name (otherwise a new string at the old
// address would hit it); the value is borrowed from a class dict and dies with the tag, since every change of a class
// passes through PyType_Modified.
#include "Objects/core/type.h"

#include "pycore_pyerrors.h"

using namespace pyston;

namespace {

constexpr unsigned kCacheBits = 12;
constexpr unsigned kCacheSize = 1u << kCacheBits;
constexpr Py_ssize_t kLongestCachedName = 100;

struct CacheEntry {
  unsigned version;
  PyObject* name;
  PyObject* value;
};

CacheEntry attribute_cache[kCacheSize];

/// The next tag to hand out; 0 marks exhaustion.
unsigned next_version_tag = 1;

ALWAYS_INLINE CacheEntry& cache_entry(unsigned version, PyObject* name) {
  uintptr_t mixed = version ^ (reinterpret_cast<uintptr_t>(name) >> 4) ^ (reinterpret_cast<uintptr_t>(name) >> 14);
  return attribute_cache[mixed & (kCacheSize - 1)];
}

void clear_entries() {
  for (CacheEntry& entry : attribute_cache) {
    entry.version = 0;
    entry.value = nullptr;
    Py_CLEAR(entry.name);
  }
}

NEVER_INLINE PyObject* lookup_uncached(PyTypeObject* type, PyObject* name) {
  int failure = 0;
  PyObject* value = find_in_mro(type, name, &failure);
  if (UNLIKELY(failure)) {
    // The interface can't report errors other than "not found".
    PyErr_Clear();
    return nullptr;
  }
  if (PyUnicode_CheckExact(name) && PyUnicode_CHECK_INTERNED(name) && PyUnicode_GET_LENGTH(name) <= kLongestCachedName &&
      assign_version_tag(type)) {
    CacheEntry& entry = cache_entry(type->tp_version_tag, name);
    PyObject* old_name = entry.name;
    entry.version = type->tp_version_tag;
    entry.value = value;
    entry.name = Py_NewRef(name);
    Py_XDECREF(old_name);
  }
  return value;
}

int invalidate_subclass(PyTypeObject* subclass, void*) {
  PyType_Modified(subclass);
  return 0;
}

}  // namespace

namespace pyston {

PyObject* find_in_mro(PyTypeObject* type, PyObject* name, int* failure) {
  Py_hash_t hash = PyUnicode_CheckExact(name) ? reinterpret_cast<PyASCIIObject*>(name)->hash : -1;
  if (hash == -1) {
    hash = PyObject_Hash(name);
    if (hash == -1) {
      *failure = -1;
      return nullptr;
    }
  }
  PyObject* mro = type->tp_mro;
  if (UNLIKELY(mro == nullptr)) {
    if (!has_feature(type, Py_TPFLAGS_READYING) && PyType_Ready(type) < 0) {
      *failure = -1;
      return nullptr;
    }
    mro = type->tp_mro;
    if (mro == nullptr) return nullptr;
  }
  Py_INCREF(mro);  // comparing keys can run code that replaces it
  PyObject* value = nullptr;
  Py_ssize_t count = PyTuple_GET_SIZE(mro);
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* dict = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(mro, i))->tp_dict;
    if (UNLIKELY(dict == nullptr)) continue;
    value = _PyDict_GetItem_KnownHash(dict, name, hash);
    if (value != nullptr) break;
    if (UNLIKELY(PyErr_Occurred() != nullptr)) {
      *failure = -1;
      break;
    }
  }
  Py_DECREF(mro);
  return value;
}

bool assign_version_tag(PyTypeObject* type) {
  if (has_feature(type, Py_TPFLAGS_VALID_VERSION_TAG)) return true;
  if (!has_feature(type, Py_TPFLAGS_READY)) return false;
  if (next_version_tag == 0) return false;
  PyObject* bases = type->tp_bases;
  Py_ssize_t count = PyTuple_GET_SIZE(bases);
  for (Py_ssize_t i = 0; i < count; i++) {
    if (!assign_version_tag(reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(bases, i)))) return false;
  }
  if (next_version_tag == 0) return false;
  type->tp_version_tag = next_version_tag++;
  type->tp_flags |= Py_TPFLAGS_VALID_VERSION_TAG;
  return true;
}

void type_mro_modified(PyTypeObject* type, PyObject* bases) {
  if (!has_feature(type, Py_TPFLAGS_VALID_VERSION_TAG)) return;
  bool cacheable = true;
  // A class whose mro() is its own, or whose MRO leaves out a base, isn't reached by invalidation through the bases.
  if (Py_TYPE(type) != &PyType_Type) {
    PyObject* own_mro = _PyType_Lookup(Py_TYPE(type), &_Py_ID(mro));
    PyObject* standard_mro = _PyType_Lookup(&PyType_Type, &_Py_ID(mro));
    cacheable = own_mro == standard_mro;
  }
  for (Py_ssize_t i = 0; cacheable && i < PyTuple_GET_SIZE(bases); i++) {
    cacheable = PyType_IsSubtype(type, reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(bases, i)));
  }
  if (!cacheable) {
    type->tp_flags &= ~Py_TPFLAGS_VALID_VERSION_TAG;
    type->tp_version_tag = 0;
  }
}

}  // namespace pyston

extern "C" {

PyObject* _PyType_Lookup(PyTypeObject* type, PyObject* name) {
  CacheEntry& entry = cache_entry(type->tp_version_tag, name);
  // FAST: tag 0 is never stored, so a type without a valid tag can't hit.
  if (LIKELY(entry.name == name && entry.version == type->tp_version_tag &&
             has_feature(type, Py_TPFLAGS_VALID_VERSION_TAG))) {
    return entry.value;
  }
  return lookup_uncached(type, name);
}

PyObject* _PyType_LookupId(PyTypeObject* type, _Py_Identifier* name) {
  PyObject* text = _PyUnicode_FromId(name);
  return text == nullptr ? nullptr : _PyType_Lookup(type, text);
}

void PyType_Modified(PyTypeObject* type) {
  if (!has_feature(type, Py_TPFLAGS_VALID_VERSION_TAG)) return;
  type->tp_flags &= ~Py_TPFLAGS_VALID_VERSION_TAG;
  type->tp_version_tag = 0;
  for_each_subclass(type, invalidate_subclass, nullptr);
}

unsigned int PyType_ClearCache(void) {
  unsigned last = next_version_tag - 1;
  clear_entries();
  return last;
}

// The table inside the interpreter state is not used (see the head of this file); only its names have to be sane for
// debuggers that look at it.
void _PyType_InitCache(PyInterpreterState* interp) { memset(&interp->type_cache, 0, sizeof(interp->type_cache)); }

PyStatus _PyTypes_InitState(PyInterpreterState*) { return PyStatus_Ok(); }

void _PyTypes_Fini(PyInterpreterState* interp) {
  if (interp == _PyInterpreterState_Main()) clear_entries();
}

}  // extern "C"
