// Where an exception continues: a handler in this frame, or the frame that called it.
#pragma once

#include "Interpreter/eval/state.h"

namespace pyston {

/// A place in a frame, as handlers hold it in registers.
struct UnwindPoint {
  _PyInterpreterFrame* frame;
  _Py_CODEUNIT* next_instr;
  PyObject** stack_pointer;
};

/// Finds the innermost handler for the pending exception, leaving frames on the way, and moves `point` there. False:
/// the frame that C entered has no handler; it is left, its value stack empty, the exception set.
bool unwind_exception(PyThreadState* tstate, UnwindPoint& point, bool add_traceback);
/// Leaves point.frame with an exception set, without looking for handlers in it. False: C had entered this frame.
bool leave_frame_with_error(PyThreadState* tstate, UnwindPoint& point);

}  // namespace pyston
