// Module `_io`: open() and the table of types.
#include "Lib/native/io/io.h"

#include <cstring>

#include "internal/pycore_interp.h"
#include "internal/pycore_long.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"

namespace pyston::io {
namespace {

struct Mode {
  bool creating = false, reading = false, writing = false, appending = false;
  bool updating = false, text = false, binary = false;
};

bool parse_mode(const char* text, Mode& mode) {
  for (const char* p = text; *p != '\0'; p++) {
    bool* flag = nullptr;
    switch (*p) {
      case 'x': flag = &mode.creating; break;
      case 'r': flag = &mode.reading; break;
      case 'w': flag = &mode.writing; break;
      case 'a': flag = &mode.appending; break;
      case '+': flag = &mode.updating; break;
      case 't': flag = &mode.text; break;
      case 'b': flag = &mode.binary; break;
      default: break;
    }
    if (flag == nullptr || *flag) {  // unknown, or given twice
      PyErr_Format(PyExc_ValueError, "invalid mode: '%s'", text);
      return false;
    }
    *flag = true;
  }
  if (mode.text && mode.binary) {
    PyErr_SetString(PyExc_ValueError, "can't have text and binary mode at once");
    return false;
  }
  if (mode.creating + mode.reading + mode.writing + mode.appending != 1) {
    PyErr_SetString(PyExc_ValueError, "must have exactly one of create/read/write/append mode");
    return false;
  }
  return true;
}

/// The C string of an optional str argument: null for None; `fallback` when not given. False: exception.
bool optional_text(PyObject* value, const char* name, const char* fallback, const char** text) {
  *text = fallback;
  if (value == nullptr) return true;
  *text = nullptr;
  if (value == Py_None) return true;
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "open() argument '%s' must be str or None, not %.50s", name, Py_TYPE(value)->tp_name);
    return false;
  }
  Py_ssize_t length;
  *text = PyUnicode_AsUTF8AndSize(value, &length);
  if (*text == nullptr) return false;
  if (std::strlen(*text) != static_cast<size_t>(length)) {
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return false;
  }
  return true;
}

PyObject* open_file(PyObject*, Borrowed<> file, PyObject* mode_object, Optional<int> buffering_argument, PyObject* encoding_object,
                    PyObject* errors_object, PyObject* newline_object, Optional<bool> closefd_argument, PyObject* opener) {
  const char* mode_text = "r";
  if (mode_object != nullptr) {
    if (!PyUnicode_Check(mode_object)) {
      return raise(PyExc_TypeError, "open() argument 'mode' must be str, not %.50s",
                   mode_object == Py_None ? "None" : Py_TYPE(mode_object)->tp_name);
    }
    if (!optional_text(mode_object, "mode", "r", &mode_text)) return nullptr;
  }
  int buffering = buffering_argument.value_or(-1);
  const bool closefd = closefd_argument.value_or(true);
  const char *encoding, *errors, *newline;
  if (!optional_text(encoding_object, "encoding", nullptr, &encoding) ||
      !optional_text(errors_object, "errors", nullptr, &errors) ||
      !optional_text(newline_object, "newline", nullptr, &newline)) {
    return nullptr;
  }
  Ref<> path = PyLong_Check(file) ? Ref<>::dup(file.get()) : Ref<>::steal(PyOS_FSPath(file));
  if (!path) return nullptr;
  if (!PyUnicode_Check(path.get()) && !PyBytes_Check(path.get()) && !PyNumber_Check(path.get())) {
    return raise(PyExc_TypeError, "invalid file: %R", file.get());
  }
  Mode mode;
  if (!parse_mode(mode_text, mode)) return nullptr;
  if (mode.binary && encoding != nullptr) return raise(PyExc_ValueError, "binary mode doesn't take an encoding argument");
  if (mode.binary && errors != nullptr) return raise(PyExc_ValueError, "binary mode doesn't take an errors argument");
  if (mode.binary && newline != nullptr) return raise(PyExc_ValueError, "binary mode doesn't take a newline argument");
  if (mode.binary && buffering == 1 &&
      PyErr_WarnEx(PyExc_RuntimeWarning,
                   "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used",
                   1) < 0) {
    return nullptr;
  }
  char raw_mode[6];
  char* m = raw_mode;
  if (mode.creating) *m++ = 'x';
  if (mode.reading) *m++ = 'r';
  if (mode.writing) *m++ = 'w';
  if (mode.appending) *m++ = 'a';
  if (mode.updating) *m++ = '+';
  *m = '\0';
  Ref<> result = Ref<>::steal(PyObject_CallFunction(as_object(&FileIO_Type), "OsOO", path.get(), raw_mode,
                                                    closefd ? Py_True : Py_False, opener != nullptr ? opener : Py_None));
  if (!result) return nullptr;
  auto fail = [&]() -> PyObject* {
    // What has been opened is closed again; the error stays.
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject* closed = PyObject_CallMethodNoArgs(result.get(), &_Py_ID(close));
    _PyErr_ChainExceptions(type, value, traceback);
    Py_XDECREF(closed);
    return nullptr;
  };
  FileIO* raw = reinterpret_cast<FileIO*>(result.get());
  bool line_buffering = buffering == 1 && !mode.binary;
  if (buffering < 0 || buffering == 1) {
    auto is_tty = Ref<>::steal(PyObject_CallMethodNoArgs(result.get(), &_Py_ID(isatty)));
    if (!is_tty) return fail();
    const int tty = PyObject_IsTrue(is_tty.get());
    if (tty < 0) return fail();
    if (tty && buffering < 0) line_buffering = !mode.binary;
    buffering = static_cast<int>(raw->blksize);
  }
  if (buffering < -1) {
    PyErr_SetString(PyExc_ValueError, "invalid buffering size");
    return fail();
  }
  if (buffering == 0) {
    if (!mode.binary) {
      PyErr_SetString(PyExc_ValueError, "can't have unbuffered text I/O");
      return fail();
    }
    return result.release();
  }
  PyTypeObject* type = mode.updating                                         ? &BufferedRandom_Type
                       : mode.creating || mode.writing || mode.appending ? &BufferedWriter_Type
                                                                             : &BufferedReader_Type;
  auto buffered = Ref<>::steal(PyObject_CallFunction(as_object(type), "Oi", result.get(), buffering));
  if (!buffered) return fail();
  result = std::move(buffered);
  if (mode.binary) return result.release();
  auto wrapper = Ref<>::steal(PyObject_CallFunction(as_object(&TextIOWrapper_Type), "OzzzO", result.get(), encoding, errors,
                                                    newline, line_buffering ? Py_True : Py_False));
  if (!wrapper) return fail();
  result = std::move(wrapper);
  if (PyObject_SetAttr(result.get(), &_Py_ID(mode), mode_object != nullptr ? mode_object : Ref<>::steal(PyUnicode_FromString("r")).get()) < 0) {
    return fail();
  }
  return result.release();
}

PyObject* text_encoding(PyObject*, Borrowed<> encoding, Optional<int> stack_level) {
  if (encoding.get() != Py_None) return Py_NewRef(encoding.get());
  PyInterpreterState* interpreter = _PyInterpreterState_GET();
  if (_PyInterpreterState_GetConfig(interpreter)->warn_default_encoding &&
      PyErr_WarnEx(PyExc_EncodingWarning, "'encoding' argument not specified", stack_level.value_or(2)) < 0) {
    return nullptr;
  }
  return PyUnicode_FromString(_PyRuntime.preconfig.utf8_mode ? "utf-8" : "locale");
}

PyObject* open_code(PyObject*, Borrowed<> path) {
  if (!PyUnicode_Check(path)) {
    return raise(PyExc_TypeError, "open_code() argument 'path' must be str, not %.50s",
                 path.get() == Py_None ? "None" : Py_TYPE(path)->tp_name);
  }
  return PyFile_OpenCodeObject(path);
}

PyMethodDef module_methods[] = {
    method<open_file,
           "open($module, /, file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, "
           "opener=None)",
           "Opens a file and gives a stream for it: text by default, binary with 'b' in the mode.\n\n"
           "`file` is a path or a descriptor. `buffering` is 0 (binary only), 1 (by lines, text only), a size, or -1 for\n"
           "the usual choice. `newline` controls the translation of line ends, `opener` replaces the system's open().">(),
    method<text_encoding, "text_encoding($module, encoding, stacklevel=2, /)",
           "The encoding to use: None becomes 'locale' or, in UTF-8 mode, 'utf-8'.">(),
    method<open_code, "open_code($module, /, path)", "Opens a file of code for reading, so that hooks can check it.">(),
    {},
};

PyTypeObject* const kTypes[] = {
    &IOBase_Type,        &RawIOBase_Type,      &BufferedIOBase_Type, &TextIOBase_Type,       &FileIO_Type,
    &BytesIO_Type,       &StringIO_Type,       &BufferedReader_Type, &BufferedWriter_Type,   &BufferedRandom_Type,
    &TextIOWrapper_Type, &NewlineDecoder_Type, &_PyBytesIOBuffer_Type,  &BufferedRWPair_Type,
};

int module_exec(PyObject* module) {
  if (PyModule_AddIntConstant(module, "DEFAULT_BUFFER_SIZE", kDefaultBufferSize) < 0) return -1;
  if (unsupported_operation == nullptr) {
    unsupported_operation = PyObject_CallFunction(as_object(&PyType_Type), "s(OO){}", "UnsupportedOperation",
                                                  PyExc_OSError, PyExc_ValueError);
    if (unsupported_operation == nullptr) return -1;
    auto name = Ref<>::steal(PyUnicode_FromString("io"));
    if (!name || PyObject_SetAttrString(unsupported_operation, "__module__", name.get()) < 0) return -1;
  }
  if (PyModule_AddObjectRef(module, "UnsupportedOperation", unsupported_operation) < 0) return -1;
  if (PyModule_AddObjectRef(module, "BlockingIOError", PyExc_BlockingIOError) < 0) return -1;
  for (PyTypeObject* type : kTypes) {
    if (type == &_PyBytesIOBuffer_Type ? PyType_Ready(type) < 0 : PyModule_AddType(module, type) < 0) return -1;
  }
  return 0;
}

PyModuleDef io_module = {PyModuleDef_HEAD_INIT, "io", "The built-in streams behind module io.", -1, module_methods,
                         nullptr, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace pyston::io

// Single-phase, as in CPython: start-up imports it before the import system can run multi-phase initialisation.
PyMODINIT_FUNC PyInit__io(void) {
  PyObject* module = PyModule_Create(&pyston::io::io_module);
  if (module != nullptr && pyston::io::module_exec(module) < 0) Py_CLEAR(module);
  return module;
}
