// TextIOWrapper: characters over a buffered binary stream.
//
// Writes are encoded into `pending` and handed down in chunks; reads decode chunks into `decoded`, from which lines are
// cut. Positions are opaque cookies: the byte position of a safe point, the decoder's state there, and how far to
// decode from it.
#include "Lib/native/io/io.h"

#include <cmath>
#include <cstring>

#include "internal/pycore_fileutils.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_long.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"

namespace pyston::io {
namespace {

enum class FastEncoding : char { kNone, kAscii, kLatin1, kUtf8 };

struct TextIO {
  PyObject_HEAD
  bool ok;
  bool detached;
  Py_ssize_t chunk_size;
  PyObject* buffer;
  PyObject* encoding;
  PyObject* encoder;
  PyObject* decoder;
  PyObject* readnl;  // null: universal
  PyObject* errors;
  const char* writenl;  // null: "\n" is written as it is
  char line_buffering;  // members of type T_BOOL
  char write_through;
  char finalizing;
  bool read_universal;
  bool read_translate;
  bool write_translate;
  bool seekable;
  bool has_read1;
  bool telling;
  FastEncoding fast_encoding;
  PyObject* raw;  // the FileIO below, when all types are exactly the built-in ones (for the closed check)
  PyObject* decoded;
  Py_ssize_t decoded_used;
  char* pending;
  Py_ssize_t pending_size;
  Py_ssize_t pending_capacity;
  PyObject* snapshot;  // (decoder flags, input since) where the current chunk began; null when not telling
  double bytes_per_character;
  PyObject* weakreflist;
  PyObject* dict;
};

COLD Failure not_ready(TextIO* self) {
  return raise(PyExc_ValueError, self->detached ? "underlying buffer has been detached" : "I/O operation on uninitialized object");
}
#define CHECK_ATTACHED(self) \
  if (UNLIKELY(!(self)->ok || (self)->detached)) return not_ready(self)

bool check_open(TextIO* self) {
  if (LIKELY(Py_IS_TYPE(self, &TextIOWrapper_Type))) {
    if (self->raw != nullptr) {
      if (LIKELY(reinterpret_cast<FileIO*>(self->raw)->fd >= 0)) return true;
      PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
      return false;
    }
    PyObject* closed = PyObject_GetAttr(self->buffer, &_Py_ID(closed));
    if (closed == nullptr) return false;
    const int truth = PyObject_IsTrue(closed);
    Py_DECREF(closed);
    if (truth > 0) PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    return truth == 0;
  }
  return check_closed(as_object(self));
}
#define CHECK_OPEN(self) \
  if (!check_open(self)) return nullptr

// --- Creation --------------------------------------------------------------------------------------------------

/// `newline` as given by the user: null is None. False: ValueError or TypeError.
bool validate_newline(PyObject* newline, const char** text) {
  *text = nullptr;
  if (newline == nullptr || newline == Py_None) return true;
  if (!PyUnicode_Check(newline)) {
    PyErr_Format(PyExc_TypeError, "TextIOWrapper() argument 'newline' must be str or None, not %.50s",
                 Py_TYPE(newline)->tp_name);
    return false;
  }
  *text = PyUnicode_AsUTF8(newline);
  if (*text == nullptr) return false;
  for (const char* valid : {"", "\n", "\r", "\r\n"}) {
    if (std::strcmp(*text, valid) == 0) return true;
  }
  PyErr_Format(PyExc_ValueError, "illegal newline value: %s", *text);
  return false;
}

bool set_newline(TextIO* self, const char* newline) {
  PyObject* readnl = nullptr;
  if (newline != nullptr) {
    readnl = PyUnicode_FromString(newline);
    if (readnl == nullptr) return false;
  }
  Py_XSETREF(self->readnl, readnl);
  self->read_universal = newline == nullptr || newline[0] == '\0';
  self->read_translate = newline == nullptr;
  self->write_translate = newline == nullptr || newline[0] != '\0';
  self->writenl = nullptr;
  if (!self->read_universal && std::strcmp(newline, "\n") != 0) {
    self->writenl = std::strcmp(newline, "\r") == 0 ? "\r" : "\r\n";
  }
  return true;
}

bool ask_buffer(TextIO* self, PyObject* method_name, bool& answer) {
  auto result = Ref<>::steal(PyObject_CallMethodNoArgs(self->buffer, method_name));
  if (!result) return false;
  const int truth = PyObject_IsTrue(result.get());
  answer = truth > 0;
  return truth >= 0;
}

bool make_decoder(TextIO* self, PyObject* codec, const char* errors) {
  bool readable;
  if (!ask_buffer(self, &_Py_ID(readable), readable)) return false;
  Py_CLEAR(self->decoder);
  if (!readable) return true;
  self->decoder = _PyCodecInfo_GetIncrementalDecoder(codec, errors);
  if (self->decoder == nullptr) return false;
  if (self->read_universal) {
    PyObject* decoder = PyObject_CallFunctionObjArgs(as_object(&NewlineDecoder_Type), self->decoder,
                                                     self->read_translate ? Py_True : Py_False, nullptr);
    if (decoder == nullptr) return false;
    Py_SETREF(self->decoder, decoder);
  }
  return true;
}

bool make_encoder(TextIO* self, PyObject* codec, const char* errors) {
  bool writable;
  if (!ask_buffer(self, &_Py_ID(writable), writable)) return false;
  Py_CLEAR(self->encoder);
  self->fast_encoding = FastEncoding::kNone;
  if (!writable) return true;
  self->encoder = _PyCodecInfo_GetIncrementalEncoder(codec, errors);
  if (self->encoder == nullptr) return false;
  PyObject* name;
  if (_PyObject_LookupAttr(codec, &_Py_ID(name), &name) < 0) return false;
  if (name != nullptr && PyUnicode_Check(name)) {
    if (_PyUnicode_EqualToASCIIString(name, "utf-8")) self->fast_encoding = FastEncoding::kUtf8;
    else if (_PyUnicode_EqualToASCIIString(name, "iso8859-1")) self->fast_encoding = FastEncoding::kLatin1;
    else if (_PyUnicode_EqualToASCIIString(name, "ascii")) self->fast_encoding = FastEncoding::kAscii;
  }
  Py_XDECREF(name);
  return true;
}

/// An encoder that writes a byte order mark must not do so in the middle of a file.
bool fix_encoder_state(TextIO* self) {
  if (!self->seekable || self->encoder == nullptr) return true;
  auto position = Ref<>::steal(PyObject_CallMethodNoArgs(self->buffer, &_Py_ID(tell)));
  if (!position) return false;
  const int at_start = PyObject_RichCompareBool(position.get(), _PyLong_GetZero(), Py_EQ);
  if (at_start < 0) return false;
  if (at_start) return true;
  auto result = Ref<>::steal(PyObject_CallMethodOneArg(self->encoder, &_Py_ID(setstate), _PyLong_GetZero()));
  return static_cast<bool>(result);
}

bool is_none(PyObject* object) { return object == nullptr || object == Py_None; }

Status textio_init(TextIO* self, Borrowed<> buffer, PyObject* encoding, PyObject* errors, PyObject* newline,
                   Optional<bool> line_buffering, Optional<bool> write_through) {
  self->ok = false;
  self->detached = false;
  if (is_none(encoding)) {
    if (_PyInterpreterState_GetConfig(_PyInterpreterState_GET())->warn_default_encoding &&
        PyErr_WarnEx(PyExc_EncodingWarning, "'encoding' argument not specified", 1) < 0) {
      return Status::kError;
    }
  } else if (!PyUnicode_Check(encoding)) {
    return raise(PyExc_TypeError, "TextIOWrapper() argument 'encoding' must be str or None, not %.50s",
                 Py_TYPE(encoding)->tp_name);
  }
  if (!is_none(errors) && !PyUnicode_Check(errors)) {
    return raise(PyExc_TypeError, "TextIOWrapper() argument 'errors' must be str or None, not %.50s",
                 Py_TYPE(errors)->tp_name);
  }
  const char* newline_text;
  if (!validate_newline(newline, &newline_text)) return Status::kError;
  for (PyObject** field : {&self->buffer, &self->encoding, &self->encoder, &self->decoder, &self->readnl, &self->decoded,
                           &self->snapshot, &self->errors, &self->raw}) {
    Py_CLEAR(*field);
  }
  self->decoded_used = 0;
  self->pending_size = 0;
  self->bytes_per_character = 0.0;
  Ref<> encoding_name;
  if (is_none(encoding) && _PyRuntime.preconfig.utf8_mode) {
    encoding_name = Ref<>::steal(PyUnicode_FromString("utf-8"));
  } else if (is_none(encoding) || _PyUnicode_EqualToASCIIString(encoding, "locale")) {
    encoding_name = Ref<>::steal(_Py_GetLocaleEncodingObject());
  } else {
    encoding_name = Ref<>::dup(encoding);
  }
  if (!encoding_name) return Status::kError;
  Ref<> errors_name = is_none(errors) ? Ref<>::dup(&_Py_ID(strict)) : Ref<>::dup(errors);
  const char* encoding_text = PyUnicode_AsUTF8(encoding_name.get());
  if (encoding_text == nullptr) return Status::kError;
  if (std::strlen(encoding_text) != static_cast<size_t>(PyUnicode_GET_LENGTH(encoding_name.get())) &&
      PyUnicode_IS_ASCII(encoding_name.get())) {
    return raise(PyExc_ValueError, "embedded null character");
  }
  auto codec = Ref<>::steal(_PyCodec_LookupTextEncoding(encoding_text, "codecs.open()"));
  if (!codec) return Status::kError;
  const char* errors_text = PyUnicode_AsUTF8(errors_name.get());
  if (errors_text == nullptr) return Status::kError;
  if (_PyInterpreterState_GetConfig(_PyInterpreterState_GET())->dev_mode) {
    auto handler = Ref<>::steal(PyCodec_LookupError(errors_text));
    if (!handler) return Status::kError;
  }
  self->chunk_size = 8192;
  self->line_buffering = line_buffering.value_or(false);
  self->write_through = write_through.value_or(false);
  if (!set_newline(self, newline_text)) return Status::kError;
  self->encoding = encoding_name.release();
  self->errors = errors_name.release();
  self->buffer = Py_NewRef(buffer.get());
  if (!make_decoder(self, codec.get(), errors_text) || !make_encoder(self, codec.get(), errors_text)) {
    return Status::kError;
  }
  if (Py_IS_TYPE(buffer, &BufferedReader_Type) || Py_IS_TYPE(buffer, &BufferedWriter_Type) ||
      Py_IS_TYPE(buffer, &BufferedRandom_Type)) {
    PyObject* raw = reinterpret_cast<Buffered*>(buffer.get())->raw;
    if (raw != nullptr && Py_IS_TYPE(raw, &FileIO_Type)) self->raw = Py_NewRef(raw);
  }
  if (!ask_buffer(self, &_Py_ID(seekable), self->seekable)) return Status::kError;
  self->telling = self->seekable;
  PyObject* read1;
  if (_PyObject_LookupAttr(buffer, &_Py_ID(read1), &read1) < 0) return Status::kError;
  self->has_read1 = read1 != nullptr;
  Py_XDECREF(read1);
  if (!fix_encoder_state(self)) return Status::kError;
  self->ok = true;
  return Status::kOk;
}

int textio_clear(PyObject* object) {
  TextIO* self = reinterpret_cast<TextIO*>(object);
  self->ok = false;
  for (PyObject** field : {&self->buffer, &self->encoding, &self->encoder, &self->decoder, &self->readnl, &self->decoded,
                           &self->snapshot, &self->errors, &self->raw, &self->dict}) {
    Py_CLEAR(*field);
  }
  return 0;
}
int textio_traverse(PyObject* object, visitproc visit, void* arg) {
  TextIO* self = reinterpret_cast<TextIO*>(object);
  Py_VISIT(self->buffer);
  Py_VISIT(self->encoding);
  Py_VISIT(self->encoder);
  Py_VISIT(self->decoder);
  Py_VISIT(self->readnl);
  Py_VISIT(self->decoded);
  Py_VISIT(self->snapshot);
  Py_VISIT(self->errors);
  Py_VISIT(self->raw);
  Py_VISIT(self->dict);
  return 0;
}
void textio_dealloc(PyObject* object) {
  TextIO* self = reinterpret_cast<TextIO*>(object);
  self->finalizing = 1;
  if (!finalize(object)) return;
  self->ok = false;
  PyObject_GC_UnTrack(object);
  if (self->weakreflist != nullptr) PyObject_ClearWeakRefs(object);
  PyMem_Free(self->pending);
  textio_clear(object);
  Py_TYPE(object)->tp_free(object);
}

// --- Decoded characters ----------------------------------------------------------------------------------------

void set_decoded(TextIO* self, PyObject* text) {  // steals; null: none
  Py_XSETREF(self->decoded, text);
  self->decoded_used = 0;
}

PyObject* take_decoded(TextIO* self, Py_ssize_t count) {  // -1: all
  if (self->decoded == nullptr) return PyUnicode_New(0, 0);
  const Py_ssize_t available = PyUnicode_GET_LENGTH(self->decoded) - self->decoded_used;
  if (count < 0 || count > available) count = available;
  PyObject* result;
  if (self->decoded_used > 0 || count < available) {
    result = PyUnicode_Substring(self->decoded, self->decoded_used, self->decoded_used + count);
    if (result == nullptr) return nullptr;
  } else {
    result = Py_NewRef(self->decoded);
  }
  self->decoded_used += count;
  return result;
}

Ref<> decode(PyObject* decoder, PyObject* input, bool final) {
  Ref<> text;
  if (Py_IS_TYPE(decoder, &NewlineDecoder_Type)) {
    text = Ref<>::steal(newline_decoder_decode(reinterpret_cast<NewlineDecoder*>(decoder), input, final));
  } else {
    text = Ref<>::steal(
        PyObject_CallMethodObjArgs(decoder, &_Py_ID(decode), input, final ? Py_True : Py_False, nullptr));
  }
  if (!text) return nullptr;
  if (!PyUnicode_Check(text.get())) {
    return raise(PyExc_TypeError, "decoder should return a string result, not '%.200s'", Py_TYPE(text.get())->tp_name);
  }
  if (PyUnicode_READY(text.get()) < 0) return nullptr;
  return text;
}

bool decoder_state(PyObject* decoder, Ref<>& input, int& flags) {
  auto state = Ref<>::steal(PyObject_CallMethodNoArgs(decoder, &_Py_ID(getstate)));
  if (!state) return false;
  if (!PyTuple_Check(state.get())) {
    PyErr_SetString(PyExc_TypeError, "illegal decoder state");
    return false;
  }
  PyObject* buffer;
  PyObject* flags_object;
  if (!PyArg_ParseTuple(state.get(), "OO;illegal decoder state", &buffer, &flags_object)) return false;
  if (!PyBytes_Check(buffer)) {
    PyErr_Format(PyExc_TypeError, "illegal decoder state: the first item should be a bytes object, not '%.200s'",
                 Py_TYPE(buffer)->tp_name);
    return false;
  }
  flags = static_cast<int>(PyLong_AsLong(flags_object));
  if (flags == -1 && PyErr_Occurred()) return false;
  input = Ref<>::dup(buffer);
  return true;
}

/// Reads and decodes a chunk: 1, 0 at the end of the file, -1 on error.
int read_chunk(TextIO* self, Py_ssize_t size_hint) {
  if (self->decoder == nullptr) {
    unsupported("not readable");
    return -1;
  }
  Ref<> state_input;
  int state_flags = 0;
  if (self->telling && !decoder_state(self->decoder, state_input, state_flags)) return -1;
  Py_ssize_t size = self->chunk_size;
  if (size_hint > 0) {
    const double wanted = (self->bytes_per_character > 1.0 ? self->bytes_per_character : 1.0) * static_cast<double>(size_hint);
    if (wanted > static_cast<double>(size)) size = static_cast<Py_ssize_t>(wanted);
  }
  auto size_object = Ref<>::steal(PyLong_FromSsize_t(size));
  if (!size_object) return -1;
  auto input = Ref<>::steal(
      PyObject_CallMethodOneArg(self->buffer, self->has_read1 ? &_Py_ID(read1) : &_Py_ID(read), size_object.get()));
  if (!input) return -1;
  Buffer view;
  if (!view.acquire(input.get())) {
    PyErr_Clear();
    PyErr_Format(PyExc_TypeError, "underlying %s() should have returned a bytes-like object, not '%.200s'",
                 self->has_read1 ? "read1" : "read", Py_TYPE(input.get())->tp_name);
    return -1;
  }
  const Py_ssize_t byte_count = view.size();
  bool at_end = byte_count == 0;
  Ref<> text = decode(self->decoder, input.get(), at_end);
  if (!text) return -1;
  const Py_ssize_t count = PyUnicode_GET_LENGTH(text.get());
  set_decoded(self, text.release());
  self->bytes_per_character = count > 0 ? static_cast<double>(byte_count) / static_cast<double>(count) : 0.0;
  if (count > 0) at_end = false;
  if (self->telling) {
    // What the decoder holds back and this input lead from the snapshot to the current point.
    PyObject* next_input = state_input.release();
    PyBytes_Concat(&next_input, input.get());
    if (next_input == nullptr) {
      Py_CLEAR(self->snapshot);
      return -1;
    }
    if (!PyBytes_Check(next_input)) {
      Py_DECREF(next_input);
      return -1;
    }
    PyObject* snapshot = Py_BuildValue("iN", state_flags, next_input);
    if (snapshot == nullptr) {
      set_decoded(self, nullptr);
      return -1;
    }
    Py_XSETREF(self->snapshot, snapshot);
  }
  return !at_end;
}

// --- Writing ---------------------------------------------------------------------------------------------------

/// Hands the pending bytes down. The pending bytes are gone even when that fails, as in CPython.
bool flush_pending(TextIO* self) {
  if (self->pending_size == 0) return true;
  const Py_ssize_t size = self->pending_size;
  self->pending_size = 0;
  if (buffered_write_fast(self->buffer, self->pending, size)) return true;
  auto bytes = Ref<>::steal(PyBytes_FromStringAndSize(self->pending, size));
  if (!bytes) return false;
  Ref<> result;
  do {
    result = Ref<>::steal(PyObject_CallMethodOneArg(self->buffer, &_Py_ID(write), bytes.get()));
  } while (!result && retry_after_interrupt());
  return static_cast<bool>(result);
}

bool append_pending(TextIO* self, const char* data, Py_ssize_t size) {
  const Py_ssize_t needed = self->pending_size + size;
  if (needed > self->pending_capacity) {
    Py_ssize_t capacity = self->pending_capacity * 2;
    if (capacity < needed) capacity = needed;
    if (capacity < 1024) capacity = 1024;
    char* grown = static_cast<char*>(PyMem_Realloc(self->pending, static_cast<size_t>(capacity)));
    if (grown == nullptr) {
      PyErr_NoMemory();
      return false;
    }
    self->pending = grown;
    self->pending_capacity = capacity;
  }
  std::memcpy(self->pending + self->pending_size, data, static_cast<size_t>(size));
  self->pending_size = needed;
  return true;
}

bool call_flush(PyObject* stream) {
  PyObject* result = PyObject_CallMethodNoArgs(stream, &_Py_ID(flush));
  if (result == nullptr) return false;
  Py_DECREF(result);
  return true;
}

Ref<> encode(TextIO* self, PyObject* text) {
  const char* errors = PyUnicode_AsUTF8(self->errors);
  if (errors == nullptr) return nullptr;
  switch (self->fast_encoding) {
    case FastEncoding::kUtf8: return Ref<>::steal(_PyUnicode_AsUTF8String(text, errors));
    case FastEncoding::kLatin1: return Ref<>::steal(_PyUnicode_AsLatin1String(text, errors));
    case FastEncoding::kAscii: return Ref<>::steal(_PyUnicode_AsASCIIString(text, errors));
    case FastEncoding::kNone: break;
  }
  auto bytes = Ref<>::steal(PyObject_CallMethodOneArg(self->encoder, &_Py_ID(encode), text));
  if (bytes && !PyBytes_Check(bytes.get())) {
    return raise(PyExc_TypeError, "encoder should return a bytes object, not '%.200s'", Py_TYPE(bytes.get())->tp_name);
  }
  return bytes;
}

PyObject* textio_write(TextIO* self, PyObject* text_argument) {
  CHECK_ATTACHED(self);
  if (!PyUnicode_Check(text_argument)) {
    return raise(PyExc_TypeError, "write() argument must be str, not %.50s",
                 text_argument == Py_None ? "None" : Py_TYPE(text_argument)->tp_name);
  }
  if (PyUnicode_READY(text_argument) < 0) return nullptr;
  CHECK_OPEN(self);
  if (self->encoder == nullptr) return unsupported("not writable");
  Ref<> text = Ref<>::dup(text_argument);
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text.get());
  bool has_newline = false;
  if ((self->write_translate && self->writenl != nullptr) || self->line_buffering) {
    has_newline = PyUnicode_FindChar(text.get(), '\n', 0, length, 1) != -1;
  }
  bool flush_below = false;
  if (self->line_buffering && (has_newline || PyUnicode_FindChar(text.get(), '\r', 0, length, 1) != -1)) {
    flush_below = true;
  }
  if (has_newline && self->write_translate && self->writenl != nullptr) {
    text = Ref<>::steal(_PyObject_CallMethod(text.get(), &_Py_ID(replace), "ss", "\n", self->writenl));
    if (!text) return nullptr;
  }
  // FAST: ASCII text is its own encoding.
  Ref<> bytes;
  const char* data;
  Py_ssize_t size;
  if (self->fast_encoding != FastEncoding::kNone && PyUnicode_IS_COMPACT_ASCII(text.get())) {
    data = reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(text.get()));
    size = PyUnicode_GET_LENGTH(text.get());
  } else {
    bytes = encode(self, text.get());
    if (!bytes) return nullptr;
    data = PyBytes_AS_STRING(bytes.get());
    size = PyBytes_GET_SIZE(bytes.get());
  }
  // A chunk is never made longer than needed by joining it with a big text.
  if (self->pending_size + size > self->chunk_size && !flush_pending(self)) return nullptr;
  if (!append_pending(self, data, size)) return nullptr;
  if ((self->pending_size >= self->chunk_size || flush_below || self->write_through) && !flush_pending(self)) {
    return nullptr;
  }
  if (flush_below && !call_flush(self->buffer)) return nullptr;
  if (self->decoded != nullptr) set_decoded(self, nullptr);
  Py_CLEAR(self->snapshot);
  if (self->decoder != nullptr) {
    PyObject* result = PyObject_CallMethodNoArgs(self->decoder, &_Py_ID(reset));
    if (result == nullptr) return nullptr;
    Py_DECREF(result);
  }
  return PyLong_FromSsize_t(length);
}

PyObject* textio_flush(TextIO* self) {
  CHECK_ATTACHED(self);
  CHECK_OPEN(self);
  self->telling = self->seekable;
  if (!flush_pending(self)) return nullptr;
  return PyObject_CallMethodNoArgs(self->buffer, &_Py_ID(flush));
}

// --- Reading ---------------------------------------------------------------------------------------------------

PyObject* textio_read(TextIO* self, Size size) {
  CHECK_ATTACHED(self);
  CHECK_OPEN(self);
  if (self->decoder == nullptr) return unsupported("not readable");
  if (!flush_pending(self)) return nullptr;
  if (size.value < 0) {
    auto bytes = Ref<>::steal(PyObject_CallMethodNoArgs(self->buffer, &_Py_ID(read)));
    if (!bytes) return nullptr;
    Ref<> rest = decode(self->decoder, bytes.get(), true);
    if (!rest) return nullptr;
    PyObject* result = take_decoded(self, -1);
    if (result == nullptr) return nullptr;
    PyUnicode_Append(&result, rest.get());
    if (result == nullptr) return nullptr;
    if (self->decoded != nullptr) set_decoded(self, nullptr);
    Py_CLEAR(self->snapshot);
    return result;
  }
  PyObject* result = take_decoded(self, size.value);
  if (result == nullptr) return nullptr;
  Py_ssize_t remaining = size.value - PyUnicode_GET_LENGTH(result);
  while (remaining > 0) {
    const int status = read_chunk(self, remaining);
    if (status < 0) {
      if (retry_after_interrupt()) continue;
      Py_DECREF(result);
      return nullptr;
    }
    if (status == 0) break;
    auto part = Ref<>::steal(take_decoded(self, remaining));
    if (!part) {
      Py_DECREF(result);
      return nullptr;
    }
    remaining -= PyUnicode_GET_LENGTH(part.get());
    PyUnicode_Append(&result, part.get());
    if (result == nullptr) return nullptr;
  }
  return result;
}

/// A line of at most `limit` characters (-1: any number).
PyObject* read_line(TextIO* self, Py_ssize_t limit) {
  CHECK_OPEN(self);
  if (!flush_pending(self)) return nullptr;
  Ref<> chunks;     // list of finished parts, made when a line spans several chunks
  Ref<> remainder;  // characters of the last chunk that may be the first half of a separator
  Py_ssize_t collected = 0;
  auto collect = [&](Ref<> part) {
    if (!chunks) chunks = Ref<>::steal(PyList_New(0));
    if (!chunks || !part) return false;
    collected += PyUnicode_GET_LENGTH(part.get());
    return PyList_Append(chunks.get(), part.get()) == 0;
  };
  Ref<> last;
  for (;;) {
    if (self->decoded == nullptr || self->decoded_used == PyUnicode_GET_LENGTH(self->decoded)) {
      int status = 1;
      do {
        status = read_chunk(self, 0);
        if (status < 0) {
          if (retry_after_interrupt()) {
            status = 1;
            set_decoded(self, nullptr);
            continue;
          }
          return nullptr;
        }
        if (status == 0) break;
      } while (self->decoded == nullptr || PyUnicode_GET_LENGTH(self->decoded) == 0);
      if (status == 0) {
        set_decoded(self, nullptr);
        Py_CLEAR(self->snapshot);
        if (remainder && !collect(std::move(remainder))) return nullptr;
        break;
      }
    }
    Ref<> text;
    Py_ssize_t start = self->decoded_used;
    Py_ssize_t from_remainder = 0;
    if (remainder) {
      from_remainder = PyUnicode_GET_LENGTH(remainder.get());
      text = Ref<>::steal(PyUnicode_Concat(remainder.get(), self->decoded));
      if (!text) return nullptr;
      remainder.reset();
      start = 0;
    } else {
      text = Ref<>::dup(self->decoded);
    }
    const int kind = PyUnicode_KIND(text.get());
    const Py_ssize_t length = PyUnicode_GET_LENGTH(text.get());
    Py_ssize_t consumed;
    Py_ssize_t stop = find_line_ending(self->read_translate, self->read_universal, self->readnl, kind,
                                       static_cast<const char*>(PyUnicode_DATA(text.get())) + start * kind,
                                       length - start, &consumed);
    const bool found = stop >= 0;
    stop = start + (found ? stop : consumed);
    if (limit >= 0 && stop - start + collected >= limit) {
      stop = start + limit - collected;
      last = Ref<>::steal(PyUnicode_Substring(text.get(), start, stop));
      if (!last) return nullptr;
      self->decoded_used = stop - from_remainder;
      break;
    }
    if (found) {
      last = Ref<>::steal(start == 0 && stop == length ? text.release() : PyUnicode_Substring(text.get(), start, stop));
      if (!last) return nullptr;
      self->decoded_used = stop - from_remainder;
      break;
    }
    if (stop > start && !collect(Ref<>::steal(PyUnicode_Substring(text.get(), start, stop)))) return nullptr;
    if (stop < length) {
      remainder = Ref<>::steal(PyUnicode_Substring(text.get(), stop, length));
      if (!remainder) return nullptr;
    }
    set_decoded(self, nullptr);
  }
  if (!chunks) return last ? last.release() : PyUnicode_New(0, 0);
  if (last && !collect(std::move(last))) return nullptr;
  auto empty = Ref<>::steal(PyUnicode_New(0, 0));
  return empty ? PyUnicode_Join(empty.get(), chunks.get()) : nullptr;
}

PyObject* textio_readline(TextIO* self, Optional<Py_ssize_t> size) {
  CHECK_ATTACHED(self);
  return read_line(self, size.value_or(-1));
}

PyObject* textio_next(PyObject* object) {
  TextIO* self = reinterpret_cast<TextIO*>(object);
  CHECK_ATTACHED(self);
  self->telling = false;  // no snapshots while iterating
  PyObject* line;
  if (LIKELY(Py_IS_TYPE(object, &TextIOWrapper_Type))) {
    line = read_line(self, -1);
  } else {
    line = PyObject_CallMethodNoArgs(object, &_Py_ID(readline));
    if (line != nullptr && !PyUnicode_Check(line)) {
      PyErr_Format(PyExc_OSError, "readline() should have returned a str object, not '%.200s'", Py_TYPE(line)->tp_name);
      Py_DECREF(line);
      return nullptr;
    }
  }
  if (line == nullptr || PyUnicode_READY(line) < 0) return nullptr;
  if (PyUnicode_GET_LENGTH(line) == 0) {
    Py_DECREF(line);
    Py_CLEAR(self->snapshot);
    self->telling = self->seekable;
    return nullptr;
  }
  return line;
}

// --- Positions -------------------------------------------------------------------------------------------------

/// What an opaque position consists of, in the integer's bytes from the least significant one.
struct Cookie {
  off_t start = 0;
  int decoder_flags = 0;
  int bytes_to_feed = 0;
  int characters_to_skip = 0;
  char need_end = 0;
};
constexpr size_t kCookieSize = 8 + 4 + 4 + 4 + 1;

bool parse_cookie(PyObject* object, Cookie& cookie) {
  auto integer = Ref<>::steal(PyNumber_Long(object));
  if (!integer) return false;
  unsigned char bytes[kCookieSize];
  if (_PyLong_AsByteArray(reinterpret_cast<PyLongObject*>(integer.get()), bytes, sizeof(bytes), 1, 0) < 0) return false;
  std::memcpy(&cookie.start, bytes, 8);
  std::memcpy(&cookie.decoder_flags, bytes + 8, 4);
  std::memcpy(&cookie.bytes_to_feed, bytes + 12, 4);
  std::memcpy(&cookie.characters_to_skip, bytes + 16, 4);
  cookie.need_end = static_cast<char>(bytes[20]);
  return true;
}

PyObject* build_cookie(const Cookie& cookie) {
  unsigned char bytes[kCookieSize];
  std::memcpy(bytes, &cookie.start, 8);
  std::memcpy(bytes + 8, &cookie.decoder_flags, 4);
  std::memcpy(bytes + 12, &cookie.bytes_to_feed, 4);
  std::memcpy(bytes + 16, &cookie.characters_to_skip, 4);
  bytes[20] = static_cast<unsigned char>(cookie.need_end);
  return _PyLong_FromByteArray(bytes, sizeof(bytes), 1, 0);
}

bool set_decoder(TextIO* self, const Cookie& cookie) {
  // At the very start the decoder is reset, which matters to those that look for a byte order mark.
  auto result = cookie.start == 0 && cookie.decoder_flags == 0
                    ? Ref<>::steal(PyObject_CallMethodNoArgs(self->decoder, &_Py_ID(reset)))
                    : Ref<>::steal(_PyObject_CallMethod(self->decoder, &_Py_ID(setstate), "((yi))", "", cookie.decoder_flags));
  return static_cast<bool>(result);
}

bool reset_encoder(TextIO* self, bool at_start) {
  auto result = at_start ? Ref<>::steal(PyObject_CallMethodNoArgs(self->encoder, &_Py_ID(reset)))
                         : Ref<>::steal(PyObject_CallMethodOneArg(self->encoder, &_Py_ID(setstate), _PyLong_GetZero()));
  return static_cast<bool>(result);
}

PyObject* textio_seek(TextIO* self, Borrowed<> cookie_argument, Optional<int> whence_argument) {
  CHECK_ATTACHED(self);
  CHECK_OPEN(self);
  const int whence = whence_argument.value_or(0);
  Ref<> cookie_object = Ref<>::dup(cookie_argument.get());
  if (!self->seekable) return unsupported("underlying stream is not seekable");
  if (whence == SEEK_CUR || whence == SEEK_END) {
    const int is_zero = PyObject_RichCompareBool(cookie_object.get(), _PyLong_GetZero(), Py_EQ);
    if (is_zero < 0) return nullptr;
    if (!is_zero) {
      return unsupported(whence == SEEK_CUR ? "can't do nonzero cur-relative seeks" : "can't do nonzero end-relative seeks");
    }
  }
  if (whence == SEEK_CUR) {
    cookie_object = Ref<>::steal(PyObject_CallMethodNoArgs(as_object(self), &_Py_ID(tell)));
    if (!cookie_object) return nullptr;
  } else if (whence == SEEK_END) {
    if (!call_flush(as_object(self))) return nullptr;
    set_decoded(self, nullptr);
    Py_CLEAR(self->snapshot);
    if (self->decoder != nullptr) {
      auto reset = Ref<>::steal(PyObject_CallMethodNoArgs(self->decoder, &_Py_ID(reset)));
      if (!reset) return nullptr;
    }
    auto end = Ref<>::steal(_PyObject_CallMethod(self->buffer, &_Py_ID(seek), "ii", 0, 2));
    if (!end) return nullptr;
    if (self->encoder != nullptr) {
      const int at_start = PyObject_RichCompareBool(end.get(), _PyLong_GetZero(), Py_EQ);
      if (at_start < 0 || !reset_encoder(self, at_start)) return nullptr;
    }
    return end.release();
  } else if (whence != SEEK_SET) {
    return raise(PyExc_ValueError, "invalid whence (%d, should be %d, %d or %d)", whence, 0, 1, 2);
  }
  const int negative = PyObject_RichCompareBool(cookie_object.get(), _PyLong_GetZero(), Py_LT);
  if (negative < 0) return nullptr;
  if (negative) return raise(PyExc_ValueError, "negative seek position %R", cookie_object.get());
  if (!call_flush(as_object(self))) return nullptr;
  Cookie cookie;
  if (!parse_cookie(cookie_object.get(), cookie)) return nullptr;
  auto start = Ref<>::steal(from_offset(cookie.start));
  if (!start) return nullptr;
  auto result = Ref<>::steal(PyObject_CallMethodOneArg(self->buffer, &_Py_ID(seek), start.get()));
  if (!result) return nullptr;
  set_decoded(self, nullptr);
  Py_CLEAR(self->snapshot);
  if (self->decoder != nullptr && !set_decoder(self, cookie)) return nullptr;
  if (cookie.characters_to_skip != 0) {
    // Decode again from the safe point, then skip.
    auto input = Ref<>::steal(_PyObject_CallMethod(self->buffer, &_Py_ID(read), "i", cookie.bytes_to_feed));
    if (!input) return nullptr;
    if (!PyBytes_Check(input.get())) {
      return raise(PyExc_TypeError, "underlying read() should have returned a bytes object, not '%.200s'",
                   Py_TYPE(input.get())->tp_name);
    }
    self->snapshot = Py_BuildValue("iO", cookie.decoder_flags, input.get());
    if (self->snapshot == nullptr) return nullptr;
    Ref<> text = decode(self->decoder, input.get(), cookie.need_end != 0);
    if (!text) return nullptr;
    const Py_ssize_t length = PyUnicode_GET_LENGTH(text.get());
    set_decoded(self, text.release());
    if (length < cookie.characters_to_skip) return raise(PyExc_OSError, "can't restore logical file position");
    self->decoded_used = cookie.characters_to_skip;
  } else {
    self->snapshot = Py_BuildValue("iy", cookie.decoder_flags, "");
    if (self->snapshot == nullptr) return nullptr;
  }
  if (self->encoder != nullptr && !reset_encoder(self, cookie.start == 0 && cookie.decoder_flags == 0)) return nullptr;
  return cookie_object.release();
}

/// Feeds `size` bytes at `data` to the decoder: characters decoded (-1: error) and what it then holds back.
Py_ssize_t feed(TextIO* self, const char* data, Py_ssize_t size, bool final) {
  auto bytes = Ref<>::steal(PyBytes_FromStringAndSize(data, size));
  if (!bytes) return -1;
  Ref<> text = decode(self->decoder, bytes.get(), final);
  return text ? PyUnicode_GET_LENGTH(text.get()) : -1;
}

PyObject* textio_tell(TextIO* self) {
  CHECK_ATTACHED(self);
  CHECK_OPEN(self);
  if (!self->seekable) return unsupported("underlying stream is not seekable");
  if (!self->telling) return raise(PyExc_OSError, "telling position disabled by next() call");
  if (!flush_pending(self) || !call_flush(as_object(self))) return nullptr;
  auto position = Ref<>::steal(PyObject_CallMethodNoArgs(self->buffer, &_Py_ID(tell)));
  if (!position) return nullptr;
  if (self->decoder == nullptr || self->snapshot == nullptr) return position.release();
  Cookie cookie;
  cookie.start = PyLong_AsLongLong(position.get());
  if (cookie.start == -1 && PyErr_Occurred()) return nullptr;
  PyObject* next_input;
  if (!PyArg_ParseTuple(self->snapshot, "iO", &cookie.decoder_flags, &next_input)) return nullptr;
  Ref<> input = Ref<>::dup(next_input);
  const char* data = PyBytes_AS_STRING(input.get());
  const Py_ssize_t input_size = PyBytes_GET_SIZE(input.get());
  cookie.start -= input_size;
  if (self->decoded_used == 0) return build_cookie(cookie);  // the point of the snapshot itself
  Py_ssize_t to_skip = self->decoded_used;
  auto saved_state = Ref<>::steal(PyObject_CallMethodNoArgs(self->decoder, &_Py_ID(getstate)));
  if (!saved_state) return nullptr;
  // Find a safe point (decoder holding nothing back) as late as possible before the wanted character: first by
  // guessing how many bytes that is, then byte by byte.
  bool ok = true;
  bool found_state = false;
  Py_ssize_t skip_bytes = static_cast<Py_ssize_t>(self->bytes_per_character * static_cast<double>(to_skip));
  Py_ssize_t step_back = 1;
  if (skip_bytes > input_size) skip_bytes = input_size;
  while (ok && skip_bytes > 0) {
    Ref<> held;
    int flags;
    ok = set_decoder(self, cookie);
    const Py_ssize_t count = ok ? feed(self, data, skip_bytes, false) : -1;
    ok = ok && count >= 0 && decoder_state(self->decoder, held, flags);
    if (!ok) break;
    if (count <= to_skip) {
      if (PyBytes_GET_SIZE(held.get()) == 0) {
        cookie.decoder_flags = flags;
        to_skip -= count;
        found_state = true;
        break;
      }
      skip_bytes -= PyBytes_GET_SIZE(held.get());
      step_back = 1;
    } else {
      skip_bytes -= step_back;
      step_back *= 2;
    }
  }
  if (ok && !found_state) {
    skip_bytes = 0;
    ok = set_decoder(self, cookie);
  }
  if (ok) {
    cookie.start += skip_bytes;
    cookie.characters_to_skip = static_cast<int>(to_skip);
  }
  if (ok && to_skip > 0) {
    Py_ssize_t fed = 0;
    Py_ssize_t decoded = 0;
    const char* p = data + skip_bytes;
    const char* end = data + input_size;
    for (; p < end; p++) {
      const Py_ssize_t count = feed(self, p, 1, false);
      Ref<> held;
      int flags = 0;
      ok = count >= 0 && decoder_state(self->decoder, held, flags);
      if (!ok) break;
      fed++;
      decoded += count;
      cookie.bytes_to_feed += 1;
      if (PyBytes_GET_SIZE(held.get()) == 0 && decoded <= to_skip) {
        // A later safe point.
        cookie.start += fed;
        to_skip -= decoded;
        cookie.decoder_flags = flags;
        cookie.bytes_to_feed = 0;
        fed = decoded = 0;
      }
      if (decoded >= to_skip) break;
    }
    if (ok && p == end) {
      // What is still missing comes when the decoder learns that the input ends.
      const Py_ssize_t count = feed(self, "", 0, true);
      ok = count >= 0;
      decoded += count;
      cookie.need_end = 1;
      if (ok && decoded < to_skip) {
        PyErr_SetString(PyExc_OSError, "can't reconstruct logical file position");
        ok = false;
      }
    }
    cookie.characters_to_skip = static_cast<int>(to_skip);
  }
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  auto restored = Ref<>::steal(PyObject_CallMethodOneArg(self->decoder, &_Py_ID(setstate), saved_state.get()));
  if (type != nullptr) {
    _PyErr_ChainExceptions(type, value, traceback);
    return nullptr;
  }
  if (!restored || !ok) return nullptr;
  return build_cookie(cookie);
}

PyObject* textio_truncate(TextIO* self, PyObject* size) {
  CHECK_ATTACHED(self);
  if (!call_flush(as_object(self))) return nullptr;
  return PyObject_CallMethodOneArg(self->buffer, &_Py_ID(truncate), size != nullptr ? size : Py_None);
}

// --- Everything else -------------------------------------------------------------------------------------------

PyObject* textio_detach(TextIO* self) {
  CHECK_ATTACHED(self);
  if (!call_flush(as_object(self))) return nullptr;
  PyObject* buffer = self->buffer;
  self->buffer = nullptr;
  self->detached = true;
  return buffer;
}

PyObject* pass_down(TextIO* self, PyObject* name) {
  CHECK_ATTACHED(self);
  return PyObject_CallMethodNoArgs(self->buffer, name);
}
PyObject* textio_fileno(TextIO* self) { return pass_down(self, &_Py_ID(fileno)); }
PyObject* textio_seekable(TextIO* self) { return pass_down(self, &_Py_ID(seekable)); }
PyObject* textio_readable(TextIO* self) { return pass_down(self, &_Py_ID(readable)); }
PyObject* textio_writable(TextIO* self) { return pass_down(self, &_Py_ID(writable)); }
PyObject* textio_isatty(TextIO* self) { return pass_down(self, &_Py_ID(isatty)); }

PyObject* textio_close(TextIO* self) {
  CHECK_ATTACHED(self);
  const int closed = is_closed(as_object(self));
  if (closed < 0) return nullptr;
  if (closed > 0) Py_RETURN_NONE;
  if (self->finalizing) {
    PyObject* warned = PyObject_CallMethodOneArg(self->buffer, &_Py_ID(_dealloc_warn), as_object(self));
    if (warned != nullptr) Py_DECREF(warned);
    else PyErr_Clear();
  }
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  if (!call_flush(as_object(self))) PyErr_Fetch(&type, &value, &traceback);
  PyObject* result = PyObject_CallMethodNoArgs(self->buffer, &_Py_ID(close));
  if (type != nullptr) {
    _PyErr_ChainExceptions(type, value, traceback);
    Py_CLEAR(result);
  }
  return result;
}

PyObject* textio_reconfigure(TextIO* self, PyObject* encoding, PyObject* errors, PyObject* newline,
                             PyObject* line_buffering, PyObject* write_through) {
  CHECK_ATTACHED(self);
  const bool newline_given = newline != nullptr;
  if (self->decoder != nullptr && self->decoded != nullptr && (!is_none(encoding) || !is_none(errors) || newline_given)) {
    return unsupported("It is not possible to set the encoding or newline of stream after the first read");
  }
  const char* newline_text = nullptr;
  if (newline_given && !validate_newline(newline, &newline_text)) return nullptr;
  for (PyObject* name : {encoding, errors}) {
    if (!is_none(name) && !PyUnicode_Check(name)) {
      return raise(PyExc_TypeError, "reconfigure() argument '%s' must be str or None, not %.50s",
                   name == encoding ? "encoding" : "errors", Py_TYPE(name)->tp_name);
    }
  }
  int line = self->line_buffering;
  int through = self->write_through;
  if (!is_none(line_buffering) && (line = PyObject_IsTrue(line_buffering)) < 0) return nullptr;
  if (!is_none(write_through) && (through = PyObject_IsTrue(write_through)) < 0) return nullptr;
  if (!call_flush(as_object(self))) return nullptr;
  if (!is_none(encoding) || !is_none(errors) || newline_given) {
    Ref<> new_encoding;
    if (is_none(encoding)) {
      new_encoding = Ref<>::dup(self->encoding);
    } else if (_PyUnicode_EqualToASCIIString(encoding, "locale")) {
      new_encoding = Ref<>::steal(_Py_GetLocaleEncodingObject());
    } else {
      new_encoding = Ref<>::dup(encoding);
    }
    if (!new_encoding) return nullptr;
    Ref<> new_errors = !is_none(errors) ? Ref<>::dup(errors)
                       : is_none(encoding) ? Ref<>::dup(self->errors)
                                           : Ref<>::dup(&_Py_ID(strict));
    const char* errors_text = PyUnicode_AsUTF8(new_errors.get());
    const char* encoding_text = PyUnicode_AsUTF8(new_encoding.get());
    if (errors_text == nullptr || encoding_text == nullptr) return nullptr;
    auto codec = Ref<>::steal(_PyCodec_LookupTextEncoding(encoding_text, "codecs.open()"));
    if (!codec) return nullptr;
    if (newline_given && !set_newline(self, newline_text)) return nullptr;
    if (!make_decoder(self, codec.get(), errors_text) || !make_encoder(self, codec.get(), errors_text)) return nullptr;
    Py_SETREF(self->encoding, new_encoding.release());
    Py_SETREF(self->errors, new_errors.release());
    if (!fix_encoder_state(self)) return nullptr;
  }
  self->line_buffering = static_cast<char>(line);
  self->write_through = static_cast<char>(through);
  Py_RETURN_NONE;
}

PyObject* textio_repr(TextIO* self) {
  if (!self->ok) return raise(PyExc_ValueError, "I/O operation on uninitialized object");
  const int status = Py_ReprEnter(as_object(self));
  if (status != 0) {
    if (status > 0) PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", Py_TYPE(self)->tp_name);
    return nullptr;
  }
  PyObject* result = PyUnicode_FromString("<_io.TextIOWrapper");
  for (PyObject* attribute : {&_Py_ID(name), &_Py_ID(mode)}) {
    if (result == nullptr) break;
    PyObject* value;
    if (_PyObject_LookupAttr(as_object(self), attribute, &value) < 0) {
      // A detached stream has no name: it is left out.
      if (attribute != &_Py_ID(name) || !PyErr_ExceptionMatches(PyExc_ValueError)) {
        Py_CLEAR(result);
        break;
      }
      PyErr_Clear();
      value = nullptr;
    }
    if (value == nullptr) continue;
    PyUnicode_AppendAndDel(&result, PyUnicode_FromFormat(" %U=%R", attribute, value));
    Py_DECREF(value);
  }
  if (result != nullptr) PyUnicode_AppendAndDel(&result, PyUnicode_FromFormat(" encoding=%R>", self->encoding));
  Py_ReprLeave(as_object(self));
  return result;
}

PyObject* textio_getstate(TextIO* self, Arguments) {
  return raise(PyExc_TypeError, "cannot pickle '%.200s' object", Py_TYPE(self)->tp_name);
}

PyObject* textio_get_name(TextIO* self) {
  CHECK_ATTACHED(self);
  return PyObject_GetAttr(self->buffer, &_Py_ID(name));
}
PyObject* textio_get_closed(TextIO* self) {
  CHECK_ATTACHED(self);
  return PyObject_GetAttr(self->buffer, &_Py_ID(closed));
}
PyObject* textio_get_newlines(TextIO* self) {
  CHECK_ATTACHED(self);
  PyObject* result = nullptr;
  if (self->decoder == nullptr || _PyObject_LookupAttr(self->decoder, &_Py_ID(newlines), &result) == 0) {
    Py_RETURN_NONE;
  }
  return result;
}
PyObject* textio_get_errors(TextIO* self) {
  if (!self->ok) return not_ready(self);
  return Py_NewRef(self->errors);
}
PyObject* textio_get_chunk_size(TextIO* self) {
  CHECK_ATTACHED(self);
  return PyLong_FromSsize_t(self->chunk_size);
}
Status textio_set_chunk_size(TextIO* self, PyObject* value) {
  CHECK_ATTACHED(self);
  if (value == nullptr) return raise(PyExc_AttributeError, "cannot delete attribute");
  const Py_ssize_t size = PyNumber_AsSsize_t(value, PyExc_ValueError);
  if (size == -1 && PyErr_Occurred()) return Status::kError;
  if (size <= 0) return raise(PyExc_ValueError, "a strictly positive integer is required");
  self->chunk_size = size;
  return Status::kOk;
}

PyMethodDef textio_methods[] = {
    method<textio_detach, "detach($self, /)">(),
    method<textio_reconfigure,
           "reconfigure($self, /, *, encoding=None, errors=None, newline=None, line_buffering=None, write_through=None)",
           "Changes the parameters of the stream; what is buffered is flushed first.">(),
    method<textio_write, "write($self, text, /)">(),
    method<textio_read, "read($self, size=-1, /)">(),
    method<textio_readline, "readline($self, size=-1, /)">(),
    method<textio_flush, "flush($self, /)">(),
    method<textio_close, "close($self, /)">(),
    method<textio_fileno, "fileno($self, /)">(),
    method<textio_seekable, "seekable($self, /)">(),
    method<textio_readable, "readable($self, /)">(),
    method<textio_writable, "writable($self, /)">(),
    method<textio_isatty, "isatty($self, /)">(),
    method<textio_seek, "seek($self, cookie, whence=0, /)">(),
    method<textio_tell, "tell($self, /)">(),
    method<textio_truncate, "truncate($self, pos=None, /)">(),
    method<textio_getstate, "__reduce__($self, /, *args)">(),
    method<textio_getstate, "__reduce_ex__($self, /, *args)">(),
    {},
};
PyMemberDef textio_members[] = {
    {"encoding", T_OBJECT, offsetof(TextIO, encoding), READONLY, nullptr},
    {"buffer", T_OBJECT, offsetof(TextIO, buffer), READONLY, nullptr},
    {"line_buffering", T_BOOL, offsetof(TextIO, line_buffering), READONLY, nullptr},
    {"write_through", T_BOOL, offsetof(TextIO, write_through), READONLY, nullptr},
    {"_finalizing", T_BOOL, offsetof(TextIO, finalizing), 0, nullptr},
    {},
};
PyGetSetDef textio_getset[] = {
    getset<textio_get_name>("name"),
    getset<textio_get_closed>("closed"),
    getset<textio_get_newlines>("newlines"),
    getset<textio_get_errors>("errors"),
    getset<textio_get_chunk_size, textio_set_chunk_size>("_CHUNK_SIZE"),
    {},
};

}  // namespace

PyTypeObject TextIOWrapper_Type = {
    .ob_base = type_head(),
    .tp_name = "_io.TextIOWrapper",
    .tp_basicsize = sizeof(TextIO),
    .tp_dealloc = textio_dealloc,
    .tp_repr = slot<textio_repr>,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "TextIOWrapper(buffer, encoding=None, errors=None, newline=None, line_buffering=False, "
              "write_through=False)\n--\n\n"
              "Characters over a buffered binary stream. newline=None reads all line ends as \\n; '' keeps them.",
    .tp_traverse = textio_traverse,
    .tp_clear = textio_clear,
    .tp_weaklistoffset = offsetof(TextIO, weakreflist),
    .tp_iternext = textio_next,
    .tp_methods = textio_methods,
    .tp_members = textio_members,
    .tp_getset = textio_getset,
    .tp_base = &TextIOBase_Type,
    .tp_dictoffset = offsetof(TextIO, dict),
    .tp_init = initializer<textio_init,
                           "TextIOWrapper(buffer, encoding=None, errors=None, newline=None, line_buffering=False, "
                           "write_through=False)">,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};

}  // namespace pyston::io
