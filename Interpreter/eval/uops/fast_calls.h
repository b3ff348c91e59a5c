// Micro-ops of specialised calls. All of them are forms of PRECALL: they perform the call and skip the CALL behind it.
//
// Behind a PRECALL: its cache (1 unit), the CALL unit, and CALL's cache, in which the Python forms keep the function's
// version. Specialisers see to it that the CALL follows directly.
#pragma once

#include "Interpreter/eval/state.h"
#include "Interpreter/eval/uops/calls.h"
#include "Interpreter/eval/uops/fast_numbers.h"
#include "internal/pycore_list.h"
#include "internal/pycore_object.h"

namespace pyston {

inline constexpr int kUnitsBehindPrecall = kCacheUnits<_PyPrecallCache> + 1 + kCacheUnits<_PyCallCache>;

/// CALL's cache, seen from behind the PRECALL unit.
ALWAYS_INLINE _PyCallCache* call_cache(State& s) {
  return reinterpret_cast<_PyCallCache*>(s.next_instr + kCacheUnits<_PyPrecallCache> + 1);
}

UOP(adapt_precall) {
  return adapt(s, [&] { specialize_call(s.next_instr - 1, s.stack_pointer - s.oparg, s.oparg); });
}
UOP(adapt_call) { return kDeopt; }

/// The frame shows the CALL as the instruction that is running, as it would be without PRECALL doing its work.
ALWAYS_INLINE void show_call(State& s) { s.frame->prev_instr = s.next_instr + kCacheUnits<_PyPrecallCache>; }

/// Arguments including self, and where they start.
struct CallArguments {
  PyObject** args;
  int count;
  PyObject** base;  // the slot of the method or null
  PyObject* callable;
};
ALWAYS_INLINE CallArguments call_arguments(State& s) {
  PyObject** args = s.stack_pointer - s.oparg;
  PyObject** base = args - 2;
  if (base[0] != nullptr) return {args - 1, s.oparg + 1, base, base[0]};
  return {args, s.oparg, base, base[1]};
}

/// Drops callable and arguments, pushes the result (owned; null: error), goes on behind the CALL.
ALWAYS_INLINE Outcome finish_call(State& s, const CallArguments& call, PyObject* result) {
  for (int i = 0; i < call.count; i++) Py_DECREF(call.args[i]);
  Py_DECREF(call.callable);
  s.stack_pointer = call.base;
  s.next_instr += kUnitsBehindPrecall;
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return check_eval_breaker(s, kGo);
}

// --- Python functions ---------------------------------------------------------------------------------------------

UOP(guard_no_eval_hook) { return LIKELY(s.tstate->interp->eval_frame == nullptr) ? kNext : kDeopt; }

/// Takes the stack room of a frame for `code` without calling out; null: the slow way must be taken.
ALWAYS_INLINE _PyInterpreterFrame* take_frame(PyThreadState* tstate, PyCodeObject* code) {
  size_t size = code->co_nlocalsplus + code->co_stacksize + FRAME_SPECIALS_SIZE;
  if (UNLIKELY(!_PyThreadState_HasStackSpace(tstate, size))) return nullptr;
  auto* frame = reinterpret_cast<_PyInterpreterFrame*>(tstate->datastack_top);
  tstate->datastack_top += size;
  return frame;
}

/// Enters a function whose parameters are all positional. `args` (stolen) fill the first `count`; defaults the rest.
ALWAYS_INLINE Outcome enter_function(State& s, PyFunctionObject* function, PyObject** args, int count, PyObject** base,
                                     int missing) {
  auto* code = reinterpret_cast<PyCodeObject*>(function->func_code);
  if (UNLIKELY(s.tstate->recursion_remaining <= 1)) return kDeopt;  // near the limit the generic form decides
  _PyInterpreterFrame* callee = take_frame(s.tstate, code);
  if (UNLIKELY(callee == nullptr)) return kDeopt;
  _PyFrame_InitializeSpecials(callee, function, nullptr, code->co_nlocalsplus);
  PyObject** slots = callee->localsplus;
  int i = 0;
  for (; i < count; i++) slots[i] = args[i];
  if (missing > 0) {
    PyObject* defaults = function->func_defaults;
    Py_ssize_t first = PyTuple_GET_SIZE(defaults) - missing;
    for (int k = 0; k < missing; k++) slots[i++] = Py_NewRef(PyTuple_GET_ITEM(defaults, first + k));
  }
  for (; i < code->co_nlocalsplus; i++) slots[i] = nullptr;
  _PyInterpreterFrame* caller = s.frame;
  caller->prev_instr = s.next_instr + kUnitsBehindPrecall - 1;
  caller->stacktop = static_cast<int>(base - caller->localsplus);
  s.tstate->recursion_remaining--;
  callee->previous = caller;
  s.tstate->cframe->current_frame = callee;
  s.frame = callee;
  s.stack_pointer = slots + code->co_nlocalsplus;
  callee->stacktop = -1;
  s.next_instr = _PyCode_CODE(code);
  return kGo;
}

/// The callable is the function of the cache (by version): plain positional parameters, the last ones perhaps defaulted.
UOP(call_function) {
  CallArguments call = call_arguments(s);
  auto* function = reinterpret_cast<PyFunctionObject*>(call.callable);
  if (UNLIKELY(!PyFunction_Check(call.callable) ||
               function->func_version != read_u32(call_cache(s)->func_version))) {
    return kDeopt;
  }
  int missing = reinterpret_cast<PyCodeObject*>(function->func_code)->co_argcount - call.count;
  if (LIKELY(missing == 0)) return enter_function(s, function, call.args, call.count, call.base, 0);
  if (UNLIKELY(missing < 0 || call.count < call_cache(s)->min_args)) return kDeopt;
  return enter_function(s, function, call.args, call.count, call.base, missing);
}

/// (null, bound method): puts function and self in place of it. Cannot fail, so that it is done only when the rest cannot
/// either: the checks are those of call_function.
UOP(call_bound_method) {
  PyObject** base = s.stack_pointer - s.oparg - 2;
  PyObject* bound = base[1];
  if (UNLIKELY(base[0] != nullptr || !Py_IS_TYPE(bound, &PyMethod_Type))) return kDeopt;
  PyObject* callable = PyMethod_GET_FUNCTION(bound);
  auto* function = reinterpret_cast<PyFunctionObject*>(callable);
  if (UNLIKELY(!PyFunction_Check(callable) || function->func_version != read_u32(call_cache(s)->func_version) ||
               reinterpret_cast<PyCodeObject*>(function->func_code)->co_argcount != s.oparg + 1 ||
               s.tstate->recursion_remaining <= 1)) {
    return kDeopt;
  }
  base[0] = Py_NewRef(callable);
  base[1] = Py_NewRef(PyMethod_GET_SELF(bound));
  Py_DECREF(bound);
  // The stack now holds (function, self, ...), which is what the generic form wants too, should this one give up.
  return enter_function(s, function, base + 1, s.oparg + 1, base, 0);
}

// --- classes ------------------------------------------------------------------------------------------------------

/// Of these, only CO_OPTIMIZED may be set in an __init__ that runs as a pushed frame.
inline constexpr int kInitFlags =
    CO_VARARGS | CO_VARKEYWORDS | CO_OPTIMIZED | CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;

/// A class written in Python with a plain __init__: makes the instance and runs __init__ as a pushed frame. The new
/// instance waits on the caller's stack; returning from the frame (is_entry is kInitFrame) leaves it there.
UOP(call_class_init) {
  PyObject** args = s.stack_pointer - s.oparg;
  PyObject** base = args - 2;
  PyObject* callable = base[1];
  if (UNLIKELY(base[0] != nullptr || !PyType_Check(callable))) return kDeopt;
  auto* type = reinterpret_cast<PyTypeObject*>(callable);
  if (UNLIKELY(type->tp_version_tag != read_u32(call_cache(s)->func_version))) return kDeopt;
  auto* function = reinterpret_cast<PyFunctionObject*>(cached_values[call_cache(s)->min_args]);
  auto* code = reinterpret_cast<PyCodeObject*>(function->func_code);
  if (UNLIKELY(code->co_argcount != s.oparg + 1 || s.tstate->recursion_remaining <= 1 ||
               (code->co_flags & kInitFlags) != CO_OPTIMIZED ||
               code->co_kwonlyargcount != 0 || function->vectorcall != _PyFunction_Vectorcall)) {
    return kDeopt;
  }
  size_t size = code->co_nlocalsplus + code->co_stacksize + FRAME_SPECIALS_SIZE;
  if (UNLIKELY(!_PyThreadState_HasStackSpace(s.tstate, size))) return kDeopt;
  show_call(s);
  PyObject* instance = PyType_GenericAlloc(type, 0);
  if (UNLIKELY(instance == nullptr)) return kError;
  if (UNLIKELY(_PyObject_InitializeDict(instance) < 0)) {
    Py_DECREF(instance);
    return kError;
  }
  base[0] = instance;  // kept by the caller
  base[1] = Py_NewRef(instance);  // self
  Py_INCREF(as_object(function));
  Outcome outcome = enter_function(s, function, base + 1, s.oparg + 1, base + 1, 0);
  *reinterpret_cast<uint8_t*>(&s.frame->is_entry) = kInitFrame;
  Py_DECREF(callable);
  return outcome;
}

/// type(x), str(x), tuple(x) with one argument, and other classes with a vectorcall of their own.
ALWAYS_INLINE bool calls_with_one_argument(State& s, PyTypeObject* type) {
  PyObject** base = s.stack_pointer - 3;
  return base[0] == nullptr && base[1] == as_object(type);
}

ALWAYS_INLINE Outcome finish_call_one(State& s, PyObject* result) {
  PyObject* argument = s.peek(1);
  PyObject* callable = s.peek(2);
  s.shrink(3);
  Py_DECREF(argument);
  Py_DECREF(callable);
  s.next_instr += kUnitsBehindPrecall;
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return check_eval_breaker(s, kGo);
}

UOP(call_type_1) {
  if (UNLIKELY(!calls_with_one_argument(s, &PyType_Type))) return kDeopt;
  return finish_call_one(s, Py_NewRef(as_object(Py_TYPE(s.peek(1)))));
}
UOP(call_str_1) {
  if (UNLIKELY(!calls_with_one_argument(s, &PyUnicode_Type))) return kDeopt;
  show_call(s);
  return finish_call_one(s, PyObject_Str(s.peek(1)));
}
UOP(call_tuple_1) {
  if (UNLIKELY(!calls_with_one_argument(s, &PyTuple_Type))) return kDeopt;
  show_call(s);
  return finish_call_one(s, PySequence_Tuple(s.peek(1)));
}

UOP(call_builtin_class) {
  CallArguments call = call_arguments(s);
  if (UNLIKELY(!PyType_Check(call.callable))) return kDeopt;
  auto* type = reinterpret_cast<PyTypeObject*>(call.callable);
  if (UNLIKELY(type->tp_vectorcall == nullptr)) return kDeopt;
  show_call(s);
  return finish_call(s, call, type->tp_vectorcall(call.callable, call.args, call.count, nullptr));
}

// --- C functions --------------------------------------------------------------------------------------------------

/// Signature-less pointer of a method definition as the wanted function type.
template <class Function>
ALWAYS_INLINE Function method_pointer(PyMethodDef* definition) {
  return reinterpret_cast<Function>(reinterpret_cast<void (*)()>(definition->ml_meth));
}

ALWAYS_INLINE bool is_c_function(PyObject* callable, int convention) {
  return PyCFunction_CheckExact(callable) && PyCFunction_GET_FLAGS(callable) == convention;
}

/// C functions called here must not nest deeper than the recursion limit allows.
ALWAYS_INLINE bool near_recursion_limit(State& s) { return UNLIKELY(s.tstate->recursion_remaining <= 1); }

UOP(call_c_one) {
  CallArguments call = call_arguments(s);
  if (UNLIKELY(call.count != 1 || !is_c_function(call.callable, METH_O) || near_recursion_limit(s))) return kDeopt;
  show_call(s);
  s.tstate->recursion_remaining--;
  PyObject* result =
      PyCFunction_GET_FUNCTION(call.callable)(PyCFunction_GET_SELF(call.callable), call.args[0]);
  s.tstate->recursion_remaining++;
  return finish_call(s, call, result);
}

UOP(call_c_fast) {
  CallArguments call = call_arguments(s);
  if (UNLIKELY(!is_c_function(call.callable, METH_FASTCALL))) return kDeopt;
  show_call(s);
  auto function = reinterpret_cast<_PyCFunctionFast>(
      reinterpret_cast<void (*)()>(PyCFunction_GET_FUNCTION(call.callable)));
  return finish_call(s, call, function(PyCFunction_GET_SELF(call.callable), call.args, call.count));
}

UOP(call_c_fast_keywords) {
  CallArguments call = call_arguments(s);
  if (UNLIKELY(!is_c_function(call.callable, METH_FASTCALL | METH_KEYWORDS))) return kDeopt;
  show_call(s);
  auto function = reinterpret_cast<_PyCFunctionFastWithKeywords>(
      reinterpret_cast<void (*)()>(PyCFunction_GET_FUNCTION(call.callable)));
  return finish_call(s, call, function(PyCFunction_GET_SELF(call.callable), call.args, call.count, nullptr));
}

UOP(call_len) {
  CallArguments call = call_arguments(s);
  if (UNLIKELY(call.count != 1 || call.callable != s.tstate->interp->callable_cache.len)) return kDeopt;
  show_call(s);
  Py_ssize_t length = PyObject_Length(call.args[0]);
  return finish_call(s, call, length < 0 ? nullptr : PyLong_FromSsize_t(length));
}

UOP(call_isinstance) {
  CallArguments call = call_arguments(s);
  if (UNLIKELY(call.count != 2 || call.callable != s.tstate->interp->callable_cache.isinstance)) return kDeopt;
  show_call(s);
  int result = PyObject_IsInstance(call.args[0], call.args[1]);
  return finish_call(s, call, result < 0 ? nullptr : new_bool(result != 0));
}

// --- methods of C types -------------------------------------------------------------------------------------------

/// The method definition, when `callable` is a method descriptor of that convention and self fits; else null.
ALWAYS_INLINE PyMethodDef* method_definition(PyObject* callable, PyObject* self, int convention) {
  if (UNLIKELY(!Py_IS_TYPE(callable, &PyMethodDescr_Type))) return nullptr;
  auto* descriptor = reinterpret_cast<PyMethodDescrObject*>(callable);
  if (UNLIKELY(descriptor->d_method->ml_flags != convention)) return nullptr;
  if (UNLIKELY(!Py_IS_TYPE(self, descriptor->d_common.d_type))) return nullptr;
  return descriptor->d_method;
}

UOP(call_method_noargs) {
  CallArguments call = call_arguments(s);
  if (UNLIKELY(call.count != 1 || near_recursion_limit(s))) return kDeopt;
  PyMethodDef* definition = method_definition(call.callable, call.args[0], METH_NOARGS);
  if (UNLIKELY(definition == nullptr)) return kDeopt;
  show_call(s);
  s.tstate->recursion_remaining--;
  PyObject* result = definition->ml_meth(call.args[0], nullptr);
  s.tstate->recursion_remaining++;
  return finish_call(s, call, result);
}

UOP(call_method_one) {
  CallArguments call = call_arguments(s);
  if (UNLIKELY(call.count != 2 || near_recursion_limit(s))) return kDeopt;
  PyMethodDef* definition = method_definition(call.callable, call.args[0], METH_O);
  if (UNLIKELY(definition == nullptr)) return kDeopt;
  show_call(s);
  s.tstate->recursion_remaining--;
  PyObject* result = definition->ml_meth(call.args[0], call.args[1]);
  s.tstate->recursion_remaining++;
  return finish_call(s, call, result);
}

UOP(call_method_fast) {
  CallArguments call = call_arguments(s);
  if (UNLIKELY(call.count < 1)) return kDeopt;
  PyMethodDef* definition = method_definition(call.callable, call.args[0], METH_FASTCALL);
  if (UNLIKELY(definition == nullptr)) return kDeopt;
  show_call(s);
  return finish_call(s, call,
                     method_pointer<_PyCFunctionFast>(definition)(call.args[0], call.args + 1, call.count - 1));
}

UOP(call_method_fast_keywords) {
  CallArguments call = call_arguments(s);
  if (UNLIKELY(call.count < 1)) return kDeopt;
  PyMethodDef* definition = method_definition(call.callable, call.args[0], METH_FASTCALL | METH_KEYWORDS);
  if (UNLIKELY(definition == nullptr)) return kDeopt;
  show_call(s);
  return finish_call(s, call,
                     method_pointer<_PyCFunctionFastWithKeywords>(definition)(call.args[0], call.args + 1,
                                                                              call.count - 1, nullptr));
}

/// list.append(x) as a statement: no result is made, and the POP_TOP behind the call is skipped.
UOP(call_list_append) {
  PyObject** base = s.stack_pointer - 3;
  PyObject* callable = base[0];
  PyObject* list = base[1];
  if (UNLIKELY(callable != s.tstate->interp->callable_cache.list_append || !PyList_CheckExact(list))) return kDeopt;
  PyObject* value = s.pop();
  int status = _PyList_AppendTakeRef(reinterpret_cast<PyListObject*>(list), value);
  s.stack_pointer = base;
  Py_DECREF(list);
  Py_DECREF(callable);
  if (UNLIKELY(status < 0)) return kError;
  s.next_instr += kUnitsBehindPrecall + 1;
  return kGo;
}

}  // namespace pyston
