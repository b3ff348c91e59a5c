// The posix module: system information, the environment, and the module object.
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/memfd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sysexits.h>
#include <unistd.h>

#include "Lib/native/posix/posix_internal.h"
#include "internal/pycore_bytesobject.h"
#include "internal/pycore_object.h"
#include "internal/pycore_structseq.h"

namespace pyston::posix {

Status add_file_types(PyObject* module);

namespace {

PyTypeObject* uname_result_type = nullptr;
PyTypeObject* times_result_type = nullptr;

Ref<> posix_uname(PyObject*) {
  struct utsname info;
  if (uname(&info) < 0) return error();
  auto result = VM_TRY(Ref<>::steal(PyStructSequence_New(uname_result_type)));
  const char* values[] = {info.sysname, info.nodename, info.release, info.version, info.machine};
  for (int i = 0; i < 5; i++) PyStructSequence_SET_ITEM(result.get(), i, PyUnicode_DecodeFSDefault(values[i]));
  if (PyErr_Occurred()) return nullptr;
  return result;
}

Ref<> posix_times(PyObject*) {
  struct tms t;
  errno = 0;
  const clock_t elapsed = times(&t);
  if (elapsed == static_cast<clock_t>(-1)) return error();
  static const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  auto result = VM_TRY(Ref<>::steal(PyStructSequence_New(times_result_type)));
  const clock_t values[] = {t.tms_utime, t.tms_stime, t.tms_cutime, t.tms_cstime, elapsed};
  for (int i = 0; i < 5; i++) {
    PyStructSequence_SET_ITEM(result.get(), i, PyFloat_FromDouble(static_cast<double>(values[i]) / ticks));
  }
  if (PyErr_Occurred()) return nullptr;
  return result;
}

Ref<> posix_strerror(PyObject*, int code) {
  const char* text = strerror(code);
  return Ref<>::steal(PyUnicode_DecodeLocale(text, "surrogateescape"));
}
Ref<> posix_umask(PyObject*, int mask) { return integer(umask(static_cast<mode_t>(mask))); }
Ref<> posix_getlogin(PyObject*) {
  errno = 0;
  const char* name = getlogin();
  if (name == nullptr) {
    if (errno != 0) return error();
    return raise(PyExc_OSError, "unable to determine login name");
  }
  return Ref<>::steal(PyUnicode_DecodeFSDefault(name));
}
Ref<> posix_getloadavg(PyObject*) {
  double loads[3];
  if (getloadavg(loads, 3) != 3) return raise(PyExc_OSError, "Load averages are unobtainable");
  return Ref<>::steal(Py_BuildValue("ddd", loads[0], loads[1], loads[2]));
}
Ref<> posix_cpu_count(PyObject*) {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  if (count < 1) return Ref<>::none();
  return integer(count);
}
Ref<> posix_urandom(PyObject*, Py_ssize_t size) {
  if (size < 0) return raise(PyExc_ValueError, "negative argument not allowed");
  auto bytes = VM_TRY(Ref<>::steal(PyBytes_FromStringAndSize(nullptr, size)));
  VM_CHECK(_PyOS_URandom(PyBytes_AS_STRING(bytes.get()), size));
  return bytes;
}
Ref<> posix_getrandom(PyObject*, Py_ssize_t size, Optional<int> flags) {
  if (size < 0) {
    errno = EINVAL;
    return error();
  }
  PyObject* bytes = PyBytes_FromStringAndSize(nullptr, size);
  if (bytes == nullptr) return nullptr;
  bool raised;
  const ssize_t count = retry(
      [&] { return getrandom(PyBytes_AS_STRING(bytes), static_cast<size_t>(size), flags.value_or(0)); }, &raised);
  if (count < 0) {
    Py_DECREF(bytes);
    return raised ? Failure{} : error();
  }
  if (count != size) _PyBytes_Resize(&bytes, count);
  return Ref<>::steal(bytes);
}

// ---- the environment ---------------------------------------------------------------------------------------------------

Ref<> make_environ() {
  auto dict = VM_TRY(Ref<>::steal(PyDict_New()));
  for (char** entry = environ; entry != nullptr && *entry != nullptr; entry++) {
    const char* equals = strchr(*entry, '=');
    if (equals == nullptr) continue;
    auto key = VM_TRY(Ref<>::steal(PyBytes_FromStringAndSize(*entry, equals - *entry)));
    auto value = VM_TRY(Ref<>::steal(PyBytes_FromString(equals + 1)));
    if (PyDict_SetDefault(dict.get(), key.get(), value.get()) == nullptr) return nullptr;
  }
  return dict;
}

Ref<> posix_putenv(PyObject*, Borrowed<> name, Borrowed<> value) {
  PyObject* raw_name = nullptr;
  PyObject* raw_value = nullptr;
  if (!PyUnicode_FSConverter(name, &raw_name)) return nullptr;
  Ref<> keep_name = Ref<>::steal(raw_name);
  if (!PyUnicode_FSConverter(value, &raw_value)) return nullptr;
  Ref<> keep_value = Ref<>::steal(raw_value);
  const char* text = PyBytes_AS_STRING(raw_name);
  if (strchr(text, '=') != nullptr) return raise(PyExc_ValueError, "illegal environment variable name");
  if (PySys_Audit("os.putenv", "OO", raw_name, raw_value) < 0) return nullptr;
  if (setenv(text, PyBytes_AS_STRING(raw_value), 1)) return error();
  return Ref<>::none();
}
Ref<> posix_unsetenv(PyObject*, Borrowed<> name) {
  PyObject* raw_name = nullptr;
  if (!PyUnicode_FSConverter(name, &raw_name)) return nullptr;
  Ref<> keep_name = Ref<>::steal(raw_name);
  if (PySys_Audit("os.unsetenv", "(O)", raw_name) < 0) return nullptr;
  if (unsetenv(PyBytes_AS_STRING(raw_name))) return error();
  return Ref<>::none();
}

// ---- sysconf and friends --------------------------------------------------------------------------------------------------

struct NamedConstant {
  const char* name;
  int value;
};
const NamedConstant kConfstrNames[] = {
#define CONFSTR_NAME(name) {#name, _##name},
#include "Lib/native/posix/constants.def"
};
const NamedConstant kPathconfNames[] = {
#define PATHCONF_NAME(name) {#name, _##name},
#include "Lib/native/posix/constants.def"
};
const NamedConstant kSysconfNames[] = {
#define SYSCONF_NAME(name) {#name, _##name},
#include "Lib/native/posix/constants.def"
};
const struct {
  const char* name;
  long value;
} kConstants[] = {
#define CONSTANT(name) {#name, static_cast<long>(name)},
#include "Lib/native/posix/constants.def"
};

/// An int, or a name from the table.
template <size_t N>
bool convert_config_name(PyObject* value, const NamedConstant (&table)[N], int& out) {
  if (PyLong_Check(value)) {
    out = _PyLong_AsInt(value);
    return !(out == -1 && PyErr_Occurred());
  }
  if (!PyUnicode_Check(value)) {
    PyErr_SetString(PyExc_TypeError, "configuration names must be strings or integers");
    return false;
  }
  for (const NamedConstant& row : table) {
    if (PyUnicode_CompareWithASCIIString(value, row.name) == 0) {
      out = row.value;
      return true;
    }
  }
  PyErr_SetString(PyExc_ValueError, "unrecognized configuration name");
  return false;
}

template <size_t N>
Status add_name_table(PyObject* module, const char* attribute, const NamedConstant (&table)[N]) {
  auto dict = VM_TRY(Ref<>::steal(PyDict_New()));
  for (const NamedConstant& row : table) {
    auto value = VM_TRY(integer(row.value));
    VM_CHECK(PyDict_SetItemString(dict.get(), row.name, value.get()));
  }
  return PyModule_AddObjectRef(module, attribute, dict.get()) < 0 ? Status::kError : Status::kOk;
}

Ref<> posix_sysconf(PyObject*, Borrowed<> name) {
  int number;
  if (!convert_config_name(name, kSysconfNames, number)) return nullptr;
  errno = 0;
  const long value = sysconf(number);
  if (value == -1 && errno != 0) return error();
  return integer(value);
}
Ref<> posix_confstr(PyObject*, Borrowed<> name) {
  int number;
  if (!convert_config_name(name, kConfstrNames, number)) return nullptr;
  errno = 0;
  char buffer[4096];
  const size_t length = confstr(number, buffer, sizeof buffer);
  if (length == 0) {
    if (errno != 0) return error();
    return Ref<>::none();
  }
  return Ref<>::steal(PyUnicode_DecodeFSDefaultAndSize(buffer, static_cast<Py_ssize_t>(length) - 1));
}
Ref<> posix_pathconf(PyObject*, FileOrFd path, Borrowed<> name) {
  int number;
  if (!convert_config_name(name, kPathconfNames, number)) return nullptr;
  errno = 0;
  const long value = path.is_fd() ? fpathconf(path.fd, number) : pathconf(path.narrow, number);
  if (value == -1 && errno != 0) return error_with_path(path);
  return integer(value);
}
Ref<> posix_fpathconf(PyObject*, Fd fd, Borrowed<> name) {
  int number;
  if (!convert_config_name(name, kPathconfNames, number)) return nullptr;
  errno = 0;
  const long value = fpathconf(fd.fd, number);
  if (value == -1 && errno != 0) return error();
  return integer(value);
}

PyStructSequence_Field uname_fields[] = {{"sysname", "operating system name"},
                                         {"nodename", "name of machine on network (implementation-defined)"},
                                         {"release", "operating system release"},
                                         {"version", "operating system version"},
                                         {"machine", "hardware identifier"},
                                         {nullptr, nullptr}};
PyStructSequence_Desc uname_desc = {"posix.uname_result", "Result of os.uname().", uname_fields, 5};
PyStructSequence_Field times_fields[] = {{"user", "user time"},
                                         {"system", "system time"},
                                         {"children_user", "user time of children"},
                                         {"children_system", "system time of children"},
                                         {"elapsed", "elapsed time since an arbitrary point in the past"},
                                         {nullptr, nullptr}};
PyStructSequence_Desc times_desc = {"posix.times_result", "Result of os.times(), in seconds.", times_fields, 5};

constexpr const char* kHaveFunctions[] = {
    "HAVE_EVENTFD", "HAVE_FACCESSAT", "HAVE_FCHDIR",   "HAVE_FCHMOD",     "HAVE_FCHMODAT",  "HAVE_FCHOWN",
    "HAVE_FCHOWNAT", "HAVE_FEXECVE",  "HAVE_FDOPENDIR", "HAVE_FPATHCONF", "HAVE_FSTATAT",   "HAVE_FSTATVFS",
    "HAVE_FTRUNCATE", "HAVE_FUTIMENS", "HAVE_FUTIMES", "HAVE_FUTIMESAT",  "HAVE_LINKAT",    "HAVE_LCHOWN",
    "HAVE_LSTAT",   "HAVE_LUTIMES",   "HAVE_MEMFD_CREATE", "HAVE_MKDIRAT", "HAVE_MKFIFOAT", "HAVE_MKNODAT",
    "HAVE_OPENAT",  "HAVE_READLINKAT", "HAVE_RENAMEAT", "HAVE_SYMLINKAT", "HAVE_UNLINKAT",  "HAVE_UTIMENSAT"};

Status fill_module(PyObject* module) {
  auto environment = VM_TRY(make_environ());
  VM_CHECK(PyModule_AddObjectRef(module, "environ", environment.get()));
  for (const auto& row : kConstants) VM_CHECK(PyModule_AddIntConstant(module, row.name, row.value));
  VM_CHECK(PyModule_AddIntConstant(module, "NGROUPS_MAX", NGROUPS_MAX));
  VM_CHECK(PyModule_AddIntConstant(module, "TMP_MAX", TMP_MAX));
  VM_CHECK(PyModule_AddIntConstant(module, "P_PIDFD", 3));
  VM_CHECK(PyModule_AddIntConstant(module, "O_LARGEFILE", 0));
  VM_CHECK(add_name_table(module, "confstr_names", kConfstrNames));
  VM_CHECK(add_name_table(module, "pathconf_names", kPathconfNames));
  VM_CHECK(add_name_table(module, "sysconf_names", kSysconfNames));
  if (uname_result_type == nullptr) uname_result_type = PyStructSequence_NewType(&uname_desc);
  if (times_result_type == nullptr) times_result_type = PyStructSequence_NewType(&times_desc);
  if (uname_result_type == nullptr || times_result_type == nullptr) return Status::kError;
  VM_CHECK(PyModule_AddObjectRef(module, "uname_result", as_object(uname_result_type)));
  VM_CHECK(PyModule_AddObjectRef(module, "times_result", as_object(times_result_type)));
  VM_CHECK(add_stat_types(module));
  VM_CHECK(add_file_types(module));
  VM_CHECK(add_process_types(module));
  VM_CHECK(PyModule_AddObjectRef(module, "error", PyExc_OSError));
  auto functions = VM_TRY(Ref<>::steal(PyList_New(0)));
  for (const char* name : kHaveFunctions) {
    auto text = VM_TRY(Ref<>::steal(PyUnicode_FromString(name)));
    VM_CHECK(PyList_Append(functions.get(), text.get()));
  }
  VM_CHECK(PyModule_AddObjectRef(module, "_have_functions", functions.get()));
  for (PyMethodDef* methods : {stat_methods, file_methods, process_methods, system_methods}) {
    VM_CHECK(PyModule_AddFunctions(module, methods));
  }
  return Status::kOk;
}

int exec_module(PyObject* module) { return static_cast<int>(fill_module(module)); }

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(exec_module)}, {0, nullptr}};
PyModuleDef posix_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "posix",
    .m_doc = "The operating system's interface as C and POSIX define it. Use `os` instead of this module.",
    .m_size = 0,
    .m_slots = slots,
};

}  // namespace

PyMethodDef system_methods[] = {
    method<posix_uname, "uname($module, /)", "The operating system's identification.">(),
    method<posix_times, "times($module, /)", "Process times in seconds.">(),
    method<posix_strerror, "strerror($module, code, /)", "The message of an error number.">(),
    method<posix_umask, "umask($module, mask, /)", "Sets the file mode mask; the previous one.">(),
    method<posix_getlogin, "getlogin($module, /)", "The login name.">(),
    method<posix_getloadavg, "getloadavg($module, /)", "Load averages over 1, 5 and 15 minutes.">(),
    method<posix_cpu_count, "cpu_count($module, /)", "Number of CPUs, or None.">(),
    method<posix_urandom, "urandom($module, size, /)", "Random bytes for cryptographic use.">(),
    method<posix_getrandom, "getrandom($module, /, size, flags=0)", "Random bytes from the kernel.">(),
    method<posix_putenv, "putenv($module, name, value, /)", "Sets an environment variable.">(),
    method<posix_unsetenv, "unsetenv($module, name, /)", "Removes an environment variable.">(),
    method<posix_sysconf, "sysconf($module, name, /)", "A system limit or option.">(),
    method<posix_confstr, "confstr($module, name, /)", "A system configuration string.">(),
    method<posix_pathconf, "pathconf($module, /, path, name)", "A limit of a file.">(),
    method<posix_fpathconf, "fpathconf($module, fd, name, /)", "A limit of an open file.">(),
    {}};

}  // namespace pyston::posix

PyMODINIT_FUNC PyInit_posix(void) { return PyModuleDef_Init(&pyston::posix::posix_module); }
