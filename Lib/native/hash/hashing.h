// What the hash modules share: the argument that is hashed, and updating without the GIL.
#pragma once

#include "Objects/bind.h"
#include "pycore_long.h"
#include "pycore_strhex.h"

namespace pyston::hashing {

/// A one-dimensional bytes-like argument; str is refused with a hint.
struct HashInput {
  Py_buffer view = {};
  HashInput() = default;
  HashInput(HashInput&& other) noexcept : view(other.view) { other.view.obj = nullptr; }
  HashInput& operator=(HashInput&& other) noexcept {
    std::swap(view, other.view);
    return *this;
  }
  ~HashInput() {
    if (view.obj != nullptr) PyBuffer_Release(&view);
  }
  bool acquire(PyObject* value) {
    if (PyUnicode_Check(value)) {
      PyErr_SetString(PyExc_TypeError, "Strings must be encoded before hashing");
      return false;
    }
    if (!PyObject_CheckBuffer(value)) {
      PyErr_SetString(PyExc_TypeError, "object supporting the buffer API required");
      return false;
    }
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) return false;
    if (view.ndim > 1) {
      PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
      return false;
    }
    return true;
  }
};

/// Holds the lock of a hash object, if it has one, waiting without the GIL.
class HashLock {
 public:
  explicit HashLock(PyThread_type_lock lock) : lock_(lock) {
    if (lock_ != nullptr && !PyThread_acquire_lock(lock_, 0)) {
      Py_BEGIN_ALLOW_THREADS
      PyThread_acquire_lock(lock_, 1);
      Py_END_ALLOW_THREADS
    }
  }
  HashLock(const HashLock&) = delete;
  ~HashLock() {
    if (lock_ != nullptr) PyThread_release_lock(lock_);
  }

 private:
  PyThread_type_lock lock_;
};

/// Calls consume(bytes, size), without the GIL for long data. The lock is made when first needed.
template <class Consume>
Status hash_update(PyThread_type_lock& lock, const Py_buffer& data, Consume consume) {
  constexpr Py_ssize_t kReleaseFrom = 2048;
  if (data.len >= kReleaseFrom && lock == nullptr) lock = PyThread_allocate_lock();
  HashLock held(lock);
  if (data.len >= kReleaseFrom && lock != nullptr) {
    Py_BEGIN_ALLOW_THREADS
    consume(data.buf, static_cast<size_t>(data.len));
    Py_END_ALLOW_THREADS
  } else {
    consume(data.buf, static_cast<size_t>(data.len));
  }
  return Status::kOk;
}

}  // namespace pyston::hashing

template <>
struct pyston::binding::Convert<pyston::hashing::HashInput> {
  static bool convert(const Signature&, int, PyObject* value, hashing::HashInput& out) { return out.acquire(value); }
};
