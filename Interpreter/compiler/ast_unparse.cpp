// Source text of an expression with as few parentheses as its structure allows, as annotations are stored under
// `from __future__ import annotations`.
#include <cfloat>
#include <cstring>

#include "Interpreter/compiler/parser.h"

namespace pyston {

using namespace ast;

namespace {

/// How tightly an expression binds; an operand looser than its place gets parentheses.
enum Level : int {
  kTuple, kTest, kOr, kAnd, kNot, kCompare, kBitOr, kBitXor, kBitAnd, kShift, kArith, kTerm, kFactor, kPower, kAwait, kAtom
};

struct OperatorText {
  const char* text;
  Level level;
};
OperatorText text_of(Operator op) {
  switch (op) {
    case Operator::kAdd: return {" + ", kArith};
    case Operator::kSub: return {" - ", kArith};
    case Operator::kMult: return {" * ", kTerm};
    case Operator::kMatMult: return {" @ ", kTerm};
    case Operator::kDiv: return {" / ", kTerm};
    case Operator::kMod_: return {" % ", kTerm};
    case Operator::kPow: return {" ** ", kPower};
    case Operator::kLShift: return {" << ", kShift};
    case Operator::kRShift: return {" >> ", kShift};
    case Operator::kBitOr: return {" | ", kBitOr};
    case Operator::kBitXor: return {" ^ ", kBitXor};
    case Operator::kBitAnd: return {" & ", kBitAnd};
    case Operator::kFloorDiv: return {" // ", kTerm};
  }
  return {" ? ", kAtom};
}
const char* text_of(CompareOperator op) {
  switch (op) {
    case CompareOperator::kEq: return " == ";
    case CompareOperator::kNotEq: return " != ";
    case CompareOperator::kLt: return " < ";
    case CompareOperator::kLtE: return " <= ";
    case CompareOperator::kGt: return " > ";
    case CompareOperator::kGtE: return " >= ";
    case CompareOperator::kIs: return " is ";
    case CompareOperator::kIsNot: return " is not ";
    case CompareOperator::kIn: return " in ";
    case CompareOperator::kNotIn: return " not in ";
  }
  return " ? ";
}

class Unparser {
 public:
  Unparser() {
    _PyUnicodeWriter_Init(&writer_);
    writer_.min_length = 64;
    writer_.overallocate = 1;
  }
  ~Unparser() { _PyUnicodeWriter_Dealloc(&writer_); }
  Ref<> finish() {
    PyObject* text = _PyUnicodeWriter_Finish(&writer_);
    _PyUnicodeWriter_Init(&writer_);
    return Ref<>::steal(text);
  }

  bool put(const char* text) {
    return _PyUnicodeWriter_WriteASCIIString(&writer_, text, static_cast<Py_ssize_t>(std::strlen(text))) == 0;
  }
  bool put(PyObject* text) { return _PyUnicodeWriter_WriteStr(&writer_, text) == 0; }
  bool put_if(bool condition, const char* text) { return !condition || put(text); }

  bool list(const Seq<Expr*>& items, Level level) {
    for (int i = 0; i < items.count; i++) {
      if (!put_if(i > 0, ", ") || !expression(items[i], level)) return false;
    }
    return true;
  }

  bool argument(Arg* arg) {
    if (!put(arg->arg)) return false;
    return arg->annotation == nullptr || (put(": ") && expression(arg->annotation, kTest));
  }

  bool arguments(Arguments* a) {
    bool first = true;
    auto separate = [&] {
      const bool ok = put_if(!first, ", ");
      first = false;
      return ok;
    };
    const int positional = a->posonlyargs.count + a->args.count;
    for (int i = 0; i < positional; i++) {
      Arg* arg = i < a->posonlyargs.count ? a->posonlyargs[i] : a->args[i - a->posonlyargs.count];
      if (!separate() || !argument(arg)) return false;
      const int default_index = i - positional + a->defaults.count;
      if (default_index >= 0 && (!put("=") || !expression(a->defaults[default_index], kTest))) return false;
      if (i + 1 == a->posonlyargs.count && !put(", /")) return false;
    }
    if (a->vararg != nullptr || a->kwonlyargs.count > 0) {
      if (!separate() || !put("*") || (a->vararg != nullptr && !argument(a->vararg))) return false;
    }
    for (int i = 0; i < a->kwonlyargs.count; i++) {
      if (!separate() || !argument(a->kwonlyargs[i])) return false;
      if (a->kw_defaults[i] != nullptr && (!put("=") || !expression(a->kw_defaults[i], kTest))) return false;
    }
    if (a->kwarg != nullptr && (!separate() || !put("**") || !argument(a->kwarg))) return false;
    return true;
  }

  bool comprehensions(const Seq<Comprehension*>& generators) {
    for (Comprehension* clause : generators) {
      if (!put(clause->is_async ? " async for " : " for ") || !expression(clause->target, kTuple) || !put(" in ") ||
          !expression(clause->iter, static_cast<Level>(kTest + 1))) {
        return false;
      }
      for (Expr* test : clause->ifs) {
        if (!put(" if ") || !expression(test, static_cast<Level>(kTest + 1))) return false;
      }
    }
    return true;
  }
  bool comprehension(const char* open, Expr* element, const Seq<Comprehension*>& generators, const char* close) {
    return put(open) && expression(element, kTest) && comprehensions(generators) && put(close);
  }

  /// Numbers print as repr() does, with infinity as a literal that overflows.
  bool number_or_repr(PyObject* value) {
    auto text = Ref<>::steal(PyObject_Repr(value));
    if (!text) return false;
    if (PyFloat_CheckExact(value) || PyComplex_CheckExact(value)) {
      auto inf = Ref<>::steal(PyUnicode_FromString("inf"));
      auto literal = Ref<>::steal(PyUnicode_FromFormat("1e%d", 1 + DBL_MAX_10_EXP));
      if (!inf || !literal) return false;
      text = Ref<>::steal(PyUnicode_Replace(text.get(), inf.get(), literal.get(), -1));
      if (!text) return false;
    }
    return put(text.get());
  }
  bool constant(PyObject* value) {
    if (value == Py_Ellipsis) return put("...");
    if (!PyTuple_CheckExact(value)) return number_or_repr(value);
    const Py_ssize_t size = PyTuple_GET_SIZE(value);
    if (!put("(")) return false;
    for (Py_ssize_t i = 0; i < size; i++) {
      if (!put_if(i > 0, ", ") || !constant(PyTuple_GET_ITEM(value, i))) return false;
    }
    return put_if(size == 1, ",") && put(")");
  }

  /// The text between the quotes of an f-string, unescaped.
  static Ref<> format_body(const Seq<Expr*>& values) {
    Unparser body;
    for (Expr* value : values) {
      if (!body.format_piece(value)) return nullptr;
    }
    return body.finish();
  }
  bool format_piece(Expr* piece) {
    if (auto* text = as<node::Constant>(piece)) {
      Ref<> escaped = Ref<>::dup(text->value);
      for (const char* brace : {"{", "}"}) {
        auto once = Ref<>::steal(PyUnicode_FromString(brace));
        auto twice = once ? Ref<>::steal(PyUnicode_Concat(once.get(), once.get())) : Ref<>();
        if (!twice) return false;
        escaped = Ref<>::steal(PyUnicode_Replace(escaped.get(), once.get(), twice.get(), -1));
        if (!escaped) return false;
      }
      return put(escaped.get());
    }
    if (auto* joined = as<node::JoinedStr>(piece)) return joined_string(joined, true);
    if (auto* field = as<node::FormattedValue>(piece)) return formatted_value(field);
    PyErr_SetString(PyExc_SystemError, "unknown expression kind inside f-string");
    return false;
  }
  bool formatted_value(node::FormattedValue* field) {
    Unparser inner;
    // A lambda or conditional would end at its colon: it gets parentheses.
    if (!inner.expression(field->value, static_cast<Level>(kTest + 1))) return false;
    Ref<> text = inner.finish();
    if (!text) return false;
    const bool starts_with_brace = PyUnicode_GET_LENGTH(text.get()) > 0 && PyUnicode_READ_CHAR(text.get(), 0) == '{';
    if (!put(starts_with_brace ? "{ " : "{") || !put(text.get())) return false;
    if (field->conversion > 0) {
      const char conversion[] = {'!', static_cast<char>(field->conversion), '\0'};
      if (!put(conversion)) return false;
    }
    if (field->format_spec != nullptr && (!put(":") || !format_piece(field->format_spec))) return false;
    return put("}");
  }
  bool joined_string(node::JoinedStr* joined, bool inside) {
    Ref<> body = format_body(joined->values);
    if (!body) return false;
    if (inside) return put(body.get());
    auto quoted = Ref<>::steal(PyObject_Repr(body.get()));
    return quoted && put("f") && put(quoted.get());
  }

  bool call(node::Call* call) {
    if (!expression(call->func, kAtom)) return false;
    if (call->args.count == 1 && call->keywords.empty() && call->args[0]->kind == Kind::kGeneratorExp) {
      return expression(call->args[0], kTuple);  // its own parentheses are enough
    }
    if (!put("(") || !list(call->args, kTest)) return false;
    bool first = call->args.empty();
    for (Keyword* keyword : call->keywords) {
      if (!put_if(!first, ", ")) return false;
      first = false;
      if (keyword->arg == nullptr ? !put("**") : !put(keyword->arg) || !put("=")) return false;
      if (!expression(keyword->value, kTest)) return false;
    }
    return put(")");
  }

  bool parenthesised(bool needed, auto body) { return put_if(needed, "(") && body() && put_if(needed, ")"); }

  bool expression(Expr* e, Level level) {
    switch (e->kind) {
      case Kind::kBoolOp: {
        auto* n = cast<node::BoolOp>(e);
        const bool is_and = n->op == BoolOperator::kAnd;
        const Level own = is_and ? kAnd : kOr;
        return parenthesised(level > own, [&] {
          for (int i = 0; i < n->values.count; i++) {
            if (!put_if(i > 0, is_and ? " and " : " or ") || !expression(n->values[i], static_cast<Level>(own + 1))) return false;
          }
          return true;
        });
      }
      case Kind::kNamedExpr: {
        auto* n = cast<node::NamedExpr>(e);
        return parenthesised(level > kTuple, [&] {
          return expression(n->target, kAtom) && put(" := ") && expression(n->value, kAtom);
        });
      }
      case Kind::kBinOp: {
        auto* n = cast<node::BinOp>(e);
        const OperatorText op = text_of(n->op);
        const bool right_associative = n->op == Operator::kPow;
        return parenthesised(level > op.level, [&] {
          return expression(n->left, static_cast<Level>(op.level + right_associative)) && put(op.text) &&
                 expression(n->right, static_cast<Level>(op.level + !right_associative));
        });
      }
      case Kind::kUnaryOp: {
        auto* n = cast<node::UnaryOp>(e);
        const Level own = n->op == UnaryOperator::kNot ? kNot : kFactor;
        static const char* const texts[] = {"~", "not ", "+", "-"};
        return parenthesised(level > own, [&] { return put(texts[static_cast<int>(n->op)]) && expression(n->operand, own); });
      }
      case Kind::kLambda: {
        auto* n = cast<node::Lambda>(e);
        Arguments* a = n->args;
        // QUIRK: without positional parameters there is no space: "lambda*args: 0".
        const bool none = a->posonlyargs.empty() && a->args.empty();
        return parenthesised(level > kTest, [&] {
          return put(none ? "lambda" : "lambda ") && arguments(a) && put(": ") && expression(n->body, kTest);
        });
      }
      case Kind::kIfExp: {
        auto* n = cast<node::IfExp>(e);
        const Level tighter = static_cast<Level>(kTest + 1);
        return parenthesised(level > kTest, [&] {
          return expression(n->body, tighter) && put(" if ") && expression(n->test, tighter) && put(" else ") &&
                 expression(n->orelse, kTest);
        });
      }
      case Kind::kDict: {
        auto* n = cast<node::Dict>(e);
        if (!put("{")) return false;
        for (int i = 0; i < n->values.count; i++) {
          if (!put_if(i > 0, ", ")) return false;
          if (n->keys[i] != nullptr) {
            if (!expression(n->keys[i], kTest) || !put(": ") || !expression(n->values[i], kTest)) return false;
          } else if (!put("**") || !expression(n->values[i], kBitOr)) {
            return false;
          }
        }
        return put("}");
      }
      case Kind::kSet: return put("{") && list(cast<node::Set>(e)->elts, kTest) && put("}");
      case Kind::kGeneratorExp: return comprehension("(", cast<node::GeneratorExp>(e)->elt, cast<node::GeneratorExp>(e)->generators, ")");
      case Kind::kListComp: return comprehension("[", cast<node::ListComp>(e)->elt, cast<node::ListComp>(e)->generators, "]");
      case Kind::kSetComp: return comprehension("{", cast<node::SetComp>(e)->elt, cast<node::SetComp>(e)->generators, "}");
      case Kind::kDictComp: {
        auto* n = cast<node::DictComp>(e);
        return put("{") && expression(n->key, kTest) && put(": ") && expression(n->value, kTest) &&
               comprehensions(n->generators) && put("}");
      }
      case Kind::kYield: {
        auto* n = cast<node::Yield>(e);
        if (n->value == nullptr) return put("(yield)");
        return put("(yield ") && expression(n->value, kTest) && put(")");
      }
      case Kind::kYieldFrom: return put("(yield from ") && expression(cast<node::YieldFrom>(e)->value, kTest) && put(")");
      case Kind::kAwait:
        return parenthesised(level > kAwait, [&] { return put("await ") && expression(cast<node::Await>(e)->value, kAtom); });
      case Kind::kCompare: {
        auto* n = cast<node::Compare>(e);
        const Level tighter = static_cast<Level>(kCompare + 1);
        return parenthesised(level > kCompare, [&] {
          if (!expression(n->left, tighter)) return false;
          for (int i = 0; i < n->ops.count; i++) {
            if (!put(text_of(n->ops[i])) || !expression(n->comparators[i], tighter)) return false;
          }
          return true;
        });
      }
      case Kind::kCall: return call(cast<node::Call>(e));
      case Kind::kConstant: {
        auto* n = cast<node::Constant>(e);
        return (n->kind == nullptr || put(n->kind)) && constant(n->value);
      }
      case Kind::kJoinedStr: return joined_string(cast<node::JoinedStr>(e), false);
      case Kind::kFormattedValue: return formatted_value(cast<node::FormattedValue>(e));
      case Kind::kAttribute: {
        auto* n = cast<node::Attribute>(e);
        auto* value = as<node::Constant>(n->value);
        // "1 .real": without the space the point would belong to the number.
        const bool needs_space = value != nullptr && PyLong_CheckExact(value->value);
        return expression(n->value, kAtom) && put(needs_space ? " ." : ".") && put(n->attr);
      }
      case Kind::kStarred: return put("*") && expression(cast<node::Starred>(e)->value, kBitOr);
      case Kind::kName: return put(cast<node::Name>(e)->id);
      case Kind::kList: return put("[") && list(cast<node::List>(e)->elts, kTest) && put("]");
      case Kind::kTuple: {
        auto* n = cast<node::Tuple>(e);
        if (n->elts.empty()) return put("()");
        return parenthesised(level > kTuple, [&] { return list(n->elts, kTest) && put_if(n->elts.count == 1, ","); });
      }
      case Kind::kSubscript: {
        auto* n = cast<node::Subscript>(e);
        return expression(n->value, kAtom) && put("[") && expression(n->slice, kTuple) && put("]");
      }
      case Kind::kSlice: {
        auto* n = cast<node::Slice>(e);
        if (n->lower != nullptr && !expression(n->lower, kTest)) return false;
        if (!put(":") || (n->upper != nullptr && !expression(n->upper, kTest))) return false;
        return n->step == nullptr || (put(":") && expression(n->step, kTest));
      }
      default: break;
    }
    PyErr_SetString(PyExc_SystemError, "unknown expression kind");
    return false;
  }

 private:
  _PyUnicodeWriter writer_;
};

}  // namespace

Ref<> unparse_expression(Expr* expression) {
  Unparser unparser;
  if (!unparser.expression(expression, kTest)) return nullptr;
  return unparser.finish();
}

}  // namespace pyston
