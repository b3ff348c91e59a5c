// PyPreConfig and PyConfig (PEP 587): each scenario initialises in its own way and shows the configuration that came of it, field by field.
#include <locale.h>
#include <stdlib.h>
#include <wchar.h>

#include "scenario.h"

extern "C" {
PyObject* _Py_GetConfigsAsDict(void);
PyStatus _Py_InitializeMain(void);
}

namespace {

/// Every field of the three configurations. Paths of this program are left to the `paths` scenarios.
void show_configs() {
  PyObject* configs = _Py_GetConfigsAsDict();
  PyObject* main = PyImport_AddModule("__main__");
  if (configs == nullptr) {
    PyErr_Print();
    return;
  }
  PyObject_SetAttrString(main, "configs", configs);
  Py_DECREF(configs);
  run("for part in sorted(configs):\n"
      "    for name, value in sorted(configs[part].items()):\n"
      "        if isinstance(value, list): value = [v for v in value if 'pyston' not in str(v)]\n"
      "        print(part, name, repr(value))\n");
}

void start(PyConfig* config) {
  PyStatus status = Py_InitializeFromConfig(config);
  PyConfig_Clear(config);
  show_status(status);
  if (PyStatus_Exception(status)) return;
  show_configs();
  SHOW(Py_FinalizeEx());
}

#define TEXT(field, value) show_status(PyConfig_SetString(&config, &config.field, value))

void compat() {
  Py_Initialize();
  show_configs();
  Py_Finalize();
}

void python() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  start(&config);
}

void isolated() {
  setenv("PYTHONPATH", "/not/used", 1);
  setenv("PYTHONUTF8", "1", 1);
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  start(&config);
}

void many_fields() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.use_hash_seed = 1;
  config.hash_seed = 123;
  config.faulthandler = 1;
  config.tracemalloc = 2;
  config.import_time = 0;
  config.site_import = 0;
  config.bytes_warning = 1;
  config.inspect = 1;
  config.interactive = 1;
  config.optimization_level = 2;
  config.parser_debug = 0;
  config.write_bytecode = 0;
  config.verbose = 0;
  config.quiet = 1;
  config.buffered_stdio = 0;
  config.user_site_directory = 0;
  config.install_signal_handlers = 0;
  config.safe_path = 1;
  config.code_debug_ranges = 0;
  config.warn_default_encoding = 1;
  config.pathconfig_warnings = 0;
  config.skip_source_first_line = 1;
  TEXT(program_name, L"./conf_program_name");
  TEXT(stdio_encoding, L"iso8859-1");
  TEXT(stdio_errors, L"replace");
  TEXT(check_hash_pycs_mode, L"always");
  TEXT(pycache_prefix, L"conf_pycache_prefix");
  TEXT(pythonpath_env, L"/from/config");
  TEXT(platlibdir, L"lib");
  static wchar_t* arguments[] = {L"program", L"-W", L"cmdline_warnoption", L"-X", L"cmdline_xoption", L"-c", L"pass", L"arg2"};
  show_status(PyConfig_SetArgv(&config, 8, arguments));
  show_status(PyWideStringList_Append(&config.warnoptions, L"config_warnoption"));
  show_status(PyWideStringList_Append(&config.xoptions, L"config_xoption"));
  start(&config);
}

void parsed_arguments() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  static const char* arguments[] = {"prog", "-E", "-s", "-B", "-OO", "-u", "-q", "-X", "dev", "-W", "ignore", "-m", "module_name", "x", "-y"};
  show_status(PyConfig_SetBytesArgv(&config, 15, const_cast<char* const*>(arguments)));
  start(&config);
}

void unparsed_arguments() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.parse_argv = 0;
  static wchar_t* arguments[] = {L"-E", L"-c", L"text"};
  show_status(PyConfig_SetArgv(&config, 3, arguments));
  start(&config);
}

void script_argument() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  static wchar_t* arguments[] = {L"prog", L"-I", L"/tmp/script.py", L"arg"};
  show_status(PyConfig_SetArgv(&config, 4, arguments));
  start(&config);
}

void variables() {
  setenv("PYTHONHASHSEED", "42", 1);
  setenv("PYTHONMALLOC", "malloc", 1);
  setenv("PYTHONTRACEMALLOC", "2", 1);
  setenv("PYTHONPROFILEIMPORTTIME", "0", 1);
  setenv("PYTHONNODEBUGRANGES", "1", 1);
  setenv("PYTHONMALLOCSTATS", "", 1);
  setenv("PYTHONUTF8", "1", 1);
  setenv("PYTHONVERBOSE", "0", 1);
  setenv("PYTHONINSPECT", "1", 1);
  setenv("PYTHONOPTIMIZE", "2", 1);
  setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
  setenv("PYTHONUNBUFFERED", "1", 1);
  setenv("PYTHONPYCACHEPREFIX", "env_pycache_prefix", 1);
  setenv("PYTHONNOUSERSITE", "1", 1);
  setenv("PYTHONFAULTHANDLER", "1", 1);
  setenv("PYTHONIOENCODING", "iso8859-1:replace", 1);
  setenv("PYTHONPLATLIBDIR", "env_platlibdir", 1);
  setenv("PYTHONSAFEPATH", "1", 1);
  setenv("PYTHONWARNINGS", "ignore,default", 1);
  unsetenv("PYTHONPLATLIBDIR");
  unsetenv("PYTHONPROFILEIMPORTTIME");
}

void environment_python() {
  variables();
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  start(&config);
}

void environment_compat() {
  variables();
  Py_Initialize();
  show_configs();
  Py_Finalize();
}

void environment_ignored() {
  variables();
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.use_environment = 0;
  start(&config);
}

void dev_mode() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.dev_mode = 1;
  start(&config);
}

void dev_mode_environment() {
  setenv("PYTHONDEVMODE", "1", 1);
  Py_Initialize();
  show_configs();
  Py_Finalize();
}

void preinitialize_isolated() {
  PyPreConfig preconfig;
  PyPreConfig_InitIsolatedConfig(&preconfig);
  show_status(Py_PreInitialize(&preconfig));
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  start(&config);
}

void preinitialize_utf8() {
  setlocale(LC_ALL, "C");
  PyPreConfig preconfig;
  PyPreConfig_InitPythonConfig(&preconfig);
  preconfig.utf8_mode = 1;
  preconfig.allocator = PYMEM_ALLOCATOR_MALLOC;
  static const char* arguments[] = {"prog", "-X", "dev", "-E"};
  show_status(Py_PreInitializeFromBytesArgs(&preconfig, 4, const_cast<char**>(arguments)));
  show_status(Py_PreInitialize(&preconfig));
  SHOW(Py_UTF8Mode);
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  start(&config);
}

void preinitialize_wide_arguments() {
  PyPreConfig preconfig;
  PyPreConfig_InitPythonConfig(&preconfig);
  static wchar_t* arguments[] = {L"prog", L"-I", L"-X", L"utf8=1"};
  show_status(Py_PreInitializeFromArgs(&preconfig, 4, arguments));
  Py_Initialize();
  show_configs();
  Py_Finalize();
}

void c_locale(const char* all) {
  setenv("LC_ALL", all, 1);
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  start(&config);
}
void locale_c() { c_locale("C"); }
void locale_posix() { c_locale("POSIX"); }
void locale_utf8() { c_locale("C.UTF-8"); }
void locale_coerced() {
  unsetenv("LC_ALL");
  unsetenv("LANG");
  setenv("LC_CTYPE", "C", 1);
  setenv("PYTHONCOERCECLOCALE", "warn", 1);
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  start(&config);
}

void read_then_change() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  TEXT(program_name, L"/usr/bin/read_config_program");
  show_status(PyConfig_Read(&config));
  SHOW_WIDE(config.program_name);
  SHOW_WIDE(config.filesystem_encoding);
  SHOW_WIDE(config.executable);
  SHOW(config.module_search_paths_set);
  SHOW_WIDE(config.prefix);
  config.optimization_level = 1;
  show_status(PyWideStringList_Insert(&config.argv, 0, L"inserted"));
  show_status(PyWideStringList_Insert(&config.argv, 99, L"last"));
  show_status(PyWideStringList_Insert(&config.argv, -1, L"bad"));
  start(&config);
}

void search_paths_given() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.module_search_paths_set = 1;
  PyWideStringList_Append(&config.module_search_paths, L"/usr/lib/python3.11");
  PyWideStringList_Append(&config.module_search_paths, L"/usr/lib/python3.11/lib-dynload");
  TEXT(executable, L"/given/executable");
  start(&config);
}

void everything_given() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  TEXT(program_name, L"name");
  TEXT(executable, L"/e/executable");
  TEXT(base_executable, L"/e/base_executable");
  TEXT(prefix, L"/p/prefix");
  TEXT(base_prefix, L"/p/base_prefix");
  TEXT(exec_prefix, L"/p/exec_prefix");
  TEXT(base_exec_prefix, L"/p/base_exec_prefix");
  TEXT(stdlib_dir, L"/usr/lib/python3.11");
  config.module_search_paths_set = 1;
  PyWideStringList_Append(&config.module_search_paths, L"/usr/lib/python3.11");
  PyWideStringList_Append(&config.module_search_paths, L"/usr/lib/python3.11/lib-dynload");
  config.site_import = 0;
  start(&config);
}

void home_given() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  TEXT(home, L"/usr");
  config.site_import = 0;
  start(&config);
}

void program_given(const wchar_t* name) {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  TEXT(program_name, name);
  start(&config);
}
void program_absolute() { program_given(L"/usr/bin/python3.11"); }
void program_elsewhere() { program_given(L"/nowhere/bin/python3.11"); }
void program_bare() { program_given(L"surely_not_on_path"); }
void program_empty() { program_given(L""); }

void set_path_and_config() {
  Py_SetPath(L"/usr/lib/python3.11:/usr/lib/python3.11/lib-dynload");
  Py_SetProgramName(L"from_global");
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  start(&config);
}

void wide_lists() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  static wchar_t* items[] = {L"one", L"two"};
  show_status(PyConfig_SetWideStringList(&config, &config.module_search_paths, 2, items));
  SHOW(config.module_search_paths.length);
  SHOW(config.module_search_paths_set);
  show_status(PyConfig_SetBytesString(&config, &config.run_command, "print('x')"));
  SHOW_WIDE(config.run_command);
  show_status(PyConfig_SetString(&config, &config.run_command, nullptr));
  SHOW_WIDE(config.run_command);
  PyConfig_Clear(&config);
  SHOW_WIDE(config.run_command);
}

void statuses() {
  show_status(PyStatus_Ok());
  show_status(PyStatus_Error("some message"));
  show_status(PyStatus_NoMemory());
  show_status(PyStatus_Exit(5));
  SHOW(PyStatus_Exception(PyStatus_Ok()));
  SHOW(PyStatus_Exception(PyStatus_Exit(0)));
  SHOW(PyStatus_IsError(PyStatus_Exit(0)));
  SHOW(PyStatus_IsExit(PyStatus_Error("x")));
  show_status(Py_InitializeFromConfig(nullptr));
}

/// What the command line or the environment refuses.
void refused(int count, const char* const* arguments, const char* name, const char* value) {
  if (name != nullptr) setenv(name, value, 1);
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  PyStatus status = PyConfig_SetBytesArgv(&config, count, const_cast<char* const*>(arguments));
  show_status(status);
  if (!PyStatus_Exception(status)) {
    status = Py_InitializeFromConfig(&config);
    show_status(status);
  }
  PyConfig_Clear(&config);
  SHOW(Py_IsInitialized());
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
}
void refused_option() { const char* a[] = {"prog", "-Z"}; refused(2, a, nullptr, nullptr); }
void refused_missing() { const char* a[] = {"prog", "-c"}; refused(2, a, nullptr, nullptr); }
void refused_seed() { const char* a[] = {"prog"}; refused(1, a, "PYTHONHASHSEED", "x"); }
void refused_utf8() { const char* a[] = {"prog"}; refused(1, a, "PYTHONUTF8", "x"); }
void refused_malloc() { const char* a[] = {"prog"}; refused(1, a, "PYTHONMALLOC", "x"); }
void refused_tracemalloc() { const char* a[] = {"prog"}; refused(1, a, "PYTHONTRACEMALLOC", "-1"); }
void refused_frozen() { const char* a[] = {"prog", "-X", "frozen_modules=x"}; refused(3, a, nullptr, nullptr); }
void refused_encoding() { const char* a[] = {"prog"}; refused(1, a, "PYTHONIOENCODING", "no-such-encoding"); }
void version_option() { const char* a[] = {"prog", "-V"}; refused(2, a, nullptr, nullptr); }
void exit_status() { Py_ExitStatusException(PyStatus_Exit(9)); }
void error_status() { Py_ExitStatusException(PyStatus_Error("given by the embedder")); }
void ok_status() { Py_ExitStatusException(PyStatus_Ok()); }

void core_then_main() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config._init_main = 0;
  TEXT(program_name, L"./split");
  show_status(Py_InitializeFromConfig(&config));
  PyConfig_Clear(&config);
  SHOW(Py_IsInitialized());
  SHOW(PyRun_SimpleString("import sys; print('Run Python code before _Py_InitializeMain', file=sys.stderr)"));
  show_status(_Py_InitializeMain());
  SHOW(Py_IsInitialized());
  show_configs();
  SHOW(Py_FinalizeEx());
}

}  // namespace

SCENARIOS({"compat", compat}, {"python", python}, {"isolated", isolated}, {"many_fields", many_fields},
          {"parsed_arguments", parsed_arguments}, {"unparsed_arguments", unparsed_arguments}, {"script_argument", script_argument},
          {"environment_python", environment_python}, {"environment_compat", environment_compat},
          {"environment_ignored", environment_ignored}, {"dev_mode", dev_mode}, {"dev_mode_environment", dev_mode_environment},
          {"preinitialize_isolated", preinitialize_isolated}, {"preinitialize_utf8", preinitialize_utf8},
          {"preinitialize_wide_arguments", preinitialize_wide_arguments}, {"locale_c", locale_c}, {"locale_posix", locale_posix},
          {"locale_utf8", locale_utf8}, {"locale_coerced", locale_coerced}, {"read_then_change", read_then_change},
          {"search_paths_given", search_paths_given}, {"everything_given", everything_given}, {"home_given", home_given},
          {"program_absolute", program_absolute}, {"program_elsewhere", program_elsewhere}, {"program_bare", program_bare},
          {"program_empty", program_empty}, {"set_path_and_config", set_path_and_config}, {"wide_lists", wide_lists},
          {"statuses", statuses}, {"refused_option", refused_option}, {"refused_missing", refused_missing},
          {"refused_seed", refused_seed}, {"refused_utf8", refused_utf8}, {"refused_malloc", refused_malloc},
          {"refused_tracemalloc", refused_tracemalloc}, {"refused_frozen", refused_frozen}, {"refused_encoding", refused_encoding},
          {"version_option", version_option}, {"exit_status", exit_status}, {"error_status", error_status}, {"ok_status", ok_status},
          {"core_then_main", core_then_main})
