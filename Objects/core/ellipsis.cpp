// The object `...`.
#include "Objects/bind.h"

using namespace pyston;

namespace {

PyObject* ellipsis_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  if (PyTuple_GET_SIZE(args) || (kwargs && PyDict_GET_SIZE(kwargs))) {
    PyErr_SetString(PyExc_TypeError, "EllipsisType takes no arguments");
    return nullptr;
  }
  return Ref<>::dup(Py_Ellipsis).release();
}
PyObject* ellipsis_repr(PyObject*) { return PyUnicode_FromString("Ellipsis"); }
PyObject* ellipsis_reduce(PyObject*, PyObject*) { return PyUnicode_FromString("Ellipsis"); }

PyMethodDef ellipsis_methods[] = {{"__reduce__", ellipsis_reduce, METH_NOARGS, nullptr}, {}};

}  // namespace

PyTypeObject PyEllipsis_Type = {
    .ob_base = type_head(),
    .tp_name = "ellipsis",
    .tp_repr = ellipsis_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = ellipsis_methods,
    .tp_new = ellipsis_new,
};
PyObject _Py_EllipsisObject = {1, &PyEllipsis_Type};
