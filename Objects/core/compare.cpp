// Rich comparison: `a < b` and friends over tp_richcompare, with reflection and the identity fallback.
#include "Objects/core/type.h"

#include "pycore_ceval.h"
#include "pycore_pyerrors.h"

using namespace pyston;

int _Py_SwappedOp[] = {Py_GT, Py_GE, Py_EQ, Py_NE, Py_LT, Py_LE};

namespace {

constexpr const char* kOperatorText[] = {"<", "<=", "==", "!=", ">", ">="};

COLD PyObject* compare_by_identity(PyObject* left, PyObject* right, int op) {
  if (op == Py_EQ) return Py_NewRef(left == right ? Py_True : Py_False);
  if (op == Py_NE) return Py_NewRef(left != right ? Py_True : Py_False);
  PyErr_Format(PyExc_TypeError, "'%s' not supported between instances of '%.100s' and '%.100s'", kOperatorText[op],
               Py_TYPE(left)->tp_name, Py_TYPE(right)->tp_name);
  return nullptr;
}

PyObject* dispatch(PyObject* left, PyObject* right, int op) {
  PyTypeObject* left_type = Py_TYPE(left);
  PyTypeObject* right_type = Py_TYPE(right);
  bool reflected_done = false;
  // A subclass on the right may refine the comparison, so it is asked first.
  if (left_type != right_type && right_type->tp_richcompare != nullptr && PyType_IsSubtype(right_type, left_type)) {
    reflected_done = true;
    PyObject* result = right_type->tp_richcompare(right, left, _Py_SwappedOp[op]);
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  if (left_type->tp_richcompare != nullptr) {
    PyObject* result = left_type->tp_richcompare(left, right, op);
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  if (!reflected_done && right_type->tp_richcompare != nullptr) {
    PyObject* result = right_type->tp_richcompare(right, left, _Py_SwappedOp[op]);
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  return compare_by_identity(left, right, op);
}

/// Types whose comparison can't recurse into other objects.
ALWAYS_INLINE bool is_leaf(PyTypeObject* type) {
  return type == &PyUnicode_Type || type == &PyLong_Type || type == &PyFloat_Type || type == &PyBytes_Type;
}

}  // namespace

PyObject* PyObject_RichCompare(PyObject* left, PyObject* right, int op) {
  if (UNLIKELY(left == nullptr || right == nullptr)) {
    if (!PyErr_Occurred()) PyErr_BadInternalCall();
    return nullptr;
  }
  PyTypeObject* type = Py_TYPE(left);
  // FAST: two leaves of one type always decide; no reflection and no recursion guard.
  if (type == Py_TYPE(right) && is_leaf(type)) return type->tp_richcompare(left, right, op);
  PyThreadState* tstate = _PyThreadState_GET();
  if (_Py_EnterRecursiveCallTstate(tstate, " in comparison")) return nullptr;
  PyObject* result = dispatch(left, right, op);
  _Py_LeaveRecursiveCallTstate(tstate);
  return result;
}

int PyObject_RichCompareBool(PyObject* left, PyObject* right, int op) {
  // Identity implies equality here, which is what containers promise.
  if (left == right) {
    if (op == Py_EQ) return 1;
    if (op == Py_NE) return 0;
  }
  PyObject* result = PyObject_RichCompare(left, right, op);
  if (UNLIKELY(result == nullptr)) return -1;
  int truth = result == Py_True ? 1 : result == Py_False ? 0 : PyObject_IsTrue(result);
  Py_DECREF(result);
  return truth;
}
