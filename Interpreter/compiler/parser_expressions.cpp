// Expressions, from star_expressions down to atoms, and the targets of assignments.
//
// Binary operators are parsed by precedence climbing. Targets are parsed as expressions and checked afterwards: every
// target is also an expression, so no text is read twice.
#include <cstring>

#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

namespace {

struct BinaryOperator {
  uint8_t precedence = 0;  // 0: not a binary operator; higher binds tighter
  Operator op = Operator::kAdd;
};
struct BinaryTable {
  BinaryOperator row[static_cast<int>(Tok::kTokenCount)];
  constexpr BinaryTable() {
    auto set = [this](Tok token, uint8_t precedence, Operator op) { row[static_cast<int>(token)] = {precedence, op}; };
    set(Tok::kBar, 1, Operator::kBitOr);
    set(Tok::kCaret, 2, Operator::kBitXor);
    set(Tok::kAmpersand, 3, Operator::kBitAnd);
    set(Tok::kLeftShift, 4, Operator::kLShift);
    set(Tok::kRightShift, 4, Operator::kRShift);
    set(Tok::kPlus, 5, Operator::kAdd);
    set(Tok::kMinus, 5, Operator::kSub);
    set(Tok::kStar, 6, Operator::kMult);
    set(Tok::kSlash, 6, Operator::kDiv);
    set(Tok::kDoubleSlash, 6, Operator::kFloorDiv);
    set(Tok::kPercent, 6, Operator::kMod_);
    set(Tok::kAt, 6, Operator::kMatMult);
  }
};
constexpr BinaryTable kBinary;

struct StarterTable {
  bool row[static_cast<int>(Tok::kTokenCount)] = {};
  constexpr StarterTable() {
    for (Tok token : {Tok::kName, Tok::kNumber, Tok::kString, Tok::kLeftParen, Tok::kLeftBracket, Tok::kLeftBrace,
                      Tok::kMinus, Tok::kPlus, Tok::kTilde, Tok::kEllipsis, Tok::kKwNone, Tok::kKwTrue, Tok::kKwFalse,
                      Tok::kKwNot, Tok::kKwLambda, Tok::kAwait}) {
      row[static_cast<int>(token)] = true;
    }
  }
};
constexpr StarterTable kStarts;

}  // namespace

bool Parser::token_can_start_expression(Tok type) const { return kStarts.row[static_cast<int>(type)]; }

Expr* Parser::star_expression() {
  if (LIKELY(!at(Tok::kStar))) return expression();
  const int start = mark_++;
  Expr* value = bitwise_or();
  if (value == nullptr) return nullptr;
  auto* node = make<node::Starred>(start);
  if (node == nullptr) return nullptr;
  node->value = value;
  node->ctx = ExprContext::kLoad;
  return node;
}

Expr* Parser::star_expressions() {
  const int start = mark_;
  Expr* first = star_expression();
  if (first == nullptr || LIKELY(!at(Tok::kComma))) return first;
  const size_t base = scratch_.size();
  scratch_.push_back(first);
  while (accept(Tok::kComma)) {
    const Tok next = kind();
    if (!token_can_start_expression(next) && next != Tok::kStar) break;
    const Checkpoint before = checkpoint();
    Expr* element = star_expression();
    if (element == nullptr) {
      if (hard_error_ || !backtracking_) return nullptr;
      back_to(before);
      break;
    }
    scratch_.push_back(element);
  }
  auto* tuple = make<node::Tuple>(start);
  if (tuple == nullptr || !take(base, tuple->elts)) return nullptr;
  tuple->ctx = ExprContext::kLoad;
  return tuple;
}

Expr* Parser::star_named_expression() {
  if (UNLIKELY(at(Tok::kStar))) return star_expression();
  return named_expression();
}

Expr* Parser::named_expression() {
  const int start = mark_;
  if (at(Tok::kName) && kind_after() == Tok::kColonEqual) {
    Expr* target = name_expression(ExprContext::kStore);
    if (target == nullptr) return nullptr;
    advance();
    Expr* value = expression();
    if (value == nullptr || !requires_version(8, "Assignment expressions are")) return nullptr;
    auto* node = make<node::NamedExpr>(start);
    if (node == nullptr) return nullptr;
    node->target = target;
    node->value = value;
    return node;
  }
  if (UNLIKELY(diagnosing_)) {
    if (!diagnose_named_expression()) return nullptr;
  }
  Expr* value = expression();
  if (value == nullptr || UNLIKELY(at(Tok::kColonEqual))) return nullptr;
  return value;
}

Expr* Parser::expression() {
  if (UNLIKELY(backtracking_)) return diagnosing_expression();
  return plain_expression();
}

Expr* Parser::plain_expression() {
  Depth depth(*this, 1);
  if (depth.exceeded()) return nullptr;
  const int start = mark_;
  if (UNLIKELY(at(Tok::kKwLambda))) return lambda();
  Expr* body = disjunction();
  if (body == nullptr || LIKELY(!at(Tok::kKwIf))) return body;
  const Checkpoint before = checkpoint();
  advance();
  Expr* test = disjunction();
  if (test == nullptr || !accept(Tok::kKwElse)) {
    if (hard_error_) return nullptr;
    back_to(before);  // e.g. the "if" of a comprehension or of a case guard
    return body;
  }
  Expr* orelse = expression();
  if (orelse == nullptr) {
    if (hard_error_) return nullptr;
    back_to(before);
    return body;
  }
  auto* node = make<node::IfExp>(start);
  if (node == nullptr) return nullptr;
  node->test = test;
  node->body = body;
  node->orelse = orelse;
  return node;
}

Expr* Parser::disjunction() {
  const int start = mark_;
  Expr* first;
  if (UNLIKELY(backtracking_)) {
    if (memo_find(kMemoDisjunction, first)) return first;
    first = conjunction();
    if (first != nullptr && at(Tok::kKwOr)) first = disjunction_tail(start, first);
    return memo_store(kMemoDisjunction, start, first);
  }
  first = conjunction();
  if (first == nullptr || LIKELY(!at(Tok::kKwOr))) return first;
  return disjunction_tail(start, first);
}

Expr* Parser::disjunction_tail(int start, Expr* first) {
  const size_t base = scratch_.size();
  scratch_.push_back(first);
  while (at(Tok::kKwOr)) {
    const Checkpoint before = checkpoint();
    advance();
    Expr* next = conjunction();
    if (next == nullptr) {
      if (hard_error_ || !backtracking_) return nullptr;
      back_to(before);
      break;
    }
    scratch_.push_back(next);
  }
  if (UNLIKELY(scratch_.size() == base + 1)) {
    scratch_.pop_back();
    return first;
  }
  auto* node = make<node::BoolOp>(start);
  if (node == nullptr || !take(base, node->values)) return nullptr;
  node->op = BoolOperator::kOr;
  return node;
}

Expr* Parser::conjunction() {
  const int start = mark_;
  Expr* first = inversion();
  if (first == nullptr || LIKELY(!at(Tok::kKwAnd))) return first;
  const size_t base = scratch_.size();
  scratch_.push_back(first);
  while (at(Tok::kKwAnd)) {
    const Checkpoint before = checkpoint();
    advance();
    Expr* next = inversion();
    if (next == nullptr) {
      if (hard_error_ || !backtracking_) return nullptr;
      back_to(before);
      break;
    }
    scratch_.push_back(next);
  }
  if (UNLIKELY(scratch_.size() == base + 1)) {
    scratch_.pop_back();
    return first;
  }
  auto* node = make<node::BoolOp>(start);
  if (node == nullptr || !take(base, node->values)) return nullptr;
  node->op = BoolOperator::kAnd;
  return node;
}

Expr* Parser::inversion() {
  if (UNLIKELY(backtracking_)) {
    const int start = mark_;
    Expr* known;
    if (memo_find(kMemoInversion, known)) return known;
    return memo_store(kMemoInversion, start, plain_inversion());
  }
  return plain_inversion();
}

Expr* Parser::plain_inversion() {
  if (LIKELY(!at(Tok::kKwNot))) return comparison();
  Depth depth(*this, 1);
  if (depth.exceeded()) return nullptr;
  const int start = mark_++;
  Expr* operand = inversion();
  if (operand == nullptr) return nullptr;
  auto* node = make<node::UnaryOp>(start);
  if (node == nullptr) return nullptr;
  node->op = UnaryOperator::kNot;
  node->operand = operand;
  return node;
}

Expr* Parser::comparison() {
  const int start = mark_;
  Expr* left = bitwise_or();
  if (left == nullptr) return nullptr;
  const size_t base = scratch_.size();
  for (;;) {
    CompareOperator op;
    const int before = mark_;
    switch (kind()) {
      case Tok::kEqualEqual: op = CompareOperator::kEq; break;
      case Tok::kNotEqual: {
        const bool old_spelling = *lexer.start_of(tokens_[mark_]) == '<';
        if (UNLIKELY(flags_ & CO_FUTURE_BARRY_AS_BDFL)) {
          if (!old_spelling) {
            raise_here(PyExc_SyntaxError, "with Barry as BDFL, use '<>' instead of '!='");
            return nullptr;
          }
        } else if (old_spelling) {
          goto done;
        }
        op = CompareOperator::kNotEq;
        break;
      }
      case Tok::kLess: op = CompareOperator::kLt; break;
      case Tok::kLessEqual: op = CompareOperator::kLtE; break;
      case Tok::kGreater: op = CompareOperator::kGt; break;
      case Tok::kGreaterEqual: op = CompareOperator::kGtE; break;
      case Tok::kKwIn: op = CompareOperator::kIn; break;
      case Tok::kKwNot:
        if (kind_after() != Tok::kKwIn) goto done;
        advance();
        op = CompareOperator::kNotIn;
        break;
      case Tok::kKwIs:
        op = CompareOperator::kIs;
        if (kind_after() == Tok::kKwNot) {
          advance();
          op = CompareOperator::kIsNot;
        }
        break;
      default: goto done;
    }
    advance();
    Expr* right = bitwise_or();
    if (right == nullptr) {
      if (hard_error_ || !backtracking_) return nullptr;
      mark_ = before;
      break;
    }
    scratch_.push_back(reinterpret_cast<void*>(static_cast<uintptr_t>(op)));
    scratch_.push_back(right);
  }
done:
  if (LIKELY(scratch_.size() == base)) return hard_error_ ? nullptr : left;
  auto* node = make<node::Compare>(start);
  const int count = static_cast<int>((scratch_.size() - base) / 2);
  if (node == nullptr) return nullptr;
  node->left = left;
  node->ops = arena_.sequence<CompareOperator>(count);
  node->comparators = arena_.sequence<Expr*>(count);
  if (node->ops.count != count || node->comparators.count != count) return out_of_memory<Expr>();
  for (int i = 0; i < count; i++) {
    node->ops[i] = static_cast<CompareOperator>(reinterpret_cast<uintptr_t>(scratch_[base + 2 * static_cast<size_t>(i)]));
    node->comparators[i] = static_cast<Expr*>(scratch_[base + 2 * static_cast<size_t>(i) + 1]);
  }
  scratch_.resize(base);
  return node;
}

Expr* Parser::binary(int minimum_precedence) {
  const int start = mark_;
  Expr* left = factor();
  if (left == nullptr) return nullptr;
  for (;;) {
    const BinaryOperator& row = kBinary.row[static_cast<int>(kind())];
    if (LIKELY(row.precedence < minimum_precedence || row.precedence == 0)) return left;
    const int before = mark_++;
    Expr* right = binary(row.precedence + 1);
    if (right == nullptr) {
      if (hard_error_ || !backtracking_) return nullptr;
      mark_ = before;
      return left;
    }
    if (row.op == Operator::kMatMult && !requires_version(5, "The '@' operator is")) return nullptr;
    auto* node = make<node::BinOp>(start);
    if (node == nullptr) return nullptr;
    node->left = left;
    node->op = row.op;
    node->right = right;
    left = node;
  }
}

Expr* Parser::factor() {
  if (UNLIKELY(backtracking_)) {
    const int start = mark_;
    Expr* known;
    if (memo_find(kMemoFactor, known)) return known;
    return memo_store(kMemoFactor, start, plain_factor());
  }
  return plain_factor();
}

Expr* Parser::plain_factor() {
  UnaryOperator op;
  switch (kind()) {
    case Tok::kMinus: op = UnaryOperator::kUSub; break;
    case Tok::kPlus: op = UnaryOperator::kUAdd; break;
    case Tok::kTilde: op = UnaryOperator::kInvert; break;
    default: return power();
  }
  Depth depth(*this, 1);
  if (depth.exceeded()) return nullptr;
  const int start = mark_++;
  Expr* operand = factor();
  if (operand == nullptr) return nullptr;
  auto* node = make<node::UnaryOp>(start);
  if (node == nullptr) return nullptr;
  node->op = op;
  node->operand = operand;
  return node;
}

Expr* Parser::power() {
  const int start = mark_;
  Expr* left = await_primary();
  if (left == nullptr || LIKELY(!at(Tok::kDoubleStar))) return left;
  Depth depth(*this, 2);
  if (depth.exceeded()) return nullptr;
  const int before = mark_++;
  Expr* right = factor();
  if (right == nullptr) {
    if (hard_error_ || !backtracking_) return nullptr;
    mark_ = before;
    return left;
  }
  auto* node = make<node::BinOp>(start);
  if (node == nullptr) return nullptr;
  node->left = left;
  node->op = Operator::kPow;
  node->right = right;
  return node;
}

Expr* Parser::await_primary() {
  if (LIKELY(!at(Tok::kAwait))) return primary();
  const int start = mark_++;
  Expr* value = primary();
  if (value == nullptr || !requires_version(5, "Await expressions are")) return nullptr;
  auto* node = make<node::Await>(start);
  if (node == nullptr) return nullptr;
  node->value = value;
  return node;
}

Expr* Parser::primary() {
  const int start = mark_;
  if (UNLIKELY(backtracking_)) {
    Expr* known;
    if (memo_find(kMemoPrimary, known)) return known;
    known = atom();
    if (known != nullptr) known = primary_tail(start, known);
    return memo_store(kMemoPrimary, start, known);
  }
  Expr* value = atom();
  if (value == nullptr) return nullptr;
  return primary_tail(start, value);
}

Expr* Parser::primary_tail(int start, Expr* value) {
  for (;;) {
    switch (kind()) {
      case Tok::kDot: {
        const int before = mark_++;
        if (!at(Tok::kName)) {
          if (hard_error_ || !backtracking_) return nullptr;
          mark_ = before;
          return value;
        }
        PyObject* name = name_of(tokens_[mark_++]);
        auto* node = make<node::Attribute>(start);
        if (node == nullptr || name == nullptr) return nullptr;
        node->value = value;
        node->attr = name;
        node->ctx = ExprContext::kLoad;
        value = node;
        break;
      }
      case Tok::kLeftParen: {
        const Checkpoint before = checkpoint();
        Expr* call = call_after(start, value);
        if (call == nullptr) {
          if (hard_error_ || !backtracking_) return nullptr;
          back_to(before);
          return value;
        }
        value = call;
        break;
      }
      case Tok::kLeftBrace:
        // QUIRK: where arguments may follow, mistakes of comprehensions are looked for in every sort of bracket.
        if (UNLIKELY(diagnosing_)) diagnose_comprehension(mark_);
        return hard_error_ ? nullptr : value;
      case Tok::kLeftBracket: {
        if (UNLIKELY(diagnosing_)) {
          diagnose_comprehension(mark_);
          if (hard_error_) return nullptr;
        }
        const Checkpoint before = checkpoint();
        advance();
        Depth depth(*this, 20);
        if (depth.exceeded()) return nullptr;
        Expr* index = slices();
        if (index == nullptr || !accept(Tok::kRightBracket)) {
          if (hard_error_ || !backtracking_) return nullptr;
          back_to(before);
          return value;
        }
        auto* node = make<node::Subscript>(start);
        if (node == nullptr) return nullptr;
        node->value = value;
        node->slice = index;
        node->ctx = ExprContext::kLoad;
        value = node;
        break;
      }
      default: return hard_error_ ? nullptr : value;
    }
  }
}

/// "(arguments)" after `value`. In the second pass also where there is no parenthesis: see diagnosing_call().
Expr* Parser::call_after(int start, Expr* value) {
  Depth depth(*this, 20);
  if (depth.exceeded()) return nullptr;
  if (UNLIKELY(!at(Tok::kLeftParen))) {
    if (diagnosing_ && (at(Tok::kLeftBracket) || at(Tok::kLeftBrace))) diagnose_comprehension(mark_);
    return nullptr;
  }
  Seq<Expr*> args;
  Seq<Keyword*> keywords;
  if (!call_arguments(args, keywords, true)) return nullptr;
  auto* node = make<node::Call>(start);
  if (node == nullptr) return nullptr;
  node->func = value;
  node->args = args;
  node->keywords = keywords;
  return node;
}

Expr* Parser::slice() {
  const int start = mark_;
  Expr* lower = nullptr;
  if (UNLIKELY(diagnosing_) && !at(Tok::kColon)) {
    // A slice is tried before a named expression, which has mistakes of its own.
    Retreat retreat(*this);
    expression();
    if (hard_error_) return nullptr;
  }
  if (!at(Tok::kColon)) {
    const bool is_assignment = at(Tok::kName) && kind_after() == Tok::kColonEqual;
    lower = named_expression();
    if (lower == nullptr || !at(Tok::kColon) || is_assignment) return lower;
  }
  advance();
  auto absent = [this] {
    const Tok next = kind();
    return next == Tok::kColon || next == Tok::kComma || next == Tok::kRightBracket;
  };
  Expr* upper = nullptr;
  Expr* step = nullptr;
  if (!absent() && (upper = expression()) == nullptr) return nullptr;
  if (accept(Tok::kColon)) {
    if (!absent() && (step = expression()) == nullptr) return nullptr;
  }
  auto* node = make<node::Slice>(start);
  if (node == nullptr) return nullptr;
  node->lower = lower;
  node->upper = upper;
  node->step = step;
  return node;
}

Expr* Parser::slices() {
  const int start = mark_;
  const bool starred = at(Tok::kStar);
  Expr* first = starred ? starred_expression() : slice();
  if (first == nullptr) return nullptr;
  if (!starred && LIKELY(!at(Tok::kComma))) return first;
  const size_t base = scratch_.size();
  scratch_.push_back(first);
  while (accept(Tok::kComma)) {
    const Tok next = kind();
    if (!token_can_start_expression(next) && next != Tok::kStar && next != Tok::kColon) break;
    Expr* element = next == Tok::kStar ? starred_expression() : slice();
    if (element == nullptr) return nullptr;
    scratch_.push_back(element);
  }
  auto* tuple = make<node::Tuple>(start);
  if (tuple == nullptr || !take(base, tuple->elts)) return nullptr;
  tuple->ctx = ExprContext::kLoad;
  return tuple;
}

/// "*x" in a call or a subscript: unlike star_expression, any expression follows.
Expr* Parser::starred_expression() {
  const int start = mark_;
  if (!accept(Tok::kStar)) return nullptr;
  Expr* value = expression();
  if (value == nullptr) return nullptr;
  auto* node = make<node::Starred>(start);
  if (node == nullptr) return nullptr;
  node->value = value;
  node->ctx = ExprContext::kLoad;
  return node;
}

/// From "(" to ")". Positional arguments come first, then name=value and *values, then name=value and **values.
bool Parser::call_arguments(Seq<Expr*>& args, Seq<Keyword*>& keywords, bool allow_generator) {
  const int opening = mark_++;
  if (UNLIKELY(backtracking_)) return diagnosing_call(opening, args, keywords, allow_generator);
  return plain_call_arguments(opening, args, keywords, allow_generator);
}

/// In the second pass: a generator expression, arguments that match, or what is wrong with them.
bool Parser::diagnosing_call(int opening, Seq<Expr*>& args, Seq<Keyword*>& keywords, bool allow_generator) {
  const Checkpoint inside = checkpoint();
  if (allow_generator && diagnosing_) {
    Expr* element = argument_expression();
    Seq<Comprehension*> generators;
    if (element == nullptr || !comprehension_clauses(generators) || !at(Tok::kRightParen)) {
      if (hard_error_) return false;
      back_to(inside);
      diagnose_comprehension(opening);
      if (hard_error_) return false;
    }
    back_to(inside);
  }
  if (plain_call_arguments(opening, args, keywords, allow_generator)) return true;
  if (hard_error_ || !diagnosing_) return false;
  back_to(inside);
  // The matching above stops where the grammar's would; now with the search for mistakes.
  ParsedArguments parsed;
  const bool any = diagnosing_arguments(parsed);
  if (hard_error_) return false;
  if (any) accept(Tok::kComma);
  if (!any || !at(Tok::kRightParen)) {
    back_to(inside);
    diagnose_arguments();
  }
  return false;
}

bool Parser::plain_call_arguments(int opening, Seq<Expr*>& args, Seq<Keyword*>& keywords, bool allow_generator) {
  const size_t base = scratch_.size();
  const size_t keyword_base = keyword_scratch_.size();
  bool seen_keyword = false;
  bool seen_double_star = false;
  while (!at(Tok::kRightParen)) {
    const int start = mark_;
    const Tok first = kind();
    if (first == Tok::kStar) {
      if (seen_double_star) return false;
      Expr* starred = starred_expression();
      if (starred == nullptr) return false;
      scratch_.push_back(starred);
    } else if (first == Tok::kDoubleStar || (first == Tok::kName && kind_after() == Tok::kEqual)) {
      PyObject* name = nullptr;
      if (first == Tok::kDoubleStar) {
        seen_double_star = true;
        advance();
      } else {
        name = name_of(tokens_[mark_]);
        if (name == nullptr) return false;
        mark_ += 2;
      }
      seen_keyword = true;
      Expr* value = expression();
      if (value == nullptr) return false;
      auto* keyword = make_product<Keyword>();
      if (keyword == nullptr) return false;
      keyword->arg = name;
      keyword->value = value;
      set_position(keyword->position, start);
      keyword_scratch_.push_back(keyword);
    } else {
      if (seen_keyword) {
        return false;
      }
      Expr* value = argument_expression();
      if (value == nullptr || at(Tok::kEqual)) return false;
      const Tok next = kind();
      if (UNLIKELY(next == Tok::kKwFor || next == Tok::kAsync)) {
        if (!allow_generator || scratch_.size() != base || seen_keyword) return false;
        Seq<Comprehension*> generators;
        if (!comprehension_clauses(generators) || !accept(Tok::kRightParen)) return false;
        auto* generator = make<node::GeneratorExp>(opening);
        if (generator == nullptr) return false;
        generator->elt = value;
        generator->generators = generators;
        args = single<Expr*>(generator);
        return args.count == 1;
      }
      scratch_.push_back(value);
    }
    if (!accept(Tok::kComma)) break;
    if (scratch_.size() == base && keyword_scratch_.size() == keyword_base) return false;
  }
  if (!accept(Tok::kRightParen)) return false;
  if (!take(base, args)) return false;
  const int count = static_cast<int>(keyword_scratch_.size() - keyword_base);
  keywords = arena_.sequence<Keyword*>(count);
  if (keywords.count != count) {
    hard_error_ = true;
    return false;
  }
  for (int i = 0; i < count; i++) {
    keywords[i] = static_cast<Keyword*>(keyword_scratch_[keyword_base + static_cast<size_t>(i)]);
  }
  keyword_scratch_.resize(keyword_base);
  return true;
}

bool Parser::comprehension_clauses(Seq<Comprehension*>& out) {
  const size_t base = scratch_.size();
  for (;;) {
    const bool is_async = at(Tok::kAsync) && kind_after() == Tok::kKwFor;
    if (!is_async && !at(Tok::kKwFor)) break;
    const Checkpoint before = checkpoint();
    mark_ += is_async ? 2 : 1;
    const int for_mark = mark_ - 1;
    Expr* target = star_targets();
    if (target == nullptr || !accept(Tok::kKwIn)) {
      if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_for_target(for_mark);
      if (hard_error_ || !backtracking_ || scratch_.size() <= base) return false;
      back_to(before);
      break;
    }
    Expr* iterable = disjunction();
    if (iterable == nullptr) {
      if (hard_error_ || !backtracking_ || scratch_.size() <= base) return false;
      back_to(before);
      break;
    }
    auto* clause = make_product<Comprehension>();
    if (clause == nullptr) return false;
    const size_t ifs_base = scratch_.size();
    while (at(Tok::kKwIf)) {
      const Checkpoint before_if = checkpoint();
      advance();
      Expr* test = disjunction();
      if (test == nullptr) {
        if (hard_error_ || !backtracking_) return false;
        back_to(before_if);
        break;
      }
      scratch_.push_back(test);
    }
    if (is_async && !requires_version(6, "Async comprehensions are")) return false;
    clause->target = target;
    clause->iter = iterable;
    clause->is_async = is_async;
    if (!take(ifs_base, clause->ifs)) return false;
    scratch_.push_back(clause);
  }
  if (scratch_.size() == base) return false;
  return take(base, out);
}

Expr* Parser::constant(int start, PyObject* value) {
  if (UNLIKELY(value == nullptr)) {
    hard_error_ = true;
    return nullptr;
  }
  auto* node = make<node::Constant>(start);
  if (node == nullptr) return nullptr;
  node->value = value;
  return node;
}

Expr* Parser::atom() {
  const int start = mark_;
  switch (kind()) {
    case Tok::kName: return name_expression(ExprContext::kLoad);
    case Tok::kNumber: return number();
    case Tok::kString: return strings();
    case Tok::kLeftParen: return parenthesised();
    case Tok::kLeftBracket: return list_display();
    case Tok::kLeftBrace: return brace_display();
    case Tok::kKwNone: advance(); return constant(start, Py_None);
    case Tok::kKwTrue: advance(); return constant(start, Py_True);
    case Tok::kKwFalse: advance(); return constant(start, Py_False);
    case Tok::kEllipsis: advance(); return constant(start, Py_Ellipsis);
    default: return nullptr;
  }
}

Expr* Parser::parenthesised() {
  Depth depth(*this, 20);
  if (depth.exceeded()) return nullptr;
  const int start = mark_++;
  if (at(Tok::kRightParen)) {
    advance();
    auto* tuple = make<node::Tuple>(start);
    if (tuple == nullptr) return nullptr;
    tuple->ctx = ExprContext::kLoad;
    return tuple;
  }
  if (UNLIKELY(at(Tok::kKwYield))) {
    Expr* value = yield_expression();
    if (value == nullptr || !accept(Tok::kRightParen)) {
      if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_group(start);
      return nullptr;
    }
    return value;
  }
  const bool starred = at(Tok::kStar);
  Expr* first = UNLIKELY(at(Tok::kDoubleStar)) ? nullptr : star_named_expression();
  if (first != nullptr && !(starred && !at(Tok::kComma))) {
    if (accept(Tok::kRightParen)) return first;
    if (at(Tok::kComma)) {
      const size_t base = scratch_.size();
      scratch_.push_back(first);
      while (accept(Tok::kComma)) {
        const Tok next = kind();
        if (!token_can_start_expression(next) && next != Tok::kStar) break;
        Expr* element = star_named_expression();
        if (element == nullptr) {
          if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_group(start);
          return nullptr;
        }
        scratch_.push_back(element);
      }
      if (!accept(Tok::kRightParen)) {
        if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_group(start);
        return nullptr;
      }
      auto* tuple = make<node::Tuple>(start);
      if (tuple == nullptr || !take(base, tuple->elts)) return nullptr;
      tuple->ctx = ExprContext::kLoad;
      return tuple;
    }
    if (at(Tok::kKwFor) || at(Tok::kAsync)) {
      Seq<Comprehension*> generators;
      if (comprehension_clauses(generators) && accept(Tok::kRightParen)) {
        auto* generator = make<node::GeneratorExp>(start);
        if (generator == nullptr) return nullptr;
        generator->elt = first;
        generator->generators = generators;
        return generator;
      }
    }
  }
  if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_group(start);
  return nullptr;
}

Expr* Parser::list_display() {
  Depth depth(*this, 20);
  if (depth.exceeded()) return nullptr;
  const int start = mark_++;
  const size_t base = scratch_.size();
  if (!at(Tok::kRightBracket)) {
    const bool starred = at(Tok::kStar);
    Expr* first = star_named_expression();
    if (first == nullptr) {
      if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_comprehension(start);
      return nullptr;
    }
    if (UNLIKELY(at(Tok::kKwFor) || at(Tok::kAsync))) {
      Seq<Comprehension*> generators;
      if (starred || !comprehension_clauses(generators) || !accept(Tok::kRightBracket)) {
        if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_comprehension(start);
        return nullptr;
      }
      auto* node = make<node::ListComp>(start);
      if (node == nullptr) return nullptr;
      node->elt = first;
      node->generators = generators;
      return node;
    }
    scratch_.push_back(first);
    while (accept(Tok::kComma)) {
      const Tok next = kind();
      if (!token_can_start_expression(next) && next != Tok::kStar) break;
      Expr* element = star_named_expression();
      if (element == nullptr) {
        if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_comprehension(start);
        return nullptr;
      }
      scratch_.push_back(element);
    }
  }
  if (!accept(Tok::kRightBracket)) {
    if (UNLIKELY(diagnosing_) && !hard_error_) diagnose_comprehension(start);
    return nullptr;
  }
  auto* node = make<node::List>(start);
  if (node == nullptr || !take(base, node->elts)) return nullptr;
  node->ctx = ExprContext::kLoad;
  return node;
}

Expr* Parser::brace_display() {
  Depth depth(*this, 20);
  if (depth.exceeded()) return nullptr;
  if (UNLIKELY(backtracking_)) return backtracking_brace_display();
  return plain_brace_display();
}

Expr* Parser::plain_brace_display() {
  const int start = mark_++;
  const size_t base = scratch_.size();
  Seq<Comprehension*> generators;
  // The first element tells dictionaries and sets apart.
  const bool starred = at(Tok::kStar);
  const bool double_starred = at(Tok::kDoubleStar);
  Expr* first = nullptr;
  bool is_dict = double_starred || at(Tok::kRightBrace);
  if (!is_dict) {
    const bool is_assignment = at(Tok::kName) && kind_after() == Tok::kColonEqual;
    first = star_named_expression();
    if (first == nullptr) return nullptr;
    is_dict = at(Tok::kColon) && !starred && !is_assignment;
  }
  if (!is_dict) {
    if (UNLIKELY(at(Tok::kKwFor) || at(Tok::kAsync))) {
      if (starred || !comprehension_clauses(generators) || !accept(Tok::kRightBrace)) return nullptr;
      auto* node = make<node::SetComp>(start);
      if (node == nullptr) return nullptr;
      node->elt = first;
      node->generators = generators;
      return node;
    }
    scratch_.push_back(first);
    while (accept(Tok::kComma)) {
      const Tok next = kind();
      if (!token_can_start_expression(next) && next != Tok::kStar) break;
      Expr* element = star_named_expression();
      if (element == nullptr) return nullptr;
      scratch_.push_back(element);
    }
    if (!accept(Tok::kRightBrace)) return nullptr;
    auto* node = make<node::Set>(start);
    if (node == nullptr || !take(base, node->elts)) return nullptr;
    return node;
  }
  // Keys and values alternate on the scratch stack.
  while (!at(Tok::kRightBrace)) {
    Expr* key = first;
    first = nullptr;
    Expr* value;
    const bool unpacking = key == nullptr && accept(Tok::kDoubleStar);
    if (unpacking) {
      value = bitwise_or();
    } else {
      if (key == nullptr) key = expression();
      if (key == nullptr || !accept(Tok::kColon)) return nullptr;
      value = expression();
    }
    if (value == nullptr) return nullptr;
    if (UNLIKELY((at(Tok::kKwFor) || at(Tok::kAsync)) && scratch_.size() == base && !unpacking)) {
      if (!comprehension_clauses(generators) || !accept(Tok::kRightBrace)) return nullptr;
      auto* node = make<node::DictComp>(start);
      if (node == nullptr) return nullptr;
      node->key = key;
      node->value = value;
      node->generators = generators;
      return node;
    }
    scratch_.push_back(key);
    scratch_.push_back(value);
    if (!accept(Tok::kComma)) break;
  }
  if (!accept(Tok::kRightBrace)) return nullptr;
  auto* node = make<node::Dict>(start);
  if (node == nullptr) return nullptr;
  const int count = static_cast<int>((scratch_.size() - base) / 2);
  node->keys = arena_.sequence<Expr*>(count);
  node->values = arena_.sequence<Expr*>(count);
  if (node->keys.count != count || node->values.count != count) return out_of_memory<Expr>();
  for (int i = 0; i < count; i++) {
    node->keys[i] = static_cast<Expr*>(scratch_[base + 2 * static_cast<size_t>(i)]);
    node->values[i] = static_cast<Expr*>(scratch_[base + 2 * static_cast<size_t>(i) + 1]);
  }
  scratch_.resize(base);
  return node;
}

Expr* Parser::number() {
  const int start = mark_;
  const Token& token = tokens_[mark_++];
  const char* text = lexer.start_of(token);
  size_t length = token.end - token.start;
  // FAST: short decimal integers.
  if (length <= 18) {
    long value = 0;
    size_t i = 0;
    while (i < length && text[i] >= '0' && text[i] <= '9') value = value * 10 + (text[i++] - '0');
    if (i == length) return constant(start, keep(PyLong_FromLong(value)));
  }
  std::vector<char> heap;
  char small[64];
  char* digits = small;
  if (length + 1 > sizeof(small)) {
    heap.resize(length + 1);
    digits = heap.data();
  }
  size_t size = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] != '_') digits[size++] = text[i];
  }
  digits[size] = '\0';
  if (size != length && !requires_version(6, "Underscores in numeric literals are")) return nullptr;
  const bool is_radix = digits[0] == '0' && size > 1 && (std::strchr("xXoObB", digits[1]) != nullptr);
  const char last = digits[size - 1];
  PyObject* value;
  if (!is_radix && (last == 'j' || last == 'J')) {
    digits[size - 1] = '\0';
    const double imaginary = PyOS_string_to_double(digits, nullptr, nullptr);
    value = imaginary == -1.0 && PyErr_Occurred() ? nullptr : PyComplex_FromDoubles(0.0, imaginary);
  } else if (!is_radix && std::strpbrk(digits, ".eE") != nullptr) {
    const double real = PyOS_string_to_double(digits, nullptr, nullptr);
    value = real == -1.0 && PyErr_Occurred() ? nullptr : PyFloat_FromDouble(real);
  } else {
    value = PyLong_FromString(digits, nullptr, 0);
    if (value == nullptr && PyErr_ExceptionMatches(PyExc_ValueError)) {
      // Only the limit on the length of decimal numbers does that.
      PyObject *type, *error, *traceback;
      PyErr_Fetch(&type, &error, &traceback);
      raise_at(PyExc_SyntaxError, token.lineno, -1, token.end_lineno, -1,
               "%S - Consider hexadecimal for huge integer literals to avoid decimal conversion limits.", error);
      Py_XDECREF(type);
      Py_XDECREF(error);
      Py_XDECREF(traceback);
      return nullptr;
    }
  }
  return constant(start, keep(value));
}

Expr* Parser::lambda() {
  Depth depth(*this, 2);
  if (depth.exceeded()) return nullptr;
  const int start = mark_++;
  Arguments* arguments = parameters(true);
  if (arguments == nullptr || !accept(Tok::kColon)) return nullptr;
  Expr* body = expression();
  if (body == nullptr) return nullptr;
  auto* node = make<node::Lambda>(start);
  if (node == nullptr) return nullptr;
  node->args = arguments;
  node->body = body;
  return node;
}

Expr* Parser::yield_expression() {
  const int start = mark_;
  if (!accept(Tok::kKwYield)) return nullptr;
  if (accept(Tok::kKwFrom)) {
    Expr* value = expression();
    if (value == nullptr) return nullptr;
    auto* node = make<node::YieldFrom>(start);
    if (node == nullptr) return nullptr;
    node->value = value;
    return node;
  }
  Expr* value = nullptr;
  const Tok next = kind();
  if (token_can_start_expression(next) || next == Tok::kStar) {
    const Checkpoint before = checkpoint();
    value = star_expressions();
    if (value == nullptr) {
      if (hard_error_ || !backtracking_) return nullptr;
      back_to(before);
    }
  }
  auto* node = make<node::Yield>(start);
  if (node == nullptr) return nullptr;
  node->value = value;
  return node;
}

// --- Targets ---------------------------------------------------------------------------------------------------

/// Turns an expression into a target in place; false (and no exception) when it is none.
bool Parser::make_target(Expr* expression, TargetKind kind, ExprContext context) {
  switch (expression->kind) {
    case Kind::kName: cast<node::Name>(expression)->ctx = context; return true;
    case Kind::kAttribute: cast<node::Attribute>(expression)->ctx = context; return true;
    case Kind::kSubscript: cast<node::Subscript>(expression)->ctx = context; return true;
    case Kind::kStarred: {
      auto* starred = cast<node::Starred>(expression);
      if (kind == TargetKind::kDelete || starred->value->kind == Kind::kStarred) return false;
      starred->ctx = context;
      return make_target(starred->value, kind, context);
    }
    case Kind::kTuple: {
      auto* tuple = cast<node::Tuple>(expression);
      tuple->ctx = context;
      for (Expr* element : tuple->elts) {
        if (!make_target(element, kind, context)) return false;
      }
      return true;
    }
    case Kind::kList: {
      auto* list = cast<node::List>(expression);
      list->ctx = context;
      for (Expr* element : list->elts) {
        if (!make_target(element, kind, context)) return false;
      }
      return true;
    }
    default: return false;
  }
}

Expr* Parser::star_target() {
  if (UNLIKELY(backtracking_)) return backtracking_star_target();
  const int start = mark_;
  if (accept(Tok::kStar)) {
    if (at(Tok::kStar)) return nullptr;
    Expr* value = star_target();
    if (value == nullptr) return nullptr;
    auto* node = make<node::Starred>(start);
    if (node == nullptr) return nullptr;
    node->value = value;
    node->ctx = ExprContext::kStore;
    return node;
  }
  Expr* target = primary();
  if (target == nullptr || !make_target(target, TargetKind::kStar, ExprContext::kStore)) return nullptr;
  return target;
}

Expr* Parser::star_targets() {
  const int start = mark_;
  Expr* first = star_target();
  if (first == nullptr || LIKELY(!at(Tok::kComma))) return first;
  const size_t base = scratch_.size();
  scratch_.push_back(first);
  while (accept(Tok::kComma)) {
    const Tok next = kind();
    if (!token_can_start_expression(next) && next != Tok::kStar) break;
    const Checkpoint before = checkpoint();
    Expr* element = star_target();
    if (element == nullptr) {
      if (hard_error_ || !backtracking_) return nullptr;
      back_to(before);
      break;
    }
    scratch_.push_back(element);
  }
  auto* tuple = make<node::Tuple>(start);
  if (tuple == nullptr || !take(base, tuple->elts)) return nullptr;
  tuple->ctx = ExprContext::kStore;
  return tuple;
}

}  // namespace pyston
