// Included inside class Parser: what the second pass adds. Each function looks for one family of mistakes at the
// current token, and raises when it finds one (hard_error_ is then set). Those that give bool say "go on".
Expr* diagnosing_expression();
Expr* diagnosing_brace_display();
bool diagnose_named_expression();
bool diagnose_arguments(bool allow_generator);
bool diagnose_keyword_argument();
void diagnose_for_target(size_t scratch_base);
void diagnose_group(int start);
void diagnose_comprehension(int start);
void diagnose_assignment(int start);
void diagnose_delete(int start);
std::nullptr_t diagnose_missing_colon();
bool diagnose_missing_block(const char* what, int start);
void diagnose_with_target();
bool diagnose_with_block(int with_mark);
void diagnose_with(int with_mark);
std::nullptr_t diagnose_mixed_except(int start);
bool diagnose_except(int start, bool is_star);
void diagnose_try();
bool diagnose_double_type_comment(int start);
void diagnose_class(int start);
bool diagnose_parameters(bool is_lambda);
void diagnose_match(int start);
void diagnose_match_indent(int start);
void diagnose_case_colon();
bool diagnose_as_pattern();
void diagnose_class_pattern(int start, Pattern* value);
