// __build_class__, __import__, compile, eval, exec.
#include "Lib/native/builtins/builtins.h"

#include <pycore_ceval.h>
#include <pycore_global_strings.h>
#include <pycore_object.h>
#include <pycore_pyerrors.h>
#include <pycore_pystate.h>
#include <pycore_runtime.h>

#include "Interpreter/compiler/compiler.h"
#include "Interpreter/compiler/parser.h"

extern "C" PyTypeObject* _PyType_CalculateMetaclass(PyTypeObject*, PyObject*);

namespace pyston::builtins {
namespace {

/// The bases with every object that is no class replaced by what its __mro_entries__ gives; `bases` itself if there
/// are none.
Ref<> resolve_bases(PyObject* bases) {
  Ref<> resolved;
  const Py_ssize_t count = PyTuple_GET_SIZE(bases);
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* base = PyTuple_GET_ITEM(bases, i);
    PyObject* method = nullptr;
    if (!PyType_Check(base) && _PyObject_LookupAttr(base, &_Py_ID(__mro_entries__), &method) < 0) return nullptr;
    if (method == nullptr) {
      if (resolved && PyList_Append(resolved.get(), base) < 0) return nullptr;
      continue;
    }
    Ref<> owner = Ref<>::steal(method);
    Ref<> entries = Ref<>::steal(PyObject_CallOneArg(method, bases));
    if (!entries) return nullptr;
    if (!PyTuple_Check(entries.get())) return raise(PyExc_TypeError, "__mro_entries__ must return a tuple");
    if (!resolved) {
      Ref<> before = Ref<>::steal(PyTuple_GetSlice(bases, 0, i));
      resolved = before ? Ref<>::steal(PySequence_List(before.get())) : Ref<>();
      if (!resolved) return nullptr;
    }
    const Py_ssize_t end = PyList_GET_SIZE(resolved.get());
    if (PyList_SetSlice(resolved.get(), end, end, entries.get()) < 0) return nullptr;
  }
  return resolved ? Ref<>::steal(PyList_AsTuple(resolved.get())) : Ref<>::dup(bases);
}

/// The cell of __class__ must hold the new class by now: type.__new__ puts it there.
Status check_class_cell(PyObject* cls, PyObject* cell, PyObject* name) {
  if (!PyType_Check(cls) || !PyCell_Check(cell)) return Status::kOk;
  PyObject* held = PyCell_GET(cell);
  if (held == cls) return Status::kOk;
  if (held == nullptr) {
    return raise(PyExc_RuntimeError,
                 "__class__ not set defining %.200R as %.200R. Was __classcell__ propagated to type.__new__?", name,
                 cls);
  }
  return raise(PyExc_TypeError, "__class__ set to %.200R defining %.200R as %.200R", held, name, cls);
}

/// Globals and locals for eval and exec, with the defaults filled in; false after an exception.
bool fill_namespaces(const char* function, PyObject*& globals, PyObject*& locals) {
  if (globals == Py_None) globals = nullptr;
  if (locals == Py_None) locals = nullptr;
  if (globals == nullptr) {
    globals = PyEval_GetGlobals();
    if (locals == nullptr) {
      locals = PyEval_GetLocals();
      if (locals == nullptr && PyErr_Occurred()) return false;
    }
    if (globals == nullptr || locals == nullptr) {
      if (strcmp(function, "eval") == 0) {
        PyErr_SetString(PyExc_TypeError, "eval must be given globals and locals when called without a frame");
      } else {
        PyErr_SetString(PyExc_SystemError, "globals and locals cannot be NULL");
      }
      return false;
    }
  } else if (locals == nullptr) {
    locals = globals;
  }
  return true;
}

bool ensure_builtins(PyObject* globals) {
  const int known = PyDict_Contains(globals, &_Py_ID(__builtins__));
  if (known < 0) return false;
  return known > 0 || PyDict_SetItem(globals, &_Py_ID(__builtins__), PyEval_GetBuiltins()) == 0;
}

Ref<> run_code(PyObject* code, PyObject* globals, PyObject* locals, PyObject* closure) {
  if (PySys_Audit("exec", "O", code) < 0) return nullptr;
  if (closure == nullptr) return Ref<>::steal(PyEval_EvalCode(code, globals, locals));
  return Ref<>::steal(
      PyEval_EvalCodeEx(code, globals, locals, nullptr, 0, nullptr, 0, nullptr, 0, nullptr, closure));
}

}  // namespace

PyObject* build_class(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  if (nargs < 2) return raise(PyExc_TypeError, "__build_class__: not enough arguments");
  PyObject* function = args[0];
  PyObject* name = args[1];
  if (!PyFunction_Check(function)) return raise(PyExc_TypeError, "__build_class__: func must be a function");
  if (!PyUnicode_Check(name)) return raise(PyExc_TypeError, "__build_class__: name is not a string");
  Ref<> original_bases = Ref<>::steal(PyTuple_New(nargs - 2));
  if (!original_bases) return nullptr;
  for (Py_ssize_t i = 2; i < nargs; i++) PyTuple_SET_ITEM(original_bases.get(), i - 2, Py_NewRef(args[i]));
  Ref<> bases = resolve_bases(original_bases.get());
  if (!bases) return nullptr;

  Ref<> meta;
  Ref<> keywords;
  bool is_class = true;
  const Py_ssize_t keyword_count = kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames);
  if (keyword_count > 0) {
    keywords = Ref<>::steal(PyDict_New());
    if (!keywords) return nullptr;
    for (Py_ssize_t i = 0; i < keyword_count; i++) {
      PyObject* keyword = PyTuple_GET_ITEM(kwnames, i);
      if (_PyUnicode_EqualToASCIIString(keyword, "metaclass")) {
        meta = Ref<>::dup(args[nargs + i]);
        is_class = PyType_Check(meta.get());
      } else if (PyDict_SetItem(keywords.get(), keyword, args[nargs + i]) < 0) {
        return nullptr;
      }
    }
  }
  if (!meta) {
    meta = PyTuple_GET_SIZE(bases.get()) == 0 ? Ref<>::dup(&PyType_Type)
                                              : Ref<>::dup(Py_TYPE(PyTuple_GET_ITEM(bases.get(), 0)));
  }
  if (is_class) {
    // A metaclass function is used as it is; classes of several bases must agree on one.
    PyTypeObject* winner = _PyType_CalculateMetaclass(reinterpret_cast<PyTypeObject*>(meta.get()), bases.get());
    if (winner == nullptr) return nullptr;
    if (as_object(winner) != meta.get()) meta = Ref<>::dup(winner);
  }

  PyObject* prepare = nullptr;
  if (_PyObject_LookupAttr(meta.get(), &_Py_ID(__prepare__), &prepare) < 0) return nullptr;
  Ref<> ns;
  if (prepare == nullptr) {
    ns = Ref<>::steal(PyDict_New());
  } else {
    Ref<> owner = Ref<>::steal(prepare);
    PyObject* prepare_args[] = {name, bases.get()};
    ns = Ref<>::steal(PyObject_VectorcallDict(prepare, prepare_args, 2, keywords.get()));
  }
  if (!ns) return nullptr;
  if (!PyMapping_Check(ns.get())) {
    return raise(PyExc_TypeError, "%.200s.__prepare__() must return a mapping, not %.200s",
                 is_class ? reinterpret_cast<PyTypeObject*>(meta.get())->tp_name : "<metaclass>",
                 Py_TYPE(ns.get())->tp_name);
  }
  Ref<> cell = Ref<>::steal(_PyEval_Vector(_PyThreadState_GET(), reinterpret_cast<PyFunctionObject*>(function),
                                           ns.get(), nullptr, 0, nullptr));
  if (!cell) return nullptr;
  if (bases.get() != original_bases.get()) {
    Ref<> key = Ref<>::steal(PyUnicode_InternFromString("__orig_bases__"));
    if (!key || PyObject_SetItem(ns.get(), key.get(), original_bases.get()) < 0) return nullptr;
  }
  PyObject* meta_args[] = {name, bases.get(), ns.get()};
  Ref<> cls = Ref<>::steal(PyObject_VectorcallDict(meta.get(), meta_args, 3, keywords.get()));
  if (!cls || failed(check_class_cell(cls.get(), cell.get(), name))) return nullptr;
  return cls.release();
}

Ref<> import_module(Borrowed<> module, Borrowed<> name, PyObject* globals, PyObject* locals,
                    PyObject* fromlist, Optional<int> level) {
  return Ref<>::steal(
      PyImport_ImportModuleLevelObject(name.object(), globals, locals, fromlist, level.value_or(0)));
}

Ref<> compile_source(Borrowed<> module, Borrowed<> source, Borrowed<> filename, Borrowed<PyUnicodeObject> mode_name,
                     Optional<int> flags_argument, Optional<bool> dont_inherit, Optional<int> optimize_argument,
                     Optional<int> feature_version) {
  PyObject* decoded;
  if (!PyUnicode_FSDecoder(filename.get(), &decoded)) return nullptr;
  Ref<> path = Ref<>::steal(decoded);
  const int flags = flags_argument.value_or(0);
  const int optimize = optimize_argument.value_or(-1);
  const bool only_ast = (flags & PyCF_ONLY_AST) != 0;
  PyCompilerFlags compiler_flags = _PyCompilerFlags_INIT;
  compiler_flags.cf_flags = flags | PyCF_SOURCE_IS_UTF8;
  if (feature_version.value_or(-1) >= 0 && only_ast) compiler_flags.cf_feature_version = *feature_version;
  if (flags & ~(PyCF_MASK | PyCF_MASK_OBSOLETE | PyCF_COMPILE_MASK)) {
    return raise(PyExc_ValueError, "compile(): unrecognised flags");
  }
  if (optimize < -1 || optimize > 2) return raise(PyExc_ValueError, "compile(): invalid optimize value");
  if (!dont_inherit.value_or(false)) PyEval_MergeCompilerFlags(&compiler_flags);

  constexpr int kStarts[] = {Py_file_input, Py_eval_input, Py_single_input, Py_func_type_input};
  int mode = -1;
  constexpr const char* kModes[] = {"exec", "eval", "single", "func_type"};
  for (int i = 0; i < 4; i++) {
    if (_PyUnicode_EqualToASCIIString(mode_name.object(), kModes[i])) mode = i;
  }
  if (mode == 3 && !only_ast) {
    return raise(PyExc_ValueError, "compile() mode 'func_type' requires flag PyCF_ONLY_AST");
  }
  if (mode < 0) {
    return raise(PyExc_ValueError, only_ast ? "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"
                                            : "compile() mode must be 'exec', 'eval' or 'single'");
  }
  const int is_ast = PyAST_Check(source.get());
  if (is_ast < 0) return nullptr;
  if (is_ast) {
    if (only_ast) return Ref<>::dup(source.get());
    ast::Arena arena;
    ast::Mod* tree = object_to_ast(arena, source.get(), mode);
    if (tree == nullptr || failed(validate_ast(tree))) return nullptr;
    return compile_module(tree, path.get(), &compiler_flags, optimize, arena);
  }
  PyObject* copy = nullptr;
  const char* text = _Py_SourceAsString(source.get(), "compile", "string, bytes or AST", &compiler_flags, &copy);
  if (text == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(copy);
  return Ref<>::steal(Py_CompileStringObject(text, path.get(), kStarts[mode], &compiler_flags, optimize));
}

Ref<> eval(Borrowed<> module, Borrowed<> source, PyObject* globals, PyObject* locals) {
  if (locals != nullptr && locals != Py_None && !PyMapping_Check(locals)) {
    return raise(PyExc_TypeError, "locals must be a mapping");
  }
  if (globals != nullptr && globals != Py_None && !PyDict_Check(globals)) {
    return raise(PyExc_TypeError, PyMapping_Check(globals) ? "globals must be a real dict; try eval(code, {}, mapping)"
                                                           : "globals must be a dict");
  }
  if (!fill_namespaces("eval", globals, locals) || !ensure_builtins(globals)) return nullptr;
  Ref<> locals_owner = Ref<>::dup(locals);
  if (PyCode_Check(source.get())) {
    if (PyCode_GetNumFree(reinterpret_cast<PyCodeObject*>(source.get())) > 0) {
      if (PySys_Audit("exec", "O", source.get()) < 0) return nullptr;
      return raise(PyExc_TypeError, "code object passed to eval() may not contain free variables");
    }
    return run_code(source.get(), globals, locals, nullptr);
  }
  PyCompilerFlags flags = _PyCompilerFlags_INIT;
  flags.cf_flags = PyCF_SOURCE_IS_UTF8;
  PyObject* copy = nullptr;
  const char* text = _Py_SourceAsString(source.get(), "eval", "string, bytes or code", &flags, &copy);
  if (text == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(copy);
  while (*text == ' ' || *text == '\t') text++;
  PyEval_MergeCompilerFlags(&flags);
  return Ref<>::steal(PyRun_StringFlags(text, Py_eval_input, globals, locals, &flags));
}

Ref<> exec(Borrowed<> module, Borrowed<> source, PyObject* globals, PyObject* locals, PyObject* closure) {
  if (closure == Py_None) closure = nullptr;
  if (!fill_namespaces("exec", globals, locals)) return nullptr;
  if (!PyDict_Check(globals)) {
    return raise(PyExc_TypeError, "exec() globals must be a dict, not %.100s", Py_TYPE(globals)->tp_name);
  }
  if (!PyMapping_Check(locals)) {
    return raise(PyExc_TypeError, "locals must be a mapping or None, not %.100s", Py_TYPE(locals)->tp_name);
  }
  if (!ensure_builtins(globals)) return nullptr;
  Ref<> locals_owner = Ref<>::dup(locals);
  if (PyCode_Check(source.get())) {
    const Py_ssize_t frees = PyCode_GetNumFree(reinterpret_cast<PyCodeObject*>(source.get()));
    if (frees == 0) {
      if (closure != nullptr) return raise(PyExc_TypeError, "cannot use a closure with this code object");
    } else {
      bool fits = closure != nullptr && PyTuple_CheckExact(closure) && PyTuple_GET_SIZE(closure) == frees;
      for (Py_ssize_t i = 0; fits && i < frees; i++) fits = PyCell_Check(PyTuple_GET_ITEM(closure, i));
      if (!fits) return raise(PyExc_TypeError, "code object requires a closure of exactly length %zd", frees);
    }
    Ref<> result = run_code(source.get(), globals, locals, closure);
    return result ? Ref<>::none() : Ref<>();
  }
  if (closure != nullptr) return raise(PyExc_TypeError, "closure can only be used when source is a code object");
  PyCompilerFlags flags = _PyCompilerFlags_INIT;
  flags.cf_flags = PyCF_SOURCE_IS_UTF8;
  PyObject* copy = nullptr;
  const char* text = _Py_SourceAsString(source.get(), "exec", "string, bytes or code", &flags, &copy);
  if (text == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(copy);
  PyEval_MergeCompilerFlags(&flags);
  Ref<> result = Ref<>::steal(PyRun_StringFlags(text, Py_file_input, globals, locals, &flags));
  return result ? Ref<>::none() : Ref<>();
}

}  // namespace pyston::builtins
