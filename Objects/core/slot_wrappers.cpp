// See slot_wrappers.h.
#include "Objects/core/slot_wrappers.h"

#include "Objects/core/slot_functions.h"

#include "pycore_pyerrors.h"

namespace pyston {

bool check_argument_count(PyObject* args, Py_ssize_t count) {
  if (!PyTuple_CheckExact(args)) {
    PyErr_SetString(PyExc_SystemError, "PyArg_UnpackTuple() argument list is not a tuple");
    return false;
  }
  if (LIKELY(PyTuple_GET_SIZE(args) == count)) return true;
  PyErr_Format(PyExc_TypeError, "expected %zd argument%s, got %zd", count, count == 1 ? "" : "s",
               PyTuple_GET_SIZE(args));
  return false;
}

namespace {

PyObject* none_unless_failed(int status) { return status < 0 ? nullptr : Ref<>::none().release(); }

/// The argument as an index for a sequence slot, counted from the front. -1 with an exception set on failure.
Py_ssize_t sequence_index(PyObject* self, PyObject* argument) {
  Py_ssize_t index = PyNumber_AsSsize_t(argument, PyExc_OverflowError);
  if (index == -1 && PyErr_Occurred()) return -1;
  if (index < 0) {
    PySequenceMethods* sequence = Py_TYPE(self)->tp_as_sequence;
    if (sequence != nullptr && sequence->sq_length != nullptr) {
      Py_ssize_t length = sequence->sq_length(self);
      if (length < 0) return -1;
      index += length;
    }
  }
  return index;
}

/// `object.__setattr__(x, ...)` must not get around a stricter setter that a built-in base of x has.
bool may_set_attribute(PyObject* self, setattrofunc setter, const char* method) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject* mro = type->tp_mro;
  if (mro == nullptr) return true;
  // The definition of `setter` is searched from the root; classes written in Python on the way are skipped.
  PyTypeObject* defining = type;
  for (Py_ssize_t i = PyTuple_GET_SIZE(mro) - 1; i >= 0; i--) {
    auto* base = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(mro, i));
    if (base->tp_setattro == slot_tp_setattro) continue;
    if (base->tp_setattro == type->tp_setattro) {
      defining = base;
      break;
    }
  }
  for (PyTypeObject* base = defining; base != nullptr; base = base->tp_base) {
    if (base->tp_setattro == setter) break;
    if (base->tp_setattro != slot_tp_setattro) {
      PyErr_Format(PyExc_TypeError, "can't apply this %s to %s object", method, type->tp_name);
      return false;
    }
  }
  return true;
}

}  // namespace

PyObject* wrap_unary(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 0)) return nullptr;
  return reinterpret_cast<unaryfunc>(wrapped)(self);
}

PyObject* wrap_next(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 0)) return nullptr;
  PyObject* result = reinterpret_cast<unaryfunc>(wrapped)(self);
  if (result == nullptr && !PyErr_Occurred()) PyErr_SetNone(PyExc_StopIteration);
  return result;
}

PyObject* wrap_hash(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 0)) return nullptr;
  Py_hash_t hash = reinterpret_cast<hashfunc>(wrapped)(self);
  if (hash == -1 && PyErr_Occurred()) return nullptr;
  return PyLong_FromSsize_t(hash);
}

PyObject* wrap_inquiry(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 0)) return nullptr;
  int truth = reinterpret_cast<inquiry>(wrapped)(self);
  if (truth == -1 && PyErr_Occurred()) return nullptr;
  return PyBool_FromLong(truth);
}

PyObject* wrap_length(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 0)) return nullptr;
  Py_ssize_t length = reinterpret_cast<lenfunc>(wrapped)(self);
  if (length == -1 && PyErr_Occurred()) return nullptr;
  return PyLong_FromSsize_t(length);
}

PyObject* wrap_binary(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 1)) return nullptr;
  return reinterpret_cast<binaryfunc>(wrapped)(self, PyTuple_GET_ITEM(args, 0));
}

PyObject* wrap_binary_left(PyObject* self, PyObject* args, void* wrapped) { return wrap_binary(self, args, wrapped); }

PyObject* wrap_binary_right(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 1)) return nullptr;
  return reinterpret_cast<binaryfunc>(wrapped)(PyTuple_GET_ITEM(args, 0), self);
}

PyObject* wrap_ternary(PyObject* self, PyObject* args, void* wrapped) {
  PyObject *other, *third = Py_None;
  if (!PyArg_UnpackTuple(args, "", 1, 2, &other, &third)) return nullptr;
  return reinterpret_cast<ternaryfunc>(wrapped)(self, other, third);
}

PyObject* wrap_ternary_right(PyObject* self, PyObject* args, void* wrapped) {
  PyObject *other, *third = Py_None;
  if (!PyArg_UnpackTuple(args, "", 1, 2, &other, &third)) return nullptr;
  return reinterpret_cast<ternaryfunc>(wrapped)(other, self, third);
}

PyObject* wrap_repeat(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 1)) return nullptr;
  Py_ssize_t count = PyNumber_AsSsize_t(PyTuple_GET_ITEM(args, 0), PyExc_OverflowError);
  if (count == -1 && PyErr_Occurred()) return nullptr;
  return reinterpret_cast<ssizeargfunc>(wrapped)(self, count);
}

PyObject* wrap_item(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 1)) return nullptr;
  Py_ssize_t index = sequence_index(self, PyTuple_GET_ITEM(args, 0));
  if (index == -1 && PyErr_Occurred()) return nullptr;
  return reinterpret_cast<ssizeargfunc>(wrapped)(self, index);
}

PyObject* wrap_set_index(PyObject* self, PyObject* args, void* wrapped) {
  PyObject *key, *value;
  if (!PyArg_UnpackTuple(args, "", 2, 2, &key, &value)) return nullptr;
  Py_ssize_t index = sequence_index(self, key);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  return none_unless_failed(reinterpret_cast<ssizeobjargproc>(wrapped)(self, index, value));
}

PyObject* wrap_delete_index(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 1)) return nullptr;
  Py_ssize_t index = sequence_index(self, PyTuple_GET_ITEM(args, 0));
  if (index == -1 && PyErr_Occurred()) return nullptr;
  return none_unless_failed(reinterpret_cast<ssizeobjargproc>(wrapped)(self, index, nullptr));
}

PyObject* wrap_contains(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 1)) return nullptr;
  int found = reinterpret_cast<objobjproc>(wrapped)(self, PyTuple_GET_ITEM(args, 0));
  if (found == -1 && PyErr_Occurred()) return nullptr;
  return PyBool_FromLong(found);
}

PyObject* wrap_setitem(PyObject* self, PyObject* args, void* wrapped) {
  PyObject *key, *value;
  if (!PyArg_UnpackTuple(args, "", 2, 2, &key, &value)) return nullptr;
  return none_unless_failed(reinterpret_cast<objobjargproc>(wrapped)(self, key, value));
}

PyObject* wrap_delitem(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 1)) return nullptr;
  return none_unless_failed(reinterpret_cast<objobjargproc>(wrapped)(self, PyTuple_GET_ITEM(args, 0), nullptr));
}

PyObject* wrap_setattr(PyObject* self, PyObject* args, void* wrapped) {
  PyObject *name, *value;
  if (!PyArg_UnpackTuple(args, "", 2, 2, &name, &value)) return nullptr;
  auto setter = reinterpret_cast<setattrofunc>(wrapped);
  if (!may_set_attribute(self, setter, "__setattr__")) return nullptr;
  return none_unless_failed(setter(self, name, value));
}

PyObject* wrap_delattr(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 1)) return nullptr;
  auto setter = reinterpret_cast<setattrofunc>(wrapped);
  if (!may_set_attribute(self, setter, "__delattr__")) return nullptr;
  return none_unless_failed(setter(self, PyTuple_GET_ITEM(args, 0), nullptr));
}

PyObject* wrap_descr_get(PyObject* self, PyObject* args, void* wrapped) {
  PyObject *object, *owner = nullptr;
  if (!PyArg_UnpackTuple(args, "", 1, 2, &object, &owner)) return nullptr;
  if (object == Py_None) object = nullptr;
  if (owner == Py_None) owner = nullptr;
  if (object == nullptr && owner == nullptr) {
    PyErr_SetString(PyExc_TypeError, "__get__(None, None) is invalid");
    return nullptr;
  }
  return reinterpret_cast<descrgetfunc>(wrapped)(self, object, owner);
}

PyObject* wrap_descr_set(PyObject* self, PyObject* args, void* wrapped) {
  PyObject *object, *value;
  if (!PyArg_UnpackTuple(args, "", 2, 2, &object, &value)) return nullptr;
  return none_unless_failed(reinterpret_cast<descrsetfunc>(wrapped)(self, object, value));
}

PyObject* wrap_descr_delete(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 1)) return nullptr;
  return none_unless_failed(reinterpret_cast<descrsetfunc>(wrapped)(self, PyTuple_GET_ITEM(args, 0), nullptr));
}

PyObject* wrap_finalize(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 0)) return nullptr;
  reinterpret_cast<destructor>(wrapped)(self);
  return Ref<>::none().release();
}

PyObject* wrap_call(PyObject* self, PyObject* args, void* wrapped, PyObject* kwargs) {
  return reinterpret_cast<ternaryfunc>(wrapped)(self, args, kwargs);
}

PyObject* wrap_init(PyObject* self, PyObject* args, void* wrapped, PyObject* kwargs) {
  return none_unless_failed(reinterpret_cast<initproc>(wrapped)(self, args, kwargs));
}

}  // namespace pyston
