// The _signal module and the delivery of signals to Python handlers.
//
// The C handler only marks the signal as tripped and asks the evaluation loop to look (async-signal-safe); the main
// thread of the main interpreter then calls the Python handler from PyErr_CheckSignals().
// INVARIANT: handlers[n].func is a new reference to the Python-level handler: SIG_DFL or SIG_IGN as an int, None for a
// handler that was installed from C, or a callable; null before _PySignal_Init() and after _PySignal_Fini().

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "Objects/bind.h"
#include "pycore_signal.h"
#include "pycore_ceval.h"
#include "pycore_fileutils.h"
#include "pycore_frame.h"
#include "pycore_moduleobject.h"
#include "pycore_pyerrors.h"
#include "pycore_pylifecycle.h"
#include "pycore_pystate.h"
#include "pycore_structseq.h"

namespace pyston {
namespace {

struct Handler {
  std::atomic<bool> tripped{false};
  std::atomic<PyObject*> func{nullptr};
};
Handler handlers[Py_NSIG];
std::atomic<bool> any_tripped{false};

struct {
  std::atomic<int> fd{-1};
  bool warn_on_full_buffer = true;
} wakeup;

PyObject* default_handler = nullptr;  // int(SIG_DFL)
PyObject* ignore_handler = nullptr;   // int(SIG_IGN)

struct ModuleState {
  PyObject* itimer_error;
  PyTypeObject* siginfo_type;
};
ModuleState* state_of(PyObject* module) { return static_cast<ModuleState*>(PyModule_GetState(module)); }

/// `func` is an int equal to SIG_DFL or SIG_IGN. Objects with their own __eq__ are not asked.
bool is_same_handler(PyObject* func, PyObject* special) {
  if (func == special) return true;
  if (func == nullptr || special == nullptr || !PyLong_CheckExact(func)) return false;
  return PyObject_RichCompareBool(func, special, Py_EQ) == 1;
}

// ---- In signal handlers: only atomics and system calls

/// A pending call; `data` is the errno.
int report_wakeup_error(void* data) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  errno = static_cast<int>(reinterpret_cast<intptr_t>(data));
  PyErr_SetFromErrno(PyExc_OSError);
  _PyErr_WriteUnraisableMsg("when trying to write to the signal wakeup fd", nullptr);
  PyErr_Restore(type, value, traceback);
  return 0;
}

void trip(int number) {
  handlers[number].tripped.store(true, std::memory_order_relaxed);
  any_tripped.store(true, std::memory_order_release);
  PyInterpreterState* interp = _PyInterpreterState_Main();
  if (interp == nullptr) return;
  _PyEval_SignalReceived(interp);
  const int fd = wakeup.fd.load(std::memory_order_relaxed);
  if (fd == -1) return;
  const auto byte = static_cast<unsigned char>(number);
  ssize_t written;
  do {
    written = write(fd, &byte, 1);
  } while (written < 0 && errno == EINTR);
  if (written >= 0) return;
  if (wakeup.warn_on_full_buffer || (errno != EWOULDBLOCK && errno != EAGAIN)) {
    _PyEval_AddPendingCall(interp, report_wakeup_error, reinterpret_cast<void*>(static_cast<intptr_t>(errno)));
  }
}

void handle_signal(int number) {
  const int saved = errno;
  trip(number);
  errno = saved;
}

// ---- Calling the Python handlers

Ref<> current_frame_object(PyThreadState* tstate) {
  PyFrameObject* frame = PyThreadState_GetFrame(tstate);
  if (frame == nullptr) return Ref<>::none();
  return Ref<>::steal(frame);
}

/// 0, or -1 with the exception that a handler raised.
int run_handlers(PyThreadState* tstate) {
  any_tripped.store(false, std::memory_order_relaxed);
  for (int number = 1; number < Py_NSIG; number++) {
    Handler& handler = handlers[number];
    if (!handler.tripped.exchange(false, std::memory_order_acquire)) continue;
    auto func = Ref<>::dup(handler.func.load());
    if (!func || func.get() == Py_None || is_same_handler(func.get(), ignore_handler) ||
        is_same_handler(func.get(), default_handler)) {
      // The signal arrived while its handler was being exchanged.
      PyErr_Format(PyExc_OSError, "Signal %i ignored due to race condition", number);
      PyErr_WriteUnraisable(Py_None);
      continue;
    }
    auto frame = current_frame_object(tstate);
    auto result = Ref<>::steal(PyObject_CallFunction(func.get(), "iO", number, frame.get()));
    if (!result) {
      // Others may still be tripped: let somebody look again.
      any_tripped.store(true, std::memory_order_release);
      _PyEval_SignalReceived(tstate->interp);
      return -1;
    }
  }
  return 0;
}

bool check_number(int number) {
  if (number >= 1 && number < Py_NSIG) return true;
  PyErr_SetString(PyExc_ValueError, "signal number out of range");
  return false;
}

Failure raise_os_error() {
  PyErr_SetFromErrno(PyExc_OSError);
  return {};
}

// ---- Handlers

Ref<> default_int_handler(Borrowed<>, int, Borrowed<>) {
  PyErr_SetNone(PyExc_KeyboardInterrupt);
  return nullptr;
}

Ref<> signal_(Borrowed<>, int signalnum, Borrowed<> handler) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (!_Py_ThreadCanHandleSignals(tstate->interp)) {
    return raise(PyExc_ValueError, "signal only works in main thread of the main interpreter");
  }
  if (!check_number(signalnum)) return nullptr;
  void (*function)(int);
  if (is_same_handler(handler, ignore_handler)) {
    function = SIG_IGN;
  } else if (is_same_handler(handler, default_handler)) {
    function = SIG_DFL;
  } else if (PyCallable_Check(handler)) {
    function = handle_signal;
  } else {
    return raise(PyExc_TypeError,
                 "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object");
  }
  // Signals that are pending belong to the old handler.
  if (_PyErr_CheckSignalsTstate(tstate) < 0) return nullptr;
  if (PyOS_setsig(signalnum, function) == SIG_ERR) return raise_os_error();
  auto old = Ref<>::steal(handlers[signalnum].func.exchange(Py_NewRef(handler.get())));
  return old ? std::move(old) : Ref<>::none();
}

Ref<> getsignal(Borrowed<>, int signalnum) {
  if (!check_number(signalnum)) return nullptr;
  PyObject* func = handlers[signalnum].func.load();
  return func != nullptr ? Ref<>::dup(func) : Ref<>::none();
}

Ref<> strsignal_(Borrowed<>, int signalnum) {
  if (!check_number(signalnum)) return nullptr;
  errno = 0;
  const char* text = strsignal(signalnum);
  if (errno != 0 || text == nullptr || strstr(text, "Unknown signal") != nullptr) return Ref<>::none();
  return Ref<>::steal(PyUnicode_FromString(text));
}

Ref<> siginterrupt_(Borrowed<>, int signalnum, int flag) {
  if (!check_number(signalnum)) return nullptr;
  struct sigaction action;
  if (sigaction(signalnum, nullptr, &action) < 0) return raise_os_error();
  if (flag) {
    action.sa_flags &= ~SA_RESTART;
  } else {
    action.sa_flags |= SA_RESTART;
  }
  if (sigaction(signalnum, &action, nullptr) < 0) return raise_os_error();
  return Ref<>::none();
}

Ref<> set_wakeup_fd(Borrowed<>, int fd, Optional<bool> warn_on_full_buffer) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (!_Py_ThreadCanHandleSignals(tstate->interp)) {
    return raise(PyExc_ValueError, "set_wakeup_fd only works in main thread of the main interpreter");
  }
  if (fd != -1) {
    struct _Py_stat_struct status;
    if (_Py_fstat(fd, &status) != 0) return nullptr;
    const int blocking = _Py_get_blocking(fd);
    if (blocking < 0) return nullptr;
    if (blocking) return raise(PyExc_ValueError, "the fd %i must be in non-blocking mode", fd);
  }
  const int old = wakeup.fd.exchange(fd);
  wakeup.warn_on_full_buffer = warn_on_full_buffer.value_or(true);
  return Ref<>::steal(PyLong_FromLong(old));
}

// ---- Sending and waiting

Ref<> raise_signal(Borrowed<>, int signalnum) {
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = ::raise(signalnum);
  Py_END_ALLOW_THREADS;
  if (status != 0) return raise_os_error();
  return Ref<>::none();
}

Ref<> alarm_(Borrowed<>, int seconds) {
  return Ref<>::steal(PyLong_FromLong(static_cast<long>(alarm(static_cast<unsigned>(seconds)))));
}

Ref<> pause_(Borrowed<>) {
  Py_BEGIN_ALLOW_THREADS;
  pause();
  Py_END_ALLOW_THREADS;
  // This is what the interrupting signal's handler is run by.
  if (PyErr_CheckSignals() != 0) return nullptr;
  return Ref<>::none();
}

bool to_timeval(PyObject* value, timeval& out) {
  out = {};
  if (value == nullptr) return true;
  _PyTime_t time;
  if (_PyTime_FromSecondsObject(&time, value, _PyTime_ROUND_CEILING) < 0) return false;
  return _PyTime_AsTimeval(time, &out, _PyTime_ROUND_CEILING) >= 0;
}

double from_timeval(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1'000'000.0;
}

Ref<> itimer_value(const itimerval& timer) {
  return Ref<>::steal(Py_BuildValue("(dd)", from_timeval(timer.it_value), from_timeval(timer.it_interval)));
}

Ref<> setitimer_(Borrowed<> module, int which, Borrowed<> seconds, PyObject* interval) {
  itimerval timer, old;
  if (!to_timeval(seconds, timer.it_value) || !to_timeval(interval, timer.it_interval)) return nullptr;
  if (setitimer(static_cast<__itimer_which>(which), &timer, &old) != 0) {
    PyErr_SetFromErrno(state_of(module)->itimer_error);
    return nullptr;
  }
  return itimer_value(old);
}

Ref<> getitimer_(Borrowed<> module, int which) {
  itimerval timer;
  if (getitimer(static_cast<__itimer_which>(which), &timer) != 0) {
    PyErr_SetFromErrno(state_of(module)->itimer_error);
    return nullptr;
  }
  return itimer_value(timer);
}

// ---- Signal sets

bool to_sigset(PyObject* iterable, sigset_t& set) {
  sigemptyset(&set);
  auto iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return false;
  while (auto item = Ref<>::steal(PyIter_Next(iterator.get()))) {
    int overflow;
    const long number = PyLong_AsLongAndOverflow(item.get(), &overflow);
    if (number == -1 && PyErr_Occurred()) return false;
    if (number <= 0 || number >= Py_NSIG) {
      if (overflow || number <= 0 || number >= Py_NSIG) {
        PyErr_Format(PyExc_ValueError, "signal number %ld out of range [1; %i]", number, Py_NSIG - 1);
        return false;
      }
    }
    if (sigaddset(&set, static_cast<int>(number)) != 0) {
      if (errno != EINVAL) {
        PyErr_SetFromErrno(PyExc_OSError);
        return false;
      }
      // The C library keeps some real-time signals for itself: they can be named and are left out.
      char message[] = "invalid signal number %ld, please use valid_signals()";
      if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1, message, number) < 0) return false;
    }
  }
  return PyErr_Occurred() == nullptr;
}

Ref<> from_sigset(const sigset_t& set) {
  auto result = Ref<>::steal(PySet_New(nullptr));
  if (!result) return nullptr;
  for (int number = 1; number < Py_NSIG; number++) {
    if (sigismember(&set, number) != 1) continue;
    auto value = Ref<>::steal(PyLong_FromLong(number));
    if (!value || PySet_Add(result.get(), value.get()) < 0) return nullptr;
  }
  return result;
}

Ref<> pthread_sigmask_(Borrowed<>, int how, Borrowed<> mask) {
  sigset_t set, previous;
  if (!to_sigset(mask, set)) return nullptr;
  const int error = pthread_sigmask(how, &set, &previous);
  if (error != 0) {
    errno = error;
    return raise_os_error();
  }
  // Signals that were just unblocked are delivered by now.
  if (PyErr_CheckSignals() != 0) return nullptr;
  return from_sigset(previous);
}

Ref<> sigpending_(Borrowed<>) {
  sigset_t set;
  if (sigpending(&set) != 0) return raise_os_error();
  return from_sigset(set);
}

Ref<> sigwait_(Borrowed<>, Borrowed<> sigset) {
  sigset_t set;
  if (!to_sigset(sigset, set)) return nullptr;
  int number, error;
  Py_BEGIN_ALLOW_THREADS;
  error = sigwait(&set, &number);
  Py_END_ALLOW_THREADS;
  if (error != 0) {
    errno = error;
    return raise_os_error();
  }
  return Ref<>::steal(PyLong_FromLong(number));
}

Ref<> valid_signals(Borrowed<>) {
  sigset_t set;
  sigemptyset(&set);
  if (sigfillset(&set) != 0) return raise_os_error();
  return from_sigset(set);
}

PyStructSequence_Field kSiginfoFields[] = {{"si_signo", "signal number"},
                                           {"si_code", "signal code"},
                                           {"si_errno", "errno associated with this signal"},
                                           {"si_pid", "sending process ID"},
                                           {"si_uid", "real user ID of sending process"},
                                           {"si_status", "exit value or signal"},
                                           {"si_band", "band event for SIGPOLL"},
                                           {}};
PyStructSequence_Desc kSiginfo = {"signal.struct_siginfo", "What sigwaitinfo() and sigtimedwait() return.",
                                  kSiginfoFields, 7};

Ref<> from_siginfo(PyObject* module, const siginfo_t& info) {
  auto result = Ref<>::steal(PyStructSequence_New(state_of(module)->siginfo_type));
  if (!result) return nullptr;
  PyObject* fields[] = {PyLong_FromLong(info.si_signo), PyLong_FromLong(info.si_code), PyLong_FromLong(info.si_errno),
                        PyLong_FromPid(info.si_pid),    PyLong_FromUnsignedLong(info.si_uid),  PyLong_FromLong(info.si_status),
                        PyLong_FromLong(info.si_band)};
  for (Py_ssize_t i = 0; i < 7; i++) PyStructSequence_SET_ITEM(result.get(), i, fields[i]);
  if (PyErr_Occurred()) return nullptr;
  return result;
}

Ref<> sigwaitinfo_(Borrowed<> module, Borrowed<> sigset) {
  sigset_t set;
  if (!to_sigset(sigset, set)) return nullptr;
  siginfo_t info;
  while (true) {
    int status;
    Py_BEGIN_ALLOW_THREADS;
    status = sigwaitinfo(&set, &info);
    Py_END_ALLOW_THREADS;
    if (status != -1) return from_siginfo(module, info);
    if (errno != EINTR) return raise_os_error();
    if (PyErr_CheckSignals() != 0) return nullptr;
  }
}

Ref<> sigtimedwait_(Borrowed<> module, Borrowed<> sigset, Borrowed<> timeout) {
  sigset_t set;
  if (!to_sigset(sigset, set)) return nullptr;
  _PyTime_t remaining;
  if (_PyTime_FromSecondsObject(&remaining, timeout, _PyTime_ROUND_CEILING) < 0) return nullptr;
  if (remaining < 0) return raise(PyExc_ValueError, "timeout must be non-negative");
  const _PyTime_t deadline = _PyDeadline_Init(remaining);
  siginfo_t info;
  while (true) {
    timespec wait;
    if (_PyTime_AsTimespec(remaining, &wait) < 0) return nullptr;
    int status;
    Py_BEGIN_ALLOW_THREADS;
    status = sigtimedwait(&set, &info, &wait);
    Py_END_ALLOW_THREADS;
    if (status != -1) return from_siginfo(module, info);
    if (errno == EAGAIN) return Ref<>::none();
    if (errno != EINTR) return raise_os_error();
    if (PyErr_CheckSignals() != 0) return nullptr;
    remaining = _PyDeadline_Get(deadline);
    if (remaining < 0) return Ref<>::none();
  }
}

PyObject* pthread_kill_(PyObject*, PyObject* args) {
  unsigned long thread_id;
  int signalnum;
  if (!PyArg_ParseTuple(args, "ki:pthread_kill", &thread_id, &signalnum)) return nullptr;
  if (PySys_Audit("signal.pthread_kill", "ki", thread_id, signalnum) < 0) return nullptr;
  const int error = pthread_kill(static_cast<pthread_t>(thread_id), signalnum);
  if (error != 0) {
    errno = error;
    return raise_os_error();
  }
  // It may have been for this very thread.
  if (PyErr_CheckSignals() != 0) return nullptr;
  return Py_NewRef(Py_None);
}

Ref<> pidfd_send_signal(Borrowed<>, int pidfd, int signalnum, PyObject* siginfo, Optional<int> flags) {
  if (siginfo != nullptr && siginfo != Py_None) return raise(PyExc_TypeError, "siginfo must be None");
  if (syscall(SYS_pidfd_send_signal, pidfd, signalnum, nullptr, flags.value_or(0)) < 0) return raise_os_error();
  return Ref<>::none();
}

// ---- The module

PyMethodDef methods[] = {
    method<default_int_handler, "default_int_handler($module, signalnum, frame, /)",
           "The handler of SIGINT that a program starts with; raises KeyboardInterrupt.">(),
    method<alarm_, "alarm($module, seconds, /)", "Arranges for SIGALRM to arrive after some seconds.">(),
    method<setitimer_, "setitimer($module, which, seconds, interval=0.0, /)",
           "Starts an interval timer; returns its old values.">(),
    method<getitimer_, "getitimer($module, which, /)", "The values of an interval timer.">(),
    method<signal_, "signal($module, signalnum, handler, /)", "Sets a handler; returns the previous one.">(),
    method<raise_signal, "raise_signal($module, signalnum, /)", "Sends a signal to this process.">(),
    method<strsignal_, "strsignal($module, signalnum, /)", "The system's description of a signal, or None.">(),
    method<getsignal, "getsignal($module, signalnum, /)",
           "The handler of a signal; None if it was not installed from Python.">(),
    method<set_wakeup_fd, "set_wakeup_fd($module, fd, /, *, warn_on_full_buffer=True)",
           "Sets the file to which the numbers of arriving signals are written; returns the old one.">(),
    method<siginterrupt_, "siginterrupt($module, signalnum, flag, /)",
           "Chooses whether a signal interrupts system calls.">(),
    method<pause_, "pause($module, /)", "Waits until a signal arrives.">(),
    method<pidfd_send_signal, "pidfd_send_signal($module, pidfd, signalnum, siginfo=None, flags=0, /)",
           "Sends a signal to the process that a pidfd refers to.">(),
    {"pthread_kill", pthread_kill_, METH_VARARGS,
     "pthread_kill($module, thread_id, signalnum, /)\n--\n\nSends a signal to a thread."},
    method<pthread_sigmask_, "pthread_sigmask($module, how, mask, /)",
           "Changes which signals are blocked; returns which were.">(),
    method<sigpending_, "sigpending($module, /)", "The signals that wait to be unblocked.">(),
    method<sigwait_, "sigwait($module, sigset, /)", "Waits for one of several signals.">(),
    method<sigwaitinfo_, "sigwaitinfo($module, sigset, /)", "Waits for a signal and returns what is known about it.">(),
    method<sigtimedwait_, "sigtimedwait($module, sigset, timeout, /)", "Like sigwaitinfo(), with a limit.">(),
    method<valid_signals, "valid_signals($module, /)", "The signals that programs can use.">(),
    {}};

struct Constant {
  const char* name;
  long value;
};
const Constant kConstants[] = {
#define SIGNAL(name) {#name, name}
    SIGNAL(SIGHUP),    SIGNAL(SIGINT),    SIGNAL(SIGQUIT), SIGNAL(SIGILL),   SIGNAL(SIGTRAP),   SIGNAL(SIGIOT),
    SIGNAL(SIGABRT),   SIGNAL(SIGFPE),    SIGNAL(SIGKILL), SIGNAL(SIGBUS),   SIGNAL(SIGSEGV),   SIGNAL(SIGSYS),
    SIGNAL(SIGPIPE),   SIGNAL(SIGALRM),   SIGNAL(SIGTERM), SIGNAL(SIGUSR1),  SIGNAL(SIGUSR2),   SIGNAL(SIGCLD),
    SIGNAL(SIGCHLD),   SIGNAL(SIGPWR),    SIGNAL(SIGIO),   SIGNAL(SIGURG),   SIGNAL(SIGWINCH),  SIGNAL(SIGPOLL),
    SIGNAL(SIGSTOP),   SIGNAL(SIGTSTP),   SIGNAL(SIGCONT), SIGNAL(SIGTTIN),  SIGNAL(SIGTTOU),   SIGNAL(SIGVTALRM),
    SIGNAL(SIGPROF),   SIGNAL(SIGXCPU),   SIGNAL(SIGXFSZ), SIGNAL(SIGSTKFLT), {"NSIG", Py_NSIG},
    SIGNAL(SIG_BLOCK), SIGNAL(SIG_UNBLOCK), SIGNAL(SIG_SETMASK),
    SIGNAL(ITIMER_REAL), SIGNAL(ITIMER_VIRTUAL), SIGNAL(ITIMER_PROF),
#undef SIGNAL
};

int execute(PyObject* module) {
  ModuleState* state = state_of(module);
  if (PyModule_AddIntConstant(module, "SIG_DFL", reinterpret_cast<long>(SIG_DFL)) < 0) return -1;
  if (PyModule_AddIntConstant(module, "SIG_IGN", reinterpret_cast<long>(SIG_IGN)) < 0) return -1;
  for (const Constant& constant : kConstants) {
    if (PyModule_AddIntConstant(module, constant.name, constant.value) < 0) return -1;
  }
  if (PyModule_AddIntConstant(module, "SIGRTMIN", SIGRTMIN) < 0) return -1;
  if (PyModule_AddIntConstant(module, "SIGRTMAX", SIGRTMAX) < 0) return -1;
  state->itimer_error = PyErr_NewException("signal.itimer_error", PyExc_OSError, nullptr);
  if (state->itimer_error == nullptr || PyModule_AddObjectRef(module, "ItimerError", state->itimer_error) < 0) return -1;
  state->siginfo_type = PyStructSequence_NewType(&kSiginfo);
  if (state->siginfo_type == nullptr || PyModule_AddType(module, state->siginfo_type) < 0) return -1;

  if (_Py_IsMainInterpreter(_PyInterpreterState_GET()) &&
      is_same_handler(handlers[SIGINT].func.load(), default_handler)) {
    PyObject* handler = PyObject_GetAttrString(module, "default_int_handler");
    if (handler == nullptr) return -1;
    Py_XDECREF(handlers[SIGINT].func.exchange(handler));
    PyOS_setsig(SIGINT, handle_signal);
  }
  return 0;
}

int traverse(PyObject* module, visitproc visit, void* arg) {
  ModuleState* state = state_of(module);
  Py_VISIT(state->itimer_error);
  Py_VISIT(state->siginfo_type);
  return 0;
}
int clear(PyObject* module) {
  ModuleState* state = state_of(module);
  Py_CLEAR(state->itimer_error);
  Py_CLEAR(state->siginfo_type);
  return 0;
}
void free_module(void* module) { clear(static_cast<PyObject*>(module)); }

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "_signal",
                          .m_doc = "Setting handlers for signals, sending signals and waiting for them.",
                          .m_size = sizeof(ModuleState),
                          .m_methods = methods,
                          .m_slots = slots,
                          .m_traverse = traverse,
                          .m_clear = clear,
                          .m_free = free_module};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyMODINIT_FUNC PyInit__signal(void) { return PyModuleDef_Init(&definition); }

// ---- Start and end

int _PySignal_Init(int install_signal_handlers) {
  if (default_handler == nullptr) default_handler = PyLong_FromVoidPtr(reinterpret_cast<void*>(SIG_DFL));
  if (ignore_handler == nullptr) ignore_handler = PyLong_FromVoidPtr(reinterpret_cast<void*>(SIG_IGN));
  if (default_handler == nullptr || ignore_handler == nullptr) return -1;
  for (int number = 1; number < Py_NSIG; number++) {
    const PyOS_sighandler_t present = PyOS_getsig(number);
    PyObject* func = present == SIG_DFL ? default_handler : present == SIG_IGN ? ignore_handler : Py_None;
    handlers[number].tripped = false;
    Py_XDECREF(handlers[number].func.exchange(Py_NewRef(func)));
  }
  if (!install_signal_handlers) return 0;
  PyOS_setsig(SIGPIPE, SIG_IGN);
  PyOS_setsig(SIGXFSZ, SIG_IGN);
  for (int number : {SIGPIPE, SIGXFSZ}) {
    // QUIRK: getsignal() tells SIG_IGN for these, as it is what they have been set to.
    Py_XDECREF(handlers[number].func.exchange(Py_NewRef(ignore_handler)));
  }
  // Importing the module installs the handler of SIGINT.
  PyObject* module = PyImport_ImportModule("_signal");
  if (module == nullptr) return -1;
  Py_DECREF(module);
  return 0;
}

void _PySignal_Fini(void) {
  for (int number = 1; number < Py_NSIG; number++) {
    PyObject* func = handlers[number].func.exchange(nullptr);
    handlers[number].tripped = false;
    if (func == nullptr) continue;
    if (func != Py_None && !is_same_handler(func, default_handler) && !is_same_handler(func, ignore_handler)) {
      PyOS_setsig(number, SIG_DFL);
    }
    Py_DECREF(func);
  }
  Py_CLEAR(default_handler);
  Py_CLEAR(ignore_handler);
}

/// Signals that the parent had received are not the child's.
void _PySignal_AfterFork(void) {
  if (!any_tripped.exchange(false)) return;
  for (Handler& handler : handlers) handler.tripped = false;
}

// ---- The API

int _PyErr_CheckSignalsTstate(PyThreadState* tstate) {
  if (LIKELY(!any_tripped.load(std::memory_order_relaxed))) return 0;
  return run_handlers(tstate);
}

int _PyErr_CheckSignals(void) { return _PyErr_CheckSignalsTstate(_PyThreadState_GET()); }

int PyErr_CheckSignals(void) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (!_Py_ThreadCanHandleSignals(tstate->interp)) return 0;
  return _PyErr_CheckSignalsTstate(tstate);
}

int PyErr_SetInterruptEx(int number) {
  if (number < 1 || number >= Py_NSIG) return -1;
  PyObject* func = handlers[number].func.load();
  if (!is_same_handler(func, ignore_handler) && !is_same_handler(func, default_handler)) trip(number);
  return 0;
}

void PyErr_SetInterrupt(void) { PyErr_SetInterruptEx(SIGINT); }

int PySignal_SetWakeupFd(int fd) {
  wakeup.warn_on_full_buffer = true;
  return wakeup.fd.exchange(fd < 0 ? -1 : fd);
}

int _PyOS_InterruptOccurred(PyThreadState* tstate) {
  if (!_Py_ThreadCanHandleSignals(tstate->interp)) return 0;
  return handlers[SIGINT].tripped.exchange(false);
}

int PyOS_InterruptOccurred(void) { return _PyOS_InterruptOccurred(_PyThreadState_GET()); }

extern "C" PyAPI_FUNC(int) _PyOS_IsMainThread(void) { return _Py_ThreadCanHandleSignals(_PyInterpreterState_GET()); }
