// The memory allocation API: PyMem_Raw*, PyMem_*, PyObject_*, and the tables through which tools replace them.
//
// Three domains (raw: without the GIL; mem; object), each with a table of four functions that PyMem_SetAllocator can
// exchange. The object and mem domains use mimalloc, the raw domain malloc (so that what C libraries release with free()
// may come from it). FAST: while a domain still has its own functions the table is not consulted.
// The checking allocator of PYTHONMALLOC=debug is debug_allocator.cpp.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <mimalloc.h>
#include <sys/mman.h>

#include "Runtime/memory/allocator.h"
#include "pycore_pymem.h"

namespace pyston {
namespace {

void* system_malloc(void*, size_t size) { return malloc(size != 0 ? size : 1); }
void* system_calloc(void*, size_t count, size_t size) {
  return count == 0 || size == 0 ? calloc(1, 1) : calloc(count, size);
}
void* system_realloc(void*, void* block, size_t size) { return realloc(block, size != 0 ? size : 1); }
void system_free(void*, void* block) { free(block); }

void* pool_malloc(void*, size_t size) { return mi_malloc(requested_size(size)); }
void* pool_calloc(void*, size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) return nullptr;
  return mi_zalloc(requested_size(total));
}
void* pool_realloc(void*, void* block, size_t size) { return mi_realloc(block, requested_size(size)); }
void pool_free(void*, void* block) { mi_free(block); }

constexpr PyMemAllocatorEx kSystem = {nullptr, system_malloc, system_calloc, system_realloc, system_free};
constexpr PyMemAllocatorEx kPool = {nullptr, pool_malloc, pool_calloc, pool_realloc, pool_free};

constexpr int kDomains = 3;
PyMemAllocatorEx allocators[kDomains] = {kSystem, kPool, kPool};

bool equal(const PyMemAllocatorEx& a, const PyMemAllocatorEx& b) {
  return a.malloc == b.malloc && a.calloc == b.calloc && a.realloc == b.realloc && a.free == b.free && a.ctx == b.ctx;
}

template <int domain>
ALWAYS_INLINE bool is_pool() {
  return LIKELY(allocators[domain].malloc == pool_malloc && domain != PYMEM_DOMAIN_RAW);
}

constexpr size_t kLimit = PY_SSIZE_T_MAX;
template <int domain>
ALWAYS_INLINE void* allocate(size_t size) {
  if (is_pool<domain>()) return pool_malloc(nullptr, size);
  if (UNLIKELY(size > kLimit)) return nullptr;
  return allocators[domain].malloc(allocators[domain].ctx, size);
}
template <int domain>
ALWAYS_INLINE void* allocate_zeroed(size_t count, size_t size) {
  if (UNLIKELY(size != 0 && count > kLimit / size)) return nullptr;
  return allocators[domain].calloc(allocators[domain].ctx, count, size);
}
template <int domain>
ALWAYS_INLINE void* reallocate(void* block, size_t size) {
  if (is_pool<domain>()) return pool_realloc(nullptr, block, size);
  if (UNLIKELY(size > kLimit)) return nullptr;
  return allocators[domain].realloc(allocators[domain].ctx, block, size);
}
template <int domain>
ALWAYS_INLINE void release(void* block) {
  if (LIKELY(allocators[domain].free == pool_free)) {
    mi_free(block);
    return;
  }
  allocators[domain].free(allocators[domain].ctx, block);
}

// Arenas: the pool has its own, but the API lets tools exchange the functions, and asks for them.
void* arena_map(void*, size_t size) {
  void* arena = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return arena == MAP_FAILED ? nullptr : arena;
}
void arena_unmap(void*, void* arena, size_t size) { munmap(arena, size); }
PyObjectArenaAllocator arena_allocator = {nullptr, arena_map, arena_unmap};

void use_everywhere(const PyMemAllocatorEx& raw, const PyMemAllocatorEx& others) {
  allocators[PYMEM_DOMAIN_RAW] = raw;
  allocators[PYMEM_DOMAIN_MEM] = others;
  allocators[PYMEM_DOMAIN_OBJ] = others;
}

struct NamedAllocator {
  const char* name;
  PyMemAllocatorName id;
};
constexpr NamedAllocator kNames[] = {
    {"default", PYMEM_ALLOCATOR_DEFAULT},
    {"debug", PYMEM_ALLOCATOR_DEBUG},
    {"pymalloc", PYMEM_ALLOCATOR_PYMALLOC},
    {"pymalloc_debug", PYMEM_ALLOCATOR_PYMALLOC_DEBUG},
    {"malloc", PYMEM_ALLOCATOR_MALLOC},
    {"malloc_debug", PYMEM_ALLOCATOR_MALLOC_DEBUG},
};

}  // namespace

COLD size_t granted_size(size_t size) {
  void* probe = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return SIZE_MAX;
  munmap(probe, size);
  return size;
}

PyMemAllocatorEx& allocator_of(PyMemAllocatorDomain domain) { return allocators[domain]; }

}  // namespace pyston

using namespace pyston;

// ---- The domains

void* PyMem_RawMalloc(size_t size) { return allocate<PYMEM_DOMAIN_RAW>(size); }
void* PyMem_RawCalloc(size_t count, size_t size) { return allocate_zeroed<PYMEM_DOMAIN_RAW>(count, size); }
void* PyMem_RawRealloc(void* block, size_t size) { return reallocate<PYMEM_DOMAIN_RAW>(block, size); }
void PyMem_RawFree(void* block) { release<PYMEM_DOMAIN_RAW>(block); }

void* PyMem_Malloc(size_t size) { return allocate<PYMEM_DOMAIN_MEM>(size); }
void* PyMem_Calloc(size_t count, size_t size) { return allocate_zeroed<PYMEM_DOMAIN_MEM>(count, size); }
void* PyMem_Realloc(void* block, size_t size) { return reallocate<PYMEM_DOMAIN_MEM>(block, size); }
void PyMem_Free(void* block) { release<PYMEM_DOMAIN_MEM>(block); }

void* PyObject_Malloc(size_t size) { return allocate<PYMEM_DOMAIN_OBJ>(size); }
void* PyObject_Calloc(size_t count, size_t size) { return allocate_zeroed<PYMEM_DOMAIN_OBJ>(count, size); }
void* PyObject_Realloc(void* block, size_t size) { return reallocate<PYMEM_DOMAIN_OBJ>(block, size); }
void PyObject_Free(void* block) { release<PYMEM_DOMAIN_OBJ>(block); }

char* _PyMem_RawStrdup(const char* text) {
  const size_t size = strlen(text) + 1;
  char* copy = static_cast<char*>(PyMem_RawMalloc(size));
  if (copy != nullptr) memcpy(copy, text, size);
  return copy;
}

char* _PyMem_Strdup(const char* text) {
  const size_t size = strlen(text) + 1;
  char* copy = static_cast<char*>(PyMem_Malloc(size));
  if (copy != nullptr) memcpy(copy, text, size);
  return copy;
}

wchar_t* _PyMem_RawWcsdup(const wchar_t* text) {
  const size_t length = wcslen(text) + 1;
  if (length > kLimit / sizeof(wchar_t)) return nullptr;
  auto* copy = static_cast<wchar_t*>(PyMem_RawMalloc(length * sizeof(wchar_t)));
  if (copy != nullptr) memcpy(copy, text, length * sizeof(wchar_t));
  return copy;
}

// ---- Choosing allocators

void PyMem_GetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx* allocator) {
  if (static_cast<unsigned>(domain) < kDomains) {
    *allocator = allocators[domain];
  } else {
    *allocator = {};
  }
}

void PyMem_SetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx* allocator) {
  if (static_cast<unsigned>(domain) < kDomains) allocators[domain] = *allocator;
}

int _PyMem_SetDefaultAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx* old) {
  if (static_cast<unsigned>(domain) >= kDomains) return -1;
  if (old != nullptr) *old = allocators[domain];
  allocators[domain] = domain == PYMEM_DOMAIN_RAW ? kSystem : kPool;
  return 0;
}

int _PyMem_GetAllocatorName(const char* name, PyMemAllocatorName* allocator) {
  if (name == nullptr || *name == '\0') {
    *allocator = PYMEM_ALLOCATOR_NOT_SET;
    return 0;
  }
  for (const NamedAllocator& row : kNames) {
    if (strcmp(name, row.name) == 0) {
      *allocator = row.id;
      return 0;
    }
  }
  return -1;
}

int _PyMem_SetupAllocators(PyMemAllocatorName name) {
  switch (name) {
    case PYMEM_ALLOCATOR_NOT_SET:
      return 0;
    case PYMEM_ALLOCATOR_DEFAULT:
    case PYMEM_ALLOCATOR_PYMALLOC:
      use_everywhere(kSystem, kPool);
      return 0;
    case PYMEM_ALLOCATOR_DEBUG:
    case PYMEM_ALLOCATOR_PYMALLOC_DEBUG:
      use_everywhere(kSystem, kPool);
      PyMem_SetupDebugHooks();
      return 0;
    case PYMEM_ALLOCATOR_MALLOC:
      use_everywhere(kSystem, kSystem);
      return 0;
    case PYMEM_ALLOCATOR_MALLOC_DEBUG:
      use_everywhere(kSystem, kSystem);
      PyMem_SetupDebugHooks();
      return 0;
  }
  return -1;
}

const char* _PyMem_GetCurrentAllocatorName(void) {
  auto uses = [](const PyMemAllocatorEx (&set)[kDomains], const PyMemAllocatorEx& others) {
    return equal(set[0], kSystem) && equal(set[1], others) && equal(set[2], others);
  };
  if (uses(allocators, kSystem)) return "malloc";
  if (uses(allocators, kPool)) return "pymalloc";
  PyMemAllocatorEx below[kDomains];
  for (int domain = 0; domain < kDomains; domain++) {
    if (!unwrap_debug_allocator(allocators[domain], below[domain])) return nullptr;
  }
  if (uses(below, kSystem)) return "malloc_debug";
  if (uses(below, kPool)) return "pymalloc_debug";
  return nullptr;
}

void PyObject_GetArenaAllocator(PyObjectArenaAllocator* allocator) { *allocator = arena_allocator; }
void PyObject_SetArenaAllocator(PyObjectArenaAllocator* allocator) { arena_allocator = *allocator; }
void* _PyObject_VirtualAlloc(size_t size) { return arena_allocator.alloc(arena_allocator.ctx, size); }
void _PyObject_VirtualFree(void* block, size_t size) { arena_allocator.free(arena_allocator.ctx, block, size); }

// ---- Statistics

/// Blocks of the calling thread's heap: what other threads hold is not seen.
Py_ssize_t _Py_GetAllocatedBlocks(void) {
  Py_ssize_t count = 0;
  mi_heap_visit_blocks(
      mi_heap_get_default(), false,
      [](const mi_heap_t*, const mi_heap_area_t* area, void*, size_t, void* total) {
        *static_cast<Py_ssize_t*>(total) += static_cast<Py_ssize_t>(area->used);
        return true;
      },
      &count);
  return count;
}

int _PyObject_DebugMallocStats(FILE* out) {
  if (!equal(allocators[PYMEM_DOMAIN_OBJ], kPool) && !equal(allocators[PYMEM_DOMAIN_MEM], kPool)) return 0;
  mi_stats_print_out([](const char* text, void* file) { fputs(text, static_cast<FILE*>(file)); }, out);
  return 1;
}
