// The abstract syntax tree: plain structs in an arena, generated from nodes.def.
//
// INVARIANT: nodes own nothing. Memory and every PyObject that a node names (identifiers, constants) belong to the
// Arena that made the node and die with it. Columns are byte offsets into the UTF-8 source line (as `ast` reports),
// lines start at 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "Runtime/python.h"

namespace pyston::ast {

using Identifier = PyObject*;  // interned, NFKC-normalised exact str
using String = PyObject*;      // exact str
using Constant = PyObject*;

/// A fixed array in the arena.
template <class T>
struct Seq {
  T* items = nullptr;
  int count = 0;

  int size() const { return count; }
  bool empty() const { return count == 0; }
  T& operator[](int index) const { return items[index]; }
  T* begin() const { return items; }
  T* end() const { return items + count; }
  T& back() const { return items[count - 1]; }
};

/// Source range of a node; `end_*` is exclusive in columns.
struct Position {
  int lineno = 0;
  int col_offset = 0;
  int end_lineno = 0;
  int end_col_offset = 0;
};

/// Bump allocator that also keeps the Python objects of a tree alive.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    for (PyObject* object : objects_) Py_DECREF(object);
    for (char* block : blocks_) PyMem_RawFree(block);
  }

  /// Zeroed memory, or null with MemoryError set.
  void* allocate(size_t size) {
    size = (size + 7) & ~size_t{7};
    if (size > available_) {
      const size_t block_size = size > block_size_ ? size : block_size_;
      if (block_size_ < kLargestBlock) block_size_ *= 2;  // most sources are an eval() of a few words
      char* block = static_cast<char*>(PyMem_RawCalloc(1, block_size));
      if (block == nullptr) {
        PyErr_NoMemory();
        return nullptr;
      }
      blocks_.push_back(block);
      next_ = block;
      available_ = block_size;
    }
    void* result = next_;
    next_ += size;
    available_ -= size;
    return result;
  }
  template <class T>
  T* make() {
    return static_cast<T*>(allocate(sizeof(T)));
  }
  /// An empty Seq has no array; null items with count > 0 never happens (MemoryError gives count 0 and an exception).
  template <class T>
  Seq<T> sequence(int count) {
    if (count == 0) return {};
    T* items = static_cast<T*>(allocate(sizeof(T) * count));
    return items == nullptr ? Seq<T>{} : Seq<T>{items, count};
  }
  /// Steals `object` (null: an exception is set) and keeps it alive; gives it back borrowed from the arena.
  PyObject* keep(PyObject* object) {
    if (object != nullptr) objects_.push_back(object);
    return object;
  }

 private:
  static constexpr size_t kLargestBlock = 64 * 1024;
  std::vector<char*> blocks_;
  std::vector<PyObject*> objects_;
  char* next_ = nullptr;
  size_t available_ = 0;
  size_t block_size_ = 2 * 1024;
};

#define PRODUCT(Name, positioned) struct Name;
#define END_PRODUCT(Name)
#include "Interpreter/compiler/nodes.def"

enum class ExprContext : uint8_t {
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#define ENUM_ExprContext(Name) k##Name,
#define ENUM_BoolOperator(Name)
#define ENUM_Operator(Name)
#define ENUM_UnaryOperator(Name)
#define ENUM_CompareOperator(Name)
#include "Interpreter/compiler/nodes.def"
};
#undef ENUM_ExprContext
#undef ENUM_BoolOperator
#define ENUM_ExprContext(Name)
#define ENUM_BoolOperator(Name) k##Name,
enum class BoolOperator : uint8_t {
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
};
#undef ENUM_BoolOperator
#undef ENUM_Operator
#define ENUM_BoolOperator(Name)
#define ENUM_Operator(Name) k##Name,
enum class Operator : uint8_t {
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
};
#undef ENUM_Operator
#undef ENUM_UnaryOperator
#define ENUM_Operator(Name)
#define ENUM_UnaryOperator(Name) k##Name,
enum class UnaryOperator : uint8_t {
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
};
#undef ENUM_UnaryOperator
#undef ENUM_CompareOperator
#define ENUM_UnaryOperator(Name)
#define ENUM_CompareOperator(Name) k##Name,
enum class CompareOperator : uint8_t {
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
};
#undef ENUM_ExprContext
#undef ENUM_BoolOperator
#undef ENUM_Operator
#undef ENUM_UnaryOperator
#undef ENUM_CompareOperator

/// Tag of every node that belongs to a sum type (Mod, Stmt, Expr, ...).
enum class Kind : uint8_t {
#define NODE(Sum, Name) k##Name,
#define END_NODE(Sum, Name)
#include "Interpreter/compiler/nodes.def"
};

struct Node {
  Kind kind;
};
struct PositionedNode : Node {
  Position position;
};
struct Mod : Node {};
struct TypeIgnore : Node {};
struct Stmt : PositionedNode {};
struct Expr : PositionedNode {};
struct ExceptHandler : PositionedNode {};
struct Pattern : PositionedNode {};

#define AST_FIELD_CHILD(type) type*
#define AST_FIELD_OPT_CHILD(type) type*
#define AST_FIELD_SEQ(type) Seq<type*>
#define AST_FIELD_OPT_SEQ(type) Seq<type*>
#define AST_FIELD_IDENT(type) Identifier
#define AST_FIELD_OPT_IDENT(type) Identifier
#define AST_FIELD_IDENT_SEQ(type) Seq<Identifier>
#define AST_FIELD_ENUM_(type) type
#define AST_FIELD_ENUM_SEQ(type) Seq<type>
#define AST_FIELD_INT(type) int
#define AST_FIELD_STRING(type) String
#define AST_FIELD_OPT_STRING(type) String
#define AST_FIELD_CONSTANT(type) pyston::ast::Constant

template <bool kPositioned>
struct ProductBase {};
template <>
struct ProductBase<true> {
  Position position;
};

namespace node {  // constructors whose names would hide a type: node::Set, node::Constant, ...
#define NODE(Sum, Name)                           \
  struct Name : Sum {                             \
    static constexpr Kind kKind = Kind::k##Name;
#define FIELD(field_kind, type, name) AST_FIELD_##field_kind(type) name;
#define END_NODE(Sum, Name) };
#define PRODUCT(Name, positioned) \
  }                               \
  struct Name : ProductBase<positioned> {
#define END_PRODUCT(Name) \
  };                      \
  namespace node {
#include "Interpreter/compiler/nodes.def"
}  // namespace node

#undef AST_FIELD_CHILD
#undef AST_FIELD_OPT_CHILD
#undef AST_FIELD_SEQ
#undef AST_FIELD_OPT_SEQ
#undef AST_FIELD_IDENT
#undef AST_FIELD_OPT_IDENT
#undef AST_FIELD_IDENT_SEQ
#undef AST_FIELD_ENUM_
#undef AST_FIELD_ENUM_SEQ
#undef AST_FIELD_INT
#undef AST_FIELD_STRING
#undef AST_FIELD_OPT_STRING
#undef AST_FIELD_CONSTANT

/// Checked downcast: null when `base` has another kind (or is null).
template <class T, class Base>
T* as(Base* base) {
  return base != nullptr && base->kind == T::kKind ? static_cast<T*>(base) : nullptr;
}
/// Downcast after a switch on `kind`.
template <class T, class Base>
T* cast(Base* base) {
  return static_cast<T*>(base);
}

}  // namespace pyston::ast
