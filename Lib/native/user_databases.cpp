// The modules pwd, grp and spwd: the system's databases of users, groups and shadow passwords.
//
// The three differ in the record and in the names of the functions only; a lookup uses the re-entrant function of the C
// library with a buffer that grows, without the GIL.
#include <cerrno>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <unistd.h>


#include "Objects/bind.h"
#include "pycore_structseq.h"

// Defined with the posix module.
extern "C" {
PyAPI_FUNC(PyObject*) _PyLong_FromUid(uid_t);
PyAPI_FUNC(PyObject*) _PyLong_FromGid(gid_t);
PyAPI_FUNC(int) _Py_Uid_Converter(PyObject*, uid_t*);
PyAPI_FUNC(int) _Py_Gid_Converter(PyObject*, gid_t*);
}

namespace pyston {
namespace {

struct ModuleState {
  PyTypeObject* record_type;
};
ModuleState* state_of(PyObject* module) { return static_cast<ModuleState*>(PyModule_GetState(module)); }

Failure raise_os_error(int error) {
  errno = error;
  PyErr_SetFromErrno(PyExc_OSError);
  return {};
}

PyObject* text_or_none(const char* text) {
  return text != nullptr ? PyUnicode_DecodeFSDefault(text) : Py_NewRef(Py_None);
}

PyObject* make_record(PyTypeObject* type, std::span<PyObject* const> stolen_fields) {
  PyObject* record = PyStructSequence_New(type);
  Py_ssize_t index = 0;
  bool complete = record != nullptr;
  for (PyObject* field : stolen_fields) {
    complete &= field != nullptr;
    if (record != nullptr) {
      PyStructSequence_SET_ITEM(record, index++, field);
    } else {
      Py_XDECREF(field);
    }
  }
  if (!complete) Py_CLEAR(record);
  return record;
}

PyObject* to_record(PyTypeObject* type, const passwd& entry) {
  PyObject* fields[] = {text_or_none(entry.pw_name), text_or_none(entry.pw_passwd), _PyLong_FromUid(entry.pw_uid),
                        _PyLong_FromGid(entry.pw_gid),    text_or_none(entry.pw_gecos),  text_or_none(entry.pw_dir),
                        text_or_none(entry.pw_shell)};
  return make_record(type, fields);
}

PyObject* to_record(PyTypeObject* type, const group& entry) {
  auto members = Ref<>::steal(PyList_New(0));
  if (!members) return nullptr;
  for (char** member = entry.gr_mem; *member != nullptr; member++) {
    auto name = Ref<>::steal(PyUnicode_DecodeFSDefault(*member));
    if (!name || PyList_Append(members.get(), name.get()) < 0) return nullptr;
  }
  PyObject* fields[] = {text_or_none(entry.gr_name), text_or_none(entry.gr_passwd), _PyLong_FromGid(entry.gr_gid),
                        members.release()};
  return make_record(type, fields);
}

PyObject* to_record(PyTypeObject* type, const spwd& entry) {
  PyObject* fields[] = {text_or_none(entry.sp_namp),
                        text_or_none(entry.sp_pwdp),
                        PyLong_FromLong(entry.sp_lstchg),
                        PyLong_FromLong(entry.sp_min),
                        PyLong_FromLong(entry.sp_max),
                        PyLong_FromLong(entry.sp_warn),
                        PyLong_FromLong(entry.sp_inact),
                        PyLong_FromLong(entry.sp_expire),
                        PyLong_FromLong(static_cast<long>(entry.sp_flag)),
                        text_or_none(entry.sp_namp),
                        text_or_none(entry.sp_pwdp)};
  return make_record(type, fields);
}

/// Calls `find(entry*, buffer, size, result**)`. Gives the record, null with an exception, or, when there is no such
/// entry, null without one; `error` is then 0 or the errno that the database gave.
template <class Record, class Find>
PyObject* look_up(PyObject* module, Find find, int& error) {
  Record entry;
  Record* result = nullptr;
  const long hint = sysconf(_SC_GETPW_R_SIZE_MAX);
  size_t size = hint > 0 ? static_cast<size_t>(hint) : 1024;
  char* buffer = nullptr;
  while (true) {
    char* grown = static_cast<char*>(PyMem_RawRealloc(buffer, size));
    if (grown == nullptr) {
      PyMem_RawFree(buffer);
      return PyErr_NoMemory();
    }
    buffer = grown;
    Py_BEGIN_ALLOW_THREADS;
    error = find(&entry, buffer, size, &result);
    Py_END_ALLOW_THREADS;
    if (result != nullptr || error != ERANGE || size > (PY_SSIZE_T_MAX >> 2)) break;
    size *= 2;
  }
  PyObject* record = result != nullptr ? to_record(state_of(module)->record_type, *result) : nullptr;
  PyMem_RawFree(buffer);
  return record;
}

/// The name in the file system's encoding; null with an exception.
Ref<> encoded_name(PyObject* name) {
  auto bytes = Ref<>::steal(PyUnicode_EncodeFSDefault(name));
  char* text;
  if (!bytes || PyBytes_AsStringAndSize(bytes.get(), &text, nullptr) < 0) return nullptr;  // refuses inner nulls
  return bytes;
}

/// Appends a record for every entry that `next()` finds.
template <class Next>
Ref<> all_entries(PyObject* module, Next next) {
  auto list = Ref<>::steal(PyList_New(0));
  if (!list) return nullptr;
  while (auto* entry = next()) {
    auto record = Ref<>::steal(to_record(state_of(module)->record_type, *entry));
    if (!record || PyList_Append(list.get(), record.get()) < 0) return nullptr;
  }
  return list;
}

// ---- pwd

Ref<> getpwuid_(Borrowed<> module, Borrowed<> uidobj) {
  uid_t uid;
  if (!_Py_Uid_Converter(uidobj, &uid)) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) PyErr_Format(PyExc_KeyError, "getpwuid(): uid not found");
    return nullptr;
  }
  int error = 0;
  PyObject* record = look_up<passwd>(
      module, [=](passwd* entry, char* buffer, size_t size, passwd** out) { return getpwuid_r(uid, entry, buffer, size, out); },
      error);
  if (record != nullptr || PyErr_Occurred()) return Ref<>::steal(record);
  auto number = Ref<>::steal(_PyLong_FromUid(uid));
  if (!number) return nullptr;
  return raise(PyExc_KeyError, "getpwuid(): uid not found: %S", number.get());
}

Ref<> getpwnam_(Borrowed<> module, Borrowed<PyUnicodeObject> name) {
  auto bytes = encoded_name(name.object());
  if (!bytes) return nullptr;
  const char* text = PyBytes_AS_STRING(bytes.get());
  int error = 0;
  PyObject* record = look_up<passwd>(
      module,
      [=](passwd* entry, char* buffer, size_t size, passwd** out) { return getpwnam_r(text, entry, buffer, size, out); },
      error);
  if (record != nullptr || PyErr_Occurred()) return Ref<>::steal(record);
  return raise(PyExc_KeyError, "getpwnam(): name not found: %R", name.object());
}

Ref<> getpwall(Borrowed<> module) {
  setpwent();
  auto list = all_entries(module, getpwent);
  endpwent();
  return list;
}

PyStructSequence_Field kPasswdFields[] = {{"pw_name", "user name"},  {"pw_passwd", "password"},
                                          {"pw_uid", "user id"},     {"pw_gid", "group id"},
                                          {"pw_gecos", "real name"}, {"pw_dir", "home directory"},
                                          {"pw_shell", "shell program"}, {}};
PyStructSequence_Desc kPasswd = {"pwd.struct_passwd", "An entry of the user database.", kPasswdFields, 7};
PyMethodDef pwd_methods[] = {
    method<getpwuid_, "getpwuid($module, uidobj, /)", "The entry of a user id; KeyError if there is none.">(),
    method<getpwnam_, "getpwnam($module, name, /)", "The entry of a user name; KeyError if there is none.">(),
    method<getpwall, "getpwall($module, /)", "All entries.">(),
    {}};

// ---- grp

Ref<> getgrgid_(Borrowed<> module, Borrowed<> id) {
  gid_t gid;
  if (!_Py_Gid_Converter(id, &gid)) return nullptr;
  int error = 0;
  PyObject* record = look_up<group>(
      module, [=](group* entry, char* buffer, size_t size, group** out) { return getgrgid_r(gid, entry, buffer, size, out); },
      error);
  if (record != nullptr || PyErr_Occurred()) return Ref<>::steal(record);
  auto number = Ref<>::steal(_PyLong_FromGid(gid));
  if (!number) return nullptr;
  return raise(PyExc_KeyError, "getgrgid(): gid not found: %S", number.get());
}

Ref<> getgrnam_(Borrowed<> module, Borrowed<PyUnicodeObject> name) {
  auto bytes = encoded_name(name.object());
  if (!bytes) return nullptr;
  const char* text = PyBytes_AS_STRING(bytes.get());
  int error = 0;
  PyObject* record = look_up<group>(
      module, [=](group* entry, char* buffer, size_t size, group** out) { return getgrnam_r(text, entry, buffer, size, out); },
      error);
  if (record != nullptr || PyErr_Occurred()) return Ref<>::steal(record);
  return raise(PyExc_KeyError, "getgrnam(): name not found: %R", name.object());
}

Ref<> getgrall(Borrowed<> module) {
  setgrent();
  auto list = all_entries(module, getgrent);
  endgrent();
  return list;
}

PyStructSequence_Field kGroupFields[] = {
    {"gr_name", "group name"}, {"gr_passwd", "password"}, {"gr_gid", "group id"}, {"gr_mem", "group members"}, {}};
PyStructSequence_Desc kGroup = {"grp.struct_group", "An entry of the group database.", kGroupFields, 4};
PyMethodDef grp_methods[] = {
    method<getgrgid_, "getgrgid($module, /, id)", "The entry of a group id; KeyError if there is none.">(),
    method<getgrnam_, "getgrnam($module, /, name)", "The entry of a group name; KeyError if there is none.">(),
    method<getgrall, "getgrall($module, /)", "All entries.">(),
    {}};

// ---- spwd

Ref<> getspnam_(Borrowed<> module, Borrowed<PyUnicodeObject> arg) {
  auto bytes = encoded_name(arg.object());
  if (!bytes) return nullptr;
  errno = 0;
  const spwd* entry = getspnam(PyBytes_AS_STRING(bytes.get()));
  if (entry != nullptr) return Ref<>::steal(to_record(state_of(module)->record_type, *entry));
  if (errno != 0) return raise_os_error(errno);
  return raise(PyExc_KeyError, "getspnam(): name not found");
}

Ref<> getspall(Borrowed<> module) {
  setspent();
  auto list = all_entries(module, getspent);
  endspent();
  return list;
}

PyStructSequence_Field kShadowFields[] = {{"sp_namp", "login name"},
                                          {"sp_pwdp", "encrypted password"},
                                          {"sp_lstchg", "date of last change"},
                                          {"sp_min", "min #days between changes"},
                                          {"sp_max", "max #days between changes"},
                                          {"sp_warn", "#days before pw expires to warn user about it"},
                                          {"sp_inact", "#days after pw expires until account is disabled"},
                                          {"sp_expire", "#days since 1970-01-01 when account expires"},
                                          {"sp_flag", "reserved"},
                                          {"sp_nam", "login name; deprecated"},
                                          {"sp_pwd", "encrypted password; deprecated"},
                                          {}};
PyStructSequence_Desc kShadow = {"spwd.struct_spwd", "An entry of the shadow password database.", kShadowFields, 9};
PyMethodDef spwd_methods[] = {
    method<getspnam_, "getspnam($module, arg, /)", "The entry of a user name; KeyError if there is none.">(),
    method<getspall, "getspall($module, /)", "All entries.">(),
    {}};

// ---- The modules

template <PyStructSequence_Desc& description>
int execute(PyObject* module) {
  PyTypeObject* type = PyStructSequence_NewType(&description);
  state_of(module)->record_type = type;
  return type != nullptr ? PyModule_AddType(module, type) : -1;
}

int execute_spwd(PyObject* module) {
  if (PyErr_WarnEx(PyExc_DeprecationWarning, "'spwd' is deprecated and slated for removal in Python 3.13", 7) < 0) {
    return -1;
  }
  return execute<kShadow>(module);
}

int traverse(PyObject* module, visitproc visit, void* arg) {
  Py_VISIT(state_of(module)->record_type);
  return 0;
}
int clear(PyObject* module) {
  Py_CLEAR(state_of(module)->record_type);
  return 0;
}
void free_module(void* module) { clear(static_cast<PyObject*>(module)); }

constexpr PyModuleDef make_definition(const char* name, const char* doc, PyMethodDef* methods,
                                      PyModuleDef_Slot* slots) {
  return {.m_base = PyModuleDef_HEAD_INIT,
          .m_name = name,
          .m_doc = doc,
          .m_size = sizeof(ModuleState),
          .m_methods = methods,
          .m_slots = slots,
          .m_traverse = traverse,
          .m_clear = clear,
          .m_free = free_module};
}

PyModuleDef_Slot pwd_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute<kPasswd>)}, {}};
PyModuleDef_Slot grp_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute<kGroup>)}, {}};
PyModuleDef_Slot spwd_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute_spwd)}, {}};
PyModuleDef pwd_definition = make_definition("pwd", "Access to the user database.", pwd_methods, pwd_slots);
PyModuleDef grp_definition = make_definition("grp", "Access to the group database.", grp_methods, grp_slots);
PyModuleDef spwd_definition =
    make_definition("spwd", "Access to the shadow password database.", spwd_methods, spwd_slots);

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit_pwd(void) { return PyModuleDef_Init(&pyston::pwd_definition); }
PyMODINIT_FUNC PyInit_grp(void) { return PyModuleDef_Init(&pyston::grp_definition); }
PyMODINIT_FUNC PyInit_spwd(void) { return PyModuleDef_Init(&pyston::spwd_definition); }
