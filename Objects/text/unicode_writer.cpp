// _PyUnicodeWriter: builds a string piece by piece, widening its buffer when a wider character comes.
//
// INVARIANT: with `readonly` the buffer is somebody's string, size is 0, so every write goes through Prepare, which
// copies it first. A writer that got exactly one whole string gives that very string back.
#include "Objects/text/text.h"

using namespace pyston;
using namespace pyston::text;

static void refresh(_PyUnicodeWriter* writer) {
  writer->maxchar = PyUnicode_MAX_CHAR_VALUE(writer->buffer);
  writer->data = PyUnicode_DATA(writer->buffer);
  if (!writer->readonly) {
    writer->kind = static_cast<PyUnicode_Kind>(PyUnicode_KIND(writer->buffer));
    writer->size = PyUnicode_GET_LENGTH(writer->buffer);
  } else {
    writer->kind = PyUnicode_WCHAR_KIND;
    writer->size = 0;
  }
}

void _PyUnicodeWriter_Init(_PyUnicodeWriter* writer) {
  memset(writer, 0, sizeof(*writer));
  writer->min_char = 127;
}

int _PyUnicodeWriter_PrepareInternal(_PyUnicodeWriter* writer, Py_ssize_t length, Py_UCS4 maxchar) {
  if (length > PY_SSIZE_T_MAX - writer->pos) {
    PyErr_NoMemory();
    return -1;
  }
  Py_ssize_t needed = writer->pos + length;
  if (maxchar < writer->min_char) maxchar = writer->min_char;
  if (writer->buffer == nullptr) {
    if (writer->overallocate && needed <= PY_SSIZE_T_MAX - needed / 4) needed += needed / 4;
    if (needed < writer->min_length) needed = writer->min_length;
    writer->buffer = PyUnicode_New(needed, maxchar);
    if (writer->buffer == nullptr) return -1;
  } else if (needed > writer->size) {
    if (writer->overallocate && needed <= PY_SSIZE_T_MAX - needed / 4) needed += needed / 4;
    if (needed < writer->min_length) needed = writer->min_length;
    if (maxchar > writer->maxchar || writer->readonly) {
      if (maxchar < writer->maxchar) maxchar = writer->maxchar;
      PyObject* wider = PyUnicode_New(needed, maxchar);
      if (wider == nullptr) return -1;
      _PyUnicode_FastCopyCharacters(wider, 0, writer->buffer, 0, writer->pos);
      writer->readonly = 0;
      Py_SETREF(writer->buffer, wider);
    } else if (PyUnicode_Resize(&writer->buffer, needed) < 0) {
      return -1;
    }
  } else if (maxchar > writer->maxchar) {
    PyObject* wider = PyUnicode_New(writer->size, maxchar);
    if (wider == nullptr) return -1;
    _PyUnicode_FastCopyCharacters(wider, 0, writer->buffer, 0, writer->pos);
    Py_SETREF(writer->buffer, wider);
  }
  refresh(writer);
  return 0;
}

int _PyUnicodeWriter_PrepareKindInternal(_PyUnicodeWriter* writer, enum PyUnicode_Kind kind) {
  const Py_UCS4 maxchar = kind == PyUnicode_1BYTE_KIND ? 0xff : kind == PyUnicode_2BYTE_KIND ? 0xffff : kMaxUnicode;
  return _PyUnicodeWriter_PrepareInternal(writer, 0, maxchar);
}

int _PyUnicodeWriter_WriteChar(_PyUnicodeWriter* writer, Py_UCS4 ch) {
  if (_PyUnicodeWriter_Prepare(writer, 1, ch) < 0) return -1;
  PyUnicode_WRITE(writer->kind, writer->data, writer->pos, ch);
  writer->pos++;
  return 0;
}

int _PyUnicodeWriter_WriteStr(_PyUnicodeWriter* writer, PyObject* str) {
  if (!ready(str)) return -1;
  const Text text = view(str);
  if (text.length == 0) return 0;
  const Py_UCS4 maxchar = class_max(text);
  if (maxchar > writer->maxchar || text.length > writer->size - writer->pos) {
    if (writer->buffer == nullptr && !writer->overallocate && PyUnicode_CheckExact(str)) {
      writer->readonly = 1;
      writer->buffer = Py_NewRef(str);
      refresh(writer);
      writer->pos += text.length;
      return 0;
    }
    if (_PyUnicodeWriter_PrepareInternal(writer, text.length, maxchar) < 0) return -1;
  }
  copy_characters(writer->kind, writer->data, writer->pos, text, 0, text.length);
  writer->pos += text.length;
  return 0;
}

int _PyUnicodeWriter_WriteSubstring(_PyUnicodeWriter* writer, PyObject* str, Py_ssize_t start, Py_ssize_t end) {
  if (!ready(str)) return -1;
  if (end <= start) return 0;
  if (start == 0 && end == PyUnicode_GET_LENGTH(str)) return _PyUnicodeWriter_WriteStr(writer, str);
  const Text text = view(str);
  Py_UCS4 maxchar = class_max(text);
  if (maxchar > writer->maxchar) maxchar = _PyUnicode_FindMaxChar(str, start, end);
  if (_PyUnicodeWriter_Prepare(writer, end - start, maxchar) < 0) return -1;
  copy_characters(writer->kind, writer->data, writer->pos, text, start, end - start);
  writer->pos += end - start;
  return 0;
}

int _PyUnicodeWriter_WriteASCIIString(_PyUnicodeWriter* writer, const char* ascii, Py_ssize_t len) {
  if (len == -1) len = static_cast<Py_ssize_t>(strlen(ascii));
  if (len == 0) return 0;
  if (writer->buffer == nullptr && !writer->overallocate) {
    PyObject* string = from_ascii(ascii, len);
    if (string == nullptr) return -1;
    writer->readonly = 1;
    writer->buffer = string;
    refresh(writer);
    writer->pos += len;
    return 0;
  }
  if (_PyUnicodeWriter_Prepare(writer, len, 0x7f) < 0) return -1;
  copy_characters(writer->kind, writer->data, writer->pos, Text{ascii, len, 1, true}, 0, len);
  writer->pos += len;
  return 0;
}

int _PyUnicodeWriter_WriteLatin1String(_PyUnicodeWriter* writer, const char* str, Py_ssize_t len) {
  if (len == 0) return 0;
  const Py_UCS4 maxchar = find_class_max(reinterpret_cast<const Py_UCS1*>(str), len);
  if (_PyUnicodeWriter_Prepare(writer, len, maxchar) < 0) return -1;
  copy_characters(writer->kind, writer->data, writer->pos, Text{str, len, 1, false}, 0, len);
  writer->pos += len;
  return 0;
}

PyObject* _PyUnicodeWriter_Finish(_PyUnicodeWriter* writer) {
  if (writer->pos == 0) {
    Py_CLEAR(writer->buffer);
    return Py_NewRef(empty_string());
  }
  PyObject* string = writer->buffer;
  writer->buffer = nullptr;
  if (writer->readonly) return string;
  if (PyUnicode_GET_LENGTH(string) != writer->pos && PyUnicode_Resize(&string, writer->pos) < 0) {
    Py_DECREF(string);
    return nullptr;
  }
  // Singletons stay unique: one latin-1 character is never a string of its own.
  if (writer->pos == 1) {
    const Py_UCS4 c = PyUnicode_READ_CHAR(string, 0);
    if (c < 0x100) {
      Py_DECREF(string);
      return new_latin1_char(c);
    }
  }
  return string;
}

void _PyUnicodeWriter_Dealloc(_PyUnicodeWriter* writer) { Py_CLEAR(writer->buffer); }
