// Inside of _datetime: the calendar, and what delta_zone.cpp (timedelta, tzinfo, timezone) and date_time.cpp (date, time,
// datetime) need of each other. The proleptic Gregorian calendar; ordinal 1 is 1 January of year 1.
#pragma once

#include "Objects/bind.h"
#include "Objects/numbers/int.h"

#define _PY_DATETIME_IMPL
#include "datetime.h"

extern "C" {
extern PyTypeObject pyston_datetime_delta_type;
extern PyTypeObject pyston_datetime_tzinfo_type;
extern PyTypeObject pyston_datetime_timezone_type;
extern PyTypeObject pyston_datetime_date_type;
extern PyTypeObject pyston_datetime_time_type;
extern PyTypeObject pyston_datetime_datetime_type;
}

namespace pyston::dates {

inline PyTypeObject& DeltaType = pyston_datetime_delta_type;
inline PyTypeObject& TZInfoType = pyston_datetime_tzinfo_type;
inline PyTypeObject& TimeZoneType = pyston_datetime_timezone_type;
inline PyTypeObject& DateType = pyston_datetime_date_type;
inline PyTypeObject& TimeType = pyston_datetime_time_type;
inline PyTypeObject& DateTimeType = pyston_datetime_datetime_type;

using Delta = PyDateTime_Delta;
using Date = PyDateTime_Date;
using Time = PyDateTime_Time;
using DateTime = PyDateTime_DateTime;

inline bool is_delta(PyObject* o) { return PyObject_TypeCheck(o, &DeltaType); }
inline bool is_tzinfo(PyObject* o) { return PyObject_TypeCheck(o, &TZInfoType); }
inline bool is_date(PyObject* o) { return PyObject_TypeCheck(o, &DateType); }
inline bool is_time(PyObject* o) { return PyObject_TypeCheck(o, &TimeType); }
inline bool is_datetime(PyObject* o) { return PyObject_TypeCheck(o, &DateTimeType); }
inline Delta* as_delta(PyObject* o) { return reinterpret_cast<Delta*>(o); }
inline Date* as_date(PyObject* o) { return reinterpret_cast<Date*>(o); }
inline Time* as_time(PyObject* o) { return reinterpret_cast<Time*>(o); }
inline DateTime* as_datetime(PyObject* o) { return reinterpret_cast<DateTime*>(o); }

constexpr int kMaxYear = 9999;
constexpr int kMaxOrdinal = 3652059;
constexpr int kMaxDeltaDays = 999999999;
constexpr int64_t kMicroseconds = 1000000;
constexpr int64_t kDaySeconds = 86400;
constexpr int64_t kDayMicroseconds = kDaySeconds * kMicroseconds;

inline bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }
inline int days_in_month(int year, int month) {
  constexpr int kDays[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month];
}
inline int days_before_month(int year, int month) {
  constexpr int kDays[] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  return kDays[month] + (month > 2 && is_leap(year));
}
inline int days_before_year(int year) {
  const int y = year - 1;
  return y * 365 + y / 4 - y / 100 + y / 400;
}
inline int to_ordinal(int year, int month, int day) { return days_before_year(year) + days_before_month(year, month) + day; }
void from_ordinal(int ordinal, int* year, int* month, int* day);
/// Monday is 0.
inline int weekday_of(int year, int month, int day) { return (to_ordinal(year, month, day) + 6) % 7; }
/// Ordinal of the Monday that starts ISO week 1.
inline int iso_week1_monday(int year) {
  const int first = to_ordinal(year, 1, 1);
  const int weekday = (first + 6) % 7;
  return first - weekday + (weekday > 3 ? 7 : 0);
}

/// Floor division with remainder in [0, divisor).
inline int64_t floor_divide(int64_t value, int64_t divisor, int64_t* rest) {
  int64_t quotient = value / divisor;
  int64_t remainder = value % divisor;
  if (remainder < 0) {
    remainder += divisor;
    quotient--;
  }
  *rest = remainder;
  return quotient;
}

// All return new references.
PyObject* new_delta(PyTypeObject* type, int64_t days, int64_t seconds, int64_t microseconds);  // any values; normalised
PyObject* new_date(PyTypeObject* type, int year, int month, int day);
PyObject* new_time(PyTypeObject* type, int hour, int minute, int second, int us, PyObject* tzinfo, int fold);
PyObject* new_datetime(PyTypeObject* type, int year, int month, int day, int hour, int minute, int second, int us,
                       PyObject* tzinfo, int fold);
PyObject* new_timezone(PyObject* offset, PyObject* name);  // name may be null
extern PyObject* utc;                                      // the timezone.utc singleton, borrowed

inline int64_t delta_microseconds_low(const Delta* d) {  // only for |days| < 10**5 or so
  return (d->days * kDaySeconds + d->seconds) * kMicroseconds + d->microseconds;
}
int compare_deltas(const Delta* a, const Delta* b);

/// tzinfo.utcoffset(argument) and dst(): a checked timedelta or None.
Ref<> call_offset(PyObject* tzinfo, const char* method, PyObject* argument);
Ref<> call_tzname(PyObject* tzinfo, PyObject* argument);
/// "+hh:mm[:ss[.ffffff]]" into `out` (at least 24 bytes).
void format_offset(const Delta* offset, const char* separator, char* out);
bool check_tzinfo(PyObject* object);

inline PyObject* time_tzinfo(Time* t) { return t->hastzinfo ? t->tzinfo : Py_None; }
inline PyObject* datetime_tzinfo(DateTime* t) { return t->hastzinfo ? t->tzinfo : Py_None; }

/// Addition of a datetime and a timedelta times sign. Returns new.
PyObject* add_datetime_delta(DateTime* date, Delta* delta, int sign);

}  // namespace pyston::dates
