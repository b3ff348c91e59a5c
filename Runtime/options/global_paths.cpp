// The path configuration that outlives an interpreter: what Py_SetProgramName, Py_SetPythonHome and Py_SetPath were told before
// initialisation, and what the last initialisation computed. The next one starts from it.
#include "Runtime/options/paths.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pathconfig.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"

using namespace pyston::options;

namespace {

/// Null until somebody sets it. Allocated with malloc, whatever allocator the embedder installs meanwhile.
struct GlobalPaths {
  wchar_t* program_full_path = nullptr;
  wchar_t* prefix = nullptr;
  wchar_t* exec_prefix = nullptr;
  wchar_t* stdlib_dir = nullptr;
  wchar_t* program_name = nullptr;
  wchar_t* home = nullptr;
  wchar_t* module_search_path = nullptr;  // Py_SetPath's; wins over the next
  wchar_t* calculated_search_path = nullptr;
};
GlobalPaths paths;

/// Text that cannot be kept is fatal: these setters have no way to report it.
void set(wchar_t** field, const wchar_t* value) {
  wchar_t* copy = value == nullptr ? nullptr : wcsdup(value);
  if (value != nullptr && copy == nullptr) Py_FatalError("out of memory");
  free(*field);
  *field = copy;
}

void set_if_known(wchar_t** field, const wchar_t* value) {
  if (value != nullptr) set(field, value);
}

Path joined(const PyWideStringList& list) {
  Path all;
  for (Py_ssize_t i = 0; i < list.length; i++) {
    if (i > 0) all += L':';
    all += list.items[i];
  }
  return all;
}

}  // namespace

PyStatus _PyPathConfig_ReadGlobal(PyConfig* config) {
  auto copy = [](wchar_t** field, const wchar_t* value) {
    return value != nullptr && *field == nullptr ? assign(field, value) : status_ok();
  };
  STATUS_TRY(copy(&config->prefix, paths.prefix));
  STATUS_TRY(copy(&config->exec_prefix, paths.exec_prefix));
  STATUS_TRY(copy(&config->stdlib_dir, paths.stdlib_dir));
  STATUS_TRY(copy(&config->program_name, paths.program_name));
  STATUS_TRY(copy(&config->home, paths.home));
  return copy(&config->executable, paths.program_full_path);
}

PyStatus _PyPathConfig_UpdateGlobal(const PyConfig* config) {
  set_if_known(&paths.prefix, config->prefix);
  set_if_known(&paths.exec_prefix, config->exec_prefix);
  set_if_known(&paths.stdlib_dir, config->stdlib_dir);
  set_if_known(&paths.program_name, config->program_name);
  set_if_known(&paths.home, config->home);
  set_if_known(&paths.program_full_path, config->executable);
  set(&paths.module_search_path, nullptr);
  set(&paths.calculated_search_path, joined(config->module_search_paths).c_str());
  return status_ok();
}

void _PyPathConfig_ClearGlobal(void) {
  for (wchar_t** field : {&paths.program_full_path, &paths.prefix, &paths.exec_prefix, &paths.stdlib_dir, &paths.program_name,
                          &paths.home, &paths.module_search_path, &paths.calculated_search_path}) {
    set(field, nullptr);
  }
}

const wchar_t* _PyPathConfig_GetGlobalModuleSearchPath(void) { return paths.module_search_path; }

void Py_SetPath(const wchar_t* path) {
  if (path == nullptr) {
    _PyPathConfig_ClearGlobal();
    return;
  }
  set(&paths.prefix, L"");
  set(&paths.exec_prefix, L"");
  set(&paths.stdlib_dir, L"");
  set(&paths.module_search_path, path);
  set(&paths.calculated_search_path, nullptr);
}

namespace {
void set_unless_empty(wchar_t** field, const wchar_t* value) {
  set(field, value == nullptr || value[0] == L'\0' ? nullptr : value);
}
}  // namespace

void Py_SetProgramName(const wchar_t* name) { set_unless_empty(&paths.program_name, name); }
void Py_SetPythonHome(const wchar_t* home) { set_unless_empty(&paths.home, home); }
void _Py_SetProgramFullPath(const wchar_t* path) { set_unless_empty(&paths.program_full_path, path); }

wchar_t* Py_GetPath(void) {
  return paths.module_search_path != nullptr ? paths.module_search_path : paths.calculated_search_path;
}
wchar_t* Py_GetPrefix(void) { return paths.prefix; }
wchar_t* Py_GetExecPrefix(void) { return paths.exec_prefix; }
wchar_t* Py_GetProgramFullPath(void) { return paths.program_full_path; }
wchar_t* Py_GetProgramName(void) { return paths.program_name; }
wchar_t* Py_GetPythonHome(void) { return paths.home; }

wchar_t* _Py_GetStdlibDir(void) { return paths.stdlib_dir != nullptr && paths.stdlib_dir[0] != L'\0' ? paths.stdlib_dir : nullptr; }

/// What is shown when the standard library isn't found.
void _Py_DumpPathConfig(PyThreadState* tstate) {
  PySys_WriteStderr("Python path configuration:\n");
  auto text = [](const char* name, const wchar_t* value) {
    const std::string shown = value == nullptr ? "(not set)" : "'" + encode(value) + "'";
    PySys_WriteStderr("  %s = %s\n", name, shown.c_str());
  };
  const PyConfig* config = _PyInterpreterState_GetConfig(tstate->interp);
  auto number = [](const char* name, int value) { PySys_WriteStderr("  %s = %i\n", name, value); };
  text("PYTHONHOME", config->home);
  text("PYTHONPATH", config->pythonpath_env);
  text("program name", config->program_name);
  number("isolated", config->isolated);
  number("environment", config->use_environment);
  number("user site", config->user_site_directory);
  number("safe_path", config->safe_path);
  number("import site", config->site_import);
  number("is in build tree", config->_is_python_build);
  text("stdlib dir", config->stdlib_dir);
  auto attribute = [](const char* name) {
    PyObject* value = PySys_GetObject(name);
    if (value == nullptr) {
      PySys_FormatStderr("  sys.%s = (not set)\n", name);
    } else {
      PySys_FormatStderr("  sys.%s = %A\n", name, value);
    }
  };
  for (const char* name : {"_base_executable", "base_prefix", "base_exec_prefix", "platlibdir", "executable", "prefix", "exec_prefix"}) {
    attribute(name);
  }
  PyObject* list = PySys_GetObject("path");
  if (list == nullptr || !PyList_Check(list)) return;
  PySys_WriteStderr("  sys.path = [\n");
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) PySys_FormatStderr("    %A,\n", PyList_GET_ITEM(list, i));
  PySys_WriteStderr("  ]\n");
}
