// Error handling shared by the encoders and decoders of str.
//
// A codec stops at a range that it can't convert and asks one of these objects, which either raises, or calls the
// registered handler and says what to put there and where to go on. `strict` never touches the registry, so codecs
// work before it exists. Handlers may replace the input of a decoder (`exception.object`), which is why decode takes
// the input by reference; the new input is kept alive by the exception, which lives as long as the object here.
#pragma once

#include "Objects/text/text.h"

namespace pyston::text {

class DecodeErrors {
 public:
  DecodeErrors(const char* encoding, const char* errors)
      : encoding_(encoding), errors_(errors), kind_(_Py_GetErrorHandler(errors)) {}
  ~DecodeErrors() {
    Py_XDECREF(handler_);
    Py_XDECREF(exception_);
  }
  DecodeErrors(const DecodeErrors&) = delete;

  _Py_error_handler kind() const { return kind_; }
  /// Handles input[start, stop); writes the replacement and moves `position`. False: an exception is set.
  bool handle(const char* reason, const char*& input, Py_ssize_t& size, Py_ssize_t start, Py_ssize_t stop,
              Py_ssize_t& position, Writer& writer);

 private:
  const char* encoding_;
  const char* errors_;
  _Py_error_handler kind_;
  PyObject* handler_ = nullptr;
  PyObject* exception_ = nullptr;
};

class EncodeErrors {
 public:
  EncodeErrors(const char* encoding, const char* errors, PyObject* string)
      : encoding_(encoding), errors_(errors), string_(string), kind_(_Py_GetErrorHandler(errors)) {}
  ~EncodeErrors() {
    Py_XDECREF(handler_);
    Py_XDECREF(exception_);
  }
  EncodeErrors(const EncodeErrors&) = delete;

  _Py_error_handler kind() const { return kind_; }
  /// Raises UnicodeEncodeError for [start, stop).
  void raise_strict(const char* reason, Py_ssize_t start, Py_ssize_t stop);
  /// Calls the handler: new reference to the str or bytes to put there, null with an exception.
  PyObject* replacement(const char* reason, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t& position);

 private:
  const char* encoding_;
  const char* errors_;
  PyObject* string_;
  _Py_error_handler kind_;
  PyObject* handler_ = nullptr;
  PyObject* exception_ = nullptr;
};

/// A bytes object being filled.
class ByteSink {
 public:
  ~ByteSink() { Py_XDECREF(bytes_); }
  bool start(Py_ssize_t capacity) {
    bytes_ = PyBytes_FromStringAndSize(nullptr, capacity > 0 ? capacity : 1);
    if (bytes_ == nullptr) return false;
    at_ = PyBytes_AS_STRING(bytes_);
    stop_ = at_ + (capacity > 0 ? capacity : 1);
    return true;
  }
  bool reserve(Py_ssize_t n) { return LIKELY(stop_ - at_ >= n) || grow(n); }
  /// Room must have been reserved.
  void put(unsigned c) { *at_++ = static_cast<char>(c); }
  bool add(unsigned c) {
    if (!reserve(1)) return false;
    put(c);
    return true;
  }
  bool write(const void* data, Py_ssize_t n) {
    if (!reserve(n)) return false;
    memcpy(at_, data, static_cast<size_t>(n));
    at_ += n;
    return true;
  }
  char*& cursor() { return at_; }
  PyObject* finish() {
    const Py_ssize_t length = at_ - PyBytes_AS_STRING(bytes_);
    PyObject* result = bytes_;
    bytes_ = nullptr;
    if (length != PyBytes_GET_SIZE(result)) _PyBytes_Resize(&result, length);
    return result;
  }

 private:
  COLD bool grow(Py_ssize_t n) {
    const Py_ssize_t used = at_ - PyBytes_AS_STRING(bytes_);
    if (n > PY_SSIZE_T_MAX - used) return PyErr_NoMemory(), false;
    Py_ssize_t size = used + n;
    if (size < PY_SSIZE_T_MAX - size / 2) size += size / 2;
    // The bytes in use are kept by hand: shrinking to fit comes at the end.
    if (_PyBytes_Resize(&bytes_, size) < 0) return false;
    at_ = PyBytes_AS_STRING(bytes_) + used;
    stop_ = PyBytes_AS_STRING(bytes_) + size;
    return true;
  }
  PyObject* bytes_ = nullptr;
  char* at_ = nullptr;
  char* stop_ = nullptr;
};

inline bool is_surrogate(Py_UCS4 c) { return c >= 0xd800 && c <= 0xdfff; }

}  // namespace pyston::text
