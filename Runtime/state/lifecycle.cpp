// The life of the runtime (PEP 587): pre-initialisation, the core (types, builtins, sys), importlib and the main phase
// (encodings, streams, site), then everything in reverse. The order of steps is what C API users observe.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "JIT/jit.h"
#include "Runtime/import/bootstrap.h"
#include "Runtime/options/options.h"
#include "Runtime/refs/ref.h"
#include "Runtime/state/lifecycle.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_bytesobject.h"
#include "internal/pycore_context.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_exceptions.h"
#include "internal/pycore_fileutils.h"
#include "internal/pycore_floatobject.h"
#include "internal/pycore_genobject.h"
#include "internal/pycore_list.h"
#include "internal/pycore_long.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pathconfig.h"
#include "internal/pycore_context.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pymem.h"
#include "internal/pycore_sliceobject.h"
#include "internal/pycore_sysmodule.h"
#include "internal/pycore_traceback.h"
#include "internal/pycore_tuple.h"
#include "internal/pycore_typeobject.h"
#include "internal/pycore_unicodeobject.h"
#include "internal/pycore_warnings.h"

using namespace pyston;
using namespace pyston::options;

extern "C" {
extern PyStatus _PyFaulthandler_Init(int enable);
}

// ---- state queries ------------------------------------------------------------------------------------------------

int _Py_UnhandledKeyboardInterrupt = 0;
int _Py_IsCoreInitialized(void) { return _PyRuntime.core_initialized; }
int Py_IsInitialized(void) { return _PyRuntime.initialized; }
int _Py_IsFinalizing(void) { return _PyRuntimeState_GetFinalizing(&_PyRuntime) != nullptr; }

// ---- the runtime ----------------------------------------------------------------------------------------------------

namespace {
bool runtime_initialized = false;
}

PyStatus _PyRuntime_Initialize(void) {
  if (runtime_initialized) return status_ok();
  runtime_initialized = true;
  return _PyRuntimeState_Init(&_PyRuntime);
}

void _PyRuntime_Finalize(void) {
  _PyRuntimeState_Fini(&_PyRuntime);
  runtime_initialized = false;
}

// ---- pre-initialisation -----------------------------------------------------------------------------------------------

PyStatus _Py_PreInitializeFromPyArgv(const PyPreConfig* source, const _PyArgv* args) {
  if (source == nullptr) return status_error(__func__, "preinitialization config is NULL");
  STATUS_TRY(_PyRuntime_Initialize());
  if (_PyRuntime.preinitialized) return status_ok();
  _PyRuntime.preinitializing = 1;
  PyPreConfig config;
  STATUS_TRY(_PyPreConfig_InitFromPreConfig(&config, source));
  STATUS_TRY(_PyPreConfig_Read(&config, args));
  STATUS_TRY(_PyPreConfig_Write(&config));
  _PyRuntime.preinitializing = 0;
  _PyRuntime.preinitialized = 1;
  return status_ok();
}

PyStatus Py_PreInitializeFromBytesArgs(const PyPreConfig* source, Py_ssize_t argc, char** argv) {
  _PyArgv args{};
  args.argc = argc;
  args.use_bytes_argv = 1;
  args.bytes_argv = argv;
  return _Py_PreInitializeFromPyArgv(source, &args);
}

PyStatus Py_PreInitializeFromArgs(const PyPreConfig* source, Py_ssize_t argc, wchar_t** argv) {
  _PyArgv args{};
  args.argc = argc;
  args.wchar_argv = argv;
  return _Py_PreInitializeFromPyArgv(source, &args);
}

PyStatus Py_PreInitialize(const PyPreConfig* source) { return _Py_PreInitializeFromPyArgv(source, nullptr); }

PyStatus _Py_PreInitializeFromConfig(const PyConfig* config, const _PyArgv* args) {
  STATUS_TRY(_PyRuntime_Initialize());
  if (_PyRuntime.preinitialized) return status_ok();
  PyPreConfig preconfig;
  _PyPreConfig_InitFromConfig(&preconfig, config);
  if (!config->parse_argv) return Py_PreInitialize(&preconfig);
  if (args != nullptr) return _Py_PreInitializeFromPyArgv(&preconfig, args);
  _PyArgv config_args{};
  config_args.argc = config->argv.length;
  config_args.wchar_argv = config->argv.items;
  return _Py_PreInitializeFromPyArgv(&preconfig, &config_args);
}

// ---- core ---------------------------------------------------------------------------------------------------------------

namespace {

Status add_to_builtins_and_remember(PyThreadState* tstate) {
  PyInterpreterState* interp = tstate->interp;
  PyObject* module = _PyBuiltin_Init(interp);
  if (module == nullptr) return Status::kError;
  Ref<> owner = Ref<>::steal(module);
  VM_CHECK(_PyImport_FixupBuiltin(module, "builtins", interp->modules));
  PyObject* dict = PyModule_GetDict(module);
  if (dict == nullptr) return Status::kError;
  interp->builtins = Py_NewRef(dict);
  // What the specialising interpreter compares against.
  auto cached = [dict](const char* name) { return PyDict_GetItemString(dict, name); };
  interp->callable_cache.isinstance = cached("isinstance");
  interp->callable_cache.len = cached("len");
  PyObject* append = _PyType_Lookup(&PyList_Type, &_Py_ID(append));
  interp->callable_cache.list_append = append;
  VM_CHECK(_PyBuiltins_AddExceptions(module));
  interp->builtins_copy = PyDict_Copy(interp->builtins);
  if (interp->builtins_copy == nullptr) return Status::kError;
  PyObject* import_function = cached("__import__");
  if (import_function == nullptr) return raise(PyExc_RuntimeError, "builtins has no __import__");
  interp->import_func = Py_NewRef(import_function);
  return Status::kOk;
}

PyStatus init_types(PyInterpreterState* interp) {
  STATUS_TRY(_PyTypes_InitState(interp));
  const bool main = _Py_IsMainInterpreter(interp);
  if (main) {
    STATUS_TRY(_PyTypes_InitSlotDefs());
    STATUS_TRY(_PyTypes_InitTypes(interp));
    STATUS_TRY(_PyBytes_InitTypes(interp));
    STATUS_TRY(_PyLong_InitTypes(interp));
    STATUS_TRY(_PyUnicode_InitTypes(interp));
    STATUS_TRY(_PyFloat_InitTypes(interp));
    STATUS_TRY(_PyTuple_InitTypes(interp));
    if (_PyExc_InitTypes(interp) < 0) return status_error(__func__, "failed to initialize an exception type");
  }
  STATUS_TRY(_PyExc_InitGlobalObjects(interp));
  STATUS_TRY(_PyExc_InitState(interp));
  STATUS_TRY(_PyErr_InitTypes(interp));
  return _PyContext_Init(interp);
}

/// Everything up to a running `sys` and `builtins`.
PyStatus init_interpreter_core(PyThreadState* tstate, PyObject** sys_module) {
  PyInterpreterState* interp = tstate->interp;
  _PyFloat_InitState(interp);
  STATUS_TRY(_PyUnicode_InitGlobalObjects(interp));
  STATUS_TRY(_PyTuple_InitGlobalObjects(interp));
  STATUS_TRY(_PyGC_Init(interp));
  STATUS_TRY(init_types(interp));
  if (_PyWarnings_InitState(interp) < 0) return status_error(__func__, "can't initialize warnings");
  STATUS_TRY(_PyAtExit_Init(interp));
  STATUS_TRY(_PySys_Create(tstate, sys_module));
  if (!ok(state::open_preliminary_stderr())) return status_error(__func__, "can't set preliminary stderr");
  if (!ok(add_to_builtins_and_remember(tstate))) return status_error(__func__, "can't initialize builtins");
  if (interp->config._install_importlib && !ok(import::install_importlib(tstate, *sys_module))) {
    PyErr_Print();
    return status_error(__func__, "failed to import importlib");
  }
  return status_ok();
}

PyStatus create_main_interpreter(const PyConfig* config, PyThreadState** tstate_out) {
  STATUS_TRY(_PyConfig_Write(config, &_PyRuntime));
  STATUS_TRY(_Py_HashRandomization_Init(config));
  STATUS_TRY(_PyInterpreterState_Enable(&_PyRuntime));
  PyInterpreterState* interp = PyInterpreterState_New();
  if (interp == nullptr) return status_error(__func__, "can't make main interpreter");
  STATUS_TRY(_PyConfig_Copy(&interp->config, config));
  STATUS_TRY(_PyGILState_Init(&_PyRuntime));
  PyThreadState* tstate = PyThreadState_New(interp);
  if (tstate == nullptr) return status_error(__func__, "can't make first thread");
  PyThreadState_Swap(tstate);
  STATUS_TRY(_PyEval_InitGIL(tstate));
  STATUS_TRY(_PyGILState_SetTstate(tstate));
  *tstate_out = tstate;
  return status_ok();
}

PyStatus init_core(const PyConfig* source, PyThreadState** tstate_out) {
  STATUS_TRY(_Py_PreInitializeFromConfig(source, nullptr));
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  PyStatus status = _PyConfig_Copy(&config, source);
  if (!is_exception(status)) status = _PySys_ReadPreinitWarnOptions(&config.warnoptions);
  if (!is_exception(status)) status = _PySys_ReadPreinitXOptions(&config);
  if (!is_exception(status)) status = _PyConfig_Read(&config, 0);
  PyObject* sys_module = nullptr;
  if (!is_exception(status)) {
    if (_PyRuntime.core_initialized) {
      status = status_error(__func__, "the interpreter's core is already initialised");
    } else {
      status = create_main_interpreter(&config, tstate_out);
    }
  }
  if (!is_exception(status)) status = init_interpreter_core(*tstate_out, &sys_module);
  PyConfig_Clear(&config);
  STATUS_TRY(status);
  _PyRuntime.core_initialized = 1;
  return status_ok();
}

// ---- main phase -----------------------------------------------------------------------------------------------------------

Status add_main_module(PyInterpreterState* interp) {
  PyObject* module = PyImport_AddModule("__main__");
  if (module == nullptr) return raise(PyExc_RuntimeError, "can't create __main__ module");
  PyObject* dict = PyModule_GetDict(module);
  auto annotations = VM_TRY(Ref<>::steal(PyDict_New()));
  VM_CHECK(PyDict_SetItemString(dict, "__annotations__", annotations.get()));
  if (PyDict_GetItemString(dict, "__builtins__") == nullptr) {
    Ref<> builtins = Ref<>::steal(PyImport_ImportModule("builtins"));
    if (!builtins) return Status::kError;
    VM_CHECK(PyDict_SetItemString(dict, "__builtins__", builtins.get()));
  }
  PyObject* loader = PyDict_GetItemString(dict, "__loader__");
  if (loader == nullptr || loader == Py_None) {
    auto importer = VM_TRY(Ref<>::steal(PyObject_GetAttrString(interp->importlib, "BuiltinImporter")));
    VM_CHECK(PyDict_SetItemString(dict, "__loader__", importer.get()));
  }
  return Status::kOk;
}

Status import_warnings_if_asked(PyInterpreterState* interp) {
  if (interp->config.warnoptions.length == 0) return Status::kOk;
  Ref<> module = Ref<>::steal(PyImport_ImportModule("warnings"));
  if (!module) {
    fprintf(stderr, "'import warnings' failed; traceback:\n");
    _PyErr_Print(_PyThreadState_GET());
  }
  return Status::kOk;
}

Status set_builtins_open() {
  auto wrapper = VM_TRY(Ref<>::steal(_PyImport_GetModuleAttrString("io", "open")));
  auto builtins = VM_TRY(Ref<>::steal(PyImport_ImportModule("builtins")));
  VM_CHECK(PyObject_SetAttrString(builtins.get(), "open", wrapper.get()));
  return Status::kOk;
}

Status import_site() {
  auto module = VM_TRY(Ref<>::steal(PyImport_ImportModule("site")));
  return Status::kOk;
}

void install_default_signals() {
  PyOS_setsig(SIGPIPE, SIG_IGN);
#ifdef SIGXFSZ
  PyOS_setsig(SIGXFSZ, SIG_IGN);
#endif
}

PyStatus start_jit() {
  using options::JitMode;
  if (options::jit_mode == JitMode::kOff) return status_ok();
#if PYSTON_WITH_JIT
  const char* why;
  jit::Mode mode = options::jit_mode == JitMode::kStress ? jit::Mode::kStress : jit::Mode::kOn;
  return jit::start(mode, &why) ? status_ok() : status_error("PYSTON_JIT", why);
#else
  return status_error(nullptr, "PYSTON_JIT: this build has no trace compiler");
#endif
}

PyStatus init_interpreter_main(PyThreadState* tstate) {
  PyInterpreterState* interp = tstate->interp;
  const PyConfig* config = &interp->config;
  const bool is_main = _Py_IsMainInterpreter(interp);
  if (!config->_install_importlib) {
    if (is_main) _PyRuntime.initialized = 1;
    return status_ok();
  }
  STATUS_TRY(_PyConfig_InitImportConfig(&interp->config));
  if (is_main) STATUS_TRY(_PyPathConfig_UpdateGlobal(&interp->config));
  if (_Py_global_config_int_max_str_digits >= 0) {
    interp->int_max_str_digits = _Py_global_config_int_max_str_digits;
  } else {
    interp->int_max_str_digits = _PY_LONG_DEFAULT_MAX_STR_DIGITS;
  }
  if (_PySys_UpdateConfig(tstate) < 0) return status_error(__func__, "can't update sys from the configuration");
  if (!ok(import::install_external_importers(tstate))) {
    PyErr_Print();
    return status_error(__func__, "external importer setup failed");
  }
  if (is_main) STATUS_TRY(_PyFaulthandler_Init(config->faulthandler));
  STATUS_TRY(_PyUnicode_InitEncodings(tstate));
  if (is_main) {
    if (config->install_signal_handlers) install_default_signals();
    if (_PySignal_Init(config->install_signal_handlers) < 0) return status_error(__func__, "can't initialize signals");
    if (_PyTraceMalloc_Init(config->tracemalloc) < 0) return status_error(__func__, "can't initialize tracemalloc");
  }
  if (!ok(state::open_standard_streams(tstate))) {
    PyErr_Print();
    return status_error(__func__, "can't initialize sys standard streams");
  }
  if (!ok(set_builtins_open())) {
    PyErr_Print();
    return status_error(__func__, "can't set builtins.open");
  }
  if (!ok(add_main_module(interp))) return status_error(__func__, "can't create __main__ module");
  if (is_main) {
    if (!ok(import_warnings_if_asked(interp))) return status_error(__func__, "can't import warnings");
    _PyRuntime.initialized = 1;
  }
  if (config->site_import && !ok(import_site())) {
    PyErr_Print();
    return status_error(__func__, "Failed to import the site module");
  }
  if (is_main) STATUS_TRY(start_jit());
  if (is_main && _PyRuntime.preconfig.coerce_c_locale_warn && _Py_LegacyLocaleDetected(1)) {
    PySys_FormatStderr(
        "Python runtime initialized with LC_CTYPE=C (a locale with default ASCII encoding), which may cause Unicode "
        "compatibility problems. Using C.UTF-8, C.utf8, or UTF-8 (if available) as alternative Unicode-compatible "
        "locales is recommended.\n");
  }
  return status_ok();
}

}  // namespace

PyStatus _Py_InitializeMain(void) {
  STATUS_TRY(_PyRuntime_Initialize());
  PyThreadState* tstate = _PyThreadState_GET();
  if (!_PyRuntime.core_initialized) return status_error(__func__, "runtime core not initialized");
  if (_PyRuntime.initialized) return status_ok();
  return init_interpreter_main(tstate);
}

PyStatus Py_InitializeFromConfig(const PyConfig* config) {
  if (config == nullptr) return status_error(__func__, "initialization config is NULL");
  STATUS_TRY(_PyRuntime_Initialize());
  PyThreadState* tstate = nullptr;
  STATUS_TRY(init_core(config, &tstate));
  return _PyInterpreterState_GetConfig(tstate->interp)->_init_main ? init_interpreter_main(tstate) : status_ok();
}

void Py_InitializeEx(int install_signal_handlers) {
  PyStatus status = _PyRuntime_Initialize();
  if (is_exception(status)) Py_ExitStatusException(status);
  if (_PyRuntime.initialized) return;
  PyConfig config;
  _PyConfig_InitCompatConfig(&config);
  config.install_signal_handlers = install_signal_handlers;
  status = Py_InitializeFromConfig(&config);
  if (is_exception(status)) Py_ExitStatusException(status);
}

void Py_Initialize(void) { Py_InitializeEx(1); }

// ---- finalisation -----------------------------------------------------------------------------------------------------------

namespace {

/// Waits for non-daemon threads through threading._shutdown().
void wait_for_threads() {
  Ref<> name = Ref<>::steal(PyUnicode_FromString("threading"));
  Ref<> threading = name ? Ref<>::steal(PyImport_GetModule(name.get())) : nullptr;
  if (!threading) {
    PyErr_Clear();
    return;
  }
  Ref<> result = Ref<>::steal(PyObject_CallMethod(threading.get(), "_shutdown", ""));
  if (!result) PyErr_WriteUnraisable(threading.get());
}

constexpr int kExitFunctions = 32;

void call_exit_functions() {
  while (_PyRuntime.nexitfuncs > 0) {
    void (*function)(void) = _PyRuntime.exitfuncs[--_PyRuntime.nexitfuncs];
    _PyRuntime.exitfuncs[_PyRuntime.nexitfuncs] = nullptr;
    function();
  }
  fflush(stdout);
  fflush(stderr);
}

/// Static and per-interpreter state of types and modules, after the last object that needs it is gone.
void finalize_types(PyInterpreterState* interp) {
  _PyUnicode_ClearInterned(interp);
  _PyDict_Fini(interp);
  _PyList_Fini(interp);
  _PyTuple_Fini(interp);
  _PySlice_Fini(interp);
  _PyUnicode_Fini(interp);
  _PyFloat_Fini(interp);
}

void finalize_interpreter(PyThreadState* tstate) {
  PyInterpreterState* interp = tstate->interp;
  // A class is part of cycles: it goes before the last collection.
  _PyExc_ClearExceptionGroupType(interp);
  _PyInterpreterState_Clear(tstate);
  _PyExc_Fini(interp);
  _PyAsyncGen_Fini(interp);
  _PyContext_Fini(interp);
  _PyTypes_Fini(interp);
  finalize_types(interp);
  _PyGC_Fini(interp);
}

}  // namespace

int Py_FinalizeEx(void) {
  _PyRuntimeState* runtime = &_PyRuntime;
  if (!runtime->initialized) return 0;
  PyThreadState* tstate = _PyRuntimeState_GetThreadState(runtime);
  PyInterpreterState* interp = tstate->interp;
  int status = 0;
  wait_for_threads();
  _Py_FinishPendingCalls(tstate);
  _PyAtExit_Call(interp);
  // From here on other threads die when they try to take the GIL, and the import system is closing.
  _PyRuntimeState_SetFinalizing(runtime, tstate);
  runtime->initialized = 0;
  runtime->core_initialized = 0;
  jit::stop();
  if (!ok(state::flush_standard_streams())) status = -1;
  _PySignal_Fini();
  PyGC_Collect();
  state::memory_ends_soon = state::process_ends_with_interpreter;
  state::finalize_modules(tstate);
  if (!ok(state::flush_standard_streams())) status = -1;
  _PyTraceMalloc_Fini();
  _PyImport_Fini();
  _PyFaulthandler_Fini();
  _PySys_ClearAuditHooks(tstate);
  finalize_interpreter(tstate);
  _PyArg_Fini();
  _PyGILState_Fini(interp);
  PyInterpreterState_Delete(interp);
  call_exit_functions();
  _PyRuntime_Finalize();
  return status;
}

void Py_Finalize(void) { Py_FinalizeEx(); }

int Py_AtExit(void (*function)(void)) {
  if (_PyRuntime.nexitfuncs >= kExitFunctions) return -1;
  _PyRuntime.exitfuncs[_PyRuntime.nexitfuncs++] = function;
  return 0;
}

void Py_Exit(int status) {
  if (Py_FinalizeEx() < 0) status = 120;
  exit(status);
}

// ---- sub-interpreters ----------------------------------------------------------------------------------------------------------

namespace {

PyStatus new_interpreter(PyThreadState** tstate_out, int isolated) {
  STATUS_TRY(_PyRuntime_Initialize());
  if (!_PyRuntime.initialized) return status_error(__func__, "Py_Initialize must be called first");
  PyInterpreterState* interp = PyInterpreterState_New();
  if (interp == nullptr) {
    *tstate_out = nullptr;
    return status_ok();
  }
  PyThreadState* tstate = PyThreadState_New(interp);
  if (tstate == nullptr) {
    PyInterpreterState_Delete(interp);
    *tstate_out = nullptr;
    return status_ok();
  }
  PyThreadState* saved = PyThreadState_Swap(tstate);
  const PyConfig* config =
      saved != nullptr ? _PyInterpreterState_GetConfig(saved->interp)
                       : _PyInterpreterState_GetConfig(PyInterpreterState_Main());
  STATUS_TRY(_PyConfig_Copy(&interp->config, config));
  interp->config._isolated_interpreter = isolated;
  PyObject* sys_module = nullptr;
  STATUS_TRY(init_interpreter_core(tstate, &sys_module));
  STATUS_TRY(init_interpreter_main(tstate));
  *tstate_out = tstate;
  return status_ok();
}

}  // namespace

PyThreadState* _Py_NewInterpreter(int isolated) {
  PyThreadState* tstate = nullptr;
  PyStatus status = new_interpreter(&tstate, isolated);
  if (is_exception(status)) Py_ExitStatusException(status);
  return tstate;
}

PyThreadState* Py_NewInterpreter(void) { return _Py_NewInterpreter(0); }

void Py_EndInterpreter(PyThreadState* tstate) {
  PyInterpreterState* interp = tstate->interp;
  if (tstate != _PyThreadState_GET()) Py_FatalError("thread is not current");
  if (tstate->cframe->current_frame != nullptr) Py_FatalError("thread still has a frame");
  interp->finalizing = 1;
  wait_for_threads();
  _PyAtExit_Call(interp);
  if (tstate != interp->threads.head || tstate->next != nullptr) Py_FatalError("not the last thread");
  state::finalize_modules(tstate);
  finalize_interpreter(tstate);
  PyInterpreterState_Delete(interp);
}

// ---- fatal errors ---------------------------------------------------------------------------------------------------------------

namespace {

[[noreturn]] void fatal(const char* function, const char* message, int status) {
  static bool reentrant = false;
  fflush(stdout);
  fprintf(stderr, "Fatal Python error: ");
  if (function != nullptr) fprintf(stderr, "%s: ", function);
  fprintf(stderr, "%s\n", message == nullptr ? "<message not set>" : message);
  fprintf(stderr, "Python runtime state: %s\n", _PyRuntimeState_GetFinalizing(&_PyRuntime) != nullptr
                                                    ? "finalizing"
                                                : _PyRuntime.initialized       ? "initialized"
                                                : _PyRuntime.core_initialized  ? "core initialized"
                                                : _PyRuntime.preinitialized    ? "preinitialized"
                                                : _PyRuntime.preinitializing   ? "preinitializing"
                                                                               : "unknown");
  if (!reentrant) {
    reentrant = true;
    // A thread that does not hold the GIL must neither touch objects nor be shown as the current one.
    PyThreadState* tstate = _PyRuntimeState_GetThreadState(&_PyRuntime);
    PyThreadState* own = PyGILState_GetThisThreadState();
    const bool has_traceback = own != nullptr && own == tstate && tstate->curexc_traceback != nullptr;
    if (own != nullptr && own == tstate && PyErr_Occurred()) PyErr_PrintEx(0);
    if (!has_traceback) {
      fputc('\n', stderr);
      fflush(stderr);
      if (_PyRuntime.gilstate.autoInterpreterState != nullptr) _Py_DumpTracebackThreads(fileno(stderr), nullptr, own);
    }
    if (tstate != nullptr || own != nullptr) {
      fflush(stderr);
      _Py_DumpExtensionModules(fileno(stderr), (tstate != nullptr ? tstate : own)->interp);
    }
    // The tracebacks have been shown: the signal of abort() shall not show them again.
    _PyFaulthandler_Fini();
  }
  fflush(stderr);
  if (status < 0) abort();
  exit(status);
}

}  // namespace

#undef Py_FatalError
void Py_FatalError(const char* message) { fatal(nullptr, message, -1); }
void _Py_FatalErrorFunc(const char* function, const char* message) { fatal(function, message, -1); }
void _Py_FatalErrorFormat(const char* function, const char* format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  fatal(function, message, -1);
}
void Py_ExitStatusException(PyStatus status) {
  if (PyStatus_IsExit(status)) exit(status.exitcode);
  if (PyStatus_IsError(status)) fatal(status.func, status.err_msg, 1);
  Py_FatalError("Py_ExitStatusException() must not be called on success");
}

// ---- signals and terminals ----------------------------------------------------------------------------------------------------

PyOS_sighandler_t PyOS_getsig(int number) {
  struct sigaction context;
  return sigaction(number, nullptr, &context) == -1 ? SIG_ERR : context.sa_handler;
}

PyOS_sighandler_t PyOS_setsig(int number, PyOS_sighandler_t handler) {
  struct sigaction context{};
  struct sigaction old;
  context.sa_handler = handler;
  sigemptyset(&context.sa_mask);
  context.sa_flags = SA_ONSTACK;  // faulthandler and stack overflow need the alternative stack
  return sigaction(number, &context, &old) == -1 ? SIG_ERR : old.sa_handler;
}

void _Py_RestoreSignals(void) {
  PyOS_setsig(SIGPIPE, SIG_DFL);
#ifdef SIGXFSZ
  PyOS_setsig(SIGXFSZ, SIG_DFL);
#endif
}

int Py_FdIsInteractive(FILE* file, const char* filename) {
  if (isatty(fileno(file))) return 1;
  if (!Py_InteractiveFlag) return 0;
  return filename == nullptr || strcmp(filename, "<stdin>") == 0 || strcmp(filename, "???") == 0;
}

int _Py_FdIsInteractive(FILE* file, PyObject* filename) {
  if (isatty(fileno(file))) return 1;
  if (!Py_InteractiveFlag) return 0;
  return filename == nullptr || PyUnicode_CompareWithASCIIString(filename, "<stdin>") == 0 ||
         PyUnicode_CompareWithASCIIString(filename, "???") == 0;
}

/// Names the extension modules outside the standard library, for crash reports. Async-signal-safe: borrows only.
void _Py_DumpExtensionModules(int fd, PyInterpreterState* interp) {
  if (interp == nullptr || interp->modules == nullptr || !PyDict_CheckExact(interp->modules)) return;
  // Nothing is allocated here: it runs in signal handlers, and without the GIL.
  PyObject* standard = nullptr;
  PyObject *name, *module;
  Py_ssize_t position = 0;
  while (interp->sysdict != nullptr && PyDict_Next(interp->sysdict, &position, &name, &module)) {
    if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "stdlib_module_names") == 0) standard = module;
  }
  auto put = [fd](const char* text) {
    [[maybe_unused]] ssize_t written = write(fd, text, strlen(text));
  };
  size_t count = 0;
  position = 0;
  while (PyDict_Next(interp->modules, &position, &name, &module)) {
    if (!PyUnicode_Check(name) || !PyModule_Check(module) || PyModule_GetDef(module) == nullptr) continue;
    if (standard != nullptr && PyAnySet_Check(standard) && PySet_Contains(standard, name) == 1) continue;
    put(count == 0 ? "\nExtension modules: " : ", ");
    _Py_DumpASCII(fd, name);
    count++;
  }
  if (count == 0) return;
  put(" (total: ");
  _Py_DumpDecimal(fd, count);
  put(")\n");
}
