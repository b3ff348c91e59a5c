// Entry points for programs that embed or freeze Python, apart from the initialisation itself (Runtime/state).
#include "Runtime/refs/ref.h"
#include "internal/pycore_initconfig.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_runtime.h"

using pyston::Ref;

/// getenv() that honours -E and -I.
extern "C" PyAPI_FUNC(char*) Py_GETENV(const char* name) {
  return Py_IgnoreEnvironmentFlag ? nullptr : getenv(name);
}

/// The main program of a frozen application: runs the frozen module `__main__`. Returns the exit status.
int Py_FrozenMain(int argc, char** argv) {
  PyStatus status = _PyRuntime_Initialize();
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.pathconfig_warnings = 0;
  config.parse_argv = 0;
  status = PyConfig_SetBytesArgv(&config, argc, argv);
  if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  const int found = PyImport_ImportFrozenModule("__main__");
  if (found == 0) Py_FatalError("the __main__ module is not frozen");
  int exit_code = 0;
  if (found < 0) {
    PyErr_Print();
    exit_code = 1;
  }
  if (Py_FinalizeEx() < 0) exit_code = 120;
  return exit_code;
}

/// Replaces the running configuration and what sys shows of it. 0, or -1 with an exception.
int _PyInterpreterState_SetConfig(const PyConfig* source) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  PyStatus status = _PyConfig_Copy(&config, source);
  if (!PyStatus_Exception(status)) status = _PyConfig_Read(&config, 1);
  if (!PyStatus_Exception(status)) status = _PyConfig_Copy(&tstate->interp->config, &config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status)) {
    _PyErr_SetFromPyStatus(status);
    return -1;
  }
  return _PySys_UpdateConfig(tstate);
}

/// The path configuration here is C++ (Runtime/options/paths.cpp), so there is no code object of `getpath.py`.
PyObject* _Py_Get_Getpath_CodeObject(void) {
  PyErr_SetString(PyExc_NotImplementedError, "_Py_Get_Getpath_CodeObject: pyston computes its paths in C++");
  return nullptr;
}
