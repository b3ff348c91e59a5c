// Aligned memory for the whole process: aligned_alloc() and its relatives, in place of libmimalloc's.
//
// malloc() in this process is mimalloc's. Its aligned functions take any block of up to 1024 bytes whose size is a power of two for
// aligned to that size, but pages start at multiples of 128 bytes only, so alignments of 256, 512 and 1024 bytes (direct I/O, classes with
// alignas) came out wrong. The functions that take an offset besides look at the address. Only the executable holds these: a
// program that embeds the library has its own malloc().
#include <bit>
#include <bits/functexcept.h>
#include <cerrno>
#include <cstdint>
#include <mimalloc.h>
#include <new>

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
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

// QUIRK: as glibc's, it takes any alignment and rounds it up.
void* aligned_alloc(size_t alignment, size_t size) {
  if (alignment > kLargestPower) {
    errno = EINVAL;
    return nullptr;
  }
  void* block = allocate(std::bit_ceil(alignment), size);
  if (block == nullptr) errno = ENOMEM;
  return block;
}

void* memalign(size_t alignment, size_t size) { return aligned_alloc(alignment, size); }

int posix_memalign(void** result, size_t alignment, size_t size) {
  if (!std::has_single_bit(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  void* block = allocate(alignment, size);
  if (block == nullptr) return ENOMEM;
  *result = block;
  return 0;
}

}  // extern "C"
#pragma GCC visibility pop

void* operator new(size_t size, std::align_val_t alignment) { return allocate_or_throw(static_cast<size_t>(alignment), size); }
void* operator new[](size_t size, std::align_val_t alignment) { return allocate_or_throw(static_cast<size_t>(alignment), size); }
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate_or_ask(static_cast<size_t>(alignment), size);
}
void* operator new[](size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate_or_ask(static_cast<size_t>(alignment), size);
}
#endif
