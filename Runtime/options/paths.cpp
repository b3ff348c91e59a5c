// Where things are: the executable, the installation's prefixes, and the module search path.
//
// The standard library is the system's (Debian's libpython3.11-stdlib), so the prefix is /usr unless PYTHONHOME, a
// pyvenv.cfg `home`, or a standard library beside the executable says otherwise. The rules are those the reference
// documents for sys.prefix, sys.path initialisation and PEP 405. What was computed is remembered (global_paths.cpp) and
// is the default of the next initialisation.
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include <wctype.h>
#include <vector>

#include "Runtime/options/paths.h"
#include "internal/pycore_fileutils.h"
#include "internal/pycore_pathconfig.h"

namespace pyston::options {
namespace {

constexpr const wchar_t* kInstallPrefix = L"/usr";
constexpr const wchar_t* kVersionDirectory = L"python3.11";
constexpr const wchar_t* kZipName = L"python311.zip";

bool is_executable(const Path& path) { return is_file(path) && access(encode(path).c_str(), X_OK) == 0; }

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

Path file_name(const Path& path) {
  const size_t slash = path.rfind(L'/');
  return slash == Path::npos ? path : path.substr(slash + 1);
}

PyStatus assign_if_unset(wchar_t** field, const Path& value) {
  return *field != nullptr ? status_ok() : assign(field, value.c_str());
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

/// `path`, which is absolute, without "." and ".." components (as text: links are not followed).
Path normalized(const Path& path) {
  Path result;
  for (size_t start = 0; start < path.size();) {
    size_t end = path.find(L'/', start);
    if (end == Path::npos) end = path.size();
    const Path component = path.substr(start, end - start);
    if (component == L"..") {
      result = result.substr(0, result.rfind(L'/') == Path::npos ? 0 : result.rfind(L'/'));
    } else if (!component.empty() && component != L".") {
      result += L"/" + component;
    }
    start = end + 1;
  }
  return result.empty() ? Path(L"/") : result;
}

/// EXECUTABLE._pth, the file that says what sys.path is, whatever the environment says (the documentation of sys.path's
/// initialisation names it for Windows; python3.11 reads it everywhere).
struct PathFile {
  bool found = false;
  bool blank = true;  // not a single line: QUIRK: then its directory is taken for PYTHONHOME, and no more
  bool import_site = false;
  std::vector<Path> directories;
};

PathFile read_path_file(const Path& executable) {
  PathFile result;
  if (executable.empty()) return result;
  FILE* file = fopen(encode(executable + L"._pth").c_str(), "r");
  if (file == nullptr) return result;
  result.found = true;
  char* line = nullptr;
  size_t capacity = 0;
  while (getline(&line, &capacity, file) >= 0) {
    const Path text = trimmed(decode(line));
    result.blank = false;
    if (text.empty() || text[0] == L'#') continue;
    if (text == L"import site") {
      result.import_site = true;
    } else if (text.rfind(L"import ", 0) == 0) {
      fprintf(stderr, "unsupported 'import' line in ._pth file\n");
    } else {
      result.directories.push_back(normalized(join(parent(executable), text)));
    }
  }
  free(line);
  fclose(file);
  return result;
}

/// The directories of an installation: PREFIX/lib/python3.11 and EXEC_PREFIX/lib/python3.11/lib-dynload.
struct Layout {
  Path platlibdir;

  Path library(const Path& prefix) const { return join(join(prefix, platlibdir), kVersionDirectory); }
  Path dynamic(const Path& prefix) const { return join(library(prefix), L"lib-dynload"); }
  bool has_library(const Path& prefix) const {
    return is_file(join(library(prefix), L"os.py")) || is_file(join(library(prefix), L"os.pyc"));
  }
  bool has_dynamic(const Path& prefix) const { return is_directory(dynamic(prefix)); }

  /// The directory at or above `start` that `landmark` accepts, else the prefix of the system's Python.
  Path search(const Path& start, bool (Layout::*landmark)(const Path&) const) const {
    // The root itself is left out: /lib is only another name of /usr/lib.
    for (Path directory = start; !directory.empty() && directory != L"/"; directory = parent(directory)) {
      if ((this->*landmark)(directory)) return directory;
    }
    return kInstallPrefix;
  }
};

/// The interpreter that a virtual environment's one stands for: what its link leads to, else the one of that name in the
/// environment's `home`, else one of the usual names there.
Path base_of_environment(const Path& executable, const Path& home) {
  const Path real = real_path(executable);
  if (real != executable) return real;
  for (const Path& name : {file_name(executable), Path(L"pyston"), Path(L"python3"), Path(L"python3.11"), Path(L"python")}) {
    if (is_executable(join(home, name))) return join(home, name);
  }
  return join(home, file_name(executable));
}

/// PYTHONHOME's value: PREFIX or PREFIX:EXEC_PREFIX.
void split_home(const Path& home, Path* prefix, Path* exec_prefix) {
  const size_t colon = home.find(L':');
  *prefix = home.substr(0, colon);
  *exec_prefix = colon == Path::npos || colon + 1 == home.size() ? *prefix : home.substr(colon + 1);
}

PyStatus default_search_path(const PyConfig* config, const Layout& layout, const Path& prefix, const Path& exec_prefix,
                             PyWideStringList* list) {
  if (config->pythonpath_env != nullptr) STATUS_TRY(append_paths(list, config->pythonpath_env));
  STATUS_TRY(PyWideStringList_Append(list, join(join(prefix, layout.platlibdir), kZipName).c_str()));
  STATUS_TRY(PyWideStringList_Append(list, layout.library(prefix).c_str()));
  return PyWideStringList_Append(list, layout.dynamic(exec_prefix).c_str());
}

/// What follows from a ._pth file: the directory that it is in is the installation, and nothing else is looked at.
PyStatus apply_path_file(PyConfig* config, const Layout& layout, const Path& directory, const PathFile& file) {
  config->isolated = 1;
  config->use_environment = 0;
  config->safe_path = 1;
  config->site_import = file.import_site;
  STATUS_TRY(assign_if_unset(&config->stdlib_dir, layout.library(directory)));
  _PyWideStringList_Clear(&config->module_search_paths);
  for (const Path& entry : file.directories) {
    STATUS_TRY(PyWideStringList_Append(&config->module_search_paths, entry.c_str()));
  }
  config->module_search_paths_set = 1;
  return status_ok();
}

PyStatus compute_search_path(PyConfig* config, const Layout& layout, const Path& prefix, const Path& exec_prefix) {
  // The caller's paths may come from anywhere, so that there is no one directory of the standard library.
  if (config->module_search_paths_set) return assign(&config->stdlib_dir, L"");
  PyWideStringList list{};
  const wchar_t* given = _PyPathConfig_GetGlobalModuleSearchPath();
  PyStatus status =
      given != nullptr ? append_paths(&list, given) : default_search_path(config, layout, prefix, exec_prefix, &list);
  if (!is_exception(status)) {
    status = given != nullptr ? assign(&config->stdlib_dir, L"") : assign_if_unset(&config->stdlib_dir, layout.library(prefix));
  }
  if (is_exception(status)) {
    _PyWideStringList_Clear(&list);
    return status;
  }
  _PyWideStringList_Clear(&config->module_search_paths);
  config->module_search_paths = list;
  config->module_search_paths_set = 1;
  return status_ok();
}

}  // namespace

PyStatus compute_paths(PyConfig* config, bool compute_all) {
  STATUS_TRY(_PyPathConfig_ReadGlobal(config));
  if (!compute_all) return status_ok();

  const Path program = config->program_name == nullptr ? Path() : Path(config->program_name);
  STATUS_TRY(assign_if_unset(&config->executable, find_executable(program)));
  const Path executable = config->executable;
  const Layout layout{config->platlibdir == nullptr ? L"lib" : Path(config->platlibdir)};
  const bool own_path = config->module_search_paths_set || _PyPathConfig_GetGlobalModuleSearchPath() != nullptr;
  const PathFile path_file = own_path ? PathFile() : read_path_file(executable);
  const Path environment_home = config->home == nullptr || *config->home == L'\0' ? read_venv_home(executable) : Path();
  if (path_file.found) STATUS_TRY(assign(&config->home, parent(executable).c_str()));
  const Path home = config->home == nullptr ? Path() : Path(config->home);
  STATUS_TRY(assign_if_unset(&config->base_executable, environment_home.empty()
                                                           ? executable
                                                           : base_of_environment(executable, environment_home)));
  const bool by_path_file = path_file.found && !path_file.blank;
  Path prefix;
  Path exec_prefix;
  if (by_path_file) {
    prefix = exec_prefix = parent(executable);
  } else if (!home.empty()) {
    split_home(home, &prefix, &exec_prefix);
  } else {
    const Path start = environment_home.empty() ? parent(real_path(executable)) : environment_home;
    prefix = layout.search(start, &Layout::has_library);
    exec_prefix = layout.search(start, &Layout::has_dynamic);
    if (config->pathconfig_warnings && !layout.has_library(prefix)) {
      fprintf(stderr, "Could not find platform independent libraries <prefix>\n");
    }
    if (config->pathconfig_warnings && !layout.has_dynamic(exec_prefix)) {
      fprintf(stderr, "Could not find platform dependent libraries <exec_prefix>\n");
    }
  }
  STATUS_TRY(assign_if_unset(&config->prefix, prefix));
  STATUS_TRY(assign_if_unset(&config->exec_prefix, exec_prefix));
  STATUS_TRY(assign_if_unset(&config->base_prefix, config->prefix));
  STATUS_TRY(assign_if_unset(&config->base_exec_prefix, config->exec_prefix));
  return by_path_file ? apply_path_file(config, layout, prefix, path_file) : compute_search_path(config, layout, prefix, exec_prefix);
}

}  // namespace pyston::options

using namespace pyston::options;

PyStatus _PyConfig_InitPathConfig(PyConfig* config, int compute_path_config) {
  return compute_paths(config, compute_path_config != 0);
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
