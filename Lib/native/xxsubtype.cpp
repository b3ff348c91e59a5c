// xxsubtype: list and dict extended by a C field, each with class methods and static methods of every kind. Only the
// test suite uses it.
#include "Objects/bind.h"

#include <ctime>

using namespace pyston;

namespace {

struct SpamList {
  PyListObject list;
  int state;
};
struct SpamDict {
  PyDictObject dict;
  int state;
};

template <class T>
Ref<> get_state(Borrowed<T> self) {
  return Ref<>::steal(PyLong_FromLong(self->state));
}
template <class T>
Status set_state(Borrowed<T> self, int state) {
  self->state = state;
  return Status::kOk;
}

/// (self or None, args, kwargs), to show what a class or static method is called with.
PyObject* special_method(PyObject* self, PyObject* args, PyObject* kwargs) {
  return PyTuple_Pack(3, self == nullptr ? Py_None : self, args, kwargs == nullptr ? Py_None : kwargs);
}
PyCFunction special_function() { return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(special_method)); }

PyMethodDef list_methods[] = {
    method<get_state<SpamList>, "getstate($self, /)", "getstate() -> state">(),
    method<set_state<SpamList>, "setstate($self, state, /)", "setstate(state)">(),
    {"classmeth", special_function(), METH_VARARGS | METH_KEYWORDS | METH_CLASS, "classmeth(*args, **kw)"},
    {"staticmeth", special_function(), METH_VARARGS | METH_KEYWORDS | METH_STATIC, "staticmeth(*args, **kw)"},
    {}};
PyGetSetDef list_getset[] = {getset<get_state<SpamList>>("state", "an int variable for demonstration purposes"), {}};

PyMethodDef dict_methods[] = {method<get_state<SpamDict>, "getstate($self, /)", "getstate() -> state">(),
                              method<set_state<SpamDict>, "setstate($self, state, /)", "setstate(state)">(),
                              {}};
PyMemberDef dict_members[] = {
    {"state", T_INT, offsetof(SpamDict, state), READONLY, "an int variable for demonstration purposes"}, {}};

int list_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (PyList_Type.tp_init(self, args, kwargs) < 0) return -1;
  reinterpret_cast<SpamList*>(self)->state = 0;
  return 0;
}
int dict_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (PyDict_Type.tp_init(self, args, kwargs) < 0) return -1;
  reinterpret_cast<SpamDict*>(self)->state = 0;
  return 0;
}

PyTypeObject list_type = {
    .ob_base = type_head(),
    .tp_name = "xxsubtype.spamlist",
    .tp_basicsize = sizeof(SpamList),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = list_methods,
    .tp_getset = list_getset,
    .tp_base = &PyList_Type,
    .tp_init = list_init,
};
PyTypeObject dict_type = {
    .ob_base = type_head(),
    .tp_name = "xxsubtype.spamdict",
    .tp_basicsize = sizeof(SpamDict),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = dict_methods,
    .tp_members = dict_members,
    .tp_base = &PyDict_Type,
    .tp_init = dict_init,
};

/// Seconds that n attribute lookups take.
Ref<> bench(Borrowed<>, Borrowed<> object, Borrowed<PyUnicodeObject> name, Optional<int> count) {
  clock_t start = clock();
  for (int i = count.value_or(1000); i > 0; i--) {
    VM_CHECK(Ref<>::steal(PyObject_GetAttr(object, name.object())));
  }
  return Ref<>::steal(PyFloat_FromDouble(static_cast<double>(clock() - start) / CLOCKS_PER_SEC));
}

PyMethodDef module_methods[] = {
    method<bench, "bench($module, object, name, n=1000, /)", "Times attribute lookups.">(), {}};

int execute(PyObject* module) {
  return PyModule_AddType(module, &list_type) < 0 || PyModule_AddType(module, &dict_type) < 0 ? -1 : 0;
}
PyModuleDef_Slot module_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {0, nullptr}};
PyModuleDef module_definition = {.m_base = PyModuleDef_HEAD_INIT,
                                 .m_name = "xxsubtype",
                                 .m_doc = "Shows how to subtype built-in types from C; the test suite needs it.",
                                 .m_size = 0,
                                 .m_methods = module_methods,
                                 .m_slots = module_slots};

}  // namespace

PyMODINIT_FUNC PyInit_xxsubtype(void) { return PyModuleDef_Init(&module_definition); }
