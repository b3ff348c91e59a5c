// Checks of trees that come from `ast` objects: the parser cannot produce what is refused here, and the compiler relies
// on it.
#include <cstring>

#include "Interpreter/compiler/parser.h"

namespace pyston {

using namespace ast;

namespace {

const char* context_name(ExprContext context) {
  return context == ExprContext::kLoad ? "Load" : context == ExprContext::kStore ? "Store" : "Del";
}

class Validator {
 public:
  bool module(Mod* tree) {
    switch (tree->kind) {
      case Kind::kModule: return statements(cast<node::Module>(tree)->body);
      case Kind::kInteractive: return statements(cast<node::Interactive>(tree)->body);
      case Kind::kExpression: return expression(cast<node::Expression>(tree)->body, ExprContext::kLoad);
      default:
        PyErr_SetString(PyExc_SystemError, "impossible module node");
        return false;
    }
  }

 private:
  struct Level {
    Validator& self;
    bool ok;
    explicit Level(Validator& s) : self(s) {
      ok = ++self.depth_ <= 3 * Py_GetRecursionLimit();
      if (!ok) PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded during compilation");
    }
    ~Level() { self.depth_--; }
  };
  static bool bad(const char* message) {
    PyErr_SetString(PyExc_ValueError, message);
    return false;
  }

  static bool position(const Position& p) {
    if (p.lineno > p.end_lineno) {
      PyErr_Format(PyExc_ValueError, "AST node line range (%d, %d) is not valid", p.lineno, p.end_lineno);
      return false;
    }
    if ((p.lineno < 0 && p.end_lineno != p.lineno) || (p.col_offset < 0 && p.col_offset != p.end_col_offset)) {
      PyErr_Format(PyExc_ValueError, "AST node column range (%d, %d) for line range (%d, %d) is not valid", p.col_offset,
                   p.end_col_offset, p.lineno, p.end_lineno);
      return false;
    }
    if (p.lineno == p.end_lineno && p.col_offset > p.end_col_offset) {
      PyErr_Format(PyExc_ValueError, "line %d, column %d-%d is not a valid range", p.lineno, p.col_offset,
                   p.end_col_offset);
      return false;
    }
    return true;
  }

  static bool name(PyObject* identifier) {
    for (const char* reserved : {"None", "True", "False"}) {
      if (PyUnicode_CompareWithASCIIString(identifier, reserved) == 0) {
        PyErr_Format(PyExc_ValueError, "identifier field can't represent '%s' constant", reserved);
        return false;
      }
    }
    return true;
  }

  template <class T>
  static bool not_empty(const Seq<T>& items, const char* what, const char* owner) {
    if (!items.empty()) return true;
    PyErr_Format(PyExc_ValueError, "empty %s on %s", what, owner);
    return false;
  }

  bool expressions(const Seq<Expr*>& items, ExprContext context, bool allow_null = false) {
    for (Expr* item : items) {
      if (item == nullptr) {
        if (!allow_null) return bad("None disallowed in expression list");
        continue;
      }
      if (!expression(item, context)) return false;
    }
    return true;
  }
  bool load(Expr* e) { return expression(e, ExprContext::kLoad); }
  bool optional(Expr* e) { return e == nullptr || load(e); }

  bool constant(PyObject* value) {
    if (value == Py_None || value == Py_Ellipsis || PyLong_CheckExact(value) || PyFloat_CheckExact(value) ||
        PyComplex_CheckExact(value) || PyBool_Check(value) || PyUnicode_CheckExact(value) || PyBytes_CheckExact(value)) {
      return true;
    }
    if (PyTuple_CheckExact(value) || PyFrozenSet_CheckExact(value)) {
      Level level(*this);
      if (!level.ok) return false;
      auto iterator = Ref<>::steal(PyObject_GetIter(value));
      if (!iterator) return false;
      while (auto item = Ref<>::steal(PyIter_Next(iterator.get()))) {
        if (!constant(item.get())) return false;
      }
      return !PyErr_Occurred();
    }
    if (!PyErr_Occurred()) {
      PyErr_Format(PyExc_TypeError, "got an invalid type in Constant: %s", _PyType_Name(Py_TYPE(value)));
    }
    return false;
  }

  bool comprehensions(const Seq<Comprehension*>& generators) {
    if (generators.empty()) return bad("comprehension with no generators");
    for (Comprehension* clause : generators) {
      if (!expression(clause->target, ExprContext::kStore) || !load(clause->iter) ||
          !expressions(clause->ifs, ExprContext::kLoad)) {
        return false;
      }
    }
    return true;
  }

  bool arguments_list(const Seq<Arg*>& args) {
    for (Arg* arg : args) {
      if (!position(arg->position) || !optional(arg->annotation)) return false;
    }
    return true;
  }
  bool arguments(Arguments* a) {
    if (!arguments_list(a->posonlyargs) || !arguments_list(a->args)) return false;
    if (a->vararg != nullptr && !optional(a->vararg->annotation)) return false;
    if (!arguments_list(a->kwonlyargs)) return false;
    if (a->kwarg != nullptr && !optional(a->kwarg->annotation)) return false;
    if (a->defaults.count > a->posonlyargs.count + a->args.count) {
      return bad("more positional defaults than args on arguments");
    }
    if (a->kw_defaults.count != a->kwonlyargs.count) {
      return bad("length of kwonlyargs is not the same as kw_defaults on arguments");
    }
    return expressions(a->defaults, ExprContext::kLoad) && expressions(a->kw_defaults, ExprContext::kLoad, true);
  }

  bool keywords(const Seq<Keyword*>& items) {
    for (Keyword* keyword : items) {
      if (!load(keyword->value)) return false;
    }
    return true;
  }

  bool expression(Expr* e, ExprContext context) {
    if (!position(e->position)) return false;
    Level level(*this);
    if (!level.ok) return false;
    ExprContext actual = ExprContext::kLoad;
    bool has_context = true;
    switch (e->kind) {
      case Kind::kAttribute: actual = cast<node::Attribute>(e)->ctx; break;
      case Kind::kSubscript: actual = cast<node::Subscript>(e)->ctx; break;
      case Kind::kStarred: actual = cast<node::Starred>(e)->ctx; break;
      case Kind::kName:
        if (!name(cast<node::Name>(e)->id)) return false;
        actual = cast<node::Name>(e)->ctx;
        break;
      case Kind::kList: actual = cast<node::List>(e)->ctx; break;
      case Kind::kTuple: actual = cast<node::Tuple>(e)->ctx; break;
      default: has_context = false;
    }
    if (!has_context && context != ExprContext::kLoad) {
      PyErr_Format(PyExc_ValueError, "expression which can't be assigned to in %s context", context_name(context));
      return false;
    }
    if (has_context && actual != context) {
      PyErr_Format(PyExc_ValueError, "expression must have %s context but has %s instead", context_name(context),
                   context_name(actual));
      return false;
    }
    switch (e->kind) {
      case Kind::kBoolOp:
        if (cast<node::BoolOp>(e)->values.count < 2) return bad("BoolOp with less than 2 values");
        return expressions(cast<node::BoolOp>(e)->values, ExprContext::kLoad);
      case Kind::kBinOp: return load(cast<node::BinOp>(e)->left) && load(cast<node::BinOp>(e)->right);
      case Kind::kUnaryOp: return load(cast<node::UnaryOp>(e)->operand);
      case Kind::kLambda: return arguments(cast<node::Lambda>(e)->args) && load(cast<node::Lambda>(e)->body);
      case Kind::kIfExp: {
        auto* n = cast<node::IfExp>(e);
        return load(n->test) && load(n->body) && load(n->orelse);
      }
      case Kind::kDict: {
        auto* n = cast<node::Dict>(e);
        if (n->keys.count != n->values.count) return bad("Dict doesn't have the same number of keys as values");
        return expressions(n->keys, ExprContext::kLoad, true) && expressions(n->values, ExprContext::kLoad);
      }
      case Kind::kSet: return expressions(cast<node::Set>(e)->elts, ExprContext::kLoad);
      case Kind::kListComp: return comprehensions(cast<node::ListComp>(e)->generators) && load(cast<node::ListComp>(e)->elt);
      case Kind::kSetComp: return comprehensions(cast<node::SetComp>(e)->generators) && load(cast<node::SetComp>(e)->elt);
      case Kind::kGeneratorExp:
        return comprehensions(cast<node::GeneratorExp>(e)->generators) && load(cast<node::GeneratorExp>(e)->elt);
      case Kind::kDictComp: {
        auto* n = cast<node::DictComp>(e);
        return comprehensions(n->generators) && load(n->key) && load(n->value);
      }
      case Kind::kYield: return optional(cast<node::Yield>(e)->value);
      case Kind::kYieldFrom: return load(cast<node::YieldFrom>(e)->value);
      case Kind::kAwait: return load(cast<node::Await>(e)->value);
      case Kind::kCompare: {
        auto* n = cast<node::Compare>(e);
        if (n->comparators.empty()) return bad("Compare with no comparators");
        if (n->comparators.count != n->ops.count) return bad("Compare has a different number of comparators and operands");
        return expressions(n->comparators, ExprContext::kLoad) && load(n->left);
      }
      case Kind::kCall: {
        auto* n = cast<node::Call>(e);
        return load(n->func) && expressions(n->args, ExprContext::kLoad) && keywords(n->keywords);
      }
      case Kind::kConstant: return constant(cast<node::Constant>(e)->value);
      case Kind::kJoinedStr: return expressions(cast<node::JoinedStr>(e)->values, ExprContext::kLoad);
      case Kind::kFormattedValue:
        return load(cast<node::FormattedValue>(e)->value) && optional(cast<node::FormattedValue>(e)->format_spec);
      case Kind::kAttribute: return load(cast<node::Attribute>(e)->value);
      case Kind::kSubscript: return load(cast<node::Subscript>(e)->slice) && load(cast<node::Subscript>(e)->value);
      case Kind::kStarred: return expression(cast<node::Starred>(e)->value, context);
      case Kind::kSlice: {
        auto* n = cast<node::Slice>(e);
        return optional(n->lower) && optional(n->upper) && optional(n->step);
      }
      case Kind::kList: return expressions(cast<node::List>(e)->elts, context);
      case Kind::kTuple: return expressions(cast<node::Tuple>(e)->elts, context);
      case Kind::kNamedExpr: return load(cast<node::NamedExpr>(e)->value);
      case Kind::kName: return true;
      default: break;
    }
    PyErr_SetString(PyExc_SystemError, "unexpected expression");
    return false;
  }

  // --- patterns
  bool match_value(Expr* e) {
    if (!load(e)) return false;
    switch (e->kind) {
      case Kind::kConstant: {
        PyObject* value = cast<node::Constant>(e)->value;
        if (value == Py_Ellipsis) return bad("unexpected constant inside of a literal pattern");
        if (PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyBytes_CheckExact(value) ||
            PyComplex_CheckExact(value) || PyUnicode_CheckExact(value)) {
          return true;
        }
        return bad("unexpected constant inside of a literal pattern");
      }
      case Kind::kAttribute: return true;
      case Kind::kUnaryOp:
        if (is_number(e, true)) return true;
        break;
      case Kind::kBinOp: {
        auto* n = cast<node::BinOp>(e);
        if ((n->op == Operator::kAdd || n->op == Operator::kSub) && is_number(n->left, true, true, false) &&
            is_number(n->right, false, false, true)) {
          return true;
        }
        break;
      }
      case Kind::kJoinedStr: return true;  // refused later, by the compiler
      default: break;
    }
    return bad("patterns may only match literals and attribute lookups");
  }
  static bool is_number(Expr* e, bool allow_minus, bool allow_real = true, bool allow_imaginary = true) {
    if (auto* unary = as<node::UnaryOp>(e)) {
      if (!allow_minus || unary->op != UnaryOperator::kUSub) return false;
      e = unary->operand;
    }
    auto* value = as<node::Constant>(e);
    if (value == nullptr) return false;
    return (allow_real && (PyLong_CheckExact(value->value) || PyFloat_CheckExact(value->value))) ||
           (allow_imaginary && PyComplex_CheckExact(value->value));
  }
  static bool capture(PyObject* identifier) {
    if (PyUnicode_CompareWithASCIIString(identifier, "_") == 0) return bad("can't capture name '_' in patterns");
    return name(identifier);
  }
  bool patterns(const Seq<Pattern*>& items, bool star_ok) {
    for (Pattern* item : items) {
      if (item == nullptr) return bad("None disallowed in pattern list");
      if (!pattern(item, star_ok)) return false;
    }
    return true;
  }
  bool pattern(Pattern* p, bool star_ok) {
    if (!position(p->position)) return false;
    Level level(*this);
    if (!level.ok) return false;
    switch (p->kind) {
      case Kind::kMatchValue: return match_value(cast<node::MatchValue>(p)->value);
      case Kind::kMatchSingleton: {
        PyObject* value = cast<node::MatchSingleton>(p)->value;
        if (value != Py_None && !PyBool_Check(value)) return bad("MatchSingleton can only contain True, False and None");
        return true;
      }
      case Kind::kMatchSequence: return patterns(cast<node::MatchSequence>(p)->patterns, true);
      case Kind::kMatchMapping: {
        auto* n = cast<node::MatchMapping>(p);
        if (n->keys.count != n->patterns.count) return bad("MatchMapping doesn't have the same number of keys as patterns");
        if (n->rest != nullptr && !capture(n->rest)) return false;
        for (Expr* key : n->keys) {
          if (key == nullptr) return bad("None disallowed in expression list");
          auto* value = as<node::Constant>(key);
          if (value != nullptr && (value->value == Py_None || PyBool_Check(value->value))) continue;
          if (!match_value(key)) return false;
        }
        return patterns(n->patterns, false);
      }
      case Kind::kMatchClass: {
        auto* n = cast<node::MatchClass>(p);
        if (n->kwd_attrs.count != n->kwd_patterns.count) {
          return bad("MatchClass doesn't have the same number of keyword attributes as patterns");
        }
        if (!load(n->cls)) return false;
        Expr* cls = n->cls;
        while (cls->kind == Kind::kAttribute) cls = cast<node::Attribute>(cls)->value;
        if (cls->kind != Kind::kName) return bad("MatchClass cls field can only contain Name or Attribute nodes.");
        for (PyObject* attribute : n->kwd_attrs) {
          if (!name(attribute)) return false;
        }
        return patterns(n->patterns, false) && patterns(n->kwd_patterns, false);
      }
      case Kind::kMatchStar: {
        auto* n = cast<node::MatchStar>(p);
        if (!star_ok) return bad("can't use MatchStar here");
        return n->name == nullptr || capture(n->name);
      }
      case Kind::kMatchAs: {
        auto* n = cast<node::MatchAs>(p);
        if (n->name != nullptr && !capture(n->name)) return false;
        if (n->pattern == nullptr) return true;
        if (n->name == nullptr) return bad("MatchAs must specify a target name if a pattern is given");
        return pattern(n->pattern, false);
      }
      case Kind::kMatchOr:
        if (cast<node::MatchOr>(p)->patterns.count < 2) return bad("MatchOr requires at least 2 patterns");
        return patterns(cast<node::MatchOr>(p)->patterns, false);
      default: break;
    }
    PyErr_SetString(PyExc_SystemError, "unexpected pattern");
    return false;
  }

  // --- statements
  bool statements(const Seq<Stmt*>& items) {
    for (Stmt* item : items) {
      if (item == nullptr) return bad("None disallowed in statement list");
      if (!statement(item)) return false;
    }
    return true;
  }
  bool body(const Seq<Stmt*>& items, const char* owner) { return not_empty(items, "body", owner) && statements(items); }
  bool targets(const Seq<Expr*>& items, const char* owner, ExprContext context) {
    return not_empty(items, "targets", owner) && expressions(items, context);
  }

  template <class T>
  bool function(T* n, const char* owner) {
    return body(n->body, owner) && arguments(n->args) && expressions(n->decorator_list, ExprContext::kLoad) &&
           optional(n->returns);
  }
  template <class T>
  bool loop(T* n, const char* owner) {
    return expression(n->target, ExprContext::kStore) && load(n->iter) && body(n->body, owner) && statements(n->orelse);
  }
  template <class T>
  bool with(T* n, const char* owner) {
    if (!not_empty(n->items, "items", owner)) return false;
    for (WithItem* item : n->items) {
      if (!load(item->context_expr)) return false;
      if (item->optional_vars != nullptr && !expression(item->optional_vars, ExprContext::kStore)) return false;
    }
    return body(n->body, owner);
  }
  template <class T>
  bool try_(T* n, const char* owner) {
    if (!body(n->body, owner)) return false;
    if (n->handlers.empty() && n->finalbody.empty()) {
      PyErr_Format(PyExc_ValueError, "%s has neither except handlers nor finalbody", owner);
      return false;
    }
    if (n->handlers.empty() && !n->orelse.empty()) {
      PyErr_Format(PyExc_ValueError, "%s has orelse but no except handlers", owner);
      return false;
    }
    for (ExceptHandler* any : n->handlers) {
      auto* handler = cast<node::ExceptHandlerClause>(any);
      if (!position(handler->position) || !optional(handler->type) || !body(handler->body, "ExceptHandler")) return false;
    }
    return statements(n->finalbody) && statements(n->orelse);
  }

  bool statement(Stmt* s) {
    if (!position(s->position)) return false;
    Level level(*this);
    if (!level.ok) return false;
    switch (s->kind) {
      case Kind::kFunctionDef: return function(cast<node::FunctionDef>(s), "FunctionDef");
      case Kind::kAsyncFunctionDef: return function(cast<node::AsyncFunctionDef>(s), "AsyncFunctionDef");
      case Kind::kClassDef: {
        auto* n = cast<node::ClassDef>(s);
        return body(n->body, "ClassDef") && expressions(n->bases, ExprContext::kLoad) && keywords(n->keywords) &&
               expressions(n->decorator_list, ExprContext::kLoad);
      }
      case Kind::kReturn: return optional(cast<node::Return>(s)->value);
      case Kind::kDelete: return targets(cast<node::Delete>(s)->targets, "Delete", ExprContext::kDel);
      case Kind::kAssign:
        return targets(cast<node::Assign>(s)->targets, "Assign", ExprContext::kStore) && load(cast<node::Assign>(s)->value);
      case Kind::kAugAssign:
        return expression(cast<node::AugAssign>(s)->target, ExprContext::kStore) && load(cast<node::AugAssign>(s)->value);
      case Kind::kAnnAssign: {
        auto* n = cast<node::AnnAssign>(s);
        if (n->target->kind != Kind::kName && n->simple) {
          PyErr_SetString(PyExc_TypeError, "AnnAssign with simple non-Name target");
          return false;
        }
        return expression(n->target, ExprContext::kStore) && optional(n->value) && load(n->annotation);
      }
      case Kind::kFor: return loop(cast<node::For>(s), "For");
      case Kind::kAsyncFor: return loop(cast<node::AsyncFor>(s), "AsyncFor");
      case Kind::kWhile:
        return load(cast<node::While>(s)->test) && body(cast<node::While>(s)->body, "While") &&
               statements(cast<node::While>(s)->orelse);
      case Kind::kIf:
        return load(cast<node::If>(s)->test) && body(cast<node::If>(s)->body, "If") && statements(cast<node::If>(s)->orelse);
      case Kind::kWith: return with(cast<node::With>(s), "With");
      case Kind::kAsyncWith: return with(cast<node::AsyncWith>(s), "AsyncWith");
      case Kind::kMatch: {
        auto* n = cast<node::Match>(s);
        if (!load(n->subject) || !not_empty(n->cases, "cases", "Match")) return false;
        for (MatchCase* match_case : n->cases) {
          if (!pattern(match_case->pattern, false) || !optional(match_case->guard) || !body(match_case->body, "match_case")) {
            return false;
          }
        }
        return true;
      }
      case Kind::kRaise: {
        auto* n = cast<node::Raise>(s);
        if (n->exc != nullptr) return load(n->exc) && optional(n->cause);
        return n->cause == nullptr || bad("Raise with cause but no exception");
      }
      case Kind::kTry: return try_(cast<node::Try>(s), "Try");
      case Kind::kTryStar: return try_(cast<node::TryStar>(s), "TryStar");
      case Kind::kAssert: return load(cast<node::Assert>(s)->test) && optional(cast<node::Assert>(s)->msg);
      case Kind::kImport: return not_empty(cast<node::Import>(s)->names, "names", "Import");
      case Kind::kImportFrom:
        if (cast<node::ImportFrom>(s)->level < 0) return bad("Negative ImportFrom level");
        return not_empty(cast<node::ImportFrom>(s)->names, "names", "ImportFrom");
      case Kind::kGlobal: return not_empty(cast<node::Global>(s)->names, "names", "Global");
      case Kind::kNonlocal: return not_empty(cast<node::Nonlocal>(s)->names, "names", "Nonlocal");
      case Kind::kExprStmt: return load(cast<node::ExprStmt>(s)->value);
      case Kind::kPass:
      case Kind::kBreak:
      case Kind::kContinue: return true;
      default: break;
    }
    PyErr_SetString(PyExc_SystemError, "unexpected statement");
    return false;
  }

  int depth_ = 0;
};

}  // namespace

Status validate_ast(Mod* tree) {
  Validator validator;
  return validator.module(tree) ? Status::kOk : Status::kError;
}

}  // namespace pyston
