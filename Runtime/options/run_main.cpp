// The command: Py_BytesMain, Py_Main and Py_RunMain choose what to run (-c, -m, a file, a directory or zip file with
// __main__.py, standard input, the prompt) and turn the outcome into an exit status.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "Runtime/options/options.h"
#include "Runtime/refs/ref.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_fileutils.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pathconfig.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"

using namespace pyston;
using namespace pyston::options;

namespace {

/// Prints the pending exception and gives the exit status it stands for (SystemExit's own, 1 otherwise).
int report_exception() {
  int exit_code;
  if (_Py_HandleSystemExit(&exit_code)) return exit_code;
  PyErr_Print();
  return 1;
}

Ref<> decode_for_source(const wchar_t* text) { return Ref<>::steal(PyUnicode_FromWideChar(text, -1)); }

int run_command(wchar_t* command, PyCompilerFlags* flags) {
  Ref<> text = decode_for_source(command);
  if (!text) goto error;
  if (PySys_Audit("cpython.run_command", "O", text.get()) < 0) return report_exception();
  {
    Ref<> bytes = Ref<>::steal(PyUnicode_AsUTF8String(text.get()));
    if (!bytes) goto error;
    flags->cf_flags |= PyCF_IGNORE_COOKIE;
    return PyRun_SimpleStringFlags(PyBytes_AsString(bytes.get()), flags) != 0;
  }
error:
  PySys_WriteStderr("Unable to decode the command from the command line:\n");
  return report_exception();
}

int run_module(const wchar_t* name, bool set_argv0) {
  auto run = [&]() -> Ref<> {
    if (PySys_Audit("cpython.run_module", "u", name) < 0) return nullptr;
    auto function = VM_TRY(Ref<>::steal(_PyImport_GetModuleAttrString("runpy", "_run_module_as_main")));
    auto module = VM_TRY(decode_for_source(name));
    auto args = VM_TRY(Ref<>::steal(PyTuple_Pack(2, module.get(), set_argv0 ? Py_True : Py_False)));
    _Py_UnhandledKeyboardInterrupt = 0;
    Ref<> result = Ref<>::steal(PyObject_Call(function.get(), args.get(), nullptr));
    if (!result && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) _Py_UnhandledKeyboardInterrupt = 1;
    return result;
  };
  Ref<> result = run();
  if (!result) return report_exception();
  return 0;
}

int run_open_file(FILE* file, PyObject* filename, PyCompilerFlags* flags) {
  if (PySys_Audit("cpython.run_file", "O", filename) < 0) {
    fclose(file);
    return report_exception();
  }
  if (Py_MakePendingCalls() < 0) {
    fclose(file);
    return report_exception();
  }
  Ref<> bytes = Ref<>::steal(PyUnicode_EncodeFSDefault(filename));
  if (!bytes) {
    fclose(file);
    return report_exception();
  }
  return _PyRun_AnyFileObject(file, filename, 1, flags) != 0;
}

int run_file(const PyConfig* config, PyCompilerFlags* flags) {
  Ref<> filename = decode_for_source(config->run_filename);
  Ref<> program = decode_for_source(config->program_name);
  if (!filename || !program) return report_exception();
  FILE* file = _Py_fopen_obj(filename.get(), "rb");
  if (file == nullptr) {
    const int error = errno;
    PyErr_Clear();
    PySys_FormatStderr("%S: can't open file %R: [Errno %d] %s\n", program.get(), filename.get(), error, strerror(error));
    return 2;
  }
  if (config->skip_source_first_line) {
    int c;
    while ((c = getc(file)) != EOF) {
      if (c == '\n') {
        ungetc(c, file);  // keeps the line numbers
        break;
      }
    }
  }
  struct stat info;
  if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
    PySys_FormatStderr("%S: %R is a directory, cannot continue\n", program.get(), filename.get());
    fclose(file);
    return 1;
  }
  return run_open_file(file, filename.get(), flags);
}

void run_startup_file(PyCompilerFlags* flags, const PyConfig* config, int* exit_code) {
  const char* startup = _Py_GetEnv(config->use_environment, "PYTHONSTARTUP");
  if (startup == nullptr) return;
  if (PySys_Audit("cpython.run_startup", "s", startup) < 0) {
    *exit_code = report_exception();
    return;
  }
  Ref<> name = Ref<>::steal(PyUnicode_DecodeFSDefault(startup));
  FILE* file = name ? _Py_fopen_obj(name.get(), "r") : nullptr;
  if (file == nullptr) {
    const int error = errno;
    PyErr_Clear();
    PySys_WriteStderr("Could not open PYTHONSTARTUP\n");
    errno = error;
    PyErr_SetFromErrnoWithFilename(PyExc_OSError, startup);
    PyErr_Print();
    PyErr_Clear();
    return;
  }
  PyRun_SimpleFileExFlags(file, startup, 0, flags);
  PyErr_Clear();
  fclose(file);
}

/// sys.__interactivehook__ sets up readline and the like; -i and the prompt call it.
void run_interactive_hook() {
  PyObject* hook = PySys_GetObject("__interactivehook__");
  if (hook == nullptr) return;
  Ref<> keep = Ref<>::dup(hook);
  Ref<> result;
  if (PySys_Audit("cpython.run_interactivehook", "O", hook) == 0) result = Ref<>::steal(PyObject_CallNoArgs(hook));
  if (!result) {
    PySys_WriteStderr("Failed calling sys.__interactivehook__\n");
    PyErr_Print();
    PyErr_Clear();
  }
}

bool stdin_is_interactive(const PyConfig* config) { return isatty(fileno(stdin)) || config->interactive; }

int run_stdin(PyConfig* config, PyCompilerFlags* flags) {
  if (stdin_is_interactive(config)) {
    config->inspect = 0;
    Py_InspectFlag = 0;
    int exit_code = 0;
    run_startup_file(flags, config, &exit_code);
    run_interactive_hook();
  }
  if (Py_MakePendingCalls() < 0) return report_exception();
  if (PySys_Audit("cpython.run_stdin", nullptr) < 0) return report_exception();
  return PyRun_AnyFileExFlags(stdin, "<stdin>", 0, flags) != 0;
}

/// -i: the prompt after the program, unless PYTHONINSPECT was unset meanwhile.
void repl_after_program(PyConfig* config, PyCompilerFlags* flags) {
  const char* inspect = _Py_GetEnv(config->use_environment, "PYTHONINSPECT");
  if (inspect != nullptr) config->inspect = Py_InspectFlag = 1;
  if (!(config->inspect && stdin_is_interactive(config))) return;
  config->inspect = Py_InspectFlag = 0;
  run_interactive_hook();
  PyRun_AnyFileExFlags(stdin, "<stdin>", 0, flags);
}

void print_header(const PyConfig* config) {
  if (config->quiet) return;
  const bool no_program =
      config->run_command == nullptr && config->run_filename == nullptr && config->run_module == nullptr;
  if (!config->verbose && !(no_program && stdin_is_interactive(config))) return;
  fprintf(stderr, "Python %s on %s\n", Py_GetVersion(), Py_GetPlatform());
  if (config->site_import) {
    fputs("Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n", stderr);
  }
}

/// New reference to the sys.path entry with which `filename` (a directory, a zip file) can be imported from, else None.
Ref<> importable_path(const wchar_t* filename) {
  auto path = VM_TRY(decode_for_source(filename));
  auto importer = VM_TRY(Ref<>::steal(PyImport_GetImporter(path.get())));
  if (importer.get() == Py_None) return Ref<>::none();
  return path;
}

Status prepend_to_path(PyObject* entry) {
  PyObject* path = PySys_GetObject("path");
  if (path == nullptr) return raise(PyExc_RuntimeError, "unable to get sys.path");
  return PyList_Insert(path, 0, entry) < 0 ? Status::kError : Status::kOk;
}

void import_readline(const PyConfig* config) {
  if (config->isolated) return;
  if (!config->inspect && (config->run_command != nullptr || config->run_filename != nullptr ||
                           config->run_module != nullptr)) {
    return;
  }
  if (!stdin_is_interactive(config)) return;
  PyObject* module = PyImport_ImportModule("readline");
  if (module == nullptr) {
    PyErr_Clear();
  } else {
    Py_DECREF(module);
  }
}

int run_python() {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  PyConfig* config = &interp->config;
  Ref<> main_path;
  if (config->run_filename != nullptr) {
    main_path = importable_path(config->run_filename);
    if (!main_path) return report_exception();
    if (main_path.get() == Py_None) main_path.reset();
  }
  import_readline(config);
  if (main_path) {
    if (!ok(prepend_to_path(main_path.get()))) return report_exception();
  } else if (!config->safe_path) {
    PyObject* path0 = nullptr;
    const int found = _PyPathConfig_ComputeSysPath0(&config->argv, &path0);
    Ref<> owner = Ref<>::steal(path0);
    if (found < 0 || (found > 0 && !ok(prepend_to_path(path0)))) return report_exception();
  }
  print_header(config);
  PyCompilerFlags flags = _PyCompilerFlags_INIT;
  int exit_code;
  if (config->run_command != nullptr) {
    exit_code = run_command(config->run_command, &flags);
  } else if (config->run_module != nullptr) {
    exit_code = run_module(config->run_module, true);
  } else if (main_path) {
    exit_code = run_module(L"__main__", false);
  } else if (config->run_filename != nullptr) {
    exit_code = run_file(config, &flags);
  } else {
    exit_code = run_stdin(config, &flags);
  }
  repl_after_program(config, &flags);
  return exit_code;
}

/// Ends as a process killed by SIGINT would, so that shells see it.
int exit_by_interrupt() {
  if (PyOS_setsig(SIGINT, SIG_DFL) == SIG_ERR) {
    perror("signal");
  } else {
    kill(getpid(), SIGINT);
  }
  return SIGINT + 128;
}

PyStatus initialize(const _PyArgv* args) {
  STATUS_TRY(_PyRuntime_Initialize());
  PyPreConfig preconfig;
  PyPreConfig_InitPythonConfig(&preconfig);
  STATUS_TRY(_Py_PreInitializeFromPyArgv(&preconfig, args));
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  PyStatus status = args->use_bytes_argv ? PyConfig_SetBytesArgv(&config, args->argc, args->bytes_argv)
                                         : PyConfig_SetArgv(&config, args->argc, args->wchar_argv);
  if (!is_exception(status)) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  return status;
}

int run(const _PyArgv* args) {
  PyStatus status = initialize(args);
  if (PyStatus_IsExit(status)) return status.exitcode;
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  return Py_RunMain();
}

}  // namespace

int Py_RunMain(void) {
  _Py_UnhandledKeyboardInterrupt = 0;
  int exit_code = run_python();
  if (Py_FinalizeEx() < 0) exit_code = 120;
  _Py_ClearArgcArgv();
  if (_Py_UnhandledKeyboardInterrupt) exit_code = exit_by_interrupt();
  return exit_code;
}

int Py_Main(int argc, wchar_t** argv) {
  _PyArgv args{};
  args.argc = argc;
  args.wchar_argv = argv;
  return run(&args);
}

int Py_BytesMain(int argc, char** argv) {
  _PyArgv args{};
  args.argc = argc;
  args.use_bytes_argv = 1;
  args.bytes_argv = argv;
  return run(&args);
}
