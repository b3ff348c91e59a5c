// Code generation for what opens a scope of its own: functions, classes, lambdas, comprehensions.
#include "Interpreter/compiler/codegen.h"

#include <pycore_code.h>
#include <pycore_global_strings.h>
#include <pycore_runtime.h>

namespace pyston {

using namespace ast;

namespace {

enum MakeFunctionFlag { kHasDefaults = 0x01, kHasKeywordDefaults = 0x02, kHasAnnotations = 0x04 };

PyObject* docstring_of(const Seq<Stmt*>& body) {
  auto* statement = body.empty() ? nullptr : as<node::ExprStmt>(body[0]);
  auto* constant = statement == nullptr ? nullptr : as<node::Constant>(statement->value);
  return constant != nullptr && PyUnicode_CheckExact(constant->value) ? constant->value : nullptr;
}

void set_argument_counts(Unit& unit, ast::Arguments* args) {
  unit.argument_count = args->args.size();
  unit.positional_only_count = args->posonlyargs.size();
  unit.keyword_only_count = args->kwonlyargs.size();
}

int first_line_of(const Position& position, const Seq<Expr*>& decorators) {
  return decorators.empty() ? position.lineno : decorators[0]->position.lineno;
}

}  // namespace

bool Compiler::apply_decorators(const Seq<Expr*>& decorators) {
  PositionGuard guard(unit());
  for (int i = decorators.size() - 1; i >= 0; i--) {
    set_position_of(decorators[i]);
    emit_precall(0);
  }
  return true;
}

bool Compiler::check_debug_parameters(ast::Arguments* args) {
  for (const Seq<Arg*>* parameters : {&args->posonlyargs, &args->args, &args->kwonlyargs}) {
    for (Arg* parameter : *parameters) {
      if (is_forbidden_name(parameter->arg, ExprContext::kStore)) return false;
    }
  }
  for (Arg* parameter : {args->vararg, args->kwarg}) {
    if (parameter != nullptr && is_forbidden_name(parameter->arg, ExprContext::kStore)) return false;
  }
  return true;
}

bool Compiler::emit_defaults(ast::Arguments* args, int& flags) {
  if (!args->defaults.empty()) {
    if (!visit_all(args->defaults)) return false;
    emit(BUILD_TUPLE, args->defaults.size());
    flags |= kHasDefaults;
  }
  Ref<> names = Ref<>::steal(PyList_New(0));
  if (!names) return false;
  for (int i = 0; i < args->kwonlyargs.size(); i++) {
    Expr* value = args->kw_defaults[i];
    if (value == nullptr) continue;
    PyObject* name = mangled(args->kwonlyargs[i]->arg);
    if (name == nullptr || PyList_Append(names.get(), name) < 0 || !visit(value)) return false;
  }
  const Py_ssize_t count = PyList_GET_SIZE(names.get());
  if (count > 0) {
    if (!emit_new_constant(PyList_AsTuple(names.get()))) return false;
    emit(BUILD_CONST_KEY_MAP, static_cast<int>(count));
    flags |= kHasKeywordDefaults;
  }
  return true;
}

bool Compiler::emit_parameter_annotation(PyObject* name, Expr* annotation, int& count) {
  if (annotation == nullptr) return true;
  PyObject* key = mangled(name);
  if (key == nullptr || !emit_constant(key)) return false;
  auto* starred = as<node::Starred>(annotation);
  if (starred != nullptr && (flags_ & CO_FUTURE_ANNOTATIONS) == 0) {
    // `*args: *Ts` annotates with the one item of Ts.
    if (!visit(starred->value)) return false;
    emit(UNPACK_SEQUENCE, 1);
  } else if (!visit_annotation(annotation)) {
    return false;
  }
  count += 2;
  return true;
}

bool Compiler::emit_annotations(ast::Arguments* args, Expr* returns, int& flags) {
  int count = 0;
  for (const Seq<Arg*>* parameters : {&args->args, &args->posonlyargs}) {
    for (Arg* parameter : *parameters) {
      if (!emit_parameter_annotation(parameter->arg, parameter->annotation, count)) return false;
    }
  }
  if (args->vararg != nullptr && !emit_parameter_annotation(args->vararg->arg, args->vararg->annotation, count)) {
    return false;
  }
  for (Arg* parameter : args->kwonlyargs) {
    if (!emit_parameter_annotation(parameter->arg, parameter->annotation, count)) return false;
  }
  if (args->kwarg != nullptr && !emit_parameter_annotation(args->kwarg->arg, args->kwarg->annotation, count)) {
    return false;
  }
  if (!emit_parameter_annotation(&_Py_ID(return), returns, count)) return false;
  if (count > 0) {
    emit(BUILD_TUPLE, count);
    flags |= kHasAnnotations;
  }
  return true;
}

template <class FunctionNode>
bool Compiler::visit_function(FunctionNode* node, ScopeKind kind) {
  if (!check_debug_parameters(node->args) || !visit_all(node->decorator_list)) return false;
  int flags = 0;
  if (!emit_defaults(node->args, flags) || !emit_annotations(node->args, node->returns, flags) ||
      !enter_scope(node->name, kind, node, first_line_of(node->position, node->decorator_list))) {
    return false;
  }
  PyObject* docstring = optimize_ < 2 ? docstring_of(node->body) : nullptr;
  if (constant_index(docstring != nullptr ? docstring : Py_None) < 0) return false;
  set_argument_counts(unit(), node->args);
  for (int i = docstring != nullptr ? 1 : 0; i < node->body.size(); i++) {
    if (!visit(node->body[i])) return false;
  }
  Ref<PyCodeObject> code = assemble(true);
  leave_scope();
  return code && emit_closure(code.get(), flags) && apply_decorators(node->decorator_list) &&
         access_name(node->name, ExprContext::kStore);
}

template bool Compiler::visit_function(node::FunctionDef*, ScopeKind);
template bool Compiler::visit_function(node::AsyncFunctionDef*, ScopeKind);

bool Compiler::visit_class(node::ClassDef* node) {
  if (!visit_all(node->decorator_list)) return false;
  if (!enter_scope(node->name, ScopeKind::kClass, node, first_line_of(node->position, node->decorator_list))) {
    return false;
  }
  unit().private_name = node->name;
  if (!access_name(&_Py_ID(__name__), ExprContext::kLoad) || !access_name(&_Py_ID(__module__), ExprContext::kStore) ||
      !emit_constant(unit().qualified_name) || !access_name(&_Py_ID(__qualname__), ExprContext::kStore) ||
      !visit_body(node->body)) {
    return false;
  }
  clear_position();
  if (unit().scope->needs_class_closure) {
    // __build_class__ fills the cell that the methods' __class__ refers to.
    emit(LOAD_CLOSURE, unit().cells.get(&_Py_ID(__class__), 0));
    emit(COPY, 1);
    if (!access_name(&_Py_ID(__classcell__), ExprContext::kStore)) return false;
  } else if (!emit_constant(Py_None)) {
    return false;
  }
  emit(RETURN_VALUE);
  Ref<PyCodeObject> code = assemble(true);
  leave_scope();
  if (!code) return false;
  emit(PUSH_NULL);
  emit(LOAD_BUILD_CLASS);
  return emit_closure(code.get(), 0) && emit_constant(node->name) && emit_call(2, node->bases, node->keywords) &&
         apply_decorators(node->decorator_list) && access_name(node->name, ExprContext::kStore);
}

bool Compiler::visit_lambda(node::Lambda* node) {
  int flags = 0;
  if (!check_debug_parameters(node->args) || !emit_defaults(node->args, flags) ||
      !enter_scope(&_Py_STR(anon_lambda), ScopeKind::kLambda, node, node->position.lineno)) {
    return false;
  }
  // The first constant is the docstring: a lambda has none.
  if (constant_index(Py_None) < 0) return false;
  set_argument_counts(unit(), node->args);
  if (!visit(node->body)) return false;
  const bool is_generator = unit().scope->is_generator;
  if (!is_generator) emit(RETURN_VALUE);
  Ref<PyCodeObject> code = assemble(!is_generator);
  leave_scope();
  return code && emit_closure(code.get(), flags);
}

// --- comprehensions ---

bool Compiler::visit_comprehension(Expr* node, PyObject* name, const Seq<Comprehension*>& generators, Expr* element,
                                   Expr* value) {
  const bool top_level_await = is_top_level_await();
  const ScopeKind outer_kind = unit().kind;
  const Kind kind = node->kind;
  Comprehension* outermost = generators[0];
  if (!enter_scope(name, ScopeKind::kComprehension, node, node->position.lineno)) return false;
  set_position_of(node);
  const bool is_async = unit().scope->is_coroutine;
  if (is_async && kind != Kind::kGeneratorExp && outer_kind != ScopeKind::kAsyncFunction &&
      outer_kind != ScopeKind::kComprehension && !top_level_await) {
    return error("asynchronous comprehension outside of an asynchronous function");
  }
  switch (kind) {
    case Kind::kListComp: emit(BUILD_LIST, 0); break;
    case Kind::kSetComp: emit(BUILD_SET, 0); break;
    case Kind::kDictComp: emit(BUILD_MAP, 0); break;
    default: break;
  }
  if (!emit_generators(kind, generators, 0, 0, element, value)) return false;
  if (kind != Kind::kGeneratorExp) emit(RETURN_VALUE);
  Ref<PyCodeObject> code = assemble(true);
  leave_scope();
  if (!code) return false;
  if (top_level_await && is_async) unit().scope->is_coroutine = true;
  if (!emit_closure(code.get(), 0) || !visit(outermost->iter)) return false;
  emit(outermost->is_async ? GET_AITER : GET_ITER);
  emit_precall(0);
  if (is_async && kind != Kind::kGeneratorExp) {
    emit(GET_AWAITABLE, 0);
    return await_top();
  }
  return true;
}

bool Compiler::emit_generators(Kind kind, const Seq<Comprehension*>& generators, int index, int depth, Expr* element,
                               Expr* value) {
  return generators[index]->is_async ? emit_async_generator(kind, generators, index, depth, element, value)
                                     : emit_sync_generator(kind, generators, index, depth, element, value);
}

bool Compiler::emit_comprehension_element(Kind kind, int depth, Expr* element, Expr* value) {
  if (!visit(element)) return false;
  switch (kind) {
    case Kind::kGeneratorExp:
      emit_yield();
      emit(POP_TOP);
      return true;
    case Kind::kListComp: emit(LIST_APPEND, depth + 1); return true;
    case Kind::kSetComp: emit(SET_ADD, depth + 1); return true;
    default:
      if (!visit(value)) return false;
      emit(MAP_ADD, depth + 1);
      return true;
  }
}

bool Compiler::emit_sync_generator(Kind kind, const Seq<Comprehension*>& generators, int index, int depth,
                                   Expr* element, Expr* value) {
  Comprehension* generator = generators[index];
  Block* start = new_block();
  Block* if_cleanup = new_block();
  Block* anchor = new_block();
  bool iterates = true;
  if (index == 0) {
    unit().argument_count = 1;
    emit(LOAD_FAST, 0);
  } else {
    // `for y in [f(x)]` is an assignment.
    Seq<Expr*> elements;
    if (auto* list = as<node::List>(generator->iter)) elements = list->elts;
    if (auto* tuple = as<node::Tuple>(generator->iter)) elements = tuple->elts;
    if (elements.size() == 1 && elements[0]->kind != Kind::kStarred) {
      iterates = false;
      if (!visit(elements[0])) return false;
    } else {
      if (!visit(generator->iter)) return false;
      emit(GET_ITER);
    }
  }
  if (iterates) {
    depth++;
    use_next(start);
    emit_jump(FOR_ITER, anchor);
  }
  if (!visit(generator->target)) return false;
  for (Expr* condition : generator->ifs) {
    if (!jump_if(condition, if_cleanup, false)) return false;
  }
  if (index + 1 < generators.size()) {
    if (!emit_generators(kind, generators, index + 1, depth, element, value)) return false;
  } else if (!emit_comprehension_element(kind, depth, element, value)) {
    return false;
  }
  use_next(if_cleanup);
  if (iterates) {
    emit_jump(kJump, start);
    use_next(anchor);
  }
  return true;
}

bool Compiler::emit_async_generator(Kind kind, const Seq<Comprehension*>& generators, int index, int depth,
                                    Expr* element, Expr* value) {
  Comprehension* generator = generators[index];
  Block* start = new_block();
  Block* except = new_block();
  Block* if_cleanup = new_block();
  if (index == 0) {
    unit().argument_count = 1;
    emit(LOAD_FAST, 0);
  } else {
    if (!visit(generator->iter)) return false;
    emit(GET_AITER);
  }
  use_next(start);
  if (!push_frame_block(FrameBlockKind::kAsyncComprehension, start, nullptr)) return false;
  emit_jump(kSetupFinally, except);
  emit(GET_ANEXT);
  if (!await_top()) return false;
  emit(kPopBlock);
  if (!visit(generator->target)) return false;
  for (Expr* condition : generator->ifs) {
    if (!jump_if(condition, if_cleanup, false)) return false;
  }
  depth++;
  if (index + 1 < generators.size()) {
    if (!emit_generators(kind, generators, index + 1, depth, element, value)) return false;
  } else if (!emit_comprehension_element(kind, depth, element, value)) {
    return false;
  }
  use_next(if_cleanup);
  emit_jump(kJump, start);
  pop_frame_block();
  use_next(except);
  emit(END_ASYNC_FOR);
  return true;
}

}  // namespace pyston
