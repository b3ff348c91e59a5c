// _operator: the operators as functions, and the callables attrgetter, itemgetter, methodcaller.
#include "Objects/bind.h"

#include <internal/pycore_abstract.h>
#include <internal/pycore_global_strings.h>
#include <internal/pycore_pystate.h>

namespace pyston {
namespace {

// ---- Operators ---------------------------------------------------------------------------------------------------

template <PyObject* (*operation)(PyObject*)>
PyObject* unary(PyObject*, PyObject* a) {
  return operation(a);
}
template <PyObject* (*operation)(PyObject*, PyObject*)>
PyObject* binary(PyObject*, PyObject* a, PyObject* b) {
  return operation(a, b);
}
template <int op>
PyObject* compare(PyObject*, PyObject* a, PyObject* b) {
  return PyObject_RichCompare(a, b, op);
}
template <PyObject* (*operation)(PyObject*, PyObject*, PyObject*)>
PyObject* power(PyObject*, PyObject* a, PyObject* b) {
  return operation(a, b, Py_None);
}

PyObject* truth(PyObject*, PyObject* a) {
  const int value = PyObject_IsTrue(a);
  return value < 0 ? nullptr : PyBool_FromLong(value);
}
PyObject* not_(PyObject*, PyObject* a) {
  const int value = PyObject_Not(a);
  return value < 0 ? nullptr : PyBool_FromLong(value);
}
PyObject* is_(PyObject*, PyObject* a, PyObject* b) { return PyBool_FromLong(a == b); }
PyObject* is_not(PyObject*, PyObject* a, PyObject* b) { return PyBool_FromLong(a != b); }
PyObject* contains(PyObject*, PyObject* a, PyObject* b) {
  const int found = PySequence_Contains(a, b);
  return found < 0 ? nullptr : PyBool_FromLong(found);
}
PyObject* index_of(PyObject*, PyObject* a, PyObject* b) {
  const Py_ssize_t index = PySequence_Index(a, b);
  return index < 0 ? nullptr : PyLong_FromSsize_t(index);
}
PyObject* count_of(PyObject*, PyObject* a, PyObject* b) {
  const Py_ssize_t count = PySequence_Count(a, b);
  return count < 0 ? nullptr : PyLong_FromSsize_t(count);
}
PyObject* set_item(PyObject*, PyObject* a, PyObject* b, PyObject* c) {
  if (PyObject_SetItem(a, b, c) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* del_item(PyObject*, PyObject* a, PyObject* b) {
  if (PyObject_DelItem(a, b) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* length_hint(PyObject*, PyObject* object, PyObject* default_object) {
  Py_ssize_t fallback = 0;
  if (default_object != nullptr) {
    if (!PyLong_Check(default_object)) {
      PyErr_Format(PyExc_TypeError, "'%.200s' object cannot be interpreted as an integer",
                   Py_TYPE(default_object)->tp_name);
      return nullptr;
    }
    fallback = PyLong_AsSsize_t(default_object);
    if (fallback == -1 && PyErr_Occurred()) return nullptr;
  }
  const Py_ssize_t hint = PyObject_LengthHint(object, fallback);
  return hint == -1 && PyErr_Occurred() ? nullptr : PyLong_FromSsize_t(hint);
}
PyObject* call(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  if (nargs < 1) {
    PyErr_Format(PyExc_TypeError, "call expected at least 1 argument, got %zd", nargs);
    return nullptr;
  }
  return PyObject_Vectorcall(args[0], args + 1, static_cast<size_t>(nargs - 1) | PY_VECTORCALL_ARGUMENTS_OFFSET,
                             kwnames);
}

/// Equality in time that does not depend on where the inputs differ.
bool equal_constant_time(const unsigned char* a, Py_ssize_t length_a, const unsigned char* b, Py_ssize_t length_b) {
  volatile const unsigned char* right = b;
  volatile unsigned char difference = length_a == length_b ? 0 : 1;
  if (length_a != length_b) a = b;  // compares b with itself: the time depends on b only
  for (Py_ssize_t i = 0; i < length_b; i++) difference = static_cast<unsigned char>(difference | (a[i] ^ right[i]));
  return difference == 0;
}
PyObject* compare_digest(PyObject*, PyObject* a, PyObject* b) {
  if (PyUnicode_Check(a) && PyUnicode_Check(b)) {
    if (PyUnicode_READY(a) < 0 || PyUnicode_READY(b) < 0) return nullptr;
    if (!PyUnicode_IS_ASCII(a) || !PyUnicode_IS_ASCII(b)) {
      PyErr_SetString(PyExc_TypeError, "comparing strings with non-ASCII characters is not supported");
      return nullptr;
    }
    return PyBool_FromLong(equal_constant_time(PyUnicode_1BYTE_DATA(a), PyUnicode_GET_LENGTH(a),
                                               PyUnicode_1BYTE_DATA(b), PyUnicode_GET_LENGTH(b)));
  }
  if (!PyObject_CheckBuffer(a) && !PyObject_CheckBuffer(b)) {
    PyErr_Format(PyExc_TypeError, "unsupported operand types(s) or combination of types: '%.100s' and '%.100s'",
                 Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
    return nullptr;
  }
  Buffer x, y;
  if (!x.acquire(a) || !y.acquire(b)) return nullptr;
  return PyBool_FromLong(equal_constant_time(x.bytes(), x.size(), y.bytes(), y.size()));
}

PyObject* inplace_concat(PyObject* a, PyObject* b) { return PySequence_InPlaceConcat(a, b); }

PyMethodDef operator_functions[] = {
    method<truth, "truth($module, a, /)", "Return True if a is true, False otherwise.">(),
    method<contains, "contains($module, a, b, /)", "Same as b in a (note reversed operands).">(),
    method<index_of, "indexOf($module, a, b, /)", "Return the first index of b in a.">(),
    method<count_of, "countOf($module, a, b, /)", "Return the number of items in a which are, or which equal, b.">(),
    method<is_, "is_($module, a, b, /)", "Same as a is b.">(),
    method<is_not, "is_not($module, a, b, /)", "Same as a is not b.">(),
    method<binary<PyNumber_Add>, "add($module, a, b, /)", "Same as a + b.">(),
    method<binary<PyNumber_Subtract>, "sub($module, a, b, /)", "Same as a - b.">(),
    method<binary<PyNumber_Multiply>, "mul($module, a, b, /)", "Same as a * b.">(),
    method<binary<PyNumber_MatrixMultiply>, "matmul($module, a, b, /)", "Same as a @ b.">(),
    method<binary<PyNumber_FloorDivide>, "floordiv($module, a, b, /)", "Same as a // b.">(),
    method<binary<PyNumber_TrueDivide>, "truediv($module, a, b, /)", "Same as a / b.">(),
    method<binary<PyNumber_Remainder>, "mod($module, a, b, /)", "Same as a % b.">(),
    method<unary<PyNumber_Negative>, "neg($module, a, /)", "Same as -a.">(),
    method<unary<PyNumber_Positive>, "pos($module, a, /)", "Same as +a.">(),
    method<unary<PyNumber_Absolute>, "abs($module, a, /)", "Same as abs(a).">(),
    method<unary<PyNumber_Invert>, "inv($module, a, /)", "Same as ~a.">(),
    method<unary<PyNumber_Invert>, "invert($module, a, /)", "Same as ~a.">(),
    method<binary<PyNumber_Lshift>, "lshift($module, a, b, /)", "Same as a << b.">(),
    method<binary<PyNumber_Rshift>, "rshift($module, a, b, /)", "Same as a >> b.">(),
    method<not_, "not_($module, a, /)", "Same as not a.">(),
    method<binary<PyNumber_And>, "and_($module, a, b, /)", "Same as a & b.">(),
    method<binary<PyNumber_Xor>, "xor($module, a, b, /)", "Same as a ^ b.">(),
    method<binary<PyNumber_Or>, "or_($module, a, b, /)", "Same as a | b.">(),
    method<binary<PyNumber_InPlaceAdd>, "iadd($module, a, b, /)", "Same as a += b.">(),
    method<binary<PyNumber_InPlaceSubtract>, "isub($module, a, b, /)", "Same as a -= b.">(),
    method<binary<PyNumber_InPlaceMultiply>, "imul($module, a, b, /)", "Same as a *= b.">(),
    method<binary<PyNumber_InPlaceMatrixMultiply>, "imatmul($module, a, b, /)", "Same as a @= b.">(),
    method<binary<PyNumber_InPlaceFloorDivide>, "ifloordiv($module, a, b, /)", "Same as a //= b.">(),
    method<binary<PyNumber_InPlaceTrueDivide>, "itruediv($module, a, b, /)", "Same as a /= b.">(),
    method<binary<PyNumber_InPlaceRemainder>, "imod($module, a, b, /)", "Same as a %= b.">(),
    method<binary<PyNumber_InPlaceLshift>, "ilshift($module, a, b, /)", "Same as a <<= b.">(),
    method<binary<PyNumber_InPlaceRshift>, "irshift($module, a, b, /)", "Same as a >>= b.">(),
    method<binary<PyNumber_InPlaceAnd>, "iand($module, a, b, /)", "Same as a &= b.">(),
    method<binary<PyNumber_InPlaceXor>, "ixor($module, a, b, /)", "Same as a ^= b.">(),
    method<binary<PyNumber_InPlaceOr>, "ior($module, a, b, /)", "Same as a |= b.">(),
    method<binary<PySequence_Concat>, "concat($module, a, b, /)", "Same as a + b, for a and b sequences.">(),
    method<binary<inplace_concat>, "iconcat($module, a, b, /)", "Same as a += b, for a and b sequences.">(),
    method<binary<PyObject_GetItem>, "getitem($module, a, b, /)", "Same as a[b].">(),
    method<set_item, "setitem($module, a, b, c, /)", "Same as a[b] = c.">(),
    method<del_item, "delitem($module, a, b, /)", "Same as del a[b].">(),
    method<power<PyNumber_Power>, "pow($module, a, b, /)", "Same as a ** b.">(),
    method<power<PyNumber_InPlacePower>, "ipow($module, a, b, /)", "Same as a **= b.">(),
    method<unary<PyNumber_Index>, "index($module, a, /)", "Same as a.__index__()">(),
    method<compare<Py_LT>, "lt($module, a, b, /)", "Same as a < b.">(),
    method<compare<Py_LE>, "le($module, a, b, /)", "Same as a <= b.">(),
    method<compare<Py_EQ>, "eq($module, a, b, /)", "Same as a == b.">(),
    method<compare<Py_NE>, "ne($module, a, b, /)", "Same as a != b.">(),
    method<compare<Py_GT>, "gt($module, a, b, /)", "Same as a > b.">(),
    method<compare<Py_GE>, "ge($module, a, b, /)", "Same as a >= b.">(),
    method<compare_digest, "_compare_digest($module, a, b, /)",
           "Return 'a == b', in time that tells nothing about where they differ.">(),
    method<length_hint, "length_hint($module, obj, default=0, /)",
           "An estimate of the number of items in obj, for presizing; the default where nothing is known.">(),
    {"call", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call)), METH_FASTCALL | METH_KEYWORDS,
     "call($module, obj, /, *args, **kwargs)\n--\n\nSame as obj(*args, **kwargs)."},
    {},
};

// ---- itemgetter --------------------------------------------------------------------------------------------------

struct ItemGetterObject {
  PyObject_HEAD
  Py_ssize_t count;
  PyObject* item;    // the one key, or a tuple of them
  Py_ssize_t index;  // the one key where it is a small non-negative int, else -1
  vectorcallfunc vectorcall;
};
ALWAYS_INLINE ItemGetterObject* as_item_getter(PyObject* object) { return reinterpret_cast<ItemGetterObject*>(object); }

PyObject* get_items(ItemGetterObject* self, PyObject* object) {
  if (self->count == 1) {
    if (self->index >= 0 && PyTuple_CheckExact(object) && self->index < PyTuple_GET_SIZE(object)) {
      return Py_NewRef(PyTuple_GET_ITEM(object, self->index));
    }
    if (self->index >= 0 && PyList_CheckExact(object) && self->index < PyList_GET_SIZE(object)) {
      return Py_NewRef(PyList_GET_ITEM(object, self->index));
    }
    return PyObject_GetItem(object, self->item);
  }
  Ref<> result = Ref<>::steal(PyTuple_New(self->count));
  if (!result) return nullptr;
  for (Py_ssize_t i = 0; i < self->count; i++) {
    PyObject* value = PyObject_GetItem(object, PyTuple_GET_ITEM(self->item, i));
    if (value == nullptr) return nullptr;
    PyTuple_SET_ITEM(result.get(), i, value);
  }
  return result.release();
}
PyObject* item_getter_call(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (!_PyArg_NoKwnames("itemgetter", kwnames)) return nullptr;
  if (!_PyArg_CheckPositional("itemgetter", PyVectorcall_NARGS(nargsf), 1, 1)) return nullptr;
  return get_items(as_item_getter(self), args[0]);
}
PyObject* item_getter_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (!_PyArg_NoKeywords("itemgetter", kwargs)) return nullptr;
  const Py_ssize_t count = PyTuple_GET_SIZE(args);
  PyObject* item = args;
  if (count <= 1 && !PyArg_UnpackTuple(args, "itemgetter", 1, 1, &item)) return nullptr;
  PyObject* object = type->tp_alloc(type, 0);
  if (object == nullptr) return nullptr;
  ItemGetterObject* self = as_item_getter(object);
  self->item = Py_NewRef(item);
  self->count = count;
  self->index = -1;
  if (count == 1 && PyLong_CheckExact(item)) {
    self->index = PyLong_AsSsize_t(item);
    if (self->index < 0) {
      PyErr_Clear();
      self->index = -1;
    }
  }
  self->vectorcall = item_getter_call;
  return object;
}
int item_getter_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as_item_getter(self)->item);
  return 0;
}
int item_getter_clear(PyObject* self) {
  Py_CLEAR(as_item_getter(self)->item);
  return 0;
}
template <int (*clear)(PyObject*)>
void heap_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  clear(self);
  type->tp_free(self);
  Py_DECREF(as_object(type));
}
/// "operator.name(a, b)" with recursion shown as "...".
template <class Make>
PyObject* guarded_repr(PyObject* self, Make make) {
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered > 0 ? PyUnicode_FromFormat("%s(...)", Py_TYPE(self)->tp_name) : nullptr;
  PyObject* result = make();
  Py_ReprLeave(self);
  return result;
}
PyObject* item_getter_repr(PyObject* object) {
  return guarded_repr(object, [object] {
    ItemGetterObject* self = as_item_getter(object);
    const char* name = Py_TYPE(object)->tp_name;
    return self->count == 1 ? PyUnicode_FromFormat("%s(%R)", name, self->item)
                            : PyUnicode_FromFormat("%s%R", name, self->item);
  });
}
PyObject* item_getter_reduce(PyObject* object) {
  ItemGetterObject* self = as_item_getter(object);
  if (self->count == 1) return Py_BuildValue("O(O)", Py_TYPE(object), self->item);
  return PyTuple_Pack(2, Py_TYPE(object), self->item);
}

PyMethodDef item_getter_methods[] = {
    method<item_getter_reduce, "__reduce__($self, /)", "Return state information for pickling">(),
    {},
};
PyMemberDef item_getter_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(ItemGetterObject, vectorcall), READONLY, nullptr},
    {},
};
PyType_Slot item_getter_slots[] = {
    {Py_tp_doc, const_cast<char*>("itemgetter(item, ...) --> itemgetter object\n\n"
                                  "itemgetter(2)(r) is r[2]; itemgetter(2, 5, 3)(r) is (r[2], r[5], r[3]).")},
    {Py_tp_dealloc, reinterpret_cast<void*>(heap_dealloc<item_getter_clear>)},
    {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
    {Py_tp_traverse, reinterpret_cast<void*>(item_getter_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(item_getter_clear)},
    {Py_tp_methods, item_getter_methods},
    {Py_tp_members, item_getter_members},
    {Py_tp_new, reinterpret_cast<void*>(item_getter_new)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_repr, reinterpret_cast<void*>(item_getter_repr)},
    {0, nullptr},
};
constexpr unsigned kCallableFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
                                    Py_TPFLAGS_HAVE_VECTORCALL;
PyType_Spec item_getter_spec = {"operator.itemgetter", sizeof(ItemGetterObject), 0, kCallableFlags, item_getter_slots};

// ---- attrgetter --------------------------------------------------------------------------------------------------

struct AttrGetterObject {
  PyObject_HEAD
  Py_ssize_t count;
  PyObject* attributes;  // a tuple: for each argument an interned str, or a tuple of them for a dotted name
  vectorcallfunc vectorcall;
};
ALWAYS_INLINE AttrGetterObject* as_attr_getter(PyObject* object) { return reinterpret_cast<AttrGetterObject*>(object); }

/// "a.b.c" as ("a", "b", "c"), a name without dots as itself; interned.
Ref<> split_name(PyObject* name) {
  if (!PyUnicode_Check(name)) return raise(PyExc_TypeError, "attribute name must be a string");
  if (PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1) < 0) {
    PyObject* interned = Py_NewRef(name);
    if (PyUnicode_CheckExact(name)) PyUnicode_InternInPlace(&interned);
    return Ref<>::steal(interned);
  }
  Ref<> dot = Ref<>::steal(PyUnicode_FromString("."));
  Ref<> parts = dot ? Ref<>::steal(PyUnicode_Split(name, dot.get(), -1)) : nullptr;
  if (!parts) return nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(parts.get()); i++) {
    PyUnicode_InternInPlace(&reinterpret_cast<PyListObject*>(parts.get())->ob_item[i]);
  }
  return Ref<>::steal(PyList_AsTuple(parts.get()));
}
Ref<> get_attribute(PyObject* object, PyObject* path) {
  if (PyUnicode_Check(path)) return Ref<>::steal(PyObject_GetAttr(object, path));
  Ref<> value = Ref<>::dup(object);
  for (Py_ssize_t i = 0; value && i < PyTuple_GET_SIZE(path); i++) {
    value = Ref<>::steal(PyObject_GetAttr(value.get(), PyTuple_GET_ITEM(path, i)));
  }
  return value;
}
PyObject* attr_getter_call(PyObject* object, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (!_PyArg_NoKwnames("attrgetter", kwnames)) return nullptr;
  if (!_PyArg_CheckPositional("attrgetter", PyVectorcall_NARGS(nargsf), 1, 1)) return nullptr;
  AttrGetterObject* self = as_attr_getter(object);
  if (self->count == 1) return get_attribute(args[0], PyTuple_GET_ITEM(self->attributes, 0)).release();
  Ref<> result = Ref<>::steal(PyTuple_New(self->count));
  if (!result) return nullptr;
  for (Py_ssize_t i = 0; i < self->count; i++) {
    Ref<> value = get_attribute(args[0], PyTuple_GET_ITEM(self->attributes, i));
    if (!value) return nullptr;
    PyTuple_SET_ITEM(result.get(), i, value.release());
  }
  return result.release();
}
PyObject* attr_getter_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (!_PyArg_NoKeywords("attrgetter", kwargs)) return nullptr;
  const Py_ssize_t count = PyTuple_GET_SIZE(args);
  PyObject* only;
  if (count <= 1 && !PyArg_UnpackTuple(args, "attrgetter", 1, 1, &only)) return nullptr;
  Ref<> attributes = Ref<>::steal(PyTuple_New(count));
  if (!attributes) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) {
    Ref<> path = split_name(PyTuple_GET_ITEM(args, i));
    if (!path) return nullptr;
    PyTuple_SET_ITEM(attributes.get(), i, path.release());
  }
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  as_attr_getter(self)->attributes = attributes.release();
  as_attr_getter(self)->count = count;
  as_attr_getter(self)->vectorcall = attr_getter_call;
  return self;
}
int attr_getter_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as_attr_getter(self)->attributes);
  return 0;
}
int attr_getter_clear(PyObject* self) {
  Py_CLEAR(as_attr_getter(self)->attributes);
  return 0;
}
/// The arguments as they were given.
Ref<> attr_getter_arguments(AttrGetterObject* self) {
  Ref<> result = Ref<>::steal(PyTuple_New(self->count));
  Ref<> dot = result ? Ref<>::steal(PyUnicode_FromString(".")) : nullptr;
  if (!dot) return nullptr;
  for (Py_ssize_t i = 0; i < self->count; i++) {
    PyObject* path = PyTuple_GET_ITEM(self->attributes, i);
    PyObject* name = PyUnicode_Check(path) ? Py_NewRef(path) : PyUnicode_Join(dot.get(), path);
    if (name == nullptr) return nullptr;
    PyTuple_SET_ITEM(result.get(), i, name);
  }
  return result;
}
PyObject* attr_getter_repr(PyObject* object) {
  return guarded_repr(object, [object]() -> PyObject* {
    AttrGetterObject* self = as_attr_getter(object);
    Ref<> arguments = attr_getter_arguments(self);
    if (!arguments) return nullptr;
    const char* name = Py_TYPE(object)->tp_name;
    return self->count == 1 ? PyUnicode_FromFormat("%s(%R)", name, PyTuple_GET_ITEM(arguments.get(), 0))
                            : PyUnicode_FromFormat("%s%R", name, arguments.get());
  });
}
PyObject* attr_getter_reduce(PyObject* object) {
  Ref<> arguments = attr_getter_arguments(as_attr_getter(object));
  return arguments ? PyTuple_Pack(2, Py_TYPE(object), arguments.get()) : nullptr;
}
PyMethodDef attr_getter_methods[] = {
    method<attr_getter_reduce, "__reduce__($self, /)", "Return state information for pickling">(),
    {},
};
PyMemberDef attr_getter_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(AttrGetterObject, vectorcall), READONLY, nullptr},
    {},
};
PyType_Slot attr_getter_slots[] = {
    {Py_tp_doc, const_cast<char*>("attrgetter(attr, ...) --> attrgetter object\n\n"
                                  "attrgetter('name')(r) is r.name; dotted names go deeper; several names give a tuple.")},
    {Py_tp_dealloc, reinterpret_cast<void*>(heap_dealloc<attr_getter_clear>)},
    {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
    {Py_tp_traverse, reinterpret_cast<void*>(attr_getter_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(attr_getter_clear)},
    {Py_tp_methods, attr_getter_methods},
    {Py_tp_members, attr_getter_members},
    {Py_tp_new, reinterpret_cast<void*>(attr_getter_new)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_repr, reinterpret_cast<void*>(attr_getter_repr)},
    {0, nullptr},
};
PyType_Spec attr_getter_spec = {"operator.attrgetter", sizeof(AttrGetterObject), 0, kCallableFlags, attr_getter_slots};

// ---- methodcaller ------------------------------------------------------------------------------------------------

struct MethodCallerObject {
  PyObject_HEAD
  PyObject* name;
  PyObject* args;    // a tuple
  PyObject* kwargs;  // a dict or null
};
ALWAYS_INLINE MethodCallerObject* as_caller(PyObject* object) { return reinterpret_cast<MethodCallerObject*>(object); }

PyObject* caller_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (PyTuple_GET_SIZE(args) < 1) {
    PyErr_SetString(PyExc_TypeError, "methodcaller needs at least one argument, the method name");
    return nullptr;
  }
  PyObject* name = PyTuple_GET_ITEM(args, 0);
  if (!PyUnicode_Check(name)) {
    PyErr_SetString(PyExc_TypeError, "method name must be a string");
    return nullptr;
  }
  Ref<> rest = Ref<>::steal(PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)));
  if (!rest) return nullptr;
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  Py_INCREF(name);
  if (PyUnicode_CheckExact(name)) PyUnicode_InternInPlace(&name);
  as_caller(self)->name = name;
  as_caller(self)->kwargs = Py_XNewRef(kwargs);
  as_caller(self)->args = rest.release();
  return self;
}
PyObject* caller_call(PyObject* object, PyObject* args, PyObject* kwargs) {
  if (!_PyArg_NoKeywords("methodcaller", kwargs)) return nullptr;
  if (!_PyArg_CheckPositional("methodcaller", PyTuple_GET_SIZE(args), 1, 1)) return nullptr;
  MethodCallerObject* self = as_caller(object);
  PyObject* target = PyTuple_GET_ITEM(args, 0);
  const Py_ssize_t count = PyTuple_GET_SIZE(self->args);
  if (self->kwargs == nullptr && count < 8) {
    // FAST: no bound method is made.
    PyObject* vector[9];
    vector[0] = target;
    for (Py_ssize_t i = 0; i < count; i++) vector[i + 1] = PyTuple_GET_ITEM(self->args, i);
    return PyObject_VectorcallMethod(self->name, vector, static_cast<size_t>(count + 1), nullptr);
  }
  Ref<> function = Ref<>::steal(PyObject_GetAttr(target, self->name));
  return function ? PyObject_Call(function.get(), self->args, self->kwargs) : nullptr;
}
int caller_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as_caller(self)->args);
  Py_VISIT(as_caller(self)->kwargs);
  return 0;
}
int caller_clear(PyObject* self) {
  Py_CLEAR(as_caller(self)->name);
  Py_CLEAR(as_caller(self)->args);
  Py_CLEAR(as_caller(self)->kwargs);
  return 0;
}
Ref<> describe_arguments(MethodCallerObject* self) {
  Ref<> parts = Ref<>::steal(PyList_New(0));
  auto add = [&](PyObject* text) {
    Ref<> owner = Ref<>::steal(text);
    return owner && PyList_Append(parts.get(), owner.get()) == 0;
  };
  if (!parts || !add(PyObject_Repr(self->name))) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->args); i++) {
    if (!add(PyObject_Repr(PyTuple_GET_ITEM(self->args, i)))) return nullptr;
  }
  Py_ssize_t position = 0;
  PyObject *key, *value;
  while (self->kwargs != nullptr && PyDict_Next(self->kwargs, &position, &key, &value)) {
    if (!add(PyUnicode_FromFormat("%U=%R", key, value))) return nullptr;
  }
  Ref<> comma = Ref<>::steal(PyUnicode_FromString(", "));
  return comma ? Ref<>::steal(PyUnicode_Join(comma.get(), parts.get())) : nullptr;
}
PyObject* caller_repr(PyObject* object) {
  return guarded_repr(object, [object]() -> PyObject* {
    Ref<> arguments = describe_arguments(as_caller(object));
    return arguments ? PyUnicode_FromFormat("%s(%U)", Py_TYPE(object)->tp_name, arguments.get()) : nullptr;
  });
}
PyObject* caller_reduce(PyObject* object) {
  MethodCallerObject* self = as_caller(object);
  Ref<> all = Ref<>::steal(PyTuple_New(PyTuple_GET_SIZE(self->args) + 1));
  if (!all) return nullptr;
  PyTuple_SET_ITEM(all.get(), 0, Py_NewRef(self->name));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->args); i++) {
    PyTuple_SET_ITEM(all.get(), i + 1, Py_NewRef(PyTuple_GET_ITEM(self->args, i)));
  }
  if (self->kwargs == nullptr || PyDict_GET_SIZE(self->kwargs) == 0) {
    return PyTuple_Pack(2, Py_TYPE(object), all.get());
  }
  // Keywords go through functools.partial.
  Ref<> functools = Ref<>::steal(PyImport_ImportModule("functools"));
  Ref<> partial = functools ? Ref<>::steal(PyObject_GetAttrString(functools.get(), "partial")) : nullptr;
  if (!partial) return nullptr;
  PyObject* vector[2] = {as_object(Py_TYPE(object)), self->name};
  Ref<> constructor = Ref<>::steal(PyObject_VectorcallDict(partial.get(), vector, 2, self->kwargs));
  return constructor ? PyTuple_Pack(2, constructor.get(), self->args) : nullptr;
}
PyMethodDef caller_methods[] = {
    method<caller_reduce, "__reduce__($self, /)", "Return state information for pickling">(),
    {},
};
PyType_Slot caller_slots[] = {
    {Py_tp_doc, const_cast<char*>("methodcaller(name, ...) --> methodcaller object\n\n"
                                  "methodcaller('name', 'foo', bar=1)(r) is r.name('foo', bar=1).")},
    {Py_tp_dealloc, reinterpret_cast<void*>(heap_dealloc<caller_clear>)},
    {Py_tp_call, reinterpret_cast<void*>(caller_call)},
    {Py_tp_traverse, reinterpret_cast<void*>(caller_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(caller_clear)},
    {Py_tp_methods, caller_methods},
    {Py_tp_new, reinterpret_cast<void*>(caller_new)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_repr, reinterpret_cast<void*>(caller_repr)},
    {0, nullptr},
};
PyType_Spec caller_spec = {
    "operator.methodcaller", sizeof(MethodCallerObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, caller_slots,
};

// ---- Module ------------------------------------------------------------------------------------------------------

int operator_exec(PyObject* module) {
  for (PyType_Spec* spec : {&attr_getter_spec, &item_getter_spec, &caller_spec}) {
    Ref<> type = Ref<>::steal(PyType_FromModuleAndSpec(module, spec, nullptr));
    if (!type || PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type.get())) < 0) return -1;
  }
  return 0;
}
PyModuleDef_Slot operator_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(operator_exec)}, {0, nullptr}};
PyModuleDef operator_module = {
    PyModuleDef_HEAD_INIT, "_operator", "Operator interface: the operators of Python as functions.", 0,
    operator_functions, operator_slots, nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__operator(void) { return PyModuleDef_Init(&pyston::operator_module); }
