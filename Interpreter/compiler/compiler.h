// The back half of the front end: syntax tree -> symbol table -> folded tree -> flow graph -> code object.
//
// `parser.h` makes the tree, this header turns it into bytecode. The passes live in:
//   future.cpp            `from __future__` statements
//   symtable*.cpp         which scope every name of every block belongs to
//   fold.cpp              constant folding on the tree
//   codegen_*.cpp         statements, expressions, patterns and scopes into instructions in basic blocks
//   flowgraph*.cpp        jump threading, dead code, line numbers, stack depth, exception regions
//   assemble.cpp          offsets, bytes, location and exception tables, the code object
// INVARIANT: for any tree, the code object equals the one of CPython 3.11.2 in every field.
#pragma once

#include "Interpreter/compiler/ast.h"
#include "Runtime/refs/ref.h"

namespace pyston {

/// Compiles a whole tree (Module, Expression or Interactive). `flags` may be null; the future features that the
/// source asks for are added to it. `optimize` is -1 for the interpreter's own level, else 0, 1 or 2.
/// The tree is folded in place. SyntaxError, OverflowError, RecursionError or MemoryError on failure.
Ref<PyCodeObject> compile_module(ast::Mod* tree, PyObject* filename, PyCompilerFlags* flags, int optimize,
                                 ast::Arena& arena);

/// The `symtable.symtable` object of the tree's outermost block (a PySTEntryObject).
Ref<> build_symbol_table_object(ast::Mod* tree, PyObject* filename);

/// Collects the `from __future__` imports at the head of the tree.
Status collect_future_features(ast::Mod* tree, PyObject* filename, PyFutureFeatures& features);

/// Folds constant expressions of the tree in place. `optimize` as in compile_module but never -1;
/// `future_features` are CO_FUTURE_* bits.
Status fold_constants(ast::Mod* tree, ast::Arena& arena, int optimize, int future_features);

}  // namespace pyston
