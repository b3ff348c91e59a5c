// Pieces of the _functools module.
#pragma once

#include "Objects/bind.h"

#include <internal/pycore_global_strings.h>
#include <internal/pycore_pystate.h>

namespace pyston {
/// Add their types to the module. 0 or -1.
int add_partial_type(PyObject* module);
int add_lru_cache_types(PyObject* module);
}  // namespace pyston
