// The second pass's search for well-known mistakes.
//
// What is reported depends on which alternative of the grammar is tried first, so everything here follows the order of
// the alternatives in the language's reference grammar. Results are memoised by position: the same text is looked at
// by many alternatives.
#include <cstring>
#include <initializer_list>

#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

namespace {

/// What error messages call an expression.
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

Position position_of(const Token& token) {
  return {token.lineno, token.col_offset, token.end_lineno, token.end_col_offset};
}

bool is_augmented(Tok type) {
  return (type >= Tok::kPlusEqual && type <= Tok::kDoubleStarEqual) || type == Tok::kDoubleSlashEqual || type == Tok::kAtEqual;
}

/// The last thing a comprehension clause consists of.
Expr* last_of(Comprehension* clause) { return clause->ifs.empty() ? clause->iter : clause->ifs.back(); }

}  // namespace

// --- Memory of what was parsed where ---------------------------------------------------------------------------

bool Parser::memo_find(MemoRule rule, Expr*& result) {
  if (memo_.empty()) return false;
  const size_t mask = memo_.size() - 1;
  for (size_t slot = (static_cast<size_t>(mark_) * 8 + rule) * 0x9E3779B1u & mask; memo_[slot].mark >= 0;
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
    size_t slot = (static_cast<size_t>(entry.mark) * 8 + entry.rule) * 0x9E3779B1u & mask;
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

bool Parser::is_legacy_statement(Expr* name) {
  auto* n = as<node::Name>(name);
  return n != nullptr && (PyUnicode_CompareWithASCIIString(n->id, "print") == 0 ||
                          PyUnicode_CompareWithASCIIString(n->id, "exec") == 0);
}

/// Two expressions in a row, a conditional expression without else, print without parentheses.
bool Parser::diagnose_expression() {
  Retreat retreat(*this);
  const Tok first = kind();
  const bool soft_keyword = first == Tok::kName && (at_name("_") || at_name("case") || at_name("match"));
  if (!soft_keyword && !(first == Tok::kName && kind_after() == Tok::kString)) {
    Expr* a = disjunction();
    if (hard_error_) return false;
    if (a != nullptr) {
      const int after = mark_;
      diagnosing_ = false;
      Expr* b = plain_expression();
      diagnosing_ = true;
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
    for (;;) {
      const Checkpoint before = checkpoint();
      if ((parenthesised ? star_expressions() : expression()) == nullptr) {
        if (hard_error_) return;
        back_to(before);
        break;
      }
      const Checkpoint before_as = checkpoint();
      if (accept(Tok::kKwAs) && star_target() == nullptr) {
        if (hard_error_) return;
        back_to(before_as);
      }
      if (!accept(Tok::kComma)) break;
    }
    if (parenthesised && !accept(Tok::kRightParen)) return;
    if (at(Tok::kNewline)) {
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

Expr* Parser::diagnosing_brace_display() {
  const Checkpoint start = checkpoint();
  // The ordinary parser goes first: in displays it makes the same inner matches in the same order.
  Expr* result = plain_brace_display();
  if (result != nullptr || hard_error_ || !diagnosing_) return result;
  back_to(start);
  advance();
  auto starred_value = [&]() {  // expression ':' '*' ... or nothing after the colon
    Retreat retreat(*this);
    if (expression() == nullptr || !at(Tok::kColon)) return hard_error_;
    const Position colon = position_of(tokens_[mark_++]);
    if (at(Tok::kStar)) {
      const Position star = position_of(tokens_[mark_++]);
      if (bitwise_or() != nullptr && !hard_error_) {
        raise_from(star, "cannot use a starred expression in a dictionary value");
      }
      return hard_error_;
    }
    if (at(Tok::kRightBrace) || at(Tok::kComma)) {
      raise_range(colon, colon, "expression expected after dictionary key and ':'");
    }
    return hard_error_;
  };
  auto pair = [&](bool first) {
    if (accept(Tok::kDoubleStar)) return bitwise_or() != nullptr;
    return (first ? expression() : plain_expression()) != nullptr && accept(Tok::kColon) && expression() != nullptr;
  };
  // Pairs, a comma, and then something that is no pair.
  {
    Retreat retreat(*this);
    bool any = false;
    for (;;) {
      const Checkpoint before = checkpoint();
      if (any && !accept(Tok::kComma)) break;
      if (!pair(!any)) {
        if (hard_error_) return nullptr;
        back_to(before);
        break;
      }
      any = true;
    }
    if (any && accept(Tok::kComma)) {
      const Checkpoint here = checkpoint();
      Expr* key = plain_expression();
      if (hard_error_) return nullptr;
      if (key != nullptr && !at(Tok::kColon)) {
        const Position& p = key->position;
        raise_at(PyExc_SyntaxError, p.lineno, p.end_col_offset - 1, p.end_lineno, -1, "':' expected after dictionary key");
        return nullptr;
      }
      back_to(here);
      if (starred_value()) return nullptr;
    }
  }
  if (starred_value()) return nullptr;
  // set and set comprehension: elements are looked at as named expressions.
  if (!at(Tok::kRightBrace)) {
    Retreat retreat(*this);
    star_named_expression();
    if (hard_error_) return nullptr;
  }
  if (at(Tok::kDoubleStar)) {
    Retreat retreat(*this);
    const Position stars = position_of(tokens_[mark_++]);
    Seq<Comprehension*> generators;
    if (bitwise_or() != nullptr && comprehension_clauses(generators) && at(Tok::kRightBrace) && !hard_error_) {
      raise_range(stars, stars, "dict unpacking cannot be used in dict comprehension");
    }
    if (hard_error_) return nullptr;
  }
  diagnose_comprehension(start.mark);
  back_to(start);
  return nullptr;
}

// --- Targets ---------------------------------------------------------------------------------------------------

/// The first part of `target` that cannot be one; null when all of it can.
Expr* Parser::invalid_target(Expr* target, TargetKind kind) {
  switch (target->kind) {
    case Kind::kList:
    case Kind::kTuple: {
      const Seq<Expr*>& elements =
          target->kind == Kind::kList ? cast<node::List>(target)->elts : cast<node::Tuple>(target)->elts;
      for (Expr* element : elements) {
        if (Expr* invalid = invalid_target(element, kind)) return invalid;
      }
      return nullptr;
    }
    case Kind::kStarred:
      return kind == TargetKind::kDelete ? target : invalid_target(cast<node::Starred>(target)->value, kind);
    case Kind::kCompare: {
      // In `for a in b` the text up to the colon reads like a comparison.
      if (kind != TargetKind::kFor) return target;
      auto* compare = cast<node::Compare>(target);
      return compare->ops[0] == CompareOperator::kIn ? invalid_target(compare->left, kind) : nullptr;
    }
    case Kind::kName:
    case Kind::kSubscript:
    case Kind::kAttribute: return nullptr;
    default: return target;
  }
}

void Parser::raise_invalid_target(Expr* target, TargetKind kind) {
  Expr* invalid = invalid_target(target, kind);
  if (invalid == nullptr) return;
  raise_range(invalid->position, invalid->position, kind == TargetKind::kDelete ? "cannot delete %s" : "cannot assign to %s",
              describe(invalid));
}

void Parser::diagnose_for_target(int for_mark) {
  Retreat retreat(*this);
  mark_ = for_mark + 1;
  Expr* a = star_expressions();
  if (a != nullptr && !hard_error_) raise_invalid_target(a, TargetKind::kFor);
}

void Parser::diagnose_delete(int start) {
  Retreat retreat(*this);
  mark_ = start + 1;
  Expr* a = star_expressions();
  if (a != nullptr && !hard_error_) raise_invalid_target(a, TargetKind::kDelete);
}

void Parser::diagnose_with_target() {
  Retreat retreat(*this);
  Expr* a = expression();
  if (a != nullptr && !hard_error_ && (at(Tok::kComma) || at(Tok::kRightParen) || at(Tok::kColon))) {
    raise_invalid_target(a, TargetKind::kStar);
  }
}

// --- Assignments -----------------------------------------------------------------------------------------------

/// An expression statement or assignment, tried in the grammar's order.
Stmt* Parser::diagnosing_expression_statement() {
  const Checkpoint begin = checkpoint();
  const int start = begin.mark;
  auto value_of_assignment = [this]() -> Expr* {
    if (at(Tok::kKwYield)) {
      const Checkpoint before = checkpoint();
      if (Expr* value = yield_expression()) return value;
      if (hard_error_) return nullptr;
      back_to(before);
    }
    return star_expressions();
  };
  auto annotated = [&](Expr* target, bool simple) -> Stmt* {  // at the ":"
    advance();
    Expr* annotation = expression();
    if (annotation == nullptr) return nullptr;
    Expr* value = nullptr;
    const Checkpoint before = checkpoint();
    if (accept(Tok::kEqual)) {
      value = value_of_assignment();
      if (hard_error_) return nullptr;
      if (value == nullptr) back_to(before);
    }
    auto* node = make<node::AnnAssign>(start);
    if (node == nullptr) return nullptr;
    node->target = target;
    node->annotation = annotation;
    node->value = value;
    node->simple = simple;
    return node;
  };
  auto plain = [&]() -> Stmt* { return make<node::Pass>(start); };  // the tree of a failed parse is never used
  Stmt* result;
  if (at(Tok::kName) && kind_after() == Tok::kColon) {
    Expr* name = name_expression(ExprContext::kStore);
    if (name == nullptr) return nullptr;
    result = annotated(name, true);
    if (result != nullptr || hard_error_) return result;
    back_to(begin);
  }
  auto is_single = [](Expr* e, bool allow_name) {
    return e->kind == Kind::kAttribute || e->kind == Kind::kSubscript || (allow_name && e->kind == Kind::kName);
  };
  Expr* target = primary();
  if (hard_error_) return nullptr;
  if (target != nullptr && at(Tok::kColon) && is_single(target, tokens_[start].type == Tok::kLeftParen)) {
    result = annotated(target, false);
    if (result != nullptr || hard_error_) return result;
  }
  back_to(begin);
  // (star_targets '=')+ value
  bool any = false;
  for (;;) {
    const Checkpoint before = checkpoint();
    Expr* targets = star_targets();
    if (hard_error_) return nullptr;
    if (targets == nullptr || !accept(Tok::kEqual)) {
      back_to(before);
      break;
    }
    any = true;
  }
  if (any) {
    Expr* value = value_of_assignment();
    if (hard_error_) return nullptr;
    if (value != nullptr && !at(Tok::kEqual)) {
      PyObject* comment;
      if (!optional_type_comment(comment)) return nullptr;
      return plain();
    }
  }
  back_to(begin);
  target = primary();
  if (hard_error_) return nullptr;
  bool committed = false;
  if (target != nullptr && is_single(target, true) && is_augmented(kind())) {
    advance();
    Expr* value = value_of_assignment();
    if (hard_error_) return nullptr;
    if (value != nullptr) return plain();
    committed = true;  // after the operator there is no other sort of assignment
  }
  back_to(begin);
  if (!committed) {
    diagnose_assignment(start);
    if (hard_error_) return nullptr;
    back_to(begin);
  }
  Expr* value = star_expressions();
  if (hard_error_) return nullptr;
  if (value != nullptr) return plain();
  back_to(begin);
  if (at(Tok::kKwYield) && yield_expression() != nullptr) return plain();
  return nullptr;
}

void Parser::diagnose_assignment(int start) {
  if (!diagnosing_) return;
  Retreat retreat(*this);
  auto restart = [&] {
    back_to(retreat.point);
    mark_ = start;
  };
  restart();
  // A list or tuple, in any number of parentheses, before an annotation.
  int parentheses = 0;
  while (at(Tok::kLeftParen) && kind_after() == Tok::kLeftParen) {
    advance();
    parentheses++;
  }
  if (at(Tok::kLeftParen) && kind_after() == Tok::kLeftBracket) {
    advance();
    parentheses++;
  }
  if (at(Tok::kLeftParen) || at(Tok::kLeftBracket)) {
    Expr* a = nullptr;
    // The innermost tuple may itself begin with a parenthesis: try fewer and fewer enclosing ones.
    for (;;) {
      const Checkpoint before = checkpoint();
      a = atom();
      if (hard_error_) return;
      int closed = parentheses;
      if (a != nullptr && (a->kind == Kind::kList || a->kind == Kind::kTuple)) {
        while (closed > 0 && accept(Tok::kRightParen)) closed--;
        if (closed == 0 && accept(Tok::kColon) && expression() != nullptr && !hard_error_) {
          raise_range(a->position, a->position, "only single target (not %s) can be annotated", describe(a));
          return;
        }
      }
      if (hard_error_) return;
      back_to(before);
      if (parentheses == 0) break;
      parentheses--;
      mark_--;
    }
  }
  restart();
  Expr* a = star_named_expression();
  if (hard_error_) return;
  if (a != nullptr && accept(Tok::kComma)) {
    for (;;) {
      const Checkpoint before = checkpoint();
      if (star_named_expression() == nullptr) {
        if (hard_error_) return;
        back_to(before);
        break;
      }
      accept(Tok::kComma);
    }
    if (accept(Tok::kColon) && expression() != nullptr && !hard_error_) {
      raise_range(a->position, a->position, "only single target (not tuple) can be annotated");
    }
    if (hard_error_) return;
  }
  restart();
  a = expression();
  if (a != nullptr && accept(Tok::kColon) && expression() != nullptr && !hard_error_) {
    raise_range(a->position, a->position, "illegal target for annotation");
  }
  if (hard_error_) return;
  restart();
  auto skip_targets = [&] {
    for (;;) {
      const Checkpoint before = checkpoint();
      Expr* targets = star_targets();
      if (hard_error_) return false;
      if (targets == nullptr || !accept(Tok::kEqual)) {
        back_to(before);
        return true;
      }
    }
  };
  if (!skip_targets()) return;
  const Checkpoint after_targets = checkpoint();
  a = star_expressions();
  if (hard_error_) return;
  if (a != nullptr && at(Tok::kEqual)) {
    advance();
    raise_invalid_target(a, TargetKind::kStar);
    return;
  }
  back_to(after_targets);
  a = yield_expression();
  if (a != nullptr && at(Tok::kEqual) && !hard_error_) {
    raise_range(a->position, a->position, "assignment to yield expression not possible");
  }
  if (hard_error_) return;
  restart();
  a = star_expressions();
  if (a != nullptr && !hard_error_ && is_augmented(kind())) {
    advance();
    const Checkpoint before = checkpoint();
    Expr* value = at(Tok::kKwYield) ? yield_expression() : nullptr;
    if (value == nullptr && !hard_error_) {
      back_to(before);
      value = star_expressions();
    }
    if (value != nullptr && !hard_error_) {
      raise_range(a->position, a->position, "'%s' is an illegal expression for augmented assignment", describe(a));
    }
  }
}

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
