// The global interpreter lock, and the eval breaker through which other threads, signals and pending calls get the
// attention of the thread that runs bytecode.
//
// A thread that wants the lock waits; after the switch interval it sets gil_drop_request. The holder sees the eval
// breaker at the next call, loop edge or function entry, lets go, and waits until somebody else has had the lock
// (forced switching), so that waiting threads are not starved by a busy one.
//
// INVARIANT: eval_breaker is non-zero whenever gil_drop_request, a signal or pending call that this thread may handle, or an
// asynchronous exception is outstanding. Spurious non-zero values are harmless: handle_pending recomputes.
#include <cerrno>
#include <ctime>

#include "Interpreter/eval/eval.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_gil.h"
#include "internal/pycore_initconfig.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_runtime.h"

namespace {

constexpr unsigned long kDefaultInterval = 5000;  // microseconds

int load(const _Py_atomic_int* value) {
  return __atomic_load_n(reinterpret_cast<const int*>(value), __ATOMIC_ACQUIRE);
}
void store(_Py_atomic_int* target, int value) {
  __atomic_store_n(reinterpret_cast<int*>(target), value, __ATOMIC_RELEASE);
}
PyThreadState* load_holder(_gil_runtime_state& gil) {
  return reinterpret_cast<PyThreadState*>(
      __atomic_load_n(reinterpret_cast<uintptr_t*>(&gil.last_holder), __ATOMIC_RELAXED));
}
void store_holder(_gil_runtime_state& gil, PyThreadState* holder) {
  __atomic_store_n(reinterpret_cast<uintptr_t*>(&gil.last_holder), reinterpret_cast<uintptr_t>(holder),
                   __ATOMIC_RELAXED);
}

void check_pthread(int status, const char* what) {
  if (status != 0) Py_FatalError(what);
}
#define LOCK(mutex) check_pthread(pthread_mutex_lock(&(mutex)), "pthread_mutex_lock failed")
#define UNLOCK(mutex) check_pthread(pthread_mutex_unlock(&(mutex)), "pthread_mutex_unlock failed")

void init_condition(pthread_cond_t& condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  check_pthread(pthread_cond_init(&condition, &attributes), "pthread_cond_init failed");
  pthread_condattr_destroy(&attributes);
}

/// True when the wait timed out.
bool wait_for(pthread_cond_t& condition, pthread_mutex_t& mutex, unsigned long microseconds) {
  timespec deadline;
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  deadline.tv_sec += microseconds / 1000000;
  deadline.tv_nsec += (microseconds % 1000000) * 1000;
  if (deadline.tv_nsec >= 1000000000) {
    deadline.tv_nsec -= 1000000000;
    deadline.tv_sec++;
  }
  int status = pthread_cond_timedwait(&condition, &mutex, &deadline);
  if (status != 0 && status != ETIMEDOUT) Py_FatalError("pthread_cond_timedwait failed");
  return status == ETIMEDOUT;
}

// --- the eval breaker ---------------------------------------------------------------------------------------------

void compute_eval_breaker(PyInterpreterState* interp) {
  _ceval_runtime_state& runtime = interp->runtime->ceval;
  _ceval_state& ceval = interp->ceval;
  store(&ceval.eval_breaker,
        load(&ceval.gil_drop_request) | (load(&runtime.signals_pending) && _Py_ThreadCanHandleSignals(interp)) |
            (load(&ceval.pending.calls_to_do) && _Py_ThreadCanHandlePendingCalls()) | ceval.pending.async_exc);
}

void request_gil_drop(PyInterpreterState* interp) {
  store(&interp->ceval.gil_drop_request, 1);
  store(&interp->ceval.eval_breaker, 1);
}

void reset_gil_drop_request(PyInterpreterState* interp) {
  store(&interp->ceval.gil_drop_request, 0);
  compute_eval_breaker(interp);
}

// --- taking and dropping ------------------------------------------------------------------------------------------

bool gil_exists(_gil_runtime_state& gil) { return load(&gil.locked) >= 0; }

void create_gil(_gil_runtime_state& gil) {
  check_pthread(pthread_mutex_init(&gil.mutex, nullptr), "pthread_mutex_init failed");
  check_pthread(pthread_mutex_init(&gil.switch_mutex, nullptr), "pthread_mutex_init failed");
  init_condition(gil.cond);
  init_condition(gil.switch_cond);
  store_holder(gil, nullptr);
  store(&gil.locked, 0);
}

void destroy_gil(_gil_runtime_state& gil) {
  pthread_cond_destroy(&gil.cond);
  pthread_mutex_destroy(&gil.mutex);
  pthread_cond_destroy(&gil.switch_cond);
  pthread_mutex_destroy(&gil.switch_mutex);
  store(&gil.locked, -1);
}

/// Once the runtime finalises, every other thread ends where it next wants the lock.
bool must_exit(PyThreadState* tstate) {
  PyThreadState* finalizing = _PyRuntimeState_GetFinalizing(&_PyRuntime);
  return finalizing != nullptr && finalizing != tstate;
}

void drop_gil(PyInterpreterState* interp, PyThreadState* tstate) {
  _gil_runtime_state& gil = _PyRuntime.ceval.gil;
  if (!load(&gil.locked)) Py_FatalError("drop_gil: GIL is not locked");
  // tstate may be null: the holder is being deleted.
  if (tstate != nullptr) store_holder(gil, tstate);
  LOCK(gil.mutex);
  store(&gil.locked, 0);
  pthread_cond_signal(&gil.cond);
  UNLOCK(gil.mutex);

  if (tstate != nullptr && load(&interp->ceval.gil_drop_request)) {
    LOCK(gil.switch_mutex);
    if (load_holder(gil) == tstate) {
      reset_gil_drop_request(interp);
      // Not timed: the one who asked is waiting for the lock and will take it.
      pthread_cond_wait(&gil.switch_cond, &gil.switch_mutex);
    }
    UNLOCK(gil.switch_mutex);
  }
}

void take_gil(PyThreadState* tstate) {
  int saved_errno = errno;
  if (must_exit(tstate)) PyThread_exit_thread();
  PyInterpreterState* interp = tstate->interp;
  _gil_runtime_state& gil = _PyRuntime.ceval.gil;

  bool requested = false;
  LOCK(gil.mutex);
  while (load(&gil.locked)) {
    unsigned long switches = gil.switch_number;
    unsigned long interval = gil.interval >= 1 ? gil.interval : 1;
    bool timed_out = wait_for(gil.cond, gil.mutex, interval);
    if (timed_out && load(&gil.locked) && gil.switch_number == switches) {
      if (must_exit(tstate)) {
        // A request made before would let the holder wait for this thread's turn, which never comes. Under the mutex: the
        // holder looks at the request after it has dropped the lock.
        if (requested) reset_gil_drop_request(interp);
        UNLOCK(gil.mutex);
        PyThread_exit_thread();
      }
      request_gil_drop(interp);
      requested = true;
    }
  }
  // The thread that dropped the lock waits on switch_cond for this very moment.
  LOCK(gil.switch_mutex);
  store(&gil.locked, 1);
  if (tstate != load_holder(gil)) {
    store_holder(gil, tstate);
    ++gil.switch_number;
  }
  pthread_cond_signal(&gil.switch_cond);
  UNLOCK(gil.switch_mutex);

  if (must_exit(tstate)) {
    // Finalisation began while this thread waited: it must not touch its thread state any more.
    UNLOCK(gil.mutex);
    drop_gil(interp, nullptr);
    PyThread_exit_thread();
  }
  if (load(&interp->ceval.gil_drop_request)) {
    reset_gil_drop_request(interp);
  } else {
    // What this thread may handle (signals: only the main thread) differs from the last holder's.
    compute_eval_breaker(interp);
  }
  if (tstate->async_exc != nullptr) _PyEval_SignalAsyncExc(interp);
  UNLOCK(gil.mutex);
  errno = saved_errno;
}

void ensure_tstate(PyThreadState* tstate, const char* function) {
  if (tstate == nullptr) _Py_FatalError_TstateNULL(function);
}

}  // namespace

// --- life cycle ---------------------------------------------------------------------------------------------------

void _PyEval_InitRuntimeState(_ceval_runtime_state* ceval) {
  store(&ceval->gil.locked, -1);
  ceval->gil.interval = kDefaultInterval;
}

void _PyEval_InitState(_ceval_state* ceval, PyThread_type_lock pending_lock) {
  ceval->recursion_limit = Py_DEFAULT_RECURSION_LIMIT;
  ceval->pending.lock = pending_lock;
}

void _PyEval_FiniState(_ceval_state* ceval) {
  if (ceval->pending.lock != nullptr) {
    PyThread_free_lock(ceval->pending.lock);
    ceval->pending.lock = nullptr;
  }
}

PyStatus _PyEval_InitGIL(PyThreadState* tstate) {
  if (!_Py_IsMainInterpreter(tstate->interp)) return PyStatus_Ok();  // one lock for all interpreters
  PyThread_init_thread();
  create_gil(_PyRuntime.ceval.gil);
  take_gil(tstate);
  return PyStatus_Ok();
}

void _PyEval_FiniGIL(PyInterpreterState* interp) {
  if (!_Py_IsMainInterpreter(interp)) return;
  if (gil_exists(_PyRuntime.ceval.gil)) destroy_gil(_PyRuntime.ceval.gil);
}

int _PyEval_ThreadsInitialized(pyruntimestate* runtime) { return gil_exists(runtime->ceval.gil); }
int PyEval_ThreadsInitialized(void) { return _PyEval_ThreadsInitialized(&_PyRuntime); }
void PyEval_InitThreads(void) {}

PyStatus _PyEval_ReInitThreads(PyThreadState* tstate) {
  if (!gil_exists(_PyRuntime.ceval.gil)) return PyStatus_Ok();
  create_gil(_PyRuntime.ceval.gil);  // other holders and waiters are gone with the fork
  take_gil(tstate);
  if (_PyThread_at_fork_reinit(&tstate->interp->ceval.pending.lock) < 0) {
    return PyStatus_Error("Can't reinitialize pending calls lock");
  }
  _PyThreadState_DeleteExcept(&_PyRuntime, tstate);
  return PyStatus_Ok();
}

// --- entering and leaving -----------------------------------------------------------------------------------------

void PyEval_AcquireLock(void) {
  PyThreadState* tstate = _PyThreadState_GET();
  ensure_tstate(tstate, __func__);
  take_gil(tstate);
}

void PyEval_ReleaseLock(void) {
  // The thread state need not be valid: it may have been deleted.
  PyThreadState* tstate = _PyThreadState_GET();
  drop_gil(_PyRuntime.interpreters.main, tstate);
}

void _PyEval_ReleaseLock(PyThreadState* tstate) { drop_gil(tstate->interp, tstate); }

void PyEval_AcquireThread(PyThreadState* tstate) {
  ensure_tstate(tstate, __func__);
  take_gil(tstate);
  if (_PyThreadState_Swap(&_PyRuntime.gilstate, tstate) != nullptr) Py_FatalError("non-NULL old thread state");
}

void PyEval_ReleaseThread(PyThreadState* tstate) {
  if (_PyThreadState_Swap(&_PyRuntime.gilstate, nullptr) != tstate) Py_FatalError("wrong thread state");
  drop_gil(tstate->interp, tstate);
}

PyThreadState* PyEval_SaveThread(void) {
  PyThreadState* tstate = _PyThreadState_Swap(&_PyRuntime.gilstate, nullptr);
  ensure_tstate(tstate, __func__);
  drop_gil(tstate->interp, tstate);
  return tstate;
}

void PyEval_RestoreThread(PyThreadState* tstate) {
  ensure_tstate(tstate, __func__);
  take_gil(tstate);
  _PyThreadState_Swap(&_PyRuntime.gilstate, tstate);
}

void _PyEval_SetSwitchInterval(unsigned long microseconds) { _PyRuntime.ceval.gil.interval = microseconds; }
unsigned long _PyEval_GetSwitchInterval(void) { return _PyRuntime.ceval.gil.interval; }

// --- signals, asynchronous exceptions, pending calls ----------------------------------------------------------------

void _PyEval_SignalReceived(PyInterpreterState* interp) {
  // Runs in a signal handler. The breaker is set even when this thread cannot handle signals: the main thread's next
  // look at it recomputes.
  store(&interp->runtime->ceval.signals_pending, 1);
  store(&interp->ceval.eval_breaker, 1);
}

void _PyEval_SignalAsyncExc(PyInterpreterState* interp) {
  interp->ceval.pending.async_exc = 1;
  store(&interp->ceval.eval_breaker, 1);
}

int _PyEval_AddPendingCall(PyInterpreterState* interp, int (*func)(void*), void* arg) {
  _pending_calls& pending = interp->ceval.pending;
  PyThread_acquire_lock(pending.lock, WAIT_LOCK);
  int next = (pending.last + 1) % NPENDINGCALLS;
  int result = -1;
  if (next != pending.first) {  // a ring with one slot always free
    pending.calls[pending.last].func = func;
    pending.calls[pending.last].arg = arg;
    pending.last = next;
    result = 0;
  }
  PyThread_release_lock(pending.lock);
  store(&pending.calls_to_do, 1);
  store(&interp->ceval.eval_breaker, 1);
  return result;
}

int Py_AddPendingCall(int (*func)(void*), void* arg) {
  // Callable without the GIL, from any thread.
  PyThreadState* tstate = _PyThreadState_GET();
  PyInterpreterState* interp = tstate != nullptr ? tstate->interp : _PyInterpreterState_Main();
  return _PyEval_AddPendingCall(interp, func, arg);
}

namespace {

int handle_signals(PyThreadState* tstate) {
  if (!_Py_ThreadCanHandleSignals(tstate->interp)) return 0;
  store(&_PyRuntime.ceval.signals_pending, 0);
  compute_eval_breaker(tstate->interp);
  if (_PyErr_CheckSignalsTstate(tstate) < 0) {
    // More handlers may be waiting behind the one that raised.
    store(&_PyRuntime.ceval.signals_pending, 1);
    store(&tstate->interp->ceval.eval_breaker, 1);
    return -1;
  }
  return 0;
}

bool pending_calls_busy = false;  // guarded by the GIL; only the main thread runs pending calls

int make_pending_calls(PyInterpreterState* interp) {
  if (!_Py_ThreadCanHandlePendingCalls()) return 0;
  if (pending_calls_busy) return 0;  // a pending call runs Python code
  pending_calls_busy = true;
  _pending_calls& pending = interp->ceval.pending;
  store(&pending.calls_to_do, 0);
  compute_eval_breaker(interp);
  int result = 0;
  // A bound on one go: calls may add calls.
  for (int i = 0; i < NPENDINGCALLS && result == 0; i++) {
    PyThread_acquire_lock(pending.lock, WAIT_LOCK);
    int (*func)(void*) = nullptr;
    void* arg = nullptr;
    if (pending.first != pending.last) {
      func = pending.calls[pending.first].func;
      arg = pending.calls[pending.first].arg;
      pending.first = (pending.first + 1) % NPENDINGCALLS;
    }
    PyThread_release_lock(pending.lock);
    if (func == nullptr) break;
    result = func(arg);
  }
  pending_calls_busy = false;
  if (result != 0) {
    store(&pending.calls_to_do, 1);
    store(&interp->ceval.eval_breaker, 1);
    return -1;
  }
  return 0;
}

}  // namespace

void _Py_FinishPendingCalls(PyThreadState* tstate) {
  if (!load(&tstate->interp->ceval.pending.calls_to_do)) return;
  if (make_pending_calls(tstate->interp) < 0) {
    PyObject *type, *value, *traceback;
    _PyErr_Fetch(tstate, &type, &value, &traceback);
    PyErr_BadInternalCall();
    _PyErr_ChainExceptions(type, value, traceback);
    _PyErr_Print(tstate);
  }
}

int Py_MakePendingCalls(void) {
  PyThreadState* tstate = _PyThreadState_GET();
  int status = handle_signals(tstate);
  if (status != 0) return status;
  return make_pending_calls(tstate->interp);
}

int pyston::handle_pending(PyThreadState* tstate) {
  PyInterpreterState* interp = tstate->interp;
  if (load(&_PyRuntime.ceval.signals_pending) && handle_signals(tstate) != 0) return -1;
  if (load(&interp->ceval.pending.calls_to_do) && make_pending_calls(interp) != 0) return -1;
  if (load(&interp->ceval.gil_drop_request)) {
    if (_PyThreadState_Swap(&_PyRuntime.gilstate, nullptr) != tstate) Py_FatalError("tstate mix-up");
    drop_gil(interp, tstate);
    take_gil(tstate);
    if (_PyThreadState_Swap(&_PyRuntime.gilstate, tstate) != nullptr) Py_FatalError("orphan tstate");
  }
  if (tstate->async_exc != nullptr) {
    PyObject* exception = std::exchange(tstate->async_exc, nullptr);
    interp->ceval.pending.async_exc = 0;
    compute_eval_breaker(interp);
    _PyErr_SetNone(tstate, exception);
    Py_DECREF(exception);
    return -1;
  }
  compute_eval_breaker(interp);
  return 0;
}
