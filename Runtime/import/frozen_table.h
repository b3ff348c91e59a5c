// The frozen modules of this binary. Provided by the generated `frozen_modules.c` of the build, or by
// frozen_empty.cpp in the first-stage binary that generates it.
#pragma once

#include "Runtime/python.h"

namespace pyston::import {
extern "C" const struct _frozen kFrozenBootstrap[];
extern "C" const struct _frozen kFrozenStdlib[];
extern "C" const struct _frozen kFrozenTest[];
}  // namespace pyston::import
