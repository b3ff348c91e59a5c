// Pre-initialisation (PEP 587): what must be known before any text can be decoded: isolation, environment use, locale,
// UTF-8 mode and the memory allocator.
#include <langinfo.h>
#include <locale.h>
#include <wchar.h>

#include "Runtime/options/options.h"
#include "internal/pycore_fileutils.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pymem.h"

using namespace pyston::options;

// The global flags of old, kept in step with the configuration.
int Py_UTF8Mode = 0;
int Py_DebugFlag = 0;
int Py_VerboseFlag = 0;
int Py_QuietFlag = 0;
int Py_InteractiveFlag = 0;
int Py_InspectFlag = 0;
int Py_OptimizeFlag = 0;
int Py_NoSiteFlag = 0;
int Py_BytesWarningFlag = 0;
int Py_FrozenFlag = 0;
int Py_IgnoreEnvironmentFlag = 0;
int Py_DontWriteBytecodeFlag = 0;
int Py_NoUserSiteDirectory = 0;
int Py_UnbufferedStdioFlag = 0;
int Py_HashRandomizationFlag = 0;
int Py_IsolatedFlag = 0;

void _PyPreConfig_InitCompatConfig(PyPreConfig* config) {
  *config = PyPreConfig{};
  config->_config_init = _PyConfig_INIT_COMPAT;
  config->parse_argv = 0;
  config->isolated = -1;
  config->use_environment = -1;
  config->configure_locale = 1;
  config->utf8_mode = 0;
  config->coerce_c_locale = 0;
  config->coerce_c_locale_warn = 0;
  config->dev_mode = -1;
  config->allocator = PYMEM_ALLOCATOR_NOT_SET;
}

void PyPreConfig_InitPythonConfig(PyPreConfig* config) {
  _PyPreConfig_InitCompatConfig(config);
  config->_config_init = _PyConfig_INIT_PYTHON;
  config->isolated = 0;
  config->parse_argv = 1;
  config->use_environment = 1;
  config->coerce_c_locale = -1;
  config->coerce_c_locale_warn = -1;
  config->utf8_mode = -1;
}

void PyPreConfig_InitIsolatedConfig(PyPreConfig* config) {
  _PyPreConfig_InitCompatConfig(config);
  config->_config_init = _PyConfig_INIT_ISOLATED;
  config->configure_locale = 0;
  config->isolated = 1;
  config->use_environment = 0;
  config->utf8_mode = 0;
  config->dev_mode = 0;
}

PyStatus _PyPreConfig_InitFromPreConfig(PyPreConfig* config, const PyPreConfig* source) {
  PyPreConfig_InitPythonConfig(config);
  *config = *source;
  return status_ok();
}

void _PyPreConfig_InitFromConfig(PyPreConfig* preconfig, const PyConfig* config) {
  switch (config->_config_init) {
    case _PyConfig_INIT_PYTHON:
      PyPreConfig_InitPythonConfig(preconfig);
      break;
    case _PyConfig_INIT_ISOLATED:
      PyPreConfig_InitIsolatedConfig(preconfig);
      break;
    default:
      _PyPreConfig_InitCompatConfig(preconfig);
  }
  _PyPreConfig_GetConfig(preconfig, config);
}

void _PyPreConfig_GetConfig(PyPreConfig* preconfig, const PyConfig* config) {
  if (config->parse_argv != -1) preconfig->parse_argv = config->parse_argv;
  if (config->isolated != -1) preconfig->isolated = config->isolated;
  if (config->use_environment != -1) preconfig->use_environment = config->use_environment;
  if (config->dev_mode != -1) preconfig->dev_mode = config->dev_mode;
}

PyObject* _PyPreConfig_AsDict(const PyPreConfig* config) {
  PyObject* dict = PyDict_New();
  if (dict == nullptr) return nullptr;
  bool good = true;
  auto add = [&](const char* name, int value) {
    PyObject* number = PyLong_FromLong(value);
    good = good && number != nullptr && PyDict_SetItemString(dict, name, number) == 0;
    Py_XDECREF(number);
  };
#define PRE(name) add(#name, config->name);
#include "Runtime/options/config_fields.def"
  if (!good) Py_CLEAR(dict);
  return dict;
}

void _PyPreCmdline_Clear(_PyPreCmdline* cmdline) {
  _PyWideStringList_Clear(&cmdline->argv);
  _PyWideStringList_Clear(&cmdline->xoptions);
}

PyStatus _PyPreCmdline_SetArgv(_PyPreCmdline* cmdline, const _PyArgv* args) {
  return _PyArgv_AsWstrList(args, &cmdline->argv);
}

PyStatus _PyPreCmdline_SetConfig(const _PyPreCmdline* cmdline, PyConfig* config) {
  STATUS_TRY(_PyWideStringList_Extend(&config->xoptions, &cmdline->xoptions));
  config->isolated = cmdline->isolated;
  config->use_environment = cmdline->use_environment;
  config->dev_mode = cmdline->dev_mode;
  config->warn_default_encoding = cmdline->warn_default_encoding;
  return status_ok();
}

PyStatus _PyPreCmdline_Read(_PyPreCmdline* cmdline, const PyPreConfig* preconfig) {
  cmdline->isolated = preconfig->isolated;
  cmdline->use_environment = preconfig->use_environment;
  cmdline->dev_mode = preconfig->dev_mode;
  if (preconfig->parse_argv) {
    OptionScanner scanner(&cmdline->argv);
    for (int option = scanner.next(); option != -1; option = scanner.next()) {
      if (option == 'E') cmdline->use_environment = 0;
      if (option == 'I') cmdline->isolated = 1;
      if (option == 'X') STATUS_TRY(PyWideStringList_Append(&cmdline->xoptions, scanner.argument));
      if (option == 'c' || option == 'm') break;
    }
  }
  if (cmdline->isolated < 0) cmdline->isolated = Py_IsolatedFlag > 0;
  if (cmdline->isolated > 0) cmdline->use_environment = 0;
  if (cmdline->use_environment < 0) cmdline->use_environment = !Py_IgnoreEnvironmentFlag;
  if (cmdline->dev_mode < 0 &&
      (_Py_get_xoption(&cmdline->xoptions, L"dev") != nullptr || _Py_GetEnv(cmdline->use_environment, "PYTHONDEVMODE"))) {
    cmdline->dev_mode = 1;
  }
  if (cmdline->dev_mode < 0) cmdline->dev_mode = 0;
  if (_Py_get_xoption(&cmdline->xoptions, L"warn_default_encoding") != nullptr ||
      _Py_GetEnv(cmdline->use_environment, "PYTHONWARNDEFAULTENCODING")) {
    cmdline->warn_default_encoding = 1;
  }
  return status_ok();
}

namespace {

bool is_c_locale(const char* name) { return name != nullptr && (strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0); }

/// UTF-8 mode (PEP 540) from -X utf8, PYTHONUTF8, or the C locale.
PyStatus read_utf8_mode(PyPreConfig* config, const _PyPreCmdline* cmdline) {
  if (config->utf8_mode >= 0) return status_ok();
  if (const wchar_t* option = _Py_get_xoption(&cmdline->xoptions, L"utf8")) {
    const wchar_t* value = wcschr(option, L'=');
    if (value == nullptr || wcscmp(value + 1, L"1") == 0) {
      config->utf8_mode = 1;
    } else if (wcscmp(value + 1, L"0") == 0) {
      config->utf8_mode = 0;
    } else {
      return status_error("preconfig_init_utf8_mode", "invalid -X utf8 option value");
    }
    return status_ok();
  }
  if (const char* value = _Py_GetEnv(config->use_environment, "PYTHONUTF8")) {
    if (strcmp(value, "1") == 0) {
      config->utf8_mode = 1;
    } else if (strcmp(value, "0") == 0) {
      config->utf8_mode = 0;
    } else {
      return status_error("preconfig_init_utf8_mode", "invalid PYTHONUTF8 environment variable value");
    }
    return status_ok();
  }
  config->utf8_mode = is_c_locale(setlocale(LC_CTYPE, nullptr));
  return status_ok();
}

void read_locale_coercion(PyPreConfig* config) {
  if (!config->configure_locale) {
    config->coerce_c_locale = 0;
    config->coerce_c_locale_warn = 0;
    return;
  }
  if (const char* value = _Py_GetEnv(config->use_environment, "PYTHONCOERCECLOCALE")) {
    if (strcmp(value, "0") == 0 && config->coerce_c_locale < 0) config->coerce_c_locale = 0;
    if (strcmp(value, "warn") == 0 && config->coerce_c_locale_warn < 0) config->coerce_c_locale_warn = 1;
    if (strcmp(value, "1") == 0 && config->coerce_c_locale < 0) config->coerce_c_locale = 1;
  }
  if (config->coerce_c_locale < 0 || config->coerce_c_locale == 1) {
    const char* name = setlocale(LC_CTYPE, nullptr);
    const bool legacy = config->coerce_c_locale == 1 ? is_c_locale(name) : _Py_LegacyLocaleDetected(0) != 0;
    config->coerce_c_locale = legacy ? 2 : 0;
  }
  if (config->coerce_c_locale_warn < 0) config->coerce_c_locale_warn = 0;
}

PyStatus read_allocator(PyPreConfig* config) {
  if (config->allocator != PYMEM_ALLOCATOR_NOT_SET) return status_ok();
  if (const char* name = _Py_GetEnv(config->use_environment, "PYTHONMALLOC")) {
    PyMemAllocatorName allocator;
    if (_PyMem_GetAllocatorName(name, &allocator) < 0) {
      return status_error("preconfig_init_allocator", "PYTHONMALLOC: unknown allocator");
    }
    config->allocator = allocator;
  } else if (config->dev_mode) {
    config->allocator = PYMEM_ALLOCATOR_DEBUG;
  }
  return status_ok();
}

}  // namespace

PyStatus _PyPreConfig_Read(PyPreConfig* config, const _PyArgv* args) {
  if (config->configure_locale) _Py_SetLocaleFromEnv(LC_CTYPE);
  _PyPreCmdline cmdline{};
  cmdline.use_environment = cmdline.isolated = cmdline.dev_mode = -1;
  PyStatus status = args != nullptr ? _PyPreCmdline_SetArgv(&cmdline, args) : status_ok();
  if (!is_exception(status)) status = _PyPreCmdline_Read(&cmdline, config);
  if (!is_exception(status)) {
    config->isolated = cmdline.isolated;
    config->use_environment = cmdline.use_environment;
    config->dev_mode = cmdline.dev_mode;
    read_locale_coercion(config);
    status = read_utf8_mode(config, &cmdline);
  }
  if (!is_exception(status)) status = read_allocator(config);
  _PyPreCmdline_Clear(&cmdline);
  return status;
}

PyStatus _PyPreConfig_Write(const PyPreConfig* source) {
  PyPreConfig config = *source;
  if (_PyRuntime.core_initialized) return status_ok();  // it is too late to change the locale or the allocator
  if (config.allocator != PYMEM_ALLOCATOR_NOT_SET &&
      _PyMem_SetupAllocators(static_cast<PyMemAllocatorName>(config.allocator)) < 0) {
    return status_no_memory(__func__);
  }
  Py_IsolatedFlag = config.isolated > 0;
  Py_IgnoreEnvironmentFlag = !config.use_environment;
  Py_UTF8Mode = config.utf8_mode;
  if (config.configure_locale) {
    if (config.coerce_c_locale == 2) {
      if (!_Py_CoerceLegacyLocale(config.coerce_c_locale_warn)) config.coerce_c_locale = 0;
    } else {
      _Py_SetLocaleFromEnv(LC_CTYPE);
    }
  }
  _PyRuntime.preconfig = config;
  return status_ok();
}

// ---- locale coercion (PEP 538) ----------------------------------------------------------------------------------

namespace {
constexpr const char* kCoercionTargets[] = {"C.UTF-8", "C.utf8", "UTF-8"};
}

/// Whether LC_CTYPE is "C". Without `warn`: only where coercing could change it, which LC_ALL prevents.
int _Py_LegacyLocaleDetected(int warn) {
  const char* all = warn ? nullptr : getenv("LC_ALL");
  if (all != nullptr && all[0] != '\0') return 0;
  const char* name = setlocale(LC_CTYPE, nullptr);
  return name != nullptr && strcmp(name, "C") == 0;
}

int _Py_IsLocaleCoercionTarget(const char* name) {
  for (const char* target : kCoercionTargets) {
    if (strcmp(name, target) == 0) return 1;
  }
  return 0;
}

int _Py_CoerceLegacyLocale(int warn) {
  const char* all = getenv("LC_ALL");
  if (all != nullptr && all[0] != '\0') return 0;
  for (const char* target : kCoercionTargets) {
    if (setlocale(LC_CTYPE, target) == nullptr) continue;
    const char* codeset = nl_langinfo(CODESET);
    if (codeset == nullptr || codeset[0] == '\0') continue;
    if (setenv("LC_CTYPE", target, 1) != 0) {
      fprintf(stderr, "Error setting LC_CTYPE, skipping C locale coercion\n");
      return 0;
    }
    if (warn) {
      fprintf(stderr,
              "Python detected LC_CTYPE=C: LC_CTYPE coerced to %s (set another locale or PYTHONCOERCECLOCALE=0 to "
              "disable this locale coercion behavior).\n",
              target);
    }
    _Py_SetLocaleFromEnv(LC_ALL);
    return 1;
  }
  _Py_SetLocaleFromEnv(LC_CTYPE);
  return 0;
}

char* _Py_SetLocaleFromEnv(int category) { return setlocale(category, ""); }

// ---- file system encoding -----------------------------------------------------------------------------------------

const char* Py_FileSystemDefaultEncoding = nullptr;
int Py_HasFileSystemDefaultEncoding = 0;
const char* Py_FileSystemDefaultEncodeErrors = nullptr;
int _Py_HasFileSystemDefaultEncodeErrors = 0;

namespace {
bool owns_filesystem_encoding = false;
}

void _Py_ClearFileSystemEncoding(void) {
  if (owns_filesystem_encoding) {
    PyMem_RawFree(const_cast<char*>(Py_FileSystemDefaultEncoding));
    PyMem_RawFree(const_cast<char*>(Py_FileSystemDefaultEncodeErrors));
    owns_filesystem_encoding = false;
  }
  Py_FileSystemDefaultEncoding = nullptr;
  Py_FileSystemDefaultEncodeErrors = nullptr;
}

int _Py_SetFileSystemEncoding(const char* encoding, const char* errors) {
  char* encoding_copy = _PyMem_RawStrdup(encoding);
  char* errors_copy = encoding_copy == nullptr ? nullptr : _PyMem_RawStrdup(errors);
  if (errors_copy == nullptr) {
    PyMem_RawFree(encoding_copy);
    return -1;
  }
  _Py_ClearFileSystemEncoding();
  Py_FileSystemDefaultEncoding = encoding_copy;
  Py_FileSystemDefaultEncodeErrors = errors_copy;
  owns_filesystem_encoding = true;
  return 0;
}
