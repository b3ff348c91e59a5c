// The pickler's memo table, and the helpers that picklers and unpicklers share.
#include "Lib/native/pickle/pickle.h"

namespace pyston::pickling {

constexpr Py_ssize_t kSmallestTable = 8;

MemoTable* MemoTable::create() {
  auto* table = static_cast<MemoTable*>(PyMem_Malloc(sizeof(MemoTable)));
  auto* entries = static_cast<Entry*>(PyMem_Calloc(kSmallestTable, sizeof(Entry)));
  if (table == nullptr || entries == nullptr) {
    PyMem_Free(table);
    PyMem_Free(entries);
    PyErr_NoMemory();
    return nullptr;
  }
  *table = {kSmallestTable - 1, 0, kSmallestTable, entries};
  return table;
}
void MemoTable::destroy(MemoTable* table) {
  if (table == nullptr) return;
  table->clear();
  PyMem_Free(table->entries);
  PyMem_Free(table);
}
void MemoTable::clear() {
  if (used == 0) return;
  auto* fresh = static_cast<Entry*>(PyMem_Calloc(kSmallestTable, sizeof(Entry)));
  Entry* old = entries;
  const Py_ssize_t count = allocated;
  if (fresh != nullptr) {
    // Swapped in first: dropping the keys can run Python code that uses the pickler.
    entries = fresh;
    allocated = kSmallestTable;
    mask = kSmallestTable - 1;
    used = 0;
    for (Py_ssize_t i = 0; i < count; i++) Py_XDECREF(old[i].key);
    PyMem_Free(old);
    return;
  }
  used = 0;
  for (Py_ssize_t i = 0; i < count; i++) Py_CLEAR(old[i].key);
}
MemoTable* MemoTable::copy() const {
  auto* table = static_cast<MemoTable*>(PyMem_Malloc(sizeof(MemoTable)));
  auto* copied = static_cast<Entry*>(PyMem_Calloc(static_cast<size_t>(allocated), sizeof(Entry)));
  if (table == nullptr || copied == nullptr) {
    PyMem_Free(table);
    PyMem_Free(copied);
    PyErr_NoMemory();
    return nullptr;
  }
  for (Py_ssize_t i = 0; i < allocated; i++) {
    copied[i] = entries[i];
    Py_XINCREF(copied[i].key);
  }
  *table = {mask, used, allocated, copied};
  return table;
}
Status MemoTable::set(PyObject* key, Py_ssize_t number) {
  Entry* entry = find(key);
  if (entry->key != nullptr) {
    entry->number = number;
    return Status::kOk;
  }
  entry->key = Py_NewRef(key);
  entry->number = number;
  used++;
  if (LIKELY(used * 3 < allocated * 2)) return Status::kOk;
  // Small tables grow fast, big ones must not waste memory.
  const Py_ssize_t size = allocated * (used > 50000 ? 2 : 4);
  auto* grown = static_cast<Entry*>(PyMem_Calloc(static_cast<size_t>(size), sizeof(Entry)));
  if (grown == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  Entry* old = std::exchange(entries, grown);
  const Py_ssize_t count = std::exchange(allocated, size);
  mask = static_cast<size_t>(size) - 1;
  for (Py_ssize_t i = 0; i < count; i++) {
    if (old[i].key != nullptr) *find(old[i].key) = old[i];
  }
  PyMem_Free(old);
  return Status::kOk;
}

Status check_dotted_name(PyObject* name, PyObject* object) {
  Ref<> dot = Ref<>::steal(PyUnicode_FromString("."));
  Ref<> parts = dot ? Ref<>::steal(PyUnicode_Split(name, dot.get(), -1)) : nullptr;
  if (!parts) return Status::kError;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(parts.get()); i++) {
    if (!_PyUnicode_EqualToASCIIString(PyList_GET_ITEM(parts.get(), i), "<locals>")) continue;
    if (object == nullptr) return raise(PyExc_AttributeError, "Can't get local object %R", name);
    return raise(PyExc_AttributeError, "Can't get local attribute %R on %R", name, object);
  }
  return Status::kOk;
}

Ref<> get_deep_attribute(PyObject* object, PyObject* dotted_name, Ref<>* parent) {
  const Py_ssize_t size = PyUnicode_GET_LENGTH(dotted_name);
  Ref<> owner = Ref<>::dup(object);
  Py_ssize_t start = 0;
  while (true) {
    const Py_ssize_t dot = PyUnicode_FindChar(dotted_name, '.', start, size, 1);
    if (dot < -1) return nullptr;
    const Py_ssize_t end = dot < 0 ? size : dot;
    Ref<> part = Ref<>::steal(PyUnicode_Substring(dotted_name, start, end));
    if (!part) return nullptr;
    Ref<> value = Ref<>::steal(PyObject_GetAttr(owner.get(), part.get()));
    if (!value) return nullptr;
    if (dot < 0) {
      if (parent != nullptr) *parent = std::move(owner);
      return value;
    }
    owner = std::move(value);
    start = dot + 1;
  }
}

Status bind_hook(PyObject* self, PyObject* name, PyObject*& function, PyObject*& function_self) {
  PyObject* found;
  if (_PyObject_LookupAttr(self, name, &found) < 0) return Status::kError;
  PyObject* old = function;
  function_self = nullptr;
  if (found != nullptr && PyMethod_Check(found) && PyMethod_GET_SELF(found) == self) {
    function_self = self;
    function = Py_NewRef(PyMethod_GET_FUNCTION(found));
    Py_DECREF(found);
  } else {
    function = found;
  }
  Py_XDECREF(old);
  return Status::kOk;
}

}  // namespace pyston::pickling
