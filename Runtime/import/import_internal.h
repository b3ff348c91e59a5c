// Shared by the files of the import system.
#pragma once

#include "Runtime/refs/ref.h"
#include "internal/pycore_import.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_runtime.h"

namespace pyston::import {

/// The row of a built-in module, null when there is none. A row without an init function (sys, builtins) names a
/// module that start-up made.
const _inittab* find_builtin(PyObject* name);

/// The frozen module of that name, null when there is none or frozen modules are switched off for it.
/// `original` (may be null) gets the borrowed UTF-8 name that an alias stands for.
const _frozen* find_frozen(PyObject* name, const char** original);
/// New reference to the frozen module's code object.
Ref<PyCodeObject> frozen_code(const _frozen* frozen, PyObject* name);

/// A module remembered by `name` and `filename` from an earlier single-phase import, null without an exception when
/// there is none.
Ref<> find_extension(PyThreadState* tstate, PyObject* name, PyObject* filename);
Status remember_extension(PyObject* module, PyObject* name, PyObject* filename, PyObject* modules);

/// Opens the shared object of `spec` and runs its init function: a module, or a PyModuleDef for multi-phase.
Ref<> load_dynamic(PyObject* spec);

/// Runs `init` under `name`'s package context; the result is checked as CPython does (NULL without an exception, ...).
Ref<> call_init_function(PyObject* (*init)(void), const char* name);

void forget_extensions();

}  // namespace pyston::import
