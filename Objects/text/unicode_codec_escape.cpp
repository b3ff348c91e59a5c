// The escape codecs: unicode-escape (the language's string escapes) and raw-unicode-escape (only \u and \U).
#include "Objects/text/codec_errors.h"

#include "internal/pycore_ucnhash.h"

namespace pyston::text {
namespace {

int hex_value(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The character name database, loaded when the first \N{...} is met.
_PyUnicode_Name_CAPI* name_database() {
  static _PyUnicode_Name_CAPI* api = nullptr;
  if (api == nullptr) api = static_cast<_PyUnicode_Name_CAPI*>(PyCapsule_Import(PyUnicodeData_CAPSULE_NAME, 1));
  return api;
}

/// What follows a backslash: a character, nothing (line continuation), an unknown escape, or an error.
struct Escape {
  enum Kind { kCharacter, kNothing, kUnknown, kError, kException } kind;
  Py_UCS4 character = 0;
  Py_ssize_t length = 0;         // of what was read, backslash included
  const char* reason = nullptr;  // of an error
  bool incomplete = false;       // the error is only that the input ends here
  bool wide_octal = false;       // \400 .. \777
};

Escape read_hex(const char* s, Py_ssize_t size, int digits, const char* reason) {
  Py_UCS4 c = 0;
  Py_ssize_t i = 2;
  for (; i < 2 + digits; i++) {
    const int digit = i < size ? hex_value(static_cast<unsigned char>(s[i])) : -1;
    if (digit < 0) return {.kind = Escape::kError, .length = i, .reason = reason, .incomplete = i >= size};
    c = c << 4 | static_cast<Py_UCS4>(digit);
  }
  if (c > kMaxUnicode) return {.kind = Escape::kError, .length = i, .reason = "illegal Unicode character"};
  return {.kind = Escape::kCharacter, .character = c, .length = i};
}

Escape read_name(const char* s, Py_ssize_t size) {
  static constexpr const char* kMalformed = "malformed \\N character escape";
  _PyUnicode_Name_CAPI* names = name_database();
  if (names == nullptr) {
    PyErr_SetString(PyExc_UnicodeError, "\\N escapes not supported (can't load unicodedata module)");
    return {.kind = Escape::kException};
  }
  if (size < 3) return {.kind = Escape::kError, .length = size, .reason = kMalformed, .incomplete = true};
  if (s[2] != '{') return {.kind = Escape::kError, .length = 2, .reason = kMalformed};
  Py_ssize_t i = 3;
  while (i < size && s[i] != '}') i++;
  if (i == size) return {.kind = Escape::kError, .length = size, .reason = kMalformed, .incomplete = true};
  if (i == 3) return {.kind = Escape::kError, .length = 3, .reason = kMalformed};
  Py_UCS4 c = 0xffffffff;
  if (i - 3 > INT_MAX || !names->getcode(s + 3, static_cast<int>(i - 3), &c, 0)) {
    return {.kind = Escape::kError, .length = i + 1, .reason = "unknown Unicode character name"};
  }
  return {.kind = Escape::kCharacter, .character = c, .length = i + 1};
}

/// Reads the escape at s, which begins with a backslash.
Escape read_escape(const char* s, Py_ssize_t size) {
  if (size < 2) return {.kind = Escape::kError, .length = 1, .reason = "\\ at end of string", .incomplete = true};
  auto one = [](Py_UCS4 c) { return Escape{.kind = Escape::kCharacter, .character = c, .length = 2}; };
  switch (s[1]) {
    case '\n': return {.kind = Escape::kNothing, .length = 2};
    case '\\': return one('\\');
    case '\'': return one('\'');
    case '"': return one('"');
    case 'a': return one('\a');
    case 'b': return one('\b');
    case 'f': return one('\f');
    case 'n': return one('\n');
    case 'r': return one('\r');
    case 't': return one('\t');
    case 'v': return one('\v');
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': {
      Py_UCS4 c = static_cast<Py_UCS4>(s[1] - '0');
      Py_ssize_t i = 2;
      for (; i < 4 && i < size && s[i] >= '0' && s[i] <= '7'; i++) c = c << 3 | static_cast<Py_UCS4>(s[i] - '0');
      return {.kind = Escape::kCharacter, .character = c, .length = i, .wide_octal = c > 0xff};
    }
    case 'x': return read_hex(s, size, 2, "truncated \\xXX escape");
    case 'u': return read_hex(s, size, 4, "truncated \\uXXXX escape");
    case 'U': return read_hex(s, size, 8, "truncated \\UXXXXXXXX escape");
    case 'N': return read_name(s, size);
    default: return {.kind = Escape::kUnknown, .length = 1};
  }
}

/// Writes \UNNNNNNNN or \uNNNN (or \xNN).
void put_escape(ByteSink& sink, char letter, Py_UCS4 c, int width) {
  sink.put('\\');
  sink.put(static_cast<unsigned char>(letter));
  for (int shift = (width - 1) * 4; shift >= 0; shift -= 4) sink.put(static_cast<unsigned char>(Py_hexdigits[(c >> shift) & 15]));
}

}  // namespace
}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

/// *consumed is written only when the text ends within an escape: the caller presets it to the length.
PyObject* _PyUnicode_DecodeUnicodeEscapeInternal2(const char* string, Py_ssize_t length, const char* errors,
                                                  Py_ssize_t* consumed, int* first_invalid_escape_char,
                                                  const char** first_invalid_escape_ptr) {
  *first_invalid_escape_char = -1;
  *first_invalid_escape_ptr = nullptr;
  if (length == 0) {
    if (consumed != nullptr) *consumed = 0;
    return Py_NewRef(empty_string());
  }
  DecodeErrors handler("unicodeescape", errors);
  Writer writer(length);
  const char* input = string;
  Py_ssize_t size = length;
  Py_ssize_t position = 0;
  while (position < size) {
    const void* backslash = memchr(input + position, '\\', static_cast<size_t>(size - position));
    const Py_ssize_t stop = backslash == nullptr ? size : static_cast<const char*>(backslash) - input;
    if (!writer.latin1(input + position, stop - position)) return nullptr;
    position = stop;
    if (position == size) break;
    const Escape escape = read_escape(input + position, size - position);
    switch (escape.kind) {
      case Escape::kCharacter:
        if (escape.wide_octal && *first_invalid_escape_char == -1) {
          *first_invalid_escape_char = static_cast<int>(escape.character);
          // A handler may have put another input in place: then there is nothing to point into.
          if (input == string) *first_invalid_escape_ptr = input + position + 1;
        }
        if (!writer.put(escape.character)) return nullptr;
        position += escape.length;
        break;
      case Escape::kNothing:
        position += escape.length;
        break;
      case Escape::kUnknown:
        if (*first_invalid_escape_char == -1) {
          *first_invalid_escape_char = static_cast<unsigned char>(input[position + 1]);
          if (input == string) *first_invalid_escape_ptr = input + position + 1;
        }
        if (!writer.put('\\') || !writer.put(static_cast<unsigned char>(input[position + 1]))) return nullptr;
        position += 2;
        break;
      case Escape::kException:
        return nullptr;
      case Escape::kError:
        if (escape.incomplete && consumed != nullptr) {
          *consumed = position;
          return writer.finish();
        }
        if (!handler.handle(escape.reason, input, size, position, position + escape.length, position, writer)) return nullptr;
        break;
    }
  }
  return writer.finish();
}

/// The older form of the above, which can't tell octal escapes.
PyObject* _PyUnicode_DecodeUnicodeEscapeInternal(const char* string, Py_ssize_t length, const char* errors,
                                                 Py_ssize_t* consumed, const char** first_invalid_escape) {
  int character;
  return _PyUnicode_DecodeUnicodeEscapeInternal2(string, length, errors, consumed, &character, first_invalid_escape);
}

PyObject* _PyUnicode_DecodeUnicodeEscapeStateful(const char* string, Py_ssize_t length, const char* errors,
                                                 Py_ssize_t* consumed) {
  int character;
  const char* at;
  Ref<> result =
      Ref<>::steal(_PyUnicode_DecodeUnicodeEscapeInternal2(string, length, errors, consumed, &character, &at));
  if (result && character != -1) {
    char text[4] = {};
    if (at != nullptr) {
      strncpy(text, at, 3);
    } else if (character > 0xff) {
      PyOS_snprintf(text, sizeof(text), "%o", character);
    } else {
      text[0] = static_cast<char>(character);
    }
    if (!(character > 0xff ? PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid octal escape sequence '\\%.3s'", text) == 0
                           : PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid escape sequence '\\%c'", character) == 0)) {
      return nullptr;
    }
  }
  return result.release();
}

PyObject* PyUnicode_DecodeUnicodeEscape(const char* string, Py_ssize_t length, const char* errors) {
  return _PyUnicode_DecodeUnicodeEscapeStateful(string, length, errors, nullptr);
}

PyObject* PyUnicode_AsUnicodeEscapeString(PyObject* unicode) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (!ready(unicode)) return nullptr;
  const Text text = view(unicode);
  ByteSink sink;
  if (!sink.start(text.length)) return nullptr;
  for (Py_ssize_t i = 0; i < text.length; i++) {
    const Py_UCS4 c = text[i];
    if (!sink.reserve(10)) return nullptr;
    if (c >= ' ' && c < 0x7f && c != '\\') {
      sink.put(c);
    } else if (c == '\\' || c == '\t' || c == '\n' || c == '\r') {
      sink.put('\\');
      sink.put(c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : '\\');
    } else if (c < 0x100) {
      put_escape(sink, 'x', c, 2);
    } else if (c < 0x10000) {
      put_escape(sink, 'u', c, 4);
    } else {
      put_escape(sink, 'U', c, 8);
    }
  }
  return sink.finish();
}

PyObject* _PyUnicode_DecodeRawUnicodeEscapeStateful(const char* s, Py_ssize_t size, const char* errors,
                                                    Py_ssize_t* consumed) {
  if (size == 0) {
    if (consumed != nullptr) *consumed = 0;
    return Py_NewRef(empty_string());
  }
  DecodeErrors handler("rawunicodeescape", errors);
  Writer writer(size);
  const char* input = s;
  Py_ssize_t position = 0;
  while (position < size) {
    const char c = input[position];
    if (c != '\\') {
      if (!writer.put(static_cast<unsigned char>(c))) return nullptr;
      position++;
      continue;
    }
    if (position + 1 == size) {
      if (consumed != nullptr) break;  // could be the start of an escape
      if (!writer.put('\\')) return nullptr;
      position++;
      continue;
    }
    const char letter = input[position + 1];
    if (letter != 'u' && letter != 'U') {
      // A backslash protects the next character, so that \\u isn't an escape.
      if (!writer.put('\\') || !writer.put(static_cast<unsigned char>(letter))) return nullptr;
      position += 2;
      continue;
    }
    Escape escape = letter == 'u' ? read_hex(input + position, size - position, 4, "truncated \\uXXXX escape")
                                  : read_hex(input + position, size - position, 8, "truncated \\UXXXXXXXX escape");
    if (escape.kind == Escape::kCharacter) {
      if (!writer.put(escape.character)) return nullptr;
      position += escape.length;
      continue;
    }
    if (escape.length == 10) escape.reason = "\\Uxxxxxxxx out of range";
    if (escape.incomplete && consumed != nullptr) break;
    if (!handler.handle(escape.reason, input, size, position, position + escape.length, position, writer)) return nullptr;
  }
  if (consumed != nullptr && position < size) *consumed = position;
  return writer.finish();
}

PyObject* PyUnicode_DecodeRawUnicodeEscape(const char* string, Py_ssize_t length, const char* errors) {
  return _PyUnicode_DecodeRawUnicodeEscapeStateful(string, length, errors, nullptr);
}

PyObject* PyUnicode_AsRawUnicodeEscapeString(PyObject* unicode) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (!ready(unicode)) return nullptr;
  const Text text = view(unicode);
  if (text.kind == 1) return PyBytes_FromStringAndSize(static_cast<const char*>(text.data), text.length);
  ByteSink sink;
  if (!sink.start(text.length)) return nullptr;
  for (Py_ssize_t i = 0; i < text.length; i++) {
    const Py_UCS4 c = text[i];
    if (!sink.reserve(10)) return nullptr;
    if (c < 0x100) sink.put(c);
    else if (c < 0x10000) put_escape(sink, 'u', c, 4);
    else put_escape(sink, 'U', c, 8);
  }
  return sink.finish();
}
