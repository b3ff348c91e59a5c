// The symbol table: for every block of a tree, what each of its names is (local, cell, free, global).
//
// Built in two passes: symtable.cpp records definitions and uses block by block, symtable_analysis.cpp resolves them.
// Flag and scope values are the ones of pycore_symtable.h (DEF_LOCAL, FREE, ...), which `symtable.py` reads too.
// Functions here return false with an exception set on failure.
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "Interpreter/compiler/ast.h"
#include "Runtime/refs/ref.h"

#include <pycore_symtable.h>

namespace pyston {

/// Insertion-ordered map from objects compared by address (interned names, canonical constants) to an int.
class NameMap {
 public:
  struct Entry {
    PyObject* name;
    int value;
  };
  /// Null when `name` is absent. Invalidated by insertion.
  int* find(PyObject* name) {
    const int position = find_position(name);
    return position < 0 ? nullptr : &entries_[position].value;
  }
  int get(PyObject* name, int missing) const {
    const int position = find_position(name);
    return position < 0 ? missing : entries_[position].value;
  }
  void set(PyObject* name, int value) {
    if (int* existing = find(name)) {
      *existing = value;
      return;
    }
    entries_.push_back({name, value});
    if (entries_.size() > kLinearLimit) index_last();
  }
  /// The position of `name` in insertion order; appended (with that position as its value) when it is new.
  int intern(PyObject* name) {
    const int position = find_position(name);
    if (position >= 0) return entries_[position].value;
    const int value = static_cast<int>(entries_.size());
    set(name, value);
    return value;
  }
  void clear() {
    entries_.clear();
    slots_.clear();
  }
  /// Forgets all but the first `count` entries.
  void truncate(int count) {
    entries_.resize(count);
    slots_.clear();
    if (entries_.size() > kLinearLimit) rebuild_index();
  }
  int size() const { return static_cast<int>(entries_.size()); }
  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<Entry>& entries() { return entries_; }

 private:
  static constexpr size_t kLinearLimit = 8;
  static size_t hash(PyObject* name) {
    const auto bits = reinterpret_cast<uintptr_t>(name) >> 4;
    return bits ^ (bits >> 11);
  }
  int find_position(PyObject* name) const {
    if (slots_.empty()) {
      for (size_t i = 0; i < entries_.size(); i++) {
        if (entries_[i].name == name) return static_cast<int>(i);
      }
      return -1;
    }
    const size_t mask = slots_.size() - 1;
    for (size_t slot = hash(name) & mask; slots_[slot] >= 0; slot = (slot + 1) & mask) {
      if (entries_[slots_[slot]].name == name) return slots_[slot];
    }
    return -1;
  }
  void place(int position) {
    const size_t mask = slots_.size() - 1;
    size_t slot = hash(entries_[position].name) & mask;
    while (slots_[slot] >= 0) slot = (slot + 1) & mask;
    slots_[slot] = position;
  }
  void index_last() {
    if (slots_.size() < entries_.size() * 2) {
      rebuild_index();
    } else {
      place(static_cast<int>(entries_.size()) - 1);
    }
  }
  void rebuild_index() {
    size_t size = slots_.empty() ? 32 : slots_.size();
    while (size < entries_.size() * 2) size *= 2;
    slots_.assign(size, -1);
    for (size_t i = 0; i < entries_.size(); i++) place(static_cast<int>(i));
  }

  std::vector<Entry> entries_;
  std::vector<int> slots_;  // open addressing over entries_; empty while the map is small
};

/// `name` as the class `private_name` (may be null) mangles it; interned and kept alive by `arena`. Null on failure.
PyObject* mangle(PyObject* private_name, PyObject* name, ast::Arena& arena);

/// One block: a module, class, function, lambda or comprehension.
struct Scope {
  struct Directive {  // a `global` or `nonlocal` statement, for error positions
    PyObject* name;
    ast::Position position;
  };

  _Py_block_ty type = ModuleBlock;
  _Py_comprehension_ty comprehension = NoComprehension;
  PyObject* name = nullptr;
  const void* node = nullptr;
  Scope* parent = nullptr;
  ast::Position position;
  NameMap symbols;  // name -> DEF_* flags | scope << SCOPE_OFFSET
  std::vector<PyObject*> parameters;
  std::vector<Scope*> children;
  std::vector<Directive> directives;
  bool is_nested = false;  // inside a function
  bool is_generator = false;
  bool is_coroutine = false;
  bool has_varargs = false;
  bool has_varkeywords = false;
  bool returns_value = false;
  bool needs_class_closure = false;  // a method mentions __class__ or super
  bool in_iteration_target = false;  // while the target of a comprehension is visited
  int iterable_depth = 0;            // > 0 while the iterable of a comprehension is visited

  int flags_of(PyObject* mangled) const { return symbols.get(mangled, 0); }
  /// LOCAL, GLOBAL_EXPLICIT, GLOBAL_IMPLICIT, FREE, CELL, or 0 for a name that the block doesn't mention.
  int scope_of(PyObject* mangled) const { return (flags_of(mangled) >> SCOPE_OFFSET) & SCOPE_MASK; }
};

class SymbolTable {
 public:
  SymbolTable(PyObject* filename, int future_features, ast::Arena& arena)
      : filename_(filename), future_features_(future_features), arena_(arena) {}
  SymbolTable(const SymbolTable&) = delete;

  bool build(ast::Mod* tree);
  Scope* top() const { return top_; }
  /// The block that `node` opens; null when it opens none.
  Scope* lookup(const void* node) const {
    auto found = by_node_.find(node);
    return found == by_node_.end() ? nullptr : found->second;
  }
  const std::deque<Scope>& scopes() const { return scopes_; }
  PyObject* filename() const { return filename_; }

 private:
  friend class SymbolCollector;

  PyObject* filename_;
  int future_features_;
  ast::Arena& arena_;
  Scope* top_ = nullptr;
  std::deque<Scope> scopes_;
  std::unordered_map<const void*, Scope*> by_node_;
};

/// Resolves every name of `scope` and its children. False with SyntaxError set.
bool analyze_scope(Scope& scope, PyObject* filename);

/// SyntaxError with a PyErr_Format message at a source range; always returns false.
bool raise_syntax_error(PyObject* filename, const ast::Position& position, const char* format, ...);

/// Recursion budget of the passes over a tree, which follows sys.setrecursionlimit().
struct RecursionBudget {
  int depth;
  int limit;
  static RecursionBudget start();
};
/// Counts one level; false (after RecursionError) when the budget is used up.
class RecursionLevel {
 public:
  explicit RecursionLevel(RecursionBudget& budget) : budget_(budget) { budget_.depth++; }
  ~RecursionLevel() { budget_.depth--; }
  RecursionLevel(const RecursionLevel&) = delete;
  bool ok() const { return LIKELY(budget_.depth <= budget_.limit) || fail(); }

 private:
  static bool fail();
  RecursionBudget& budget_;
};

}  // namespace pyston
