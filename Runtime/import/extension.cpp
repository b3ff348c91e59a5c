// Extension modules: opening shared objects, calling their init functions, and the registry that lets a single-phase
// module (PEP 3121) be imported again, by another interpreter or after it was dropped from sys.modules.
#include <dlfcn.h>
#include <sys/stat.h>

#include "Runtime/import/import_internal.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_pyerrors.h"

namespace pyston::import {
namespace {

/// (filename, name) -> module definition as an opaque integer-free object: PyModuleDef is itself a PyObject.
PyObject* known_extensions = nullptr;

constexpr struct {
  const char* ascii = "PyInit";
  const char* punycode = "PyInitU";
} kPrefixes;

/// The last component of a dotted name, encoded for a C symbol; `prefix` gets PyInit or PyInitU (PEP 489).
Ref<> encoded_symbol_name(PyObject* name, const char** prefix) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(name);
  const Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, length, -1);
  if (dot < -1) return nullptr;
  Ref<> last = dot >= 0 ? Ref<>::steal(PyUnicode_Substring(name, dot + 1, length)) : Ref<>::dup(name);
  if (!last) return nullptr;
  Ref<> encoded = Ref<>::steal(PyUnicode_AsEncodedString(last.get(), "ascii", nullptr));
  if (encoded) {
    *prefix = kPrefixes.ascii;
  } else {
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return nullptr;
    PyErr_Clear();
    encoded = VM_TRY(Ref<>::steal(PyUnicode_AsEncodedString(last.get(), "punycode", nullptr)));
    *prefix = kPrefixes.punycode;
  }
  auto dashes = VM_TRY(Ref<>::steal(PyBytes_FromStringAndSize("-", 1)));
  auto underscores = VM_TRY(Ref<>::steal(PyBytes_FromStringAndSize("_", 1)));
  return Ref<>::steal(PyObject_CallMethod(encoded.get(), "replace", "OO", dashes.get(), underscores.get()));
}

Failure import_error(PyObject* message, PyObject* name, PyObject* path) {
  if (message != nullptr) {
    PyErr_SetImportError(message, name, path);
    Py_DECREF(message);
  }
  return {};
}

}  // namespace

Ref<> call_init_function(PyObject* (*init)(void), const char* name) {
  PyObject* module = init();
  if (module == nullptr) {
    if (!PyErr_Occurred()) {
      PyErr_Format(PyExc_SystemError, "initialization of %s failed without raising an exception", name);
    }
    return nullptr;
  }
  if (PyErr_Occurred()) {
    // A definition is static and borrowed; a module is a new reference.
    if (!PyObject_TypeCheck(module, &PyModuleDef_Type)) Py_DECREF(module);
    PyErr_Format(PyExc_SystemError, "initialization of %s raised unreported exception", name);
    return nullptr;
  }
  if (Py_TYPE(module) == nullptr) {
    PyErr_Format(PyExc_SystemError, "init function of %s returned uninitialized object", name);
    return nullptr;
  }
  return Ref<>::steal(module);
}

Ref<> find_extension(PyThreadState* tstate, PyObject* name, PyObject* filename) {
  if (known_extensions == nullptr) return nullptr;
  auto key = VM_TRY(Ref<>::steal(PyTuple_Pack(2, filename, name)));
  auto* def = reinterpret_cast<PyModuleDef*>(PyDict_GetItemWithError(known_extensions, key.get()));
  if (def == nullptr) return nullptr;
  PyObject* modules = tstate->interp->modules;
  Ref<> module;
  if (def->m_size == -1) {
    if (def->m_base.m_copy == nullptr) return nullptr;  // cannot be initialised twice
    module = Ref<>::dup(PyImport_AddModuleObject(name));
    if (!module) return nullptr;
    if (PyDict_Update(PyModule_GetDict(module.get()), def->m_base.m_copy) < 0) return nullptr;
  } else {
    if (def->m_base.m_init == nullptr) return nullptr;
    module = VM_TRY(Ref<>::steal(def->m_base.m_init()));
    if (PyObject_SetItem(modules, name, module.get()) < 0) return nullptr;
  }
  if (_PyState_AddModule(_PyThreadState_GET(), module.get(), def) < 0) {
    PyMapping_DelItem(modules, name);
    return nullptr;
  }
  return module;
}

Status remember_extension(PyObject* module, PyObject* name, PyObject* filename, PyObject* modules) {
  if (module == nullptr || !PyModule_Check(module)) {
    PyErr_BadInternalCall();
    return Status::kError;
  }
  PyModuleDef* def = PyModule_GetDef(module);
  if (def == nullptr) {
    PyErr_BadInternalCall();
    return Status::kError;
  }
  VM_CHECK(PyObject_SetItem(modules, name, module));
  if (_PyState_AddModule(_PyThreadState_GET(), module, def) < 0) {
    PyMapping_DelItem(modules, name);
    return Status::kError;
  }
  if (!_Py_IsMainInterpreter(_PyInterpreterState_GET()) && def->m_size == -1) return Status::kOk;
  if (def->m_size == -1) {
    Py_CLEAR(def->m_base.m_copy);
    PyObject* dict = PyModule_GetDict(module);
    if (dict == nullptr) return Status::kError;
    def->m_base.m_copy = PyDict_Copy(dict);
    if (def->m_base.m_copy == nullptr) return Status::kError;
  }
  if (known_extensions == nullptr) {
    known_extensions = PyDict_New();
    if (known_extensions == nullptr) return Status::kError;
  }
  auto key = VM_TRY(Ref<>::steal(PyTuple_Pack(2, filename, name)));
  VM_CHECK(PyDict_SetItem(known_extensions, key.get(), as_object(def)));
  return Status::kOk;
}

void forget_extensions() { Py_CLEAR(known_extensions); }

Ref<> load_dynamic(PyObject* spec) {
  auto name = VM_TRY(Ref<>::steal(PyObject_GetAttrString(spec, "name")));
  if (!PyUnicode_Check(name.get())) return raise(PyExc_TypeError, "spec.name must be a string");
  const char* prefix;
  auto encoded = VM_TRY(encoded_symbol_name(name.get(), &prefix));
  const char* symbol_suffix = PyBytes_AS_STRING(encoded.get());
  auto path = VM_TRY(Ref<>::steal(PyObject_GetAttrString(spec, "origin")));
  if (PySys_Audit("import", "OOOOO", name.get(), path.get(), Py_None, Py_None, Py_None) < 0) return nullptr;
  auto path_bytes = VM_TRY(Ref<>::steal(PyUnicode_EncodeFSDefault(path.get())));
  const char* filename = PyBytes_AS_STRING(path_bytes.get());

  PyInterpreterState* interp = _PyInterpreterState_GET();
  const PyConfig* config = _PyInterpreterState_GetConfig(interp);
  char with_slash[4096];
  const char* to_open = filename;
  if (strchr(filename, '/') == nullptr) {
    snprintf(with_slash, sizeof with_slash, "./%s", filename);  // dlopen would search the library path
    to_open = with_slash;
  }
  if (config->verbose) PySys_FormatStderr("import: dlopen(\"%s\", %x);\n", to_open, interp->dlopenflags);
  void* handle = dlopen(to_open, interp->dlopenflags);
  if (handle == nullptr) {
    const char* reason = dlerror();
    return import_error(PyUnicode_DecodeLocale(reason != nullptr ? reason : "unknown dlopen() error", "surrogateescape"),
                        name.get(), path.get());
  }
  char symbol[258];
  PyOS_snprintf(symbol, sizeof symbol, "%.20s_%.200s", prefix, symbol_suffix);
  auto init = reinterpret_cast<PyObject* (*)(void)>(dlsym(handle, symbol));
  if (init == nullptr) {
    return import_error(
        PyUnicode_FromFormat("dynamic module does not define module export function (%s_%s)", prefix, symbol_suffix),
        name.get(), path.get());
  }
  const char* utf8_name = PyUnicode_AsUTF8(name.get());
  if (utf8_name == nullptr) return nullptr;
  const char* outer_context = _Py_PackageContext;
  _Py_PackageContext = utf8_name;
  Ref<> module = call_init_function(init, symbol_suffix);
  _Py_PackageContext = outer_context;
  if (!module) return nullptr;
  if (PyObject_TypeCheck(module.get(), &PyModuleDef_Type)) {
    auto* def = reinterpret_cast<PyModuleDef*>(module.release());  // static: the reference is not ours
    return Ref<>::steal(PyModule_FromDefAndSpec(def, spec));
  }
  if (prefix == kPrefixes.punycode) {
    return raise(PyExc_SystemError, "initialization of %s did not return PyModuleDef", symbol_suffix);
  }
  PyModuleDef* def = PyModule_GetDef(module.get());
  if (def == nullptr) {
    return raise(PyExc_SystemError, "initialization of %s did not return an extension module", symbol_suffix);
  }
  def->m_base.m_init = init;
  if (PyModule_AddObjectRef(module.get(), "__file__", path.get()) < 0) PyErr_Clear();
  PyObject* modules = PyImport_GetModuleDict();
  VM_CHECK(remember_extension(module.get(), name.get(), path.get(), modules));
  return module;
}

}  // namespace pyston::import

using namespace pyston;

int _PyImport_FixupExtensionObject(PyObject* module, PyObject* name, PyObject* filename, PyObject* modules) {
  return static_cast<int>(import::remember_extension(module, name, filename, modules));
}

int _PyImport_FixupBuiltin(PyObject* module, const char* name, PyObject* modules) {
  Ref<> text = Ref<>::steal(PyUnicode_InternFromString(name));
  return text ? _PyImport_FixupExtensionObject(module, text.get(), text.get(), modules) : -1;
}
