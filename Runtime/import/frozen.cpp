// Frozen modules: the parts of the standard library that start-up needs, compiled at build time into the binary.
//
// The tables come from `frozen_table.h`'s provider: either the generated file of the build's freeze step, or the empty
// table of the first-stage binary, which then compiles importlib from the installed source at start-up.
#include "Runtime/import/frozen_table.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "Runtime/import/import_internal.h"
#include "internal/pycore_code.h"
#include "internal/pycore_initconfig.h"
#include "marshal.h"

const struct _frozen* PyImport_FrozenModules = nullptr;
const struct _frozen* _PyImport_FrozenBootstrap = pyston::import::kFrozenBootstrap;
const struct _frozen* _PyImport_FrozenStdlib = pyston::import::kFrozenStdlib;
namespace {
/// What importlib takes a frozen module's source for. "<": the module is the named package's __init__.
const struct _module_alias kAliases[] = {
    {"_frozen_importlib", "importlib._bootstrap"},
    {"_frozen_importlib_external", "importlib._bootstrap_external"},
    {"os.path", "posixpath"},
    {"__hello_alias__", "__hello__"},
    {"__phello_alias__", "__hello__"},
    {"__phello_alias__.spam", "__hello__"},
    {"__phello__.__init__", "<__phello__"},
    {"__phello__.ham.__init__", "<__phello__.ham"},
    {"__hello_only__", nullptr},
    {"pyston", nullptr},
    {"pyston.jit", nullptr},
    {nullptr, nullptr},
};
}  // namespace
const struct _frozen* _PyImport_FrozenTest = pyston::import::kFrozenTest;
const struct _module_alias* _PyImport_FrozenAliases = kAliases;

namespace pyston::import {
namespace {

const _frozen* search(const _frozen* table, PyObject* name) {
  if (table == nullptr) return nullptr;
  for (; table->name != nullptr; table++) {
    if (_PyUnicode_EqualToASCIIString(name, table->name)) return table;
  }
  return nullptr;
}

bool use_frozen() {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  const int override = interp->override_frozen_modules;
  if (override != 0) return override > 0;
  return interp->config.use_frozen_modules != 0;
}

}  // namespace

const _frozen* find_frozen(PyObject* name, const char** original) {
  if (name == nullptr || name == Py_None || !PyUnicode_Check(name)) return nullptr;
  const _frozen* frozen = search(_PyImport_FrozenBootstrap, name);
  if (frozen == nullptr) frozen = search(PyImport_FrozenModules, name);
  if (frozen == nullptr && use_frozen()) {
    frozen = search(_PyImport_FrozenStdlib, name);
    if (frozen == nullptr) frozen = search(_PyImport_FrozenTest, name);
  }
  if (frozen == nullptr || original == nullptr) return frozen;
  *original = frozen->name;
  for (const _module_alias* alias = _PyImport_FrozenAliases; alias->name != nullptr; alias++) {
    if (strcmp(alias->name, frozen->name) == 0) *original = alias->orig;
  }
  return frozen;
}

Ref<PyCodeObject> frozen_code(const _frozen* frozen, PyObject* name) {
  const int size = frozen->size < 0 ? -frozen->size : frozen->size;
  Ref<> code = Ref<>::steal(PyMarshal_ReadObjectFromString(reinterpret_cast<const char*>(frozen->code), size));
  if (!code) {
    PyErr_Clear();
    PyObject* message = PyUnicode_FromFormat("Frozen object named %R is invalid", name);
    if (message != nullptr) {
      PyErr_SetImportError(message, name, nullptr);
      Py_DECREF(message);
    }
    return nullptr;
  }
  if (!PyCode_Check(code.get())) return raise(PyExc_TypeError, "frozen object %R is not a code object", name);
  return Ref<PyCodeObject>::steal(code.release());
}

}  // namespace pyston::import
