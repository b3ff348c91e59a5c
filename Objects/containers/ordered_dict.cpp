// collections.OrderedDict: a dict subclass that can reorder its items in constant time.
//
// A doubly linked list of nodes holds the order; an index from the dict's entries to nodes finds a key's node without
// a second hash table: node_index[i] belongs to entry i of the dict's key table. When the dict has a new table the
// index is rebuilt from the list.
//
// INVARIANTS: every key in the list is in the dict (outside of a store or a removal), keys of nodes are owned;
// `state` changes with each change of the list, so iterators notice.
#include "Objects/containers/dict.h"
#include "Objects/bind.h"


struct OrderedNode {
  PyObject* key;
  Py_hash_t hash;
  OrderedNode* next;
  OrderedNode* previous;
};

struct _odictobject {
  PyDictObject dict;
  OrderedNode** node_index;     // by entry of the table it was made for; may be null
  Py_ssize_t node_index_size;
  void* indexed_keys;           // that table; compared by address only
  size_t state;
  OrderedNode* first;
  OrderedNode* last;
  PyObject* instance_dict;
  PyObject* weakreflist;
};

namespace pyston {
namespace {

using OrderedDict = PyODictObject;

ALWAYS_INLINE OrderedDict* as_ordered(PyObject* object) { return reinterpret_cast<OrderedDict*>(object); }
ALWAYS_INLINE PyDictObject* dict_of(OrderedDict* self) { return &self->dict; }

// ---- The list ----------------------------------------------------------------------------------------------------

int rebuild_index(OrderedDict* self) {
  PyDictKeysObject* keys = self->dict.ma_keys;
  const Py_ssize_t size = DK_SIZE(keys);
  OrderedNode** index = PyMem_New(OrderedNode*, static_cast<size_t>(size));
  if (index == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  for (Py_ssize_t i = 0; i < size; i++) index[i] = nullptr;
  for (OrderedNode* node = self->first; node != nullptr; node = node->next) {
    PyObject* value;
    const Py_ssize_t entry = find_key(dict_of(self), node->key, node->hash, &value);
    if (entry == DKIX_ERROR) {
      PyMem_Free(index);
      return -1;
    }
    if (entry >= 0 && entry < size) index[entry] = node;
  }
  PyMem_Free(self->node_index);
  self->node_index = index;
  self->node_index_size = size;
  self->indexed_keys = self->dict.ma_keys;
  return 0;
}

/// Entry of a key in an index that is up to date; negative when missing or (exception set) on failure.
Py_ssize_t locate(OrderedDict* self, PyObject* key, Py_hash_t hash) {
  PyObject* value;
  Py_ssize_t entry = find_key(dict_of(self), key, hash, &value);
  if (entry < 0) return entry;
  if (self->indexed_keys != self->dict.ma_keys || self->node_index == nullptr ||
      self->node_index_size != DK_SIZE(self->dict.ma_keys)) {
    if (rebuild_index(self) < 0) return DKIX_ERROR;
    entry = find_key(dict_of(self), key, hash, &value);
  }
  return entry;
}

/// The node of a key; null when missing, with an exception set on failure.
OrderedNode* find_node(OrderedDict* self, PyObject* key, Py_hash_t hash) {
  if (self->first == nullptr) return nullptr;
  const Py_ssize_t entry = locate(self, key, hash);
  return entry >= 0 ? self->node_index[entry] : nullptr;
}
OrderedNode* find_node(OrderedDict* self, PyObject* key) {
  if (self->first == nullptr) return nullptr;
  const Py_hash_t hash = key_hash(key);
  return hash == -1 ? nullptr : find_node(self, key, hash);
}

void link_last(OrderedDict* self, OrderedNode* node) {
  node->previous = self->last;
  node->next = nullptr;
  (self->last != nullptr ? self->last->next : self->first) = node;
  self->last = node;
  self->state++;
}
void link_first(OrderedDict* self, OrderedNode* node) {
  node->next = self->first;
  node->previous = nullptr;
  (self->first != nullptr ? self->first->previous : self->last) = node;
  self->first = node;
  self->state++;
}
void unlink(OrderedDict* self, OrderedNode* node) {
  (self->first == node ? self->first : node->previous->next) = node->next;
  (self->last == node ? self->last : node->next->previous) = node->previous;
  self->state++;
}

/// Appends a node for a key that is in the dict, unless it has one.
int add_node(OrderedDict* self, PyObject* key, Py_hash_t hash) {
  const Py_ssize_t entry = locate(self, key, hash);
  if (entry < 0) {
    if (!PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, key);
    return -1;
  }
  if (self->node_index[entry] != nullptr) return 0;
  OrderedNode* node = PyMem_New(OrderedNode, 1);
  if (node == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  node->key = Py_NewRef(key);
  node->hash = hash;
  link_last(self, node);
  self->node_index[entry] = node;
  return 0;
}

/// Takes a node out of list and index; the key must still be in the dict. Frees it.
int drop_node(OrderedDict* self, OrderedNode* node, PyObject* key, Py_hash_t hash) {
  if (self->first == nullptr) return 0;
  const Py_ssize_t entry = locate(self, key, hash);
  if (entry < 0) return PyErr_Occurred() ? -1 : 0;
  if (node == nullptr) node = self->node_index[entry];
  if (node == nullptr) return 0;
  self->node_index[entry] = nullptr;
  unlink(self, node);
  PyObject* owned = node->key;
  PyMem_Free(node);
  Py_DECREF(owned);
  return 0;
}

void drop_all_nodes(OrderedDict* self) {
  PyMem_Free(self->node_index);
  self->node_index = nullptr;
  self->node_index_size = 0;
  self->indexed_keys = nullptr;
  OrderedNode* node = self->first;
  self->first = nullptr;
  self->last = nullptr;
  self->state++;
  while (node != nullptr) {
    OrderedNode* next = node->next;
    PyObject* key = node->key;
    PyMem_Free(node);
    Py_DECREF(key);
    node = next;
  }
}

// ---- Storing and removing ----------------------------------------------------------------------------------------

int set_item(PyObject* self, PyObject* key, PyObject* value, Py_hash_t hash) {
  if (_PyDict_SetItem_KnownHash(self, key, value, hash) < 0) return -1;
  if (add_node(as_ordered(self), key, hash) == 0) return 0;
  // Without its node the key must not stay.
  PyObject *type, *error, *traceback;
  PyErr_Fetch(&type, &error, &traceback);
  if (_PyDict_DelItem_KnownHash(self, key, hash) < 0) PyErr_Clear();
  PyErr_Restore(type, error, traceback);
  return -1;
}

int delete_item(PyObject* self, PyObject* key, Py_hash_t hash) {
  if (drop_node(as_ordered(self), nullptr, key, hash) < 0) return -1;
  return _PyDict_DelItem_KnownHash(self, key, hash);
}

int assign(PyObject* self, PyObject* key, PyObject* value) {
  return value != nullptr ? PyODict_SetItem(self, key, value) : PyODict_DelItem(self, key);
}

ALWAYS_INLINE bool is_exact(PyObject* self) { return Py_IS_TYPE(self, &PyODict_Type); }

/// What pop() means; overridden item methods of subclasses are not asked. New reference.
PyObject* pop_key(PyObject* self, PyObject* key, PyObject* default_value, Py_hash_t hash) {
  if (drop_node(as_ordered(self), nullptr, key, hash) < 0) return nullptr;
  return _PyDict_Pop_KnownHash(self, key, hash, default_value);
}

// ---- Methods -----------------------------------------------------------------------------------------------------

PyObject* odict_clear(PyObject* self) {
  PyDict_Clear(self);
  drop_all_nodes(as_ordered(self));
  Py_RETURN_NONE;
}

PyObject* odict_pop(PyObject* self, PyObject* key, PyObject* default_value) {
  const Py_hash_t hash = key_hash(key);
  return hash == -1 ? nullptr : pop_key(self, key, default_value, hash);
}

PyObject* odict_popitem(PyObject* self, Optional<bool> last) {
  OrderedNode* node = last.value_or(true) ? as_ordered(self)->last : as_ordered(self)->first;
  if (node == nullptr) {
    PyErr_SetString(PyExc_KeyError, "dictionary is empty");
    return nullptr;
  }
  Ref<> key = Ref<>::dup(node->key);
  Ref<> value = Ref<>::steal(pop_key(self, key.get(), nullptr, node->hash));
  return value ? PyTuple_Pack(2, key.get(), value.get()) : nullptr;
}

PyObject* odict_move_to_end(PyObject* self, PyObject* key, Optional<bool> to_last) {
  OrderedDict* ordered = as_ordered(self);
  const bool last = to_last.value_or(true);
  OrderedNode* node = find_node(ordered, key);
  if (node == nullptr) {
    if (!PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, key);
    return nullptr;
  }
  if (node != (last ? ordered->last : ordered->first)) {
    unlink(ordered, node);
    last ? link_last(ordered, node) : link_first(ordered, node);
  }
  Py_RETURN_NONE;
}

PyObject* odict_setdefault(PyObject* self, PyObject* key, PyObject* default_value) {
  if (default_value == nullptr) default_value = Py_None;
  if (is_exact(self)) {
    PyObject* value = PyDict_GetItemWithError(self, key);
    if (value != nullptr) return Py_NewRef(value);
    if (PyErr_Occurred() || PyODict_SetItem(self, key, default_value) < 0) return nullptr;
    return Py_NewRef(default_value);
  }
  const int present = PySequence_Contains(self, key);
  if (present < 0) return nullptr;
  if (present) return PyObject_GetItem(self, key);
  if (PyObject_SetItem(self, key, default_value) < 0) return nullptr;
  return Py_NewRef(default_value);
}

PyObject* odict_fromkeys(PyObject* type, PyObject* iterable, PyObject* value) {
  return _PyDict_FromKeys(type, iterable, value != nullptr ? value : Py_None);
}

PyObject* odict_copy(PyObject* self) {
  Ref<> copy = Ref<>::steal(is_exact(self) ? PyODict_New() : PyObject_CallNoArgs(as_object(Py_TYPE(self))));
  if (!copy) return nullptr;
  OrderedDict* ordered = as_ordered(self);
  if (is_exact(self)) {
    for (OrderedNode* node = ordered->first; node != nullptr; node = node->next) {
      PyObject* value = PyDict_GetItemWithError(self, node->key);
      if (value == nullptr) {
        if (!PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, node->key);
        return nullptr;
      }
      if (PyODict_SetItem(copy.get(), node->key, value) < 0) return nullptr;
    }
    return copy.release();
  }
  const size_t state = ordered->state;
  for (OrderedNode* node = ordered->first; node != nullptr; node = node->next) {
    Ref<> key = Ref<>::dup(node->key);
    Ref<> value = Ref<>::steal(PyObject_GetItem(self, key.get()));
    if (!value || PyObject_SetItem(copy.get(), key.get(), value.get()) < 0) return nullptr;
    if (ordered->state != state) {
      PyErr_SetString(PyExc_RuntimeError, "OrderedDict mutated during iteration");
      return nullptr;
    }
  }
  return copy.release();
}

PyObject* odict_reduce(PyObject* self) {
  Ref<> state = Ref<>::steal(_PyObject_GetState(self));
  if (!state) return nullptr;
  Ref<> items = Ref<>::steal(PyObject_CallMethodNoArgs(self, &_Py_ID(items)));
  Ref<> iterator = items ? Ref<>::steal(PyObject_GetIter(items.get())) : nullptr;
  if (!iterator) return nullptr;
  return Py_BuildValue("O()NON", Py_TYPE(self), state.release(), Py_None, iterator.release());
}

PyObject* odict_sizeof(PyObject* self) {
  Py_ssize_t size = _PyDict_SizeOf(dict_of(as_ordered(self)));
  size += as_ordered(self)->node_index_size * static_cast<Py_ssize_t>(sizeof(OrderedNode*));
  size += PyDict_GET_SIZE(self) * static_cast<Py_ssize_t>(sizeof(OrderedNode));
  return PyLong_FromSsize_t(size);
}

// ---- update(): MutableMapping's, with stores through set_item or __setitem__ --------------------------------------

int store_pair(PyObject* self, PyObject* key, PyObject* value) {
  return is_exact(self) ? PyODict_SetItem(self, key, value) : PyObject_SetItem(self, key, value);
}

int update_from_pairs(PyObject* self, PyObject* pairs) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(pairs));
  if (!iterator) return -1;
  while (true) {
    Ref<> pair = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!pair) return PyErr_Occurred() ? -1 : 0;
    Ref<> parts = Ref<>::steal(PyObject_GetIter(pair.get()));
    if (!parts) return -1;
    Ref<> key = Ref<>::steal(PyIter_Next(parts.get()));
    Ref<> value = key ? Ref<>::steal(PyIter_Next(parts.get())) : nullptr;
    if (!value) {
      if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "need more than %d value%s to unpack", key ? 1 : 0, key ? "" : "s");
      return -1;
    }
    Ref<> extra = Ref<>::steal(PyIter_Next(parts.get()));
    if (extra) {
      PyErr_SetString(PyExc_ValueError, "too many values to unpack (expected 2)");
      return -1;
    }
    if (PyErr_Occurred() || store_pair(self, key.get(), value.get()) < 0) return -1;
  }
}

int update_from_keys(PyObject* self, PyObject* mapping, PyObject* keys) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(keys));
  if (!iterator) return -1;
  while (true) {
    Ref<> key = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!key) return PyErr_Occurred() ? -1 : 0;
    Ref<> value = Ref<>::steal(PyObject_GetItem(mapping, key.get()));
    if (!value || store_pair(self, key.get(), value.get()) < 0) return -1;
  }
}

int update_from_argument(PyObject* self, PyObject* other) {
  if (PyDict_CheckExact(other)) {
    Ref<> items = Ref<>::steal(PyDict_Items(other));
    return items ? update_from_pairs(self, items.get()) : -1;
  }
  PyObject* function;
  if (_PyObject_LookupAttr(other, &_Py_ID(keys), &function) < 0) return -1;
  if (function != nullptr) {
    Ref<> keys = Ref<>::steal(PyObject_CallNoArgs(function));
    Py_DECREF(function);
    return keys ? update_from_keys(self, other, keys.get()) : -1;
  }
  if (_PyObject_LookupAttr(other, &_Py_ID(items), &function) < 0) return -1;
  if (function != nullptr) {
    Ref<> items = Ref<>::steal(PyObject_CallNoArgs(function));
    Py_DECREF(function);
    return items ? update_from_pairs(self, items.get()) : -1;
  }
  return update_from_pairs(self, other);
}

int update_with(PyObject* self, PyObject* args, PyObject* kwargs) {
  const Py_ssize_t count = args != nullptr ? PyTuple_GET_SIZE(args) : 0;
  if (count > 1) {
    PyErr_Format(PyExc_TypeError, "update() takes at most 1 positional argument (%zd given)", count);
    return -1;
  }
  if (count == 1 && update_from_argument(self, PyTuple_GET_ITEM(args, 0)) < 0) return -1;
  if (kwargs != nullptr && PyArg_ValidateKeywordArguments(kwargs)) {
    Ref<> items = Ref<>::steal(PyDict_Items(kwargs));
    return items ? update_from_pairs(self, items.get()) : -1;
  }
  return PyErr_Occurred() ? -1 : 0;
}

PyObject* odict_update(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (update_with(self, args, kwargs) < 0) return nullptr;
  Py_RETURN_NONE;
}

// ---- Slots -------------------------------------------------------------------------------------------------------

int odict_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  const Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (count > 1) {
    PyErr_Format(PyExc_TypeError, "expected at most 1 arguments, got %zd", count);
    return -1;
  }
  return update_with(self, args, kwargs);
}

PyObject* odict_or(PyObject* a, PyObject* b) {
  PyTypeObject* type = PyODict_Check(a) ? Py_TYPE(a) : Py_TYPE(b);
  if (!PyDict_Check(a) || !PyDict_Check(b)) Py_RETURN_NOTIMPLEMENTED;
  Ref<> result = Ref<>::steal(PyObject_CallOneArg(as_object(type), a));
  if (!result || update_from_argument(result.get(), b) < 0) return nullptr;
  return result.release();
}
PyObject* odict_ior(PyObject* self, PyObject* other) {
  return update_from_argument(self, other) < 0 ? nullptr : Py_NewRef(self);
}

void odict_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  Py_TRASHCAN_BEGIN(self, odict_dealloc)
  Py_XDECREF(as_ordered(self)->instance_dict);
  if (as_ordered(self)->weakreflist != nullptr) PyObject_ClearWeakRefs(self);
  drop_all_nodes(as_ordered(self));
  PyDict_Type.tp_dealloc(self);
  Py_TRASHCAN_END
}
int odict_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_ordered(self)->instance_dict);
  for (OrderedNode* node = as_ordered(self)->first; node != nullptr; node = node->next) Py_VISIT(node->key);
  return PyDict_Type.tp_traverse(self, visit, arg);
}
int odict_clear_slot(PyObject* self) {
  Py_CLEAR(as_ordered(self)->instance_dict);
  PyDict_Clear(self);
  drop_all_nodes(as_ordered(self));
  return 0;
}

PyObject* odict_repr(PyObject* self) {
  const char* name = _PyType_Name(Py_TYPE(self));
  if (PyDict_GET_SIZE(self) == 0) return PyUnicode_FromFormat("%s()", name);
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered > 0 ? PyUnicode_FromString("...") : nullptr;
  Ref<> pieces;
  if (is_exact(self)) {
    pieces = Ref<>::steal(PyList_New(0));
    for (OrderedNode* node = as_ordered(self)->first; pieces && node != nullptr; node = node->next) {
      PyObject* value = PyDict_GetItemWithError(self, node->key);
      if (value == nullptr) {
        if (!PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, node->key);
        pieces.reset();
        break;
      }
      Ref<> pair = Ref<>::steal(PyTuple_Pack(2, node->key, value));
      if (!pair || PyList_Append(pieces.get(), pair.get()) < 0) pieces.reset();
    }
  } else {
    Ref<> items = Ref<>::steal(PyObject_CallMethodNoArgs(self, &_Py_ID(items)));
    if (items) pieces = Ref<>::steal(PySequence_List(items.get()));
  }
  PyObject* result = pieces ? PyUnicode_FromFormat("%s(%R)", name, pieces.get()) : nullptr;
  Py_ReprLeave(self);
  return result;
}

PyObject* odict_richcompare(PyObject* self, PyObject* other, int op) {
  if (!PyODict_Check(self) || !PyDict_Check(other) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  Ref<> as_dicts = Ref<>::steal(PyDict_Type.tp_richcompare(self, other, Py_EQ));
  if (!as_dicts) return nullptr;
  int equal = PyObject_IsTrue(as_dicts.get());
  if (equal < 0) return nullptr;
  // Between ordered dicts the order counts too.
  if (equal && PyODict_Check(other)) {
    OrderedNode *a = as_ordered(self)->first, *b = as_ordered(other)->first;
    const size_t state_a = as_ordered(self)->state, state_b = as_ordered(other)->state;
    while (equal && a != nullptr && b != nullptr) {
      Ref<> key_a = Ref<>::dup(a->key), key_b = Ref<>::dup(b->key);
      equal = PyObject_RichCompareBool(key_a.get(), key_b.get(), Py_EQ);
      if (equal < 0) return nullptr;
      if (as_ordered(self)->state != state_a || as_ordered(other)->state != state_b) {
        PyErr_SetString(PyExc_RuntimeError, "OrderedDict mutated during iteration");
        return nullptr;
      }
      a = a->next;
      b = b->next;
    }
    if (equal) equal = a == nullptr && b == nullptr;
  }
  return PyBool_FromLong(equal == (op == Py_EQ));
}

// ---- Iteration ---------------------------------------------------------------------------------------------------

enum IterFlags { kKeys = 1, kValues = 2, kReversed = 4 };

struct OrderedIterObject {
  PyObject_HEAD
  int flags;
  PyObject* owner;  // the OrderedDict; null once exhausted
  Py_ssize_t size;
  size_t state;
  PyObject* result;   // reusable pair of an items iterator
  OrderedNode* node;  // the next one, null at the end; valid as long as `state` is the owner's
};
ALWAYS_INLINE OrderedIterObject* as_iter(PyObject* object) { return reinterpret_cast<OrderedIterObject*>(object); }

PyObject* new_iterator(PyObject* owner, int flags) {
  OrderedIterObject* self = PyObject_GC_New(OrderedIterObject, &PyODictIter_Type);
  if (self == nullptr) return nullptr;
  self->result = nullptr;
  if ((flags & (kKeys | kValues)) == (kKeys | kValues)) {
    self->result = PyTuple_Pack(2, Py_None, Py_None);
    if (self->result == nullptr) {
      PyObject_GC_Del(self);
      return nullptr;
    }
  }
  OrderedNode* node = flags & kReversed ? as_ordered(owner)->last : as_ordered(owner)->first;
  self->flags = flags;
  self->node = node;
  self->size = PyDict_GET_SIZE(owner);
  self->state = as_ordered(owner)->state;
  self->owner = Py_NewRef(owner);
  _PyObject_GC_TRACK(self);
  return as_object(self);
}

int iter_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_iter(self)->owner);
  Py_VISIT(as_iter(self)->result);
  return 0;
}
void iter_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_iter(self)->owner);
  Py_XDECREF(as_iter(self)->result);
  PyObject_GC_Del(self);
}

/// The next key, advancing; new reference, or null at the end (no exception) and on changes (RuntimeError).
PyObject* next_key(OrderedIterObject* self) {
  if (self->owner == nullptr) return nullptr;
  if (self->node == nullptr) {
    Py_CLEAR(self->owner);
    return nullptr;
  }
  OrderedDict* owner = as_ordered(self->owner);
  if (owner->state != self->state) {
    PyErr_SetString(PyExc_RuntimeError, "OrderedDict mutated during iteration");
    Py_CLEAR(self->owner);
    return nullptr;
  }
  if (self->size != PyDict_GET_SIZE(self->owner)) {
    PyErr_SetString(PyExc_RuntimeError, "OrderedDict changed size during iteration");
    self->size = -1;
    return nullptr;
  }
  PyObject* key = Py_NewRef(self->node->key);
  self->node = self->flags & kReversed ? self->node->previous : self->node->next;
  return key;
}

PyObject* iter_next(PyObject* object) {
  OrderedIterObject* self = as_iter(object);
  Ref<> owner = Ref<>::dup(self->owner);
  Ref<> key = Ref<>::steal(next_key(self));
  if (!key) return nullptr;
  if (!(self->flags & kValues)) return key.release();
  Ref<> value = Ref<>::dup(PyDict_GetItemWithError(owner.get(), key.get()));
  if (!value) {
    if (!PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, key.get());
    Py_CLEAR(self->owner);
    return nullptr;
  }
  if (!(self->flags & kKeys)) return value.release();
  if (Py_REFCNT(self->result) != 1) return PyTuple_Pack(2, key.get(), value.get());
  PyObject* pair = Py_NewRef(self->result);
  Ref<> old_key = Ref<>::steal(PyTuple_GET_ITEM(pair, 0)), old_value = Ref<>::steal(PyTuple_GET_ITEM(pair, 1));
  PyTuple_SET_ITEM(pair, 0, key.release());
  PyTuple_SET_ITEM(pair, 1, value.release());
  if (!_PyObject_GC_IS_TRACKED(pair)) _PyObject_GC_TRACK(pair);
  return pair;
}

PyObject* iter_reduce(PyObject* object) {
  OrderedIterObject* self = as_iter(object);
  Ref<> rest;
  if (self->owner != nullptr) {
    Ref<> copy = Ref<>::steal(new_iterator(self->owner, self->flags));
    if (!copy) return nullptr;
    as_iter(copy.get())->size = self->size;
    as_iter(copy.get())->state = self->state;
    as_iter(copy.get())->node = self->node;
    rest = Ref<>::steal(PySequence_List(copy.get()));
  } else {
    rest = Ref<>::steal(PyList_New(0));
  }
  if (!rest) return nullptr;
  return Py_BuildValue("N(N)", _PyEval_GetBuiltin(&_Py_ID(iter)), rest.release());
}
PyMethodDef iter_methods[] = {
    method<iter_reduce, "__reduce__($self, /)", "State for pickling.">(),
    {},
};

PyObject* odict_iter(PyObject* self) { return new_iterator(self, kKeys); }
PyObject* odict_reversed(PyObject* self) { return new_iterator(self, kKeys | kReversed); }
template <int flags>
PyObject* view_iter(PyObject* view) {
  PyDictObject* dict = reinterpret_cast<_PyDictViewObject*>(view)->dv_dict;
  if (dict == nullptr) Py_RETURN_NONE;
  return new_iterator(as_object(dict), flags);
}
PyObject* keys_view(PyObject* self) { return _PyDictView_New(self, &PyODictKeys_Type); }
PyObject* values_view(PyObject* self) { return _PyDictView_New(self, &PyODictValues_Type); }
PyObject* items_view(PyObject* self) { return _PyDictView_New(self, &PyODictItems_Type); }

PyMethodDef keys_methods[] = {method<view_iter<kKeys | kReversed>, "__reversed__($self, /)">(), {}};
PyMethodDef values_methods[] = {method<view_iter<kValues | kReversed>, "__reversed__($self, /)">(), {}};
PyMethodDef items_methods[] = {method<view_iter<kKeys | kValues | kReversed>, "__reversed__($self, /)">(), {}};

PyMethodDef odict_methods[] = {
    method<odict_fromkeys, "fromkeys($type, /, iterable, value=None)",
           "A new ordered dictionary with keys from the iterable, all with the same value.">(METH_CLASS),
    method<odict_sizeof, "__sizeof__($self, /)">(),
    method<odict_reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<odict_setdefault, "setdefault($self, /, key, default=None)",
           "The value of the key, after storing the default if it was missing.">(),
    method<odict_pop, "pop($self, /, key, default=<unrepresentable>)",
           "Remove the key and return its value, or the default when it is missing.">(),
    method<odict_popitem, "popitem($self, /, last=True)",
           "Remove and return the last pair, or the first if last is false.">(),
    method<keys_view, "keys($self, /)">(),
    method<values_view, "values($self, /)">(),
    method<items_view, "items($self, /)">(),
    {"update", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(odict_update)), METH_VARARGS | METH_KEYWORDS,
     nullptr},
    method<odict_clear, "clear($self, /)", "Remove everything.">(),
    method<odict_copy, "copy($self, /)", "A shallow copy.">(),
    method<odict_reversed, "__reversed__($self, /)", "An iterator over the keys from the last to the first.">(),
    method<odict_move_to_end, "move_to_end($self, /, key, last=True)",
           "Move the key to the end, or to the front if last is false; KeyError when it is missing.">(),
    {},
};

PyObject* get_instance_dict(PyObject* self, void* context) { return PyObject_GenericGetDict(self, context); }
PyGetSetDef odict_getset[] = {
    {"__dict__", get_instance_dict, nullptr, nullptr, nullptr},
    {},
};
PyMappingMethods odict_as_mapping = {.mp_ass_subscript = assign};
PyNumberMethods odict_as_number = {.nb_or = odict_or, .nb_inplace_or = odict_ior};

PyTypeObject view_type(const char* name, PyTypeObject* base, getiterfunc iter, PyMethodDef* methods) {
  PyTypeObject type = {.ob_base = type_head()};
  type.tp_name = name;
  type.tp_iter = iter;
  type.tp_methods = methods;
  type.tp_base = base;
  return type;
}

}  // namespace
}  // namespace pyston

using namespace pyston;

static bool check_dict(PyObject* object) {
  if (PyDict_Check(object)) return true;
  PyErr_BadInternalCall();
  return false;
}

PyObject* PyODict_New(void) { return PyObject_CallNoArgs(as_object(&PyODict_Type)); }

int PyODict_SetItem(PyObject* self, PyObject* key, PyObject* value) {
  if (!check_dict(self)) return -1;
  const Py_hash_t hash = key_hash(key);
  return hash == -1 ? -1 : set_item(self, key, value, hash);
}

int PyODict_DelItem(PyObject* self, PyObject* key) {
  if (!check_dict(self)) return -1;
  const Py_hash_t hash = key_hash(key);
  return hash == -1 ? -1 : delete_item(self, key, hash);
}

PyTypeObject PyODict_Type = {
    .ob_base = type_head(),
    .tp_name = "collections.OrderedDict",
    .tp_basicsize = sizeof(PyODictObject),
    .tp_dealloc = odict_dealloc,
    .tp_repr = odict_repr,
    .tp_as_number = &odict_as_number,
    .tp_as_mapping = &odict_as_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Dictionary that remembers insertion order",
    .tp_traverse = odict_traverse,
    .tp_clear = odict_clear_slot,
    .tp_richcompare = odict_richcompare,
    .tp_weaklistoffset = offsetof(PyODictObject, weakreflist),
    .tp_iter = odict_iter,
    .tp_methods = odict_methods,
    .tp_getset = odict_getset,
    .tp_base = &PyDict_Type,
    .tp_dictoffset = offsetof(PyODictObject, instance_dict),
    .tp_init = odict_init,
    .tp_alloc = PyType_GenericAlloc,
};

PyTypeObject PyODictIter_Type = {
    .ob_base = type_head(),
    .tp_name = "odict_iterator",
    .tp_basicsize = sizeof(OrderedIterObject),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

PyTypeObject PyODictKeys_Type = view_type("odict_keys", &PyDictKeys_Type, view_iter<kKeys>, keys_methods);
PyTypeObject PyODictValues_Type = view_type("odict_values", &PyDictValues_Type, view_iter<kValues>, values_methods);
PyTypeObject PyODictItems_Type =
    view_type("odict_items", &PyDictItems_Type, view_iter<kKeys | kValues>, items_methods);
