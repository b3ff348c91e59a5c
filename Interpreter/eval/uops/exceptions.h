// Micro-ops of raising, catching and context managers.
#pragma once

#include "Interpreter/eval/eval.h"
#include "Interpreter/eval/state.h"

namespace pyston {

UOP(raise_varargs) {
  PyObject* cause = s.oparg == 2 ? s.pop() : nullptr;
  PyObject* exc = s.oparg >= 1 ? s.pop() : nullptr;
  return do_raise(s.tstate, exc, cause) ? kUnwind : kError;
}

/// Sets `value` (steals) as the pending exception, with the traceback it carries.
ALWAYS_INLINE void restore_raised(PyThreadState* tstate, PyObject* value) {
  PyObject* traceback = PyException_GetTraceback(value);
  _PyErr_Restore(tstate, Py_NewRef(as_object(Py_TYPE(value))), value, traceback);
}

UOP(reraise) {
  if (s.oparg != 0) {
    // The offset of the instruction that raised first: tracebacks and handlers go by it.
    long lasti = PyLong_AsLong(s.peek(s.oparg + 1));
    s.frame->prev_instr = _PyCode_CODE(s.frame->f_code) + lasti;
  }
  restore_raised(s.tstate, s.pop());
  return kUnwind;
}

UOP(push_exc_info) {
  PyObject* value = s.peek(1);
  _PyErr_StackItem* info = s.tstate->exc_info;
  s.peek(1) = info->exc_value != nullptr ? info->exc_value : Py_NewRef(Py_None);
  s.push(Py_NewRef(value));
  info->exc_value = value;
  return kNext;
}

UOP(pop_except) {
  _PyErr_StackItem* info = s.tstate->exc_info;
  PyObject* old = std::exchange(info->exc_value, s.pop());
  Py_XDECREF(old);
  return kNext;
}

UOP(check_exc_match) {
  PyObject* right = s.peek(1);
  if (UNLIKELY(check_except_type_valid(s.tstate, right) < 0)) {
    s.shrink(1);
    Py_DECREF(right);
    return kError;
  }
  int matches = PyErr_GivenExceptionMatches(s.peek(2), right);
  s.peek(1) = Py_NewRef(matches ? Py_True : Py_False);
  Py_DECREF(right);
  return kNext;
}

UOP(check_eg_match) {
  PyObject* match_type = s.pop();
  PyObject* value = s.peek(1);
  PyObject* match = nullptr;
  PyObject* rest = nullptr;
  int status = check_except_star_type_valid(s.tstate, match_type);
  if (status == 0) status = exception_group_match(value, match_type, &match, &rest);
  Py_DECREF(match_type);
  if (UNLIKELY(status < 0)) return kError;
  if (match == Py_None) {
    s.push(match);
    Py_XDECREF(rest);
    return kNext;
  }
  s.peek(1) = rest;
  s.push(match);
  PyErr_SetExcInfo(nullptr, Py_NewRef(match), nullptr);
  Py_DECREF(value);
  return kNext;
}

UOP(prep_reraise_star) {
  PyObject* exceptions = s.pop();
  PyObject* original = s.pop();
  PyObject* value = _PyExc_PrepReraiseStar(original, exceptions);
  Py_DECREF(exceptions);
  Py_DECREF(original);
  if (UNLIKELY(value == nullptr)) return kError;
  s.push(value);
  return kNext;
}

UOP(end_async_for) {
  PyObject* value = s.pop();
  if (PyErr_GivenExceptionMatches(value, PyExc_StopAsyncIteration)) {
    Py_DECREF(value);
    Py_DECREF(s.pop());
    return kNext;
  }
  restore_raised(s.tstate, value);
  return kUnwind;
}

ALWAYS_INLINE Outcome before_with(State& s, bool async) {
  PyObject* manager = s.peek(1);
  PyObject* enter = nullptr;
  PyObject* exit = nullptr;
  if (UNLIKELY(lookup_context_manager(s.tstate, manager, async, &enter, &exit) < 0)) return kError;
  s.peek(1) = exit;
  Py_DECREF(manager);
  PyObject* result = _PyObject_CallNoArgs(enter);
  Py_DECREF(enter);
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return kNext;
}

UOP(before_with) { return before_with(s, false); }
UOP(before_async_with) { return before_with(s, true); }

UOP(with_except_start) {
  PyObject* value = s.peek(1);
  PyObject* traceback = PyException_GetTraceback(value);
  Py_XDECREF(traceback);  // the exception keeps it
  PyObject* args[4] = {nullptr, as_object(Py_TYPE(value)), value, traceback != nullptr ? traceback : Py_None};
  PyObject* result = PyObject_Vectorcall(s.peek(4), args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return kNext;
}

}  // namespace pyston
