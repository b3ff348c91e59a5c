// Start and end of the static types, driven by static_types.def.
#include "Objects/core/type.h"

#include "pycore_context.h"
#include "pycore_hamt.h"
#include "pycore_interp.h"
#include "pycore_interpreteridobject.h"
#include "pycore_namespace.h"
#include "pycore_pystate.h"
#include "pycore_unionobject.h"

using namespace pyston;

// The header that declares a type is not always one that this file includes; all have C linkage.
extern "C" {
#define STATIC_TYPE(name) extern PyTypeObject name;
#include "Objects/core/static_types.def"
#undef STATIC_TYPE
}

static PyTypeObject* const static_types[] = {
#define STATIC_TYPE(name) &name,
#include "Objects/core/static_types.def"
#undef STATIC_TYPE
};
constexpr size_t kStaticTypeCount = sizeof(static_types) / sizeof(static_types[0]);

extern "C" {

PyStatus _PyTypes_InitTypes(PyInterpreterState* interp) {
  // Static types are shared; only the first interpreter makes them ready.
  if (!_Py_IsMainInterpreter(interp)) return PyStatus_Ok();
  for (PyTypeObject* type : static_types) {
    if (PyType_Ready(type) < 0) return PyStatus_Error("Can't initialize types");
  }
  return PyStatus_Ok();
}

void _PyTypes_FiniTypes(PyInterpreterState* interp) {
  if (!_Py_IsMainInterpreter(interp)) return;
  // Subclasses come behind their bases in the table.
  for (size_t i = kStaticTypeCount; i-- > 0;) _PyStaticType_Dealloc(static_types[i]);
}

}  // extern "C"
