// Creation of the `ast` node types, and module `_ast`. Instances are plain objects with a __dict__; `_fields` says
// which attributes a node has, `_attributes` adds the position.
#include "Interpreter/compiler/ast_types.h"

#include <cstring>
#include <string>

#include "Interpreter/compiler/parser.h"

namespace pyston {
namespace {

struct AstObject {
  PyObject ob_base;
  PyObject* dict;
};

/// Every interpreter has types of its own.
struct InterpreterTypes {
  PyInterpreterState* interpreter;
  AstTypes types;
  InterpreterTypes* next;
};
InterpreterTypes* all_types = nullptr;

void clear_types(AstTypes& types) {
  PyObject** slots = reinterpret_cast<PyObject**>(&types);
  for (size_t i = 0; i < sizeof(types) / sizeof(PyObject*); i++) Py_CLEAR(slots[i]);
}

struct PublicName {
  const char* name;
  const char* public_name;
};
constexpr PublicName kPublicNames[] = {
    {"ExprStmt", "Expr"},
    {"ExceptHandlerClause", "ExceptHandler"},
    {"TypeIgnoreComment", "TypeIgnore"},
    {"Mod_", "Mod"},
    {"Mod", "mod"},
    {"Stmt", "stmt"},
    {"Expr", "expr"},
    {"ExceptHandler", "excepthandler"},
    {"Pattern", "pattern"},
    {"TypeIgnore", "type_ignore"},
    {"ExprContext", "expr_context"},
    {"BoolOperator", "boolop"},
    {"Operator", "operator"},
    {"UnaryOperator", "unaryop"},
    {"CompareOperator", "cmpop"},
    {"Comprehension", "comprehension"},
    {"Arguments", "arguments"},
    {"Arg", "arg"},
    {"Keyword", "keyword"},
    {"Alias", "alias"},
    {"WithItem", "withitem"},
    {"MatchCase", "match_case"},
    {"Identifier", "identifier"},
    {"String", "string"},
};

// --- ast.AST ---------------------------------------------------------------------------------------------------

int ast_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(reinterpret_cast<AstObject*>(self)->dict);
  return 0;
}

int ast_clear(PyObject* self) {
  Py_CLEAR(reinterpret_cast<AstObject*>(self)->dict);
  return 0;
}

void ast_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  Py_TRASHCAN_BEGIN(self, ast_dealloc)
  ast_clear(self);
  type->tp_free(self);
  Py_DECREF(type);
  Py_TRASHCAN_END
}

/// Positional arguments fill `_fields` in order, keywords set attributes.
int ast_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  auto fields = Ref<>::steal(PyObject_GetAttrString(as_object(Py_TYPE(self)), "_fields"));
  if (!fields) {
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
    PyErr_Clear();
  }
  Py_ssize_t field_count = 0;
  if (fields) {
    field_count = PySequence_Size(fields.get());
    if (field_count == -1) return -1;
  }
  const Py_ssize_t given = PyTuple_GET_SIZE(args);
  if (given > field_count) {
    PyErr_Format(PyExc_TypeError, "%.400s constructor takes at most %zd positional argument%s", Py_TYPE(self)->tp_name,
                 field_count, field_count == 1 ? "" : "s");
    return -1;
  }
  for (Py_ssize_t i = 0; i < given; i++) {
    auto name = Ref<>::steal(PySequence_GetItem(fields.get(), i));
    if (!name || PyObject_SetAttr(self, name.get(), PyTuple_GET_ITEM(args, i)) < 0) return -1;
  }
  if (kwargs == nullptr) return 0;
  Py_ssize_t position = 0;
  PyObject *key, *value;
  while (PyDict_Next(kwargs, &position, &key, &value)) {
    if (fields) {
      const int contains = PySequence_Contains(fields.get(), key);
      if (contains < 0) return -1;
      if (contains == 1) {
        const Py_ssize_t index = PySequence_Index(fields.get(), key);
        if (index == -1) return -1;
        if (index < given) {
          PyErr_Format(PyExc_TypeError, "%.400s got multiple values for argument '%U'", Py_TYPE(self)->tp_name, key);
          return -1;
        }
      }
    }
    if (PyObject_SetAttr(self, key, value) < 0) return -1;
  }
  return 0;
}

PyObject* ast_reduce(PyObject* self, PyObject*) {
  auto dict = Ref<>::steal(PyObject_GetAttrString(self, "__dict__"));
  if (!dict) {
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
    PyErr_Clear();
    return Py_BuildValue("O()", Py_TYPE(self));
  }
  return Py_BuildValue("O()O", Py_TYPE(self), dict.get());
}

PyMemberDef ast_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(AstObject, dict), READONLY, nullptr},
    {},
};
PyMethodDef ast_methods[] = {{"__reduce__", ast_reduce, METH_NOARGS, nullptr}, {}};
PyGetSetDef ast_getset[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr}, {}};
PyType_Slot ast_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(ast_dealloc)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_setattro, reinterpret_cast<void*>(PyObject_GenericSetAttr)},
    {Py_tp_traverse, reinterpret_cast<void*>(ast_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(ast_clear)},
    {Py_tp_members, ast_members},
    {Py_tp_methods, ast_methods},
    {Py_tp_getset, ast_getset},
    {Py_tp_init, reinterpret_cast<void*>(ast_init)},
    {Py_tp_alloc, reinterpret_cast<void*>(PyType_GenericAlloc)},
    {Py_tp_new, reinterpret_cast<void*>(PyType_GenericNew)},
    {Py_tp_free, reinterpret_cast<void*>(PyObject_GC_Del)},
    {0, nullptr},
};
PyType_Spec ast_spec = {"ast.AST", sizeof(AstObject), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, ast_slots};

// --- Derived types ---------------------------------------------------------------------------------------------

struct Field {
  const char* kind;
  const char* type;
  const char* name;
};

bool is_optional(const Field& field) {
  if (std::strcmp(field.name, "level") == 0) return true;  // ImportFrom's, the one optional integer
  return std::strncmp(field.kind, "OPT_", 4) == 0 && std::strstr(field.kind, "SEQ") == nullptr;
}

/// "FunctionDef(identifier name, arguments args, stmt* body)".
std::string signature_of(const char* name, const Field* fields, int count) {
  std::string text = ast_public_name(name);
  for (int i = 0; i < count; i++) {
    text += i == 0 ? "(" : ", ";
    text += std::strcmp(fields[i].type, "Constant") == 0 ? "constant" : ast_public_name(fields[i].type);
    if (std::strstr(fields[i].kind, "SEQ") != nullptr) text += '*';
    else if (is_optional(fields[i])) text += '?';
    text += ' ';
    text += fields[i].name;
  }
  if (count != 0) text += ')';
  return text;
}

PyObject* make_type(const char* name, PyObject* base, const Field* fields, int count, const char* doc) {
  auto names = Ref<>::steal(PyTuple_New(count));
  if (!names) return nullptr;
  for (int i = 0; i < count; i++) {
    PyObject* field = PyUnicode_InternFromString(fields[i].name);
    if (field == nullptr) return nullptr;
    PyTuple_SET_ITEM(names.get(), i, field);
  }
  return PyObject_CallFunction(as_object(&PyType_Type), "s(O){sOsOsssz}", ast_public_name(name), base, "_fields",
                               names.get(), "__match_args__", names.get(), "__module__", "ast", "__doc__", doc);
}

bool set_optional_defaults(PyObject* type, const Field* fields, int count) {
  for (int i = 0; i < count; i++) {
    if (is_optional(fields[i]) && PyObject_SetAttrString(type, fields[i].name, Py_None) < 0) return false;
  }
  return true;
}

bool set_attributes(PyObject* type, bool positioned) {
  auto names = Ref<>::steal(positioned ? Py_BuildValue("(ssss)", "lineno", "col_offset", "end_lineno", "end_col_offset")
                                       : PyTuple_New(0));
  if (!names || PyObject_SetAttrString(type, "_attributes", names.get()) < 0) return false;
  if (!positioned) return true;
  return PyObject_SetAttrString(type, "end_lineno", Py_None) == 0 &&
         PyObject_SetAttrString(type, "end_col_offset", Py_None) == 0;
}

PyObject* make_leaf(const char* name, PyObject* base, const Field* fields, int count) {
  PyObject* type = make_type(name, base, fields, count, signature_of(name, fields, count).c_str());
  if (type == nullptr || !set_optional_defaults(type, fields, count)) return nullptr;
  return type;
}

/// "mod = Module(...)\n    | Interactive(...)", collected from the rows of the sum.
std::string sum_doc(const char* sum, bool is_enum) {
  std::string text = ast_public_name(sum);
  bool first = true;
  auto add = [&](const std::string& constructor) {
    text += first ? " = " : is_enum ? " | " : "\n" + std::string(std::strlen(ast_public_name(sum)) + 1, ' ') + "| ";
    text += constructor;
    first = false;
  };
#define NODE(Sum, Name)                   \
  if (std::strcmp(#Sum, sum) == 0) {      \
    const char* constructor = #Name;      \
    const Field fields[] = {
#define FIELD(field_kind, type, name) {#field_kind, #type, #name},
#define END_NODE(Sum, Name)                                                          \
  {} }                                                                               \
  ;                                                                                  \
  add(signature_of(constructor, fields, sizeof(fields) / sizeof(fields[0]) - 1));    \
  }
#define PRODUCT(Name, positioned) { const Field fields[] = {
#define END_PRODUCT(Name) {} }; (void)fields; }
#define ENUM(Sum, Name) \
  if (std::strcmp(#Sum, sum) == 0) add(ast_public_name(#Name));
#include "Interpreter/compiler/nodes.def"
  return text;
}

bool create_types(AstTypes& t) {
  t.base = PyType_FromSpec(&ast_spec);
  if (t.base == nullptr) return false;
  auto empty = Ref<>::steal(PyTuple_New(0));
  if (!empty) return false;
  for (const char* name : {"_fields", "__match_args__", "_attributes"}) {
    if (PyObject_SetAttrString(t.base, name, empty.get()) < 0) return false;
  }
#define MAKE_SUM(Sum, positioned, is_enum)                                              \
  t.sum_##Sum = make_type(#Sum, t.base, nullptr, 0, sum_doc(#Sum, is_enum).c_str());    \
  if (t.sum_##Sum == nullptr || !set_attributes(t.sum_##Sum, positioned)) return false;
  MAKE_SUM(Mod, false, false)
  MAKE_SUM(Stmt, true, false)
  MAKE_SUM(Expr, true, false)
  MAKE_SUM(ExceptHandler, true, false)
  MAKE_SUM(Pattern, true, false)
  MAKE_SUM(TypeIgnore, false, false)
  MAKE_SUM(ExprContext, false, true)
  MAKE_SUM(BoolOperator, false, true)
  MAKE_SUM(Operator, false, true)
  MAKE_SUM(UnaryOperator, false, true)
  MAKE_SUM(CompareOperator, false, true)
#undef MAKE_SUM
#define NODE(Sum, Name) { PyObject*& type = t.node_##Name; PyObject* base = t.sum_##Sum; const char* own_name = #Name; const Field fields[] = {
#define FIELD(field_kind, type, name) {#field_kind, #type, #name},
#define END_NODE(Sum, Name)                                                                          \
  {} }                                                                                               \
  ;                                                                                                  \
  type = make_leaf(own_name, base, fields, sizeof(fields) / sizeof(fields[0]) - 1);                  \
  if (type == nullptr) return false;                                                                 \
  }
#define PRODUCT(Name, positioned)                                                                    \
  {                                                                                                  \
    PyObject*& type = t.product_##Name;                                                              \
    const bool has_position = positioned;                                                            \
    const char* own_name = #Name;                                                                    \
    const Field fields[] = {
#define END_PRODUCT(Name)                                                                            \
  {} }                                                                                               \
  ;                                                                                                  \
  type = make_leaf(own_name, t.base, fields, sizeof(fields) / sizeof(fields[0]) - 1);                \
  if (type == nullptr || !set_attributes(type, has_position)) return false;                          \
  }
#define ENUM(Sum, Name)                                              \
  t.enum_##Name = make_leaf(#Name, t.sum_##Sum, nullptr, 0);         \
  if (t.enum_##Name == nullptr) return false;                        \
  t.singleton_##Name = PyObject_CallNoArgs(t.enum_##Name);           \
  if (t.singleton_##Name == nullptr) return false;
#include "Interpreter/compiler/nodes.def"
  return true;
}

}  // namespace

const char* ast_public_name(const char* name) {
  for (const PublicName& row : kPublicNames) {
    if (std::strcmp(row.name, name) == 0) return row.public_name;
  }
  return name;
}

const AstTypes* ast_types() {
  PyInterpreterState* interpreter = PyInterpreterState_Get();
  for (InterpreterTypes* row = all_types; row != nullptr; row = row->next) {
    if (LIKELY(row->interpreter == interpreter)) return &row->types;
  }
  auto* row = static_cast<InterpreterTypes*>(PyMem_RawCalloc(1, sizeof(InterpreterTypes)));
  if (row == nullptr) return PyErr_NoMemory(), nullptr;
  if (!create_types(row->types)) {
    clear_types(row->types);
    PyMem_RawFree(row);
    return nullptr;
  }
  row->interpreter = interpreter;
  row->next = all_types;
  all_types = row;
  return &row->types;
}

namespace {

int ast_module_exec(PyObject* module) {
  const AstTypes* t = ast_types();
  if (t == nullptr) return -1;
  auto add = [module](const char* name, PyObject* type) { return PyModule_AddObjectRef(module, ast_public_name(name), type) == 0; };
  if (!add("AST", t->base)) return -1;
  if (PyModule_AddIntConstant(module, "PyCF_ALLOW_TOP_LEVEL_AWAIT", PyCF_ALLOW_TOP_LEVEL_AWAIT) < 0 ||
      PyModule_AddIntConstant(module, "PyCF_ONLY_AST", PyCF_ONLY_AST) < 0 ||
      PyModule_AddIntConstant(module, "PyCF_TYPE_COMMENTS", PyCF_TYPE_COMMENTS) < 0) {
    return -1;
  }
#define ADD_SUM(Sum) \
  if (!add(#Sum, t->sum_##Sum)) return -1;
  ADD_SUM(Mod) ADD_SUM(Stmt) ADD_SUM(Expr) ADD_SUM(ExceptHandler) ADD_SUM(Pattern) ADD_SUM(TypeIgnore)
  ADD_SUM(ExprContext) ADD_SUM(BoolOperator) ADD_SUM(Operator) ADD_SUM(UnaryOperator) ADD_SUM(CompareOperator)
#undef ADD_SUM
#define NODE(Sum, Name) \
  if (!add(#Name, t->node_##Name)) return -1;
#define END_NODE(Sum, Name)
#define PRODUCT(Name, positioned) \
  if (!add(#Name, t->product_##Name)) return -1;
#define END_PRODUCT(Name)
#define ENUM(Sum, Name) \
  if (!add(#Name, t->enum_##Name)) return -1;
#include "Interpreter/compiler/nodes.def"
  return 0;
}

PyModuleDef_Slot ast_module_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(ast_module_exec)}, {0, nullptr}};
PyModuleDef ast_module = {PyModuleDef_HEAD_INIT, "_ast", nullptr, 0, nullptr, ast_module_slots,
                          nullptr, nullptr, nullptr};

}  // namespace
}  // namespace pyston

extern "C" {

PyMODINIT_FUNC PyInit__ast(void) { return PyModuleDef_Init(&pyston::ast_module); }

int PyAST_Check(PyObject* object) {
  const pyston::AstTypes* types = pyston::ast_types();
  return types == nullptr ? -1 : PyObject_IsInstance(object, types->base);
}

void _PyAST_Fini(PyInterpreterState* interpreter) {
  using namespace pyston;
  for (InterpreterTypes** link = &all_types; *link != nullptr; link = &(*link)->next) {
    InterpreterTypes* row = *link;
    if (row->interpreter != interpreter) continue;
    *link = row->next;
    clear_types(row->types);
    PyMem_RawFree(row);
    return;
  }
}

}  // extern "C"
