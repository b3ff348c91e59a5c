// Bytes as text and back: repr, backslash escapes, hexadecimal digits.
#include <cstring>

#include "Objects/text/bytes_methods.h"
#include "pycore_long.h"

using namespace pyston;
using namespace pyston::bytes;

PyObject* pyston::bytes::repr(const char* prefix, View text, const char* suffix, bool smart_quotes) {
  Py_ssize_t length = static_cast<Py_ssize_t>(strlen(prefix) + strlen(suffix)) + 2;
  bool single = false;
  bool both = false;
  for (Py_ssize_t i = 0; i < text.size; i++) {
    const unsigned char c = text.bytes()[i];
    Py_ssize_t width = 1;
    if (c == '\'') {
      single = true;
    } else if (c == '"') {
      both = true;
    } else if (c == '\\' || c == '\t' || c == '\n' || c == '\r') {
      width = 2;
    } else if (c < ' ' || c >= 0x7f) {
      width = 4;
    }
    if (length > PY_SSIZE_T_MAX - width) return raise(PyExc_OverflowError, "bytes object is too large to make repr");
    length += width;
  }
  const char quote = smart_quotes && single && !both ? '"' : '\'';
  if (quote == '\'' && single) {
    for (Py_ssize_t i = 0; i < text.size; i++) length += text.data[i] == '\'';
  }
  PyObject* result = PyUnicode_New(length, 127);
  if (result == nullptr) return nullptr;
  char* out = reinterpret_cast<char*>(PyUnicode_1BYTE_DATA(result));
  out = stpcpy(out, prefix);
  *out++ = quote;
  for (Py_ssize_t i = 0; i < text.size; i++) {
    const unsigned char c = text.bytes()[i];
    if (c == static_cast<unsigned char>(quote) || c == '\\') {
      *out++ = '\\';
      *out++ = static_cast<char>(c);
    } else if (c == '\t' || c == '\n' || c == '\r') {
      *out++ = '\\';
      *out++ = c == '\t' ? 't' : (c == '\n' ? 'n' : 'r');
    } else if (c < ' ' || c >= 0x7f) {
      *out++ = '\\';
      *out++ = 'x';
      *out++ = Py_hexdigits[c >> 4];
      *out++ = Py_hexdigits[c & 15];
    } else {
      *out++ = static_cast<char>(c);
    }
  }
  *out++ = quote;
  memcpy(out, suffix, strlen(suffix));
  return result;
}

PyObject* PyBytes_Repr(PyObject* object, int smart_quotes) { return repr("b", view(object), "", smart_quotes != 0); }

/// Resolves backslash escapes. The first invalid one is reported through the pointers: its character (or, beyond 255, the
/// value of an octal escape that doesn't fit a byte; -1: none) and where it stands. Returns new.
PyObject* _PyBytes_DecodeEscape2(const char* text, Py_ssize_t length, const char* errors, int* invalid_character,
                                 const char** invalid_position) {
  *invalid_character = -1;
  *invalid_position = nullptr;
  _PyBytesWriter writer;
  _PyBytesWriter_Init(&writer);
  char* out = static_cast<char*>(_PyBytesWriter_Alloc(&writer, length));
  if (out == nullptr) return nullptr;
  writer.overallocate = 1;
  const auto fail = [&]() -> PyObject* {
    _PyBytesWriter_Dealloc(&writer);
    return nullptr;
  };
  const char* stop = text + length;
  const char* s = text;
  while (s < stop) {
    if (*s != '\\') {
      *out++ = *s++;
      continue;
    }
    s++;
    if (s == stop) {
      PyErr_SetString(PyExc_ValueError, "Trailing \\ in string");
      return fail();
    }
    const char c = *s++;
    switch (c) {
      case '\n': break;
      case '\\': case '\'': case '"': *out++ = c; break;
      case 'b': *out++ = '\b'; break;
      case 'f': *out++ = '\f'; break;
      case 't': *out++ = '\t'; break;
      case 'n': *out++ = '\n'; break;
      case 'r': *out++ = '\r'; break;
      case 'v': *out++ = '\v'; break;
      case 'a': *out++ = '\a'; break;
      case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': {
        int value = c - '0';
        const char* start = s - 1;
        for (int i = 0; i < 2 && s < stop && *s >= '0' && *s <= '7'; i++) value = value * 8 + (*s++ - '0');
        if (value > 255 && *invalid_character == -1) {
          *invalid_character = value;
          *invalid_position = start;
        }
        *out++ = static_cast<char>(value);
        break;
      }
      case 'x': {
        const int high = s < stop ? _PyLong_DigitValue[Py_CHARMASK(s[0])] : 37;
        const int low = s + 1 < stop ? _PyLong_DigitValue[Py_CHARMASK(s[1])] : 37;
        if (high < 16 && low < 16) {
          *out++ = static_cast<char>(high << 4 | low);
          s += 2;
          break;
        }
        if (errors == nullptr || strcmp(errors, "strict") == 0) {
          PyErr_Format(PyExc_ValueError, "invalid \\x escape at position %zd", s - 2 - text);
          return fail();
        }
        if (strcmp(errors, "replace") == 0) {
          *out++ = '?';
        } else if (strcmp(errors, "ignore") != 0) {
          PyErr_Format(PyExc_ValueError, "decoding error; unknown error handling code: %.400s", errors);
          return fail();
        }
        if (s < stop && Py_ISXDIGIT(s[0])) s++;  // a single digit belongs to the bad escape
        break;
      }
      default:
        if (*invalid_character == -1) {
          *invalid_character = Py_CHARMASK(c);
          *invalid_position = s - 1;
        }
        *out++ = '\\';
        s--;  // the character itself can start something (a multi-byte sequence never does)
    }
  }
  return _PyBytesWriter_Finish(&writer, out);
}

PyObject* _PyBytes_DecodeEscape(const char* text, Py_ssize_t length, const char* errors, const char** invalid_position) {
  int character;
  return _PyBytes_DecodeEscape2(text, length, errors, &character, invalid_position);
}

/// The same with a DeprecationWarning for invalid escapes.
PyObject* PyBytes_DecodeEscape(const char* text, Py_ssize_t length, const char* errors, Py_ssize_t, const char*) {
  int character;
  const char* position;
  PyObject* result = _PyBytes_DecodeEscape2(text, length, errors, &character, &position);
  if (result == nullptr || character == -1) return result;
  const int outcome =
      character > 0xff
          ? PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid octal escape sequence '\\%.3s'", position)
          : PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid escape sequence '\\%c'", character);
  if (outcome < 0) Py_CLEAR(result);
  return result;
}

/// Bytes (or a bytearray) from hexadecimal digits with whitespace between bytes. Returns new.
PyObject* _PyBytes_FromHex(PyObject* text, int use_bytearray) {
  if (PyUnicode_READY(text) < 0) return nullptr;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  const auto invalid = [](Py_ssize_t position) {
    return raise(PyExc_ValueError, "non-hexadecimal number found in fromhex() arg at position %zd", position);
  };
  if (!PyUnicode_IS_ASCII(text)) {
    Py_ssize_t i = 0;
    while (PyUnicode_READ_CHAR(text, i) < 128) i++;
    return invalid(i);
  }
  const unsigned char* s = PyUnicode_1BYTE_DATA(text);
  Ref<> result = Ref<>::steal(use_bytearray ? PyByteArray_FromStringAndSize(nullptr, length / 2)
                                            : PyBytes_FromStringAndSize(nullptr, length / 2));
  if (!result) return nullptr;
  char* out = use_bytearray ? PyByteArray_AS_STRING(result.get()) : PyBytes_AS_STRING(result.get());
  Py_ssize_t size = 0;
  for (Py_ssize_t i = 0;;) {
    while (i < length && Py_ISSPACE(s[i])) i++;
    if (i >= length) break;
    const unsigned high = _PyLong_DigitValue[s[i]];
    if (high >= 16) return invalid(i);
    const unsigned low = i + 1 < length ? _PyLong_DigitValue[s[i + 1]] : 37;
    if (low >= 16) return invalid(i + 1);
    out[size++] = static_cast<char>(high << 4 | low);
    i += 2;
  }
  if (size == length / 2 && size > 1) return result.release();
  return use_bytearray ? PyByteArray_FromStringAndSize(out, size) : PyBytes_FromStringAndSize(out, size);
}
