// Code generation: walks the folded tree and fills one flow graph per scope.
//
// Compiler     one run over a module: symbol table, constant cache, stack of units
// Unit         one scope under construction: names, constants, block stack, current source position
// The methods are spread over codegen_unit.cpp (scopes, names, constants), codegen_stmt.cpp, codegen_try.cpp,
// codegen_expr.cpp, codegen_call.cpp, codegen_scopes.cpp (functions, classes, comprehensions) and codegen_match.cpp.
// They return false with an exception set on failure.
//
// Positions: instructions take the unit's current position. Expressions set it and restore it; statements only set it;
// code that belongs to no source line (cleanups) is emitted after clear_position().
#pragma once

#include <memory>
#include <vector>

#include "Interpreter/compiler/ast.h"
#include "Interpreter/compiler/constant_cache.h"
#include "Interpreter/compiler/flowgraph.h"
#include "Interpreter/compiler/symtable.h"
#include "Runtime/refs/ref.h"

namespace pyston {

enum class ScopeKind { kModule, kClass, kFunction, kAsyncFunction, kLambda, kComprehension };

/// What encloses the code being generated and must be undone when it is left by break, continue or return.
enum class FrameBlockKind {
  kWhileLoop,
  kForLoop,
  kTryExcept,
  kFinallyTry,
  kFinallyEnd,
  kWith,
  kAsyncWith,
  kHandlerCleanup,
  kPopValue,
  kExceptionHandler,
  kExceptionGroupHandler,
  kAsyncComprehension,
};

struct FrameBlock {
  FrameBlockKind kind;
  Block* start = nullptr;   // where `continue` goes
  Block* exit = nullptr;    // where `break` goes
  const void* datum = nullptr;  // With: the statement; FinallyTry: Seq<Stmt*>*; HandlerCleanup: the name
};

/// Units are used again for the next scope, so that their tables and blocks keep their memory.
struct Unit final : ConstantPool {
  explicit Unit(class Compiler& compiler_) : compiler(compiler_) {}
  void start(Scope* scope, ScopeKind kind, PyObject* name, int first_line);

  class Compiler& compiler;
  Scope* scope = nullptr;
  ScopeKind kind = ScopeKind::kModule;
  PyObject* name = nullptr;            // borrowed from the tree
  PyObject* qualified_name = nullptr;  // arena-owned; null for the module
  PyObject* private_name = nullptr;    // class whose private names are mangled
  int first_line = 0;
  int argument_count = 0;
  int positional_only_count = 0;
  int keyword_only_count = 0;
  ast::Position position = kNoPosition;
  NameMap locals;
  NameMap cells;
  NameMap frees;  // values start behind the cells
  NameMap names;
  NameMap constants;  // canonical objects, owned by the compiler's constant cache
  std::vector<FrameBlock> frame_blocks;
  FlowGraph graph;

  PyObject* constant(int index) override { return constants.entries()[index].name; }
  int count() const override { return constants.size(); }
  int add_folded_tuple(PyObject* tuple) override;
  void truncate(int count) override { constants.truncate(count); }
};

class Compiler {
 public:
  Compiler(PyObject* filename, int flags, int optimize, ast::Arena& arena, SymbolTable& table, int future_line)
      : filename_(filename),
        flags_(flags),
        optimize_(optimize),
        future_line_(future_line),
        arena_(arena),
        table_(table),
        budget_(RecursionBudget::start()) {}

  Ref<PyCodeObject> compile(ast::Mod* tree);

  ConstantCache& constant_cache() { return constant_cache_; }
  ast::Arena& arena() { return arena_; }
  int flags() const { return flags_; }
  PyObject* filename() const { return filename_; }
  bool is_top_level_await(const Unit& unit) const {
    return (flags_ & PyCF_ALLOW_TOP_LEVEL_AWAIT) != 0 && unit.scope->type == ModuleBlock;
  }

 private:
  struct PatternContext;

  // codegen_unit.cpp
  bool enter_scope(PyObject* name, ScopeKind kind, const void* node, int first_line);
  void leave_scope() {
    spare_units_.push_back(std::move(units_.back()));
    units_.pop_back();
  }
  bool set_qualified_name(Unit& unit);
  Unit& unit() { return *units_.back(); }
  bool is_top_level_await() { return is_top_level_await(unit()); }
  bool error(const char* format, ...);
  bool warn(const char* format, ...);
  void set_position(const ast::Position& position) { unit().position = position; }
  void clear_position() { unit().position = kNoPosition; }
  template <class Node>
  void set_position_of(Node* node) {
    unit().position = node->position;
  }
  void emit(int opcode, int oparg = 0) { unit().graph.add(opcode, oparg, unit().position); }
  void emit_without_line(int opcode, int oparg = 0) { unit().graph.add(opcode, oparg, kNoPosition); }
  void emit_jump(int opcode, Block* target) { unit().graph.add(opcode, 0, unit().position, target); }
  void emit_jump_without_line(int opcode, Block* target) { unit().graph.add(opcode, 0, kNoPosition, target); }
  Block* new_block() { return unit().graph.new_block(); }
  void use_next(Block* block) { unit().graph.use_next(block); }
  int constant_index(PyObject* value);               // -1 on failure
  bool emit_constant(PyObject* value);               // borrowed
  bool emit_new_constant(PyObject* value);           // stolen, null: an exception is set
  bool emit_integer(Py_ssize_t value) { return emit_new_constant(PyLong_FromSsize_t(value)); }
  bool emit_name(int opcode, PyObject* name, int shift = 0);  // mangled, in co_names
  bool access_name(PyObject* name, ast::ExprContext context);
  bool is_forbidden_name(PyObject* name, ast::ExprContext context);
  PyObject* mangled(PyObject* name) { return mangle(unit().private_name, name, arena_); }
  bool push_frame_block(FrameBlockKind kind, Block* start, Block* exit, const void* datum = nullptr);
  void pop_frame_block() { unit().frame_blocks.pop_back(); }
  bool emit_closure(PyCodeObject* code, int flags);
  void emit_yield_from(bool is_await);
  void emit_yield();
  /// Awaits the awaitable on the stack.
  bool await_top() {
    if (!emit_constant(Py_None)) return false;
    emit_yield_from(true);
    return true;
  }

  // assemble.cpp
  Ref<PyCodeObject> assemble(bool add_return_none);

  // codegen_stmt.cpp
  bool visit_body(const ast::Seq<ast::Stmt*>& body);
  bool visit_statements(const ast::Seq<ast::Stmt*>& body);
  bool visit(ast::Stmt* stmt);
  bool visit_if(ast::node::If* node);
  bool visit_for(ast::node::For* node);
  bool visit_async_for(ast::node::AsyncFor* node);
  bool visit_while(ast::node::While* node);
  bool visit_return(ast::node::Return* node);
  bool visit_break();
  bool visit_continue();
  bool visit_import(ast::node::Import* node);
  bool visit_import_as(PyObject* name, PyObject* as_name);
  bool visit_import_from(ast::node::ImportFrom* node);
  bool visit_assert(ast::node::Assert* node);
  bool visit_expression_statement(ast::Expr* value);
  bool visit_assign(ast::node::Assign* node);
  bool visit_augmented_assign(ast::node::AugAssign* node);
  bool visit_annotated_assign(ast::node::AnnAssign* node);
  bool evaluate_and_drop(ast::Expr* expr);
  bool evaluate_annotation_subscript(ast::Expr* expr);
  bool visit_annotation(ast::Expr* annotation);
  bool jump_if(ast::Expr* expr, Block* target, bool condition);

  // codegen_try.cpp
  bool unwind(const FrameBlock& block, bool preserve_top);
  bool unwind_all(bool preserve_top, FrameBlock** loop);
  bool emit_exit_call_with_nones();
  void emit_pop_except_and_reraise();
  bool clear_exception_name(PyObject* name);
  void finish_with_except(Block* cleanup);
  template <class TryNode>
  bool visit_try_finally(TryNode* node);
  bool visit_try(ast::node::Try* node);
  bool visit_try_star(ast::node::TryStar* node);
  bool visit_try_except(ast::node::Try* node);
  bool visit_try_star_except(ast::node::TryStar* node);
  bool visit_named_handler(ast::node::ExceptHandlerClause* handler, Block* end);
  bool visit_plain_handler(ast::node::ExceptHandlerClause* handler, Block* end);
  template <class WithNode>
  bool visit_with(WithNode* node, int index, bool is_async);

  // codegen_expr.cpp
  bool visit(ast::Expr* expr);
  bool visit_at_position(ast::Expr* expr);
  bool visit_all(const ast::Seq<ast::Expr*>& exprs);
  bool visit_bool_op(ast::node::BoolOp* node);
  bool visit_conditional(ast::node::IfExp* node);
  bool visit_compare(ast::node::Compare* node);
  void emit_compare(ast::CompareOperator op);
  bool check_compare(ast::node::Compare* node);
  bool check_subscripted(ast::Expr* expr);
  bool check_index(ast::Expr* value, ast::Expr* index);
  bool check_called(ast::Expr* expr);
  bool visit_yield(ast::node::Yield* node);
  bool visit_yield_from(ast::node::YieldFrom* node);
  bool visit_await(ast::node::Await* node);
  bool visit_attribute(ast::node::Attribute* node);
  void match_attribute_start(ast::node::Attribute* node);
  bool visit_subscript(ast::node::Subscript* node);
  bool visit_slice(ast::node::Slice* node);
  bool visit_joined_string(ast::node::JoinedStr* node);
  bool visit_formatted_value(ast::node::FormattedValue* node);
  bool visit_sequence(ast::Expr* expr, const ast::Seq<ast::Expr*>& elements, ast::ExprContext context, int build);
  bool build_unpacked(const ast::Seq<ast::Expr*>& elements, int pushed, int build, int add, int extend, bool tuple);
  bool assign_unpacked(const ast::Seq<ast::Expr*>& elements);
  bool visit_dict(ast::node::Dict* node);
  bool build_partial_dict(ast::node::Dict* node, int begin, int end);
  void emit_binary(ast::Operator op, bool in_place);

  // codegen_call.cpp
  bool visit_call(ast::node::Call* node);
  bool visit_method_call(ast::node::Call* node, bool& handled);
  bool emit_call(int pushed, const ast::Seq<ast::Expr*>& args, const ast::Seq<ast::Keyword*>& keywords);
  bool emit_call_with_unpacking(int pushed, const ast::Seq<ast::Expr*>& args,
                                const ast::Seq<ast::Keyword*>& keywords);
  bool emit_keyword_names(const ast::Seq<ast::Keyword*>& keywords);
  bool build_keyword_dict(const ast::Seq<ast::Keyword*>& keywords, int begin, int end);
  bool validate_keywords(const ast::Seq<ast::Keyword*>& keywords);
  void emit_precall(int count) {
    emit(PRECALL, count);
    emit(CALL, count);
  }

  // codegen_scopes.cpp
  template <class FunctionNode>
  bool visit_function(FunctionNode* node, ScopeKind kind);
  bool visit_class(ast::node::ClassDef* node);
  bool visit_lambda(ast::node::Lambda* node);
  bool apply_decorators(const ast::Seq<ast::Expr*>& decorators);
  bool check_debug_parameters(ast::Arguments* args);
  bool emit_defaults(ast::Arguments* args, int& flags);
  bool emit_annotations(ast::Arguments* args, ast::Expr* returns, int& flags);
  bool emit_parameter_annotation(PyObject* name, ast::Expr* annotation, int& count);
  bool visit_comprehension(ast::Expr* node, PyObject* name, const ast::Seq<ast::Comprehension*>& generators,
                           ast::Expr* element, ast::Expr* value);
  bool emit_generators(ast::Kind kind, const ast::Seq<ast::Comprehension*>& generators, int index, int depth,
                       ast::Expr* element, ast::Expr* value);
  bool emit_sync_generator(ast::Kind kind, const ast::Seq<ast::Comprehension*>& generators, int index, int depth,
                           ast::Expr* element, ast::Expr* value);
  bool emit_async_generator(ast::Kind kind, const ast::Seq<ast::Comprehension*>& generators, int index, int depth,
                            ast::Expr* element, ast::Expr* value);
  bool emit_comprehension_element(ast::Kind kind, int depth, ast::Expr* element, ast::Expr* value);

  // codegen_match.cpp
  bool visit_match(ast::node::Match* node);
  bool visit_pattern(ast::Pattern* pattern, PatternContext& context);
  bool visit_subpattern(ast::Pattern* pattern, PatternContext& context);
  bool match_value(ast::node::MatchValue* pattern, PatternContext& context);
  bool match_singleton(ast::node::MatchSingleton* pattern, PatternContext& context);
  bool match_sequence(ast::node::MatchSequence* pattern, PatternContext& context);
  bool match_mapping(ast::node::MatchMapping* pattern, PatternContext& context);
  bool match_class(ast::node::MatchClass* pattern, PatternContext& context);
  bool match_as(ast::node::MatchAs* pattern, PatternContext& context);
  bool match_or(ast::node::MatchOr* pattern, PatternContext& context);
  bool unpack_pattern_sequence(const ast::Seq<ast::Pattern*>& patterns, PatternContext& context);
  bool subscript_pattern_sequence(const ast::Seq<ast::Pattern*>& patterns, int star, PatternContext& context);
  bool check_keyword_patterns(ast::node::MatchClass* pattern);
  bool store_capture(PyObject* name, PatternContext& context);
  bool duplicate_capture(PyObject* name);
  void rotate(int count);
  void jump_to_failure(int opcode, PatternContext& context);
  void emit_failure_blocks(PatternContext& context);

  PyObject* filename_;
  int flags_;
  int optimize_;
  int future_line_;
  bool interactive_ = false;
  ast::Arena& arena_;
  SymbolTable& table_;
  RecursionBudget budget_;
  std::vector<std::unique_ptr<Unit>> units_;
  std::vector<std::unique_ptr<Unit>> spare_units_;
  ConstantCache constant_cache_;
  ConstantCache names_cache_;  // the tuples of names
};

/// No more items than this go on the stack at once when a literal or a call has many.
inline constexpr int kStackUseGuideline = 30;

/// Restores the unit's source position at the end of a scope.
class PositionGuard {
 public:
  explicit PositionGuard(Unit& unit) : unit_(unit), saved_(unit.position) {}
  ~PositionGuard() { unit_.position = saved_; }
  PositionGuard(const PositionGuard&) = delete;

 private:
  Unit& unit_;
  ast::Position saved_;
};

}  // namespace pyston
