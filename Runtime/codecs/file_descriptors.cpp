// Files as the operating system sees them: opening without inheritance, reading and writing around signals, paths of
// wide characters.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "Runtime/python.h"
#include "internal/pycore_fileutils.h"

// Tells whether O_CLOEXEC works (-1: not known yet); it always does on Linux.
int _Py_open_cloexec_works = 1;

namespace {

/// A path in the locale's encoding that frees itself.
struct NativePath {
  char* text;
  explicit NativePath(const wchar_t* path) : text(_Py_EncodeLocaleRaw(path, nullptr)) {}
  ~NativePath() { PyMem_RawFree(text); }
};

int get_inheritable(int fd, bool raise) {
  const int flags = fcntl(fd, F_GETFD, 0);
  if (flags == -1) {
    if (raise) PyErr_SetFromErrno(PyExc_OSError);
    return -1;
  }
  return !(flags & FD_CLOEXEC);
}

int set_inheritable(int fd, bool inheritable, bool raise) {
  // FAST: one system call, where the kernel supports it for this file.
  if (ioctl(fd, inheritable ? FIONCLEX : FIOCLEX, nullptr) == 0) return 0;
  const int flags = fcntl(fd, F_GETFD);
  if (flags >= 0) {
    const int wanted = inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
    if (wanted == flags || fcntl(fd, F_SETFD, wanted) >= 0) return 0;
  }
  if (raise) PyErr_SetFromErrno(PyExc_OSError);
  return -1;
}

Py_ssize_t write_all_or_part(int fd, const void* data, size_t count, bool holds_gil) {
  if (count > _PY_WRITE_MAX) count = _PY_WRITE_MAX;
  Py_ssize_t written;
  int error;
  bool interrupted_by_exception = false;
  do {
    if (holds_gil) {
      Py_BEGIN_ALLOW_THREADS
      errno = 0;
      written = write(fd, data, count);
      error = errno;
      Py_END_ALLOW_THREADS
    } else {
      errno = 0;
      written = write(fd, data, count);
      error = errno;
    }
  } while (written < 0 && error == EINTR && !(holds_gil && (interrupted_by_exception = PyErr_CheckSignals() != 0)));
  if (interrupted_by_exception) {
    errno = error;
    return -1;
  }
  if (written < 0) {
    if (holds_gil) {
      errno = error;
      PyErr_SetFromErrno(PyExc_OSError);
    }
    errno = error;
    return -1;
  }
  return written;
}

}  // namespace

int _Py_fstat_noraise(int fd, struct stat* status) { return fstat(fd, status); }

int _Py_fstat(int fd, struct stat* status) {
  int result;
  Py_BEGIN_ALLOW_THREADS
  result = fstat(fd, status);
  Py_END_ALLOW_THREADS
  if (result != 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
  }
  return 0;
}

int _Py_stat(PyObject* path, struct stat* status) {
  PyObject* bytes = PyUnicode_EncodeFSDefault(path);
  if (bytes == nullptr) return -2;
  char* text;
  if (PyBytes_AsStringAndSize(bytes, &text, nullptr) < 0) {
    Py_DECREF(bytes);
    return -2;
  }
  const int result = stat(text, status);
  Py_DECREF(bytes);
  return result;
}

int _Py_wstat(const wchar_t* path, struct stat* status) {
  NativePath native(path);
  if (native.text == nullptr) {
    errno = EINVAL;
    return -1;
  }
  return stat(native.text, status);
}

int _Py_get_inheritable(int fd) { return get_inheritable(fd, true); }
int _Py_set_inheritable(int fd, int inheritable, int*) { return set_inheritable(fd, inheritable != 0, true); }
int _Py_set_inheritable_async_safe(int fd, int inheritable, int*) { return set_inheritable(fd, inheritable != 0, false); }

int _Py_open_noraise(const char* path, int flags) { return open(path, flags | O_CLOEXEC); }

int _Py_open(const char* path, int flags) {
  if (PySys_Audit("open", "sOi", path, Py_None, flags) < 0) return -1;
  int fd;
  bool interrupted = false;
  do {
    Py_BEGIN_ALLOW_THREADS
    fd = open(path, flags | O_CLOEXEC);
    Py_END_ALLOW_THREADS
  } while (fd < 0 && errno == EINTR && !(interrupted = PyErr_CheckSignals() != 0));
  if (interrupted) return -1;
  if (fd < 0) {
    PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
    return -1;
  }
  return fd;
}

FILE* _Py_wfopen(const wchar_t* path, const wchar_t* mode) {
  char narrow_mode[10];
  if (PySys_Audit("open", "uui", path, mode, 0) < 0) return nullptr;
  const size_t length = std::wcstombs(narrow_mode, mode, sizeof(narrow_mode));
  if (length == static_cast<size_t>(-1) || length >= sizeof(narrow_mode)) {
    errno = EINVAL;
    return nullptr;
  }
  NativePath native(path);
  if (native.text == nullptr) return nullptr;
  FILE* file = fopen(native.text, narrow_mode);
  if (file != nullptr && set_inheritable(fileno(file), false, false) < 0) {
    fclose(file);
    return nullptr;
  }
  return file;
}

FILE* _Py_fopen_obj(PyObject* path, const char* mode) {
  if (PySys_Audit("open", "Osi", path, mode, 0) < 0) return nullptr;
  PyObject* bytes;
  if (!PyUnicode_FSConverter(path, &bytes)) return nullptr;
  const char* text = PyBytes_AS_STRING(bytes);
  FILE* file;
  bool interrupted = false;
  do {
    Py_BEGIN_ALLOW_THREADS
    file = fopen(text, mode);
    Py_END_ALLOW_THREADS
  } while (file == nullptr && errno == EINTR && !(interrupted = PyErr_CheckSignals() != 0));
  Py_DECREF(bytes);
  if (interrupted) return nullptr;
  if (file == nullptr) {
    PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
    return nullptr;
  }
  if (set_inheritable(fileno(file), false, true) < 0) {
    fclose(file);
    return nullptr;
  }
  return file;
}

Py_ssize_t _Py_read(int fd, void* buffer, size_t count) {
  if (count > _PY_READ_MAX) count = _PY_READ_MAX;
  Py_ssize_t result;
  int error;
  bool interrupted = false;
  do {
    Py_BEGIN_ALLOW_THREADS
    errno = 0;
    result = read(fd, buffer, count);
    error = errno;
    Py_END_ALLOW_THREADS
  } while (result < 0 && error == EINTR && !(interrupted = PyErr_CheckSignals() != 0));
  errno = error;
  if (interrupted) return -1;
  if (result < 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    errno = error;
    return -1;
  }
  return result;
}

Py_ssize_t _Py_write(int fd, const void* data, size_t count) { return write_all_or_part(fd, data, count, true); }
Py_ssize_t _Py_write_noraise(int fd, const void* data, size_t count) {
  return write_all_or_part(fd, data, count, false);
}

int _Py_wreadlink(const wchar_t* path, wchar_t* buffer, size_t size) {
  NativePath native(path);
  if (native.text == nullptr) {
    errno = EINVAL;
    return -1;
  }
  char target[4096 + 1];
  const ssize_t length = readlink(native.text, target, sizeof(target) - 1);
  if (length == -1) return -1;
  if (static_cast<size_t>(length) == sizeof(target) - 1) {
    errno = EINVAL;
    return -1;
  }
  target[length] = '\0';
  size_t wide_length;
  wchar_t* wide = Py_DecodeLocale(target, &wide_length);
  if (wide == nullptr || size <= wide_length) {
    PyMem_RawFree(wide);
    errno = EINVAL;
    return -1;
  }
  std::wmemcpy(buffer, wide, wide_length + 1);
  PyMem_RawFree(wide);
  return static_cast<int>(wide_length);
}

wchar_t* _Py_wrealpath(const wchar_t* path, wchar_t* resolved, size_t size) {
  NativePath native(path);
  if (native.text == nullptr) {
    errno = EINVAL;
    return nullptr;
  }
  char target[4096];
  if (realpath(native.text, target) == nullptr) return nullptr;
  size_t length;
  wchar_t* wide = Py_DecodeLocale(target, &length);
  if (wide == nullptr || size <= length) {
    PyMem_RawFree(wide);
    errno = EINVAL;
    return nullptr;
  }
  std::wmemcpy(resolved, wide, length + 1);
  PyMem_RawFree(wide);
  return resolved;
}

wchar_t* _Py_wgetcwd(wchar_t* buffer, size_t size) {
  char name[4096];
  if (getcwd(name, sizeof(name)) == nullptr) return nullptr;
  size_t length;
  wchar_t* wide = Py_DecodeLocale(name, &length);
  if (wide == nullptr || size <= length) {
    PyMem_RawFree(wide);
    return nullptr;
  }
  std::wmemcpy(buffer, wide, length + 1);
  PyMem_RawFree(wide);
  return buffer;
}

int _Py_isabs(const wchar_t* path) { return path[0] == L'/'; }

/// `*result` is null (and 0 given back) when the working directory is unknown; -1: no memory.
int _Py_abspath(const wchar_t* path, wchar_t** result) {
  if (path[0] == L'\0' || std::wcscmp(path, L".") == 0) {
    wchar_t cwd[4096];
    *result = nullptr;
    if (_Py_wgetcwd(cwd, 4096) == nullptr) return 0;
    *result = _PyMem_RawWcsdup(cwd);
    return *result == nullptr ? -1 : 0;
  }
  if (_Py_isabs(path)) {
    *result = _PyMem_RawWcsdup(path);
    return *result == nullptr ? -1 : 0;
  }
  if (path[0] == L'.' && path[1] == L'/') path += 2;
  wchar_t cwd[4096];
  *result = nullptr;
  if (_Py_wgetcwd(cwd, 4096) == nullptr) return 0;
  const size_t cwd_length = std::wcslen(cwd);
  const size_t path_length = std::wcslen(path);
  wchar_t* out = static_cast<wchar_t*>(PyMem_RawMalloc((cwd_length + 1 + path_length + 1) * sizeof(wchar_t)));
  if (out == nullptr) return -1;
  std::wmemcpy(out, cwd, cwd_length);
  out[cwd_length] = L'/';
  std::wmemcpy(out + cwd_length + 1, path, path_length + 1);
  *result = out;
  return 0;
}

int _Py_add_relfile(wchar_t* directory, const wchar_t* relative, size_t size) {
  const size_t length = std::wcslen(directory);
  const size_t added = std::wcslen(relative);
  if (added > 0 && relative[0] == L'/') {
    if (added >= size) return -1;
    std::wmemcpy(directory, relative, added + 1);
    return 0;
  }
  const bool needs_separator = length > 0 && directory[length - 1] != L'/';
  if (length + needs_separator + added >= size) return -1;
  if (needs_separator) directory[length] = L'/';
  std::wmemcpy(directory + length + needs_separator, relative, added + 1);
  return 0;
}

wchar_t* _Py_join_relfile(const wchar_t* directory, const wchar_t* relative) {
  const size_t size = std::wcslen(directory) + 1 + std::wcslen(relative) + 1;
  wchar_t* result = static_cast<wchar_t*>(PyMem_RawMalloc(size * sizeof(wchar_t)));
  if (result == nullptr) return nullptr;
  std::wcscpy(result, directory);
  if (_Py_add_relfile(result, relative, size) < 0) {
    PyMem_RawFree(result);
    return nullptr;
  }
  return result;
}

size_t _Py_find_basename(const wchar_t* path) {
  const wchar_t* slash = std::wcsrchr(path, L'/');
  return slash == nullptr ? 0 : static_cast<size_t>(slash - path) + 1;
}

/// Removes "." segments, doubled separators and "x/.." in place. Leading "//" (but not "///") stays.
wchar_t* _Py_normpath_and_size(wchar_t* path, Py_ssize_t size, Py_ssize_t* length) {
  if (path[0] == L'\0' || size == 0) {
    *length = 0;
    return path;
  }
  const wchar_t* end = size >= 0 ? path + size : path + std::wcslen(path);
  const bool absolute = path[0] == L'/';
  size_t root = 0;
  if (absolute) root = (path[1] == L'/' && path[2] != L'/') ? 2 : 1;
  wchar_t* const base = path + root;
  wchar_t* out = base;  // what has been written so far ends here, without a separator
  const wchar_t* in = base;
  while (in < end && *in == L'/') in++;
  while (in < end && *in != L'\0') {
    const wchar_t* start = in;
    while (in < end && *in != L'/' && *in != L'\0') in++;
    const size_t count = static_cast<size_t>(in - start);
    while (in < end && *in == L'/') in++;
    if (count == 1 && start[0] == L'.') continue;
    if (count == 2 && start[0] == L'.' && start[1] == L'.') {
      wchar_t* last = out;
      while (last > base && last[-1] != L'/') last--;
      const bool last_is_parent = out - last == 2 && last[0] == L'.' && last[1] == L'.';
      if (out > base && !last_is_parent) {
        out = last > base ? last - 1 : base;
        continue;
      }
      if (absolute) continue;
    }
    if (out > base) *out++ = L'/';
    std::wmemmove(out, start, count);
    out += count;
  }
  if (out < end || size < 0) *out = L'\0';
  *length = out - path;
  return path;
}

wchar_t* _Py_normpath(wchar_t* path, Py_ssize_t size) {
  Py_ssize_t length;
  return _Py_normpath_and_size(path, size, &length);
}

int _Py_dup(int fd) {
  int result;
  Py_BEGIN_ALLOW_THREADS
  result = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  Py_END_ALLOW_THREADS
  if (result < 0) PyErr_SetFromErrno(PyExc_OSError);
  return result;
}

int _Py_get_blocking(int fd) {
  int flags;
  Py_BEGIN_ALLOW_THREADS
  flags = fcntl(fd, F_GETFL, 0);
  Py_END_ALLOW_THREADS
  if (flags < 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
  }
  return !(flags & O_NONBLOCK);
}

int _Py_set_blocking(int fd, int blocking) {
  int result;
  Py_BEGIN_ALLOW_THREADS
  int arg = !blocking;
  result = ioctl(fd, FIONBIO, &arg);
  Py_END_ALLOW_THREADS
  if (result < 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
  }
  return 0;
}

void _Py_closerange(int first, int last) {
  if (first < 0) first = 0;
  if (last < first) return;
  if (close_range(static_cast<unsigned>(first), static_cast<unsigned>(last), 0) == 0) return;
  const long limit = sysconf(_SC_OPEN_MAX);
  if (limit > 0 && last > limit) last = static_cast<int>(limit);
  for (int fd = first; fd <= last; fd++) close(fd);
}
