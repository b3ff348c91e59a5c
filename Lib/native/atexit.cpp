// The atexit module: functions to call when the interpreter ends, last registered first.
//
// INVARIANT: interp->atexit.callbacks holds `ncallbacks` entries; unregistered ones are null.
#include "Objects/bind.h"
#include "pycore_initconfig.h"
#include "pycore_interp.h"
#include "pycore_pyerrors.h"
#include "pycore_pylifecycle.h"
#include "pycore_pystate.h"

namespace pyston {
namespace {

atexit_state& state_of(PyInterpreterState* interp) { return interp->atexit; }
atexit_state& current_state() { return state_of(_PyInterpreterState_GET()); }

void drop(atexit_state& state, int index) {
  atexit_callback* callback = std::exchange(state.callbacks[index], nullptr);
  if (callback == nullptr) return;
  PyObject* func = callback->func;
  PyObject* args = callback->args;
  PyObject* kwargs = callback->kwargs;
  PyMem_Free(callback);
  Py_DECREF(func);
  Py_DECREF(args);
  Py_XDECREF(kwargs);
}

void drop_all(atexit_state& state) {
  for (int i = 0; i < state.ncallbacks; i++) drop(state, i);
  state.ncallbacks = 0;
}

void run_all(atexit_state& state) {
  for (int i = state.ncallbacks - 1; i >= 0; i--) {
    atexit_callback* callback = state.callbacks[i];
    if (callback == nullptr) continue;
    // The call can unregister the callback.
    auto func = Ref<>::dup(callback->func);
    auto args = Ref<>::dup(callback->args);
    auto kwargs = Ref<>::dup(callback->kwargs);
    auto result = Ref<>::steal(PyObject_Call(func.get(), args.get(), kwargs.get()));
    if (!result) _PyErr_WriteUnraisableMsg("in atexit callback", func.get());
  }
  drop_all(state);
}

PyObject* register_(PyObject*, PyObject* args, PyObject* kwargs) {
  if (PyTuple_GET_SIZE(args) == 0) {
    return raise(PyExc_TypeError, "register() takes at least 1 argument (0 given)");
  }
  PyObject* func = PyTuple_GET_ITEM(args, 0);
  if (!PyCallable_Check(func)) return raise(PyExc_TypeError, "the first argument must be callable");
  atexit_state& state = current_state();
  if (state.ncallbacks >= state.callback_len) {
    const int length = state.callback_len + 16;
    auto** grown = static_cast<atexit_callback**>(
        PyMem_Realloc(state.callbacks, sizeof(atexit_callback*) * static_cast<size_t>(length)));
    if (grown == nullptr) return PyErr_NoMemory();
    state.callbacks = grown;
    state.callback_len = length;
  }
  auto rest = Ref<>::steal(PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)));
  if (!rest) return nullptr;
  auto* callback = static_cast<atexit_callback*>(PyMem_Malloc(sizeof(atexit_callback)));
  if (callback == nullptr) return PyErr_NoMemory();
  *callback = {Py_NewRef(func), rest.release(), Py_XNewRef(kwargs)};
  state.callbacks[state.ncallbacks++] = callback;
  return Py_NewRef(func);
}

Ref<> run_exitfuncs(Borrowed<>) {
  run_all(current_state());
  return Ref<>::none();
}
Ref<> clear(Borrowed<>) {
  drop_all(current_state());
  return Ref<>::none();
}
Ref<> count(Borrowed<>) { return Ref<>::steal(PyLong_FromLong(current_state().ncallbacks)); }

Ref<> unregister(Borrowed<>, Borrowed<> func) {
  atexit_state& state = current_state();
  for (int i = 0; i < state.ncallbacks; i++) {
    if (state.callbacks[i] == nullptr) continue;
    auto registered = Ref<>::dup(state.callbacks[i]->func);  // __eq__ can unregister it
    const int equal = PyObject_RichCompareBool(registered.get(), func, Py_EQ);
    if (equal < 0) return nullptr;
    if (equal && i < state.ncallbacks) drop(state, i);
  }
  return Ref<>::none();
}

PyMethodDef methods[] = {
    {"register", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(register_)), METH_VARARGS | METH_KEYWORDS,
     "register(func, *args, **kwargs) -> func\n\nRegisters a function to be called at exit; usable as a decorator."},
    method<clear, "_clear($module, /)", "Forgets all registered functions.">(),
    method<unregister, "unregister($module, func, /)", "Forgets a function, however often it was registered.">(),
    method<run_exitfuncs, "_run_exitfuncs($module, /)", "Calls the registered functions and forgets them.">(),
    method<count, "_ncallbacks($module, /)", "The number of registered functions.">(),
    {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "atexit",
                          .m_doc = "Functions to be called when the interpreter ends.",
                          .m_methods = methods};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyMODINIT_FUNC PyInit_atexit(void) { return PyModuleDef_Init(&definition); }

PyStatus _PyAtExit_Init(PyInterpreterState* interp) {
  atexit_state& state = state_of(interp);
  state.callback_len = 32;
  state.ncallbacks = 0;
  state.callbacks =
      static_cast<atexit_callback**>(PyMem_Malloc(sizeof(atexit_callback*) * static_cast<size_t>(state.callback_len)));
  return state.callbacks != nullptr ? PyStatus_Ok() : PyStatus_NoMemory();
}

void _PyAtExit_Fini(PyInterpreterState* interp) {
  atexit_state& state = state_of(interp);
  drop_all(state);
  PyMem_Free(state.callbacks);
  state.callbacks = nullptr;
  state.callback_len = 0;
}

void _PyAtExit_Call(PyInterpreterState* interp) { run_all(state_of(interp)); }
