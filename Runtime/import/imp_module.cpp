// `_imp`: what importlib needs from below: built-in, frozen and dynamic modules and the global import lock.
#include "Objects/bind.h"
#include "Runtime/import/import_internal.h"
#include "internal/pycore_code.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_pyhash.h"

template <>
struct pyston::ArgumentType<PyCodeObject> {
  static bool check(PyObject* value) { return PyCode_Check(value); }
  static constexpr const char* kName = "code";
};

namespace pyston::import {

bool lock_held();

namespace {

Ref<> module_name_of(PyObject* spec) {
  auto name = VM_TRY(Ref<>::steal(PyObject_GetAttrString(spec, "name")));
  return name;
}

Ref<> imp_lock_held(PyObject*) { return Ref<>::steal(PyBool_FromLong(import::lock_held())); }
Ref<> imp_acquire_lock(PyObject*) {
  _PyImport_AcquireLock();
  return Ref<>::none();
}
Ref<> imp_release_lock(PyObject*) {
  if (_PyImport_ReleaseLock() < 0) return raise(PyExc_RuntimeError, "not holding the import lock");
  return Ref<>::none();
}

Ref<> imp_extension_suffixes(PyObject*) {
  return Ref<>::steal(Py_BuildValue("[sss]", ".cpython-311-x86_64-linux-gnu.so", ".abi3.so", ".so"));
}

/// Renames the file of `code` and of the code objects nested in it that shared its old name.
Status update_filename(PyCodeObject* code, PyObject* old_name, PyObject* new_name) {
  const int same = PyUnicode_Compare(code->co_filename, old_name);
  if (same != 0) return PyErr_Occurred() ? Status::kError : Status::kOk;
  Py_INCREF(new_name);
  Py_SETREF(code->co_filename, new_name);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
    PyObject* constant = PyTuple_GET_ITEM(code->co_consts, i);
    if (PyCode_Check(constant)) {
      VM_CHECK(update_filename(reinterpret_cast<PyCodeObject*>(constant), old_name, new_name));
    }
  }
  return Status::kOk;
}

Ref<> imp_fix_co_filename(PyObject*, Borrowed<PyCodeObject> code, Borrowed<PyUnicodeObject> path) {
  if (PyUnicode_Compare(code->co_filename, path.object()) == 0) return Ref<>::none();
  Ref<> old_name = Ref<>::dup(code->co_filename);
  VM_CHECK(update_filename(code, old_name.get(), path.object()));
  return Ref<>::none();
}

Ref<> imp_is_builtin(PyObject*, Borrowed<PyUnicodeObject> name) {
  const _inittab* row = find_builtin(name.object());
  return Ref<>::steal(PyLong_FromLong(row == nullptr ? 0 : row->initfunc == nullptr ? -1 : 1));
}

Ref<> imp_create_builtin(PyObject*, Borrowed<> spec) {
  PyThreadState* tstate = _PyThreadState_GET();
  auto name = VM_TRY(module_name_of(spec));
  Ref<> known = find_extension(tstate, name.get(), name.get());
  if (known || PyErr_Occurred()) return known;
  const _inittab* row = find_builtin(name.get());
  if (row == nullptr) return Ref<>::none();
  if (row->initfunc == nullptr) return Ref<>::dup(PyImport_AddModule(row->name));
  auto module = VM_TRY(Ref<>::steal(row->initfunc()));
  if (PyObject_TypeCheck(module.get(), &PyModuleDef_Type)) {
    auto* def = reinterpret_cast<PyModuleDef*>(module.release());
    return Ref<>::steal(PyModule_FromDefAndSpec(def, spec));
  }
  PyModuleDef* def = PyModule_GetDef(module.get());
  if (def == nullptr) return nullptr;
  def->m_base.m_init = row->initfunc;
  VM_CHECK(remember_extension(module.get(), name.get(), name.get(), tstate->interp->modules));
  return module;
}

Ref<> exec_module(PyObject* module) {
  if (PyModule_Check(module)) {
    PyModuleDef* def = PyModule_GetDef(module);
    // Already initialised (single phase, or executed before): nothing to do.
    if (def != nullptr && PyModule_GetState(module) == nullptr) {
      return Ref<>::steal(PyLong_FromLong(PyModule_ExecDef(module, def) < 0 ? -1 : 0));
    }
  }
  return Ref<>::steal(PyLong_FromLong(0));
}
Ref<> imp_exec_builtin(PyObject*, Borrowed<> module) {
  auto result = VM_TRY(exec_module(module));
  if (PyErr_Occurred()) return nullptr;
  return result;
}

Ref<> imp_create_dynamic(PyObject*, Borrowed<> spec, PyObject* file) {
  PyThreadState* tstate = _PyThreadState_GET();
  auto name = VM_TRY(module_name_of(spec));
  auto path = VM_TRY(Ref<>::steal(PyObject_GetAttrString(spec, "origin")));
  Ref<> known = find_extension(tstate, name.get(), path.get());
  if (known || PyErr_Occurred()) return known;
  return load_dynamic(spec);
}

Failure frozen_error(PyObject* name, const char* format) {
  PyObject* message = PyUnicode_FromFormat(format, name);
  if (message != nullptr) {
    PyErr_SetImportError(message, name, nullptr);
    Py_DECREF(message);
  }
  return {};
}

Ref<> imp_find_frozen(PyObject*, Borrowed<PyUnicodeObject> name, Optional<bool> withdata) {
  const char* original = nullptr;
  const _frozen* frozen = find_frozen(name.object(), &original);
  if (frozen == nullptr || frozen->code == nullptr) return Ref<>::none();
  Ref<> data = Ref<>::none();
  if (withdata.value_or(false)) {
    const int size = frozen->size < 0 ? -frozen->size : frozen->size;
    data = VM_TRY(Ref<>::steal(
        PyMemoryView_FromMemory(reinterpret_cast<char*>(const_cast<unsigned char*>(frozen->code)), size, PyBUF_READ)));
  }
  Ref<> original_name = Ref<>::none();
  if (original != nullptr && original[0] != '\0') original_name = VM_TRY(Ref<>::steal(PyUnicode_FromString(original)));
  return Ref<>::steal(PyTuple_Pack(3, data.get(), frozen->is_package ? Py_True : Py_False, original_name.get()));
}

Ref<> imp_get_frozen_object(PyObject*, Borrowed<PyUnicodeObject> name, PyObject* data) {
  if (data != nullptr && data != Py_None) {
    Buffer buffer;
    if (!buffer.acquire(data)) return nullptr;
    if (buffer.size() == 0) return frozen_error(name.object(), "Frozen object named %R is invalid");
    _frozen frozen{nullptr, buffer.bytes(), static_cast<int>(buffer.size()), 0, nullptr};
    return frozen_code(&frozen, name.object());
  }
  const _frozen* frozen = find_frozen(name.object(), nullptr);
  if (frozen == nullptr) return frozen_error(name.object(), "No such frozen object named %R");
  if (frozen->code == nullptr) return frozen_error(name.object(), "Excluded frozen object named %R");
  return frozen_code(frozen, name.object());
}

Ref<> imp_is_frozen(PyObject*, Borrowed<PyUnicodeObject> name) {
  const _frozen* frozen = find_frozen(name.object(), nullptr);
  return Ref<>::steal(PyBool_FromLong(frozen != nullptr && frozen->code != nullptr));
}

Ref<> imp_is_frozen_package(PyObject*, Borrowed<PyUnicodeObject> name) {
  const _frozen* frozen = find_frozen(name.object(), nullptr);
  if (frozen == nullptr) return frozen_error(name.object(), "No such frozen object named %R");
  return Ref<>::steal(PyBool_FromLong(frozen->is_package));
}

Ref<> imp_init_frozen(PyObject*, Borrowed<PyUnicodeObject> name) {
  const int found = PyImport_ImportFrozenModuleObject(name.object());
  if (found < 0) return nullptr;
  if (found == 0) return Ref<>::none();
  return Ref<>::dup(PyImport_AddModuleObject(name.object()));
}

Ref<> imp_frozen_module_names(PyObject*) {
  auto names = VM_TRY(Ref<>::steal(PyList_New(0)));
  for (const _frozen* table : {_PyImport_FrozenBootstrap, _PyImport_FrozenStdlib, _PyImport_FrozenTest}) {
    for (; table->name != nullptr; table++) {
      auto name = VM_TRY(Ref<>::steal(PyUnicode_FromString(table->name)));
      VM_CHECK(PyList_Append(names.get(), name.get()));
    }
  }
  return names;
}

Ref<> imp_override_frozen_modules(PyObject*, int override) {
  _PyInterpreterState_GET()->override_frozen_modules = override;
  return Ref<>::none();
}

Ref<> imp_source_hash(PyObject*, long long key, Buffer source) {
  union {
    uint64_t number;
    char bytes[sizeof(uint64_t)];
  } hash;
  hash.number = _Py_KeyedHash(static_cast<uint64_t>(key), source.data(), source.size());
  return Ref<>::steal(PyBytes_FromStringAndSize(hash.bytes, sizeof hash.bytes));
}

PyMethodDef imp_methods[] = {
    method<imp_extension_suffixes, "extension_suffixes($module, /)", "The file suffixes of extension modules.">(),
    method<imp_lock_held, "lock_held($module, /)", "True if the import lock is held by some thread.">(),
    method<imp_acquire_lock, "acquire_lock($module, /)", "Takes the calling thread's turn on the import lock.">(),
    method<imp_release_lock, "release_lock($module, /)",
           "Releases the import lock once; RuntimeError if it isn't held.">(),
    method<imp_find_frozen, "find_frozen($module, name, /, *, withdata=False)",
           "(data, is_package, original name) of a frozen module, or None.">(),
    method<imp_get_frozen_object, "get_frozen_object($module, name, data=None, /)",
           "The code object of a frozen module, or of the given marshalled data.">(),
    method<imp_is_frozen_package, "is_frozen_package($module, name, /)", "True if the frozen module is a package.">(),
    method<imp_create_builtin, "create_builtin($module, spec, /)", "Creates a built-in module from its spec.">(),
    method<imp_init_frozen, "init_frozen($module, name, /)", "Runs a frozen module and returns it.">(),
    method<imp_is_builtin, "is_builtin($module, name, /)",
           "1 for a built-in module, -1 for one that cannot be initialised again, 0 otherwise.">(),
    method<imp_is_frozen, "is_frozen($module, name, /)", "True if there is a frozen module of that name.">(),
    method<imp_frozen_module_names, "_frozen_module_names($module, /)", "The names of all frozen modules.">(),
    method<imp_override_frozen_modules, "_override_frozen_modules_for_tests($module, override, /)",
           "1 and -1 switch frozen modules on and off, 0 follows the configuration.">(),
    method<imp_create_dynamic, "create_dynamic($module, spec, file=None, /)",
           "Opens a shared object and creates its extension module.">(),
    method<imp_exec_builtin, "exec_dynamic($module, mod, /)", "Runs the exec slots of an extension module.">(),
    method<imp_exec_builtin, "exec_builtin($module, mod, /)", "Runs the exec slots of a built-in module.">(),
    method<imp_fix_co_filename, "_fix_co_filename($module, code, path, /)",
           "Sets the file name of a code object and of those nested in it.">(),
    method<imp_source_hash, "source_hash($module, key, source)", "The 64-bit hash of a source, as 8 bytes.">(),
    {}};

int imp_exec(PyObject* module) {
  const wchar_t* mode = _Py_GetConfig()->check_hash_pycs_mode;
  PyObject* text = PyUnicode_FromWideChar(mode, -1);
  if (text == nullptr) return -1;
  const int result = PyModule_AddObjectRef(module, "check_hash_based_pycs", text);
  Py_DECREF(text);
  return result;
}

PyModuleDef_Slot imp_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(imp_exec)}, {0, nullptr}};
PyModuleDef imp_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_imp",
    .m_doc = "The import system's foundation, used by importlib.",
    .m_size = 0,
    .m_methods = imp_methods,
    .m_slots = imp_slots,
};

}  // namespace
}  // namespace pyston::import

PyMODINIT_FUNC PyInit__imp(void) { return PyModuleDef_Init(&pyston::import::imp_module); }
