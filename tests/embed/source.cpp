// PyRun_* of every kind, compiling, and how errors and SystemExit come out.
#include <stdlib.h>
#include <unistd.h>

#include "scenario.h"

namespace {

struct Python {
  Python() { Py_Initialize(); }
  ~Python() { SHOW(Py_FinalizeEx()); }
};

/// A file that holds `text`, open for reading.
FILE* file_of(const char* text) {
  FILE* file = tmpfile();
  fputs(text, file);
  rewind(file);
  return file;
}

PyObject* main_dict() { return PyModule_GetDict(PyImport_AddModule("__main__")); }

void simple_string() {
  Python python;
  SHOW(PyRun_SimpleString("print(1 + 1)"));
  SHOW(PyRun_SimpleString("1 / 0"));
  SHOW(PyRun_SimpleString("def f(:\n"));
  SHOW(PyRun_SimpleString("raise ValueError('again')"));
  SHOW(PyErr_Occurred() != nullptr);
  SHOW(PyRun_SimpleString(""));
  run("import sys; print(sys.last_type, sys.last_value)");
  PyCompilerFlags flags = _PyCompilerFlags_INIT;
  flags.cf_flags = CO_FUTURE_ANNOTATIONS;
  SHOW(PyRun_SimpleStringFlags("def g(a: undefined): pass\nprint(g.__annotations__)", &flags));
}

void string_modes() {
  Python python;
  PyObject* dict = main_dict();
  show_object("eval", PyRun_String("6 * 7", Py_eval_input, dict, dict));
  show_object("eval of a statement", PyRun_String("x = 1", Py_eval_input, dict, dict));
  show_object("file", PyRun_String("x = 5\ny = x + 1\n", Py_file_input, dict, dict));
  show_object("single", PyRun_String("y\n", Py_single_input, dict, dict));
  run("pass");
  show_object("lookup", PyRun_String("x, y", Py_eval_input, dict, dict));
  show_object("raises", PyRun_String("undefined_name", Py_eval_input, dict, dict));
  PyObject* locals = PyDict_New();
  show_object("locals", PyRun_String("z = x", Py_file_input, dict, locals));
  show_object("locals dict", locals);
  PyObject* fresh = PyDict_New();
  show_object("fresh globals", PyRun_String("len('abc')", Py_eval_input, fresh, fresh));
  SHOW(PyDict_GetItemString(fresh, "__builtins__") != nullptr);
  Py_DECREF(fresh);
}

void compile_and_eval() {
  Python python;
  PyObject* dict = main_dict();
  PyObject* code = Py_CompileString("a = 2 ** 10\n", "made_up.py", Py_file_input);
  show_object("eval", PyEval_EvalCode(code, dict, dict));
  show_object("a", Py_XNewRef(PyDict_GetItemString(dict, "a")));
  show_object("module", PyImport_ExecCodeModule("made_up", code));
  run("import made_up; print(made_up.a, made_up.__name__, hasattr(made_up, '__file__'))");
  show_object("module ex", PyImport_ExecCodeModuleEx("made_up2", code, "/some/made_up2.py"));
  run("import made_up2; print(made_up2.__file__, made_up2.__cached__)");
  Py_DECREF(code);
  show_object("syntax error", Py_CompileString("a b", "made_up.py", Py_file_input));
  show_object("optimised", Py_CompileStringExFlags("assert 0", "o.py", Py_file_input, nullptr, 2));
  PyObject* optimised = Py_CompileStringExFlags("assert 0", "o.py", Py_file_input, nullptr, 1);
  show_object("assert dropped", PyEval_EvalCode(optimised, dict, dict));
  Py_XDECREF(optimised);
  PyCompilerFlags flags = _PyCompilerFlags_INIT;
  flags.cf_flags = PyCF_ONLY_AST;
  PyObject* tree = Py_CompileStringFlags("1+2", "t.py", Py_eval_input, &flags);
  SHOW_TEXT(tree == nullptr ? "NULL" : Py_TYPE(tree)->tp_name);
  Py_XDECREF(tree);
}

void files() {
  Python python;
  PyObject* dict = main_dict();
  SHOW(PyRun_SimpleFileEx(file_of("print('simple file', __file__)\nvalue = 3\n"), "given_name.py", 1));
  run("print(value, '__file__' in globals())");
  SHOW(PyRun_SimpleFileEx(file_of("1/0\n"), "given_name.py", 1));
  FILE* kept = file_of("print('kept open')\n");
  SHOW(PyRun_SimpleFile(kept, "kept.py"));
  SHOW(fclose(kept));
  SHOW(PyRun_AnyFileEx(file_of("print('any file')"), "any.py", 1));
  SHOW(PyRun_AnyFileEx(file_of("print('no name')"), nullptr, 1));
  show_object("file", PyRun_FileEx(file_of("w = value\n"), "f.py", Py_file_input, dict, dict, 1));
  show_object("file eval", PyRun_FileEx(file_of("value + 1\n"), "f.py", Py_eval_input, dict, dict, 1));
  show_object("file error", PyRun_FileEx(file_of("value +\n"), "f.py", Py_file_input, dict, dict, 1));
  show_object("coding", PyRun_FileEx(file_of("# coding: latin-1\nt = '\xe9'\n"), "f.py", Py_file_input, dict, dict, 1));
  run("print(ascii(t))");
  SHOW(PyRun_SimpleFileEx(file_of("x = '\xe9'\n"), "bad.py", 1));
}

void compiled_file() {
  Python python;
  run("import tempfile, os, py_compile\n"
      "d = tempfile.mkdtemp()\n"
      "open(d + '/m.py', 'w').write('print(\"from a pyc\", __name__)')\n"
      "py_compile.compile(d + '/m.py', d + '/m.pyc')\n"
      "open('compiled_path', 'w').write(d + '/m.pyc')\n");
  char path[4096];
  FILE* name = fopen("compiled_path", "r");
  if (name == nullptr || fgets(path, sizeof path, name) == nullptr) return;
  fclose(name);
  remove("compiled_path");
  SHOW(PyRun_SimpleFileEx(fopen(path, "rb"), path, 1));
  run("import shutil; shutil.rmtree(d)");
}

void interactive() {
  Python python;
  run("import sys; sys.ps1 = '>>'; sys.ps2 = '..'");
  SHOW(PyRun_InteractiveLoop(file_of("1 + 1\nfor i in range(2):\n    i\n\n1/0\n'after'\n"), "<told>"));
  FILE* file = file_of("a = 5\na * 2\na +\nundefined\n");
  for (int i = 0; i < 5; i++) {
    SHOW(PyRun_InteractiveOne(file, "<one>"));
    run("pass");
  }
  fclose(file);
  Py_InteractiveFlag = 1;
  SHOW(PyRun_AnyFile(file_of("a * 3\n"), "<stdin>"));
}

void system_exit() {
  Python python;
  run("import atexit; atexit.register(print, 'at exit')");
  PyRun_SimpleString("import sys; sys.exit(7)");
  puts("not reached");
}

void system_exit_text() {
  Python python;
  PyRun_SimpleString("raise SystemExit('a message')");
  puts("not reached");
}

void system_exit_inspect() {
  Python python;
  Py_InspectFlag = 1;
  SHOW(PyRun_SimpleString("raise SystemExit(4)"));
}

void print_errors() {
  Python python;
  PyErr_SetString(PyExc_KeyError, "k");
  PyErr_PrintEx(0);
  run("import sys; print(hasattr(sys, 'last_type'))");
  PyErr_SetString(PyExc_KeyError, "k");
  PyErr_Print();
  run("print(sys.last_type)");
  run("sys.excepthook = lambda *a: print('hook', a[0], a[1])");
  PyErr_Format(PyExc_OSError, "%d of %s", 3, "four");
  PyErr_Print();
  run("sys.excepthook = lambda *a: 1/0");
  PyErr_SetNone(PyExc_RuntimeError);
  PyErr_Print();
  run("del sys.excepthook");
  PyErr_SetNone(PyExc_RuntimeError);
  PyErr_Print();
  PyErr_SetString(PyExc_ValueError, "unraisable");
  PyErr_WriteUnraisable(nullptr);
}

void modules() {
  Python python;
  PyObject* module = PyImport_ImportModule("math");
  show_object("pi", PyObject_GetAttrString(module, "pi"));
  show_object("call", PyObject_CallMethod(module, "sqrt", "d", 2.25));
  show_object("call error", PyObject_CallMethod(module, "sqrt", "s", "x"));
  Py_DECREF(module);
  show_object("missing", PyImport_ImportModule("no_such_module"));
  show_object("dotted", PyImport_ImportModule("os.path"));
  show_object("no block", PyImport_ImportModuleNoBlock("math"));
  PyObject* added = PyImport_AddModule("brand_new");
  SHOW(PyModule_AddIntConstant(added, "answer", 42));
  SHOW(PyModule_AddStringConstant(added, "name", "value"));
  run("import brand_new; print(brand_new.answer, brand_new.name)");
  module = PyImport_ImportModule("json");
  PyObject* again = PyImport_ReloadModule(module);
  SHOW(again == module);
  Py_XDECREF(again);
  Py_DECREF(module);
}

void streams() {
  Python python;
  PySys_WriteStdout("out %d %s\n", 1, "one");
  PySys_WriteStderr("err %d %s\n", 2, "two");
  PySys_FormatStdout("%R\n", Py_None);
  PySys_FormatStderr("%R\n", Py_True);
  run("import sys, io; sys.stdout = io.StringIO()");
  PySys_WriteStdout("caught");
  show_object("stdout", PyRun_String("sys.stdout.getvalue()", Py_eval_input, main_dict(), main_dict()));
  run("sys.stdout = None");
  PySys_WriteStdout("on the real one\n");
  SHOW(PySys_SetObject("mine", Py_Ellipsis));
  show_object("mine", Py_XNewRef(PySys_GetObject("mine")));
  SHOW(PySys_GetObject("nothing") == nullptr);
  run("sys.stdout = sys.__stdout__");
}

}  // namespace

SCENARIOS({"simple_string", simple_string}, {"string_modes", string_modes}, {"compile_and_eval", compile_and_eval}, {"files", files},
          {"compiled_file", compiled_file}, {"interactive", interactive}, {"system_exit", system_exit},
          {"system_exit_text", system_exit_text}, {"system_exit_inspect", system_exit_inspect}, {"print_errors", print_errors},
          {"modules", modules}, {"streams", streams})
