// Byte-level helpers without an object of their own: character classes, case-insensitive comparison, hexadecimal text,
// bounded printf.
#include <cstdarg>
#include <cstring>

#include "Runtime/refs/ref.h"
#include "pycore_strhex.h"

using namespace pyston;

// Character classes of ASCII, locale-independent --------------------------------------------------------------------

namespace {

struct CharacterTables {
  unsigned classes[256] = {};
  unsigned char lower[256] = {};
  unsigned char upper[256] = {};
  consteval CharacterTables() {
    for (int c = 0; c < 256; c++) {
      const bool is_lower = c >= 'a' && c <= 'z';
      const bool is_upper = c >= 'A' && c <= 'Z';
      const bool is_digit = c >= '0' && c <= '9';
      lower[c] = static_cast<unsigned char>(is_upper ? c + 32 : c);
      upper[c] = static_cast<unsigned char>(is_lower ? c - 32 : c);
      if (is_lower) classes[c] |= PY_CTF_LOWER;
      if (is_upper) classes[c] |= PY_CTF_UPPER;
      if (is_digit) classes[c] |= PY_CTF_DIGIT;
      if (is_digit || (lower[c] >= 'a' && lower[c] <= 'f')) classes[c] |= PY_CTF_XDIGIT;
      if ((c >= 9 && c <= 13) || c == ' ') classes[c] |= PY_CTF_SPACE;
    }
  }
};
constexpr CharacterTables tables;


}  // namespace

#define ROW8(t, i) t[i], t[i + 1], t[i + 2], t[i + 3], t[i + 4], t[i + 5], t[i + 6], t[i + 7]
#define ROW64(t, i) ROW8(t, i), ROW8(t, i + 8), ROW8(t, i + 16), ROW8(t, i + 24), ROW8(t, i + 32), ROW8(t, i + 40), ROW8(t, i + 48), ROW8(t, i + 56)
#define ROWS(t) {ROW64(t, 0), ROW64(t, 64), ROW64(t, 128), ROW64(t, 192)}
extern const unsigned int _Py_ctype_table[256] = ROWS(tables.classes);
extern const unsigned char _Py_ctype_tolower[256] = ROWS(tables.lower);
extern const unsigned char _Py_ctype_toupper[256] = ROWS(tables.upper);

int PyOS_mystrnicmp(const char* a, const char* b, Py_ssize_t size) {
  if (size == 0) return 0;
  while (--size > 0 && *a != '\0' && *b != '\0' && Py_TOLOWER(*a) == Py_TOLOWER(*b)) a++, b++;
  return Py_TOLOWER(*a) - Py_TOLOWER(*b);
}
int PyOS_mystricmp(const char* a, const char* b) {
  while (*a != '\0' && Py_TOLOWER(*a) == Py_TOLOWER(*b)) a++, b++;
  return Py_TOLOWER(*a) - Py_TOLOWER(*b);
}

// printf into a buffer; always ends in NUL. A negative result is an error, one >= size means truncation.
int PyOS_vsnprintf(char* out, size_t size, const char* format, va_list arguments) {
  if (size > static_cast<size_t>(INT_MAX) - 512) {
    if (size > 0) out[size - 1] = '\0';
    return -666;
  }
  const int length = vsnprintf(out, size, format, arguments);
  if (size > 0) out[size - 1] = '\0';
  return length;
}
int PyOS_snprintf(char* out, size_t size, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = PyOS_vsnprintf(out, size, format, arguments);
  va_end(arguments);
  return length;
}

// Hexadecimal text --------------------------------------------------------------------------------------------------

namespace {

enum class Result { kStr, kBytes };

/// Hex text of the bytes; with a separator between groups of `group` bytes counted from the right (left: negative).
PyObject* to_hex(const char* data, Py_ssize_t length, PyObject* separator, int group, Result kind) {
  unsigned char separator_character = 0;
  if (separator != nullptr) {
    const Py_ssize_t n = PyObject_Length(separator);
    if (n < 0) return nullptr;
    if (n != 1) return raise(PyExc_ValueError, "sep must be length 1.");
    if (PyUnicode_Check(separator)) {
      if (PyUnicode_READY(separator) < 0) return nullptr;
      const Py_UCS4 c = PyUnicode_READ_CHAR(separator, 0);
      if (PyUnicode_KIND(separator) != PyUnicode_1BYTE_KIND) return raise(PyExc_ValueError, "sep must be ASCII.");
      separator_character = static_cast<unsigned char>(c);
    } else if (PyBytes_Check(separator)) {
      separator_character = static_cast<unsigned char>(PyBytes_AS_STRING(separator)[0]);
    } else {
      return raise(PyExc_TypeError, "sep must be str or bytes.");
    }
    if (separator_character > 127 && kind == Result::kStr) return raise(PyExc_ValueError, "sep must be ASCII.");
  } else {
    group = 0;
  }
  const Py_ssize_t group_size = group < 0 ? -static_cast<Py_ssize_t>(group) : group;
  const Py_ssize_t separators = group_size > 0 && length > 0 ? (length - 1) / group_size : 0;
  if (length > PY_SSIZE_T_MAX / 2 - separators) return PyErr_NoMemory();
  const Py_ssize_t total = length * 2 + separators;
  PyObject* result = kind == Result::kBytes ? PyBytes_FromStringAndSize(nullptr, total) : PyUnicode_New(total, 127);
  if (result == nullptr || total == 0) return result;
  unsigned char* out = kind == Result::kBytes ? reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(result))
                                              : PyUnicode_1BYTE_DATA(result);
  const unsigned char* in = reinterpret_cast<const unsigned char*>(data);
  // Bytes until the next separator: groups count from the right end unless `group` is negative.
  Py_ssize_t left = separators == 0 ? length : (group < 0 ? group_size : length - separators * group_size);
  for (Py_ssize_t i = 0; i < length; i++) {
    if (left == 0) {
      *out++ = separator_character;
      left = group_size;
    }
    left--;
    *out++ = static_cast<unsigned char>(Py_hexdigits[in[i] >> 4]);
    *out++ = static_cast<unsigned char>(Py_hexdigits[in[i] & 15]);
  }
  return result;
}

}  // namespace

PyObject* _Py_strhex(const char* data, const Py_ssize_t length) { return to_hex(data, length, nullptr, 0, Result::kStr); }
PyObject* _Py_strhex_bytes(const char* data, const Py_ssize_t length) {
  return to_hex(data, length, nullptr, 0, Result::kBytes);
}
PyObject* _Py_strhex_with_sep(const char* data, const Py_ssize_t length, PyObject* separator, const int group) {
  return to_hex(data, length, separator, group, Result::kStr);
}
PyObject* _Py_strhex_bytes_with_sep(const char* data, const Py_ssize_t length, PyObject* separator, const int group) {
  return to_hex(data, length, separator, group, Result::kBytes);
}
