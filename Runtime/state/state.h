// Shared by the files of the runtime, interpreter and thread states.
#pragma once

#include "Objects/bind.h"
#include "pycore_interp.h"
#include "pycore_pymem.h"
#include "pycore_pystate.h"
#include "pycore_runtime.h"

extern "C" const _PyRuntimeState pyston_initial_runtime;

namespace pyston {

/// Holds the lock over the lists of interpreters and threads. Nothing that can run Python code, and no Py_DECREF, may
/// happen under it.
class HeadLock {
 public:
  HeadLock() { PyThread_acquire_lock(_PyRuntime.interpreters.mutex, WAIT_LOCK); }
  ~HeadLock() { PyThread_release_lock(_PyRuntime.interpreters.mutex); }
  HeadLock(const HeadLock&) = delete;
  HeadLock& operator=(const HeadLock&) = delete;
};

/// What lives as long as the runtime is allocated with the default raw allocator: the configured one may be exchanged
/// in between.
class DefaultRawAllocator {
 public:
  DefaultRawAllocator() { _PyMem_SetDefaultAllocator(PYMEM_DOMAIN_RAW, &saved_); }
  ~DefaultRawAllocator() { PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &saved_); }
  DefaultRawAllocator(const DefaultRawAllocator&) = delete;
  DefaultRawAllocator& operator=(const DefaultRawAllocator&) = delete;

 private:
  PyMemAllocatorEx saved_;
};

/// Deletes all thread states of an interpreter that is going away. `checked`: the current one must not be among them.
void delete_all_threads(PyInterpreterState* interp);
/// Releases a thread state's data stack.
void free_data_stack(PyThreadState* tstate);
/// The innermost frame that is complete enough to be shown; may be null.
_PyInterpreterFrame* visible_frame(PyThreadState* tstate);

}  // namespace pyston
