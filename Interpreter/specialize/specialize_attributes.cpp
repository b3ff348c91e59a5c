// Specialising LOAD_ATTR, STORE_ATTR, LOAD_METHOD and LOAD_GLOBAL.
//
// The lookup that fills a cache is the one that the generic instruction does: the class first (_PyType_Lookup), then the
// instance. What was found, and what keeps it true (the class's version, the version of the keys of a dict), is written down.
#include "Interpreter/specialize/specialize.h"
#include "Objects/core/type.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"

namespace pyston {

PyObject* cached_values[1 << 16];
uint32_t cached_keys_versions[1 << 16];

uint16_t cache_value(PyObject* value) {
  static unsigned next = 1;
  if (next > UINT16_MAX) return 0;
  cached_values[next] = value;
  return static_cast<uint16_t>(next++);
}

namespace {

/// Attribute reads of the type's instances find what the generic algorithm finds; a __getattr__ only sees misses.
bool reads_generically(PyTypeObject* type) {
  if (type->tp_getattro == PyObject_GenericGetAttr) return true;
  if (type->tp_getattro != slot_tp_getattr_hook) return false;
  PyObject* getattribute = _PyType_Lookup(type, &_Py_ID(__getattribute__));
  return getattribute == _PyType_Lookup(&PyBaseObject_Type, &_Py_ID(__getattribute__));
}

/// The version tag, 0 when the type has none.
uint32_t version_of(PyTypeObject* type) {
  return PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG) ? type->tp_version_tag : 0;
}

bool is_data_descriptor(PyObject* descriptor) { return Py_TYPE(descriptor)->tp_descr_set != nullptr; }

/// The entry of a module's dict with str keys, -1 when it has none of the name.
Py_ssize_t module_entry(PyObject* module, PyObject* name, uint32_t* version) {
  PyObject* dict = reinterpret_cast<PyModuleObject*>(module)->md_dict;
  if (dict == nullptr) return -1;
  PyObject* on_type = _PyType_Lookup(Py_TYPE(module), name);
  if (on_type != nullptr && is_data_descriptor(on_type)) return -1;
  PyDictKeysObject* keys = reinterpret_cast<PyDictObject*>(dict)->ma_keys;
  if (!DK_IS_UNICODE(keys) || reinterpret_cast<PyDictObject*>(dict)->ma_values != nullptr) return -1;
  Py_ssize_t index = _PyDictKeys_StringLookup(keys, name);
  if (index < 0 || index > INT16_MAX) return -1;
  *version = _PyDictKeys_GetVersionForCurrentState(keys);
  return *version != 0 ? index : -1;
}

/// Offset of a __slots__ member (or the like) that can be read and written directly; 0: it is none.
Py_ssize_t member_offset(PyTypeObject* type, PyObject* descriptor) {
  if (!Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) return 0;
  auto* member = reinterpret_cast<PyMemberDescrObject*>(descriptor);
  PyMemberDef* definition = member->d_member;
  if (definition->type != T_OBJECT_EX || (definition->flags & (PY_AUDIT_READ | READONLY))) return 0;
  if (!PyType_IsSubtype(type, PyDescr_TYPE(descriptor))) return 0;
  return definition->offset > 0 && definition->offset <= UINT16_MAX ? definition->offset : 0;
}

struct AttrPlan {
  int form = 0;
  uint32_t version = 0;
  Py_ssize_t index = 0;
};

/// Where the instance itself keeps `name`: inline value or dict entry. The class has no data descriptor for it.
bool plan_instance_value(PyObject* owner, PyObject* name, int inline_form, int dict_form, AttrPlan* plan) {
  PyTypeObject* type = Py_TYPE(owner);
  if (!PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) return false;
  PyObject* dict = *_PyObject_ManagedDictPointer(owner);
  if (dict == nullptr) {
    if (*_PyObject_ValuesPointer(owner) == nullptr) return false;
    PyDictKeysObject* keys = reinterpret_cast<PyHeapTypeObject*>(type)->ht_cached_keys;
    plan->index = _PyDictKeys_StringLookup(keys, name);
    if (plan->index < 0 || plan->index >= SHARED_KEYS_MAX_SIZE) return false;
    plan->form = inline_form;
    return true;
  }
  if (!PyDict_CheckExact(dict)) return false;
  auto* keys = reinterpret_cast<PyDictObject*>(dict)->ma_keys;
  if (!DK_IS_UNICODE(keys) || reinterpret_cast<PyDictObject*>(dict)->ma_values != nullptr) return false;
  plan->index = _PyDictKeys_StringLookup(keys, name);
  if (plan->index < 0 || plan->index > UINT16_MAX) return false;
  plan->form = dict_form;
  return true;
}

/// A plain value (or function) on the class `owner`, whose metaclass is `type`.
bool plan_class_value(PyTypeObject* owner, PyObject* name, AttrPlan* plan) {
  if (!Py_IS_TYPE(owner, &PyType_Type) || _PyType_Lookup(&PyType_Type, name) != nullptr) return false;
  PyObject* value = _PyType_Lookup(owner, name);
  if (value == nullptr) return false;
  if (Py_TYPE(value)->tp_descr_get != nullptr && !PyFunction_Check(value)) return false;
  plan->version = version_of(owner);
  if (plan->version == 0) return false;
  plan->index = cache_value(value);
  plan->form = OP_LOAD_ATTR_CLASS;
  return plan->index != 0;
}

/// A value on the instance's class that nothing on the instance hides.
bool plan_type_value(PyObject* owner, PyObject* name, PyObject* value, AttrPlan* plan) {
  PyTypeObject* type = Py_TYPE(owner);
  if (Py_TYPE(value)->tp_descr_get != nullptr) return false;
  uint32_t keys_version = 0;
  if (type->tp_dictoffset == 0 && !PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
    plan->form = OP_LOAD_ATTR_TYPE_VALUE_NO_DICT;
  } else {
    if (!PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT) || *_PyObject_ManagedDictPointer(owner) != nullptr) {
      return false;
    }
    PyDictKeysObject* keys = reinterpret_cast<PyHeapTypeObject*>(type)->ht_cached_keys;
    if (_PyDictKeys_StringLookup(keys, name) != DKIX_EMPTY) return false;
    keys_version = _PyDictKeys_GetVersionForCurrentState(keys);
    if (keys_version == 0) return false;
    plan->form = OP_LOAD_ATTR_TYPE_VALUE;
  }
  plan->index = cache_value(value);
  cached_keys_versions[plan->index] = keys_version;
  return plan->index != 0;
}

/// A property with a plain Python getter. Not with a __getattr__: an AttributeError that leaves the getter's frame has to reach it.
bool plan_property(PyTypeObject* type, PyObject* descriptor, AttrPlan* plan) {
  if (!Py_IS_TYPE(descriptor, &PyProperty_Type) || type->tp_getattro != PyObject_GenericGetAttr) return false;
  PyObject* getter = *reinterpret_cast<PyObject**>(descriptor + 1);
  if (getter == nullptr || !PyFunction_Check(getter)) return false;
  auto* code = reinterpret_cast<PyCodeObject*>(reinterpret_cast<PyFunctionObject*>(getter)->func_code);
  if (!(code->co_flags & CO_OPTIMIZED)) return false;
  plan->index = cache_value(descriptor);
  plan->form = OP_LOAD_ATTR_PROPERTY;
  return plan->index != 0;
}

bool plan_load_attr(PyObject* owner, PyObject* name, AttrPlan* plan) {
  if (PyModule_CheckExact(owner)) {
    plan->index = module_entry(owner, name, &plan->version);
    plan->form = OP_LOAD_ATTR_MODULE;
    return plan->index >= 0;
  }
  if (PyType_Check(owner)) return plan_class_value(reinterpret_cast<PyTypeObject*>(owner), name, plan);
  PyTypeObject* type = Py_TYPE(owner);
  if (!reads_generically(type)) return false;
  PyObject* descriptor = _PyType_Lookup(type, name);
  plan->version = version_of(type);
  if (plan->version == 0) return false;
  if (descriptor != nullptr && is_data_descriptor(descriptor)) {
    plan->index = member_offset(type, descriptor);
    // __class__ is the type field of every object.
    if (descriptor == _PyType_Lookup(&PyBaseObject_Type, &_Py_ID(__class__))) plan->index = offsetof(PyObject, ob_type);
    plan->form = OP_LOAD_ATTR_SLOT;
    return plan->index != 0 || plan_property(type, descriptor, plan);
  }
  if (plan_instance_value(owner, name, OP_LOAD_ATTR_INSTANCE_VALUE, OP_LOAD_ATTR_WITH_HINT, plan)) return true;
  return descriptor != nullptr && plan_type_value(owner, name, descriptor, plan);
}

bool plan_store_attr(PyObject* owner, PyObject* name, AttrPlan* plan) {
  PyTypeObject* type = Py_TYPE(owner);
  if (type->tp_setattro != PyObject_GenericSetAttr || PyType_Check(owner) || PyModule_CheckExact(owner)) return false;
  PyObject* descriptor = _PyType_Lookup(type, name);
  plan->version = version_of(type);
  if (plan->version == 0) return false;
  if (descriptor != nullptr && is_data_descriptor(descriptor)) {
    plan->index = member_offset(type, descriptor);
    plan->form = OP_STORE_ATTR_SLOT;
    return plan->index != 0;
  }
  return plan_instance_value(owner, name, OP_STORE_ATTR_INSTANCE_VALUE, OP_STORE_ATTR_WITH_HINT, plan);
}

void apply(_Py_CODEUNIT* instruction, const AttrPlan& plan) {
  auto* cache = reinterpret_cast<_PyAttrCache*>(instruction + 1);
  write_u32(cache->version, plan.version);
  cache->index = static_cast<uint16_t>(plan.index);
  specialized(instruction, plan.form);
}

/// The form for a method found on the class; 0: something on the instance may hide it.
int form_for_method(PyObject* owner, PyObject* name, _PyLoadMethodCache* cache) {
  PyTypeObject* type = Py_TYPE(owner);
  if (PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
    PyObject* dict = *_PyObject_ManagedDictPointer(owner);
    if (dict == nullptr) {
      PyDictKeysObject* keys = reinterpret_cast<PyHeapTypeObject*>(type)->ht_cached_keys;
      if (_PyDictKeys_StringLookup(keys, name) != DKIX_EMPTY) return 0;
      uint32_t version = _PyDictKeys_GetVersionForCurrentState(keys);
      if (version == 0) return 0;
      write_u32(cache->keys_version, version);
      return OP_LOAD_METHOD_WITH_VALUES;
    }
    cache->dict_offset = static_cast<uint16_t>(MANAGED_DICT_OFFSET);
  } else if (type->tp_dictoffset == 0) {
    return OP_LOAD_METHOD_NO_DICT;
  } else {
    if (type->tp_dictoffset < 0 || type->tp_dictoffset > INT16_MAX) return 0;
    cache->dict_offset = static_cast<uint16_t>(type->tp_dictoffset);
  }
  auto* dict = *reinterpret_cast<PyDictObject**>(reinterpret_cast<char*>(owner) +
                                                  static_cast<int16_t>(cache->dict_offset));
  if (dict == nullptr) return OP_LOAD_METHOD_LAZY_DICT;
  if (!PyDict_CheckExact(dict) || !DK_IS_UNICODE(dict->ma_keys)) return 0;
  if (_PyDictKeys_StringLookup(dict->ma_keys, name) != DKIX_EMPTY) return 0;
  uint32_t version = _PyDictKeys_GetVersionForCurrentState(dict->ma_keys);
  if (version == 0) return 0;
  write_u32(cache->keys_version, version);
  return OP_LOAD_METHOD_WITH_DICT;
}

int plan_load_method(PyObject* owner, PyObject* name, _PyLoadMethodCache* cache) {
  if (PyModule_CheckExact(owner)) {
    uint32_t version;
    Py_ssize_t index = module_entry(owner, name, &version);
    if (index < 0) return 0;
    write_u32(cache->keys_version, version);
    cache->dict_offset = static_cast<uint16_t>(index);
    return OP_LOAD_METHOD_MODULE;
  }
  if (PyType_Check(owner)) {
    auto* type = reinterpret_cast<PyTypeObject*>(owner);
    if (!Py_IS_TYPE(owner, &PyType_Type) || _PyType_Lookup(&PyType_Type, name) != nullptr) return 0;
    PyObject* value = _PyType_Lookup(type, name);
    if (value == nullptr || version_of(type) == 0) return 0;
    if (Py_TYPE(value)->tp_descr_get != nullptr && !PyFunction_Check(value)) return 0;
    write_u32(cache->type_version, version_of(type));
    write_obj(cache->descr, value);
    return OP_LOAD_METHOD_CLASS;
  }
  PyTypeObject* type = Py_TYPE(owner);
  if (!reads_generically(type)) return 0;
  PyObject* descriptor = _PyType_Lookup(type, name);
  uint32_t version = version_of(type);
  if (version == 0) return 0;
  write_u32(cache->type_version, version);
  if (descriptor == nullptr) {
    // A callable kept on the instance.
    AttrPlan plan;
    if (!plan_instance_value(owner, name, OP_LOAD_METHOD_INSTANCE_VALUE, 0, &plan) || plan.form == 0) return 0;
    cache->dict_offset = static_cast<uint16_t>(plan.index);
    return plan.form;
  }
  if (!PyType_HasFeature(Py_TYPE(descriptor), Py_TPFLAGS_METHOD_DESCRIPTOR)) return 0;
  write_obj(cache->descr, descriptor);
  return form_for_method(owner, name, cache);
}

}  // namespace

void specialize_load_attr(_Py_CODEUNIT* instruction, PyObject* owner, PyObject* name) {
  AttrPlan plan;
  if (!plan_load_attr(owner, name, &plan)) return not_specialized(instruction);
  apply(instruction, plan);
}

void specialize_store_attr(_Py_CODEUNIT* instruction, PyObject* owner, PyObject* name) {
  AttrPlan plan;
  if (!plan_store_attr(owner, name, &plan)) return not_specialized(instruction);
  apply(instruction, plan);
}

void specialize_load_method(_Py_CODEUNIT* instruction, PyObject* owner, PyObject* name) {
  int form = plan_load_method(owner, name, reinterpret_cast<_PyLoadMethodCache*>(instruction + 1));
  if (form == 0) return not_specialized(instruction);
  specialized(instruction, form);
}

void specialize_load_global(_Py_CODEUNIT* instruction, PyObject* globals, PyObject* builtins, PyObject* name) {
  auto* cache = reinterpret_cast<_PyLoadGlobalCache*>(instruction + 1);
  if (!PyDict_CheckExact(globals) || !PyDict_CheckExact(builtins)) return not_specialized(instruction);
  PyDictKeysObject* global_keys = reinterpret_cast<PyDictObject*>(globals)->ma_keys;
  PyDictKeysObject* builtin_keys = reinterpret_cast<PyDictObject*>(builtins)->ma_keys;
  if (!DK_IS_UNICODE(global_keys) || reinterpret_cast<PyDictObject*>(globals)->ma_values != nullptr) {
    return not_specialized(instruction);
  }
  Py_ssize_t index = _PyDictKeys_StringLookup(global_keys, name);
  uint32_t global_version = _PyDictKeys_GetVersionForCurrentState(global_keys);
  if (index == DKIX_ERROR || index > UINT16_MAX || global_version == 0) return not_specialized(instruction);
  if (index >= 0) {
    cache->index = static_cast<uint16_t>(index);
    write_u32(cache->module_keys_version, global_version);
    return specialized(instruction, OP_LOAD_GLOBAL_MODULE);
  }
  if (!DK_IS_UNICODE(builtin_keys) || reinterpret_cast<PyDictObject*>(builtins)->ma_values != nullptr) {
    return not_specialized(instruction);
  }
  index = _PyDictKeys_StringLookup(builtin_keys, name);
  uint32_t builtin_version = _PyDictKeys_GetVersionForCurrentState(builtin_keys);
  if (index < 0 || index > UINT16_MAX || builtin_version == 0 || builtin_version > UINT16_MAX) {
    return not_specialized(instruction);
  }
  cache->index = static_cast<uint16_t>(index);
  write_u32(cache->module_keys_version, global_version);
  cache->builtin_keys_version = static_cast<uint16_t>(builtin_version);
  specialized(instruction, OP_LOAD_GLOBAL_BUILTIN);
}

}  // namespace pyston
