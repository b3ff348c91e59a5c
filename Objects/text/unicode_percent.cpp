// The % operator of str: `format % arguments`.
#include "Objects/text/text.h"

#include "internal/pycore_long.h"

namespace pyston::text {
namespace {

/// A parsed conversion.
struct Spec {
  bool left = false;       // -
  bool plus = false;       // +
  bool blank = false;      // space
  bool alternate = false;  // #
  bool zero = false;       // 0
  Py_ssize_t width = -1;
  int precision = -1;
  Py_UCS4 code = 0;
};

class Formatter {
 public:
  Formatter(PyObject* format, PyObject* arguments)
      : format_(format), text_(view(format)), args_(arguments), writer_(text_.length + 100) {
    if (PyTuple_Check(arguments)) {
      count_ = PyTuple_GET_SIZE(arguments);
      next_ = 0;
    }
    if (PyMapping_Check(arguments) && !PyTuple_Check(arguments) && !PyUnicode_Check(arguments)) mapping_ = arguments;
  }
  ~Formatter() { Py_XDECREF(owned_); }

  PyObject* run() {
    while (at_ < text_.length) {
      const Py_ssize_t percent = PyUnicode_FindChar(format_, '%', at_, text_.length, 1);
      const Py_ssize_t stop = percent < 0 ? text_.length : percent;
      if (percent < 0) writer_->overallocate = 0;
      if (!writer_.substring(format_, at_, stop)) return nullptr;
      at_ = stop + 1;
      if (percent < 0) break;
      if (!convert()) return nullptr;
    }
    if (next_ < count_ && mapping_ == nullptr) {
      PyErr_SetString(PyExc_TypeError, "not all arguments converted during string formatting");
      return nullptr;
    }
    return writer_.finish();
  }

 private:
  /// The next argument (borrowed), or null with an exception.
  PyObject* next_argument() {
    if (next_ < count_) {
      next_++;
      if (count_ < 0) return args_;
      return PyTuple_GET_ITEM(args_, next_ - 1);
    }
    PyErr_SetString(PyExc_TypeError, "not enough arguments for format string");
    return nullptr;
  }

  bool incomplete() {
    PyErr_SetString(PyExc_ValueError, "incomplete format");
    return false;
  }

  /// Reads "(key)", which makes the mapping's value the only argument.
  bool read_key() {
    if (mapping_ == nullptr) {
      PyErr_SetString(PyExc_TypeError, "format requires a mapping");
      return false;
    }
    const Py_ssize_t start = ++at_;
    int depth = 1;
    while (depth > 0 && at_ < text_.length) {
      const Py_UCS4 c = text_[at_++];
      if (c == ')') depth--;
      if (c == '(') depth++;
    }
    if (depth > 0) {
      PyErr_SetString(PyExc_ValueError, "incomplete format key");
      return false;
    }
    Ref<> key = Ref<>::steal(slice(format_, start, at_ - 1));
    if (!key) return false;
    PyObject* value = PyObject_GetItem(mapping_, key.get());
    if (value == nullptr) return false;
    Py_XSETREF(owned_, value);
    args_ = value;
    count_ = -1;
    next_ = -2;
    return true;
  }

  /// Reads digits or `*` into `number` when there are any.
  template <class Number>
  bool read_number(Number& number, bool is_width, Spec& spec) {
    if (at_ < text_.length && text_[at_] == '*') {
      at_++;
      PyObject* value = next_argument();
      if (value == nullptr) return false;
      if (!PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "* wants int");
        return false;
      }
      long given;
      if (is_width) {
        given = PyLong_AsSsize_t(value);
      } else {
        given = _PyLong_AsInt(value);
      }
      if (given == -1 && PyErr_Occurred()) return false;
      if (given < 0) {
        if (is_width) {
          spec.left = true;
          given = -given;
        } else {
          given = 0;
        }
      }
      number = static_cast<Number>(given);
      return true;
    }
    constexpr Py_ssize_t kMax = sizeof(Number) == 4 ? INT_MAX : PY_SSIZE_T_MAX;
    Py_ssize_t value = 0;
    bool any = false;
    while (at_ < text_.length && text_[at_] >= '0' && text_[at_] <= '9') {
      const int digit = static_cast<int>(text_[at_] - '0');
      if (value > (kMax - digit) / 10) {
        PyErr_SetString(PyExc_ValueError, is_width ? "width too big" : "precision too big");
        return false;
      }
      value = value * 10 + digit;
      any = true;
      at_++;
    }
    if (any) number = static_cast<Number>(value);
    return true;
  }

  bool read_spec(Spec& spec) {
    if (at_ >= text_.length) return incomplete();
    if (text_[at_] == '(' && !read_key()) return false;
    for (; at_ < text_.length; at_++) {
      const Py_UCS4 c = text_[at_];
      if (c == '-') spec.left = true;
      else if (c == '+') spec.plus = true;
      else if (c == ' ') spec.blank = true;
      else if (c == '#') spec.alternate = true;
      else if (c == '0') spec.zero = true;
      else break;
    }
    if (!read_number(spec.width, true, spec)) return false;
    if (at_ < text_.length && text_[at_] == '.') {
      at_++;
      spec.precision = 0;
      if (!read_number(spec.precision, false, spec)) return false;
    }
    if (at_ < text_.length && (text_[at_] == 'h' || text_[at_] == 'l' || text_[at_] == 'L')) at_++;
    if (at_ >= text_.length) return incomplete();
    spec.code = text_[at_++];
    return true;
  }

  bool convert() {
    Spec spec;
    // FAST: %s and %d without anything in between. Only %% stands for a percent sign.
    if (at_ < text_.length && text_[at_] == '%') {
      at_++;
      return writer_.put('%');
    }
    if (at_ < text_.length && (text_[at_] == 's' || text_[at_] == 'd')) {
      spec.code = text_[at_++];
    } else if (!read_spec(spec)) {
      return false;
    }
    if (at_ >= text_.length) writer_->overallocate = 0;  // the last piece; when it is the only one, it is the result itself
    PyObject* value = next_argument();
    if (value == nullptr) return false;
    switch (spec.code) {
      case 's':
        if (PyUnicode_CheckExact(value)) return write_text(spec, Ref<>::dup(value));
        return write_text(spec, Ref<>::steal(PyObject_Str(value)));
      case 'r':
        return write_text(spec, Ref<>::steal(PyObject_Repr(value)));
      case 'a':
        return write_text(spec, Ref<>::steal(PyObject_ASCII(value)));
      case 'i':
      case 'd':
      case 'u':
      case 'o':
      case 'x':
      case 'X':
        return write_integer(spec, value);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        return write_float(spec, value);
      case 'c':
        return write_character(spec, value);
      default:
        PyErr_Format(PyExc_ValueError, "unsupported format character '%c' (0x%x) at index %zd",
                     31 <= spec.code && spec.code <= 126 ? static_cast<int>(spec.code) : '?', static_cast<int>(spec.code),
                     at_ - 1);
        return false;
    }
  }

  bool fill(Py_ssize_t n, Py_UCS4 c) {
    if (n <= 0) return true;
    if (_PyUnicodeWriter_Prepare(writer_.get(), n, c) < 0) return false;
    dispatch_mutable(writer_->kind, writer_->data, [&](auto* data) {
      for (Py_ssize_t i = 0; i < n; i++) data[writer_->pos + i] = static_cast<std::remove_reference_t<decltype(*data)>>(c);
    });
    writer_->pos += n;
    return true;
  }

  bool write_text(const Spec& spec, Ref<> string) {
    if (!string || !ready(string.get())) return false;
    Py_ssize_t length = PyUnicode_GET_LENGTH(string.get());
    if (spec.precision >= 0 && length > spec.precision) length = spec.precision;
    const Py_ssize_t padding = spec.width - length;
    if (!spec.left && !fill(padding, ' ')) return false;
    if (!writer_.substring(string.get(), 0, length)) return false;
    return !spec.left || fill(padding, ' ');
  }

  bool write_character(Spec spec, PyObject* value) {
    spec.precision = -1;
    if (PyUnicode_Check(value)) {
      if (!ready(value)) return false;
      if (PyUnicode_GET_LENGTH(value) == 1) return write_text(spec, Ref<>::dup(value));
      PyErr_SetString(PyExc_TypeError, "%c requires int or char");
      return false;
    }
    Ref<> index = Ref<>::steal(PyNumber_Index(value));
    if (!index) {
      if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_SetString(PyExc_TypeError, "%c requires int or char");
      return false;
    }
    const long code = PyLong_AsLong(index.get());
    if (code < 0 || code > static_cast<long>(kMaxUnicode)) {
      if (code != -1 || !PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_SetString(PyExc_OverflowError, "%c arg not in range(0x110000)");
      }
      return false;
    }
    return write_text(spec, Ref<>::steal(PyUnicode_FromOrdinal(static_cast<int>(code))));
  }

  /// Writes a number given as text: sign, then a base prefix of `prefix` characters, then digits.
  bool write_number(const Spec& spec, PyObject* number, Py_ssize_t prefix) {
    const Text digits = view(number);
    Py_ssize_t start = 0;
    Py_UCS4 sign = 0;
    if (digits.length > 0 && (digits[0] == '-' || digits[0] == '+')) {
      sign = digits[0];
      start = 1;
    } else if (spec.plus) {
      sign = '+';
    } else if (spec.blank) {
      sign = ' ';
    }
    const Py_ssize_t padding = spec.width - (digits.length - start + (sign != 0));
    const bool zeros = spec.zero && !spec.left;
    if (!zeros && !spec.left && !fill(padding, ' ')) return false;
    if (sign != 0 && !writer_.put(sign)) return false;
    if (!writer_.substring(number, start, start + prefix)) return false;
    if (zeros && !fill(padding, '0')) return false;
    if (!writer_.substring(number, start + prefix, digits.length)) return false;
    return !spec.left || fill(padding, ' ');
  }

  bool write_integer(const Spec& spec, PyObject* value) {
    if (spec.code == 'd' && spec.width < 0 && spec.precision < 0 && !spec.plus && !spec.blank && PyLong_CheckExact(value)) {
      return _PyLong_FormatWriter(writer_.get(), value, 10, 0) == 0;
    }
    const bool decimal = spec.code == 'd' || spec.code == 'i' || spec.code == 'u';
    Ref<> number;
    if (PyLong_Check(value)) {
      number = Ref<>::dup(value);
    } else {
      bool wrong = !PyNumber_Check(value);
      if (!wrong) {
        number = Ref<>::steal(decimal ? PyNumber_Long(value) : PyNumber_Index(value));
        if (!number) {
          if (!PyErr_ExceptionMatches(PyExc_TypeError)) return false;
          wrong = true;
        }
      }
      if (wrong) {
        PyErr_Format(PyExc_TypeError,
                     decimal ? "%%%c format: a real number is required, not %.200s"
                             : "%%%c format: an integer is required, not %.200s",
                     static_cast<int>(spec.code), Py_TYPE(value)->tp_name);
        return false;
      }
    }
    const int code = decimal ? 'd' : static_cast<int>(spec.code);
    Ref<> digits = Ref<>::steal(_PyUnicode_FormatLong(number.get(), spec.alternate, spec.precision, code));
    return digits && write_number(spec, digits.get(), spec.alternate && !decimal ? 2 : 0);
  }

  bool write_float(const Spec& spec, PyObject* value) {
    const double x = PyFloat_AsDouble(value);
    if (x == -1.0 && PyErr_Occurred()) return false;
    const int precision = spec.precision < 0 ? 6 : spec.precision;
    char* bytes = PyOS_double_to_string(x, static_cast<char>(spec.code), precision, spec.alternate ? Py_DTSF_ALT : 0, nullptr);
    if (bytes == nullptr) return false;
    Ref<> digits = Ref<>::steal(from_ascii(bytes, static_cast<Py_ssize_t>(strlen(bytes))));
    PyMem_Free(bytes);
    return digits && write_number(spec, digits.get(), 0);
  }

  PyObject* format_;
  Text text_;
  PyObject* args_;
  PyObject* mapping_ = nullptr;
  PyObject* owned_ = nullptr;
  Py_ssize_t count_ = -1;  // of the tuple; -1: args_ is the only argument
  Py_ssize_t next_ = -2;
  Py_ssize_t at_ = 0;
  Writer writer_;
};

}  // namespace
}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_Format(PyObject* format, PyObject* args) {
  if (format == nullptr || args == nullptr) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (!ensure_string(format)) return nullptr;
  Formatter formatter(format, args);
  return formatter.run();
}

PyObject* _PyUnicode_FormatLong(PyObject* val, int alt, int prec, int type) {
  if (prec > INT_MAX - 3) {
    PyErr_SetString(PyExc_ValueError, "precision too large");
    return nullptr;
  }
  Ref<> digits;
  Py_ssize_t prefix = 0;
  if (type == 'd') {
    digits = Ref<>::steal(PyLong_Type.tp_repr(val));  // whatever a subclass (bool!) prints
  } else {
    prefix = 2;
    digits = Ref<>::steal(_PyLong_Format(val, type == 'o' ? 8 : 16));
  }
  if (!digits || !ready(digits.get())) return nullptr;
  if (!PyUnicode_IS_ASCII(digits.get())) {
    return PyErr_Format(PyExc_ValueError, "%s() returned a non-ASCII string", "__str__"), nullptr;
  }
  const Text text = view(digits.get());
  const char* p = static_cast<const char*>(text.data);
  const bool negative = text.length > 0 && p[0] == '-';
  const Py_ssize_t body_start = (negative ? 1 : 0) + prefix;
  const Py_ssize_t body = text.length - body_start;
  const Py_ssize_t zeros = prec > body ? prec - body : 0;
  if (zeros == 0 && type == 'd') return digits.release();
  char sign_and_prefix[4];
  Py_ssize_t lead = 0;
  if (negative) sign_and_prefix[lead++] = '-';
  if (alt && prefix != 0) {
    sign_and_prefix[lead++] = '0';
    sign_and_prefix[lead++] = static_cast<char>(type);
  }
  const Py_ssize_t length = lead + zeros + body;
  if (length == 1) {
    const unsigned char c = static_cast<unsigned char>(p[body_start]);
    return new_latin1_char(type == 'X' ? Py_TOUPPER(c) : c);
  }
  PyObject* result = allocate(length, 0x7f);
  if (result == nullptr) return nullptr;
  char* out = static_cast<char*>(PyUnicode_DATA(result));
  memcpy(out, sign_and_prefix, static_cast<size_t>(lead));
  memset(out + lead, '0', static_cast<size_t>(zeros));
  for (Py_ssize_t i = 0; i < body; i++) {
    const unsigned char c = static_cast<unsigned char>(p[body_start + i]);
    out[lead + zeros + i] = static_cast<char>(type == 'X' ? Py_TOUPPER(c) : c);
  }
  return result;
}

/// Sizes of the groups of digits from the right, as localeconv() describes them.
namespace {
class Groups {
 public:
  explicit Groups(const char* grouping) : grouping_(grouping) {}
  /// 0: the rest is one group.
  Py_ssize_t next() {
    const char size = grouping_[0];
    if (size == 0) return previous_;
    if (size == CHAR_MAX) return 0;
    previous_ = size;
    grouping_++;
    return previous_;
  }

 private:
  const char* grouping_;
  Py_ssize_t previous_ = 0;
};
}  // namespace

/// Writes digits[d_pos : d_pos + n_digits] with separators and leading zeros up to min_width; returns the length that
/// takes. With a null writer only measures, and raises *maxchar to the separator's.
Py_ssize_t _PyUnicode_InsertThousandsGrouping(_PyUnicodeWriter* writer, Py_ssize_t n_buffer, PyObject* digits,
                                              Py_ssize_t d_pos, Py_ssize_t n_digits, Py_ssize_t min_width,
                                              const char* grouping, PyObject* thousands_sep, Py_UCS4* maxchar) {
  min_width = min_width < 0 ? 0 : min_width;
  const Text separator = view(thousands_sep);
  if (writer == nullptr) {
    *maxchar = 127;
  }
  Py_ssize_t digits_left = n_digits;
  Py_ssize_t out = writer == nullptr ? 0 : writer->pos + n_buffer;
  Py_ssize_t count = 0;
  bool separate = false;
  Groups groups(grouping);
  auto write_group = [&](Py_ssize_t size) {
    const Py_ssize_t from_digits = digits_left < size ? digits_left : size;
    const Py_ssize_t zeros = size - from_digits;
    count += size + (separate ? separator.length : 0);
    if (writer != nullptr) {
      if (separate) {
        out -= separator.length;
        copy_characters(writer->kind, writer->data, out, separator, 0, separator.length);
      }
      out -= from_digits;
      copy_characters(writer->kind, writer->data, out, view(digits), d_pos + digits_left - from_digits, from_digits);
      out -= zeros;
      for (Py_ssize_t i = 0; i < zeros; i++) PyUnicode_WRITE(writer->kind, writer->data, out + i, '0');
    } else if (separate && class_max(separator) > *maxchar) {
      *maxchar = class_max(separator);
    }
    separate = true;
    digits_left -= from_digits;
  };
  for (Py_ssize_t group = groups.next(); group > 0; group = groups.next()) {
    Py_ssize_t wanted = digits_left > min_width ? digits_left : min_width;
    if (wanted < 1) wanted = 1;
    const Py_ssize_t size = group < wanted ? group : wanted;
    write_group(size);
    min_width -= size;
    if (digits_left <= 0 && min_width <= 0) return count;
    min_width -= separator.length;
  }
  Py_ssize_t rest = digits_left > min_width ? digits_left : min_width;
  write_group(rest < 1 ? 1 : rest);
  return count;
}
