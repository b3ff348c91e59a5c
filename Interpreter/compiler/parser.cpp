// The parser's driver: tokens, start rules, the two passes, and the entry points of parser.h.
#include "Interpreter/compiler/parser.h"

#include <algorithm>
#include <cstring>

#include <errcode.h>

#include "Interpreter/compiler/parser_state.h"
#include "Objects/text/text.h"

namespace pyston {

using namespace ast;

// --- Names -----------------------------------------------------------------------------------------------------

bool NameTable::grow() {
  const size_t capacity = capacity_ == 0 ? 64 : capacity_ * 2;
  Entry* entries = static_cast<Entry*>(PyMem_RawCalloc(capacity, sizeof(Entry)));
  if (entries == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  for (size_t i = 0; i < capacity_; i++) {
    if (entries_[i].name == nullptr) continue;
    size_t slot = entries_[i].hash & (capacity - 1);
    while (entries[slot].name != nullptr) slot = (slot + 1) & (capacity - 1);
    entries[slot] = entries_[i];
  }
  PyMem_RawFree(entries_);
  entries_ = entries;
  capacity_ = capacity;
  return true;
}

/// Interned, in normal form NFKC, in which identifiers are compared. New reference.
static PyObject* decode_identifier(const char* characters, Py_ssize_t length) {
  if (PyErr_Occurred() != nullptr) return nullptr;  // the token behind the name is broken: no import in that state
  auto name = Ref<>::steal(PyUnicode_DecodeUTF8(characters, length, nullptr));
  auto module = Ref<>::steal(name ? PyImport_ImportModule("unicodedata") : nullptr);
  if (!module) return nullptr;
  PyObject* normalised = PyObject_CallMethod(module.get(), "normalize", "sO", "NFKC", name.get());
  if (normalised == nullptr) return nullptr;
  if (!PyUnicode_Check(normalised)) {
    PyErr_Format(PyExc_TypeError, "unicodedata.normalize() must return a string, not %.200s",
                 Py_TYPE(normalised)->tp_name);
    Py_DECREF(normalised);
    return nullptr;
  }
  PyUnicode_InternInPlace(&normalised);
  return normalised;
}

PyObject* NameTable::find(Arena& arena, const char* characters, size_t length) {
  if (UNLIKELY(used_ * 2 >= capacity_) && !grow()) return nullptr;
  uint32_t hash = 2166136261u;
  bool ascii = true;
  for (size_t i = 0; i < length; i++) {
    hash = (hash ^ static_cast<unsigned char>(characters[i])) * 16777619u;
    ascii &= static_cast<unsigned char>(characters[i]) < 128;
  }
  hash ^= hash >> 15;
  size_t slot = hash & (capacity_ - 1);
  while (entries_[slot].name != nullptr) {
    const Entry& entry = entries_[slot];
    if (entry.hash == hash && entry.length == length && std::memcmp(entry.text, characters, length) == 0) {
      return entry.name;
    }
    slot = (slot + 1) & (capacity_ - 1);
  }
  PyObject* name = ascii ? text::intern_ascii(characters, static_cast<Py_ssize_t>(length))
                         : decode_identifier(characters, static_cast<Py_ssize_t>(length));
  if (name == nullptr) return nullptr;
  char* copy = static_cast<char*>(arena.allocate(length));
  if (copy == nullptr) {
    Py_DECREF(name);
    return nullptr;
  }
  std::memcpy(copy, characters, length);
  arena.keep(name);
  entries_[slot] = {copy, static_cast<uint32_t>(length), hash, name};
  used_++;
  return name;
}

// --- Tokens ----------------------------------------------------------------------------------------------------

Parser::Parser(Arena& arena, NameTable& names, PyObject* filename, StartRule rule, int flags, int feature_version)
    : arena_(arena), names_(names), filename_(filename), rule_(rule), flags_(flags), feature_version_(feature_version) {
  lexer.filename = filename;
  lexer.type_comments = (flags & PyCF_TYPE_COMMENTS) != 0;
  lexer.async_hacks = feature_version < 7;
}

void Parser::fill() {
  if (UNLIKELY(fill_ == capacity_)) {
    const int capacity = capacity_ == 0 ? 32 : capacity_ * 2;
    Token* tokens = static_cast<Token*>(PyMem_RawRealloc(tokens_, sizeof(Token) * static_cast<size_t>(capacity)));
    if (tokens == nullptr) {
      // The array has no room for the error token: the last one becomes it.
      PyErr_NoMemory();
      hard_error_ = true;
      mark_ = fill_ - 1;
      tokens_[mark_].type = Tok::kError;
      return;
    }
    tokens_ = tokens;
    capacity_ = capacity;
  }
  Token& token = tokens_[fill_];
  Tok type = lexer.next(token);
  while (UNLIKELY(type == Tok::kTypeIgnore)) {
    type_ignores_.push_back({token.lineno, token.start, token.end});
    type = lexer.next(token);
  }
  if (UNLIKELY(rule_ == StartRule::kInteractive)) {
    if (type == Tok::kEndMarker && parsing_started_) {
      token.type = Tok::kNewline;
      parsing_started_ = false;
      if (lexer.indent != 0 && !(flags_ & PyCF_DONT_IMPLY_DEDENT)) {
        lexer.pending_indent = -lexer.indent;
        lexer.indent = 0;
      }
    } else {
      parsing_started_ = true;
    }
  }
  if (UNLIKELY(starting_column_ != 0 || is_field_)) {
    // Text of a replacement field: its first line begins in the middle of a line of the outer source.
    if (lexer.lineno == starting_lineno_) {
      if (token.col_offset >= 0) token.col_offset += starting_column_;
      if (token.end_col_offset >= 0) token.end_col_offset += starting_column_;
    }
  }
  fill_++;
  if (UNLIKELY(type == Tok::kError)) lexer_error();
}

bool Parser::at_name(const char* text) {
  const Token& token = peek();
  const size_t length = std::strlen(text);
  return token.type == Tok::kName && token.end - token.start == length &&
         std::memcmp(lexer.start_of(token), text, length) == 0;
}

PyObject* Parser::name_of(const Token& token) {
  PyObject* name = names_.find(arena_, lexer.start_of(token), token.end - token.start);
  if (UNLIKELY(name == nullptr)) hard_error_ = true;
  return name;
}

PyObject* Parser::identifier() {
  if (!at(Tok::kName)) return nullptr;
  PyObject* name = name_of(tokens_[mark_]);
  mark_++;
  return name;
}

Expr* Parser::name_expression(ExprContext context) {
  if (!at(Tok::kName)) return nullptr;
  const int start = mark_;
  PyObject* name = name_of(tokens_[mark_++]);
  if (name == nullptr) return nullptr;
  auto* node = make<node::Name>(start);
  if (node == nullptr) return nullptr;
  node->id = name;
  node->ctx = context;
  return node;
}

PyObject* Parser::type_comment_text(const Token& token) {
  return keep(PyUnicode_DecodeUTF8(lexer.start_of(token), lexer.length_of(token), nullptr));
}

bool Parser::optional_type_comment(PyObject*& out) {
  out = nullptr;
  if (!lexer.type_comments || !at(Tok::kTypeComment)) return true;
  out = type_comment_text(tokens_[mark_++]);
  return out != nullptr;
}

void Parser::raise_too_deep() {
  if (!hard_error_) PyErr_NoMemory();
  hard_error_ = true;
}

bool Parser::expect(Tok type) { return accept(type); }

// --- Start rules -----------------------------------------------------------------------------------------------

Mod* Parser::file() {
  Seq<Stmt*> body;
  if (!statements(Tok::kEndMarker, body)) return nullptr;
  auto* module = make_product<node::Module>();
  if (module == nullptr) return nullptr;
  module->kind = node::Module::kKind;
  module->body = body;
  const int count = static_cast<int>(type_ignores_.size());
  module->type_ignores = arena_.sequence<TypeIgnore*>(count);
  if (module->type_ignores.count != count) return out_of_memory<Mod>();
  for (int i = 0; i < count; i++) {
    const IgnoreComment& comment = type_ignores_[static_cast<size_t>(i)];
    auto* ignore = make_product<node::TypeIgnoreComment>();
    if (ignore == nullptr) return nullptr;
    ignore->kind = node::TypeIgnoreComment::kKind;
    ignore->lineno = comment.lineno;
    ignore->tag = keep(PyUnicode_DecodeUTF8(lexer.text(comment.start), comment.end - comment.start, nullptr));
    if (ignore->tag == nullptr) return nullptr;
    module->type_ignores[i] = ignore;
  }
  return module;
}

Mod* Parser::interactive() {
  Seq<Stmt*> body;
  const size_t base = scratch_.size();
  if (at(Tok::kEndMarker)) {
    if (error_code != nullptr) *error_code = E_EOF;
    return nullptr;
  }
  bool matched = true;
  if (at(Tok::kNewline)) {
    const int start = mark_++;
    auto* nothing = make<node::Pass>(start);
    if (nothing == nullptr) return nullptr;
    scratch_.push_back(nothing);
  } else {
    Stmt* compound = compound_statement(matched);
    if (matched) {
      if (compound == nullptr || !expect(Tok::kNewline)) return nullptr;
      scratch_.push_back(compound);
    } else if (hard_error_ || !simple_statements()) {
      return nullptr;
    }
  }
  if (!take(base, body)) return nullptr;
  auto* module = make_product<node::Interactive>();
  if (module == nullptr) return nullptr;
  module->kind = node::Interactive::kKind;
  module->body = body;
  return module;
}

Mod* Parser::expression_input() {
  const int start = mark_;
  // "expressions": unlike star_expressions, no starred element.
  Expr* body = expression();
  if (body == nullptr) return nullptr;
  if (at(Tok::kComma)) {
    const size_t base = scratch_.size();
    scratch_.push_back(body);
    while (accept(Tok::kComma)) {
      if (!token_can_start_expression(kind())) break;
      Expr* next = expression();
      if (next == nullptr) return nullptr;
      scratch_.push_back(next);
    }
    auto* tuple = make<node::Tuple>(start);
    if (tuple == nullptr || !take(base, tuple->elts)) return nullptr;
    tuple->ctx = ExprContext::kLoad;
    body = tuple;
  }
  while (accept(Tok::kNewline)) {
  }
  if (!expect(Tok::kEndMarker)) return nullptr;
  auto* module = make_product<node::Expression>();
  if (module == nullptr) return nullptr;
  module->kind = node::Expression::kKind;
  module->body = body;
  return module;
}

Mod* Parser::function_type() {
  if (!expect(Tok::kLeftParen)) return nullptr;
  const size_t base = scratch_.size();
  bool seen_star = false, seen_double_star = false;
  while (!at(Tok::kRightParen)) {
    if (accept(Tok::kDoubleStar)) {
      seen_double_star = true;
    } else if (accept(Tok::kStar)) {
      if (seen_star) return nullptr;
      seen_star = true;
    } else if (seen_star) {
      return nullptr;
    }
    Expr* type = expression();
    if (type == nullptr) return nullptr;
    scratch_.push_back(type);
    if (seen_double_star || !accept(Tok::kComma)) break;
    if (at(Tok::kRightParen)) return nullptr;
  }
  Seq<Expr*> types;
  if (!expect(Tok::kRightParen) || !take(base, types) || !expect(Tok::kArrow)) return nullptr;
  Expr* returns = expression();
  if (returns == nullptr) return nullptr;
  while (accept(Tok::kNewline)) {
  }
  if (!expect(Tok::kEndMarker)) return nullptr;
  auto* module = make_product<node::FunctionType>();
  if (module == nullptr) return nullptr;
  module->kind = node::FunctionType::kKind;
  module->argtypes = types;
  module->returns = returns;
  return module;
}

void* Parser::parse() {
  if (is_field_) return star_expressions();
  switch (rule_) {
    case StartRule::kFile: return file();
    case StartRule::kInteractive: return interactive();
    case StartRule::kExpression: return expression_input();
    case StartRule::kFunctionType: return function_type();
  }
  PyErr_SetString(PyExc_SystemError, "unknown start rule");
  hard_error_ = true;
  return nullptr;
}

bool Parser::has_multiple_statements() {
  const char* p = lexer.cur;
  for (;;) {
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\f') p++;
    if (*p == '\0') return false;
    if (*p != '#') return true;
    while (*p != '\0' && *p != '\n') p++;
  }
}

void* Parser::run_rule() {
  void* tree = parse();
  if (UNLIKELY(hard_error_)) tree = nullptr;
  if (LIKELY(tree != nullptr)) {
    if (rule_ == StartRule::kInteractive && !lexer.interactive && has_multiple_statements()) {
      return syntax_error("multiple statements found while compiling a single statement");
    }
    return tree;
  }
  if (error_code != nullptr && *error_code == E_EOF && !hard_error_) return nullptr;
  if (!hard_error_) {
    backtracking_ = true;
    warned_before_ = std::max(warned_before_, static_cast<uint32_t>(lexer.cur - lexer.buffer));
    parse_again();
  }
  lexer.stop_interactive = true;  // nobody is asked for more lines to explain an error
  if ((flags_ & PyCF_ALLOW_INCOMPLETE_INPUT) && at_end_of_source()) {
    PyErr_Clear();
    return syntax_error("incomplete input");
  }
  if (hard_error_) {
    if (PyErr_Occurred() && lexer.done == Lexer::Done::kOk && PyErr_ExceptionMatches(PyExc_SyntaxError)) {
      check_rest_of_source();
    }
    return nullptr;
  }
  const int last_token = fill_ - 1;
  diagnosing_ = true;
  warned_before_ = 0;  // QUIRK: literals are warned about once more
  parse_again();
  set_generic_error(last_token);
  return nullptr;
}

void Parser::parse_again() {
  mark_ = 0;
  depth_ = 0;
  memo_.clear();
  memo_used_ = 0;
  scratch_.clear();
  keyword_scratch_.clear();
  for (auto& list : parameter_scratch_) list.clear();
  parse();
}

/// Whether the end of the source has been seen. Names, numbers and operators end where something else begins, so the
/// character behind them has been.
bool Parser::at_end_of_source() {
  if (lexer.done == Lexer::Done::kEof || lexer.done == Lexer::Done::kUnterminatedTriple ||
      lexer.done == Lexer::Done::kUnterminatedSingle) {
    return true;
  }
  if (lexer.done != Lexer::Done::kOk || lexer.interactive || lexer.cur != lexer.end || fill_ == 0) return false;
  const Tok last = tokens_[fill_ - 1].type;
  return last != Tok::kString && last != Tok::kNewline && last != Tok::kIndent && last != Tok::kDedent;
}

// --- Entry points ----------------------------------------------------------------------------------------------

namespace {

int feature_version_of(PyCompilerFlags* flags) {
  return flags != nullptr && (flags->cf_flags & PyCF_ONLY_AST) ? flags->cf_feature_version : PY_MINOR_VERSION;
}

/// A SyntaxError about the encoding has no place yet: it gets the file's name, line 0.
COLD void add_location_to_source_error(PyObject* filename) {
  if (!PyErr_ExceptionMatches(PyExc_SyntaxError)) return;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  auto message = Ref<>::steal(value != nullptr ? PyObject_Str(value) : nullptr);
  if (message) {
    auto located = Ref<>::steal(Py_BuildValue("(O(OiiO))", message.get(), filename, 0, -1, Py_None));
    if (located) PyErr_SetObject(PyExc_SyntaxError, located.get());
  }
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
}

}  // namespace

Mod* parse_string(Arena& arena, const char* source, PyObject* filename, StartRule rule, PyCompilerFlags* flags) {
  if (PySys_Audit("compile", "yO", source, filename) < 0) return nullptr;
  const bool is_utf8 = flags != nullptr && (flags->cf_flags & PyCF_IGNORE_COOKIE);
  size_t prepared_size;
  char* found_encoding;
  char* prepared = prepare_source(source, std::strlen(source), is_utf8, rule == StartRule::kFile, nullptr, filename,
                                  &prepared_size, &found_encoding);
  if (prepared == nullptr) {
    add_location_to_source_error(filename);  // a file's own decoding errors have no place
    return nullptr;
  }
  NameTable names;
  Parser parser(arena, names, filename, rule, flags != nullptr ? flags->cf_flags : 0, feature_version_of(flags));
  parser.lexer.start(prepared, prepared_size, filename);
  parser.lexer.encoding = is_utf8 ? "utf-8" : found_encoding;
  Mod* tree = parser.run();
  PyMem_RawFree(found_encoding);
  return tree;
}

Mod* parse_file(Arena& arena, FILE* file, PyObject* filename, const char* encoding, StartRule rule, const char* ps1,
                const char* ps2, PyCompilerFlags* flags, int* error_code) {
  if (PySys_Audit("compile", "OO", Py_None, filename) < 0) return nullptr;
  NameTable names;
  Parser parser(arena, names, filename, rule, flags != nullptr ? flags->cf_flags : 0, feature_version_of(flags));
  parser.error_code = error_code;
  if (ps1 != nullptr) {
    if (!parser.lexer.start_interactive(file, ps1, ps2, encoding, filename)) return nullptr;
    return parser.run();
  }
  FileSource source;
  if (!read_source_file(file, encoding, filename, source)) return nullptr;
  char* text = static_cast<char*>(PyMem_RawMalloc(source.text.size() + 1));
  if (text == nullptr) return PyErr_NoMemory(), nullptr;
  std::memcpy(text, source.text.c_str(), source.text.size() + 1);
  parser.lexer.start(text, source.text.size(), filename);
  parser.lexer.encoding = source.encoding;
  parser.lexer.file_source = &source;
  return parser.run();
}

}  // namespace pyston
