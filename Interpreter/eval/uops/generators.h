// Micro-ops that leave frames: returning, yielding, making generators, and sending into them.
//
// A generator resumed by SEND or FOR_ITER of a Python frame runs as a pushed frame (is_entry is false): yielding and
// returning then continue in the calling frame. Where it continues is read from the caller's instruction: SEND and
// FOR_ITER have no cache, so the unit at caller->prev_instr is the instruction itself.
#pragma once

#include "Interpreter/eval/eval.h"
#include "Interpreter/eval/state.h"
#include "Interpreter/eval/uops/calls.h"
#include "Interpreter/eval/uops/control.h"
#include "Objects/callables/generator.h"

namespace pyston {

/// Goes on in `frame`, which waits behind frame->prev_instr.
ALWAYS_INLINE void resume_frame(State& s, _PyInterpreterFrame* frame) {
  s.frame = frame;
  s.tstate->cframe->current_frame = frame;
  s.stack_pointer = _PyFrame_GetStackPointer(frame);
  frame->stacktop = -1;
  s.next_instr = frame->prev_instr + 1;
}

/// FAST: what clear_and_pop_frame does, for a thread-owned frame without a frame object.
ALWAYS_INLINE void pop_returning_frame(PyThreadState* tstate, _PyInterpreterFrame* frame) {
  if (UNLIKELY(frame->frame_obj != nullptr)) return clear_and_pop_frame(tstate, frame);
  for (int i = 0, count = frame->stacktop; i < count; i++) Py_XDECREF(frame->localsplus[i]);
  Py_XDECREF(frame->f_locals);
  Py_DECREF(as_object(frame->f_func));
  Py_DECREF(as_object(frame->f_code));
  auto** base = reinterpret_cast<PyObject**>(frame);
  if (UNLIKELY(base == &tstate->datastack_chunk->data[0])) {
    _PyThreadState_PopFrame(tstate, frame);
  } else {
    tstate->datastack_top = base;
  }
}

/// A generator that runs as a pushed frame has returned `value` (owned); s.frame is still the generator's.
ALWAYS_INLINE Outcome return_from_pushed_generator(State& s, PyObject* value) {
  _PyInterpreterFrame* frame = s.frame;
  _PyInterpreterFrame* caller = frame->previous;
  generator_finish(s.tstate, _PyFrame_GetGenerator(frame));
  resume_frame(s, caller);
  _Py_CODEUNIT unit = *caller->prev_instr;
  if (_PyOpcode_Deopt[_Py_OPCODE(unit)] == OP_FOR_ITER) {
    Py_DECREF(value);
    Py_DECREF(s.pop());
  } else {  // SEND: the value takes the place of the receiver
    PyObject* receiver = s.peek(1);
    s.peek(1) = value;
    Py_DECREF(receiver);
  }
  s.jump(_Py_OPARG(unit));
  return kGo;
}

/// The end of a pushed __init__: the instance is on the caller's stack already.
ALWAYS_INLINE Outcome return_from_init(State& s, PyObject* value) {
  _PyInterpreterFrame* frame = s.frame;
  _PyInterpreterFrame* caller = frame->previous;
  s.tstate->cframe->current_frame = caller;
  pop_returning_frame(s.tstate, frame);
  resume_frame(s, caller);
  if (UNLIKELY(value != Py_None)) {
    _PyErr_Format(s.tstate, PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(value)->tp_name);
    Py_DECREF(value);
    return kError;
  }
  Py_DECREF(value);
  return kGo;
}

UOP(return_value) {
  _PyInterpreterFrame* frame = s.frame;
  PyObject* value = s.pop();
  _PyFrame_SetStackPointer(frame, s.stack_pointer);
  _Py_LeaveRecursiveCallTstate(s.tstate);
  if (UNLIKELY(frame_entry_kind(frame) != 0)) {
    if (frame_entry_kind(frame) == kInitFrame) return return_from_init(s, value);
    s.result = value;
    return kLeave;
  }
  if (UNLIKELY(frame->owner == FRAME_OWNED_BY_GENERATOR)) return return_from_pushed_generator(s, value);
  _PyInterpreterFrame* caller = frame->previous;
  // The frame being cleared is no longer current: destructors that look at the stack must not see it.
  s.tstate->cframe->current_frame = caller;
  pop_returning_frame(s.tstate, frame);
  resume_frame(s, caller);
  s.push(value);
  return kGo;
}

UOP(return_generator) {
  _PyInterpreterFrame* frame = s.frame;
  auto* generator = reinterpret_cast<PyGenObject*>(_Py_MakeCoro(frame->f_func));
  if (UNLIKELY(generator == nullptr)) return kError;
  frame->prev_instr = s.next_instr - 1;
  _PyFrame_SetStackPointer(frame, s.stack_pointer);
  auto* generator_frame = reinterpret_cast<_PyInterpreterFrame*>(generator->gi_iframe);
  _PyFrame_Copy(frame, generator_frame);
  generator->gi_frame_state = FRAME_CREATED;
  generator_frame->owner = FRAME_OWNED_BY_GENERATOR;
  generator_frame->previous = nullptr;
  _Py_LeaveRecursiveCallTstate(s.tstate);
  if (LIKELY(!frame->is_entry)) {
    _PyInterpreterFrame* caller = frame->previous;
    s.tstate->cframe->current_frame = caller;
    _PyThreadState_PopFrame(s.tstate, frame);
    resume_frame(s, caller);
    s.push(as_object(generator));
    return kGo;
  }
  // Whoever entered this frame clears it: leave it empty but valid.
  frame->stacktop = 0;
  frame->f_locals = nullptr;
  Py_INCREF(as_object(frame->f_func));
  Py_INCREF(as_object(frame->f_code));
  generator_frame->is_entry = false;
  s.result = as_object(generator);
  return kLeave;
}

UOP(yield_value) {
  _PyInterpreterFrame* frame = s.frame;
  PyObject* value = s.pop();
  PyGenObject* generator = _PyFrame_GetGenerator(frame);
  generator->gi_frame_state = FRAME_SUSPENDED;
  _PyFrame_SetStackPointer(frame, s.stack_pointer);
  _Py_LeaveRecursiveCallTstate(s.tstate);
  if (frame->is_entry) {
    s.result = value;
    return kLeave;
  }
  _PyInterpreterFrame* caller = frame->previous;
  generator_leave(s.tstate, generator);
  resume_frame(s, caller);
  s.push(value);
  return kGo;
}

/// Pushes the frame of a suspended or new generator; `value` (owned) becomes the result of its yield.
ALWAYS_INLINE Outcome enter_generator(State& s, PyGenObject* generator, PyObject* value) {
  auto* frame = reinterpret_cast<_PyInterpreterFrame*>(generator->gi_iframe);
  s.frame->prev_instr = s.next_instr - 1;
  _PyFrame_SetStackPointer(s.frame, s.stack_pointer);
  if (UNLIKELY(_Py_EnterRecursiveCallTstate(s.tstate, ""))) {
    s.frame->stacktop = -1;
    Py_DECREF(value);
    return kError;
  }
  generator_enter(s.tstate, generator);
  _PyFrame_StackPush(frame, value);
  frame->previous = s.frame;
  frame->is_entry = false;
  resume_frame(s, frame);
  return kGo;
}

UOP(send) {
  PyObject* value = s.pop();
  PyObject* receiver = s.peek(1);
  PyObject* result = nullptr;
  PySendResult status = s.tstate->c_tracefunc == nullptr
                            ? PyIter_Send(receiver, value, &result)
                            : traced_send(s.tstate, s.frame, receiver, value, &result);
  Py_DECREF(value);
  if (UNLIKELY(status == PYGEN_ERROR)) return kError;
  if (status == PYGEN_RETURN) {
    s.peek(1) = result;
    Py_DECREF(receiver);
    s.jump(s.oparg);
    return kGo;
  }
  s.push(result);
  return kNext;
}

UOP(async_gen_wrap) {
  PyObject* value = s.peek(1);
  PyObject* wrapped = _PyAsyncGenValueWrapperNew(value);
  if (UNLIKELY(wrapped == nullptr)) return kError;
  s.peek(1) = wrapped;
  Py_DECREF(value);
  return kNext;
}

/// Replaces the topmost item by `result` (owned, null: error); the item is dropped in both cases.
ALWAYS_INLINE Outcome replace_top(State& s, PyObject* result) {
  PyObject* old = s.pop();
  Py_DECREF(old);
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return kNext;
}

UOP(get_aiter) { return replace_top(s, get_aiter(s.tstate, s.peek(1))); }
UOP(get_awaitable) { return replace_top(s, get_awaitable(s.tstate, s.peek(1), s.oparg)); }

UOP(get_yield_from_iter) {
  PyObject* iterator = get_yield_from_iter(s.tstate, s.frame->f_code, s.peek(1));
  if (UNLIKELY(iterator == nullptr)) return kError;
  PyObject* iterable = std::exchange(s.peek(1), iterator);
  Py_DECREF(iterable);
  return kNext;
}

UOP(get_anext) {
  PyObject* awaitable = get_anext(s.tstate, s.peek(1));
  if (UNLIKELY(awaitable == nullptr)) return kError;
  s.push(awaitable);
  return kNext;
}

}  // namespace pyston
