// The C API's view of files (PyFile_*), and the printer that stands in for sys.stderr before `_io` works.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

#include "Lib/native/io/io.h"
#include "internal/pycore_fileutils.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"

using pyston::Ref;
using pyston::raise;

PyObject* PyFile_FromFd(int fd, const char* name, const char* mode, int buffering, const char* encoding,
                        const char* errors, const char* newline, int closefd) {
  auto io = Ref<>::steal(PyImport_ImportModule("io"));
  if (!io) return nullptr;
  return _PyObject_CallMethod(io.get(), &_Py_ID(open), "isisssO", fd, mode, buffering, encoding, errors, newline,
                              closefd ? Py_True : Py_False);
}

PyObject* PyFile_GetLine(PyObject* file, int n) {
  if (file == nullptr) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  auto line = n <= 0 ? Ref<>::steal(PyObject_CallMethodNoArgs(file, &_Py_ID(readline)))
                     : Ref<>::steal(_PyObject_CallMethod(file, &_Py_ID(readline), "i", n));
  if (!line) return nullptr;
  if (!PyBytes_Check(line.get()) && !PyUnicode_Check(line.get())) {
    return raise(PyExc_TypeError, "object.readline() returned non-string");
  }
  if (n >= 0) return line.release();
  // With a negative n the newline goes away and the end of the file is an error.
  if (PyBytes_Check(line.get())) {
    const Py_ssize_t size = PyBytes_GET_SIZE(line.get());
    const char* text = PyBytes_AS_STRING(line.get());
    if (size == 0) return raise(PyExc_EOFError, "EOF when reading a line");
    if (text[size - 1] != '\n') return line.release();
    return PyBytes_FromStringAndSize(text, size - 1);
  }
  const Py_ssize_t length = PyUnicode_GET_LENGTH(line.get());
  if (length == 0) return raise(PyExc_EOFError, "EOF when reading a line");
  if (PyUnicode_READ_CHAR(line.get(), length - 1) != '\n') return line.release();
  return PyUnicode_Substring(line.get(), 0, length - 1);
}

int PyFile_WriteObject(PyObject* value, PyObject* file, int flags) {
  if (file == nullptr) {
    PyErr_SetString(PyExc_TypeError, "writeobject with NULL file");
    return -1;
  }
  auto write = Ref<>::steal(PyObject_GetAttr(file, &_Py_ID(write)));
  if (!write) return -1;
  auto text = Ref<>::steal(flags & Py_PRINT_RAW ? PyObject_Str(value) : PyObject_Repr(value));
  if (!text) return -1;
  auto result = Ref<>::steal(PyObject_CallOneArg(write.get(), text.get()));
  return result ? 0 : -1;
}

int PyFile_WriteString(const char* text, PyObject* file) {
  if (file == nullptr) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "null file for PyFile_WriteString");
    return -1;
  }
  if (PyErr_Occurred()) return -1;
  auto value = Ref<>::steal(PyUnicode_FromString(text));
  return value ? PyFile_WriteObject(value.get(), file, Py_PRINT_RAW) : -1;
}

int PyObject_AsFileDescriptor(PyObject* object) {
  int fd;
  if (PyLong_Check(object)) {
    fd = _PyLong_AsInt(object);
  } else {
    PyObject* method;
    if (_PyObject_LookupAttr(object, &_Py_ID(fileno), &method) < 0) return -1;
    if (method == nullptr) {
      PyErr_SetString(PyExc_TypeError, "argument must be an int, or have a fileno() method.");
      return -1;
    }
    auto result = Ref<>::steal(PyObject_CallNoArgs(method));
    Py_DECREF(method);
    if (!result) return -1;
    if (!PyLong_Check(result.get())) {
      PyErr_SetString(PyExc_TypeError, "fileno() returned a non-integer");
      return -1;
    }
    fd = _PyLong_AsInt(result.get());
  }
  if (fd == -1 && PyErr_Occurred()) return -1;
  if (fd < 0) {
    PyErr_Format(PyExc_ValueError, "file descriptor cannot be a negative integer (%i)", fd);
    return -1;
  }
  return fd;
}

int _PyLong_FileDescriptor_Converter(PyObject* object, void* out) {
  const int fd = PyObject_AsFileDescriptor(object);
  if (fd == -1) return 0;
  *static_cast<int*>(out) = fd;
  return 1;
}

char* _Py_UniversalNewlineFgetsWithSize(char* buffer, int size, FILE* stream, PyObject* object, size_t* length) {
  if (object != nullptr) {
    errno = ENXIO;  // what "object is not a FILE" has always given
    return nullptr;
  }
  char* p = buffer;
  bool skip_newline = false;
  flockfile(stream);
  while (--size > 0) {
    int c = getc_unlocked(stream);
    if (c == EOF) break;
    if (skip_newline) {
      skip_newline = false;
      if (c == '\n') {
        // The second half of \r\n: the line has ended already.
        c = getc_unlocked(stream);
        if (c == EOF) break;
      }
    }
    if (c == '\r') {
      skip_newline = true;
      c = '\n';
    }
    *p++ = static_cast<char>(c);
    if (c == '\n') break;
  }
  if (skip_newline) {
    const int c = getc_unlocked(stream);
    if (c != '\n' && c != EOF) ungetc(c, stream);
  }
  funlockfile(stream);
  *p = '\0';
  if (p == buffer) return nullptr;
  *length = static_cast<size_t>(p - buffer);
  return buffer;
}

char* Py_UniversalNewlineFgets(char* buffer, int size, FILE* stream, PyObject* object) {
  size_t length;
  return _Py_UniversalNewlineFgetsWithSize(buffer, size, stream, object, &length);
}

// --- open_code() -----------------------------------------------------------------------------------------------

int PyFile_SetOpenCodeHook(Py_OpenCodeHookFunction hook, void* user_data) {
  if (Py_IsInitialized() && PySys_Audit("setopencodehook", nullptr) < 0) return -1;
  if (_PyRuntime.open_code_hook != nullptr) {
    if (Py_IsInitialized()) PyErr_SetString(PyExc_SystemError, "failed to change existing open_code hook");
    return -1;
  }
  _PyRuntime.open_code_hook = hook;
  _PyRuntime.open_code_userdata = user_data;
  return 0;
}

PyObject* PyFile_OpenCodeObject(PyObject* path) {
  if (!PyUnicode_Check(path)) {
    return raise(PyExc_TypeError, "'path' must be 'str', not '%.200s'", Py_TYPE(path)->tp_name);
  }
  if (Py_OpenCodeHookFunction hook = _PyRuntime.open_code_hook) {
    return hook(path, _PyRuntime.open_code_userdata);
  }
  auto io = Ref<>::steal(PyImport_ImportModule("_io"));
  if (!io) return nullptr;
  return _PyObject_CallMethod(io.get(), &_Py_ID(open), "Os", path, "rb");
}

PyObject* PyFile_OpenCode(const char* path) {
  auto text = Ref<>::steal(PyUnicode_FromString(path));
  return text ? PyFile_OpenCodeObject(text.get()) : nullptr;
}

// --- stderrprinter ---------------------------------------------------------------------------------------------

namespace {

struct StdPrinter {
  PyObject_HEAD
  int fd;
};

PyObject* printer_write(StdPrinter* self, pyston::Borrowed<PyUnicodeObject> text) {
  if (self->fd < 0) Py_RETURN_NONE;  // nowhere to print to: silently dropped, this is a printer of last resort
  Py_ssize_t size;
  const char* data = PyUnicode_AsUTF8AndSize(text.object(), &size);
  Ref<> escaped;
  if (data == nullptr) {
    // Lone surrogates: printed as escapes.
    PyErr_Clear();
    escaped = Ref<>::steal(_PyUnicode_AsUTF8String(text.object(), "backslashreplace"));
    if (!escaped) return nullptr;
    data = PyBytes_AS_STRING(escaped.get());
    size = PyBytes_GET_SIZE(escaped.get());
  }
  const Py_ssize_t count = _Py_write(self->fd, data, static_cast<size_t>(size));
  if (count == -1) {
    if (errno != EAGAIN) return nullptr;
    PyErr_Clear();
    Py_RETURN_NONE;
  }
  return PyLong_FromSsize_t(count);
}
PyObject* printer_fileno(StdPrinter* self) { return PyLong_FromLong(self->fd); }
PyObject* printer_none(StdPrinter*) { Py_RETURN_NONE; }
PyObject* printer_isatty(StdPrinter* self) { return PyBool_FromLong(self->fd >= 0 && isatty(self->fd)); }
PyObject* printer_repr(StdPrinter* self) {
  return PyUnicode_FromFormat("<stdprinter(fd=%d) object at %p>", self->fd, self);
}
int printer_init(PyObject*, PyObject*, PyObject*) { return 0; }
PyObject* printer_get_encoding(StdPrinter*) { Py_RETURN_NONE; }
PyObject* printer_get_false(StdPrinter*) { Py_RETURN_FALSE; }

using pyston::getset;
using pyston::method;
PyMethodDef printer_methods[] = {
    method<printer_none, "close($self, /)">(),
    method<printer_none, "flush($self, /)">(),
    method<printer_fileno, "fileno($self, /)">(),
    method<printer_isatty, "isatty($self, /)">(),
    method<printer_write, "write($self, text, /)">(),
    {},
};
PyGetSetDef printer_getset[] = {
    getset<printer_get_false>("closed", "Always False"),
    getset<printer_get_encoding>("encoding", "Always None"),
    getset<printer_get_encoding>("mode", "Always None"),
    {},
};

}  // namespace

PyTypeObject PyStdPrinter_Type = {
    .ob_base = pyston::type_head(),
    .tp_name = "stderrprinter",
    .tp_basicsize = sizeof(StdPrinter),
    .tp_repr = pyston::slot<printer_repr>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = printer_methods,
    .tp_getset = printer_getset,
    .tp_init = printer_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_Del,
};

PyObject* PyFile_NewStdPrinter(int fd) {
  // Only the two standard streams can be had. QUIRK: anything else is null without an exception.
  if (fd != fileno(stdout) && fd != fileno(stderr)) return nullptr;
  StdPrinter* self = PyObject_New(StdPrinter, &PyStdPrinter_Type);
  if (self != nullptr) self->fd = fd;
  return reinterpret_cast<PyObject*>(self);
}
