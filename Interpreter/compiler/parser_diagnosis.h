// Included inside class Parser: what a failed parse adds. Functions that give bool say "go on"; after a mistake was
// found, hard_error_ is set.
//
// Two flags: `backtracking_` makes functions give the longest prefix that matches, as the language's grammar does,
// instead of failing; `diagnosing_` looks for mistakes. A failed text is parsed again with the first of them (what the
// grammar reports by itself, and how far it reads), and if that reports nothing, with both.
struct MemoEntry {
  int mark;
  uint8_t rule;
  int end;
  ast::Expr* result;
};
enum MemoRule : uint8_t {
  kMemoExpression,
  kMemoDisjunction,
  kMemoInversion,
  kMemoFactor,
  kMemoPrimary,
  kMemoStrings,
  kMemoNamed,
  kMemoTargetPrimary,
  kMemoStarTarget,
  kMemoPlainTarget,
  kMemoDeleteTarget,
  kMemoRuleCount
};
bool memo_find(MemoRule rule, Expr*& result);
Expr* memo_store(MemoRule rule, int mark, Expr* result);
std::vector<MemoEntry> memo_;  // open hash table, size a power of two
size_t memo_used_ = 0;

/// Puts the position back at the end of the scope.
struct Retreat {
  Parser& parser;
  Checkpoint point;
  explicit Retreat(Parser& p) : parser(p), point(p.checkpoint()) {}
  ~Retreat() { parser.back_to(point); }
};
struct ParsedArguments {
  int start = 0;
  int positional_count = 0;
  Expr* last_positional = nullptr;
  bool has_keyword = false;
  bool has_double_star = false;
};

Expr* diagnosing_expression();
Expr* backtracking_brace_display();
bool dictionary_pair();
bool dictionary_pairs();
bool diagnose_dictionary();
bool diagnose_dictionary_value();
Stmt* diagnosing_expression_statement();
bool diagnose_expression();
bool diagnose_named_expression();
Expr* call_after(int start, Expr* value);       // a generator expression or arguments in parentheses
bool at_target_continuation();
Expr* attribute_or_subscript(int start, Expr* value);
Expr* target_primary();
Expr* attribute_or_subscript_target();
Expr* single_target();
Expr* bracketed_targets(TargetKind kind);
Expr* plain_target(TargetKind kind);
Expr* backtracking_star_target();
Expr* unremembered_target(TargetKind kind);
Expr* argument_expression();                    // assignment or expression, without looking for "x = 1" mistakes
bool diagnosing_arguments(ParsedArguments& out);  // as many as match; false: none
bool diagnosing_keyword_or(Tok star, ParsedArguments& out);
bool diagnose_arguments();                      // "(" consumed
bool diagnose_keyword_argument();
void diagnose_for_target(int for_mark);
void diagnose_group(int start);
void diagnose_comprehension(int start);
void diagnose_assignment(int start);
void diagnose_delete(int start);
std::nullptr_t diagnose_missing_colon();
bool diagnose_missing_block(const char* what, int start);
bool diagnose_block_start();
void diagnose_with_target();
void diagnose_with(int with_mark);
void diagnose_except(int start, bool is_star);
bool diagnose_mixed_except();
void diagnose_handler_without_block(int body_mark);
bool diagnose_double_type_comment();
bool diagnose_parameters(bool is_lambda);
bool diagnose_as_pattern();
void raise_invalid_target(Expr* target, TargetKind kind);
Expr* invalid_target(Expr* target, TargetKind kind);
bool is_legacy_statement(Expr* name);
bool at_soft_keyword();
