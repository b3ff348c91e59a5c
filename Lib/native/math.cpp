// The math module. Domain and range errors are told from the result: a NaN from numbers is a domain error, an infinity
// from finite arguments a range error (or a domain error where the function has a pole).
#include <cerrno>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "Objects/bind.h"
#include "Objects/numbers/float.h"
#include "Objects/numbers/int.h"
#include "pycore_call.h"
#include "pycore_object.h"

using namespace pyston;

namespace {

constexpr double kPi = 3.141592653589793238462643383279502884197;
constexpr double kLogPi = 1.144729885849400174143427351353058711647;

Failure domain_error() { return raise(PyExc_ValueError, "math domain error"); }
Failure range_error() { return raise(PyExc_OverflowError, "math range error"); }

enum class Infinite { kDomain, kRange };  // what an infinite result of a finite argument means

PyObject* check_unary(double argument, double result, Infinite infinite) {
  if (UNLIKELY(std::isnan(result) && !std::isnan(argument))) return domain_error();
  if (UNLIKELY(std::isinf(result) && std::isfinite(argument))) {
    return infinite == Infinite::kRange ? static_cast<PyObject*>(range_error()) : domain_error();
  }
  return float_from_double(result);
}

template <double (*Function)(double), Infinite kInfinite>
PyObject* unary(PyObject*, double x) {
  return check_unary(x, Function(x), kInfinite);
}

template <double (*Function)(double, double)>
PyObject* binary(PyObject*, double x, double y) {
  const double result = Function(x, y);
  if (std::isnan(result) && !std::isnan(x) && !std::isnan(y)) return domain_error();
  if (std::isinf(result) && std::isfinite(x) && std::isfinite(y)) return range_error();
  return float_from_double(result);
}

// Gamma (Lanczos' approximation, g = 6.0246800407767296) ------------------------------------------------------------

constexpr double kLanczosG = 6.024680040776729583740234375;
constexpr double kLanczosGMinusHalf = 5.524680040776729583740234375;
constexpr double kLanczosNumerator[] = {
    23531376880.410759688572007674451636754734846804940, 42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843, 17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708, 1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801, 31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768, 186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024, 210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408};
constexpr double kLanczosDenominator[] = {0.0,       39916800.0, 120543840.0, 150917976.0, 105258076.0, 45995730.0, 13339535.0,
                                          2637558.0, 357423.0,   32670.0,     1925.0,      66.0,        1.0};

/// Ratio of the two polynomials, evaluated in x or, for large x, in 1/x.
double lanczos_sum(double x) {
  double numerator = 0.0;
  double denominator = 0.0;
  if (x < 5.0) {
    for (int i = 12; i >= 0; i--) {
      numerator = numerator * x + kLanczosNumerator[i];
      denominator = denominator * x + kLanczosDenominator[i];
    }
  } else {
    for (int i = 0; i <= 12; i++) {
      numerator = numerator / x + kLanczosNumerator[i];
      denominator = denominator / x + kLanczosDenominator[i];
    }
  }
  return numerator / denominator;
}

/// sin(pi * x), exact at multiples of 1/2.
double sin_pi(double x) {
  const double y = fmod(std::fabs(x), 2.0);
  double result = 0.0;
  switch (static_cast<int>(std::round(2.0 * y))) {
    case 0: result = sin(kPi * y); break;
    case 1: result = cos(kPi * (y - 0.5)); break;
    case 2: result = sin(kPi * (1.0 - y)); break;
    case 3: result = -cos(kPi * (y - 1.5)); break;
    case 4: result = sin(kPi * (y - 2.0)); break;
  }
  return copysign(1.0, x) * result;
}

double gamma_function(double x) {
  if (!std::isfinite(x)) return std::isnan(x) || x > 0.0 ? x : Py_NAN;
  if (x == 0.0) return copysign(Py_HUGE_VAL, x);
  if (x == floor(x)) {
    if (x < 0.0) return Py_NAN;
    if (x <= 23.0) {
      double result = 1.0;
      for (int i = 2; i < static_cast<int>(x); i++) result *= i;
      return result;
    }
  }
  const double size = std::fabs(x);
  if (size < 1e-20) return 1.0 / x;
  if (size > 200.0) return x < 0.0 ? 0.0 / sin_pi(x) : Py_HUGE_VAL;
  const double y = size + kLanczosGMinusHalf;
  double z;
  if (size > kLanczosGMinusHalf) {
    const double q = y - size;
    z = q - kLanczosGMinusHalf;
  } else {
    const double q = y - kLanczosGMinusHalf;
    z = q - size;
  }
  z = z * kLanczosG / y;  // corrects for the rounding of y
  double result;
  if (x < 0.0) {
    result = -kPi / sin_pi(size) / size * exp(y) / lanczos_sum(size);
    result -= z * result;
  } else {
    result = lanczos_sum(size) / exp(y);
    result += z * result;
  }
  // The power can overflow where the result doesn't: apply it in two halves.
  if (size < 140.0) {
    const double power = pow(y, size - 0.5);
    return x < 0.0 ? result / power : result * power;
  }
  const double half = pow(y, size / 2.0 - 0.25);
  return x < 0.0 ? result / half / half : result * half * half;
}

double log_gamma(double x) {
  if (!std::isfinite(x)) return std::isnan(x) ? x : Py_HUGE_VAL;
  if (x == floor(x) && x <= 2.0) return x <= 0.0 ? Py_HUGE_VAL : 0.0;
  const double size = std::fabs(x);
  if (size < 1e-20) return -log(size);
  double result = log(lanczos_sum(size)) - kLanczosG;
  result += (size - 0.5) * (log(size + kLanczosG - 0.5) - 1);
  if (x < 0.0) result = kLogPi - log(std::fabs(sin_pi(size))) - log(size) - result;
  return result;
}

PyObject* math_gamma(PyObject*, double x) {
  const double result = gamma_function(x);
  if (x == 0.0) return domain_error();
  return check_unary(x, result, Infinite::kRange);
}
PyObject* math_lgamma(PyObject*, double x) {
  if (std::isfinite(x) && x == floor(x) && x <= 0.0) return domain_error();
  return check_unary(x, log_gamma(x), Infinite::kRange);
}

// Logarithms --------------------------------------------------------------------------------------------------------

double natural_log(double x) { return x > 0.0 || std::isnan(x) ? log(x) : Py_NAN; }
double binary_log(double x) { return x > 0.0 || std::isnan(x) ? log2(x) : Py_NAN; }
double decimal_log(double x) { return x > 0.0 || std::isnan(x) ? log10(x) : Py_NAN; }

/// Logarithm of any number; ints that no double can hold go through mantissa and exponent.
template <double (*Function)(double)>
PyObject* logarithm(PyObject* argument) {
  if (PyLong_Check(argument)) {
    if (Py_SIZE(argument) <= 0) return domain_error();
    double x = PyLong_AsDouble(argument);
    if (x == -1.0 && PyErr_Occurred()) {
      if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return nullptr;
      PyErr_Clear();
      Py_ssize_t exponent;
      x = _PyLong_Frexp(as_long(argument), &exponent);
      if (x == -1.0 && PyErr_Occurred()) return nullptr;
      return float_from_double(Function(x) + Function(2.0) * static_cast<double>(exponent));
    }
    return float_from_double(Function(x));
  }
  const double x = PyFloat_AsDouble(argument);
  if (x == -1.0 && PyErr_Occurred()) return nullptr;
  if (x == Py_HUGE_VAL) return float_from_double(x);
  return check_unary(x, Function(x), Infinite::kDomain);
}

PyObject* math_log(PyObject*, Borrowed<> x, PyObject* base) {
  Ref<> numerator = Ref<>::steal(logarithm<natural_log>(x));
  if (!numerator || base == nullptr) return numerator.release();
  Ref<> denominator = Ref<>::steal(logarithm<natural_log>(base));
  if (!denominator) return nullptr;
  return PyNumber_TrueDivide(numerator.get(), denominator.get());
}
PyObject* math_log2(PyObject*, Borrowed<> x) { return logarithm<binary_log>(x); }
PyObject* math_log10(PyObject*, Borrowed<> x) { return logarithm<decimal_log>(x); }
PyObject* math_log1p(PyObject*, double x) {
  if (x <= -1.0) return domain_error();
  return check_unary(x, x == 0.0 ? x : log1p(x), Infinite::kDomain);
}

// Powers and remainders ---------------------------------------------------------------------------------------------

PyObject* math_pow(PyObject*, double x, double y) {
  if (!std::isfinite(x) || !std::isfinite(y)) {
    double result = 0.0;
    if (std::isnan(x)) {
      result = y == 0.0 ? 1.0 : x;
    } else if (std::isnan(y)) {
      result = x == 1.0 ? 1.0 : y;
    } else if (std::isinf(x)) {
      const bool odd = std::isfinite(y) && fmod(std::fabs(y), 2.0) == 1.0;
      if (y > 0.0) {
        result = odd ? x : std::fabs(x);
      } else if (y == 0.0) {
        result = 1.0;
      } else {
        result = odd ? copysign(0.0, x) : 0.0;
      }
    } else {  // y is infinite
      if (std::fabs(x) == 1.0) {
        result = 1.0;
      } else if (y > 0.0 ? std::fabs(x) > 1.0 : std::fabs(x) < 1.0) {
        result = std::fabs(y);
      }
    }
    return float_from_double(result);
  }
  const double result = pow(x, y);
  if (std::isnan(result)) return domain_error();
  if (std::isinf(result)) return x == 0.0 ? static_cast<PyObject*>(domain_error()) : range_error();
  return float_from_double(result);
}

PyObject* math_fmod(PyObject*, double x, double y) {
  if (std::isinf(y) && std::isfinite(x)) return float_from_double(x);
  const double result = fmod(x, y);
  if (std::isnan(result) && !std::isnan(x) && !std::isnan(y)) return domain_error();
  return float_from_double(result);
}
PyObject* math_modf(PyObject*, double x) {
  if (std::isinf(x)) return Py_BuildValue("(dd)", copysign(0.0, x), x);
  double whole;
  const double fraction = modf(x, &whole);
  return Py_BuildValue("(dd)", fraction, whole);
}
PyObject* math_frexp(PyObject*, double x) {
  int exponent = 0;
  if (std::isfinite(x) && x != 0.0) x = frexp(x, &exponent);
  return Py_BuildValue("(di)", x, exponent);
}

PyObject* math_ldexp(PyObject*, double x, Borrowed<> exponent_object) {
  if (!PyLong_Check(exponent_object.get())) return raise(PyExc_TypeError, "Expected an int as second argument to ldexp.");
  int overflow;
  long exponent = PyLong_AsLongAndOverflow(exponent_object, &overflow);
  if (exponent == -1 && overflow == 0 && PyErr_Occurred()) return nullptr;
  if (overflow != 0) exponent = overflow < 0 ? LONG_MIN : LONG_MAX;
  if (x == 0.0 || !std::isfinite(x)) return float_from_double(x);
  if (exponent > INT_MAX) return range_error();
  if (exponent < INT_MIN) return float_from_double(copysign(0.0, x));
  const double result = ldexp(x, static_cast<int>(exponent));
  return std::isinf(result) ? static_cast<PyObject*>(range_error()) : float_from_double(result);
}

// Rounding ----------------------------------------------------------------------------------------------------------

PyObject* call_special(PyObject* x, const char* name, bool* found) {
  *found = true;
  Ref<> interned = Ref<>::steal(PyUnicode_InternFromString(name));
  if (!interned) return nullptr;
  Ref<> function = Ref<>::steal(_PyObject_LookupSpecial(x, interned.get()));
  *found = static_cast<bool>(function) || PyErr_Occurred();
  return function ? _PyObject_CallNoArgs(function.get()) : nullptr;
}
PyObject* math_ceil(PyObject*, Borrowed<> x) {
  if (PyFloat_CheckExact(x.get())) return PyLong_FromDouble(ceil(PyFloat_AS_DOUBLE(x.get())));
  bool found;
  PyObject* result = call_special(x, "__ceil__", &found);
  if (found) return result;
  const double value = PyFloat_AsDouble(x);
  return value == -1.0 && PyErr_Occurred() ? nullptr : PyLong_FromDouble(ceil(value));
}
PyObject* math_floor(PyObject*, Borrowed<> x) {
  if (PyFloat_CheckExact(x.get())) return PyLong_FromDouble(floor(PyFloat_AS_DOUBLE(x.get())));
  bool found;
  PyObject* result = call_special(x, "__floor__", &found);
  if (found) return result;
  const double value = PyFloat_AsDouble(x);
  return value == -1.0 && PyErr_Occurred() ? nullptr : PyLong_FromDouble(floor(value));
}
PyObject* math_trunc(PyObject*, Borrowed<> x) {
  if (PyFloat_CheckExact(x.get())) return PyLong_FromDouble(PyFloat_AS_DOUBLE(x.get()));
  bool found;
  PyObject* result = call_special(x, "__trunc__", &found);
  if (found) return result;
  return raise(PyExc_TypeError, "type %.100s doesn't define __trunc__ method", Py_TYPE(x.get())->tp_name);
}

// Floating-point structure ------------------------------------------------------------------------------------------

PyObject* math_isfinite(PyObject*, double x) { return PyBool_FromLong(std::isfinite(x)); }
PyObject* math_isinf(PyObject*, double x) { return PyBool_FromLong(std::isinf(x)); }
PyObject* math_isnan(PyObject*, double x) { return PyBool_FromLong(std::isnan(x)); }
PyObject* math_degrees(PyObject*, double x) { return float_from_double(x * (180.0 / kPi)); }
PyObject* math_radians(PyObject*, double x) { return float_from_double(x * (kPi / 180.0)); }
PyObject* math_copysign(PyObject*, double x, double y) { return float_from_double(copysign(x, y)); }
PyObject* math_nextafter(PyObject*, double x, double y) { return float_from_double(nextafter(x, y)); }
PyObject* math_ulp(PyObject*, double x) {
  if (std::isnan(x)) return float_from_double(x);
  x = std::fabs(x);
  if (std::isinf(x)) return float_from_double(x);
  const double above = nextafter(x, Py_HUGE_VAL);
  return float_from_double(std::isinf(above) ? x - nextafter(x, -Py_HUGE_VAL) : above - x);
}

PyObject* math_isclose(PyObject*, double a, double b, Optional<double> relative, Optional<double> absolute) {
  const double rel_tol = relative.value_or(1e-9);
  const double abs_tol = absolute.value_or(0.0);
  if (rel_tol < 0.0 || abs_tol < 0.0) return raise(PyExc_ValueError, "tolerances must be non-negative");
  if (a == b) Py_RETURN_TRUE;
  if (std::isinf(a) || std::isinf(b)) Py_RETURN_FALSE;
  const double difference = std::fabs(b - a);
  return PyBool_FromLong(difference <= std::fabs(rel_tol * b) || difference <= std::fabs(rel_tol * a) || difference <= abs_tol);
}

// Sums and norms ----------------------------------------------------------------------------------------------------

/// Exact sum of doubles: Shewchuk's non-overlapping partial sums, smallest first.
class ExactSum {
 public:
  ~ExactSum() {
    if (partials_ != inline_) PyMem_Free(partials_);
  }
  Status add(double x) {
    const double original = x;
    Py_ssize_t kept = 0;
    for (Py_ssize_t i = 0; i < count_; i++) {
      double y = partials_[i];
      if (std::fabs(x) < std::fabs(y)) std::swap(x, y);
      const double high = x + y;
      const double low = y - (high - x);
      if (low != 0.0) partials_[kept++] = low;
      x = high;
    }
    count_ = kept;
    if (x == 0.0) return Status::kOk;
    if (!std::isfinite(x)) {
      // Either the argument was not finite or the sum has overflowed on the way.
      if (std::isfinite(original)) return raise(PyExc_OverflowError, "intermediate overflow in fsum");
      if (std::isinf(original)) infinities_ += original;
      special_ += original;
      count_ = 0;
      return Status::kOk;
    }
    if (count_ == capacity_) VM_CHECK(grow());
    partials_[count_++] = x;
    return Status::kOk;
  }
  PyObject* result() {
    if (special_ != 0.0) {
      if (std::isnan(infinities_)) return raise(PyExc_ValueError, "-inf + inf in fsum");
      return float_from_double(special_);
    }
    double high = 0.0;
    Py_ssize_t n = count_;
    if (n > 0) {
      high = partials_[--n];
      double low = 0.0;
      while (n > 0) {
        const double x = high;
        const double y = partials_[--n];
        high = x + y;
        low = y - (high - x);
        if (low != 0.0) break;
      }
      // Round half to even over all partials: a tie is decided by the sign of what follows.
      if (n > 0 && ((low < 0.0 && partials_[n - 1] < 0.0) || (low > 0.0 && partials_[n - 1] > 0.0))) {
        const double y = low * 2.0;
        const double x = high + y;
        if (y == x - high) high = x;
      }
    }
    return float_from_double(high);
  }

 private:
  Status grow() {
    const Py_ssize_t capacity = capacity_ * 2;
    double* memory = static_cast<double*>(PyMem_Malloc(static_cast<size_t>(capacity) * sizeof(double)));
    if (memory == nullptr) {
      PyErr_SetString(PyExc_MemoryError, "math.fsum partials");
      return Status::kError;
    }
    memcpy(memory, partials_, static_cast<size_t>(count_) * sizeof(double));
    if (partials_ != inline_) PyMem_Free(partials_);
    partials_ = memory;
    capacity_ = capacity;
    return Status::kOk;
  }
  double inline_[32];
  double* partials_ = inline_;
  Py_ssize_t count_ = 0;
  Py_ssize_t capacity_ = 32;
  double special_ = 0.0;
  double infinities_ = 0.0;
};

PyObject* math_fsum(PyObject*, Borrowed<> values) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(values));
  if (!iterator) return nullptr;
  ExactSum sum;
  while (Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()))) {
    const double x = PyFloat_AsDouble(item.get());
    if (x == -1.0 && PyErr_Occurred()) return nullptr;
    if (!ok(sum.add(x))) return nullptr;
  }
  return PyErr_Occurred() ? nullptr : sum.result();
}

/// Euclidean length, correctly rounded but for rare ties: scaled by a power of two, squares summed in twice the
/// precision, the root corrected by its own error.
double vector_norm(Py_ssize_t n, double* values, double largest, bool has_nan) {
  if (std::isinf(largest)) return largest;
  if (has_nan) return Py_NAN;
  if (largest == 0.0 || n <= 1) return largest;
  int exponent;
  frexp(largest, &exponent);
  double high = 0.0;
  double low = 0.0;
  for (Py_ssize_t i = 0; i < n; i++) {
    const double x = ldexp(values[i], -exponent);
    const double square = x * x;
    low += __builtin_fma(x, x, -square);
    const double sum = high + square;
    low += high >= square ? (high - sum) + square : (square - sum) + high;
    high = sum;
  }
  const double root = sqrt(high + low);
  const double square = root * root;
  const double error = __builtin_fma(-root, root, square);  // square minus the exact root**2, negated parts first
  const double rest = ((high - square) + error) + low;
  return ldexp(root + rest / (2.0 * root), exponent);
}

/// Collects |coordinates|; keeps the largest and whether there was a NaN.
class Coordinates {
 public:
  explicit Coordinates(Py_ssize_t n) : values_(n) {}
  explicit operator bool() const { return static_cast<bool>(values_); }
  void add(double x) {
    x = std::fabs(x);
    has_nan_ |= std::isnan(x);
    if (x > largest_) largest_ = x;
    values_[count_++] = x;
  }
  double norm() { return vector_norm(count_, values_.get(), largest_, has_nan_); }

 private:
  Scratch<double, 32> values_;
  Py_ssize_t count_ = 0;
  double largest_ = 0.0;
  bool has_nan_ = false;
};

PyObject* math_hypot(PyObject*, Arguments args) {
  Coordinates coordinates(static_cast<Py_ssize_t>(args.size()));
  if (!coordinates) return nullptr;
  for (PyObject* item : args) {
    const double x = PyFloat_AsDouble(item);
    if (x == -1.0 && PyErr_Occurred()) return nullptr;
    coordinates.add(x);
  }
  return float_from_double(coordinates.norm());
}

PyObject* math_dist(PyObject*, Borrowed<> p, Borrowed<> q) {
  Ref<> a = Ref<>::steal(PySequence_Tuple(p));
  if (!a) return nullptr;
  Ref<> b = Ref<>::steal(PySequence_Tuple(q));
  if (!b) return nullptr;
  const Py_ssize_t n = PyTuple_GET_SIZE(a.get());
  if (n != PyTuple_GET_SIZE(b.get())) return raise(PyExc_ValueError, "both points must have the same number of dimensions");
  Coordinates coordinates(n);
  if (!coordinates) return nullptr;
  for (Py_ssize_t i = 0; i < n; i++) {
    const double x = PyFloat_AsDouble(PyTuple_GET_ITEM(a.get(), i));
    if (x == -1.0 && PyErr_Occurred()) return nullptr;
    const double y = PyFloat_AsDouble(PyTuple_GET_ITEM(b.get(), i));
    if (y == -1.0 && PyErr_Occurred()) return nullptr;
    coordinates.add(x - y);
  }
  return float_from_double(coordinates.norm());
}

PyObject* math_prod(PyObject*, Borrowed<> iterable, PyObject* start) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  Ref<> product = start != nullptr ? Ref<>::dup(start) : Ref<>::steal(small_int(1));
  // FAST: float products stay unboxed while only floats and small ints come.
  if (PyFloat_CheckExact(product.get())) {
    double value = PyFloat_AS_DOUBLE(product.get());
    for (;;) {
      Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()));
      if (!item) return PyErr_Occurred() ? nullptr : float_from_double(value);
      if (PyFloat_CheckExact(item.get())) {
        value *= PyFloat_AS_DOUBLE(item.get());
      } else if (PyLong_CheckExact(item.get()) && is_compact(as_long(item.get()))) {
        value *= static_cast<double>(compact_value(as_long(item.get())));
      } else {
        product = Ref<>::steal(float_from_double(value));
        if (!product) return nullptr;
        product = Ref<>::steal(PyNumber_Multiply(product.get(), item.get()));
        if (!product) return nullptr;
        break;
      }
    }
  }
  while (Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()))) {
    product = Ref<>::steal(PyNumber_Multiply(product.get(), item.get()));
    if (!product) return nullptr;
  }
  return PyErr_Occurred() ? nullptr : product.release();
}

// Integers ----------------------------------------------------------------------------------------------------------

Ref<> to_index(PyObject* object) {
  return PyLong_CheckExact(object) ? Ref<>::dup(object) : Ref<>::steal(PyNumber_Index(object));
}

PyObject* math_gcd(PyObject*, Arguments args) {
  Ref<> result = Ref<>::steal(small_int(0));
  for (PyObject* item : args) {
    Ref<> number = to_index(item);
    if (!number) return nullptr;
    if (result.get() == _PyLong_GetOne()) continue;  // can't change any more, but types are still checked
    result = Ref<>::steal(_PyLong_GCD(result.get(), number.get()));
    if (!result) return nullptr;
  }
  return result.release();
}

PyObject* math_lcm(PyObject*, Arguments args) {
  Ref<> result = Ref<>::steal(small_int(1));
  for (PyObject* item : args) {
    Ref<> number = to_index(item);
    if (!number) return nullptr;
    if (Py_SIZE(result.get()) == 0) continue;
    if (Py_SIZE(number.get()) == 0) {
      result = std::move(number);
      continue;
    }
    Ref<> divisor = Ref<>::steal(_PyLong_GCD(result.get(), number.get()));
    if (!divisor) return nullptr;
    Ref<> part = Ref<>::steal(int_floor_divide(as_long(result.get()), as_long(divisor.get())));
    if (!part) return nullptr;
    result = Ref<>::steal(int_multiply(as_long(part.get()), as_long(number.get())));
    if (!result) return nullptr;
    if (is_negative(as_long(result.get()))) {
      result = Ref<>::steal(int_negative(as_long(result.get())));
      if (!result) return nullptr;
    }
  }
  return result.release();
}

PyObject* math_isqrt(PyObject*, Borrowed<> n) {
  Ref<> number = to_index(n);
  if (!number) return nullptr;
  if (is_negative(as_long(number.get()))) return raise(PyExc_ValueError, "isqrt() argument must be nonnegative");
  return int_square_root(as_long(number.get()));
}

/// Product of low..high (low <= high) by halving, so that factors of like size meet. Returns new.
PyObject* product_of_range(uint64_t low, uint64_t high) {
  if (high - low < 16) {
    unsigned __int128 product = 1;
    PyObject* result = nullptr;
    for (uint64_t i = low;; i++) {
      if (product >> 63 != 0 || (product != 0 && i > UINT64_MAX / static_cast<uint64_t>(product))) {
        PyObject* part = int_from_wide128(false, product);
        if (part == nullptr) {
          Py_XDECREF(result);
          return nullptr;
        }
        if (result == nullptr) {
          result = part;
        } else {
          Py_SETREF(result, int_multiply(as_long(result), as_long(part)));
          Py_DECREF(part);
          if (result == nullptr) return nullptr;
        }
        product = 1;
      }
      product *= i;
      if (i == high) break;
    }
    PyObject* part = int_from_wide128(false, product);
    if (result == nullptr || part == nullptr) {
      Py_XDECREF(result);
      return part;
    }
    Py_SETREF(result, int_multiply(as_long(result), as_long(part)));
    Py_DECREF(part);
    return result;
  }
  const uint64_t middle = low + (high - low) / 2;
  Ref<> left = Ref<>::steal(product_of_range(low, middle));
  if (!left) return nullptr;
  Ref<> right = Ref<>::steal(product_of_range(middle + 1, high));
  if (!right) return nullptr;
  return int_multiply(as_long(left.get()), as_long(right.get()));
}

PyObject* math_factorial(PyObject*, Borrowed<> argument) {
  int overflow;
  const long n = PyLong_AsLongAndOverflow(argument, &overflow);
  if (n == -1 && overflow == 0 && PyErr_Occurred()) return nullptr;
  if (overflow > 0) return raise(PyExc_OverflowError, "factorial() argument should not exceed %ld", LONG_MAX);
  if (overflow < 0 || n < 0) return raise(PyExc_ValueError, "factorial() not defined for negative values");
  return n < 2 ? small_int(1) : product_of_range(1, static_cast<uint64_t>(n));
}

/// n * (n - 1) * ... (k factors) for an n of any size. Returns new.
PyObject* falling_product(PyObject* n, uint64_t k) {
  if (k == 0) return small_int(1);
  int overflow;
  const long small = PyLong_AsLongAndOverflow(n, &overflow);
  if (overflow == 0) return product_of_range(static_cast<uint64_t>(small) - k + 1, static_cast<uint64_t>(small));
  if (k == 1) return Py_NewRef(n);
  Ref<> half = Ref<>::steal(PyLong_FromUnsignedLongLong(k / 2));
  if (!half) return nullptr;
  Ref<> lower = Ref<>::steal(int_subtract(as_long(n), as_long(half.get())));
  if (!lower) return nullptr;
  Ref<> left = Ref<>::steal(falling_product(n, k / 2));
  if (!left) return nullptr;
  Ref<> right = Ref<>::steal(falling_product(lower.get(), k - k / 2));
  if (!right) return nullptr;
  return int_multiply(as_long(left.get()), as_long(right.get()));
}

PyObject* math_perm(PyObject* module, Borrowed<> n_object, PyObject* k_object) {
  if (k_object == nullptr || k_object == Py_None) return math_factorial(module, n_object);
  Ref<> n = to_index(n_object);
  if (!n) return nullptr;
  Ref<> k = to_index(k_object);
  if (!k) return nullptr;
  if (is_negative(as_long(n.get()))) return raise(PyExc_ValueError, "n must be a non-negative integer");
  if (is_negative(as_long(k.get()))) return raise(PyExc_ValueError, "k must be a non-negative integer");
  if (int_compare(as_long(n.get()), as_long(k.get())) < 0) return small_int(0);
  int overflow;
  const long long factors = PyLong_AsLongLongAndOverflow(k.get(), &overflow);
  if (overflow != 0) return raise(PyExc_OverflowError, "k must not exceed %lld", LLONG_MAX);
  return falling_product(n.get(), static_cast<uint64_t>(factors));
}

/// C(n, k) by C(n, k) = C(n, j) * C(n - j, k - j) / C(k, j) with j = k / 2. Returns new.
PyObject* binomial(PyObject* n, uint64_t k) {
  if (k == 0) return small_int(1);
  if (k == 1) return Py_NewRef(n);
  int overflow;
  const long small = PyLong_AsLongAndOverflow(n, &overflow);
  if (overflow == 0 && small <= 66) {  // FAST: every step stays exact in 128 bits
    unsigned __int128 result = 1;
    for (uint64_t i = 1; i <= k; i++) result = result * static_cast<uint64_t>(small - static_cast<long>(k - i)) / i;
    return int_from_wide128(false, result);
  }
  if (k <= 20) {
    Ref<> top = Ref<>::steal(falling_product(n, k));
    if (!top) return nullptr;
    Ref<> bottom = Ref<>::steal(product_of_range(1, k));
    return bottom ? int_floor_divide(as_long(top.get()), as_long(bottom.get())) : nullptr;
  }
  const uint64_t j = k / 2;
  Ref<> j_object = Ref<>::steal(PyLong_FromUnsignedLongLong(j));
  Ref<> k_object = Ref<>::steal(PyLong_FromUnsignedLongLong(k));
  if (!j_object || !k_object) return nullptr;
  Ref<> a = Ref<>::steal(binomial(n, j));
  if (!a) return nullptr;
  Ref<> rest = Ref<>::steal(int_subtract(as_long(n), as_long(j_object.get())));
  if (!rest) return nullptr;
  Ref<> b = Ref<>::steal(binomial(rest.get(), k - j));
  if (!b) return nullptr;
  Ref<> product = Ref<>::steal(int_multiply(as_long(a.get()), as_long(b.get())));
  if (!product) return nullptr;
  Ref<> c = Ref<>::steal(binomial(k_object.get(), j));
  return c ? int_floor_divide(as_long(product.get()), as_long(c.get())) : nullptr;
}

PyObject* math_comb(PyObject*, Borrowed<> n_object, Borrowed<> k_object) {
  Ref<> n = to_index(n_object);
  if (!n) return nullptr;
  Ref<> k = to_index(k_object);
  if (!k) return nullptr;
  if (is_negative(as_long(n.get()))) return raise(PyExc_ValueError, "n must be a non-negative integer");
  if (is_negative(as_long(k.get()))) return raise(PyExc_ValueError, "k must be a non-negative integer");
  Ref<> other = Ref<>::steal(int_subtract(as_long(n.get()), as_long(k.get())));
  if (!other) return nullptr;
  if (is_negative(as_long(other.get()))) return small_int(0);
  PyObject* smaller = int_compare(as_long(other.get()), as_long(k.get())) < 0 ? other.get() : k.get();
  int overflow;
  const long long factors = PyLong_AsLongLongAndOverflow(smaller, &overflow);
  if (overflow != 0) return raise(PyExc_OverflowError, "min(n - k, k) must not exceed %lld", LLONG_MAX);
  return binomial(n.get(), static_cast<uint64_t>(factors));
}

double square_root(double x) { return sqrt(x); }

#define UNARY(name, function, infinite, doc) method<unary<function, Infinite::infinite>, name "($module, x, /)", doc>()
// libm's functions are overloaded in <cmath>: the global ones take doubles only.
PyMethodDef math_methods[] = {
    UNARY("acos", ::acos, kDomain, "Arc cosine in radians, between 0 and pi."),
    UNARY("acosh", ::acosh, kDomain, "Inverse hyperbolic cosine."),
    UNARY("asin", ::asin, kDomain, "Arc sine in radians, between -pi/2 and pi/2."),
    UNARY("asinh", ::asinh, kDomain, "Inverse hyperbolic sine."),
    UNARY("atan", ::atan, kDomain, "Arc tangent in radians, between -pi/2 and pi/2."),
    method<binary<::atan2>, "atan2($module, y, x, /)", "Arc tangent of y/x in radians, in the quadrant of (x, y).">(),
    UNARY("atanh", ::atanh, kDomain, "Inverse hyperbolic tangent."),
    UNARY("cbrt", ::cbrt, kDomain, "Cube root."),
    method<math_ceil, "ceil($module, x, /)", "The smallest integer not below x.">(),
    method<math_comb, "comb($module, n, k, /)", "How many ways there are to choose k of n items, in no order.">(),
    method<math_copysign, "copysign($module, x, y, /)", "The magnitude of x with the sign of y.">(),
    UNARY("cos", ::cos, kDomain, "Cosine of x radians."),
    UNARY("cosh", ::cosh, kRange, "Hyperbolic cosine."),
    method<math_degrees, "degrees($module, x, /)", "Radians to degrees.">(),
    method<math_dist, "dist($module, p, q, /)", "Euclidean distance between two points.">(),
    UNARY("erf", ::erf, kDomain, "Error function."),
    UNARY("erfc", ::erfc, kDomain, "Complementary error function."),
    UNARY("exp", ::exp, kRange, "e to the power of x."),
    UNARY("exp2", ::exp2, kRange, "2 to the power of x."),
    UNARY("expm1", ::expm1, kRange, "exp(x) - 1, precise for small x."),
    UNARY("fabs", ::fabs, kDomain, "Absolute value as a float."),
    method<math_factorial, "factorial($module, n, /)", "n! for an integer n.">(),
    method<math_floor, "floor($module, x, /)", "The largest integer not above x.">(),
    method<math_fmod, "fmod($module, x, y, /)", "C's fmod: the remainder has the sign of x.">(),
    method<math_frexp, "frexp($module, x, /)", "(m, e) with x == m * 2**e and 0.5 <= abs(m) < 1, or (0, 0).">(),
    method<math_fsum, "fsum($module, seq, /)", "The exactly rounded sum of floats.">(),
    method<math_gamma, "gamma($module, x, /)", "Gamma function.">(),
    method<math_gcd, "gcd(*args)", "Greatest common divisor.">(),
    method<math_hypot, "hypot(*args)", "hypot(*coordinates) -> value\n\nEuclidean distance from the origin.">(),
    method<math_isclose, "isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)",
           "Whether two numbers differ by no more than a relative or an absolute tolerance.">(),
    method<math_isfinite, "isfinite($module, x, /)", "Whether x is neither infinite nor NaN.">(),
    method<math_isinf, "isinf($module, x, /)", "Whether x is infinite.">(),
    method<math_isnan, "isnan($module, x, /)", "Whether x is NaN.">(),
    method<math_isqrt, "isqrt($module, n, /)", "The integer part of the square root of an integer.">(),
    method<math_lcm, "lcm(*args)", "Least common multiple.">(),
    method<math_ldexp, "ldexp($module, x, i, /)", "x * 2**i.">(),
    method<math_lgamma, "lgamma($module, x, /)", "Natural logarithm of the absolute value of the gamma function.">(),
    method<math_log, "log(x, base=None, /)", "log(x, [base=math.e])\nThe logarithm of x to a base, e if left out.">(),
    method<math_log10, "log10($module, x, /)", "Logarithm to base 10.">(),
    method<math_log1p, "log1p($module, x, /)", "Natural logarithm of 1 + x, precise for small x.">(),
    method<math_log2, "log2($module, x, /)", "Logarithm to base 2.">(),
    method<math_modf, "modf($module, x, /)", "Fractional and integer part, both with the sign of x.">(),
    method<math_nextafter, "nextafter($module, x, y, /)", "The next float after x towards y.">(),
    method<math_perm, "perm($module, n, k=None, /)", "How many ways there are to choose k of n items, in order.">(),
    method<math_pow, "pow($module, x, y, /)", "x to the power of y.">(),
    method<math_prod, "prod($module, iterable, /, *, start=1)", "The product of the items, times start.">(),
    method<math_radians, "radians($module, x, /)", "Degrees to radians.">(),
    method<binary<::remainder>, "remainder($module, x, y, /)", "IEEE 754's remainder: x - n*y with n the integer nearest to x/y.">(),
    UNARY("sin", ::sin, kDomain, "Sine of x radians."),
    UNARY("sinh", ::sinh, kRange, "Hyperbolic sine."),
    UNARY("sqrt", square_root, kDomain, "Square root."),
    UNARY("tan", ::tan, kDomain, "Tangent of x radians."),
    UNARY("tanh", ::tanh, kDomain, "Hyperbolic tangent."),
    method<math_trunc, "trunc($module, x, /)", "x truncated to an integer.">(),
    method<math_ulp, "ulp($module, x, /)", "The value of x's least significant bit.">(),
    {}};

int math_exec(PyObject* module) {
  const struct {
    const char* name;
    double value;
  } constants[] = {{"pi", Py_MATH_PI}, {"e", Py_MATH_E}, {"tau", Py_MATH_TAU}, {"inf", Py_HUGE_VAL}, {"nan", std::fabs(Py_NAN)}};
  for (const auto& constant : constants) {
    Ref<> value = Ref<>::steal(float_from_double(constant.value));
    if (!value || PyModule_AddObjectRef(module, constant.name, value.get()) < 0) return -1;
  }
  return 0;
}

PyModuleDef_Slot math_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(math_exec)}, {}};
PyModuleDef math_module = {
    PyModuleDef_HEAD_INIT, "math", "Mathematical functions of real numbers.", 0, math_methods, math_slots, nullptr, nullptr,
    nullptr,
};

}  // namespace

PyMODINIT_FUNC PyInit_math(void) { return PyModuleDef_Init(&math_module); }
