// `match` statements and patterns.
#include <cstring>

#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

/// At the name "match". No match (without exception) when it is an ordinary name.
Stmt* Parser::match_statement() {
  const int start = mark_++;
  const Tok first = kind();
  if (!token_can_start_expression(first) && first != Tok::kStar) return nullptr;
  const int subject_mark = mark_;
  Expr* subject = star_named_expression();
  if (subject == nullptr) return nullptr;
  if (at(Tok::kComma)) {
    const size_t base = scratch_.size();
    scratch_.push_back(subject);
    while (accept(Tok::kComma)) {
      const Tok next = kind();
      if (!token_can_start_expression(next) && next != Tok::kStar) break;
      Expr* element = star_named_expression();
      if (element == nullptr) return nullptr;
      scratch_.push_back(element);
    }
    auto* tuple = make<node::Tuple>(subject_mark);
    if (tuple == nullptr || !take(base, tuple->elts)) return nullptr;
    tuple->ctx = ExprContext::kLoad;
    subject = tuple;
  } else if (first == Tok::kStar) {
    return nullptr;
  }
  if (!accept(Tok::kColon)) return diagnose_missing_colon();
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block("'match' statement", start)) return nullptr;
  if (!accept(Tok::kNewline) || !accept(Tok::kIndent)) return nullptr;
  const size_t base = scratch_.size();
  while (at_name("case")) {
    MatchCase* match_case = case_block();
    if (match_case == nullptr) return nullptr;
    scratch_.push_back(match_case);
  }
  if (scratch_.size() == base || !accept(Tok::kDedent)) return nullptr;
  if (!requires_version(10, "Pattern matching is")) return nullptr;
  auto* node = make<node::Match>(start);
  if (node == nullptr || !take(base, node->cases)) return nullptr;
  node->subject = subject;
  return node;
}

MatchCase* Parser::case_block() {
  const int start = mark_++;
  Pattern* pattern = patterns();
  if (pattern == nullptr) return nullptr;
  Expr* guard = nullptr;
  if (accept(Tok::kKwIf)) {
    guard = named_expression();
    if (guard == nullptr) return nullptr;
  }
  if (!accept(Tok::kColon)) return diagnose_missing_colon();
  if (UNLIKELY(diagnosing_) && !diagnose_missing_block("'case' statement", start)) return nullptr;
  Seq<Stmt*> body;
  if (!block(body)) return nullptr;
  auto* result = make_product<MatchCase>();
  if (result == nullptr) return nullptr;
  result->pattern = pattern;
  result->guard = guard;
  result->body = body;
  return result;
}

/// A pattern, or an unparenthesised sequence of them.
Pattern* Parser::patterns() {
  const int start = mark_;
  const bool starred = at(Tok::kStar);
  Pattern* first = maybe_star_pattern();
  if (first == nullptr || (!starred && !at(Tok::kComma))) return first;
  if (!at(Tok::kComma)) return nullptr;
  const size_t base = scratch_.size();
  scratch_.push_back(first);
  while (accept(Tok::kComma)) {
    if (at(Tok::kColon) || at(Tok::kKwIf)) break;
    Pattern* next = maybe_star_pattern();
    if (next == nullptr) return nullptr;
    scratch_.push_back(next);
  }
  auto* node = make<node::MatchSequence>(start);
  if (node == nullptr || !take(base, node->patterns)) return nullptr;
  return node;
}

Pattern* Parser::maybe_star_pattern() { return at(Tok::kStar) ? star_pattern() : pattern(); }

Pattern* Parser::star_pattern() {
  const int start = mark_++;
  if (!at(Tok::kName)) return nullptr;
  PyObject* name = at_name("_") ? nullptr : name_of(tokens_[mark_]);
  advance();
  auto* node = make<node::MatchStar>(start);
  if (node == nullptr || hard_error_) return nullptr;
  node->name = name;
  return node;
}

Pattern* Parser::pattern() {
  Depth depth(*this, 4);
  if (depth.exceeded()) return nullptr;
  const int start = mark_;
  Pattern* value = or_pattern();
  if (value == nullptr || !at(Tok::kKwAs)) return value;
  advance();
  if (UNLIKELY(diagnosing_) && !diagnose_as_pattern()) return nullptr;
  if (!at(Tok::kName) || at_name("_")) return nullptr;
  PyObject* name = identifier();
  if (name == nullptr) return nullptr;
  auto* node = make<node::MatchAs>(start);
  if (node == nullptr) return nullptr;
  node->pattern = value;
  node->name = name;
  return node;
}

Pattern* Parser::or_pattern() {
  const int start = mark_;
  Pattern* first = closed_pattern();
  if (first == nullptr || !at(Tok::kBar)) return first;
  const size_t base = scratch_.size();
  scratch_.push_back(first);
  while (accept(Tok::kBar)) {
    Pattern* next = closed_pattern();
    if (next == nullptr) return nullptr;
    scratch_.push_back(next);
  }
  auto* node = make<node::MatchOr>(start);
  if (node == nullptr || !take(base, node->patterns)) return nullptr;
  return node;
}

Pattern* Parser::closed_pattern() {
  switch (kind()) {
    case Tok::kName: return name_or_class_pattern();
    case Tok::kLeftParen:
    case Tok::kLeftBracket: return group_or_sequence_pattern();
    case Tok::kLeftBrace: return mapping_pattern();
    default: return literal_pattern();
  }
}

Pattern* Parser::literal_pattern() {
  const int start = mark_;
  const Tok first = kind();
  if (first == Tok::kKwNone || first == Tok::kKwTrue || first == Tok::kKwFalse) {
    advance();
    auto* node = make<node::MatchSingleton>(start);
    if (node == nullptr) return nullptr;
    node->value = first == Tok::kKwNone ? Py_None : first == Tok::kKwTrue ? Py_True : Py_False;
    return node;
  }
  Expr* value = literal_expression();
  if (value == nullptr) return nullptr;
  auto* node = make<node::MatchValue>(start);
  if (node == nullptr) return nullptr;
  node->value = value;
  return node;
}

Expr* Parser::signed_number() {
  const int start = mark_;
  if (!accept(Tok::kMinus)) return at(Tok::kNumber) ? number() : nullptr;
  if (!at(Tok::kNumber)) return nullptr;
  Expr* operand = number();
  if (operand == nullptr) return nullptr;
  auto* node = make<node::UnaryOp>(start);
  if (node == nullptr) return nullptr;
  node->op = UnaryOperator::kUSub;
  node->operand = operand;
  return node;
}

/// A number, possibly negative or complex, strings, or a singleton (the latter for mapping keys).
Expr* Parser::literal_expression() {
  const int start = mark_;
  switch (kind()) {
    case Tok::kString: return strings();
    case Tok::kKwNone: advance(); return constant(start, Py_None);
    case Tok::kKwTrue: advance(); return constant(start, Py_True);
    case Tok::kKwFalse: advance(); return constant(start, Py_False);
    default: break;
  }
  Expr* left = signed_number();
  if (left == nullptr || (!at(Tok::kPlus) && !at(Tok::kMinus))) return left;
  auto value_of = [](Expr* e) {
    auto* unary = as<node::UnaryOp>(e);
    return cast<node::Constant>(unary != nullptr ? unary->operand : e)->value;
  };
  if (PyComplex_CheckExact(value_of(left))) {
    raise_range(left->position, left->position, "real number required in complex literal");
    return nullptr;
  }
  const bool plus = at(Tok::kPlus);
  advance();
  if (!at(Tok::kNumber)) return nullptr;
  Expr* right = number();
  if (right == nullptr) return nullptr;
  if (!PyComplex_CheckExact(value_of(right))) {
    raise_range(right->position, right->position, "imaginary number required in complex literal");
    return nullptr;
  }
  auto* node = make<node::BinOp>(start);
  if (node == nullptr) return nullptr;
  node->left = left;
  node->op = plus ? Operator::kAdd : Operator::kSub;
  node->right = right;
  return node;
}

/// A capture, the wildcard, a dotted value, or a class pattern.
Pattern* Parser::name_or_class_pattern() {
  const int start = mark_;
  const Tok next = kind_after();
  const bool is_wildcard = at_name("_");  // whatever follows it
  if (is_wildcard || (next != Tok::kDot && next != Tok::kLeftParen && next != Tok::kEqual)) {
    PyObject* name = is_wildcard ? nullptr : name_of(tokens_[mark_]);
    advance();
    auto* node = make<node::MatchAs>(start);
    if (node == nullptr || hard_error_) return nullptr;
    node->name = name;
    return node;
  }
  Expr* value = name_expression(ExprContext::kLoad);
  if (value == nullptr) return nullptr;
  while (accept(Tok::kDot)) {
    PyObject* attribute = identifier();
    if (attribute == nullptr) return nullptr;
    auto* node = make<node::Attribute>(start);
    if (node == nullptr) return nullptr;
    node->value = value;
    node->attr = attribute;
    node->ctx = ExprContext::kLoad;
    value = node;
  }
  if (at(Tok::kLeftParen)) return class_pattern(start, value);
  if (value->kind == Kind::kName || at(Tok::kEqual)) return nullptr;
  auto* node = make<node::MatchValue>(start);
  if (node == nullptr) return nullptr;
  node->value = value;
  return node;
}

Pattern* Parser::class_pattern(int start, Expr* name) {
  advance();
  Seq<Pattern*> positional, keyword_patterns;
  Seq<PyObject*> keyword_names;
  const size_t base = scratch_.size();
  const size_t keyword_base = keyword_scratch_.size();
  while (!at(Tok::kRightParen)) {
    if (at(Tok::kName) && kind_after() == Tok::kEqual) {
      PyObject* keyword = name_of(tokens_[mark_]);
      mark_ += 2;
      Pattern* value = pattern();
      if (value == nullptr || keyword == nullptr) return nullptr;
      keyword_scratch_.push_back(keyword);
      keyword_scratch_.push_back(value);
    } else {
      Pattern* value = pattern();
      if (value == nullptr) return nullptr;
      if (keyword_scratch_.size() != keyword_base) {
        if (UNLIKELY(diagnosing_)) {
          Pattern* last = value;
          while (accept(Tok::kComma) && !(at(Tok::kName) && kind_after() == Tok::kEqual)) {
            Pattern* next = pattern();
            if (next == nullptr) break;
            last = next;
          }
          if (!hard_error_) raise_range(value->position, last->position, "positional patterns follow keyword patterns");
        }
        return nullptr;
      }
      scratch_.push_back(value);
    }
    if (!accept(Tok::kComma)) break;
  }
  if (!accept(Tok::kRightParen) || !take(base, positional)) return nullptr;
  const int count = static_cast<int>((keyword_scratch_.size() - keyword_base) / 2);
  keyword_names = arena_.sequence<PyObject*>(count);
  keyword_patterns = arena_.sequence<Pattern*>(count);
  if (keyword_names.count != count || keyword_patterns.count != count) return out_of_memory<Pattern>();
  for (int i = 0; i < count; i++) {
    keyword_names[i] = static_cast<PyObject*>(keyword_scratch_[keyword_base + 2 * static_cast<size_t>(i)]);
    keyword_patterns[i] = static_cast<Pattern*>(keyword_scratch_[keyword_base + 2 * static_cast<size_t>(i) + 1]);
  }
  keyword_scratch_.resize(keyword_base);
  auto* node = make<node::MatchClass>(start);
  if (node == nullptr) return nullptr;
  node->cls = name;
  node->patterns = positional;
  node->kwd_attrs = keyword_names;
  node->kwd_patterns = keyword_patterns;
  return node;
}

Pattern* Parser::group_or_sequence_pattern() {
  Depth depth(*this, 4);
  if (depth.exceeded()) return nullptr;
  const int start = mark_;
  const bool is_list = at(Tok::kLeftBracket);
  const Tok closer = is_list ? Tok::kRightBracket : Tok::kRightParen;
  advance();
  const size_t base = scratch_.size();
  bool comma = false;
  bool starred = false;
  while (!at(closer)) {
    starred |= at(Tok::kStar);
    Pattern* element = maybe_star_pattern();
    if (element == nullptr) return nullptr;
    scratch_.push_back(element);
    if (!accept(Tok::kComma)) break;
    comma = true;
  }
  if (!accept(closer)) return nullptr;
  if (!is_list && !comma && scratch_.size() == base + 1) {
    Pattern* group = static_cast<Pattern*>(scratch_.back());
    scratch_.resize(base);
    return starred ? nullptr : group;
  }
  auto* node = make<node::MatchSequence>(start);
  if (node == nullptr || !take(base, node->patterns)) return nullptr;
  return node;
}

Pattern* Parser::mapping_pattern() {
  Depth depth(*this, 4);
  if (depth.exceeded()) return nullptr;
  const int start = mark_++;
  const size_t base = scratch_.size();
  PyObject* rest = nullptr;
  while (!at(Tok::kRightBrace)) {
    if (accept(Tok::kDoubleStar)) {
      if (!at(Tok::kName) || at_name("_")) return nullptr;
      rest = identifier();
      if (rest == nullptr) return nullptr;
      accept(Tok::kComma);
      break;
    }
    Expr* key;
    if (at(Tok::kName)) {
      const int name_mark = mark_;
      key = name_expression(ExprContext::kLoad);
      if (key == nullptr || !at(Tok::kDot)) return nullptr;
      while (accept(Tok::kDot)) {
        PyObject* attribute = identifier();
        if (attribute == nullptr) return nullptr;
        auto* node = make<node::Attribute>(name_mark);
        if (node == nullptr) return nullptr;
        node->value = key;
        node->attr = attribute;
        node->ctx = ExprContext::kLoad;
        key = node;
      }
    } else {
      key = literal_expression();
    }
    if (key == nullptr || !accept(Tok::kColon)) return nullptr;
    Pattern* value = pattern();
    if (value == nullptr) return nullptr;
    scratch_.push_back(key);
    scratch_.push_back(value);
    if (!accept(Tok::kComma)) break;
  }
  if (!accept(Tok::kRightBrace)) return nullptr;
  auto* node = make<node::MatchMapping>(start);
  if (node == nullptr) return nullptr;
  const int count = static_cast<int>((scratch_.size() - base) / 2);
  node->keys = arena_.sequence<Expr*>(count);
  node->patterns = arena_.sequence<Pattern*>(count);
  if (node->keys.count != count || node->patterns.count != count) return out_of_memory<Pattern>();
  for (int i = 0; i < count; i++) {
    node->keys[i] = static_cast<Expr*>(scratch_[base + 2 * static_cast<size_t>(i)]);
    node->patterns[i] = static_cast<Pattern*>(scratch_[base + 2 * static_cast<size_t>(i) + 1]);
  }
  scratch_.resize(base);
  node->rest = rest;
  return node;
}

}  // namespace pyston
