// Pickler, dump() and dumps(): walks an object graph and writes opcodes.
//
// Output collects in one bytes object. From protocol 4 on it is cut into frames of about 64 KiB: a frame's header is
// reserved when its first opcode is written and filled in when it is closed; big payloads stay outside of frames.
#include <cstring>

#include "Lib/native/pickle/memo_proxy.h"
#include "Lib/native/pickle/pickle.h"

namespace pyston::pickling {

PyTypeObject* g_pickler_type = nullptr;

namespace {

using Pickler = PicklerObject*;

ALWAYS_INLINE Pickler as_pickler(PyObject* object) { return reinterpret_cast<Pickler>(object); }

enum class Hook { kAsk, kSkip };
Status save(Pickler self, PyObject* object, Hook hook = Hook::kAsk);
Status save_reduce(Pickler self, PyObject* reduced, PyObject* object);

// ---- output ------------------------------------------------------------------------------------------------------

void put_little_endian(char* out, unsigned long long value, int bytes) {
  for (int i = 0; i < bytes; i++) out[i] = static_cast<char>(value >> (8 * i));
}

void drop_output(Pickler self) {
  Py_CLEAR(self->output);
  self->output_size = 0;
  self->frame_start = -1;
}

COLD Status grow_output(Pickler self, Py_ssize_t needed) {
  if (self->output == nullptr) {
    self->output_size = 0;
    self->frame_start = -1;
    const Py_ssize_t size = needed > 4096 ? needed : 4096;
    self->output = PyBytes_FromStringAndSize(nullptr, size);
    return self->output != nullptr ? Status::kOk : Status::kError;
  }
  if (self->output_size > PY_SSIZE_T_MAX / 2 - needed - 64) {
    PyErr_NoMemory();
    return Status::kError;
  }
  const Py_ssize_t size = (self->output_size + needed) / 2 * 3 + 16;
  if (_PyBytes_Resize(&self->output, size) == 0) return Status::kOk;
  drop_output(self);
  return Status::kError;
}

/// Room for `size` more bytes of opcodes, within a frame when there are frames. Null on failure.
ALWAYS_INLINE char* reserve(Pickler self, Py_ssize_t size) {
  const Py_ssize_t needed = size + kFrameHeader;
  if (UNLIKELY(self->output == nullptr || PyBytes_GET_SIZE(self->output) - self->output_size < needed) &&
      failed(grow_output(self, needed))) {
    return nullptr;
  }
  if (UNLIKELY(self->framing && self->frame_start < 0)) {
    self->frame_start = self->output_size;
    self->output_size += kFrameHeader;
  }
  char* out = PyBytes_AS_STRING(self->output) + self->output_size;
  self->output_size += size;
  return out;
}
ALWAYS_INLINE Status write(Pickler self, const char* data, Py_ssize_t size) {
  char* out = reserve(self, size);
  if (UNLIKELY(out == nullptr)) return Status::kError;
  memcpy(out, data, static_cast<size_t>(size));
  return Status::kOk;
}
ALWAYS_INLINE Status write_op(Pickler self, unsigned char opcode) {
  char* out = reserve(self, 1);
  if (UNLIKELY(out == nullptr)) return Status::kError;
  *out = static_cast<char>(opcode);
  return Status::kOk;
}

void close_frame(Pickler self) {
  if (!self->framing || self->frame_start < 0 || self->output == nullptr) return;
  char* frame = PyBytes_AS_STRING(self->output) + self->frame_start;
  const Py_ssize_t size = self->output_size - self->frame_start - kFrameHeader;
  if (size >= kFrameMinimum) {
    frame[0] = static_cast<char>(kFrame);
    put_little_endian(frame + 1, static_cast<unsigned long long>(size), 8);
  } else {
    memmove(frame, frame + kFrameHeader, static_cast<size_t>(size));
    self->output_size -= kFrameHeader;
  }
  self->frame_start = -1;
}

/// What was written so far, as bytes; the buffer is empty afterwards.
Ref<> take_output(Pickler self) {
  close_frame(self);
  if (self->output == nullptr) return Ref<>::steal(PyBytes_FromStringAndSize(nullptr, 0));
  PyObject* output = std::exchange(self->output, nullptr);
  const Py_ssize_t size = std::exchange(self->output_size, 0);
  if (_PyBytes_Resize(&output, size) < 0) return nullptr;
  return Ref<>::steal(output);
}
Status flush_to_file(Pickler self) {
  Ref<> output = take_output(self);
  if (!output) return Status::kError;
  Ref<> write_method = Ref<>::dup(self->write);
  return Ref<>::steal(PyObject_CallOneArg(write_method.get(), output.get())) ? Status::kOk : Status::kError;
}

COLD Status end_full_frame(Pickler self) {
  close_frame(self);
  return self->write != nullptr ? flush_to_file(self) : Status::kOk;
}

/// Header and payload of a bytes-like or str value; `owner` (may be null) is an object with exactly the payload.
Status write_payload(Pickler self, const char* header, Py_ssize_t header_size, const char* data, Py_ssize_t size,
                     PyObject* owner) {
  if (LIKELY(size < kFrameTarget)) {
    char* out = reserve(self, header_size + size);
    if (UNLIKELY(out == nullptr)) return Status::kError;
    memcpy(out, header, static_cast<size_t>(header_size));
    memcpy(out + header_size, data, static_cast<size_t>(size));
    return Status::kOk;
  }
  const int framing = self->framing;
  close_frame(self);
  self->framing = 0;
  Status status = write(self, header, header_size);
  if (ok(status)) {
    if (self->write == nullptr) {
      status = write(self, data, size);
    } else {
      status = flush_to_file(self);
      if (ok(status)) {
        Ref<> payload = owner != nullptr ? Ref<>::dup(owner)
                                         : Ref<>::steal(PyMemoryView_FromMemory(const_cast<char*>(data), size, PyBUF_READ));
        Ref<> write_method = Ref<>::dup(self->write);
        if (!payload || !Ref<>::steal(PyObject_CallOneArg(write_method.get(), payload.get()))) status = Status::kError;
      }
    }
  }
  self->framing = framing;
  return status;
}

// ---- memo --------------------------------------------------------------------------------------------------------

Status write_get(Pickler self, Py_ssize_t number) {
  char code[32];
  Py_ssize_t size;
  if (!self->binary) {
    size = PyOS_snprintf(code, sizeof code, "%c%zd\n", kGet, number);
  } else if (number < 256) {
    code[0] = kBinGet;
    code[1] = static_cast<char>(number);
    size = 2;
  } else if (static_cast<size_t>(number) <= 0xffffffffu) {
    code[0] = kLongBinGet;
    put_little_endian(code + 1, static_cast<unsigned long long>(number), 4);
    size = 5;
  } else {
    return raise(shared().pickling_error, "memo id too large for LONG_BINGET");
  }
  return write(self, code, size);
}

Status memoize(Pickler self, PyObject* object) {
  if (self->fast) return Status::kOk;
  const Py_ssize_t number = self->memo->used;
  VM_CHECK(self->memo->set(object, number));
  if (self->protocol >= 4) return write_op(self, kMemoize);
  char code[32];
  Py_ssize_t size;
  if (!self->binary) {
    size = PyOS_snprintf(code, sizeof code, "%c%zd\n", kPut, number);
  } else if (number < 256) {
    code[0] = kBinPut;
    code[1] = static_cast<char>(number);
    size = 2;
  } else if (static_cast<size_t>(number) <= 0xffffffffu) {
    code[0] = kLongBinPut;
    put_little_endian(code + 1, static_cast<unsigned long long>(number), 4);
    size = 5;
  } else {
    return raise(shared().pickling_error, "memo id too large for LONG_BINPUT");
  }
  return write(self, code, size);
}
ALWAYS_INLINE const MemoTable::Entry* recall(Pickler self, PyObject* object) {
  return self->fast ? nullptr : self->memo->get(object);
}

// ---- atoms -------------------------------------------------------------------------------------------------------

Status save_bool(Pickler self, PyObject* object) {
  const bool truth = object == Py_True;
  if (self->protocol >= 2) return write_op(self, truth ? kNewTrue : kNewFalse);
  return write(self, truth ? "I01\n" : "I00\n", 4);
}

COLD Status save_big_int(Pickler self, PyObject* object) {
  if (self->protocol < 2) {
    Ref<> text = Ref<>::steal(PyObject_Repr(object));
    if (!text) return Status::kError;
    Py_ssize_t size;
    const char* digits = PyUnicode_AsUTF8AndSize(text.get(), &size);
    if (digits == nullptr) return Status::kError;
    VM_CHECK(write_op(self, kLong));
    VM_CHECK(write(self, digits, size));
    return write(self, "L\n", 2);
  }
  const size_t bits = _PyLong_NumBits(object);
  if (bits == static_cast<size_t>(-1) && PyErr_Occurred()) return Status::kError;
  size_t size = bits / 8 + 1;
  if (size > 0x7fffffffu) return raise(PyExc_OverflowError, "int too large to pickle");
  Ref<> bytes = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size)));
  if (!bytes) return Status::kError;
  auto* digits = reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(bytes.get()));
  if (_PyLong_AsByteArray(reinterpret_cast<PyLongObject*>(object), digits, size, 1, 1) < 0) return Status::kError;
  // A negative number at a power of two needs no sign byte of its own.
  if (Py_SIZE(object) < 0 && size > 1 && digits[size - 1] == 0xff && (digits[size - 2] & 0x80) != 0) size--;
  char header[5];
  if (size < 256) {
    header[0] = static_cast<char>(kLong1);
    header[1] = static_cast<char>(size);
  } else {
    header[0] = static_cast<char>(kLong4);
    put_little_endian(header + 1, size, 4);
  }
  VM_CHECK(write(self, header, size < 256 ? 2 : 5));
  return write(self, reinterpret_cast<const char*>(digits), static_cast<Py_ssize_t>(size));
}

Status save_int(Pickler self, PyObject* object) {
  int overflow;
  const long value = PyLong_AsLongAndOverflow(object, &overflow);
  if (value == -1 && !overflow && PyErr_Occurred()) return Status::kError;
  if (overflow || value != static_cast<int>(value)) return save_big_int(self, object);
  char code[32];
  Py_ssize_t size = 0;
  if (!self->binary) {
    size = PyOS_snprintf(code, sizeof code, "%c%ld\n", kInt, value);
  } else if (value >= 0 && value < 256) {
    code[0] = kBinInt1;
    code[1] = static_cast<char>(value);
    size = 2;
  } else if (value >= 0 && value < 65536) {
    code[0] = kBinInt2;
    put_little_endian(code + 1, static_cast<unsigned long long>(value), 2);
    size = 3;
  } else {
    code[0] = kBinInt;
    put_little_endian(code + 1, static_cast<unsigned long long>(value), 4);
    size = 5;
  }
  return write(self, code, size);
}

Status save_float(Pickler self, PyObject* object) {
  const double value = PyFloat_AS_DOUBLE(object);
  if (self->binary) {
    char code[9] = {kBinFloat};
    if (PyFloat_Pack8(value, code + 1, 0) < 0) return Status::kError;
    return write(self, code, 9);
  }
  char* text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, nullptr);
  if (text == nullptr) return Status::kError;
  Status status = write_op(self, kFloat);
  if (ok(status)) status = write(self, text, static_cast<Py_ssize_t>(strlen(text)));
  if (ok(status)) status = write_op(self, '\n');
  PyMem_Free(text);
  return status;
}

Status save_bytes_payload(Pickler self, PyObject* object, const char* data, Py_ssize_t size) {
  char header[9];
  Py_ssize_t header_size;
  if (size < 256) {
    header[0] = kShortBinBytes;
    header[1] = static_cast<char>(size);
    header_size = 2;
  } else if (static_cast<size_t>(size) <= 0xffffffffu) {
    header[0] = kBinBytes;
    put_little_endian(header + 1, static_cast<unsigned long long>(size), 4);
    header_size = 5;
  } else if (self->protocol >= 4) {
    header[0] = static_cast<char>(kBinBytes8);
    put_little_endian(header + 1, static_cast<unsigned long long>(size), 8);
    header_size = 9;
  } else {
    return raise(PyExc_OverflowError, "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher");
  }
  VM_CHECK(write_payload(self, header, header_size, data, size, PyBytes_CheckExact(object) ? object : nullptr));
  return memoize(self, object);
}
Status save_bytearray_payload(Pickler self, PyObject* object, const char* data, Py_ssize_t size) {
  char header[9] = {static_cast<char>(kByteArray8)};
  put_little_endian(header + 1, static_cast<unsigned long long>(size), 8);
  VM_CHECK(write_payload(self, header, 9, data, size, PyByteArray_CheckExact(object) ? object : nullptr));
  return memoize(self, object);
}
Status save_built(Pickler self, Ref<> reduced, PyObject* object) {
  if (!reduced) return Status::kError;
  return save_reduce(self, reduced.get(), object);
}

Status save_bytes(Pickler self, PyObject* object) {
  if (self->protocol >= 3) {
    return save_bytes_payload(self, object, PyBytes_AS_STRING(object), PyBytes_GET_SIZE(object));
  }
  if (PyBytes_GET_SIZE(object) == 0) return save_built(self, Ref<>::steal(Py_BuildValue("(O())", &PyBytes_Type)), object);
  Ref<> text = Ref<>::steal(PyUnicode_DecodeLatin1(PyBytes_AS_STRING(object), PyBytes_GET_SIZE(object), "strict"));
  if (!text) return Status::kError;
  return save_built(self, Ref<>::steal(Py_BuildValue("(O(OO))", shared().codecs_encode, text.get(), &_Py_ID(latin1))), object);
}

Status save_bytearray(Pickler self, PyObject* object) {
  if (self->protocol >= 5) {
    return save_bytearray_payload(self, object, PyByteArray_AS_STRING(object), PyByteArray_GET_SIZE(object));
  }
  if (PyByteArray_GET_SIZE(object) == 0) {
    return save_built(self, Ref<>::steal(Py_BuildValue("(O())", &PyByteArray_Type)), object);
  }
  Ref<> bytes = Ref<>::steal(PyBytes_FromObject(object));
  if (!bytes) return Status::kError;
  return save_built(self, Ref<>::steal(Py_BuildValue("(O(O))", &PyByteArray_Type, bytes.get())), object);
}

Status save_picklebuffer(Pickler self, PyObject* object) {
  if (self->protocol < 5) {
    return raise(shared().pickling_error, "PickleBuffer can only be pickled with protocol >= 5");
  }
  const Py_buffer* view = PyPickleBuffer_GetBuffer(object);
  if (view == nullptr) return Status::kError;
  if (view->suboffsets != nullptr || !PyBuffer_IsContiguous(view, 'A')) {
    return raise(shared().pickling_error,
                 "PickleBuffer can not be pickled when pointing to a non-contiguous buffer");
  }
  int in_band = 1;
  if (self->buffer_callback != nullptr) {
    Ref<> callback = Ref<>::dup(self->buffer_callback);
    Ref<> answer = Ref<>::steal(PyObject_CallOneArg(callback.get(), object));
    if (!answer) return Status::kError;
    in_band = PyObject_IsTrue(answer.get());
    if (in_band < 0) return Status::kError;
    view = PyPickleBuffer_GetBuffer(object);  // the callback may have released it
    if (view == nullptr) return Status::kError;
  }
  const bool readonly = view->readonly != 0;
  if (in_band) {
    // Held: the file's write() could release the PickleBuffer.
    Py_buffer held;
    if (PyObject_GetBuffer(object, &held, PyBUF_FULL_RO) < 0) return Status::kError;
    const char* data = static_cast<const char*>(held.buf);
    const Status status = readonly ? save_bytes_payload(self, object, data, held.len)
                                   : save_bytearray_payload(self, object, data, held.len);
    PyBuffer_Release(&held);
    return status;
  }
  VM_CHECK(write_op(self, kNextBuffer));
  return readonly ? write_op(self, kReadOnlyBuffer) : Status::kOk;
}

/// The raw-unicode-escape form of protocol 0, in which line ends and backslashes are escaped too.
Ref<> escape_text(PyObject* object) {
  const Py_ssize_t size = PyUnicode_GET_LENGTH(object);
  if (size > PY_SSIZE_T_MAX / 10) return Ref<>::steal(PyErr_NoMemory());
  Ref<> bytes = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, size * 10));
  if (!bytes) return nullptr;
  static constexpr char kHex[] = "0123456789abcdef";
  char* start = PyBytes_AS_STRING(bytes.get());
  char* out = start;
  for (Py_ssize_t i = 0; i < size; i++) {
    const Py_UCS4 c = PyUnicode_READ_CHAR(object, i);
    const bool escaped = c >= 256 || c == '\\' || c == 0 || c == '\n' || c == '\r' || c == 0x1a;
    if (!escaped) {
      *out++ = static_cast<char>(c);
      continue;
    }
    *out++ = '\\';
    *out++ = c >= 0x10000 ? 'U' : 'u';
    for (int shift = c >= 0x10000 ? 28 : 12; shift >= 0; shift -= 4) *out++ = kHex[(c >> shift) & 15];
  }
  PyObject* result = bytes.release();
  _PyBytes_Resize(&result, out - start);
  return Ref<>::steal(result);
}

Status save_str(Pickler self, PyObject* object) {
  if (UNLIKELY(PyUnicode_READY(object) < 0)) return Status::kError;
  if (!self->binary) {
    Ref<> text = escape_text(object);
    if (!text) return Status::kError;
    VM_CHECK(write_op(self, kUnicode));
    VM_CHECK(write(self, PyBytes_AS_STRING(text.get()), PyBytes_GET_SIZE(text.get())));
    VM_CHECK(write_op(self, '\n'));
    return memoize(self, object);
  }
  Ref<> encoded;
  Py_ssize_t size;
  const char* data;
  if (LIKELY(PyUnicode_IS_COMPACT_ASCII(object))) {
    data = static_cast<const char*>(PyUnicode_DATA(object));
    size = PyUnicode_GET_LENGTH(object);
  } else {
    encoded = Ref<>::steal(PyUnicode_AsEncodedString(object, "utf-8", "surrogatepass"));
    if (!encoded) return Status::kError;
    data = PyBytes_AS_STRING(encoded.get());
    size = PyBytes_GET_SIZE(encoded.get());
  }
  char header[9];
  Py_ssize_t header_size;
  if (size < 256 && self->protocol >= 4) {
    header[0] = static_cast<char>(kShortBinUnicode);
    header[1] = static_cast<char>(size);
    header_size = 2;
  } else if (static_cast<size_t>(size) <= 0xffffffffu) {
    header[0] = kBinUnicode;
    put_little_endian(header + 1, static_cast<unsigned long long>(size), 4);
    header_size = 5;
  } else if (self->protocol >= 4) {
    header[0] = static_cast<char>(kBinUnicode8);
    put_little_endian(header + 1, static_cast<unsigned long long>(size), 8);
    header_size = 9;
  } else {
    return raise(PyExc_OverflowError, "serializing a string larger than 4 GiB requires pickle protocol 4 or higher");
  }
  VM_CHECK(write_payload(self, header, header_size, data, size, encoded.get()));
  return memoize(self, object);
}

// ---- containers --------------------------------------------------------------------------------------------------

Status save_tuple(Pickler self, PyObject* object) {
  const Py_ssize_t size = PyTuple_GET_SIZE(object);
  if (size == 0) return self->protocol > 0 ? write_op(self, kEmptyTuple) : write(self, "(t", 2);
  const bool small = size <= 3 && self->protocol >= 2;
  if (!small) VM_CHECK(write_op(self, kMark));
  for (Py_ssize_t i = 0; i < size; i++) VM_CHECK(save(self, PyTuple_GET_ITEM(object, i)));
  // A tuple that contains itself was written (and memoized) while its items were: take that one.
  if (const auto* entry = recall(self, object)) {
    const Py_ssize_t number = entry->number;
    if (self->binary && !small) {
      VM_CHECK(write_op(self, kPopMark));
    } else {
      for (Py_ssize_t i = small ? 0 : -1; i < size; i++) VM_CHECK(write_op(self, kPop));
    }
    return write_get(self, number);
  }
  if (small) {
    VM_CHECK(write_op(self, static_cast<unsigned char>(kTuple1 + size - 1)));
  } else {
    VM_CHECK(write_op(self, kTuple));
  }
  return memoize(self, object);
}

/// Writes what an iterator yields in batches; `per_item(item)` saves one. `one` ends a single item, `many` a batch.
template <class SaveItem>
Status save_batches(Pickler self, PyObject* iterator, unsigned char one, unsigned char many, SaveItem save_item) {
  if (self->protocol == 0) {
    while (true) {
      Ref<> item = Ref<>::steal(PyIter_Next(iterator));
      if (!item) return PyErr_Occurred() ? Status::kError : Status::kOk;
      VM_CHECK(save_item(item.get()));
      VM_CHECK(write_op(self, one));
    }
  }
  while (true) {
    Ref<> first = Ref<>::steal(PyIter_Next(iterator));
    if (!first) return PyErr_Occurred() ? Status::kError : Status::kOk;
    Ref<> item = Ref<>::steal(PyIter_Next(iterator));
    if (!item) {
      if (PyErr_Occurred()) return Status::kError;
      VM_CHECK(save_item(first.get()));
      return write_op(self, one);
    }
    VM_CHECK(write_op(self, kMark));
    VM_CHECK(save_item(first.get()));
    Py_ssize_t count = 1;
    while (item) {
      VM_CHECK(save_item(item.get()));
      if (++count == kBatch) break;
      item = Ref<>::steal(PyIter_Next(iterator));
      if (!item && PyErr_Occurred()) return Status::kError;
    }
    VM_CHECK(write_op(self, many));
    if (count != kBatch) return Status::kOk;
  }
}
Status save_list_items(Pickler self, PyObject* iterator) {
  return save_batches(self, iterator, kAppend, kAppends, [self](PyObject* item) { return save(self, item); });
}
Status save_pairs(Pickler self, PyObject* iterator) {
  return save_batches(self, iterator, kSetItem, kSetItems, [self](PyObject* item) -> Status {
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
      return raise(PyExc_TypeError, "dict items iterator must return 2-tuples");
    }
    VM_CHECK(save(self, PyTuple_GET_ITEM(item, 0)));
    return save(self, PyTuple_GET_ITEM(item, 1));
  });
}

/// Without a memo cycles would not end: deep down, the containers being written are remembered.
constexpr int kFastNesting = 50;
Status fast_enter(Pickler self, PyObject* object) {
  if (++self->fast_nesting < kFastNesting) return Status::kOk;
  if (self->fast_memo == nullptr && (self->fast_memo = PyDict_New()) == nullptr) {
    self->fast_nesting = -1;
    return Status::kError;
  }
  Ref<> key = Ref<>::steal(PyLong_FromVoidPtr(object));
  if (!key) {
    self->fast_nesting = -1;
    return Status::kError;
  }
  const int found = PyDict_Contains(self->fast_memo, key.get());
  if (found > 0) {
    raise(PyExc_ValueError, "fast mode: can't pickle cyclic objects including object type %.200s at %p",
          Py_TYPE(object)->tp_name, static_cast<void*>(object));
  }
  if (found != 0 || PyDict_SetItem(self->fast_memo, key.get(), Py_None) < 0) {
    self->fast_nesting = -1;
    return Status::kError;
  }
  return Status::kOk;
}
Status fast_leave(Pickler self, PyObject* object) {
  if (self->fast_nesting-- < kFastNesting || self->fast_memo == nullptr) return Status::kOk;
  Ref<> key = Ref<>::steal(PyLong_FromVoidPtr(object));
  if (!key || PyDict_DelItem(self->fast_memo, key.get()) < 0) return Status::kError;
  return Status::kOk;
}

Status save_exact_list_items(Pickler self, PyObject* object) {
  if (PyList_GET_SIZE(object) == 1) {
    Ref<> item = Ref<>::dup(PyList_GET_ITEM(object, 0));
    VM_CHECK(save(self, item.get()));
    return write_op(self, kAppend);
  }
  Py_ssize_t i = 0;
  do {
    VM_CHECK(write_op(self, kMark));
    for (Py_ssize_t count = 0; count < kBatch && i < PyList_GET_SIZE(object); count++, i++) {
      Ref<> item = Ref<>::dup(PyList_GET_ITEM(object, i));
      VM_CHECK(save(self, item.get()));
    }
    VM_CHECK(write_op(self, kAppends));
  } while (i < PyList_GET_SIZE(object));
  return Status::kOk;
}
Status save_list_body(Pickler self, PyObject* object) {
  VM_CHECK(self->binary ? write_op(self, kEmptyList) : write(self, "(l", 2));
  VM_CHECK(memoize(self, object));
  if (PyList_GET_SIZE(object) == 0) return Status::kOk;
  if (self->protocol > 0) return save_exact_list_items(self, object);
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(object));
  return iterator ? save_list_items(self, iterator.get()) : Status::kError;
}

Status save_exact_pairs(Pickler self, PyObject* object) {
  const Py_ssize_t size = PyDict_GET_SIZE(object);
  Py_ssize_t position = 0, count;
  PyObject *key, *value;
  do {
    count = 0;
    if (size != 1) VM_CHECK(write_op(self, kMark));
    while (PyDict_Next(object, &position, &key, &value)) {
      Ref<> key_owner = Ref<>::dup(key), value_owner = Ref<>::dup(value);
      VM_CHECK(save(self, key));
      VM_CHECK(save(self, value));
      if (PyDict_GET_SIZE(object) != size) {
        return raise(PyExc_RuntimeError, "dictionary changed size during iteration");
      }
      if (size == 1) return write_op(self, kSetItem);
      if (++count == kBatch) break;
    }
    VM_CHECK(write_op(self, kSetItems));
  } while (count == kBatch);
  return Status::kOk;
}
Status save_dict_body(Pickler self, PyObject* object) {
  VM_CHECK(self->binary ? write_op(self, kEmptyDict) : write(self, "(d", 2));
  VM_CHECK(memoize(self, object));
  if (PyDict_GET_SIZE(object) == 0) return Status::kOk;
  if (self->protocol > 0) return save_exact_pairs(self, object);
  Ref<> items = Ref<>::steal(PyDict_Items(object));
  Ref<> iterator = items ? Ref<>::steal(PyObject_GetIter(items.get())) : nullptr;
  return iterator ? save_pairs(self, iterator.get()) : Status::kError;
}
template <auto Body>
Status save_guarded(Pickler self, PyObject* object) {
  if (UNLIKELY(self->fast) && failed(fast_enter(self, object))) return Status::kError;
  Status status = Body(self, object);
  if (UNLIKELY(self->fast) && failed(fast_leave(self, object))) status = Status::kError;
  return status;
}

Status save_as_list_of_items(Pickler self, PyObject* object) {
  Ref<> items = Ref<>::steal(PySequence_List(object));
  if (!items) return Status::kError;
  return save_built(self, Ref<>::steal(Py_BuildValue("(O(O))", Py_TYPE(object), items.get())), object);
}
Status save_set(Pickler self, PyObject* object) {
  if (self->protocol < 4) return save_as_list_of_items(self, object);
  VM_CHECK(write_op(self, kEmptySet));
  VM_CHECK(memoize(self, object));
  const Py_ssize_t size = PySet_GET_SIZE(object);
  if (size == 0) return Status::kOk;
  Py_ssize_t position = 0, count;
  PyObject* item;
  Py_hash_t hash;
  do {
    count = 0;
    VM_CHECK(write_op(self, kMark));
    while (_PySet_NextEntry(object, &position, &item, &hash)) {
      Ref<> owner = Ref<>::dup(item);
      VM_CHECK(save(self, item));
      if (PySet_GET_SIZE(object) != size) return raise(PyExc_RuntimeError, "set changed size during iteration");
      if (++count == kBatch) break;
    }
    VM_CHECK(write_op(self, kAddItems));
  } while (count == kBatch);
  return Status::kOk;
}
Status save_frozenset(Pickler self, PyObject* object) {
  if (self->protocol < 4) return save_as_list_of_items(self, object);
  VM_CHECK(write_op(self, kMark));
  Py_ssize_t position = 0;
  PyObject* item;
  Py_hash_t hash;
  while (_PySet_NextEntry(object, &position, &item, &hash)) VM_CHECK(save(self, item));
  if (const auto* entry = recall(self, object)) {  // recursive, see save_tuple
    const Py_ssize_t number = entry->number;
    VM_CHECK(write_op(self, kPopMark));
    return write_get(self, number);
  }
  VM_CHECK(write_op(self, kFrozenSet));
  return memoize(self, object);
}

// ---- classes and functions, by name ------------------------------------------------------------------------------

/// The module in which `object` is found under `name`.
Ref<> which_module(PyObject* object, PyObject* name) {
  PyObject* module_name;
  if (_PyObject_LookupAttr(object, &_Py_ID(__module__), &module_name) < 0) return nullptr;
  if (module_name != nullptr && module_name != Py_None) return Ref<>::steal(module_name);
  Py_XDECREF(module_name);
  PyObject* modules = PySys_GetObject("modules");
  if (modules == nullptr) return raise(PyExc_RuntimeError, "unable to get sys.modules");
  Ref<> items = Ref<>::steal(PyMapping_Items(modules));  // a copy: attribute look-ups can import
  if (!items) return nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.get()); i++) {
    PyObject* pair = PyList_GET_ITEM(items.get(), i);
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) continue;
    PyObject *candidate_name = PyTuple_GET_ITEM(pair, 0), *module = PyTuple_GET_ITEM(pair, 1);
    if (module == Py_None ||
        (PyUnicode_Check(candidate_name) && _PyUnicode_EqualToASCIIString(candidate_name, "__main__"))) {
      continue;
    }
    Ref<> found = get_deep_attribute(module, name, nullptr);
    if (!found) {
      if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
      PyErr_Clear();
    } else if (found.get() == object) {
      return Ref<>::dup(candidate_name);
    }
  }
  return Ref<>::steal(PyUnicode_FromString("__main__"));
}

/// Python 2's names for protocols below 3.
Status map_to_python2(Ref<>& module_name, Ref<>& name) {
  Ref<> key = Ref<>::steal(PyTuple_Pack(2, module_name.get(), name.get()));
  if (!key) return Status::kError;
  PyObject* mapped = PyDict_GetItemWithError(shared().reverse_name_mapping, key.get());
  if (mapped != nullptr) {
    if (!PyTuple_Check(mapped) || PyTuple_GET_SIZE(mapped) != 2 || !PyUnicode_Check(PyTuple_GET_ITEM(mapped, 0)) ||
        !PyUnicode_Check(PyTuple_GET_ITEM(mapped, 1))) {
      return raise(PyExc_RuntimeError, "_compat_pickle.REVERSE_NAME_MAPPING values should be pairs of str, not %R",
                   mapped);
    }
    module_name = Ref<>::dup(PyTuple_GET_ITEM(mapped, 0));
    name = Ref<>::dup(PyTuple_GET_ITEM(mapped, 1));
    return Status::kOk;
  }
  if (PyErr_Occurred()) return Status::kError;
  mapped = PyDict_GetItemWithError(shared().reverse_import_mapping, module_name.get());
  if (mapped == nullptr) return PyErr_Occurred() ? Status::kError : Status::kOk;
  if (!PyUnicode_Check(mapped)) {
    return raise(PyExc_RuntimeError, "_compat_pickle.REVERSE_IMPORT_MAPPING values should be strings, not %.200s",
                 Py_TYPE(mapped)->tp_name);
  }
  module_name = Ref<>::dup(mapped);
  return Status::kOk;
}

Status write_global_line(Pickler self, PyObject* text, const char* kind) {
  Ref<> line = Ref<>::steal(self->protocol >= 3 ? PyUnicode_AsUTF8String(text) : PyUnicode_AsASCIIString(text));
  if (!line) {
    if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
      raise(shared().pickling_error, "can't pickle %s identifier '%S' using pickle protocol %i", kind, text,
            self->protocol);
    }
    return Status::kError;
  }
  VM_CHECK(write(self, PyBytes_AS_STRING(line.get()), PyBytes_GET_SIZE(line.get())));
  return write_op(self, '\n');
}

/// kMissing: the name has no extension code.
Lookup save_extension_code(Pickler self, PyObject* object, PyObject* module_name, PyObject* name) {
  Ref<> key = Ref<>::steal(PyTuple_Pack(2, module_name, name));
  if (!key) return Lookup::kError;
  PyObject* number = PyDict_GetItemWithError(shared().extension_registry, key.get());
  if (number == nullptr) return PyErr_Occurred() ? Lookup::kError : Lookup::kMissing;
  if (!PyLong_Check(number)) {
    return raise(shared().pickling_error, "Can't pickle %R: extension code %R isn't an integer", object, number);
  }
  const long value = PyLong_AsLong(number);
  if (value <= 0 || value > 0x7fffffffL) {
    if (!PyErr_Occurred()) {
      raise(shared().pickling_error, "Can't pickle %R: extension code %ld is out of range", object, value);
    }
    return Lookup::kError;
  }
  char code[5];
  const int bytes = value <= 0xff ? 1 : value <= 0xffff ? 2 : 4;
  code[0] = static_cast<char>(bytes == 1 ? kExt1 : bytes == 2 ? kExt2 : kExt4);
  put_little_endian(code + 1, static_cast<unsigned long long>(value), bytes);
  VM_CHECK(write(self, code, 1 + bytes));
  return Lookup::kFound;
}

Status save_global(Pickler self, PyObject* object, PyObject* given_name) {
  Ref<> name = Ref<>::dup(given_name);
  if (!name) {
    PyObject* qualname;
    if (_PyObject_LookupAttr(object, &_Py_ID(__qualname__), &qualname) < 0) return Status::kError;
    name = Ref<>::steal(qualname != nullptr ? qualname : PyObject_GetAttr(object, &_Py_ID(__name__)));
    if (!name) return Status::kError;
  }
  if (!PyUnicode_Check(name.get())) {
    return raise(shared().pickling_error, "Can't pickle %R: its name %R isn't a string", object, name.get());
  }
  VM_CHECK(check_dotted_name(name.get(), nullptr));
  Ref<> module_name = which_module(object, name.get());
  if (!module_name) return Status::kError;
  Ref<> module = PyUnicode_Check(module_name.get())
                     ? Ref<>::steal(PyImport_ImportModuleLevelObject(module_name.get(), nullptr, nullptr, nullptr, 0))
                     : nullptr;
  if (module) module = Ref<>::steal(PyImport_GetModule(module_name.get()));
  if (!module) {
    return raise(shared().pickling_error, "Can't pickle %R: import of module %R failed", object, module_name.get());
  }
  Ref<> parent;
  Ref<> found = get_deep_attribute(module.get(), name.get(), &parent);
  if (!found) {
    PyErr_Clear();
    return raise(shared().pickling_error, "Can't pickle %R: attribute lookup %S on %S failed", object, name.get(),
                 module_name.get());
  }
  if (found.get() != object) {
    return raise(shared().pickling_error, "Can't pickle %R: it's not the same object as %S.%S", object,
                 module_name.get(), name.get());
  }
  if (self->protocol >= 2) {
    const Lookup extension = save_extension_code(self, object, module_name.get(), name.get());
    if (extension != Lookup::kMissing) return extension == Lookup::kFound ? Status::kOk : Status::kError;
  }
  const Py_ssize_t size = PyUnicode_GET_LENGTH(name.get());
  const Py_ssize_t dot = PyUnicode_FindChar(name.get(), '.', 0, size, -1);
  Ref<> last = Ref<>::steal(PyUnicode_Substring(name.get(), dot + 1, size));
  if (!last) return Status::kError;
  const bool direct = parent.get() == module.get();
  if (direct && dot >= 0) name = Ref<>::dup(last.get());  // the name leads back to the module
  if (self->protocol >= 4) {
    VM_CHECK(save(self, module_name.get()));
    VM_CHECK(save(self, name.get()));
    VM_CHECK(write_op(self, kStackGlobal));
    return memoize(self, object);
  }
  if (!direct) {
    return save_built(self, Ref<>::steal(Py_BuildValue("(O(OO))", shared().getattr, parent.get(), last.get())),
                      nullptr);
  }
  if (self->protocol < 3 && self->fix_imports) VM_CHECK(map_to_python2(module_name, name));
  VM_CHECK(write_op(self, kGlobal));
  VM_CHECK(write_global_line(self, module_name.get(), "module"));
  VM_CHECK(write_global_line(self, name.get(), "global"));
  return memoize(self, object);
}

Status save_type(Pickler self, PyObject* object) {
  PyObject* singleton = nullptr;
  if (object == reinterpret_cast<PyObject*>(Py_TYPE(Py_None))) singleton = Py_None;
  if (object == reinterpret_cast<PyObject*>(Py_TYPE(Py_Ellipsis))) singleton = Py_Ellipsis;
  if (object == reinterpret_cast<PyObject*>(Py_TYPE(Py_NotImplemented))) singleton = Py_NotImplemented;
  if (singleton == nullptr) return save_global(self, object, nullptr);
  return save_built(self, Ref<>::steal(Py_BuildValue("(O(O))", &PyType_Type, singleton)), object);
}

// ---- objects that reduce -----------------------------------------------------------------------------------------

Lookup save_persistent(Pickler self, PyObject* object) {
  Ref<> function = Ref<>::dup(self->persistent_id);
  Ref<> id = Ref<>::steal(call_hook(function.get(), self->persistent_id_self, object));
  if (!id) return Lookup::kError;
  if (id.get() == Py_None) return Lookup::kMissing;
  if (self->binary) {
    VM_CHECK(save(self, id.get(), Hook::kSkip));
    VM_CHECK(write_op(self, kBinPersId));
    return Lookup::kFound;
  }
  Ref<> text = Ref<>::steal(PyObject_Str(id.get()));
  if (!text) return Lookup::kError;
  if (!PyUnicode_IS_ASCII(text.get())) {
    return raise(shared().pickling_error, "persistent IDs in protocol 0 must be ASCII strings");
  }
  VM_CHECK(write_op(self, kPersId));
  VM_CHECK(write(self, static_cast<const char*>(PyUnicode_DATA(text.get())), PyUnicode_GET_LENGTH(text.get())));
  VM_CHECK(write_op(self, '\n'));
  return Lookup::kFound;
}

/// The class and arguments of copyreg.__newobj_ex__.
Status save_newobj_ex(Pickler self, PyObject* arguments) {
  PyObject* error = shared().pickling_error;
  if (PyTuple_GET_SIZE(arguments) != 3) {
    return raise(error, "length of the NEWOBJ_EX argument tuple must be exactly 3, not %zd",
                 PyTuple_GET_SIZE(arguments));
  }
  PyObject* cls = PyTuple_GET_ITEM(arguments, 0);
  PyObject* args = PyTuple_GET_ITEM(arguments, 1);
  PyObject* kwargs = PyTuple_GET_ITEM(arguments, 2);
  if (!PyType_Check(cls)) {
    return raise(error, "first item from NEWOBJ_EX argument tuple must be a class, not %.200s", Py_TYPE(cls)->tp_name);
  }
  if (!PyTuple_Check(args)) {
    return raise(error, "second item from NEWOBJ_EX argument tuple must be a tuple, not %.200s",
                 Py_TYPE(args)->tp_name);
  }
  if (!PyDict_Check(kwargs)) {
    return raise(error, "third item from NEWOBJ_EX argument tuple must be a dict, not %.200s",
                 Py_TYPE(kwargs)->tp_name);
  }
  if (self->protocol >= 4) {
    VM_CHECK(save(self, cls));
    VM_CHECK(save(self, args));
    VM_CHECK(save(self, kwargs));
    return write_op(self, kNewObjEx);
  }
  // Older protocols have no opcode with keywords: a partial of __new__ that holds everything.
  Ref<> constructor = Ref<>::steal(PyObject_GetAttr(cls, &_Py_ID(__new__)));
  Ref<> head = constructor ? Ref<>::steal(PyTuple_Pack(2, constructor.get(), cls)) : nullptr;
  Ref<> all = head ? Ref<>::steal(PySequence_Concat(head.get(), args)) : nullptr;
  Ref<> callable = all ? Ref<>::steal(PyObject_Call(shared().partial, all.get(), kwargs)) : nullptr;
  if (!callable) return Status::kError;
  VM_CHECK(save(self, callable.get()));
  VM_CHECK(write_op(self, kEmptyTuple));
  return write_op(self, kReduce);
}

Status save_newobj(Pickler self, PyObject* arguments, PyObject* object) {
  PyObject* error = shared().pickling_error;
  if (PyTuple_GET_SIZE(arguments) < 1) return raise(error, "__newobj__ arglist is empty");
  PyObject* cls = PyTuple_GET_ITEM(arguments, 0);
  if (!PyType_Check(cls)) {
    PyObject* constructor;
    if (_PyObject_LookupAttr(cls, &_Py_ID(__new__), &constructor) < 0) return Status::kError;
    if (constructor == nullptr) return raise(error, "args[0] from __newobj__ args has no __new__");
    Py_DECREF(constructor);
  }
  if (object != nullptr) {
    Ref<> object_class = Ref<>::steal(PyObject_GetAttr(object, &_Py_ID(__class__)));
    if (!object_class) return Status::kError;
    if (object_class.get() != cls) return raise(error, "args[0] from __newobj__ args has the wrong class");
  }
  VM_CHECK(save(self, cls));
  Ref<> rest = Ref<>::steal(PyTuple_GetSlice(arguments, 1, PY_SSIZE_T_MAX));
  if (!rest) return Status::kError;
  VM_CHECK(save(self, rest.get()));
  return write_op(self, kNewObj);
}

Status save_reduce(Pickler self, PyObject* reduced, PyObject* object) {
  PyObject* error = shared().pickling_error;
  const Py_ssize_t size = PyTuple_GET_SIZE(reduced);
  if (size < 2 || size > 6) {
    return raise(error, "tuple returned by __reduce__ must contain 2 through 6 elements");
  }
  const auto part = [reduced, size](Py_ssize_t i) -> PyObject* {
    PyObject* value = i < size ? PyTuple_GET_ITEM(reduced, i) : Py_None;
    return value == Py_None ? nullptr : value;
  };
  PyObject* callable = PyTuple_GET_ITEM(reduced, 0);
  PyObject* arguments = PyTuple_GET_ITEM(reduced, 1);
  PyObject *state = part(2), *list_items = part(3), *pairs = part(4), *setter = part(5);
  if (!PyCallable_Check(callable)) {
    return raise(error, "first item of the tuple returned by __reduce__ must be callable");
  }
  if (!PyTuple_Check(arguments)) {
    return raise(error, "second item of the tuple returned by __reduce__ must be a tuple");
  }
  if (list_items != nullptr && !PyIter_Check(list_items)) {
    return raise(error, "fourth element of the tuple returned by __reduce__ must be an iterator, not %s",
                 Py_TYPE(list_items)->tp_name);
  }
  if (pairs != nullptr && !PyIter_Check(pairs)) {
    return raise(error, "fifth element of the tuple returned by __reduce__ must be an iterator, not %s",
                 Py_TYPE(pairs)->tp_name);
  }
  if (setter != nullptr && !PyCallable_Check(setter)) {
    return raise(error, "sixth element of the tuple returned by __reduce__ must be a function, not %s",
                 Py_TYPE(setter)->tp_name);
  }
  enum { kCall, kClass, kClassWithKeywords } form = kCall;
  if (self->protocol >= 2) {
    PyObject* name;
    if (_PyObject_LookupAttr(callable, &_Py_ID(__name__), &name) < 0) return Status::kError;
    if (name != nullptr && PyUnicode_Check(name)) {
      if (_PyUnicode_EqualToASCIIString(name, "__newobj__")) form = kClass;
      if (_PyUnicode_EqualToASCIIString(name, "__newobj_ex__")) form = kClassWithKeywords;
    }
    Py_XDECREF(name);
  }
  if (form == kClass) {
    VM_CHECK(save_newobj(self, arguments, object));
  } else if (form == kClassWithKeywords) {
    VM_CHECK(save_newobj_ex(self, arguments));
  } else {
    VM_CHECK(save(self, callable));
    VM_CHECK(save(self, arguments));
    VM_CHECK(write_op(self, kReduce));
  }
  if (object != nullptr) {
    // Recursion through the arguments has written the object already: take that one.
    if (const auto* entry = recall(self, object)) {
      const Py_ssize_t number = entry->number;
      VM_CHECK(write_op(self, kPop));
      return write_get(self, number);
    }
    VM_CHECK(memoize(self, object));
  }
  if (list_items != nullptr) VM_CHECK(save_list_items(self, list_items));
  if (pairs != nullptr) VM_CHECK(save_pairs(self, pairs));
  if (state == nullptr) return Status::kOk;
  if (setter == nullptr) {
    VM_CHECK(save(self, state));
    return write_op(self, kBuild);
  }
  VM_CHECK(save(self, setter));
  VM_CHECK(save(self, object));
  VM_CHECK(save(self, state));
  VM_CHECK(write_op(self, static_cast<unsigned char>(kTuple2)));
  VM_CHECK(write_op(self, kReduce));
  return write_op(self, kPop);
}

/// What a dispatch table, or the object, says about its reduction. Null with no exception: pickle it by name.
Ref<> reduce_object(Pickler self, PyObject* object, PyTypeObject* type) {
  Ref<> reducer;
  if (self->dispatch_table == nullptr) {
    reducer = Ref<>::dup(PyDict_GetItemWithError(shared().dispatch_table, as_object(type)));
    if (!reducer && PyErr_Occurred()) return nullptr;
  } else {
    Ref<> table = Ref<>::dup(self->dispatch_table);
    reducer = Ref<>::steal(PyObject_GetItem(table.get(), as_object(type)));
    if (!reducer) {
      if (!PyErr_ExceptionMatches(PyExc_KeyError)) return nullptr;
      PyErr_Clear();
    }
  }
  if (reducer) return Ref<>::steal(PyObject_CallOneArg(reducer.get(), object));
  if (PyType_IsSubtype(type, &PyType_Type)) return nullptr;
  PyObject* method;
  if (_PyObject_LookupAttr(object, &_Py_ID(__reduce_ex__), &method) < 0) return nullptr;
  if (method != nullptr) {
    reducer = Ref<>::steal(method);
    Ref<> protocol = Ref<>::steal(PyLong_FromLong(self->protocol));
    return protocol ? Ref<>::steal(PyObject_CallOneArg(reducer.get(), protocol.get())) : nullptr;
  }
  if (_PyObject_LookupAttr(object, &_Py_ID(__reduce__), &method) < 0) return nullptr;
  if (method == nullptr) {
    return raise(shared().pickling_error, "can't pickle '%.200s' object: %R", type->tp_name, object);
  }
  reducer = Ref<>::steal(method);
  return Ref<>::steal(PyObject_CallNoArgs(reducer.get()));
}

Status save_any(Pickler self, PyObject* object, PyTypeObject* type) {
  Ref<> reduced;
  if (self->reducer_override != nullptr) {
    Ref<> override = Ref<>::dup(self->reducer_override);
    reduced = Ref<>::steal(PyObject_CallOneArg(override.get(), object));
    if (!reduced) return Status::kError;
    if (reduced.get() == Py_NotImplemented) reduced.reset();
  }
  if (!reduced) {
    if (type == &PyType_Type) return save_type(self, object);
    if (type == &PyFunction_Type) return save_global(self, object, nullptr);
    reduced = reduce_object(self, object, type);
    if (!reduced) return PyErr_Occurred() ? Status::kError : save_global(self, object, nullptr);
  }
  if (PyUnicode_Check(reduced.get())) return save_global(self, object, reduced.get());
  if (!PyTuple_Check(reduced.get())) {
    return raise(shared().pickling_error, "__reduce__ must return a string or tuple");
  }
  return save_reduce(self, reduced.get(), object);
}

Status save(Pickler self, PyObject* object, Hook hook) {
  if (UNLIKELY(self->framing && self->frame_start >= 0 &&
               self->output_size - self->frame_start - kFrameHeader >= kFrameTarget)) {
    VM_CHECK(end_full_frame(self));
  }
  if (UNLIKELY(self->persistent_id != nullptr) && hook == Hook::kAsk) {
    const Lookup saved = save_persistent(self, object);
    if (saved != Lookup::kMissing) return saved == Lookup::kFound ? Status::kOk : Status::kError;
  }
  PyTypeObject* type = Py_TYPE(object);
  // FAST: atoms are never in the memo.
  if (type == &PyLong_Type) return save_int(self, object);
  if (object == Py_None) return write_op(self, kNone);
  if (type == &PyBool_Type) return save_bool(self, object);
  if (type == &PyFloat_Type) return save_float(self, object);
  if (const auto* entry = recall(self, object)) return write_get(self, entry->number);
  if (type == &PyUnicode_Type) return save_str(self, object);
  if (type == &PyBytes_Type) return save_bytes(self, object);
  if (Py_EnterRecursiveCall(" while pickling an object")) return Status::kError;
  Status status;
  if (type == &PyDict_Type) {
    status = save_guarded<save_dict_body>(self, object);
  } else if (type == &PyList_Type) {
    status = save_guarded<save_list_body>(self, object);
  } else if (type == &PyTuple_Type) {
    status = save_tuple(self, object);
  } else if (type == &PySet_Type) {
    status = save_set(self, object);
  } else if (type == &PyFrozenSet_Type) {
    status = save_frozenset(self, object);
  } else if (type == &PyByteArray_Type) {
    status = save_bytearray(self, object);
  } else if (type == &PyPickleBuffer_Type) {
    status = save_picklebuffer(self, object);
  } else {
    status = save_any(self, object, type);
  }
  Py_LeaveRecursiveCall();
  return status;
}

Status dump(Pickler self, PyObject* object) {
  PyObject* override;
  static PyObject* name = PyUnicode_InternFromString("reducer_override");
  if (_PyObject_LookupAttr(as_object(self), name, &override) < 0) return Status::kError;
  Py_XSETREF(self->reducer_override, override);
  self->framing = 0;
  Status status = Status::kOk;
  if (self->protocol >= 2) {
    const char header[2] = {static_cast<char>(kProto), static_cast<char>(self->protocol)};
    status = write(self, header, 2);
    self->framing = self->protocol >= 4;
  }
  if (ok(status)) status = save(self, object);
  if (ok(status)) status = write_op(self, kStop);
  if (ok(status)) close_frame(self);
  self->framing = 0;
  // The hook is bound to the pickler: kept, it would be a cycle.
  Py_CLEAR(self->reducer_override);
  return status;
}

// ---- the object --------------------------------------------------------------------------------------------------

Pickler new_pickler(PyTypeObject* type) {
  Pickler self = as_pickler(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->frame_start = -1;
  self->memo = MemoTable::create();
  if (self->memo == nullptr) {
    Py_DECREF(as_object(self));
    return nullptr;
  }
  return self;
}
PyObject* pickler_new(PyTypeObject* type, PyObject*, PyObject*) { return as_object(new_pickler(type)); }

Status configure(Pickler self, PyObject* protocol, PyObject* fix_imports, PyObject* buffer_callback) {
  long number = kDefaultProtocol;
  if (protocol != nullptr && protocol != Py_None) {
    number = PyLong_AsLong(protocol);
    if (number == -1 && PyErr_Occurred()) return Status::kError;
    if (number < 0) {
      number = kHighestProtocol;
    } else if (number > kHighestProtocol) {
      return raise(PyExc_ValueError, "pickle protocol must be <= %d", kHighestProtocol);
    }
  }
  const int fix = fix_imports == nullptr ? 1 : PyObject_IsTrue(fix_imports);
  if (fix < 0) return Status::kError;
  if (buffer_callback == Py_None) buffer_callback = nullptr;
  if (buffer_callback != nullptr && number < 5) {
    return raise(PyExc_ValueError, "buffer_callback needs protocol >= 5");
  }
  self->protocol = static_cast<int>(number);
  self->binary = number > 0;
  self->fix_imports = fix && number < 3;
  Py_XSETREF(self->buffer_callback, Py_XNewRef(buffer_callback));
  return Status::kOk;
}
Status set_file(Pickler self, PyObject* file) {
  PyObject* write_method;
  if (_PyObject_LookupAttr(file, &_Py_ID(write), &write_method) < 0) return Status::kError;
  if (write_method == nullptr) return raise(PyExc_TypeError, "file must have a 'write' attribute");
  Py_XSETREF(self->write, write_method);
  return Status::kOk;
}

Status pickler_init(Borrowed<PicklerObject> borrowed, PyObject* file, PyObject* protocol, PyObject* fix_imports,
                    PyObject* buffer_callback) {
  Pickler self = borrowed.get();
  Py_CLEAR(self->write);
  VM_CHECK(configure(self, protocol, fix_imports, buffer_callback));
  VM_CHECK(set_file(self, file));
  self->memo->clear();
  drop_output(self);
  self->fast = 0;
  self->fast_nesting = 0;
  Py_CLEAR(self->fast_memo);
  static PyObject* hook = PyUnicode_InternFromString("persistent_id");
  static PyObject* table = PyUnicode_InternFromString("dispatch_table");
  VM_CHECK(bind_hook(as_object(self), hook, self->persistent_id, self->persistent_id_self));
  PyObject* found;
  if (_PyObject_LookupAttr(as_object(self), table, &found) < 0) return Status::kError;
  Py_XSETREF(self->dispatch_table, found);
  return Status::kOk;
}

int pickler_traverse(PyObject* object, visitproc visit, void* arg) {
  Pickler self = as_pickler(object);
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->write);
  Py_VISIT(self->persistent_id);
  Py_VISIT(self->dispatch_table);
  Py_VISIT(self->reducer_override);
  Py_VISIT(self->fast_memo);
  Py_VISIT(self->buffer_callback);
  if (self->memo != nullptr) {
    for (Py_ssize_t i = 0; i < self->memo->allocated; i++) Py_VISIT(self->memo->entries[i].key);
  }
  return 0;
}
int pickler_clear(PyObject* object) {
  Pickler self = as_pickler(object);
  Py_CLEAR(self->output);
  Py_CLEAR(self->write);
  Py_CLEAR(self->persistent_id);
  Py_CLEAR(self->dispatch_table);
  Py_CLEAR(self->reducer_override);
  Py_CLEAR(self->fast_memo);
  Py_CLEAR(self->buffer_callback);
  if (self->memo != nullptr) self->memo->clear();
  return 0;
}
void pickler_dealloc(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  pickler_clear(object);
  MemoTable::destroy(std::exchange(as_pickler(object)->memo, nullptr));
  type->tp_free(object);
  Py_DECREF(as_object(type));
}

Status pickler_dump(Borrowed<PicklerObject> borrowed, PyObject* object) {
  Pickler self = borrowed.get();
  if (self->write == nullptr) {
    return raise(shared().pickling_error, "Pickler.__init__() was not called by %s.__init__()",
                 Py_TYPE(as_object(self))->tp_name);
  }
  drop_output(self);
  VM_CHECK(dump(self, object));
  if (self->write == nullptr) return raise(shared().pickling_error, "the pickler was changed while it was in use");
  return flush_to_file(self);
}
Status pickler_clear_memo(Borrowed<PicklerObject> self) {
  self->memo->clear();
  return Status::kOk;
}
PyObject* pickler_sizeof(PyObject* object) {
  Pickler self = as_pickler(object);
  Py_ssize_t size = Py_TYPE(object)->tp_basicsize;
  size += static_cast<Py_ssize_t>(sizeof(MemoTable)) +
          self->memo->allocated * static_cast<Py_ssize_t>(sizeof(MemoTable::Entry));
  if (self->output != nullptr) {
    const size_t buffer = _PySys_GetSizeOf(self->output);
    if (buffer == static_cast<size_t>(-1)) return nullptr;
    size += static_cast<Py_ssize_t>(buffer);
  } else if (self->memo->used == 0) {
    size += 4096 + static_cast<Py_ssize_t>(offsetof(PyBytesObject, ob_sval)) + 1;  // the buffer the next dump() gets
  }
  return PyLong_FromSsize_t(size);
}

// ---- Pickler.memo ------------------------------------------------------------------------------------------------

struct MemoTraits {
  using Owner = PicklerObject;
  static constexpr const char* kName = "_pickle.PicklerMemoProxy";
  static constexpr FixedString kCopyDoc = "Copy into a dict from id to (number, object).";

  static void clear(Pickler self) { self->memo->clear(); }
  static Ref<> copy(Pickler self) {
    Ref<> result = Ref<>::steal(PyDict_New());
    if (!result) return nullptr;
    for (Py_ssize_t i = 0; i < self->memo->allocated; i++) {
      const MemoTable::Entry& entry = self->memo->entries[i];
      if (entry.key == nullptr) continue;
      Ref<> key = Ref<>::steal(PyLong_FromVoidPtr(entry.key));
      Ref<> value = Ref<>::steal(Py_BuildValue("nO", entry.number, entry.key));
      if (!key || !value || PyDict_SetItem(result.get(), key.get(), value.get()) < 0) return nullptr;
    }
    return result;
  }
};
using Proxy = MemoProxy<MemoTraits>;

Ref<> get_memo(Borrowed<PicklerObject> self) { return Proxy::create(self.get()); }
Status set_memo(Borrowed<PicklerObject> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_TypeError, "attribute deletion is not supported");
  MemoTable* table;
  if (Proxy::check(value)) {
    table = Proxy::owner(value)->memo->copy();
    if (table == nullptr) return Status::kError;
  } else if (PyDict_Check(value)) {
    table = MemoTable::create();
    if (table == nullptr) return Status::kError;
    Py_ssize_t position = 0;
    PyObject *key, *pair;
    while (PyDict_Next(value, &position, &key, &pair)) {
      Py_ssize_t number = -1;
      if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "'memo' values must be 2-item tuples");
      } else {
        number = PyLong_AsSsize_t(PyTuple_GET_ITEM(pair, 0));
      }
      if (PyErr_Occurred() || failed(table->set(PyTuple_GET_ITEM(pair, 1), number))) {
        MemoTable::destroy(table);
        return Status::kError;
      }
    }
  } else {
    return raise(PyExc_TypeError, "'memo' attribute must be a PicklerMemoProxy object or dict, not %.200s",
                 Py_TYPE(value)->tp_name);
  }
  MemoTable::destroy(std::exchange(self->memo, table));
  return Status::kOk;
}

Ref<> get_persistent_id(Borrowed<PicklerObject> self) {
  return Ref<>::steal(get_hook(self->persistent_id, self->persistent_id_self, "persistent_id"));
}
Status set_persistent_id(Borrowed<PicklerObject> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_TypeError, "attribute deletion is not supported");
  if (!PyCallable_Check(value)) {
    return raise(PyExc_TypeError, "persistent_id must be a callable taking one argument");
  }
  self->persistent_id_self = nullptr;
  Py_XSETREF(self->persistent_id, Py_NewRef(value));
  return Status::kOk;
}

PyMethodDef pickler_methods[] = {
    method<pickler_dump, "dump($self, obj, /)", "Write the pickle of obj to the open file.">(),
    method<pickler_clear_memo, "clear_memo($self, /)",
           "Forget which objects were written already; the next dump() writes them anew.">(),
    method<pickler_sizeof, "__sizeof__($self, /)", "Returns size in memory, in bytes.">(),
    {},
};
PyMemberDef pickler_members[] = {
    {"bin", T_INT, offsetof(PicklerObject, binary), 0, nullptr},
    {"fast", T_INT, offsetof(PicklerObject, fast), 0, nullptr},
    {"dispatch_table", T_OBJECT_EX, offsetof(PicklerObject, dispatch_table), 0, nullptr},
    {},
};
PyGetSetDef pickler_getset[] = {
    getset<get_memo, set_memo>("memo"),
    getset<get_persistent_id, set_persistent_id>("persistent_id"),
    {},
};
PyType_Slot pickler_slots[] = {
    {Py_tp_doc, const_cast<char*>("Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)\n--\n\n"
                                  "Writes a pickle data stream to a binary file.")},
    {Py_tp_dealloc, reinterpret_cast<void*>(pickler_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(pickler_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(pickler_clear)},
    {Py_tp_new, reinterpret_cast<void*>(pickler_new)},
    {Py_tp_init, reinterpret_cast<void*>(
                     initializer<pickler_init, "Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)">)},
    {Py_tp_methods, pickler_methods},
    {Py_tp_members, pickler_members},
    {Py_tp_getset, pickler_getset},
    {0, nullptr},
};
PyType_Spec pickler_spec = {"_pickle.Pickler", sizeof(PicklerObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, pickler_slots};

}  // namespace

Status add_pickler_types(PyObject* module) {
  if (g_pickler_type == nullptr) {
    VM_CHECK(Proxy::create_type());
    g_pickler_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&pickler_spec));
    if (g_pickler_type == nullptr) return Status::kError;
  }
  return PyModule_AddType(module, g_pickler_type) == 0 ? Status::kOk : Status::kError;
}

PyObject* pickle_dump(PyObject*, PyObject* object, PyObject* file, PyObject* protocol, PyObject* fix_imports,
                      PyObject* buffer_callback) {
  Ref<PicklerObject> self = Ref<PicklerObject>::steal(new_pickler(g_pickler_type));
  if (!self || failed(configure(self.get(), protocol, fix_imports, buffer_callback)) ||
      failed(set_file(self.get(), file)) || failed(dump(self.get(), object)) || failed(flush_to_file(self.get()))) {
    return nullptr;
  }
  Py_RETURN_NONE;
}
PyObject* pickle_dumps(PyObject*, PyObject* object, PyObject* protocol, PyObject* fix_imports,
                       PyObject* buffer_callback) {
  Ref<PicklerObject> self = Ref<PicklerObject>::steal(new_pickler(g_pickler_type));
  if (!self || failed(configure(self.get(), protocol, fix_imports, buffer_callback)) ||
      failed(dump(self.get(), object))) {
    return nullptr;
  }
  return take_output(self.get()).release();
}

}  // namespace pyston::pickling
