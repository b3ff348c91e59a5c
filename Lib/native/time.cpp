// The time module: clocks, struct_time, sleeping and formatting dates.
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "Objects/bind.h"
#include "cpython/pytime.h"
#include "internal/pycore_namespace.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_structseq.h"

namespace pyston::time_module {
namespace {

PyTypeObject* struct_time_type = nullptr;

Ref<> seconds_object(_PyTime_t t) { return Ref<>::steal(PyFloat_FromDouble(_PyTime_AsSecondsDouble(t))); }
Ref<> nanoseconds_object(_PyTime_t t) { return Ref<>::steal(PyLong_FromLongLong(t)); }

Ref<> time_time(PyObject*) { return seconds_object(_PyTime_GetSystemClock()); }
Ref<> time_time_ns(PyObject*) { return nanoseconds_object(_PyTime_GetSystemClock()); }
Ref<> time_monotonic(PyObject*) { return seconds_object(_PyTime_GetMonotonicClock()); }
Ref<> time_monotonic_ns(PyObject*) { return nanoseconds_object(_PyTime_GetMonotonicClock()); }
Ref<> time_perf_counter(PyObject*) { return seconds_object(_PyTime_GetPerfCounter()); }
Ref<> time_perf_counter_ns(PyObject*) { return nanoseconds_object(_PyTime_GetPerfCounter()); }

Status read_clock(clockid_t clock, _PyTime_t* out) {
  timespec ts;
  if (clock_gettime(clock, &ts) != 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return Status::kError;
  }
  return _PyTime_FromTimespec(out, &ts) < 0 ? Status::kError : Status::kOk;
}

template <clockid_t kClock>
Ref<> clock_seconds(PyObject*) {
  _PyTime_t t;
  VM_CHECK(read_clock(kClock, &t));
  return seconds_object(t);
}
template <clockid_t kClock>
Ref<> clock_nanoseconds(PyObject*) {
  _PyTime_t t;
  VM_CHECK(read_clock(kClock, &t));
  return nanoseconds_object(t);
}

Ref<> time_clock_gettime(PyObject*, int clock) {
  _PyTime_t t;
  VM_CHECK(read_clock(clock, &t));
  return seconds_object(t);
}
Ref<> time_clock_gettime_ns(PyObject*, int clock) {
  _PyTime_t t;
  VM_CHECK(read_clock(clock, &t));
  return nanoseconds_object(t);
}
Ref<> set_clock(int clock, _PyTime_t t) {
  timespec ts;
  if (_PyTime_AsTimespec(t, &ts) < 0) return nullptr;
  if (clock_settime(clock, &ts) != 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return nullptr;
  }
  return Ref<>::none();
}
Ref<> time_clock_settime(PyObject*, int clock, Borrowed<> time) {
  _PyTime_t t;
  if (_PyTime_FromSecondsObject(&t, time, _PyTime_ROUND_FLOOR) < 0) return nullptr;
  return set_clock(clock, t);
}
Ref<> time_clock_settime_ns(PyObject*, int clock, Borrowed<> time) {
  _PyTime_t t;
  if (_PyTime_FromNanosecondsObject(&t, time) < 0) return nullptr;
  return set_clock(clock, t);
}
Ref<> time_clock_getres(PyObject*, int clock) {
  timespec ts;
  if (clock_getres(clock, &ts) != 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return nullptr;
  }
  return Ref<>::steal(PyFloat_FromDouble(static_cast<double>(ts.tv_sec) + static_cast<double>(ts.tv_nsec) * 1e-9));
}
Ref<> time_pthread_getcpuclockid(PyObject*, Borrowed<> thread_id) {
  const unsigned long thread = PyLong_AsUnsignedLongMask(thread_id);
  if (thread == static_cast<unsigned long>(-1) && PyErr_Occurred()) return nullptr;
  clockid_t clock;
  const int result = pthread_getcpuclockid(static_cast<pthread_t>(thread), &clock);
  if (result != 0) {
    errno = result;
    PyErr_SetFromErrno(PyExc_OSError);
    return nullptr;
  }
  return Ref<>::steal(PyLong_FromLong(clock));
}

/// Sleeps until the deadline; signal handlers run meanwhile and may end it by raising (PEP 475).
Ref<> time_sleep(PyObject*, Borrowed<> secs) {
  _PyTime_t timeout;
  if (_PyTime_FromSecondsObject(&timeout, secs, _PyTime_ROUND_TIMEOUT) < 0) return nullptr;
  if (timeout < 0) return raise(PyExc_ValueError, "sleep length must be non-negative");
  timespec deadline;
  if (_PyTime_AsTimespec(_PyTime_Add(_PyTime_GetMonotonicClock(), timeout), &deadline) < 0) return nullptr;
  while (true) {
    PyThreadState* saved = PyEval_SaveThread();
    const int result = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr);
    PyEval_RestoreThread(saved);
    if (result == 0) return Ref<>::none();
    if (result != EINTR) {
      errno = result;
      PyErr_SetFromErrno(PyExc_OSError);
      return nullptr;
    }
    if (PyErr_CheckSignals() != 0) return nullptr;
  }
}

// ---- struct_time -------------------------------------------------------------------------------------------------------

PyStructSequence_Field struct_time_fields[] = {{"tm_year", "year, for example, 1993"},
                                               {"tm_mon", "month of year, range [1, 12]"},
                                               {"tm_mday", "day of month, range [1, 31]"},
                                               {"tm_hour", "hours, range [0, 23]"},
                                               {"tm_min", "minutes, range [0, 59]"},
                                               {"tm_sec", "seconds, range [0, 61])"},
                                               {"tm_wday", "day of week, range [0, 6], Monday is 0"},
                                               {"tm_yday", "day of year, range [1, 366]"},
                                               {"tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"},
                                               {"tm_zone", "abbreviation of timezone name"},
                                               {"tm_gmtoff", "offset from UTC in seconds"},
                                               {nullptr, nullptr}};
PyStructSequence_Desc struct_time_desc = {"time.struct_time",
                                          "A point in time as fields, the result of gmtime, localtime and strptime.",
                                          struct_time_fields, 9};

Ref<> make_struct_time(const tm& p, const char* zone, long offset) {
  auto value = VM_TRY(Ref<>::steal(PyStructSequence_New(struct_time_type)));
  const long fields[] = {p.tm_year + 1900L, p.tm_mon + 1, p.tm_mday,           p.tm_hour,     p.tm_min,
                         p.tm_sec,          (p.tm_wday + 6) % 7, p.tm_yday + 1, p.tm_isdst};
  for (int i = 0; i < 9; i++) PyStructSequence_SET_ITEM(value.get(), i, PyLong_FromLong(fields[i]));
  PyStructSequence_SET_ITEM(value.get(), 9, PyUnicode_DecodeLocale(zone, "surrogateescape"));
  PyStructSequence_SET_ITEM(value.get(), 10, PyLong_FromLong(offset));
  if (PyErr_Occurred()) return nullptr;
  return value;
}

bool seconds_argument(PyObject* value, time_t* out) {
  if (value == nullptr || value == Py_None) {
    *out = ::time(nullptr);
    return true;
  }
  return _PyTime_ObjectToTime_t(value, out, _PyTime_ROUND_FLOOR) == 0;
}

Ref<> time_gmtime(PyObject*, PyObject* seconds) {
  time_t when;
  tm fields;
  if (!seconds_argument(seconds, &when) || _PyTime_gmtime(when, &fields) != 0) return nullptr;
  return make_struct_time(fields, "UTC", 0);
}
Ref<> time_localtime(PyObject*, PyObject* seconds) {
  time_t when;
  tm fields;
  if (!seconds_argument(seconds, &when) || _PyTime_localtime(when, &fields) != 0) return nullptr;
  return make_struct_time(fields, fields.tm_zone, fields.tm_gmtoff);
}

/// Fills a C tm from a 9-tuple or struct_time; `zone` keeps the text that tm_zone points to.
bool read_tm(PyObject* value, tm* p, const char* function, Ref<>* zone) {
  *p = tm{};
  if (!PyTuple_Check(value)) {
    PyErr_SetString(PyExc_TypeError, "Tuple or struct_time argument required");
    return false;
  }
  const char* message = strcmp(function, "strftime") == 0   ? "iiiiiiiii;strftime(): illegal time tuple argument"
                        : strcmp(function, "asctime") == 0 ? "iiiiiiiii;asctime(): illegal time tuple argument"
                                                            : "iiiiiiiii;mktime(): illegal time tuple argument";
  PyObject* tuple = value;
  Ref<> plain;
  if (Py_IS_TYPE(value, struct_time_type)) {
    plain = Ref<>::steal(PySequence_Tuple(value));
    if (!plain) return false;
    tuple = plain.get();
  }
  int year;
  if (!PyArg_ParseTuple(tuple, message, &year, &p->tm_mon, &p->tm_mday, &p->tm_hour, &p->tm_min, &p->tm_sec, &p->tm_wday,
                        &p->tm_yday, &p->tm_isdst)) {
    return false;
  }
  if (year < INT_MIN + 1900) {
    PyErr_SetString(PyExc_OverflowError, "year out of range");
    return false;
  }
  p->tm_year = year - 1900;
  p->tm_mon--;
  p->tm_wday = (p->tm_wday + 1) % 7;
  p->tm_yday--;
  if (Py_IS_TYPE(value, struct_time_type)) {
    PyObject* name = PyStructSequence_GET_ITEM(value, 9);
    PyObject* offset = PyStructSequence_GET_ITEM(value, 10);
    if (name != Py_None) {
      *zone = Ref<>::dup(name);
      p->tm_zone = const_cast<char*>(PyUnicode_AsUTF8(name));
      if (p->tm_zone == nullptr) return false;
    }
    if (offset != Py_None) {
      p->tm_gmtoff = PyLong_AsLong(offset);
      if (PyErr_Occurred()) return false;
    }
  }
  return true;
}

/// Range checks that asctime and strftime share; 0 counts as 1 in month, day and day of year.
bool check_tm(tm* p) {
  auto fail = [](const char* message) {
    PyErr_SetString(PyExc_ValueError, message);
    return false;
  };
  if (p->tm_mon == -1) p->tm_mon = 0;
  if (p->tm_mon < 0 || p->tm_mon > 11) return fail("month out of range");
  if (p->tm_mday == 0) p->tm_mday = 1;
  if (p->tm_mday < 0 || p->tm_mday > 31) return fail("day of month out of range");
  if (p->tm_hour < 0 || p->tm_hour > 23) return fail("hour out of range");
  if (p->tm_min < 0 || p->tm_min > 59) return fail("minute out of range");
  if (p->tm_sec < 0 || p->tm_sec > 61) return fail("seconds out of range");
  if (p->tm_wday < 0) return fail("day of week out of range");
  if (p->tm_yday == -1) p->tm_yday = 0;
  if (p->tm_yday < 0 || p->tm_yday > 365) return fail("day of year out of range");
  return true;
}

Ref<> format_asctime(const tm& p) {
  static constexpr char kDays[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr char kMonths[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return Ref<>::steal(PyUnicode_FromFormat("%s %s%3d %.2d:%.2d:%.2d %d", kDays[p.tm_wday], kMonths[p.tm_mon], p.tm_mday,
                                           p.tm_hour, p.tm_min, p.tm_sec, 1900 + p.tm_year));
}

Ref<> time_asctime(PyObject*, PyObject* t) {
  tm fields;
  Ref<> zone;
  if (t == nullptr) {
    if (_PyTime_localtime(::time(nullptr), &fields) != 0) return nullptr;
  } else if (!read_tm(t, &fields, "asctime", &zone) || !check_tm(&fields)) {
    return nullptr;
  }
  return format_asctime(fields);
}
Ref<> time_ctime(PyObject*, PyObject* seconds) {
  time_t when;
  tm fields;
  if (!seconds_argument(seconds, &when) || _PyTime_localtime(when, &fields) != 0) return nullptr;
  return format_asctime(fields);
}
Ref<> time_mktime(PyObject*, Borrowed<> t) {
  tm fields;
  Ref<> zone;
  if (!read_tm(t, &fields, "mktime", &zone)) return nullptr;
  fields.tm_wday = -1;  // stays so when mktime fails: -1 is also a valid time
  const time_t when = mktime(&fields);
  if (when == static_cast<time_t>(-1) && fields.tm_wday == -1) {
    return raise(PyExc_OverflowError, "mktime argument out of range");
  }
  return Ref<>::steal(PyFloat_FromDouble(static_cast<double>(when)));
}

Ref<> time_strftime(PyObject*, Borrowed<PyUnicodeObject> format, PyObject* t) {
  tm fields{};
  Ref<> zone;
  if (t == nullptr) {
    if (_PyTime_localtime(::time(nullptr), &fields) != 0) return nullptr;
  } else if (!read_tm(t, &fields, "strftime", &zone) || !check_tm(&fields)) {
    return nullptr;
  }
  if (fields.tm_isdst < -1) fields.tm_isdst = -1;
  if (fields.tm_isdst > 1) fields.tm_isdst = 1;
  auto encoded = VM_TRY(Ref<>::steal(PyUnicode_EncodeLocale(format.object(), "surrogateescape")));
  const char* text = PyBytes_AS_STRING(encoded.get());
  const size_t format_length = strlen(text);
  if (format_length == 0) return Ref<>::steal(PyUnicode_New(0, 0));
  // strftime can't tell "too small" from "empty": grow until the buffer is beyond doubt.
  for (size_t size = 1024;; size *= 2) {
    char* buffer = static_cast<char*>(PyMem_Malloc(size));
    if (buffer == nullptr) return PyErr_NoMemory(), nullptr;
    const size_t length = strftime(buffer, size, text, &fields);
    if (length > 0 || size >= 256 * format_length) {
      Ref<> result = Ref<>::steal(PyUnicode_DecodeLocaleAndSize(buffer, static_cast<Py_ssize_t>(length), "surrogateescape"));
      PyMem_Free(buffer);
      return result;
    }
    PyMem_Free(buffer);
  }
}

PyObject* time_strptime(PyObject*, PyObject* args) {
  Ref<> function = Ref<>::steal(_PyImport_GetModuleAttrString("_strptime", "_strptime_time"));
  return function ? PyObject_Call(function.get(), args, nullptr) : nullptr;
}

Status set_timezone(PyObject* module);

Ref<> time_tzset(PyObject* module) {
  auto self = VM_TRY(Ref<>::steal(PyImport_ImportModule("time")));
  tzset();
  VM_CHECK(set_timezone(self.get()));
  return Ref<>::none();
}

/// timezone, altzone, daylight and tzname, from the offsets in January and July.
Status set_timezone(PyObject* module) {
  constexpr time_t kYear = (365 * 24 + 6) * 3600;
  auto offset_at = [](time_t when, char* name, size_t size) {
    tm fields;
    if (localtime_r(&when, &fields) == nullptr) return 0L;
    snprintf(name, size, "%s", fields.tm_zone == nullptr ? "   " : fields.tm_zone);
    return -fields.tm_gmtoff;
  };
  char january[100];
  char july[100];
  const time_t start = (::time(nullptr) / kYear) * kYear;
  const long winter = offset_at(start, january, sizeof january);
  const long summer = offset_at(start + kYear / 2, july, sizeof july);
  const bool southern = winter < summer;  // DST reigns in January
  VM_CHECK(PyModule_AddIntConstant(module, "timezone", southern ? summer : winter));
  VM_CHECK(PyModule_AddIntConstant(module, "altzone", southern ? winter : summer));
  VM_CHECK(PyModule_AddIntConstant(module, "daylight", winter != summer));
  auto first = VM_TRY(Ref<>::steal(PyUnicode_DecodeLocale(southern ? july : january, "surrogateescape")));
  auto second = VM_TRY(Ref<>::steal(PyUnicode_DecodeLocale(southern ? january : july, "surrogateescape")));
  auto names = VM_TRY(Ref<>::steal(PyTuple_Pack(2, first.get(), second.get())));
  return PyModule_AddObjectRef(module, "tzname", names.get()) < 0 ? Status::kError : Status::kOk;
}

Ref<> time_get_clock_info(PyObject*, Borrowed<PyUnicodeObject> name) {
  _Py_clock_info_t info{};
  _PyTime_t t;
  int result = 0;
  auto is = [&](const char* text) { return PyUnicode_CompareWithASCIIString(name.object(), text) == 0; };
  auto cpu_clock = [&](clockid_t clock, const char* implementation) {
    timespec resolution;
    info.implementation = implementation;
    info.monotonic = 1;
    info.adjustable = 0;
    info.resolution = clock_getres(clock, &resolution) == 0
                          ? static_cast<double>(resolution.tv_sec) + static_cast<double>(resolution.tv_nsec) * 1e-9
                          : 1e-9;
  };
  if (is("time")) {
    result = _PyTime_GetSystemClockWithInfo(&t, &info);
  } else if (is("monotonic")) {
    result = _PyTime_GetMonotonicClockWithInfo(&t, &info);
  } else if (is("perf_counter")) {
    result = _PyTime_GetPerfCounterWithInfo(&t, &info);
  } else if (is("process_time")) {
    cpu_clock(CLOCK_PROCESS_CPUTIME_ID, "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)");
  } else if (is("thread_time")) {
    cpu_clock(CLOCK_THREAD_CPUTIME_ID, "clock_gettime(CLOCK_THREAD_CPUTIME_ID)");
  } else {
    return raise(PyExc_ValueError, "unknown clock");
  }
  if (result < 0) return nullptr;
  auto attributes = VM_TRY(Ref<>::steal(Py_BuildValue("{sssOsOsd}", "implementation", info.implementation, "monotonic",
                                                      info.monotonic ? Py_True : Py_False, "adjustable",
                                                      info.adjustable ? Py_True : Py_False, "resolution",
                                                      info.resolution)));
  return Ref<>::steal(_PyNamespace_New(attributes.get()));
}

PyMethodDef methods[] = {
    method<time_time, "time($module, /)", "Seconds since the epoch, as a float.">(),
    method<time_time_ns, "time_ns($module, /)", "Nanoseconds since the epoch.">(),
    method<time_clock_gettime, "clock_gettime($module, clk_id, /)", "Seconds of a clock.">(),
    method<time_clock_gettime_ns, "clock_gettime_ns($module, clk_id, /)", "Nanoseconds of a clock.">(),
    method<time_clock_settime, "clock_settime($module, clk_id, time, /)", "Sets a clock, in seconds.">(),
    method<time_clock_settime_ns, "clock_settime_ns($module, clk_id, time, /)", "Sets a clock, in nanoseconds.">(),
    method<time_clock_getres, "clock_getres($module, clk_id, /)", "Resolution of a clock, in seconds.">(),
    method<time_pthread_getcpuclockid, "pthread_getcpuclockid($module, thread_id, /)", "CPU clock of a thread.">(),
    method<time_sleep, "sleep($module, secs, /)", "Suspends the calling thread for a number of seconds.">(),
    method<time_gmtime, "gmtime($module, seconds=None, /)", "UTC struct_time of seconds since the epoch.">(),
    method<time_localtime, "localtime($module, seconds=None, /)", "Local struct_time of seconds since the epoch.">(),
    method<time_asctime, "asctime($module, tuple=None, /)", "'Sat Jun 06 16:26:11 1998' of a time tuple.">(),
    method<time_ctime, "ctime($module, seconds=None, /)", "asctime(localtime(seconds)).">(),
    method<time_mktime, "mktime($module, tuple, /)", "Seconds since the epoch of a local time tuple.">(),
    method<time_strftime, "strftime($module, format, tuple=None, /)", "Formats a time tuple.">(),
    {"strptime", time_strptime, METH_VARARGS, "strptime(string, format) -> struct_time\n\nParses a time."},
    method<time_tzset, "tzset($module, /)", "Reads the TZ environment variable again.">(),
    method<time_monotonic, "monotonic($module, /)", "Seconds of a clock that never goes back.">(),
    method<time_monotonic_ns, "monotonic_ns($module, /)", "Nanoseconds of a clock that never goes back.">(),
    method<clock_seconds<CLOCK_PROCESS_CPUTIME_ID>, "process_time($module, /)", "CPU seconds of the process.">(),
    method<clock_nanoseconds<CLOCK_PROCESS_CPUTIME_ID>, "process_time_ns($module, /)",
           "CPU nanoseconds of the process.">(),
    method<clock_seconds<CLOCK_THREAD_CPUTIME_ID>, "thread_time($module, /)", "CPU seconds of the thread.">(),
    method<clock_nanoseconds<CLOCK_THREAD_CPUTIME_ID>, "thread_time_ns($module, /)", "CPU nanoseconds of the thread.">(),
    method<time_perf_counter, "perf_counter($module, /)", "Seconds of the finest clock.">(),
    method<time_perf_counter_ns, "perf_counter_ns($module, /)", "Nanoseconds of the finest clock.">(),
    method<time_get_clock_info, "get_clock_info($module, name, /)", "Properties of a clock, as a namespace.">(),
    {}};

Status fill_module(PyObject* module) {
  VM_CHECK(set_timezone(module));
  const struct {
    const char* name;
    long value;
  } constants[] = {{"CLOCK_REALTIME", CLOCK_REALTIME},
                   {"CLOCK_MONOTONIC", CLOCK_MONOTONIC},
                   {"CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW},
                   {"CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID},
                   {"CLOCK_THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID},
                   {"CLOCK_BOOTTIME", CLOCK_BOOTTIME},
                   {"CLOCK_TAI", CLOCK_TAI},
                   {"_STRUCT_TM_ITEMS", 11}};
  for (const auto& row : constants) VM_CHECK(PyModule_AddIntConstant(module, row.name, row.value));
  if (struct_time_type == nullptr) {
    struct_time_type = PyStructSequence_NewType(&struct_time_desc);
    if (struct_time_type == nullptr) return Status::kError;
  }
  VM_CHECK(PyModule_AddObjectRef(module, "struct_time", as_object(struct_time_type)));
  return Status::kOk;
}

int exec_module(PyObject* module) { return static_cast<int>(fill_module(module)); }
PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(exec_module)}, {0, nullptr}};
PyModuleDef time_def = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "time",
    .m_doc = "Clocks and conversions between seconds since the epoch, time tuples and text.",
    .m_size = 0,
    .m_methods = methods,
    .m_slots = slots,
};

}  // namespace
}  // namespace pyston::time_module

PyMODINIT_FUNC PyInit_time(void) { return PyModuleDef_Init(&pyston::time_module::time_def); }
