// The very high level layer: running and compiling source from strings, files, terminals and .pyc files.
#include "Interpreter/compiler/compiler.h"
#include "Interpreter/compiler/parser.h"

#include <cstdio>

#include <errcode.h>
#include <marshal.h>
#include <pycore_ceval.h>
#include <pycore_fileutils.h>
#include <pycore_global_strings.h>
#include <pycore_interp.h>
#include <pycore_object.h>
#include <pycore_pyerrors.h>
#include <pycore_pylifecycle.h>
#include <pycore_pystate.h>
#include <pycore_runtime.h>
#include <pycore_sysmodule.h>

namespace pyston {
namespace {

Ref<> evaluate(PyObject* code, PyObject* globals, PyObject* locals) {
  if (globals != nullptr) {
    const int known = PyDict_Contains(globals, &_Py_ID(__builtins__));
    if (known < 0) return nullptr;
    if (known == 0 &&
        PyDict_SetItem(globals, &_Py_ID(__builtins__), _PyInterpreterState_GET()->builtins) < 0) {
      return nullptr;
    }
  }
  Ref<> value = Ref<>::steal(PyEval_EvalCode(code, globals, locals));
  if (!value && PyErr_Occurred() == PyExc_KeyboardInterrupt) _Py_UnhandledKeyboardInterrupt = 1;
  return value;
}

Ref<> run_tree(ast::Mod* tree, PyObject* filename, PyObject* globals, PyObject* locals, PyCompilerFlags* flags,
               ast::Arena& arena) {
  auto code = VM_TRY(compile_module(tree, filename, flags, -1, arena));
  if (PySys_Audit("exec", "O", code.object()) < 0) return nullptr;
  return evaluate(code.object(), globals, locals);
}

Ref<> run_file(FILE* file, PyObject* filename, int start, PyObject* globals, PyObject* locals, bool close,
               PyCompilerFlags* flags) {
  ast::Arena arena;
  ast::Mod* tree = parse_file(arena, file, filename, nullptr, static_cast<StartRule>(start), nullptr, nullptr, flags,
                              nullptr);
  if (close) fclose(file);
  return tree == nullptr ? Ref<>() : run_tree(tree, filename, globals, locals, flags, arena);
}

/// Flushes sys.stderr and sys.stdout; the current exception survives.
void flush_standard_streams() {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  for (PyObject* name : {&_Py_ID(stderr), &_Py_ID(stdout)}) {
    PyObject* stream = _PySys_GetAttr(_PyThreadState_GET(), name);
    if (stream == nullptr) continue;
    Ref<> owner = Ref<>::dup(stream);
    Ref<> done = Ref<>::steal(PyObject_CallMethodNoArgs(stream, &_Py_ID(flush)));
    if (!done) PyErr_Clear();
  }
  PyErr_Restore(type, value, traceback);
}

/// Whether the file holds compiled code: by its name, or by its first bytes where reading ahead does no harm.
bool is_compiled_file(FILE* file, PyObject* filename, bool close) {
  Ref<> extension = Ref<>::steal(PyUnicode_FromString(".pyc"));
  if (!extension) {
    PyErr_Clear();
    return false;
  }
  const Py_ssize_t matches = PyUnicode_Tailmatch(filename, extension.get(), 0, PY_SSIZE_T_MAX, 1);
  if (matches == 1) return true;
  PyErr_Clear();
  if (!close || ftell(file) != 0) return false;
  const unsigned magic = static_cast<unsigned>(PyImport_GetMagicNumber()) & 0xFFFF;
  unsigned char head[2];
  const bool is_compiled = fread(head, 1, 2, file) == 2 && (static_cast<unsigned>(head[1]) << 8 | head[0]) == magic;
  rewind(file);
  return is_compiled;
}

Ref<> run_compiled_file(FILE* file, PyObject* globals, PyObject* locals, PyCompilerFlags* flags) {
  const long magic = PyMarshal_ReadLongFromFile(file);
  Ref<> code;
  if (magic != PyImport_GetMagicNumber()) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "Bad magic number in .pyc file");
  } else {
    for (int i = 0; i < 3; i++) PyMarshal_ReadLongFromFile(file);  // flags and what the file was made from
    if (!PyErr_Occurred()) code = Ref<>::steal(PyMarshal_ReadLastObjectFromFile(file));
    if (!code || !PyCode_Check(code.get())) {
      if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "Bad code object in .pyc file");
      code.reset();
    }
  }
  fclose(file);
  if (!code) return nullptr;
  Ref<> value = evaluate(code.get(), globals, locals);
  if (value && flags != nullptr) {
    flags->cf_flags |= reinterpret_cast<PyCodeObject*>(code.get())->co_flags & PyCF_MASK;
  }
  return value;
}

Status set_main_loader(PyObject* globals, PyObject* filename, const char* loader_name) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  Ref<> bootstrap = Ref<>::steal(PyObject_GetAttrString(interp->importlib, "_bootstrap_external"));
  if (!bootstrap) return Status::kError;
  Ref<> type = Ref<>::steal(PyObject_GetAttrString(bootstrap.get(), loader_name));
  if (!type) return Status::kError;
  Ref<> loader = Ref<>::steal(PyObject_CallFunction(type.get(), "sO", "__main__", filename));
  if (!loader || PyDict_SetItemString(globals, "__loader__", loader.get()) < 0) return Status::kError;
  return Status::kOk;
}

/// -1 after the exception was printed.
int run_main_file(FILE* file, PyObject* filename, bool close, PyObject* globals, PyCompilerFlags* flags) {
  Ref<> value;
  if (is_compiled_file(file, filename, close)) {
    if (close) fclose(file);
    FILE* compiled = _Py_fopen_obj(filename, "rb");
    if (compiled == nullptr) {
      fprintf(stderr, "python: Can't reopen .pyc file\n");
      return -1;
    }
    if (failed(set_main_loader(globals, filename, "SourcelessFileLoader"))) {
      fprintf(stderr, "python: failed to set __main__.__loader__\n");
      fclose(compiled);
      return -1;
    }
    value = run_compiled_file(compiled, globals, globals, flags);
  } else {
    // Standard input has no loader of its own.
    if (PyUnicode_CompareWithASCIIString(filename, "<stdin>") != 0 &&
        failed(set_main_loader(globals, filename, "SourceFileLoader"))) {
      fprintf(stderr, "python: failed to set __main__.__loader__\n");
      return -1;
    }
    value = run_file(file, filename, Py_file_input, globals, globals, close, flags);
  }
  flush_standard_streams();
  if (value) return 0;
  PyErr_Print();
  return -1;
}

/// sys.ps1 or sys.ps2 as UTF-8, kept alive by `owner`; "" when there is none.
const char* prompt_text(PyObject* name, Ref<>& owner) {
  PyObject* prompt = _PySys_GetAttr(_PyThreadState_GET(), name);
  if (prompt == nullptr) return "";
  owner = Ref<>::steal(PyObject_Str(prompt));
  const char* text = owner && PyUnicode_Check(owner.get()) ? PyUnicode_AsUTF8(owner.get()) : nullptr;
  if (text == nullptr) {
    PyErr_Clear();
    return "";
  }
  return text;
}

/// Reads and runs one statement: 0, E_EOF at the end of input, -1 with an exception.
int run_interactive_statement(FILE* file, PyObject* filename, PyCompilerFlags* flags) {
  Ref<> main_name = Ref<>::steal(PyUnicode_InternFromString("__main__"));
  if (!main_name) return -1;
  Ref<> encoding_owner;
  const char* encoding = nullptr;
  if (file == stdin) {
    PyObject* in = _PySys_GetAttr(_PyThreadState_GET(), &_Py_ID(stdin));
    if (in != nullptr && in != Py_None) {
      encoding_owner = Ref<>::steal(PyObject_GetAttr(in, &_Py_ID(encoding)));
      if (encoding_owner && PyUnicode_Check(encoding_owner.get())) encoding = PyUnicode_AsUTF8(encoding_owner.get());
      if (encoding == nullptr) PyErr_Clear();
    }
  }
  Ref<> ps1_owner, ps2_owner;
  const char* ps1 = prompt_text(&_Py_ID(ps1), ps1_owner);
  const char* ps2 = prompt_text(&_Py_ID(ps2), ps2_owner);
  ast::Arena arena;
  int error_code = 0;
  ast::Mod* tree = parse_file(arena, file, filename, encoding, StartRule::kInteractive, ps1, ps2, flags, &error_code);
  if (tree == nullptr) {
    if (error_code != E_EOF) return -1;
    PyErr_Clear();
    return E_EOF;
  }
  PyObject* module = PyImport_AddModuleObject(main_name.get());
  if (module == nullptr) return -1;
  PyObject* globals = PyModule_GetDict(module);
  Ref<> value = run_tree(tree, filename, globals, globals, flags, arena);
  if (!value) return -1;
  flush_standard_streams();
  return 0;
}

void set_default_prompt(PyObject* name, const char* text) {
  if (_PySys_GetAttr(_PyThreadState_GET(), name) != nullptr) return;
  Ref<> prompt = Ref<>::steal(PyUnicode_FromString(text));
  if (!prompt || _PySys_SetAttr(name, prompt.get()) < 0) PyErr_Clear();
}

Ref<> decode_filename(const char* filename) {
  return filename == nullptr ? Ref<>::steal(PyUnicode_FromString("???"))
                             : Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
}

}  // namespace
}  // namespace pyston

using namespace pyston;

// --- interactive ---

int PyRun_InteractiveOneObject(FILE* file, PyObject* filename, PyCompilerFlags* flags) {
  const int result = run_interactive_statement(file, filename, flags);
  if (result == -1) {
    PyErr_Print();
    flush_standard_streams();
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

int _PyRun_InteractiveLoopObject(FILE* file, PyObject* filename, PyCompilerFlags* flags) {
  constexpr int kMaxMemoryErrors = 16;  // in a row: then it won't get better
  PyCompilerFlags own_flags = _PyCompilerFlags_INIT;
  if (flags == nullptr) flags = &own_flags;
  set_default_prompt(&_Py_ID(ps1), ">>> ");
  set_default_prompt(&_Py_ID(ps2), "... ");
  int memory_errors = 0;
  for (;;) {
    const int result = run_interactive_statement(file, filename, flags);
    if (result == E_EOF) return 0;
    if (result == -1 && PyErr_Occurred()) {
      if (!PyErr_ExceptionMatches(PyExc_MemoryError)) {
        memory_errors = 0;
      } else if (++memory_errors > kMaxMemoryErrors) {
        PyErr_Clear();
        return -1;
      }
      PyErr_Print();
      flush_standard_streams();
    } else {
      memory_errors = 0;
    }
  }
}

int PyRun_InteractiveLoopFlags(FILE* file, const char* filename, PyCompilerFlags* flags) {
  Ref<> name = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
  if (!name) {
    PyErr_Print();
    return -1;
  }
  return _PyRun_InteractiveLoopObject(file, name.get(), flags);
}

int _PyRun_AnyFileObject(FILE* file, PyObject* filename, int close, PyCompilerFlags* flags) {
  Ref<> name = filename != nullptr ? Ref<>::dup(filename) : Ref<>::steal(PyUnicode_FromString("???"));
  if (!name) {
    PyErr_Print();
    return -1;
  }
  if (_Py_FdIsInteractive(file, name.get())) {
    const int result = _PyRun_InteractiveLoopObject(file, name.get(), flags);
    if (close) fclose(file);
    return result;
  }
  return _PyRun_SimpleFileObject(file, name.get(), close, flags);
}

int PyRun_AnyFileExFlags(FILE* file, const char* filename, int close, PyCompilerFlags* flags) {
  Ref<> name = decode_filename(filename);
  if (!name) {
    PyErr_Print();
    return -1;
  }
  return _PyRun_AnyFileObject(file, name.get(), close, flags);
}

// --- __main__ ---

/// Runs the file as __main__; -1 after printing the exception.
int _PyRun_SimpleFileObject(FILE* file, PyObject* filename, int close, PyCompilerFlags* flags) {
  PyObject* module = PyImport_AddModule("__main__");
  if (module == nullptr) return -1;
  Ref<> owner = Ref<>::dup(module);
  PyObject* globals = PyModule_GetDict(module);
  const int has_file = PyDict_Contains(globals, &_Py_ID(__file__));
  if (has_file < 0) {
    PyErr_Print();
    return -1;
  }
  if (!has_file && (PyDict_SetItem(globals, &_Py_ID(__file__), filename) < 0 ||
                    PyDict_SetItemString(globals, "__cached__", Py_None) < 0)) {
    PyErr_Print();
    return -1;
  }
  const int result = run_main_file(file, filename, close != 0, globals, flags);
  if (!has_file) {
    if (PyDict_DelItem(globals, &_Py_ID(__file__)) < 0) PyErr_Clear();
    if (PyDict_DelItemString(globals, "__cached__") < 0) PyErr_Clear();
  }
  return result;
}

int PyRun_SimpleFileExFlags(FILE* file, const char* filename, int close, PyCompilerFlags* flags) {
  Ref<> name = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
  if (!name) return -1;
  return _PyRun_SimpleFileObject(file, name.get(), close, flags);
}

int PyRun_SimpleStringFlags(const char* command, PyCompilerFlags* flags) {
  PyObject* module = PyImport_AddModule("__main__");
  if (module == nullptr) return -1;
  Ref<> owner = Ref<>::dup(module);
  PyObject* globals = PyModule_GetDict(module);
  Ref<> value = Ref<>::steal(PyRun_StringFlags(command, Py_file_input, globals, globals, flags));
  if (value) return 0;
  PyErr_Print();
  return -1;
}

// --- any namespace ---

PyObject* PyRun_StringFlags(const char* source, int start, PyObject* globals, PyObject* locals,
                            PyCompilerFlags* flags) {
  ast::Arena arena;
  PyObject* filename = &_Py_STR(anon_string);
  ast::Mod* tree = parse_string(arena, source, filename, static_cast<StartRule>(start), flags);
  return tree == nullptr ? nullptr : run_tree(tree, filename, globals, locals, flags, arena).release();
}

PyObject* PyRun_FileExFlags(FILE* file, const char* filename, int start, PyObject* globals, PyObject* locals,
                            int close, PyCompilerFlags* flags) {
  Ref<> name = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
  if (!name) return nullptr;
  Ref<> value = run_file(file, name.get(), start, globals, locals, close != 0, flags);
  flush_standard_streams();
  return value.release();
}

// --- compiling ---

/// New reference to a code object, or to an `ast` tree with PyCF_ONLY_AST.
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

/// The text behind a str or bytes-like object, NUL-terminated. `*copy` receives what keeps it alive (or null).
const char* _Py_SourceAsString(PyObject* source, const char* function, const char* what, PyCompilerFlags* flags,
                               PyObject** copy) {
  const char* text;
  Py_ssize_t size;
  *copy = nullptr;
  if (PyUnicode_Check(source)) {
    flags->cf_flags |= PyCF_IGNORE_COOKIE;
    text = PyUnicode_AsUTF8AndSize(source, &size);
    if (text == nullptr) return nullptr;
  } else if (PyBytes_Check(source)) {
    text = PyBytes_AS_STRING(source);
    size = PyBytes_GET_SIZE(source);
  } else if (PyByteArray_Check(source)) {
    text = PyByteArray_AS_STRING(source);
    size = PyByteArray_GET_SIZE(source);
  } else {
    Py_buffer view;
    if (PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) != 0) {
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

// --- the old variants, which are macros in the headers but exported all the same ---

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

int PyRun_AnyFile(FILE* file, const char* name) { return PyRun_AnyFileExFlags(file, name, 0, nullptr); }
int PyRun_AnyFileEx(FILE* file, const char* name, int close) {
  return PyRun_AnyFileExFlags(file, name, close, nullptr);
}
int PyRun_AnyFileFlags(FILE* file, const char* name, PyCompilerFlags* flags) {
  return PyRun_AnyFileExFlags(file, name, 0, flags);
}
PyObject* PyRun_File(FILE* file, const char* name, int start, PyObject* globals, PyObject* locals) {
  return PyRun_FileExFlags(file, name, start, globals, locals, 0, nullptr);
}
PyObject* PyRun_FileEx(FILE* file, const char* name, int start, PyObject* globals, PyObject* locals, int close) {
  return PyRun_FileExFlags(file, name, start, globals, locals, close, nullptr);
}
PyObject* PyRun_FileFlags(FILE* file, const char* name, int start, PyObject* globals, PyObject* locals,
                          PyCompilerFlags* flags) {
  return PyRun_FileExFlags(file, name, start, globals, locals, 0, flags);
}
int PyRun_SimpleFile(FILE* file, const char* name) { return PyRun_SimpleFileExFlags(file, name, 0, nullptr); }
int PyRun_SimpleFileEx(FILE* file, const char* name, int close) {
  return PyRun_SimpleFileExFlags(file, name, close, nullptr);
}
PyObject* PyRun_String(const char* source, int start, PyObject* globals, PyObject* locals) {
  return PyRun_StringFlags(source, start, globals, locals, nullptr);
}
int PyRun_SimpleString(const char* source) { return PyRun_SimpleStringFlags(source, nullptr); }
PyObject* Py_CompileString(const char* source, const char* filename, int start) {
  return Py_CompileStringExFlags(source, filename, start, nullptr, -1);
}
extern "C" PyAPI_FUNC(PyObject*) Py_CompileStringFlags(const char* source, const char* filename, int start,
                                                       PyCompilerFlags* flags) {
  return Py_CompileStringExFlags(source, filename, start, flags, -1);
}
int PyRun_InteractiveOne(FILE* file, const char* name) { return PyRun_InteractiveOneFlags(file, name, nullptr); }
int PyRun_InteractiveLoop(FILE* file, const char* name) { return PyRun_InteractiveLoopFlags(file, name, nullptr); }
