// The second pass's search for well-known mistakes.
#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

Expr* Parser::diagnosing_expression() { return plain_expression(); }
Expr* Parser::diagnosing_brace_display() { return nullptr; }
bool Parser::diagnose_named_expression() { return true; }
bool Parser::diagnose_arguments(bool) { return true; }
bool Parser::diagnose_keyword_argument() { return true; }
void Parser::diagnose_for_target(size_t) {}
void Parser::diagnose_group(int) {}
void Parser::diagnose_comprehension(int) {}
void Parser::diagnose_assignment(int) {}
void Parser::diagnose_delete(int) {}
std::nullptr_t Parser::diagnose_missing_colon() { return nullptr; }
bool Parser::diagnose_missing_block(const char*, int) { return true; }
void Parser::diagnose_with_target() {}
bool Parser::diagnose_with_block(int) { return true; }
void Parser::diagnose_with(int) {}
std::nullptr_t Parser::diagnose_mixed_except(int) { return nullptr; }
bool Parser::diagnose_except(int, bool) { return true; }
void Parser::diagnose_try() {}
bool Parser::diagnose_double_type_comment(int) { return true; }
void Parser::diagnose_class(int) {}
bool Parser::diagnose_parameters(bool) { return true; }
void Parser::diagnose_match(int) {}
void Parser::diagnose_match_indent(int) {}
void Parser::diagnose_case_colon() {}
bool Parser::diagnose_as_pattern() { return true; }
void Parser::diagnose_class_pattern(int, Pattern*) {}

}  // namespace pyston
