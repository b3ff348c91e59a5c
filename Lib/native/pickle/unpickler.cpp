// Unpickler, load() and loads(): a stack machine that runs the opcodes of a pickle.
//
// Whatever the bytes say, it must end in an exception at worst: every read, pop, mark and memo access is checked.
#include <cctype>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "Lib/native/pickle/memo_proxy.h"
#include "Lib/native/pickle/pickle.h"

namespace pyston::pickling {

PyTypeObject* g_unpickler_type = nullptr;

namespace {

using Unpickler = UnpicklerObject*;
constexpr Py_ssize_t kNearMemo = 1 << 16;  // memo indices below it are always in the array
constexpr Py_ssize_t kPrefetch = 128 * 1024;

ALWAYS_INLINE Unpickler as_unpickler(PyObject* object) { return reinterpret_cast<Unpickler>(object); }

// ---- input -------------------------------------------------------------------------------------------------------

COLD Failure truncated() { return raise(shared().unpickling_error, "pickle data was truncated"); }

/// Moves the file's own position behind what was used of the bytes peeked at, and drops them.
Status skip_used(Unpickler self) {
  const bool peeked = std::exchange(self->peeked, 0) != 0;
  const Py_ssize_t used = self->position;
  Ref<> old = Ref<>::steal(std::exchange(self->input_owner, nullptr));
  self->input = nullptr;
  self->input_size = self->position = 0;
  if (!peeked || used == 0) return Status::kOk;
  Ref<> read = Ref<>::dup(self->read);
  return Ref<>::steal(PyObject_CallFunction(read.get(), "n", used)) ? Status::kOk : Status::kError;
}
Status check_bytes(PyObject* data, const char* method) {
  if (PyBytes_Check(data)) return Status::kOk;
  return raise(PyExc_ValueError, "%s() returned non-bytes object (%.200s)", method, Py_TYPE(data)->tp_name);
}
void set_input(Unpickler self, PyObject* stolen, int peeked) {
  Ref<> old = Ref<>::steal(std::exchange(self->input_owner, stolen));
  self->input = PyBytes_AS_STRING(stolen);
  self->input_size = PyBytes_GET_SIZE(stolen);
  self->position = 0;
  self->peeked = peeked;
}

COLD const char* read_from_file(Unpickler self, Py_ssize_t size) {
  if (size > PY_SSIZE_T_MAX - self->position) {
    return raise(shared().unpickling_error, "read would overflow (invalid bytecode)");
  }
  if (self->read == nullptr) return truncated();
  VM_CHECK(skip_used(self));
  if (self->peek != nullptr && size < kPrefetch) {
    Ref<> peek = Ref<>::dup(self->peek);
    Ref<> data = Ref<>::steal(PyObject_CallFunction(peek.get(), "n", kPrefetch));
    if (!data) {
      if (!PyErr_ExceptionMatches(PyExc_NotImplementedError)) return nullptr;
      PyErr_Clear();
      Py_CLEAR(self->peek);
    } else {
      VM_CHECK(check_bytes(data.get(), "peek"));
      if (PyBytes_GET_SIZE(data.get()) >= size) {
        set_input(self, data.release(), 1);
        self->position = size;
        return self->input;
      }
    }
  }
  Ref<> read = Ref<>::dup(self->read);
  Ref<> data = Ref<>::steal(PyObject_CallFunction(read.get(), "n", size));
  if (!data) return nullptr;
  VM_CHECK(check_bytes(data.get(), "read"));
  if (PyBytes_GET_SIZE(data.get()) < size) return truncated();
  set_input(self, data.release(), 0);
  self->position = size;
  return self->input;
}
/// The next `size` bytes; valid until the next read or call of Python code.
ALWAYS_INLINE const char* fetch(Unpickler self, Py_ssize_t size) {
  if (LIKELY(size <= self->input_size - self->position)) {
    const char* data = self->input + self->position;
    self->position += size;
    return data;
  }
  return read_from_file(self, size);
}

/// Fills `out`, the memory of `owner`, which stays alive.
Status fetch_into(Unpickler self, char* out, Py_ssize_t size) {
  const Py_ssize_t available = self->input_size - self->position;
  if (size <= available) {
    memcpy(out, self->input + self->position, static_cast<size_t>(size));
    self->position += size;
    return Status::kOk;
  }
  if (self->read == nullptr) return truncated();
  memcpy(out, self->input + self->position, static_cast<size_t>(available));
  self->position += available;
  out += available;
  size -= available;
  VM_CHECK(skip_used(self));
  if (self->readinto == nullptr) {
    Ref<> read = Ref<>::dup(self->read);
    Ref<> data = Ref<>::steal(PyObject_CallFunction(read.get(), "n", size));
    if (!data) return Status::kError;
    VM_CHECK(check_bytes(data.get(), "read"));
    if (PyBytes_GET_SIZE(data.get()) < size) return truncated();
    memcpy(out, PyBytes_AS_STRING(data.get()), static_cast<size_t>(size));
    return Status::kOk;
  }
  Ref<> view = Ref<>::steal(PyMemoryView_FromMemory(out, size, PyBUF_WRITE));
  Ref<> readinto = Ref<>::dup(self->readinto);
  Ref<> count = view ? Ref<>::steal(PyObject_CallOneArg(readinto.get(), view.get())) : nullptr;
  if (!count) return Status::kError;
  const Py_ssize_t got = PyLong_AsSsize_t(count.get());
  if (got < 0) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "readinto() returned negative size");
    return Status::kError;
  }
  return got < size ? truncated() : Status::kOk;
}

/// A line without its end, NUL-terminated, in self->line; `size` is its length. Null on failure.
const char* fetch_line(Unpickler self, Py_ssize_t& size) {
  const char* start = self->input + self->position;
  const auto* end = static_cast<const char*>(
      self->input_size > self->position
          ? memchr(start, '\n', static_cast<size_t>(self->input_size - self->position))
          : nullptr);
  Ref<> data;
  Py_ssize_t length;
  if (end != nullptr) {
    length = end + 1 - start;
    self->position += length;
  } else {
    if (self->readline == nullptr) return truncated();
    VM_CHECK(skip_used(self));
    Ref<> readline = Ref<>::dup(self->readline);
    data = Ref<>::steal(PyObject_CallNoArgs(readline.get()));
    if (!data) return nullptr;
    VM_CHECK(check_bytes(data.get(), "readline"));
    start = PyBytes_AS_STRING(data.get());
    length = PyBytes_GET_SIZE(data.get());
    if (length == 0 || start[length - 1] != '\n') return truncated();
  }
  char* line = static_cast<char*>(PyMem_Realloc(self->line, static_cast<size_t>(length) + 1));
  if (line == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  memcpy(line, start, static_cast<size_t>(length));
  line[length - 1] = '\0';
  line[length] = '\0';
  self->line = line;
  self->line_size = length;
  size = length - 1;
  return line;
}

/// A line that must hold something.
const char* fetch_filled_line(Unpickler self, Py_ssize_t& size) {
  const char* line = fetch_line(self, size);
  return line != nullptr && size == 0 ? truncated() : line;
}

size_t little_endian(const char* data, int bytes) {
  size_t value = 0;
  for (int i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(data[i]);
  return value;
}
/// An unsigned count of `bytes` bytes. kMissing stands for none: an exception is set.
Status fetch_count(Unpickler self, int bytes, Py_ssize_t& out, const char* what) {
  const char* data = fetch(self, bytes);
  if (data == nullptr) return Status::kError;
  const size_t value = little_endian(data, bytes);
  if (value > static_cast<size_t>(PY_SSIZE_T_MAX)) {
    return raise(PyExc_OverflowError, "%s exceeds system's maximum size of %zd bytes", what, PY_SSIZE_T_MAX);
  }
  out = static_cast<Py_ssize_t>(value);
  return Status::kOk;
}

// ---- stack -------------------------------------------------------------------------------------------------------

COLD Failure underflow(Unpickler self) {
  return raise(shared().unpickling_error,
               self->mark_count > 0 ? "unexpected MARK found" : "unpickling stack underflow");
}
COLD Status grow_stack(Unpickler self) {
  const Py_ssize_t size = self->stack_allocated + (self->stack_allocated >> 1) + 16;
  PyObject** stack = self->stack;
  PyMem_Resize(stack, PyObject*, static_cast<size_t>(size));
  if (stack == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  self->stack = stack;
  self->stack_allocated = size;
  return Status::kOk;
}
/// Takes the reference over; null is a failure passed on.
ALWAYS_INLINE Status push(Unpickler self, PyObject* stolen) {
  if (UNLIKELY(stolen == nullptr)) return Status::kError;
  if (UNLIKELY(self->stack_size == self->stack_allocated) && failed(grow_stack(self))) {
    Py_DECREF(stolen);
    return Status::kError;
  }
  self->stack[self->stack_size++] = stolen;
  return Status::kOk;
}
Status push(Unpickler self, Ref<> value) { return push(self, value.release()); }
ALWAYS_INLINE Ref<> pop(Unpickler self) {
  if (UNLIKELY(self->stack_size <= self->fence)) return underflow(self);
  return Ref<>::steal(self->stack[--self->stack_size]);
}
/// Borrowed from the stack.
ALWAYS_INLINE PyObject* top(Unpickler self) {
  if (UNLIKELY(self->stack_size <= self->fence)) return underflow(self);
  return self->stack[self->stack_size - 1];
}
void cut_stack(Unpickler self, Py_ssize_t size) {
  while (self->stack_size > size) Py_DECREF(self->stack[--self->stack_size]);
}
Status push_mark(Unpickler self) {
  if (self->mark_count == self->marks_allocated) {
    const Py_ssize_t size = self->marks_allocated * 2 + 20;
    Py_ssize_t* marks = self->marks;
    PyMem_Resize(marks, Py_ssize_t, static_cast<size_t>(size));
    if (marks == nullptr) {
      PyErr_NoMemory();
      return Status::kError;
    }
    self->marks = marks;
    self->marks_allocated = size;
  }
  self->marks[self->mark_count++] = self->fence = self->stack_size;
  return Status::kOk;
}
/// Takes the last mark away and gives its place.
Status pop_mark(Unpickler self, Py_ssize_t& place) {
  if (self->mark_count < 1) return raise(shared().unpickling_error, "could not find MARK");
  place = self->marks[--self->mark_count];
  self->fence = self->mark_count > 0 ? self->marks[self->mark_count - 1] : 0;
  return Status::kOk;
}
Ref<> take_tuple(Unpickler self, Py_ssize_t start) {
  if (start < self->fence || start > self->stack_size) return underflow(self);
  const Py_ssize_t size = self->stack_size - start;
  Ref<> tuple = Ref<>::steal(PyTuple_New(size));
  if (!tuple) return nullptr;
  for (Py_ssize_t i = 0; i < size; i++) PyTuple_SET_ITEM(tuple.get(), i, self->stack[start + i]);
  self->stack_size = start;
  return tuple;
}
Ref<> take_list(Unpickler self, Py_ssize_t start) {
  if (start < self->fence || start > self->stack_size) return underflow(self);
  const Py_ssize_t size = self->stack_size - start;
  Ref<> list = Ref<>::steal(PyList_New(size));
  if (!list) return nullptr;
  for (Py_ssize_t i = 0; i < size; i++) PyList_SET_ITEM(list.get(), i, self->stack[start + i]);
  self->stack_size = start;
  return list;
}

// ---- memo --------------------------------------------------------------------------------------------------------

Status resize_memo(Unpickler self, Py_ssize_t size) {
  if (static_cast<size_t>(size) > PY_SSIZE_T_MAX / sizeof(PyObject*)) {
    PyErr_NoMemory();
    return Status::kError;
  }
  PyObject** memo = self->memo;
  PyMem_Resize(memo, PyObject*, static_cast<size_t>(size));
  if (memo == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  self->memo = memo;
  for (Py_ssize_t i = self->memo_allocated; i < size; i++) memo[i] = nullptr;
  self->memo_allocated = size;
  return Status::kOk;
}
/// The array would be mostly empty: a damaged or hostile pickle may name any number.
bool is_far(Unpickler self, Py_ssize_t index) { return index >= kNearMemo && index / 4 > self->memo_used; }

/// Borrowed from far_memo; null when it isn't there or, with an exception set, on failure.
COLD PyObject* far_memo_get(Unpickler self, Py_ssize_t index) {
  Ref<> key = Ref<>::steal(PyLong_FromSsize_t(index));
  return key ? PyDict_GetItemWithError(self->far_memo, key.get()) : nullptr;
}
COLD Status far_memo_set(Unpickler self, Py_ssize_t index, PyObject* value) {
  if (self->far_memo == nullptr && (self->far_memo = PyDict_New()) == nullptr) return Status::kError;
  Ref<> key = Ref<>::steal(PyLong_FromSsize_t(index));
  if (!key) return Status::kError;
  const Py_ssize_t before = PyDict_GET_SIZE(self->far_memo);
  VM_CHECK(PyDict_SetItem(self->far_memo, key.get(), value));
  self->memo_used += PyDict_GET_SIZE(self->far_memo) - before;
  return Status::kOk;
}
/// An index lives in far_memo once it was far, whatever the array grows to.
COLD Status memo_set_beyond(Unpickler self, Py_ssize_t index, PyObject* value, bool& done) {
  done = index >= self->memo_allocated && is_far(self, index);
  if (!done && self->far_memo != nullptr) {
    done = far_memo_get(self, index) != nullptr;
    if (!done && PyErr_Occurred()) return Status::kError;
  }
  if (done) return far_memo_set(self, index, value);
  return index < self->memo_allocated ? Status::kOk : resize_memo(self, index * 2 > 32 ? index * 2 : 32);
}
Status memo_set(Unpickler self, Py_ssize_t index, PyObject* value) {
  if (UNLIKELY(index >= self->memo_allocated || self->far_memo != nullptr)) {
    bool done;
    VM_CHECK(memo_set_beyond(self, index, value, done));
    if (done) return Status::kOk;
  }
  PyObject* old = std::exchange(self->memo[index], Py_NewRef(value));
  if (old == nullptr) {
    self->memo_used++;
  } else {
    Py_DECREF(old);
  }
  return Status::kOk;
}
Status push_memo(Unpickler self, Py_ssize_t index) {
  PyObject* value = index >= 0 && index < self->memo_allocated ? self->memo[index] : nullptr;
  if (UNLIKELY(value == nullptr) && index >= 0 && self->far_memo != nullptr) {
    value = far_memo_get(self, index);
    if (value == nullptr && PyErr_Occurred()) return Status::kError;
  }
  if (UNLIKELY(value == nullptr)) {
    return raise(shared().unpickling_error, "Memo value not found at index %ld", static_cast<long>(index));
  }
  return push(self, Py_NewRef(value));
}
Status store_top(Unpickler self, Py_ssize_t index) {
  PyObject* value = top(self);
  if (value == nullptr) return Status::kError;
  return memo_set(self, index, value);
}
void drop_memo(Unpickler self) {
  PyObject** memo = std::exchange(self->memo, nullptr);
  const Py_ssize_t size = std::exchange(self->memo_allocated, 0);
  self->memo_used = 0;
  Py_CLEAR(self->far_memo);
  for (Py_ssize_t i = 0; i < size; i++) Py_XDECREF(memo[i]);
  PyMem_Free(memo);
}
/// A filled line with its end, which is part of what error messages show.
const char* fetch_number_line(Unpickler self, Py_ssize_t& size) {
  if (fetch_filled_line(self, size) == nullptr) return nullptr;
  self->line[size] = '\n';  // the line is followed by two zeros
  return self->line;
}
Status parse_index(const char* line, Py_ssize_t& out) {
  Ref<> number = Ref<>::steal(PyLong_FromString(line, nullptr, 10));
  if (!number) return Status::kError;
  out = PyLong_AsSsize_t(number.get());
  return out == -1 && PyErr_Occurred() ? Status::kError : Status::kOk;
}

// ---- values ------------------------------------------------------------------------------------------------------

Status load_int_line(Unpickler self) {
  Py_ssize_t size;
  const char* line = fetch_filled_line(self, size);
  if (line == nullptr) return Status::kError;
  if (size == 2 && line[0] == '0' && (line[1] == '0' || line[1] == '1')) {
    return push(self, PyBool_FromLong(line[1] == '1'));
  }
  Ref<> value = Ref<>::steal(PyLong_FromString(line, nullptr, 0));
  if (!value && PyErr_ExceptionMatches(PyExc_ValueError)) {
    PyErr_Clear();
    return raise(PyExc_ValueError, "could not convert string to int");
  }
  return push(self, std::move(value));
}
Status load_long_line(Unpickler self) {
  Py_ssize_t size;
  const char* line = fetch_number_line(self, size);
  if (line == nullptr) return Status::kError;
  if (line[size - 1] == 'L') self->line[size - 1] = '\0';
  return push(self, PyLong_FromString(self->line, nullptr, 0));
}
Status load_float_line(Unpickler self) {
  Py_ssize_t size;
  const char* line = fetch_filled_line(self, size);
  if (line == nullptr) return Status::kError;
  char* end;
  const double value = PyOS_string_to_double(line, &end, PyExc_OverflowError);
  if (value == -1.0 && PyErr_Occurred()) return Status::kError;
  if (end == line || *end != '\0') return raise(PyExc_ValueError, "could not convert string to float");
  return push(self, PyFloat_FromDouble(value));
}
Status load_binary_float(Unpickler self) {
  const char* data = fetch(self, 8);
  if (data == nullptr) return Status::kError;
  const double value = PyFloat_Unpack8(data, 0);
  if (value == -1.0 && PyErr_Occurred()) return Status::kError;
  return push(self, PyFloat_FromDouble(value));
}
Status load_binary_int(Unpickler self, int bytes) {
  const char* data = fetch(self, bytes);
  if (data == nullptr) return Status::kError;
  const size_t value = little_endian(data, bytes);
  return push(self, PyLong_FromLong(bytes == 4 ? static_cast<int>(static_cast<unsigned>(value)) : static_cast<long>(value)));
}
Status load_binary_long(Unpickler self, int count_bytes) {
  const char* data = fetch(self, count_bytes);
  if (data == nullptr) return Status::kError;
  Py_ssize_t size = static_cast<Py_ssize_t>(little_endian(data, count_bytes));
  if (count_bytes == 4) size = static_cast<int>(static_cast<unsigned>(size));
  if (size < 0) return raise(shared().unpickling_error, "LONG pickle has negative byte count");
  if (size == 0) return push(self, PyLong_FromLong(0));
  data = fetch(self, size);
  if (data == nullptr) return Status::kError;
  return push(self, _PyLong_FromByteArray(reinterpret_cast<const unsigned char*>(data), static_cast<size_t>(size), 1, 1));
}

/// A Python 2 str: text in the encoding asked for, or bytes.
Status push_python2_string(Unpickler self, const char* data, Py_ssize_t size) {
  if (strcmp(self->encoding, "bytes") == 0) return push(self, PyBytes_FromStringAndSize(data, size));
  Ref<> bytes = Ref<>::steal(PyBytes_FromStringAndSize(data, size));  // a codec may use this unpickler
  if (!bytes) return Status::kError;
  return push(self, PyUnicode_FromEncodedObject(bytes.get(), self->encoding, self->errors));
}
Status load_string_line(Unpickler self) {
  Py_ssize_t size;
  const char* line = fetch_line(self, size);
  if (line == nullptr) return Status::kError;
  if (size < 2 || line[0] != line[size - 1] || (line[0] != '\'' && line[0] != '"')) {
    return raise(shared().unpickling_error, "the STRING opcode argument must be quoted");
  }
  Ref<> bytes = Ref<>::steal(PyBytes_DecodeEscape(line + 1, size - 2, nullptr, 0, nullptr));
  if (!bytes) return Status::kError;
  return push_python2_string(self, PyBytes_AS_STRING(bytes.get()), PyBytes_GET_SIZE(bytes.get()));
}
Status load_binary_string(Unpickler self, int count_bytes) {
  const char* data = fetch(self, count_bytes);
  if (data == nullptr) return Status::kError;
  const auto size = static_cast<Py_ssize_t>(little_endian(data, count_bytes));
  data = fetch(self, size);
  return data != nullptr ? push_python2_string(self, data, size) : Status::kError;
}
Status load_unicode_line(Unpickler self) {
  Py_ssize_t size;
  const char* line = fetch_line(self, size);
  if (line == nullptr) return Status::kError;
  return push(self, PyUnicode_DecodeRawUnicodeEscape(line, size, nullptr));
}
ALWAYS_INLINE Status load_text(Unpickler self, int count_bytes) {
  Py_ssize_t size;
  VM_CHECK(fetch_count(self, count_bytes, size, "BINUNICODE"));
  const char* data = fetch(self, size);
  return data != nullptr ? push(self, PyUnicode_DecodeUTF8(data, size, "surrogatepass")) : Status::kError;
}
Status check_available(Unpickler self, Py_ssize_t size) {
  return self->read == nullptr && size > self->input_size - self->position ? truncated() : Status::kOk;
}
Status load_bytes(Unpickler self, int count_bytes) {
  Py_ssize_t size;
  VM_CHECK(fetch_count(self, count_bytes, size, "BINBYTES"));
  VM_CHECK(check_available(self, size));
  Ref<> bytes = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, size));
  if (!bytes) return Status::kError;
  VM_CHECK(fetch_into(self, PyBytes_AS_STRING(bytes.get()), size));
  return push(self, std::move(bytes));
}
Status load_bytearray(Unpickler self) {
  Py_ssize_t size;
  VM_CHECK(fetch_count(self, 8, size, "BYTEARRAY8"));
  VM_CHECK(check_available(self, size));
  Ref<> bytes = Ref<>::steal(PyByteArray_FromStringAndSize(nullptr, size));
  if (!bytes) return Status::kError;
  VM_CHECK(fetch_into(self, PyByteArray_AS_STRING(bytes.get()), size));
  return push(self, std::move(bytes));
}
Status load_next_buffer(Unpickler self) {
  if (self->buffers == nullptr) {
    return raise(shared().unpickling_error,
                 "pickle stream refers to out-of-band data but no *buffers* argument was given");
  }
  Ref<> buffers = Ref<>::dup(self->buffers);
  Ref<> buffer = Ref<>::steal(PyIter_Next(buffers.get()));
  if (!buffer && !PyErr_Occurred()) return raise(shared().unpickling_error, "not enough out-of-band buffers");
  return push(self, std::move(buffer));
}
Status load_readonly_buffer(Unpickler self) {
  Ref<> buffer = Ref<>::dup(top(self));
  if (!buffer) return Status::kError;
  Ref<> view = Ref<>::steal(PyMemoryView_FromObject(buffer.get()));
  if (!view) return Status::kError;
  if (PyMemoryView_GET_BUFFER(view.get())->readonly) return Status::kOk;
  Ref<> readonly = Ref<>::steal(PyObject_CallMethod(view.get(), "toreadonly", nullptr));
  if (!readonly) return Status::kError;
  Ref<> old = pop(self);
  return old ? push(self, std::move(readonly)) : Status::kError;
}

// ---- containers --------------------------------------------------------------------------------------------------

Status load_small_tuple(Unpickler self, Py_ssize_t size) {
  if (self->stack_size - size < self->fence) return underflow(self);
  return push(self, take_tuple(self, self->stack_size - size));
}
Status load_marked_tuple(Unpickler self) {
  Py_ssize_t start;
  VM_CHECK(pop_mark(self, start));
  return push(self, take_tuple(self, start));
}
Status load_marked_list(Unpickler self) {
  Py_ssize_t start;
  VM_CHECK(pop_mark(self, start));
  return push(self, take_list(self, start));
}
Status load_frozenset(Unpickler self) {
  Py_ssize_t start;
  VM_CHECK(pop_mark(self, start));
  Ref<> items = take_tuple(self, start);
  return items ? push(self, PyFrozenSet_New(items.get())) : Status::kError;
}
Status load_marked_dict(Unpickler self) {
  Py_ssize_t start;
  VM_CHECK(pop_mark(self, start));
  Ref<> items = take_tuple(self, start);
  if (!items) return Status::kError;
  const Py_ssize_t size = PyTuple_GET_SIZE(items.get());
  if (size % 2 != 0) return raise(shared().unpickling_error, "odd number of items for DICT");
  Ref<> dict = Ref<>::steal(PyDict_New());
  if (!dict) return Status::kError;
  for (Py_ssize_t i = 0; i < size; i += 2) {
    if (PyDict_SetItem(dict.get(), PyTuple_GET_ITEM(items.get(), i), PyTuple_GET_ITEM(items.get(), i + 1)) < 0) {
      return Status::kError;
    }
  }
  return push(self, std::move(dict));
}

/// Everything from `start` on goes into the list below it.
Status append_from(Unpickler self, Py_ssize_t start) {
  if (start <= self->fence || start > self->stack_size) return underflow(self);
  const Py_ssize_t count = self->stack_size - start;
  if (count == 0) return Status::kOk;
  Ref<> list = Ref<>::dup(self->stack[start - 1]);
  if (PyList_CheckExact(list.get())) {
    if (count == 1) {
      Ref<> item = pop(self);
      return item && PyList_Append(list.get(), item.get()) == 0 ? Status::kOk : Status::kError;
    }
    Ref<> items = take_list(self, start);
    if (!items) return Status::kError;
    const Py_ssize_t size = PyList_GET_SIZE(list.get());
    return PyList_SetSlice(list.get(), size, size, items.get()) == 0 ? Status::kOk : Status::kError;
  }
  Ref<> items = take_list(self, start);
  if (!items) return Status::kError;
  PyObject* method;
  static PyObject* extend = PyUnicode_InternFromString("extend");
  static PyObject* append = PyUnicode_InternFromString("append");
  if (_PyObject_LookupAttr(list.get(), extend, &method) < 0) return Status::kError;
  if (method != nullptr) {
    Ref<> owner = Ref<>::steal(method);
    return Ref<>::steal(PyObject_CallOneArg(method, items.get())) ? Status::kOk : Status::kError;
  }
  // QUIRK: an object with append() alone is served too.
  Ref<> append_method = Ref<>::steal(PyObject_GetAttr(list.get(), append));
  if (!append_method) return Status::kError;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.get()); i++) {
    if (!Ref<>::steal(PyObject_CallOneArg(append_method.get(), PyList_GET_ITEM(items.get(), i)))) {
      return Status::kError;
    }
  }
  return Status::kOk;
}
Status set_items_from(Unpickler self, Py_ssize_t start) {
  if (start <= self->fence || start > self->stack_size) return underflow(self);
  const Py_ssize_t count = self->stack_size - start;
  if (count == 0) return Status::kOk;
  if (count % 2 != 0) return raise(shared().unpickling_error, "odd number of items for SETITEMS");
  Ref<> dict = Ref<>::dup(self->stack[start - 1]);
  Ref<> items = take_tuple(self, start);
  if (!items) return Status::kError;
  const bool exact = PyDict_CheckExact(dict.get());
  for (Py_ssize_t i = 0; i < count; i += 2) {
    PyObject *key = PyTuple_GET_ITEM(items.get(), i), *value = PyTuple_GET_ITEM(items.get(), i + 1);
    const int failure = exact ? PyDict_SetItem(dict.get(), key, value) : PyObject_SetItem(dict.get(), key, value);
    if (failure < 0) return Status::kError;
  }
  return Status::kOk;
}
Status load_additems(Unpickler self) {
  Py_ssize_t start;
  VM_CHECK(pop_mark(self, start));
  if (start <= self->fence || start > self->stack_size) return underflow(self);
  if (start == self->stack_size) return Status::kOk;
  Ref<> set = Ref<>::dup(self->stack[start - 1]);
  Ref<> items = take_tuple(self, start);
  if (!items) return Status::kError;
  if (PySet_Check(set.get())) return _PySet_Update(set.get(), items.get()) == 0 ? Status::kOk : Status::kError;
  static PyObject* add = PyUnicode_InternFromString("add");
  Ref<> method = Ref<>::steal(PyObject_GetAttr(set.get(), add));
  if (!method) return Status::kError;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items.get()); i++) {
    if (!Ref<>::steal(PyObject_CallOneArg(method.get(), PyTuple_GET_ITEM(items.get(), i)))) return Status::kError;
  }
  return Status::kOk;
}

// ---- classes and instances ---------------------------------------------------------------------------------------

Ref<> find_class(Unpickler self, PyObject* module_name, PyObject* name) {
  static PyObject* method = PyUnicode_InternFromString("find_class");
  PyObject* arguments[3] = {as_object(self), module_name, name};
  return Ref<>::steal(PyObject_VectorcallMethod(method, arguments, 3, nullptr));
}

/// The default: imports the module and looks the name up in it.
Ref<> import_class(Borrowed<UnpicklerObject> self, PyObject* given_module, PyObject* given_name) {
  if (PySys_Audit("pickle.find_class", "OO", given_module, given_name) < 0) return nullptr;
  Ref<> module_name = Ref<>::dup(given_module), name = Ref<>::dup(given_name);
  if (self->protocol < 3 && self->fix_imports) {
    Ref<> key = Ref<>::steal(PyTuple_Pack(2, given_module, given_name));
    if (!key) return nullptr;
    PyObject* mapped = PyDict_GetItemWithError(shared().name_mapping, key.get());
    if (mapped != nullptr) {
      if (!PyTuple_Check(mapped) || PyTuple_GET_SIZE(mapped) != 2) {
        return raise(PyExc_RuntimeError, "_compat_pickle.NAME_MAPPING values should be 2-tuples, not %.200s",
                     Py_TYPE(mapped)->tp_name);
      }
      module_name = Ref<>::dup(PyTuple_GET_ITEM(mapped, 0));
      name = Ref<>::dup(PyTuple_GET_ITEM(mapped, 1));
    } else {
      if (PyErr_Occurred()) return nullptr;
      mapped = PyDict_GetItemWithError(shared().import_mapping, given_module);
      if (mapped != nullptr) module_name = Ref<>::dup(mapped);
      if (mapped == nullptr && PyErr_Occurred()) return nullptr;
    }
  }
  if (!PyUnicode_Check(module_name.get()) || !PyUnicode_Check(name.get())) {
    return raise(PyExc_TypeError, "find_class() arguments must be str");
  }
  // An import, not a look-up in sys.modules: another thread may be in the middle of importing the module.
  Ref<> module = Ref<>::steal(PyImport_Import(module_name.get()));
  if (!module) return nullptr;
  if (self->protocol >= 4) VM_CHECK(check_dotted_name(name.get(), module.get()));
  Ref<> found = self->protocol >= 4 ? get_deep_attribute(module.get(), name.get(), nullptr)
                                    : Ref<>::steal(PyObject_GetAttr(module.get(), name.get()));
  if (!found && PyErr_ExceptionMatches(PyExc_AttributeError)) {
    PyErr_Clear();
    return raise(PyExc_AttributeError, "Can't get attribute %R on %R", name.get(), module.get());
  }
  return found;
}

Ref<> fetch_global(Unpickler self, bool ascii) {
  Ref<> parts[2];
  for (Ref<>& part : parts) {
    Py_ssize_t size;
    const char* line = fetch_filled_line(self, size);
    if (line == nullptr) return nullptr;
    part = Ref<>::steal(ascii ? PyUnicode_DecodeASCII(line, size, "strict") : PyUnicode_DecodeUTF8(line, size, "strict"));
    if (!part) return nullptr;
  }
  return find_class(self, parts[0].get(), parts[1].get());
}
Status load_stack_global(Unpickler self) {
  Ref<> name = pop(self);
  Ref<> module_name = name ? pop(self) : nullptr;
  if (!module_name || !PyUnicode_CheckExact(name.get()) || !PyUnicode_CheckExact(module_name.get())) {
    return raise(shared().unpickling_error, "STACK_GLOBAL requires str");
  }
  return push(self, find_class(self, module_name.get(), name.get()));
}
Status load_extension(Unpickler self, int bytes) {
  const char* data = fetch(self, bytes);
  if (data == nullptr) return Status::kError;
  long code = static_cast<long>(little_endian(data, bytes));
  if (bytes == 4) code = static_cast<int>(static_cast<unsigned>(code));
  if (code <= 0) return raise(shared().unpickling_error, "EXT specifies code <= 0");
  Ref<> number = Ref<>::steal(PyLong_FromLong(code));
  if (!number) return Status::kError;
  PyObject* value = PyDict_GetItemWithError(shared().extension_cache, number.get());
  if (value != nullptr) return push(self, Py_NewRef(value));
  if (PyErr_Occurred()) return Status::kError;
  Ref<> pair = Ref<>::dup(PyDict_GetItemWithError(shared().inverted_registry, number.get()));
  if (!pair) {
    if (PyErr_Occurred()) return Status::kError;
    return raise(PyExc_ValueError, "unregistered extension code %ld", code);
  }
  if (!PyTuple_Check(pair.get()) || PyTuple_GET_SIZE(pair.get()) != 2 ||
      !PyUnicode_Check(PyTuple_GET_ITEM(pair.get(), 0)) || !PyUnicode_Check(PyTuple_GET_ITEM(pair.get(), 1))) {
    return raise(PyExc_ValueError, "_inverted_registry[%ld] isn't a 2-tuple of strings", code);
  }
  Ref<> found = find_class(self, PyTuple_GET_ITEM(pair.get(), 0), PyTuple_GET_ITEM(pair.get(), 1));
  if (!found || PyDict_SetItem(shared().extension_cache, number.get(), found.get()) < 0) return Status::kError;
  return push(self, std::move(found));
}

/// INST and OBJ: an old-style instance, made without __init__ when there are no arguments.
Ref<> instantiate(PyObject* cls, PyObject* arguments) {
  if (PyTuple_GET_SIZE(arguments) == 0 && PyType_Check(cls)) {
    static PyObject* name = PyUnicode_InternFromString("__getinitargs__");
    PyObject* method;
    if (_PyObject_LookupAttr(cls, name, &method) < 0) return nullptr;
    if (method == nullptr) return Ref<>::steal(PyObject_CallMethodOneArg(cls, &_Py_ID(__new__), cls));
    Py_DECREF(method);
  }
  return Ref<>::steal(PyObject_CallObject(cls, arguments));
}
Status load_inst(Unpickler self) {
  Py_ssize_t start;
  VM_CHECK(pop_mark(self, start));
  Ref<> arguments = take_tuple(self, start);
  if (!arguments) return Status::kError;
  Ref<> cls = fetch_global(self, true);
  return cls ? push(self, instantiate(cls.get(), arguments.get())) : Status::kError;
}
Status load_obj(Unpickler self) {
  Py_ssize_t start;
  VM_CHECK(pop_mark(self, start));
  if (self->stack_size - start < 1) return underflow(self);
  Ref<> arguments = take_tuple(self, start + 1);
  if (!arguments) return Status::kError;
  Ref<> cls = pop(self);
  return cls ? push(self, instantiate(cls.get(), arguments.get())) : Status::kError;
}
Status load_newobj(Unpickler self, bool with_keywords) {
  const char* opcode = with_keywords ? "NEWOBJ_EX" : "NEWOBJ";
  Ref<> kwargs;
  if (with_keywords) {
    kwargs = pop(self);
    if (!kwargs) return Status::kError;
  }
  Ref<> arguments = pop(self);
  if (!arguments) return Status::kError;
  Ref<> cls = pop(self);
  if (!cls) return Status::kError;
  if (!PyType_Check(cls.get())) {
    return raise(shared().unpickling_error, "%s class argument must be a type, not %.200s", opcode,
                 Py_TYPE(cls.get())->tp_name);
  }
  auto* type = reinterpret_cast<PyTypeObject*>(cls.get());
  if (type->tp_new == nullptr) {
    return raise(shared().unpickling_error, "%s class argument '%.200s' doesn't have __new__", opcode, type->tp_name);
  }
  if (!PyTuple_Check(arguments.get())) {
    return raise(shared().unpickling_error, "%s args argument must be a tuple, not %.200s", opcode,
                 Py_TYPE(arguments.get())->tp_name);
  }
  if (with_keywords && !PyDict_Check(kwargs.get())) {
    return raise(shared().unpickling_error, "%s kwargs argument must be a dict, not %.200s", opcode,
                 Py_TYPE(kwargs.get())->tp_name);
  }
  return push(self, type->tp_new(type, arguments.get(), kwargs.get()));
}
Status load_reduce(Unpickler self) {
  Ref<> arguments = pop(self);
  if (!arguments) return Status::kError;
  Ref<> function = pop(self);
  if (!function) return Status::kError;
  if (!PyTuple_Check(arguments.get())) {
    return raise(PyExc_TypeError, "argument list must be a tuple");
  }
  return push(self, PyObject_CallObject(function.get(), arguments.get()));
}

Status update_attributes(PyObject* instance, PyObject* state) {
  if (!PyDict_Check(state)) return raise(shared().unpickling_error, "state is not a dictionary");
  Ref<> dict = Ref<>::steal(PyObject_GetAttr(instance, &_Py_ID(__dict__)));
  if (!dict) return Status::kError;
  Py_ssize_t position = 0;
  PyObject *key, *value;
  while (PyDict_Next(state, &position, &key, &value)) {
    // Attribute names are interned, as the compiler's are: look-ups then compare pointers.
    Py_INCREF(key);
    if (PyUnicode_CheckExact(key)) PyUnicode_InternInPlace(&key);
    Ref<> key_owner = Ref<>::steal(key), value_owner = Ref<>::dup(value);
    const int failure = PyDict_CheckExact(dict.get()) ? PyDict_SetItem(dict.get(), key, value)
                                                      : PyObject_SetItem(dict.get(), key, value);
    if (failure < 0) return Status::kError;
  }
  return Status::kOk;
}
Status load_build(Unpickler self) {
  if (self->stack_size - 2 < self->fence) return underflow(self);
  Ref<> state = pop(self);
  if (!state) return Status::kError;
  Ref<> instance = Ref<>::dup(top(self));
  if (!instance) return Status::kError;
  PyObject* setstate;
  if (_PyObject_LookupAttr(instance.get(), &_Py_ID(__setstate__), &setstate) < 0) return Status::kError;
  if (setstate != nullptr) {
    Ref<> owner = Ref<>::steal(setstate);
    return Ref<>::steal(PyObject_CallOneArg(setstate, state.get())) ? Status::kOk : Status::kError;
  }
  PyObject *attributes = state.get(), *slots = nullptr;
  if (PyTuple_Check(state.get()) && PyTuple_GET_SIZE(state.get()) == 2) {
    attributes = PyTuple_GET_ITEM(state.get(), 0);
    slots = PyTuple_GET_ITEM(state.get(), 1);
  }
  if (attributes != Py_None) VM_CHECK(update_attributes(instance.get(), attributes));
  if (slots == nullptr || slots == Py_None) return Status::kOk;
  if (!PyDict_Check(slots)) return raise(shared().unpickling_error, "slot state is not a dictionary");
  Py_ssize_t position = 0;
  PyObject *key, *value;
  while (PyDict_Next(slots, &position, &key, &value)) {
    Ref<> key_owner = Ref<>::dup(key), value_owner = Ref<>::dup(value);
    if (PyObject_SetAttr(instance.get(), key, value) < 0) return Status::kError;
  }
  return Status::kOk;
}

Status push_persistent(Unpickler self, Ref<> id) {
  if (!id) return Status::kError;
  Ref<> function = Ref<>::dup(self->persistent_load);
  if (!function) {
    return raise(shared().unpickling_error,
                 "A load persistent id instruction was encountered,\nbut no persistent_load function was specified.");
  }
  return push(self, call_hook(function.get(), self->persistent_load_self, id.get()));
}
Status load_persistent_line(Unpickler self) {
  Py_ssize_t size;
  const char* line = fetch_line(self, size);
  if (line == nullptr) return Status::kError;
  Ref<> id = Ref<>::steal(PyUnicode_DecodeASCII(line, size, "strict"));
  if (!id && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
    return raise(shared().unpickling_error, "persistent IDs in protocol 0 must be ASCII strings");
  }
  return push_persistent(self, std::move(id));
}

// ---- the machine -------------------------------------------------------------------------------------------------

Status load_pop(Unpickler self) {
  // A mark on top is popped like a value.
  if (self->mark_count > 0 && self->marks[self->mark_count - 1] == self->stack_size) {
    Py_ssize_t place;
    return pop_mark(self, place);
  }
  return pop(self) ? Status::kOk : Status::kError;
}
Status load_pop_mark(Unpickler self) {
  Py_ssize_t place;
  VM_CHECK(pop_mark(self, place));
  cut_stack(self, place);
  return Status::kOk;
}
Status load_proto(Unpickler self) {
  const char* data = fetch(self, 1);
  if (data == nullptr) return Status::kError;
  const int protocol = static_cast<unsigned char>(*data);
  if (protocol > kHighestProtocol) return raise(PyExc_ValueError, "unsupported pickle protocol: %d", protocol);
  self->protocol = protocol;
  return Status::kOk;
}
Status load_frame(Unpickler self) {
  const char* data = fetch(self, 8);
  if (data == nullptr) return Status::kError;
  const size_t size = little_endian(data, 8);
  if (size > static_cast<size_t>(PY_SSIZE_T_MAX)) {
    return raise(PyExc_OverflowError, "FRAME length exceeds system's maximum of %zd bytes", PY_SSIZE_T_MAX);
  }
  // The frame is brought in at once; its opcodes are read from the input as ever.
  if (fetch(self, static_cast<Py_ssize_t>(size)) == nullptr) return Status::kError;
  self->position -= static_cast<Py_ssize_t>(size);
  return Status::kOk;
}
COLD Status bad_opcode(unsigned char opcode) {
  if (opcode >= 0x20 && opcode <= 0x7e && opcode != '\'' && opcode != '\\') {
    return raise(shared().unpickling_error, "invalid load key, '%c'.", opcode);
  }
  return raise(shared().unpickling_error, "invalid load key, '\\x%02x'.", opcode);
}
Status load_indexed(Unpickler self, unsigned char opcode) {
  const bool is_text = opcode == kGet || opcode == kPut;
  const bool is_get = opcode == kGet || opcode == kBinGet || opcode == kLongBinGet;
  Py_ssize_t index = 0;
  const char* line = nullptr;
  if (is_text) {
    line = fetch_number_line(self, index);
    if (line == nullptr) return Status::kError;
  } else {
    VM_CHECK(fetch_count(self, opcode == kBinGet || opcode == kBinPut ? 1 : 4, index, "memo index"));
  }
  if (!is_get && self->stack_size <= self->fence) return underflow(self);
  if (is_text) VM_CHECK(parse_index(line, index));
  if (is_get) return push_memo(self, index);
  if (index < 0) return raise(PyExc_ValueError, "negative PUT argument");
  return store_top(self, index);
}
template <auto Use>
Status with_mark(Unpickler self) {
  Py_ssize_t start;
  VM_CHECK(pop_mark(self, start));
  return Use(self, start);
}

Status execute(Unpickler self, unsigned char opcode) {
  switch (opcode) {
    case kNone: return push(self, Py_NewRef(Py_None));
    case kNewTrue: return push(self, Py_NewRef(Py_True));
    case kNewFalse: return push(self, Py_NewRef(Py_False));
    case kBinInt: return load_binary_int(self, 4);
    case kBinInt1: return load_binary_int(self, 1);
    case kBinInt2: return load_binary_int(self, 2);
    case kInt: return load_int_line(self);
    case kLong: return load_long_line(self);
    case kLong1: return load_binary_long(self, 1);
    case kLong4: return load_binary_long(self, 4);
    case kFloat: return load_float_line(self);
    case kBinFloat: return load_binary_float(self);
    case kShortBinBytes: return load_bytes(self, 1);
    case kBinBytes: return load_bytes(self, 4);
    case kBinBytes8: return load_bytes(self, 8);
    case kByteArray8: return load_bytearray(self);
    case kNextBuffer: return load_next_buffer(self);
    case kReadOnlyBuffer: return load_readonly_buffer(self);
    case kShortBinString: return load_binary_string(self, 1);
    case kBinString: return load_binary_string(self, 4);
    case kString: return load_string_line(self);
    case kUnicode: return load_unicode_line(self);
    case kShortBinUnicode: return load_text(self, 1);
    case kBinUnicode: return load_text(self, 4);
    case kBinUnicode8: return load_text(self, 8);
    case kEmptyTuple: return push(self, PyTuple_New(0));
    case kTuple1: return load_small_tuple(self, 1);
    case kTuple2: return load_small_tuple(self, 2);
    case kTuple3: return load_small_tuple(self, 3);
    case kTuple: return load_marked_tuple(self);
    case kEmptyList: return push(self, PyList_New(0));
    case kList: return load_marked_list(self);
    case kEmptyDict: return push(self, PyDict_New());
    case kDict: return load_marked_dict(self);
    case kEmptySet: return push(self, PySet_New(nullptr));
    case kAddItems: return load_additems(self);
    case kFrozenSet: return load_frozenset(self);
    case kObj: return load_obj(self);
    case kInst: return load_inst(self);
    case kNewObj: return load_newobj(self, false);
    case kNewObjEx: return load_newobj(self, true);
    case kGlobal: return push(self, fetch_global(self, false));
    case kStackGlobal: return load_stack_global(self);
    case kAppend: return append_from(self, self->stack_size - 1);
    case kAppends: return with_mark<append_from>(self);
    case kSetItem: return set_items_from(self, self->stack_size - 2);
    case kSetItems: return with_mark<set_items_from>(self);
    case kBuild: return load_build(self);
    case kDup: {
      PyObject* value = top(self);
      return value != nullptr ? push(self, Py_NewRef(value)) : Status::kError;
    }
    case kGet: case kBinGet: case kLongBinGet: case kPut: case kBinPut: case kLongBinPut:
      return load_indexed(self, opcode);
    case kMemoize: return store_top(self, self->memo_used);
    case kMark: return push_mark(self);
    case kPop: return load_pop(self);
    case kPopMark: return load_pop_mark(self);
    case kPersId: return load_persistent_line(self);
    case kBinPersId: return push_persistent(self, pop(self));
    case kReduce: return load_reduce(self);
    case kProto: return load_proto(self);
    case kFrame: return load_frame(self);
    case kExt1: return load_extension(self, 1);
    case kExt2: return load_extension(self, 2);
    case kExt4: return load_extension(self, 4);
    default: return bad_opcode(opcode);
  }
}

void reset(Unpickler self) {
  self->mark_count = 0;
  self->fence = 0;
  cut_stack(self, 0);
  self->protocol = 0;
}
Ref<> load(Unpickler self) {
  reset(self);
  while (true) {
    const char* data = fetch(self, 1);
    if (UNLIKELY(data == nullptr)) {
      if (PyErr_ExceptionMatches(shared().unpickling_error)) return raise(PyExc_EOFError, "Ran out of input");
      return nullptr;
    }
    const auto opcode = static_cast<unsigned char>(*data);
    if (opcode == kStop) break;
    if (UNLIKELY(failed(execute(self, opcode)))) {
      PyObject *type, *value, *traceback;
      PyErr_Fetch(&type, &value, &traceback);
      cut_stack(self, 0);
      PyErr_Restore(type, value, traceback);
      return nullptr;
    }
  }
  if (self->peeked) VM_CHECK(skip_used(self));
  return pop(self);
}

// ---- the object --------------------------------------------------------------------------------------------------

Unpickler new_unpickler(PyTypeObject* type) {
  Unpickler self = as_unpickler(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  if (failed(resize_memo(self, 32))) {
    Py_DECREF(as_object(self));
    return nullptr;
  }
  return self;
}
PyObject* unpickler_new(PyTypeObject* type, PyObject*, PyObject*) { return as_object(new_unpickler(type)); }

Status copy_name(PyObject* given, const char* missing, char*& out, int index) {
  const char* text = missing;
  if (given != nullptr) {
    static constexpr Signature signature = parse_signature("Unpickler(file, fix_imports, encoding, errors)");
    if (!binding::Convert<const char*>::convert(signature, index, given, text)) return Status::kError;
  }
  char* copy = static_cast<char*>(PyMem_Malloc(strlen(text) + 1));
  if (copy == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  memcpy(copy, text, strlen(text) + 1);
  PyMem_Free(std::exchange(out, copy));
  return Status::kOk;
}
Status configure(Unpickler self, PyObject* fix_imports, PyObject* encoding, PyObject* errors, PyObject* buffers) {
  VM_CHECK(copy_name(encoding, "ASCII", self->encoding, 2));
  VM_CHECK(copy_name(errors, "strict", self->errors, 3));
  self->fix_imports = fix_imports == nullptr ? 1 : PyObject_IsTrue(fix_imports);
  if (self->fix_imports < 0) return Status::kError;
  PyObject* iterator = nullptr;
  if (buffers != nullptr && buffers != Py_None) {
    iterator = PyObject_GetIter(buffers);
    if (iterator == nullptr) return Status::kError;
  }
  Py_XSETREF(self->buffers, iterator);
  return Status::kOk;
}
Status set_file(Unpickler self, PyObject* file) {
  PyObject *peek, *readinto, *read, *readline;
  if (_PyObject_LookupAttr(file, &_Py_ID(peek), &peek) < 0) return Status::kError;
  Py_XSETREF(self->peek, peek);
  if (_PyObject_LookupAttr(file, &_Py_ID(readinto), &readinto) < 0) return Status::kError;
  Py_XSETREF(self->readinto, readinto);
  if (_PyObject_LookupAttr(file, &_Py_ID(read), &read) < 0) return Status::kError;
  Py_XSETREF(self->read, read);
  if (_PyObject_LookupAttr(file, &_Py_ID(readline), &readline) < 0) return Status::kError;
  Py_XSETREF(self->readline, readline);
  if (read != nullptr && readline != nullptr) return Status::kOk;
  Py_CLEAR(self->read);
  return raise(PyExc_TypeError, "file must have 'read' and 'readline' attributes");
}

Status unpickler_init(Borrowed<UnpicklerObject> borrowed, PyObject* file, PyObject* fix_imports, PyObject* encoding,
                      PyObject* errors, PyObject* buffers) {
  Unpickler self = borrowed.get();
  Ref<> old_input = Ref<>::steal(std::exchange(self->input_owner, nullptr));
  self->input = nullptr;
  self->input_size = self->position = 0;
  self->peeked = 0;
  VM_CHECK(set_file(self, file));
  VM_CHECK(configure(self, fix_imports, encoding, errors, buffers));
  static PyObject* hook = PyUnicode_InternFromString("persistent_load");
  VM_CHECK(bind_hook(as_object(self), hook, self->persistent_load, self->persistent_load_self));
  reset(self);
  drop_memo(self);
  return resize_memo(self, 32);
}

int unpickler_traverse(PyObject* object, visitproc visit, void* arg) {
  Unpickler self = as_unpickler(object);
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->read);
  Py_VISIT(self->readinto);
  Py_VISIT(self->readline);
  Py_VISIT(self->peek);
  Py_VISIT(self->persistent_load);
  Py_VISIT(self->buffers);
  for (Py_ssize_t i = 0; i < self->stack_size; i++) Py_VISIT(self->stack[i]);
  for (Py_ssize_t i = 0; i < self->memo_allocated; i++) Py_VISIT(self->memo[i]);
  Py_VISIT(self->far_memo);
  return 0;
}
int unpickler_clear(PyObject* object) {
  Unpickler self = as_unpickler(object);
  Py_CLEAR(self->read);
  Py_CLEAR(self->readinto);
  Py_CLEAR(self->readline);
  Py_CLEAR(self->peek);
  Py_CLEAR(self->persistent_load);
  Py_CLEAR(self->buffers);
  cut_stack(self, 0);
  drop_memo(self);
  return 0;
}
void unpickler_dealloc(PyObject* object) {
  Unpickler self = as_unpickler(object);
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  unpickler_clear(object);
  Py_CLEAR(self->input_owner);
  PyMem_Free(self->stack);
  PyMem_Free(self->marks);
  PyMem_Free(self->line);
  PyMem_Free(self->encoding);
  PyMem_Free(self->errors);
  type->tp_free(object);
  Py_DECREF(as_object(type));
}

PyObject* unpickler_load(PyObject* object) {
  Unpickler self = as_unpickler(object);
  if (self->read == nullptr) {
    return raise(shared().unpickling_error, "Unpickler.__init__() was not called by %s.__init__()",
                 Py_TYPE(object)->tp_name);
  }
  return load(self).release();
}
PyObject* unpickler_sizeof(PyObject* object) {
  Unpickler self = as_unpickler(object);
  size_t size = static_cast<size_t>(Py_TYPE(object)->tp_basicsize);
  size += static_cast<size_t>(self->memo_allocated) * sizeof(PyObject*);
  size += static_cast<size_t>(self->marks_allocated) * sizeof(Py_ssize_t);
  if (self->line != nullptr) size += static_cast<size_t>(self->line_size) + 1;
  if (self->encoding != nullptr) size += strlen(self->encoding) + 1;
  if (self->errors != nullptr) size += strlen(self->errors) + 1;
  return PyLong_FromSize_t(size);
}

// ---- Unpickler.memo ----------------------------------------------------------------------------------------------

struct MemoTraits {
  using Owner = UnpicklerObject;
  static constexpr const char* kName = "_pickle.UnpicklerMemoProxy";
  static constexpr FixedString kCopyDoc = "Copy into a dict from number to object.";

  static void clear(Unpickler self) { drop_memo(self); }
  static Ref<> copy(Unpickler self) {
    Ref<> result = Ref<>::steal(PyDict_New());
    for (Py_ssize_t i = 0; result && i < self->memo_allocated; i++) {
      if (self->memo[i] == nullptr) continue;
      Ref<> key = Ref<>::steal(PyLong_FromSsize_t(i));
      if (!key || PyDict_SetItem(result.get(), key.get(), self->memo[i]) < 0) return nullptr;
    }
    if (!result || self->far_memo == nullptr) return result;
    Ref<> keys = Ref<>::steal(PyDict_Keys(self->far_memo));
    if (!keys || PyList_Sort(keys.get()) < 0) return nullptr;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys.get()); i++) {
      PyObject* key = PyList_GET_ITEM(keys.get(), i);
      if (PyDict_SetItem(result.get(), key, PyDict_GetItem(self->far_memo, key)) < 0) return nullptr;
    }
    return result;
  }
};
using Proxy = MemoProxy<MemoTraits>;

Ref<> get_memo(Borrowed<UnpicklerObject> self) { return Proxy::create(self.get()); }
Status set_memo(Borrowed<UnpicklerObject> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_TypeError, "attribute deletion is not supported");
  Ref<> contents;
  if (Proxy::check(value)) {
    contents = MemoTraits::copy(Proxy::owner(value));
  } else if (PyDict_Check(value)) {
    contents = Ref<>::steal(PyDict_Copy(value));
  } else {
    return raise(PyExc_TypeError, "'memo' attribute must be an UnpicklerMemoProxy object or dict, not %.200s",
                 Py_TYPE(value)->tp_name);
  }
  if (!contents) return Status::kError;
  Py_ssize_t position = 0;
  PyObject *key, *item;
  while (PyDict_Next(contents.get(), &position, &key, &item)) {
    if (!PyLong_Check(key)) return raise(PyExc_TypeError, "memo key must be integers");
    const Py_ssize_t index = PyLong_AsSsize_t(key);
    if (index == -1 && PyErr_Occurred()) return Status::kError;
    if (index < 0) return raise(PyExc_ValueError, "memo key must be positive integers.");
  }
  drop_memo(self.get());
  position = 0;
  while (PyDict_Next(contents.get(), &position, &key, &item)) {
    VM_CHECK(memo_set(self.get(), PyLong_AsSsize_t(key), item));
  }
  return Status::kOk;
}
Ref<> get_persistent_load(Borrowed<UnpicklerObject> self) {
  return Ref<>::steal(get_hook(self->persistent_load, self->persistent_load_self, "persistent_load"));
}
Status set_persistent_load(Borrowed<UnpicklerObject> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_TypeError, "attribute deletion is not supported");
  if (!PyCallable_Check(value)) {
    return raise(PyExc_TypeError, "persistent_load must be a callable taking one argument");
  }
  self->persistent_load_self = nullptr;
  Py_XSETREF(self->persistent_load, Py_NewRef(value));
  return Status::kOk;
}

PyMethodDef unpickler_methods[] = {
    method<unpickler_load, "load($self, /)", "Read one pickle from the file and return the object in it.">(),
    method<import_class, "find_class($self, module_name, global_name, /)",
           "Return an object of a module; subclasses may restrict or redirect it.">(),
    method<unpickler_sizeof, "__sizeof__($self, /)", "Returns size in memory, in bytes.">(),
    {},
};
PyGetSetDef unpickler_getset[] = {
    getset<get_memo, set_memo>("memo"),
    getset<get_persistent_load, set_persistent_load>("persistent_load"),
    {},
};
PyType_Slot unpickler_slots[] = {
    {Py_tp_doc,
     const_cast<char*>("Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())\n--\n\n"
                       "Reads pickle data streams from a binary file.")},
    {Py_tp_dealloc, reinterpret_cast<void*>(unpickler_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(unpickler_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(unpickler_clear)},
    {Py_tp_new, reinterpret_cast<void*>(unpickler_new)},
    {Py_tp_init, reinterpret_cast<void*>(initializer<unpickler_init, "Unpickler(file, *, fix_imports=True, "
                                                                     "encoding='ASCII', errors='strict', buffers=())">)},
    {Py_tp_methods, unpickler_methods},
    {Py_tp_getset, unpickler_getset},
    {0, nullptr},
};
PyType_Spec unpickler_spec = {"_pickle.Unpickler", sizeof(UnpicklerObject), 0,
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, unpickler_slots};

}  // namespace

Status add_unpickler_types(PyObject* module) {
  if (g_unpickler_type == nullptr) {
    VM_CHECK(Proxy::create_type());
    g_unpickler_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&unpickler_spec));
    if (g_unpickler_type == nullptr) return Status::kError;
  }
  return PyModule_AddType(module, g_unpickler_type) == 0 ? Status::kOk : Status::kError;
}

PyObject* pickle_load(PyObject*, PyObject* file, PyObject* fix_imports, PyObject* encoding, PyObject* errors,
                      PyObject* buffers) {
  Ref<UnpicklerObject> self = Ref<UnpicklerObject>::steal(new_unpickler(g_unpickler_type));
  if (!self || failed(set_file(self.get(), file)) ||
      failed(configure(self.get(), fix_imports, encoding, errors, buffers))) {
    return nullptr;
  }
  return load(self.get()).release();
}
PyObject* pickle_loads(PyObject*, PyObject* data, PyObject* fix_imports, PyObject* encoding, PyObject* errors,
                       PyObject* buffers) {
  Buffer view;
  if (!view.acquire(data)) return nullptr;
  Ref<UnpicklerObject> self = Ref<UnpicklerObject>::steal(new_unpickler(g_unpickler_type));
  if (!self || failed(configure(self.get(), fix_imports, encoding, errors, buffers))) return nullptr;
  self->input = view.data();
  self->input_size = view.size();
  Ref<> result = load(self.get());
  // The buffer ends with the call; find_class() or the garbage collector's users may have kept the unpickler.
  self->input = nullptr;
  self->input_size = self->position = 0;
  return result.release();
}

}  // namespace pyston::pickling
