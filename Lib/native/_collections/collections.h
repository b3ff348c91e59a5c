// The types of the _collections module, one file each.
#pragma once

#include "Objects/bind.h"

#include <internal/pycore_global_strings.h>
#include <internal/pycore_pystate.h>

namespace pyston {
extern PyTypeObject g_deque_type;
extern PyTypeObject g_deque_iterator_type;
extern PyTypeObject g_deque_reverse_iterator_type;
extern PyTypeObject g_default_dict_type;
}  // namespace pyston
