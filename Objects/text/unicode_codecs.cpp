// Choosing the codec: PyUnicode_Decode, PyUnicode_AsEncodedString and their old relatives.
//
// The encodings that everything uses are called directly; others go through the codec registry.
#include "Objects/text/text.h"

#include "internal/pycore_interp.h"
#include "internal/pycore_pystate.h"

namespace pyston::text {

bool normalize_encoding(const char* encoding, char* out, size_t size) {
  char* p = out;
  char* last = out + size - 1;
  bool punctuation = false;
  for (; *encoding != '\0'; encoding++) {
    const unsigned char c = static_cast<unsigned char>(*encoding);
    if (Py_ISALNUM(c) || c == '.') {
      if (punctuation && p != out) {
        if (p == last) return false;
        *p++ = '_';
      }
      punctuation = false;
      if (p == last) return false;
      *p++ = static_cast<char>(Py_TOLOWER(c));
    } else {
      punctuation = true;
    }
  }
  *p = '\0';
  return true;
}

namespace {

enum class Builtin { kOther, kUtf8, kUtf16, kUtf32, kAscii, kLatin1 };

Builtin classify(const char* encoding) {
  if (encoding == nullptr) return Builtin::kUtf8;
  char name[13];
  if (!normalize_encoding(encoding, name, sizeof(name))) return Builtin::kOther;
  const char* rest = name;
  if (strncmp(name, "utf", 3) == 0) {
    rest += 3;
    if (*rest == '_') rest++;
    if (strcmp(rest, "8") == 0) return Builtin::kUtf8;
    if (strcmp(rest, "16") == 0) return Builtin::kUtf16;
    if (strcmp(rest, "32") == 0) return Builtin::kUtf32;
    return Builtin::kOther;
  }
  if (strcmp(name, "ascii") == 0 || strcmp(name, "us_ascii") == 0) return Builtin::kAscii;
  if (strcmp(name, "latin1") == 0 || strcmp(name, "latin_1") == 0 || strcmp(name, "iso_8859_1") == 0 ||
      strcmp(name, "iso8859_1") == 0) {
    return Builtin::kLatin1;
  }
  return Builtin::kOther;
}

/// In development mode a wrong handler name is reported even when nothing has to be handled.
int check_arguments(const char* encoding, const char* errors) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  if (LIKELY(!_PyInterpreterState_GetConfig(interp)->dev_mode)) return 0;
  if (!interp->unicode.fs_codec.encoding || interp->finalizing) return 0;
  if (encoding != nullptr && classify(encoding) == Builtin::kOther) {
    PyObject* codec = _PyCodec_Lookup(encoding);
    if (codec == nullptr) return -1;
    Py_DECREF(codec);
  }
  if (errors != nullptr && strcmp(errors, "strict") != 0 && strcmp(errors, "ignore") != 0 &&
      strcmp(errors, "replace") != 0 && strcmp(errors, "surrogateescape") != 0 && strcmp(errors, "surrogatepass") != 0) {
    PyObject* handler = PyCodec_LookupError(errors);
    if (handler == nullptr) return -1;
    Py_DECREF(handler);
  }
  return 0;
}

}  // namespace
}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_Decode(const char* s, Py_ssize_t size, const char* encoding, const char* errors) {
  if (check_arguments(encoding, errors) < 0) return nullptr;
  if (size == 0 && classify(encoding) != Builtin::kOther) return Py_NewRef(empty_string());
  switch (classify(encoding)) {
    case Builtin::kUtf8: return PyUnicode_DecodeUTF8Stateful(s, size, errors, nullptr);
    case Builtin::kUtf16: return PyUnicode_DecodeUTF16(s, size, errors, nullptr);
    case Builtin::kUtf32: return PyUnicode_DecodeUTF32(s, size, errors, nullptr);
    case Builtin::kAscii: return PyUnicode_DecodeASCII(s, size, errors);
    case Builtin::kLatin1: return PyUnicode_DecodeLatin1(s, size, errors);
    case Builtin::kOther: break;
  }
  Py_buffer info;
  if (PyBuffer_FillInfo(&info, nullptr, const_cast<char*>(s), size, 1, PyBUF_FULL_RO) < 0) return nullptr;
  Ref<> buffer = Ref<>::steal(PyMemoryView_FromBuffer(&info));
  if (!buffer) return nullptr;
  Ref<> result = Ref<>::steal(_PyCodec_DecodeText(buffer.get(), encoding, errors));
  if (!result) return nullptr;
  if (!PyUnicode_Check(result.get())) {
    return raise(PyExc_TypeError,
                 "'%.400s' decoder returned '%.400s' instead of 'str'; use codecs.decode() to decode to arbitrary types",
                 encoding, Py_TYPE(result.get())->tp_name);
  }
  return ready(result.get()) ? result.release() : nullptr;
}

PyObject* PyUnicode_FromEncodedObject(PyObject* obj, const char* encoding, const char* errors) {
  if (obj == nullptr) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (PyBytes_Check(obj)) {
    if (PyBytes_GET_SIZE(obj) == 0) {
      if (check_arguments(encoding, errors) < 0) return nullptr;
      return Py_NewRef(empty_string());
    }
    return PyUnicode_Decode(PyBytes_AS_STRING(obj), PyBytes_GET_SIZE(obj), encoding, errors);
  }
  if (PyUnicode_Check(obj)) {
    PyErr_SetString(PyExc_TypeError, "decoding str is not supported");
    return nullptr;
  }
  Py_buffer buffer;
  if (PyObject_GetBuffer(obj, &buffer, PyBUF_SIMPLE) < 0) {
    PyErr_Format(PyExc_TypeError, "decoding to str: need a bytes-like object, %.80s found", Py_TYPE(obj)->tp_name);
    return nullptr;
  }
  PyObject* result;
  if (buffer.len == 0) {
    result = check_arguments(encoding, errors) < 0 ? nullptr : Py_NewRef(empty_string());
  } else {
    result = PyUnicode_Decode(static_cast<const char*>(buffer.buf), buffer.len, encoding, errors);
  }
  PyBuffer_Release(&buffer);
  return result;
}

PyObject* PyUnicode_AsEncodedString(PyObject* unicode, const char* encoding, const char* errors) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (check_arguments(encoding, errors) < 0) return nullptr;
  switch (classify(encoding)) {
    case Builtin::kUtf8: return _PyUnicode_AsUTF8String(unicode, errors);
    case Builtin::kUtf16: return _PyUnicode_EncodeUTF16(unicode, errors, 0);
    case Builtin::kUtf32: return _PyUnicode_EncodeUTF32(unicode, errors, 0);
    case Builtin::kAscii: return _PyUnicode_AsASCIIString(unicode, errors);
    case Builtin::kLatin1: return _PyUnicode_AsLatin1String(unicode, errors);
    case Builtin::kOther: break;
  }
  Ref<> result = Ref<>::steal(_PyCodec_EncodeText(unicode, encoding, errors));
  if (!result) return nullptr;
  if (PyBytes_Check(result.get())) return result.release();
  if (PyByteArray_Check(result.get())) {
    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                         "encoder %s returned bytearray instead of bytes; use codecs.encode() to encode to arbitrary types",
                         encoding) != 0) {
      return nullptr;
    }
    return PyBytes_FromStringAndSize(PyByteArray_AS_STRING(result.get()), PyByteArray_GET_SIZE(result.get()));
  }
  return raise(PyExc_TypeError,
               "'%.400s' encoder returned '%.400s' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
               encoding, Py_TYPE(result.get())->tp_name);
}

const char* PyUnicode_GetDefaultEncoding() { return "utf-8"; }

/// The old functions warn and say what to use instead.
static bool old_codec_call(PyObject* unicode, const char* function, const char* instead) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return false;
  }
  return PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "%s() is deprecated; use %s", function, instead) == 0;
}

PyObject* PyUnicode_AsDecodedObject(PyObject* unicode, const char* encoding, const char* errors) {
  if (!old_codec_call(unicode, "PyUnicode_AsDecodedObject", "PyCodec_Decode() to decode from str")) return nullptr;
  return PyCodec_Decode(unicode, encoding != nullptr ? encoding : "utf-8", errors);
}

PyObject* PyUnicode_AsDecodedUnicode(PyObject* unicode, const char* encoding, const char* errors) {
  if (encoding == nullptr) encoding = "utf-8";
  if (!old_codec_call(unicode, "PyUnicode_AsDecodedUnicode", "PyCodec_Decode() to decode from str to str")) return nullptr;
  Ref<> result = Ref<>::steal(PyCodec_Decode(unicode, encoding, errors));
  if (!result || PyUnicode_Check(result.get())) return result.release();
  return raise(PyExc_TypeError,
               "'%.400s' decoder returned '%.400s' instead of 'str'; use codecs.decode() to decode to arbitrary types",
               encoding, Py_TYPE(result.get())->tp_name);
}

PyObject* PyUnicode_AsEncodedObject(PyObject* unicode, const char* encoding, const char* errors) {
  if (!old_codec_call(unicode, "PyUnicode_AsEncodedObject",
                      "PyUnicode_AsEncodedString() to encode from str to bytes or PyCodec_Encode() for generic encoding")) {
    return nullptr;
  }
  return PyCodec_Encode(unicode, encoding != nullptr ? encoding : "utf-8", errors);
}

PyObject* PyUnicode_AsEncodedUnicode(PyObject* unicode, const char* encoding, const char* errors) {
  if (encoding == nullptr) encoding = "utf-8";
  if (!old_codec_call(unicode, "PyUnicode_AsEncodedUnicode", "PyCodec_Encode() to encode from str to str")) return nullptr;
  Ref<> result = Ref<>::steal(PyCodec_Encode(unicode, encoding, errors));
  if (!result || PyUnicode_Check(result.get())) return result.release();
  return raise(PyExc_TypeError,
               "'%.400s' encoder returned '%.400s' instead of 'str'; use codecs.encode() to encode to arbitrary types",
               encoding, Py_TYPE(result.get())->tp_name);
}
