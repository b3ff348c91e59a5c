// _Py_hashtable: a chained hash table of C pointers for the runtime itself (marshal, tracemalloc, extension modules).
// Entries keep their address until they are removed. INVARIANT: nbuckets is a power of two, at least 16.
#include "Runtime/python.h"

#include <internal/pycore_hashtable.h>

namespace {

constexpr size_t kMinimumBuckets = 16;
constexpr double kHighLoad = 0.50;  // grow above
constexpr double kLowLoad = 0.10;   // shrink below
constexpr double kTargetLoad = (kHighLoad + kLowLoad) / 2;

using Entry = _Py_hashtable_entry_t;

Entry* first_of(_Py_hashtable_t* table, size_t bucket) {
  return reinterpret_cast<Entry*>(_Py_SLIST_HEAD(&table->buckets[bucket]));
}
Entry* next_of(Entry* entry) { return reinterpret_cast<Entry*>(_Py_SLIST_ITEM_NEXT(entry)); }
void push(_Py_slist_t* list, Entry* entry) {
  entry->_Py_slist_item.next = list->head;
  list->head = &entry->_Py_slist_item;
}

size_t bucket_count_for(size_t wanted) {
  size_t count = kMinimumBuckets;
  while (count < wanted) count <<= 1;
  return count;
}

Entry* find_generic(_Py_hashtable_t* table, const void* key) {
  const Py_uhash_t hash = table->hash_func(key);
  Entry* entry = first_of(table, hash & (table->nbuckets - 1));
  while (entry != nullptr && !(entry->key_hash == hash && table->compare_func(key, entry->key))) entry = next_of(entry);
  return entry;
}

/// For the usual pair of functions, without calls.
Entry* find_pointer(_Py_hashtable_t* table, const void* key) {
  const Py_uhash_t hash = _Py_hashtable_hash_ptr(key);
  Entry* entry = first_of(table, hash & (table->nbuckets - 1));
  while (entry != nullptr && entry->key != key) entry = next_of(entry);
  return entry;
}

int rehash(_Py_hashtable_t* table) {
  const size_t count = bucket_count_for(static_cast<size_t>(static_cast<double>(table->nentries) / kTargetLoad));
  if (count == table->nbuckets) return 0;
  auto* buckets = static_cast<_Py_slist_t*>(table->alloc.malloc(count * sizeof(_Py_slist_t)));
  if (buckets == nullptr) return -1;
  memset(buckets, 0, count * sizeof(_Py_slist_t));
  for (size_t i = 0; i < table->nbuckets; i++) {
    for (Entry* entry = first_of(table, i); entry != nullptr;) {
      Entry* next = next_of(entry);
      push(&buckets[entry->key_hash & (count - 1)], entry);
      entry = next;
    }
  }
  table->alloc.free(table->buckets);
  table->buckets = buckets;
  table->nbuckets = count;
  return 0;
}

void destroy_entry(_Py_hashtable_t* table, Entry* entry) {
  if (table->key_destroy_func != nullptr) table->key_destroy_func(entry->key);
  if (table->value_destroy_func != nullptr) table->value_destroy_func(entry->value);
  table->alloc.free(entry);
}

}  // namespace

Py_uhash_t _Py_hashtable_hash_ptr(const void* key) {
  // The lowest bits of addresses are mostly zero.
  const auto bits = reinterpret_cast<size_t>(key);
  return (bits >> 4) | (bits << (8 * sizeof(void*) - 4));
}

int _Py_hashtable_compare_direct(const void* a, const void* b) { return a == b; }

size_t _Py_hashtable_size(const _Py_hashtable_t* table) {
  return sizeof(_Py_hashtable_t) + table->nbuckets * sizeof(_Py_slist_t) + table->nentries * sizeof(Entry);
}

void* _Py_hashtable_steal(_Py_hashtable_t* table, const void* key) {
  const Py_uhash_t hash = table->hash_func(key);
  _Py_slist_item_t** link = &table->buckets[hash & (table->nbuckets - 1)].head;
  for (; *link != nullptr; link = &(*link)->next) {
    auto* entry = reinterpret_cast<Entry*>(*link);
    if (entry->key_hash != hash || !table->compare_func(key, entry->key)) continue;
    *link = entry->_Py_slist_item.next;
    table->nentries--;
    void* value = entry->value;
    table->alloc.free(entry);
    if (static_cast<double>(table->nentries) / static_cast<double>(table->nbuckets) < kLowLoad) {
      rehash(table);  // without memory the larger table stays
    }
    return value;
  }
  return nullptr;
}

int _Py_hashtable_set(_Py_hashtable_t* table, const void* key, void* value) {
  auto* entry = static_cast<Entry*>(table->alloc.malloc(sizeof(Entry)));
  if (entry == nullptr) return -1;
  entry->key_hash = table->hash_func(key);
  entry->key = const_cast<void*>(key);
  entry->value = value;
  table->nentries++;
  if (static_cast<double>(table->nentries) / static_cast<double>(table->nbuckets) > kHighLoad && rehash(table) < 0) {
    table->nentries--;
    table->alloc.free(entry);
    return -1;
  }
  push(&table->buckets[entry->key_hash & (table->nbuckets - 1)], entry);
  return 0;
}

void* _Py_hashtable_get(_Py_hashtable_t* table, const void* key) {
  Entry* entry = table->get_entry_func(table, key);
  return entry != nullptr ? entry->value : nullptr;
}

int _Py_hashtable_foreach(_Py_hashtable_t* table, _Py_hashtable_foreach_func visitor, void* data) {
  for (size_t i = 0; i < table->nbuckets; i++) {
    for (Entry* entry = first_of(table, i); entry != nullptr; entry = next_of(entry)) {
      if (const int result = visitor(table, entry->key, entry->value, data); result != 0) return result;
    }
  }
  return 0;
}

_Py_hashtable_t* _Py_hashtable_new_full(_Py_hashtable_hash_func hash, _Py_hashtable_compare_func compare,
                                        _Py_hashtable_destroy_func destroy_key,
                                        _Py_hashtable_destroy_func destroy_value, _Py_hashtable_allocator_t* allocator) {
  _Py_hashtable_allocator_t alloc = {PyMem_Malloc, PyMem_Free};
  if (allocator != nullptr) alloc = *allocator;
  auto* table = static_cast<_Py_hashtable_t*>(alloc.malloc(sizeof(_Py_hashtable_t)));
  if (table == nullptr) return nullptr;
  table->buckets = static_cast<_Py_slist_t*>(alloc.malloc(kMinimumBuckets * sizeof(_Py_slist_t)));
  if (table->buckets == nullptr) {
    alloc.free(table);
    return nullptr;
  }
  memset(table->buckets, 0, kMinimumBuckets * sizeof(_Py_slist_t));
  table->nentries = 0;
  table->nbuckets = kMinimumBuckets;
  table->hash_func = hash;
  table->compare_func = compare;
  table->key_destroy_func = destroy_key;
  table->value_destroy_func = destroy_value;
  table->alloc = alloc;
  const bool pointers = hash == _Py_hashtable_hash_ptr && compare == _Py_hashtable_compare_direct;
  table->get_entry_func = pointers ? find_pointer : find_generic;
  return table;
}

_Py_hashtable_t* _Py_hashtable_new(_Py_hashtable_hash_func hash, _Py_hashtable_compare_func compare) {
  return _Py_hashtable_new_full(hash, compare, nullptr, nullptr, nullptr);
}

void _Py_hashtable_clear(_Py_hashtable_t* table) {
  for (size_t i = 0; i < table->nbuckets; i++) {
    for (Entry* entry = first_of(table, i); entry != nullptr;) {
      Entry* next = next_of(entry);
      destroy_entry(table, entry);
      entry = next;
    }
    table->buckets[i].head = nullptr;
  }
  table->nentries = 0;
  rehash(table);
}

void _Py_hashtable_destroy(_Py_hashtable_t* table) {
  for (size_t i = 0; i < table->nbuckets; i++) {
    for (Entry* entry = first_of(table, i); entry != nullptr;) {
      Entry* next = next_of(entry);
      destroy_entry(table, entry);
      entry = next;
    }
  }
  table->alloc.free(table->buckets);
  table->alloc.free(table);
}
