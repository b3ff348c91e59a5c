// Brings up importlib, which then imports everything else.
#pragma once

#include "Runtime/refs/ref.h"

namespace pyston::import {

/// Imports `_frozen_importlib` (frozen, or compiled from the installed source by the first-stage binary) and installs
/// it: built-in and frozen modules can be imported from then on.
Status install_importlib(PyThreadState* tstate, PyObject* sys_module);
/// Adds the importers of files and of zip archives.
Status install_external_importers(PyThreadState* tstate);

}  // namespace pyston::import
