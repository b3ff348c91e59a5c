// Between the allocator's files: access to the table of a domain, and the checking allocator on top of it.
#pragma once

#include "Runtime/python.h"

namespace pyston {

/// The functions a domain uses now.
PyMemAllocatorEx& allocator_of(PyMemAllocatorDomain domain);
/// If `allocator` is the checking one, sets `below` to what it calls.
bool unwrap_debug_allocator(const PyMemAllocatorEx& allocator, PyMemAllocatorEx& below);

}  // namespace pyston

/// Where `block` was allocated, if tracemalloc knows; async-signal-safe. Defined with tracemalloc.
extern "C" void _PyMem_DumpTraceback(int fd, const void* block);
