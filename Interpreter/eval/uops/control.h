// Micro-ops of jumps, tests and iteration.
#pragma once

#include "Interpreter/eval/eval.h"
#include "Interpreter/eval/state.h"
#include "JIT/jit.h"

namespace pyston {

/// Serves signals, pending calls and requests for the GIL at a point where that is allowed.
ALWAYS_INLINE Outcome check_eval_breaker(State& s, Outcome outcome) {
  if (eval_breaker_set(s.tstate) && handle_pending(s.tstate) != 0) return kError;
  return outcome;
}

/// At a jump backward, done: serves the eval breaker, else counts the edge and perhaps goes on in a compiled loop.
ALWAYS_INLINE Outcome loop_edge(State& s) {
  if (eval_breaker_set(s.tstate) && handle_pending(s.tstate) != 0) return kError;
  return jit::count_edge(s);
}

UOP(warm_up) {
  _PyCode_Warmup(s.frame->f_code);
  return kNext;
}

UOP(resume) { return s.oparg < 2 ? check_eval_breaker(s, kNext) : kNext; }

UOP(jump_forward) {
  s.jump(s.oparg);
  return kGo;
}

UOP(jump_backward) {
  s.jump(-s.oparg);
  return loop_edge(s);
}

UOP(jump_backward_no_interrupt) {
  s.jump(-s.oparg);
  return kGo;
}

/// 1, 0, or -1 on an error; booleans, None and ints without a call.
ALWAYS_INLINE int truth_of(PyObject* value) {
  if (LIKELY(value == Py_True)) return 1;
  if (LIKELY(value == Py_False)) return 0;
  if (value == Py_None) return 0;
  if (PyLong_CheckExact(value)) return Py_SIZE(value) != 0;
  return PyObject_IsTrue(value);
}

template <bool kWhen>
ALWAYS_INLINE Outcome pop_jump_if(State& s, int distance) {
  PyObject* condition = s.pop();
  int truth = truth_of(condition);
  Py_DECREF(condition);
  if (UNLIKELY(truth < 0)) return kError;
  if ((truth != 0) != kWhen) return kNext;
  s.jump(distance);
  return distance < 0 ? loop_edge(s) : kGo;
}

UOP(pop_jump_forward_if_false) { return pop_jump_if<false>(s, s.oparg); }
UOP(pop_jump_forward_if_true) { return pop_jump_if<true>(s, s.oparg); }
UOP(pop_jump_backward_if_false) { return pop_jump_if<false>(s, -s.oparg); }
UOP(pop_jump_backward_if_true) { return pop_jump_if<true>(s, -s.oparg); }

template <bool kWhenNone>
ALWAYS_INLINE Outcome pop_jump_if_none(State& s, int distance) {
  PyObject* value = s.pop();
  bool is_none = value == Py_None;
  Py_DECREF(value);
  if (is_none != kWhenNone) return kNext;
  s.jump(distance);
  return distance < 0 ? loop_edge(s) : kGo;
}

UOP(pop_jump_forward_if_none) { return pop_jump_if_none<true>(s, s.oparg); }
UOP(pop_jump_forward_if_not_none) { return pop_jump_if_none<false>(s, s.oparg); }
UOP(pop_jump_backward_if_none) { return pop_jump_if_none<true>(s, -s.oparg); }
UOP(pop_jump_backward_if_not_none) { return pop_jump_if_none<false>(s, -s.oparg); }

template <bool kWhen>
ALWAYS_INLINE Outcome jump_if_or_pop(State& s) {
  int truth = truth_of(s.peek(1));
  if (UNLIKELY(truth < 0)) return kError;
  if ((truth != 0) == kWhen) {
    s.jump(s.oparg);
    return kGo;
  }
  Py_DECREF(s.pop());
  return kNext;
}

UOP(jump_if_false_or_pop) { return jump_if_or_pop<false>(s); }
UOP(jump_if_true_or_pop) { return jump_if_or_pop<true>(s); }

UOP(get_iter) {
  PyObject* iterable = s.peek(1);
  PyObject* iterator = PyObject_GetIter(iterable);
  s.shrink(1);
  Py_DECREF(iterable);
  if (UNLIKELY(iterator == nullptr)) return kError;
  s.push(iterator);
  return kNext;
}

/// The iterator on top is used up (or, with an exception other than StopIteration set, failed).
ALWAYS_INLINE Outcome end_iteration(State& s) {
  if (UNLIKELY(_PyErr_Occurred(s.tstate) != nullptr)) {
    if (!_PyErr_ExceptionMatches(s.tstate, PyExc_StopIteration)) return kError;
    if (s.tstate->c_tracefunc != nullptr) trace_exception(s.tstate, s.frame);
    _PyErr_Clear(s.tstate);
  }
  Py_DECREF(s.pop());
  s.jump(s.oparg);
  return kGo;
}

UOP(for_iter) {
  PyObject* iterator = s.peek(1);
  PyObject* item = Py_TYPE(iterator)->tp_iternext(iterator);
  if (LIKELY(item != nullptr)) {
    s.push(item);
    return kNext;
  }
  return end_iteration(s);
}

}  // namespace pyston
