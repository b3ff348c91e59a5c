// _csv: reading and writing delimited text, the engine behind the csv module.
#include <climits>
#include <cstring>

#include "Objects/bind.h"
#include "structmember.h"

using namespace pyston;

namespace {

enum Quoting { kQuoteMinimal, kQuoteAll, kQuoteNonNumeric, kQuoteNone };
constexpr Py_UCS4 kNotSet = static_cast<Py_UCS4>(-1);
constexpr Py_UCS4 kEndOfLine = static_cast<Py_UCS4>(-2);

struct CsvState {
  PyObject* error;
  PyObject* dialects;
  PyTypeObject* dialect_type;
  PyTypeObject* reader_type;
  PyTypeObject* writer_type;
  long field_limit;
};
extern PyModuleDef csv_module;
CsvState* state_of(PyObject* module) { return static_cast<CsvState*>(PyModule_GetState(module)); }
CsvState* state_of_type(PyTypeObject* type) {
  PyObject* module = PyType_GetModuleByDef(type, &csv_module);
  return module == nullptr ? nullptr : state_of(module);
}

// Dialects ----------------------------------------------------------------------------------------------------------

struct DialectObject {
  PyObject_HEAD
  char doublequote;
  char skipinitialspace;
  char strict;
  int quoting;
  Py_UCS4 delimiter;
  Py_UCS4 quotechar;   // kNotSet: None
  Py_UCS4 escapechar;  // kNotSet: None
  PyObject* lineterminator;
};
DialectObject* as_dialect(PyObject* object) { return reinterpret_cast<DialectObject*>(object); }

PyObject* character_or_none(Py_UCS4 c) { return c == kNotSet ? Py_NewRef(Py_None) : PyUnicode_FromOrdinal(static_cast<int>(c)); }

Status set_character(const char* name, Py_UCS4& out, PyObject* value, Py_UCS4 missing, bool allow_none) {
  if (value == nullptr) {
    out = missing;
    return Status::kOk;
  }
  if (allow_none && value == Py_None) {
    out = kNotSet;
    return Status::kOk;
  }
  if (!PyUnicode_Check(value)) {
    return raise(PyExc_TypeError, allow_none ? "\"%s\" must be string or None, not %.200s" : "\"%s\" must be string, not %.200s",
                 name, Py_TYPE(value)->tp_name);
  }
  if (PyUnicode_GetLength(value) != 1) return raise(PyExc_TypeError, "\"%s\" must be a 1-character string", name);
  out = PyUnicode_READ_CHAR(value, 0);
  return Status::kOk;
}
Status set_flag(char& out, PyObject* value, bool missing) {
  const int truth = value == nullptr ? missing : PyObject_IsTrue(value);
  if (truth < 0) return Status::kError;
  out = static_cast<char>(truth);
  return Status::kOk;
}

constexpr const char* kParameters[] = {"delimiter",      "doublequote", "escapechar",      "lineterminator",
                                       "quotechar",      "quoting",     "skipinitialspace", "strict"};
enum Parameter { kDelimiter, kDoubleQuote, kEscapeChar, kLineTerminator, kQuoteChar, kQuoting, kSkipInitialSpace, kStrict, kParameterCount };

/// Dialect(dialect=None, **parameters): a new or, when nothing changes it, the given dialect.
PyObject* dialect_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  CsvState* state = state_of_type(type);
  if (state == nullptr) return nullptr;
  const Py_ssize_t nargs = PyTuple_GET_SIZE(args);
  if (nargs > 9) return raise(PyExc_TypeError, "function takes at most 9 arguments (%zd given)", nargs);
  PyObject* base = nargs > 0 ? PyTuple_GET_ITEM(args, 0) : nullptr;
  PyObject* given[kParameterCount] = {};
  for (Py_ssize_t i = 1; i < nargs; i++) given[i - 1] = PyTuple_GET_ITEM(args, i);
  Py_ssize_t position = 0;
  PyObject* name;
  PyObject* value;
  while (kwargs != nullptr && PyDict_Next(kwargs, &position, &name, &value)) {
    if (_PyUnicode_EqualToASCIIString(name, "dialect") && base == nullptr) {
      base = value;
      continue;
    }
    int index = -1;
    for (int i = 0; i < kParameterCount; i++) {
      if (_PyUnicode_EqualToASCIIString(name, kParameters[i])) index = i;
    }
    if (index < 0) return raise(PyExc_TypeError, "'%U' is an invalid keyword argument for this function", name);
    given[index] = value;
  }
  Ref<> owner;
  if (base == Py_None) base = nullptr;
  if (base != nullptr) {
    owner = Ref<>::dup(base);
    if (PyUnicode_Check(base)) {
      owner = Ref<>::dup(PyDict_GetItemWithError(state->dialects, base));
      if (!owner) return PyErr_Occurred() ? nullptr : static_cast<PyObject*>(raise(state->error, "unknown dialect"));
    }
    bool unchanged = PyObject_TypeCheck(owner.get(), state->dialect_type);
    for (PyObject* parameter : given) unchanged &= parameter == nullptr;
    if (unchanged) return owner.release();
  }
  // What isn't given comes from the attributes of the base, which may be any object.
  Ref<> inherited[kParameterCount];
  for (int i = 0; i < kParameterCount && owner; i++) {
    if (given[i] != nullptr) continue;
    inherited[i] = Ref<>::steal(PyObject_GetAttrString(owner.get(), kParameters[i]));
    if (!inherited[i]) {
      PyErr_Clear();
    } else {
      given[i] = inherited[i].get();
    }
  }
  Ref<> result = Ref<>::steal(type->tp_alloc(type, 0));
  if (!result) return nullptr;
  DialectObject* self = as_dialect(result.get());
  self->lineterminator = nullptr;
  VM_CHECK(set_character("delimiter", self->delimiter, given[kDelimiter], ',', false));
  VM_CHECK(set_flag(self->doublequote, given[kDoubleQuote], true));
  VM_CHECK(set_character("escapechar", self->escapechar, given[kEscapeChar], kNotSet, true));
  if (given[kLineTerminator] == nullptr) {
    self->lineterminator = PyUnicode_FromString("\r\n");
    if (self->lineterminator == nullptr) return nullptr;
  } else if (given[kLineTerminator] != Py_None) {
    if (!PyUnicode_Check(given[kLineTerminator])) return raise(PyExc_TypeError, "\"lineterminator\" must be a string");
    self->lineterminator = Py_NewRef(given[kLineTerminator]);
  }
  VM_CHECK(set_character("quotechar", self->quotechar, given[kQuoteChar], '"', true));
  self->quoting = kQuoteMinimal;
  if (given[kQuoting] != nullptr) {
    if (!PyLong_CheckExact(given[kQuoting])) return raise(PyExc_TypeError, "\"quoting\" must be an integer");
    self->quoting = _PyLong_AsInt(given[kQuoting]);
    if (self->quoting == -1 && PyErr_Occurred()) return nullptr;
  }
  VM_CHECK(set_flag(self->skipinitialspace, given[kSkipInitialSpace], false));
  VM_CHECK(set_flag(self->strict, given[kStrict], false));
  if (self->quoting < kQuoteMinimal || self->quoting > kQuoteNone) return raise(PyExc_TypeError, "bad \"quoting\" value");
  if (given[kQuoteChar] == Py_None && given[kQuoting] == nullptr) self->quoting = kQuoteNone;
  if (self->quoting != kQuoteNone && self->quotechar == kNotSet) {
    return raise(PyExc_TypeError, "quotechar must be set if quoting enabled");
  }
  if (self->lineterminator == nullptr) return raise(PyExc_TypeError, "lineterminator must be set");
  return result.release();
}

void dialect_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  Py_XDECREF(as_dialect(self)->lineterminator);
  type->tp_free(self);
  Py_DECREF(type);
}
int dialect_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_dialect(self)->lineterminator);
  Py_VISIT(Py_TYPE(self));
  return 0;
}
int dialect_clear(PyObject* self) {
  Py_CLEAR(as_dialect(self)->lineterminator);
  return 0;
}

PyObject* refuse_pickling(PyObject* self, PyObject*) {
  return raise(PyExc_TypeError, "cannot pickle '%.100s' instances", _PyType_Name(Py_TYPE(self)));
}
PyMethodDef dialect_methods[] = {{"__reduce__", refuse_pickling, METH_VARARGS, "raises an exception to avoid pickling"},
                                 {"__reduce_ex__", refuse_pickling, METH_VARARGS, "raises an exception to avoid pickling"},
                                 {}};
PyMemberDef dialect_members[] = {{"skipinitialspace", T_BOOL, offsetof(DialectObject, skipinitialspace), READONLY, nullptr},
                                 {"doublequote", T_BOOL, offsetof(DialectObject, doublequote), READONLY, nullptr},
                                 {"strict", T_BOOL, offsetof(DialectObject, strict), READONLY, nullptr},
                                 {}};
PyObject* get_delimiter(Borrowed<DialectObject> self) { return character_or_none(self->delimiter); }
PyObject* get_escapechar(Borrowed<DialectObject> self) { return character_or_none(self->escapechar); }
PyObject* get_quotechar(Borrowed<DialectObject> self) { return character_or_none(self->quotechar); }
PyObject* get_lineterminator(Borrowed<DialectObject> self) { return Py_XNewRef(self->lineterminator); }
PyObject* get_quoting(Borrowed<DialectObject> self) { return PyLong_FromLong(self->quoting); }
PyGetSetDef dialect_getset[] = {getset<get_delimiter>("delimiter"),           getset<get_escapechar>("escapechar"),
                                getset<get_lineterminator>("lineterminator"), getset<get_quotechar>("quotechar"),
                                getset<get_quoting>("quoting"),               {}};
PyType_Slot dialect_slots[] = {
    {Py_tp_doc, const_cast<char*>("CSV dialect\n\nHow fields are delimited, quoted and escaped, and how lines end.")},
    {Py_tp_members, dialect_members},
    {Py_tp_getset, dialect_getset},
    {Py_tp_new, reinterpret_cast<void*>(dialect_new)},
    {Py_tp_methods, dialect_methods},
    {Py_tp_dealloc, reinterpret_cast<void*>(dialect_dealloc)},
    {Py_tp_clear, reinterpret_cast<void*>(dialect_clear)},
    {Py_tp_traverse, reinterpret_cast<void*>(dialect_traverse)},
    {0, nullptr}};
PyType_Spec dialect_spec = {"_csv.Dialect", sizeof(DialectObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                            dialect_slots};

/// The dialect that reader(), writer() and register_dialect() get: Dialect(base, **kwargs).
Ref<> make_dialect(CsvState* state, PyObject* base, PyObject* kwargs) {
  return Ref<>::steal(PyObject_VectorcallDict(as_object(state->dialect_type), &base, base == nullptr ? 0 : 1, kwargs));
}

/// Unpacks (first, dialect=None) of reader() and writer().
bool unpack_two(PyObject* args, PyObject*& first, PyObject*& second) {
  const Py_ssize_t n = PyTuple_GET_SIZE(args);
  if (n < 1 || n > 2) {
    PyErr_Format(PyExc_TypeError, n < 1 ? " expected at least 1 argument, got %zd" : " expected at most 2 arguments, got %zd", n);
    return false;
  }
  first = PyTuple_GET_ITEM(args, 0);
  second = n == 2 ? PyTuple_GET_ITEM(args, 1) : nullptr;
  return true;
}

// Reader ------------------------------------------------------------------------------------------------------------

enum class ReadState {
  kStartRecord,
  kStartField,
  kEscapedChar,
  kInField,
  kInQuotedField,
  kEscapeInQuotedField,
  kQuoteInQuotedField,
  kEatNewline,
  kAfterEscapedNewline,
};

struct ReaderObject {
  PyObject_HEAD
  PyObject* input;
  PyObject* dialect;
  PyObject* fields;  // of the record being read
  ReadState state;
  bool numeric_field;  // unquoted under QUOTE_NONNUMERIC
  Py_UCS4* field;
  Py_ssize_t field_capacity;
  Py_ssize_t field_length;
  unsigned long line_num;
};
ReaderObject* as_reader(PyObject* object) { return reinterpret_cast<ReaderObject*>(object); }

Status save_field(ReaderObject* self) {
  Ref<> field = Ref<>::steal(PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, self->field, self->field_length));
  if (!field) return Status::kError;
  self->field_length = 0;
  if (self->numeric_field) {
    self->numeric_field = false;
    field = Ref<>::steal(PyNumber_Float(field.get()));
    if (!field) return Status::kError;
  }
  return static_cast<Status>(PyList_Append(self->fields, field.get()));
}

Status add_character(ReaderObject* self, CsvState* state, Py_UCS4 c) {
  if (UNLIKELY(self->field_length >= state->field_limit)) {
    return raise(state->error, "field larger than field limit (%ld)", state->field_limit);
  }
  if (UNLIKELY(self->field_length == self->field_capacity)) {
    const Py_ssize_t capacity = self->field_capacity == 0 ? 4096 : self->field_capacity * 2;
    Py_UCS4* grown = static_cast<Py_UCS4*>(PyMem_Realloc(self->field, static_cast<size_t>(capacity) * sizeof(Py_UCS4)));
    if (grown == nullptr) {
      PyErr_NoMemory();
      return Status::kError;
    }
    self->field = grown;
    self->field_capacity = capacity;
  }
  self->field[self->field_length++] = c;
  return Status::kOk;
}

bool ends_line(Py_UCS4 c) { return c == '\n' || c == '\r' || c == kEndOfLine; }
bool is_newline(Py_UCS4 c) { return c == '\n' || c == '\r'; }

Status read_start_of_field(ReaderObject* self, CsvState* state, const DialectObject* dialect, Py_UCS4 c) {
  if (ends_line(c)) {
    VM_CHECK(save_field(self));
    self->state = c == kEndOfLine ? ReadState::kStartRecord : ReadState::kEatNewline;
  } else if (c == dialect->quotechar && dialect->quoting != kQuoteNone) {
    self->state = ReadState::kInQuotedField;
  } else if (c == dialect->escapechar) {
    self->state = ReadState::kEscapedChar;
  } else if (c == ' ' && dialect->skipinitialspace) {
    // stays at the start
  } else if (c == dialect->delimiter) {
    return save_field(self);
  } else {
    if (dialect->quoting == kQuoteNonNumeric) self->numeric_field = true;
    VM_CHECK(add_character(self, state, c));
    self->state = ReadState::kInField;
  }
  return Status::kOk;
}

Status read_in_field(ReaderObject* self, CsvState* state, const DialectObject* dialect, Py_UCS4 c) {
  if (ends_line(c)) {
    VM_CHECK(save_field(self));
    self->state = c == kEndOfLine ? ReadState::kStartRecord : ReadState::kEatNewline;
  } else if (c == dialect->escapechar) {
    self->state = ReadState::kEscapedChar;
  } else if (c == dialect->delimiter) {
    VM_CHECK(save_field(self));
    self->state = ReadState::kStartField;
  } else {
    return add_character(self, state, c);
  }
  return Status::kOk;
}

Status read_quote_in_quoted(ReaderObject* self, CsvState* state, const DialectObject* dialect, Py_UCS4 c) {
  if (dialect->quoting != kQuoteNone && c == dialect->quotechar) {  // doubled: one that belongs to the field
    VM_CHECK(add_character(self, state, c));
    self->state = ReadState::kInQuotedField;
  } else if (c == dialect->delimiter) {
    VM_CHECK(save_field(self));
    self->state = ReadState::kStartField;
  } else if (ends_line(c)) {
    VM_CHECK(save_field(self));
    self->state = c == kEndOfLine ? ReadState::kStartRecord : ReadState::kEatNewline;
  } else if (!dialect->strict) {
    VM_CHECK(add_character(self, state, c));
    self->state = ReadState::kInField;
  } else {
    return raise(state->error, "'%c' expected after '%c'", static_cast<int>(dialect->delimiter), static_cast<int>(dialect->quotechar));
  }
  return Status::kOk;
}

Status read_character(ReaderObject* self, CsvState* state, const DialectObject* dialect, Py_UCS4 c) {
  switch (self->state) {
    case ReadState::kStartRecord:
      if (c == kEndOfLine) return Status::kOk;  // an empty line is an empty record
      if (is_newline(c)) {
        self->state = ReadState::kEatNewline;
        return Status::kOk;
      }
      self->state = ReadState::kStartField;
      return read_start_of_field(self, state, dialect, c);
    case ReadState::kStartField:
      return read_start_of_field(self, state, dialect, c);
    case ReadState::kEscapedChar:
      if (is_newline(c)) {
        VM_CHECK(add_character(self, state, c));
        self->state = ReadState::kAfterEscapedNewline;
        return Status::kOk;
      }
      if (c == kEndOfLine) c = '\n';
      VM_CHECK(add_character(self, state, c));
      self->state = ReadState::kInField;
      return Status::kOk;
    case ReadState::kAfterEscapedNewline:
      if (c == kEndOfLine) return Status::kOk;
      return read_in_field(self, state, dialect, c);
    case ReadState::kInField:
      return read_in_field(self, state, dialect, c);
    case ReadState::kInQuotedField:
      if (c == kEndOfLine) return Status::kOk;
      if (c == dialect->escapechar) {
        self->state = ReadState::kEscapeInQuotedField;
      } else if (c == dialect->quotechar && dialect->quoting != kQuoteNone) {
        self->state = dialect->doublequote ? ReadState::kQuoteInQuotedField : ReadState::kInField;
      } else {
        return add_character(self, state, c);
      }
      return Status::kOk;
    case ReadState::kEscapeInQuotedField:
      if (c == kEndOfLine) c = '\n';
      VM_CHECK(add_character(self, state, c));
      self->state = ReadState::kInQuotedField;
      return Status::kOk;
    case ReadState::kQuoteInQuotedField:
      return read_quote_in_quoted(self, state, dialect, c);
    case ReadState::kEatNewline:
      if (is_newline(c)) return Status::kOk;
      if (c == kEndOfLine) {
        self->state = ReadState::kStartRecord;
        return Status::kOk;
      }
      return raise(state->error,
                   "new-line character seen in unquoted field - do you need to open the file in universal-newline mode?");
  }
  return Status::kOk;
}

Status start_record(ReaderObject* self) {
  Py_XSETREF(self->fields, PyList_New(0));
  if (self->fields == nullptr) return Status::kError;
  self->field_length = 0;
  self->state = ReadState::kStartRecord;
  self->numeric_field = false;
  return Status::kOk;
}

PyObject* reader_next(PyObject* object) {
  ReaderObject* self = as_reader(object);
  CsvState* state = state_of_type(Py_TYPE(object));
  if (state == nullptr) return nullptr;
  if (self->input == nullptr) return raise(PyExc_TypeError, "uninitialized reader");
  const DialectObject* dialect = as_dialect(self->dialect);
  if (!ok(start_record(self))) return nullptr;
  do {
    Ref<> line = Ref<>::steal(PyIter_Next(self->input));
    if (!line) {
      // End of input: a record that is still open counts unless the dialect is strict.
      if (!PyErr_Occurred() && (self->field_length != 0 || self->state == ReadState::kInQuotedField)) {
        if (dialect->strict) return raise(state->error, "unexpected end of data");
        if (ok(save_field(self))) break;
      }
      return nullptr;
    }
    if (!PyUnicode_Check(line.get())) {
      return raise(state->error, "iterator should return strings, not %.200s (the file should be opened in text mode)",
                   Py_TYPE(line.get())->tp_name);
    }
    if (PyUnicode_READY(line.get()) < 0) return nullptr;
    self->line_num++;
    const int kind = PyUnicode_KIND(line.get());
    const void* data = PyUnicode_DATA(line.get());
    const Py_ssize_t length = PyUnicode_GET_LENGTH(line.get());
    for (Py_ssize_t i = 0; i < length; i++) {
      if (!ok(read_character(self, state, dialect, PyUnicode_READ(kind, data, i)))) return nullptr;
    }
    if (!ok(read_character(self, state, dialect, kEndOfLine))) return nullptr;
  } while (self->state != ReadState::kStartRecord);
  return std::exchange(self->fields, nullptr);
}

PyObject* csv_reader(PyObject* module, PyObject* args, PyObject* kwargs) {
  CsvState* state = state_of(module);
  PyObject* iterable;
  PyObject* base;
  if (!unpack_two(args, iterable, base)) return nullptr;
  Ref<> owner = Ref<>::steal(state->reader_type->tp_alloc(state->reader_type, 0));
  if (!owner) return nullptr;
  ReaderObject* self = as_reader(owner.get());
  if (!ok(start_record(self))) return nullptr;
  self->input = PyObject_GetIter(iterable);
  if (self->input == nullptr) return nullptr;
  self->dialect = make_dialect(state, base, kwargs).release();
  return self->dialect == nullptr ? nullptr : owner.release();
}

int reader_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_reader(self)->dialect);
  Py_VISIT(as_reader(self)->input);
  Py_VISIT(as_reader(self)->fields);
  Py_VISIT(Py_TYPE(self));
  return 0;
}
int reader_clear(PyObject* self) {
  Py_CLEAR(as_reader(self)->dialect);
  Py_CLEAR(as_reader(self)->input);
  Py_CLEAR(as_reader(self)->fields);
  return 0;
}
void reader_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  reader_clear(self);
  PyMem_Free(as_reader(self)->field);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}
PyMemberDef reader_members[] = {{"dialect", T_OBJECT, offsetof(ReaderObject, dialect), READONLY, nullptr},
                                {"line_num", T_ULONG, offsetof(ReaderObject, line_num), READONLY, nullptr},
                                {}};
PyType_Slot reader_slots[] = {{Py_tp_doc, const_cast<char*>("CSV reader\n\nGives the records of delimited text as lists of strings.")},
                              {Py_tp_traverse, reinterpret_cast<void*>(reader_traverse)},
                              {Py_tp_clear, reinterpret_cast<void*>(reader_clear)},
                              {Py_tp_dealloc, reinterpret_cast<void*>(reader_dealloc)},
                              {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
                              {Py_tp_iternext, reinterpret_cast<void*>(reader_next)},
                              {Py_tp_members, reader_members},
                              {0, nullptr}};
PyType_Spec reader_spec = {"_csv.reader", sizeof(ReaderObject), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           reader_slots};

// Writer ------------------------------------------------------------------------------------------------------------

struct WriterObject {
  PyObject_HEAD
  PyObject* write;
  PyObject* dialect;
};
WriterObject* as_writer(PyObject* object) { return reinterpret_cast<WriterObject*>(object); }

/// A row under construction.
class Row {
 public:
  Row(CsvState* state, const DialectObject* dialect) : state_(state), dialect_(dialect) { _PyUnicodeWriter_Init(&writer_); writer_.overallocate = 1; }
  Row(const Row&) = delete;
  ~Row() { _PyUnicodeWriter_Dealloc(&writer_); }

  /// Adds a field; the text is null for None.
  Status add(PyObject* text, bool quoted) {
    if (fields_++ > 0) VM_CHECK(_PyUnicodeWriter_WriteChar(&writer_, dialect_->delimiter));
    last_quoted_ = quoted;
    const Py_ssize_t length = text == nullptr ? 0 : PyUnicode_GET_LENGTH(text);
    last_empty_ = length == 0;
    if (length == 0) return quoted ? write_quoted(nullptr, 0) : Status::kOk;
    const int kind = PyUnicode_KIND(text);
    const void* data = PyUnicode_DATA(text);
    // Look first whether quotes are needed, so that plain fields are copied at once.
    bool special = false;
    for (Py_ssize_t i = 0; i < length && !special; i++) special = is_special(PyUnicode_READ(kind, data, i));
    if (!special && !quoted) return static_cast<Status>(_PyUnicodeWriter_WriteStr(&writer_, text));
    return write_escaped(kind, data, length, quoted);
  }
  Status finish() {
    if (fields_ == 1 && last_empty_ && !last_quoted_) {  // otherwise it would read back as no field at all
      if (dialect_->quoting == kQuoteNone) return raise(state_->error, "single empty field record must be quoted");
      VM_CHECK(write_quoted(nullptr, 0));
    }
    return static_cast<Status>(_PyUnicodeWriter_WriteStr(&writer_, dialect_->lineterminator));
  }
  PyObject* text() { return _PyUnicodeWriter_Finish(&writer_); }

 private:
  bool is_special(Py_UCS4 c) const {
    return c == dialect_->delimiter || c == dialect_->escapechar || c == dialect_->quotechar || c == '\n' || c == '\r' ||
           PyUnicode_FindChar(dialect_->lineterminator, c, 0, PyUnicode_GET_LENGTH(dialect_->lineterminator), 1) >= 0;
  }
  Status write_quoted(PyObject*, Py_ssize_t) {
    VM_CHECK(_PyUnicodeWriter_WriteChar(&writer_, dialect_->quotechar));
    return static_cast<Status>(_PyUnicodeWriter_WriteChar(&writer_, dialect_->quotechar));
  }
  Status write_escaped(int kind, const void* data, Py_ssize_t length, bool quoted) {
    // First what has to be escaped, then whether the rest wants quotes.
    const auto wants_escape = [&](Py_UCS4 c, bool& wants_quotes) {
      if (!is_special(c)) return Py_UCS4{0};
      if (dialect_->quoting == kQuoteNone) return dialect_->escapechar;
      if (c == dialect_->quotechar) {
        if (dialect_->doublequote) {
          wants_quotes = true;
          return dialect_->quotechar;
        }
        return dialect_->escapechar;
      }
      if (c == dialect_->escapechar) return dialect_->escapechar;
      wants_quotes = true;
      return Py_UCS4{0};
    };
    bool wants_quotes = quoted;
    for (Py_ssize_t i = 0; i < length; i++) {
      if (wants_escape(PyUnicode_READ(kind, data, i), wants_quotes) == kNotSet) {
        return raise(state_->error, "need to escape, but no escapechar set");
      }
    }
    last_quoted_ = wants_quotes;
    if (wants_quotes) VM_CHECK(_PyUnicodeWriter_WriteChar(&writer_, dialect_->quotechar));
    for (Py_ssize_t i = 0; i < length; i++) {
      const Py_UCS4 c = PyUnicode_READ(kind, data, i);
      bool ignored = false;
      const Py_UCS4 escape = wants_escape(c, ignored);
      if (escape != 0) VM_CHECK(_PyUnicodeWriter_WriteChar(&writer_, escape));
      VM_CHECK(_PyUnicodeWriter_WriteChar(&writer_, c));
    }
    if (wants_quotes) VM_CHECK(_PyUnicodeWriter_WriteChar(&writer_, dialect_->quotechar));
    return Status::kOk;
  }

  CsvState* state_;
  const DialectObject* dialect_;
  _PyUnicodeWriter writer_;
  Py_ssize_t fields_ = 0;
  bool last_quoted_ = false;
  bool last_empty_ = false;
};

PyObject* writer_writerow(Borrowed<WriterObject> self, Borrowed<> sequence) {
  CsvState* state = state_of_type(Py_TYPE(self.object()));
  if (state == nullptr) return nullptr;
  const DialectObject* dialect = as_dialect(self->dialect);
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(sequence));
  if (!iterator) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return nullptr;
    return raise(state->error, "iterable expected, not %.200s", Py_TYPE(sequence.get())->tp_name);
  }
  Row row(state, dialect);
  while (Ref<> field = Ref<>::steal(PyIter_Next(iterator.get()))) {
    bool quoted = dialect->quoting == kQuoteAll;
    if (dialect->quoting == kQuoteNonNumeric) quoted = !PyNumber_Check(field.get());
    if (field.get() == Py_None) {
      VM_CHECK(row.add(nullptr, quoted));
    } else {
      Ref<> text = PyUnicode_Check(field.get()) ? Ref<>::dup(field.get()) : Ref<>::steal(PyObject_Str(field.get()));
      if (!text || PyUnicode_READY(text.get()) < 0) return nullptr;
      VM_CHECK(row.add(text.get(), quoted));
    }
  }
  if (PyErr_Occurred()) return nullptr;
  VM_CHECK(row.finish());
  Ref<> line = Ref<>::steal(row.text());
  return line ? PyObject_CallOneArg(self->write, line.get()) : nullptr;
}

PyObject* writer_writerows(Borrowed<WriterObject> self, Borrowed<> sequences) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(sequences));
  if (!iterator) return nullptr;
  while (Ref<> row = Ref<>::steal(PyIter_Next(iterator.get()))) {
    Ref<> result = Ref<>::steal(writer_writerow(self, row));
    if (!result) return nullptr;
  }
  if (PyErr_Occurred()) return nullptr;
  Py_RETURN_NONE;
}

PyObject* csv_writer(PyObject* module, PyObject* args, PyObject* kwargs) {
  CsvState* state = state_of(module);
  PyObject* file;
  PyObject* base;
  if (!unpack_two(args, file, base)) return nullptr;
  Ref<> owner = Ref<>::steal(state->writer_type->tp_alloc(state->writer_type, 0));
  if (!owner) return nullptr;
  WriterObject* self = as_writer(owner.get());
  self->write = PyObject_GetAttrString(file, "write");
  if (self->write == nullptr && !PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
  if (self->write == nullptr || !PyCallable_Check(self->write)) {
    return raise(PyExc_TypeError, "argument 1 must have a \"write\" method");
  }
  self->dialect = make_dialect(state, base, kwargs).release();
  return self->dialect == nullptr ? nullptr : owner.release();
}

int writer_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_writer(self)->dialect);
  Py_VISIT(as_writer(self)->write);
  Py_VISIT(Py_TYPE(self));
  return 0;
}
int writer_clear(PyObject* self) {
  Py_CLEAR(as_writer(self)->dialect);
  Py_CLEAR(as_writer(self)->write);
  return 0;
}
void writer_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  writer_clear(self);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}
PyMethodDef writer_methods[] = {
    method<writer_writerow, "writerow($self, sequence, /)",
           "writerow(iterable)\n\nWrites one record; fields that aren't strings go through str().">(),
    method<writer_writerows, "writerows($self, sequences, /)", "writerows(iterable of iterables)\n\nWrites several records.">(),
    {}};
PyMemberDef writer_members[] = {{"dialect", T_OBJECT, offsetof(WriterObject, dialect), READONLY, nullptr}, {}};
PyType_Slot writer_slots[] = {{Py_tp_doc, const_cast<char*>("CSV writer\n\nWrites records as delimited text.")},
                              {Py_tp_traverse, reinterpret_cast<void*>(writer_traverse)},
                              {Py_tp_clear, reinterpret_cast<void*>(writer_clear)},
                              {Py_tp_dealloc, reinterpret_cast<void*>(writer_dealloc)},
                              {Py_tp_methods, writer_methods},
                              {Py_tp_members, writer_members},
                              {0, nullptr}};
PyType_Spec writer_spec = {"_csv.writer", sizeof(WriterObject), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           writer_slots};

// Module functions --------------------------------------------------------------------------------------------------

PyObject* list_dialects(PyObject* module) { return PyDict_Keys(state_of(module)->dialects); }

PyObject* register_dialect(PyObject* module, PyObject* args, PyObject* kwargs) {
  CsvState* state = state_of(module);
  PyObject* name;
  PyObject* base;
  if (!unpack_two(args, name, base)) return nullptr;
  if (!PyUnicode_Check(name)) return raise(PyExc_TypeError, "dialect name must be a string");
  Ref<> dialect = make_dialect(state, base, kwargs);
  if (!dialect || PyDict_SetItem(state->dialects, name, dialect.get()) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* unregister_dialect(PyObject* module, Borrowed<> name) {
  CsvState* state = state_of(module);
  if (PyDict_DelItem(state->dialects, name) < 0) {
    if (PyErr_ExceptionMatches(PyExc_KeyError)) return raise(state->error, "unknown dialect");
    return nullptr;
  }
  Py_RETURN_NONE;
}
PyObject* get_dialect(PyObject* module, Borrowed<> name) {
  CsvState* state = state_of(module);
  PyObject* dialect = PyDict_GetItemWithError(state->dialects, name);
  if (dialect == nullptr && !PyErr_Occurred()) return raise(state->error, "unknown dialect");
  return Py_XNewRef(dialect);
}
PyObject* field_size_limit(PyObject* module, PyObject* new_limit) {
  CsvState* state = state_of(module);
  const long old_limit = state->field_limit;
  if (new_limit != nullptr) {
    if (!PyLong_CheckExact(new_limit)) return raise(PyExc_TypeError, "limit must be an integer");
    const long limit = PyLong_AsLong(new_limit);
    if (limit == -1 && PyErr_Occurred()) return nullptr;
    state->field_limit = limit;
  }
  return PyLong_FromLong(old_limit);
}

PyCFunction with_keywords(PyObject* (*function)(PyObject*, PyObject*, PyObject*)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}
PyMethodDef csv_methods[] = {
    {"reader", with_keywords(csv_reader), METH_VARARGS | METH_KEYWORDS,
     "    csv_reader = reader(iterable [, dialect='excel'] [optional keyword args])\n\n"
     "An iterator over the records in an iterable of lines. The dialect is a name or an object; keyword\n"
     "arguments override its parameters."},
    {"writer", with_keywords(csv_writer), METH_VARARGS | METH_KEYWORDS,
     "    csv_writer = csv.writer(fileobj [, dialect='excel'] [optional keyword args])\n\n"
     "An object with writerow() and writerows() that write to any object with a write() method."},
    method<list_dialects, "list_dialects($module, /)", "The names of the registered dialects.">(),
    {"register_dialect", with_keywords(register_dialect), METH_VARARGS | METH_KEYWORDS,
     "Gives a dialect a name.\n    dialect = csv.register_dialect(name[, dialect[, **fmtparams]])"},
    method<unregister_dialect, "unregister_dialect($module, /, name)", "Forgets a dialect.">(),
    method<get_dialect, "get_dialect($module, /, name)", "The dialect of that name.">(),
    method<field_size_limit, "field_size_limit($module, /, new_limit=<unrepresentable>)",
           "Sets an upper limit on the length of fields; returns the old one.">(),
    {}};

int csv_exec(PyObject* module) {
  CsvState* state = state_of(module);
  state->field_limit = 128 * 1024;
  const auto make_type = [module](PyType_Spec* spec) {
    return reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, spec, nullptr));
  };
  state->dialect_type = make_type(&dialect_spec);
  state->reader_type = make_type(&reader_spec);
  state->writer_type = make_type(&writer_spec);
  if (state->dialect_type == nullptr || state->reader_type == nullptr || state->writer_type == nullptr) return -1;
  if (PyModule_AddObjectRef(module, "Reader", as_object(state->reader_type)) < 0 ||
      PyModule_AddObjectRef(module, "Writer", as_object(state->writer_type)) < 0 ||
      PyModule_AddStringConstant(module, "__version__", "1.0") < 0) {
    return -1;
  }
  state->dialects = PyDict_New();
  if (state->dialects == nullptr || PyModule_AddObjectRef(module, "_dialects", state->dialects) < 0) return -1;
  if (PyModule_AddIntConstant(module, "QUOTE_MINIMAL", kQuoteMinimal) < 0 ||
      PyModule_AddIntConstant(module, "QUOTE_ALL", kQuoteAll) < 0 ||
      PyModule_AddIntConstant(module, "QUOTE_NONNUMERIC", kQuoteNonNumeric) < 0 ||
      PyModule_AddIntConstant(module, "QUOTE_NONE", kQuoteNone) < 0 || PyModule_AddType(module, state->dialect_type) < 0) {
    return -1;
  }
  state->error = PyErr_NewException("_csv.Error", nullptr, nullptr);
  return state->error == nullptr ? -1 : PyModule_AddObjectRef(module, "Error", state->error);
}
int csv_traverse(PyObject* module, visitproc visit, void* arg) {
  Py_VISIT(state_of(module)->error);
  Py_VISIT(state_of(module)->dialects);
  Py_VISIT(state_of(module)->dialect_type);
  Py_VISIT(state_of(module)->reader_type);
  Py_VISIT(state_of(module)->writer_type);
  return 0;
}
int csv_clear(PyObject* module) {
  Py_CLEAR(state_of(module)->error);
  Py_CLEAR(state_of(module)->dialects);
  Py_CLEAR(state_of(module)->dialect_type);
  Py_CLEAR(state_of(module)->reader_type);
  Py_CLEAR(state_of(module)->writer_type);
  return 0;
}
PyModuleDef_Slot csv_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(csv_exec)}, {}};
PyModuleDef csv_module = {PyModuleDef_HEAD_INIT,
                          "_csv",
                          "CSV parsing and writing: the built-in half of the csv module, whose documentation applies.",
                          sizeof(CsvState),
                          csv_methods,
                          csv_slots,
                          csv_traverse,
                          csv_clear,
                          [](void* module) { csv_clear(static_cast<PyObject*>(module)); }};

}  // namespace

PyMODINIT_FUNC PyInit__csv(void) { return PyModuleDef_Init(&csv_module); }
