// str.translate and str.maketrans.
#include "Objects/text/codec_errors.h"
#include "Objects/text/unicode_methods.h"

namespace pyston::text {
namespace {

/// table[c]: new reference; None deletes, null without exception means "unmapped".
PyObject* look_up(PyObject* table, Py_UCS4 c) {
  Ref<> key = Ref<>::steal(PyLong_FromLong(static_cast<long>(c)));
  if (!key) return nullptr;
  if (PyDict_CheckExact(table)) {
    PyObject* value = PyDict_GetItemWithError(table, key.get());
    return Py_XNewRef(value);
  }
  PyObject* value = PyObject_GetItem(table, key.get());
  if (value == nullptr && PyErr_ExceptionMatches(PyExc_LookupError)) PyErr_Clear();
  return value;
}

enum class Mapped { kError, kMissing, kDropped, kDone };

Mapped write_mapped(Writer& writer, PyObject* table, Py_UCS4 c) {
  Ref<> value = Ref<>::steal(look_up(table, c));
  if (!value) return PyErr_Occurred() ? Mapped::kError : Mapped::kMissing;
  if (value.get() == Py_None) return Mapped::kDropped;
  if (PyLong_Check(value.get())) {
    const long code = PyLong_AsLong(value.get());
    if (code < 0 || code > static_cast<long>(kMaxUnicode)) {
      PyErr_Clear();
      PyErr_Format(PyExc_ValueError, "character mapping must be in range(0x%x)", kMaxUnicode + 1);
      return Mapped::kError;
    }
    return writer.put(static_cast<Py_UCS4>(code)) ? Mapped::kDone : Mapped::kError;
  }
  if (PyUnicode_Check(value.get())) return writer.string(value.get()) ? Mapped::kDone : Mapped::kError;
  PyErr_SetString(PyExc_TypeError, "character mapping must return integer, None or str");
  return Mapped::kError;
}

/// FAST: an ASCII string whose mapped characters are ASCII or deleted. Looks every character up once.
/// Returns the result or null; `at` says where the piecewise loop has to go on when it gave up without exception.
PyObject* translate_ascii(const Text& text, PyObject* table, Py_ssize_t& at, Writer& writer) {
  static constexpr unsigned char kUnknown = 0xff;
  static constexpr unsigned char kDeleted = 0xfe;
  unsigned char map[128];
  memset(map, kUnknown, sizeof(map));
  const unsigned char* from = static_cast<const unsigned char*>(text.data);
  PyObject* buffer = allocate(text.length, 0x7f);
  if (buffer == nullptr) return nullptr;
  unsigned char* to = reinterpret_cast<unsigned char*>(PyUnicode_DATA(buffer));
  Py_ssize_t out = 0;
  Py_ssize_t i = 0;
  for (; i < text.length; i++) {
    unsigned char mapped = map[from[i]];
    if (UNLIKELY(mapped == kUnknown)) {
      Ref<> value = Ref<>::steal(look_up(table, from[i]));
      if (!value) {
        if (PyErr_Occurred()) {
          Py_DECREF(buffer);
          return nullptr;
        }
        mapped = from[i];
      } else if (value.get() == Py_None) {
        mapped = kDeleted;
      } else if (PyLong_Check(value.get())) {
        const long code = PyLong_AsLong(value.get());
        if (code < 0 || code > 127) {
          PyErr_Clear();
          break;
        }
        mapped = static_cast<unsigned char>(code);
      } else if (PyUnicode_Check(value.get()) && ready(value.get()) && PyUnicode_GET_LENGTH(value.get()) == 1 &&
                 PyUnicode_IS_ASCII(value.get())) {
        mapped = PyUnicode_1BYTE_DATA(value.get())[0];
      } else {
        break;
      }
      map[from[i]] = mapped;
    }
    if (mapped != kDeleted) to[out++] = mapped;
  }
  at = i;
  PyObject* result = nullptr;
  if (i == text.length) {
    result = out == text.length && out > 1 ? Py_NewRef(buffer) : from_ascii(reinterpret_cast<char*>(to), out);
  } else {
    writer.ascii(reinterpret_cast<char*>(to), out);
  }
  Py_DECREF(buffer);
  return result;
}

}  // namespace

PyObject* translate(PyObject* self, PyObject* table) {
  const Text text = view(self);
  if (text.length == 0) return exact(self);
  Writer writer(text.length);
  Py_ssize_t i = 0;
  if (text.ascii) {
    PyObject* result = translate_ascii(text, table, i, writer);
    if (result != nullptr || PyErr_Occurred()) return result;
  }
  for (; i < text.length; i++) {
    const Py_UCS4 c = text[i];
    switch (write_mapped(writer, table, c)) {
      case Mapped::kError:
        return nullptr;
      case Mapped::kMissing:
        if (!writer.put(c)) return nullptr;
        break;
      case Mapped::kDropped:
      case Mapped::kDone:
        break;
    }
  }
  return writer.finish();
}

Ref<> maketrans(PyObject*, Borrowed<> x, PyObject* y, PyObject* z) {
  Ref<> table = Ref<>::steal(PyDict_New());
  if (!table) return nullptr;
  auto set = [&](Py_UCS4 key, PyObject* value) {
    Ref<> code = Ref<>::steal(PyLong_FromLong(static_cast<long>(key)));
    return code && PyDict_SetItem(table.get(), code.get(), value) == 0;
  };
  if (y == nullptr) {
    if (!PyDict_CheckExact(x.get())) {
      return raise(PyExc_TypeError, "if you give only one argument to maketrans it must be a dict");
    }
    Py_ssize_t position = 0;
    PyObject* key;
    PyObject* value;
    while (PyDict_Next(x, &position, &key, &value)) {
      if (PyUnicode_Check(key)) {
        if (!ready(key)) return nullptr;
        if (PyUnicode_GET_LENGTH(key) != 1) {
          return raise(PyExc_ValueError, "string keys in translate table must be of length 1");
        }
        if (!set(PyUnicode_READ_CHAR(key, 0), value)) return nullptr;
      } else if (PyLong_Check(key)) {
        if (PyDict_SetItem(table.get(), key, value) < 0) return nullptr;
      } else {
        return raise(PyExc_TypeError, "keys in translate table must be strings or integers");
      }
    }
    return table;
  }
  if (!PyUnicode_Check(y)) return raise(PyExc_TypeError, "maketrans() argument 2 must be str, not %.50s", Py_TYPE(y)->tp_name);
  if (z != nullptr && !PyUnicode_Check(z)) {
    return raise(PyExc_TypeError, "maketrans() argument 3 must be str, not %.50s", Py_TYPE(z)->tp_name);
  }
  if (!PyUnicode_Check(x.get())) {
    return raise(PyExc_TypeError, "first maketrans argument must be a string if there is a second argument");
  }
  if (!ready(x) || !ready(y) || (z != nullptr && !ready(z))) return nullptr;
  const Text from = view(x);
  const Text to = view(y);
  if (from.length != to.length) {
    return raise(PyExc_ValueError, "the first two maketrans arguments must have equal length");
  }
  for (Py_ssize_t i = 0; i < from.length; i++) {
    Ref<> code = Ref<>::steal(PyLong_FromLong(static_cast<long>(to[i])));
    if (!code || !set(from[i], code.get())) return nullptr;
  }
  if (z != nullptr) {
    const Text dropped = view(z);
    for (Py_ssize_t i = 0; i < dropped.length; i++) {
      if (!set(dropped[i], Py_None)) return nullptr;
    }
  }
  return table;
}

}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

/// What the error handler wants in the place of [start, stop); `position` is where to go on. Null: exception.
static Ref<> replacement_of(const char* errors, PyObject* str, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t& position) {
  Ref<> handler = Ref<>::steal(PyCodec_LookupError(errors));
  Ref<> error = Ref<>::steal(_PyUnicodeTranslateError_Create(str, start, stop, "character maps to <undefined>"));
  if (!handler || !error) return nullptr;
  Ref<> result = Ref<>::steal(PyObject_CallOneArg(handler.get(), error.get()));
  if (!result) return nullptr;
  static const char kShape[] = "translating error handler must return (str, int) tuple";
  if (!PyTuple_Check(result.get())) return raise(PyExc_TypeError, "%s", kShape);
  PyObject* put;
  if (!PyArg_ParseTuple(result.get(), "Un;translating error handler must return (str, int) tuple", &put, &position)) {
    return nullptr;
  }
  const Py_ssize_t length = PyUnicode_GET_LENGTH(str);
  if (position < 0) position += length;
  if (position < 0 || position > length) {
    return raise(PyExc_IndexError, "position %zd from error handler out of bounds", position);
  }
  return Ref<>::dup(put);
}

/// Characters without an entry are kept; those mapped to None are the error handler's: "ignore" drops them.
PyObject* PyUnicode_Translate(PyObject* str, PyObject* mapping, const char* errors) {
  if (!ensure_string(str)) return nullptr;
  if (mapping == nullptr) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (errors != nullptr && strcmp(errors, "ignore") == 0) return translate(str, mapping);
  const Text text = view(str);
  Writer writer(text.length);
  for (Py_ssize_t i = 0; i < text.length;) {
    switch (write_mapped(writer, mapping, text[i])) {
      case Mapped::kError: return nullptr;
      case Mapped::kMissing:
        if (!writer.put(text[i])) return nullptr;
        [[fallthrough]];
      case Mapped::kDone: i++; continue;
      case Mapped::kDropped: break;
    }
    Py_ssize_t stop = i + 1;
    for (; stop < text.length; stop++) {
      Ref<> next = Ref<>::steal(look_up(mapping, text[stop]));
      if (!next && PyErr_Occurred()) return nullptr;
      if (next.get() != Py_None) break;
    }
    Ref<> put = replacement_of(errors, str, i, stop, i);
    if (!put || !writer.string(put.get())) return nullptr;
  }
  return writer.finish();
}

PyObject* _PyUnicode_TransformDecimalAndSpaceToASCII(PyObject* unicode) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (!ready(unicode)) return nullptr;
  const Text text = view(unicode);
  if (text.ascii) return Py_NewRef(unicode);
  PyObject* result = allocate(text.length, 0x7f);
  if (result == nullptr) return nullptr;
  unsigned char* out = static_cast<unsigned char*>(PyUnicode_DATA(result));
  for (Py_ssize_t i = 0; i < text.length; i++) {
    const Py_UCS4 c = text[i];
    if (c < 127) {
      out[i] = static_cast<unsigned char>(c);
    } else if (Py_UNICODE_ISSPACE(c)) {
      out[i] = ' ';
    } else {
      const int decimal = Py_UNICODE_TODECIMAL(c);
      if (decimal < 0) {  // nothing after this can be part of a number
        out[i] = '?';
        ascii_head(result)->length = i + 1;
        out[i + 1] = 0;
        break;
      }
      out[i] = static_cast<unsigned char>('0' + decimal);
    }
  }
  return result;
}
