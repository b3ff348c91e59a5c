// The _tracemalloc module: where memory was allocated.
//
// While tracing, the allocators of all three domains are wrapped. A trace is a size and an interned traceback, keyed by
// domain and address. INVARIANTS: the tables are changed under `tables_lock` (raw memory is released without the GIL);
// tracebacks and file names are only made and released with the GIL; the tables' own memory comes from the system, never
// from the wrapped allocators. `reentrant` marks a thread that is inside the tracer.
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include "Objects/bind.h"
#include "Runtime/memory/allocator.h"
#include "tracemalloc.h"
#include "pycore_frame.h"
#include "pycore_hashtable.h"
#include "pycore_object.h"
#include "pycore_pylifecycle.h"
#include "pycore_pymem.h"
#include "pycore_pystate.h"
#include "pycore_traceback.h"

struct _PyTraceMalloc_Config _Py_tracemalloc_config = {
    .initialized = _PyTraceMalloc_Config::TRACEMALLOC_NOT_INITIALIZED, .tracing = 0, .max_nframe = 1};

namespace pyston {
namespace {

constexpr unsigned kDefaultDomain = 0;
constexpr int kMaxFrames = UINT16_MAX;

struct Frame {
  PyObject* filename;  // interned in `filenames`, which owns it
  unsigned lineno;
};

struct Traceback {
  Py_uhash_t hash;
  uint16_t count;        // frames kept
  uint16_t total_count;  // frames there were
  Frame frames[1];

  static size_t byte_size(size_t count) { return offsetof(Traceback, frames) + count * sizeof(Frame); }
};

struct Trace {
  size_t size;
  const Traceback* traceback;
};

auto& config = _Py_tracemalloc_config;
PyMemAllocatorEx wrapped[3];
PyThread_type_lock tables_lock = nullptr;
thread_local bool reentrant = false;

_Py_hashtable_t* filenames = nullptr;   // str -> null
_Py_hashtable_t* tracebacks = nullptr;  // Traceback -> null
_Py_hashtable_t* domains = nullptr;     // domain -> table of address -> Trace
Traceback* scratch = nullptr;           // the traceback under construction; used with the GIL
PyObject* unknown_filename = nullptr;
Traceback empty_traceback;
size_t traced_memory = 0;
size_t peak_memory = 0;

class Guard {
 public:
  Guard() { PyThread_acquire_lock(tables_lock, WAIT_LOCK); }
  ~Guard() { PyThread_release_lock(tables_lock); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
};

class Reentrant {
 public:
  Reentrant() { reentrant = true; }
  ~Reentrant() { reentrant = false; }
};

void* as_key(unsigned domain) { return reinterpret_cast<void*>(static_cast<uintptr_t>(domain)); }
void* as_key(uintptr_t address) { return reinterpret_cast<void*>(address); }

// ---- Tables

Py_uhash_t hash_text(const void* key) {
  auto* text = static_cast<PyObject*>(const_cast<void*>(key));
  return static_cast<Py_uhash_t>(PyObject_Hash(text));
}
int equal_text(const void* a, const void* b) {
  return PyUnicode_Compare(static_cast<PyObject*>(const_cast<void*>(a)), static_cast<PyObject*>(const_cast<void*>(b))) ==
         0;
}
Py_uhash_t hash_traceback(const void* key) { return static_cast<const Traceback*>(key)->hash; }
int equal_traceback(const void* a_, const void* b_) {
  auto* a = static_cast<const Traceback*>(a_);
  auto* b = static_cast<const Traceback*>(b_);
  if (a->count != b->count || a->total_count != b->total_count) return 0;
  for (int i = 0; i < a->count; i++) {
    if (a->frames[i].filename != b->frames[i].filename || a->frames[i].lineno != b->frames[i].lineno) return 0;
  }
  return 1;
}
Py_uhash_t hash_domain(const void* key) { return reinterpret_cast<uintptr_t>(key); }

_Py_hashtable_t* make_table(_Py_hashtable_hash_func hash, _Py_hashtable_compare_func compare,
                            _Py_hashtable_destroy_func destroy_key = nullptr,
                            _Py_hashtable_destroy_func destroy_value = nullptr) {
  _Py_hashtable_allocator_t system = {malloc, free};
  return _Py_hashtable_new_full(hash, compare, destroy_key, destroy_value, &system);
}

/// The traces of a domain; null if there are none and `create` is not asked for, or without memory.
enum class Create { kNo, kYes };
_Py_hashtable_t* traces_of(unsigned domain, Create create) {
  auto* table = static_cast<_Py_hashtable_t*>(_Py_hashtable_get(domains, as_key(domain)));
  if (table != nullptr || create == Create::kNo) return table;
  table = make_table(_Py_hashtable_hash_ptr, _Py_hashtable_compare_direct, nullptr, free);
  if (table == nullptr) return nullptr;
  if (_Py_hashtable_set(domains, as_key(domain), table) < 0) {
    _Py_hashtable_destroy(table);
    return nullptr;
  }
  return table;
}

// ---- Tracebacks

/// The interned file name, borrowed from the table.
PyObject* intern_filename(PyObject* filename) {
  if (filename == nullptr || !PyUnicode_Check(filename) || !PyUnicode_IS_READY(filename)) return unknown_filename;
  _Py_hashtable_entry_t* entry = _Py_hashtable_get_entry(filenames, filename);
  if (entry != nullptr) return static_cast<PyObject*>(entry->key);
  if (_Py_hashtable_set(filenames, filename, nullptr) < 0) return unknown_filename;
  return Py_NewRef(filename);
}

/// The interned traceback of the running code; null without memory. With the GIL.
const Traceback* current_traceback() {
  PyThreadState* tstate = _PyThreadState_GET();
  scratch->count = 0;
  scratch->total_count = 0;
  _PyInterpreterFrame* frame = tstate != nullptr ? tstate->cframe->current_frame : nullptr;
  for (; frame != nullptr; frame = frame->previous) {
    if (_PyFrame_IsIncomplete(frame)) continue;
    if (scratch->count < config.max_nframe) {
      const int line = _PyInterpreterFrame_GetLine(frame);
      scratch->frames[scratch->count++] = {intern_filename(frame->f_code->co_filename),
                                           line < 0 ? 0 : static_cast<unsigned>(line)};
    }
    if (scratch->total_count < kMaxFrames) scratch->total_count++;
  }
  if (scratch->count == 0) return &empty_traceback;
  Py_uhash_t hash = 0x345678;
  for (int i = 0; i < scratch->count; i++) {
    hash = (hash ^ reinterpret_cast<uintptr_t>(scratch->frames[i].filename) >> 4) * 1000003;
    hash = (hash ^ scratch->frames[i].lineno) * 1000003;
  }
  scratch->hash = hash ^ scratch->total_count;
  _Py_hashtable_entry_t* entry = _Py_hashtable_get_entry(tracebacks, scratch);
  if (entry != nullptr) return static_cast<Traceback*>(entry->key);
  auto* kept = static_cast<Traceback*>(malloc(Traceback::byte_size(scratch->count)));
  if (kept == nullptr) return nullptr;
  memcpy(static_cast<void*>(kept), scratch, Traceback::byte_size(scratch->count));
  if (_Py_hashtable_set(tracebacks, kept, nullptr) < 0) {
    free(kept);
    return nullptr;
  }
  return kept;
}

// ---- Traces. The callers hold `tables_lock`.

void remove_trace(unsigned domain, uintptr_t address) {
  _Py_hashtable_t* traces = traces_of(domain, Create::kNo);
  if (traces == nullptr) return;
  auto* trace = static_cast<Trace*>(_Py_hashtable_steal(traces, as_key(address)));
  if (trace == nullptr) return;
  traced_memory -= trace->size;
  free(trace);
}

/// Adds or replaces; false without memory. With the GIL.
bool add_trace(unsigned domain, uintptr_t address, size_t size) {
  const Traceback* traceback = current_traceback();
  if (traceback == nullptr) return false;
  _Py_hashtable_t* traces = traces_of(domain, Create::kYes);
  if (traces == nullptr) return false;
  auto* trace = static_cast<Trace*>(_Py_hashtable_get(traces, as_key(address)));
  if (trace != nullptr) {
    traced_memory -= trace->size;
    *trace = {size, traceback};
  } else {
    trace = static_cast<Trace*>(malloc(sizeof(Trace)));
    if (trace == nullptr) return false;
    *trace = {size, traceback};
    if (_Py_hashtable_set(traces, as_key(address), trace) < 0) {
      free(trace);
      return false;
    }
  }
  traced_memory += size;
  if (traced_memory > peak_memory) peak_memory = traced_memory;
  return true;
}

// ---- The wrapped allocators

enum Gil { kHasGil, kNeedsGil };

/// Takes the GIL for a raw allocation.
template <Gil gil>
class WithGil {
 public:
  WithGil() {
    if constexpr (gil == kNeedsGil) state_ = PyGILState_Ensure();
  }
  ~WithGil() {
    if constexpr (gil == kNeedsGil) PyGILState_Release(state_);
  }

 private:
  PyGILState_STATE state_{};
};

uintptr_t address_of(void* block) { return reinterpret_cast<uintptr_t>(block); }

/// Records a new block; releases it when that fails.
template <Gil gil>
void* record(PyMemAllocatorEx* below, void* block, size_t size) {
  if (block == nullptr) return nullptr;
  Guard guard;
  if (add_trace(kDefaultDomain, address_of(block), size)) return block;
  below->free(below->ctx, block);
  return nullptr;
}

template <Gil gil>
void* traced_malloc(void* ctx, size_t size) {
  auto* below = static_cast<PyMemAllocatorEx*>(ctx);
  if (reentrant) return below->malloc(below->ctx, size);
  Reentrant mark;
  WithGil<gil> with;
  return record<gil>(below, below->malloc(below->ctx, size), size);
}

template <Gil gil>
void* traced_calloc(void* ctx, size_t count, size_t size) {
  auto* below = static_cast<PyMemAllocatorEx*>(ctx);
  if (reentrant) return below->calloc(below->ctx, count, size);
  Reentrant mark;
  WithGil<gil> with;
  return record<gil>(below, below->calloc(below->ctx, count, size), count * size);
}

void forget(void* block) {
  Guard guard;
  remove_trace(kDefaultDomain, address_of(block));
}

template <Gil gil>
void* traced_realloc(void* ctx, void* block, size_t size) {
  auto* below = static_cast<PyMemAllocatorEx*>(ctx);
  if (reentrant) {
    // The block may have a trace; its size would be wrong from here on.
    void* moved = below->realloc(below->ctx, block, size);
    if (moved != nullptr && block != nullptr) forget(block);
    return moved;
  }
  Reentrant mark;
  WithGil<gil> with;
  void* moved = below->realloc(below->ctx, block, size);
  if (moved == nullptr) return nullptr;
  if (block == nullptr) return record<gil>(below, moved, size);
  Guard guard;
  if (moved != block) remove_trace(kDefaultDomain, address_of(block));
  // The block exists under its new address, traced or not: there is no way back to the old size.
  if (!add_trace(kDefaultDomain, address_of(moved), size)) remove_trace(kDefaultDomain, address_of(moved));
  return moved;
}

void traced_free(void* ctx, void* block) {
  if (block == nullptr) return;
  auto* below = static_cast<PyMemAllocatorEx*>(ctx);
  // First the trace: another thread may get the same address at once.
  forget(block);
  below->free(below->ctx, block);
}

// ---- Starting and stopping

bool initialise() {
  if (config.initialized == config.TRACEMALLOC_FINALIZED) {
    PyErr_SetString(PyExc_RuntimeError, "the tracemalloc module has been unloaded");
    return false;
  }
  if (config.initialized == config.TRACEMALLOC_INITIALIZED) return true;
  if (tables_lock == nullptr) tables_lock = PyThread_allocate_lock();
  filenames = make_table(hash_text, equal_text,
                         [](void* name) { Py_DECREF(static_cast<PyObject*>(name)); });
  tracebacks = make_table(hash_traceback, equal_traceback, free);
  domains = make_table(hash_domain, _Py_hashtable_compare_direct, nullptr, [](void* traces) {
    _Py_hashtable_destroy(static_cast<_Py_hashtable_t*>(traces));
  });
  unknown_filename = PyUnicode_FromString("<unknown>");
  if (tables_lock == nullptr || filenames == nullptr || tracebacks == nullptr || domains == nullptr ||
      unknown_filename == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  PyUnicode_InternInPlace(&unknown_filename);
  empty_traceback = {.hash = 0, .count = 1, .total_count = 1, .frames = {{unknown_filename, 0}}};
  config.initialized = config.TRACEMALLOC_INITIALIZED;
  return true;
}

void clear_all() {
  Guard guard;
  Reentrant mark;
  _Py_hashtable_clear(domains);
  traced_memory = 0;
  peak_memory = 0;
  _Py_hashtable_clear(tracebacks);
  _Py_hashtable_clear(filenames);
}

bool start(int max_frames) {
  if (max_frames < 1 || max_frames > kMaxFrames) {
    PyErr_Format(PyExc_ValueError, "the number of frames must be in range [1; %lu]",
                 static_cast<unsigned long>(kMaxFrames));
    return false;
  }
  if (!initialise()) return false;
  if (config.tracing) return true;
  config.max_nframe = max_frames;
  scratch = static_cast<Traceback*>(malloc(Traceback::byte_size(static_cast<size_t>(max_frames))));
  if (scratch == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  PyMemAllocatorEx raw = {&wrapped[0], traced_malloc<kNeedsGil>, traced_calloc<kNeedsGil>, traced_realloc<kNeedsGil>,
                          traced_free};
  PyMemAllocatorEx others = {nullptr, traced_malloc<kHasGil>, traced_calloc<kHasGil>, traced_realloc<kHasGil>,
                             traced_free};
  const PyMemAllocatorDomain all[] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
  for (PyMemAllocatorDomain domain : all) {
    PyMem_GetAllocator(domain, &wrapped[domain]);
    PyMemAllocatorEx hook = domain == PYMEM_DOMAIN_RAW ? raw : others;
    hook.ctx = &wrapped[domain];
    PyMem_SetAllocator(domain, &hook);
  }
  config.tracing = 1;
  return true;
}

void stop() {
  if (!config.tracing) return;
  config.tracing = 0;
  for (PyMemAllocatorDomain domain : {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ}) {
    PyMem_SetAllocator(domain, &wrapped[domain]);
  }
  clear_all();
  free(scratch);
  scratch = nullptr;
}

// ---- As Python objects

Ref<> to_tuple(const Traceback* traceback) {
  auto frames = Ref<>::steal(PyTuple_New(traceback->count));
  if (!frames) return nullptr;
  for (int i = 0; i < traceback->count; i++) {
    PyObject* frame = Py_BuildValue("(OI)", traceback->frames[i].filename, traceback->frames[i].lineno);
    if (frame == nullptr) return nullptr;
    PyTuple_SET_ITEM(frames.get(), i, frame);
  }
  return frames;
}

const Traceback* traceback_of(unsigned domain, uintptr_t address) {
  if (!config.tracing) return nullptr;
  Guard guard;
  _Py_hashtable_t* traces = traces_of(domain, Create::kNo);
  if (traces == nullptr) return nullptr;
  auto* trace = static_cast<Trace*>(_Py_hashtable_get(traces, as_key(address)));
  return trace != nullptr ? trace->traceback : nullptr;
}

struct TraceCopy {
  unsigned domain;
  Trace trace;
};

/// A snapshot of all traces, malloc'ed, taken under the lock without making objects; `count` becomes its size.
TraceCopy* copy_traces(size_t& count) {
  struct Walk {
    unsigned domain;
    TraceCopy* out;
    size_t count;
  } walk = {0, nullptr, 0};
  Guard guard;
  auto per_domain = [](auto visit_trace, void* walk_) {
    return _Py_hashtable_foreach(
        domains,
        [](_Py_hashtable_t*, const void* domain, const void* traces, void* data) {
          auto* walk = static_cast<Walk*>(data);
          walk->domain = static_cast<unsigned>(reinterpret_cast<uintptr_t>(domain));
          return _Py_hashtable_foreach(
              static_cast<_Py_hashtable_t*>(const_cast<void*>(traces)),
              [](_Py_hashtable_t*, const void*, const void* trace, void* inner) {
                decltype(visit_trace)()(static_cast<Walk*>(inner), static_cast<const Trace*>(trace));
                return 0;
              },
              walk);
        },
        walk_);
  };
  per_domain([](Walk* w, const Trace*) { w->count++; }, &walk);
  walk.out = static_cast<TraceCopy*>(malloc(sizeof(TraceCopy) * (walk.count + 1)));
  if (walk.out == nullptr) return nullptr;
  TraceCopy* copies = walk.out;
  walk.count = 0;
  per_domain([](Walk* w, const Trace* trace) { w->out[w->count++] = {w->domain, *trace}; }, &walk);
  count = walk.count;
  return copies;
}

Ref<> get_traces(Borrowed<>) {
  auto list = Ref<>::steal(PyList_New(0));
  if (!list || !config.tracing) return list;
  Reentrant mark;  // what is allocated for the result is not traced
  size_t count = 0;
  TraceCopy* copies = copy_traces(count);
  if (copies == nullptr) return Ref<>::steal(PyErr_NoMemory());
  // One tuple per traceback, shared by its traces.
  _Py_hashtable_t* tuples = make_table(_Py_hashtable_hash_ptr, _Py_hashtable_compare_direct, nullptr,
                                       [](void* tuple) { Py_DECREF(static_cast<PyObject*>(tuple)); });
  bool done = tuples != nullptr;
  for (size_t i = 0; i < count && done; i++) {
    const Traceback* traceback = copies[i].trace.traceback;
    auto* tuple = static_cast<PyObject*>(_Py_hashtable_get(tuples, traceback));
    if (tuple == nullptr) {
      tuple = to_tuple(traceback).release();
      if (tuple == nullptr || _Py_hashtable_set(tuples, traceback, tuple) < 0) {
        Py_XDECREF(tuple);
        done = false;
        break;
      }
    }
    auto row = Ref<>::steal(Py_BuildValue("(InOH)", copies[i].domain, static_cast<Py_ssize_t>(copies[i].trace.size),
                                          tuple, traceback->total_count));
    done = row && PyList_Append(list.get(), row.get()) >= 0;
  }
  if (tuples != nullptr) _Py_hashtable_destroy(tuples);
  free(copies);
  if (!done) {
    if (!PyErr_Occurred()) PyErr_NoMemory();
    return nullptr;
  }
  return list;
}

uintptr_t block_of(PyObject* object) {
  return reinterpret_cast<uintptr_t>(object) - _PyType_PreHeaderSize(Py_TYPE(object));
}

Ref<> get_object_traceback(Borrowed<>, Borrowed<> object) {
  return Ref<>::steal(_PyTraceMalloc_GetTraceback(kDefaultDomain, block_of(object)));
}

Ref<> is_tracing(Borrowed<>) { return Ref<>::steal(PyBool_FromLong(config.tracing)); }
Ref<> clear_traces(Borrowed<>) {
  if (config.tracing) clear_all();
  return Ref<>::none();
}
Ref<> start_(Borrowed<>, Optional<int> nframe) {
  if (!start(nframe.value_or(1))) return nullptr;
  return Ref<>::none();
}
Ref<> stop_(Borrowed<>) {
  stop();
  return Ref<>::none();
}
Ref<> get_traceback_limit(Borrowed<>) { return Ref<>::steal(PyLong_FromLong(config.max_nframe)); }

Ref<> get_tracemalloc_memory(Borrowed<>) {
  size_t size = 0;
  if (config.initialized == config.TRACEMALLOC_INITIALIZED) {
    Guard guard;
    size = _Py_hashtable_size(tracebacks) + _Py_hashtable_size(filenames);
    _Py_hashtable_foreach(
        tracebacks,
        [](_Py_hashtable_t*, const void* key, const void*, void* total) {
          *static_cast<size_t*>(total) += Traceback::byte_size(static_cast<const Traceback*>(key)->count);
          return 0;
        },
        &size);
    _Py_hashtable_foreach(
        domains,
        [](_Py_hashtable_t*, const void*, const void* traces, void* total) {
          auto* table = static_cast<const _Py_hashtable_t*>(traces);
          *static_cast<size_t*>(total) += _Py_hashtable_size(table) + table->nentries * sizeof(Trace);
          return 0;
        },
        &size);
  }
  return Ref<>::steal(PyLong_FromSize_t(size));
}

Ref<> get_traced_memory(Borrowed<>) {
  if (!config.tracing) return Ref<>::steal(Py_BuildValue("ii", 0, 0));
  size_t size, peak;
  {
    Guard guard;
    size = traced_memory;
    peak = peak_memory;
  }
  return Ref<>::steal(Py_BuildValue("nn", size, peak));
}

Ref<> reset_peak(Borrowed<>) {
  if (config.tracing) {
    Guard guard;
    peak_memory = traced_memory;
  }
  return Ref<>::none();
}

PyMethodDef methods[] = {
    method<is_tracing, "is_tracing($module, /)", "Whether allocations are being traced.">(),
    method<clear_traces, "clear_traces($module, /)", "Forgets all traces.">(),
    method<get_traces, "_get_traces($module, /)", "All traces, as (domain, size, traceback, total_nframe).">(),
    method<get_object_traceback, "_get_object_traceback($module, obj, /)",
           "Where an object was allocated, as a tuple of (filename, lineno); None if that is not known.">(),
    method<start_, "start($module, nframe=1, /)", "Starts tracing, keeping a number of frames.">(),
    method<stop_, "stop($module, /)", "Stops tracing and forgets all traces.">(),
    method<get_traceback_limit, "get_traceback_limit($module, /)", "The number of frames that are kept.">(),
    method<get_tracemalloc_memory, "get_tracemalloc_memory($module, /)", "The memory that tracing itself uses.">(),
    method<get_traced_memory, "get_traced_memory($module, /)", "(size, peak) of the traced blocks.">(),
    method<reset_peak, "reset_peak($module, /)", "Makes the peak the present size.">(),
    {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "_tracemalloc",
                          .m_doc = "Traces memory allocations.",
                          .m_size = 0,
                          .m_methods = methods};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyMODINIT_FUNC PyInit__tracemalloc(void) {
  PyObject* module = PyModule_Create(&definition);
  if (module == nullptr) return nullptr;
  if (!initialise()) {
    Py_DECREF(module);
    return nullptr;
  }
  return module;
}

int _PyTraceMalloc_Init(int frames) { return frames == 0 || start(frames) ? 0 : -1; }

void _PyTraceMalloc_Fini(void) {
  if (config.initialized != config.TRACEMALLOC_INITIALIZED) return;
  stop();
  config.initialized = config.TRACEMALLOC_FINALIZED;
  _Py_hashtable_destroy(domains);
  _Py_hashtable_destroy(tracebacks);
  _Py_hashtable_destroy(filenames);
  domains = tracebacks = filenames = nullptr;
  PyThread_free_lock(tables_lock);
  tables_lock = nullptr;
  Py_CLEAR(unknown_filename);
  // Py_Initialize() may come again.
  config.initialized = config.TRACEMALLOC_NOT_INITIALIZED;
}

int PyTraceMalloc_Track(unsigned domain, uintptr_t address, size_t size) {
  if (!config.tracing) return -2;
  const PyGILState_STATE state = PyGILState_Ensure();
  bool added;
  {
    Guard guard;
    added = add_trace(domain, address, size);
  }
  PyGILState_Release(state);
  return added ? 0 : -1;
}

int PyTraceMalloc_Untrack(unsigned domain, uintptr_t address) {
  if (!config.tracing) return -2;
  Guard guard;
  remove_trace(domain, address);
  return 0;
}

/// A block out of a free list: it now belongs to who asked for it last.
int _PyTraceMalloc_NewReference(PyObject* object) {
  if (LIKELY(!config.tracing)) return -1;
  if (reentrant) return -1;
  Guard guard;
  _Py_hashtable_t* traces = traces_of(kDefaultDomain, Create::kNo);
  if (traces == nullptr) return -1;
  auto* trace = static_cast<Trace*>(_Py_hashtable_get(traces, as_key(block_of(object))));
  if (trace == nullptr) return -1;
  Reentrant mark;
  const Traceback* traceback = current_traceback();
  if (traceback == nullptr) return -1;
  trace->traceback = traceback;
  return 0;
}

PyObject* _PyTraceMalloc_GetTraceback(unsigned domain, uintptr_t address) {
  const Traceback* traceback = traceback_of(domain, address);
  if (traceback == nullptr) return Py_NewRef(Py_None);
  return to_tuple(traceback).release();
}

void _PyMem_DumpTraceback(int fd, const void* block) {
  auto put = [fd](const char* text) { (void)!write(fd, text, strlen(text)); };
  if (!config.tracing) {
    put("Enable tracemalloc to get the memory block allocation traceback\n\n");
    return;
  }
  const Traceback* traceback = traceback_of(kDefaultDomain, reinterpret_cast<uintptr_t>(block));
  if (traceback == nullptr) return;
  put("Memory block allocated at (most recent call first):\n");
  for (int i = 0; i < traceback->count; i++) {
    put("  File \"");
    _Py_DumpASCII(fd, traceback->frames[i].filename);
    put("\", line ");
    _Py_DumpDecimal(fd, traceback->frames[i].lineno);
    put("\n");
  }
  put("\n");
}

// `tracemalloc.h` forgets to ask for C linkage, so the functions above have C++ names here; extensions want C names.
namespace pyston::exports {
extern "C" {
PyAPI_FUNC(int) PyTraceMalloc_Track(unsigned domain, uintptr_t address, size_t size) {
  return ::PyTraceMalloc_Track(domain, address, size);
}
PyAPI_FUNC(int) PyTraceMalloc_Untrack(unsigned domain, uintptr_t address) {
  return ::PyTraceMalloc_Untrack(domain, address);
}
PyAPI_FUNC(PyObject*) _PyTraceMalloc_GetTraceback(unsigned domain, uintptr_t address) {
  return ::_PyTraceMalloc_GetTraceback(domain, address);
}
}
}  // namespace pyston::exports
