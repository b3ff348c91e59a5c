// bytes % arguments (PEP 461).
#include <climits>
#include <cstring>

#include "Objects/text/bytes_methods.h"
#include "pycore_call.h"
#include "pycore_format.h"
#include "pycore_long.h"
#include "pycore_object.h"

using namespace pyston;

namespace {

/// The arguments of one % operation: a tuple walked through, a single value, or a mapping.
class FormatArguments {
 public:
  explicit FormatArguments(PyObject* arguments) : arguments_(arguments) {
    if (PyTuple_Check(arguments)) {
      is_tuple_ = true;
      count_ = PyTuple_GET_SIZE(arguments);
    }
    const bool mapping = PyMapping_Check(arguments) && !PyTuple_Check(arguments) && !PyBytes_Check(arguments) &&
                         !PyUnicode_Check(arguments) && !PyByteArray_Check(arguments);
    if (mapping) mapping_ = arguments;
  }
  /// Borrowed; null: TypeError set.
  PyObject* next() {
    if (next_ < count_) {
      PyObject* value = is_tuple_ ? PyTuple_GET_ITEM(current_ ? current_.get() : arguments_, next_) : (current_ ? current_.get() : arguments_);
      next_++;
      return value;
    }
    PyErr_SetString(PyExc_TypeError, "not enough arguments for format string");
    return nullptr;
  }
  /// Makes mapping[key] the only argument.
  bool select(const char* key, Py_ssize_t length) {
    if (mapping_ == nullptr) {
      PyErr_SetString(PyExc_TypeError, "format requires a mapping");
      return false;
    }
    Ref<> name = Ref<>::steal(PyBytes_FromStringAndSize(key, length));
    if (!name) return false;
    current_ = Ref<>::steal(PyObject_GetItem(mapping_, name.get()));
    is_tuple_ = false;
    next_ = 0;
    count_ = 1;
    return static_cast<bool>(current_);
  }
  bool all_used() const { return next_ >= count_ || mapping_ != nullptr; }

 private:
  PyObject* arguments_;
  PyObject* mapping_ = nullptr;
  Ref<> current_;  // the value a key selected
  bool is_tuple_ = false;
  Py_ssize_t count_ = 1;
  Py_ssize_t next_ = 0;
};

struct Directive {
  int flags = 0;
  Py_ssize_t width = -1;
  int precision = -1;
  char code = 0;
};

/// What a directive prints; `owner` keeps the text alive.
struct Piece {
  const char* data = nullptr;
  Py_ssize_t size = 0;
  bool numeric = false;
  Ref<> owner;
  Buffer buffer;
  char* memory = nullptr;  // PyMem
  char byte = 0;
  ~Piece() { PyMem_Free(memory); }
};

/// A number or * of a directive. False: exception set.
bool read_number(const char*& p, const char* stop, FormatArguments& arguments, const char* what, Py_ssize_t limit,
                 Py_ssize_t& out, bool& from_star) {
  if (p < stop && *p == '*') {
    p++;
    from_star = true;
    PyObject* value = arguments.next();
    if (value == nullptr) return false;
    if (!PyLong_Check(value)) {
      PyErr_SetString(PyExc_TypeError, "* wants int");
      return false;
    }
    out = limit == INT_MAX ? _PyLong_AsInt(value) : PyLong_AsSsize_t(value);
    return !(out == -1 && PyErr_Occurred());
  }
  if (p < stop && Py_ISDIGIT(*p)) {
    Py_ssize_t total = 0;
    for (; p < stop && Py_ISDIGIT(*p); p++) {
      if (total > (limit - (*p - '0')) / 10) {
        PyErr_Format(PyExc_ValueError, "%s too big", what);
        return false;
      }
      total = total * 10 + (*p - '0');
    }
    out = total;
  }
  return true;
}

bool format_integer(const Directive& directive, PyObject* value, Piece& piece) {
  const char code = directive.code == 'i' ? 'd' : directive.code;
  Ref<> number;
  if (PyLong_Check(value)) {
    number = Ref<>::dup(value);
  } else if (PyNumber_Check(value)) {
    number = Ref<>::steal(code == 'o' || code == 'x' || code == 'X' ? _PyNumber_Index(value) : PyNumber_Long(value));
    if (!number && !PyErr_ExceptionMatches(PyExc_TypeError)) return false;
  }
  if (!number) {
    PyErr_Clear();
    PyErr_Format(PyExc_TypeError,
                 code == 'o' || code == 'x' || code == 'X' ? "%%%c format: an integer is required, not %.200s"
                                                           : "%%%c format: a real number is required, not %.200s",
                 directive.code, Py_TYPE(value)->tp_name);
    return false;
  }
  piece.owner = Ref<>::steal(_PyUnicode_FormatLong(number.get(), directive.flags & F_ALT, directive.precision, code));
  if (!piece.owner) return false;
  piece.data = reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(piece.owner.get()));
  piece.size = PyUnicode_GET_LENGTH(piece.owner.get());
  piece.numeric = true;
  return true;
}

bool format_float(const Directive& directive, PyObject* value, Piece& piece) {
  const double number = PyFloat_AsDouble(value);
  if (number == -1.0 && PyErr_Occurred()) {
    PyErr_Format(PyExc_TypeError, "float argument required, not %.200s", Py_TYPE(value)->tp_name);
    return false;
  }
  piece.memory = PyOS_double_to_string(number, directive.code, directive.precision < 0 ? 6 : directive.precision,
                                       (directive.flags & F_ALT ? Py_DTSF_ALT : 0) |
                                           (directive.flags & F_NO_NEG_0 ? Py_DTSF_NO_NEG_0 : 0),
                                       nullptr);
  if (piece.memory == nullptr) return false;
  piece.data = piece.memory;
  piece.size = static_cast<Py_ssize_t>(strlen(piece.memory));
  piece.numeric = true;
  return true;
}

bool format_byte(PyObject* value, Piece& piece) {
  piece.data = &piece.byte;
  piece.size = 1;
  if (PyBytes_Check(value) && PyBytes_GET_SIZE(value) == 1) {
    piece.byte = PyBytes_AS_STRING(value)[0];
    return true;
  }
  if (PyByteArray_Check(value) && PyByteArray_GET_SIZE(value) == 1) {
    piece.byte = PyByteArray_AS_STRING(value)[0];
    return true;
  }
  int overflow;
  const long code = PyLong_AsLongAndOverflow(value, &overflow);
  if (code == -1 && overflow == 0 && PyErr_Occurred()) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_SetString(PyExc_TypeError, "%c requires an integer in range(256) or a single byte");
    }
    return false;
  }
  if (overflow != 0 || code < 0 || code > 255) {
    PyErr_SetString(PyExc_OverflowError, "%c arg not in range(256)");
    return false;
  }
  piece.byte = static_cast<char>(code);
  return true;
}

bool format_object(PyObject* value, Piece& piece) {
  if (PyByteArray_Check(value)) {
    piece.owner = Ref<>::dup(value);
    piece.data = PyByteArray_AS_STRING(value);
    piece.size = PyByteArray_GET_SIZE(value);
    return true;
  }
  if (PyBytes_Check(value)) {
    piece.owner = Ref<>::dup(value);
  } else if (Ref<> function = Ref<>::steal(_PyObject_LookupSpecial(value, &_Py_ID(__bytes__)))) {
    piece.owner = Ref<>::steal(_PyObject_CallNoArgs(function.get()));
    if (!piece.owner) return false;
    if (!PyBytes_Check(piece.owner.get())) {
      PyErr_Format(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)", Py_TYPE(piece.owner.get())->tp_name);
      return false;
    }
  } else {
    if (PyErr_Occurred()) return false;
    if (PyObject_CheckBuffer(value)) {
      piece.owner = Ref<>::steal(PyBytes_FromObject(value));
      if (!piece.owner) return false;
    } else {
      PyErr_Format(PyExc_TypeError,
                   "%%b requires a bytes-like object, or an object that implements __bytes__, not '%.100s'",
                   Py_TYPE(value)->tp_name);
      return false;
    }
  }
  piece.data = PyBytes_AS_STRING(piece.owner.get());
  piece.size = PyBytes_GET_SIZE(piece.owner.get());
  return true;
}

bool format_piece(const Directive& directive, PyObject* value, const char* format, const char* position, Piece& piece) {
  switch (directive.code) {
    case 'r':
    case 'a':
      piece.owner = Ref<>::steal(PyObject_ASCII(value));
      if (!piece.owner) return false;
      piece.data = reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(piece.owner.get()));
      piece.size = PyUnicode_GET_LENGTH(piece.owner.get());
      break;
    case 's':
    case 'b':
      if (!format_object(value, piece)) return false;
      break;
    case 'i': case 'd': case 'u': case 'o': case 'x': case 'X':
      return format_integer(directive, value, piece);
    case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
      return format_float(directive, value, piece);
    case 'c':
      return format_byte(value, piece);
    default:
      PyErr_Format(PyExc_ValueError, "unsupported format character '%c' (0x%x) at index %zd", directive.code,
                   Py_CHARMASK(directive.code), position - format);
      return false;
  }
  if (directive.precision >= 0 && piece.size > directive.precision) piece.size = directive.precision;
  return true;
}

}  // namespace

/// Returns a new bytes object, or a bytearray.
PyObject* _PyBytes_FormatEx(const char* format, Py_ssize_t format_length, PyObject* args, int use_bytearray) {
  if (format == nullptr || args == nullptr) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  FormatArguments arguments(args);
  _PyBytesWriter writer;
  _PyBytesWriter_Init(&writer);
  writer.use_bytearray = use_bytearray;
  char* out = static_cast<char*>(_PyBytesWriter_Alloc(&writer, format_length));
  if (out == nullptr) return nullptr;
  if (!use_bytearray) writer.overallocate = 1;
  writer.min_size = 0;
  const auto fail = [&]() -> PyObject* {
    _PyBytesWriter_Dealloc(&writer);
    return nullptr;
  };
  const auto put = [&](const char* data, Py_ssize_t size) {
    out = static_cast<char*>(_PyBytesWriter_WriteBytes(&writer, out, data, size));
    return out != nullptr;
  };
  const auto fill = [&](char c, Py_ssize_t count) {
    if (count <= 0) return true;
    out = static_cast<char*>(_PyBytesWriter_Prepare(&writer, out, count));
    if (out == nullptr) return false;
    memset(out, c, static_cast<size_t>(count));
    out += count;
    return true;
  };
  const char* p = format;
  const char* stop = format + format_length;
  while (p < stop) {
    const char* percent = static_cast<const char*>(memchr(p, '%', static_cast<size_t>(stop - p)));
    if (percent == nullptr) percent = stop;
    if (percent > p && !put(p, percent - p)) return fail();
    if (percent == stop) break;
    p = percent + 1;
    Directive directive;
    if (p < stop && *p == '(') {
      const char* key = ++p;
      int depth = 1;
      for (; p < stop; p++) {
        if (*p == '(') depth++;
        if (*p == ')' && --depth == 0) break;
      }
      if (p >= stop) {
        PyErr_SetString(PyExc_ValueError, "incomplete format key");
        return fail();
      }
      if (!arguments.select(key, p - key)) return fail();
      p++;
    }
    for (; p < stop; p++) {
      if (*p == '-') {
        directive.flags |= F_LJUST;
      } else if (*p == '+') {
        directive.flags |= F_SIGN;
      } else if (*p == ' ') {
        directive.flags |= F_BLANK;
      } else if (*p == '#') {
        directive.flags |= F_ALT;
      } else if (*p == '0') {
        directive.flags |= F_ZERO;
      } else if (*p == 'z') {
        directive.flags |= F_NO_NEG_0;
      } else {
        break;
      }
    }
    bool star = false;
    if (!read_number(p, stop, arguments, "width", PY_SSIZE_T_MAX, directive.width, star)) return fail();
    if (star && directive.width < 0) {
      directive.flags |= F_LJUST;
      directive.width = -directive.width;
    }
    if (p < stop && *p == '.') {
      p++;
      Py_ssize_t precision = 0;
      if (!read_number(p, stop, arguments, "prec", INT_MAX, precision, star)) return fail();
      directive.precision = static_cast<int>(Py_MAX(precision, 0));
    }
    if (p < stop && (*p == 'h' || *p == 'l' || *p == 'L')) p++;
    if (p >= stop) {
      PyErr_SetString(PyExc_ValueError, "incomplete format");
      return fail();
    }
    directive.code = *p;
    const char* code_position = p++;
    if (directive.code == '%' && code_position == percent + 1) {
      if (!put("%", 1)) return fail();
      continue;
    }
    PyObject* value = arguments.next();
    if (value == nullptr) return fail();
    Piece piece;
    if (!format_piece(directive, value, format, code_position, piece)) return fail();
    const char* data = piece.data;
    Py_ssize_t size = piece.size;
    char sign = 0;
    if (piece.numeric) {
      if (*data == '-' || *data == '+') {
        sign = *data++;
        size--;
      } else if (directive.flags & F_SIGN) {
        sign = '+';
      } else if (directive.flags & F_BLANK) {
        sign = ' ';
      }
    }
    Py_ssize_t padding = directive.width - size - (sign != 0);
    const bool zeros = piece.numeric && (directive.flags & F_ZERO) && !(directive.flags & F_LJUST);
    if (!(directive.flags & F_LJUST) && !zeros && !fill(' ', padding)) return fail();
    if (sign != 0 && !put(&sign, 1)) return fail();
    const bool prefixed = (directive.flags & F_ALT) && (directive.code == 'x' || directive.code == 'X' || directive.code == 'o');
    if (prefixed) {
      if (!put(data, 2)) return fail();
      data += 2;
      size -= 2;
    }
    if (zeros && !fill('0', padding)) return fail();
    if (!put(data, size)) return fail();
    if ((directive.flags & F_LJUST) && !fill(' ', padding)) return fail();
  }
  if (!arguments.all_used()) {
    PyErr_SetString(PyExc_TypeError, "not all arguments converted during bytes formatting");
    return fail();
  }
  return _PyBytesWriter_Finish(&writer, out);
}
