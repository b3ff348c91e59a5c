// Between the allocator's files: access to the table of a domain, and the checking allocator on top of it.
#pragma once

#include "Runtime/python.h"

namespace pyston {

/// What to ask mimalloc for: it aligns blocks of 8 bytes and less to 8 bytes only; all others to 16, as CPython and glibc do with every block.
constexpr size_t aligned_size(size_t size) { return size > 8 ? size : 16; }

/// The functions a domain uses now.
PyMemAllocatorEx& allocator_of(PyMemAllocatorDomain domain);
/// If `allocator` is the checking one, sets `below` to what it calls.
bool unwrap_debug_allocator(const PyMemAllocatorEx& allocator, PyMemAllocatorEx& below);

}  // namespace pyston

/// Where `block` was allocated, if tracemalloc knows; async-signal-safe. Defined with tracemalloc.
extern "C" void _PyMem_DumpTraceback(int fd, const void* block);
