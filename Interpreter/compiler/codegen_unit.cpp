// Scopes, names and constants: what all the other parts of code generation are built on.
#include "Interpreter/compiler/codegen.h"
#include "Interpreter/compiler/compiler.h"

#include <algorithm>
#include <cstdarg>

#include <pycore_code.h>
#include <pycore_compile.h>
#include <pycore_global_strings.h>
#include <pycore_initconfig.h>
#include <pycore_pystate.h>
#include <pycore_runtime.h>

namespace pyston {

using namespace ast;

namespace {

/// Fills `map` with the names of `scope` that are `kind` or carry `flag`, sorted, numbered from `offset`.
void collect_names(const Scope& scope, int kind, int flag, int offset, NameMap& map) {
  std::vector<PyObject*> found;
  for (const NameMap::Entry& entry : scope.symbols.entries()) {
    if (((entry.value >> SCOPE_OFFSET) & SCOPE_MASK) == kind || (entry.value & flag) != 0) found.push_back(entry.name);
  }
  std::sort(found.begin(), found.end(), [](PyObject* a, PyObject* b) { return PyUnicode_Compare(a, b) < 0; });
  for (PyObject* name : found) map.set(name, offset++);
}

}  // namespace

void Unit::start(Scope* new_scope, ScopeKind new_kind, PyObject* new_name, int new_first_line) {
  scope = new_scope;
  kind = new_kind;
  name = new_name;
  qualified_name = private_name = nullptr;
  first_line = new_first_line;
  argument_count = positional_only_count = keyword_only_count = 0;
  position = kNoPosition;
  for (NameMap* map : {&locals, &cells, &frees, &names, &constants}) map->clear();
  frame_blocks.clear();
  graph.start();
}

int Unit::add_folded_tuple(PyObject* tuple) {
  PyObject* canonical = compiler.constant_cache().canonical(tuple);
  Py_DECREF(tuple);
  return canonical != nullptr ? constants.intern(canonical) : -1;
}

bool Compiler::enter_scope(PyObject* name, ScopeKind kind, const void* node, int first_line) {
  Scope* scope = table_.lookup(node);
  if (scope == nullptr) {
    PyErr_SetString(PyExc_SystemError, "compiler: a scope without a symbol table entry");
    return false;
  }
  PyObject* private_name = units_.empty() ? nullptr : unit().private_name;
  if (spare_units_.empty()) spare_units_.push_back(std::make_unique<Unit>(*this));
  units_.push_back(std::move(spare_units_.back()));
  spare_units_.pop_back();
  Unit& current = unit();
  current.start(scope, kind, name, first_line);
  current.private_name = private_name;
  for (PyObject* parameter : scope->parameters) current.locals.intern(parameter);
  collect_names(*scope, CELL, 0, 0, current.cells);
  if (scope->needs_class_closure) current.cells.set(&_Py_ID(__class__), 0);
  collect_names(*scope, FREE, DEF_FREE_CLASS, current.cells.size(), current.frees);
  current.position = {first_line, 0, first_line, 0};
  if (kind == ScopeKind::kModule) {
    current.position.lineno = 0;
  } else if (!set_qualified_name(current)) {
    return false;
  }
  emit(RESUME, 0);
  if (kind == ScopeKind::kModule) set_position({1, 0, 1, 0});
  return true;
}

bool Compiler::set_qualified_name(Unit& current) {
  PyObject* base = nullptr;
  bool through_locals = false;
  if (units_.size() > 2) {
    Unit& parent = *units_[units_.size() - 2];
    bool is_global = false;
    if (current.kind == ScopeKind::kFunction || current.kind == ScopeKind::kAsyncFunction ||
        current.kind == ScopeKind::kClass) {
      PyObject* bound_name = mangle(parent.private_name, current.name, arena_);
      if (bound_name == nullptr) return false;
      is_global = parent.scope->scope_of(bound_name) == GLOBAL_EXPLICIT;
    }
    if (!is_global) {
      base = parent.qualified_name;
      through_locals = parent.kind == ScopeKind::kFunction || parent.kind == ScopeKind::kAsyncFunction ||
                       parent.kind == ScopeKind::kLambda;
    }
  }
  if (base == nullptr) {
    current.qualified_name = current.name;
    return true;
  }
  current.qualified_name =
      arena_.keep(PyUnicode_FromFormat(through_locals ? "%U.<locals>.%U" : "%U.%U", base, current.name));
  return current.qualified_name != nullptr;
}

bool Compiler::error(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  Ref<> message = Ref<>::steal(PyUnicode_FromFormatV(format, arguments));
  va_end(arguments);
  if (!message) return false;
  const Position& at = unit().position;
  Ref<> line = Ref<>::steal(PyErr_ProgramTextObject(filename_, at.lineno));
  if (!line) line = Ref<>::none();
  Ref<> details = Ref<>::steal(Py_BuildValue("O(OiiOii)", message.get(), filename_, at.lineno, at.col_offset + 1,
                                             line.get(), at.end_lineno, at.end_col_offset + 1));
  if (details) PyErr_SetObject(PyExc_SyntaxError, details.get());
  return false;
}

bool Compiler::warn(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  Ref<> message = Ref<>::steal(PyUnicode_FromFormatV(format, arguments));
  va_end(arguments);
  if (!message) return false;
  if (PyErr_WarnExplicitObject(PyExc_SyntaxWarning, message.get(), filename_, unit().position.lineno, nullptr,
                               nullptr) == 0) {
    return true;
  }
  if (PyErr_ExceptionMatches(PyExc_SyntaxWarning)) {
    // A warning turned into an error is reported as one, with its place.
    PyErr_Clear();
    return error("%U", message.get());
  }
  return false;
}

int Compiler::constant_index(PyObject* value) {
  PyObject* canonical = constant_cache_.canonical(value);
  return canonical != nullptr ? unit().constants.intern(canonical) : -1;
}

bool Compiler::emit_constant(PyObject* value) {
  const int index = constant_index(value);
  if (index < 0) return false;
  emit(LOAD_CONST, index);
  return true;
}

bool Compiler::emit_new_constant(PyObject* value) {
  Ref<> owned = Ref<>::steal(value);
  return owned && emit_constant(owned.get());
}

bool Compiler::emit_name(int opcode, PyObject* name, int shift) {
  PyObject* key = mangled(name);
  if (key == nullptr) return false;
  emit(opcode, unit().names.intern(key) << shift);
  return true;
}

bool Compiler::is_forbidden_name(PyObject* name, ExprContext context) {
  if (context == ExprContext::kLoad || !_PyUnicode_EqualToASCIIString(name, "__debug__")) return false;
  error(context == ExprContext::kStore ? "cannot assign to __debug__" : "cannot delete __debug__");
  return true;
}

bool Compiler::access_name(PyObject* name, ExprContext context) {
  if (is_forbidden_name(name, context)) return false;
  PyObject* key = mangled(name);
  if (key == nullptr) return false;
  Unit& current = unit();
  const _Py_block_ty block = current.scope->type;
  const int which = static_cast<int>(context);  // Load, Store, Del
  const int scope = current.scope->scope_of(key);
  if (scope == FREE || scope == CELL) {
    constexpr int kOpcodes[] = {LOAD_DEREF, STORE_DEREF, DELETE_DEREF};
    const int opcode = which == 0 && block == ClassBlock ? LOAD_CLASSDEREF : kOpcodes[which];
    emit(opcode, scope == FREE ? current.frees.get(key, -1) : current.cells.get(key, -1));
  } else if (scope == LOCAL && block == FunctionBlock) {
    constexpr int kOpcodes[] = {LOAD_FAST, STORE_FAST, DELETE_FAST};
    emit(kOpcodes[which], current.locals.intern(key));
  } else if (scope == GLOBAL_EXPLICIT || (scope == GLOBAL_IMPLICIT && block == FunctionBlock)) {
    constexpr int kOpcodes[] = {LOAD_GLOBAL, STORE_GLOBAL, DELETE_GLOBAL};
    emit(kOpcodes[which], current.names.intern(key) << (which == 0 ? 1 : 0));
  } else {
    constexpr int kOpcodes[] = {LOAD_NAME, STORE_NAME, DELETE_NAME};
    emit(kOpcodes[which], current.names.intern(key));
  }
  return true;
}

bool Compiler::push_frame_block(FrameBlockKind kind, Block* start, Block* exit, const void* datum) {
  if (unit().frame_blocks.size() >= CO_MAXBLOCKS) return error("too many statically nested blocks");
  unit().frame_blocks.push_back({kind, start, exit, datum});
  return true;
}

bool Compiler::emit_closure(PyCodeObject* code, int flags) {
  if (code->co_nfreevars > 0) {
    Unit& current = unit();
    for (int i = code->co_nlocalsplus - code->co_nfreevars; i < code->co_nlocalsplus; i++) {
      PyObject* name = PyTuple_GET_ITEM(code->co_localsplusnames, i);
      // QUIRK: a name can be both free in a method and local in the class body; the closure gets the outer one.
      const bool is_class_cell = current.kind == ScopeKind::kClass && name == &_Py_ID(__class__);
      const bool is_cell = is_class_cell || current.scope->scope_of(name) == CELL;
      const int index = is_cell ? current.cells.get(name, -1) : current.frees.get(name, -1);
      if (index < 0) {
        PyErr_Format(PyExc_SystemError, "compiler: no closure variable %R", name);
        return false;
      }
      emit(LOAD_CLOSURE, index);
    }
    flags |= 0x08;
    emit(BUILD_TUPLE, code->co_nfreevars);
  }
  if (!emit_constant(as_object(code))) return false;
  emit(MAKE_FUNCTION, flags);
  return true;
}

void Compiler::emit_yield_from(bool is_await) {
  Block* start = new_block();
  Block* resume = new_block();
  Block* exit = new_block();
  use_next(start);
  emit_jump(SEND, exit);
  use_next(resume);
  emit(YIELD_VALUE);
  emit(RESUME, is_await ? 3 : 2);
  emit_jump(kJumpNoInterrupt, start);
  use_next(exit);
}

void Compiler::emit_yield() {
  if (unit().scope->is_generator && unit().scope->is_coroutine) emit(ASYNC_GEN_WRAP);
  emit(YIELD_VALUE);
  emit(RESUME, 1);
}

Ref<PyCodeObject> Compiler::compile(Mod* tree) {
  if (!enter_scope(&_Py_STR(anon_module), ScopeKind::kModule, tree, 1)) return nullptr;
  bool add_return_none = true;
  switch (tree->kind) {
    case Kind::kModule:
      if (!visit_body(cast<node::Module>(tree)->body)) return nullptr;
      break;
    case Kind::kInteractive:
      interactive_ = true;
      if (!visit_body(cast<node::Interactive>(tree)->body)) return nullptr;
      break;
    case Kind::kExpression:
      if (!visit(cast<node::Expression>(tree)->body)) return nullptr;
      add_return_none = false;
      break;
    default: PyErr_Format(PyExc_SystemError, "module kind %d should not be possible", tree->kind); return nullptr;
  }
  return assemble(add_return_none);
}

Ref<PyCodeObject> compile_module(Mod* tree, PyObject* filename, PyCompilerFlags* flags, int optimize, Arena& arena) {
  PyFutureFeatures features;
  VM_CHECK(collect_future_features(tree, filename, features));
  int all_features = features.ff_features;
  int compiler_flags = 0;
  if (flags != nullptr) {
    all_features |= flags->cf_flags & PyCF_MASK;
    flags->cf_flags |= all_features;
    compiler_flags = flags->cf_flags;
  } else {
    compiler_flags = all_features;
  }
  if (optimize < 0) optimize = _Py_GetConfig()->optimization_level;
  VM_CHECK(fold_constants(tree, arena, optimize, all_features));
  SymbolTable table(filename, all_features, arena);
  if (!table.build(tree)) return nullptr;
  Compiler compiler(filename, compiler_flags, optimize, arena, table, features.ff_lineno);
  return compiler.compile(tree);
}

}  // namespace pyston

/// The entry that CPython's own names give to compile_module; a tree and arena here are pyston::ast's.
PyCodeObject* _PyAST_Compile(struct _mod* tree, PyObject* filename, PyCompilerFlags* flags, int optimize,
                             struct _arena* arena) {
  return pyston::compile_module(reinterpret_cast<pyston::ast::Mod*>(tree), filename, flags, optimize,
                                *reinterpret_cast<pyston::ast::Arena*>(arena))
      .release();
}
