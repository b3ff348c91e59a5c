// Where things are: the executable, the installation's prefixes, and the module search path.
//
// The standard library is the system's (Debian's libpython3.11-stdlib), so the prefix is /usr unless PYTHONHOME, a
// pyvenv.cfg `home`, or a standard library beside the executable says otherwise. The rules are those the reference
// documents for sys.prefix, sys.path initialisation and PEP 405.
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include <string>

#include "Runtime/options/options.h"
#include "internal/pycore_fileutils.h"
#include "internal/pycore_pathconfig.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"

#define PYSTON_WIDEN_(text) L##text
#define PYSTON_WIDEN(text) PYSTON_WIDEN_(text)

namespace pyston::options {
namespace {

constexpr const wchar_t* kInstallPrefix = L"/usr";
constexpr const wchar_t* kVersionDirectory = L"python3.11";
constexpr const wchar_t* kZipName = L"python311.zip";

using Path = std::wstring;

std::string encode(const Path& path) {
  char* bytes = Py_EncodeLocale(path.c_str(), nullptr);
  std::string result = bytes == nullptr ? std::string() : std::string(bytes);
  PyMem_Free(bytes);
  return result;
}

Path decode(const char* bytes) {
  wchar_t* wide = Py_DecodeLocale(bytes, nullptr);
  Path result = wide == nullptr ? Path() : Path(wide);
  PyMem_RawFree(wide);
  return result;
}

bool is_file(const Path& path) {
  struct stat info;
  return stat(encode(path).c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool is_directory(const Path& path) {
  struct stat info;
  return stat(encode(path).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_executable(const Path& path) { return is_file(path) && access(encode(path).c_str(), X_OK) == 0; }

Path parent(const Path& path) {
  const size_t slash = path.rfind(L'/');
  if (slash == Path::npos) return L"";
  return slash == 0 ? L"/" : path.substr(0, slash);
}

Path join(const Path& left, const Path& right) {
  if (!right.empty() && right[0] == L'/') return right;
  return left.empty() || left.back() == L'/' ? left + right : left + L"/" + right;
}

Path absolute(const Path& path) {
  if (path.empty() || path[0] == L'/') return path;
  char cwd[PATH_MAX];
  if (getcwd(cwd, sizeof cwd) == nullptr) return path;
  Path relative = path;
  while (relative.rfind(L"./", 0) == 0) relative = relative.substr(2);
  return join(decode(cwd), relative);
}

/// The program as the shell found it: through PATH when its name has no slash.
Path find_executable(const Path& program) {
  if (program.empty()) return L"";
  if (program.find(L'/') != Path::npos) return absolute(program);
  const char* variable = getenv("PATH");
  if (variable == nullptr) return L"";
  const Path all = decode(variable);
  for (size_t start = 0; start <= all.size();) {
    size_t end = all.find(L':', start);
    if (end == Path::npos) end = all.size();
    const Path candidate = join(all.substr(start, end - start), program);
    if (is_executable(candidate)) return absolute(candidate);
    start = end + 1;
  }
  return L"";
}

Path trimmed(Path text) {
  while (!text.empty() && iswspace(text.back())) text.pop_back();
  size_t start = 0;
  while (start < text.size() && iswspace(text[start])) start++;
  return text.substr(start);
}

/// `home` of the pyvenv.cfg beside the executable or one directory up; empty without one.
Path read_venv_home(const Path& executable) {
  const Path directory = parent(executable);
  for (const Path& candidate : {join(directory, L"pyvenv.cfg"), join(parent(directory), L"pyvenv.cfg")}) {
    FILE* file = fopen(encode(candidate).c_str(), "r");
    if (file == nullptr) continue;
    char line[PATH_MAX + 64];
    Path home;
    while (home.empty() && fgets(line, sizeof line, file) != nullptr) {
      const Path text = decode(line);
      const size_t equals = text.find(L'=');
      if (equals == Path::npos) continue;
      Path key = trimmed(text.substr(0, equals));
      for (wchar_t& c : key) c = static_cast<wchar_t>(towlower(static_cast<wint_t>(c)));
      if (key == L"home") home = trimmed(text.substr(equals + 1));
    }
    fclose(file);
    return home;
  }
  return L"";
}

bool has_stdlib(const Path& prefix, const Path& platlibdir) {
  const Path library = join(join(prefix, platlibdir), kVersionDirectory);
  return is_file(join(library, L"os.py")) || is_file(join(library, L"os.pyc"));
}

PyStatus assign_if_unset(wchar_t** field, const Path& value) {
  return *field != nullptr ? status_ok() : assign(field, value.c_str());
}

/// What Py_SetPath and its relatives were told before initialisation.
struct GlobalPaths {
  Path program_name;
  Path home;
  Path module_search_path;
  bool has_module_search_path = false;
  // What the getters answer; kept alive until the next configuration.
  Path full_program_name;
  Path prefix;
  Path exec_prefix;
  Path calculated_search_path;
  bool calculated = false;
};
GlobalPaths& globals() {
  static GlobalPaths* paths = new GlobalPaths();
  return *paths;
}

PyStatus append_paths(PyWideStringList* list, const Path& all) {
  for (size_t start = 0; start <= all.size();) {
    size_t end = all.find(L':', start);
    if (end == Path::npos) end = all.size();
    STATUS_TRY(PyWideStringList_Append(list, all.substr(start, end - start).c_str()));
    start = end + 1;
  }
  return status_ok();
}

}  // namespace

PyStatus compute_paths(PyConfig* config, bool compute_search_path) {
  const GlobalPaths& given = globals();
  if (!given.program_name.empty()) STATUS_TRY(assign(&config->program_name, given.program_name.c_str()));
  if (config->home == nullptr && !given.home.empty()) STATUS_TRY(assign(&config->home, given.home.c_str()));
  if (!compute_search_path) return status_ok();

  const Path program = config->program_name == nullptr ? Path() : Path(config->program_name);
  STATUS_TRY(assign_if_unset(&config->executable, find_executable(program)));
  const Path executable = config->executable;
  const Path platlibdir = config->platlibdir == nullptr ? L"lib" : Path(config->platlibdir);

  Path home = config->home == nullptr ? Path() : Path(config->home);
  Path search_from = parent(executable);
  if (home.empty()) {
    const Path venv_home = read_venv_home(executable);
    if (!venv_home.empty()) {
      search_from = venv_home;
      // The base executable has the name this one was started under, or one of the usual ones.
      const size_t slash = executable.rfind(L'/');
      const Path name = slash == Path::npos ? executable : executable.substr(slash + 1);
      for (const Path& candidate : {name, Path(L"pyston"), Path(L"python3.11"), Path(L"python3"), Path(L"python")}) {
        if (is_executable(join(venv_home, candidate))) {
          STATUS_TRY(assign_if_unset(&config->base_executable, join(venv_home, candidate)));
          break;
        }
      }
    }
  }
  STATUS_TRY(assign_if_unset(&config->base_executable, executable));

  Path prefix;
  Path exec_prefix;
  if (!home.empty()) {
    const size_t colon = home.find(L':');
    prefix = home.substr(0, colon);
    exec_prefix = colon == Path::npos ? prefix : home.substr(colon + 1);
  } else {
    // The root itself is left out: /lib is only another name of /usr/lib.
    for (Path directory = search_from; !directory.empty() && directory != L"/"; directory = parent(directory)) {
      if (has_stdlib(directory, platlibdir)) {
        prefix = directory;
        break;
      }
    }
    if (prefix.empty()) prefix = kInstallPrefix;
    exec_prefix = prefix;
  }
  STATUS_TRY(assign_if_unset(&config->prefix, prefix));
  STATUS_TRY(assign_if_unset(&config->base_prefix, prefix));
  STATUS_TRY(assign_if_unset(&config->exec_prefix, exec_prefix));
  STATUS_TRY(assign_if_unset(&config->base_exec_prefix, exec_prefix));

  const Path library = join(join(prefix, platlibdir), kVersionDirectory);
  STATUS_TRY(assign_if_unset(&config->stdlib_dir, library));
  if (!config->module_search_paths_set) {
    PyWideStringList list{};
    if (given.has_module_search_path) {
      STATUS_TRY(append_paths(&list, given.module_search_path));
    } else {
      if (config->pythonpath_env != nullptr) STATUS_TRY(append_paths(&list, config->pythonpath_env));
      STATUS_TRY(PyWideStringList_Append(&list, join(join(prefix, platlibdir), kZipName).c_str()));
      STATUS_TRY(PyWideStringList_Append(&list, library.c_str()));
      const Path dynamic = join(join(join(exec_prefix, platlibdir), kVersionDirectory), L"lib-dynload");
      STATUS_TRY(PyWideStringList_Append(&list, dynamic.c_str()));
    }
    _PyWideStringList_Clear(&config->module_search_paths);
    config->module_search_paths = list;
    config->module_search_paths_set = 1;
    if (config->pathconfig_warnings && !has_stdlib(prefix, platlibdir)) {
      fprintf(stderr, "Could not find platform independent libraries <prefix>\n");
    }
    if (config->pathconfig_warnings && !is_directory(join(library, L"lib-dynload"))) {
      fprintf(stderr, "Could not find platform dependent libraries <exec_prefix>\n");
    }
  }
  return status_ok();
}

}  // namespace pyston::options

using namespace pyston::options;

PyStatus _PyConfig_InitPathConfig(PyConfig* config, int compute_path_config) {
  return compute_paths(config, compute_path_config != 0);
}

// ---- the getters and setters of old ------------------------------------------------------------------------------

PyStatus _PyPathConfig_ReadGlobal(PyConfig*) { return status_ok(); }

PyStatus _PyPathConfig_UpdateGlobal(const PyConfig* config) {
  GlobalPaths& paths = globals();
  auto text = [](const wchar_t* value) { return value == nullptr ? Path() : Path(value); };
  paths.prefix = text(config->prefix);
  paths.exec_prefix = text(config->exec_prefix);
  paths.full_program_name = text(config->executable);
  paths.program_name = text(config->program_name);
  paths.home = text(config->home);
  paths.calculated_search_path.clear();
  for (Py_ssize_t i = 0; i < config->module_search_paths.length; i++) {
    if (i > 0) paths.calculated_search_path += L':';
    paths.calculated_search_path += config->module_search_paths.items[i];
  }
  paths.calculated = true;
  return status_ok();
}

void _PyPathConfig_ClearGlobal(void) { globals() = GlobalPaths(); }

const wchar_t* _PyPathConfig_GetGlobalModuleSearchPath(void) {
  return globals().has_module_search_path ? globals().module_search_path.c_str() : nullptr;
}

namespace {
wchar_t* answer(Path& value) { return globals().calculated && !value.empty() ? value.data() : nullptr; }
}  // namespace

wchar_t* Py_GetPath(void) { return answer(globals().calculated_search_path); }
wchar_t* Py_GetPrefix(void) { return answer(globals().prefix); }
wchar_t* Py_GetExecPrefix(void) { return answer(globals().exec_prefix); }
wchar_t* Py_GetProgramFullPath(void) { return answer(globals().full_program_name); }
wchar_t* Py_GetProgramName(void) { return globals().program_name.empty() ? nullptr : globals().program_name.data(); }
wchar_t* Py_GetPythonHome(void) { return globals().home.empty() ? nullptr : globals().home.data(); }
void Py_SetProgramName(const wchar_t* name) { globals().program_name = name == nullptr ? L"" : name; }
void Py_SetPythonHome(const wchar_t* home) { globals().home = home == nullptr ? L"" : home; }
void _Py_SetProgramFullPath(const wchar_t* path) { globals().full_program_name = path == nullptr ? L"" : path; }
void Py_SetPath(const wchar_t* path) {
  globals().has_module_search_path = path != nullptr;
  globals().module_search_path = path == nullptr ? L"" : path;
}

wchar_t* _Py_GetStdlibDir(void) {
  const PyConfig* config = _Py_GetConfig();
  return config->stdlib_dir;
}

void _Py_DumpPathConfig(PyThreadState*) {
  fprintf(stderr, "Python path configuration:\n");
  fprintf(stderr, "  PYTHONHOME = %s\n", globals().home.empty() ? "(not set)" : encode(globals().home).c_str());
  fprintf(stderr, "  program name = '%s'\n", encode(globals().program_name).c_str());
  fprintf(stderr, "  sys.prefix = '%s'\n", encode(globals().prefix).c_str());
  fprintf(stderr, "  sys.exec_prefix = '%s'\n", encode(globals().exec_prefix).c_str());
  fprintf(stderr, "  sys.path = '%s'\n", encode(globals().calculated_search_path).c_str());
}

/// sys.path[0]: the script's directory (links followed), "" for -c and the prompt, the current directory for -m.
/// Returns 1 and a new reference in *path0, 0 when there is none, -1 on error.
int _PyPathConfig_ComputeSysPath0(const PyWideStringList* argv, PyObject** path0) {
  if (argv->length == 0) return 0;
  const Path first = argv->items[0];
  Path directory;
  if (first == L"-m") {
    char cwd[PATH_MAX];
    if (getcwd(cwd, sizeof cwd) == nullptr) return 0;
    directory = decode(cwd);
  } else if (first != L"-c") {
    Path script = first;
    char link[PATH_MAX];
    const ssize_t length = readlink(encode(script).c_str(), link, sizeof link - 1);
    if (length > 0) {
      link[length] = '\0';
      script = join(parent(script), decode(link));
    }
    char resolved[PATH_MAX];
    if (realpath(encode(script).c_str(), resolved) != nullptr) script = decode(resolved);
    directory = parent(script);
  }
  *path0 = PyUnicode_FromWideChar(directory.c_str(), static_cast<Py_ssize_t>(directory.size()));
  return *path0 == nullptr ? -1 : 1;
}
