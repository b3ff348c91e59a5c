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

enum class Mapped { kError, kMissing, kDone };

Mapped write_mapped(Writer& writer, PyObject* table, Py_UCS4 c) {
  Ref<> value = Ref<>::steal(look_up(table, c));
  if (!value) return PyErr_Occurred() ? Mapped::kError : Mapped::kMissing;
  if (value.get() == Py_None) return Mapped::kDone;
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

PyObject* PyUnicode_Translate(PyObject* str, PyObject* mapping, const char*) {
  // Unmapped characters are kept, so the error handler has never anything to do.
  if (!ensure_string(str)) return nullptr;
  return translate(str, mapping);
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
