// The type bytes: C API, slots, iterator, _PyBytesWriter. Shared methods are in bytes_methods.h, % formatting in
// bytes_format.cpp, escapes and repr in bytes_escape.cpp.
//
// The empty object and those of one byte exist once, in _PyRuntime; constructors return them.
#include <cstdarg>
#include <cstring>

#include "Objects/text/bytes_methods.h"
#include "pycore_call.h"
#include "pycore_ceval.h"
#include "pycore_global_objects.h"
#include "pycore_initconfig.h"
#include "pycore_long.h"
#include "pycore_object.h"

#pragma clang diagnostic ignored "-Wdeprecated-declarations"

using namespace pyston;
using namespace pyston::bytes;

namespace {

constexpr Py_ssize_t kBytesHead = offsetof(PyBytesObject, ob_sval) + 1;

PyObject* empty_bytes() { return Py_NewRef(as_object(&_Py_SINGLETON(bytes_empty))); }
PyObject* one_byte(unsigned char c) { return Py_NewRef(as_object(&_Py_SINGLETON(bytes_characters)[c].ob)); }

/// Memory for `size` bytes, contents unset but for the final NUL. Returns new.
PyBytesObject* allocate(Py_ssize_t size) {
  if (UNLIKELY(size > PY_SSIZE_T_MAX - kBytesHead)) {
    PyErr_SetString(PyExc_OverflowError, "byte string is too large");
    return nullptr;
  }
  PyBytesObject* self = static_cast<PyBytesObject*>(PyObject_Malloc(static_cast<size_t>(kBytesHead + size)));
  if (UNLIKELY(self == nullptr)) return reinterpret_cast<PyBytesObject*>(PyErr_NoMemory());
  _PyObject_InitVar(reinterpret_cast<PyVarObject*>(self), &PyBytes_Type, size);
  self->ob_shash = -1;
  self->ob_sval[size] = '\0';
  return self;
}

PyBytesObject* as_bytes(PyObject* object) { return reinterpret_cast<PyBytesObject*>(object); }

}  // namespace

// Construction ------------------------------------------------------------------------------------------------------

/// Contents are unset when `data` is null and size > 1 (or 1: a fresh object that may be written to). Returns new.
PyObject* PyBytes_FromStringAndSize(const char* data, Py_ssize_t size) {
  if (UNLIKELY(size < 0)) return raise(PyExc_SystemError, "Negative size passed to PyBytes_FromStringAndSize");
  if (size == 0) return empty_bytes();
  if (size == 1 && data != nullptr) return one_byte(Py_CHARMASK(*data));
  PyBytesObject* self = allocate(size);
  if (self != nullptr && data != nullptr) memcpy(self->ob_sval, data, static_cast<size_t>(size));
  return as_object(self);
}

PyObject* PyBytes_FromString(const char* text) {
  return PyBytes_FromStringAndSize(text, static_cast<Py_ssize_t>(strlen(text)));
}

namespace {

/// Fills a writer from an iterable of ints. `hint` is the number of items expected. Returns new.
template <class Next>
PyObject* collect_bytes(Py_ssize_t hint, Next next) {
  _PyBytesWriter writer;
  _PyBytesWriter_Init(&writer);
  char* out = static_cast<char*>(_PyBytesWriter_Alloc(&writer, hint));
  if (out == nullptr) return nullptr;
  writer.overallocate = 1;
  Py_ssize_t room = writer.allocated;
  for (;;) {
    bool done = false;
    Ref<> item = next(done);
    if (!item) {
      if (done) break;
      _PyBytesWriter_Dealloc(&writer);
      return nullptr;
    }
    const Py_ssize_t value = PyNumber_AsSsize_t(item.get(), nullptr);
    if (value < 0 || value > 255) {
      if (!(value == -1 && PyErr_Occurred())) PyErr_SetString(PyExc_ValueError, "bytes must be in range(0, 256)");
      _PyBytesWriter_Dealloc(&writer);
      return nullptr;
    }
    if (room == 0) {
      const Py_ssize_t used = writer.allocated;
      out = static_cast<char*>(_PyBytesWriter_Resize(&writer, out, used + 1));
      if (out == nullptr) return nullptr;
      room = writer.allocated - used;
    }
    *out++ = static_cast<char>(value);
    room--;
  }
  return _PyBytesWriter_Finish(&writer, out);
}

PyObject* bytes_from_buffer(PyObject* source) {
  Py_buffer buffer;
  if (PyObject_GetBuffer(source, &buffer, PyBUF_FULL_RO) < 0) return nullptr;
  PyObject* result = PyBytes_FromStringAndSize(nullptr, buffer.len);
  if (result != nullptr && PyBuffer_ToContiguous(PyBytes_AS_STRING(result), &buffer, buffer.len, 'C') < 0) {
    Py_CLEAR(result);
  }
  PyBuffer_Release(&buffer);
  return result;
}

PyObject* bytes_from_iterator(PyObject* source, PyObject* iterator) {
  const Py_ssize_t hint = PyObject_LengthHint(source, 64);
  if (hint < 0) return nullptr;
  return collect_bytes(hint, [&](bool& done) -> Ref<> {
    PyObject* item = PyIter_Next(iterator);
    done = item == nullptr && !PyErr_Occurred();
    return Ref<>::steal(item);
  });
}

}  // namespace

/// From a bytes-like object or an iterable of ints. Returns new.
PyObject* PyBytes_FromObject(PyObject* source) {
  if (source == nullptr) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (PyBytes_CheckExact(source)) return Py_NewRef(source);
  if (PyObject_CheckBuffer(source)) return bytes_from_buffer(source);
  if (PyList_CheckExact(source) || PyTuple_CheckExact(source)) {
    Py_ssize_t i = 0;
    return collect_bytes(PySequence_Fast_GET_SIZE(source), [&](bool& done) -> Ref<> {
      done = i >= PySequence_Fast_GET_SIZE(source);  // a list can change meanwhile
      return done ? Ref<>() : Ref<>::dup(PySequence_Fast_GET_ITEM(source, i++));
    });
  }
  if (!PyUnicode_Check(source)) {
    Ref<> iterator = Ref<>::steal(PyObject_GetIter(source));
    if (iterator) return bytes_from_iterator(source, iterator.get());
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return nullptr;
  }
  return raise(PyExc_TypeError, "cannot convert '%.200s' object to bytes", Py_TYPE(source)->tp_name);
}

PyObject* PyBytes_FromFormatV(const char* format, va_list arguments) {
  _PyBytesWriter writer;
  _PyBytesWriter_Init(&writer);
  char* out = static_cast<char*>(_PyBytesWriter_Alloc(&writer, static_cast<Py_ssize_t>(strlen(format))));
  if (out == nullptr) return nullptr;
  writer.overallocate = 1;
  va_list args;
  va_copy(args, arguments);
  const auto put = [&](const char* text, size_t length) {
    out = static_cast<char*>(_PyBytesWriter_WriteBytes(&writer, out, text, static_cast<Py_ssize_t>(length)));
    return out != nullptr;
  };
  bool alive = true;
  for (const char* p = format; *p != '\0' && alive; p++) {
    if (*p != '%') {
      alive = put(p, 1);
      continue;
    }
    const char* directive = p++;
    while (Py_ISDIGIT(*p)) p++;  // a width is accepted and ignored
    Py_ssize_t precision = -1;
    if (*p == '.') {
      precision = 0;
      for (p++; Py_ISDIGIT(*p); p++) precision = precision * 10 + (*p - '0');
    }
    while (*p != '\0' && *p != '%' && !Py_ISALPHA(*p)) p++;
    char size = 0;
    if ((*p == 'l' || *p == 'z') && (p[1] == 'd' || p[1] == 'u')) size = *p++;
    char buffer[32];
    switch (*p) {
      case 'c': {
        const int c = va_arg(args, int);
        if (c < 0 || c > 255) {
          PyErr_SetString(PyExc_OverflowError, "PyBytes_FromFormatV(): %c format expects an integer in range [0; 255]");
          _PyBytesWriter_Dealloc(&writer);
          va_end(args);
          return nullptr;
        }
        buffer[0] = static_cast<char>(c);
        alive = put(buffer, 1);
        break;
      }
      case 'd':
        snprintf(buffer, sizeof(buffer), "%ld", size == 'l' ? va_arg(args, long) : size == 'z' ? va_arg(args, Py_ssize_t) : va_arg(args, int));
        alive = put(buffer, strlen(buffer));
        break;
      case 'u':
        snprintf(buffer, sizeof(buffer), "%lu", size == 'l' ? va_arg(args, unsigned long) : size == 'z' ? va_arg(args, size_t) : va_arg(args, unsigned));
        alive = put(buffer, strlen(buffer));
        break;
      case 'i':
        snprintf(buffer, sizeof(buffer), "%i", va_arg(args, int));
        alive = put(buffer, strlen(buffer));
        break;
      case 'x':
        snprintf(buffer, sizeof(buffer), "%x", va_arg(args, unsigned));
        alive = put(buffer, strlen(buffer));
        break;
      case 's': {
        const char* text = va_arg(args, const char*);
        alive = put(text, precision < 0 ? strlen(text) : strnlen(text, static_cast<size_t>(precision)));
        break;
      }
      case 'p': {
        // A null pointer is "(nil)" to the C library and gets the 0x of the others.
        void* pointer = va_arg(args, void*);
        snprintf(buffer, sizeof(buffer), pointer == nullptr ? "0x%p" : "%p", pointer);
        alive = put(buffer, strlen(buffer));
        break;
      }
      case '%':
        alive = put("%", 1);
        break;
      default:  // unknown: the rest of the format as it stands
        alive = put(directive, strlen(directive));
        p = directive + strlen(directive) - 1;
    }
  }
  va_end(args);
  return alive ? _PyBytesWriter_Finish(&writer, out) : nullptr;
}

PyObject* PyBytes_FromFormat(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  PyObject* result = PyBytes_FromFormatV(format, arguments);
  va_end(arguments);
  return result;
}

// Access ------------------------------------------------------------------------------------------------------------

Py_ssize_t PyBytes_Size(PyObject* object) {
  if (!PyBytes_Check(object)) return raise(PyExc_TypeError, "expected bytes, %.200s found", Py_TYPE(object)->tp_name);
  return Py_SIZE(object);
}
char* PyBytes_AsString(PyObject* object) {
  if (!PyBytes_Check(object)) return raise(PyExc_TypeError, "expected bytes, %.200s found", Py_TYPE(object)->tp_name);
  return as_bytes(object)->ob_sval;
}
int PyBytes_AsStringAndSize(PyObject* object, char** data, Py_ssize_t* size) {
  if (data == nullptr) {
    PyErr_BadInternalCall();
    return -1;
  }
  if (!PyBytes_Check(object)) return raise(PyExc_TypeError, "expected bytes, %.200s found", Py_TYPE(object)->tp_name);
  *data = PyBytes_AS_STRING(object);
  if (size != nullptr) {
    *size = PyBytes_GET_SIZE(object);
  } else if (strlen(*data) != static_cast<size_t>(PyBytes_GET_SIZE(object))) {
    return raise(PyExc_ValueError, "embedded null byte");
  }
  return 0;
}

/// Changes the size of an object that nobody else knows; *object becomes null on failure.
int _PyBytes_Resize(PyObject** object, Py_ssize_t size) {
  PyObject* self = *object;
  if (!PyBytes_Check(self) || size < 0) {
    *object = nullptr;
    Py_XDECREF(self);
    PyErr_BadInternalCall();
    return -1;
  }
  if (Py_SIZE(self) == size) return 0;
  if (Py_SIZE(self) != 0 && Py_REFCNT(self) != 1) {
    *object = nullptr;
    Py_DECREF(self);
    PyErr_BadInternalCall();
    return -1;
  }
  if (Py_SIZE(self) == 0 || size == 0) {
    *object = size == 0 ? empty_bytes() : PyBytes_FromStringAndSize(nullptr, size);
    Py_DECREF(self);
    return *object == nullptr ? -1 : 0;
  }
  PyBytesObject* moved = static_cast<PyBytesObject*>(PyObject_Realloc(self, static_cast<size_t>(kBytesHead + size)));
  if (moved == nullptr) {
    *object = nullptr;
    PyObject_Free(self);
    PyErr_NoMemory();
    return -1;
  }
  *object = as_object(moved);
  Py_SET_SIZE(*object, size);
  moved->ob_sval[size] = '\0';
  moved->ob_shash = -1;
  return 0;
}

Py_ssize_t _PyBytes_Find(const char* hay, Py_ssize_t n, const char* needle, Py_ssize_t m, Py_ssize_t offset) {
  const Py_ssize_t at = search::find(reinterpret_cast<const uint8_t*>(hay), n, reinterpret_cast<const uint8_t*>(needle), m);
  return at < 0 ? -1 : at + offset;
}
Py_ssize_t _PyBytes_ReverseFind(const char* hay, Py_ssize_t n, const char* needle, Py_ssize_t m, Py_ssize_t offset) {
  const Py_ssize_t at = search::rfind(reinterpret_cast<const uint8_t*>(hay), n, reinterpret_cast<const uint8_t*>(needle), m);
  return at < 0 ? -1 : at + offset;
}

/// Fills `out` with copies of the source; source and destination may start at the same place.
void _PyBytes_Repeat(char* out, Py_ssize_t total, const char* source, Py_ssize_t size) {
  if (total == 0) return;
  if (size == 1) {
    memset(out, source[0], static_cast<size_t>(total));
    return;
  }
  if (source != out) memcpy(out, source, static_cast<size_t>(size));
  for (Py_ssize_t done = size; done < total;) {
    const Py_ssize_t n = Py_MIN(done, total - done);
    memcpy(out + done, out, static_cast<size_t>(n));
    done += n;
  }
}

PyObject* _PyBytes_Join(PyObject* separator, PyObject* items) { return join<BytesKind>(separator, items); }

static PyObject* concatenate(PyObject* a, PyObject* b) {
  if (LIKELY(PyBytes_CheckExact(a) && PyBytes_CheckExact(b))) {
    if (Py_SIZE(a) == 0) return Py_NewRef(b);
    if (Py_SIZE(b) == 0) return Py_NewRef(a);
  }
  Buffer x;
  Buffer y;
  if (!x.acquire(a) || !y.acquire(b)) {
    return raise(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(b)->tp_name, Py_TYPE(a)->tp_name);
  }
  if (x.size() > PY_SSIZE_T_MAX - y.size()) return PyErr_NoMemory();
  PyObject* result = PyBytes_FromStringAndSize(nullptr, x.size() + y.size());
  if (result == nullptr) return nullptr;
  memcpy(PyBytes_AS_STRING(result), x.data(), static_cast<size_t>(x.size()));
  memcpy(PyBytes_AS_STRING(result) + x.size(), y.data(), static_cast<size_t>(y.size()));
  return result;
}

/// *object becomes *object + other, null on failure.
void PyBytes_Concat(PyObject** object, PyObject* other) {
  if (*object == nullptr) return;
  if (other == nullptr) {
    Py_CLEAR(*object);
    return;
  }
  if (Py_REFCNT(*object) == 1 && PyBytes_CheckExact(*object) && *object != other) {  // FAST: grow in place
    Buffer added;
    if (!added.acquire(other)) {
      PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(other)->tp_name, Py_TYPE(*object)->tp_name);
      Py_CLEAR(*object);
      return;
    }
    const Py_ssize_t size = PyBytes_GET_SIZE(*object);
    if (size > PY_SSIZE_T_MAX - added.size()) {
      PyErr_NoMemory();
      Py_CLEAR(*object);
      return;
    }
    if (_PyBytes_Resize(object, size + added.size()) < 0) return;
    memcpy(PyBytes_AS_STRING(*object) + size, added.data(), static_cast<size_t>(added.size()));
    return;
  }
  Py_SETREF(*object, concatenate(*object, other));
}
void PyBytes_ConcatAndDel(PyObject** object, PyObject* other) {
  PyBytes_Concat(object, other);
  Py_XDECREF(other);
}

// Slots -------------------------------------------------------------------------------------------------------------

namespace {

Py_ssize_t bytes_length(PyObject* self) { return Py_SIZE(self); }

PyObject* bytes_repeat(PyObject* self, Py_ssize_t n) {
  if (n < 0) n = 0;
  const Py_ssize_t size = Py_SIZE(self);
  if (n > 0 && size > PY_SSIZE_T_MAX / n) return raise(PyExc_OverflowError, "repeated bytes are too long");
  if (size * n == size && PyBytes_CheckExact(self)) return Py_NewRef(self);
  // QUIRK: no repetitions make a new object, not the shared empty bytes.
  PyObject* result = PyBytes_FromStringAndSize(nullptr, Py_MAX(size * n, 1));
  if (result == nullptr) return nullptr;
  Py_SET_SIZE(result, size * n);
  as_bytes(result)->ob_sval[size * n] = '\0';
  _PyBytes_Repeat(PyBytes_AS_STRING(result), size * n, PyBytes_AS_STRING(self), size);
  return result;
}

PyObject* bytes_item(PyObject* self, Py_ssize_t i) {
  if (i < 0 || i >= Py_SIZE(self)) return raise(PyExc_IndexError, "index out of range");
  return _PyLong_FromUnsignedChar(Py_CHARMASK(as_bytes(self)->ob_sval[i]));
}

PyObject* bytes_subscript(PyObject* self, PyObject* key) {
  if (_PyIndex_Check(key)) {
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) return nullptr;
    if (i < 0) i += Py_SIZE(self);
    return bytes_item(self, i);
  }
  if (!PySlice_Check(key)) {
    return raise(PyExc_TypeError, "byte indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
  }
  Py_ssize_t start;
  Py_ssize_t stop;
  Py_ssize_t step;
  if (PySlice_Unpack(key, &start, &stop, &step) < 0) return nullptr;
  const Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
  if (count <= 0) return empty_bytes();
  const char* data = PyBytes_AS_STRING(self);
  if (step == 1) {
    if (count == Py_SIZE(self) && PyBytes_CheckExact(self)) return Py_NewRef(self);
    return PyBytes_FromStringAndSize(data + start, count);
  }
  PyObject* result = PyBytes_FromStringAndSize(nullptr, count);
  if (result == nullptr) return nullptr;
  char* out = PyBytes_AS_STRING(result);
  for (Py_ssize_t i = 0; i < count; i++, start += step) out[i] = data[start];
  return result;
}

int bytes_getbuffer(PyObject* self, Py_buffer* view, int flags) {
  return PyBuffer_FillInfo(view, self, PyBytes_AS_STRING(self), Py_SIZE(self), 1, flags);
}

Py_hash_t bytes_hash(PyObject* self) {
  PyBytesObject* b = as_bytes(self);
  if (b->ob_shash == -1) b->ob_shash = _Py_HashBytes(b->ob_sval, Py_SIZE(self));
  return b->ob_shash;
}

PyObject* bytes_richcompare(PyObject* v, PyObject* w, int op) {
  if (!(PyBytes_Check(v) && PyBytes_Check(w))) {
    if (_Py_GetConfig()->bytes_warning && (op == Py_EQ || op == Py_NE)) {
      if (PyUnicode_Check(v) || PyUnicode_Check(w)) {
        if (PyErr_WarnEx(PyExc_BytesWarning, "Comparison between bytes and string", 1)) return nullptr;
      } else if (PyLong_Check(v) || PyLong_Check(w)) {
        if (PyErr_WarnEx(PyExc_BytesWarning, "Comparison between bytes and int", 1)) return nullptr;
      }
    }
    Py_RETURN_NOTIMPLEMENTED;
  }
  if (v == w) return PyBool_FromLong(op == Py_EQ || op == Py_LE || op == Py_GE);
  const Py_ssize_t n = Py_SIZE(v);
  const Py_ssize_t m = Py_SIZE(w);
  if (op == Py_EQ || op == Py_NE) {
    const bool equal = n == m && memcmp(PyBytes_AS_STRING(v), PyBytes_AS_STRING(w), static_cast<size_t>(n)) == 0;
    return PyBool_FromLong(equal == (op == Py_EQ));
  }
  int order = memcmp(PyBytes_AS_STRING(v), PyBytes_AS_STRING(w), static_cast<size_t>(Py_MIN(n, m)));
  if (order == 0) order = (n > m) - (n < m);
  Py_RETURN_RICHCOMPARE(order, 0, op);
}

PyObject* bytes_str(PyObject* self) {
  if (_Py_GetConfig()->bytes_warning && PyErr_WarnEx(PyExc_BytesWarning, "str() on a bytes instance", 1)) return nullptr;
  return PyBytes_Repr(self, 1);
}
PyObject* bytes_repr(PyObject* self) { return PyBytes_Repr(self, 1); }

PyObject* bytes_mod(PyObject* self, PyObject* arguments) {
  if (!PyBytes_Check(self)) Py_RETURN_NOTIMPLEMENTED;
  return _PyBytes_FormatEx(PyBytes_AS_STRING(self), PyBytes_GET_SIZE(self), arguments, 0);
}

/// bytes(source, encoding, errors) for the exact type.
PyObject* make_bytes(PyObject* source, const char* encoding, const char* errors) {
  if (source == nullptr) {
    if (encoding != nullptr || errors != nullptr) {
      return raise(PyExc_TypeError, encoding != nullptr ? "encoding without a string argument"
                                                        : "errors without a string argument");
    }
    return empty_bytes();
  }
  if (encoding != nullptr) {
    if (!PyUnicode_Check(source)) return raise(PyExc_TypeError, "encoding without a string argument");
    return PyUnicode_AsEncodedString(source, encoding, errors);
  }
  if (errors != nullptr) {
    return raise(PyExc_TypeError, PyUnicode_Check(source) ? "string argument without an encoding"
                                                          : "errors without a string argument");
  }
  Ref<> function = Ref<>::steal(_PyObject_LookupSpecial(source, &_Py_ID(__bytes__)));
  if (function) {
    Ref<> result = Ref<>::steal(_PyObject_CallNoArgs(function.get()));
    if (result && !PyBytes_Check(result.get())) {
      return raise(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)", Py_TYPE(result.get())->tp_name);
    }
    return result.release();
  }
  if (PyErr_Occurred()) return nullptr;
  if (PyUnicode_Check(source)) return raise(PyExc_TypeError, "string argument without an encoding");
  if (_PyIndex_Check(source)) {
    const Py_ssize_t size = PyNumber_AsSsize_t(source, PyExc_OverflowError);
    if (size == -1 && PyErr_Occurred()) {
      if (!PyErr_ExceptionMatches(PyExc_TypeError)) return nullptr;
      PyErr_Clear();
    } else {
      if (size < 0) return raise(PyExc_ValueError, "negative count");
      PyObject* result = PyBytes_FromStringAndSize(nullptr, size);
      if (result != nullptr) memset(PyBytes_AS_STRING(result), 0, static_cast<size_t>(size));
      return result;
    }
  }
  return PyBytes_FromObject(source);
}

PyObject* bytes_new(PyTypeObject* type, PyObject* source, Optional<const char*> encoding, Optional<const char*> errors) {
  Ref<> value = Ref<>::steal(make_bytes(source, encoding.value_or(nullptr), errors.value_or(nullptr)));
  if (!value || type == &PyBytes_Type) return value.release();
  const Py_ssize_t size = PyBytes_GET_SIZE(value.get());
  PyObject* result = type->tp_alloc(type, size);
  if (result == nullptr) return nullptr;
  as_bytes(result)->ob_shash = as_bytes(value.get())->ob_shash;
  memcpy(PyBytes_AS_STRING(result), PyBytes_AS_STRING(value.get()), static_cast<size_t>(size) + 1);
  return result;
}

/// tp_alloc for subclasses counts the NUL in basicsize, so nothing special is needed here.
PyObject* bytes_getnewargs(Borrowed<PyBytesObject> self) { return Py_BuildValue("(y#)", self->ob_sval, Py_SIZE(self.object())); }
PyObject* bytes_bytes(Borrowed<PyBytesObject> self) {
  return PyBytes_CheckExact(self.object()) ? Py_NewRef(self.object()) : PyBytes_FromStringAndSize(self->ob_sval, Py_SIZE(self.object()));
}
PyObject* bytes_fromhex(PyTypeObject* type, Borrowed<PyUnicodeObject> text) {
  PyObject* result = _PyBytes_FromHex(text.object(), 0);
  if (type != &PyBytes_Type && result != nullptr) Py_SETREF(result, PyObject_CallOneArg(as_object(type), result));
  return result;
}

// Iterator ----------------------------------------------------------------------------------------------------------

/// `bytes` is null when exhausted.
struct BytesIterator {
  PyObject_HEAD
  Py_ssize_t index;
  PyBytesObject* bytes;
};
BytesIterator* as_iterator(PyObject* self) { return reinterpret_cast<BytesIterator*>(self); }

PyObject* bytes_iter(PyObject* self) {
  BytesIterator* it = PyObject_GC_New(BytesIterator, &PyBytesIter_Type);
  if (it == nullptr) return nullptr;
  it->index = 0;
  it->bytes = as_bytes(Py_NewRef(self));
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
  BytesIterator* it = as_iterator(self);
  PyBytesObject* bytes = it->bytes;
  if (bytes == nullptr) return nullptr;
  if (LIKELY(it->index < Py_SIZE(bytes))) return _PyLong_FromUnsignedChar(Py_CHARMASK(bytes->ob_sval[it->index++]));
  it->bytes = nullptr;
  Py_DECREF(as_object(bytes));
  return nullptr;
}
PyObject* iterator_length_hint(Borrowed<BytesIterator> self) {
  return PyLong_FromSsize_t(self->bytes == nullptr ? 0 : Py_SIZE(self->bytes) - self->index);
}
PyObject* iterator_reduce(Borrowed<BytesIterator> self) {
  if (self->bytes != nullptr) return Py_BuildValue("N(O)n", _PyEval_GetBuiltin(&_Py_ID(iter)), self->bytes, self->index);
  return Py_BuildValue("N(())", _PyEval_GetBuiltin(&_Py_ID(iter)));
}
PyObject* iterator_setstate(Borrowed<BytesIterator> self, Borrowed<> state) {
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

PyMethodDef bytes_methods[] = {
    method<bytes_getnewargs, "__getnewargs__($self, /)">(),
    method<bytes_bytes, "__bytes__($self, /)", "The value as an exact bytes object.">(),
    method<bytes_fromhex, "fromhex($type, string, /)",
           "Bytes from hexadecimal digits; spaces between two bytes are skipped.\n\n"
           "bytes.fromhex('B9 01EF') is b'\\xb9\\x01\\xef'.">(METH_CLASS),
    PYSTON_BYTES_METHODS(BytesKind, "bytes"),
    {}};

PyNumberMethods bytes_as_number = {.nb_remainder = bytes_mod};
PySequenceMethods bytes_as_sequence = {
    .sq_length = bytes_length,
    .sq_concat = concatenate,
    .sq_repeat = bytes_repeat,
    .sq_item = bytes_item,
    .sq_contains = contains,
};
PyMappingMethods bytes_as_mapping = {.mp_length = bytes_length, .mp_subscript = bytes_subscript};
PyBufferProcs bytes_as_buffer = {.bf_getbuffer = bytes_getbuffer};

}  // namespace

PyTypeObject PyBytes_Type = {
    .ob_base = type_head(),
    .tp_name = "bytes",
    .tp_basicsize = kBytesHead,
    .tp_itemsize = sizeof(char),
    .tp_repr = bytes_repr,
    .tp_as_number = &bytes_as_number,
    .tp_as_sequence = &bytes_as_sequence,
    .tp_as_mapping = &bytes_as_mapping,
    .tp_hash = bytes_hash,
    .tp_str = bytes_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &bytes_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_BYTES_SUBCLASS | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\n"
              "bytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\n"
              "bytes(int) -> bytes object of size given by the parameter initialized with null bytes\n"
              "bytes() -> empty bytes object\n\nAn immutable array of bytes.",
    .tp_richcompare = bytes_richcompare,
    .tp_iter = bytes_iter,
    .tp_methods = bytes_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = constructor<bytes_new, "bytes($type, source=b'', encoding='', errors='')">,
    .tp_free = PyObject_Del,
};

PyTypeObject PyBytesIter_Type = {
    .ob_base = type_head(),
    .tp_name = "bytes_iterator",
    .tp_basicsize = sizeof(BytesIterator),
    .tp_dealloc = iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
    .tp_methods = iterator_methods,
};
static_assert(kBytesHead == 33);

PyStatus _PyBytes_InitTypes(PyInterpreterState* interp) {
  if (!_Py_IsMainInterpreter(interp)) return PyStatus_Ok();
  if (PyType_Ready(&PyBytes_Type) < 0) return PyStatus_Error("Can't initialize bytes type");
  if (PyType_Ready(&PyBytesIter_Type) < 0) return PyStatus_Error("Can't initialize bytes iterator type");
  return PyStatus_Ok();
}

// _PyBytesWriter ----------------------------------------------------------------------------------------------------

static char* writer_data(_PyBytesWriter* writer) {
  if (writer->use_small_buffer) return writer->small_buffer;
  return writer->use_bytearray ? PyByteArray_AS_STRING(writer->buffer) : PyBytes_AS_STRING(writer->buffer);
}

void _PyBytesWriter_Init(_PyBytesWriter* writer) { memset(writer, 0, offsetof(_PyBytesWriter, small_buffer)); }

void _PyBytesWriter_Dealloc(_PyBytesWriter* writer) { Py_CLEAR(writer->buffer); }

/// Makes room for `size` bytes in all; gives back the write position, which may have moved.
void* _PyBytesWriter_Resize(_PyBytesWriter* writer, void* out, Py_ssize_t size) {
  Py_ssize_t allocated = size;
  if (writer->overallocate && allocated <= PY_SSIZE_T_MAX - allocated / 4) allocated += allocated / 4;
  const Py_ssize_t position = static_cast<char*>(out) - writer_data(writer);
  if (!writer->use_small_buffer) {
    const int outcome = writer->use_bytearray ? PyByteArray_Resize(writer->buffer, allocated)
                                              : _PyBytes_Resize(&writer->buffer, allocated);
    if (outcome < 0) {
      _PyBytesWriter_Dealloc(writer);
      writer->allocated = 0;
      return nullptr;
    }
  } else {
    writer->buffer = writer->use_bytearray ? PyByteArray_FromStringAndSize(nullptr, allocated)
                                           : PyBytes_FromStringAndSize(nullptr, allocated);
    if (writer->buffer == nullptr) return nullptr;
    char* data = writer->use_bytearray ? PyByteArray_AS_STRING(writer->buffer) : PyBytes_AS_STRING(writer->buffer);
    memcpy(data, writer->small_buffer, static_cast<size_t>(position));
    writer->use_small_buffer = 0;
  }
  writer->allocated = allocated;
  return writer_data(writer) + position;
}

void* _PyBytesWriter_Prepare(_PyBytesWriter* writer, void* out, Py_ssize_t size) {
  if (size == 0) return out;
  if (writer->min_size > PY_SSIZE_T_MAX - size) {
    PyErr_NoMemory();
    _PyBytesWriter_Dealloc(writer);
    return nullptr;
  }
  const Py_ssize_t new_size = writer->min_size + size;
  if (new_size > writer->allocated) out = _PyBytesWriter_Resize(writer, out, new_size);
  writer->min_size = new_size;
  return out;
}

void* _PyBytesWriter_Alloc(_PyBytesWriter* writer, Py_ssize_t size) {
  writer->use_small_buffer = 1;
  writer->allocated = sizeof(writer->small_buffer);
  return _PyBytesWriter_Prepare(writer, writer->small_buffer, size);
}

PyObject* _PyBytesWriter_Finish(_PyBytesWriter* writer, void* out) {
  const Py_ssize_t size = static_cast<char*>(out) - writer_data(writer);
  if (size == 0 && !writer->use_bytearray) {
    Py_CLEAR(writer->buffer);
    return PyBytes_FromStringAndSize(nullptr, 0);
  }
  if (writer->use_small_buffer) {
    return writer->use_bytearray ? PyByteArray_FromStringAndSize(writer->small_buffer, size)
                                 : PyBytes_FromStringAndSize(writer->small_buffer, size);
  }
  PyObject* result = std::exchange(writer->buffer, nullptr);
  if (size == writer->allocated) return result;
  if (writer->use_bytearray) {
    if (PyByteArray_Resize(result, size) < 0) Py_CLEAR(result);
  } else if (_PyBytes_Resize(&result, size) < 0) {
    return nullptr;
  }
  return result;
}

void* _PyBytesWriter_WriteBytes(_PyBytesWriter* writer, void* out, const void* data, Py_ssize_t size) {
  char* position = static_cast<char*>(_PyBytesWriter_Prepare(writer, out, size));
  if (position == nullptr) return nullptr;
  memcpy(position, data, static_cast<size_t>(size));
  return position + size;
}
