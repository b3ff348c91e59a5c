// The types of module `ast`: one per constructor, sum and product of nodes.def, created when first needed.
#pragma once

#include "Interpreter/compiler/ast.h"
#include "Runtime/refs/ref.h"

namespace pyston {

struct AstTypes {
  PyObject* base;  // ast.AST
  PyObject* sum_Mod;
  PyObject* sum_Stmt;
  PyObject* sum_Expr;
  PyObject* sum_ExceptHandler;
  PyObject* sum_Pattern;
  PyObject* sum_TypeIgnore;
  PyObject* sum_ExprContext;
  PyObject* sum_BoolOperator;
  PyObject* sum_Operator;
  PyObject* sum_UnaryOperator;
  PyObject* sum_CompareOperator;
#define NODE(Sum, Name) PyObject* node_##Name;
#define END_NODE(Sum, Name)
#define PRODUCT(Name, positioned) PyObject* product_##Name;
#define END_PRODUCT(Name)
#define ENUM(Sum, Name) \
  PyObject* enum_##Name; \
  PyObject* singleton_##Name;
#include "Interpreter/compiler/nodes.def"
};

/// Null with an exception set when the types could not be made.
const AstTypes* ast_types();

/// The spelling in module `ast` of a name in nodes.def (they differ where C++ names would clash).
const char* ast_public_name(const char* name);

}  // namespace pyston
