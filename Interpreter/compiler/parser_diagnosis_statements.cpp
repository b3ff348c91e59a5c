// The search for well-known mistakes in statements: colons, blocks, exception handlers, parameters.
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

// --- Parameters ------------------------------------------------------------------------------------------------

/// name [":" annotation] ["=" default]. False: no match.
bool Parser::skip_parameter(bool is_lambda, bool with_default, bool& had_default) {
  had_default = false;
  if (parameter(is_lambda, false) == nullptr) return false;
  if (!with_default || !at(Tok::kEqual)) return true;
  const Checkpoint before = checkpoint();
  const Position equals = position_of(tokens_[mark_++]);
  if (expression() != nullptr) {
    had_default = true;
    return true;
  }
  if (hard_error_) return false;
  back_to(before);
  advance();
  if (at(is_lambda ? Tok::kColon : Tok::kRightParen) || at(Tok::kComma)) {
    raise_range(equals, equals, "expected default value expression");
    return false;
  }
  back_to(before);
  return true;
}

/// Walks over a parameter list and stops at the first thing that is wrong with it.
bool Parser::diagnose_parameters(bool is_lambda) {
  Retreat retreat(*this);
  const Tok closer = is_lambda ? Tok::kColon : Tok::kRightParen;
  bool seen_default = false, seen_slash = false, seen_star = false;
  int count = 0;
  bool had_default;
  auto fail = [&](const Position& where, const char* message) {
    if (!hard_error_) raise_range(where, where, "%s", message);
    return false;
  };
  while (!at(closer)) {
    const Position here = position_of(tokens_[mark_]);
    switch (kind()) {
      case Tok::kName: {
        const int name_mark = mark_;
        if (!skip_parameter(is_lambda, true, had_default)) return !hard_error_;
        if (!had_default && seen_default && !seen_star && (at(Tok::kComma) || at(closer) || at(Tok::kTypeComment))) {
          Position where;
          set_position(where, name_mark);
          return fail(where, "non-default argument follows default argument");
        }
        seen_default |= had_default;
        count++;
        break;
      }
      case Tok::kLeftParen: {
        if (seen_default || seen_star) return true;
        advance();
        bool any = false;
        while (at(Tok::kName) && parameter(is_lambda, false) != nullptr) {
          any = true;
          if (!accept(Tok::kComma)) break;
        }
        if (any && at(Tok::kRightParen) && !hard_error_) {
          raise_range(here, position_of(tokens_[mark_]), is_lambda ? "Lambda expression parameters cannot be parenthesized"
                                                                   : "Function parameters cannot be parenthesized");
        }
        return !hard_error_;
      }
      case Tok::kSlash:
        if (seen_star) return fail(here, "/ must be ahead of *");
        if (seen_slash) return fail(here, "/ may appear only once");
        if (count == 0) {
          if (kind_after() == Tok::kComma) return fail(here, "at least one argument must precede /");
          return true;
        }
        seen_slash = true;
        advance();
        if (at(Tok::kStar)) return fail(position_of(tokens_[mark_]), "expected comma between / and *");
        break;
      case Tok::kStar: {
        advance();
        if (seen_star) {
          if (at(Tok::kName) || at(Tok::kComma)) return fail(here, "* argument may appear only once");
          return true;
        }
        seen_star = true;
        if (at(closer)) {
          if (is_lambda) syntax_error("named arguments must follow bare *");
          else fail(here, "named arguments must follow bare *");
          return false;
        }
        if (at(Tok::kComma)) {
          const Tok next = kind_after();
          if (next == closer || next == Tok::kDoubleStar) {
            if (is_lambda) {
              advance();
              peek();
              syntax_error("named arguments must follow bare *");
            } else {
              fail(here, "named arguments must follow bare *");
            }
            return false;
          }
          if (next == Tok::kTypeComment) {
            syntax_error("bare * has associated type comment");
            return false;
          }
          break;
        }
        const Checkpoint before = checkpoint();
        if (parameter(is_lambda, false) == nullptr) {
          if (hard_error_) return false;
          back_to(before);
          if (parameter(is_lambda, true) == nullptr) return !hard_error_;
          break;
        }
        if (at(Tok::kEqual)) return fail(position_of(tokens_[mark_]), "var-positional argument cannot have default value");
        break;
      }
      case Tok::kDoubleStar: {
        advance();
        if (parameter(is_lambda, false) == nullptr) return !hard_error_;
        if (at(Tok::kEqual)) return fail(position_of(tokens_[mark_]), "var-keyword argument cannot have default value");
        if (!accept(Tok::kComma)) return true;
        const int next_mark = mark_;
        if (at(Tok::kName)) {
          if (parameter(is_lambda, false) == nullptr) return !hard_error_;
          Position where;
          set_position(where, next_mark);
          return fail(where, "arguments cannot follow var-keyword argument");
        }
        if (at(Tok::kStar) || at(Tok::kDoubleStar) || at(Tok::kSlash)) {
          return fail(position_of(tokens_[mark_]), "arguments cannot follow var-keyword argument");
        }
        return true;
      }
      default: return !hard_error_;
    }
    if (!accept(Tok::kComma)) return !hard_error_;
    if (at(Tok::kTypeComment)) advance();
  }
  return !hard_error_;
}

}  // namespace pyston
