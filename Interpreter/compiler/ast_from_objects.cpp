// Objects of module `ast` to trees of arena nodes. The inverse of ast_to_objects.cpp, generated from nodes.def too;
// users hand in what they like, so every attribute is looked up and checked.
#include "Interpreter/compiler/ast_types.h"
#include "Interpreter/compiler/parser.h"

#include <cstring>

#include "internal/pycore_ceval.h"

namespace pyston {

using namespace ast;

namespace {

struct FromObjects {
  const AstTypes& types;
  Arena& arena;

  template <class T>
  T* fail() {
    return nullptr;
  }

  /// The attribute's value; null and no exception when it is missing.
  static bool look_up(PyObject* object, const char* name, Ref<>& value) {
    PyObject* attribute;
    auto key = Ref<>::steal(PyUnicode_InternFromString(name));
    if (!key || _PyObject_LookupAttr(object, key.get(), &attribute) < 0) return false;
    value = Ref<>::steal(attribute);
    return true;
  }
  static bool missing(const char* field, const char* owner) {
    PyErr_Format(PyExc_TypeError, "required field \"%s\" missing from %s", field, ast_public_name(owner));
    return false;
  }
  static bool is_required(const char* field, const char* owner) {
    PyErr_Format(PyExc_ValueError, "field '%s' is required for %s", field, ast_public_name(owner));
    return false;
  }

  // --- leaves
  bool convert_identifier(PyObject* object, PyObject*& out) {
    if (object == Py_None) {
      out = nullptr;
      return true;
    }
    if (!PyUnicode_CheckExact(object)) {
      PyErr_SetString(PyExc_TypeError, "AST identifier must be of type str");
      return false;
    }
    PyObject* interned = Py_NewRef(object);
    PyUnicode_InternInPlace(&interned);
    out = arena.keep(interned);
    return true;
  }
  bool convert_string(PyObject* object, PyObject*& out) {
    if (object == Py_None) {
      out = nullptr;
      return true;
    }
    if (!PyUnicode_CheckExact(object) && !PyBytes_CheckExact(object)) {
      PyErr_SetString(PyExc_TypeError, "AST string must be of type str");
      return false;
    }
    out = arena.keep(Py_NewRef(object));
    return true;
  }
  bool convert_int(PyObject* object, int& out) {
    if (!PyLong_Check(object)) {
      PyErr_Format(PyExc_ValueError, "invalid integer value: %R", object);
      return false;
    }
    const int value = _PyLong_AsInt(object);
    if (value == -1 && PyErr_Occurred()) return false;
    out = value;
    return true;
  }

#define CONVERT_ENUM(Sum)                                                                                  \
  bool convert(PyObject* object, Sum& out) {                                                               \
    int matches;
#define CONVERT_ENUM_END(Sum)                                                                              \
    PyErr_Format(PyExc_TypeError, "expected some sort of %s, but got %R", ast_public_name(#Sum), object);  \
    return false;                                                                                          \
  }
#define TRY_ENUM(Sum, Name)                                         \
  matches = PyObject_IsInstance(object, types.enum_##Name);         \
  if (matches < 0) return false;                                    \
  if (matches) {                                                    \
    out = Sum::k##Name;                                             \
    return true;                                                    \
  }
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#define ENUM_ExprContext(Name) TRY_ENUM(ExprContext, Name)
#define ENUM_BoolOperator(Name)
#define ENUM_Operator(Name)
#define ENUM_UnaryOperator(Name)
#define ENUM_CompareOperator(Name)
  CONVERT_ENUM(ExprContext)
#include "Interpreter/compiler/nodes.def"
  CONVERT_ENUM_END(ExprContext)
#undef ENUM_ExprContext
#undef ENUM_BoolOperator
#define ENUM_ExprContext(Name)
#define ENUM_BoolOperator(Name) TRY_ENUM(BoolOperator, Name)
  CONVERT_ENUM(BoolOperator)
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
  CONVERT_ENUM_END(BoolOperator)
#undef ENUM_BoolOperator
#undef ENUM_Operator
#define ENUM_BoolOperator(Name)
#define ENUM_Operator(Name) TRY_ENUM(Operator, Name)
  CONVERT_ENUM(Operator)
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
  CONVERT_ENUM_END(Operator)
#undef ENUM_Operator
#undef ENUM_UnaryOperator
#define ENUM_Operator(Name)
#define ENUM_UnaryOperator(Name) TRY_ENUM(UnaryOperator, Name)
  CONVERT_ENUM(UnaryOperator)
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
  CONVERT_ENUM_END(UnaryOperator)
#undef ENUM_UnaryOperator
#undef ENUM_CompareOperator
#define ENUM_UnaryOperator(Name)
#define ENUM_CompareOperator(Name) TRY_ENUM(CompareOperator, Name)
  CONVERT_ENUM(CompareOperator)
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
  CONVERT_ENUM_END(CompareOperator)
#undef ENUM_ExprContext
#undef ENUM_BoolOperator
#undef ENUM_Operator
#undef ENUM_UnaryOperator
#undef ENUM_CompareOperator

  // --- positions
  bool position(PyObject* object, const char* owner, Position& out) {
    Ref<> value;
    for (int i = 0; i < 4; i++) {
      static const char* const names[] = {"lineno", "col_offset", "end_lineno", "end_col_offset"};
      int* slots[] = {&out.lineno, &out.col_offset, &out.end_lineno, &out.end_col_offset};
      if (!look_up(object, names[i], value)) return false;
      if (!value || (i >= 2 && value.get() == Py_None)) {
        if (i < 2) return missing(names[i], owner);
        *slots[i] = *slots[i - 2];  // an absent end is where the node begins
        continue;
      }
      if (!convert_int(value.get(), *slots[i])) return false;
    }
    return true;
  }

  // --- fields, one function per kind
  template <class T>
  bool field_child(PyObject* object, const char* name, const char* owner, T*& out) {
    Ref<> value;
    if (!look_up(object, name, value)) return false;
    if (!value) return missing(name, owner);
    if (!enter(owner)) return false;
    const bool ok = convert(value.get(), out);
    _Py_LeaveRecursiveCall();
    if (!ok) return false;
    return out != nullptr || is_required(name, owner);
  }
  template <class T>
  bool field_opt_child(PyObject* object, const char* name, const char* owner, T*& out) {
    Ref<> value;
    out = nullptr;
    if (!look_up(object, name, value)) return false;
    if (!value || value.get() == Py_None) return true;
    if (!enter(owner)) return false;
    const bool ok = convert(value.get(), out);
    _Py_LeaveRecursiveCall();
    return ok;
  }
  static bool enter(const char* owner) {
    char where[100];
    PyOS_snprintf(where, sizeof(where), " while traversing '%s' node", ast_public_name(owner));
    return _Py_EnterRecursiveCall(where) == 0;
  }
  template <class T, class Convert>
  bool field_list(PyObject* object, const char* name, const char* owner, Seq<T>& out, Convert convert_item) {
    Ref<> value;
    if (!look_up(object, name, value)) return false;
    if (!value) return missing(name, owner);
    if (!PyList_Check(value.get())) {
      PyErr_Format(PyExc_TypeError, "%s field \"%s\" must be a list, not a %.200s", ast_public_name(owner), name,
                   Py_TYPE(value.get())->tp_name);
      return false;
    }
    const Py_ssize_t count = PyList_GET_SIZE(value.get());
    out = arena.sequence<T>(static_cast<int>(count));
    if (out.count != count) return false;
    for (Py_ssize_t i = 0; i < count; i++) {
      auto item = Ref<>::dup(PyList_GET_ITEM(value.get(), i));
      if (!enter(owner)) return false;
      const bool ok = convert_item(item.get(), out.items[i]);
      _Py_LeaveRecursiveCall();
      if (!ok) return false;
      if (PyList_GET_SIZE(value.get()) != count) {
        PyErr_Format(PyExc_RuntimeError, "%s field \"%s\" changed size during iteration", ast_public_name(owner), name);
        return false;
      }
    }
    return true;
  }
  template <class T>
  bool field_seq(PyObject* object, const char* name, const char* owner, Seq<T>& out) {
    return field_list(object, name, owner, out, [this](PyObject* item, T& slot) { return convert(item, slot); });
  }
  bool field_ident_seq(PyObject* object, const char* name, const char* owner, Seq<Identifier>& out) {
    return field_list(object, name, owner, out,
                      [this](PyObject* item, Identifier& slot) { return convert_identifier(item, slot); });
  }
  bool field_ident(PyObject* object, const char* name, const char* owner, Identifier& out) {
    Ref<> value;
    if (!look_up(object, name, value)) return false;
    if (!value) return missing(name, owner);
    if (!convert_identifier(value.get(), out)) return false;
    return out != nullptr || is_required(name, owner);
  }
  bool field_opt_ident(PyObject* object, const char* name, const char*, Identifier& out) {
    Ref<> value;
    out = nullptr;
    if (!look_up(object, name, value)) return false;
    return !value || convert_identifier(value.get(), out);
  }
  template <class T>
  bool field_enum(PyObject* object, const char* name, const char* owner, T& out) {
    Ref<> value;
    if (!look_up(object, name, value)) return false;
    if (!value) return missing(name, owner);
    return convert(value.get(), out);
  }
  bool field_int(PyObject* object, const char* name, const char* owner, int& out) {
    Ref<> value;
    if (!look_up(object, name, value)) return false;
    if (std::strcmp(name, "level") == 0 && (!value || value.get() == Py_None)) {
      out = 0;  // the one optional integer: ImportFrom's
      return true;
    }
    if (!value) return missing(name, owner);
    return convert_int(value.get(), out);
  }
  bool field_string(PyObject* object, const char* name, const char* owner, String& out) {
    Ref<> value;
    if (!look_up(object, name, value)) return false;
    if (!value) return missing(name, owner);
    if (!convert_string(value.get(), out)) return false;
    return out != nullptr || is_required(name, owner);
  }
  bool field_opt_string(PyObject* object, const char* name, const char*, String& out) {
    Ref<> value;
    out = nullptr;
    if (!look_up(object, name, value)) return false;
    return !value || convert_string(value.get(), out);
  }
  bool field_constant(PyObject* object, const char* name, const char* owner, ast::Constant& out) {
    Ref<> value;
    if (!look_up(object, name, value)) return false;
    if (!value) return missing(name, owner);
    out = arena.keep(value.release());
    return true;
  }

#define LOAD_CHILD field_child
#define LOAD_OPT_CHILD field_opt_child
#define LOAD_SEQ field_seq
#define LOAD_OPT_SEQ field_seq
#define LOAD_IDENT field_ident
#define LOAD_OPT_IDENT field_opt_ident
#define LOAD_IDENT_SEQ field_ident_seq
#define LOAD_ENUM_ field_enum
#define LOAD_ENUM_SEQ field_seq
#define LOAD_INT field_int
#define LOAD_STRING field_string
#define LOAD_OPT_STRING field_opt_string
#define LOAD_CONSTANT field_constant

  // --- nodes
#define NODE(Sum, Name)                                          \
  bool load(PyObject* object, node::Name* node) {                \
    [[maybe_unused]] const char* owner = #Name;
#define FIELD(field_kind, type, name) \
  if (!LOAD_##field_kind(object, #name, owner, node->name)) return false;
#define END_NODE(Sum, Name) \
  return true;              \
  }
#define PRODUCT(Name, positioned)                                          \
  bool convert(PyObject* object, Name*& out) {                             \
    out = nullptr;                                                         \
    const char* owner = #Name;                                             \
    auto* node = arena.make<Name>();                                       \
    if (node == nullptr) return false;                                     \
    if constexpr (positioned) {                                            \
      if (!position(object, owner, position_of(node))) return false;       \
    }
#define END_PRODUCT(Name) \
  out = node;             \
  return true;            \
  }
  template <class T>
  static Position& position_of(T* node) {
    return node->position;
  }
#include "Interpreter/compiler/nodes.def"

  /// Creates a node of the constructor that `object` is an instance of.
  bool convert_sum(PyObject* object, const char* sum, PyObject* sum_type, bool positioned, Node*& out) {
    out = nullptr;
    if (object == Py_None) return true;
    const int fits = PyObject_IsInstance(object, sum_type);
    if (fits < 0) return false;
    Position where{};
    if (fits && positioned && !position(object, sum, where)) return false;
    if (!fits && positioned) {
      // QUIRK: the attributes are looked at before the type is.
      if (!position(object, sum, where)) return false;
    }
    int matches;
#define NODE(Sum, Name)                                              \
  if (sum_type == types.sum_##Sum) {                                 \
    matches = PyObject_IsInstance(object, types.node_##Name);        \
    if (matches < 0) return false;                                   \
    if (matches) {                                                   \
      auto* node = arena.make<node::Name>();                         \
      if (node == nullptr || !load(object, node)) return false;      \
      static_cast<Node*>(node)->kind = Kind::k##Name;                \
      set_position(node, where);                                     \
      out = node;                                                    \
      return true;                                                   \
    }                                                                \
  }
#define END_NODE(Sum, Name)
#include "Interpreter/compiler/nodes.def"
    PyErr_Format(PyExc_TypeError, "expected some sort of %s, but got %R", ast_public_name(sum), object);
    return false;
  }
  static void set_position(Node*, const Position&) {}
  static void set_position(PositionedNode* node, const Position& where) { node->position = where; }

#define CONVERT_SUM(Sum, positioned)                                                     \
  bool convert(PyObject* object, Sum*& out) {                                            \
    Node* node;                                                                          \
    if (!convert_sum(object, #Sum, types.sum_##Sum, positioned, node)) return false;     \
    out = static_cast<Sum*>(node);                                                       \
    return true;                                                                         \
  }
  CONVERT_SUM(Mod, false)
  CONVERT_SUM(Stmt, true)
  CONVERT_SUM(Expr, true)
  CONVERT_SUM(ExceptHandler, true)
  CONVERT_SUM(Pattern, true)
  CONVERT_SUM(TypeIgnore, false)
#undef CONVERT_SUM
};

}  // namespace

Mod* object_to_ast(Arena& arena, PyObject* object, int mode) {
  const AstTypes* types = ast_types();
  if (types == nullptr) return nullptr;
  if (PySys_Audit("compile", "OO", object, Py_None) < 0) return nullptr;
  PyObject* const expected[] = {types->node_Module, types->node_Expression, types->node_Interactive};
  const char* const names[] = {"Module", "Expression", "Interactive"};
  const int fits = PyObject_IsInstance(object, expected[mode]);
  if (fits < 0) return nullptr;
  if (!fits) return raise(PyExc_TypeError, "expected %s node, got %.400s", names[mode], Py_TYPE(object)->tp_name);
  FromObjects converter{*types, arena};
  Mod* tree = nullptr;
  return converter.convert(object, tree) ? tree : nullptr;
}

}  // namespace pyston
