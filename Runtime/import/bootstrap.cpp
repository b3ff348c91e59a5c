// importlib's two bootstrap modules: from the binary's frozen table, or compiled from the installed standard library
// in the first-stage binary that makes that table.
#include "Runtime/import/bootstrap.h"

#include <stdio.h>

#include <string>

#include "Runtime/import/import_internal.h"
#include "internal/pycore_initconfig.h"
#include "internal/pycore_namespace.h"
#include "internal/pycore_pylifecycle.h"

namespace pyston::import {
namespace {

constexpr const char* kImportlibDirectory = "/usr/lib/python3.11/importlib/";

/// New reference to sys.modules[name] after running the installed source file under the frozen module's file name.
Ref<> import_from_source(const char* name, const char* file, const char* display_name) {
  const std::string path = std::string(kImportlibDirectory) + file;
  FILE* stream = fopen(path.c_str(), "rb");
  if (stream == nullptr) return raise(PyExc_ImportError, "cannot read %s, which start-up needs", path.c_str());
  std::string source;
  char block[65536];
  size_t count;
  while ((count = fread(block, 1, sizeof block, stream)) > 0) source.append(block, count);
  fclose(stream);
  auto code = VM_TRY(Ref<>::steal(Py_CompileStringExFlags(source.c_str(), display_name, Py_file_input, nullptr, 0)));
  PyObject* module = PyImport_AddModule(name);  // borrowed from sys.modules
  if (module == nullptr) return nullptr;
  PyObject* dict = PyModule_GetDict(module);
  VM_CHECK(PyDict_SetItemString(dict, "__builtins__", PyEval_GetBuiltins()));
  VM_CHECK(Ref<>::steal(PyEval_EvalCode(code.get(), dict, dict)));
  return Ref<>::dup(module);
}

}  // namespace

/// The lists and the cache in `sys` through which the import system is extended.
Status create_import_hooks() {
  for (const char* name : {"meta_path", "path_hooks"}) {
    auto list = VM_TRY(Ref<>::steal(PyList_New(0)));
    VM_CHECK(PySys_SetObject(name, list.get()));
  }
  auto cache = VM_TRY(Ref<>::steal(PyDict_New()));
  VM_CHECK(PySys_SetObject("path_importer_cache", cache.get()));
  return Status::kOk;
}

Status install_importlib(PyThreadState* tstate, PyObject* sys_module) {
  PyInterpreterState* interp = tstate->interp;
  VM_CHECK(create_import_hooks());
  const int frozen = PyImport_ImportFrozenModule("_frozen_importlib");
  if (frozen < 0) return Status::kError;
  Ref<> importlib = frozen > 0
                        ? Ref<>::dup(PyImport_AddModule("_frozen_importlib"))
                        : import_from_source("_frozen_importlib", "_bootstrap.py", "<frozen importlib._bootstrap>");
  if (!importlib) return Status::kError;
  interp->importlib = Py_NewRef(importlib.get());
  Ref<> imp = Ref<>::steal(_PyImport_BootstrapImp(tstate));
  if (!imp || _PyImport_SetModuleString("_imp", imp.get()) < 0) return Status::kError;
  VM_CHECK(Ref<>::steal(PyObject_CallMethod(importlib.get(), "_install", "OO", sys_module, imp.get())));
  if (frozen == 0) {
    Ref<> external = import_from_source("_frozen_importlib_external", "_bootstrap_external.py",
                                        "<frozen importlib._bootstrap_external>");
    if (!external) return Status::kError;
  }
  return Status::kOk;
}

Status install_external_importers(PyThreadState* tstate) {
  VM_CHECK(Ref<>::steal(PyObject_CallMethod(tstate->interp->importlib, "_install_external_importers", "")));
  return _PyImportZip_Init(tstate)._type == PyStatus::_PyStatus_TYPE_OK ? Status::kOk : Status::kError;
}

}  // namespace pyston::import

using namespace pyston;

/// New reference to `_imp`, made before there is an import system to make it.
PyObject* _PyImport_BootstrapImp(PyThreadState*) {
  auto make = []() -> Ref<> {
    auto name = VM_TRY(Ref<>::steal(PyUnicode_FromString("_imp")));
    auto attributes = VM_TRY(Ref<>::steal(Py_BuildValue("{sO}", "name", name.get())));
    auto spec = VM_TRY(Ref<>::steal(_PyNamespace_New(attributes.get())));
    const _inittab* row = import::find_builtin(name.get());
    if (row == nullptr) return raise(PyExc_ImportError, "no built-in module _imp");
    PyObject* def = row->initfunc();
    if (def == nullptr) return nullptr;
    auto module = VM_TRY(Ref<>::steal(PyModule_FromDefAndSpec(reinterpret_cast<PyModuleDef*>(def), spec.get())));
    VM_CHECK(PyModule_ExecDef(module.get(), reinterpret_cast<PyModuleDef*>(def)));
    return module;
  };
  return make().release();
}

/// Puts the zip importer at the front of sys.path_hooks; its absence is not an error.
PyStatus _PyImportZip_Init(PyThreadState*) {
  PyObject* hooks = PySys_GetObject("path_hooks");
  if (hooks == nullptr) return PyStatus_Error("initializing zipimport failed");
  PyObject* importer = _PyImport_GetModuleAttrString("zipimport", "zipimporter");
  if (importer == nullptr) {
    PyErr_Clear();
    return PyStatus_Ok();
  }
  const int failed = PyList_Insert(hooks, 0, importer);
  Py_DECREF(importer);
  return failed < 0 ? PyStatus_Error("initializing zipimport failed") : PyStatus_Ok();
}
