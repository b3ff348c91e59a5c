// Reading marshal format from memory, a FILE or a Python file object.
//
// INVARIANT: arbitrary bytes give an object or an exception (EOFError, ValueError, TypeError), never a crash: nothing larger
// than what is left is allocated for a size, nesting is bounded.
#include "Interpreter/bytecode/marshal.h"
#include "Interpreter/bytecode/marshal_format.h"
#include "Objects/text/text.h"

#include <pycore_code.h>
#include <pycore_long.h>

#include <algorithm>
#include <cstdio>
#include <sys/stat.h>
#include <vector>

namespace pyston::marshal {
namespace {

constexpr Py_ssize_t kMaxSize = 0x7FFFFFFF;

class Reader {
 public:
  Reader(const char* data, Py_ssize_t size) : next_(data), limit_(data + size) {}
  explicit Reader(FILE* file) : file_(file) {}
  explicit Reader(PyObject* readable) : readable_(readable) {}
  ~Reader() { PyMem_Free(buffer_); }
  Reader(const Reader&) = delete;

  /// The next object; null with an exception, also where the data has its end marker.
  Ref<> read_value() {
    Ref<> value = read_object();
    if (!value && !PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "NULL object in marshal data for object");
    return value;
  }
  /// -1 with an exception at the end of the data (-1 is also a value).
  long read_long() {
    const unsigned char* bytes = take(4);
    if (bytes == nullptr) return -1;
    return static_cast<int32_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24);
  }
  int read_short() {
    const unsigned char* bytes = take(2);
    return bytes == nullptr ? -1 : static_cast<int16_t>(bytes[0] | bytes[1] << 8);
  }

 private:
  /// `size` bytes, valid until the next call; null with EOFError when there are fewer.
  const unsigned char* take(Py_ssize_t size) {
    if (LIKELY(next_ != nullptr)) {
      if (UNLIKELY(limit_ - next_ < size)) return too_short();
      const char* result = next_;
      next_ += size;
      return reinterpret_cast<const unsigned char*>(result);
    }
    return take_from_file(size);
  }
  COLD const unsigned char* too_short() {
    PyErr_SetString(PyExc_EOFError, "marshal data too short");
    return nullptr;
  }
  const unsigned char* take_from_file(Py_ssize_t size);
  /// -1 at the end of the data, without an exception.
  int read_byte_or_end() {
    if (LIKELY(next_ != nullptr)) return next_ < limit_ ? static_cast<unsigned char>(*next_++) : -1;
    if (file_ != nullptr) return getc(file_);
    const unsigned char* byte = take_from_file(1);
    return byte == nullptr ? -1 : *byte;
  }
  Py_ssize_t remaining() const { return next_ != nullptr ? limit_ - next_ : kMaxSize; }

  Ref<> read_object();
  Ref<> read_content(int type, bool numbered);
  Ref<> read_int();
  Ref<> read_digits();
  bool read_double(double& value);
  bool read_double_text(double& value);
  Ref<> read_ascii(Py_ssize_t size, bool interned, bool numbered);
  Ref<> read_utf8(bool interned, bool numbered);
  Ref<> read_bytes(bool numbered);
  Ref<> read_tuple(Py_ssize_t size, bool numbered);
  Ref<> read_list(bool numbered);
  Ref<> read_dict(bool numbered);
  Ref<> read_set(bool frozen, bool numbered);
  Ref<> read_code(bool numbered);
  Ref<> read_reference();

  /// A 32-bit size that is not negative, else -1 with an exception. There may be less data than it says.
  Py_ssize_t read_size(const char* what);

  Ref<> number(Ref<> value, bool numbered) {
    if (numbered && value) references_.push_back(Ref<>::dup(value.get()));
    return value;
  }
  /// For objects that exist only after their parts: the number is taken before.
  size_t reserve(bool numbered) {
    if (!numbered) return 0;
    references_.push_back(Ref<>());
    return references_.size() - 1;
  }
  Ref<> fill(Ref<> value, size_t index, bool numbered) {
    if (numbered && value) references_[index] = Ref<>::dup(value.get());
    return value;
  }
  /// False with an exception when `object` is, or holds, a tuple that is still being read or holds itself: hashing it and
  /// walking over it would not end well.
  bool check_finished(PyObject* object) {
    if (LIKELY(!has_open_reference_) || is_finished(object, 0)) return true;
    PyErr_SetString(PyExc_ValueError, "bad marshal data (recursive tuple)");
    return false;
  }
  static bool is_finished(PyObject* object, int depth);
  Ref<> bad(const char* what) { return raise(PyExc_ValueError, "bad marshal data (%s)", what); }

  const char* next_ = nullptr;
  const char* limit_ = nullptr;
  FILE* file_ = nullptr;
  PyObject* readable_ = nullptr;  // borrowed
  char* buffer_ = nullptr;
  Py_ssize_t buffer_size_ = 0;
  int depth_ = 0;
  std::vector<Ref<>> references_;
  std::vector<PyObject*> open_tuples_;  // numbered ones whose items are being read; borrowed
  bool has_open_reference_ = false;     // there is a reference to one of them
};

bool Reader::is_finished(PyObject* object, int depth) {
  if (object == nullptr || depth > kMaxDepth) return false;
  if (!PyTuple_CheckExact(object)) return true;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(object); i++) {
    if (!is_finished(PyTuple_GET_ITEM(object, i), depth + 1)) return false;
  }
  return true;
}

const unsigned char* Reader::take_from_file(Py_ssize_t size) {
  constexpr Py_ssize_t kChunk = 1 << 16;  // a lying size must not allocate gigabytes
  Py_ssize_t filled = 0;
  do {
    const Py_ssize_t wanted = std::min(size - filled, kChunk);
    if (filled + wanted > buffer_size_) {
      const Py_ssize_t new_size = std::max(filled + wanted, buffer_size_ * 2);
      char* grown = static_cast<char*>(PyMem_Realloc(buffer_, std::max<Py_ssize_t>(new_size, 64)));
      if (grown == nullptr) {
        PyErr_NoMemory();
        return nullptr;
      }
      buffer_ = grown;
      buffer_size_ = std::max<Py_ssize_t>(new_size, 64);
    }
    Py_ssize_t got = 0;
    if (file_ != nullptr) {
      got = static_cast<Py_ssize_t>(fread(buffer_ + filled, 1, wanted, file_));
    } else if (wanted > 0) {
      Py_buffer view;
      if (PyBuffer_FillInfo(&view, nullptr, buffer_ + filled, wanted, 0, PyBUF_CONTIG) < 0) return nullptr;
      Ref<> memory = Ref<>::steal(PyMemoryView_FromBuffer(&view));
      if (!memory) return nullptr;
      Ref<> result = Ref<>::steal(PyObject_CallMethod(readable_, "readinto", "O", memory.get()));
      if (!result) return nullptr;
      got = PyNumber_AsSsize_t(result.get(), PyExc_ValueError);
      if (got == -1 && PyErr_Occurred()) return nullptr;
      if (got > wanted) {
        PyErr_Format(PyExc_ValueError, "read() returned too much data: %zd bytes requested, %zd returned", wanted, got);
        return nullptr;
      }
    }
    if (got != wanted) {
      if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_EOFError, readable_ != nullptr || file_ != nullptr ? "EOF read where not expected"
                                                                                 : "marshal data too short");
      }
      return nullptr;
    }
    filled += got;
  } while (filled < size);
  return reinterpret_cast<const unsigned char*>(buffer_);
}

Py_ssize_t Reader::read_size(const char* what) {
  const long size = read_long();
  if (size == -1 && PyErr_Occurred()) return -1;
  if (size < 0) {
    PyErr_Format(PyExc_ValueError, "bad marshal data (%s size out of range)", what);
    return -1;
  }
  return size;
}

Ref<> Reader::read_object() {
  const int code = read_byte_or_end();
  if (code < 0) {
    if (PyErr_ExceptionMatches(PyExc_EOFError) || !PyErr_Occurred()) {
      PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
    }
    return nullptr;
  }
  if (depth_ >= kMaxDepth) return raise(PyExc_ValueError, "recursion limit exceeded");
  depth_++;
  Ref<> value = read_content(code & ~kReferenceFlag, (code & kReferenceFlag) != 0);
  depth_--;
  return value;
}

Ref<> Reader::read_content(int type, bool numbered) {
  switch (type) {
    case kNull: return nullptr;  // the only null without an exception
    case kNone: return Ref<>::none();
    case kStopIteration: return Ref<>::dup(PyExc_StopIteration);
    case kEllipsis: return Ref<>::dup(Py_Ellipsis);
    case kFalse: return Ref<>::dup(Py_False);
    case kTrue: return Ref<>::dup(Py_True);
    case kInt: return number(read_int(), numbered);
    case kInt64: {
      const unsigned char* bytes = take(8);
      if (bytes == nullptr) return nullptr;
      return number(Ref<>::steal(_PyLong_FromByteArray(bytes, 8, 1, 1)), numbered);
    }
    case kLong: return number(read_digits(), numbered);
    case kFloat:
    case kBinaryFloat: {
      double value;
      if (!(type == kFloat ? read_double_text(value) : read_double(value))) return nullptr;
      return number(Ref<>::steal(PyFloat_FromDouble(value)), numbered);
    }
    case kComplex:
    case kBinaryComplex: {
      Py_complex value;
      const bool text = type == kComplex;
      if (!(text ? read_double_text(value.real) : read_double(value.real))) return nullptr;
      if (!(text ? read_double_text(value.imag) : read_double(value.imag))) return nullptr;
      return number(Ref<>::steal(PyComplex_FromCComplex(value)), numbered);
    }
    case kBytes: return read_bytes(numbered);
    case kAscii:
    case kAsciiInterned: {
      const Py_ssize_t size = read_size("string");
      return size < 0 ? Ref<>() : read_ascii(size, type == kAsciiInterned, numbered);
    }
    case kShortAscii:
    case kShortAsciiInterned: {
      const int size = read_byte_or_end();
      if (size < 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
        return nullptr;
      }
      return read_ascii(size, type == kShortAsciiInterned, numbered);
    }
    case kUnicode:
    case kInterned: return read_utf8(type == kInterned, numbered);
    case kSmallTuple: {
      const int size = read_byte_or_end();
      if (size < 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
        return nullptr;
      }
      return read_tuple(size, numbered);
    }
    case kTuple: {
      const Py_ssize_t size = read_size("tuple");
      return size < 0 ? Ref<>() : read_tuple(size, numbered);
    }
    case kList: return read_list(numbered);
    case kDict: return read_dict(numbered);
    case kSet:
    case kFrozenSet: return read_set(type == kFrozenSet, numbered);
    case kCode: return read_code(numbered);
    case kReference: return read_reference();
    default: return bad("unknown type code");
  }
}

Ref<> Reader::read_int() {
  const long value = read_long();
  if (value == -1 && PyErr_Occurred()) return nullptr;
  return Ref<>::steal(PyLong_FromLong(value));
}

Ref<> Reader::read_digits() {
  const long count = read_long();
  if (count == -1 && PyErr_Occurred()) return nullptr;
  if (count == 0) return Ref<>::steal(PyLong_FromLong(0));
  if (count < -kMaxSize || count > kMaxSize) return bad("long size out of range");
  const Py_ssize_t digits = count < 0 ? -count : count;
  if (digits * 2 > remaining()) {
    too_short();
    return nullptr;
  }
  const Py_ssize_t size = (digits + kDigitRatio - 1) / kDigitRatio;
  Ref<PyLongObject> value = Ref<PyLongObject>::steal(_PyLong_New(size));
  if (!value) return nullptr;
  memset(value->ob_digit, 0, size * sizeof(digit));
  Py_SET_SIZE(value.get(), count < 0 ? -size : size);
  for (Py_ssize_t i = 0; i < digits; i++) {
    const int part = read_short();
    if (part < 0) {
      if (PyErr_Occurred()) return nullptr;
      return bad("digit out of range in long");
    }
    if (part == 0 && i + 1 == digits) return bad("unnormalized long data");
    value->ob_digit[i / kDigitRatio] |= static_cast<digit>(part) << (i % kDigitRatio * kDigitBits);
  }
  return Ref<>(std::move(value));
}

bool Reader::read_double(double& value) {
  const unsigned char* bytes = take(8);
  if (bytes == nullptr) return false;
  memcpy(&value, bytes, 8);
  return true;
}

bool Reader::read_double_text(double& value) {
  const int size = read_byte_or_end();
  if (size < 0) {
    PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
    return false;
  }
  const unsigned char* bytes = take(size);
  if (bytes == nullptr) return false;
  char text[256];
  memcpy(text, bytes, size);
  text[size] = '\0';
  value = PyOS_string_to_double(text, nullptr, nullptr);
  return !(value == -1.0 && PyErr_Occurred());
}

Ref<> Reader::read_bytes(bool numbered) {
  const Py_ssize_t size = read_size("bytes object");
  if (size < 0) return nullptr;
  const unsigned char* bytes = take(size);
  if (bytes == nullptr) return nullptr;
  return number(Ref<>::steal(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(bytes), size)), numbered);
}

Ref<> Reader::read_ascii(Py_ssize_t size, bool interned, bool numbered) {
  const unsigned char* bytes = take(size);
  if (bytes == nullptr) return nullptr;
  if (interned && text::ascii_prefix(bytes, size) == size) {
    return number(Ref<>::steal(text::intern_ascii(bytes, size)), numbered);
  }
  PyObject* value = PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, bytes, size);
  if (value != nullptr && interned) PyUnicode_InternInPlace(&value);
  return number(Ref<>::steal(value), numbered);
}

Ref<> Reader::read_utf8(bool interned, bool numbered) {
  const Py_ssize_t size = read_size("string");
  if (size < 0) return nullptr;
  const unsigned char* bytes = size == 0 ? reinterpret_cast<const unsigned char*>("") : take(size);
  if (bytes == nullptr) return nullptr;
  PyObject* value = PyUnicode_DecodeUTF8(reinterpret_cast<const char*>(bytes), size, "surrogatepass");
  if (value != nullptr && interned) PyUnicode_InternInPlace(&value);
  return number(Ref<>::steal(value), numbered);
}

Ref<> Reader::read_tuple(Py_ssize_t size, bool numbered) {
  // Every item takes a byte at least: where the data is too short for the size, reading fails within these.
  Ref<> tuple = number(Ref<>::steal(PyTuple_New(std::min(size, remaining()))), numbered);
  if (!tuple) return nullptr;
  if (numbered) open_tuples_.push_back(tuple.get());
  for (Py_ssize_t i = 0; i < size; i++) {
    Ref<> item = read_object();
    if (!item) {
      if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "NULL object in marshal data for tuple");
      return nullptr;
    }
    PyTuple_SET_ITEM(tuple.get(), i, item.release());
  }
  if (numbered) open_tuples_.pop_back();
  return tuple;
}

Ref<> Reader::read_list(bool numbered) {
  const Py_ssize_t size = read_size("list");
  if (size < 0) return nullptr;
  Ref<> list = number(Ref<>::steal(PyList_New(0)), numbered);
  if (!list) return nullptr;
  for (Py_ssize_t i = 0; i < size; i++) {
    Ref<> item = read_object();
    if (!item) {
      if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "NULL object in marshal data for list");
      return nullptr;
    }
    if (PyList_Append(list.get(), item.get()) < 0) return nullptr;
  }
  return list;
}

Ref<> Reader::read_dict(bool numbered) {
  Ref<> dict = number(Ref<>::steal(PyDict_New()), numbered);
  if (!dict) return nullptr;
  for (;;) {
    Ref<> key = read_object();
    if (!key) break;
    Ref<> value = read_object();
    if (!value) break;
    if (!check_finished(key.get()) || PyDict_SetItem(dict.get(), key.get(), value.get()) < 0) break;
  }
  return PyErr_Occurred() ? Ref<>() : std::move(dict);
}

Ref<> Reader::read_set(bool frozen, bool numbered) {
  const Py_ssize_t size = read_size("set");
  if (size < 0) return nullptr;
  Ref<> set = Ref<>::steal(frozen ? PyFrozenSet_New(nullptr) : PySet_New(nullptr));
  if (!set) return nullptr;
  // A frozen set can't be seen while it grows: its number is filled at the end. The shared empty one is not changed.
  size_t index = 0;
  if (frozen && size > 0) {
    index = reserve(numbered);
    set = Ref<>::steal(PySet_New(nullptr));
    if (!set) return nullptr;
  } else {
    set = number(std::move(set), numbered);
  }
  for (Py_ssize_t i = 0; i < size; i++) {
    Ref<> item = read_object();
    if (!item) {
      if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "NULL object in marshal data for set");
      return nullptr;
    }
    if (!check_finished(item.get()) || PySet_Add(set.get(), item.get()) < 0) return nullptr;
  }
  if (!frozen || size == 0) return set;
  return fill(Ref<>::steal(PyFrozenSet_New(set.get())), index, numbered);
}

Ref<> Reader::read_code(bool numbered) {
  const size_t index = reserve(numbered);
  int numbers[5];
  for (int& value : numbers) {
    const long read = read_long();
    if (read == -1 && PyErr_Occurred()) return nullptr;
    value = static_cast<int>(read);
  }
  Ref<> parts[8];
  for (Ref<>& part : parts) {
    part = read_value();
    if (!part) return nullptr;
  }
  const long first_line = read_long();
  if (first_line == -1 && PyErr_Occurred()) return nullptr;
  Ref<> line_table = read_value();
  if (!line_table) return nullptr;
  Ref<> exception_table = read_value();
  if (!exception_table) return nullptr;
  _PyCodeConstructor con = {
      .filename = parts[5].get(),
      .name = parts[6].get(),
      .qualname = parts[7].get(),
      .flags = numbers[4],
      .code = parts[0].get(),
      .firstlineno = static_cast<int>(first_line),
      .linetable = line_table.get(),
      .consts = parts[1].get(),
      .names = parts[2].get(),
      .localsplusnames = parts[3].get(),
      .localspluskinds = parts[4].get(),
      .argcount = numbers[0],
      .posonlyargcount = numbers[1],
      .kwonlyargcount = numbers[2],
      .stacksize = numbers[3],
      .exceptiontable = exception_table.get(),
  };
  if (PySys_Audit("code.__new__", "OOOiiiiii", con.code, con.filename, con.name, con.argcount, con.posonlyargcount,
                  con.kwonlyargcount, 0, con.stacksize, con.flags) < 0) {
    return nullptr;
  }
  if (_PyCode_Validate(&con) < 0 || !check_finished(con.consts)) return nullptr;
  return fill(Ref<>::steal(as_object(_PyCode_New(&con))), index, numbered);
}

Ref<> Reader::read_reference() {
  const long index = read_long();
  if (index == -1 && PyErr_Occurred()) return nullptr;
  if (index < 0 || static_cast<size_t>(index) >= references_.size() || !references_[index]) {
    return bad("invalid reference");
  }
  PyObject* object = references_[index].get();
  if (UNLIKELY(PyTuple_CheckExact(object)) && std::find(open_tuples_.begin(), open_tuples_.end(), object) != open_tuples_.end()) {
    has_open_reference_ = true;
  }
  return Ref<>::dup(object);
}

}  // namespace

Ref<> read_from_memory(const char* data, Py_ssize_t size) {
  static const char kNothing[1] = "";
  Reader reader(data != nullptr ? data : kNothing, size);
  return reader.read_value();
}

Ref<> read_from_object(Borrowed<> file) {
  // Reading nothing shows whether the file is binary.
  Ref<> probe = Ref<>::steal(PyObject_CallMethod(file.get(), "read", "i", 0));
  if (!probe) return nullptr;
  if (!PyBytes_Check(probe.get())) {
    return raise(PyExc_TypeError, "file.read() returned not bytes but %.100s", Py_TYPE(probe.get())->tp_name);
  }
  Reader reader(file.get());
  return reader.read_value();
}

}  // namespace pyston::marshal

using pyston::marshal::Reader;

int PyMarshal_ReadShortFromFile(FILE* file) {
  Reader reader(file);
  return reader.read_short();
}

long PyMarshal_ReadLongFromFile(FILE* file) {
  Reader reader(file);
  return reader.read_long();
}

PyObject* PyMarshal_ReadObjectFromFile(FILE* file) {
  Reader reader(file);
  return reader.read_value().release();
}

/// May read the whole rest of the file at once: nothing after this object is wanted.
PyObject* PyMarshal_ReadLastObjectFromFile(FILE* file) {
  constexpr off_t kLimit = 1 << 18;
  struct stat status;
  if (fstat(fileno(file), &status) == 0 && status.st_size > 0 && status.st_size <= kLimit) {
    auto* data = static_cast<char*>(PyMem_Malloc(status.st_size));
    if (data != nullptr) {
      const size_t size = fread(data, 1, status.st_size, file);
      pyston::Ref<> value = pyston::marshal::read_from_memory(data, static_cast<Py_ssize_t>(size));
      PyMem_Free(data);
      return value.release();
    }
  }
  return PyMarshal_ReadObjectFromFile(file);
}

PyObject* PyMarshal_ReadObjectFromString(const char* data, Py_ssize_t size) {
  return pyston::marshal::read_from_memory(data, size).release();
}
