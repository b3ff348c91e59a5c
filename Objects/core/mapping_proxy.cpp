// mappingproxy: a read-only view of a mapping; what `cls.__dict__` gives.
#include "Objects/bind.h"
#include "Objects/core/type.h"

#include "pycore_object.h"
#include "pycore_pyerrors.h"

using namespace pyston;

namespace {

struct ProxyObject {
  PyObject_HEAD
  PyObject* mapping;
};

PyObject* mapping_of(PyObject* self) { return reinterpret_cast<ProxyObject*>(self)->mapping; }

Py_ssize_t proxy_length(PyObject* self) { return PyObject_Size(mapping_of(self)); }
PyObject* proxy_subscript(PyObject* self, PyObject* key) { return PyObject_GetItem(mapping_of(self), key); }

int proxy_contains(PyObject* self, PyObject* key) {
  PyObject* mapping = mapping_of(self);
  return PyDict_CheckExact(mapping) ? PyDict_Contains(mapping, key) : PySequence_Contains(mapping, key);
}

PyObject* proxy_or(PyObject* left, PyObject* right) {
  if (PyObject_TypeCheck(left, &PyDictProxy_Type)) left = mapping_of(left);
  if (PyObject_TypeCheck(right, &PyDictProxy_Type)) right = mapping_of(right);
  return PyNumber_Or(left, right);
}
PyObject* proxy_in_place_or(PyObject* self, PyObject*) {
  PyErr_Format(PyExc_TypeError, "'|=' is not supported by %s; use '|' instead", Py_TYPE(self)->tp_name);
  return nullptr;
}

PyObject* proxy_iter(PyObject* self) { return PyObject_GetIter(mapping_of(self)); }
PyObject* proxy_str(PyObject* self) { return PyObject_Str(mapping_of(self)); }
PyObject* proxy_repr(PyObject* self) { return PyUnicode_FromFormat("mappingproxy(%R)", mapping_of(self)); }
PyObject* proxy_richcompare(PyObject* self, PyObject* other, int op) {
  if (PyObject_TypeCheck(other, &PyDictProxy_Type)) other = mapping_of(other);
  return PyObject_RichCompare(mapping_of(self), other, op);
}

int proxy_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(mapping_of(self));
  return 0;
}
void proxy_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  Py_DECREF(mapping_of(self));
  PyObject_GC_Del(self);
}

Ref<> proxy_get(Borrowed<ProxyObject> self, Borrowed<> key, PyObject* default_value) {
  return Ref<>::steal(PyObject_CallMethod(self->mapping, "get", "OO", key.get(),
                                          default_value == nullptr ? Py_None : default_value));
}
Ref<> proxy_keys(Borrowed<ProxyObject> self) {
  return Ref<>::steal(PyObject_CallMethodNoArgs(self->mapping, &_Py_ID(keys)));
}
Ref<> proxy_values(Borrowed<ProxyObject> self) {
  return Ref<>::steal(PyObject_CallMethodNoArgs(self->mapping, &_Py_ID(values)));
}
Ref<> proxy_items(Borrowed<ProxyObject> self) {
  return Ref<>::steal(PyObject_CallMethodNoArgs(self->mapping, &_Py_ID(items)));
}
Ref<> proxy_copy(Borrowed<ProxyObject> self) {
  return Ref<>::steal(PyObject_CallMethodNoArgs(self->mapping, &_Py_ID(copy)));
}
Ref<> proxy_reversed(Borrowed<ProxyObject> self) {
  return Ref<>::steal(PyObject_CallMethodNoArgs(self->mapping, &_Py_ID(__reversed__)));
}

PyMethodDef proxy_methods[] = {
    method<proxy_get, "get($self, key, default=None, /)", "Value for the key, or the default.">(),
    method<proxy_keys, "keys($self, /)", "View of the mapping's keys.">(),
    method<proxy_values, "values($self, /)", "View of the mapping's values.">(),
    method<proxy_items, "items($self, /)", "View of the mapping's (key, value) pairs.">(),
    method<proxy_copy, "copy($self, /)", "Shallow copy of the mapping.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    method<proxy_reversed, "__reversed__($self, /)", "Reverse iterator over the keys.">(),
    {}};

Ref<> proxy_new(PyTypeObject*, Borrowed<> mapping) { return Ref<>::steal(PyDictProxy_New(mapping)); }

PyNumberMethods proxy_as_number = {.nb_or = proxy_or, .nb_inplace_or = proxy_in_place_or};
PySequenceMethods proxy_as_sequence = {.sq_contains = proxy_contains};
PyMappingMethods proxy_as_mapping = {.mp_length = proxy_length, .mp_subscript = proxy_subscript};

}  // namespace

PyTypeObject PyDictProxy_Type = {
    .ob_base = type_head(),
    .tp_name = "mappingproxy",
    .tp_basicsize = sizeof(ProxyObject),
    .tp_dealloc = proxy_dealloc,
    .tp_repr = proxy_repr,
    .tp_as_number = &proxy_as_number,
    .tp_as_sequence = &proxy_as_sequence,
    .tp_as_mapping = &proxy_as_mapping,
    .tp_str = proxy_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MAPPING,
    .tp_traverse = proxy_traverse,
    .tp_richcompare = proxy_richcompare,
    .tp_iter = proxy_iter,
    .tp_methods = proxy_methods,
    .tp_new = constructor<proxy_new, "mappingproxy(mapping)">,
};

extern "C" PyObject* PyDictProxy_New(PyObject* mapping) {
  if (!PyMapping_Check(mapping) || PyList_Check(mapping) || PyTuple_Check(mapping)) {
    PyErr_Format(PyExc_TypeError, "mappingproxy() argument must be a mapping, not %s", Py_TYPE(mapping)->tp_name);
    return nullptr;
  }
  auto* proxy = PyObject_GC_New(ProxyObject, &PyDictProxy_Type);
  if (proxy == nullptr) return nullptr;
  proxy->mapping = Py_NewRef(mapping);
  _PyObject_GC_TRACK(as_object(proxy));
  return as_object(proxy);
}
