// The search for well-known mistakes in statements: colons, blocks, exception handlers.
#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

// --- Compound statements ---------------------------------------------------------------------------------------

/// Where a ":" must stand and does not.
std::nullptr_t Parser::diagnose_missing_colon() {
  if (diagnosing_ && !hard_error_ && at(Tok::kNewline)) syntax_error("expected ':'");
  return nullptr;
}

/// After the ":": NEWLINE must be followed by INDENT.
bool Parser::diagnose_missing_block(const char* what, int start) {
  if (!at(Tok::kNewline)) return !hard_error_;
  if (kind_after() == Tok::kIndent) return true;
  if (hard_error_) return false;
  raise_here(PyExc_IndentationError, "expected an indented block after %s on line %d", what, tokens_[start].lineno);
  return false;
}

/// The same for blocks whose statement has no words of its own.
bool Parser::diagnose_block_start() {
  if (!at(Tok::kNewline) || kind_after() == Tok::kIndent) return !hard_error_;
  if (!hard_error_) raise_here(PyExc_IndentationError, "expected an indented block");
  return false;
}

/// After a failed `except` clause: several types without parentheses, no colon, no type after "*".
void Parser::diagnose_except(int start, bool is_star) {
  if (!diagnosing_ || hard_error_) return;
  Retreat retreat(*this);
  mark_ = start + 1;
  is_star = accept(Tok::kStar);
  const Checkpoint after = checkpoint();
  auto skip_name = [this] {
    const Checkpoint before = checkpoint();
    if (accept(Tok::kKwAs) && !accept(Tok::kName)) back_to(before);
  };
  Expr* a = expression();
  if (hard_error_) return;
  if (a != nullptr && accept(Tok::kComma)) {
    if (expression() != nullptr) {
      while (accept(Tok::kComma)) {
        const Checkpoint before = checkpoint();
        if (expression() == nullptr) {
          if (hard_error_) return;
          back_to(before);
          break;
        }
      }
      skip_name();
      if (at(Tok::kColon)) {
        advance();
        raise_from(a->position, "multiple exception types must be parenthesized");
        return;
      }
    }
    if (hard_error_) return;
  }
  back_to(after);
  if (expression() != nullptr) {
    skip_name();
    if (at(Tok::kNewline)) {
      syntax_error("expected ':'");
      return;
    }
  }
  if (hard_error_) return;
  back_to(after);
  if (!is_star && at(Tok::kNewline)) {
    syntax_error("expected ':'");
  } else if (is_star && (at(Tok::kNewline) || at(Tok::kColon))) {
    syntax_error("expected one or more exception types");
  }
}

/// Within a `try` that has handlers: is the next one of the other sort?
bool Parser::diagnose_mixed_except() {
  Retreat retreat(*this);
  const Position first = position_of(tokens_[mark_]);
  Position last = first;
  advance();
  const bool is_star = at(Tok::kStar);
  if (is_star) last = position_of(tokens_[mark_++]);
  if (is_star || !at(Tok::kColon)) {
    if (expression() == nullptr) return !hard_error_;
    if (accept(Tok::kKwAs) && !accept(Tok::kName)) return !hard_error_;
  }
  if (at(Tok::kColon) && !hard_error_) {
    raise_range(first, last, "cannot have both 'except' and 'except*' on the same 'try'");
  }
  return !hard_error_;
}

/// `try:` and then a handler at once. Mixed sorts of handlers are looked for with and without blocks before them.
void Parser::diagnose_handler_without_block(int body_mark) {
  Retreat retreat(*this);
  mark_ = body_mark;
  const bool is_star = at(Tok::kKwExcept) && kind_after() == Tok::kStar;
  while (at(Tok::kKwExcept)) {
    if (is_star != (kind_after() == Tok::kStar) && !diagnose_mixed_except()) return;
    if (except_clause(kind_after() == Tok::kStar) == nullptr) return;
  }
}

bool Parser::diagnose_double_type_comment() {
  Retreat retreat(*this);
  if (accept(Tok::kTypeComment) && accept(Tok::kNewline) && accept(Tok::kTypeComment) && accept(Tok::kNewline) &&
      accept(Tok::kIndent)) {
    syntax_error("Cannot have two type comments on def");
  }
  return !hard_error_;
}

/// After "as" of a pattern.
bool Parser::diagnose_as_pattern() {
  Retreat retreat(*this);
  if (at_name("_")) {
    raise_token(tokens_[mark_], "cannot use '_' as a target");
    return false;
  }
  if (at(Tok::kName)) return !hard_error_;
  Expr* a = expression();
  if (a != nullptr && !hard_error_) raise_range(a->position, a->position, "invalid pattern target");
  return !hard_error_;
}

}  // namespace pyston
