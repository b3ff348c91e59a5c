// Second pass of the symbol table: decides for every name of every block whether it is local, a cell, free or global.
//
// Blocks are resolved outside in, so that a block finds its answers by walking up the chain of enclosing blocks; what
// turns out to be free flows back inside out, where the owning function turns the local into a cell.
#include "Interpreter/compiler/symtable.h"

#include <pycore_global_strings.h>
#include <pycore_runtime.h>

namespace pyston {
namespace {

/// The name set of free variables that a block hands to its parent; ordered, without duplicates.
using FreeNames = NameMap;

bool error_at_directive(const Scope& scope, PyObject* filename, PyObject* name, const char* format) {
  for (const Scope::Directive& directive : scope.directives) {
    if (directive.name == name) return raise_syntax_error(filename, directive.position, format, name);
  }
  PyErr_SetString(PyExc_RuntimeError, "BUG: internal directive bookkeeping broken");
  return false;
}

int resolved_scope(int flags) { return (flags >> SCOPE_OFFSET) & SCOPE_MASK; }

/// Whether a function around `scope` binds `name`. Class blocks are invisible, but for their `__class__`.
bool is_bound_outside(const Scope& scope, PyObject* name) {
  for (const Scope* outer = scope.parent; outer != nullptr; outer = outer->parent) {
    if (outer->type == ClassBlock) {
      if (name == &_Py_ID(__class__)) return true;
      continue;
    }
    if (outer->type != FunctionBlock) continue;
    switch (resolved_scope(outer->flags_of(name))) {
      case LOCAL:
      case CELL:
      case FREE: return true;
      case GLOBAL_EXPLICIT:
      case GLOBAL_IMPLICIT: return false;
      default: break;
    }
  }
  return false;
}

/// The scope of one name, or 0 after an error. Own free names are added to `free_names`.
int resolve(const Scope& scope, PyObject* filename, PyObject* name, int flags, FreeNames& free_names) {
  if (flags & DEF_GLOBAL) {
    if (flags & DEF_NONLOCAL) {
      error_at_directive(scope, filename, name, "name '%U' is nonlocal and global");
      return 0;
    }
    return GLOBAL_EXPLICIT;
  }
  if (flags & DEF_NONLOCAL) {
    if (scope.type == ModuleBlock) {
      error_at_directive(scope, filename, name, "nonlocal declaration not allowed at module level");
      return 0;
    }
    if (!is_bound_outside(scope, name)) {
      error_at_directive(scope, filename, name, "no binding for nonlocal '%U' found");
      return 0;
    }
    free_names.intern(name);
    return FREE;
  }
  if (flags & DEF_BOUND) return LOCAL;
  if (scope.type != ModuleBlock && is_bound_outside(scope, name)) {
    free_names.intern(name);
    return FREE;
  }
  return GLOBAL_IMPLICIT;
}

bool analyze(Scope& scope, PyObject* filename, FreeNames& free_names) {
  for (NameMap::Entry& entry : scope.symbols.entries()) {
    const int resolved = resolve(scope, filename, entry.name, entry.value, free_names);
    if (resolved == 0) return false;
    entry.value |= resolved << SCOPE_OFFSET;
  }
  FreeNames from_children;
  for (Scope* child : scope.children) {
    if (!analyze(*child, filename, from_children)) return false;
  }
  for (const NameMap::Entry& entry : from_children.entries()) {
    PyObject* name = entry.name;
    if (scope.type == ClassBlock && name == &_Py_ID(__class__)) {
      scope.needs_class_closure = true;
      continue;
    }
    int* flags = scope.symbols.find(name);
    if (scope.type == FunctionBlock && flags != nullptr && resolved_scope(*flags) == LOCAL) {
      *flags = (*flags & ~(SCOPE_MASK << SCOPE_OFFSET)) | CELL << SCOPE_OFFSET;
      continue;
    }
    if (flags == nullptr) {
      scope.symbols.set(name, FREE << SCOPE_OFFSET);  // passes through this block's closure
    } else if (scope.type == ClassBlock && (*flags & (DEF_BOUND | DEF_GLOBAL))) {
      *flags |= DEF_FREE_CLASS;  // a method means the enclosing function's variable, the class body its own
    }
    free_names.intern(name);
  }
  return true;
}

}  // namespace

bool analyze_scope(Scope& scope, PyObject* filename) {
  FreeNames none;
  return analyze(scope, filename, none);
}

}  // namespace pyston
