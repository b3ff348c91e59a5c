// StringIO: a string as a stream.
//
// While text is only appended it collects in a _PyUnicodeWriter; the first other operation turns it into an array of
// code points. INVARIANT: exactly one of the two holds the text, as `accumulating` says.
#include "Lib/native/io/io.h"

#include <cstring>

namespace pyston::io {
namespace {

struct StringIO {
  PyObject_HEAD
  Py_UCS4* buf;
  Py_ssize_t pos;
  Py_ssize_t size;      // code points of text
  Py_ssize_t capacity;
  bool accumulating;
  bool ok;
  bool closed;
  bool read_universal;
  bool read_translate;
  _PyUnicodeWriter writer;
  PyObject* decoder;
  PyObject* readnl;  // null: newline=None
  PyObject* writenl;
  PyObject* dict;
  PyObject* weakreflist;
};

bool check_usable(StringIO* self) {
  if (UNLIKELY(!self->ok)) {
    PyErr_SetString(PyExc_ValueError, "I/O operation on uninitialized object");
    return false;
  }
  if (UNLIKELY(self->closed)) {
    PyErr_SetString(PyExc_ValueError, "I/O operation on closed file");
    return false;
  }
  return true;
}
#define CHECK_USABLE(self) \
  if (!check_usable(self)) return nullptr

bool reserve(StringIO* self, Py_ssize_t size) {
  if (size <= self->capacity && size >= self->capacity / 4) return true;
  Py_ssize_t capacity = size + 1;
  if (size > self->capacity) capacity = size + (size >> 3) + 8;
  if (static_cast<size_t>(capacity) > PY_SSIZE_T_MAX / sizeof(Py_UCS4)) {
    PyErr_SetString(PyExc_OverflowError, "new buffer size too large");
    return false;
  }
  Py_UCS4* grown = static_cast<Py_UCS4*>(PyMem_Realloc(self->buf, static_cast<size_t>(capacity) * sizeof(Py_UCS4)));
  if (grown == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  self->buf = grown;
  self->capacity = capacity;
  return true;
}

void start_accumulating(StringIO* self) {
  _PyUnicodeWriter_Init(&self->writer);
  self->writer.overallocate = 1;
  self->accumulating = true;
}

/// The collected text moves into the array.
bool realize(StringIO* self) {
  if (!self->accumulating) return true;
  self->accumulating = false;
  auto text = Ref<>::steal(_PyUnicodeWriter_Finish(&self->writer));
  if (!text) return false;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text.get());
  if (!reserve(self, length)) return false;
  if (length > 0 && PyUnicode_AsUCS4(text.get(), self->buf, length, 0) == nullptr) return false;
  return true;
}

/// The collected text, which stays.
PyObject* accumulated(StringIO* self) {
  PyObject* text = _PyUnicodeWriter_Finish(&self->writer);
  if (text == nullptr) return nullptr;
  start_accumulating(self);
  if (_PyUnicodeWriter_WriteStr(&self->writer, text) < 0) Py_CLEAR(text);
  return text;
}

bool write_text(StringIO* self, PyObject* argument) {
  Ref<> text;
  if (self->decoder != nullptr) {
    text = Ref<>::steal(newline_decoder_decode(reinterpret_cast<NewlineDecoder*>(self->decoder), argument, true));
  } else {
    text = Ref<>::dup(argument);
  }
  if (!text) return false;
  if (self->writenl != nullptr) {
    auto newline = Ref<>::steal(PyUnicode_FromOrdinal('\n'));
    if (!newline) return false;
    text = Ref<>::steal(PyUnicode_Replace(text.get(), newline.get(), self->writenl, -1));
    if (!text) return false;
  }
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text.get());
  if (self->pos > PY_SSIZE_T_MAX - length) {
    PyErr_SetString(PyExc_OverflowError, "new position too large");
    return false;
  }
  if (self->accumulating) {
    if (self->pos == self->size) {
      if (_PyUnicodeWriter_WriteStr(&self->writer, text.get()) < 0) return false;
      self->pos += length;
      self->size = self->pos;
      return true;
    }
    if (!realize(self)) return false;
  }
  const Py_ssize_t end = self->pos + length;
  if (end > self->size && !reserve(self, end)) return false;
  if (self->pos > self->size) {
    std::memset(self->buf + self->size, 0, static_cast<size_t>(self->pos - self->size) * sizeof(Py_UCS4));
  }
  if (length > 0 && PyUnicode_AsUCS4(text.get(), self->buf + self->pos, length, 0) == nullptr) return false;
  self->pos = end;
  if (self->size < end) self->size = end;
  return true;
}

Status stringio_init(StringIO* self, PyObject* value, PyObject* newline) {
  const char* text = "\n";
  if (newline != nullptr) {
    if (newline == Py_None) {
      text = nullptr;
    } else if (!PyUnicode_Check(newline)) {
      return raise(PyExc_TypeError, "StringIO() argument 'newline' must be str or None, not %.200s",
                   Py_TYPE(newline)->tp_name);
    } else if ((text = PyUnicode_AsUTF8(newline)) == nullptr) {
      return Status::kError;
    }
  }
  if (text != nullptr && std::strcmp(text, "") != 0 && std::strcmp(text, "\n") != 0 && std::strcmp(text, "\r") != 0 &&
      std::strcmp(text, "\r\n") != 0) {
    return raise(PyExc_ValueError, "illegal newline value: %R", newline);
  }
  if (value != nullptr && value != Py_None && !PyUnicode_Check(value)) {
    return raise(PyExc_TypeError, "initial_value must be str or None, not %.200s", Py_TYPE(value)->tp_name);
  }
  self->ok = false;
  if (self->accumulating) _PyUnicodeWriter_Dealloc(&self->writer);
  self->accumulating = false;
  Py_CLEAR(self->readnl);
  Py_CLEAR(self->writenl);
  Py_CLEAR(self->decoder);
  if (text != nullptr && (self->readnl = PyUnicode_FromString(text)) == nullptr) return Status::kError;
  self->read_universal = text == nullptr || text[0] == '\0';
  self->read_translate = text == nullptr;
  // Unlike files, what is written is stored with the line ends it will be read with.
  if (text != nullptr && text[0] == '\r') self->writenl = Py_NewRef(self->readnl);
  if (self->read_universal) {
    self->decoder = PyObject_CallFunctionObjArgs(as_object(&NewlineDecoder_Type), Py_None,
                                                 self->read_translate ? Py_True : Py_False, nullptr);
    if (self->decoder == nullptr) return Status::kError;
  }
  self->size = 0;
  self->pos = 0;
  if (value != nullptr && value != Py_None && PyUnicode_GET_LENGTH(value) > 0) {
    if (!write_text(self, value)) return Status::kError;
  } else {
    start_accumulating(self);
  }
  self->pos = 0;
  self->closed = false;
  self->ok = true;
  return Status::kOk;
}

PyObject* stringio_getvalue(StringIO* self) {
  CHECK_USABLE(self);
  if (self->accumulating) return accumulated(self);
  return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, self->buf, self->size);
}
PyObject* stringio_tell(StringIO* self) {
  CHECK_USABLE(self);
  return PyLong_FromSsize_t(self->pos);
}

PyObject* stringio_read(StringIO* self, Size size) {
  CHECK_USABLE(self);
  Py_ssize_t count = size.value;
  const Py_ssize_t available = self->size - self->pos;
  if (count < 0 || count > available) count = available < 0 ? 0 : available;
  // FAST: everything that was collected.
  if (self->accumulating && self->pos == 0 && count == available) {
    PyObject* result = accumulated(self);
    self->pos = self->size;
    return result;
  }
  if (!realize(self)) return nullptr;
  PyObject* result = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, self->buf + self->pos, count);
  if (result != nullptr) self->pos += count;
  return result;
}

PyObject* read_line(StringIO* self, Py_ssize_t limit) {
  if (self->pos >= self->size) return PyUnicode_New(0, 0);
  if (!realize(self)) return nullptr;
  const Py_UCS4* start = self->buf + self->pos;
  Py_ssize_t available = self->size - self->pos;
  if (limit >= 0 && limit < available) available = limit;
  Py_ssize_t consumed;
  Py_ssize_t length = find_line_ending(self->read_translate, self->read_universal, self->readnl, PyUnicode_4BYTE_KIND,
                                       start, available, &consumed);
  if (length < 0) length = available;
  self->pos += length;
  return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, start, length);
}
PyObject* stringio_readline(StringIO* self, Size size) {
  CHECK_USABLE(self);
  return read_line(self, size.value);
}

PyObject* stringio_next(PyObject* object) {
  StringIO* self = reinterpret_cast<StringIO*>(object);
  CHECK_USABLE(self);
  PyObject* line;
  if (Py_IS_TYPE(object, &StringIO_Type)) {
    line = read_line(self, -1);
  } else {
    line = PyObject_CallMethodNoArgs(object, &_Py_ID(readline));
    if (line != nullptr && !PyUnicode_Check(line)) {
      PyErr_Format(PyExc_OSError, "readline() should have returned a str object, not '%.200s'", Py_TYPE(line)->tp_name);
      Py_DECREF(line);
      return nullptr;
    }
  }
  if (line != nullptr && PyUnicode_GET_LENGTH(line) == 0) Py_CLEAR(line);
  return line;
}

PyObject* stringio_truncate(StringIO* self, PyObject* size_object) {
  CHECK_USABLE(self);
  Py_ssize_t size = self->pos;
  if (size_object != nullptr && size_object != Py_None && !size_argument(size_object, size)) return nullptr;
  if (size < 0) return raise(PyExc_ValueError, "Negative size value %zd", size);
  if (size < self->size) {
    if (!realize(self) || !reserve(self, size)) return nullptr;
    self->size = size;
  }
  return PyLong_FromSsize_t(size);
}

PyObject* stringio_seek(StringIO* self, Py_ssize_t position, Optional<int> whence_argument) {
  CHECK_USABLE(self);
  const int whence = whence_argument.value_or(0);
  if (whence < 0 || whence > 2) return raise(PyExc_ValueError, "Invalid whence (%i, should be 0, 1 or 2)", whence);
  if (position < 0 && whence == 0) return raise(PyExc_ValueError, "Negative seek position %zd", position);
  if (whence != 0 && position != 0) return raise(PyExc_OSError, "Can't do nonzero cur-relative seeks");
  if (whence == 1) position = self->pos;
  if (whence == 2) position = self->size;
  self->pos = position;
  return PyLong_FromSsize_t(position);
}

PyObject* stringio_write(StringIO* self, Borrowed<> text) {
  CHECK_USABLE(self);
  if (!PyUnicode_Check(text)) {
    return raise(PyExc_TypeError, "string argument expected, got '%s'", Py_TYPE(text)->tp_name);
  }
  if (PyUnicode_READY(text.get()) < 0) return nullptr;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text.get());
  if (length > 0 && !write_text(self, text)) return nullptr;
  return PyLong_FromSsize_t(length);
}

PyObject* stringio_close(StringIO* self) {
  self->closed = true;
  if (self->capacity > 0) {
    PyMem_Free(self->buf);
    self->buf = nullptr;
    self->capacity = 0;
  }
  if (self->accumulating) _PyUnicodeWriter_Dealloc(&self->writer);
  self->accumulating = false;
  Py_RETURN_NONE;
}

PyObject* true_while_open(StringIO* self) {
  CHECK_USABLE(self);
  Py_RETURN_TRUE;
}

PyObject* stringio_getstate(StringIO* self) {
  auto value = Ref<>::steal(stringio_getvalue(self));
  if (!value) return nullptr;
  Ref<> dict = self->dict == nullptr ? Ref<>::none() : Ref<>::steal(PyDict_Copy(self->dict));
  if (!dict) return nullptr;
  return Py_BuildValue("(OOnO)", value.get(), self->readnl != nullptr ? self->readnl : Py_None, self->pos, dict.get());
}

PyObject* stringio_setstate(StringIO* self, Borrowed<> state) {
  if (self->closed) return raise(PyExc_ValueError, "I/O operation on closed file");
  if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state.get()) < 4) {
    return raise(PyExc_TypeError, "%.200s.__setstate__ argument should be 4-tuple, got %.200s", Py_TYPE(self)->tp_name,
                 Py_TYPE(state)->tp_name);
  }
  PyObject* value = PyTuple_GET_ITEM(state.get(), 0);
  if (!ok(stringio_init(self, nullptr, PyTuple_GET_ITEM(state.get(), 1)))) return nullptr;
  if (!PyUnicode_Check(value)) {
    return raise(PyExc_TypeError, "initial_value must be str or None, not %.200s", Py_TYPE(value)->tp_name);
  }
  // The value has its line ends already: it is restored without translation.
  if (!realize(self)) return nullptr;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(value);
  if (!reserve(self, length)) return nullptr;
  if (length > 0 && PyUnicode_AsUCS4(value, self->buf, length, 0) == nullptr) return nullptr;
  self->size = length;
  PyObject* position_object = PyTuple_GET_ITEM(state.get(), 2);
  if (!PyLong_Check(position_object)) {
    return raise(PyExc_TypeError, "third item of state must be an integer, got %.200s", Py_TYPE(position_object)->tp_name);
  }
  const Py_ssize_t position = PyLong_AsSsize_t(position_object);
  if (position == -1 && PyErr_Occurred()) return nullptr;
  if (position < 0) return raise(PyExc_ValueError, "position value cannot be negative");
  self->pos = position;
  PyObject* dict = PyTuple_GET_ITEM(state.get(), 3);
  if (dict != Py_None) {
    if (!PyDict_Check(dict)) {
      return raise(PyExc_TypeError, "fourth item of state should be a dict, got a %.200s", Py_TYPE(dict)->tp_name);
    }
    if (self->dict != nullptr) {
      if (PyDict_Update(self->dict, dict) < 0) return nullptr;
    } else {
      self->dict = Py_NewRef(dict);
    }
  }
  Py_RETURN_NONE;
}

PyObject* stringio_get_closed(StringIO* self) {
  if (!self->ok) return raise(PyExc_ValueError, "I/O operation on uninitialized object");
  return PyBool_FromLong(self->closed);
}
PyObject* stringio_get_line_buffering(StringIO* self) {
  CHECK_USABLE(self);
  Py_RETURN_FALSE;
}
PyObject* stringio_get_newlines(StringIO* self) {
  CHECK_USABLE(self);
  if (self->decoder == nullptr) Py_RETURN_NONE;
  return newlines_of(reinterpret_cast<NewlineDecoder*>(self->decoder)->seen);
}

void stringio_dealloc(PyObject* object) {
  StringIO* self = reinterpret_cast<StringIO*>(object);
  PyObject_GC_UnTrack(object);
  self->ok = false;
  PyMem_Free(self->buf);
  if (self->accumulating) _PyUnicodeWriter_Dealloc(&self->writer);
  Py_CLEAR(self->readnl);
  Py_CLEAR(self->writenl);
  Py_CLEAR(self->decoder);
  Py_CLEAR(self->dict);
  if (self->weakreflist != nullptr) PyObject_ClearWeakRefs(object);
  Py_TYPE(object)->tp_free(object);
}
int stringio_traverse(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<StringIO*>(object)->dict);
  return 0;
}
int stringio_clear(PyObject* object) {
  Py_CLEAR(reinterpret_cast<StringIO*>(object)->dict);
  return 0;
}

PyMethodDef stringio_methods[] = {
    method<stringio_close, "close($self, /)">(),
    method<stringio_getvalue, "getvalue($self, /)", "Gives the whole content.">(),
    method<stringio_read, "read($self, size=-1, /)">(),
    method<stringio_readline, "readline($self, size=-1, /)">(),
    method<stringio_tell, "tell($self, /)">(),
    method<stringio_truncate, "truncate($self, pos=None, /)">(),
    method<stringio_seek, "seek($self, pos, whence=0, /)">(),
    method<stringio_write, "write($self, s, /)">(),
    method<true_while_open, "seekable($self, /)">(),
    method<true_while_open, "readable($self, /)">(),
    method<true_while_open, "writable($self, /)">(),
    method<stringio_getstate, "__getstate__($self, /)">(),
    method<stringio_setstate, "__setstate__($self, state, /)">(),
    {},
};
PyGetSetDef stringio_getset[] = {
    getset<stringio_get_closed>("closed"),
    getset<stringio_get_newlines>("newlines"),
    getset<stringio_get_line_buffering>("line_buffering"),
    {},
};

}  // namespace

PyTypeObject StringIO_Type = {
    .ob_base = type_head(),
    .tp_name = "_io.StringIO",
    .tp_basicsize = sizeof(StringIO),
    .tp_dealloc = stringio_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "StringIO(initial_value='', newline='\\n')\n--\n\nA character stream in memory.",
    .tp_traverse = stringio_traverse,
    .tp_clear = stringio_clear,
    .tp_weaklistoffset = offsetof(StringIO, weakreflist),
    .tp_iternext = stringio_next,
    .tp_methods = stringio_methods,
    .tp_getset = stringio_getset,
    .tp_base = &TextIOBase_Type,
    .tp_dictoffset = offsetof(StringIO, dict),
    .tp_init = initializer<stringio_init, "StringIO(initial_value='', newline='\\n')">,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
};

}  // namespace pyston::io
