// Inside of int: allocation, small-value access and the digit kernels. For Objects/numbers and the interpreter's fast
// paths.
//
// INVARIANTS: digits hold 30 bits, little end first; the top digit of a non-zero number isn't zero; the sign is the
// sign of ob_size. -5..256 exist once, in _PyRuntime; every constructor here returns those singletons for these values.
// An int of up to two digits occupies 32 bytes, so that freed ones can be kept on one free list.
#pragma once

#include "Runtime/refs/ref.h"
#include "pycore_long.h"

namespace pyston {

/// Freed ints of at most two digits, chained through ob_type. Guarded by the GIL.
struct IntPool {
  PyObject* head = nullptr;
  int count = 0;
  static constexpr int kCapacity = 256;
};
extern IntPool int_pool;

constexpr int kDigitBits = PyLong_SHIFT;
/// Magnitudes below 2**60 fit two digits; sums and differences of two such fit int64.
constexpr int64_t kTwoDigitLimit = int64_t{1} << (2 * kDigitBits);

ALWAYS_INLINE PyLongObject* as_long(PyObject* object) { return reinterpret_cast<PyLongObject*>(object); }
ALWAYS_INLINE Py_ssize_t digit_count(const PyLongObject* a) { return Py_ABS(a->ob_base.ob_size); }
ALWAYS_INLINE bool is_negative(const PyLongObject* a) { return a->ob_base.ob_size < 0; }

/// At most two digits: int_value() may be used.
ALWAYS_INLINE bool is_compact(const PyLongObject* a) { return static_cast<size_t>(a->ob_base.ob_size + 2) <= 4; }
ALWAYS_INLINE bool is_single(const PyLongObject* a) { return static_cast<size_t>(a->ob_base.ob_size + 1) <= 2; }

/// The magnitude is below 2**63.
ALWAYS_INLINE bool fits_int64(const PyLongObject* a) {
  return is_compact(a) || (digit_count(a) == 3 && a->ob_digit[2] <= 7);
}

ALWAYS_INLINE int64_t single_value(const PyLongObject* a) {
  return static_cast<int64_t>(a->ob_base.ob_size) * a->ob_digit[0];
}
/// Value of a compact int.
ALWAYS_INLINE int64_t compact_value(const PyLongObject* a) {
  const Py_ssize_t size = a->ob_base.ob_size;
  if (LIKELY(is_single(a))) return size * static_cast<int64_t>(a->ob_digit[0]);
  const int64_t magnitude = a->ob_digit[0] | static_cast<int64_t>(a->ob_digit[1]) << kDigitBits;
  return size < 0 ? -magnitude : magnitude;
}

/// Memory for an exact int of at most two digits, size and digits not set. New reference; null: MemoryError.
ALWAYS_INLINE PyLongObject* allocate_compact() {
  PyObject* object = int_pool.head;
  if (LIKELY(object != nullptr)) {
    int_pool.head = reinterpret_cast<PyObject*>(object->ob_type);
    int_pool.count--;
  } else {
    object = static_cast<PyObject*>(PyObject_Malloc(offsetof(PyLongObject, ob_digit) + 2 * sizeof(digit)));
    if (UNLIKELY(object == nullptr)) return reinterpret_cast<PyLongObject*>(PyErr_NoMemory());
  }
  object->ob_type = &PyLong_Type;
  object->ob_refcnt = 1;
  return as_long(object);
}

ALWAYS_INLINE PyObject* small_int(int64_t value) {
  return Py_NewRef(as_object(&_PyLong_SMALL_INTS[_PY_NSMALLNEGINTS + value]));
}
ALWAYS_INLINE bool is_small_int(int64_t value) {
  return static_cast<uint64_t>(value + _PY_NSMALLNEGINTS) < _PY_NSMALLNEGINTS + _PY_NSMALLPOSINTS;
}

PyObject* int_from_wide(bool negative, uint64_t magnitude);  // returns new; magnitude of any size
PyObject* int_from_wide128(bool negative, unsigned __int128 magnitude);

/// New reference to an int of that value.
ALWAYS_INLINE PyObject* int_from_int64(int64_t value) {
  if (is_small_int(value)) return small_int(value);
  const uint64_t magnitude = value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (UNLIKELY(magnitude >= static_cast<uint64_t>(kTwoDigitLimit))) return int_from_wide(value < 0, magnitude);
  PyLongObject* result = allocate_compact();
  if (UNLIKELY(result == nullptr)) return nullptr;
  result->ob_digit[0] = static_cast<digit>(magnitude & PyLong_MASK);
  Py_ssize_t size = 1;
  if (magnitude >= PyLong_BASE) {
    result->ob_digit[1] = static_cast<digit>(magnitude >> kDigitBits);
    size = 2;
  }
  result->ob_base.ob_size = value < 0 ? -size : size;
  return as_object(result);
}

/// Drops leading zero digits; returns the (stolen) argument, or the singleton for a small value.
PyObject* int_normalize(PyLongObject* stolen);

// Digit kernels (int_kernels.cpp). Sizes count digits; operands needn't be normalised; outputs don't alias inputs
// unless said so.
namespace digits {
/// out[na + 1] = a + b, na >= nb.
void add(digit* out, const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb);
/// out[na] = a - b, a >= b.
void subtract(digit* out, const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb);
int compare(const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb);
/// out[na + nb] = a * b. False: no memory (exception set).
bool multiply(digit* out, const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb);
/// out[2 * na] = a * a.
bool square(digit* out, const digit* a, Py_ssize_t na);
/// quotient[na] = a / divisor; returns the remainder. quotient may be a.
digit divide_by_digit(digit* quotient, const digit* a, Py_ssize_t na, digit divisor);
/// quotient[na - nb + 1], remainder[nb] of a / b with na >= nb >= 2 and b[nb - 1] != 0. False: no memory.
bool divide(digit* quotient, digit* remainder, const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb);
/// out[na + shift / 30 + 1] = a << shift.
void shift_left(digit* out, const digit* a, Py_ssize_t na, size_t shift);

using Limb = unsigned long;
constexpr Py_ssize_t limbs_for(Py_ssize_t n) { return (n * kDigitBits + 63) / 64; }
constexpr Py_ssize_t digits_for(Py_ssize_t limbs) { return (limbs * 64 + kDigitBits - 1) / kDigitBits; }
/// limbs[limbs_for(n)] from n digits and back (digits[n] from as many limbs as it needs).
void pack(Limb* limbs, const digit* a, Py_ssize_t n);
void unpack(digit* out, Py_ssize_t n, const Limb* limbs, Py_ssize_t limb_count);
}  // namespace digits

/// Scratch memory of a kernel: on the stack when small.
template <class T, size_t kInline = 64>
class Scratch {
 public:
  explicit Scratch(Py_ssize_t count) {
    if (static_cast<size_t>(count) > kInline) {
      data_ = static_cast<T*>(PyMem_Malloc(static_cast<size_t>(count) * sizeof(T)));
      if (data_ == nullptr) PyErr_NoMemory();
    }
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (data_ != inline_) PyMem_Free(data_);
  }
  explicit operator bool() const { return data_ != nullptr; }
  T* get() { return data_; }
  T& operator[](Py_ssize_t i) { return data_[i]; }

 private:
  T inline_[kInline];
  T* data_ = inline_;
};

// int_arithmetic.cpp: operations on ints of any size. All return new references (null: exception set).
PyObject* int_add(PyLongObject* a, PyLongObject* b);
PyObject* int_subtract(PyLongObject* a, PyLongObject* b);
PyObject* int_multiply(PyLongObject* a, PyLongObject* b);
PyObject* int_floor_divide(PyLongObject* a, PyLongObject* b);
PyObject* int_modulo(PyLongObject* a, PyLongObject* b);
/// Floor division with both results; a null pointer skips one. False: exception set.
bool int_divmod(PyLongObject* a, PyLongObject* b, PyObject** quotient, PyObject** remainder);
PyObject* int_true_divide(PyLongObject* a, PyLongObject* b);
PyObject* int_power(PyObject* base, PyObject* exponent, PyObject* modulus);  // nb_power
PyObject* int_negative(PyLongObject* a);
PyObject* int_square_root(PyLongObject* a);  // floor; a >= 0
PyObject* int_shift_left(PyLongObject* a, size_t bits);
PyObject* int_shift_right(PyLongObject* a, size_t bits);
PyObject* int_and(PyLongObject* a, PyLongObject* b);
PyObject* int_or(PyLongObject* a, PyLongObject* b);
PyObject* int_xor(PyLongObject* a, PyLongObject* b);
PyObject* int_invert(PyLongObject* a);
int int_compare(const PyLongObject* a, const PyLongObject* b);  // -1, 0, 1
Py_hash_t int_hash(PyLongObject* a);

/// Decimal text of an int into a writer's or a fresh ASCII buffer: length first, then the characters.
PyObject* int_to_decimal(PyObject* self);

}  // namespace pyston
