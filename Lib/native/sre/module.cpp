// The `_sre` module: Pattern, Match and scanner objects over the matching engine.
//
// A Pattern owns its Program. A Match holds positions only (two per group, -1 where a group took no part) and cuts the
// string when asked. Matching itself is in engine.h, instantiated for the three character widths.
#include <new>

#include "Lib/native/sre/engine.h"
#include "Objects/bind.h"

#include "internal/pycore_bytesobject.h"
#include "internal/pycore_pyhash.h"

namespace pyston::sre {
namespace {

struct PatternObject {
  PyObject_HEAD
  Py_ssize_t groups;
  int flags;
  bool is_bytes;
  bool any_type;          // compiled without a pattern string: matches both
  PyObject* groupindex;   // dict
  PyObject* indexgroup;   // tuple
  PyObject* pattern;      // str, bytes or None
  PyObject* weakrefs;
  Program* program;
  size_t code_size;
  Code* code;
};

struct MatchObject {
  PyObject_VAR_HEAD
  PyObject* string;
  PyObject* regs;  // cached tuple of spans
  PatternObject* pattern;
  Py_ssize_t pos;
  Py_ssize_t endpos;
  Py_ssize_t lastindex;
  Py_ssize_t groups;  // the whole match counts
  Py_ssize_t marks[1];
};

struct ModuleState {
  PyTypeObject* pattern_type;
  PyTypeObject* match_type;
  PyTypeObject* scanner_type;
  PyObject* parse_replacement;  // re._subx, when it has been needed
};

ModuleState* state_of(PyObject* module) { return static_cast<ModuleState*>(PyModule_GetState(module)); }
ModuleState* state_of_type(PyTypeObject* type) { return static_cast<ModuleState*>(PyType_GetModuleState(type)); }

/// The text being matched, for the length of a call (or a scanner's life).
struct Subject {
  PyObject* string = nullptr;  // owned
  Py_buffer buffer = {};
  const void* text = nullptr;
  Py_ssize_t length = 0;
  int kind = 1;
  bool is_bytes = false;

  Subject() = default;
  Subject(const Subject&) = delete;
  ~Subject() {
    if (buffer.obj != nullptr) PyBuffer_Release(&buffer);
    Py_XDECREF(string);
  }

  bool read(PatternObject* pattern, PyObject* object) {
    if (PyUnicode_Check(object)) {
      if (PyUnicode_READY(object) < 0) return false;
      text = PyUnicode_DATA(object);
      length = PyUnicode_GET_LENGTH(object);
      kind = static_cast<int>(PyUnicode_KIND(object));
    } else {
      if (PyObject_GetBuffer(object, &buffer, PyBUF_SIMPLE) != 0) {
        buffer.obj = nullptr;
        PyErr_Format(PyExc_TypeError, "expected string or bytes-like object, got '%.200s'", Py_TYPE(object)->tp_name);
        return false;
      }
      text = buffer.buf;
      length = buffer.len;
      is_bytes = true;
      if (text == nullptr) {
        static constexpr char kNothing = 0;
        text = &kNothing;
      }
    }
    if (!pattern->any_type && is_bytes != pattern->is_bytes) {
      PyErr_SetString(PyExc_TypeError, is_bytes ? "cannot use a string pattern on a bytes-like object"
                                                : "cannot use a bytes pattern on a string-like object");
      return false;
    }
    string = Py_NewRef(object);
    return true;
  }

  /// string[start:stop] as str or bytes, whatever the string's own type is.
  PyObject* slice(Py_ssize_t start, Py_ssize_t stop) const {
    if (!is_bytes) return PyUnicode_Substring(string, start, stop);
    if (PyBytes_CheckExact(string) && start == 0 && stop == length) return Py_NewRef(string);
    return PyBytes_FromStringAndSize(static_cast<const char*>(text) + start, stop - start);
  }
};

PyObject* slice_string(PyObject* string, Py_ssize_t start, Py_ssize_t stop) {
  if (PyUnicode_Check(string)) return PyUnicode_Substring(string, start, stop);
  if (PyBytes_CheckExact(string) && start == 0 && stop == PyBytes_GET_SIZE(string)) return Py_NewRef(string);
  Py_buffer buffer;
  if (PyObject_GetBuffer(string, &buffer, PyBUF_SIMPLE) < 0) {
    PyErr_Format(PyExc_TypeError, "expected string or bytes-like object, got '%.200s'", Py_TYPE(string)->tp_name);
    return nullptr;
  }
  // The buffer may have shrunk since the match.
  if (stop > buffer.len) stop = buffer.len;
  if (start > stop) start = stop;
  PyObject* result = PyBytes_FromStringAndSize(static_cast<char*>(buffer.buf) + start, stop - start);
  PyBuffer_Release(&buffer);
  return result;
}

/// One or more attempts of a pattern on a subject, with the storage for marks.
class Matching {
 public:
  Matching(PatternObject* pattern, Subject& subject, Py_ssize_t start, Py_ssize_t end)
      : pattern_(pattern), subject_(subject) {
    if (start < 0) start = 0;
    if (start > subject.length) start = subject.length;
    if (end < 0) end = 0;
    if (end > subject.length) end = subject.length;
    attempt_.text = subject.text;
    attempt_.start = start;
    attempt_.end = end;
    attempt_.marks = room_;
    pos_ = start;
  }
  ~Matching() {
    if (attempt_.marks != room_) PyMem_Free(attempt_.marks);
  }
  Matching(const Matching&) = delete;

  bool prepare() {
    if (pattern_->groups * 2 <= kRoom) return true;
    attempt_.marks = PyMem_New(Py_ssize_t, pattern_->groups * 2);
    if (attempt_.marks == nullptr) return PyErr_NoMemory(), false;
    return true;
  }

  enum Mode { kMatch, kFullMatch, kSearch };
  Outcome run(Mode mode) {
    if (attempt_.start > attempt_.end) return Outcome::kNoMatch;
    attempt_.full = mode == kFullMatch;
    switch (subject_.kind) {
      case 1: return run_width<Py_UCS1>(mode);
      case 2: return run_width<Py_UCS2>(mode);
      default: return run_width<Py_UCS4>(mode);
    }
  }

  Py_ssize_t start() const { return attempt_.match_start; }
  Py_ssize_t stop() const { return attempt_.match_end; }
  Py_ssize_t end() const { return attempt_.end; }
  /// Makes the next attempt begin where this one's match ended; an empty match must not come again.
  void advance() {
    attempt_.must_advance = attempt_.match_end == attempt_.match_start;
    attempt_.start = attempt_.match_end;
  }
  Py_ssize_t next_start() const { return attempt_.start; }

  /// The text of a group (1 and up), `missing` when it took no part.
  PyObject* group(Py_ssize_t index, PyObject* missing) const {
    const Py_ssize_t from = attempt_.marks[2 * index - 2];
    const Py_ssize_t to = attempt_.marks[2 * index - 1];
    if (from < 0 || to < from) return Py_NewRef(missing);
    return subject_.slice(from, to);
  }

  PyObject* new_match() const;

  Attempt& attempt() { return attempt_; }

 private:
  template <class Char>
  Outcome run_width(Mode mode) {
    Engine<Char> engine(*pattern_->program, attempt_);
    return mode == kSearch ? engine.search() : engine.match();
  }

  static constexpr int kRoom = 32;
  PatternObject* pattern_;
  Subject& subject_;
  Attempt attempt_ = {};
  Py_ssize_t pos_;
  Py_ssize_t room_[kRoom];
};

PyObject* Matching::new_match() const {
  PyTypeObject* type = state_of_type(Py_TYPE(pattern_))->match_type;
  MatchObject* match = PyObject_GC_NewVar(MatchObject, type, 2 * (pattern_->groups + 1));
  if (match == nullptr) return nullptr;
  match->string = Py_NewRef(subject_.string);
  match->regs = nullptr;
  match->pattern = reinterpret_cast<PatternObject*>(Py_NewRef(pattern_));
  match->pos = pos_;
  match->endpos = attempt_.end;
  match->lastindex = attempt_.last_index > 0 ? attempt_.last_index : -1;
  match->groups = pattern_->groups + 1;
  match->marks[0] = attempt_.match_start;
  match->marks[1] = attempt_.match_end;
  for (Py_ssize_t i = 0; i < pattern_->groups; i++) {
    Py_ssize_t from = attempt_.marks[2 * i];
    Py_ssize_t to = attempt_.marks[2 * i + 1];
    if (from < 0 || to < from) from = to = -1;
    match->marks[2 * i + 2] = from;
    match->marks[2 * i + 3] = to;
  }
  PyObject_GC_Track(match);
  return as_object(match);
}

// ---- Pattern ----------------------------------------------------------------------------------------------------

using Bounds = Optional<Py_ssize_t>;

template <Matching::Mode kMode>
PyObject* pattern_attempt(PatternObject* self, Borrowed<> string, Bounds pos, Bounds endpos) {
  Subject subject;
  if (!subject.read(self, string)) return nullptr;
  Matching matching(self, subject, pos.value_or(0), endpos.value_or(PY_SSIZE_T_MAX));
  if (!matching.prepare()) return nullptr;
  switch (matching.run(kMode)) {
    case Outcome::kMatch: return matching.new_match();
    case Outcome::kNoMatch: Py_RETURN_NONE;
    default: return nullptr;
  }
}

PyObject* pattern_findall(PatternObject* self, Borrowed<> string, Bounds pos, Bounds endpos) {
  Subject subject;
  if (!subject.read(self, string)) return nullptr;
  Matching matching(self, subject, pos.value_or(0), endpos.value_or(PY_SSIZE_T_MAX));
  if (!matching.prepare()) return nullptr;
  Ref<> list = Ref<>::steal(PyList_New(0));
  Ref<> empty = Ref<>::steal(subject.slice(0, 0));
  if (!list || !empty) return nullptr;
  while (true) {
    const Outcome outcome = matching.run(Matching::kSearch);
    if (outcome == Outcome::kError) return nullptr;
    if (outcome == Outcome::kNoMatch) return list.release();
    Ref<> item;
    if (self->groups == 0) {
      item = Ref<>::steal(subject.slice(matching.start(), matching.stop()));
    } else if (self->groups == 1) {
      item = Ref<>::steal(matching.group(1, empty.get()));
    } else {
      item = Ref<>::steal(PyTuple_New(self->groups));
      for (Py_ssize_t i = 0; item && i < self->groups; i++) {
        PyObject* group = matching.group(i + 1, empty.get());
        if (group == nullptr) return nullptr;
        PyTuple_SET_ITEM(item.get(), i, group);
      }
    }
    if (!item || PyList_Append(list.get(), item.get()) < 0) return nullptr;
    matching.advance();
  }
}

PyObject* pattern_split(PatternObject* self, Borrowed<> string, Bounds maxsplit) {
  Subject subject;
  if (!subject.read(self, string)) return nullptr;
  Matching matching(self, subject, 0, PY_SSIZE_T_MAX);
  if (!matching.prepare()) return nullptr;
  Ref<> list = Ref<>::steal(PyList_New(0));
  if (!list) return nullptr;
  auto append = [&](PyObject* item) {
    if (item == nullptr) return false;
    const int status = PyList_Append(list.get(), item);
    Py_DECREF(item);
    return status == 0;
  };
  const Py_ssize_t limit = maxsplit.value_or(0);
  Py_ssize_t last = 0;
  for (Py_ssize_t n = 0; limit == 0 || n < limit; n++) {
    const Outcome outcome = matching.run(Matching::kSearch);
    if (outcome == Outcome::kError) return nullptr;
    if (outcome == Outcome::kNoMatch) break;
    if (!append(subject.slice(last, matching.start()))) return nullptr;
    for (Py_ssize_t i = 0; i < self->groups; i++) {
      if (!append(matching.group(i + 1, Py_None))) return nullptr;
    }
    last = matching.stop();
    matching.advance();
  }
  return append(subject.slice(last, subject.length)) ? list.release() : nullptr;
}

// ---- replacing --------------------------------------------------------------------------------------------------

/// A parsed replacement template: literal pieces with groups to put between them.
struct Template {
  Ref<> literals;  // list; None where a group goes
  Ref<> groups;    // list of (index in literals, group)

  /// Parses a template with the library's parser. It is called through `re._subx`, whose frame the parser's warnings
  /// count on; what comes back is a plain string (`literal`) or a function with the parsed template as its default.
  bool parse(PatternObject* pattern, PyObject* text, Ref<>& literal) {
    ModuleState* state = state_of_type(Py_TYPE(pattern));
    if (state->parse_replacement == nullptr) {
      Ref<> re = Ref<>::steal(PyImport_ImportModule("re"));
      if (!re) return false;
      state->parse_replacement = PyObject_GetAttrString(re.get(), "_subx");
      if (state->parse_replacement == nullptr) return false;
    }
    Ref<> result = Ref<>::steal(PyObject_CallFunctionObjArgs(state->parse_replacement, as_object(pattern), text, nullptr));
    if (!result) return false;
    if (!PyFunction_Check(result.get())) {
      literal = std::move(result);
      return true;
    }
    PyObject* defaults = PyFunction_GET_DEFAULTS(result.get());
    PyObject* parsed = defaults != nullptr && PyTuple_GET_SIZE(defaults) == 1 ? PyTuple_GET_ITEM(defaults, 0) : nullptr;
    if (parsed == nullptr || !PyTuple_Check(parsed) || PyTuple_GET_SIZE(parsed) != 2 ||
        !PyList_Check(PyTuple_GET_ITEM(parsed, 0)) || !PyList_Check(PyTuple_GET_ITEM(parsed, 1))) {
      PyErr_SetString(PyExc_SystemError, "re._subx() returned something unexpected");
      return false;
    }
    groups = Ref<>::dup(PyTuple_GET_ITEM(parsed, 0));
    literals = Ref<>::dup(PyTuple_GET_ITEM(parsed, 1));
    return true;
  }

  /// The pieces with group texts filled in, joined. `group(i)` gives a new reference.
  template <class Group>
  PyObject* expand(PyObject* empty, Group&& group) const {
    const Py_ssize_t count = PyList_GET_SIZE(literals.get());
    Ref<> pieces = Ref<>::steal(PyList_GetSlice(literals.get(), 0, count));
    if (!pieces) return nullptr;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups.get()); i++) {
      PyObject* pair = PyList_GET_ITEM(groups.get(), i);
      if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_SetString(PyExc_SystemError, "bad replacement template");
        return nullptr;
      }
      const Py_ssize_t place = PyLong_AsSsize_t(PyTuple_GET_ITEM(pair, 0));
      const Py_ssize_t index = PyLong_AsSsize_t(PyTuple_GET_ITEM(pair, 1));
      if (PyErr_Occurred()) return nullptr;
      PyObject* text = group(index);
      if (text == nullptr) return nullptr;
      if (PyList_SetItem(pieces.get(), place, text) < 0) return nullptr;
    }
    return join(empty, pieces.get());
  }

  static PyObject* join(PyObject* separator, PyObject* list) {
    return PyUnicode_Check(separator) ? PyUnicode_Join(separator, list) : _PyBytes_Join(separator, list);
  }
};

/// Whether a replacement has no backslash, so that it stands for itself.
bool is_plain(PyObject* replacement, bool& plain) {
  if (PyUnicode_Check(replacement)) {
    if (PyUnicode_READY(replacement) < 0) return false;
    plain = PyUnicode_FindChar(replacement, '\\', 0, PyUnicode_GET_LENGTH(replacement), 1) < 0;
    return true;
  }
  Py_buffer buffer;
  if (PyObject_GetBuffer(replacement, &buffer, PyBUF_SIMPLE) < 0) {
    PyErr_Clear();  // the template parser reports what it thinks of it
    plain = false;
    return true;
  }
  plain = buffer.len == 0 || memchr(buffer.buf, '\\', static_cast<size_t>(buffer.len)) == nullptr;
  PyBuffer_Release(&buffer);
  return true;
}

/// Replaces; the number of replacements in `n`.
Ref<> substitute(PatternObject* self, PyObject* replacement, PyObject* string, Py_ssize_t limit, Py_ssize_t& n) {
  enum { kCallable, kLiteral, kTemplate } how;
  Template parsed;
  Ref<> literal;
  if (PyCallable_Check(replacement)) {
    how = kCallable;
  } else {
    bool plain;
    if (!is_plain(replacement, plain)) return nullptr;
    how = kLiteral;
    if (plain) {
      literal = Ref<>::dup(replacement);
    } else {
      if (!parsed.parse(self, replacement, literal)) return nullptr;
      if (!literal) how = kTemplate;
    }
  }
  Subject subject;
  if (!subject.read(self, string)) return nullptr;
  Matching matching(self, subject, 0, PY_SSIZE_T_MAX);
  if (!matching.prepare()) return nullptr;
  Ref<> empty = Ref<>::steal(subject.slice(0, 0));
  Ref<> list = Ref<>::steal(PyList_New(0));
  if (!empty || !list) return nullptr;
  Py_ssize_t last = 0;
  n = 0;
  while (limit == 0 || n < limit) {
    const Outcome outcome = matching.run(Matching::kSearch);
    if (outcome == Outcome::kError) return nullptr;
    if (outcome == Outcome::kNoMatch) break;
    if (last < matching.start()) {
      Ref<> between = Ref<>::steal(subject.slice(last, matching.start()));
      if (!between || PyList_Append(list.get(), between.get()) < 0) return nullptr;
    }
    Ref<> item;
    if (how == kLiteral) {
      item = Ref<>::dup(literal.get());
    } else if (how == kTemplate) {
      item = Ref<>::steal(parsed.expand(empty.get(), [&](Py_ssize_t index) -> PyObject* {
        if (index == 0) return subject.slice(matching.start(), matching.stop());
        if (index < 0 || index > self->groups) return raise(PyExc_IndexError, "no such group");
        return matching.group(index, empty.get());
      }));
    } else {
      Ref<> match = Ref<>::steal(matching.new_match());
      if (!match) return nullptr;
      item = Ref<>::steal(PyObject_CallOneArg(replacement, match.get()));
    }
    if (!item) return nullptr;
    if (item.get() != Py_None && PyList_Append(list.get(), item.get()) < 0) return nullptr;
    last = matching.stop();
    n++;
    matching.advance();
  }
  if (last < subject.length) {
    Ref<> rest = Ref<>::steal(subject.slice(last, subject.length));
    if (!rest || PyList_Append(list.get(), rest.get()) < 0) return nullptr;
  }
  if (PyList_GET_SIZE(list.get()) == 0) return empty;
  return Ref<>::steal(Template::join(empty.get(), list.get()));
}

PyObject* pattern_sub(PatternObject* self, Borrowed<> repl, Borrowed<> string, Bounds count) {
  Py_ssize_t n;
  return substitute(self, repl, string, count.value_or(0), n).release();
}
PyObject* pattern_subn(PatternObject* self, Borrowed<> repl, Borrowed<> string, Bounds count) {
  Py_ssize_t n;
  Ref<> result = substitute(self, repl, string, count.value_or(0), n);
  return result ? Py_BuildValue("Nn", result.release(), n) : nullptr;
}

// ---- Scanner ----------------------------------------------------------------------------------------------------

struct ScannerObject {
  PyObject_HEAD
  PyObject* pattern;
  Subject* subject;
  Matching* matching;
  bool done;
  bool running;
};

PyObject* new_scanner(PatternObject* self, PyObject* string, Bounds pos, Bounds endpos) {
  ScannerObject* scanner = PyObject_GC_New(ScannerObject, state_of_type(Py_TYPE(self))->scanner_type);
  if (scanner == nullptr) return nullptr;
  scanner->pattern = Py_NewRef(self);
  scanner->subject = static_cast<Subject*>(PyMem_Malloc(sizeof(Subject)));
  scanner->matching = static_cast<Matching*>(PyMem_Malloc(sizeof(Matching)));
  scanner->done = false;
  scanner->running = false;
  if (scanner->subject == nullptr || scanner->matching == nullptr) {
    PyMem_Free(scanner->subject);
    PyMem_Free(scanner->matching);
    scanner->subject = nullptr;
    scanner->matching = nullptr;
    Py_DECREF(scanner);
    return PyErr_NoMemory();
  }
  new (scanner->subject) Subject();
  const bool fine = scanner->subject->read(self, string);
  new (scanner->matching) Matching(self, *scanner->subject, pos.value_or(0), endpos.value_or(PY_SSIZE_T_MAX));
  PyObject_GC_Track(scanner);
  if (!fine || !scanner->matching->prepare()) {
    Py_DECREF(scanner);
    return nullptr;
  }
  return as_object(scanner);
}

template <Matching::Mode kMode>
PyObject* scanner_next(ScannerObject* self) {
  if (self->done) Py_RETURN_NONE;
  // A signal handler run by the engine could come back here.
  if (self->running) return raise(PyExc_ValueError, "regular expression scanner already executing");
  self->running = true;
  const Outcome outcome = self->matching->run(kMode);
  self->running = false;
  if (outcome == Outcome::kError) return nullptr;
  if (outcome == Outcome::kNoMatch) {
    self->done = true;
    Py_RETURN_NONE;
  }
  PyObject* match = self->matching->new_match();
  self->matching->advance();
  return match;
}

int scanner_traverse(PyObject* object, visitproc visit, void* arg) {
  ScannerObject* self = reinterpret_cast<ScannerObject*>(object);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(self->pattern);
  return 0;
}
void scanner_dealloc(PyObject* object) {
  ScannerObject* self = reinterpret_cast<ScannerObject*>(object);
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (self->matching != nullptr) {
    self->matching->~Matching();
    PyMem_Free(self->matching);
  }
  if (self->subject != nullptr) {
    self->subject->~Subject();
    PyMem_Free(self->subject);
  }
  Py_XDECREF(self->pattern);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

PyMethodDef scanner_methods[] = {
    method<scanner_next<Matching::kMatch>, "match($self, /)">(),
    method<scanner_next<Matching::kSearch>, "search($self, /)">(),
    {}};
PyMemberDef scanner_members[] = {{"pattern", T_OBJECT, offsetof(ScannerObject, pattern), READONLY, nullptr},
                                 {nullptr, 0, 0, 0, nullptr}};
PyType_Slot scanner_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(scanner_dealloc)},
                               {Py_tp_traverse, reinterpret_cast<void*>(scanner_traverse)},
                               {Py_tp_methods, scanner_methods},
                               {Py_tp_members, scanner_members},
                               {0, nullptr}};
PyType_Spec scanner_spec = {"_sre.SRE_Scanner", sizeof(ScannerObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
                            scanner_slots};

PyObject* pattern_scanner(PatternObject* self, Borrowed<> string, Bounds pos, Bounds endpos) {
  return new_scanner(self, string, pos, endpos);
}
PyObject* pattern_finditer(PatternObject* self, Borrowed<> string, Bounds pos, Bounds endpos) {
  Ref<> scanner = Ref<>::steal(new_scanner(self, string, pos, endpos));
  if (!scanner) return nullptr;
  Ref<> search = Ref<>::steal(PyObject_GetAttrString(scanner.get(), "search"));
  return search ? PyCallIter_New(search.get(), Py_None) : nullptr;
}

// ---- Pattern, continued -----------------------------------------------------------------------------------------

template <class Object>
PyObject* return_self(Object* self) {
  return Py_NewRef(self);
}
template <class Object>
PyObject* return_self_memo(Object* self, Borrowed<>) {
  return Py_NewRef(self);
}

constexpr struct {
  const char* name;
  int value;
} kFlagNames[] = {{"re.TEMPLATE", 1}, {"re.IGNORECASE", 2}, {"re.LOCALE", 4}, {"re.MULTILINE", 8},
                  {"re.DOTALL", 16},  {"re.VERBOSE", 64},   {"re.DEBUG", 128}, {"re.ASCII", 256}};

PyObject* pattern_repr(PyObject* object) {
  PatternObject* self = reinterpret_cast<PatternObject*>(object);
  int flags = self->flags;
  // The default for str patterns isn't shown.
  if (!self->any_type && !self->is_bytes && (flags & (4 | 32 | 256)) == 32) flags &= ~32;
  Ref<> names = Ref<>::steal(PyList_New(0));
  if (!names) return nullptr;
  auto add = [&](Ref<> name) { return name && PyList_Append(names.get(), name.get()) == 0; };
  for (const auto& row : kFlagNames) {
    if (!(flags & row.value)) continue;
    if (!add(Ref<>::steal(PyUnicode_FromString(row.name)))) return nullptr;
    flags &= ~row.value;
  }
  if (flags != 0 && !add(Ref<>::steal(PyUnicode_FromFormat("0x%x", flags)))) return nullptr;
  if (PyList_GET_SIZE(names.get()) == 0) return PyUnicode_FromFormat("re.compile(%.200R)", self->pattern);
  Ref<> bar = Ref<>::steal(PyUnicode_FromString("|"));
  Ref<> joined = bar ? Ref<>::steal(PyUnicode_Join(bar.get(), names.get())) : nullptr;
  return joined ? PyUnicode_FromFormat("re.compile(%.200R, %S)", self->pattern, joined.get()) : nullptr;
}

Py_hash_t pattern_hash(PyObject* object) {
  PatternObject* self = reinterpret_cast<PatternObject*>(object);
  Py_hash_t hash = PyObject_Hash(self->pattern);
  if (hash == -1) return -1;
  hash ^= _Py_HashBytes(self->code, static_cast<Py_ssize_t>(self->code_size * sizeof(Code)));
  hash ^= self->flags;
  hash ^= self->is_bytes;
  hash ^= static_cast<Py_hash_t>(self->code_size);
  return hash == -1 ? -2 : hash;
}

PyObject* pattern_richcompare(PyObject* left_object, PyObject* right_object, int op) {
  if ((op != Py_EQ && op != Py_NE) || Py_TYPE(left_object) != Py_TYPE(right_object)) Py_RETURN_NOTIMPLEMENTED;
  bool same = left_object == right_object;
  if (!same) {
    PatternObject* left = reinterpret_cast<PatternObject*>(left_object);
    PatternObject* right = reinterpret_cast<PatternObject*>(right_object);
    same = left->flags == right->flags && left->is_bytes == right->is_bytes && left->any_type == right->any_type &&
           left->code_size == right->code_size && memcmp(left->code, right->code, left->code_size * sizeof(Code)) == 0;
    if (same) {
      const int equal = PyObject_RichCompareBool(left->pattern, right->pattern, Py_EQ);
      if (equal < 0) return nullptr;
      same = equal != 0;
    }
  }
  return PyBool_FromLong(same == (op == Py_EQ));
}

PyObject* pattern_groupindex(PyObject* object, void*) {
  PatternObject* self = reinterpret_cast<PatternObject*>(object);
  return PyDictProxy_New(self->groupindex);
}

int pattern_traverse(PyObject* object, visitproc visit, void* arg) {
  PatternObject* self = reinterpret_cast<PatternObject*>(object);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(self->groupindex);
  Py_VISIT(self->indexgroup);
  Py_VISIT(self->pattern);
  return 0;
}
int pattern_clear(PyObject* object) {
  PatternObject* self = reinterpret_cast<PatternObject*>(object);
  Py_CLEAR(self->groupindex);
  Py_CLEAR(self->indexgroup);
  Py_CLEAR(self->pattern);
  return 0;
}
void pattern_dealloc(PyObject* object) {
  PatternObject* self = reinterpret_cast<PatternObject*>(object);
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (self->weakrefs != nullptr) PyObject_ClearWeakRefs(object);
  pattern_clear(object);
  if (self->program != nullptr) {
    self->program->~Program();
    PyMem_Free(self->program);
  }
  PyMem_Free(self->code);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

#define WITH_BOUNDS(name) name "($self, /, string, pos=0, endpos=sys.maxsize)"
PyMethodDef pattern_methods[] = {
    method<pattern_attempt<Matching::kMatch>, WITH_BOUNDS("match"), "A match at the beginning of the string, or None.">(),
    method<pattern_attempt<Matching::kFullMatch>, WITH_BOUNDS("fullmatch"), "A match of the whole string, or None.">(),
    method<pattern_attempt<Matching::kSearch>, WITH_BOUNDS("search"), "The first match in the string, or None.">(),
    method<pattern_sub, "sub($self, /, repl, string, count=0)", "The string with matches replaced.">(),
    method<pattern_subn, "subn($self, /, repl, string, count=0)", "(string with matches replaced, how many).">(),
    method<pattern_findall, WITH_BOUNDS("findall"), "The texts of all matches, or of their groups.">(),
    method<pattern_split, "split($self, /, string, maxsplit=0)", "The parts of the string between matches.">(),
    method<pattern_finditer, WITH_BOUNDS("finditer"), "An iterator over all matches.">(),
    method<pattern_scanner, WITH_BOUNDS("scanner")>(),
    method<return_self<PatternObject>, "__copy__($self, /)">(),
    method<return_self_memo<PatternObject>, "__deepcopy__($self, memo, /)">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {}};
PyGetSetDef pattern_getset[] = {{"groupindex", pattern_groupindex, nullptr, "Group numbers by name.", nullptr}, {}};
PyMemberDef pattern_members[] = {
    {"pattern", T_OBJECT, offsetof(PatternObject, pattern), READONLY, "The pattern string."},
    {"flags", T_INT, offsetof(PatternObject, flags), READONLY, "The flags."},
    {"groups", T_PYSSIZET, offsetof(PatternObject, groups), READONLY, "The number of groups."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PatternObject, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};
PyType_Slot pattern_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(pattern_dealloc)},
                               {Py_tp_repr, reinterpret_cast<void*>(pattern_repr)},
                               {Py_tp_hash, reinterpret_cast<void*>(pattern_hash)},
                               {Py_tp_doc, const_cast<char*>("A compiled regular expression.")},
                               {Py_tp_richcompare, reinterpret_cast<void*>(pattern_richcompare)},
                               {Py_tp_methods, pattern_methods},
                               {Py_tp_members, pattern_members},
                               {Py_tp_getset, pattern_getset},
                               {Py_tp_traverse, reinterpret_cast<void*>(pattern_traverse)},
                               {Py_tp_clear, reinterpret_cast<void*>(pattern_clear)},
                               {0, nullptr}};
PyType_Spec pattern_spec = {"re.Pattern", sizeof(PatternObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
                            pattern_slots};

// ---- Match ------------------------------------------------------------------------------------------------------

/// The number of a group given by number or name; -1 with IndexError.
Py_ssize_t group_number(MatchObject* self, PyObject* key) {
  if (key == nullptr) return 0;
  Py_ssize_t index = -1;
  if (PyIndex_Check(key)) {
    index = PyNumber_AsSsize_t(key, nullptr);
  } else if (self->pattern->groupindex != nullptr) {
    PyObject* number = PyDict_GetItemWithError(self->pattern->groupindex, key);
    if (number != nullptr && PyLong_Check(number)) index = PyLong_AsSsize_t(number);
  }
  if (index < 0 || index >= self->groups) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_IndexError, "no such group");
    return -1;
  }
  return index;
}

PyObject* group_text(MatchObject* self, Py_ssize_t index, PyObject* missing) {
  if (self->marks[2 * index] < 0) return Py_NewRef(missing);
  return slice_string(self->string, self->marks[2 * index], self->marks[2 * index + 1]);
}
PyObject* group_by_key(MatchObject* self, PyObject* key) {
  const Py_ssize_t index = group_number(self, key);
  return index < 0 ? nullptr : group_text(self, index, Py_None);
}

PyObject* match_group(PyObject* object, PyObject* const* args, Py_ssize_t count) {
  MatchObject* self = reinterpret_cast<MatchObject*>(object);
  if (count == 0) return group_text(self, 0, Py_None);
  if (count == 1) return group_by_key(self, args[0]);
  Ref<> result = Ref<>::steal(PyTuple_New(count));
  if (!result) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* text = group_by_key(self, args[i]);
    if (text == nullptr) return nullptr;
    PyTuple_SET_ITEM(result.get(), i, text);
  }
  return result.release();
}

PyObject* match_subscript(PyObject* self, PyObject* key) { return group_by_key(reinterpret_cast<MatchObject*>(self), key); }

PyObject* match_groups(MatchObject* self, PyObject* missing) {
  if (missing == nullptr) missing = Py_None;
  Ref<> result = Ref<>::steal(PyTuple_New(self->groups - 1));
  if (!result) return nullptr;
  for (Py_ssize_t i = 1; i < self->groups; i++) {
    PyObject* text = group_text(self, i, missing);
    if (text == nullptr) return nullptr;
    PyTuple_SET_ITEM(result.get(), i - 1, text);
  }
  return result.release();
}

PyObject* match_groupdict(MatchObject* self, PyObject* missing) {
  if (missing == nullptr) missing = Py_None;
  Ref<> result = Ref<>::steal(PyDict_New());
  if (!result || self->pattern->groupindex == nullptr) return result.release();
  Py_ssize_t position = 0;
  PyObject* key;
  PyObject* number;
  while (PyDict_Next(self->pattern->groupindex, &position, &key, &number)) {
    Ref<> name = Ref<>::dup(key);
    const Py_ssize_t index = group_number(self, name.get());
    if (index < 0) return nullptr;
    Ref<> text = Ref<>::steal(group_text(self, index, missing));
    if (!text || PyDict_SetItem(result.get(), name.get(), text.get()) < 0) return nullptr;
  }
  return result.release();
}

PyObject* match_start(MatchObject* self, PyObject* group) {
  const Py_ssize_t index = group_number(self, group);
  return index < 0 ? nullptr : PyLong_FromSsize_t(self->marks[2 * index]);
}
PyObject* match_end(MatchObject* self, PyObject* group) {
  const Py_ssize_t index = group_number(self, group);
  return index < 0 ? nullptr : PyLong_FromSsize_t(self->marks[2 * index + 1]);
}
PyObject* match_span(MatchObject* self, PyObject* group) {
  const Py_ssize_t index = group_number(self, group);
  return index < 0 ? nullptr : Py_BuildValue("(nn)", self->marks[2 * index], self->marks[2 * index + 1]);
}

PyObject* match_expand(MatchObject* self, Borrowed<> text) {
  Ref<> re = Ref<>::steal(PyImport_ImportModule("re"));
  if (!re) return nullptr;
  return PyObject_CallMethod(re.get(), "_expand", "OOO", self->pattern, self, text.get());
}

PyObject* match_regs(PyObject* object, void*) {
  MatchObject* self = reinterpret_cast<MatchObject*>(object);
  if (self->regs == nullptr) {
    Ref<> regs = Ref<>::steal(PyTuple_New(self->groups));
    if (!regs) return nullptr;
    for (Py_ssize_t i = 0; i < self->groups; i++) {
      PyObject* span = Py_BuildValue("(nn)", self->marks[2 * i], self->marks[2 * i + 1]);
      if (span == nullptr) return nullptr;
      PyTuple_SET_ITEM(regs.get(), i, span);
    }
    self->regs = regs.release();
  }
  return Py_NewRef(self->regs);
}
PyObject* match_lastindex(PyObject* object, void*) {
  MatchObject* self = reinterpret_cast<MatchObject*>(object);
  if (self->lastindex >= 0) return PyLong_FromSsize_t(self->lastindex);
  Py_RETURN_NONE;
}
PyObject* match_lastgroup(PyObject* object, void*) {
  MatchObject* self = reinterpret_cast<MatchObject*>(object);
  PyObject* names = self->pattern->indexgroup;
  if (names != nullptr && self->lastindex >= 0 && self->lastindex < PyTuple_GET_SIZE(names)) {
    return Py_NewRef(PyTuple_GET_ITEM(names, self->lastindex));
  }
  Py_RETURN_NONE;
}

PyObject* match_repr(PyObject* object) {
  MatchObject* self = reinterpret_cast<MatchObject*>(object);
  Ref<> text = Ref<>::steal(group_text(self, 0, Py_None));
  if (!text) return nullptr;
  return PyUnicode_FromFormat("<%s object; span=(%zd, %zd), match=%.50R>", Py_TYPE(object)->tp_name, self->marks[0],
                              self->marks[1], text.get());
}

int match_traverse(PyObject* object, visitproc visit, void* arg) {
  MatchObject* self = reinterpret_cast<MatchObject*>(object);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(self->string);
  Py_VISIT(self->regs);
  Py_VISIT(self->pattern);
  return 0;
}
int match_clear(PyObject* object) {
  MatchObject* self = reinterpret_cast<MatchObject*>(object);
  Py_CLEAR(self->string);
  Py_CLEAR(self->regs);
  Py_CLEAR(self->pattern);
  return 0;
}
void match_dealloc(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  match_clear(object);
  PyObject_GC_Del(object);
  Py_DECREF(type);
}

PyMethodDef match_methods[] = {
    {"group", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(match_group)), METH_FASTCALL,
     "group([group1, ...]) -> str or tuple.\n\nText of groups, by number or name; 0 is the whole match."},
    method<match_start, "start($self, group=0, /)", "Where the group's text begins.">(),
    method<match_end, "end($self, group=0, /)", "Where the group's text ends.">(),
    method<match_span, "span($self, group=0, /)", "(start, end) of the group's text.">(),
    method<match_groups, "groups($self, /, default=None)", "The texts of all groups as a tuple.">(),
    method<match_groupdict, "groupdict($self, /, default=None)", "The texts of named groups as a dict.">(),
    method<match_expand, "expand($self, /, template)", "The template with its group references replaced.">(),
    method<return_self<MatchObject>, "__copy__($self, /)">(),
    method<return_self_memo<MatchObject>, "__deepcopy__($self, memo, /)">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {}};
PyGetSetDef match_getset[] = {
    {"lastindex", match_lastindex, nullptr, "Number of the last matched group.", nullptr},
    {"lastgroup", match_lastgroup, nullptr, "Name of the last matched group.", nullptr},
    {"regs", match_regs, nullptr, nullptr, nullptr},
    {}};
PyMemberDef match_members[] = {
    {"string", T_OBJECT, offsetof(MatchObject, string), READONLY, "The string given to match() or search()."},
    {"re", T_OBJECT, offsetof(MatchObject, pattern), READONLY, "The regular expression."},
    {"pos", T_PYSSIZET, offsetof(MatchObject, pos), READONLY, "Where the search began."},
    {"endpos", T_PYSSIZET, offsetof(MatchObject, endpos), READONLY, "Where the search ended."},
    {nullptr, 0, 0, 0, nullptr}};
PyType_Slot match_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(match_dealloc)},
                             {Py_tp_repr, reinterpret_cast<void*>(match_repr)},
                             {Py_tp_doc, const_cast<char*>("The result of matching a regular expression.")},
                             {Py_tp_methods, match_methods},
                             {Py_tp_members, match_members},
                             {Py_tp_getset, match_getset},
                             {Py_tp_traverse, reinterpret_cast<void*>(match_traverse)},
                             {Py_tp_clear, reinterpret_cast<void*>(match_clear)},
                             {Py_mp_subscript, reinterpret_cast<void*>(match_subscript)},
                             {0, nullptr}};
PyType_Spec match_spec = {"re.Match", sizeof(MatchObject), sizeof(Py_ssize_t),
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
                          match_slots};

// ---- module -----------------------------------------------------------------------------------------------------

/// Copies the code list; null with an exception.
Code* read_code(PyObject* list, size_t& size) {
  size = static_cast<size_t>(PyList_GET_SIZE(list));
  Code* code = PyMem_New(Code, size > 0 ? size : 1);
  if (code == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  for (size_t i = 0; i < size; i++) {
    const unsigned long value = PyLong_AsUnsignedLong(PyList_GET_ITEM(list, static_cast<Py_ssize_t>(i)));
    if (value == static_cast<unsigned long>(-1) && PyErr_Occurred()) {
      if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_SetString(PyExc_OverflowError, "regular expression code size limit exceeded");
      }
      PyMem_Free(code);
      return nullptr;
    }
    if (value > 0xffffffffUL) {
      PyErr_SetString(PyExc_OverflowError, "regular expression code size limit exceeded");
      PyMem_Free(code);
      return nullptr;
    }
    code[i] = static_cast<Code>(value);
    // The list could have been changed by an item's __index__; ints have none that runs code.
    if (PyList_GET_SIZE(list) != static_cast<Py_ssize_t>(size)) size = i + 1;
  }
  return code;
}

PyObject* sre_compile(PyObject* module, Borrowed<> pattern, int flags, Borrowed<PyListObject> code,
                      Py_ssize_t groups, Borrowed<PyDictObject> groupindex, Borrowed<PyTupleObject> indexgroup) {
  PatternObject* self = PyObject_GC_New(PatternObject, state_of(module)->pattern_type);
  if (self == nullptr) return nullptr;
  self->weakrefs = nullptr;
  self->program = nullptr;
  self->code = nullptr;
  self->code_size = 0;
  self->groups = groups;
  self->flags = flags;
  self->pattern = Py_NewRef(pattern.get());
  self->groupindex = Py_NewRef(groupindex.object());
  self->indexgroup = Py_NewRef(indexgroup.object());
  self->any_type = pattern.get() == Py_None;
  self->is_bytes = false;
  PyObject_GC_Track(self);
  Ref<PatternObject> owner = Ref<PatternObject>::steal(self);
  if (!self->any_type && !PyUnicode_Check(pattern.get())) {
    if (!PyObject_CheckBuffer(pattern)) {
      return raise(PyExc_TypeError, "expected string or bytes-like object, got '%.200s'", Py_TYPE(pattern.get())->tp_name);
    }
    self->is_bytes = true;
  }
  self->code = read_code(code.object(), self->code_size);
  if (self->code == nullptr) return nullptr;
  void* memory = PyMem_Malloc(sizeof(Program));
  if (memory == nullptr) return PyErr_NoMemory();
  self->program = new (memory) Program();
  if (groups < 0 || groups > 0x3fffffff || !translate(self->code, self->code_size, groups, *self->program)) {
    return raise(PyExc_RuntimeError, "invalid SRE code");
  }
  return owner.object() == nullptr ? nullptr : as_object(owner.release());
}

PyObject* sre_getcodesize(PyObject*) { return PyLong_FromLong(sizeof(Code)); }
PyObject* sre_ascii_iscased(PyObject*, int c) { return PyBool_FromLong(c >= 0 && c < 128 && Py_ISALPHA(c)); }
PyObject* sre_unicode_iscased(PyObject*, int c) {
  const Py_UCS4 ch = static_cast<Py_UCS4>(c);
  return PyBool_FromLong(Py_UNICODE_TOLOWER(ch) != ch || Py_UNICODE_TOUPPER(ch) != ch);
}
PyObject* sre_ascii_tolower(PyObject*, int c) {
  return PyLong_FromLong(static_cast<long>(fold_character(Fold::kAscii, static_cast<Py_UCS4>(c))));
}
PyObject* sre_unicode_tolower(PyObject*, int c) {
  return PyLong_FromLong(static_cast<long>(Py_UNICODE_TOLOWER(static_cast<Py_UCS4>(c))));
}

PyMethodDef module_functions[] = {
    method<sre_compile, "compile($module, /, pattern, flags, code, groups, groupindex, indexgroup)">(),
    method<sre_getcodesize, "getcodesize($module, /)">(),
    method<sre_ascii_iscased, "ascii_iscased($module, character, /)">(),
    method<sre_unicode_iscased, "unicode_iscased($module, character, /)">(),
    method<sre_ascii_tolower, "ascii_tolower($module, character, /)">(),
    method<sre_unicode_tolower, "unicode_tolower($module, character, /)">(),
    {}};

int module_exec(PyObject* module) {
  ModuleState* state = state_of(module);
  auto make = [&](PyType_Spec& spec) { return reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &spec, nullptr)); };
  state->pattern_type = make(pattern_spec);
  state->match_type = make(match_spec);
  state->scanner_type = make(scanner_spec);
  if (state->pattern_type == nullptr || state->match_type == nullptr || state->scanner_type == nullptr) return -1;
  if (PyModule_AddIntConstant(module, "MAGIC", 20220615) < 0 || PyModule_AddIntConstant(module, "CODESIZE", sizeof(Code)) < 0) {
    return -1;
  }
  Ref<> max_repeat = Ref<>::steal(PyLong_FromUnsignedLong(kMaxRepeat));
  if (!max_repeat || PyModule_AddObjectRef(module, "MAXREPEAT", max_repeat.get()) < 0) return -1;
  if (PyModule_AddIntConstant(module, "MAXGROUPS", 0x3fffffff) < 0) return -1;
  return PyModule_AddStringConstant(module, "copyright", "pyston regular expression engine");
}
int module_traverse(PyObject* module, visitproc visit, void* arg) {
  ModuleState* state = state_of(module);
  if (state == nullptr) return 0;
  Py_VISIT(state->pattern_type);
  Py_VISIT(state->match_type);
  Py_VISIT(state->scanner_type);
  Py_VISIT(state->parse_replacement);
  return 0;
}
int module_clear(PyObject* module) {
  ModuleState* state = state_of(module);
  if (state == nullptr) return 0;
  Py_CLEAR(state->pattern_type);
  Py_CLEAR(state->match_type);
  Py_CLEAR(state->scanner_type);
  Py_CLEAR(state->parse_replacement);
  return 0;
}
void module_free(void* module) { module_clear(static_cast<PyObject*>(module)); }

PyModuleDef_Slot module_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(module_exec)}, {0, nullptr}};
PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_sre", nullptr, sizeof(ModuleState), module_functions, module_slots,
    module_traverse, module_clear, module_free,
};

}  // namespace
}  // namespace pyston::sre

PyMODINIT_FUNC PyInit__sre(void) { return PyModuleDef_Init(&pyston::sre::definition); }
