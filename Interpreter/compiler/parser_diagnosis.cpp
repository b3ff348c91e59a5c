// The search for well-known mistakes in expressions; parser_diagnosis_targets.cpp and parser_diagnosis_statements.cpp
// are the rest of it.
//
// What is reported depends on which alternative of the grammar is tried first, so everything here follows the order of
// the alternatives in the language's reference grammar. Results are memoised by position: the same text is looked at
// by many alternatives.
#include <cstring>
#include <utility>

#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

const char* describe(Expr* e) {
  switch (e->kind) {
    case Kind::kAttribute: return "attribute";
    case Kind::kSubscript: return "subscript";
    case Kind::kStarred: return "starred";
    case Kind::kName: return "name";
    case Kind::kList: return "list";
    case Kind::kTuple: return "tuple";
    case Kind::kLambda: return "lambda";
    case Kind::kCall: return "function call";
    case Kind::kBoolOp:
    case Kind::kBinOp:
    case Kind::kUnaryOp: return "expression";
    case Kind::kGeneratorExp: return "generator expression";
    case Kind::kYield:
    case Kind::kYieldFrom: return "yield expression";
    case Kind::kAwait: return "await expression";
    case Kind::kListComp: return "list comprehension";
    case Kind::kSetComp: return "set comprehension";
    case Kind::kDictComp: return "dict comprehension";
    case Kind::kDict: return "dict literal";
    case Kind::kSet: return "set display";
    case Kind::kJoinedStr:
    case Kind::kFormattedValue: return "f-string expression";
    case Kind::kConstant: {
      PyObject* value = cast<node::Constant>(e)->value;
      if (value == Py_None) return "None";
      if (value == Py_False) return "False";
      if (value == Py_True) return "True";
      return value == Py_Ellipsis ? "ellipsis" : "literal";
    }
    case Kind::kCompare: return "comparison";
    case Kind::kIfExp: return "conditional expression";
    case Kind::kNamedExpr: return "named expression";
    default: return "expression";
  }
}

namespace {

/// The last thing a comprehension clause consists of.
Expr* last_of(Comprehension* clause) { return clause->ifs.empty() ? clause->iter : clause->ifs.back(); }

}  // namespace

// --- Memory of what was parsed where ---------------------------------------------------------------------------

bool Parser::memo_find(MemoRule rule, Expr*& result) {
  if (memo_.empty()) return false;
  const size_t mask = memo_.size() - 1;
  for (size_t slot = (static_cast<size_t>(mark_) * kMemoRuleCount + rule) * 0x9E3779B1u & mask; memo_[slot].mark >= 0;
       slot = (slot + 1) & mask) {
    if (memo_[slot].mark == mark_ && memo_[slot].rule == rule) {
      result = memo_[slot].result;
      if (result != nullptr) mark_ = memo_[slot].end;
      return true;
    }
  }
  return false;
}

Expr* Parser::memo_store(MemoRule rule, int mark, Expr* result) {
  if (hard_error_) return nullptr;
  auto insert = [this](const MemoEntry& entry) {
    const size_t mask = memo_.size() - 1;
    size_t slot = (static_cast<size_t>(entry.mark) * kMemoRuleCount + entry.rule) * 0x9E3779B1u & mask;
    while (memo_[slot].mark >= 0) slot = (slot + 1) & mask;
    memo_[slot] = entry;
  };
  if (memo_used_ * 2 >= memo_.size()) {
    std::vector<MemoEntry> old;
    old.swap(memo_);
    memo_.assign(old.empty() ? 256 : old.size() * 2, MemoEntry{-1, 0, 0, nullptr});
    for (const MemoEntry& entry : old) {
      if (entry.mark >= 0) insert(entry);
    }
  }
  insert({mark, rule, mark_, result});
  memo_used_++;
  return result;
}

// --- Expressions -----------------------------------------------------------------------------------------------

Expr* Parser::diagnosing_expression() {
  Expr* result;
  if (memo_find(kMemoExpression, result)) return result;
  Depth depth(*this, 1);
  if (depth.exceeded()) return nullptr;
  const Checkpoint start = checkpoint();
  if (diagnosing_ && !diagnose_expression()) return nullptr;
  result = plain_expression();
  if (result == nullptr && !hard_error_) back_to(start);
  return memo_store(kMemoExpression, start.mark, result);
}

/// QUIRK: what a soft keyword begins with counts as one.
bool Parser::at_soft_keyword() {
  if (!at(Tok::kName)) return false;
  const Token& token = tokens_[mark_];
  for (const char* keyword : {"_", "case", "match"}) {
    if (std::strncmp(keyword, lexer.start_of(token), token.end - token.start) == 0) return true;
  }
  return false;
}

bool Parser::is_legacy_statement(Expr* name) {
  auto* n = as<node::Name>(name);
  return n != nullptr && (PyUnicode_CompareWithASCIIString(n->id, "print") == 0 ||
                          PyUnicode_CompareWithASCIIString(n->id, "exec") == 0);
}

/// Two expressions in a row, a conditional expression without else, print without parentheses.
bool Parser::diagnose_expression() {
  Retreat retreat(*this);
  const Tok first = kind();
  if (!at_soft_keyword() && !(first == Tok::kName && kind_after() == Tok::kString)) {
    Expr* a = disjunction();
    if (hard_error_) return false;
    if (a != nullptr) {
      const int after = mark_;
      const bool was_diagnosing = std::exchange(diagnosing_, false);
      Expr* b = plain_expression();
      diagnosing_ = was_diagnosing;
      if (hard_error_) return false;
      if (b != nullptr) {
        if (!is_legacy_statement(a) && tokens_[mark_ - 1].level != 0) {
          raise_range(a->position, b->position, "invalid syntax. Perhaps you forgot a comma?");
          return false;
        }
        goto legacy;
      }
      mark_ = after;
    }
  } else if (hard_error_) {
    return false;
  }
  back_to(retreat.point);
  if (Expr* a = disjunction(); a != nullptr && accept(Tok::kKwIf)) {
    Expr* b = disjunction();
    if (b != nullptr && !at(Tok::kKwElse) && !at(Tok::kColon) && !hard_error_) {
      raise_range(a->position, b->position, "expected 'else' after 'if' expression");
    }
  }
  if (hard_error_) return false;
legacy:
  back_to(retreat.point);
  if (at(Tok::kName)) {
    Expr* name = name_expression(ExprContext::kLoad);
    if (name != nullptr && !at(Tok::kLeftParen)) {
      Expr* b = star_expressions();
      if (hard_error_) return false;
      if (b != nullptr && is_legacy_statement(name)) {
        PyObject* id = cast<node::Name>(name)->id;
        raise_range(name->position, b->position, "Missing parentheses in call to '%U'. Did you mean %U(...)?", id, id);
        return false;
      }
    }
  }
  return !hard_error_;
}

/// "=" where "==" or ":=" must have been meant.
bool Parser::diagnose_named_expression() {
  Retreat retreat(*this);
  Expr* known;
  if (memo_find(kMemoNamed, known)) return true;
  const int start = mark_;
  Expr* a = expression();
  if (hard_error_) return false;
  if (a != nullptr && accept(Tok::kColonEqual)) {
    Expr* value = expression();
    if (hard_error_) return false;
    if (value != nullptr) {
      raise_range(a->position, a->position, "cannot use assignment expressions with %s", describe(a));
      return false;
    }
  }
  back_to(retreat.point);
  auto not_assignment = [this] { return !at(Tok::kEqual) && !at(Tok::kColonEqual); };
  if (at(Tok::kName) && kind_after() == Tok::kEqual) {
    const Position first = position_of(tokens_[mark_]);
    mark_ += 2;
    Expr* b = bitwise_or();
    if (b != nullptr && not_assignment() && !hard_error_) {
      raise_range(first, b->position, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    }
    if (hard_error_) return false;
    back_to(retreat.point);
  }
  const Tok first = kind();
  bool excluded = first == Tok::kKwTrue || first == Tok::kKwNone || first == Tok::kKwFalse;
  if (first == Tok::kLeftParen || first == Tok::kLeftBracket) {
    Expr* display = atom();
    if (hard_error_) return false;
    excluded = display != nullptr && ((first == Tok::kLeftBracket && display->kind == Kind::kList) ||
                                      (first == Tok::kLeftParen && tokens_[mark_ - 1].end_col_offset == display->position.end_col_offset &&
                                       tokens_[mark_ - 1].end_lineno == display->position.end_lineno &&
                                       (display->kind == Kind::kTuple || display->kind == Kind::kGeneratorExp)));
    back_to(retreat.point);
  }
  if (!excluded) {
    a = bitwise_or();
    if (a != nullptr && accept(Tok::kEqual)) {
      Expr* b = bitwise_or();
      if (b != nullptr && not_assignment() && !hard_error_) {
        raise_range(a->position, a->position, "cannot assign to %s here. Maybe you meant '==' instead of '='?", describe(a));
      }
    }
  }
  if (hard_error_) return false;
  back_to(retreat.point);
  memo_store(kMemoNamed, start, nullptr);
  return true;
}

/// `with` items, in parentheses or not, and then the end of the line.
void Parser::diagnose_with(int with_mark) {
  Retreat retreat(*this);
  for (const bool parenthesised : {false, true}) {
    back_to(retreat.point);
    mark_ = with_mark + 1;
    if (parenthesised && !accept(Tok::kLeftParen)) return;
    bool any = false;
    for (;;) {
      const Checkpoint before = checkpoint();
      if (any && !accept(Tok::kComma)) break;
      if ((parenthesised ? star_expressions() : expression()) == nullptr) {
        if (hard_error_) return;
        back_to(before);
        break;
      }
      any = true;
      const Checkpoint before_as = checkpoint();
      if (accept(Tok::kKwAs) && star_target() == nullptr) {
        if (hard_error_) return;
        back_to(before_as);
      }
    }
    if (parenthesised) {
      accept(Tok::kComma);
      if (!accept(Tok::kRightParen)) return;
    }
    if (any && at(Tok::kNewline)) {
      if (!hard_error_) syntax_error("expected ':'");
      return;
    }
  }
}

Expr* Parser::argument_expression() {
  if (at(Tok::kName) && kind_after() == Tok::kColonEqual) return named_expression();
  Expr* value = expression();
  if (value == nullptr || at(Tok::kColonEqual)) return nullptr;
  return value;
}

// --- Calls -----------------------------------------------------------------------------------------------------

/// Mistakes at a place where "name=value" may stand.
bool Parser::diagnose_keyword_argument() {
  Retreat retreat(*this);
  const Tok first = kind();
  if ((first == Tok::kKwTrue || first == Tok::kKwFalse || first == Tok::kKwNone) && kind_after() == Tok::kEqual) {
    const Token name = tokens_[mark_];
    raise_range(position_of(name), position_of(tokens_[mark_ + 1]), "cannot assign to %s",
                first == Tok::kKwTrue ? "True" : first == Tok::kKwFalse ? "False" : "None");
    return false;
  }
  const bool named = first == Tok::kName && kind_after() == Tok::kEqual;
  if (named) {
    const Position name = position_of(tokens_[mark_]);
    const Position equals = position_of(tokens_[mark_ + 1]);
    mark_ += 2;
    Seq<Comprehension*> generators;
    if (expression() != nullptr && comprehension_clauses(generators) && !hard_error_) {
      raise_range(name, equals, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    }
    return !hard_error_;
  }
  Expr* a = expression();
  if (a != nullptr && at(Tok::kEqual)) {
    raise_range(a->position, position_of(tokens_[mark_]),
                "expression cannot contain assignment, perhaps you meant \"==\"?");
  }
  return !hard_error_;
}

/// One of name=value and `star` value, with the search for mistakes before it. False: no match, position kept.
bool Parser::diagnosing_keyword_or(Tok star, ParsedArguments& out) {
  const Checkpoint start = checkpoint();
  if (diagnosing_ && !diagnose_keyword_argument()) return false;
  if (at(Tok::kName) && kind_after() == Tok::kEqual) {
    mark_ += 2;
    if (expression() != nullptr) {
      out.has_keyword = true;
      return true;
    }
  } else if (accept(star)) {
    Expr* value = expression();
    if (value != nullptr) {
      if (star == Tok::kDoubleStar) {
        out.has_double_star = out.has_keyword = true;
      } else {
        out.last_positional = value;
        out.positional_count++;
      }
      return true;
    }
  }
  if (!hard_error_) back_to(start);
  return false;
}

bool Parser::diagnosing_arguments(ParsedArguments& out) {
  out = {};
  out.start = mark_;
  bool any = false;
  for (;;) {
    const Checkpoint before = checkpoint();
    if (any && !accept(Tok::kComma)) break;
    Expr* value = at(Tok::kStar) ? starred_expression() : argument_expression();
    if (hard_error_) return false;
    if (value == nullptr || at(Tok::kEqual)) {
      back_to(before);
      break;
    }
    any = true;
    out.positional_count++;
    out.last_positional = value;
  }
  const Checkpoint after_positional = checkpoint();
  if (any && !accept(Tok::kComma)) return true;
  // First a run of name=value and *value, then one of name=value and **value.
  bool any_keyword = false;
  for (Tok star : {Tok::kStar, Tok::kDoubleStar}) {
    for (;;) {
      const Checkpoint before = checkpoint();
      if (any_keyword && !accept(Tok::kComma)) break;
      if (!diagnosing_keyword_or(star, out)) {
        if (hard_error_) return false;
        back_to(before);
        break;
      }
      any_keyword = true;
    }
  }
  if (!any_keyword) {
    back_to(after_positional);
    return any;
  }
  return true;
}

/// What is wrong with a call's arguments. Only called when they do not match.
bool Parser::diagnose_arguments() {
  Retreat retreat(*this);
  ParsedArguments arguments;
  Seq<Comprehension*> generators;
  auto restart = [&] { back_to(retreat.point); };
  auto range_of_arguments = [&] {
    Position where;
    set_position(where, arguments.start);
    return where;
  };
  if (diagnosing_arguments(arguments)) {
    const Position where = range_of_arguments();
    if (accept(Tok::kComma) && at(Tok::kStar)) {
      raise_range(where, where, "iterable argument unpacking follows keyword argument unpacking");
      return false;
    }
  }
  if (hard_error_) return false;
  restart();
  if (Expr* a = expression(); a != nullptr && comprehension_clauses(generators) && accept(Tok::kComma)) {
    const Checkpoint after = checkpoint();
    if (!diagnosing_arguments(arguments) && !hard_error_) back_to(after);
    if (hard_error_) return false;
    raise_range(a->position, last_of(generators.back())->position, "Generator expression must be parenthesized");
    return false;
  }
  if (hard_error_) return false;
  restart();
  if (at(Tok::kName) && kind_after() == Tok::kEqual) {
    const Position name = position_of(tokens_[mark_]);
    const Position equals = position_of(tokens_[mark_ + 1]);
    mark_ += 2;
    if (expression() != nullptr && comprehension_clauses(generators) && !hard_error_) {
      raise_range(name, equals, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    }
    if (hard_error_) return false;
    restart();
  }
  if (diagnosing_arguments(arguments) && comprehension_clauses(generators) && !hard_error_) {
    if (arguments.positional_count > 1) {
      raise_range(arguments.last_positional->position, last_of(generators.back())->position,
                  "Generator expression must be parenthesized");
    }
    return !hard_error_;
  }
  if (hard_error_) return false;
  restart();
  if (diagnosing_arguments(arguments) && accept(Tok::kComma)) {
    const Checkpoint after_comma = checkpoint();
    Expr* a = expression();
    if (a != nullptr && comprehension_clauses(generators) && !hard_error_) {
      raise_range(a->position, generators.back()->target->position, "Generator expression must be parenthesized");
    }
    if (hard_error_) return false;
    back_to(after_comma);
    const bool unpacking = arguments.has_double_star;
    ParsedArguments more;
    if (diagnosing_arguments(more) && !hard_error_) {
      syntax_error(unpacking ? "positional argument follows keyword argument unpacking"
                             : "positional argument follows keyword argument");
    }
  }
  return !hard_error_;
}

// --- Displays and comprehensions -------------------------------------------------------------------------------

/// A starred expression in plain parentheses; then what comprehensions get wrong.
void Parser::diagnose_group(int start) {
  Retreat retreat(*this);
  mark_ = start + 1;
  if (at(Tok::kStar)) {
    Expr* a = starred_expression();
    if (a != nullptr && at(Tok::kRightParen) && !hard_error_) {
      raise_range(a->position, a->position, "cannot use starred expression here");
      return;
    }
  } else if (at(Tok::kDoubleStar)) {
    const Position stars = position_of(tokens_[mark_++]);
    if (expression() != nullptr && at(Tok::kRightParen) && !hard_error_) {
      raise_range(stars, stars, "cannot use double starred expression here");
      return;
    }
  }
  if (!hard_error_) diagnose_comprehension(start);
}

/// At an opening bracket of any kind.
void Parser::diagnose_comprehension(int start) {
  Retreat retreat(*this);
  Seq<Comprehension*> generators;
  mark_ = start;
  const bool round = at(Tok::kLeftParen);
  advance();
  const Checkpoint inside = checkpoint();
  if (at(Tok::kStar)) {
    Expr* a = starred_expression();
    if (a != nullptr && comprehension_clauses(generators) && !hard_error_) {
      raise_range(a->position, a->position, "iterable unpacking cannot be used in comprehension");
      return;
    }
    if (hard_error_) return;
    back_to(inside);
  }
  if (round) return;
  Expr* a = star_named_expression();
  if (a == nullptr || !at(Tok::kComma)) return;
  const Position comma = position_of(tokens_[mark_++]);
  const Checkpoint after_comma = checkpoint();
  Expr* b = nullptr;
  for (;;) {
    const Checkpoint before = checkpoint();
    Expr* next = star_named_expression();
    if (hard_error_) return;
    if (next == nullptr) {
      back_to(before);
      break;
    }
    b = next;
    if (!accept(Tok::kComma)) break;
  }
  if (b != nullptr && comprehension_clauses(generators) && !hard_error_) {
    raise_range(a->position, b->position, "did you forget parentheses around the comprehension target?");
  }
  if (hard_error_) return;
  back_to(after_comma);
  if (comprehension_clauses(generators) && !hard_error_) {
    raise_range(a->position, comma, "did you forget parentheses around the comprehension target?");
  }
}

/// key ":" value, or "**" mapping. False: no match.
bool Parser::dictionary_pair() {
  if (accept(Tok::kDoubleStar)) return bitwise_or() != nullptr;
  return expression() != nullptr && accept(Tok::kColon) && expression() != nullptr;
}

/// As many pairs with commas between them as match; false: none. Stops before a trailing comma.
bool Parser::dictionary_pairs() {
  bool any = false;
  for (;;) {
    const Checkpoint before = checkpoint();
    if (any && !accept(Tok::kComma)) return true;
    if (!dictionary_pair()) {
      if (!hard_error_) back_to(before);
      return any && !hard_error_;
    }
    any = true;
  }
}

/// A key with "*value" or with nothing after its colon. False: reported.
bool Parser::diagnose_dictionary_value() {
  Retreat retreat(*this);
  if (expression() == nullptr || !at(Tok::kColon)) return !hard_error_;
  const Position colon = position_of(tokens_[mark_++]);
  if (at(Tok::kStar)) {
    const Position star = position_of(tokens_[mark_++]);
    if (bitwise_or() != nullptr && !hard_error_) {
      raise_from(star, "cannot use a starred expression in a dictionary value");
    }
  } else if ((at(Tok::kRightBrace) || at(Tok::kComma)) && !hard_error_) {
    raise_range(colon, colon, "expression expected after dictionary key and ':'");
  }
  return !hard_error_;
}

/// After "{" of what is no dictionary.
/// QUIRK: this belongs to the grammar's ordinary rules, so it runs in the first pass too and comes before everything
/// that only the second pass looks for.
bool Parser::diagnose_dictionary() {
  Retreat retreat(*this);
  if (dictionary_pairs() && accept(Tok::kComma)) {
    const Checkpoint here = checkpoint();
    Expr* key = expression();
    if (hard_error_) return false;
    if (key != nullptr && !at(Tok::kColon)) {
      const Position& p = key->position;
      raise_at(PyExc_SyntaxError, p.lineno, p.end_col_offset - 1, p.end_lineno, -1, "':' expected after dictionary key");
      return false;
    }
    back_to(here);
    if (!diagnose_dictionary_value()) return false;
  }
  if (hard_error_) return false;
  back_to(retreat.point);
  return diagnose_dictionary_value();
}

/// Dictionary, set, dictionary comprehension, set comprehension: in that order.
Expr* Parser::backtracking_brace_display() {
  const Checkpoint start = checkpoint();
  auto restart = [&] {
    back_to(start);
    advance();
    return !hard_error_;
  };
  Seq<Comprehension*> generators;
  restart();
  if (dictionary_pairs()) accept(Tok::kComma);
  if (hard_error_) return nullptr;
  if (accept(Tok::kRightBrace)) return make<node::Dict>(start.mark);  // the tree of a failed parse is never used
  if (!restart() || !diagnose_dictionary()) return nullptr;
  bool any = false;
  for (;;) {
    const Checkpoint before = checkpoint();
    if (star_named_expression() == nullptr) {
      if (!hard_error_) back_to(before);
      break;
    }
    any = true;
    if (!accept(Tok::kComma)) break;
  }
  if (hard_error_) return nullptr;
  if (any && accept(Tok::kRightBrace)) return make<node::Set>(start.mark);
  if (!restart()) return nullptr;
  if (!at(Tok::kDoubleStar) && dictionary_pair() && comprehension_clauses(generators) && accept(Tok::kRightBrace)) {
    return make<node::DictComp>(start.mark);
  }
  if (!restart()) return nullptr;
  if (diagnosing_ && at(Tok::kDoubleStar)) {
    const Position stars = position_of(tokens_[mark_++]);
    if (bitwise_or() != nullptr && comprehension_clauses(generators) && at(Tok::kRightBrace) && !hard_error_) {
      raise_range(stars, stars, "dict unpacking cannot be used in dict comprehension");
    }
    if (!restart()) return nullptr;
  }
  if (!at(Tok::kStar) && named_expression() != nullptr && comprehension_clauses(generators) &&
      accept(Tok::kRightBrace)) {
    return make<node::SetComp>(start.mark);
  }
  if (diagnosing_ && !hard_error_) diagnose_comprehension(start.mark);
  if (!hard_error_) back_to(start);
  return nullptr;
}

}  // namespace pyston
