// A cell holds one variable shared by closures. INVARIANT: `ob_ref` may be null (unbound); that is not None.
#include "Objects/bind.h"
#include "internal/pycore_object.h"

namespace pyston {
namespace {

Ref<> cell_new(PyTypeObject* type, PyObject* contents) { return Ref<>::steal(PyCell_New(contents)); }

void cell_dealloc(PyCellObject* self) {
  _PyObject_GC_UNTRACK(as_object(self));
  Py_XDECREF(self->ob_ref);
  PyObject_GC_Del(self);
}

int cell_traverse(PyCellObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->ob_ref);
  return 0;
}

int cell_clear(PyCellObject* self) {
  Py_CLEAR(self->ob_ref);
  return 0;
}

Ref<> cell_repr(Borrowed<PyCellObject> self) {
  if (self->ob_ref == nullptr) return Ref<>::steal(PyUnicode_FromFormat("<cell at %p: empty>", self.get()));
  return Ref<>::steal(PyUnicode_FromFormat("<cell at %p: %.80s object at %p>", self.get(),
                                           Py_TYPE(self->ob_ref)->tp_name, self->ob_ref));
}

/// Compares contents; an empty cell is less than any other.
Ref<> cell_richcompare(Borrowed<> left, Borrowed<> right, int op) {
  if (!PyCell_Check(left.get()) || !PyCell_Check(right.get())) return Ref<>::dup(Py_NotImplemented);
  PyObject* a = PyCell_GET(left.get());
  PyObject* b = PyCell_GET(right.get());
  if (a != nullptr && b != nullptr) return Ref<>::steal(PyObject_RichCompare(a, b, op));
  int left_order = b == nullptr;
  int right_order = a == nullptr;
  bool result = false;
  switch (op) {
    case Py_EQ: result = left_order == right_order; break;
    case Py_NE: result = left_order != right_order; break;
    case Py_LT: result = left_order < right_order; break;
    case Py_LE: result = left_order <= right_order; break;
    case Py_GT: result = left_order > right_order; break;
    case Py_GE: result = left_order >= right_order; break;
  }
  return Ref<>::dup(result ? Py_True : Py_False);
}

Ref<> cell_get_contents(Borrowed<PyCellObject> self) {
  if (self->ob_ref == nullptr) return raise(PyExc_ValueError, "Cell is empty");
  return Ref<>::dup(self->ob_ref);
}

Status cell_set_contents(Borrowed<PyCellObject> self, PyObject* value) {
  Py_XINCREF(value);
  Py_XSETREF(self->ob_ref, value);
  return Status::kOk;
}

PyGetSetDef cell_getset[] = {getset<cell_get_contents, cell_set_contents>("cell_contents"), {}};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyCell_Type = {
    .ob_base = type_head(),
    .tp_name = "cell",
    .tp_basicsize = sizeof(PyCellObject),
    .tp_dealloc = reinterpret_cast<destructor>(cell_dealloc),
    .tp_repr = slot<cell_repr>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "cell([contents])\n--\n\nA variable shared by nested functions; empty without an argument.",
    .tp_traverse = reinterpret_cast<traverseproc>(cell_traverse),
    .tp_clear = reinterpret_cast<inquiry>(cell_clear),
    .tp_richcompare = slot<cell_richcompare>,
    .tp_getset = cell_getset,
    .tp_new = constructor<cell_new, "cell(contents=None, /)">,
};

PyObject* PyCell_New(PyObject* contents) {
  auto* cell = PyObject_GC_New(PyCellObject, &PyCell_Type);
  if (cell == nullptr) return nullptr;
  cell->ob_ref = Py_XNewRef(contents);
  _PyObject_GC_TRACK(as_object(cell));
  return as_object(cell);
}

PyObject* PyCell_Get(PyObject* cell) {
  if (!PyCell_Check(cell)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  return Py_XNewRef(PyCell_GET(cell));
}

int PyCell_Set(PyObject* cell, PyObject* value) {
  if (!PyCell_Check(cell)) {
    PyErr_BadInternalCall();
    return -1;
  }
  PyObject* old = PyCell_GET(cell);
  reinterpret_cast<PyCellObject*>(cell)->ob_ref = Py_XNewRef(value);
  Py_XDECREF(old);
  return 0;
}
