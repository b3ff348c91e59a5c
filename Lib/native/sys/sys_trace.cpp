// sys.settrace and sys.setprofile: Python callables behind the C-level trace hooks of the evaluation loop.
#include "Lib/native/sys/sys_internal.h"
#include "Objects/bind.h"
#include <frameobject.h>

#include "internal/pycore_ceval.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_tuple.h"

namespace pyston::sys {
namespace {

/// Names of PyTrace_CALL ... PyTrace_OPCODE, in their order.
PyObject* event_name(int what) {
  static PyObject* interned[8];
  static constexpr const char* kNames[] = {"call", "exception", "line", "return", "c_call", "c_exception", "c_return",
                                           "opcode"};
  if (interned[what] == nullptr) interned[what] = PyUnicode_InternFromString(kNames[what]);
  return interned[what];
}

/// New reference, or null after dropping the hook: an exception in it switches tracing off.
Ref<> call_hook(PyObject* callback, PyFrameObject* frame, int what, PyObject* argument) {
  VM_CHECK(PyFrame_FastToLocalsWithError(frame));
  PyObject* name = event_name(what);
  if (name == nullptr) return nullptr;
  PyObject* stack[3] = {as_object(frame), name, argument == nullptr ? Py_None : argument};
  Ref<> result = Ref<>::steal(PyObject_Vectorcall(callback, stack, 3, nullptr));
  PyFrame_LocalsToFast(frame, 1);
  if (!result) PyTraceBack_Here(frame);
  return result;
}

int profile_trampoline(PyObject* self, PyFrameObject* frame, int what, PyObject* argument) {
  Ref<> result = call_hook(self, frame, what, argument);
  if (result) return 0;
  _PyEval_SetProfile(_PyThreadState_GET(), nullptr, nullptr);
  return -1;
}

/// The global function sees 'call'; what it returns traces that frame from then on.
int trace_trampoline(PyObject* self, PyFrameObject* frame, int what, PyObject* argument) {
  PyObject* callback = what == PyTrace_CALL ? self : frame->f_trace;
  if (callback == nullptr) return 0;
  Ref<> result = call_hook(callback, frame, what, argument);
  if (!result) {
    _PyEval_SetTrace(_PyThreadState_GET(), nullptr, nullptr);
    Py_CLEAR(frame->f_trace);
    return -1;
  }
  if (result.get() != Py_None) Py_XSETREF(frame->f_trace, result.release());
  return 0;
}

Ref<> sys_settrace(PyObject*, Borrowed<> function) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (_PyEval_SetTrace(tstate, function == Py_None ? nullptr : trace_trampoline, function == Py_None ? nullptr : function.get()) < 0) {
    return nullptr;
  }
  return Ref<>::none();
}

Ref<> sys_gettrace(PyObject*) {
  PyObject* current = _PyThreadState_GET()->c_traceobj;
  return Ref<>::dup(current == nullptr ? Py_None : current);
}

Ref<> sys_setprofile(PyObject*, Borrowed<> function) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (_PyEval_SetProfile(tstate, function == Py_None ? nullptr : profile_trampoline,
                         function == Py_None ? nullptr : function.get()) < 0) {
    return nullptr;
  }
  return Ref<>::none();
}

Ref<> sys_getprofile(PyObject*) {
  PyObject* current = _PyThreadState_GET()->c_profileobj;
  return Ref<>::dup(current == nullptr ? Py_None : current);
}

Ref<> sys_call_tracing(PyObject*, Borrowed<> function, Borrowed<PyTupleObject> args) {
  return Ref<>::steal(_PyEval_CallTracing(function, args.object()));
}

}  // namespace

PyMethodDef trace_methods[] = {
    method<sys_settrace, "settrace($module, function, /)",
           "Sets the trace function of the calling thread; None removes it.">(),
    method<sys_gettrace, "gettrace($module, /)", "The trace function of the calling thread, or None.">(),
    method<sys_setprofile, "setprofile($module, function, /)",
           "Sets the profile function of the calling thread; None removes it.">(),
    method<sys_getprofile, "getprofile($module, /)", "The profile function of the calling thread, or None.">(),
    method<sys_call_tracing, "call_tracing($module, func, args, /)",
           "Calls func(*args) with tracing on, for debuggers that run code while stopped.">(),
    {}};

}  // namespace pyston::sys
