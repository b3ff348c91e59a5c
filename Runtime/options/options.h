// Internals shared by the files that turn the command line and the environment into PyPreConfig and PyConfig (PEP 587).
#pragma once

#include "Runtime/python.h"
#include "internal/pycore_initconfig.h"
#include "internal/pycore_runtime.h"

namespace pyston::options {

inline PyStatus status_ok() {
  PyStatus status{};
  return status;
}
inline PyStatus status_error(const char* function, const char* message) {
  PyStatus status{};
  status._type = PyStatus::_PyStatus_TYPE_ERROR;
  status.func = function;
  status.err_msg = message;
  return status;
}
inline PyStatus status_exit(int code) {
  PyStatus status{};
  status._type = PyStatus::_PyStatus_TYPE_EXIT;
  status.exitcode = code;
  return status;
}
inline PyStatus status_no_memory(const char* function) { return status_error(function, "memory allocation failed"); }
inline bool is_exception(const PyStatus& status) { return status._type != PyStatus::_PyStatus_TYPE_OK; }

/// Returns from the enclosing function when `expression` gives an error or exit status.
#define STATUS_TRY(expression)                                  \
  do {                                                          \
    PyStatus status_try_result = (expression);                  \
    if (::pyston::options::is_exception(status_try_result)) {   \
      return status_try_result;                                 \
    }                                                           \
  } while (false)

/// Replaces a PyMem_RawMalloc'ed string; `value` may be null.
PyStatus assign(wchar_t** field, const wchar_t* value);
/// Decodes bytes from the locale (surrogateescape) and assigns.
PyStatus assign_decoded(wchar_t** field, const char* value);

/// One parsed command-line option; see next_option.
struct OptionScanner {
  const PyWideStringList* argv;
  Py_ssize_t index = 1;             // next argv entry
  const wchar_t* cluster = L"";     // rest of "-abc"
  const wchar_t* argument = nullptr;
  int long_option = 0;              // kLong* when next() gives 0
  bool report_errors = false;

  explicit OptionScanner(const PyWideStringList* list) : argv(list) {}
  /// The option's letter, 0 for a long option, '_' for an error (already reported if asked), -1 at the end.
  int next();
};
enum LongOption { kLongCheckHashPycs = 1, kLongHelpAll, kLongHelpEnv, kLongHelpXoptions };

/// The original argument vector, for Py_GetArgcArgv and `sys.orig_argv`.
void remember_original_arguments(const PyWideStringList& list);

/// Command-line help; the topic is what --help, --help-env, --help-xoptions and --help-all show.
enum class HelpTopic { kUsage, kEnvironment, kImplementationOptions, kAll };
void print_help(HelpTopic topic, const wchar_t* program, FILE* out);

/// Fills the path outputs (executable, prefixes, module_search_paths, stdlib_dir) that are still unset.
PyStatus compute_paths(PyConfig* config, bool compute_search_path);

/// What PYSTON_JIT or -X jit asked for; the compiler is started at the end of initialisation.
enum class JitMode { kOff, kOn, kStress };
extern JitMode jit_mode;

/// Text of `python -V` and `sys.version`.
const char* full_version();

}  // namespace pyston::options
