// Text of floating-point numbers, both ways: PyOS_string_to_double, PyOS_double_to_string, _Py_dg_*. The digits come from
// std::to_chars and std::from_chars (exact, correctly rounded); the layout is CPython's.
#include "Objects/numbers/float_text.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>

#include "pycore_dtoa.h"

namespace pyston {
namespace {

/// From "d.ddde[+-]xx" to digits and point.
void take_scientific(char* text, char* end, DecimalDigits& out) {
  char* e = end;
  while (*--e != 'e') {
  }
  int exponent = 0;
  for (const char* p = e + 2; p < end; p++) exponent = exponent * 10 + (*p - '0');
  if (e[1] == '-') exponent = -exponent;
  int length = static_cast<int>(e - text);
  if (length > 1) {
    memmove(text + 1, text + 2, static_cast<size_t>(length - 2));
    length--;
  }
  while (length > 1 && text[length - 1] == '0') length--;
  out.length = length;
  out.point = text[0] == '0' ? 1 : exponent + 1;
}

/// From "iii.fff" to digits and point.
void take_fixed(char* text, char* end, DecimalDigits& out) {
  char* dot = static_cast<char*>(memchr(text, '.', static_cast<size_t>(end - text)));
  int point = static_cast<int>((dot == nullptr ? end : dot) - text);
  int length = static_cast<int>(end - text);
  if (dot != nullptr) {
    memmove(dot, dot + 1, static_cast<size_t>(end - dot - 1));
    length--;
  }
  int zeros = 0;
  while (zeros < length && text[zeros] == '0') zeros++;
  if (zeros == length) {
    text[0] = '0';
    out.length = out.point = 1;
    return;
  }
  memmove(text, text + zeros, static_cast<size_t>(length - zeros));
  length -= zeros;
  while (text[length - 1] == '0') length--;
  out.length = length;
  out.point = point - zeros;
}

/// Rounding to a place left of the point: on the exact expansion, half to even.
COLD void round_before_point(double value, int places, DecimalDigits& out) {
  char* end = std::to_chars(out.text, out.text + sizeof(out.text), value, std::chars_format::fixed, 1074).ptr;
  take_fixed(out.text, end, out);
  const int keep = out.point + places;
  if (keep >= out.length) return;
  if (keep < 0) {
    out.text[0] = '0';
    out.length = out.point = 1;
    return;
  }
  bool up = out.text[keep] > '5';
  if (out.text[keep] == '5') up = keep + 1 < out.length || (keep > 0 && ((out.text[keep - 1] - '0') & 1));
  int length = keep;
  if (up) {
    while (length > 0 && out.text[length - 1] == '9') length--;
    if (length > 0) {
      out.text[length - 1]++;
    } else {
      out.text[0] = '1';
      length = 1;
      out.point++;
    }
  }
  while (length > 0 && out.text[length - 1] == '0') length--;
  if (length == 0) {
    out.text[0] = '0';
    length = 1;
    out.point = 1;
  }
  out.length = length;
}

}  // namespace

void shortest_digits(double value, DecimalDigits& out) {
  char* end = std::to_chars(out.text, out.text + sizeof(out.text), std::fabs(value), std::chars_format::scientific).ptr;
  take_scientific(out.text, end, out);
}

void significant_digits(double value, int count, DecimalDigits& out) {
  if (count > DecimalDigits::kMaximum) count = DecimalDigits::kMaximum;
  char* end = std::to_chars(out.text, out.text + sizeof(out.text), std::fabs(value), std::chars_format::scientific,
                            count - 1).ptr;
  take_scientific(out.text, end, out);
}

void digits_to_place(double value, int places, DecimalDigits& out) {
  value = std::fabs(value);
  if (places < 0) return round_before_point(value, places, out);
  if (places > DecimalDigits::kMaximum) places = DecimalDigits::kMaximum;
  char* end = std::to_chars(out.text, out.text + sizeof(out.text), value, std::chars_format::fixed, places).ptr;
  take_fixed(out.text, end, out);
}

int write_repr(double value, Dot dot, char* out) {
  char* p = out;
  if (std::signbit(value) && !std::isnan(value)) *p++ = '-';
  if (!std::isfinite(value)) {
    memcpy(p, std::isnan(value) ? "nan" : "inf", 3);
    return static_cast<int>(p + 3 - out);
  }
  value = std::fabs(value);
  if (value < 1e15 && value == static_cast<double>(static_cast<int64_t>(value))) {  // FAST: whole numbers
    p = std::to_chars(p, p + 20, static_cast<int64_t>(value)).ptr;
    if (dot == Dot::kAdd) {
      *p++ = '.';
      *p++ = '0';
    }
    return static_cast<int>(p - out);
  }
  DecimalDigits digits;
  shortest_digits(value, digits);
  const int length = digits.length;
  if (digits.point > -4 && digits.point <= 16) {
    if (digits.point <= 0) {
      *p++ = '0';
      *p++ = '.';
      for (int i = digits.point; i < 0; i++) *p++ = '0';
      memcpy(p, digits.text, static_cast<size_t>(length));
      p += length;
    } else if (length <= digits.point) {
      memcpy(p, digits.text, static_cast<size_t>(length));
      p += length;
      for (int i = length; i < digits.point; i++) *p++ = '0';
      if (dot == Dot::kAdd) {
        *p++ = '.';
        *p++ = '0';
      }
    } else {
      memcpy(p, digits.text, static_cast<size_t>(digits.point));
      p += digits.point;
      *p++ = '.';
      memcpy(p, digits.text + digits.point, static_cast<size_t>(length - digits.point));
      p += length - digits.point;
    }
    return static_cast<int>(p - out);
  }
  *p++ = digits.text[0];
  if (length > 1) {
    *p++ = '.';
    memcpy(p, digits.text + 1, static_cast<size_t>(length - 1));
    p += length - 1;
  }
  int exponent = digits.point - 1;
  *p++ = 'e';
  *p++ = exponent < 0 ? '-' : '+';
  exponent = std::abs(exponent);
  if (exponent < 10) *p++ = '0';
  p = std::to_chars(p, p + 4, exponent).ptr;
  return static_cast<int>(p - out);
}

const char* read_decimal(const char* text, const char* stop, double* value, bool* overflow) {
  *overflow = false;
  const char* p = text;
  bool negative = false;
  if (p < stop && (*p == '+' || *p == '-')) negative = *p++ == '-';
  if (p == stop || !(Py_ISDIGIT(*p) || (*p == '.' && p + 1 < stop && Py_ISDIGIT(p[1])))) return nullptr;
  double magnitude = 0.0;
  const auto [end, error] = std::from_chars(p, stop, magnitude, std::chars_format::general);
  if (error == std::errc::result_out_of_range) {
    // Too large or too small? The decimal exponent of the first digit that counts tells.
    long scale = 0;
    const char* q = p;
    while (*q == '0') q++;
    if (Py_ISDIGIT(*q)) {
      while (q < end && Py_ISDIGIT(*q)) {
        q++;
        scale++;
      }
      while (q < end && *q != 'e' && *q != 'E') q++;
    } else if (*q == '.') {
      for (q++; *q == '0'; q++) scale--;
      while (q < end && *q != 'e' && *q != 'E') q++;
    }
    if (q < end) {
      q++;
      const bool minus = *q == '-';
      if (*q == '+' || *q == '-') q++;
      long exponent = 0;
      for (; q < end; q++) {
        if (exponent < 1000000000000000) exponent = exponent * 10 + (*q - '0');
      }
      scale += minus ? -exponent : exponent;
    }
    *overflow = scale > 0;
    magnitude = *overflow ? Py_HUGE_VAL : 0.0;
  } else if (error != std::errc()) {
    return nullptr;
  }
  *value = negative ? -magnitude : magnitude;
  return end;
}

namespace {

/// One number in format e, f, g or r, laid out into `out`.
class Layout {
 public:
  Layout(double value, char code, int precision, int flags) : flags_(flags) {
    negative_ = std::signbit(value);
    switch (code) {
      case 'e':
        significant_digits(value, precision == INT_MAX ? precision : precision + 1, digits_);
        exponential_ = true;
        shown_ = precision + 1;
        break;
      case 'f':
        digits_to_place(value, precision, digits_);
        shown_ = digits_.point + precision;
        break;
      case 'g':
        if (precision == 0) precision = 1;
        significant_digits(value, precision, digits_);
        exponential_ = digits_.point <= -4 || digits_.point > precision - ((flags & Py_DTSF_ADD_DOT_0) ? 1 : 0);
        shown_ = (flags & Py_DTSF_ALT) ? precision : digits_.length;
        break;
      default:
        shortest_digits(value, digits_);
        exponential_ = digits_.point <= -4 || digits_.point > 16;
        shown_ = digits_.length;
    }
    if (digits_.length == 1 && digits_.text[0] == '0') {
      if (flags & Py_DTSF_NO_NEG_0) negative_ = false;
    }
    point_ = digits_.point;
    if (exponential_) {
      exponent_ = point_ - 1;
      point_ = 1;
    }
    first_ = point_ <= 0 ? point_ - 1 : 0;
    const long least = !exponential_ && (flags & Py_DTSF_ADD_DOT_0) ? point_ + 1 : point_;
    if (shown_ < least) shown_ = least;
  }

  size_t size_bound() const { return static_cast<size_t>(shown_ - first_) + 16; }

  char* write(char* p, bool upper) const {
    if (negative_) {
      *p++ = '-';
    } else if (flags_ & Py_DTSF_SIGN) {
      *p++ = '+';
    }
    for (long i = first_; i < shown_; i++) {
      if (i == point_) *p++ = '.';
      *p++ = i >= 0 && i < digits_.length ? digits_.text[i] : '0';
    }
    if (shown_ == point_ && (flags_ & Py_DTSF_ALT)) *p++ = '.';
    if (exponential_) {
      *p++ = upper ? 'E' : 'e';
      *p++ = exponent_ < 0 ? '-' : '+';
      const int magnitude = std::abs(exponent_);
      if (magnitude < 10) *p++ = '0';
      p = std::to_chars(p, p + 4, magnitude).ptr;
    }
    return p;
  }

 private:
  DecimalDigits digits_;
  int flags_;
  bool negative_ = false;
  bool exponential_ = false;
  int exponent_ = 0;
  long point_ = 0;
  long first_ = 0;  // index of the first digit shown: negative for zeros in front
  long shown_ = 0;  // one past the last digit shown
};

}  // namespace
}  // namespace pyston

using namespace pyston;

/// PyMem_Malloc'ed text (null: exception set); *type tells finite from infinite and NaN.
char* PyOS_double_to_string(double value, char code, int precision, int flags, int* type) {
  const bool upper = code == 'E' || code == 'F' || code == 'G';
  if (upper) code = static_cast<char>(code + ('a' - 'A'));
  if ((code != 'e' && code != 'f' && code != 'g' && code != 'r') || (code == 'r' && precision != 0)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  char* result;
  if (!std::isfinite(value)) {
    result = static_cast<char*>(PyMem_Malloc(8));
    if (result == nullptr) return reinterpret_cast<char*>(PyErr_NoMemory());
    char* p = result;
    const bool nan = std::isnan(value);
    if (!nan && value < 0) {
      *p++ = '-';
    } else if (flags & Py_DTSF_SIGN) {
      *p++ = '+';
    }
    memcpy(p, nan ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf"), 4);
    if (type != nullptr) *type = nan ? Py_DTST_NAN : Py_DTST_INFINITE;
    return result;
  }
  if (type != nullptr) *type = Py_DTST_FINITE;
  Layout layout(value, code, precision, flags);
  result = static_cast<char*>(PyMem_Malloc(layout.size_bound()));
  if (result == nullptr) return reinterpret_cast<char*>(PyErr_NoMemory());
  *layout.write(result, upper) = '\0';
  return result;
}

double _Py_parse_inf_or_nan(const char* text, char** end) {
  const char* p = text;
  bool negative = false;
  if (*p == '+' || *p == '-') negative = *p++ == '-';
  const auto matches = [](const char* s, const char* word) {
    while (*word != '\0' && Py_TOLOWER(*s) == *word) s++, word++;
    return *word == '\0';
  };
  double value;
  if (matches(p, "inf")) {
    p += matches(p + 3, "inity") ? 8 : 3;
    value = Py_HUGE_VAL;
  } else if (matches(p, "nan")) {
    p += 3;
    value = std::fabs(Py_NAN);
  } else {
    *end = const_cast<char*>(text);
    return -1.0;
  }
  *end = const_cast<char*>(p);
  return negative ? -value : value;
}

double PyOS_string_to_double(const char* text, char** end, PyObject* overflow_exception) {
  double value = -1.0;
  bool overflow = false;
  const char* stop = read_decimal(text, text + strlen(text), &value, &overflow);
  if (stop == nullptr) {
    char* special;
    value = _Py_parse_inf_or_nan(text, &special);
    stop = special;
  }
  double result = -1.0;
  if (stop == text || (end == nullptr && *stop != '\0')) {
    PyErr_Format(PyExc_ValueError, "could not convert string to float: '%.200s'", text);
  } else if (overflow && overflow_exception != nullptr) {
    PyErr_Format(overflow_exception, "value too large to convert to float: '%.200s'", text);
  } else {
    result = value;
  }
  if (end != nullptr) *end = const_cast<char*>(stop);
  return result;
}

/// Calls `convert` on the text without its underscores, which must stand between digits. Returns new.
PyObject* _Py_string_to_number_with_underscores(const char* text, Py_ssize_t length, const char* what, PyObject* shown,
                                                void* argument, PyObject* (*convert)(const char*, Py_ssize_t, void*)) {
  if (memchr(text, '_', static_cast<size_t>(length)) == nullptr) return convert(text, length, argument);
  char* plain = static_cast<char*>(PyMem_Malloc(static_cast<size_t>(length) + 1));
  if (plain == nullptr) return PyErr_NoMemory();
  char* out = plain;
  char previous = '\0';
  bool valid = true;
  for (Py_ssize_t i = 0; i < length && valid; i++) {
    const char c = text[i];
    if (c == '_') {
      valid = Py_ISDIGIT(previous);
    } else {
      *out++ = c;
      valid = previous != '_' || Py_ISDIGIT(c);
    }
    valid = valid && c != '\0';
    previous = c;
  }
  PyObject* result = nullptr;
  if (valid && previous != '_') {
    *out = '\0';
    result = convert(plain, out - plain, argument);
  } else {
    PyErr_Format(PyExc_ValueError, "could not convert string to %s: %R", what, shown);
  }
  PyMem_Free(plain);
  return result;
}

double _Py_dg_strtod(const char* text, char** end) {
  double value = 0.0;
  bool overflow;
  const char* stop = read_decimal(text, text + strlen(text), &value, &overflow);
  if (stop == nullptr) {
    value = 0.0;
    stop = text;
  }
  if (overflow) errno = ERANGE;
  if (end != nullptr) *end = const_cast<char*>(stop);
  return value;
}

/// Modes 0 (shortest), 2 (significant digits) and 3 (places). Free the result with _Py_dg_freedtoa.
char* _Py_dg_dtoa(double value, int mode, int ndigits, int* point, int* sign, char** end) {
  *sign = std::signbit(value);
  char* result = static_cast<char*>(PyMem_Malloc(DecimalDigits::kMaximum + 344));
  if (result == nullptr) return nullptr;
  if (!std::isfinite(value)) {
    strcpy(result, std::isnan(value) ? "NaN" : "Infinity");
    *point = 9999;
  } else {
    DecimalDigits digits;
    if (mode == 2 || mode == 4) {
      significant_digits(value, ndigits < 1 ? 1 : ndigits, digits);
    } else if (mode == 3 || mode == 5) {
      digits_to_place(value, ndigits, digits);
    } else {
      shortest_digits(value, digits);
    }
    // Rounded to nothing is the empty string in dtoa's interface, the number zero itself is "0".
    const bool nothing = value != 0.0 && digits.length == 1 && digits.text[0] == '0';
    const int length = nothing ? 0 : digits.length;
    memcpy(result, digits.text, static_cast<size_t>(length));
    result[length] = '\0';
    *point = nothing ? -ndigits : digits.point;
  }
  if (end != nullptr) *end = result + strlen(result);
  return result;
}
void _Py_dg_freedtoa(char* text) { PyMem_Free(text); }
double _Py_dg_stdnan(int sign) { return sign ? -std::fabs(Py_NAN) : std::fabs(Py_NAN); }
double _Py_dg_infinity(int sign) { return sign ? -Py_HUGE_VAL : Py_HUGE_VAL; }
