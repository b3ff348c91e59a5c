// _PyTime_t: nanoseconds in 64 bits, conversions with a rounding mode, and the clocks behind `time`.
#include <math.h>
#include <sys/time.h>
#include <time.h>

#include "Runtime/refs/ref.h"
#include "cpython/pytime.h"

namespace {

constexpr _PyTime_t kNanosecondsPerSecond = 1000LL * 1000 * 1000;
constexpr _PyTime_t kMax = PY_LLONG_MAX;
constexpr _PyTime_t kMin = PY_LLONG_MIN;

void raise_time_t_overflow() {
  PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
}
void raise_time_overflow() { PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t"); }

double round_half_even(double x) {
  double rounded = round(x);
  if (fabs(x - rounded) == 0.5) rounded = 2.0 * round(x / 2.0);
  return rounded;
}

double round_double(double x, _PyTime_round_t mode) {
  switch (mode) {
    case _PyTime_ROUND_HALF_EVEN: return round_half_even(x);
    case _PyTime_ROUND_CEILING: return ceil(x);
    case _PyTime_ROUND_FLOOR: return floor(x);
    default: return x >= 0.0 ? ceil(x) : floor(x);  // _PyTime_ROUND_UP: away from zero
  }
}

/// t / divisor, rounded; divisor > 1.
_PyTime_t divide(_PyTime_t t, _PyTime_t divisor, _PyTime_round_t mode) {
  const _PyTime_t quotient = t / divisor;
  const _PyTime_t remainder = t % divisor;
  if (remainder == 0) return quotient;
  switch (mode) {
    case _PyTime_ROUND_HALF_EVEN: {
      const _PyTime_t size = remainder < 0 ? -remainder : remainder;
      if (size > divisor / 2 || (size == divisor / 2 && (quotient & 1))) return t >= 0 ? quotient + 1 : quotient - 1;
      return quotient;
    }
    case _PyTime_ROUND_CEILING: return t >= 0 ? quotient + 1 : quotient;
    case _PyTime_ROUND_FLOOR: return t >= 0 ? quotient : quotient - 1;
    default: return t >= 0 ? quotient + 1 : quotient - 1;
  }
}

/// Whole seconds rounded down and the rest in [0, per_second), for timeval and timespec.
int split(_PyTime_t ticks, _PyTime_t per_second, _PyTime_t* seconds, long* rest) {
  *seconds = ticks / per_second;
  *rest = static_cast<long>(ticks % per_second);
  if (*rest < 0) {
    *rest += static_cast<long>(per_second);
    (*seconds)--;
  }
  return 0;
}

/// Splits seconds given as a double into whole seconds and a rounded numerator over `denominator`.
int double_to_parts(double value, time_t* seconds, long* numerator, long denominator, _PyTime_round_t mode) {
  double whole;
  double fraction = modf(value, &whole);
  fraction = round_double(fraction * static_cast<double>(denominator), mode);
  if (fraction >= static_cast<double>(denominator)) {
    fraction -= static_cast<double>(denominator);
    whole += 1.0;
  } else if (fraction < 0) {
    fraction += static_cast<double>(denominator);
    whole -= 1.0;
  }
  if (!(static_cast<double>(kMin) <= whole && whole < -static_cast<double>(kMin))) {
    raise_time_t_overflow();
    return -1;
  }
  *seconds = static_cast<time_t>(whole);
  *numerator = static_cast<long>(fraction);
  return 0;
}

int object_to_parts(PyObject* object, time_t* seconds, long* numerator, long denominator, _PyTime_round_t mode) {
  if (PyFloat_Check(object)) {
    const double value = PyFloat_AsDouble(object);
    if (isnan(value)) {
      *numerator = 0;
      PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
      return -1;
    }
    return double_to_parts(value, seconds, numerator, denominator, mode);
  }
  *seconds = _PyLong_AsTime_t(object);
  *numerator = 0;
  return *seconds == -1 && PyErr_Occurred() ? -1 : 0;
}

int from_object(_PyTime_t* t, PyObject* object, _PyTime_round_t mode, long unit_to_ns) {
  if (PyFloat_Check(object)) {
    const double value = PyFloat_AsDouble(object);
    if (isnan(value)) {
      PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
      return -1;
    }
    const double nanoseconds = round_double(value * static_cast<double>(unit_to_ns), mode);
    if (!(static_cast<double>(kMin) <= nanoseconds && nanoseconds < -static_cast<double>(kMin))) {
      raise_time_overflow();
      *t = 0;
      return -1;
    }
    *t = static_cast<_PyTime_t>(nanoseconds);
    return 0;
  }
  const long long number = PyLong_AsLongLong(object);
  if (number == -1 && PyErr_Occurred()) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
      PyErr_Clear();
      raise_time_overflow();
    }
    return -1;
  }
  if (__builtin_mul_overflow(number, static_cast<long long>(unit_to_ns), t)) {
    raise_time_overflow();
    return -1;
  }
  return 0;
}

_PyTime_t from_timespec(const timespec& ts) {
  return static_cast<_PyTime_t>(ts.tv_sec) * kNanosecondsPerSecond + ts.tv_nsec;
}

/// Reads a clock; with raise, an error sets OSError.
int read_clock(clockid_t clock, _PyTime_t* t, _Py_clock_info_t* info, const char* implementation, int monotonic,
               int adjustable) {
  timespec ts;
  if (clock_gettime(clock, &ts) != 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
  }
  *t = from_timespec(ts);
  if (info != nullptr) {
    info->implementation = implementation;
    info->monotonic = monotonic;
    info->adjustable = adjustable;
    timespec resolution;
    info->resolution = clock_getres(clock, &resolution) == 0
                           ? static_cast<double>(resolution.tv_sec) + static_cast<double>(resolution.tv_nsec) * 1e-9
                           : 1e-9;
  }
  return 0;
}

_PyTime_t read_clock(clockid_t clock) {
  timespec ts{};
  clock_gettime(clock, &ts);
  return from_timespec(ts);
}

}  // namespace

time_t _PyLong_AsTime_t(PyObject* object) {
  const long long value = PyLong_AsLongLong(object);
  if (value == -1 && PyErr_Occurred()) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) raise_time_t_overflow();
    return -1;
  }
  return static_cast<time_t>(value);
}
PyObject* _PyLong_FromTime_t(time_t t) { return PyLong_FromLongLong(t); }

int _PyTime_ObjectToTime_t(PyObject* object, time_t* seconds, _PyTime_round_t mode) {
  if (PyFloat_Check(object)) {
    const double value = PyFloat_AsDouble(object);
    if (isnan(value)) {
      PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
      return -1;
    }
    double whole;
    modf(round_double(value, mode), &whole);
    if (!(static_cast<double>(kMin) <= whole && whole < -static_cast<double>(kMin))) {
      raise_time_t_overflow();
      return -1;
    }
    *seconds = static_cast<time_t>(whole);
    return 0;
  }
  *seconds = _PyLong_AsTime_t(object);
  return *seconds == -1 && PyErr_Occurred() ? -1 : 0;
}
int _PyTime_ObjectToTimespec(PyObject* object, time_t* seconds, long* nanoseconds, _PyTime_round_t mode) {
  return object_to_parts(object, seconds, nanoseconds, 1000000000, mode);
}
int _PyTime_ObjectToTimeval(PyObject* object, time_t* seconds, long* microseconds, _PyTime_round_t mode) {
  return object_to_parts(object, seconds, microseconds, 1000000, mode);
}

_PyTime_t _PyTime_FromSeconds(int seconds) { return static_cast<_PyTime_t>(seconds) * kNanosecondsPerSecond; }
_PyTime_t _PyTime_FromNanoseconds(_PyTime_t ns) { return ns; }
int _PyTime_FromNanosecondsObject(_PyTime_t* t, PyObject* object) {
  if (!PyLong_Check(object)) {
    PyErr_Format(PyExc_TypeError, "expect int, got %s", Py_TYPE(object)->tp_name);
    return -1;
  }
  const long long ns = PyLong_AsLongLong(object);
  if (ns == -1 && PyErr_Occurred()) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) raise_time_overflow();
    return -1;
  }
  *t = ns;
  return 0;
}
int _PyTime_FromSecondsObject(_PyTime_t* t, PyObject* object, _PyTime_round_t mode) {
  return from_object(t, object, mode, 1000000000);
}
int _PyTime_FromMillisecondsObject(_PyTime_t* t, PyObject* object, _PyTime_round_t mode) {
  return from_object(t, object, mode, 1000000);
}
int _PyTime_FromTimespec(_PyTime_t* t, struct timespec* ts) {
  _PyTime_t seconds;
  if (__builtin_mul_overflow(static_cast<_PyTime_t>(ts->tv_sec), kNanosecondsPerSecond, &seconds) ||
      __builtin_add_overflow(seconds, static_cast<_PyTime_t>(ts->tv_nsec), t)) {
    raise_time_overflow();
    *t = ts->tv_sec < 0 ? kMin : kMax;
    return -1;
  }
  return 0;
}
int _PyTime_FromTimeval(_PyTime_t* t, struct timeval* tv) {
  timespec ts = {tv->tv_sec, tv->tv_usec * 1000};
  return _PyTime_FromTimespec(t, &ts);
}

double _PyTime_AsSecondsDouble(_PyTime_t t) {
  // Whole seconds convert exactly; only the rest is divided.
  if (t % kNanosecondsPerSecond == 0) return static_cast<double>(t / kNanosecondsPerSecond);
  return static_cast<double>(t) / 1e9;
}
_PyTime_t _PyTime_AsMilliseconds(_PyTime_t t, _PyTime_round_t mode) { return divide(t, 1000000, mode); }
_PyTime_t _PyTime_AsMicroseconds(_PyTime_t t, _PyTime_round_t mode) { return divide(t, 1000, mode); }
_PyTime_t _PyTime_AsNanoseconds(_PyTime_t t) { return t; }
PyObject* _PyTime_AsNanosecondsObject(_PyTime_t t) { return PyLong_FromLongLong(t); }

void _PyTime_AsTimeval_clamp(_PyTime_t t, struct timeval* tv, _PyTime_round_t mode) {
  _PyTime_t seconds;
  long rest;
  split(divide(t, 1000, mode), 1000000, &seconds, &rest);
  tv->tv_sec = seconds;
  tv->tv_usec = rest;
}
int _PyTime_AsTimeval(_PyTime_t t, struct timeval* tv, _PyTime_round_t mode) {
  _PyTime_AsTimeval_clamp(t, tv, mode);
  return 0;
}
int _PyTime_AsTimevalTime_t(_PyTime_t t, time_t* seconds, int* microseconds, _PyTime_round_t mode) {
  timeval tv;
  _PyTime_AsTimeval_clamp(t, &tv, mode);
  *seconds = tv.tv_sec;
  *microseconds = static_cast<int>(tv.tv_usec);
  return 0;
}
void _PyTime_AsTimespec_clamp(_PyTime_t t, struct timespec* ts) {
  _PyTime_t seconds;
  long rest;
  split(t, kNanosecondsPerSecond, &seconds, &rest);
  ts->tv_sec = seconds;
  ts->tv_nsec = rest;
}
int _PyTime_AsTimespec(_PyTime_t t, struct timespec* ts) {
  _PyTime_AsTimespec_clamp(t, ts);
  return 0;
}

_PyTime_t _PyTime_Add(_PyTime_t left, _PyTime_t right) {
  _PyTime_t sum;
  if (__builtin_add_overflow(left, right, &sum)) return right > 0 ? kMax : kMin;
  return sum;
}
_PyTime_t _PyTime_MulDiv(_PyTime_t ticks, _PyTime_t multiplier, _PyTime_t divisor) {
  const __int128 result = static_cast<__int128>(ticks) * multiplier / divisor;
  if (result > kMax) return kMax;
  if (result < kMin) return kMin;
  return static_cast<_PyTime_t>(result);
}

_PyTime_t _PyTime_GetSystemClock(void) { return read_clock(CLOCK_REALTIME); }
int _PyTime_GetSystemClockWithInfo(_PyTime_t* t, _Py_clock_info_t* info) {
  return read_clock(CLOCK_REALTIME, t, info, "clock_gettime(CLOCK_REALTIME)", 0, 1);
}
_PyTime_t _PyTime_GetMonotonicClock(void) { return read_clock(CLOCK_MONOTONIC); }
int _PyTime_GetMonotonicClockWithInfo(_PyTime_t* t, _Py_clock_info_t* info) {
  return read_clock(CLOCK_MONOTONIC, t, info, "clock_gettime(CLOCK_MONOTONIC)", 1, 0);
}
_PyTime_t _PyTime_GetPerfCounter(void) { return _PyTime_GetMonotonicClock(); }
int _PyTime_GetPerfCounterWithInfo(_PyTime_t* t, _Py_clock_info_t* info) {
  return _PyTime_GetMonotonicClockWithInfo(t, info);
}

int _PyTime_localtime(time_t t, struct tm* tm) {
  errno = 0;
  if (localtime_r(&t, tm) != nullptr) return 0;
  if (errno == 0) errno = EINVAL;
  PyErr_SetFromErrno(PyExc_OSError);
  return -1;
}
int _PyTime_gmtime(time_t t, struct tm* tm) {
  errno = 0;
  if (gmtime_r(&t, tm) != nullptr) return 0;
  if (errno == 0) errno = EINVAL;
  PyErr_SetFromErrno(PyExc_OSError);
  return -1;
}

_PyTime_t _PyDeadline_Init(_PyTime_t timeout) { return _PyTime_Add(_PyTime_GetMonotonicClock(), timeout); }
_PyTime_t _PyDeadline_Get(_PyTime_t deadline) { return deadline - _PyTime_GetMonotonicClock(); }
