// Inside of float: its free list, for Objects/numbers and the interpreter's fast paths.
#pragma once

#include <cmath>

#include "Runtime/refs/ref.h"

namespace pyston {

/// Freed floats, chained through ob_type. Guarded by the GIL.
struct FloatPool {
  PyObject* head = nullptr;
  int count = 0;
  static constexpr int kCapacity = 256;
};
extern FloatPool float_pool;

/// New reference; null: MemoryError.
ALWAYS_INLINE PyObject* float_from_double(double value) {
  PyObject* object = float_pool.head;
  if (LIKELY(object != nullptr)) {
    float_pool.head = reinterpret_cast<PyObject*>(object->ob_type);
    float_pool.count--;
  } else {
    object = static_cast<PyObject*>(PyObject_Malloc(sizeof(PyFloatObject)));
    if (UNLIKELY(object == nullptr)) return PyErr_NoMemory();
  }
  object->ob_type = &PyFloat_Type;
  object->ob_refcnt = 1;
  reinterpret_cast<PyFloatObject*>(object)->ob_fval = value;
  return object;
}

/// Frees an exact float without references.
ALWAYS_INLINE void float_free_exact(PyObject* object) {
  if (LIKELY(float_pool.count < FloatPool::kCapacity)) {
    object->ob_type = reinterpret_cast<PyTypeObject*>(float_pool.head);
    float_pool.head = object;
    float_pool.count++;
    return;
  }
  PyObject_Free(object);
}

/// Floor quotient and remainder of floats, b != 0.
void float_divmod(double a, double b, double* quotient, double* remainder);

/// fmod(a, b) up to the sign of a zero, b != 0.
ALWAYS_INLINE double exact_remainder(double a, double b) {
  double quotient = a / b;
  // FAST: no digit-by-digit division. What a rounded quotient leaves over is a double (Boldo and Daumas 2003), so the fused
  // multiply-add is exact. From 2**52 on the quotient is a whole number, and what it leaves over has a quotient below
  // that; there it is cut to a whole number, the true one or one more.
  if (LIKELY(fabs(quotient) < 0x1p104 && fabs(b) > 0x1p-500 && fabs(b) < 0x1p500)) {
    double rest = a;
    if (fabs(quotient) >= 0x1p52) {
      rest = __builtin_fma(-quotient, b, a);
      quotient = rest / b;
    }
    rest = __builtin_fma(-static_cast<double>(static_cast<int64_t>(quotient)), b, rest);
    return (a < 0 ? rest > 0 : rest < 0) ? rest + copysign(b, a) : rest;
  }
  return fmod(a, b);
}

/// a % b, b != 0: the remainder with the sign of b.
ALWAYS_INLINE double float_modulo(double a, double b) {
  double rest = exact_remainder(a, b);
  if (rest == 0.0) return copysign(0.0, b);
  return (b < 0) != (rest < 0) ? rest + b : rest;
}

}  // namespace pyston
