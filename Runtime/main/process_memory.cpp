// malloc() and its relatives for the whole process, where libmimalloc's place blocks other than glibc's do.
//
// The process's malloc is mimalloc's; what is defined here comes before it. Two things differ without that, both of which C and C++
// extensions notice:
//   - Blocks of 8 bytes and less are aligned to 8 bytes only, glibc's always to 16: code that maps the memory of numpy's scalars
//     checks for it. Such sizes are raised to 16 bytes, also for PyMem_Malloc and PyObject_Malloc (allocator.cpp).
//   - The aligned functions take any block of up to 1024 bytes whose size is a power of two for aligned to that size, but pages start at
//     multiples of 128 bytes only: alignments of 256, 512 and 1024 bytes (direct I/O, alignas) came out wrong. The functions that take
//     an offset besides look at the address.
// Only the executable holds these: a program that embeds the library has its own malloc().
#include <bit>
#include <bits/functexcept.h>
#include <cerrno>
#include <cstdint>
#include <mimalloc.h>
#include <new>

#include "Runtime/memory/allocator.h"

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
using pyston::aligned_size;

namespace {

constexpr size_t kLargestPower = (SIZE_MAX >> 1) + 1;

void* allocate(size_t alignment, size_t size) { return mi_malloc_aligned_at(size, alignment, 0); }

/// For operator new: the program's handler may make room; null without one.
void* allocate_or_ask(size_t alignment, size_t size) {
  void* block = allocate(alignment, size);
  while (block == nullptr) {
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) return nullptr;
    handler();
    block = allocate(alignment, size);
  }
  return block;
}

void* allocate_or_throw(size_t alignment, size_t size) {
  void* block = allocate_or_ask(alignment, size);
  if (block == nullptr) std::__throw_bad_alloc();
  return block;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

void* malloc(size_t size) { return mi_malloc(aligned_size(size)); }

void* calloc(size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) {
    errno = ENOMEM;
    return nullptr;
  }
  return mi_zalloc(aligned_size(total));
}

void* realloc(void* block, size_t size) {
  if (size == 0 && block != nullptr) {  // QUIRK: as glibc's, it frees
    mi_free(block);
    return nullptr;
  }
  return mi_realloc(block, aligned_size(size));
}

void* reallocarray(void* block, size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(block, total);
}

// QUIRK: as glibc's, it takes any alignment and rounds it up.
void* aligned_alloc(size_t alignment, size_t size) {
  if (alignment > kLargestPower) {
    errno = EINVAL;
    return nullptr;
  }
  void* block = allocate(std::bit_ceil(alignment), aligned_size(size));
  if (block == nullptr) errno = ENOMEM;
  return block;
}

void* memalign(size_t alignment, size_t size) { return aligned_alloc(alignment, size); }

int posix_memalign(void** result, size_t alignment, size_t size) {
  if (!std::has_single_bit(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  void* block = allocate(alignment, aligned_size(size));
  if (block == nullptr) return ENOMEM;
  *result = block;
  return 0;
}

}  // extern "C"
#pragma GCC visibility pop

void* operator new(size_t size) { return mi_new(aligned_size(size)); }
void* operator new[](size_t size) { return mi_new(aligned_size(size)); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return mi_new_nothrow(aligned_size(size)); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return mi_new_nothrow(aligned_size(size)); }
void* operator new(size_t size, std::align_val_t alignment) { return allocate_or_throw(static_cast<size_t>(alignment), size); }
void* operator new[](size_t size, std::align_val_t alignment) { return allocate_or_throw(static_cast<size_t>(alignment), size); }
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate_or_ask(static_cast<size_t>(alignment), size);
}
void* operator new[](size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate_or_ask(static_cast<size_t>(alignment), size);
}
#endif
