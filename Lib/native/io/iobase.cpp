// _IOBase and _RawIOBase: the methods every stream has, written in terms of the few that a concrete class defines.
#include "Lib/native/io/io.h"

#include "internal/pycore_long.h"
#include "internal/pycore_object.h"

namespace pyston::io {

PyObject* unsupported_operation = nullptr;

Failure unsupported(const char* message) {
  PyErr_SetString(unsupported_operation != nullptr ? unsupported_operation : PyExc_OSError, message);
  return {};
}

namespace {

struct IOBase {
  PyObject_HEAD
  PyObject* dict;
  PyObject* weakreflist;
};

/// The base's own mark, set by close(); what `closed` says is up to the class.
int is_marked_closed(PyObject* self) {
  PyObject* mark;
  const int found = _PyObject_LookupAttr(self, &_Py_ID(__IOBase_closed), &mark);
  Py_XDECREF(mark);
  return found;
}

PyObject* call_no_arguments(PyObject* self, PyObject* name) { return PyObject_CallMethodNoArgs(self, name); }

bool check_capability(PyObject* self, PyObject* method, const char* message) {
  auto answer = Ref<>::steal(call_no_arguments(self, method));
  if (!answer) return false;
  if (answer.get() == Py_True) return true;
  unsupported(message);
  return false;
}

}  // namespace

int is_closed(PyObject* self) {
  PyObject* value;
  if (_PyObject_LookupAttr(self, &_Py_ID(closed), &value) < 0) return -1;
  if (value == nullptr) return 0;
  const int closed = PyObject_IsTrue(value);
  Py_DECREF(value);
  return closed;
}

bool check_closed(PyObject* self) {
  const int closed = is_closed(self);
  if (closed > 0) PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
  return closed == 0;
}

bool check_readable(PyObject* self) {
  return check_capability(self, &_Py_ID(readable), "File or stream is not readable.");
}
bool check_writable(PyObject* self) {
  return check_capability(self, &_Py_ID(writable), "File or stream is not writable.");
}
bool check_seekable(PyObject* self) {
  return check_capability(self, &_Py_ID(seekable), "File or stream is not seekable.");
}

bool retry_after_interrupt() {
  if (!PyErr_ExceptionMatches(PyExc_InterruptedError)) return false;
  PyErr_Clear();
  return PyErr_CheckSignals() == 0;
}

off_t to_offset(PyObject* value, PyObject* error) {
  const Py_ssize_t offset = PyNumber_AsSsize_t(value, error);
  return offset;
}

PyObject* from_offset(off_t value) { return PyLong_FromLongLong(value); }

bool size_argument(PyObject* value, Py_ssize_t& out) {
  if (value == Py_None) {
    out = -1;
    return true;
  }
  if (!PyIndex_Check(value)) {
    PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'", Py_TYPE(value)->tp_name);
    return false;
  }
  out = PyNumber_AsSsize_t(value, PyExc_OverflowError);
  return !(out == -1 && PyErr_Occurred());
}

/// "<_io.BufferedReader name='x'>".
PyObject* repr_with_name(PyObject* self) {
  PyObject* name;
  if (_PyObject_LookupAttr(self, &_Py_ID(name), &name) < 0) {
    if (!PyErr_ExceptionMatches(PyExc_ValueError)) return nullptr;
    PyErr_Clear();  // an uninitialised or detached stream
    name = nullptr;
  }
  if (name == nullptr) return PyUnicode_FromFormat("<%s>", Py_TYPE(self)->tp_name);
  PyObject* result = nullptr;
  const int status = Py_ReprEnter(self);
  if (status == 0) {
    result = PyUnicode_FromFormat("<%s name=%R>", Py_TYPE(self)->tp_name, name);
    Py_ReprLeave(self);
  } else if (status > 0) {
    PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", Py_TYPE(self)->tp_name);
  }
  Py_DECREF(name);
  return result;
}

// --- Finalisation ----------------------------------------------------------------------------------------------

namespace {

/// tp_finalize: closes the stream unless it is closed.
void iobase_finalize(PyObject* self) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  int closed = is_closed(self);
  if (closed < 0) {
    PyErr_Clear();
    closed = 0;
    // An error in `closed` still leaves something to close, unless the object never had the attribute.
  }
  if (closed == 0) {
    if (PyObject_SetAttr(self, &_Py_ID(_finalizing), Py_True) < 0) PyErr_Clear();
    PyObject* result = PyObject_CallMethodNoArgs(self, &_Py_ID(close));
    if (result == nullptr) {
      // Errors when closing a forgotten file are shown in development mode only.
      if (_Py_GetConfig()->dev_mode) PyErr_WriteUnraisable(self);
      else PyErr_Clear();
    } else {
      Py_DECREF(result);
    }
  }
  PyErr_Restore(type, value, traceback);
}

void iobase_dealloc(PyObject* self) {
  if (!finalize(self)) {
    // Resurrected: a heap type's deallocator drops the type after us.
    if (PyType_HasFeature(Py_TYPE(self), Py_TPFLAGS_HEAPTYPE)) Py_INCREF(Py_TYPE(self));
    return;
  }
  IOBase* base = reinterpret_cast<IOBase*>(self);
  PyObject_GC_UnTrack(self);
  if (base->weakreflist != nullptr) PyObject_ClearWeakRefs(self);
  Py_CLEAR(base->dict);
  Py_TYPE(self)->tp_free(self);
}

int iobase_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<IOBase*>(self)->dict);
  return 0;
}

int iobase_clear(PyObject* self) {
  Py_CLEAR(reinterpret_cast<IOBase*>(self)->dict);
  return 0;
}

}  // namespace

bool finalize(PyObject* self) {
  // The finaliser may call any code, so a dying object is resurrected around it.
  if (Py_REFCNT(self) == 0) return PyObject_CallFinalizerFromDealloc(self) == 0;
  PyObject_CallFinalizer(self);
  return true;
}

PyObject* call_close_of_base(PyTypeObject* base, PyObject* self) {
  return PyObject_CallMethodOneArg(as_object(base), &_Py_ID(close), self);
}

// --- _IOBase methods -------------------------------------------------------------------------------------------

namespace {

PyObject* iobase_seek(PyObject*, Arguments) { return unsupported("seek"); }
PyObject* iobase_truncate(PyObject*, Arguments) { return unsupported("truncate"); }
PyObject* iobase_fileno(PyObject*) { return unsupported("fileno"); }
PyObject* iobase_tell(PyObject* self) { return _PyObject_CallMethod(self, &_Py_ID(seek), "ii", 0, 1); }

PyObject* iobase_flush(PyObject* self) {
  const int closed = is_marked_closed(self);
  if (closed < 0) return nullptr;
  if (closed) return raise(PyExc_ValueError, "I/O operation on closed file.");
  Py_RETURN_NONE;
}

PyObject* iobase_close(PyObject* self) {
  const int closed = is_marked_closed(self);
  if (closed < 0) return nullptr;
  if (closed) Py_RETURN_NONE;
  PyObject* result = PyObject_CallMethodNoArgs(self, &_Py_ID(flush));
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  const int status = PyObject_SetAttr(self, &_Py_ID(__IOBase_closed), Py_True);
  _PyErr_ChainExceptions(type, value, traceback);
  if (status < 0) Py_CLEAR(result);
  return result;
}

PyObject* iobase_false(PyObject*) { Py_RETURN_FALSE; }

PyObject* iobase_isatty(PyObject* self) {
  if (!check_closed(self)) return nullptr;
  Py_RETURN_FALSE;
}

PyObject* iobase_check_closed(PyObject* self) {
  if (!check_closed(self)) return nullptr;
  Py_RETURN_NONE;
}
template <bool (*check)(PyObject*)>
PyObject* iobase_check(PyObject* self) {
  if (!check(self)) return nullptr;
  Py_RETURN_TRUE;
}

PyObject* iobase_enter(PyObject* self) {
  if (!check_closed(self)) return nullptr;
  return Py_NewRef(self);
}
PyObject* iobase_exit(PyObject* self, Arguments) { return PyObject_CallMethodNoArgs(self, &_Py_ID(close)); }

/// How many bytes can be taken at once without passing the line's end, judging by peek(); -1 on error.
Py_ssize_t bytes_to_line_end(PyObject* peek, Py_ssize_t room) {
  PyObject* one = _PyLong_GetOne();
  Ref<> ahead;
  do {
    ahead = Ref<>::steal(PyObject_CallOneArg(peek, one));
  } while (!ahead && retry_after_interrupt());
  if (!ahead) return -1;
  if (!PyBytes_Check(ahead.get())) {
    PyErr_Format(PyExc_OSError, "peek() should have returned a bytes object, not '%.200s'",
                 Py_TYPE(ahead.get())->tp_name);
    return -1;
  }
  const Py_ssize_t size = PyBytes_GET_SIZE(ahead.get());
  if (size == 0) return 1;
  const char* data = PyBytes_AS_STRING(ahead.get());
  const void* newline = memchr(data, '\n', static_cast<size_t>(size));
  Py_ssize_t count = newline != nullptr ? static_cast<const char*>(newline) - data + 1 : size;
  if (room >= 0 && count > room) count = room;
  return count;
}

PyObject* iobase_readline(PyObject* self, Size limit) {
  PyObject* peek_method;
  if (_PyObject_LookupAttr(self, &_Py_ID(peek), &peek_method) < 0) return nullptr;
  auto peek = Ref<>::steal(peek_method);
  auto line = Ref<>::steal(PyByteArray_FromStringAndSize(nullptr, 0));
  if (!line) return nullptr;
  while (limit.value < 0 || PyByteArray_GET_SIZE(line.get()) < limit.value) {
    Py_ssize_t count = 1;
    if (peek) {
      count = bytes_to_line_end(peek.get(), limit.value < 0 ? -1 : limit.value - PyByteArray_GET_SIZE(line.get()));
      if (count < 0) return nullptr;
    }
    auto chunk = Ref<>::steal(_PyObject_CallMethod(self, &_Py_ID(read), "n", count));
    if (!chunk) {
      if (retry_after_interrupt()) continue;
      return nullptr;
    }
    if (!PyBytes_Check(chunk.get())) {
      return raise(PyExc_OSError, "read() should have returned a bytes object, not '%.200s'",
                   Py_TYPE(chunk.get())->tp_name);
    }
    const Py_ssize_t size = PyBytes_GET_SIZE(chunk.get());
    if (size == 0) break;
    const Py_ssize_t old_size = PyByteArray_GET_SIZE(line.get());
    if (PyByteArray_Resize(line.get(), old_size + size) < 0) return nullptr;
    memcpy(PyByteArray_AS_STRING(line.get()) + old_size, PyBytes_AS_STRING(chunk.get()), static_cast<size_t>(size));
    if (PyBytes_AS_STRING(chunk.get())[size - 1] == '\n') break;
  }
  return PyBytes_FromStringAndSize(PyByteArray_AS_STRING(line.get()), PyByteArray_GET_SIZE(line.get()));
}

PyObject* iobase_iter(PyObject* self) {
  if (!check_closed(self)) return nullptr;
  return Py_NewRef(self);
}

PyObject* iobase_next(PyObject* self) {
  PyObject* line = PyObject_CallMethodNoArgs(self, &_Py_ID(readline));
  if (line == nullptr) return nullptr;
  if (PyObject_Size(line) <= 0) Py_CLEAR(line);  // the end, or an error
  return line;
}

PyObject* iobase_readlines(PyObject* self, Size hint) {
  auto result = Ref<>::steal(PyList_New(0));
  if (!result) return nullptr;
  if (hint.value <= 0) {
    // Through extend(), which sizes the list once.
    PyObject* extended = _PyList_Extend(reinterpret_cast<PyListObject*>(result.get()), self);
    if (extended == nullptr) return nullptr;
    Py_DECREF(extended);
    return result.release();
  }
  auto iterator = Ref<>::steal(PyObject_GetIter(self));
  if (!iterator) return nullptr;
  Py_ssize_t length = 0;
  for (;;) {
    auto line = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!line) {
      if (PyErr_Occurred()) return nullptr;
      break;
    }
    if (PyList_Append(result.get(), line.get()) < 0) return nullptr;
    const Py_ssize_t size = PyObject_Size(line.get());
    if (size < 0) return nullptr;
    if (size > hint.value - length) break;
    length += size;
  }
  return result.release();
}

PyObject* iobase_writelines(PyObject* self, PyObject* lines) {
  if (!check_closed(self)) return nullptr;
  auto iterator = Ref<>::steal(PyObject_GetIter(lines));
  if (!iterator) return nullptr;
  for (;;) {
    auto line = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!line) {
      if (PyErr_Occurred()) return nullptr;
      Py_RETURN_NONE;
    }
    Ref<> result;
    do {
      result = Ref<>::steal(PyObject_CallMethodOneArg(self, &_Py_ID(write), line.get()));
    } while (!result && retry_after_interrupt());
    if (!result) return nullptr;
  }
}

PyObject* iobase_get_closed(PyObject* self) {
  const int closed = is_marked_closed(self);
  return closed < 0 ? nullptr : PyBool_FromLong(closed);
}

PyMethodDef iobase_methods[] = {
    method<iobase_seek, "seek($self, /, *args)", "Changes the stream position; unsupported unless overridden.">(),
    method<iobase_tell, "tell($self, /)", "Gives the stream position.">(),
    method<iobase_truncate, "truncate($self, /, *args)", "Changes the file's size; unsupported unless overridden.">(),
    method<iobase_flush, "flush($self, /)", "Writes out what is buffered; does nothing for read-only streams.">(),
    method<iobase_close, "close($self, /)", "Flushes and closes the stream. Closing twice does nothing.">(),
    method<iobase_false, "seekable($self, /)", "Tells whether seek(), tell() and truncate() work.">(),
    method<iobase_false, "readable($self, /)", "Tells whether the stream can be read from.">(),
    method<iobase_false, "writable($self, /)", "Tells whether the stream can be written to.">(),
    method<iobase_check_closed, "_checkClosed($self, /)">(),
    method<iobase_check<check_seekable>, "_checkSeekable($self, /)">(),
    method<iobase_check<check_readable>, "_checkReadable($self, /)">(),
    method<iobase_check<check_writable>, "_checkWritable($self, /)">(),
    method<iobase_fileno, "fileno($self, /)", "Gives the file descriptor; OSError if there is none.">(),
    method<iobase_isatty, "isatty($self, /)", "Tells whether the stream is a terminal; False if that is unknown.">(),
    method<iobase_enter, "__enter__($self, /)">(),
    method<iobase_exit, "__exit__($self, /, *args)">(),
    method<iobase_readline, "readline($self, size=-1, /)", "Reads a line, at most `size` bytes of it.">(),
    method<iobase_readlines, "readlines($self, hint=-1, /)",
           "Reads lines into a list; stops once they have `hint` bytes in total.">(),
    method<iobase_writelines, "writelines($self, lines, /)", "Writes each of the lines; adds no separators.">(),
    {},
};

PyGetSetDef iobase_getset[] = {
    {"__dict__", PyObject_GenericGetDict, nullptr, nullptr, nullptr},
    getset<iobase_get_closed>("closed"),
    {},
};

}  // namespace

PyTypeObject IOBase_Type = {
    .ob_base = type_head(),
    .tp_name = "_io._IOBase",
    .tp_basicsize = sizeof(IOBase),
    .tp_dealloc = iobase_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "What all streams have in common. There are no read() and write() here: what they take differs.",
    .tp_traverse = iobase_traverse,
    .tp_clear = iobase_clear,
    .tp_weaklistoffset = offsetof(IOBase, weakreflist),
    .tp_iter = iobase_iter,
    .tp_iternext = iobase_next,
    .tp_methods = iobase_methods,
    .tp_getset = iobase_getset,
    .tp_dictoffset = offsetof(IOBase, dict),
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_finalize = iobase_finalize,
};

// --- _RawIOBase ------------------------------------------------------------------------------------------------

namespace {

PyObject* raw_read(PyObject* self, Size size) {
  if (size.value < 0) return PyObject_CallMethodNoArgs(self, &_Py_ID(readall));
  auto buffer = Ref<>::steal(PyByteArray_FromStringAndSize(nullptr, size.value));
  if (!buffer) return nullptr;
  auto result = Ref<>::steal(PyObject_CallMethodOneArg(self, &_Py_ID(readinto), buffer.get()));
  if (!result || result.get() == Py_None) return result.release();
  const Py_ssize_t count = PyNumber_AsSsize_t(result.get(), PyExc_ValueError);
  if (count == -1 && PyErr_Occurred()) return nullptr;
  return PyBytes_FromStringAndSize(PyByteArray_AS_STRING(buffer.get()), count);
}

PyObject* raw_readall(PyObject* self) {
  auto chunks = Ref<>::steal(PyList_New(0));
  if (!chunks) return nullptr;
  for (;;) {
    auto data = Ref<>::steal(_PyObject_CallMethod(self, &_Py_ID(read), "i", static_cast<int>(kDefaultBufferSize)));
    if (!data) {
      if (retry_after_interrupt()) continue;
      return nullptr;
    }
    if (data.get() == Py_None) {
      if (PyList_GET_SIZE(chunks.get()) == 0) return data.release();
      break;
    }
    if (!PyBytes_Check(data.get())) return raise(PyExc_TypeError, "read() should return bytes");
    if (PyBytes_GET_SIZE(data.get()) == 0) break;
    if (PyList_Append(chunks.get(), data.get()) < 0) return nullptr;
  }
  auto empty = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, 0));
  return empty ? _PyBytes_Join(empty.get(), chunks.get()) : nullptr;
}

PyObject* raw_unimplemented(PyObject*, Arguments) {
  PyErr_SetNone(PyExc_NotImplementedError);
  return nullptr;
}

PyMethodDef raw_methods[] = {
    method<raw_read, "read($self, size=-1, /)">(),
    method<raw_readall, "readall($self, /)", "Reads until the end of the file, by calls of read().">(),
    method<raw_unimplemented, "readinto($self, /, *args)">(),
    method<raw_unimplemented, "write($self, /, *args)">(),
    {},
};

}  // namespace

PyTypeObject RawIOBase_Type = {
    .ob_base = type_head(),
    .tp_name = "_io._RawIOBase",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Base class of unbuffered binary streams.",
    .tp_methods = raw_methods,
    .tp_base = &IOBase_Type,
};

}  // namespace pyston::io
