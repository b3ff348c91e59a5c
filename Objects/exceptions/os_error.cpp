// OSError: OSError(errno, text, ...) makes the subclass that belongs to the errno, so the arguments are parsed before
// the type is known.
//
// QUIRK: they are parsed in __new__, unless a subclass overrides __init__ and not __new__; then in __init__, which gets
// what the subclass passes on.
#include <cerrno>

#include "Objects/exceptions/exception_fields.h"

namespace pyston {
namespace {

struct OSErrorArguments {
  PyObject* number = nullptr;
  PyObject* text = nullptr;
  PyObject* filename = nullptr;
  PyObject* filename2 = nullptr;
};

bool uses_init(PyTypeObject* type);

/// Borrowed arguments out of a tuple of 2 to 5 (the fourth is Windows's); other sizes have no meaning.
OSErrorArguments parse_arguments(PyObject* args) {
  const Py_ssize_t size = PyTuple_GET_SIZE(args);
  OSErrorArguments parsed;
  if (size < 2 || size > 5) return parsed;
  parsed.number = PyTuple_GET_ITEM(args, 0);
  parsed.text = PyTuple_GET_ITEM(args, 1);
  if (size > 2) parsed.filename = PyTuple_GET_ITEM(args, 2);
  if (size > 4) parsed.filename2 = PyTuple_GET_ITEM(args, 4);
  return parsed;
}

bool fill(PyOSErrorObject* self, PyObject* args, const OSErrorArguments& parsed) {
  auto kept = Ref<>::dup(args);
  if (parsed.filename != nullptr && parsed.filename != Py_None) {
    if (Py_IS_TYPE(as_object(self), &_PyExc_BlockingIOError) && PyNumber_Check(parsed.filename)) {
      // The third argument of BlockingIOError is a count.
      self->written = PyNumber_AsSsize_t(parsed.filename, PyExc_ValueError);
      if (self->written == -1 && PyErr_Occurred()) return false;
    } else {
      replace_field(self->filename, Py_NewRef(parsed.filename));
      if (parsed.filename2 != nullptr && parsed.filename2 != Py_None) {
        replace_field(self->filename2, Py_NewRef(parsed.filename2));
      }
      // QUIRK: `args` loses the file names.
      kept = Ref<>::steal(PyTuple_GetSlice(args, 0, 2));
      if (!kept) return false;
    }
  }
  if (parsed.number != nullptr) replace_field(self->myerrno, Py_NewRef(parsed.number));
  if (parsed.text != nullptr) replace_field(self->strerror, Py_NewRef(parsed.text));
  replace_field(self->args, kept.release());
  return true;
}

PyObject* os_error_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  const bool in_init = uses_init(type);
  OSErrorArguments parsed;
  if (!in_init) {
    if (!refuse_keywords(type->tp_name, kwargs)) return nullptr;
    parsed = parse_arguments(args);
    PyObject* map = _PyInterpreterState_GET()->exc_state.errnomap;
    if (type == &_PyExc_OSError && parsed.number != nullptr && PyLong_Check(parsed.number) && map != nullptr) {
      PyObject* subclass = PyDict_GetItemWithError(map, parsed.number);
      if (subclass != nullptr) {
        type = reinterpret_cast<PyTypeObject*>(subclass);
      } else if (PyErr_Occurred()) {
        return nullptr;
      }
    }
  }
  auto self = Ref<PyOSErrorObject>::steal(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  self->written = -1;
  if (in_init) {
    self->args = PyTuple_New(0);
    if (self->args == nullptr) return nullptr;
  } else if (!fill(self.get(), args, parsed)) {
    return nullptr;
  }
  return as_object(self.release());
}

bool uses_init(PyTypeObject* type) { return type->tp_init != os_error_init && type->tp_new == os_error_new; }

PyObject* or_none(PyObject* value) { return value != nullptr ? value : Py_None; }

PyObject* os_error_str(PyObject* object) {
  auto* self = reinterpret_cast<PyOSErrorObject*>(object);
  PyObject* number = or_none(self->myerrno);
  PyObject* text = or_none(self->strerror);
  if (self->filename != nullptr) {
    if (self->filename2 != nullptr) {
      return PyUnicode_FromFormat("[Errno %S] %S: %R -> %R", number, text, self->filename, self->filename2);
    }
    return PyUnicode_FromFormat("[Errno %S] %S: %R", number, text, self->filename);
  }
  if (self->myerrno != nullptr && self->strerror != nullptr) {
    return PyUnicode_FromFormat("[Errno %S] %S", self->myerrno, self->strerror);
  }
  return base_exception_str(object);
}

Ref<> os_error_reduce(Borrowed<PyOSErrorObject> self) {
  auto args = Ref<>::dup(self->args);
  if (PyTuple_GET_SIZE(args.get()) == 2 && self->filename != nullptr) {
    PyObject* number = PyTuple_GET_ITEM(self->args, 0);
    PyObject* text = PyTuple_GET_ITEM(self->args, 1);
    args = Ref<>::steal(self->filename2 != nullptr
                            ? PyTuple_Pack(5, number, text, self->filename, Py_None, self->filename2)
                            : PyTuple_Pack(3, number, text, self->filename));
    if (!args) return nullptr;
  }
  return Ref<>::steal(exception_reduce_with(self.object(), args.get()));
}

Ref<> get_written(Borrowed<PyOSErrorObject> self) {
  if (self->written == -1) return raise(PyExc_AttributeError, "characters_written");
  return Ref<>::steal(PyLong_FromSsize_t(self->written));
}

Status set_written(Borrowed<PyOSErrorObject> self, PyObject* value) {
  if (value == nullptr) {
    if (self->written == -1) return raise(PyExc_AttributeError, "characters_written");
    self->written = -1;
    return Status::kOk;
  }
  const Py_ssize_t written = PyNumber_AsSsize_t(value, PyExc_ValueError);
  if (written == -1 && PyErr_Occurred()) return Status::kError;
  self->written = written;
  return Status::kOk;
}

PyMethodDef os_error_methods[] = {method<os_error_reduce, "__reduce__($self)">(), {}};
PyMemberDef os_error_members[] = {
    {"errno", T_OBJECT, offsetof(PyOSErrorObject, myerrno), 0, "number of the error"},
    {"strerror", T_OBJECT, offsetof(PyOSErrorObject, strerror), 0, "text of the error"},
    {"filename", T_OBJECT, offsetof(PyOSErrorObject, filename), 0, "name of the file"},
    {"filename2", T_OBJECT, offsetof(PyOSErrorObject, filename2), 0, "name of the second file"},
    {}};
PyGetSetDef os_error_getset[] = {
    getset<get_written, set_written>("characters_written", "how much was written before the operation blocked"), {}};

struct ErrnoRow {
  int number;
  PyTypeObject* type;
};
constexpr ErrnoRow kErrnoTable[] = {
    {EAGAIN, &_PyExc_BlockingIOError},        {EALREADY, &_PyExc_BlockingIOError},
    {EINPROGRESS, &_PyExc_BlockingIOError},   {EWOULDBLOCK, &_PyExc_BlockingIOError},
    {EPIPE, &_PyExc_BrokenPipeError},         {ESHUTDOWN, &_PyExc_BrokenPipeError},
    {ECHILD, &_PyExc_ChildProcessError},      {ECONNABORTED, &_PyExc_ConnectionAbortedError},
    {ECONNREFUSED, &_PyExc_ConnectionRefusedError}, {ECONNRESET, &_PyExc_ConnectionResetError},
    {EEXIST, &_PyExc_FileExistsError},        {ENOENT, &_PyExc_FileNotFoundError},
    {EISDIR, &_PyExc_IsADirectoryError},      {ENOTDIR, &_PyExc_NotADirectoryError},
    {EINTR, &_PyExc_InterruptedError},        {EACCES, &_PyExc_PermissionError},
    {EPERM, &_PyExc_PermissionError},         {ESRCH, &_PyExc_ProcessLookupError},
    {ETIMEDOUT, &_PyExc_TimeoutError},
};

}  // namespace

int os_error_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyTypeObject* type = Py_TYPE(self);
  if (!uses_init(type)) return 0;  // __new__ has done it all
  if (!refuse_keywords(type->tp_name, kwargs)) return -1;
  return fill(reinterpret_cast<PyOSErrorObject*>(self), args, parse_arguments(args)) ? 0 : -1;
}

bool build_errno_map(PyInterpreterState* interp) {
  auto map = Ref<>::steal(PyDict_New());
  if (!map) return false;
  for (const ErrnoRow& row : kErrnoTable) {
    auto number = Ref<>::steal(PyLong_FromLong(row.number));
    if (!number || PyDict_SetItem(map.get(), number.get(), as_object(row.type)) < 0) return false;
  }
  interp->exc_state.errnomap = map.release();
  return true;
}

}  // namespace pyston

using namespace pyston;

extern "C" {
PyTypeObject _PyExc_OSError = {
    .ob_base = type_head(),
    .tp_name = "OSError",
    .tp_basicsize = sizeof(PyOSErrorObject),
    .tp_dealloc = OSErrorFields::dealloc,
    .tp_str = os_error_str,
    .tp_flags = kExceptionFlags,
    .tp_doc = "Base class of errors that the operating system reports.",
    .tp_traverse = OSErrorFields::traverse,
    .tp_clear = OSErrorFields::clear,
    .tp_methods = os_error_methods,
    .tp_members = os_error_members,
    .tp_getset = os_error_getset,
    .tp_base = &_PyExc_Exception,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = os_error_init,
    .tp_new = os_error_new,
};
}
