// Objects of module `ast` to trees of arena nodes.
#include "Interpreter/compiler/ast_types.h"
#include "Interpreter/compiler/parser.h"

namespace pyston {

ast::Mod* object_to_ast(ast::Arena&, PyObject*, int) {
  return raise(PyExc_NotImplementedError, "compile() of ast objects (object_to_ast)");
}

Status validate_ast(ast::Mod*) { return Status::kOk; }

Ref<> unparse_expression(ast::Expr*) {
  return raise(PyExc_NotImplementedError, "unparse_expression");
}

}  // namespace pyston
