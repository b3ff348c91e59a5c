// Exceptions with one or two attributes of their own: StopIteration, SystemExit, ImportError, NameError,
// AttributeError; KeyError's message; MemoryError's reserve.
#include "Objects/exceptions/exception_fields.h"

namespace pyston {
namespace {


// ---- StopIteration and SystemExit: the argument as an attribute

int stop_iteration_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (base_exception_init(self, args, kwargs) < 0) return -1;
  PyObject* value = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : Py_None;
  replace_field(reinterpret_cast<PyStopIterationObject*>(self)->value, Py_NewRef(value));
  return 0;
}

int system_exit_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (base_exception_init(self, args, kwargs) < 0) return -1;
  const Py_ssize_t size = PyTuple_GET_SIZE(args);
  if (size == 0) return 0;
  PyObject* code = size == 1 ? PyTuple_GET_ITEM(args, 0) : args;
  replace_field(reinterpret_cast<PySystemExitObject*>(self)->code, Py_NewRef(code));
  return 0;
}

/// Takes keyword-only attributes out of `kwargs` into borrowed `values` (null where absent).
bool parse_attributes(const char* format, PyObject* kwargs, const char* const* names, PyObject** first,
                      PyObject** second) {
  if (kwargs == nullptr || PyDict_GET_SIZE(kwargs) == 0) return true;
  auto empty = Ref<>::steal(PyTuple_New(0));
  if (!empty) return false;
  return PyArg_ParseTupleAndKeywords(empty.get(), kwargs, format, const_cast<char**>(names), first, second) != 0;
}

PyObject* import_error_str(PyObject* self) {
  PyObject* msg = reinterpret_cast<PyImportErrorObject*>(self)->msg;
  if (msg != nullptr && PyUnicode_CheckExact(msg)) return Py_NewRef(msg);
  return base_exception_str(self);
}

Ref<> import_error_reduce(Borrowed<PyImportErrorObject> self) {
  auto state = Ref<>::dup(self->dict);
  if (self->name != nullptr || self->path != nullptr) {
    state = Ref<>::steal(self->dict != nullptr ? PyDict_Copy(self->dict) : PyDict_New());
    if (!state) return nullptr;
    if (self->name != nullptr && PyDict_SetItem(state.get(), &_Py_ID(name), self->name) < 0) return nullptr;
    if (self->path != nullptr && PyDict_SetItem(state.get(), &_Py_ID(path), self->path) < 0) return nullptr;
  }
  PyTypeObject* type = Py_TYPE(self.object());
  if (!state) return Ref<>::steal(PyTuple_Pack(2, type, self->args));
  return Ref<>::steal(PyTuple_Pack(3, type, self->args, state.get()));
}

int attribute_error_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"name", "obj", nullptr};
  base_exception_set_args(self, args);
  PyObject* name = nullptr;
  PyObject* obj = nullptr;
  if (!parse_attributes("|$OO:AttributeError", kwargs, kNames, &name, &obj)) return -1;
  auto* error = reinterpret_cast<PyAttributeErrorObject*>(self);
  Py_XINCREF(name);
  replace_field(error->name, name);
  Py_XINCREF(obj);
  replace_field(error->obj, obj);
  return 0;
}

/// A single key is shown by its repr: str(KeyError("")) would be nothing at all.
PyObject* key_error_str(PyObject* self) {
  PyObject* args = as_exception(self)->args;
  if (PyTuple_GET_SIZE(args) == 1) return PyObject_Repr(PyTuple_GET_ITEM(args, 0));
  return base_exception_str(self);
}

// ---- MemoryError: instances kept in reserve, linked through `dict`

constexpr int kMemoryErrorReserve = 16;

PyObject* memory_error_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (type != &_PyExc_MemoryError) return base_exception_new(type, args, kwargs);
  _Py_exc_state& state = _PyInterpreterState_GET()->exc_state;
  PyBaseExceptionObject* self = state.memerrors_freelist;
  if (self == nullptr) return base_exception_new(type, args, kwargs);
  PyObject* empty = PyTuple_New(0);  // a singleton: this cannot fail for want of memory
  if (empty == nullptr) return nullptr;
  state.memerrors_freelist = reinterpret_cast<PyBaseExceptionObject*>(self->dict);
  state.memerrors_numfree--;
  self->dict = nullptr;
  self->args = empty;
  self->suppress_context = 0;
  _Py_NewReference(as_object(self));
  _PyObject_GC_TRACK(self);
  return as_object(self);
}

void memory_error_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  base_exception_clear(self);
  if (!Py_IS_TYPE(self, &_PyExc_MemoryError)) {
    Py_TYPE(self)->tp_free(self);
    return;
  }
  _Py_exc_state& state = _PyInterpreterState_GET()->exc_state;
  if (state.memerrors_numfree >= kMemoryErrorReserve) {
    Py_TYPE(self)->tp_free(self);
    return;
  }
  as_exception(self)->dict = as_object(state.memerrors_freelist);
  state.memerrors_freelist = as_exception(self);
  state.memerrors_numfree++;
}

using StopIterationFields = Fields<PyStopIterationObject, &PyStopIterationObject::value>;
using SystemExitFields = Fields<PySystemExitObject, &PySystemExitObject::code>;
using AttributeErrorFields =
    Fields<PyAttributeErrorObject, &PyAttributeErrorObject::obj, &PyAttributeErrorObject::name>;

PyMemberDef stop_iteration_members[] = {
    {"value", T_OBJECT, offsetof(PyStopIterationObject, value), 0, "what the generator returned"}, {}};
PyMemberDef system_exit_members[] = {{"code", T_OBJECT, offsetof(PySystemExitObject, code), 0, "exit status"}, {}};
PyMemberDef import_error_members[] = {
    {"msg", T_OBJECT, offsetof(PyImportErrorObject, msg), 0, "message"},
    {"name", T_OBJECT, offsetof(PyImportErrorObject, name), 0, "name of the module"},
    {"path", T_OBJECT, offsetof(PyImportErrorObject, path), 0, "path of the module"},
    {}};
PyMethodDef import_error_methods[] = {method<import_error_reduce, "__reduce__($self)">(), {}};
PyMemberDef name_error_members[] = {{"name", T_OBJECT, offsetof(PyNameErrorObject, name), 0, "the name"}, {}};
PyMemberDef attribute_error_members[] = {
    {"name", T_OBJECT, offsetof(PyAttributeErrorObject, name), 0, "name of the attribute"},
    {"obj", T_OBJECT, offsetof(PyAttributeErrorObject, obj), 0, "the object it was looked up on"},
    {}};

}  // namespace

int import_error_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"name", "path", nullptr};
  base_exception_set_args(self, args);
  PyObject* name = nullptr;
  PyObject* path = nullptr;
  if (!parse_attributes("|$OO:ImportError", kwargs, kNames, &name, &path)) return -1;
  auto* error = reinterpret_cast<PyImportErrorObject*>(self);
  Py_XINCREF(name);
  replace_field(error->name, name);
  Py_XINCREF(path);
  replace_field(error->path, path);
  PyObject* msg = PyTuple_GET_SIZE(args) == 1 ? Py_NewRef(PyTuple_GET_ITEM(args, 0)) : nullptr;
  replace_field(error->msg, msg);
  return 0;
}

int name_error_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"name", nullptr};
  base_exception_set_args(self, args);
  PyObject* name = nullptr;
  if (!parse_attributes("|$O:NameError", kwargs, kNames, &name, nullptr)) return -1;
  Py_XINCREF(name);
  replace_field(reinterpret_cast<PyNameErrorObject*>(self)->name, name);
  return 0;
}

bool fill_memory_error_list() {
  PyObject* errors[kMemoryErrorReserve];
  int made = 0;
  for (; made < kMemoryErrorReserve; made++) {
    errors[made] = memory_error_new(&_PyExc_MemoryError, nullptr, nullptr);
    if (errors[made] == nullptr) break;
  }
  const bool complete = made == kMemoryErrorReserve;
  while (made > 0) Py_DECREF(errors[--made]);
  return complete;
}

void free_memory_error_list(PyInterpreterState* interp) {
  _Py_exc_state& state = interp->exc_state;
  while (state.memerrors_freelist != nullptr) {
    PyBaseExceptionObject* self = state.memerrors_freelist;
    state.memerrors_freelist = reinterpret_cast<PyBaseExceptionObject*>(self->dict);
    Py_TYPE(self)->tp_free(self);
  }
  state.memerrors_numfree = 0;
}

}  // namespace pyston

using namespace pyston;

extern "C" {

PyTypeObject _PyExc_StopIteration = {
    .ob_base = type_head(),
    .tp_name = "StopIteration",
    .tp_basicsize = sizeof(PyStopIterationObject),
    .tp_dealloc = StopIterationFields::dealloc,
    .tp_flags = kExceptionFlags,
    .tp_doc = "Signals that an iterator has no further items.",
    .tp_traverse = StopIterationFields::traverse,
    .tp_clear = StopIterationFields::clear,
    .tp_members = stop_iteration_members,
    .tp_base = &_PyExc_Exception,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = stop_iteration_init,
};

PyTypeObject _PyExc_SystemExit = {
    .ob_base = type_head(),
    .tp_name = "SystemExit",
    .tp_basicsize = sizeof(PySystemExitObject),
    .tp_dealloc = SystemExitFields::dealloc,
    .tp_flags = kExceptionFlags,
    .tp_doc = "Requests that the interpreter exits.",
    .tp_traverse = SystemExitFields::traverse,
    .tp_clear = SystemExitFields::clear,
    .tp_members = system_exit_members,
    .tp_base = &_PyExc_BaseException,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = system_exit_init,
};

PyTypeObject _PyExc_ImportError = {
    .ob_base = type_head(),
    .tp_name = "ImportError",
    .tp_basicsize = sizeof(PyImportErrorObject),
    .tp_dealloc = ImportErrorFields::dealloc,
    .tp_str = import_error_str,
    .tp_flags = kExceptionFlags,
    .tp_doc = "A module, or a name in it, cannot be imported.",
    .tp_traverse = ImportErrorFields::traverse,
    .tp_clear = ImportErrorFields::clear,
    .tp_methods = import_error_methods,
    .tp_members = import_error_members,
    .tp_base = &_PyExc_Exception,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = import_error_init,
};

PyTypeObject _PyExc_NameError = {
    .ob_base = type_head(),
    .tp_name = "NameError",
    .tp_basicsize = sizeof(PyNameErrorObject),
    .tp_dealloc = NameErrorFields::dealloc,
    .tp_str = base_exception_str,
    .tp_flags = kExceptionFlags,
    .tp_doc = "A name is neither local nor global.",
    .tp_traverse = NameErrorFields::traverse,
    .tp_clear = NameErrorFields::clear,
    .tp_members = name_error_members,
    .tp_base = &_PyExc_Exception,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = name_error_init,
};

PyTypeObject _PyExc_AttributeError = {
    .ob_base = type_head(),
    .tp_name = "AttributeError",
    .tp_basicsize = sizeof(PyAttributeErrorObject),
    .tp_dealloc = AttributeErrorFields::dealloc,
    .tp_str = base_exception_str,
    .tp_flags = kExceptionFlags,
    .tp_doc = "An object lacks the attribute.",
    .tp_traverse = AttributeErrorFields::traverse,
    .tp_clear = AttributeErrorFields::clear,
    .tp_members = attribute_error_members,
    .tp_base = &_PyExc_Exception,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = attribute_error_init,
};

PyTypeObject _PyExc_KeyError = {
    .ob_base = type_head(),
    .tp_name = "KeyError",
    .tp_basicsize = sizeof(PyBaseExceptionObject),
    .tp_dealloc = BaseFields::dealloc,
    .tp_str = key_error_str,
    .tp_flags = kExceptionFlags,
    .tp_doc = "A mapping lacks the key.",
    .tp_traverse = base_exception_traverse,
    .tp_clear = base_exception_clear,
    .tp_base = &_PyExc_LookupError,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = base_exception_init,
};

PyTypeObject _PyExc_MemoryError = {
    .ob_base = type_head(),
    .tp_name = "MemoryError",
    .tp_basicsize = sizeof(PyBaseExceptionObject),
    .tp_dealloc = memory_error_dealloc,
    .tp_flags = kExceptionFlags,
    .tp_doc = "There is not enough memory.",
    .tp_traverse = base_exception_traverse,
    .tp_clear = base_exception_clear,
    .tp_base = &_PyExc_Exception,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = base_exception_init,
    .tp_new = memory_error_new,
};

}
