// The `_codecs` module: the codec registry and the built-in encoders and decoders, as functions that return
// (result, length consumed).
#include "Objects/text/text.h"

namespace pyston {
namespace {

/// A str argument without inner nulls as UTF-8; `text` is null for None and for a missing argument.
struct CodecText {
  const char* text = nullptr;
};
/// The bytes of a bytes-like object or the UTF-8 of a str.
struct TextOrBuffer {
  Buffer buffer;
  const char* text = nullptr;
  Py_ssize_t length = 0;
  const char* data() const { return text != nullptr ? text : buffer.data(); }
  Py_ssize_t size() const { return text != nullptr ? length : buffer.size(); }
};

}  // namespace

template <>
struct binding::Convert<CodecText> {
  static bool convert(const Signature& signature, int index, PyObject* value, CodecText& out) {
    if (value == nullptr) return true;
    if (value == Py_None && index > 0) return true;
    if (!PyUnicode_Check(value)) {
      raise_bad_argument(signature, index, index > 0 && !signature.takes_keywords() ? "str or None" : "str", value);
      return false;
    }
    Py_ssize_t size;
    out.text = PyUnicode_AsUTF8AndSize(value, &size);
    if (out.text == nullptr) return false;
    if (strlen(out.text) != static_cast<size_t>(size)) {
      PyErr_SetString(PyExc_ValueError, "embedded null character");
      return false;
    }
    return true;
  }
};
template <>
struct binding::Convert<TextOrBuffer> {
  static bool convert(const Signature&, int, PyObject* value, TextOrBuffer& out) {
    if (!PyUnicode_Check(value)) return out.buffer.acquire(value);
    out.text = PyUnicode_AsUTF8AndSize(value, &out.length);
    return out.text != nullptr;
  }
};

namespace {

/// (result, length); steals the result, null included.
PyObject* with_length(PyObject* result, Py_ssize_t length) {
  return result == nullptr ? nullptr : Py_BuildValue("(Nn)", result, length);
}

// ---- registry ---------------------------------------------------------------------------------------------------

PyObject* codecs_register(PyObject*, PyObject* search_function) {
  return PyCodec_Register(search_function) < 0 ? nullptr : Py_NewRef(Py_None);
}
PyObject* codecs_unregister(PyObject*, PyObject* search_function) {
  return PyCodec_Unregister(search_function) < 0 ? nullptr : Py_NewRef(Py_None);
}
PyObject* codecs_lookup(PyObject*, CodecText encoding) { return _PyCodec_Lookup(encoding.text); }
PyObject* codecs_forget(PyObject*, CodecText encoding) {
  if (_PyCodec_Forget(encoding.text) < 0) {
    if (!PyErr_Occurred()) Py_RETURN_NONE;
    return nullptr;
  }
  Py_RETURN_NONE;
}
PyObject* codecs_encode(PyObject*, Borrowed<> object, CodecText encoding, CodecText errors) {
  return PyCodec_Encode(object, encoding.text != nullptr ? encoding.text : "utf-8", errors.text);
}
PyObject* codecs_decode(PyObject*, Borrowed<> object, CodecText encoding, CodecText errors) {
  return PyCodec_Decode(object, encoding.text != nullptr ? encoding.text : "utf-8", errors.text);
}
PyObject* register_error(PyObject*, CodecText errors, Borrowed<> handler) {
  return PyCodec_RegisterError(errors.text, handler) < 0 ? nullptr : Py_NewRef(Py_None);
}
PyObject* lookup_error(PyObject*, CodecText name) { return PyCodec_LookupError(name.text); }

// ---- decoders ---------------------------------------------------------------------------------------------------

using StatefulDecoder = PyObject* (*)(const char*, Py_ssize_t, const char*, Py_ssize_t*);

/// A decoder that leaves an incomplete end alone unless `final`.
template <StatefulDecoder decoder>
PyObject* decode_stateful(PyObject*, Buffer data, CodecText errors, Optional<bool> final) {
  Py_ssize_t consumed = data.size();
  PyObject* result = decoder(data.data(), data.size(), errors.text, final.value_or(false) ? nullptr : &consumed);
  return with_length(result, consumed);
}
template <StatefulDecoder decoder>
PyObject* decode_escapes(PyObject*, TextOrBuffer data, CodecText errors, Optional<bool> final) {
  Py_ssize_t consumed = data.size();
  PyObject* result = decoder(data.data(), data.size(), errors.text, final.value_or(true) ? nullptr : &consumed);
  return with_length(result, consumed);
}

using WideDecoder = PyObject* (*)(const char*, Py_ssize_t, const char*, int*, Py_ssize_t*);

template <WideDecoder decoder, int kOrder>
PyObject* decode_wide(PyObject*, Buffer data, CodecText errors, Optional<bool> final) {
  Py_ssize_t consumed = data.size();
  int order = kOrder;
  PyObject* result = decoder(data.data(), data.size(), errors.text, &order, final.value_or(false) ? nullptr : &consumed);
  return with_length(result, consumed);
}
template <WideDecoder decoder>
PyObject* decode_wide_ex(PyObject*, Buffer data, CodecText errors, Optional<int> byteorder, Optional<bool> final) {
  Py_ssize_t consumed = data.size();
  int order = byteorder.value_or(0);
  PyObject* result = decoder(data.data(), data.size(), errors.text, &order, final.value_or(false) ? nullptr : &consumed);
  return result == nullptr ? nullptr : Py_BuildValue("(Nni)", result, consumed, order);
}

PyObject* latin_1_decode(PyObject*, Buffer data, CodecText errors) {
  return with_length(PyUnicode_DecodeLatin1(data.data(), data.size(), errors.text), data.size());
}
PyObject* ascii_decode(PyObject*, Buffer data, CodecText errors) {
  return with_length(PyUnicode_DecodeASCII(data.data(), data.size(), errors.text), data.size());
}
PyObject* charmap_decode(PyObject*, Buffer data, CodecText errors, PyObject* mapping) {
  if (mapping == Py_None) mapping = nullptr;
  return with_length(PyUnicode_DecodeCharmap(data.data(), data.size(), mapping, errors.text), data.size());
}
PyObject* escape_decode(PyObject*, TextOrBuffer data, CodecText errors) {
  return with_length(PyBytes_DecodeEscape(data.data(), data.size(), errors.text, 0, nullptr), data.size());
}

// ---- encoders ---------------------------------------------------------------------------------------------------

using Encoder = PyObject* (*)(PyObject*, const char*);

template <Encoder encoder>
PyObject* encode_text(PyObject*, Borrowed<PyUnicodeObject> string, CodecText errors) {
  if (!text::ready(string.object())) return nullptr;
  return with_length(encoder(string.object(), errors.text), PyUnicode_GET_LENGTH(string.object()));
}
PyObject* encode_utf7(PyObject* string, const char* errors) { return _PyUnicode_EncodeUTF7(string, 0, 0, errors); }
PyObject* encode_escape(PyObject* string, const char*) { return PyUnicode_AsUnicodeEscapeString(string); }
PyObject* encode_raw_escape(PyObject* string, const char*) { return PyUnicode_AsRawUnicodeEscapeString(string); }
template <PyObject* (*encoder)(PyObject*, const char*, int), int kOrder>
PyObject* encode_ordered(PyObject* string, const char* errors) {
  return encoder(string, errors, kOrder);
}

template <PyObject* (*encoder)(PyObject*, const char*, int)>
PyObject* encode_wide(PyObject*, Borrowed<PyUnicodeObject> string, CodecText errors, Optional<int> byteorder) {
  if (!text::ready(string.object())) return nullptr;
  return with_length(encoder(string.object(), errors.text, byteorder.value_or(0)), PyUnicode_GET_LENGTH(string.object()));
}

PyObject* charmap_encode(PyObject*, Borrowed<PyUnicodeObject> string, CodecText errors, PyObject* mapping) {
  if (mapping == Py_None) mapping = nullptr;
  if (!text::ready(string.object())) return nullptr;
  return with_length(_PyUnicode_EncodeCharmap(string.object(), mapping, errors.text), PyUnicode_GET_LENGTH(string.object()));
}
PyObject* charmap_build(PyObject*, Borrowed<PyUnicodeObject> map) { return PyUnicode_BuildEncodingMap(map.object()); }

PyObject* readbuffer_encode(PyObject*, TextOrBuffer data, CodecText) {
  return with_length(PyBytes_FromStringAndSize(data.data(), data.size()), data.size());
}

PyObject* escape_encode(PyObject*, Borrowed<PyBytesObject> data, CodecText) {
  const Py_ssize_t size = PyBytes_GET_SIZE(data.object());
  const unsigned char* from = reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(data.object()));
  if (size > PY_SSIZE_T_MAX / 4) return raise(PyExc_OverflowError, "string is too large to encode");
  Py_ssize_t length = 0;
  for (Py_ssize_t i = 0; i < size; i++) {
    const unsigned char c = from[i];
    length += c == '\'' || c == '\\' || c == '\t' || c == '\n' || c == '\r' ? 2 : c < ' ' || c >= 0x7f ? 4 : 1;
  }
  PyObject* result = PyBytes_FromStringAndSize(nullptr, length);
  if (result == nullptr) return nullptr;
  char* to = PyBytes_AS_STRING(result);
  for (Py_ssize_t i = 0; i < size; i++) {
    const unsigned char c = from[i];
    if (c == '\'' || c == '\\' || c == '\t' || c == '\n' || c == '\r') {
      *to++ = '\\';
      *to++ = static_cast<char>(c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
    } else if (c < ' ' || c >= 0x7f) {
      *to++ = '\\';
      *to++ = 'x';
      *to++ = Py_hexdigits[c >> 4];
      *to++ = Py_hexdigits[c & 15];
    } else {
      *to++ = static_cast<char>(c);
    }
  }
  return with_length(result, size);
}

#define DECODER(name, ...) method<__VA_ARGS__, name "($module, data, errors=None, final=False, /)">()
#define ENCODER(name, ...) method<encode_text<__VA_ARGS__>, name "($module, str, errors=None, /)">()

PyMethodDef functions[] = {
    method<codecs_register, "register($module, search_function, /)",
           "Adds a search function: it gets an encoding name and returns a codec tuple or None.">(),
    method<codecs_unregister, "unregister($module, search_function, /)", "Removes a search function and the found codecs.">(),
    method<codecs_lookup, "lookup($module, encoding, /)", "The codec of an encoding.">(),
    method<codecs_encode, "encode($module, /, obj, encoding='utf-8', errors='strict')", "Encodes any object with a codec.">(),
    method<codecs_decode, "decode($module, /, obj, encoding='utf-8', errors='strict')", "Decodes any object with a codec.">(),
    method<escape_encode, "escape_encode($module, data, errors=None, /)">(),
    method<escape_decode, "escape_decode($module, data, errors=None, /)">(),
    ENCODER("utf_8_encode", _PyUnicode_AsUTF8String),
    DECODER("utf_8_decode", decode_stateful<PyUnicode_DecodeUTF8Stateful>),
    ENCODER("utf_7_encode", encode_utf7),
    DECODER("utf_7_decode", decode_stateful<PyUnicode_DecodeUTF7Stateful>),
    method<encode_wide<_PyUnicode_EncodeUTF16>, "utf_16_encode($module, str, errors=None, byteorder=0, /)">(),
    ENCODER("utf_16_le_encode", encode_ordered<_PyUnicode_EncodeUTF16, -1>),
    ENCODER("utf_16_be_encode", encode_ordered<_PyUnicode_EncodeUTF16, 1>),
    DECODER("utf_16_decode", decode_wide<PyUnicode_DecodeUTF16Stateful, 0>),
    DECODER("utf_16_le_decode", decode_wide<PyUnicode_DecodeUTF16Stateful, -1>),
    DECODER("utf_16_be_decode", decode_wide<PyUnicode_DecodeUTF16Stateful, 1>),
    method<decode_wide_ex<PyUnicode_DecodeUTF16Stateful>,
           "utf_16_ex_decode($module, data, errors=None, byteorder=0, final=False, /)">(),
    method<encode_wide<_PyUnicode_EncodeUTF32>, "utf_32_encode($module, str, errors=None, byteorder=0, /)">(),
    ENCODER("utf_32_le_encode", encode_ordered<_PyUnicode_EncodeUTF32, -1>),
    ENCODER("utf_32_be_encode", encode_ordered<_PyUnicode_EncodeUTF32, 1>),
    DECODER("utf_32_decode", decode_wide<PyUnicode_DecodeUTF32Stateful, 0>),
    DECODER("utf_32_le_decode", decode_wide<PyUnicode_DecodeUTF32Stateful, -1>),
    DECODER("utf_32_be_decode", decode_wide<PyUnicode_DecodeUTF32Stateful, 1>),
    method<decode_wide_ex<PyUnicode_DecodeUTF32Stateful>,
           "utf_32_ex_decode($module, data, errors=None, byteorder=0, final=False, /)">(),
    ENCODER("unicode_escape_encode", encode_escape),
    method<decode_escapes<_PyUnicode_DecodeUnicodeEscapeStateful>,
           "unicode_escape_decode($module, data, errors=None, final=True, /)">(),
    ENCODER("raw_unicode_escape_encode", encode_raw_escape),
    method<decode_escapes<_PyUnicode_DecodeRawUnicodeEscapeStateful>,
           "raw_unicode_escape_decode($module, data, errors=None, final=True, /)">(),
    ENCODER("latin_1_encode", _PyUnicode_AsLatin1String),
    method<latin_1_decode, "latin_1_decode($module, data, errors=None, /)">(),
    ENCODER("ascii_encode", _PyUnicode_AsASCIIString),
    method<ascii_decode, "ascii_decode($module, data, errors=None, /)">(),
    method<charmap_encode, "charmap_encode($module, str, errors=None, mapping=None, /)">(),
    method<charmap_decode, "charmap_decode($module, data, errors=None, mapping=None, /)">(),
    method<charmap_build, "charmap_build($module, map, /)">(),
    method<readbuffer_encode, "readbuffer_encode($module, data, errors=None, /)">(),
    method<register_error, "register_error($module, errors, handler, /)",
           "Registers an error handler: it gets a UnicodeError and returns (replacement, position).">(),
    method<lookup_error, "lookup_error($module, name, /)", "The error handler of that name.">(),
    method<codecs_forget, "_forget_codec($module, encoding, /)", "Drops a codec from the cache of found ones.">(),
    {}};

PyModuleDef_Slot slots[] = {{0, nullptr}};
PyModuleDef codecs_module = {PyModuleDef_HEAD_INIT, "_codecs", nullptr, 0, functions, slots, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__codecs(void) { return PyModuleDef_Init(&pyston::codecs_module); }
