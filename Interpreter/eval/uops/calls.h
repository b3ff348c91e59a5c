// Micro-ops that call: C callables directly, Python functions by pushing a frame.
//
// Stack before a call: [method or null] [callable or self] [arguments ...]. PRECALL performs the whole call and skips the
// CALL behind it; KW_NAMES does so too, so that no keyword names have to be carried from instruction to instruction. A
// CALL reached in another way works by itself.
#pragma once

#include "Interpreter/eval/eval.h"
#include "Interpreter/eval/state.h"
#include "Interpreter/eval/uops/control.h"
#include "internal/pycore_call.h"
#include "internal/pycore_function.h"

namespace pyston {

/// Continues in `callee`, which returns to s.next_instr. s.stack_pointer is what the caller keeps.
ALWAYS_INLINE Outcome enter_frame(State& s, _PyInterpreterFrame* callee) {
  _PyInterpreterFrame* caller = s.frame;
  caller->prev_instr = s.next_instr - 1;
  _PyFrame_SetStackPointer(caller, s.stack_pointer);
  if (UNLIKELY(_Py_EnterRecursiveCallTstate(s.tstate, ""))) {
    // _Py_CheckRecursiveCall has given back the count of the call that does not happen.
    clear_and_pop_frame(s.tstate, callee);
    caller->stacktop = -1;
    return kError;
  }
  callee->previous = caller;
  s.tstate->cframe->current_frame = callee;
  s.frame = callee;
  s.stack_pointer = _PyFrame_GetStackPointer(callee);
  callee->stacktop = -1;
  s.next_instr = callee->prev_instr + 1;
  return kGo;
}

ALWAYS_INLINE bool is_plain_python_function(PyThreadState* tstate, PyObject* callable) {
  return PyFunction_Check(callable) && tstate->interp->eval_frame == nullptr &&
         reinterpret_cast<PyFunctionObject*>(callable)->vectorcall == _PyFunction_Vectorcall;
}

/// Namespace that a function's frame starts with: only code compiled as a module or class body uses one.
ALWAYS_INLINE PyObject* initial_locals(PyFunctionObject* function) {
  auto* code = reinterpret_cast<PyCodeObject*>(function->func_code);
  return code->co_flags & CO_OPTIMIZED ? nullptr : function->func_globals;
}

/// Vectorcall that checks the result without a call when it is consistent. Borrows everything.
ALWAYS_INLINE PyObject* call_vector(PyThreadState* tstate, PyObject* callable, PyObject* const* args, size_t nargsf,
                                    PyObject* kwnames) {
  vectorcallfunc function = _PyVectorcall_FunctionInline(callable);
  if (UNLIKELY(function == nullptr)) {
    return _PyObject_MakeTpCall(tstate, callable, args, PyVectorcall_NARGS(nargsf), kwnames);
  }
  PyObject* result = function(callable, args, nargsf, kwnames);
  if (LIKELY((result == nullptr) == (tstate->curexc_type != nullptr))) return result;
  return _Py_CheckFunctionResult(tstate, callable, result, nullptr);
}

/// A call with `count` arguments on the stack, the last of them named by `kwnames` (borrowed, may be null).
/// s.next_instr is behind the CALL unit.
ALWAYS_INLINE Outcome perform_call(State& s, int count, PyObject* kwnames) {
  PyObject** args = s.stack_pointer - count;
  PyObject** base = args - 2;
  if (base[0] == nullptr && Py_IS_TYPE(base[1], &PyMethod_Type)) {
    PyObject* bound = base[1];
    base[0] = Py_NewRef(PyMethod_GET_FUNCTION(bound));
    base[1] = Py_NewRef(PyMethod_GET_SELF(bound));
    Py_DECREF(bound);
  }
  PyObject* callable = base[0];
  if (callable != nullptr) {
    args--;
    count++;
  } else {
    callable = base[1];
  }
  s.frame->prev_instr = s.next_instr - 1;
  if (is_plain_python_function(s.tstate, callable)) {
    auto* function = reinterpret_cast<PyFunctionObject*>(callable);
    _PyInterpreterFrame* callee =
        push_function_frame(s.tstate, function, initial_locals(function), args,
                            kwnames == nullptr ? count : count - PyTuple_GET_SIZE(kwnames), kwnames);
    s.stack_pointer = base;
    if (UNLIKELY(callee == nullptr)) return kError;
    s.next_instr += kCacheUnits<_PyCallCache>;
    return enter_frame(s, callee);
  }
  size_t nargsf = (kwnames == nullptr ? count : count - PyTuple_GET_SIZE(kwnames)) | PY_VECTORCALL_ARGUMENTS_OFFSET;
  PyObject* result = is_tracing(s.tstate) ? traced_vectorcall(s.tstate, callable, args, nargsf, kwnames)
                                          : call_vector(s.tstate, callable, args, nargsf, kwnames);
  Py_DECREF(callable);
  for (int i = 0; i < count; i++) Py_DECREF(args[i]);
  s.stack_pointer = base;
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  s.next_instr += kCacheUnits<_PyCallCache>;
  return check_eval_breaker(s, kGo);
}

/// From PRECALL to behind the CALL unit that belongs to it.
UOP(skip_to_call) {
  _Py_CODEUNIT* unit = s.next_instr + kCacheUnits<_PyPrecallCache>;
  if (UNLIKELY(s.oparg > 0xff)) {
    while (_Py_OPCODE(*unit) == OP_EXTENDED_ARG) unit++;
  }
  if (UNLIKELY(_PyOpcode_Deopt[_Py_OPCODE(*unit)] != OP_CALL)) return kNext;
  s.next_instr = unit + 1;
  return kNext;
}

UOP(call_positional) { return perform_call(s, s.oparg, nullptr); }

/// KW_NAMES: finds the argument count in the PRECALL behind it and performs the call.
UOP(call_keywords) {
  PyObject* kwnames = s.constant(s.oparg);
  _Py_CODEUNIT* unit = s.next_instr;
  int count = 0;
  while (UNLIKELY(_Py_OPCODE(*unit) == OP_EXTENDED_ARG)) {
    count = (count | _Py_OPARG(*unit)) << 8;
    unit++;
  }
  count |= _Py_OPARG(*unit);
  if (LIKELY(_PyOpcode_Deopt[_Py_OPCODE(*unit)] == OP_PRECALL)) {
    unit += 1 + kCacheUnits<_PyPrecallCache>;
    while (UNLIKELY(_Py_OPCODE(*unit) == OP_EXTENDED_ARG)) unit++;
  }
  s.next_instr = unit + 1;
  return perform_call(s, count, kwnames);
}

UOP(call_function_ex) {
  PyObject* kwargs = s.oparg & 1 ? s.peek(1) : nullptr;
  if (kwargs != nullptr && UNLIKELY(!PyDict_CheckExact(kwargs))) {
    PyObject* dict = PyDict_New();
    if (UNLIKELY(dict == nullptr)) return kError;
    if (UNLIKELY(_PyDict_MergeEx(dict, kwargs, 2) < 0)) {
      Py_DECREF(dict);
      format_kwargs_error(s.tstate, s.peek(3), kwargs);
      return kError;
    }
    s.peek(1) = dict;
    Py_DECREF(kwargs);
    kwargs = dict;
  }
  PyObject** base = s.stack_pointer - (s.oparg & 1) - 3;
  PyObject* callable = base[1];
  PyObject* args = base[2];
  if (UNLIKELY(!PyTuple_CheckExact(args))) {
    if (check_args_iterable(s.tstate, callable, args) < 0) return kError;
    PyObject* tuple = PySequence_Tuple(args);
    if (UNLIKELY(tuple == nullptr)) return kError;
    base[2] = tuple;
    Py_DECREF(args);
    args = tuple;
  }
  if (is_plain_python_function(s.tstate, callable)) {
    auto* function = reinterpret_cast<PyFunctionObject*>(callable);
    _PyInterpreterFrame* callee =
        push_function_frame_ex(s.tstate, function, initial_locals(function), args, kwargs);
    Py_DECREF(args);
    Py_XDECREF(kwargs);
    s.stack_pointer = base;
    if (UNLIKELY(callee == nullptr)) return kError;
    return enter_frame(s, callee);
  }
  PyObject* result = is_tracing(s.tstate) ? traced_call_ex(s.tstate, callable, args, kwargs)
                                          : PyObject_Call(callable, args, kwargs);
  Py_DECREF(callable);
  Py_DECREF(args);
  Py_XDECREF(kwargs);
  s.stack_pointer = base;
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return check_eval_breaker(s, kNext);
}

}  // namespace pyston
