// _weakref: the built-in half of weakref.
#include "Objects/bind.h"

#include <internal/pycore_object.h>

namespace pyston {
namespace {

PyWeakReference** references_of(PyObject* object) {
  if (!_PyType_SUPPORTS_WEAKREFS(Py_TYPE(object))) return nullptr;
  return reinterpret_cast<PyWeakReference**>(_PyObject_GET_WEAKREFS_LISTPTR(object));
}

PyObject* getweakrefcount(PyObject*, PyObject* object) {
  PyWeakReference** list = references_of(object);
  return PyLong_FromSsize_t(list != nullptr ? _PyWeakref_GetWeakrefCount(*list) : 0);
}

PyObject* getweakrefs(PyObject*, PyObject* object) {
  PyWeakReference** list = references_of(object);
  Ref<> result = Ref<>::steal(PyList_New(0));
  if (!result || list == nullptr) return result.release();
  for (PyWeakReference* ref = *list; ref != nullptr; ref = ref->wr_next) {
    if (PyList_Append(result.get(), as_object(ref)) < 0) return nullptr;
  }
  return result.release();
}

PyObject* proxy(PyObject*, PyObject* object, PyObject* callback) { return PyWeakref_NewProxy(object, callback); }

int is_dead(PyObject* value) {
  if (!PyWeakref_Check(value)) {
    PyErr_SetString(PyExc_TypeError, "not a weakref");
    return -1;
  }
  return PyWeakref_GET_OBJECT(value) == Py_None;
}

PyObject* remove_dead(PyObject*, PyObject* dict, PyObject* key) {
  if (!PyDict_Check(dict)) {
    PyErr_Format(PyExc_TypeError, "_remove_dead_weakref() argument 1 must be dict, not %.50s", Py_TYPE(dict)->tp_name);
    return nullptr;
  }
  if (_PyDict_DelItemIf(dict, key, is_dead) < 0) {
    // Somebody else removed it: fine.
    if (!PyErr_ExceptionMatches(PyExc_KeyError)) return nullptr;
    PyErr_Clear();
  }
  Py_RETURN_NONE;
}

PyMethodDef weakref_functions[] = {
    method<getweakrefcount, "getweakrefcount($module, object, /)", "How many weak references to the object there are.">(),
    method<remove_dead, "_remove_dead_weakref($module, dct, key, /)",
           "Delete dct[key] if it is a weak reference to an object that is gone.">(),
    method<getweakrefs, "getweakrefs($module, object, /)", "All weak references to the object, in a list.">(),
    method<proxy, "proxy($module, object, callback=None, /)",
           "A proxy that stands for the object without keeping it alive; callback is told when the object goes.">(),
    {},
};

int weakref_exec(PyObject* module) {
  auto add = [module](const char* name, PyTypeObject* type) {
    return PyModule_AddObjectRef(module, name, as_object(type)) == 0;
  };
  return add("ref", &_PyWeakref_RefType) && add("ReferenceType", &_PyWeakref_RefType) &&
                 add("ProxyType", &_PyWeakref_ProxyType) && add("CallableProxyType", &_PyWeakref_CallableProxyType)
             ? 0
             : -1;
}

PyModuleDef_Slot weakref_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(weakref_exec)}, {0, nullptr}};

PyModuleDef weakref_module = {
    PyModuleDef_HEAD_INIT, "_weakref", "Weak-reference support module.", 0, weakref_functions, weakref_slots,
    nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__weakref(void) { return PyModuleDef_Init(&pyston::weakref_module); }
