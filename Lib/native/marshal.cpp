// The `marshal` module: dump, load, dumps, loads over Interpreter/bytecode/marshal_*.cpp.
#include "Interpreter/bytecode/marshal.h"
#include "Objects/bind.h"

namespace pyston {
namespace {

Ref<> marshal_dump(Borrowed<> module, Borrowed<> value, Borrowed<> file, Optional<int> version) {
  Ref<> bytes = Ref<>::steal(PyMarshal_WriteObjectToString(value, version.value_or(Py_MARSHAL_VERSION)));
  if (!bytes) return nullptr;
  return Ref<>::steal(PyObject_CallMethod(file, "write", "O", bytes.get()));
}

Ref<> marshal_dumps(Borrowed<> module, Borrowed<> value, Optional<int> version) {
  return Ref<>::steal(PyMarshal_WriteObjectToString(value, version.value_or(Py_MARSHAL_VERSION)));
}

Ref<> marshal_load(Borrowed<> module, Borrowed<> file) {
  if (PySys_Audit("marshal.load", nullptr) < 0) return nullptr;
  return marshal::read_from_object(file);
}

Ref<> marshal_loads(Borrowed<> module, Buffer data) {
  if (PySys_Audit("marshal.loads", "y#", data.data(), data.size()) < 0) return nullptr;
  return marshal::read_from_memory(data.data(), data.size());
}

PyMethodDef marshal_methods[] = {
    method<marshal_dump, "dump($module, value, file, version=version, /)",
           "Writes the value to the open binary file.">(),
    method<marshal_load, "load($module, file, /)", "Reads one value from the open binary file.">(),
    method<marshal_dumps, "dumps($module, value, version=version, /)", "The bytes that dump() would write.">(),
    method<marshal_loads, "loads($module, bytes, /)", "The value that the bytes-like object holds.">(),
    {},
};

int marshal_exec(PyObject* module) { return PyModule_AddIntConstant(module, "version", Py_MARSHAL_VERSION); }

PyModuleDef_Slot marshal_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(marshal_exec)}, {}};

PyModuleDef marshal_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "marshal",
    .m_doc = "Python values as bytes, in the format of .pyc files, which is bound to a Python version.",
    .m_methods = marshal_methods,
    .m_slots = marshal_slots,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyMarshal_Init(void) { return PyModuleDef_Init(&pyston::marshal_module); }
