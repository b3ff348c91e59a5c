// The symbol table as Python objects: what module `symtable` sees, and the table under its CPython names.
//
// The compiler works on Scope (symtable.h); a PySTEntryObject is a copy made on request.
#include "Interpreter/compiler/compiler.h"
#include "Interpreter/compiler/parser.h"
#include "Interpreter/compiler/symtable.h"
#include "Objects/bind.h"

#include <memory>
#include <pycore_compile.h>
#include <pycore_global_strings.h>
#include <pycore_runtime.h>

namespace pyston {
namespace {

void entry_dealloc(PySTEntryObject* self) {
  Py_XDECREF(self->ste_id);
  Py_XDECREF(self->ste_symbols);
  Py_XDECREF(self->ste_name);
  Py_XDECREF(self->ste_varnames);
  Py_XDECREF(self->ste_children);
  Py_XDECREF(self->ste_directives);
  PyObject_Free(self);
}

Ref<> entry_repr(Borrowed<PySTEntryObject> self) {
  return Ref<>::steal(
      PyUnicode_FromFormat("<symtable entry %U(%ld), line %d>", self->ste_name, PyLong_AsLong(self->ste_id), self->ste_lineno));
}

PyMemberDef entry_members[] = {
    {"id", T_OBJECT, offsetof(PySTEntryObject, ste_id), READONLY},
    {"name", T_OBJECT, offsetof(PySTEntryObject, ste_name), READONLY},
    {"symbols", T_OBJECT, offsetof(PySTEntryObject, ste_symbols), READONLY},
    {"varnames", T_OBJECT, offsetof(PySTEntryObject, ste_varnames), READONLY},
    {"children", T_OBJECT, offsetof(PySTEntryObject, ste_children), READONLY},
    {"nested", T_INT, offsetof(PySTEntryObject, ste_nested), READONLY},
    {"type", T_INT, offsetof(PySTEntryObject, ste_type), READONLY},
    {"lineno", T_INT, offsetof(PySTEntryObject, ste_lineno), READONLY},
    {},
};

/// A name that only passes through a block's closure: nothing in the block itself mentions it.
bool passes_through(const NameMap::Entry& symbol) { return symbol.value == FREE << SCOPE_OFFSET; }

Status merge_into(Borrowed<> set, Borrowed<> other) {
  return Ref<>::steal(PyNumber_InPlaceOr(set.get(), other.get())) ? Status::kOk : Status::kError;
}

/// QUIRK: names that pass through a block are listed in the order of a set of them, which depends on the set's history.
/// So the sets are made here as CPython makes them. `from_children` becomes what the block itself hands outwards; null
/// on failure.
Status add_symbols(const Scope& scope, Borrowed<> symbols, Ref<>& from_children) {
  auto add = [&](PyObject* name, int value) {
    Ref<> flags = Ref<>::steal(PyLong_FromLong(value));
    return flags && PyDict_SetItem(symbols.get(), name, flags.get()) == 0;
  };
  Ref<> own = Ref<>::steal(PySet_New(nullptr));
  Ref<> passing = Ref<>::steal(PySet_New(nullptr));
  if (!own || !passing || failed(merge_into(passing, from_children))) return Failure();
  for (const NameMap::Entry& symbol : scope.symbols.entries()) {
    if (passes_through(symbol)) continue;
    if (!add(symbol.name, symbol.value)) return Failure();
    const int resolved = (symbol.value >> SCOPE_OFFSET) & SCOPE_MASK;
    if (resolved == FREE && PySet_Add(own.get(), symbol.name) < 0) return Failure();
    if (resolved == CELL && PySet_Discard(passing.get(), symbol.name) < 0) return Failure();
  }
  if (scope.type == ClassBlock && PySet_Discard(passing.get(), &_Py_ID(__class__)) < 0) return Failure();
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(passing.get()));
  if (!iterator) return Failure();
  while (Ref<> name = Ref<>::steal(PyIter_Next(iterator.get()))) {
    const int value = scope.symbols.get(name.get(), 0);
    if (value == FREE << SCOPE_OFFSET && !add(name.get(), value)) return Failure();
  }
  if (PyErr_Occurred() || failed(merge_into(own, passing))) return Failure();
  from_children = std::move(own);
  return Status::kOk;
}

/// `free_names` is the set of the enclosing block's children, to which this one adds.
Ref<PySTEntryObject> make_entry(const Scope& scope, symtable* table, Borrowed<> free_names) {
  if (PyType_Ready(&PySTEntry_Type) < 0) return nullptr;
  auto* raw = PyObject_New(PySTEntryObject, &PySTEntry_Type);
  if (raw == nullptr) return nullptr;
  memset(reinterpret_cast<char*>(raw) + sizeof(PyObject), 0, sizeof(PySTEntryObject) - sizeof(PyObject));
  Ref<PySTEntryObject> entry = Ref<PySTEntryObject>::steal(raw);
  entry->ste_id = PyLong_FromVoidPtr(const_cast<void*>(scope.node));
  entry->ste_name = Py_NewRef(scope.name);
  entry->ste_symbols = PyDict_New();
  entry->ste_varnames = PyList_New(0);
  entry->ste_children = PyList_New(0);
  if (!entry->ste_id || !entry->ste_symbols || !entry->ste_varnames || !entry->ste_children) return nullptr;
  entry->ste_type = scope.type;
  entry->ste_nested = scope.is_nested;
  entry->ste_generator = scope.is_generator;
  entry->ste_coroutine = scope.is_coroutine;
  entry->ste_comprehension = scope.comprehension;
  entry->ste_varargs = scope.has_varargs;
  entry->ste_varkeywords = scope.has_varkeywords;
  entry->ste_returns_value = scope.returns_value;
  entry->ste_needs_class_closure = scope.needs_class_closure;
  entry->ste_lineno = scope.position.lineno;
  entry->ste_col_offset = scope.position.col_offset;
  entry->ste_end_lineno = scope.position.end_lineno;
  entry->ste_end_col_offset = scope.position.end_col_offset;
  entry->ste_table = table;
  for (PyObject* parameter : scope.parameters) {
    if (PyList_Append(entry->ste_varnames, parameter) < 0) return nullptr;
  }
  Ref<> from_children = Ref<>::steal(PySet_New(nullptr));
  if (!from_children) return nullptr;
  for (const Scope* child : scope.children) {
    Ref<PySTEntryObject> child_entry = make_entry(*child, table, from_children);
    if (!child_entry || PyList_Append(entry->ste_children, child_entry.object()) < 0) return nullptr;
    if (table != nullptr && PyDict_SetItem(table->st_blocks, child_entry->ste_id, child_entry.object()) < 0) {
      return nullptr;
    }
  }
  VM_CHECK(add_symbols(scope, Borrowed<>(entry->ste_symbols), from_children));
  VM_CHECK(merge_into(free_names, from_children));
  return entry;
}

Ref<PySTEntryObject> make_top_entry(const Scope& scope, symtable* table) {
  Ref<> free_names = Ref<>::steal(PySet_New(nullptr));
  if (!free_names) return nullptr;
  return make_entry(scope, table, free_names);
}

}  // namespace

Ref<> build_symbol_table_object(ast::Mod* tree, PyObject* filename) {
  PyFutureFeatures features;
  VM_CHECK(collect_future_features(tree, filename, features));
  ast::Arena arena;
  SymbolTable table(filename, features.ff_features, arena);
  if (!table.build(tree)) return nullptr;
  return make_top_entry(*table.top(), nullptr);
}

}  // namespace pyston

using namespace pyston;

PyTypeObject PySTEntry_Type = {
    .ob_base = type_head(),
    .tp_name = "symtable entry",
    .tp_basicsize = sizeof(PySTEntryObject),
    .tp_dealloc = slot<entry_dealloc>,
    .tp_repr = slot<entry_repr>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_members = entry_members,
};

/// The table of a tree (pyston::ast); null with SyntaxError. Freed by _PySymtable_Free.
symtable* _PySymtable_Build(struct _mod* mod, PyObject* filename, PyFutureFeatures* future) {
  auto* tree = reinterpret_cast<ast::Mod*>(mod);
  ast::Arena arena;
  SymbolTable built(filename, future->ff_features, arena);
  if (!built.build(tree)) return nullptr;
  auto* table = static_cast<symtable*>(PyMem_Calloc(1, sizeof(symtable)));
  if (table == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  table->st_filename = Py_NewRef(filename);
  table->st_future = future;
  table->st_blocks = PyDict_New();
  table->st_stack = PyList_New(0);
  Ref<PySTEntryObject> top = table->st_blocks != nullptr && table->st_stack != nullptr
                                 ? make_top_entry(*built.top(), table)
                                 : Ref<PySTEntryObject>();
  if (!top || PyDict_SetItem(table->st_blocks, top->ste_id, top.object()) < 0) {
    _PySymtable_Free(table);
    return nullptr;
  }
  table->st_nblocks = static_cast<int>(built.scopes().size());
  table->st_top = top.get();  // kept by st_blocks
  table->st_global = top->ste_symbols;
  return table;
}

void _PySymtable_Free(symtable* table) {
  Py_XDECREF(table->st_filename);
  Py_XDECREF(table->st_blocks);
  Py_XDECREF(table->st_stack);
  PyMem_Free(table);
}

/// New reference to the entry of a block's node; null (with KeyError) when it opens none.
PySTEntryObject* PySymtable_Lookup(symtable* table, void* node) {
  Ref<> key = Ref<>::steal(PyLong_FromVoidPtr(node));
  if (!key) return nullptr;
  PyObject* entry = PyDict_GetItemWithError(table->st_blocks, key.get());
  if (entry == nullptr) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_KeyError, "unknown symbol table entry");
    return nullptr;
  }
  return reinterpret_cast<PySTEntryObject*>(Py_NewRef(entry));
}

long _PyST_GetSymbol(PySTEntryObject* entry, PyObject* name) {
  PyObject* flags = PyDict_GetItemWithError(entry->ste_symbols, name);
  return flags == nullptr ? 0 : PyLong_AsLong(flags);
}

int _PyST_GetScope(PySTEntryObject* entry, PyObject* name) {
  return static_cast<int>((_PyST_GetSymbol(entry, name) >> SCOPE_OFFSET) & SCOPE_MASK);
}

/// The table of source text.
symtable* _Py_SymtableStringObjectFlags(const char* source, PyObject* filename, int start, PyCompilerFlags* flags) {
  ast::Arena arena;
  ast::Mod* tree = parse_string(arena, source, filename, static_cast<StartRule>(start), flags);
  if (tree == nullptr) return nullptr;
  PyFutureFeatures features;
  if (failed(collect_future_features(tree, filename, features))) return nullptr;
  if (flags != nullptr) features.ff_features |= flags->cf_flags;
  symtable* table = _PySymtable_Build(reinterpret_cast<struct _mod*>(tree), filename, &features);
  if (table != nullptr) table->st_future = nullptr;
  return table;
}

/// The future features of a tree (pyston::ast), to be freed with PyObject_Free.
PyFutureFeatures* _PyFuture_FromAST(struct _mod* mod, PyObject* filename) {
  auto* features = static_cast<PyFutureFeatures*>(PyObject_Malloc(sizeof(PyFutureFeatures)));
  if (features == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  if (failed(collect_future_features(reinterpret_cast<ast::Mod*>(mod), filename, *features))) {
    PyObject_Free(features);
    return nullptr;
  }
  return features;
}
