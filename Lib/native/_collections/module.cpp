// _collections: the module, counting for Counter, and the field descriptor of named tuples.
#include "Lib/native/_collections/collections.h"

namespace pyston {
namespace {

// ---- Counting ----------------------------------------------------------------------------------------------------

/// One more of `key` in a real dict.
int count_in_dict(PyObject* mapping, PyObject* key, PyObject* one) {
  Py_hash_t hash;
  if (!PyUnicode_CheckExact(key) || (hash = reinterpret_cast<PyASCIIObject*>(key)->hash) == -1) {
    hash = PyObject_Hash(key);
    if (hash == -1) return -1;
  }
  PyObject* old = _PyDict_GetItem_KnownHash(mapping, key, hash);
  if (old == nullptr) return PyErr_Occurred() ? -1 : _PyDict_SetItem_KnownHash(mapping, key, one, hash);
  Ref<> sum = Ref<>::steal(PyNumber_Add(old, one));
  return sum ? _PyDict_SetItem_KnownHash(mapping, key, sum.get(), hash) : -1;
}

PyObject* count_elements(PyObject*, PyObject* mapping, PyObject* iterable) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  Ref<> one = Ref<>::steal(PyLong_FromLong(1));
  if (!iterator || !one) return nullptr;
  // FAST: a dict whose get() and __setitem__ are dict's own.
  bool plain = false;
  if (PyDict_Check(mapping)) {
    PyTypeObject* type = Py_TYPE(mapping);
    Ref<> get_name = Ref<>::steal(PyUnicode_InternFromString("get"));
    if (!get_name) return nullptr;
    plain = _PyType_Lookup(type, get_name.get()) == _PyType_Lookup(&PyDict_Type, get_name.get()) &&
            _PyType_Lookup(type, &_Py_ID(__setitem__)) == _PyType_Lookup(&PyDict_Type, &_Py_ID(__setitem__));
  }
  Ref<> get, zero;
  if (!plain) {
    get = Ref<>::steal(PyObject_GetAttrString(mapping, "get"));
    zero = Ref<>::steal(PyLong_FromLong(0));
    if (!get || !zero) return nullptr;
  }
  while (true) {
    Ref<> key = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!key) break;
    if (plain) {
      if (count_in_dict(mapping, key.get(), one.get()) < 0) return nullptr;
      continue;
    }
    Ref<> old = Ref<>::steal(PyObject_CallFunctionObjArgs(get.get(), key.get(), zero.get(), nullptr));
    Ref<> sum = old ? Ref<>::steal(PyNumber_Add(old.get(), one.get())) : nullptr;
    if (!sum || PyObject_SetItem(mapping, key.get(), sum.get()) < 0) return nullptr;
  }
  if (PyErr_Occurred()) return nullptr;
  Py_RETURN_NONE;
}

// ---- _tuplegetter: tuple[index] as an attribute --------------------------------------------------------------------

struct TupleGetterObject {
  PyObject_HEAD
  Py_ssize_t index;
  PyObject* doc;
};
ALWAYS_INLINE TupleGetterObject* as_getter(PyObject* object) { return reinterpret_cast<TupleGetterObject*>(object); }

Ref<> getter_new(PyTypeObject* type, Py_ssize_t index, PyObject* doc) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  as_getter(self)->index = index;
  as_getter(self)->doc = Py_NewRef(doc);
  return Ref<>::steal(self);
}
PyObject* getter_get(PyObject* self, PyObject* object, PyObject* type) {
  if (object == nullptr || object == Py_None) {
    if (object == Py_None && (type == nullptr || type == Py_None)) {
      PyErr_SetString(PyExc_TypeError, "__get__(None, None) is invalid");
      return nullptr;
    }
    return Py_NewRef(self);
  }
  const Py_ssize_t index = as_getter(self)->index;
  if (!PyTuple_Check(object)) {
    PyErr_Format(PyExc_TypeError, "descriptor for index '%zd' for tuple subclasses doesn't apply to '%s' object", index,
                 Py_TYPE(object)->tp_name);
    return nullptr;
  }
  if (static_cast<size_t>(index) >= static_cast<size_t>(PyTuple_GET_SIZE(object))) {
    PyErr_SetString(PyExc_IndexError, "tuple index out of range");
    return nullptr;
  }
  return Py_NewRef(PyTuple_GET_ITEM(object, index));
}
int getter_set(PyObject*, PyObject*, PyObject* value) {
  PyErr_SetString(PyExc_AttributeError, value == nullptr ? "can't delete attribute" : "can't set attribute");
  return -1;
}
int getter_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_getter(self)->doc);
  return 0;
}
int getter_clear(PyObject* self) {
  Py_CLEAR(as_getter(self)->doc);
  return 0;
}
void getter_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  getter_clear(self);
  Py_TYPE(self)->tp_free(self);
}
PyObject* getter_reduce(PyObject* self) {
  return Py_BuildValue("(O(nO))", Py_TYPE(self), as_getter(self)->index, as_getter(self)->doc);
}
PyObject* getter_repr(PyObject* self) {
  return PyUnicode_FromFormat("%s(%zd, %R)", _PyType_Name(Py_TYPE(self)), as_getter(self)->index, as_getter(self)->doc);
}
PyMemberDef getter_members[] = {
    {"__doc__", T_OBJECT, offsetof(TupleGetterObject, doc), 0, nullptr},
    {},
};
PyMethodDef getter_methods[] = {
    method<getter_reduce, "__reduce__($self, /)">(),
    {},
};

PyTypeObject g_tuple_getter_type = {
    .ob_base = type_head(),
    .tp_name = "_collections._tuplegetter",
    .tp_basicsize = sizeof(TupleGetterObject),
    .tp_dealloc = getter_dealloc,
    .tp_repr = getter_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = getter_traverse,
    .tp_clear = getter_clear,
    .tp_methods = getter_methods,
    .tp_members = getter_members,
    .tp_descr_get = getter_get,
    .tp_descr_set = getter_set,
    .tp_new = constructor<getter_new, "_tuplegetter(index, doc, /)">,
};

PyMethodDef collections_functions[] = {
    method<count_elements, "_count_elements($module, mapping, iterable, /)",
           "Add one to mapping[item] for each item of the iterable.">(),
    {},
};

int collections_exec(PyObject* module) {
  // PyModule_AddType readies the types and names them by the last part of tp_name.
  for (PyTypeObject* type : {&g_deque_type, &g_default_dict_type, &PyODict_Type, &g_deque_iterator_type,
                             &g_deque_reverse_iterator_type, &g_tuple_getter_type}) {
    if (PyModule_AddType(module, type) < 0) return -1;
  }
  return 0;
}
PyModuleDef_Slot collections_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(collections_exec)}, {0, nullptr}};
PyModuleDef collections_module = {
    PyModuleDef_HEAD_INIT,
    "_collections",
    "High performance data structures.\n- deque:        ordered collection accessible from endpoints only\n"
    "- defaultdict:  dict subclass with a default value factory\n",
    0,
    collections_functions,
    collections_slots,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__collections(void) { return PyModuleDef_Init(&pyston::collections_module); }
