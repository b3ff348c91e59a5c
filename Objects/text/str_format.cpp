// str.format, str.format_map, and the `_string` module, which gives string.Formatter the same parser.
//
// A format string is a sequence of (literal, field) pairs; a field is name[!conversion][:spec]. `FieldReader` cuts the
// string into them, `NameReader` cuts a field name into its first part and accesses (.attribute, [item]).
#include "Objects/text/unicode_methods.h"

#include "internal/pycore_floatobject.h"
#include "internal/pycore_long.h"

namespace pyston::text {
namespace {

/// A part of a string, by bounds.
struct Part {
  Py_ssize_t start = 0;
  Py_ssize_t stop = 0;
  bool empty() const { return start >= stop; }
};

struct Field {
  Part literal;
  bool present = false;  // a field follows the literal
  Part name;
  Part spec;
  Py_UCS4 conversion = 0;
  bool spec_has_fields = false;
};

enum class Step { kField, kEnd, kError };

class FieldReader {
 public:
  FieldReader(PyObject* string, Part range) : text_(view(string)), at_(range.start), stop_(range.stop) {}

  bool at_end() const { return at_ >= stop_; }

  Step next(Field& field) {
    field = Field();
    if (at_ >= stop_) return Step::kEnd;
    field.literal.start = at_;
    bool brace = false;
    Py_UCS4 c = 0;
    while (at_ < stop_) {
      c = text_[at_++];
      if (c == '{' || c == '}') {
        brace = true;
        break;
      }
    }
    field.literal.stop = at_;
    if (!brace) return Step::kField;
    const bool at_end = at_ >= stop_;
    const bool doubled = !at_end && text_[at_] == c;
    if (c == '}' && !doubled) return fail("Single '}' encountered in format string");
    if (at_end) return fail("Single '{' encountered in format string");
    if (doubled) {  // the literal ends with one of the two
      at_++;
      return Step::kField;
    }
    field.literal.stop--;
    field.present = true;
    return read_field(field);
  }

 private:
  Step fail(const char* message) {
    PyErr_SetString(PyExc_ValueError, message);
    return Step::kError;
  }

  Step read_field(Field& field) {
    field.name.start = field.name.stop = at_;
    Py_UCS4 c = 0;
    while (at_ < stop_) {
      c = text_[at_++];
      if (c == '{') return fail("unexpected '{' in field name");
      if (c == '[') {  // what is in brackets isn't looked at
        while (at_ < stop_ && text_[at_] != ']') at_++;
        continue;
      }
      if (c == '}' || c == ':' || c == '!') break;
    }
    field.name.stop = at_ - 1;
    if (c != '!' && c != ':') return c == '}' ? Step::kField : fail("expected '}' before end of string");
    if (c == '!') {
      if (at_ >= stop_) return fail("end of string while looking for conversion specifier");
      field.conversion = text_[at_++];
      if (at_ < stop_) {
        c = text_[at_++];
        if (c == '}') return Step::kField;
        if (c != ':') return fail("expected ':' after conversion specifier");
      }
    }
    field.spec.start = at_;
    int depth = 1;
    while (at_ < stop_) {
      c = text_[at_++];
      if (c == '{') {
        field.spec_has_fields = true;
        depth++;
      } else if (c == '}' && --depth == 0) {
        field.spec.stop = at_ - 1;
        return Step::kField;
      }
    }
    return fail("unmatched '{' in format spec");
  }

  Text text_;
  Py_ssize_t at_;
  Py_ssize_t stop_;
};

/// The value of a part made of decimal digits only; -1 when it isn't, -2 with an exception when it is too large.
Py_ssize_t read_index(const Text& text, Part part) {
  if (part.empty()) return -1;
  Py_ssize_t value = 0;
  for (Py_ssize_t i = part.start; i < part.stop; i++) {
    const int digit = Py_UNICODE_TODECIMAL(text[i]);
    if (digit < 0) return -1;
    if (value > (PY_SSIZE_T_MAX - digit) / 10) {
      PyErr_SetString(PyExc_ValueError, "Too many decimal digits in format string");
      return -2;
    }
    value = value * 10 + digit;
  }
  return value;
}

class NameReader {
 public:
  NameReader() = default;
  NameReader(PyObject* string, Part name) : text_(view(string)), at_(name.start), stop_(name.stop) {}

  /// The part before the first access.
  Part first() {
    Part part{at_, at_};
    while (at_ < stop_ && text_[at_] != '.' && text_[at_] != '[') at_++;
    part.stop = at_;
    return part;
  }

  struct Access {
    bool attribute = false;
    Part name;
    Py_ssize_t index = -1;  // of an item that is a number
  };
  Step next(Access& access) {
    if (at_ >= stop_) return Step::kEnd;
    access = Access();
    const Py_UCS4 c = text_[at_++];
    if (c == '.') {
      access.attribute = true;
      access.name = first();
    } else if (c == '[') {
      access.name.start = at_;
      while (at_ < stop_ && text_[at_] != ']') at_++;
      if (at_ >= stop_) return fail("Missing ']' in format string");
      access.name.stop = at_++;
      access.index = read_index(text_, access.name);
      if (access.index == -2) return Step::kError;
    } else {
      return fail("Only '.' or '[' may follow ']' in format field specifier");
    }
    if (access.name.empty()) return fail("Empty attribute in format string");
    return Step::kField;
  }

 private:
  Step fail(const char* message) {
    PyErr_SetString(PyExc_ValueError, message);
    return Step::kError;
  }
  Text text_{};
  Py_ssize_t at_ = 0;
  Py_ssize_t stop_ = 0;
};

/// {} and {0} don't mix within one format string.
struct Numbering {
  enum { kUnknown, kAutomatic, kManual } mode = kUnknown;
  Py_ssize_t next = 0;

  bool choose(bool empty) {
    if (mode == kUnknown) {
      mode = empty ? kAutomatic : kManual;
      return true;
    }
    if (mode == kManual && empty) {
      PyErr_SetString(PyExc_ValueError, "cannot switch from manual field specification to automatic field numbering");
      return false;
    }
    if (mode == kAutomatic && !empty) {
      PyErr_SetString(PyExc_ValueError, "cannot switch from automatic field numbering to manual field specification");
      return false;
    }
    return true;
  }
};

struct Formatting {
  PyObject* args;    // tuple, or null for format_map
  PyObject* kwargs;  // mapping, may be null
  Numbering numbering;

  Ref<> named(PyObject* string, Part name) {
    Ref<> key = Ref<>::steal(slice(string, name.start, name.stop));
    if (!key) return nullptr;
    if (kwargs == nullptr) {
      PyErr_SetObject(PyExc_KeyError, key.get());
      return nullptr;
    }
    return Ref<>::steal(PyObject_GetItem(kwargs, key.get()));
  }

  /// The object that a field name stands for.
  Ref<> field_value(PyObject* string, Part name) {
    const Text text = view(string);
    NameReader reader(string, name);
    const Part first = reader.first();
    Py_ssize_t index = read_index(text, first);
    if (index == -2) return nullptr;
    const bool numbered = first.empty() || index >= 0;
    if (numbered) {
      if (!numbering.choose(first.empty())) return nullptr;
      if (first.empty()) index = numbering.next++;
    }
    Ref<> value;
    if (!numbered) {
      value = named(string, first);
    } else if (args == nullptr) {
      return raise(PyExc_ValueError, "Format string contains positional fields");
    } else if (index >= PyTuple_GET_SIZE(args)) {
      return raise(PyExc_IndexError, "Replacement index %zd out of range for positional args tuple", index);
    } else {
      value = Ref<>::dup(PyTuple_GET_ITEM(args, index));
    }
    if (!value) return nullptr;
    NameReader::Access access;
    while (true) {
      switch (reader.next(access)) {
        case Step::kEnd:
          return value;
        case Step::kError:
          return nullptr;
        case Step::kField:
          break;
      }
      Ref<> part;
      if (access.attribute) {
        Ref<> attribute = Ref<>::steal(slice(string, access.name.start, access.name.stop));
        if (!attribute) return nullptr;
        part = Ref<>::steal(PyObject_GetAttr(value.get(), attribute.get()));
      } else if (access.index >= 0) {
        part = item_at(value.get(), access.index);
      } else {
        Ref<> key = Ref<>::steal(slice(string, access.name.start, access.name.stop));
        if (!key) return nullptr;
        part = Ref<>::steal(PyObject_GetItem(value.get(), key.get()));
      }
      if (!part) return nullptr;
      value = std::move(part);
    }
  }

  static Ref<> item_at(PyObject* value, Py_ssize_t index) {
    if (PySequence_Check(value)) return Ref<>::steal(PySequence_GetItem(value, index));
    Ref<> key = Ref<>::steal(PyLong_FromSsize_t(index));
    if (!key) return nullptr;
    return Ref<>::steal(PyObject_GetItem(value, key.get()));
  }

  static Ref<> converted(Ref<> value, Py_UCS4 conversion) {
    switch (conversion) {
      case 'r':
        return Ref<>::steal(PyObject_Repr(value.get()));
      case 's':
        return Ref<>::steal(PyObject_Str(value.get()));
      case 'a':
        return Ref<>::steal(PyObject_ASCII(value.get()));
      default:
        if (conversion > 32 && conversion < 127) {
          return raise(PyExc_ValueError, "Unknown conversion specifier %c", static_cast<int>(conversion));
        }
        return raise(PyExc_ValueError, "Unknown conversion specifier \\x%x", static_cast<unsigned>(conversion));
    }
  }

  /// FAST: the built-in types write into the result without an intermediate string.
  static bool write_value(Writer& writer, PyObject* value, PyObject* string, Part spec) {
    int status = 1;
    if (PyUnicode_CheckExact(value)) {
      if (spec.empty()) return writer.string(value);
      status = _PyUnicode_FormatAdvancedWriter(writer.get(), value, string, spec.start, spec.stop);
    } else if (PyLong_CheckExact(value)) {
      status = _PyLong_FormatAdvancedWriter(writer.get(), value, string, spec.start, spec.stop);
    } else if (PyFloat_CheckExact(value)) {
      status = _PyFloat_FormatAdvancedWriter(writer.get(), value, string, spec.start, spec.stop);
    }
    if (status <= 0) return status == 0;
    Ref<> spec_text = Ref<>::steal(slice(string, spec.start, spec.empty() ? spec.start : spec.stop));
    if (!spec_text) return false;
    Ref<> result = Ref<>::steal(PyObject_Format(value, spec_text.get()));
    return result && writer.string(result.get());
  }

  bool write_field(Writer& writer, PyObject* string, const Field& field, int depth) {
    Ref<> value = field_value(string, field.name);
    if (!value) return false;
    if (field.conversion != 0) {
      value = converted(std::move(value), field.conversion);
      if (!value) return false;
    }
    if (!field.spec_has_fields) return write_value(writer, value.get(), string, field.spec);
    Ref<> spec = Ref<>::steal(build(string, field.spec, depth - 1));
    if (!spec) return false;
    return write_value(writer, value.get(), spec.get(), {0, PyUnicode_GET_LENGTH(spec.get())});
  }

  bool write_all(Writer& writer, PyObject* string, Part range, int depth) {
    FieldReader reader(string, range);
    Field field;
    while (true) {
      switch (reader.next(field)) {
        case Step::kEnd:
          return true;
        case Step::kError:
          return false;
        case Step::kField:
          break;
      }
      if (!field.present && reader.at_end()) writer->overallocate = 0;
      if (!writer.substring(string, field.literal.start, field.literal.stop)) return false;
      // The last piece: when it is the only one, it is the result itself.
      if (field.present && reader.at_end()) writer->overallocate = 0;
      if (field.present && !write_field(writer, string, field, depth)) return false;
    }
  }

  PyObject* build(PyObject* string, Part range, int depth) {
    if (depth <= 0) {
      PyErr_SetString(PyExc_ValueError, "Max string recursion exceeded");
      return nullptr;
    }
    Writer writer(range.stop - range.start + 100);
    if (!write_all(writer, string, range, depth)) return nullptr;
    return writer.finish();
  }
};

// ---- _string ----------------------------------------------------------------------------------------------------

/// Both iterators own the string whose parts they report.
struct FormatterIterator {
  PyObject_HEAD
  PyObject* string;
  FieldReader reader;
};
struct NameIterator {
  PyObject_HEAD
  PyObject* string;
  NameReader reader;
};

template <class Iterator>
void parser_dealloc(PyObject* self) {
  Py_XDECREF(reinterpret_cast<Iterator*>(self)->string);
  PyObject_Free(self);
}

PyObject* formatter_next(PyObject* object) {
  FormatterIterator* self = reinterpret_cast<FormatterIterator*>(object);
  Field field;
  if (self->reader.next(field) != Step::kField) return nullptr;
  auto part = [&](Part p) { return Ref<>::steal(slice(self->string, p.start, p.empty() ? p.start : p.stop)); };
  Ref<> literal = part(field.literal);
  Ref<> name = field.present ? part(field.name) : Ref<>::none();
  Ref<> spec = field.present ? part(field.spec) : Ref<>::none();
  Ref<> conversion =
      field.conversion == 0 ? Ref<>::none() : Ref<>::steal(PyUnicode_FromOrdinal(static_cast<int>(field.conversion)));
  if (!literal || !name || !spec || !conversion) return nullptr;
  return PyTuple_Pack(4, literal.get(), name.get(), spec.get(), conversion.get());
}

PyObject* name_next(PyObject* object) {
  NameIterator* self = reinterpret_cast<NameIterator*>(object);
  NameReader::Access access;
  if (self->reader.next(access) != Step::kField) return nullptr;
  Ref<> name = Ref<>::steal(access.index >= 0 ? PyLong_FromSsize_t(access.index)
                                              : slice(self->string, access.name.start, access.name.stop));
  if (!name) return nullptr;
  return PyTuple_Pack(2, access.attribute ? Py_True : Py_False, name.get());
}

PyTypeObject formatter_iterator_type = {
    .ob_base = type_head(),
    .tp_name = "formatteriterator",
    .tp_basicsize = sizeof(FormatterIterator),
    .tp_dealloc = parser_dealloc<FormatterIterator>,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = formatter_next,
};
PyTypeObject name_iterator_type = {
    .ob_base = type_head(),
    .tp_name = "fieldnameiterator",
    .tp_basicsize = sizeof(NameIterator),
    .tp_dealloc = parser_dealloc<NameIterator>,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = name_next,
};

PyObject* formatter_parser(PyObject*, PyObject* string) {
  if (!PyUnicode_Check(string)) return raise(PyExc_TypeError, "expected str, got %s", Py_TYPE(string)->tp_name);
  if (!ready(string)) return nullptr;
  FormatterIterator* iterator = PyObject_New(FormatterIterator, &formatter_iterator_type);
  if (iterator == nullptr) return nullptr;
  iterator->string = Py_NewRef(string);
  iterator->reader = FieldReader(string, {0, PyUnicode_GET_LENGTH(string)});
  return as_object(iterator);
}

PyObject* formatter_field_name_split(PyObject*, PyObject* string) {
  if (!PyUnicode_Check(string)) return raise(PyExc_TypeError, "expected str, got %s", Py_TYPE(string)->tp_name);
  if (!ready(string)) return nullptr;
  NameReader reader(string, {0, PyUnicode_GET_LENGTH(string)});
  const Part first = reader.first();
  const Py_ssize_t index = read_index(view(string), first);
  if (index == -2) return nullptr;
  Ref<> head = Ref<>::steal(index >= 0 ? PyLong_FromSsize_t(index) : slice(string, first.start, first.stop));
  if (!head) return nullptr;
  NameIterator* iterator = PyObject_New(NameIterator, &name_iterator_type);
  if (iterator == nullptr) return nullptr;
  iterator->string = Py_NewRef(string);
  iterator->reader = reader;
  return Py_BuildValue("(NN)", head.release(), iterator);
}

PyMethodDef string_functions[] = {
    {"formatter_field_name_split", formatter_field_name_split, METH_O, "First part of a field name and its accesses."},
    {"formatter_parser", formatter_parser, METH_O, "Cuts a format string into literals and fields."},
    {}};

PyModuleDef_Slot string_slots[] = {{0, nullptr}};

PyModuleDef string_module = {
    PyModuleDef_HEAD_INIT, "_string", "What string.Formatter needs of str.format.", 0, string_functions, string_slots,
    nullptr, nullptr, nullptr,
};

}  // namespace

bool ready_formatter_types() {
  return PyType_Ready(&formatter_iterator_type) == 0 && PyType_Ready(&name_iterator_type) == 0;
}

PyObject* format_fields(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (!ready(self)) return nullptr;
  Formatting formatting{args, kwargs, {}};
  return formatting.build(self, {0, PyUnicode_GET_LENGTH(self)}, 2);
}

}  // namespace pyston::text

PyMODINIT_FUNC PyInit__string(void) { return PyModuleDef_Init(&pyston::text::string_module); }
