// int from and to text in any base. Short numbers go through one machine word, long ones through GMP, which converts in
// less than quadratic time. The digit limits of sys.set_int_max_str_digits() are kept as CPython 3.11.2 has them.
#include "Objects/numbers/int.h"

#include <gmp.h>

#include <cstring>

#include "pycore_interp.h"
#include "pycore_pystate.h"

using namespace pyston;

// clang-format off
#define X 37
unsigned char _PyLong_DigitValue[256] = {
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  X,  X,  X,  X,  X,  X,
    X,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, X,  X,  X,  X,  X,
    X,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
};
#undef X
// clang-format on

namespace {

int max_str_digits() { return _PyInterpreterState_GET()->int_max_str_digits; }

/// What stopped a parse that gave no number and set no exception yet.
enum class Parse { kOk, kInvalid, kError };

/// Converts `count` digit characters (underscores not counted) between first and last.
PyObject* convert_digits(const char* first, const char* last, Py_ssize_t count, int base, bool negative) {
  // FAST: fits 64 bits. 11 digits of base 36, 19 of base 10 do without overflow checks.
  if (count <= (base <= 10 ? 19 : 12)) {
    uint64_t value = 0;
    for (const char* p = first; p < last; p++) {
      if (*p != '_') value = value * static_cast<unsigned>(base) + _PyLong_DigitValue[Py_CHARMASK(*p)];
    }
    return int_from_wide(negative, value);
  }
  const bool binary = (base & (base - 1)) == 0;
  if (!binary && count > _PY_LONG_MAX_STR_DIGITS_THRESHOLD) {
    const int limit = max_str_digits();
    if (limit > 0 && count > limit) {
      PyErr_Format(PyExc_ValueError,
                   "Exceeds the limit (%d digits) for integer string conversion: value has %zd digits; use "
                   "sys.set_int_max_str_digits() to increase the limit",
                   limit, count);
      return nullptr;
    }
  }
  Scratch<unsigned char, 256> values(count);
  if (!values) return nullptr;
  unsigned char* out = values.get();
  for (const char* p = first; p < last; p++) {
    if (*p != '_') *out++ = _PyLong_DigitValue[Py_CHARMASK(*p)];
  }
  int bits_per_digit = 1;
  while ((1 << bits_per_digit) < base) bits_per_digit++;
  Scratch<digits::Limb, 64> limbs(count * bits_per_digit / 64 + 2);
  if (!limbs) return nullptr;
  unsigned char* start = values.get();
  while (count > 1 && *start == 0) {
    start++;
    count--;
  }
  const Py_ssize_t n = static_cast<Py_ssize_t>(mpn_set_str(limbs.get(), start, static_cast<size_t>(count), base));
  PyLongObject* result = _PyLong_New(digits::digits_for(n));
  if (result == nullptr) return nullptr;
  digits::unpack(result->ob_digit, digit_count(result), limbs.get(), n);
  if (negative) result->ob_base.ob_size = -result->ob_base.ob_size;
  return int_normalize(result);
}

/// The base that a literal itself names, for base 0.
int named_base(const char* text) {
  while (Py_ISSPACE(*text)) text++;
  if (*text == '+' || *text == '-') text++;
  if (text[0] != '0') return 10;
  switch (text[1] | 0x20) {
    case 'x': return 16;
    case 'o': return 8;
    case 'b': return 2;
    default: return 10;
  }
}

/// Reads an integer literal with optional space around it. `end` is where reading stopped. The text is followed by a
/// NUL. On kInvalid no exception is set. Base 0 becomes the one that a prefix tells.
Parse parse_int(const char* text, int& base, const char** end, PyObject** result) {
  const char* p = text;
  while (Py_ISSPACE(*p)) p++;
  bool negative = false;
  if (*p == '+' || *p == '-') negative = *p++ == '-';
  bool must_be_zero = false;
  if (base == 0) {
    base = named_base(p);
    must_be_zero = base == 10 && p[0] == '0';  // "007" is refused, "00" is not
  }
  const char prefix = p[0] == '0' ? static_cast<char>(p[1] | 0x20) : '\0';
  if ((base == 16 && prefix == 'x') || (base == 8 && prefix == 'o') || (base == 2 && prefix == 'b')) {
    p += 2;
    if (*p == '_') p++;
  }
  *end = p;
  const char* first = p;
  Py_ssize_t count = 0;
  bool after_digit = false;
  for (;; p++) {
    if (_PyLong_DigitValue[Py_CHARMASK(*p)] < base) {
      count++;
      after_digit = true;
    } else if (*p == '_' && after_digit) {
      after_digit = false;
    } else {
      break;
    }
  }
  if (!after_digit) {  // no digits at all, or an underscore without one behind it
    *end = p;
    return Parse::kInvalid;
  }
  *result = convert_digits(first, p, count, base, negative);
  if (*result == nullptr) {
    *end = nullptr;
    return Parse::kError;
  }
  if (must_be_zero && Py_SIZE(*result) != 0) {
    Py_CLEAR(*result);
    *end = first;
    return Parse::kInvalid;
  }
  while (Py_ISSPACE(*p)) p++;
  *end = p;
  return Parse::kOk;
}

bool check_base(int base) {
  if (base == 0 || (base >= 2 && base <= 36)) return true;
  PyErr_SetString(PyExc_ValueError, "int() arg 2 must be >= 2 and <= 36");
  return false;
}

}  // namespace

/// Where reading stopped goes to *pend; the whole text must be a number. Returns new.
PyObject* PyLong_FromString(const char* text, char** pend, int base) {
  if (!check_base(base)) return nullptr;
  const char* end = nullptr;
  PyObject* result = nullptr;
  const Parse outcome = parse_int(text, base, &end, &result);
  if (pend != nullptr) *pend = const_cast<char*>(end);
  if (outcome == Parse::kError) return nullptr;
  if (outcome == Parse::kOk && *end == '\0') return result;
  Py_XDECREF(result);
  const size_t length = strnlen(text, 200);
  Ref<> shown = Ref<>::steal(PyUnicode_FromStringAndSize(text, static_cast<Py_ssize_t>(length)));
  if (!shown) return nullptr;
  return raise(PyExc_ValueError, "invalid literal for int() with base %d: %.200R", base != 0 ? base : named_base(text),
               shown.get());
}

/// The text must be NUL-terminated at length n. Returns new.
PyObject* _PyLong_FromBytes(const char* text, Py_ssize_t n, int base) {
  if (!check_base(base)) return nullptr;
  const char* end = nullptr;
  PyObject* result = nullptr;
  int read_base = base;
  const Parse outcome = parse_int(text, read_base, &end, &result);
  if (outcome == Parse::kError) return nullptr;
  if (outcome == Parse::kOk && end == text + n) return result;
  Py_XDECREF(result);
  Ref<> shown = Ref<>::steal(PyBytes_FromStringAndSize(text, Py_MIN(n, 200)));
  if (!shown) return nullptr;
  return raise(PyExc_ValueError, "invalid literal for int() with base %d: %.200R", base, shown.get());
}

PyObject* PyLong_FromUnicodeObject(PyObject* text, int base) {
  if (!check_base(base)) return nullptr;
  // Non-ASCII digits and spaces become ASCII ones; an ASCII string is returned as it is.
  Ref<> ascii = Ref<>::steal(_PyUnicode_TransformDecimalAndSpaceToASCII(text));
  if (!ascii) return nullptr;
  const char* data = static_cast<const char*>(PyUnicode_DATA(ascii.get()));
  const char* end = nullptr;
  PyObject* result = nullptr;
  int read_base = base;
  const Parse outcome = parse_int(data, read_base, &end, &result);
  if (outcome == Parse::kError) return nullptr;
  if (outcome == Parse::kOk && end == data + PyUnicode_GET_LENGTH(ascii.get())) return result;
  Py_XDECREF(result);
  return raise(PyExc_ValueError, "invalid literal for int() with base %d: %.200R", base, text);
}

namespace {

/// Text of an int, made in a buffer that stays on the stack for ordinary sizes.
class IntText {
 public:
  /// False: exception set.
  bool format(PyLongObject* a, int base, bool prefix) {
    const Py_ssize_t n = digit_count(a);
    if (n <= 2) {
      format_word(static_cast<uint64_t>(Py_ABS(compact_value(a))), static_cast<unsigned>(base));
    } else if (base == 10) {
      if (!format_decimal(a, n)) return false;
    } else if (!format_binary(a, n, base)) {
      return false;
    }
    if (prefix) {
      if (base == 16) prepend('x');
      if (base == 8) prepend('o');
      if (base == 2) prepend('b');
      if (base != 10) prepend('0');
    }
    if (is_negative(a)) prepend('-');
    return true;
  }
  const char* data() const { return start_; }
  Py_ssize_t size() const { return stop_ - start_; }
  ~IntText() {
    if (heap_ != nullptr) PyMem_Free(heap_);
  }

 private:
  static constexpr int kRoom = 3;  // for a sign and a prefix

  void prepend(char c) { *--start_ = c; }

  void format_word(uint64_t value, unsigned base) {
    stop_ = start_ = inline_ + sizeof(inline_);
    if (base == 10) {
      while (value >= 100) {
        const unsigned pair = static_cast<unsigned>(value % 100);
        value /= 100;
        prepend(static_cast<char>('0' + pair % 10));
        prepend(static_cast<char>('0' + pair / 10));
      }
      if (value >= 10) {
        prepend(static_cast<char>('0' + value % 10));
        value /= 10;
      }
      prepend(static_cast<char>('0' + value));
      return;
    }
    const int shift = __builtin_ctz(base);
    do {
      prepend("0123456789abcdef"[value & (base - 1)]);
      value >>= shift;
    } while (value != 0);
  }

  /// Room for `count` characters behind the prefix.
  char* reserve(Py_ssize_t count) {
    char* buffer = inline_;
    if (static_cast<size_t>(count) + kRoom > sizeof(inline_)) {
      buffer = heap_ = static_cast<char*>(PyMem_Malloc(static_cast<size_t>(count) + kRoom));
      if (buffer == nullptr) {
        PyErr_NoMemory();
        return nullptr;
      }
    }
    return start_ = buffer + kRoom;
  }

  static bool refuse(int limit) {
    PyErr_Format(PyExc_ValueError,
                 "Exceeds the limit (%d digits) for integer string conversion; use sys.set_int_max_str_digits() to "
                 "increase the limit",
                 limit);
    return false;
  }

  bool format_decimal(PyLongObject* a, Py_ssize_t n) {
    // Refuse hopeless cases before spending time on them.
    if (n >= 10 * _PY_LONG_MAX_STR_DIGITS_THRESHOLD / (3 * kDigitBits) + 2) {
      const int limit = max_str_digits();
      if (limit > 0 && limit / (3 * kDigitBits) <= (n - 11) / 10) return refuse(limit);
    }
    const Py_ssize_t limb_count = digits::limbs_for(n);
    Scratch<digits::Limb, 32> limbs(limb_count + 1);  // mpn_get_str needs one to spare
    if (!limbs) return false;
    digits::pack(limbs.get(), a->ob_digit, n);
    Py_ssize_t used = limb_count;
    while (limbs[used - 1] == 0) used--;
    const Py_ssize_t bound = static_cast<Py_ssize_t>(mpn_sizeinbase(limbs.get(), used)) + 1;
    char* out = reserve(bound);
    if (out == nullptr) return false;
    size_t length = mpn_get_str(reinterpret_cast<unsigned char*>(out), 10, limbs.get(), used);
    while (length > 1 && *start_ == 0) {
      start_++;
      length--;
    }
    stop_ = start_ + length;
    for (char* p = start_; p < stop_; p++) *p = static_cast<char>(*p + '0');
    if (length > _PY_LONG_MAX_STR_DIGITS_THRESHOLD) {
      const int limit = max_str_digits();
      if (limit > 0 && length > static_cast<size_t>(limit)) return refuse(limit);
    }
    return true;
  }

  /// Upper bound for the number of decimal digits.
  static size_t mpn_sizeinbase(const digits::Limb* limbs, Py_ssize_t n) {
    mpz_t view;
    mpz_roinit_n(view, limbs, n);
    return mpz_sizeinbase(view, 10);
  }

  bool format_binary(PyLongObject* a, Py_ssize_t n, int base) {
    const int shift = __builtin_ctz(static_cast<unsigned>(base));
    const Py_ssize_t bits = static_cast<Py_ssize_t>(_PyLong_NumBits(as_object(a)));
    const Py_ssize_t count = (bits + shift - 1) / shift;
    char* out = reserve(count);
    if (out == nullptr) return false;
    stop_ = out + count;
    char* p = stop_;
    uint64_t accumulator = 0;
    int available = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
      accumulator |= static_cast<uint64_t>(a->ob_digit[i]) << available;
      available += kDigitBits;
      while (p > out && (available >= shift)) {
        *--p = "0123456789abcdef"[accumulator & static_cast<unsigned>(base - 1)];
        accumulator >>= shift;
        available -= shift;
      }
    }
    while (p > out) {
      *--p = "0123456789abcdef"[accumulator & static_cast<unsigned>(base - 1)];
      accumulator >>= shift;
    }
    return true;
  }

  char* start_ = nullptr;
  char* stop_ = nullptr;
  char* heap_ = nullptr;
  char inline_[160];
};

bool check_int(PyObject* object) {
  if (object != nullptr && PyLong_Check(object)) return true;
  PyErr_BadInternalCall();
  return false;
}

}  // namespace

PyObject* pyston::int_to_decimal(PyObject* self) {
  const PyLongObject* a = as_long(self);
  if (is_single(a) && a->ob_digit[0] < 10 && !is_negative(a)) {  // FAST: one character strings exist already
    const unsigned value = a->ob_base.ob_size == 0 ? 0 : a->ob_digit[0];
    return PyUnicode_FromOrdinal(static_cast<int>('0' + value));
  }
  IntText text;
  if (!text.format(as_long(self), 10, false)) return nullptr;
  PyObject* result = PyUnicode_New(text.size(), 127);
  if (result != nullptr) memcpy(PyUnicode_1BYTE_DATA(result), text.data(), static_cast<size_t>(text.size()));
  return result;
}

PyObject* _PyLong_Format(PyObject* object, int base) {
  if (!check_int(object)) return nullptr;
  if (base == 10) return int_to_decimal(object);
  IntText text;
  if (!text.format(as_long(object), base, true)) return nullptr;
  return PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, text.data(), text.size());
}

int _PyLong_FormatWriter(_PyUnicodeWriter* writer, PyObject* object, int base, int alternate) {
  if (!check_int(object)) return -1;
  IntText text;
  if (!text.format(as_long(object), base, alternate != 0)) return -1;
  return _PyUnicodeWriter_WriteASCIIString(writer, text.data(), text.size());
}

char* _PyLong_FormatBytesWriter(_PyBytesWriter* writer, char* out, PyObject* object, int base, int alternate) {
  if (!check_int(object)) return nullptr;
  IntText text;
  if (!text.format(as_long(object), base, alternate != 0)) return nullptr;
  out = static_cast<char*>(_PyBytesWriter_Prepare(writer, out, text.size()));
  if (out == nullptr) return nullptr;
  memcpy(out, text.data(), static_cast<size_t>(text.size()));
  return out + text.size();
}
