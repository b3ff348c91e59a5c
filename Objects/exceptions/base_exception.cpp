// BaseException: arguments, notes, traceback, cause and context, and the PyException_* functions over them.
//
// INVARIANT: `args` is a tuple, except in an object that tp_clear has emptied, or that was made by a foreign tp_new.
#include "Objects/exceptions/exception_fields.h"

namespace pyston {

bool refuse_keywords(const char* name, PyObject* kwargs) {
  if (LIKELY(kwargs == nullptr) || PyDict_GET_SIZE(kwargs) == 0) return true;
  PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", name);
  return false;
}

PyObject* base_exception_new(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  if (args != nullptr) {
    as_exception(self)->args = Py_NewRef(args);
    return self;
  }
  as_exception(self)->args = PyTuple_New(0);
  if (as_exception(self)->args == nullptr) {
    Py_DECREF(self);
    return nullptr;
  }
  return self;
}

void base_exception_set_args(PyObject* self, PyObject* args) {
  replace_field(as_exception(self)->args, Py_NewRef(args));
}

int base_exception_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (!refuse_keywords(Py_TYPE(self)->tp_name, kwargs)) return -1;
  base_exception_set_args(self, args);
  return 0;
}

int base_exception_clear(PyObject* self) {
  PyBaseExceptionObject* exception = as_exception(self);
  Py_CLEAR(exception->dict);
  Py_CLEAR(exception->args);
  Py_CLEAR(exception->notes);
  Py_CLEAR(exception->traceback);
  Py_CLEAR(exception->cause);
  Py_CLEAR(exception->context);
  return 0;
}

int base_exception_traverse(PyObject* self, visitproc visit, void* arg) {
  PyBaseExceptionObject* exception = as_exception(self);
  Py_VISIT(exception->dict);
  Py_VISIT(exception->args);
  Py_VISIT(exception->notes);
  Py_VISIT(exception->traceback);
  Py_VISIT(exception->cause);
  Py_VISIT(exception->context);
  return 0;
}

PyObject* base_exception_str(PyObject* self) {
  PyObject* args = as_exception(self)->args;
  switch (PyTuple_GET_SIZE(args)) {
    case 0:
      return PyUnicode_FromString("");
    case 1:
      return PyObject_Str(PyTuple_GET_ITEM(args, 0));
    default:
      return PyObject_Str(args);
  }
}

PyObject* exception_reduce_with(PyObject* self, PyObject* args) {
  PyObject* dict = as_exception(self)->dict;
  if (dict != nullptr) return PyTuple_Pack(3, Py_TYPE(self), args, dict);
  return PyTuple_Pack(2, Py_TYPE(self), args);
}

namespace {

PyObject* base_exception_repr(PyObject* self) {
  const char* name = _PyType_Name(Py_TYPE(self));
  PyObject* args = as_exception(self)->args;
  if (PyTuple_GET_SIZE(args) == 1) return PyUnicode_FromFormat("%s(%R)", name, PyTuple_GET_ITEM(args, 0));
  return PyUnicode_FromFormat("%s%R", name, args);
}

Ref<> add_note(Borrowed<> self, Borrowed<> note) {
  if (!PyUnicode_Check(note)) {
    return raise(PyExc_TypeError, "note must be a str, not '%s'", Py_TYPE(note.get())->tp_name);
  }
  PyObject* found;
  if (_PyObject_LookupAttr(self, &_Py_ID(__notes__), &found) < 0) return nullptr;
  auto notes = Ref<>::steal(found);
  if (!notes) {
    notes = Ref<>::steal(PyList_New(0));
    if (!notes || PyObject_SetAttr(self, &_Py_ID(__notes__), notes.get()) < 0) return nullptr;
  } else if (!PyList_Check(notes.get())) {
    return raise(PyExc_TypeError, "Cannot add note: __notes__ is not a list");
  }
  if (PyList_Append(notes.get(), note) < 0) return nullptr;
  return Ref<>::none();
}

Ref<> reduce(Borrowed<> self) {
  return Ref<>::steal(exception_reduce_with(self, as_exception(self)->args));
}

Ref<> setstate(Borrowed<> self, Borrowed<> state) {
  if (state.get() == Py_None) return Ref<>::none();
  if (!PyDict_Check(state)) return raise(PyExc_TypeError, "state is not a dictionary");
  Py_ssize_t position = 0;
  PyObject* key;
  PyObject* value;
  while (PyDict_Next(state, &position, &key, &value)) {
    auto held_key = Ref<>::dup(key);  // the assignment below can run code that empties the dictionary
    auto held_value = Ref<>::dup(value);
    if (PyObject_SetAttr(self, key, value) < 0) return nullptr;
  }
  return Ref<>::none();
}

Status set_traceback(Borrowed<> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_TypeError, "__traceback__ may not be deleted");
  return PyException_SetTraceback(self, value) < 0 ? Status::kError : Status::kOk;
}

Ref<> with_traceback(Borrowed<> self, Borrowed<> tb) {
  if (!ok(set_traceback(self, tb))) return nullptr;
  return Ref<>::dup(self.get());
}

Ref<> none_or(PyObject* value) { return value == nullptr ? Ref<>::none() : Ref<>::dup(value); }

Ref<> get_args(Borrowed<> self) { return none_or(as_exception(self)->args); }
Status set_args(Borrowed<> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_TypeError, "args may not be deleted");
  PyObject* tuple = PySequence_Tuple(value);
  if (tuple == nullptr) return Status::kError;
  replace_field(as_exception(self)->args, tuple);
  return Status::kOk;
}

Ref<> get_traceback(Borrowed<> self) { return none_or(as_exception(self)->traceback); }

Ref<> get_context(Borrowed<> self) { return none_or(as_exception(self)->context); }
Status set_context(Borrowed<> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_TypeError, "__context__ may not be deleted");
  if (value == Py_None) {
    value = nullptr;
  } else if (!is_exception_instance(value)) {
    return raise(PyExc_TypeError, "exception context must be None or derive from BaseException");
  }
  Py_XINCREF(value);
  PyException_SetContext(self, value);
  return Status::kOk;
}

Ref<> get_cause(Borrowed<> self) { return none_or(as_exception(self)->cause); }
Status set_cause(Borrowed<> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_TypeError, "__cause__ may not be deleted");
  if (value == Py_None) {
    value = nullptr;
  } else if (!is_exception_instance(value)) {
    return raise(PyExc_TypeError, "exception cause must be None or derive from BaseException");
  }
  Py_XINCREF(value);
  PyException_SetCause(self, value);
  return Status::kOk;
}

PyMethodDef base_exception_methods[] = {
    method<reduce, "__reduce__($self)">(),
    method<setstate, "__setstate__($self, state, /)">(),
    method<with_traceback, "with_traceback($self, tb, /)", "Sets __traceback__ and returns the exception itself.">(),
    method<add_note, "add_note($self, note, /)", "Appends a note that tracebacks show below the message.">(),
    {}};

PyMemberDef base_exception_members[] = {
    {"__suppress_context__", T_BOOL, offsetof(PyBaseExceptionObject, suppress_context), 0, nullptr}, {}};

PyGetSetDef base_exception_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    getset<get_args, set_args>("args"),
    getset<get_traceback, set_traceback>("__traceback__"),
    getset<get_context, set_context>("__context__", "the exception that was being handled"),
    getset<get_cause, set_cause>("__cause__", "the exception named by `raise ... from`"),
    {}};

}  // namespace
}  // namespace pyston

using namespace pyston;

extern "C" {
PyTypeObject _PyExc_BaseException = {
    .ob_base = type_head(),
    .tp_name = "BaseException",
    .tp_basicsize = sizeof(PyBaseExceptionObject),
    .tp_dealloc = BaseFields::dealloc,
    .tp_repr = base_exception_repr,
    .tp_str = base_exception_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = kExceptionFlags,
    .tp_doc = "Common base class of all exceptions.",
    .tp_traverse = base_exception_traverse,
    .tp_clear = base_exception_clear,
    .tp_methods = base_exception_methods,
    .tp_members = base_exception_members,
    .tp_getset = base_exception_getset,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = base_exception_init,
    .tp_new = base_exception_new,
};
}

PyObject* PyException_GetTraceback(PyObject* self) {
  PyObject* traceback = as_exception(self)->traceback;
  Py_XINCREF(traceback);
  return traceback;
}

int PyException_SetTraceback(PyObject* self, PyObject* traceback) {
  if (traceback == nullptr) {
    PyErr_SetString(PyExc_TypeError, "__traceback__ may not be deleted");
    return -1;
  }
  if (traceback == Py_None) {
    replace_field(as_exception(self)->traceback, nullptr);
    return 0;
  }
  if (!PyTraceBack_Check(traceback)) {
    PyErr_SetString(PyExc_TypeError, "__traceback__ must be a traceback or None");
    return -1;
  }
  replace_field(as_exception(self)->traceback, Py_NewRef(traceback));
  return 0;
}

PyObject* PyException_GetCause(PyObject* self) {
  PyObject* cause = as_exception(self)->cause;
  Py_XINCREF(cause);
  return cause;
}

void PyException_SetCause(PyObject* self, PyObject* stolen_cause) {
  as_exception(self)->suppress_context = 1;
  replace_field(as_exception(self)->cause, stolen_cause);
}

PyObject* PyException_GetContext(PyObject* self) {
  PyObject* context = as_exception(self)->context;
  Py_XINCREF(context);
  return context;
}

void PyException_SetContext(PyObject* self, PyObject* stolen_context) {
  replace_field(as_exception(self)->context, stolen_context);
}

#undef PyExceptionClass_Name
const char* PyExceptionClass_Name(PyObject* type) { return reinterpret_cast<PyTypeObject*>(type)->tp_name; }
