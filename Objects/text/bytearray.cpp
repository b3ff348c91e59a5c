// The type bytearray: a growable array of bytes. Removing from the front only moves ob_start.
//
// INVARIANTS: ob_start[ob_size] is NUL; ob_bytes is null exactly when nothing was ever allocated; while ob_exports > 0
// (somebody holds a buffer) the size can't change: BufferError.
#include <cstring>

#include "Objects/text/bytes_methods.h"
#include "pycore_ceval.h"
#include "pycore_initconfig.h"
#include "pycore_long.h"
#include "pycore_object.h"

using namespace pyston;
using namespace pyston::bytes;

char _PyByteArray_empty_string[] = "";

namespace {

PyByteArrayObject* as_bytearray(PyObject* object) { return reinterpret_cast<PyByteArrayObject*>(object); }

bool can_resize(PyByteArrayObject* self) {
  if (LIKELY(self->ob_exports == 0)) return true;
  PyErr_SetString(PyExc_BufferError, "Existing exports of data: object cannot be re-sized");
  return false;
}

/// One byte from an argument. False: exception set.
bool byte_value(PyObject* item, unsigned char& out) {
  int overflow;
  if (!_PyIndex_Check(item)) {
    PyErr_Format(PyExc_TypeError, "'%.200s' object cannot be interpreted as an integer", Py_TYPE(item)->tp_name);
    return false;
  }
  const long value = PyLong_AsLongAndOverflow(item, &overflow);
  if (value == -1 && overflow == 0 && PyErr_Occurred()) return false;
  if (overflow != 0 || value < 0 || value > 255) {
    PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
    return false;
  }
  out = static_cast<unsigned char>(value);
  return true;
}

}  // namespace

PyObject* PyByteArray_FromStringAndSize(const char* data, Py_ssize_t size) {
  if (size < 0) return raise(PyExc_SystemError, "Negative size passed to PyByteArray_FromStringAndSize");
  if (size == PY_SSIZE_T_MAX) return PyErr_NoMemory();
  PyByteArrayObject* self = PyObject_New(PyByteArrayObject, &PyByteArray_Type);
  if (self == nullptr) return nullptr;
  self->ob_bytes = nullptr;
  self->ob_alloc = 0;
  if (size > 0) {
    self->ob_bytes = static_cast<char*>(PyObject_Malloc(static_cast<size_t>(size) + 1));
    if (self->ob_bytes == nullptr) {
      PyObject_Free(self);
      return PyErr_NoMemory();
    }
    self->ob_alloc = size + 1;
    if (data != nullptr) memcpy(self->ob_bytes, data, static_cast<size_t>(size));
    self->ob_bytes[size] = '\0';
  }
  Py_SET_SIZE(self, size);
  self->ob_start = self->ob_bytes;
  self->ob_exports = 0;
  return as_object(self);
}

PyObject* PyByteArray_FromObject(PyObject* source) { return PyObject_CallOneArg(as_object(&PyByteArray_Type), source); }
Py_ssize_t PyByteArray_Size(PyObject* self) { return PyByteArray_GET_SIZE(self); }
char* PyByteArray_AsString(PyObject* self) { return PyByteArray_AS_STRING(self); }

int PyByteArray_Resize(PyObject* object, Py_ssize_t size) {
  PyByteArrayObject* self = as_bytearray(object);
  if (size == Py_SIZE(self)) return 0;
  if (!can_resize(self)) return -1;
  const Py_ssize_t offset = self->ob_start - self->ob_bytes;
  Py_ssize_t allocate = self->ob_alloc;
  if (size + offset + 1 <= allocate) {
    if (size < allocate / 2) {
      allocate = size + 1;  // gives memory back
    } else {
      Py_SET_SIZE(self, size);
      self->ob_start[size] = '\0';
      return 0;
    }
  } else if (size <= allocate + allocate / 8) {
    allocate = size + (size >> 3) + (size < 9 ? 3 : 6);  // slow growth gets room to spare
  } else {
    allocate = size + 1;
  }
  if (size < 0 || allocate < 0 || allocate > PY_SSIZE_T_MAX - 64) {
    PyErr_NoMemory();
    return -1;
  }
  char* memory;
  if (offset > 0) {
    memory = static_cast<char*>(PyObject_Malloc(static_cast<size_t>(allocate)));
    if (memory == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
    memcpy(memory, PyByteArray_AS_STRING(object), static_cast<size_t>(Py_MIN(size, Py_SIZE(self))));
    PyObject_Free(self->ob_bytes);
  } else {
    memory = static_cast<char*>(PyObject_Realloc(self->ob_bytes, static_cast<size_t>(allocate)));
    if (memory == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
  }
  self->ob_bytes = self->ob_start = memory;
  Py_SET_SIZE(self, size);
  self->ob_alloc = allocate;
  memory[size] = '\0';
  return 0;
}

PyObject* PyByteArray_Concat(PyObject* a, PyObject* b) {
  Buffer x;
  Buffer y;
  if (!x.acquire(a) || !y.acquire(b)) {
    return raise(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(b)->tp_name, Py_TYPE(a)->tp_name);
  }
  if (x.size() > PY_SSIZE_T_MAX - y.size()) return PyErr_NoMemory();
  PyObject* result = PyByteArray_FromStringAndSize(nullptr, x.size() + y.size());
  if (result == nullptr) return nullptr;
  memcpy(PyByteArray_AS_STRING(result), x.data(), static_cast<size_t>(x.size()));
  memcpy(PyByteArray_AS_STRING(result) + x.size(), y.data(), static_cast<size_t>(y.size()));
  return result;
}

namespace {

// Buffer protocol ---------------------------------------------------------------------------------------------------

int bytearray_getbuffer(PyObject* self, Py_buffer* view, int flags) {
  if (view == nullptr) return raise(PyExc_BufferError, "bytearray_getbuffer: view==NULL argument is obsolete");
  PyBuffer_FillInfo(view, self, PyByteArray_AS_STRING(self), Py_SIZE(self), 0, flags);
  as_bytearray(self)->ob_exports++;
  return 0;
}
void bytearray_releasebuffer(PyObject* self, Py_buffer*) { as_bytearray(self)->ob_exports--; }

void bytearray_dealloc(PyObject* object) {
  PyByteArrayObject* self = as_bytearray(object);
  if (self->ob_exports > 0) {
    PyErr_SetString(PyExc_SystemError, "deallocated bytearray object has exported buffers");
    PyErr_Print();
  }
  PyObject_Free(self->ob_bytes);
  Py_TYPE(self)->tp_free(object);
}

// Replacing a range -------------------------------------------------------------------------------------------------

/// self[low:high] = values[0:count], resizing as needed.
Status assign_range(PyByteArrayObject* self, Py_ssize_t low, Py_ssize_t high, const char* values, Py_ssize_t count) {
  const Py_ssize_t old_size = Py_SIZE(self);
  const Py_ssize_t growth = count - (high - low);
  char* data = PyByteArray_AS_STRING(as_object(self));
  if (growth < 0) {
    if (!can_resize(self)) return Status::kError;
    if (low == 0) {  // FAST: shrinking at the front moves nothing
      self->ob_start -= growth;
    } else {
      memmove(data + high + growth, data + high, static_cast<size_t>(old_size - high));
    }
    if (low == 0) {
      Py_SET_SIZE(self, old_size + growth);
      if (Py_SIZE(self) + 1 < self->ob_alloc / 2) {
        const Py_ssize_t size = Py_SIZE(self);
        char* memory = static_cast<char*>(PyObject_Malloc(static_cast<size_t>(size) + 1));
        if (memory != nullptr) {  // giving memory back is only an optimisation
          memcpy(memory, self->ob_start, static_cast<size_t>(size));
          memory[size] = '\0';
          PyObject_Free(self->ob_bytes);
          self->ob_bytes = self->ob_start = memory;
          self->ob_alloc = size + 1;
        }
      }
      if (self->ob_start != nullptr) self->ob_start[Py_SIZE(self)] = '\0';
    } else if (PyByteArray_Resize(as_object(self), old_size + growth) < 0) {
      return Status::kError;
    }
  } else if (growth > 0) {
    if (old_size > PY_SSIZE_T_MAX - growth) {
      PyErr_NoMemory();
      return Status::kError;
    }
    if (PyByteArray_Resize(as_object(self), old_size + growth) < 0) return Status::kError;
    data = PyByteArray_AS_STRING(as_object(self));
    memmove(data + low + count, data + high, static_cast<size_t>(old_size - high));
  }
  if (count > 0) memcpy(PyByteArray_AS_STRING(as_object(self)) + low, values, static_cast<size_t>(count));
  return Status::kOk;
}

Status assign_range_object(PyByteArrayObject* self, Py_ssize_t low, Py_ssize_t high, PyObject* values) {
  if (values == as_object(self)) {  // its own buffer would block resizing
    Ref<> copy = Ref<>::steal(PyByteArray_FromStringAndSize(PyByteArray_AS_STRING(values), Py_SIZE(values)));
    return copy ? assign_range_object(self, low, high, copy.get()) : Status::kError;
  }
  Buffer buffer;
  if (values != nullptr && !buffer.acquire(values)) {
    return raise(PyExc_TypeError, "can't set bytearray slice from %.100s", Py_TYPE(values)->tp_name);
  }
  low = Py_MAX(low, 0);
  high = Py_MIN(Py_MAX(high, low), Py_SIZE(self));
  return assign_range(self, low, high, values == nullptr ? nullptr : buffer.data(), values == nullptr ? 0 : buffer.size());
}

// Sequence and mapping slots ----------------------------------------------------------------------------------------

Py_ssize_t bytearray_length(PyObject* self) { return Py_SIZE(self); }

PyObject* bytearray_iconcat(PyObject* self, PyObject* other) {
  Buffer added;
  if (!added.acquire(other)) {
    return raise(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(other)->tp_name, Py_TYPE(self)->tp_name);
  }
  const Py_ssize_t size = Py_SIZE(self);
  if (size > PY_SSIZE_T_MAX - added.size()) return PyErr_NoMemory();
  if (other == self) {  // holding its own buffer, it couldn't grow
    Ref<> copy = Ref<>::steal(PyByteArray_FromStringAndSize(added.data(), added.size()));
    added = Buffer();
    return copy ? bytearray_iconcat(self, copy.get()) : nullptr;
  }
  if (PyByteArray_Resize(self, size + added.size()) < 0) return nullptr;
  memcpy(PyByteArray_AS_STRING(self) + size, added.data(), static_cast<size_t>(added.size()));
  return Py_NewRef(self);
}

PyObject* bytearray_repeat(PyObject* self, Py_ssize_t n) {
  if (n < 0) n = 0;
  const Py_ssize_t size = Py_SIZE(self);
  if (n > 0 && size > PY_SSIZE_T_MAX / n) return PyErr_NoMemory();
  PyObject* result = PyByteArray_FromStringAndSize(nullptr, size * n);
  if (result != nullptr) _PyBytes_Repeat(PyByteArray_AS_STRING(result), size * n, PyByteArray_AS_STRING(self), size);
  return result;
}
PyObject* bytearray_irepeat(PyObject* self, Py_ssize_t n) {
  if (n < 0) n = 0;
  const Py_ssize_t size = Py_SIZE(self);
  if (n > 0 && size > PY_SSIZE_T_MAX / n) return PyErr_NoMemory();
  if (PyByteArray_Resize(self, size * n) < 0) return nullptr;
  char* data = PyByteArray_AS_STRING(self);
  _PyBytes_Repeat(data, size * n, data, size);
  return Py_NewRef(self);
}

PyObject* bytearray_item(PyObject* self, Py_ssize_t i) {
  if (i < 0 || i >= Py_SIZE(self)) return raise(PyExc_IndexError, "bytearray index out of range");
  return _PyLong_FromUnsignedChar(Py_CHARMASK(as_bytearray(self)->ob_start[i]));
}

PyObject* bytearray_subscript(PyObject* self, PyObject* key) {
  if (_PyIndex_Check(key)) {
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) return nullptr;
    if (i < 0) i += Py_SIZE(self);
    return bytearray_item(self, i);
  }
  if (!PySlice_Check(key)) {
    return raise(PyExc_TypeError, "bytearray indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
  }
  Py_ssize_t start;
  Py_ssize_t stop;
  Py_ssize_t step;
  if (PySlice_Unpack(key, &start, &stop, &step) < 0) return nullptr;
  const Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
  if (count <= 0) return PyByteArray_FromStringAndSize("", 0);
  const char* data = PyByteArray_AS_STRING(self);
  if (step == 1) return PyByteArray_FromStringAndSize(data + start, count);
  PyObject* result = PyByteArray_FromStringAndSize(nullptr, count);
  if (result == nullptr) return nullptr;
  char* out = PyByteArray_AS_STRING(result);
  for (Py_ssize_t i = 0; i < count; i++, start += step) out[i] = data[start];
  return result;
}

/// self[i] = value, or del self[i] for null.
int assign_item(PyObject* self, Py_ssize_t i, PyObject* value) {
  if (value == nullptr) {
    if (i < 0 || i >= Py_SIZE(self)) return raise(PyExc_IndexError, "bytearray index out of range");
    return static_cast<int>(assign_range(as_bytearray(self), i, i + 1, nullptr, 0));
  }
  unsigned char byte;
  if (!byte_value(value, byte)) return -1;
  // Checked after the conversion, which can have run anything.
  if (i < 0 || i >= Py_SIZE(self)) return raise(PyExc_IndexError, "bytearray index out of range");
  PyByteArray_AS_STRING(self)[i] = static_cast<char>(byte);
  return 0;
}
int bytearray_assign_item(PyObject* self, Py_ssize_t i, PyObject* value) { return assign_item(self, i, value); }

int assign_extended_slice(PyByteArrayObject* self, Py_ssize_t start, Py_ssize_t step, Py_ssize_t count,
                          const char* values, Py_ssize_t needed) {
  char* data = PyByteArray_AS_STRING(as_object(self));
  if (needed != 0) {  // QUIRK: assigning nothing deletes
    if (needed != count) {
      return raise(PyExc_ValueError, "attempt to assign bytes of size %zd to extended slice of size %zd", needed, count);
    }
    for (Py_ssize_t i = 0; i < count; i++, start += step) data[start] = values[i];
    return 0;
  }
  // Deleting: close the gaps from left to right.
  if (!can_resize(self)) return -1;
  if (count == 0) return 0;
  if (step < 0) {
    start += step * (count - 1);
    step = -step;
  }
  Py_ssize_t out = start;
  Py_ssize_t in = start;
  for (Py_ssize_t i = 0; i < count; i++) {
    in++;  // the deleted byte
    const Py_ssize_t until = i + 1 < count ? start + (i + 1) * step : Py_SIZE(self);
    memmove(data + out, data + in, static_cast<size_t>(until - in));
    out += until - in;
    in = until;
  }
  return PyByteArray_Resize(as_object(self), Py_SIZE(self) - count);
}

int bytearray_assign_subscript(PyObject* object, PyObject* key, PyObject* values) {
  PyByteArrayObject* self = as_bytearray(object);
  if (_PyIndex_Check(key)) {
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) return -1;
    if (i < 0) i += Py_SIZE(self);
    if (i < 0 || i >= Py_SIZE(self)) return raise(PyExc_IndexError, "bytearray index out of range");
    return assign_item(object, i, values);
  }
  if (!PySlice_Check(key)) {
    return raise(PyExc_TypeError, "bytearray indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
  }
  Py_ssize_t start;
  Py_ssize_t stop;
  Py_ssize_t step;
  if (PySlice_Unpack(key, &start, &stop, &step) < 0) return -1;
  Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
  Ref<> converted;
  if (values != nullptr && (values == object || !PyByteArray_Check(values))) {
    if (PyNumber_Check(values) || PyUnicode_Check(values)) {
      return raise(PyExc_TypeError, "can assign only bytes, buffers, or iterables of ints in range(0, 256)");
    }
    converted = Ref<>::steal(PyByteArray_FromObject(values));
    if (!converted) return -1;
    values = converted.get();
    // The conversion may have changed the size.
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) return -1;
    count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
  }
  const char* data = values == nullptr ? nullptr : PyByteArray_AS_STRING(values);
  const Py_ssize_t needed = values == nullptr ? 0 : Py_SIZE(values);
  if (step == 1) return static_cast<int>(assign_range(self, start, Py_MAX(start, stop), data, needed));
  return assign_extended_slice(self, start, step, count, data, needed);
}

// Construction ------------------------------------------------------------------------------------------------------

Status append_byte(PyObject* self, unsigned char byte) {
  const Py_ssize_t size = Py_SIZE(self);
  if (size == PY_SSIZE_T_MAX) return raise(PyExc_OverflowError, "cannot add more objects to bytearray");
  VM_CHECK(PyByteArray_Resize(self, size + 1));
  PyByteArray_AS_STRING(self)[size] = static_cast<char>(byte);
  return Status::kOk;
}

Status append_iterable(PyObject* self, PyObject* iterable) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return Status::kError;
    return raise(PyExc_TypeError, "cannot convert '%.200s' object to bytearray", Py_TYPE(iterable)->tp_name);
  }
  while (Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()))) {
    unsigned char byte;
    if (!byte_value(item.get(), byte)) return Status::kError;
    VM_CHECK(append_byte(self, byte));
  }
  return PyErr_Occurred() ? Status::kError : Status::kOk;
}

Status initialize(PyObject* self, PyObject* source, const char* encoding, const char* errors) {
  if (Py_SIZE(self) != 0) VM_CHECK(PyByteArray_Resize(self, 0));
  if (source == nullptr) {
    if (encoding != nullptr || errors != nullptr) {
      return raise(PyExc_TypeError, encoding != nullptr ? "encoding without a string argument"
                                                        : "errors without a string argument");
    }
    return Status::kOk;
  }
  if (PyUnicode_Check(source)) {
    if (encoding == nullptr) return raise(PyExc_TypeError, "string argument without an encoding");
    Ref<> encoded = Ref<>::steal(PyUnicode_AsEncodedString(source, encoding, errors));
    if (!encoded) return Status::kError;
    Ref<> done = Ref<>::steal(bytearray_iconcat(self, encoded.get()));
    return done ? Status::kOk : Status::kError;
  }
  if (encoding != nullptr || errors != nullptr) {
    return raise(PyExc_TypeError, encoding != nullptr ? "encoding without a string argument"
                                                      : "errors without a string argument");
  }
  if (_PyIndex_Check(source)) {
    const Py_ssize_t count = PyNumber_AsSsize_t(source, PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) {
      if (!PyErr_ExceptionMatches(PyExc_TypeError)) return Status::kError;
      PyErr_Clear();
    } else {
      if (count < 0) return raise(PyExc_ValueError, "negative count");
      if (count > 0) {
        VM_CHECK(PyByteArray_Resize(self, count));
        memset(PyByteArray_AS_STRING(self), 0, static_cast<size_t>(count));
      }
      return Status::kOk;
    }
  }
  if (PyObject_CheckBuffer(source)) {
    Py_buffer view;
    VM_CHECK(PyObject_GetBuffer(source, &view, PyBUF_FULL_RO));
    int outcome = PyByteArray_Resize(self, view.len);
    if (outcome == 0) outcome = PyBuffer_ToContiguous(PyByteArray_AS_STRING(self), &view, view.len, 'C');
    PyBuffer_Release(&view);
    return outcome < 0 ? Status::kError : Status::kOk;
  }
  const Status outcome = append_iterable(self, source);
  if (!ok(outcome) && PyErr_ExceptionMatches(PyExc_TypeError) && Py_TYPE(source)->tp_iter == nullptr &&
      !PySequence_Check(source)) {
    return raise(PyExc_TypeError, "cannot convert '%.200s' object to bytearray", Py_TYPE(source)->tp_name);
  }
  return outcome;
}

Status bytearray_init(Borrowed<PyByteArrayObject> self, PyObject* source, Optional<const char*> encoding,
                      Optional<const char*> errors) {
  return initialize(self.object(), source, encoding.value_or(nullptr), errors.value_or(nullptr));
}

// repr, comparison --------------------------------------------------------------------------------------------------

PyObject* bytearray_repr(PyObject* self) {
  const char* full = _PyType_Name(Py_TYPE(self));
  Ref<> prefix = Ref<>::steal(PyBytes_FromFormat("%s(b", full));
  return prefix ? repr(PyBytes_AS_STRING(prefix.get()), view(self), ")", true) : nullptr;
}
PyObject* bytearray_str(PyObject* self) {
  if (_Py_GetConfig()->bytes_warning && PyErr_WarnEx(PyExc_BytesWarning, "str() on a bytearray instance", 1)) return nullptr;
  return bytearray_repr(self);
}

PyObject* bytearray_richcompare(PyObject* v, PyObject* w, int op) {
  if (!PyObject_CheckBuffer(v) || !PyObject_CheckBuffer(w)) {
    if (_Py_GetConfig()->bytes_warning && (op == Py_EQ || op == Py_NE) && (PyUnicode_Check(v) || PyUnicode_Check(w)) &&
        PyErr_WarnEx(PyExc_BytesWarning, "Comparison between bytearray and string", 1)) {
      return nullptr;
    }
    Py_RETURN_NOTIMPLEMENTED;
  }
  Buffer a;
  Buffer b;
  if (!a.acquire(v) || !b.acquire(w)) {
    PyErr_Clear();
    Py_RETURN_NOTIMPLEMENTED;
  }
  if (a.size() != b.size() && (op == Py_EQ || op == Py_NE)) return PyBool_FromLong(op == Py_NE);
  int order = memcmp(a.data(), b.data(), static_cast<size_t>(Py_MIN(a.size(), b.size())));
  if (order == 0) order = (a.size() > b.size()) - (a.size() < b.size());
  Py_RETURN_RICHCOMPARE(order, 0, op);
}

PyObject* bytearray_mod(PyObject* self, PyObject* arguments) {
  if (!PyByteArray_Check(self)) Py_RETURN_NOTIMPLEMENTED;
  return _PyBytes_FormatEx(PyByteArray_AS_STRING(self), PyByteArray_GET_SIZE(self), arguments, 1);
}

// Methods -----------------------------------------------------------------------------------------------------------

PyObject* bytearray_alloc(Borrowed<PyByteArrayObject> self) { return PyLong_FromSsize_t(self->ob_alloc); }

Status bytearray_append(Borrowed<PyByteArrayObject> self, Borrowed<> item) {
  unsigned char byte;
  if (!byte_value(item, byte)) return Status::kError;
  return append_byte(self.object(), byte);
}
Status bytearray_clear(Borrowed<PyByteArrayObject> self) { return static_cast<Status>(PyByteArray_Resize(self.object(), 0)); }
PyObject* bytearray_copy(Borrowed<PyByteArrayObject> self) { return ByteArrayKind::same(self.object()); }

Status bytearray_extend(Borrowed<PyByteArrayObject> self, Borrowed<> iterable) {
  if (PyObject_CheckBuffer(iterable)) {
    return assign_range_object(self, Py_SIZE(self.object()), Py_SIZE(self.object()), iterable);
  }
  // Everything is converted before the array changes.
  Ref<> collected = Ref<>::steal(PyByteArray_FromStringAndSize(nullptr, 0));
  if (!collected) return Status::kError;
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      return raise(PyExc_TypeError, "can't extend bytearray with %.100s", Py_TYPE(iterable.get())->tp_name);
    }
    return Status::kError;
  }
  VM_CHECK(PyObject_LengthHint(iterable, 32));  // only for what it may raise
  VM_CHECK(append_iterable(collected.get(), iterator.get()));
  return assign_range(self, Py_SIZE(self.object()), Py_SIZE(self.object()), PyByteArray_AS_STRING(collected.get()),
                      Py_SIZE(collected.get()));
}

Status bytearray_insert(Borrowed<PyByteArrayObject> self, Py_ssize_t index, Borrowed<> item) {
  unsigned char byte;
  if (!byte_value(item, byte)) return Status::kError;
  const Py_ssize_t size = Py_SIZE(self.object());
  if (size == PY_SSIZE_T_MAX) return raise(PyExc_OverflowError, "cannot add more objects to bytearray");
  if (index < 0) index = Py_MAX(index + size, 0);
  index = Py_MIN(index, size);
  const char value = static_cast<char>(byte);
  return assign_range(self, index, index, &value, 1);
}

PyObject* bytearray_pop(Borrowed<PyByteArrayObject> self, Optional<Py_ssize_t> index_argument) {
  const Py_ssize_t size = Py_SIZE(self.object());
  if (size == 0) return raise(PyExc_IndexError, "pop from empty bytearray");
  Py_ssize_t index = index_argument.value_or(-1);
  if (index < 0) index += size;
  if (index < 0 || index >= size) return raise(PyExc_IndexError, "pop index out of range");
  if (!can_resize(self)) return nullptr;
  const unsigned char value = Py_CHARMASK(PyByteArray_AS_STRING(self.object())[index]);
  if (!ok(assign_range(self, index, index + 1, nullptr, 0))) return nullptr;
  return _PyLong_FromUnsignedChar(value);
}

Status bytearray_remove(Borrowed<PyByteArrayObject> self, Borrowed<> value) {
  unsigned char byte;
  if (!byte_value(value, byte)) return Status::kError;
  const View text = view(self.object());
  const Py_ssize_t at = search::find_char(text.bytes(), text.size, byte);
  if (at < 0) return raise(PyExc_ValueError, "value not found in bytearray");
  if (!can_resize(self)) return Status::kError;
  return assign_range(self, at, at + 1, nullptr, 0);
}

Status bytearray_reverse(Borrowed<PyByteArrayObject> self) {
  char* low = PyByteArray_AS_STRING(self.object());
  for (char* high = low + Py_SIZE(self.object()) - 1; low < high; low++, high--) std::swap(*low, *high);
  return Status::kOk;
}

PyObject* bytearray_fromhex(PyTypeObject* type, Borrowed<PyUnicodeObject> text) {
  PyObject* result = _PyBytes_FromHex(text.object(), type == &PyByteArray_Type);
  if (type != &PyByteArray_Type && result != nullptr) Py_SETREF(result, PyObject_CallOneArg(as_object(type), result));
  return result;
}

/// (type, arguments, instance state); old protocols get latin-1 text.
PyObject* reduce(PyObject* self, int protocol) {
  Ref<> state = Ref<>::steal(_PyObject_GetState(self));
  if (!state) return nullptr;
  if (Py_SIZE(self) == 0) return Py_BuildValue("(O()O)", Py_TYPE(self), state.get());
  const char* data = PyByteArray_AS_STRING(self);
  if (protocol < 3) {
    Ref<> text = Ref<>::steal(PyUnicode_DecodeLatin1(data, Py_SIZE(self), nullptr));
    return text ? Py_BuildValue("(O(Os)O)", Py_TYPE(self), text.get(), "latin-1", state.get()) : nullptr;
  }
  return Py_BuildValue("(O(y#)O)", Py_TYPE(self), data, Py_SIZE(self), state.get());
}
PyObject* bytearray_reduce(Borrowed<PyByteArrayObject> self) { return reduce(self.object(), 2); }
PyObject* bytearray_reduce_ex(Borrowed<PyByteArrayObject> self, Optional<int> protocol) {
  return reduce(self.object(), protocol.value_or(0));
}
PyObject* bytearray_sizeof(Borrowed<PyByteArrayObject> self) {
  return PyLong_FromSsize_t(Py_TYPE(self.object())->tp_basicsize + self->ob_alloc);
}

PyMethodDef bytearray_methods[] = {
    {"__alloc__", [](PyObject* self, PyObject*) { return bytearray_alloc(as_bytearray(self)); }, METH_NOARGS,
     "B.__alloc__() -> int\n\nHow many bytes are allocated."},
    method<bytearray_reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<bytearray_reduce_ex, "__reduce_ex__($self, proto=0, /)", "State for pickling.">(),
    method<bytearray_sizeof, "__sizeof__($self, /)", "Size in memory, in bytes.">(),
    method<bytearray_append, "append($self, item, /)", "Adds one byte at the end.">(),
    method<bytearray_clear, "clear($self, /)", "Removes all bytes.">(),
    method<bytearray_copy, "copy($self, /)", "A copy.">(),
    method<bytearray_extend, "extend($self, iterable_of_ints, /)", "Adds all bytes of an iterable or buffer at the end.">(),
    method<bytearray_fromhex, "fromhex($type, string, /)",
           "A bytearray from hexadecimal digits; spaces between two bytes are skipped.\n\n"
           "bytearray.fromhex('B9 01EF') is bytearray(b'\\xb9\\x01\\xef').">(METH_CLASS),
    method<bytearray_insert, "insert($self, index, item, /)", "Inserts one byte before the index.">(),
    method<bytearray_pop, "pop($self, index=-1, /)", "Removes the byte at the index and returns it.">(),
    method<bytearray_remove, "remove($self, value, /)", "Removes the first occurrence of a byte.">(),
    method<bytearray_reverse, "reverse($self, /)", "Reverses the order of the bytes in place.">(),
    PYSTON_BYTES_METHODS(ByteArrayKind, "bytearray"),
    {}};

// Iterator ----------------------------------------------------------------------------------------------------------

/// `bytes` is null when exhausted.
struct ByteArrayIterator {
  PyObject_HEAD
  Py_ssize_t index;
  PyByteArrayObject* bytes;
};
ByteArrayIterator* as_iterator(PyObject* self) { return reinterpret_cast<ByteArrayIterator*>(self); }

PyObject* bytearray_iter(PyObject* self) {
  ByteArrayIterator* it = PyObject_GC_New(ByteArrayIterator, &PyByteArrayIter_Type);
  if (it == nullptr) return nullptr;
  it->index = 0;
  it->bytes = as_bytearray(Py_NewRef(self));
  _PyObject_GC_TRACK(it);
  return as_object(it);
}
void iterator_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_object(as_iterator(self)->bytes));
  PyObject_GC_Del(self);
}
int iterator_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_iterator(self)->bytes);
  return 0;
}
PyObject* iterator_next(PyObject* self) {
  ByteArrayIterator* it = as_iterator(self);
  PyByteArrayObject* bytes = it->bytes;
  if (bytes == nullptr) return nullptr;
  if (LIKELY(it->index < Py_SIZE(bytes))) return _PyLong_FromUnsignedChar(Py_CHARMASK(bytes->ob_start[it->index++]));
  it->bytes = nullptr;
  Py_DECREF(as_object(bytes));
  return nullptr;
}
PyObject* iterator_length_hint(Borrowed<ByteArrayIterator> self) {
  const Py_ssize_t left = self->bytes == nullptr ? 0 : Py_SIZE(self->bytes) - self->index;
  return PyLong_FromSsize_t(Py_MAX(left, 0));
}
PyObject* iterator_reduce(Borrowed<ByteArrayIterator> self) {
  if (self->bytes != nullptr) return Py_BuildValue("N(O)n", _PyEval_GetBuiltin(&_Py_ID(iter)), self->bytes, self->index);
  return Py_BuildValue("N(())", _PyEval_GetBuiltin(&_Py_ID(iter)));
}
PyObject* iterator_setstate(Borrowed<ByteArrayIterator> self, Borrowed<> state) {
  Py_ssize_t index = PyLong_AsSsize_t(state);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  if (self->bytes != nullptr) self->index = index < 0 ? 0 : Py_MIN(index, Py_SIZE(self->bytes));
  Py_RETURN_NONE;
}
PyMethodDef iterator_methods[] = {
    method<iterator_length_hint, "__length_hint__($self, /)", "How many items are left.">(),
    method<iterator_reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<iterator_setstate, "__setstate__($self, state, /)", "Sets the position.">(),
    {}};

PyNumberMethods bytearray_as_number = {.nb_remainder = bytearray_mod};
PySequenceMethods bytearray_as_sequence = {
    .sq_length = bytearray_length,
    .sq_concat = PyByteArray_Concat,
    .sq_repeat = bytearray_repeat,
    .sq_item = bytearray_item,
    .sq_ass_item = bytearray_assign_item,
    .sq_contains = contains,
    .sq_inplace_concat = bytearray_iconcat,
    .sq_inplace_repeat = bytearray_irepeat,
};
PyMappingMethods bytearray_as_mapping = {
    .mp_length = bytearray_length, .mp_subscript = bytearray_subscript, .mp_ass_subscript = bytearray_assign_subscript};
PyBufferProcs bytearray_as_buffer = {.bf_getbuffer = bytearray_getbuffer, .bf_releasebuffer = bytearray_releasebuffer};

}  // namespace

PyTypeObject PyByteArray_Type = {
    .ob_base = type_head(),
    .tp_name = "bytearray",
    .tp_basicsize = sizeof(PyByteArrayObject),
    .tp_dealloc = bytearray_dealloc,
    .tp_repr = bytearray_repr,
    .tp_as_number = &bytearray_as_number,
    .tp_as_sequence = &bytearray_as_sequence,
    .tp_as_mapping = &bytearray_as_mapping,
    .tp_str = bytearray_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &bytearray_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\n"
              "bytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\n"
              "bytearray(int) -> bytes array of size given by the parameter initialized with null bytes\n"
              "bytearray() -> empty bytes array\n\nA mutable array of bytes.",
    .tp_richcompare = bytearray_richcompare,
    .tp_iter = bytearray_iter,
    .tp_methods = bytearray_methods,
    .tp_init = initializer<bytearray_init, "bytearray($self, source=b'', encoding='', errors='')">,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_Del,
};

PyTypeObject PyByteArrayIter_Type = {
    .ob_base = type_head(),
    .tp_name = "bytearray_iterator",
    .tp_basicsize = sizeof(ByteArrayIterator),
    .tp_dealloc = iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
    .tp_methods = iterator_methods,
};
static_assert(sizeof(PyByteArrayObject) == 56);
