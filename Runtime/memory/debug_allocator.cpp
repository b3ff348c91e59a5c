// The checking allocator of PYTHONMALLOC=debug and -X dev: finds overruns, double frees and mixed-up domains.
//
// A block of n bytes for the caller at p is laid out as
//     p-16  n, big-endian     p-8  domain letter     p-7..p-1  0xFD     p..p+n-1  data     p+n..p+n+7  0xFD
// New bytes are 0xCD, released ones 0xDD, as in _PyMem_IsPtrFreed().
#include <cstdio>
#include <cstring>

#include "Runtime/memory/allocator.h"
#include "pycore_pymem.h"
#include "pycore_pystate.h"
#include "pycore_traceback.h"

namespace pyston {
namespace {

constexpr size_t kWord = sizeof(size_t);
constexpr size_t kHead = 2 * kWord;
constexpr size_t kTail = kWord;
constexpr size_t kOverhead = kHead + kTail;
/// How much of the data realloc keeps aside to be able to wipe the old block: its start and its end.
constexpr size_t kErased = 64;

struct DebugDomain {
  char letter;
  PyMemAllocatorEx below;
};
DebugDomain domains[] = {{'r', {}}, {'m', {}}, {'o', {}}};

void write_size(uint8_t* p, size_t size) {
  for (int i = kWord - 1; i >= 0; i--) {
    p[i] = static_cast<uint8_t>(size);
    size >>= 8;
  }
}

size_t read_size(const uint8_t* p) {
  size_t size = 0;
  for (size_t i = 0; i < kWord; i++) size = size << 8 | p[i];
  return size;
}

void report_pad(const char* where, const uint8_t* pad, size_t count, bool below) {
  bool intact = true;
  for (size_t i = 0; i < count; i++) intact &= pad[i] == PYMEM_FORBIDDENBYTE;
  if (intact) {
    fputs("FORBIDDENBYTE, as expected.\n", stderr);
    return;
  }
  fprintf(stderr, "not all FORBIDDENBYTE (0x%02x):\n", PYMEM_FORBIDDENBYTE);
  for (size_t i = 0; i < count; i++) {
    if (below) {
      fprintf(stderr, "        at p-%d: 0x%02x", static_cast<int>(count - i), pad[i]);
    } else {
      fprintf(stderr, "        at %s+%d: 0x%02x", where, static_cast<int>(i), pad[i]);
    }
    fputs(pad[i] != PYMEM_FORBIDDENBYTE ? " *** OUCH\n" : "\n", stderr);
  }
}

COLD void dump_block(const void* block) {
  const auto* p = static_cast<const uint8_t*>(block);
  fprintf(stderr, "Debug memory block at address p=%p:", block);
  if (p == nullptr) {
    fputs("\n", stderr);
    return;
  }
  const size_t size = read_size(p - kHead);
  fprintf(stderr, " API '%c'\n", p[-static_cast<long>(kWord)]);
  fprintf(stderr, "    %zu bytes originally requested\n", size);
  fprintf(stderr, "    The %d pad bytes at p-%d are ", static_cast<int>(kWord - 1), static_cast<int>(kWord - 1));
  report_pad("p", p - (kWord - 1), kWord - 1, true);
  // Where the end is comes from the head: if that was overwritten, this may crash, and the above tells why.
  const uint8_t* tail = p + size;
  fprintf(stderr, "    The %d pad bytes at tail=%p are ", static_cast<int>(kTail), static_cast<const void*>(tail));
  report_pad("tail", tail, kTail, false);
  if (size > 0) {
    fputs("    Data at p:", stderr);
    size_t i = 0;
    for (; i < size && i < 8; i++) fprintf(stderr, " %02x", p[i]);
    if (i < size) {
      if (size - i > 8) {
        fputs(" ...", stderr);
        i = size - 8;
      }
      for (; i < size; i++) fprintf(stderr, " %02x", p[i]);
    }
    fputs("\n", stderr);
  }
  fputs("\n", stderr);
  fflush(stderr);
  _PyMem_DumpTraceback(fileno(stderr), block);
}

COLD void fail(const char* function, const void* block, const char* what) {
  dump_block(block);
  _Py_FatalErrorFunc(function, what);
}

void check_block(const char* function, char letter, const void* block) {
  const auto* p = static_cast<const uint8_t*>(block);
  const char id = static_cast<char>(p[-static_cast<long>(kWord)]);
  if (UNLIKELY(id != letter)) {
    dump_block(block);
    _Py_FatalErrorFormat(function, "bad ID: Allocated using API '%c', verified using API '%c'", id, letter);
  }
  for (size_t i = 1; i < kWord; i++) {
    if (UNLIKELY(p[-static_cast<long>(i)] != PYMEM_FORBIDDENBYTE)) fail(function, block, "bad leading pad byte");
  }
  const uint8_t* tail = p + read_size(p - kHead);
  for (size_t i = 0; i < kTail; i++) {
    if (UNLIKELY(tail[i] != PYMEM_FORBIDDENBYTE)) fail(function, block, "bad trailing pad byte");
  }
}

void check_gil(const char* function) {
  if (UNLIKELY(!PyGILState_Check())) {
    _Py_FatalErrorFunc(function, "Python memory allocator called without holding the GIL");
  }
}

/// Writes head and tail around a raw block; the address for the caller.
uint8_t* frame_block(const DebugDomain& domain, uint8_t* raw, size_t size) {
  write_size(raw, size);
  raw[kWord] = static_cast<uint8_t>(domain.letter);
  memset(raw + kWord + 1, PYMEM_FORBIDDENBYTE, kWord - 1);
  memset(raw + kHead + size, PYMEM_FORBIDDENBYTE, kTail);
  return raw + kHead;
}

void* allocate_checked(DebugDomain& domain, size_t size, bool zeroed) {
  if (size > PY_SSIZE_T_MAX - kOverhead) return nullptr;
  void* raw = zeroed ? domain.below.calloc(domain.below.ctx, 1, size + kOverhead)
                     : domain.below.malloc(domain.below.ctx, size + kOverhead);
  if (raw == nullptr) return nullptr;
  uint8_t* p = frame_block(domain, static_cast<uint8_t*>(raw), size);
  if (!zeroed) memset(p, PYMEM_CLEANBYTE, size);
  return p;
}

void free_checked(const char* function, DebugDomain& domain, void* block) {
  if (block == nullptr) return;
  check_block(function, domain.letter, block);
  uint8_t* raw = static_cast<uint8_t*>(block) - kHead;
  memset(raw, PYMEM_DEADBYTE, read_size(raw) + kOverhead);
  domain.below.free(domain.below.ctx, raw);
}

void* realloc_checked(const char* function, DebugDomain& domain, void* block, size_t size) {
  if (block == nullptr) return allocate_checked(domain, size, false);
  check_block(function, domain.letter, block);
  if (size > PY_SSIZE_T_MAX - kOverhead) return nullptr;
  auto* data = static_cast<uint8_t*>(block);
  uint8_t* head = data - kHead;
  const size_t old_size = read_size(head);

  // The old block may be released by the allocator below: wipe its head, its start and its end first, keep copies.
  uint8_t saved[2 * kErased];
  uint8_t* wiped_end = nullptr;
  if (old_size <= sizeof saved) {
    memcpy(saved, data, old_size);
    memset(data, PYMEM_DEADBYTE, old_size + kTail);
  } else {
    wiped_end = data + old_size - kErased;
    memcpy(saved, data, kErased);
    memset(data, PYMEM_DEADBYTE, kErased);
    memcpy(saved + kErased, wiped_end, kErased);
    memset(wiped_end, PYMEM_DEADBYTE, kErased + kTail);
  }
  auto* raw = static_cast<uint8_t*>(domain.below.realloc(domain.below.ctx, head, size + kOverhead));
  const bool failed = raw == nullptr;
  if (failed) {
    raw = head;  // the old block is still there: put it back together
    size = old_size;
  }
  uint8_t* p = frame_block(domain, raw, size);
  if (old_size <= sizeof saved) {
    memcpy(p, saved, size < old_size ? size : old_size);
  } else {
    const size_t start = size < kErased ? size : kErased;
    memcpy(p, saved, start);
    const size_t offset = old_size - kErased;
    if (size > offset) memcpy(p + offset, saved + kErased, size - offset < kErased ? size - offset : kErased);
  }
  if (failed) return nullptr;
  if (size > old_size) memset(p + old_size, PYMEM_CLEANBYTE, size - old_size);
  return p;
}

// The raw functions run without the GIL; the others insist on it.
void* raw_malloc(void* ctx, size_t size) { return allocate_checked(*static_cast<DebugDomain*>(ctx), size, false); }
bool overflows(size_t count, size_t size) { return size != 0 && count > (PY_SSIZE_T_MAX - kOverhead) / size; }
void* raw_calloc(void* ctx, size_t count, size_t size) {
  if (overflows(count, size)) return nullptr;
  return allocate_checked(*static_cast<DebugDomain*>(ctx), count * size, true);
}
void* raw_realloc(void* ctx, void* block, size_t size) {
  return realloc_checked("_PyMem_DebugRawRealloc", *static_cast<DebugDomain*>(ctx), block, size);
}
void raw_free(void* ctx, void* block) {
  free_checked("_PyMem_DebugRawFree", *static_cast<DebugDomain*>(ctx), block);
}
void* gil_malloc(void* ctx, size_t size) {
  check_gil("_PyMem_DebugMalloc");
  return raw_malloc(ctx, size);
}
void* gil_calloc(void* ctx, size_t count, size_t size) {
  check_gil("_PyMem_DebugCalloc");
  return raw_calloc(ctx, count, size);
}
void* gil_realloc(void* ctx, void* block, size_t size) {
  check_gil("_PyMem_DebugRealloc");
  return raw_realloc(ctx, block, size);
}
void gil_free(void* ctx, void* block) {
  check_gil("_PyMem_DebugFree");
  raw_free(ctx, block);
}

}  // namespace

bool unwrap_debug_allocator(const PyMemAllocatorEx& allocator, PyMemAllocatorEx& below) {
  if (allocator.malloc != raw_malloc && allocator.malloc != gil_malloc) return false;
  below = static_cast<DebugDomain*>(allocator.ctx)->below;
  return true;
}

}  // namespace pyston

using namespace pyston;

void PyMem_SetupDebugHooks(void) {
  PyMemAllocatorEx below;
  for (int i = 0; i < 3; i++) {
    PyMemAllocatorEx& current = allocator_of(static_cast<PyMemAllocatorDomain>(i));
    if (unwrap_debug_allocator(current, below)) continue;
    domains[i].below = current;
    if (i == PYMEM_DOMAIN_RAW) {
      current = {&domains[i], raw_malloc, raw_calloc, raw_realloc, raw_free};
    } else {
      current = {&domains[i], gil_malloc, gil_calloc, gil_realloc, gil_free};
    }
  }
}
