// Targets of assignments, deletions and loops in texts that do not match, and what is wrong with them.
//
// Here targets are parsed alternative by alternative, as the grammar has them: which mistakes are seen first, and what
// is remembered of a place, depends on it. In texts that match, targets are expressions (parser_expressions.cpp).
#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

namespace {

bool is_augmented(Tok type) {
  return (type >= Tok::kPlusEqual && type <= Tok::kDoubleStarEqual) || type == Tok::kDoubleSlashEqual || type == Tok::kAtEqual;
}

}  // namespace

// --- The grammar of targets ------------------------------------------------------------------------------------

bool Parser::at_target_continuation() {
  const Tok next = kind();
  return next == Tok::kLeftParen || next == Tok::kLeftBracket || next == Tok::kDot;
}

/// ".name" or "[slices]" after `value`; null, with the position kept, when there is none.
Expr* Parser::attribute_or_subscript(int start, Expr* value) {
  const Checkpoint before = checkpoint();
  if (accept(Tok::kDot)) {
    if (PyObject* name = identifier()) {
      auto* node = make<node::Attribute>(start);
      if (node == nullptr) return nullptr;
      node->value = value;
      node->attr = name;
      return node;
    }
  } else if (accept(Tok::kLeftBracket)) {
    Expr* index = slices();
    if (index != nullptr && accept(Tok::kRightBracket)) {
      auto* node = make<node::Subscript>(start);
      if (node == nullptr) return nullptr;
      node->value = value;
      node->slice = index;
      return node;
    }
  }
  if (!hard_error_) back_to(before);
  return nullptr;
}

/// What stands before the last ".name" or "[index]" of a target.
Expr* Parser::target_primary() {
  const int start = mark_;
  Expr* value;
  if (memo_find(kMemoTargetPrimary, value)) return value;
  value = atom();
  if (value == nullptr || !at_target_continuation()) {
    if (!hard_error_) mark_ = start;
    return memo_store(kMemoTargetPrimary, start, nullptr);
  }
  for (;;) {
    const Checkpoint before = checkpoint();
    Expr* longer = attribute_or_subscript(start, value);
    if (hard_error_) return nullptr;
    if (longer == nullptr || !at_target_continuation()) {
      back_to(before);
      longer = call_after(start, value);
      if (hard_error_) return nullptr;
    }
    if (longer == nullptr || !at_target_continuation()) {
      if (hard_error_) return nullptr;
      back_to(before);
      return memo_store(kMemoTargetPrimary, start, value);
    }
    value = longer;
  }
}

/// A target that is an attribute or a subscript.
Expr* Parser::attribute_or_subscript_target() {
  const Checkpoint before = checkpoint();
  Expr* value = target_primary();
  Expr* target = value != nullptr ? attribute_or_subscript(before.mark, value) : nullptr;
  if (hard_error_) return nullptr;
  if (target != nullptr && !at_target_continuation()) return target;
  back_to(before);
  return nullptr;
}

Expr* Parser::single_target() {
  const Checkpoint before = checkpoint();
  if (Expr* target = attribute_or_subscript_target()) return target;
  if (hard_error_) return nullptr;
  if (at(Tok::kName)) return name_expression(ExprContext::kStore);
  if (accept(Tok::kLeftParen)) {
    Expr* target = single_target();
    if (target != nullptr && accept(Tok::kRightParen)) return target;
    if (!hard_error_) back_to(before);
  }
  return nullptr;
}

/// Targets with commas between them, up to a closing bracket. Null and no error: no match.
Expr* Parser::bracketed_targets(TargetKind kind) {
  const Checkpoint before = checkpoint();
  const bool is_list = at(Tok::kLeftBracket);
  const Tok closer = is_list ? Tok::kRightBracket : Tok::kRightParen;
  advance();
  const size_t base = scratch_.size();
  bool comma = false;
  for (;;) {
    const Checkpoint here = checkpoint();
    Expr* element = kind == TargetKind::kDelete ? plain_target(kind) : backtracking_star_target();
    if (element == nullptr) {
      if (hard_error_) return nullptr;
      back_to(here);
      break;
    }
    scratch_.push_back(element);
    if (!accept(Tok::kComma)) break;
    comma = true;
  }
  const bool is_group = !is_list && scratch_.size() == base + 1 && !comma && kind != TargetKind::kDelete;
  if (is_group || !accept(closer)) {
    if (!hard_error_) back_to(before);
    return nullptr;
  }
  Seq<Expr*> elements;
  if (!take(base, elements)) return nullptr;
  if (is_list) {
    auto* node = make<node::List>(before.mark);
    if (node != nullptr) node->elts = elements;
    return node;
  }
  auto* node = make<node::Tuple>(before.mark);
  if (node != nullptr) node->elts = elements;
  return node;
}

/// The target without a star: an attribute or subscript, a name, or targets in brackets.
Expr* Parser::plain_target(TargetKind kind) {
  const int start = mark_;
  Expr* target;
  const MemoRule rule = kind == TargetKind::kDelete ? kMemoDeleteTarget : kMemoPlainTarget;
  if (memo_find(rule, target)) return target;
  return memo_store(rule, start, unremembered_target(kind));
}

Expr* Parser::unremembered_target(TargetKind kind) {
  const Checkpoint before = checkpoint();
  if (Expr* target = attribute_or_subscript_target()) return target;
  if (hard_error_) return nullptr;
  switch (this->kind()) {
    case Tok::kName: return name_expression(ExprContext::kStore);
    case Tok::kLeftParen: {
      advance();
      Expr* target = plain_target(kind);
      if (target != nullptr && accept(Tok::kRightParen)) return target;
      if (hard_error_) return nullptr;
      back_to(before);
      return bracketed_targets(kind);
    }
    case Tok::kLeftBracket: return bracketed_targets(kind);
    default: return nullptr;
  }
}

Expr* Parser::backtracking_star_target() {
  const Checkpoint before = checkpoint();
  Expr* target;
  if (memo_find(kMemoStarTarget, target)) return target;
  if (accept(Tok::kStar)) {
    Expr* value = at(Tok::kStar) ? nullptr : backtracking_star_target();
    if (hard_error_) return nullptr;
    if (value != nullptr) {
      auto* node = make<node::Starred>(before.mark);
      if (node == nullptr) return nullptr;
      node->value = value;
      return memo_store(kMemoStarTarget, before.mark, node);
    }
    back_to(before);
  }
  target = plain_target(TargetKind::kStar);
  return memo_store(kMemoStarTarget, before.mark, target);
}

// --- What is wrong ---------------------------------------------------------------------------------------------------

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
    return annotated_node(start, target, annotation, value, simple);
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
  Expr* target = nullptr;
  if (accept(Tok::kLeftParen)) {
    target = single_target();
    if (target != nullptr && !accept(Tok::kRightParen)) target = nullptr;
    if (hard_error_) return nullptr;
    if (target == nullptr) back_to(begin);
  }
  if (target == nullptr) target = attribute_or_subscript_target();
  if (hard_error_) return nullptr;
  if (target != nullptr && at(Tok::kColon)) {
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
  target = single_target();
  if (hard_error_) return nullptr;
  bool committed = false;
  if (target != nullptr && is_augmented(kind())) {
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

}  // namespace pyston
