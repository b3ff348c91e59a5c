// Code generation for match statements.
//
// Captured values are kept on the stack until the whole pattern has matched; `on_top` counts what lies above them.
// A failing test jumps to the block of a ladder that pops as many items as are on the stack at that point.
#include "Interpreter/compiler/codegen.h"

#include <pycore_code.h>

#include <algorithm>

namespace pyston {

using namespace ast;

struct Compiler::PatternContext {
  std::vector<PyObject*> captures;      // names, in the order of their values on the stack (last: nearest the top)
  std::vector<Block*> failure;          // failure[n] pops n items, then falls into failure[n - 1]
  bool allow_irrefutable = false;
  int on_top = 0;

  int pops() const { return on_top + static_cast<int>(captures.size()); }
  bool has(PyObject* name) const { return std::find(captures.begin(), captures.end(), name) != captures.end(); }
};

namespace {

bool is_wildcard(Pattern* pattern) {
  auto* capture = as<node::MatchAs>(pattern);
  return capture != nullptr && capture->name == nullptr;
}

bool is_star_wildcard(Pattern* pattern) {
  auto* star = as<node::MatchStar>(pattern);
  return star != nullptr && star->name == nullptr;
}

}  // namespace

void Compiler::jump_to_failure(int opcode, PatternContext& context) {
  const size_t pops = context.pops();
  while (context.failure.size() <= pops) context.failure.push_back(new_block());
  emit_jump(opcode, context.failure[pops]);
}

void Compiler::emit_failure_blocks(PatternContext& context) {
  if (context.failure.empty()) return;
  for (size_t pops = context.failure.size() - 1; pops > 0; pops--) {
    use_next(context.failure[pops]);
    emit(POP_TOP);
  }
  use_next(context.failure[0]);
  context.failure.clear();
}

/// Moves the top item below the `count - 1` items under it.
void Compiler::rotate(int count) {
  while (count > 1) emit(SWAP, count--);
}

bool Compiler::duplicate_capture(PyObject* name) { return error("multiple assignments to name %R in pattern", name); }

bool Compiler::store_capture(PyObject* name, PatternContext& context) {
  if (name == nullptr) {
    emit(POP_TOP);
    return true;
  }
  if (is_forbidden_name(name, ExprContext::kStore)) return false;
  if (context.has(name)) return duplicate_capture(name);
  rotate(context.pops() + 1);
  context.captures.push_back(name);
  return true;
}

bool Compiler::visit_match(node::Match* node) {
  if (!visit(node->subject)) return false;
  Block* end = new_block();
  const int count = node->cases.size();
  const bool has_default = is_wildcard(node->cases[count - 1]->pattern) && count > 1;
  const int tested = count - has_default;
  for (int i = 0; i < tested; i++) {
    MatchCase* match_case = node->cases[i];
    const bool is_last = i == tested - 1;
    set_position_of(match_case->pattern);
    if (!is_last) emit(COPY, 1);
    PatternContext context;
    context.allow_irrefutable = match_case->guard != nullptr || i == count - 1;
    if (!visit_pattern(match_case->pattern, context)) return false;
    for (PyObject* name : context.captures) {
      if (!access_name(name, ExprContext::kStore)) return false;
    }
    if (match_case->guard != nullptr) {
      if (context.failure.empty()) context.failure.push_back(new_block());
      if (!jump_if(match_case->guard, context.failure[0], false)) return false;
    }
    if (!is_last) emit(POP_TOP);
    if (!visit_statements(match_case->body)) return false;
    emit_jump(kJump, end);
    // The clean-up after a failed pattern has the pattern's line.
    set_position_of(match_case->pattern);
    emit_failure_blocks(context);
  }
  if (has_default) {
    MatchCase* match_case = node->cases[count - 1];
    set_position_of(match_case->pattern);
    emit(NOP);  // shows the line of `case _`
    if (match_case->guard != nullptr && !jump_if(match_case->guard, end, false)) return false;
    if (!visit_statements(match_case->body)) return false;
  }
  use_next(end);
  return true;
}

bool Compiler::visit_pattern(Pattern* pattern, PatternContext& context) {
  RecursionLevel level(budget_);
  if (!level.ok()) return false;
  set_position_of(pattern);
  switch (pattern->kind) {
    case Kind::kMatchValue: return match_value(cast<node::MatchValue>(pattern), context);
    case Kind::kMatchSingleton: return match_singleton(cast<node::MatchSingleton>(pattern), context);
    case Kind::kMatchSequence: return match_sequence(cast<node::MatchSequence>(pattern), context);
    case Kind::kMatchMapping: return match_mapping(cast<node::MatchMapping>(pattern), context);
    case Kind::kMatchClass: return match_class(cast<node::MatchClass>(pattern), context);
    case Kind::kMatchStar: return store_capture(cast<node::MatchStar>(pattern)->name, context);
    case Kind::kMatchAs: return match_as(cast<node::MatchAs>(pattern), context);
    case Kind::kMatchOr: return match_or(cast<node::MatchOr>(pattern), context);
    default:
      return error("invalid match pattern node in AST (kind=%d)", static_cast<int>(pattern->kind));
  }
}

/// A part of a pattern may be irrefutable even where the whole may not.
bool Compiler::visit_subpattern(Pattern* pattern, PatternContext& context) {
  const bool allowed = context.allow_irrefutable;
  context.allow_irrefutable = true;
  const bool done = visit_pattern(pattern, context);
  context.allow_irrefutable = allowed;
  return done;
}

bool Compiler::match_value(node::MatchValue* pattern, PatternContext& context) {
  const Kind kind = pattern->value->kind;
  if (kind != Kind::kConstant && kind != Kind::kAttribute) {
    return error("patterns may only match literals and attribute lookups");
  }
  if (!visit(pattern->value)) return false;
  emit_compare(CompareOperator::kEq);
  jump_to_failure(kPopJumpIfFalse, context);
  return true;
}

bool Compiler::match_singleton(node::MatchSingleton* pattern, PatternContext& context) {
  if (!emit_constant(pattern->value)) return false;
  emit_compare(CompareOperator::kIs);
  jump_to_failure(kPopJumpIfFalse, context);
  return true;
}

bool Compiler::match_as(node::MatchAs* pattern, PatternContext& context) {
  if (pattern->pattern == nullptr) {
    if (!context.allow_irrefutable) {
      if (pattern->name != nullptr) return error("name capture %R makes remaining patterns unreachable", pattern->name);
      return error("wildcard makes remaining patterns unreachable");
    }
    return store_capture(pattern->name, context);
  }
  context.on_top++;
  emit(COPY, 1);
  if (!visit_pattern(pattern->pattern, context)) return false;
  context.on_top--;
  return store_capture(pattern->name, context);
}

// --- sequences ---

bool Compiler::match_sequence(node::MatchSequence* pattern, PatternContext& context) {
  const Seq<Pattern*>& patterns = pattern->patterns;
  const int size = patterns.size();
  int star = -1;
  bool only_wildcards = true;
  bool star_wildcard = false;
  for (int i = 0; i < size; i++) {
    if (patterns[i]->kind == Kind::kMatchStar) {
      if (star >= 0) return error("multiple starred names in sequence pattern");
      star_wildcard = is_star_wildcard(patterns[i]);
      only_wildcards &= star_wildcard;
      star = i;
    } else {
      only_wildcards &= is_wildcard(patterns[i]);
    }
  }
  context.on_top++;
  emit(MATCH_SEQUENCE);
  jump_to_failure(kPopJumpIfFalse, context);
  if (star < 0 || size > 1) {
    emit(GET_LEN);
    if (!emit_integer(star < 0 ? size : size - 1)) return false;
    emit_compare(star < 0 ? CompareOperator::kEq : CompareOperator::kGtE);
    jump_to_failure(kPopJumpIfFalse, context);
  }
  context.on_top--;
  if (only_wildcards) {
    emit(POP_TOP);
    return true;
  }
  return star_wildcard ? subscript_pattern_sequence(patterns, star, context)
                       : unpack_pattern_sequence(patterns, context);
}

bool Compiler::unpack_pattern_sequence(const Seq<Pattern*>& patterns, PatternContext& context) {
  const int size = patterns.size();
  bool has_star = false;
  for (int i = 0; i < size; i++) {
    if (patterns[i]->kind != Kind::kMatchStar) continue;
    if (has_star) return error("multiple starred expressions in sequence pattern");
    const int after = size - i - 1;
    if (i >= (1 << 8) || after >= (INT_MAX >> 8)) {
      return error("too many expressions in star-unpacking sequence pattern");
    }
    emit(UNPACK_EX, i + (after << 8));
    has_star = true;
  }
  if (!has_star) emit(UNPACK_SEQUENCE, size);
  context.on_top += size;
  for (Pattern* pattern : patterns) {
    context.on_top--;
    if (!visit_subpattern(pattern, context)) return false;
  }
  return true;
}

/// `[a, *_, b]` takes the items it wants by index and doesn't build the list of the rest.
bool Compiler::subscript_pattern_sequence(const Seq<Pattern*>& patterns, int star, PatternContext& context) {
  const int size = patterns.size();
  context.on_top++;
  for (int i = 0; i < size; i++) {
    Pattern* pattern = patterns[i];
    if (is_wildcard(pattern) || i == star) continue;
    emit(COPY, 1);
    if (i < star) {
      if (!emit_integer(i)) return false;
    } else {
      emit(GET_LEN);  // the subject may not support negative indices
      if (!emit_integer(size - i)) return false;
      emit_binary(Operator::kSub, false);
    }
    emit(BINARY_SUBSCR);
    if (!visit_subpattern(pattern, context)) return false;
  }
  context.on_top--;
  emit(POP_TOP);
  return true;
}

// --- mappings ---

bool Compiler::match_mapping(node::MatchMapping* pattern, PatternContext& context) {
  const Seq<Expr*>& keys = pattern->keys;
  int size = keys.size();
  if (size != pattern->patterns.size()) {
    return error("keys (%d) / patterns (%d) length mismatch in mapping pattern", size, pattern->patterns.size());
  }
  context.on_top++;
  emit(MATCH_MAPPING);
  jump_to_failure(kPopJumpIfFalse, context);
  if (size == 0 && pattern->rest == nullptr) {
    context.on_top--;
    emit(POP_TOP);
    return true;
  }
  if (size > 0) {
    emit(GET_LEN);
    if (!emit_integer(size)) return false;
    emit_compare(CompareOperator::kGtE);
    jump_to_failure(kPopJumpIfFalse, context);
  }
  Ref<> seen = Ref<>::steal(PySet_New(nullptr));
  if (!seen) return false;
  for (int i = 0; i < size; i++) {
    Expr* key = keys[i];
    if (key == nullptr) {
      set_position_of(pattern->patterns[i]);
      return error("can't use NULL keys in MatchMapping (set 'rest' parameter instead)");
    }
    if (auto* constant = as<node::Constant>(key)) {
      const int known = PySet_Contains(seen.get(), constant->value);
      if (known < 0) return false;
      if (known > 0) return error("mapping pattern checks duplicate key (%R)", constant->value);
      if (PySet_Add(seen.get(), constant->value) < 0) return false;
    } else if (key->kind != Kind::kAttribute) {
      return error("mapping pattern keys may only match literals and attribute lookups");
    }
    if (!visit(key)) return false;
  }
  emit(BUILD_TUPLE, size);
  emit(MATCH_KEYS);
  context.on_top += 2;  // the tuple of keys and the tuple of values
  emit(COPY, 1);
  if (!emit_constant(Py_None)) return false;
  emit(IS_OP, 1);
  jump_to_failure(kPopJumpIfFalse, context);
  emit(UNPACK_SEQUENCE, size);
  context.on_top += size - 1;
  for (Pattern* value : pattern->patterns) {
    context.on_top--;
    if (!visit_subpattern(value, context)) return false;
  }
  context.on_top -= 2;
  if (pattern->rest == nullptr) {
    emit(POP_TOP);
    emit(POP_TOP);
    return true;
  }
  // A copy of the subject without the matched keys.
  emit(BUILD_MAP, 0);
  emit(SWAP, 3);
  emit(DICT_UPDATE, 2);
  emit(UNPACK_SEQUENCE, size);
  while (size > 0) {
    emit(COPY, 1 + size--);
    emit(SWAP, 2);
    emit(DELETE_SUBSCR);
  }
  return store_capture(pattern->rest, context);
}

// --- classes ---

bool Compiler::check_keyword_patterns(node::MatchClass* pattern) {
  const Seq<Identifier>& attributes = pattern->kwd_attrs;
  for (int i = 0; i < attributes.size(); i++) {
    set_position_of(pattern->kwd_patterns[i]);
    if (is_forbidden_name(attributes[i], ExprContext::kStore)) return false;
    for (int j = i + 1; j < attributes.size(); j++) {
      if (PyUnicode_Compare(attributes[i], attributes[j]) == 0) {
        set_position_of(pattern->kwd_patterns[j]);
        return error("attribute name repeated in class pattern: %U", attributes[j]);
      }
    }
  }
  return true;
}

bool Compiler::match_class(node::MatchClass* pattern, PatternContext& context) {
  const int positional = pattern->patterns.size();
  const int attributes = pattern->kwd_attrs.size();
  if (attributes != pattern->kwd_patterns.size()) {
    return error("kwd_attrs (%d) / kwd_patterns (%d) length mismatch in class pattern", attributes,
                 pattern->kwd_patterns.size());
  }
  if (attributes > 0) {
    if (!check_keyword_patterns(pattern)) return false;
    set_position_of(pattern);
  }
  if (!visit(pattern->cls)) return false;
  Ref<> names = Ref<>::steal(PyTuple_New(attributes));
  if (!names) return false;
  for (int i = 0; i < attributes; i++) PyTuple_SET_ITEM(names.get(), i, Py_NewRef(pattern->kwd_attrs[i]));
  if (!emit_constant(names.get())) return false;
  emit(MATCH_CLASS, positional);
  emit(COPY, 1);
  if (!emit_constant(Py_None)) return false;
  emit(IS_OP, 1);
  context.on_top++;
  jump_to_failure(kPopJumpIfFalse, context);
  emit(UNPACK_SEQUENCE, positional + attributes);
  context.on_top += positional + attributes - 1;
  for (int i = 0; i < positional + attributes; i++) {
    context.on_top--;
    Pattern* part = i < positional ? pattern->patterns[i] : pattern->kwd_patterns[i - positional];
    if (is_wildcard(part)) {
      emit(POP_TOP);
    } else if (!visit_subpattern(part, context)) {
      return false;
    }
  }
  return true;
}

// --- alternatives ---

bool Compiler::match_or(node::MatchOr* pattern, PatternContext& outer) {
  Block* end = new_block();
  const int size = pattern->patterns.size();
  std::vector<PyObject*> control;  // the first alternative's captures: all must have the same, in the same order
  for (int i = 0; i < size; i++) {
    Pattern* alternative = pattern->patterns[i];
    set_position_of(alternative);
    PatternContext context;
    context.allow_irrefutable = i == size - 1 && outer.allow_irrefutable;
    emit(COPY, 1);
    if (!visit_pattern(alternative, context)) return false;
    const int count = static_cast<int>(context.captures.size());
    if (i == 0) {
      control = context.captures;
    } else if (count != static_cast<int>(control.size())) {
      return error("alternative patterns bind different names");
    } else {
      for (int wanted = count - 1; wanted >= 0; wanted--) {
        auto found = std::find(context.captures.begin(), context.captures.end(), control[wanted]);
        if (found == context.captures.end()) return error("alternative patterns bind different names");
        const int actual = static_cast<int>(found - context.captures.begin());
        if (actual == wanted) continue;
        // Rotating the first `actual + 1` values below `wanted + 1` brings this one to its place.
        std::rotate(context.captures.begin(), context.captures.begin() + actual + 1,
                    context.captures.begin() + wanted + 1);
        for (int rotations = actual + 1; rotations > 0; rotations--) rotate(wanted + 1);
      }
    }
    emit_jump(kJump, end);
    emit_failure_blocks(context);
  }
  // No alternative matched: drop the subject and fail.
  emit(POP_TOP);
  jump_to_failure(kJump, outer);
  use_next(end);
  const int count = static_cast<int>(control.size());
  // The captures lie above what the enclosing pattern keeps there; move each below it.
  const int depth = count + 1 + outer.on_top + static_cast<int>(outer.captures.size());
  for (PyObject* name : control) {
    rotate(depth);
    if (outer.has(name)) return duplicate_capture(name);
    outer.captures.push_back(name);
  }
  emit(POP_TOP);
  return true;
}

}  // namespace pyston
