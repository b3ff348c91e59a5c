// Inside of float: its free list, for Objects/numbers and the interpreter's fast paths.
#pragma once

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

/// a // b and a % b for floats, b != 0.
void float_divmod(double a, double b, double* quotient, double* remainder);
double float_modulo(double a, double b);

}  // namespace pyston
