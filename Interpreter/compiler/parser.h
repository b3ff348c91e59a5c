// From source text to a syntax tree: the one header that users of the front end include besides ast.h.
//
// Every function here sets a Python exception when it gives null / kError: SyntaxError (or a subclass) with its
// six arguments for bad source, MemoryError for too deep nesting. The tree lives in the caller's arena.
#pragma once

#include <cstdio>

#include "Interpreter/compiler/ast.h"
#include "Runtime/refs/ref.h"

namespace pyston {

/// What the source must be; the values are the API's Py_*_input.
enum class StartRule : int {
  kInteractive = 256,   // one statement, Py_single_input
  kFile = 257,          // Py_file_input
  kExpression = 258,    // Py_eval_input
  kFunctionType = 345,  // "(int, str) -> bool", Py_func_type_input
};

/// Parses `source`: UTF-8 when `flags` has PyCF_IGNORE_COOKIE, else bytes with an optional BOM and coding cookie.
/// `flags` may be null. Feature version, type comments, barry_as_FLUFL, incomplete input are honoured.
ast::Mod* parse_string(ast::Arena& arena, const char* source, PyObject* filename, StartRule rule,
                       PyCompilerFlags* flags);

/// Parses from `file`. With `ps1` not null it is interactive: prompts through PyOS_Readline and reads no further than
/// the statement. `encoding` (may be null) overrides the cookie. `*error_code` becomes E_EOF at end of input when
/// there was nothing to read (no exception is set then). `errcode` may be null.
ast::Mod* parse_file(ast::Arena& arena, FILE* file, PyObject* filename, const char* encoding, StartRule rule,
                     const char* ps1, const char* ps2, PyCompilerFlags* flags, int* error_code);

/// The tree as objects of module `ast`, and back. `mode` is 0 exec, 1 eval, 2 single.
Ref<> ast_to_object(ast::Mod* tree);
ast::Mod* object_to_ast(ast::Arena& arena, PyObject* object, int mode);

/// Rejects trees that no source can produce (they come from object_to_ast).
Status validate_ast(ast::Mod* tree);

/// Source text of an expression, as `from __future__ import annotations` stores it.
Ref<> unparse_expression(ast::Expr* expression);

}  // namespace pyston

extern "C" {
/// 1 if `object` is an instance of ast.AST, 0 if not, -1 on error. (Declared in pycore_ast.h, which cannot be included
/// together with ast.h's names.)
int PyAST_Check(PyObject* object);
}
