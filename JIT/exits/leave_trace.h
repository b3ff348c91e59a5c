// The handlers through which machine code goes back to the interpreter.
#pragma once

#include "JIT/codegen/codegen.h"

namespace pyston::jit {

/// What machine code leaves for op_leave_trace, in the order of the snapshot's entries. Used up before anything else can run.
extern int64_t exit_values[kMaxExitValues];
extern int64_t exit_iterations;

/// next_instr is the Trace, oparg the snapshot's number.
HANDLER_ABI PyObject* op_leave_trace(_PyInterpreterFrame* frame, _Py_CODEUNIT* next_instr, PyObject** stack_pointer,
                                     PyThreadState* tstate, int oparg);
HANDLER_ABI PyObject* op_go_on(_PyInterpreterFrame* frame, _Py_CODEUNIT* next_instr, PyObject** stack_pointer,
                               PyThreadState* tstate, int oparg);

}  // namespace pyston::jit
