// `from __future__ import ...`: which features a tree asks for, and the errors for those that don't exist.
#include "Interpreter/compiler/compiler.h"
#include "Interpreter/compiler/symtable.h"

namespace pyston {

using namespace ast;

namespace {

struct Feature {
  const char* name;
  int flag;  // 0: became the language long ago
};

constexpr Feature kFeatures[] = {
    {FUTURE_NESTED_SCOPES, 0},         {FUTURE_GENERATORS, 0},
    {FUTURE_DIVISION, 0},              {FUTURE_ABSOLUTE_IMPORT, 0},
    {FUTURE_WITH_STATEMENT, 0},        {FUTURE_PRINT_FUNCTION, 0},
    {FUTURE_UNICODE_LITERALS, 0},      {FUTURE_BARRY_AS_BDFL, CO_FUTURE_BARRY_AS_BDFL},
    {FUTURE_GENERATOR_STOP, 0},        {FUTURE_ANNOTATIONS, CO_FUTURE_ANNOTATIONS},
};

bool collect_from_import(node::ImportFrom* import, PyObject* filename, PyFutureFeatures& features) {
  for (Alias* alias : import->names) {
    const char* name = PyUnicode_AsUTF8(alias->name);
    if (name == nullptr) return false;
    const Feature* found = nullptr;
    for (const Feature& feature : kFeatures) {
      if (strcmp(name, feature.name) == 0) found = &feature;
    }
    if (found == nullptr) {
      const bool braces = strcmp(name, "braces") == 0;
      if (braces) {
        PyErr_SetString(PyExc_SyntaxError, "not a chance");
      } else {
        PyErr_Format(PyExc_SyntaxError, "future feature %.100s is not defined", name);
      }
      PyErr_SyntaxLocationObject(filename, import->position.lineno, import->position.col_offset + 1);
      return false;
    }
    features.ff_features |= found->flag;
  }
  return true;
}

bool is_docstring(Stmt* stmt) {
  auto* statement = as<node::ExprStmt>(stmt);
  if (statement == nullptr) return false;
  auto* constant = as<node::Constant>(statement->value);
  return constant != nullptr && PyUnicode_CheckExact(constant->value);
}

}  // namespace

Status collect_future_features(Mod* tree, PyObject* filename, PyFutureFeatures& features) {
  features.ff_features = 0;
  features.ff_lineno = -1;
  Seq<Stmt*> body;
  if (auto* module = as<node::Module>(tree)) body = module->body;
  if (auto* interactive = as<node::Interactive>(tree)) body = interactive->body;
  int first = !body.empty() && is_docstring(body[0]) ? 1 : 0;
  bool ended = false;  // something else has come; the rest of its line is still looked at
  int last_line = 0;
  for (int i = first; i < body.size(); i++) {
    if (ended && body[i]->position.lineno > last_line) break;
    last_line = body[i]->position.lineno;
    auto* import = as<node::ImportFrom>(body[i]);
    if (import == nullptr || import->level != 0 || import->module == nullptr ||
        !_PyUnicode_EqualToASCIIString(import->module, "__future__")) {
      ended = true;
      continue;
    }
    if (ended) {
      PyErr_SetString(PyExc_SyntaxError, "from __future__ imports must occur at the beginning of the file");
      PyErr_SyntaxLocationObject(filename, import->position.lineno, import->position.col_offset);
      return Status::kError;
    }
    if (!collect_from_import(import, filename, features)) return Status::kError;
    features.ff_lineno = import->position.lineno;
  }
  return Status::kOk;
}

}  // namespace pyston
