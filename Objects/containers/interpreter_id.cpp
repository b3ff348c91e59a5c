// InterpreterID: an int-like handle that keeps an interpreter from being forgotten while it is referred to.
#include "Objects/bind.h"

#include <internal/pycore_interp.h>
#include <internal/pycore_interpreteridobject.h>

namespace pyston {
namespace {

struct InterpreterIdObject {
  PyObject_HEAD
  int64_t id;
};
ALWAYS_INLINE int64_t id_of(PyObject* self) { return reinterpret_cast<InterpreterIdObject*>(self)->id; }

PyObject* make(PyTypeObject* type, int64_t id, bool force) {
  PyInterpreterState* interp = _PyInterpreterState_LookUpID(id);
  if (interp == nullptr) {
    if (!force) return nullptr;
    PyErr_Clear();
  } else if (_PyInterpreterState_IDIncref(interp) < 0) {
    return nullptr;
  }
  auto* self = reinterpret_cast<InterpreterIdObject*>(type->tp_alloc(type, 0));
  if (self == nullptr) {
    if (interp != nullptr) _PyInterpreterState_IDDecref(interp);
    return nullptr;
  }
  self->id = id;
  return as_object(self);
}

bool convert(PyObject* value, int64_t* out) {
  if (PyObject_TypeCheck(value, &_PyInterpreterID_Type)) {
    *out = id_of(value);
    return true;
  }
  if (!PyIndex_Check(value)) {
    PyErr_Format(PyExc_TypeError, "interpreter ID must be an int, got %.100s", Py_TYPE(value)->tp_name);
    return false;
  }
  Ref<> number = Ref<>::steal(PyNumber_Index(value));
  if (!number) return false;
  const long long id = PyLong_AsLongLong(number.get());
  if (id == -1 && PyErr_Occurred()) return false;
  if (id < 0) {
    PyErr_Format(PyExc_ValueError, "interpreter ID must be a non-negative int, got %R", value);
    return false;
  }
  *out = id;
  return true;
}

Ref<> interpid_new(PyTypeObject* type, Borrowed<> value, Optional<bool> force) {
  int64_t id;
  if (!convert(value, &id)) return nullptr;
  return Ref<>::steal(make(type, id, force.value_or(false)));
}
void interpid_dealloc(PyObject* self) {
  PyInterpreterState* interp = _PyInterpreterState_LookUpID(id_of(self));
  if (interp != nullptr) {
    _PyInterpreterState_IDDecref(interp);
  } else {
    PyErr_Clear();
  }
  Py_TYPE(self)->tp_free(self);
}
PyObject* interpid_repr(PyObject* self) {
  return PyUnicode_FromFormat("%s(%lld)", _PyType_Name(Py_TYPE(self)), static_cast<long long>(id_of(self)));
}
PyObject* interpid_str(PyObject* self) { return PyUnicode_FromFormat("%lld", static_cast<long long>(id_of(self))); }
PyObject* interpid_int(PyObject* self) { return PyLong_FromLongLong(id_of(self)); }
Py_hash_t interpid_hash(PyObject* self) {
  Ref<> number = Ref<>::steal(interpid_int(self));
  return number ? PyObject_Hash(number.get()) : -1;
}
PyObject* interpid_richcompare(PyObject* self, PyObject* other, int op) {
  if ((op != Py_EQ && op != Py_NE) || !PyObject_TypeCheck(self, &_PyInterpreterID_Type)) Py_RETURN_NOTIMPLEMENTED;
  bool equal;
  if (PyObject_TypeCheck(other, &_PyInterpreterID_Type)) {
    equal = id_of(self) == id_of(other);
  } else if (PyLong_CheckExact(other)) {
    int overflow;
    const long long id = PyLong_AsLongLongAndOverflow(other, &overflow);
    if (id == -1 && PyErr_Occurred()) return nullptr;
    equal = !overflow && id >= 0 && id == id_of(self);
  } else if (PyNumber_Check(other)) {
    Ref<> number = Ref<>::steal(interpid_int(self));
    return number ? PyObject_RichCompare(number.get(), other, op) : nullptr;
  } else {
    Py_RETURN_NOTIMPLEMENTED;
  }
  return PyBool_FromLong(equal == (op == Py_EQ));
}
PyNumberMethods interpid_as_number = {.nb_int = interpid_int, .nb_index = interpid_int};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyObject* _PyInterpreterID_New(int64_t id) { return make(&_PyInterpreterID_Type, id, false); }

PyObject* _PyInterpreterState_GetIDObject(PyInterpreterState* interp) {
  if (_PyInterpreterState_IDInitref(interp) != 0) return nullptr;
  const int64_t id = PyInterpreterState_GetID(interp);
  return id < 0 ? nullptr : make(&_PyInterpreterID_Type, id, false);
}

PyInterpreterState* _PyInterpreterID_LookUp(PyObject* requested) {
  int64_t id;
  return convert(requested, &id) ? _PyInterpreterState_LookUpID(id) : nullptr;
}

PyTypeObject _PyInterpreterID_Type = {
    .ob_base = type_head(),
    .tp_name = "InterpreterID",
    .tp_basicsize = sizeof(InterpreterIdObject),
    .tp_dealloc = interpid_dealloc,
    .tp_repr = interpid_repr,
    .tp_as_number = &interpid_as_number,
    .tp_hash = interpid_hash,
    .tp_str = interpid_str,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "An interpreter identifier, usable as an int.",
    .tp_richcompare = interpid_richcompare,
    .tp_new = constructor<interpid_new, "InterpreterID(id, force=False)">,
};
