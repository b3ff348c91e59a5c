// The parser's class: one per source text, and one per f-string replacement field.
//
// Recursive descent with one token of look-ahead. A parsing function returns null either with an exception set (a hard
// error: everything unwinds) or without one (no match: the few callers that have an alternative go back to a
// checkpoint). When the whole parse does not match, it runs again with `backtracking_` on, which follows the language's
// grammar alternative by alternative, and then with `diagnosing_` on: then functions also look for well-known mistakes,
// in the order of the grammar, and the first one found is what is reported.
#pragma once

#include <vector>

#include "Interpreter/compiler/ast.h"
#include "Interpreter/compiler/lexer.h"
#include "Interpreter/compiler/parser.h"

namespace pyston {

/// Interned identifiers by spelling: each name of a source is decoded and interned once.
class NameTable {
 public:
  NameTable() = default;
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;
  ~NameTable() { PyMem_RawFree(entries_); }
  /// Borrowed from the arena; null with an exception set.
  PyObject* find(ast::Arena& arena, const char* characters, size_t length);

 private:
  struct Entry {
    const char* text;
    uint32_t length;
    uint32_t hash;
    PyObject* name;
  };
  bool grow();
  Entry* entries_ = nullptr;
  size_t capacity_ = 0;
  size_t used_ = 0;
};

/// What error messages call an expression.
const char* describe(ast::Expr* expression);

inline ast::Position position_of(const Token& token) {
  return {token.lineno, token.col_offset, token.end_lineno, token.end_col_offset};
}

/// One piece of an f-string under construction.
struct FStringPieces;

class Parser {
 public:
  Parser(ast::Arena& arena, NameTable& names, PyObject* filename, StartRule rule, int flags, int feature_version);
  ~Parser() { PyMem_RawFree(tokens_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  ast::Mod* run() { return static_cast<ast::Mod*>(run_rule()); }

  Lexer lexer;
  int* error_code = nullptr;

 private:
  friend class StringDecoder;
  friend class ParameterDiagnosis;
  using Expr = ast::Expr;
  using Stmt = ast::Stmt;
  using Pattern = ast::Pattern;
  template <class T>
  using Seq = ast::Seq<T>;

  struct Checkpoint {
    int mark;
    int depth;
    size_t scratch;
  };
  enum class TargetKind { kStar, kDelete, kFor };

  // --- tokens
  const Token& peek() {
    if (UNLIKELY(mark_ == fill_)) fill();
    return tokens_[mark_];
  }
  Tok kind() { return peek().type; }
  Tok kind_after() {  // of the token after the next one
    peek();
    if (mark_ + 1 == fill_) {
      if (tokens_[mark_].type == Tok::kError) return Tok::kError;
      mark_++;
      fill();
      mark_--;
    }
    return tokens_[mark_ + 1].type;
  }
  bool at(Tok type) { return kind() == type; }
  bool accept(Tok type) {
    if (kind() != type) return false;
    mark_++;
    return true;
  }
  void advance() { mark_++; }
  void fill();
  bool at_name(const char* text);
  Checkpoint checkpoint() const { return {mark_, depth_, scratch_.size()}; }
  void back_to(const Checkpoint& point) {
    mark_ = point.mark;
    depth_ = point.depth;
    scratch_.resize(point.scratch);
  }
  bool failed_hard() const { return hard_error_; }

  // --- nodes
  template <class T>
  T* make(int start_mark) {  // position: from that token to the last one consumed
    T* node = arena_.make<T>();
    if (UNLIKELY(node == nullptr)) return out_of_memory<T>();
    static_cast<ast::Node*>(node)->kind = T::kKind;  // Constant has a field of that name
    set_position(node->position, start_mark);
    return node;
  }
  template <class T>
  T* make_at(const ast::Position& start) {  // begins where another node did
    T* node = arena_.make<T>();
    if (UNLIKELY(node == nullptr)) return out_of_memory<T>();
    static_cast<ast::Node*>(node)->kind = T::kKind;  // Constant has a field of that name
    const Token& last = tokens_[mark_ - 1];
    node->position = {start.lineno, start.col_offset, last.end_lineno, last.end_col_offset};
    return node;
  }
  template <class T>
  T* make_product() {
    T* node = arena_.make<T>();
    if (UNLIKELY(node == nullptr)) return out_of_memory<T>();
    return node;
  }
  template <class T>
  T* out_of_memory() {
    hard_error_ = true;
    return nullptr;
  }
  void set_position(ast::Position& position, int start_mark) {
    const Token& first = tokens_[start_mark];
    const Token& last = tokens_[last_significant()];
    position = {first.lineno, first.col_offset, last.end_lineno, last.end_col_offset};
  }
  int last_significant() const {
    int i = mark_ - 1;
    while (i > 0 && (tokens_[i].type == Tok::kEndMarker ||
                     (tokens_[i].type >= Tok::kNewline && tokens_[i].type <= Tok::kDedent))) {
      i--;
    }
    return i;
  }
  template <class T>
  bool take(size_t base, Seq<T>& out) {  // scratch_[base..] becomes an arena array
    const int count = static_cast<int>(scratch_.size() - base);
    out = arena_.sequence<T>(count);
    if (UNLIKELY(out.count != count)) {
      hard_error_ = true;
      return false;
    }
    for (int i = 0; i < count; i++) out.items[i] = static_cast<T>(scratch_[base + i]);
    scratch_.resize(base);
    return true;
  }
  template <class T>
  Seq<T> single(T item) {
    Seq<T> sequence = arena_.sequence<T>(1);
    if (sequence.count == 1) sequence.items[0] = item;
    else hard_error_ = true;
    return sequence;
  }
  PyObject* keep(PyObject* object) {
    if (UNLIKELY(object == nullptr)) hard_error_ = true;
    return arena_.keep(object);
  }
  PyObject* name_of(const Token& token);
  PyObject* identifier();  // consumes a NAME
  Expr* name_expression(ast::ExprContext context);
  PyObject* type_comment_text(const Token& token);
  bool optional_type_comment(PyObject*& out);

  // --- depth: CPython gives up with MemoryError beyond 6000 nested rules
  static constexpr int kMaxDepth = 6000;
  struct Depth {
    Parser& parser;
    int cost;
    Depth(Parser& p, int c) : parser(p), cost(c) { parser.depth_ += c; }
    ~Depth() { parser.depth_ -= cost; }
    bool exceeded() const {
      if (LIKELY(parser.depth_ < kMaxDepth)) return false;
      parser.raise_too_deep();
      return true;
    }
  };
  COLD void raise_too_deep();

  // --- start rules
  void* run_rule();  // all passes; an Expr* for a replacement field, else a Mod*
  void* parse();
  COLD void parse_again();
  bool at_end_of_source();
  ast::Mod* file();
  ast::Mod* interactive();
  ast::Mod* expression_input();
  ast::Mod* function_type();

  // --- statements (parser_statements.cpp)
  bool statements(Tok terminator, Seq<Stmt*>& out);
  bool statement();                            // pushes on scratch_
  bool simple_statements();                    // pushes on scratch_
  Stmt* simple_statement();
  Stmt* compound_statement(bool& matched);     // matched=false: not the start of one
  Stmt* expression_statement();
  Stmt* assignment(int start, Expr* first);
  Stmt* annotated_assignment(int start, Expr* target);
  Stmt* annotated_node(int start, Expr* target, Expr* annotation, Expr* value, bool simple);
  Stmt* return_statement();
  Stmt* raise_statement();
  Stmt* delete_statement();
  Stmt* assert_statement();
  Stmt* global_statement();
  Stmt* import_name();
  Stmt* import_from();
  Stmt* if_statement();
  Stmt* while_statement();
  Stmt* for_statement(int start, bool is_async);
  Stmt* with_statement(int start, bool is_async);
  Stmt* try_statement();
  Stmt* function_definition(int start, bool is_async, Seq<Expr*> decorators);
  Stmt* class_definition(Seq<Expr*> decorators);
  Stmt* decorated();
  Stmt* async_statement();
  Stmt* match_statement();
  ast::MatchCase* case_block();
  bool block(Seq<Stmt*>& out);
  bool else_block(Seq<Stmt*>& out);
  ast::ExceptHandler* except_clause(bool is_star);
  ast::WithItem* with_item();
  bool with_items(Seq<ast::WithItem*>& out, bool parenthesised);
  ast::Alias* dotted_alias();
  PyObject* dotted_name();
  ast::Arguments* parameters(bool is_lambda);
  ast::Arg* parameter(bool is_lambda, bool star_annotation);
  bool expect(Tok type);                       // no match: null without exception
  bool expect_forced(Tok type, const char* spelled);  // "expected ':'" right here, even in the first pass

  // --- patterns (parser_patterns.cpp)
  Pattern* patterns();
  Pattern* open_sequence_or_pattern();
  Pattern* pattern();
  Pattern* or_pattern();
  Pattern* closed_pattern();
  Pattern* star_pattern();
  Pattern* maybe_star_pattern();
  Pattern* group_or_sequence_pattern();
  Pattern* sequence_pattern_tail(int start, Tok closer);
  Pattern* mapping_pattern();
  Pattern* class_pattern(int start, Expr* name);
  Pattern* name_or_class_pattern();
  Expr* literal_expression();
  Expr* signed_number();
  Pattern* literal_pattern();

  // --- expressions (parser_expressions.cpp)
  Expr* star_expressions();
  Expr* star_expression();
  Expr* star_named_expression();
  Expr* named_expression();
  Expr* expression();
  Expr* plain_expression();                    // expression() without looking for mistakes
  Expr* disjunction();
  Expr* disjunction_tail(int start, Expr* first);
  Expr* conjunction();
  Expr* inversion();
  Expr* plain_inversion();
  Expr* comparison();
  Expr* binary(int minimum_precedence);
  Expr* bitwise_or() { return binary(1); }
  Expr* factor();
  Expr* plain_factor();
  Expr* power();
  Expr* await_primary();
  Expr* primary();
  Expr* primary_tail(int start, Expr* value);
  Expr* atom();
  Expr* parenthesised();
  Expr* list_display();
  Expr* brace_display();
  Expr* plain_brace_display();
  Expr* number();
  Expr* strings();
  Expr* joined_strings();
  Expr* lambda();
  Expr* yield_expression();
  Expr* slices();
  Expr* slice();
  Expr* starred_expression();
  bool call_arguments(Seq<Expr*>& args, Seq<ast::Keyword*>& keywords, bool allow_generator);
  bool plain_call_arguments(int opening, Seq<Expr*>& args, Seq<ast::Keyword*>& keywords, bool allow_generator);
  bool diagnosing_call(int opening, Seq<Expr*>& args, Seq<ast::Keyword*>& keywords, bool allow_generator);
  bool comprehension_clauses(Seq<ast::Comprehension*>& out);
  Expr* generator_tail(int start, Expr* element);
  Expr* star_targets();
  Expr* star_target();
  Expr* constant(int start, PyObject* value);
  bool make_target(Expr* expression, TargetKind kind, ast::ExprContext context);
  bool token_can_start_expression(Tok type) const;

  // --- strings (parser_strings.cpp)
  struct StringPart {
    bool is_bytes;
    bool is_format;
    bool is_raw;
    const char* text;  // between the quotes
    size_t length;
  };
  bool split_string(const Token& token, StringPart& part);
  PyObject* decode_text(const StringPart& part, const char* text, size_t length, const Token& token);
  PyObject* decode_bytes(const StringPart& part, const Token& token);
  bool warn_invalid_escape(const char* escape, const Token& token);
  bool format_string(FStringPieces& pieces, const char*& p, const char* end, bool is_raw, int nesting,
                     const Token& token);
  bool replacement_field(FStringPieces& pieces, const char*& p, const char* end, bool is_raw, int nesting,
                         const Token& token);
  bool field_literal(FStringPieces& pieces, const char*& p, const char* end, bool is_raw, int nesting,
                     const Token& token, bool& field_follows);
  Expr* compile_field(const char* start, const char* end, const Token& token);
  Expr* join_pieces(FStringPieces& pieces, bool force_joined);
  bool append_text(FStringPieces& pieces, PyObject* text);
  bool flush_text(FStringPieces& pieces);

  // --- errors (parser_errors.cpp)
 public:
  /// Raises at a place given in lines and 0-based byte columns (-1: no end column). Gives null.
  std::nullptr_t raise_at(PyObject* type, int lineno, int column, int end_lineno, int end_column, const char* format,
                          ...);
  std::nullptr_t raise_at_va(PyObject* type, int lineno, int column, int end_lineno, int end_column,
                             const char* format, va_list arguments);
  /// At the last token read.
  std::nullptr_t raise_here(PyObject* type, const char* format, ...);
  std::nullptr_t raise_token(const Token& token, const char* format, ...);
  std::nullptr_t raise_range(const ast::Position& first, const ast::Position& last, const char* format, ...);
  std::nullptr_t raise_from(const ast::Position& first, const char* format, ...);  // no end
  std::nullptr_t syntax_error(const char* format, ...);

 private:
  void lexer_error();
  void set_generic_error(int last_token);
  void raise_unclosed_bracket();
  void check_rest_of_source();
  bool version_error(const char* what, int minor);
  bool requires_version(int minor, const char* what) {  // true: fine
    return LIKELY(feature_version_ >= minor) || version_error(what, minor);
  }
  int column_of(PyObject* line, int byte_column);
  Ref<> error_line(int lineno);
  bool has_multiple_statements();

#include "Interpreter/compiler/parser_diagnosis.h"

  ast::Arena& arena_;
  NameTable& names_;
  PyObject* filename_;
  StartRule rule_;
  int flags_;
  int feature_version_;
  bool is_field_ = false;         // f-string replacement field
  int starting_lineno_ = 0;       // f-string fields: where the field's text sits in the outer source
  int starting_column_ = 0;
  Token* tokens_ = nullptr;
  int mark_ = 0;
  int fill_ = 0;
  int capacity_ = 0;
  int depth_ = 0;
  bool hard_error_ = false;
  bool diagnosing_ = false;
  uint32_t warned_before_ = 0;    // string literals before this offset have been warned about
  bool backtracking_ = false;
  bool parsing_started_ = false;  // single input: the end of source counts as one more NEWLINE
  const Token* known_error_token_ = nullptr;
  std::vector<void*> scratch_;
  std::vector<void*> keyword_scratch_;
  std::vector<void*> parameter_scratch_[4];  // positional, their defaults, keyword-only, their defaults
  struct IgnoreComment {
    int lineno;
    uint32_t start;
    uint32_t end;
  };
  std::vector<IgnoreComment> type_ignores_;
};

}  // namespace pyston
