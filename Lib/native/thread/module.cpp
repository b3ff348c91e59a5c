// The _thread module: starting threads, and what the threading module builds on.
#include "Lib/native/thread/thread.h"
#include "pycore_ceval.h"
#include "pycore_interp.h"
#include "pycore_moduleobject.h"
#include "pycore_pyerrors.h"
#include "pycore_pylifecycle.h"
#include "pycore_structseq.h"
#include "pycore_sysmodule.h"

namespace pyston::thread_module {
namespace {

// ---- Starting a thread

struct Boot {
  PyInterpreterState* interp;
  PyObject* function;
  PyObject* args;
  PyObject* kwargs;  // may be null
  PyThreadState* tstate;
};

void run_thread(void* pointer) {
  auto* boot = static_cast<Boot*>(pointer);
  PyThreadState* tstate = boot->tstate;
  tstate->thread_id = PyThread_get_thread_ident();
  tstate->native_thread_id = PyThread_get_thread_native_id();
  _PyThreadState_SetCurrent(tstate);
  PyEval_AcquireThread(tstate);
  tstate->interp->threads.count++;

  PyObject* result = PyObject_Call(boot->function, boot->args, boot->kwargs);
  if (result != nullptr) {
    Py_DECREF(result);
  } else if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
    PyErr_Clear();
  } else {
    _PyErr_WriteUnraisableMsg("in thread started by", boot->function);
  }
  Py_DECREF(boot->function);
  Py_DECREF(boot->args);
  Py_XDECREF(boot->kwargs);
  PyMem_Free(boot);
  tstate->interp->threads.count--;
  PyThreadState_Clear(tstate);
  _PyThreadState_DeleteCurrent(tstate);
}

Ref<> start_new_thread(Borrowed<>, Borrowed<> function, Borrowed<> args, PyObject* kwargs) {
  if (!PyCallable_Check(function)) return raise(PyExc_TypeError, "first arg must be callable");
  if (!PyTuple_Check(args)) return raise(PyExc_TypeError, "2nd arg must be a tuple");
  if (kwargs != nullptr && !PyDict_Check(kwargs)) {
    return raise(PyExc_TypeError, "optional 3rd arg must be a dictionary");
  }
  if (PySys_Audit("_thread.start_new_thread", "OOO", function.get(), args.get(), kwargs ? kwargs : Py_None) < 0) {
    return nullptr;
  }
  PyInterpreterState* interp = _PyInterpreterState_GET();
  if (interp->config._isolated_interpreter) {
    return raise(PyExc_RuntimeError, "thread is not supported for isolated subinterpreters");
  }
  auto* boot = static_cast<Boot*>(PyMem_Malloc(sizeof(Boot)));
  if (boot == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  PyThreadState* tstate = _PyThreadState_Prealloc(interp);
  if (tstate == nullptr) {
    PyMem_Free(boot);
    PyErr_NoMemory();
    return nullptr;
  }
  *boot = {interp, Py_NewRef(function.get()), Py_NewRef(args.get()), Py_XNewRef(kwargs), tstate};
  const unsigned long ident = PyThread_start_new_thread(run_thread, boot);
  if (ident == PYTHREAD_INVALID_THREAD_ID) {
    PyErr_SetString(PyExc_RuntimeError, "can't start new thread");
    PyThreadState_Clear(tstate);
    PyThreadState_Delete(tstate);
    Py_DECREF(boot->function);
    Py_DECREF(boot->args);
    Py_XDECREF(boot->kwargs);
    PyMem_Free(boot);
    return nullptr;
  }
  return Ref<>::steal(PyLong_FromUnsignedLong(ident));
}

Ref<> exit_thread(Borrowed<>) {
  PyErr_SetNone(PyExc_SystemExit);
  return nullptr;
}

Ref<> interrupt_main(Borrowed<>, Optional<int> signum) {
  if (PyErr_SetInterruptEx(signum.value_or(2)) < 0) return raise(PyExc_ValueError, "signal number out of range");
  return Ref<>::none();
}

Ref<> allocate_lock(Borrowed<> module) { return Ref<>::steal(new_lock(state_of(module)->lock_type)); }
Ref<> get_ident(Borrowed<>) { return Ref<>::steal(PyLong_FromUnsignedLong(PyThread_get_thread_ident())); }
Ref<> get_native_id(Borrowed<>) { return Ref<>::steal(PyLong_FromUnsignedLong(PyThread_get_thread_native_id())); }
Ref<> count(Borrowed<>) { return Ref<>::steal(PyLong_FromLong(_PyInterpreterState_GET()->threads.count)); }

Ref<> stack_size(Borrowed<>, Optional<Py_ssize_t> size) {
  if (size.value_or(0) < 0) return raise(PyExc_ValueError, "size must be 0 or a positive value");
  const size_t old = PyThread_get_stacksize();
  const Py_ssize_t wanted = size.value_or(0);
  const int status = PyThread_set_stacksize(static_cast<size_t>(wanted));
  if (status == -1) return raise(PyExc_ValueError, "size not valid: %zd bytes", wanted);
  return Ref<>::steal(PyLong_FromSsize_t(static_cast<Py_ssize_t>(old)));
}

// ---- The sentinel: a lock that is released when the thread ends

/// `pointer` is a weak reference to the lock: dropping it runs no code, which must not happen this late.
void release_sentinel(void* pointer) {
  auto* reference = static_cast<PyObject*>(pointer);
  PyObject* lock = PyWeakref_GET_OBJECT(reference);
  if (lock != Py_None) release_if_held(lock);
  Py_DECREF(reference);
}

Ref<> set_sentinel(Borrowed<> module) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (tstate->on_delete_data != nullptr) {
    // threading gave this thread a sentinel before (it was made the main thread by fork()).
    auto* reference = static_cast<PyObject*>(tstate->on_delete_data);
    tstate->on_delete = nullptr;
    tstate->on_delete_data = nullptr;
    Py_DECREF(reference);
  }
  auto lock = Ref<>::steal(new_lock(state_of(module)->lock_type));
  if (!lock) return nullptr;
  PyObject* reference = PyWeakref_NewRef(lock.get(), nullptr);
  if (reference == nullptr) return nullptr;
  tstate->on_delete_data = reference;
  tstate->on_delete = release_sentinel;
  return lock;
}

// ---- Uncaught exceptions

PyStructSequence_Field kExceptHookFields[] = {{"exc_type", "Exception type"},
                                              {"exc_value", "Exception value"},
                                              {"exc_traceback", "Exception traceback"},
                                              {"thread", "Thread"},
                                              {}};
PyStructSequence_Desc kExceptHook = {"_thread._ExceptHookArgs", "What threading.excepthook gets.", kExceptHookFields,
                                     4};

Status write_thread_name(PyObject* file, PyObject* thread) {
  Ref<> name;
  if (thread != nullptr && thread != Py_None) {
    PyObject* found;
    if (_PyObject_LookupAttr(thread, &_Py_ID(name), &found) < 0) return Status::kError;
    name = Ref<>::steal(found);
  }
  if (name) return PyFile_WriteObject(name.get(), file, Py_PRINT_RAW) < 0 ? Status::kError : Status::kOk;
  char text[32];
  PyOS_snprintf(text, sizeof text, "%lu", PyThread_get_thread_ident());
  return PyFile_WriteString(text, file) < 0 ? Status::kError : Status::kOk;
}

Ref<> excepthook(Borrowed<> module, Borrowed<> args) {
  if (!Py_IS_TYPE(args.get(), state_of(module)->excepthook_args_type)) {
    return raise(PyExc_TypeError, "_thread.excepthook argument type must be ExceptHookArgs");
  }
  PyObject* type = PyStructSequence_GET_ITEM(args.get(), 0);
  PyObject* value = PyStructSequence_GET_ITEM(args.get(), 1);
  PyObject* traceback = PyStructSequence_GET_ITEM(args.get(), 2);
  PyObject* thread = PyStructSequence_GET_ITEM(args.get(), 3);
  if (type == PyExc_SystemExit) return Ref<>::none();  // silently, as for the main thread

  auto file = Ref<>::dup(_PySys_GetAttr(_PyThreadState_GET(), &_Py_ID(stderr)));
  if (!file || file.get() == Py_None) {
    // Late at shutdown; the thread has kept the stream it was started with.
    if (thread == Py_None) return Ref<>::none();
    file = Ref<>::steal(PyObject_GetAttrString(thread, "_stderr"));
    if (!file) return nullptr;
    if (file.get() == Py_None) return Ref<>::none();
  }
  if (PyFile_WriteString("Exception in thread ", file.get()) < 0) return nullptr;
  VM_CHECK(write_thread_name(file.get(), thread));
  if (PyFile_WriteString(":\n", file.get()) < 0) return nullptr;
  _PyErr_Display(file.get(), type, value, traceback);
  auto flushed = Ref<>::steal(PyObject_CallMethodNoArgs(file.get(), &_Py_ID(flush)));
  if (!flushed) return nullptr;
  return Ref<>::none();
}

// ---- The module

#define START(name) \
  method<start_new_thread, name "($module, function, args, kwargs=None, /)", \
         "Calls function(*args, **kwargs) in a new thread and returns the thread's identifier.">()

PyMethodDef methods[] = {
    START("start_new_thread"),
    START("start_new"),
    method<allocate_lock, "allocate_lock($module, /)", "Makes a lock.">(),
    method<allocate_lock, "allocate($module, /)", "Makes a lock.">(),
    method<exit_thread, "exit_thread($module, /)", "Raises SystemExit, which ends the thread.">(),
    method<exit_thread, "exit($module, /)", "Raises SystemExit, which ends the thread.">(),
    method<interrupt_main, "interrupt_main($module, signum=SIGINT, /)",
           "Makes the main thread act as if the signal had arrived.">(),
    method<get_ident, "get_ident($module, /)", "A number that no other running thread has.">(),
    method<get_native_id, "get_native_id($module, /)", "The number that the system knows the thread by.">(),
    method<count, "_count($module, /)", "The number of threads that run, the main thread apart.">(),
    method<stack_size, "stack_size($module, size=0, /)",
           "Sets the stack size of threads that are started from now on; returns the old one.">(),
    method<set_sentinel, "_set_sentinel($module, /)", "A lock that is released when this thread ends.">(),
    method<excepthook, "_excepthook($module, exc_type_value_traceback_thread, /)",
           "Reports an uncaught exception of a thread.">(),
    {}};

int add_type(PyObject* module, PyType_Spec& spec, PyTypeObject** out, const char* name) {
  auto* type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &spec, nullptr));
  if (type == nullptr) return -1;
  const int status = name == nullptr ? 0 : PyModule_AddObjectRef(module, name, as_object(type));
  if (out != nullptr) {
    *out = type;
  } else {
    Py_DECREF(type);
  }
  return status;
}

int execute(PyObject* module) {
  ModuleState* state = state_of(module);
  PyThread_init_thread();
  if (add_type(module, lock_spec, &state->lock_type, "LockType") < 0) return -1;
  if (add_type(module, rlock_spec, nullptr, "RLock") < 0) return -1;
  if (add_type(module, token_spec, &state->token_type, nullptr) < 0) return -1;
  if (add_type(module, local_spec, &state->local_type, "_local") < 0) return -1;
  state->excepthook_args_type = PyStructSequence_NewType(&kExceptHook);
  if (state->excepthook_args_type == nullptr || PyModule_AddType(module, state->excepthook_args_type) < 0) return -1;
  if (PyModule_AddObjectRef(module, "error", PyExc_RuntimeError) < 0) return -1;
  // Whole seconds, so that the float is exact.
  const double longest = static_cast<double>(static_cast<long long>(PY_TIMEOUT_MAX / 1'000'000));
  auto timeout = Ref<>::steal(PyFloat_FromDouble(longest));
  if (!timeout || PyModule_AddObjectRef(module, "TIMEOUT_MAX", timeout.get()) < 0) return -1;
  return 0;
}

int traverse(PyObject* module, visitproc visit, void* arg) {
  ModuleState* state = state_of(module);
  Py_VISIT(state->excepthook_args_type);
  Py_VISIT(state->lock_type);
  Py_VISIT(state->local_type);
  Py_VISIT(state->token_type);
  return 0;
}
int clear(PyObject* module) {
  ModuleState* state = state_of(module);
  Py_CLEAR(state->excepthook_args_type);
  Py_CLEAR(state->lock_type);
  Py_CLEAR(state->local_type);
  Py_CLEAR(state->token_type);
  return 0;
}
void free_module(void* module) { clear(static_cast<PyObject*>(module)); }

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {}};

}  // namespace

PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "_thread",
                          .m_doc = "Threads and locks, the ground that the threading module stands on.",
                          .m_size = sizeof(ModuleState),
                          .m_methods = methods,
                          .m_slots = slots,
                          .m_traverse = traverse,
                          .m_clear = clear,
                          .m_free = free_module};

}  // namespace pyston::thread_module

PyMODINIT_FUNC PyInit__thread(void) { return PyModuleDef_Init(&pyston::thread_module::definition); }
