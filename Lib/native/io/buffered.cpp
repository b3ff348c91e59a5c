// BufferedReader, BufferedWriter, BufferedRandom, and _BufferedIOBase with BufferedRWPair.
//
// One buffer serves reading and writing. INVARIANT: at most one of "bytes read ahead" and "bytes not written yet" is
// non-empty while the other side is used; switching sides flushes or rewinds first. The raw stream is called with the
// buffer's lock held, because it may release the GIL.
#include "Lib/native/io/io.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

#include "internal/pycore_interp.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pyerrors.h"

namespace pyston::io {

void raise_blocking(const char* message, Py_ssize_t written) {
  PyErr_Clear();
  PyObject* error = PyObject_CallFunction(PyExc_BlockingIOError, "isn", errno, message, written);
  if (error == nullptr) return;
  PyErr_SetObject(PyExc_BlockingIOError, error);
  Py_DECREF(error);
}

namespace {

// --- Lock ------------------------------------------------------------------------------------------------------

/// Owner of a lock between a thread that left and the waiter that it went to.
constexpr unsigned long kHandedOver = ~0ul;

COLD bool enter_slowly(Buffered* self, unsigned long me) {
  if (self->owner == me) {
    PyErr_Format(PyExc_RuntimeError, "reentrant call inside %R", self);
    return false;
  }
  if (self->gate == nullptr) {
    self->gate = PyThread_allocate_lock();
    if (self->gate == nullptr) {
      PyErr_SetString(PyExc_RuntimeError, "can't allocate read lock");
      return false;
    }
    PyThread_acquire_lock(self->gate, NOWAIT_LOCK);
  }
  const bool finalizing = _Py_IsFinalizing();
  self->waiters++;
  PyLockStatus status;
  Py_BEGIN_ALLOW_THREADS
  // At shutdown a daemon thread may hold the lock for ever.
  status = PyThread_acquire_lock_timed(self->gate, finalizing ? 1000000 : -1, 0);
  Py_END_ALLOW_THREADS
  self->waiters--;
  if (status != PY_LOCK_ACQUIRED) {
    PyObject* text = PyObject_ASCII(as_object(self));
    _Py_FatalErrorFormat("_enter_buffered_busy", "could not acquire lock for %s at interpreter shutdown, possibly due to daemon threads",
                         text != nullptr ? PyUnicode_AsUTF8(text) : "<ascii(self) failed>");
  }
  self->owner = me;
  return true;
}

/// Holds a stream's buffer for a scope. Not entered: an exception is set.
class Lock {
 public:
  explicit Lock(Buffered* self) : self_(self) {
    const unsigned long me = PyThread_get_thread_ident();
    if (LIKELY(self->owner == 0)) {
      self->owner = me;
      entered_ = true;
    } else {
      entered_ = enter_slowly(self, me);
    }
  }
  ~Lock() {
    if (entered_) leave();
  }
  Lock(const Lock&) = delete;
  bool entered() const { return entered_; }
  void leave() {
    entered_ = false;
    if (LIKELY(self_->waiters == 0)) {
      self_->owner = 0;
    } else {  // handed to a waiter, which would starve beside a thread that writes without pause
      self_->owner = kHandedOver;
      PyThread_release_lock(self_->gate);
    }
  }
  bool enter_again() {
    const unsigned long me = PyThread_get_thread_ident();
    if (self_->owner == 0) self_->owner = me;
    else if (!enter_slowly(self_, me)) return false;
    return entered_ = true;
  }

 private:
  Buffered* self_;
  bool entered_;
};

// --- State -----------------------------------------------------------------------------------------------------

bool has_read_buffer(Buffered* self) { return self->readable && self->read_end != -1; }
bool has_write_buffer(Buffered* self) { return self->writable && self->write_end != -1; }
off_t read_ahead(Buffered* self) { return has_read_buffer(self) ? self->read_end - self->pos : 0; }
/// How far the raw stream is ahead of the logical position.
off_t raw_offset(Buffered* self) {
  return (has_read_buffer(self) || has_write_buffer(self)) && self->raw_pos >= 0 ? self->raw_pos - self->pos : 0;
}
void move_to(Buffered* self, off_t position) {
  self->pos = position;
  if (has_read_buffer(self) && self->read_end < position) self->read_end = position;
}
void drop_read_buffer(Buffered* self) { self->read_end = -1; }
void drop_write_buffer(Buffered* self) {
  self->write_pos = 0;
  self->write_end = -1;
}

COLD Failure not_initialised(Buffered* self) {
  return raise(PyExc_ValueError, self->detached ? "raw stream has been detached" : "I/O operation on uninitialized object");
}
#define CHECK_INITIALISED(self) \
  if (UNLIKELY(!(self)->ok)) return not_initialised(self)

int raw_is_closed(Buffered* self) {
  if (!self->ok) {
    not_initialised(self);
    return -1;
  }
  if (self->raw_is_fileio) return reinterpret_cast<FileIO*>(self->raw)->fd < 0;
  PyObject* closed = PyObject_GetAttr(self->raw, &_Py_ID(closed));
  if (closed == nullptr) return -1;
  const int truth = PyObject_IsTrue(closed);
  Py_DECREF(closed);
  return truth;
}

/// False: an exception is set. A subclass may override `closed`, but what counts is the raw stream, as in CPython.
bool check_open(Buffered* self, const char* message) {
  const int closed = raw_is_closed(self);
  if (LIKELY(closed == 0) && self->buffer != nullptr) return true;
  if (closed >= 0 && (closed > 0 || self->buffer == nullptr)) PyErr_SetString(PyExc_ValueError, message);
  return false;
}
#define CHECK_OPEN(self, message) \
  if (!check_open(self, message)) return nullptr

// --- The raw stream --------------------------------------------------------------------------------------------

off_t raw_tell(Buffered* self) {
  auto result = Ref<>::steal(PyObject_CallMethodNoArgs(self->raw, &_Py_ID(tell)));
  if (!result) return -1;
  const off_t position = to_offset(result.get(), PyExc_ValueError);
  if (position < 0) {
    if (!PyErr_Occurred()) {
      PyErr_Format(PyExc_OSError, "Raw stream returned invalid position %lld", static_cast<long long>(position));
    }
    return -1;
  }
  self->abs_pos = position;
  return position;
}

off_t raw_position(Buffered* self) { return self->abs_pos != -1 ? self->abs_pos : raw_tell(self); }

off_t raw_seek(Buffered* self, off_t target, int whence) {
  auto target_object = Ref<>::steal(from_offset(target));
  auto whence_object = Ref<>::steal(PyLong_FromLong(whence));
  if (!target_object || !whence_object) return -1;
  auto result = Ref<>::steal(
      PyObject_CallMethodObjArgs(self->raw, &_Py_ID(seek), target_object.get(), whence_object.get(), nullptr));
  if (!result) return -1;
  const off_t position = to_offset(result.get(), PyExc_ValueError);
  if (position < 0) {
    if (!PyErr_Occurred()) {
      PyErr_Format(PyExc_OSError, "Raw stream returned invalid position %lld", static_cast<long long>(position));
    }
    return -1;
  }
  self->abs_pos = position;
  return position;
}

/// Bytes read, -1: error, -2: nothing available now.
Py_ssize_t raw_read(Buffered* self, char* out, Py_ssize_t size) {
  Py_ssize_t count;
  if (LIKELY(self->raw_is_fileio)) {
    count = fileio_read_into(reinterpret_cast<FileIO*>(self->raw), out, size);
    if (count < 0) return count;
  } else {
    auto view = Ref<>::steal(PyMemoryView_FromMemory(out, size, PyBUF_WRITE));
    if (!view) return -1;
    Ref<> result;
    do {
      result = Ref<>::steal(PyObject_CallMethodOneArg(self->raw, &_Py_ID(readinto), view.get()));
    } while (!result && retry_after_interrupt());
    if (!result) return -1;
    if (result.get() == Py_None) return -2;
    count = PyNumber_AsSsize_t(result.get(), PyExc_ValueError);
    if (count == -1 && PyErr_Occurred()) {
      _PyErr_FormatFromCause(PyExc_OSError, "raw readinto() failed");
      return -1;
    }
    if (count < 0 || count > size) {
      PyErr_Format(PyExc_OSError,
                   "raw readinto() returned invalid length %zd (should have been between 0 and %zd)", count, size);
      return -1;
    }
  }
  if (count > 0 && self->abs_pos != -1) self->abs_pos += count;
  return count;
}

Py_ssize_t raw_write(Buffered* self, const char* data, Py_ssize_t size) {
  Py_ssize_t count;
  if (LIKELY(self->raw_is_fileio)) {
    count = fileio_write_from(reinterpret_cast<FileIO*>(self->raw), data, size);
    if (count < 0) return count;
  } else {
    auto view = Ref<>::steal(PyMemoryView_FromMemory(const_cast<char*>(data), size, PyBUF_READ));
    if (!view) return -1;
    Ref<> result;
    int error;
    do {
      errno = 0;
      result = Ref<>::steal(PyObject_CallMethodOneArg(self->raw, &_Py_ID(write), view.get()));
      error = errno;
    } while (!result && retry_after_interrupt());
    if (!result) return -1;
    if (result.get() == Py_None) {
      errno = error;  // the cause of the failure, for BlockingIOError
      return -2;
    }
    count = PyNumber_AsSsize_t(result.get(), PyExc_ValueError);
    if (count == -1 && PyErr_Occurred()) return -1;
    if (count < 0 || count > size) {
      PyErr_Format(PyExc_OSError,
                   "raw write() returned invalid length %zd (should have been between 0 and %zd)", count, size);
      return -1;
    }
  }
  if (count > 0 && self->abs_pos != -1) self->abs_pos += count;
  return count;
}

Py_ssize_t fill_buffer(Buffered* self) {
  const off_t start = has_read_buffer(self) ? self->read_end : 0;
  const Py_ssize_t count = raw_read(self, self->buffer + start, self->buffer_size - start);
  if (count <= 0) return count;
  self->read_end = self->raw_pos = start + count;
  return count;
}

/// Writes out the write buffer. False: exception (BlockingIOError with what is left kept).
bool flush_writes(Buffered* self) {
  if (!has_write_buffer(self) || self->write_pos == self->write_end) {
    drop_write_buffer(self);  // so that tell() no longer counts from it
    return true;
  }
  const off_t rewind = raw_offset(self) + (self->pos - self->write_pos);
  if (rewind != 0) {
    if (raw_seek(self, -rewind, SEEK_CUR) < 0) return false;
    self->raw_pos -= rewind;
  }
  while (self->write_pos < self->write_end) {
    const Py_ssize_t count = raw_write(self, self->buffer + self->write_pos, self->write_end - self->write_pos);
    if (count == -1) return false;
    if (count == -2) {
      raise_blocking("write could not complete without blocking", 0);
      return false;
    }
    self->write_pos += count;
    self->raw_pos = self->write_pos;
    // A partial write may be due to a signal: its handler runs before the next attempt blocks.
    if (PyErr_CheckSignals() < 0) return false;
  }
  // QUIRK: the buffer's content stays valid for reading when the stream is readable too.
  drop_write_buffer(self);
  return true;
}

bool flush_and_rewind(Buffered* self) {
  if (!flush_writes(self)) return false;
  if (!self->readable) return true;
  // The read-ahead is given up: the raw stream goes back to the logical position.
  const off_t result = raw_seek(self, -raw_offset(self), SEEK_CUR);
  drop_read_buffer(self);
  return result != -1;
}

// --- Creation and destruction ----------------------------------------------------------------------------------

Status buffered_setup(Buffered* self, PyObject* raw, Py_ssize_t buffer_size, bool readable, bool writable,
                      PyTypeObject* own_type) {
  self->ok = false;
  self->detached = false;
  Py_XSETREF(self->raw, Py_NewRef(raw));
  self->buffer_size = buffer_size;
  self->readable = readable;
  self->writable = writable;
  if (buffer_size <= 0) return raise(PyExc_ValueError, "buffer size must be strictly positive");
  PyMem_Free(self->buffer);
  self->buffer = static_cast<char*>(PyMem_Malloc(static_cast<size_t>(buffer_size)));
  if (self->buffer == nullptr) return PyErr_NoMemory(), Status::kError;
  self->raw_is_fileio = Py_IS_TYPE(self, own_type) && Py_IS_TYPE(raw, &FileIO_Type);
  self->pos = 0;
  self->raw_pos = 0;
  self->abs_pos = 0;
  if (raw_tell(self) == -1) {
    PyErr_Clear();  // not seekable: positions count from here
    self->abs_pos = -1;
  }
  drop_read_buffer(self);
  drop_write_buffer(self);
  self->ok = true;
  return Status::kOk;
}

Status reader_init(Buffered* self, Borrowed<> raw, Optional<Py_ssize_t> size) {
  self->ok = self->detached = false;
  if (!check_readable(raw)) return Status::kError;
  return buffered_setup(self, raw, size.value_or(kDefaultBufferSize), true, false, &BufferedReader_Type);
}
Status writer_init(Buffered* self, Borrowed<> raw, Optional<Py_ssize_t> size) {
  self->ok = self->detached = false;
  if (!check_writable(raw)) return Status::kError;
  return buffered_setup(self, raw, size.value_or(kDefaultBufferSize), false, true, &BufferedWriter_Type);
}
Status random_init(Buffered* self, Borrowed<> raw, Optional<Py_ssize_t> size) {
  self->ok = self->detached = false;
  if (!check_seekable(raw) || !check_readable(raw) || !check_writable(raw)) return Status::kError;
  return buffered_setup(self, raw, size.value_or(kDefaultBufferSize), true, true, &BufferedRandom_Type);
}

void buffered_dealloc(PyObject* object) {
  Buffered* self = reinterpret_cast<Buffered*>(object);
  self->finalizing = 1;
  if (!finalize(object)) return;
  PyObject_GC_UnTrack(object);
  self->ok = false;
  if (self->weakreflist != nullptr) PyObject_ClearWeakRefs(object);
  PyMem_Free(self->buffer);
  if (self->gate != nullptr) PyThread_free_lock(self->gate);
  Py_CLEAR(self->raw);
  Py_CLEAR(self->dict);
  Py_TYPE(object)->tp_free(object);
}
int buffered_traverse(PyObject* object, visitproc visit, void* arg) {
  Buffered* self = reinterpret_cast<Buffered*>(object);
  Py_VISIT(self->raw);
  Py_VISIT(self->dict);
  return 0;
}
int buffered_clear(PyObject* object) {
  Buffered* self = reinterpret_cast<Buffered*>(object);
  self->ok = false;
  Py_CLEAR(self->raw);
  Py_CLEAR(self->dict);
  return 0;
}

// --- What is passed through to the raw stream ------------------------------------------------------------------

PyObject* pass_to_raw(Buffered* self, PyObject* method_name) {
  CHECK_INITIALISED(self);
  return PyObject_CallMethodNoArgs(self->raw, method_name);
}
PyObject* buffered_seekable(Buffered* self) { return pass_to_raw(self, &_Py_ID(seekable)); }
PyObject* buffered_readable(Buffered* self) { return pass_to_raw(self, &_Py_ID(readable)); }
PyObject* buffered_writable(Buffered* self) { return pass_to_raw(self, &_Py_ID(writable)); }
PyObject* buffered_fileno(Buffered* self) { return pass_to_raw(self, &_Py_ID(fileno)); }
PyObject* buffered_isatty(Buffered* self) { return pass_to_raw(self, &_Py_ID(isatty)); }
PyObject* raw_attribute(Buffered* self, PyObject* name) {
  CHECK_INITIALISED(self);
  return PyObject_GetAttr(self->raw, name);
}
PyObject* buffered_get_closed(Buffered* self) { return raw_attribute(self, &_Py_ID(closed)); }
PyObject* buffered_get_name(Buffered* self) { return raw_attribute(self, &_Py_ID(name)); }
PyObject* buffered_get_mode(Buffered* self) { return raw_attribute(self, &_Py_ID(mode)); }

PyObject* buffered_dealloc_warn(Buffered* self, PyObject* source) {
  if (self->ok && self->raw != nullptr) {
    PyObject* result = PyObject_CallMethodOneArg(self->raw, &_Py_ID(_dealloc_warn), source);
    if (result != nullptr) Py_DECREF(result);
    else PyErr_Clear();
  }
  Py_RETURN_NONE;
}

PyObject* simple_flush(Buffered* self) { return pass_to_raw(self, &_Py_ID(flush)); }

PyObject* buffered_flush(Buffered* self) {
  CHECK_INITIALISED(self);
  CHECK_OPEN(self, "flush of closed file");
  Lock lock(self);
  if (!lock.entered() || !flush_and_rewind(self)) return nullptr;
  Py_RETURN_NONE;
}

PyObject* buffered_close(Buffered* self) {
  CHECK_INITIALISED(self);
  Lock lock(self);
  if (!lock.entered()) return nullptr;
  const int closed = raw_is_closed(self);
  if (closed < 0) return nullptr;
  if (closed > 0) Py_RETURN_NONE;
  if (self->finalizing && self->raw != nullptr) {
    PyObject* warned = buffered_dealloc_warn(self, as_object(self));
    if (warned != nullptr) Py_DECREF(warned);
    else PyErr_Clear();
  }
  lock.leave();  // flush() takes it itself
  PyObject* flushed = PyObject_CallMethodNoArgs(as_object(self), &_Py_ID(flush));
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  if (flushed == nullptr) PyErr_Fetch(&type, &value, &traceback);
  else Py_DECREF(flushed);
  if (!lock.enter_again()) {
    _PyErr_ChainExceptions(type, value, traceback);
    return nullptr;
  }
  PyObject* result = PyObject_CallMethodNoArgs(self->raw, &_Py_ID(close));
  PyMem_Free(self->buffer);
  self->buffer = nullptr;
  if (type != nullptr) {
    _PyErr_ChainExceptions(type, value, traceback);
    Py_CLEAR(result);
  }
  drop_read_buffer(self);
  self->pos = 0;
  return result;
}

PyObject* buffered_detach(Buffered* self) {
  CHECK_INITIALISED(self);
  PyObject* flushed = PyObject_CallMethodNoArgs(as_object(self), &_Py_ID(flush));
  if (flushed == nullptr) return nullptr;
  Py_DECREF(flushed);
  PyObject* raw = self->raw;
  self->raw = nullptr;
  self->detached = true;
  self->ok = false;
  return raw;
}

// --- Reading ---------------------------------------------------------------------------------------------------

PyObject* take_from_buffer(Buffered* self, Py_ssize_t size) {
  PyObject* result = PyBytes_FromStringAndSize(self->buffer + self->pos, size);
  if (result != nullptr) self->pos += size;
  return result;
}

/// Everything until the end. The lock is held.
PyObject* read_all(Buffered* self) {
  const Py_ssize_t available = read_ahead(self);
  Ref<> data;
  if (available > 0) {
    data = Ref<>::steal(take_from_buffer(self, available));
    if (!data) return nullptr;
  }
  if (self->writable && !flush_and_rewind(self)) return nullptr;
  drop_read_buffer(self);
  PyObject* readall;
  if (_PyObject_LookupAttr(self->raw, &_Py_ID(readall), &readall) < 0) return nullptr;
  if (readall != nullptr) {
    auto rest = Ref<>::steal(PyObject_CallNoArgs(readall));
    Py_DECREF(readall);
    if (!rest) return nullptr;
    if (rest.get() != Py_None && !PyBytes_Check(rest.get())) return raise(PyExc_TypeError, "readall() should return bytes");
    if (rest.get() == Py_None) return data ? data.release() : rest.release();
    if (self->abs_pos != -1) self->abs_pos += PyBytes_GET_SIZE(rest.get());
    if (!data) return rest.release();
    PyObject* joined = data.release();
    PyBytes_Concat(&joined, rest.get());
    return joined;
  }
  auto chunks = Ref<>::steal(PyList_New(0));
  if (!chunks) return nullptr;
  Py_ssize_t total = available;
  for (;;) {
    if (data && PyList_Append(chunks.get(), data.get()) < 0) return nullptr;
    data = Ref<>::steal(PyObject_CallMethodNoArgs(self->raw, &_Py_ID(read)));
    if (!data) return nullptr;
    if (data.get() != Py_None && !PyBytes_Check(data.get())) return raise(PyExc_TypeError, "read() should return bytes");
    const Py_ssize_t size = data.get() == Py_None ? 0 : PyBytes_GET_SIZE(data.get());
    if (size == 0) {
      if (total == 0) return data.release();
      auto empty = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, 0));
      return empty ? _PyBytes_Join(empty.get(), chunks.get()) : nullptr;
    }
    total += size;
    if (self->abs_pos != -1) self->abs_pos += size;
  }
}

/// `size` bytes or fewer at the end of the file; None when nothing at all is available. The lock is held.
PyObject* read_sized(Buffered* self, Py_ssize_t size) {
  const Py_ssize_t available = read_ahead(self);
  if (size <= available) return take_from_buffer(self, size);
  PyObject* result = PyBytes_FromStringAndSize(nullptr, size);
  if (result == nullptr) return nullptr;
  char* out = PyBytes_AS_STRING(result);
  Py_ssize_t written = 0;
  if (available > 0) {
    std::memcpy(out, self->buffer + self->pos, static_cast<size_t>(available));
    written = available;
    self->pos += available;
  }
  if (self->writable && !flush_and_rewind(self)) {
    Py_DECREF(result);
    return nullptr;
  }
  drop_read_buffer(self);
  bool stopped = false;
  // Whole blocks go straight into the result.
  while (size - written >= self->buffer_size) {
    const Py_ssize_t block = (size - written) - (size - written) % self->buffer_size;
    const Py_ssize_t count = raw_read(self, out + written, block);
    if (count == -1) {
      Py_DECREF(result);
      return nullptr;
    }
    if (count <= 0) {
      if (count == -2 && written == 0) {
        Py_DECREF(result);
        Py_RETURN_NONE;
      }
      stopped = true;
      break;
    }
    written += count;
  }
  self->pos = 0;
  self->raw_pos = 0;
  self->read_end = 0;
  while (!stopped && written < size && self->read_end < self->buffer_size) {
    const Py_ssize_t count = fill_buffer(self);
    if (count == -1) {
      Py_DECREF(result);
      return nullptr;
    }
    if (count <= 0) {
      if (count == -2 && written == 0) {
        Py_DECREF(result);
        Py_RETURN_NONE;
      }
      break;
    }
    const Py_ssize_t part = count < size - written ? count : size - written;
    std::memcpy(out + written, self->buffer + self->pos, static_cast<size_t>(part));
    written += part;
    self->pos += part;
  }
  if (written != size) _PyBytes_Resize(&result, written);
  return result;
}

PyObject* buffered_read(Buffered* self, Size size) {
  CHECK_INITIALISED(self);
  const Py_ssize_t n = size.value;
  if (n < -1) return raise(PyExc_ValueError, "read length must be non-negative or -1");
  CHECK_OPEN(self, "read of closed file");
  // FAST: within the buffer (no other thread can be inside: taking bytes needs no system call).
  if (n >= 0 && self->owner == 0 && n <= read_ahead(self)) return take_from_buffer(self, n);
  Lock lock(self);
  if (!lock.entered()) return nullptr;
  return n == -1 ? read_all(self) : read_sized(self, n);
}

PyObject* buffered_peek(Buffered* self, Optional<Py_ssize_t>) {
  CHECK_INITIALISED(self);
  CHECK_OPEN(self, "peek of closed file");
  Lock lock(self);
  if (!lock.entered()) return nullptr;
  if (self->writable && !flush_and_rewind(self)) return nullptr;
  const Py_ssize_t available = read_ahead(self);
  if (available > 0) return PyBytes_FromStringAndSize(self->buffer + self->pos, available);
  drop_read_buffer(self);
  Py_ssize_t count = fill_buffer(self);
  if (count == -1) return nullptr;
  if (count == -2) count = 0;
  self->pos = 0;
  return PyBytes_FromStringAndSize(self->buffer, count);
}

PyObject* buffered_read1(Buffered* self, Optional<Py_ssize_t> size) {
  CHECK_INITIALISED(self);
  Py_ssize_t n = size.value_or(-1);
  if (n < 0) n = self->buffer_size;
  CHECK_OPEN(self, "read of closed file");
  if (n == 0) return PyBytes_FromStringAndSize(nullptr, 0);
  const Py_ssize_t available = read_ahead(self);
  if (available > 0 && self->owner == 0) return take_from_buffer(self, n < available ? n : available);
  PyObject* result = PyBytes_FromStringAndSize(nullptr, n);
  if (result == nullptr) return nullptr;
  Py_ssize_t count;
  {
    Lock lock(self);
    if (!lock.entered()) {
      Py_DECREF(result);
      return nullptr;
    }
    drop_read_buffer(self);
    count = raw_read(self, PyBytes_AS_STRING(result), n);
  }
  if (count == -1) {
    Py_DECREF(result);
    return nullptr;
  }
  if (count == -2) count = 0;
  if (count != n) _PyBytes_Resize(&result, count);
  return result;
}

PyObject* read_into(Buffered* self, PyObject* target, const char* name, bool once) {
  CHECK_INITIALISED(self);
  Py_buffer view;
  if (PyObject_GetBuffer(target, &view, PyBUF_WRITABLE) < 0) {
    PyErr_Clear();
    return raise(PyExc_TypeError, "%s() argument must be read-write bytes-like object, not %.50s", name,
                 target == Py_None ? "None" : Py_TYPE(target)->tp_name);
  }
  struct Release {
    Py_buffer* view;
    ~Release() { PyBuffer_Release(view); }
  } release{&view};
  CHECK_OPEN(self, "readinto of closed file");
  char* out = static_cast<char*>(view.buf);
  Py_ssize_t written = 0;
  const Py_ssize_t available = read_ahead(self);
  if (available > 0) {
    if (view.len <= available) {
      std::memcpy(out, self->buffer + self->pos, static_cast<size_t>(view.len));
      self->pos += view.len;
      return PyLong_FromSsize_t(view.len);
    }
    std::memcpy(out, self->buffer + self->pos, static_cast<size_t>(available));
    self->pos += available;
    written = available;
  }
  Lock lock(self);
  if (!lock.entered()) return nullptr;
  if (self->writable && !flush_and_rewind(self)) return nullptr;
  drop_read_buffer(self);
  self->pos = 0;
  while (written < view.len) {
    const Py_ssize_t remaining = view.len - written;
    Py_ssize_t count;
    // Large remainders bypass the buffer; readinto1() makes at most one call and only when nothing was buffered.
    if (remaining > self->buffer_size) {
      count = raw_read(self, out + written, remaining);
    } else if (!(once && written > 0)) {
      count = fill_buffer(self);
      if (count > 0) {
        if (count > remaining) count = remaining;
        std::memcpy(out + written, self->buffer + self->pos, static_cast<size_t>(count));
        self->pos += count;
        written += count;
        if (once) break;
        continue;
      }
    } else {
      count = 0;
    }
    if (count == 0 || (count == -2 && written > 0)) break;
    if (count == -1) return nullptr;
    if (count == -2) Py_RETURN_NONE;
    written += count;
    if (once) break;
  }
  return PyLong_FromSsize_t(written);
}
PyObject* buffered_readinto(Buffered* self, PyObject* target) { return read_into(self, target, "readinto", false); }
PyObject* buffered_readinto1(Buffered* self, PyObject* target) { return read_into(self, target, "readinto1", true); }

/// A line of at most `limit` bytes (-1: any number).
PyObject* read_line(Buffered* self, Py_ssize_t limit) {
  CHECK_OPEN(self, "readline of closed file");
  Py_ssize_t available = read_ahead(self);
  if (limit >= 0 && available > limit) available = limit;
  if (self->owner == 0 && available > 0) {
    // FAST: the line ends within the buffer.
    const char* start = self->buffer + self->pos;
    const void* newline = std::memchr(start, '\n', static_cast<size_t>(available));
    if (newline != nullptr) return take_from_buffer(self, static_cast<const char*>(newline) - start + 1);
    if (available == limit) return take_from_buffer(self, available);
  } else if (limit == 0) {
    return PyBytes_FromStringAndSize(nullptr, 0);
  }
  Lock lock(self);
  if (!lock.entered()) return nullptr;
  Ref<> line;  // what came before the current buffer
  auto append = [&](Py_ssize_t size) {
    auto part = Ref<>::steal(take_from_buffer(self, size));
    if (!part) return false;
    if (!line) {
      line = std::move(part);
      return true;
    }
    PyObject* joined = line.release();
    PyBytes_Concat(&joined, part.get());
    line = Ref<>::steal(joined);
    return static_cast<bool>(line);
  };
  if (read_ahead(self) > 0) {
    const Py_ssize_t size = read_ahead(self);
    if (!append(limit >= 0 && size > limit ? limit : size)) return nullptr;
    if (limit >= 0) limit -= PyBytes_GET_SIZE(line.get());
  }
  if (self->writable && !flush_and_rewind(self)) return nullptr;
  while (limit != 0) {
    drop_read_buffer(self);
    const Py_ssize_t count = fill_buffer(self);
    if (count == -1) return nullptr;
    if (count <= 0) break;
    self->pos = 0;
    const Py_ssize_t usable = limit >= 0 && count > limit ? limit : count;
    const void* newline = std::memchr(self->buffer, '\n', static_cast<size_t>(usable));
    const Py_ssize_t taken = newline != nullptr ? static_cast<const char*>(newline) - self->buffer + 1 : usable;
    if (!append(taken)) return nullptr;
    if (newline != nullptr) break;
    if (limit >= 0) limit -= taken;
  }
  if (!line) return PyBytes_FromStringAndSize(nullptr, 0);
  return line.release();
}

PyObject* buffered_readline(Buffered* self, Size size) {
  CHECK_INITIALISED(self);
  return read_line(self, size.value);
}

PyObject* buffered_next(PyObject* object) {
  Buffered* self = reinterpret_cast<Buffered*>(object);
  CHECK_INITIALISED(self);
  PyObject* line;
  PyTypeObject* type = Py_TYPE(object);
  if (type == &BufferedReader_Type || type == &BufferedRandom_Type) {
    line = read_line(self, -1);
  } else {
    line = PyObject_CallMethodNoArgs(object, &_Py_ID(readline));
    if (line != nullptr && !PyBytes_Check(line)) {
      PyErr_Format(PyExc_OSError, "readline() should have returned a bytes object, not '%.200s'", Py_TYPE(line)->tp_name);
      Py_DECREF(line);
      return nullptr;
    }
  }
  if (line != nullptr && PyBytes_GET_SIZE(line) == 0) Py_CLEAR(line);
  return line;
}

// --- Position --------------------------------------------------------------------------------------------------

PyObject* buffered_tell(Buffered* self) {
  CHECK_INITIALISED(self);
  off_t position = raw_tell(self);
  if (position == -1) return nullptr;
  return from_offset(position - raw_offset(self));
}

PyObject* buffered_seek(Buffered* self, Borrowed<> target_object, Optional<int> whence_argument) {
  CHECK_INITIALISED(self);
  const int whence = whence_argument.value_or(0);
  if ((whence < 0 || whence > 2) && whence != SEEK_HOLE && whence != SEEK_DATA) {
    return raise(PyExc_ValueError, "whence value %d unsupported", whence);
  }
  CHECK_OPEN(self, "seek of closed file");
  if (!check_seekable(self->raw)) return nullptr;
  off_t target = to_offset(target_object, PyExc_ValueError);
  if (target == -1 && PyErr_Occurred()) return nullptr;
  if ((whence == 0 || whence == 1) && self->readable) {
    // FAST: a target within the read-ahead needs no system call.
    const off_t current = raw_position(self);
    if (current == -1) return nullptr;
    const off_t available = read_ahead(self);
    if (available > 0) {
      const off_t offset = whence == 0 ? target - (current - raw_offset(self)) : target;
      if (offset >= -self->pos && offset <= available) {
        self->pos += offset;
        return from_offset(current - available + offset);
      }
    }
  }
  Lock lock(self);
  if (!lock.entered()) return nullptr;
  if (self->writable && !flush_writes(self)) return nullptr;
  if (whence == 1) target -= raw_offset(self);
  const off_t position = raw_seek(self, target, whence);
  if (position == -1) return nullptr;
  self->raw_pos = -1;
  if (self->readable) drop_read_buffer(self);
  return from_offset(position);
}

PyObject* buffered_truncate(Buffered* self, PyObject* size) {
  CHECK_INITIALISED(self);
  CHECK_OPEN(self, "truncate of closed file");
  if (!self->writable) return unsupported("truncate");
  Lock lock(self);
  if (!lock.entered() || !flush_and_rewind(self)) return nullptr;
  PyObject* result = PyObject_CallMethodOneArg(self->raw, &_Py_ID(truncate), size != nullptr ? size : Py_None);
  if (result == nullptr) return nullptr;
  if (raw_tell(self) == -1) PyErr_Clear();
  return result;
}

// --- Writing ---------------------------------------------------------------------------------------------------

void put_in_buffer(Buffered* self, const char* data, Py_ssize_t size) {
  std::memcpy(self->buffer + self->pos, data, static_cast<size_t>(size));
  if (!has_write_buffer(self) || self->write_pos > self->pos) self->write_pos = self->pos;
  move_to(self, self->pos + size);
  if (self->write_end < self->pos) self->write_end = self->pos;
}

/// After a flush that would block: keeps what fits. True: all of it did.
bool keep_what_fits(Buffered* self, const char* data, Py_ssize_t size, Py_ssize_t& kept) {
  // Make room by moving the unwritten rest to the front.
  if (self->readable) drop_read_buffer(self);
  const off_t shift = self->write_pos;
  std::memmove(self->buffer, self->buffer + shift, static_cast<size_t>(self->write_end - shift));
  self->write_end -= shift;
  self->raw_pos -= shift;
  self->pos -= shift;
  self->write_pos = 0;
  const Py_ssize_t room = self->buffer_size - self->write_end;
  kept = size <= room ? size : room;
  std::memcpy(self->buffer + self->write_end, data, static_cast<size_t>(kept));
  self->write_end += kept;
  self->pos += kept;
  return kept == size;
}

bool write_locked(Buffered* self, const char* data, Py_ssize_t size) {
  if (!has_read_buffer(self) && !has_write_buffer(self)) self->pos = self->raw_pos = 0;
  if (size <= self->buffer_size - self->pos) {
    put_in_buffer(self, data, size);
    return true;
  }
  if (!flush_writes(self)) {
    if (!PyErr_ExceptionMatches(PyExc_BlockingIOError)) return false;
    Py_ssize_t kept;
    const int error = errno;
    PyErr_Clear();
    if (keep_what_fits(self, data, size, kept)) return true;
    errno = error;
    raise_blocking("write could not complete without blocking", kept);
    return false;
  }
  // The read-ahead that the user skipped by seeking does not count.
  const off_t offset = raw_offset(self);
  if (offset != 0) {
    if (raw_seek(self, -offset, SEEK_CUR) < 0) return false;
    self->raw_pos -= offset;
  }
  Py_ssize_t written = 0;
  while (size - written > self->buffer_size) {
    const Py_ssize_t count = raw_write(self, data + written, size - written);
    if (count == -1) return false;
    if (count == -2) {
      // Buffer as much as possible of the rest.
      std::memcpy(self->buffer, data + written, static_cast<size_t>(self->buffer_size));
      self->raw_pos = 0;
      move_to(self, self->buffer_size);
      self->write_pos = 0;
      self->write_end = self->buffer_size;
      written += self->buffer_size;
      raise_blocking("write could not complete without blocking", written);
      return false;
    }
    written += count;
    if (PyErr_CheckSignals() < 0) return false;
  }
  if (self->readable) drop_read_buffer(self);
  const Py_ssize_t rest = size - written;
  if (rest > 0) std::memcpy(self->buffer, data + written, static_cast<size_t>(rest));
  self->write_pos = 0;
  self->write_end = rest;
  move_to(self, rest);
  self->raw_pos = 0;
  return true;
}

PyObject* buffered_write(Buffered* self, Buffer data) {
  CHECK_INITIALISED(self);
  Lock lock(self);
  if (!lock.entered()) return nullptr;
  CHECK_OPEN(self, "write to closed file");
  if (!write_locked(self, data.data(), data.size())) return nullptr;
  return PyLong_FromSsize_t(data.size());
}

PyObject* buffered_getstate(Buffered* self, Arguments) {
  return raise(PyExc_TypeError, "cannot pickle '%.200s' object", Py_TYPE(self)->tp_name);
}
PyObject* buffered_repr(PyObject* self) { return repr_with_name(self); }
PyObject* buffered_sizeof(Buffered* self) {
  return PyLong_FromSsize_t(Py_TYPE(self)->tp_basicsize + (self->buffer != nullptr ? self->buffer_size : 0));
}

#define COMMON_METHODS                                                                                      \
  method<buffered_detach, "detach($self, /)", "Separates the raw stream and gives it.">(),                  \
      method<buffered_close, "close($self, /)">(), method<buffered_seekable, "seekable($self, /)">(),        \
      method<buffered_fileno, "fileno($self, /)">(), method<buffered_isatty, "isatty($self, /)">(),          \
      method<buffered_dealloc_warn, "_dealloc_warn($self, source, /)">(),                                    \
      method<buffered_tell, "tell($self, /)">(), method<buffered_seek, "seek($self, target, whence=0, /)">(), \
      method<buffered_sizeof, "__sizeof__($self, /)">(),                                                     \
      method<buffered_getstate, "__reduce__($self, /, *args)">(),                                            \
      method<buffered_getstate, "__reduce_ex__($self, /, *args)">()
#define READING_METHODS                                                                                           \
  method<buffered_read, "read($self, size=-1, /)", "Reads `size` bytes, fewer only at the end; or everything.">(), \
      method<buffered_peek, "peek($self, size=0, /)", "Gives buffered bytes without consuming them.">(),            \
      method<buffered_read1, "read1($self, size=-1, /)", "Reads with at most one call of the raw stream.">(),       \
      method<buffered_readinto, "readinto($self, buffer, /)">(),                                                   \
      method<buffered_readinto1, "readinto1($self, buffer, /)">(),                                                 \
      method<buffered_readline, "readline($self, size=-1, /)">()

PyMethodDef reader_methods[] = {
    COMMON_METHODS,
    READING_METHODS,
    method<simple_flush, "flush($self, /)">(),
    method<buffered_truncate, "truncate($self, pos=None, /)">(),
    method<buffered_readable, "readable($self, /)">(),
    {},
};
PyMethodDef writer_methods[] = {
    COMMON_METHODS,
    method<buffered_write, "write($self, buffer, /)", "Buffers the bytes, writing out what does not fit.">(),
    method<buffered_flush, "flush($self, /)">(),
    method<buffered_truncate, "truncate($self, pos=None, /)">(),
    method<buffered_writable, "writable($self, /)">(),
    {},
};
PyMethodDef random_methods[] = {
    COMMON_METHODS,
    READING_METHODS,
    method<buffered_write, "write($self, buffer, /)">(),
    method<buffered_flush, "flush($self, /)">(),
    method<buffered_truncate, "truncate($self, pos=None, /)">(),
    method<buffered_readable, "readable($self, /)">(),
    method<buffered_writable, "writable($self, /)">(),
    {},
};
PyMemberDef buffered_members[] = {
    {"raw", T_OBJECT, offsetof(Buffered, raw), READONLY, nullptr},
    {"_finalizing", T_BOOL, offsetof(Buffered, finalizing), 0, nullptr},
    {},
};
PyGetSetDef buffered_getset[] = {
    getset<buffered_get_closed>("closed"),
    getset<buffered_get_name>("name"),
    getset<buffered_get_mode>("mode"),
    {},
};

}  // namespace

bool buffered_write_fast(PyObject* buffer, const char* data, Py_ssize_t size) {
  if (!Py_IS_TYPE(buffer, &BufferedWriter_Type)) return false;
  Buffered* self = reinterpret_cast<Buffered*>(buffer);
  if (!self->ok || !self->raw_is_fileio || self->owner != 0 || self->buffer == nullptr ||
      reinterpret_cast<FileIO*>(self->raw)->fd < 0) {
    return false;
  }
  if (!has_write_buffer(self)) self->pos = self->raw_pos = 0;
  if (size > self->buffer_size - self->pos) return false;
  put_in_buffer(self, data, size);
  return true;
}

#define BUFFERED_TYPE(object, name, doc, method_table, init, next)      \
  PyTypeObject object = {                                               \
      .ob_base = type_head(),                                           \
      .tp_name = "_io." name,                                           \
      .tp_basicsize = sizeof(Buffered),                                 \
      .tp_dealloc = buffered_dealloc,                                   \
      .tp_repr = buffered_repr,                                         \
      .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, \
      .tp_doc = name "(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\n" doc, \
      .tp_traverse = buffered_traverse,                                 \
      .tp_clear = buffered_clear,                                       \
      .tp_weaklistoffset = offsetof(Buffered, weakreflist),             \
      .tp_iternext = next,                                              \
      .tp_methods = method_table,                                       \
      .tp_members = buffered_members,                                   \
      .tp_getset = buffered_getset,                                     \
      .tp_base = &BufferedIOBase_Type,                                  \
      .tp_dictoffset = offsetof(Buffered, dict),                        \
      .tp_init = initializer<init, name "(raw, buffer_size=8192)">,     \
      .tp_new = PyType_GenericNew,                                      \
      .tp_free = PyObject_GC_Del,                                       \
  }
BUFFERED_TYPE(BufferedReader_Type, "BufferedReader", "Reads ahead from a raw stream.", reader_methods, reader_init, buffered_next);
BUFFERED_TYPE(BufferedWriter_Type, "BufferedWriter", "Collects writes to a raw stream.", writer_methods, writer_init, nullptr);
BUFFERED_TYPE(BufferedRandom_Type, "BufferedRandom", "Buffers reads from and writes to a seekable raw stream.",
              random_methods, random_init, buffered_next);

// --- _BufferedIOBase -------------------------------------------------------------------------------------------

namespace {

PyObject* base_readinto(PyObject* self, PyObject* target, PyObject* method_name, const char* name) {
  Py_buffer view;
  if (PyObject_GetBuffer(target, &view, PyBUF_WRITABLE) < 0) {
    PyErr_Clear();
    return raise(PyExc_TypeError, "%s() argument must be read-write bytes-like object, not %.50s", name,
                 target == Py_None ? "None" : Py_TYPE(target)->tp_name);
  }
  auto data = Ref<>::steal(_PyObject_CallMethod(self, method_name, "n", view.len));
  PyObject* result = nullptr;
  if (data) {
    if (!PyBytes_Check(data.get())) {
      PyErr_SetString(PyExc_TypeError, "read() should return bytes");
    } else if (PyBytes_GET_SIZE(data.get()) > view.len) {
      PyErr_Format(PyExc_ValueError, "read() returned too much data: %zd bytes requested, %zd returned", view.len,
                   PyBytes_GET_SIZE(data.get()));
    } else {
      std::memcpy(view.buf, PyBytes_AS_STRING(data.get()), static_cast<size_t>(PyBytes_GET_SIZE(data.get())));
      result = PyLong_FromSsize_t(PyBytes_GET_SIZE(data.get()));
    }
  }
  PyBuffer_Release(&view);
  return result;
}
PyObject* base_readinto0(PyObject* self, PyObject* target) { return base_readinto(self, target, &_Py_ID(read), "readinto"); }
PyObject* base_readinto1(PyObject* self, PyObject* target) {
  return base_readinto(self, target, &_Py_ID(read1), "readinto1");
}
PyObject* base_detach(PyObject*) { return unsupported("detach"); }
PyObject* base_read(PyObject*, Arguments) { return unsupported("read"); }
PyObject* base_read1(PyObject*, Arguments) { return unsupported("read1"); }
PyObject* base_write(PyObject*, Arguments) { return unsupported("write"); }

PyMethodDef base_methods[] = {
    method<base_detach, "detach($self, /)", "Separates the raw stream and gives it.">(),
    method<base_read, "read($self, /, *args)", "Reads bytes; short only at the end of the file.">(),
    method<base_read1, "read1($self, /, *args)", "Reads with at most one call of the raw stream.">(),
    method<base_readinto0, "readinto($self, buffer, /)">(),
    method<base_readinto1, "readinto1($self, buffer, /)">(),
    method<base_write, "write($self, /, *args)", "Writes all of the bytes and gives their number.">(),
    {},
};

}  // namespace

PyTypeObject BufferedIOBase_Type = {
    .ob_base = type_head(),
    .tp_name = "_io._BufferedIOBase",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Base class of binary streams that read and write all that was asked for.",
    .tp_methods = base_methods,
    .tp_base = &IOBase_Type,
};

// --- BufferedRWPair --------------------------------------------------------------------------------------------

namespace {

struct Pair {
  PyObject_HEAD
  PyObject* reader;
  PyObject* writer;
  PyObject* dict;
  PyObject* weakreflist;
};

Status pair_init(Pair* self, Borrowed<> reader, Borrowed<> writer, Optional<Py_ssize_t> size) {
  if (!check_readable(reader) || !check_writable(writer)) return Status::kError;
  const Py_ssize_t buffer_size = size.value_or(kDefaultBufferSize);
  PyObject* buffered_reader = PyObject_CallFunction(as_object(&BufferedReader_Type), "On", reader.get(), buffer_size);
  if (buffered_reader == nullptr) return Status::kError;
  Py_XSETREF(self->reader, buffered_reader);
  PyObject* buffered_writer = PyObject_CallFunction(as_object(&BufferedWriter_Type), "On", writer.get(), buffer_size);
  if (buffered_writer == nullptr) {
    Py_CLEAR(self->reader);
    return Status::kError;
  }
  Py_XSETREF(self->writer, buffered_writer);
  return Status::kOk;
}

PyObject* forward(PyObject* stream, PyObject* name, Arguments arguments) {
  if (stream == nullptr) return raise(PyExc_ValueError, "I/O operation on uninitialized object");
  auto function = Ref<>::steal(PyObject_GetAttr(stream, name));
  return function ? PyObject_Vectorcall(function.get(), arguments.data(), arguments.size(), nullptr) : nullptr;
}
PyObject* pair_read(Pair* self, Arguments a) { return forward(self->reader, &_Py_ID(read), a); }
PyObject* pair_peek(Pair* self, Arguments a) { return forward(self->reader, &_Py_ID(peek), a); }
PyObject* pair_read1(Pair* self, Arguments a) { return forward(self->reader, &_Py_ID(read1), a); }
PyObject* pair_readinto(Pair* self, Arguments a) { return forward(self->reader, &_Py_ID(readinto), a); }
PyObject* pair_readinto1(Pair* self, Arguments a) { return forward(self->reader, &_Py_ID(readinto1), a); }
PyObject* pair_write(Pair* self, Arguments a) { return forward(self->writer, &_Py_ID(write), a); }
PyObject* pair_flush(Pair* self) { return forward(self->writer, &_Py_ID(flush), {}); }
PyObject* pair_readable(Pair* self) { return forward(self->reader, &_Py_ID(readable), {}); }
PyObject* pair_writable(Pair* self) { return forward(self->writer, &_Py_ID(writable), {}); }

PyObject* pair_close(Pair* self) {
  PyObject* result = forward(self->writer, &_Py_ID(close), {});
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  if (result == nullptr) PyErr_Fetch(&type, &value, &traceback);
  else Py_DECREF(result);
  result = forward(self->reader, &_Py_ID(close), {});
  if (type != nullptr) {
    _PyErr_ChainExceptions(type, value, traceback);
    Py_CLEAR(result);
  }
  return result;
}

PyObject* pair_isatty(Pair* self) {
  PyObject* result = forward(self->writer, &_Py_ID(isatty), {});
  if (result != Py_False) return result;  // True, or an error
  Py_DECREF(result);
  return forward(self->reader, &_Py_ID(isatty), {});
}

PyObject* pair_get_closed(Pair* self) {
  if (self->writer == nullptr) {
    return raise(PyExc_RuntimeError, "the BufferedRWPair object is being garbage-collected");
  }
  return PyObject_GetAttr(self->writer, &_Py_ID(closed));
}

void pair_dealloc(PyObject* object) {
  Pair* self = reinterpret_cast<Pair*>(object);
  PyObject_GC_UnTrack(object);
  if (self->weakreflist != nullptr) PyObject_ClearWeakRefs(object);
  Py_CLEAR(self->reader);
  Py_CLEAR(self->writer);
  Py_CLEAR(self->dict);
  Py_TYPE(object)->tp_free(object);
}
int pair_traverse(PyObject* object, visitproc visit, void* arg) {
  Pair* self = reinterpret_cast<Pair*>(object);
  Py_VISIT(self->reader);
  Py_VISIT(self->writer);
  Py_VISIT(self->dict);
  return 0;
}
int pair_clear(PyObject* object) {
  Pair* self = reinterpret_cast<Pair*>(object);
  Py_CLEAR(self->reader);
  Py_CLEAR(self->writer);
  Py_CLEAR(self->dict);
  return 0;
}

PyMethodDef pair_methods[] = {
    method<pair_read, "read($self, /, *args)">(),
    method<pair_peek, "peek($self, /, *args)">(),
    method<pair_read1, "read1($self, /, *args)">(),
    method<pair_readinto, "readinto($self, /, *args)">(),
    method<pair_readinto1, "readinto1($self, /, *args)">(),
    method<pair_write, "write($self, /, *args)">(),
    method<pair_flush, "flush($self, /)">(),
    method<pair_readable, "readable($self, /)">(),
    method<pair_writable, "writable($self, /)">(),
    method<pair_close, "close($self, /)">(),
    method<pair_isatty, "isatty($self, /)">(),
    method<buffered_getstate, "__reduce__($self, /, *args)">(),
    method<buffered_getstate, "__reduce_ex__($self, /, *args)">(),
    {},
};
PyGetSetDef pair_getset[] = {getset<pair_get_closed>("closed"), {}};

}  // namespace

PyTypeObject BufferedRWPair_Type = {
    .ob_base = type_head(),
    .tp_name = "_io.BufferedRWPair",
    .tp_basicsize = sizeof(Pair),
    .tp_dealloc = pair_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "BufferedRWPair(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)\n--\n\n"
              "Two raw streams, one read and one written, as a single buffered one (sockets and pipes).",
    .tp_traverse = pair_traverse,
    .tp_clear = pair_clear,
    .tp_weaklistoffset = offsetof(Pair, weakreflist),
    .tp_methods = pair_methods,
    .tp_getset = pair_getset,
    .tp_base = &BufferedIOBase_Type,
    .tp_dictoffset = offsetof(Pair, dict),
    .tp_init = initializer<pair_init, "BufferedRWPair(reader, writer, buffer_size=8192, /)">,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};

}  // namespace pyston::io
