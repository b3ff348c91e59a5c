// The machine state that micro-ops work on, and their vocabulary of outcomes.
//
// INVARIANTS
// - A micro-op is `UOP(name) { ... }`: an always-inline function over `State& s` that returns an Outcome. Whatever
//   lives from one micro-op to the next is in State: no globals, no gotos, no out-of-line function gets `&s` (the
//   compiler keeps State in registers; the trace compiler lays the same functions end to end).
// - kDeopt is returned only while the stack and all objects are as the instruction found them.
// - On kError and kUnwind the stack pointer covers exactly the references that the frame still owns.
// - While a frame runs, its stack pointer is here and frame->stacktop is -1 (the cycle collector then skips the
//   value stack); it is written back when the frame is left or handed to a trace function.
#pragma once

#include "Interpreter/bytecode/opcodes.h"
#include "Runtime/refs/ref.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_pyerrors.h"

namespace pyston {

enum Outcome : int {
  kNext,    // go on: the next micro-op, or after the last one skip the caches and dispatch
  kGo,      // dispatch at s.next_instr as it stands (jumps, entered and left frames)
  kDeopt,   // run the generic instruction of the family instead
  kRedo,    // run the (rewritten) instruction again, with the same argument
  kExtend,  // dispatch at s.next_instr, whose argument gets the extra bits of s.oparg
  kError,   // an exception is set; add this frame to its traceback, then look for a handler
  kUnwind,  // as kError, for exceptions that already passed through here (re-raised)
  kTrace,   // go on in the compiled loop whose handler is s.result
  kLeave,   // leave the evaluation function with s.result (null: an exception is set)
};

struct State {
  _PyInterpreterFrame* frame;
  _Py_CODEUNIT* next_instr;  // the unit after the current instruction: its inline cache, if it has one
  PyObject** stack_pointer;  // one above the top
  PyThreadState* tstate;
  int oparg;
  PyObject* result;  // of kLeave: owned; of kTrace: a Handler

  ALWAYS_INLINE PyObject*& peek(int depth) { return stack_pointer[-depth]; }
  ALWAYS_INLINE void push(PyObject* value) { *stack_pointer++ = value; }
  ALWAYS_INLINE PyObject* pop() { return *--stack_pointer; }
  ALWAYS_INLINE void shrink(int count) { stack_pointer -= count; }
  ALWAYS_INLINE PyObject*& local(int index) { return frame->localsplus[index]; }
  ALWAYS_INLINE PyObject* constant(int index) { return PyTuple_GET_ITEM(frame->f_code->co_consts, index); }
  ALWAYS_INLINE PyObject* name(int index) { return PyTuple_GET_ITEM(frame->f_code->co_names, index); }
  template <class Cache>
  ALWAYS_INLINE Cache* cache() {
    return reinterpret_cast<Cache*>(next_instr);
  }
  /// The instruction being run. After EXTENDED_ARG prefixes: the instruction proper.
  ALWAYS_INLINE _Py_CODEUNIT* instruction() { return next_instr - 1; }
  ALWAYS_INLINE void jump(int distance) { next_instr += distance; }
};

/// Values of _PyInterpreterFrame::is_entry beyond false and true: the frame of an __init__ that a call of its class has pushed;
/// the new instance lies on top of the calling frame's stack.
inline constexpr uint8_t kInitFrame = 2;
ALWAYS_INLINE uint8_t frame_entry_kind(_PyInterpreterFrame* frame) {
  return *reinterpret_cast<uint8_t*>(&frame->is_entry);
}

#define UOP(name) ALWAYS_INLINE Outcome uop_##name([[maybe_unused]] State& s)

ALWAYS_INLINE bool is_tracing(PyThreadState* tstate) { return UNLIKELY(tstate->cframe->use_tracing != 0); }

ALWAYS_INLINE bool eval_breaker_set(PyThreadState* tstate) {
  return UNLIKELY(*reinterpret_cast<volatile int*>(&tstate->interp->ceval.eval_breaker) != 0);
}

}  // namespace pyston
