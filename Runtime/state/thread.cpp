// Threads of the operating system, locks, and thread-specific storage: the PyThread_* functions.
//
// A lock is one word and a futex. Unlike a mutex it may be released by another thread, and waiting ends early when a
// signal arrives (PY_LOCK_INTR).
#include <atomic>
#include <new>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "Objects/bind.h"
#include "pycore_pystate.h"
#include "pycore_structseq.h"

namespace {

// ---- Locks

enum LockState : uint32_t { kFree = 0, kLocked = 1, kContended = 2 /* locked, and somebody may be waiting */ };

struct Lock {
  std::atomic<uint32_t> state{kFree};

  bool try_acquire() {
    uint32_t expected = kFree;
    return state.compare_exchange_strong(expected, kLocked, std::memory_order_acquire, std::memory_order_relaxed);
  }
  /// `deadline` is on the monotonic clock; null waits forever.
  PyLockStatus wait(const timespec* deadline, bool interruptible) {
    // From here on the lock is taken as contended: whether others wait is not known.
    while (state.exchange(kContended, std::memory_order_acquire) != kFree) {
      const long result = syscall(SYS_futex, &state, FUTEX_WAIT_BITSET_PRIVATE, kContended, deadline, nullptr,
                                  FUTEX_BITSET_MATCH_ANY);
      if (result == 0) continue;
      if (errno == ETIMEDOUT) return PY_LOCK_FAILURE;
      if (errno == EINTR && interruptible) return PY_LOCK_INTR;
    }
    return PY_LOCK_ACQUIRED;
  }
  void release() {
    if (state.exchange(kFree, std::memory_order_release) == kContended) {
      syscall(SYS_futex, &state, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
  }
};
static_assert(sizeof(std::atomic<uint32_t>) == 4);

timespec deadline_after(long long microseconds) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long long seconds = now.tv_sec;
  const long long extra = microseconds / 1'000'000;
  seconds = extra > LLONG_MAX - seconds - 1 ? LLONG_MAX - 1 : seconds + extra;
  long nanoseconds = now.tv_nsec + static_cast<long>(microseconds % 1'000'000) * 1000;
  if (nanoseconds >= 1'000'000'000) {
    nanoseconds -= 1'000'000'000;
    seconds++;
  }
  return {static_cast<time_t>(seconds), nanoseconds};
}

// ---- Starting threads

struct StartArguments {
  void (*function)(void*);
  void* argument;
};

void* thread_main(void* pointer) {
  const StartArguments start = *static_cast<StartArguments*>(pointer);
  PyMem_RawFree(pointer);
  start.function(start.argument);
  return nullptr;
}

constexpr size_t kSmallestStack = 0x8000;

/// sys.thread_info
PyTypeObject ThreadInfoType;
PyStructSequence_Field kThreadInfoFields[] = {{"name", "name of the thread implementation"},
                                              {"lock", "name of the lock implementation"},
                                              {"version", "name and version of the thread library"},
                                              {}};
PyStructSequence_Desc kThreadInfo = {"sys.thread_info", "sys.thread_info\n\nAbout the thread implementation.",
                                     kThreadInfoFields, 3};

}  // namespace

void PyThread_init_thread(void) {}

unsigned long PyThread_get_thread_ident(void) { return static_cast<unsigned long>(pthread_self()); }

unsigned long PyThread_get_thread_native_id(void) { return static_cast<unsigned long>(gettid()); }

unsigned long PyThread_start_new_thread(void (*function)(void*), void* argument) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return PYTHREAD_INVALID_THREAD_ID;
  PyThreadState* tstate = _PyThreadState_GET();
  const size_t stack_size = tstate != nullptr ? tstate->interp->threads.stacksize : 0;
  if (stack_size != 0 && pthread_attr_setstacksize(&attributes, stack_size) != 0) {
    pthread_attr_destroy(&attributes);
    return PYTHREAD_INVALID_THREAD_ID;
  }
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  auto* start = static_cast<StartArguments*>(PyMem_RawMalloc(sizeof(StartArguments)));
  if (start == nullptr) {
    pthread_attr_destroy(&attributes);
    return PYTHREAD_INVALID_THREAD_ID;
  }
  *start = {function, argument};
  pthread_t thread;
  const int status = pthread_create(&thread, &attributes, thread_main, start);
  pthread_attr_destroy(&attributes);
  if (status != 0) {
    PyMem_RawFree(start);
    return PYTHREAD_INVALID_THREAD_ID;
  }
  return static_cast<unsigned long>(thread);
}

void PyThread_exit_thread(void) { pthread_exit(nullptr); }

size_t PyThread_get_stacksize(void) { return _PyInterpreterState_GET()->threads.stacksize; }

int PyThread_set_stacksize(size_t size) {
  if (size == 0) {
    _PyInterpreterState_GET()->threads.stacksize = 0;
    return 0;
  }
  const long smallest = sysconf(_SC_THREAD_STACK_MIN);
  if (size < kSmallestStack || (smallest > 0 && size < static_cast<size_t>(smallest))) return -1;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return -1;
  const int status = pthread_attr_setstacksize(&attributes, size);
  pthread_attr_destroy(&attributes);
  if (status != 0) return -1;
  _PyInterpreterState_GET()->threads.stacksize = size;
  return 0;
}

// ---- Locks

PyThread_type_lock PyThread_allocate_lock(void) {
  void* memory = PyMem_RawMalloc(sizeof(Lock));
  return memory != nullptr ? new (memory) Lock : nullptr;
}

void PyThread_free_lock(PyThread_type_lock lock) { PyMem_RawFree(lock); }

PyLockStatus PyThread_acquire_lock_timed(PyThread_type_lock pointer, PY_TIMEOUT_T microseconds, int interruptible) {
  auto* lock = static_cast<Lock*>(pointer);
  if (LIKELY(lock->try_acquire())) return PY_LOCK_ACQUIRED;
  if (microseconds == 0) return PY_LOCK_FAILURE;
  if (microseconds < 0) return lock->wait(nullptr, interruptible != 0);
  const timespec deadline = deadline_after(microseconds);
  return lock->wait(&deadline, interruptible != 0);
}

int PyThread_acquire_lock(PyThread_type_lock lock, int wait) {
  return PyThread_acquire_lock_timed(lock, wait ? -1 : 0, /*interruptible=*/0);
}

void PyThread_release_lock(PyThread_type_lock lock) { static_cast<Lock*>(lock)->release(); }

/// The old lock is leaked on purpose: its state in the child is undefined, and freeing it may need other locks.
int _PyThread_at_fork_reinit(PyThread_type_lock* lock) {
  PyThread_type_lock fresh = PyThread_allocate_lock();
  if (fresh == nullptr) return -1;
  *lock = fresh;
  return 0;
}

// ---- Thread-specific storage

Py_tss_t* PyThread_tss_alloc(void) {
  auto* key = static_cast<Py_tss_t*>(PyMem_RawMalloc(sizeof(Py_tss_t)));
  if (key != nullptr) *key = Py_tss_NEEDS_INIT;
  return key;
}

void PyThread_tss_free(Py_tss_t* key) {
  if (key == nullptr) return;
  PyThread_tss_delete(key);
  PyMem_RawFree(key);
}

int PyThread_tss_is_created(Py_tss_t* key) { return key->_is_initialized; }

int PyThread_tss_create(Py_tss_t* key) {
  if (key->_is_initialized) return 0;
  if (pthread_key_create(&key->_key, nullptr) != 0) return -1;
  key->_is_initialized = 1;
  return 0;
}

void PyThread_tss_delete(Py_tss_t* key) {
  if (!key->_is_initialized) return;
  pthread_key_delete(key->_key);
  key->_is_initialized = 0;
}

int PyThread_tss_set(Py_tss_t* key, void* value) { return pthread_setspecific(key->_key, value) != 0 ? -1 : 0; }
void* PyThread_tss_get(Py_tss_t* key) { return pthread_getspecific(key->_key); }

#pragma clang diagnostic ignored "-Wdeprecated-declarations"
int PyThread_create_key(void) {
  pthread_key_t key;
  if (pthread_key_create(&key, nullptr) != 0) return -1;
  if (key > INT_MAX) {
    pthread_key_delete(key);
    errno = ENOMEM;
    return -1;
  }
  return static_cast<int>(key);
}
void PyThread_delete_key(int key) { pthread_key_delete(static_cast<pthread_key_t>(key)); }
void PyThread_delete_key_value(int key) { pthread_setspecific(static_cast<pthread_key_t>(key), nullptr); }
int PyThread_set_key_value(int key, void* value) {
  return pthread_setspecific(static_cast<pthread_key_t>(key), value) != 0 ? -1 : 0;
}
void* PyThread_get_key_value(int key) { return pthread_getspecific(static_cast<pthread_key_t>(key)); }
void PyThread_ReInitTLS(void) {}

// ---- sys.thread_info

PyObject* PyThread_GetInfo(void) {
  if (ThreadInfoType.tp_name == nullptr && PyStructSequence_InitType2(&ThreadInfoType, &kThreadInfo) < 0) {
    return nullptr;
  }
  PyObject* info = PyStructSequence_New(&ThreadInfoType);
  if (info == nullptr) return nullptr;
  char version[128];
  const size_t length = confstr(_CS_GNU_LIBPTHREAD_VERSION, version, sizeof version);
  PyObject* fields[] = {PyUnicode_FromString("pthread"), PyUnicode_FromString("semaphore"),
                        length > 0 && length < sizeof version ? PyUnicode_DecodeFSDefault(version)
                                                              : Py_NewRef(Py_None)};
  for (int i = 0; i < 3; i++) PyStructSequence_SET_ITEM(info, i, fields[i]);
  if (PyErr_Occurred()) {
    Py_DECREF(info);
    return nullptr;
  }
  return info;
}

void _PyThread_FiniType(PyInterpreterState* interp) {
  if (_Py_IsMainInterpreter(interp)) _PyStructSequence_FiniType(&ThreadInfoType);
}
