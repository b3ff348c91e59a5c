// Showing an exception that nobody caught: SystemExit's exit status, sys.excepthook, and the default display with
// chained exceptions, notes, suggestions and the indented tree of exception groups (PEP 654, PEP 678).
#include <stdio.h>

#include <string>

#include "Runtime/refs/ref.h"
#include "internal/pycore_exceptions.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_sysmodule.h"
#include "internal/pycore_traceback.h"

using namespace pyston;

namespace {

constexpr int kMaxGroupWidth = 15;
constexpr int kMaxGroupDepth = 10;

/// State of one display: where to, how deep inside exception groups, what was shown already.
struct Display {
  PyObject* file;
  Ref<> seen;           // ids of shown exceptions; null without a set (then cycles are not guarded against)
  int depth = 0;        // nesting of groups; 0 outside
  bool need_close = false;

  int indent() const { return 2 * depth; }
  const char* margin() const { return depth > 0 ? "| " : ""; }

  Status text(const char* value) const { return PyFile_WriteString(value, file) < 0 ? Status::kError : Status::kOk; }
  Status object(PyObject* value) const {
    return PyFile_WriteObject(value, file, Py_PRINT_RAW) < 0 ? Status::kError : Status::kOk;
  }
  Status start_line() const {
    return _Py_WriteIndentedMargin(indent(), margin(), file) < 0 ? Status::kError : Status::kOk;
  }
};

Status show(Display& display, PyObject* value);

/// New reference to an attribute, null without an exception when missing or failing.
Ref<> quiet_attribute(PyObject* object, PyObject* name) {
  Ref<> value = Ref<>::steal(PyObject_GetAttr(object, name));
  if (!value) PyErr_Clear();
  return value;
}

long quiet_integer(PyObject* object, PyObject* name, long missing) {
  Ref<> value = quiet_attribute(object, name);
  if (!value || value.get() == Py_None || !PyLong_Check(value.get())) return missing;
  const long number = PyLong_AsLong(value.get());
  if (number == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    return missing;
  }
  return number;
}

/// What a SyntaxError says about where it is.
struct SyntaxPlace {
  Ref<> filename;
  Ref<> text;
  long lineno = 0;
  long offset = -1;
  long end_lineno = -1;
  long end_offset = -1;
  bool valid = false;
};

SyntaxPlace read_place(PyObject* value) {
  SyntaxPlace place;
  Ref<> lineno = quiet_attribute(value, &_Py_ID(lineno));
  if (!lineno || !PyLong_Check(lineno.get())) return place;
  place.lineno = PyLong_AsLong(lineno.get());
  place.filename = quiet_attribute(value, &_Py_ID(filename));
  if (!place.filename || place.filename.get() == Py_None) {
    place.filename = Ref<>::steal(PyUnicode_FromString("<string>"));
  }
  place.offset = quiet_integer(value, &_Py_ID(offset), -1);
  place.end_lineno = quiet_integer(value, &_Py_ID(end_lineno), place.lineno);
  place.end_offset = quiet_integer(value, &_Py_ID(end_offset), -1);
  place.text = quiet_attribute(value, &_Py_ID(text));
  if (place.text && place.text.get() == Py_None) place.text.reset();
  place.valid = static_cast<bool>(place.filename);
  return place;
}

/// The offending line, stripped, and carets below it.
Status show_error_text(const Display& display, const SyntaxPlace& place) {
  if (!place.text) return Status::kOk;
  Ref<> as_text = Ref<>::steal(PyObject_Str(place.text.get()));
  const char* raw = as_text ? PyUnicode_AsUTF8(as_text.get()) : nullptr;
  if (raw == nullptr) {
    PyErr_Clear();
    return Status::kOk;
  }
  // Offsets count characters of the text from 1; work on code points.
  PyObject* line = as_text.get();
  Py_ssize_t length = PyUnicode_GET_LENGTH(line);
  long offset = place.offset - 1;
  long end_offset = place.end_offset - 1;
  if (place.end_lineno > place.lineno) end_offset = length;
  if (place.offset < 0) offset = -1;
  Py_ssize_t stop = length;
  while (stop > 0 && PyUnicode_READ_CHAR(line, stop - 1) == '\n') stop--;
  if (offset > stop) offset = stop;
  if (end_offset > stop) end_offset = stop;
  // Of a text with several lines, what precedes the line of the offset is left out.
  Py_ssize_t skip = 0;
  auto is_blank = [&](Py_ssize_t i) {
    const Py_UCS4 c = PyUnicode_READ_CHAR(line, i);
    return c == ' ' || c == '\t' || c == '\f';
  };
  while (skip < stop && is_blank(skip)) skip++;
  for (Py_ssize_t i = skip; i < stop && i < offset; i++) {
    if (PyUnicode_READ_CHAR(line, i) == '\n') skip = i + 1;
  }
  offset -= skip;
  end_offset -= skip;
  auto shown = VM_TRY(Ref<>::steal(PyUnicode_Substring(line, skip, stop)));
  VM_CHECK(display.start_line());
  VM_CHECK(display.text("    "));
  VM_CHECK(display.object(shown.get()));
  VM_CHECK(display.text("\n"));
  if (place.offset < 0 || offset < 0) return Status::kOk;
  if (end_offset <= offset) end_offset = offset + 1;
  std::string carets = "    ";
  carets.append(static_cast<size_t>(offset), ' ');
  carets.append(static_cast<size_t>(end_offset - offset), '^');
  carets += '\n';
  VM_CHECK(display.start_line());
  return display.text(carets.c_str());
}

Status show_place(const Display& display, const SyntaxPlace& place) {
  VM_CHECK(display.start_line());
  auto heading = VM_TRY(Ref<>::steal(
      PyUnicode_FromFormat("  File \"%S\", line %ld\n", place.filename.get(), place.lineno)));
  VM_CHECK(display.object(heading.get()));
  return show_error_text(display, place);
}

/// "module.Name", without the module for builtins and __main__.
Status show_type_name(const Display& display, PyObject* type) {
  if (PyExceptionClass_Check(type)) {
    Ref<> module = quiet_attribute(type, &_Py_ID(__module__));
    if (!module || !PyUnicode_Check(module.get())) {
      VM_CHECK(display.text("<unknown>."));
    } else if (!_PyUnicode_Equal(module.get(), &_Py_ID(builtins)) && !_PyUnicode_Equal(module.get(), &_Py_ID(__main__))) {
      VM_CHECK(display.object(module.get()));
      VM_CHECK(display.text("."));
    }
  }
  Ref<> name = Ref<>::steal(PyType_GetQualName(reinterpret_cast<PyTypeObject*>(type)));
  if (!name) {
    PyErr_Clear();
    return display.text("<unknown>");
  }
  return display.object(name.get());
}

Status show_message(const Display& display, PyObject* value) {
  Ref<> text = Ref<>::steal(PyObject_Str(value));
  if (!text) {
    PyErr_Clear();
    return display.text(": <exception str() failed>");
  }
  if (!PyUnicode_Check(text.get()) || PyUnicode_GET_LENGTH(text.get()) != 0) {
    VM_CHECK(display.text(": "));
    VM_CHECK(display.object(text.get()));
  }
  return Status::kOk;
}

Status show_suggestion(const Display& display, PyObject* value) {
  Ref<> suggestion = Ref<>::steal(_Py_Offer_Suggestions(value));
  if (!suggestion) {
    PyErr_Clear();
    return Status::kOk;
  }
  VM_CHECK(display.text(". Did you mean: '"));
  VM_CHECK(display.object(suggestion.get()));
  return display.text("'?");
}

Status show_note_lines(const Display& display, PyObject* text) {
  auto lines = VM_TRY(Ref<>::steal(PyUnicode_Splitlines(text, 1)));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(lines.get()); i++) {
    VM_CHECK(display.start_line());
    VM_CHECK(display.object(PyList_GET_ITEM(lines.get(), i)));
  }
  return Status::kOk;
}

Status show_notes(const Display& display, PyObject* value) {
  PyObject* raw = nullptr;
  const int found = _PyObject_LookupAttr(value, &_Py_ID(__notes__), &raw);
  if (found <= 0) {
    if (found < 0) PyErr_Clear();
    return Status::kOk;
  }
  Ref<> notes = Ref<>::steal(raw);
  if (!PySequence_Check(notes.get()) || PyUnicode_Check(notes.get()) || PyBytes_Check(notes.get())) {
    Ref<> text = Ref<>::steal(PyObject_Repr(notes.get()));
    if (!text) {
      PyErr_Clear();
      text = VM_TRY(Ref<>::steal(PyUnicode_FromString("<__notes__ repr() failed>")));
    }
    return show_note_lines(display, text.get());
  }
  const Py_ssize_t count = PySequence_Length(notes.get());
  for (Py_ssize_t i = 0; i < count; i++) {
    auto note = VM_TRY(Ref<>::steal(PySequence_GetItem(notes.get(), i)));
    Ref<> text = PyUnicode_Check(note.get()) ? Ref<>::dup(note.get()) : Ref<>::steal(PyObject_Str(note.get()));
    if (!text) {
      PyErr_Clear();
      text = VM_TRY(Ref<>::steal(PyUnicode_FromString("<note str() failed>")));
    }
    VM_CHECK(show_note_lines(display, text.get()));
    VM_CHECK(display.text("\n"));
  }
  return Status::kOk;
}

Status show_traceback(const Display& display, PyObject* value) {
  Ref<> traceback = Ref<>::steal(PyException_GetTraceback(value));
  if (!traceback || traceback.get() == Py_None) return Status::kOk;
  const bool is_group = _PyBaseExceptionGroup_Check(value);
  const char* header = is_group ? EXCEPTION_GROUP_TB_HEADER : EXCEPTION_TB_HEADER;
  const char* header_margin = is_group && display.depth == 1 ? "+ " : display.margin();
  return _PyTraceBack_Print_Indented(traceback.get(), display.indent(), display.margin(), header_margin, header,
                                     display.file) < 0
             ? Status::kError
             : Status::kOk;
}

/// One exception without its chain.
Status show_one(const Display& display, PyObject* value) {
  if (!PyExceptionInstance_Check(value)) {
    VM_CHECK(display.start_line());
    VM_CHECK(display.text("TypeError: print_exception(): Exception expected for value, "));
    VM_CHECK(display.text(Py_TYPE(value)->tp_name));
    return display.text(" found\n");
  }
  VM_CHECK(show_traceback(display, value));
  PyObject* marker = nullptr;
  if (_PyObject_LookupAttr(value, &_Py_ID(print_file_and_line), &marker) < 0) return Status::kError;
  Ref<> message = Ref<>::dup(value);
  if (marker != nullptr) {
    Py_DECREF(marker);
    const SyntaxPlace place = read_place(value);
    if (place.valid) {
      VM_CHECK(show_place(display, place));
      PyErr_Clear();
      // str() would repeat the place.
      Ref<> text = quiet_attribute(value, &_Py_ID(msg));
      if (text) message = std::move(text);
    }
  }
  VM_CHECK(display.start_line());
  VM_CHECK(show_type_name(display, as_object(Py_TYPE(value))));
  VM_CHECK(show_message(display, message.get()));
  VM_CHECK(show_suggestion(display, value));
  VM_CHECK(display.text("\n"));
  return show_notes(display, value);
}

Status show_linked(Display& display, PyObject* value, const char* message) {
  if (Py_EnterRecursiveCall(" in print_chained")) return Status::kError;
  const bool need_close = display.need_close;
  const Status status = show(display, value);
  Py_LeaveRecursiveCall();
  display.need_close = need_close;
  VM_CHECK(status);
  VM_CHECK(display.start_line());
  VM_CHECK(display.text("\n"));
  VM_CHECK(display.start_line());
  VM_CHECK(display.text(message));
  VM_CHECK(display.start_line());
  return display.text("\n");
}

/// True if the exception was not shown yet; it counts as shown from now on.
bool first_time(Display& display, PyObject* value) {
  if (!display.seen) return true;
  Ref<> id = Ref<>::steal(PyLong_FromVoidPtr(value));
  if (!id) {
    PyErr_Clear();
    return true;
  }
  const int contained = PySet_Contains(display.seen.get(), id.get());
  if (contained != 0) {
    PyErr_Clear();
    return contained < 0;
  }
  if (PySet_Add(display.seen.get(), id.get()) < 0) PyErr_Clear();
  return true;
}

Status show_chain(Display& display, PyObject* value) {
  Ref<> cause = Ref<>::steal(PyException_GetCause(value));
  if (cause) {
    if (!first_time(display, cause.get())) return Status::kOk;
    return show_linked(display, cause.get(),
                       "The above exception was the direct cause of the following exception:\n");
  }
  Ref<> context = Ref<>::steal(PyException_GetContext(value));
  if (context && !reinterpret_cast<PyBaseExceptionObject*>(value)->suppress_context) {
    if (!first_time(display, context.get())) return Status::kOk;
    return show_linked(display, context.get(),
                       "During handling of the above exception, another exception occurred:\n");
  }
  return Status::kOk;
}

Status show_group(Display& display, PyObject* value) {
  if (display.depth > kMaxGroupDepth) {
    VM_CHECK(display.start_line());
    auto text = VM_TRY(Ref<>::steal(PyUnicode_FromFormat("... (max_group_depth is %d)\n", kMaxGroupDepth)));
    return display.object(text.get());
  }
  const bool root = display.depth == 0;
  if (root) display.depth = 1;
  VM_CHECK(show_one(display, value));
  PyObject* members = reinterpret_cast<PyBaseExceptionGroupObject*>(value)->excs;
  const Py_ssize_t count = PyTuple_GET_SIZE(members);
  const Py_ssize_t shown = count <= kMaxGroupWidth ? count : kMaxGroupWidth + 1;
  display.need_close = false;
  for (Py_ssize_t i = 0; i < shown; i++) {
    const bool last = i == shown - 1;
    if (last) display.need_close = true;  // a nested group clears it: its own closing line is enough
    const bool truncated = i >= kMaxGroupWidth;
    VM_CHECK(_Py_WriteIndent(display.indent(), display.file) < 0 ? Status::kError : Status::kOk);
    const char* joint = i == 0 ? "+-" : "  ";
    auto heading = VM_TRY(Ref<>::steal(
        truncated ? PyUnicode_FromFormat("%s+---------------- ... ----------------\n", joint)
                  : PyUnicode_FromFormat("%s+---------------- %zd ----------------\n", joint, i + 1)));
    VM_CHECK(display.object(heading.get()));
    display.depth++;
    if (!truncated) {
      if (Py_EnterRecursiveCall(" in print_exception_group")) return Status::kError;
      const Status status = show(display, PyTuple_GET_ITEM(members, i));
      Py_LeaveRecursiveCall();
      VM_CHECK(status);
    } else {
      const Py_ssize_t excess = count - kMaxGroupWidth;
      VM_CHECK(display.start_line());
      auto text = VM_TRY(Ref<>::steal(
          PyUnicode_FromFormat("and %zd more exception%s\n", excess, excess > 1 ? "s" : "")));
      VM_CHECK(display.object(text.get()));
    }
    if (last && display.need_close) {
      VM_CHECK(_Py_WriteIndent(display.indent(), display.file) < 0 ? Status::kError : Status::kOk);
      VM_CHECK(display.text("+------------------------------------\n"));
      display.need_close = false;
    }
    display.depth--;
  }
  if (root) display.depth = 0;
  return Status::kOk;
}

Status show(Display& display, PyObject* value) {
  if (PyExceptionInstance_Check(value)) {
    if (display.seen) first_time(display, value);
    VM_CHECK(show_chain(display, value));
    if (_PyBaseExceptionGroup_Check(value)) return show_group(display, value);
  }
  return show_one(display, value);
}

}  // namespace

void _PyErr_Display(PyObject* file, PyObject*, PyObject* value, PyObject* traceback) {
  Ref<> keep_value = Ref<>::dup(value);
  if (PyExceptionInstance_Check(value) && traceback != nullptr && PyTraceBack_Check(traceback)) {
    // A traceback given apart from the exception is shown with it.
    Ref<> current = Ref<>::steal(PyException_GetTraceback(value));
    if (!current) PyException_SetTraceback(value, traceback);
  }
  Display display;
  display.file = file;
  display.seen = Ref<>::steal(PySet_New(nullptr));
  if (!display.seen) PyErr_Clear();
  if (!ok(show(display, value))) {
    _PyErr_Clear(_PyThreadState_GET());
    _PyObject_Dump(value);
    fprintf(stderr, "lost sys.stderr\n");
  }
  Ref<> result = Ref<>::steal(PyObject_CallMethodNoArgs(file, &_Py_ID(flush)));
  if (!result) PyErr_Clear();
}

void PyErr_Display(PyObject* exception, PyObject* value, PyObject* traceback) {
  PyObject* file = _PySys_GetAttr(_PyThreadState_GET(), &_Py_ID(stderr));
  if (file == nullptr) {
    _PyObject_Dump(value);
    fprintf(stderr, "lost sys.stderr\n");
    return;
  }
  if (file == Py_None) return;
  Ref<> keep = Ref<>::dup(file);
  _PyErr_Display(file, exception, value, traceback);
}

// ---- SystemExit, sys.excepthook --------------------------------------------------------------------------------------

int _Py_HandleSystemExit(int* exit_code) {
  if (_Py_GetConfig()->inspect) return 0;  // -i: the prompt comes next
  if (!PyErr_ExceptionMatches(PyExc_SystemExit)) return 0;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  fflush(stdout);
  Ref<> status = Ref<>::dup(value);
  if (value != nullptr && PyExceptionInstance_Check(value)) {
    Ref<> code = Ref<>::steal(PyObject_GetAttr(value, &_Py_ID(code)));
    if (code) {
      status = std::move(code);
    } else {
      PyErr_Clear();
    }
  }
  *exit_code = 0;
  if (status && status.get() != Py_None) {
    if (PyLong_Check(status.get())) {
      *exit_code = static_cast<int>(PyLong_AsLong(status.get()));
    } else {
      // The reference releases the exception before it prints, so that finalisers write first.
      PyObject* file = _PySys_GetAttr(_PyThreadState_GET(), &_Py_ID(stderr));
      PyErr_Clear();
      if (file != nullptr && file != Py_None) {
        PyFile_WriteObject(status.get(), file, Py_PRINT_RAW);
      } else {
        PyObject_Print(status.get(), stderr, Py_PRINT_RAW);
        fflush(stderr);
      }
      PySys_WriteStderr("\n");
      *exit_code = 1;
    }
  }
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
  PyErr_Clear();
  return 1;
}

namespace {

void print_pending(PyThreadState* tstate, int set_last_variables) {
  int exit_code;
  if (_Py_HandleSystemExit(&exit_code)) Py_Exit(exit_code);
  PyObject *raw_type, *raw_value, *raw_traceback;
  PyErr_Fetch(&raw_type, &raw_value, &raw_traceback);
  if (raw_type == nullptr) return;
  PyErr_NormalizeException(&raw_type, &raw_value, &raw_traceback);
  Ref<> type = Ref<>::steal(raw_type);
  Ref<> value = Ref<>::steal(raw_value);
  Ref<> traceback = raw_traceback == nullptr ? Ref<>::none() : Ref<>::steal(raw_traceback);
  PyException_SetTraceback(value.get(), traceback.get());
  if (set_last_variables) {
    if (PySys_SetObject("last_type", type.get()) < 0) PyErr_Clear();
    if (PySys_SetObject("last_value", value.get()) < 0) PyErr_Clear();
    if (PySys_SetObject("last_traceback", traceback.get()) < 0) PyErr_Clear();
  }
  Ref<> hook = Ref<>::dup(_PySys_GetAttr(tstate, &_Py_ID(excepthook)));
  if (PySys_Audit("sys.excepthook", "OOOO", hook ? hook.get() : Py_None, type.get(), value.get(), traceback.get()) < 0) {
    if (PyErr_ExceptionMatches(PyExc_RuntimeError)) {
      PyErr_Clear();
      return;
    }
    _PyErr_WriteUnraisableMsg("in audit hook", nullptr);
  }
  if (!hook) {
    PySys_WriteStderr("sys.excepthook is missing\n");
    PyErr_Display(type.get(), value.get(), traceback.get());
    return;
  }
  PyObject* arguments[3] = {type.get(), value.get(), traceback.get()};
  Ref<> result = Ref<>::steal(PyObject_Vectorcall(hook.get(), arguments, 3, nullptr));
  if (result) return;
  if (_Py_HandleSystemExit(&exit_code)) Py_Exit(exit_code);
  PyObject *type2, *value2, *traceback2;
  PyErr_Fetch(&type2, &value2, &traceback2);
  PyErr_NormalizeException(&type2, &value2, &traceback2);
  fflush(stdout);
  PySys_WriteStderr("Error in sys.excepthook:\n");
  PyErr_Display(type2, value2 == nullptr ? Py_None : value2, traceback2);
  PySys_WriteStderr("\nOriginal exception was:\n");
  PyErr_Display(type.get(), value.get(), traceback.get());
  Py_XDECREF(type2);
  Py_XDECREF(value2);
  Py_XDECREF(traceback2);
}

}  // namespace

void _PyErr_Print(PyThreadState* tstate) { print_pending(tstate, 1); }
void PyErr_PrintEx(int set_last_variables) { print_pending(_PyThreadState_GET(), set_last_variables); }
void PyErr_Print(void) { PyErr_PrintEx(1); }
