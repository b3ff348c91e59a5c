// The errno module: names of error numbers, and `errorcode`, the names by number.
#include <cerrno>

#include "Lib/native/constants.h"

namespace pyston {
namespace {

constexpr IntConstant kErrors[] = {
#define ERROR_NUMBER(name) {#name, name},
#include "Lib/native/errno.def"
};

int execute(PyObject* module) {
  if (add_constants(module, kErrors) < 0) return -1;
  auto names = Ref<>::steal(PyDict_New());
  if (!names || PyModule_AddObjectRef(module, "errorcode", names.get()) < 0) return -1;
  for (const IntConstant& row : kErrors) {
    auto number = Ref<>::steal(PyLong_FromLongLong(row.value));
    auto name = Ref<>::steal(PyUnicode_FromString(row.name));
    if (!number || !name || PyDict_SetItem(names.get(), number.get(), name.get()) < 0) return -1;
  }
  return 0;
}

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "errno",
                          .m_doc = "The system's error numbers by name.\n\nerrno.errorcode maps numbers to names.",
                          .m_slots = slots};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit_errno(void) { return PyModuleDef_Init(&pyston::definition); }
