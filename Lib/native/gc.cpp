// The gc module: the cycle collector's switches, its lists and what refers to what.
#include "Objects/bind.h"
#include "Runtime/memory/collector.h"
#include "pycore_pyerrors.h"
#include "pycore_sysmodule.h"

namespace pyston {
namespace {

Ref<> enable(Borrowed<>) {
  PyGC_Enable();
  return Ref<>::none();
}
Ref<> disable(Borrowed<>) {
  PyGC_Disable();
  return Ref<>::none();
}
Ref<> isenabled(Borrowed<>) { return Ref<>::steal(PyBool_FromLong(PyGC_IsEnabled())); }

Ref<> collect(Borrowed<>, Optional<int> generation) {
  const int chosen = generation.value_or(NUM_GENERATIONS - 1);
  if (chosen < 0 || chosen >= NUM_GENERATIONS) return raise(PyExc_ValueError, "invalid generation");
  PyThreadState* tstate = _PyThreadState_GET();
  CollectorState& state = tstate->interp->gc;
  if (state.collecting) return Ref<>::steal(PyLong_FromLong(0));
  state.collecting = 1;
  const Py_ssize_t count = collect_with_callbacks(tstate, chosen);
  state.collecting = 0;
  return Ref<>::steal(PyLong_FromSsize_t(count));
}

Ref<> set_debug(Borrowed<>, int flags) {
  collector_state().debug = flags;
  return Ref<>::none();
}
Ref<> get_debug(Borrowed<>) { return Ref<>::steal(PyLong_FromLong(collector_state().debug)); }

PyObject* set_threshold(PyObject*, PyObject* args) {
  gc_generation* generations = collector_state().generations;
  if (!PyArg_ParseTuple(args, "i|ii:set_threshold", &generations[0].threshold, &generations[1].threshold,
                        &generations[2].threshold)) {
    return nullptr;
  }
  return Py_NewRef(Py_None);
}

Ref<> get_threshold(Borrowed<>) {
  const gc_generation* generations = collector_state().generations;
  return Ref<>::steal(
      Py_BuildValue("(iii)", generations[0].threshold, generations[1].threshold, generations[2].threshold));
}

Ref<> get_count(Borrowed<>) {
  const gc_generation* generations = collector_state().generations;
  return Ref<>::steal(Py_BuildValue("(iii)", generations[0].count, generations[1].count, generations[2].count));
}

/// `data` is the tuple of objects looked for; non-zero ends the traversal.
int visit_is_wanted(PyObject* object, void* data) {
  auto* wanted = static_cast<PyObject*>(data);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(wanted); i++) {
    if (PyTuple_GET_ITEM(wanted, i) == object) return 1;
  }
  return 0;
}

Status collect_referrers(PyObject* wanted, PyGC_Head* list, PyObject* result) {
  for (PyGC_Head* node = gc_list::next(list); node != list; node = gc_list::next(node)) {
    PyObject* object = object_of(node);
    if (object == wanted || object == result) continue;
    if (Py_TYPE(object)->tp_traverse(object, visit_is_wanted, wanted)) {
      if (PyList_Append(result, object) < 0) return Status::kError;
    }
  }
  return Status::kOk;
}

PyObject* get_referrers(PyObject*, PyObject* args) {
  if (_PySys_Audit(_PyThreadState_GET(), "gc.get_referrers", "(O)", args) < 0) return nullptr;
  auto result = Ref<>::steal(PyList_New(0));
  if (!result) return nullptr;
  for (gc_generation& generation : collector_state().generations) {
    if (!ok(collect_referrers(args, &generation.head, result.get()))) return nullptr;
  }
  return result.release();
}

int visit_append(PyObject* object, void* list) { return PyList_Append(static_cast<PyObject*>(list), object) < 0; }

PyObject* get_referents(PyObject*, PyObject* args) {
  if (_PySys_Audit(_PyThreadState_GET(), "gc.get_referents", "(O)", args) < 0) return nullptr;
  auto result = Ref<>::steal(PyList_New(0));
  if (!result) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
    PyObject* object = PyTuple_GET_ITEM(args, i);
    if (!_PyObject_IS_GC(object) || Py_TYPE(object)->tp_traverse == nullptr) continue;
    if (Py_TYPE(object)->tp_traverse(object, visit_append, result.get())) return nullptr;
  }
  return result.release();
}

Status append_objects(PyObject* result, PyGC_Head* list) {
  for (PyGC_Head* node = gc_list::next(list); node != list; node = gc_list::next(node)) {
    PyObject* object = object_of(node);
    if (object != result && PyList_Append(result, object) < 0) return Status::kError;
  }
  return Status::kOk;
}

Ref<> get_objects(Borrowed<>, PyObject* generation) {
  constexpr Py_ssize_t kAll = -1;
  Py_ssize_t chosen = kAll;
  if (generation != nullptr && !_Py_convert_optional_to_ssize_t(generation, &chosen)) return nullptr;
  if (PySys_Audit("gc.get_objects", "n", chosen) < 0) return nullptr;
  if (chosen >= NUM_GENERATIONS) {
    return raise(PyExc_ValueError, "generation parameter must be less than the number of available generations (%i)",
                 NUM_GENERATIONS);
  }
  if (chosen < kAll) return raise(PyExc_ValueError, "generation parameter cannot be negative");
  auto result = Ref<>::steal(PyList_New(0));
  if (!result) return nullptr;
  for (int i = 0; i < NUM_GENERATIONS; i++) {
    if (chosen == kAll || i == chosen) {
      VM_CHECK(append_objects(result.get(), &collector_state().generations[i].head));
    }
  }
  return result;
}

Ref<> get_stats(Borrowed<>) {
  auto result = Ref<>::steal(PyList_New(0));
  if (!result) return nullptr;
  for (const gc_generation_stats& stats : collector_state().generation_stats) {
    auto row = Ref<>::steal(Py_BuildValue("{snsnsn}", "collections", stats.collections, "collected", stats.collected,
                                          "uncollectable", stats.uncollectable));
    if (!row || PyList_Append(result.get(), row.get()) < 0) return nullptr;
  }
  return result;
}

Ref<> is_tracked(Borrowed<>, Borrowed<> object) { return Ref<>::steal(PyBool_FromLong(PyObject_GC_IsTracked(object))); }
Ref<> is_finalized(Borrowed<>, Borrowed<> object) {
  return Ref<>::steal(PyBool_FromLong(PyObject_GC_IsFinalized(object)));
}

Ref<> freeze(Borrowed<>) {
  CollectorState& state = collector_state();
  for (gc_generation& generation : state.generations) {
    gc_list::merge(&generation.head, &state.permanent_generation.head);
    generation.count = 0;
  }
  return Ref<>::none();
}

Ref<> unfreeze(Borrowed<>) {
  CollectorState& state = collector_state();
  gc_list::merge(&state.permanent_generation.head, &state.generations[NUM_GENERATIONS - 1].head);
  return Ref<>::none();
}

Ref<> get_freeze_count(Borrowed<>) {
  return Ref<>::steal(PyLong_FromSsize_t(gc_list::size(&collector_state().permanent_generation.head)));
}

PyMethodDef methods[] = {
    method<enable, "enable($module, /)", "Switches automatic collection on.">(),
    method<disable, "disable($module, /)", "Switches automatic collection off.">(),
    method<isenabled, "isenabled($module, /)", "Whether automatic collection is on.">(),
    method<set_debug, "set_debug($module, flags, /)", "Chooses what the collector reports on stderr.">(),
    method<get_debug, "get_debug($module, /)", "The debugging flags.">(),
    method<get_count, "get_count($module, /)", "The counts that are compared with the thresholds.">(),
    {"set_threshold", set_threshold, METH_VARARGS,
     "set_threshold(threshold0, [threshold1, threshold2]) -> None\n\n"
     "Sets the thresholds of the generations; 0 for the first one stops collecting."},
    method<get_threshold, "get_threshold($module, /)", "The thresholds.">(),
    method<collect, "collect($module, /, generation=2)",
           "Collects a generation and all younger ones; returns the number of unreachable objects.">(),
    method<get_objects, "get_objects($module, /, generation=None)", "The tracked objects, of one generation or all.">(),
    method<get_stats, "get_stats($module, /)", "Figures for every generation, as dicts.">(),
    method<is_tracked, "is_tracked($module, obj, /)", "Whether the collector knows the object.">(),
    method<is_finalized, "is_finalized($module, obj, /)", "Whether the object's finalizer has run.">(),
    {"get_referrers", get_referrers, METH_VARARGS,
     "get_referrers(*objs) -> list\n\nThe tracked objects that refer to one of the arguments."},
    {"get_referents", get_referents, METH_VARARGS,
     "get_referents(*objs) -> list\n\nThe objects that the arguments refer to."},
    method<freeze, "freeze($module, /)", "Keeps all present objects out of future collections.">(),
    method<unfreeze, "unfreeze($module, /)", "Ends the effect of freeze().">(),
    method<get_freeze_count, "get_freeze_count($module, /)", "The number of frozen objects.">(),
    {}};

int execute(PyObject* module) {
  CollectorState& state = collector_state();
  if (PyModule_AddObjectRef(module, "garbage", state.garbage) < 0 ||
      PyModule_AddObjectRef(module, "callbacks", state.callbacks) < 0) {
    return -1;
  }
  struct Constant {
    const char* name;
    int value;
  };
  constexpr Constant kConstants[] = {{"DEBUG_STATS", kDebugStats},
                                     {"DEBUG_COLLECTABLE", kDebugCollectable},
                                     {"DEBUG_UNCOLLECTABLE", kDebugUncollectable},
                                     {"DEBUG_SAVEALL", kDebugSaveAll},
                                     {"DEBUG_LEAK", kDebugLeak}};
  for (const Constant& constant : kConstants) {
    if (PyModule_AddIntConstant(module, constant.name, constant.value) < 0) return -1;
  }
  return 0;
}

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "gc",
                          .m_doc = "Access to the collector of reference cycles.",
                          .m_methods = methods,
                          .m_slots = slots};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit_gc(void) { return PyModuleDef_Init(&pyston::definition); }
