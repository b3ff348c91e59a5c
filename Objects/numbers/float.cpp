// The type float: slots, methods, C API, packing to bytes, sys.float_info.
#include "Objects/numbers/float.h"

#include <bit>
#include <cerrno>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "Objects/bind.h"
#include "Objects/numbers/float_text.h"
#include "Objects/numbers/int.h"
#include "pycore_floatobject.h"
#include "pycore_gc.h"
#include "pycore_initconfig.h"
#include "pycore_object.h"
#include "pycore_structseq.h"

namespace pyston {

FloatPool float_pool;

void float_divmod(double a, double b, double* quotient, double* remainder) {
  double rest = exact_remainder(a, b);
  double exact = (a - rest) / b;
  if (rest != 0.0) {
    if ((b < 0) != (rest < 0)) {
      rest += b;
      exact -= 1.0;
    }
  } else {
    rest = copysign(0.0, b);
  }
  double whole;
  if (exact != 0.0) {
    whole = floor(exact);
    if (exact - whole > 0.5) whole += 1.0;  // (a - rest) / b is a whole number up to rounding
  } else {
    whole = copysign(0.0, a / b);
  }
  *quotient = whole;
  *remainder = rest;
}

namespace {

ALWAYS_INLINE double value_of(PyObject* object) { return PyFloat_AS_DOUBLE(object); }

/// Converts an operand of a float operation. False: not a number (NotImplemented) or an exception; see `out`.
enum class Operand { kOk, kForeign, kError };
ALWAYS_INLINE Operand to_double(PyObject* object, double& out) {
  if (LIKELY(PyFloat_CheckExact(object))) {
    out = value_of(object);
    return Operand::kOk;
  }
  if (PyLong_Check(object)) {
    if (LIKELY(is_compact(as_long(object)))) {
      out = static_cast<double>(compact_value(as_long(object)));
      return Operand::kOk;
    }
    out = PyLong_AsDouble(object);
    return out == -1.0 && PyErr_Occurred() ? Operand::kError : Operand::kOk;
  }
  if (PyFloat_Check(object)) {
    out = value_of(object);
    return Operand::kOk;
  }
  return Operand::kForeign;
}
#define CONVERT_OPERAND(object, value)                             \
  double value;                                                    \
  if (const Operand outcome = to_double(object, value); UNLIKELY(outcome != Operand::kOk)) { \
    return outcome == Operand::kForeign ? Py_NewRef(Py_NotImplemented) : nullptr;            \
  }

PyObject* float_add(PyObject* v, PyObject* w) {
  CONVERT_OPERAND(v, a);
  CONVERT_OPERAND(w, b);
  return float_from_double(a + b);
}
PyObject* float_subtract(PyObject* v, PyObject* w) {
  CONVERT_OPERAND(v, a);
  CONVERT_OPERAND(w, b);
  return float_from_double(a - b);
}
PyObject* float_multiply(PyObject* v, PyObject* w) {
  CONVERT_OPERAND(v, a);
  CONVERT_OPERAND(w, b);
  return float_from_double(a * b);
}
COLD PyObject* zero_division(const char* message) {
  PyErr_SetString(PyExc_ZeroDivisionError, message);
  return nullptr;
}
PyObject* float_true_divide(PyObject* v, PyObject* w) {
  CONVERT_OPERAND(v, a);
  CONVERT_OPERAND(w, b);
  if (UNLIKELY(b == 0.0)) return zero_division("float division by zero");
  return float_from_double(a / b);
}
PyObject* float_remainder(PyObject* v, PyObject* w) {
  CONVERT_OPERAND(v, a);
  CONVERT_OPERAND(w, b);
  if (UNLIKELY(b == 0.0)) return zero_division("float modulo");
  return float_from_double(float_modulo(a, b));
}
PyObject* float_floor_divide(PyObject* v, PyObject* w) {
  CONVERT_OPERAND(v, a);
  CONVERT_OPERAND(w, b);
  if (UNLIKELY(b == 0.0)) return zero_division("float floor division by zero");
  double quotient;
  double remainder;
  float_divmod(a, b, &quotient, &remainder);
  return float_from_double(quotient);
}
PyObject* float_divmod_slot(PyObject* v, PyObject* w) {
  CONVERT_OPERAND(v, a);
  CONVERT_OPERAND(w, b);
  if (UNLIKELY(b == 0.0)) return zero_division("float divmod()");
  double quotient;
  double remainder;
  float_divmod(a, b, &quotient, &remainder);
  return Py_BuildValue("(dd)", quotient, remainder);
}

bool is_odd_whole(double value) { return fmod(std::fabs(value), 2.0) == 1.0; }

PyObject* float_power(PyObject* v, PyObject* w, PyObject* modulus) {
  if (modulus != Py_None) {
    return raise(PyExc_TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
  }
  CONVERT_OPERAND(v, base);
  CONVERT_OPERAND(w, exponent);
  // The special cases of C99 annex F, spelled out so that no libm's deviations show.
  if (exponent == 0.0) return float_from_double(1.0);
  if (std::isnan(base)) return float_from_double(base);
  if (std::isnan(exponent)) return float_from_double(base == 1.0 ? 1.0 : exponent);
  if (std::isinf(exponent)) {
    const double magnitude = std::fabs(base);
    if (magnitude == 1.0) return float_from_double(1.0);
    return float_from_double((exponent > 0.0) == (magnitude > 1.0) ? std::fabs(exponent) : 0.0);
  }
  if (std::isinf(base)) {
    const bool odd = is_odd_whole(exponent);
    if (exponent > 0.0) return float_from_double(odd ? base : std::fabs(base));
    return float_from_double(odd ? copysign(0.0, base) : 0.0);
  }
  if (base == 0.0) {
    if (exponent < 0.0) return zero_division("0.0 cannot be raised to a negative power");
    return float_from_double(is_odd_whole(exponent) ? base : 0.0);
  }
  bool negate = false;
  if (base < 0.0) {
    if (exponent != floor(exponent)) return PyComplex_Type.tp_as_number->nb_power(v, w, modulus);
    base = -base;
    negate = is_odd_whole(exponent);
  }
  if (base == 1.0) return float_from_double(negate ? -1.0 : 1.0);
  const double result = pow(base, exponent);
  if (UNLIKELY(std::isinf(result))) {
    errno = ERANGE;
    PyErr_SetFromErrno(PyExc_OverflowError);
    return nullptr;
  }
  return float_from_double(negate ? -result : result);
}

PyObject* float_negative(PyObject* self) { return float_from_double(-value_of(self)); }
PyObject* float_absolute(PyObject* self) { return float_from_double(std::fabs(value_of(self))); }
PyObject* float_exact(PyObject* self) {
  return PyFloat_CheckExact(self) ? Py_NewRef(self) : float_from_double(value_of(self));
}
int float_bool(PyObject* self) { return value_of(self) != 0.0; }
PyObject* float_to_int(PyObject* self) { return PyLong_FromDouble(value_of(self)); }

PyObject* float_repr(PyObject* self) {
  char text[40];
  const int length = write_repr(value_of(self), Dot::kAdd, text);
  PyObject* result = PyUnicode_New(length, 127);
  if (result != nullptr) memcpy(PyUnicode_1BYTE_DATA(result), text, static_cast<size_t>(length));
  return result;
}

Py_hash_t float_hash(PyObject* self) { return _Py_HashDouble(self, value_of(self)); }

void float_dealloc(PyObject* self) {
  if (LIKELY(PyFloat_CheckExact(self))) {
    float_free_exact(self);
  } else {
    Py_TYPE(self)->tp_free(self);
  }
}

/// Order of a finite double and an int, exactly: -1, 0, 1; 2 is an error.
int compare_with_int(double a, PyLongObject* b) {
  const double whole = trunc(a);
  int order;
  if (is_compact(b) && std::fabs(a) < 4e18) {
    const int64_t x = static_cast<int64_t>(whole);
    const int64_t y = compact_value(b);
    order = (x > y) - (x < y);
  } else {
    PyObject* x = PyLong_FromDouble(whole);
    if (x == nullptr) return 2;
    order = int_compare(as_long(x), b);
    Py_DECREF(x);
  }
  return order != 0 ? order : (a > whole) - (a < whole);
}

PyObject* float_richcompare(PyObject* v, PyObject* w, int op) {
  const double a = value_of(v);
  double b;
  if (LIKELY(PyFloat_Check(w))) {
    b = value_of(w);
  } else if (PyLong_Check(w)) {
    constexpr int64_t kExact = int64_t{1} << 53;
    if (!std::isfinite(a)) {
      b = 0.0;  // any finite number compares the same
    } else if (is_compact(as_long(w)) && compact_value(as_long(w)) >= -kExact && compact_value(as_long(w)) <= kExact) {
      b = static_cast<double>(compact_value(as_long(w)));
    } else {
      const int order = compare_with_int(a, as_long(w));
      if (order == 2) return nullptr;
      Py_RETURN_RICHCOMPARE(order, 0, op);
    }
  } else {
    Py_RETURN_NOTIMPLEMENTED;
  }
  bool result = false;
  switch (op) {
    case Py_EQ: result = a == b; break;
    case Py_NE: result = a != b; break;
    case Py_LT: result = a < b; break;
    case Py_LE: result = a <= b; break;
    case Py_GT: result = a > b; break;
    case Py_GE: result = a >= b; break;
  }
  return Py_NewRef(result ? Py_True : Py_False);
}

// Construction ------------------------------------------------------------------------------------------------------

PyObject* text_to_float(const char* text, Py_ssize_t length, void* shown) {
  char* end;
  const double value = PyOS_string_to_double(text, &end, nullptr);
  if (end != text + length) {
    PyErr_Format(PyExc_ValueError, "could not convert string to float: %R", static_cast<PyObject*>(shown));
    return nullptr;
  }
  if (value == -1.0 && PyErr_Occurred()) {  // no number at all: the message shows the whole argument
    return raise(PyExc_ValueError, "could not convert string to float: %R", static_cast<PyObject*>(shown));
  }
  return float_from_double(value);
}

PyObject* make_float(PyObject* x) {
  if (x == nullptr) return float_from_double(0.0);
  if (PyUnicode_CheckExact(x)) return PyFloat_FromString(x);
  return PyNumber_Float(x);
}

PyObject* float_new(PyTypeObject* type, PyObject* x) {
  Ref<> value = Ref<>::steal(make_float(x));
  if (!value || type == &PyFloat_Type) return value.release();
  PyObject* result = type->tp_alloc(type, 0);
  if (result != nullptr) reinterpret_cast<PyFloatObject*>(result)->ob_fval = value_of(value.get());
  return result;
}

PyObject* float_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (kwnames != nullptr && PyTuple_GET_SIZE(kwnames) != 0) {
    return raise(PyExc_TypeError, "float() takes no keyword arguments");
  }
  if (nargs > 1) return raise(PyExc_TypeError, "float expected at most 1 argument, got %zd", nargs);
  return make_float(nargs == 0 ? nullptr : args[0]);
}

// Methods -----------------------------------------------------------------------------------------------------------

PyObject* float_as_integer_ratio(Borrowed<PyFloatObject> self) {
  const double value = self->ob_fval;
  if (std::isinf(value)) return raise(PyExc_OverflowError, "cannot convert Infinity to integer ratio");
  if (std::isnan(value)) return raise(PyExc_ValueError, "cannot convert NaN to integer ratio");
  int exponent;
  const double fraction = frexp(value, &exponent);
  int64_t numerator = static_cast<int64_t>(ldexp(fraction, DBL_MANT_DIG));
  exponent -= DBL_MANT_DIG;
  if (numerator == 0) return Py_BuildValue("(ii)", 0, 1);
  const int zeros = __builtin_ctzll(static_cast<uint64_t>(numerator));
  numerator >>= zeros;
  exponent += zeros;
  Ref<> top = Ref<>::steal(PyLong_FromLong(numerator));
  Ref<> bottom = Ref<>::steal(PyLong_FromLong(1));
  if (!top || !bottom) return nullptr;
  Ref<>& scaled = exponent > 0 ? top : bottom;
  scaled = Ref<>::steal(_PyLong_Lshift(scaled.get(), static_cast<size_t>(std::abs(exponent))));
  if (!scaled) return nullptr;
  return PyTuple_Pack(2, top.get(), bottom.get());
}

PyObject* float_ceil(Borrowed<PyFloatObject> self) { return PyLong_FromDouble(ceil(self->ob_fval)); }
PyObject* float_floor(Borrowed<PyFloatObject> self) { return PyLong_FromDouble(floor(self->ob_fval)); }
PyObject* float_trunc(Borrowed<PyFloatObject> self) { return PyLong_FromDouble(self->ob_fval); }
PyObject* float_conjugate(Borrowed<PyFloatObject> self) { return float_exact(self.object()); }
PyObject* float_is_integer(Borrowed<PyFloatObject> self) {
  const double value = self->ob_fval;
  return PyBool_FromLong(std::isfinite(value) && floor(value) == value);
}
PyObject* float_getnewargs(Borrowed<PyFloatObject> self) { return Py_BuildValue("(d)", self->ob_fval); }

PyObject* float_getformat(PyTypeObject* type, Borrowed<PyUnicodeObject> kind) {
  if (_PyUnicode_EqualToASCIIString(kind.object(), "double") || _PyUnicode_EqualToASCIIString(kind.object(), "float")) {
    return PyUnicode_FromString("IEEE, little-endian");
  }
  return raise(PyExc_ValueError, "__getformat__() argument 1 must be 'double' or 'float'");
}

PyObject* float_format(Borrowed<PyFloatObject> self, Borrowed<PyUnicodeObject> spec) {
  _PyUnicodeWriter writer;
  _PyUnicodeWriter_Init(&writer);
  if (_PyFloat_FormatAdvancedWriter(&writer, self.object(), spec.object(), 0, PyUnicode_GET_LENGTH(spec.object())) < 0) {
    _PyUnicodeWriter_Dealloc(&writer);
    return nullptr;
  }
  return _PyUnicodeWriter_Finish(&writer);
}

PyObject* float_round(Borrowed<PyFloatObject> self, PyObject* ndigits_object) {
  const double value = self->ob_fval;
  if (ndigits_object == nullptr || ndigits_object == Py_None) return PyLong_FromDouble(nearbyint(value));
  const Py_ssize_t ndigits = PyNumber_AsSsize_t(ndigits_object, nullptr);
  if (ndigits == -1 && PyErr_Occurred()) return nullptr;
  if (!std::isfinite(value)) return float_from_double(value);
  constexpr Py_ssize_t kMost = static_cast<Py_ssize_t>((DBL_MANT_DIG - DBL_MIN_EXP) * 0.30103);
  constexpr Py_ssize_t kLeast = -static_cast<Py_ssize_t>((DBL_MAX_EXP + 1) * 0.30103);
  if (ndigits > kMost) return float_from_double(value);
  if (ndigits < kLeast) return float_from_double(0.0 * value);
  // Rounding is exact: on the decimal expansion of the double, then back.
  DecimalDigits digits;
  digits_to_place(value, static_cast<int>(ndigits), digits);
  char text[DecimalDigits::kMaximum + 360];
  text[0] = '0';
  text[1] = '.';
  memcpy(text + 2, digits.text, static_cast<size_t>(digits.length));
  const int length = 2 + digits.length;
  const int total = length + snprintf(text + length, 16, "e%d", digits.point);
  double result = 0.0;
  bool overflow;
  if (read_decimal(text, text + total, &result, &overflow) == nullptr || overflow) {
    return raise(PyExc_OverflowError, "rounded value too large to represent");
  }
  return float_from_double(copysign(result, value));
}

PyObject* float_hex(Borrowed<PyFloatObject> self) {
  const double value = self->ob_fval;
  if (!std::isfinite(value)) return float_repr(self.object());
  const char* sign = std::signbit(value) ? "-" : "";
  if (value == 0.0) return PyUnicode_FromFormat("%s0x0.0p+0", sign);
  int exponent;
  double mantissa = frexp(std::fabs(value), &exponent);
  const int shift = 1 - Py_MAX(DBL_MIN_EXP - exponent, 0);
  mantissa = ldexp(mantissa, shift);
  exponent -= shift;
  char text[20];
  int out = 0;
  text[out++] = static_cast<char>('0' + static_cast<int>(mantissa));
  mantissa -= static_cast<int>(mantissa);
  text[out++] = '.';
  for (int i = 0; i < 13; i++) {
    mantissa *= 16.0;
    text[out++] = Py_hexdigits[static_cast<int>(mantissa)];
    mantissa -= static_cast<int>(mantissa);
  }
  text[out] = '\0';
  return PyUnicode_FromFormat("%s0x%sp%s%d", sign, text, exponent < 0 ? "-" : "+", std::abs(exponent));
}

int hex_value(char c) {
  const unsigned value = _PyLong_DigitValue[Py_CHARMASK(c)];
  return value < 16 ? static_cast<int>(value) : -1;
}

PyObject* float_fromhex(PyTypeObject* type, Borrowed<> text) {
  Py_ssize_t length;
  const char* start = PyUnicode_AsUTF8AndSize(text, &length);
  if (start == nullptr) return nullptr;
  const char* stop = start + length;
  const auto invalid = [] { return raise(PyExc_ValueError, "invalid hexadecimal floating-point string"); };
  const auto too_large = [] { return raise(PyExc_OverflowError, "hexadecimal value too large to represent as a float"); };
  const char* p = start;
  while (Py_ISSPACE(*p)) p++;
  double value;
  char* special;
  value = _Py_parse_inf_or_nan(p, &special);
  if (special != p) {
    p = special;
  } else {
    bool negative = false;
    if (*p == '+' || *p == '-') negative = *p++ == '-';
    if (*p == '0' && (p[1] == 'x' || p[1] == 'X')) p += 2;
    // Collect up to 64 bits of the coefficient; what follows only matters as "not zero".
    uint64_t mantissa = 0;
    bool sticky = false;
    bool any = false;
    bool after_point = false;
    long exponent = 0;  // of the lowest collected bit
    for (;; p++) {
      if (*p == '.' && !after_point) {
        after_point = true;
        continue;
      }
      const int d = hex_value(*p);
      if (d < 0) break;
      any = true;
      if (mantissa >> 60 == 0) {
        mantissa = mantissa << 4 | static_cast<uint64_t>(d);
        if (after_point) exponent -= 4;
      } else {
        sticky |= d != 0;
        if (!after_point) exponent += 4;
      }
    }
    if (!any) return invalid();
    if (*p == 'p' || *p == 'P') {
      p++;
      bool minus = false;
      if (*p == '+' || *p == '-') minus = *p++ == '-';
      if (!Py_ISDIGIT(*p)) return invalid();
      long written = 0;
      for (; Py_ISDIGIT(*p); p++) {
        if (written < LONG_MAX / 100) written = written * 10 + (*p - '0');
      }
      exponent += minus ? -written : written;
    }
    if (mantissa == 0) {
      value = 0.0;
    } else {
      const int bits = 64 - __builtin_clzll(mantissa);
      const long top = exponent + bits;  // value < 2**top
      if (top > DBL_MAX_EXP) {
        p = Py_ISSPACE(*p) || p == stop ? p : p;
        while (Py_ISSPACE(*p)) p++;
        return p != stop ? invalid() : too_large();
      }
      if (top < DBL_MIN_EXP - DBL_MANT_DIG) {
        value = 0.0;
      } else {
        long drop = bits - DBL_MANT_DIG;
        if (exponent + drop < DBL_MIN_EXP - DBL_MANT_DIG) drop = DBL_MIN_EXP - DBL_MANT_DIG - exponent;
        if (drop > 0) {
          const unsigned __int128 wide = mantissa;
          const unsigned __int128 unit = static_cast<unsigned __int128>(1) << drop;
          const unsigned __int128 rest = wide & (unit - 1);
          mantissa = static_cast<uint64_t>(wide >> drop);
          if (rest > unit / 2 || (rest == unit / 2 && (sticky || (mantissa & 1)))) mantissa++;
          exponent += drop;
        }
        value = ldexp(static_cast<double>(mantissa), static_cast<int>(exponent));
        if (std::isinf(value)) return too_large();
      }
    }
    if (negative) value = -value;
  }
  while (Py_ISSPACE(*p)) p++;
  if (p != stop) return invalid();
  PyObject* result = float_from_double(value);
  if (result != nullptr && type != &PyFloat_Type) Py_SETREF(result, PyObject_CallOneArg(as_object(type), result));
  return result;
}

PyObject* float_get_real(PyObject* self, void*) { return float_exact(self); }
PyObject* float_get_imag(PyObject*, void*) { return float_from_double(0.0); }

PyMethodDef float_methods[] = {
    method<float_conjugate, "conjugate($self, /)", "The complex conjugate of a float: the float itself.">(),
    method<float_trunc, "__trunc__($self, /)", "The integer between zero and the float that is closest to the float.">(),
    method<float_floor, "__floor__($self, /)", "The largest integer that isn't above the float.">(),
    method<float_ceil, "__ceil__($self, /)", "The smallest integer that isn't below the float.">(),
    method<float_round, "__round__($self, ndigits=None, /)",
           "Rounds to a number of decimal places, half to even; to an int without ndigits.">(),
    method<float_as_integer_ratio, "as_integer_ratio($self, /)",
           "A pair of ints in lowest terms whose ratio is exactly the float; the second is positive.\n\n"
           ">>> (-0.25).as_integer_ratio()\n(-1, 4)\n>>> (12.0).as_integer_ratio()\n(12, 1)\n"
           ">>> (0.0).as_integer_ratio()\n(0, 1)">(),
    method<float_fromhex, "fromhex($type, string, /)",
           "The float that a hexadecimal string denotes.\n\n>>> float.fromhex('0x1.8p1')\n3.0\n"
           ">>> float.fromhex('-0x1p-2')\n-0.25">(METH_CLASS),
    method<float_hex, "hex($self, /)", "The float in hexadecimal notation.\n\n>>> 3.0.hex()\n'0x1.8000000000000p+1'\n"
           ">>> (-0.25).hex()\n'-0x1.0000000000000p-2'">(),
    method<float_is_integer, "is_integer($self, /)", "Whether the float is a whole number.">(),
    method<float_getnewargs, "__getnewargs__($self, /)">(),
    method<float_getformat, "__getformat__($type, typestr, /)",
           "How C's 'double' or 'float' is represented on this machine. For the test suite.">(METH_CLASS),
    method<float_format, "__format__($self, format_spec, /)", "The float formatted as the specification says.">(),
    {}};

PyGetSetDef float_getset[] = {
    {"real", float_get_real, nullptr, "the real part of a complex number", nullptr},
    {"imag", float_get_imag, nullptr, "the imaginary part of a complex number", nullptr},
    {}};

PyNumberMethods float_as_number = {
    .nb_add = float_add,
    .nb_subtract = float_subtract,
    .nb_multiply = float_multiply,
    .nb_remainder = float_remainder,
    .nb_divmod = float_divmod_slot,
    .nb_power = float_power,
    .nb_negative = float_negative,
    .nb_positive = float_exact,
    .nb_absolute = float_absolute,
    .nb_bool = float_bool,
    .nb_int = float_to_int,
    .nb_float = float_exact,
    .nb_floor_divide = float_floor_divide,
    .nb_true_divide = float_true_divide,
};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyFloat_Type = {
    .ob_base = type_head(),
    .tp_name = "float",
    .tp_basicsize = sizeof(PyFloatObject),
    .tp_dealloc = float_dealloc,
    .tp_repr = float_repr,
    .tp_as_number = &float_as_number,
    .tp_hash = float_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "float(x=0, /)\n--\n\nA double precision number, from a number or from text.",
    .tp_richcompare = float_richcompare,
    .tp_methods = float_methods,
    .tp_getset = float_getset,
    .tp_new = constructor<float_new, "float($type, x=0, /)">,
    .tp_vectorcall = float_vectorcall,
};
static_assert(sizeof(PyFloatObject) == 24);

PyObject* PyFloat_FromDouble(double value) { return float_from_double(value); }
void _PyFloat_ExactDealloc(PyObject* object) { float_free_exact(object); }
double PyFloat_GetMax(void) { return DBL_MAX; }
double PyFloat_GetMin(void) { return DBL_MIN; }

PyObject* PyFloat_FromString(PyObject* source) {
  Ref<> owner;
  Buffer buffer;
  const char* text;
  Py_ssize_t length;
  if (PyUnicode_Check(source)) {
    owner = Ref<>::steal(_PyUnicode_TransformDecimalAndSpaceToASCII(source));
    if (!owner) return nullptr;
    length = PyUnicode_GET_LENGTH(owner.get());
    text = static_cast<const char*>(PyUnicode_DATA(owner.get()));
  } else if (PyBytes_Check(source)) {
    text = PyBytes_AS_STRING(source);
    length = PyBytes_GET_SIZE(source);
  } else if (PyByteArray_Check(source)) {
    text = PyByteArray_AS_STRING(source);
    length = PyByteArray_GET_SIZE(source);
  } else if (buffer.acquire(source)) {
    // Any buffer: copied, since it needn't end in NUL.
    owner = Ref<>::steal(PyBytes_FromStringAndSize(buffer.data(), buffer.size()));
    if (!owner) return nullptr;
    text = PyBytes_AS_STRING(owner.get());
    length = PyBytes_GET_SIZE(owner.get());
  } else {
    return raise(PyExc_TypeError, "float() argument must be a string or a real number, not '%.200s'",
                 Py_TYPE(source)->tp_name);
  }
  const char* last = text + length;
  while (Py_ISSPACE(*text)) text++;
  while (text < last - 1 && Py_ISSPACE(last[-1])) last--;
  // Trailing space stays behind the text that is read: the converter needs a NUL only when it reads to the end.
  if (*last == '\0') {
    return _Py_string_to_number_with_underscores(text, last - text, "float", source, source, text_to_float);
  }
  Ref<> stripped = Ref<>::steal(PyBytes_FromStringAndSize(text, last - text));
  if (!stripped) return nullptr;
  return _Py_string_to_number_with_underscores(PyBytes_AS_STRING(stripped.get()), last - text, "float", source, source,
                                               text_to_float);
}

COLD static double as_double_slow(PyObject* object) {
  if (object == nullptr) {
    PyErr_BadArgument();
    return -1.0;
  }
  PyNumberMethods* number = Py_TYPE(object)->tp_as_number;
  if (number == nullptr || number->nb_float == nullptr) {
    if (number != nullptr && number->nb_index != nullptr) {
      Ref<> index = Ref<>::steal(PyNumber_Index(object));
      return index ? PyLong_AsDouble(index.get()) : -1.0;
    }
    PyErr_Format(PyExc_TypeError, "must be real number, not %.50s", Py_TYPE(object)->tp_name);
    return -1.0;
  }
  Ref<> result = Ref<>::steal(number->nb_float(object));
  if (!result) return -1.0;
  if (!PyFloat_CheckExact(result.get())) {
    if (!PyFloat_Check(result.get())) {
      PyErr_Format(PyExc_TypeError, "%.50s.__float__ returned non-float (type %.50s)", Py_TYPE(object)->tp_name,
                   Py_TYPE(result.get())->tp_name);
      return -1.0;
    }
    if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                         "%.50s.__float__ returned non-float (type %.50s).  The ability to return an instance of a "
                         "strict subclass of float is deprecated, and may not be supported in a future version of "
                         "Python.",
                         Py_TYPE(object)->tp_name, Py_TYPE(result.get())->tp_name) < 0) {
      return -1.0;
    }
  }
  return PyFloat_AS_DOUBLE(result.get());
}

double PyFloat_AsDouble(PyObject* object) {
  if (LIKELY(object != nullptr && PyFloat_Check(object))) return PyFloat_AS_DOUBLE(object);
  return as_double_slow(object);
}

// Packing -----------------------------------------------------------------------------------------------------------

template <class Word>
static void store(Word word, char* p, int little) {
  if (!little) {
    if constexpr (sizeof(Word) == 2) word = __builtin_bswap16(word);
    if constexpr (sizeof(Word) == 4) word = __builtin_bswap32(word);
    if constexpr (sizeof(Word) == 8) word = __builtin_bswap64(word);
  }
  memcpy(p, &word, sizeof(word));
}
template <class Word>
static Word load(const char* p, int little) {
  Word word;
  memcpy(&word, p, sizeof(word));
  if (!little) {
    if constexpr (sizeof(Word) == 2) word = __builtin_bswap16(word);
    if constexpr (sizeof(Word) == 4) word = __builtin_bswap32(word);
    if constexpr (sizeof(Word) == 8) word = __builtin_bswap64(word);
  }
  return word;
}

int PyFloat_Pack8(double value, char* p, int little) {
  store(std::bit_cast<uint64_t>(value), p, little);
  return 0;
}
double PyFloat_Unpack8(const char* p, int little) { return std::bit_cast<double>(load<uint64_t>(p, little)); }

int PyFloat_Pack4(double value, char* p, int little) {
  const float narrow = static_cast<float>(value);
  if (std::isinf(narrow) && !std::isinf(value)) {
    PyErr_SetString(PyExc_OverflowError, "float too large to pack with f format");
    return -1;
  }
  store(std::bit_cast<uint32_t>(narrow), p, little);
  return 0;
}
double PyFloat_Unpack4(const char* p, int little) { return std::bit_cast<float>(load<uint32_t>(p, little)); }

int PyFloat_Pack2(double value, char* p, int little) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  uint16_t word;
  if (value == 0.0) {
    word = 0;
  } else if (std::isinf(value)) {
    word = 0x7c00;
  } else if (std::isnan(value)) {
    word = 0x7e00;
  } else {
    int exponent;
    double fraction = frexp(std::fabs(value), &exponent);  // in [0.5, 1)
    // Units of the last place: 2**-24 for subnormals, else 11 bits of precision.
    const int ulp = exponent < -13 ? -24 : exponent - 11;
    const double scaled = nearbyint(ldexp(fraction, exponent - ulp));  // half to even
    unsigned bits = static_cast<unsigned>(scaled);
    int biased = exponent < -13 ? 0 : exponent + 14;
    if (bits >= 2048) {
      bits >>= 1;
      biased++;
    }
    if (biased == 0 && bits >= 1024) biased = 1;
    if (biased >= 31) {
      PyErr_SetString(PyExc_OverflowError, "float too large to pack with e format");
      return -1;
    }
    word = static_cast<uint16_t>(biased << 10 | (bits & 0x3ff));
  }
  store(static_cast<uint16_t>(word | sign), p, little);
  return 0;
}
double PyFloat_Unpack2(const char* p, int little) {
  const uint16_t word = load<uint16_t>(p, little);
  const int exponent = word >> 10 & 0x1f;
  const int fraction = word & 0x3ff;
  double value;
  if (exponent == 31) {
    value = fraction == 0 ? Py_HUGE_VAL : std::fabs(Py_NAN);
  } else if (exponent == 0) {
    value = ldexp(fraction, -24);
  } else {
    value = ldexp(fraction + 1024, exponent - 25);
  }
  return word & 0x8000 ? -value : value;
}

// Free list and sys.float_info --------------------------------------------------------------------------------------

void _PyFloat_InitState(PyInterpreterState*) {}
void _PyFloat_ClearFreeList(PyInterpreterState*) {
  while (float_pool.head != nullptr) {
    PyObject* object = float_pool.head;
    float_pool.head = reinterpret_cast<PyObject*>(object->ob_type);
    PyObject_Free(object);
  }
  float_pool.count = 0;
}
void _PyFloat_Fini(PyInterpreterState* interp) { _PyFloat_ClearFreeList(interp); }
void _PyFloat_DebugMallocStats(FILE* out) {
  _PyDebugAllocatorStats(out, "free PyFloatObject", float_pool.count, sizeof(PyFloatObject));
}

static PyTypeObject float_info_type;
static PyStructSequence_Field float_info_fields[] = {
    {"max", "DBL_MAX -- largest finite float"},
    {"max_exp", "DBL_MAX_EXP -- largest e for which radix**(e-1) is finite"},
    {"max_10_exp", "DBL_MAX_10_EXP -- largest e for which 10**e is finite"},
    {"min", "DBL_MIN -- smallest positive normal float"},
    {"min_exp", "DBL_MIN_EXP -- smallest e for which radix**(e-1) is normal"},
    {"min_10_exp", "DBL_MIN_10_EXP -- smallest e for which 10**e is normal"},
    {"dig", "DBL_DIG -- decimal digits that survive text -> float -> text"},
    {"mant_dig", "DBL_MANT_DIG -- digits of the mantissa"},
    {"epsilon", "DBL_EPSILON -- distance from 1 to the next float"},
    {"radix", "FLT_RADIX -- base of the exponent"},
    {"rounds", "FLT_ROUNDS -- rounding mode of arithmetic"},
    {}};
static PyStructSequence_Desc float_info_description = {
    "sys.float_info", "The platform's floating-point type, as <float.h> describes it.", float_info_fields, 11};

PyObject* PyFloat_GetInfo(void) {
  PyObject* info = PyStructSequence_New(&float_info_type);
  if (info == nullptr) return nullptr;
  int position = 0;
  const auto put_int = [&](int value) { PyStructSequence_SET_ITEM(info, position++, PyLong_FromLong(value)); };
  const auto put_double = [&](double value) { PyStructSequence_SET_ITEM(info, position++, PyFloat_FromDouble(value)); };
  put_double(DBL_MAX);
  put_int(DBL_MAX_EXP);
  put_int(DBL_MAX_10_EXP);
  put_double(DBL_MIN);
  put_int(DBL_MIN_EXP);
  put_int(DBL_MIN_10_EXP);
  put_int(DBL_DIG);
  put_int(DBL_MANT_DIG);
  put_double(DBL_EPSILON);
  put_int(FLT_RADIX);
  put_int(1);
  if (PyErr_Occurred()) Py_CLEAR(info);
  return info;
}

PyStatus _PyFloat_InitTypes(PyInterpreterState* interp) {
  if (!_Py_IsMainInterpreter(interp) || float_info_type.tp_name != nullptr) return PyStatus_Ok();
  if (PyStructSequence_InitType2(&float_info_type, &float_info_description) < 0) {
    return PyStatus_Error("can't init float info type");
  }
  return PyStatus_Ok();
}
void _PyFloat_FiniType(PyInterpreterState* interp) {
  if (_Py_IsMainInterpreter(interp)) _PyStructSequence_FiniType(&float_info_type);
}
