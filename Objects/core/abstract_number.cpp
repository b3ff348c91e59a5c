// The number protocol: binary, in-place and unary operators over the nb_* slots, with the sequence fallbacks of + and *,
// and conversions to int and float.
#include "Objects/core/type.h"
#include "Objects/numbers/int.h"

#include "pycore_abstract.h"
#include "pycore_call.h"
#include "pycore_long.h"
#include "pycore_pyerrors.h"

using namespace pyston;

namespace {

using BinarySlot = binaryfunc PyNumberMethods::*;

ALWAYS_INLINE binaryfunc slot_of(PyTypeObject* type, BinarySlot slot) {
  return type->tp_as_number != nullptr ? type->tp_as_number->*slot : nullptr;
}

COLD PyObject* raise_unsupported(PyObject* left, PyObject* right, const char* symbol) {
  // `print >> file`: an old habit that deserves a hint.
  if (strcmp(symbol, ">>") == 0 && PyCFunction_CheckExact(left) &&
      strcmp(reinterpret_cast<PyCFunctionObject*>(left)->m_ml->ml_name, "print") == 0) {
    PyErr_Format(PyExc_TypeError,
                 "unsupported operand type(s) for %.100s: '%.100s' and '%.100s'. Did you mean \"print(<message>, "
                 "file=<output_stream>)\"?",
                 symbol, Py_TYPE(left)->tp_name, Py_TYPE(right)->tp_name);
    return nullptr;
  }
  PyErr_Format(PyExc_TypeError, "unsupported operand type(s) for %.100s: '%.100s' and '%.100s'", symbol,
               Py_TYPE(left)->tp_name, Py_TYPE(right)->tp_name);
  return nullptr;
}

/// Tries the slots of both operands; a new reference to NotImplemented when neither knows the operation.
ALWAYS_INLINE PyObject* try_binary(PyObject* left, PyObject* right, BinarySlot slot) {
  PyTypeObject* left_type = Py_TYPE(left);
  PyTypeObject* right_type = Py_TYPE(right);
  binaryfunc of_left = slot_of(left_type, slot);
  binaryfunc of_right = nullptr;
  if (left_type != right_type) {
    of_right = slot_of(right_type, slot);
    if (of_right == of_left) of_right = nullptr;
  }
  if (of_left != nullptr) {
    if (of_right != nullptr && PyType_IsSubtype(right_type, left_type)) {
      PyObject* result = of_right(left, right);
      if (result != Py_NotImplemented) return result;
      Py_DECREF(result);
      of_right = nullptr;
    }
    PyObject* result = of_left(left, right);
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  if (of_right != nullptr) return of_right(left, right);
  return Py_NewRef(Py_NotImplemented);
}

ALWAYS_INLINE PyObject* binary(PyObject* left, PyObject* right, BinarySlot slot, const char* symbol) {
  PyObject* result = try_binary(left, right, slot);
  if (UNLIKELY(result == Py_NotImplemented)) {
    Py_DECREF(result);
    return raise_unsupported(left, right, symbol);
  }
  return result;
}

ALWAYS_INLINE PyObject* try_in_place(PyObject* left, PyObject* right, BinarySlot in_place, BinarySlot slot) {
  if (binaryfunc function = slot_of(Py_TYPE(left), in_place)) {
    PyObject* result = function(left, right);
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  return try_binary(left, right, slot);
}

ALWAYS_INLINE PyObject* in_place(PyObject* left, PyObject* right, BinarySlot in_place_slot, BinarySlot slot,
                                 const char* symbol) {
  PyObject* result = try_in_place(left, right, in_place_slot, slot);
  if (UNLIKELY(result == Py_NotImplemented)) {
    Py_DECREF(result);
    return raise_unsupported(left, right, symbol);
  }
  return result;
}

PyObject* repeat_sequence(ssizeargfunc repeat, PyObject* sequence, PyObject* count_object) {
  if (!_PyIndex_Check(count_object)) {
    PyErr_Format(PyExc_TypeError, "can't multiply sequence by non-int of type '%.200s'",
                 Py_TYPE(count_object)->tp_name);
    return nullptr;
  }
  Py_ssize_t count = PyNumber_AsSsize_t(count_object, PyExc_OverflowError);
  if (count == -1 && PyErr_Occurred()) return nullptr;
  return repeat(sequence, count);
}

ternaryfunc power_slot(PyObject* operand) {
  PyNumberMethods* number = Py_TYPE(operand)->tp_as_number;
  return number != nullptr ? number->nb_power : nullptr;
}

/// base ** exponent % modulus. Each distinct slot function is tried once.
PyObject* power(PyObject* base, PyObject* exponent, PyObject* modulus, const char* symbol) {
  ternaryfunc of_base = power_slot(base);
  ternaryfunc of_exponent = Py_TYPE(exponent) == Py_TYPE(base) ? nullptr : power_slot(exponent);
  if (of_exponent == of_base) of_exponent = nullptr;
  ternaryfunc of_modulus = power_slot(modulus);
  if (of_modulus == of_base || (of_modulus == of_exponent && of_exponent != nullptr)) of_modulus = nullptr;

  if (of_base != nullptr) {
    if (of_exponent != nullptr && PyType_IsSubtype(Py_TYPE(exponent), Py_TYPE(base))) {
      PyObject* result = of_exponent(base, exponent, modulus);
      if (result != Py_NotImplemented) return result;
      Py_DECREF(result);
      of_exponent = nullptr;
    }
    PyObject* result = of_base(base, exponent, modulus);
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  for (ternaryfunc function : {of_exponent, of_modulus}) {
    if (function == nullptr) continue;
    PyObject* result = function(base, exponent, modulus);
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  if (modulus == Py_None) return raise_unsupported(base, exponent, symbol);
  PyErr_Format(PyExc_TypeError, "unsupported operand type(s) for %.100s: '%.100s', '%.100s', '%.100s'", symbol,
               Py_TYPE(base)->tp_name, Py_TYPE(exponent)->tp_name, Py_TYPE(modulus)->tp_name);
  return nullptr;
}

COLD PyObject* raise_null() {
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
  return nullptr;
}

ALWAYS_INLINE PyObject* unary(PyObject* operand, unaryfunc PyNumberMethods::* slot, const char* message) {
  if (operand == nullptr) return raise_null();
  PyNumberMethods* number = Py_TYPE(operand)->tp_as_number;
  if (LIKELY(number != nullptr && number->*slot != nullptr)) return (number->*slot)(operand);
  PyErr_Format(PyExc_TypeError, message, Py_TYPE(operand)->tp_name);
  return nullptr;
}

constexpr const char* kStrictSubclassWarning =
    "%s returned non-int (type %.200s).  The ability to return an instance of a strict subclass of int is deprecated, "
    "and may not be supported in a future version of Python.";

/// The result of a conversion slot, checked to be an int. Steals `result`.
PyObject* check_int_result(PyObject* result, const char* method) {
  if (result == nullptr || PyLong_CheckExact(result)) return result;
  if (!PyLong_Check(result)) {
    PyErr_Format(PyExc_TypeError, "%s returned non-int (type %.200s)", method, Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return nullptr;
  }
  if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1, kStrictSubclassWarning, method, Py_TYPE(result)->tp_name) < 0) {
    Py_DECREF(result);
    return nullptr;
  }
  return result;
}

/// An int without the subclass. Steals.
PyObject* to_exact_int(PyObject* value) {
  if (value == nullptr || PyLong_CheckExact(value)) return value;
  PyObject* copy = _PyLong_Copy(reinterpret_cast<PyLongObject*>(value));
  Py_DECREF(value);
  return copy;
}

COLD PyObject* int_from_trunc(PyObject* method) {
  if (PyErr_WarnEx(PyExc_DeprecationWarning, "The delegation of int() to __trunc__ is deprecated.", 1)) return nullptr;
  PyObject* result = _PyObject_CallNoArgs(method);
  if (result == nullptr || PyLong_CheckExact(result)) return result;
  if (PyLong_Check(result)) return to_exact_int(result);
  if (!PyIndex_Check(result)) {
    PyErr_Format(PyExc_TypeError, "__trunc__ returned non-Integral (type %.200s)", Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return nullptr;
  }
  PyObject* index = PyNumber_Index(result);
  Py_DECREF(result);
  return index;
}

COLD PyObject* int_from_text(PyObject* value) {
  if (PyUnicode_Check(value)) return PyLong_FromUnicodeObject(value, 10);
  if (PyBytes_Check(value)) return _PyLong_FromBytes(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), 10);
  if (PyByteArray_Check(value)) {
    return _PyLong_FromBytes(PyByteArray_AS_STRING(value), PyByteArray_GET_SIZE(value), 10);
  }
  Py_buffer view;
  if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) == 0) {
    // The parser wants a terminated text, which a buffer needn't be.
    auto bytes = Ref<>::steal(PyBytes_FromStringAndSize(static_cast<const char*>(view.buf), view.len));
    PyBuffer_Release(&view);
    if (!bytes) return nullptr;
    return _PyLong_FromBytes(PyBytes_AS_STRING(bytes.get()), PyBytes_GET_SIZE(bytes.get()), 10);
  }
  PyErr_Format(PyExc_TypeError, "int() argument must be a string, a bytes-like object or a real number, not '%.200s'",
               Py_TYPE(value)->tp_name);
  return nullptr;
}

}  // namespace

extern "C" {

int PyNumber_Check(PyObject* value) {
  if (value == nullptr) return 0;
  PyNumberMethods* number = Py_TYPE(value)->tp_as_number;
  return (number != nullptr && (number->nb_index || number->nb_int || number->nb_float)) || PyComplex_Check(value);
}

#define BINARY_OPERATION(function, slot, symbol) \
  PyObject* function(PyObject* left, PyObject* right) { return binary(left, right, &PyNumberMethods::slot, symbol); }
BINARY_OPERATION(PyNumber_Or, nb_or, "|")
BINARY_OPERATION(PyNumber_Xor, nb_xor, "^")
BINARY_OPERATION(PyNumber_And, nb_and, "&")
BINARY_OPERATION(PyNumber_Lshift, nb_lshift, "<<")
BINARY_OPERATION(PyNumber_Rshift, nb_rshift, ">>")
BINARY_OPERATION(PyNumber_Subtract, nb_subtract, "-")
BINARY_OPERATION(PyNumber_MatrixMultiply, nb_matrix_multiply, "@")
BINARY_OPERATION(PyNumber_FloorDivide, nb_floor_divide, "//")
BINARY_OPERATION(PyNumber_TrueDivide, nb_true_divide, "/")
BINARY_OPERATION(PyNumber_Remainder, nb_remainder, "%")
BINARY_OPERATION(PyNumber_Divmod, nb_divmod, "divmod()")
#undef BINARY_OPERATION

#define IN_PLACE_OPERATION(function, in_place_slot, slot, symbol)                                     \
  PyObject* function(PyObject* left, PyObject* right) {                                               \
    return in_place(left, right, &PyNumberMethods::in_place_slot, &PyNumberMethods::slot, symbol);    \
  }
IN_PLACE_OPERATION(PyNumber_InPlaceOr, nb_inplace_or, nb_or, "|=")
IN_PLACE_OPERATION(PyNumber_InPlaceXor, nb_inplace_xor, nb_xor, "^=")
IN_PLACE_OPERATION(PyNumber_InPlaceAnd, nb_inplace_and, nb_and, "&=")
IN_PLACE_OPERATION(PyNumber_InPlaceLshift, nb_inplace_lshift, nb_lshift, "<<=")
IN_PLACE_OPERATION(PyNumber_InPlaceRshift, nb_inplace_rshift, nb_rshift, ">>=")
IN_PLACE_OPERATION(PyNumber_InPlaceSubtract, nb_inplace_subtract, nb_subtract, "-=")
IN_PLACE_OPERATION(PyNumber_InPlaceMatrixMultiply, nb_inplace_matrix_multiply, nb_matrix_multiply, "@=")
IN_PLACE_OPERATION(PyNumber_InPlaceFloorDivide, nb_inplace_floor_divide, nb_floor_divide, "//=")
IN_PLACE_OPERATION(PyNumber_InPlaceTrueDivide, nb_inplace_true_divide, nb_true_divide, "/=")
IN_PLACE_OPERATION(PyNumber_InPlaceRemainder, nb_inplace_remainder, nb_remainder, "%=")
#undef IN_PLACE_OPERATION

PyObject* PyNumber_Add(PyObject* left, PyObject* right) {
  PyObject* result = try_binary(left, right, &PyNumberMethods::nb_add);
  if (LIKELY(result != Py_NotImplemented)) return result;
  Py_DECREF(result);
  PySequenceMethods* sequence = Py_TYPE(left)->tp_as_sequence;
  if (sequence != nullptr && sequence->sq_concat != nullptr) return sequence->sq_concat(left, right);
  return raise_unsupported(left, right, "+");
}

PyObject* PyNumber_InPlaceAdd(PyObject* left, PyObject* right) {
  PyObject* result = try_in_place(left, right, &PyNumberMethods::nb_inplace_add, &PyNumberMethods::nb_add);
  if (LIKELY(result != Py_NotImplemented)) return result;
  Py_DECREF(result);
  if (PySequenceMethods* sequence = Py_TYPE(left)->tp_as_sequence) {
    binaryfunc concat = sequence->sq_inplace_concat != nullptr ? sequence->sq_inplace_concat : sequence->sq_concat;
    if (concat != nullptr) return concat(left, right);
  }
  return raise_unsupported(left, right, "+=");
}

PyObject* PyNumber_Multiply(PyObject* left, PyObject* right) {
  PyObject* result = try_binary(left, right, &PyNumberMethods::nb_multiply);
  if (LIKELY(result != Py_NotImplemented)) return result;
  Py_DECREF(result);
  PySequenceMethods* of_left = Py_TYPE(left)->tp_as_sequence;
  PySequenceMethods* of_right = Py_TYPE(right)->tp_as_sequence;
  if (of_left != nullptr && of_left->sq_repeat != nullptr) return repeat_sequence(of_left->sq_repeat, left, right);
  if (of_right != nullptr && of_right->sq_repeat != nullptr) return repeat_sequence(of_right->sq_repeat, right, left);
  return raise_unsupported(left, right, "*");
}

PyObject* PyNumber_InPlaceMultiply(PyObject* left, PyObject* right) {
  PyObject* result = try_in_place(left, right, &PyNumberMethods::nb_inplace_multiply, &PyNumberMethods::nb_multiply);
  if (LIKELY(result != Py_NotImplemented)) return result;
  Py_DECREF(result);
  PySequenceMethods* of_left = Py_TYPE(left)->tp_as_sequence;
  PySequenceMethods* of_right = Py_TYPE(right)->tp_as_sequence;
  if (of_left != nullptr) {
    ssizeargfunc repeat = of_left->sq_inplace_repeat != nullptr ? of_left->sq_inplace_repeat : of_left->sq_repeat;
    if (repeat != nullptr) return repeat_sequence(repeat, left, right);
  } else if (of_right != nullptr && of_right->sq_repeat != nullptr) {
    // The right operand isn't the target, so it is never changed in place.
    return repeat_sequence(of_right->sq_repeat, right, left);
  }
  return raise_unsupported(left, right, "*=");
}

PyObject* PyNumber_Power(PyObject* base, PyObject* exponent, PyObject* modulus) {
  return power(base, exponent, modulus, "** or pow()");
}
PyObject* _PyNumber_PowerNoMod(PyObject* base, PyObject* exponent) {
  return power(base, exponent, Py_None, "** or pow()");
}
PyObject* PyNumber_InPlacePower(PyObject* base, PyObject* exponent, PyObject* modulus) {
  PyNumberMethods* number = Py_TYPE(base)->tp_as_number;
  if (number != nullptr && number->nb_inplace_power != nullptr) {
    PyObject* result = number->nb_inplace_power(base, exponent, modulus);
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  return power(base, exponent, modulus, "**=");
}
PyObject* _PyNumber_InPlacePowerNoMod(PyObject* base, PyObject* exponent) {
  return PyNumber_InPlacePower(base, exponent, Py_None);
}

PyObject* PyNumber_Negative(PyObject* value) {
  return unary(value, &PyNumberMethods::nb_negative, "bad operand type for unary -: '%.200s'");
}
PyObject* PyNumber_Positive(PyObject* value) {
  return unary(value, &PyNumberMethods::nb_positive, "bad operand type for unary +: '%.200s'");
}
PyObject* PyNumber_Invert(PyObject* value) {
  return unary(value, &PyNumberMethods::nb_invert, "bad operand type for unary ~: '%.200s'");
}
PyObject* PyNumber_Absolute(PyObject* value) {
  return unary(value, &PyNumberMethods::nb_absolute, "bad operand type for abs(): '%.200s'");
}

// ---------------------------------------------------------------------------------------------------------------
// Conversions

int PyIndex_Check(PyObject* value) { return _PyIndex_Check(value); }

PyObject* _PyNumber_Index(PyObject* value) {
  if (value == nullptr) return raise_null();
  if (PyLong_Check(value)) return Py_NewRef(value);
  if (!_PyIndex_Check(value)) {
    PyErr_Format(PyExc_TypeError, "'%.200s' object cannot be interpreted as an integer", Py_TYPE(value)->tp_name);
    return nullptr;
  }
  return check_int_result(Py_TYPE(value)->tp_as_number->nb_index(value), "__index__");
}

PyObject* PyNumber_Index(PyObject* value) { return to_exact_int(_PyNumber_Index(value)); }

Py_ssize_t PyNumber_AsSsize_t(PyObject* value, PyObject* overflow_error) {
  // FAST: no call
  if (LIKELY(value != nullptr && PyLong_CheckExact(value) && is_compact(as_long(value)))) return compact_value(as_long(value));
  PyObject* index = _PyNumber_Index(value);
  if (index == nullptr) return -1;
  Py_ssize_t result = PyLong_AsSsize_t(index);
  if (LIKELY(result != -1) || !PyErr_Occurred()) {
    Py_DECREF(index);
    return result;
  }
  if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
    PyErr_Clear();
    if (overflow_error == nullptr) {
      // The caller takes the nearest value.
      result = Py_SIZE(index) < 0 ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX;
    } else {
      PyErr_Format(overflow_error, "cannot fit '%.200s' into an index-sized integer", Py_TYPE(value)->tp_name);
    }
  }
  Py_DECREF(index);
  return result;
}

PyObject* PyNumber_Long(PyObject* value) {
  if (value == nullptr) return raise_null();
  if (PyLong_CheckExact(value)) return Py_NewRef(value);
  PyNumberMethods* number = Py_TYPE(value)->tp_as_number;
  if (number != nullptr && number->nb_int != nullptr) {
    return to_exact_int(check_int_result(number->nb_int(value), "__int__"));
  }
  if (number != nullptr && number->nb_index != nullptr) return PyNumber_Index(value);
  auto trunc = Ref<>::steal(_PyObject_LookupSpecial(value, &_Py_ID(__trunc__)));
  if (trunc) return int_from_trunc(trunc.get());
  if (PyErr_Occurred()) return nullptr;
  return int_from_text(value);
}

PyObject* PyNumber_Float(PyObject* value) {
  if (value == nullptr) return raise_null();
  if (PyFloat_CheckExact(value)) return Py_NewRef(value);
  PyNumberMethods* number = Py_TYPE(value)->tp_as_number;
  if (number != nullptr && number->nb_float != nullptr) {
    PyObject* result = number->nb_float(value);
    if (result == nullptr || PyFloat_CheckExact(result)) return result;
    auto owner = Ref<>::steal(result);
    if (!PyFloat_Check(result)) {
      PyErr_Format(PyExc_TypeError, "%.50s.__float__ returned non-float (type %.50s)", Py_TYPE(value)->tp_name,
                   Py_TYPE(result)->tp_name);
      return nullptr;
    }
    if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                         "%.50s.__float__ returned non-float (type %.50s).  The ability to return an instance of a "
                         "strict subclass of float is deprecated, and may not be supported in a future version of "
                         "Python.",
                         Py_TYPE(value)->tp_name, Py_TYPE(result)->tp_name)) {
      return nullptr;
    }
    return PyFloat_FromDouble(PyFloat_AS_DOUBLE(result));
  }
  if (number != nullptr && number->nb_index != nullptr) {
    auto index = Ref<>::steal(_PyNumber_Index(value));
    if (!index) return nullptr;
    double result = PyLong_AsDouble(index.get());
    if (result == -1.0 && PyErr_Occurred()) return nullptr;
    return PyFloat_FromDouble(result);
  }
  if (PyFloat_Check(value)) return PyFloat_FromDouble(PyFloat_AS_DOUBLE(value));
  return PyFloat_FromString(value);
}

PyObject* PyNumber_ToBase(PyObject* value, int base) {
  if (base != 2 && base != 8 && base != 10 && base != 16) {
    PyErr_SetString(PyExc_SystemError, "PyNumber_ToBase: base must be 2, 8, 10 or 16");
    return nullptr;
  }
  auto index = Ref<>::steal(_PyNumber_Index(value));
  return index ? _PyLong_Format(index.get(), base) : nullptr;
}

int _Py_convert_optional_to_ssize_t(PyObject* value, void* result) {
  if (value == Py_None) return 1;
  if (!_PyIndex_Check(value)) {
    PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'", Py_TYPE(value)->tp_name);
    return 0;
  }
  Py_ssize_t index = PyNumber_AsSsize_t(value, PyExc_OverflowError);
  if (index == -1 && PyErr_Occurred()) return 0;
  *static_cast<Py_ssize_t*>(result) = index;
  return 1;
}

}  // extern "C"
