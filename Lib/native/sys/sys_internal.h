// Shared by the files of the sys module.
#pragma once

#include "Runtime/refs/ref.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_runtime.h"

namespace pyston::sys {

extern PyMethodDef methods[];         // sys_functions.cpp
extern PyMethodDef trace_methods[];   // sys_trace.cpp
extern PyMethodDef audit_methods[];   // sys_audit.cpp

/// The dict of -X options.
Ref<> make_xoptions(const PyConfig* config);

/// Adds the attributes that depend on neither configuration nor the import system (version, flags' types, ...).
Status add_constants(PyThreadState* tstate, PyObject* dict);
/// A new sys.flags for the configuration.
Ref<> make_flags(PyThreadState* tstate);

}  // namespace pyston::sys
