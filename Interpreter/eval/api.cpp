// The C API around evaluation: the current frame and its namespaces, recursion limits, hooks of asynchronous
// generators, code extras, slice indices.
#include "Interpreter/eval/eval.h"
#include "internal/pycore_call.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_sysmodule.h"

namespace {

/// The innermost frame that has begun to run; null when there is none.
_PyInterpreterFrame* current_complete_frame(PyThreadState* tstate) {
  _PyInterpreterFrame* frame = tstate->cframe->current_frame;
  while (frame != nullptr && _PyFrame_IsIncomplete(frame)) frame = frame->previous;
  return frame;
}

}  // namespace

// --- recursion ----------------------------------------------------------------------------------------------------

int Py_GetRecursionLimit(void) { return _PyInterpreterState_GET()->ceval.recursion_limit; }

void Py_SetRecursionLimit(int new_limit) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  interp->ceval.recursion_limit = new_limit;
  for (PyThreadState* thread = PyInterpreterState_ThreadHead(interp); thread != nullptr;
       thread = PyThreadState_Next(thread)) {
    int depth = thread->recursion_limit - thread->recursion_remaining;
    thread->recursion_limit = new_limit;
    thread->recursion_remaining = new_limit - depth;
  }
}

int _Py_CheckRecursiveCall(PyThreadState* tstate, const char* where) {
  // The thread may still run under an older limit than the interpreter's.
  int depth = tstate->recursion_limit - tstate->recursion_remaining;
  if (depth < tstate->interp->ceval.recursion_limit) {
    tstate->recursion_limit = tstate->interp->ceval.recursion_limit;
    tstate->recursion_remaining = tstate->recursion_limit - depth;
    return 0;
  }
  if (tstate->recursion_headroom) {
    if (tstate->recursion_remaining < -50) Py_FatalError("Cannot recover from stack overflow.");
  } else if (tstate->recursion_remaining <= 0) {
    tstate->recursion_headroom++;
    _PyErr_Format(tstate, PyExc_RecursionError, "maximum recursion depth exceeded%s", where);
    tstate->recursion_headroom--;
    ++tstate->recursion_remaining;
    return -1;
  }
  return 0;
}

int Py_EnterRecursiveCall(const char* where) { return _Py_EnterRecursiveCall(where); }
void Py_LeaveRecursiveCall(void) { _Py_LeaveRecursiveCall(); }

void _Py_NO_RETURN _Py_FatalError_TstateNULL(const char* func) {
  _Py_FatalErrorFunc(func,
                     "the function must be called with the GIL held, but the GIL is released (the current Python "
                     "thread state is NULL)");
}

// --- the current frame --------------------------------------------------------------------------------------------

_PyInterpreterFrame* _PyEval_GetFrame(void) { return current_complete_frame(_PyThreadState_GET()); }

PyFrameObject* PyEval_GetFrame(void) {
  _PyInterpreterFrame* frame = _PyEval_GetFrame();
  if (frame == nullptr) return nullptr;
  PyFrameObject* object = _PyFrame_GetFrameObject(frame);
  if (object == nullptr) PyErr_Clear();
  return object;
}

PyObject* _PyEval_GetBuiltins(PyThreadState* tstate) {
  _PyInterpreterFrame* frame = current_complete_frame(tstate);
  return frame != nullptr ? frame->f_builtins : tstate->interp->builtins;
}

PyObject* PyEval_GetBuiltins(void) { return _PyEval_GetBuiltins(_PyThreadState_GET()); }

PyObject* _PyEval_BuiltinsFromGlobals(PyThreadState* tstate, PyObject* globals) {
  PyObject* builtins = PyDict_GetItemWithError(globals, &_Py_ID(__builtins__));
  if (builtins != nullptr) return PyModule_Check(builtins) ? _PyModule_GetDict(builtins) : builtins;
  if (PyErr_Occurred()) return nullptr;
  return _PyEval_GetBuiltins(tstate);
}

PyObject* _PyEval_GetBuiltin(PyObject* name) {
  PyObject* builtins = PyEval_GetBuiltins();
  PyObject* value = PyObject_GetItem(builtins, name);
  if (value == nullptr && PyErr_ExceptionMatches(PyExc_KeyError)) PyErr_SetObject(PyExc_AttributeError, name);
  return value;
}

PyObject* _PyEval_GetBuiltinId(_Py_Identifier* name) { return _PyEval_GetBuiltin(_PyUnicode_FromId(name)); }

PyObject* PyEval_GetLocals(void) {
  PyThreadState* tstate = _PyThreadState_GET();
  _PyInterpreterFrame* frame = current_complete_frame(tstate);
  if (frame == nullptr) {
    _PyErr_SetString(tstate, PyExc_SystemError, "frame does not exist");
    return nullptr;
  }
  if (_PyFrame_FastToLocalsWithError(frame) < 0) return nullptr;
  return frame->f_locals;
}

PyObject* PyEval_GetGlobals(void) {
  _PyInterpreterFrame* frame = current_complete_frame(_PyThreadState_GET());
  return frame == nullptr ? nullptr : frame->f_globals;
}

int PyEval_MergeCompilerFlags(PyCompilerFlags* flags) {
  _PyInterpreterFrame* frame = _PyThreadState_GET()->cframe->current_frame;
  int result = flags->cf_flags != 0;
  if (frame != nullptr) {
    int inherited = frame->f_code->co_flags & PyCF_MASK;
    if (inherited) {
      result = 1;
      flags->cf_flags |= inherited;
    }
  }
  return result;
}

const char* PyEval_GetFuncName(PyObject* func) {
  if (PyMethod_Check(func)) return PyEval_GetFuncName(PyMethod_GET_FUNCTION(func));
  if (PyFunction_Check(func)) return PyUnicode_AsUTF8(reinterpret_cast<PyFunctionObject*>(func)->func_name);
  if (PyCFunction_Check(func)) return reinterpret_cast<PyCFunctionObject*>(func)->m_ml->ml_name;
  return Py_TYPE(func)->tp_name;
}

const char* PyEval_GetFuncDesc(PyObject* func) {
  return PyMethod_Check(func) || PyFunction_Check(func) || PyCFunction_Check(func) ? "()" : " object";
}

// --- asynchronous generators and coroutines -------------------------------------------------------------------------

int _PyEval_SetCoroutineOriginTrackingDepth(int depth) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (depth < 0) {
    _PyErr_SetString(tstate, PyExc_ValueError, "depth must be >= 0");
    return -1;
  }
  tstate->coroutine_origin_tracking_depth = depth;
  return 0;
}

int _PyEval_GetCoroutineOriginTrackingDepth(void) { return _PyThreadState_GET()->coroutine_origin_tracking_depth; }

int _PyEval_SetAsyncGenFirstiter(PyObject* firstiter) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (_PySys_Audit(tstate, "sys.set_asyncgen_hook_firstiter", nullptr) < 0) return -1;
  Py_XINCREF(firstiter);
  Py_XSETREF(tstate->async_gen_firstiter, firstiter);
  return 0;
}

PyObject* _PyEval_GetAsyncGenFirstiter(void) { return _PyThreadState_GET()->async_gen_firstiter; }

int _PyEval_SetAsyncGenFinalizer(PyObject* finalizer) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (_PySys_Audit(tstate, "sys.set_asyncgen_hook_finalizer", nullptr) < 0) return -1;
  Py_XINCREF(finalizer);
  Py_XSETREF(tstate->async_gen_finalizer, finalizer);
  return 0;
}

PyObject* _PyEval_GetAsyncGenFinalizer(void) { return _PyThreadState_GET()->async_gen_finalizer; }

// --- the rest -----------------------------------------------------------------------------------------------------

Py_ssize_t _PyEval_RequestCodeExtraIndex(freefunc free) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  if (interp->co_extra_user_count >= MAX_CO_EXTRA_USERS - 1) return -1;
  Py_ssize_t index = interp->co_extra_user_count++;
  interp->co_extra_freefuncs[index] = free;
  return index;
}

int _PyEval_SliceIndexNotNone(PyObject* value, Py_ssize_t* result) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (!PyIndex_Check(value)) {
    _PyErr_SetString(tstate, PyExc_TypeError, "slice indices must be integers or have an __index__ method");
    return 0;
  }
  Py_ssize_t index = PyNumber_AsSsize_t(value, nullptr);  // clips
  if (index == -1 && _PyErr_Occurred(tstate)) return 0;
  *result = index;
  return 1;
}

int _PyEval_SliceIndex(PyObject* value, Py_ssize_t* result) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (Py_IsNone(value)) return 1;
  if (!PyIndex_Check(value)) {
    _PyErr_SetString(tstate, PyExc_TypeError, "slice indices must be integers or None or have an __index__ method");
    return 0;
  }
  return _PyEval_SliceIndexNotNone(value, result);
}

void _PyEval_Fini(void) {}
