// PyConfig (PEP 587): defaults, copy, the command line and the environment, and the write-back to the global flags.
#include <langinfo.h>
#include <locale.h>
#include <wchar.h>

#include <string>

#include "Runtime/options/options.h"
#include "internal/pycore_fileutils.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_long.h"
#include "internal/pycore_pathconfig.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"

using namespace pyston::options;

int _Py_global_config_int_max_str_digits = -1;
JitMode pyston::options::jit_mode = JitMode::kOff;

namespace {
PyWideStringList original_arguments{};
}

void pyston::options::remember_original_arguments(const PyWideStringList& list) {
  _PyWideStringList_Copy(&original_arguments, &list);
}

void Py_GetArgcArgv(int* argc, wchar_t*** argv) {
  *argc = static_cast<int>(original_arguments.length);
  *argv = original_arguments.items;
}

void _Py_ClearArgcArgv(void) { _PyWideStringList_Clear(&original_arguments); }

// ---- defaults, copies ---------------------------------------------------------------------------------------------

void _PyConfig_InitCompatConfig(PyConfig* config) {
  *config = PyConfig{};
  config->_config_init = _PyConfig_INIT_COMPAT;
  config->isolated = -1;
  config->use_environment = -1;
  config->dev_mode = -1;
  config->install_signal_handlers = 1;
  config->use_hash_seed = -1;
  config->faulthandler = -1;
  config->tracemalloc = -1;
  config->module_search_paths_set = 0;
  config->parse_argv = 0;
  config->site_import = -1;
  config->bytes_warning = -1;
  config->warn_default_encoding = 0;
  config->inspect = -1;
  config->interactive = -1;
  config->optimization_level = -1;
  config->parser_debug = -1;
  config->write_bytecode = -1;
  config->verbose = -1;
  config->quiet = -1;
  config->user_site_directory = -1;
  config->configure_c_stdio = 0;
  config->buffered_stdio = -1;
  config->_install_importlib = 1;
  config->pathconfig_warnings = -1;
  config->_init_main = 1;
  config->use_frozen_modules = 1;
  config->safe_path = 0;
  config->code_debug_ranges = 1;
}

namespace {

void init_defaults(PyConfig* config) {
  _PyConfig_InitCompatConfig(config);
  config->isolated = 0;
  config->use_environment = 1;
  config->site_import = 1;
  config->bytes_warning = 0;
  config->inspect = 0;
  config->interactive = 0;
  config->optimization_level = 0;
  config->parser_debug = 0;
  config->write_bytecode = 1;
  config->verbose = 0;
  config->quiet = 0;
  config->user_site_directory = 1;
  config->buffered_stdio = 1;
  config->pathconfig_warnings = 1;
}

}  // namespace

void PyConfig_InitPythonConfig(PyConfig* config) {
  init_defaults(config);
  config->_config_init = _PyConfig_INIT_PYTHON;
  config->configure_c_stdio = 1;
  config->parse_argv = 1;
}

void PyConfig_InitIsolatedConfig(PyConfig* config) {
  init_defaults(config);
  config->_config_init = _PyConfig_INIT_ISOLATED;
  config->isolated = 1;
  config->use_environment = 0;
  config->user_site_directory = 0;
  config->dev_mode = 0;
  config->install_signal_handlers = 0;
  config->use_hash_seed = 0;
  config->faulthandler = 0;
  config->tracemalloc = 0;
  config->safe_path = 1;
  config->pathconfig_warnings = 0;
}

void PyConfig_Clear(PyConfig* config) {
#define STR(name) PyMem_RawFree(config->name), config->name = nullptr;
#define OPT_STR(name) STR(name)
#define LIST(name) _PyWideStringList_Clear(&config->name);
#include "Runtime/options/config_fields.def"
#undef STR
}

PyStatus _PyConfig_Copy(PyConfig* config, const PyConfig* source) {
  if (config == source) return status_ok();
  PyConfig_Clear(config);
#define INT(name) config->name = source->name;
#define ULONG(name) config->name = source->name;
#define STR(name) STATUS_TRY(assign(&config->name, source->name));
#define OPT_STR(name) STATUS_TRY(assign(&config->name, source->name));
#define LIST(name) \
  if (_PyWideStringList_Copy(&config->name, &source->name) < 0) return status_no_memory(__func__);
#include "Runtime/options/config_fields.def"
  return status_ok();
}

PyObject* _PyConfig_AsDict(const PyConfig* config) {
  PyObject* dict = PyDict_New();
  if (dict == nullptr) return nullptr;
  bool good = true;
  auto add = [&](const char* name, PyObject* value) {
    good = good && value != nullptr && PyDict_SetItemString(dict, name, value) == 0;
    Py_XDECREF(value);
  };
  auto text = [](const wchar_t* value) { return value == nullptr ? Py_NewRef(Py_None) : PyUnicode_FromWideChar(value, -1); };
#define INT(name) add(#name, PyLong_FromLong(config->name));
#define ULONG(name) add(#name, PyLong_FromUnsignedLong(config->name));
#define STR(name) add(#name, text(config->name));
#define OPT_STR(name) add(#name, text(config->name));
#define LIST(name) add(#name, _PyWideStringList_AsList(&config->name));
#include "Runtime/options/config_fields.def"
  if (!good) Py_CLEAR(dict);
  return dict;
}

namespace {

PyObject* required_item(PyObject* dict, const char* name) {
  PyObject* item = PyDict_GetItemString(dict, name);
  if (item == nullptr && !PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "missing config key: %s", name);
  return item;
}

bool read_integer(PyObject* dict, const char* name, int* out) {
  PyObject* item = required_item(dict, name);
  if (item == nullptr) return false;
  const int value = _PyLong_AsInt(item);
  if (value == -1 && PyErr_Occurred()) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Format(PyExc_TypeError, "invalid config type: %s", name);
    } else {
      PyErr_Format(PyExc_ValueError, "invalid config value: %s", name);
    }
    return false;
  }
  if (value < 0) {
    PyErr_Format(PyExc_ValueError, "invalid config value: %s", name);
    return false;
  }
  *out = value;
  return true;
}

bool read_seed(PyObject* dict, const char* name, unsigned long* out) {
  constexpr unsigned long kLargestSeed = 4294967295UL;
  PyObject* item = required_item(dict, name);
  if (item == nullptr) return false;
  *out = PyLong_AsUnsignedLong(item);
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_OverflowError)) {
    PyErr_Format(PyExc_TypeError, "invalid config type: %s", name);
    return false;
  }
  if (PyErr_Occurred() || *out > kLargestSeed) {
    PyErr_Format(PyExc_ValueError, "invalid config value: %s", name);
    return false;
  }
  return true;
}

bool read_text(PyObject* dict, const char* name, bool optional, wchar_t** out) {
  PyObject* item = required_item(dict, name);
  if (item == nullptr) return false;
  wchar_t* decoded = nullptr;
  if (item == Py_None) {
    if (!optional) {
      PyErr_Format(PyExc_ValueError, "invalid config value: %s", name);
      return false;
    }
  } else if (!PyUnicode_Check(item)) {
    PyErr_Format(PyExc_TypeError, "invalid config type: %s", name);
    return false;
  } else {
    wchar_t* wide = PyUnicode_AsWideCharString(item, nullptr);
    if (wide == nullptr) return false;
    const bool good = !is_exception(assign(&decoded, wide));
    PyMem_Free(wide);
    if (!good) {
      PyErr_NoMemory();
      return false;
    }
  }
  PyMem_RawFree(*out);
  *out = decoded;
  return true;
}

bool read_list(PyObject* dict, const char* name, PyWideStringList* out) {
  PyObject* item = required_item(dict, name);
  if (item == nullptr) return false;
  if (!PySequence_Check(item) || !PyList_CheckExact(item)) {
    PyErr_Format(PyExc_TypeError, "invalid config type: %s", name);
    return false;
  }
  PyWideStringList list{};
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(item); i++) {
    PyObject* text = PyList_GET_ITEM(item, i);
    if (!PyUnicode_Check(text)) {
      const bool unset = text == Py_None;
      PyErr_Format(unset ? PyExc_ValueError : PyExc_TypeError, "invalid config %s: %s", unset ? "value" : "type", name);
      _PyWideStringList_Clear(&list);
      return false;
    }
    wchar_t* wide = PyUnicode_AsWideCharString(text, nullptr);
    if (wide == nullptr || is_exception(PyWideStringList_Append(&list, wide))) {
      PyMem_Free(wide);
      _PyWideStringList_Clear(&list);
      if (!PyErr_Occurred()) PyErr_NoMemory();
      return false;
    }
    PyMem_Free(wide);
  }
  _PyWideStringList_Clear(out);
  *out = list;
  return true;
}

}  // namespace

int _PyConfig_FromDict(PyConfig* config, PyObject* dict) {
  if (!PyDict_Check(dict)) {
    PyErr_SetString(PyExc_TypeError, "dict expected");
    return -1;
  }
#define INT(name) \
  if (!read_integer(dict, #name, &config->name)) return -1;
#define ULONG(name) \
  if (!read_seed(dict, #name, &config->name)) return -1;
#define STR(name) \
  if (!read_text(dict, #name, false, &config->name)) return -1;
#define OPT_STR(name) \
  if (!read_text(dict, #name, true, &config->name)) return -1;
#define LIST(name) \
  if (!read_list(dict, #name, &config->name)) return -1;
#include "Runtime/options/config_fields.def"
  if (config->_config_init < _PyConfig_INIT_COMPAT || config->_config_init > _PyConfig_INIT_ISOLATED) {
    PyErr_SetString(PyExc_ValueError, "invalid config value: _config_init");
    return -1;
  }
  return 0;
}

/// The global flags of old, by name.
static PyObject* global_flags_as_dict() {
  PyObject* dict = PyDict_New();
  if (dict == nullptr) return nullptr;
  bool good = true;
  auto add = [&](const char* name, PyObject* value) {
    good = good && value != nullptr && PyDict_SetItemString(dict, name, value) == 0;
    Py_XDECREF(value);
  };
  auto text = [](const char* value) { return value == nullptr ? Py_NewRef(Py_None) : PyUnicode_DecodeUTF8(value, strlen(value), nullptr); };
#define FLAG(name) add(#name, PyLong_FromLong(name));
#define TEXT(name) add(#name, text(name));
#include "Runtime/options/global_flags.def"
  if (!good) Py_CLEAR(dict);
  return dict;
}

PyObject* _Py_GetConfigsAsDict(void) {
  PyObject* result = PyDict_New();
  if (result == nullptr) return nullptr;
  PyObject* preconfig = _PyPreConfig_AsDict(&_PyRuntime.preconfig);
  PyObject* config = _PyConfig_AsDict(_Py_GetConfig());
  PyObject* global_config = global_flags_as_dict();
  const bool good = preconfig != nullptr && config != nullptr && global_config != nullptr &&
                    PyDict_SetItemString(result, "global_config", global_config) == 0 &&
                    PyDict_SetItemString(result, "pre_config", preconfig) == 0 &&
                    PyDict_SetItemString(result, "config", config) == 0;
  Py_XDECREF(preconfig);
  Py_XDECREF(config);
  Py_XDECREF(global_config);
  if (!good) Py_CLEAR(result);
  return result;
}

// ---- setters ------------------------------------------------------------------------------------------------------

PyStatus PyConfig_SetString(PyConfig* config, wchar_t** field, const wchar_t* text) {
  STATUS_TRY(_Py_PreInitializeFromConfig(config, nullptr));
  return assign(field, text);
}

PyStatus PyConfig_SetBytesString(PyConfig* config, wchar_t** field, const char* text) {
  STATUS_TRY(_Py_PreInitializeFromConfig(config, nullptr));
  return assign_decoded(field, text);
}

PyStatus _PyConfig_SetPyArgv(PyConfig* config, const _PyArgv* args) {
  STATUS_TRY(_Py_PreInitializeFromConfig(config, args));
  return _PyArgv_AsWstrList(args, &config->argv);
}

PyStatus PyConfig_SetBytesArgv(PyConfig* config, Py_ssize_t argc, char* const* argv) {
  _PyArgv args{};
  args.argc = argc;
  args.use_bytes_argv = 1;
  args.bytes_argv = argv;
  return _PyConfig_SetPyArgv(config, &args);
}

PyStatus PyConfig_SetArgv(PyConfig* config, Py_ssize_t argc, wchar_t* const* argv) {
  _PyArgv args{};
  args.argc = argc;
  args.wchar_argv = argv;
  return _PyConfig_SetPyArgv(config, &args);
}

PyStatus PyConfig_SetWideStringList(PyConfig* config, PyWideStringList* list, Py_ssize_t length, wchar_t** items) {
  STATUS_TRY(_Py_PreInitializeFromConfig(config, nullptr));
  PyWideStringList source{};
  source.length = length;
  source.items = items;
  return _PyWideStringList_Copy(list, &source) < 0 ? status_no_memory(__func__) : status_ok();
}

// ---- reading ------------------------------------------------------------------------------------------------------

namespace {

/// Warning options in the order of their precedence: -X dev first, then PYTHONWARNINGS, then -W, then -b.
struct WarningOptions {
  PyWideStringList command_line{};
  PyWideStringList environment{};
  ~WarningOptions() {
    _PyWideStringList_Clear(&command_line);
    _PyWideStringList_Clear(&environment);
  }
};

PyStatus usage_error(const wchar_t* program) {
  fprintf(stderr, "usage: %ls [option] ... [-c cmd | -m mod | file | -] [arg] ...\n", program);
  fprintf(stderr, "Try `python -h' for more information.\n");
  return status_exit(2);
}

/// The script's path, so that __file__ stays right when the program changes its directory. A path that cannot be made
/// absolute is kept.
PyStatus make_absolute(wchar_t** path) {
  if (_Py_isabs(*path)) return status_ok();
  wchar_t* absolute;
  if (_Py_abspath(*path, &absolute) < 0) return status_ok();
  if (absolute == nullptr) return status_no_memory(__func__);
  PyMem_RawFree(*path);
  *path = absolute;
  return status_ok();
}

/// Parses config->argv; `rest` gets the index of the first argument that belongs to the program.
PyStatus parse_command_line(PyConfig* config, WarningOptions* warnings, Py_ssize_t* rest) {
  const PyWideStringList* argv = &config->argv;
  const wchar_t* program = config->program_name;
  if (argv->length >= 1 && argv->items[0][0] != L'\0') program = argv->items[0];
  OptionScanner scanner(argv);
  scanner.report_errors = true;
  bool show_version = false;
  int version_count = 0;
  for (int option = scanner.next(); option != -1; option = scanner.next()) {
    if (option == 'c') {
      if (config->run_command == nullptr) {
        const size_t length = wcslen(scanner.argument);
        auto* command = static_cast<wchar_t*>(PyMem_RawMalloc((length + 2) * sizeof(wchar_t)));
        if (command == nullptr) return status_no_memory(__func__);
        wmemcpy(command, scanner.argument, length);
        command[length] = L'\n';  // lets the last line be a compound statement
        command[length + 1] = L'\0';
        config->run_command = command;
      }
      break;
    }
    if (option == 'm') {
      if (config->run_module == nullptr) STATUS_TRY(assign(&config->run_module, scanner.argument));
      break;
    }
    switch (option) {
      case 0:
        if (scanner.long_option == kLongCheckHashPycs) {
          if (wcscmp(scanner.argument, L"always") != 0 && wcscmp(scanner.argument, L"never") != 0 &&
              wcscmp(scanner.argument, L"default") != 0) {
            fprintf(stderr, "--check-hash-based-pycs must be one of 'default', 'always', or 'never'\n");
            return usage_error(program);
          }
          STATUS_TRY(assign(&config->check_hash_pycs_mode, scanner.argument));
          break;
        }
        print_help(scanner.long_option == kLongHelpEnv         ? HelpTopic::kEnvironment
                   : scanner.long_option == kLongHelpXoptions ? HelpTopic::kImplementationOptions
                                                              : HelpTopic::kAll,
                   program, stdout);
        return status_exit(0);
      case 'b': config->bytes_warning++; break;
      case 'd': config->parser_debug++; break;
      case 'i': config->inspect++; config->interactive++; break;
      case 'E': case 'I': case 'X': break;  // pre-initialisation has dealt with them
      case 'R': config->use_hash_seed = 0; break;
      case 'O': config->optimization_level++; break;
      case 'P': config->safe_path = 1; break;
      case 'B': config->write_bytecode = 0; break;
      case 's': config->user_site_directory = 0; break;
      case 'S': config->site_import = 0; break;
      case 't': break;
      case 'u': config->buffered_stdio = 0; break;
      case 'v': config->verbose++; break;
      case 'x': config->skip_source_first_line = 1; break;
      case 'q': config->quiet++; break;
      case 'h': case '?': print_help(HelpTopic::kUsage, program, stdout); return status_exit(0);
      case 'V': show_version = true; version_count++; break;
      case 'W': STATUS_TRY(PyWideStringList_Append(&warnings->command_line, scanner.argument)); break;
      default: return usage_error(program);
    }
  }
  if (show_version) {
    printf("Python %s\n", version_count >= 2 ? full_version() : PY_VERSION);
    return status_exit(0);
  }
  if (config->run_command == nullptr && config->run_module == nullptr && scanner.index < argv->length &&
      wcscmp(argv->items[scanner.index], L"-") != 0 && config->run_filename == nullptr) {
    STATUS_TRY(assign(&config->run_filename, argv->items[scanner.index]));
    STATUS_TRY(make_absolute(&config->run_filename));
  }
  *rest = scanner.index;
  return status_ok();
}

/// sys.argv: what follows the options, with "-c", "-m" or "" in front where there is no script.
PyStatus update_argv(PyConfig* config, Py_ssize_t rest) {
  PyWideStringList argv{};
  if (config->argv.length <= rest) {
    STATUS_TRY(PyWideStringList_Append(&argv, L""));
  } else {
    for (Py_ssize_t i = rest; i < config->argv.length; i++) {
      STATUS_TRY(PyWideStringList_Append(&argv, config->argv.items[i]));
    }
  }
  if (config->run_command != nullptr || config->run_module != nullptr) {
    // INVARIANT: with -c and -m the scanner stops right behind the option's argument, so `rest` is the first
    // argument of the program and the placeholder goes in front.
    const wchar_t* placeholder = config->run_command != nullptr ? L"-c" : L"-m";
    if (config->argv.length <= rest) {
      PyMem_RawFree(argv.items[0]);
      argv.items[0] = nullptr;
      STATUS_TRY(assign(&argv.items[0], placeholder));
    } else {
      STATUS_TRY(PyWideStringList_Insert(&argv, 0, placeholder));
    }
  }
  _PyWideStringList_Clear(&config->argv);
  config->argv = argv;
  return status_ok();
}

PyStatus read_string_variable(const PyConfig* config, wchar_t** field, const char* name) {
  if (*field != nullptr) return status_ok();
  const char* value = _Py_GetEnv(config->use_environment, name);
  return value == nullptr ? status_ok() : assign_decoded(field, value);
}

PyStatus read_environment(PyConfig* config) {
  const int use = config->use_environment;
  _Py_get_env_flag(use, &config->parser_debug, "PYTHONDEBUG");
  _Py_get_env_flag(use, &config->verbose, "PYTHONVERBOSE");
  _Py_get_env_flag(use, &config->optimization_level, "PYTHONOPTIMIZE");
  _Py_get_env_flag(use, &config->inspect, "PYTHONINSPECT");
  if (_Py_GetEnv(use, "PYTHONDONTWRITEBYTECODE")) config->write_bytecode = 0;
  if (_Py_GetEnv(use, "PYTHONNOUSERSITE")) config->user_site_directory = 0;
  if (_Py_GetEnv(use, "PYTHONUNBUFFERED")) config->buffered_stdio = 0;
  if (_Py_GetEnv(use, "PYTHONSAFEPATH")) config->safe_path = 1;
  if (_Py_GetEnv(use, "PYTHONDUMPREFS")) config->dump_refs = 1;
  if (_Py_GetEnv(use, "PYTHONMALLOCSTATS")) config->malloc_stats = 1;
  STATUS_TRY(read_string_variable(config, &config->pythonpath_env, "PYTHONPATH"));
  STATUS_TRY(read_string_variable(config, &config->platlibdir, "PYTHONPLATLIBDIR"));
  if (config->use_hash_seed < 0) {
    const char* seed = _Py_GetEnv(use, "PYTHONHASHSEED");
    if (seed != nullptr && strcmp(seed, "random") != 0) {
      char* end;
      errno = 0;
      const unsigned long value = strtoul(seed, &end, 10);
      if (*end != '\0' || value > 4294967295UL || (errno == ERANGE && value == ULONG_MAX)) {
        return status_error("config_init_hash_seed", "PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]");
      }
      config->use_hash_seed = 1;
      config->hash_seed = value;
    } else {
      config->use_hash_seed = 0;
      config->hash_seed = 0;
    }
  }
  return status_ok();
}

/// N of "name=N", or `bare` for a plain "name"; -1 when it is no number in [0, INT_MAX].
int option_number(const wchar_t* option, int bare) {
  const wchar_t* value = wcschr(option, L'=');
  if (value == nullptr) return bare;
  wchar_t* end;
  const long number = wcstol(value + 1, &end, 10);
  return value[1] == L'\0' || *end != L'\0' || number < 0 || number > INT_MAX ? -1 : static_cast<int>(number);
}

PyStatus read_int_max_str_digits(PyConfig* config) {
  _Py_global_config_int_max_str_digits = -1;  // not asked for: the interpreter's default
  if (const char* value = _Py_GetEnv(config->use_environment, "PYTHONINTMAXSTRDIGITS")) {
    int digits;
    if (_Py_str_to_int(value, &digits) < 0 || (digits != 0 && digits < _PY_LONG_MAX_STR_DIGITS_THRESHOLD)) {
      return status_error("config_init_int_max_str_digits", "PYTHONINTMAXSTRDIGITS: invalid limit; must be >= 640 or 0 for unlimited.");
    }
    _Py_global_config_int_max_str_digits = digits;
  }
  if (const wchar_t* option = _Py_get_xoption(&config->xoptions, L"int_max_str_digits")) {
    const int digits = option_number(option, -1);
    if (digits < 0 || (digits != 0 && digits < _PY_LONG_MAX_STR_DIGITS_THRESHOLD)) {
      return status_error("config_init_int_max_str_digits", "-X int_max_str_digits: invalid limit; must be >= 640 or 0 for unlimited.");
    }
    _Py_global_config_int_max_str_digits = digits;
  }
  return status_ok();
}

/// PYSTON_JIT and -X jit: 0, 1 or stress. The option wins.
PyStatus read_jit_option(const PyConfig* config) {
  const char* variable = _Py_GetEnv(config->use_environment, "PYSTON_JIT");
  const wchar_t* option = _Py_get_xoption(&config->xoptions, L"jit");
  std::string text = variable == nullptr ? "0" : variable;
  if (option != nullptr) {
    const wchar_t* value = wcschr(option, L'=');
    text = value == nullptr ? "1" : std::string(value + 1, option + wcslen(option));
  }
  if (text == "0") {
    jit_mode = JitMode::kOff;
  } else if (text == "1") {
    jit_mode = JitMode::kOn;
  } else if (text == "stress") {
    jit_mode = JitMode::kStress;
  } else {
    return status_error(nullptr, option != nullptr ? "-X jit: invalid value; 0, 1 or stress is expected"
                                                   : "PYSTON_JIT: invalid value; 0, 1 or stress is expected");
  }
  return status_ok();
}

PyStatus read_xoptions(PyConfig* config) {
  STATUS_TRY(read_jit_option(config));
  const int use = config->use_environment;
  if (config->faulthandler < 0) {
    config->faulthandler = _Py_get_xoption(&config->xoptions, L"faulthandler") != nullptr || config->dev_mode ||
                           _Py_GetEnv(use, "PYTHONFAULTHANDLER") != nullptr;
  }
  if (_Py_get_xoption(&config->xoptions, L"importtime") || _Py_GetEnv(use, "PYTHONPROFILEIMPORTTIME")) {
    config->import_time = 1;
  }
  if (_Py_get_xoption(&config->xoptions, L"no_debug_ranges") || _Py_GetEnv(use, "PYTHONNODEBUGRANGES")) {
    config->code_debug_ranges = 0;
  }
  if (config->tracemalloc < 0) {
    config->tracemalloc = 0;
    if (const wchar_t* option = _Py_get_xoption(&config->xoptions, L"tracemalloc")) {
      config->tracemalloc = option_number(option, 1);
      if (config->tracemalloc < 0) return status_error("config_init_tracemalloc", "-X tracemalloc=NFRAME: invalid number of frames");
    } else if (const char* value = _Py_GetEnv(use, "PYTHONTRACEMALLOC")) {
      if (_Py_str_to_int(value, &config->tracemalloc) < 0 || config->tracemalloc < 0) {
        return status_error("config_init_tracemalloc", "PYTHONTRACEMALLOC: invalid number of frames");
      }
    }
  }
  if (config->pycache_prefix == nullptr) {
    if (const wchar_t* option = _Py_get_xoption(&config->xoptions, L"pycache_prefix")) {
      const wchar_t* value = wcschr(option, L'=');
      if (value != nullptr && value[1] != L'\0') STATUS_TRY(assign(&config->pycache_prefix, value + 1));
    } else {
      STATUS_TRY(read_string_variable(config, &config->pycache_prefix, "PYTHONPYCACHEPREFIX"));
    }
  }
  if (const wchar_t* option = _Py_get_xoption(&config->xoptions, L"frozen_modules")) {
    const wchar_t* value = wcschr(option, L'=');
    if (value == nullptr || value[1] == L'\0' || wcscmp(value + 1, L"on") == 0) {
      config->use_frozen_modules = 1;
    } else if (wcscmp(value + 1, L"off") == 0) {
      config->use_frozen_modules = 0;
    } else {
      return status_error(nullptr, "bad value for option -X frozen_modules (expected \"on\" or \"off\")");
    }
  }
  return read_int_max_str_digits(config);
}

PyStatus read_warning_options(PyConfig* config, const WarningOptions* warnings) {
  PyWideStringList all{};
  if (config->dev_mode) STATUS_TRY(PyWideStringList_Append(&all, L"default"));
  if (const char* variable = _Py_GetEnv(config->use_environment, "PYTHONWARNINGS")) {
    wchar_t* decoded = nullptr;
    STATUS_TRY(assign_decoded(&decoded, variable));
    wchar_t* state = nullptr;
    for (wchar_t* word = wcstok(decoded, L",", &state); word != nullptr; word = wcstok(nullptr, L",", &state)) {
      STATUS_TRY(PyWideStringList_Append(&all, word));
    }
    PyMem_RawFree(decoded);
  }
  STATUS_TRY(_PyWideStringList_Extend(&all, &warnings->command_line));
  if (config->bytes_warning > 0) {
    STATUS_TRY(PyWideStringList_Append(&all, config->bytes_warning > 1 ? L"error::BytesWarning" : L"default::BytesWarning"));
  }
  STATUS_TRY(_PyWideStringList_Extend(&all, &config->warnoptions));
  _PyWideStringList_Clear(&config->warnoptions);
  config->warnoptions = all;
  return status_ok();
}

PyStatus read_stdio_encoding(PyConfig* config, const PyPreConfig* preconfig) {
  if (const char* variable = _Py_GetEnv(config->use_environment, "PYTHONIOENCODING")) {
    char* copy = _PyMem_RawStrdup(variable);
    if (copy == nullptr) return status_no_memory(__func__);
    char* errors = strchr(copy, ':');
    if (errors != nullptr) *errors++ = '\0';
    if (copy[0] != '\0' && config->stdio_encoding == nullptr) STATUS_TRY(assign_decoded(&config->stdio_encoding, copy));
    if (config->stdio_errors == nullptr) {
      if (errors != nullptr && errors[0] != '\0') {
        STATUS_TRY(assign_decoded(&config->stdio_errors, errors));
      } else if (copy[0] != '\0') {
        STATUS_TRY(assign(&config->stdio_errors, L"strict"));
      }
    }
    PyMem_RawFree(copy);
  }
  const char* locale_name = setlocale(LC_CTYPE, nullptr);
  const bool lenient = preconfig->utf8_mode || (locale_name != nullptr && (strcmp(locale_name, "C") == 0 ||
                                                                           strcmp(locale_name, "POSIX") == 0 ||
                                                                           _Py_IsLocaleCoercionTarget(locale_name)));
  if (config->stdio_encoding == nullptr) {
    STATUS_TRY(preconfig->utf8_mode ? assign(&config->stdio_encoding, L"utf-8")
                                    : assign_decoded(&config->stdio_encoding, nl_langinfo(CODESET)));
  }
  if (config->stdio_errors == nullptr) {
    STATUS_TRY(assign(&config->stdio_errors, lenient ? L"surrogateescape" : L"strict"));
  }
  return status_ok();
}

PyStatus read_filesystem_encoding(PyConfig* config, const PyPreConfig* preconfig) {
  if (config->filesystem_encoding == nullptr) {
    const char* codeset = nl_langinfo(CODESET);
    if (preconfig->utf8_mode || codeset == nullptr || codeset[0] == '\0') {
      STATUS_TRY(assign(&config->filesystem_encoding, L"utf-8"));
    } else {
      STATUS_TRY(assign_decoded(&config->filesystem_encoding, codeset));
    }
  }
  if (config->filesystem_errors == nullptr) STATUS_TRY(assign(&config->filesystem_errors, L"surrogateescape"));
  return status_ok();
}

PyStatus read_program_name(PyConfig* config) {
  if (config->program_name != nullptr && config->program_name[0] != L'\0') return status_ok();
  if (Py_GetProgramName() != nullptr) return assign(&config->program_name, Py_GetProgramName());
  if (config->orig_argv.length >= 1 && config->orig_argv.items[0][0] != L'\0') {
    return assign(&config->program_name, config->orig_argv.items[0]);
  }
  return assign(&config->program_name, L"python3");
}

}  // namespace

PyStatus _PyConfig_Read(PyConfig* config, int compute_path_config) {
  STATUS_TRY(_Py_PreInitializeFromConfig(config, nullptr));
  const PyPreConfig preconfig = _PyRuntime.preconfig;
  config->dev_mode = config->dev_mode < 0 ? preconfig.dev_mode : config->dev_mode;
  config->isolated = config->isolated < 0 ? preconfig.isolated : config->isolated;
  config->use_environment = config->use_environment < 0 ? preconfig.use_environment : config->use_environment;
  if (config->orig_argv.length == 0 && !(config->argv.length == 1 && config->argv.items[0][0] == L'\0')) {
    if (_PyWideStringList_Copy(&config->orig_argv, &config->argv) < 0) return status_no_memory(__func__);
  }
  // What the pre-initialisation's scan of the same arguments found.
  _PyPreCmdline precmdline{};
  precmdline.isolated = config->isolated;
  precmdline.use_environment = config->use_environment;
  precmdline.dev_mode = config->dev_mode;
  if (_PyWideStringList_Copy(&precmdline.argv, &config->argv) < 0) return status_no_memory(__func__);
  PyPreConfig scan = preconfig;
  scan.parse_argv = config->parse_argv;
  scan.isolated = config->isolated;
  scan.use_environment = config->use_environment;
  scan.dev_mode = config->dev_mode;
  PyStatus status = _PyPreCmdline_Read(&precmdline, &scan);
  if (!is_exception(status)) status = _PyPreCmdline_SetConfig(&precmdline, config);
  _PyPreCmdline_Clear(&precmdline);
  STATUS_TRY(status);

  // Negative values mean "inherit the global flag" (embedders of old).
  auto inherit = [](int* field, int flag) {
    if (*field < 0) *field = flag;
  };
  inherit(&config->bytes_warning, Py_BytesWarningFlag);
  inherit(&config->inspect, Py_InspectFlag);
  inherit(&config->interactive, Py_InteractiveFlag);
  inherit(&config->optimization_level, Py_OptimizeFlag);
  inherit(&config->parser_debug, Py_DebugFlag);
  inherit(&config->verbose, Py_VerboseFlag);
  inherit(&config->quiet, Py_QuietFlag);
  inherit(&config->pathconfig_warnings, !Py_FrozenFlag);
  inherit(&config->buffered_stdio, !Py_UnbufferedStdioFlag);
  inherit(&config->site_import, !Py_NoSiteFlag);
  inherit(&config->write_bytecode, !Py_DontWriteBytecodeFlag);
  inherit(&config->user_site_directory, !Py_NoUserSiteDirectory);

  STATUS_TRY(read_program_name(config));
  WarningOptions warnings;
  Py_ssize_t rest = 0;
  if (config->parse_argv == 1) {
    STATUS_TRY(parse_command_line(config, &warnings, &rest));
    config->parse_argv = 2;
    STATUS_TRY(update_argv(config, rest));
  } else if (config->argv.length < 1) {
    STATUS_TRY(PyWideStringList_Append(&config->argv, L""));
  }
  if (config->isolated) {
    config->safe_path = 1;
    config->use_environment = 0;
    config->user_site_directory = 0;
  }
  STATUS_TRY(read_environment(config));
  STATUS_TRY(read_xoptions(config));
  if (config->home == nullptr && Py_GetPythonHome() != nullptr) STATUS_TRY(assign(&config->home, Py_GetPythonHome()));
  STATUS_TRY(read_string_variable(config, &config->home, "PYTHONHOME"));
  if (config->platlibdir == nullptr) STATUS_TRY(assign(&config->platlibdir, L"lib"));
  if (config->check_hash_pycs_mode == nullptr) STATUS_TRY(assign(&config->check_hash_pycs_mode, L"default"));
  if (config->tracemalloc < 0) config->tracemalloc = 0;
  if (config->use_hash_seed < 0) config->use_hash_seed = 0;
  if (config->faulthandler < 0) config->faulthandler = 0;
  STATUS_TRY(read_warning_options(config, &warnings));
  STATUS_TRY(read_filesystem_encoding(config, &preconfig));
  STATUS_TRY(read_stdio_encoding(config, &preconfig));
  return compute_paths(config, compute_path_config != 0);
}

PyStatus PyConfig_Read(PyConfig* config) { return _PyConfig_Read(config, 0); }

PyStatus _PyConfig_InitImportConfig(PyConfig* config) { return compute_paths(config, true); }

// ---- writing ------------------------------------------------------------------------------------------------------

PyStatus _PyConfig_Write(const PyConfig* config, struct pyruntimestate* runtime) {
  Py_DebugFlag = config->parser_debug;
  Py_VerboseFlag = config->verbose;
  Py_QuietFlag = config->quiet;
  Py_InteractiveFlag = config->interactive;
  Py_InspectFlag = config->inspect;
  Py_OptimizeFlag = config->optimization_level;
  Py_NoSiteFlag = !config->site_import;
  Py_BytesWarningFlag = config->bytes_warning;
  Py_DontWriteBytecodeFlag = !config->write_bytecode;
  Py_NoUserSiteDirectory = !config->user_site_directory;
  Py_FrozenFlag = !config->pathconfig_warnings;
  Py_UnbufferedStdioFlag = !config->buffered_stdio;
  Py_IsolatedFlag = config->isolated;
  Py_IgnoreEnvironmentFlag = !config->use_environment;
  Py_HashRandomizationFlag = config->use_hash_seed == 0 || config->hash_seed != 0;
  if (config->configure_c_stdio) {
    if (!config->buffered_stdio) {
      setvbuf(stdin, nullptr, _IONBF, BUFSIZ);
      setvbuf(stdout, nullptr, _IONBF, BUFSIZ);
      setvbuf(stderr, nullptr, _IONBF, BUFSIZ);
    } else if (config->interactive) {
      setvbuf(stdin, nullptr, _IOLBF, BUFSIZ);
      setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    }
  }
  PyPreConfig* preconfig = &runtime->preconfig;
  preconfig->isolated = config->isolated;
  preconfig->use_environment = config->use_environment;
  preconfig->dev_mode = config->dev_mode;
  remember_original_arguments(config->orig_argv);
  return status_ok();
}
