// Printing uncaught exceptions: PyErr_Print, PyErr_Display, SystemExit. Chains of causes and contexts are printed oldest
// first; groups as a tree with a margin.
//
// INVARIANT: printing never fails loudly: errors on the way are dropped, at worst something is missing from the output.
#include "Runtime/refs/ref.h"

#include <cstdio>

#include <pycore_ceval.h>
#include <pycore_exceptions.h>
#include <pycore_global_strings.h>
#include <pycore_initconfig.h>
#include <pycore_interp.h>
#include <pycore_object.h>
#include <pycore_pyerrors.h>
#include <pycore_pylifecycle.h>
#include <pycore_pystate.h>
#include <pycore_runtime.h>
#include <pycore_sysmodule.h>
#include <pycore_traceback.h>

namespace pyston {
namespace {

constexpr const char* kCauseMessage = "The above exception was the direct cause of the following exception:\n";
constexpr const char* kContextMessage = "During handling of the above exception, another exception occurred:\n";
constexpr int kMaxGroupWidth = 15;
constexpr int kMaxGroupDepth = 10;

/// One run over an exception and everything it is connected with.
class ExceptionPrinter {
 public:
  explicit ExceptionPrinter(PyObject* file) : file_(file), seen_(Ref<>::steal(PySet_New(nullptr))) {
    if (!seen_) PyErr_Clear();  // then chains are not followed
  }
  Status print(PyObject* value);

 private:
  Status print_chain(PyObject* value);
  Status print_linked(PyObject* value, const char* message);
  Status print_single(PyObject* value);
  Status print_group(PyObject* value);
  Status print_group_member(PyObject* exceptions, Py_ssize_t index, Py_ssize_t shown);
  Status print_traceback(PyObject* value);
  Status print_file_and_line(PyObject* value, Ref<>& message);
  Status print_source(PyObject* text, Py_ssize_t offset, Py_ssize_t end_offset);
  Status print_message(PyObject* type, PyObject* value);
  Status print_notes(PyObject* notes);
  Status print_note(PyObject* note);

  const char* margin() const { return depth_ > 0 ? "| " : ""; }
  int indent() const { return 2 * depth_; }
  Status write(const char* text) { return PyFile_WriteString(text, file_) < 0 ? Status::kError : Status::kOk; }
  Status write(PyObject* object) {
    return PyFile_WriteObject(object, file_, Py_PRINT_RAW) < 0 ? Status::kError : Status::kOk;
  }
  Status write_margin() {
    return _Py_WriteIndentedMargin(indent(), margin(), file_) < 0 ? Status::kError : Status::kOk;
  }
  Status write_indent() { return _Py_WriteIndent(indent(), file_) < 0 ? Status::kError : Status::kOk; }
  Status write_line(const char* text) {
    VM_CHECK(write_margin());
    return write(text);
  }

  PyObject* file_;  // borrowed
  Ref<> seen_;      // ids of printed exceptions
  int depth_ = 0;   // of groups around
  bool needs_close_ = false;  // the last member closes the group's frame
};

Status ExceptionPrinter::print(PyObject* value) {
  if (seen_) {
    if (Py_EnterRecursiveCall(" in print_exception_recursive") != 0) return Status::kError;
    const Status chain = print_chain(value);
    Py_LeaveRecursiveCall();
    VM_CHECK(chain);
  }
  return PyExceptionInstance_Check(value) && _PyBaseExceptionGroup_Check(value) ? print_group(value)
                                                                               : print_single(value);
}

Status ExceptionPrinter::print_chain(PyObject* value) {
  Ref<> id = Ref<>::steal(PyLong_FromVoidPtr(value));
  if (!id || PySet_Add(seen_.get(), id.get()) < 0) return Status::kError;
  if (!PyExceptionInstance_Check(value)) return Status::kOk;
  const char* message = kCauseMessage;
  Ref<> link = Ref<>::steal(PyException_GetCause(value));
  if (!link) {
    if (reinterpret_cast<PyBaseExceptionObject*>(value)->suppress_context) return Status::kOk;
    link = Ref<>::steal(PyException_GetContext(value));
    message = kContextMessage;
  }
  if (!link) return Status::kOk;
  Ref<> link_id = Ref<>::steal(PyLong_FromVoidPtr(link.get()));
  if (!link_id) return Status::kError;
  const int known = PySet_Contains(seen_.get(), link_id.get());
  if (known != 0) return known < 0 ? Status::kError : Status::kOk;
  return print_linked(link.get(), message);
}

Status ExceptionPrinter::print_linked(PyObject* value, const char* message) {
  const bool needs_close = needs_close_;
  const Status printed = print(value);
  needs_close_ = needs_close;
  VM_CHECK(printed);
  VM_CHECK(write_line("\n"));
  VM_CHECK(write_line(message));
  return write_line("\n");
}

Status ExceptionPrinter::print_single(PyObject* value) {
  if (!PyExceptionInstance_Check(value)) {
    VM_CHECK(write_indent());
    VM_CHECK(write("TypeError: print_exception(): Exception expected for value, "));
    VM_CHECK(write(Py_TYPE(value)->tp_name));
    return write(" found\n");
  }
  Ref<> owner = Ref<>::dup(value);
  fflush(stdout);
  VM_CHECK(print_traceback(value));
  PyObject* type = as_object(Py_TYPE(value));
  PyObject* notes = nullptr;
  if (_PyObject_LookupAttr(value, &_Py_ID(__notes__), &notes) < 0) return Status::kError;
  Ref<> notes_owner = Ref<>::steal(notes);
  Ref<> message = Ref<>::dup(value);
  VM_CHECK(print_file_and_line(value, message));
  VM_CHECK(print_message(type, message.get()));
  Ref<> suggestion = Ref<>::steal(_Py_Offer_Suggestions(value));
  if (suggestion) {
    VM_CHECK(write(". Did you mean: '"));
    VM_CHECK(write(suggestion.get()));
    VM_CHECK(write("'?"));
  } else if (PyErr_Occurred()) {
    PyErr_Clear();
  }
  VM_CHECK(write("\n"));
  return print_notes(notes);
}

Status ExceptionPrinter::print_traceback(PyObject* value) {
  Ref<> traceback = Ref<>::steal(PyException_GetTraceback(value));
  if (!traceback || traceback.get() == Py_None) return Status::kOk;
  const bool is_group = _PyBaseExceptionGroup_Check(value) != 0;
  const char* header = is_group ? EXCEPTION_GROUP_TB_HEADER : EXCEPTION_TB_HEADER;
  const char* header_margin = is_group && depth_ == 1 ? "+ " : margin();
  return _PyTraceBack_Print_Indented(traceback.get(), indent(), margin(), header_margin, header, file_) < 0
             ? Status::kError
             : Status::kOk;
}

/// An int attribute that may be None or missing.
bool read_number(PyObject* value, PyObject* name, Py_ssize_t missing, Py_ssize_t& out) {
  Ref<> attribute = Ref<>::steal(PyObject_GetAttr(value, name));
  if (!attribute) return false;
  if (attribute.get() == Py_None) {
    out = missing;
    return true;
  }
  out = PyLong_AsSsize_t(attribute.get());
  return !(out == -1 && PyErr_Occurred());
}

/// For SyntaxError: the place in the source. `message` becomes its msg, which is what is left to print.
Status ExceptionPrinter::print_file_and_line(PyObject* value, Ref<>& message) {
  PyObject* marker;
  if (_PyObject_LookupAttr(value, &_Py_ID(print_file_and_line), &marker) < 0) return Status::kError;
  if (marker == nullptr) return Status::kOk;
  Py_DECREF(marker);
  Py_ssize_t line, offset, end_line, end_offset;
  Ref<> text_of_message = Ref<>::steal(PyObject_GetAttr(value, &_Py_ID(msg)));
  Ref<> filename = text_of_message ? Ref<>::steal(PyObject_GetAttr(value, &_Py_ID(filename))) : Ref<>();
  Ref<> text = filename ? Ref<>::steal(PyObject_GetAttr(value, &_Py_ID(text))) : Ref<>();
  if (!text || !read_number(value, &_Py_ID(lineno), -1, line) || !read_number(value, &_Py_ID(offset), -1, offset) ||
      !read_number(value, &_Py_ID(end_lineno), line, end_line) ||
      !read_number(value, &_Py_ID(end_offset), offset, end_offset)) {
    PyErr_Clear();  // a SyntaxError that lacks something is printed like any exception
    return Status::kOk;
  }
  if (filename.get() == Py_None) filename = Ref<>::dup(&_Py_STR(anon_string));
  message = std::move(text_of_message);
  Ref<> location = Ref<>::steal(PyUnicode_FromFormat("  File \"%S\", line %zd\n", filename.get(), line));
  if (!location) return Status::kError;
  VM_CHECK(write_margin());
  VM_CHECK(write(location.get()));
  if (text.get() == Py_None || !PyUnicode_Check(text.get())) return Status::kOk;
  if (end_line > line) end_offset = PyUnicode_GET_LENGTH(text.get()) + 1;  // only the first line is shown
  return print_source(text.get(), offset, end_offset);
}

/// The source line without its indentation, and carets under the columns (from 1, end exclusive).
Status ExceptionPrinter::print_source(PyObject* text, Py_ssize_t offset, Py_ssize_t end_offset) {
  Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  Py_ssize_t start = 0;
  while (length > 0 && PyUnicode_READ_CHAR(text, length - 1) == '\n') length--;
  auto is_indentation = [&](Py_ssize_t i) {
    const Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
    return c == ' ' || c == '\t' || c == '\f';
  };
  while (start < length && is_indentation(start)) start++;
  Py_ssize_t column = offset - 1;
  if (column > length) column = length;
  // Of several lines, show the one with the column.
  for (Py_ssize_t i = start; i < length && i < column; i++) {
    if (PyUnicode_READ_CHAR(text, i) == '\n') start = i + 1;
  }
  Ref<> shown = Ref<>::steal(PyUnicode_Substring(text, start, length));
  if (!shown) return Status::kError;
  VM_CHECK(write_margin());
  VM_CHECK(write("    "));
  VM_CHECK(write(shown.get()));
  VM_CHECK(write("\n"));
  if (offset <= 0 || column < start) return Status::kOk;
  Py_ssize_t end_column = end_offset <= 0 ? column + 1 : end_offset - 1;
  if (end_column > length) end_column = length;
  VM_CHECK(write_margin());
  VM_CHECK(write("    "));
  for (Py_ssize_t i = start; i < column; i++) {
    // Tabs stay, so that the carets line up.
    const char blank[2] = {i < length && PyUnicode_READ_CHAR(text, i) == '\t' ? '\t' : ' ', '\0'};
    VM_CHECK(write(blank));
  }
  do {
    VM_CHECK(write("^"));
  } while (++column < end_column);
  return write("\n");
}

Status ExceptionPrinter::print_message(PyObject* type, PyObject* value) {
  VM_CHECK(write_margin());
  Ref<> module = Ref<>::steal(PyObject_GetAttr(type, &_Py_ID(__module__)));
  if (!module || !PyUnicode_Check(module.get())) {
    PyErr_Clear();
    VM_CHECK(write("<unknown>."));
  } else if (!_PyUnicode_EqualToASCIIString(module.get(), "builtins") &&
             !_PyUnicode_EqualToASCIIString(module.get(), "__main__")) {
    VM_CHECK(write(module.get()));
    VM_CHECK(write("."));
  }
  Ref<> name = Ref<>::steal(PyType_GetQualName(reinterpret_cast<PyTypeObject*>(type)));
  if (!name || !PyUnicode_Check(name.get())) {
    PyErr_Clear();
    VM_CHECK(write("<unknown>"));
  } else {
    VM_CHECK(write(name.get()));
  }
  if (value == Py_None) return Status::kOk;
  Ref<> text = Ref<>::steal(PyObject_Str(value));
  if (!text) {
    PyErr_Clear();
    return write(": <exception str() failed>");
  }
  if (PyUnicode_Check(text.get()) && PyUnicode_GetLength(text.get()) == 0) return Status::kOk;
  VM_CHECK(write(": "));
  return write(text.get());
}

Status ExceptionPrinter::print_note(PyObject* note) {
  Ref<> text = PyUnicode_Check(note) ? Ref<>::dup(note) : Ref<>::steal(PyObject_Str(note));
  if (!text) {
    PyErr_Clear();
    return write_line("<note str() failed>\n");
  }
  Ref<> newline = Ref<>::steal(PyUnicode_FromString("\n"));
  Ref<> lines = newline ? Ref<>::steal(PyUnicode_Split(text.get(), newline.get(), -1)) : Ref<>();
  if (!lines) return Status::kError;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(lines.get()); i++) {
    VM_CHECK(write_margin());
    VM_CHECK(write(PyList_GET_ITEM(lines.get(), i)));
    VM_CHECK(write("\n"));
  }
  return Status::kOk;
}

Status ExceptionPrinter::print_notes(PyObject* notes) {
  if (notes == nullptr) return Status::kOk;
  if (!PySequence_Check(notes)) {
    VM_CHECK(write_margin());
    Ref<> text = Ref<>::steal(PyObject_Repr(notes));
    if (!text) {
      PyErr_Clear();
      return write("<__notes__ repr() failed>\n");
    }
    VM_CHECK(write(text.get()));
    return write("\n");
  }
  const Py_ssize_t count = PySequence_Length(notes);
  if (count < 0) return Status::kError;
  for (Py_ssize_t i = 0; i < count; i++) {
    Ref<> note = Ref<>::steal(PySequence_GetItem(notes, i));
    if (!note) return Status::kError;
    VM_CHECK(print_note(note.get()));
  }
  return Status::kOk;
}

// --- groups ---

Status ExceptionPrinter::print_group(PyObject* value) {
  if (depth_ > kMaxGroupDepth) {
    char line[64];
    snprintf(line, sizeof line, "... (max_group_depth is %d)\n", kMaxGroupDepth);
    return write_line(line);
  }
  if (depth_ == 0) depth_++;
  VM_CHECK(print_single(value));
  Ref<> exceptions = Ref<>::dup(reinterpret_cast<PyBaseExceptionGroupObject*>(value)->excs);
  const Py_ssize_t count = PyTuple_GET_SIZE(exceptions.get());
  const Py_ssize_t shown = count <= kMaxGroupWidth ? count : kMaxGroupWidth + 1;
  needs_close_ = false;
  for (Py_ssize_t i = 0; i < shown; i++) VM_CHECK(print_group_member(exceptions.get(), i, shown));
  if (depth_ == 1) depth_--;
  return Status::kOk;
}

Status ExceptionPrinter::print_group_member(PyObject* exceptions, Py_ssize_t index, Py_ssize_t shown) {
  const bool is_last = index == shown - 1;
  if (is_last) needs_close_ = true;  // a group inside may close for both
  const bool truncated = index >= kMaxGroupWidth;
  const char* corner = index == 0 ? "+-" : "  ";
  Ref<> line = Ref<>::steal(
      truncated ? PyUnicode_FromFormat("%s+---------------- ... ----------------\n", corner)
                : PyUnicode_FromFormat("%s+---------------- %zd ----------------\n", corner, index + 1));
  if (!line) return Status::kError;
  VM_CHECK(write_indent());
  VM_CHECK(write(line.get()));
  depth_++;
  if (truncated) {
    const Py_ssize_t rest = PyTuple_GET_SIZE(exceptions) - kMaxGroupWidth;
    Ref<> more = Ref<>::steal(PyUnicode_FromFormat("and %zd more exception%s\n", rest, rest > 1 ? "s" : ""));
    if (!more) return Status::kError;
    VM_CHECK(write_margin());
    VM_CHECK(write(more.get()));
  } else {
    if (Py_EnterRecursiveCall(" in print_exception_group") != 0) return Status::kError;
    const Status printed = print(PyTuple_GET_ITEM(exceptions, index));
    Py_LeaveRecursiveCall();
    VM_CHECK(printed);
  }
  if (is_last && needs_close_) {
    VM_CHECK(write_indent());
    VM_CHECK(write("+------------------------------------\n"));
    needs_close_ = false;
  }
  depth_--;
  return Status::kOk;
}

void flush_stream(PyObject* stream) {
  Ref<> done = Ref<>::steal(PyObject_CallMethodNoArgs(stream, &_Py_ID(flush)));
  if (!done) PyErr_Clear();
}

/// Ends the process when the current exception is SystemExit.
void handle_system_exit() {
  int exit_code;
  if (_Py_HandleSystemExit(&exit_code)) Py_Exit(exit_code);
}

/// Stores the exception where post-mortem debuggers look for it.
void set_last_exception(PyThreadState* tstate, PyObject* type, PyObject* value, PyObject* traceback) {
  if (_PySys_SetAttr(&_Py_ID(last_type), type) < 0) PyErr_Clear();
  if (_PySys_SetAttr(&_Py_ID(last_value), value) < 0) PyErr_Clear();
  if (_PySys_SetAttr(&_Py_ID(last_traceback), traceback) < 0) PyErr_Clear();
}

void print_current_exception(PyThreadState* tstate, int set_last) {
  handle_system_exit();
  PyObject *type, *value, *traceback;
  _PyErr_Fetch(tstate, &type, &value, &traceback);
  if (type == nullptr) return;
  _PyErr_NormalizeException(tstate, &type, &value, &traceback);
  if (traceback == nullptr) traceback = Py_NewRef(Py_None);
  PyException_SetTraceback(value, traceback);
  Ref<> type_owner = Ref<>::steal(type);
  Ref<> value_owner = Ref<>::steal(value);
  Ref<> traceback_owner = Ref<>::steal(traceback);
  if (set_last) set_last_exception(tstate, type, value, traceback);
  PyObject* hook = _PySys_GetAttr(tstate, &_Py_ID(excepthook));
  Ref<> hook_owner = Ref<>::dup(hook);
  if (PySys_Audit("sys.excepthook", "OOOO", hook != nullptr ? hook : Py_None, type, value, traceback) < 0) {
    if (PyErr_ExceptionMatches(PyExc_RuntimeError)) {
      PyErr_Clear();
      return;
    }
    _PyErr_WriteUnraisableMsg("in audit hook", nullptr);
  }
  if (hook == nullptr) {
    PySys_WriteStderr("sys.excepthook is missing\n");
    PyErr_Display(type, value, traceback);
    return;
  }
  PyObject* args[] = {type, value, traceback};
  Ref<> result = Ref<>::steal(PyObject_Vectorcall(hook, args, 3, nullptr));
  if (result) return;
  handle_system_exit();
  PyObject *type2, *value2, *traceback2;
  _PyErr_Fetch(tstate, &type2, &value2, &traceback2);
  _PyErr_NormalizeException(tstate, &type2, &value2, &traceback2);
  if (type2 == nullptr) type2 = Py_NewRef(Py_None);
  if (value2 == nullptr) value2 = Py_NewRef(Py_None);
  fflush(stdout);
  PySys_WriteStderr("Error in sys.excepthook:\n");
  PyErr_Display(type2, value2, traceback2);
  PySys_WriteStderr("\nOriginal exception was:\n");
  PyErr_Display(type, value, traceback);
  Py_DECREF(type2);
  Py_DECREF(value2);
  Py_XDECREF(traceback2);
}

}  // namespace
}  // namespace pyston

using namespace pyston;

/// 1 when the current exception is SystemExit: it is cleared, its message printed, and the code stored. Not under -i.
int _Py_HandleSystemExit(int* exit_code) {
  if (_Py_GetConfig()->inspect) return 0;
  if (!PyErr_ExceptionMatches(PyExc_SystemExit)) return 0;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  Ref<> type_owner = Ref<>::steal(type);
  Ref<> traceback_owner = Ref<>::steal(traceback);
  Ref<> code = Ref<>::steal(value);
  fflush(stdout);
  *exit_code = 0;
  if (code && PyExceptionInstance_Check(code.get())) {
    Ref<> attribute = Ref<>::steal(PyObject_GetAttr(code.get(), &_Py_ID(code)));
    if (attribute) {
      code = std::move(attribute);
    } else {
      PyErr_Clear();
    }
  }
  if (!code || code.get() == Py_None) return 1;
  if (PyLong_Check(code.get())) {
    *exit_code = static_cast<int>(PyLong_AsLong(code.get()));
    PyErr_Clear();
    return 1;
  }
  PyObject* stream = _PySys_GetAttr(_PyThreadState_GET(), &_Py_ID(stderr));
  if (stream != nullptr && stream != Py_None) {
    PyFile_WriteObject(code.get(), stream, Py_PRINT_RAW);
  } else {
    PyObject_Print(code.get(), stderr, Py_PRINT_RAW);
    fflush(stderr);
  }
  PyErr_Clear();
  PySys_WriteStderr("\n");
  *exit_code = 1;
  return 1;
}

void _PyErr_Display(PyObject* file, PyObject*, PyObject* value, PyObject* traceback) {
  if (PyExceptionInstance_Check(value) && traceback != nullptr && PyTraceBack_Check(traceback)) {
    Ref<> own = Ref<>::steal(PyException_GetTraceback(value));
    if (!own) PyException_SetTraceback(value, traceback);
  }
  ExceptionPrinter printer(file);
  if (failed(printer.print(value))) {
    PyErr_Clear();
    _PyObject_Dump(value);
    fprintf(stderr, "lost sys.stderr\n");
  }
  flush_stream(file);
}

/// Prints to sys.stderr; without one, to the process's.
void PyErr_Display(PyObject* exception, PyObject* value, PyObject* traceback) {
  PyObject* file = _PySys_GetAttr(_PyThreadState_GET(), &_Py_ID(stderr));
  if (file == nullptr) {
    _PyObject_Dump(value);
    fprintf(stderr, "lost sys.stderr\n");
    return;
  }
  if (file == Py_None) return;
  Ref<> owner = Ref<>::dup(file);
  _PyErr_Display(file, exception, value, traceback);
}

/// Prints the current exception through sys.excepthook and clears it. SystemExit ends the process.
void _PyErr_Print(PyThreadState* tstate) { print_current_exception(tstate, 1); }
void PyErr_PrintEx(int set_last) { print_current_exception(_PyThreadState_GET(), set_last); }
void PyErr_Print(void) { PyErr_PrintEx(1); }
