// The cycle collector, as the gc module and start-up see it.
#pragma once

#include "Runtime/refs/ref.h"
#include "pycore_gc.h"
#include "pycore_interp.h"
#include "pycore_object.h"
#include "pycore_pystate.h"

namespace pyston {

enum CollectorDebug : int {
  kDebugStats = 1,
  kDebugCollectable = 2,
  kDebugUncollectable = 4,
  kDebugSaveAll = 32,
  kDebugLeak = kDebugCollectable | kDebugUncollectable | kDebugSaveAll,
};

using CollectorState = _gc_runtime_state;

inline PyObject* object_of(PyGC_Head* head) { return reinterpret_cast<PyObject*>(head + 1); }
inline CollectorState& collector_state() { return _PyInterpreterState_GET()->gc; }

/// Collects `generation` and the younger ones, with the callbacks around it; the number of unreachable objects.
Py_ssize_t collect_with_callbacks(PyThreadState* tstate, int generation);

/// Circular lists through PyGC_Head, with a head that is no object.
namespace gc_list {
inline void init(PyGC_Head* list) {
  list->_gc_next = reinterpret_cast<uintptr_t>(list);
  list->_gc_prev = reinterpret_cast<uintptr_t>(list);
}
inline bool is_empty(const PyGC_Head* list) { return list->_gc_next == reinterpret_cast<uintptr_t>(list); }
inline PyGC_Head* next(const PyGC_Head* node) { return reinterpret_cast<PyGC_Head*>(node->_gc_next); }
inline PyGC_Head* prev(const PyGC_Head* node) {
  return reinterpret_cast<PyGC_Head*>(node->_gc_prev & _PyGC_PREV_MASK);
}
inline void set_prev(PyGC_Head* node, PyGC_Head* to) {
  node->_gc_prev = (node->_gc_prev & ~_PyGC_PREV_MASK) | reinterpret_cast<uintptr_t>(to);
}
inline void set_next(PyGC_Head* node, PyGC_Head* to) { node->_gc_next = reinterpret_cast<uintptr_t>(to); }
/// Unlinks; the node counts as untracked afterwards.
inline void remove(PyGC_Head* node) {
  set_next(prev(node), next(node));
  set_prev(next(node), prev(node));
  node->_gc_next = 0;
}
inline void append(PyGC_Head* node, PyGC_Head* list) {
  PyGC_Head* last = reinterpret_cast<PyGC_Head*>(list->_gc_prev);
  set_prev(node, last);
  set_next(last, node);
  set_next(node, list);
  list->_gc_prev = reinterpret_cast<uintptr_t>(node);
}
inline void move(PyGC_Head* node, PyGC_Head* list) {
  set_next(prev(node), next(node));
  set_prev(next(node), prev(node));
  append(node, list);
}
/// Appends all of `from` to `to`; `from` is empty afterwards.
inline void merge(PyGC_Head* from, PyGC_Head* to) {
  if (!is_empty(from)) {
    PyGC_Head* to_last = prev(to);
    PyGC_Head* first = next(from);
    PyGC_Head* last = prev(from);
    set_next(to_last, first);
    set_prev(first, to_last);
    set_next(last, to);
    set_prev(to, last);
  }
  init(from);
}
inline Py_ssize_t size(const PyGC_Head* list) {
  Py_ssize_t count = 0;
  for (const PyGC_Head* node = next(list); node != list; node = next(node)) count++;
  return count;
}
}  // namespace gc_list

}  // namespace pyston
