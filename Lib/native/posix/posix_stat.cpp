// File status, directory entries, links, permissions and extended attributes.
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "Lib/native/posix/posix_internal.h"
#include "internal/pycore_namespace.h"
#include "internal/pycore_object.h"
#include "internal/pycore_structseq.h"
#include "structmember.h"

namespace pyston::posix {
namespace {

PyTypeObject* stat_result_type = nullptr;
PyTypeObject* statvfs_result_type = nullptr;
PyTypeObject* dir_entry_type = nullptr;
PyTypeObject* scandir_iterator_type = nullptr;

PyStructSequence_Field stat_fields[] = {
    {"st_mode", "protection bits"},
    {"st_ino", "inode"},
    {"st_dev", "device"},
    {"st_nlink", "number of hard links"},
    {"st_uid", "user ID of owner"},
    {"st_gid", "group ID of owner"},
    {"st_size", "total size, in bytes"},
    {nullptr, "integer time of last access"},
    {nullptr, "integer time of last modification"},
    {nullptr, "integer time of last change"},
    {"st_atime", "time of last access, in seconds"},
    {"st_mtime", "time of last modification, in seconds"},
    {"st_ctime", "time of last change, in seconds"},
    {"st_atime_ns", "time of last access in nanoseconds"},
    {"st_mtime_ns", "time of last modification in nanoseconds"},
    {"st_ctime_ns", "time of last change in nanoseconds"},
    {"st_blksize", "blocksize for filesystem I/O"},
    {"st_blocks", "number of blocks allocated"},
    {"st_rdev", "device type (if inode device)"},
    {nullptr, nullptr}};
PyStructSequence_Desc stat_desc = {"os.stat_result",
                                   "Result of stat, fstat and lstat: a tuple of ten and named attributes.",
                                   stat_fields, 10};

PyStructSequence_Field statvfs_fields[] = {{"f_bsize", nullptr},  {"f_frsize", nullptr}, {"f_blocks", nullptr},
                                           {"f_bfree", nullptr},  {"f_bavail", nullptr}, {"f_files", nullptr},
                                           {"f_ffree", nullptr},  {"f_favail", nullptr}, {"f_flag", nullptr},
                                           {"f_namemax", nullptr}, {"f_fsid", nullptr},   {nullptr, nullptr}};
PyStructSequence_Desc statvfs_desc = {"os.statvfs_result", "Result of statvfs and fstatvfs.", statvfs_fields, 10};

newfunc structure_new;

/// A stat_result made from ten items takes its float times from the integer ones.
PyObject* stat_result_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  Ref<> result = Ref<>::steal(structure_new(type, args, kwargs));
  if (!result) return nullptr;
  for (Py_ssize_t i = 7; i <= 9; i++) {
    auto* items = reinterpret_cast<PyTupleObject*>(result.get())->ob_item;
    if (items[i + 3] == Py_None) {
      Py_INCREF(items[i]);
      Py_SETREF(items[i + 3], items[i]);
    }
  }
  return result.release();
}

/// Fills the integer, float and nanosecond forms of one time stamp.
bool set_time(PyObject* result, Py_ssize_t index, const struct timespec& time) {
  const long long nanoseconds = static_cast<long long>(time.tv_sec) * 1000000000LL + time.tv_nsec;
  PyObject* seconds = PyLong_FromLongLong(time.tv_sec);
  PyObject* fraction = PyFloat_FromDouble(static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec));
  PyObject* total = PyLong_FromLongLong(nanoseconds);
  PyStructSequence_SET_ITEM(result, index, seconds);
  PyStructSequence_SET_ITEM(result, index + 3, fraction);
  PyStructSequence_SET_ITEM(result, index + 6, total);
  return seconds != nullptr && fraction != nullptr && total != nullptr;
}

}  // namespace

Ref<> make_stat_result(const struct stat& info) {
  auto result = VM_TRY(Ref<>::steal(PyStructSequence_New(stat_result_type)));
  PyObject* v = result.get();
  PyStructSequence_SET_ITEM(v, 0, PyLong_FromLong(info.st_mode));
  PyStructSequence_SET_ITEM(v, 1, PyLong_FromUnsignedLong(info.st_ino));
  PyStructSequence_SET_ITEM(v, 2, PyLong_FromUnsignedLong(info.st_dev));
  PyStructSequence_SET_ITEM(v, 3, PyLong_FromUnsignedLong(info.st_nlink));
  PyStructSequence_SET_ITEM(v, 4, from_uid(info.st_uid).release());
  PyStructSequence_SET_ITEM(v, 5, from_gid(info.st_gid).release());
  PyStructSequence_SET_ITEM(v, 6, PyLong_FromLongLong(info.st_size));
  set_time(v, 7, info.st_atim);
  set_time(v, 8, info.st_mtim);
  set_time(v, 9, info.st_ctim);
  PyStructSequence_SET_ITEM(v, 16, PyLong_FromLong(info.st_blksize));
  PyStructSequence_SET_ITEM(v, 17, PyLong_FromLongLong(info.st_blocks));
  PyStructSequence_SET_ITEM(v, 18, PyLong_FromUnsignedLong(info.st_rdev));
  if (PyErr_Occurred()) return nullptr;
  return result;
}

namespace {

Ref<> do_stat(const char* function, const Path& path, int dir_fd, bool follow) {
  if (path.is_fd() && dir_fd != AT_FDCWD) {
    return raise(PyExc_ValueError, "%s: can't specify dir_fd without matching path", function);
  }
  if (path.is_fd() && !follow) {
    return raise(PyExc_ValueError, "%s: cannot use fd and follow_symlinks together", function);
  }
  struct stat info;
  const int result = unlocked([&] {
    if (path.is_fd()) return fstat(path.fd, &info);
    return fstatat(dir_fd, path.narrow, &info, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  });
  if (result != 0) return error_with_path(path);
  return make_stat_result(info);
}

Ref<> posix_stat(PyObject*, FileOrFd path, DirFd dir_fd, Optional<bool> follow_symlinks) {
  return do_stat("stat", path, dir_fd.fd, follow_symlinks.value_or(true));
}
Ref<> posix_lstat(PyObject*, FilePath path, DirFd dir_fd) { return do_stat("lstat", path, dir_fd.fd, false); }
Ref<> posix_fstat(PyObject*, int fd) {
  struct stat info;
  bool raised;
  if (retry([&] { return fstat(fd, &info); }, &raised) != 0) return raised ? Failure{} : error();
  return make_stat_result(info);
}

Ref<> make_statvfs(const struct statvfs& info) {
  auto result = VM_TRY(Ref<>::steal(PyStructSequence_New(statvfs_result_type)));
  PyObject* v = result.get();
  const unsigned long long values[] = {info.f_bsize,  info.f_frsize, info.f_blocks, info.f_bfree,   info.f_bavail, info.f_files,
                                       info.f_ffree,  info.f_favail, info.f_flag,   info.f_namemax, info.f_fsid};
  for (int i = 0; i < 11; i++) PyStructSequence_SET_ITEM(v, i, PyLong_FromUnsignedLongLong(values[i]));
  if (PyErr_Occurred()) return nullptr;
  return result;
}

Ref<> posix_statvfs(PyObject*, FileOrFd path) {
  struct statvfs info;
  const int result =
      unlocked([&] { return path.is_fd() ? fstatvfs(path.fd, &info) : statvfs(path.narrow, &info); });
  if (result != 0) return error_with_path(path);
  return make_statvfs(info);
}
Ref<> posix_fstatvfs(PyObject*, int fd) {
  struct statvfs info;
  bool raised;
  if (retry([&] { return fstatvfs(fd, &info); }, &raised) != 0) return raised ? Failure{} : error();
  return make_statvfs(info);
}

Ref<> posix_access(PyObject*, FilePath path, int mode, DirFd dir_fd, Optional<bool> effective_ids,
                   Optional<bool> follow_symlinks) {
  int flags = 0;
  if (!follow_symlinks.value_or(true)) flags |= AT_SYMLINK_NOFOLLOW;
  if (effective_ids.value_or(false)) flags |= AT_EACCESS;
  const int result = unlocked([&] {
    return flags != 0 || dir_fd.fd != AT_FDCWD ? faccessat(dir_fd.fd, path.narrow, mode, flags)
                                               : access(path.narrow, mode);
  });
  return Ref<>::steal(PyBool_FromLong(result == 0));
}

Ref<> posix_chmod(PyObject*, FileOrFd path, int mode, DirFd dir_fd, Optional<bool> follow_symlinks) {
  if (PySys_Audit("os.chmod", "Oii", path.object, mode, dir_fd.fd == AT_FDCWD ? -1 : dir_fd.fd) < 0) return nullptr;
  const bool follow = follow_symlinks.value_or(true);
  const int result = unlocked([&] {
    if (path.is_fd()) return fchmod(path.fd, static_cast<mode_t>(mode));
    return fchmodat(dir_fd.fd, path.narrow, static_cast<mode_t>(mode), follow ? 0 : AT_SYMLINK_NOFOLLOW);
  });
  if (result != 0) {
    if (!follow && (errno == ENOTSUP || errno == EOPNOTSUPP)) {
      return raise(PyExc_NotImplementedError, "chmod: follow_symlinks unavailable on this platform");
    }
    return error_with_path(path);
  }
  return Ref<>::none();
}
Ref<> posix_fchmod(PyObject*, int fd, int mode) {
  if (PySys_Audit("os.chmod", "iii", fd, mode, -1) < 0) return nullptr;
  bool raised;
  if (retry([&] { return fchmod(fd, static_cast<mode_t>(mode)); }, &raised) != 0) return raised ? Failure{} : error();
  return Ref<>::none();
}

Ref<> posix_chown(PyObject*, FileOrFd path, UserId uid, GroupId gid, DirFd dir_fd, Optional<bool> follow_symlinks) {
  const int result = unlocked([&] {
    if (path.is_fd()) return fchown(path.fd, uid.id, gid.id);
    return fchownat(dir_fd.fd, path.narrow, uid.id, gid.id, follow_symlinks.value_or(true) ? 0 : AT_SYMLINK_NOFOLLOW);
  });
  if (result != 0) return error_with_path(path);
  return Ref<>::none();
}
Ref<> posix_fchown(PyObject*, int fd, UserId uid, GroupId gid) {
  bool raised;
  if (retry([&] { return fchown(fd, uid.id, gid.id); }, &raised) != 0) return raised ? Failure{} : error();
  return Ref<>::none();
}
Ref<> posix_lchown(PyObject*, FilePath path, UserId uid, GroupId gid) {
  if (unlocked([&] { return lchown(path.narrow, uid.id, gid.id); }) < 0) return error_with_path(path);
  return Ref<>::none();
}

Ref<> posix_link(PyObject*, FilePath src, FilePath dst, DirFd src_dir_fd, DirFd dst_dir_fd,
                 Optional<bool> follow_symlinks) {
  const int flags = follow_symlinks.value_or(true) ? AT_SYMLINK_FOLLOW : 0;
  // link(2) itself never follows; the flag asks for it only when it matters.
  const int result = unlocked([&] {
    if (src_dir_fd.fd == AT_FDCWD && dst_dir_fd.fd == AT_FDCWD && follow_symlinks.value_or(true)) {
      return link(src.narrow, dst.narrow);
    }
    return linkat(src_dir_fd.fd, src.narrow, dst_dir_fd.fd, dst.narrow, flags);
  });
  if (result != 0) return error_with_paths(src, dst);
  return Ref<>::none();
}

Ref<> posix_symlink(PyObject*, FilePath src, FilePath dst, Optional<bool>, DirFd dir_fd) {
  if (PySys_Audit("os.symlink", "OOi", src.object, dst.object, dir_fd.fd == AT_FDCWD ? -1 : dir_fd.fd) < 0) return nullptr;
  if (unlocked([&] { return symlinkat(src.narrow, dir_fd.fd, dst.narrow); }) != 0) return error_with_paths(src, dst);
  return Ref<>::none();
}

Ref<> posix_readlink(PyObject*, FilePath path, DirFd dir_fd) {
  char buffer[PATH_MAX + 1];
  const ssize_t length = unlocked([&] { return readlinkat(dir_fd.fd, path.narrow, buffer, PATH_MAX); });
  if (length < 0) return error_with_path(path);
  return decode_like(path, buffer, length);
}

// ---- directories --------------------------------------------------------------------------------------------------

bool is_dot_name(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/// Opens the directory of a path, a descriptor (duplicated, rewound afterwards) or ".".
DIR* open_directory(const Path& path) {
  if (path.is_fd()) {
    const int fd = fcntl(path.fd, F_DUPFD_CLOEXEC, 0);
    if (fd == -1) return nullptr;
    DIR* directory = unlocked([&] { return fdopendir(fd); });
    if (directory == nullptr) close(fd);
    return directory;
  }
  return unlocked([&] { return opendir(path.narrow != nullptr ? path.narrow : "."); });
}

Ref<> posix_listdir(PyObject*, PathArgument<kAllowFd | kNullable> path) {
  if (PySys_Audit("os.listdir", "O", path.object ? path.object : Py_None) < 0) return nullptr;
  DIR* directory = open_directory(path);
  if (directory == nullptr) return error_with_path(path);
  auto read_all = [&]() -> Ref<> {
    auto names = VM_TRY(Ref<>::steal(PyList_New(0)));
    while (true) {
      errno = 0;
      dirent* entry = unlocked([&] { return readdir(directory); });
      if (entry == nullptr) {
        if (errno != 0) return error_with_path(path);
        return names;
      }
      if (is_dot_name(entry->d_name)) continue;
      auto name = VM_TRY(decode_like(path, entry->d_name, static_cast<Py_ssize_t>(strlen(entry->d_name))));
      VM_CHECK(PyList_Append(names.get(), name.get()));
    }
  };
  Ref<> names = read_all();
  PyThreadState* saved = PyEval_SaveThread();
  if (path.is_fd()) rewinddir(directory);
  closedir(directory);
  PyEval_RestoreThread(saved);
  return names;
}

struct DirEntry {
  PyObject ob_base;
  PyObject* name;
  PyObject* path;
  PyObject* stat;
  PyObject* lstat;
  unsigned char d_type;
  ino_t d_ino;
  int dir_fd;  // AT_FDCWD, or the descriptor that scandir got
};

void dir_entry_dealloc(DirEntry* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_XDECREF(self->name);
  Py_XDECREF(self->path);
  Py_XDECREF(self->stat);
  Py_XDECREF(self->lstat);
  type->tp_free(self);
  Py_DECREF(type);
}

Ref<> fetch_stat(DirEntry* self, bool follow) {
  PyObject* bytes = nullptr;
  if (!PyUnicode_FSConverter(self->path, &bytes)) return nullptr;
  Ref<> keep = Ref<>::steal(bytes);
  struct stat info;
  const char* name = PyBytes_AS_STRING(bytes);
  const int result =
      unlocked([&] { return fstatat(self->dir_fd, name, &info, follow ? 0 : AT_SYMLINK_NOFOLLOW); });
  if (result != 0) {
    PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, self->path);
    return nullptr;
  }
  return make_stat_result(info);
}

Ref<> entry_lstat(DirEntry* self) {
  if (self->lstat == nullptr) self->lstat = fetch_stat(self, false).release();
  return Ref<>::dup(self->lstat);
}

/// 1, 0, or -1 with an exception.
int entry_is_symlink(DirEntry* self) {
  if (self->d_type != DT_UNKNOWN) return self->d_type == DT_LNK;
  Ref<> info = entry_lstat(self);
  if (!info) return -1;
  const long mode = PyLong_AsLong(PyStructSequence_GET_ITEM(info.get(), 0));
  return S_ISLNK(mode);
}

Ref<> entry_stat(DirEntry* self, bool follow) {
  if (!follow) return entry_lstat(self);
  if (self->stat == nullptr) {
    const int link = entry_is_symlink(self);
    if (link < 0) return nullptr;
    self->stat = (link ? fetch_stat(self, true) : entry_lstat(self)).release();
  }
  return Ref<>::dup(self->stat);
}

Ref<> entry_test_mode(DirEntry* self, bool follow, unsigned mode_bits) {
  const bool link = self->d_type == DT_LNK;
  const bool need_stat = self->d_type == DT_UNKNOWN || (follow && link);
  if (!need_stat) {
    if (link) return Ref<>::dup(Py_False);
    return Ref<>::steal(PyBool_FromLong(self->d_type == (mode_bits == S_IFDIR ? DT_DIR : DT_REG)));
  }
  Ref<> info = entry_stat(self, follow);
  if (!info) {
    if (PyErr_ExceptionMatches(PyExc_FileNotFoundError)) {
      PyErr_Clear();
      return Ref<>::dup(Py_False);
    }
    return nullptr;
  }
  const long mode = PyLong_AsLong(PyStructSequence_GET_ITEM(info.get(), 0));
  if (mode == -1 && PyErr_Occurred()) return nullptr;
  return Ref<>::steal(PyBool_FromLong((mode & S_IFMT) == mode_bits));
}

Ref<> dir_entry_is_dir(DirEntry* self, Optional<bool> follow) { return entry_test_mode(self, follow.value_or(true), S_IFDIR); }
Ref<> dir_entry_is_file(DirEntry* self, Optional<bool> follow) { return entry_test_mode(self, follow.value_or(true), S_IFREG); }
Ref<> dir_entry_is_symlink(DirEntry* self) {
  const int link = entry_is_symlink(self);
  if (link < 0) return nullptr;
  return Ref<>::steal(PyBool_FromLong(link));
}
Ref<> dir_entry_stat(DirEntry* self, Optional<bool> follow) { return entry_stat(self, follow.value_or(true)); }
Ref<> dir_entry_inode(DirEntry* self) { return Ref<>::steal(PyLong_FromUnsignedLong(self->d_ino)); }
Ref<> dir_entry_fspath(DirEntry* self) { return Ref<>::dup(self->path); }
Ref<> dir_entry_repr(DirEntry* self) { return Ref<>::steal(PyUnicode_FromFormat("<DirEntry %R>", self->name)); }

PyMemberDef dir_entry_members[] = {
    {"name", T_OBJECT_EX, offsetof(DirEntry, name), READONLY, "the entry's base filename"},
    {"path", T_OBJECT_EX, offsetof(DirEntry, path), READONLY, "the entry's full path name"},
    {nullptr}};
PyMethodDef dir_entry_methods[] = {
    method<dir_entry_is_dir, "is_dir($self, /, *, follow_symlinks=True)", "True if the entry is a directory.">(),
    method<dir_entry_is_file, "is_file($self, /, *, follow_symlinks=True)", "True if the entry is a file.">(),
    method<dir_entry_is_symlink, "is_symlink($self, /)", "True if the entry is a symbolic link.">(),
    method<dir_entry_stat, "stat($self, /, *, follow_symlinks=True)", "The entry's stat_result, cached.">(),
    method<dir_entry_inode, "inode($self, /)", "The entry's inode number.">(),
    method<dir_entry_fspath, "__fspath__($self, /)", "The entry's path.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {}};
PyType_Slot dir_entry_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(slot<dir_entry_dealloc>)},
                                 {Py_tp_repr, reinterpret_cast<void*>(slot<dir_entry_repr>)},
                                 {Py_tp_methods, dir_entry_methods},
                                 {Py_tp_members, dir_entry_members},
                                 {0, nullptr}};
PyType_Spec dir_entry_spec = {"posix.DirEntry", sizeof(DirEntry), 0,
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, dir_entry_slots};

struct ScandirIterator {
  PyObject ob_base;
  Path path;
  DIR* directory;
  int fd;
};

void close_scandir(ScandirIterator* self) {
  DIR* directory = self->directory;
  if (directory == nullptr) return;
  self->directory = nullptr;
  PyThreadState* saved = PyEval_SaveThread();
  if (self->path.is_fd()) rewinddir(directory);
  closedir(directory);
  PyEval_RestoreThread(saved);
}

void scandir_finalize(PyObject* object) {
  auto* self = reinterpret_cast<ScandirIterator*>(object);
  if (self->directory == nullptr) return;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (PyErr_ResourceWarning(object, 1, "unclosed scandir iterator %R", object) &&
      PyErr_ExceptionMatches(PyExc_Warning)) {
    PyErr_WriteUnraisable(object);
  }
  close_scandir(self);
  PyErr_Restore(type, value, traceback);
}

void scandir_dealloc(ScandirIterator* self) {
  PyTypeObject* type = Py_TYPE(self);
  if (PyObject_CallFinalizerFromDealloc(as_object(self)) < 0) return;
  Py_XDECREF(self->path.object);
  self->path.~Path();
  type->tp_free(self);
  Py_DECREF(type);
}

Ref<> make_entry(ScandirIterator* iterator, const dirent* raw) {
  auto entry = VM_TRY(Ref<DirEntry>::steal(dir_entry_type->tp_alloc(dir_entry_type, 0)));
  const Path& path = iterator->path;
  const auto length = static_cast<Py_ssize_t>(strlen(raw->d_name));
  entry->dir_fd = path.is_fd() ? path.fd : AT_FDCWD;
  entry->d_type = raw->d_type;
  entry->d_ino = raw->d_ino;
  entry->name = VM_TRY(decode_like(path, raw->d_name, length)).release();
  if (path.is_fd()) {
    entry->path = Py_NewRef(entry->name);
  } else {
    const char* base = path.narrow == nullptr ? "." : path.narrow;
    const size_t base_length = strlen(base);
    const bool slash = base_length > 0 && base[base_length - 1] != '/';
    char* joined = static_cast<char*>(PyMem_Malloc(base_length + 1 + length + 1));
    if (joined == nullptr) return PyErr_NoMemory(), nullptr;
    memcpy(joined, base, base_length);
    if (slash) joined[base_length] = '/';
    memcpy(joined + base_length + slash, raw->d_name, length + 1);
    Ref<> text = decode_like(path, joined, static_cast<Py_ssize_t>(base_length) + slash + length);
    PyMem_Free(joined);
    if (!text) return nullptr;
    entry->path = text.release();
  }
  return entry;
}

Ref<> scandir_next(ScandirIterator* self) {
  while (self->directory != nullptr) {
    errno = 0;
    dirent* raw = unlocked([&] { return readdir(self->directory); });
    if (raw == nullptr) {
      if (errno != 0) {
        error_with_path(self->path);
        close_scandir(self);
        return nullptr;
      }
      break;
    }
    if (is_dot_name(raw->d_name)) continue;
    Ref<> entry = make_entry(self, raw);
    if (!entry) close_scandir(self);
    return entry;
  }
  close_scandir(self);
  return nullptr;
}

Ref<> scandir_close(ScandirIterator* self) {
  close_scandir(self);
  return Ref<>::none();
}
Ref<> scandir_enter(ScandirIterator* self) { return Ref<>::dup(as_object(self)); }
Ref<> scandir_exit(ScandirIterator* self, Arguments) {
  close_scandir(self);
  return Ref<>::none();
}

PyMethodDef scandir_methods[] = {
    method<scandir_enter, "__enter__($self, /)">(),
    method<scandir_exit, "__exit__($self, *args)">(),
    method<scandir_close, "close($self, /)", "Closes the iterator and frees its directory handle.">(),
    {}};
PyType_Slot scandir_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(slot<scandir_dealloc>)},
                               {Py_tp_finalize, reinterpret_cast<void*>(scandir_finalize)},
                               {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
                               {Py_tp_iternext, reinterpret_cast<void*>(slot<scandir_next>)},
                               {Py_tp_methods, scandir_methods},
                               {0, nullptr}};
PyType_Spec scandir_spec = {"posix.ScandirIterator", sizeof(ScandirIterator), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, scandir_slots};

Ref<> posix_scandir(PyObject*, PathArgument<kAllowFd | kNullable> path) {
  if (PySys_Audit("os.scandir", "O", path.object ? path.object : Py_None) < 0) return nullptr;
  DIR* directory = open_directory(path);
  if (directory == nullptr) return error_with_path(path);
  Ref<> iterator = Ref<>::steal(scandir_iterator_type->tp_alloc(scandir_iterator_type, 0));
  if (!iterator) {
    closedir(directory);
    return nullptr;
  }
  auto* self = reinterpret_cast<ScandirIterator*>(iterator.get());
  new (&self->path) Path(std::move(path));
  Py_XINCREF(self->path.object);  // the argument's text must outlive the call
  self->directory = directory;
  return iterator;
}

// ---- extended attributes, devices ------------------------------------------------------------------------------------

Ref<> posix_getxattr(PyObject*, FileOrFd path, FilePath attribute, Optional<bool> follow_symlinks) {
  const bool follow = follow_symlinks.value_or(true);
  for (size_t size : {static_cast<size_t>(128), static_cast<size_t>(XATTR_SIZE_MAX)}) {
    auto bytes = VM_TRY(Ref<>::steal(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size))));
    char* data = PyBytes_AS_STRING(bytes.get());
    const ssize_t length = unlocked([&] {
      if (path.is_fd()) return fgetxattr(path.fd, attribute.narrow, data, size);
      return follow ? getxattr(path.narrow, attribute.narrow, data, size)
                    : lgetxattr(path.narrow, attribute.narrow, data, size);
    });
    if (length < 0) {
      if (errno == ERANGE) continue;
      return error_with_path(path);
    }
    PyObject* owned = bytes.release();
    _PyBytes_Resize(&owned, length);
    return Ref<>::steal(owned);
  }
  errno = ERANGE;
  return error_with_path(path);
}

Ref<> posix_setxattr(PyObject*, FileOrFd path, FilePath attribute, Buffer value, Optional<int> flags,
                     Optional<bool> follow_symlinks) {
  const int mode = flags.value_or(0);
  const int result = unlocked([&] {
    if (path.is_fd()) return fsetxattr(path.fd, attribute.narrow, value.data(), value.size(), mode);
    return follow_symlinks.value_or(true) ? setxattr(path.narrow, attribute.narrow, value.data(), value.size(), mode)
                                          : lsetxattr(path.narrow, attribute.narrow, value.data(), value.size(), mode);
  });
  if (result != 0) return error_with_path(path);
  return Ref<>::none();
}

Ref<> posix_removexattr(PyObject*, FileOrFd path, FilePath attribute, Optional<bool> follow_symlinks) {
  const int result = unlocked([&] {
    if (path.is_fd()) return fremovexattr(path.fd, attribute.narrow);
    return follow_symlinks.value_or(true) ? removexattr(path.narrow, attribute.narrow)
                                          : lremovexattr(path.narrow, attribute.narrow);
  });
  if (result != 0) return error_with_path(path);
  return Ref<>::none();
}

Ref<> posix_listxattr(PyObject*, PathArgument<kAllowFd | kNullable> path, Optional<bool> follow_symlinks) {
  const char* name = path.narrow == nullptr ? "." : path.narrow;
  for (size_t size : {static_cast<size_t>(256), static_cast<size_t>(XATTR_LIST_MAX)}) {
    auto buffer = VM_TRY(Ref<>::steal(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size))));
    char* data = PyBytes_AS_STRING(buffer.get());
    const ssize_t length = unlocked([&] {
      if (path.is_fd()) return flistxattr(path.fd, data, size);
      return follow_symlinks.value_or(true) ? listxattr(name, data, size) : llistxattr(name, data, size);
    });
    if (length < 0) {
      if (errno == ERANGE) continue;
      return error_with_path(path);
    }
    auto names = VM_TRY(Ref<>::steal(PyList_New(0)));
    for (ssize_t start = 0; start < length;) {
      const auto size_here = static_cast<Py_ssize_t>(strlen(data + start));
      auto text = VM_TRY(Ref<>::steal(PyUnicode_DecodeFSDefaultAndSize(data + start, size_here)));
      VM_CHECK(PyList_Append(names.get(), text.get()));
      start += size_here + 1;
    }
    return names;
  }
  errno = ERANGE;
  return error_with_path(path);
}

bool convert_device(PyObject* value, dev_t& out) {
  out = PyLong_AsUnsignedLongLong(value);
  return !(out == static_cast<dev_t>(-1) && PyErr_Occurred());
}
Ref<> posix_major(PyObject*, Borrowed<> device) {
  dev_t number;
  if (!convert_device(device, number)) return nullptr;
  return integer(major(number));
}
Ref<> posix_minor(PyObject*, Borrowed<> device) {
  dev_t number;
  if (!convert_device(device, number)) return nullptr;
  return integer(minor(number));
}
Ref<> posix_makedev(PyObject*, int major_number, int minor_number) {
  return Ref<>::steal(PyLong_FromUnsignedLong(makedev(major_number, minor_number)));
}
Ref<> posix_mkfifo(PyObject*, FilePath path, Optional<int> mode, DirFd dir_fd) {
  bool raised;
  if (retry([&] { return mkfifoat(dir_fd.fd, path.narrow, static_cast<mode_t>(mode.value_or(0666))); }, &raised) != 0) {
    return raised ? Failure{} : error_with_path(path);
  }
  return Ref<>::none();
}
Ref<> posix_mknod(PyObject*, FilePath path, Optional<int> mode, PyObject* device, DirFd dir_fd) {
  dev_t number = 0;
  if (device != nullptr && !convert_device(device, number)) return nullptr;
  bool raised;
  if (retry([&] { return mknodat(dir_fd.fd, path.narrow, static_cast<mode_t>(mode.value_or(0600)), number); },
            &raised) != 0) {
    return raised ? Failure{} : error_with_path(path);
  }
  return Ref<>::none();
}

}  // namespace

PyMethodDef stat_methods[] = {
    method<posix_stat, "stat($module, /, path, *, dir_fd=None, follow_symlinks=True)",
           "The status of a file or descriptor, as a stat_result.">(),
    method<posix_lstat, "lstat($module, /, path, *, dir_fd=None)", "As stat, without following symbolic links.">(),
    method<posix_fstat, "fstat($module, /, fd)", "The status of an open file descriptor.">(),
    method<posix_statvfs, "statvfs($module, /, path)", "The status of the file system of a path.">(),
    method<posix_fstatvfs, "fstatvfs($module, fd, /)", "The status of the file system of a descriptor.">(),
    method<posix_access, "access($module, /, path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)",
           "True if the calling user may access the path in the given mode.">(),
    method<posix_chmod, "chmod($module, /, path, mode, *, dir_fd=None, follow_symlinks=True)",
           "Changes the access permissions of a file.">(),
    method<posix_fchmod, "fchmod($module, /, fd, mode)", "Changes the access permissions of an open file.">(),
    method<posix_chown, "chown($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)",
           "Changes owner and group; -1 leaves one unchanged.">(),
    method<posix_fchown, "fchown($module, /, fd, uid, gid)", "Changes owner and group of an open file.">(),
    method<posix_lchown, "lchown($module, /, path, uid, gid)", "As chown, of a symbolic link itself.">(),
    method<posix_link, "link($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)",
           "Creates a hard link.">(),
    method<posix_symlink, "symlink($module, /, src, dst, target_is_directory=False, *, dir_fd=None)",
           "Creates a symbolic link named dst that points to src.">(),
    method<posix_readlink, "readlink($module, /, path, *, dir_fd=None)", "What a symbolic link points to.">(),
    method<posix_listdir, "listdir($module, /, path=None)", "Names of the entries of a directory, unsorted.">(),
    method<posix_scandir, "scandir($module, /, path=None)", "Iterator of DirEntry objects of a directory.">(),
    method<posix_getxattr, "getxattr($module, /, path, attribute, *, follow_symlinks=True)",
           "Value of an extended attribute, as bytes.">(),
    method<posix_setxattr, "setxattr($module, /, path, attribute, value, flags=0, *, follow_symlinks=True)",
           "Sets an extended attribute.">(),
    method<posix_removexattr, "removexattr($module, /, path, attribute, *, follow_symlinks=True)",
           "Removes an extended attribute.">(),
    method<posix_listxattr, "listxattr($module, /, path=None, *, follow_symlinks=True)",
           "Names of the extended attributes.">(),
    method<posix_major, "major($module, device, /)", "Major number of a raw device number.">(),
    method<posix_minor, "minor($module, device, /)", "Minor number of a raw device number.">(),
    method<posix_makedev, "makedev($module, major, minor, /)", "Raw device number from major and minor.">(),
    method<posix_mkfifo, "mkfifo($module, /, path, mode=438, *, dir_fd=None)", "Creates a named pipe.">(),
    method<posix_mknod, "mknod($module, /, path, mode=384, device=0, *, dir_fd=None)",
           "Creates a file system node (a file, a device, a pipe).">(),
    {}};

/// The types serve all interpreters of the process, one after the other too.
static Status create_stat_types() {
  if (scandir_iterator_type != nullptr) return Status::kOk;
  stat_fields[7].name = stat_fields[8].name = stat_fields[9].name = PyStructSequence_UnnamedField;
  stat_result_type = PyStructSequence_NewType(&stat_desc);
  statvfs_result_type = PyStructSequence_NewType(&statvfs_desc);
  if (stat_result_type == nullptr || statvfs_result_type == nullptr) return Status::kError;
  structure_new = stat_result_type->tp_new;
  stat_result_type->tp_new = stat_result_new;
  dir_entry_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&dir_entry_spec));
  scandir_iterator_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&scandir_spec));
  return dir_entry_type == nullptr || scandir_iterator_type == nullptr ? Status::kError : Status::kOk;
}

Status add_stat_types(PyObject* module) {
  VM_CHECK(create_stat_types());
  VM_CHECK(PyModule_AddObjectRef(module, "stat_result", as_object(stat_result_type)));
  VM_CHECK(PyModule_AddObjectRef(module, "statvfs_result", as_object(statvfs_result_type)));
  VM_CHECK(PyModule_AddObjectRef(module, "DirEntry", as_object(dir_entry_type)));
  return Status::kOk;
}

}  // namespace pyston::posix
