// Calls of codec error handlers (see codec_errors.h).
#include "Objects/text/codec_errors.h"

namespace pyston::text {

/// Makes `errors(exc) -> (value, position)` and checks its form; the tuple is returned.
static PyObject* call_handler(PyObject*& handler, const char* errors, PyObject* exception, const char* message) {
  if (handler == nullptr) {
    handler = PyCodec_LookupError(errors);
    if (handler == nullptr) return nullptr;
  }
  PyObject* result = PyObject_CallOneArg(handler, exception);
  if (result == nullptr) return nullptr;
  if (!PyTuple_Check(result) || PyTuple_GET_SIZE(result) != 2 || !PyLong_Check(PyTuple_GET_ITEM(result, 1))) {
    PyErr_SetString(PyExc_TypeError, message);
    Py_DECREF(result);
    return nullptr;
  }
  return result;
}

static bool read_position(PyObject* value, Py_ssize_t size, Py_ssize_t& position) {
  Py_ssize_t at = PyLong_AsSsize_t(value);
  if (at == -1 && PyErr_Occurred()) return false;
  if (at < 0) at += size;
  if (at < 0 || at > size) {
    PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds", at);
    return false;
  }
  position = at;
  return true;
}

COLD bool DecodeErrors::handle(const char* reason, const char*& input, Py_ssize_t& size, Py_ssize_t start,
                               Py_ssize_t stop, Py_ssize_t& position, Writer& writer) {
  static constexpr const char* kMessage = "decoding error handler must return (str, int) tuple";
  switch (kind_) {
    case _Py_ERROR_IGNORE:
      position = stop;
      return true;
    case _Py_ERROR_REPLACE:
      position = stop;
      return writer.put(Py_UNICODE_REPLACEMENT_CHARACTER);
    default:
      break;
  }
  if (exception_ == nullptr) {
    exception_ = PyUnicodeDecodeError_Create(encoding_, input, size, start, stop, reason);
    if (exception_ == nullptr) return false;
  } else if (PyUnicodeDecodeError_SetStart(exception_, start) < 0 || PyUnicodeDecodeError_SetEnd(exception_, stop) < 0 ||
             PyUnicodeDecodeError_SetReason(exception_, reason) < 0) {
    return false;
  }
  if (kind_ == _Py_ERROR_STRICT) {
    PyCodec_StrictErrors(exception_);
    return false;
  }
  Ref<> result = Ref<>::steal(call_handler(handler_, errors_, exception_, kMessage));
  if (!result) return false;
  PyObject* text = PyTuple_GET_ITEM(result.get(), 0);
  if (!PyUnicode_Check(text)) {
    PyErr_SetString(PyExc_TypeError, kMessage);
    return false;
  }
  PyObject* object = PyUnicodeDecodeError_GetObject(exception_);
  if (object == nullptr) return false;
  input = PyBytes_AS_STRING(object);
  size = PyBytes_GET_SIZE(object);
  Py_DECREF(object);  // the exception keeps it
  return read_position(PyTuple_GET_ITEM(result.get(), 1), size, position) && writer.string(text);
}

COLD void EncodeErrors::raise_strict(const char* reason, Py_ssize_t start, Py_ssize_t stop) {
  if (exception_ == nullptr) {
    exception_ = PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnns", encoding_, string_, start, stop, reason);
    if (exception_ == nullptr) return;
  } else if (PyUnicodeEncodeError_SetStart(exception_, start) < 0 || PyUnicodeEncodeError_SetEnd(exception_, stop) < 0 ||
             PyUnicodeEncodeError_SetReason(exception_, reason) < 0) {
    return;
  }
  PyCodec_StrictErrors(exception_);
}

COLD PyObject* EncodeErrors::replacement(const char* reason, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t& position) {
  static constexpr const char* kMessage = "encoding error handler must return (str/bytes, int) tuple";
  if (kind_ == _Py_ERROR_STRICT) {
    raise_strict(reason, start, stop);
    return nullptr;
  }
  if (exception_ == nullptr) {
    exception_ = PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnns", encoding_, string_, start, stop, reason);
    if (exception_ == nullptr) return nullptr;
  } else if (PyUnicodeEncodeError_SetStart(exception_, start) < 0 || PyUnicodeEncodeError_SetEnd(exception_, stop) < 0 ||
             PyUnicodeEncodeError_SetReason(exception_, reason) < 0) {
    return nullptr;
  }
  Ref<> result = Ref<>::steal(call_handler(handler_, errors_, exception_, kMessage));
  if (!result) return nullptr;
  PyObject* value = PyTuple_GET_ITEM(result.get(), 0);
  if (!PyUnicode_Check(value) && !PyBytes_Check(value)) {
    PyErr_SetString(PyExc_TypeError, kMessage);
    return nullptr;
  }
  if (PyUnicode_Check(value) && !ready(value)) return nullptr;
  if (!read_position(PyTuple_GET_ITEM(result.get(), 1), PyUnicode_GET_LENGTH(string_), position)) return nullptr;
  return Py_NewRef(value);
}

}  // namespace pyston::text

_Py_error_handler _Py_GetErrorHandler(const char* errors) {
  if (errors == nullptr || strcmp(errors, "strict") == 0) return _Py_ERROR_STRICT;
  if (strcmp(errors, "surrogateescape") == 0) return _Py_ERROR_SURROGATEESCAPE;
  if (strcmp(errors, "replace") == 0) return _Py_ERROR_REPLACE;
  if (strcmp(errors, "ignore") == 0) return _Py_ERROR_IGNORE;
  if (strcmp(errors, "backslashreplace") == 0) return _Py_ERROR_BACKSLASHREPLACE;
  if (strcmp(errors, "surrogatepass") == 0) return _Py_ERROR_SURROGATEPASS;
  if (strcmp(errors, "xmlcharrefreplace") == 0) return _Py_ERROR_XMLCHARREFREPLACE;
  return _Py_ERROR_OTHER;
}
