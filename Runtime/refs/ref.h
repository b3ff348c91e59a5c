// Ownership in types: Ref<T> owns a reference, Borrowed<T> does not, Failure says "an exception is set".
//
// INVARIANT: a null Ref returned from a function means that an exception is set (as a NULL does in the C API), so
// the edge to `extern "C"` code is `.release()`. A function that can miss without failing returns Lookup instead.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "Runtime/python.h"

namespace pyston {

/// Any struct that starts with a PyObject (or is one).
template <class T>
ALWAYS_INLINE PyObject* as_object(T* pointer) {
  return reinterpret_cast<PyObject*>(pointer);
}

template <class T = PyObject>
class Borrowed;

/// Owning pointer to a Python object. Moved, not copied; null means "exception set".
template <class T = PyObject>
class [[nodiscard]] Ref {
 public:
  constexpr Ref() = default;
  constexpr Ref(std::nullptr_t) {}
  Ref(Ref&& other) noexcept : pointer_(other.release()) {}
  template <class U>
    requires(!std::is_same_v<T, U> && std::is_same_v<T, PyObject>)
  Ref(Ref<U>&& other) noexcept : pointer_(as_object(other.release())) {}
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  /// The old referent is released last: dropping it can run any Python code.
  Ref& operator=(Ref&& other) noexcept {
    T* old = pointer_;
    pointer_ = other.release();
    Py_XDECREF(as_object(old));
    return *this;
  }
  ~Ref() { Py_XDECREF(as_object(pointer_)); }

  /// Takes over a reference that the caller owns (null: an exception is set).
  static Ref steal(T* pointer) {
    Ref ref;
    ref.pointer_ = pointer;
    return ref;
  }
  template <class U>
    requires(!std::is_same_v<T, U>)
  static Ref steal(U* pointer) {
    return steal(reinterpret_cast<T*>(pointer));
  }
  /// Makes a new reference to a borrowed object, which may be null.
  static Ref dup(T* pointer) {
    Py_XINCREF(as_object(pointer));
    return steal(pointer);
  }
  template <class U>
    requires(!std::is_same_v<T, U>)
  static Ref dup(U* pointer) {
    return dup(reinterpret_cast<T*>(pointer));
  }
  static Ref none()
    requires std::is_same_v<T, PyObject>
  {
    return dup(Py_None);
  }

  T* get() const { return pointer_; }
  T* operator->() const { return pointer_; }
  PyObject* object() const { return as_object(pointer_); }
  explicit operator bool() const { return pointer_ != nullptr; }
  bool operator==(std::nullptr_t) const { return pointer_ == nullptr; }
  /// Gives the reference to the caller, who owns it from now on.
  [[nodiscard]] T* release() { return std::exchange(pointer_, nullptr); }
  void reset() { *this = Ref(); }

 private:
  T* pointer_ = nullptr;
};

/// A reference owned by somebody else for at least the length of the call; never null.
template <class T>
class Borrowed {
 public:
  Borrowed(T* pointer) : pointer_(pointer) {}
  template <class U>
    requires(!std::is_same_v<T, U> && std::is_same_v<T, PyObject>)
  Borrowed(U* pointer) : pointer_(as_object(pointer)) {}
  Borrowed(const Ref<T>& owner) : pointer_(owner.get()) {}
  template <class U>
    requires(!std::is_same_v<T, U> && std::is_same_v<T, PyObject>)
  Borrowed(const Ref<U>& owner) : pointer_(owner.object()) {}
  template <class U>
    requires(!std::is_same_v<T, U> && std::is_same_v<T, PyObject>)
  Borrowed(Borrowed<U> other) : pointer_(other.object()) {}

  T* get() const { return pointer_; }
  T* operator->() const { return pointer_; }
  operator T*() const { return pointer_; }
  PyObject* object() const { return as_object(pointer_); }

 private:
  T* pointer_;
};

/// Outcome of an operation without a value.
enum class [[nodiscard]] Status : int { kOk = 0, kError = -1 };
inline bool ok(Status status) { return status == Status::kOk; }

/// Outcome of a search: a miss is not an error and sets no exception.
enum class [[nodiscard]] Lookup : int { kFound = 1, kMissing = 0, kError = -1 };

/// Converts to the failure value of whatever the enclosing function returns; an exception is set.
struct Failure {
  template <class T>
  operator Ref<T>() const {
    return nullptr;
  }
  template <class T>
  operator T*() const {
    return nullptr;
  }
  operator Status() const { return Status::kError; }
  operator Lookup() const { return Lookup::kError; }
  operator int() const { return -1; }
  operator long() const { return -1; }
};

/// Sets `exception` with a PyErr_Format style message and gives the failure value.
template <class... Arguments>
Failure raise(PyObject* exception, const char* format, Arguments... arguments) {
  if constexpr (sizeof...(Arguments) == 0) {
    PyErr_SetString(exception, format);
  } else {
    PyErr_Format(exception, format, arguments...);
  }
  return {};
}

template <class T>
ALWAYS_INLINE bool failed(const Ref<T>& result) {
  return !result;
}
template <class T>
ALWAYS_INLINE bool failed(T* result) {
  return result == nullptr;
}
ALWAYS_INLINE bool failed(Status status) { return status != Status::kOk; }
ALWAYS_INLINE bool failed(Lookup lookup) { return lookup == Lookup::kError; }
/// C API convention: a negative int or Py_ssize_t is a failure. Not for values that may be -1 (PyLong_AsLong).
ALWAYS_INLINE bool failed(int result) { return result < 0; }
ALWAYS_INLINE bool failed(long result) { return result < 0; }

/// Returns the failure value from the enclosing function when `expression` fails, else yields its value.
/// Stands only as a whole initialiser.
#define VM_TRY(expression)                                \
  ({                                                      \
    auto vm_try_result = (expression);                    \
    if (UNLIKELY(::pyston::failed(vm_try_result))) {      \
      return ::pyston::Failure{};                         \
    }                                                     \
    std::move(vm_try_result);                             \
  })

/// VM_TRY for an expression whose value nobody needs.
#define VM_CHECK(expression)                              \
  do {                                                    \
    if (UNLIKELY(::pyston::failed(expression))) {         \
      return ::pyston::Failure{};                         \
    }                                                     \
  } while (false)

}  // namespace pyston
