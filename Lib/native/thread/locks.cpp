// _thread.lock and _thread.RLock.
#include "Lib/native/thread/thread.h"
#include "pycore_ceval.h"
#include "pycore_pyerrors.h"

namespace pyston::thread_module {
namespace {

struct LockObject {
  PyObject_HEAD
  PyThread_type_lock lock;
  PyObject* weak_references;
  bool locked;
};

/// INVARIANT: owner and count change only in the thread that holds the lock; count is 0 when nobody does.
struct RLockObject {
  PyObject_HEAD
  PyThread_type_lock lock;
  unsigned long owner;
  unsigned long count;
  PyObject* weak_references;

  bool is_mine() const { return count > 0 && owner == PyThread_get_thread_ident(); }
};

constexpr _PyTime_t kForever = -1'000'000'000;  // -1 second: what `timeout` is when not given

/// acquire(blocking=True, timeout=-1), in nanoseconds: 0 does not wait, negative waits forever.
bool parse_acquire(PyObject* args, PyObject* kwargs, _PyTime_t& timeout) {
  static const char* const kNames[] = {"blocking", "timeout", nullptr};
  int blocking = 1;
  PyObject* given = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|pO:acquire", const_cast<char**>(kNames), &blocking, &given)) {
    return false;
  }
  timeout = kForever;
  if (given != nullptr && _PyTime_FromSecondsObject(&timeout, given, _PyTime_ROUND_TIMEOUT) < 0) return false;
  if (!blocking && timeout != kForever) {
    PyErr_SetString(PyExc_ValueError, "can't specify a timeout for a non-blocking call");
    return false;
  }
  if (timeout < 0 && timeout != kForever) {
    PyErr_SetString(PyExc_ValueError, "timeout value must be positive");
    return false;
  }
  if (!blocking) {
    timeout = 0;
  } else if (timeout != kForever && _PyTime_AsMicroseconds(timeout, _PyTime_ROUND_TIMEOUT) > PY_TIMEOUT_MAX) {
    PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
    return false;
  }
  return true;
}

/// Waits without the GIL; signals are handled in between. PY_LOCK_INTR: a handler raised.
PyLockStatus acquire_timed(PyThread_type_lock lock, _PyTime_t timeout) {
  if (PyThread_acquire_lock_timed(lock, 0, 0) == PY_LOCK_ACQUIRED) return PY_LOCK_ACQUIRED;
  if (timeout == 0) return PY_LOCK_FAILURE;
  const _PyTime_t deadline = timeout > 0 ? _PyDeadline_Init(timeout) : 0;
  while (true) {
    const _PyTime_t microseconds = timeout > 0 ? _PyTime_AsMicroseconds(timeout, _PyTime_ROUND_CEILING) : -1;
    PyLockStatus status;
    Py_BEGIN_ALLOW_THREADS;
    status = PyThread_acquire_lock_timed(lock, microseconds, 1);
    Py_END_ALLOW_THREADS;
    if (status != PY_LOCK_INTR) return status;
    if (Py_MakePendingCalls() < 0) return PY_LOCK_INTR;
    if (timeout > 0) {
      timeout = _PyDeadline_Get(deadline);
      if (timeout < 0) return PY_LOCK_FAILURE;
      if (timeout == 0) timeout = 1;
    }
  }
}

// ---- lock

PyObject* lock_acquire(PyObject* object, PyObject* args, PyObject* kwargs) {
  auto* self = reinterpret_cast<LockObject*>(object);
  _PyTime_t timeout;
  if (!parse_acquire(args, kwargs, timeout)) return nullptr;
  const PyLockStatus status = acquire_timed(self->lock, timeout);
  if (status == PY_LOCK_INTR) return nullptr;
  if (status == PY_LOCK_ACQUIRED) self->locked = true;
  return PyBool_FromLong(status == PY_LOCK_ACQUIRED);
}

/// FAST: `with lock:` takes no arguments.
Ref<> lock_enter(Borrowed<LockObject> self) {
  const PyLockStatus status = acquire_timed(self->lock, kForever);
  if (status == PY_LOCK_INTR) return nullptr;
  self->locked = true;
  return Ref<>::dup(Py_True);
}

Ref<> lock_release(Borrowed<LockObject> self) {
  if (!self->locked) return raise(PyExc_RuntimeError, "release unlocked lock");
  self->locked = false;
  PyThread_release_lock(self->lock);
  return Ref<>::none();
}
Ref<> lock_exit(Borrowed<LockObject> self, Arguments) { return lock_release(self); }
Ref<> lock_locked(Borrowed<LockObject> self) { return Ref<>::steal(PyBool_FromLong(self->locked)); }

Ref<> lock_at_fork_reinit(Borrowed<LockObject> self) {
  if (_PyThread_at_fork_reinit(&self->lock) < 0) {
    return raise(PyExc_RuntimeError, "failed to reinitialize lock at fork");
  }
  self->locked = false;
  return Ref<>::none();
}

Ref<> lock_repr(Borrowed<LockObject> self) {
  return Ref<>::steal(PyUnicode_FromFormat("<%s %s object at %p>", self->locked ? "locked" : "unlocked",
                                           Py_TYPE(self.object())->tp_name, self.get()));
}

int traverse_type(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  return 0;
}

void lock_dealloc(PyObject* object) {
  auto* self = reinterpret_cast<LockObject*>(object);
  PyObject_GC_UnTrack(object);
  if (self->weak_references != nullptr) PyObject_ClearWeakRefs(object);
  if (self->lock != nullptr) {
    if (self->locked) PyThread_release_lock(self->lock);
    PyThread_free_lock(self->lock);
  }
  PyTypeObject* type = Py_TYPE(object);
  type->tp_free(object);
  Py_DECREF(type);
}

constexpr const char* kAcquireDoc =
    "acquire(blocking=True, timeout=-1) -> bool\n\n"
    "Takes the lock, waiting for it if asked to; tells whether it was taken.";

#define ACQUIRE(name, function) \
  {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_VARARGS | METH_KEYWORDS, kAcquireDoc}

PyMethodDef lock_methods[] = {
    ACQUIRE("acquire_lock", lock_acquire),
    ACQUIRE("acquire", lock_acquire),
    method<lock_release, "release_lock($self)", "Gives the lock up.">(),
    method<lock_release, "release($self)", "Gives the lock up; any thread may do that.">(),
    method<lock_locked, "locked_lock($self)", "Whether somebody holds the lock.">(),
    method<lock_locked, "locked($self)", "Whether somebody holds the lock.">(),
    method<lock_enter, "__enter__($self)", "Takes the lock.">(),
    method<lock_exit, "__exit__($self, *args)", "Gives the lock up.">(),
    method<lock_at_fork_reinit, "_at_fork_reinit($self)", "Makes the lock free again in a forked child.">(),
    {}};
PyMemberDef lock_members[] = {{"__weaklistoffset__", T_PYSSIZET, offsetof(LockObject, weak_references), READONLY}, {}};
PyType_Slot lock_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(lock_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(slot<lock_repr>)},
    {Py_tp_doc, const_cast<char*>("A lock, free or held; it does not know by whom.")},
    {Py_tp_methods, lock_methods},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse_type)},
    {Py_tp_members, lock_members},
    {}};

// ---- RLock

PyObject* rlock_take(RLockObject* self, _PyTime_t timeout) {
  if (self->is_mine()) {
    const unsigned long count = self->count + 1;
    if (count == 0) return raise(PyExc_OverflowError, "Internal lock count overflowed");
    self->count = count;
    return Py_NewRef(Py_True);
  }
  const PyLockStatus status = acquire_timed(self->lock, timeout);
  if (status == PY_LOCK_INTR) return nullptr;
  if (status == PY_LOCK_ACQUIRED) {
    self->owner = PyThread_get_thread_ident();
    self->count = 1;
  }
  return PyBool_FromLong(status == PY_LOCK_ACQUIRED);
}

PyObject* rlock_acquire(PyObject* object, PyObject* args, PyObject* kwargs) {
  _PyTime_t timeout;
  if (!parse_acquire(args, kwargs, timeout)) return nullptr;
  return rlock_take(reinterpret_cast<RLockObject*>(object), timeout);
}
Ref<> rlock_enter(Borrowed<RLockObject> self) { return Ref<>::steal(rlock_take(self, kForever)); }

Ref<> rlock_release(Borrowed<RLockObject> self) {
  if (!self->is_mine()) return raise(PyExc_RuntimeError, "cannot release un-acquired lock");
  if (--self->count == 0) {
    self->owner = 0;
    PyThread_release_lock(self->lock);
  }
  return Ref<>::none();
}
Ref<> rlock_exit(Borrowed<RLockObject> self, Arguments) { return rlock_release(self); }

PyObject* rlock_acquire_restore(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<RLockObject*>(object);
  unsigned long count, owner;
  if (!PyArg_ParseTuple(args, "(kk):_acquire_restore", &count, &owner)) return nullptr;
  if (!PyThread_acquire_lock(self->lock, NOWAIT_LOCK)) {
    int taken;
    Py_BEGIN_ALLOW_THREADS;
    taken = PyThread_acquire_lock(self->lock, WAIT_LOCK);
    Py_END_ALLOW_THREADS;
    if (!taken) return raise(PyExc_RuntimeError, "couldn't acquire lock");
  }
  self->owner = owner;
  self->count = count;
  return Py_NewRef(Py_None);
}

Ref<> rlock_release_save(Borrowed<RLockObject> self) {
  if (self->count == 0) return raise(PyExc_RuntimeError, "cannot release un-acquired lock");
  const unsigned long count = std::exchange(self->count, 0);
  const unsigned long owner = std::exchange(self->owner, 0);
  PyThread_release_lock(self->lock);
  return Ref<>::steal(Py_BuildValue("kk", count, owner));
}

Ref<> rlock_is_owned(Borrowed<RLockObject> self) { return Ref<>::steal(PyBool_FromLong(self->is_mine())); }

Ref<> rlock_at_fork_reinit(Borrowed<RLockObject> self) {
  if (_PyThread_at_fork_reinit(&self->lock) < 0) {
    return raise(PyExc_RuntimeError, "failed to reinitialize lock at fork");
  }
  self->owner = 0;
  self->count = 0;
  return Ref<>::none();
}

PyObject* rlock_new(PyTypeObject* type, PyObject*, PyObject*) {
  auto* self = reinterpret_cast<RLockObject*>(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->lock = PyThread_allocate_lock();
  if (self->lock == nullptr) {
    Py_DECREF(self);
    return raise(PyExc_RuntimeError, "can't allocate lock");
  }
  return as_object(self);
}

Ref<> rlock_repr(Borrowed<RLockObject> self) {
  return Ref<>::steal(PyUnicode_FromFormat("<%s %s object owner=%ld count=%lu at %p>",
                                           self->count ? "locked" : "unlocked", Py_TYPE(self.object())->tp_name,
                                           self->owner, self->count, self.get()));
}

void rlock_dealloc(PyObject* object) {
  auto* self = reinterpret_cast<RLockObject*>(object);
  PyObject_GC_UnTrack(object);
  if (self->weak_references != nullptr) PyObject_ClearWeakRefs(object);
  if (self->lock != nullptr) {
    if (self->count > 0) PyThread_release_lock(self->lock);
    PyThread_free_lock(self->lock);
  }
  PyTypeObject* type = Py_TYPE(object);
  type->tp_free(object);
  Py_DECREF(type);
}

PyMethodDef rlock_methods[] = {
    ACQUIRE("acquire", rlock_acquire),
    method<rlock_release, "release($self)", "Undoes one acquire().">(),
    method<rlock_is_owned, "_is_owned($self)", "Whether the calling thread holds the lock.">(),
    {"_acquire_restore", rlock_acquire_restore, METH_VARARGS,
     "_acquire_restore(state) -> None\n\nTakes the lock back as _release_save() found it."},
    method<rlock_release_save, "_release_save($self)", "Gives the lock up whatever its count; returns the state.">(),
    method<rlock_enter, "__enter__($self)", "Takes the lock.">(),
    method<rlock_exit, "__exit__($self, *args)", "Undoes one acquire().">(),
    method<rlock_at_fork_reinit, "_at_fork_reinit($self)", "Makes the lock free again in a forked child.">(),
    {}};
PyMemberDef rlock_members[] = {{"__weaklistoffset__", T_PYSSIZET, offsetof(RLockObject, weak_references), READONLY},
                               {}};
PyType_Slot rlock_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(rlock_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(slot<rlock_repr>)},
    {Py_tp_methods, rlock_methods},
    {Py_tp_alloc, reinterpret_cast<void*>(PyType_GenericAlloc)},
    {Py_tp_new, reinterpret_cast<void*>(rlock_new)},
    {Py_tp_members, rlock_members},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse_type)},
    {}};

}  // namespace

PyType_Spec lock_spec = {"_thread.lock", sizeof(LockObject), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                             Py_TPFLAGS_IMMUTABLETYPE,
                         lock_slots};
PyType_Spec rlock_spec = {"_thread.RLock", sizeof(RLockObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                          rlock_slots};

PyObject* new_lock(PyTypeObject* type) {
  auto* self = reinterpret_cast<LockObject*>(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->lock = PyThread_allocate_lock();
  if (self->lock == nullptr) {
    Py_DECREF(self);
    return raise(PyExc_RuntimeError, "can't allocate lock");
  }
  return as_object(self);
}

void release_if_held(PyObject* object) {
  auto* self = reinterpret_cast<LockObject*>(object);
  if (!self->locked) return;
  PyThread_release_lock(self->lock);
  self->locked = false;
}

}  // namespace pyston::thread_module
