// Attaching places and source lines to SyntaxErrors.
#include <cstdio>
#include <cstring>

#include "Objects/bind.h"
#include "pycore_fileutils.h"
#include "pycore_pyerrors.h"
#include "pycore_pystate.h"

using namespace pyston;

namespace {

/// Sets `exception.name`, from an int or None. Failures are dropped: the SyntaxError itself matters more.
void set_number(PyObject* exception, PyObject* name, int value, bool known) {
  auto number = known ? Ref<>::steal(PyLong_FromLong(value)) : Ref<>::none();
  if (!number || PyObject_SetAttr(exception, name, number.get()) < 0) PyErr_Clear();
}

void set_default(PyObject* exception, PyObject* name, PyObject* value) {
  PyObject* present;
  if (_PyObject_LookupAttr(exception, name, &present) < 0) PyErr_Clear();
  if (present != nullptr) {
    Py_DECREF(present);
  } else if (value == nullptr || PyObject_SetAttr(exception, name, value) < 0) {
    PyErr_Clear();
  }
}

/// Line `lineno` of an open file as bytes with any sort of newline as \n, grown into a malloc'ed buffer; null at the end
/// of the file or without memory.
/// `length` becomes its size.
char* read_line(FILE* file, int lineno, size_t* length) {
  size_t capacity = 256;
  char* line = static_cast<char*>(PyMem_Malloc(capacity));
  if (line == nullptr) return nullptr;
  size_t size = 0;
  int current = 1;
  int c = EOF;
  while (current <= lineno && (c = getc(file)) != EOF) {
    if (c == '\r') {
      const int next = getc(file);
      if (next != '\n' && next != EOF) ungetc(next, file);
      c = '\n';
    }
    if (current == lineno) {
      if (size + 1 >= capacity) {
        capacity *= 2;
        char* grown = static_cast<char*>(PyMem_Realloc(line, capacity));
        if (grown == nullptr) break;
        line = grown;
      }
      line[size++] = static_cast<char>(c);
    }
    if (c == '\n') current++;
  }
  if (size == 0 && c == EOF) {
    PyMem_Free(line);
    return nullptr;
  }
  *length = size;
  return line;
}

PyObject* program_text(FILE* file, int lineno, const char* encoding) {
  if (file == nullptr) return nullptr;
  size_t length = 0;
  char* line = lineno > 0 ? read_line(file, lineno, &length) : nullptr;
  fclose(file);
  if (line == nullptr) return nullptr;
  const char* start = line;
  length = strnlen(line, length);
  if (lineno == 1 && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
    start += 3;
    length -= 3;
  }
  PyObject* text = encoding != nullptr ? PyUnicode_Decode(start, static_cast<Py_ssize_t>(length), encoding, "replace")
                                       : PyUnicode_FromStringAndSize(start, static_cast<Py_ssize_t>(length));
  PyMem_Free(line);
  if (text == nullptr) PyErr_Clear();
  return text;
}

/// Completes the current SyntaxError; positions of -1 are unknown.
void set_location(PyObject* filename, int lineno, int column, int end_lineno, int end_column) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject *type, *value, *traceback;
  _PyErr_Fetch(tstate, &type, &value, &traceback);
  _PyErr_NormalizeException(tstate, &type, &value, &traceback);
  set_number(value, &_Py_ID(lineno), lineno, true);
  set_number(value, &_Py_ID(offset), column, column >= 0);
  set_number(value, &_Py_ID(end_lineno), end_lineno, end_lineno >= 0);
  set_number(value, &_Py_ID(end_offset), end_column, end_column >= 0);
  if (filename != nullptr) {
    if (PyObject_SetAttr(value, &_Py_ID(filename), filename) < 0) _PyErr_Clear(tstate);
    auto text = Ref<>::steal(PyErr_ProgramTextObject(filename, lineno));
    if (!text) {
      _PyErr_Clear(tstate);
      text = Ref<>::none();
    }
    if (PyObject_SetAttr(value, &_Py_ID(text), text.get()) < 0) _PyErr_Clear(tstate);
  }
  if (type != PyExc_SyntaxError) {
    auto message = Ref<>::steal(PyObject_Str(value));
    set_default(value, &_Py_ID(msg), message.get());
    set_default(value, &_Py_ID(print_file_and_line), Py_None);
  }
  _PyErr_Restore(tstate, type, value, traceback);
}

}  // namespace

void PyErr_SyntaxLocationObject(PyObject* filename, int lineno, int col_offset) {
  set_location(filename, lineno, col_offset, lineno, -1);
}

void PyErr_RangedSyntaxLocationObject(PyObject* filename, int lineno, int col_offset, int end_lineno,
                                      int end_col_offset) {
  set_location(filename, lineno, col_offset, end_lineno, end_col_offset);
}

void PyErr_SyntaxLocationEx(const char* filename, int lineno, int col_offset) {
  Ref<> name;
  if (filename != nullptr) {
    name = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
    if (!name) PyErr_Clear();
  }
  PyErr_SyntaxLocationObject(name.get(), lineno, col_offset);
}

void PyErr_SyntaxLocation(const char* filename, int lineno) { PyErr_SyntaxLocationEx(filename, lineno, -1); }

PyObject* PyErr_ProgramText(const char* filename, int lineno) {
  if (filename == nullptr) return nullptr;
  auto name = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
  if (!name) {
    PyErr_Clear();
    return nullptr;
  }
  return PyErr_ProgramTextObject(name.get(), lineno);
}

PyObject* PyErr_ProgramTextObject(PyObject* filename, int lineno) {
  return _PyErr_ProgramDecodedTextObject(filename, lineno, nullptr);
}

PyObject* _PyErr_ProgramDecodedTextObject(PyObject* filename, int lineno, const char* encoding) {
  if (filename == nullptr || lineno <= 0) return nullptr;
  FILE* file = _Py_fopen_obj(filename, "r");
  if (file == nullptr) {
    PyErr_Clear();
    return nullptr;
  }
  return program_text(file, lineno, encoding);
}
