// Shared by the files of the _thread module.
#pragma once

#include "Objects/bind.h"
#include "pycore_pystate.h"

namespace pyston::thread_module {

struct ModuleState {
  PyTypeObject* excepthook_args_type;
  PyTypeObject* lock_type;
  PyTypeObject* local_type;
  PyTypeObject* token_type;
};

extern PyModuleDef definition;

inline ModuleState* state_of(PyObject* module) { return static_cast<ModuleState*>(PyModule_GetState(module)); }

/// locks.cpp
extern PyType_Spec lock_spec;
extern PyType_Spec rlock_spec;
PyObject* new_lock(PyTypeObject* type);
/// Releases a lock if it is held; for the sentinel at a thread's end.
void release_if_held(PyObject* lock);

/// local.cpp
extern PyType_Spec local_spec;
extern PyType_Spec token_spec;

}  // namespace pyston::thread_module
