// Shared by the parts of the frame object.
#pragma once

#include "Runtime/refs/ref.h"
#include "internal/pycore_frame.h"

namespace pyston {

PyFrameState frame_state(PyFrameObject* frame);
/// f_lineno = line, from a trace function: moves the next instruction there, if the value stacks allow it.
Status frame_set_lineno(Borrowed<PyFrameObject> self, PyObject* value);

}  // namespace pyston
