// _thread._local: an object with one attribute dict per thread.
//
// A local owns its dicts, so that the collector sees cycles through them; they are in a vector sorted by thread id
// (ids grow, so new entries go to the end; a lookup is a binary search). A thread owns one token, in its state's dict,
// which knows the locals that have an entry for the thread: when the thread ends, the token dies and takes the entries
// along. INVARIANT: local L has an entry for thread T exactly when T's token lists L. All of this is under the GIL.
#include <cstring>

#include "Lib/native/thread/thread.h"
#include "pycore_object.h"
#include "pycore_pyerrors.h"

namespace pyston::thread_module {
namespace {

/// A growing array of trivially copyable T; false from `insert` means no memory.
template <class T>
struct Array {
  T* items;
  Py_ssize_t size;
  Py_ssize_t capacity;

  bool insert(Py_ssize_t index, T item) {
    if (size == capacity) {
      const Py_ssize_t wanted = capacity == 0 ? 4 : capacity * 2;
      auto* grown = static_cast<T*>(PyMem_Realloc(items, static_cast<size_t>(wanted) * sizeof(T)));
      if (grown == nullptr) return false;
      items = grown;
      capacity = wanted;
    }
    memmove(items + index + 1, items + index, static_cast<size_t>(size - index) * sizeof(T));
    items[index] = item;
    size++;
    return true;
  }
  void remove(Py_ssize_t index) {
    size--;
    memmove(items + index, items + index + 1, static_cast<size_t>(size - index) * sizeof(T));
  }
  void release() {
    PyMem_Free(items);
    items = nullptr;
    size = capacity = 0;
  }
};

struct LocalObject;

struct TokenObject {
  PyObject_HEAD
  uint64_t thread;  // PyThreadState.id
  Array<LocalObject*> locals;
};

struct Entry {
  uint64_t thread;
  PyObject* dict;
  TokenObject* token;
};

struct LocalObject {
  PyObject_HEAD
  PyObject* args;    // for __init__ in further threads
  PyObject* kwargs;
  PyObject* weak_references;
  Array<Entry> entries;

  /// Index of the first entry whose thread is not below `thread`.
  Py_ssize_t find(uint64_t thread) const {
    Py_ssize_t low = 0, high = entries.size;
    while (low < high) {
      const Py_ssize_t middle = (low + high) / 2;
      if (entries.items[middle].thread < thread) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
};

// ---- Tokens

void token_dealloc(PyObject* object) {
  auto* self = reinterpret_cast<TokenObject*>(object);
  while (self->locals.size > 0) {
    LocalObject* local = self->locals.items[--self->locals.size];
    const Py_ssize_t index = local->find(self->thread);
    PyObject* dict = local->entries.items[index].dict;
    local->entries.remove(index);
    Py_DECREF(dict);  // can run any code, the removal of further locals from here included
  }
  self->locals.release();
  PyTypeObject* type = Py_TYPE(object);
  type->tp_free(object);
  Py_DECREF(type);
}

void forget(TokenObject* token, LocalObject* local) {
  for (Py_ssize_t i = 0; i < token->locals.size; i++) {
    if (token->locals.items[i] == local) {
      token->locals.remove(i);
      return;
    }
  }
}

ModuleState* module_state(PyTypeObject* type) {
  PyObject* module = PyType_GetModuleByDef(type, &definition);
  return module != nullptr ? state_of(module) : nullptr;
}

/// The token of the current thread, made on first use; borrowed from the thread state's dict.
TokenObject* current_token(PyThreadState* tstate, PyTypeObject* local_type) {
  PyObject* dict = _PyThreadState_GetDict(tstate);
  if (dict == nullptr) {
    PyErr_SetString(PyExc_SystemError, "Couldn't get thread-state dictionary");
    return nullptr;
  }
  auto key = Ref<>::steal(PyUnicode_InternFromString("_thread._localdummy"));
  if (!key) return nullptr;
  PyObject* found = PyDict_GetItemWithError(dict, key.get());
  if (found != nullptr) return reinterpret_cast<TokenObject*>(found);
  if (PyErr_Occurred()) return nullptr;
  ModuleState* state = module_state(local_type);
  if (state == nullptr) return nullptr;
  auto token = Ref<TokenObject>::steal(state->token_type->tp_alloc(state->token_type, 0));
  if (!token) return nullptr;
  token->thread = tstate->id;
  if (PyDict_SetItem(dict, key.get(), token.object()) < 0) return nullptr;
  return token.get();
}

// ---- Locals

/// Adds an empty dict for the current thread; borrowed from `self`.
PyObject* add_dict(LocalObject* self, PyThreadState* tstate) {
  TokenObject* token = current_token(tstate, Py_TYPE(as_object(self)));
  if (token == nullptr) return nullptr;
  PyObject* dict = PyDict_New();
  if (dict == nullptr) return nullptr;
  if (!token->locals.insert(token->locals.size, self)) {
    Py_DECREF(dict);
    return PyErr_NoMemory();
  }
  if (!self->entries.insert(self->find(tstate->id), {tstate->id, dict, token})) {
    token->locals.size--;
    Py_DECREF(dict);
    return PyErr_NoMemory();
  }
  return dict;
}

void drop_entry(LocalObject* self, uint64_t thread) {
  const Py_ssize_t index = self->find(thread);
  if (index >= self->entries.size || self->entries.items[index].thread != thread) return;
  const Entry entry = self->entries.items[index];
  self->entries.remove(index);
  forget(entry.token, self);
  Py_DECREF(entry.dict);
}

/// The dict of the current thread, borrowed; on first use in a thread, __init__ runs there.
PyObject* current_dict(LocalObject* self) {
  PyThreadState* tstate = _PyThreadState_GET();
  const Py_ssize_t index = self->find(tstate->id);
  if (LIKELY(index < self->entries.size && self->entries.items[index].thread == tstate->id)) {
    return self->entries.items[index].dict;
  }
  PyObject* dict = add_dict(self, tstate);
  if (dict == nullptr) return nullptr;
  PyTypeObject* type = Py_TYPE(as_object(self));
  if (type->tp_init != PyBaseObject_Type.tp_init && type->tp_init(as_object(self), self->args, self->kwargs) < 0) {
    // Next time it is tried again.
    drop_entry(self, tstate->id);
    return nullptr;
  }
  return dict;
}

PyObject* local_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (type->tp_init == PyBaseObject_Type.tp_init) {
    const bool given = (args != nullptr && PyObject_IsTrue(args) > 0) || (kwargs != nullptr && PyObject_IsTrue(kwargs) > 0);
    if (given) return raise(PyExc_TypeError, "Initialization arguments are not supported");
  }
  auto self = Ref<LocalObject>::steal(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  self->args = Py_XNewRef(args);
  self->kwargs = Py_XNewRef(kwargs);
  // Here __init__ is run by the caller.
  if (add_dict(self.get(), _PyThreadState_GET()) == nullptr) return nullptr;
  return as_object(self.release());
}

int local_traverse(PyObject* object, visitproc visit, void* arg) {
  auto* self = reinterpret_cast<LocalObject*>(object);
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->args);
  Py_VISIT(self->kwargs);
  for (Py_ssize_t i = 0; i < self->entries.size; i++) Py_VISIT(self->entries.items[i].dict);
  return 0;
}

int local_clear(PyObject* object) {
  auto* self = reinterpret_cast<LocalObject*>(object);
  Py_CLEAR(self->args);
  Py_CLEAR(self->kwargs);
  while (self->entries.size > 0) {
    const Entry entry = self->entries.items[--self->entries.size];
    forget(entry.token, self);
    Py_DECREF(entry.dict);
  }
  return 0;
}

void local_dealloc(PyObject* object) {
  auto* self = reinterpret_cast<LocalObject*>(object);
  // Weak references first: their callbacks may still look at the attributes.
  PyObject_GC_UnTrack(object);
  if (self->weak_references != nullptr) PyObject_ClearWeakRefs(object);
  local_clear(object);
  self->entries.release();
  PyTypeObject* type = Py_TYPE(object);
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject* local_getattro(PyObject* object, PyObject* name) {
  PyObject* dict = current_dict(reinterpret_cast<LocalObject*>(object));
  if (dict == nullptr) return nullptr;
  const int is_dict = PyObject_RichCompareBool(name, &_Py_ID(__dict__), Py_EQ);
  if (is_dict != 0) return is_dict > 0 ? Py_NewRef(dict) : nullptr;
  auto held = Ref<>::dup(dict);
  ModuleState* state = module_state(Py_TYPE(object));
  if (state == nullptr) return nullptr;
  // FAST: the class itself has no data descriptors that could hide an attribute.
  if (Py_TYPE(object) == state->local_type) {
    PyObject* value = PyDict_GetItemWithError(dict, name);
    if (value != nullptr) return Py_NewRef(value);
    if (PyErr_Occurred()) return nullptr;
  }
  return _PyObject_GenericGetAttrWithDict(object, name, dict, 0);
}

int local_setattro(PyObject* object, PyObject* name, PyObject* value) {
  PyObject* dict = current_dict(reinterpret_cast<LocalObject*>(object));
  if (dict == nullptr) return -1;
  const int is_dict = PyObject_RichCompareBool(name, &_Py_ID(__dict__), Py_EQ);
  if (is_dict < 0) return -1;
  if (is_dict) {
    PyErr_Format(PyExc_AttributeError, "'%.100s' object attribute '%U' is read-only", Py_TYPE(object)->tp_name, name);
    return -1;
  }
  auto held = Ref<>::dup(dict);
  return _PyObject_GenericSetAttrWithDict(object, name, value, dict);
}

PyMemberDef local_members[] = {{"__weaklistoffset__", T_PYSSIZET, offsetof(LocalObject, weak_references), READONLY},
                               {}};
PyType_Slot local_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(local_dealloc)},
    {Py_tp_getattro, reinterpret_cast<void*>(local_getattro)},
    {Py_tp_setattro, reinterpret_cast<void*>(local_setattro)},
    {Py_tp_doc, const_cast<char*>("Attributes that every thread has its own values of.")},
    {Py_tp_traverse, reinterpret_cast<void*>(local_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(local_clear)},
    {Py_tp_new, reinterpret_cast<void*>(local_new)},
    {Py_tp_members, local_members},
    {}};
PyType_Slot token_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(token_dealloc)},
                             {Py_tp_doc, const_cast<char*>("Knows which thread-local objects a thread has used.")},
                             {}};

}  // namespace

PyType_Spec local_spec = {"_thread._local", sizeof(LocalObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                          local_slots};
PyType_Spec token_spec = {"_thread._localdummy", sizeof(TokenObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                          token_slots};

}  // namespace pyston::thread_module
