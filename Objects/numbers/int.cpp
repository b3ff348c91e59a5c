// The types int and bool: slots, methods, type objects, sys.int_info. Arithmetic, text and conversions have files of
// their own (int_*.cpp).
#include "Objects/numbers/int.h"

#include <cstring>

#include "Objects/bind.h"
#include "pycore_initconfig.h"
#include "pycore_object.h"
#include "pycore_structseq.h"

namespace pyston {
namespace {

// FAST: exact ints and subclasses take the same path; only a foreign operand leaves.
template <PyObject* (*Operation)(PyLongObject*, PyLongObject*)>
PyObject* binary(PyObject* a, PyObject* b) {
  if (UNLIKELY(!PyLong_Check(a) || !PyLong_Check(b))) Py_RETURN_NOTIMPLEMENTED;
  return Operation(as_long(a), as_long(b));
}

PyObject* int_divmod_slot(PyObject* a, PyObject* b) {
  if (!PyLong_Check(a) || !PyLong_Check(b)) Py_RETURN_NOTIMPLEMENTED;
  PyObject* quotient;
  PyObject* remainder;
  if (!int_divmod(as_long(a), as_long(b), &quotient, &remainder)) return nullptr;
  PyObject* result = PyTuple_New(2);
  if (result == nullptr) {
    Py_DECREF(quotient);
    Py_DECREF(remainder);
    return nullptr;
  }
  PyTuple_SET_ITEM(result, 0, quotient);
  PyTuple_SET_ITEM(result, 1, remainder);
  return result;
}

/// The shift distance; negative is an error, one beyond a long gives SIZE_MAX.
bool shift_distance(PyLongObject* b, size_t& out) {
  if (is_negative(b)) {
    PyErr_SetString(PyExc_ValueError, "negative shift count");
    return false;
  }
  if (is_compact(b)) {
    out = static_cast<size_t>(compact_value(b));
  } else {
    int overflow;
    const long value = PyLong_AsLongAndOverflow(as_object(b), &overflow);
    out = overflow != 0 ? SIZE_MAX : static_cast<size_t>(value);
  }
  return true;
}
PyObject* shift_left_slot(PyLongObject* a, PyLongObject* b) {
  size_t bits;
  if (!shift_distance(b, bits)) return nullptr;
  if (UNLIKELY(bits == SIZE_MAX && digit_count(a) != 0)) return raise(PyExc_OverflowError, "too many digits in integer");
  return int_shift_left(a, bits);
}
PyObject* shift_right_slot(PyLongObject* a, PyLongObject* b) {
  size_t bits;
  return shift_distance(b, bits) ? int_shift_right(a, bits) : nullptr;
}

/// An exact int of the same value.
PyObject* int_exact(PyObject* self) {
  return PyLong_CheckExact(self) ? Py_NewRef(self) : _PyLong_Copy(as_long(self));
}
PyObject* int_absolute(PyObject* self) {
  return is_negative(as_long(self)) ? int_negative(as_long(self)) : int_exact(self);
}
PyObject* int_float(PyObject* self) {
  const double value = PyLong_AsDouble(self);
  if (value == -1.0 && PyErr_Occurred()) return nullptr;
  return PyFloat_FromDouble(value);
}
template <PyObject* (*Operation)(PyLongObject*)>
PyObject* unary(PyObject* self) {
  return Operation(as_long(self));
}
int int_bool(PyObject* self) { return Py_SIZE(self) != 0; }

void int_dealloc(PyObject* self) {
  if (LIKELY(PyLong_CheckExact(self) && is_compact(as_long(self)))) {
    if (LIKELY(int_pool.count < IntPool::kCapacity)) {
      self->ob_type = reinterpret_cast<PyTypeObject*>(int_pool.head);
      int_pool.head = self;
      int_pool.count++;
      return;
    }
    PyObject_Free(self);
    return;
  }
  Py_TYPE(self)->tp_free(self);
}

Py_hash_t int_hash_slot(PyObject* self) { return int_hash(as_long(self)); }

PyObject* int_richcompare(PyObject* a, PyObject* b, int op) {
  if (!PyLong_Check(a) || !PyLong_Check(b)) Py_RETURN_NOTIMPLEMENTED;
  const int order = a == b ? 0 : int_compare(as_long(a), as_long(b));
  Py_RETURN_RICHCOMPARE(order, 0, op);
}

/// int(x) and int(x, base), for the exact type; either may be null.
PyObject* make_int(PyObject* x, PyObject* base_object) {
  if (x == nullptr) {
    if (base_object != nullptr) return raise(PyExc_TypeError, "int() missing string argument");
    return small_int(0);
  }
  if (base_object == nullptr) return PyNumber_Long(x);
  const Py_ssize_t base = PyNumber_AsSsize_t(base_object, nullptr);
  if (base == -1 && PyErr_Occurred()) return nullptr;
  if ((base != 0 && base < 2) || base > 36) return raise(PyExc_ValueError, "int() base must be >= 2 and <= 36, or 0");
  if (PyUnicode_Check(x)) return PyLong_FromUnicodeObject(x, static_cast<int>(base));
  if (PyBytes_Check(x)) return _PyLong_FromBytes(PyBytes_AS_STRING(x), PyBytes_GET_SIZE(x), static_cast<int>(base));
  if (PyByteArray_Check(x)) {
    return _PyLong_FromBytes(PyByteArray_AS_STRING(x), PyByteArray_GET_SIZE(x), static_cast<int>(base));
  }
  return raise(PyExc_TypeError, "int() can't convert non-string with explicit base");
}

PyObject* int_new(PyTypeObject* type, PyObject* x, PyObject* base) {
  Ref<> value = Ref<>::steal(make_int(x, base));
  if (!value || type == &PyLong_Type) return value.release();
  const PyLongObject* source = as_long(value.get());
  const Py_ssize_t count = digit_count(source);
  PyLongObject* result = as_long(type->tp_alloc(type, count));
  if (result == nullptr) return nullptr;
  result->ob_base.ob_size = source->ob_base.ob_size;
  memcpy(result->ob_digit, source->ob_digit, static_cast<size_t>(count) * sizeof(digit));
  return as_object(result);
}

PyObject* int_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (kwnames != nullptr) return _PyObject_MakeTpCall(_PyThreadState_GET(), type, args, nargs, kwnames);
  if (nargs > 2) return raise(PyExc_TypeError, "int() takes at most 2 arguments (%zd given)", nargs);
  return make_int(nargs > 0 ? args[0] : nullptr, nargs > 1 ? args[1] : nullptr);
}

PyObject* int_as_integer_ratio(Borrowed<PyLongObject> self) {
  Ref<> numerator = Ref<>::steal(int_exact(self.object()));
  return numerator ? PyTuple_Pack(2, numerator.get(), _PyLong_GetOne()) : nullptr;
}

PyObject* int_bit_count(Borrowed<PyLongObject> self) {
  int64_t total = 0;
  for (Py_ssize_t i = digit_count(self); i-- > 0;) total += __builtin_popcount(self->ob_digit[i]);
  return int_from_int64(total);
}

PyObject* int_bit_length(Borrowed<PyLongObject> self) { return PyLong_FromSize_t(_PyLong_NumBits(self.object())); }

PyObject* int_format(Borrowed<PyLongObject> self, Borrowed<PyUnicodeObject> spec) {
  _PyUnicodeWriter writer;
  _PyUnicodeWriter_Init(&writer);
  if (_PyLong_FormatAdvancedWriter(&writer, self.object(), spec.object(), 0, PyUnicode_GET_LENGTH(spec.object())) < 0) {
    _PyUnicodeWriter_Dealloc(&writer);
    return nullptr;
  }
  return _PyUnicodeWriter_Finish(&writer);
}

/// True for "little". False with ValueError set otherwise, unless it is "big".
bool parse_byte_order(PyObject* order, bool& little) {
  little = false;
  if (order == nullptr || _PyUnicode_EqualToASCIIString(order, "big")) return true;
  little = _PyUnicode_EqualToASCIIString(order, "little");
  if (!little) PyErr_SetString(PyExc_ValueError, "byteorder must be either 'little' or 'big'");
  return little;
}

PyObject* int_from_bytes(PyTypeObject* type, Borrowed<> bytes, Optional<Borrowed<PyUnicodeObject>> order,
                         Optional<bool> is_signed) {
  bool little;
  if (!parse_byte_order(order ? order->object() : nullptr, little)) return nullptr;
  Ref<> data = Ref<>::steal(PyObject_Bytes(bytes));
  if (!data) return nullptr;
  Ref<> result = Ref<>::steal(_PyLong_FromByteArray(reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(data.get())),
                                                    static_cast<size_t>(PyBytes_GET_SIZE(data.get())), little,
                                                    is_signed.value_or(false)));
  if (!result || type == &PyLong_Type) return result.release();
  return PyObject_CallOneArg(as_object(type), result.get());
}

PyObject* int_to_bytes(Borrowed<PyLongObject> self, Optional<Py_ssize_t> length,
                       Optional<Borrowed<PyUnicodeObject>> order, Optional<bool> is_signed) {
  bool little;
  if (!parse_byte_order(order ? order->object() : nullptr, little)) return nullptr;
  const Py_ssize_t size = length.value_or(1);
  if (size < 0) return raise(PyExc_ValueError, "length argument must be non-negative");
  Ref<> result = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, size));
  if (!result) return nullptr;
  if (_PyLong_AsByteArray(self, reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(result.get())),
                          static_cast<size_t>(size), little, is_signed.value_or(false)) < 0) {
    return nullptr;
  }
  return result.release();
}

PyObject* int_getnewargs(Borrowed<PyLongObject> self) {
  Ref<> value = Ref<>::steal(_PyLong_Copy(self));
  return value ? PyTuple_Pack(1, value.get()) : nullptr;
}

/// Rounds half to even at a power of ten left of the point.
PyObject* int_round(Borrowed<PyLongObject> self, PyObject* ndigits) {
  if (ndigits == nullptr) return int_exact(self.object());
  Ref<> places = Ref<>::steal(_PyNumber_Index(ndigits));
  if (!places) return nullptr;
  if (!is_negative(as_long(places.get()))) return int_exact(self.object());
  Ref<> exponent = Ref<>::steal(int_negative(as_long(places.get())));
  if (!exponent) return nullptr;
  // 10**exponent beyond twice the number rounds it to zero: don't compute it.
  if (!is_compact(as_long(exponent.get())) ||
      static_cast<size_t>(compact_value(as_long(exponent.get()))) > _PyLong_NumBits(self.object()) + 2) {
    return small_int(0);
  }
  Ref<> ten = Ref<>::steal(small_int(10));
  Ref<> unit = Ref<>::steal(int_power(ten.get(), exponent.get(), Py_None));
  if (!unit) return nullptr;
  Ref<> pair = Ref<>::steal(_PyLong_DivmodNear(self.object(), unit.get()));
  if (!pair) return nullptr;
  return int_subtract(self, as_long(PyTuple_GET_ITEM(pair.get(), 1)));
}

PyObject* int_sizeof(Borrowed<PyLongObject> self) {
  // QUIRK: at least one digit is always counted.
  const Py_ssize_t count = Py_MAX(digit_count(self), 1);
  return PyLong_FromSsize_t(static_cast<Py_ssize_t>(offsetof(PyLongObject, ob_digit)) +
                            count * static_cast<Py_ssize_t>(sizeof(digit)));
}

PyObject* int_get_zero(PyObject*, void*) { return small_int(0); }
PyObject* int_get_one(PyObject*, void*) { return small_int(1); }
PyObject* int_get_self(PyObject* self, void*) { return int_exact(self); }

PyMethodDef int_methods[] = {
    {"conjugate", [](PyObject* self, PyObject*) { return int_exact(self); }, METH_NOARGS,
     "The complex conjugate of an int: the int itself."},
    method<int_bit_length, "bit_length($self, /)",
           "How many bits the absolute value needs in binary.\n\n>>> (37).bit_length()\n6\n>>> bin(37)\n'0b100101'">(),
    method<int_bit_count, "bit_count($self, /)",
           "How many one bits the absolute value has.\n\n>>> bin(13)\n'0b1101'\n>>> (13).bit_count()\n3">(),
    method<int_to_bytes, "to_bytes($self, /, length=1, byteorder='big', *, signed=False)",
           "Bytes that represent the integer.\n\n  length\n    How many bytes; OverflowError if they don't suffice.\n"
           "  byteorder\n    'big': most significant byte first, 'little': last.\n  signed\n"
           "    Whether negative numbers are allowed, in two's complement.">(),
    method<int_from_bytes, "from_bytes($type, /, bytes, byteorder='big', *, signed=False)",
           "The integer that an array of bytes represents.\n\n  bytes\n    A bytes-like object or an iterable of "
           "bytes.\n  byteorder\n    'big': most significant byte first, 'little': last.\n  signed\n"
           "    Whether the bytes are two's complement.">(METH_CLASS),
    method<int_as_integer_ratio, "as_integer_ratio($self, /)",
           "A pair of ints whose ratio is the integer; the second is 1.\n\n>>> (12).as_integer_ratio()\n(12, 1)\n"
           ">>> (-12).as_integer_ratio()\n(-12, 1)\n>>> (0).as_integer_ratio()\n(0, 1)">(),
    {"__trunc__", [](PyObject* self, PyObject*) { return int_exact(self); }, METH_NOARGS,
     "Truncating an int gives the int."},
    {"__floor__", [](PyObject* self, PyObject*) { return int_exact(self); }, METH_NOARGS, "The floor of an int: itself."},
    {"__ceil__", [](PyObject* self, PyObject*) { return int_exact(self); }, METH_NOARGS, "The ceiling of an int: itself."},
    method<int_round, "__round__($self, ndigits=<unrepresentable>, /)",
           "Rounds to a power of ten (for negative ndigits), half to even; always an int.">(),
    method<int_getnewargs, "__getnewargs__($self, /)">(),
    method<int_format, "__format__($self, format_spec, /)">(),
    method<int_sizeof, "__sizeof__($self, /)", "Size in memory, in bytes.">(),
    {}};

PyGetSetDef int_getset[] = {
    {"real", int_get_self, nullptr, "the real part of a complex number", nullptr},
    {"imag", int_get_zero, nullptr, "the imaginary part of a complex number", nullptr},
    {"numerator", int_get_self, nullptr, "the numerator of a rational number in lowest terms", nullptr},
    {"denominator", int_get_one, nullptr, "the denominator of a rational number in lowest terms", nullptr},
    {}};

PyNumberMethods int_as_number = {
    .nb_add = binary<int_add>,
    .nb_subtract = binary<int_subtract>,
    .nb_multiply = binary<int_multiply>,
    .nb_remainder = binary<int_modulo>,
    .nb_divmod = int_divmod_slot,
    .nb_power = int_power,
    .nb_negative = unary<int_negative>,
    .nb_positive = int_exact,
    .nb_absolute = int_absolute,
    .nb_bool = int_bool,
    .nb_invert = unary<int_invert>,
    .nb_lshift = binary<shift_left_slot>,
    .nb_rshift = binary<shift_right_slot>,
    .nb_and = binary<int_and>,
    .nb_xor = binary<int_xor>,
    .nb_or = binary<int_or>,
    .nb_int = int_exact,
    .nb_float = int_float,
    .nb_floor_divide = binary<int_floor_divide>,
    .nb_true_divide = binary<int_true_divide>,
    .nb_index = int_exact,
};

PyDoc_STRVAR(int_doc,
             "int([x]) -> integer\nint(x, base=10) -> integer\n\n"
             "A whole number of any size. Without argument 0; x may be a number, which is truncated towards zero, or\n"
             "a str, bytes or bytearray with an integer literal in the given base: 2 to 36, or 0 for the base that the\n"
             "literal itself names.\n>>> int('0b100', base=0)\n4");

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyLong_Type = {
    .ob_base = type_head(),
    .tp_name = "int",
    .tp_basicsize = offsetof(PyLongObject, ob_digit),
    .tp_itemsize = sizeof(digit),
    .tp_dealloc = int_dealloc,
    .tp_repr = int_to_decimal,
    .tp_as_number = &int_as_number,
    .tp_hash = int_hash_slot,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_LONG_SUBCLASS | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = int_doc,
    .tp_richcompare = int_richcompare,
    .tp_methods = int_methods,
    .tp_getset = int_getset,
    .tp_new = constructor<int_new, "int($type, x=0, /, base=10)">,
    .tp_free = PyObject_Del,
    .tp_vectorcall = int_vectorcall,
};
static_assert(sizeof(PyLongObject) == 32 && offsetof(PyLongObject, ob_digit) == 24);

// sys.int_info ------------------------------------------------------------------------------------------------------

static PyTypeObject int_info_type;
static PyStructSequence_Field int_info_fields[] = {
    {"bits_per_digit", "size of a digit in bits"},
    {"sizeof_digit", "size in bytes of the C type used to represent a digit"},
    {"default_max_str_digits", "default limit for the length of decimal text"},
    {"str_digits_check_threshold", "smallest limit that can be set"},
    {}};
static PyStructSequence_Desc int_info_description = {
    "sys.int_info", "How this Python represents ints. Read only.", int_info_fields, 4};

PyObject* PyLong_GetInfo(void) {
  PyObject* info = PyStructSequence_New(&int_info_type);
  if (info == nullptr) return nullptr;
  const long values[] = {kDigitBits, sizeof(digit), _PY_LONG_DEFAULT_MAX_STR_DIGITS, _PY_LONG_MAX_STR_DIGITS_THRESHOLD};
  for (int i = 0; i < 4; i++) PyStructSequence_SET_ITEM(info, i, PyLong_FromLong(values[i]));
  if (PyErr_Occurred()) Py_CLEAR(info);
  return info;
}

PyStatus _PyLong_InitTypes(PyInterpreterState* interp) {
  if (!_Py_IsMainInterpreter(interp) || int_info_type.tp_name != nullptr) return PyStatus_Ok();
  if (PyStructSequence_InitType2(&int_info_type, &int_info_description) < 0) {
    return PyStatus_Error("can't init int info type");
  }
  return PyStatus_Ok();
}

void _PyLong_FiniTypes(PyInterpreterState* interp) {
  if (_Py_IsMainInterpreter(interp)) _PyStructSequence_FiniType(&int_info_type);
}

// bool --------------------------------------------------------------------------------------------------------------

static PyObject* bool_repr(PyObject* self) { return Py_NewRef(self == Py_True ? &_Py_ID(True) : &_Py_ID(False)); }

PyObject* PyBool_FromLong(long value) { return Py_NewRef(value ? Py_True : Py_False); }

static PyObject* bool_new(PyTypeObject* type, PyObject* x) {
  const int truth = x == nullptr ? 0 : PyObject_IsTrue(x);
  return truth < 0 ? nullptr : PyBool_FromLong(truth);
}

static PyObject* bool_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (kwnames != nullptr && PyTuple_GET_SIZE(kwnames) != 0) {
    return raise(PyExc_TypeError, "bool() takes no keyword arguments");
  }
  if (nargs > 1) return raise(PyExc_TypeError, "bool expected at most 1 argument, got %zd", nargs);
  return bool_new(&PyBool_Type, nargs == 0 ? nullptr : args[0]);
}

/// Logic on two bools stays bool, anything else is int's business.
template <PyObject* (*Operation)(PyLongObject*, PyLongObject*), int (*Logic)(int, int)>
static PyObject* bool_binary(PyObject* a, PyObject* b) {
  if (PyBool_Check(a) && PyBool_Check(b)) return PyBool_FromLong(Logic(a == Py_True, b == Py_True));
  return binary<Operation>(a, b);
}
static int logical_and(int a, int b) { return a & b; }
static int logical_or(int a, int b) { return a | b; }
static int logical_xor(int a, int b) { return a ^ b; }

static PyNumberMethods bool_as_number = {
    .nb_and = bool_binary<int_and, logical_and>,
    .nb_xor = bool_binary<int_xor, logical_xor>,
    .nb_or = bool_binary<int_or, logical_or>,
};

PyTypeObject PyBool_Type = {
    .ob_base = type_head(),
    .tp_name = "bool",
    .tp_basicsize = sizeof(PyLongObject),
    .tp_dealloc = [](PyObject* self) { Py_FatalError("deallocating True or False"); },
    .tp_repr = bool_repr,
    .tp_as_number = &bool_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "bool(x) -> bool\n\nTrue when x is true, False otherwise. True and False are the only instances; bool is "
              "a subclass\nof int and can't be subclassed.",
    .tp_base = &PyLong_Type,
    .tp_new = constructor<bool_new, "bool($type, x=False, /)">,
    .tp_vectorcall = bool_vectorcall,
};

struct _longobject _Py_FalseStruct = {PyVarObject_HEAD_INIT(&PyBool_Type, 0){0}};
struct _longobject _Py_TrueStruct = {PyVarObject_HEAD_INIT(&PyBool_Type, 1){1}};
