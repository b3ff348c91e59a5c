// The array module: homogeneous arrays of machine values.
//
// INVARIANT: while exports > 0 (somebody holds a buffer) the size can't change: BufferError.
#include <cstring>
#include <cwchar>

#include "Objects/bind.h"
#include "Objects/numbers/int.h"
#include "pycore_abstract.h"
#include "pycore_ceval.h"
#include "pycore_object.h"
#include "structmember.h"

using namespace pyston;

namespace {

struct ArrayObject;

/// How items of one type code are read, stored and compared.
struct ItemKind {
  char code;
  int size;
  PyObject* (*get)(const char*);           // returns new
  Status (*set)(PyObject* value, char* out);  // stores after all checks
  const char* buffer_format;
  bool is_integer;
  bool is_signed;
};

struct ArrayObject {
  PyObject_VAR_HEAD
  char* items;
  Py_ssize_t allocated;
  const ItemKind* kind;
  PyObject* weak_references;
  Py_ssize_t exports;
};
ArrayObject* as_array(PyObject* object) { return reinterpret_cast<ArrayObject*>(object); }

struct ArrayIterator {
  PyObject_HEAD
  Py_ssize_t index;
  ArrayObject* array;  // null when exhausted
};

struct ArrayState {
  PyTypeObject* array_type;
  PyTypeObject* iterator_type;
  PyObject* reconstructor;
};
extern PyModuleDef array_module;
ArrayState* state_of(PyObject* module) { return static_cast<ArrayState*>(PyModule_GetState(module)); }
ArrayState* state_of_type(PyTypeObject* type) { return state_of(PyType_GetModuleByDef(type, &array_module)); }
ArrayState* state_of_object(PyObject* self) { return state_of_type(Py_TYPE(self)); }
bool is_array(ArrayState* state, PyObject* object) { return PyObject_TypeCheck(object, state->array_type); }

// Items -------------------------------------------------------------------------------------------------------------

template <class T>
T load(const char* p) {
  T value;
  memcpy(&value, p, sizeof(value));
  return value;
}
template <class T>
Status store(char* p, T value) {
  memcpy(p, &value, sizeof(value));
  return Status::kOk;
}

template <class T>
PyObject* get_integer(const char* p) {
  if constexpr (std::is_signed_v<T>) return int_from_int64(load<T>(p));
  return PyLong_FromUnsignedLong(load<T>(p));
}

/// Integers read as a C long first; names are for the messages.
template <class T>
Status set_small(PyObject* value, char* out, long low, long high, const char* name) {
  Ref<> index = Ref<>::steal(PyLong_Check(value) ? Py_NewRef(value) : _PyNumber_Index(value));
  if (!index) return Status::kError;
  const long number = PyLong_AsLong(index.get());
  if (number == -1 && PyErr_Occurred()) return Status::kError;
  if (number < low) return raise(PyExc_OverflowError, "%s is less than minimum", name);
  if (number > high) return raise(PyExc_OverflowError, "%s is greater than maximum", name);
  return store(out, static_cast<T>(number));
}
Status set_b(PyObject* v, char* out) { return set_small<signed char>(v, out, -128, 127, "signed char"); }
Status set_B(PyObject* v, char* out) { return set_small<unsigned char>(v, out, 0, 255, "unsigned byte integer"); }
Status set_h(PyObject* v, char* out) { return set_small<short>(v, out, -32768, 32767, "signed short integer"); }
Status set_H(PyObject* v, char* out) { return set_small<unsigned short>(v, out, 0, 65535, "unsigned short"); }
Status set_i(PyObject* v, char* out) { return set_small<int>(v, out, INT_MIN, INT_MAX, "signed integer"); }
Status set_l(PyObject* value, char* out) {
  Ref<> index = Ref<>::steal(PyLong_Check(value) ? Py_NewRef(value) : _PyNumber_Index(value));
  if (!index) return Status::kError;
  const long number = PyLong_AsLong(index.get());
  if (number == -1 && PyErr_Occurred()) return Status::kError;
  return store(out, number);
}
Status set_q(PyObject* value, char* out) {
  Ref<> index = Ref<>::steal(PyLong_Check(value) ? Py_NewRef(value) : _PyNumber_Index(value));
  if (!index) return Status::kError;
  const long long number = PyLong_AsLongLong(index.get());
  if (number == -1 && PyErr_Occurred()) return Status::kError;
  return store(out, number);
}
template <class T>
Status set_unsigned(PyObject* value, char* out) {
  Ref<> index = Ref<>::steal(PyLong_Check(value) ? Py_NewRef(value) : _PyNumber_Index(value));
  if (!index) return Status::kError;
  const unsigned long number = std::is_same_v<T, unsigned long long> ? PyLong_AsUnsignedLongLong(index.get())
                                                                     : PyLong_AsUnsignedLong(index.get());
  if (number == static_cast<unsigned long>(-1) && PyErr_Occurred()) return Status::kError;
  if (number > static_cast<T>(-1)) return raise(PyExc_OverflowError, "unsigned int is greater than maximum");
  return store(out, static_cast<T>(number));
}
PyObject* get_f(const char* p) { return PyFloat_FromDouble(load<float>(p)); }
PyObject* get_d(const char* p) { return PyFloat_FromDouble(load<double>(p)); }
Status set_f(PyObject* value, char* out) {
  const double number = PyFloat_AsDouble(value);
  if (number == -1.0 && PyErr_Occurred()) return Status::kError;
  return store(out, static_cast<float>(number));
}
Status set_d(PyObject* value, char* out) {
  const double number = PyFloat_AsDouble(value);
  if (number == -1.0 && PyErr_Occurred()) return Status::kError;
  return store(out, number);
}
PyObject* get_u(const char* p) {
  const wchar_t character = load<wchar_t>(p);
  return PyUnicode_FromWideChar(&character, 1);
}
Status set_u(PyObject* value, char* out) {
  if (!PyUnicode_Check(value) || PyUnicode_GetLength(value) != 1) {
    return raise(PyExc_TypeError, "array item must be unicode character");
  }
  return store(out, static_cast<wchar_t>(PyUnicode_READ_CHAR(value, 0)));
}

constexpr ItemKind kKinds[] = {
    {'b', 1, get_integer<signed char>, set_b, "b", true, true},
    {'B', 1, get_integer<unsigned char>, set_B, "B", true, false},
    {'u', sizeof(wchar_t), get_u, set_u, "w", false, false},
    {'h', sizeof(short), get_integer<short>, set_h, "h", true, true},
    {'H', sizeof(short), get_integer<unsigned short>, set_H, "H", true, false},
    {'i', sizeof(int), get_integer<int>, set_i, "i", true, true},
    {'I', sizeof(int), get_integer<unsigned>, set_unsigned<unsigned>, "I", true, false},
    {'l', sizeof(long), get_integer<long>, set_l, "l", true, true},
    {'L', sizeof(long), get_integer<unsigned long>, set_unsigned<unsigned long>, "L", true, false},
    {'q', sizeof(long long), get_integer<long long>, set_q, "q", true, true},
    {'Q', sizeof(long long), get_integer<unsigned long long>, set_unsigned<unsigned long long>, "Q", true, false},
    {'f', sizeof(float), get_f, set_f, "f", false, false},
    {'d', sizeof(double), get_d, set_d, "d", false, false},
};
const ItemKind* find_kind(Py_UCS4 code) {
  for (const ItemKind& kind : kKinds) {
    if (static_cast<Py_UCS4>(kind.code) == code) return &kind;
  }
  return nullptr;
}

// Storage -----------------------------------------------------------------------------------------------------------

Status resize(ArrayObject* self, Py_ssize_t size) {
  if (self->exports > 0 && size != Py_SIZE(self)) {
    return raise(PyExc_BufferError, "cannot resize an array that is exporting buffers");
  }
  if (self->allocated >= size && Py_SIZE(self) < size + 16 && self->items != nullptr) {
    Py_SET_SIZE(self, size);
    return Status::kOk;
  }
  if (size == 0) {
    PyMem_Free(std::exchange(self->items, nullptr));
    Py_SET_SIZE(self, 0);
    self->allocated = 0;
    return Status::kOk;
  }
  const Py_ssize_t room = (size >> 4) + (Py_SIZE(self) < 8 ? 3 : 7) + size;
  if (room > PY_SSIZE_T_MAX / self->kind->size) {
    PyErr_NoMemory();
    return Status::kError;
  }
  char* items = static_cast<char*>(PyMem_Realloc(self->items, static_cast<size_t>(room * self->kind->size)));
  if (items == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  self->items = items;
  Py_SET_SIZE(self, size);
  self->allocated = room;
  return Status::kOk;
}

ArrayObject* new_array(PyTypeObject* type, Py_ssize_t size, const ItemKind* kind) {
  if (size < 0) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (size > PY_SSIZE_T_MAX / kind->size) return reinterpret_cast<ArrayObject*>(PyErr_NoMemory());
  ArrayObject* self = as_array(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->kind = kind;
  self->allocated = size;
  self->weak_references = nullptr;
  self->exports = 0;
  self->items = nullptr;
  Py_SET_SIZE(self, size);
  if (size > 0) {
    self->items = static_cast<char*>(PyMem_Malloc(static_cast<size_t>(size * kind->size)));
    if (self->items == nullptr) {
      Py_SET_SIZE(self, 0);
      Py_DECREF(as_object(self));
      return reinterpret_cast<ArrayObject*>(PyErr_NoMemory());
    }
  }
  return self;
}

char* item_at(ArrayObject* self, Py_ssize_t i) { return self->items + i * self->kind->size; }
size_t byte_count(const ArrayObject* self) { return static_cast<size_t>(Py_SIZE(self) * self->kind->size); }

/// memcpy that is fine with empty arrays, which have no memory.
void copy_items(char* out, const char* in, Py_ssize_t bytes) {
  if (bytes > 0) memcpy(out, in, static_cast<size_t>(bytes));
}

Status append(ArrayObject* self, PyObject* value) {
  char item[16];
  // Converted first: that can run any code.
  VM_CHECK(self->kind->set(value, item));
  const Py_ssize_t size = Py_SIZE(self);
  VM_CHECK(resize(self, size + 1));
  memcpy(item_at(self, size), item, static_cast<size_t>(self->kind->size));
  return Status::kOk;
}

Status insert(ArrayObject* self, Py_ssize_t where, PyObject* value) {
  char item[16];
  VM_CHECK(self->kind->set(value, item));
  const Py_ssize_t size = Py_SIZE(self);
  VM_CHECK(resize(self, size + 1));
  if (where < 0) where = Py_MAX(where + size, 0);
  where = Py_MIN(where, size);
  memmove(item_at(self, where + 1), item_at(self, where), static_cast<size_t>((size - where) * self->kind->size));
  memcpy(item_at(self, where), item, static_cast<size_t>(self->kind->size));
  return Status::kOk;
}

Status extend_with_array(ArrayState* state, ArrayObject* self, ArrayObject* other) {
  if (self->kind != other->kind) return raise(PyExc_TypeError, "can only extend with array of same kind");
  const Py_ssize_t old_size = Py_SIZE(self);
  const Py_ssize_t added = Py_SIZE(other);
  if (old_size > PY_SSIZE_T_MAX - added) {
    PyErr_NoMemory();
    return Status::kError;
  }
  VM_CHECK(resize(self, old_size + added));
  if (added > 0) copy_items(item_at(self, old_size), other->items, added * self->kind->size);
  return Status::kOk;
}

Status extend_with_items(ArrayObject* self, PyObject* other) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(other));
  if (!iterator) return Status::kError;
  while (Ref<> value = Ref<>::steal(PyIter_Next(iterator.get()))) VM_CHECK(append(self, value.get()));
  return PyErr_Occurred() ? Status::kError : Status::kOk;
}

Status extend_with(ArrayState* state, ArrayObject* self, PyObject* other) {
  if (is_array(state, other)) return extend_with_array(state, self, as_array(other));
  return extend_with_items(self, other);
}

Status append_bytes(ArrayObject* self, const char* data, Py_ssize_t size) {
  const Py_ssize_t item_size = self->kind->size;
  if (size % item_size != 0) return raise(PyExc_ValueError, "bytes length not a multiple of item size");
  const Py_ssize_t old_size = Py_SIZE(self);
  if (size / item_size > 0) {
    if (old_size > PY_SSIZE_T_MAX - size / item_size) {
      PyErr_NoMemory();
      return Status::kError;
    }
    VM_CHECK(resize(self, old_size + size / item_size));
    memcpy(item_at(self, old_size), data, static_cast<size_t>(size));
  }
  return Status::kOk;
}

Status append_text(ArrayObject* self, PyObject* text) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  if (length == 0) return Status::kOk;
  const Py_ssize_t old_size = Py_SIZE(self);
  VM_CHECK(resize(self, old_size + length));
  PyUnicode_AsWideChar(text, reinterpret_cast<wchar_t*>(item_at(self, old_size)), length);
  return Status::kOk;
}

// Construction ------------------------------------------------------------------------------------------------------

PyObject* array_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  ArrayState* state = state_of_type(type);
  if ((type == state->array_type || type->tp_init == state->array_type->tp_init) && kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) {
    return raise(PyExc_TypeError, "array.array() takes no keyword arguments");
  }
  const Py_ssize_t n = PyTuple_GET_SIZE(args);
  if (n < 1) return raise(PyExc_TypeError, "array() takes at least 1 argument (0 given)");
  if (n > 2) return raise(PyExc_TypeError, "array() takes at most 2 arguments (%zd given)", n);
  PyObject* code = PyTuple_GET_ITEM(args, 0);
  PyObject* initial = n == 2 ? PyTuple_GET_ITEM(args, 1) : nullptr;
  if (!PyUnicode_Check(code) || PyUnicode_GetLength(code) != 1) {
    return raise(PyExc_TypeError, "array() argument 1 must be a unicode character, not %.50s", Py_TYPE(code)->tp_name);
  }
  const Py_UCS4 letter = PyUnicode_READ_CHAR(code, 0);
  if (PySys_Audit("array.__new__", "CO", static_cast<int>(letter), initial != nullptr ? initial : Py_None) < 0) return nullptr;
  if (initial != nullptr && letter != 'u') {
    if (PyUnicode_Check(initial)) {
      return raise(PyExc_TypeError, "cannot use a str to initialize an array with typecode '%c'", static_cast<int>(letter));
    }
    if (is_array(state, initial) && as_array(initial)->kind->code == 'u') {
      return raise(PyExc_TypeError, "cannot use a unicode array to initialize an array with typecode '%c'", static_cast<int>(letter));
    }
  }
  const ItemKind* kind = find_kind(letter);
  if (kind == nullptr) {
    return raise(PyExc_ValueError, "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)");
  }
  const bool sequence = initial != nullptr && (PyList_Check(initial) || PyTuple_Check(initial));
  const bool is_text = initial != nullptr && PyUnicode_Check(initial);
  const Py_ssize_t expected = sequence ? PySequence_Fast_GET_SIZE(initial) : is_text ? PyUnicode_GET_LENGTH(initial) : 0;
  Ref<> result = Ref<>::steal(new_array(type, expected, kind));
  if (!result || initial == nullptr) return result.release();
  ArrayObject* self = as_array(result.get());
  Status outcome = Status::kOk;
  if (sequence) {  // the size is known, but converting an item can change a list
    for (Py_ssize_t i = 0; i < expected && ok(outcome); i++) {
      if (i >= PySequence_Fast_GET_SIZE(initial)) return raise(PyExc_RuntimeError, "list changed size during iteration");
      char item[16];
      Ref<> value = Ref<>::dup(PySequence_Fast_GET_ITEM(initial, i));
      outcome = kind->set(value.get(), item);
      if (ok(outcome)) memcpy(item_at(self, i), item, static_cast<size_t>(kind->size));
    }
  } else if (PyByteArray_Check(initial) || PyBytes_Check(initial)) {
    Buffer buffer;
    if (!buffer.acquire(initial)) return nullptr;
    outcome = append_bytes(self, buffer.data(), buffer.size());
  } else if (is_text) {
    if (expected > 0) PyUnicode_AsWideChar(initial, reinterpret_cast<wchar_t*>(self->items), expected);
  } else if (is_array(state, initial) && as_array(initial)->kind == kind) {
    outcome = extend_with_array(state, self, as_array(initial));
  } else {
    outcome = extend_with_items(self, initial);
  }
  return ok(outcome) ? result.release() : nullptr;
}

void array_dealloc(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  if (as_array(object)->weak_references != nullptr) PyObject_ClearWeakRefs(object);
  PyMem_Free(as_array(object)->items);
  type->tp_free(object);
  Py_DECREF(type);
}
int array_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  return 0;
}

// Slots -------------------------------------------------------------------------------------------------------------

Py_ssize_t array_length(PyObject* self) { return Py_SIZE(self); }

PyObject* array_item(PyObject* self, Py_ssize_t i) {
  if (i < 0 || i >= Py_SIZE(self)) return raise(PyExc_IndexError, "array index out of range");
  return as_array(self)->kind->get(item_at(as_array(self), i));
}

PyObject* array_slice(ArrayObject* self, Py_ssize_t start, Py_ssize_t step, Py_ssize_t count) {
  ArrayState* state = state_of_object(as_object(self));
  ArrayObject* result = new_array(state->array_type, Py_MAX(count, 0), self->kind);
  if (result == nullptr || count <= 0) return as_object(result);
  const Py_ssize_t size = self->kind->size;
  if (step == 1) {
    memcpy(result->items, item_at(self, start), static_cast<size_t>(count * size));
  } else {
    for (Py_ssize_t i = 0; i < count; i++, start += step) memcpy(item_at(result, i), item_at(self, start), static_cast<size_t>(size));
  }
  return as_object(result);
}

PyObject* array_subscript(PyObject* self, PyObject* key) {
  if (PyIndex_Check(key)) {
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) return nullptr;
    if (i < 0) i += Py_SIZE(self);
    return array_item(self, i);
  }
  if (!PySlice_Check(key)) return raise(PyExc_TypeError, "array indices must be integers");
  Py_ssize_t start;
  Py_ssize_t stop;
  Py_ssize_t step;
  if (PySlice_Unpack(key, &start, &stop, &step) < 0) return nullptr;
  const Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
  return array_slice(as_array(self), start, step, count);
}

/// Removes items [low, high).
Status delete_range(ArrayObject* self, Py_ssize_t low, Py_ssize_t high) {
  low = Py_MAX(low, 0);
  high = Py_MIN(high, Py_SIZE(self));
  if (low >= high) return Status::kOk;
  const Py_ssize_t size = self->kind->size;
  if (self->exports > 0) return raise(PyExc_BufferError, "cannot resize an array that is exporting buffers");
  memmove(item_at(self, low), item_at(self, high), static_cast<size_t>((Py_SIZE(self) - high) * size));
  return resize(self, Py_SIZE(self) - (high - low));
}

int array_assign_item(PyObject* self, Py_ssize_t i, PyObject* value) {
  if (i < 0 || i >= Py_SIZE(self)) return raise(PyExc_IndexError, "array assignment index out of range");
  if (value == nullptr) return static_cast<int>(delete_range(as_array(self), i, i + 1));
  char item[16];
  if (!ok(as_array(self)->kind->set(value, item))) return -1;
  if (i >= Py_SIZE(self)) return raise(PyExc_IndexError, "array assignment index out of range");
  memcpy(item_at(as_array(self), i), item, static_cast<size_t>(as_array(self)->kind->size));
  return 0;
}

int delete_stepped(ArrayObject* self, Py_ssize_t start, Py_ssize_t step, Py_ssize_t count) {
  if (count <= 0) return 0;
  if (self->exports > 0) return raise(PyExc_BufferError, "cannot resize an array that is exporting buffers");
  if (step < 0) {
    start += step * (count - 1);
    step = -step;
  }
  const Py_ssize_t size = self->kind->size;
  Py_ssize_t out = start;
  for (Py_ssize_t i = 0; i < count; i++) {
    const Py_ssize_t from = start + i * step + 1;
    const Py_ssize_t until = i + 1 < count ? from + step - 1 : Py_SIZE(self);
    memmove(item_at(self, out), item_at(self, from), static_cast<size_t>((until - from) * size));
    out += until - from;
  }
  return static_cast<int>(resize(self, Py_SIZE(self) - count));
}

int array_assign_subscript(PyObject* object, PyObject* key, PyObject* value) {
  ArrayObject* self = as_array(object);
  ArrayState* state = state_of_object(object);
  if (PyIndex_Check(key)) {
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) return -1;
    if (i < 0) i += Py_SIZE(self);
    return array_assign_item(object, i, value);
  }
  if (!PySlice_Check(key)) return raise(PyExc_TypeError, "array indices must be integers");
  Py_ssize_t start;
  Py_ssize_t stop;
  Py_ssize_t step;
  if (PySlice_Unpack(key, &start, &stop, &step) < 0) return -1;
  const Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
  if (value == nullptr) {
    if (step == 1) return static_cast<int>(delete_range(self, start, start + count));
    return delete_stepped(self, start, step, count);
  }
  if (!is_array(state, value)) {
    return raise(PyExc_TypeError, "can only assign array (not \"%.200s\") to array slice", Py_TYPE(value)->tp_name);
  }
  ArrayObject* other = as_array(value);
  if (self == other) {
    Ref<> copy = Ref<>::steal(array_slice(other, 0, 1, Py_SIZE(other)));
    return copy ? array_assign_subscript(object, key, copy.get()) : -1;
  }
  if (other->kind != self->kind) {
    PyErr_BadArgument();
    return -1;
  }
  const Py_ssize_t needed = Py_SIZE(other);
  const Py_ssize_t size = self->kind->size;
  if (step != 1) {
    if (needed != count) {
      return raise(PyExc_ValueError, "attempt to assign array of size %zd to extended slice of size %zd", needed, count);
    }
    for (Py_ssize_t i = 0; i < count; i++, start += step) memcpy(item_at(self, start), item_at(other, i), static_cast<size_t>(size));
    return 0;
  }
  const Py_ssize_t old_size = Py_SIZE(self);
  if (needed != count && self->exports > 0) {
    return raise(PyExc_BufferError, "cannot resize an array that is exporting buffers");
  }
  const Py_ssize_t tail = old_size - (start + count);
  if (needed < count && tail > 0) {
    memmove(item_at(self, start + needed), item_at(self, start + count), static_cast<size_t>(tail * size));
  }
  if (!ok(resize(self, old_size + needed - count))) return -1;
  if (needed > count && tail > 0) {
    memmove(item_at(self, start + needed), item_at(self, start + count), static_cast<size_t>(tail * size));
  }
  if (needed > 0) memcpy(item_at(self, start), other->items, static_cast<size_t>(needed * size));
  return 0;
}

PyObject* array_concat(PyObject* self, PyObject* other) {
  ArrayState* state = state_of_object(self);
  if (!is_array(state, other)) {
    return raise(PyExc_TypeError, "can only append array (not \"%.200s\") to array", Py_TYPE(other)->tp_name);
  }
  if (as_array(self)->kind != as_array(other)->kind) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (Py_SIZE(self) > PY_SSIZE_T_MAX - Py_SIZE(other)) return PyErr_NoMemory();
  ArrayObject* result = new_array(state->array_type, Py_SIZE(self) + Py_SIZE(other), as_array(self)->kind);
  if (result == nullptr) return nullptr;
  const Py_ssize_t first = static_cast<Py_ssize_t>(byte_count(as_array(self)));
  copy_items(result->items, as_array(self)->items, first);
  copy_items(result->items + first, as_array(other)->items, static_cast<Py_ssize_t>(byte_count(as_array(other))));
  return as_object(result);
}
PyObject* array_repeat(PyObject* self, Py_ssize_t n) {
  n = Py_MAX(n, 0);
  if (n > 0 && Py_SIZE(self) > PY_SSIZE_T_MAX / n) return PyErr_NoMemory();
  ArrayObject* result = new_array(state_of_object(self)->array_type, Py_SIZE(self) * n, as_array(self)->kind);
  if (result == nullptr) return nullptr;
  const Py_ssize_t size = static_cast<Py_ssize_t>(byte_count(as_array(self)));
  for (Py_ssize_t i = 0; i < n; i++) copy_items(result->items + i * size, as_array(self)->items, size);
  return as_object(result);
}
PyObject* array_inplace_concat(PyObject* self, PyObject* other) {
  ArrayState* state = state_of_object(self);
  if (!is_array(state, other)) {
    return raise(PyExc_TypeError, "can only extend with array (not \"%.200s\")", Py_TYPE(other)->tp_name);
  }
  return ok(extend_with_array(state, as_array(self), as_array(other))) ? Py_NewRef(self) : nullptr;
}
PyObject* array_inplace_repeat(PyObject* object, Py_ssize_t n) {
  ArrayObject* self = as_array(object);
  const Py_ssize_t size = static_cast<Py_ssize_t>(byte_count(self));
  if (Py_SIZE(self) > 0 && n != 1) {
    n = Py_MAX(n, 0);
    if (n > 0 && Py_SIZE(self) > PY_SSIZE_T_MAX / n) return PyErr_NoMemory();
    if (!ok(resize(self, Py_SIZE(self) * n))) return nullptr;
    for (Py_ssize_t i = 1; i < n; i++) copy_items(self->items + i * size, self->items, size);
  }
  return Py_NewRef(object);
}

int array_contains(PyObject* self, PyObject* value) {
  for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
    Ref<> item = Ref<>::steal(array_item(self, i));
    if (!item) return -1;
    const int equal = PyObject_RichCompareBool(item.get(), value, Py_EQ);
    if (equal != 0) return equal;
  }
  return 0;
}

PyObject* array_richcompare(PyObject* v, PyObject* w, int op) {
  ArrayState* state = state_of_object(v);
  if (!is_array(state, v) || !is_array(state, w)) Py_RETURN_NOTIMPLEMENTED;
  ArrayObject* a = as_array(v);
  ArrayObject* b = as_array(w);
  if (Py_SIZE(a) != Py_SIZE(b) && (op == Py_EQ || op == Py_NE)) return PyBool_FromLong(op == Py_NE);
  // FAST: equal integers have equal bytes.
  if (a->kind == b->kind && a->kind->is_integer && (op == Py_EQ || op == Py_NE)) {
    const bool equal = Py_SIZE(a) == 0 || memcmp(a->items, b->items, byte_count(a)) == 0;
    return PyBool_FromLong(equal == (op == Py_EQ));
  }
  for (Py_ssize_t i = 0; i < Py_SIZE(a) && i < Py_SIZE(b); i++) {
    Ref<> x = Ref<>::steal(array_item(v, i));
    if (!x) return nullptr;
    Ref<> y = Ref<>::steal(array_item(w, i));
    if (!y) return nullptr;
    const int equal = PyObject_RichCompareBool(x.get(), y.get(), Py_EQ);
    if (equal < 0) return nullptr;
    if (equal == 0) {
      if (op == Py_EQ) Py_RETURN_FALSE;
      if (op == Py_NE) Py_RETURN_TRUE;
      return PyObject_RichCompare(x.get(), y.get(), op);
    }
  }
  Py_RETURN_RICHCOMPARE(Py_SIZE(a), Py_SIZE(b), op);
}

PyObject* array_tolist(Borrowed<ArrayObject> self) {
  Ref<> list = Ref<>::steal(PyList_New(Py_SIZE(self.object())));
  if (!list) return nullptr;
  for (Py_ssize_t i = 0; i < Py_SIZE(self.object()); i++) {
    PyObject* item = array_item(self.object(), i);
    if (item == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), i, item);
  }
  return list.release();
}

PyObject* array_repr(PyObject* self) {
  const char* name = _PyType_Name(Py_TYPE(self));
  const char code = as_array(self)->kind->code;
  if (Py_SIZE(self) == 0) return PyUnicode_FromFormat("%s('%c')", name, code);
  Ref<> values = Ref<>::steal(code == 'u' ? PyUnicode_FromWideChar(reinterpret_cast<wchar_t*>(as_array(self)->items), Py_SIZE(self))
                                          : array_tolist(as_array(self)));
  return values ? PyUnicode_FromFormat("%s('%c', %R)", name, code, values.get()) : nullptr;
}

int array_getbuffer(PyObject* object, Py_buffer* view, int flags) {
  static char empty[1];
  ArrayObject* self = as_array(object);
  if (view == nullptr) return raise(PyExc_BufferError, "array_buffer_getbuf: view==NULL argument is obsolete");
  view->buf = self->items != nullptr ? self->items : empty;
  view->obj = Py_NewRef(object);
  view->len = static_cast<Py_ssize_t>(byte_count(self));
  view->readonly = 0;
  view->ndim = 1;
  view->itemsize = self->kind->size;
  view->suboffsets = nullptr;
  view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &reinterpret_cast<PyVarObject*>(self)->ob_size : nullptr;
  view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : nullptr;
  view->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? const_cast<char*>(self->kind->buffer_format) : nullptr;
  view->internal = nullptr;
  self->exports++;
  return 0;
}
void array_releasebuffer(PyObject* self, Py_buffer*) { as_array(self)->exports--; }

// Methods -----------------------------------------------------------------------------------------------------------

Status array_append(Borrowed<ArrayObject> self, Borrowed<> value) { return append(self, value); }
PyObject* array_buffer_info(Borrowed<ArrayObject> self) {
  return Py_BuildValue("(Nn)", PyLong_FromVoidPtr(self->items), Py_SIZE(self.object()));
}
Status array_byteswap(Borrowed<ArrayObject> self) {
  const Py_ssize_t n = Py_SIZE(self.object());
  const int size = self->kind->size;
  for (Py_ssize_t i = 0; i < n && size > 1; i++) {
    char* p = item_at(self, i);
    for (int low = 0, high = size - 1; low < high; low++, high--) std::swap(p[low], p[high]);
  }
  return Status::kOk;
}
PyObject* array_copy(Borrowed<ArrayObject> self) { return array_slice(self, 0, 1, Py_SIZE(self.object())); }
PyObject* array_deepcopy(Borrowed<ArrayObject> self, Borrowed<>) { return array_copy(self); }

PyObject* array_count(Borrowed<ArrayObject> self, Borrowed<> value) {
  Py_ssize_t count = 0;
  for (Py_ssize_t i = 0; i < Py_SIZE(self.object()); i++) {
    Ref<> item = Ref<>::steal(array_item(self.object(), i));
    if (!item) return nullptr;
    const int equal = PyObject_RichCompareBool(item.get(), value, Py_EQ);
    if (equal < 0) return nullptr;
    count += equal;
  }
  return PyLong_FromSsize_t(count);
}

PyObject* array_index(Borrowed<ArrayObject> self, Borrowed<> value, PyObject* start_object, PyObject* stop_object) {
  Py_ssize_t start = 0;
  Py_ssize_t stop = PY_SSIZE_T_MAX;
  if (start_object != nullptr && !_PyEval_SliceIndexNotNone(start_object, &start)) return nullptr;
  if (stop_object != nullptr && !_PyEval_SliceIndexNotNone(stop_object, &stop)) return nullptr;
  if (start < 0) start = Py_MAX(start + Py_SIZE(self.object()), 0);
  if (stop < 0) stop += Py_SIZE(self.object());
  // The size is looked at every time: comparisons can change it.
  for (Py_ssize_t i = start; i < stop && i < Py_SIZE(self.object()); i++) {
    Ref<> item = Ref<>::steal(array_item(self.object(), i));
    if (!item) return nullptr;
    const int equal = PyObject_RichCompareBool(item.get(), value, Py_EQ);
    if (equal < 0) return nullptr;
    if (equal > 0) return PyLong_FromSsize_t(i);
  }
  return raise(PyExc_ValueError, "array.index(x): x not in array");
}

Status array_remove(Borrowed<ArrayObject> self, Borrowed<> value) {
  for (Py_ssize_t i = 0; i < Py_SIZE(self.object()); i++) {
    Ref<> item = Ref<>::steal(array_item(self.object(), i));
    if (!item) return Status::kError;
    const int equal = PyObject_RichCompareBool(item.get(), value, Py_EQ);
    if (equal < 0) return Status::kError;
    if (equal > 0) return delete_range(self, i, i + 1);
  }
  return raise(PyExc_ValueError, "array.remove(x): x not in array");
}

PyObject* array_pop(Borrowed<ArrayObject> self, Optional<Py_ssize_t> index_argument) {
  const Py_ssize_t size = Py_SIZE(self.object());
  if (size == 0) return raise(PyExc_IndexError, "pop from empty array");
  Py_ssize_t i = index_argument.value_or(-1);
  if (i < 0) i += size;
  if (i < 0 || i >= size) return raise(PyExc_IndexError, "pop index out of range");
  Ref<> item = Ref<>::steal(array_item(self.object(), i));
  if (!item || !ok(delete_range(self, i, i + 1))) return nullptr;
  return item.release();
}

Status array_extend(Borrowed<ArrayObject> self, Borrowed<> values) {
  return extend_with(state_of_object(self.object()), self, values);
}
Status array_insert(Borrowed<ArrayObject> self, Py_ssize_t index, Borrowed<> value) { return insert(self, index, value); }

Status array_fromlist(Borrowed<ArrayObject> self, Borrowed<> list) {
  if (!PyList_Check(list.get())) return raise(PyExc_TypeError, "arg must be list");
  const Py_ssize_t n = PyList_GET_SIZE(list.get());
  if (n == 0) return Status::kOk;
  const Py_ssize_t old_size = Py_SIZE(self.object());
  VM_CHECK(resize(self, old_size + n));
  for (Py_ssize_t i = 0; i < n; i++) {
    char item[16];
    if (!ok(self->kind->set(PyList_GET_ITEM(list.get(), i), item))) {
      (void)resize(self, old_size);  // all or nothing
      return Status::kError;
    }
    if (n != PyList_GET_SIZE(list.get())) {
      (void)resize(self, old_size);
      return raise(PyExc_RuntimeError, "list changed size during iteration");
    }
    memcpy(item_at(self, old_size + i), item, static_cast<size_t>(self->kind->size));
  }
  return Status::kOk;
}

Status array_frombytes(Borrowed<ArrayObject> self, Buffer buffer) { return append_bytes(self, buffer.data(), buffer.size()); }

Status array_fromfile(Borrowed<ArrayObject> self, Borrowed<> file, Py_ssize_t n) {
  if (n < 0) return raise(PyExc_ValueError, "negative count");
  if (n > PY_SSIZE_T_MAX / self->kind->size) {
    PyErr_NoMemory();
    return Status::kError;
  }
  const Py_ssize_t wanted = n * self->kind->size;
  Ref<> bytes = Ref<>::steal(PyObject_CallMethod(file, "read", "n", wanted));
  if (!bytes) return Status::kError;
  if (!PyBytes_Check(bytes.get())) return raise(PyExc_TypeError, "read() didn't return bytes");
  const bool complete = PyBytes_GET_SIZE(bytes.get()) == wanted;
  VM_CHECK(append_bytes(self, PyBytes_AS_STRING(bytes.get()), PyBytes_GET_SIZE(bytes.get())));
  if (!complete) return raise(PyExc_EOFError, "read() didn't return enough bytes");
  return Status::kOk;
}

Status array_tofile(Borrowed<ArrayObject> self, Borrowed<> file) {
  constexpr Py_ssize_t kBlock = 64 * 1024;
  const Py_ssize_t total = static_cast<Py_ssize_t>(byte_count(self));
  for (Py_ssize_t done = 0; done < total; done += kBlock) {
    Ref<> bytes = Ref<>::steal(PyBytes_FromStringAndSize(self->items + done, Py_MIN(kBlock, total - done)));
    if (!bytes) return Status::kError;
    Ref<> result = Ref<>::steal(PyObject_CallMethod(file, "write", "O", bytes.get()));
    if (!result) return Status::kError;
  }
  return Status::kOk;
}

PyObject* array_tobytes(Borrowed<ArrayObject> self) {
  if (Py_SIZE(self.object()) > PY_SSIZE_T_MAX / self->kind->size) return PyErr_NoMemory();
  return PyBytes_FromStringAndSize(self->items, static_cast<Py_ssize_t>(byte_count(self)));
}

Status array_fromunicode(Borrowed<ArrayObject> self, Borrowed<PyUnicodeObject> text) {
  if (self->kind->code != 'u') return raise(PyExc_ValueError, "fromunicode() may only be called on unicode type arrays");
  return append_text(self, text.object());
}
PyObject* array_tounicode(Borrowed<ArrayObject> self) {
  if (self->kind->code != 'u') return raise(PyExc_ValueError, "tounicode() may only be called on unicode type arrays");
  return PyUnicode_FromWideChar(reinterpret_cast<wchar_t*>(self->items), Py_SIZE(self.object()));
}
Status array_reverse(Borrowed<ArrayObject> self) {
  const size_t size = static_cast<size_t>(self->kind->size);
  char temporary[16];
  for (Py_ssize_t low = 0, high = Py_SIZE(self.object()) - 1; low < high; low++, high--) {
    memcpy(temporary, item_at(self, low), size);
    memcpy(item_at(self, low), item_at(self, high), size);
    memcpy(item_at(self, high), temporary, size);
  }
  return Status::kOk;
}
PyObject* array_sizeof(Borrowed<ArrayObject> self) {
  return PyLong_FromSsize_t(Py_TYPE(self.object())->tp_basicsize + self->allocated * self->kind->size);
}

// Pickling: items as bytes with a code for their machine format -----------------------------------------------------

/// Machine format codes of PEP 3131's time: signedness, size and (little-endian) order of an item.
int machine_format(const ItemKind* kind) {
  if (kind->code == 'u') return sizeof(wchar_t) == 2 ? 18 : 20;
  if (kind->code == 'f') return 14;
  if (kind->code == 'd') return 16;
  switch (kind->size) {
    case 1: return kind->is_signed ? 1 : 0;
    case 2: return kind->is_signed ? 4 : 2;
    case 4: return kind->is_signed ? 8 : 6;
    default: return kind->is_signed ? 12 : 10;
  }
}
struct MachineFormat {
  int size;
  bool is_signed;
  bool big_endian;
};
constexpr MachineFormat kMachineFormats[] = {
    {1, false, false}, {1, true, false}, {2, false, false}, {2, false, true}, {2, true, false}, {2, true, true},
    {4, false, false}, {4, false, true}, {4, true, false},  {4, true, true},  {8, false, false}, {8, false, true},
    {8, true, false},  {8, true, true},  {4, false, false}, {4, false, true}, {8, false, false}, {8, false, true},
    {4, false, false}, {4, false, true}, {8, false, false}, {8, false, true},
};

PyObject* array_reduce_ex(Borrowed<ArrayObject> self, Borrowed<> value) {
  PyObject* dict_object = nullptr;
  if (_PyObject_LookupAttr(self.object(), &_Py_ID(__dict__), &dict_object) < 0) return nullptr;
  Ref<> dict = dict_object != nullptr ? Ref<>::steal(dict_object) : Ref<>::none();
  if (!PyLong_Check(value.get())) return raise(PyExc_TypeError, "__reduce_ex__ argument should be an integer");
  const long protocol = PyLong_AsLong(value);
  if (protocol == -1 && PyErr_Occurred()) return nullptr;
  if (protocol < 3) {
    Ref<> list = Ref<>::steal(array_tolist(self));
    if (!list) return nullptr;
    return Py_BuildValue("O(CO)O", Py_TYPE(self.object()), self->kind->code, list.get(), dict.get());
  }
  ArrayState* state = state_of_object(self.object());
  if (state->reconstructor == nullptr) {
    Ref<> module = Ref<>::steal(PyImport_ImportModule("array"));
    if (!module) return nullptr;
    state->reconstructor = PyObject_GetAttrString(module.get(), "_array_reconstructor");
    if (state->reconstructor == nullptr) return nullptr;
  }
  Ref<> bytes = Ref<>::steal(array_tobytes(self));
  if (!bytes) return nullptr;
  return Py_BuildValue("O(OCiN)O", state->reconstructor, Py_TYPE(self.object()), self->kind->code,
                       machine_format(self->kind), bytes.release(), dict.get());
}

/// Converts items of a foreign machine format to a list of values. Returns new.
PyObject* decode_foreign(const MachineFormat& format, int code, const unsigned char* data, Py_ssize_t count) {
  Ref<> list = Ref<>::steal(PyList_New(count));
  if (!list) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++, data += format.size) {
    PyObject* item;
    if (code == 14 || code == 15) {
      item = PyFloat_FromDouble(PyFloat_Unpack4(reinterpret_cast<const char*>(data), !format.big_endian));
    } else if (code == 16 || code == 17) {
      item = PyFloat_FromDouble(PyFloat_Unpack8(reinterpret_cast<const char*>(data), !format.big_endian));
    } else {
      item = _PyLong_FromByteArray(data, static_cast<size_t>(format.size), !format.big_endian, format.is_signed);
    }
    if (item == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), i, item);
  }
  return list.release();
}

PyObject* reconstruct(PyObject* module, Borrowed<> type_object, Borrowed<> code_object, int format_code, Borrowed<> items) {
  ArrayState* state = state_of(module);
  if (!PyType_Check(type_object.get())) {
    return raise(PyExc_TypeError, "first argument must be a type object, not %.200s", Py_TYPE(type_object.get())->tp_name);
  }
  PyTypeObject* type = reinterpret_cast<PyTypeObject*>(type_object.get());
  if (!PyType_IsSubtype(type, state->array_type)) {
    return raise(PyExc_TypeError, "%.200s is not a subtype of %.200s", type->tp_name, state->array_type->tp_name);
  }
  if (!PyUnicode_Check(code_object.get()) || PyUnicode_GetLength(code_object) != 1) {
    return raise(PyExc_TypeError, "_array_reconstructor() argument 2 must be a unicode character, not %.50s",
                 Py_TYPE(code_object.get())->tp_name);
  }
  if (format_code < 0 || format_code > 21) {
    return raise(PyExc_ValueError, "third argument must be a valid machine format code.");
  }
  if (!PyBytes_Check(items.get())) {
    return raise(PyExc_TypeError, "fourth argument should be bytes, not %.200s", Py_TYPE(items.get())->tp_name);
  }
  const Py_UCS4 letter = PyUnicode_READ_CHAR(code_object.get(), 0);
  const ItemKind* kind = find_kind(letter);
  if (kind == nullptr) return raise(PyExc_ValueError, "second argument must be a valid type code");
  const MachineFormat& format = kMachineFormats[format_code];
  if (format_code == machine_format(kind)) {
    return PyObject_CallFunction(type_object, "CO", static_cast<int>(letter), items.get());
  }
  const Py_ssize_t size = PyBytes_GET_SIZE(items.get());
  if (size % format.size != 0) return raise(PyExc_ValueError, "bytes length not a multiple of item size");
  if (format_code >= 18) {
    const bool wide = format_code >= 20;
    int order = format.big_endian ? 1 : -1;
    Ref<> text = Ref<>::steal(wide ? PyUnicode_DecodeUTF32(PyBytes_AS_STRING(items.get()), size, "strict", &order)
                                   : PyUnicode_DecodeUTF16(PyBytes_AS_STRING(items.get()), size, "strict", &order));
    if (!text) return nullptr;
    return PyObject_CallFunction(type_object, "CO", static_cast<int>(letter), text.get());
  }
  Ref<> values = Ref<>::steal(decode_foreign(format, format_code, reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(items.get())), size / format.size));
  if (!values) return nullptr;
  // An integer type of the same size and sign as the data is better than the code, whose size may differ here.
  char code = static_cast<char>(letter);
  if (format_code < 14) {
    for (const ItemKind& candidate : kKinds) {
      if (candidate.is_integer && candidate.size == format.size && candidate.is_signed == format.is_signed) {
        code = candidate.code;
        break;
      }
    }
  }
  return PyObject_CallFunction(type_object, "CO", static_cast<int>(code), values.get());
}

// Iterator ----------------------------------------------------------------------------------------------------------

ArrayIterator* as_iterator(PyObject* self) { return reinterpret_cast<ArrayIterator*>(self); }

PyObject* array_iter(PyObject* self) {
  ArrayState* state = state_of_object(self);
  ArrayIterator* it = PyObject_GC_New(ArrayIterator, state->iterator_type);
  if (it == nullptr) return nullptr;
  it->index = 0;
  it->array = as_array(Py_NewRef(self));
  PyObject_GC_Track(it);
  return as_object(it);
}
void iterator_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  Py_XDECREF(as_object(as_iterator(self)->array));
  PyObject_GC_Del(self);
  Py_DECREF(type);
}
int iterator_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as_iterator(self)->array);
  return 0;
}
PyObject* iterator_next(PyObject* self) {
  ArrayIterator* it = as_iterator(self);
  ArrayObject* array = it->array;
  if (array == nullptr) return nullptr;
  if (it->index < Py_SIZE(array)) return array->kind->get(item_at(array, it->index++));
  it->array = nullptr;
  Py_DECREF(as_object(array));
  return nullptr;
}
PyObject* iterator_reduce(Borrowed<ArrayIterator> self) {
  Ref<> function = Ref<>::steal(_PyEval_GetBuiltin(&_Py_ID(iter)));
  if (!function) return nullptr;
  if (self->array == nullptr) return Py_BuildValue("O(())", function.get());
  return Py_BuildValue("O(O)n", function.get(), self->array, self->index);
}
PyObject* iterator_setstate(Borrowed<ArrayIterator> self, Borrowed<> state) {
  Py_ssize_t index = PyLong_AsSsize_t(state);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  if (self->array != nullptr) self->index = index < 0 ? 0 : Py_MIN(index, Py_SIZE(self->array));
  Py_RETURN_NONE;
}
PyMethodDef iterator_methods[] = {
    method<iterator_reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<iterator_setstate, "__setstate__($self, state, /)", "Sets the position.">(),
    {}};
PyType_Slot iterator_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(iterator_dealloc)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_traverse, reinterpret_cast<void*>(iterator_traverse)},
    {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(iterator_next)},
    {Py_tp_methods, iterator_methods},
    {0, nullptr}};
PyType_Spec iterator_spec = {"array.arrayiterator", sizeof(ArrayIterator), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                             iterator_slots};

PyObject* get_typecode(Borrowed<ArrayObject> self) { return PyUnicode_FromOrdinal(self->kind->code); }
PyObject* get_itemsize(Borrowed<ArrayObject> self) { return PyLong_FromLong(self->kind->size); }
PyGetSetDef array_getset[] = {getset<get_typecode>("typecode", "the typecode character used to create the array"),
                              getset<get_itemsize>("itemsize", "the size, in bytes, of one array item"), {}};
PyMemberDef array_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ArrayObject, weak_references), READONLY, nullptr}, {}};

PyMethodDef array_methods[] = {
    method<array_append, "append($self, v, /)", "Adds an item at the end.">(),
    method<array_buffer_info, "buffer_info($self, /)", "(address, length) of the memory.">(),
    method<array_byteswap, "byteswap($self, /)", "Reverses the bytes of every item.">(),
    method<array_copy, "__copy__($self, /)", "A copy.">(),
    method<array_count, "count($self, v, /)", "How often a value occurs.">(),
    method<array_deepcopy, "__deepcopy__($self, unused, /)", "A copy.">(),
    method<array_extend, "extend($self, bb, /)", "Adds items at the end.">(),
    method<array_fromfile, "fromfile($self, f, n, /)", "Reads n items from a file and adds them at the end.">(),
    method<array_fromlist, "fromlist($self, list, /)", "Adds the items of a list.">(),
    method<array_frombytes, "frombytes($self, buffer, /)", "Adds items given as machine values.">(),
    method<array_fromunicode, "fromunicode($self, ustr, /)", "Adds the characters of a str; for type code 'u' only.">(),
    method<array_index, "index($self, v, start=0, stop=sys.maxsize, /)", "Index of the first occurrence of a value.">(),
    method<array_insert, "insert($self, i, v, /)", "Inserts an item before position i.">(),
    method<array_pop, "pop($self, i=-1, /)", "Removes the i-th item and returns it.">(),
    method<array_reduce_ex, "__reduce_ex__($self, value, /)", "State for pickling.">(),
    method<array_remove, "remove($self, v, /)", "Removes the first occurrence of a value.">(),
    method<array_reverse, "reverse($self, /)", "Reverses the order of the items.">(),
    method<array_tofile, "tofile($self, f, /)", "Writes all items to a file as machine values.">(),
    method<array_tolist, "tolist($self, /)", "The items as a list.">(),
    method<array_tobytes, "tobytes($self, /)", "The items as machine values.">(),
    method<array_tounicode, "tounicode($self, /)", "The characters as a str; for type code 'u' only.">(),
    method<array_sizeof, "__sizeof__($self, /)", "Size of the array in memory, in bytes.">(),
    {}};

PyType_Slot array_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(array_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(array_repr)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_doc, const_cast<char*>(
                    "array(typecode [, initializer]) -> array\n\nItems of one machine type in a row: b B signed and unsigned "
                    "char, u wchar_t, h H short, i I int,\nl L long, q Q long long, f float, d double. The initializer is a "
                    "list, bytes-like object, str\n(for u) or any iterable.")},
    {Py_tp_richcompare, reinterpret_cast<void*>(array_richcompare)},
    {Py_tp_iter, reinterpret_cast<void*>(array_iter)},
    {Py_tp_methods, array_methods},
    {Py_tp_members, array_members},
    {Py_tp_getset, array_getset},
    {Py_tp_alloc, reinterpret_cast<void*>(PyType_GenericAlloc)},
    {Py_tp_new, reinterpret_cast<void*>(array_new)},
    {Py_tp_traverse, reinterpret_cast<void*>(array_traverse)},
    {Py_sq_length, reinterpret_cast<void*>(array_length)},
    {Py_sq_concat, reinterpret_cast<void*>(array_concat)},
    {Py_sq_repeat, reinterpret_cast<void*>(array_repeat)},
    {Py_sq_item, reinterpret_cast<void*>(array_item)},
    {Py_sq_ass_item, reinterpret_cast<void*>(array_assign_item)},
    {Py_sq_contains, reinterpret_cast<void*>(array_contains)},
    {Py_sq_inplace_concat, reinterpret_cast<void*>(array_inplace_concat)},
    {Py_sq_inplace_repeat, reinterpret_cast<void*>(array_inplace_repeat)},
    {Py_mp_length, reinterpret_cast<void*>(array_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(array_subscript)},
    {Py_mp_ass_subscript, reinterpret_cast<void*>(array_assign_subscript)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(array_getbuffer)},
    {Py_bf_releasebuffer, reinterpret_cast<void*>(array_releasebuffer)},
    {0, nullptr}};
PyType_Spec array_spec = {"array.array", sizeof(ArrayObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE,
                          array_slots};

PyMethodDef module_methods[] = {
    method<reconstruct, "_array_reconstructor($module, arraytype, typecode, mformat_code, items, /)",
           "Rebuilds a pickled array.">(),
    {}};

int array_exec(PyObject* module) {
  ArrayState* state = state_of(module);
  state->array_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &array_spec, nullptr));
  if (state->array_type == nullptr) return -1;
  state->iterator_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &iterator_spec, nullptr));
  if (state->iterator_type == nullptr) return -1;
  if (PyModule_AddObjectRef(module, "ArrayType", as_object(state->array_type)) < 0) return -1;
  // array.array is a MutableSequence.
  Ref<> abc = Ref<>::steal(PyImport_ImportModule("collections.abc"));
  if (!abc) return -1;
  Ref<> base = Ref<>::steal(PyObject_GetAttrString(abc.get(), "MutableSequence"));
  if (!base) return -1;
  Ref<> registered = Ref<>::steal(PyObject_CallMethod(base.get(), "register", "O", state->array_type));
  if (!registered || PyModule_AddType(module, state->array_type) < 0) return -1;
  char codes[sizeof(kKinds) / sizeof(kKinds[0]) + 1] = {};
  for (size_t i = 0; i + 1 < sizeof(codes); i++) codes[i] = kKinds[i].code;
  return PyModule_AddStringConstant(module, "typecodes", codes);
}
int array_module_traverse(PyObject* module, visitproc visit, void* arg) {
  Py_VISIT(state_of(module)->array_type);
  Py_VISIT(state_of(module)->iterator_type);
  Py_VISIT(state_of(module)->reconstructor);
  return 0;
}
int array_module_clear(PyObject* module) {
  Py_CLEAR(state_of(module)->array_type);
  Py_CLEAR(state_of(module)->iterator_type);
  Py_CLEAR(state_of(module)->reconstructor);
  return 0;
}
PyModuleDef_Slot module_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(array_exec)}, {}};
PyModuleDef array_module = {PyModuleDef_HEAD_INIT,
                            "array",
                            "Arrays of machine values: integers, floats, characters. Constrained in their items, they take\n"
                            "little memory and convert to and from bytes fast.",
                            sizeof(ArrayState),
                            module_methods,
                            module_slots,
                            array_module_traverse,
                            array_module_clear,
                            [](void* module) { array_module_clear(static_cast<PyObject*>(module)); }};

}  // namespace

PyMODINIT_FUNC PyInit_array(void) { return PyModuleDef_Init(&array_module); }
