// PyArg_Parse and its relatives: converting Python arguments into C variables as a format string says.
//
// One reader walks the format and the variable argument list together; the entry points differ in where arguments
// come from. Units: see "Parsing arguments" of the C API reference. What a failed call has acquired so far (buffers,
// encoded strings, O& results) is given back.
#include <climits>
#include <cstdarg>
#include <cstring>

#include "Runtime/python.h"
#undef PyArg_Parse
#undef PyArg_ParseTuple
#undef PyArg_ParseTupleAndKeywords
#undef PyArg_VaParse
#undef PyArg_VaParseTupleAndKeywords
#undef _PyArg_ParseStack
#undef _PyArg_ParseStackAndKeywords
#undef _PyArg_ParseTupleAndKeywordsFast
#undef _PyArg_VaParseTupleAndKeywordsFast
#include "Runtime/refs/ref.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_tuple.h"

extern "C" {
PyAPI_FUNC(int) PyArg_Parse(PyObject*, const char*, ...);
PyAPI_FUNC(int) PyArg_ParseTuple(PyObject*, const char*, ...);
PyAPI_FUNC(int) PyArg_ParseTupleAndKeywords(PyObject*, PyObject*, const char*, char**, ...);
PyAPI_FUNC(int) PyArg_VaParse(PyObject*, const char*, va_list);
PyAPI_FUNC(int) PyArg_VaParseTupleAndKeywords(PyObject*, PyObject*, const char*, char**, va_list);
PyAPI_FUNC(int) _PyArg_Parse_SizeT(PyObject*, const char*, ...);
PyAPI_FUNC(int) _PyArg_ParseTuple_SizeT(PyObject*, const char*, ...);
PyAPI_FUNC(int) _PyArg_ParseTupleAndKeywords_SizeT(PyObject*, PyObject*, const char*, char**, ...);
PyAPI_FUNC(int) _PyArg_VaParse_SizeT(PyObject*, const char*, va_list);
PyAPI_FUNC(int) _PyArg_VaParseTupleAndKeywords_SizeT(PyObject*, PyObject*, const char*, char**, va_list);
PyAPI_FUNC(int) _PyArg_ParseStack(PyObject* const*, Py_ssize_t, const char*, ...);
PyAPI_FUNC(int) _PyArg_ParseStack_SizeT(PyObject* const*, Py_ssize_t, const char*, ...);
PyAPI_FUNC(int)
    _PyArg_ParseStackAndKeywords(PyObject* const*, Py_ssize_t, PyObject*, struct _PyArg_Parser*, ...);
PyAPI_FUNC(int)
    _PyArg_ParseStackAndKeywords_SizeT(PyObject* const*, Py_ssize_t, PyObject*, struct _PyArg_Parser*, ...);
PyAPI_FUNC(int) _PyArg_ParseTupleAndKeywordsFast(PyObject*, PyObject*, struct _PyArg_Parser*, ...);
PyAPI_FUNC(int) _PyArg_ParseTupleAndKeywordsFast_SizeT(PyObject*, PyObject*, struct _PyArg_Parser*, ...);
PyAPI_FUNC(int) _PyArg_VaParseTupleAndKeywordsFast(PyObject*, PyObject*, struct _PyArg_Parser*, va_list);
PyAPI_FUNC(int) _PyArg_VaParseTupleAndKeywordsFast_SizeT(PyObject*, PyObject*, struct _PyArg_Parser*, va_list);
}

namespace {

using pyston::Ref;
using Converter = int (*)(PyObject*, void*);

/// What a failing call must give back.
class Cleanups {
 public:
  ~Cleanups() {
    if (entries_ != inline_) PyMem_Free(entries_);
  }
  bool add(void* item, void (*release)(void*)) {
    if (count_ == capacity_) {
      const int grown = capacity_ * 2;
      auto* entries = static_cast<Entry*>(PyMem_Malloc(grown * sizeof(Entry)));
      if (entries == nullptr) return false;
      memcpy(entries, entries_, count_ * sizeof(Entry));
      if (entries_ != inline_) PyMem_Free(entries_);
      entries_ = entries;
      capacity_ = grown;
    }
    entries_[count_++] = {item, release, nullptr};
    return true;
  }
  bool add_converter(Converter converter, void* item) {
    if (!add(item, nullptr)) return false;
    entries_[count_ - 1].converter = converter;
    return true;
  }
  void undo() {
    for (int i = count_ - 1; i >= 0; i--) {
      if (entries_[i].converter != nullptr) {
        entries_[i].converter(nullptr, entries_[i].item);
      } else {
        entries_[i].release(entries_[i].item);
      }
    }
    count_ = 0;
  }

 private:
  struct Entry {
    void* item;
    void (*release)(void*);
    Converter converter;
  };
  Entry inline_[8];
  Entry* entries_ = inline_;
  int count_ = 0;
  int capacity_ = 8;
};

void release_memory(void* item) {
  auto** slot = static_cast<char**>(item);
  PyMem_Free(*slot);
  *slot = nullptr;
}
void release_view(void* item) { PyBuffer_Release(static_cast<Py_buffer*>(item)); }

bool is_end(char c) { return c == '\0' || c == ':' || c == ';'; }

constexpr int kMaxDepth = 30;

class Parser {
 public:
  Parser(const char* format, va_list* arguments, bool size_t_clean)
      : format_(format), start_(format), arguments_(arguments), clean_(size_t_clean) {}

  Cleanups cleanups;

  const char* format() const { return format_; }
  void set_format(const char* format) { format_ = format; }
  void skip_marker() { format_++; }

  /// Converts one argument; on failure an exception is set. `index` is 1-based, for messages.
  ALWAYS_INLINE bool convert(PyObject* argument, int index, const char* function, const char* message) {
    const char* problem = convert_item(argument, levels_);
    if (LIKELY(problem == nullptr)) return true;
    set_error(index, problem, function, message);
    return false;
  }

  /// Advances format and argument list past one unit that got no argument. False on a bad format.
  bool skip_item() {
    const char* problem = skip_unit();
    if (problem == nullptr) return true;
    PyErr_Format(PyExc_SystemError, "%s: '%s'", problem, start_);
    return false;
  }

 private:
  template <class T>
  T* target() {
    return va_arg(*arguments_, T*);
  }

  COLD void set_error(int index, const char* problem, const char* function, const char* message) {
    if (PyErr_Occurred()) return;
    char text[512];
    if (message == nullptr) {
      size_t used = 0;
      if (function != nullptr) used += PyOS_snprintf(text, sizeof text, "%.200s() ", function);
      if (index != 0) {
        used += PyOS_snprintf(text + used, sizeof text - used, "argument %d", index);
        for (int i = 0; i < kMaxDepth && levels_[i] > 0 && used < 220; i++) {
          used += PyOS_snprintf(text + used, sizeof text - used, ", item %d", levels_[i] - 1);
        }
      } else {
        used += PyOS_snprintf(text + used, sizeof text - used, "argument");
      }
      PyOS_snprintf(text + used, sizeof text - used, " %.256s", problem);
      message = text;
    }
    // A problem that starts with '(' is a broken format or state, not the caller's argument.
    PyErr_SetString(problem[0] == '(' ? PyExc_SystemError : PyExc_TypeError, message);
  }

  const char* must_be(const char* expected, PyObject* argument) {
    const char* got = argument == Py_None ? "None" : Py_TYPE(argument)->tp_name;
    if (expected[0] == '(') {
      PyOS_snprintf(problem_, sizeof problem_, "%.100s", expected);
    } else {
      PyOS_snprintf(problem_, sizeof problem_, "must be %.50s, not %.50s", expected, got);
    }
    return problem_;
  }
  const char* exception_set() { return "is invalid"; }

  ALWAYS_INLINE const char* convert_item(PyObject* argument, int* levels) {
    if (UNLIKELY(*format_ == '(')) return convert_sequence(argument, levels);
    const char* problem = convert_simple(argument);
    if (UNLIKELY(problem != nullptr)) levels[0] = 0;
    return problem;
  }

  const char* convert_sequence(PyObject* argument, int* levels) {
    format_++;
    const char* inside = format_;
    int count = 0;
    int depth = 0;
    for (const char* p = inside;; p++) {
      if (*p == '(') {
        if (depth == 0) count++;
        depth++;
      } else if (*p == ')') {
        if (depth == 0) break;
        depth--;
      } else if (is_end(*p)) {
        break;
      } else if (depth == 0 && Py_ISALPHA(*p) && *p != 'e' ) {
        count++;
      }
    }
    if (!PySequence_Check(argument) || PyBytes_Check(argument)) {
      levels[0] = 0;
      PyOS_snprintf(problem_, sizeof problem_, "must be %d-item sequence, not %.50s", count,
                    argument == Py_None ? "None" : Py_TYPE(argument)->tp_name);
      return problem_;
    }
    const Py_ssize_t length = PySequence_Size(argument);
    if (length != count) {
      levels[0] = 0;
      PyOS_snprintf(problem_, sizeof problem_, "must be sequence of length %d, not %zd", count, length);
      return problem_;
    }
    for (int i = 0; i < count; i++) {
      PyObject* item = PySequence_GetItem(argument, i);
      if (item == nullptr) {
        PyErr_Clear();
        levels[0] = i + 1;
        levels[1] = 0;
        return "is not retrievable";
      }
      levels[1] = 0;
      const char* problem = convert_item(item, levels + 1);
      Py_DECREF(item);
      if (problem != nullptr) {
        levels[0] = i + 1;
        return problem;
      }
    }
    format_++;  // ')'
    return nullptr;
  }

  /// b h i l n L: signed with range check; B H I k K: masked.
  template <class T>
  const char* signed_range(PyObject* argument, long low, long high, const char* too_small, const char* too_big) {
    T* out = target<T>();
    const long value = PyLong_AsLong(argument);
    if (value == -1 && PyErr_Occurred()) return exception_set();
    if (value < low) {
      PyErr_SetString(PyExc_OverflowError, too_small);
      return exception_set();
    }
    if (value > high) {
      PyErr_SetString(PyExc_OverflowError, too_big);
      return exception_set();
    }
    *out = static_cast<T>(value);
    return nullptr;
  }

  template <class T>
  const char* masked(PyObject* argument) {
    T* out = target<T>();
    const unsigned long value = PyLong_AsUnsignedLongMask(argument);
    if (value == static_cast<unsigned long>(-1) && PyErr_Occurred()) return exception_set();
    *out = static_cast<T>(value);
    return nullptr;
  }

  const char* view_of(PyObject* argument, Py_buffer* view, int flags, const char* expected) {
    if (PyObject_GetBuffer(argument, view, flags) != 0) {
      // QUIRK: the exporter's own error stays, unless a writable buffer was asked for.
      if (flags != PyBUF_WRITABLE) return exception_set();
      PyErr_Clear();
      return must_be(expected, argument);
    }
    if (!PyBuffer_IsContiguous(view, 'C')) {
      PyBuffer_Release(view);
      return must_be("contiguous buffer", argument);
    }
    return nullptr;
  }

  /// Bytes of a read-only buffer whose memory outlives its view (no release function).
  const char* stable_bytes(PyObject* argument, const void** out, Py_ssize_t* length) {
    PyBufferProcs* procs = Py_TYPE(argument)->tp_as_buffer;
    if (procs == nullptr || procs->bf_getbuffer == nullptr) return must_be("bytes-like object", argument);
    if (procs->bf_releasebuffer != nullptr) return must_be("read-only bytes-like object", argument);
    Py_buffer view;
    const char* problem = view_of(argument, &view, PyBUF_SIMPLE, "bytes-like object");
    if (problem != nullptr) return problem;
    *out = view.buf;
    *length = view.len;
    PyBuffer_Release(&view);
    return nullptr;
  }

  const char* convert_string(char unit, PyObject* argument) {
    if (*format_ == '*') {
      format_++;
      auto* view = target<Py_buffer>();
      if (unit == 'z' && argument == Py_None) {
        PyBuffer_FillInfo(view, nullptr, nullptr, 0, 1, 0);
      } else if (unit != 'y' && PyUnicode_Check(argument)) {
        Py_ssize_t length;
        const char* text = PyUnicode_AsUTF8AndSize(argument, &length);
        if (text == nullptr) return exception_set();
        PyBuffer_FillInfo(view, argument, const_cast<char*>(text), length, 1, 0);
      } else {
        const char* problem = view_of(argument, view, PyBUF_SIMPLE, "bytes-like object");
        if (problem != nullptr) return problem;
      }
      if (!cleanups.add(view, release_view)) {
        PyBuffer_Release(view);
        PyErr_NoMemory();
        return exception_set();
      }
      return nullptr;
    }
    if (*format_ == '#') {
      format_++;
      if (!clean_) {
        PyErr_SetString(PyExc_SystemError, "PY_SSIZE_T_CLEAN macro must be defined for '#' formats");
        return exception_set();
      }
      auto** out = target<const void*>();
      auto* length = target<Py_ssize_t>();
      if (unit == 'z' && argument == Py_None) {
        *out = nullptr;
        *length = 0;
        return nullptr;
      }
      if (unit != 'y' && PyUnicode_Check(argument)) {
        *out = PyUnicode_AsUTF8AndSize(argument, length);
        return *out == nullptr ? exception_set() : nullptr;
      }
      return stable_bytes(argument, out, length);
    }
    auto** out = target<const char*>();
    Py_ssize_t length;
    if (unit == 'y') {
      const void* bytes;
      const char* problem = stable_bytes(argument, &bytes, &length);
      if (problem != nullptr) return problem;
      if (static_cast<Py_ssize_t>(strlen(static_cast<const char*>(bytes))) != length) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return exception_set();
      }
      *out = static_cast<const char*>(bytes);
      return nullptr;
    }
    if (unit == 'z' && argument == Py_None) {
      *out = nullptr;
      return nullptr;
    }
    if (!PyUnicode_Check(argument)) return must_be(unit == 'z' ? "str or None" : "str", argument);
    const char* text = PyUnicode_AsUTF8AndSize(argument, &length);
    if (text == nullptr) return exception_set();
    if (static_cast<Py_ssize_t>(strlen(text)) != length) {
      PyErr_SetString(PyExc_ValueError, "embedded null character");
      return exception_set();
    }
    *out = text;
    return nullptr;
  }

  /// es, et, es#, et#: encodes into a buffer from PyMem_Malloc, or into the caller's.
  const char* convert_encoded(PyObject* argument) {
    const char* encoding = va_arg(*arguments_, const char*);
    if (encoding == nullptr) encoding = PyUnicode_GetDefaultEncoding();
    const char variant = *format_++;
    if (variant != 's' && variant != 't') return "(unknown parser marker combination)";
    char** buffer = target<char*>();
    if (buffer == nullptr) return "(buffer is NULL)";
    Ref<> encoded;
    const char* bytes;
    Py_ssize_t size;
    if (variant == 't' && (PyBytes_Check(argument) || PyByteArray_Check(argument))) {
      encoded = Ref<>::dup(argument);
      bytes = PyBytes_Check(argument) ? PyBytes_AS_STRING(argument) : PyByteArray_AS_STRING(argument);
      size = PyBytes_Check(argument) ? PyBytes_GET_SIZE(argument) : PyByteArray_GET_SIZE(argument);
    } else if (PyUnicode_Check(argument)) {
      encoded = Ref<>::steal(PyUnicode_AsEncodedString(argument, encoding, nullptr));
      if (!encoded) return exception_set();
      bytes = PyBytes_AS_STRING(encoded.get());
      size = PyBytes_GET_SIZE(encoded.get());
    } else {
      return must_be(variant == 's' ? "str" : "str, bytes or bytearray", argument);
    }
    if (*format_ == '#') {
      format_++;
      if (!clean_) {
        PyErr_SetString(PyExc_SystemError, "PY_SSIZE_T_CLEAN macro must be defined for '#' formats");
        return exception_set();
      }
      auto* capacity = target<Py_ssize_t>();
      if (capacity == nullptr) return "(buffer_len is NULL)";
      if (*buffer != nullptr) {
        if (size + 1 > *capacity) {
          PyErr_Format(PyExc_ValueError, "encoded string too long (%zd, maximum length %zd)", size, *capacity - 1);
          return exception_set();
        }
        memcpy(*buffer, bytes, size);
        (*buffer)[size] = '\0';
        *capacity = size;
        return nullptr;
      }
      *capacity = size;
    } else if (static_cast<Py_ssize_t>(strlen(bytes)) != size) {
      return must_be("encoded string without null bytes", argument);
    }
    *buffer = static_cast<char*>(PyMem_Malloc(size + 1));
    if (*buffer == nullptr || !cleanups.add(buffer, release_memory)) {
      PyErr_NoMemory();
      return exception_set();
    }
    memcpy(*buffer, bytes, size);
    (*buffer)[size] = '\0';
    return nullptr;
  }

  const char* convert_object(PyObject* argument) {
    if (*format_ == '!') {
      format_++;
      auto* type = va_arg(*arguments_, PyTypeObject*);
      auto** out = target<PyObject*>();
      if (!PyType_IsSubtype(Py_TYPE(argument), type)) return must_be(type->tp_name, argument);
      *out = argument;
      return nullptr;
    }
    if (*format_ == '&') {
      format_++;
      Converter converter = va_arg(*arguments_, Converter);
      void* out = va_arg(*arguments_, void*);
      const int result = converter(argument, out);
      if (result == 0) return must_be("(unspecified)", argument);
      if (result == Py_CLEANUP_SUPPORTED && !cleanups.add_converter(converter, out)) {
        PyErr_NoMemory();
        return exception_set();
      }
      return nullptr;
    }
    *target<PyObject*>() = argument;
    return nullptr;
  }

  const char* typed_object(PyObject* argument, bool good, const char* expected) {
    auto** out = target<PyObject*>();
    if (!good) return must_be(expected, argument);
    *out = argument;
    return nullptr;
  }

  const char* convert_simple(PyObject* argument) {
    const char unit = *format_++;
    switch (unit) {
      case 'b':
        return signed_range<unsigned char>(argument, 0, UCHAR_MAX, "unsigned byte integer is less than minimum",
                                           "unsigned byte integer is greater than maximum");
      case 'B': return masked<unsigned char>(argument);
      case 'h':
        return signed_range<short>(argument, SHRT_MIN, SHRT_MAX, "signed short integer is less than minimum",
                                   "signed short integer is greater than maximum");
      case 'H': return masked<unsigned short>(argument);
      case 'i':
        return signed_range<int>(argument, INT_MIN, INT_MAX, "signed integer is less than minimum",
                                 "signed integer is greater than maximum");
      case 'I': return masked<unsigned int>(argument);
      case 'n': {
        auto* out = target<Py_ssize_t>();
        PyObject* index = _PyNumber_Index(argument);
        if (index == nullptr) return exception_set();
        const Py_ssize_t value = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (value == -1 && PyErr_Occurred()) return exception_set();
        *out = value;
        return nullptr;
      }
      case 'l': return signed_range<long>(argument, LONG_MIN, LONG_MAX, "", "");
      case 'k': {
        auto* out = target<unsigned long>();
        if (!PyLong_Check(argument)) return must_be("int", argument);
        *out = PyLong_AsUnsignedLongMask(argument);
        return nullptr;
      }
      case 'L': {
        auto* out = target<long long>();
        const long long value = PyLong_AsLongLong(argument);
        if (value == -1 && PyErr_Occurred()) return exception_set();
        *out = value;
        return nullptr;
      }
      case 'K': {
        auto* out = target<unsigned long long>();
        if (!PyLong_Check(argument)) return must_be("int", argument);
        *out = PyLong_AsUnsignedLongLongMask(argument);
        return nullptr;
      }
      case 'f':
      case 'd': {
        const double value = PyFloat_AsDouble(argument);
        if (unit == 'f') {
          auto* out = target<float>();
          if (value == -1.0 && PyErr_Occurred()) return exception_set();
          *out = static_cast<float>(value);
        } else {
          auto* out = target<double>();
          if (value == -1.0 && PyErr_Occurred()) return exception_set();
          *out = value;
        }
        return nullptr;
      }
      case 'D': {
        auto* out = target<Py_complex>();
        const Py_complex value = PyComplex_AsCComplex(argument);
        if (PyErr_Occurred()) return exception_set();
        *out = value;
        return nullptr;
      }
      case 'c': {
        auto* out = target<char>();
        if (PyBytes_Check(argument) && PyBytes_GET_SIZE(argument) == 1) {
          *out = PyBytes_AS_STRING(argument)[0];
        } else if (PyByteArray_Check(argument) && PyByteArray_GET_SIZE(argument) == 1) {
          *out = PyByteArray_AS_STRING(argument)[0];
        } else {
          return must_be("a byte string of length 1", argument);
        }
        return nullptr;
      }
      case 'C': {
        auto* out = target<int>();
        if (!PyUnicode_Check(argument)) return must_be("a unicode character", argument);
        if (PyUnicode_READY(argument) != 0) return exception_set();
        if (PyUnicode_GET_LENGTH(argument) != 1) return must_be("a unicode character", argument);
        *out = static_cast<int>(PyUnicode_READ_CHAR(argument, 0));
        return nullptr;
      }
      case 'p': {
        auto* out = target<int>();
        const int truth = PyObject_IsTrue(argument);
        if (truth < 0) return exception_set();
        *out = truth;
        return nullptr;
      }
      case 'y':
      case 's':
      case 'z': return convert_string(unit, argument);
      case 'u':
      case 'Z': {
        auto** out = target<const wchar_t*>();
        auto* length = *format_ == '#' ? (format_++, target<Py_ssize_t>()) : nullptr;
        if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "getargs: The '%c' format is deprecated. Use 'U' instead.",
                             unit) != 0) {
          return exception_set();
        }
        if (unit == 'Z' && argument == Py_None) {
          *out = nullptr;
          if (length != nullptr) *length = 0;
          return nullptr;
        }
        if (!PyUnicode_Check(argument)) return must_be(unit == 'Z' ? "str or None" : "str", argument);
        Py_ssize_t size;
        *out = reinterpret_cast<const wchar_t*>(PyUnicode_AsUnicodeAndSize(argument, &size));
        if (*out == nullptr) return exception_set();
        if (length != nullptr) {
          *length = size;
        } else if (static_cast<Py_ssize_t>(wcslen(*out)) != size) {
          PyErr_SetString(PyExc_ValueError, "embedded null character");
          return exception_set();
        }
        return nullptr;
      }
      case 'e': return convert_encoded(argument);
      case 'S': return typed_object(argument, PyBytes_Check(argument), "bytes");
      case 'Y': return typed_object(argument, PyByteArray_Check(argument), "bytearray");
      case 'U': return typed_object(argument, PyUnicode_Check(argument), "str");
      case 'O': return convert_object(argument);
      case 'w': {
        if (*format_ != '*') return "(invalid use of 'w' format character)";
        format_++;
        auto* view = target<Py_buffer>();
        const char* problem = view_of(argument, view, PyBUF_WRITABLE, "read-write bytes-like object");
        if (problem != nullptr) return problem;
        if (!cleanups.add(view, release_view)) {
          PyBuffer_Release(view);
          PyErr_NoMemory();
          return exception_set();
        }
        return nullptr;
      }
      default: return "(impossible<bad format char>)";
    }
  }

  const char* skip_unit() {
    const char unit = *format_++;
    switch (unit) {
      case 'b': case 'B': case 'h': case 'H': case 'i': case 'I': case 'l': case 'k': case 'L': case 'K': case 'n':
      case 'f': case 'd': case 'D': case 'c': case 'C': case 'p': case 'S': case 'Y': case 'U':
        va_arg(*arguments_, void*);
        return nullptr;
      case 'e':
        va_arg(*arguments_, const char*);
        if (*format_ != 's' && *format_ != 't') return "unknown parser marker combination";
        format_++;
        va_arg(*arguments_, char**);
        if (*format_ == '#') {
          va_arg(*arguments_, Py_ssize_t*);
          format_++;
        }
        return nullptr;
      case 's': case 'z': case 'y': case 'u': case 'Z': case 'w':
        va_arg(*arguments_, void*);
        if (*format_ == '#') {
          va_arg(*arguments_, Py_ssize_t*);
          format_++;
        } else if (*format_ == '*') {
          format_++;
        }
        return nullptr;
      case 'O':
        if (*format_ == '!' || *format_ == '&') {
          format_++;
          va_arg(*arguments_, void*);
        }
        va_arg(*arguments_, PyObject**);
        return nullptr;
      case '(':
        while (true) {
          if (*format_ == ')') break;
          if (is_end(*format_)) return "Unmatched left paren in format string";
          if (const char* problem = skip_unit()) return problem;
        }
        format_++;
        return nullptr;
      case ')': return "Unmatched right paren in format string";
      default: return "impossible<bad format char>";
    }
  }

  const char* format_;
  const char* start_;
  va_list* arguments_;
  bool clean_;
  int levels_[kMaxDepth + 2];  // the item (from 1) in each enclosing sequence, then 0; set where a problem is found
  char problem_[256];
};

/// Where the positional arguments are: an array, or (compat) one bare object.
struct FormatInfo {
  const char* function = nullptr;  // after ':'
  const char* message = nullptr;   // after ';'
  int least = -1;                  // arguments before '|'
  int positional = -1;             // arguments before '$'
  int most = 0;
};

FormatInfo inspect_format(const char* format) {
  FormatInfo info;
  int depth = 0;
  for (const char* p = format; *p != '\0'; p++) {
    if (*p == '(') {
      if (depth == 0) info.most++;
      depth++;
    } else if (*p == ')') {
      depth--;
      if (depth < 0) Py_FatalError("excess ')' in getargs format");
    } else if (*p == ':') {
      info.function = p + 1;
      break;
    } else if (*p == ';') {
      info.message = p + 1;
      break;
    } else if (depth == 0) {
      if (*p == 'e') {
        if (p[1] != '\0') {
          info.most++;
          p++;  // 's' or 't'
        }
      } else if (Py_ISALPHA(*p)) {
        info.most++;
      } else if (*p == '|') {
        info.least = info.most;
      } else if (*p == '$') {
        info.positional = info.most;
      }
    }
  }
  if (info.least < 0) info.least = info.most;
  if (info.positional < 0) info.positional = info.most;
  return info;
}

int parse_positional(PyObject* const* args, Py_ssize_t nargs, const char* format, va_list* arguments, bool clean) {
  const FormatInfo info = inspect_format(format);
  if (nargs < info.least || info.most < nargs) {
    if (info.message == nullptr) {
      const int bound = nargs < info.least ? info.least : info.most;
      PyErr_Format(PyExc_TypeError, "%.150s%s takes %s %d argument%s (%zd given)",
                   info.function == nullptr ? "function" : info.function, info.function == nullptr ? "" : "()",
                   info.least == info.most ? "exactly" : nargs < info.least ? "at least" : "at most", bound,
                   bound == 1 ? "" : "s", nargs);
    } else {
      PyErr_SetString(PyExc_TypeError, info.message);
    }
    return 0;
  }
  Parser parser(format, arguments, clean);
  for (Py_ssize_t i = 0; i < nargs; i++) {
    if (*parser.format() == '|') parser.skip_marker();
    if (!parser.convert(args[i], static_cast<int>(i) + 1, info.function, info.message)) {
      parser.cleanups.undo();
      return 0;
    }
  }
  const char rest = *parser.format();
  if (rest != '\0' && !Py_ISALPHA(rest) && rest != '(' && rest != '|' && rest != ':' && rest != ';') {
    PyErr_Format(PyExc_SystemError, "bad format string: %.200s", format);
    parser.cleanups.undo();
    return 0;
  }
  return 1;
}

int parse_tuple(PyObject* tuple, const char* format, va_list* arguments, bool clean) {
  if (!PyTuple_Check(tuple)) {
    PyErr_SetString(PyExc_SystemError, "new style getargs format but argument is not a tuple");
    return 0;
  }
  return parse_positional(reinterpret_cast<PyTupleObject*>(tuple)->ob_item, PyTuple_GET_SIZE(tuple), format, arguments,
                          clean);
}

/// PyArg_Parse: the argument is one object, or with a format of several units a tuple of them.
int parse_single(PyObject* argument, const char* format, va_list* arguments, bool clean) {
  const FormatInfo info = inspect_format(format);
  if (info.most == 0) {
    if (argument == nullptr) return 1;
    PyErr_Format(PyExc_TypeError, "%.200s%s takes no arguments", info.function == nullptr ? "function" : info.function,
                 info.function == nullptr ? "" : "()");
    return 0;
  }
  if (info.most == 1 && info.least == 1) {
    if (argument == nullptr) {
      PyErr_Format(PyExc_TypeError, "%.200s%s takes at least one argument",
                   info.function == nullptr ? "function" : info.function, info.function == nullptr ? "" : "()");
      return 0;
    }
    Parser parser(format, arguments, clean);
    if (parser.convert(argument, 0, info.function, info.message)) return 1;
    parser.cleanups.undo();
    return 0;
  }
  PyErr_SetString(PyExc_SystemError, "old style getargs format uses new features");
  return 0;
}

// ---- keywords -------------------------------------------------------------------------------------------------------

/// Keyword arguments of a call: from a dict or from a vectorcall's names.
struct Keywords {
  PyObject* dict = nullptr;
  PyObject* names = nullptr;
  PyObject* const* values = nullptr;

  Py_ssize_t count() const {
    return names != nullptr ? PyTuple_GET_SIZE(names) : dict != nullptr ? PyDict_GET_SIZE(dict) : 0;
  }
  /// Borrowed; null without an exception when missing.
  PyObject* find(const char* name) const {
    if (names != nullptr) {
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), name) == 0) return values[i];
      }
      return nullptr;
    }
    if (dict == nullptr) return nullptr;
    // FAST: comparing with a few names costs less than making and hashing a string. Other keys than exact ASCII strings
    // go the long way: subclasses have their own idea of equality, and `name` is UTF-8.
    if (PyDict_GET_SIZE(dict) <= 8) {
      Py_ssize_t position = 0;
      PyObject *known, *value;
      bool plain = true;
      while (plain && PyDict_Next(dict, &position, &known, &value)) {
        plain = PyUnicode_CheckExact(known) && PyUnicode_IS_ASCII(known);
        if (plain && _PyUnicode_EqualToASCIIString(known, name)) return value;
      }
      if (plain) return nullptr;
    }
    PyObject* key = PyUnicode_FromString(name);
    if (key == nullptr) return nullptr;
    PyObject* value = PyDict_GetItemWithError(dict, key);
    Py_DECREF(key);
    return value;
  }
  template <class Visit>
  bool each_name(Visit visit) const {
    if (names != nullptr) {
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (!visit(PyTuple_GET_ITEM(names, i))) return false;
      }
    } else if (dict != nullptr) {
      Py_ssize_t position = 0;
      PyObject *key, *value;
      while (PyDict_Next(dict, &position, &key, &value)) {
        if (!visit(key)) return false;
      }
    }
    return true;
  }
};

const char* function_of(const char* format, const char** message) {
  *message = nullptr;
  for (const char* p = format; *p != '\0'; p++) {
    if (*p == ':') return p + 1;
    if (*p == ';') {
      *message = p + 1;
      return nullptr;
    }
  }
  return nullptr;
}

/// `limit_word` is what too many arguments are told when none may be left out: the entry points differ.
int parse_with_keywords(PyObject* const* args, Py_ssize_t nargs, const Keywords& keywords, const char* format,
                        const char* const* names, va_list* arguments, bool clean, const char* limit_word) {
  const char* message;
  const char* function = function_of(format, &message);
  const char* shown = function == nullptr ? "function" : function;
  const char* parentheses = function == nullptr ? "" : "()";
  int positional_only = 0;
  while (names[positional_only] != nullptr && names[positional_only][0] == '\0') positional_only++;
  int total = positional_only;
  while (names[total] != nullptr) {
    if (names[total][0] == '\0') {
      PyErr_SetString(PyExc_SystemError, "Empty keyword parameter name");
      return 0;
    }
    total++;
  }
  const Py_ssize_t nkeywords = keywords.count();
  if (nargs + nkeywords > total) {
    PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d %sargument%s (%zd given)", shown, parentheses,
                 total == 0 ? "no" : strchr(format, '|') != nullptr ? "at most" : limit_word, total,
                 nargs == 0 ? "keyword " : "", total == 1 ? "" : "s", nargs + nkeywords);
    if (total == 0) PyErr_Format(PyExc_TypeError, "%.200s%s takes no arguments", shown, parentheses);
    return 0;
  }
  Parser parser(format, arguments, clean);
  auto fail = [&parser] {
    parser.cleanups.undo();
    return 0;
  };
  int least = INT_MAX;
  int most_positional = INT_MAX;
  Py_ssize_t keywords_left = nkeywords;
  for (int i = 0; i < total; i++) {
    if (*parser.format() == '|') {
      if (least != INT_MAX) return PyErr_SetString(PyExc_SystemError, "Invalid format string (| specified twice)"), fail();
      least = i;
      parser.skip_marker();
    }
    if (*parser.format() == '$') {
      if (most_positional != INT_MAX) {
        return PyErr_SetString(PyExc_SystemError, "Invalid format string ($ specified twice)"), fail();
      }
      most_positional = i;
      parser.skip_marker();
      if (most_positional < positional_only) {
        return PyErr_SetString(PyExc_SystemError, "Empty parameter name after $"), fail();
      }
      if (most_positional < nargs) {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)", shown, parentheses,
                     least != INT_MAX ? "at most" : "exactly", i, i == 1 ? "" : "s", nargs);
        if (i == 0) PyErr_Format(PyExc_TypeError, "%.200s%s takes no positional arguments", shown, parentheses);
        return fail();
      }
    }
    if (is_end(*parser.format())) {
      PyErr_Format(PyExc_SystemError, "More keyword list entries (%d) than format specifiers (%d)", total, i);
      return fail();
    }
    PyObject* current = nullptr;
    if (i < nargs) {
      current = args[i];
    } else if (keywords_left > 0 && i >= positional_only) {
      current = keywords.find(names[i]);
      if (current == nullptr && PyErr_Occurred()) return fail();
      if (current != nullptr) keywords_left--;
    }
    if (current != nullptr) {
      if (!parser.convert(current, i + 1, function, message)) return fail();
      continue;
    }
    if (i < least) {
      if (i < positional_only) {
        const FormatInfo info = inspect_format(format);
        const int needed = info.least < positional_only ? info.least : positional_only;
        PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)", shown, parentheses,
                     needed < info.positional ? "at least" : "exactly", needed, needed == 1 ? "" : "s", nargs);
      } else {
        PyErr_Format(PyExc_TypeError, "%.200s%s missing required argument '%s' (pos %i)", shown, parentheses,
                     names[i], i + 1);
      }
      return fail();
    }
    if (keywords_left == 0 && strchr(parser.format(), '$') == nullptr) return 1;
    if (!parser.skip_item()) return fail();
  }
  const char rest = *parser.format();
  if (!is_end(rest) && rest != '|' && rest != '$') {
    PyErr_Format(PyExc_SystemError, "more argument specifiers than keyword list entries (remaining format:'%s')",
                 parser.format());
    return fail();
  }
  if (keywords_left > 0) {
    for (Py_ssize_t i = positional_only; i < nargs && i < total; i++) {
      PyObject* twice = keywords.find(names[i]);
      if (twice != nullptr) {
        PyErr_Format(PyExc_TypeError, "argument for %.200s%s given by name ('%s') and position (%zd)", shown,
                     parentheses, names[i], i + 1);
        return fail();
      }
      if (PyErr_Occurred()) return fail();
    }
    keywords.each_name([&](PyObject* key) {
      if (!PyUnicode_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "keywords must be strings");
        return false;
      }
      for (int i = positional_only; i < total; i++) {
        if (PyUnicode_CompareWithASCIIString(key, names[i]) == 0) return true;
      }
      PyErr_Format(PyExc_TypeError, "'%U' is an invalid keyword argument for %.200s%s", key,
                   function == nullptr ? "this function" : function, parentheses);
      return false;
    });
    return fail();
  }
  return 1;
}

int parse_tuple_keywords(PyObject* args, PyObject* kwargs, const char* format, char** names, va_list* arguments,
                         bool clean) {
  if (args == nullptr || !PyTuple_Check(args) || (kwargs != nullptr && !PyDict_Check(kwargs)) || format == nullptr ||
      names == nullptr) {
    PyErr_BadInternalCall();
    return 0;
  }
  Keywords keywords;
  keywords.dict = kwargs;
  return parse_with_keywords(reinterpret_cast<PyTupleObject*>(args)->ob_item, PyTuple_GET_SIZE(args), keywords, format,
                             names, arguments, clean, "at most");
}

int parse_fast(PyObject* const* args, Py_ssize_t nargs, const Keywords& keywords, _PyArg_Parser* parser,
               va_list* arguments, bool clean) {
  if (parser == nullptr) {
    PyErr_BadInternalCall();
    return 0;
  }
  return parse_with_keywords(args, nargs, keywords, parser->format, parser->keywords, arguments, clean,
                             "exactly");
}

}  // namespace

// ---- entry points ---------------------------------------------------------------------------------------------------

// Each function exists with `#` lengths as Py_ssize_t (_SizeT) and in the old form, where `#` is refused.
#define WITH_ARGUMENTS(last, expression)    \
  va_list arguments;                        \
  va_start(arguments, last);                \
  const int result = (expression);          \
  va_end(arguments);                        \
  return result
#define WITH_COPY(source, expression)       \
  va_list arguments;                        \
  va_copy(arguments, source);               \
  const int result = (expression);          \
  va_end(arguments);                        \
  return result

int PyArg_Parse(PyObject* args, const char* format, ...) {
  WITH_ARGUMENTS(format, parse_single(args, format, &arguments, false));
}
int _PyArg_Parse_SizeT(PyObject* args, const char* format, ...) {
  WITH_ARGUMENTS(format, parse_single(args, format, &arguments, true));
}
int PyArg_ParseTuple(PyObject* args, const char* format, ...) {
  WITH_ARGUMENTS(format, parse_tuple(args, format, &arguments, false));
}
int _PyArg_ParseTuple_SizeT(PyObject* args, const char* format, ...) {
  WITH_ARGUMENTS(format, parse_tuple(args, format, &arguments, true));
}
int PyArg_VaParse(PyObject* args, const char* format, va_list source) {
  WITH_COPY(source, parse_tuple(args, format, &arguments, false));
}
int _PyArg_VaParse_SizeT(PyObject* args, const char* format, va_list source) {
  WITH_COPY(source, parse_tuple(args, format, &arguments, true));
}
int _PyArg_ParseStack(PyObject* const* args, Py_ssize_t nargs, const char* format, ...) {
  WITH_ARGUMENTS(format, parse_positional(args, nargs, format, &arguments, false));
}
int _PyArg_ParseStack_SizeT(PyObject* const* args, Py_ssize_t nargs, const char* format, ...) {
  WITH_ARGUMENTS(format, parse_positional(args, nargs, format, &arguments, true));
}
int PyArg_ParseTupleAndKeywords(PyObject* args, PyObject* kwargs, const char* format, char** names, ...) {
  WITH_ARGUMENTS(names, parse_tuple_keywords(args, kwargs, format, names, &arguments, false));
}
int _PyArg_ParseTupleAndKeywords_SizeT(PyObject* args, PyObject* kwargs, const char* format, char** names, ...) {
  WITH_ARGUMENTS(names, parse_tuple_keywords(args, kwargs, format, names, &arguments, true));
}
int PyArg_VaParseTupleAndKeywords(PyObject* args, PyObject* kwargs, const char* format, char** names, va_list source) {
  WITH_COPY(source, parse_tuple_keywords(args, kwargs, format, names, &arguments, false));
}
int _PyArg_VaParseTupleAndKeywords_SizeT(PyObject* args, PyObject* kwargs, const char* format, char** names,
                                         va_list source) {
  WITH_COPY(source, parse_tuple_keywords(args, kwargs, format, names, &arguments, true));
}

namespace {
int parse_fast_tuple(PyObject* args, PyObject* kwargs, _PyArg_Parser* parser, va_list* arguments, bool clean) {
  if (args == nullptr || !PyTuple_Check(args) || (kwargs != nullptr && !PyDict_Check(kwargs))) {
    PyErr_BadInternalCall();
    return 0;
  }
  Keywords keywords;
  keywords.dict = kwargs;
  return parse_fast(reinterpret_cast<PyTupleObject*>(args)->ob_item, PyTuple_GET_SIZE(args), keywords, parser,
                    arguments, clean);
}
int parse_fast_stack(PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, _PyArg_Parser* parser,
                     va_list* arguments, bool clean) {
  Keywords keywords;
  keywords.names = kwnames;
  keywords.values = args + nargs;
  return parse_fast(args, nargs, keywords, parser, arguments, clean);
}
}  // namespace

int _PyArg_ParseTupleAndKeywordsFast(PyObject* args, PyObject* kwargs, _PyArg_Parser* parser, ...) {
  WITH_ARGUMENTS(parser, parse_fast_tuple(args, kwargs, parser, &arguments, false));
}
int _PyArg_ParseTupleAndKeywordsFast_SizeT(PyObject* args, PyObject* kwargs, _PyArg_Parser* parser, ...) {
  WITH_ARGUMENTS(parser, parse_fast_tuple(args, kwargs, parser, &arguments, true));
}
int _PyArg_VaParseTupleAndKeywordsFast(PyObject* args, PyObject* kwargs, _PyArg_Parser* parser, va_list source) {
  WITH_COPY(source, parse_fast_tuple(args, kwargs, parser, &arguments, false));
}
int _PyArg_VaParseTupleAndKeywordsFast_SizeT(PyObject* args, PyObject* kwargs, _PyArg_Parser* parser, va_list source) {
  WITH_COPY(source, parse_fast_tuple(args, kwargs, parser, &arguments, true));
}
int _PyArg_ParseStackAndKeywords(PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, _PyArg_Parser* parser, ...) {
  WITH_ARGUMENTS(parser, parse_fast_stack(args, nargs, kwnames, parser, &arguments, false));
}
int _PyArg_ParseStackAndKeywords_SizeT(PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames,
                                       _PyArg_Parser* parser, ...) {
  WITH_ARGUMENTS(parser, parse_fast_stack(args, nargs, kwnames, parser, &arguments, true));
}

// ---- unpacking and checks ---------------------------------------------------------------------------------------------

#undef _PyArg_UnpackKeywords
PyObject* const* _PyArg_UnpackKeywords(PyObject* const* args, Py_ssize_t nargs, PyObject* kwargs, PyObject* kwnames,
                                       _PyArg_Parser* parser, int minpos, int maxpos, int minkw, PyObject** buffer) {
  if (kwargs != nullptr && !PyDict_Check(kwargs)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (args == nullptr && nargs == 0) args = buffer;
  Keywords keywords;
  keywords.dict = kwargs;
  if (kwnames != nullptr) {
    keywords.names = kwnames;
    keywords.values = args + nargs;
  }
  const Py_ssize_t nkeywords = keywords.count();
  if (nkeywords == 0 && minkw == 0 && minpos <= nargs && nargs <= maxpos) {
    int total = 0;
    while (parser->keywords[total] != nullptr) total++;
    if (nargs == total) return args;
  }
  int total = 0;
  int positional_only = 0;
  while (parser->keywords[total] != nullptr) {
    if (parser->keywords[total][0] == '\0') positional_only++;
    total++;
  }
  const char* function = parser->fname;
  const char* message;
  if (function == nullptr && parser->format != nullptr) function = function_of(parser->format, &message);
  const char* shown = function == nullptr ? "function" : function;
  const char* parentheses = function == nullptr ? "" : "()";
  const bool exact_total = minpos == total || (minpos + minkw == total);
  if (nargs + nkeywords > total) {
    PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d %sargument%s (%zd given)", shown, parentheses,
                 minpos + minkw < total && !exact_total ? "at most" : "exactly", total, nargs == 0 ? "keyword " : "",
                 total == 1 ? "" : "s", nargs + nkeywords);
    return nullptr;
  }
  if (nargs > maxpos) {
    if (maxpos == 0) {
      PyErr_Format(PyExc_TypeError, "%.200s%s takes no positional arguments", shown, parentheses);
    } else {
      PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)", shown, parentheses,
                   minpos < maxpos ? "at most" : "exactly", maxpos, maxpos == 1 ? "" : "s", nargs);
    }
    return nullptr;
  }
  if (nargs < minpos && nargs < positional_only) {
    const int needed = minpos < positional_only ? minpos : positional_only;
    PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)", shown, parentheses,
                 minpos < maxpos ? "at least" : "exactly", needed, needed == 1 ? "" : "s", nargs);
    return nullptr;
  }
  Py_ssize_t keywords_left = nkeywords;
  PyObject* values[total + 1];
  for (int i = 0; i < total; i++) {
    PyObject* value = nullptr;
    if (i < nargs) {
      value = args[i];
    } else if (keywords_left > 0 && i >= positional_only) {
      value = keywords.find(parser->keywords[i]);
      if (value == nullptr && PyErr_Occurred()) return nullptr;
      if (value != nullptr) keywords_left--;
    }
    values[i] = value;
    const bool required = i < minpos || (i >= maxpos && i < maxpos + minkw);
    if (value == nullptr && required) {
      PyErr_Format(PyExc_TypeError, "%.200s%s missing required argument '%s' (pos %i)", shown, parentheses,
                   parser->keywords[i], i + 1);
      return nullptr;
    }
  }
  if (keywords_left > 0) {
    for (Py_ssize_t i = positional_only; i < nargs; i++) {
      if (keywords.find(parser->keywords[i]) != nullptr) {
        PyErr_Format(PyExc_TypeError, "argument for %.200s%s given by name ('%s') and position (%zd)", shown,
                     parentheses, parser->keywords[i], i + 1);
        return nullptr;
      }
    }
    keywords.each_name([&](PyObject* key) {
      if (!PyUnicode_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "keywords must be strings");
        return false;
      }
      for (int i = positional_only; i < total; i++) {
        if (PyUnicode_CompareWithASCIIString(key, parser->keywords[i]) == 0) return true;
      }
      PyErr_Format(PyExc_TypeError, "'%S' is an invalid keyword argument for %.200s%s", key,
                   function == nullptr ? "this function" : function, parentheses);
      return false;
    });
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "invalid keyword argument");
    return nullptr;
  }
  memcpy(buffer, values, total * sizeof(PyObject*));
  return buffer;
}

PyObject* const* _PyArg_UnpackKeywordsWithVararg(PyObject* const* args, Py_ssize_t nargs, PyObject* kwargs,
                                                 PyObject* kwnames, _PyArg_Parser* parser, int minpos, int maxpos,
                                                 int minkw, int vararg, PyObject** buffer) {
  const Py_ssize_t extra = nargs > maxpos ? nargs - maxpos : 0;
  PyObject* rest = PyTuple_New(extra);
  if (rest == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < extra; i++) PyTuple_SET_ITEM(rest, i, Py_NewRef(args[maxpos + i]));
  int total = 0;
  while (parser->keywords[total] != nullptr) total++;
  PyObject* fixed[total + 1];
  const Py_ssize_t positional = nargs > maxpos ? maxpos : nargs;
  // The keyword values follow all positional ones, so they are handed over as a dict.
  PyObject* dict = kwargs == nullptr ? nullptr : Py_NewRef(kwargs);
  if (kwnames != nullptr && PyTuple_GET_SIZE(kwnames) > 0) {
    dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != nullptr && i < PyTuple_GET_SIZE(kwnames); i++) {
      if (PyDict_SetItem(dict, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0) Py_CLEAR(dict);
    }
    if (dict == nullptr) {
      Py_DECREF(rest);
      return nullptr;
    }
  }
  PyObject* const* found =
      _PyArg_UnpackKeywords(args, positional, dict, nullptr, parser, minpos, maxpos, minkw, fixed);
  Py_XDECREF(dict);  // the caller's kwargs or kwnames hold the values
  if (found == nullptr) {
    Py_DECREF(rest);
    return nullptr;
  }
  int out = 0;
  for (int i = 0; i < total; i++) {
    if (i == vararg) buffer[out++] = rest;
    buffer[out++] = found[i];
  }
  if (vararg >= total) buffer[out++] = rest;
  return buffer;
}

namespace {
int unpack_array(PyObject* const* args, Py_ssize_t nargs, const char* name, Py_ssize_t least, Py_ssize_t most,
                 va_list arguments) {
  if (!_PyArg_CheckPositional(name, nargs, least, most)) return 0;
  for (Py_ssize_t i = 0; i < nargs; i++) *va_arg(arguments, PyObject**) = args[i];
  return 1;
}
}  // namespace

#undef _PyArg_CheckPositional
int _PyArg_CheckPositional(const char* name, Py_ssize_t nargs, Py_ssize_t least, Py_ssize_t most) {
  if (nargs >= least && nargs <= most) return 1;
  const Py_ssize_t bound = nargs < least ? least : most;
  const char* limit = least == most ? "" : nargs < least ? "at least " : "at most ";
  if (name != nullptr) {
    PyErr_Format(PyExc_TypeError, "%.200s expected %s%zd argument%s, got %zd", name, limit, bound,
                 bound == 1 ? "" : "s", nargs);
  } else {
    PyErr_Format(PyExc_TypeError, "unpacked tuple should have %s%zd element%s, but has %zd", limit, bound,
                 bound == 1 ? "" : "s", nargs);
  }
  return 0;
}

int PyArg_UnpackTuple(PyObject* args, const char* name, Py_ssize_t least, Py_ssize_t most, ...) {
  if (!PyTuple_Check(args)) {
    PyErr_SetString(PyExc_SystemError, "PyArg_UnpackTuple() argument list is not a tuple");
    return 0;
  }
  WITH_ARGUMENTS(most, unpack_array(reinterpret_cast<PyTupleObject*>(args)->ob_item, PyTuple_GET_SIZE(args), name,
                                    least, most, arguments));
}

int _PyArg_UnpackStack(PyObject* const* args, Py_ssize_t nargs, const char* name, Py_ssize_t least, Py_ssize_t most,
                       ...) {
  WITH_ARGUMENTS(most, unpack_array(args, nargs, name, least, most, arguments));
}

#undef _PyArg_NoKeywords
int _PyArg_NoKeywords(const char* name, PyObject* kwargs) {
  if (kwargs == nullptr) return 1;
  if (!PyDict_CheckExact(kwargs)) {
    PyErr_BadInternalCall();
    return 0;
  }
  if (PyDict_GET_SIZE(kwargs) == 0) return 1;
  PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", name);
  return 0;
}

#undef _PyArg_NoPositional
int _PyArg_NoPositional(const char* name, PyObject* args) {
  if (args == nullptr) return 1;
  if (!PyTuple_CheckExact(args)) {
    PyErr_BadInternalCall();
    return 0;
  }
  if (PyTuple_GET_SIZE(args) == 0) return 1;
  PyErr_Format(PyExc_TypeError, "%.200s() takes no positional arguments", name);
  return 0;
}

#undef _PyArg_NoKwnames
int _PyArg_NoKwnames(const char* name, PyObject* kwnames) {
  if (kwnames == nullptr || PyTuple_GET_SIZE(kwnames) == 0) return 1;
  PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", name);
  return 0;
}

void _PyArg_BadArgument(const char* function, const char* display_name, const char* expected, PyObject* argument) {
  PyErr_Format(PyExc_TypeError, "%.200s() %.200s must be %.50s, not %.50s", function, display_name, expected,
               argument == Py_None ? "None" : Py_TYPE(argument)->tp_name);
}

int PyArg_ValidateKeywordArguments(PyObject* kwargs) {
  if (!PyDict_Check(kwargs)) {
    PyErr_BadInternalCall();
    return 0;
  }
  if (!_PyDict_HasOnlyStringKeys(kwargs)) {
    PyErr_SetString(PyExc_TypeError, "keywords must be strings");
    return 0;
  }
  return 1;
}

void _PyArg_Fini(void) {}
