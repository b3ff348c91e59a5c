// The fcntl module: fcntl(2), ioctl(2) and file locks.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "Lib/native/constants.h"
#include "pycore_fileutils.h"

namespace pyston {
namespace {

/// Arguments up to this size are copied, so that the kernel may write more than the caller expects.
constexpr Py_ssize_t kBufferSize = 1024;

Failure raise_os_error() {
  PyErr_SetFromErrno(PyExc_OSError);
  return {};
}

/// Calls `operation()` without the GIL until no signal interrupts it. False with an exception: a handler raised, or
/// the operation failed.
template <class Operation>
bool retry(Operation operation, int& result) {
  while (true) {
    Py_BEGIN_ALLOW_THREADS;
    result = operation();
    Py_END_ALLOW_THREADS;
    if (result != -1) return true;
    if (errno != EINTR) {
      raise_os_error();
      return false;
    }
    if (PyErr_CheckSignals() != 0) return false;
  }
}

struct FileDescriptor {
  int fd;
};

}  // namespace

template <>
struct binding::Convert<FileDescriptor> {
  static bool convert(const Signature&, int, PyObject* value, FileDescriptor& out) {
    out.fd = PyObject_AsFileDescriptor(value);
    return out.fd != -1;
  }
};

namespace {

/// `value` is str or bytes-like: copies it into `buffer`. Lookup::kMissing if it is something else.
Lookup copy_argument(PyObject* value, char (&buffer)[kBufferSize + 1], Py_ssize_t& size, const char* too_long) {
  const char* data;
  Buffer view;
  if (PyUnicode_Check(value)) {
    data = PyUnicode_AsUTF8AndSize(value, &size);
    if (data == nullptr) return Lookup::kError;
  } else if (PyObject_CheckBuffer(value)) {
    if (!view.acquire(value)) return Lookup::kError;
    data = view.data();
    size = view.size();
  } else {
    return Lookup::kMissing;
  }
  if (size > kBufferSize) return raise(PyExc_ValueError, too_long);
  memcpy(buffer, data, static_cast<size_t>(size));
  buffer[size] = '\0';
  return Lookup::kFound;
}

Ref<> fcntl_(Borrowed<>, FileDescriptor fd, int cmd, PyObject* arg) {
  if (PySys_Audit("fcntl.fcntl", "iiO", fd.fd, cmd, arg ? arg : Py_None) < 0) return nullptr;
  int result;
  unsigned number = 0;
  if (arg != nullptr) {
    char buffer[kBufferSize + 1];
    Py_ssize_t size;
    const Lookup copied = copy_argument(arg, buffer, size, "fcntl string arg too long");
    if (copied == Lookup::kError) return nullptr;
    if (copied == Lookup::kFound) {
      if (!retry([&] { return fcntl(fd.fd, cmd, buffer); }, result)) return nullptr;
      return Ref<>::steal(PyBytes_FromStringAndSize(buffer, size));
    }
    if (!PyArg_Parse(arg, "I;fcntl requires a file or file descriptor, an integer and optionally a third integer or a string", &number)) {
      return nullptr;
    }
  }
  if (!retry([&] { return fcntl(fd.fd, cmd, static_cast<int>(number)); }, result)) return nullptr;
  return Ref<>::steal(PyLong_FromLong(result));
}

/// The kernel writes into the caller's own buffer, or through a copy that has room to spare.
Ref<> ioctl_in_place(int fd, unsigned request, Py_buffer& view) {
  char buffer[kBufferSize + 1];
  const bool copied = view.len <= kBufferSize;
  void* argument = view.buf;
  if (copied) {
    memcpy(buffer, view.buf, static_cast<size_t>(view.len));
    buffer[view.len] = '\0';
    argument = buffer;
  }
  int result;
  if (copied) {
    Py_BEGIN_ALLOW_THREADS;
    result = ioctl(fd, request, argument);
    Py_END_ALLOW_THREADS;
  } else {
    result = ioctl(fd, request, argument);
  }
  const int error = errno;
  if (copied) memcpy(view.buf, buffer, static_cast<size_t>(view.len));
  if (result < 0) {
    errno = error;
    return raise_os_error();
  }
  return Ref<>::steal(PyLong_FromLong(result));
}

Ref<> ioctl_(Borrowed<>, FileDescriptor fd, unsigned request, PyObject* arg, Optional<bool> mutate_flag) {
  if (PySys_Audit("fcntl.ioctl", "iIO", fd.fd, request, arg ? arg : Py_None) < 0) return nullptr;
  int result;
  int number = 0;
  if (arg != nullptr) {
    if (mutate_flag.value_or(true) && PyObject_CheckBuffer(arg)) {
      Py_buffer view;
      if (PyObject_GetBuffer(arg, &view, PyBUF_WRITABLE) == 0) {
        auto outcome = ioctl_in_place(fd.fd, request, view);
        PyBuffer_Release(&view);
        return outcome;
      }
      PyErr_Clear();  // read-only: the result is returned
    }
    char buffer[kBufferSize + 1];
    Py_ssize_t size;
    const Lookup copied = copy_argument(arg, buffer, size, "ioctl string arg too long");
    if (copied == Lookup::kError) return nullptr;
    if (copied == Lookup::kFound) {
      Py_BEGIN_ALLOW_THREADS;
      result = ioctl(fd.fd, request, buffer);
      Py_END_ALLOW_THREADS;
      if (result < 0) return raise_os_error();
      return Ref<>::steal(PyBytes_FromStringAndSize(buffer, size));
    }
    if (!PyArg_Parse(arg, "i;ioctl requires a file or file descriptor, an integer and optionally an integer or buffer argument", &number)) {
      return nullptr;
    }
  }
  Py_BEGIN_ALLOW_THREADS;
  result = ioctl(fd.fd, request, number);
  Py_END_ALLOW_THREADS;
  if (result < 0) return raise_os_error();
  return Ref<>::steal(PyLong_FromLong(result));
}

Ref<> flock_(Borrowed<>, FileDescriptor fd, int operation) {
  if (PySys_Audit("fcntl.flock", "ii", fd.fd, operation) < 0) return nullptr;
  int result;
  if (!retry([&] { return flock(fd.fd, operation); }, result)) return nullptr;
  return Ref<>::none();
}

Ref<> lockf_(Borrowed<>, FileDescriptor fd, int cmd, PyObject* len, PyObject* start, Optional<int> whence) {
  if (PySys_Audit("fcntl.lockf", "iiOOi", fd.fd, cmd, len ? len : Py_None, start ? start : Py_None,
                  whence.value_or(0)) < 0) {
    return nullptr;
  }
  struct flock lock = {};
  if (cmd == LOCK_UN) {
    lock.l_type = F_UNLCK;
  } else if (cmd & LOCK_SH) {
    lock.l_type = F_RDLCK;
  } else if (cmd & LOCK_EX) {
    lock.l_type = F_WRLCK;
  } else {
    return raise(PyExc_ValueError, "unrecognized lockf argument");
  }
  if (start != nullptr) {
    lock.l_start = PyLong_AsLong(start);
    if (lock.l_start == -1 && PyErr_Occurred()) return nullptr;
  }
  if (len != nullptr) {
    lock.l_len = PyLong_AsLong(len);
    if (lock.l_len == -1 && PyErr_Occurred()) return nullptr;
  }
  lock.l_whence = static_cast<short>(whence.value_or(0));
  int result;
  if (!retry([&] { return fcntl(fd.fd, cmd & LOCK_NB ? F_SETLK : F_SETLKW, &lock); }, result)) return nullptr;
  return Ref<>::none();
}

PyMethodDef methods[] = {
    method<fcntl_, "fcntl($module, fd, cmd, arg=0, /)",
           "Performs an operation on a file descriptor; the result is an int, or bytes when the argument is.">(),
    method<ioctl_, "ioctl($module, fd, request, arg=0, mutate_flag=True, /)",
           "Performs a device operation; a writable buffer as argument is changed in place.">(),
    method<flock_, "flock($module, fd, operation, /)", "Locks or unlocks a whole file.">(),
    method<lockf_, "lockf($module, fd, cmd, len=0, start=0, whence=0, /)", "Locks or unlocks a part of a file.">(),
    {}};

const IntConstant kConstants[] = {
#define ROW(name) {#name, name}
    ROW(DN_ACCESS), ROW(DN_ATTRIB), ROW(DN_CREATE), ROW(DN_DELETE), ROW(DN_MODIFY), ROW(DN_MULTISHOT),
    ROW(DN_RENAME), ROW(FASYNC), ROW(FD_CLOEXEC), ROW(F_ADD_SEALS), ROW(F_DUPFD), ROW(F_DUPFD_CLOEXEC),
    ROW(F_EXLCK), ROW(F_GETFD), ROW(F_GETFL), ROW(F_GETLEASE), ROW(F_GETLK), ROW(F_GETLK64), ROW(F_GETOWN),
    ROW(F_GETPIPE_SZ), ROW(F_GETSIG), ROW(F_GET_SEALS), ROW(F_NOTIFY), ROW(F_OFD_GETLK), ROW(F_OFD_SETLK),
    ROW(F_OFD_SETLKW), ROW(F_RDLCK), ROW(F_SEAL_GROW), ROW(F_SEAL_SEAL), ROW(F_SEAL_SHRINK), ROW(F_SEAL_WRITE),
    ROW(F_SETFD), ROW(F_SETFL), ROW(F_SETLEASE), ROW(F_SETLK), ROW(F_SETLK64), ROW(F_SETLKW), ROW(F_SETLKW64),
    ROW(F_SETOWN), ROW(F_SETPIPE_SZ), ROW(F_SETSIG), ROW(F_SHLCK), ROW(F_UNLCK), ROW(F_WRLCK), ROW(LOCK_EX),
    ROW(LOCK_MAND), ROW(LOCK_NB), ROW(LOCK_READ), ROW(LOCK_RW), ROW(LOCK_SH), ROW(LOCK_UN), ROW(LOCK_WRITE),
#undef ROW
};

int execute(PyObject* module) { return add_constants(module, kConstants); }

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "fcntl",
                          .m_doc = "Control of file descriptors. They are given as ints or as objects with fileno().",
                          .m_methods = methods,
                          .m_slots = slots};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit_fcntl(void) { return PyModuleDef_Init(&pyston::definition); }
