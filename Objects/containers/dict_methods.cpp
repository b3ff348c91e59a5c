// The dict type: slots and methods. Storage lives in dict.cpp, views and iterators in dict_views.cpp.
#include "Objects/bind.h"
#include "Objects/containers/dict.h"
#include "Objects/containers/trashcan.h"

#include <internal/pycore_call.h>
#include <internal/pycore_ceval.h>
#include <internal/pycore_unicodeobject.h>

namespace pyston {
namespace {

ALWAYS_INLINE PyDictObject* as_dict(PyObject* object) { return reinterpret_cast<PyDictObject*>(object); }

void dict_dealloc(PyObject* self) {
  PyDictObject* dict = as_dict(self);
  untrack(self);
  TrashcanScope scope(self, dict_dealloc);
  if (UNLIKELY(scope.postponed())) return;
  PyDictKeysObject* keys = dict->ma_keys;
  PyDictValues* values = dict->ma_values;
  if (values != nullptr) {
    const int count = values_count(values);
    for (int i = 0; i < count; i++) Py_XDECREF(values->values[values_index_at(values, i)]);
    free_values(values);
  }
  if (keys != nullptr) keys_decref(keys);
  _Py_dict_state* state = &_PyInterpreterState_GET()->dict_state;
  if (LIKELY(state->numfree < PyDict_MAXFREELIST && Py_IS_TYPE(self, &PyDict_Type))) {
    state->free_list[state->numfree++] = dict;
  } else {
    Py_TYPE(self)->tp_free(self);
  }
}

int dict_traverse(PyObject* self, visitproc visit, void* arg) {
  PyDictObject* dict = as_dict(self);
  PyDictKeysObject* keys = dict->ma_keys;
  if (dict->ma_values != nullptr) {  // the shared keys are strs: nothing to visit
    const int count = values_count(dict->ma_values);
    for (int i = 0; i < count; i++) Py_VISIT(dict->ma_values->values[values_index_at(dict->ma_values, i)]);
  } else if (DK_IS_UNICODE(keys)) {
    PyDictUnicodeEntry* entries = unicode_entries(keys);
    for (Py_ssize_t i = 0; i < keys->dk_nentries; i++) Py_VISIT(entries[i].me_value);
  } else {
    PyDictKeyEntry* entries = general_entries(keys);
    for (Py_ssize_t i = 0; i < keys->dk_nentries; i++) {
      if (entries[i].me_value != nullptr) {
        Py_VISIT(entries[i].me_value);
        Py_VISIT(entries[i].me_key);
      }
    }
  }
  return 0;
}

int dict_clear_slot(PyObject* self) {
  PyDict_Clear(self);
  return 0;
}

PyObject* dict_repr(PyObject* self) {
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered > 0 ? PyUnicode_FromString("{...}") : nullptr;
  if (as_dict(self)->ma_used == 0) {
    Py_ReprLeave(self);
    return PyUnicode_FromString("{}");
  }
  _PyUnicodeWriter writer;
  _PyUnicodeWriter_Init(&writer);
  writer.overallocate = 1;
  writer.min_length = 1 + 4 + (2 + 4) * (as_dict(self)->ma_used - 1) + 1;
  auto write_entry = [&](PyObject* key, PyObject* value, bool first) {
    if (!first && _PyUnicodeWriter_WriteASCIIString(&writer, ", ", 2) < 0) return false;
    Ref<> text = Ref<>::steal(PyObject_Repr(key));
    if (!text || _PyUnicodeWriter_WriteStr(&writer, text.get()) < 0) return false;
    if (_PyUnicodeWriter_WriteASCIIString(&writer, ": ", 2) < 0) return false;
    text = Ref<>::steal(PyObject_Repr(value));
    return text && _PyUnicodeWriter_WriteStr(&writer, text.get()) == 0;
  };
  bool fine = _PyUnicodeWriter_WriteChar(&writer, '{') == 0;
  Py_ssize_t position = 0;
  PyObject *key, *value;
  bool first = true;
  while (fine && next_entry(as_dict(self), &position, &key, &value, nullptr)) {
    Ref<> key_owner = Ref<>::dup(key), value_owner = Ref<>::dup(value);  // __repr__ may change the dict
    fine = write_entry(key, value, first);
    first = false;
  }
  if (fine) {
    writer.overallocate = 0;
    fine = _PyUnicodeWriter_WriteChar(&writer, '}') == 0;
  }
  Py_ReprLeave(self);
  if (!fine) {
    _PyUnicodeWriter_Dealloc(&writer);
    return nullptr;
  }
  return _PyUnicodeWriter_Finish(&writer);
}

Py_ssize_t dict_length(PyObject* self) { return as_dict(self)->ma_used; }

PyObject* dict_subscript(PyObject* self, PyObject* key) {
  const Py_hash_t hash = key_hash(key);
  if (UNLIKELY(hash == -1)) return nullptr;
  PyObject* value;
  const Py_ssize_t index = find_key(as_dict(self), key, hash, &value);
  if (LIKELY(value != nullptr)) return Py_NewRef(value);
  if (index == DKIX_ERROR) return nullptr;
  return dict_missing_item(as_dict(self), key);
}

int dict_assign(PyObject* self, PyObject* key, PyObject* value) {
  return value == nullptr ? PyDict_DelItem(self, key) : PyDict_SetItem(self, key, value);
}

/// Whether both hold equal values under equal keys: 1, 0, or -1 with an exception set.
int dicts_equal(PyDictObject* a, PyDictObject* b) {
  if (a->ma_used != b->ma_used) return 0;
  Py_ssize_t position = 0;
  PyObject *key, *value, *other;
  Py_hash_t hash;
  while (next_entry(a, &position, &key, &value, &hash)) {
    Ref<> key_owner = Ref<>::dup(key), value_owner = Ref<>::dup(value);
    find_key(b, key, hash, &other);
    if (other == nullptr) return PyErr_Occurred() ? -1 : 0;
    Ref<> other_owner = Ref<>::dup(other);
    const int equal = PyObject_RichCompareBool(value, other, Py_EQ);
    if (equal <= 0) return equal;
  }
  return 1;
}

PyObject* dict_richcompare(PyObject* a, PyObject* b, int op) {
  if (!PyDict_Check(a) || !PyDict_Check(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  const int equal = dicts_equal(as_dict(a), as_dict(b));
  if (equal < 0) return nullptr;
  return Py_NewRef(equal == (op == Py_EQ) ? Py_True : Py_False);
}

/// The one argument of dict() and update(): a mapping, something with keys(), or pairs.
int update_from_argument(PyObject* self, PyObject* argument) {
  if (PyDict_CheckExact(argument)) return merge_dicts(self, argument, 1);
  PyObject* keys;
  if (_PyObject_LookupAttr(argument, &_Py_ID(keys), &keys) < 0) return -1;
  if (keys != nullptr) {
    Py_DECREF(keys);
    return merge_dicts(self, argument, 1);
  }
  return PyDict_MergeFromSeq2(self, argument, 1);
}

int update_common(PyObject* self, PyObject* args, PyObject* kwargs, const char* name) {
  PyObject* argument = nullptr;
  if (!PyArg_UnpackTuple(args, name, 0, 1, &argument)) return -1;
  if (argument != nullptr && update_from_argument(self, argument) < 0) return -1;
  if (kwargs != nullptr) {
    if (!PyArg_ValidateKeywordArguments(kwargs)) return -1;
    return merge_dicts(self, kwargs, 1);
  }
  return 0;
}

PyObject* dict_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  PyDictObject* dict = as_dict(self);
  dict->ma_used = 0;
  dict->ma_version_tag = DICT_NEXT_VERSION();
  keys_incref(empty_keys());
  dict->ma_keys = empty_keys();
  dict->ma_values = nullptr;
  // tp_alloc tracks; a plain dict is tracked once it holds something that can be in a cycle.
  if (type == &PyDict_Type) _PyObject_GC_UNTRACK(self);
  return self;
}

int dict_init(PyObject* self, PyObject* args, PyObject* kwargs) { return update_common(self, args, kwargs, "dict"); }

PyObject* dict_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  if (!_PyArg_CheckPositional("dict", count, 0, 1)) return nullptr;
  Ref<> self = Ref<>::steal(type == as_object(&PyDict_Type)
                                ? PyDict_New()
                                : dict_new(reinterpret_cast<PyTypeObject*>(type), nullptr, nullptr));
  if (!self) return nullptr;
  if (count == 1 && update_from_argument(self.get(), args[0]) < 0) return nullptr;
  if (kwnames != nullptr) {
    args += count;
    for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(kwnames); i < n; i++) {
      if (PyDict_SetItem(self.get(), PyTuple_GET_ITEM(kwnames, i), args[i]) < 0) return nullptr;
    }
  }
  return self.release();
}

PyObject* dict_or(PyObject* self, PyObject* other) {
  if (!PyDict_Check(self) || !PyDict_Check(other)) Py_RETURN_NOTIMPLEMENTED;
  Ref<> result = Ref<>::steal(PyDict_Copy(self));
  if (!result || update_from_argument(result.get(), other) < 0) return nullptr;
  return result.release();
}

PyObject* dict_ior(PyObject* self, PyObject* other) {
  if (update_from_argument(self, other) < 0) return nullptr;
  return Py_NewRef(self);
}

// ---- Methods -----------------------------------------------------------------------------------------------------

PyObject* dict_contains_method(PyObject* self, PyObject* key) {
  const int found = PyDict_Contains(self, key);
  return found < 0 ? nullptr : PyBool_FromLong(found);
}
PyObject* dict_clear_method(PyObject* self) {
  PyDict_Clear(self);
  Py_RETURN_NONE;
}
PyObject* dict_copy_method(PyObject* self) { return PyDict_Copy(self); }
PyObject* dict_fromkeys(PyObject* cls, PyObject* iterable, PyObject* value) {
  return _PyDict_FromKeys(cls, iterable, value != nullptr ? value : Py_None);
}
PyObject* dict_get(PyObject* self, PyObject* key, PyObject* default_value) {
  const Py_hash_t hash = key_hash(key);
  if (UNLIKELY(hash == -1)) return nullptr;
  PyObject* value;
  if (find_key(as_dict(self), key, hash, &value) == DKIX_ERROR) return nullptr;
  if (value == nullptr) value = default_value != nullptr ? default_value : Py_None;
  return Py_NewRef(value);
}
PyObject* dict_pop(PyObject* self, PyObject* key, PyObject* default_value) {
  return _PyDict_Pop(self, key, default_value);
}
PyObject* dict_popitem(PyObject* self) {
  PyDictObject* dict = as_dict(self);
  // Allocated first: it can run a collection, which can empty the dict.
  PyObject* pair = PyTuple_New(2);
  if (pair == nullptr) return nullptr;
  if (dict->ma_used == 0) {
    Py_DECREF(pair);
    PyErr_SetString(PyExc_KeyError, "popitem(): dictionary is empty");
    return nullptr;
  }
  if (dict->ma_values != nullptr && resize_dict(dict, dict->ma_keys->dk_log2_size, true) < 0) {
    Py_DECREF(pair);
    return nullptr;
  }
  PyDictKeysObject* keys = dict->ma_keys;
  keys->dk_version = 0;
  Py_ssize_t index = keys->dk_nentries - 1;
  PyObject *key, *value;
  Py_hash_t hash;
  while (!entry_at(dict, index, &key, &value, &hash)) index--;
  unlink_entry(keys, hash, index);
  if (DK_IS_UNICODE(keys)) {
    unicode_entries(keys)[index] = {nullptr, nullptr};
  } else {
    general_entries(keys)[index] = {0, nullptr, nullptr};
  }
  // The freed place is not usable again: its index slot is a dummy now.
  keys->dk_nentries = index;
  dict->ma_used--;
  touch(dict);
  PyTuple_SET_ITEM(pair, 0, key);
  PyTuple_SET_ITEM(pair, 1, value);
  return pair;
}
PyObject* dict_setdefault(PyObject* self, PyObject* key, PyObject* default_value) {
  return Py_XNewRef(PyDict_SetDefault(self, key, default_value != nullptr ? default_value : Py_None));
}
PyObject* dict_sizeof(PyObject* self) { return PyLong_FromSsize_t(_PyDict_SizeOf(as_dict(self))); }
PyObject* dict_update(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (update_common(self, args, kwargs, "update") < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* dict_reversed(PyObject* self) { return new_dict_iterator(as_dict(self), &PyDictRevIterKey_Type); }
PyObject* dict_keys_view(PyObject* self) { return _PyDictView_New(self, &PyDictKeys_Type); }
PyObject* dict_items_view(PyObject* self) { return _PyDictView_New(self, &PyDictItems_Type); }
PyObject* dict_values_view(PyObject* self) { return _PyDictView_New(self, &PyDictValues_Type); }

PyMethodDef dict_methods[] = {
    method<dict_contains_method, "__contains__($self, key, /)", "Whether the dictionary has the key.">(METH_COEXIST),
    method<dict_subscript, "__getitem__($self, key, /)", "Return self[key].">(METH_COEXIST),
    method<dict_sizeof, "__sizeof__($self, /)", "Memory used by the dictionary, in bytes.">(),
    method<dict_get, "get($self, key, default=None, /)", "The value of the key, or the default when it is missing.">(),
    method<dict_setdefault, "setdefault($self, key, default=None, /)",
           "The value of the key, after storing the default if it was missing.">(),
    method<dict_pop, "pop($self, key, default=<unrepresentable>, /)",
           "Remove the key and return its value, or the default when it is missing.">(),
    method<dict_popitem, "popitem($self, /)", "Remove the newest pair and return it as (key, value).">(),
    method<dict_keys_view, "keys($self, /)", "A set-like view of the keys.">(),
    method<dict_items_view, "items($self, /)", "A set-like view of the (key, value) pairs.">(),
    method<dict_values_view, "values($self, /)", "A view of the values.">(),
    {"update", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(dict_update)), METH_VARARGS | METH_KEYWORDS,
     "update([other, ]**pairs)\n\nStore everything that the mapping or iterable of pairs and the keywords hold."},
    method<dict_fromkeys, "fromkeys($type, iterable, value=None, /)",
           "A new dictionary with keys from the iterable, all with the same value.">(METH_CLASS),
    method<dict_clear_method, "clear($self, /)", "Remove everything.">(),
    method<dict_copy_method, "copy($self, /)", "A shallow copy.">(),
    method<dict_reversed, "__reversed__($self, /)", "An iterator over the keys, newest first.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "dict[K, V], for annotations."},
    {},
};

PySequenceMethods dict_as_sequence = {
    .sq_contains = PyDict_Contains,
};
PyMappingMethods dict_as_mapping = {
    .mp_length = dict_length,
    .mp_subscript = dict_subscript,
    .mp_ass_subscript = dict_assign,
};
PyNumberMethods dict_as_number = {
    .nb_or = dict_or,
    .nb_inplace_or = dict_ior,
};

}  // namespace

/// d[key] for a missing key: `__missing__` of a subclass, else KeyError. New reference.
COLD PyObject* dict_missing_item(PyDictObject* dict, PyObject* key) {
  if (!PyDict_CheckExact(dict)) {
    Ref<> hook = Ref<>::steal(_PyObject_LookupSpecial(as_object(dict), &_Py_ID(__missing__)));
    if (hook) return PyObject_CallOneArg(hook.get(), key);
    if (PyErr_Occurred()) return nullptr;
  }
  _PyErr_SetKeyError(key);
  return nullptr;
}

PyObject* dict_iter_keys(PyObject* self) { return new_dict_iterator(as_dict(self), &PyDictIterKey_Type); }

}  // namespace pyston

using namespace pyston;

PyTypeObject PyDict_Type = {
    .ob_base = type_head(),
    .tp_name = "dict",
    .tp_basicsize = sizeof(PyDictObject),
    .tp_dealloc = dict_dealloc,
    .tp_repr = dict_repr,
    .tp_as_number = &dict_as_number,
    .tp_as_sequence = &dict_as_sequence,
    .tp_as_mapping = &dict_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DICT_SUBCLASS |
                _Py_TPFLAGS_MATCH_SELF | Py_TPFLAGS_MAPPING,
    .tp_doc = "dict() -> an empty dictionary\n"
              "dict(mapping) -> with the pairs of the mapping\n"
              "dict(iterable) -> with the pairs that the iterable gives\n"
              "dict(**pairs) -> with the keyword arguments as pairs",
    .tp_traverse = dict_traverse,
    .tp_clear = dict_clear_slot,
    .tp_richcompare = dict_richcompare,
    .tp_iter = dict_iter_keys,
    .tp_methods = dict_methods,
    .tp_init = dict_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = dict_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = dict_vectorcall,
};

static_assert(sizeof(PyDictObject) == 48);
