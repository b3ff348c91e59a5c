// The _stat module: what stat.py defines, in C.
#include <sys/stat.h>

#include "Lib/native/constants.h"

namespace pyston {
namespace {

/// A mode_t out of any int; OverflowError beyond 32 bits.
bool to_mode(PyObject* value, mode_t& mode) {
  const unsigned long wide = PyLong_AsUnsignedLong(value);
  if (wide == static_cast<unsigned long>(-1) && PyErr_Occurred()) return false;
  mode = static_cast<mode_t>(wide);
  if (mode == wide) return true;
  PyErr_SetString(PyExc_OverflowError, "mode out of range");
  return false;
}

template <mode_t kType>
Ref<> is_type(Borrowed<>, Borrowed<> value) {
  mode_t mode;
  if (!to_mode(value, mode)) return nullptr;
  return Ref<>::steal(PyBool_FromLong(kType != 0 && (mode & S_IFMT) == kType));
}

template <mode_t kMask>
Ref<> masked(Borrowed<>, Borrowed<> value) {
  mode_t mode;
  if (!to_mode(value, mode)) return nullptr;
  return Ref<>::steal(PyLong_FromUnsignedLong(mode & kMask));
}

char type_letter(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return '-';
    case S_IFDIR:
      return 'd';
    case S_IFLNK:
      return 'l';
    case S_IFBLK:
      return 'b';
    case S_IFCHR:
      return 'c';
    case S_IFIFO:
      return 'p';
    case S_IFSOCK:
      return 's';
    default:
      return '?';
  }
}

/// Three letters of one class of users; `special` replaces the x.
void permission_letters(char* out, mode_t mode, int shift, bool special, char set, char set_without_x) {
  out[0] = mode >> shift & 4 ? 'r' : '-';
  out[1] = mode >> shift & 2 ? 'w' : '-';
  const bool x = mode >> shift & 1;
  out[2] = special ? (x ? set : set_without_x) : (x ? 'x' : '-');
}

Ref<> filemode(Borrowed<>, Borrowed<> value) {
  mode_t mode;
  if (!to_mode(value, mode)) return nullptr;
  char text[10];
  text[0] = type_letter(mode);
  permission_letters(text + 1, mode, 6, mode & S_ISUID, 's', 'S');
  permission_letters(text + 4, mode, 3, mode & S_ISGID, 's', 'S');
  permission_letters(text + 7, mode, 0, mode & S_ISVTX, 't', 'T');
  return Ref<>::steal(PyUnicode_FromStringAndSize(text, sizeof text));
}

#define TYPE_TEST(name, type) method<is_type<type>, #name "($module, mode, /)", "Whether the mode is of such a file.">()
// Kinds of files that this system does not have are 0: nothing is one.
PyMethodDef methods[] = {
    TYPE_TEST(S_ISDIR, S_IFDIR),   TYPE_TEST(S_ISCHR, S_IFCHR),   TYPE_TEST(S_ISBLK, S_IFBLK),
    TYPE_TEST(S_ISREG, S_IFREG),   TYPE_TEST(S_ISFIFO, S_IFIFO),  TYPE_TEST(S_ISLNK, S_IFLNK),
    TYPE_TEST(S_ISSOCK, S_IFSOCK), TYPE_TEST(S_ISDOOR, 0),        TYPE_TEST(S_ISPORT, 0),
    TYPE_TEST(S_ISWHT, 0),
    method<masked<07777>, "S_IMODE($module, mode, /)", "The part of the mode that chmod() sets.">(),
    method<masked<S_IFMT>, "S_IFMT($module, mode, /)", "The part of the mode that tells the kind of file.">(),
    method<filemode, "filemode($module, mode, /)", "The mode as `ls -l` shows it.">(),
    {}};

constexpr IntConstant kConstants[] = {
#define ROW(name) {#name, name}
    ROW(S_IFDIR), ROW(S_IFCHR), ROW(S_IFBLK), ROW(S_IFREG), ROW(S_IFIFO), ROW(S_IFLNK), ROW(S_IFSOCK),
    {"S_IFDOOR", 0}, {"S_IFPORT", 0}, {"S_IFWHT", 0},
    ROW(S_ISUID), ROW(S_ISGID), ROW(S_ISVTX), {"S_ENFMT", S_ISGID}, ROW(S_IREAD), ROW(S_IWRITE), ROW(S_IEXEC),
    ROW(S_IRWXU), ROW(S_IRUSR), ROW(S_IWUSR), ROW(S_IXUSR), ROW(S_IRWXG), ROW(S_IRGRP), ROW(S_IWGRP), ROW(S_IXGRP),
    ROW(S_IRWXO), ROW(S_IROTH), ROW(S_IWOTH), ROW(S_IXOTH),
#undef ROW
    {"UF_NODUMP", 0x1}, {"UF_IMMUTABLE", 0x2}, {"UF_APPEND", 0x4}, {"UF_OPAQUE", 0x8}, {"UF_NOUNLINK", 0x10},
    {"UF_COMPRESSED", 0x20}, {"UF_HIDDEN", 0x8000}, {"SF_ARCHIVED", 0x10000}, {"SF_IMMUTABLE", 0x20000},
    {"SF_APPEND", 0x40000}, {"SF_NOUNLINK", 0x100000}, {"SF_SNAPSHOT", 0x200000},
    {"ST_MODE", 0}, {"ST_INO", 1}, {"ST_DEV", 2}, {"ST_NLINK", 3}, {"ST_UID", 4}, {"ST_GID", 5}, {"ST_SIZE", 6},
    {"ST_ATIME", 7}, {"ST_MTIME", 8}, {"ST_CTIME", 9},
};

int execute(PyObject* module) { return add_constants(module, kConstants); }

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "_stat",
                          .m_doc = "Constants and tests for file modes.",
                          .m_methods = methods,
                          .m_slots = slots};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__stat(void) { return PyModuleDef_Init(&pyston::definition); }
