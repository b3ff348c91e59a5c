// Interpreters: creation, teardown, identity, per-interpreter modules, and data that may cross between them.
#include <cstring>

#include "Runtime/state/state.h"
#include "pycore_ceval.h"
#include "pycore_initconfig.h"
#include "pycore_object.h"
#include "pycore_pyerrors.h"
#include "pycore_pylifecycle.h"
#include "pycore_sysmodule.h"

using namespace pyston;

// ---- Creation

PyStatus _PyInterpreterState_Enable(_PyRuntimeState* runtime) {
  auto& interpreters = runtime->interpreters;
  interpreters.next_id = 0;
  // Py_Finalize() frees the lock; _PyRuntimeState_Init() makes it, unless only this function is called again.
  if (interpreters.mutex == nullptr) {
    DefaultRawAllocator guard;
    interpreters.mutex = PyThread_allocate_lock();
    if (interpreters.mutex == nullptr) return PyStatus_Error("Can't initialize threads for interpreter");
  }
  return PyStatus_Ok();
}

namespace {

void initialise(PyInterpreterState* interp, int64_t id, PyInterpreterState* next, PyThread_type_lock pending_lock) {
  interp->runtime = &_PyRuntime;
  interp->id = id;
  interp->next = next;
  _PyEval_InitState(&interp->ceval, pending_lock);
  _PyGC_InitState(&interp->gc);
  PyConfig_InitPythonConfig(&interp->config);
  _PyType_InitCache(interp);
  interp->_initialized = 1;
}

PyInterpreterState* allocate_interpreter() {
  auto* interp = static_cast<PyInterpreterState*>(PyMem_RawCalloc(1, sizeof(PyInterpreterState)));
  if (interp == nullptr) return nullptr;
  memcpy(static_cast<void*>(interp), &pyston_initial_runtime._main_interpreter, sizeof *interp);
  interp->_static = false;
  return interp;
}

}  // namespace

PyInterpreterState* PyInterpreterState_New(void) {
  PyThreadState* tstate = _PyThreadState_GET();  // null for the first interpreter
  if (_PySys_Audit(tstate, "cpython.PyInterpreterState_New", nullptr) < 0) return nullptr;
  PyThread_type_lock pending_lock = PyThread_allocate_lock();
  if (pending_lock == nullptr) {
    if (tstate != nullptr) _PyErr_NoMemory(tstate);
    return nullptr;
  }
  auto& interpreters = _PyRuntime.interpreters;
  PyInterpreterState* interp = nullptr;
  bool out_of_ids = false;
  {
    HeadLock lock;
    const int64_t id = interpreters.next_id;
    if (id < 0) {
      out_of_ids = true;
    } else if (interpreters.head == nullptr) {
      interp = &_PyRuntime._main_interpreter;
      interpreters.main = interp;
    } else {
      interp = allocate_interpreter();
    }
    if (interp != nullptr) {
      interpreters.next_id = id + 1;
      initialise(interp, id, interpreters.head, pending_lock);
      interpreters.head = interp;
    }
  }
  if (interp == nullptr) {
    PyThread_free_lock(pending_lock);
    if (tstate != nullptr) {
      if (out_of_ids) {
        _PyErr_SetString(tstate, PyExc_RuntimeError, "failed to get an interpreter ID");
      } else {
        _PyErr_NoMemory(tstate);
      }
    }
  }
  return interp;
}

// ---- Teardown

void _PyInterpreterState_Clear(PyThreadState* tstate) {
  PyInterpreterState* interp = tstate->interp;
  if (_PySys_Audit(tstate, "cpython.PyInterpreterState_Clear", nullptr) < 0) _PyErr_Clear(tstate);

  // The list can only be walked under the lock, and clearing runs Python code: one thread at a time, looked up anew.
  PyThreadState* thread;
  {
    HeadLock lock;
    thread = interp->threads.head;
  }
  while (thread != nullptr) {
    PyThreadState_Clear(thread);
    HeadLock lock;
    thread = thread->next;
  }

  Py_CLEAR(interp->audit_hooks);
  PyConfig_Clear(&interp->config);
  Py_CLEAR(interp->codec_search_path);
  Py_CLEAR(interp->codec_search_cache);
  Py_CLEAR(interp->codec_error_registry);
  Py_CLEAR(interp->modules);
  Py_CLEAR(interp->modules_by_index);
  Py_CLEAR(interp->builtins_copy);
  Py_CLEAR(interp->importlib);
  Py_CLEAR(interp->import_func);
  Py_CLEAR(interp->dict);
  Py_CLEAR(interp->before_forkers);
  Py_CLEAR(interp->after_forkers_parent);
  Py_CLEAR(interp->after_forkers_child);
  _PyAST_Fini(interp);
  _PyWarnings_Fini(interp);
  _PyAtExit_Fini(interp);

  // Last: until here, destructors could still use what these hold.
  _PyGC_CollectNoFail(tstate);
  _PyGC_Fini(interp);
  PyDict_Clear(interp->sysdict);
  PyDict_Clear(interp->builtins);
  Py_CLEAR(interp->sysdict);
  Py_CLEAR(interp->builtins);
}

void PyInterpreterState_Clear(PyInterpreterState* interp) {
  // It runs in the caller's thread state, which may belong to another interpreter.
  PyThreadState* tstate = _PyThreadState_GET();
  PyInterpreterState* own = tstate->interp;
  tstate->interp = interp;
  _PyInterpreterState_Clear(tstate);
  tstate->interp = own;
}

void PyInterpreterState_Delete(PyInterpreterState* interp) {
  auto& interpreters = _PyRuntime.interpreters;
  delete_all_threads(interp);
  _PyEval_FiniState(&interp->ceval);
  {
    HeadLock lock;
    PyInterpreterState** link = &interpreters.head;
    while (*link != nullptr && *link != interp) link = &(*link)->next;
    if (*link == nullptr) Py_FatalError("NULL interpreter");
    if (interp->threads.head != nullptr) Py_FatalError("remaining threads");
    *link = interp->next;
    if (interpreters.main == interp) {
      interpreters.main = nullptr;
      if (interpreters.head != nullptr) Py_FatalError("remaining subinterpreters");
    }
  }
  // The main interpreter's lock belongs to the runtime.
  if (interp->_static) return;
  if (interp->id_mutex != nullptr) PyThread_free_lock(interp->id_mutex);
  PyMem_RawFree(interp);
}

/// After fork(): only the main interpreter goes on in the child.
PyStatus _PyInterpreterState_DeleteExceptMain(_PyRuntimeState* runtime) {
  PyThreadState* tstate = _PyThreadState_Swap(&runtime->gilstate, nullptr);
  if (tstate != nullptr && tstate->interp != runtime->interpreters.main) {
    return PyStatus_Error("not main interpreter");
  }
  PyInterpreterState* others;
  {
    HeadLock lock;
    others = runtime->interpreters.head;
    runtime->interpreters.head = nullptr;
  }
  while (others != nullptr) {
    PyInterpreterState* interp = others;
    others = interp->next;
    if (interp == runtime->interpreters.main) {
      interp->next = nullptr;
      runtime->interpreters.head = interp;
      continue;
    }
    PyInterpreterState_Clear(interp);
    delete_all_threads(interp);
    if (interp->id_mutex != nullptr) PyThread_free_lock(interp->id_mutex);
    PyMem_RawFree(interp);
  }
  if (runtime->interpreters.head == nullptr) return PyStatus_Error("missing main interpreter");
  _PyThreadState_Swap(&runtime->gilstate, tstate);
  return PyStatus_Ok();
}

// ---- Access

PyInterpreterState* PyInterpreterState_Get(void) {
  PyThreadState* tstate = _PyThreadState_GET();
  _Py_EnsureTstateNotNULL(tstate);
  if (tstate->interp == nullptr) Py_FatalError("no current interpreter");
  return tstate->interp;
}

PyInterpreterState* PyInterpreterState_Head(void) { return _PyRuntime.interpreters.head; }
PyInterpreterState* PyInterpreterState_Main(void) { return _PyInterpreterState_Main(); }
PyInterpreterState* PyInterpreterState_Next(PyInterpreterState* interp) { return interp->next; }
PyThreadState* PyInterpreterState_ThreadHead(PyInterpreterState* interp) { return interp->threads.head; }

int64_t PyInterpreterState_GetID(PyInterpreterState* interp) {
  if (interp == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "no interpreter provided");
    return -1;
  }
  return interp->id;
}

PyInterpreterState* _PyInterpreterState_LookUpID(int64_t id) {
  PyInterpreterState* found = nullptr;
  if (id >= 0) {
    HeadLock lock;
    found = PyInterpreterState_Head();
    while (found != nullptr && found->id != id) found = found->next;
  }
  if (found == nullptr && !PyErr_Occurred()) {
    PyErr_Format(PyExc_RuntimeError, "unrecognized interpreter ID %lld", static_cast<long long>(id));
  }
  return found;
}

int _PyInterpreterState_IDInitref(PyInterpreterState* interp) {
  if (interp->id_mutex != nullptr) {
    // The main interpreter has the lock from the start.
    if (interp->id_refcount < 0) interp->id_refcount = 0;
    return 0;
  }
  interp->id_mutex = PyThread_allocate_lock();
  if (interp->id_mutex == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "failed to create init interpreter ID mutex");
    return -1;
  }
  interp->id_refcount = 0;
  return 0;
}

int _PyInterpreterState_IDIncref(PyInterpreterState* interp) {
  if (_PyInterpreterState_IDInitref(interp) < 0) return -1;
  PyThread_acquire_lock(interp->id_mutex, WAIT_LOCK);
  interp->id_refcount++;
  PyThread_release_lock(interp->id_mutex);
  return 0;
}

void _PyInterpreterState_IDDecref(PyInterpreterState* interp) {
  PyThread_acquire_lock(interp->id_mutex, WAIT_LOCK);
  const int64_t count = --interp->id_refcount;
  PyThread_release_lock(interp->id_mutex);
  if (count != 0 || !interp->requires_idref) return;
  PyThreadState* tstate = PyInterpreterState_ThreadHead(interp);
  PyThreadState* saved = PyThreadState_Swap(tstate);
  Py_EndInterpreter(tstate);
  PyThreadState_Swap(saved);
}

int _PyInterpreterState_RequiresIDRef(PyInterpreterState* interp) { return interp->requires_idref; }
void _PyInterpreterState_RequireIDRef(PyInterpreterState* interp, int required) {
  interp->requires_idref = required ? 1 : 0;
}

PyObject* _PyInterpreterState_GetMainModule(PyInterpreterState* interp) {
  if (interp->modules == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "interpreter not initialized");
    return nullptr;
  }
  return PyMapping_GetItemString(interp->modules, "__main__");
}

PyObject* PyInterpreterState_GetDict(PyInterpreterState* interp) {
  if (interp->dict == nullptr) {
    interp->dict = PyDict_New();
    if (interp->dict == nullptr) PyErr_Clear();
  }
  return interp->dict;
}

_PyFrameEvalFunction _PyInterpreterState_GetEvalFrameFunc(PyInterpreterState* interp) {
  return interp->eval_frame != nullptr ? interp->eval_frame : _PyEval_EvalFrameDefault;
}

void _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState* interp, _PyFrameEvalFunction eval_frame) {
  // Null is what "the default" looks like to code that tests for a hook.
  interp->eval_frame = eval_frame == _PyEval_EvalFrameDefault ? nullptr : eval_frame;
}

const PyConfig* _PyInterpreterState_GetConfig(PyInterpreterState* interp) { return &interp->config; }
const PyConfig* _Py_GetConfig(void) { return &_PyInterpreterState_GET()->config; }

int _PyInterpreterState_GetConfigCopy(PyConfig* config) {
  const PyStatus status = _PyConfig_Copy(config, &_PyInterpreterState_GET()->config);
  if (!PyStatus_Exception(status)) return 0;
  _PyErr_SetFromPyStatus(status);
  return -1;
}

// ---- Modules by definition (single-phase extension modules)

PyObject* PyState_FindModule(PyModuleDef* def) {
  if (def->m_slots != nullptr) return nullptr;
  const Py_ssize_t index = def->m_base.m_index;
  PyObject* modules = _PyInterpreterState_GET()->modules_by_index;
  if (index == 0 || modules == nullptr || index >= PyList_GET_SIZE(modules)) return nullptr;
  PyObject* module = PyList_GET_ITEM(modules, index);
  return module == Py_None ? nullptr : module;
}

int _PyState_AddModule(PyThreadState* tstate, PyObject* module, PyModuleDef* def) {
  if (def == nullptr) {
    _PyErr_SetString(tstate, PyExc_SystemError, "module definition is NULL");
    return -1;
  }
  if (def->m_slots != nullptr) {
    _PyErr_SetString(tstate, PyExc_SystemError, "PyState_AddModule called on module with slots");
    return -1;
  }
  PyObject*& modules = tstate->interp->modules_by_index;
  if (modules == nullptr) {
    modules = PyList_New(0);
    if (modules == nullptr) return -1;
  }
  while (PyList_GET_SIZE(modules) <= def->m_base.m_index) {
    if (PyList_Append(modules, Py_None) < 0) return -1;
  }
  return PyList_SetItem(modules, def->m_base.m_index, Py_NewRef(module));
}

int PyState_AddModule(PyObject* module, PyModuleDef* def) {
  if (def == nullptr) {
    Py_FatalError("module definition is NULL");
    return -1;
  }
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject* modules = tstate->interp->modules_by_index;
  const Py_ssize_t index = def->m_base.m_index;
  if (modules != nullptr && index < PyList_GET_SIZE(modules) && PyList_GET_ITEM(modules, index) == module) {
    _Py_FatalErrorFormat(__func__, "module %p already added", static_cast<void*>(module));
    return -1;
  }
  return _PyState_AddModule(tstate, module, def);
}

int PyState_RemoveModule(PyModuleDef* def) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (def->m_slots != nullptr) {
    _PyErr_SetString(tstate, PyExc_SystemError, "PyState_RemoveModule called on module with slots");
    return -1;
  }
  const Py_ssize_t index = def->m_base.m_index;
  if (index == 0) Py_FatalError("invalid module index");
  PyObject* modules = tstate->interp->modules_by_index;
  if (modules == nullptr) Py_FatalError("Interpreters module-list not accessible.");
  if (index > PyList_GET_SIZE(modules)) Py_FatalError("Module index out of bounds.");
  return PyList_SetItem(modules, index, Py_NewRef(Py_None));
}

void _PyInterpreterState_ClearModules(PyInterpreterState* interp) {
  PyObject* modules = interp->modules_by_index;
  if (modules == nullptr) return;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(modules); i++) {
    PyObject* module = PyList_GET_ITEM(modules, i);
    if (!PyModule_Check(module)) continue;
    PyModuleDef* def = PyModule_GetDef(module);
    if (def != nullptr) Py_CLEAR(def->m_base.m_copy);
  }
  if (PyList_SetSlice(modules, 0, PyList_GET_SIZE(modules), nullptr) < 0) {
    PyErr_WriteUnraisable(modules);
  }
}
