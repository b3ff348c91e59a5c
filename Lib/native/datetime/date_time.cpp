// date, time and datetime, and the module with its C API capsule.
#include <ctime>
#include <cstring>

#include "Lib/native/datetime/dates.h"
#include "pycore_call.h"
#include "pycore_object.h"

namespace pyston::dates {

void from_ordinal(int ordinal, int* year, int* month, int* day) {
  int n = ordinal - 1;
  const int n400 = n / 146097;
  n %= 146097;
  int n100 = n / 36524;
  n %= 36524;
  const int n4 = n / 1461;
  n %= 1461;
  int n1 = n / 365;
  n %= 365;
  *year = n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1;
  if (n1 == 4 || n100 == 4) {  // the last day of a leap year
    *year -= 1;
    *month = 12;
    *day = 31;
    return;
  }
  *month = (n + 50) >> 5;
  int preceding = days_before_month(*year, *month);
  if (preceding > n) preceding = days_before_month(*year, --*month);
  *day = n - preceding + 1;
}

namespace {

bool check_date(int year, int month, int day) {
  if (year < 1 || year > kMaxYear) {
    PyErr_Format(PyExc_ValueError, "year %i is out of range", year);
  } else if (month < 1 || month > 12) {
    PyErr_SetString(PyExc_ValueError, "month must be in 1..12");
  } else if (day < 1 || day > days_in_month(year, month)) {
    PyErr_SetString(PyExc_ValueError, "day is out of range for month");
  } else {
    return true;
  }
  return false;
}
bool check_time(int hour, int minute, int second, int us, int fold) {
  const char* message = hour < 0 || hour > 23       ? "hour must be in 0..23"
                        : minute < 0 || minute > 59 ? "minute must be in 0..59"
                        : second < 0 || second > 59 ? "second must be in 0..59"
                        : us < 0 || us > 999999     ? "microsecond must be in 0..999999"
                        : fold != 0 && fold != 1    ? "fold must be either 0 or 1"
                                                    : nullptr;
  if (message != nullptr) PyErr_SetString(PyExc_ValueError, message);
  return message == nullptr;
}
void store_date(unsigned char* data, int year, int month, int day) {
  data[0] = static_cast<unsigned char>(year >> 8);
  data[1] = static_cast<unsigned char>(year);
  data[2] = static_cast<unsigned char>(month);
  data[3] = static_cast<unsigned char>(day);
}
void store_time(unsigned char* data, int hour, int minute, int second, int us) {
  data[0] = static_cast<unsigned char>(hour);
  data[1] = static_cast<unsigned char>(minute);
  data[2] = static_cast<unsigned char>(second);
  data[3] = static_cast<unsigned char>(us >> 16);
  data[4] = static_cast<unsigned char>(us >> 8);
  data[5] = static_cast<unsigned char>(us);
}
int year_of(PyObject* d) { return PyDateTime_GET_YEAR(d); }
int month_of(PyObject* d) { return PyDateTime_GET_MONTH(d); }
int day_of(PyObject* d) { return PyDateTime_GET_DAY(d); }
int ordinal_of(PyObject* d) { return to_ordinal(year_of(d), month_of(d), day_of(d)); }

struct Clock {
  int hour, minute, second, us;
};
Clock clock_of(DateTime* d) {
  return {PyDateTime_DATE_GET_HOUR(d), PyDateTime_DATE_GET_MINUTE(d), PyDateTime_DATE_GET_SECOND(d), PyDateTime_DATE_GET_MICROSECOND(d)};
}
Clock clock_of(Time* t) {
  return {PyDateTime_TIME_GET_HOUR(t), PyDateTime_TIME_GET_MINUTE(t), PyDateTime_TIME_GET_SECOND(t), PyDateTime_TIME_GET_MICROSECOND(t)};
}
int seconds_of(Clock c) { return (c.hour * 60 + c.minute) * 60 + c.second; }

}  // namespace

PyObject* new_date(PyTypeObject* type, int year, int month, int day) {
  if (!check_date(year, month, day)) return nullptr;
  Date* self = as_date(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->hashcode = -1;
  self->hastzinfo = 0;
  store_date(self->data, year, month, day);
  return as_object(self);
}
PyObject* new_time(PyTypeObject* type, int hour, int minute, int second, int us, PyObject* tzinfo, int fold) {
  if (!check_time(hour, minute, second, us, fold) || !check_tzinfo(tzinfo)) return nullptr;
  Time* self = as_time(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->hashcode = -1;
  self->hastzinfo = tzinfo != Py_None;
  store_time(self->data, hour, minute, second, us);
  self->fold = static_cast<unsigned char>(fold);
  self->tzinfo = self->hastzinfo ? Py_NewRef(tzinfo) : nullptr;
  return as_object(self);
}
PyObject* new_datetime(PyTypeObject* type, int year, int month, int day, int hour, int minute, int second, int us, PyObject* tzinfo, int fold) {
  if (!check_date(year, month, day) || !check_time(hour, minute, second, us, fold) || !check_tzinfo(tzinfo)) return nullptr;
  DateTime* self = as_datetime(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->hashcode = -1;
  self->hastzinfo = tzinfo != Py_None;
  store_date(self->data, year, month, day);
  store_time(self->data + 4, hour, minute, second, us);
  self->fold = static_cast<unsigned char>(fold);
  self->tzinfo = self->hastzinfo ? Py_NewRef(tzinfo) : nullptr;
  return as_object(self);
}

namespace {

/// The same through the type's constructor when it is a subclass (which may do more).
PyObject* make_date(PyTypeObject* type, int year, int month, int day) {
  if (type == &DateType) return new_date(type, year, month, day);
  return PyObject_CallFunction(as_object(type), "iii", year, month, day);
}
PyObject* make_datetime(PyTypeObject* type, int year, int month, int day, Clock c, PyObject* tzinfo, int fold) {
  if (type == &DateTimeType) return new_datetime(type, year, month, day, c.hour, c.minute, c.second, c.us, tzinfo, fold);
  PyObject* result = PyObject_CallFunction(as_object(type), "iiiiiiiO", year, month, day, c.hour, c.minute, c.second, c.us, tzinfo);
  if (result != nullptr && fold && is_datetime(result)) as_datetime(result)->fold = 1;
  return result;
}

/// Adds days and microseconds to a date and a clock; the date must stay in range.
PyObject* shift(PyTypeObject* type, int64_t ordinal, int64_t seconds, int64_t us, PyObject* tzinfo) {
  int64_t rest;
  seconds += floor_divide(us, kMicroseconds, &rest);
  us = rest;
  ordinal += floor_divide(seconds, kDaySeconds, &rest);
  seconds = rest;
  if (ordinal < 1 || ordinal > kMaxOrdinal) return raise(PyExc_OverflowError, "date value out of range");
  int year;
  int month;
  int day;
  from_ordinal(static_cast<int>(ordinal), &year, &month, &day);
  const int s = static_cast<int>(seconds);
  return make_datetime(type, year, month, day, {s / 3600, s / 60 % 60, s % 60, static_cast<int>(us)}, tzinfo, 0);
}

}  // namespace

PyObject* add_datetime_delta(DateTime* date, Delta* delta, int sign) {
  const Clock c = clock_of(date);
  return shift(Py_TYPE(date), static_cast<int64_t>(ordinal_of(as_object(date))) + static_cast<int64_t>(sign) * delta->days,
               seconds_of(c) + static_cast<int64_t>(sign) * delta->seconds, c.us + static_cast<int64_t>(sign) * delta->microseconds,
               datetime_tzinfo(date));
}

namespace {

// Text --------------------------------------------------------------------------------------------------------------

/// strftime with %z, %Z and %f filled in from `object` and the rest left to time.strftime.
PyObject* format_time(PyObject* object, PyObject* format, PyObject* timetuple, PyObject* tzinfo, PyObject* argument, int us) {
  Py_ssize_t length;
  const char* f = PyUnicode_AsUTF8AndSize(format, &length);
  if (f == nullptr) return nullptr;
  _PyUnicodeWriter writer;
  _PyUnicodeWriter_Init(&writer);
  writer.overallocate = 1;
  const auto fail = [&]() -> PyObject* {
    _PyUnicodeWriter_Dealloc(&writer);
    return nullptr;
  };
  const Py_ssize_t n = PyUnicode_GET_LENGTH(format);
  for (Py_ssize_t i = 0; i < n; i++) {
    const Py_UCS4 c = PyUnicode_READ_CHAR(format, i);
    const Py_UCS4 next = i + 1 < n ? PyUnicode_READ_CHAR(format, i + 1) : 0;
    if (c != '%' || (next != 'z' && next != 'Z' && next != 'f')) {
      if (_PyUnicodeWriter_WriteChar(&writer, c) < 0) return fail();
      if (c == '%' && next != 0) {
        if (_PyUnicodeWriter_WriteChar(&writer, next) < 0) return fail();
        i++;
      }
      continue;
    }
    i++;
    char text[32] = "";
    Ref<> replacement;
    if (next == 'f') {
      PyOS_snprintf(text, sizeof(text), "%06d", us);
    } else if (next == 'z') {
      Ref<> offset = call_offset(tzinfo, "utcoffset", argument);
      if (!offset) return fail();
      if (offset.get() != Py_None) format_offset(as_delta(offset.get()), "", text);
    } else {
      replacement = call_tzname(tzinfo, argument);
      if (!replacement) return fail();
      if (replacement.get() != Py_None) {
        Ref<> percent = Ref<>::steal(PyObject_CallMethod(replacement.get(), "replace", "ss", "%", "%%"));
        if (percent && !PyUnicode_Check(percent.get())) {
          PyErr_SetString(PyExc_TypeError, "tzname.replace() did not return a string");
          return fail();
        }
        if (!percent || _PyUnicodeWriter_WriteStr(&writer, percent.get()) < 0) return fail();
      }
      continue;
    }
    if (_PyUnicodeWriter_WriteASCIIString(&writer, text, static_cast<Py_ssize_t>(strlen(text))) < 0) return fail();
  }
  Ref<> full = Ref<>::steal(_PyUnicodeWriter_Finish(&writer));
  Ref<> module = Ref<>::steal(PyImport_ImportModule("time"));
  if (!full || !module) return nullptr;
  return PyObject_CallMethod(module.get(), "strftime", "OO", full.get(), timetuple);
}

PyObject* any_format(Borrowed<> self, Borrowed<PyUnicodeObject> format) {
  if (PyUnicode_GET_LENGTH(format.object()) == 0) return PyObject_Str(self);
  return PyObject_CallMethod(self, "strftime", "O", format.object());
}

PyObject* make_timetuple(int year, int month, int day, Clock c, int dst) {
  Ref<> module = Ref<>::steal(PyImport_ImportModule("time"));
  if (!module) return nullptr;
  return PyObject_CallMethod(module.get(), "struct_time", "((iiiiiiiii))", year, month, day, c.hour, c.minute, c.second,
                             weekday_of(year, month, day), days_before_month(year, month) + day, dst);
}

/// "hh:mm:ss.ffffff" cut as the timespec says. False: ValueError set.
bool write_clock(char* out, Clock c, const char* timespec) {
  if (timespec == nullptr || strcmp(timespec, "auto") == 0) timespec = c.us != 0 ? "microseconds" : "seconds";
  if (strcmp(timespec, "hours") == 0) {
    PyOS_snprintf(out, 24, "%02d", c.hour);
  } else if (strcmp(timespec, "minutes") == 0) {
    PyOS_snprintf(out, 24, "%02d:%02d", c.hour, c.minute);
  } else if (strcmp(timespec, "seconds") == 0) {
    PyOS_snprintf(out, 24, "%02d:%02d:%02d", c.hour, c.minute, c.second);
  } else if (strcmp(timespec, "milliseconds") == 0) {
    PyOS_snprintf(out, 24, "%02d:%02d:%02d.%03d", c.hour, c.minute, c.second, c.us / 1000);
  } else if (strcmp(timespec, "microseconds") == 0) {
    PyOS_snprintf(out, 24, "%02d:%02d:%02d.%06d", c.hour, c.minute, c.second, c.us);
  } else {
    PyErr_Format(PyExc_ValueError, "Unknown timespec value");
    return false;
  }
  return true;
}
bool write_zone(char* out, PyObject* tzinfo, PyObject* argument) {
  out[0] = '\0';
  Ref<> offset = call_offset(tzinfo, "utcoffset", argument);
  if (!offset) return false;
  if (offset.get() != Py_None) format_offset(as_delta(offset.get()), ":", out);
  return true;
}

// ISO 8601 reading --------------------------------------------------------------------------------------------------

/// Reads exactly `count` digits. Null: not there.
const char* read_digits(const char* p, const char* stop, int count, int* out) {
  int value = 0;
  for (int i = 0; i < count; i++, p++) {
    if (p >= stop || !Py_ISDIGIT(*p)) return nullptr;
    value = value * 10 + (*p - '0');
  }
  *out = value;
  return p;
}

bool from_iso_week(int year, int week, int weekday, int* y, int* m, int* d) {
  if (year < 1 || year > kMaxYear) {
    PyErr_Format(PyExc_ValueError, "Year is out of range: %d", year);
    return false;
  }
  if (week < 1 || week > 53 || (week == 53 && iso_week1_monday(year) + 52 * 7 >= (year < kMaxYear ? iso_week1_monday(year + 1) : iso_week1_monday(year) + 52 * 7))) {
    PyErr_Format(PyExc_ValueError, "Invalid week: %d", week);
    return false;
  }
  if (weekday < 1 || weekday > 7) {
    PyErr_Format(PyExc_ValueError, "Invalid weekday: %d (range is [1, 7])", weekday);
    return false;
  }
  const int ordinal = iso_week1_monday(year) + (week - 1) * 7 + weekday - 1;
  if (ordinal < 1 || ordinal > kMaxOrdinal) {
    PyErr_Format(PyExc_ValueError, "Year is out of range: %d", year);
    return false;
  }
  from_ordinal(ordinal, y, m, d);
  return true;
}

/// How long the date part of an ISO text is.
Py_ssize_t date_part_length(const char* s, Py_ssize_t n) {
  if (n == 7) return n;
  if (s[4] == '-') {
    if (s[5] != 'W') return 10;
    if (n < 8 || n == 8) return 8;
    if (s[8] == '-') return n == 9 ? 8 : (n > 10 && Py_ISDIGIT(s[10]) ? 8 : 10);
    return 8;
  }
  if (s[4] == 'W') {
    Py_ssize_t i = 7;
    while (i < n && Py_ISDIGIT(s[i])) i++;
    if (i < 9) return i;
    return i % 2 == 0 ? 7 : 8;
  }
  return 8;
}

bool parse_iso_date(const char* s, Py_ssize_t n, int* year, int* month, int* day) {
  const char* stop = s + n;
  const char* p = read_digits(s, stop, 4, year);
  if (p == nullptr) return false;
  const bool separated = p < stop && *p == '-';
  if (separated) p++;
  if (p < stop && *p == 'W') {
    int week;
    int weekday = 1;
    p = read_digits(p + 1, stop, 2, &week);
    if (p == nullptr) return false;
    if (p < stop) {
      if (separated && *p++ != '-') return false;
      p = read_digits(p, stop, 1, &weekday);
    }
    return p == stop && from_iso_week(*year, week, weekday, year, month, day);
  }
  p = read_digits(p, stop, 2, month);
  if (p == nullptr) return false;
  if (separated && (p >= stop || *p++ != '-')) return false;
  p = read_digits(p, stop, 2, day);
  return p == stop;
}

/// hh[[:]mm[[:]ss[.f+]]]; returns false when it doesn't read to the end.
bool parse_iso_clock(const char* p, const char* stop, Clock* c) {
  *c = {0, 0, 0, 0};
  p = read_digits(p, stop, 2, &c->hour);
  if (p == nullptr) return false;
  if (p == stop) return true;
  const bool separated = *p == ':';
  for (int* part : {&c->minute, &c->second}) {
    if (p == stop) return true;
    if (separated && *p++ != ':') return false;
    p = read_digits(p, stop, 2, part);
    if (p == nullptr) return false;
  }
  if (p == stop) return true;
  if (*p != '.' && *p != ',') return false;
  p++;
  if (p == stop) return false;
  int scale = 100000;
  for (; p < stop; p++, scale /= 10) {
    if (!Py_ISDIGIT(*p)) return false;
    c->us += (*p - '0') * scale;
  }
  return true;
}

/// A time with an optional offset; *tzinfo gets a new reference.
bool parse_iso_time(const char* s, Py_ssize_t n, Clock* c, Ref<>& tzinfo) {
  const char* stop = s + n;
  const char* zone = s;
  while (zone < stop && *zone != '+' && *zone != '-' && *zone != 'Z') zone++;
  tzinfo = Ref<>::none();
  if (!parse_iso_clock(s, zone, c)) return false;
  if (zone == stop) return true;
  if (*zone == 'Z') {
    tzinfo = Ref<>::dup(utc);
    return zone + 1 == stop;
  }
  const int sign = *zone == '-' ? -1 : 1;
  Clock offset;
  if (!parse_iso_clock(zone + 1, stop, &offset)) return false;
  const int64_t us = sign * (seconds_of(offset) * kMicroseconds + offset.us);
  if (us == 0) {
    tzinfo = Ref<>::dup(utc);
    return true;
  }
  Ref<> delta = Ref<>::steal(new_delta(&DeltaType, 0, 0, us));
  if (!delta) return false;
  tzinfo = Ref<>::steal(new_timezone(delta.get(), nullptr));
  return static_cast<bool>(tzinfo);
}

PyObject* invalid_iso(PyObject* text) {
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_ValueError)) return nullptr;
  return raise(PyExc_ValueError, "Invalid isoformat string: %R", text);
}

// date --------------------------------------------------------------------------------------------------------------

/// State of a pickled object: bytes, or what Python 2's pickles give as latin-1 text. Null: neither.
Ref<> pickle_state(PyObject* object, Py_ssize_t size) {
  if (PyBytes_Check(object) && PyBytes_GET_SIZE(object) == size) return Ref<>::dup(object);
  if (PyUnicode_Check(object) && PyUnicode_GET_LENGTH(object) == size) {
    Ref<> bytes = Ref<>::steal(PyUnicode_AsLatin1String(object));
    if (!bytes) PyErr_Clear();
    return bytes;
  }
  return nullptr;
}
bool valid_month(unsigned char c) { return c >= 1 && c <= 12; }

PyObject* date_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (PyTuple_GET_SIZE(args) == 1 && kwargs == nullptr) {
    Ref<> state = pickle_state(PyTuple_GET_ITEM(args, 0), 4);
    if (state && valid_month(static_cast<unsigned char>(PyBytes_AS_STRING(state.get())[2]))) {
      Date* self = as_date(type->tp_alloc(type, 0));
      if (self == nullptr) return nullptr;
      memcpy(self->data, PyBytes_AS_STRING(state.get()), 4);
      self->hashcode = -1;
      return as_object(self);
    }
  }
  static const char* names[] = {"year", "month", "day", nullptr};
  int year;
  int month;
  int day;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii", const_cast<char**>(names), &year, &month, &day)) return nullptr;
  return new_date(type, year, month, day);
}

PyObject* date_from_local(PyTypeObject* type, PyObject* timestamp) {
  time_t seconds;
  if (_PyTime_ObjectToTime_t(timestamp, &seconds, _PyTime_ROUND_FLOOR) == -1) return nullptr;
  struct tm parts;
  if (_PyTime_localtime(seconds, &parts) != 0) return nullptr;
  return make_date(type, parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}
PyObject* date_fromtimestamp(PyTypeObject* type, Borrowed<> timestamp) { return date_from_local(type, timestamp); }
PyObject* date_today(PyTypeObject* type) {
  Ref<> module = Ref<>::steal(PyImport_ImportModule("time"));
  if (!module) return nullptr;
  Ref<> now = Ref<>::steal(PyObject_CallMethod(module.get(), "time", nullptr));
  return now ? PyObject_CallMethod(as_object(type), "fromtimestamp", "O", now.get()) : nullptr;
}
PyObject* date_fromordinal(PyTypeObject* type, int ordinal) {
  if (ordinal < 1) return raise(PyExc_ValueError, "ordinal must be >= 1");
  if (ordinal > kMaxOrdinal) return raise(PyExc_ValueError, "year is out of range");
  int year;
  int month;
  int day;
  from_ordinal(ordinal, &year, &month, &day);
  return make_date(type, year, month, day);
}
PyObject* date_fromisoformat(PyTypeObject* type, Borrowed<> text) {
  if (!PyUnicode_Check(text.get())) return raise(PyExc_TypeError, "fromisoformat: argument must be str");
  Py_ssize_t n;
  const char* s = PyUnicode_AsUTF8AndSize(text, &n);
  int year;
  int month;
  int day;
  if (s == nullptr || (n != 7 && n != 8 && n != 10) || !parse_iso_date(s, n, &year, &month, &day)) return invalid_iso(text);
  return make_date(type, year, month, day);
}
PyObject* date_fromisocalendar(PyObject* type_object, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"year", "week", "day", nullptr};
  PyTypeObject* type = reinterpret_cast<PyTypeObject*>(type_object);
  int year;
  int week;
  int day;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii:fromisocalendar", const_cast<char**>(names), &year, &week, &day)) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) return raise(PyExc_ValueError, "ISO calendar component out of range");
    return nullptr;
  }
  int y;
  int m;
  int d;
  return from_iso_week(year, week, day, &y, &m, &d) ? make_date(type, y, m, d) : nullptr;
}
PyObject* date_ctime_text(PyObject* self, Clock c) {
  static const char* const kDays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  static const char* const kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[40];
  PyOS_snprintf(text, sizeof(text), "%s %s %2d %02d:%02d:%02d %04d", kDays[weekday_of(year_of(self), month_of(self), day_of(self))],
                kMonths[month_of(self) - 1], day_of(self), c.hour, c.minute, c.second, year_of(self));
  return PyUnicode_FromString(text);
}
PyObject* date_ctime(Borrowed<> self) { return date_ctime_text(self, {0, 0, 0, 0}); }
PyObject* date_strftime(Borrowed<> self, Borrowed<PyUnicodeObject> format) {
  Ref<> tuple = Ref<>::steal(PyObject_CallMethod(self, "timetuple", nullptr));
  return tuple ? format_time(self, format.object(), tuple.get(), Py_None, self, 0) : nullptr;
}
PyObject* date_isoformat_text(PyObject* self) {
  return PyUnicode_FromFormat("%04d-%02d-%02d", year_of(self), month_of(self), day_of(self));
}
PyObject* date_isoformat(Borrowed<> self) { return date_isoformat_text(self); }
PyObject* date_isoweekday(Borrowed<> self) { return PyLong_FromLong(weekday_of(year_of(self), month_of(self), day_of(self)) + 1); }
PyObject* date_weekday(Borrowed<> self) { return PyLong_FromLong(weekday_of(year_of(self), month_of(self), day_of(self))); }
PyObject* date_toordinal(Borrowed<> self) { return PyLong_FromLong(ordinal_of(self)); }
PyObject* date_timetuple(Borrowed<> self) { return make_timetuple(year_of(self), month_of(self), day_of(self), {0, 0, 0, 0}, -1); }

PyTypeObject iso_calendar_type;
PyStructSequence_Field iso_calendar_fields[] = {{"year", nullptr}, {"week", nullptr}, {"weekday", nullptr}, {}};
PyStructSequence_Desc iso_calendar_description = {"datetime.IsoCalendarDate", "The result of date.isocalendar() or datetime.isocalendar()",
                                                  iso_calendar_fields, 3};
/// Pickled as a plain tuple: the type can't be found by name.
PyObject* iso_calendar_reduce(PyObject* self, PyObject*) {
  Ref<> values = Ref<>::steal(PyTuple_Pack(3, PyTuple_GET_ITEM(self, 0), PyTuple_GET_ITEM(self, 1), PyTuple_GET_ITEM(self, 2)));
  return values ? Py_BuildValue("(O(O))", &PyTuple_Type, values.get()) : nullptr;
}
PyMethodDef iso_calendar_reduce_method = {"__reduce__", iso_calendar_reduce, METH_NOARGS, nullptr};

PyObject* date_isocalendar(Borrowed<> self) {
  int year = year_of(self);
  const int ordinal = ordinal_of(self);
  int monday = iso_week1_monday(year);
  int week = ordinal < monday ? -1 : (ordinal - monday) / 7;
  if (week < 0) {
    monday = iso_week1_monday(--year);
    week = (ordinal - monday) / 7;
  } else if (week >= 52 && ordinal >= iso_week1_monday(year + 1)) {
    year++;
    week = 0;
  }
  PyObject* result = PyStructSequence_New(&iso_calendar_type);
  if (result == nullptr) return nullptr;
  PyStructSequence_SET_ITEM(result, 0, PyLong_FromLong(year));
  PyStructSequence_SET_ITEM(result, 1, PyLong_FromLong(week + 1));
  PyStructSequence_SET_ITEM(result, 2, PyLong_FromLong((ordinal + 6) % 7 + 1));
  return result;
}
PyObject* date_replace(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"year", "month", "day", nullptr};
  int year = year_of(self);
  int month = month_of(self);
  int day = day_of(self);
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iii:replace", const_cast<char**>(names), &year, &month, &day)) return nullptr;
  return make_date(Py_TYPE(self), year, month, day);
}
PyObject* date_reduce(Borrowed<> self) {
  return Py_BuildValue("O(y#)", Py_TYPE(self.get()), reinterpret_cast<char*>(as_date(self)->data), static_cast<Py_ssize_t>(4));
}
PyObject* date_shift(PyObject* date, PyObject* delta, int sign) {
  const int64_t ordinal = ordinal_of(date) + static_cast<int64_t>(sign) * as_delta(delta)->days;
  if (ordinal < 1 || ordinal > kMaxOrdinal) return raise(PyExc_OverflowError, "date value out of range");
  int year;
  int month;
  int day;
  from_ordinal(static_cast<int>(ordinal), &year, &month, &day);
  return make_date(Py_TYPE(date), year, month, day);
}
PyObject* date_add(PyObject* a, PyObject* b) {
  if (is_datetime(a) || is_datetime(b)) Py_RETURN_NOTIMPLEMENTED;
  if (is_date(a) && is_delta(b)) return date_shift(a, b, 1);
  if (is_delta(a) && is_date(b)) return date_shift(b, a, 1);
  Py_RETURN_NOTIMPLEMENTED;
}
PyObject* date_subtract(PyObject* a, PyObject* b) {
  if (is_datetime(a) || is_datetime(b) || !is_date(a)) Py_RETURN_NOTIMPLEMENTED;
  if (is_date(b)) return new_delta(&DeltaType, ordinal_of(a) - ordinal_of(b), 0, 0);
  if (is_delta(b)) return date_shift(a, b, -1);
  Py_RETURN_NOTIMPLEMENTED;
}
PyObject* date_richcompare(PyObject* a, PyObject* b, int op) {
  if (!is_date(b)) Py_RETURN_NOTIMPLEMENTED;
  const int order = memcmp(as_date(a)->data, as_date(b)->data, 4);
  Py_RETURN_RICHCOMPARE(order, 0, op);
}
Py_hash_t date_hash(PyObject* self) {
  if (as_date(self)->hashcode == -1) as_date(self)->hashcode = _Py_HashBytes(as_date(self)->data, 4);
  return as_date(self)->hashcode;
}
PyObject* date_repr(PyObject* self) {
  return PyUnicode_FromFormat("%s(%d, %d, %d)", Py_TYPE(self)->tp_name, year_of(self), month_of(self), day_of(self));
}
PyObject* date_str(PyObject* self) { return PyObject_CallMethod(self, "isoformat", nullptr); }
PyObject* get_year(PyObject* self, void*) { return PyLong_FromLong(year_of(self)); }
PyObject* get_month(PyObject* self, void*) { return PyLong_FromLong(month_of(self)); }
PyObject* get_day(PyObject* self, void*) { return PyLong_FromLong(day_of(self)); }
PyGetSetDef date_getset[] = {{"year", get_year, nullptr, nullptr, nullptr},
                             {"month", get_month, nullptr, nullptr, nullptr},
                             {"day", get_day, nullptr, nullptr, nullptr},
                             {}};
PyCFunction with_keywords(PyObject* (*function)(PyObject*, PyObject*, PyObject*)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}
PyMethodDef date_methods[] = {
    method<date_fromtimestamp, "fromtimestamp($type, timestamp, /)", "A date from a POSIX timestamp, in local time.">(METH_CLASS),
    method<date_fromordinal, "fromordinal($type, ordinal, /)", "int -> date corresponding to a proleptic Gregorian ordinal.">(METH_CLASS),
    method<date_fromisoformat, "fromisoformat($type, string, /)", "str -> date from a string in an ISO 8601 format">(METH_CLASS),
    {"fromisocalendar", with_keywords(date_fromisocalendar), METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "int, int, int -> date from ISO year, week and weekday."},
    method<date_today, "today($type, /)", "Current date or datetime.">(METH_CLASS),
    method<date_ctime, "ctime($self, /)", "Return ctime() style string.">(),
    method<date_strftime, "strftime($self, /, format)", "format -> strftime() style string.">(),
    method<any_format, "__format__($self, format, /)", "Formats self with strftime.">(),
    method<date_isoformat, "isoformat($self, /)", "String in ISO 8601 format, YYYY-MM-DD.">(),
    method<date_isoweekday, "isoweekday($self, /)", "Monday == 1 ... Sunday == 7">(),
    method<date_isocalendar, "isocalendar($self, /)", "ISO year, week number and weekday.">(),
    method<date_toordinal, "toordinal($self, /)", "Proleptic Gregorian ordinal; 1 January of year 1 is day 1.">(),
    method<date_weekday, "weekday($self, /)", "Monday == 0 ... Sunday == 6">(),
    method<date_timetuple, "timetuple($self, /)", "Time tuple, compatible with time.localtime().">(),
    {"replace", with_keywords(date_replace), METH_VARARGS | METH_KEYWORDS, "A date with some fields replaced."},
    method<date_reduce, "__reduce__($self, /)", "__reduce__() -> (cls, state)">(),
    {}};
PyNumberMethods date_as_number = {.nb_add = date_add, .nb_subtract = date_subtract};

// time --------------------------------------------------------------------------------------------------------------

PyObject* time_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  const Py_ssize_t nargs = PyTuple_GET_SIZE(args);
  if (nargs >= 1 && nargs <= 2 && kwargs == nullptr) {
    Ref<> state = pickle_state(PyTuple_GET_ITEM(args, 0), 6);
    if (state && (PyBytes_AS_STRING(state.get())[0] & 0x7f) < 24) {
      PyObject* tzinfo = nargs == 2 ? PyTuple_GET_ITEM(args, 1) : Py_None;
      if (!check_tzinfo(tzinfo)) return raise(PyExc_TypeError, "bad tzinfo state arg");
      Time* self = as_time(new_time(type, 0, 0, 0, 0, tzinfo, 0));
      if (self == nullptr) return nullptr;
      memcpy(self->data, PyBytes_AS_STRING(state.get()), 6);
      self->fold = self->data[0] >> 7;
      self->data[0] &= 0x7f;
      return as_object(self);
    }
  }
  static const char* names[] = {"hour", "minute", "second", "microsecond", "tzinfo", "fold", nullptr};
  Clock c = {0, 0, 0, 0};
  PyObject* tzinfo = Py_None;
  int fold = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiO$i", const_cast<char**>(names), &c.hour, &c.minute, &c.second, &c.us, &tzinfo, &fold)) {
    return nullptr;
  }
  return new_time(type, c.hour, c.minute, c.second, c.us, tzinfo, fold);
}
void time_dealloc(PyObject* self) {
  if (as_time(self)->hastzinfo) Py_XDECREF(as_time(self)->tzinfo);
  Py_TYPE(self)->tp_free(self);
}
PyObject* time_fromisoformat(PyTypeObject* type, Borrowed<> text) {
  if (!PyUnicode_Check(text.get())) return raise(PyExc_TypeError, "fromisoformat: argument must be str");
  Py_ssize_t n;
  const char* s = PyUnicode_AsUTF8AndSize(text, &n);
  if (s == nullptr) return invalid_iso(text);
  if (n > 0 && *s == 'T') {
    s++;
    n--;
  }
  Clock c;
  Ref<> tzinfo;
  if (!parse_iso_time(s, n, &c, tzinfo)) return invalid_iso(text);
  if (type == &TimeType) return new_time(type, c.hour, c.minute, c.second, c.us, tzinfo.get(), 0);
  return PyObject_CallFunction(as_object(type), "iiiiO", c.hour, c.minute, c.second, c.us, tzinfo.get());
}
PyObject* time_isoformat(Borrowed<> self, Optional<const char*> timespec) {
  char clock[24];
  char zone[24];
  if (!write_clock(clock, clock_of(as_time(self)), timespec.value_or(nullptr)) || !write_zone(zone, time_tzinfo(as_time(self)), Py_None)) return nullptr;
  return PyUnicode_FromFormat("%s%s", clock, zone);
}
PyObject* time_strftime(Borrowed<> self, Borrowed<PyUnicodeObject> format) {
  const Clock c = clock_of(as_time(self));
  Ref<> tuple = Ref<>::steal(Py_BuildValue("iiiiiiiii", 1900, 1, 1, c.hour, c.minute, c.second, 0, 1, -1));
  return tuple ? format_time(self, format.object(), tuple.get(), time_tzinfo(as_time(self)), Py_None, c.us) : nullptr;
}
PyObject* time_utcoffset(Borrowed<> self) { return call_offset(time_tzinfo(as_time(self)), "utcoffset", Py_None).release(); }
PyObject* time_dst(Borrowed<> self) { return call_offset(time_tzinfo(as_time(self)), "dst", Py_None).release(); }
PyObject* time_tzname(Borrowed<> self) { return call_tzname(time_tzinfo(as_time(self)), Py_None).release(); }
PyObject* time_replace(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"hour", "minute", "second", "microsecond", "tzinfo", "fold", nullptr};
  Clock c = clock_of(as_time(self));
  PyObject* tzinfo = time_tzinfo(as_time(self));
  int fold = as_time(self)->fold;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiO$i:replace", const_cast<char**>(names), &c.hour, &c.minute, &c.second, &c.us, &tzinfo, &fold)) {
    return nullptr;
  }
  if (fold != 0 && fold != 1) return raise(PyExc_ValueError, "fold must be either 0 or 1");
  if (Py_TYPE(self) == &TimeType) return new_time(&TimeType, c.hour, c.minute, c.second, c.us, tzinfo, fold);
  PyObject* result = PyObject_CallFunction(as_object(Py_TYPE(self)), "iiiiO", c.hour, c.minute, c.second, c.us, tzinfo);
  if (result != nullptr && is_time(result)) as_time(result)->fold = static_cast<unsigned char>(fold);
  return result;
}
PyObject* time_state(Time* self, int protocol) {
  Ref<> bytes = Ref<>::steal(PyBytes_FromStringAndSize(reinterpret_cast<char*>(self->data), 6));
  if (!bytes) return nullptr;
  if (protocol > 3 && self->fold) PyBytes_AS_STRING(bytes.get())[0] = static_cast<char>(self->data[0] | 0x80);
  return self->hastzinfo ? PyTuple_Pack(2, bytes.get(), self->tzinfo) : PyTuple_Pack(1, bytes.get());
}
PyObject* time_reduce(Borrowed<> self) { return Py_BuildValue("ON", Py_TYPE(self.get()), time_state(as_time(self), 2)); }
PyObject* time_reduce_ex(Borrowed<> self, int protocol) {
  return Py_BuildValue("ON", Py_TYPE(self.get()), time_state(as_time(self), protocol));
}
PyObject* time_repr(PyObject* self) {
  const Clock c = clock_of(as_time(self));
  Ref<> text = Ref<>::steal(c.us       ? PyUnicode_FromFormat("%s(%d, %d, %d, %d", Py_TYPE(self)->tp_name, c.hour, c.minute, c.second, c.us)
                            : c.second ? PyUnicode_FromFormat("%s(%d, %d, %d", Py_TYPE(self)->tp_name, c.hour, c.minute, c.second)
                                       : PyUnicode_FromFormat("%s(%d, %d", Py_TYPE(self)->tp_name, c.hour, c.minute));
  if (text && as_time(self)->hastzinfo) text = Ref<>::steal(PyUnicode_FromFormat("%U, tzinfo=%R", text.get(), as_time(self)->tzinfo));
  return text ? PyUnicode_FromFormat("%U%s)", text.get(), as_time(self)->fold ? ", fold=1" : "") : nullptr;
}
/// Microseconds since midnight minus the offset.
int64_t utc_microseconds(Time* t, PyObject* offset) {
  const Clock c = clock_of(t);
  return seconds_of(c) * kMicroseconds + c.us - delta_microseconds_low(as_delta(offset));
}
PyObject* time_richcompare(PyObject* a, PyObject* b, int op) {
  if (!is_time(b)) Py_RETURN_NOTIMPLEMENTED;
  if (time_tzinfo(as_time(a)) != time_tzinfo(as_time(b))) {
    Ref<> x = call_offset(time_tzinfo(as_time(a)), "utcoffset", Py_None);
    if (!x) return nullptr;
    Ref<> y = call_offset(time_tzinfo(as_time(b)), "utcoffset", Py_None);
    if (!y) return nullptr;
    if ((x.get() == Py_None) != (y.get() == Py_None)) {
      if (op == Py_EQ || op == Py_NE) return PyBool_FromLong(op == Py_NE);
      return raise(PyExc_TypeError, "can't compare offset-naive and offset-aware times");
    }
    if (x.get() != Py_None) {
      const int64_t p = utc_microseconds(as_time(a), x.get());
      const int64_t q = utc_microseconds(as_time(b), y.get());
      Py_RETURN_RICHCOMPARE(p, q, op);
    }
  }
  const int order = memcmp(as_time(a)->data, as_time(b)->data, 6);
  Py_RETURN_RICHCOMPARE(order, 0, op);
}
Py_hash_t time_hash(PyObject* self) {
  Time* t = as_time(self);
  if (t->hashcode != -1) return t->hashcode;
  // The hash must not depend on fold.
  Ref<> plain = t->fold ? Ref<>::steal(new_time(&TimeType, 0, 0, 0, 0, time_tzinfo(t), 0)) : Ref<>::dup(self);
  if (!plain) return -1;
  Ref<> offset = call_offset(time_tzinfo(t), "utcoffset", Py_None);
  if (!offset) return -1;
  if (offset.get() == Py_None) {
    t->hashcode = _Py_HashBytes(t->data, 6);
  } else {
    Ref<> delta = Ref<>::steal(new_delta(&DeltaType, 0, 0, utc_microseconds(t, offset.get())));
    if (!delta) return -1;
    t->hashcode = PyObject_Hash(delta.get());
  }
  return t->hashcode;
}
template <int kPart>
PyObject* get_time_part(PyObject* self, void*) {
  const Clock c = clock_of(as_time(self));
  return PyLong_FromLong(kPart == 0 ? c.hour : kPart == 1 ? c.minute : kPart == 2 ? c.second : c.us);
}
PyObject* get_time_tzinfo(PyObject* self, void*) { return Py_NewRef(time_tzinfo(as_time(self))); }
PyObject* get_time_fold(PyObject* self, void*) { return PyLong_FromLong(as_time(self)->fold); }
PyGetSetDef time_getset[] = {{"hour", get_time_part<0>, nullptr, nullptr, nullptr},
                             {"minute", get_time_part<1>, nullptr, nullptr, nullptr},
                             {"second", get_time_part<2>, nullptr, nullptr, nullptr},
                             {"microsecond", get_time_part<3>, nullptr, nullptr, nullptr},
                             {"tzinfo", get_time_tzinfo, nullptr, nullptr, nullptr},
                             {"fold", get_time_fold, nullptr, nullptr, nullptr},
                             {}};
PyMethodDef time_methods[] = {
    method<time_isoformat, "isoformat($self, /, timespec='auto')", "String in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].">(),
    method<time_strftime, "strftime($self, /, format)", "format -> strftime() style string.">(),
    method<any_format, "__format__($self, format, /)", "Formats self with strftime.">(),
    method<time_utcoffset, "utcoffset($self, /)", "self.tzinfo.utcoffset(self).">(),
    method<time_tzname, "tzname($self, /)", "self.tzinfo.tzname(self).">(),
    method<time_dst, "dst($self, /)", "self.tzinfo.dst(self).">(),
    {"replace", with_keywords(time_replace), METH_VARARGS | METH_KEYWORDS, "A time with some fields replaced."},
    method<time_fromisoformat, "fromisoformat($type, string, /)", "string -> time from a string in an ISO 8601 format">(METH_CLASS),
    method<time_reduce_ex, "__reduce_ex__($self, proto, /)", "__reduce_ex__(proto) -> (cls, state)">(),
    method<time_reduce, "__reduce__($self, /)", "__reduce__() -> (cls, state)">(),
    {}};

// datetime ----------------------------------------------------------------------------------------------------------

PyObject* datetime_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  const Py_ssize_t nargs = PyTuple_GET_SIZE(args);
  if (nargs >= 1 && nargs <= 2 && kwargs == nullptr) {
    Ref<> state = pickle_state(PyTuple_GET_ITEM(args, 0), 10);
    if (state && valid_month(PyBytes_AS_STRING(state.get())[2] & 0x7f)) {
      PyObject* tzinfo = nargs == 2 ? PyTuple_GET_ITEM(args, 1) : Py_None;
      if (!check_tzinfo(tzinfo)) return raise(PyExc_TypeError, "bad tzinfo state arg");
      DateTime* self = as_datetime(new_datetime(type, 1, 1, 1, 0, 0, 0, 0, tzinfo, 0));
      if (self == nullptr) return nullptr;
      memcpy(self->data, PyBytes_AS_STRING(state.get()), 10);
      self->fold = self->data[2] >> 7;
      self->data[2] &= 0x7f;
      return as_object(self);
    }
  }
  static const char* names[] = {"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold", nullptr};
  int year;
  int month;
  int day;
  Clock c = {0, 0, 0, 0};
  PyObject* tzinfo = Py_None;
  int fold = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii|iiiiO$i", const_cast<char**>(names), &year, &month, &day, &c.hour, &c.minute,
                                   &c.second, &c.us, &tzinfo, &fold)) {
    return nullptr;
  }
  return new_datetime(type, year, month, day, c.hour, c.minute, c.second, c.us, tzinfo, fold);
}
void datetime_dealloc(PyObject* self) {
  if (as_datetime(self)->hastzinfo) Py_XDECREF(as_datetime(self)->tzinfo);
  Py_TYPE(self)->tp_free(self);
}

constexpr int64_t kEpochSeconds = 719163 * kDaySeconds;  // ordinal of 1970-01-01

/// Seconds since year 1 that local clocks show at a moment given in seconds since year 1 UTC. -1: error.
int64_t local_seconds(int64_t moment) {
  if (moment < kDaySeconds || moment > static_cast<int64_t>(kMaxOrdinal + 1) * kDaySeconds) {
    return raise(PyExc_ValueError, "year is out of range");
  }
  struct tm parts;
  if (_PyTime_localtime(static_cast<time_t>(moment - kEpochSeconds), &parts) != 0) return -1;
  return to_ordinal(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday) * kDaySeconds + parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
}

/// POSIX seconds of a local time (PEP 495); LLONG_MIN on error.
int64_t local_to_posix(int year, int month, int day, Clock c, int fold) {
  constexpr int64_t kError = LLONG_MIN;
  constexpr int64_t kMaxFold = 24 * 3600;
  const int64_t t = to_ordinal(year, month, day) * kDaySeconds + seconds_of(c);
  int64_t shown = local_seconds(t);
  if (shown == -1) return kError;
  const int64_t a = shown - t;
  int64_t u1 = t - a;
  const int64_t t1 = local_seconds(u1);
  if (t1 == -1) return kError;
  int64_t b;
  if (t1 == t) {  // one solution: is there another one?
    const int64_t u2 = fold ? u1 + kMaxFold : u1 - kMaxFold;
    shown = local_seconds(u2);
    if (shown == -1) return kError;
    b = shown - u2;
    if (a == b) return u1 - kEpochSeconds;
  } else {
    b = t1 - u1;
  }
  const int64_t u2 = t - b;
  const int64_t t2 = local_seconds(u2);
  if (t2 == -1) return kError;
  if (t2 == t) return u2 - kEpochSeconds;
  if (t1 == t) return u1 - kEpochSeconds;
  return (fold ? Py_MIN(u1, u2) : Py_MAX(u1, u2)) - kEpochSeconds;
}

enum class Zone { kLocal, kUtc };
PyObject* from_posix(PyTypeObject* type, Zone zone, time_t seconds, int us, PyObject* tzinfo) {
  struct tm parts;
  if ((zone == Zone::kLocal ? _PyTime_localtime(seconds, &parts) : _PyTime_gmtime(seconds, &parts)) != 0) return nullptr;
  const int year = parts.tm_year + 1900;
  const Clock c = {parts.tm_hour, parts.tm_min, Py_MIN(parts.tm_sec, 59), us};
  int fold = 0;
  if (zone == Zone::kLocal && tzinfo == Py_None) {  // did the clock show this time a little earlier, too?
    constexpr int64_t kMaxFold = 24 * 3600;
    const int64_t shown = to_ordinal(year, parts.tm_mon + 1, parts.tm_mday) * kDaySeconds + seconds_of(c);
    int64_t probe = local_seconds(kEpochSeconds + seconds - kMaxFold);
    if (probe == -1) {
      PyErr_Clear();
    } else {
      const int64_t transition = shown - probe - kMaxFold;
      if (transition < 0) {
        probe = local_seconds(kEpochSeconds + seconds + transition);
        if (probe == -1) return nullptr;
        fold = probe == shown;
      }
    }
  }
  return make_datetime(type, year, parts.tm_mon + 1, parts.tm_mday, c, tzinfo, fold);
}
PyObject* from_timestamp(PyTypeObject* type, Zone zone, PyObject* timestamp, PyObject* tzinfo) {
  time_t seconds;
  long us;
  if (_PyTime_ObjectToTimeval(timestamp, &seconds, &us, _PyTime_ROUND_HALF_EVEN) == -1) return nullptr;
  return from_posix(type, zone, seconds, static_cast<int>(us), tzinfo);
}
/// A moment in UTC turned into tz's time: tz.fromutc(moment).
PyObject* through_fromutc(PyObject* tzinfo, PyObject* moment) {
  if (moment == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(moment);
  return tzinfo == Py_None ? owner.release() : PyObject_CallMethod(tzinfo, "fromutc", "O", moment);
}
PyObject* datetime_now(PyTypeObject* type, PyObject* tz) {
  PyObject* tzinfo = tz != nullptr ? tz : Py_None;
  if (!check_tzinfo(tzinfo)) return nullptr;
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return through_fromutc(tzinfo, from_posix(type, tzinfo == Py_None ? Zone::kLocal : Zone::kUtc, now.tv_sec, static_cast<int>(now.tv_nsec / 1000), tzinfo));
}
PyObject* datetime_utcnow(PyTypeObject* type) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return from_posix(type, Zone::kUtc, now.tv_sec, static_cast<int>(now.tv_nsec / 1000), Py_None);
}
PyObject* datetime_fromtimestamp(PyTypeObject* type, Borrowed<> timestamp, PyObject* tz) {
  PyObject* tzinfo = tz != nullptr ? tz : Py_None;
  if (!check_tzinfo(tzinfo)) return nullptr;
  return through_fromutc(tzinfo, from_timestamp(type, tzinfo == Py_None ? Zone::kLocal : Zone::kUtc, timestamp, tzinfo));
}
PyObject* datetime_utcfromtimestamp(PyTypeObject* type, Borrowed<> timestamp) { return from_timestamp(type, Zone::kUtc, timestamp, Py_None); }
PyObject* datetime_strptime(PyTypeObject* type, Borrowed<PyUnicodeObject> text, Borrowed<PyUnicodeObject> format) {
  Ref<> module = Ref<>::steal(PyImport_ImportModule("_strptime"));
  return module ? PyObject_CallMethod(module.get(), "_strptime_datetime", "OOO", type, text.object(), format.object()) : nullptr;
}
PyObject* datetime_combine(PyTypeObject* type, Borrowed<> date, Borrowed<> time, PyObject* tz) {
  if (!is_date(date)) return raise(PyExc_TypeError, "combine() argument 1 must be datetime.date, not %.200s", Py_TYPE(date.get())->tp_name);
  if (!is_time(time)) return raise(PyExc_TypeError, "combine() argument 2 must be datetime.time, not %.200s", Py_TYPE(time.get())->tp_name);
  PyObject* tzinfo = tz != nullptr ? tz : time_tzinfo(as_time(time));
  return make_datetime(type, year_of(date), month_of(date), day_of(date), clock_of(as_time(time)), tzinfo, as_time(time)->fold);
}
PyObject* datetime_fromisoformat(PyTypeObject* type, Borrowed<> text) {
  if (!PyUnicode_Check(text.get())) return raise(PyExc_TypeError, "fromisoformat: argument must be str");
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text.get());
  if (length < 7) return invalid_iso(text);
  // The separator may be any character: it is found by position, then replaced by an ASCII one.
  Ref<> ascii = Ref<>::dup(text.get());
  if (!PyUnicode_IS_ASCII(text.get())) {
    for (Py_ssize_t at : {7, 8, 10}) {
      if (at < length && PyUnicode_READ_CHAR(text.get(), at) > 127) {
        Ref<> head = Ref<>::steal(PyUnicode_Substring(text, 0, at));
        Ref<> tail = Ref<>::steal(PyUnicode_Substring(text, at + 1, length));
        if (!head || !tail) return nullptr;
        ascii = Ref<>::steal(PyUnicode_FromFormat("%UT%U", head.get(), tail.get()));
        break;
      }
    }
    if (!ascii) return nullptr;
    if (!PyUnicode_IS_ASCII(ascii.get())) return invalid_iso(text);
  }
  Py_ssize_t n;
  const char* s = PyUnicode_AsUTF8AndSize(ascii.get(), &n);
  if (s == nullptr) return nullptr;
  const Py_ssize_t date_length = date_part_length(s, n);
  int year;
  int month;
  int day;
  Clock c = {0, 0, 0, 0};
  Ref<> tzinfo = Ref<>::none();
  if (date_length > n || !parse_iso_date(s, date_length, &year, &month, &day)) return invalid_iso(text);
  if (date_length < n && !parse_iso_time(s + date_length + 1, n - date_length - 1, &c, tzinfo)) return invalid_iso(text);
  return make_datetime(type, year, month, day, c, tzinfo.get(), 0);
}
PyObject* datetime_date(Borrowed<> self) { return new_date(&DateType, year_of(self), month_of(self), day_of(self)); }
PyObject* datetime_time(Borrowed<> self) {
  const Clock c = clock_of(as_datetime(self));
  return new_time(&TimeType, c.hour, c.minute, c.second, c.us, Py_None, as_datetime(self)->fold);
}
PyObject* datetime_timetz(Borrowed<> self) {
  const Clock c = clock_of(as_datetime(self));
  return new_time(&TimeType, c.hour, c.minute, c.second, c.us, datetime_tzinfo(as_datetime(self)), as_datetime(self)->fold);
}
PyObject* datetime_ctime(Borrowed<> self) { return date_ctime_text(self, clock_of(as_datetime(self))); }
PyObject* datetime_timetuple(Borrowed<> self) {
  Ref<> dst = call_offset(datetime_tzinfo(as_datetime(self)), "dst", self);
  if (!dst) return nullptr;
  const int flag = dst.get() == Py_None ? -1 : PyObject_IsTrue(dst.get());
  return make_timetuple(year_of(self), month_of(self), day_of(self), clock_of(as_datetime(self)), flag);
}
PyObject* datetime_utctimetuple(Borrowed<> self) {
  Ref<> offset = call_offset(datetime_tzinfo(as_datetime(self)), "utcoffset", self);
  if (!offset) return nullptr;
  Ref<> moment = Ref<>::dup(self.get());
  if (offset.get() != Py_None) {
    moment = Ref<>::steal(add_datetime_delta(as_datetime(self), as_delta(offset.get()), -1));
    if (!moment) return nullptr;
  }
  return make_timetuple(year_of(moment.get()), month_of(moment.get()), day_of(moment.get()), clock_of(as_datetime(moment.get())), 0);
}
PyObject* datetime_strftime(Borrowed<> self, Borrowed<PyUnicodeObject> format) {
  Ref<> tuple = Ref<>::steal(PyObject_CallMethod(self, "timetuple", nullptr));
  return tuple ? format_time(self, format.object(), tuple.get(), datetime_tzinfo(as_datetime(self)), self, clock_of(as_datetime(self)).us) : nullptr;
}
PyObject* datetime_timestamp(Borrowed<> self);
PyObject* datetime_isoformat_text(PyObject* self, int separator, const char* timespec) {
  char clock[24];
  char zone[24];
  if (!write_clock(clock, clock_of(as_datetime(self)), timespec) || !write_zone(zone, datetime_tzinfo(as_datetime(self)), self)) return nullptr;
  return PyUnicode_FromFormat("%04d-%02d-%02d%c%s%s", year_of(self), month_of(self), day_of(self), separator, clock, zone);
}
PyObject* datetime_isoformat(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"sep", "timespec", nullptr};
  int separator = 'T';
  const char* timespec = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Cs:isoformat", const_cast<char**>(names), &separator, &timespec)) return nullptr;
  return datetime_isoformat_text(self, separator, timespec);
}
PyObject* datetime_str(PyObject* self) { return PyObject_CallMethod(self, "isoformat", "s", " "); }
PyObject* datetime_utcoffset(Borrowed<> self) { return call_offset(datetime_tzinfo(as_datetime(self)), "utcoffset", self).release(); }
PyObject* datetime_dst(Borrowed<> self) { return call_offset(datetime_tzinfo(as_datetime(self)), "dst", self).release(); }
PyObject* datetime_tzname(Borrowed<> self) { return call_tzname(datetime_tzinfo(as_datetime(self)), self).release(); }
PyObject* datetime_replace(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold", nullptr};
  int year = year_of(self);
  int month = month_of(self);
  int day = day_of(self);
  Clock c = clock_of(as_datetime(self));
  PyObject* tzinfo = datetime_tzinfo(as_datetime(self));
  int fold = as_datetime(self)->fold;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiiiiO$i:replace", const_cast<char**>(names), &year, &month, &day, &c.hour, &c.minute,
                                   &c.second, &c.us, &tzinfo, &fold)) {
    return nullptr;
  }
  if (fold != 0 && fold != 1) return raise(PyExc_ValueError, "fold must be either 0 or 1");
  PyObject* result = make_datetime(Py_TYPE(self), year, month, day, c, tzinfo, fold);
  if (result != nullptr && is_datetime(result)) as_datetime(result)->fold = static_cast<unsigned char>(fold);
  return result;
}

/// The system's zone at a moment. Returns new.
PyObject* local_timezone(int64_t posix) {
  struct tm parts;
  if (_PyTime_localtime(static_cast<time_t>(posix), &parts) != 0) return nullptr;
  Ref<> delta = Ref<>::steal(new_delta(&DeltaType, 0, parts.tm_gmtoff, 0));
  Ref<> name = Ref<>::steal(PyUnicode_DecodeLocale(parts.tm_zone, "surrogateescape"));
  return delta && name ? new_timezone(delta.get(), name.get()) : nullptr;
}
PyObject* datetime_astimezone(Borrowed<> self, PyObject* tz) {
  PyObject* target = tz != nullptr ? tz : Py_None;
  if (target != Py_None && !check_tzinfo(target)) return nullptr;
  DateTime* moment = as_datetime(self);
  Ref<> source = Ref<>::dup(datetime_tzinfo(moment));
  Ref<> offset;
  if (source.get() != Py_None) {
    if (source.get() == target) return Py_NewRef(self.get());
    offset = call_offset(source.get(), "utcoffset", self);
    if (!offset) return nullptr;
  }
  if (source.get() == Py_None || offset.get() == Py_None) {  // naive: in the system's zone
    const int64_t posix = local_to_posix(year_of(self), month_of(self), day_of(self), clock_of(moment), moment->fold);
    if (posix == LLONG_MIN) return nullptr;
    source = Ref<>::steal(local_timezone(posix));
    if (!source) return nullptr;
    offset = call_offset(source.get(), "utcoffset", self);
    if (!offset) return nullptr;
  }
  Ref<> in_utc = Ref<>::steal(add_datetime_delta(moment, as_delta(offset.get()), -1));
  if (!in_utc) return nullptr;
  Ref<> local;
  if (target == Py_None) {
    const Clock c = clock_of(as_datetime(in_utc.get()));
    local = Ref<>::steal(local_timezone(ordinal_of(in_utc.get()) * kDaySeconds + seconds_of(c) - kEpochSeconds));
    if (!local) return nullptr;
    target = local.get();
  }
  DateTime* labelled = as_datetime(in_utc.get());
  PyObject* old = labelled->hastzinfo ? labelled->tzinfo : nullptr;
  labelled->tzinfo = Py_NewRef(target);
  labelled->hastzinfo = 1;
  Py_XDECREF(old);
  return PyObject_CallMethod(target, "fromutc", "O", in_utc.get());
}
PyObject* datetime_state(DateTime* self, int protocol) {
  Ref<> bytes = Ref<>::steal(PyBytes_FromStringAndSize(reinterpret_cast<char*>(self->data), 10));
  if (!bytes) return nullptr;
  if (protocol > 3 && self->fold) PyBytes_AS_STRING(bytes.get())[2] = static_cast<char>(self->data[2] | 0x80);
  return self->hastzinfo ? PyTuple_Pack(2, bytes.get(), self->tzinfo) : PyTuple_Pack(1, bytes.get());
}
PyObject* datetime_reduce(Borrowed<> self) { return Py_BuildValue("ON", Py_TYPE(self.get()), datetime_state(as_datetime(self), 2)); }
PyObject* datetime_reduce_ex(Borrowed<> self, int protocol) {
  return Py_BuildValue("ON", Py_TYPE(self.get()), datetime_state(as_datetime(self), protocol));
}
PyObject* datetime_repr(PyObject* self) {
  const Clock c = clock_of(as_datetime(self));
  Ref<> text = Ref<>::steal(PyUnicode_FromFormat("%s(%d, %d, %d, %d, %d", Py_TYPE(self)->tp_name, year_of(self), month_of(self), day_of(self), c.hour, c.minute));
  if (text && (c.us || c.second)) text = Ref<>::steal(PyUnicode_FromFormat("%U, %d", text.get(), c.second));
  if (text && c.us) text = Ref<>::steal(PyUnicode_FromFormat("%U, %d", text.get(), c.us));
  if (text && as_datetime(self)->fold) text = Ref<>::steal(PyUnicode_FromFormat("%U, fold=1", text.get()));
  if (text && as_datetime(self)->hastzinfo) text = Ref<>::steal(PyUnicode_FromFormat("%U, tzinfo=%R", text.get(), as_datetime(self)->tzinfo));
  return text ? PyUnicode_FromFormat("%U)", text.get()) : nullptr;
}
/// a - b with their offsets taken into account (null: both naive or in the same zone). Returns new.
PyObject* difference(PyObject* a, PyObject* b, Delta* offset_a, Delta* offset_b) {
  const Clock x = clock_of(as_datetime(a));
  const Clock y = clock_of(as_datetime(b));
  int64_t us = static_cast<int64_t>(x.us) - y.us;
  if (offset_a != nullptr) us += delta_microseconds_low(offset_b) - delta_microseconds_low(offset_a);
  return new_delta(&DeltaType, ordinal_of(a) - ordinal_of(b), seconds_of(x) - seconds_of(y), us);
}
PyObject* datetime_add(PyObject* a, PyObject* b) {
  if (is_datetime(a) && is_delta(b)) return add_datetime_delta(as_datetime(a), as_delta(b), 1);
  if (is_delta(a) && is_datetime(b)) return add_datetime_delta(as_datetime(b), as_delta(a), 1);
  Py_RETURN_NOTIMPLEMENTED;
}
PyObject* datetime_subtract(PyObject* a, PyObject* b) {
  if (!is_datetime(a)) Py_RETURN_NOTIMPLEMENTED;
  if (is_delta(b)) return add_datetime_delta(as_datetime(a), as_delta(b), -1);
  if (!is_datetime(b)) Py_RETURN_NOTIMPLEMENTED;
  if (datetime_tzinfo(as_datetime(a)) == datetime_tzinfo(as_datetime(b))) return difference(a, b, nullptr, nullptr);
  Ref<> x = call_offset(datetime_tzinfo(as_datetime(a)), "utcoffset", a);
  if (!x) return nullptr;
  Ref<> y = call_offset(datetime_tzinfo(as_datetime(b)), "utcoffset", b);
  if (!y) return nullptr;
  if ((x.get() == Py_None) != (y.get() == Py_None)) return raise(PyExc_TypeError, "can't subtract offset-naive and offset-aware datetimes");
  if (x.get() == Py_None) return difference(a, b, nullptr, nullptr);
  return difference(a, b, as_delta(x.get()), as_delta(y.get()));
}
PyObject* datetime_timestamp(Borrowed<> self) {
  DateTime* moment = as_datetime(self);
  const Clock c = clock_of(moment);
  if (moment->hastzinfo) {
    Ref<> epoch = Ref<>::steal(new_datetime(&DateTimeType, 1970, 1, 1, 0, 0, 0, 0, utc, 0));
    if (!epoch) return nullptr;
    Ref<> delta = Ref<>::steal(datetime_subtract(self, epoch.get()));
    return delta ? PyObject_CallMethod(delta.get(), "total_seconds", nullptr) : nullptr;
  }
  const int64_t posix = local_to_posix(year_of(self), month_of(self), day_of(self), c, moment->fold);
  if (posix == LLONG_MIN) return nullptr;
  return PyFloat_FromDouble(static_cast<double>(posix) + c.us / 1e6);
}

/// Whether the offset depends on fold: such a moment equals none in another zone (PEP 495). -1: error.
int is_ambiguous(PyObject* self, PyObject* offset) {
  DateTime* d = as_datetime(self);
  if (!d->hastzinfo) return 0;
  const Clock c = clock_of(d);
  Ref<> flipped = Ref<>::steal(new_datetime(&DateTimeType, year_of(self), month_of(self), day_of(self), c.hour, c.minute, c.second, c.us, d->tzinfo, !d->fold));
  if (!flipped) return -1;
  Ref<> other = call_offset(d->tzinfo, "utcoffset", flipped.get());
  if (!other) return -1;
  if (other.get() == offset) return 0;
  if (other.get() == Py_None || offset == Py_None) return 1;
  return compare_deltas(as_delta(other.get()), as_delta(offset)) != 0;
}
PyObject* datetime_richcompare(PyObject* a, PyObject* b, int op) {
  if (!is_datetime(b)) {
    if (!is_date(b)) Py_RETURN_NOTIMPLEMENTED;
    if (op == Py_EQ || op == Py_NE) return PyBool_FromLong(op == Py_NE);
    return raise(PyExc_TypeError, "can't compare %s to %s", Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
  }
  const int plain = memcmp(as_datetime(a)->data, as_datetime(b)->data, 10);
  if (datetime_tzinfo(as_datetime(a)) == datetime_tzinfo(as_datetime(b))) Py_RETURN_RICHCOMPARE(plain, 0, op);
  Ref<> x = call_offset(datetime_tzinfo(as_datetime(a)), "utcoffset", a);
  if (!x) return nullptr;
  Ref<> y = call_offset(datetime_tzinfo(as_datetime(b)), "utcoffset", b);
  if (!y) return nullptr;
  const bool both = x.get() != Py_None && y.get() != Py_None;
  const bool equality = op == Py_EQ || op == Py_NE;
  if (x.get() == Py_None && y.get() == Py_None) Py_RETURN_RICHCOMPARE(plain, 0, op);
  if (!both) {
    if (equality) return PyBool_FromLong(op == Py_NE);
    return raise(PyExc_TypeError, "can't compare offset-naive and offset-aware datetimes");
  }
  int order = plain;
  if (compare_deltas(as_delta(x.get()), as_delta(y.get())) != 0) {
    Ref<> delta = Ref<>::steal(difference(a, b, as_delta(x.get()), as_delta(y.get())));
    if (!delta) return nullptr;
    const Delta* d = as_delta(delta.get());
    order = d->days < 0 ? -1 : (d->days != 0 || d->seconds != 0 || d->microseconds != 0);
  }
  if (equality && order == 0) {
    int ambiguous = is_ambiguous(a, x.get());
    if (ambiguous == 0) ambiguous = is_ambiguous(b, y.get());
    if (ambiguous < 0) return nullptr;
    if (ambiguous) order = 1;
  }
  Py_RETURN_RICHCOMPARE(order, 0, op);
}
Py_hash_t datetime_hash(PyObject* self) {
  DateTime* d = as_datetime(self);
  if (d->hashcode != -1) return d->hashcode;
  const Clock c = clock_of(d);
  Ref<> plain = Ref<>::dup(self);
  if (d->fold) {  // equal times with other folds hash alike
    plain = Ref<>::steal(new_datetime(&DateTimeType, year_of(self), month_of(self), day_of(self), c.hour, c.minute, c.second, c.us, datetime_tzinfo(d), 0));
    if (!plain) return -1;
  }
  Ref<> offset = call_offset(datetime_tzinfo(d), "utcoffset", plain.get());
  if (!offset) return -1;
  if (offset.get() == Py_None) {
    d->hashcode = _Py_HashBytes(d->data, 10);
  } else {
    Ref<> delta = Ref<>::steal(new_delta(&DeltaType, ordinal_of(self), seconds_of(c), c.us - delta_microseconds_low(as_delta(offset.get()))));
    if (!delta) return -1;
    d->hashcode = PyObject_Hash(delta.get());
  }
  return d->hashcode;
}
template <int kPart>
PyObject* get_datetime_part(PyObject* self, void*) {
  const Clock c = clock_of(as_datetime(self));
  return PyLong_FromLong(kPart == 0 ? c.hour : kPart == 1 ? c.minute : kPart == 2 ? c.second : c.us);
}
PyObject* get_datetime_tzinfo(PyObject* self, void*) { return Py_NewRef(datetime_tzinfo(as_datetime(self))); }
PyObject* get_datetime_fold(PyObject* self, void*) { return PyLong_FromLong(as_datetime(self)->fold); }
PyGetSetDef datetime_getset[] = {{"hour", get_datetime_part<0>, nullptr, nullptr, nullptr},
                                 {"minute", get_datetime_part<1>, nullptr, nullptr, nullptr},
                                 {"second", get_datetime_part<2>, nullptr, nullptr, nullptr},
                                 {"microsecond", get_datetime_part<3>, nullptr, nullptr, nullptr},
                                 {"tzinfo", get_datetime_tzinfo, nullptr, nullptr, nullptr},
                                 {"fold", get_datetime_fold, nullptr, nullptr, nullptr},
                                 {}};
PyMethodDef datetime_methods[] = {
    method<datetime_now, "now($type, /, tz=None)", "The current time, in local time or a zone.">(METH_CLASS),
    method<datetime_utcnow, "utcnow($type, /)", "A new datetime representing UTC day and time.">(METH_CLASS),
    method<datetime_fromtimestamp, "fromtimestamp($type, /, timestamp, tz=None)", "timestamp[, tz] -> tz's local time from POSIX timestamp.">(METH_CLASS),
    method<datetime_utcfromtimestamp, "utcfromtimestamp($type, timestamp, /)", "A naive UTC datetime from a POSIX timestamp.">(METH_CLASS),
    method<datetime_strptime, "strptime($type, date_string, format, /)", "string, format -> new datetime parsed from a string (like time.strptime()).">(METH_CLASS),
    method<datetime_combine, "combine($type, /, date, time, tzinfo=None)", "date, time -> datetime with same date and time fields">(METH_CLASS),
    method<datetime_fromisoformat, "fromisoformat($type, string, /)", "string -> datetime from a string in most ISO 8601 formats">(METH_CLASS),
    method<datetime_date, "date($self, /)", "The date part.">(),
    method<datetime_time, "time($self, /)", "The time part, without tzinfo.">(),
    method<datetime_timetz, "timetz($self, /)", "The time part, with tzinfo.">(),
    method<datetime_ctime, "ctime($self, /)", "Return ctime() style string.">(),
    method<datetime_timetuple, "timetuple($self, /)", "Time tuple, compatible with time.localtime().">(),
    method<datetime_timestamp, "timestamp($self, /)", "POSIX timestamp as float.">(),
    method<datetime_utctimetuple, "utctimetuple($self, /)", "UTC time tuple, compatible with time.localtime().">(),
    {"isoformat", with_keywords(datetime_isoformat), METH_VARARGS | METH_KEYWORDS,
     "[sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM]."},
    method<datetime_strftime, "strftime($self, /, format)", "format -> strftime() style string.">(),
    method<datetime_utcoffset, "utcoffset($self, /)", "self.tzinfo.utcoffset(self).">(),
    method<datetime_tzname, "tzname($self, /)", "self.tzinfo.tzname(self).">(),
    method<datetime_dst, "dst($self, /)", "self.tzinfo.dst(self).">(),
    {"replace", with_keywords(datetime_replace), METH_VARARGS | METH_KEYWORDS, "A datetime with some fields replaced."},
    method<datetime_astimezone, "astimezone($self, /, tz=None)", "tz -> convert to local time in new timezone tz">(),
    method<datetime_reduce_ex, "__reduce_ex__($self, proto, /)", "__reduce_ex__(proto) -> (cls, state)">(),
    method<datetime_reduce, "__reduce__($self, /)", "__reduce__() -> (cls, state)">(),
    {}};
PyNumberMethods datetime_as_number = {.nb_add = datetime_add, .nb_subtract = datetime_subtract};

// The C API ---------------------------------------------------------------------------------------------------------

PyObject* api_date(int year, int month, int day, PyTypeObject* type) { return new_date(type, year, month, day); }
PyObject* api_datetime(int y, int m, int d, int h, int mi, int s, int us, PyObject* tz, PyTypeObject* type) {
  return new_datetime(type, y, m, d, h, mi, s, us, tz, 0);
}
PyObject* api_time(int h, int m, int s, int us, PyObject* tz, PyTypeObject* type) { return new_time(type, h, m, s, us, tz, 0); }
PyObject* api_delta(int days, int seconds, int us, int normalize, PyTypeObject* type) { return new_delta(type, days, seconds, us); }
PyObject* api_datetime_from_timestamp(PyObject* type, PyObject* args, PyObject* kwargs) {
  Ref<> function = Ref<>::steal(PyObject_GetAttrString(type, "fromtimestamp"));
  return function ? PyObject_Call(function.get(), args, kwargs) : nullptr;
}
PyObject* api_date_from_timestamp(PyObject* type, PyObject* args) {
  PyObject* timestamp;
  if (!PyArg_UnpackTuple(args, "fromtimestamp", 1, 1, &timestamp)) return nullptr;
  return date_from_local(reinterpret_cast<PyTypeObject*>(type), timestamp);
}
PyObject* api_datetime_fold(int y, int m, int d, int h, int mi, int s, int us, PyObject* tz, int fold, PyTypeObject* type) {
  return new_datetime(type, y, m, d, h, mi, s, us, tz, fold);
}
PyObject* api_time_fold(int h, int m, int s, int us, PyObject* tz, int fold, PyTypeObject* type) { return new_time(type, h, m, s, us, tz, fold); }

PyDateTime_CAPI capi = {&DateType, &DateTimeType, &TimeType, &DeltaType, &TZInfoType, nullptr, api_date, api_datetime, api_time, api_delta,
                        new_timezone, api_datetime_from_timestamp, api_date_from_timestamp, api_datetime_fold, api_time_fold};

bool set_attribute(PyTypeObject& type, const char* name, PyObject* value) {
  Ref<> owner = Ref<>::steal(value);
  return owner && PyDict_SetItemString(type.tp_dict, name, owner.get()) == 0;
}

PyModuleDef datetime_module = {PyModuleDef_HEAD_INIT, "_datetime", "Fast implementation of the datetime type.", -1, nullptr, nullptr, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace pyston::dates

using namespace pyston;
using namespace pyston::dates;

PyTypeObject pyston_datetime_date_type = {
    .ob_base = type_head(),
    .tp_name = "datetime.date",
    .tp_basicsize = sizeof(Date),
    .tp_repr = date_repr,
    .tp_as_number = &date_as_number,
    .tp_hash = date_hash,
    .tp_str = date_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "date(year, month, day) --> date object",
    .tp_richcompare = date_richcompare,
    .tp_methods = date_methods,
    .tp_getset = date_getset,
    .tp_new = date_new,
};
PyTypeObject pyston_datetime_time_type = {
    .ob_base = type_head(),
    .tp_name = "datetime.time",
    .tp_basicsize = sizeof(Time),
    .tp_dealloc = time_dealloc,
    .tp_repr = time_repr,
    .tp_hash = time_hash,
    .tp_str = date_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object\n\nAll arguments are optional. tzinfo may be "
              "None, or an instance of\na tzinfo subclass. The remaining arguments may be ints.",
    .tp_richcompare = time_richcompare,
    .tp_methods = time_methods,
    .tp_getset = time_getset,
    .tp_new = time_new,
};
PyTypeObject pyston_datetime_datetime_type = {
    .ob_base = type_head(),
    .tp_name = "datetime.datetime",
    .tp_basicsize = sizeof(DateTime),
    .tp_dealloc = datetime_dealloc,
    .tp_repr = datetime_repr,
    .tp_as_number = &datetime_as_number,
    .tp_hash = datetime_hash,
    .tp_str = datetime_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])\n\nThe year, month and day arguments are "
              "required. tzinfo may be None, or an\ninstance of a tzinfo subclass. The remaining arguments may be ints.",
    .tp_richcompare = datetime_richcompare,
    .tp_methods = datetime_methods,
    .tp_getset = datetime_getset,
    .tp_base = &pyston_datetime_date_type,
    .tp_new = datetime_new,
};

PyMODINIT_FUNC PyInit__datetime(void) {
  for (PyTypeObject* type : {&DateType, &DateTimeType, &TimeType, &DeltaType, &TZInfoType, &TimeZoneType}) {
    if (PyType_Ready(type) < 0) return nullptr;
  }
  if (iso_calendar_type.tp_name == nullptr) {
    if (PyStructSequence_InitType2(&iso_calendar_type, &iso_calendar_description) < 0) return nullptr;
    if (!set_attribute(iso_calendar_type, "__reduce__", PyDescr_NewMethod(&iso_calendar_type, &iso_calendar_reduce_method))) return nullptr;
    PyType_Modified(&iso_calendar_type);
  }
  if (utc == nullptr) {
    Ref<> zero = Ref<>::steal(new_delta(&DeltaType, 0, 0, 0));
    if (!zero) return nullptr;
    utc = new_timezone(zero.get(), nullptr);
    if (utc == nullptr) return nullptr;
    capi.TimeZone_UTC = utc;
  }
  const auto minutes = [](int value) {
    Ref<> delta = Ref<>::steal(new_delta(&DeltaType, 0, value * 60, 0));
    return delta ? new_timezone(delta.get(), nullptr) : nullptr;
  };
  const bool attributes =
      set_attribute(DeltaType, "resolution", new_delta(&DeltaType, 0, 0, 1)) &&
      set_attribute(DeltaType, "min", new_delta(&DeltaType, -kMaxDeltaDays, 0, 0)) &&
      set_attribute(DeltaType, "max", new_delta(&DeltaType, kMaxDeltaDays, kDaySeconds - 1, 999999)) &&
      set_attribute(DateType, "min", new_date(&DateType, 1, 1, 1)) && set_attribute(DateType, "max", new_date(&DateType, kMaxYear, 12, 31)) &&
      set_attribute(DateType, "resolution", new_delta(&DeltaType, 1, 0, 0)) &&
      set_attribute(TimeType, "min", new_time(&TimeType, 0, 0, 0, 0, Py_None, 0)) &&
      set_attribute(TimeType, "max", new_time(&TimeType, 23, 59, 59, 999999, Py_None, 0)) &&
      set_attribute(TimeType, "resolution", new_delta(&DeltaType, 0, 0, 1)) &&
      set_attribute(DateTimeType, "min", new_datetime(&DateTimeType, 1, 1, 1, 0, 0, 0, 0, Py_None, 0)) &&
      set_attribute(DateTimeType, "max", new_datetime(&DateTimeType, kMaxYear, 12, 31, 23, 59, 59, 999999, Py_None, 0)) &&
      set_attribute(DateTimeType, "resolution", new_delta(&DeltaType, 0, 0, 1)) && set_attribute(TimeZoneType, "utc", Py_NewRef(utc)) &&
      set_attribute(TimeZoneType, "min", minutes(-(24 * 60 - 1))) && set_attribute(TimeZoneType, "max", minutes(24 * 60 - 1));
  if (!attributes) return nullptr;
  Ref<> module = Ref<>::steal(PyModule_Create(&datetime_module));
  if (!module) return nullptr;
  for (PyTypeObject* type : {&DateType, &DateTimeType, &TimeType, &DeltaType, &TZInfoType, &TimeZoneType}) {
    if (PyModule_AddType(module.get(), type) < 0) return nullptr;
  }
  Ref<> capsule = Ref<>::steal(PyCapsule_New(&capi, PyDateTime_CAPSULE_NAME, nullptr));
  if (!capsule || PyModule_AddObjectRef(module.get(), "datetime_CAPI", capsule.get()) < 0 ||
      PyModule_AddIntConstant(module.get(), "MINYEAR", 1) < 0 || PyModule_AddIntConstant(module.get(), "MAXYEAR", kMaxYear) < 0 ||
      PyModule_AddObjectRef(module.get(), "UTC", utc) < 0) {
    return nullptr;
  }
  return module.release();
}
