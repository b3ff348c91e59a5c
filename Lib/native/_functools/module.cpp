// _functools: the module, reduce() and cmp_to_key().
#include "Lib/native/_functools/functools.h"

namespace pyston {
namespace {

PyObject* reduce(PyObject*, PyObject* function, PyObject* sequence, PyObject* initial) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(sequence));
  if (!iterator) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_SetString(PyExc_TypeError, "reduce() arg 2 must support iteration");
    }
    return nullptr;
  }
  Ref<> result = Ref<>::dup(initial);
  while (true) {
    Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!item) {
      if (PyErr_Occurred()) return nullptr;
      break;
    }
    if (!result) {
      result = std::move(item);
      continue;
    }
    PyObject* arguments[3] = {nullptr, result.get(), item.get()};
    result = Ref<>::steal(PyObject_Vectorcall(function, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
    if (!result) return nullptr;
  }
  if (!result) PyErr_SetString(PyExc_TypeError, "reduce() of empty iterable with no initial value");
  return result.release();
}

// ---- cmp_to_key --------------------------------------------------------------------------------------------------

struct KeyObject {
  PyObject_HEAD
  PyObject* compare;
  PyObject* object;  // null in what cmp_to_key() returns: the factory
};
ALWAYS_INLINE KeyObject* as_key(PyObject* object) { return reinterpret_cast<KeyObject*>(object); }
PyTypeObject* g_key_type = nullptr;

PyObject* new_key(PyObject* compare, PyObject* object) {
  KeyObject* key = PyObject_GC_New(KeyObject, g_key_type);
  if (key == nullptr) return nullptr;
  key->compare = Py_NewRef(compare);
  key->object = Py_XNewRef(object);
  PyObject_GC_Track(key);
  return as_object(key);
}
int key_clear(PyObject* self) {
  Py_CLEAR(as_key(self)->compare);
  Py_CLEAR(as_key(self)->object);
  return 0;
}
int key_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as_key(self)->compare);
  Py_VISIT(as_key(self)->object);
  return 0;
}
void key_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  key_clear(self);
  type->tp_free(self);
  Py_DECREF(as_object(type));
}
PyObject* key_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const keywords[] = {"obj", nullptr};
  PyObject* object;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:K", const_cast<char**>(keywords), &object)) return nullptr;
  return new_key(as_key(self)->compare, object);
}
PyObject* key_richcompare(PyObject* self, PyObject* other, int op) {
  if (!Py_IS_TYPE(other, Py_TYPE(self))) {
    PyErr_SetString(PyExc_TypeError, "other argument must be K instance");
    return nullptr;
  }
  PyObject *x = as_key(self)->object, *y = as_key(other)->object;
  if (x == nullptr || y == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "object");
    return nullptr;
  }
  PyObject* arguments[3] = {nullptr, x, y};
  Ref<> order = Ref<>::steal(
      PyObject_Vectorcall(as_key(self)->compare, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
  if (!order) return nullptr;
  Ref<> zero = Ref<>::steal(PyLong_FromLong(0));
  return zero ? PyObject_RichCompare(order.get(), zero.get(), op) : nullptr;
}
PyMemberDef key_members[] = {
    {"obj", T_OBJECT, offsetof(KeyObject, object), 0, "Value wrapped by a key function."},
    {},
};
PyType_Slot key_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(key_dealloc)},
    {Py_tp_call, reinterpret_cast<void*>(key_call)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_traverse, reinterpret_cast<void*>(key_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(key_clear)},
    {Py_tp_richcompare, reinterpret_cast<void*>(key_richcompare)},
    {Py_tp_members, key_members},
    {0, nullptr},
};
PyType_Spec key_spec = {
    "functools.KeyWrapper", sizeof(KeyObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, key_slots,
};

PyObject* make_key_factory(PyObject*, PyObject* mycmp) { return new_key(mycmp, nullptr); }

PyMethodDef functools_functions[] = {
    method<reduce, "reduce($module, function, iterable, initial=<unrepresentable>, /)",
           "Combine the items from left to right: reduce(f, [a, b, c]) is f(f(a, b), c).\n\n"
           "With initial, it goes in front of the items, and is the result when there are none.">(),
    method<make_key_factory, "cmp_to_key($module, /, mycmp)", "Convert a cmp= function into a key= function.">(),
    {},
};

int functools_exec(PyObject* module) {
  if (add_partial_type(module) < 0 || add_lru_cache_types(module) < 0) return -1;
  if (g_key_type == nullptr) {
    g_key_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&key_spec));
    if (g_key_type == nullptr) return -1;
  }
  return 0;
}
PyModuleDef_Slot functools_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(functools_exec)}, {0, nullptr}};
PyModuleDef functools_module = {
    PyModuleDef_HEAD_INIT, "_functools", "Tools that operate on functions.", 0, functools_functions, functools_slots,
    nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__functools(void) { return PyModuleDef_Init(&pyston::functools_module); }
