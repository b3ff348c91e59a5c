// The faulthandler module: Python tracebacks on fatal signals, after a timeout, and on signals of the user's choice.
//
// Everything called from a signal handler is async-signal-safe: write(2), the dumpers of traceback.c, no allocation.
// Fatal signals run on an alternate stack, so that a stack overflow can be reported, too.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "Objects/bind.h"
#include "pycore_fileutils.h"
#include "pycore_initconfig.h"
#include "pycore_pyerrors.h"
#include "pycore_pylifecycle.h"
#include "pycore_pystate.h"
#include "pycore_signal.h"
#include "pycore_sysmodule.h"
#include "pycore_traceback.h"

namespace pyston {
namespace {

struct FatalSignal {
  int number;
  const char* name;
  bool enabled;
  struct sigaction previous;
};
FatalSignal fatal_signals[] = {
    {SIGBUS, "Bus error", false, {}},
    {SIGILL, "Illegal instruction", false, {}},
    {SIGFPE, "Floating point exception", false, {}},
    {SIGABRT, "Aborted", false, {}},
    // The most probable one is installed last and restored first.
    {SIGSEGV, "Segmentation fault", false, {}},
};

/// Where a dump goes. `file` keeps the descriptor open; null if it was given as a number.
struct Target {
  PyObject* file = nullptr;
  int fd = -1;
  bool all_threads = false;
  PyInterpreterState* interp = nullptr;
};

struct {
  bool enabled = false;
  Target target;
} fatal_error;

struct UserSignal {
  bool enabled;
  Target target;
  bool chain;
  struct sigaction previous;
};
UserSignal user_signals[Py_NSIG];

/// The thread of dump_traceback_later(). It waits for `cancel`, which the main thread holds; it holds `running`.
struct {
  Target target;
  long long timeout_us = 0;
  bool repeat = false;
  bool exit = false;
  char* header = nullptr;
  size_t header_length = 0;
  PyThread_type_lock cancel = nullptr;
  PyThread_type_lock running = nullptr;
} later;

stack_t alternate_stack = {};
stack_t old_stack = {};

Failure raise_os_error() {
  PyErr_SetFromErrno(PyExc_OSError);
  return {};
}

void put(int fd, const char* text) { (void)_Py_write_noraise(fd, text, strlen(text)); }

/// -1 with an exception. `file` becomes the object to keep, borrowed; null for a descriptor.
int descriptor_of(PyObject*& file) {
  if (file == nullptr || file == Py_None) {
    file = _PySys_GetAttr(_PyThreadState_GET(), &_Py_ID(stderr));
    if (file == nullptr) return raise(PyExc_RuntimeError, "unable to get sys.stderr");
    if (file == Py_None) return raise(PyExc_RuntimeError, "sys.stderr is None");
  } else if (PyLong_Check(file)) {
    const int fd = _PyLong_AsInt(file);
    if (fd == -1 && PyErr_Occurred()) return -1;
    if (fd < 0) return raise(PyExc_ValueError, "file is not a valid file descripter");
    file = nullptr;
    return fd;
  }
  auto number = Ref<>::steal(PyObject_CallMethodNoArgs(file, &_Py_ID(fileno)));
  if (!number) return -1;
  int fd = -1;
  if (PyLong_Check(number.get())) {
    const long value = PyLong_AsLong(number.get());
    if (value >= 0 && value < INT_MAX) fd = static_cast<int>(value);
  }
  if (fd == -1) {
    PyErr_Clear();
    return raise(PyExc_RuntimeError, "file.fileno() is not a valid file descriptor");
  }
  // What was printed before shall come before.
  auto flushed = Ref<>::steal(PyObject_CallMethodNoArgs(file, &_Py_ID(flush)));
  if (!flushed) PyErr_Clear();
  return fd;
}

/// The thread state of the caller; null with RuntimeError.
PyThreadState* own_thread_state() {
  PyThreadState* tstate = _PyThreadState_UncheckedGet();
  if (tstate == nullptr) PyErr_SetString(PyExc_RuntimeError, "unable to get the current thread state");
  return tstate;
}

/// In a signal handler. The current thread need not hold the GIL, so its state comes from its own slot.
void dump(int fd, bool all_threads, PyInterpreterState* interp) {
  static volatile sig_atomic_t running = 0;
  if (running) return;  // a signal inside this very function
  running = 1;
  PyThreadState* tstate = PyGILState_GetThisThreadState();
  if (all_threads) {
    (void)_Py_DumpTracebackThreads(fd, nullptr, tstate);
  } else if (tstate != nullptr) {
    _Py_DumpTraceback(fd, tstate);
  }
  running = 0;
}

// ---- Fatal signals

void restore(FatalSignal& signal) {
  if (!signal.enabled) return;
  signal.enabled = false;
  sigaction(signal.number, &signal.previous, nullptr);
}

void handle_fatal(int number) {
  if (!fatal_error.enabled) return;
  const int saved = errno;
  const int fd = fatal_error.target.fd;
  FatalSignal* found = nullptr;
  for (FatalSignal& signal : fatal_signals) {
    if (signal.number == number) found = &signal;
  }
  if (found == nullptr) return;
  restore(*found);
  put(fd, "Fatal Python error: ");
  put(fd, found->name);
  put(fd, "\n\n");
  dump(fd, fatal_error.target.all_threads, fatal_error.target.interp);
  _Py_DumpExtensionModules(fd, fatal_error.target.interp);
  errno = saved;
  // Now to the previous handler, at once (SA_NODEFER).
  ::raise(number);
}

bool enable_fatal() {
  if (fatal_error.enabled) return true;
  fatal_error.enabled = true;
  for (FatalSignal& signal : fatal_signals) {
    struct sigaction action = {};
    action.sa_handler = handle_fatal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_NODEFER;
    if (alternate_stack.ss_sp != nullptr) action.sa_flags |= SA_ONSTACK;
    if (sigaction(signal.number, &action, &signal.previous) != 0) {
      PyErr_SetFromErrno(PyExc_RuntimeError);
      return false;
    }
    signal.enabled = true;
  }
  return true;
}

void disable_fatal() {
  if (fatal_error.enabled) {
    fatal_error.enabled = false;
    for (FatalSignal& signal : fatal_signals) restore(signal);
  }
  Py_CLEAR(fatal_error.target.file);
}

Ref<> enable(Borrowed<>, PyObject* file, Optional<bool> all_threads) {
  const int fd = descriptor_of(file);
  if (fd < 0) return nullptr;
  PyThreadState* tstate = own_thread_state();
  if (tstate == nullptr) return nullptr;
  Py_XINCREF(file);
  Py_XSETREF(fatal_error.target.file, file);
  fatal_error.target.fd = fd;
  fatal_error.target.all_threads = all_threads.value_or(true);
  fatal_error.target.interp = tstate->interp;
  if (!enable_fatal()) return nullptr;
  return Ref<>::none();
}

Ref<> disable(Borrowed<>) {
  const bool was_enabled = fatal_error.enabled;
  disable_fatal();
  return Ref<>::steal(PyBool_FromLong(was_enabled));
}

Ref<> is_enabled(Borrowed<>) { return Ref<>::steal(PyBool_FromLong(fatal_error.enabled)); }

// ---- On request

Ref<> dump_traceback(Borrowed<>, PyObject* file, Optional<bool> all_threads) {
  const int fd = descriptor_of(file);
  if (fd < 0) return nullptr;
  PyThreadState* tstate = own_thread_state();
  if (tstate == nullptr) return nullptr;
  if (all_threads.value_or(true)) {
    const char* error = _Py_DumpTracebackThreads(fd, nullptr, tstate);
    if (error != nullptr) return raise(PyExc_RuntimeError, error);
  } else {
    _Py_DumpTraceback(fd, tstate);
  }
  if (PyErr_CheckSignals() != 0) return nullptr;
  return Ref<>::none();
}

// ---- After a timeout

void watch(void*) {
  // Signals are for the main thread.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  PyLockStatus status;
  do {
    status = PyThread_acquire_lock_timed(later.cancel, later.timeout_us, 0);
    if (status == PY_LOCK_ACQUIRED) {
      PyThread_release_lock(later.cancel);
      break;
    }
    (void)_Py_write_noraise(later.target.fd, later.header, later.header_length);
    const char* error = _Py_DumpTracebackThreads(later.target.fd, later.target.interp, nullptr);
    if (later.exit) _exit(1);
    if (error != nullptr) break;
  } while (later.repeat);
  PyThread_release_lock(later.running);
}

void cancel_later() {
  if (later.cancel == nullptr) return;
  // Wakes the thread, waits for its end, and takes the lock back.
  PyThread_release_lock(later.cancel);
  PyThread_acquire_lock(later.running, WAIT_LOCK);
  PyThread_release_lock(later.running);
  PyThread_acquire_lock(later.cancel, WAIT_LOCK);
  Py_CLEAR(later.target.file);
  PyMem_Free(later.header);
  later.header = nullptr;
}

char* format_header(long long us) {
  const long long seconds = us / 1'000'000;
  char buffer[100];
  const auto h = static_cast<unsigned long>(seconds / 3600);
  const auto m = static_cast<unsigned long>(seconds / 60 % 60);
  const auto s = static_cast<unsigned long>(seconds % 60);
  const auto fraction = static_cast<unsigned>(us % 1'000'000);
  if (fraction != 0) {
    PyOS_snprintf(buffer, sizeof buffer, "Timeout (%lu:%02lu:%02lu.%06u)!\n", h, m, s, fraction);
  } else {
    PyOS_snprintf(buffer, sizeof buffer, "Timeout (%lu:%02lu:%02lu)!\n", h, m, s);
  }
  return _PyMem_Strdup(buffer);
}

Ref<> dump_traceback_later(Borrowed<>, Borrowed<> timeout, Optional<bool> repeat, PyObject* file, Optional<bool> exit) {
  _PyTime_t time;
  if (_PyTime_FromSecondsObject(&time, timeout, _PyTime_ROUND_TIMEOUT) < 0) return nullptr;
  const _PyTime_t us = _PyTime_AsMicroseconds(time, _PyTime_ROUND_TIMEOUT);
  if (us <= 0) return raise(PyExc_ValueError, "timeout must be greater than 0");
  if (us > PY_TIMEOUT_MAX) return raise(PyExc_OverflowError, "timeout value is too large");
  PyThreadState* tstate = own_thread_state();
  if (tstate == nullptr) return nullptr;
  const int fd = descriptor_of(file);
  if (fd < 0) return nullptr;
  if (later.running == nullptr) {
    later.running = PyThread_allocate_lock();
    if (later.running == nullptr) return Ref<>::steal(PyErr_NoMemory());
  }
  if (later.cancel == nullptr) {
    later.cancel = PyThread_allocate_lock();
    if (later.cancel == nullptr) return Ref<>::steal(PyErr_NoMemory());
    PyThread_acquire_lock(later.cancel, WAIT_LOCK);
  }
  char* header = format_header(us);
  if (header == nullptr) return Ref<>::steal(PyErr_NoMemory());
  cancel_later();

  Py_XINCREF(file);
  later.target = {file, fd, true, tstate->interp};
  later.timeout_us = us;
  later.repeat = repeat.value_or(false);
  later.exit = exit.value_or(false);
  later.header = header;
  later.header_length = strlen(header);
  PyThread_acquire_lock(later.running, WAIT_LOCK);
  if (PyThread_start_new_thread(watch, nullptr) == PYTHREAD_INVALID_THREAD_ID) {
    PyThread_release_lock(later.running);
    Py_CLEAR(later.target.file);
    PyMem_Free(header);
    later.header = nullptr;
    return raise(PyExc_RuntimeError, "unable to start watchdog thread");
  }
  return Ref<>::none();
}

Ref<> cancel_dump_traceback_later(Borrowed<>) {
  cancel_later();
  return Ref<>::none();
}

// ---- On signals of the user's choice

void handle_user(int number) {
  UserSignal& user = user_signals[number];
  if (!user.enabled) return;
  const int saved = errno;
  dump(user.target.fd, user.target.all_threads, user.target.interp);
  if (user.chain) {
    struct sigaction own;
    sigaction(number, &user.previous, &own);
    errno = saved;
    ::raise(number);  // to the previous handler
    sigaction(number, &own, nullptr);
  }
  errno = saved;
}

bool check_number(int number) {
  for (const FatalSignal& signal : fatal_signals) {
    if (signal.number == number) {
      PyErr_Format(PyExc_RuntimeError, "signal %i cannot be registered, use enable() instead", number);
      return false;
    }
  }
  if (number >= 1 && number < Py_NSIG) return true;
  PyErr_SetString(PyExc_ValueError, "signal number out of range");
  return false;
}

Ref<> register_(Borrowed<>, int signum, PyObject* file, Optional<bool> all_threads, Optional<bool> chain) {
  if (!check_number(signum)) return nullptr;
  PyThreadState* tstate = own_thread_state();
  if (tstate == nullptr) return nullptr;
  const int fd = descriptor_of(file);
  if (fd < 0) return nullptr;
  UserSignal& user = user_signals[signum];
  if (!user.enabled) {
    struct sigaction action = {};
    action.sa_handler = handle_user;
    sigemptyset(&action.sa_mask);
    // With a chain the previous handler has to be entered while this one runs.
    action.sa_flags = chain.value_or(false) ? SA_NODEFER : SA_RESTART;
    if (alternate_stack.ss_sp != nullptr) action.sa_flags |= SA_ONSTACK;
    if (sigaction(signum, &action, &user.previous) != 0) return raise_os_error();
  }
  Py_XINCREF(file);
  Py_XSETREF(user.target.file, file);
  user.target.fd = fd;
  user.target.all_threads = all_threads.value_or(true);
  user.target.interp = tstate->interp;
  user.chain = chain.value_or(false);
  user.enabled = true;
  return Ref<>::none();
}

bool unregister_signal(int number) {
  UserSignal& user = user_signals[number];
  if (!user.enabled) return false;
  user.enabled = false;
  sigaction(number, &user.previous, nullptr);
  Py_CLEAR(user.target.file);
  user.target.fd = -1;
  return true;
}

Ref<> unregister(Borrowed<>, int signum) {
  if (!check_number(signum)) return nullptr;
  return Ref<>::steal(PyBool_FromLong(unregister_signal(signum)));
}

// ---- Deliberate faults, for tests

/// A core dump would only cost time.
void suppress_core_dump() {
  rlimit limit;
  if (getrlimit(RLIMIT_CORE, &limit) == 0) {
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &limit);
  }
}

Ref<> read_null(Borrowed<>) {
  suppress_core_dump();
  volatile int* address = nullptr;
  const int value = *address;
  return Ref<>::steal(PyLong_FromLong(value));
}

void raise_segv() {
  suppress_core_dump();
  ::raise(SIGSEGV);
}

Ref<> sigsegv(Borrowed<>, Optional<bool> release_gil) {
  if (release_gil.value_or(false)) {
    Py_BEGIN_ALLOW_THREADS;
    raise_segv();
    Py_END_ALLOW_THREADS;
  } else {
    raise_segv();
  }
  return Ref<>::none();
}

Ref<> fatal_error_c_thread(Borrowed<>) {
  auto* lock = PyThread_allocate_lock();
  if (lock == nullptr) return Ref<>::steal(PyErr_NoMemory());
  PyThread_acquire_lock(lock, WAIT_LOCK);
  const unsigned long thread = PyThread_start_new_thread(
      [](void* pointer) {
        _Py_FatalErrorFunc("faulthandler_fatal_error_thread", "in new thread");
        PyThread_release_lock(pointer);
      },
      lock);
  if (thread == PYTHREAD_INVALID_THREAD_ID) {
    PyThread_free_lock(lock);
    return raise(PyExc_RuntimeError, "unable to start the thread");
  }
  PyThread_acquire_lock(lock, WAIT_LOCK);
  PyThread_release_lock(lock);
  PyThread_free_lock(lock);
  return Ref<>::none();
}

Ref<> sigfpe(Borrowed<>) {
  suppress_core_dump();
  ::raise(SIGFPE);
  return Ref<>::none();
}

Ref<> sigabrt(Borrowed<>) {
  suppress_core_dump();
  abort();
}

constexpr uintptr_t kOverflowLimit = 100u << 20;

#pragma clang diagnostic ignored "-Winfinite-recursion"
NEVER_INLINE uintptr_t overflow_stack(uintptr_t low, uintptr_t high, size_t* depth) {
  volatile unsigned char buffer[4096];
  const auto here = reinterpret_cast<uintptr_t>(&buffer[0]);
  (*depth)++;
  if (here < low || high < here) return here;
  buffer[0] = 1;
  buffer[4095] = 0;
  const uintptr_t result = overflow_stack(low, high, depth);
  buffer[1] = 2;
  return result;
}

Ref<> stack_overflow(Borrowed<>) {
  suppress_core_dump();
  size_t depth = 0;
  const auto here = reinterpret_cast<uintptr_t>(&depth);
  const uintptr_t low = here > kOverflowLimit ? here - kOverflowLimit : 0;
  const uintptr_t high = here < UINTPTR_MAX - kOverflowLimit ? here + kOverflowLimit : UINTPTR_MAX;
  const uintptr_t end = overflow_stack(low, high, &depth);
  const size_t size = here > end ? here - end : end - here;
  return raise(PyExc_RuntimeError, "unable to raise a stack overflow (allocated %zu bytes on the stack, %zu recursive calls)",
               size, depth);
}

// ---- The module

PyMethodDef methods[] = {
    method<enable, "enable($module, /, file=sys.stderr, all_threads=True)", "Reports fatal signals with a traceback.">(),
    method<disable, "disable($module, /)", "Undoes enable(); tells whether it was in effect.">(),
    method<is_enabled, "is_enabled($module, /)", "Whether enable() is in effect.">(),
    method<dump_traceback, "dump_traceback($module, /, file=sys.stderr, all_threads=True)",
           "Writes the tracebacks of one or all threads.">(),
    method<dump_traceback_later,
           "dump_traceback_later($module, /, timeout, repeat=False, file=sys.stderr, exit=False)",
           "Writes the tracebacks of all threads after a number of seconds.">(),
    method<cancel_dump_traceback_later, "cancel_dump_traceback_later($module, /)",
           "Undoes dump_traceback_later().">(),
    method<register_, "register($module, /, signum, file=sys.stderr, all_threads=True, chain=False)",
           "Writes tracebacks whenever a signal arrives.">(),
    method<unregister, "unregister($module, signum, /)", "Undoes register(); tells whether it was in effect.">(),
    method<read_null, "_read_null($module, /)", "Reads from the address 0.">(),
    method<sigsegv, "_sigsegv($module, release_gil=False, /)", "Raises SIGSEGV.">(),
    method<fatal_error_c_thread, "_fatal_error_c_thread($module, /)", "Calls Py_FatalError() in a new C thread.">(),
    method<sigabrt, "_sigabrt($module, /)", "Raises SIGABRT.">(),
    method<sigfpe, "_sigfpe($module, /)", "Raises SIGFPE.">(),
    method<stack_overflow, "_stack_overflow($module, /)", "Recurses until the C stack overflows.">(),
    {}};

int traverse(PyObject*, visitproc visit, void* arg) {
  Py_VISIT(later.target.file);
  for (UserSignal& user : user_signals) Py_VISIT(user.target.file);
  Py_VISIT(fatal_error.target.file);
  return 0;
}

PyModuleDef_Slot slots[] = {{}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "faulthandler",
                          .m_doc = "Python tracebacks for crashes.",
                          .m_methods = methods,
                          .m_slots = slots,
                          .m_traverse = traverse};

bool call_enable() {
  auto module = Ref<>::steal(PyImport_ImportModule("faulthandler"));
  if (!module) return false;
  auto result = Ref<>::steal(PyObject_CallMethod(module.get(), "enable", nullptr));
  return static_cast<bool>(result);
}

}  // namespace
}  // namespace pyston

using namespace pyston;

PyMODINIT_FUNC PyInit_faulthandler(void) { return PyModuleDef_Init(&definition); }

PyStatus _PyFaulthandler_Init(int enable) {
  // Twice the usual size, and what the kernel saves of the processor's state (AVX-512 is large).
  unsigned long size = getauxval(AT_MINSIGSTKSZ) + static_cast<unsigned long>(SIGSTKSZ) * 2;
  alternate_stack = {};
  alternate_stack.ss_size = size;
  alternate_stack.ss_sp = PyMem_RawMalloc(size);  // raw: released after fatal errors, too, without the GIL
  if (alternate_stack.ss_sp != nullptr && sigaltstack(&alternate_stack, &old_stack) != 0) {
    PyMem_RawFree(alternate_stack.ss_sp);
    alternate_stack.ss_sp = nullptr;
  }
  later = {};
  if (enable && !call_enable()) return PyStatus_Error("failed to enable faulthandler");
  return PyStatus_Ok();
}

void _PyFaulthandler_Fini(void) {
  if (later.cancel != nullptr) {
    cancel_later();
    PyThread_release_lock(later.cancel);
    PyThread_free_lock(later.cancel);
    later.cancel = nullptr;
  }
  if (later.running != nullptr) {
    PyThread_free_lock(later.running);
    later.running = nullptr;
  }
  for (int number = 0; number < Py_NSIG; number++) unregister_signal(number);
  disable_fatal();
  if (alternate_stack.ss_sp != nullptr) {
    // Only if the stack is still the current one.
    stack_t current;
    if (sigaltstack(nullptr, &current) == 0 && current.ss_sp == alternate_stack.ss_sp) {
      if (old_stack.ss_sp == nullptr) {
        old_stack.ss_flags |= SS_DISABLE;
        old_stack.ss_size = alternate_stack.ss_size;
      }
      sigaltstack(&old_stack, nullptr);
    }
    PyMem_RawFree(alternate_stack.ss_sp);
    alternate_stack.ss_sp = nullptr;
  }
}
