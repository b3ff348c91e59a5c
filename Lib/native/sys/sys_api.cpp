// The C API of `sysmodule.h`: attributes of sys, formatted output to sys.stdout and sys.stderr, argv and path.
#include "Lib/native/sys/sys_internal.h"
#include "Runtime/refs/ref.h"
#include "internal/pycore_initconfig.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pathconfig.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_sysmodule.h"

#define PYSTON_STRINGIFY_(x) #x
#define PYSTON_STRINGIFY(x) PYSTON_STRINGIFY_(x)
#define PYSTON_CLANG PYSTON_STRINGIFY(__clang_major__) "." PYSTON_STRINGIFY(__clang_minor__) "." PYSTON_STRINGIFY(__clang_patchlevel__)

using namespace pyston;

/// Borrowed from sys.__dict__; null when missing or when looking fails: the pending exception stays what it was.
PyObject* _PySys_GetAttr(PyThreadState* tstate, PyObject* name) {
  PyObject *type, *value, *traceback;
  _PyErr_Fetch(tstate, &type, &value, &traceback);
  PyObject* dict = tstate->interp->sysdict;
  PyObject* result = dict == nullptr ? nullptr : _PyDict_GetItemWithError(dict, name);
  _PyErr_Restore(tstate, type, value, traceback);
  return result;
}

PyObject* PySys_GetObject(const char* name) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyObject* dict = tstate->interp->sysdict;
  PyObject* result = dict == nullptr ? nullptr : PyDict_GetItemString(dict, name);
  PyErr_Restore(type, value, traceback);
  return result;
}

int _PySys_SetAttr(PyObject* name, PyObject* value) {
  PyObject* dict = _PyInterpreterState_GET()->sysdict;
  if (value != nullptr) return PyDict_SetItem(dict, name, value);
  PyObject* old = _PyDict_Pop(dict, name, Py_None);
  Py_XDECREF(old);
  return old == nullptr ? -1 : 0;
}

PyObject* _PySys_GetObjectId(_Py_Identifier* id) {
  PyObject* name = _PyUnicode_FromId(id);
  return name == nullptr ? nullptr : _PySys_GetAttr(_PyThreadState_GET(), name);
}

int _PySys_SetObjectId(_Py_Identifier* id, PyObject* value) {
  PyObject* name = _PyUnicode_FromId(id);
  return name == nullptr ? -1 : _PySys_SetAttr(name, value);
}

int PySys_SetObject(const char* name, PyObject* value) {
  Ref<> text = Ref<>::steal(value == nullptr ? PyUnicode_FromString(name) : PyUnicode_InternFromString(name));
  return text ? _PySys_SetAttr(text.get(), value) : -1;
}

// ---- options given before or after initialisation -------------------------------------------------------------------

namespace {

/// Warning and -X options that embedders add before there is an interpreter.
PyWideStringList early_warn_options{};
PyWideStringList early_xoptions{};

/// Borrowed sys.warnoptions, made a list if it isn't one.
PyObject* warn_options(PyThreadState* tstate) {
  PyObject* options = _PySys_GetAttr(tstate, &_Py_ID(warnoptions));
  if (options != nullptr && PyList_Check(options)) return options;
  PyObject* fresh = PyList_New(0);
  if (fresh == nullptr) return nullptr;
  const int failed = _PySys_SetAttr(&_Py_ID(warnoptions), fresh);
  Py_DECREF(fresh);
  return failed ? nullptr : fresh;
}

PyObject* xoptions(PyThreadState* tstate) {
  PyObject* options = _PySys_GetAttr(tstate, &_Py_ID(_xoptions));
  if (options != nullptr && PyDict_Check(options)) return options;
  PyObject* fresh = PyDict_New();
  if (fresh == nullptr) return nullptr;
  const int failed = _PySys_SetAttr(&_Py_ID(_xoptions), fresh);
  Py_DECREF(fresh);
  return failed ? nullptr : fresh;
}

Status add_xoption(PyObject* dict, const wchar_t* option) {
  const wchar_t* equals = wcschr(option, L'=');
  auto name = VM_TRY(Ref<>::steal(PyUnicode_FromWideChar(option, equals == nullptr ? -1 : equals - option)));
  Ref<> value = equals == nullptr ? Ref<>::dup(Py_True) : Ref<>::steal(PyUnicode_FromWideChar(equals + 1, -1));
  if (!value || PyDict_SetItem(dict, name.get(), value.get()) < 0) return Status::kError;
  return Status::kOk;
}

}  // namespace

void PySys_ResetWarnOptions(void) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (tstate == nullptr) {
    _PyWideStringList_Clear(&early_warn_options);
    return;
  }
  PyObject* options = _PySys_GetAttr(tstate, &_Py_ID(warnoptions));
  if (options != nullptr && PyList_Check(options)) PyList_SetSlice(options, 0, PyList_GET_SIZE(options), nullptr);
}

void PySys_AddWarnOptionUnicode(PyObject* option) {
  PyObject* options = warn_options(_PyThreadState_GET());
  if (options == nullptr || PyList_Append(options, option) < 0) PyErr_Clear();
}

void PySys_AddWarnOption(const wchar_t* option) {
  if (_PyThreadState_GET() == nullptr) {
    PyWideStringList_Append(&early_warn_options, option);
    return;
  }
  Ref<> text = Ref<>::steal(PyUnicode_FromWideChar(option, -1));
  if (text) PySys_AddWarnOptionUnicode(text.get());
}

int PySys_HasWarnOptions(void) {
  PyObject* options = PySys_GetObject("warnoptions");
  return options != nullptr && PyList_Check(options) && PyList_GET_SIZE(options) > 0;
}

void PySys_AddXOption(const wchar_t* option) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (tstate == nullptr) {
    PyWideStringList_Append(&early_xoptions, option);
    return;
  }
  PyObject* options = xoptions(tstate);
  if (options == nullptr || !ok(add_xoption(options, option))) PyErr_Clear();
}

/// Borrowed.
PyObject* PySys_GetXOptions(void) { return xoptions(_PyThreadState_GET()); }

PyStatus _PySys_ReadPreinitWarnOptions(PyWideStringList* options) {
  PyStatus status = _PyWideStringList_Extend(options, &early_warn_options);
  _PyWideStringList_Clear(&early_warn_options);
  return status;
}

PyStatus _PySys_ReadPreinitXOptions(PyConfig* config) {
  PyStatus status = _PyWideStringList_Extend(&config->xoptions, &early_xoptions);
  _PyWideStringList_Clear(&early_xoptions);
  return status;
}

namespace pyston::sys {

Ref<> make_xoptions(const PyConfig* config) {
  auto dict = VM_TRY(Ref<>::steal(PyDict_New()));
  for (Py_ssize_t i = 0; i < config->xoptions.length; i++) {
    VM_CHECK(add_xoption(dict.get(), config->xoptions.items[i]));
  }
  return dict;
}

}  // namespace pyston::sys

// ---- path and argv ---------------------------------------------------------------------------------------------------

void PySys_SetPath(const wchar_t* path) {
  Ref<> list = Ref<>::steal(PyList_New(0));
  if (!list) Py_FatalError("can't create sys.path");
  while (true) {
    const wchar_t* end = wcschr(path, L':');
    Ref<> entry = Ref<>::steal(PyUnicode_FromWideChar(path, end == nullptr ? -1 : end - path));
    if (!entry || PyList_Append(list.get(), entry.get()) < 0) Py_FatalError("can't create sys.path");
    if (end == nullptr) break;
    path = end + 1;
  }
  if (_PySys_SetAttr(&_Py_ID(path), list.get()) != 0) Py_FatalError("can't assign sys.path");
}

void PySys_SetArgvEx(int argc, wchar_t** argv, int updatepath) {
  wchar_t empty[] = L"";
  wchar_t* fallback[] = {empty};
  PyWideStringList list{};
  list.length = argc < 1 || argv == nullptr ? 1 : argc;
  list.items = argc < 1 || argv == nullptr ? fallback : argv;
  Ref<> arguments = Ref<>::steal(_PyWideStringList_AsList(&list));
  if (!arguments) Py_FatalError("no mem for sys.argv");
  if (PySys_SetObject("argv", arguments.get()) != 0) Py_FatalError("can't assign sys.argv");
  if (!updatepath) return;
  PyObject* path0 = nullptr;
  if (_PyPathConfig_ComputeSysPath0(&list, &path0) > 0) {
    Ref<> owner = Ref<>::steal(path0);
    PyObject* path = _PySys_GetAttr(_PyThreadState_GET(), &_Py_ID(path));
    if (path != nullptr && PyList_Insert(path, 0, path0) < 0) Py_FatalError("can't prepend path0 to sys.path");
  }
}

void PySys_SetArgv(int argc, wchar_t** argv) { PySys_SetArgvEx(argc, argv, Py_IsolatedFlag == 0); }

// ---- formatted output --------------------------------------------------------------------------------------------------

namespace {

Status write_text(PyObject* file, PyObject* text) {
  if (file == nullptr) return Status::kError;
  return PyFile_WriteObject(text, file, Py_PRINT_RAW) < 0 ? Status::kError : Status::kOk;
}

/// Falls back to the C stream when there is no usable Python one.
void write_bytes(PyObject* name, FILE* fallback, const char* format, va_list arguments) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyObject* file = _PySys_GetAttr(tstate, name);
  char buffer[1001];
  const int written = PyOS_vsnprintf(buffer, sizeof buffer, format, arguments);
  auto emit = [&](const char* bytes) {
    Ref<> text = Ref<>::steal(PyUnicode_FromString(bytes));
    if (!text || !ok(write_text(file, text.get()))) {
      PyErr_Clear();
      fputs(bytes, fallback);
    }
  };
  emit(buffer);
  if (written < 0 || static_cast<size_t>(written) >= sizeof buffer) emit("... truncated");
  PyErr_Restore(type, value, traceback);
}

void write_formatted(PyObject* name, FILE* fallback, const char* format, va_list arguments) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyObject* file = _PySys_GetAttr(tstate, name);
  Ref<> text = Ref<>::steal(PyUnicode_FromFormatV(format, arguments));
  if (text && !ok(write_text(file, text.get()))) {
    PyErr_Clear();
    const char* utf8 = PyUnicode_AsUTF8(text.get());
    if (utf8 != nullptr) fputs(utf8, fallback);
  }
  PyErr_Clear();
  PyErr_Restore(type, value, traceback);
}

}  // namespace

void PySys_WriteStdout(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_bytes(&_Py_ID(stdout), stdout, format, arguments);
  va_end(arguments);
}
void PySys_WriteStderr(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_bytes(&_Py_ID(stderr), stderr, format, arguments);
  va_end(arguments);
}
void PySys_FormatStdout(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_formatted(&_Py_ID(stdout), stdout, format, arguments);
  va_end(arguments);
}
void PySys_FormatStderr(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_formatted(&_Py_ID(stderr), stderr, format, arguments);
  va_end(arguments);
}

// ---- versions ------------------------------------------------------------------------------------------------------------

const unsigned long Py_Version = PY_VERSION_HEX;
const char* Py_GetPlatform(void) { return "linux"; }
const char* Py_GetCompiler(void) { return "[Clang " PYSTON_CLANG "]"; }
const char* Py_GetCopyright(void) {
  return "Copyright (c) 2001-2023 Python Software Foundation.\nAll Rights Reserved.\n\n"
         "Copyright (c) 2000 BeOpen.com.\nAll Rights Reserved.\n\n"
         "Copyright (c) 1995-2001 Corporation for National Research Initiatives.\nAll Rights Reserved.\n\n"
         "Copyright (c) 1991-1995 Stichting Mathematisch Centrum, Amsterdam.\nAll Rights Reserved.";
}
const char* Py_GetBuildInfo(void) { return "main, " __DATE__ ", " __TIME__; }
/// The form that `platform` parses: "3.11.2 (build) [compiler]"; pyston is named in the parenthesis.
const char* Py_GetVersion(void) { return PY_VERSION " (pyston, " __DATE__ ", " __TIME__ ") [Clang " PYSTON_CLANG "]"; }
const char* _Py_gitidentifier(void) { return ""; }
const char* _Py_gitversion(void) { return ""; }

namespace pyston::options {
const char* full_version();
const char* full_version() { return Py_GetVersion(); }
}  // namespace pyston::options
