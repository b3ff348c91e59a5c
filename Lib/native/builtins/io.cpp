// print, input, breakpoint.
#include "Lib/native/builtins/builtins.h"

#include <unistd.h>

#include <pycore_global_strings.h>
#include <pycore_object.h>
#include <pycore_pyerrors.h>
#include <pycore_pystate.h>
#include <pycore_runtime.h>
#include <pycore_sysmodule.h>

namespace pyston::builtins {
namespace {

/// Calls file.flush(); errors are the caller's.
Status flush(PyObject* file) {
  Ref<> done = Ref<>::steal(PyObject_CallMethodNoArgs(file, &_Py_ID(flush)));
  return done ? Status::kOk : Status::kError;
}

struct PrintOptions {
  PyObject* separator = nullptr;
  PyObject* end = nullptr;
  PyObject* file = nullptr;
  bool flush = false;
};

bool parse_print_options(PyObject* const* values, PyObject* kwnames, PrintOptions& options) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++) {
    PyObject* keyword = PyTuple_GET_ITEM(kwnames, i);
    if (_PyUnicode_EqualToASCIIString(keyword, "sep")) {
      options.separator = values[i];
    } else if (_PyUnicode_EqualToASCIIString(keyword, "end")) {
      options.end = values[i];
    } else if (_PyUnicode_EqualToASCIIString(keyword, "file")) {
      options.file = values[i];
    } else if (_PyUnicode_EqualToASCIIString(keyword, "flush")) {
      const int truth = PyObject_IsTrue(values[i]);
      if (truth < 0) return false;
      options.flush = truth != 0;
    } else {
      PyErr_Format(PyExc_TypeError, "'%S' is an invalid keyword argument for print()", keyword);
      return false;
    }
  }
  return true;
}

bool check_text_option(const char* name, PyObject*& value) {
  if (value == Py_None) value = nullptr;
  if (value == nullptr || PyUnicode_Check(value)) return true;
  PyErr_Format(PyExc_TypeError, "%s must be None or a string, not %.200s", name, Py_TYPE(value)->tp_name);
  return false;
}

/// The standard stream `name` of sys; RuntimeError when it is gone or None.
PyObject* input_stream(PyObject* name) {
  PyObject* stream = _PySys_GetAttr(_PyThreadState_GET(), name);
  if (stream == nullptr || stream == Py_None) {
    return raise(PyExc_RuntimeError, "input(): lost sys.%U", name);
  }
  return stream;
}

/// Whether `stream` is the terminal at file descriptor `fd`. Asking must not fail the call.
bool is_terminal(PyObject* stream, int fd) {
  Ref<> number = Ref<>::steal(PyObject_CallMethodNoArgs(stream, &_Py_ID(fileno)));
  if (!number) {
    PyErr_Clear();
    return false;
  }
  const long value = PyLong_AsLong(number.get());
  if (value == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    return false;
  }
  return value == fd && isatty(fd);
}

/// The stream's text attribute as UTF-8, kept alive by `owner`; null (exception cleared) when it isn't a string.
const char* text_attribute(PyObject* stream, PyObject* name, Ref<>& owner) {
  owner = Ref<>::steal(PyObject_GetAttr(stream, name));
  const char* text = owner && PyUnicode_Check(owner.get()) ? PyUnicode_AsUTF8(owner.get()) : nullptr;
  if (text == nullptr) PyErr_Clear();
  return text;
}

/// Reads through PyOS_Readline (line editing). `handled` stays false when the streams don't allow that.
Ref<> read_terminal(PyObject* in, PyObject* out, PyObject* prompt, bool& handled) {
  Ref<> in_encoding_owner, in_errors_owner, out_encoding_owner, out_errors_owner;
  const char* in_encoding = text_attribute(in, &_Py_ID(encoding), in_encoding_owner);
  const char* in_errors = text_attribute(in, &_Py_ID(errors), in_errors_owner);
  if (in_encoding == nullptr || in_errors == nullptr) return nullptr;
  Ref<> prompt_bytes;
  const char* prompt_text = "";
  handled = true;
  if (failed(flush(out))) PyErr_Clear();
  if (prompt != nullptr) {
    const char* out_encoding = text_attribute(out, &_Py_ID(encoding), out_encoding_owner);
    const char* out_errors = text_attribute(out, &_Py_ID(errors), out_errors_owner);
    if (out_encoding == nullptr || out_errors == nullptr) {
      handled = false;
      return nullptr;
    }
    Ref<> text = Ref<>::steal(PyObject_Str(prompt));
    if (!text) return nullptr;
    prompt_bytes = Ref<>::steal(PyUnicode_AsEncodedString(text.get(), out_encoding, out_errors));
    if (!prompt_bytes) return nullptr;
    prompt_text = PyBytes_AS_STRING(prompt_bytes.get());
    if (strlen(prompt_text) != static_cast<size_t>(PyBytes_GET_SIZE(prompt_bytes.get()))) {
      return raise(PyExc_ValueError, "input: prompt string cannot contain null characters");
    }
  }
  char* line = PyOS_Readline(stdin, stdout, prompt_text);
  if (line == nullptr) {
    PyErr_CheckSignals();
    if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
    return nullptr;
  }
  Ref<> result;
  size_t length = strlen(line);
  if (length == 0) {
    PyErr_SetNone(PyExc_EOFError);
  } else if (length > PY_SSIZE_T_MAX) {
    PyErr_SetString(PyExc_OverflowError, "input: input too long");
  } else {
    if (line[length - 1] == '\n') length--;
    result = Ref<>::steal(PyUnicode_Decode(line, static_cast<Py_ssize_t>(length), in_encoding, in_errors));
  }
  PyMem_Free(line);
  if (result && PySys_Audit("builtins.input/result", "O", result.get()) < 0) return nullptr;
  return result;
}

}  // namespace

PyObject* print(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  PrintOptions options;
  if (kwnames != nullptr && !parse_print_options(args + nargs, kwnames, options)) return nullptr;
  Ref<> file;
  if (options.file == nullptr || options.file == Py_None) {
    PyObject* standard = _PySys_GetAttr(_PyThreadState_GET(), &_Py_ID(stdout));
    if (standard == nullptr) return raise(PyExc_RuntimeError, "lost sys.stdout");
    if (standard == Py_None) Py_RETURN_NONE;  // a program without a console
    file = Ref<>::dup(standard);
  } else {
    file = Ref<>::dup(options.file);
  }
  if (!check_text_option("sep", options.separator) || !check_text_option("end", options.end)) return nullptr;
  for (Py_ssize_t i = 0; i < nargs; i++) {
    if (i > 0) {
      const int written = options.separator == nullptr ? PyFile_WriteString(" ", file.get())
                                                       : PyFile_WriteObject(options.separator, file.get(), Py_PRINT_RAW);
      if (written < 0) return nullptr;
    }
    if (PyFile_WriteObject(args[i], file.get(), Py_PRINT_RAW) < 0) return nullptr;
  }
  const int written = options.end == nullptr ? PyFile_WriteString("\n", file.get())
                                             : PyFile_WriteObject(options.end, file.get(), Py_PRINT_RAW);
  if (written < 0) return nullptr;
  if (options.flush && failed(flush(file.get()))) return nullptr;
  Py_RETURN_NONE;
}

Ref<> input(Borrowed<> module, PyObject* prompt) {
  PyObject* in = input_stream(&_Py_ID(stdin));
  PyObject* out = in == nullptr ? nullptr : input_stream(&_Py_ID(stdout));
  PyObject* err = out == nullptr ? nullptr : input_stream(&_Py_ID(stderr));
  if (err == nullptr) return nullptr;
  Ref<> in_owner = Ref<>::dup(in);
  Ref<> out_owner = Ref<>::dup(out);
  if (PySys_Audit("builtins.input", "O", prompt != nullptr ? prompt : Py_None) < 0) return nullptr;
  if (failed(flush(err))) PyErr_Clear();
  if (is_terminal(in, STDIN_FILENO) && is_terminal(out, STDOUT_FILENO)) {
    bool handled = false;
    Ref<> line = read_terminal(in, out, prompt, handled);
    if (handled) return line;
  }
  if (prompt != nullptr && PyFile_WriteObject(prompt, out, Py_PRINT_RAW) < 0) return nullptr;
  if (failed(flush(out))) PyErr_Clear();
  return Ref<>::steal(PyFile_GetLine(in, -1));
}

PyObject* breakpoint(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  PyObject* hook = PySys_GetObject("breakpointhook");
  if (hook == nullptr) return raise(PyExc_RuntimeError, "lost sys.breakpointhook");
  if (PySys_Audit("builtins.breakpoint", "O", hook) < 0) return nullptr;
  Ref<> owner = Ref<>::dup(hook);
  return PyObject_Vectorcall(hook, args, nargs, kwnames);
}

}  // namespace pyston::builtins
