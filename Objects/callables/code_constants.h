// What making a code object does to its constants, for the compiler that shares them beforehand.
#pragma once

#include "Runtime/python.h"

namespace pyston {

/// Whether an exact str looks like a name: code objects hold such constants interned.
bool is_interned_constant(PyObject* text);

}  // namespace pyston
