// Conversions that depend on the process: the locale's and the file system's encoding, wchar_t strings, paths.
#include "Objects/text/codec_errors.h"

#include "internal/pycore_fileutils.h"
#include "internal/pycore_initconfig.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pathconfig.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"

namespace pyston::text {
namespace {

bool has_wide_null(const wchar_t* text, Py_ssize_t length) { return static_cast<Py_ssize_t>(wcslen(text)) != length; }

PyObject* encode_locale(PyObject* unicode, _Py_error_handler errors, int current_locale) {
  if (errors == _Py_ERROR_UNKNOWN) {
    PyErr_SetString(PyExc_ValueError, "unsupported error handler");
    return nullptr;
  }
  Py_ssize_t length;
  wchar_t* wide = PyUnicode_AsWideCharString(unicode, &length);
  if (wide == nullptr) return nullptr;
  if (has_wide_null(wide, length)) {
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    PyMem_Free(wide);
    return nullptr;
  }
  char* bytes = nullptr;
  size_t position = 0;
  const char* reason = nullptr;
  const int status = _Py_EncodeLocaleEx(wide, &bytes, &position, &reason, current_locale, errors);
  PyMem_Free(wide);
  if (status == 0) {
    PyObject* result = PyBytes_FromString(bytes);
    PyMem_RawFree(bytes);
    return result;
  }
  if (status == -2) {
    EncodeErrors handler("locale", "strict", unicode);
    handler.raise_strict(reason, static_cast<Py_ssize_t>(position), static_cast<Py_ssize_t>(position) + 1);
  } else if (status == -3) {
    PyErr_SetString(PyExc_ValueError, "unsupported error handler");
  } else {
    PyErr_NoMemory();
  }
  return nullptr;
}

PyObject* decode_locale(const char* str, Py_ssize_t len, _Py_error_handler errors, int current_locale) {
  if (errors == _Py_ERROR_UNKNOWN) {
    PyErr_SetString(PyExc_ValueError, "unsupported error handler");
    return nullptr;
  }
  if (len < 0 || str[len] != '\0' || static_cast<size_t>(len) != strlen(str)) {
    PyErr_SetString(PyExc_ValueError, "embedded null byte");
    return nullptr;
  }
  wchar_t* wide = nullptr;
  size_t wide_length = 0;
  const char* reason = nullptr;
  const int status = _Py_DecodeLocaleEx(str, &wide, &wide_length, &reason, current_locale, errors);
  if (status == 0) {
    PyObject* result = PyUnicode_FromWideChar(wide, static_cast<Py_ssize_t>(wide_length));
    PyMem_RawFree(wide);
    return result;
  }
  if (status == -2) {
    const Py_ssize_t at = static_cast<Py_ssize_t>(wide_length);
    PyObject* exception = PyUnicodeDecodeError_Create("locale", str, len, at, at + 1, reason);
    if (exception != nullptr) {
      PyCodec_StrictErrors(exception);
      Py_DECREF(exception);
    }
  } else if (status == -3) {
    PyErr_SetString(PyExc_ValueError, "unsupported error handler");
  } else {
    PyErr_NoMemory();
  }
  return nullptr;
}

char* copy_utf8(const wchar_t* text) {
  char* bytes = nullptr;
  const int status = _Py_EncodeUTF8Ex(text, &bytes, nullptr, nullptr, 1, _Py_ERROR_STRICT);
  return status == 0 ? bytes : nullptr;
}

/// Replaces an encoding name in the configuration by the name that its codec reports. On failure the exception stays pending, for
/// the fatal error that the status becomes.
bool canonical_encoding(wchar_t** name) {
  char* bytes = copy_utf8(*name);
  if (bytes == nullptr) return false;
  Ref<> codec = Ref<>::steal(_PyCodec_Lookup(bytes));
  PyMem_RawFree(bytes);
  wchar_t* copy = nullptr;
  if (codec) {
    Ref<> attribute = Ref<>::steal(PyObject_GetAttrString(codec.get(), "name"));
    if (attribute) {
      wchar_t* wide = PyUnicode_AsWideCharString(attribute.get(), nullptr);
      if (wide != nullptr) {
        copy = _PyMem_RawWcsdup(wide);
        PyMem_Free(wide);
      }
    }
  }
  if (copy == nullptr) return false;
  PyMem_RawFree(*name);
  *name = copy;
  return true;
}

PyStatus named_error(const char* function, const char* message) {
  PyStatus status = PyStatus_Error(message);
  status.func = function;
  return status;
}

PyStatus init_fs_codec(PyInterpreterState* interp) {
  const PyConfig* config = _PyInterpreterState_GetConfig(interp);
  char* errors = copy_utf8(config->filesystem_errors);
  char* encoding = copy_utf8(config->filesystem_encoding);
  if (errors == nullptr || encoding == nullptr) {
    PyMem_RawFree(errors);
    PyMem_RawFree(encoding);
    return PyStatus_NoMemory();
  }
  struct _Py_unicode_fs_codec* codec = &interp->unicode.fs_codec;
  PyMem_RawFree(codec->encoding);
  PyMem_RawFree(codec->errors);
  codec->encoding = encoding;
  codec->utf8 = strcmp(encoding, "utf-8") == 0;
  codec->errors = errors;
  codec->error_handler = _Py_GetErrorHandler(errors);
  if (interp == PyInterpreterState_Main() && _Py_SetFileSystemEncoding(encoding, errors) < 0) return PyStatus_NoMemory();
  return PyStatus_Ok();
}

}  // namespace
}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_EncodeLocale(PyObject* unicode, const char* errors) {
  return encode_locale(unicode, _Py_GetErrorHandler(errors), 1);
}
PyObject* PyUnicode_DecodeLocaleAndSize(const char* str, Py_ssize_t len, const char* errors) {
  return decode_locale(str, len, _Py_GetErrorHandler(errors), 1);
}
PyObject* PyUnicode_DecodeLocale(const char* str, const char* errors) {
  return decode_locale(str, static_cast<Py_ssize_t>(strlen(str)), _Py_GetErrorHandler(errors), 1);
}

PyObject* PyUnicode_EncodeFSDefault(PyObject* unicode) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  const struct _Py_unicode_fs_codec* codec = &interp->unicode.fs_codec;
  if (LIKELY(codec->utf8)) return _PyUnicode_AsUTF8String(unicode, codec->errors);
  if (codec->encoding != nullptr) return PyUnicode_AsEncodedString(unicode, codec->encoding, codec->errors);
  // Before the codecs are there, the C library's conversion is all there is.
  const wchar_t* errors = _PyInterpreterState_GetConfig(interp)->filesystem_errors;
  const _Py_error_handler handler = errors != nullptr && wcscmp(errors, L"strict") == 0          ? _Py_ERROR_STRICT
                                    : errors != nullptr && wcscmp(errors, L"surrogatepass") == 0 ? _Py_ERROR_SURROGATEPASS
                                                                                                 : _Py_ERROR_SURROGATEESCAPE;
  return encode_locale(unicode, handler, 0);
}

PyObject* PyUnicode_DecodeFSDefaultAndSize(const char* s, Py_ssize_t size) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  const struct _Py_unicode_fs_codec* codec = &interp->unicode.fs_codec;
  if (LIKELY(codec->utf8)) return PyUnicode_DecodeUTF8Stateful(s, size, codec->errors, nullptr);
  if (codec->encoding != nullptr) return PyUnicode_Decode(s, size, codec->encoding, codec->errors);
  const wchar_t* errors = _PyInterpreterState_GetConfig(interp)->filesystem_errors;
  const _Py_error_handler handler = errors != nullptr && wcscmp(errors, L"strict") == 0          ? _Py_ERROR_STRICT
                                    : errors != nullptr && wcscmp(errors, L"surrogatepass") == 0 ? _Py_ERROR_SURROGATEPASS
                                                                                                 : _Py_ERROR_SURROGATEESCAPE;
  return decode_locale(s, size, handler, 0);
}

PyObject* PyUnicode_DecodeFSDefault(const char* s) {
  return PyUnicode_DecodeFSDefaultAndSize(s, static_cast<Py_ssize_t>(strlen(s)));
}

int PyUnicode_FSConverter(PyObject* arg, void* addr) {
  PyObject** target = static_cast<PyObject**>(addr);
  if (arg == nullptr) {
    Py_CLEAR(*target);
    return 1;
  }
  Ref<> path = Ref<>::steal(PyOS_FSPath(arg));
  if (!path) return 0;
  Ref<> output;
  if (PyBytes_Check(path.get())) {
    output = std::move(path);
  } else {
    output = Ref<>::steal(PyUnicode_EncodeFSDefault(path.get()));
    if (!output) return 0;
  }
  if (static_cast<size_t>(PyBytes_GET_SIZE(output.get())) != strlen(PyBytes_AS_STRING(output.get()))) {
    PyErr_SetString(PyExc_ValueError, "embedded null byte");
    return 0;
  }
  *target = output.release();
  return Py_CLEANUP_SUPPORTED;
}

int PyUnicode_FSDecoder(PyObject* arg, void* addr) {
  PyObject** target = static_cast<PyObject**>(addr);
  if (arg == nullptr) {
    Py_CLEAR(*target);
    return 1;
  }
  const bool is_buffer = PyObject_CheckBuffer(arg);
  Ref<> path;
  if (!is_buffer || PyBytes_Check(arg) || PyUnicode_Check(arg)) {
    path = Ref<>::steal(PyOS_FSPath(arg));
    if (!path) return 0;
  } else {
    if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "path should be string, bytes, or os.PathLike, not %.200s",
                         Py_TYPE(arg)->tp_name) != 0) {
      return 0;
    }
    path = Ref<>::steal(PyBytes_FromObject(arg));
    if (!path) return 0;
  }
  Ref<> output;
  if (PyUnicode_Check(path.get())) {
    output = std::move(path);
  } else {
    output = Ref<>::steal(PyUnicode_DecodeFSDefaultAndSize(PyBytes_AS_STRING(path.get()), PyBytes_GET_SIZE(path.get())));
    if (!output) return 0;
  }
  if (!ready(output.get())) return 0;
  if (PyUnicode_FindChar(output.get(), 0, 0, PyUnicode_GET_LENGTH(output.get()), 1) >= 0) {
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return 0;
  }
  *target = output.release();
  return Py_CLEANUP_SUPPORTED;
}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
// ---- wchar_t ----------------------------------------------------------------------------------------------------

Py_ssize_t PyUnicode_AsWideChar(PyObject* unicode, wchar_t* w, Py_ssize_t size) {
  if (unicode == nullptr) {
    PyErr_BadInternalCall();
    return -1;
  }
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return -1;
  }
  if (!ready(unicode)) return -1;
  const Text text = view(unicode);
  if (w == nullptr) return text.length + 1;
  Py_ssize_t copied = text.length;
  if (size > text.length) {
    size = text.length + 1;  // the terminator is copied too
  } else {
    copied = size;
  }
  copy_characters(4, w, 0, text, 0, size > text.length ? text.length : size);
  if (size > text.length) w[text.length] = 0;
  return copied;
}

wchar_t* PyUnicode_AsWideCharString(PyObject* unicode, Py_ssize_t* size) {
  if (unicode == nullptr) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (!ready(unicode)) return nullptr;
  const Text text = view(unicode);
  wchar_t* wide = PyMem_New(wchar_t, text.length + 1);
  if (wide == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  copy_characters(4, wide, 0, text, 0, text.length);
  wide[text.length] = 0;
  if (size != nullptr) {
    *size = text.length;
  } else if (has_wide_null(wide, text.length)) {
    PyMem_Free(wide);
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return nullptr;
  }
  return wide;
}

/// Not quite deprecated: fills the wchar_t cache of the string.
Py_UNICODE* PyUnicode_AsUnicodeAndSize(PyObject* unicode, Py_ssize_t* size) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return nullptr;
  }
  PyASCIIObject* fields = ascii_head(unicode);
  if (fields->wstr == nullptr) {
    const Text text = view(unicode);
    wchar_t* wide = static_cast<wchar_t*>(PyObject_Malloc(static_cast<size_t>(text.length + 1) * sizeof(wchar_t)));
    if (wide == nullptr) {
      PyErr_NoMemory();
      return nullptr;
    }
    copy_characters(4, wide, 0, text, 0, text.length);
    wide[text.length] = 0;
    fields->wstr = wide;
    if (!PyUnicode_IS_COMPACT_ASCII(unicode)) compact_head(unicode)->wstr_length = text.length;
  }
  if (size != nullptr) {
    *size = PyUnicode_IS_COMPACT_ASCII(unicode) ? fields->length : compact_head(unicode)->wstr_length;
  }
  return fields->wstr;
}

Py_UNICODE* PyUnicode_AsUnicode(PyObject* unicode) { return PyUnicode_AsUnicodeAndSize(unicode, nullptr); }

const Py_UNICODE* _PyUnicode_AsUnicode(PyObject* unicode) {
  Py_ssize_t size;
  const wchar_t* wide = PyUnicode_AsUnicodeAndSize(unicode, &size);
  if (wide != nullptr && has_wide_null(wide, size)) {
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return nullptr;
  }
  return wide;
}

Py_ssize_t PyUnicode_GetSize(PyObject* unicode) {
  Py_ssize_t size;
  return PyUnicode_AsUnicodeAndSize(unicode, &size) == nullptr ? -1 : size;
}

/// For "O&": a wchar_t* of PyMem_Malloc; with null for the object, its release.
static int convert_wide(PyObject* obj, wchar_t** target, const char* expected) {
  if (obj == nullptr) {
    PyMem_Free(*target);
    *target = nullptr;
    return 1;
  }
  if (!PyUnicode_Check(obj)) {
    PyErr_Format(PyExc_TypeError, "argument must be %s, not %.50s", expected, Py_TYPE(obj)->tp_name);
    return 0;
  }
  *target = PyUnicode_AsWideCharString(obj, nullptr);
  return *target != nullptr;
}

int _PyUnicode_WideCharString_Converter(PyObject* obj, void* ptr) {
  return convert_wide(obj, static_cast<wchar_t**>(ptr), "str");
}

int _PyUnicode_WideCharString_Opt_Converter(PyObject* obj, void* ptr) {
  if (obj == Py_None) {
    *static_cast<wchar_t**>(ptr) = nullptr;
    return 1;
  }
  return convert_wide(obj, static_cast<wchar_t**>(ptr), "str or None");
}

#pragma clang diagnostic pop

// ---- start-up ---------------------------------------------------------------------------------------------------

PyStatus _PyUnicode_InitEncodings(PyThreadState* tstate) {
  // The first look-up imports `encodings` and registers the error handlers.
  PyConfig* config = const_cast<PyConfig*>(_PyInterpreterState_GetConfig(tstate->interp));
  if (!canonical_encoding(&config->filesystem_encoding)) {
    _Py_DumpPathConfig(tstate);
    return named_error("init_fs_encoding", "failed to get the Python codec of the filesystem encoding");
  }
  PyStatus status = init_fs_codec(tstate->interp);
  if (PyStatus_Exception(status)) return status;
  if (!canonical_encoding(&config->stdio_encoding)) {
    return named_error("init_stdio_encoding", "failed to get the Python codec name of the stdio encoding");
  }
  return PyStatus_Ok();
}
