// Thread states: creation, switching, deletion, the PyGILState_* shorthand, the data stack of frames.
//
// INVARIANT: _PyRuntime.gilstate.tstate_current is the state of the thread that holds the GIL, null when none does. The
// TSS key autoTSSkey holds each thread's own state, for PyGILState_Ensure(). Both are read by other processes and by
// extensions; there is no cache of either.
#include <cstring>

#include "Runtime/state/state.h"
#include "pycore_ceval.h"
#include "pycore_frame.h"
#include "pycore_initconfig.h"
#include "pycore_object.h"
#include "pycore_pyerrors.h"
#include "pycore_pylifecycle.h"
#include "pycore_sysmodule.h"

namespace pyston {

_PyInterpreterFrame* visible_frame(PyThreadState* tstate) {
  _PyInterpreterFrame* frame = tstate->cframe->current_frame;
  while (frame != nullptr && _PyFrame_IsIncomplete(frame)) frame = frame->previous;
  return frame;
}

namespace {

using GilState = _gilstate_runtime_state;

void set_current(PyThreadState* tstate) {
  _Py_atomic_store_relaxed(&_PyRuntime.gilstate.tstate_current, reinterpret_cast<uintptr_t>(tstate));
}

/// Remembers the thread's first state for PyGILState_Ensure(). Later ones (of other interpreters) do not replace it.
void note_thread_state(PyThreadState* tstate) {
  GilState& gilstate = _PyRuntime.gilstate;
  if (gilstate.autoInterpreterState == nullptr) return;  // before Py_Initialize() or after Py_Finalize()
  if (PyThread_tss_get(&gilstate.autoTSSkey) == nullptr) {
    if (PyThread_tss_set(&gilstate.autoTSSkey, tstate) != 0) Py_FatalError("Couldn't create autoTSSkey mapping");
  }
  tstate->gilstate_counter = 1;
}

void link_thread(PyThreadState* tstate, PyInterpreterState* interp) {
  tstate->interp = interp;
  tstate->id = ++interp->threads.next_unique_id;
  PyThreadState* head = interp->threads.head;
  tstate->prev = nullptr;
  tstate->next = head;
  if (head != nullptr) head->prev = tstate;
  interp->threads.head = tstate;
}

PyThreadState* new_thread_state(PyInterpreterState* interp) {
  // Allocated before the lock is taken; the first state of an interpreter is inside it.
  auto* allocated = static_cast<PyThreadState*>(PyMem_RawMalloc(sizeof(PyThreadState)));
  if (allocated == nullptr) return nullptr;
  PyThreadState* tstate = allocated;
  {
    HeadLock lock;
    if (interp->threads.head == nullptr && interp->_initial_thread._initialized == 0) {
      tstate = &interp->_initial_thread;
    }
    memcpy(static_cast<void*>(tstate), &pyston_initial_runtime._main_interpreter._initial_thread, sizeof *tstate);
    tstate->_static = tstate != allocated;
    link_thread(tstate, interp);
  }
  if (tstate != allocated) PyMem_RawFree(allocated);
  tstate->recursion_limit = interp->ceval.recursion_limit;
  tstate->recursion_remaining = interp->ceval.recursion_limit;
  tstate->thread_id = PyThread_get_thread_ident();
  tstate->native_thread_id = PyThread_get_thread_native_id();
  tstate->exc_info = &tstate->exc_state;
  tstate->cframe = &tstate->root_cframe;
  tstate->_initialized = 1;
  return tstate;
}

void free_thread_state(PyThreadState* tstate) {
  if (tstate->_static) {
    tstate->_initialized = 0;
  } else {
    PyMem_RawFree(tstate);
  }
}

/// Takes a state out of the list and of the TSS slot.
void unlink_thread(PyThreadState* tstate) {
  if (tstate->interp == nullptr) Py_FatalError("NULL interpreter");
  {
    HeadLock lock;
    if (tstate->prev != nullptr) {
      tstate->prev->next = tstate->next;
    } else {
      tstate->interp->threads.head = tstate->next;
    }
    if (tstate->next != nullptr) tstate->next->prev = tstate->prev;
  }
  GilState& gilstate = _PyRuntime.gilstate;
  if (gilstate.autoInterpreterState != nullptr && PyThread_tss_get(&gilstate.autoTSSkey) == tstate) {
    PyThread_tss_set(&gilstate.autoTSSkey, nullptr);
  }
  free_data_stack(tstate);
}

}  // namespace

void delete_all_threads(PyInterpreterState* interp) {
  while (PyThreadState* tstate = interp->threads.head) {
    if (tstate == _PyThreadState_GET()) set_current(nullptr);
    unlink_thread(tstate);
    free_thread_state(tstate);
  }
}

}  // namespace pyston

using namespace pyston;

// ---- Creation

PyThreadState* PyThreadState_New(PyInterpreterState* interp) {
  PyThreadState* tstate = new_thread_state(interp);
  if (tstate != nullptr) _PyThreadState_SetCurrent(tstate);
  return tstate;
}

PyThreadState* _PyThreadState_Prealloc(PyInterpreterState* interp) { return new_thread_state(interp); }

void _PyThreadState_Init(PyThreadState*) { Py_FatalError("_PyThreadState_Init() is for internal use only"); }

/// Called in the thread that the state belongs to.
void _PyThreadState_SetCurrent(PyThreadState* tstate) { note_thread_state(tstate); }

// ---- Deletion

void PyThreadState_Clear(PyThreadState* tstate) {
  if (_PyInterpreterState_GetConfig(tstate->interp)->verbose && tstate->cframe->current_frame != nullptr) {
    fputs("PyThreadState_Clear: warning: thread still has a frame\n", stderr);
  }
  // Frames are left alone: they may belong to a thread that runs on.
  Py_CLEAR(tstate->dict);
  Py_CLEAR(tstate->async_exc);
  Py_CLEAR(tstate->curexc_type);
  Py_CLEAR(tstate->curexc_value);
  Py_CLEAR(tstate->curexc_traceback);
  Py_CLEAR(tstate->exc_state.exc_value);
  if (_PyInterpreterState_GetConfig(tstate->interp)->verbose && tstate->exc_info != &tstate->exc_state) {
    fputs("PyThreadState_Clear: warning: thread still has a generator\n", stderr);
  }
  tstate->c_profilefunc = nullptr;
  tstate->c_tracefunc = nullptr;
  Py_CLEAR(tstate->c_profileobj);
  Py_CLEAR(tstate->c_traceobj);
  Py_CLEAR(tstate->async_gen_firstiter);
  Py_CLEAR(tstate->async_gen_finalizer);
  Py_CLEAR(tstate->context);
  if (tstate->on_delete != nullptr) tstate->on_delete(tstate->on_delete_data);
}

void PyThreadState_Delete(PyThreadState* tstate) {
  _Py_EnsureTstateNotNULL(tstate);
  if (tstate == _PyThreadState_GET()) {
    _Py_FatalErrorFormat(__func__, "tstate %p is still current", static_cast<void*>(tstate));
  }
  unlink_thread(tstate);
  free_thread_state(tstate);
}

void _PyThreadState_DeleteCurrent(PyThreadState* tstate) {
  _Py_EnsureTstateNotNULL(tstate);
  unlink_thread(tstate);
  set_current(nullptr);
  _PyEval_ReleaseLock(tstate);
  free_thread_state(tstate);
}

void PyThreadState_DeleteCurrent(void) { _PyThreadState_DeleteCurrent(_PyThreadState_GET()); }

/// Drops the states of all other threads of the interpreter: after fork() they have no thread any more.
void _PyThreadState_DeleteExcept(_PyRuntimeState*, PyThreadState* tstate) {
  PyInterpreterState* interp = tstate->interp;
  PyThreadState* others;
  {
    HeadLock lock;
    others = interp->threads.head;
    if (others == tstate) others = tstate->next;
    if (tstate->prev != nullptr) tstate->prev->next = tstate->next;
    if (tstate->next != nullptr) tstate->next->prev = tstate->prev;
    tstate->prev = nullptr;
    tstate->next = nullptr;
    interp->threads.head = tstate;
  }
  while (others != nullptr) {
    PyThreadState* next = others->next;
    PyThreadState_Clear(others);
    free_data_stack(others);
    free_thread_state(others);
    others = next;
  }
}

// ---- Access and switching

PyThreadState* _PyThreadState_UncheckedGet(void) { return _PyThreadState_GET(); }

PyThreadState* PyThreadState_Get(void) {
  PyThreadState* tstate = _PyThreadState_GET();
  _Py_EnsureTstateNotNULL(tstate);
  return tstate;
}

PyThreadState* _PyThreadState_Swap(GilState* gilstate, PyThreadState* tstate) {
  auto* old = reinterpret_cast<PyThreadState*>(_Py_atomic_load_relaxed(&gilstate->tstate_current));
  _Py_atomic_store_relaxed(&gilstate->tstate_current, reinterpret_cast<uintptr_t>(tstate));
  return old;
}

PyThreadState* PyThreadState_Swap(PyThreadState* tstate) { return _PyThreadState_Swap(&_PyRuntime.gilstate, tstate); }

PyThreadState* PyThreadState_Next(PyThreadState* tstate) { return tstate->next; }

PyObject* _PyThreadState_GetDict(PyThreadState* tstate) {
  if (tstate->dict == nullptr) {
    tstate->dict = PyDict_New();
    if (tstate->dict == nullptr) _PyErr_Clear(tstate);
  }
  return tstate->dict;
}

PyObject* PyThreadState_GetDict(void) {
  PyThreadState* tstate = _PyThreadState_GET();
  return tstate != nullptr ? _PyThreadState_GetDict(tstate) : nullptr;
}

PyInterpreterState* PyThreadState_GetInterpreter(PyThreadState* tstate) { return tstate->interp; }
uint64_t PyThreadState_GetID(PyThreadState* tstate) { return tstate->id; }

PyFrameObject* PyThreadState_GetFrame(PyThreadState* tstate) {
  _PyInterpreterFrame* frame = visible_frame(tstate);
  if (frame == nullptr) return nullptr;
  PyFrameObject* object = _PyFrame_GetFrameObject(frame);
  if (object == nullptr) PyErr_Clear();
  Py_XINCREF(object);
  return object;
}

int PyThreadState_SetAsyncExc(unsigned long id, PyObject* exception) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  PyObject* old = nullptr;
  bool found = false;
  {
    HeadLock lock;
    for (PyThreadState* tstate = interp->threads.head; tstate != nullptr && !found; tstate = tstate->next) {
      if (tstate->thread_id != id) continue;
      found = true;
      old = tstate->async_exc;
      Py_XINCREF(exception);
      tstate->async_exc = exception;
    }
  }
  if (!found) return 0;
  Py_XDECREF(old);  // not under the lock: a destructor may come back here
  _PyEval_SignalAsyncExc(interp);
  return 1;
}

void PyThreadState_EnterTracing(PyThreadState* tstate) {
  tstate->tracing++;
  tstate->cframe->use_tracing = 0;
}

void PyThreadState_LeaveTracing(PyThreadState* tstate) {
  tstate->tracing--;
  _PyThreadState_UpdateTracingState(tstate);
}

namespace {

/// {thread id: describe(thread)} over all interpreters. `describe` returns a new reference, or null with or without an
/// exception; without one the thread is left out. The GIL is held throughout, so no thread can go away.
template <class Describe>
PyObject* map_threads(Describe describe) {
  auto result = Ref<>::steal(PyDict_New());
  if (!result) return nullptr;
  HeadLock lock;
  for (PyInterpreterState* interp = _PyRuntime.interpreters.head; interp != nullptr; interp = interp->next) {
    for (PyThreadState* tstate = interp->threads.head; tstate != nullptr; tstate = tstate->next) {
      auto value = Ref<>::steal(describe(tstate));
      if (!value) {
        if (PyErr_Occurred()) return nullptr;
        continue;
      }
      auto id = Ref<>::steal(PyLong_FromUnsignedLong(tstate->thread_id));
      if (!id || PyDict_SetItem(result.get(), id.get(), value.get()) < 0) return nullptr;
    }
  }
  return result.release();
}

}  // namespace

PyObject* _PyThread_CurrentFrames(void) {
  if (_PySys_Audit(_PyThreadState_GET(), "sys._current_frames", nullptr) < 0) return nullptr;
  return map_threads([](PyThreadState* tstate) -> PyObject* {
    _PyInterpreterFrame* frame = visible_frame(tstate);
    if (frame == nullptr) return nullptr;
    return Py_XNewRef(reinterpret_cast<PyObject*>(_PyFrame_GetFrameObject(frame)));
  });
}

PyObject* _PyThread_CurrentExceptions(void) {
  if (_PySys_Audit(_PyThreadState_GET(), "sys._current_exceptions", nullptr) < 0) return nullptr;
  return map_threads([](PyThreadState* tstate) -> PyObject* {
    _PyErr_StackItem* item = _PyErr_GetTopmostException(tstate);
    return item != nullptr ? _PyErr_StackItemToExcInfoTuple(item) : nullptr;
  });
}

// ---- PyGILState

PyStatus _PyGILState_Init(_PyRuntimeState* runtime) {
  if (PyThread_tss_create(&runtime->gilstate.autoTSSkey) != 0) return PyStatus_NoMemory();
  return PyStatus_Ok();
}

PyStatus _PyGILState_SetTstate(PyThreadState* tstate) {
  if (!_Py_IsMainInterpreter(tstate->interp)) return PyStatus_Ok();  // others do not take part
  _PyRuntime.gilstate.autoInterpreterState = tstate->interp;
  note_thread_state(tstate);
  return PyStatus_Ok();
}

void _PyGILState_Fini(PyInterpreterState* interp) {
  if (interp != nullptr && !_Py_IsMainInterpreter(interp)) return;
  PyThread_tss_delete(&_PyRuntime.gilstate.autoTSSkey);
  _PyRuntime.gilstate.autoInterpreterState = nullptr;
}

/// After fork(): a new key, since the other threads' values cannot be reached.
PyStatus _PyGILState_Reinit(_PyRuntimeState* runtime) {
  GilState& gilstate = runtime->gilstate;
  auto* tstate = static_cast<PyThreadState*>(PyThread_tss_get(&gilstate.autoTSSkey));
  PyThread_tss_delete(&gilstate.autoTSSkey);
  if (PyThread_tss_create(&gilstate.autoTSSkey) != 0) return PyStatus_NoMemory();
  if (tstate != nullptr && PyThread_tss_set(&gilstate.autoTSSkey, tstate) != 0) {
    return PyStatus_Error("failed to set autoTSSkey");
  }
  return PyStatus_Ok();
}

PyInterpreterState* _PyGILState_GetInterpreterStateUnsafe(void) { return _PyRuntime.gilstate.autoInterpreterState; }

PyThreadState* PyGILState_GetThisThreadState(void) {
  GilState& gilstate = _PyRuntime.gilstate;
  if (gilstate.autoInterpreterState == nullptr) return nullptr;
  return static_cast<PyThreadState*>(PyThread_tss_get(&gilstate.autoTSSkey));
}

int PyGILState_Check(void) {
  GilState& gilstate = _PyRuntime.gilstate;
  if (!gilstate.check_enabled || !PyThread_tss_is_created(&gilstate.autoTSSkey)) return 1;
  PyThreadState* tstate = _PyThreadState_GET();
  return tstate != nullptr && tstate == PyGILState_GetThisThreadState();
}

PyGILState_STATE PyGILState_Ensure(void) {
  GilState& gilstate = _PyRuntime.gilstate;
  auto* tstate = static_cast<PyThreadState*>(PyThread_tss_get(&gilstate.autoTSSkey));
  bool has_gil = false;
  if (tstate == nullptr) {
    tstate = PyThreadState_New(gilstate.autoInterpreterState);
    if (tstate == nullptr) Py_FatalError("Couldn't create thread-state for new thread");
    // Counts only the calls of this function, so that the last release deletes the state.
    tstate->gilstate_counter = 0;
  } else {
    has_gil = tstate == _PyThreadState_GET();
  }
  if (!has_gil) PyEval_RestoreThread(tstate);
  tstate->gilstate_counter++;
  return has_gil ? PyGILState_LOCKED : PyGILState_UNLOCKED;
}

void PyGILState_Release(PyGILState_STATE old_state) {
  auto* tstate = static_cast<PyThreadState*>(PyThread_tss_get(&_PyRuntime.gilstate.autoTSSkey));
  if (tstate == nullptr) Py_FatalError("auto-releasing thread-state, but no thread-state for this thread");
  if (tstate != _PyThreadState_GET()) {
    _Py_FatalErrorFormat(__func__, "thread state %p must be current when releasing", static_cast<void*>(tstate));
  }
  if (--tstate->gilstate_counter == 0) {
    // Clearing can run code that uses this very pair of functions.
    tstate->gilstate_counter++;
    PyThreadState_Clear(tstate);
    tstate->gilstate_counter--;
    _PyThreadState_DeleteCurrent(tstate);
  } else if (old_state == PyGILState_UNLOCKED) {
    PyEval_SaveThread();
  }
}

// ---- The data stack: where frames of Python functions live, in chunks

namespace {

constexpr size_t kChunkSize = 64 * 1024;
constexpr size_t kHeadroom = 1000;  // entries that a new chunk has beyond the request

/// A chunk that was just popped: a call in a loop at a chunk's end would otherwise map and unmap one each time. Guarded
/// by the GIL.
_PyStackChunk* spare_chunk = nullptr;

_PyStackChunk* take_chunk(size_t size) {
  if (size == kChunkSize && spare_chunk != nullptr) return std::exchange(spare_chunk, nullptr);
  return static_cast<_PyStackChunk*>(_PyObject_VirtualAlloc(size));
}

void drop_chunk(_PyStackChunk* chunk) {
  if (chunk->size == kChunkSize && spare_chunk == nullptr) {
    spare_chunk = chunk;
  } else {
    _PyObject_VirtualFree(chunk, chunk->size);
  }
}

PyObject** chunk_end(_PyStackChunk* chunk) {
  return reinterpret_cast<PyObject**>(reinterpret_cast<char*>(chunk) + chunk->size);
}

}  // namespace

COLD _PyInterpreterFrame* _PyThreadState_BumpFramePointerSlow(PyThreadState* tstate, size_t size) {
  if (_PyThreadState_HasStackSpace(tstate, size)) {
    auto* frame = reinterpret_cast<_PyInterpreterFrame*>(tstate->datastack_top);
    tstate->datastack_top += size;
    return frame;
  }
  if (size > INT_MAX / 2) {
    PyErr_NoMemory();
    return nullptr;
  }
  size_t bytes = kChunkSize;
  while (bytes < sizeof(PyObject*) * (size + kHeadroom)) bytes *= 2;
  _PyStackChunk* chunk = take_chunk(bytes);
  if (chunk == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  chunk->previous = tstate->datastack_chunk;
  chunk->size = bytes;
  chunk->top = 0;
  if (chunk->previous != nullptr) {
    chunk->previous->top = static_cast<size_t>(tstate->datastack_top - &chunk->previous->data[0]);
  }
  tstate->datastack_chunk = chunk;
  tstate->datastack_limit = chunk_end(chunk);
  // The first entry of the first chunk stays unused: a frame at the very start of a chunk means "pop the chunk".
  PyObject** base = &chunk->data[chunk->previous == nullptr];
  tstate->datastack_top = base + size;
  return reinterpret_cast<_PyInterpreterFrame*>(base);
}

void _PyThreadState_PopFrame(PyThreadState* tstate, _PyInterpreterFrame* frame) {
  auto** base = reinterpret_cast<PyObject**>(frame);
  _PyStackChunk* chunk = tstate->datastack_chunk;
  if (LIKELY(base != &chunk->data[0])) {
    tstate->datastack_top = base;
    return;
  }
  _PyStackChunk* previous = chunk->previous;
  tstate->datastack_top = &previous->data[previous->top];
  tstate->datastack_chunk = previous;
  tstate->datastack_limit = chunk_end(previous);
  drop_chunk(chunk);
}

void pyston::free_data_stack(PyThreadState* tstate) {
  _PyStackChunk* chunk = tstate->datastack_chunk;
  tstate->datastack_chunk = nullptr;
  tstate->datastack_top = nullptr;
  tstate->datastack_limit = nullptr;
  while (chunk != nullptr) {
    _PyStackChunk* previous = chunk->previous;
    _PyObject_VirtualFree(chunk, chunk->size);
    chunk = previous;
  }
}
