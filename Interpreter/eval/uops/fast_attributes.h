// Micro-ops of specialised attributes, methods and globals.
//
// Types are checked by version tag (0 is never current), dict layouts by the version of their keys. Both are CPython's own.
#pragma once

#include "Interpreter/eval/state.h"
#include "Interpreter/eval/uops/calls.h"
#include "Interpreter/eval/uops/fast_numbers.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_object.h"

namespace pyston {

UOP(adapt_load_attr) {
  return adapt(s, [&] { specialize_load_attr(s.next_instr - 1, s.peek(1), s.name(s.oparg)); });
}
UOP(adapt_store_attr) {
  return adapt(s, [&] { specialize_store_attr(s.next_instr - 1, s.peek(1), s.name(s.oparg)); });
}
UOP(adapt_load_method) {
  return adapt(s, [&] { specialize_load_method(s.next_instr - 1, s.peek(1), s.name(s.oparg)); });
}
UOP(adapt_load_global) {
  return adapt(s, [&] {
    specialize_load_global(s.next_instr - 1, s.frame->f_globals, s.frame->f_builtins, s.name(s.oparg >> 1));
  });
}

// --- guards -------------------------------------------------------------------------------------------------------

/// LOAD_ATTR, STORE_ATTR: the owner on top has the class of the cache.
UOP(guard_owner_type) {
  return LIKELY(Py_TYPE(s.peek(1))->tp_version_tag == read_u32(s.cache<_PyAttrCache>()->version)) ? kNext : kDeopt;
}
/// LOAD_METHOD: the same with its own cache layout.
UOP(guard_method_type) {
  return LIKELY(Py_TYPE(s.peek(1))->tp_version_tag == read_u32(s.cache<_PyLoadMethodCache>()->type_version)) ? kNext
                                                                                                             : kDeopt;
}
/// The owner's attributes are inline values: nobody has asked for its __dict__.
UOP(guard_no_dict) { return LIKELY(*_PyObject_ManagedDictPointer(s.peek(1)) == nullptr) ? kNext : kDeopt; }

ALWAYS_INLINE Outcome replace_owner(State& s, PyObject* value) {
  PyObject* owner = std::exchange(s.peek(1), value);
  Py_DECREF(owner);
  return kNext;
}

// --- LOAD_ATTR ----------------------------------------------------------------------------------------------------

UOP(load_inline_value) {
  PyObject* owner = s.peek(1);
  PyDictValues* values = *_PyObject_ValuesPointer(owner);
  if (UNLIKELY(values == nullptr)) return kDeopt;
  PyObject* value = values->values[s.cache<_PyAttrCache>()->index];
  if (UNLIKELY(value == nullptr)) return kDeopt;
  return replace_owner(s, Py_NewRef(value));
}

/// Entry `index` of a dict with str keys, if it is `name`'s; else null. Borrowed.
ALWAYS_INLINE PyObject** dict_entry_slot(PyDictObject* dict, size_t index, PyObject* name) {
  PyDictKeysObject* keys = dict->ma_keys;
  if (UNLIKELY(index >= static_cast<size_t>(keys->dk_nentries) || !DK_IS_UNICODE(keys) || dict->ma_values != nullptr)) {
    return nullptr;
  }
  PyDictUnicodeEntry* entry = DK_UNICODE_ENTRIES(keys) + index;
  return entry->me_key == name ? &entry->me_value : nullptr;
}

/// A value in the instance's dict, at the place where it was last time.
UOP(load_dict_hint) {
  PyObject* owner = s.peek(1);
  auto* dict = reinterpret_cast<PyDictObject*>(*_PyObject_ManagedDictPointer(owner));
  if (UNLIKELY(dict == nullptr)) return kDeopt;
  PyObject** slot = dict_entry_slot(dict, s.cache<_PyAttrCache>()->index, s.name(s.oparg));
  if (UNLIKELY(slot == nullptr || *slot == nullptr)) return kDeopt;
  return replace_owner(s, Py_NewRef(*slot));
}

UOP(load_slot) {
  PyObject* owner = s.peek(1);
  PyObject* value = *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(owner) + s.cache<_PyAttrCache>()->index);
  if (UNLIKELY(value == nullptr)) return kDeopt;
  return replace_owner(s, Py_NewRef(value));
}

/// The owner is a module whose dict has the keys of the cache.
UOP(load_module_value) {
  PyObject* owner = s.peek(1);
  if (UNLIKELY(!PyModule_CheckExact(owner))) return kDeopt;
  auto* cache = s.cache<_PyAttrCache>();
  auto* dict = reinterpret_cast<PyDictObject*>(reinterpret_cast<PyModuleObject*>(owner)->md_dict);
  if (UNLIKELY(dict->ma_keys->dk_version != read_u32(cache->version))) return kDeopt;
  PyObject* value = DK_UNICODE_ENTRIES(dict->ma_keys)[cache->index].me_value;
  if (UNLIKELY(value == nullptr)) return kDeopt;
  return replace_owner(s, Py_NewRef(value));
}

/// The owner is a class with the version of the cache; the value is one found on it.
UOP(load_class_value) {
  PyObject* owner = s.peek(1);
  auto* cache = s.cache<_PyAttrCache>();
  if (UNLIKELY(!PyType_Check(owner) ||
               reinterpret_cast<PyTypeObject*>(owner)->tp_version_tag != read_u32(cache->version))) {
    return kDeopt;
  }
  return replace_owner(s, Py_NewRef(cached_values[cache->index]));
}

/// The owner's attributes are inline values under the shared keys of the cache, none of which hides the class's value.
UOP(guard_unshadowed) {
  PyObject* owner = s.peek(1);
  auto* type = reinterpret_cast<PyHeapTypeObject*>(Py_TYPE(owner));
  return LIKELY(*_PyObject_ManagedDictPointer(owner) == nullptr &&
                type->ht_cached_keys->dk_version == cached_keys_versions[s.cache<_PyAttrCache>()->index])
             ? kNext
             : kDeopt;
}

/// A plain value on the class of the owner, which cannot have an attribute of that name itself.
UOP(load_type_value) { return replace_owner(s, Py_NewRef(cached_values[s.cache<_PyAttrCache>()->index])); }

/// A property whose getter is a Python function: runs it as a pushed frame.
UOP(load_property) {
  // The getter is the first field of a property; __init__ can set it anew.
  PyObject* callable = *reinterpret_cast<PyObject**>(cached_values[s.cache<_PyAttrCache>()->index] + 1);
  if (UNLIKELY(callable == nullptr || !is_plain_python_function(s.tstate, callable))) return kDeopt;
  auto* getter = reinterpret_cast<PyFunctionObject*>(callable);
  Py_INCREF(as_object(getter));
  PyObject** args = s.stack_pointer - 1;
  _PyInterpreterFrame* callee = push_function_frame(s.tstate, getter, nullptr, args, 1, nullptr);
  s.stack_pointer = args;
  if (UNLIKELY(callee == nullptr)) return kError;
  s.next_instr += kCacheUnits<_PyAttrCache>;
  return enter_frame(s, callee);
}

// --- STORE_ATTR ---------------------------------------------------------------------------------------------------

ALWAYS_INLINE Outcome finish_store(State& s, PyObject* old) {
  PyObject* owner = s.peek(1);
  s.shrink(2);
  Py_XDECREF(old);
  Py_DECREF(owner);
  return kNext;
}

UOP(store_inline_value) {
  PyDictValues* values = *_PyObject_ValuesPointer(s.peek(1));
  if (UNLIKELY(values == nullptr)) return kDeopt;
  Py_ssize_t index = s.cache<_PyAttrCache>()->index;
  PyObject* old = std::exchange(values->values[index], s.peek(2));
  if (old == nullptr) _PyDictValues_AddToInsertionOrder(values, index);
  return finish_store(s, old);
}

UOP(store_dict_hint) {
  auto* dict = reinterpret_cast<PyDictObject*>(*_PyObject_ManagedDictPointer(s.peek(1)));
  if (UNLIKELY(dict == nullptr)) return kDeopt;
  PyObject** slot = dict_entry_slot(dict, s.cache<_PyAttrCache>()->index, s.name(s.oparg));
  if (UNLIKELY(slot == nullptr || *slot == nullptr)) return kDeopt;
  PyObject* value = s.peek(2);
  PyObject* old = std::exchange(*slot, value);
  if (!_PyObject_GC_IS_TRACKED(as_object(dict)) && _PyObject_GC_MAY_BE_TRACKED(value)) {
    _PyObject_GC_TRACK(as_object(dict));
  }
  dict->ma_version_tag = DICT_NEXT_VERSION();
  return finish_store(s, old);
}

UOP(store_slot) {
  auto* slot = reinterpret_cast<PyObject**>(reinterpret_cast<char*>(s.peek(1)) + s.cache<_PyAttrCache>()->index);
  return finish_store(s, std::exchange(*slot, s.peek(2)));
}

// --- LOAD_METHOD --------------------------------------------------------------------------------------------------

/// Puts the cached method under the owner.
UOP(push_cached_method) {
  PyObject* method = read_obj(s.cache<_PyLoadMethodCache>()->descr);
  PyObject* self = s.peek(1);
  s.peek(1) = Py_NewRef(method);
  s.push(self);
  return kNext;
}

/// No instance made so far shadows the method: the class's shared keys are as they were.
UOP(guard_shared_keys) {
  PyObject* owner = s.peek(1);
  auto* type = reinterpret_cast<PyHeapTypeObject*>(Py_TYPE(owner));
  return LIKELY(*_PyObject_ManagedDictPointer(owner) == nullptr &&
                type->ht_cached_keys->dk_version == read_u32(s.cache<_PyLoadMethodCache>()->keys_version))
             ? kNext
             : kDeopt;
}

/// The instance has a dict; its keys are as they were, so it does not shadow the method.
UOP(guard_dict_keys) {
  PyObject* owner = s.peek(1);
  auto* cache = s.cache<_PyLoadMethodCache>();
  auto* dict = *reinterpret_cast<PyDictObject**>(reinterpret_cast<char*>(owner) + static_cast<int16_t>(cache->dict_offset));
  return LIKELY(dict != nullptr && dict->ma_keys->dk_version == read_u32(cache->keys_version)) ? kNext : kDeopt;
}

/// A callable kept in the instance's inline values: leaves (null, callable).
UOP(load_inline_callable) {
  PyObject* owner = s.peek(1);
  PyDictValues* values = *_PyObject_ValuesPointer(owner);
  if (UNLIKELY(values == nullptr)) return kDeopt;
  PyObject* value = values->values[s.cache<_PyLoadMethodCache>()->dict_offset];
  if (UNLIKELY(value == nullptr)) return kDeopt;
  s.peek(1) = nullptr;
  s.push(Py_NewRef(value));
  Py_DECREF(owner);
  return kNext;
}

/// An instance that could have a dict has none.
UOP(guard_lazy_dict) {
  PyObject* owner = s.peek(1);
  auto* cache = s.cache<_PyLoadMethodCache>();
  auto* dict = *reinterpret_cast<PyDictObject**>(reinterpret_cast<char*>(owner) + static_cast<int16_t>(cache->dict_offset));
  return LIKELY(dict == nullptr) ? kNext : kDeopt;
}

/// module.function(...): leaves (null, function).
UOP(load_module_function) {
  PyObject* owner = s.peek(1);
  if (UNLIKELY(!PyModule_CheckExact(owner))) return kDeopt;
  auto* cache = s.cache<_PyLoadMethodCache>();
  auto* dict = reinterpret_cast<PyDictObject*>(reinterpret_cast<PyModuleObject*>(owner)->md_dict);
  if (UNLIKELY(dict->ma_keys->dk_version != read_u32(cache->keys_version))) return kDeopt;
  PyObject* value = DK_UNICODE_ENTRIES(dict->ma_keys)[cache->dict_offset].me_value;
  if (UNLIKELY(value == nullptr)) return kDeopt;
  s.peek(1) = nullptr;
  s.push(Py_NewRef(value));
  Py_DECREF(owner);
  return kNext;
}

/// Class.method(...): leaves (null, attribute of the class).
UOP(load_class_function) {
  PyObject* owner = s.peek(1);
  auto* cache = s.cache<_PyLoadMethodCache>();
  if (UNLIKELY(!PyType_Check(owner) ||
               reinterpret_cast<PyTypeObject*>(owner)->tp_version_tag != read_u32(cache->type_version))) {
    return kDeopt;
  }
  s.peek(1) = nullptr;
  s.push(Py_NewRef(read_obj(cache->descr)));
  Py_DECREF(owner);
  return kNext;
}

// --- LOAD_GLOBAL --------------------------------------------------------------------------------------------------

UOP(guard_globals_keys) {
  auto* globals = reinterpret_cast<PyDictObject*>(s.frame->f_globals);
  return LIKELY(PyDict_CheckExact(globals) &&
                globals->ma_keys->dk_version == read_u32(s.cache<_PyLoadGlobalCache>()->module_keys_version))
             ? kNext
             : kDeopt;
}
UOP(guard_builtins_keys) {
  auto* builtins = reinterpret_cast<PyDictObject*>(s.frame->f_builtins);
  return LIKELY(PyDict_CheckExact(builtins) &&
                builtins->ma_keys->dk_version == s.cache<_PyLoadGlobalCache>()->builtin_keys_version)
             ? kNext
             : kDeopt;
}

ALWAYS_INLINE Outcome push_global(State& s, PyObject* dict) {
  PyDictKeysObject* keys = reinterpret_cast<PyDictObject*>(dict)->ma_keys;
  PyObject* value = DK_UNICODE_ENTRIES(keys)[s.cache<_PyLoadGlobalCache>()->index].me_value;
  if (UNLIKELY(value == nullptr)) return kDeopt;
  if (s.oparg & 1) s.push(nullptr);
  s.push(Py_NewRef(value));
  return kNext;
}
UOP(load_global_module) { return push_global(s, s.frame->f_globals); }
UOP(load_global_builtin) { return push_global(s, s.frame->f_builtins); }

}  // namespace pyston
