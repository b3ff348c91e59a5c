// The _pickle module: exceptions, lookups done once, and the four functions.
#include "Lib/native/pickle/pickle.h"

namespace pyston::pickling {

PyModuleDef& definition();

/// INVARIANT: the module is registered in the interpreter before anything here is reached.
Shared& shared() { return *static_cast<Shared*>(PyModule_GetState(PyState_FindModule(&definition()))); }

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

Status load_shared(Shared& s) {
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

Status fill_module(PyObject* module) {
  Shared& s = *static_cast<Shared*>(PyModule_GetState(module));
  if (failed(load_shared(s)) ||
      failed(add_exception(module, s.pickle_error, "_pickle.PickleError", nullptr, "PickleError")) ||
      failed(add_exception(module, s.pickling_error, "_pickle.PicklingError", s.pickle_error, "PicklingError")) ||
      failed(add_exception(module, s.unpickling_error, "_pickle.UnpicklingError", s.pickle_error,
                           "UnpicklingError")) ||
      failed(add_pickler_types(module)) || failed(add_unpickler_types(module))) {
    return Status::kError;
  }
  return PyModule_AddType(module, &PyPickleBuffer_Type) < 0 ? Status::kError : Status::kOk;
}

template <class Visit>
int each(PyObject* module, Visit visit) {
  auto* state = static_cast<Shared*>(PyModule_GetState(module));
  if (state == nullptr) return 0;
  for (PyObject** slot : {&state->pickle_error, &state->pickling_error, &state->unpickling_error, &state->dispatch_table,
                          &state->extension_registry, &state->inverted_registry, &state->extension_cache, &state->name_mapping,
                          &state->import_mapping, &state->reverse_name_mapping, &state->reverse_import_mapping,
                          &state->codecs_encode, &state->partial, &state->getattr}) {
    if (const int result = visit(*slot)) return result;
  }
  return 0;
}
int traverse(PyObject* module, visitproc visit, void* arg) {
  return each(module, [=](PyObject*& slot) { return slot == nullptr ? 0 : visit(slot, arg); });
}
int clear(PyObject* module) {
  return each(module, [](PyObject*& slot) {
    Py_CLEAR(slot);
    return 0;
  });
}
void free_state(void* module) { clear(static_cast<PyObject*>(module)); }

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
PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT, "_pickle", "Native engine of the pickle module.", sizeof(Shared), functions, nullptr,
    traverse, clear, free_state,
};

}  // namespace

PyModuleDef& definition() { return module_definition; }

namespace {

/// Initialised in a single phase, so that the interpreter's module, and with it its state, can be found by the definition.
PyObject* create_module() {
  if (PyObject* known = PyState_FindModule(&module_definition)) return Py_NewRef(known);
  Ref<> module = Ref<>::steal(PyModule_Create(&module_definition));
  if (!module || failed(fill_module(module.get()))) return nullptr;
  return module.release();
}

}  // namespace
}  // namespace pyston::pickling

PyMODINIT_FUNC PyInit__pickle(void) { return pyston::pickling::create_module(); }
