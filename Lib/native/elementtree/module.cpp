// _elementtree: the module behind xml.etree.ElementTree.
//
// The types are static, so what they need of the module is global: `g_globals` is filled by the first import and shared by
// all later ones (a program can import the module afresh).
#include "Lib/native/elementtree/element.h"

namespace pyston::etree {

Globals g_globals;

namespace {

Status set_factory(PyObject*& field, PyObject* factory, const char* what) {
  if (factory != Py_None && !PyCallable_Check(factory)) {
    return raise(PyExc_TypeError, "%s factory must be callable, not %.100s", what, Py_TYPE(factory)->tp_name);
  }
  Py_XSETREF(field, factory == Py_None ? nullptr : Py_NewRef(factory));
  return Status::kOk;
}

/// Sets the factories of later tree builders and returns the previous ones.
PyObject* set_factories(PyObject*, Borrowed<> comment_factory, Borrowed<> pi_factory) {
  Ref<> previous = VM_TRY(Ref<>::steal(
      PyTuple_Pack(2, g_globals.comment_factory == nullptr ? Py_None : g_globals.comment_factory,
                   g_globals.pi_factory == nullptr ? Py_None : g_globals.pi_factory)));
  if (pi_factory.get() != Py_None && !PyCallable_Check(pi_factory) &&
      (comment_factory.get() == Py_None || PyCallable_Check(comment_factory))) {
    return raise(PyExc_TypeError, "PI factory must be callable, not %.100s", Py_TYPE(pi_factory.get())->tp_name);
  }
  VM_CHECK(set_factory(g_globals.comment_factory, comment_factory, "Comment"));
  VM_CHECK(set_factory(g_globals.pi_factory, pi_factory, "PI"));
  return previous.release();
}

PyMethodDef functions[] = {
    {"SubElement", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(sub_element)),
     METH_VARARGS | METH_KEYWORDS, nullptr},
    method<set_factories, "_set_factories($module, comment_factory, pi_factory, /)",
           "Changes the factories that tree builders use for comments and processing instructions.">(),
    {},
};

Status fill_globals() {
  Ref<> copy = VM_TRY(Ref<>::steal(PyImport_ImportModule("copy")));
  Ref<> deepcopy = VM_TRY(Ref<>::steal(PyObject_GetAttrString(copy.get(), "deepcopy")));
  Ref<> element_path = VM_TRY(Ref<>::steal(PyImport_ImportModule("xml.etree.ElementPath")));
  Ref<> expat = VM_TRY(Ref<>::steal(PyImport_ImportModule("pyexpat")));
  Ref<> error = VM_TRY(
      Ref<>::steal(PyErr_NewException("xml.etree.ElementTree.ParseError", PyExc_SyntaxError, nullptr)));
  g_globals.deepcopy = deepcopy.release();
  g_globals.element_path = element_path.release();
  g_globals.parse_error = error.release();
  return Status::kOk;
}

int module_exec(PyObject* module) {
  for (PyTypeObject* type : {&g_element_type, &g_element_iterator_type, &g_tree_builder_type, &g_parser_type}) {
    if (PyType_Ready(type) < 0) return -1;
  }
  if (g_globals.parse_error == nullptr) VM_CHECK(fill_globals());
  if (PyModule_AddObjectRef(module, "ParseError", g_globals.parse_error) < 0 ||
      PyModule_AddObjectRef(module, "Element", as_object(&g_element_type)) < 0 ||
      PyModule_AddObjectRef(module, "TreeBuilder", as_object(&g_tree_builder_type)) < 0 ||
      PyModule_AddObjectRef(module, "XMLParser", as_object(&g_parser_type)) < 0) {
    return -1;
  }
  return 0;
}
PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(module_exec)}, {0, nullptr}};
PyModuleDef elementtree_module = {
    PyModuleDef_HEAD_INIT, "_elementtree", nullptr, 0, functions, slots, nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace pyston::etree

PyMODINIT_FUNC PyInit__elementtree(void) { return PyModuleDef_Init(&pyston::etree::elementtree_module); }
