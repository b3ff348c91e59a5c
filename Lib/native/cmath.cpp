// The cmath module. Functions work on a pair of doubles and report errors as a status; special values (infinities, NaNs)
// follow C99 annex G, resolved by formulas where they are regular and by small tables where they aren't.
#include <cfloat>
#include <cmath>

#include "Objects/bind.h"
#include "Objects/numbers/float.h"

using namespace pyston;

namespace {

using Complex = Py_complex;
enum class Outcome { kOk, kDomain, kRange };

constexpr double kLn2 = 0.6931471805599453094;
constexpr double kLn10 = 2.302585092994045684;
constexpr double kLarge = DBL_MAX / 4.0;
const double kSqrtLarge = sqrt(kLarge);
const double kLogLarge = log(kLarge);
const double kSqrtMin = sqrt(DBL_MIN);
constexpr double kInf = __builtin_inf();
constexpr double kNan = __builtin_nan("");
constexpr double kPi = Py_MATH_PI;

// Special values: kind of the real part selects the row, of the imaginary part the column.
enum Kind { kNegInf, kNeg, kNegZero, kPosZero, kPos, kPosInf, kNotANumber };
Kind kind_of(double x) {
  if (std::isnan(x)) return kNotANumber;
  if (std::isinf(x)) return x < 0 ? kNegInf : kPosInf;
  if (x == 0.0) return std::signbit(x) ? kNegZero : kPosZero;
  return x < 0 ? kNeg : kPos;
}
bool is_finite(Complex z) { return std::isfinite(z.real) && std::isfinite(z.imag); }

constexpr double P = kPi;
constexpr double P14 = 0.25 * kPi;
constexpr double P12 = 0.5 * kPi;
constexpr double P34 = 0.75 * kPi;
constexpr double INF = kInf;
constexpr double N = kNan;
constexpr double U = -9.5426319407711027e33;  // a pair of finite parts: never looked up

// clang-format off
constexpr Complex kAcosValues[7][7] = {
    {{P34, INF}, {P, INF}, {P, INF}, {P, -INF}, {P, -INF}, {P34, -INF}, {N, INF}},
    {{P12, INF}, {U, U}, {U, U}, {U, U}, {U, U}, {P12, -INF}, {N, N}},
    {{P12, INF}, {U, U}, {P12, 0.}, {P12, -0.}, {U, U}, {P12, -INF}, {P12, N}},
    {{P12, INF}, {U, U}, {P12, 0.}, {P12, -0.}, {U, U}, {P12, -INF}, {P12, N}},
    {{P12, INF}, {U, U}, {U, U}, {U, U}, {U, U}, {P12, -INF}, {N, N}},
    {{P14, INF}, {0., INF}, {0., INF}, {0., -INF}, {0., -INF}, {P14, -INF}, {N, INF}},
    {{N, INF}, {N, N}, {N, N}, {N, N}, {N, N}, {N, -INF}, {N, N}}};
constexpr Complex kAcoshValues[7][7] = {
    {{INF, -P34}, {INF, -P}, {INF, -P}, {INF, P}, {INF, P}, {INF, P34}, {INF, N}},
    {{INF, -P12}, {U, U}, {U, U}, {U, U}, {U, U}, {INF, P12}, {N, N}},
    {{INF, -P12}, {U, U}, {0., -P12}, {0., P12}, {U, U}, {INF, P12}, {N, N}},
    {{INF, -P12}, {U, U}, {0., -P12}, {0., P12}, {U, U}, {INF, P12}, {N, N}},
    {{INF, -P12}, {U, U}, {U, U}, {U, U}, {U, U}, {INF, P12}, {N, N}},
    {{INF, -P14}, {INF, -0.}, {INF, -0.}, {INF, 0.}, {INF, 0.}, {INF, P14}, {INF, N}},
    {{INF, N}, {N, N}, {N, N}, {N, N}, {N, N}, {INF, N}, {N, N}}};
constexpr Complex kAsinhValues[7][7] = {
    {{-INF, -P14}, {-INF, -0.}, {-INF, -0.}, {-INF, 0.}, {-INF, 0.}, {-INF, P14}, {-INF, N}},
    {{-INF, -P12}, {U, U}, {U, U}, {U, U}, {U, U}, {-INF, P12}, {N, N}},
    {{-INF, -P12}, {U, U}, {-0., -0.}, {-0., 0.}, {U, U}, {-INF, P12}, {N, N}},
    {{INF, -P12}, {U, U}, {0., -0.}, {0., 0.}, {U, U}, {INF, P12}, {N, N}},
    {{INF, -P12}, {U, U}, {U, U}, {U, U}, {U, U}, {INF, P12}, {N, N}},
    {{INF, -P14}, {INF, -0.}, {INF, -0.}, {INF, 0.}, {INF, 0.}, {INF, P14}, {INF, N}},
    {{INF, N}, {N, N}, {N, -0.}, {N, 0.}, {N, N}, {INF, N}, {N, N}}};
constexpr Complex kAtanhValues[7][7] = {
    {{-0., -P12}, {-0., -P12}, {-0., -P12}, {-0., P12}, {-0., P12}, {-0., P12}, {-0., N}},
    {{-0., -P12}, {U, U}, {U, U}, {U, U}, {U, U}, {-0., P12}, {N, N}},
    {{-0., -P12}, {U, U}, {-0., -0.}, {-0., 0.}, {U, U}, {-0., P12}, {-0., N}},
    {{0., -P12}, {U, U}, {0., -0.}, {0., 0.}, {U, U}, {0., P12}, {0., N}},
    {{0., -P12}, {U, U}, {U, U}, {U, U}, {U, U}, {0., P12}, {N, N}},
    {{0., -P12}, {0., -P12}, {0., -P12}, {0., P12}, {0., P12}, {0., P12}, {0., N}},
    {{0., -P12}, {N, N}, {N, N}, {N, N}, {N, N}, {0., P12}, {N, N}}};
constexpr Complex kCoshValues[7][7] = {
    {{INF, N}, {U, U}, {INF, 0.}, {INF, -0.}, {U, U}, {INF, N}, {INF, N}},
    {{N, N}, {U, U}, {U, U}, {U, U}, {U, U}, {N, N}, {N, N}},
    {{N, 0.}, {U, U}, {1., 0.}, {1., -0.}, {U, U}, {N, 0.}, {N, 0.}},
    {{N, 0.}, {U, U}, {1., -0.}, {1., 0.}, {U, U}, {N, 0.}, {N, 0.}},
    {{N, N}, {U, U}, {U, U}, {U, U}, {U, U}, {N, N}, {N, N}},
    {{INF, N}, {U, U}, {INF, -0.}, {INF, 0.}, {U, U}, {INF, N}, {INF, N}},
    {{N, N}, {N, N}, {N, 0.}, {N, 0.}, {N, N}, {N, N}, {N, N}}};
constexpr Complex kExpValues[7][7] = {
    {{0., 0.}, {U, U}, {0., -0.}, {0., 0.}, {U, U}, {0., 0.}, {0., 0.}},
    {{N, N}, {U, U}, {U, U}, {U, U}, {U, U}, {N, N}, {N, N}},
    {{N, N}, {U, U}, {1., -0.}, {1., 0.}, {U, U}, {N, N}, {N, N}},
    {{N, N}, {U, U}, {1., -0.}, {1., 0.}, {U, U}, {N, N}, {N, N}},
    {{N, N}, {U, U}, {U, U}, {U, U}, {U, U}, {N, N}, {N, N}},
    {{INF, N}, {U, U}, {INF, -0.}, {INF, 0.}, {U, U}, {INF, N}, {INF, N}},
    {{N, N}, {N, N}, {N, -0.}, {N, 0.}, {N, N}, {N, N}, {N, N}}};
constexpr Complex kLogValues[7][7] = {
    {{INF, -P34}, {INF, -P}, {INF, -P}, {INF, P}, {INF, P}, {INF, P34}, {INF, N}},
    {{INF, -P12}, {U, U}, {U, U}, {U, U}, {U, U}, {INF, P12}, {N, N}},
    {{INF, -P12}, {U, U}, {-INF, -P}, {-INF, P}, {U, U}, {INF, P12}, {N, N}},
    {{INF, -P12}, {U, U}, {-INF, -0.}, {-INF, 0.}, {U, U}, {INF, P12}, {N, N}},
    {{INF, -P12}, {U, U}, {U, U}, {U, U}, {U, U}, {INF, P12}, {N, N}},
    {{INF, -P14}, {INF, -0.}, {INF, -0.}, {INF, 0.}, {INF, 0.}, {INF, P14}, {INF, N}},
    {{INF, N}, {N, N}, {N, N}, {N, N}, {N, N}, {INF, N}, {N, N}}};
constexpr Complex kSinhValues[7][7] = {
    {{INF, N}, {U, U}, {-INF, -0.}, {-INF, 0.}, {U, U}, {INF, N}, {INF, N}},
    {{N, N}, {U, U}, {U, U}, {U, U}, {U, U}, {N, N}, {N, N}},
    {{0., N}, {U, U}, {-0., -0.}, {-0., 0.}, {U, U}, {0., N}, {0., N}},
    {{0., N}, {U, U}, {0., -0.}, {0., 0.}, {U, U}, {0., N}, {0., N}},
    {{N, N}, {U, U}, {U, U}, {U, U}, {U, U}, {N, N}, {N, N}},
    {{INF, N}, {U, U}, {INF, -0.}, {INF, 0.}, {U, U}, {INF, N}, {INF, N}},
    {{N, N}, {N, N}, {N, -0.}, {N, 0.}, {N, N}, {N, N}, {N, N}}};
constexpr Complex kSqrtValues[7][7] = {
    {{INF, -INF}, {0., -INF}, {0., -INF}, {0., INF}, {0., INF}, {INF, INF}, {N, INF}},
    {{INF, -INF}, {U, U}, {U, U}, {U, U}, {U, U}, {INF, INF}, {N, N}},
    {{INF, -INF}, {U, U}, {0., -0.}, {0., 0.}, {U, U}, {INF, INF}, {N, N}},
    {{INF, -INF}, {U, U}, {0., -0.}, {0., 0.}, {U, U}, {INF, INF}, {N, N}},
    {{INF, -INF}, {U, U}, {U, U}, {U, U}, {U, U}, {INF, INF}, {N, N}},
    {{INF, -INF}, {INF, -0.}, {INF, -0.}, {INF, 0.}, {INF, 0.}, {INF, INF}, {INF, N}},
    {{INF, -INF}, {N, N}, {N, N}, {N, N}, {N, N}, {INF, INF}, {N, N}}};
constexpr Complex kTanhValues[7][7] = {
    {{-1., 0.}, {U, U}, {-1., -0.}, {-1., 0.}, {U, U}, {-1., 0.}, {-1., 0.}},
    {{N, N}, {U, U}, {U, U}, {U, U}, {U, U}, {N, N}, {N, N}},
    {{N, N}, {U, U}, {-0., -0.}, {-0., 0.}, {U, U}, {N, N}, {N, N}},
    {{N, N}, {U, U}, {0., -0.}, {0., 0.}, {U, U}, {N, N}, {N, N}},
    {{N, N}, {U, U}, {U, U}, {U, U}, {U, U}, {N, N}, {N, N}},
    {{1., 0.}, {U, U}, {1., -0.}, {1., 0.}, {U, U}, {1., 0.}, {1., 0.}},
    {{N, N}, {N, N}, {N, -0.}, {N, 0.}, {N, N}, {N, N}, {N, N}}};
constexpr Complex kRectValues[7][7] = {
    {{INF, N}, {U, U}, {-INF, 0.}, {-INF, -0.}, {U, U}, {INF, N}, {INF, N}},
    {{N, N}, {U, U}, {U, U}, {U, U}, {U, U}, {N, N}, {N, N}},
    {{0., 0.}, {U, U}, {-0., 0.}, {-0., -0.}, {U, U}, {0., 0.}, {0., 0.}},
    {{0., 0.}, {U, U}, {0., -0.}, {0., 0.}, {U, U}, {0., 0.}, {0., 0.}},
    {{N, N}, {U, U}, {U, U}, {U, U}, {U, U}, {N, N}, {N, N}},
    {{INF, N}, {U, U}, {INF, -0.}, {INF, 0.}, {U, U}, {INF, N}, {INF, N}},
    {{N, N}, {N, N}, {N, 0.}, {N, 0.}, {N, N}, {N, N}, {N, N}}};
// clang-format on

Complex special(const Complex (&table)[7][7], Complex z) { return table[kind_of(z.real)][kind_of(z.imag)]; }
Outcome range_check(Complex z) { return std::isinf(z.real) || std::isinf(z.imag) ? Outcome::kRange : Outcome::kOk; }

Complex square_root(Complex z, Outcome&) {
  if (!is_finite(z)) return special(kSqrtValues, z);
  if (z.real == 0.0 && z.imag == 0.0) return {0.0, z.imag};
  double ax = std::fabs(z.real);
  const double ay = std::fabs(z.imag);
  double s;
  if (ax < DBL_MIN && ay < DBL_MIN && (ax > 0. || ay > 0.)) {  // scale subnormals up
    constexpr int kUp = 2 * (DBL_MANT_DIG / 2) + 1;
    constexpr int kDown = -(kUp + 1) / 2;
    ax = ldexp(ax, kUp);
    s = ldexp(sqrt(ax + hypot(ax, ldexp(ay, kUp))), kDown);
  } else {
    ax /= 8.0;
    s = 2.0 * sqrt(ax + hypot(ax, ay / 8.0));
  }
  const double d = ay / (2.0 * s);
  if (z.real >= 0.0) return {s, copysign(d, z.imag)};
  return {d, copysign(s, z.imag)};
}

Complex arc_sinh(Complex z, Outcome& outcome) {
  if (!is_finite(z)) return special(kAsinhValues, z);
  if (std::fabs(z.real) > kLarge || std::fabs(z.imag) > kLarge) {
    const double size = log(hypot(z.real / 2.0, z.imag / 2.0)) + kLn2 * 2.0;
    return {copysign(size, z.real), atan2(z.imag, std::fabs(z.real))};
  }
  const Complex s1 = square_root({1.0 + z.imag, -z.real}, outcome);
  const Complex s2 = square_root({1.0 - z.imag, z.real}, outcome);
  return {asinh(s1.real * s2.imag - s2.real * s1.imag), atan2(z.imag, s1.real * s2.real - s1.imag * s2.imag)};
}
Complex arc_sin(Complex z, Outcome& outcome) {
  const Complex s = arc_sinh({-z.imag, z.real}, outcome);
  return {s.imag, -s.real};
}
Complex arc_cos(Complex z, Outcome& outcome) {
  if (!is_finite(z)) return special(kAcosValues, z);
  if (std::fabs(z.real) > kLarge || std::fabs(z.imag) > kLarge) {
    const double size = log(hypot(z.real / 2.0, z.imag / 2.0)) + kLn2 * 2.0;
    return {atan2(std::fabs(z.imag), z.real), z.real < 0.0 ? -copysign(size, z.imag) : copysign(size, -z.imag)};
  }
  const Complex s1 = square_root({1.0 - z.real, -z.imag}, outcome);
  const Complex s2 = square_root({1.0 + z.real, z.imag}, outcome);
  return {2.0 * atan2(s1.real, s2.real), asinh(s2.real * s1.imag - s2.imag * s1.real)};
}
Complex arc_cosh(Complex z, Outcome& outcome) {
  if (!is_finite(z)) return special(kAcoshValues, z);
  if (std::fabs(z.real) > kLarge || std::fabs(z.imag) > kLarge) {
    return {log(hypot(z.real / 2.0, z.imag / 2.0)) + kLn2 * 2.0, atan2(z.imag, z.real)};
  }
  const Complex s1 = square_root({z.real - 1.0, z.imag}, outcome);
  const Complex s2 = square_root({z.real + 1.0, z.imag}, outcome);
  return {asinh(s1.real * s2.real + s1.imag * s2.imag), 2.0 * atan2(s1.imag, s2.real)};
}
Complex arc_tanh(Complex z, Outcome& outcome) {
  if (!is_finite(z)) return special(kAtanhValues, z);
  if (z.real < 0.0 || (z.real == 0.0 && std::signbit(z.real))) {
    const Complex mirrored = arc_tanh({-z.real, -z.imag}, outcome);
    return {-mirrored.real, -mirrored.imag};
  }
  const double ay = std::fabs(z.imag);
  if (z.real > kSqrtLarge || ay > kSqrtLarge) {
    const double h = hypot(z.real / 2.0, z.imag / 2.0);
    // The result's imaginary part has the sign of z.imag, which the double negation keeps for zeros.
    return {z.real / 4.0 / h / h, -copysign(kPi / 2.0, -z.imag)};
  }
  if (z.real == 1.0 && ay < kSqrtMin) {
    if (ay == 0.0) {
      outcome = Outcome::kDomain;
      return {kInf, z.imag};
    }
    return {-log(sqrt(ay) / sqrt(hypot(ay, 2.0))), copysign(atan2(2.0, -ay) / 2, z.imag)};
  }
  return {log1p(4.0 * z.real / ((1 - z.real) * (1 - z.real) + ay * ay)) / 4.0,
          -atan2(-2.0 * z.imag, (1 - z.real) * (1 + z.real) - ay * ay) / 2.0};
}
Complex arc_tan(Complex z, Outcome& outcome) {
  const Complex s = arc_tanh({-z.imag, z.real}, outcome);
  return {s.imag, -s.real};
}

/// For infinite real part and finite non-zero imaginary part: (a*cos, b*sin) with infinite or zero a, b.
Complex directed(double a, double b, double angle) { return {copysign(a, cos(angle)), copysign(b, sin(angle))}; }

Complex hyperbolic_cos(Complex z, Outcome& outcome) {
  if (!is_finite(z)) {
    if (std::isinf(z.imag) && !std::isnan(z.real)) outcome = Outcome::kDomain;
    if (std::isinf(z.real) && std::isfinite(z.imag) && z.imag != 0.0) {
      const Complex r = directed(kInf, kInf, z.imag);
      return z.real > 0 ? r : Complex{r.real, -r.imag};
    }
    return special(kCoshValues, z);
  }
  Complex r;
  if (std::fabs(z.real) > kLogLarge) {
    const double x = z.real - copysign(1., z.real);
    r = {cos(z.imag) * cosh(x) * Py_MATH_E, sin(z.imag) * sinh(x) * Py_MATH_E};
  } else {
    r = {cos(z.imag) * cosh(z.real), sin(z.imag) * sinh(z.real)};
  }
  outcome = range_check(r);
  return r;
}
Complex hyperbolic_sin(Complex z, Outcome& outcome) {
  if (!is_finite(z)) {
    if (std::isinf(z.imag) && !std::isnan(z.real)) outcome = Outcome::kDomain;
    if (std::isinf(z.real) && std::isfinite(z.imag) && z.imag != 0.0) {
      const Complex r = directed(kInf, kInf, z.imag);
      return z.real > 0 ? r : Complex{-r.real, r.imag};
    }
    return special(kSinhValues, z);
  }
  Complex r;
  if (std::fabs(z.real) > kLogLarge) {
    const double x = z.real - copysign(1., z.real);
    r = {cos(z.imag) * sinh(x) * Py_MATH_E, sin(z.imag) * cosh(x) * Py_MATH_E};
  } else {
    r = {cos(z.imag) * sinh(z.real), sin(z.imag) * cosh(z.real)};
  }
  outcome = range_check(r);
  return r;
}
Complex hyperbolic_tan(Complex z, Outcome& outcome) {
  if (!is_finite(z)) {
    if (std::isinf(z.imag) && std::isfinite(z.real)) outcome = Outcome::kDomain;
    if (std::isinf(z.real) && std::isfinite(z.imag) && z.imag != 0.0) {
      return {z.real > 0 ? 1.0 : -1.0, copysign(0., 2.0 * sin(z.imag) * cos(z.imag))};
    }
    return special(kTanhValues, z);
  }
  if (std::fabs(z.real) > kLogLarge) {
    return {copysign(1., z.real), 4. * sin(z.imag) * cos(z.imag) * exp(-2. * std::fabs(z.real))};
  }
  const double tx = tanh(z.real);
  const double ty = tan(z.imag);
  const double cx = 1. / cosh(z.real);
  const double txty = tx * ty;
  const double denominator = 1. + txty * txty;
  return {tx * (1. + ty * ty) / denominator, ((ty / denominator) * cx) * cx};
}
Complex cosine(Complex z, Outcome& outcome) { return hyperbolic_cos({-z.imag, z.real}, outcome); }
Complex sine(Complex z, Outcome& outcome) {
  const Complex s = hyperbolic_sin({-z.imag, z.real}, outcome);
  return {s.imag, -s.real};
}
Complex tangent(Complex z, Outcome& outcome) {
  const Complex s = hyperbolic_tan({-z.imag, z.real}, outcome);
  return {s.imag, -s.real};
}

Complex exponential(Complex z, Outcome& outcome) {
  if (!is_finite(z)) {
    if (std::isinf(z.imag) && (std::isfinite(z.real) || (std::isinf(z.real) && z.real > 0))) outcome = Outcome::kDomain;
    if (std::isinf(z.real) && std::isfinite(z.imag) && z.imag != 0.0) {
      return z.real > 0 ? directed(kInf, kInf, z.imag) : directed(0., 0., z.imag);
    }
    return special(kExpValues, z);
  }
  Complex r;
  if (z.real > kLogLarge) {
    const double length = exp(z.real - 1.);
    r = {length * cos(z.imag) * Py_MATH_E, length * sin(z.imag) * Py_MATH_E};
  } else {
    const double length = exp(z.real);
    r = {length * cos(z.imag), length * sin(z.imag)};
  }
  outcome = range_check(r);
  return r;
}

Complex logarithm(Complex z, Outcome& outcome) {
  if (!is_finite(z)) return special(kLogValues, z);
  const double ax = std::fabs(z.real);
  const double ay = std::fabs(z.imag);
  double size;
  if (ax > kLarge || ay > kLarge) {
    size = log(hypot(ax / 2.0, ay / 2.0)) + kLn2;
  } else if (ax < DBL_MIN && ay < DBL_MIN) {
    if (ax <= 0. && ay <= 0.) {
      outcome = Outcome::kDomain;
      return {-kInf, atan2(z.imag, z.real)};
    }
    size = log(hypot(ldexp(ax, DBL_MANT_DIG), ldexp(ay, DBL_MANT_DIG))) - DBL_MANT_DIG * kLn2;
  } else {
    const double h = hypot(ax, ay);
    if (0.71 <= h && h <= 1.73) {  // near the unit circle: precise through log1p
      const double larger = ax > ay ? ax : ay;
      const double smaller = ax > ay ? ay : ax;
      size = log1p((larger - 1) * (larger + 1) + smaller * smaller) / 2.;
    } else {
      size = log(h);
    }
  }
  return {size, atan2(z.imag, z.real)};
}
Complex logarithm10(Complex z, Outcome& outcome) {
  const Complex r = logarithm(z, outcome);
  return {r.real / kLn10, r.imag / kLn10};
}

/// An argument through __complex__, __float__ or __index__.
bool to_complex(PyObject* object, Complex& out) {
  out = PyComplex_AsCComplex(object);
  return !(out.real == -1.0 && PyErr_Occurred());
}
PyObject* finish(Complex result, Outcome outcome) {
  if (outcome == Outcome::kDomain) return raise(PyExc_ValueError, "math domain error");
  if (outcome == Outcome::kRange) return raise(PyExc_OverflowError, "math range error");
  return PyComplex_FromCComplex(result);
}

template <Complex (*Function)(Complex, Outcome&)>
PyObject* unary(PyObject*, Borrowed<> argument) {
  Complex z;
  if (!to_complex(argument, z)) return nullptr;
  Outcome outcome = Outcome::kOk;
  const Complex result = Function(z, outcome);
  return finish(result, outcome);
}

PyObject* cmath_log(PyObject*, Borrowed<> argument, PyObject* base_object) {
  Complex z;
  Complex base;
  if (!to_complex(argument, z)) return nullptr;
  if (base_object != nullptr && !to_complex(base_object, base)) return nullptr;
  Outcome outcome = Outcome::kOk;
  Complex result = logarithm(z, outcome);
  if (base_object != nullptr) {
    Outcome base_outcome = Outcome::kOk;
    const Complex divisor = logarithm(base, base_outcome);
    if (base_outcome != Outcome::kOk) outcome = base_outcome;
    errno = 0;
    result = _Py_c_quot(result, divisor);
    if (errno == EDOM) outcome = Outcome::kDomain;
    errno = 0;
  }
  return finish(result, outcome);
}

double phase_of(Complex z) { return atan2(z.imag, z.real); }
PyObject* cmath_phase(PyObject*, Borrowed<> argument) {
  Complex z;
  return to_complex(argument, z) ? float_from_double(phase_of(z)) : nullptr;
}
PyObject* cmath_polar(PyObject*, Borrowed<> argument) {
  Complex z;
  if (!to_complex(argument, z)) return nullptr;
  errno = 0;
  const double length = _Py_c_abs(z);
  if (errno == ERANGE) {
    errno = 0;
    return raise(PyExc_OverflowError, "math range error");
  }
  return Py_BuildValue("dd", length, phase_of(z));
}

PyObject* cmath_rect(PyObject*, double r, double phi) {
  Complex z;
  Outcome outcome = Outcome::kOk;
  if (!std::isfinite(r) || !std::isfinite(phi)) {
    if (std::isinf(r) && std::isfinite(phi) && phi != 0.) {
      z = directed(kInf, kInf, phi);
      if (r < 0) z = {-z.real, -z.imag};
    } else {
      z = special(kRectValues, {r, phi});
    }
    if (r != 0. && !std::isnan(r) && std::isinf(phi)) outcome = Outcome::kDomain;
  } else if (phi == 0.0) {
    z = {r, r * phi};
  } else {
    z = {r * cos(phi), r * sin(phi)};
  }
  return finish(z, outcome);
}

PyObject* cmath_isfinite(PyObject*, Borrowed<> argument) {
  Complex z;
  return to_complex(argument, z) ? PyBool_FromLong(is_finite(z)) : nullptr;
}
PyObject* cmath_isnan(PyObject*, Borrowed<> argument) {
  Complex z;
  return to_complex(argument, z) ? PyBool_FromLong(std::isnan(z.real) || std::isnan(z.imag)) : nullptr;
}
PyObject* cmath_isinf(PyObject*, Borrowed<> argument) {
  Complex z;
  return to_complex(argument, z) ? PyBool_FromLong(std::isinf(z.real) || std::isinf(z.imag)) : nullptr;
}
PyObject* cmath_isclose(PyObject*, Borrowed<> x, Borrowed<> y, Optional<double> relative, Optional<double> absolute) {
  Complex a;
  Complex b;
  if (!to_complex(x, a) || !to_complex(y, b)) return nullptr;
  const double rel_tol = relative.value_or(1e-9);
  const double abs_tol = absolute.value_or(0.0);
  if (rel_tol < 0.0 || abs_tol < 0.0) return raise(PyExc_ValueError, "tolerances must be non-negative");
  if (a.real == b.real && a.imag == b.imag) Py_RETURN_TRUE;
  if (std::isinf(a.real) || std::isinf(a.imag) || std::isinf(b.real) || std::isinf(b.imag)) Py_RETURN_FALSE;
  const double difference = _Py_c_abs(_Py_c_diff(a, b));
  return PyBool_FromLong(difference <= rel_tol * _Py_c_abs(b) || difference <= rel_tol * _Py_c_abs(a) || difference <= abs_tol);
}

#define UNARY(name, function, doc) method<unary<function>, name "($module, z, /)", doc>()
PyMethodDef cmath_methods[] = {
    UNARY("acos", arc_cos, "Arc cosine of z."),
    UNARY("acosh", arc_cosh, "Inverse hyperbolic cosine of z."),
    UNARY("asin", arc_sin, "Arc sine of z."),
    UNARY("asinh", arc_sinh, "Inverse hyperbolic sine of z."),
    UNARY("atan", arc_tan, "Arc tangent of z."),
    UNARY("atanh", arc_tanh, "Inverse hyperbolic tangent of z."),
    UNARY("cos", cosine, "Cosine of z."),
    UNARY("cosh", hyperbolic_cos, "Hyperbolic cosine of z."),
    UNARY("exp", exponential, "e to the power of z."),
    method<cmath_isclose, "isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)",
           "Whether two complex numbers differ by no more than a relative or an absolute tolerance.">(),
    method<cmath_isfinite, "isfinite($module, z, /)", "Whether both parts are finite.">(),
    method<cmath_isinf, "isinf($module, z, /)", "Whether one of the parts is infinite.">(),
    method<cmath_isnan, "isnan($module, z, /)", "Whether one of the parts is NaN.">(),
    method<cmath_log, "log($module, z, base=<unrepresentable>, /)", "log(z[, base]) -> the logarithm of z to the given base, e if left out.">(),
    UNARY("log10", logarithm10, "Logarithm to base 10 of z."),
    method<cmath_phase, "phase($module, z, /)", "The angle of z, between -pi and pi.">(),
    method<cmath_polar, "polar($module, z, /)", "Polar coordinates (length, angle) of z.">(),
    method<cmath_rect, "rect($module, r, phi, /)", "The number with the given polar coordinates.">(),
    UNARY("sin", sine, "Sine of z."),
    UNARY("sinh", hyperbolic_sin, "Hyperbolic sine of z."),
    UNARY("sqrt", square_root, "Square root of z."),
    UNARY("tan", tangent, "Tangent of z."),
    UNARY("tanh", hyperbolic_tan, "Hyperbolic tangent of z."),
    {}};

int cmath_exec(PyObject* module) {
  const auto add = [module](const char* name, PyObject* value) {
    Ref<> owner = Ref<>::steal(value);
    return owner && PyModule_AddObjectRef(module, name, owner.get()) == 0;
  };
  const bool done = add("pi", float_from_double(Py_MATH_PI)) && add("e", float_from_double(Py_MATH_E)) &&
                    add("tau", float_from_double(Py_MATH_TAU)) && add("inf", float_from_double(kInf)) &&
                    add("infj", PyComplex_FromDoubles(0.0, kInf)) && add("nan", float_from_double(kNan)) &&
                    add("nanj", PyComplex_FromDoubles(0.0, kNan));
  return done ? 0 : -1;
}

PyModuleDef_Slot cmath_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(cmath_exec)}, {}};
PyModuleDef cmath_module = {PyModuleDef_HEAD_INIT, "cmath", "Mathematical functions of complex numbers.", 0, cmath_methods,
                            cmath_slots, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit_cmath(void) { return PyModuleDef_Init(&cmath_module); }
