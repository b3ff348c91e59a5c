// Trace and profile functions: when they are called, with what, and how they are installed.
//
// op_traced (handlers.cpp) stands in for every instruction while any thread has a trace or profile function and calls
// in here; nothing of this costs anything otherwise.
#include "Interpreter/eval/eval.h"
#include "Objects/callables/generator.h"
#include "internal/pycore_call.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_sysmodule.h"

namespace pyston {

namespace {

/// Keeps the line table cursor of the thread on this frame's code.
void initialize_trace_info(PyTraceInfo* info, _PyInterpreterFrame* frame) {
  PyCodeObject* code = frame->f_code;
  if (info->code != code) {
    info->code = code;
    _PyCode_InitAddressRange(code, &info->bounds);
  }
}

int call_trace(Py_tracefunc func, PyObject* object, PyThreadState* tstate, _PyInterpreterFrame* frame, int what,
               PyObject* argument) {
  if (tstate->tracing) return 0;
  PyFrameObject* frame_object = _PyFrame_GetFrameObject(frame);
  if (frame_object == nullptr) return -1;
  int old_what = std::exchange(tstate->tracing_what, what);
  PyThreadState_EnterTracing(tstate);
  initialize_trace_info(&tstate->trace_info, frame);
  int address = _PyInterpreterFrame_LASTI(frame) * static_cast<int>(sizeof(_Py_CODEUNIT));
  frame_object->f_lineno = _PyCode_CheckLineNumber(address, &tstate->trace_info.bounds);
  int result = func(object, frame_object, what, argument);
  frame_object->f_lineno = 0;
  PyThreadState_LeaveTracing(tstate);
  tstate->tracing_what = old_what;
  return result;
}

/// call_trace with the pending exception put aside; it is dropped when the trace function raises.
int call_trace_protected(Py_tracefunc func, PyObject* object, PyThreadState* tstate, _PyInterpreterFrame* frame,
                         int what, PyObject* argument) {
  PyObject *type, *value, *traceback;
  _PyErr_Fetch(tstate, &type, &value, &traceback);
  int result = call_trace(func, object, tstate, frame, what, argument);
  if (result == 0) {
    _PyErr_Restore(tstate, type, value, traceback);
    return 0;
  }
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
  return -1;
}

int line_of_unit(PyCodeObject* code, int unit) {
  if (_PyCode_InitLineArray(code) < 0 || code->_co_linearray == nullptr) {
    PyErr_Clear();
    return PyCode_Addr2Line(code, unit * static_cast<int>(sizeof(_Py_CODEUNIT)));
  }
  return _PyCode_LineNumberFromArray(code, unit);
}

/// Calls the trace function, then the profile function.
int trace_boundary(PyThreadState* tstate, _PyInterpreterFrame* frame, int what, PyObject* argument) {
  if (tstate->c_tracefunc != nullptr &&
      call_trace_protected(tstate->c_tracefunc, tstate->c_traceobj, tstate, frame, what, argument) != 0) {
    return -1;
  }
  if (tstate->c_profilefunc != nullptr &&
      call_trace_protected(tstate->c_profilefunc, tstate->c_profileobj, tstate, frame, what, argument) != 0) {
    return -1;
  }
  return 0;
}

}  // namespace

int trace_function_entry(PyThreadState* tstate, _PyInterpreterFrame* frame) {
  return trace_boundary(tstate, frame, PyTrace_CALL, Py_None);
}

int trace_function_exit(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* value) {
  return trace_boundary(tstate, frame, PyTrace_RETURN, value);
}

void trace_function_unwind(PyThreadState* tstate, _PyInterpreterFrame* frame) {
  // An exception of the trace function replaces the one that is unwinding; both unwind.
  if (tstate->cframe->use_tracing) (void)trace_boundary(tstate, frame, PyTrace_RETURN, nullptr);
}

int trace_line(PyThreadState* tstate, _PyInterpreterFrame* frame, int previous_offset) {
  PyCodeObject* code = frame->f_code;
  int offset = _PyInterpreterFrame_LASTI(frame);
  // The first line after function entry is always new.
  int last_line = previous_offset <= code->_co_firsttraceable ? -1 : line_of_unit(code, previous_offset);
  int line = line_of_unit(code, offset);
  PyFrameObject* object = _PyFrame_GetFrameObject(frame);
  if (object == nullptr) return -1;
  int result = 0;
  if (line != -1 && object->f_trace_lines) {
    // A backward edge starts the line again, except for the loop around SEND, which is one expression.
    bool new_line = line != last_line || (offset < previous_offset &&
                                          _PyOpcode_Deopt[_Py_OPCODE(*frame->prev_instr)] != OP_SEND);
    if (new_line) result = call_trace(tstate->c_tracefunc, tstate->c_traceobj, tstate, frame, PyTrace_LINE, Py_None);
  }
  if (object->f_trace_opcodes && result == 0 && tstate->c_tracefunc != nullptr) {
    result = call_trace(tstate->c_tracefunc, tstate->c_traceobj, tstate, frame, PyTrace_OPCODE, Py_None);
  }
  return result;
}

int trace_opcode(PyThreadState* tstate, _PyInterpreterFrame* frame) {
  // The CALL that a PRECALL performs: its own event, at its own offset.
  if (tstate->c_tracefunc == nullptr) return 0;
  _Py_CODEUNIT* here = frame->prev_instr;
  _Py_CODEUNIT* end = _PyCode_CODE(frame->f_code) + Py_SIZE(frame->f_code);
  _Py_CODEUNIT* unit = here;
  int opcode = _PyOpcode_Deopt[_Py_OPCODE(*unit)];
  while (opcode != OP_CALL) {
    unit += 1 + _PyOpcode_Caches[opcode];
    if (unit >= end) break;
    opcode = _PyOpcode_Deopt[_Py_OPCODE(*unit)];
    frame->prev_instr = unit;
    if (call_trace(tstate->c_tracefunc, tstate->c_traceobj, tstate, frame, PyTrace_OPCODE, Py_None) != 0) return -1;
    if (tstate->c_tracefunc == nullptr) break;
  }
  frame->prev_instr = here;
  return 0;
}

void trace_exception(PyThreadState* tstate, _PyInterpreterFrame* frame) {
  PyObject *type, *value, *traceback;
  _PyErr_Fetch(tstate, &type, &value, &traceback);
  if (value == nullptr) value = Py_NewRef(Py_None);
  _PyErr_NormalizeException(tstate, &type, &value, &traceback);
  PyObject* argument = PyTuple_Pack(3, type, value, traceback != nullptr ? traceback : Py_None);
  if (argument == nullptr) {
    _PyErr_Restore(tstate, type, value, traceback);
    return;
  }
  int status = call_trace(tstate->c_tracefunc, tstate->c_traceobj, tstate, frame, PyTrace_EXCEPTION, argument);
  Py_DECREF(argument);
  if (status == 0) {
    _PyErr_Restore(tstate, type, value, traceback);
  } else {
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
  }
}

// --- calls of C functions ---------------------------------------------------------------------------------------

namespace {

/// Runs `call` between the c_call and the c_return or c_exception event for `function`.
template <class Call>
PyObject* call_profiled(PyThreadState* tstate, PyObject* function, Call call) {
  if (tstate->c_profilefunc == nullptr) return call();
  _PyInterpreterFrame* frame = tstate->cframe->current_frame;
  if (call_trace(tstate->c_profilefunc, tstate->c_profileobj, tstate, frame, PyTrace_C_CALL, function) != 0) {
    return nullptr;
  }
  PyObject* result = call();
  if (tstate->c_profilefunc == nullptr) return result;
  if (result == nullptr) {
    (void)call_trace_protected(tstate->c_profilefunc, tstate->c_profileobj, tstate, frame, PyTrace_C_EXCEPTION,
                               function);
  } else if (call_trace(tstate->c_profilefunc, tstate->c_profileobj, tstate, frame, PyTrace_C_RETURN, function) != 0) {
    Py_CLEAR(result);
  }
  return result;
}

/// list.append(x, ...) is reported as the bound method. Null without an exception: not such a call.
PyObject* bind_method_descriptor(PyObject* callable, PyObject* self) {
  return Py_TYPE(callable)->tp_descr_get(callable, self, as_object(Py_TYPE(self)));
}

}  // namespace

PyObject* traced_vectorcall(PyThreadState* tstate, PyObject* callable, PyObject* const* args, size_t nargsf,
                            PyObject* kwnames) {
  if (PyCFunction_CheckExact(callable) || PyCMethod_CheckExact(callable)) {
    return call_profiled(tstate, callable, [&] { return PyObject_Vectorcall(callable, args, nargsf, kwnames); });
  }
  Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  if (Py_IS_TYPE(callable, &PyMethodDescr_Type) && count > 0) {
    PyObject* bound = bind_method_descriptor(callable, args[0]);
    if (bound == nullptr) return nullptr;
    PyObject* result = call_profiled(
        tstate, bound, [&] { return PyObject_Vectorcall(bound, args + 1, static_cast<size_t>(count - 1), kwnames); });
    Py_DECREF(bound);
    return result;
  }
  return PyObject_Vectorcall(callable, args, nargsf, kwnames);
}

PyObject* traced_call_ex(PyThreadState* tstate, PyObject* callable, PyObject* args, PyObject* kwargs) {
  if (PyCFunction_CheckExact(callable) || PyCMethod_CheckExact(callable)) {
    return call_profiled(tstate, callable, [&] { return PyObject_Call(callable, args, kwargs); });
  }
  Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (Py_IS_TYPE(callable, &PyMethodDescr_Type) && count > 0) {
    PyObject* bound = bind_method_descriptor(callable, PyTuple_GET_ITEM(args, 0));
    if (bound == nullptr) return nullptr;
    PyObject* result = call_profiled(tstate, bound, [&] {
      return _PyObject_FastCallDictTstate(tstate, bound, &PyTuple_GET_ITEM(args, 1), static_cast<size_t>(count - 1),
                                          kwargs);
    });
    Py_DECREF(bound);
    return result;
  }
  return PyObject_Call(callable, args, kwargs);
}

PySendResult traced_send(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* receiver, PyObject* value,
                         PyObject** result) {
  if (Py_IsNone(value) && PyIter_Check(receiver)) {
    *result = Py_TYPE(receiver)->tp_iternext(receiver);
  } else {
    *result = PyObject_CallMethodOneArg(receiver, &_Py_ID(send), value);
  }
  if (*result != nullptr) return PYGEN_NEXT;
  if (tstate->c_tracefunc != nullptr && _PyErr_Occurred(tstate) != nullptr &&
      _PyErr_ExceptionMatches(tstate, PyExc_StopIteration)) {
    trace_exception(tstate, frame);
  }
  return _PyGen_FetchStopIterationValue(result) == 0 ? PYGEN_RETURN : PYGEN_ERROR;
}

// --- installing -----------------------------------------------------------------------------------------------------

namespace {

/// Switches the dispatch tables to what the threads of all interpreters need.
void update_dispatch() {
  for (PyInterpreterState* interp = PyInterpreterState_Head(); interp != nullptr;
       interp = PyInterpreterState_Next(interp)) {
    for (PyThreadState* thread = PyInterpreterState_ThreadHead(interp); thread != nullptr;
         thread = PyThreadState_Next(thread)) {
      if (thread->c_tracefunc != nullptr || thread->c_profilefunc != nullptr) {
        set_tracing_dispatch(true);
        return;
      }
    }
  }
  set_tracing_dispatch(false);
}

/// Which of the two functions is installed.
struct HookKind {
  const char* audit_event;
  const char* name;
  bool installing;  // dropping the old object may run code that installs another
};
HookKind profile_hook = {"sys.setprofile", "profile", false};
HookKind trace_hook = {"sys.settrace", "trace", false};

int install(PyThreadState* tstate, Py_tracefunc& function_slot, PyObject*& object_slot, Py_tracefunc function,
            PyObject* object, HookKind& hook) {
  // The audit hook runs in the current thread, whichever thread is meant.
  PyThreadState* current = _PyThreadState_GET();
  if (_PySys_Audit(current, hook.audit_event, nullptr) < 0) return -1;
  if (hook.installing) {
    _PyErr_Format(current, PyExc_RuntimeError,
                  "Cannot install a %s function while another %s function is being installed", hook.name, hook.name);
    return -1;
  }
  hook.installing = true;
  PyObject* old = object_slot;
  function_slot = nullptr;
  object_slot = nullptr;
  // Dropping the old object may run code that is to be traced or profiled by the other function.
  _PyThreadState_UpdateTracingState(tstate);
  Py_XINCREF(object);
  Py_XDECREF(old);
  object_slot = object;
  function_slot = function;
  _PyThreadState_UpdateTracingState(tstate);
  update_dispatch();
  hook.installing = false;
  return 0;
}

}  // namespace
}  // namespace pyston

using namespace pyston;

extern "C" int _PyEval_SetProfile(PyThreadState* tstate, Py_tracefunc func, PyObject* arg) {
  return install(tstate, tstate->c_profilefunc, tstate->c_profileobj, func, arg, profile_hook);
}

void PyEval_SetProfile(Py_tracefunc func, PyObject* arg) {
  if (_PyEval_SetProfile(_PyThreadState_GET(), func, arg) < 0) {
    _PyErr_WriteUnraisableMsg("in PyEval_SetProfile", nullptr);
  }
}

int _PyEval_SetTrace(PyThreadState* tstate, Py_tracefunc func, PyObject* arg) {
  return install(tstate, tstate->c_tracefunc, tstate->c_traceobj, func, arg, trace_hook);
}

void PyEval_SetTrace(Py_tracefunc func, PyObject* arg) {
  if (_PyEval_SetTrace(_PyThreadState_GET(), func, arg) < 0) {
    _PyErr_WriteUnraisableMsg("in PyEval_SetTrace", nullptr);
  }
}

PyObject* _PyEval_CallTracing(PyObject* func, PyObject* args) {
  // Tracing is off inside of a trace function; here it is on again.
  PyThreadState* tstate = _PyThreadState_GET();
  int saved = std::exchange(tstate->tracing, 0);
  _PyThreadState_UpdateTracingState(tstate);
  PyObject* result = PyObject_Call(func, args, nullptr);
  tstate->tracing = saved;
  _PyThreadState_UpdateTracingState(tstate);
  return result;
}
