// The standard codec error handlers: exception in, (replacement, position to go on) out.
//
// Each handler takes a UnicodeEncodeError, UnicodeDecodeError or UnicodeTranslateError, and raises TypeError for an
// exception that it has no answer to. The getters clip start and end into the object.
#include <cstdio>
#include <iterator>

#include "Objects/text/text.h"
#include "Runtime/codecs/codecs.h"

#include "internal/pycore_ucnhash.h"

const char* Py_hexdigits = "0123456789abcdef";

namespace pyston::codecs {
namespace {

COLD PyObject* unsupported(PyObject* exception) {
  return raise(PyExc_TypeError, "don't know how to handle %.200s in error callback", Py_TYPE(exception)->tp_name);
}

bool is_encode(PyObject* e) { return PyObject_TypeCheck(e, reinterpret_cast<PyTypeObject*>(PyExc_UnicodeEncodeError)); }
bool is_decode(PyObject* e) { return PyObject_TypeCheck(e, reinterpret_cast<PyTypeObject*>(PyExc_UnicodeDecodeError)); }
bool is_translate(PyObject* e) {
  return PyObject_TypeCheck(e, reinterpret_cast<PyTypeObject*>(PyExc_UnicodeTranslateError));
}

/// The offending range of any of the three kinds, with its object.
struct Problem {
  Ref<> object;
  Py_ssize_t start = 0;
  Py_ssize_t end = 0;

  bool read(PyObject* exception) {
    bool fine;
    if (is_encode(exception)) {
      fine = PyUnicodeEncodeError_GetStart(exception, &start) == 0 && PyUnicodeEncodeError_GetEnd(exception, &end) == 0;
      if (fine) object = Ref<>::steal(PyUnicodeEncodeError_GetObject(exception));
    } else if (is_decode(exception)) {
      fine = PyUnicodeDecodeError_GetStart(exception, &start) == 0 && PyUnicodeDecodeError_GetEnd(exception, &end) == 0;
      if (fine) object = Ref<>::steal(PyUnicodeDecodeError_GetObject(exception));
    } else {
      fine = PyUnicodeTranslateError_GetStart(exception, &start) == 0 &&
             PyUnicodeTranslateError_GetEnd(exception, &end) == 0;
      if (fine) object = Ref<>::steal(PyUnicodeTranslateError_GetObject(exception));
    }
    return fine && object;
  }
  Py_UCS4 character(Py_ssize_t i) const { return PyUnicode_READ_CHAR(object.get(), i); }
  const unsigned char* bytes() const { return reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(object.get())); }
};

/// (replacement, position); steals the replacement, null included.
PyObject* answer(PyObject* replacement, Py_ssize_t position) {
  return replacement == nullptr ? nullptr : Py_BuildValue("(Nn)", replacement, position);
}

bool write_hex(text::Writer& writer, Py_UCS4 c, int width) {
  for (int shift = (width - 1) * 4; shift >= 0; shift -= 4) {
    if (!writer.put(static_cast<unsigned char>(Py_hexdigits[(c >> shift) & 15]))) return false;
  }
  return true;
}

/// \xNN, \uNNNN or \UNNNNNNNN.
bool write_escape(text::Writer& writer, Py_UCS4 c) {
  const int width = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
  return writer.put('\\') && writer.put(width == 2 ? 'x' : width == 4 ? 'u' : 'U') && write_hex(writer, c, width);
}

PyObject* handle_strict(PyObject*, PyObject* exception) { return PyCodec_StrictErrors(exception); }
PyObject* handle_ignore(PyObject*, PyObject* exception) { return PyCodec_IgnoreErrors(exception); }
PyObject* handle_replace(PyObject*, PyObject* exception) { return PyCodec_ReplaceErrors(exception); }
PyObject* handle_xmlcharref(PyObject*, PyObject* exception) { return PyCodec_XMLCharRefReplaceErrors(exception); }
PyObject* handle_backslash(PyObject*, PyObject* exception) { return PyCodec_BackslashReplaceErrors(exception); }
PyObject* handle_name(PyObject*, PyObject* exception) { return PyCodec_NameReplaceErrors(exception); }

/// Which of the UTF encodings an exception is about: "utf-16le", "UTF_16_BE", "cp65001" ...
struct Utf {
  int bytes = 0;  // per unit: 1 (3 per surrogate), 2 or 4; 0: none of them
  bool big_endian = false;
};

Utf utf_of(const char* encoding) {
  auto letter = [](char c) { return Py_TOLOWER(Py_CHARMASK(c)); };
  if (letter(encoding[0]) == 'u' && letter(encoding[1]) == 't' && letter(encoding[2]) == 'f') {
    encoding += 3;
    if (*encoding == '-' || *encoding == '_') encoding++;
    if (encoding[0] == '8' && encoding[1] == '\0') return {1, false};
    int bytes = 0;
    if (encoding[0] == '1' && encoding[1] == '6') bytes = 2;
    if (encoding[0] == '3' && encoding[1] == '2') bytes = 4;
    if (bytes == 0) return {};
    encoding += 2;
    if (*encoding == '\0') return {bytes, false};
    if (*encoding == '-' || *encoding == '_') encoding++;
    if (letter(encoding[1]) == 'e' && encoding[2] == '\0') {
      if (letter(encoding[0]) == 'b') return {bytes, true};
      if (letter(encoding[0]) == 'l') return {bytes, false};
    }
    return {};
  }
  if (strcmp(encoding, "CP_UTF8") == 0 || strcmp(encoding, "cp65001") == 0) return {1, false};
  return {};
}

/// Re-raises what the handler can't deal with.
PyObject* reraise(PyObject* exception) {
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception)), exception);
  return nullptr;
}

PyObject* encode_surrogates(PyObject* exception) {
  Problem problem;
  if (!problem.read(exception)) return nullptr;
  Ref<> name = Ref<>::steal(PyUnicodeEncodeError_GetEncoding(exception));
  if (!name) return nullptr;
  const char* encoding = PyUnicode_AsUTF8(name.get());
  if (encoding == nullptr) return nullptr;
  const Utf utf = utf_of(encoding);
  if (utf.bytes == 0) return reraise(exception);
  const int size = utf.bytes == 1 ? 3 : utf.bytes;
  PyObject* result = PyBytes_FromStringAndSize(nullptr, size * (problem.end - problem.start));
  if (result == nullptr) return nullptr;
  char* out = PyBytes_AS_STRING(result);
  for (Py_ssize_t i = problem.start; i < problem.end; i++) {
    const Py_UCS4 c = problem.character(i);
    if (!Py_UNICODE_IS_SURROGATE(c)) {
      Py_DECREF(result);
      return reraise(exception);
    }
    if (utf.bytes == 1) {
      *out++ = static_cast<char>(0xe0 | c >> 12);
      *out++ = static_cast<char>(0x80 | ((c >> 6) & 0x3f));
      *out++ = static_cast<char>(0x80 | (c & 0x3f));
      continue;
    }
    for (int k = 0; k < utf.bytes; k++) {
      const int shift = 8 * (utf.big_endian ? utf.bytes - 1 - k : k);
      *out++ = static_cast<char>(c >> shift & 0xff);
    }
  }
  return answer(result, problem.end);
}

PyObject* decode_surrogate(PyObject* exception) {
  Problem problem;
  if (!problem.read(exception)) return nullptr;
  Ref<> name = Ref<>::steal(PyUnicodeDecodeError_GetEncoding(exception));
  if (!name) return nullptr;
  const char* encoding = PyUnicode_AsUTF8(name.get());
  if (encoding == nullptr) return nullptr;
  const Utf utf = utf_of(encoding);
  if (utf.bytes == 0) return reraise(exception);
  const unsigned char* p = problem.bytes() + problem.start;
  const Py_ssize_t left = PyBytes_GET_SIZE(problem.object.get()) - problem.start;
  Py_UCS4 c = 0;
  const int size = utf.bytes == 1 ? 3 : utf.bytes;
  if (left >= size) {
    if (utf.bytes == 1) {
      if ((p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
        c = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
      }
    } else {
      for (int k = 0; k < utf.bytes; k++) c |= static_cast<Py_UCS4>(p[k]) << 8 * (utf.big_endian ? utf.bytes - 1 - k : k);
    }
  }
  if (!Py_UNICODE_IS_SURROGATE(c)) return reraise(exception);
  return answer(PyUnicode_FromOrdinal(static_cast<int>(c)), problem.start + size);
}

PyObject* handle_surrogatepass(PyObject*, PyObject* exception) {
  if (is_encode(exception)) return encode_surrogates(exception);
  if (is_decode(exception)) return decode_surrogate(exception);
  return unsupported(exception);
}

PyObject* handle_surrogateescape(PyObject*, PyObject* exception) {
  Problem problem;
  if (is_encode(exception)) {
    if (!problem.read(exception)) return nullptr;
    PyObject* result = PyBytes_FromStringAndSize(nullptr, problem.end - problem.start);
    if (result == nullptr) return nullptr;
    char* out = PyBytes_AS_STRING(result);
    for (Py_ssize_t i = problem.start; i < problem.end; i++) {
      const Py_UCS4 c = problem.character(i);
      if (c < 0xdc80 || c > 0xdcff) {
        Py_DECREF(result);
        return reraise(exception);
      }
      *out++ = static_cast<char>(c & 0xff);
    }
    return answer(result, problem.end);
  }
  if (!is_decode(exception)) return unsupported(exception);
  if (!problem.read(exception)) return nullptr;
  // At most four bytes at a time; ASCII bytes are never escaped.
  Py_UCS2 characters[4];
  int count = 0;
  while (count < 4 && count < problem.end - problem.start) {
    const unsigned char byte = problem.bytes()[problem.start + count];
    if (byte < 128) break;
    characters[count++] = static_cast<Py_UCS2>(0xdc00 + byte);
  }
  if (count == 0) return reraise(exception);
  return answer(PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, characters, count), problem.start + count);
}

PyMethodDef handlers[] = {
    {"strict_errors", handle_strict, METH_O, "Raises the exception."},
    {"ignore_errors", handle_ignore, METH_O, "Drops what can't be converted."},
    {"replace_errors", handle_replace, METH_O, "Puts a replacement marker: '?' or U+FFFD."},
    {"xmlcharrefreplace_errors", handle_xmlcharref, METH_O, "Puts XML character references (encoding only)."},
    {"backslashreplace_errors", handle_backslash, METH_O, "Puts backslash escapes."},
    {"namereplace_errors", handle_name, METH_O, "Puts \\N{...} escapes (encoding only)."},
    {"surrogatepass", handle_surrogatepass, METH_O, "Lets lone surrogates through in the UTF encodings."},
    {"surrogateescape", handle_surrogateescape, METH_O, "Carries undecodable bytes as lone surrogates."},
};
constexpr const char* kHandlerNames[] = {"strict",           "ignore",      "replace",       "xmlcharrefreplace",
                                         "backslashreplace", "namereplace", "surrogatepass", "surrogateescape"};

}  // namespace

bool register_standard_handlers(PyObject* registry) {
  for (size_t i = 0; i < std::size(kHandlerNames); i++) {
    Ref<> function = Ref<>::steal(PyCFunction_NewEx(&handlers[i], nullptr, nullptr));
    if (!function || PyDict_SetItemString(registry, kHandlerNames[i], function.get()) < 0) return false;
  }
  return true;
}

}  // namespace pyston::codecs

using namespace pyston;
using namespace pyston::codecs;

PyObject* PyCodec_StrictErrors(PyObject* exc) {
  if (PyExceptionInstance_Check(exc)) {
    PyErr_SetObject(PyExceptionInstance_Class(exc), exc);
  } else {
    PyErr_SetString(PyExc_TypeError, "codec must pass exception instance");
  }
  return nullptr;
}

PyObject* PyCodec_IgnoreErrors(PyObject* exc) {
  if (!is_encode(exc) && !is_decode(exc) && !is_translate(exc)) return unsupported(exc);
  Problem problem;
  if (!problem.read(exc)) return nullptr;
  return answer(Py_NewRef(text::empty_string()), problem.end);
}

PyObject* PyCodec_ReplaceErrors(PyObject* exc) {
  Problem problem;
  if (is_decode(exc)) {
    if (!problem.read(exc)) return nullptr;
    return answer(PyUnicode_FromOrdinal(Py_UNICODE_REPLACEMENT_CHARACTER), problem.end);
  }
  if (!is_encode(exc) && !is_translate(exc)) return unsupported(exc);
  if (!problem.read(exc)) return nullptr;
  const Py_UCS4 mark = is_encode(exc) ? '?' : Py_UNICODE_REPLACEMENT_CHARACTER;
  text::Writer writer;
  for (Py_ssize_t i = problem.start; i < problem.end; i++) {
    if (!writer.put(mark)) return nullptr;
  }
  return answer(writer.finish(), problem.end);
}

PyObject* PyCodec_XMLCharRefReplaceErrors(PyObject* exc) {
  if (!is_encode(exc)) return unsupported(exc);
  Problem problem;
  if (!problem.read(exc)) return nullptr;
  text::Writer writer(0);
  for (Py_ssize_t i = problem.start; i < problem.end; i++) {
    char reference[16];
    const int length = snprintf(reference, sizeof(reference), "&#%u;", problem.character(i));
    if (!writer.ascii(reference, length)) return nullptr;
  }
  return answer(writer.finish(), problem.end);
}

PyObject* PyCodec_BackslashReplaceErrors(PyObject* exc) {
  Problem problem;
  text::Writer writer(0);
  if (is_decode(exc)) {
    if (!problem.read(exc)) return nullptr;
    for (Py_ssize_t i = problem.start; i < problem.end; i++) {
      if (!write_escape(writer, problem.bytes()[i])) return nullptr;
    }
    return answer(writer.finish(), problem.end);
  }
  if (!is_encode(exc) && !is_translate(exc)) return unsupported(exc);
  if (!problem.read(exc)) return nullptr;
  for (Py_ssize_t i = problem.start; i < problem.end; i++) {
    if (!write_escape(writer, problem.character(i))) return nullptr;
  }
  return answer(writer.finish(), problem.end);
}

PyObject* PyCodec_NameReplaceErrors(PyObject* exc) {
  if (!is_encode(exc)) return unsupported(exc);
  Problem problem;
  if (!problem.read(exc)) return nullptr;
  static _PyUnicode_Name_CAPI* names = nullptr;
  if (names == nullptr) {
    names = static_cast<_PyUnicode_Name_CAPI*>(PyCapsule_Import(PyUnicodeData_CAPSULE_NAME, 1));
    if (names == nullptr) return nullptr;
  }
  text::Writer writer(0);
  char name[256];
  for (Py_ssize_t i = problem.start; i < problem.end; i++) {
    const Py_UCS4 c = problem.character(i);
    const bool fine = names->getname(c, name, sizeof(name), 1)
                          ? writer.ascii("\\N{", 3) && writer.ascii(name, -1) && writer.put('}')
                          : write_escape(writer, c);
    if (!fine) return nullptr;
  }
  return answer(writer.finish(), problem.end);
}
