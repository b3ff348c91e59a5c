// zlib: compression with the zlib library. Output grows as a list-free buffer that doubles; the GIL is released while
// zlib works, and each stream object has a lock, since several threads can call it.
#include <zlib.h>

#include <cstring>

#include "Objects/bind.h"
#include "structmember.h"

using namespace pyston;

namespace {

constexpr Py_ssize_t kDefaultBufferSize = 16 * 1024;
constexpr int kDefaultMemoryLevel = 8;

struct ZlibState {
  PyTypeObject* compress_type;
  PyTypeObject* decompress_type;
  PyObject* error;
};
extern PyModuleDef zlib_module;
ZlibState* state_of(PyObject* module) { return static_cast<ZlibState*>(PyModule_GetState(module)); }
ZlibState* state_of_object(PyObject* self) { return static_cast<ZlibState*>(PyType_GetModuleState(Py_TYPE(self))); }

/// A compression or decompression in progress.
struct StreamObject {
  PyObject_HEAD
  z_stream stream;
  PyObject* unused_data;
  PyObject* unconsumed_tail;
  char eof;
  bool initialized;
  PyObject* dictionary;  // may be null
  PyThread_type_lock lock;
};
StreamObject* as_stream(PyObject* object) { return reinterpret_cast<StreamObject*>(object); }

COLD Failure raise_zlib(ZlibState* state, const z_stream& stream, int error, const char* doing) {
  const char* message = nullptr;
  if (error == Z_VERSION_ERROR) message = "library version mismatch";
  if (message == nullptr) message = stream.msg;
  if (message == nullptr) {
    switch (error) {
      case Z_BUF_ERROR: message = "incomplete or truncated stream"; break;
      case Z_STREAM_ERROR: message = "inconsistent stream state"; break;
      case Z_DATA_ERROR: message = "invalid input data"; break;
    }
  }
  if (message == nullptr) return raise(state->error, "Error %d %s", error, doing);
  return raise(state->error, "Error %d %s: %.200s", error, doing, message);
}

voidpf zlib_allocate(voidpf, uInt items, uInt size) {
  if (size != 0 && items > static_cast<size_t>(PY_SSIZE_T_MAX) / size) return Z_NULL;
  return PyMem_RawMalloc(static_cast<size_t>(items) * size);
}
void zlib_free(voidpf, voidpf memory) { PyMem_RawFree(memory); }

/// Feeds zlib input of any length in pieces that its 32-bit counters can hold.
void offer_input(z_stream& stream, Py_ssize_t& left) {
  stream.avail_in = static_cast<uInt>(Py_MIN(static_cast<size_t>(left), static_cast<size_t>(UINT_MAX)));
  left -= stream.avail_in;
}

/// Collects output of unknown length.
class Output {
 public:
  Output() = default;
  Output(const Output&) = delete;
  ~Output() { Py_XDECREF(buffer_); }
  /// Room for at least one more byte, at most `limit` in all (negative: no limit).
  Status offer(z_stream& stream, Py_ssize_t initial, Py_ssize_t limit = -1) {
    if (buffer_ == nullptr) {
      capacity_ = Py_MAX(initial, 2);
      if (limit >= 0) capacity_ = Py_MAX(Py_MIN(capacity_, limit), 2);
      buffer_ = PyBytes_FromStringAndSize(nullptr, capacity_);
      if (buffer_ == nullptr) return Status::kError;
      usable_ = limit >= 0 ? Py_MIN(capacity_, limit) : capacity_;
    } else {
      Py_ssize_t grown = capacity_ > PY_SSIZE_T_MAX / 2 ? PY_SSIZE_T_MAX - 64 : capacity_ * 2;
      if (limit >= 0) grown = Py_MAX(Py_MIN(grown, limit), 2);
      if (grown <= capacity_) {
        PyErr_NoMemory();
        return Status::kError;
      }
      if (_PyBytes_Resize(&buffer_, grown) < 0) return Status::kError;
      capacity_ = usable_ = grown;
    }
    stream.next_out = reinterpret_cast<Bytef*>(PyBytes_AS_STRING(buffer_)) + used_;
    offered_ = static_cast<uInt>(Py_MIN(static_cast<size_t>(usable_ - used_), static_cast<size_t>(UINT_MAX)));
    stream.avail_out = offered_;
    return Status::kOk;
  }
  /// Offers the rest of the present buffer, or a larger one when it is full.
  Status offer_more(z_stream& stream, Py_ssize_t initial, Py_ssize_t limit = -1) {
    if (buffer_ != nullptr && used_ < usable_) {
      stream.next_out = reinterpret_cast<Bytef*>(PyBytes_AS_STRING(buffer_)) + used_;
      offered_ = static_cast<uInt>(Py_MIN(static_cast<size_t>(usable_ - used_), static_cast<size_t>(UINT_MAX)));
      stream.avail_out = offered_;
      return Status::kOk;
    }
    return offer(stream, initial, limit);
  }
  void accept(const z_stream& stream) {
    used_ += offered_ - stream.avail_out;
    offered_ = stream.avail_out;
  }
  Py_ssize_t used() const { return used_; }
  PyObject* finish() {
    if (buffer_ == nullptr) return PyBytes_FromStringAndSize(nullptr, 0);
    PyObject* result = std::exchange(buffer_, nullptr);
    if (used_ != capacity_) _PyBytes_Resize(&result, used_);
    return result;
  }

 private:
  PyObject* buffer_ = nullptr;
  Py_ssize_t capacity_ = 0;
  Py_ssize_t usable_ = 0;
  Py_ssize_t used_ = 0;
  uInt offered_ = 0;
};

template <class Function>
int without_gil(Function function) {
  int result;
  Py_BEGIN_ALLOW_THREADS
  result = function();
  Py_END_ALLOW_THREADS
  return result;
}

/// Holds a stream's lock, waiting without the GIL.
class StreamLock {
 public:
  explicit StreamLock(StreamObject* stream) : lock_(stream->lock) {
    if (!PyThread_acquire_lock(lock_, 0)) {
      Py_BEGIN_ALLOW_THREADS
      PyThread_acquire_lock(lock_, 1);
      Py_END_ALLOW_THREADS
    }
  }
  StreamLock(const StreamLock&) = delete;
  ~StreamLock() { PyThread_release_lock(lock_); }

 private:
  PyThread_type_lock lock_;
};

// One-shot functions ------------------------------------------------------------------------------------------------

PyObject* zlib_compress(PyObject* module, Buffer data, Optional<int> level, Optional<int> wbits) {
  ZlibState* state = state_of(module);
  z_stream stream = {};
  stream.zalloc = zlib_allocate;
  stream.zfree = zlib_free;
  stream.next_in = const_cast<Bytef*>(data.bytes());
  int error = deflateInit2(&stream, level.value_or(Z_DEFAULT_COMPRESSION), Z_DEFLATED, wbits.value_or(MAX_WBITS),
                           kDefaultMemoryLevel, Z_DEFAULT_STRATEGY);
  if (error == Z_MEM_ERROR) return raise(PyExc_MemoryError, "Out of memory while compressing data");
  if (error == Z_STREAM_ERROR) return raise(state->error, "Bad compression level");
  if (error != Z_OK) {
    deflateEnd(&stream);
    return raise_zlib(state, stream, error, "while compressing data");
  }
  Output output;
  Py_ssize_t left = data.size();
  int flush;
  do {
    offer_input(stream, left);
    flush = left == 0 ? Z_FINISH : Z_NO_FLUSH;
    do {
      if (!ok(output.offer_more(stream, kDefaultBufferSize))) {
        deflateEnd(&stream);
        return nullptr;
      }
      error = without_gil([&] { return deflate(&stream, flush); });
      output.accept(stream);
      if (error == Z_STREAM_ERROR) {
        deflateEnd(&stream);
        return raise_zlib(state, stream, error, "while compressing data");
      }
    } while (stream.avail_out == 0);
  } while (flush != Z_FINISH);
  error = deflateEnd(&stream);
  if (error != Z_OK) return raise_zlib(state, stream, error, "while finishing compression");
  return output.finish();
}

PyObject* zlib_decompress(PyObject* module, Buffer data, Optional<int> wbits, Optional<Py_ssize_t> buffer_size) {
  ZlibState* state = state_of(module);
  Py_ssize_t initial = buffer_size.value_or(kDefaultBufferSize);
  if (initial < 0) return raise(PyExc_ValueError, "bufsize must be non-negative");
  if (initial == 0) initial = 1;
  z_stream stream = {};
  stream.zalloc = zlib_allocate;
  stream.zfree = zlib_free;
  stream.next_in = const_cast<Bytef*>(data.bytes());
  int error = inflateInit2(&stream, wbits.value_or(MAX_WBITS));
  if (error == Z_MEM_ERROR) return raise(PyExc_MemoryError, "Out of memory while decompressing data");
  if (error != Z_OK) {
    inflateEnd(&stream);
    return raise_zlib(state, stream, error, "while preparing to decompress data");
  }
  Output output;
  Py_ssize_t left = data.size();
  int flush;
  do {
    offer_input(stream, left);
    flush = left == 0 ? Z_FINISH : Z_SYNC_FLUSH;
    do {
      if (!ok(output.offer_more(stream, initial))) {
        inflateEnd(&stream);
        return nullptr;
      }
      error = without_gil([&] { return inflate(&stream, flush); });
      output.accept(stream);
      if (error == Z_MEM_ERROR) {
        inflateEnd(&stream);
        return raise(PyExc_MemoryError, "Out of memory while decompressing data");
      }
      if (error != Z_OK && error != Z_BUF_ERROR && error != Z_STREAM_END) {
        inflateEnd(&stream);
        return raise_zlib(state, stream, error, "while decompressing data");
      }
    } while (stream.avail_out == 0);
  } while (error != Z_STREAM_END && left != 0);
  if (error != Z_STREAM_END) {
    inflateEnd(&stream);
    return raise_zlib(state, stream, error, "while decompressing data");
  }
  error = inflateEnd(&stream);
  if (error != Z_OK) return raise_zlib(state, stream, error, "while finishing decompression");
  return output.finish();
}

template <uLong (*Function)(uLong, const Bytef*, uInt)>
PyObject* checksum(Buffer& data, unsigned start) {
  uLong value = start;
  const unsigned char* p = data.bytes();
  Py_ssize_t left = data.size();
  const auto run = [&] {
    while (left > 0) {
      const uInt chunk = static_cast<uInt>(Py_MIN(left, 1 << 30));
      value = Function(value, p, chunk);
      p += chunk;
      left -= chunk;
    }
    return 0;
  };
  if (left > 1024 * 5) {
    without_gil(run);
  } else {
    run();
  }
  return PyLong_FromUnsignedLong(value & 0xffffffff);
}
PyObject* zlib_adler32(PyObject*, Buffer data, Optional<unsigned> start) { return checksum<adler32>(data, start.value_or(1)); }
PyObject* zlib_crc32(PyObject*, Buffer data, Optional<unsigned> start) { return checksum<crc32>(data, start.value_or(0)); }

// Stream objects ----------------------------------------------------------------------------------------------------

StreamObject* new_stream(PyTypeObject* type) {
  StreamObject* self = PyObject_New(StreamObject, type);
  if (self == nullptr) return nullptr;
  memset(&self->stream, 0, sizeof(self->stream));
  self->stream.zalloc = zlib_allocate;
  self->stream.zfree = zlib_free;
  self->eof = 0;
  self->initialized = false;
  self->dictionary = nullptr;
  self->unused_data = PyBytes_FromStringAndSize("", 0);
  self->unconsumed_tail = PyBytes_FromStringAndSize("", 0);
  self->lock = PyThread_allocate_lock();
  if (self->lock == nullptr) {
    PyErr_SetString(PyExc_MemoryError, "Unable to allocate lock");
    Py_DECREF(as_object(self));
    return nullptr;
  }
  return self;
}

template <int (*End)(z_streamp)>
void stream_dealloc(PyObject* object) {
  StreamObject* self = as_stream(object);
  PyTypeObject* type = Py_TYPE(object);
  if (self->initialized) End(&self->stream);
  if (self->lock != nullptr) PyThread_free_lock(self->lock);
  Py_XDECREF(self->unused_data);
  Py_XDECREF(self->unconsumed_tail);
  Py_XDECREF(self->dictionary);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyObject* zlib_compressobj(PyObject* module, Optional<int> level, Optional<int> method_code, Optional<int> wbits,
                           Optional<int> memory_level, Optional<int> strategy, Optional<Buffer> dictionary) {
  ZlibState* state = state_of(module);
  if (dictionary && static_cast<size_t>(dictionary->size()) > UINT_MAX) {
    return raise(PyExc_OverflowError, "zdict length does not fit in an unsigned int");
  }
  StreamObject* self = new_stream(state->compress_type);
  if (self == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(self);
  int error = deflateInit2(&self->stream, level.value_or(Z_DEFAULT_COMPRESSION), method_code.value_or(Z_DEFLATED),
                           wbits.value_or(MAX_WBITS), memory_level.value_or(kDefaultMemoryLevel),
                           strategy.value_or(Z_DEFAULT_STRATEGY));
  if (error == Z_MEM_ERROR) return raise(PyExc_MemoryError, "Can't allocate memory for compression object");
  if (error == Z_STREAM_ERROR) return raise(PyExc_ValueError, "Invalid initialization option");
  if (error != Z_OK) return raise_zlib(state, self->stream, error, "while creating compression object");
  self->initialized = true;
  if (dictionary) {
    error = deflateSetDictionary(&self->stream, dictionary->bytes(), static_cast<uInt>(dictionary->size()));
    if (error == Z_STREAM_ERROR) return raise(PyExc_ValueError, "Invalid dictionary");
    if (error != Z_OK) return raise(PyExc_ValueError, "deflateSetDictionary()");
  }
  return owner.release();
}

/// Gives zlib the dictionary that a stream asks for.
Status set_inflate_dictionary(ZlibState* state, StreamObject* self) {
  Buffer dictionary;
  if (!dictionary.acquire(self->dictionary)) return Status::kError;
  if (static_cast<size_t>(dictionary.size()) > UINT_MAX) {
    return raise(PyExc_OverflowError, "zdict length does not fit in an unsigned int");
  }
  const int error = inflateSetDictionary(&self->stream, dictionary.bytes(), static_cast<uInt>(dictionary.size()));
  if (error != Z_OK) return raise_zlib(state, self->stream, error, "while setting zdict");
  return Status::kOk;
}

PyObject* zlib_decompressobj(PyObject* module, Optional<int> wbits_argument, PyObject* dictionary) {
  ZlibState* state = state_of(module);
  const int wbits = wbits_argument.value_or(MAX_WBITS);
  if (dictionary != nullptr && !PyObject_CheckBuffer(dictionary)) {
    return raise(PyExc_TypeError, "zdict argument must support the buffer protocol");
  }
  StreamObject* self = new_stream(state->decompress_type);
  if (self == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(self);
  self->dictionary = Py_XNewRef(dictionary);
  const int error = inflateInit2(&self->stream, wbits);
  if (error == Z_STREAM_ERROR) return raise(PyExc_ValueError, "Invalid initialization option");
  if (error == Z_MEM_ERROR) return raise(PyExc_MemoryError, "Can't allocate memory for decompression object");
  if (error != Z_OK) return raise_zlib(state, self->stream, error, "while creating decompression object");
  self->initialized = true;
  // A raw stream doesn't ask for its dictionary.
  if (dictionary != nullptr && wbits < 0 && !ok(set_inflate_dictionary(state, self))) return nullptr;
  return owner.release();
}

PyObject* compress_compress(Borrowed<StreamObject> self, Buffer data) {
  ZlibState* state = state_of_object(self.object());
  StreamLock lock(self);
  z_stream& stream = self->stream;
  stream.next_in = const_cast<Bytef*>(data.bytes());
  Output output;
  Py_ssize_t left = data.size();
  do {
    offer_input(stream, left);
    do {
      if (!ok(output.offer_more(stream, kDefaultBufferSize))) return nullptr;
      const int error = without_gil([&] { return deflate(&stream, Z_NO_FLUSH); });
      output.accept(stream);
      if (error == Z_STREAM_ERROR) return raise_zlib(state, stream, error, "while compressing data");
    } while (stream.avail_out == 0);
  } while (left != 0);
  return output.finish();
}

PyObject* compress_flush(Borrowed<StreamObject> self, Optional<int> mode_argument) {
  const int mode = mode_argument.value_or(Z_FINISH);
  if (mode == Z_NO_FLUSH) return PyBytes_FromStringAndSize(nullptr, 0);
  ZlibState* state = state_of_object(self.object());
  StreamLock lock(self);
  z_stream& stream = self->stream;
  stream.avail_in = 0;
  Output output;
  int error;
  do {
    if (!ok(output.offer_more(stream, kDefaultBufferSize))) return nullptr;
    error = without_gil([&] { return deflate(&stream, mode); });
    output.accept(stream);
    if (error == Z_STREAM_ERROR) return raise_zlib(state, stream, error, "while flushing");
  } while (stream.avail_out == 0);
  if (error == Z_STREAM_END && mode == Z_FINISH) {
    error = deflateEnd(&stream);
    if (error != Z_OK) return raise_zlib(state, stream, error, "while finishing compression");
    self->initialized = false;
  } else if (error != Z_OK && error != Z_BUF_ERROR) {
    return raise_zlib(state, stream, error, "while flushing");
  }
  return output.finish();
}

PyObject* copy_stream(StreamObject* self, PyTypeObject* type, int (*copy)(z_streamp, z_streamp), const char* doing) {
  ZlibState* state = state_of_object(as_object(self));
  StreamObject* result = new_stream(type);
  if (result == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(result);
  StreamLock lock(self);
  const int error = copy(&result->stream, &self->stream);
  if (error == Z_STREAM_ERROR) return raise(PyExc_ValueError, "Inconsistent stream state");
  if (error == Z_MEM_ERROR) return raise(PyExc_MemoryError, doing);
  if (error != Z_OK) return raise_zlib(state, self->stream, error, "while copying object");
  Py_XSETREF(result->unused_data, Py_NewRef(self->unused_data));
  Py_XSETREF(result->unconsumed_tail, Py_NewRef(self->unconsumed_tail));
  Py_XSETREF(result->dictionary, Py_XNewRef(self->dictionary));
  result->eof = self->eof;
  result->initialized = true;
  return owner.release();
}
PyObject* compress_copy(Borrowed<StreamObject> self) {
  return copy_stream(self, state_of_object(self.object())->compress_type, deflateCopy, "Can't allocate memory for compression object");
}
PyObject* compress_deepcopy(Borrowed<StreamObject> self, Borrowed<>) { return compress_copy(self); }
PyObject* decompress_copy(Borrowed<StreamObject> self) {
  return copy_stream(self, state_of_object(self.object())->decompress_type, inflateCopy, "Can't allocate memory for decompression object");
}
PyObject* decompress_deepcopy(Borrowed<StreamObject> self, Borrowed<>) { return decompress_copy(self); }

/// Keeps input that wasn't used: behind the end of the stream in unused_data, else (after a length limit) in
/// unconsumed_tail.
Status save_unconsumed(StreamObject* self, const unsigned char* data, Py_ssize_t size, int error) {
  const unsigned char* next = self->stream.next_in;
  const Py_ssize_t left = data + size - next;
  if (error == Z_STREAM_END) {
    if (left > 0) {
      Ref<> joined = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, PyBytes_GET_SIZE(self->unused_data) + left));
      if (!joined) return Status::kError;
      if (PyBytes_GET_SIZE(joined.get()) == 1) joined = Ref<>::steal(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(next), 1));
      else {
        memcpy(PyBytes_AS_STRING(joined.get()), PyBytes_AS_STRING(self->unused_data), static_cast<size_t>(PyBytes_GET_SIZE(self->unused_data)));
        memcpy(PyBytes_AS_STRING(joined.get()) + PyBytes_GET_SIZE(self->unused_data), next, static_cast<size_t>(left));
      }
      Py_SETREF(self->unused_data, joined.release());
    }
  }
  if (left > 0 && error != Z_STREAM_END) {
    Ref<> tail = Ref<>::steal(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(next), left));
    if (!tail) return Status::kError;
    Py_SETREF(self->unconsumed_tail, tail.release());
  } else if (PyBytes_GET_SIZE(self->unconsumed_tail) != 0) {
    Ref<> empty = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, 0));
    Py_SETREF(self->unconsumed_tail, empty.release());
  }
  return Status::kOk;
}

PyObject* decompress_decompress(Borrowed<StreamObject> self, Buffer data, Optional<Py_ssize_t> maximum) {
  const Py_ssize_t max_length = maximum.value_or(0);
  if (max_length < 0) return raise(PyExc_ValueError, "max_length must be non-negative");
  const Py_ssize_t limit = max_length == 0 ? -1 : max_length;
  ZlibState* state = state_of_object(self.object());
  StreamLock lock(self);
  z_stream& stream = self->stream;
  stream.next_in = const_cast<Bytef*>(data.bytes());
  Output output;
  Py_ssize_t left = data.size();
  int error = Z_OK;
  bool full = false;
  do {
    offer_input(stream, left);
    do {
      if (limit >= 0 && output.used() >= limit) {
        full = true;
        break;
      }
      if (!ok(output.offer_more(stream, kDefaultBufferSize, limit))) return nullptr;
      error = without_gil([&] { return inflate(&stream, Z_SYNC_FLUSH); });
      output.accept(stream);
      if (error == Z_NEED_DICT && self->dictionary != nullptr) {
        if (!ok(set_inflate_dictionary(state, self))) return nullptr;
      } else if (error != Z_OK && error != Z_BUF_ERROR) {
        break;
      }
    } while (stream.avail_out == 0 || error == Z_NEED_DICT);
  } while (!full && error != Z_STREAM_END && error >= 0 && error != Z_NEED_DICT && left != 0);
  // zlib's own counter can't hold all of the rest: next_in tells where it stopped.
  if (!ok(save_unconsumed(self, data.bytes(), data.size(), error))) return nullptr;
  if (error == Z_STREAM_END) {
    self->eof = 1;
  } else if (error != Z_OK && error != Z_BUF_ERROR) {
    return raise_zlib(state, stream, error, "while decompressing data");
  }
  return output.finish();
}

PyObject* decompress_flush(Borrowed<StreamObject> self, Optional<Py_ssize_t> length) {
  const Py_ssize_t initial = length.value_or(kDefaultBufferSize);
  if (initial <= 0) return raise(PyExc_ValueError, "length must be greater than zero");
  ZlibState* state = state_of_object(self.object());
  StreamLock lock(self);
  z_stream& stream = self->stream;
  Ref<> tail = Ref<>::dup(self->unconsumed_tail);
  const unsigned char* data = reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(tail.get()));
  stream.next_in = const_cast<Bytef*>(data);
  Py_ssize_t left = PyBytes_GET_SIZE(tail.get());
  Output output;
  int error = Z_OK;
  int flush;
  do {
    offer_input(stream, left);
    flush = left == 0 ? Z_FINISH : Z_NO_FLUSH;
    do {
      if (!ok(output.offer_more(stream, initial))) return nullptr;
      error = without_gil([&] { return inflate(&stream, flush); });
      output.accept(stream);
      if (error == Z_NEED_DICT && self->dictionary != nullptr) {
        if (!ok(set_inflate_dictionary(state, self))) return nullptr;
      } else if (error != Z_OK && error != Z_BUF_ERROR) {
        break;
      }
    } while (stream.avail_out == 0 || error == Z_NEED_DICT);
  } while (error != Z_STREAM_END && error >= 0 && error != Z_NEED_DICT && left != 0);
  if (!ok(save_unconsumed(self, data, PyBytes_GET_SIZE(tail.get()), error))) return nullptr;
  if (error == Z_STREAM_END) {
    self->eof = 1;
    self->initialized = false;
    error = inflateEnd(&stream);
    if (error != Z_OK) return raise_zlib(state, stream, error, "while finishing decompression");
  }
  return output.finish();
}

PyMethodDef compress_methods[] = {
    method<compress_compress, "compress($self, data, /)",
           "Compresses data; what comes out may be part of it only. Ask flush() for the rest.">(),
    method<compress_flush, "flush($self, mode=zlib.Z_FINISH, /)", "Gives out what is still inside.">(),
    method<compress_copy, "copy($self, /)", "A copy of the compression object.">(),
    method<compress_copy, "__copy__($self, /)">(),
    method<compress_deepcopy, "__deepcopy__($self, memo, /)">(),
    {}};
PyMethodDef decompress_methods[] = {
    method<decompress_decompress, "decompress($self, data, /, max_length=0)",
           "Decompresses data, to at most max_length bytes (0: any number); input left over is in unconsumed_tail.">(),
    method<decompress_flush, "flush($self, length=zlib.DEF_BUF_SIZE, /)", "Gives out what is still inside.">(),
    method<decompress_copy, "copy($self, /)", "A copy of the decompression object.">(),
    method<decompress_copy, "__copy__($self, /)">(),
    method<decompress_deepcopy, "__deepcopy__($self, memo, /)">(),
    {}};
PyMemberDef decompress_members[] = {{"unused_data", T_OBJECT, offsetof(StreamObject, unused_data), READONLY, nullptr},
                                    {"unconsumed_tail", T_OBJECT, offsetof(StreamObject, unconsumed_tail), READONLY, nullptr},
                                    {"eof", T_BOOL, offsetof(StreamObject, eof), READONLY, nullptr},
                                    {}};
PyType_Slot compress_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(stream_dealloc<deflateEnd>)}, {Py_tp_methods, compress_methods}, {0, nullptr}};
PyType_Slot decompress_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(stream_dealloc<inflateEnd>)},
                                  {Py_tp_methods, decompress_methods},
                                  {Py_tp_members, decompress_members},
                                  {0, nullptr}};
constexpr unsigned kStreamFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE;
PyType_Spec compress_spec = {"zlib.Compress", sizeof(StreamObject), 0, kStreamFlags, compress_slots};
PyType_Spec decompress_spec = {"zlib.Decompress", sizeof(StreamObject), 0, kStreamFlags, decompress_slots};

PyMethodDef zlib_methods[] = {
    method<zlib_adler32, "adler32($module, data, value=1, /)", "Adler-32 checksum of the data, continued from value.">(),
    method<zlib_compress, "compress($module, data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)",
           "The data compressed.\n\n  level\n    0 to 9, or -1 for the default.\n  wbits\n    Window size and container format.">(),
    method<zlib_compressobj,
           "compressobj($module, /, level=Z_DEFAULT_COMPRESSION, method=DEFLATED, wbits=MAX_WBITS, "
           "memLevel=DEF_MEM_LEVEL, strategy=Z_DEFAULT_STRATEGY, zdict=None)",
           "An object that compresses data piece by piece.">(),
    method<zlib_crc32, "crc32($module, data, value=0, /)", "CRC-32 checksum of the data, continued from value.">(),
    method<zlib_decompress, "decompress($module, data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)",
           "The data decompressed.\n\n  wbits\n    Window size and container format.\n  bufsize\n    First size of the output buffer.">(),
    method<zlib_decompressobj, "decompressobj($module, /, wbits=MAX_WBITS, zdict=b'')",
           "An object that decompresses data piece by piece.">(),
    {}};

int zlib_exec(PyObject* module) {
  ZlibState* state = state_of(module);
  state->compress_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &compress_spec, nullptr));
  state->decompress_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &decompress_spec, nullptr));
  state->error = PyErr_NewException("zlib.error", nullptr, nullptr);
  if (state->compress_type == nullptr || state->decompress_type == nullptr || state->error == nullptr) return -1;
  if (PyModule_AddObjectRef(module, "error", state->error) < 0) return -1;
  const struct {
    const char* name;
    int value;
  } constants[] = {{"MAX_WBITS", MAX_WBITS},
                   {"DEFLATED", Z_DEFLATED},
                   {"DEF_MEM_LEVEL", kDefaultMemoryLevel},
                   {"DEF_BUF_SIZE", kDefaultBufferSize},
                   {"Z_NO_COMPRESSION", Z_NO_COMPRESSION},
                   {"Z_BEST_SPEED", Z_BEST_SPEED},
                   {"Z_BEST_COMPRESSION", Z_BEST_COMPRESSION},
                   {"Z_DEFAULT_COMPRESSION", Z_DEFAULT_COMPRESSION},
                   {"Z_FILTERED", Z_FILTERED},
                   {"Z_HUFFMAN_ONLY", Z_HUFFMAN_ONLY},
                   {"Z_RLE", Z_RLE},
                   {"Z_FIXED", Z_FIXED},
                   {"Z_DEFAULT_STRATEGY", Z_DEFAULT_STRATEGY},
                   {"Z_NO_FLUSH", Z_NO_FLUSH},
                   {"Z_PARTIAL_FLUSH", Z_PARTIAL_FLUSH},
                   {"Z_SYNC_FLUSH", Z_SYNC_FLUSH},
                   {"Z_FULL_FLUSH", Z_FULL_FLUSH},
                   {"Z_FINISH", Z_FINISH},
                   {"Z_BLOCK", Z_BLOCK},
                   {"Z_TREES", Z_TREES}};
  for (const auto& constant : constants) {
    if (PyModule_AddIntConstant(module, constant.name, constant.value) < 0) return -1;
  }
  if (PyModule_AddStringConstant(module, "ZLIB_VERSION", ZLIB_VERSION) < 0) return -1;
  if (PyModule_AddStringConstant(module, "ZLIB_RUNTIME_VERSION", zlibVersion()) < 0) return -1;
  return PyModule_AddStringConstant(module, "__version__", "1.0");
}
int zlib_traverse(PyObject* module, visitproc visit, void* arg) {
  Py_VISIT(state_of(module)->compress_type);
  Py_VISIT(state_of(module)->decompress_type);
  Py_VISIT(state_of(module)->error);
  return 0;
}
int zlib_clear(PyObject* module) {
  Py_CLEAR(state_of(module)->compress_type);
  Py_CLEAR(state_of(module)->decompress_type);
  Py_CLEAR(state_of(module)->error);
  return 0;
}
PyModuleDef_Slot zlib_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(zlib_exec)}, {}};
PyModuleDef zlib_module = {PyModuleDef_HEAD_INIT,
                           "zlib",
                           "Compression compatible with gzip: compress() and decompress() for data at once,\n"
                           "compressobj() and decompressobj() for streams, adler32() and crc32() checksums.",
                           sizeof(ZlibState),
                           zlib_methods,
                           zlib_slots,
                           zlib_traverse,
                           zlib_clear,
                           [](void* module) { zlib_clear(static_cast<PyObject*>(module)); }};

}  // namespace

PyMODINIT_FUNC PyInit_zlib(void) { return PyModuleDef_Init(&zlib_module); }
