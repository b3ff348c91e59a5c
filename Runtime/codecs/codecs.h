// What the codec registry and the standard error handlers have in common.
#pragma once

#include "Objects/bind.h"

namespace pyston::codecs {
/// The current interpreter with its codec registry set up; null with an exception.
PyInterpreterState* ready_interpreter();
/// Puts "strict", "ignore" ... into the dict of error handlers.
bool register_standard_handlers(PyObject* registry);
}  // namespace pyston::codecs
