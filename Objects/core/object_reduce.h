// object's pickling methods.
#pragma once

#include "Runtime/refs/ref.h"

namespace pyston {

Ref<> object_reduce(Borrowed<> self);
Ref<> object_reduce_ex(Borrowed<> self, int protocol);
Ref<> object_getstate(Borrowed<> self);

}  // namespace pyston
