/* The runtime state as it is before the first initialisation: what a second Py_Initialize() starts from.
   In C, because the headers' initialiser lists fields in another order than the struct. */
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include <Python.h>

#include "pycore_ceval.h"
#include "pycore_global_objects.h"
#include "pycore_runtime.h"
#include "pycore_runtime_init.h"

#pragma clang diagnostic ignored "-Wdeprecated-declarations"

const _PyRuntimeState pyston_initial_runtime = _PyRuntimeState_INIT;
