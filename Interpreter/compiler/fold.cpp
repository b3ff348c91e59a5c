// Constant folding on the tree, before code generation.
//
// Folds operators, tuples and subscripts over constants, `__debug__`, negated identity and membership tests, literal
// lists and sets that are only iterated or searched, and "%s"-style formatting into an f-string.
// INVARIANT: folds exactly what CPython 3.11 folds (its size limits included): constants are visible in co_consts.
// A fold that fails at compile time (1/0) is left to fail at run time.
#include <cstring>

#include "Interpreter/compiler/compiler.h"
#include "Interpreter/compiler/symtable.h"

namespace pyston {

using namespace ast;

namespace {

constexpr size_t kMaxIntegerBits = 128;
constexpr Py_ssize_t kMaxCollectionSize = 256;
constexpr Py_ssize_t kMaxStringSize = 4096;
constexpr Py_ssize_t kMaxTotalItems = 1024;

Position nowhere() { return {-1, -1, -1, -1}; }

/// What is left of `limit` after counting the items of nested tuples and frozensets; negative when exceeded.
Py_ssize_t charge_items(PyObject* object, Py_ssize_t limit) {
  if (PyTuple_Check(object)) {
    const Py_ssize_t size = PyTuple_GET_SIZE(object);
    limit -= size;
    for (Py_ssize_t i = 0; limit >= 0 && i < size; i++) limit = charge_items(PyTuple_GET_ITEM(object, i), limit);
  } else if (PyFrozenSet_Check(object)) {
    limit -= PySet_GET_SIZE(object);
    Py_ssize_t position = 0;
    PyObject* item;
    Py_hash_t hash;
    while (limit >= 0 && _PySet_NextEntry(object, &position, &item, &hash)) limit = charge_items(item, limit);
  }
  return limit;
}

bool is_nonzero_int(PyObject* object) { return PyLong_Check(object) && Py_SIZE(object) != 0; }

// The limited operations give null without an exception when the result would be too big to be worth storing.

PyObject* multiply_limited(PyObject* left, PyObject* right) {
  if (is_nonzero_int(left) && is_nonzero_int(right)) {
    const size_t left_bits = _PyLong_NumBits(left);
    const size_t right_bits = _PyLong_NumBits(right);
    if (left_bits > kMaxIntegerBits || right_bits > kMaxIntegerBits || left_bits + right_bits > kMaxIntegerBits) {
      return nullptr;
    }
  } else if (PyLong_Check(left) && (PyTuple_Check(right) || PyFrozenSet_Check(right))) {
    const Py_ssize_t size = PyTuple_Check(right) ? PyTuple_GET_SIZE(right) : PySet_GET_SIZE(right);
    if (size != 0) {
      const long count = PyLong_AsLong(left);
      if (count < 0 || count > kMaxCollectionSize / size) return nullptr;
      if (count != 0 && charge_items(right, kMaxTotalItems / count) < 0) return nullptr;
    }
  } else if (PyLong_Check(left) && (PyUnicode_Check(right) || PyBytes_Check(right))) {
    const Py_ssize_t size = PyUnicode_Check(right) ? PyUnicode_GET_LENGTH(right) : PyBytes_GET_SIZE(right);
    if (size != 0) {
      const long count = PyLong_AsLong(left);
      if (count < 0 || count > kMaxStringSize / size) return nullptr;
    }
  } else if (PyLong_Check(right) && (PyTuple_Check(left) || PyFrozenSet_Check(left) || PyUnicode_Check(left) ||
                                     PyBytes_Check(left))) {
    return multiply_limited(right, left);
  }
  return PyNumber_Multiply(left, right);
}

PyObject* power_limited(PyObject* base, PyObject* exponent) {
  if (is_nonzero_int(base) && PyLong_Check(exponent) && Py_SIZE(exponent) > 0) {
    const size_t bits = _PyLong_NumBits(base);
    const size_t times = PyLong_AsSize_t(exponent);
    if (times == static_cast<size_t>(-1) || bits > kMaxIntegerBits / times) return nullptr;
  }
  return PyNumber_Power(base, exponent, Py_None);
}

PyObject* shift_left_limited(PyObject* value, PyObject* count) {
  if (is_nonzero_int(value) && is_nonzero_int(count)) {
    const size_t bits = _PyLong_NumBits(value);
    const size_t shift = PyLong_AsSize_t(count);
    if (shift == static_cast<size_t>(-1) || shift > kMaxIntegerBits || bits > kMaxIntegerBits - shift) return nullptr;
  }
  return PyNumber_Lshift(value, count);
}

PyObject* remainder_limited(PyObject* left, PyObject* right) {
  if (PyUnicode_Check(left) || PyBytes_Check(left)) return nullptr;  // formatting may be slow or have effects
  return PyNumber_Remainder(left, right);
}

PyObject* logical_not(PyObject* value) {
  const int truth = PyObject_IsTrue(value);
  return truth < 0 ? nullptr : PyBool_FromLong(truth == 0);
}

bool has_starred(const Seq<Expr*>& elements) {
  for (Expr* element : elements) {
    if (element->kind == Kind::kStarred) return true;
  }
  return false;
}

class Folder {
 public:
  Folder(Arena& arena, int optimize, int future_features)
      : arena_(arena),
        optimize_(optimize),
        keeps_annotations_((future_features & CO_FUTURE_ANNOTATIONS) != 0),
        budget_(RecursionBudget::start()) {}

  bool run(Mod* tree) {
    switch (tree->kind) {
      case Kind::kModule: return fold_body(cast<node::Module>(tree)->body);
      case Kind::kInteractive: return fold_all(cast<node::Interactive>(tree)->body);
      case Kind::kExpression: return fold(cast<node::Expression>(tree)->body);
      default: return true;
    }
  }

 private:
  // Replaces `slot` by a constant (steals `value`). A null value is a fold that didn't work out, which is fine.
  bool replace(Expr*& slot, PyObject* value) {
    if (value == nullptr) {
      if (PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) return false;
        PyErr_Clear();
      }
      return true;
    }
    arena_.keep(value);
    auto* constant = make<node::Constant>(slot->position);
    if (constant == nullptr) return false;
    constant->value = value;
    slot = constant;
    return true;
  }

  template <class T>
  T* make(const Position& position) {
    T* result = arena_.make<T>();
    if (result != nullptr) {
      static_cast<Node*>(result)->kind = T::kKind;
      result->position = position;
    }
    return result;
  }

  template <class T>
  bool fold_all(const Seq<T*>& nodes) {
    for (T*& item : nodes) {
      if (item != nullptr && !fold(item)) return false;
    }
    return true;
  }
  template <class T>
  bool fold_optional(T*& item) {
    return item == nullptr || fold(item);
  }

  static bool starts_with_docstring(const Seq<Stmt*>& body) {
    if (body.empty()) return false;
    auto* statement = as<node::ExprStmt>(body[0]);
    if (statement == nullptr) return false;
    auto* constant = as<node::Constant>(statement->value);
    return constant != nullptr && PyUnicode_CheckExact(constant->value);
  }

  bool fold_body(const Seq<Stmt*>& body) {
    const bool had_docstring = starts_with_docstring(body);
    if (!fold_all(body)) return false;
    if (!had_docstring && starts_with_docstring(body)) {
      // "a" + "b" is no docstring: hide the folded constant in an f-string.
      auto* statement = cast<node::ExprStmt>(body[0]);
      auto* joined = make<node::JoinedStr>(statement->position);
      if (joined == nullptr) return false;
      joined->values = arena_.sequence<Expr*>(1);
      if (joined->values.empty()) return false;
      joined->values[0] = statement->value;
      statement->value = joined;
    }
    return true;
  }

  // Statements.

  bool fold(Stmt*& stmt) {
    RecursionLevel level(budget_);
    if (!level.ok()) return false;
    switch (stmt->kind) {
      case Kind::kFunctionDef: return fold_function(cast<node::FunctionDef>(stmt));
      case Kind::kAsyncFunctionDef: return fold_function(cast<node::AsyncFunctionDef>(stmt));
      case Kind::kClassDef: {
        auto* node = cast<node::ClassDef>(stmt);
        return fold_all(node->bases) && fold_all(node->keywords) && fold_body(node->body) &&
               fold_all(node->decorator_list);
      }
      case Kind::kReturn: return fold_optional(cast<node::Return>(stmt)->value);
      case Kind::kDelete: return fold_all(cast<node::Delete>(stmt)->targets);
      case Kind::kAssign: {
        auto* node = cast<node::Assign>(stmt);
        return fold_all(node->targets) && fold(node->value);
      }
      case Kind::kAugAssign: {
        auto* node = cast<node::AugAssign>(stmt);
        return fold(node->target) && fold(node->value);
      }
      case Kind::kAnnAssign: {
        auto* node = cast<node::AnnAssign>(stmt);
        return fold(node->target) && (keeps_annotations_ || fold(node->annotation)) && fold_optional(node->value);
      }
      case Kind::kFor: {
        auto* node = cast<node::For>(stmt);
        return fold(node->target) && fold(node->iter) && fold_all(node->body) && fold_all(node->orelse) &&
               fold_iterable(node->iter);
      }
      case Kind::kAsyncFor: {
        auto* node = cast<node::AsyncFor>(stmt);
        return fold(node->target) && fold(node->iter) && fold_all(node->body) && fold_all(node->orelse);
      }
      case Kind::kWhile: {
        auto* node = cast<node::While>(stmt);
        return fold(node->test) && fold_all(node->body) && fold_all(node->orelse);
      }
      case Kind::kIf: {
        auto* node = cast<node::If>(stmt);
        return fold(node->test) && fold_all(node->body) && fold_all(node->orelse);
      }
      case Kind::kWith: return fold_with(cast<node::With>(stmt));
      case Kind::kAsyncWith: return fold_with(cast<node::AsyncWith>(stmt));
      case Kind::kMatch: return fold_match(cast<node::Match>(stmt));
      case Kind::kRaise: {
        auto* node = cast<node::Raise>(stmt);
        return fold_optional(node->exc) && fold_optional(node->cause);
      }
      case Kind::kTry: return fold_try(cast<node::Try>(stmt));
      case Kind::kTryStar: return fold_try(cast<node::TryStar>(stmt));
      case Kind::kAssert: {
        auto* node = cast<node::Assert>(stmt);
        return fold(node->test) && fold_optional(node->msg);
      }
      case Kind::kExprStmt: return fold(cast<node::ExprStmt>(stmt)->value);
      default: return true;
    }
  }

  template <class FunctionNode>
  bool fold_function(FunctionNode* node) {
    return fold(node->args) && fold_body(node->body) && fold_all(node->decorator_list) &&
           (keeps_annotations_ || fold_optional(node->returns));
  }
  template <class WithNode>
  bool fold_with(WithNode* node) {
    for (WithItem* item : node->items) {
      if (!fold(item->context_expr) || !fold_optional(item->optional_vars)) return false;
    }
    return fold_all(node->body);
  }
  template <class TryNode>
  bool fold_try(TryNode* node) {
    if (!fold_all(node->body)) return false;
    for (ExceptHandler* handler : node->handlers) {
      auto* clause = cast<node::ExceptHandlerClause>(handler);
      if (!fold_optional(clause->type) || !fold_all(clause->body)) return false;
    }
    return fold_all(node->orelse) && fold_all(node->finalbody);
  }

  bool fold_match(node::Match* node) {
    if (!fold(node->subject)) return false;
    for (MatchCase* match_case : node->cases) {
      if (!fold(match_case->pattern) || !fold_optional(match_case->guard) || !fold_all(match_case->body)) return false;
    }
    return true;
  }

  bool fold(Pattern*& pattern) {
    RecursionLevel level(budget_);
    if (!level.ok()) return false;
    switch (pattern->kind) {
      case Kind::kMatchValue: return fold(cast<node::MatchValue>(pattern)->value);
      case Kind::kMatchSequence: return fold_all(cast<node::MatchSequence>(pattern)->patterns);
      case Kind::kMatchMapping: {
        auto* node = cast<node::MatchMapping>(pattern);
        return fold_all(node->keys) && fold_all(node->patterns);
      }
      case Kind::kMatchClass: {
        auto* node = cast<node::MatchClass>(pattern);
        return fold(node->cls) && fold_all(node->patterns) && fold_all(node->kwd_patterns);
      }
      case Kind::kMatchAs: return fold_optional(cast<node::MatchAs>(pattern)->pattern);
      case Kind::kMatchOr: return fold_all(cast<node::MatchOr>(pattern)->patterns);
      default: return true;
    }
  }

  bool fold_annotation(Arg* parameter) {
    return parameter == nullptr || keeps_annotations_ || fold_optional(parameter->annotation);
  }
  bool fold(ast::Arguments*& args) {
    for (const Seq<Arg*>* parameters : {&args->posonlyargs, &args->args, &args->kwonlyargs}) {
      for (Arg* parameter : *parameters) {
        if (!fold_annotation(parameter)) return false;
      }
    }
    return fold_annotation(args->vararg) && fold_annotation(args->kwarg) && fold_all(args->kw_defaults) &&
           fold_all(args->defaults);
  }

  bool fold(Keyword*& keyword) { return fold(keyword->value); }
  bool fold(Comprehension*& generator) {
    return fold(generator->target) && fold(generator->iter) && fold_all(generator->ifs) &&
           fold_iterable(generator->iter);
  }

  // Expressions.

  bool fold(Expr*& expr) {
    RecursionLevel level(budget_);
    if (!level.ok()) return false;
    switch (expr->kind) {
      case Kind::kBoolOp: return fold_all(cast<node::BoolOp>(expr)->values);
      case Kind::kNamedExpr: return fold(cast<node::NamedExpr>(expr)->value);
      case Kind::kBinOp: {
        auto* node = cast<node::BinOp>(expr);
        return fold(node->left) && fold(node->right) && fold_binary(expr, node);
      }
      case Kind::kUnaryOp: {
        auto* node = cast<node::UnaryOp>(expr);
        return fold(node->operand) && fold_unary(expr, node);
      }
      case Kind::kLambda: {
        auto* node = cast<node::Lambda>(expr);
        return fold(node->args) && fold(node->body);
      }
      case Kind::kIfExp: {
        auto* node = cast<node::IfExp>(expr);
        return fold(node->test) && fold(node->body) && fold(node->orelse);
      }
      case Kind::kDict: {
        auto* node = cast<node::Dict>(expr);
        return fold_all(node->keys) && fold_all(node->values);
      }
      case Kind::kSet: return fold_all(cast<node::Set>(expr)->elts);
      case Kind::kListComp: {
        auto* node = cast<node::ListComp>(expr);
        return fold(node->elt) && fold_all(node->generators);
      }
      case Kind::kSetComp: {
        auto* node = cast<node::SetComp>(expr);
        return fold(node->elt) && fold_all(node->generators);
      }
      case Kind::kGeneratorExp: {
        auto* node = cast<node::GeneratorExp>(expr);
        return fold(node->elt) && fold_all(node->generators);
      }
      case Kind::kDictComp: {
        auto* node = cast<node::DictComp>(expr);
        return fold(node->key) && fold(node->value) && fold_all(node->generators);
      }
      case Kind::kAwait: return fold(cast<node::Await>(expr)->value);
      case Kind::kYield: return fold_optional(cast<node::Yield>(expr)->value);
      case Kind::kYieldFrom: return fold(cast<node::YieldFrom>(expr)->value);
      case Kind::kCompare: return fold_compare(cast<node::Compare>(expr));
      case Kind::kCall: {
        auto* node = cast<node::Call>(expr);
        return fold(node->func) && fold_all(node->args) && fold_all(node->keywords);
      }
      case Kind::kFormattedValue: {
        auto* node = cast<node::FormattedValue>(expr);
        return fold(node->value) && fold_optional(node->format_spec);
      }
      case Kind::kJoinedStr: return fold_all(cast<node::JoinedStr>(expr)->values);
      case Kind::kAttribute: return fold(cast<node::Attribute>(expr)->value);
      case Kind::kSubscript: {
        auto* node = cast<node::Subscript>(expr);
        return fold(node->value) && fold(node->slice) && fold_subscript(expr, node);
      }
      case Kind::kStarred: return fold(cast<node::Starred>(expr)->value);
      case Kind::kList: return fold_all(cast<node::List>(expr)->elts);
      case Kind::kTuple: return fold_all(cast<node::Tuple>(expr)->elts) && fold_tuple(expr);
      case Kind::kSlice: {
        auto* node = cast<node::Slice>(expr);
        return fold_optional(node->lower) && fold_optional(node->upper) && fold_optional(node->step);
      }
      case Kind::kName: {
        auto* node = cast<node::Name>(expr);
        if (node->ctx == ExprContext::kLoad && _PyUnicode_EqualToASCIIString(node->id, "__debug__")) {
          return replace(expr, PyBool_FromLong(optimize_ == 0));
        }
        return true;
      }
      default: return true;
    }
  }

  static PyObject* constant_value(Expr* expr) {
    auto* constant = as<node::Constant>(expr);
    return constant == nullptr ? nullptr : constant->value;
  }

  bool fold_unary(Expr*& slot, node::UnaryOp* node) {
    PyObject* value = constant_value(node->operand);
    if (value != nullptr) {
      switch (node->op) {
        case UnaryOperator::kInvert: return replace(slot, PyNumber_Invert(value));
        case UnaryOperator::kNot: return replace(slot, logical_not(value));
        case UnaryOperator::kUAdd: return replace(slot, PyNumber_Positive(value));
        case UnaryOperator::kUSub: return replace(slot, PyNumber_Negative(value));
      }
    }
    auto* compare = as<node::Compare>(node->operand);
    if (node->op == UnaryOperator::kNot && compare != nullptr && compare->ops.size() == 1) {
      CompareOperator& op = compare->ops[0];
      switch (op) {  // the other comparisons may be overloaded inconsistently
        case CompareOperator::kIs: op = CompareOperator::kIsNot; break;
        case CompareOperator::kIsNot: op = CompareOperator::kIs; break;
        case CompareOperator::kIn: op = CompareOperator::kNotIn; break;
        case CompareOperator::kNotIn: op = CompareOperator::kIn; break;
        default: return true;
      }
      slot = compare;
    }
    return true;
  }

  bool fold_binary(Expr*& slot, node::BinOp* node) {
    PyObject* left = constant_value(node->left);
    if (left == nullptr) return true;
    if (node->op == Operator::kMod_ && node->right->kind == Kind::kTuple && PyUnicode_Check(left)) {
      auto* values = cast<node::Tuple>(node->right);
      if (!has_starred(values->elts)) return fold_format(slot, left, values->elts);
    }
    PyObject* right = constant_value(node->right);
    if (right == nullptr) return true;
    switch (node->op) {
      case Operator::kAdd: return replace(slot, PyNumber_Add(left, right));
      case Operator::kSub: return replace(slot, PyNumber_Subtract(left, right));
      case Operator::kMult: return replace(slot, multiply_limited(left, right));
      case Operator::kMatMult: return true;  // no constant has it
      case Operator::kDiv: return replace(slot, PyNumber_TrueDivide(left, right));
      case Operator::kMod_: return replace(slot, remainder_limited(left, right));
      case Operator::kPow: return replace(slot, power_limited(left, right));
      case Operator::kLShift: return replace(slot, shift_left_limited(left, right));
      case Operator::kRShift: return replace(slot, PyNumber_Rshift(left, right));
      case Operator::kBitOr: return replace(slot, PyNumber_Or(left, right));
      case Operator::kBitXor: return replace(slot, PyNumber_Xor(left, right));
      case Operator::kBitAnd: return replace(slot, PyNumber_And(left, right));
      case Operator::kFloorDiv: return replace(slot, PyNumber_FloorDivide(left, right));
    }
    return true;
  }

  bool fold_subscript(Expr*& slot, node::Subscript* node) {
    PyObject* value = constant_value(node->value);
    PyObject* index = constant_value(node->slice);
    if (node->ctx != ExprContext::kLoad || value == nullptr || index == nullptr) return true;
    return replace(slot, PyObject_GetItem(value, index));
  }

  /// New tuple of the values, null without an exception when an element isn't constant.
  static PyObject* constant_tuple(const Seq<Expr*>& elements) {
    for (Expr* element : elements) {
      if (element->kind != Kind::kConstant) return nullptr;
    }
    PyObject* tuple = PyTuple_New(elements.size());
    if (tuple == nullptr) return nullptr;
    for (int i = 0; i < elements.size(); i++) {
      PyTuple_SET_ITEM(tuple, i, Py_NewRef(cast<node::Constant>(elements[i])->value));
    }
    return tuple;
  }

  bool fold_tuple(Expr*& slot) {
    auto* node = cast<node::Tuple>(slot);
    return node->ctx != ExprContext::kLoad || replace(slot, constant_tuple(node->elts));
  }

  /// A literal that is only iterated over or searched needn't be mutable.
  bool fold_iterable(Expr*& slot) {
    if (auto* list = as<node::List>(slot)) {
      if (has_starred(list->elts)) return true;
      auto* tuple = make<node::Tuple>(list->position);
      if (tuple == nullptr) return false;
      tuple->elts = list->elts;
      tuple->ctx = list->ctx;
      slot = tuple;
      return fold_tuple(slot);
    }
    if (auto* set = as<node::Set>(slot)) {
      PyObject* tuple = constant_tuple(set->elts);
      if (tuple == nullptr) return replace(slot, nullptr);
      PyObject* frozen = PyFrozenSet_New(tuple);
      Py_DECREF(tuple);
      return replace(slot, frozen);
    }
    return true;
  }

  bool fold_compare(node::Compare* node) {
    if (!fold(node->left) || !fold_all(node->comparators)) return false;
    const CompareOperator last = node->ops.back();
    if (last == CompareOperator::kIn || last == CompareOperator::kNotIn) return fold_iterable(node->comparators.back());
    return true;
  }

  // "%s and %r" % (a, b) becomes f"{a!s} and {b!r}".

  static constexpr int kMaxFormatDigits = 3;

  struct FormatUnit {
    Py_UCS4 conversion;
    bool left_justified = false;
    int width = -1;
    int precision = -1;
  };

  /// Reads flags, width, precision and conversion; false for what an f-string can't say (no exception).
  static bool parse_format_unit(PyObject* format, Py_ssize_t& position, FormatUnit& unit) {
    const Py_ssize_t length = PyUnicode_GET_LENGTH(format);
    Py_UCS4 c = 0;
    auto next = [&] {
      if (position >= length) return false;
      c = PyUnicode_READ_CHAR(format, position++);
      return true;
    };
    auto number = [&](int& value) {
      value = 0;
      int digits = 0;
      while (c >= '0' && c <= '9') {
        value = value * 10 + static_cast<int>(c - '0');
        if (!next() || ++digits >= kMaxFormatDigits) return false;
      }
      return true;
    };
    do {
      if (!next()) return false;
      if (c == '-') unit.left_justified = true;
    } while (c == '-' || c == '+' || c == ' ' || c == '#' || c == '0');
    if (c >= '0' && c <= '9' && !number(unit.width)) return false;
    if (c == '.') {
      if (!next() || !number(unit.precision)) return false;
    }
    unit.conversion = c;
    return c == 's' || c == 'r' || c == 'a';
  }

  Expr* make_string(PyObject* text) {  // steals; null on error
    if (arena_.keep(text) == nullptr) return nullptr;
    auto* constant = make<node::Constant>(nowhere());
    if (constant != nullptr) constant->value = text;
    return constant;
  }

  /// The literal text up to the next conversion, null without an exception when there is none.
  Expr* parse_literal(PyObject* format, Py_ssize_t& position) {
    const Py_ssize_t start = position;
    const Py_ssize_t length = PyUnicode_GET_LENGTH(format);
    bool has_percents = false;
    while (position < length) {
      if (PyUnicode_READ_CHAR(format, position) != '%') {
        position++;
      } else if (position + 1 < length && PyUnicode_READ_CHAR(format, position + 1) == '%') {
        has_percents = true;
        position += 2;
      } else {
        break;
      }
    }
    if (position == start) return nullptr;
    PyObject* text = PyUnicode_Substring(format, start, position);
    if (text != nullptr && has_percents) {
      Ref<> doubled = Ref<>::steal(PyUnicode_FromString("%%"));
      Ref<> single = Ref<>::steal(PyUnicode_FromString("%"));
      PyObject* replaced = doubled && single ? PyUnicode_Replace(text, doubled.get(), single.get(), -1) : nullptr;
      Py_DECREF(text);
      text = replaced;
    }
    return make_string(text);
  }

  bool fold_format(Expr*& slot, PyObject* format, const Seq<Expr*>& values) {
    const Position position = slot->position;
    Seq<Expr*> parts = arena_.sequence<Expr*>(values.size() * 2 + 1);
    if (parts.empty()) return false;
    int part_count = 0;
    int value_count = 0;
    for (Py_ssize_t index = 0;;) {
      Expr* literal = parse_literal(format, index);
      if (literal != nullptr) {
        parts[part_count++] = literal;
      } else if (PyErr_Occurred()) {
        return false;
      }
      if (index >= PyUnicode_GET_LENGTH(format)) break;
      if (value_count >= values.size()) return true;
      index++;  // the '%'
      FormatUnit unit;
      if (!parse_format_unit(format, index, unit)) return true;
      Expr* value = values[value_count++];
      auto* formatted = make<node::FormattedValue>(value->position);
      if (formatted == nullptr) return false;
      formatted->value = value;
      formatted->conversion = static_cast<int>(unit.conversion);
      char spec[16];
      int length = 0;
      if (!unit.left_justified && unit.width > 0) spec[length++] = '>';
      if (unit.width >= 0) length += snprintf(spec + length, sizeof spec - length, "%d", unit.width);
      if (unit.precision >= 0) length += snprintf(spec + length, sizeof spec - length, ".%d", unit.precision);
      if (length > 0) {
        formatted->format_spec = make_string(PyUnicode_FromStringAndSize(spec, length));
        if (formatted->format_spec == nullptr) return false;
      }
      parts[part_count++] = formatted;
    }
    if (value_count < values.size()) return true;
    auto* joined = make<node::JoinedStr>(position);
    if (joined == nullptr) return false;
    parts.count = part_count;
    joined->values = parts;
    slot = joined;
    return true;
  }

  Arena& arena_;
  int optimize_;
  bool keeps_annotations_;  // they become strings, so must stay as written
  RecursionBudget budget_;
};

}  // namespace

Status fold_constants(Mod* tree, Arena& arena, int optimize, int future_features) {
  Folder folder(arena, optimize, future_features);
  return folder.run(tree) ? Status::kOk : Status::kError;
}

}  // namespace pyston
