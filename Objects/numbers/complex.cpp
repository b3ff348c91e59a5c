// The type complex, and arithmetic on pairs of doubles (_Py_c_*), which reports errors through errno.
#include <cerrno>
#include <cmath>
#include <cstring>

#include "Objects/bind.h"
#include "Objects/numbers/float_text.h"
#include "Objects/numbers/int.h"
#include "pycore_long.h"
#include "pycore_object.h"

using namespace pyston;

Py_complex _Py_c_sum(Py_complex a, Py_complex b) { return {a.real + b.real, a.imag + b.imag}; }
Py_complex _Py_c_diff(Py_complex a, Py_complex b) { return {a.real - b.real, a.imag - b.imag}; }
Py_complex _Py_c_neg(Py_complex a) { return {-a.real, -a.imag}; }
Py_complex _Py_c_prod(Py_complex a, Py_complex b) {
  return {a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real};
}

/// Smith's division: scaled by the divisor's larger part so that nothing overflows early. EDOM for a zero divisor.
Py_complex _Py_c_quot(Py_complex a, Py_complex b) {
  const double real_size = std::fabs(b.real);
  const double imag_size = std::fabs(b.imag);
  if (real_size >= imag_size) {
    if (real_size == 0.0) {
      errno = EDOM;
      return {0.0, 0.0};
    }
    const double ratio = b.imag / b.real;
    const double scale = b.real + b.imag * ratio;
    return {(a.real + a.imag * ratio) / scale, (a.imag - a.real * ratio) / scale};
  }
  if (imag_size >= real_size) {
    const double ratio = b.real / b.imag;
    const double scale = b.real * ratio + b.imag;
    return {(a.real * ratio + a.imag) / scale, (a.imag * ratio - a.real) / scale};
  }
  return {Py_NAN, Py_NAN};  // the divisor has a NaN
}

Py_complex _Py_c_pow(Py_complex a, Py_complex b) {
  if (b.real == 0.0 && b.imag == 0.0) return {1.0, 0.0};
  if (a.real == 0.0 && a.imag == 0.0) {
    if (b.imag != 0.0 || b.real < 0.0) errno = EDOM;
    return {0.0, 0.0};
  }
  const double size = hypot(a.real, a.imag);
  double length = pow(size, b.real);
  const double angle = atan2(a.imag, a.real);
  double phase = angle * b.real;
  if (b.imag != 0.0) {
    length /= exp(angle * b.imag);
    phase += b.imag * log(size);
  }
  const Py_complex result = {length * cos(phase), length * sin(phase)};
  if (std::isinf(result.real) || std::isinf(result.imag)) {
    if (errno == 0) errno = ERANGE;
  } else if (errno == ERANGE) {
    errno = 0;
  }
  return result;
}

double _Py_c_abs(Py_complex z) {
  errno = 0;
  if (!std::isfinite(z.real) || !std::isfinite(z.imag)) {
    if (std::isinf(z.real)) return std::fabs(z.real);
    if (std::isinf(z.imag)) return std::fabs(z.imag);
    return Py_NAN;
  }
  const double result = hypot(z.real, z.imag);
  errno = std::isfinite(result) ? 0 : ERANGE;
  return result;
}

PyObject* PyComplex_FromCComplex(Py_complex value) {
  PyComplexObject* result = static_cast<PyComplexObject*>(PyObject_Malloc(sizeof(PyComplexObject)));
  if (result == nullptr) return PyErr_NoMemory();
  _PyObject_Init(as_object(result), &PyComplex_Type);
  result->cval = value;
  return as_object(result);
}
PyObject* PyComplex_FromDoubles(double real, double imag) { return PyComplex_FromCComplex({real, imag}); }

double PyComplex_RealAsDouble(PyObject* object) {
  if (PyComplex_Check(object)) return reinterpret_cast<PyComplexObject*>(object)->cval.real;
  return PyFloat_AsDouble(object);
}
double PyComplex_ImagAsDouble(PyObject* object) {
  return PyComplex_Check(object) ? reinterpret_cast<PyComplexObject*>(object)->cval.imag : 0.0;
}

namespace pyston {
namespace {

Py_complex value_of(PyObject* object) { return reinterpret_cast<PyComplexObject*>(object)->cval; }

/// Result of __complex__ if the type has it; null without an exception when it hasn't.
PyObject* call_complex_method(PyObject* object) {
  PyObject* function = _PyObject_LookupSpecial(object, &_Py_ID(__complex__));
  if (function == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(function);
  Ref<> result = Ref<>::steal(PyObject_CallNoArgs(function));
  if (!result) return nullptr;
  if (!PyComplex_Check(result.get())) {
    return raise(PyExc_TypeError, "__complex__ returned non-complex (type %.200s)", Py_TYPE(result.get())->tp_name);
  }
  if (!PyComplex_CheckExact(result.get()) &&
      PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                       "%.200s.__complex__() returned non-complex (type %.200s).  The ability to return an instance "
                       "of a strict subclass of complex is deprecated, and may not be supported in a future version "
                       "of Python.",
                       Py_TYPE(object)->tp_name, Py_TYPE(result.get())->tp_name) < 0) {
    return nullptr;
  }
  return result.release();
}

/// An operand as a complex number. False: foreign (NotImplemented) or an exception.
bool to_complex(PyObject* object, Py_complex& out) {
  if (PyComplex_Check(object)) {
    out = value_of(object);
    return true;
  }
  out.imag = 0.0;
  if (PyLong_Check(object)) {
    out.real = PyLong_AsDouble(object);
    return !(out.real == -1.0 && PyErr_Occurred());
  }
  if (PyFloat_Check(object)) {
    out.real = PyFloat_AS_DOUBLE(object);
    return true;
  }
  return false;
}
PyObject* no_operand() { return PyErr_Occurred() ? nullptr : Py_NewRef(Py_NotImplemented); }

template <Py_complex (*Operation)(Py_complex, Py_complex)>
PyObject* complex_binary(PyObject* v, PyObject* w) {
  Py_complex a;
  Py_complex b;
  if (!to_complex(v, a) || !to_complex(w, b)) return no_operand();
  return PyComplex_FromCComplex(Operation(a, b));
}

PyObject* complex_divide(PyObject* v, PyObject* w) {
  Py_complex a;
  Py_complex b;
  if (!to_complex(v, a) || !to_complex(w, b)) return no_operand();
  errno = 0;
  const Py_complex quotient = _Py_c_quot(a, b);
  if (errno == EDOM) return raise(PyExc_ZeroDivisionError, "complex division by zero");
  return PyComplex_FromCComplex(quotient);
}

/// Small whole exponents by repeated multiplication: more exact than through logarithms.
Py_complex integer_power(Py_complex base, long exponent) {
  const bool invert = exponent < 0;
  if (invert) exponent = -exponent;
  Py_complex result = {1.0, 0.0};
  Py_complex factor = base;
  for (long mask = 1; mask > 0 && exponent >= mask; mask <<= 1) {
    if (exponent & mask) result = _Py_c_prod(result, factor);
    factor = _Py_c_prod(factor, factor);
  }
  return invert ? _Py_c_quot({1.0, 0.0}, result) : result;
}

PyObject* complex_power(PyObject* v, PyObject* w, PyObject* modulus) {
  Py_complex a;
  Py_complex b;
  if (!to_complex(v, a) || !to_complex(w, b)) return no_operand();
  if (modulus != Py_None) return raise(PyExc_ValueError, "complex modulo");
  errno = 0;
  Py_complex result;
  if (b.imag == 0.0 && b.real == floor(b.real) && std::fabs(b.real) <= 100.0) {
    result = integer_power(a, static_cast<long>(b.real));
    if (std::isinf(result.real) || std::isinf(result.imag)) {
      if (errno == 0) errno = ERANGE;
    } else if (errno == ERANGE) {
      errno = 0;
    }
  } else {
    result = _Py_c_pow(a, b);
  }
  if (errno == EDOM) return raise(PyExc_ZeroDivisionError, "0.0 to a negative or complex power");
  if (errno == ERANGE) return raise(PyExc_OverflowError, "complex exponentiation");
  return PyComplex_FromCComplex(result);
}

PyObject* complex_negative(PyObject* self) { return PyComplex_FromCComplex(_Py_c_neg(value_of(self))); }
PyObject* complex_positive(PyObject* self) {
  return PyComplex_CheckExact(self) ? Py_NewRef(self) : PyComplex_FromCComplex(value_of(self));
}
PyObject* complex_absolute(PyObject* self) {
  const double result = _Py_c_abs(value_of(self));
  if (errno == ERANGE) return raise(PyExc_OverflowError, "absolute value too large");
  return PyFloat_FromDouble(result);
}
int complex_bool(PyObject* self) { return value_of(self).real != 0.0 || value_of(self).imag != 0.0; }

PyObject* complex_repr(PyObject* self) {
  const Py_complex value = value_of(self);
  char text[90];
  char* p = text;
  const bool skip_real = value.real == 0.0 && !std::signbit(value.real);
  if (!skip_real) {
    *p++ = '(';
    p += write_repr(value.real, Dot::kLeave, p);
    if (!std::signbit(value.imag) || std::isnan(value.imag)) *p++ = '+';
  }
  p += write_repr(value.imag, Dot::kLeave, p);
  *p++ = 'j';
  if (!skip_real) *p++ = ')';
  return PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, text, p - text);
}

Py_hash_t complex_hash(PyObject* self) {
  const Py_uhash_t real = static_cast<Py_uhash_t>(_Py_HashDouble(self, value_of(self).real));
  const Py_uhash_t imag = static_cast<Py_uhash_t>(_Py_HashDouble(self, value_of(self).imag));
  const Py_hash_t hash = static_cast<Py_hash_t>(real + _PyHASH_IMAG * imag);
  return hash == -1 ? -2 : hash;
}

PyObject* complex_richcompare(PyObject* v, PyObject* w, int op) {
  if (op != Py_EQ && op != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  const Py_complex a = value_of(v);
  bool equal;
  if (PyLong_Check(w)) {
    if (a.imag == 0.0) {  // compared as float and int, exactly
      Ref<> real = Ref<>::steal(PyFloat_FromDouble(a.real));
      return real ? PyObject_RichCompare(real.get(), w, op) : nullptr;
    }
    equal = false;
  } else if (PyFloat_Check(w)) {
    equal = a.imag == 0.0 && a.real == PyFloat_AS_DOUBLE(w);
  } else if (PyComplex_Check(w)) {
    equal = a.real == value_of(w).real && a.imag == value_of(w).imag;
  } else {
    Py_RETURN_NOTIMPLEMENTED;
  }
  return PyBool_FromLong(equal == (op == Py_EQ));
}

PyObject* make_complex(PyTypeObject* type, Py_complex value) {
  if (type == &PyComplex_Type) return PyComplex_FromCComplex(value);
  PyObject* result = type->tp_alloc(type, 0);
  if (result != nullptr) reinterpret_cast<PyComplexObject*>(result)->cval = value;
  return result;
}

// Text --------------------------------------------------------------------------------------------------------------

/// Reads "[(]<float>[<signed float>j][)]" and its variations; `type` is passed through `argument`.
PyObject* text_to_complex(const char* text, Py_ssize_t length, void* argument) {
  const auto malformed = [] { return raise(PyExc_ValueError, "complex() arg is a malformed string"); };
  const char* p = text;
  const char* stop = text + length;
  while (Py_ISSPACE(*p)) p++;
  const bool parenthesis = *p == '(';
  if (parenthesis) {
    p++;
    while (Py_ISSPACE(*p)) p++;
  }
  // The forms: <float>, <float>j, <float><signed>j, each of which may lack digits in front of j.
  const auto read_float = [](const char* at, double* out) -> const char* {
    char* end;
    *out = PyOS_string_to_double(at, &end, nullptr);
    if (*out == -1.0 && PyErr_Occurred()) {
      if (!PyErr_ExceptionMatches(PyExc_ValueError)) return nullptr;
      PyErr_Clear();
    }
    return end;
  };
  const auto is_j = [](char c) { return c == 'j' || c == 'J'; };
  double real = 0.0;
  double imag = 0.0;
  double first;
  const char* end = read_float(p, &first);
  if (end == nullptr) return nullptr;
  if (end != p) {
    p = end;
    if (*p == '+' || *p == '-') {
      real = first;
      end = read_float(p, &imag);
      if (end == nullptr) return nullptr;
      if (end != p) {
        p = end;
      } else {
        imag = *p == '+' ? 1.0 : -1.0;
        p++;
      }
      if (!is_j(*p)) return malformed();
      p++;
    } else if (is_j(*p)) {
      imag = first;
      p++;
    } else {
      real = first;
    }
  } else {
    imag = 1.0;
    if (*p == '+' || *p == '-') imag = *p++ == '+' ? 1.0 : -1.0;
    if (!is_j(*p)) return malformed();
    p++;
  }
  while (Py_ISSPACE(*p)) p++;
  if (parenthesis) {
    if (*p != ')') return malformed();
    p++;
    while (Py_ISSPACE(*p)) p++;
  }
  if (p != stop) return malformed();
  return make_complex(static_cast<PyTypeObject*>(argument), {real, imag});
}

PyObject* complex_from_string(PyTypeObject* type, PyObject* source) {
  Ref<> ascii = Ref<>::steal(_PyUnicode_TransformDecimalAndSpaceToASCII(source));
  if (!ascii) return nullptr;
  return _Py_string_to_number_with_underscores(static_cast<const char*>(PyUnicode_DATA(ascii.get())),
                                               PyUnicode_GET_LENGTH(ascii.get()), "complex", source, type,
                                               text_to_complex);
}

PyObject* complex_new(PyTypeObject* type, PyObject* real, PyObject* imag) {
  Ref<> zero;
  if (real == nullptr) {
    zero = Ref<>::dup(_PyLong_GetZero());
    real = zero.get();
  }
  if (PyComplex_CheckExact(real) && imag == nullptr && type == &PyComplex_Type) return Py_NewRef(real);
  if (PyUnicode_Check(real)) {
    if (imag != nullptr) return raise(PyExc_TypeError, "complex() can't take second arg if first is a string");
    return complex_from_string(type, real);
  }
  if (imag != nullptr && PyUnicode_Check(imag)) return raise(PyExc_TypeError, "complex() second arg can't be a string");
  Ref<> converted = Ref<>::steal(PyComplex_CheckExact(real) ? nullptr : call_complex_method(real));
  if (converted) {
    real = converted.get();
  } else if (PyErr_Occurred()) {
    return nullptr;
  }
  const auto is_number = [](PyObject* object) {
    PyNumberMethods* number = Py_TYPE(object)->tp_as_number;
    return PyComplex_Check(object) || (number != nullptr && (number->nb_float != nullptr || number->nb_index != nullptr));
  };
  if (!is_number(real)) {
    return raise(PyExc_TypeError, "complex() first argument must be a string or a number, not '%.200s'",
                 Py_TYPE(real)->tp_name);
  }
  if (imag != nullptr && !is_number(imag)) {
    return raise(PyExc_TypeError, "complex() second argument must be a number, not '%.200s'", Py_TYPE(imag)->tp_name);
  }
  // real + imag * 1j, where each may itself be complex.
  const auto parts = [](PyObject* object, Py_complex& out) {
    if (PyComplex_Check(object)) {
      out = value_of(object);
      return true;
    }
    Ref<> number = Ref<>::steal(PyNumber_Float(object));
    if (!number) return false;
    out = {PyFloat_AS_DOUBLE(number.get()), 0.0};
    return true;
  };
  Py_complex a;
  if (!parts(real, a)) return nullptr;
  const bool a_complex = PyComplex_Check(real);
  Py_complex b = {0.0, 0.0};
  bool b_complex = false;
  if (imag != nullptr) {
    if (!parts(imag, b)) return nullptr;
    b_complex = PyComplex_Check(imag);
  }
  // Only parts that exist are added, so that signs of zeros survive.
  if (b_complex) a.real -= b.imag;
  double imaginary = b.real;
  if (a_complex && imag != nullptr) {
    imaginary += a.imag;
  } else if (a_complex) {
    imaginary = a.imag;
  }
  return make_complex(type, {a.real, imaginary});
}

PyObject* complex_conjugate(Borrowed<PyComplexObject> self) {
  return PyComplex_FromDoubles(self->cval.real, -self->cval.imag);
}
PyObject* complex_complex(Borrowed<PyComplexObject> self) { return complex_positive(self.object()); }
PyObject* complex_getnewargs(Borrowed<PyComplexObject> self) {
  return Py_BuildValue("(dd)", self->cval.real, self->cval.imag);
}
PyObject* complex_format(Borrowed<PyComplexObject> self, Borrowed<PyUnicodeObject> spec) {
  _PyUnicodeWriter writer;
  _PyUnicodeWriter_Init(&writer);
  if (_PyComplex_FormatAdvancedWriter(&writer, self.object(), spec.object(), 0, PyUnicode_GET_LENGTH(spec.object())) < 0) {
    _PyUnicodeWriter_Dealloc(&writer);
    return nullptr;
  }
  return _PyUnicodeWriter_Finish(&writer);
}

PyMethodDef complex_methods[] = {
    method<complex_conjugate, "conjugate($self, /)", "The number with the sign of its imaginary part changed.">(),
    method<complex_complex, "__complex__($self, /)", "The number as an exact complex.">(),
    method<complex_getnewargs, "__getnewargs__($self, /)">(),
    method<complex_format, "__format__($self, format_spec, /)", "The number formatted as the specification says.">(),
    {}};

PyMemberDef complex_members[] = {
    {"real", T_DOUBLE, offsetof(PyComplexObject, cval.real), READONLY, "the real part of a complex number"},
    {"imag", T_DOUBLE, offsetof(PyComplexObject, cval.imag), READONLY, "the imaginary part of a complex number"},
    {}};

PyNumberMethods complex_as_number = {
    .nb_add = complex_binary<_Py_c_sum>,
    .nb_subtract = complex_binary<_Py_c_diff>,
    .nb_multiply = complex_binary<_Py_c_prod>,
    .nb_power = complex_power,
    .nb_negative = complex_negative,
    .nb_positive = complex_positive,
    .nb_absolute = complex_absolute,
    .nb_bool = complex_bool,
    .nb_true_divide = complex_divide,
};

}  // namespace
}  // namespace pyston

Py_complex PyComplex_AsCComplex(PyObject* object) {
  if (PyComplex_Check(object)) return value_of(object);
  Ref<> converted = Ref<>::steal(call_complex_method(object));
  if (converted) return value_of(converted.get());
  if (PyErr_Occurred()) return {-1.0, 0.0};
  return {PyFloat_AsDouble(object), 0.0};
}

PyTypeObject PyComplex_Type = {
    .ob_base = type_head(),
    .tp_name = "complex",
    .tp_basicsize = sizeof(PyComplexObject),
    .tp_repr = complex_repr,
    .tp_as_number = &complex_as_number,
    .tp_hash = complex_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "complex(real=0, imag=0)\n--\n\nA complex number, from text or from two numbers: real + imag*1j.",
    .tp_richcompare = complex_richcompare,
    .tp_methods = complex_methods,
    .tp_members = complex_members,
    .tp_new = constructor<complex_new, "complex($type, real=0, imag=0)">,
    .tp_free = PyObject_Del,
};
static_assert(sizeof(PyComplexObject) == 32);
