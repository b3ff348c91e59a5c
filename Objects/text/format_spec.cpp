// format() of str, int, float and complex: parses a format specification (PEP 3101) and lays the value out.
//
// A number is laid out from parts: padding, sign, prefix, inner padding, grouped digits, point, rest, padding. All of them
// but the fill character and the locale's separators are ASCII, so a number is first put together as ASCII text.
#include <climits>
#include <cmath>
#include <clocale>
#include <cstring>

#include "Objects/numbers/int.h"
#include "Runtime/refs/ref.h"
#include "pycore_fileutils.h"
#include "pycore_floatobject.h"
#include "pycore_long.h"

namespace pyston {
namespace {

enum class Grouping { kNone, kComma, kUnderscore, kUnderscoreFour, kLocale };

struct FormatSpec {
  Py_UCS4 fill = ' ';
  Py_UCS4 align;
  Py_UCS4 type;
  bool alternate = false;
  bool no_negative_zero = false;
  Py_UCS4 sign = 0;
  Py_ssize_t width = -1;
  Grouping grouping = Grouping::kNone;
  Py_ssize_t precision = -1;
};

bool is_align(Py_UCS4 c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

/// Reads digits into *value; the count of digits, -1 with ValueError set.
Py_ssize_t read_number(PyObject* spec, Py_ssize_t& position, Py_ssize_t end, Py_ssize_t* value) {
  Py_ssize_t total = 0;
  Py_ssize_t count = 0;
  for (; position < end; position++, count++) {
    const int d = Py_UNICODE_TODECIMAL(PyUnicode_READ_CHAR(spec, position));
    if (d < 0) break;
    if (total > (PY_SSIZE_T_MAX - d) / 10) {
      return raise(PyExc_ValueError, "Too many decimal digits in format string");
    }
    total = total * 10 + d;
  }
  if (count > 0) *value = total;
  return count;
}

COLD Failure raise_grouping(char separator, Py_UCS4 type) {
  if (type > 32 && type < 128) {
    return raise(PyExc_ValueError, "Cannot specify '%c' with '%c'.", separator, static_cast<char>(type));
  }
  return raise(PyExc_ValueError, "Cannot specify '%c' with '\\x%x'.", separator, static_cast<unsigned>(type));
}

COLD Failure raise_unknown_type(Py_UCS4 type, PyObject* value) {
  if (type > 32 && type < 128) {
    return raise(PyExc_ValueError, "Unknown format code '%c' for object of type '%.200s'", static_cast<char>(type),
                 Py_TYPE(value)->tp_name);
  }
  return raise(PyExc_ValueError, "Unknown format code '\\x%x' for object of type '%.200s'", static_cast<unsigned>(type),
               Py_TYPE(value)->tp_name);
}

Status parse_spec(PyObject* value, PyObject* spec, Py_ssize_t start, Py_ssize_t end, char default_type,
                  char default_align, FormatSpec& out) {
  out.align = static_cast<Py_UCS4>(default_align);
  out.type = static_cast<Py_UCS4>(default_type);
  Py_ssize_t i = start;
  const auto at = [&](Py_ssize_t k) { return PyUnicode_READ_CHAR(spec, k); };
  bool fill_given = false;
  bool align_given = false;
  if (end - i >= 2 && is_align(at(i + 1))) {
    out.fill = at(i);
    out.align = at(i + 1);
    fill_given = align_given = true;
    i += 2;
  } else if (end - i >= 1 && is_align(at(i))) {
    out.align = at(i++);
    align_given = true;
  }
  if (i < end && (at(i) == ' ' || at(i) == '+' || at(i) == '-')) out.sign = at(i++);
  if (i < end && at(i) == 'z') {
    out.no_negative_zero = true;
    i++;
  }
  if (i < end && at(i) == '#') {
    out.alternate = true;
    i++;
  }
  if (!fill_given && i < end && at(i) == '0') {
    out.fill = '0';
    if (!align_given && default_align == '>') out.align = '=';
    i++;
  }
  VM_CHECK(read_number(spec, i, end, &out.width));
  if (i < end && at(i) == ',') {
    out.grouping = Grouping::kComma;
    i++;
  }
  if (i < end && at(i) == '_') {
    if (out.grouping != Grouping::kNone) return raise(PyExc_ValueError, "Cannot specify both ',' and '_'.");
    out.grouping = Grouping::kUnderscore;
    i++;
  }
  if (i < end && at(i) == ',' && out.grouping == Grouping::kUnderscore) {
    return raise(PyExc_ValueError, "Cannot specify both ',' and '_'.");
  }
  if (i < end && at(i) == '.') {
    i++;
    const Py_ssize_t count = read_number(spec, i, end, &out.precision);
    VM_CHECK(count);
    if (count == 0) return raise(PyExc_ValueError, "Format specifier missing precision");
  }
  if (end - i > 1) {
    Ref<> shown = Ref<>::steal(PyUnicode_Substring(spec, start, end));
    if (!shown) return Failure{};
    return raise(PyExc_ValueError, "Invalid format specifier '%U' for object of type '%.200s'", shown.get(),
                 Py_TYPE(value)->tp_name);
  }
  if (i < end) out.type = at(i);
  if (out.grouping != Grouping::kNone) {
    switch (out.type) {
      case 'd': case 'e': case 'f': case 'g': case 'E': case 'G': case '%': case 'F': case '\0':
        break;
      case 'b': case 'o': case 'x': case 'X':
        if (out.grouping == Grouping::kUnderscore) {
          out.grouping = Grouping::kUnderscoreFour;
          break;
        }
        [[fallthrough]];
      default:
        return raise_grouping(out.grouping == Grouping::kComma ? ',' : '_', out.type);
    }
  }
  return Status::kOk;
}

int write_ascii(_PyUnicodeWriter* writer, const char* text, Py_ssize_t length) {
  return length == 0 ? 0 : _PyUnicodeWriter_WriteASCIIString(writer, text, length);
}
int write_fill(_PyUnicodeWriter* writer, Py_UCS4 fill, Py_ssize_t count) {
  if (count <= 0) return 0;
  if (_PyUnicodeWriter_Prepare(writer, count, fill) < 0) return -1;
  PyUnicode_Fill(writer->buffer, writer->pos, count, fill);
  writer->pos += count;
  return 0;
}
int write_padding_left(_PyUnicodeWriter* writer, const FormatSpec& spec, Py_ssize_t padding) {
  return write_fill(writer, spec.fill, spec.align == '>' ? padding : (spec.align == '^' ? padding / 2 : 0));
}
int write_padding_right(_PyUnicodeWriter* writer, const FormatSpec& spec, Py_ssize_t padding) {
  return write_fill(writer, spec.fill, spec.align == '<' ? padding : (spec.align == '^' ? padding - padding / 2 : 0));
}

/// What separates groups of digits and stands for the point.
struct Separators {
  Ref<> owned_point;
  Ref<> owned_group;
  const char* sizes = "";  // as in struct lconv: one byte a group, the last one repeats, CHAR_MAX ends grouping
  char group = 0;          // ASCII separator; 0: none or owned_group
  Py_ssize_t group_length = 0;

  Status prepare(Grouping grouping) {
    if (grouping == Grouping::kLocale) {
      lconv* conventions = localeconv();
      PyObject* point;
      PyObject* separator;
      VM_CHECK(_Py_GetLocaleconvNumeric(conventions, &point, &separator));
      owned_point = Ref<>::steal(point);
      owned_group = Ref<>::steal(separator);
      sizes = conventions->grouping;
      group_length = PyUnicode_GET_LENGTH(separator);
    } else if (grouping != Grouping::kNone) {
      group = grouping == Grouping::kComma ? ',' : '_';
      sizes = grouping == Grouping::kUnderscoreFour ? "\4" : "\3";
      group_length = 1;
    }
    return Status::kOk;
  }
};

/// Inserts separators (a 1 byte stands for one) and leading zeros up to min_width characters; grows leftwards from
/// `stop`. With stop null only the length is computed. Returns the length in characters.
Py_ssize_t group_digits(const Separators& separators, const char* digits, Py_ssize_t count, Py_ssize_t min_width,
                        char* stop, Py_ssize_t* bytes) {
  Py_ssize_t total = 0;
  Py_ssize_t written = 0;
  const char* size = separators.sizes;
  bool last = false;
  bool first = true;
  Py_ssize_t current = 0;
  while (!last) {
    if (*size == CHAR_MAX || (*size == 0 && current == 0)) {
      last = true;
    } else if (*size != 0) {
      current = *size++;
    }
    const Py_ssize_t wanted = Py_MAX(Py_MAX(count, min_width), 1);
    const Py_ssize_t length = last ? wanted : Py_MIN(current, wanted);
    if (!first) {
      total += separators.group_length;
      written++;
      if (stop != nullptr) *--stop = '\1';
    }
    const Py_ssize_t taken = Py_MIN(count, length);
    if (stop != nullptr) {
      stop -= taken;
      memcpy(stop, digits + count - taken, static_cast<size_t>(taken));
      stop -= length - taken;
      memset(stop, '0', static_cast<size_t>(length - taken));
    }
    total += length;
    written += length;
    count -= taken;
    min_width -= length;
    first = false;
    if (count <= 0 && min_width <= 0) break;
    min_width -= separators.group_length;
  }
  if (bytes != nullptr) *bytes = written;
  return total;
}

/// A number in parts, all ASCII; `point` says whether a decimal point stands between digits and rest.
struct NumberText {
  char sign = 0;
  const char* prefix = "";
  Py_ssize_t prefix_length = 0;
  const char* digits = "";
  Py_ssize_t digit_count = 0;
  bool point = false;
  const char* rest = "";
  Py_ssize_t rest_length = 0;
  Py_UCS4 character = 0;  // instead of digits, for 'c'
};

void set_sign(NumberText& number, const FormatSpec& spec, bool negative) {
  if (negative) {
    number.sign = '-';
  } else if (spec.sign == '+' || spec.sign == ' ') {
    number.sign = static_cast<char>(spec.sign);
  }
}

/// Splits "ddd.ddde+xx" (or "inf") into digits, point and rest.
void split_float(NumberText& number, const char* text, Py_ssize_t length) {
  Py_ssize_t i = 0;
  while (i < length && Py_ISDIGIT(text[i])) i++;
  number.digits = text;
  number.digit_count = i;
  number.point = i < length && text[i] == '.';
  number.rest = text + i + number.point;
  number.rest_length = length - i - number.point;
}

int write_number(_PyUnicodeWriter* writer, const NumberText& number, const FormatSpec& spec,
                 const Separators& separators) {
  const Py_ssize_t point_length =
      !number.point ? 0 : (separators.owned_point ? PyUnicode_GET_LENGTH(separators.owned_point.get()) : 1);
  const Py_ssize_t other = (number.sign != 0) + number.prefix_length + point_length + number.rest_length +
                           (number.character != 0 || number.digit_count == -1);
  const Py_ssize_t min_width = spec.fill == '0' && spec.align == '=' ? spec.width - other : 0;
  Py_ssize_t grouped_bytes = 0;
  const Py_ssize_t grouped =
      number.digit_count <= 0 ? 0 : group_digits(separators, number.digits, number.digit_count, min_width, nullptr, &grouped_bytes);
  const Py_ssize_t padding = Py_MAX(spec.width - (other + grouped), 0);
  if (_PyUnicodeWriter_Prepare(writer, other + grouped + padding, padding > 0 ? Py_MAX(spec.fill, 127) : 127) < 0) return -1;
  VM_CHECK(write_padding_left(writer, spec, padding));
  char head[8];
  Py_ssize_t head_length = 0;
  if (number.sign != 0) head[head_length++] = number.sign;
  memcpy(head + head_length, number.prefix, static_cast<size_t>(number.prefix_length));
  head_length += number.prefix_length;
  VM_CHECK(write_ascii(writer, head, head_length));
  if (spec.align == '=') VM_CHECK(write_fill(writer, spec.fill, padding));
  if (grouped > 0) {
    if (grouped_bytes == number.digit_count && grouped == grouped_bytes) {
      VM_CHECK(write_ascii(writer, number.digits, number.digit_count));
    } else {
      Scratch<char, 128> buffer(grouped_bytes);
      if (!buffer) return -1;
      group_digits(separators, number.digits, number.digit_count, min_width, buffer.get() + grouped_bytes, nullptr);
      Py_ssize_t start = 0;
      for (Py_ssize_t i = 0; i <= grouped_bytes; i++) {
        if (i < grouped_bytes && buffer[i] != '\1') continue;
        if (i < grouped_bytes && separators.group != 0) {
          buffer[i] = separators.group;
          continue;
        }
        VM_CHECK(write_ascii(writer, buffer.get() + start, i - start));
        if (i < grouped_bytes) VM_CHECK(_PyUnicodeWriter_WriteStr(writer, separators.owned_group.get()));
        start = i + 1;
      }
    }
  }
  if (number.character != 0 || number.digit_count == -1) {
    VM_CHECK(_PyUnicodeWriter_WriteChar(writer, number.character));
  }
  if (number.point) {
    if (separators.owned_point) {
      VM_CHECK(_PyUnicodeWriter_WriteStr(writer, separators.owned_point.get()));
    } else {
      VM_CHECK(_PyUnicodeWriter_WriteChar(writer, '.'));
    }
  }
  VM_CHECK(write_ascii(writer, number.rest, number.rest_length));
  return write_padding_right(writer, spec, padding);
}

// str ---------------------------------------------------------------------------------------------------------------

int format_string(_PyUnicodeWriter* writer, PyObject* value, const FormatSpec& spec) {
  if (spec.sign != 0) {
    return raise(PyExc_ValueError, spec.sign == ' ' ? "Space not allowed in string format specifier"
                                                    : "Sign not allowed in string format specifier");
  }
  if (spec.no_negative_zero) {
    return raise(PyExc_ValueError, "Negative zero coercion (z) not allowed in string format specifier");
  }
  if (spec.alternate) return raise(PyExc_ValueError, "Alternate form (#) not allowed in string format specifier");
  if (spec.align == '=') return raise(PyExc_ValueError, "'=' alignment not allowed in string format specifier");
  Py_ssize_t length = PyUnicode_GET_LENGTH(value);
  if (spec.precision >= 0 && spec.precision < length) length = spec.precision;
  const Py_ssize_t padding = Py_MAX(spec.width - length, 0);
  if (padding == 0 && length == PyUnicode_GET_LENGTH(value)) return _PyUnicodeWriter_WriteStr(writer, value);
  VM_CHECK(write_padding_left(writer, spec, padding));
  if (length > 0) VM_CHECK(_PyUnicodeWriter_WriteSubstring(writer, value, 0, length));
  return write_padding_right(writer, spec, padding);
}

int write_str_of(_PyUnicodeWriter* writer, PyObject* value) {
  Ref<> text = Ref<>::steal(PyObject_Str(value));
  return text ? _PyUnicodeWriter_WriteStr(writer, text.get()) : -1;
}

// int ---------------------------------------------------------------------------------------------------------------

int format_character(_PyUnicodeWriter* writer, PyObject* value, const FormatSpec& spec) {
  if (spec.sign != 0) return raise(PyExc_ValueError, "Sign not allowed with integer format specifier 'c'");
  if (spec.alternate) return raise(PyExc_ValueError, "Alternate form (#) not allowed with integer format specifier 'c'");
  const long code = PyLong_AsLong(value);
  if (code == -1 && PyErr_Occurred()) return -1;
  if (code < 0 || code > 0x10ffff) return raise(PyExc_OverflowError, "%c arg not in range(0x110000)");
  NumberText number;
  number.character = static_cast<Py_UCS4>(code);
  number.digit_count = -1;
  return write_number(writer, number, spec, Separators());
}

int format_int(_PyUnicodeWriter* writer, PyObject* value, const FormatSpec& spec) {
  if (spec.precision >= 0) return raise(PyExc_ValueError, "Precision not allowed in integer format specifier");
  if (spec.no_negative_zero) {
    return raise(PyExc_ValueError, "Negative zero coercion (z) not allowed in integer format specifier");
  }
  if (spec.type == 'c') return format_character(writer, value, spec);
  int base = 10;
  switch (spec.type) {
    case 'b': base = 2; break;
    case 'o': base = 8; break;
    case 'x': case 'X': base = 16; break;
  }
  if (spec.sign != '+' && spec.sign != ' ' && spec.width == -1 && spec.type != 'X' && spec.type != 'n' &&
      spec.grouping == Grouping::kNone && PyLong_CheckExact(value)) {
    return _PyLong_FormatWriter(writer, value, base, spec.alternate);
  }
  Ref<> text = Ref<>::steal(_PyLong_Format(value, base));
  if (!text) return -1;
  char* p = reinterpret_cast<char*>(PyUnicode_1BYTE_DATA(text.get()));
  Py_ssize_t length = PyUnicode_GET_LENGTH(text.get());
  NumberText number;
  const bool negative = *p == '-';
  set_sign(number, spec, negative);
  p += negative;
  length -= negative;
  Scratch<char> upper(spec.type == 'X' ? length : 0);
  if (!upper) return -1;
  if (spec.type == 'X') {  // the int's text may be shared (one digit): never change it in place
    for (Py_ssize_t i = 0; i < length; i++) upper[i] = static_cast<char>(Py_TOUPPER(p[i]));
    p = upper.get();
  }
  if (base != 10) {
    if (spec.alternate) {
      number.prefix = p;
      number.prefix_length = 2;
    }
    p += 2;
    length -= 2;
  }
  number.digits = p;
  number.digit_count = length;
  Separators separators;
  VM_CHECK(separators.prepare(spec.type == 'n' ? Grouping::kLocale : spec.grouping));
  return write_number(writer, number, spec, separators);
}

// float and complex -------------------------------------------------------------------------------------------------

/// Text of a double, freed on destruction.
class DoubleText {
 public:
  ~DoubleText() { PyMem_Free(text_); }
  Status format(double value, Py_UCS4 type, int precision, int flags, bool percent) {
    text_ = PyOS_double_to_string(value, static_cast<char>(type), precision, flags, nullptr);
    if (text_ == nullptr) return Failure{};
    length_ = static_cast<Py_ssize_t>(strlen(text_));
    if (percent) {
      char* longer = static_cast<char*>(PyMem_Realloc(text_, static_cast<size_t>(length_) + 2));
      if (longer == nullptr) {
        PyErr_NoMemory();
        return Failure{};
      }
      text_ = longer;
      text_[length_++] = '%';
      text_[length_] = '\0';
    }
    return Status::kOk;
  }
  bool negative() const { return text_[0] == '-'; }
  const char* text() const { return text_; }
  const char* digits() const { return text_ + negative(); }
  Py_ssize_t length() const { return length_; }

 private:
  char* text_ = nullptr;
  Py_ssize_t length_ = 0;
};

/// Resolves type and precision as PyOS_double_to_string wants them.
Status resolve_float(const FormatSpec& spec, Py_UCS4& type, int& precision, int& flags) {
  if (spec.precision > INT_MAX) return raise(PyExc_ValueError, "precision too big");
  precision = static_cast<int>(spec.precision);
  type = spec.type;
  flags = (spec.alternate ? Py_DTSF_ALT : 0) | (spec.no_negative_zero ? Py_DTSF_NO_NEG_0 : 0);
  int default_precision = 6;
  if (type == '\0') {
    type = 'r';
    default_precision = 0;
  } else if (type == 'n') {
    type = 'g';
  }
  if (precision < 0) {
    precision = default_precision;
  } else if (type == 'r') {
    type = 'g';
  }
  return Status::kOk;
}

int format_float(_PyUnicodeWriter* writer, PyObject* value, const FormatSpec& spec) {
  Py_UCS4 type;
  int precision;
  int flags;
  VM_CHECK(resolve_float(spec, type, precision, flags));
  if (spec.type == '\0') flags |= Py_DTSF_ADD_DOT_0;
  double number_value = PyFloat_AsDouble(value);
  if (number_value == -1.0 && PyErr_Occurred()) return -1;
  const bool percent = spec.type == '%';
  if (percent) {
    type = 'f';
    number_value *= 100;
  }
  DoubleText text;
  VM_CHECK(text.format(number_value, type, precision, flags, percent));
  if (spec.sign != '+' && spec.sign != ' ' && spec.width == -1 && spec.type != 'n' && spec.grouping == Grouping::kNone) {
    return write_ascii(writer, text.text(), text.length());
  }
  NumberText number;
  set_sign(number, spec, text.negative());
  split_float(number, text.digits(), text.length() - text.negative());
  Separators separators;
  VM_CHECK(separators.prepare(spec.type == 'n' ? Grouping::kLocale : spec.grouping));
  return write_number(writer, number, spec, separators);
}

int format_complex(_PyUnicodeWriter* writer, PyObject* value, const FormatSpec& spec) {
  if (spec.fill == '0') return raise(PyExc_ValueError, "Zero padding is not allowed in complex format specifier");
  if (spec.align == '=') return raise(PyExc_ValueError, "'=' alignment flag is not allowed in complex format specifier");
  Py_UCS4 type;
  int precision;
  int flags;
  VM_CHECK(resolve_float(spec, type, precision, flags));
  const Py_complex c = PyComplex_AsCComplex(value);
  if (c.real == -1.0 && PyErr_Occurred()) return -1;
  const bool plain = spec.type == '\0';
  const bool skip_real = plain && c.real == 0.0 && !std::signbit(c.real);
  const bool parentheses = plain && !skip_real;
  DoubleText real;
  DoubleText imaginary;
  VM_CHECK(real.format(c.real, type, precision, flags, false));
  VM_CHECK(imaginary.format(c.imag, type, precision, flags, false));
  FormatSpec part = spec;
  part.fill = 0;
  part.align = '<';
  part.width = -1;
  Separators separators;
  VM_CHECK(separators.prepare(spec.type == 'n' ? Grouping::kLocale : spec.grouping));
  // The parts go through a writer of their own: the padding depends on their length.
  _PyUnicodeWriter inner;
  _PyUnicodeWriter_Init(&inner);
  const auto write_part = [&](const DoubleText& text) {
    NumberText number;
    set_sign(number, part, text.negative());
    split_float(number, text.digits(), text.length() - text.negative());
    return write_number(&inner, number, part, separators);
  };
  int outcome = parentheses ? _PyUnicodeWriter_WriteChar(&inner, '(') : 0;
  if (outcome == 0 && !skip_real) outcome = write_part(real);
  if (!skip_real) part.sign = '+';
  if (outcome == 0) outcome = write_part(imaginary);
  if (outcome == 0) outcome = _PyUnicodeWriter_WriteChar(&inner, 'j');
  if (outcome == 0 && parentheses) outcome = _PyUnicodeWriter_WriteChar(&inner, ')');
  if (outcome != 0) {
    _PyUnicodeWriter_Dealloc(&inner);
    return -1;
  }
  Ref<> text = Ref<>::steal(_PyUnicodeWriter_Finish(&inner));
  if (!text) return -1;
  const Py_ssize_t padding = Py_MAX(spec.width - PyUnicode_GET_LENGTH(text.get()), 0);
  VM_CHECK(write_padding_left(writer, spec, padding));
  VM_CHECK(_PyUnicodeWriter_WriteStr(writer, text.get()));
  return write_padding_right(writer, spec, padding);
}

}  // namespace
}  // namespace pyston

using namespace pyston;

int _PyUnicode_FormatAdvancedWriter(_PyUnicodeWriter* writer, PyObject* value, PyObject* spec_text, Py_ssize_t start,
                                    Py_ssize_t end) {
  if (PyUnicode_READY(value) < 0) return -1;
  if (start == end) {
    return PyUnicode_CheckExact(value) ? _PyUnicodeWriter_WriteStr(writer, value) : write_str_of(writer, value);
  }
  FormatSpec spec;
  VM_CHECK(parse_spec(value, spec_text, start, end, 's', '<', spec));
  if (spec.type != 's') return raise_unknown_type(spec.type, value);
  return format_string(writer, value, spec);
}

int _PyLong_FormatAdvancedWriter(_PyUnicodeWriter* writer, PyObject* value, PyObject* spec_text, Py_ssize_t start,
                                 Py_ssize_t end) {
  if (start == end) {
    return PyLong_CheckExact(value) ? _PyLong_FormatWriter(writer, value, 10, 0) : write_str_of(writer, value);
  }
  FormatSpec spec;
  VM_CHECK(parse_spec(value, spec_text, start, end, 'd', '>', spec));
  switch (spec.type) {
    case 'b': case 'c': case 'd': case 'o': case 'x': case 'X': case 'n':
      return format_int(writer, value, spec);
    case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case '%': {
      Ref<> number = Ref<>::steal(PyNumber_Float(value));
      return number ? format_float(writer, number.get(), spec) : -1;
    }
    default:
      return raise_unknown_type(spec.type, value);
  }
}

int _PyFloat_FormatAdvancedWriter(_PyUnicodeWriter* writer, PyObject* value, PyObject* spec_text, Py_ssize_t start,
                                  Py_ssize_t end) {
  if (start == end) return write_str_of(writer, value);
  FormatSpec spec;
  VM_CHECK(parse_spec(value, spec_text, start, end, '\0', '>', spec));
  switch (spec.type) {
    case '\0': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'n': case '%':
      return format_float(writer, value, spec);
    default:
      return raise_unknown_type(spec.type, value);
  }
}

int _PyComplex_FormatAdvancedWriter(_PyUnicodeWriter* writer, PyObject* value, PyObject* spec_text, Py_ssize_t start,
                                    Py_ssize_t end) {
  if (start == end) return write_str_of(writer, value);
  FormatSpec spec;
  VM_CHECK(parse_spec(value, spec_text, start, end, '\0', '>', spec));
  switch (spec.type) {
    case '\0': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'n':
      return format_complex(writer, value, spec);
    default:
      return raise_unknown_type(spec.type, value);
  }
}
