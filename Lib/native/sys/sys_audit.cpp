// Audit hooks (PEP 578): C hooks of the process, Python hooks of the interpreter.
#include "Lib/native/sys/sys_internal.h"
#include "Objects/bind.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_sysmodule.h"

using namespace pyston;

namespace {

bool should_audit(PyInterpreterState* interp) {
  return interp != nullptr && (_PyRuntime.audit_hook_head != nullptr || interp->audit_hooks != nullptr);
}

/// Calls the interpreter's Python hooks with tracing off unless a hook asks to be traced.
Status call_python_hooks(PyThreadState* tstate, PyObject* event_name, PyObject* event_args) {
  auto hooks = VM_TRY(Ref<>::steal(PyObject_GetIter(tstate->interp->audit_hooks)));
  Status status = Status::kOk;
  PyThreadState_EnterTracing(tstate);
  while (ok(status)) {
    Ref<> hook = Ref<>::steal(PyIter_Next(hooks.get()));
    if (!hook) {
      if (PyErr_Occurred()) status = Status::kError;
      break;
    }
    PyObject* can_trace_object = nullptr;
    if (_PyObject_LookupAttr(hook.get(), &_Py_ID(__cantrace__), &can_trace_object) < 0) {
      status = Status::kError;
      break;
    }
    int can_trace = 0;
    if (can_trace_object != nullptr) {
      can_trace = PyObject_IsTrue(can_trace_object);
      Py_DECREF(can_trace_object);
    }
    if (can_trace < 0) {
      status = Status::kError;
      break;
    }
    if (can_trace) PyThreadState_LeaveTracing(tstate);
    PyObject* stack[2] = {event_name, event_args};
    Ref<> result = Ref<>::steal(PyObject_Vectorcall(hook.get(), stack, 2, nullptr));
    if (can_trace) PyThreadState_EnterTracing(tstate);
    if (!result) status = Status::kError;
  }
  PyThreadState_LeaveTracing(tstate);
  return status;
}

int audit(PyThreadState* tstate, const char* event, const char* format, va_list arguments) {
  PyInterpreterState* interp = tstate == nullptr ? nullptr : tstate->interp;
  if (!should_audit(interp)) return 0;
  Ref<> args;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (format != nullptr && format[0] != '\0') {
    args = Ref<>::steal(_Py_VaBuildValue_SizeT(format, arguments));
    if (args && !PyTuple_Check(args.get())) args = Ref<>::steal(PyTuple_Pack(1, args.get()));
  } else {
    args = Ref<>::steal(PyTuple_New(0));
  }
  bool good = static_cast<bool>(args);
  for (_Py_AuditHookEntry* entry = _PyRuntime.audit_hook_head; good && entry != nullptr; entry = entry->next) {
    good = entry->hookCFunction(event, args.get(), entry->userData) >= 0;
  }
  if (good && interp->audit_hooks != nullptr) {
    Ref<> name = Ref<>::steal(PyUnicode_FromString(event));
    good = name && ok(call_python_hooks(tstate, name.get(), args.get()));
  }
  if (good) {
    PyErr_Restore(type, value, traceback);
    return 0;
  }
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
  return -1;
}

}  // namespace

int _PySys_Audit(PyThreadState* tstate, const char* event, const char* format, ...) {
  if (LIKELY(tstate == nullptr || !should_audit(tstate->interp))) return 0;  // no thread state: before start-up
  va_list arguments;
  va_start(arguments, format);
  const int result = audit(tstate, event, format, arguments);
  va_end(arguments);
  return result;
}

int PySys_Audit(const char* event, const char* format, ...) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (LIKELY(tstate == nullptr || !should_audit(tstate->interp))) return 0;
  va_list arguments;
  va_start(arguments, format);
  const int result = audit(tstate, event, format, arguments);
  va_end(arguments);
  return result;
}

int PySys_AddAuditHook(Py_AuditHookFunction hook, void* data) {
  PyThreadState* tstate = _PyRuntime.initialized ? _PyThreadState_GET() : nullptr;
  if (tstate != nullptr && _PySys_Audit(tstate, "sys.addaudithook", nullptr) < 0) {
    if (!PyErr_ExceptionMatches(PyExc_RuntimeError)) return -1;
    PyErr_Clear();  // a hook vetoed the new one silently
    return 0;
  }
  auto* entry = static_cast<_Py_AuditHookEntry*>(PyMem_RawMalloc(sizeof(_Py_AuditHookEntry)));
  if (entry == nullptr) {
    if (tstate != nullptr) PyErr_NoMemory();
    return -1;
  }
  *entry = {nullptr, hook, data};
  _Py_AuditHookEntry** link = &_PyRuntime.audit_hook_head;
  while (*link != nullptr) link = &(*link)->next;
  *link = entry;
  return 0;
}

void _PySys_ClearAuditHooks(PyThreadState* tstate) {
  if (_PyRuntimeState_GetFinalizing(&_PyRuntime) != tstate) return;
  _PySys_Audit(tstate, "cpython._PySys_ClearAuditHooks", nullptr);
  PyErr_Clear();
  _Py_AuditHookEntry* entry = _PyRuntime.audit_hook_head;
  _PyRuntime.audit_hook_head = nullptr;
  while (entry != nullptr) {
    _Py_AuditHookEntry* next = entry->next;
    PyMem_RawFree(entry);
    entry = next;
  }
}

namespace pyston::sys {
namespace {

Ref<> sys_addaudithook(PyObject*, Borrowed<> hook) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (_PySys_Audit(tstate, "sys.addaudithook", nullptr) < 0) {
    if (PyErr_ExceptionMatches(PyExc_Exception)) {
      PyErr_Clear();
      return Ref<>::none();
    }
    return nullptr;
  }
  PyInterpreterState* interp = tstate->interp;
  if (interp->audit_hooks == nullptr) {
    interp->audit_hooks = PyList_New(0);
    if (interp->audit_hooks == nullptr) return nullptr;
    PyObject_GC_UnTrack(interp->audit_hooks);
  }
  VM_CHECK(PyList_Append(interp->audit_hooks, hook));
  return Ref<>::none();
}

PyObject* sys_audit(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs == 0) {
    PyErr_SetString(PyExc_TypeError, "audit() missing 1 required positional argument: 'event'");
    return nullptr;
  }
  PyThreadState* tstate = _PyThreadState_GET();
  if (!should_audit(tstate->interp)) Py_RETURN_NONE;
  if (!PyUnicode_Check(args[0])) {
    PyErr_Format(PyExc_TypeError, "expected str for argument 'event', not %.200s", Py_TYPE(args[0])->tp_name);
    return nullptr;
  }
  const char* event = PyUnicode_AsUTF8(args[0]);
  if (event == nullptr) return nullptr;
  Ref<> rest = Ref<>::steal(_PyTuple_FromArray(args + 1, nargs - 1));
  if (!rest || _PySys_Audit(tstate, event, "O", rest.get()) < 0) return nullptr;
  Py_RETURN_NONE;
}

}  // namespace

PyMethodDef audit_methods[] = {
    method<sys_addaudithook, "addaudithook($module, /, hook)", "Adds an audit hook for this interpreter.">(),
    {"audit", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(sys_audit)), METH_FASTCALL,
     "audit(event, *args)\n\nPasses the event to all audit hooks."},
    {}};

}  // namespace pyston::sys
