// The _pickle module: exceptions, lookups done once, and the four functions.
#include "Lib/native/pickle/pickle.h"

namespace pyston::pickling {

Shared g_shared;

namespace {

Status import_object(PyObject*& out, const char* module_name, const char* name, PyTypeObject* type) {
  Ref<> module = Ref<>::steal(PyImport_ImportModule(module_name));
  if (!module) return Status::kError;
  PyObject* value = PyObject_GetAttrString(module.get(), name);
  if (value == nullptr) return Status::kError;
  if (type != nullptr && !PyObject_TypeCheck(value, type)) {
    raise(PyExc_RuntimeError, "%s.%s should be a %s, not %.200s", module_name, name, type->tp_name,
          Py_TYPE(value)->tp_name);
    Py_DECREF(value);
    return Status::kError;
  }
  Py_XSETREF(out, value);
  return Status::kOk;
}

Status load_shared() {
  Shared& s = g_shared;
  VM_CHECK(import_object(s.dispatch_table, "copyreg", "dispatch_table", &PyDict_Type));
  VM_CHECK(import_object(s.extension_registry, "copyreg", "_extension_registry", &PyDict_Type));
  VM_CHECK(import_object(s.inverted_registry, "copyreg", "_inverted_registry", &PyDict_Type));
  VM_CHECK(import_object(s.extension_cache, "copyreg", "_extension_cache", &PyDict_Type));
  VM_CHECK(import_object(s.name_mapping, "_compat_pickle", "NAME_MAPPING", &PyDict_Type));
  VM_CHECK(import_object(s.import_mapping, "_compat_pickle", "IMPORT_MAPPING", &PyDict_Type));
  VM_CHECK(import_object(s.reverse_name_mapping, "_compat_pickle", "REVERSE_NAME_MAPPING", &PyDict_Type));
  VM_CHECK(import_object(s.reverse_import_mapping, "_compat_pickle", "REVERSE_IMPORT_MAPPING", &PyDict_Type));
  VM_CHECK(import_object(s.codecs_encode, "codecs", "encode", nullptr));
  VM_CHECK(import_object(s.partial, "functools", "partial", nullptr));
  return import_object(s.getattr, "builtins", "getattr", nullptr);
}

Status add_exception(PyObject* module, PyObject*& out, const char* full_name, PyObject* base, const char* name) {
  if (out == nullptr) out = PyErr_NewException(full_name, base, nullptr);
  return out != nullptr && PyModule_AddObjectRef(module, name, out) == 0 ? Status::kOk : Status::kError;
}

int pickle_exec(PyObject* module) {
  Shared& s = g_shared;
  if (failed(load_shared()) ||
      failed(add_exception(module, s.pickle_error, "_pickle.PickleError", nullptr, "PickleError")) ||
      failed(add_exception(module, s.pickling_error, "_pickle.PicklingError", s.pickle_error, "PicklingError")) ||
      failed(add_exception(module, s.unpickling_error, "_pickle.UnpicklingError", s.pickle_error,
                           "UnpicklingError")) ||
      failed(add_pickler_types(module)) || failed(add_unpickler_types(module))) {
    return -1;
  }
  return PyModule_AddType(module, &PyPickleBuffer_Type);
}

PyMethodDef functions[] = {
    method<pickle_dump,
           "dump($module, /, obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)",
           "Write the pickle of obj to the open binary file.">(),
    method<pickle_dumps, "dumps($module, /, obj, protocol=None, *, fix_imports=True, buffer_callback=None)",
           "Return the pickle of obj as bytes.">(),
    method<pickle_load,
           "load($module, /, file, *, fix_imports=True, encoding=\'ASCII\', errors=\'strict\', buffers=())",
           "Read a pickle from the open binary file and return the object in it.">(),
    method<pickle_loads,
           "loads($module, data, /, *, fix_imports=True, encoding=\'ASCII\', errors=\'strict\', buffers=())",
           "Return the object in the pickle that a bytes-like object holds.">(),
    {},
};
PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(pickle_exec)}, {0, nullptr}};
PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT, "_pickle", "Native engine of the pickle module.", 0, functions, slots,
    nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace pyston::pickling

PyMODINIT_FUNC PyInit__pickle(void) { return PyModuleDef_Init(&pyston::pickling::module_definition); }
