// The cycle collector: three generations, trial deletion.
//
// Every tracked container is on the list of its generation (gc_list). A collection takes a generation with all younger
// ones and finds what is only reachable from within:
//   1. copy every reference count; subtract the references that come from inside the set;
//   2. what keeps a count is reachable from outside; so is everything reachable from that. The rest is garbage;
//   3. clear weak references to the garbage and run their callbacks; run tp_finalize; see again what is still
//      unreachable (finalizers can resurrect); break the cycles of that with tp_clear.
//
// INVARIANT between collections: `_gc_next` is the successor (0: untracked), `_gc_prev` the predecessor plus the
// FINALIZED bit. During a collection:
//   - COLLECTING in `_gc_prev` marks the objects of the set whose fate is open; their `_gc_prev` then holds the copied
//     count (step 1) or the predecessor (once they are on a list again);
//   - kUnreachable in `_gc_next` marks members of the tentatively unreachable list.
// Extensions link and unlink objects inline (_PyObject_GC_TRACK/UNTRACK), so neither can change.
#include "Runtime/memory/collector.h"

#include "pycore_initconfig.h"
#include "pycore_pyerrors.h"
#include "pycore_pylifecycle.h"
#include "pycore_sysmodule.h"

namespace pyston {
namespace {

using gc_list::append;
using gc_list::init;
using gc_list::is_empty;
using gc_list::merge;
using gc_list::move;
using gc_list::next;
using gc_list::prev;
using gc_list::set_next;
using gc_list::set_prev;

constexpr uintptr_t kUnreachable = 1;
constexpr int kOldest = NUM_GENERATIONS - 1;

ALWAYS_INLINE PyGC_Head* head_of(PyObject* object) { return reinterpret_cast<PyGC_Head*>(object) - 1; }
ALWAYS_INLINE bool is_collecting(const PyGC_Head* node) { return (node->_gc_prev & _PyGC_PREV_MASK_COLLECTING) != 0; }
ALWAYS_INLINE void clear_collecting(PyGC_Head* node) {
  node->_gc_prev &= ~static_cast<uintptr_t>(_PyGC_PREV_MASK_COLLECTING);
}
ALWAYS_INLINE Py_ssize_t copied_count(const PyGC_Head* node) {
  return static_cast<Py_ssize_t>(node->_gc_prev >> _PyGC_PREV_SHIFT);
}
ALWAYS_INLINE void set_count(PyGC_Head* node, Py_ssize_t count) {
  node->_gc_prev = (node->_gc_prev & ~_PyGC_PREV_MASK) | (static_cast<uintptr_t>(count) << _PyGC_PREV_SHIFT);
}
ALWAYS_INLINE PyGC_Head* plain_next(const PyGC_Head* node) {
  return reinterpret_cast<PyGC_Head*>(node->_gc_next & ~kUnreachable);
}
void traverse(PyGC_Head* node, visitproc visit, void* arg) {
  PyObject* object = object_of(node);
  Py_TYPE(object)->tp_traverse(object, visit, arg);
}

/// The references of a function. A name that the code object holds too is kept by something that is no container, so it
/// can't be garbage whatever the counts say: FAST: it need not be looked at.
template <int visit(PyObject*, void*)>
ALWAYS_INLINE void traverse_function(PyFunctionObject* function, void* arg) {
  auto each = [arg](PyObject* object) {
    if (object != nullptr) visit(object, arg);
  };
  auto* code = reinterpret_cast<PyCodeObject*>(function->func_code);
  each(function->func_globals);
  each(function->func_builtins);
  each(function->func_module);
  each(function->func_defaults);
  each(function->func_kwdefaults);
  each(function->func_doc);
  each(function->func_dict);
  each(function->func_closure);
  each(function->func_annotations);
  if (function->func_name != code->co_name) each(function->func_name);
  if (function->func_qualname != code->co_qualname) each(function->func_qualname);
}

/// FAST: `visit` inlined into the traversal of the commonest containers.
template <int visit(PyObject*, void*)>
ALWAYS_INLINE void traverse_with(PyGC_Head* node, void* arg) {
  PyObject* object = object_of(node);
  PyTypeObject* type = Py_TYPE(object);
  if (type == &PyFunction_Type && reinterpret_cast<PyFunctionObject*>(object)->func_code != nullptr) {
    traverse_function<visit>(reinterpret_cast<PyFunctionObject*>(object), arg);
  } else if (type == &PyTuple_Type) {
    auto* tuple = reinterpret_cast<PyTupleObject*>(object);
    for (Py_ssize_t i = 0; i < Py_SIZE(tuple); i++) {
      if (tuple->ob_item[i] != nullptr) visit(tuple->ob_item[i], arg);
    }
  } else {
    type->tp_traverse(object, visit, arg);
  }
}

// ---- Finding what is unreachable

ALWAYS_INLINE void copy_count(PyGC_Head* node) {
  node->_gc_prev = (node->_gc_prev & _PyGC_PREV_MASK_FINALIZED) | _PyGC_PREV_MASK_COLLECTING |
                   static_cast<uintptr_t>(Py_REFCNT(object_of(node))) << _PyGC_PREV_SHIFT;
}

void copy_counts(PyGC_Head* set) {
  for (PyGC_Head* node = next(set); node != set; node = next(node)) {
    __builtin_prefetch(next(node));
    copy_count(node);
  }
}

/// What the set is: some generations, or every tracked object there is.
enum class Extent { kSome, kAll };

/// FAST: the objects that a traversal meets are all over the memory. Each waits here for a few others while its first
/// cache line is on the way.
template <Extent extent>
class ReferenceSubtraction {
 public:
  static int visit(PyObject* object, void* self) {
    static_cast<ReferenceSubtraction*>(self)->push(object);
    return 0;
  }
  void finish() {
    for (PyObject* object : waiting_) {
      if (object != nullptr) subtract(object);
    }
  }

 private:
  static constexpr unsigned kLength = 16;

  ALWAYS_INLINE void push(PyObject* object) {
    __builtin_prefetch(object);
    PyObject* ready = std::exchange(waiting_[position_++ % kLength], object);
    if (LIKELY(ready != nullptr)) subtract(ready);
  }
  static ALWAYS_INLINE void subtract(PyObject* object) {
    if (!_PyObject_IS_GC(object)) return;
    PyGC_Head* node = head_of(object);
    if (extent == Extent::kAll) {
      if (node->_gc_next == 0) return;
      if (!is_collecting(node)) copy_count(node);  // the walk has not been there yet
    } else if (!is_collecting(node)) {
      return;  // objects of other generations have no copied count
    }
    node->_gc_prev -= uintptr_t{1} << _PyGC_PREV_SHIFT;
  }

  PyObject* waiting_[kLength] = {};
  unsigned position_ = 0;
};

/// With Extent::kAll the counts are copied on the way.
template <Extent extent>
void subtract_inner_references(PyGC_Head* set) {
  ReferenceSubtraction<extent> subtraction;
  for (PyGC_Head* node = next(set); node != set; node = next(node)) {
    __builtin_prefetch(next(node));
    if (extent == Extent::kAll && !is_collecting(node)) copy_count(node);
    traverse_with<ReferenceSubtraction<extent>::visit>(node, &subtraction);
  }
  subtraction.finish();
}

/// Called for what a reachable object refers to: that is reachable, too.
int visit_reachable(PyObject* object, void* reachable) {
  if (!_PyObject_IS_GC(object)) return 0;
  PyGC_Head* node = head_of(object);
  if (!is_collecting(node)) return 0;  // another generation, or known to be reachable already
  if (node->_gc_next & kUnreachable) {
    // It was put aside too early. Back to the end of the list that is being walked, so that its turn comes.
    PyGC_Head* before = prev(node);
    PyGC_Head* after = plain_next(node);
    before->_gc_next = node->_gc_next;  // keeps the mark
    set_prev(after, before);
    append(node, static_cast<PyGC_Head*>(reachable));
    set_count(node, 1);
  } else if (copied_count(node) == 0) {
    set_count(node, 1);  // still ahead of the walk
  }
  return 0;
}

/// What separate_unreachable() does besides with the containers it has found reachable.
enum class Untracking { kNone, kTuples, kTuplesAndDicts };
struct ReachableCount {
  Py_ssize_t kept = 0;
  Py_ssize_t untracked_tuples = 0;
};

/// Takes a container of untracked things off the list, of which only the part before `node` has predecessors.
template <void maybe_untrack(PyObject*)>
ALWAYS_INLINE bool untrack_on_walk(PyGC_Head* node) {
  PyGC_Head* after = next(node);
  const uintptr_t count = after->_gc_prev;
  maybe_untrack(object_of(node));
  after->_gc_prev = count;
  return node->_gc_next == 0;
}

/// Leaves in `set` what is reachable from outside of it; the rest goes to `unreachable`, with kUnreachable marks.
/// Predecessors are restored on the way: up to the walk's position the list is whole again.
template <Untracking untracking>
ReachableCount separate_unreachable(PyGC_Head* set, PyGC_Head* unreachable) {
  ReachableCount result;
  PyGC_Head* last = set;
  PyGC_Head* node = next(set);
  unreachable->_gc_next = reinterpret_cast<uintptr_t>(unreachable) | kUnreachable;
  while (node != set) {
    if (copied_count(node) != 0) {
      traverse_with<visit_reachable>(node, set);
      set_prev(node, last);
      clear_collecting(node);
      PyTypeObject* type = Py_TYPE(object_of(node));
      if (untracking != Untracking::kNone && type == &PyTuple_Type && untrack_on_walk<_PyTuple_MaybeUntrack>(node)) {
        result.untracked_tuples++;
      } else if (untracking != Untracking::kTuplesAndDicts || type != &PyDict_Type ||
                 !untrack_on_walk<_PyDict_MaybeUntrack>(node)) {
        last = node;
        result.kept++;
      }
    } else {
      last->_gc_next = node->_gc_next;
      auto* end = reinterpret_cast<PyGC_Head*>(unreachable->_gc_prev);
      end->_gc_next = reinterpret_cast<uintptr_t>(node) | kUnreachable;
      set_prev(node, end);
      node->_gc_next = reinterpret_cast<uintptr_t>(unreachable) | kUnreachable;
      unreachable->_gc_prev = reinterpret_cast<uintptr_t>(node);
    }
    node = next(last);
    __builtin_prefetch(reinterpret_cast<void*>(node->_gc_next));
  }
  set->_gc_prev = reinterpret_cast<uintptr_t>(last);
  unreachable->_gc_next &= ~kUnreachable;
  return result;
}

/// `unreachable` is set up here. Its members keep both marks.
template <Untracking untracking, Extent extent = Extent::kSome>
ReachableCount deduce_unreachable(PyGC_Head* set, PyGC_Head* unreachable) {
  if (extent == Extent::kSome) copy_counts(set);
  subtract_inner_references<extent>(set);
  init(unreachable);
  return separate_unreachable<untracking>(set, unreachable);
}

/// True when the generations hold every tracked object of the process.
bool nothing_is_elsewhere(PyThreadState* tstate) {
  return is_empty(&tstate->interp->gc.permanent_generation.head) && tstate->interp->next == nullptr &&
         tstate->interp == _PyRuntime.interpreters.head;
}

/// Untracks the dicts of `list` that hold untracked things only; the number of objects that stay.
Py_ssize_t untrack_dicts(PyGC_Head* list) {
  Py_ssize_t kept = 0;
  for (PyGC_Head* node = next(list); node != list;) {
    PyGC_Head* after = next(node);
    __builtin_prefetch(next(after));
    PyObject* object = object_of(node);
    if (PyDict_CheckExact(object)) _PyDict_MaybeUntrack(object);
    kept += node->_gc_next != 0;
    node = after;
  }
  return kept;
}

/// deduce_unreachable() over the oldest generation, which untracks dicts too. Gives the number of objects that stay.
Py_ssize_t deduce_unreachable_of_all(PyThreadState* tstate, PyGC_Head* set, PyGC_Head* unreachable) {
  const ReachableCount count =
      nothing_is_elsewhere(tstate)
          ? deduce_unreachable<Untracking::kTuplesAndDicts, Extent::kAll>(set, unreachable)
          : deduce_unreachable<Untracking::kTuplesAndDicts>(set, unreachable);
  // Whether a dict can go depends on the tuples in it, which may have gone after it was looked at.
  return count.untracked_tuples == 0 ? count.kept : untrack_dicts(set);
}

void clear_unreachable_marks(PyGC_Head* list) {
  list->_gc_next &= ~kUnreachable;
  for (PyGC_Head* node = next(list); node != list; node = next(node)) node->_gc_next &= ~kUnreachable;
}

// ---- Legacy finalizers (tp_del): their objects and all they reach are not collected

bool has_legacy_finalizer(PyObject* object) { return Py_TYPE(object)->tp_del != nullptr; }

int visit_move_to_finalizers(PyObject* object, void* finalizers) {
  if (_PyObject_IS_GC(object)) {
    PyGC_Head* node = head_of(object);
    if (is_collecting(node)) {
      move(node, static_cast<PyGC_Head*>(finalizers));
      clear_collecting(node);
    }
  }
  return 0;
}

/// Takes objects with tp_del, and what they reach, out of `unreachable`; clears the marks in `_gc_next`.
void separate_legacy_finalizers(PyGC_Head* unreachable, PyGC_Head* finalizers) {
  clear_unreachable_marks(unreachable);
  for (PyGC_Head* node = next(unreachable); node != unreachable;) {
    PyGC_Head* after = next(node);
    if (UNLIKELY(has_legacy_finalizer(object_of(node)))) {
      clear_collecting(node);
      move(node, finalizers);
    }
    node = after;
  }
  for (PyGC_Head* node = next(finalizers); node != finalizers; node = next(node)) {
    traverse(node, visit_move_to_finalizers, finalizers);
  }
}

// ---- Weak references

/// Clears every weak reference to garbage before any callback runs, so that no callback can get at it. Callbacks of weak
/// references that are garbage themselves do not run.
void handle_weak_references(PyGC_Head* unreachable, PyGC_Head* old) {
  PyGC_Head to_call;
  init(&to_call);
  for (PyGC_Head* node = next(unreachable); node != unreachable; node = next(node)) {
    PyObject* object = object_of(node);
    if (PyWeakref_Check(object)) _PyWeakref_ClearRef(reinterpret_cast<PyWeakReference*>(object));
    if (!_PyType_SUPPORTS_WEAKREFS(Py_TYPE(object))) continue;
    auto** list = reinterpret_cast<PyWeakReference**>(_PyObject_GET_WEAKREFS_LISTPTR(object));
    while (*list != nullptr) {
      PyWeakReference* reference = *list;
      _PyWeakref_ClearRef(reference);  // takes it off the list
      if (reference->wr_callback == nullptr) continue;
      PyGC_Head* reference_node = head_of(as_object(reference));
      if (is_collecting(reference_node)) continue;
      Py_INCREF(reference);
      move(reference_node, &to_call);
    }
  }
  while (!is_empty(&to_call)) {
    PyGC_Head* node = next(&to_call);
    PyObject* reference = object_of(node);
    PyObject* callback = reinterpret_cast<PyWeakReference*>(reference)->wr_callback;
    PyObject* result = PyObject_CallOneArg(callback, reference);
    if (result == nullptr) {
      PyErr_WriteUnraisable(callback);
    } else {
      Py_DECREF(result);
    }
    Py_DECREF(reference);
    // Usually it died just now.
    if (next(&to_call) == node) move(node, old);
  }
}

// ---- Finalizing and deleting

void run_finalizers(PyGC_Head* garbage) {
  PyGC_Head seen;
  init(&seen);
  while (!is_empty(garbage)) {
    PyGC_Head* node = next(garbage);
    PyObject* object = object_of(node);
    move(node, &seen);
    destructor finalize = Py_TYPE(object)->tp_finalize;
    if (finalize == nullptr || _PyGCHead_FINALIZED(node)) continue;
    _PyGCHead_SET_FINALIZED(node);
    Py_INCREF(object);
    finalize(object);
    Py_DECREF(object);
  }
  merge(&seen, garbage);
}

/// Moves what finalizers brought back to `old`; `still` gets what is garbage nevertheless.
void handle_resurrected(PyGC_Head* unreachable, PyGC_Head* still, PyGC_Head* old) {
  deduce_unreachable<Untracking::kNone>(unreachable, still);
  clear_unreachable_marks(still);
  merge(unreachable, old);
}

void delete_garbage(PyThreadState* tstate, CollectorState& state, PyGC_Head* garbage, PyGC_Head* old) {
  while (!is_empty(garbage)) {
    PyGC_Head* node = next(garbage);
    PyObject* object = object_of(node);
    if (state.debug & kDebugSaveAll) {
      if (PyList_Append(state.garbage, object) < 0) _PyErr_Clear(tstate);
    } else if (inquiry clear = Py_TYPE(object)->tp_clear) {
      Py_INCREF(object);
      clear(object);
      if (UNLIKELY(_PyErr_Occurred(tstate))) {
        _PyErr_WriteUnraisableMsg("in tp_clear of", as_object(Py_TYPE(object)));
      }
      Py_DECREF(object);
    }
    if (next(garbage) == node) {
      // Still alive: it dies when others let go of it.
      clear_collecting(node);
      move(node, old);
    }
  }
}

/// Objects with legacy finalizers go to gc.garbage.
void keep_uncollectable(PyThreadState* tstate, CollectorState& state, PyGC_Head* finalizers, PyGC_Head* old) {
  for (PyGC_Head* node = next(finalizers); node != finalizers; node = next(node)) {
    PyObject* object = object_of(node);
    if ((state.debug & kDebugSaveAll) || has_legacy_finalizer(object)) {
      if (state.garbage == nullptr) state.garbage = PyList_New(0);
      if (state.garbage == nullptr || PyList_Append(state.garbage, object) < 0) _PyErr_Clear(tstate);
    }
  }
  merge(finalizers, old);
}

void clear_free_lists(PyInterpreterState* interp) {
  _PyTuple_ClearFreeList(interp);
  _PyFloat_ClearFreeList(interp);
  _PyList_ClearFreeList(interp);
  _PyDict_ClearFreeList(interp);
  _PyAsyncGen_ClearFreeLists(interp);
  _PyContext_ClearFreeList(interp);
}

COLD void report_object(const char* what, PyObject* object) {
  PySys_FormatStderr("gc: %s <%s %p>\n", what, Py_TYPE(object)->tp_name, object);
}

COLD void report_start(CollectorState& state, int generation) {
  PySys_WriteStderr("gc: collecting generation %d...\n", generation);
  PySys_FormatStderr("gc: objects in each generation:");
  for (auto& each : state.generations) PySys_FormatStderr(" %zd", gc_list::size(&each.head));
  PySys_WriteStderr("\ngc: objects in permanent generation: %zd\n",
                    gc_list::size(&state.permanent_generation.head));
}

struct CollectionResult {
  Py_ssize_t collected = 0;
  Py_ssize_t uncollectable = 0;
  Py_ssize_t total() const { return collected + uncollectable; }
};

enum class OnError { kReport, kIgnore };

CollectionResult collect(PyThreadState* tstate, int generation, OnError on_error) {
  CollectorState& state = tstate->interp->gc;
  CollectionResult result;
  _PyTime_t started = 0;
  if (UNLIKELY(state.debug & kDebugStats)) {
    report_start(state, generation);
    started = _PyTime_GetPerfCounter();
  }

  if (generation < kOldest) state.generations[generation + 1].count++;
  for (int i = 0; i <= generation; i++) state.generations[i].count = 0;
  PyGC_Head* young = &state.generations[generation].head;
  for (int i = 0; i < generation; i++) merge(&state.generations[i].head, young);
  PyGC_Head* old = generation < kOldest ? &state.generations[generation + 1].head : young;

  PyGC_Head unreachable;
  if (generation == kOldest) {
    state.long_lived_pending = 0;
    state.long_lived_total = deduce_unreachable_of_all(tstate, young, &unreachable);
  } else {
    const ReachableCount count = deduce_unreachable<Untracking::kTuples>(young, &unreachable);
    if (generation == kOldest - 1) state.long_lived_pending += count.kept;
    merge(young, old);
  }

  PyGC_Head finalizers;
  init(&finalizers);
  separate_legacy_finalizers(&unreachable, &finalizers);
  if (UNLIKELY(state.debug & kDebugCollectable)) {
    for (PyGC_Head* node = next(&unreachable); node != &unreachable; node = next(node)) {
      report_object("collectable", object_of(node));
    }
  }

  if (!is_empty(&unreachable)) {
    handle_weak_references(&unreachable, old);
    run_finalizers(&unreachable);
    PyGC_Head garbage;
    handle_resurrected(&unreachable, &garbage, old);
    result.collected = gc_list::size(&garbage);
    delete_garbage(tstate, state, &garbage, old);
  }
  for (PyGC_Head* node = next(&finalizers); node != &finalizers; node = next(node)) {
    result.uncollectable++;
    if (UNLIKELY(state.debug & kDebugUncollectable)) report_object("uncollectable", object_of(node));
  }
  if (UNLIKELY(state.debug & kDebugStats)) {
    const double seconds = _PyTime_AsSecondsDouble(_PyTime_GetPerfCounter() - started);
    PySys_WriteStderr("gc: done, %zd unreachable, %zd uncollectable, %.4fs elapsed\n", result.total(),
                      result.uncollectable, seconds);
  }
  keep_uncollectable(tstate, state, &finalizers, old);
  if (generation == kOldest) clear_free_lists(tstate->interp);

  if (UNLIKELY(_PyErr_Occurred(tstate))) {
    if (on_error == OnError::kIgnore) {
      _PyErr_Clear(tstate);
    } else {
      _PyErr_WriteUnraisableMsg("in garbage collection", nullptr);
    }
  }
  gc_generation_stats& stats = state.generation_stats[generation];
  stats.collections++;
  stats.collected += result.collected;
  stats.uncollectable += result.uncollectable;
  return result;
}

COLD void call_callbacks(PyThreadState* tstate, CollectorState& state, const char* phase, int generation,
                         const CollectionResult& result) {
  auto info = Ref<>::steal(Py_BuildValue("{sisnsn}", "generation", generation, "collected", result.collected,
                                         "uncollectable", result.uncollectable));
  auto phase_text = Ref<>::steal(info ? PyUnicode_FromString(phase) : nullptr);
  if (!phase_text) {
    PyErr_WriteUnraisable(nullptr);
    return;
  }
  PyObject* args[] = {phase_text.get(), info.get()};
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(state.callbacks); i++) {
    auto callback = Ref<>::dup(PyList_GET_ITEM(state.callbacks, i));  // it may remove itself
    auto outcome = Ref<>::steal(PyObject_Vectorcall(callback.get(), args, 2, nullptr));
    if (!outcome) PyErr_WriteUnraisable(callback.get());
  }
}

/// The oldest generation whose count exceeds its threshold decides. A full collection, whose cost is proportional to
/// all objects, waits until a quarter of them is new.
void collect_due_generation(PyThreadState* tstate) {
  CollectorState& state = tstate->interp->gc;
  for (int i = kOldest; i >= 0; i--) {
    if (state.generations[i].count <= state.generations[i].threshold) continue;
    if (i == kOldest && state.long_lived_pending < state.long_lived_total / 4) continue;
    collect_with_callbacks(tstate, i);
    return;
  }
}

COLD void collect_on_allocation(PyThreadState* tstate, CollectorState& state) {
  if (!state.enabled || state.generations[0].threshold == 0 || state.collecting || _PyErr_Occurred(tstate)) return;
  state.collecting = 1;
  collect_due_generation(tstate);
  state.collecting = 0;
}

/// FAST: allocation of a container. The object has its head and no reference count yet.
ALWAYS_INLINE PyObject* allocate_container(PyTypeObject* type, size_t size) {
  const size_t before = _PyType_PreHeaderSize(type);
  if (UNLIKELY(size > PY_SSIZE_T_MAX - before)) return PyErr_NoMemory();
  auto* memory = static_cast<char*>(PyObject_Malloc(size + before));
  if (UNLIKELY(memory == nullptr)) return PyErr_NoMemory();
  reinterpret_cast<PyObject**>(memory)[0] = nullptr;
  reinterpret_cast<PyObject**>(memory)[1] = nullptr;
  auto* object = reinterpret_cast<PyObject*>(memory + before);
  _PyObject_GC_Link(object);
  return object;
}

}  // namespace

Py_ssize_t collect_with_callbacks(PyThreadState* tstate, int generation) {
  CollectorState& state = tstate->interp->gc;
  auto has_callbacks = [&] { return state.callbacks != nullptr && PyList_GET_SIZE(state.callbacks) != 0; };
  if (UNLIKELY(has_callbacks())) call_callbacks(tstate, state, "start", generation, {});
  const CollectionResult result = collect(tstate, generation, OnError::kReport);
  if (UNLIKELY(has_callbacks())) call_callbacks(tstate, state, "stop", generation, result);
  return result.total();
}

}  // namespace pyston

using namespace pyston;

// ---- Start and end

void _PyGC_InitState(struct _gc_runtime_state* state) {
  for (gc_generation& generation : state->generations) init(&generation.head);
  state->generation0 = &state->generations[0].head;
  init(&state->permanent_generation.head);
}

PyStatus _PyGC_Init(PyInterpreterState* interp) {
  interp->gc.garbage = PyList_New(0);
  interp->gc.callbacks = PyList_New(0);
  if (interp->gc.garbage == nullptr || interp->gc.callbacks == nullptr) return PyStatus_NoMemory();
  return PyStatus_Ok();
}

void _PyGC_Fini(PyInterpreterState* interp) {
  CollectorState& state = interp->gc;
  Py_CLEAR(state.garbage);
  Py_CLEAR(state.callbacks);
  // Objects outlive the interpreter where an extension or another interpreter holds them. They stay linked with each other, since
  // their deallocators unlink them, but not with the interpreter's memory.
  auto detach = [](PyGC_Head* list) {
    gc_list::set_next(prev(list), next(list));
    gc_list::set_prev(next(list), prev(list));
    gc_list::init(list);
  };
  for (gc_generation& generation : state.generations) detach(&generation.head);
  detach(&state.permanent_generation.head);
}

void _PyGC_DumpShutdownStats(PyInterpreterState* interp) {
  CollectorState& state = interp->gc;
  if ((state.debug & kDebugSaveAll) || state.garbage == nullptr || PyList_GET_SIZE(state.garbage) == 0) return;
  const char* message = state.debug & kDebugUncollectable
                            ? "gc: %zd uncollectable objects at shutdown"
                            : "gc: %zd uncollectable objects at shutdown; "
                              "use gc.set_debug(gc.DEBUG_UNCOLLECTABLE) to list them";
  // The importlib machinery may be gone, so no warning registry.
  if (PyErr_WarnExplicitFormat(PyExc_ResourceWarning, "gc", 0, "gc", nullptr, message,
                               PyList_GET_SIZE(state.garbage)) != 0) {
    PyErr_WriteUnraisable(nullptr);
  }
  if (!(state.debug & kDebugUncollectable)) return;
  auto text = Ref<>::steal(PyObject_Repr(state.garbage));
  auto bytes = Ref<>::steal(text ? PyUnicode_EncodeFSDefault(text.get()) : nullptr);
  if (!bytes) {
    PyErr_WriteUnraisable(state.garbage);
  } else {
    PySys_WriteStderr("      %s\n", PyBytes_AS_STRING(bytes.get()));
  }
}

// ---- Collecting

Py_ssize_t PyGC_Collect(void) {
  PyThreadState* tstate = _PyThreadState_GET();
  CollectorState& state = tstate->interp->gc;
  if (!state.enabled || state.collecting) return 0;
  state.collecting = 1;
  PyObject *type, *value, *traceback;
  _PyErr_Fetch(tstate, &type, &value, &traceback);
  const Py_ssize_t count = collect_with_callbacks(tstate, kOldest);
  _PyErr_Restore(tstate, type, value, traceback);
  state.collecting = 0;
  return count;
}

Py_ssize_t _PyGC_CollectNoFail(PyThreadState* tstate) {
  // At shutdown the callbacks and the reports would find a half-dismantled interpreter.
  CollectorState& state = tstate->interp->gc;
  if (state.collecting) return 0;
  state.collecting = 1;
  const CollectionResult result = collect(tstate, kOldest, OnError::kIgnore);
  state.collecting = 0;
  return result.total();
}

int PyGC_Enable(void) { return std::exchange(collector_state().enabled, 1); }
int PyGC_Disable(void) { return std::exchange(collector_state().enabled, 0); }
int PyGC_IsEnabled(void) { return collector_state().enabled; }

// ---- Objects

void _PyObject_GC_Link(PyObject* object) {
  PyGC_Head* node = head_of(object);
  node->_gc_next = 0;
  node->_gc_prev = 0;
  PyThreadState* tstate = _PyThreadState_GET();
  CollectorState& state = tstate->interp->gc;
  if (UNLIKELY(++state.generations[0].count > state.generations[0].threshold)) collect_on_allocation(tstate, state);
}

PyObject* _PyObject_GC_New(PyTypeObject* type) {
  PyObject* object = allocate_container(type, static_cast<size_t>(type->tp_basicsize));
  if (LIKELY(object != nullptr)) _PyObject_Init(object, type);
  return object;
}

PyVarObject* _PyObject_GC_NewVar(PyTypeObject* type, Py_ssize_t count) {
  if (UNLIKELY(count < 0)) {
    _PyErr_BadInternalCall(__FILE__, __LINE__);
    return nullptr;
  }
  auto* object = reinterpret_cast<PyVarObject*>(allocate_container(type, _PyObject_VAR_SIZE(type, count)));
  if (LIKELY(object != nullptr)) _PyObject_InitVar(object, type, count);
  return object;
}

PyVarObject* _PyObject_GC_Resize(PyVarObject* object, Py_ssize_t count) {
  const size_t size = _PyObject_VAR_SIZE(Py_TYPE(object), count);
  const size_t before = _PyType_PreHeaderSize(Py_TYPE(object));
  if (size > PY_SSIZE_T_MAX - before) return reinterpret_cast<PyVarObject*>(PyErr_NoMemory());
  auto* memory = static_cast<char*>(PyObject_Realloc(reinterpret_cast<char*>(object) - before, before + size));
  if (memory == nullptr) return reinterpret_cast<PyVarObject*>(PyErr_NoMemory());
  object = reinterpret_cast<PyVarObject*>(memory + before);
  Py_SET_SIZE(object, count);
  return object;
}

void PyObject_GC_Del(void* pointer) {
  auto* object = static_cast<PyObject*>(pointer);
  PyGC_Head* node = head_of(object);
  if (node->_gc_next != 0) gc_list::remove(node);
  int& count = collector_state().generations[0].count;
  if (count > 0) count--;
  PyObject_Free(reinterpret_cast<char*>(object) - _PyType_PreHeaderSize(Py_TYPE(object)));
}

void PyObject_GC_Track(void* pointer) {
  auto* object = static_cast<PyObject*>(pointer);
  if (UNLIKELY(_PyObject_GC_IS_TRACKED(object))) {
    _PyObject_AssertFailed(object, nullptr, "object already tracked by the garbage collector", __FILE__, __LINE__,
                           __func__);
  }
  _PyObject_GC_TRACK(object);
}

void PyObject_GC_UnTrack(void* pointer) {
  auto* object = static_cast<PyObject*>(pointer);
  // Destructors of subclasses have often done it already.
  if (_PyObject_GC_IS_TRACKED(object)) _PyObject_GC_UNTRACK(object);
}

int PyObject_GC_IsTracked(PyObject* object) { return _PyObject_IS_GC(object) && _PyObject_GC_IS_TRACKED(object); }
int PyObject_GC_IsFinalized(PyObject* object) { return _PyObject_IS_GC(object) && _PyGC_FINALIZED(object); }
int PyObject_IS_GC(PyObject* object) { return _PyObject_IS_GC(object); }
