// BytesIO: a bytes object as a stream. The value and the buffer are one object for as long as nobody else can see the
// buffer change: getvalue() shares it, the next write then copies.
#include "Lib/native/io/io.h"

#include <cstring>

#include "internal/pycore_object.h"

namespace pyston::io {
namespace {

struct BytesIO {
  PyObject_HEAD
  PyObject* buf;  // bytes, at least `size` long; null when closed
  Py_ssize_t pos;
  Py_ssize_t size;
  PyObject* dict;
  PyObject* weakreflist;
  Py_ssize_t exports;
};

struct BytesIOBuffer {
  PyObject_HEAD
  BytesIO* source;
};

bool check_open(BytesIO* self) {
  if (LIKELY(self->buf != nullptr)) return true;
  PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
  return false;
}
#define CHECK_OPEN(self) \
  if (!check_open(self)) return nullptr
bool check_exports(BytesIO* self) {
  if (LIKELY(self->exports == 0)) return true;
  PyErr_SetString(PyExc_BufferError, "Existing exports of data: object cannot be re-sized");
  return false;
}

/// Makes `buf` ours alone, with room for `capacity` bytes.
bool make_private(BytesIO* self, Py_ssize_t capacity) {
  const Py_ssize_t allocated = PyBytes_GET_SIZE(self->buf);
  const bool shared = Py_REFCNT(self->buf) > 1;
  if (!shared && capacity <= allocated && !(capacity < allocated / 2)) return true;
  Py_ssize_t wanted = capacity;
  if (capacity > allocated && static_cast<double>(capacity) < static_cast<double>(allocated) * 1.125) {
    wanted = capacity + (capacity >> 3) + (capacity < 9 ? 3 : 6);
  } else if (capacity <= allocated && capacity >= allocated / 2) {
    wanted = allocated;
  }
  if (!shared) return _PyBytes_Resize(&self->buf, wanted) == 0;
  PyObject* copy = PyBytes_FromStringAndSize(nullptr, wanted);
  if (copy == nullptr) return false;
  std::memcpy(PyBytes_AS_STRING(copy), PyBytes_AS_STRING(self->buf),
              static_cast<size_t>(self->size < wanted ? self->size : wanted));
  Py_SETREF(self->buf, copy);
  return true;
}

bool write_bytes(BytesIO* self, const char* data, Py_ssize_t count) {
  if (count == 0) return true;
  if (self->pos > PY_SSIZE_T_MAX - count) {
    PyErr_SetString(PyExc_OverflowError, "new position too large");
    return false;
  }
  const Py_ssize_t end = self->pos + count;
  const Py_ssize_t needed = end > self->size ? end : self->size;
  if (!make_private(self, needed)) return false;
  char* base = PyBytes_AS_STRING(self->buf);
  if (self->pos > self->size) std::memset(base + self->size, 0, static_cast<size_t>(self->pos - self->size));
  std::memcpy(base + self->pos, data, static_cast<size_t>(count));
  self->pos = end;
  if (self->size < end) self->size = end;
  return true;
}

PyObject* bytesio_new(PyTypeObject* type, PyObject*, PyObject*) {
  BytesIO* self = reinterpret_cast<BytesIO*>(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->buf = PyBytes_FromStringAndSize(nullptr, 0);
  if (self->buf == nullptr) Py_CLEAR(self);
  return reinterpret_cast<PyObject*>(self);
}

Status bytesio_init(BytesIO* self, PyObject* initial) {
  self->pos = 0;
  if (self->exports > 0) {
    return raise(PyExc_BufferError, "Existing exports of data: object cannot be re-sized");
  }
  self->size = 0;
  if (initial == nullptr || initial == Py_None) {
    if (self->buf == nullptr && (self->buf = PyBytes_FromStringAndSize(nullptr, 0)) == nullptr) return Status::kError;
    return Status::kOk;
  }
  if (PyBytes_CheckExact(initial)) {
    Py_XSETREF(self->buf, Py_NewRef(initial));
    self->size = PyBytes_GET_SIZE(initial);
    return Status::kOk;
  }
  Buffer view;
  if (!view.acquire(initial)) return Status::kError;
  if (self->buf == nullptr && (self->buf = PyBytes_FromStringAndSize(nullptr, 0)) == nullptr) return Status::kError;
  if (!write_bytes(self, view.data(), view.size())) return Status::kError;
  self->pos = 0;
  return Status::kOk;
}

PyObject* true_while_open(BytesIO* self) {
  CHECK_OPEN(self);
  Py_RETURN_TRUE;
}
PyObject* bytesio_isatty(BytesIO* self) {
  CHECK_OPEN(self);
  Py_RETURN_FALSE;
}
PyObject* bytesio_flush(BytesIO* self) {
  CHECK_OPEN(self);
  Py_RETURN_NONE;
}
PyObject* bytesio_tell(BytesIO* self) {
  CHECK_OPEN(self);
  return PyLong_FromSsize_t(self->pos);
}

PyObject* bytesio_getvalue(BytesIO* self) {
  CHECK_OPEN(self);
  if (self->size != PyBytes_GET_SIZE(self->buf) || self->exports != 0) {
    if (self->exports != 0 || Py_REFCNT(self->buf) > 1) {
      return PyBytes_FromStringAndSize(PyBytes_AS_STRING(self->buf), self->size);
    }
    if (_PyBytes_Resize(&self->buf, self->size) < 0) return nullptr;
  }
  return Py_NewRef(self->buf);
}

PyObject* bytesio_getbuffer(BytesIO* self) {
  CHECK_OPEN(self);
  BytesIOBuffer* exporter = reinterpret_cast<BytesIOBuffer*>(_PyBytesIOBuffer_Type.tp_alloc(&_PyBytesIOBuffer_Type, 0));
  if (exporter == nullptr) return nullptr;
  exporter->source = reinterpret_cast<BytesIO*>(Py_NewRef(as_object(self)));
  PyObject* view = PyMemoryView_FromObject(as_object(exporter));
  Py_DECREF(exporter);
  return view;
}

PyObject* take(BytesIO* self, Py_ssize_t count) {
  // FAST: the whole buffer is shared, not copied.
  if (count > 1 && self->pos == 0 && count == PyBytes_GET_SIZE(self->buf) && self->exports == 0) {
    self->pos += count;
    return Py_NewRef(self->buf);
  }
  PyObject* result = PyBytes_FromStringAndSize(PyBytes_AS_STRING(self->buf) + self->pos, count);
  if (result != nullptr) self->pos += count;
  return result;
}

PyObject* bytesio_read(BytesIO* self, Size size) {
  CHECK_OPEN(self);
  Py_ssize_t count = size.value;
  const Py_ssize_t available = self->size - self->pos;
  if (count < 0 || count > available) count = available;
  if (count < 0) return PyBytes_FromStringAndSize(nullptr, 0);
  return take(self, count);
}

/// Length of the line at the position, at most `limit` (-1: any).
Py_ssize_t line_length(BytesIO* self, Py_ssize_t limit) {
  Py_ssize_t available = self->size - self->pos;
  if (available <= 0) return 0;
  if (limit >= 0 && limit < available) available = limit;
  const char* start = PyBytes_AS_STRING(self->buf) + self->pos;
  const void* newline = std::memchr(start, '\n', static_cast<size_t>(available));
  return newline != nullptr ? static_cast<const char*>(newline) - start + 1 : available;
}

PyObject* bytesio_readline(BytesIO* self, Size size) {
  CHECK_OPEN(self);
  const Py_ssize_t length = line_length(self, size.value);
  return length == 0 ? PyBytes_FromStringAndSize(nullptr, 0) : take(self, length);
}

PyObject* bytesio_readlines(BytesIO* self, PyObject* hint) {
  CHECK_OPEN(self);
  Py_ssize_t maximum = 0;
  if (hint != nullptr && hint != Py_None) {
    if (!PyLong_Check(hint)) {
      return raise(PyExc_TypeError, "integer argument expected, got '%s'", Py_TYPE(hint)->tp_name);
    }
    maximum = PyLong_AsSsize_t(hint);
    if (maximum == -1 && PyErr_Occurred()) return nullptr;
  }
  auto lines = Ref<>::steal(PyList_New(0));
  if (!lines) return nullptr;
  Py_ssize_t total = 0;
  while (const Py_ssize_t length = line_length(self, -1)) {
    auto line = Ref<>::steal(PyBytes_FromStringAndSize(PyBytes_AS_STRING(self->buf) + self->pos, length));
    self->pos += length;
    if (!line || PyList_Append(lines.get(), line.get()) < 0) return nullptr;
    total += length;
    if (maximum > 0 && total >= maximum) break;
  }
  return lines.release();
}

PyObject* bytesio_next(PyObject* object) {
  BytesIO* self = reinterpret_cast<BytesIO*>(object);
  CHECK_OPEN(self);
  const Py_ssize_t length = line_length(self, -1);
  return length == 0 ? nullptr : take(self, length);
}

PyObject* bytesio_readinto(BytesIO* self, PyObject* target) {
  Py_buffer view;
  if (PyObject_GetBuffer(target, &view, PyBUF_WRITABLE) < 0) {
    PyErr_Clear();
    return raise(PyExc_TypeError, "readinto() argument must be read-write bytes-like object, not %.50s",
                 target == Py_None ? "None" : Py_TYPE(target)->tp_name);
  }
  if (!check_open(self)) {
    PyBuffer_Release(&view);
    return nullptr;
  }
  Py_ssize_t count = self->size - self->pos;
  if (count > view.len) count = view.len;
  if (count < 0) count = 0;
  std::memcpy(view.buf, PyBytes_AS_STRING(self->buf) + (count > 0 ? self->pos : 0), static_cast<size_t>(count));
  self->pos += count;
  PyBuffer_Release(&view);
  return PyLong_FromSsize_t(count);
}

PyObject* bytesio_truncate(BytesIO* self, PyObject* size_argument_object) {
  CHECK_OPEN(self);
  if (!check_exports(self)) return nullptr;
  Py_ssize_t size = self->pos;
  if (size_argument_object != nullptr && size_argument_object != Py_None) {
    if (!size_argument(size_argument_object, size)) return nullptr;
  }
  if (size < 0) return raise(PyExc_ValueError, "negative size value %zd", size);
  if (size < self->size) {
    self->size = size;
    if (!make_private(self, size)) return nullptr;
  }
  return PyLong_FromSsize_t(size);
}

PyObject* bytesio_seek(BytesIO* self, Py_ssize_t position, Optional<int> whence_argument) {
  CHECK_OPEN(self);
  const int whence = whence_argument.value_or(0);
  if (position < 0 && whence == 0) return raise(PyExc_ValueError, "negative seek value %zd", position);
  if (whence < 0 || whence > 2) return raise(PyExc_ValueError, "invalid whence (%i, should be 0, 1 or 2)", whence);
  const Py_ssize_t base = whence == 0 ? 0 : whence == 1 ? self->pos : self->size;
  if (position > PY_SSIZE_T_MAX - base) return raise(PyExc_OverflowError, "new position too large");
  position += base;
  self->pos = position < 0 ? 0 : position;
  return PyLong_FromSsize_t(self->pos);
}

PyObject* bytesio_write(BytesIO* self, Borrowed<> data) {
  CHECK_OPEN(self);
  if (!check_exports(self)) return nullptr;
  Buffer view;
  if (!view.acquire(data)) return nullptr;
  if (!check_open(self) || !check_exports(self)) return nullptr;
  if (!write_bytes(self, view.data(), view.size())) return nullptr;
  return PyLong_FromSsize_t(view.size());
}

PyObject* bytesio_writelines(BytesIO* self, Borrowed<> lines) {
  CHECK_OPEN(self);
  auto iterator = Ref<>::steal(PyObject_GetIter(lines));
  if (!iterator) return nullptr;
  while (auto line = Ref<>::steal(PyIter_Next(iterator.get()))) {
    PyObject* result = bytesio_write(self, line.get());
    if (result == nullptr) return nullptr;
    Py_DECREF(result);
  }
  if (PyErr_Occurred()) return nullptr;
  Py_RETURN_NONE;
}

PyObject* bytesio_close(BytesIO* self) {
  if (!check_exports(self)) return nullptr;
  Py_CLEAR(self->buf);
  Py_RETURN_NONE;
}

PyObject* bytesio_getstate(BytesIO* self) {
  auto value = Ref<>::steal(bytesio_getvalue(self));
  if (!value) return nullptr;
  Ref<> dict = self->dict == nullptr ? Ref<>::none() : Ref<>::steal(PyDict_Copy(self->dict));
  if (!dict) return nullptr;
  return Py_BuildValue("(OnO)", value.get(), self->pos, dict.get());
}

PyObject* bytesio_setstate(BytesIO* self, Borrowed<> state) {
  if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) < 3) {
    return raise(PyExc_TypeError, "%.200s.__setstate__ argument should be 3-tuple, got %.200s", Py_TYPE(self)->tp_name,
                 Py_TYPE(state)->tp_name);
  }
  if (!check_exports(self)) return nullptr;
  PyObject* result = nullptr;
  CHECK_OPEN(self);
  self->pos = self->size = 0;
  result = bytesio_write(self, PyTuple_GET_ITEM(state.get(), 0));
  if (result == nullptr) return nullptr;
  Py_DECREF(result);
  PyObject* position_object = PyTuple_GET_ITEM(state.get(), 1);
  if (!PyLong_Check(position_object)) {
    return raise(PyExc_TypeError, "second item of state must be an integer, not %.200s", Py_TYPE(position_object)->tp_name);
  }
  const Py_ssize_t position = PyLong_AsSsize_t(position_object);
  if (position == -1 && PyErr_Occurred()) return nullptr;
  if (position < 0) return raise(PyExc_ValueError, "position value cannot be negative");
  self->pos = position;
  PyObject* dict = PyTuple_GET_ITEM(state.get(), 2);
  if (dict != Py_None) {
    if (!PyDict_Check(dict)) {
      return raise(PyExc_TypeError, "third item of state should be a dict, got a %.200s", Py_TYPE(dict)->tp_name);
    }
    if (self->dict != nullptr) {
      if (PyDict_Update(self->dict, dict) < 0) return nullptr;
    } else {
      self->dict = Py_NewRef(dict);
    }
  }
  Py_RETURN_NONE;
}

PyObject* bytesio_sizeof(BytesIO* self) {
  Py_ssize_t size = Py_TYPE(self)->tp_basicsize;
  if (self->buf != nullptr && Py_REFCNT(self->buf) == 1) size += PyBytes_GET_SIZE(self->buf) + 33;
  return PyLong_FromSsize_t(size);
}

PyObject* bytesio_get_closed(BytesIO* self) { return PyBool_FromLong(self->buf == nullptr); }

void bytesio_dealloc(PyObject* object) {
  BytesIO* self = reinterpret_cast<BytesIO*>(object);
  PyObject_GC_UnTrack(object);
  if (self->exports > 0) {
    PyErr_SetString(PyExc_SystemError, "deallocated BytesIO object has exported buffers");
    PyErr_Print();
  }
  Py_CLEAR(self->buf);
  Py_CLEAR(self->dict);
  if (self->weakreflist != nullptr) PyObject_ClearWeakRefs(object);
  Py_TYPE(object)->tp_free(object);
}
int bytesio_traverse(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<BytesIO*>(object)->dict);
  Py_VISIT(reinterpret_cast<BytesIO*>(object)->buf);
  return 0;
}
int bytesio_clear(PyObject* object) {
  BytesIO* self = reinterpret_cast<BytesIO*>(object);
  Py_CLEAR(self->dict);
  if (self->exports == 0) Py_CLEAR(self->buf);
  return 0;
}

PyMethodDef bytesio_methods[] = {
    method<true_while_open, "readable($self, /)">(),
    method<true_while_open, "seekable($self, /)">(),
    method<true_while_open, "writable($self, /)">(),
    method<bytesio_close, "close($self, /)">(),
    method<bytesio_flush, "flush($self, /)">(),
    method<bytesio_isatty, "isatty($self, /)">(),
    method<bytesio_tell, "tell($self, /)">(),
    method<bytesio_write, "write($self, b, /)">(),
    method<bytesio_writelines, "writelines($self, lines, /)">(),
    method<bytesio_read, "read($self, size=-1, /)">(),
    method<bytesio_read, "read1($self, size=-1, /)">(),
    method<bytesio_readinto, "readinto($self, buffer, /)">(),
    method<bytesio_readline, "readline($self, size=-1, /)">(),
    method<bytesio_readlines, "readlines($self, size=None, /)">(),
    method<bytesio_getbuffer, "getbuffer($self, /)", "Gives a view of the content that can be written to.">(),
    method<bytesio_getvalue, "getvalue($self, /)", "Gives the whole content.">(),
    method<bytesio_seek, "seek($self, pos, whence=0, /)">(),
    method<bytesio_truncate, "truncate($self, size=None, /)">(),
    method<bytesio_getstate, "__getstate__($self, /)">(),
    method<bytesio_setstate, "__setstate__($self, state, /)">(),
    method<bytesio_sizeof, "__sizeof__($self, /)">(),
    {},
};
PyGetSetDef bytesio_getset[] = {getset<bytesio_get_closed>("closed", "True if the stream is closed"), {}};

int buffer_get(PyObject* object, Py_buffer* view, int flags) {
  BytesIO* source = reinterpret_cast<BytesIOBuffer*>(object)->source;
  if (view == nullptr) {
    PyErr_SetString(PyExc_BufferError, "bytesiobuf_getbuffer: view==NULL argument is obsolete");
    return -1;
  }
  if (source->exports == 0 && Py_REFCNT(source->buf) > 1 && !make_private(source, source->size)) return -1;
  if (PyBuffer_FillInfo(view, object, PyBytes_AS_STRING(source->buf), source->size, 0, flags) < 0) return -1;
  source->exports++;
  return 0;
}
void buffer_release(PyObject* object, Py_buffer*) { reinterpret_cast<BytesIOBuffer*>(object)->source->exports--; }
int buffer_traverse(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<BytesIOBuffer*>(object)->source);
  return 0;
}
void buffer_dealloc(PyObject* object) {
  PyObject_GC_UnTrack(object);
  Py_CLEAR(reinterpret_cast<BytesIOBuffer*>(object)->source);
  Py_TYPE(object)->tp_free(object);
}
PyBufferProcs buffer_procs = {.bf_getbuffer = buffer_get, .bf_releasebuffer = buffer_release};

}  // namespace

PyTypeObject _PyBytesIOBuffer_Type = {
    .ob_base = type_head(),
    .tp_name = "_io._BytesIOBuffer",
    .tp_basicsize = sizeof(BytesIOBuffer),
    .tp_dealloc = buffer_dealloc,
    .tp_as_buffer = &buffer_procs,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = buffer_traverse,
    .tp_alloc = PyType_GenericAlloc,
};

PyTypeObject BytesIO_Type = {
    .ob_base = type_head(),
    .tp_name = "_io.BytesIO",
    .tp_basicsize = sizeof(BytesIO),
    .tp_dealloc = bytesio_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "BytesIO(initial_bytes=b'')\n--\n\nA binary stream in memory.",
    .tp_traverse = bytesio_traverse,
    .tp_clear = bytesio_clear,
    .tp_weaklistoffset = offsetof(BytesIO, weakreflist),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = bytesio_next,
    .tp_methods = bytesio_methods,
    .tp_getset = bytesio_getset,
    .tp_base = &BufferedIOBase_Type,
    .tp_dictoffset = offsetof(BytesIO, dict),
    .tp_init = initializer<bytesio_init, "BytesIO(initial_bytes=b'')">,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = bytesio_new,
};

}  // namespace pyston::io
