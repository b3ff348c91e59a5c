// First pass of the symbol table: walks the tree once and records, per block, the definitions and uses of every name.
//
// Checks that need only the block at hand (global after use, duplicate arguments, assignment expressions in
// comprehensions, yield in comprehensions, `import *`) are made here; those that need the enclosing blocks in
// symtable_analysis.cpp.
#include "Interpreter/compiler/symtable.h"

#include <cstdarg>

#include <pycore_compile.h>
#include <pycore_global_strings.h>
#include <pycore_pystate.h>
#include <pycore_runtime.h>

#include "Interpreter/compiler/compiler.h"

namespace pyston {

using namespace ast;

bool raise_syntax_error(PyObject* filename, const Position& position, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  PyErr_FormatV(PyExc_SyntaxError, format, arguments);
  va_end(arguments);
  PyErr_RangedSyntaxLocationObject(filename, position.lineno, position.col_offset + 1, position.end_lineno,
                                   position.end_col_offset + 1);
  return false;
}

RecursionBudget RecursionBudget::start() {
  // A level here uses far less C stack than a Python call, hence the scale; CPython's value, since it is visible.
  constexpr int kScale = 3;
  PyThreadState* thread = _PyThreadState_GET();
  const int limit = thread->recursion_limit;
  const int used = limit - thread->recursion_remaining;
  return {used < INT_MAX / kScale ? used * kScale : used, limit > INT_MAX / kScale ? INT_MAX : limit * kScale};
}

bool RecursionLevel::fail() {
  PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded during compilation");
  return false;
}

PyObject* mangle(PyObject* private_name, PyObject* name, Arena& arena) {
  // FAST: almost no name is private, and the parser's identifiers are interned.
  if (LIKELY((private_name == nullptr || PyUnicode_GET_LENGTH(name) < 2 || PyUnicode_READ_CHAR(name, 0) != '_' ||
              PyUnicode_READ_CHAR(name, 1) != '_') &&
             PyUnicode_CHECK_INTERNED(name))) {
    return name;
  }
  PyObject* mangled = _Py_Mangle(private_name, name);
  if (mangled == nullptr) return nullptr;
  PyUnicode_InternInPlace(&mangled);
  return arena.keep(mangled);
}

/// The visitor. `current_` is the block being filled; the chain of its parents is the block stack.
class SymbolCollector {
 public:
  explicit SymbolCollector(SymbolTable& table) : table_(table), budget_(RecursionBudget::start()) {}

  bool run(Mod* tree) {
    if (!enter(&_Py_ID(top), ModuleBlock, tree, {})) return false;
    table_.top_ = current_;
    switch (tree->kind) {
      case Kind::kModule: return visit_all(cast<node::Module>(tree)->body);
      case Kind::kInteractive: return visit_all(cast<node::Interactive>(tree)->body);
      case Kind::kExpression: return visit(cast<node::Expression>(tree)->body);
      default: PyErr_SetString(PyExc_RuntimeError, "this compiler does not handle FunctionTypes"); return false;
    }
  }

 private:
  // Blocks.

  bool enter(PyObject* name, _Py_block_ty type, const void* node, const Position& position) {
    Scope& scope = table_.scopes_.emplace_back();
    scope.type = type;
    scope.name = name;
    scope.node = node;
    scope.parent = current_;
    scope.position = position;
    if (current_ != nullptr) {
      scope.is_nested = current_->is_nested || current_->type == FunctionBlock;
      // Assignment expressions stay forbidden in blocks inside a comprehension's iterable.
      scope.iterable_depth = current_->iterable_depth;
      if (type != AnnotationBlock) current_->children.push_back(&scope);
    }
    // Annotation blocks (future annotations become strings) leave no trace in the table.
    if (type != AnnotationBlock) table_.by_node_[node] = &scope;
    current_ = &scope;
    return true;
  }
  void leave() { current_ = current_->parent; }

  // Names.

  PyObject* mangled(PyObject* name) { return mangle(private_, name, table_.arena_); }

  bool error(const Position& position, const char* format, PyObject* name = nullptr) {
    return raise_syntax_error(table_.filename_, position, format, name);
  }

  bool define(PyObject* name, int flag, const Position& position) { return define_in(*current_, name, flag, position); }

  bool define_in(Scope& scope, PyObject* name, int flag, const Position& position) {
    PyObject* key = mangled(name);
    if (key == nullptr) return false;
    int flags = scope.symbols.get(key, 0);
    if ((flag & DEF_PARAM) && (flags & DEF_PARAM)) {
      return error(position, "duplicate argument '%U' in function definition", name);
    }
    flags |= flag;
    if (scope.in_iteration_target) {
      if (flags & (DEF_GLOBAL | DEF_NONLOCAL)) {
        return error(position, "comprehension inner loop cannot rebind assignment expression target '%U'", name);
      }
      flags |= DEF_COMP_ITER;
    }
    scope.symbols.set(key, flags);
    if (flag & DEF_PARAM) {
      scope.parameters.push_back(key);
    } else if (flag & DEF_GLOBAL) {
      NameMap& globals = table_.scopes_.front().symbols;
      globals.set(key, globals.get(key, 0) | flag);
    }
    return true;
  }

  bool record_directive(PyObject* name, const Position& position) {
    PyObject* key = mangled(name);
    if (key == nullptr) return false;
    current_->directives.push_back({key, position});
    return true;
  }

  int lookup(PyObject* name) {
    PyObject* key = mangled(name);
    return key == nullptr ? -1 : current_->flags_of(key);
  }

  // Lists.

  template <class T>
  bool visit_all(const Seq<T*>& nodes) {
    for (T* node : nodes) {
      if (node != nullptr && !visit(node)) return false;
    }
    return true;
  }
  template <class T>
  bool visit_optional(T* node) {
    return node == nullptr || visit(node);
  }

  // Statements.

  bool visit(Stmt* stmt) {
    RecursionLevel level(budget_);
    if (!level.ok()) return false;
    switch (stmt->kind) {
      case Kind::kFunctionDef: return visit_function(cast<node::FunctionDef>(stmt), false);
      case Kind::kAsyncFunctionDef: return visit_function(cast<node::AsyncFunctionDef>(stmt), true);
      case Kind::kClassDef: return visit_class(cast<node::ClassDef>(stmt));
      case Kind::kReturn: {
        auto* node = cast<node::Return>(stmt);
        if (node->value == nullptr) return true;
        if (!visit(node->value)) return false;
        current_->returns_value = true;
        return true;
      }
      case Kind::kDelete: return visit_all(cast<node::Delete>(stmt)->targets);
      case Kind::kAssign: {
        auto* node = cast<node::Assign>(stmt);
        return visit_all(node->targets) && visit(node->value);
      }
      case Kind::kAugAssign: {
        auto* node = cast<node::AugAssign>(stmt);
        return visit(node->target) && visit(node->value);
      }
      case Kind::kAnnAssign: return visit_annotated_assignment(cast<node::AnnAssign>(stmt));
      case Kind::kFor: return visit_for(cast<node::For>(stmt));
      case Kind::kAsyncFor: return visit_for(cast<node::AsyncFor>(stmt));
      case Kind::kWhile: {
        auto* node = cast<node::While>(stmt);
        return visit(node->test) && visit_all(node->body) && visit_all(node->orelse);
      }
      case Kind::kIf: {
        auto* node = cast<node::If>(stmt);
        return visit(node->test) && visit_all(node->body) && visit_all(node->orelse);
      }
      case Kind::kWith: return visit_with(cast<node::With>(stmt));
      case Kind::kAsyncWith: return visit_with(cast<node::AsyncWith>(stmt));
      case Kind::kMatch: {
        auto* node = cast<node::Match>(stmt);
        return visit(node->subject) && visit_all(node->cases);
      }
      case Kind::kRaise: {
        auto* node = cast<node::Raise>(stmt);
        return visit_optional(node->exc) && visit_optional(node->cause);
      }
      case Kind::kTry: return visit_try(cast<node::Try>(stmt));
      case Kind::kTryStar: return visit_try(cast<node::TryStar>(stmt));
      case Kind::kAssert: {
        auto* node = cast<node::Assert>(stmt);
        return visit(node->test) && visit_optional(node->msg);
      }
      case Kind::kImport: return visit_all(cast<node::Import>(stmt)->names);
      case Kind::kImportFrom: return visit_all(cast<node::ImportFrom>(stmt)->names);
      case Kind::kGlobal: return visit_global(cast<node::Global>(stmt)->names, stmt->position);
      case Kind::kNonlocal: return visit_nonlocal(cast<node::Nonlocal>(stmt)->names, stmt->position);
      case Kind::kExprStmt: return visit(cast<node::ExprStmt>(stmt)->value);
      default: return true;  // pass, break, continue
    }
  }

  template <class FunctionNode>
  bool visit_function(FunctionNode* node, bool is_async) {
    if (!define(node->name, DEF_LOCAL, node->position) || !visit_all(node->args->defaults) ||
        !visit_all(node->args->kw_defaults) || !visit_signature_annotations(node, node->args, node->returns) ||
        !visit_all(node->decorator_list) || !enter(node->name, FunctionBlock, node, node->position)) {
      return false;
    }
    if (is_async) current_->is_coroutine = true;
    if (!visit_parameters(node->args) || !visit_all(node->body)) return false;
    leave();
    return true;
  }

  bool visit_class(node::ClassDef* node) {
    if (!define(node->name, DEF_LOCAL, node->position) || !visit_all(node->bases) || !visit_all(node->keywords) ||
        !visit_all(node->decorator_list) || !enter(node->name, ClassBlock, node, node->position)) {
      return false;
    }
    PyObject* outer_private = private_;
    private_ = node->name;
    const bool done = visit_all(node->body);
    private_ = outer_private;
    leave();
    return done;
  }

  bool visit_annotated_assignment(node::AnnAssign* node) {
    if (auto* name = as<node::Name>(node->target)) {
      const int flags = lookup(name->id);
      if (flags < 0) return false;
      if ((flags & (DEF_GLOBAL | DEF_NONLOCAL)) && current_ != &table_.scopes_.front() && node->simple) {
        return error(node->position, flags & DEF_GLOBAL ? "annotated name '%U' can't be global"
                                                        : "annotated name '%U' can't be nonlocal",
                     name->id);
      }
      const int flag = (node->simple ? DEF_ANNOT | DEF_LOCAL : 0) | (node->value != nullptr ? DEF_LOCAL : 0);
      if (flag != 0 && !define(name->id, flag, name->position)) return false;
    } else if (!visit(node->target)) {
      return false;
    }
    return visit_annotation(node->annotation) && visit_optional(node->value);
  }

  template <class ForNode>
  bool visit_for(ForNode* node) {
    return visit(node->target) && visit(node->iter) && visit_all(node->body) && visit_all(node->orelse);
  }
  template <class WithNode>
  bool visit_with(WithNode* node) {
    for (WithItem* item : node->items) {
      if (!visit(item->context_expr) || !visit_optional(item->optional_vars)) return false;
    }
    return visit_all(node->body);
  }
  template <class TryNode>
  bool visit_try(TryNode* node) {
    return visit_all(node->body) && visit_all(node->orelse) && visit_all(node->handlers) && visit_all(node->finalbody);
  }

  bool visit(ExceptHandler* handler) {
    auto* node = cast<node::ExceptHandlerClause>(handler);
    if (!visit_optional(node->type)) return false;
    if (node->name != nullptr && !define(node->name, DEF_LOCAL, node->position)) return false;
    return visit_all(node->body);
  }

  bool visit(MatchCase* node) {
    return visit(node->pattern) && visit_optional(node->guard) && visit_all(node->body);
  }

  bool visit(Alias* alias) {
    PyObject* name = alias->asname == nullptr ? alias->name : alias->asname;
    if (PyUnicode_GET_LENGTH(name) == 1 && PyUnicode_READ_CHAR(name, 0) == '*') {
      if (current_->type == ModuleBlock) return true;
      return error(alias->position, "import * only allowed at module level");
    }
    // `import a.b` binds `a`.
    const Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1);
    if (dot >= 0) {
      name = PyUnicode_Substring(name, 0, dot);
      if (name == nullptr) return false;
      PyUnicode_InternInPlace(&name);
      table_.arena_.keep(name);
    }
    return define(name, DEF_IMPORT, alias->position);
  }

  bool visit_global(const Seq<Identifier>& names, const Position& position) {
    for (PyObject* name : names) {
      const int flags = lookup(name);
      if (flags < 0) return false;
      if (flags & DEF_PARAM) return error(position, "name '%U' is parameter and global", name);
      if (flags & USE) return error(position, "name '%U' is used prior to global declaration", name);
      if (flags & DEF_ANNOT) return error(position, "annotated name '%U' can't be global", name);
      if (flags & DEF_LOCAL) return error(position, "name '%U' is assigned to before global declaration", name);
      if (!define(name, DEF_GLOBAL, position) || !record_directive(name, position)) return false;
    }
    return true;
  }

  bool visit_nonlocal(const Seq<Identifier>& names, const Position& position) {
    for (PyObject* name : names) {
      const int flags = lookup(name);
      if (flags < 0) return false;
      if (flags & DEF_PARAM) return error(position, "name '%U' is parameter and nonlocal", name);
      if (flags & USE) return error(position, "name '%U' is used prior to nonlocal declaration", name);
      if (flags & DEF_ANNOT) return error(position, "annotated name '%U' can't be nonlocal", name);
      if (flags & DEF_LOCAL) return error(position, "name '%U' is assigned to before nonlocal declaration", name);
      if (!define(name, DEF_NONLOCAL, position) || !record_directive(name, position)) return false;
    }
    return true;
  }

  // Function signatures.

  bool define_parameters(const Seq<Arg*>& parameters) {
    for (Arg* parameter : parameters) {
      if (!define(parameter->arg, DEF_PARAM, parameter->position)) return false;
    }
    return true;
  }

  bool visit_parameters(ast::Arguments* args) {
    if (!define_parameters(args->posonlyargs) || !define_parameters(args->args) ||
        !define_parameters(args->kwonlyargs)) {
      return false;
    }
    if (args->vararg != nullptr) {
      if (!define(args->vararg->arg, DEF_PARAM, args->vararg->position)) return false;
      current_->has_varargs = true;
    }
    if (args->kwarg != nullptr) {
      if (!define(args->kwarg->arg, DEF_PARAM, args->kwarg->position)) return false;
      current_->has_varkeywords = true;
    }
    return true;
  }

  bool has_future_annotations() const { return (table_.future_features_ & CO_FUTURE_ANNOTATIONS) != 0; }

  bool visit_annotation(Expr* annotation) {
    const bool separate = has_future_annotations();
    if (separate && !enter(&_Py_ID(_annotation), AnnotationBlock, annotation, annotation->position)) return false;
    if (!visit(annotation)) return false;
    if (separate) leave();
    return true;
  }

  bool visit_parameter_annotations(const Seq<Arg*>& parameters) {
    for (Arg* parameter : parameters) {
      if (!visit_optional(parameter->annotation)) return false;
    }
    return true;
  }

  bool visit_signature_annotations(Stmt* function, ast::Arguments* args, Expr* returns) {
    const bool separate = has_future_annotations();
    if (separate && !enter(&_Py_ID(_annotation), AnnotationBlock, function, function->position)) return false;
    if (!visit_parameter_annotations(args->posonlyargs) || !visit_parameter_annotations(args->args)) return false;
    if (args->vararg != nullptr && !visit_optional(args->vararg->annotation)) return false;
    if (args->kwarg != nullptr && !visit_optional(args->kwarg->annotation)) return false;
    if (!visit_parameter_annotations(args->kwonlyargs)) return false;
    if (separate) leave();
    return returns == nullptr || visit_annotation(returns);
  }

  // Expressions.

  bool visit(Expr* expr) {
    RecursionLevel level(budget_);
    if (!level.ok()) return false;
    switch (expr->kind) {
      case Kind::kName: return visit_name(cast<node::Name>(expr));
      case Kind::kConstant: return true;
      case Kind::kAttribute: return visit(cast<node::Attribute>(expr)->value);
      case Kind::kCall: {
        auto* node = cast<node::Call>(expr);
        return visit(node->func) && visit_all(node->args) && visit_all(node->keywords);
      }
      case Kind::kBoolOp: return visit_all(cast<node::BoolOp>(expr)->values);
      case Kind::kNamedExpr: return visit_named_expression(cast<node::NamedExpr>(expr));
      case Kind::kBinOp: {
        auto* node = cast<node::BinOp>(expr);
        return visit(node->left) && visit(node->right);
      }
      case Kind::kUnaryOp: return visit(cast<node::UnaryOp>(expr)->operand);
      case Kind::kLambda: return visit_lambda(cast<node::Lambda>(expr));
      case Kind::kIfExp: {
        auto* node = cast<node::IfExp>(expr);
        return visit(node->test) && visit(node->body) && visit(node->orelse);
      }
      case Kind::kDict: {
        auto* node = cast<node::Dict>(expr);
        return visit_all(node->keys) && visit_all(node->values);
      }
      case Kind::kSet: return visit_all(cast<node::Set>(expr)->elts);
      case Kind::kListComp: {
        auto* node = cast<node::ListComp>(expr);
        return visit_comprehension(expr, &_Py_ID(listcomp), ListComprehension, node->generators, node->elt, nullptr);
      }
      case Kind::kSetComp: {
        auto* node = cast<node::SetComp>(expr);
        return visit_comprehension(expr, &_Py_ID(setcomp), SetComprehension, node->generators, node->elt, nullptr);
      }
      case Kind::kDictComp: {
        auto* node = cast<node::DictComp>(expr);
        return visit_comprehension(expr, &_Py_ID(dictcomp), DictComprehension, node->generators, node->key,
                                   node->value);
      }
      case Kind::kGeneratorExp: {
        auto* node = cast<node::GeneratorExp>(expr);
        return visit_comprehension(expr, &_Py_ID(genexpr), GeneratorExpression, node->generators, node->elt, nullptr);
      }
      case Kind::kAwait:
        if (!refuse_in_annotation("await expression", expr)) return false;
        if (!visit(cast<node::Await>(expr)->value)) return false;
        current_->is_coroutine = true;
        return true;
      case Kind::kYield: return visit_yield(expr, cast<node::Yield>(expr)->value);
      case Kind::kYieldFrom: return visit_yield(expr, cast<node::YieldFrom>(expr)->value);
      case Kind::kCompare: {
        auto* node = cast<node::Compare>(expr);
        return visit(node->left) && visit_all(node->comparators);
      }
      case Kind::kFormattedValue: {
        auto* node = cast<node::FormattedValue>(expr);
        return visit(node->value) && visit_optional(node->format_spec);
      }
      case Kind::kJoinedStr: return visit_all(cast<node::JoinedStr>(expr)->values);
      case Kind::kSubscript: {
        auto* node = cast<node::Subscript>(expr);
        return visit(node->value) && visit(node->slice);
      }
      case Kind::kStarred: return visit(cast<node::Starred>(expr)->value);
      case Kind::kList: return visit_all(cast<node::List>(expr)->elts);
      case Kind::kTuple: return visit_all(cast<node::Tuple>(expr)->elts);
      case Kind::kSlice: {
        auto* node = cast<node::Slice>(expr);
        return visit_optional(node->lower) && visit_optional(node->upper) && visit_optional(node->step);
      }
      default: return true;
    }
  }

  bool visit(Keyword* keyword) { return visit(keyword->value); }

  bool visit_name(node::Name* node) {
    if (!define(node->id, node->ctx == ExprContext::kLoad ? USE : DEF_LOCAL, node->position)) return false;
    // `super` without arguments reads the class from the cell of __class__.
    if (node->ctx == ExprContext::kLoad && current_->type == FunctionBlock &&
        _PyUnicode_EqualToASCIIString(node->id, "super")) {
      return define(&_Py_ID(__class__), USE, node->position);
    }
    return true;
  }

  bool visit_lambda(node::Lambda* node) {
    if (!visit_all(node->args->defaults) || !visit_all(node->args->kw_defaults) ||
        !enter(&_Py_ID(lambda), FunctionBlock, node, node->position) || !visit_parameters(node->args) ||
        !visit(node->body)) {
      return false;
    }
    leave();
    return true;
  }

  bool refuse_in_annotation(const char* what, Expr* expr) {
    if (current_->type != AnnotationBlock) return true;
    return raise_syntax_error(table_.filename_, expr->position, "'%s' can not be used within an annotation", what);
  }

  bool visit_yield(Expr* expr, Expr* value) {
    if (!refuse_in_annotation("yield expression", expr) || !visit_optional(value)) return false;
    current_->is_generator = true;
    switch (current_->comprehension) {
      case NoComprehension: return true;
      case ListComprehension: return error(expr->position, "'yield' inside list comprehension");
      case SetComprehension: return error(expr->position, "'yield' inside set comprehension");
      case DictComprehension: return error(expr->position, "'yield' inside dict comprehension");
      case GeneratorExpression: return error(expr->position, "'yield' inside generator expression");
    }
    return true;
  }

  bool visit_named_expression(node::NamedExpr* node) {
    if (!refuse_in_annotation("named expression", node)) return false;
    if (current_->iterable_depth > 0) {
      return error(node->position, "assignment expression cannot be used in a comprehension iterable expression");
    }
    if (current_->comprehension != NoComprehension && !bind_outside_comprehension(cast<node::Name>(node->target))) {
      return false;
    }
    return visit(node->value) && visit(node->target);
  }

  /// The target of `:=` in a comprehension belongs to the nearest enclosing function or module.
  bool bind_outside_comprehension(node::Name* target) {
    PyObject* key = mangled(target->id);
    if (key == nullptr) return false;
    for (Scope* scope = current_; scope != nullptr; scope = scope->parent) {
      if (scope->comprehension != NoComprehension) {
        if (scope->flags_of(key) & DEF_COMP_ITER) {
          return error(target->position, "assignment expression cannot rebind comprehension iteration variable '%U'",
                       target->id);
        }
        continue;
      }
      if (scope->type == FunctionBlock) {
        const int flag = scope->flags_of(key) & DEF_GLOBAL ? DEF_GLOBAL : DEF_NONLOCAL;
        return define(target->id, flag, target->position) && record_directive(target->id, target->position) &&
               define_in(*scope, target->id, DEF_LOCAL, target->position);
      }
      if (scope->type == ModuleBlock) {
        return define(target->id, DEF_GLOBAL, target->position) && record_directive(target->id, target->position) &&
               define_in(*scope, target->id, DEF_GLOBAL, target->position);
      }
      if (scope->type == ClassBlock) {
        return error(target->position,
                     "assignment expression within a comprehension cannot be used in a class body");
      }
    }
    return true;
  }

  bool visit_comprehension(Expr* expr, PyObject* name, _Py_comprehension_ty kind,
                           const Seq<Comprehension*>& generators, Expr* element, Expr* value) {
    // The outermost iterable is evaluated in the enclosing block and comes in as the parameter `.0`.
    Comprehension* outermost = generators[0];
    current_->iterable_depth++;
    if (!visit(outermost->iter)) return false;
    current_->iterable_depth--;
    if (!enter(name, FunctionBlock, expr, expr->position)) return false;
    current_->comprehension = kind;
    if (outermost->is_async) current_->is_coroutine = true;
    PyObject* implicit = implicit_parameter_name();
    if (implicit == nullptr || !define(implicit, DEF_PARAM, expr->position)) return false;
    if (!visit_iteration_target(outermost->target) || !visit_all(outermost->ifs)) return false;
    for (int i = 1; i < generators.size(); i++) {
      Comprehension* generator = generators[i];
      if (!visit_iteration_target(generator->target)) return false;
      current_->iterable_depth++;
      if (!visit(generator->iter)) return false;
      current_->iterable_depth--;
      if (!visit_all(generator->ifs)) return false;
      if (generator->is_async) current_->is_coroutine = true;
    }
    if (!visit_optional(value) || !visit(element)) return false;
    const bool is_generator = kind == GeneratorExpression;
    current_->is_generator = is_generator;
    const bool awaits = current_->is_coroutine && !is_generator;
    leave();
    if (awaits) current_->is_coroutine = true;
    return true;
  }

  bool visit_iteration_target(Expr* target) {
    current_->in_iteration_target = true;
    const bool done = visit(target);
    current_->in_iteration_target = false;
    return done;
  }

  PyObject* implicit_parameter_name() {
    if (implicit_parameter_ == nullptr) implicit_parameter_ = table_.arena_.keep(PyUnicode_InternFromString(".0"));
    return implicit_parameter_;
  }

  // Patterns.

  bool define_capture(PyObject* name, Pattern* pattern) {
    return name == nullptr || define(name, DEF_LOCAL, pattern->position);
  }

  bool visit(Pattern* pattern) {
    RecursionLevel level(budget_);
    if (!level.ok()) return false;
    switch (pattern->kind) {
      case Kind::kMatchValue: return visit(cast<node::MatchValue>(pattern)->value);
      case Kind::kMatchSequence: return visit_all(cast<node::MatchSequence>(pattern)->patterns);
      case Kind::kMatchMapping: {
        auto* node = cast<node::MatchMapping>(pattern);
        return visit_all(node->keys) && visit_all(node->patterns) && define_capture(node->rest, pattern);
      }
      case Kind::kMatchClass: {
        auto* node = cast<node::MatchClass>(pattern);
        return visit(node->cls) && visit_all(node->patterns) && visit_all(node->kwd_patterns);
      }
      case Kind::kMatchStar: return define_capture(cast<node::MatchStar>(pattern)->name, pattern);
      case Kind::kMatchAs: {
        auto* node = cast<node::MatchAs>(pattern);
        return visit_optional(node->pattern) && define_capture(node->name, pattern);
      }
      case Kind::kMatchOr: return visit_all(cast<node::MatchOr>(pattern)->patterns);
      default: return true;
    }
  }

  SymbolTable& table_;
  RecursionBudget budget_;
  Scope* current_ = nullptr;
  PyObject* private_ = nullptr;  // name of the innermost class
  PyObject* implicit_parameter_ = nullptr;
};

bool SymbolTable::build(Mod* tree) {
  SymbolCollector collector(*this);
  return collector.run(tree) && analyze_scope(*top_, filename_);
}

}  // namespace pyston

/// New reference to `name`, with the class name prepended when it is private to the class (`__x` but not `__x__`).
PyObject* _Py_Mangle(PyObject* private_name, PyObject* name) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(name);
  if (private_name == nullptr || !PyUnicode_Check(private_name) || length < 2 || PyUnicode_READ_CHAR(name, 0) != '_' ||
      PyUnicode_READ_CHAR(name, 1) != '_') {
    return Py_NewRef(name);
  }
  const bool is_dunder = PyUnicode_READ_CHAR(name, length - 1) == '_' && PyUnicode_READ_CHAR(name, length - 2) == '_';
  if (is_dunder || PyUnicode_FindChar(name, '.', 0, length, 1) != -1) return Py_NewRef(name);
  const Py_ssize_t class_length = PyUnicode_GET_LENGTH(private_name);
  Py_ssize_t first = 0;
  while (first < class_length && PyUnicode_READ_CHAR(private_name, first) == '_') first++;
  if (first == class_length) return Py_NewRef(name);
  if (length + (class_length - first) >= PY_SSIZE_T_MAX - 1) {
    PyErr_SetString(PyExc_OverflowError, "private identifier too large to be mangled");
    return nullptr;
  }
  pyston::Ref<> class_part = pyston::Ref<>::steal(PyUnicode_Substring(private_name, first, class_length));
  if (!class_part) return nullptr;
  return PyUnicode_FromFormat("_%U%U", class_part.get(), name);
}
