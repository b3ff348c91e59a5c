// Integer arithmetic on PyLongObjects: the fast paths for values of up to two digits first, the general case behind
// them, over the kernels of int_kernels.cpp.
#include "Objects/numbers/int.h"

#include <gmp.h>

#include <cfloat>
#include <cmath>
#include <cstring>

namespace pyston {

PyObject* int_from_wide(bool negative, uint64_t magnitude) { return int_from_wide128(negative, magnitude); }

PyObject* int_from_wide128(bool negative, unsigned __int128 magnitude) {
  if (magnitude < static_cast<uint64_t>(kTwoDigitLimit)) {
    const int64_t value = static_cast<int64_t>(magnitude);
    return int_from_int64(negative ? -value : value);
  }
  Py_ssize_t count = 0;
  for (unsigned __int128 rest = magnitude; rest != 0; rest >>= kDigitBits) count++;
  PyLongObject* result = _PyLong_New(count);
  if (result == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) {
    result->ob_digit[i] = static_cast<digit>(magnitude) & PyLong_MASK;
    magnitude >>= kDigitBits;
  }
  if (negative) result->ob_base.ob_size = -count;
  return as_object(result);
}

PyObject* int_normalize(PyLongObject* stolen) {
  const Py_ssize_t size = stolen->ob_base.ob_size;
  Py_ssize_t count = Py_ABS(size);
  while (count > 0 && stolen->ob_digit[count - 1] == 0) count--;
  if (count <= 1) {
    const int64_t value = count == 0 ? 0 : (size < 0 ? -static_cast<int64_t>(stolen->ob_digit[0]) : stolen->ob_digit[0]);
    if (is_small_int(value)) {
      Py_DECREF(as_object(stolen));
      return small_int(value);
    }
  }
  if (UNLIKELY(count <= 2 && Py_ABS(size) > 8)) {  // don't let a small value keep a big block
    const int64_t magnitude = stolen->ob_digit[0] | static_cast<int64_t>(count == 2 ? stolen->ob_digit[1] : 0) << kDigitBits;
    Py_DECREF(as_object(stolen));
    return int_from_int64(size < 0 ? -magnitude : magnitude);
  }
  stolen->ob_base.ob_size = size < 0 ? -count : count;
  return as_object(stolen);
}

namespace {

void set_negative(PyLongObject* fresh, bool negative) {
  if (negative) fresh->ob_base.ob_size = -fresh->ob_base.ob_size;
}

/// |a| + |b| with the given sign.
PyObject* add_magnitudes(const PyLongObject* a, const PyLongObject* b, bool negative) {
  Py_ssize_t na = digit_count(a);
  Py_ssize_t nb = digit_count(b);
  if (na < nb) {
    std::swap(a, b);
    std::swap(na, nb);
  }
  PyLongObject* result = _PyLong_New(na + 1);
  if (result == nullptr) return nullptr;
  digits::add(result->ob_digit, a->ob_digit, na, b->ob_digit, nb);
  set_negative(result, negative);
  return int_normalize(result);
}

/// |a| - |b|, negated when asked to.
PyObject* subtract_magnitudes(const PyLongObject* a, const PyLongObject* b, bool negated) {
  Py_ssize_t na = digit_count(a);
  Py_ssize_t nb = digit_count(b);
  const int order = digits::compare(a->ob_digit, na, b->ob_digit, nb);
  if (order == 0) return small_int(0);
  if (order < 0) {
    std::swap(a, b);
    std::swap(na, nb);
    negated = !negated;
  }
  PyLongObject* result = _PyLong_New(na);
  if (result == nullptr) return nullptr;
  digits::subtract(result->ob_digit, a->ob_digit, na, b->ob_digit, nb);
  set_negative(result, negated);
  return int_normalize(result);
}

}  // namespace

NEVER_INLINE static PyObject* add_big(PyLongObject* a, PyLongObject* b) {
  if (is_negative(a) == is_negative(b)) return add_magnitudes(a, b, is_negative(a));
  return subtract_magnitudes(a, b, is_negative(a));
}
NEVER_INLINE static PyObject* subtract_big(PyLongObject* a, PyLongObject* b) {
  if (is_negative(a) != is_negative(b)) return add_magnitudes(a, b, is_negative(a));
  return subtract_magnitudes(a, b, is_negative(a));
}

PyObject* int_add(PyLongObject* a, PyLongObject* b) {
  if (LIKELY(is_compact(a) && is_compact(b))) return int_from_int64(compact_value(a) + compact_value(b));
  return add_big(a, b);
}

PyObject* int_subtract(PyLongObject* a, PyLongObject* b) {
  if (LIKELY(is_compact(a) && is_compact(b))) return int_from_int64(compact_value(a) - compact_value(b));
  return subtract_big(a, b);
}

NEVER_INLINE static PyObject* multiply_big(PyLongObject* a, PyLongObject* b) {
  const Py_ssize_t na = digit_count(a);
  const Py_ssize_t nb = digit_count(b);
  const bool negative = is_negative(a) != is_negative(b);
  if (na == 0 || nb == 0) return small_int(0);
  if (na <= 2 && nb <= 2) {
    const uint64_t x = static_cast<uint64_t>(Py_ABS(compact_value(a)));
    const uint64_t y = static_cast<uint64_t>(Py_ABS(compact_value(b)));
    return int_from_wide128(negative, static_cast<unsigned __int128>(x) * y);
  }
  PyLongObject* result = _PyLong_New(na + nb);
  if (result == nullptr) return nullptr;
  if (!digits::multiply(result->ob_digit, a->ob_digit, na, b->ob_digit, nb)) {
    Py_DECREF(as_object(result));
    return nullptr;
  }
  set_negative(result, negative);
  return int_normalize(result);
}

PyObject* int_multiply(PyLongObject* a, PyLongObject* b) {
  if (LIKELY(is_single(a) && is_single(b))) return int_from_int64(single_value(a) * single_value(b));
  return multiply_big(a, b);
}

namespace {

int64_t floor_quotient(int64_t a, int64_t b) {
  // FAST: 32-bit division has a third of the latency of the 64-bit one on many machines.
  int64_t quotient;
  int64_t remainder;
  if (LIKELY(((static_cast<uint64_t>(a) | static_cast<uint64_t>(b)) >> 32) == 0)) {
    return static_cast<int64_t>(static_cast<uint32_t>(a) / static_cast<uint32_t>(b));
  }
  quotient = a / b;
  remainder = a - quotient * b;
  return quotient - ((remainder != 0) & ((remainder < 0) != (b < 0)));
}
int64_t floor_remainder(int64_t a, int64_t b) {
  if (LIKELY(((static_cast<uint64_t>(a) | static_cast<uint64_t>(b)) >> 32) == 0)) {
    return static_cast<int64_t>(static_cast<uint32_t>(a) % static_cast<uint32_t>(b));
  }
  int64_t remainder = a % b;
  if (remainder != 0 && (remainder < 0) != (b < 0)) remainder += b;
  return remainder;
}

/// Truncating division of magnitudes with the signs of C; results are new references.
bool divide_truncating(PyLongObject* a, PyLongObject* b, PyObject** quotient, PyObject** remainder) {
  const Py_ssize_t na = digit_count(a);
  const Py_ssize_t nb = digit_count(b);
  if (digits::compare(a->ob_digit, na, b->ob_digit, nb) < 0) {
    *quotient = small_int(0);
    *remainder = PyLong_CheckExact(as_object(a)) ? Py_NewRef(as_object(a)) : _PyLong_Copy(a);
    if (*remainder == nullptr) Py_CLEAR(*quotient);
    return *remainder != nullptr;
  }
  PyLongObject* q = _PyLong_New(nb == 1 ? na : na - nb + 1);
  if (q == nullptr) return false;
  if (nb == 1) {
    const digit rest = digits::divide_by_digit(q->ob_digit, a->ob_digit, na, b->ob_digit[0]);
    *remainder = int_from_int64(is_negative(a) ? -static_cast<int64_t>(rest) : rest);
  } else {
    PyLongObject* r = _PyLong_New(nb);
    if (r != nullptr && !digits::divide(q->ob_digit, r->ob_digit, a->ob_digit, na, b->ob_digit, nb)) {
      Py_DECREF(as_object(r));
      r = nullptr;
    }
    if (r != nullptr) set_negative(r, is_negative(a));
    *remainder = r == nullptr ? nullptr : int_normalize(r);
  }
  if (*remainder == nullptr) {
    Py_DECREF(as_object(q));
    return false;
  }
  set_negative(q, is_negative(a) != is_negative(b));
  *quotient = int_normalize(q);
  return true;
}

NEVER_INLINE bool divmod_big(PyLongObject* a, PyLongObject* b, PyObject** quotient, PyObject** remainder) {
  PyObject* q = nullptr;
  PyObject* r = nullptr;
  if (!divide_truncating(a, b, &q, &r)) return false;
  if (Py_SIZE(r) != 0 && is_negative(as_long(r)) != is_negative(b)) {
    Py_SETREF(r, int_add(as_long(r), b));
    if (quotient != nullptr && r != nullptr) {
      Py_SETREF(q, int_subtract(as_long(q), as_long(_PyLong_GetOne())));
    }
    if (q == nullptr || r == nullptr) {
      Py_XDECREF(q);
      Py_XDECREF(r);
      return false;
    }
  }
  if (quotient != nullptr) {
    *quotient = q;
  } else {
    Py_DECREF(q);
  }
  if (remainder != nullptr) {
    *remainder = r;
  } else {
    Py_DECREF(r);
  }
  return true;
}

COLD PyObject* zero_division(const char* message) {
  PyErr_SetString(PyExc_ZeroDivisionError, message);
  return nullptr;
}
constexpr char kDivisionByZero[] = "integer division or modulo by zero";

}  // namespace

PyObject* int_floor_divide(PyLongObject* a, PyLongObject* b) {
  if (UNLIKELY(b->ob_base.ob_size == 0)) return zero_division(kDivisionByZero);
  if (LIKELY(is_compact(a) && is_compact(b))) return int_from_int64(floor_quotient(compact_value(a), compact_value(b)));
  PyObject* quotient;
  return divmod_big(a, b, &quotient, nullptr) ? quotient : nullptr;
}

PyObject* int_modulo(PyLongObject* a, PyLongObject* b) {
  if (UNLIKELY(b->ob_base.ob_size == 0)) return zero_division("integer modulo by zero");
  if (LIKELY(is_compact(a) && is_compact(b))) return int_from_int64(floor_remainder(compact_value(a), compact_value(b)));
  PyObject* remainder;
  return divmod_big(a, b, nullptr, &remainder) ? remainder : nullptr;
}

bool int_divmod(PyLongObject* a, PyLongObject* b, PyObject** quotient, PyObject** remainder) {
  if (UNLIKELY(b->ob_base.ob_size == 0)) {
    zero_division(kDivisionByZero);
    return false;
  }
  if (LIKELY(is_compact(a) && is_compact(b))) {
    const int64_t x = compact_value(a);
    const int64_t y = compact_value(b);
    const int64_t q = floor_quotient(x, y);
    *quotient = int_from_int64(q);
    if (*quotient == nullptr) return false;
    *remainder = int_from_int64(x - q * y);
    if (*remainder == nullptr) Py_CLEAR(*quotient);
    return *remainder != nullptr;
  }
  return divmod_big(a, b, quotient, remainder);
}

PyObject* int_true_divide(PyLongObject* a, PyLongObject* b) {
  if (UNLIKELY(b->ob_base.ob_size == 0)) return zero_division("division by zero");
  if (LIKELY(is_compact(a) && is_compact(b))) {
    const int64_t x = compact_value(a);
    const int64_t y = compact_value(b);
    constexpr int64_t kExact = int64_t{1} << 53;
    // FAST: both convert exactly, so the hardware's quotient is the correctly rounded one.
    if (x > -kExact && x < kExact && y > -kExact && y < kExact) {
      return PyFloat_FromDouble(static_cast<double>(x) / static_cast<double>(y));
    }
  }
  const bool negative = is_negative(a) != is_negative(b);
  const Py_ssize_t na = digit_count(a);
  if (na == 0) return PyFloat_FromDouble(is_negative(b) ? -0.0 : 0.0);
  const Py_ssize_t bits_a = static_cast<Py_ssize_t>(_PyLong_NumBits(as_object(a)));
  const Py_ssize_t bits_b = static_cast<Py_ssize_t>(_PyLong_NumBits(as_object(b)));
  const Py_ssize_t difference = bits_a - bits_b;  // quotient lies in (2**(difference-1), 2**(difference+1))
  if (difference > DBL_MAX_EXP) {
    PyErr_SetString(PyExc_OverflowError, "integer division result too large for a float");
    return nullptr;
  }
  if (difference < DBL_MIN_EXP - DBL_MANT_DIG - 1) return PyFloat_FromDouble(negative ? -0.0 : 0.0);
  // Scale by 2**-shift so that the integer quotient has 55 or 56 bits (fewer when the result is subnormal: there the
  // last kept bit is that of the smallest subnormal, plus two bits for rounding).
  Py_ssize_t shift = difference - 55;
  if (shift < DBL_MIN_EXP - DBL_MANT_DIG - 2) shift = DBL_MIN_EXP - DBL_MANT_DIG - 2;
  Ref<> top = Ref<>::steal(is_negative(a) ? int_negative(a) : Py_NewRef(as_object(a)));
  Ref<> bottom = Ref<>::steal(is_negative(b) ? int_negative(b) : Py_NewRef(as_object(b)));
  if (!top || !bottom) return nullptr;
  Ref<>& scaled = shift < 0 ? top : bottom;
  scaled = Ref<>::steal(int_shift_left(as_long(scaled.get()), static_cast<size_t>(Py_ABS(shift))));
  if (!scaled) return nullptr;
  PyObject* quotient;
  PyObject* remainder;
  if (!divide_truncating(as_long(top.get()), as_long(bottom.get()), &quotient, &remainder)) return nullptr;
  uint64_t mantissa = static_cast<uint64_t>(compact_value(as_long(quotient)));
  const bool inexact = Py_SIZE(remainder) != 0;
  Py_DECREF(quotient);
  Py_DECREF(remainder);
  // Round half to even at the last bit that the result keeps.
  int extra = 64 - (mantissa == 0 ? 64 : __builtin_clzll(mantissa)) - DBL_MANT_DIG;
  if (shift + extra < DBL_MIN_EXP - DBL_MANT_DIG) extra = static_cast<int>(DBL_MIN_EXP - DBL_MANT_DIG - shift);
  if (extra > 0) {
    const uint64_t unit = uint64_t{1} << extra;
    const uint64_t rest = mantissa & (unit - 1);
    mantissa >>= extra;
    shift += extra;
    if (rest > unit / 2 || (rest == unit / 2 && (inexact || (mantissa & 1)))) mantissa++;
  }
  const double result = ldexp(static_cast<double>(mantissa), static_cast<int>(shift));
  if (std::isinf(result)) {
    PyErr_SetString(PyExc_OverflowError, "integer division result too large for a float");
    return nullptr;
  }
  return PyFloat_FromDouble(negative ? -result : result);
}

PyObject* int_negative(PyLongObject* a) {
  if (LIKELY(is_compact(a))) return int_from_int64(-compact_value(a));
  PyLongObject* result = as_long(_PyLong_Copy(a));
  if (result != nullptr) result->ob_base.ob_size = -result->ob_base.ob_size;
  return as_object(result);
}

PyObject* int_shift_left(PyLongObject* a, size_t bits) {
  const Py_ssize_t na = digit_count(a);
  if (na == 0) return small_int(0);
  if (is_compact(a) && bits < 62) {
    const int64_t value = compact_value(a);
    const uint64_t magnitude = static_cast<uint64_t>(Py_ABS(value));
    if (bits < static_cast<size_t>(__builtin_clzll(magnitude)) - 1) {
      return int_from_int64(static_cast<int64_t>(static_cast<uint64_t>(value) << bits));
    }
  }
  const size_t words = bits / kDigitBits;
  if (words > static_cast<size_t>(PY_SSIZE_T_MAX) / 8) {
    PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
    return nullptr;
  }
  PyLongObject* result = _PyLong_New(na + static_cast<Py_ssize_t>(words) + 1);
  if (result == nullptr) return nullptr;
  digits::shift_left(result->ob_digit, a->ob_digit, na, bits);
  set_negative(result, is_negative(a));
  return int_normalize(result);
}

PyObject* int_shift_right(PyLongObject* a, size_t bits) {
  if (is_compact(a)) return int_from_int64(bits >= 63 ? (is_negative(a) ? -1 : 0) : compact_value(a) >> bits);
  const Py_ssize_t na = digit_count(a);
  const size_t words = bits / kDigitBits;
  const int rest = static_cast<int>(bits % kDigitBits);
  if (words >= static_cast<size_t>(na)) return small_int(is_negative(a) ? -1 : 0);
  const Py_ssize_t first = static_cast<Py_ssize_t>(words);
  const Py_ssize_t count = na - first;
  bool round_up = false;  // floor of a negative number is one further from zero when bits are lost
  if (is_negative(a)) {
    round_up = (a->ob_digit[first] & ((digit{1} << rest) - 1)) != 0;
    for (Py_ssize_t i = 0; i < first && !round_up; i++) round_up = a->ob_digit[i] != 0;
  }
  PyLongObject* result = _PyLong_New(count + 1);
  if (result == nullptr) return nullptr;
  digit carry = round_up;
  for (Py_ssize_t i = 0; i < count; i++) {
    const digit high = i + 1 < count ? a->ob_digit[first + i + 1] : 0;
    const digit low = static_cast<digit>(((static_cast<twodigits>(high) << kDigitBits | a->ob_digit[first + i]) >> rest)) & PyLong_MASK;
    carry += low;
    result->ob_digit[i] = carry & PyLong_MASK;
    carry >>= kDigitBits;
  }
  result->ob_digit[count] = carry;
  set_negative(result, is_negative(a));
  return int_normalize(result);
}

namespace {

/// The digits of a number in two's complement, produced one by one from the low end.
class TwosComplement {
 public:
  explicit TwosComplement(const PyLongObject* a) : a_(a), count_(digit_count(a)), negative_(is_negative(a)) {}
  digit next() {
    digit value = index_ < count_ ? a_->ob_digit[index_] : 0;
    index_++;
    if (negative_) {
      carry_ += value ^ PyLong_MASK;
      value = carry_ & PyLong_MASK;
      carry_ >>= kDigitBits;
    }
    return value;
  }

 private:
  const PyLongObject* a_;
  Py_ssize_t count_;
  Py_ssize_t index_ = 0;
  bool negative_;
  digit carry_ = 1;
};

template <class Operation>
PyObject* bitwise_big(PyLongObject* a, PyLongObject* b, Operation operation) {
  const bool negative = operation(is_negative(a), is_negative(b));
  const Py_ssize_t na = digit_count(a);
  const Py_ssize_t nb = digit_count(b);
  const Py_ssize_t count = (na > nb ? na : nb) + 1;
  PyLongObject* result = _PyLong_New(count);
  if (result == nullptr) return nullptr;
  TwosComplement x(a);
  TwosComplement y(b);
  for (Py_ssize_t i = 0; i < count; i++) result->ob_digit[i] = operation(x.next(), y.next()) & PyLong_MASK;
  if (negative) {
    digit carry = 1;
    for (Py_ssize_t i = 0; i < count; i++) {
      carry += result->ob_digit[i] ^ PyLong_MASK;
      result->ob_digit[i] = carry & PyLong_MASK;
      carry >>= kDigitBits;
    }
    result->ob_base.ob_size = -count;
  }
  return int_normalize(result);
}

}  // namespace

PyObject* int_and(PyLongObject* a, PyLongObject* b) {
  if (LIKELY(is_compact(a) && is_compact(b))) return int_from_int64(compact_value(a) & compact_value(b));
  // FAST: a mask bounds the result's size.
  if (is_compact(b) && !is_negative(b) && !is_negative(a)) {
    const int64_t low = a->ob_digit[0] | static_cast<int64_t>(a->ob_digit[1]) << kDigitBits;
    return int_from_int64(low & compact_value(b));
  }
  return bitwise_big(a, b, [](auto x, auto y) { return x & y; });
}
PyObject* int_or(PyLongObject* a, PyLongObject* b) {
  if (LIKELY(is_compact(a) && is_compact(b))) return int_from_int64(compact_value(a) | compact_value(b));
  return bitwise_big(a, b, [](auto x, auto y) { return x | y; });
}
PyObject* int_xor(PyLongObject* a, PyLongObject* b) {
  if (LIKELY(is_compact(a) && is_compact(b))) return int_from_int64(compact_value(a) ^ compact_value(b));
  return bitwise_big(a, b, [](auto x, auto y) { return x ^ y; });
}
PyObject* int_invert(PyLongObject* a) {
  if (LIKELY(is_compact(a))) return int_from_int64(~compact_value(a));
  PyObject* sum = int_add(a, as_long(_PyLong_GetOne()));
  if (sum == nullptr) return nullptr;
  PyObject* result = int_negative(as_long(sum));
  Py_DECREF(sum);
  return result;
}

int int_compare(const PyLongObject* a, const PyLongObject* b) {
  if (a->ob_base.ob_size != b->ob_base.ob_size) return a->ob_base.ob_size < b->ob_base.ob_size ? -1 : 1;
  const Py_ssize_t n = digit_count(a);
  const int order = digits::compare(a->ob_digit, n, b->ob_digit, n);
  return is_negative(a) ? -order : order;
}

Py_hash_t int_hash(PyLongObject* a) {
  if (LIKELY(is_compact(a))) {
    const Py_hash_t value = compact_value(a);
    return value == -1 ? -2 : value;
  }
  uint64_t hash = 0;
  for (Py_ssize_t i = digit_count(a); i-- > 0;) {
    // Multiplying by 2**30 modulo 2**61 - 1 is a rotation within 61 bits.
    hash = ((hash << kDigitBits) & _PyHASH_MODULUS) | (hash >> (_PyHASH_BITS - kDigitBits));
    hash += a->ob_digit[i];
    if (hash >= _PyHASH_MODULUS) hash -= _PyHASH_MODULUS;
  }
  const Py_hash_t result = is_negative(a) ? -static_cast<Py_hash_t>(hash) : static_cast<Py_hash_t>(hash);
  return result == -1 ? -2 : result;
}

namespace {

/// Read-only GMP view of an int's magnitude.
class GmpView {
 public:
  explicit GmpView(const PyLongObject* a) : limbs_(digits::limbs_for(digit_count(a)) + 1) {
    if (!limbs_) return;
    const Py_ssize_t n = digit_count(a);
    digits::pack(limbs_.get(), a->ob_digit, n);
    mpz_roinit_n(value_, limbs_.get(), digits::limbs_for(n));
  }
  explicit operator bool() const { return static_cast<bool>(limbs_); }
  mpz_srcptr get() const { return value_; }

 private:
  Scratch<digits::Limb, 16> limbs_;
  mpz_t value_;
};

PyObject* int_from_gmp(mpz_srcptr value) {
  const Py_ssize_t limbs = static_cast<Py_ssize_t>(mpz_size(value));
  PyLongObject* result = _PyLong_New(digits::digits_for(limbs));
  if (result == nullptr) return nullptr;
  digits::unpack(result->ob_digit, digit_count(result), mpz_limbs_read(value), limbs);
  set_negative(result, mpz_sgn(value) < 0);
  return int_normalize(result);
}

/// base ** exponent for non-negative exponents, left to right; works on references of its own.
PyObject* power_plain(PyLongObject* base, PyLongObject* exponent) {
  if (is_single(base) && is_single(exponent)) {  // FAST: small results without intermediate objects
    int64_t result = 1;
    int64_t factor = single_value(base);
    int64_t rest = single_value(exponent);
    bool overflow = false;
    while (rest != 0 && !overflow) {
      if (rest & 1) overflow |= __builtin_mul_overflow(result, factor, &result);
      rest >>= 1;
      if (rest != 0) overflow |= __builtin_mul_overflow(factor, factor, &factor);
    }
    if (!overflow) return int_from_int64(result);
    // Powers of two are shifts.
    const int64_t value = single_value(base);
    if (value > 0 && (value & (value - 1)) == 0) {
      return int_shift_left(as_long(_PyLong_GetOne()),
                            static_cast<size_t>(__builtin_ctzll(static_cast<uint64_t>(value))) *
                                static_cast<size_t>(single_value(exponent)));
    }
  }
  if (digit_count(base) == 0 && digit_count(exponent) != 0) return small_int(0);
  if (digit_count(base) == 1 && base->ob_digit[0] == 1) {
    return small_int(is_negative(base) && digit_count(exponent) != 0 && (exponent->ob_digit[0] & 1) ? -1 : 1);
  }
  PyObject* result = small_int(1);
  for (Py_ssize_t i = digit_count(exponent); i-- > 0;) {
    const digit bits = exponent->ob_digit[i];
    for (int bit = kDigitBits - 1; bit >= 0; bit--) {
      if (!(is_single(as_long(result)) && single_value(as_long(result)) == 1)) {
        Py_SETREF(result, int_multiply(as_long(result), as_long(result)));
        if (result == nullptr) return nullptr;
      }
      if (bits >> bit & 1) {
        Py_SETREF(result, int_multiply(as_long(result), base));
        if (result == nullptr) return nullptr;
      }
      if (digit_count(as_long(result)) > 1000 && PyErr_CheckSignals() < 0) {
        Py_DECREF(result);
        return nullptr;
      }
    }
  }
  return result;
}

uint64_t multiply_modulo(uint64_t a, uint64_t b, uint64_t modulus) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b % modulus);
}

/// base ** exponent modulo a positive modulus, for non-negative base and exponent; the result is in [0, modulus).
PyObject* power_modulo(PyLongObject* base, PyLongObject* exponent, PyLongObject* modulus) {
  if (is_compact(modulus)) {
    const uint64_t m = static_cast<uint64_t>(compact_value(modulus));
    PyObject* reduced = int_modulo(base, modulus);
    if (reduced == nullptr) return nullptr;
    const uint64_t factor = static_cast<uint64_t>(compact_value(as_long(reduced)));
    Py_DECREF(reduced);
    uint64_t result = 1 % m;
    const bool narrow = m >> 32 == 0;
    for (Py_ssize_t i = digit_count(exponent); i-- > 0;) {
      for (int bit = kDigitBits - 1; bit >= 0; bit--) {
        result = narrow ? result * result % m : multiply_modulo(result, result, m);
        if (exponent->ob_digit[i] >> bit & 1) result = narrow ? result * factor % m : multiply_modulo(result, factor, m);
      }
    }
    return int_from_int64(static_cast<int64_t>(result));
  }
  GmpView b(base);
  GmpView e(exponent);
  GmpView m(modulus);
  if (!b || !e || !m) return nullptr;
  mpz_t result;
  mpz_init(result);
  mpz_powm(result, b.get(), e.get(), m.get());
  PyObject* object = int_from_gmp(result);
  mpz_clear(result);
  return object;
}

/// Inverse of a modulo n (n > 0), in [0, n).
PyObject* modular_inverse(PyLongObject* a, PyLongObject* n) {
  GmpView x(a);
  GmpView m(n);
  if (!x || !m) return nullptr;
  mpz_t result;
  mpz_init(result);
  PyObject* object = nullptr;
  const bool unit = digit_count(n) == 1 && n->ob_digit[0] == 1;
  if (unit) {
    object = small_int(0);
  } else if (mpz_invert(result, x.get(), m.get()) == 0) {
    PyErr_SetString(PyExc_ValueError, "base is not invertible for the given modulus");
  } else {
    object = int_from_gmp(result);
  }
  mpz_clear(result);
  if (object == nullptr || !is_negative(a) || digit_count(as_long(object)) == 0) return object;
  Py_SETREF(object, int_subtract(n, as_long(object)));  // the view dropped the sign of a
  return object;
}

}  // namespace

PyObject* int_square_root(PyLongObject* a) {
  if (is_compact(a)) {
    const uint64_t value = static_cast<uint64_t>(compact_value(a));
    uint64_t root = static_cast<uint64_t>(sqrt(static_cast<double>(value)));
    while (root * root > value) root--;
    while ((root + 1) * (root + 1) <= value) root++;
    return int_from_int64(static_cast<int64_t>(root));
  }
  GmpView view(a);
  if (!view) return nullptr;
  mpz_t result;
  mpz_init(result);
  mpz_sqrt(result, view.get());
  PyObject* object = int_from_gmp(result);
  mpz_clear(result);
  return object;
}

PyObject* int_power(PyObject* v, PyObject* w, PyObject* x) {
  if (!PyLong_Check(v) || !PyLong_Check(w)) Py_RETURN_NOTIMPLEMENTED;
  if (x != Py_None && !PyLong_Check(x)) Py_RETURN_NOTIMPLEMENTED;
  PyLongObject* base = as_long(v);
  PyLongObject* exponent = as_long(w);
  if (x == Py_None) {
    if (!is_negative(exponent)) return power_plain(base, exponent);
    // A negative exponent makes the result a float.
    return PyFloat_Type.tp_as_number->nb_power(v, w, Py_None);
  }
  PyLongObject* modulus = as_long(x);
  if (digit_count(modulus) == 0) return raise(PyExc_ValueError, "pow() 3rd argument cannot be 0");
  Ref<> magnitude = Ref<>::steal(is_negative(modulus) ? int_negative(modulus) : Py_NewRef(x));
  if (!magnitude) return nullptr;
  PyLongObject* m = as_long(magnitude.get());
  Ref<> b = Ref<>::dup(v);
  Ref<> e = Ref<>::dup(w);
  if (is_negative(exponent)) {
    b = Ref<>::steal(modular_inverse(base, m));
    e = Ref<>::steal(int_negative(exponent));
    if (!b || !e) return nullptr;
  }
  if (is_negative(as_long(b.get()))) {
    b = Ref<>::steal(int_modulo(as_long(b.get()), m));
    if (!b) return nullptr;
  }
  Ref<> result = Ref<>::steal(power_modulo(as_long(b.get()), as_long(e.get()), m));
  if (!result) return nullptr;
  if (is_negative(modulus) && digit_count(as_long(result.get())) != 0) {
    return int_add(as_long(result.get()), modulus);
  }
  return result.release();
}

}  // namespace pyston

using namespace pyston;

PyObject* _PyLong_Add(PyLongObject* a, PyLongObject* b) { return int_add(a, b); }
PyObject* _PyLong_Subtract(PyLongObject* a, PyLongObject* b) { return int_subtract(a, b); }
PyObject* _PyLong_Multiply(PyLongObject* a, PyLongObject* b) { return int_multiply(a, b); }

/// Greatest common divisor of two ints, never negative. Returns new.
PyObject* _PyLong_GCD(PyObject* x, PyObject* y) {
  PyLongObject* a = as_long(x);
  PyLongObject* b = as_long(y);
  if (LIKELY(is_compact(a) && is_compact(b))) {
    uint64_t u = static_cast<uint64_t>(Py_ABS(compact_value(a)));
    uint64_t v = static_cast<uint64_t>(Py_ABS(compact_value(b)));
    if (u == 0 || v == 0) return int_from_int64(static_cast<int64_t>(u | v));
    const int shift = __builtin_ctzll(u | v);
    u >>= __builtin_ctzll(u);
    while (v != 0) {
      v >>= __builtin_ctzll(v);
      if (u > v) std::swap(u, v);
      v -= u;
    }
    return int_from_int64(static_cast<int64_t>(u << shift));
  }
  GmpView p(a);
  GmpView q(b);
  if (!p || !q) return nullptr;
  mpz_t result;
  mpz_init(result);
  mpz_gcd(result, p.get(), q.get());
  PyObject* object = int_from_gmp(result);
  mpz_clear(result);
  return object;
}

PyObject* _PyLong_Lshift(PyObject* a, size_t bits) { return int_shift_left(as_long(a), bits); }
PyObject* _PyLong_Rshift(PyObject* a, size_t bits) { return int_shift_right(as_long(a), bits); }

/// (quotient rounded half to even, rest) as a tuple. Returns new.
PyObject* _PyLong_DivmodNear(PyObject* x, PyObject* y) {
  if (!PyLong_Check(x) || !PyLong_Check(y)) {
    return raise(PyExc_TypeError, "non-integer arguments in division");
  }
  PyObject* q;
  PyObject* r;
  if (!int_divmod(as_long(x), as_long(y), &q, &r)) return nullptr;
  Ref<> quotient = Ref<>::steal(q);
  Ref<> remainder = Ref<>::steal(r);
  Ref<> twice = Ref<>::steal(int_shift_left(as_long(r), 1));
  if (!twice) return nullptr;
  // The floor remainder has the divisor's sign, so comparing 2r with y in magnitude decides.
  const Py_ssize_t nt = digit_count(as_long(twice.get()));
  const int order = digits::compare(as_long(twice.get())->ob_digit, nt, as_long(y)->ob_digit, digit_count(as_long(y)));
  const bool odd = digit_count(as_long(q)) != 0 && (as_long(q)->ob_digit[0] & 1);
  if (order > 0 || (order == 0 && odd)) {
    quotient = Ref<>::steal(int_add(as_long(q), as_long(_PyLong_GetOne())));
    remainder = Ref<>::steal(int_subtract(as_long(r), as_long(y)));
    if (!quotient || !remainder) return nullptr;
  }
  return PyTuple_Pack(2, quotient.get(), remainder.get());
}
