// Integer constants of modules, as tables.
#pragma once

#include "Objects/bind.h"

namespace pyston {

struct IntConstant {
  const char* name;
  long long value;
};

/// Adds every row of a table to a module; -1 with an exception.
template <size_t N>
int add_constants(PyObject* module, const IntConstant (&table)[N]) {
  for (const IntConstant& row : table) {
    PyObject* value = PyLong_FromLongLong(row.value);
    if (value == nullptr) return -1;
    const int status = PyModule_AddObjectRef(module, row.name, value);
    Py_DECREF(value);
    if (status < 0) return -1;
  }
  return 0;
}

}  // namespace pyston
