// PyUnicode_FromFormat: printf-like building of strings from C values and objects.
//
// QUIRK: an unknown conversion copies the rest of the format, from its % on, to the result.
#include <cstdarg>
#include <cstdio>

#include "Objects/text/text.h"

namespace pyston::text {
namespace {

/// One conversion: %[0][width][.precision][size]code.
struct Conversion {
  bool zero_pad = false;
  Py_ssize_t width = -1;
  Py_ssize_t precision = -1;
  int longs = 0;   // number of l
  bool ssize = false;
  char code = 0;
};

bool read_number(const char*& f, Py_ssize_t& number, const char* what) {
  number = 0;
  while (*f >= '0' && *f <= '9') {
    if (number > (PY_SSIZE_T_MAX - (*f - '0')) / 10) {
      PyErr_Format(PyExc_ValueError, "%s too big", what);
      return false;
    }
    number = number * 10 + (*f++ - '0');
  }
  return true;
}

/// Writes string[0:precision] right-aligned in the width.
bool write_string(Writer& writer, PyObject* string, Py_ssize_t width, Py_ssize_t precision) {
  if (!ready(string)) return false;
  Py_ssize_t length = PyUnicode_GET_LENGTH(string);
  if (precision >= 0 && precision < length) length = precision;
  for (Py_ssize_t i = length; i < width; i++) {
    if (!writer.put(' ')) return false;
  }
  return writer.substring(string, 0, length);
}

/// The same for UTF-8 bytes; a precision counts bytes, and a character it cuts is dropped.
bool write_utf8(Writer& writer, const char* text, Py_ssize_t width, Py_ssize_t precision) {
  Py_ssize_t length;
  if (precision < 0) {
    length = static_cast<Py_ssize_t>(strlen(text));
  } else {
    length = static_cast<Py_ssize_t>(strnlen(text, static_cast<size_t>(precision)));
  }
  if (width <= 0 && ascii_prefix(text, length) == length) return writer.ascii(text, length);
  Py_ssize_t consumed;
  Ref<> string = Ref<>::steal(
      PyUnicode_DecodeUTF8Stateful(text, length, "replace", precision < 0 ? nullptr : &consumed));
  return string && write_string(writer, string.get(), width, -1);
}

bool write_integer(Writer& writer, const Conversion& conversion, const char* digits, Py_ssize_t length) {
  const Py_ssize_t shown = conversion.precision > length ? conversion.precision : length;
  for (Py_ssize_t i = shown; i < conversion.width; i++) {
    if (!writer.put(conversion.zero_pad ? '0' : ' ')) return false;
  }
  for (Py_ssize_t i = length; i < shown; i++) {
    if (!writer.put('0')) return false;
  }
  return writer.ascii(digits, length);
}

bool write_object(Writer& writer, const Conversion& conversion, Ref<> string) {
  return string && write_string(writer, string.get(), conversion.width, conversion.precision);
}

bool convert_integer(Writer& writer, const Conversion& conversion, va_list* arguments) {
  char digits[32];
  int length;
  const bool is_signed = conversion.code == 'd' || conversion.code == 'i';
  if (is_signed) {
    long long value;
    if (conversion.longs == 2) value = va_arg(*arguments, long long);
    else if (conversion.longs == 1) value = va_arg(*arguments, long);
    else if (conversion.ssize) value = va_arg(*arguments, Py_ssize_t);
    else value = va_arg(*arguments, int);
    length = snprintf(digits, sizeof(digits), "%lld", value);
  } else {
    unsigned long long value;
    if (conversion.longs == 2) value = va_arg(*arguments, unsigned long long);
    else if (conversion.longs == 1) value = va_arg(*arguments, unsigned long);
    else if (conversion.ssize) value = va_arg(*arguments, size_t);
    else value = va_arg(*arguments, unsigned);
    length = snprintf(digits, sizeof(digits), conversion.code == 'x' ? "%llx" : "%llu", value);
  }
  return write_integer(writer, conversion, digits, length);
}

/// As the C library prints a pointer, behind 0x in any case: a null one is "0x(nil)".
int pointer_text(char* out, size_t size, const void* pointer) {
  return snprintf(out, size, pointer == nullptr ? "0x%p" : "%p", pointer);
}

enum class Outcome { kDone, kFailed, kUnknown };

Outcome convert_one(Writer& writer, const Conversion& conversion, va_list* arguments) {
  auto done = [](bool fine) { return fine ? Outcome::kDone : Outcome::kFailed; };
  switch (conversion.code) {
    case 'c': {
      const int ordinal = va_arg(*arguments, int);
      if (ordinal < 0 || static_cast<Py_UCS4>(ordinal) > kMaxUnicode) {
        PyErr_SetString(PyExc_OverflowError, "character argument not in range(0x110000)");
        return Outcome::kFailed;
      }
      return done(writer.put(static_cast<Py_UCS4>(ordinal)));
    }
    case 'i':
    case 'd':
    case 'u':
    case 'x':
      return done(convert_integer(writer, conversion, arguments));
    case 'p': {
      char digits[32];
      const int length = pointer_text(digits, sizeof(digits), va_arg(*arguments, void*));
      return done(writer.ascii(digits, length));
    }
    case 's':
      return done(write_utf8(writer, va_arg(*arguments, const char*), conversion.width, conversion.precision));
    case 'U':
      return done(write_string(writer, va_arg(*arguments, PyObject*), conversion.width, conversion.precision));
    case 'V': {
      PyObject* object = va_arg(*arguments, PyObject*);
      const char* text = va_arg(*arguments, const char*);
      if (object != nullptr) return done(write_string(writer, object, conversion.width, conversion.precision));
      return done(write_utf8(writer, text, conversion.width, conversion.precision));
    }
    case 'S':
      return done(write_object(writer, conversion, Ref<>::steal(PyObject_Str(va_arg(*arguments, PyObject*)))));
    case 'R':
      return done(write_object(writer, conversion, Ref<>::steal(PyObject_Repr(va_arg(*arguments, PyObject*)))));
    case 'A':
      return done(write_object(writer, conversion, Ref<>::steal(PyObject_ASCII(va_arg(*arguments, PyObject*)))));
    case '%':
      return done(writer.put('%'));
    default:
      return Outcome::kUnknown;
  }
}

}  // namespace
}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_FromFormatV(const char* format, va_list vargs) {
  va_list arguments;
  va_copy(arguments, vargs);
  Writer writer(static_cast<Py_ssize_t>(strlen(format)) + 100);
  PyObject* result = nullptr;
  const char* f = format;
  while (true) {
    const char* literal = f;
    while (*f != '\0' && *f != '%') {
      if (static_cast<unsigned char>(*f) > 127) {
        PyErr_Format(PyExc_ValueError,
                     "PyUnicode_FromFormatV() expects an ASCII-encoded format string, got a non-ASCII byte: 0x%02x",
                     static_cast<unsigned char>(*f));
        goto end;
      }
      f++;
    }
    if (!writer.ascii(literal, f - literal)) goto end;
    if (*f == '\0') break;
    const char* percent = f++;
    Conversion conversion;
    if (*f == '0') {
      conversion.zero_pad = true;
      f++;
    }
    if (*f >= '0' && *f <= '9' && !read_number(f, conversion.width, "width")) goto end;
    if (*f == '.') {
      f++;
      if (!read_number(f, conversion.precision, "precision")) goto end;
    }
    while (*f == 'l' && conversion.longs < 2) {
      conversion.longs++;
      f++;
    }
    if (*f == 'z' && conversion.longs == 0) {
      conversion.ssize = true;
      f++;
    }
    conversion.code = *f;
    const Outcome outcome =
        conversion.code == '\0' ? Outcome::kUnknown : convert_one(writer, conversion, &arguments);
    if (outcome == Outcome::kFailed) goto end;
    if (outcome == Outcome::kUnknown) {
      const Py_ssize_t rest = static_cast<Py_ssize_t>(strlen(percent));
      if (!writer.latin1(percent, rest)) goto end;
      break;
    }
    f++;
  }
  result = writer.finish();
end:
  va_end(arguments);
  return result;
}

PyObject* PyUnicode_FromFormat(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  PyObject* result = PyUnicode_FromFormatV(format, arguments);
  va_end(arguments);
  return result;
}
