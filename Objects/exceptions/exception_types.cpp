// The built-in exception types as a whole: the simple ones (from the table), the PyExc_* pointers, and start-up.
//
// A new simple exception is a row in exception_types.def.
#include "Objects/exceptions/exception_fields.h"
#include "pycore_initconfig.h"
#include "pycore_pylifecycle.h"

namespace pyston {
namespace {

// Per struct family: size, slots. Base types have their own __new__ in their dict, the others inherit it.
struct Base {
  using Object = PyBaseExceptionObject;
  using Slots = BaseFields;
  static constexpr newfunc kNew = base_exception_new;
  static constexpr initproc kInit = base_exception_init;
};
struct OSError {
  using Object = PyOSErrorObject;
  using Slots = OSErrorFields;
  static constexpr newfunc kNew = nullptr;
  static constexpr initproc kInit = os_error_init;
};
struct ImportError {
  using Object = PyImportErrorObject;
  using Slots = ImportErrorFields;
  static constexpr newfunc kNew = nullptr;
  static constexpr initproc kInit = import_error_init;
};
struct SyntaxError {
  using Object = PySyntaxErrorObject;
  using Slots = SyntaxErrorFields;
  static constexpr newfunc kNew = nullptr;
  static constexpr initproc kInit = syntax_error_init;
};
struct NameError {
  using Object = PyNameErrorObject;
  using Slots = NameErrorFields;
  static constexpr newfunc kNew = nullptr;
  static constexpr initproc kInit = name_error_init;
};

/// FAST: ValueError("text") without packing and unpacking through tp_new and tp_init. Only for the exact simple types:
/// tp_vectorcall is not inherited by subclasses.
PyObject* simple_vectorcall(PyObject* callable, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  auto* type = reinterpret_cast<PyTypeObject*>(callable);
  if (UNLIKELY(kwnames != nullptr && PyTuple_GET_SIZE(kwnames) != 0)) {
    return PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", type->tp_name);
  }
  PyObject* packed = _PyTuple_FromArray(args, PyVectorcall_NARGS(nargsf));
  if (UNLIKELY(packed == nullptr)) return nullptr;
  PyObject* self = type->tp_alloc(type, 0);
  if (UNLIKELY(self == nullptr)) {
    Py_DECREF(packed);
    return nullptr;
  }
  as_exception(self)->args = packed;
  return self;
}

template <class Family>
constexpr PyTypeObject simple_type(const char* name, PyTypeObject* base, const char* doc) {
  return {
      .ob_base = type_head(),
      .tp_name = name,
      .tp_basicsize = sizeof(typename Family::Object),
      .tp_dealloc = Family::Slots::dealloc,
      .tp_flags = kExceptionFlags,
      .tp_doc = doc,
      .tp_traverse = Family::Slots::traverse,
      .tp_clear = Family::Slots::clear,
      .tp_base = base,
      .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
      .tp_init = Family::kInit,
      .tp_new = Family::kNew,
      .tp_vectorcall = Family::kNew != nullptr ? simple_vectorcall : nullptr,
  };
}

}  // namespace
}  // namespace pyston

extern "C" {
#define SIMPLE(name, base, family, doc) \
  PyTypeObject _PyExc_##name = pyston::simple_type<pyston::family>(#name, &_PyExc_##base, doc);
#define SPECIAL(name, base)
#include "Objects/exceptions/exception_types.def"

#define SIMPLE(name, base, family, doc) PyObject* PyExc_##name = reinterpret_cast<PyObject*>(&_PyExc_##name);
#define SPECIAL(name, base) PyObject* PyExc_##name = reinterpret_cast<PyObject*>(&_PyExc_##name);
#include "Objects/exceptions/exception_types.def"

PyObject* PyExc_EnvironmentError = reinterpret_cast<PyObject*>(&_PyExc_OSError);
PyObject* PyExc_IOError = reinterpret_cast<PyObject*>(&_PyExc_OSError);
}

namespace {
struct ExceptionRow {
  const char* name;
  PyTypeObject* type;
};
constexpr ExceptionRow kExceptions[] = {
#define SIMPLE(name, base, family, doc) {#name, &_PyExc_##name},
#define SPECIAL(name, base) {#name, &_PyExc_##name},
#include "Objects/exceptions/exception_types.def"
};
}  // namespace

int _PyExc_InitTypes(PyInterpreterState* interp) {
  if (!_Py_IsMainInterpreter(interp)) return 0;
  for (const ExceptionRow& row : kExceptions) {
    if (PyType_Ready(row.type) < 0) return -1;
  }
  return 0;
}

PyStatus _PyExc_InitGlobalObjects(PyInterpreterState* interp) {
  if (!_Py_IsMainInterpreter(interp)) return PyStatus_Ok();
  if (!pyston::fill_memory_error_list()) return PyStatus_NoMemory();
  return PyStatus_Ok();
}

PyStatus _PyExc_InitState(PyInterpreterState* interp) {
  if (!pyston::build_errno_map(interp)) return PyStatus_Error("cannot build the table of OSError subclasses");
  return PyStatus_Ok();
}

int _PyBuiltins_AddExceptions(PyObject* module) {
  PyObject* dict = PyModule_GetDict(module);
  if (dict == nullptr) return -1;
  for (const ExceptionRow& row : kExceptions) {
    if (PyDict_SetItemString(dict, row.name, reinterpret_cast<PyObject*>(row.type)) < 0) return -1;
  }
  PyObject* group = pyston::exception_group_type();
  if (group == nullptr || PyDict_SetItemString(dict, "ExceptionGroup", group) < 0) return -1;
  if (PyDict_SetItemString(dict, "EnvironmentError", PyExc_OSError) < 0) return -1;
  return PyDict_SetItemString(dict, "IOError", PyExc_OSError);
}

void _PyExc_ClearExceptionGroupType(PyInterpreterState* interp) { Py_CLEAR(interp->exc_state.PyExc_ExceptionGroup); }

void _PyExc_Fini(PyInterpreterState* interp) {
  pyston::free_memory_error_list(interp);
  Py_CLEAR(interp->exc_state.errnomap);
}
