// The calling convention of instruction handlers and the tables they jump through.
//
// INVARIANT: frame, next instruction, stack pointer and thread state travel in the four registers that C++ calls
// preserve. Every handler ends in a tail call to the next, so the C++ stack does not grow between instructions.
#pragma once

#include "Interpreter/eval/state.h"

namespace pyston {

#define HANDLER_ABI __attribute__((preserve_none))
using Handler = HANDLER_ABI PyObject* (*)(_PyInterpreterFrame*, _Py_CODEUNIT* next_instr, PyObject** stack_pointer,
                                          PyThreadState*, int oparg);

/// The table every dispatch jumps through. It holds the normal handlers, or op_traced everywhere while any thread
/// has a trace or profile function: tracing costs nothing when it is off.
extern Handler active_handlers[256];

/// Continuations for code that leaves a handler without being one: an exception has been raised in the frame; one that
/// passed through it already.
extern const Handler kErrorHandler;
extern const Handler kUnwindHandler;

/// While on, every dispatch shows the recorder the instruction first. Tracing wins: it cannot be on at the same time.
void set_recording_dispatch(bool on);

}  // namespace pyston
