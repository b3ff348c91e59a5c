// timedelta, tzinfo and timezone.
#include <cmath>
#include <cstring>

#include "Lib/native/datetime/dates.h"
#include "pycore_call.h"
#include "pycore_long.h"
#include "pycore_object.h"

namespace pyston::dates {

PyObject* utc = nullptr;

PyObject* new_delta(PyTypeObject* type, int64_t days, int64_t seconds, int64_t microseconds) {
  int64_t rest;
  seconds += floor_divide(microseconds, kMicroseconds, &rest);
  microseconds = rest;
  days += floor_divide(seconds, kDaySeconds, &rest);
  seconds = rest;
  if (days < -kMaxDeltaDays || days > kMaxDeltaDays) {
    return raise(PyExc_OverflowError, "days=%ld; must have magnitude <= %d", static_cast<long>(days), kMaxDeltaDays);
  }
  Delta* self = as_delta(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->hashcode = -1;
  self->days = static_cast<int>(days);
  self->seconds = static_cast<int>(seconds);
  self->microseconds = static_cast<int>(microseconds);
  return as_object(self);
}

int compare_deltas(const Delta* a, const Delta* b) {
  int order = (a->days > b->days) - (a->days < b->days);
  if (order == 0) order = (a->seconds > b->seconds) - (a->seconds < b->seconds);
  if (order == 0) order = (a->microseconds > b->microseconds) - (a->microseconds < b->microseconds);
  return order;
}

void format_offset(const Delta* offset, const char* separator, char* out) {
  int64_t us = delta_microseconds_low(offset);
  const char sign = us < 0 ? '-' : '+';
  if (us < 0) us = -us;
  const int fraction = static_cast<int>(us % kMicroseconds);
  const int seconds = static_cast<int>(us / kMicroseconds);
  int n = PyOS_snprintf(out, 24, "%c%02d%s%02d", sign, seconds / 3600, separator, seconds / 60 % 60);
  if (seconds % 60 != 0 || fraction != 0) n += PyOS_snprintf(out + n, 24 - static_cast<size_t>(n), "%s%02d", separator, seconds % 60);
  if (fraction != 0) PyOS_snprintf(out + n, 24 - static_cast<size_t>(n), ".%06d", fraction);
}

bool check_tzinfo(PyObject* object) {
  if (object == Py_None || is_tzinfo(object)) return true;
  PyErr_Format(PyExc_TypeError, "tzinfo argument must be None or of a tzinfo subclass, not type '%s'", Py_TYPE(object)->tp_name);
  return false;
}

namespace {

/// All of a timedelta in microseconds as an int. Returns new.
PyObject* to_microseconds(const Delta* d) {
  const __int128 total = (static_cast<__int128>(d->days) * kDaySeconds + d->seconds) * kMicroseconds + d->microseconds;
  return int_from_wide128(total < 0, static_cast<unsigned __int128>(total < 0 ? -total : total));
}
/// Back from an int of any size. Returns new.
PyObject* from_microseconds(PyTypeObject* type, PyObject* microseconds) {
  __int128 total;
  if (_PyLong_AsByteArray(as_long(microseconds), reinterpret_cast<unsigned char*>(&total), sizeof(total), 1, 1) < 0) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
      PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
    }
    return nullptr;
  }
  __int128 days = total / kDayMicroseconds;
  __int128 rest = total % kDayMicroseconds;
  if (rest < 0) {
    rest += kDayMicroseconds;
    days--;
  }
  if (days > INT_MAX || days < INT_MIN) return raise(PyExc_OverflowError, "Python int too large to convert to C int");
  return new_delta(type, static_cast<int64_t>(days), 0, static_cast<int64_t>(rest));
}

/// sum += number * factor, exactly; what a float has below one microsecond goes to leftover.
bool accumulate(const char* name, Ref<>& sum, PyObject* number, int64_t factor, double& leftover) {
  Ref<> scale = Ref<>::steal(PyLong_FromLongLong(factor));
  if (PyLong_Check(number)) {
    Ref<> product = Ref<>::steal(PyNumber_Multiply(number, scale.get()));
    if (!product) return false;
    sum = Ref<>::steal(PyNumber_Add(sum.get(), product.get()));
    return static_cast<bool>(sum);
  }
  if (!PyFloat_Check(number)) {
    PyErr_Format(PyExc_TypeError, "unsupported type for timedelta %s component: %s", name, Py_TYPE(number)->tp_name);
    return false;
  }
  double whole;
  double fraction = modf(PyFloat_AS_DOUBLE(number), &whole);
  Ref<> part = Ref<>::steal(PyLong_FromDouble(whole));
  if (!part) return false;
  Ref<> product = Ref<>::steal(PyNumber_Multiply(part.get(), scale.get()));
  if (!product) return false;
  sum = Ref<>::steal(PyNumber_Add(sum.get(), product.get()));
  if (!sum || fraction == 0.0) return static_cast<bool>(sum);
  fraction = modf(fraction * static_cast<double>(factor), &whole);
  leftover += fraction;
  part = Ref<>::steal(PyLong_FromDouble(whole));
  if (!part) return false;
  sum = Ref<>::steal(PyNumber_Add(sum.get(), part.get()));
  return static_cast<bool>(sum);
}

PyObject* delta_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks", nullptr};
  PyObject* parts[7] = {};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOOOO:__new__", const_cast<char**>(names), &parts[0], &parts[1], &parts[2],
                                   &parts[3], &parts[4], &parts[5], &parts[6])) {
    return nullptr;
  }
  constexpr int64_t kFactors[] = {kDayMicroseconds, kMicroseconds, 1, 1000, 60 * kMicroseconds, 3600 * kMicroseconds, 7 * kDayMicroseconds};
  Ref<> sum = Ref<>::steal(small_int(0));
  double leftover = 0.0;
  for (int i : {2, 3, 1, 4, 5, 0, 6}) {
    if (parts[i] != nullptr && !accumulate(names[i], sum, parts[i], kFactors[i], leftover)) return nullptr;
  }
  if (leftover != 0.0) {  // round half to even, counting the whole microseconds
    double whole = round(leftover);
    if (std::fabs(whole - leftover) == 0.5) {
      const bool odd = Py_SIZE(sum.get()) != 0 && (as_long(sum.get())->ob_digit[0] & 1);
      whole = 2.0 * round((leftover + odd) * 0.5) - odd;
    }
    Ref<> extra = Ref<>::steal(PyLong_FromDouble(whole));
    if (!extra) return nullptr;
    sum = Ref<>::steal(PyNumber_Add(sum.get(), extra.get()));
    if (!sum) return nullptr;
  }
  return from_microseconds(type, sum.get());
}

PyObject* delta_add(PyObject* a, PyObject* b) {
  if (!is_delta(a) || !is_delta(b)) Py_RETURN_NOTIMPLEMENTED;
  const Delta* x = as_delta(a);
  const Delta* y = as_delta(b);
  return new_delta(&DeltaType, static_cast<int64_t>(x->days) + y->days, x->seconds + y->seconds, x->microseconds + y->microseconds);
}
PyObject* delta_subtract(PyObject* a, PyObject* b) {
  if (!is_delta(a) || !is_delta(b)) Py_RETURN_NOTIMPLEMENTED;
  const Delta* x = as_delta(a);
  const Delta* y = as_delta(b);
  return new_delta(&DeltaType, static_cast<int64_t>(x->days) - y->days, x->seconds - y->seconds, x->microseconds - y->microseconds);
}
PyObject* delta_negative(PyObject* self) {
  const Delta* d = as_delta(self);
  return new_delta(&DeltaType, -static_cast<int64_t>(d->days), -d->seconds, -d->microseconds);
}
PyObject* delta_positive(PyObject* self) {
  const Delta* d = as_delta(self);
  return new_delta(&DeltaType, d->days, d->seconds, d->microseconds);
}
PyObject* delta_absolute(PyObject* self) { return as_delta(self)->days < 0 ? delta_negative(self) : delta_positive(self); }
int delta_bool(PyObject* self) { return as_delta(self)->days != 0 || as_delta(self)->seconds != 0 || as_delta(self)->microseconds != 0; }

/// microseconds * a / b, rounded to nearest, as a timedelta.
PyObject* scale(Delta* self, PyObject* a, PyObject* b) {
  Ref<> us = Ref<>::steal(to_microseconds(self));
  if (!us) return nullptr;
  Ref<> product = Ref<>::steal(PyNumber_Multiply(us.get(), a));
  if (!product) return nullptr;
  Ref<> pair = Ref<>::steal(_PyLong_DivmodNear(product.get(), b));
  return pair ? from_microseconds(&DeltaType, PyTuple_GET_ITEM(pair.get(), 0)) : nullptr;
}
Ref<> integer_ratio(PyObject* value) {
  Ref<> ratio = Ref<>::steal(PyObject_CallMethod(value, "as_integer_ratio", nullptr));
  if (ratio && !PyTuple_Check(ratio.get())) {
    return raise(PyExc_TypeError, "unexpected return type from as_integer_ratio(): expected tuple, got '%.200s'", Py_TYPE(ratio.get())->tp_name);
  }
  if (ratio && PyTuple_GET_SIZE(ratio.get()) != 2) {
    return raise(PyExc_ValueError, "as_integer_ratio() must return a 2-tuple");
  }
  return ratio;
}

PyObject* delta_multiply(PyObject* a, PyObject* b) {
  if (!is_delta(a)) std::swap(a, b);
  if (!is_delta(a)) Py_RETURN_NOTIMPLEMENTED;
  if (PyLong_Check(b)) {
    Ref<> us = Ref<>::steal(to_microseconds(as_delta(a)));
    if (!us) return nullptr;
    Ref<> product = Ref<>::steal(PyNumber_Multiply(b, us.get()));
    return product ? from_microseconds(&DeltaType, product.get()) : nullptr;
  }
  if (PyFloat_Check(b)) {
    Ref<> ratio = integer_ratio(b);
    return ratio ? scale(as_delta(a), PyTuple_GET_ITEM(ratio.get(), 0), PyTuple_GET_ITEM(ratio.get(), 1)) : nullptr;
  }
  Py_RETURN_NOTIMPLEMENTED;
}
PyObject* delta_true_divide(PyObject* a, PyObject* b) {
  if (!is_delta(a)) Py_RETURN_NOTIMPLEMENTED;
  if (is_delta(b)) {
    Ref<> x = Ref<>::steal(to_microseconds(as_delta(a)));
    Ref<> y = Ref<>::steal(to_microseconds(as_delta(b)));
    return x && y ? PyNumber_TrueDivide(x.get(), y.get()) : nullptr;
  }
  if (PyFloat_Check(b)) {
    Ref<> ratio = integer_ratio(b);
    return ratio ? scale(as_delta(a), PyTuple_GET_ITEM(ratio.get(), 1), PyTuple_GET_ITEM(ratio.get(), 0)) : nullptr;
  }
  if (PyLong_Check(b)) return scale(as_delta(a), _PyLong_GetOne(), b);
  Py_RETURN_NOTIMPLEMENTED;
}
PyObject* delta_floor_divide(PyObject* a, PyObject* b) {
  if (!is_delta(a) || (!is_delta(b) && !PyLong_Check(b))) Py_RETURN_NOTIMPLEMENTED;
  Ref<> x = Ref<>::steal(to_microseconds(as_delta(a)));
  Ref<> y = is_delta(b) ? Ref<>::steal(to_microseconds(as_delta(b))) : Ref<>::dup(b);
  if (!x || !y) return nullptr;
  Ref<> quotient = Ref<>::steal(PyNumber_FloorDivide(x.get(), y.get()));
  if (!quotient || is_delta(b)) return quotient.release();
  return from_microseconds(&DeltaType, quotient.get());
}
PyObject* delta_remainder(PyObject* a, PyObject* b) {
  if (!is_delta(a) || !is_delta(b)) Py_RETURN_NOTIMPLEMENTED;
  Ref<> x = Ref<>::steal(to_microseconds(as_delta(a)));
  Ref<> y = Ref<>::steal(to_microseconds(as_delta(b)));
  if (!x || !y) return nullptr;
  Ref<> rest = Ref<>::steal(PyNumber_Remainder(x.get(), y.get()));
  return rest ? from_microseconds(&DeltaType, rest.get()) : nullptr;
}
PyObject* delta_divmod(PyObject* a, PyObject* b) {
  if (!is_delta(a) || !is_delta(b)) Py_RETURN_NOTIMPLEMENTED;
  Ref<> quotient = Ref<>::steal(delta_floor_divide(a, b));
  if (!quotient) return nullptr;
  Ref<> rest = Ref<>::steal(delta_remainder(a, b));
  return rest ? PyTuple_Pack(2, quotient.get(), rest.get()) : nullptr;
}

PyObject* delta_richcompare(PyObject* a, PyObject* b, int op) {
  if (!is_delta(b)) Py_RETURN_NOTIMPLEMENTED;
  Py_RETURN_RICHCOMPARE(compare_deltas(as_delta(a), as_delta(b)), 0, op);
}

PyObject* state_of_delta(const Delta* d) { return Py_BuildValue("iii", d->days, d->seconds, d->microseconds); }
Py_hash_t delta_hash(PyObject* self) {
  if (as_delta(self)->hashcode == -1) {
    Ref<> state = Ref<>::steal(state_of_delta(as_delta(self)));
    if (!state) return -1;
    as_delta(self)->hashcode = PyObject_Hash(state.get());
  }
  return as_delta(self)->hashcode;
}

PyObject* delta_repr(PyObject* self) {
  const Delta* d = as_delta(self);
  char text[80];
  int n = 0;
  const auto part = [&](const char* name, int value) {
    if (value != 0) n += PyOS_snprintf(text + n, sizeof(text) - static_cast<size_t>(n), "%s%s=%d", n > 0 ? ", " : "", name, value);
  };
  text[0] = '\0';
  part("days", d->days);
  part("seconds", d->seconds);
  part("microseconds", d->microseconds);
  return PyUnicode_FromFormat("%s(%s)", Py_TYPE(self)->tp_name, n > 0 ? text : "0");
}
PyObject* delta_str(PyObject* self) {
  const Delta* d = as_delta(self);
  char text[80];
  size_t n = 0;
  if (d->days != 0) n += static_cast<size_t>(PyOS_snprintf(text, sizeof(text), "%d day%s, ", d->days, d->days == 1 || d->days == -1 ? "" : "s"));
  n += static_cast<size_t>(PyOS_snprintf(text + n, sizeof(text) - n, "%d:%02d:%02d", d->seconds / 3600, d->seconds / 60 % 60, d->seconds % 60));
  if (d->microseconds != 0) PyOS_snprintf(text + n, sizeof(text) - n, ".%06d", d->microseconds);
  return PyUnicode_FromString(text);
}

PyObject* delta_total_seconds(Borrowed<Delta> self) {
  Ref<> us = Ref<>::steal(to_microseconds(self));
  Ref<> million = Ref<>::steal(PyLong_FromLong(kMicroseconds));
  return us && million ? PyNumber_TrueDivide(us.get(), million.get()) : nullptr;
}
PyObject* delta_reduce(Borrowed<Delta> self) { return Py_BuildValue("ON", Py_TYPE(self.object()), state_of_delta(self)); }

PyMethodDef delta_methods[] = {
    method<delta_total_seconds, "total_seconds($self, /)", "All of it in seconds.">(),
    method<delta_reduce, "__reduce__($self, /)", "__reduce__() -> (cls, state)">(),
    {}};
PyMemberDef delta_members[] = {
    {"days", T_INT, offsetof(Delta, days), READONLY, "Number of days."},
    {"seconds", T_INT, offsetof(Delta, seconds), READONLY, "Number of seconds (>= 0 and less than 1 day)."},
    {"microseconds", T_INT, offsetof(Delta, microseconds), READONLY, "Number of microseconds (>= 0 and less than 1 second)."},
    {}};
PyNumberMethods delta_as_number = {
    .nb_add = delta_add,
    .nb_subtract = delta_subtract,
    .nb_multiply = delta_multiply,
    .nb_remainder = delta_remainder,
    .nb_divmod = delta_divmod,
    .nb_negative = delta_negative,
    .nb_positive = delta_positive,
    .nb_absolute = delta_absolute,
    .nb_bool = delta_bool,
    .nb_floor_divide = delta_floor_divide,
    .nb_true_divide = delta_true_divide,
};

// tzinfo ------------------------------------------------------------------------------------------------------------

PyObject* tzinfo_utcoffset(PyObject*, Borrowed<>) {
  return raise(PyExc_NotImplementedError, "a tzinfo subclass must implement utcoffset()");
}
PyObject* tzinfo_dst(PyObject*, Borrowed<>) { return raise(PyExc_NotImplementedError, "a tzinfo subclass must implement dst()"); }
PyObject* tzinfo_tzname(PyObject*, Borrowed<>) {
  return raise(PyExc_NotImplementedError, "a tzinfo subclass must implement tzname()");
}

/// The standard algorithm: right unless the zone's offset changes in unusual ways.
PyObject* tzinfo_fromutc(Borrowed<> self, Borrowed<> argument) {
  if (!is_datetime(argument)) return raise(PyExc_TypeError, "fromutc: argument must be a datetime");
  DateTime* moment = as_datetime(argument);
  if (datetime_tzinfo(moment) != self.get()) return raise(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
  Ref<> offset = call_offset(self, "utcoffset", argument);
  if (!offset) return nullptr;
  if (offset.get() == Py_None) return raise(PyExc_ValueError, "fromutc: non-None utcoffset() result required");
  Ref<> dst = call_offset(self, "dst", argument);
  if (!dst) return nullptr;
  if (dst.get() == Py_None) return raise(PyExc_ValueError, "fromutc: non-None dst() result required");
  Ref<> delta = Ref<>::steal(delta_subtract(offset.get(), dst.get()));
  if (!delta) return nullptr;
  Ref<> result = Ref<>::steal(add_datetime_delta(moment, as_delta(delta.get()), 1));
  if (!result) return nullptr;
  dst = call_offset(self, "dst", result.get());
  if (!dst) return nullptr;
  if (dst.get() == Py_None) {
    return raise(PyExc_ValueError, "fromutc: tz.dst() gave inconsistent results; cannot convert");
  }
  if (delta_bool(dst.get())) result = Ref<>::steal(add_datetime_delta(as_datetime(result.get()), as_delta(dst.get()), 1));
  return result.release();
}

PyObject* tzinfo_reduce(Borrowed<> self) {
  Ref<> getter;
  PyObject* found = nullptr;
  if (_PyObject_LookupAttr(self, &_Py_ID(__getinitargs__), &found) < 0) return nullptr;
  getter = Ref<>::steal(found);
  Ref<> args = Ref<>::steal(getter ? PyObject_CallNoArgs(getter.get()) : PyTuple_New(0));
  if (!args) return nullptr;
  Ref<> state = Ref<>::steal(_PyObject_GetState(self));
  if (!state) return nullptr;
  return PyTuple_Pack(3, Py_TYPE(self.get()), args.get(), state.get());
}

PyMethodDef tzinfo_methods[] = {
    method<tzinfo_tzname, "tzname($self, dt, /)", "datetime -> string name of time zone.">(),
    method<tzinfo_utcoffset, "utcoffset($self, dt, /)", "datetime -> timedelta showing offset from UTC, negative values indicating West of UTC">(),
    method<tzinfo_dst, "dst($self, dt, /)", "datetime -> DST offset as timedelta positive east of UTC.">(),
    method<tzinfo_fromutc, "fromutc($self, dt, /)", "datetime in UTC -> datetime in local time.">(),
    method<tzinfo_reduce, "__reduce__($self, /)", "-> (cls, state)">(),
    {}};

// timezone ----------------------------------------------------------------------------------------------------------

struct TimeZone {
  PyObject_HEAD
  PyObject* offset;
  PyObject* name;  // null when derived from the offset
};
TimeZone* as_timezone(PyObject* o) { return reinterpret_cast<TimeZone*>(o); }

PyObject* create_timezone(PyObject* offset, PyObject* name) {
  TimeZone* self = as_timezone(TimeZoneType.tp_alloc(&TimeZoneType, 0));
  if (self == nullptr) return nullptr;
  self->offset = Py_NewRef(offset);
  self->name = Py_XNewRef(name);
  return as_object(self);
}

PyObject* timezone_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"offset", "name", nullptr};
  PyObject* offset;
  PyObject* name = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|U:timezone", const_cast<char**>(names), &DeltaType, &offset, &name)) return nullptr;
  return new_timezone(offset, name);
}
void timezone_dealloc(PyObject* self) {
  Py_CLEAR(as_timezone(self)->offset);
  Py_CLEAR(as_timezone(self)->name);
  Py_TYPE(self)->tp_free(self);
}
PyObject* timezone_richcompare(PyObject* a, PyObject* b, int op) {
  if ((op != Py_EQ && op != Py_NE) || !PyObject_TypeCheck(b, &TimeZoneType)) Py_RETURN_NOTIMPLEMENTED;
  return delta_richcompare(as_timezone(a)->offset, as_timezone(b)->offset, op);
}
Py_hash_t timezone_hash(PyObject* self) { return delta_hash(as_timezone(self)->offset); }

bool check_argument(PyObject* argument, const char* function) {
  if (argument == Py_None || is_datetime(argument)) return true;
  PyErr_Format(PyExc_TypeError, "%s(dt) argument must be a datetime instance or None, not %.200s", function, Py_TYPE(argument)->tp_name);
  return false;
}
PyObject* timezone_str(PyObject* self) {
  TimeZone* zone = as_timezone(self);
  if (zone->name != nullptr) return Py_NewRef(zone->name);
  if (self == utc || !delta_bool(zone->offset)) return PyUnicode_FromString("UTC");
  char text[24];
  format_offset(as_delta(zone->offset), ":", text);
  return PyUnicode_FromFormat("UTC%s", text);
}
PyObject* timezone_repr(PyObject* self) {
  const char* type = Py_TYPE(self)->tp_name;
  if (self == utc) return PyUnicode_FromFormat("%s.utc", type);
  if (as_timezone(self)->name == nullptr) return PyUnicode_FromFormat("%s(%R)", type, as_timezone(self)->offset);
  return PyUnicode_FromFormat("%s(%R, %R)", type, as_timezone(self)->offset, as_timezone(self)->name);
}
PyObject* timezone_tzname(Borrowed<TimeZone> self, Borrowed<> dt) { return check_argument(dt, "tzname") ? timezone_str(self.object()) : nullptr; }
PyObject* timezone_utcoffset(Borrowed<TimeZone> self, Borrowed<> dt) {
  return check_argument(dt, "utcoffset") ? Py_NewRef(self->offset) : nullptr;
}
PyObject* timezone_dst(Borrowed<TimeZone>, Borrowed<> dt) { return check_argument(dt, "dst") ? Py_NewRef(Py_None) : nullptr; }
PyObject* timezone_fromutc(Borrowed<TimeZone> self, Borrowed<> dt) {
  if (!is_datetime(dt)) return raise(PyExc_TypeError, "fromutc() argument must be a datetime instance, not %.200s", Py_TYPE(dt.get())->tp_name);
  if (datetime_tzinfo(as_datetime(dt)) != self.object()) return raise(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
  return add_datetime_delta(as_datetime(dt), as_delta(self->offset), 1);
}
PyObject* timezone_getinitargs(Borrowed<TimeZone> self) {
  return self->name == nullptr ? PyTuple_Pack(1, self->offset) : PyTuple_Pack(2, self->offset, self->name);
}
PyMethodDef timezone_methods[] = {
    method<timezone_tzname, "tzname($self, dt, /)", "The name, or one made of the offset from UTC.">(),
    method<timezone_utcoffset, "utcoffset($self, dt, /)", "The fixed offset.">(),
    method<timezone_dst, "dst($self, dt, /)", "None.">(),
    method<timezone_fromutc, "fromutc($self, dt, /)", "datetime in UTC -> datetime in local time.">(),
    method<timezone_getinitargs, "__getinitargs__($self, /)", "pickle support">(),
    {}};

}  // namespace

PyObject* new_timezone(PyObject* offset, PyObject* name) {
  if (name == nullptr && utc != nullptr && !delta_bool(offset)) return Py_NewRef(utc);
  const Delta* d = as_delta(offset);
  if ((d->days == -1 && d->seconds == 0 && d->microseconds < 1) || d->days < -1 || d->days >= 1) {
    return raise(PyExc_ValueError, "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not %R.", offset);
  }
  return create_timezone(offset, name);
}

Ref<> call_offset(PyObject* tzinfo, const char* method, PyObject* argument) {
  if (tzinfo == Py_None) return Ref<>::none();
  Ref<> offset = Ref<>::steal(PyObject_CallMethod(tzinfo, method, "O", argument));
  if (!offset || offset.get() == Py_None) return offset;
  if (!is_delta(offset.get())) {
    return raise(PyExc_TypeError, "tzinfo.%s() must return None or a timedelta, not '%.200s'", method, Py_TYPE(offset.get())->tp_name);
  }
  const Delta* d = as_delta(offset.get());
  if ((d->days == -1 && d->seconds == 0 && d->microseconds < 1) || d->days < -1 || d->days >= 1) {
    return raise(PyExc_ValueError, "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24).");
  }
  return offset;
}
Ref<> call_tzname(PyObject* tzinfo, PyObject* argument) {
  if (tzinfo == Py_None) return Ref<>::none();
  Ref<> name = Ref<>::steal(PyObject_CallMethod(tzinfo, "tzname", "O", argument));
  if (!name || name.get() == Py_None || PyUnicode_Check(name.get())) return name;
  return raise(PyExc_TypeError, "tzinfo.tzname() must return None or a string, not '%s'", Py_TYPE(name.get())->tp_name);
}

}  // namespace pyston::dates

using namespace pyston;
using namespace pyston::dates;

PyTypeObject pyston_datetime_delta_type = {
    .ob_base = type_head(),
    .tp_name = "datetime.timedelta",
    .tp_basicsize = sizeof(Delta),
    .tp_repr = delta_repr,
    .tp_as_number = &delta_as_number,
    .tp_hash = delta_hash,
    .tp_str = delta_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Difference between two datetime values.\n\ntimedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, "
              "hours=0, weeks=0)\n\nAll arguments are optional and default to 0.\nThey may be integers or floats, and may be "
              "positive or negative.",
    .tp_richcompare = delta_richcompare,
    .tp_methods = delta_methods,
    .tp_members = delta_members,
    .tp_new = delta_new,
};
PyTypeObject pyston_datetime_tzinfo_type = {
    .ob_base = type_head(),
    .tp_name = "datetime.tzinfo",
    .tp_basicsize = sizeof(PyDateTime_TZInfo),
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Abstract base class for time zone info objects.",
    .tp_methods = tzinfo_methods,
    .tp_new = PyType_GenericNew,
};
PyTypeObject pyston_datetime_timezone_type = {
    .ob_base = type_head(),
    .tp_name = "datetime.timezone",
    .tp_basicsize = sizeof(TimeZone),
    .tp_dealloc = timezone_dealloc,
    .tp_repr = timezone_repr,
    .tp_hash = timezone_hash,
    .tp_str = timezone_str,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Fixed offset from UTC implementation of tzinfo.",
    .tp_richcompare = timezone_richcompare,
    .tp_methods = timezone_methods,
    .tp_base = &pyston_datetime_tzinfo_type,
    .tp_new = timezone_new,
};
