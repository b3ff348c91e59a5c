// types.UnionType: what `int | str` is. Flat, without duplicates; compares and hashes without regard to order.
// isinstance() and issubclass() take the members through _Py_union_args.
#include "Objects/bind.h"

#include <internal/pycore_object.h>
#include <internal/pycore_tuple.h>
#include <internal/pycore_unicodeobject.h>
#include <internal/pycore_unionobject.h>

namespace pyston {
namespace {

struct UnionObject {
  PyObject_HEAD
  PyObject* args;        // a tuple of at least two
  PyObject* parameters;  // a tuple, made when first asked for
};
ALWAYS_INLINE UnionObject* as_union(PyObject* object) { return reinterpret_cast<UnionObject*>(object); }

void union_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_union(self)->args);
  Py_XDECREF(as_union(self)->parameters);
  Py_TYPE(self)->tp_free(self);
}
int union_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_union(self)->args);
  Py_VISIT(as_union(self)->parameters);
  return 0;
}

Py_hash_t union_hash(PyObject* self) {
  Ref<> args = Ref<>::steal(PyFrozenSet_New(as_union(self)->args));
  return args ? PyObject_Hash(args.get()) : -1;
}

PyObject* union_richcompare(PyObject* a, PyObject* b, int op) {
  if (!_PyUnion_Check(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  Ref<> x = Ref<>::steal(PySet_New(as_union(a)->args));
  Ref<> y = x ? Ref<>::steal(PySet_New(as_union(b)->args)) : nullptr;
  return y ? PyObject_RichCompare(x.get(), y.get(), op) : nullptr;
}

Ref<> describe_member(PyObject* member) {
  if (member == as_object(Py_TYPE(Py_None))) return Ref<>::steal(PyUnicode_FromString("None"));
  PyObject *origin = nullptr, *args = nullptr, *name = nullptr, *module = nullptr;
  if (_PyObject_LookupAttr(member, &_Py_ID(__origin__), &origin) < 0) return nullptr;
  Ref<> origin_owner = Ref<>::steal(origin);
  if (origin != nullptr && _PyObject_LookupAttr(member, &_Py_ID(__args__), &args) < 0) return nullptr;
  Ref<> args_owner = Ref<>::steal(args);
  if (args != nullptr) return Ref<>::steal(PyObject_Repr(member));
  if (_PyObject_LookupAttr(member, &_Py_ID(__qualname__), &name) < 0) return nullptr;
  Ref<> name_owner = Ref<>::steal(name);
  if (name != nullptr && _PyObject_LookupAttr(member, &_Py_ID(__module__), &module) < 0) return nullptr;
  Ref<> module_owner = Ref<>::steal(module);
  if (name == nullptr || module == nullptr || module == Py_None) return Ref<>::steal(PyObject_Repr(member));
  if (PyUnicode_Check(module) && _PyUnicode_EqualToASCIIString(module, "builtins")) {
    return Ref<>::steal(PyObject_Str(name));
  }
  return Ref<>::steal(PyUnicode_FromFormat("%S.%S", module, name));
}

Ref<> union_repr(Borrowed<> self) {
  PyObject* args = as_union(self)->args;
  Ref<> parts = Ref<>::steal(PyList_New(0));
  if (!parts) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
    Ref<> part = describe_member(PyTuple_GET_ITEM(args, i));
    if (!part || PyList_Append(parts.get(), part.get()) < 0) return nullptr;
  }
  Ref<> bar = Ref<>::steal(PyUnicode_FromString(" | "));
  return bar ? Ref<>::steal(PyUnicode_Join(bar.get(), parts.get())) : nullptr;
}

bool ensure_parameters(UnionObject* self) {
  if (self->parameters == nullptr) self->parameters = _Py_make_parameters(self->args);
  return self->parameters != nullptr;
}
Ref<> union_parameters(Borrowed<> self) {
  if (!ensure_parameters(as_union(self))) return nullptr;
  return Ref<>::dup(as_union(self)->parameters);
}

PyObject* union_subscript(PyObject* self, PyObject* item) {
  if (!ensure_parameters(as_union(self))) return nullptr;
  Ref<> args = Ref<>::steal(_Py_subs_parameters(self, as_union(self)->args, as_union(self)->parameters, item));
  if (!args) return nullptr;
  Ref<> result = Ref<>::dup(PyTuple_GET_ITEM(args.get(), 0));
  for (Py_ssize_t i = 1; result && i < PyTuple_GET_SIZE(args.get()); i++) {
    result = Ref<>::steal(PyNumber_Or(result.get(), PyTuple_GET_ITEM(args.get(), i)));
  }
  return result.release();
}

PyObject* union_getattro(PyObject* self, PyObject* name) {
  // `__module__` is that of the type: a member in the type's dict would hide it.
  if (PyUnicode_Check(name) && _PyUnicode_EqualToASCIIString(name, "__module__")) {
    return PyObject_GetAttr(as_object(Py_TYPE(self)), name);
  }
  return PyObject_GenericGetAttr(self, name);
}

bool is_unionable(PyObject* object) {
  return object == Py_None || PyType_Check(object) || _PyGenericAlias_Check(object) || _PyUnion_Check(object);
}

bool same_member(PyObject* a, PyObject* b, bool* failed) {
  if (a == b) return true;
  if (!_PyGenericAlias_Check(a) || !_PyGenericAlias_Check(b)) return false;
  const int equal = PyObject_RichCompareBool(a, b, Py_EQ);
  *failed = equal < 0;
  return equal > 0;
}

/// Adds the members of `object` to `list` unless there already.
bool add_members(PyObject* list, PyObject* object) {
  const bool many = _PyUnion_Check(object);
  const Py_ssize_t count = many ? PyTuple_GET_SIZE(as_union(object)->args) : 1;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* member = many ? PyTuple_GET_ITEM(as_union(object)->args, i) : object;
    if (member == Py_None) member = as_object(Py_TYPE(Py_None));
    bool present = false, failed = false;
    for (Py_ssize_t k = 0; !present && k < PyList_GET_SIZE(list); k++) {
      present = same_member(PyList_GET_ITEM(list, k), member, &failed);
      if (failed) return false;
    }
    if (!present && PyList_Append(list, member) < 0) return false;
  }
  return true;
}

PyMemberDef union_members[] = {
    {"__args__", T_OBJECT, offsetof(UnionObject, args), READONLY, nullptr},
    {},
};
PyGetSetDef union_getset[] = {
    getset<union_parameters>("__parameters__", "Type variables in the types.UnionType."),
    {},
};
PyNumberMethods union_as_number = {.nb_or = _Py_union_type_or};
PyMappingMethods union_as_mapping = {.mp_subscript = union_subscript};

}  // namespace
}  // namespace pyston

using namespace pyston;

/// a | b for classes, aliases, unions and None; NotImplemented otherwise.
PyObject* _Py_union_type_or(PyObject* a, PyObject* b) {
  if (!is_unionable(a) || !is_unionable(b)) Py_RETURN_NOTIMPLEMENTED;
  Ref<> members = Ref<>::steal(PyList_New(0));
  if (!members || !add_members(members.get(), a) || !add_members(members.get(), b)) return nullptr;
  if (PyList_GET_SIZE(members.get()) == 1) return Py_NewRef(PyList_GET_ITEM(members.get(), 0));
  Ref<> args = Ref<>::steal(PyList_AsTuple(members.get()));
  if (!args) return nullptr;
  UnionObject* result = PyObject_GC_New(UnionObject, &_PyUnion_Type);
  if (result == nullptr) return nullptr;
  result->parameters = nullptr;
  result->args = args.release();
  _PyObject_GC_TRACK(result);
  return as_object(result);
}

/// Borrowed from the union.
PyObject* _Py_union_args(PyObject* self) { return as_union(self)->args; }

PyTypeObject _PyUnion_Type = {
    .ob_base = type_head(),
    .tp_name = "types.UnionType",
    .tp_basicsize = sizeof(UnionObject),
    .tp_dealloc = union_dealloc,
    .tp_repr = slot<union_repr>,
    .tp_as_number = &union_as_number,
    .tp_as_mapping = &union_as_mapping,
    .tp_hash = union_hash,
    .tp_getattro = union_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Represent a PEP 604 union type\n\nE.g. for int | str",
    .tp_traverse = union_traverse,
    .tp_richcompare = union_richcompare,
    .tp_members = union_members,
    .tp_getset = union_getset,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};
