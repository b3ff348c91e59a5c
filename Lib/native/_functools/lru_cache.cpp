// functools.lru_cache's wrapper: a dict from call keys to results, and for bounded caches a ring of links in order of
// use, whose anchor lies in the wrapper.
//
// INVARIANT: a link is in the ring exactly when it is in the dict, but for moments in which no Python code runs. Links
// are owned by the dict; the ring holds no references.
#include "Lib/native/_functools/functools.h"

#include <internal/pycore_tuple.h>

namespace pyston {
namespace {

struct LinkObject {
  PyObject_HEAD
  LinkObject* previous;
  LinkObject* next;
  Py_hash_t hash;
  PyObject* key;
  PyObject* result;
};

struct CacheObject;
using CacheCall = PyObject* (*)(CacheObject*, PyObject* const*, size_t, PyObject*);

struct CacheObject {
  PyObject_HEAD
  PyObject* function;
  int typed;
  Py_ssize_t maxsize;  // -1: unbounded
  PyObject* cache;     // key -> result, or key -> link when bounded
  Py_ssize_t hits;
  Py_ssize_t misses;
  CacheCall call;
  LinkObject* oldest;  // the ring as a list with both ends
  LinkObject* newest;
  PyTypeObject* link_type;
  PyObject* keyword_mark;
  PyObject* info_type;
  PyObject* dict;
  PyObject* weakreflist;
  vectorcallfunc vectorcall;
};
ALWAYS_INLINE CacheObject* as_cache(PyObject* object) { return reinterpret_cast<CacheObject*>(object); }
ALWAYS_INLINE LinkObject* as_link(PyObject* object) { return reinterpret_cast<LinkObject*>(object); }

PyTypeObject* g_link_type = nullptr;
PyTypeObject* g_cache_type = nullptr;
PyObject* g_keyword_mark = nullptr;

// ---- The order of use --------------------------------------------------------------------------------------------

void unlink(CacheObject* self, LinkObject* link) {
  (link->previous != nullptr ? link->previous->next : self->oldest) = link->next;
  (link->next != nullptr ? link->next->previous : self->newest) = link->previous;
}
/// Marks a link that is in the dict still but in the ring no more.
void orphan(LinkObject* link) { link->previous = link->next = link; }
bool is_orphan(LinkObject* link) { return link->previous == link; }
void link_oldest(CacheObject* self, LinkObject* link) {
  link->previous = nullptr;
  link->next = self->oldest;
  (self->oldest != nullptr ? self->oldest->previous : self->newest) = link;
  self->oldest = link;
}
void link_newest(CacheObject* self, LinkObject* link) {
  link->previous = self->newest;
  link->next = nullptr;
  (self->newest != nullptr ? self->newest->next : self->oldest) = link;
  self->newest = link;
}

void link_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_XDECREF(as_link(self)->key);
  Py_XDECREF(as_link(self)->result);
  PyObject_Free(self);
  Py_DECREF(as_object(type));
}

/// Empties ring and dict.
void clear_cache(CacheObject* self) {
  self->oldest = nullptr;
  self->newest = nullptr;
  if (self->cache == nullptr) return;
  // A fresh dict first: dropping results can call the function again.
  PyObject* fresh = PyDict_New();
  if (fresh == nullptr) {
    PyErr_Clear();
    PyDict_Clear(self->cache);
    return;
  }
  Py_SETREF(self->cache, fresh);
}

// ---- Keys --------------------------------------------------------------------------------------------------------

/// What identifies a call: the one argument itself if it is an int or str, else a tuple.
Ref<> make_key(CacheObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  const Py_ssize_t keywords = kwnames != nullptr ? PyTuple_GET_SIZE(kwnames) : 0;
  if (!self->typed && keywords == 0) {
    if (nargs == 1 && (PyUnicode_CheckExact(args[0]) || PyLong_CheckExact(args[0]))) return Ref<>::dup(args[0]);
    return Ref<>::steal(_PyTuple_FromArray(args, nargs));
  }
  Py_ssize_t size = nargs + (keywords != 0 ? 1 + 2 * keywords : 0);
  if (self->typed) size += nargs + keywords;
  PyObject* key = PyTuple_New(size);
  if (key == nullptr) return nullptr;
  Py_ssize_t out = 0;
  auto add = [&](PyObject* item) { PyTuple_SET_ITEM(key, out++, Py_NewRef(item)); };
  for (Py_ssize_t i = 0; i < nargs; i++) add(args[i]);
  if (keywords != 0) {
    add(self->keyword_mark);
    for (Py_ssize_t i = 0; i < keywords; i++) {
      add(PyTuple_GET_ITEM(kwnames, i));
      add(args[nargs + i]);
    }
  }
  if (self->typed) {
    for (Py_ssize_t i = 0; i < nargs + keywords; i++) add(as_object(Py_TYPE(args[i])));
  }
  return Ref<>::steal(key);
}

// ---- Calls -------------------------------------------------------------------------------------------------------

PyObject* call_uncached(CacheObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  self->misses++;
  return PyObject_Vectorcall(self->function, args, nargsf, kwnames);
}

PyObject* call_unbounded(CacheObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  Ref<> key = make_key(self, args, PyVectorcall_NARGS(nargsf), kwnames);
  if (!key) return nullptr;
  const Py_hash_t hash = PyObject_Hash(key.get());
  if (hash == -1) return nullptr;
  PyObject* found = _PyDict_GetItem_KnownHash(self->cache, key.get(), hash);
  if (found != nullptr) {
    self->hits++;
    return Py_NewRef(found);
  }
  if (PyErr_Occurred()) return nullptr;
  self->misses++;
  Ref<> result = Ref<>::steal(PyObject_Vectorcall(self->function, args, nargsf, kwnames));
  if (!result || _PyDict_SetItem_KnownHash(self->cache, key.get(), result.get(), hash) < 0) return nullptr;
  return result.release();
}

/// Makes room and enters the result of a miss. 0 or -1.
int remember(CacheObject* self, Ref<> key, Py_hash_t hash, PyObject* result) {
  Ref<> evicted;  // dropped last
  if (PyDict_GET_SIZE(self->cache) >= self->maxsize && self->oldest != nullptr) {
    LinkObject* oldest = self->oldest;
    unlink(self, oldest);
    orphan(oldest);
    Ref<> link_owner = Ref<>::dup(as_object(oldest));
    evicted = Ref<>::steal(_PyDict_Pop_KnownHash(self->cache, oldest->key, oldest->hash, Py_None));
    if (!evicted) {  // an error in comparing keys: as before
      if (Py_REFCNT(as_object(oldest)) > 1) link_oldest(self, oldest);
      return -1;
    }
    // Comparing keys ran code that removed it already: leave the cache alone.
    if (evicted.get() == Py_None) return 0;
  }
  LinkObject* link = PyObject_New(LinkObject, self->link_type);
  if (link == nullptr) return -1;
  link->hash = hash;
  link->key = key.release();
  link->result = Py_NewRef(result);
  link->previous = link->next = nullptr;
  Ref<> owner = Ref<>::steal(as_object(link));
  if (_PyDict_SetItem_KnownHash(self->cache, link->key, as_object(link), hash) < 0) return -1;
  link_newest(self, link);
  return 0;
}

PyObject* call_bounded(CacheObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  Ref<> key = make_key(self, args, PyVectorcall_NARGS(nargsf), kwnames);
  if (!key) return nullptr;
  const Py_hash_t hash = PyObject_Hash(key.get());
  if (hash == -1) return nullptr;
  PyObject* found = _PyDict_GetItem_KnownHash(self->cache, key.get(), hash);
  if (found != nullptr) {
    LinkObject* link = as_link(found);
    if (link != self->newest && !is_orphan(link)) {
      unlink(self, link);
      link_newest(self, link);
    }
    self->hits++;
    return Py_NewRef(link->result);
  }
  if (PyErr_Occurred()) return nullptr;
  self->misses++;
  Ref<> result = Ref<>::steal(PyObject_Vectorcall(self->function, args, nargsf, kwnames));
  if (!result) return nullptr;
  // The function may have called itself with the same key.
  if (_PyDict_GetItem_KnownHash(self->cache, key.get(), hash) != nullptr) return result.release();
  if (PyErr_Occurred() || remember(self, std::move(key), hash, result.get()) < 0) return nullptr;
  return result.release();
}

PyObject* cache_vectorcall(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  return as_cache(self)->call(as_cache(self), args, nargsf, kwnames);
}

// ---- The type ----------------------------------------------------------------------------------------------------

PyObject* cache_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const keywords[] = {"user_function", "maxsize", "typed", "cache_info_type", nullptr};
  PyObject *function, *maxsize_object, *info_type;
  int typed;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOpO:lru_cache", const_cast<char**>(keywords), &function,
                                   &maxsize_object, &typed, &info_type)) {
    return nullptr;
  }
  if (!PyCallable_Check(function)) {
    PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
    return nullptr;
  }
  CacheCall call;
  Py_ssize_t maxsize;
  if (maxsize_object == Py_None) {
    call = call_unbounded;
    maxsize = -1;
  } else if (PyIndex_Check(maxsize_object)) {
    maxsize = PyNumber_AsSsize_t(maxsize_object, PyExc_OverflowError);
    if (maxsize == -1 && PyErr_Occurred()) return nullptr;
    if (maxsize < 0) maxsize = 0;
    call = maxsize == 0 ? call_uncached : call_bounded;
  } else {
    PyErr_SetString(PyExc_TypeError, "maxsize should be integer or None");
    return nullptr;
  }
  PyObject* cache = PyDict_New();
  if (cache == nullptr) return nullptr;
  PyObject* object = type->tp_alloc(type, 0);
  if (object == nullptr) {
    Py_DECREF(cache);
    return nullptr;
  }
  CacheObject* self = as_cache(object);
  self->function = Py_NewRef(function);
  self->typed = typed;
  self->maxsize = maxsize;
  self->cache = cache;
  self->hits = self->misses = 0;
  self->call = call;
  self->oldest = self->newest = nullptr;
  self->link_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(as_object(g_link_type)));
  self->keyword_mark = Py_NewRef(g_keyword_mark);
  self->info_type = Py_NewRef(info_type);
  self->vectorcall = cache_vectorcall;
  return object;
}

int cache_clear_slot(PyObject* object) {
  CacheObject* self = as_cache(object);
  self->oldest = self->newest = nullptr;
  Py_CLEAR(self->cache);
  Py_CLEAR(self->function);
  Py_CLEAR(self->keyword_mark);
  Py_CLEAR(self->link_type);
  Py_CLEAR(self->info_type);
  Py_CLEAR(self->dict);
  return 0;
}
int cache_traverse(PyObject* object, visitproc visit, void* arg) {
  CacheObject* self = as_cache(object);
  Py_VISIT(Py_TYPE(object));
  for (LinkObject* link = self->oldest; link != nullptr; link = link->next) {
    Py_VISIT(link->key);
    Py_VISIT(link->result);
  }
  Py_VISIT(self->cache);
  Py_VISIT(self->function);
  Py_VISIT(self->keyword_mark);
  Py_VISIT(as_object(self->link_type));
  Py_VISIT(self->info_type);
  Py_VISIT(self->dict);
  return 0;
}
void cache_dealloc(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  if (as_cache(object)->weakreflist != nullptr) PyObject_ClearWeakRefs(object);
  cache_clear_slot(object);
  type->tp_free(object);
  Py_DECREF(as_object(type));
}
PyObject* cache_descr_get(PyObject* self, PyObject* object, PyObject*) {
  return object == nullptr || object == Py_None ? Py_NewRef(self) : PyMethod_New(self, object);
}

PyObject* cache_info(PyObject* object) {
  CacheObject* self = as_cache(object);
  const Py_ssize_t size = PyDict_GET_SIZE(self->cache);
  if (self->maxsize == -1) {
    return PyObject_CallFunction(self->info_type, "nnOn", self->hits, self->misses, Py_None, size);
  }
  return PyObject_CallFunction(self->info_type, "nnnn", self->hits, self->misses, self->maxsize, size);
}
PyObject* cache_clear(PyObject* self) {
  as_cache(self)->hits = as_cache(self)->misses = 0;
  clear_cache(as_cache(self));
  Py_RETURN_NONE;
}
PyObject* cache_reduce(PyObject* self) { return PyObject_GetAttr(self, &_Py_ID(__qualname__)); }
PyObject* cache_copy(PyObject* self) { return Py_NewRef(self); }
PyObject* cache_deepcopy(PyObject* self, PyObject*) { return Py_NewRef(self); }

PyMethodDef cache_methods[] = {
    method<cache_info, "cache_info($self, /)", "Report cache statistics">(),
    method<cache_clear, "cache_clear($self, /)", "Clear the cache and cache statistics">(),
    method<cache_reduce, "__reduce__($self, /)">(),
    method<cache_copy, "__copy__($self, /)">(),
    method<cache_deepcopy, "__deepcopy__($self, memo, /)">(),
    {},
};
PyGetSetDef cache_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {},
};
PyMemberDef cache_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(CacheObject, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CacheObject, weakreflist), READONLY, nullptr},
    {},
};
PyType_Slot cache_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(cache_dealloc)},
    {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
    {Py_tp_doc, const_cast<char*>("Create a cached callable that wraps another function.\n\n"
                                  "user_function:      the function being cached\n\n"
                                  "maxsize:  0         for no caching\n"
                                  "          None      for unlimited cache size\n"
                                  "          n         for a bounded cache\n\n"
                                  "typed:    False     cache f(3) and f(3.0) as identical calls\n"
                                  "          True      cache f(3) and f(3.0) as distinct calls\n\n"
                                  "cache_info_type:    namedtuple class with the fields:\n"
                                  "                        hits misses currsize maxsize\n")},
    {Py_tp_traverse, reinterpret_cast<void*>(cache_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(cache_clear_slot)},
    {Py_tp_methods, cache_methods},
    {Py_tp_members, cache_members},
    {Py_tp_getset, cache_getset},
    {Py_tp_descr_get, reinterpret_cast<void*>(cache_descr_get)},
    {Py_tp_new, reinterpret_cast<void*>(cache_new)},
    {0, nullptr},
};
PyType_Spec cache_spec = {
    "functools._lru_cache_wrapper", sizeof(CacheObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_METHOD_DESCRIPTOR |
        Py_TPFLAGS_IMMUTABLETYPE,
    cache_slots,
};
PyType_Slot link_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(link_dealloc)}, {0, nullptr}};
PyType_Spec link_spec = {
    "functools._lru_list_elem", sizeof(LinkObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, link_slots,
};

}  // namespace

int add_lru_cache_types(PyObject* module) {
  if (g_link_type == nullptr) {
    g_link_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&link_spec));
    if (g_link_type == nullptr) return -1;
  }
  if (g_keyword_mark == nullptr) {
    g_keyword_mark = PyObject_CallNoArgs(as_object(&PyBaseObject_Type));
    if (g_keyword_mark == nullptr) return -1;
  }
  if (g_cache_type == nullptr) {
    g_cache_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&cache_spec));
    if (g_cache_type == nullptr) return -1;
    // Called by vector; set by hand because the member that would say so is visible to programs.
    g_cache_type->tp_vectorcall_offset = offsetof(CacheObject, vectorcall);
    g_cache_type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
  }
  return PyModule_AddType(module, g_cache_type);
}

}  // namespace pyston
