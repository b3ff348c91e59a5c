// malloc() and its relatives for the whole process, where libmimalloc's place blocks other than glibc's do.
//
// The process's malloc is mimalloc's; what is defined here comes before it. Three things differ without that, all of which C and C++
// extensions notice:
//   - Blocks of 8 bytes and less are aligned to 8 bytes only, glibc's always to 16: code that maps the memory of numpy's scalars
//     checks for it. Such sizes are raised to 16 bytes, also for PyMem_Malloc and PyObject_Malloc (allocator.cpp).
//   - The aligned functions take any block of up to 1024 bytes whose size is a power of two for aligned to that size, but pages start at
//     multiples of 128 bytes only: alignments of 256, 512 and 1024 bytes (direct I/O, alignas) came out wrong. The functions that take
//     an offset besides look at the address.
//   - What exceeds the machine is refused (requested_size): a library that asks for terabytes gets null, and reports that, as with glibc.
// Only the executable holds these: a program that embeds the library has its own malloc().
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <dlfcn.h>
#include <malloc.h>
#include <mimalloc.h>
#include <new>

#include "Runtime/memory/allocator.h"

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
using pyston::requested_size;

namespace {

constexpr size_t kLargestPower = (SIZE_MAX >> 1) + 1;

void* allocate(size_t alignment, size_t size) { return mi_malloc_aligned_at(requested_size(size), alignment, 0); }

/// A function of the C++ library that extensions use, for when memory is short: it calls the program's new-handler and throws what extensions can
/// catch. The executable's own copy of that library has other handlers and its own unwinder.
template <class Function>
Function* of_shared_library(const char* name) {
  void* library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
  void* function = library != nullptr ? dlsym(library, name) : nullptr;
  if (function == nullptr) abort();  // nobody is there to catch it
  return reinterpret_cast<Function*>(function);
}

/// glibc's default M_MMAP_THRESHOLD in bytes: larger blocks are counted as mapped ones.
constexpr size_t kMappedAbove = 128 * 1024;

bool count_area(const mi_heap_t*, const mi_heap_area_t* area, void*, size_t, void* argument) {
  auto& info = *static_cast<struct mallinfo2*>(argument);
  const size_t used = area->used * area->block_size;
  info.arena += area->committed;
  if (area->block_size > kMappedAbove) {
    info.hblks += area->used;
    info.hblkhd += used;
  } else {
    info.uordblks += used;
    info.fordblks += area->committed > used ? area->committed - used : 0;
  }
  return true;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

void* malloc(size_t size) { return mi_malloc(requested_size(size)); }

void* calloc(size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) {
    errno = ENOMEM;
    return nullptr;
  }
  return mi_zalloc(requested_size(total));
}

void* realloc(void* block, size_t size) {
  if (size == 0 && block != nullptr) {  // QUIRK: as glibc's, it frees
    mi_free(block);
    return nullptr;
  }
  return mi_realloc(block, requested_size(size));
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

/// What the calling thread's heap holds, in bytes (mallinfo(3)); the heaps of other threads can't be looked into.
struct mallinfo2 mallinfo2() {
  struct mallinfo2 info = {};
  mi_heap_visit_blocks(mi_heap_get_default(), false, count_area, &info);
  return info;
}

/// The older form, whose fields are too narrow for large heaps.
struct mallinfo mallinfo() {
  const struct mallinfo2 info = mallinfo2();
  struct mallinfo narrow = {};
  narrow.arena = static_cast<int>(info.arena);
  narrow.hblks = static_cast<int>(info.hblks);
  narrow.hblkhd = static_cast<int>(info.hblkhd);
  narrow.uordblks = static_cast<int>(info.uordblks);
  narrow.fordblks = static_cast<int>(info.fordblks);
  return narrow;
}

/// Gives memory that is free back to the system; 1 as if it could.
int malloc_trim(size_t) {
  mi_collect(true);
  return 1;
}

}  // extern "C"
#pragma GCC visibility pop

void* operator new(size_t size) {
  void* block = malloc(size);
  return LIKELY(block != nullptr) ? block : of_shared_library<void*(size_t)>("_Znwm")(size);
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t& tag) noexcept {
  void* block = malloc(size);
  return LIKELY(block != nullptr) ? block : of_shared_library<void*(size_t, const std::nothrow_t&)>("_ZnwmRKSt9nothrow_t")(size, tag);
}
void* operator new[](size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
void* operator new(size_t size, std::align_val_t alignment) {
  void* block = allocate(static_cast<size_t>(alignment), size);
  return LIKELY(block != nullptr) ? block : of_shared_library<void*(size_t, std::align_val_t)>("_ZnwmSt11align_val_t")(size, alignment);
}
void* operator new[](size_t size, std::align_val_t alignment) { return operator new(size, alignment); }
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t& tag) noexcept {
  void* block = allocate(static_cast<size_t>(alignment), size);
  if (LIKELY(block != nullptr)) return block;
  return of_shared_library<void*(size_t, std::align_val_t, const std::nothrow_t&)>("_ZnwmSt11align_val_tRKSt9nothrow_t")(size, alignment, tag);
}
void* operator new[](size_t size, std::align_val_t alignment, const std::nothrow_t& tag) noexcept {
  return operator new(size, alignment, tag);
}
#endif
