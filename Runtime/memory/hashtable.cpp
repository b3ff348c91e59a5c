// _Py_hashtable_t: a chained hash table over plain pointers, for code that cannot use dicts (tracing allocations,
// marshalling). The layout is in pycore_hashtable.h; `buckets` has a power-of-two number of lists.


#include <cstring>

#include "Runtime/python.h"
#include "pycore_hashtable.h"

namespace {

constexpr size_t kSmallest = 16;
// Grown above one entry a bucket and shrunk below a quarter, to half of the limit for growing.
constexpr size_t entries_to_grow(size_t buckets) { return buckets; }
constexpr size_t entries_to_shrink(size_t buckets) { return buckets / 4; }

_Py_hashtable_entry_t* first(_Py_slist_t& bucket) { return reinterpret_cast<_Py_hashtable_entry_t*>(bucket.head); }
_Py_hashtable_entry_t* following(_Py_hashtable_entry_t* entry) {
  return reinterpret_cast<_Py_hashtable_entry_t*>(entry->_Py_slist_item.next);
}
_Py_slist_t& bucket_of(_Py_hashtable_t* table, Py_uhash_t hash) {
  return table->buckets[hash & (table->nbuckets - 1)];
}
void push(_Py_slist_t& bucket, _Py_hashtable_entry_t* entry) {
  entry->_Py_slist_item.next = bucket.head;
  bucket.head = &entry->_Py_slist_item;
}

_Py_hashtable_entry_t* find(_Py_hashtable_t* table, const void* key) {
  const Py_uhash_t hash = table->hash_func(key);
  for (auto* entry = first(bucket_of(table, hash)); entry != nullptr; entry = following(entry)) {
    if (entry->key_hash == hash && table->compare_func(key, entry->key)) return entry;
  }
  return nullptr;
}

/// FAST: keys that are addresses are compared without a call.
_Py_hashtable_entry_t* find_pointer(_Py_hashtable_t* table, const void* key) {
  const Py_uhash_t hash = _Py_hashtable_hash_ptr(key);
  for (auto* entry = first(bucket_of(table, hash)); entry != nullptr; entry = following(entry)) {
    if (entry->key == key) return entry;
  }
  return nullptr;
}

/// -1: no memory; the table is as it was.
int resize(_Py_hashtable_t* table, size_t wanted) {
  size_t count = kSmallest;
  while (count < wanted) count *= 2;
  if (count == table->nbuckets) return 0;
  auto* buckets = static_cast<_Py_slist_t*>(table->alloc.malloc(count * sizeof(_Py_slist_t)));
  if (buckets == nullptr) return -1;
  memset(buckets, 0, count * sizeof(_Py_slist_t));
  for (size_t i = 0; i < table->nbuckets; i++) {
    for (auto* entry = first(table->buckets[i]); entry != nullptr;) {
      auto* next = following(entry);
      push(buckets[entry->key_hash & (count - 1)], entry);
      entry = next;
    }
  }
  table->alloc.free(table->buckets);
  table->buckets = buckets;
  table->nbuckets = count;
  return 0;
}

void destroy_entry(_Py_hashtable_t* table, _Py_hashtable_entry_t* entry) {
  if (table->key_destroy_func != nullptr) table->key_destroy_func(entry->key);
  if (table->value_destroy_func != nullptr) table->value_destroy_func(entry->value);
  table->alloc.free(entry);
}

void destroy_entries(_Py_hashtable_t* table) {
  for (size_t i = 0; i < table->nbuckets; i++) {
    for (auto* entry = first(table->buckets[i]); entry != nullptr;) {
      auto* next = following(entry);
      destroy_entry(table, entry);
      entry = next;
    }
    table->buckets[i].head = nullptr;
  }
  table->nentries = 0;
}

}  // namespace

Py_uhash_t _Py_hashtable_hash_ptr(const void* key) { return static_cast<Py_uhash_t>(_Py_HashPointerRaw(key)); }
int _Py_hashtable_compare_direct(const void* a, const void* b) { return a == b; }
size_t _Py_hashtable_size(const _Py_hashtable_t* table) {
  return sizeof *table + table->nbuckets * sizeof(_Py_slist_t) + table->nentries * sizeof(_Py_hashtable_entry_t);
}

_Py_hashtable_t* _Py_hashtable_new_full(_Py_hashtable_hash_func hash, _Py_hashtable_compare_func compare,
                                        _Py_hashtable_destroy_func destroy_key,
                                        _Py_hashtable_destroy_func destroy_value,
                                        _Py_hashtable_allocator_t* allocator) {
  const _Py_hashtable_allocator_t alloc =
      allocator != nullptr ? *allocator : _Py_hashtable_allocator_t{PyMem_Malloc, PyMem_Free};
  auto* table = static_cast<_Py_hashtable_t*>(alloc.malloc(sizeof(_Py_hashtable_t)));
  if (table == nullptr) return nullptr;
  auto* buckets = static_cast<_Py_slist_t*>(alloc.malloc(kSmallest * sizeof(_Py_slist_t)));
  if (buckets == nullptr) {
    alloc.free(table);
    return nullptr;
  }
  memset(buckets, 0, kSmallest * sizeof(_Py_slist_t));
  const bool by_pointer = hash == _Py_hashtable_hash_ptr && compare == _Py_hashtable_compare_direct;
  *table = {.nentries = 0,
            .nbuckets = kSmallest,
            .buckets = buckets,
            .get_entry_func = by_pointer ? find_pointer : find,
            .hash_func = hash,
            .compare_func = compare,
            .key_destroy_func = destroy_key,
            .value_destroy_func = destroy_value,
            .alloc = alloc};
  return table;
}

_Py_hashtable_t* _Py_hashtable_new(_Py_hashtable_hash_func hash, _Py_hashtable_compare_func compare) {
  return _Py_hashtable_new_full(hash, compare, nullptr, nullptr, nullptr);
}

int _Py_hashtable_set(_Py_hashtable_t* table, const void* key, void* value) {
  auto* entry = static_cast<_Py_hashtable_entry_t*>(table->alloc.malloc(sizeof(_Py_hashtable_entry_t)));
  if (entry == nullptr) return -1;
  if (table->nentries + 1 > entries_to_grow(table->nbuckets) && resize(table, table->nbuckets * 2) < 0) {
    table->alloc.free(entry);
    return -1;
  }
  entry->key_hash = table->hash_func(key);
  entry->key = const_cast<void*>(key);
  entry->value = value;
  table->nentries++;
  push(bucket_of(table, entry->key_hash), entry);
  return 0;
}

void* _Py_hashtable_get(_Py_hashtable_t* table, const void* key) {
  _Py_hashtable_entry_t* entry = table->get_entry_func(table, key);
  return entry != nullptr ? entry->value : nullptr;
}

void* _Py_hashtable_steal(_Py_hashtable_t* table, const void* key) {
  _Py_hashtable_entry_t* entry = table->get_entry_func(table, key);
  if (entry == nullptr) return nullptr;
  _Py_slist_item_t** link = &bucket_of(table, entry->key_hash).head;
  while (*link != &entry->_Py_slist_item) link = &(*link)->next;
  *link = entry->_Py_slist_item.next;
  table->nentries--;
  void* value = entry->value;
  table->alloc.free(entry);
  // A table that cannot shrink is a large table, no more.
  if (table->nbuckets > kSmallest && table->nentries < entries_to_shrink(table->nbuckets)) {
    (void)resize(table, table->nbuckets / 2);
  }
  return value;
}

int _Py_hashtable_foreach(_Py_hashtable_t* table, _Py_hashtable_foreach_func visit, void* data) {
  for (size_t i = 0; i < table->nbuckets; i++) {
    for (auto* entry = first(table->buckets[i]); entry != nullptr;) {
      auto* next = following(entry);
      if (const int result = visit(table, entry->key, entry->value, data)) return result;
      entry = next;
    }
  }
  return 0;
}

void _Py_hashtable_clear(_Py_hashtable_t* table) {
  destroy_entries(table);
  (void)resize(table, kSmallest);
}

void _Py_hashtable_destroy(_Py_hashtable_t* table) {
  destroy_entries(table);
  table->alloc.free(table->buckets);
  table->alloc.free(table);
}
