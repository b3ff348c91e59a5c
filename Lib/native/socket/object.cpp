// The socket type: creation, connection, options, state.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "Lib/native/socket/wait.h"
#include "pycore_fileutils.h"
#include "pycore_object.h"

namespace pyston::socket_module {
namespace {

constexpr _PyTime_t kBlocking = -1'000'000'000;

bool set_blocking(SocketObject* self, bool block) {
  int flag = !block;
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = ioctl(self->fd, FIONBIO, &flag);
  Py_END_ALLOW_THREADS;
  if (status >= 0) return true;
  raise_errno();
  return false;
}

/// Takes a descriptor over.
bool initialise(SocketObject* self, int fd, int family, int type, int proto) {
  self->fd = fd;
  self->family = family;
  self->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  self->proto = proto;
  self->raise_error = raise_errno;
  if (type & SOCK_NONBLOCK) {
    self->timeout = 0;
    return true;
  }
  self->timeout = default_timeout;
  return default_timeout < 0 || set_blocking(self, false);
}

PyObject* socket_new(PyTypeObject* type, PyObject*, PyObject*) {
  auto* self = reinterpret_cast<SocketObject*>(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->fd = -1;
  self->timeout = kBlocking;
  self->raise_error = raise_errno;
  return as_object(self);
}

/// For a descriptor that exists: asks the kernel for what was not given.
bool describe_descriptor(int fd, int& family, int& type, int& proto) {
  Address address;
  address.length = sizeof address.storage;
  memset(&address.storage, 0, sizeof address.storage);
  if (getsockname(fd, address.get(), &address.length) < 0) {
    if (family == -1 || errno == EBADF || errno == ENOTSOCK) {
      raise_errno();
      return false;
    }
  } else if (family == -1) {
    family = address.get()->sa_family;
  }
  auto option = [fd](int name, int& value) {
    socklen_t size = sizeof value;
    if (value != -1 || getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0) return true;
    raise_errno();
    return false;
  };
  return option(SO_TYPE, type) && option(SO_PROTOCOL, proto);
}

int socket_init(PyObject* object, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"family", "type", "proto", "fileno", nullptr};
  auto* self = reinterpret_cast<SocketObject*>(object);
  int family = -1, type = -1, proto = -1;
  PyObject* descriptor = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiO:socket", const_cast<char**>(kNames), &family, &type, &proto,
                                   &descriptor)) {
    return -1;
  }
  if (PySys_Audit("socket.__new__", "Oiii", object, family, type, proto) < 0) return -1;
  int fd;
  if (descriptor != nullptr && descriptor != Py_None) {
    if (PyFloat_Check(descriptor)) return raise(PyExc_TypeError, "integer argument expected, got float");
    fd = _PyLong_AsInt(descriptor);
    if (fd == -1 && PyErr_Occurred()) return -1;
    if (fd < 0) return raise(PyExc_ValueError, "negative file descriptor");
    if (!describe_descriptor(fd, family, type, proto)) return -1;
  } else {
    if (family == -1) family = AF_INET;
    if (type == -1) type = SOCK_STREAM;
    if (proto == -1) proto = 0;
    Py_BEGIN_ALLOW_THREADS;
    fd = socket(family, type | SOCK_CLOEXEC, proto);
    Py_END_ALLOW_THREADS;
    if (fd == -1) {
      raise_errno();
      return -1;
    }
  }
  if (initialise(self, fd, family, type, proto)) return 0;
  close(fd);
  self->fd = -1;
  return -1;
}

void socket_finalize(PyObject* object) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  if (self->fd == -1) return;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (PyErr_ResourceWarning(object, 1, "unclosed %R", object) != 0) {
    // Shown as an error by choice: it cannot be raised from here.
    if (PyErr_ExceptionMatches(PyExc_Warning)) PyErr_WriteUnraisable(object);
  }
  // Only now, so that the warning could show the descriptor.
  const int fd = std::exchange(self->fd, -1);
  if (fd != -1) {
    Py_BEGIN_ALLOW_THREADS;
    (void)close(fd);
    Py_END_ALLOW_THREADS;
  }
  PyErr_Restore(type, value, traceback);
}

void socket_dealloc(PyObject* object) {
  if (PyObject_CallFinalizerFromDealloc(object) < 0) return;
  Py_TYPE(object)->tp_free(object);
}

Ref<> socket_repr(Borrowed<SocketObject> self) {
  return Ref<>::steal(PyUnicode_FromFormat("<socket object, fd=%ld, family=%d, type=%d, proto=%d>",
                                           static_cast<long>(self->fd), self->family, self->type, self->proto));
}

// ---- Timeouts

Ref<> setblocking(Borrowed<SocketObject> self, bool flag) {
  self->timeout = flag ? kBlocking : 0;
  if (!set_blocking(self.get(), flag)) return nullptr;
  return Ref<>::none();
}

Ref<> getblocking(Borrowed<SocketObject> self) { return Ref<>::steal(PyBool_FromLong(self->timeout != 0)); }

Ref<> settimeout(Borrowed<SocketObject> self, Borrowed<> value) {
  _PyTime_t timeout;
  if (!parse_timeout(value, timeout)) return nullptr;
  self->timeout = timeout;
  // With a timeout the waiting is done by poll(): the descriptor itself does not block.
  if (!set_blocking(self.get(), timeout < 0)) return nullptr;
  return Ref<>::none();
}

Ref<> gettimeout(Borrowed<SocketObject> self) { return timeout_object(self->timeout); }

// ---- Connecting

/// (fd, address): socket.py makes the object.
Ref<> accept_(Borrowed<SocketObject> self) {
  Address address;
  if (!prepare_address(self.get(), address)) return nullptr;
  const socklen_t room = address.length;
  int fd = -1;
  const bool done = socket_call(self.get(), Wait::kRead, [&] {
    address.length = room;
    fd = accept4(self->fd, address.get(), &address.length, SOCK_CLOEXEC);
    return fd >= 0;
  });
  if (!done) return nullptr;
  auto from = make_address(fd, address.get(), address.length, self->proto);
  if (!from) {
    close(fd);
    return nullptr;
  }
  return Ref<>::steal(Py_BuildValue("iO", fd, from.get()));
}

Ref<> bind_(Borrowed<SocketObject> self, Borrowed<> address_object) {
  Address address;
  if (!parse_address(self.get(), address_object, address, "bind")) return nullptr;
  if (PySys_Audit("socket.bind", "OO", self.object(), address_object.get()) < 0) return nullptr;
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = bind(self->fd, address.get(), address.length);
  Py_END_ALLOW_THREADS;
  if (status < 0) return raise_os_error();
  return Ref<>::none();
}

/// 0 or the errno; -1 with an exception. `options.error` decides who reports.
bool connect_to(SocketObject* self, Address& address, int* error) {
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = connect(self->fd, address.get(), address.length);
  Py_END_ALLOW_THREADS;
  if (status == 0) {
    if (error != nullptr) *error = 0;
    return true;
  }
  int number = errno;
  bool wait_for_it;
  if (number == EINTR) {
    if (PyErr_CheckSignals() != 0) {
      if (error != nullptr) *error = -1;
      return false;
    }
    // The connection goes on being made; only a socket that never waits reports that.
    wait_for_it = self->timeout != 0;
  } else {
    wait_for_it = self->timeout > 0 && number == EINPROGRESS;
  }
  if (!wait_for_it) {
    if (error != nullptr) {
      *error = number;
    } else {
      errno = number;
      self->raise_error();
    }
    return false;
  }
  return socket_call(
      self, Wait::kConnect,
      [self] {
        int outcome = 0;
        socklen_t size = sizeof outcome;
        if (getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &outcome, &size) < 0) return false;
        if (outcome == EISCONN || outcome == 0) return true;
        errno = outcome;
        return false;
      },
      {.timeout = self->timeout, .wait_first = true, .error = error});
}

Ref<> connect_(Borrowed<SocketObject> self, Borrowed<> address_object) {
  Address address;
  if (!parse_address(self.get(), address_object, address, "connect")) return nullptr;
  if (PySys_Audit("socket.connect", "OO", self.object(), address_object.get()) < 0) return nullptr;
  if (!connect_to(self.get(), address, nullptr)) return nullptr;
  return Ref<>::none();
}

Ref<> connect_ex(Borrowed<SocketObject> self, Borrowed<> address_object) {
  Address address;
  if (!parse_address(self.get(), address_object, address, "connect_ex")) return nullptr;
  if (PySys_Audit("socket.connect", "OO", self.object(), address_object.get()) < 0) return nullptr;
  int error = 0;
  connect_to(self.get(), address, &error);
  if (error < 0) return nullptr;
  return Ref<>::steal(PyLong_FromLong(error));
}

Ref<> listen_(Borrowed<SocketObject> self, Optional<int> backlog) {
  int length = backlog.value_or(SOMAXCONN < 128 ? SOMAXCONN : 128);
  if (length < 0) length = 0;
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = listen(self->fd, length);
  Py_END_ALLOW_THREADS;
  if (status < 0) return raise_os_error();
  return Ref<>::none();
}

Ref<> shutdown_(Borrowed<SocketObject> self, int how) {
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = shutdown(self->fd, how);
  Py_END_ALLOW_THREADS;
  if (status < 0) return raise_os_error();
  return Ref<>::none();
}

Ref<> close_(Borrowed<SocketObject> self) {
  const int fd = std::exchange(self->fd, -1);
  if (fd == -1) return Ref<>::none();
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = close(fd);
  Py_END_ALLOW_THREADS;
  // A peer that has gone is no reason to complain here.
  if (status < 0 && errno != ECONNRESET) return raise_os_error();
  return Ref<>::none();
}

Ref<> detach(Borrowed<SocketObject> self) { return Ref<>::steal(PyLong_FromLong(std::exchange(self->fd, -1))); }
Ref<> fileno_(Borrowed<SocketObject> self) { return Ref<>::steal(PyLong_FromLong(self->fd)); }

template <int (*query)(int, sockaddr*, socklen_t*) noexcept>
Ref<> query_address(Borrowed<SocketObject> self) {
  Address address;
  if (!prepare_address(self.get(), address)) return nullptr;
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = query(self->fd, address.get(), &address.length);
  Py_END_ALLOW_THREADS;
  if (status < 0) return raise_os_error();
  return make_address(self->fd, address.get(), address.length, self->proto);
}

// ---- Options

PyObject* setsockopt_(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  int level, name, status;
  if (self->family == AF_VSOCK) {
    uint64_t number;
    if (!PyArg_ParseTuple(args, "iiK:setsockopt", &level, &name, &number)) return nullptr;
    status = setsockopt(self->fd, level, name, &number, sizeof number);
  } else {
    int number;
    unsigned length;
    PyObject* none;
    Py_buffer view;
    if (PyArg_ParseTuple(args, "iii:setsockopt", &level, &name, &number)) {
      status = setsockopt(self->fd, level, name, &number, sizeof number);
    } else if (PyErr_Clear(), PyArg_ParseTuple(args, "iiO!I:setsockopt", &level, &name, Py_TYPE(Py_None), &none, &length)) {
      status = setsockopt(self->fd, level, name, nullptr, length);
    } else {
      PyErr_Clear();
      if (!PyArg_ParseTuple(args, "iiy*:setsockopt", &level, &name, &view)) return nullptr;
      status = setsockopt(self->fd, level, name, view.buf, static_cast<socklen_t>(view.len));
      PyBuffer_Release(&view);
    }
  }
  if (status < 0) return raise_os_error();
  return Py_NewRef(Py_None);
}

PyObject* getsockopt_(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  int level, name;
  int size = 0;
  if (!PyArg_ParseTuple(args, "ii|i:getsockopt", &level, &name, &size)) return nullptr;
  if (size == 0) {
    if (self->family == AF_VSOCK) {
      uint64_t number = 0;
      socklen_t length = sizeof number;
      if (getsockopt(self->fd, level, name, &number, &length) < 0) return raise_os_error();
      return PyLong_FromUnsignedLong(number);
    }
    int number = 0;
    socklen_t length = sizeof number;
    if (getsockopt(self->fd, level, name, &number, &length) < 0) return raise_os_error();
    return PyLong_FromLong(number);
  }
  if (self->family == AF_VSOCK) return raise(PyExc_OSError, "getsockopt string buffer not allowed");
  if (size < 0 || size > 1024) return raise(PyExc_OSError, "getsockopt buflen out of range");
  char buffer[1024];
  auto length = static_cast<socklen_t>(size);
  if (getsockopt(self->fd, level, name, buffer, &length) < 0) return raise_os_error();
  return PyBytes_FromStringAndSize(buffer, static_cast<Py_ssize_t>(length));
}

PyMethodDef object_methods[] = {
    method<accept_, "_accept($self)", "Waits for a connection; returns its descriptor and the peer's address.">(),
    method<bind_, "bind($self, address, /)", "Gives the socket its own address.">(),
    method<close_, "close($self)", "Closes the socket.">(),
    method<connect_, "connect($self, address, /)", "Connects to an address.">(),
    method<connect_ex, "connect_ex($self, address, /)", "Like connect(), with the errno as result.">(),
    method<detach, "detach($self)", "Gives the descriptor up without closing it.">(),
    method<fileno_, "fileno($self)", "The descriptor; -1 when closed.">(),
    method<query_address<getpeername>, "getpeername($self)", "The address of the other end.">(),
    method<query_address<getsockname>, "getsockname($self)", "The socket's own address.">(),
    {"getsockopt", getsockopt_, METH_VARARGS, "getsockopt(level, option[, buffersize]) -> value\n\nAn option's value."},
    method<listen_, "listen($self, backlog=128, /)", "Starts accepting connections.">(),
    method<setblocking, "setblocking($self, flag, /)", "Chooses whether operations wait.">(),
    method<getblocking, "getblocking($self)", "Whether operations wait.">(),
    method<settimeout, "settimeout($self, timeout, /)", "Sets how long operations wait; None has no limit.">(),
    method<gettimeout, "gettimeout($self)", "How long operations wait; None has no limit.">(),
    {"setsockopt", setsockopt_, METH_VARARGS,
     "setsockopt(level, option, value: int)\nsetsockopt(level, option, value: buffer)\n"
     "setsockopt(level, option, None, optlen: int)\n\nSets an option."},
    method<shutdown_, "shutdown($self, flag, /)", "Ends one or both directions.">(),
    {}};

PyMemberDef members[] = {
    {"family", T_INT, offsetof(SocketObject, family), READONLY, "the socket family"},
    {"type", T_INT, offsetof(SocketObject, type), READONLY, "the socket type"},
    {"proto", T_INT, offsetof(SocketObject, proto), READONLY, "the socket protocol"},
    {}};
PyGetSetDef getsets[] = {getset<gettimeout>("timeout", "the socket timeout"), {}};

/// The methods of two files in one table.
PyMethodDef all_methods[40];

}  // namespace

bool parse_timeout(PyObject* value, _PyTime_t& timeout) {
  if (value == Py_None) {
    timeout = kBlocking;
    return true;
  }
  if (_PyTime_FromSecondsObject(&timeout, value, _PyTime_ROUND_TIMEOUT) < 0) return false;
  if (timeout < 0) {
    PyErr_SetString(PyExc_ValueError, "Timeout value out of range");
    return false;
  }
  const _PyTime_t milliseconds = _PyTime_AsMilliseconds(timeout, _PyTime_ROUND_TIMEOUT);
  if (milliseconds > INT_MAX) {
    PyErr_SetString(PyExc_OverflowError, "timeout doesn't fit into C timeval");
    return false;
  }
  return true;
}

Ref<> timeout_object(_PyTime_t timeout) {
  if (timeout < 0) return Ref<>::none();
  return Ref<>::steal(PyFloat_FromDouble(_PyTime_AsSecondsDouble(timeout)));
}

bool ready_socket_type() {
  if (socket_type.tp_dict != nullptr) return true;
  size_t count = 0;
  for (PyMethodDef* row = object_methods; row->ml_name != nullptr; row++) all_methods[count++] = *row;
  for (PyMethodDef* row = transfer_methods; row->ml_name != nullptr; row++) all_methods[count++] = *row;
  return PyType_Ready(&socket_type) >= 0;
}

PyTypeObject socket_type = {
    .ob_base = type_head(),
    .tp_name = "_socket.socket",
    .tp_basicsize = sizeof(SocketObject),
    .tp_dealloc = socket_dealloc,
    .tp_repr = slot<socket_repr>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object\n"
              "socket(family=-1, type=-1, proto=-1, fileno=None) -> socket object\n\n"
              "An end of a communication. Addresses have the form that their family asks for.",
    .tp_methods = all_methods,
    .tp_members = members,
    .tp_getset = getsets,
    .tp_init = socket_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = socket_new,
    .tp_free = PyObject_Free,
    .tp_finalize = socket_finalize,
};

}  // namespace pyston::socket_module
