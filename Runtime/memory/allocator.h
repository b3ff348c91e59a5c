// Between the allocator's files: access to the table of a domain, and the checking allocator on top of it.
#pragma once

#include "Runtime/python.h"

namespace pyston {

/// `size`, or if the kernel wouldn't promise that much memory, more than mimalloc gives; errno is ENOMEM then. mimalloc maps without reservation,
/// which the kernel never refuses: what exceeds the machine would succeed and get the process killed when it is written to.
size_t granted_size(size_t size);

constexpr size_t kLargeSize = size_t{1} << 28;

/// What to ask mimalloc for: it aligns blocks of 8 bytes and less to 8 bytes only; all others to 16, as CPython and glibc do with every block.
ALWAYS_INLINE size_t requested_size(size_t size) {
  if (UNLIKELY(size > kLargeSize)) return granted_size(size);
  return size > 8 ? size : 16;
}

/// The functions a domain uses now.
PyMemAllocatorEx& allocator_of(PyMemAllocatorDomain domain);
/// If `allocator` is the checking one, sets `below` to what it calls.
bool unwrap_debug_allocator(const PyMemAllocatorEx& allocator, PyMemAllocatorEx& below);

}  // namespace pyston

/// Where `block` was allocated, if tracemalloc knows; async-signal-safe. Defined with tracemalloc.
extern "C" void _PyMem_DumpTraceback(int fd, const void* block);
