// Code generation for expressions other than calls, lambdas and comprehensions.
#include "Interpreter/compiler/codegen.h"

#include <pycore_code.h>
#include <pycore_global_strings.h>
#include <pycore_runtime.h>

namespace pyston {

using namespace ast;

namespace {

bool all_constant(const Seq<Expr*>& exprs, int begin, int end) {
  for (int i = begin; i < end; i++) {
    if (exprs[i] == nullptr || exprs[i]->kind != Kind::kConstant) return false;
  }
  return true;
}

/// New tuple of the values of constant expressions.
PyObject* tuple_of_constants(const Seq<Expr*>& exprs, int begin, int end) {
  PyObject* tuple = PyTuple_New(end - begin);
  if (tuple == nullptr) return nullptr;
  for (int i = begin; i < end; i++) {
    PyTuple_SET_ITEM(tuple, i - begin, Py_NewRef(cast<node::Constant>(exprs[i])->value));
  }
  return tuple;
}

/// The type that the expression certainly has, or null.
PyTypeObject* known_type(Expr* expr) {
  switch (expr->kind) {
    case Kind::kTuple: return &PyTuple_Type;
    case Kind::kList:
    case Kind::kListComp: return &PyList_Type;
    case Kind::kDict:
    case Kind::kDictComp: return &PyDict_Type;
    case Kind::kSet:
    case Kind::kSetComp: return &PySet_Type;
    case Kind::kGeneratorExp: return &PyGen_Type;
    case Kind::kLambda: return &PyFunction_Type;
    case Kind::kJoinedStr:
    case Kind::kFormattedValue: return &PyUnicode_Type;
    case Kind::kConstant: return Py_TYPE(cast<node::Constant>(expr)->value);
    default: return nullptr;
  }
}

/// Whether comparing with `is` makes sense: not for literals, but for the singletons.
bool has_identity(Expr* expr) {
  auto* constant = as<node::Constant>(expr);
  if (constant == nullptr) return true;
  PyObject* value = constant->value;
  return value == Py_None || value == Py_False || value == Py_True || value == Py_Ellipsis;
}

}  // namespace

bool Compiler::visit(Expr* expr) {
  RecursionLevel level(budget_);
  if (!level.ok()) return false;
  PositionGuard guard(unit());
  set_position_of(expr);
  return visit_at_position(expr);
}

bool Compiler::visit_all(const Seq<Expr*>& exprs) {
  for (Expr* expr : exprs) {
    if (!visit(expr)) return false;
  }
  return true;
}

bool Compiler::visit_at_position(Expr* expr) {
  switch (expr->kind) {
    case Kind::kName: {
      auto* node = cast<node::Name>(expr);
      return access_name(node->id, node->ctx);
    }
    case Kind::kConstant: return emit_constant(cast<node::Constant>(expr)->value);
    case Kind::kAttribute: return visit_attribute(cast<node::Attribute>(expr));
    case Kind::kCall: return visit_call(cast<node::Call>(expr));
    case Kind::kNamedExpr: {
      auto* node = cast<node::NamedExpr>(expr);
      if (!visit(node->value)) return false;
      emit(COPY, 1);
      return visit(node->target);
    }
    case Kind::kBoolOp: return visit_bool_op(cast<node::BoolOp>(expr));
    case Kind::kBinOp: {
      auto* node = cast<node::BinOp>(expr);
      if (!visit(node->left) || !visit(node->right)) return false;
      emit_binary(node->op, false);
      return true;
    }
    case Kind::kUnaryOp: {
      auto* node = cast<node::UnaryOp>(expr);
      constexpr int kOpcodes[] = {UNARY_INVERT, UNARY_NOT, UNARY_POSITIVE, UNARY_NEGATIVE};
      if (!visit(node->operand)) return false;
      emit(kOpcodes[static_cast<int>(node->op)]);
      return true;
    }
    case Kind::kLambda: return visit_lambda(cast<node::Lambda>(expr));
    case Kind::kIfExp: return visit_conditional(cast<node::IfExp>(expr));
    case Kind::kDict: return visit_dict(cast<node::Dict>(expr));
    case Kind::kSet: return build_unpacked(cast<node::Set>(expr)->elts, 0, BUILD_SET, SET_ADD, SET_UPDATE, false);
    case Kind::kListComp: {
      auto* node = cast<node::ListComp>(expr);
      return visit_comprehension(node, &_Py_STR(anon_listcomp), node->generators, node->elt, nullptr);
    }
    case Kind::kSetComp: {
      auto* node = cast<node::SetComp>(expr);
      return visit_comprehension(node, &_Py_STR(anon_setcomp), node->generators, node->elt, nullptr);
    }
    case Kind::kDictComp: {
      auto* node = cast<node::DictComp>(expr);
      return visit_comprehension(node, &_Py_STR(anon_dictcomp), node->generators, node->key, node->value);
    }
    case Kind::kGeneratorExp: {
      auto* node = cast<node::GeneratorExp>(expr);
      return visit_comprehension(node, &_Py_STR(anon_genexpr), node->generators, node->elt, nullptr);
    }
    case Kind::kAwait: return visit_await(cast<node::Await>(expr));
    case Kind::kYield: return visit_yield(cast<node::Yield>(expr));
    case Kind::kYieldFrom: return visit_yield_from(cast<node::YieldFrom>(expr));
    case Kind::kCompare: return visit_compare(cast<node::Compare>(expr));
    case Kind::kJoinedStr: return visit_joined_string(cast<node::JoinedStr>(expr));
    case Kind::kFormattedValue: return visit_formatted_value(cast<node::FormattedValue>(expr));
    case Kind::kSubscript: return visit_subscript(cast<node::Subscript>(expr));
    case Kind::kStarred:
      if (cast<node::Starred>(expr)->ctx == ExprContext::kStore) {
        return error("starred assignment target must be in a list or tuple");
      }
      return error("can't use starred expression here");
    case Kind::kList: {
      auto* node = cast<node::List>(expr);
      return visit_sequence(expr, node->elts, node->ctx, BUILD_LIST);
    }
    case Kind::kTuple: {
      auto* node = cast<node::Tuple>(expr);
      return visit_sequence(expr, node->elts, node->ctx, BUILD_TUPLE);
    }
    case Kind::kSlice: return visit_slice(cast<node::Slice>(expr));
    default: PyErr_SetString(PyExc_SystemError, "compiler: unexpected expression"); return false;
  }
}

void Compiler::emit_binary(Operator op, bool in_place) {
  // NB_* numbers are in another order than the operators of the tree.
  constexpr int kNumbers[] = {NB_ADD,    NB_SUBTRACT, NB_MULTIPLY, NB_MATRIX_MULTIPLY, NB_TRUE_DIVIDE,
                              NB_REMAINDER, NB_POWER, NB_LSHIFT,   NB_RSHIFT,          NB_OR,
                              NB_XOR,    NB_AND,      NB_FLOOR_DIVIDE};
  const int number = kNumbers[static_cast<int>(op)];
  emit(BINARY_OP, in_place ? number + (NB_INPLACE_ADD - NB_ADD) : number);
}

bool Compiler::visit_bool_op(node::BoolOp* node) {
  const int jump = node->op == BoolOperator::kAnd ? JUMP_IF_FALSE_OR_POP : JUMP_IF_TRUE_OR_POP;
  Block* end = new_block();
  const int last = node->values.size() - 1;
  for (int i = 0; i < last; i++) {
    if (!visit(node->values[i])) return false;
    emit_jump(jump, end);
    use_next(new_block());
  }
  if (!visit(node->values[last])) return false;
  use_next(end);
  return true;
}

bool Compiler::visit_conditional(node::IfExp* node) {
  Block* end = new_block();
  Block* otherwise = new_block();
  if (!jump_if(node->test, otherwise, false) || !visit(node->body)) return false;
  emit_jump_without_line(kJump, end);
  use_next(otherwise);
  if (!visit(node->orelse)) return false;
  use_next(end);
  return true;
}

void Compiler::emit_compare(CompareOperator op) {
  switch (op) {
    case CompareOperator::kEq: emit(COMPARE_OP, Py_EQ); break;
    case CompareOperator::kNotEq: emit(COMPARE_OP, Py_NE); break;
    case CompareOperator::kLt: emit(COMPARE_OP, Py_LT); break;
    case CompareOperator::kLtE: emit(COMPARE_OP, Py_LE); break;
    case CompareOperator::kGt: emit(COMPARE_OP, Py_GT); break;
    case CompareOperator::kGtE: emit(COMPARE_OP, Py_GE); break;
    case CompareOperator::kIs: emit(IS_OP, 0); break;
    case CompareOperator::kIsNot: emit(IS_OP, 1); break;
    case CompareOperator::kIn: emit(CONTAINS_OP, 0); break;
    case CompareOperator::kNotIn: emit(CONTAINS_OP, 1); break;
  }
}

bool Compiler::check_compare(node::Compare* node) {
  bool left = has_identity(node->left);
  for (int i = 0; i < node->ops.size(); i++) {
    const bool right = has_identity(node->comparators[i]);
    const CompareOperator op = node->ops[i];
    if ((op == CompareOperator::kIs || op == CompareOperator::kIsNot) && (!left || !right)) {
      return warn(op == CompareOperator::kIs ? "\"is\" with a literal. Did you mean \"==\"?"
                                             : "\"is not\" with a literal. Did you mean \"!=\"?");
    }
    left = right;
  }
  return true;
}

bool Compiler::visit_compare(node::Compare* node) {
  if (!check_compare(node) || !visit(node->left)) return false;
  const int last = node->ops.size() - 1;
  if (last == 0) {
    if (!visit(node->comparators[0])) return false;
    emit_compare(node->ops[0]);
    return true;
  }
  Block* cleanup = new_block();
  for (int i = 0; i < last; i++) {
    if (!visit(node->comparators[i])) return false;
    emit(SWAP, 2);
    emit(COPY, 2);
    emit_compare(node->ops[i]);
    emit_jump(JUMP_IF_FALSE_OR_POP, cleanup);
  }
  if (!visit(node->comparators[last])) return false;
  emit_compare(node->ops[last]);
  Block* end = new_block();
  emit_jump_without_line(kJump, end);
  use_next(cleanup);
  emit(SWAP, 2);
  emit(POP_TOP);
  use_next(end);
  return true;
}

bool Compiler::visit_yield(node::Yield* node) {
  if (unit().scope->type != FunctionBlock) return error("'yield' outside function");
  if (node->value != nullptr ? !visit(node->value) : !emit_constant(Py_None)) return false;
  emit_yield();
  return true;
}

bool Compiler::visit_yield_from(node::YieldFrom* node) {
  if (unit().scope->type != FunctionBlock) return error("'yield' outside function");
  if (unit().kind == ScopeKind::kAsyncFunction) return error("'yield from' inside async function");
  if (!visit(node->value)) return false;
  emit(GET_YIELD_FROM_ITER);
  if (!emit_constant(Py_None)) return false;
  emit_yield_from(false);
  return true;
}

bool Compiler::visit_await(node::Await* node) {
  if (!is_top_level_await()) {
    if (unit().scope->type != FunctionBlock) return error("'await' outside function");
    if (unit().kind != ScopeKind::kAsyncFunction && unit().kind != ScopeKind::kComprehension) {
      return error("'await' outside async function");
    }
  }
  if (!visit(node->value)) return false;
  emit(GET_AWAITABLE, 0);
  return await_top();
}

/// When an attribute is not on the line where its expression starts, the access belongs to the name's own line.
void Compiler::match_attribute_start(node::Attribute* node) {
  Position& at = unit().position;
  const Position& whole = node->position;
  if (at.lineno == whole.end_lineno) return;
  at.lineno = whole.end_lineno;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(node->attr);
  if (length <= whole.end_col_offset) {
    at.col_offset = whole.end_col_offset - static_cast<int>(length);
  } else {
    at.col_offset = -1;
    at.end_col_offset = -1;
  }
  if (at.end_lineno < at.lineno) at.end_lineno = at.lineno;
}

bool Compiler::visit_attribute(node::Attribute* node) {
  if (!visit(node->value)) return false;
  match_attribute_start(node);
  switch (node->ctx) {
    case ExprContext::kLoad: return emit_name(LOAD_ATTR, node->attr);
    case ExprContext::kStore:
      if (is_forbidden_name(node->attr, ExprContext::kStore)) return false;
      return emit_name(STORE_ATTR, node->attr);
    case ExprContext::kDel: return emit_name(DELETE_ATTR, node->attr);
  }
  return true;
}

bool Compiler::check_subscripted(Expr* expr) {
  switch (expr->kind) {
    case Kind::kConstant: {
      PyObject* value = cast<node::Constant>(expr)->value;
      if (!(value == Py_None || value == Py_Ellipsis || PyLong_Check(value) || PyFloat_Check(value) ||
            PyComplex_Check(value) || PyAnySet_Check(value))) {
        return true;
      }
      break;
    }
    case Kind::kSet:
    case Kind::kSetComp:
    case Kind::kGeneratorExp:
    case Kind::kLambda: break;
    default: return true;
  }
  return warn("'%.200s' object is not subscriptable; perhaps you missed a comma?", known_type(expr)->tp_name);
}

bool Compiler::check_index(Expr* value, Expr* index) {
  PyTypeObject* index_type = known_type(index);
  if (index_type == nullptr || PyType_FastSubclass(index_type, Py_TPFLAGS_LONG_SUBCLASS) ||
      index_type == &PySlice_Type) {
    return true;
  }
  switch (value->kind) {
    case Kind::kConstant: {
      PyObject* object = cast<node::Constant>(value)->value;
      if (!(PyUnicode_Check(object) || PyBytes_Check(object) || PyTuple_Check(object))) return true;
      break;
    }
    case Kind::kTuple:
    case Kind::kList:
    case Kind::kListComp:
    case Kind::kJoinedStr:
    case Kind::kFormattedValue: break;
    default: return true;
  }
  return warn("%.200s indices must be integers or slices, not %.200s; perhaps you missed a comma?",
              known_type(value)->tp_name, index_type->tp_name);
}

bool Compiler::check_called(Expr* expr) {
  switch (expr->kind) {
    case Kind::kConstant:
    case Kind::kTuple:
    case Kind::kList:
    case Kind::kListComp:
    case Kind::kDict:
    case Kind::kDictComp:
    case Kind::kSet:
    case Kind::kSetComp:
    case Kind::kGeneratorExp:
    case Kind::kJoinedStr:
    case Kind::kFormattedValue:
      return warn("'%.200s' object is not callable; perhaps you missed a comma?", known_type(expr)->tp_name);
    default: return true;
  }
}

bool Compiler::visit_subscript(node::Subscript* node) {
  if (node->ctx == ExprContext::kLoad && (!check_subscripted(node->value) || !check_index(node->value, node->slice))) {
    return false;
  }
  if (!visit(node->value) || !visit(node->slice)) return false;
  constexpr int kOpcodes[] = {BINARY_SUBSCR, STORE_SUBSCR, DELETE_SUBSCR};
  emit(kOpcodes[static_cast<int>(node->ctx)]);
  return true;
}

bool Compiler::visit_slice(node::Slice* node) {
  for (Expr* bound : {node->lower, node->upper}) {
    if (bound != nullptr ? !visit(bound) : !emit_constant(Py_None)) return false;
  }
  if (node->step != nullptr && !visit(node->step)) return false;
  emit(BUILD_SLICE, node->step != nullptr ? 3 : 2);
  return true;
}

bool Compiler::visit_joined_string(node::JoinedStr* node) {
  const int count = node->values.size();
  if (count <= kStackUseGuideline) {
    if (!visit_all(node->values)) return false;
    if (count != 1) emit(BUILD_STRING, count);
    return true;
  }
  if (!emit_constant(&_Py_STR(empty)) || !emit_name(LOAD_METHOD, &_Py_ID(join))) return false;
  emit(BUILD_LIST, 0);
  for (Expr* value : node->values) {
    if (!visit(value)) return false;
    emit(LIST_APPEND, 1);
  }
  emit_precall(1);
  return true;
}

bool Compiler::visit_formatted_value(node::FormattedValue* node) {
  if (!visit(node->value)) return false;
  int flags;
  switch (node->conversion) {
    case -1: flags = 0; break;
    case 's': flags = 1; break;
    case 'r': flags = 2; break;
    case 'a': flags = 3; break;
    default:
      PyErr_Format(PyExc_SystemError, "Unrecognized conversion character %d", node->conversion);
      return false;
  }
  if (node->format_spec != nullptr) {
    if (!visit(node->format_spec)) return false;
    flags |= 4;
  }
  emit(FORMAT_VALUE, flags);
  return true;
}

// --- displays and unpacking ---

bool Compiler::visit_sequence(Expr* expr, const Seq<Expr*>& elements, ExprContext context, int build) {
  switch (context) {
    case ExprContext::kLoad:
      return build_unpacked(elements, 0, BUILD_LIST, LIST_APPEND, LIST_EXTEND, build == BUILD_TUPLE);
    case ExprContext::kStore: return assign_unpacked(elements);
    case ExprContext::kDel: return visit_all(elements);
  }
  return true;
}

/// Builds a list, set or (over a list) tuple of the elements and of `pushed` items already on the stack.
bool Compiler::build_unpacked(const Seq<Expr*>& elements, int pushed, int build, int add, int extend, bool tuple) {
  const int count = elements.size();
  if (count > 2 && all_constant(elements, 0, count)) {
    Ref<> folded = Ref<>::steal(tuple_of_constants(elements, 0, count));
    if (!folded) return false;
    if (tuple && pushed == 0) return emit_constant(folded.get());
    if (add == SET_ADD) {
      folded = Ref<>::steal(PyFrozenSet_New(folded.get()));
      if (!folded) return false;
    }
    emit(build, pushed);
    if (!emit_constant(folded.get())) return false;
    emit(extend, 1);
    if (tuple) emit(LIST_TO_TUPLE);
    return true;
  }
  const bool big = count + pushed > kStackUseGuideline;
  bool has_star = false;
  for (Expr* element : elements) has_star |= element->kind == Kind::kStarred;
  if (!has_star && !big) {
    if (!visit_all(elements)) return false;
    emit(tuple ? BUILD_TUPLE : build, count + pushed);
    return true;
  }
  bool built = false;
  if (big) {
    emit(build, pushed);
    built = true;
  }
  for (int i = 0; i < count; i++) {
    auto* starred = as<node::Starred>(elements[i]);
    if (starred != nullptr) {
      if (!built) emit(build, i + pushed);
      built = true;
      if (!visit(starred->value)) return false;
      emit(extend, 1);
    } else {
      if (!visit(elements[i])) return false;
      if (built) emit(add, 1);
    }
  }
  if (tuple) emit(LIST_TO_TUPLE);
  return true;
}

bool Compiler::assign_unpacked(const Seq<Expr*>& elements) {
  const int count = elements.size();
  bool has_star = false;
  for (int i = 0; i < count; i++) {
    if (elements[i]->kind != Kind::kStarred) continue;
    if (has_star) return error("multiple starred expressions in assignment");
    const int after = count - i - 1;
    if (i >= (1 << 8) || after >= (INT_MAX >> 8)) {
      return error("too many expressions in star-unpacking assignment");
    }
    emit(UNPACK_EX, i + (after << 8));
    has_star = true;
  }
  if (!has_star) emit(UNPACK_SEQUENCE, count);
  for (Expr* element : elements) {
    auto* starred = as<node::Starred>(element);
    if (!visit(starred != nullptr ? starred->value : element)) return false;
  }
  return true;
}

bool Compiler::build_partial_dict(node::Dict* node, int begin, int end) {
  const int count = end - begin;
  const bool big = count * 2 > kStackUseGuideline;
  if (count > 1 && !big && all_constant(node->keys, begin, end)) {
    for (int i = begin; i < end; i++) {
      if (!visit(node->values[i])) return false;
    }
    if (!emit_new_constant(tuple_of_constants(node->keys, begin, end))) return false;
    emit(BUILD_CONST_KEY_MAP, count);
    return true;
  }
  if (big) emit(BUILD_MAP, 0);
  for (int i = begin; i < end; i++) {
    if (!visit(node->keys[i]) || !visit(node->values[i])) return false;
    if (big) emit(MAP_ADD, 1);
  }
  if (!big) emit(BUILD_MAP, count);
  return true;
}

bool Compiler::visit_dict(node::Dict* node) {
  const int count = node->values.size();
  bool has_dict = false;
  int waiting = 0;  // key-value pairs before `i` that are not in a dict yet
  auto flush = [&](int end) {
    if (!build_partial_dict(node, end - waiting, end)) return false;
    if (has_dict) emit(DICT_UPDATE, 1);
    has_dict = true;
    waiting = 0;
    return true;
  };
  for (int i = 0; i < count; i++) {
    if (node->keys[i] == nullptr) {
      if (waiting > 0 && !flush(i)) return false;
      if (!has_dict) emit(BUILD_MAP, 0);
      has_dict = true;
      if (!visit(node->values[i])) return false;
      emit(DICT_UPDATE, 1);
    } else if (waiting * 2 > kStackUseGuideline) {
      waiting++;
      if (!flush(i + 1)) return false;
    } else {
      waiting++;
    }
  }
  if (waiting > 0 && !flush(count)) return false;
  if (!has_dict) emit(BUILD_MAP, 0);
  return true;
}

}  // namespace pyston
