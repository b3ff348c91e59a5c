// Module objects, and module definitions of C extensions (PEP 489).
//
// INVARIANT: md_dict is the dict that the module's functions have as globals; it is null only after a failed creation
// or once the collector has cleared the module.
#include "Objects/bind.h"
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_interp.h"
#include "pycore_moduleobject.h"
#include "pycore_object.h"
#include "pycore_pyerrors.h"
#include "pycore_pystate.h"

using namespace pyston;

namespace {

PyModuleObject* as_module(PyObject* object) { return reinterpret_cast<PyModuleObject*>(object); }

/// Fills the dict with the attributes every module has.
Status init_dict(PyObject* module, PyObject* dict, PyObject* name, PyObject* doc) {
  if (doc == nullptr) doc = Py_None;
  if (PyDict_SetItem(dict, &_Py_ID(__name__), name) < 0 || PyDict_SetItem(dict, &_Py_ID(__doc__), doc) < 0 ||
      PyDict_SetItem(dict, &_Py_ID(__package__), Py_None) < 0 ||
      PyDict_SetItem(dict, &_Py_ID(__loader__), Py_None) < 0 ||
      PyDict_SetItem(dict, &_Py_ID(__spec__), Py_None) < 0) {
    return Status::kError;
  }
  if (PyUnicode_CheckExact(name)) {
    PyObject* copy = Py_NewRef(name);
    Py_XSETREF(as_module(module)->md_name, copy);
  }
  return Status::kOk;
}

PyObject* new_module_without_track(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* memory = _PyType_AllocNoTrack(type, 0);
  if (memory == nullptr) return nullptr;
  PyModuleObject* module = as_module(memory);
  module->md_dict = PyDict_New();
  if (module->md_dict == nullptr) {
    PyObject_GC_Track(memory);
    Py_DECREF(memory);
    return nullptr;
  }
  return memory;
}

PyObject* module_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  PyObject* module = new_module_without_track(type, args, kwargs);
  if (module != nullptr) PyObject_GC_Track(module);
  return module;
}

/// __file__ and __name__ are strings when somebody asks for them by the C API.
PyObject* string_entry(PyObject* module, PyObject* key, const char* message) {
  if (!PyModule_Check(module)) {
    PyErr_BadArgument();
    return nullptr;
  }
  PyObject* dict = as_module(module)->md_dict;
  PyObject* value = dict != nullptr && PyDict_Check(dict) ? PyDict_GetItemWithError(dict, key) : nullptr;
  if (value == nullptr || !PyUnicode_Check(value)) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, message);
    return nullptr;
  }
  return Py_NewRef(value);
}

int add_functions(PyObject* module, PyObject* name, PyMethodDef* functions) {
  for (; functions->ml_name != nullptr; functions++) {
    if (functions->ml_flags & (METH_CLASS | METH_STATIC)) {
      PyErr_SetString(PyExc_ValueError, "module functions cannot set METH_CLASS or METH_STATIC");
      return -1;
    }
    auto function = Ref<>::steal(PyCFunction_NewEx(functions, module, name));
    if (!function || PyObject_SetAttrString(module, functions->ml_name, function.get()) < 0) return -1;
  }
  return 0;
}

bool check_api_version(const char* name, int version) {
  if (version == PYTHON_API_VERSION || version == PYTHON_ABI_VERSION) return true;
  return PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                          "Python C API version mismatch for module %.100s: This Python has API version %d, module "
                          "%.100s has version %d.",
                          name, PYTHON_API_VERSION, name, version) >= 0;
}

/// "pkg.mod" for a single-phase module that is being imported under that name.
const char* package_context_name(const char* name) {
  const char* context = _Py_PackageContext;
  if (context == nullptr) return name;
  const char* dot = strrchr(context, '.');
  if (dot == nullptr || strcmp(name, dot + 1) != 0) return name;
  _Py_PackageContext = nullptr;
  return context;
}

// ---------------------------------------------------------------------------------------------------------------
// The type's slots

Status module_init(Borrowed<PyModuleObject> self, Borrowed<PyUnicodeObject> name, PyObject* doc) {
  PyObject* dict = self->md_dict;
  if (dict == nullptr) {
    self->md_dict = dict = PyDict_New();
    if (dict == nullptr) return Status::kError;
  }
  return init_dict(self.object(), dict, name.object(), doc);
}

void module_dealloc(PyObject* self) {
  PyModuleObject* module = as_module(self);
  PyObject_GC_UnTrack(self);
  int verbose = _Py_GetConfig()->verbose;
  if (verbose && module->md_name != nullptr) PySys_FormatStderr("# destroy %U\n", module->md_name);
  if (module->md_weaklist != nullptr) PyObject_ClearWeakRefs(self);
  PyModuleDef* definition = module->md_def;
  // m_free belongs to initialised state only.
  if (definition != nullptr && definition->m_free != nullptr && (definition->m_size <= 0 || module->md_state != nullptr)) {
    definition->m_free(module);
  }
  Py_XDECREF(module->md_dict);
  Py_XDECREF(module->md_name);
  if (module->md_state != nullptr) PyMem_Free(module->md_state);
  Py_TYPE(self)->tp_free(self);
}

int module_traverse(PyObject* self, visitproc visit, void* arg) {
  PyModuleObject* module = as_module(self);
  PyModuleDef* definition = module->md_def;
  if (definition != nullptr && definition->m_traverse != nullptr &&
      (definition->m_size <= 0 || module->md_state != nullptr)) {
    int status = definition->m_traverse(self, visit, arg);
    if (status) return status;
  }
  Py_VISIT(module->md_dict);
  return 0;
}

int module_clear(PyObject* self) {
  PyModuleObject* module = as_module(self);
  PyModuleDef* definition = module->md_def;
  if (definition != nullptr && definition->m_clear != nullptr &&
      (definition->m_size <= 0 || module->md_state != nullptr)) {
    int status = definition->m_clear(self);
    if (PyErr_Occurred()) {
      PySys_FormatStderr("Exception ignored in m_clear of module%s%V\n", module->md_name ? " " : "", module->md_name,
                         "");
      PyErr_WriteUnraisable(nullptr);
    }
    if (status) return status;
  }
  Py_CLEAR(module->md_dict);
  return 0;
}

PyObject* module_repr(PyObject* self) {
  // importlib writes it: it knows specs, loaders and origins.
  return PyObject_CallMethod(_PyInterpreterState_GET()->importlib, "_module_repr", "O", self);
}

/// The failure of `module.name`. Names the likely reason: a circular import or a half-loaded submodule.
COLD void raise_missing_attribute(PyModuleObject* module, PyObject* name) {
  PyObject* dict = module->md_dict;
  PyObject* module_name = PyDict_GetItemWithError(dict, &_Py_ID(__name__));
  if (module_name == nullptr || !PyUnicode_Check(module_name)) {
    if (!PyErr_Occurred()) PyErr_Format(PyExc_AttributeError, "module has no attribute '%U'", name);
    return;
  }
  auto name_owner = Ref<>::dup(module_name);
  auto spec = Ref<>::dup(PyDict_GetItemWithError(dict, &_Py_ID(__spec__)));
  if (!spec && PyErr_Occurred()) return;
  if (_PyModuleSpec_IsInitializing(spec.get())) {
    PyErr_Format(PyExc_AttributeError,
                 "partially initialized module '%U' has no attribute '%U' (most likely due to a circular import)",
                 module_name, name);
    return;
  }
  bool uninitialized = false;
  if (spec) {
    PyObject* submodules;
    if (_PyObject_LookupAttr(spec.get(), &_Py_ID(_uninitialized_submodules), &submodules) < 0) return;
    if (submodules != nullptr) {
      int contains = PySequence_Contains(submodules, name);
      Py_DECREF(submodules);
      if (contains < 0) return;
      uninitialized = contains > 0;
    }
  }
  PyErr_Format(PyExc_AttributeError,
               uninitialized ? "cannot access submodule '%U' of module '%U' (most likely due to a circular import)"
                             : "module '%U' has no attribute '%U'",
               uninitialized ? name : module_name, uninitialized ? module_name : name);
}

Ref<> module_dir(Borrowed<PyModuleObject> self) {
  auto dict = VM_TRY(Ref<>::steal(PyObject_GetAttr(self.object(), &_Py_ID(__dict__))));
  if (!PyDict_Check(dict.get())) return raise(PyExc_TypeError, "<module>.__dict__ is not a dictionary");
  PyObject* own = PyDict_GetItemWithError(dict.get(), &_Py_ID(__dir__));
  if (own != nullptr) return Ref<>::steal(_PyObject_CallNoArgs(own));
  if (PyErr_Occurred()) return nullptr;
  return Ref<>::steal(PyDict_Keys(dict.get()));
}

/// The module's `__dict__` as an owned dict, TypeError when a subclass made something else of it.
Ref<> checked_dict(PyObject* self) {
  auto dict = VM_TRY(Ref<>::steal(PyObject_GetAttr(self, &_Py_ID(__dict__))));
  if (!PyDict_Check(dict.get())) return raise(PyExc_TypeError, "<module>.__dict__ is not a dictionary");
  return dict;
}

PyObject* get_annotations(PyObject* self, void*) {
  auto dict = checked_dict(self);
  if (!dict) return nullptr;
  PyObject* annotations = PyDict_GetItemWithError(dict.get(), &_Py_ID(__annotations__));
  if (annotations != nullptr) return Py_NewRef(annotations);
  if (PyErr_Occurred()) return nullptr;
  auto created = Ref<>::steal(PyDict_New());
  if (!created || PyDict_SetItem(dict.get(), &_Py_ID(__annotations__), created.get()) < 0) return nullptr;
  return created.release();
}

int set_annotations(PyObject* self, PyObject* value, void*) {
  auto dict = checked_dict(self);
  if (!dict) return -1;
  if (value != nullptr) return PyDict_SetItem(dict.get(), &_Py_ID(__annotations__), value);
  int present = PyDict_Contains(dict.get(), &_Py_ID(__annotations__));
  if (present < 0) return -1;
  if (!present) {
    PyErr_Format(PyExc_AttributeError, "__annotations__");
    return -1;
  }
  return PyDict_DelItem(dict.get(), &_Py_ID(__annotations__));
}

PyMethodDef module_methods[] = {method<module_dir, "__dir__($self, /)", "Names in the module.">(), {}};
PyMemberDef module_members[] = {{"__dict__", T_OBJECT, offsetof(PyModuleObject, md_dict), READONLY, nullptr}, {}};
PyGetSetDef module_getset[] = {{"__annotations__", get_annotations, set_annotations, nullptr, nullptr}, {}};

}  // namespace

namespace pyston {

PyObject* module_lookup_attribute(PyObject* self, PyObject* name, bool suppress) {
  PyObject* attribute = _PyObject_GenericGetAttrWithDict(self, name, nullptr, 1);
  if (attribute != nullptr) return attribute;
  if (PyErr_Occurred()) return nullptr;
  PyModuleObject* module = as_module(self);
  if (module->md_dict != nullptr) {
    // PEP 562: a function __getattr__ in the module.
    PyObject* hook = PyDict_GetItemWithError(module->md_dict, &_Py_ID(__getattr__));
    if (hook != nullptr) {
      Py_INCREF(hook);
      PyObject* result = PyObject_CallOneArg(hook, name);
      Py_DECREF(hook);
      if (result == nullptr && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
      return result;
    }
    if (PyErr_Occurred()) return nullptr;
    if (suppress) return nullptr;
    raise_missing_attribute(module, name);
    return nullptr;
  }
  if (!suppress) PyErr_Format(PyExc_AttributeError, "module has no attribute '%U'", name);
  return nullptr;
}

PyObject* module_getattro(PyObject* module, PyObject* name) { return module_lookup_attribute(module, name, false); }

}  // namespace pyston

PyTypeObject PyModule_Type = {
    .ob_base = type_head(),
    .tp_name = "module",
    .tp_basicsize = sizeof(PyModuleObject),
    .tp_dealloc = module_dealloc,
    .tp_repr = module_repr,
    .tp_getattro = module_getattro,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "module(name, doc=None)\n--\n\n"
              "A module object; the name is a string and the optional documentation any object.",
    .tp_traverse = module_traverse,
    .tp_clear = module_clear,
    .tp_weaklistoffset = offsetof(PyModuleObject, md_weaklist),
    .tp_methods = module_methods,
    .tp_members = module_members,
    .tp_getset = module_getset,
    .tp_dictoffset = offsetof(PyModuleObject, md_dict),
    .tp_init = initializer<module_init, "module($self, name, doc=None)">,
    .tp_new = module_new,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject PyModuleDef_Type = {
    .ob_base = type_head(),
    .tp_name = "moduledef",
    .tp_basicsize = sizeof(PyModuleDef),
};

#undef PyModule_Create2
#undef PyModule_FromDefAndSpec2

static Py_ssize_t next_module_index = 0;

extern "C" {

// ---------------------------------------------------------------------------------------------------------------
// Creation

PyObject* PyModuleDef_Init(PyModuleDef* definition) {
  if (definition->m_base.m_index == 0) {
    Py_SET_REFCNT(as_object(definition), 1);
    Py_SET_TYPE(as_object(definition), &PyModuleDef_Type);
    definition->m_base.m_index = ++next_module_index;
  }
  return as_object(definition);
}

PyObject* PyModule_NewObject(PyObject* name) {
  PyObject* module = new_module_without_track(&PyModule_Type, nullptr, nullptr);
  if (module == nullptr) return nullptr;
  PyObject_GC_Track(module);
  if (failed(init_dict(module, as_module(module)->md_dict, name, nullptr))) {
    Py_DECREF(module);
    return nullptr;
  }
  return module;
}

PyObject* PyModule_New(const char* name) {
  auto text = Ref<>::steal(PyUnicode_FromString(name));
  return text ? PyModule_NewObject(text.get()) : nullptr;
}

PyObject* _PyModule_CreateInitialized(PyModuleDef* definition, int api_version) {
  if (PyModuleDef_Init(definition) == nullptr) return nullptr;
  const char* name = definition->m_name;
  if (!check_api_version(name, api_version)) return nullptr;
  if (definition->m_slots != nullptr) {
    PyErr_Format(PyExc_SystemError, "module %s: PyModule_Create is incompatible with m_slots", name);
    return nullptr;
  }
  name = package_context_name(name);
  auto module = Ref<>::steal(PyModule_New(name));
  if (!module) return nullptr;
  if (definition->m_size > 0) {
    as_module(module.get())->md_state = PyMem_Calloc(1, static_cast<size_t>(definition->m_size));
    if (as_module(module.get())->md_state == nullptr) return PyErr_NoMemory();
  }
  if (definition->m_methods != nullptr && PyModule_AddFunctions(module.get(), definition->m_methods) != 0) {
    return nullptr;
  }
  if (definition->m_doc != nullptr && PyModule_SetDocString(module.get(), definition->m_doc) != 0) return nullptr;
  as_module(module.get())->md_def = definition;
  return module.release();
}

PyAPI_FUNC(PyObject*) PyModule_Create2(PyModuleDef* definition, int api_version);
PyObject* PyModule_Create2(PyModuleDef* definition, int api_version) {
  if (!_PyImport_IsInitialized(_PyInterpreterState_GET())) {
    PyErr_SetString(PyExc_SystemError, "Python import machinery not initialized");
    return nullptr;
  }
  return _PyModule_CreateInitialized(definition, api_version);
}

PyAPI_FUNC(PyObject*) PyModule_FromDefAndSpec2(PyModuleDef* definition, PyObject* spec, int api_version);
PyObject* PyModule_FromDefAndSpec2(PyModuleDef* definition, PyObject* spec, int api_version) {
  PyModuleDef_Init(definition);
  auto name_object = Ref<>::steal(PyObject_GetAttrString(spec, "name"));
  if (!name_object) return nullptr;
  const char* name = PyUnicode_AsUTF8(name_object.get());
  if (name == nullptr || !check_api_version(name, api_version)) return nullptr;
  if (definition->m_size < 0) {
    PyErr_Format(PyExc_SystemError, "module %s: m_size may not be negative for multi-phase initialization", name);
    return nullptr;
  }
  PyObject* (*create)(PyObject*, PyModuleDef*) = nullptr;
  bool has_execution = false;
  for (PyModuleDef_Slot* slot = definition->m_slots; slot != nullptr && slot->slot != 0; slot++) {
    if (slot->slot == Py_mod_create) {
      if (create != nullptr) {
        PyErr_Format(PyExc_SystemError, "module %s has multiple create slots", name);
        return nullptr;
      }
      create = reinterpret_cast<PyObject* (*)(PyObject*, PyModuleDef*)>(slot->value);
    } else if (slot->slot < 0 || slot->slot > _Py_mod_LAST_SLOT) {
      PyErr_Format(PyExc_SystemError, "module %s uses unknown slot ID %i", name, slot->slot);
      return nullptr;
    } else {
      has_execution = true;
    }
  }
  Ref<> module;
  if (create != nullptr) {
    module = Ref<>::steal(create(spec, definition));
    if (!module) {
      if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_SystemError, "creation of module %s failed without setting an exception", name);
      }
      return nullptr;
    }
    if (PyErr_Occurred()) {
      PyErr_Format(PyExc_SystemError, "creation of module %s raised unreported exception", name);
      return nullptr;
    }
  } else {
    module = Ref<>::steal(PyModule_NewObject(name_object.get()));
    if (!module) return nullptr;
  }
  if (PyModule_Check(module.get())) {
    as_module(module.get())->md_state = nullptr;
    as_module(module.get())->md_def = definition;
  } else {
    if (definition->m_size > 0 || definition->m_traverse || definition->m_clear || definition->m_free) {
      PyErr_Format(PyExc_SystemError, "module %s is not a module object, but requests module state", name);
      return nullptr;
    }
    if (has_execution) {
      PyErr_Format(PyExc_SystemError,
                   "module %s specifies execution slots, but did not create a ModuleType instance", name);
      return nullptr;
    }
  }
  if (definition->m_methods != nullptr && add_functions(module.get(), name_object.get(), definition->m_methods) != 0) {
    return nullptr;
  }
  if (definition->m_doc != nullptr && PyModule_SetDocString(module.get(), definition->m_doc) != 0) return nullptr;
  return module.release();
}

int PyModule_ExecDef(PyObject* module, PyModuleDef* definition) {
  const char* name = PyModule_GetName(module);
  if (name == nullptr) return -1;
  PyModuleObject* object = as_module(module);
  if (definition->m_size >= 0 && object->md_state == nullptr) {
    // Even a size of 0 gets an address: that it is there marks the module as initialised.
    object->md_state = PyMem_Calloc(1, static_cast<size_t>(definition->m_size));
    if (object->md_state == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
  }
  for (PyModuleDef_Slot* slot = definition->m_slots; slot != nullptr && slot->slot != 0; slot++) {
    if (slot->slot == Py_mod_create) continue;
    if (slot->slot != Py_mod_exec) {
      PyErr_Format(PyExc_SystemError, "module %s initialized with unknown slot %i", name, slot->slot);
      return -1;
    }
    int status = reinterpret_cast<int (*)(PyObject*)>(slot->value)(module);
    if (status != 0) {
      if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_SystemError, "execution of module %s failed without setting an exception", name);
      }
      return -1;
    }
    if (PyErr_Occurred()) {
      PyErr_Format(PyExc_SystemError, "execution of module %s raised unreported exception", name);
      return -1;
    }
  }
  return 0;
}

int PyModule_AddFunctions(PyObject* module, PyMethodDef* functions) {
  auto name = Ref<>::steal(PyModule_GetNameObject(module));
  return name ? add_functions(module, name.get(), functions) : -1;
}

int PyModule_SetDocString(PyObject* module, const char* doc) {
  auto text = Ref<>::steal(PyUnicode_FromString(doc));
  return text && PyObject_SetAttr(module, &_Py_ID(__doc__), text.get()) == 0 ? 0 : -1;
}

// ---------------------------------------------------------------------------------------------------------------
// Access

PyObject* PyModule_GetDict(PyObject* module) {
  if (!PyModule_Check(module)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  return as_module(module)->md_dict;
}

PyObject* PyModule_GetNameObject(PyObject* module) {
  return string_entry(module, &_Py_ID(__name__), "nameless module");
}
PyObject* PyModule_GetFilenameObject(PyObject* module) {
  return string_entry(module, &_Py_ID(__file__), "module filename missing");
}

const char* PyModule_GetName(PyObject* module) {
  PyObject* name = PyModule_GetNameObject(module);
  if (name == nullptr) return nullptr;
  Py_DECREF(name);  // the module's dict keeps it
  return PyUnicode_AsUTF8(name);
}
const char* PyModule_GetFilename(PyObject* module) {
  PyObject* name = PyModule_GetFilenameObject(module);
  if (name == nullptr) return nullptr;
  const char* text = PyUnicode_AsUTF8(name);
  Py_DECREF(name);
  return text;
}

PyModuleDef* PyModule_GetDef(PyObject* module) {
  if (!PyModule_Check(module)) {
    PyErr_BadArgument();
    return nullptr;
  }
  return _PyModule_GetDef(module);
}
void* PyModule_GetState(PyObject* module) {
  if (!PyModule_Check(module)) {
    PyErr_BadArgument();
    return nullptr;
  }
  return _PyModule_GetState(module);
}

int _PyModuleSpec_IsInitializing(PyObject* spec) {
  if (spec == nullptr) return 0;
  PyObject* value;
  if (_PyObject_LookupAttr(spec, &_Py_ID(_initializing), &value) < 0) PyErr_Clear();
  if (value == nullptr) return 0;
  int truth = PyObject_IsTrue(value);
  Py_DECREF(value);
  if (truth < 0) PyErr_Clear();
  return truth > 0;
}

// ---------------------------------------------------------------------------------------------------------------
// Shutdown: private names (one underscore) go first, then the rest; __builtins__ stays for finalisers

void _PyModule_ClearDict(PyObject* dict) {
  int verbose = _Py_GetConfig()->verbose;
  for (int round = 1; round <= 2; round++) {
    Py_ssize_t position = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &position, &key, &value)) {
      if (value == Py_None || !PyUnicode_Check(key)) continue;
      Py_ssize_t length = PyUnicode_GET_LENGTH(key);
      Py_UCS4 first = length > 0 ? PyUnicode_READ_CHAR(key, 0) : 0;
      bool is_private = first == '_' && (length < 2 || PyUnicode_READ_CHAR(key, 1) != '_');
      if (round == 1 ? !is_private : (first == '_' && _PyUnicode_Equal(key, &_Py_ID(__builtins__)))) continue;
      if (verbose > 1) {
        const char* text = PyUnicode_AsUTF8(key);
        if (text != nullptr) {
          PySys_WriteStderr("#   clear[%d] %s\n", round, text);
        } else {
          PyErr_Clear();
        }
      }
      if (PyDict_SetItem(dict, key, Py_None) != 0) PyErr_WriteUnraisable(nullptr);
    }
  }
}

void _PyModule_Clear(PyObject* module) {
  PyObject* dict = as_module(module)->md_dict;
  if (dict != nullptr) _PyModule_ClearDict(dict);
}

}  // extern "C"
