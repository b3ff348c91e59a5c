// No frozen modules: importlib is compiled from the installed source at start-up.
#include "Runtime/import/frozen_table.h"

namespace pyston::import {
const struct _frozen kFrozenBootstrap[] = {{nullptr, nullptr, 0, 0, nullptr}};
const struct _frozen kFrozenStdlib[] = {{nullptr, nullptr, 0, 0, nullptr}};
const struct _frozen kFrozenTest[] = {{nullptr, nullptr, 0, 0, nullptr}};
}  // namespace pyston::import
