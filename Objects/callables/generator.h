// What the interpreter and the generator types share: entering, suspending and ending a generator's frame.
//
// The frame lives inside the generator object (gi_iframe). gi_frame_state is the truth about it: created, suspended,
// executing, or cleared. While it executes, its exception state is on top of the thread's exc_info chain.
#pragma once

#include "Runtime/refs/ref.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_genobject.h"
#include "internal/pycore_pyerrors.h"

namespace pyston {

ALWAYS_INLINE _PyInterpreterFrame* generator_frame(PyGenObject* generator) {
  return reinterpret_cast<_PyInterpreterFrame*>(generator->gi_iframe);
}

ALWAYS_INLINE void generator_enter(PyThreadState* tstate, PyGenObject* generator) {
  generator->gi_exc_state.previous_item = tstate->exc_info;
  tstate->exc_info = &generator->gi_exc_state;
  generator->gi_frame_state = FRAME_EXECUTING;
}

/// The generator's frame stops being on the stack, suspended or finished.
ALWAYS_INLINE void generator_leave(PyThreadState* tstate, PyGenObject* generator) {
  tstate->exc_info = generator->gi_exc_state.previous_item;
  generator->gi_exc_state.previous_item = nullptr;
  // A reference to the caller would keep a chain of frames alive.
  generator_frame(generator)->previous = nullptr;
}

/// The generator returned or failed while running as a pushed frame: makes the caller current, clears the frame.
void generator_finish(PyThreadState* tstate, PyGenObject* generator);
/// StopIteration (for asynchronous generators also StopAsyncIteration) that leaves a body becomes RuntimeError.
void generator_convert_stop(PyThreadState* tstate, PyGenObject* generator);
/// SEND under a trace function: as PyIter_Send, with an `exception` event for StopIteration.
PySendResult traced_send(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* receiver, PyObject* value,
                         PyObject** result);

}  // namespace pyston
