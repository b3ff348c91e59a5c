// object.__reduce_ex__, __reduce__ and __getstate__: how pickle and copy take instances apart.
// Protocols 0 and 1 are copyreg's business; from 2 on the object is rebuilt by cls.__new__(cls, *args).
#include "Objects/core/object_reduce.h"

#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_dict.h"
#include "pycore_pyerrors.h"

namespace pyston {
namespace {

Ref<> import_copyreg() {
  // Straight from sys.modules where possible: pickling does this for every object.
  auto module = Ref<>::steal(PyImport_GetModule(&_Py_ID(copyreg)));
  if (module || PyErr_Occurred()) return module;
  return Ref<>::steal(PyImport_Import(&_Py_ID(copyreg)));
}

/// The names of all slots of a class and its bases: a list or None, cached in the class by copyreg.
Ref<> slot_names(PyTypeObject* type) {
  PyObject* cached = PyDict_GetItemWithError(type->tp_dict, &_Py_ID(__slotnames__));
  if (cached == nullptr && PyErr_Occurred()) return nullptr;
  if (cached != nullptr) {
    if (cached != Py_None && !PyList_Check(cached)) {
      return raise(PyExc_TypeError, "%.200s.__slotnames__ should be a list or None, not %.200s", type->tp_name,
                   Py_TYPE(cached)->tp_name);
    }
    return Ref<>::dup(cached);
  }
  auto copyreg = VM_TRY(import_copyreg());
  auto names = VM_TRY(
      Ref<>::steal(PyObject_CallMethodOneArg(copyreg.get(), &_Py_ID(_slotnames), as_object(type))));
  if (names.get() != Py_None && !PyList_Check(names.get())) {
    return raise(PyExc_TypeError, "copyreg._slotnames didn't return a list or None");
  }
  return names;
}

/// Raises for objects with C state that nobody would save.
Status check_picklable(PyObject* self, PyObject* names) {
  PyTypeObject* type = Py_TYPE(self);
  Py_ssize_t known = PyBaseObject_Type.tp_basicsize;
  constexpr Py_ssize_t kPointer = sizeof(PyObject*);
  if (type->tp_dictoffset != 0 && !has_feature(type, Py_TPFLAGS_MANAGED_DICT)) known += kPointer;
  if (type->tp_weaklistoffset != 0) known += kPointer;
  if (names != Py_None) known += kPointer * PyList_GET_SIZE(names);
  if (type->tp_basicsize > known) return raise(PyExc_TypeError, "cannot pickle '%.200s' object", type->tp_name);
  return Status::kOk;
}

enum class NewArguments { kNeeded, kProvided };

Ref<> default_state(PyObject* self, NewArguments arguments) {
  PyTypeObject* type = Py_TYPE(self);
  bool strict = arguments == NewArguments::kNeeded;
  if (strict && type->tp_itemsize) return raise(PyExc_TypeError, "cannot pickle %.200s objects", type->tp_name);
  auto state = VM_TRY(_PyObject_IsInstanceDictEmpty(self) ? Ref<>::none()
                                                          : Ref<>::steal(PyObject_GenericGetDict(self, nullptr)));
  auto names = VM_TRY(slot_names(type));
  if (strict) VM_CHECK(check_picklable(self, names.get()));
  if (names.get() == Py_None || PyList_GET_SIZE(names.get()) == 0) return state;

  auto slots = VM_TRY(Ref<>::steal(PyDict_New()));
  Py_ssize_t count = PyList_GET_SIZE(names.get());
  for (Py_ssize_t i = 0; i < count; i++) {
    auto name = Ref<>::dup(PyList_GET_ITEM(names.get(), i));
    PyObject* value;
    if (_PyObject_LookupAttr(self, name.get(), &value) < 0) return nullptr;
    if (value != nullptr) {
      int status = PyDict_SetItem(slots.get(), name.get(), value);
      Py_DECREF(value);
      if (status < 0) return nullptr;
    }
    if (PyList_GET_SIZE(names.get()) != count) {
      return raise(PyExc_RuntimeError, "__slotsname__ changed size during iteration");
    }
  }
  if (PyDict_GET_SIZE(slots.get()) == 0) return state;
  return Ref<>::steal(PyTuple_Pack(2, state.get(), slots.get()));
}


bool is_default_getstate(PyObject* method, PyObject* self) {
  if (Py_TYPE(method) != &PyCFunction_Type) return false;
  auto* function = reinterpret_cast<PyCFunctionObject*>(method);
  if (function->m_self != self) return false;
  PyObject* own = PyDict_GetItemWithError(PyBaseObject_Type.tp_dict, &_Py_ID(__getstate__));
  return own != nullptr && Py_TYPE(own) == &PyMethodDescr_Type &&
         reinterpret_cast<PyMethodDescrObject*>(own)->d_method->ml_meth == function->m_ml->ml_meth;
}

Ref<> state_of(PyObject* self, NewArguments arguments) {
  auto method = VM_TRY(Ref<>::steal(PyObject_GetAttr(self, &_Py_ID(__getstate__))));
  if (is_default_getstate(method.get(), self)) return default_state(self, arguments);
  return Ref<>::steal(_PyObject_CallNoArgs(method.get()));
}

/// Arguments for `__new__`: both null when the class defines neither of the two methods.
Status new_arguments(PyObject* self, Ref<>& args, Ref<>& kwargs) {
  auto extended = Ref<>::steal(_PyObject_LookupSpecial(self, &_Py_ID(__getnewargs_ex__)));
  if (extended) {
    auto pair = VM_TRY(Ref<>::steal(_PyObject_CallNoArgs(extended.get())));
    if (!PyTuple_Check(pair.get())) {
      return raise(PyExc_TypeError, "__getnewargs_ex__ should return a tuple, not '%.200s'",
                   Py_TYPE(pair.get())->tp_name);
    }
    if (PyTuple_GET_SIZE(pair.get()) != 2) {
      return raise(PyExc_ValueError, "__getnewargs_ex__ should return a tuple of length 2, not %zd",
                   PyTuple_GET_SIZE(pair.get()));
    }
    args = Ref<>::dup(PyTuple_GET_ITEM(pair.get(), 0));
    kwargs = Ref<>::dup(PyTuple_GET_ITEM(pair.get(), 1));
    if (!PyTuple_Check(args.get())) {
      return raise(PyExc_TypeError, "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '%.200s'",
                   Py_TYPE(args.get())->tp_name);
    }
    if (!PyDict_Check(kwargs.get())) {
      return raise(PyExc_TypeError, "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '%.200s'",
                   Py_TYPE(kwargs.get())->tp_name);
    }
    return Status::kOk;
  }
  if (PyErr_Occurred()) return Status::kError;
  auto simple = Ref<>::steal(_PyObject_LookupSpecial(self, &_Py_ID(__getnewargs__)));
  if (!simple) return PyErr_Occurred() ? Status::kError : Status::kOk;
  args = VM_TRY(Ref<>::steal(_PyObject_CallNoArgs(simple.get())));
  if (!PyTuple_Check(args.get())) {
    return raise(PyExc_TypeError, "__getnewargs__ should return a tuple, not '%.200s'", Py_TYPE(args.get())->tp_name);
  }
  return Status::kOk;
}

Ref<> reduce_protocol_2(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  if (type->tp_new == nullptr) return raise(PyExc_TypeError, "cannot pickle '%.200s' object", type->tp_name);
  Ref<> args, kwargs;
  VM_CHECK(new_arguments(self, args, kwargs));
  auto copyreg = VM_TRY(import_copyreg());
  bool has_args = args.get() != nullptr;
  Ref<> factory, factory_args;
  if (!kwargs || PyDict_GET_SIZE(kwargs.get()) == 0) {
    factory = VM_TRY(Ref<>::steal(PyObject_GetAttr(copyreg.get(), &_Py_ID(__newobj__))));
    Py_ssize_t count = has_args ? PyTuple_GET_SIZE(args.get()) : 0;
    factory_args = VM_TRY(Ref<>::steal(PyTuple_New(count + 1)));
    PyTuple_SET_ITEM(factory_args.get(), 0, Py_NewRef(as_object(type)));
    for (Py_ssize_t i = 0; i < count; i++) {
      PyTuple_SET_ITEM(factory_args.get(), i + 1, Py_NewRef(PyTuple_GET_ITEM(args.get(), i)));
    }
  } else if (has_args) {
    factory = VM_TRY(Ref<>::steal(PyObject_GetAttr(copyreg.get(), &_Py_ID(__newobj_ex__))));
    factory_args = VM_TRY(Ref<>::steal(PyTuple_Pack(3, type, args.get(), kwargs.get())));
  } else {
    PyErr_BadInternalCall();
    return nullptr;
  }
  bool provided = has_args || PyList_Check(self) || PyDict_Check(self);
  auto state = VM_TRY(state_of(self, provided ? NewArguments::kProvided : NewArguments::kNeeded));
  Ref<> list_items = Ref<>::none();
  Ref<> dict_items = Ref<>::none();
  if (PyList_Check(self)) list_items = VM_TRY(Ref<>::steal(PyObject_GetIter(self)));
  if (PyDict_Check(self)) {
    auto items = VM_TRY(Ref<>::steal(PyObject_CallMethodNoArgs(self, &_Py_ID(items))));
    dict_items = VM_TRY(Ref<>::steal(PyObject_GetIter(items.get())));
  }
  return Ref<>::steal(PyTuple_Pack(5, factory.get(), factory_args.get(), state.get(), list_items.get(),
                                   dict_items.get()));
}

Ref<> reduce_by_protocol(PyObject* self, int protocol) {
  if (protocol >= 2) return reduce_protocol_2(self);
  auto copyreg = VM_TRY(import_copyreg());
  return Ref<>::steal(PyObject_CallMethod(copyreg.get(), "_reduce_ex", "Oi", self, protocol));
}

}  // namespace

Ref<> object_reduce(Borrowed<> self) { return reduce_by_protocol(self, 0); }

Ref<> object_reduce_ex(Borrowed<> self, int protocol) {
  PyObject* reduce;
  if (_PyObject_LookupAttr(self, &_Py_ID(__reduce__), &reduce) < 0) return nullptr;
  if (reduce != nullptr) {
    auto owner = Ref<>::steal(reduce);
    auto of_class = VM_TRY(Ref<>::steal(PyObject_GetAttr(as_object(Py_TYPE(self)), &_Py_ID(__reduce__))));
    PyObject* of_object = PyDict_GetItemWithError(PyBaseObject_Type.tp_dict, &_Py_ID(__reduce__));
    if (of_class.get() != of_object) return Ref<>::steal(_PyObject_CallNoArgs(reduce));
  }
  return reduce_by_protocol(self, protocol);
}

Ref<> object_getstate(Borrowed<> self) { return default_state(self, NewArguments::kProvided); }

}  // namespace pyston

extern "C" PyObject* _PyObject_GetState(PyObject* self) {
  return pyston::state_of(self, pyston::NewArguments::kProvided).release();
}
