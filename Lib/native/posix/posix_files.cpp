// Descriptors and the file tree: open, read, write, seek, pipes, rename, remove, mkdir, truncate, times.
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utmp.h>

#include "Lib/native/posix/posix_internal.h"
#include "internal/pycore_fileutils.h"
#include "internal/pycore_object.h"
#include "cpython/pytime.h"


namespace pyston::posix {
namespace {

constexpr Py_ssize_t kMaxTransfer = 0x7ffff000;  // what Linux moves at once (read(2))

Ref<> none_or_error(int result, bool raised) {
  if (result < 0) return raised ? Failure{} : error();
  return Ref<>::none();
}
Ref<> none_or_path_error(int result, const Path& path) {
  if (result != 0) return error_with_path(path);
  return Ref<>::none();
}

Ref<> posix_open(PyObject*, FilePath path, int flags, Optional<int> mode, DirFd dir_fd) {
  const int wanted = flags | O_CLOEXEC;
  if (PySys_Audit("open", "OOi", path.object, Py_None, wanted) < 0) return nullptr;
  bool raised;
  const int fd = retry([&] { return openat(dir_fd.fd, path.narrow, wanted, mode.value_or(0777)); }, &raised);
  if (fd < 0) return raised ? Failure{} : error_with_path(path);
  return integer(fd);
}

Ref<> posix_close(PyObject*, int fd) {
  // After EINTR the descriptor is closed on Linux: no retry.
  const int result = unlocked([&] { return close(fd); });
  if (result < 0 && errno != EINTR) return error();
  return Ref<>::none();
}
Ref<> posix_closerange(PyObject*, int low, int high) {
  unlocked([&] {
    if (low >= high) return 0;
    if (close_range(low < 0 ? 0 : static_cast<unsigned>(low), static_cast<unsigned>(high - 1), 0) != 0) {
      for (int fd = low < 0 ? 0 : low; fd < high; fd++) close(fd);
    }
    return 0;
  });
  return Ref<>::none();
}

Ref<> posix_dup(PyObject*, int fd) {
  const int copy = unlocked([&] { return fcntl(fd, F_DUPFD_CLOEXEC, 0); });
  if (copy < 0) return error();
  return integer(copy);
}
Ref<> posix_dup2(PyObject*, int fd, int fd2, Optional<bool> inheritable) {
  if (fd < 0 || fd2 < 0) {
    errno = EBADF;
    return error();
  }
  const int result = unlocked([&] {
    if (inheritable.value_or(true)) return dup2(fd, fd2);
    return dup3(fd, fd2, O_CLOEXEC);
  });
  if (result < 0) return error();
  return integer(result);
}

Ref<> posix_lseek(PyObject*, int fd, Offset position, int how) {
  const off_t result = unlocked([&] { return lseek(fd, position.value, how); });
  if (result < 0) return error();
  return integer(result);
}

/// A bytes object of at most `length` that `read_into` fills.
template <class Read>
Ref<> read_bytes(Py_ssize_t length, Read read_into) {
  if (length < 0) {
    errno = EINVAL;
    return error();
  }
  if (length > kMaxTransfer) length = kMaxTransfer;
  PyObject* bytes = PyBytes_FromStringAndSize(nullptr, length);
  if (bytes == nullptr) return nullptr;
  char* data = PyBytes_AS_STRING(bytes);
  bool raised;
  const ssize_t count = retry([&] { return read_into(data, length); }, &raised);
  if (count < 0) {
    Py_DECREF(bytes);
    return raised ? Failure{} : error();
  }
  if (count != length) _PyBytes_Resize(&bytes, count);
  return Ref<>::steal(bytes);
}

Ref<> posix_read(PyObject*, int fd, Py_ssize_t length) {
  return read_bytes(length, [fd](char* data, Py_ssize_t size) { return read(fd, data, size); });
}
Ref<> posix_pread(PyObject*, int fd, Py_ssize_t length, Offset offset) {
  return read_bytes(length, [=](char* data, Py_ssize_t size) { return pread(fd, data, size, offset.value); });
}
Ref<> count_or_error(ssize_t count, bool raised) {
  if (count < 0) return raised ? Failure{} : error();
  return integer(count);
}
Ref<> posix_write(PyObject*, int fd, Buffer data) {
  const Py_ssize_t size = data.size() > kMaxTransfer ? kMaxTransfer : data.size();
  bool raised;
  const ssize_t count = retry([&] { return write(fd, data.data(), size); }, &raised);
  return count_or_error(count, raised);
}
Ref<> posix_pwrite(PyObject*, int fd, Buffer data, Offset offset) {
  bool raised;
  const ssize_t count = retry([&] { return pwrite(fd, data.data(), data.size(), offset.value); }, &raised);
  return count_or_error(count, raised);
}

/// The buffers of a scatter/gather call.
class Vectors {
 public:
  ~Vectors() {
    for (Py_ssize_t i = 0; i < count_; i++) PyBuffer_Release(&views_[i]);
    PyMem_Free(views_);
    PyMem_Free(vectors_);
  }
  bool acquire(PyObject* sequence, int flags, const char* function) {
    if (!PySequence_Check(sequence)) {
      PyErr_Format(PyExc_TypeError, "%s() arg 2 must be a sequence", function);
      return false;
    }
    const Py_ssize_t total = PySequence_Size(sequence);
    if (total < 0) return false;
    views_ = static_cast<Py_buffer*>(PyMem_Calloc(total + 1, sizeof(Py_buffer)));
    vectors_ = static_cast<iovec*>(PyMem_Calloc(total + 1, sizeof(iovec)));
    if (views_ == nullptr || vectors_ == nullptr) return PyErr_NoMemory(), false;
    for (Py_ssize_t i = 0; i < total; i++) {
      Ref<> item = Ref<>::steal(PySequence_GetItem(sequence, i));
      if (!item || PyObject_GetBuffer(item.get(), &views_[i], flags) < 0) return false;
      count_ = i + 1;
      vectors_[i] = {views_[i].buf, static_cast<size_t>(views_[i].len)};
    }
    return true;
  }
  iovec* data() { return vectors_; }
  int size() const { return static_cast<int>(count_); }

 private:
  Py_buffer* views_ = nullptr;
  iovec* vectors_ = nullptr;
  Py_ssize_t count_ = 0;
};

Ref<> posix_readv(PyObject*, int fd, Borrowed<> buffers) {
  Vectors vectors;
  if (!vectors.acquire(buffers, PyBUF_WRITABLE, "readv")) return nullptr;
  bool raised;
  const ssize_t count = retry([&] { return readv(fd, vectors.data(), vectors.size()); }, &raised);
  return count_or_error(count, raised);
}
Ref<> posix_writev(PyObject*, int fd, Borrowed<> buffers) {
  Vectors vectors;
  if (!vectors.acquire(buffers, PyBUF_SIMPLE, "writev")) return nullptr;
  bool raised;
  const ssize_t count = retry([&] { return writev(fd, vectors.data(), vectors.size()); }, &raised);
  return count_or_error(count, raised);
}
Ref<> posix_preadv(PyObject*, int fd, Borrowed<> buffers, Offset offset, Optional<int> flags) {
  Vectors vectors;
  if (!vectors.acquire(buffers, PyBUF_WRITABLE, "preadv")) return nullptr;
  bool raised;
  const ssize_t count =
      retry([&] { return preadv2(fd, vectors.data(), vectors.size(), offset.value, flags.value_or(0)); }, &raised);
  return count_or_error(count, raised);
}
Ref<> posix_pwritev(PyObject*, int fd, Borrowed<> buffers, Offset offset, Optional<int> flags) {
  Vectors vectors;
  if (!vectors.acquire(buffers, PyBUF_SIMPLE, "pwritev")) return nullptr;
  bool raised;
  const ssize_t count =
      retry([&] { return pwritev2(fd, vectors.data(), vectors.size(), offset.value, flags.value_or(0)); }, &raised);
  return count_or_error(count, raised);
}

bool optional_offset(PyObject* value, off_t& storage, off_t*& out) {
  out = nullptr;
  if (value == nullptr || value == Py_None) return true;
  storage = PyLong_AsLongLong(value);
  if (storage == -1 && PyErr_Occurred()) return false;
  out = &storage;
  return true;
}

Ref<> posix_sendfile(PyObject*, int out_fd, int in_fd, Borrowed<> offset, Py_ssize_t count) {
  off_t position;
  off_t* pointer;
  if (!optional_offset(offset, position, pointer)) return nullptr;
  bool raised;
  const ssize_t sent = retry([&] { return sendfile(out_fd, in_fd, pointer, count); }, &raised);
  return count_or_error(sent, raised);
}
Ref<> posix_copy_file_range(PyObject*, int src, int dst, Py_ssize_t count, PyObject* offset_src, PyObject* offset_dst) {
  off_t from, to;
  off_t *from_pointer, *to_pointer;
  if (!optional_offset(offset_src, from, from_pointer) || !optional_offset(offset_dst, to, to_pointer)) return nullptr;
  if (count < 0) return raise(PyExc_ValueError, "negative value for 'count' not allowed");
  bool raised;
  const ssize_t copied =
      retry([&] { return copy_file_range(src, from_pointer, dst, to_pointer, count, 0); }, &raised);
  return count_or_error(copied, raised);
}
Ref<> posix_splice(PyObject*, int src, int dst, Py_ssize_t count, PyObject* offset_src, PyObject* offset_dst,
                   Optional<unsigned> flags) {
  off_t from, to;
  off_t *from_pointer, *to_pointer;
  if (!optional_offset(offset_src, from, from_pointer) || !optional_offset(offset_dst, to, to_pointer)) return nullptr;
  if (count < 0) return raise(PyExc_ValueError, "negative value for 'count' not allowed");
  bool raised;
  const ssize_t moved =
      retry([&] { return splice(src, from_pointer, dst, to_pointer, count, flags.value_or(0)); }, &raised);
  return count_or_error(moved, raised);
}

Ref<> posix_pipe(PyObject*) {
  int fds[2];
  if (unlocked([&] { return pipe2(fds, O_CLOEXEC); }) != 0) return error();
  return Ref<>::steal(Py_BuildValue("(ii)", fds[0], fds[1]));
}
Ref<> posix_pipe2(PyObject*, int flags) {
  int fds[2];
  if (pipe2(fds, flags) != 0) return error();
  return Ref<>::steal(Py_BuildValue("(ii)", fds[0], fds[1]));
}

template <int (*kCall)(int)>
Ref<> call_on_fd(PyObject*, Fd fd) {
  bool raised;
  const int result = retry([&] { return kCall(fd.fd); }, &raised);
  return none_or_error(result, raised);
}

Ref<> posix_ftruncate(PyObject*, int fd, Offset length) {
  if (PySys_Audit("os.truncate", "in", fd, length.value) < 0) return nullptr;
  bool raised;
  const int result = retry([&] { return ftruncate(fd, length.value); }, &raised);
  return none_or_error(result, raised);
}
Ref<> posix_truncate(PyObject* module, FileOrFd path, Offset length) {
  if (path.is_fd()) return posix_ftruncate(module, path.fd, length);
  if (PySys_Audit("os.truncate", "On", path.object, length.value) < 0) return nullptr;
  return none_or_path_error(unlocked([&] { return truncate(path.narrow, length.value); }), path);
}
Ref<> posix_fallocate_(PyObject*, int fd, Offset offset, Offset length) {
  const int result = unlocked([&] { return posix_fallocate(fd, offset.value, length.value); });
  if (result != 0) {
    errno = result;
    return error();
  }
  return Ref<>::none();
}
Ref<> posix_fadvise_(PyObject*, int fd, Offset offset, Offset length, int advice) {
  const int result = unlocked([&] { return posix_fadvise(fd, offset.value, length.value, advice); });
  if (result != 0) {
    errno = result;
    return error();
  }
  return Ref<>::none();
}
Ref<> posix_lockf(PyObject*, int fd, int command, Offset length) {
  return none_or_error(unlocked([&] { return lockf(fd, command, length.value); }), false);
}

Ref<> posix_isatty(PyObject*, int fd) { return Ref<>::steal(PyBool_FromLong(isatty(fd))); }
Ref<> posix_ttyname(PyObject*, int fd) {
  char buffer[256];
  const int result = ttyname_r(fd, buffer, sizeof buffer);
  if (result != 0) {
    errno = result;
    return error();
  }
  return Ref<>::steal(PyUnicode_DecodeFSDefault(buffer));
}
Ref<> posix_ctermid(PyObject*) {
  char buffer[L_ctermid];
  const char* name = ctermid(buffer);
  if (name == nullptr) return error();
  return Ref<>::steal(PyUnicode_DecodeFSDefault(buffer));
}
Ref<> posix_openpty(PyObject*) {
  int primary, secondary;
  if (openpty(&primary, &secondary, nullptr, nullptr, nullptr) != 0) return error();
  fcntl(primary, F_SETFD, FD_CLOEXEC);
  fcntl(secondary, F_SETFD, FD_CLOEXEC);
  return Ref<>::steal(Py_BuildValue("(ii)", primary, secondary));
}
Ref<> posix_login_tty(PyObject*, Fd fd) {
  return none_or_error(login_tty(fd.fd), false);
}

Ref<> posix_get_inheritable(PyObject*, int fd) {
  const int flags = fcntl(fd, F_GETFD);
  if (flags < 0) return error();
  return Ref<>::steal(PyBool_FromLong(!(flags & FD_CLOEXEC)));
}
Ref<> posix_set_inheritable(PyObject*, int fd, int inheritable) {
  const int flags = fcntl(fd, F_GETFD);
  if (flags < 0 || fcntl(fd, F_SETFD, inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC) < 0) return error();
  return Ref<>::none();
}
Ref<> posix_get_blocking(PyObject*, int fd) {
  const int flags = unlocked([&] { return fcntl(fd, F_GETFL); });
  if (flags < 0) return error();
  return Ref<>::steal(PyBool_FromLong(!(flags & O_NONBLOCK)));
}
Ref<> posix_set_blocking(PyObject*, int fd, bool blocking) {
  const int flags = unlocked([&] { return fcntl(fd, F_GETFL); });
  if (flags < 0 || fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) < 0) return error();
  return Ref<>::none();
}

PyTypeObject* terminal_size_type = nullptr;

Ref<> posix_get_terminal_size(PyObject*, Optional<int> fd) {
  struct winsize size;
  if (ioctl(fd.value_or(fileno(stdout)), TIOCGWINSZ, &size)) return error();
  auto result = VM_TRY(Ref<>::steal(PyStructSequence_New(terminal_size_type)));
  PyStructSequence_SET_ITEM(result.get(), 0, PyLong_FromLong(size.ws_col));
  PyStructSequence_SET_ITEM(result.get(), 1, PyLong_FromLong(size.ws_row));
  return result;
}

Ref<> posix_eventfd(PyObject*, unsigned initval, Optional<int> flags) {
  const int fd = unlocked([&] { return eventfd(initval, flags.value_or(EFD_CLOEXEC)); });
  if (fd == -1) return error();
  return integer(fd);
}
Ref<> posix_eventfd_read(PyObject*, Fd fd) {
  eventfd_t value;
  if (unlocked([&] { return eventfd_read(fd.fd, &value); }) == -1) return error();
  return Ref<>::steal(PyLong_FromUnsignedLongLong(value));
}
Ref<> posix_eventfd_write(PyObject*, Fd fd, Borrowed<> value) {
  const unsigned long long number = PyLong_AsUnsignedLongLong(value);
  if (number == static_cast<unsigned long long>(-1) && PyErr_Occurred()) return nullptr;
  return none_or_error(unlocked([&] { return eventfd_write(fd.fd, number); }), false);
}
Ref<> posix_memfd_create(PyObject*, FilePath name, Optional<unsigned> flags) {
  const int fd = unlocked([&] { return memfd_create(name.narrow, flags.value_or(MFD_CLOEXEC)); });
  if (fd == -1) return error();
  return integer(fd);
}

// ---- the tree ---------------------------------------------------------------------------------------------------------

Ref<> rename_paths(const Path& src, const Path& dst, int src_dir_fd, int dst_dir_fd) {
  if (PySys_Audit("os.rename", "OOii", src.object, dst.object, src_dir_fd == AT_FDCWD ? -1 : src_dir_fd,
                  dst_dir_fd == AT_FDCWD ? -1 : dst_dir_fd) < 0) {
    return nullptr;
  }
  if (unlocked([&] { return renameat(src_dir_fd, src.narrow, dst_dir_fd, dst.narrow); }) != 0) {
    return error_with_paths(src, dst);
  }
  return Ref<>::none();
}
Ref<> posix_rename(PyObject*, FilePath src, FilePath dst, DirFd src_dir_fd, DirFd dst_dir_fd) {
  return rename_paths(src, dst, src_dir_fd.fd, dst_dir_fd.fd);
}
Ref<> posix_unlink(PyObject*, FilePath path, DirFd dir_fd) {
  if (PySys_Audit("os.remove", "Oi", path.object, dir_fd.fd == AT_FDCWD ? -1 : dir_fd.fd) < 0) return nullptr;
  return none_or_path_error(unlocked([&] { return unlinkat(dir_fd.fd, path.narrow, 0); }), path);
}
Ref<> posix_rmdir(PyObject*, FilePath path, DirFd dir_fd) {
  if (PySys_Audit("os.rmdir", "Oi", path.object, dir_fd.fd == AT_FDCWD ? -1 : dir_fd.fd) < 0) return nullptr;
  return none_or_path_error(unlocked([&] { return unlinkat(dir_fd.fd, path.narrow, AT_REMOVEDIR); }), path);
}
Ref<> posix_mkdir(PyObject*, FilePath path, Optional<int> mode, DirFd dir_fd) {
  if (PySys_Audit("os.mkdir", "Oii", path.object, mode.value_or(0777), dir_fd.fd == AT_FDCWD ? -1 : dir_fd.fd) < 0) {
    return nullptr;
  }
  return none_or_path_error(
      unlocked([&] { return mkdirat(dir_fd.fd, path.narrow, static_cast<mode_t>(mode.value_or(0777))); }), path);
}
Ref<> posix_chdir(PyObject*, FileOrFd path) {
  if (PySys_Audit("os.chdir", "(O)", path.object) < 0) return nullptr;
  return none_or_path_error(unlocked([&] { return path.is_fd() ? fchdir(path.fd) : chdir(path.narrow); }), path);
}
Ref<> posix_fchdir(PyObject*, Fd fd) {
  bool raised;
  const int result = retry([&] { return fchdir(fd.fd); }, &raised);
  return none_or_error(result, raised);
}
Ref<> posix_chroot(PyObject*, FilePath path) {
  return none_or_path_error(unlocked([&] { return chroot(path.narrow); }), path);
}

Ref<> current_directory(bool as_bytes) {
  size_t size = 1024;
  while (true) {
    char* buffer = static_cast<char*>(PyMem_RawMalloc(size));
    if (buffer == nullptr) return PyErr_NoMemory(), nullptr;
    const char* directory = unlocked([&] { return getcwd(buffer, size); });
    if (directory == nullptr && errno == ERANGE) {
      PyMem_RawFree(buffer);
      size *= 2;
      continue;
    }
    Ref<> result;
    if (directory == nullptr) {
      error();
    } else {
      result = Ref<>::steal(as_bytes ? PyBytes_FromString(buffer) : PyUnicode_DecodeFSDefault(buffer));
    }
    PyMem_RawFree(buffer);
    return result;
  }
}
Ref<> posix_getcwd(PyObject*) { return current_directory(false); }
Ref<> posix_getcwdb(PyObject*) { return current_directory(true); }

Ref<> posix_fspath(PyObject*, Borrowed<> path) { return fspath(path); }

/// Collapses "//", "." and ".." as os.path.normpath does, without looking at the file system.
Ref<> posix_path_normpath(PyObject*, Borrowed<> path) {
  if (!PyUnicode_Check(path)) {
    return raise(PyExc_TypeError, "_path_normpath: argument 'path' must be str, not %.200s", Py_TYPE(path.get())->tp_name);
  }
  Py_ssize_t length;
  const char* text = PyUnicode_AsUTF8AndSize(path, &length);
  Ref<> encoded;
  if (text == nullptr) {
    PyErr_Clear();
    encoded = VM_TRY(Ref<>::steal(PyUnicode_AsEncodedString(path, "utf-8", "surrogatepass")));
    text = PyBytes_AS_STRING(encoded.get());
    length = PyBytes_GET_SIZE(encoded.get());
  }
  // INVARIANT: the output is never longer than the input, and a component boundary is always at a '/'.
  char* out = static_cast<char*>(PyMem_Malloc(length + 2));
  if (out == nullptr) return PyErr_NoMemory(), nullptr;
  Py_ssize_t root = 0;
  if (length > 0 && text[0] == '/') root = length > 1 && text[1] == '/' && (length == 2 || text[2] != '/') ? 2 : 1;
  Py_ssize_t end = 0;
  for (; end < root; end++) out[end] = '/';
  Py_ssize_t floor = root;  // ".." components that could not be removed end here
  for (Py_ssize_t i = root; i < length;) {
    while (i < length && text[i] == '/') i++;
    Py_ssize_t stop = i;
    while (stop < length && text[stop] != '/') stop++;
    const Py_ssize_t size = stop - i;
    if (size == 0 || (size == 1 && text[i] == '.')) {
      // nothing to add
    } else if (size == 2 && text[i] == '.' && text[i + 1] == '.' && end > floor) {
      while (end > floor && out[end - 1] != '/') end--;
      if (end > floor) end--;
    } else if (size == 2 && text[i] == '.' && text[i + 1] == '.' && root > 0) {
      // ".." at the root stays at the root
    } else {
      if (end > root) out[end++] = '/';
      memcpy(out + end, text + i, size);
      end += size;
      if (size == 2 && text[i] == '.' && text[i + 1] == '.') floor = end;
    }
    i = stop;
  }
  if (end == 0) out[end++] = '.';
  Ref<> result = Ref<>::steal(PyUnicode_DecodeUTF8(out, end, "surrogatepass"));
  PyMem_Free(out);
  return result;
}

// ---- times -----------------------------------------------------------------------------------------------------------------

bool split_nanoseconds(PyObject* value, timespec& out) {
  Ref<> billion = Ref<>::steal(PyLong_FromLong(1000000000));
  Ref<> pair = billion ? Ref<>::steal(PyNumber_Divmod(value, billion.get())) : nullptr;
  if (!pair) return false;
  if (!PyTuple_Check(pair.get()) || PyTuple_GET_SIZE(pair.get()) != 2) {
    PyErr_Format(PyExc_TypeError, "%.200s.__divmod__() must return a 2-tuple, not %.200s", _PyType_Name(Py_TYPE(value)),
                 _PyType_Name(Py_TYPE(pair.get())));
    return false;
  }
  out.tv_sec = _PyLong_AsTime_t(PyTuple_GET_ITEM(pair.get(), 0));
  if (out.tv_sec == -1 && PyErr_Occurred()) return false;
  out.tv_nsec = PyLong_AsLong(PyTuple_GET_ITEM(pair.get(), 1));
  return !(out.tv_nsec == -1 && PyErr_Occurred());
}

Ref<> posix_utime(PyObject*, FileOrFd path, PyObject* times, PyObject* ns, DirFd dir_fd, Optional<bool> follow_symlinks) {
  const bool follow = follow_symlinks.value_or(true);
  timespec values[2];
  timespec* pointer = values;
  const bool has_times = times != nullptr && times != Py_None;
  if (has_times && ns != nullptr) {
    return raise(PyExc_ValueError, "utime: you may specify either 'times' or 'ns' but not both");
  }
  if (has_times) {
    if (!PyTuple_CheckExact(times) || PyTuple_GET_SIZE(times) != 2) {
      return raise(PyExc_TypeError, "utime: 'times' must be either a tuple of two ints or None");
    }
    for (int i = 0; i < 2; i++) {
      time_t seconds;
      long nanoseconds;
      if (_PyTime_ObjectToTimespec(PyTuple_GET_ITEM(times, i), &seconds, &nanoseconds, _PyTime_ROUND_FLOOR) < 0) {
        return nullptr;
      }
      values[i] = {seconds, nanoseconds};
    }
  } else if (ns != nullptr) {
    if (!PyTuple_CheckExact(ns) || PyTuple_GET_SIZE(ns) != 2) {
      return raise(PyExc_TypeError, "utime: 'ns' must be a tuple of two ints");
    }
    for (int i = 0; i < 2; i++) {
      if (!split_nanoseconds(PyTuple_GET_ITEM(ns, i), values[i])) return nullptr;
    }
  } else {
    pointer = nullptr;
  }
  if (path.is_fd() && dir_fd.fd != AT_FDCWD) {
    return raise(PyExc_ValueError, "utime: can't specify dir_fd without matching path");
  }
  if (path.is_fd() && !follow) {
    return raise(PyExc_ValueError, "utime: cannot use fd and follow_symlinks together");
  }
  const int result = unlocked([&] {
    if (path.is_fd()) return futimens(path.fd, pointer);
    return utimensat(dir_fd.fd, path.narrow, pointer, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  });
  if (result < 0) return error_with_path(path);
  return Ref<>::none();
}

Ref<> posix_device_encoding(PyObject*, int fd) { return Ref<>::steal(_Py_device_encoding(fd)); }

Ref<> posix_sync(PyObject*) {
  unlocked([] {
    sync();
    return 0;
  });
  return Ref<>::none();
}

PyStructSequence_Field terminal_size_fields[] = {{"columns", "width of the terminal window in characters"},
                                                 {"lines", "height of the terminal window in characters"},
                                                 {nullptr, nullptr}};
PyStructSequence_Desc terminal_size_desc = {"os.terminal_size", "The size of a terminal: (columns, lines).",
                                            terminal_size_fields, 2};

}  // namespace

Status add_file_types(PyObject* module) {
  if (terminal_size_type == nullptr) terminal_size_type = PyStructSequence_NewType(&terminal_size_desc);
  if (terminal_size_type == nullptr) return Status::kError;
  return PyModule_AddObjectRef(module, "terminal_size", as_object(terminal_size_type)) < 0 ? Status::kError
                                                                                           : Status::kOk;
}

PyMethodDef file_methods[] = {
    method<posix_open, "open($module, /, path, flags, mode=511, *, dir_fd=None)",
           "Opens a file for low-level I/O; a descriptor.">(),
    method<posix_close, "close($module, /, fd)", "Closes a descriptor.">(),
    method<posix_closerange, "closerange($module, fd_low, fd_high, /)",
           "Closes the descriptors in [fd_low, fd_high), ignoring errors.">(),
    method<posix_dup, "dup($module, fd, /)", "A non-inheritable duplicate of a descriptor.">(),
    method<posix_dup2, "dup2($module, /, fd, fd2, inheritable=True)", "Duplicates fd as fd2.">(),
    method<posix_lseek, "lseek($module, fd, position, how, /)", "Sets the position of a descriptor.">(),
    method<posix_read, "read($module, fd, length, /)", "Reads at most length bytes.">(),
    method<posix_pread, "pread($module, fd, length, offset, /)", "Reads at an offset, position unchanged.">(),
    method<posix_write, "write($module, fd, data, /)", "Writes bytes; the number written.">(),
    method<posix_pwrite, "pwrite($module, fd, buffer, offset, /)", "Writes at an offset, position unchanged.">(),
    method<posix_readv, "readv($module, fd, buffers, /)", "Reads into several buffers.">(),
    method<posix_writev, "writev($module, fd, buffers, /)", "Writes several buffers.">(),
    method<posix_preadv, "preadv($module, fd, buffers, offset, flags=0, /)", "As readv, at an offset.">(),
    method<posix_pwritev, "pwritev($module, fd, buffers, offset, flags=0, /)", "As writev, at an offset.">(),
    method<posix_sendfile, "sendfile($module, /, out_fd, in_fd, offset, count)",
           "Copies bytes between descriptors in the kernel.">(),
    method<posix_copy_file_range, "copy_file_range($module, /, src, dst, count, offset_src=None, offset_dst=None)",
           "Copies bytes between files in the kernel.">(),
    method<posix_splice, "splice($module, /, src, dst, count, offset_src=None, offset_dst=None, flags=0)",
           "Moves bytes between a pipe and a descriptor.">(),
    method<posix_pipe, "pipe($module, /)", "A pipe: (read_fd, write_fd), non-inheritable.">(),
    method<posix_pipe2, "pipe2($module, flags, /)", "A pipe with the given flags set atomically.">(),
    method<call_on_fd<fsync>, "fsync($module, /, fd)", "Writes a file's data to disk.">(),
    method<call_on_fd<fdatasync>, "fdatasync($module, /, fd)", "As fsync, without metadata.">(),
    method<posix_sync, "sync($module, /)", "Writes everything to disk.">(),
    method<posix_ftruncate, "ftruncate($module, fd, length, /)", "Truncates an open file.">(),
    method<posix_truncate, "truncate($module, /, path, length)", "Truncates a file.">(),
    method<posix_fallocate_, "posix_fallocate($module, fd, offset, length, /)", "Reserves disk space.">(),
    method<posix_fadvise_, "posix_fadvise($module, fd, offset, length, advice, /)", "Announces an access pattern.">(),
    method<posix_lockf, "lockf($module, fd, command, length, /)", "POSIX locks on an open file.">(),
    method<posix_isatty, "isatty($module, fd, /)", "True if the descriptor is a terminal.">(),
    method<posix_ttyname, "ttyname($module, fd, /)", "Name of the terminal device of a descriptor.">(),
    method<posix_ctermid, "ctermid($module, /)", "Name of the controlling terminal.">(),
    method<posix_openpty, "openpty($module, /)", "A pseudo-terminal pair.">(),
    method<posix_login_tty, "login_tty($module, fd, /)", "Makes the descriptor the controlling terminal.">(),
    method<posix_get_inheritable, "get_inheritable($module, fd, /)", "The close-on-exec state, inverted.">(),
    method<posix_set_inheritable, "set_inheritable($module, fd, inheritable, /)", "Sets inheritance.">(),
    method<posix_get_blocking, "get_blocking($module, fd, /)", "False if O_NONBLOCK is set.">(),
    method<posix_set_blocking, "set_blocking($module, fd, blocking, /)", "Sets or clears O_NONBLOCK.">(),
    method<posix_get_terminal_size, "get_terminal_size($module, fd=1, /)", "The terminal's size.">(),
    method<posix_eventfd, "eventfd($module, /, initval, flags=524288)", "An event notification descriptor.">(),
    method<posix_eventfd_read, "eventfd_read($module, /, fd)", "Reads an eventfd.">(),
    method<posix_eventfd_write, "eventfd_write($module, /, fd, value)", "Writes an eventfd.">(),
    method<posix_memfd_create, "memfd_create($module, /, name, flags=1)", "An anonymous file in memory.">(),
    method<posix_rename, "rename($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)",
           "Renames a file or directory.">(),
    method<posix_rename, "replace($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)",
           "Renames a file or directory, overwriting the destination.">(),
    method<posix_unlink, "unlink($module, /, path, *, dir_fd=None)", "Removes a file.">(),
    method<posix_unlink, "remove($module, /, path, *, dir_fd=None)", "Removes a file.">(),
    method<posix_rmdir, "rmdir($module, /, path, *, dir_fd=None)", "Removes a directory.">(),
    method<posix_mkdir, "mkdir($module, /, path, mode=511, *, dir_fd=None)", "Creates a directory.">(),
    method<posix_chdir, "chdir($module, /, path)", "Changes the current directory.">(),
    method<posix_fchdir, "fchdir($module, /, fd)", "Changes to an open directory.">(),
    method<posix_chroot, "chroot($module, /, path)", "Changes the root directory.">(),
    method<posix_getcwd, "getcwd($module, /)", "The current directory, as str.">(),
    method<posix_getcwdb, "getcwdb($module, /)", "The current directory, as bytes.">(),
    method<posix_fspath, "fspath($module, /, path)", "The str or bytes form of a path.">(),
    method<posix_path_normpath, "_path_normpath($module, /, path)", "os.path.normpath for str.">(),
    method<posix_utime, "utime($module, /, path, times=None, *, ns=None, dir_fd=None, follow_symlinks=True)",
           "Sets access and modification time.">(),
    method<posix_device_encoding, "device_encoding($module, /, fd)", "The encoding of a terminal, or None.">(),
    {}};

}  // namespace pyston::posix
