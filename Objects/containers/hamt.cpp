// A persistent (immutable, structure-sharing) map from objects to objects: the storage of contexts.
//
// Design: a trie over 32-bit hashes, five bits a level, with one kind of branch node: a bitmap of the positions in use
// and a packed array of slots. A slot holds a pair (key, value) or a child (key null). Where all 32 bits agree, the
// pairs lie unordered in a collision node below. Each change copies the nodes on one path, O(log32 n).
//
// INVARIANTS: nodes never change once a map that holds them was returned; a branch other than the root has at least two
// pairs below it (removal pulls a lone pair up), so that equal maps have equal shapes.
#include "Objects/bind.h"

#include <bit>

extern "C" {  // the headers themselves don't say so
#include <internal/pycore_context.h>
#include <internal/pycore_hamt.h>
}
#include <internal/pycore_object.h>

namespace pyston {
namespace {

constexpr int kBitsPerLevel = 5;
constexpr int kMaxShift = 35;  // below the last level come collisions

struct Slot {
  PyObject* key;    // null: `value` is a child node
  PyObject* value;
};

/// Both kinds of node; ob_size is the number of slots.
struct Node {
  PyObject_VAR_HEAD
  uint32_t bitmap;  // of a branch; for collisions the hash that all keys share
  Slot slots[1];
};

ALWAYS_INLINE Node* as_node(void* pointer) { return static_cast<Node*>(pointer); }
ALWAYS_INLINE bool is_collision(Node* node) { return Py_IS_TYPE(node, &_PyHamt_CollisionNode_Type); }

/// 64-bit object hashes folded into the 32 bits that the trie is over.
int fold_hash(PyObject* key, uint32_t* out) {
  const Py_hash_t hash = PyObject_Hash(key);
  if (hash == -1) return -1;
  const uint32_t folded = static_cast<uint32_t>(hash) ^ static_cast<uint32_t>(static_cast<uint64_t>(hash) >> 32);
  *out = folded == UINT32_MAX ? UINT32_MAX - 1 : folded;
  return 0;
}

ALWAYS_INLINE uint32_t bit_for(uint32_t hash, int shift) { return 1u << ((hash >> shift) & 31); }
ALWAYS_INLINE Py_ssize_t index_of(uint32_t bitmap, uint32_t bit) { return std::popcount(bitmap & (bit - 1)); }

/// New node with empty slots, tracked.
Node* new_node(PyTypeObject* type, Py_ssize_t count, uint32_t bitmap) {
  Node* node = PyObject_GC_NewVar(Node, type, count);
  if (node == nullptr) return nullptr;
  node->bitmap = bitmap;
  for (Py_ssize_t i = 0; i < count; i++) node->slots[i] = {nullptr, nullptr};
  PyObject_GC_Track(node);
  return node;
}

ALWAYS_INLINE void set_slot(Node* node, Py_ssize_t index, PyObject* key, PyObject* value) {
  node->slots[index] = {Py_XNewRef(key), Py_XNewRef(value)};
}

/// Copy of a node with `extra` (0, 1, -1) slots more at `at`; the new slot is left empty, the removed one out.
Node* copy_node(Node* source, Py_ssize_t at, int extra, uint32_t bitmap) {
  const Py_ssize_t count = Py_SIZE(source);
  Node* copy = new_node(Py_TYPE(source), count + extra, bitmap);
  if (copy == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) {
    if (extra < 0 && i == at) continue;
    const Py_ssize_t target = i < at ? i : i + extra;
    set_slot(copy, target, source->slots[i].key, source->slots[i].value);
  }
  return copy;
}

/// Replaces what a slot of a node under construction holds.
void replace_slot(Node* node, Py_ssize_t index, PyObject* key, PyObject* value) {
  const Slot old = node->slots[index];
  set_slot(node, index, key, value);
  Py_XDECREF(old.key);
  Py_XDECREF(old.value);
}

// ---- Search ------------------------------------------------------------------------------------------------------

/// 1, 0 or -1; *value is borrowed.
int find(Node* node, int shift, uint32_t hash, PyObject* key, PyObject** value) {
  while (true) {
    if (is_collision(node)) {
      for (Py_ssize_t i = 0; i < Py_SIZE(node); i++) {
        const int equal = PyObject_RichCompareBool(key, node->slots[i].key, Py_EQ);
        if (equal < 0) return -1;
        if (equal) {
          *value = node->slots[i].value;
          return 1;
        }
      }
      return 0;
    }
    const uint32_t bit = bit_for(hash, shift);
    if (!(node->bitmap & bit)) return 0;
    const Slot& slot = node->slots[index_of(node->bitmap, bit)];
    if (slot.key != nullptr) {
      const int equal = PyObject_RichCompareBool(key, slot.key, Py_EQ);
      if (equal > 0) *value = slot.value;
      return equal;
    }
    node = as_node(slot.value);
    shift += kBitsPerLevel;
  }
}

// ---- Insertion ---------------------------------------------------------------------------------------------------

/// A node with two pairs of different keys.
Node* pair_node(int shift, uint32_t hash_a, PyObject* key_a, PyObject* value_a, uint32_t hash_b, PyObject* key_b,
                PyObject* value_b) {
  if (shift >= kMaxShift) {
    Node* node = new_node(&_PyHamt_CollisionNode_Type, 2, hash_a);
    if (node == nullptr) return nullptr;
    set_slot(node, 0, key_a, value_a);
    set_slot(node, 1, key_b, value_b);
    return node;
  }
  const uint32_t bit_a = bit_for(hash_a, shift), bit_b = bit_for(hash_b, shift);
  if (bit_a == bit_b) {
    Node* child = pair_node(shift + kBitsPerLevel, hash_a, key_a, value_a, hash_b, key_b, value_b);
    if (child == nullptr) return nullptr;
    Node* node = new_node(&_PyHamt_BitmapNode_Type, 1, bit_a);
    if (node != nullptr) set_slot(node, 0, nullptr, as_object(child));
    Py_DECREF(as_object(child));
    return node;
  }
  Node* node = new_node(&_PyHamt_BitmapNode_Type, 2, bit_a | bit_b);
  if (node == nullptr) return nullptr;
  const bool a_first = bit_a < bit_b;
  set_slot(node, a_first ? 0 : 1, key_a, value_a);
  set_slot(node, a_first ? 1 : 0, key_b, value_b);
  return node;
}

/// The node with key set to value (itself when nothing changes); new reference. *added: the key is new.
Node* assoc(Node* node, int shift, uint32_t hash, PyObject* key, PyObject* value, bool* added) {
  if (is_collision(node)) {
    for (Py_ssize_t i = 0; i < Py_SIZE(node); i++) {
      const int equal = PyObject_RichCompareBool(key, node->slots[i].key, Py_EQ);
      if (equal < 0) return nullptr;
      if (!equal) continue;
      if (node->slots[i].value == value) return as_node(Py_NewRef(as_object(node)));
      Node* copy = copy_node(node, 0, 0, node->bitmap);
      if (copy != nullptr) replace_slot(copy, i, node->slots[i].key, value);
      return copy;
    }
    Node* copy = copy_node(node, Py_SIZE(node), 1, node->bitmap);
    if (copy == nullptr) return nullptr;
    set_slot(copy, Py_SIZE(node), key, value);
    *added = true;
    return copy;
  }
  const uint32_t bit = bit_for(hash, shift);
  const Py_ssize_t index = index_of(node->bitmap, bit);
  if (!(node->bitmap & bit)) {
    Node* copy = copy_node(node, index, 1, node->bitmap | bit);
    if (copy == nullptr) return nullptr;
    set_slot(copy, index, key, value);
    *added = true;
    return copy;
  }
  const Slot slot = node->slots[index];
  if (slot.key == nullptr) {
    Node* child = assoc(as_node(slot.value), shift + kBitsPerLevel, hash, key, value, added);
    if (child == nullptr) return nullptr;
    if (as_object(child) == slot.value) {
      Py_DECREF(as_object(child));
      return as_node(Py_NewRef(as_object(node)));
    }
    Node* copy = copy_node(node, 0, 0, node->bitmap);
    if (copy != nullptr) replace_slot(copy, index, nullptr, as_object(child));
    Py_DECREF(as_object(child));
    return copy;
  }
  const int equal = PyObject_RichCompareBool(key, slot.key, Py_EQ);
  if (equal < 0) return nullptr;
  if (equal) {
    if (slot.value == value) return as_node(Py_NewRef(as_object(node)));
    Node* copy = copy_node(node, 0, 0, node->bitmap);
    if (copy != nullptr) replace_slot(copy, index, slot.key, value);
    return copy;
  }
  uint32_t other_hash;
  if (fold_hash(slot.key, &other_hash) < 0) return nullptr;
  Node* child = pair_node(shift + kBitsPerLevel, other_hash, slot.key, slot.value, hash, key, value);
  if (child == nullptr) return nullptr;
  Node* copy = copy_node(node, 0, 0, node->bitmap);
  if (copy != nullptr) {
    replace_slot(copy, index, nullptr, as_object(child));
    *added = true;
  }
  Py_DECREF(as_object(child));
  return copy;
}

// ---- Removal -----------------------------------------------------------------------------------------------------

enum class Removal { kError, kNotFound, kEmpty, kReplaced };

/// Removes a key. kReplaced: *out is the new node, with at least one slot.
Removal without(Node* node, int shift, uint32_t hash, PyObject* key, Node** out) {
  if (is_collision(node)) {
    for (Py_ssize_t i = 0; i < Py_SIZE(node); i++) {
      const int equal = PyObject_RichCompareBool(key, node->slots[i].key, Py_EQ);
      if (equal < 0) return Removal::kError;
      if (!equal) continue;
      if (Py_SIZE(node) == 1) return Removal::kEmpty;
      *out = copy_node(node, i, -1, node->bitmap);
      return *out != nullptr ? Removal::kReplaced : Removal::kError;
    }
    return Removal::kNotFound;
  }
  const uint32_t bit = bit_for(hash, shift);
  if (!(node->bitmap & bit)) return Removal::kNotFound;
  const Py_ssize_t index = index_of(node->bitmap, bit);
  const Slot slot = node->slots[index];
  bool drop = false;
  if (slot.key != nullptr) {
    const int equal = PyObject_RichCompareBool(key, slot.key, Py_EQ);
    if (equal < 0) return Removal::kError;
    if (!equal) return Removal::kNotFound;
    drop = true;
  } else {
    Node* child = nullptr;
    const Removal removal = without(as_node(slot.value), shift + kBitsPerLevel, hash, key, &child);
    if (removal == Removal::kError || removal == Removal::kNotFound) return removal;
    if (removal == Removal::kReplaced) {
      *out = copy_node(node, 0, 0, node->bitmap);
      if (*out != nullptr) {
        if (Py_SIZE(child) == 1 && child->slots[0].key != nullptr) {
          replace_slot(*out, index, child->slots[0].key, child->slots[0].value);  // a lone pair moves up
        } else {
          replace_slot(*out, index, nullptr, as_object(child));
        }
      }
      Py_DECREF(as_object(child));
      return *out != nullptr ? Removal::kReplaced : Removal::kError;
    }
    drop = true;
  }
  if (drop && Py_SIZE(node) == 1) return Removal::kEmpty;
  *out = copy_node(node, index, -1, node->bitmap & ~bit);
  return *out != nullptr ? Removal::kReplaced : Removal::kError;
}

// ---- Traversal ---------------------------------------------------------------------------------------------------

void iterate_from(PyHamtIteratorState* state, PyHamtNode* root) {
  for (int i = 0; i < _Py_HAMT_MAX_TREE_DEPTH; i++) {
    state->i_nodes[i] = nullptr;
    state->i_pos[i] = 0;
  }
  state->i_nodes[0] = root;
  state->i_level = 0;
}

/// The next pair (borrowed), or false at the end. Depth never exceeds the seven branches and one collision node.
bool iterate_next(PyHamtIteratorState* state, PyObject** key, PyObject** value) {
  while (state->i_level >= 0) {
    const int level = state->i_level;
    Node* node = as_node(state->i_nodes[level]);
    if (state->i_pos[level] >= Py_SIZE(node)) {
      state->i_level--;
      continue;
    }
    const Slot& slot = node->slots[state->i_pos[level]++];
    if (slot.key != nullptr) {
      *key = slot.key;
      *value = slot.value;
      return true;
    }
    state->i_level++;
    state->i_nodes[level + 1] = reinterpret_cast<PyHamtNode*>(slot.value);
    state->i_pos[level + 1] = 0;
  }
  return false;
}

int node_traverse(PyObject* self, visitproc visit, void* arg) {
  Node* node = as_node(self);
  for (Py_ssize_t i = Py_SIZE(node); --i >= 0;) {
    Py_VISIT(node->slots[i].key);
    Py_VISIT(node->slots[i].value);
  }
  return 0;
}
void node_dealloc(PyObject* self) {
  Node* node = as_node(self);
  PyObject_GC_UnTrack(self);
  Py_TRASHCAN_BEGIN(self, node_dealloc)
  for (Py_ssize_t i = Py_SIZE(node); --i >= 0;) {
    Py_XDECREF(node->slots[i].key);
    Py_XDECREF(node->slots[i].value);
  }
  Py_TYPE(self)->tp_free(self);
  Py_TRASHCAN_END
}

constexpr PyTypeObject node_type(const char* name) {
  PyTypeObject type = {.ob_base = type_head()};
  type.tp_name = name;
  type.tp_basicsize = sizeof(Node) - sizeof(Slot);
  type.tp_itemsize = sizeof(Slot);
  type.tp_dealloc = node_dealloc;
  type.tp_getattro = PyObject_GenericGetAttr;
  type.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = node_traverse;
  type.tp_free = PyObject_GC_Del;
  return type;
}

// ---- The map object (visible to CPython's own tests only) --------------------------------------------------------

ALWAYS_INLINE PyHamtObject* as_map(PyObject* object) { return reinterpret_cast<PyHamtObject*>(object); }

PyHamtObject* new_map(Node* root, Py_ssize_t count) {
  PyHamtObject* map = PyObject_GC_New(PyHamtObject, &_PyHamt_Type);
  if (map == nullptr) {
    Py_DECREF(as_object(root));
    return nullptr;
  }
  map->h_root = reinterpret_cast<PyHamtNode*>(root);
  map->h_weakreflist = nullptr;
  map->h_count = count;
  PyObject_GC_Track(map);
  return map;
}

int map_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(as_map(self)->h_root));
  return 0;
}
int map_clear(PyObject* self) {
  Py_CLEAR(as_map(self)->h_root);
  return 0;
}
void map_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  if (as_map(self)->h_weakreflist != nullptr) PyObject_ClearWeakRefs(self);
  map_clear(self);
  Py_TYPE(self)->tp_free(self);
}
PyObject* map_new(PyTypeObject*, PyObject*, PyObject*) { return as_object(_PyHamt_New()); }
Py_ssize_t map_length(PyObject* self) { return as_map(self)->h_count; }
int map_contains(PyObject* self, PyObject* key) {
  PyObject* value;
  return _PyHamt_Find(as_map(self), key, &value);
}
PyObject* map_subscript(PyObject* self, PyObject* key) {
  PyObject* value;
  const int found = _PyHamt_Find(as_map(self), key, &value);
  if (found > 0) return Py_NewRef(value);
  if (found == 0) PyErr_SetObject(PyExc_KeyError, key);
  return nullptr;
}
PyObject* map_richcompare(PyObject* a, PyObject* b, int op) {
  if (!PyHamt_Check(a) || !PyHamt_Check(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  const int equal = _PyHamt_Eq(as_map(a), as_map(b));
  return equal < 0 ? nullptr : PyBool_FromLong(equal == (op == Py_EQ));
}
PyObject* map_set(PyObject* self, PyObject* key, PyObject* value) {
  return as_object(_PyHamt_Assoc(as_map(self), key, value));
}
PyObject* map_get(PyObject* self, PyObject* key, PyObject* default_value) {
  PyObject* value;
  const int found = _PyHamt_Find(as_map(self), key, &value);
  if (found < 0) return nullptr;
  if (found == 0) value = default_value != nullptr ? default_value : Py_None;
  return Py_NewRef(value);
}
PyObject* map_delete(PyObject* self, PyObject* key) { return as_object(_PyHamt_Without(as_map(self), key)); }
PyObject* map_items(PyObject* self) { return _PyHamt_NewIterItems(as_map(self)); }
PyObject* map_keys(PyObject* self) { return _PyHamt_NewIterKeys(as_map(self)); }
PyObject* map_values(PyObject* self) { return _PyHamt_NewIterValues(as_map(self)); }

PyMethodDef map_methods[] = {
    method<map_set, "set($self, key, value, /)">(),
    method<map_get, "get($self, key, default=None, /)">(),
    method<map_delete, "delete($self, key, /)">(),
    method<map_items, "items($self, /)">(),
    method<map_keys, "keys($self, /)">(),
    method<map_values, "values($self, /)">(),
    {},
};
PySequenceMethods map_as_sequence = {.sq_contains = map_contains};
PyMappingMethods map_as_mapping = {.mp_length = map_length, .mp_subscript = map_subscript};

// ---- Iterators over keys, values, items --------------------------------------------------------------------------

ALWAYS_INLINE PyHamtIterator* as_iter(PyObject* object) { return reinterpret_cast<PyHamtIterator*>(object); }

PyObject* yield_key(PyObject* key, PyObject*) { return Py_NewRef(key); }
PyObject* yield_value(PyObject*, PyObject* value) { return Py_NewRef(value); }
PyObject* yield_item(PyObject* key, PyObject* value) { return PyTuple_Pack(2, key, value); }

int iter_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(as_iter(self)->hi_obj));
  return 0;
}
int iter_clear(PyObject* self) {
  Py_CLEAR(as_iter(self)->hi_obj);
  return 0;
}
void iter_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  iter_clear(self);
  PyObject_GC_Del(self);
}
PyObject* iter_next(PyObject* self) {
  PyObject *key, *value;
  if (as_iter(self)->hi_obj == nullptr || !iterate_next(&as_iter(self)->hi_iter, &key, &value)) return nullptr;
  return as_iter(self)->hi_yield(key, value);
}
Py_ssize_t iter_length(PyObject* self) { return as_iter(self)->hi_obj->h_count; }
PyMappingMethods iter_as_mapping = {.mp_length = iter_length};

PyObject* new_iterator(PyTypeObject* type, binaryfunc yield, PyHamtObject* map) {
  PyHamtIterator* self = PyObject_GC_New(PyHamtIterator, type);
  if (self == nullptr) return nullptr;
  self->hi_obj = as_map(Py_NewRef(as_object(map)));
  self->hi_yield = yield;
  iterate_from(&self->hi_iter, map->h_root);
  PyObject_GC_Track(self);
  return as_object(self);
}

constexpr PyTypeObject iterator_type(const char* name) {
  PyTypeObject type = {.ob_base = type_head()};
  type.tp_name = name;
  type.tp_basicsize = sizeof(PyHamtIterator);
  type.tp_dealloc = iter_dealloc;
  type.tp_as_mapping = &iter_as_mapping;
  type.tp_getattro = PyObject_GenericGetAttr;
  type.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = iter_traverse;
  type.tp_clear = iter_clear;
  type.tp_iter = PyObject_SelfIter;
  type.tp_iternext = iter_next;
  return type;
}

PyHamtObject* g_empty_map = nullptr;

}  // namespace
}  // namespace pyston

using namespace pyston;

PyHamtObject* _PyHamt_New(void) {
  // All empty maps are one.
  if (g_empty_map == nullptr) {
    Node* root = new_node(&_PyHamt_BitmapNode_Type, 0, 0);
    if (root == nullptr) return nullptr;
    g_empty_map = new_map(root, 0);
  }
  return as_map(Py_XNewRef(as_object(g_empty_map)));
}

PyHamtObject* _PyHamt_Assoc(PyHamtObject* map, PyObject* key, PyObject* value) {
  uint32_t hash;
  if (fold_hash(key, &hash) < 0) return nullptr;
  bool added = false;
  Node* root = assoc(as_node(map->h_root), 0, hash, key, value, &added);
  if (root == nullptr) return nullptr;
  if (root == as_node(map->h_root)) {
    Py_DECREF(as_object(root));
    return as_map(Py_NewRef(as_object(map)));
  }
  return new_map(root, map->h_count + added);
}

/// KeyError-free removal: a missing key gives the map itself.
PyHamtObject* _PyHamt_Without(PyHamtObject* map, PyObject* key) {
  uint32_t hash;
  if (fold_hash(key, &hash) < 0) return nullptr;
  Node* root = nullptr;
  switch (without(as_node(map->h_root), 0, hash, key, &root)) {
    case Removal::kError: return nullptr;
    case Removal::kEmpty: return _PyHamt_New();
    case Removal::kNotFound: return as_map(Py_NewRef(as_object(map)));
    case Removal::kReplaced: return new_map(root, map->h_count - 1);
  }
  __builtin_unreachable();
}

int _PyHamt_Find(PyHamtObject* map, PyObject* key, PyObject** value) {
  if (map->h_count == 0) return 0;
  uint32_t hash;
  if (fold_hash(key, &hash) < 0) return -1;
  return find(as_node(map->h_root), 0, hash, key, value);
}

int _PyHamt_Eq(PyHamtObject* a, PyHamtObject* b) {
  if (a == b || a->h_root == b->h_root) return 1;
  if (a->h_count != b->h_count) return 0;
  PyHamtIteratorState state;
  iterate_from(&state, a->h_root);
  PyObject *key, *value, *other;
  while (iterate_next(&state, &key, &value)) {
    const int found = _PyHamt_Find(b, key, &other);
    if (found <= 0) return found;
    Ref<> owner = Ref<>::dup(other);
    const int equal = PyObject_RichCompareBool(value, other, Py_EQ);
    if (equal <= 0) return equal;
  }
  return 1;
}

Py_ssize_t _PyHamt_Len(PyHamtObject* map) { return map->h_count; }

PyObject* _PyHamt_NewIterKeys(PyHamtObject* map) { return new_iterator(&_PyHamtKeys_Type, yield_key, map); }
PyObject* _PyHamt_NewIterValues(PyHamtObject* map) { return new_iterator(&_PyHamtValues_Type, yield_value, map); }
PyObject* _PyHamt_NewIterItems(PyHamtObject* map) { return new_iterator(&_PyHamtItems_Type, yield_item, map); }

void _PyHamt_Fini(PyInterpreterState*) { Py_CLEAR(g_empty_map); }

PyTypeObject _PyHamt_ArrayNode_Type = node_type("hamt_array_node");  // unused by this design, exists for the headers
PyTypeObject _PyHamt_BitmapNode_Type = node_type("hamt_bitmap_node");
PyTypeObject _PyHamt_CollisionNode_Type = node_type("hamt_collision_node");
PyTypeObject _PyHamtKeys_Type = iterator_type("keys");
PyTypeObject _PyHamtValues_Type = iterator_type("values");
PyTypeObject _PyHamtItems_Type = iterator_type("items");

PyTypeObject _PyHamt_Type = {
    .ob_base = type_head(),
    .tp_name = "hamt",
    .tp_basicsize = sizeof(PyHamtObject),
    .tp_dealloc = map_dealloc,
    .tp_as_sequence = &map_as_sequence,
    .tp_as_mapping = &map_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = map_traverse,
    .tp_clear = map_clear,
    .tp_richcompare = map_richcompare,
    .tp_weaklistoffset = offsetof(PyHamtObject, h_weakreflist),
    .tp_iter = map_keys,
    .tp_methods = map_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = map_new,
    .tp_free = PyObject_GC_Del,
};
