// Marshal beyond <marshal.h>: reading from a Python file object.
#pragma once

#include "Runtime/refs/ref.h"

#include <marshal.h>

namespace pyston::marshal {

/// One object from the bytes; unread bytes are ignored.
Ref<> read_from_memory(const char* data, Py_ssize_t size);
/// One object from an object with `read` and `readinto`, which is left behind that object.
Ref<> read_from_object(Borrowed<> file);

}  // namespace pyston::marshal
