// The process-wide state: its locks, its reset for a second initialisation, its repair after fork().
#include <cstring>

#include "Runtime/state/state.h"
#include "pycore_ceval.h"
#include "pycore_initconfig.h"

using namespace pyston;

namespace {

/// The locks of the runtime, wherever they are.
struct RuntimeLocks {
  PyThread_type_lock* slots[4];
  explicit RuntimeLocks(_PyRuntimeState* runtime)
      : slots{&runtime->interpreters.mutex, &runtime->xidregistry.mutex, &runtime->_main_interpreter.id_mutex,
              &runtime->unicode_ids.lock} {}
};

void free_locks(_PyRuntimeState* runtime) {
  DefaultRawAllocator guard;
  for (PyThread_type_lock* slot : RuntimeLocks(runtime).slots) {
    if (*slot != nullptr) PyThread_free_lock(*slot);
    *slot = nullptr;
  }
}

}  // namespace

PyStatus _PyRuntimeState_Init(_PyRuntimeState* runtime) {
  // Hooks outlive Py_Finalize(), and so do the indices that static identifiers have got.
  const auto open_code_hook = runtime->open_code_hook;
  void* open_code_userdata = runtime->open_code_userdata;
  _Py_AuditHookEntry* audit_hooks = runtime->audit_hook_head;
  const Py_ssize_t next_identifier = runtime->unicode_ids.next_index;

  if (runtime->_initialized) memcpy(static_cast<void*>(runtime), &pyston_initial_runtime, sizeof *runtime);

  PyThread_type_lock locks[4];
  {
    DefaultRawAllocator guard;
    for (PyThread_type_lock& lock : locks) {
      lock = PyThread_allocate_lock();
      if (lock == nullptr) return PyStatus_NoMemory();
    }
  }
  for (int i = 0; i < 4; i++) *RuntimeLocks(runtime).slots[i] = locks[i];

  runtime->open_code_hook = open_code_hook;
  runtime->open_code_userdata = open_code_userdata;
  runtime->audit_hook_head = audit_hooks;
  runtime->unicode_ids.next_index = next_identifier;
  _PyEval_InitRuntimeState(&runtime->ceval);
  PyPreConfig_InitPythonConfig(&runtime->preconfig);
  // Set here, so that a runtime can be initialised by a thread that is not the process's first.
  runtime->main_thread = PyThread_get_thread_ident();
  runtime->_initialized = 1;
  return PyStatus_Ok();
}

void _PyRuntimeState_Fini(_PyRuntimeState* runtime) { free_locks(runtime); }

PyStatus _PyRuntimeState_ReInitThreads(_PyRuntimeState* runtime) {
  runtime->main_thread = PyThread_get_thread_ident();
  int failures = 0;
  {
    DefaultRawAllocator guard;
    for (PyThread_type_lock* slot : RuntimeLocks(runtime).slots) failures += _PyThread_at_fork_reinit(slot) < 0;
  }
  if (failures != 0) return PyStatus_Error("Failed to reinitialize runtime locks");
  return PyStatus_Ok();
}
