// FileIO: a file descriptor as a raw stream. Every read or write is one system call.
#include "Lib/native/io/io.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal/pycore_fileutils.h"
#include "internal/pycore_object.h"

namespace pyston::io {
namespace {

Failure closed_error() { return raise(PyExc_ValueError, "I/O operation on closed file"); }
Failure mode_error(const char* action) {
  PyErr_Format(unsupported_operation, "File not open for %s", action);
  return {};
}

const char* mode_string(FileIO* self) {
  if (self->created) return self->readable ? "xb+" : "xb";
  if (self->appending) return self->readable ? "ab+" : "ab";
  if (self->readable) return self->writable ? "rb+" : "rb";
  return "wb";
}

/// Closes the descriptor; the exception is set on failure.
bool close_descriptor(FileIO* self) {
  if (self->fd < 0) return true;
  const int fd = self->fd;
  self->fd = -1;  // also on failure: the state of the descriptor is unspecified then
  int result;
  int error;
  Py_BEGIN_ALLOW_THREADS
  result = close(fd);
  error = errno;
  Py_END_ALLOW_THREADS
  if (result >= 0) return true;
  errno = error;
  PyErr_SetFromErrno(PyExc_OSError);
  return false;
}

PyObject* seek_to(FileIO* self, PyObject* position, int whence, bool ignore_pipes) {
  off_t target = 0;
  if (position != nullptr) {
    target = PyLong_AsLongLong(position);
    if (target == -1 && PyErr_Occurred()) return nullptr;
  }
  const int fd = self->fd;
  off_t result;
  int error;
  Py_BEGIN_ALLOW_THREADS
  result = lseek(fd, target, whence);
  error = errno;
  Py_END_ALLOW_THREADS
  if (self->seekable < 0) self->seekable = result >= 0;
  if (result < 0) {
    if (!(ignore_pipes && error == ESPIPE)) {
      errno = error;
      return PyErr_SetFromErrno(PyExc_OSError);
    }
    result = 0;
  }
  return from_offset(result);
}

PyObject* fileio_new(PyTypeObject* type, PyObject*, PyObject*) {
  FileIO* self = reinterpret_cast<FileIO*>(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->fd = -1;
  self->seekable = -1;
  self->closefd = true;
  return as_object(self);
}

/// Reads `mode` into the object and open()'s flags.
bool parse_mode(FileIO* self, const char* mode, int& flags) {
  bool chosen = false;
  bool plus = false;
  auto bad = [] {
    PyErr_SetString(PyExc_ValueError,
                    "Must have exactly one of create/read/write/append mode and at most one plus");
    return false;
  };
  flags = 0;
  for (const char* p = mode; *p != '\0'; p++) {
    switch (*p) {
      case 'x': case 'r': case 'w': case 'a':
        if (chosen) return bad();
        chosen = true;
        if (*p == 'r') {
          self->readable = true;
        } else {
          self->writable = true;
          if (*p == 'x') self->created = true, flags |= O_EXCL | O_CREAT;
          if (*p == 'w') flags |= O_CREAT | O_TRUNC;
          if (*p == 'a') self->appending = true, flags |= O_APPEND | O_CREAT;
        }
        break;
      case 'b': break;
      case '+':
        if (plus) return bad();
        self->readable = self->writable = true;
        plus = true;
        break;
      default:
        PyErr_Format(PyExc_ValueError, "invalid mode: %.200s", mode);
        return false;
    }
  }
  if (!chosen) return bad();
  flags |= self->readable && self->writable ? O_RDWR : self->readable ? O_RDONLY : O_WRONLY;
  flags |= O_CLOEXEC;
  return true;
}

/// Opens by name or through `opener`; false: exception.
bool open_by_name(FileIO* self, PyObject* file, const char* path, int flags, PyObject* opener) {
  if (opener == Py_None || opener == nullptr) {
    int error;
    bool interrupted = false;
    do {
      Py_BEGIN_ALLOW_THREADS
      self->fd = open(path, flags, 0666);
      error = errno;
      Py_END_ALLOW_THREADS
    } while (self->fd < 0 && error == EINTR && !(interrupted = PyErr_CheckSignals() != 0));
    if (interrupted) return false;
    errno = error;
  } else {
    auto result = Ref<>::steal(PyObject_CallFunction(opener, "Oi", file, flags));
    if (!result) return false;
    if (!PyLong_Check(result.get())) {
      PyErr_SetString(PyExc_TypeError, "expected integer from opener");
      return false;
    }
    self->fd = _PyLong_AsInt(result.get());
    if (self->fd < 0) {
      if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "opener returned %d", self->fd);
      self->fd = -1;
      return false;
    }
    if (_Py_set_inheritable(self->fd, 0, nullptr) < 0) return false;
  }
  if (self->fd >= 0) return true;
  PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, file);
  return false;
}

Status fileio_init(FileIO* self, PyObject* file, PyObject* mode_object, Optional<bool> closefd_argument, PyObject* opener) {
  const char* mode = "r";
  if (mode_object != nullptr) {
    if (!PyUnicode_Check(mode_object)) {
      return raise(PyExc_TypeError, "FileIO() argument 'mode' must be str, not %.50s",
                   mode_object == Py_None ? "None" : Py_TYPE(mode_object)->tp_name);
    }
    Py_ssize_t length;
    mode = PyUnicode_AsUTF8AndSize(mode_object, &length);
    if (mode == nullptr) return Status::kError;
    if (strlen(mode) != static_cast<size_t>(length)) return raise(PyExc_ValueError, "embedded null character");
  }
  const bool closefd = closefd_argument.value_or(true);
  if (self->fd >= 0) {
    if (self->closefd) {
      if (!close_descriptor(self)) return Status::kError;
    } else {
      self->fd = -1;
    }
  }
  int fd = _PyLong_AsInt(file);
  if (fd < 0) {
    if (!PyErr_Occurred()) return raise(PyExc_ValueError, "negative file descriptor");
    PyErr_Clear();
  }
  Ref<> path;
  if (fd < 0) {
    PyObject* converted = nullptr;
    if (!PyUnicode_FSConverter(file, &converted)) return Status::kError;
    path = Ref<>::steal(converted);
  }
  int flags;
  self->created = self->readable = self->writable = self->appending = false;
  self->seekable = -1;
  self->closefd = closefd;
  if (!parse_mode(self, mode, flags)) return Status::kError;
  if (PySys_Audit("open", "Osi", file, mode, flags) < 0) return Status::kError;
  bool owns = false;
  auto fail = [&]() -> Status {
    if (!owns) self->fd = -1;
    if (self->fd >= 0) {
      PyObject *type, *value, *traceback;
      PyErr_Fetch(&type, &value, &traceback);
      if (!close_descriptor(self)) PyErr_Clear();
      PyErr_Restore(type, value, traceback);
    }
    return Status::kError;
  };
  if (fd >= 0) {
    self->fd = fd;
  } else {
    if (!closefd) {
      PyErr_SetString(PyExc_ValueError, "Cannot use closefd=False with file name");
      return fail();
    }
    if (!open_by_name(self, file, PyBytes_AS_STRING(path.get()), flags, opener)) {
      owns = true;
      return fail();
    }
    owns = true;
  }
  self->blksize = kDefaultBufferSize;
  struct stat status;
  int result;
  Py_BEGIN_ALLOW_THREADS
  result = _Py_fstat_noraise(self->fd, &status);
  Py_END_ALLOW_THREADS
  if (result < 0) {
    // Only a bad descriptor matters here; other failures of fstat() do not stop reading.
    if (errno == EBADF) {
      PyErr_SetFromErrno(PyExc_OSError);
      return fail();
    }
  } else {
    if (S_ISDIR(status.st_mode)) {
      errno = EISDIR;
      PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, file);
      return fail();
    }
    if (status.st_blksize > 1) self->blksize = static_cast<unsigned>(status.st_blksize);
  }
  if (PyObject_SetAttr(as_object(self), &_Py_ID(name), file) < 0) return fail();
  if (self->appending) {
    // The position is at the end from the start, so that tell() is right.
    PyObject* position = seek_to(self, nullptr, SEEK_END, true);
    if (position == nullptr) return fail();
    Py_DECREF(position);
  }
  return Status::kOk;
}

PyObject* fileio_dealloc_warn(FileIO* self, PyObject* source) {
  if (self->fd >= 0 && self->closefd) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (PyErr_ResourceWarning(source, 1, "unclosed file %R", source)) {
      // An ignored exception: there is nobody to raise it to.
      if (PyErr_ExceptionMatches(PyExc_Warning)) PyErr_WriteUnraisable(as_object(self));
    }
    PyErr_Restore(type, value, traceback);
  }
  Py_RETURN_NONE;
}

PyObject* fileio_close(FileIO* self) {
  PyObject* result = call_close_of_base(&RawIOBase_Type, as_object(self));
  if (!self->closefd) {
    self->fd = -1;
    return result;
  }
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  if (result == nullptr) PyErr_Fetch(&type, &value, &traceback);
  if (self->finalizing) {
    PyObject* warned = fileio_dealloc_warn(self, as_object(self));
    if (warned != nullptr) Py_DECREF(warned);
    else PyErr_Clear();
  }
  const bool closed = close_descriptor(self);
  if (result == nullptr) _PyErr_ChainExceptions(type, value, traceback);
  if (!closed) Py_CLEAR(result);
  return result;
}

PyObject* fileio_seekable(FileIO* self) {
  if (self->fd < 0) return closed_error();
  if (self->seekable < 0) {
    PyObject* position = seek_to(self, nullptr, SEEK_CUR, false);
    if (position == nullptr) PyErr_Clear();
    else Py_DECREF(position);
  }
  return PyBool_FromLong(self->seekable > 0);
}

PyObject* fileio_readable(FileIO* self) {
  if (self->fd < 0) return closed_error();
  return PyBool_FromLong(self->readable);
}
PyObject* fileio_writable(FileIO* self) {
  if (self->fd < 0) return closed_error();
  return PyBool_FromLong(self->writable);
}
PyObject* fileio_fileno(FileIO* self) {
  if (self->fd < 0) return closed_error();
  return PyLong_FromLong(self->fd);
}

PyObject* fileio_isatty(FileIO* self) {
  if (self->fd < 0) return closed_error();
  int result;
  Py_BEGIN_ALLOW_THREADS
  result = isatty(self->fd);
  Py_END_ALLOW_THREADS
  return PyBool_FromLong(result);
}

PyObject* fileio_readinto(FileIO* self, PyObject* target) {
  Py_buffer view;
  if (PyObject_GetBuffer(target, &view, PyBUF_WRITABLE) < 0) {
    PyErr_Clear();
    return raise(PyExc_TypeError, "readinto() argument must be read-write bytes-like object, not %.50s",
                 target == Py_None ? "None" : Py_TYPE(target)->tp_name);
  }
  PyObject* result = nullptr;
  if (self->fd < 0) {
    closed_error();
  } else if (!self->readable) {
    mode_error("reading");
  } else {
    const Py_ssize_t count = _Py_read(self->fd, view.buf, static_cast<size_t>(view.len));
    if (count >= 0) {
      result = PyLong_FromSsize_t(count);
    } else if (errno == EAGAIN) {
      PyErr_Clear();
      result = Py_NewRef(Py_None);
    }
  }
  PyBuffer_Release(&view);
  return result;
}

PyObject* fileio_readall(FileIO* self) {
  if (self->fd < 0) return closed_error();
  // The size of a regular file is known: one read for it and one that finds the end.
  off_t position;
  struct stat status;
  bool known;
  Py_BEGIN_ALLOW_THREADS
  position = lseek(self->fd, 0, SEEK_CUR);
  known = fstat(self->fd, &status) == 0;
  Py_END_ALLOW_THREADS
  Py_ssize_t capacity = kDefaultBufferSize;
  if (known && status.st_size > 0 && position >= 0 && status.st_size >= position) {
    if (status.st_size - position >= PY_SSIZE_T_MAX - 64) {
      return raise(PyExc_OverflowError, "unbounded read returned more bytes than a Python bytes object can hold");
    }
    capacity = status.st_size - position + 1;
  }
  PyObject* result = PyBytes_FromStringAndSize(nullptr, capacity);
  if (result == nullptr) return nullptr;
  Py_ssize_t size = 0;
  for (;;) {
    if (size >= capacity) {
      const Py_ssize_t step = capacity > 65536 ? capacity >> 3 : 256;
      capacity = capacity + step + kDefaultBufferSize;
      if (_PyBytes_Resize(&result, capacity) < 0) return nullptr;
    }
    const Py_ssize_t count = _Py_read(self->fd, PyBytes_AS_STRING(result) + size, static_cast<size_t>(capacity - size));
    if (count == 0) break;
    if (count < 0) {
      if (errno == EAGAIN) {
        PyErr_Clear();
        if (size > 0) break;
        Py_DECREF(result);
        Py_RETURN_NONE;
      }
      Py_DECREF(result);
      return nullptr;
    }
    size += count;
  }
  if (size != capacity && _PyBytes_Resize(&result, size) < 0) return nullptr;
  return result;
}

PyObject* fileio_read(FileIO* self, Size size) {
  if (self->fd < 0) return closed_error();
  if (!self->readable) return mode_error("reading");
  if (size.value < 0) return PyObject_CallMethodNoArgs(as_object(self), &_Py_ID(readall));
  PyObject* result = PyBytes_FromStringAndSize(nullptr, size.value);
  if (result == nullptr) return nullptr;
  const Py_ssize_t count = _Py_read(self->fd, PyBytes_AS_STRING(result), static_cast<size_t>(size.value));
  if (count < 0) {
    Py_DECREF(result);
    if (errno != EAGAIN) return nullptr;
    PyErr_Clear();
    Py_RETURN_NONE;
  }
  if (count != size.value && _PyBytes_Resize(&result, count) < 0) return nullptr;
  return result;
}

PyObject* fileio_write(FileIO* self, Buffer data) {
  if (self->fd < 0) return closed_error();
  if (!self->writable) return mode_error("writing");
  const Py_ssize_t count = _Py_write(self->fd, data.data(), static_cast<size_t>(data.size()));
  if (count < 0) {
    if (errno != EAGAIN) return nullptr;
    PyErr_Clear();
    Py_RETURN_NONE;
  }
  return PyLong_FromSsize_t(count);
}

PyObject* fileio_seek(FileIO* self, Borrowed<> position, Optional<int> whence) {
  if (self->fd < 0) return closed_error();
  return seek_to(self, position, whence.value_or(0), false);
}

PyObject* fileio_tell(FileIO* self) {
  if (self->fd < 0) return closed_error();
  return seek_to(self, nullptr, SEEK_CUR, false);
}

PyObject* fileio_truncate(FileIO* self, PyObject* size) {
  if (self->fd < 0) return closed_error();
  if (!self->writable) return mode_error("writing");
  Ref<> target = size == nullptr || size == Py_None ? Ref<>::steal(seek_to(self, nullptr, SEEK_CUR, false))
                                                    : Ref<>::dup(size);
  if (!target) return nullptr;
  const long long length = PyLong_AsLongLong(target.get());
  if (length == -1 && PyErr_Occurred()) return nullptr;
  int result;
  Py_BEGIN_ALLOW_THREADS
  errno = 0;
  result = ftruncate(self->fd, length);
  Py_END_ALLOW_THREADS
  if (result != 0) return PyErr_SetFromErrno(PyExc_OSError);
  return target.release();
}

PyObject* fileio_getstate(FileIO* self, Arguments) {
  return raise(PyExc_TypeError, "cannot pickle '%.200s' object", Py_TYPE(self)->tp_name);
}

PyObject* fileio_repr(FileIO* self) {
  if (self->fd < 0) return PyUnicode_FromFormat("<_io.FileIO [closed]>");
  PyObject* name;
  if (_PyObject_LookupAttr(as_object(self), &_Py_ID(name), &name) < 0) return nullptr;
  const char* closefd = self->closefd ? "True" : "False";
  if (name == nullptr) {
    return PyUnicode_FromFormat("<_io.FileIO fd=%d mode='%s' closefd=%s>", self->fd, mode_string(self), closefd);
  }
  PyObject* result = nullptr;
  const int status = Py_ReprEnter(as_object(self));
  if (status == 0) {
    result = PyUnicode_FromFormat("<_io.FileIO name=%R mode='%s' closefd=%s>", name, mode_string(self), closefd);
    Py_ReprLeave(as_object(self));
  } else if (status > 0) {
    PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", Py_TYPE(self)->tp_name);
  }
  Py_DECREF(name);
  return result;
}

PyObject* fileio_get_closed(FileIO* self) { return PyBool_FromLong(self->fd < 0); }
PyObject* fileio_get_closefd(FileIO* self) { return PyBool_FromLong(self->closefd); }
PyObject* fileio_get_mode(FileIO* self) { return PyUnicode_FromString(mode_string(self)); }

void fileio_dealloc(PyObject* object) {
  FileIO* self = reinterpret_cast<FileIO*>(object);
  self->finalizing = 1;
  if (!finalize(object)) return;
  PyObject_GC_UnTrack(object);
  if (self->weakreflist != nullptr) PyObject_ClearWeakRefs(object);
  Py_CLEAR(self->dict);
  Py_TYPE(object)->tp_free(object);
}
int fileio_traverse(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<FileIO*>(object)->dict);
  return 0;
}
int fileio_clear(PyObject* object) {
  Py_CLEAR(reinterpret_cast<FileIO*>(object)->dict);
  return 0;
}

PyMethodDef fileio_methods[] = {
    method<fileio_read, "read($self, size=-1, /)",
           "Reads at most `size` bytes with one system call, or everything. None: nothing is available yet.">(),
    method<fileio_readall, "readall($self, /)", "Reads until the end of the file.">(),
    method<fileio_readinto, "readinto($self, buffer, /)", "Reads into a writable buffer; gives the count.">(),
    method<fileio_write, "write($self, b, /)", "Writes with one system call; gives how many bytes were taken.">(),
    method<fileio_seek, "seek($self, pos, whence=0, /)", "Moves the file position and gives the new one.">(),
    method<fileio_tell, "tell($self, /)", "Gives the file position.">(),
    method<fileio_truncate, "truncate($self, size=None, /)", "Cuts or extends the file to `size` bytes.">(),
    method<fileio_close, "close($self, /)", "Closes the file, unless it was opened with closefd=False.">(),
    method<fileio_seekable, "seekable($self, /)", "True if the file has a position that can be changed.">(),
    method<fileio_readable, "readable($self, /)", "True if the file was opened for reading.">(),
    method<fileio_writable, "writable($self, /)", "True if the file was opened for writing.">(),
    method<fileio_fileno, "fileno($self, /)", "Gives the file descriptor.">(),
    method<fileio_isatty, "isatty($self, /)", "True if the file is a terminal.">(),
    method<fileio_dealloc_warn, "_dealloc_warn($self, source, /)">(),
    method<fileio_getstate, "__reduce__($self, /, *args)">(),
    method<fileio_getstate, "__reduce_ex__($self, /, *args)">(),
    {},
};
PyGetSetDef fileio_getset[] = {
    getset<fileio_get_closed>("closed", "True if the file is closed"),
    getset<fileio_get_closefd>("closefd", "True if closing the stream closes the descriptor"),
    getset<fileio_get_mode>("mode", "The mode as a string"),
    {},
};
PyMemberDef fileio_members[] = {
    {"_blksize", T_UINT, offsetof(FileIO, blksize), 0, nullptr},
    {"_finalizing", T_BOOL, offsetof(FileIO, finalizing), 0, nullptr},
    {},
};

}  // namespace

Py_ssize_t fileio_read_into(FileIO* self, char* out, Py_ssize_t size) {
  if (self->fd < 0) return closed_error(), -1;
  if (!self->readable) return mode_error("reading"), -1;
  const Py_ssize_t count = _Py_read(self->fd, out, static_cast<size_t>(size));
  if (count < 0 && errno == EAGAIN) {
    PyErr_Clear();
    return -2;
  }
  return count;
}

Py_ssize_t fileio_write_from(FileIO* self, const char* data, Py_ssize_t size) {
  if (self->fd < 0) return closed_error(), -1;
  if (!self->writable) return mode_error("writing"), -1;
  const Py_ssize_t count = _Py_write(self->fd, data, static_cast<size_t>(size));
  if (count < 0 && errno == EAGAIN) {
    PyErr_Clear();
    return -2;
  }
  return count;
}

PyTypeObject FileIO_Type = {
    .ob_base = type_head(),
    .tp_name = "_io.FileIO",
    .tp_basicsize = sizeof(FileIO),
    .tp_dealloc = fileio_dealloc,
    .tp_repr = slot<fileio_repr>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "FileIO(file, mode='r', closefd=True, opener=None)\n--\n\n"
              "An unbuffered file, by name or descriptor. Modes are r, w, x and a, each with an optional +.",
    .tp_traverse = fileio_traverse,
    .tp_clear = fileio_clear,
    .tp_weaklistoffset = offsetof(FileIO, weakreflist),
    .tp_methods = fileio_methods,
    .tp_members = fileio_members,
    .tp_getset = fileio_getset,
    .tp_base = &RawIOBase_Type,
    .tp_dictoffset = offsetof(FileIO, dict),
    .tp_init = initializer<fileio_init, "FileIO(file, mode='r', closefd=True, opener=None)">,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = fileio_new,
    .tp_free = PyObject_GC_Del,
};

}  // namespace pyston::io
