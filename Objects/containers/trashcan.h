// The trashcan without calls: deallocators of containers nest at most 50 deep, what lies deeper is put off.
//
//   void foo_dealloc(PyObject* self) {
//     untrack(self);
//     TrashcanScope scope(self, foo_dealloc);
//     if (scope.postponed()) return;  // it comes again later
//     …
//   }
// The bookkeeping is that of Py_TRASHCAN_BEGIN and END, with which it mixes.
#pragma once

#include "Runtime/refs/ref.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_object.h>
#include <internal/pycore_pystate.h>

namespace pyston {

/// Takes the object out of the collector's lists, if it is in one.
ALWAYS_INLINE void untrack(PyObject* object) {
  if (LIKELY(_PyObject_GC_IS_TRACKED(object))) _PyObject_GC_UNTRACK(object);
}

class TrashcanScope {
 public:
  /// Subclasses' deallocators have entered already: only the one of the type itself counts.
  ALWAYS_INLINE TrashcanScope(PyObject* self, destructor dealloc) {
    if (UNLIKELY(Py_TYPE(self)->tp_dealloc != dealloc)) return;
    PyThreadState* tstate = _PyThreadState_GET();
    if (UNLIKELY(tstate->trash_delete_nesting >= kDeepest)) {
      postponed_ = _PyTrash_begin(tstate, self);
      if (!postponed_) tstate_ = tstate;
      return;
    }
    tstate->trash_delete_nesting++;
    tstate_ = tstate;
  }
  ALWAYS_INLINE ~TrashcanScope() {
    if (tstate_ == nullptr) return;
    if (UNLIKELY(tstate_->trash_delete_later != nullptr)) {
      _PyTrash_end(tstate_);
    } else {
      tstate_->trash_delete_nesting--;
    }
  }
  bool postponed() const { return postponed_; }

 private:
  static constexpr int kDeepest = 50;
  PyThreadState* tstate_ = nullptr;
  bool postponed_ = false;
};

}  // namespace pyston
