// Writing objects in marshal format: a growing buffer, or blocks to a FILE.
#include "Interpreter/bytecode/marshal.h"
#include "Interpreter/bytecode/marshal_format.h"

#include <pycore_code.h>

#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>


namespace pyston::marshal {
namespace {

enum class WriteError { kNone, kUnmarshallable, kTooDeep, kException };

class Writer {
 public:
  explicit Writer(int version) : version_(version) {}

  void write_object(PyObject* value);
  void write_long(long value) {
    for (int shift = 0; shift < 32; shift += 8) write_byte(static_cast<int>(value >> shift));
  }
  /// True when nothing went wrong; otherwise an exception is set.
  bool finish() {
    switch (error_) {
      case WriteError::kNone: return true;
      case WriteError::kException:
        if (!PyErr_Occurred()) PyErr_NoMemory();
        return false;
      case WriteError::kTooDeep: PyErr_SetString(PyExc_ValueError, "object too deeply nested to marshal"); return false;
      case WriteError::kUnmarshallable: PyErr_SetString(PyExc_ValueError, "unmarshallable object"); return false;
    }
    return false;
  }
  const std::string& bytes() const { return out_; }

 private:
  void write_byte(int value) { out_ += static_cast<char>(value); }
  void write_short(int value) {
    write_byte(value);
    write_byte(value >> 8);
  }
  void write_type(int code, int flag) { write_byte(code | flag); }
  bool write_size(Py_ssize_t size) {
    if (size > INT_MAX) {
      error_ = WriteError::kUnmarshallable;
      return false;
    }
    write_long(static_cast<long>(size));
    return true;
  }
  void write_sized(const char* data, Py_ssize_t size) {
    if (write_size(size)) out_.append(data, size);
  }
  void write_short_sized(const char* data, Py_ssize_t size) {
    write_byte(static_cast<int>(size));
    out_.append(data, size);
  }

  bool write_reference(PyObject* value, int& flag);
  void write_complex_object(PyObject* value, int flag);
  void write_int(PyObject* value, int flag);
  void write_double(double value);
  void write_double_text(double value);
  void write_string(PyObject* value, int flag);
  void write_tuple(PyObject* value, int flag);
  void write_dict(PyObject* value, int flag);
  void write_set(PyObject* value, int flag);
  void write_code(PyObject* value, int flag);
  void write_buffer(PyObject* value, int flag);

  int version_;
  int depth_ = 0;
  WriteError error_ = WriteError::kNone;
  std::string out_;
  std::unordered_map<PyObject*, int> references_;
  std::vector<Ref<>> kept_alive_;  // so that no two objects have one address while we write
};

/// Writes a back reference and gives true, or numbers the object through `flag`.
bool Writer::write_reference(PyObject* value, int& flag) {
  // An object with one owner can't come again.
  if (version_ < 3 || Py_REFCNT(value) == 1) return false;
  auto [entry, is_new] = references_.try_emplace(value, static_cast<int>(references_.size()));
  if (!is_new) {
    write_byte(kReference);
    write_long(entry->second);
    return true;
  }
  kept_alive_.push_back(Ref<>::dup(value));
  flag = kReferenceFlag;
  return false;
}

void Writer::write_object(PyObject* value) {
  if (error_ != WriteError::kNone) return;
  if (++depth_ > kMaxDepth) {
    error_ = WriteError::kTooDeep;
  } else if (value == nullptr) {
    write_byte(kNull);
  } else if (value == Py_None) {
    write_byte(kNone);
  } else if (value == PyExc_StopIteration) {
    write_byte(kStopIteration);
  } else if (value == Py_Ellipsis) {
    write_byte(kEllipsis);
  } else if (value == Py_False) {
    write_byte(kFalse);
  } else if (value == Py_True) {
    write_byte(kTrue);
  } else {
    int flag = 0;
    if (!write_reference(value, flag)) write_complex_object(value, flag);
  }
  depth_--;
}

void Writer::write_complex_object(PyObject* value, int flag) {
  if (PyLong_CheckExact(value)) {
    write_int(value, flag);
  } else if (PyUnicode_CheckExact(value)) {
    write_string(value, flag);
  } else if (PyBytes_CheckExact(value)) {
    write_type(kBytes, flag);
    write_sized(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
  } else if (PyTuple_CheckExact(value)) {
    write_tuple(value, flag);
  } else if (PyCode_Check(value)) {
    write_code(value, flag);
  } else if (PyFloat_CheckExact(value)) {
    write_type(version_ > 1 ? kBinaryFloat : kFloat, flag);
    version_ > 1 ? write_double(PyFloat_AS_DOUBLE(value)) : write_double_text(PyFloat_AS_DOUBLE(value));
  } else if (PyComplex_CheckExact(value)) {
    const Py_complex number = PyComplex_AsCComplex(value);
    write_type(version_ > 1 ? kBinaryComplex : kComplex, flag);
    for (double part : {number.real, number.imag}) version_ > 1 ? write_double(part) : write_double_text(part);
  } else if (PyList_CheckExact(value)) {
    write_type(kList, flag);
    if (!write_size(PyList_GET_SIZE(value))) return;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(value); i++) write_object(PyList_GET_ITEM(value, i));
  } else if (PyDict_CheckExact(value)) {
    write_dict(value, flag);
  } else if (PyAnySet_CheckExact(value)) {
    write_set(value, flag);
  } else if (PyObject_CheckBuffer(value)) {
    write_buffer(value, flag);
  } else {
    write_type(kUnknown, flag);
    error_ = WriteError::kUnmarshallable;
  }
}

void Writer::write_int(PyObject* value, int flag) {
  int overflow;
  const long small = PyLong_AsLongAndOverflow(value, &overflow);
  if (overflow == 0 && small >= INT32_MIN && small <= INT32_MAX) {
    write_type(kInt, flag);
    write_long(small);
    return;
  }
  auto* number = reinterpret_cast<PyLongObject*>(value);
  const Py_ssize_t size = Py_ABS(Py_SIZE(number));
  write_type(kLong, flag);
  Py_ssize_t digits = (size - 1) * kDigitRatio;
  for (digit top = number->ob_digit[size - 1]; top != 0; top >>= kDigitBits) digits++;
  if (digits > INT_MAX) {
    error_ = WriteError::kUnmarshallable;
    return;
  }
  write_long(static_cast<long>(Py_SIZE(number) > 0 ? digits : -digits));
  for (Py_ssize_t i = 0; i < size; i++) {
    digit rest = number->ob_digit[i];
    if (i + 1 < size) {
      for (int j = 0; j < kDigitRatio; j++, rest >>= kDigitBits) write_short(static_cast<int>(rest & kDigitMask));
    } else {
      for (; rest != 0; rest >>= kDigitBits) write_short(static_cast<int>(rest & kDigitMask));
    }
  }
}

void Writer::write_double(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  for (int shift = 0; shift < 64; shift += 8) write_byte(static_cast<int>(bits >> shift));
}

void Writer::write_double_text(double value) {
  char* text = PyOS_double_to_string(value, 'g', 17, 0, nullptr);
  if (text == nullptr) {
    error_ = WriteError::kException;
    return;
  }
  write_short_sized(text, static_cast<Py_ssize_t>(strlen(text)));
  PyMem_Free(text);
}

void Writer::write_string(PyObject* value, int flag) {
  const bool interned = PyUnicode_CHECK_INTERNED(value) != 0;
  if (version_ >= 4 && PyUnicode_IS_ASCII(value)) {
    const auto* data = reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(value));
    const Py_ssize_t length = PyUnicode_GET_LENGTH(value);
    if (length < 256) {
      write_type(interned ? kShortAsciiInterned : kShortAscii, flag);
      write_short_sized(data, length);
    } else {
      write_type(interned ? kAsciiInterned : kAscii, flag);
      write_sized(data, length);
    }
    return;
  }
  Ref<> utf8 = Ref<>::steal(PyUnicode_AsEncodedString(value, "utf8", "surrogatepass"));
  if (!utf8) {
    error_ = WriteError::kException;
    return;
  }
  write_type(version_ >= 3 && interned ? kInterned : kUnicode, flag);
  write_sized(PyBytes_AS_STRING(utf8.get()), PyBytes_GET_SIZE(utf8.get()));
}

void Writer::write_tuple(PyObject* value, int flag) {
  const Py_ssize_t size = PyTuple_GET_SIZE(value);
  if (version_ >= 4 && size < 256) {
    write_type(kSmallTuple, flag);
    write_byte(static_cast<int>(size));
  } else {
    write_type(kTuple, flag);
    if (!write_size(size)) return;
  }
  for (Py_ssize_t i = 0; i < size; i++) write_object(PyTuple_GET_ITEM(value, i));
}

void Writer::write_dict(PyObject* value, int flag) {
  write_type(kDict, flag);
  Py_ssize_t position = 0;
  PyObject* key;
  PyObject* item;
  while (PyDict_Next(value, &position, &key, &item)) {
    write_object(key);
    write_object(item);
  }
  write_object(nullptr);
}

/// Sets are written in the order of their items' own bytes, so that the same set gives the same file every time.
void Writer::write_set(PyObject* value, int flag) {
  write_type(PyFrozenSet_CheckExact(value) ? kFrozenSet : kSet, flag);
  if (!write_size(PySet_GET_SIZE(value))) return;
  Ref<> pairs = Ref<>::steal(PyList_New(0));
  Ref<> items = Ref<>::steal(PySequence_List(value));
  if (!pairs || !items) {
    error_ = WriteError::kException;
    return;
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.get()); i++) {
    PyObject* item = PyList_GET_ITEM(items.get(), i);
    Ref<> dump = Ref<>::steal(PyMarshal_WriteObjectToString(item, version_));
    if (!dump) {
      error_ = WriteError::kException;
      return;
    }
    Ref<> pair = Ref<>::steal(PyTuple_Pack(2, dump.get(), item));
    if (!pair || PyList_Append(pairs.get(), pair.get()) < 0) {
      error_ = WriteError::kException;
      return;
    }
  }
  if (PyList_Sort(pairs.get()) < 0) {
    error_ = WriteError::kException;
    return;
  }
  items.reset();  // an item owned by the set alone must look so
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pairs.get()); i++) {
    write_object(PyTuple_GET_ITEM(PyList_GET_ITEM(pairs.get(), i), 1));
  }
}

void Writer::write_code(PyObject* value, int flag) {
  auto* code = reinterpret_cast<PyCodeObject*>(value);
  Ref<> bytes = Ref<>::steal(_PyCode_GetCode(code));
  if (!bytes) {
    error_ = WriteError::kException;
    return;
  }
  write_type(kCode, flag);
  for (int number : {code->co_argcount, code->co_posonlyargcount, code->co_kwonlyargcount, code->co_stacksize,
                     code->co_flags}) {
    write_long(number);
  }
  for (PyObject* part : {bytes.get(), code->co_consts, code->co_names, code->co_localsplusnames,
                         code->co_localspluskinds, code->co_filename, code->co_name, code->co_qualname}) {
    write_object(part);
  }
  write_long(code->co_firstlineno);
  write_object(code->co_linetable);
  write_object(code->co_exceptiontable);
}

void Writer::write_buffer(PyObject* value, int flag) {
  Py_buffer view;
  if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) != 0) {
    PyErr_Clear();
    write_byte(kUnknown);
    error_ = WriteError::kUnmarshallable;
    return;
  }
  write_type(kBytes, flag);
  write_sized(static_cast<const char*>(view.buf), view.len);
  PyBuffer_Release(&view);
}

}  // namespace
}  // namespace pyston::marshal

using pyston::marshal::Writer;

/// New bytes object. ValueError for what the format can't express.
PyObject* PyMarshal_WriteObjectToString(PyObject* value, int version) {
  if (PySys_Audit("marshal.dumps", "Oi", value, version) < 0) return nullptr;
  Writer writer(version);
  writer.write_object(value);
  if (!writer.finish()) return nullptr;
  return PyBytes_FromStringAndSize(writer.bytes().data(), static_cast<Py_ssize_t>(writer.bytes().size()));
}

void PyMarshal_WriteLongToFile(long value, FILE* file, int) {
  unsigned char bytes[4];
  for (int i = 0; i < 4; i++) bytes[i] = static_cast<unsigned char>(value >> (8 * i));
  fwrite(bytes, 1, sizeof bytes, file);
}

/// Errors are left to the caller's ferror(). QUIRK: what can't be marshalled becomes '?' without an exception.
void PyMarshal_WriteObjectToFile(PyObject* value, FILE* file, int version) {
  if (PySys_Audit("marshal.dumps", "Oi", value, version) < 0) return;
  Writer writer(version);
  writer.write_object(value);
  fwrite(writer.bytes().data(), 1, writer.bytes().size(), file);
}
