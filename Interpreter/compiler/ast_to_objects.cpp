// Trees of arena nodes to objects of module `ast`. Generated from nodes.def: every field kind has one conversion.
#include "Interpreter/compiler/ast_types.h"
#include "Interpreter/compiler/parser.h"

namespace pyston {

using namespace ast;

namespace {

struct ToObjects {
  const AstTypes& types;
  int depth = 0;

  /// Deep trees end in RecursionError, at CPython's bound of three times the interpreter's limit.
  struct Level {
    ToObjects& self;
    bool ok;
    explicit Level(ToObjects& s) : self(s) {
      ok = ++self.depth <= 3 * Py_GetRecursionLimit();
      if (!ok) PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded during ast construction");
    }
    ~Level() { self.depth--; }
  };

  static bool set(PyObject* dict, PyObject* name, PyObject* value) {  // steals value
    if (value == nullptr) return false;
    const int result = PyDict_SetItem(dict, name, value);
    Py_DECREF(value);
    return result == 0;
  }

  static bool set_position(PyObject* dict, const Position& position) {
    static PyObject* names[4];
    if (UNLIKELY(names[3] == nullptr)) {
      names[0] = PyUnicode_InternFromString("lineno");
      names[1] = PyUnicode_InternFromString("col_offset");
      names[2] = PyUnicode_InternFromString("end_lineno");
      names[3] = PyUnicode_InternFromString("end_col_offset");
      if (names[3] == nullptr) return false;
    }
    return set(dict, names[0], PyLong_FromLong(position.lineno)) &&
           set(dict, names[1], PyLong_FromLong(position.col_offset)) &&
           set(dict, names[2], PyLong_FromLong(position.end_lineno)) &&
           set(dict, names[3], PyLong_FromLong(position.end_col_offset));
  }

  /// A new node whose attributes are set through the returned dict (borrowed).
  static PyObject* instance(PyObject* type, PyObject** dict) {
    PyObject* object = PyType_GenericNew(reinterpret_cast<PyTypeObject*>(type), nullptr, nullptr);
    if (object == nullptr) return nullptr;
    PyObject** slot = _PyObject_GetDictPtr(object);
    if (*slot == nullptr) *slot = PyDict_New();
    *dict = *slot;
    if (*dict == nullptr) {
      Py_DECREF(object);
      return nullptr;
    }
    return object;
  }

  template <class T>
  PyObject* sequence(const Seq<T>& items) {
    PyObject* list = PyList_New(items.count);
    if (list == nullptr) return nullptr;
    for (int i = 0; i < items.count; i++) {
      PyObject* item = convert(items[i]);
      if (item == nullptr) {
        Py_DECREF(list);
        return nullptr;
      }
      PyList_SET_ITEM(list, i, item);
    }
    return list;
  }

  PyObject* convert(PyObject* object) { return Py_NewRef(object != nullptr ? object : Py_None); }
  PyObject* convert(int value) { return PyLong_FromLong(value); }
#define ENUM_CASES(Sum)                                     \
  PyObject* convert(Sum value) {                            \
    switch (value) {
#define ENUM_END \
  }              \
  return nullptr; }
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#define ENUM_ExprContext(Name) case ExprContext::k##Name: return Py_NewRef(types.singleton_##Name);
#define ENUM_BoolOperator(Name)
#define ENUM_Operator(Name)
#define ENUM_UnaryOperator(Name)
#define ENUM_CompareOperator(Name)
  ENUM_CASES(ExprContext)
#include "Interpreter/compiler/nodes.def"
  ENUM_END
#undef ENUM_ExprContext
#undef ENUM_BoolOperator
#define ENUM_ExprContext(Name)
#define ENUM_BoolOperator(Name) case BoolOperator::k##Name: return Py_NewRef(types.singleton_##Name);
  ENUM_CASES(BoolOperator)
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
  ENUM_END
#undef ENUM_BoolOperator
#undef ENUM_Operator
#define ENUM_BoolOperator(Name)
#define ENUM_Operator(Name) case Operator::k##Name: return Py_NewRef(types.singleton_##Name);
  ENUM_CASES(Operator)
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
  ENUM_END
#undef ENUM_Operator
#undef ENUM_UnaryOperator
#define ENUM_Operator(Name)
#define ENUM_UnaryOperator(Name) case UnaryOperator::k##Name: return Py_NewRef(types.singleton_##Name);
  ENUM_CASES(UnaryOperator)
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
  ENUM_END
#undef ENUM_UnaryOperator
#undef ENUM_CompareOperator
#define ENUM_UnaryOperator(Name)
#define ENUM_CompareOperator(Name) case CompareOperator::k##Name: return Py_NewRef(types.singleton_##Name);
  ENUM_CASES(CompareOperator)
#define ENUM(Sum, Name) ENUM_##Sum(Name)
#include "Interpreter/compiler/nodes.def"
  ENUM_END
#undef ENUM_ExprContext
#undef ENUM_BoolOperator
#undef ENUM_Operator
#undef ENUM_UnaryOperator
#undef ENUM_CompareOperator

#define FIELD_CHILD(name) convert(node->name)
#define FIELD_OPT_CHILD(name) convert(node->name)
#define FIELD_SEQ(name) sequence(node->name)
#define FIELD_OPT_SEQ(name) sequence(node->name)
#define FIELD_IDENT(name) convert(node->name)
#define FIELD_OPT_IDENT(name) convert(node->name)
#define FIELD_IDENT_SEQ(name) sequence(node->name)
#define FIELD_ENUM_(name) convert(node->name)
#define FIELD_ENUM_SEQ(name) sequence(node->name)
#define FIELD_INT(name) convert(node->name)
#define FIELD_STRING(name) convert(node->name)
#define FIELD_OPT_STRING(name) convert(node->name)
#define FIELD_CONSTANT(name) convert(node->name)

  // One overload per node struct sets its fields.
#define NODE(Sum, Name) bool fields(node::Name* node, PyObject* dict) {
#define FIELD(field_kind, type, name)                                                         \
  {                                                                                           \
    static PyObject* field_name;                                                              \
    if (UNLIKELY(field_name == nullptr)) field_name = PyUnicode_InternFromString(#name);      \
    if (field_name == nullptr || !set(dict, field_name, FIELD_##field_kind(name))) return false; \
  }
#define END_NODE(Sum, Name) return true; }
#define PRODUCT(Name, positioned) bool fields(Name* node, PyObject* dict) {
#define END_PRODUCT(Name) return true; }
#include "Interpreter/compiler/nodes.def"

#define PRODUCT(Name, positioned)                                              \
  PyObject* convert(Name* node) {                                              \
    if (node == nullptr) return Py_NewRef(Py_None);                            \
    PyObject* dict;                                                            \
    PyObject* object = instance(types.product_##Name, &dict);                  \
    if (object == nullptr) return nullptr;                                     \
    bool ok = fields(node, dict);                                              \
    if constexpr (positioned) ok = ok && set_position(dict, position_of(node)); \
    if (!ok) Py_CLEAR(object);                                                 \
    return object;                                                             \
  }
#define END_PRODUCT(Name)
  template <class T>
  static const Position& position_of(T* node) {
    return node->position;
  }
#include "Interpreter/compiler/nodes.def"

  PyObject* sum(Node* any, const Position* position) {
    Level level(*this);
    if (!level.ok) return nullptr;
    PyObject* dict;
    PyObject* object = nullptr;
    bool ok = false;
    switch (any->kind) {
#define NODE(Sum, Name)                                                         \
  case Kind::k##Name:                                                           \
    object = instance(types.node_##Name, &dict);                                \
    ok = object != nullptr && fields(static_cast<node::Name*>(any), dict);      \
    break;
#define END_NODE(Sum, Name)
#include "Interpreter/compiler/nodes.def"
    }
    if (ok && position != nullptr) ok = set_position(dict, *position);
    if (!ok) Py_CLEAR(object);
    return object;
  }
  PyObject* convert(Mod* node) { return sum(node, nullptr); }
  PyObject* convert(TypeIgnore* node) { return sum(node, nullptr); }
  template <class T>
    requires std::is_base_of_v<PositionedNode, T>
  PyObject* convert(T* node) {
    return node == nullptr ? Py_NewRef(Py_None) : sum(node, &node->position);
  }
};

}  // namespace

Ref<> ast_to_object(Mod* tree) {
  const AstTypes* types = ast_types();
  if (types == nullptr) return nullptr;
  ToObjects converter{*types};
  return Ref<>::steal(converter.convert(tree));
}

}  // namespace pyston
