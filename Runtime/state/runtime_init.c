// The process-wide runtime state, initialised statically from the headers' own initialiser: small integers, one-character
// strings and all identifier strings exist before any code runs. C, because the initialiser uses C designators.
#define Py_BUILD_CORE 1
#include <Python.h>
#include "internal/pycore_ceval.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_runtime_init.h"

_PyRuntimeState _PyRuntime = _PyRuntimeState_INIT;
