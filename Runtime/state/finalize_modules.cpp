// Emptying sys.modules at shutdown: references that could keep user objects alive go first, then all modules, in the
// reverse order of their import, then their dictionaries, with sys and builtins last.
#include "Runtime/state/lifecycle.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"

namespace pyston::state {
namespace {

constexpr const char* kClearedFirst[] = {"path", "argv", "ps1", "ps2", "last_type", "last_value", "last_traceback",
                                         "path_hooks", "path_importer_cache", "meta_path", "__interactivehook__"};
constexpr const char* kRestored[][2] = {
    {"stdin", "__stdin__"}, {"stdout", "__stdout__"}, {"stderr", "__stderr__"}};

void unraisable(PyObject* context) {
  if (PyErr_Occurred()) PyErr_WriteUnraisable(context);
}

void drop_early_references(PyInterpreterState* interp) {
  if (interp->builtins != nullptr && PyDict_SetItemString(interp->builtins, "_", Py_None) < 0) unraisable(nullptr);
  for (const char* name : kClearedFirst) {
    if (PyDict_SetItemString(interp->sysdict, name, Py_None) < 0) unraisable(nullptr);
  }
  for (const auto& row : kRestored) {
    PyObject* original = PyDict_GetItemString(interp->sysdict, row[1]);
    if (PyDict_SetItemString(interp->sysdict, row[0], original == nullptr ? Py_None : original) < 0) unraisable(nullptr);
  }
}

/// [(name, weakref to module)] of everything in sys.modules, which is set to None entry by entry.
Ref<> take_modules(PyInterpreterState* interp) {
  auto weak_list = VM_TRY(Ref<>::steal(PyList_New(0)));
  PyObject* modules = interp->modules;
  auto keys = VM_TRY(Ref<>::steal(PySequence_List(modules)));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys.get()); i++) {
    PyObject* name = PyList_GET_ITEM(keys.get(), i);
    Ref<> module = Ref<>::steal(PyObject_GetItem(modules, name));
    if (!module) {
      PyErr_Clear();
      continue;
    }
    if (!PyModule_Check(module.get())) continue;
    Ref<> reference = Ref<>::steal(PyWeakref_NewRef(module.get(), nullptr));
    Ref<> pair = reference ? Ref<>::steal(PyTuple_Pack(2, name, reference.get())) : nullptr;
    if (!pair || PyList_Append(weak_list.get(), pair.get()) < 0) unraisable(nullptr);
    if (PyObject_SetItem(modules, name, Py_None) < 0) unraisable(nullptr);
  }
  return weak_list;
}

void clear_survivors(PyInterpreterState* interp, PyObject* weak_list) {
  for (Py_ssize_t i = PyList_GET_SIZE(weak_list) - 1; i >= 0; i--) {
    PyObject* pair = PyList_GET_ITEM(weak_list, i);
    PyObject* module = PyWeakref_GET_OBJECT(PyTuple_GET_ITEM(pair, 1));
    if (module == Py_None) continue;
    PyObject* dict = PyModule_GetDict(module);
    if (dict == interp->builtins || dict == interp->sysdict) continue;
    Ref<> keep = Ref<>::dup(module);
    _PyModule_Clear(module);
  }
}

}  // namespace

void finalize_modules(PyThreadState* tstate) {
  PyInterpreterState* interp = tstate->interp;
  PyObject* modules = interp->modules;
  if (modules == nullptr) return;
  drop_early_references(interp);
  Ref<> weak_list = take_modules(interp);
  if (!weak_list) unraisable(nullptr);
  if (PyDict_CheckExact(modules)) {
    PyDict_Clear(modules);
  } else {
    Ref<> result = Ref<>::steal(PyObject_CallMethodNoArgs(modules, &_Py_ID(clear)));
    if (!result) unraisable(nullptr);
  }
  // Builtins that user code replaced come back, so that destructors run with the real ones.
  if (interp->builtins_copy != nullptr) {
    Ref<> copy = Ref<>::steal(PyDict_Copy(interp->builtins));
    if (!copy) unraisable(nullptr);
    PyDict_Clear(interp->builtins);
    if (PyDict_Update(interp->builtins, interp->builtins_copy) < 0) unraisable(nullptr);
  }
  Py_CLEAR(interp->builtins_copy);
  _PyGC_CollectNoFail(tstate);
  _PyGC_DumpShutdownStats(interp);
  if (weak_list) clear_survivors(interp, weak_list.get());
  weak_list.reset();
  _PyInterpreterState_ClearModules(interp);
  Py_CLEAR(interp->modules);
  _PyModule_ClearDict(interp->sysdict);
  _PyModule_ClearDict(interp->builtins);
  _PyGC_CollectNoFail(tstate);
}

}  // namespace pyston::state
