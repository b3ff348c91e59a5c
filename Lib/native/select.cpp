// The select module: select(2), poll(2) and epoll(7).
//
// All waiting is without the GIL, and continues with the remaining time after a signal whose handler did not raise.
#include <cerrno>
#include <climits>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include "Lib/native/constants.h"

namespace pyston {
namespace {

struct ModuleState {
  PyTypeObject* poll_type;
  PyTypeObject* epoll_type;
};
ModuleState* state_of(PyObject* module) { return static_cast<ModuleState*>(PyModule_GetState(module)); }

Failure raise_os_error() {
  PyErr_SetFromErrno(PyExc_OSError);
  return {};
}

/// The time that is left of a wait; no limit when not given.
class Timeout {
 public:
  /// False with an exception. `format` turns the object into a _PyTime_t.
  template <class Convert>
  bool parse(PyObject* value, Convert convert, const char* type_error) {
    if (value == nullptr || value == Py_None) return true;
    if (convert(&remaining_, value, _PyTime_ROUND_TIMEOUT) < 0) {
      if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_SetString(PyExc_TypeError, type_error);
      return false;
    }
    limited_ = true;
    return true;
  }
  bool limited() const { return limited_; }
  _PyTime_t remaining() const { return remaining_; }
  void unlimited() { limited_ = false; }
  void start() {
    if (limited_) deadline_ = _PyDeadline_Init(remaining_);
  }
  /// After an interruption. False: the time is over.
  bool proceed() {
    if (!limited_) return true;
    remaining_ = _PyDeadline_Get(deadline_);
    return remaining_ >= 0;
  }

 private:
  bool limited_ = false;
  _PyTime_t remaining_ = 0;
  _PyTime_t deadline_ = 0;
};

// ---- select()

/// One of the three sequences: its descriptors, and the objects they came from.
struct DescriptorSet {
  struct Entry {
    PyObject* object;
    int fd;
  };
  Entry* entries = nullptr;
  int count = 0;
  fd_set set;

  DescriptorSet() = default;
  DescriptorSet(const DescriptorSet&) = delete;
  DescriptorSet& operator=(const DescriptorSet&) = delete;
  ~DescriptorSet() {
    for (int i = 0; i < count; i++) Py_DECREF(entries[i].object);
    PyMem_Free(entries);
  }
  Status fill(PyObject* sequence, int& highest) {
    FD_ZERO(&set);
    auto list = Ref<>::steal(PySequence_Fast(sequence, "arguments 1-3 must be sequences"));
    if (!list) return Status::kError;
    // fileno() can change the list: its size is read anew each time.
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); i++) {
      auto object = Ref<>::dup(PySequence_Fast_GET_ITEM(list.get(), i));
      const int fd = PyObject_AsFileDescriptor(object.get());
      if (fd == -1) return Status::kError;
      if (fd >= FD_SETSIZE) return raise(PyExc_ValueError, "filedescriptor out of range in select()");
      if (count >= FD_SETSIZE) return raise(PyExc_ValueError, "too many file descriptors in select()");
      if ((count & (count - 1)) == 0) {
        const size_t capacity = count == 0 ? 1 : static_cast<size_t>(count) * 2;
        auto* grown = static_cast<Entry*>(PyMem_Realloc(entries, capacity * sizeof(Entry)));
        if (grown == nullptr) {
          PyErr_NoMemory();
          return Status::kError;
        }
        entries = grown;
      }
      entries[count++] = {object.release(), fd};
      if (fd > highest) highest = fd;
    }
    return Status::kOk;
  }
  void arm() {
    FD_ZERO(&set);
    for (int i = 0; i < count; i++) FD_SET(entries[i].fd, &set);
  }
  PyObject* ready(bool any) const {
    PyObject* list = PyList_New(0);
    for (int i = 0; list != nullptr && any && i < count; i++) {
      if (FD_ISSET(entries[i].fd, &set) && PyList_Append(list, entries[i].object) < 0) Py_CLEAR(list);
    }
    return list;
  }
};

Ref<> select_(Borrowed<>, Borrowed<> rlist, Borrowed<> wlist, Borrowed<> xlist, PyObject* timeout_object) {
  Timeout timeout;
  if (!timeout.parse(timeout_object, _PyTime_FromSecondsObject, "timeout must be a float or None")) return nullptr;
  timeval value, *limit = nullptr;
  if (timeout.limited()) {
    if (_PyTime_AsTimeval(timeout.remaining(), &value, _PyTime_ROUND_TIMEOUT) < 0) return nullptr;
    if (value.tv_sec < 0) return raise(PyExc_ValueError, "timeout must be non-negative");
    limit = &value;
  }
  DescriptorSet reading, writing, exceptional;
  int highest = -1;
  VM_CHECK(reading.fill(rlist, highest));
  VM_CHECK(writing.fill(wlist, highest));
  VM_CHECK(exceptional.fill(xlist, highest));
  timeout.start();
  int count;
  while (true) {
    reading.arm();
    writing.arm();
    exceptional.arm();
    Py_BEGIN_ALLOW_THREADS;
    errno = 0;
    count = select(highest + 1, &reading.set, &writing.set, &exceptional.set, limit);
    Py_END_ALLOW_THREADS;
    if (errno != EINTR) break;
    if (PyErr_CheckSignals() != 0) return nullptr;
    if (!timeout.proceed()) {
      count = 0;
      break;
    }
    if (limit != nullptr) _PyTime_AsTimeval_clamp(timeout.remaining(), limit, _PyTime_ROUND_CEILING);
  }
  if (count < 0) return raise_os_error();
  auto readable = Ref<>::steal(reading.ready(count > 0));
  auto writable = Ref<>::steal(writing.ready(count > 0));
  auto others = Ref<>::steal(exceptional.ready(count > 0));
  if (!readable || !writable || !others) return nullptr;
  return Ref<>::steal(PyTuple_Pack(3, readable.get(), writable.get(), others.get()));
}

// ---- poll objects

struct PollObject {
  PyObject_HEAD
  PyObject* events;  // {fd: mask}
  pollfd* entries;   // the same for poll(2), rebuilt when `stale`
  int count;
  bool stale;
  bool running;
};

/// An event mask of 16 bits.
bool to_mask(PyObject* value, unsigned short& mask) {
  return _PyLong_UnsignedShort_Converter(value, &mask) != 0;
}

bool rebuild(PollObject* self) {
  const Py_ssize_t count = PyDict_GET_SIZE(self->events);
  auto* entries = static_cast<pollfd*>(PyMem_Realloc(self->entries, sizeof(pollfd) * static_cast<size_t>(count + 1)));
  if (entries == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  self->entries = entries;
  Py_ssize_t position = 0;
  PyObject *key, *value;
  int i = 0;
  while (PyDict_Next(self->events, &position, &key, &value)) {
    // The dictionary holds what register() checked.
    entries[i++] = {static_cast<int>(PyLong_AsLong(key)), static_cast<short>(PyLong_AsLong(value)), 0};
  }
  self->count = static_cast<int>(count);
  self->stale = false;
  return true;
}

Status store_mask(PollObject* self, PyObject* key, unsigned short mask) {
  auto value = Ref<>::steal(PyLong_FromLong(mask));
  if (!value || PyDict_SetItem(self->events, key, value.get()) < 0) return Status::kError;
  self->stale = true;
  return Status::kOk;
}

Ref<> poll_register(Borrowed<PollObject> self, Borrowed<> fd_object, PyObject* eventmask) {
  const int fd = PyObject_AsFileDescriptor(fd_object);
  if (fd == -1) return nullptr;
  unsigned short mask = POLLIN | POLLPRI | POLLOUT;
  if (eventmask != nullptr && !to_mask(eventmask, mask)) return nullptr;
  auto key = Ref<>::steal(PyLong_FromLong(fd));
  if (!key) return nullptr;
  VM_CHECK(store_mask(self.get(), key.get(), mask));
  return Ref<>::none();
}

Ref<> poll_modify(Borrowed<PollObject> self, Borrowed<> fd_object, Borrowed<> eventmask) {
  const int fd = PyObject_AsFileDescriptor(fd_object);
  if (fd == -1) return nullptr;
  unsigned short mask;
  if (!to_mask(eventmask, mask)) return nullptr;
  auto key = Ref<>::steal(PyLong_FromLong(fd));
  if (!key) return nullptr;
  const int present = PyDict_Contains(self->events, key.get());
  if (present < 0) return nullptr;
  if (!present) {
    errno = ENOENT;
    return raise_os_error();
  }
  VM_CHECK(store_mask(self.get(), key.get(), mask));
  return Ref<>::none();
}

Ref<> poll_unregister(Borrowed<PollObject> self, Borrowed<> fd_object) {
  const int fd = PyObject_AsFileDescriptor(fd_object);
  if (fd == -1) return nullptr;
  auto key = Ref<>::steal(PyLong_FromLong(fd));
  if (!key) return nullptr;
  if (PyDict_DelItem(self->events, key.get()) < 0) return nullptr;  // KeyError
  self->stale = true;
  return Ref<>::none();
}

Ref<> ready_pairs(const pollfd* entries, int entry_count, int ready) {
  auto list = Ref<>::steal(PyList_New(ready));
  if (!list) return nullptr;
  int i = 0;
  for (int out = 0; out < ready; out++, i++) {
    while (i < entry_count && entries[i].revents == 0) i++;
    PyObject* pair = Py_BuildValue("(ii)", entries[i].fd, entries[i].revents & 0xffff);
    if (pair == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), out, pair);
  }
  return list;
}

Ref<> poll_poll(Borrowed<PollObject> self, PyObject* timeout_object) {
  Timeout timeout;
  if (!timeout.parse(timeout_object, _PyTime_FromMillisecondsObject, "timeout must be an integer or None")) {
    return nullptr;
  }
  int milliseconds = -1;
  if (timeout.limited()) {
    const _PyTime_t value = _PyTime_AsMilliseconds(timeout.remaining(), _PyTime_ROUND_TIMEOUT);
    if (value < INT_MIN || value > INT_MAX) return raise(PyExc_OverflowError, "timeout is too large");
    milliseconds = static_cast<int>(value);
    if (timeout.remaining() < 0) {
      timeout.unlimited();
      milliseconds = -1;
    }
  }
  if (self->running) return raise(PyExc_RuntimeError, "concurrent poll() invocation");
  if (self->stale && !rebuild(self.get())) return nullptr;
  timeout.start();
  self->running = true;  // others must not exchange the array
  int count;
  while (true) {
    Py_BEGIN_ALLOW_THREADS;
    errno = 0;
    count = poll(self->entries, static_cast<nfds_t>(self->count), milliseconds);
    Py_END_ALLOW_THREADS;
    if (errno != EINTR) break;
    if (PyErr_CheckSignals() != 0) {
      self->running = false;
      return nullptr;
    }
    if (!timeout.proceed()) {
      count = 0;
      break;
    }
    if (timeout.limited()) {
      milliseconds = static_cast<int>(_PyTime_AsMilliseconds(timeout.remaining(), _PyTime_ROUND_CEILING));
    }
  }
  self->running = false;
  if (count < 0) return raise_os_error();
  return ready_pairs(self->entries, self->count, count);
}

void poll_dealloc(PyObject* object) {
  auto* self = reinterpret_cast<PollObject*>(object);
  PyTypeObject* type = Py_TYPE(object);
  PyMem_Free(self->entries);
  Py_XDECREF(self->events);
  PyObject_Free(object);
  Py_DECREF(type);
}

Ref<> poll_new(Borrowed<> module) {
  auto* self = PyObject_New(PollObject, state_of(module)->poll_type);
  if (self == nullptr) return nullptr;
  self->entries = nullptr;
  self->count = 0;
  self->stale = true;
  self->running = false;
  self->events = PyDict_New();
  if (self->events == nullptr) {
    Py_DECREF(self);
    return nullptr;
  }
  return Ref<>::steal(self);
}

PyMethodDef poll_methods[] = {
    method<poll_register, "register($self, fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)",
           "Starts watching a descriptor.">(),
    method<poll_modify, "modify($self, fd, eventmask, /)", "Changes what a descriptor is watched for.">(),
    method<poll_unregister, "unregister($self, fd, /)", "Stops watching a descriptor.">(),
    method<poll_poll, "poll($self, timeout=None, /)",
           "Waits, for some milliseconds at most; returns a list of (fd, events).">(),
    {}};
PyType_Slot poll_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(poll_dealloc)}, {Py_tp_methods, poll_methods}, {}};
PyType_Spec poll_spec = {"select.poll", sizeof(PollObject), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, poll_slots};

// ---- epoll objects

struct EpollObject {
  PyObject_HEAD
  int fd;  // -1: closed
};

Failure raise_closed() { return raise(PyExc_ValueError, "I/O operation on closed epoll object"); }

Ref<> wrap_epoll(PyTypeObject* type, int sizehint, int fd) {
  auto* self = reinterpret_cast<EpollObject*>(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->fd = fd;
  if (fd == -1) {
    Py_BEGIN_ALLOW_THREADS;
    self->fd = epoll_create1(EPOLL_CLOEXEC);
    Py_END_ALLOW_THREADS;
  }
  if (self->fd < 0) {
    raise_os_error();
    Py_DECREF(self);
    return nullptr;
  }
  return Ref<>::steal(self);
}

Ref<> epoll_new(PyTypeObject* type, Optional<int> sizehint, Optional<int> flags) {
  const int size = sizehint.value_or(-1);
  if (size != -1 && size <= 0) return raise(PyExc_ValueError, "negative sizehint");
  if (flags.value_or(0) != 0 && *flags != EPOLL_CLOEXEC) return raise(PyExc_OSError, "invalid flags");
  return wrap_epoll(type, size, -1);
}
/// 0, or the errno.
int close_epoll(EpollObject* self) {
  if (self->fd < 0) return 0;
  const int fd = std::exchange(self->fd, -1);
  int error = 0;
  Py_BEGIN_ALLOW_THREADS;
  if (close(fd) < 0) error = errno;
  Py_END_ALLOW_THREADS;
  return error;
}

Ref<> epoll_close(Borrowed<EpollObject> self) {
  errno = close_epoll(self.get());
  if (errno != 0) return raise_os_error();
  return Ref<>::none();
}
Ref<> epoll_closed(Borrowed<EpollObject> self) { return Ref<>::steal(PyBool_FromLong(self->fd < 0)); }

Ref<> epoll_fileno(Borrowed<EpollObject> self) {
  if (self->fd < 0) return raise_closed();
  return Ref<>::steal(PyLong_FromLong(self->fd));
}

Ref<> epoll_fromfd(Borrowed<PyTypeObject> type, int fd) { return wrap_epoll(type.get(), FD_SETSIZE - 1, fd); }

Ref<> control(EpollObject* self, int operation, PyObject* fd_object, unsigned events) {
  if (self->fd < 0) return raise_closed();
  const int fd = PyObject_AsFileDescriptor(fd_object);
  if (fd == -1) return nullptr;
  epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = epoll_ctl(self->fd, operation, fd, &event);
  Py_END_ALLOW_THREADS;
  if (status < 0) return raise_os_error();
  return Ref<>::none();
}

Ref<> epoll_register(Borrowed<EpollObject> self, Borrowed<> fd, Optional<unsigned> eventmask) {
  return control(self.get(), EPOLL_CTL_ADD, fd, eventmask.value_or(EPOLLIN | EPOLLPRI | EPOLLOUT));
}
Ref<> epoll_modify(Borrowed<EpollObject> self, Borrowed<> fd, unsigned eventmask) {
  return control(self.get(), EPOLL_CTL_MOD, fd, eventmask);
}
Ref<> epoll_unregister(Borrowed<EpollObject> self, Borrowed<> fd) {
  return control(self.get(), EPOLL_CTL_DEL, fd, 0);
}

Ref<> epoll_poll(Borrowed<EpollObject> self, PyObject* timeout_object, Optional<int> maxevents) {
  if (self->fd < 0) return raise_closed();
  Timeout timeout;
  if (!timeout.parse(timeout_object, _PyTime_FromSecondsObject, "timeout must be an integer or None")) return nullptr;
  int milliseconds = -1;
  if (timeout.limited()) {
    const _PyTime_t value = _PyTime_AsMilliseconds(timeout.remaining(), _PyTime_ROUND_CEILING);
    if (value < INT_MIN || value > INT_MAX) return raise(PyExc_OverflowError, "timeout is too large");
    milliseconds = static_cast<int>(value);
    // Negative times wait without limit, as they do in epoll_wait(2).
    if (timeout.remaining() < 0) {
      timeout.unlimited();
      milliseconds = -1;
    }
  }
  int limit = maxevents.value_or(-1);
  if (limit == -1) {
    limit = FD_SETSIZE - 1;
  } else if (limit < 1) {
    return raise(PyExc_ValueError, "maxevents must be greater than 0, got %d", limit);
  }
  auto* events = PyMem_New(epoll_event, static_cast<size_t>(limit));
  if (events == nullptr) return Ref<>::steal(PyErr_NoMemory());
  timeout.start();
  int count;
  while (true) {
    Py_BEGIN_ALLOW_THREADS;
    errno = 0;
    count = epoll_wait(self->fd, events, limit, milliseconds);
    Py_END_ALLOW_THREADS;
    if (errno != EINTR) break;
    if (PyErr_CheckSignals() != 0) {
      PyMem_Free(events);
      return nullptr;
    }
    if (!timeout.proceed()) {
      count = 0;
      break;
    }
    if (timeout.limited()) {
      milliseconds = static_cast<int>(_PyTime_AsMilliseconds(timeout.remaining(), _PyTime_ROUND_CEILING));
    }
  }
  Ref<> list;
  if (count < 0) {
    raise_os_error();
  } else {
    list = Ref<>::steal(PyList_New(count));
    for (int i = 0; list && i < count; i++) {
      PyObject* pair = Py_BuildValue("iI", events[i].data.fd, events[i].events);
      if (pair == nullptr) {
        list.reset();
      } else {
        PyList_SET_ITEM(list.get(), i, pair);
      }
    }
  }
  PyMem_Free(events);
  return list;
}

Ref<> epoll_enter(Borrowed<EpollObject> self) {
  if (self->fd < 0) return raise_closed();
  return Ref<>::dup(self.object());
}
Ref<> epoll_exit(Borrowed<> self, PyObject*, PyObject*, PyObject*) {
  return Ref<>::steal(PyObject_CallMethod(self, "close", nullptr));
}

void epoll_dealloc(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  (void)close_epoll(reinterpret_cast<EpollObject*>(object));
  auto* release = reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free));
  release(object);
  Py_DECREF(type);
}

PyMethodDef epoll_methods[] = {
    method<epoll_fromfd, "fromfd($type, fd, /)", "Makes an object for a control descriptor that exists.">(METH_CLASS),
    method<epoll_close, "close($self, /)", "Closes the control descriptor; the object is of no use then.">(),
    method<epoll_fileno, "fileno($self, /)", "The control descriptor.">(),
    method<epoll_modify, "modify($self, /, fd, eventmask)", "Changes what a descriptor is watched for.">(),
    method<epoll_register,
           "register($self, /, fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)",
           "Starts watching a descriptor.">(),
    method<epoll_unregister, "unregister($self, /, fd)", "Stops watching a descriptor.">(),
    method<epoll_poll, "poll($self, /, timeout=None, maxevents=-1)",
           "Waits, for some seconds at most; returns a list of (fd, events).">(),
    method<epoll_enter, "__enter__($self, /)", "">(),
    method<epoll_exit, "__exit__($self, exc_type=None, exc_value=None, exc_tb=None, /)", "">(),
    {}};
PyGetSetDef epoll_getset[] = {getset<epoll_closed>("closed", "whether close() was called"), {}};
PyType_Slot epoll_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(epoll_dealloc)},
    {Py_tp_doc, const_cast<char*>("select.epoll(sizehint=-1, flags=0)\n\nWatches many descriptors.")},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_getset, epoll_getset},
    {Py_tp_methods, epoll_methods},
    {Py_tp_new, reinterpret_cast<void*>(constructor<epoll_new, "epoll($type, /, sizehint=-1, flags=0)">)},
    {}};
PyType_Spec epoll_spec = {"select.epoll", sizeof(EpollObject), 0, Py_TPFLAGS_DEFAULT, epoll_slots};

// ---- The module

PyMethodDef methods[] = {
    method<select_, "select($module, rlist, wlist, xlist, timeout=None, /)",
           "Waits until one of the files is ready; returns the three lists of those that are.">(),
    method<poll_new, "poll($module, /)", "Makes an object that watches descriptors.">(),
    {}};

constexpr IntConstant kConstants[] = {
#define ROW(name) {#name, static_cast<long long>(name)}
    {"PIPE_BUF", PIPE_BUF}, ROW(POLLIN), ROW(POLLPRI), ROW(POLLOUT), ROW(POLLERR), ROW(POLLHUP), ROW(POLLNVAL),
    ROW(POLLRDNORM), ROW(POLLRDBAND), ROW(POLLWRNORM), ROW(POLLWRBAND), ROW(POLLMSG), ROW(POLLRDHUP), ROW(EPOLLIN),
    ROW(EPOLLOUT), ROW(EPOLLPRI), ROW(EPOLLERR), ROW(EPOLLHUP), ROW(EPOLLRDHUP), {"EPOLLET", 1LL << 31},
    ROW(EPOLLONESHOT), ROW(EPOLLEXCLUSIVE), ROW(EPOLLRDNORM), ROW(EPOLLRDBAND), ROW(EPOLLWRNORM), ROW(EPOLLWRBAND),
    ROW(EPOLLMSG), ROW(EPOLL_CLOEXEC),
#undef ROW
};

int execute(PyObject* module) {
  ModuleState* state = state_of(module);
  if (PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0 || add_constants(module, kConstants) < 0) return -1;
  state->poll_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &poll_spec, nullptr));
  if (state->poll_type == nullptr) return -1;
  state->epoll_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &epoll_spec, nullptr));
  return state->epoll_type != nullptr ? PyModule_AddType(module, state->epoll_type) : -1;
}

int traverse(PyObject* module, visitproc visit, void* arg) {
  Py_VISIT(state_of(module)->poll_type);
  Py_VISIT(state_of(module)->epoll_type);
  return 0;
}
int clear(PyObject* module) {
  Py_CLEAR(state_of(module)->poll_type);
  Py_CLEAR(state_of(module)->epoll_type);
  return 0;
}
void free_module(void* module) { clear(static_cast<PyObject*>(module)); }

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "select",
                          .m_doc = "Waiting for the readiness of file descriptors.",
                          .m_size = sizeof(ModuleState),
                          .m_methods = methods,
                          .m_slots = slots,
                          .m_traverse = traverse,
                          .m_clear = clear,
                          .m_free = free_module};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit_select(void) { return PyModuleDef_Init(&pyston::definition); }
