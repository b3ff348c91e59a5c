// Statements: simple ones, compound ones, blocks, parameters, imports.
#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

bool Parser::statements(Tok terminator, Seq<Stmt*>& out) {
  const size_t base = scratch_.size();
  while (!at(terminator)) {
    if (!statement()) return false;
  }
  if (terminator == Tok::kEndMarker) advance();
  return take(base, out);
}

bool Parser::statement() {
  bool matched = true;
  Stmt* compound = compound_statement(matched);
  if (matched) {
    if (compound == nullptr) return false;
    scratch_.push_back(compound);
    return true;
  }
  return !hard_error_ && simple_statements();
}

bool Parser::simple_statements() {
  for (;;) {
    Stmt* statement = simple_statement();
    if (statement == nullptr || UNLIKELY(hard_error_)) return false;
    scratch_.push_back(statement);
    if (accept(Tok::kNewline)) return true;
    if (!accept(Tok::kSemicolon)) return false;
    if (accept(Tok::kNewline)) return true;
  }
}

Stmt* Parser::simple_statement() {
  const int start = mark_;
  switch (kind()) {
    case Tok::kKwReturn: return return_statement();
    case Tok::kKwImport: return import_name();
    case Tok::kKwFrom: return import_from();
    case Tok::kKwRaise: return raise_statement();
    case Tok::kKwPass: advance(); return make<node::Pass>(start);
    case Tok::kKwDel: return delete_statement();
    case Tok::kKwAssert: return assert_statement();
    case Tok::kKwBreak: advance(); return make<node::Break>(start);
    case Tok::kKwContinue: advance(); return make<node::Continue>(start);
    case Tok::kKwGlobal:
    case Tok::kKwNonlocal: return global_statement();
    default: return expression_statement();
  }
}

namespace {

/// The operator of `+=` and friends; false for other tokens.
bool augmented_operator(Tok type, Operator& op) {
  switch (type) {
    case Tok::kPlusEqual: op = Operator::kAdd; return true;
    case Tok::kMinusEqual: op = Operator::kSub; return true;
    case Tok::kStarEqual: op = Operator::kMult; return true;
    case Tok::kAtEqual: op = Operator::kMatMult; return true;
    case Tok::kSlashEqual: op = Operator::kDiv; return true;
    case Tok::kPercentEqual: op = Operator::kMod_; return true;
    case Tok::kAmpersandEqual: op = Operator::kBitAnd; return true;
    case Tok::kBarEqual: op = Operator::kBitOr; return true;
    case Tok::kCaretEqual: op = Operator::kBitXor; return true;
    case Tok::kLeftShiftEqual: op = Operator::kLShift; return true;
    case Tok::kRightShiftEqual: op = Operator::kRShift; return true;
    case Tok::kDoubleStarEqual: op = Operator::kPow; return true;
    case Tok::kDoubleSlashEqual: op = Operator::kFloorDiv; return true;
    default: return false;
  }
}

bool is_single_target(Expr* target) {
  return target->kind == Kind::kName || target->kind == Kind::kAttribute || target->kind == Kind::kSubscript;
}

}  // namespace

/// An expression, or an assignment of one of the three sorts.
Stmt* Parser::expression_statement() {
  if (UNLIKELY(backtracking_)) return diagnosing_expression_statement();
  const int start = mark_;
  Expr* value = at(Tok::kKwYield) ? yield_expression() : star_expressions();
  if (value == nullptr) return nullptr;
  const Tok next = kind();
  if (next == Tok::kEqual || next == Tok::kColon) {
    Stmt* result = value->kind == Kind::kYield || value->kind == Kind::kYieldFrom ? nullptr
                   : next == Tok::kEqual                                          ? assignment(start, value)
                                                                                  : annotated_assignment(start, value);
    return result;
  }
  Operator op;
  if (augmented_operator(next, op)) {
    if (!is_single_target(value)) return nullptr;
    advance();
    if (op == Operator::kMatMult && !requires_version(5, "The '@' operator is")) return nullptr;
    make_target(value, TargetKind::kStar, ExprContext::kStore);
    Expr* operand = at(Tok::kKwYield) ? yield_expression() : star_expressions();
    if (operand == nullptr) return nullptr;
    auto* node = make<node::AugAssign>(start);
    if (node == nullptr) return nullptr;
    node->target = value;
    node->op = op;
    node->value = operand;
    return node;
  }
  auto* node = make<node::ExprStmt>(start);
  if (node == nullptr) return nullptr;
  node->value = value;
  return node;
}

/// At the first "=" of `a = b = value`.
Stmt* Parser::assignment(int start, Expr* first) {
  const size_t base = scratch_.size();
  Expr* value = first;
  while (at(Tok::kEqual)) {
    if (value->kind == Kind::kYield || value->kind == Kind::kYieldFrom ||
        !make_target(value, TargetKind::kStar, ExprContext::kStore)) {
      return nullptr;
    }
    advance();
    scratch_.push_back(value);
    value = at(Tok::kKwYield) ? yield_expression() : star_expressions();
    if (value == nullptr) return nullptr;
  }
  PyObject* type_comment;
  if (!optional_type_comment(type_comment)) return nullptr;
  auto* node = make<node::Assign>(start);
  if (node == nullptr || !take(base, node->targets)) return nullptr;
  node->value = value;
  node->type_comment = type_comment;
  return node;
}

Stmt* Parser::annotated_assignment(int start, Expr* target) {
  if (!is_single_target(target)) return nullptr;
  const bool simple = target->kind == Kind::kName && tokens_[start].type == Tok::kName;
  advance();
  Expr* annotation = expression();
  if (annotation == nullptr) return nullptr;
  Expr* value = nullptr;
  if (accept(Tok::kEqual)) {
    value = at(Tok::kKwYield) ? yield_expression() : star_expressions();
    if (value == nullptr) return nullptr;
  }
  if (!requires_version(6, simple ? "Variable annotation syntax is" : "Variable annotations syntax is")) return nullptr;
  make_target(target, TargetKind::kStar, ExprContext::kStore);
  return annotated_node(start, target, annotation, value, simple);
}

Stmt* Parser::annotated_node(int start, Expr* target, Expr* annotation, Expr* value, bool simple) {
  auto* node = make<node::AnnAssign>(start);
  if (node == nullptr) return nullptr;
  node->target = target;
  node->annotation = annotation;
  node->value = value;
  node->simple = simple;
  return node;
}

Stmt* Parser::return_statement() {
  const int start = mark_++;
  Expr* value = nullptr;
  const Tok next = kind();
  if (token_can_start_expression(next) || next == Tok::kStar) {
    value = star_expressions();
    if (value == nullptr) return nullptr;
  }
  auto* node = make<node::Return>(start);
  if (node == nullptr) return nullptr;
  node->value = value;
  return node;
}

Stmt* Parser::raise_statement() {
  const int start = mark_++;
  Expr* exception = nullptr;
  Expr* cause = nullptr;
  if (token_can_start_expression(kind())) {
    exception = expression();
    if (exception == nullptr) return nullptr;
    if (accept(Tok::kKwFrom)) {
      cause = expression();
      if (cause == nullptr) return nullptr;
    }
  }
  auto* node = make<node::Raise>(start);
  if (node == nullptr) return nullptr;
  node->exc = exception;
  node->cause = cause;
  return node;
}

Stmt* Parser::delete_statement() {
  const int start = mark_++;
  const size_t base = scratch_.size();
  bool valid = true;
  do {
    if (scratch_.size() != base && !token_can_start_expression(kind())) break;
    Expr* target = UNLIKELY(backtracking_) ? plain_target(TargetKind::kDelete) : primary();
    if (target == nullptr || !make_target(target, TargetKind::kDelete, ExprContext::kDel)) {
      valid = false;
      break;
    }
    scratch_.push_back(target);
  } while (accept(Tok::kComma));
  if (!valid || (!at(Tok::kSemicolon) && !at(Tok::kNewline))) {
    if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_delete(start);
    return nullptr;
  }
  auto* node = make<node::Delete>(start);
  if (node == nullptr || !take(base, node->targets)) return nullptr;
  return node;
}

Stmt* Parser::assert_statement() {
  const int start = mark_++;
  Expr* test = expression();
  if (test == nullptr) return nullptr;
  Expr* message = nullptr;
  if (accept(Tok::kComma)) {
    message = expression();
    if (message == nullptr) return nullptr;
  }
  auto* node = make<node::Assert>(start);
  if (node == nullptr) return nullptr;
  node->test = test;
  node->msg = message;
  return node;
}

Stmt* Parser::global_statement() {
  const bool is_global = at(Tok::kKwGlobal);
  const int start = mark_++;
  const size_t base = scratch_.size();
  do {
    PyObject* name = identifier();
    if (name == nullptr) return nullptr;
    scratch_.push_back(name);
  } while (accept(Tok::kComma));
  const int count = static_cast<int>(scratch_.size() - base);
  Seq<PyObject*> names = arena_.sequence<PyObject*>(count);
  if (names.count != count) return out_of_memory<Stmt>();
  for (int i = 0; i < count; i++) names[i] = static_cast<PyObject*>(scratch_[base + static_cast<size_t>(i)]);
  scratch_.resize(base);
  if (is_global) {
    auto* node = make<node::Global>(start);
    if (node == nullptr) return nullptr;
    node->names = names;
    return node;
  }
  auto* node = make<node::Nonlocal>(start);
  if (node == nullptr) return nullptr;
  node->names = names;
  return node;
}

// --- Imports ---------------------------------------------------------------------------------------------------

PyObject* Parser::dotted_name() {
  if (!at(Tok::kName)) return nullptr;
  PyObject* name = name_of(tokens_[mark_++]);
  while (name != nullptr && at(Tok::kDot)) {
    advance();
    if (!at(Tok::kName)) return nullptr;
    PyObject* part = name_of(tokens_[mark_++]);
    if (part == nullptr) return nullptr;
    PyObject* joined = PyUnicode_FromFormat("%U.%U", name, part);
    if (joined != nullptr) PyUnicode_InternInPlace(&joined);
    name = keep(joined);
  }
  return name;
}

Alias* Parser::dotted_alias() {
  const int start = mark_;
  PyObject* name = dotted_name();
  if (name == nullptr) return nullptr;
  PyObject* as_name = nullptr;
  if (accept(Tok::kKwAs)) {
    as_name = identifier();
    if (as_name == nullptr) return nullptr;
  }
  auto* alias = make_product<Alias>();
  if (alias == nullptr) return nullptr;
  alias->name = name;
  alias->asname = as_name;
  set_position(alias->position, start);
  return alias;
}

Stmt* Parser::import_name() {
  const int start = mark_++;
  const size_t base = scratch_.size();
  do {
    Alias* alias = dotted_alias();
    if (alias == nullptr) return nullptr;
    scratch_.push_back(alias);
  } while (accept(Tok::kComma));
  auto* node = make<node::Import>(start);
  if (node == nullptr || !take(base, node->names)) return nullptr;
  return node;
}

Stmt* Parser::import_from() {
  const int start = mark_++;
  int level = 0;
  for (;;) {
    if (accept(Tok::kDot)) level++;
    else if (accept(Tok::kEllipsis)) level += 3;
    else break;
  }
  PyObject* module = nullptr;
  if (at(Tok::kName)) {
    module = dotted_name();
    if (module == nullptr) return nullptr;
  } else if (level == 0) {
    return nullptr;
  }
  if (!accept(Tok::kKwImport)) return nullptr;
  const size_t base = scratch_.size();
  if (at(Tok::kStar)) {
    auto* alias = make_product<Alias>();
    const int star = mark_++;
    if (alias == nullptr) return nullptr;
    alias->name = keep(PyUnicode_InternFromString("*"));
    if (alias->name == nullptr) return nullptr;
    set_position(alias->position, star);
    scratch_.push_back(alias);
  } else {
    const bool parenthesised = accept(Tok::kLeftParen);
    for (;;) {
      const int name_start = mark_;
      PyObject* name = identifier();
      if (name == nullptr) return nullptr;
      PyObject* as_name = nullptr;
      if (accept(Tok::kKwAs)) {
        as_name = identifier();
        if (as_name == nullptr) return nullptr;
      }
      auto* alias = make_product<Alias>();
      if (alias == nullptr) return nullptr;
      alias->name = name;
      alias->asname = as_name;
      set_position(alias->position, name_start);
      scratch_.push_back(alias);
      if (!accept(Tok::kComma)) break;
      if (parenthesised && at(Tok::kRightParen)) break;
      if (!parenthesised && !at(Tok::kName)) {
        if (UNLIKELY(diagnosing_) && at(Tok::kNewline)) {
          raise_here(PyExc_SyntaxError, "trailing comma not allowed without surrounding parentheses");
        }
        return nullptr;
      }
    }
    if (parenthesised && !accept(Tok::kRightParen)) return nullptr;
  }
  auto* node = make<node::ImportFrom>(start);
  if (node == nullptr || !take(base, node->names)) return nullptr;
  node->module = module;
  node->level = level;
  return node;
}

// --- Compound statements ---------------------------------------------------------------------------------------

Stmt* Parser::compound_statement(bool& matched) {
  matched = true;
  switch (kind()) {
    case Tok::kKwDef: return function_definition(mark_, false, {});
    case Tok::kKwIf: return if_statement();
    case Tok::kKwClass: return class_definition({});
    case Tok::kAt: return decorated();
    case Tok::kKwWith: return with_statement(mark_, false);
    case Tok::kKwFor: return for_statement(mark_, false);
    case Tok::kKwTry: return try_statement();
    case Tok::kKwWhile: return while_statement();
    case Tok::kAsync: return async_statement();
    case Tok::kName:
      if (UNLIKELY(at_name("match"))) {
        // A soft keyword: it may as well be a name, then nothing has been consumed.
        const Checkpoint before = checkpoint();
        Stmt* statement = match_statement();
        if (statement != nullptr || hard_error_) return statement;
        back_to(before);
      }
      matched = false;
      return nullptr;
    default: matched = false; return nullptr;
  }
}

/// A token that cannot be missing here: already the first pass reports it.
bool Parser::expect_forced(Tok type, const char* spelled) {
  if (accept(type)) return true;
  if (!hard_error_) {
    const Token& token = tokens_[mark_];
    raise_at(PyExc_SyntaxError, token.lineno, token.col_offset, token.end_lineno, token.end_col_offset, "expected '%s'",
             spelled);
  }
  return false;
}

bool Parser::block(Seq<Stmt*>& out) {
  if (!at(Tok::kNewline)) {
    const size_t base = scratch_.size();
    return simple_statements() && take(base, out);
  }
  if (UNLIKELY(diagnosing_) && !diagnose_block_start()) return false;
  advance();
  if (!accept(Tok::kIndent)) return false;
  return statements(Tok::kDedent, out) && accept(Tok::kDedent);
}

bool Parser::else_block(Seq<Stmt*>& out) {
  out = {};
  if (!at(Tok::kKwElse)) return !hard_error_;
  const int start = mark_++;
  if (!expect_forced(Tok::kColon, ":")) return false;
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block("'else' statement", start)) return false;
  return block(out);
}

/// `if` and, as nested statements, its `elif`s.
Stmt* Parser::if_statement() {
  Depth depth(*this, 1);
  if (depth.exceeded()) return nullptr;
  const char* what = at(Tok::kKwIf) ? "'if' statement" : "'elif' statement";
  const int start = mark_++;
  Expr* test = named_expression();
  if (test == nullptr) return nullptr;
  if (!accept(Tok::kColon)) return diagnose_missing_colon();
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block(what, start)) return nullptr;
  Seq<Stmt*> body;
  if (!block(body)) return nullptr;
  Seq<Stmt*> orelse;
  if (at(Tok::kKwElif)) {
    Stmt* nested = if_statement();
    if (nested == nullptr) return nullptr;
    orelse = single<Stmt*>(nested);
    if (orelse.empty()) return nullptr;
  } else if (!else_block(orelse)) {
    return nullptr;
  }
  auto* node = make<node::If>(start);
  if (node == nullptr) return nullptr;
  node->test = test;
  node->body = body;
  node->orelse = orelse;
  return node;
}

Stmt* Parser::while_statement() {
  const int start = mark_++;
  Expr* test = named_expression();
  if (test == nullptr) return nullptr;
  if (!accept(Tok::kColon)) return diagnose_missing_colon();
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block("'while' statement", start)) return nullptr;
  Seq<Stmt*> body, orelse;
  if (!block(body) || !else_block(orelse)) return nullptr;
  auto* node = make<node::While>(start);
  if (node == nullptr) return nullptr;
  node->test = test;
  node->body = body;
  node->orelse = orelse;
  return node;
}

Stmt* Parser::for_statement(int start, bool is_async) {
  const int for_mark = mark_++;
  Expr* target = star_targets();
  if (target == nullptr || !accept(Tok::kKwIn)) {
    if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_for_target(for_mark);
    return nullptr;
  }
  Expr* iterable = star_expressions();
  if (iterable == nullptr) return nullptr;
  if (!accept(Tok::kColon)) return diagnose_missing_colon();
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block("'for' statement", for_mark)) return nullptr;
  PyObject* type_comment;
  if (!optional_type_comment(type_comment)) return nullptr;
  Seq<Stmt*> body, orelse;
  if (!block(body) || !else_block(orelse)) return nullptr;
  auto fill = [&](auto* node) -> Stmt* {
    if (node == nullptr) return nullptr;
    node->target = target;
    node->iter = iterable;
    node->body = body;
    node->orelse = orelse;
    node->type_comment = type_comment;
    return node;
  };
  if (!is_async) return fill(make<node::For>(start));
  if (!requires_version(5, "Async for loops are")) return nullptr;
  return fill(make<node::AsyncFor>(start));
}

WithItem* Parser::with_item() {
  Expr* context = expression();
  if (context == nullptr) return nullptr;
  Expr* target = nullptr;
  if (at(Tok::kKwAs)) {
    const int as_mark = mark_++;
    target = star_target();
    const Tok next = target != nullptr ? kind() : Tok::kError;
    if (next != Tok::kComma && next != Tok::kRightParen && next != Tok::kColon) {
      if (UNLIKELY(diagnosing_) && !hard_error_) {
        mark_ = as_mark + 1;
        diagnose_with_target();
      }
      return nullptr;
    }
  }
  auto* item = make_product<WithItem>();
  if (item == nullptr) return nullptr;
  item->context_expr = context;
  item->optional_vars = target;
  return item;
}

bool Parser::with_items(Seq<WithItem*>& out, bool parenthesised) {
  const size_t base = scratch_.size();
  do {
    if (parenthesised && scratch_.size() != base && at(Tok::kRightParen)) break;
    WithItem* item = with_item();
    if (item == nullptr) return false;
    scratch_.push_back(item);
  } while (accept(Tok::kComma));
  if (parenthesised && !(accept(Tok::kRightParen) && at(Tok::kColon))) return false;
  return take(base, out);
}

Stmt* Parser::with_statement(int start, bool is_async) {
  const int with_mark = mark_++;
  Seq<WithItem*> items;
  bool parsed = false;
  bool used_parentheses = false;
  if (at(Tok::kLeftParen)) {
    // Either the parentheses enclose the items or they begin the first item's expression.
    const Checkpoint before = checkpoint();
    advance();
    parsed = used_parentheses = with_items(items, true);
    if (!parsed) {
      if (hard_error_) return nullptr;
      back_to(before);
    }
  }
  if ((!parsed && !with_items(items, false)) || !accept(Tok::kColon)) {
    if (UNLIKELY(diagnosing_) && !hard_error_) {
      diagnose_with(with_mark);
    }
    return nullptr;
  }
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block("'with' statement", with_mark)) return nullptr;
  PyObject* type_comment;
  if (!optional_type_comment(type_comment)) return nullptr;
  Seq<Stmt*> body;
  if (!block(body)) return nullptr;
  if (used_parentheses && !requires_version(9, "Parenthesized context managers are")) return nullptr;
  auto fill = [&](auto* node) -> Stmt* {
    if (node == nullptr) return nullptr;
    node->items = items;
    node->body = body;
    node->type_comment = type_comment;
    return node;
  };
  if (!is_async) return fill(make<node::With>(start));
  if (!requires_version(5, "Async with statements are")) return nullptr;
  return fill(make<node::AsyncWith>(start));
}

ExceptHandler* Parser::except_clause(bool is_star) {
  const int start = mark_++;
  if (is_star && !accept(Tok::kStar)) return nullptr;
  Expr* type = nullptr;
  PyObject* name = nullptr;
  if (is_star || !at(Tok::kColon)) {
    type = expression();
    if (type == nullptr) {
      diagnose_except(start, is_star);
      return nullptr;
    }
    if (accept(Tok::kKwAs)) {
      name = identifier();
      if (name == nullptr) return nullptr;
    }
  }
  if (!accept(Tok::kColon)) {
    diagnose_except(start, is_star);
    return nullptr;
  }
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block(is_star ? "'except*' statement" : "'except' statement", start)) {
    return nullptr;
  }
  Seq<Stmt*> body;
  if (!block(body)) return nullptr;
  auto* handler = make<node::ExceptHandlerClause>(start);
  if (handler == nullptr) return nullptr;
  handler->type = type;
  handler->name = name;
  handler->body = body;
  return handler;
}

Stmt* Parser::try_statement() {
  const int start = mark_++;
  if (!expect_forced(Tok::kColon, ":")) return nullptr;
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block("'try' statement", start)) return nullptr;
  Seq<Stmt*> body, orelse, final_body;
  const int body_mark = mark_;
  if (!block(body)) {
    if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_handler_without_block(body_mark);
    return nullptr;
  }
  const size_t base = scratch_.size();
  bool is_star = false;
  while (at(Tok::kKwExcept)) {
    if (scratch_.size() == base) is_star = kind_after() == Tok::kStar;
    if (UNLIKELY(diagnosing_) && is_star != (kind_after() == Tok::kStar) && !diagnose_mixed_except()) return nullptr;
    if (UNLIKELY(diagnosing_) && is_star != (kind_after() == Tok::kStar)) {
      diagnose_except(mark_, is_star);
      return nullptr;
    }
    ExceptHandler* handler = except_clause(is_star);
    if (handler == nullptr) return nullptr;
    scratch_.push_back(handler);
  }
  const bool has_handlers = scratch_.size() != base;
  if (!has_handlers && !at(Tok::kKwFinally)) {
    if (UNLIKELY(diagnosing_) && !hard_error_) syntax_error("expected 'except' or 'finally' block");
    return nullptr;
  }
  Seq<ExceptHandler*> handlers;
  if (!take(base, handlers)) return nullptr;
  if (has_handlers && !else_block(orelse)) return nullptr;
  if (at(Tok::kKwFinally)) {
    const int finally_mark = mark_++;
    if (!expect_forced(Tok::kColon, ":")) return nullptr;
    if (UNLIKELY(diagnosing_) && !diagnose_missing_block("'finally' statement", finally_mark)) return nullptr;
    if (!block(final_body)) return nullptr;
  }
  auto fill = [&](auto* node) -> Stmt* {
    if (node == nullptr) return nullptr;
    node->body = body;
    node->handlers = handlers;
    node->orelse = orelse;
    node->finalbody = final_body;
    return node;
  };
  if (!is_star) return fill(make<node::Try>(start));
  if (!requires_version(11, "Exception groups are")) return nullptr;
  return fill(make<node::TryStar>(start));
}

// --- Definitions -----------------------------------------------------------------------------------------------

Stmt* Parser::decorated() {
  const size_t base = scratch_.size();
  while (accept(Tok::kAt)) {
    Expr* decorator = named_expression();
    if (decorator == nullptr || !accept(Tok::kNewline)) return nullptr;
    scratch_.push_back(decorator);
  }
  Seq<Expr*> decorators;
  if (!take(base, decorators)) return nullptr;
  switch (kind()) {
    case Tok::kKwDef: return function_definition(mark_, false, decorators);
    case Tok::kKwClass: return class_definition(decorators);
    case Tok::kAsync:
      if (kind_after() != Tok::kKwDef) return nullptr;
      advance();
      return function_definition(mark_ - 1, true, decorators);
    default: return nullptr;
  }
}

Stmt* Parser::async_statement() {
  const int start = mark_++;
  switch (kind()) {
    case Tok::kKwDef: return function_definition(start, true, {});
    case Tok::kKwFor: return for_statement(start, true);
    case Tok::kKwWith: return with_statement(start, true);
    default: return nullptr;
  }
}

Stmt* Parser::function_definition(int start, bool is_async, Seq<Expr*> decorators) {
  const int def_mark = mark_++;
  PyObject* name = identifier();
  if (name == nullptr) return nullptr;
  if (!expect_forced(Tok::kLeftParen, "(")) return nullptr;
  Arguments* arguments = parameters(false);
  if (arguments == nullptr || !accept(Tok::kRightParen)) return nullptr;
  Expr* returns = nullptr;
  const Checkpoint before_arrow = checkpoint();
  if (accept(Tok::kArrow)) {
    returns = expression();
    if (returns == nullptr) {
      if (hard_error_ || !backtracking_) return nullptr;
      back_to(before_arrow);
    }
  }
  if (!expect_forced(Tok::kColon, ":")) return nullptr;
  // QUIRK: a type comment on a line of its own counts as a missing block once the text has failed.
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block("function definition", def_mark)) return nullptr;
  PyObject* type_comment = nullptr;
  if (UNLIKELY(lexer.type_comments)) {
    if (at(Tok::kNewline)) {
      // On a line of its own, if the body's indentation follows.
      const Checkpoint before = checkpoint();
      advance();
      if (at(Tok::kTypeComment)) {
        const Token comment = tokens_[mark_++];
        if (at(Tok::kNewline) && kind_after() == Tok::kIndent) {
          type_comment = type_comment_text(comment);
          if (type_comment == nullptr) return nullptr;
        }
      }
      if (type_comment == nullptr) {
        if (hard_error_) return nullptr;
        back_to(before);
      }
    } else if (at(Tok::kTypeComment)) {
      if (UNLIKELY(diagnosing_) && !diagnose_double_type_comment()) return nullptr;
      if (!optional_type_comment(type_comment)) return nullptr;
    }
  }
  Seq<Stmt*> body;
  if (!block(body)) return nullptr;
  auto fill = [&](auto* node) -> Stmt* {
    if (node == nullptr) return nullptr;
    node->name = name;
    node->args = arguments;
    node->body = body;
    node->decorator_list = decorators;
    node->returns = returns;
    node->type_comment = type_comment;
    return node;
  };
  if (!is_async) return fill(make<node::FunctionDef>(start));
  if (!requires_version(5, "Async functions are")) return nullptr;
  return fill(make<node::AsyncFunctionDef>(start));
}

Stmt* Parser::class_definition(Seq<Expr*> decorators) {
  const int start = mark_++;
  PyObject* name = identifier();
  if (name == nullptr) return nullptr;
  Seq<Expr*> bases;
  Seq<Keyword*> keywords;
  if (at(Tok::kLeftParen) && !call_arguments(bases, keywords, false)) return nullptr;
  if (!accept(Tok::kColon)) return diagnose_missing_colon();
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block("class definition", start)) return nullptr;
  Seq<Stmt*> body;
  if (!block(body)) return nullptr;
  auto* node = make<node::ClassDef>(start);
  if (node == nullptr) return nullptr;
  node->name = name;
  node->bases = bases;
  node->keywords = keywords;
  node->body = body;
  node->decorator_list = decorators;
  return node;
}

Arg* Parser::parameter(bool is_lambda, bool star_annotation) {
  const int start = mark_;
  PyObject* name = identifier();
  if (name == nullptr) return nullptr;
  Expr* annotation = nullptr;
  if (!is_lambda && accept(Tok::kColon)) {
    annotation = star_annotation ? star_expression() : expression();
    if (annotation == nullptr) return nullptr;
  }
  auto* arg = make_product<Arg>();
  if (arg == nullptr) return nullptr;
  arg->arg = name;
  arg->annotation = annotation;
  set_position(arg->position, start);
  return arg;
}

/// Up to, not including, the closing ")" or the lambda's ":".
Arguments* Parser::parameters(bool is_lambda) {
  const Tok closer = is_lambda ? Tok::kColon : Tok::kRightParen;
  auto* arguments = make_product<Arguments>();
  if (arguments == nullptr) return nullptr;
  if (UNLIKELY(diagnosing_) && !diagnose_parameters(is_lambda)) return nullptr;
  auto& positional = parameter_scratch_[0];
  auto& defaults = parameter_scratch_[1];
  auto& keyword_only = parameter_scratch_[2];
  auto& keyword_defaults = parameter_scratch_[3];
  const size_t bases[4] = {positional.size(), defaults.size(), keyword_only.size(), keyword_defaults.size()};
  bool seen_star = false;
  bool seen_slash = false;
  bool names_must_follow = false;
  auto type_comment_of = [&](Arg* arg) {  // after the comma, or right before the closer
    return is_lambda || optional_type_comment(arg->type_comment);
  };
  while (!at(closer)) {
    const Tok first = kind();
    Arg* arg = nullptr;
    if (first == Tok::kSlash) {
      if (seen_slash || seen_star || positional.size() == bases[0]) return nullptr;
      seen_slash = true;
      advance();
      const int count = static_cast<int>(positional.size() - bases[0]);
      arguments->posonlyargs = arena_.sequence<Arg*>(count);
      if (arguments->posonlyargs.count != count) return out_of_memory<Arguments>();
      for (int i = 0; i < count; i++) {
        arguments->posonlyargs[i] = static_cast<Arg*>(positional[bases[0] + static_cast<size_t>(i)]);
      }
      positional.resize(bases[0]);
    } else if (first == Tok::kStar) {
      if (seen_star) return nullptr;
      seen_star = true;
      advance();
      if (at(Tok::kComma)) {
        names_must_follow = true;
      } else {
        arg = arguments->vararg = parameter(is_lambda, true);
        if (arg == nullptr) return nullptr;
      }
    } else if (first == Tok::kDoubleStar) {
      if (names_must_follow) return nullptr;
      advance();
      arg = arguments->kwarg = parameter(is_lambda, false);
      if (arg == nullptr) return nullptr;
      accept(Tok::kComma);
      if (!type_comment_of(arg)) return nullptr;
      if (!at(closer)) return nullptr;
      break;
    } else {
      arg = parameter(is_lambda, false);
      if (arg == nullptr) return nullptr;
      Expr* value = nullptr;
      if (accept(Tok::kEqual)) {
        value = expression();
        if (value == nullptr) return nullptr;
      }
      if (seen_star) {
        names_must_follow = false;
        keyword_only.push_back(arg);
        keyword_defaults.push_back(value);
      } else {
        if (value == nullptr && defaults.size() != bases[1]) return nullptr;
        positional.push_back(arg);
        if (value != nullptr) defaults.push_back(value);
      }
    }
    const bool comma = accept(Tok::kComma);
    if (arg != nullptr && !type_comment_of(arg)) return nullptr;
    if (!comma) break;
  }
  if (names_must_follow || !at(closer)) return nullptr;
  if (seen_slash && !requires_version(8, "Positional-only parameters are")) return nullptr;
  auto move = [&](int list, auto& out) {
    auto& source = parameter_scratch_[list];
    const int count = static_cast<int>(source.size() - bases[list]);
    using Element = std::remove_reference_t<decltype(out[0])>;
    out = arena_.sequence<Element>(count);
    if (out.count != count) return false;
    for (int i = 0; i < count; i++) out[i] = static_cast<Element>(source[bases[list] + static_cast<size_t>(i)]);
    source.resize(bases[list]);
    return true;
  };
  if (!move(0, arguments->args) || !move(1, arguments->defaults) || !move(2, arguments->kwonlyargs) ||
      !move(3, arguments->kw_defaults)) {
    return out_of_memory<Arguments>();
  }
  return arguments;
}

}  // namespace pyston
