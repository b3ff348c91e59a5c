// See constant_cache.h. QUIRK: a frozenset is rebuilt from its canonical items, since its order of iteration, which is
// visible, comes from that.
#include "Interpreter/compiler/constant_cache.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "Objects/callables/code_constants.h"

namespace pyston {

namespace {

size_t mix(size_t hash) {
  hash *= 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 32);
}
size_t hash_address(const void* object) { return mix(reinterpret_cast<uintptr_t>(object) >> 4); }

size_t hash_double(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return mix(bits);
}
/// The same bits, or the same object where that is a NaN.
bool same_double(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0 && !std::isnan(a); }

std::vector<PyObject*> sorted_items(PyObject* set) {
  std::vector<PyObject*> items;
  Py_ssize_t position = 0;
  PyObject* item;
  Py_hash_t hash;
  while (_PySet_NextEntry(set, &position, &item, &hash)) items.push_back(item);
  std::sort(items.begin(), items.end());
  return items;
}

}  // namespace

ConstantCache::~ConstantCache() {
  for (const Entry& entry : slots_) Py_XDECREF(entry.object);
}

void ConstantCache::grow() {
  std::vector<Entry> old(slots_.empty() ? 64 : slots_.size() * 2, Entry{nullptr, 0});
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Entry& entry : old) {
    if (entry.object == nullptr) continue;
    size_t slot = entry.hash & mask;
    while (slots_[slot].object != nullptr) slot = (slot + 1) & mask;
    slots_[slot] = entry;
  }
}

/// `same(object)` is 1, 0, or -1 with an exception, for an object of the value's type.
template <class Same>
PyObject* ConstantCache::find_or_add(PyObject* value, size_t hash, Same same) {
  if (used_ * 2 >= slots_.size()) grow();
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  for (; slots_[slot].object != nullptr; slot = (slot + 1) & mask) {
    PyObject* object = slots_[slot].object;
    if (object == value) return value;
    if (slots_[slot].hash != hash || Py_TYPE(object) != Py_TYPE(value)) continue;
    const int equal = same(object);
    if (equal != 0) return equal > 0 ? object : nullptr;
  }
  slots_[slot] = {Py_NewRef(value), hash};
  used_++;
  return value;
}

PyObject* ConstantCache::canonical_tuple(PyObject* tuple) {
  const Py_ssize_t size = PyTuple_GET_SIZE(tuple);
  PyObject** items = reinterpret_cast<PyTupleObject*>(tuple)->ob_item;
  size_t hash = static_cast<size_t>(size);
  for (Py_ssize_t i = 0; i < size; i++) hash = mix(hash ^ (reinterpret_cast<uintptr_t>(items[i]) >> 4));
  return find_or_add(tuple, hash, [&](PyObject* other) {
    return PyTuple_GET_SIZE(other) == size &&
           std::equal(items, items + size, reinterpret_cast<PyTupleObject*>(other)->ob_item);
  });
}

PyObject* ConstantCache::canonical_frozenset(PyObject* value) {
  Ref<> items = Ref<>::steal(PyTuple_New(PySet_GET_SIZE(value)));
  if (!items) return nullptr;
  Py_ssize_t position = 0;
  Py_ssize_t index = 0;
  size_t hash = 0;
  PyObject* item;
  Py_hash_t item_hash;
  while (_PySet_NextEntry(value, &position, &item, &item_hash)) {
    PyObject* shared = canonical(item);
    if (shared == nullptr) return nullptr;
    PyTuple_SET_ITEM(items.get(), index++, Py_NewRef(shared));
    hash += hash_address(shared);
  }
  Ref<> rebuilt = index > 0 ? Ref<>::steal(PyFrozenSet_New(items.get())) : Ref<>::dup(value);
  if (!rebuilt) return nullptr;
  return find_or_add(rebuilt.get(), mix(hash), [&](PyObject* other) {
    return PySet_GET_SIZE(other) == index && sorted_items(other) == sorted_items(rebuilt.get());
  });
}

PyObject* ConstantCache::canonical(PyObject* value) {
  PyTypeObject* type = Py_TYPE(value);
  if (value == Py_None || value == Py_Ellipsis || type == &PyBool_Type) return value;
  if (type == &PyTuple_Type) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); i++) {
      PyObject* item = PyTuple_GET_ITEM(value, i);
      PyObject* shared = canonical(item);
      if (shared == nullptr) return nullptr;
      if (shared == item) continue;
      PyTuple_SET_ITEM(value, i, Py_NewRef(shared));
      Py_DECREF(item);
    }
    return canonical_tuple(value);
  }
  if (type == &PyFloat_Type) {
    const double number = PyFloat_AS_DOUBLE(value);
    return find_or_add(value, hash_double(number),
                       [&](PyObject* other) { return same_double(PyFloat_AS_DOUBLE(other), number); });
  }
  if (type == &PyComplex_Type) {
    const Py_complex number = PyComplex_AsCComplex(value);
    return find_or_add(value, mix(hash_double(number.real) + 3 * hash_double(number.imag)), [&](PyObject* other) {
      const Py_complex known = PyComplex_AsCComplex(other);
      return same_double(known.real, number.real) && same_double(known.imag, number.imag);
    });
  }
  if (type == &PyFrozenSet_Type) return canonical_frozenset(value);
  Ref<> interned;  // now, as the code object would do later in a tuple that is shared by then
  if (type == &PyUnicode_Type && is_interned_constant(value)) {
    PyObject* text = Py_NewRef(value);
    PyUnicode_InternInPlace(&text);
    interned = Ref<>::steal(text);
    value = text;
  }
  if (type == &PyUnicode_Type || type == &PyLong_Type || type == &PyBytes_Type || type == &PyCode_Type) {
    const Py_hash_t hash = PyObject_Hash(value);
    if (hash == -1) return nullptr;
    return find_or_add(value, mix(static_cast<size_t>(hash)),
                       [&](PyObject* other) { return PyObject_RichCompareBool(other, value, Py_EQ); });
  }
  // Anything else (made by `ast`) is the same as itself only.
  return find_or_add(value, hash_address(value), [](PyObject*) { return 0; });
}

}  // namespace pyston
