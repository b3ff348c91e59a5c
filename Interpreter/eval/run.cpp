// Running source: strings, files, .pyc files and the interactive prompt (the API of `pythonrun.h`).
#include <errcode.h>
#include <stdio.h>

#include "Interpreter/compiler/compiler.h"
#include "Interpreter/compiler/parser.h"
#include "Runtime/refs/ref.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_sysmodule.h"
#include "marshal.h"

using namespace pyston;

namespace {

Ref<> decode_filename(const char* filename) {
  return filename == nullptr ? Ref<>::steal(PyUnicode_FromString("???"))
                             : Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
}

/// Evaluates a code object at the top level; remembers an interrupt that nobody caught, for the exit status.
Ref<> run_code(PyThreadState* tstate, PyCodeObject* code, PyObject* globals, PyObject* locals) {
  if (globals == nullptr) return raise(PyExc_SystemError, "globals must be a real dict");
  if (!PyDict_Check(globals)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  // Top-level code needs builtins; what the globals already name is kept.
  const int present = PyDict_Contains(globals, &_Py_ID(__builtins__));
  if (present < 0 ||
      (present == 0 && PyDict_SetItem(globals, &_Py_ID(__builtins__), tstate->interp->builtins) < 0)) {
    return nullptr;
  }
  _Py_UnhandledKeyboardInterrupt = 0;
  Ref<> result = Ref<>::steal(PyEval_EvalCode(as_object(code), globals, locals));
  if (!result && PyErr_Occurred() == PyExc_KeyboardInterrupt) _Py_UnhandledKeyboardInterrupt = 1;
  return result;
}

Ref<> run_tree(ast::Mod* tree, PyObject* filename, PyObject* globals, PyObject* locals, PyCompilerFlags* flags,
               ast::Arena& arena) {
  PyThreadState* tstate = _PyThreadState_GET();
  auto code = VM_TRY(compile_module(tree, filename, flags, -1, arena));
  if (_PySys_Audit(tstate, "exec", "O", code.get()) < 0) return nullptr;
  return run_code(tstate, code.get(), globals, locals);
}

/// Flushes sys.stderr and sys.stdout with the pending exception kept.
void flush_streams() {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  for (PyObject* name : {&_Py_ID(stderr), &_Py_ID(stdout)}) {
    Ref<> stream = Ref<>::dup(_PySys_GetAttr(tstate, name));
    if (!stream) continue;
    Ref<> result = Ref<>::steal(PyObject_CallMethodNoArgs(stream.get(), &_Py_ID(flush)));
    if (!result) PyErr_Clear();
  }
  PyErr_Restore(type, value, traceback);
}

Ref<> run_file(FILE* file, PyObject* filename, StartRule rule, PyObject* globals, PyObject* locals, bool close_file,
               PyCompilerFlags* flags) {
  ast::Arena arena;
  ast::Mod* tree = parse_file(arena, file, filename, nullptr, rule, nullptr, nullptr, flags, nullptr);
  if (close_file) fclose(file);
  Ref<> result;
  if (tree != nullptr) result = run_tree(tree, filename, globals, locals, flags, arena);
  flush_streams();
  return result;
}

// ---- .pyc files ---------------------------------------------------------------------------------------------------------

/// By extension, or by the magic number for a file without one.
bool is_pyc_file(FILE* file, PyObject* filename, bool close_file) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(filename);
  if (length >= 4) {
    Ref<> extension = Ref<>::steal(PyUnicode_Substring(filename, length - 4, length));
    if (extension && _PyUnicode_EqualToASCIIString(extension.get(), ".pyc")) return true;
  }
  if (!close_file || ftell(file) != 0) return false;
  const unsigned magic = static_cast<unsigned>(PyImport_GetMagicNumber()) & 0xffff;
  unsigned char head[2];
  const bool matches = fread(head, 1, 2, file) == 2 && (static_cast<unsigned>(head[1]) << 8 | head[0]) == magic;
  rewind(file);
  return matches;
}

Ref<> run_pyc_file(FILE* file, PyObject* globals, PyObject* locals) {
  PyThreadState* tstate = _PyThreadState_GET();
  const long magic = PyMarshal_ReadLongFromFile(file);
  if (magic != PyImport_GetMagicNumber()) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "Bad magic number in .pyc file");
    fclose(file);
    return nullptr;
  }
  for (int i = 0; i < 3; i++) PyMarshal_ReadLongFromFile(file);  // flags, time stamp or hash
  if (PyErr_Occurred()) {
    fclose(file);
    return nullptr;
  }
  Ref<> code = Ref<>::steal(PyMarshal_ReadLastObjectFromFile(file));
  fclose(file);
  if (!code || !PyCode_Check(code.get())) {
    PyErr_Clear();
    return raise(PyExc_RuntimeError, "Bad code object in .pyc file");
  }
  Ref<> result = run_code(tstate, reinterpret_cast<PyCodeObject*>(code.get()), globals, locals);
  flush_streams();
  return result;
}

Status set_main_loader(PyObject* dict, PyObject* filename, const char* loader_name) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  auto bootstrap = VM_TRY(Ref<>::steal(PyObject_GetAttrString(interp->importlib, "_bootstrap_external")));
  auto type = VM_TRY(Ref<>::steal(PyObject_GetAttrString(bootstrap.get(), loader_name)));
  auto loader = VM_TRY(Ref<>::steal(PyObject_CallFunction(type.get(), "sO", "__main__", filename)));
  return PyDict_SetItemString(dict, "__loader__", loader.get()) < 0 ? Status::kError : Status::kOk;
}

int simple_file(FILE* file, PyObject* filename, int close_file, PyCompilerFlags* flags) {
  Ref<> main_module = Ref<>::dup(PyImport_AddModule("__main__"));
  if (!main_module) return -1;
  PyObject* dict = PyModule_GetDict(main_module.get());
  const int has_file = PyDict_Contains(dict, &_Py_ID(__file__));
  if (has_file < 0) return -1;
  if (!has_file && (PyDict_SetItem(dict, &_Py_ID(__file__), filename) < 0 ||
                    PyDict_SetItemString(dict, "__cached__", Py_None) < 0)) {
    return -1;
  }
  Ref<> result;
  if (is_pyc_file(file, filename, close_file != 0)) {
    Ref<> bytes = Ref<>::steal(PyUnicode_EncodeFSDefault(filename));
    if (close_file) fclose(file);
    FILE* pyc = bytes ? fopen(PyBytes_AS_STRING(bytes.get()), "rb") : nullptr;
    if (pyc == nullptr) {
      fprintf(stderr, "python: Can't reopen .pyc file\n");
    } else if (!ok(set_main_loader(dict, filename, "SourcelessFileLoader"))) {
      fprintf(stderr, "python: failed to set __main__.__loader__\n");
      fclose(pyc);
    } else {
      result = run_pyc_file(pyc, dict, dict);
    }
  } else {
    if (!_PyUnicode_EqualToASCIIString(filename, "<stdin>") &&
        !ok(set_main_loader(dict, filename, "SourceFileLoader"))) {
      fprintf(stderr, "python: failed to set __main__.__loader__\n");
    } else {
      result = run_file(file, filename, StartRule::kFile, dict, dict, close_file != 0, flags);
    }
  }
  flush_streams();
  int status = 0;
  if (!result) {
    main_module.reset();
    PyErr_Print();
    status = -1;
    main_module = Ref<>::dup(PyImport_AddModule("__main__"));
  }
  if (!has_file && main_module) {
    dict = PyModule_GetDict(main_module.get());
    if (PyDict_DelItem(dict, &_Py_ID(__file__)) < 0) PyErr_Print();
    if (PyDict_DelItemString(dict, "__cached__") < 0) PyErr_Print();
  }
  return status;
}

// ---- the prompt -----------------------------------------------------------------------------------------------------------

/// str(sys.ps1) and the like, kept alive by `keep`; "" when there is none.
const char* prompt_text(PyObject* name, Ref<>* keep) {
  PyObject* prompt = _PySys_GetAttr(_PyThreadState_GET(), name);
  if (prompt == nullptr) return "";
  *keep = Ref<>::steal(PyObject_Str(prompt));
  const char* text = *keep && PyUnicode_Check(keep->get()) ? PyUnicode_AsUTF8(keep->get()) : nullptr;
  if (text == nullptr) {
    PyErr_Clear();
    return "";
  }
  return text;
}

/// One statement: 0, E_EOF at the end of input, -1 with an exception set.
int interactive_one(FILE* file, PyObject* filename, PyCompilerFlags* flags) {
  Ref<> encoding_object;
  const char* encoding = nullptr;
  if (file == stdin) {
    PyObject* stream = _PySys_GetAttr(_PyThreadState_GET(), &_Py_ID(stdin));
    if (stream != nullptr && stream != Py_None) {
      encoding_object = Ref<>::steal(PyObject_GetAttr(stream, &_Py_ID(encoding)));
      if (encoding_object && PyUnicode_Check(encoding_object.get())) encoding = PyUnicode_AsUTF8(encoding_object.get());
      if (encoding == nullptr) PyErr_Clear();
    }
  }
  Ref<> keep1;
  Ref<> keep2;
  const char* ps1 = prompt_text(&_Py_ID(ps1), &keep1);
  const char* ps2 = prompt_text(&_Py_ID(ps2), &keep2);
  ast::Arena arena;
  int error_code = 0;
  ast::Mod* tree =
      parse_file(arena, file, filename, encoding, StartRule::kInteractive, ps1, ps2, flags, &error_code);
  if (tree == nullptr) {
    if (error_code == E_EOF) {
      PyErr_Clear();
      return E_EOF;
    }
    return -1;
  }
  PyObject* main_module = PyImport_AddModuleObject(&_Py_ID(__main__));
  if (main_module == nullptr) return -1;
  PyObject* dict = PyModule_GetDict(main_module);
  Ref<> result = run_tree(tree, filename, dict, dict, flags, arena);
  flush_streams();
  return result ? 0 : -1;
}

Status set_default_prompt(PyObject* name, const char* text) {
  if (_PySys_GetAttr(_PyThreadState_GET(), name) != nullptr) return Status::kOk;
  auto prompt = VM_TRY(Ref<>::steal(PyUnicode_FromString(text)));
  return _PySys_SetAttr(name, prompt.get()) < 0 ? Status::kError : Status::kOk;
}

}  // namespace

int _PyRun_InteractiveLoopObject(FILE* file, PyObject* filename, PyCompilerFlags* flags) {
  PyCompilerFlags local_flags = _PyCompilerFlags_INIT;
  if (flags == nullptr) flags = &local_flags;
  if (!ok(set_default_prompt(&_Py_ID(ps1), ">>> ")) || !ok(set_default_prompt(&_Py_ID(ps2), "... "))) PyErr_Clear();
  int status = 0;
  int memory_errors = 0;
  int result;
  do {
    result = interactive_one(file, filename, flags);
    if (result == -1 && PyErr_Occurred()) {
      // A prompt that can only fail must end: memory errors in a row are given up on.
      memory_errors = PyErr_ExceptionMatches(PyExc_MemoryError) ? memory_errors + 1 : 0;
      if (memory_errors > 16) {
        PyErr_Clear();
        return -1;
      }
      PyErr_Print();
      flush_streams();
    } else {
      memory_errors = 0;
    }
  } while (result != E_EOF);
  return status;
}

int PyRun_InteractiveLoopFlags(FILE* file, const char* filename, PyCompilerFlags* flags) {
  Ref<> name = decode_filename(filename);
  if (!name) {
    PyErr_Print();
    return -1;
  }
  return _PyRun_InteractiveLoopObject(file, name.get(), flags);
}

int PyRun_InteractiveOneObject(FILE* file, PyObject* filename, PyCompilerFlags* flags) {
  const int result = interactive_one(file, filename, flags);
  if (result == -1) {
    PyErr_Print();
    flush_streams();
  }
  return result;
}

int PyRun_InteractiveOneFlags(FILE* file, const char* filename, PyCompilerFlags* flags) {
  Ref<> name = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
  if (!name) {
    PyErr_Print();
    return -1;
  }
  return PyRun_InteractiveOneObject(file, name.get(), flags);
}

// ---- files and strings -------------------------------------------------------------------------------------------------------

int _PyRun_AnyFileObject(FILE* file, PyObject* filename, int close_file, PyCompilerFlags* flags) {
  if (!_Py_FdIsInteractive(file, filename)) return _PyRun_SimpleFileObject(file, filename, close_file, flags);
  const int result = _PyRun_InteractiveLoopObject(file, filename, flags);
  if (close_file) fclose(file);
  return result;
}

int PyRun_AnyFileExFlags(FILE* file, const char* filename, int close_file, PyCompilerFlags* flags) {
  Ref<> name = decode_filename(filename);
  if (!name) {
    PyErr_Print();
    return -1;
  }
  return _PyRun_AnyFileObject(file, name.get(), close_file, flags);
}

int _PyRun_SimpleFileObject(FILE* file, PyObject* filename, int close_file, PyCompilerFlags* flags) {
  return simple_file(file, filename, close_file, flags);
}

int PyRun_SimpleFileExFlags(FILE* file, const char* filename, int close_file, PyCompilerFlags* flags) {
  Ref<> name = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
  return name ? simple_file(file, name.get(), close_file, flags) : -1;
}

int PyRun_SimpleStringFlags(const char* command, PyCompilerFlags* flags) {
  PyObject* main_module = PyImport_AddModule("__main__");
  if (main_module == nullptr) return -1;
  PyObject* dict = PyModule_GetDict(main_module);
  Ref<> result = Ref<>::steal(PyRun_StringFlags(command, Py_file_input, dict, dict, flags));
  if (result) return 0;
  PyErr_Print();
  return -1;
}

PyObject* PyRun_StringFlags(const char* source, int start, PyObject* globals, PyObject* locals, PyCompilerFlags* flags) {
  Ref<> filename = Ref<>::steal(PyUnicode_InternFromString("<string>"));
  if (!filename) return nullptr;
  ast::Arena arena;
  ast::Mod* tree = parse_string(arena, source, filename.get(), static_cast<StartRule>(start), flags);
  if (tree == nullptr) return nullptr;
  return run_tree(tree, filename.get(), globals, locals, flags, arena).release();
}

PyObject* PyRun_FileExFlags(FILE* file, const char* filename, int start, PyObject* globals, PyObject* locals,
                            int close_file, PyCompilerFlags* flags) {
  Ref<> name = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
  if (!name) return nullptr;
  return run_file(file, name.get(), static_cast<StartRule>(start), globals, locals, close_file != 0, flags).release();
}

PyObject* Py_CompileStringObject(const char* source, PyObject* filename, int start, PyCompilerFlags* flags,
                                 int optimize) {
  ast::Arena arena;
  ast::Mod* tree = parse_string(arena, source, filename, static_cast<StartRule>(start), flags);
  if (tree == nullptr) return nullptr;
  if (flags != nullptr && (flags->cf_flags & PyCF_ONLY_AST)) return ast_to_object(tree).release();
  return as_object(compile_module(tree, filename, flags, optimize, arena).release());
}

PyObject* Py_CompileStringExFlags(const char* source, const char* filename, int start, PyCompilerFlags* flags,
                                  int optimize) {
  Ref<> name = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
  return name ? Py_CompileStringObject(source, name.get(), start, flags, optimize) : nullptr;
}

/// UTF-8 (or, for bytes, undecoded) text of a str or bytes-like `command`. `*copy` keeps it alive (new reference).
const char* _Py_SourceAsString(PyObject* command, const char* function, const char* what, PyCompilerFlags* flags,
                               PyObject** copy) {
  *copy = nullptr;
  const char* text;
  Py_ssize_t size;
  if (PyUnicode_Check(command)) {
    flags->cf_flags |= PyCF_IGNORE_COOKIE;
    text = PyUnicode_AsUTF8AndSize(command, &size);
    if (text == nullptr) return nullptr;
  } else if (PyBytes_Check(command)) {
    text = PyBytes_AS_STRING(command);
    size = PyBytes_GET_SIZE(command);
  } else if (PyByteArray_Check(command)) {
    text = PyByteArray_AS_STRING(command);
    size = PyByteArray_GET_SIZE(command);
  } else {
    Py_buffer view;
    if (PyObject_GetBuffer(command, &view, PyBUF_SIMPLE) != 0) {
      PyErr_Clear();
      PyErr_Format(PyExc_TypeError, "%s() arg 1 must be a %s object", function, what);
      return nullptr;
    }
    *copy = PyBytes_FromStringAndSize(static_cast<const char*>(view.buf), view.len);
    PyBuffer_Release(&view);
    if (*copy == nullptr) return nullptr;
    text = PyBytes_AS_STRING(*copy);
    size = PyBytes_GET_SIZE(*copy);
  }
  if (strlen(text) != static_cast<size_t>(size)) {
    PyErr_SetString(PyExc_ValueError, "source code string cannot contain null bytes");
    Py_CLEAR(*copy);
    return nullptr;
  }
  return text;
}

// ---- the short forms, which are macros in C but functions in the ABI -----------------------------------------------------

#undef PyRun_String
#undef PyRun_AnyFile
#undef PyRun_AnyFileEx
#undef PyRun_AnyFileFlags
#undef PyRun_SimpleString
#undef PyRun_SimpleFile
#undef PyRun_SimpleFileEx
#undef PyRun_InteractiveOne
#undef PyRun_InteractiveLoop
#undef PyRun_File
#undef PyRun_FileEx
#undef PyRun_FileFlags
#undef Py_CompileString
#undef Py_CompileStringFlags

PyObject* PyRun_String(const char* source, int start, PyObject* globals, PyObject* locals) {
  return PyRun_StringFlags(source, start, globals, locals, nullptr);
}
int PyRun_AnyFile(FILE* file, const char* name) { return PyRun_AnyFileExFlags(file, name, 0, nullptr); }
int PyRun_AnyFileEx(FILE* file, const char* name, int close_file) {
  return PyRun_AnyFileExFlags(file, name, close_file, nullptr);
}
int PyRun_AnyFileFlags(FILE* file, const char* name, PyCompilerFlags* flags) {
  return PyRun_AnyFileExFlags(file, name, 0, flags);
}
int PyRun_SimpleString(const char* source) { return PyRun_SimpleStringFlags(source, nullptr); }
int PyRun_SimpleFile(FILE* file, const char* name) { return PyRun_SimpleFileExFlags(file, name, 0, nullptr); }
int PyRun_SimpleFileEx(FILE* file, const char* name, int close_file) {
  return PyRun_SimpleFileExFlags(file, name, close_file, nullptr);
}
int PyRun_InteractiveOne(FILE* file, const char* name) { return PyRun_InteractiveOneFlags(file, name, nullptr); }
int PyRun_InteractiveLoop(FILE* file, const char* name) { return PyRun_InteractiveLoopFlags(file, name, nullptr); }
PyObject* PyRun_File(FILE* file, const char* name, int start, PyObject* globals, PyObject* locals) {
  return PyRun_FileExFlags(file, name, start, globals, locals, 0, nullptr);
}
PyObject* PyRun_FileEx(FILE* file, const char* name, int start, PyObject* globals, PyObject* locals, int close_file) {
  return PyRun_FileExFlags(file, name, start, globals, locals, close_file, nullptr);
}
PyObject* PyRun_FileFlags(FILE* file, const char* name, int start, PyObject* globals, PyObject* locals,
                          PyCompilerFlags* flags) {
  return PyRun_FileExFlags(file, name, start, globals, locals, 0, flags);
}
PyObject* Py_CompileString(const char* source, const char* filename, int start) {
  return Py_CompileStringExFlags(source, filename, start, nullptr, -1);
}
extern "C" PyAPI_FUNC(PyObject*)
    Py_CompileStringFlags(const char* source, const char* filename, int start, PyCompilerFlags* flags) {
  return Py_CompileStringExFlags(source, filename, start, flags, -1);
}
