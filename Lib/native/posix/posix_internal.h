// Argument kinds and helpers shared by the files of the posix module.
#pragma once

#include <errno.h>
#include <sys/types.h>

#include "Objects/bind.h"
#include "internal/pycore_pystate.h"

namespace pyston::posix {

/// A file name, or where allowed a descriptor or nothing, as the system calls want it.
struct Path {
  const char* narrow = nullptr;  // null: a descriptor, or (nullable) not given
  int fd = -1;
  PyObject* object = nullptr;    // what was passed (through __fspath__), for error messages; borrowed
  Ref<> keep_object;
  Ref<> keep_bytes;
  bool is_bytes = false;

  bool is_fd() const { return fd != -1; }
};
enum PathKind : int { kPathOnly = 0, kAllowFd = 1, kNullable = 2 };
/// Path with compile-time options.
template <int kKind>
struct PathArgument : Path {};
using FilePath = PathArgument<kPathOnly>;
using FileOrFd = PathArgument<kAllowFd>;

/// Converts with CPython's messages ("stat: path should be string, bytes, os.PathLike or integer, not list").
bool convert_path(const char* function, const char* argument, PyObject* value, int kind, Path& out);

/// dir_fd=None: AT_FDCWD.
struct DirFd {
  int fd = -100;  // AT_FDCWD
};
bool convert_dir_fd(PyObject* value, int& out);

/// A file descriptor: an int or an object with fileno().
struct Fd {
  int fd = -1;
};
struct UserId {
  uid_t id = 0;
};
struct GroupId {
  gid_t id = 0;
};
struct ProcessId {
  pid_t id = 0;
};
struct Offset {
  off_t value = 0;
};

/// OSError from errno; with a path, its file name.
Failure error();
Failure error_with_path(const Path& path);
Failure error_with_paths(const Path& first, const Path& second);

/// Runs `call` without the GIL and, when a signal interrupts it (EINTR), runs handlers and tries again (PEP 475).
/// Gives -1 with errno, or -1 with an exception set (`*raised`) when a handler raised.
template <class Call>
auto retry(Call call, bool* raised) -> decltype(call()) {
  *raised = false;
  decltype(call()) result;
  while (true) {
    PyThreadState* saved = PyEval_SaveThread();
    result = call();
    const int saved_errno = errno;
    PyEval_RestoreThread(saved);
    errno = saved_errno;
    if (result != static_cast<decltype(result)>(-1) || errno != EINTR) return result;
    if (PyErr_CheckSignals() != 0) {
      *raised = true;
      return result;
    }
  }
}

/// Runs `call` without the GIL, errno kept.
template <class Call>
auto unlocked(Call call) -> decltype(call()) {
  PyThreadState* saved = PyEval_SaveThread();
  auto result = call();
  const int saved_errno = errno;
  PyEval_RestoreThread(saved);
  errno = saved_errno;
  return result;
}

inline Ref<> integer(long long value) { return Ref<>::steal(PyLong_FromLongLong(value)); }

Ref<> make_stat_result(const struct stat& info);
Ref<> fspath(PyObject* path);
Ref<> from_uid(uid_t id);
Ref<> from_gid(gid_t id);
/// Path of a directory entry or link target: str decoded, or bytes where the argument was bytes.
Ref<> decode_like(const Path& path, const char* name, Py_ssize_t length);

/// C arrays of NUL-terminated strings from a sequence or mapping.
class StringArray {
 public:
  StringArray() = default;
  StringArray(const StringArray&) = delete;
  StringArray& operator=(const StringArray&) = delete;
  ~StringArray();
  /// argv: `what` names the function in errors.
  bool from_sequence(PyObject* sequence, const char* what);
  /// envp: "key=value" of a mapping.
  bool from_environment(PyObject* mapping);
  char** get() const { return items_; }
  Py_ssize_t size() const { return count_; }

 private:
  bool reserve(Py_ssize_t count);
  bool append(PyObject* value);
  char** items_ = nullptr;
  Py_ssize_t count_ = 0;
};

extern PyMethodDef stat_methods[];
extern PyMethodDef file_methods[];
extern PyMethodDef process_methods[];
extern PyMethodDef system_methods[];
Status add_stat_types(PyObject* module);
Status add_process_types(PyObject* module);
Status add_system_types(PyObject* module);
Status add_constants(PyObject* module);

}  // namespace pyston::posix

namespace pyston::binding {

template <int kKind>
struct Convert<posix::PathArgument<kKind>> {
  static bool convert(const Signature& s, int index, PyObject* value, posix::PathArgument<kKind>& out) {
    return posix::convert_path(s.function, s.names[index], value, kKind, out);
  }
};
template <>
struct Convert<posix::DirFd> {
  static bool convert(const Signature&, int, PyObject* value, posix::DirFd& out) {
    return value == nullptr || posix::convert_dir_fd(value, out.fd);
  }
};
template <>
struct Convert<posix::Fd> {
  static bool convert(const Signature&, int, PyObject* value, posix::Fd& out) {
    out.fd = PyObject_AsFileDescriptor(value);
    return out.fd >= 0;
  }
};
bool convert_uid(PyObject* value, posix::UserId& out);
bool convert_gid(PyObject* value, posix::GroupId& out);
template <>
struct Convert<posix::UserId> {
  static bool convert(const Signature&, int, PyObject* value, posix::UserId& out) { return convert_uid(value, out); }
};
template <>
struct Convert<posix::GroupId> {
  static bool convert(const Signature&, int, PyObject* value, posix::GroupId& out) { return convert_gid(value, out); }
};
template <>
struct Convert<posix::ProcessId> {
  static bool convert(const Signature&, int, PyObject* value, posix::ProcessId& out) {
    long long wide;
    if (!convert_integer(value, INT_MIN, INT_MAX, "int", wide)) return false;
    out.id = static_cast<pid_t>(wide);
    return true;
  }
};
template <>
struct Convert<posix::Offset> {
  static bool convert(const Signature&, int, PyObject* value, posix::Offset& out) {
    PyObject* index = PyNumber_Index(value);
    if (index == nullptr) return false;
    out.value = PyLong_AsLongLong(index);
    Py_DECREF(index);
    return !(out.value == -1 && PyErr_Occurred());
  }
};

}  // namespace pyston::binding
