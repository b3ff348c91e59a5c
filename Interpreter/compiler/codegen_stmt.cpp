// Code generation for statements other than try, with, match and definitions.
#include "Interpreter/compiler/codegen.h"
#include "Interpreter/compiler/parser.h"

#include <pycore_code.h>
#include <pycore_global_strings.h>
#include <pycore_runtime.h>

namespace pyston {

using namespace ast;

namespace {

/// The number messages give an expression's kind: counted from 1 in the order of the tree's definition.
int number_of(const Expr* expression) { return static_cast<int>(expression->kind) - static_cast<int>(Kind::kBoolOp) + 1; }

bool has_annotations(const Seq<Stmt*>& body);

template <class TryNode>
bool try_has_annotations(TryNode* node) {
  for (ExceptHandler* handler : node->handlers) {
    if (has_annotations(cast<node::ExceptHandlerClause>(handler)->body)) return true;
  }
  return has_annotations(node->body) || has_annotations(node->finalbody) || has_annotations(node->orelse);
}

bool has_annotations(Stmt* stmt) {
  switch (stmt->kind) {
    case Kind::kAnnAssign: return true;
    case Kind::kFor: return has_annotations(cast<node::For>(stmt)->body) || has_annotations(cast<node::For>(stmt)->orelse);
    case Kind::kAsyncFor:
      return has_annotations(cast<node::AsyncFor>(stmt)->body) || has_annotations(cast<node::AsyncFor>(stmt)->orelse);
    case Kind::kWhile:
      return has_annotations(cast<node::While>(stmt)->body) || has_annotations(cast<node::While>(stmt)->orelse);
    case Kind::kIf: return has_annotations(cast<node::If>(stmt)->body) || has_annotations(cast<node::If>(stmt)->orelse);
    case Kind::kWith: return has_annotations(cast<node::With>(stmt)->body);
    case Kind::kAsyncWith: return has_annotations(cast<node::AsyncWith>(stmt)->body);
    case Kind::kTry: return try_has_annotations(cast<node::Try>(stmt));
    case Kind::kTryStar: return try_has_annotations(cast<node::TryStar>(stmt));
    case Kind::kMatch:
      for (MatchCase* match_case : cast<node::Match>(stmt)->cases) {
        if (has_annotations(match_case->body)) return true;
      }
      return false;
    default: return false;
  }
}

/// Whether the variable annotations of a module or class body need an `__annotations__` dict.
bool has_annotations(const Seq<Stmt*>& body) {
  for (Stmt* stmt : body) {
    if (has_annotations(stmt)) return true;
  }
  return false;
}

bool starts_with_docstring(const Seq<Stmt*>& body) {
  auto* statement = body.empty() ? nullptr : as<node::ExprStmt>(body[0]);
  auto* constant = statement == nullptr ? nullptr : as<node::Constant>(statement->value);
  return constant != nullptr && PyUnicode_CheckExact(constant->value);
}

}  // namespace

bool Compiler::visit_body(const Seq<Stmt*>& body) {
  if (unit().kind == ScopeKind::kModule && !interactive_ && !body.empty()) set_position_of(body[0]);
  if (has_annotations(body)) emit(SETUP_ANNOTATIONS);
  if (interactive_ && unit().kind == ScopeKind::kModule) return visit_statements(body);
  int first = 0;
  if (optimize_ < 2 && starts_with_docstring(body)) {
    first = 1;
    if (!visit(cast<node::ExprStmt>(body[0])->value)) return false;
    clear_position();
    if (!access_name(&_Py_ID(__doc__), ExprContext::kStore)) return false;
  }
  for (int i = first; i < body.size(); i++) {
    if (!visit(body[i])) return false;
  }
  return true;
}

bool Compiler::visit_statements(const Seq<Stmt*>& body) {
  for (Stmt* stmt : body) {
    if (!visit(stmt)) return false;
  }
  return true;
}

bool Compiler::visit(Stmt* stmt) {
  set_position_of(stmt);
  switch (stmt->kind) {
    case Kind::kFunctionDef: return visit_function(cast<node::FunctionDef>(stmt), ScopeKind::kFunction);
    case Kind::kAsyncFunctionDef: return visit_function(cast<node::AsyncFunctionDef>(stmt), ScopeKind::kAsyncFunction);
    case Kind::kClassDef: return visit_class(cast<node::ClassDef>(stmt));
    case Kind::kReturn: return visit_return(cast<node::Return>(stmt));
    case Kind::kDelete: return visit_all(cast<node::Delete>(stmt)->targets);
    case Kind::kAssign: return visit_assign(cast<node::Assign>(stmt));
    case Kind::kAugAssign: return visit_augmented_assign(cast<node::AugAssign>(stmt));
    case Kind::kAnnAssign: return visit_annotated_assign(cast<node::AnnAssign>(stmt));
    case Kind::kFor: return visit_for(cast<node::For>(stmt));
    case Kind::kAsyncFor: return visit_async_for(cast<node::AsyncFor>(stmt));
    case Kind::kWhile: return visit_while(cast<node::While>(stmt));
    case Kind::kIf: return visit_if(cast<node::If>(stmt));
    case Kind::kWith: return visit_with(cast<node::With>(stmt), 0, false);
    case Kind::kAsyncWith: return visit_with(cast<node::AsyncWith>(stmt), 0, true);
    case Kind::kMatch: return visit_match(cast<node::Match>(stmt));
    case Kind::kRaise: {
      auto* node = cast<node::Raise>(stmt);
      if (node->exc != nullptr && !visit(node->exc)) return false;
      if (node->cause != nullptr && !visit(node->cause)) return false;
      emit(RAISE_VARARGS, (node->exc != nullptr) + (node->cause != nullptr));
      return true;
    }
    case Kind::kTry: return visit_try(cast<node::Try>(stmt));
    case Kind::kTryStar: return visit_try_star(cast<node::TryStar>(stmt));
    case Kind::kAssert: return visit_assert(cast<node::Assert>(stmt));
    case Kind::kImport: return visit_import(cast<node::Import>(stmt));
    case Kind::kImportFrom: return visit_import_from(cast<node::ImportFrom>(stmt));
    case Kind::kGlobal:
    case Kind::kNonlocal: return true;
    case Kind::kExprStmt: return visit_expression_statement(cast<node::ExprStmt>(stmt)->value);
    case Kind::kPass: emit(NOP); return true;
    case Kind::kBreak: return visit_break();
    case Kind::kContinue: return visit_continue();
    default: PyErr_SetString(PyExc_SystemError, "compiler: unexpected statement"); return false;
  }
}

bool Compiler::visit_if(node::If* node) {
  Block* end = new_block();
  Block* next = node->orelse.empty() ? end : new_block();
  if (!jump_if(node->test, next, false) || !visit_statements(node->body)) return false;
  if (!node->orelse.empty()) {
    emit_jump_without_line(kJump, end);
    use_next(next);
    if (!visit_statements(node->orelse)) return false;
  }
  use_next(end);
  return true;
}

bool Compiler::visit_for(node::For* node) {
  Block* start = new_block();
  Block* body = new_block();
  Block* cleanup = new_block();
  Block* end = new_block();
  if (!push_frame_block(FrameBlockKind::kForLoop, start, end) || !visit(node->iter)) return false;
  emit(GET_ITER);
  use_next(start);
  emit_jump(FOR_ITER, cleanup);
  use_next(body);
  if (!visit(node->target) || !visit_statements(node->body)) return false;
  clear_position();
  emit_jump(kJump, start);
  use_next(cleanup);
  pop_frame_block();
  if (!visit_statements(node->orelse)) return false;
  use_next(end);
  return true;
}

bool Compiler::visit_async_for(node::AsyncFor* node) {
  if (is_top_level_await()) {
    unit().scope->is_coroutine = true;
  } else if (unit().kind != ScopeKind::kAsyncFunction) {
    return error("'async for' outside async function");
  }
  Block* start = new_block();
  Block* except = new_block();
  Block* end = new_block();
  if (!visit(node->iter)) return false;
  emit(GET_AITER);
  use_next(start);
  if (!push_frame_block(FrameBlockKind::kForLoop, start, end)) return false;
  emit_jump(kSetupFinally, except);
  emit(GET_ANEXT);
  if (!await_top()) return false;
  emit(kPopBlock);
  if (!visit(node->target) || !visit_statements(node->body)) return false;
  clear_position();
  emit_jump(kJump, start);
  pop_frame_block();
  use_next(except);
  set_position_of(node->iter);
  emit(END_ASYNC_FOR);
  if (!visit_statements(node->orelse)) return false;
  use_next(end);
  return true;
}

bool Compiler::visit_while(node::While* node) {
  Block* loop = new_block();
  Block* body = new_block();
  Block* anchor = new_block();
  Block* end = new_block();
  use_next(loop);
  if (!push_frame_block(FrameBlockKind::kWhileLoop, loop, end) || !jump_if(node->test, anchor, false)) return false;
  use_next(body);
  if (!visit_statements(node->body)) return false;
  // The test is repeated at the bottom: one jump per round.
  set_position_of(node);
  if (!jump_if(node->test, body, true)) return false;
  pop_frame_block();
  use_next(anchor);
  if (!visit_statements(node->orelse)) return false;
  use_next(end);
  return true;
}

bool Compiler::visit_return(node::Return* node) {
  Expr* value = node->value;
  const bool on_stack = value != nullptr && value->kind != Kind::kConstant;
  if (unit().scope->type != FunctionBlock) return error("'return' outside function");
  if (value != nullptr && unit().scope->is_coroutine && unit().scope->is_generator) {
    return error("'return' with value in async generator");
  }
  if (on_stack) {
    if (!visit(value)) return false;
  } else if (value != nullptr) {
    set_position_of(value);
    emit(NOP);
  }
  if (value == nullptr || value->position.lineno != node->position.lineno) {
    set_position_of(node);
    emit(NOP);
  }
  if (!unwind_all(on_stack, nullptr)) return false;
  if (value == nullptr) {
    if (!emit_constant(Py_None)) return false;
  } else if (!on_stack) {
    if (!emit_constant(cast<node::Constant>(value)->value)) return false;
  }
  emit(RETURN_VALUE);
  return true;
}

bool Compiler::visit_break() {
  FrameBlock* loop = nullptr;
  const Position statement = unit().position;
  emit(NOP);
  if (!unwind_all(false, &loop)) return false;
  if (loop == nullptr) {
    set_position(statement);
    return error("'break' outside loop");
  }
  if (!unwind(*loop, false)) return false;
  emit_jump(kJump, loop->exit);
  return true;
}

bool Compiler::visit_continue() {
  FrameBlock* loop = nullptr;
  const Position statement = unit().position;
  emit(NOP);
  if (!unwind_all(false, &loop)) return false;
  if (loop == nullptr) {
    set_position(statement);
    return error("'continue' not properly in loop");
  }
  emit_jump(kJump, loop->start);
  return true;
}

// --- imports ---

namespace {

Py_ssize_t find_dot(PyObject* name, Py_ssize_t start) {
  return PyUnicode_FindChar(name, '.', start, PyUnicode_GET_LENGTH(name), 1);
}

/// Interned part of a dotted name, kept by the arena.
PyObject* dotted_part(Arena& arena, PyObject* name, Py_ssize_t start, Py_ssize_t end) {
  PyObject* part = PyUnicode_Substring(name, start, end);
  if (part == nullptr) return nullptr;
  PyUnicode_InternInPlace(&part);
  return arena.keep(part);
}

}  // namespace

bool Compiler::visit_import(node::Import* node) {
  for (Alias* alias : node->names) {
    if (!emit_integer(0) || !emit_constant(Py_None) || !emit_name(IMPORT_NAME, alias->name)) return false;
    if (alias->asname != nullptr) {
      if (!visit_import_as(alias->name, alias->asname)) return false;
      continue;
    }
    PyObject* bound = alias->name;
    const Py_ssize_t dot = find_dot(bound, 0);
    if (dot >= 0) {
      bound = dotted_part(arena_, bound, 0, dot);
      if (bound == nullptr) return false;
    }
    if (!access_name(bound, ExprContext::kStore)) return false;
  }
  return true;
}

/// `import a.b.c as x` walks down from `a`.
bool Compiler::visit_import_as(PyObject* name, PyObject* as_name) {
  Py_ssize_t dot = find_dot(name, 0);
  if (dot < 0) return access_name(as_name, ExprContext::kStore);
  for (;;) {
    const Py_ssize_t start = dot + 1;
    dot = find_dot(name, start);
    PyObject* part = dotted_part(arena_, name, start, dot < 0 ? PyUnicode_GET_LENGTH(name) : dot);
    if (part == nullptr) return false;
    emit(IMPORT_FROM, unit().names.intern(part));
    if (dot < 0) break;
    emit(SWAP, 2);
    emit(POP_TOP);
  }
  if (!access_name(as_name, ExprContext::kStore)) return false;
  emit(POP_TOP);
  return true;
}

bool Compiler::visit_import_from(node::ImportFrom* node) {
  if (!emit_integer(node->level)) return false;
  Ref<> names = Ref<>::steal(PyTuple_New(node->names.size()));
  if (!names) return false;
  for (int i = 0; i < node->names.size(); i++) PyTuple_SET_ITEM(names.get(), i, Py_NewRef(node->names[i]->name));
  if (node->position.lineno > future_line_ && node->module != nullptr &&
      _PyUnicode_EqualToASCIIString(node->module, "__future__")) {
    return error("from __future__ imports must occur at the beginning of the file");
  }
  if (!emit_constant(names.get()) ||
      !emit_name(IMPORT_NAME, node->module != nullptr ? node->module : &_Py_STR(empty))) {
    return false;
  }
  for (int i = 0; i < node->names.size(); i++) {
    Alias* alias = node->names[i];
    if (i == 0 && PyUnicode_READ_CHAR(alias->name, 0) == '*') {
      emit(IMPORT_STAR);
      return true;
    }
    if (!emit_name(IMPORT_FROM, alias->name) ||
        !access_name(alias->asname != nullptr ? alias->asname : alias->name, ExprContext::kStore)) {
      return false;
    }
  }
  emit(POP_TOP);
  return true;
}

// --- simple statements ---

bool Compiler::visit_assert(node::Assert* node) {
  auto* tuple = as<node::Tuple>(node->test);
  auto* constant = as<node::Constant>(node->test);
  if ((tuple != nullptr && !tuple->elts.empty()) ||
      (constant != nullptr && PyTuple_Check(constant->value) && PyTuple_GET_SIZE(constant->value) > 0)) {
    if (!warn("assertion is always true, perhaps remove parentheses?")) return false;
  }
  if (optimize_ > 0) return true;
  Block* end = new_block();
  if (!jump_if(node->test, end, true)) return false;
  emit(LOAD_ASSERTION_ERROR);
  if (node->msg != nullptr) {
    if (!visit(node->msg)) return false;
    emit_precall(0);
  }
  emit(RAISE_VARARGS, 1);
  use_next(end);
  return true;
}

bool Compiler::visit_expression_statement(Expr* value) {
  if (interactive_ && units_.size() == 1) {
    if (!visit(value)) return false;
    emit(PRINT_EXPR);
    return true;
  }
  if (value->kind == Kind::kConstant) {
    emit(NOP);
    return true;
  }
  if (!visit(value)) return false;
  clear_position();
  emit(POP_TOP);
  return true;
}

bool Compiler::visit_assign(node::Assign* node) {
  if (!visit(node->value)) return false;
  for (int i = 0; i < node->targets.size(); i++) {
    if (i + 1 < node->targets.size()) emit(COPY, 1);
    if (!visit(node->targets[i])) return false;
  }
  return true;
}

bool Compiler::visit_augmented_assign(node::AugAssign* node) {
  Expr* target = node->target;
  const Position statement = unit().position;
  set_position_of(target);
  switch (target->kind) {
    case Kind::kAttribute: {
      auto* attribute = cast<node::Attribute>(target);
      if (!visit(attribute->value)) return false;
      emit(COPY, 1);
      match_attribute_start(attribute);
      if (!emit_name(LOAD_ATTR, attribute->attr)) return false;
      break;
    }
    case Kind::kSubscript: {
      auto* subscript = cast<node::Subscript>(target);
      if (!visit(subscript->value) || !visit(subscript->slice)) return false;
      emit(COPY, 2);
      emit(COPY, 2);
      emit(BINARY_SUBSCR);
      break;
    }
    case Kind::kName:
      if (!access_name(cast<node::Name>(target)->id, ExprContext::kLoad)) return false;
      break;
    default:
      PyErr_Format(PyExc_SystemError, "invalid node type (%d) for augmented assignment", number_of(target));
      return false;
  }
  set_position(statement);
  if (!visit(node->value)) return false;
  emit_binary(node->op, true);
  set_position_of(target);
  switch (target->kind) {
    case Kind::kAttribute: {
      auto* attribute = cast<node::Attribute>(target);
      match_attribute_start(attribute);
      emit(SWAP, 2);
      return emit_name(STORE_ATTR, attribute->attr);
    }
    case Kind::kSubscript:
      emit(SWAP, 3);
      emit(SWAP, 2);
      emit(STORE_SUBSCR);
      return true;
    default: return access_name(cast<node::Name>(target)->id, ExprContext::kStore);
  }
}

bool Compiler::evaluate_and_drop(Expr* expr) {
  if (!visit(expr)) return false;
  emit(POP_TOP);
  return true;
}

bool Compiler::evaluate_annotation_subscript(Expr* expr) {
  switch (expr->kind) {
    case Kind::kSlice: {
      auto* slice = cast<node::Slice>(expr);
      for (Expr* part : {slice->lower, slice->upper, slice->step}) {
        if (part != nullptr && !evaluate_and_drop(part)) return false;
      }
      return true;
    }
    case Kind::kTuple:
      for (Expr* element : cast<node::Tuple>(expr)->elts) {
        if (!evaluate_annotation_subscript(element)) return false;
      }
      return true;
    default: return evaluate_and_drop(expr);
  }
}

/// Pushes the value of an annotation, or its text under `from __future__ import annotations`.
bool Compiler::visit_annotation(Expr* annotation) {
  if ((flags_ & CO_FUTURE_ANNOTATIONS) == 0) return visit(annotation);
  return emit_new_constant(unparse_expression(annotation).release());
}

bool Compiler::visit_annotated_assign(node::AnnAssign* node) {
  Expr* target = node->target;
  const bool in_namespace = unit().kind == ScopeKind::kModule || unit().kind == ScopeKind::kClass;
  if (node->value != nullptr && (!visit(node->value) || !visit(target))) return false;
  switch (target->kind) {
    case Kind::kName: {
      PyObject* name = cast<node::Name>(target)->id;
      if (is_forbidden_name(name, ExprContext::kStore)) return false;
      if (node->simple && in_namespace) {
        if (!visit_annotation(node->annotation) || !emit_name(LOAD_NAME, &_Py_ID(__annotations__))) return false;
        PyObject* key = mangled(name);
        if (key == nullptr || !emit_constant(key)) return false;
        emit(STORE_SUBSCR);
      }
      break;
    }
    case Kind::kAttribute: {
      auto* attribute = cast<node::Attribute>(target);
      if (is_forbidden_name(attribute->attr, ExprContext::kStore)) return false;
      if (node->value == nullptr && !evaluate_and_drop(attribute->value)) return false;
      break;
    }
    case Kind::kSubscript: {
      auto* subscript = cast<node::Subscript>(target);
      if (node->value == nullptr &&
          (!evaluate_and_drop(subscript->value) || !evaluate_annotation_subscript(subscript->slice))) {
        return false;
      }
      break;
    }
    default:
      PyErr_Format(PyExc_SystemError, "invalid node type (%d) for annotated assignment", number_of(target));
      return false;
  }
  // The annotation of anything but a simple name is evaluated for its effects only.
  if (!node->simple && in_namespace && (flags_ & CO_FUTURE_ANNOTATIONS) == 0) {
    return evaluate_and_drop(node->annotation);
  }
  return true;
}

// --- conditions ---

bool Compiler::jump_if(Expr* expr, Block* target, bool condition) {
  switch (expr->kind) {
    case Kind::kUnaryOp: {
      auto* node = cast<node::UnaryOp>(expr);
      if (node->op == UnaryOperator::kNot) return jump_if(node->operand, target, !condition);
      break;
    }
    case Kind::kBoolOp: {
      auto* node = cast<node::BoolOp>(expr);
      const bool stops_on = node->op == BoolOperator::kOr;
      Block* early = stops_on == condition ? target : new_block();
      const int last = node->values.size() - 1;
      for (int i = 0; i < last; i++) {
        if (!jump_if(node->values[i], early, stops_on)) return false;
      }
      if (!jump_if(node->values[last], target, condition)) return false;
      if (early != target) use_next(early);
      return true;
    }
    case Kind::kIfExp: {
      auto* node = cast<node::IfExp>(expr);
      Block* end = new_block();
      Block* otherwise = new_block();
      if (!jump_if(node->test, otherwise, false) || !jump_if(node->body, target, condition)) return false;
      emit_jump_without_line(kJump, end);
      use_next(otherwise);
      if (!jump_if(node->orelse, target, condition)) return false;
      use_next(end);
      return true;
    }
    case Kind::kCompare: {
      auto* node = cast<node::Compare>(expr);
      const int last = node->ops.size() - 1;
      // QUIRK: the comparison's position stays in force for what follows.
      set_position_of(expr);
      if (last == 0) break;
      if (!check_compare(node)) return false;
      Block* cleanup = new_block();
      if (!visit(node->left)) return false;
      for (int i = 0; i < last; i++) {
        if (!visit(node->comparators[i])) return false;
        emit(SWAP, 2);
        emit(COPY, 2);
        emit_compare(node->ops[i]);
        emit_jump(kPopJumpIfFalse, cleanup);
      }
      if (!visit(node->comparators[last])) return false;
      emit_compare(node->ops[last]);
      emit_jump(condition ? kPopJumpIfTrue : kPopJumpIfFalse, target);
      Block* end = new_block();
      emit_jump_without_line(kJump, end);
      use_next(cleanup);
      emit(POP_TOP);
      if (!condition) emit_jump_without_line(kJump, target);
      use_next(end);
      return true;
    }
    default: break;
  }
  if (!visit(expr)) return false;
  emit_jump(condition ? kPopJumpIfTrue : kPopJumpIfFalse, target);
  return true;
}

}  // namespace pyston
