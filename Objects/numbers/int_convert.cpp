// int to and from C types, bytes and doubles: PyLong_From*, PyLong_As*, _PyLong_*ByteArray, _PyLong_Frexp.
#include "Objects/numbers/int.h"

#include <cfloat>
#include <climits>
#include <cmath>
#include <cstring>

#include "pycore_abstract.h"

using namespace pyston;

PyLongObject* _PyLong_New(Py_ssize_t size) {
  if (LIKELY(static_cast<size_t>(size) <= 2)) {
    PyLongObject* result = allocate_compact();
    if (LIKELY(result != nullptr)) result->ob_base.ob_size = size;
    return result;
  }
  if (static_cast<size_t>(size) > (static_cast<size_t>(PY_SSIZE_T_MAX) - offsetof(PyLongObject, ob_digit)) / sizeof(digit)) {
    PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
    return nullptr;
  }
  const size_t bytes = offsetof(PyLongObject, ob_digit) + static_cast<size_t>(size) * sizeof(digit);
  PyLongObject* result = static_cast<PyLongObject*>(PyObject_Malloc(bytes));
  if (UNLIKELY(result == nullptr)) return reinterpret_cast<PyLongObject*>(PyErr_NoMemory());
  as_object(result)->ob_type = &PyLong_Type;
  as_object(result)->ob_refcnt = 1;
  result->ob_base.ob_size = size;
  return result;
}

PyObject* _PyLong_Copy(PyLongObject* source) {
  if (is_compact(source)) return int_from_int64(compact_value(source));
  const Py_ssize_t count = digit_count(source);
  PyLongObject* result = _PyLong_New(count);
  if (result == nullptr) return nullptr;
  memcpy(result->ob_digit, source->ob_digit, static_cast<size_t>(count) * sizeof(digit));
  result->ob_base.ob_size = source->ob_base.ob_size;
  return as_object(result);
}

PyObject* PyLong_FromLong(long value) { return int_from_int64(value); }
PyObject* PyLong_FromLongLong(long long value) { return int_from_int64(value); }
PyObject* PyLong_FromSsize_t(Py_ssize_t value) { return int_from_int64(value); }
static ALWAYS_INLINE PyObject* from_unsigned(uint64_t value) {
  return LIKELY(value < static_cast<uint64_t>(kTwoDigitLimit)) ? int_from_int64(static_cast<int64_t>(value))
                                                               : int_from_wide(false, value);
}
PyObject* PyLong_FromUnsignedLong(unsigned long value) { return from_unsigned(value); }
PyObject* PyLong_FromUnsignedLongLong(unsigned long long value) { return from_unsigned(value); }
PyObject* PyLong_FromSize_t(size_t value) { return from_unsigned(value); }
PyObject* PyLong_FromVoidPtr(void* pointer) { return from_unsigned(reinterpret_cast<uintptr_t>(pointer)); }

PyObject* PyLong_FromDouble(double value) {
  constexpr double kInt64Limit = 9223372036854775808.0;
  if (value > -kInt64Limit && value < kInt64Limit) return int_from_int64(static_cast<int64_t>(value));
  if (std::isinf(value)) return raise(PyExc_OverflowError, "cannot convert float infinity to integer");
  if (std::isnan(value)) return raise(PyExc_ValueError, "cannot convert float NaN to integer");
  int exponent;
  double fraction = frexp(std::fabs(value), &exponent);
  const int64_t mantissa = static_cast<int64_t>(ldexp(fraction, DBL_MANT_DIG));
  Ref<> whole = Ref<>::steal(int_from_int64(value < 0 ? -mantissa : mantissa));
  if (!whole) return nullptr;
  return int_shift_left(as_long(whole.get()), static_cast<size_t>(exponent - DBL_MANT_DIG));
}

namespace {

/// Magnitude of an int when it fits 64 bits.
bool magnitude64(const PyLongObject* a, uint64_t& out) {
  const Py_ssize_t n = digit_count(a);
  if (n > 3 || (n == 3 && a->ob_digit[2] >= 16)) return false;
  uint64_t value = 0;
  for (Py_ssize_t i = n; i-- > 0;) value = value << kDigitBits | a->ob_digit[i];
  out = value;
  return true;
}

/// The value modulo 2**64.
uint64_t masked64(const PyLongObject* a) {
  uint64_t value = 0;
  for (Py_ssize_t i = Py_MIN(digit_count(a), 3); i-- > 0;) value = value << kDigitBits | a->ob_digit[i];
  return is_negative(a) ? -value : value;
}

/// Signed 64-bit value; overflow is -1 or 1 (and the result -1) when it doesn't fit.
int64_t signed64(const PyLongObject* a, int* overflow) {
  *overflow = 0;
  if (LIKELY(is_compact(a))) return compact_value(a);
  uint64_t magnitude;
  if (magnitude64(a, magnitude)) {
    if (is_negative(a)) {
      if (magnitude <= uint64_t{1} << 63) return static_cast<int64_t>(-magnitude);
    } else if (magnitude < uint64_t{1} << 63) {
      return static_cast<int64_t>(magnitude);
    }
  }
  *overflow = is_negative(a) ? -1 : 1;
  return -1;
}

/// The argument as an int: itself or what __index__ gives (`owner` keeps that alive). Null: TypeError.
PyLongObject* to_int(PyObject* object, Ref<>& owner) {
  if (object == nullptr) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (LIKELY(PyLong_Check(object))) return as_long(object);
  owner = Ref<>::steal(_PyNumber_Index(object));
  return as_long(owner.get());
}

/// The argument as an int, without __index__. Null: exception set.
PyLongObject* require_int(PyObject* object) {
  if (object == nullptr) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (!PyLong_Check(object)) {
    PyErr_SetString(PyExc_TypeError, "an integer is required");
    return nullptr;
  }
  return as_long(object);
}

COLD void raise_too_large(const char* type) {
  PyErr_Format(PyExc_OverflowError, "Python int too large to convert to C %s", type);
}

}  // namespace

long PyLong_AsLongAndOverflow(PyObject* object, int* overflow) {
  Ref<> owner;
  *overflow = 0;
  PyLongObject* a = to_int(object, owner);
  return a == nullptr ? -1 : signed64(a, overflow);
}
long long PyLong_AsLongLongAndOverflow(PyObject* object, int* overflow) {
  return PyLong_AsLongAndOverflow(object, overflow);
}

long PyLong_AsLong(PyObject* object) {
  if (LIKELY(object != nullptr && PyLong_Check(object) && is_compact(as_long(object)))) {
    return compact_value(as_long(object));
  }
  int overflow;
  const long value = PyLong_AsLongAndOverflow(object, &overflow);
  if (overflow != 0) raise_too_large("long");
  return value;
}

int _PyLong_AsInt(PyObject* object) {
  int overflow;
  const long value = PyLong_AsLongAndOverflow(object, &overflow);
  if (overflow != 0 || value > INT_MAX || value < INT_MIN) {
    raise_too_large("int");
    return -1;
  }
  return static_cast<int>(value);
}

Py_ssize_t PyLong_AsSsize_t(PyObject* object) {
  if (LIKELY(object != nullptr && PyLong_Check(object) && is_compact(as_long(object)))) {
    return compact_value(as_long(object));
  }
  PyLongObject* a = require_int(object);
  if (a == nullptr) return -1;
  int overflow;
  const Py_ssize_t value = signed64(a, &overflow);
  if (overflow != 0) raise_too_large("ssize_t");
  return value;
}

static uint64_t as_unsigned(PyObject* object, const char* type, const char* negative_message) {
  PyLongObject* a = require_int(object);
  if (a == nullptr) return static_cast<uint64_t>(-1);
  if (is_negative(a)) {
    PyErr_SetString(PyExc_OverflowError, negative_message);
    return static_cast<uint64_t>(-1);
  }
  uint64_t value;
  if (magnitude64(a, value)) return value;
  raise_too_large(type);
  return static_cast<uint64_t>(-1);
}
unsigned long PyLong_AsUnsignedLong(PyObject* object) {
  return as_unsigned(object, "unsigned long", "can't convert negative value to unsigned int");
}
size_t PyLong_AsSize_t(PyObject* object) {
  return as_unsigned(object, "size_t", "can't convert negative value to size_t");
}

unsigned long PyLong_AsUnsignedLongMask(PyObject* object) {
  Ref<> owner;
  PyLongObject* a = to_int(object, owner);
  return a == nullptr ? static_cast<unsigned long>(-1) : masked64(a);
}
unsigned long long PyLong_AsUnsignedLongLongMask(PyObject* object) { return PyLong_AsUnsignedLongMask(object); }

long long PyLong_AsLongLong(PyObject* object) {
  Ref<> owner;
  PyLongObject* a = to_int(object, owner);
  if (a == nullptr) return -1;
  int overflow;
  const long long value = signed64(a, &overflow);
  if (overflow != 0) PyErr_SetString(PyExc_OverflowError, "int too big to convert");
  return value;
}

unsigned long long PyLong_AsUnsignedLongLong(PyObject* object) {
  PyLongObject* a = require_int(object);
  if (a == nullptr) return static_cast<unsigned long long>(-1);
  uint64_t value = 0;
  if (!is_negative(a) && magnitude64(a, value)) return value;
  PyErr_SetString(PyExc_OverflowError,
                  is_negative(a) ? "can't convert negative int to unsigned" : "int too big to convert");
  return static_cast<unsigned long long>(-1);
}

void* PyLong_AsVoidPtr(PyObject* object) {
  if (object == nullptr || !PyLong_Check(object)) {
    if (object == nullptr) {
      PyErr_BadInternalCall();
    } else {
      PyErr_SetString(PyExc_TypeError, "an integer is required");
    }
    return nullptr;
  }
  PyLongObject* a = as_long(object);
  const unsigned long value = is_negative(a) ? static_cast<unsigned long>(PyLong_AsLong(object)) : PyLong_AsUnsignedLong(object);
  if (value == static_cast<unsigned long>(-1) && PyErr_Occurred()) return nullptr;
  return reinterpret_cast<void*>(value);
}

// Converters for argument parsing ("O&"): 1 on success, 0 with an exception set.
template <class Type>
static int convert_unsigned(PyObject* object, void* out, const char* type, const char* overflow = nullptr) {
  if (PyLong_Check(object) && _PyLong_Sign(object) < 0) {
    PyErr_SetString(PyExc_ValueError, "value must be positive");
    return 0;
  }
  const unsigned long value = PyLong_AsUnsignedLong(object);
  if (value == static_cast<unsigned long>(-1) && PyErr_Occurred()) {
    if (overflow != nullptr && PyErr_ExceptionMatches(PyExc_OverflowError)) {
      PyErr_SetString(PyExc_OverflowError, overflow);
    }
    return 0;
  }
  if (value > static_cast<Type>(-1)) {
    PyErr_Format(PyExc_OverflowError, "Python int too large for C %s", type);
    return 0;
  }
  *static_cast<Type*>(out) = static_cast<Type>(value);
  return 1;
}
int _PyLong_UnsignedShort_Converter(PyObject* object, void* out) {
  return convert_unsigned<unsigned short>(object, out, "unsigned short");
}
int _PyLong_UnsignedInt_Converter(PyObject* object, void* out) {
  return convert_unsigned<unsigned int>(object, out, "unsigned int");
}
int _PyLong_UnsignedLong_Converter(PyObject* object, void* out) {
  return convert_unsigned<unsigned long>(object, out, "unsigned long");
}
int _PyLong_UnsignedLongLong_Converter(PyObject* object, void* out) {
  return convert_unsigned<unsigned long long>(object, out, "unsigned long long", "int too big to convert");
}
int _PyLong_Size_t_Converter(PyObject* object, void* out) {
  return convert_unsigned<size_t>(object, out, "size_t", "Python int too large to convert to C size_t");
}

int _PyLong_Sign(PyObject* object) {
  const Py_ssize_t size = Py_SIZE(object);
  return size == 0 ? 0 : (size < 0 ? -1 : 1);
}

size_t _PyLong_NumBits(PyObject* object) {
  const PyLongObject* a = as_long(object);
  const Py_ssize_t n = digit_count(a);
  if (n == 0) return 0;
  return static_cast<size_t>(n - 1) * kDigitBits + static_cast<size_t>(32 - __builtin_clz(a->ob_digit[n - 1]));
}

/// x in [0.5, 1) (or 0) and e with value = x * 2**e, x rounded half to even; keeps the sign.
double _PyLong_Frexp(PyLongObject* a, Py_ssize_t* e) {
  const Py_ssize_t n = digit_count(a);
  if (n == 0) {
    *e = 0;
    return 0.0;
  }
  // The top digits give 64 bits below the leading one; anything further down only matters as "not exact".
  const Py_ssize_t bits = static_cast<Py_ssize_t>(_PyLong_NumBits(as_object(a)));
  unsigned __int128 top = 0;
  Py_ssize_t i = n - 1;
  int used = 0;
  for (; i >= 0 && used < 4; i--, used++) top = top << kDigitBits | a->ob_digit[i];
  bool sticky = false;
  for (; i >= 0 && !sticky; i--) sticky = a->ob_digit[i] != 0;
  const int top_bits = static_cast<int>(bits - (n - used) * kDigitBits);
  uint64_t mantissa;
  if (top_bits <= DBL_MANT_DIG) {
    mantissa = static_cast<uint64_t>(top) << (DBL_MANT_DIG - top_bits);
  } else {
    const int drop = top_bits - DBL_MANT_DIG;
    mantissa = static_cast<uint64_t>(top >> drop);
    const unsigned __int128 rest = top & ((static_cast<unsigned __int128>(1) << drop) - 1);
    const unsigned __int128 half = static_cast<unsigned __int128>(1) << (drop - 1);
    if (rest > half || (rest == half && (sticky || (mantissa & 1)))) mantissa++;
  }
  Py_ssize_t exponent = bits;
  double fraction = ldexp(static_cast<double>(mantissa), -DBL_MANT_DIG);
  if (fraction == 1.0) {
    fraction = 0.5;
    exponent++;
  }
  *e = exponent;
  return is_negative(a) ? -fraction : fraction;
}

double PyLong_AsDouble(PyObject* object) {
  PyLongObject* a = require_int(object);
  if (a == nullptr) return -1.0;
  if (LIKELY(is_compact(a))) return static_cast<double>(compact_value(a));
  Py_ssize_t exponent;
  const double fraction = _PyLong_Frexp(a, &exponent);
  if (exponent > DBL_MAX_EXP) {
    PyErr_SetString(PyExc_OverflowError, "int too large to convert to float");
    return -1.0;
  }
  return ldexp(fraction, static_cast<int>(exponent));
}

PyObject* _PyLong_FromByteArray(const unsigned char* bytes, size_t n, int little_endian, int is_signed) {
  if (n == 0) return small_int(0);
  const auto byte = [&](size_t i) { return bytes[little_endian ? i : n - 1 - i]; };
  const bool negative = is_signed && byte(n - 1) >= 0x80;
  if (n <= 8) {
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = n; i-- > 0;) value = value << 8 | byte(i);
    return is_signed ? int_from_int64(static_cast<int64_t>(value)) : from_unsigned(value);
  }
  // Leading sign bytes carry no information.
  const unsigned char filler = negative ? 0xff : 0;
  while (n > 1 && bytes[little_endian ? n - 1 : 0] == filler) {
    n--;
    if (!little_endian) bytes++;
  }
  if (negative) n++;  // a digit for the carry of negating -2**k; bytes beyond the end read as filler
  const size_t available = negative ? n - 1 : n;
  const auto padded = [&](size_t i) -> unsigned char {
    return i < available ? bytes[little_endian ? i : available - 1 - i] : filler;
  };
  const size_t count = (n * 8 + kDigitBits - 1) / kDigitBits;
  if (count > static_cast<size_t>(PY_SSIZE_T_MAX) / 8) {
    return raise(PyExc_OverflowError, "byte array too long to convert to int");
  }
  PyLongObject* result = _PyLong_New(static_cast<Py_ssize_t>(count));
  if (result == nullptr) return nullptr;
  uint64_t accumulator = 0;
  int bits = 0;
  unsigned carry = 1;
  size_t out = 0;
  for (size_t i = 0; i < n; i++) {
    unsigned value = padded(i);
    if (negative) {
      value = (0xff ^ value) + carry;
      carry = value >> 8;
      value &= 0xff;
    }
    accumulator |= static_cast<uint64_t>(value) << bits;
    bits += 8;
    if (bits >= kDigitBits) {
      result->ob_digit[out++] = static_cast<digit>(accumulator) & PyLong_MASK;
      accumulator >>= kDigitBits;
      bits -= kDigitBits;
    }
  }
  if (bits > 0) result->ob_digit[out++] = static_cast<digit>(accumulator);
  result->ob_base.ob_size = negative ? -static_cast<Py_ssize_t>(out) : static_cast<Py_ssize_t>(out);
  return int_normalize(result);
}

int _PyLong_AsByteArray(PyLongObject* a, unsigned char* bytes, size_t n, int little_endian, int is_signed) {
  const Py_ssize_t count = digit_count(a);
  const bool negative = is_negative(a);
  if (negative && !is_signed) {
    PyErr_SetString(PyExc_OverflowError, "can't convert negative int to unsigned");
    return -1;
  }
  if (LIKELY(is_compact(a) && n > 0 && n <= sizeof(int64_t))) {
    // FAST: a number below 2**60 is written at once. One that is too big for n bytes goes on to the error.
    const int64_t value = compact_value(a);
    const int unused = 64 - 8 * static_cast<int>(n);
    const uint64_t shifted = static_cast<uint64_t>(value) << unused;
    if (value == (is_signed ? static_cast<int64_t>(shifted) >> unused : static_cast<int64_t>(shifted >> unused))) {
      const uint64_t stored = little_endian ? static_cast<uint64_t>(value) : __builtin_bswap64(shifted);
      memcpy(bytes, &stored, n);
      return 0;
    }
  }
  uint64_t accumulator = 0;
  int bits = 0;
  Py_ssize_t next = 0;
  digit carry = 1;
  unsigned char last = 0;
  bool lost = false;
  const auto refill = [&] {
    digit value = next < count ? a->ob_digit[next] : 0;
    next++;
    if (negative) {
      value = (value ^ PyLong_MASK) + carry;
      carry = value >> kDigitBits;
      value &= PyLong_MASK;
    }
    accumulator |= static_cast<uint64_t>(value) << bits;
    bits += kDigitBits;
  };
  for (size_t i = 0; i < n; i++) {
    if (bits < 8) refill();
    last = static_cast<unsigned char>(accumulator);
    bytes[little_endian ? i : n - 1 - i] = last;
    accumulator >>= 8;
    bits -= 8;
  }
  // What is left must be copies of the sign.
  while (!lost && (next < count || bits > 0)) {
    if (bits == 0) refill();
    const uint64_t filler = negative ? (uint64_t{1} << bits) - 1 : 0;
    lost = accumulator != filler;
    accumulator = 0;
    bits = 0;
  }
  if (!lost && is_signed) {
    if (n == 0) {
      lost = negative ? !(count == 1 && a->ob_digit[0] == 1) : false;
    } else {
      lost = (last >= 0x80) != negative;
    }
  }
  if (lost) {
    PyErr_SetString(PyExc_OverflowError, "int too big to convert");
    return -1;
  }
  return 0;
}
