// _struct: packs values into bytes and back as C lays them out.
//
// A format is compiled once into codes, one per value or run of values; a byte order turns into a flag of the whole
// Struct, so that one packer and one unpacker per kind of value serve all sizes and orders.
#include <cstring>

#include "Objects/bind.h"
#include "Objects/numbers/int.h"
#include "pycore_abstract.h"
#include "structmember.h"

using namespace pyston;

namespace {

enum class Kind : uint8_t { kPad, kSigned, kUnsigned, kBool, kHalf, kFloat, kDouble, kChar, kBytes, kPascal, kPointer };

struct FormatCode {
  char letter;
  Kind kind;
  int native_size;       // 0: not allowed
  int native_alignment;
  int standard_size;     // 0: not allowed
};
constexpr FormatCode kFormatCodes[] = {
    {'x', Kind::kPad, 1, 0, 1},      {'b', Kind::kSigned, 1, 0, 1},   {'B', Kind::kUnsigned, 1, 0, 1},
    {'c', Kind::kChar, 1, 0, 1},     {'s', Kind::kBytes, 1, 0, 1},    {'p', Kind::kPascal, 1, 0, 1},
    {'h', Kind::kSigned, 2, 2, 2},   {'H', Kind::kUnsigned, 2, 2, 2}, {'i', Kind::kSigned, 4, 4, 4},
    {'I', Kind::kUnsigned, 4, 4, 4}, {'l', Kind::kSigned, 8, 8, 4},   {'L', Kind::kUnsigned, 8, 8, 4},
    {'n', Kind::kSigned, 8, 8, 0},   {'N', Kind::kUnsigned, 8, 8, 0}, {'q', Kind::kSigned, 8, 8, 8},
    {'Q', Kind::kUnsigned, 8, 8, 8}, {'?', Kind::kBool, 1, 0, 1},     {'e', Kind::kHalf, 2, 2, 2},
    {'f', Kind::kFloat, 4, 4, 4},    {'d', Kind::kDouble, 8, 8, 8},   {'P', Kind::kPointer, 8, 8, 0},
};

/// A run of `repeat` values of one kind from `offset` on ('s' and 'p': one value of `size` bytes).
struct Code {
  Kind kind;
  char letter;
  Py_ssize_t offset;
  Py_ssize_t size;
  Py_ssize_t repeat;
};

/// `codes` is null until __init__ has run.
struct StructObject {
  PyObject_HEAD
  Py_ssize_t size;
  Py_ssize_t value_count;
  Py_ssize_t code_count;
  Code* codes;
  bool native;
  bool big_endian;
  PyObject* format;
  PyObject* weak_references;
};

struct UnpackIterator {
  PyObject_HEAD
  StructObject* layout;  // null when exhausted
  Py_buffer buffer;
  Py_ssize_t index;
};

struct StructState {
  PyObject* struct_type;
  PyObject* iterator_type;
  PyObject* error;
  PyObject* cache;  // format -> Struct
};
extern PyModuleDef struct_module;
StructState* state_of(PyObject* module) { return static_cast<StructState*>(PyModule_GetState(module)); }
StructState* state_of_type(PyTypeObject* type) {
  PyObject* module = PyType_GetModuleByDef(type, &struct_module);
  return module == nullptr ? nullptr : state_of(module);
}
StructState* state_of_struct(StructObject* self) { return state_of_type(Py_TYPE(self)); }

// Compiling a format ------------------------------------------------------------------------------------------------

Status compile_format(StructObject* self, StructState* state, const char* format, Py_ssize_t length) {
  const char* p = format;
  const char* stop = format + length;
  if (memchr(format, '\0', static_cast<size_t>(length)) != nullptr) return raise(state->error, "embedded null character");
  bool native = true;
  bool big_endian = false;
  bool align = true;
  if (p < stop && strchr("@=<>!", *p) != nullptr) {
    native = align = *p == '@';
    big_endian = *p == '>' || *p == '!';
    p++;
  }
  const auto too_long = [&] { return raise(state->error, "total struct size too long"); };
  Code* codes = static_cast<Code*>(PyMem_Malloc(static_cast<size_t>(stop - p + 1) * sizeof(Code)));
  if (codes == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  const auto fail = [&](Failure failure) {
    PyMem_Free(codes);
    return failure;
  };
  Py_ssize_t size = 0;
  Py_ssize_t values = 0;
  Py_ssize_t count = 0;
  while (p < stop) {
    if (Py_ISSPACE(*p)) {
      p++;
      continue;
    }
    Py_ssize_t repeat = 1;
    if (Py_ISDIGIT(*p)) {
      repeat = 0;
      for (; p < stop && Py_ISDIGIT(*p); p++) {
        if (__builtin_mul_overflow(repeat, 10, &repeat) || __builtin_add_overflow(repeat, *p - '0', &repeat)) return fail(too_long());
      }
      if (p == stop) return fail(raise(state->error, "repeat count given without format specifier"));
    }
    const FormatCode* found = nullptr;
    for (const FormatCode& code : kFormatCodes) {
      if (code.letter == *p && (native ? code.native_size : code.standard_size) != 0) found = &code;
    }
    if (found == nullptr) return fail(raise(state->error, "bad char in struct format"));
    p++;
    const Py_ssize_t item_size = native ? found->native_size : found->standard_size;
    if (align && found->native_alignment > 1) {
      const Py_ssize_t alignment = found->native_alignment;
      if (size > PY_SSIZE_T_MAX - alignment) return fail(too_long());
      size = (size + alignment - 1) / alignment * alignment;
    }
    Py_ssize_t total;
    if (__builtin_mul_overflow(repeat, item_size, &total)) return fail(too_long());
    const bool one_value = found->kind == Kind::kBytes || found->kind == Kind::kPascal;
    if (found->kind != Kind::kPad && (one_value || repeat > 0)) {
      codes[count++] = {found->kind, found->letter, size, one_value ? repeat : item_size, one_value ? 1 : repeat};
      if (__builtin_add_overflow(values, one_value ? 1 : repeat, &values)) return fail(too_long());
    }
    if (__builtin_add_overflow(size, total, &size)) return fail(too_long());
  }
  PyMem_Free(self->codes);
  self->codes = codes;
  self->code_count = count;
  self->size = size;
  self->value_count = values;
  self->native = native;
  self->big_endian = big_endian;
  return Status::kOk;
}

// Unpacking ---------------------------------------------------------------------------------------------------------

ALWAYS_INLINE uint64_t load_word(const char* p, Py_ssize_t size, bool big_endian) {
  switch (size) {
    case 1: return static_cast<uint8_t>(*p);
    case 2: {
      uint16_t word;
      memcpy(&word, p, 2);
      return big_endian ? __builtin_bswap16(word) : word;
    }
    case 4: {
      uint32_t word;
      memcpy(&word, p, 4);
      return big_endian ? __builtin_bswap32(word) : word;
    }
    default: {
      uint64_t word;
      memcpy(&word, p, 8);
      return big_endian ? __builtin_bswap64(word) : word;
    }
  }
}
ALWAYS_INLINE void store_word(char* p, Py_ssize_t size, bool big_endian, uint64_t value) {
  switch (size) {
    case 1: *p = static_cast<char>(value); break;
    case 2: {
      const uint16_t word = big_endian ? __builtin_bswap16(static_cast<uint16_t>(value)) : static_cast<uint16_t>(value);
      memcpy(p, &word, 2);
      break;
    }
    case 4: {
      const uint32_t word = big_endian ? __builtin_bswap32(static_cast<uint32_t>(value)) : static_cast<uint32_t>(value);
      memcpy(p, &word, 4);
      break;
    }
    default: {
      const uint64_t word = big_endian ? __builtin_bswap64(value) : value;
      memcpy(p, &word, 8);
    }
  }
}

PyObject* unpack_value(const StructObject* self, const Code& code, const char* p) {
  switch (code.kind) {
    case Kind::kSigned: {
      const int shift = static_cast<int>(64 - 8 * code.size);
      return int_from_int64(static_cast<int64_t>(load_word(p, code.size, self->big_endian) << shift) >> shift);
    }
    case Kind::kUnsigned:
    case Kind::kPointer:
      return PyLong_FromUnsignedLongLong(load_word(p, code.size, self->big_endian));
    case Kind::kBool: return PyBool_FromLong(*p != 0);
    case Kind::kHalf: return PyFloat_FromDouble(PyFloat_Unpack2(p, !self->big_endian));
    case Kind::kFloat: return PyFloat_FromDouble(PyFloat_Unpack4(p, !self->big_endian));
    case Kind::kDouble: return PyFloat_FromDouble(PyFloat_Unpack8(p, !self->big_endian));
    case Kind::kChar: return PyBytes_FromStringAndSize(p, 1);
    case Kind::kBytes: return PyBytes_FromStringAndSize(p, code.size);
    case Kind::kPascal: {
      const Py_ssize_t length = code.size == 0 ? 0 : Py_MIN(static_cast<Py_ssize_t>(static_cast<unsigned char>(*p)), code.size - 1);
      return PyBytes_FromStringAndSize(p + 1, length);
    }
    case Kind::kPad: break;
  }
  Py_UNREACHABLE();
}

PyObject* unpack(const StructObject* self, const char* data) {
  PyObject* result = PyTuple_New(self->value_count);
  if (result == nullptr) return nullptr;
  Py_ssize_t next = 0;
  for (Py_ssize_t i = 0; i < self->code_count; i++) {
    const Code& code = self->codes[i];
    const char* p = data + code.offset;
    for (Py_ssize_t k = 0; k < code.repeat; k++, p += code.size) {
      PyObject* value = unpack_value(self, code, p);
      if (UNLIKELY(value == nullptr)) {
        Py_DECREF(result);
        return nullptr;
      }
      PyTuple_SET_ITEM(result, next++, value);
    }
  }
  return result;
}

// Packing -----------------------------------------------------------------------------------------------------------

COLD Failure range_error(StructState* state, const Code& code) {
  const bool is_signed = code.kind == Kind::kSigned;
  const int bits = static_cast<int>(8 * code.size);
  const long long low = is_signed ? static_cast<long long>(~uint64_t{0} << (bits - 1)) : 0;
  const unsigned long long high = is_signed ? (uint64_t{1} << (bits - 1)) - 1 : ~uint64_t{0} >> (64 - bits);
  const char* name = code.letter == 'b' ? "byte" : code.letter == 'B' ? "ubyte" : code.letter == 'h' ? "short" : code.letter == 'H' ? "ushort" : nullptr;
  if (name != nullptr) return raise(state->error, "%s format requires %lld <= number <= %llu", name, low, high);
  return raise(state->error, "'%c' format requires %lld <= number <= %llu", code.letter, low, high);
}

Status pack_integer(StructState* state, const Code& code, bool big_endian, PyObject* value, char* p) {
  Ref<> owner;
  if (!PyLong_Check(value)) {
    if (!_PyIndex_Check(value)) return raise(state->error, "required argument is not an integer");
    owner = Ref<>::steal(PyNumber_Index(value));
    if (!owner) return Status::kError;
    value = owner.get();
  }
  if (code.kind == Kind::kPointer) {
    void* pointer = PyLong_AsVoidPtr(value);
    if (pointer == nullptr && PyErr_Occurred()) {
      if (PyErr_ExceptionMatches(PyExc_OverflowError)) return raise(state->error, "int too large to convert");
      return Status::kError;
    }
    store_word(p, 8, big_endian, reinterpret_cast<uint64_t>(pointer));
    return Status::kOk;
  }
  const int shift = static_cast<int>(64 - 8 * code.size);
  // Types shorter than an int are read as signed longs, whatever their sign: that decides which message a value gets.
  if (code.kind == Kind::kSigned || code.size < 4) {
    int overflow;
    const long number = PyLong_AsLongAndOverflow(value, &overflow);
    if (overflow != 0) return raise(state->error, "argument out of range");
    const long narrow = code.kind == Kind::kSigned ? static_cast<long>(static_cast<uint64_t>(number) << shift) >> shift
                                                   : static_cast<long>(static_cast<uint64_t>(number) << shift >> shift);
    if (narrow != number) return range_error(state, code);
    store_word(p, code.size, big_endian, static_cast<uint64_t>(number));
    return Status::kOk;
  }
  const unsigned long number = PyLong_AsUnsignedLong(value);
  if (number == static_cast<unsigned long>(-1) && PyErr_Occurred()) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) return raise(state->error, "argument out of range");
    return Status::kError;
  }
  if (number << shift >> shift != number) return range_error(state, code);
  store_word(p, code.size, big_endian, number);
  return Status::kOk;
}

Status pack_real(const StructObject* self, StructState* state, const Code& code, PyObject* value, char* p) {
  const double number = PyFloat_AsDouble(value);
  if (number == -1.0 && PyErr_Occurred()) return raise(state->error, "required argument is not a float");
  if (code.kind == Kind::kDouble) return static_cast<Status>(PyFloat_Pack8(number, p, !self->big_endian));
  if (code.kind == Kind::kHalf) return static_cast<Status>(PyFloat_Pack2(number, p, !self->big_endian));
  if (self->native) {  // QUIRK: C's conversion, which gives infinity where the standard formats raise
    const float narrow = static_cast<float>(number);
    memcpy(p, &narrow, sizeof(narrow));
    return Status::kOk;
  }
  return static_cast<Status>(PyFloat_Pack4(number, p, !self->big_endian));
}

Status pack_bytes(StructState* state, const Code& code, PyObject* value, char* p) {
  const bool is_bytes = PyBytes_Check(value);
  if (!is_bytes && !PyByteArray_Check(value)) return raise(state->error, "argument for '%c' must be a bytes object", code.letter);
  const char* data = is_bytes ? PyBytes_AS_STRING(value) : PyByteArray_AS_STRING(value);
  Py_ssize_t length = Py_SIZE(value);
  if (code.kind == Kind::kPascal) {
    if (code.size == 0) return Status::kOk;
    length = Py_MIN(length, code.size - 1);
    memcpy(p + 1, data, static_cast<size_t>(length));
    *p = static_cast<char>(Py_MIN(length, 255));
  } else {
    memcpy(p, data, static_cast<size_t>(Py_MIN(length, code.size)));
  }
  return Status::kOk;
}

Status pack_value(const StructObject* self, StructState* state, const Code& code, PyObject* value, char* p) {
  switch (code.kind) {
    case Kind::kSigned:
    case Kind::kUnsigned:
    case Kind::kPointer:
      return pack_integer(state, code, self->big_endian, value, p);
    case Kind::kBool: {
      const int truth = PyObject_IsTrue(value);
      if (truth < 0) return Status::kError;
      *p = static_cast<char>(truth);
      return Status::kOk;
    }
    case Kind::kHalf:
    case Kind::kFloat:
    case Kind::kDouble:
      return pack_real(self, state, code, value, p);
    case Kind::kChar:
      if (!PyBytes_Check(value) || PyBytes_GET_SIZE(value) != 1) {
        return raise(state->error, "char format requires a bytes object of length 1");
      }
      *p = PyBytes_AS_STRING(value)[0];
      return Status::kOk;
    default:
      return pack_bytes(state, code, value, p);
  }
}

Status pack(const StructObject* self, StructState* state, PyObject* const* values, char* out) {
  memset(out, 0, static_cast<size_t>(self->size));
  for (Py_ssize_t i = 0; i < self->code_count; i++) {
    const Code& code = self->codes[i];
    char* p = out + code.offset;
    for (Py_ssize_t k = 0; k < code.repeat; k++, p += code.size) VM_CHECK(pack_value(self, state, code, *values++, p));
  }
  return Status::kOk;
}

// The type Struct ---------------------------------------------------------------------------------------------------

Status check_ready(const StructObject* self) {
  return self->codes != nullptr ? Status::kOk : raise(PyExc_RuntimeError, "Struct object is not initialized");
}

Status struct_init(Borrowed<StructObject> self, Borrowed<> format_argument) {
  Ref<> format;
  if (PyUnicode_Check(format_argument.get())) {
    format = Ref<>::steal(PyUnicode_AsASCIIString(format_argument));
    if (!format) return Status::kError;
  } else if (PyBytes_Check(format_argument.get())) {
    format = Ref<>::dup(format_argument.get());
  } else {
    return raise(PyExc_TypeError, "Struct() argument 1 must be a str or bytes object, not %.200s",
                 _PyType_Name(Py_TYPE(format_argument.get())));
  }
  StructState* state = state_of_struct(self);
  if (state == nullptr) return Status::kError;
  VM_CHECK(compile_format(self, state, PyBytes_AS_STRING(format.get()), PyBytes_GET_SIZE(format.get())));
  Py_XSETREF(self->format, format.release());
  return Status::kOk;
}

void struct_dealloc(PyObject* object) {
  StructObject* self = reinterpret_cast<StructObject*>(object);
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  if (self->weak_references != nullptr) PyObject_ClearWeakRefs(object);
  PyMem_Free(self->codes);
  Py_XDECREF(self->format);
  type->tp_free(object);
  Py_DECREF(type);
}
int struct_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  return 0;
}

PyObject* struct_unpack(Borrowed<StructObject> self, Buffer buffer) {
  VM_CHECK(check_ready(self));
  if (buffer.size() != self->size) {
    StructState* state = state_of_struct(self);
    return state == nullptr ? nullptr : static_cast<PyObject*>(raise(state->error, "unpack requires a buffer of %zd bytes", self->size));
  }
  return unpack(self, buffer.data());
}

PyObject* struct_unpack_from(Borrowed<StructObject> self, Buffer buffer, Optional<Py_ssize_t> offset_argument) {
  VM_CHECK(check_ready(self));
  StructState* state = state_of_struct(self);
  if (state == nullptr) return nullptr;
  Py_ssize_t offset = offset_argument.value_or(0);
  if (offset < 0) {
    if (offset + self->size > 0) {
      return raise(state->error, "not enough data to unpack %zd bytes at offset %zd", self->size, offset);
    }
    if (offset + buffer.size() < 0) {
      return raise(state->error, "offset %zd out of range for %zd-byte buffer", offset, buffer.size());
    }
    offset += buffer.size();
  }
  if (buffer.size() - offset < self->size) {
    return raise(state->error,
                 "unpack_from requires a buffer of at least %zu bytes for unpacking %zd bytes at offset %zd (actual "
                 "buffer size is %zd)",
                 static_cast<size_t>(self->size) + static_cast<size_t>(offset), self->size, offset, buffer.size());
  }
  return unpack(self, buffer.data() + offset);
}

PyObject* struct_pack(Borrowed<StructObject> self, Arguments args) {
  VM_CHECK(check_ready(self));
  StructState* state = state_of_struct(self);
  if (state == nullptr) return nullptr;
  if (static_cast<Py_ssize_t>(args.size()) != self->value_count) {
    return raise(state->error, "pack expected %zd items for packing (got %zd)", self->value_count, static_cast<Py_ssize_t>(args.size()));
  }
  Ref<> result = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, self->size));
  if (!result || self->size == 0) return result.release();
  return ok(pack(self, state, args.data(), PyBytes_AS_STRING(result.get()))) ? result.release() : nullptr;
}

PyObject* struct_pack_into(Borrowed<StructObject> self, Arguments args) {
  VM_CHECK(check_ready(self));
  StructState* state = state_of_struct(self);
  if (state == nullptr) return nullptr;
  const Py_ssize_t given = static_cast<Py_ssize_t>(args.size());
  if (given != self->value_count + 2) {
    if (given == 0) return raise(state->error, "pack_into expected buffer argument");
    if (given == 1) return raise(state->error, "pack_into expected offset argument");
    return raise(state->error, "pack_into expected %zd items for packing (got %zd)", self->value_count, given - 2);
  }
  Py_buffer buffer;
  if (PyObject_GetBuffer(args[0], &buffer, PyBUF_WRITABLE) < 0) {
    PyErr_Clear();
    return raise(PyExc_TypeError, "argument must be read-write bytes-like object, not %.50s", Py_TYPE(args[0])->tp_name);
  }
  const auto finish = [&](PyObject* result) {
    PyBuffer_Release(&buffer);
    return result;
  };
  Py_ssize_t offset = PyNumber_AsSsize_t(args[1], PyExc_IndexError);
  if (offset == -1 && PyErr_Occurred()) return finish(nullptr);
  if (offset < 0) {
    if (offset + self->size > 0) {
      return finish(raise(state->error, "no space to pack %zd bytes at offset %zd", self->size, offset));
    }
    if (offset + buffer.len < 0) {
      return finish(raise(state->error, "offset %zd out of range for %zd-byte buffer", offset, buffer.len));
    }
    offset += buffer.len;
  }
  if (buffer.len - offset < self->size) {
    return finish(raise(state->error,
                        "pack_into requires a buffer of at least %zu bytes for packing %zd bytes at offset %zd (actual "
                        "buffer size is %zd)",
                        static_cast<size_t>(self->size) + static_cast<size_t>(offset), self->size, offset, buffer.len));
  }
  const bool done = ok(pack(self, state, args.data() + 2, static_cast<char*>(buffer.buf) + offset));
  return finish(done ? Py_NewRef(Py_None) : nullptr);
}

PyObject* struct_iter_unpack(Borrowed<StructObject> self, Borrowed<> source) {
  VM_CHECK(check_ready(self));
  StructState* state = state_of_struct(self);
  if (state == nullptr) return nullptr;
  if (self->size == 0) return raise(state->error, "cannot iteratively unpack with a struct of length 0");
  PyTypeObject* type = reinterpret_cast<PyTypeObject*>(state->iterator_type);
  UnpackIterator* it = reinterpret_cast<UnpackIterator*>(type->tp_alloc(type, 0));
  if (it == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(it);
  if (PyObject_GetBuffer(source, &it->buffer, PyBUF_SIMPLE) < 0) {
    it->buffer.obj = nullptr;
    return nullptr;
  }
  if (it->buffer.len % self->size != 0) {
    return raise(state->error, "iterative unpacking requires a buffer of a multiple of %zd bytes", self->size);
  }
  it->layout = reinterpret_cast<StructObject*>(Py_NewRef(self.object()));
  it->index = 0;
  return owner.release();
}

PyObject* struct_sizeof(Borrowed<StructObject> self) {
  // QUIRK: the sizes of CPython's layout, with its terminating code.
  constexpr Py_ssize_t kObjectSize = 56;
  constexpr Py_ssize_t kCodeSize = 32;
  return PyLong_FromSsize_t(kObjectSize + (self->code_count + 1) * kCodeSize);
}
PyObject* struct_get_format(Borrowed<StructObject> self) {
  VM_CHECK(check_ready(self));
  return PyUnicode_FromStringAndSize(PyBytes_AS_STRING(self->format), PyBytes_GET_SIZE(self->format));
}
PyObject* struct_get_size(Borrowed<StructObject> self) {
  VM_CHECK(check_ready(self));
  return PyLong_FromSsize_t(self->size);
}

PyMethodDef struct_methods[] = {
    method<struct_iter_unpack, "iter_unpack($self, buffer, /)",
           "An iterator that unpacks one Struct after the other from a buffer of a multiple of its size.">(),
    method<struct_pack, "pack(*args)", "S.pack(v1, v2, ...) -> bytes\n\nThe values packed as the format says.">(),
    method<struct_pack_into, "pack_into(*args)",
           "S.pack_into(buffer, offset, v1, v2, ...)\n\nPacks the values into a writable buffer from the offset on.">(),
    method<struct_unpack, "unpack($self, buffer, /)", "A tuple of the values in the buffer, whose size is the Struct's.">(),
    method<struct_unpack_from, "unpack_from($self, /, buffer, offset=0)",
           "A tuple of the values in the buffer from the offset on.">(),
    method<struct_sizeof, "__sizeof__($self, /)", "S.__sizeof__() -> size of S in memory, in bytes">(),
    {}};
PyGetSetDef struct_getset[] = {getset<struct_get_format>("format", "struct format string"),
                               getset<struct_get_size>("size", "struct size in bytes"), {}};
PyMemberDef struct_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(StructObject, weak_references), READONLY, nullptr}, {}};
PyType_Slot struct_type_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(struct_dealloc)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_setattro, reinterpret_cast<void*>(PyObject_GenericSetAttr)},
    {Py_tp_doc, const_cast<char*>("Struct(fmt) --> compiled struct object")},
    {Py_tp_traverse, reinterpret_cast<void*>(struct_traverse)},
    {Py_tp_methods, struct_methods},
    {Py_tp_members, struct_members},
    {Py_tp_getset, struct_getset},
    {Py_tp_init, reinterpret_cast<void*>(initializer<struct_init, "Struct($self, format)">)},
    {Py_tp_alloc, reinterpret_cast<void*>(PyType_GenericAlloc)},
    {Py_tp_new, reinterpret_cast<void*>(PyType_GenericNew)},
    {Py_tp_free, reinterpret_cast<void*>(PyObject_GC_Del)},
    {0, nullptr}};
PyType_Spec struct_type_spec = {"_struct.Struct", sizeof(StructObject), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                                struct_type_slots};

// Iterator ----------------------------------------------------------------------------------------------------------

UnpackIterator* as_iterator(PyObject* self) { return reinterpret_cast<UnpackIterator*>(self); }
void iterator_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  Py_XDECREF(as_object(as_iterator(self)->layout));
  PyBuffer_Release(&as_iterator(self)->buffer);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}
int iterator_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as_iterator(self)->layout);
  Py_VISIT(as_iterator(self)->buffer.obj);
  return 0;
}
PyObject* iterator_next(PyObject* self) {
  UnpackIterator* it = as_iterator(self);
  if (it->layout == nullptr) return nullptr;
  if (it->index >= it->buffer.len) {
    Py_CLEAR(it->layout);
    PyBuffer_Release(&it->buffer);
    return nullptr;
  }
  PyObject* result = unpack(it->layout, static_cast<char*>(it->buffer.buf) + it->index);
  it->index += it->layout->size;
  return result;
}
PyObject* iterator_length_hint(Borrowed<UnpackIterator> self) {
  return PyLong_FromSsize_t(self->layout == nullptr ? 0 : (self->buffer.len - self->index) / self->layout->size);
}
PyMethodDef iterator_methods[] = {method<iterator_length_hint, "__length_hint__($self, /)">(), {}};
PyType_Slot iterator_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(iterator_dealloc)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_traverse, reinterpret_cast<void*>(iterator_traverse)},
    {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(iterator_next)},
    {Py_tp_methods, iterator_methods},
    {0, nullptr}};
PyType_Spec iterator_spec = {"_struct.unpack_iterator", sizeof(UnpackIterator), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                             iterator_slots};

// Module functions --------------------------------------------------------------------------------------------------

constexpr Py_ssize_t kCacheLimit = 100;

/// The Struct for a format, from the cache if it is there. Returns new.
Ref<> struct_for(PyObject* module, PyObject* format) {
  StructState* state = state_of(module);
  PyObject* cached = PyDict_GetItemWithError(state->cache, format);
  if (cached != nullptr) return Ref<>::dup(cached);
  if (PyErr_Occurred()) return nullptr;
  Ref<> created = Ref<>::steal(PyObject_CallOneArg(state->struct_type, format));
  if (!created) return nullptr;
  if (PyDict_GET_SIZE(state->cache) >= kCacheLimit) PyDict_Clear(state->cache);
  if (PyDict_SetItem(state->cache, format, created.get()) < 0) PyErr_Clear();  // it is only a cache
  return created;
}
StructObject* as_struct(const Ref<>& object) { return reinterpret_cast<StructObject*>(object.get()); }

PyObject* module_calcsize(PyObject* module, Borrowed<> format) {
  Ref<> layout = struct_for(module, format);
  return layout ? PyLong_FromSsize_t(as_struct(layout)->size) : nullptr;
}
Status module_clearcache(PyObject* module) {
  PyDict_Clear(state_of(module)->cache);
  return Status::kOk;
}
PyObject* module_pack(PyObject* module, Arguments args) {
  if (args.empty()) return raise(PyExc_TypeError, "missing format argument");
  Ref<> layout = struct_for(module, args[0]);
  return layout ? struct_pack(as_struct(layout), args.subspan(1)) : nullptr;
}
PyObject* module_pack_into(PyObject* module, Arguments args) {
  if (args.empty()) return raise(PyExc_TypeError, "missing format argument");
  Ref<> layout = struct_for(module, args[0]);
  return layout ? struct_pack_into(as_struct(layout), args.subspan(1)) : nullptr;
}
PyObject* module_unpack(PyObject* module, Borrowed<> format, Buffer buffer) {
  Ref<> layout = struct_for(module, format);
  return layout ? struct_unpack(as_struct(layout), std::move(buffer)) : nullptr;
}
PyObject* module_unpack_from(PyObject* module, Borrowed<> format, Buffer buffer, Optional<Py_ssize_t> offset) {
  Ref<> layout = struct_for(module, format);
  return layout ? struct_unpack_from(as_struct(layout), std::move(buffer), offset) : nullptr;
}
PyObject* module_iter_unpack(PyObject* module, Borrowed<> format, Borrowed<> buffer) {
  Ref<> layout = struct_for(module, format);
  return layout ? struct_iter_unpack(as_struct(layout), buffer) : nullptr;
}

PyMethodDef module_methods[] = {
    method<module_clearcache, "_clearcache($module, /)", "Clear the internal cache.">(),
    method<module_calcsize, "calcsize($module, format, /)", "Size in bytes of what the format describes.">(),
    method<module_iter_unpack, "iter_unpack($module, format, buffer, /)", "See Struct.iter_unpack.">(),
    method<module_pack, "pack(*args)", "pack(format, v1, v2, ...) -> bytes\n\nThe values packed as the format says.">(),
    method<module_pack_into, "pack_into(*args)", "pack_into(format, buffer, offset, v1, v2, ...)\n\nSee Struct.pack_into.">(),
    method<module_unpack, "unpack($module, format, buffer, /)", "A tuple of the values in the buffer.">(),
    method<module_unpack_from, "unpack_from($module, format, /, buffer, offset=0)",
           "A tuple of the values in the buffer from the offset on.">(),
    {}};

int module_exec(PyObject* module) {
  StructState* state = state_of(module);
  state->cache = PyDict_New();
  if (state->cache == nullptr) return -1;
  state->struct_type = PyType_FromModuleAndSpec(module, &struct_type_spec, nullptr);
  if (state->struct_type == nullptr) return -1;
  if (PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(state->struct_type)) < 0) return -1;
  state->iterator_type = PyType_FromModuleAndSpec(module, &iterator_spec, nullptr);
  if (state->iterator_type == nullptr) return -1;
  state->error = PyErr_NewException("struct.error", nullptr, nullptr);
  if (state->error == nullptr) return -1;
  return PyModule_AddObjectRef(module, "error", state->error);
}
int module_traverse(PyObject* module, visitproc visit, void* arg) {
  StructState* state = state_of(module);
  if (state == nullptr) return 0;
  Py_VISIT(state->struct_type);
  Py_VISIT(state->iterator_type);
  Py_VISIT(state->error);
  Py_VISIT(state->cache);
  return 0;
}
int module_clear(PyObject* module) {
  StructState* state = state_of(module);
  if (state == nullptr) return 0;
  Py_CLEAR(state->struct_type);
  Py_CLEAR(state->iterator_type);
  Py_CLEAR(state->error);
  Py_CLEAR(state->cache);
  return 0;
}

PyModuleDef_Slot module_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(module_exec)}, {}};
PyModuleDef struct_module = {
    PyModuleDef_HEAD_INIT,
    "_struct",
    "Functions to convert between Python values and C structs.\n"
    "Python bytes objects are used to hold the data representing the C struct\n"
    "and also as format strings (explained below) to describe the layout of data\nin the C struct.\n\n"
    "First character of a format: @ native order, size and alignment (default), = native order, < little-endian,\n"
    "> or ! big-endian, all three with standard sizes and without alignment.\n"
    "Then, each with an optional count: x pad byte; c char; b/B, h/H, i/I, l/L, q/Q, n/N signed and unsigned\n"
    "integers; ? bool; e, f, d floats; s bytes (the count is its length); p Pascal string; P pointer.",
    sizeof(StructState),
    module_methods,
    module_slots,
    module_traverse,
    module_clear,
    [](void* module) { module_clear(static_cast<PyObject*>(module)); },
};

}  // namespace

PyMODINIT_FUNC PyInit__struct(void) { return PyModuleDef_Init(&struct_module); }
