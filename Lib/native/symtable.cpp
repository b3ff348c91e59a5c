// The `_symtable` module behind the standard library's `symtable`.
#include "Objects/bind.h"

#include <pycore_symtable.h>

namespace pyston {
namespace {

Ref<> symtable_symtable(Borrowed<> module, Borrowed<> source, Borrowed<> filename, Borrowed<PyUnicodeObject> start_name) {
  PyObject* decoded;
  if (!PyUnicode_FSDecoder(filename.get(), &decoded)) return nullptr;
  Ref<> path = Ref<>::steal(decoded);
  PyCompilerFlags flags = _PyCompilerFlags_INIT;
  flags.cf_flags = PyCF_SOURCE_IS_UTF8;
  PyObject* copy = nullptr;
  const char* text = _Py_SourceAsString(source.get(), "symtable", "string or bytes", &flags, &copy);
  if (text == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(copy);
  int start;
  if (_PyUnicode_EqualToASCIIString(start_name.object(), "exec")) {
    start = Py_file_input;
  } else if (_PyUnicode_EqualToASCIIString(start_name.object(), "eval")) {
    start = Py_eval_input;
  } else if (_PyUnicode_EqualToASCIIString(start_name.object(), "single")) {
    start = Py_single_input;
  } else {
    return raise(PyExc_ValueError, "symtable() arg 3 must be 'exec' or 'eval' or 'single'");
  }
  struct symtable* table = _Py_SymtableStringObjectFlags(text, path.get(), start, &flags);
  if (table == nullptr) return nullptr;
  Ref<> top = Ref<>::dup(table->st_top);
  _PySymtable_Free(table);
  return top;
}

PyMethodDef symtable_methods[] = {
    method<symtable_symtable, "symtable($module, source, filename, startstr, /)",
           "The entry of the outermost block of the source.">(),
    {},
};

int symtable_exec(PyObject* module) {
  struct Constant {
    const char* name;
    int value;
  };
  constexpr Constant kConstants[] = {
      {"USE", USE},
      {"DEF_GLOBAL", DEF_GLOBAL},
      {"DEF_NONLOCAL", DEF_NONLOCAL},
      {"DEF_LOCAL", DEF_LOCAL},
      {"DEF_PARAM", DEF_PARAM},
      {"DEF_FREE", DEF_FREE},
      {"DEF_FREE_CLASS", DEF_FREE_CLASS},
      {"DEF_IMPORT", DEF_IMPORT},
      {"DEF_BOUND", DEF_BOUND},
      {"DEF_ANNOT", DEF_ANNOT},
      {"TYPE_FUNCTION", FunctionBlock},
      {"TYPE_CLASS", ClassBlock},
      {"TYPE_MODULE", ModuleBlock},
      {"LOCAL", LOCAL},
      {"GLOBAL_EXPLICIT", GLOBAL_EXPLICIT},
      {"GLOBAL_IMPLICIT", GLOBAL_IMPLICIT},
      {"FREE", FREE},
      {"CELL", CELL},
      {"SCOPE_OFF", SCOPE_OFFSET},
      {"SCOPE_MASK", SCOPE_MASK},
  };
  for (const Constant& constant : kConstants) {
    if (PyModule_AddIntConstant(module, constant.name, constant.value) < 0) return -1;
  }
  return 0;
}

PyModuleDef_Slot symtable_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(symtable_exec)}, {}};

PyModuleDef symtable_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_symtable",
    .m_methods = symtable_methods,
    .m_slots = symtable_slots,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__symtable(void) { return PyModuleDef_Init(&pyston::symtable_module); }
