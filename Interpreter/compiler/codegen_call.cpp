// Code generation for calls: plain, method, keyword and unpacking calls.
#include "Interpreter/compiler/codegen.h"

namespace pyston {

using namespace ast;

namespace {

/// New tuple of keyword names.
PyObject* keyword_names(const Seq<Keyword*>& keywords, int begin, int end) {
  PyObject* names = PyTuple_New(end - begin);
  if (names == nullptr) return nullptr;
  for (int i = begin; i < end; i++) PyTuple_SET_ITEM(names, i - begin, Py_NewRef(keywords[i]->arg));
  return names;
}

bool has_unpacking(const Seq<Expr*>& args, const Seq<Keyword*>& keywords) {
  for (Expr* arg : args) {
    if (arg->kind == Kind::kStarred) return true;
  }
  for (Keyword* keyword : keywords) {
    if (keyword->arg == nullptr) return true;
  }
  return false;
}

}  // namespace

bool Compiler::validate_keywords(const Seq<Keyword*>& keywords) {
  for (int i = 0; i < keywords.size(); i++) {
    PyObject* name = keywords[i]->arg;
    if (name == nullptr) continue;
    if (is_forbidden_name(name, ExprContext::kStore)) return false;
    for (int j = i + 1; j < keywords.size(); j++) {
      PyObject* other = keywords[j]->arg;
      if (other != nullptr && (name == other || PyUnicode_Compare(name, other) == 0)) {
        set_position_of(keywords[j]);
        return error("keyword argument repeated: %U", name);
      }
    }
  }
  return true;
}

bool Compiler::visit_call(node::Call* node) {
  if (!validate_keywords(node->keywords)) return false;
  bool handled = false;
  if (!visit_method_call(node, handled)) return false;
  if (handled) return true;
  if (!check_called(node->func)) return false;
  set_position_of(node->func);
  emit(PUSH_NULL);
  set_position_of(node);
  return visit(node->func) && emit_call(0, node->args, node->keywords);
}

/// `value.name(...)` without unpacking: LOAD_METHOD spares the bound method.
bool Compiler::visit_method_call(node::Call* node, bool& handled) {
  auto* method = as<node::Attribute>(node->func);
  if (method == nullptr || method->ctx != ExprContext::kLoad) return true;
  // A function of an imported module is no method: the global lookup is cached better by LOAD_ATTR.
  auto* owner = as<node::Name>(method->value);
  if (owner != nullptr && (table_.top()->flags_of(owner->id) & DEF_IMPORT)) return true;
  const int args = node->args.size();
  const int keywords = node->keywords.size();
  if (args + keywords + (keywords != 0) >= kStackUseGuideline || has_unpacking(node->args, node->keywords)) return true;
  handled = true;
  if (!visit(method->value)) return false;
  PositionGuard guard(unit());
  set_position_of(method);
  match_attribute_start(method);
  if (!emit_name(LOAD_METHOD, method->attr)) return false;
  if (!visit_all(node->args)) return false;
  if (keywords > 0) {
    for (Keyword* keyword : node->keywords) {
      if (!visit(keyword->value)) return false;
    }
    if (!emit_keyword_names(node->keywords)) return false;
  }
  set_position_of(node);
  match_attribute_start(method);
  emit_precall(args + keywords);
  return true;
}

bool Compiler::emit_keyword_names(const Seq<Keyword*>& keywords) {
  Ref<> names = Ref<>::steal(keyword_names(keywords, 0, keywords.size()));
  if (!names) return false;
  const int index = constant_index(names.get());
  if (index < 0) return false;
  emit(KW_NAMES, index);
  return true;
}

/// The callable and `pushed` arguments are on the stack.
bool Compiler::emit_call(int pushed, const Seq<Expr*>& args, const Seq<Keyword*>& keywords) {
  if (!validate_keywords(keywords)) return false;
  if (args.size() + keywords.size() * 2 > kStackUseGuideline || has_unpacking(args, keywords)) {
    return emit_call_with_unpacking(pushed, args, keywords);
  }
  if (!visit_all(args)) return false;
  if (!keywords.empty()) {
    for (Keyword* keyword : keywords) {
      if (!visit(keyword->value)) return false;
    }
    if (!emit_keyword_names(keywords)) return false;
  }
  emit_precall(pushed + args.size() + keywords.size());
  return true;
}

bool Compiler::build_keyword_dict(const Seq<Keyword*>& keywords, int begin, int end) {
  const int count = end - begin;
  const bool big = count * 2 > kStackUseGuideline;
  if (count > 1 && !big) {
    for (int i = begin; i < end; i++) {
      if (!visit(keywords[i]->value)) return false;
    }
    if (!emit_new_constant(keyword_names(keywords, begin, end))) return false;
    emit(BUILD_CONST_KEY_MAP, count);
    return true;
  }
  if (big) emit_without_line(BUILD_MAP, 0);
  for (int i = begin; i < end; i++) {
    if (!emit_constant(keywords[i]->arg) || !visit(keywords[i]->value)) return false;
    if (big) emit_without_line(MAP_ADD, 1);
  }
  if (!big) emit(BUILD_MAP, count);
  return true;
}

bool Compiler::emit_call_with_unpacking(int pushed, const Seq<Expr*>& args, const Seq<Keyword*>& keywords) {
  if (pushed == 0 && args.size() == 1 && args[0]->kind == Kind::kStarred) {
    if (!visit(cast<node::Starred>(args[0])->value)) return false;  // the iterable itself will do
  } else if (!build_unpacked(args, pushed, BUILD_LIST, LIST_APPEND, LIST_EXTEND, true)) {
    return false;
  }
  if (!keywords.empty()) {
    bool has_dict = false;
    int waiting = 0;
    auto flush = [&](int end) {
      if (!build_keyword_dict(keywords, end - waiting, end)) return false;
      if (has_dict) emit(DICT_MERGE, 1);
      has_dict = true;
      waiting = 0;
      return true;
    };
    for (int i = 0; i < keywords.size(); i++) {
      if (keywords[i]->arg != nullptr) {
        waiting++;
        continue;
      }
      if (waiting > 0 && !flush(i)) return false;
      if (!has_dict) emit(BUILD_MAP, 0);
      has_dict = true;
      if (!visit(keywords[i]->value)) return false;
      emit(DICT_MERGE, 1);
    }
    if (waiting > 0 && !flush(keywords.size())) return false;
  }
  emit(CALL_FUNCTION_EX, keywords.empty() ? 0 : 1);
  return true;
}

}  // namespace pyston
