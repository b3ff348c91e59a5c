// types.GenericAlias: what `list[int]` is. A proxy of its origin class that remembers the arguments.
//
// Attributes come from the origin, except the few listed in kOwnAttributes. Substitution of type variables follows the
// protocol of typing: objects with __typing_subst__ are variables, __typing_prepare_subst__ may rearrange arguments,
// things with __parameters__ are substituted into by subscripting them.
#include "Objects/bind.h"

#include <internal/pycore_object.h>
#include <internal/pycore_tuple.h>
#include <internal/pycore_unicodeobject.h>
#include <internal/pycore_unionobject.h>

namespace pyston {
namespace {

struct AliasObject {
  PyObject_HEAD
  PyObject* origin;
  PyObject* args;        // a tuple
  PyObject* parameters;  // a tuple, made when first asked for
  PyObject* weakreflist;
  bool starred;  // `*tuple[int]`
  vectorcallfunc vectorcall;
};
ALWAYS_INLINE AliasObject* as_alias(PyObject* object) { return reinterpret_cast<AliasObject*>(object); }

/// obj.name: 1 with *out set, 0 when there is none, -1 on errors other than AttributeError.
int lookup(PyObject* object, PyObject* name, Ref<>* out) {
  PyObject* value;
  if (_PyObject_LookupAttr(object, name, &value) < 0) return -1;
  *out = Ref<>::steal(value);
  return value != nullptr;
}

Py_ssize_t position_of(PyObject* tuple, Py_ssize_t count, PyObject* item) {
  for (Py_ssize_t i = 0; i < count; i++) {
    if (PyTuple_GET_ITEM(tuple, i) == item) return i;
  }
  return -1;
}

// ---- repr --------------------------------------------------------------------------------------------------------

bool write_text(_PyUnicodeWriter* writer, const char* text) {
  return _PyUnicodeWriter_WriteASCIIString(writer, text, static_cast<Py_ssize_t>(strlen(text))) == 0;
}

bool write_item(_PyUnicodeWriter* writer, PyObject* item) {
  if (item == Py_Ellipsis) return write_text(writer, "...");
  Ref<> text, name, module;
  Ref<> origin, args;
  const int has_origin = lookup(item, &_Py_ID(__origin__), &origin);
  if (has_origin < 0) return false;
  const int has_args = has_origin ? lookup(item, &_Py_ID(__args__), &args) : 0;
  if (has_args < 0) return false;
  if (!has_args) {
    if (lookup(item, &_Py_ID(__qualname__), &name) < 0) return false;
    if (name && lookup(item, &_Py_ID(__module__), &module) < 0) return false;
    if (name && module && module.get() != Py_None) {
      if (PyUnicode_Check(module.get()) && _PyUnicode_EqualToASCIIString(module.get(), "builtins")) {
        text = Ref<>::steal(PyObject_Str(name.get()));
      } else {
        text = Ref<>::steal(PyUnicode_FromFormat("%S.%S", module.get(), name.get()));
      }
      return text && _PyUnicodeWriter_WriteStr(writer, text.get()) == 0;
    }
  }
  text = Ref<>::steal(PyObject_Repr(item));
  return text && _PyUnicodeWriter_WriteStr(writer, text.get()) == 0;
}

/// The items of an argument list such as the [int, str] of Callable[[int, str], None].
bool write_list(_PyUnicodeWriter* writer, PyObject* list) {
  if (!write_text(writer, "[")) return false;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
    if (i > 0 && !write_text(writer, ", ")) return false;
    Ref<> item = Ref<>::dup(PyList_GET_ITEM(list, i));
    if (!write_item(writer, item.get())) return false;
  }
  return write_text(writer, "]");
}

bool write_alias(_PyUnicodeWriter* writer, AliasObject* self) {
  if (self->starred && !write_text(writer, "*")) return false;
  if (!write_item(writer, self->origin) || !write_text(writer, "[")) return false;
  const Py_ssize_t count = PyTuple_GET_SIZE(self->args);
  for (Py_ssize_t i = 0; i < count; i++) {
    if (i > 0 && !write_text(writer, ", ")) return false;
    PyObject* item = PyTuple_GET_ITEM(self->args, i);
    if (PyList_Check(item) ? !write_list(writer, item) : !write_item(writer, item)) return false;
  }
  if (count == 0 && !write_text(writer, "()")) return false;
  return write_text(writer, "]");
}

PyObject* alias_repr(PyObject* self) {
  _PyUnicodeWriter writer;
  _PyUnicodeWriter_Init(&writer);
  if (!write_alias(&writer, as_alias(self))) {
    _PyUnicodeWriter_Dealloc(&writer);
    return nullptr;
  }
  return _PyUnicodeWriter_Finish(&writer);
}

// ---- Substitution ------------------------------------------------------------------------------------------------

bool append_unique(PyObject* list, PyObject* item) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
    if (PyList_GET_ITEM(list, i) == item) return true;
  }
  return PyList_Append(list, item) == 0;
}

/// Spreads arguments like *tuple[int, str] into what they stand for. A new tuple.
Ref<> unpack_arguments(PyObject* item) {
  Ref<> result = Ref<>::steal(PyList_New(0));
  if (!result) return nullptr;
  const bool many = PyTuple_Check(item);
  const Py_ssize_t count = many ? PyTuple_GET_SIZE(item) : 1;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* argument = many ? PyTuple_GET_ITEM(item, i) : item;
    Ref<> spread;
    if (!PyType_Check(argument) && lookup(argument, &_Py_ID(__typing_unpacked_tuple_args__), &spread) < 0) {
      return nullptr;
    }
    const bool open_ended = spread && PyTuple_Check(spread.get()) && PyTuple_GET_SIZE(spread.get()) > 0 &&
                            PyTuple_GET_ITEM(spread.get(), PyTuple_GET_SIZE(spread.get()) - 1) == Py_Ellipsis;
    if (spread && spread.get() != Py_None && !open_ended) {
      const Py_ssize_t end = PyList_GET_SIZE(result.get());
      if (PyList_SetSlice(result.get(), end, end, spread.get()) < 0) return nullptr;
    } else if (PyList_Append(result.get(), argument) < 0) {
      return nullptr;
    }
  }
  return Ref<>::steal(PySequence_Tuple(result.get()));
}

/// `object` with its own parameters replaced: object[...] with the values of those among `parameters`.
Ref<> substitute_in(PyObject* object, PyObject* parameters, PyObject* values) {
  Ref<> own;
  if (lookup(object, &_Py_ID(__parameters__), &own) < 0) return nullptr;
  if (!own || !PyTuple_Check(own.get()) || PyTuple_GET_SIZE(own.get()) == 0) return Ref<>::dup(object);
  Ref<> arguments = Ref<>::steal(PyList_New(0));
  if (!arguments) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(own.get()); i++) {
    PyObject* argument = PyTuple_GET_ITEM(own.get(), i);
    const Py_ssize_t found = position_of(parameters, PyTuple_GET_SIZE(parameters), argument);
    if (found >= 0) {
      PyObject* parameter = PyTuple_GET_ITEM(parameters, found);
      argument = PyTuple_GET_ITEM(values, found);
      // A TypeVarTuple (it is iterable) stands for any number of arguments.
      if (Py_TYPE(parameter)->tp_iter != nullptr && PyTuple_Check(argument)) {
        const Py_ssize_t end = PyList_GET_SIZE(arguments.get());
        if (PyList_SetSlice(arguments.get(), end, end, argument) < 0) return nullptr;
        continue;
      }
    }
    if (PyList_Append(arguments.get(), argument) < 0) return nullptr;
  }
  Ref<> tuple = Ref<>::steal(PySequence_Tuple(arguments.get()));
  return tuple ? Ref<>::steal(PyObject_GetItem(object, tuple.get())) : nullptr;
}

int is_unpacked_variadic(PyObject* argument) {
  if (PyType_Check(argument)) return 0;
  Ref<> answer;
  const int found = lookup(argument, &_Py_ID(__typing_is_unpacked_typevartuple__), &answer);
  return found > 0 ? PyObject_IsTrue(answer.get()) : found;
}

// ---- Slots -------------------------------------------------------------------------------------------------------

void alias_dealloc(PyObject* object) {
  AliasObject* self = as_alias(object);
  _PyObject_GC_UNTRACK(object);
  if (self->weakreflist != nullptr) PyObject_ClearWeakRefs(object);
  Py_XDECREF(self->origin);
  Py_XDECREF(self->args);
  Py_XDECREF(self->parameters);
  Py_TYPE(object)->tp_free(object);
}
int alias_traverse(PyObject* object, visitproc visit, void* arg) {
  AliasObject* self = as_alias(object);
  Py_VISIT(self->origin);
  Py_VISIT(self->args);
  Py_VISIT(self->parameters);
  return 0;
}
Py_hash_t alias_hash(PyObject* self) {
  const Py_hash_t origin = PyObject_Hash(as_alias(self)->origin);
  if (origin == -1) return -1;
  const Py_hash_t args = PyObject_Hash(as_alias(self)->args);
  return args == -1 ? -1 : origin ^ args;
}
PyObject* alias_richcompare(PyObject* a, PyObject* b, int op) {
  if (!_PyGenericAlias_Check(a) || !_PyGenericAlias_Check(b) || (op != Py_EQ && op != Py_NE)) {
    Py_RETURN_NOTIMPLEMENTED;
  }
  if (op == Py_NE) {
    PyObject* equal = alias_richcompare(a, b, Py_EQ);
    if (equal == nullptr) return nullptr;
    Py_DECREF(equal);
    return Py_NewRef(equal == Py_True ? Py_False : Py_True);
  }
  if (as_alias(a)->starred != as_alias(b)->starred) Py_RETURN_FALSE;
  const int same_origin = PyObject_RichCompareBool(as_alias(a)->origin, as_alias(b)->origin, Py_EQ);
  if (same_origin < 0) return nullptr;
  if (!same_origin) Py_RETURN_FALSE;
  return PyObject_RichCompare(as_alias(a)->args, as_alias(b)->args, Py_EQ);
}

/// Tells a new instance what it was made by; classes that refuse attributes go without.
PyObject* set_orig_class(PyObject* instance, PyObject* alias) {
  if (instance == nullptr) return nullptr;
  if (PyObject_SetAttr(instance, &_Py_ID(__orig_class__), alias) < 0) {
    if (!PyErr_ExceptionMatches(PyExc_AttributeError) && !PyErr_ExceptionMatches(PyExc_TypeError)) {
      Py_DECREF(instance);
      return nullptr;
    }
    PyErr_Clear();
  }
  return instance;
}
PyObject* alias_vectorcall(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  return set_orig_class(PyObject_Vectorcall(as_alias(self)->origin, args, nargsf, kwnames), self);
}
PyObject* alias_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  return set_orig_class(PyObject_Call(as_alias(self)->origin, args, kwargs), self);
}

constexpr const char* kOwnAttributes[] = {
    "__class__",      "__origin__",       "__args__",
    "__unpacked__",   "__parameters__",   "__typing_unpacked_tuple_args__",
    "__mro_entries__", "__reduce_ex__",   "__reduce__",
    "__copy__",       "__deepcopy__",
};

PyObject* alias_getattro(PyObject* self, PyObject* name) {
  if (PyUnicode_Check(name)) {
    for (const char* own : kOwnAttributes) {
      if (_PyUnicode_EqualToASCIIString(name, own)) return PyObject_GenericGetAttr(self, name);
    }
    return PyObject_GetAttr(as_alias(self)->origin, name);
  }
  return PyObject_GenericGetAttr(self, name);
}

bool ensure_parameters(AliasObject* self) {
  if (self->parameters == nullptr) self->parameters = _Py_make_parameters(self->args);
  return self->parameters != nullptr;
}

PyObject* alias_subscript(PyObject* object, PyObject* item) {
  AliasObject* self = as_alias(object);
  if (!ensure_parameters(self)) return nullptr;
  Ref<> args = Ref<>::steal(_Py_subs_parameters(object, self->args, self->parameters, item));
  if (!args) return nullptr;
  PyObject* result = Py_GenericAlias(self->origin, args.get());
  if (result != nullptr) as_alias(result)->starred = self->starred;
  return result;
}

Ref<> make_alias(PyTypeObject* type, PyObject* origin, PyObject* args) {
  Ref<> arguments = PyTuple_Check(args) ? Ref<>::dup(args) : Ref<>::steal(PyTuple_Pack(1, args));
  if (!arguments) return nullptr;
  PyObject* object = type->tp_alloc(type, 0);
  if (object == nullptr) return nullptr;
  AliasObject* self = as_alias(object);
  self->origin = Py_NewRef(origin);
  self->args = arguments.release();
  self->parameters = nullptr;
  self->weakreflist = nullptr;
  self->starred = false;
  self->vectorcall = PyVectorcall_Function(origin) != nullptr ? alias_vectorcall : nullptr;
  return Ref<>::steal(object);
}

PyObject* alias_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (!_PyArg_NoKeywords("GenericAlias", kwargs)) return nullptr;
  if (!_PyArg_CheckPositional("GenericAlias", PyTuple_GET_SIZE(args), 2, 2)) return nullptr;
  return make_alias(type, PyTuple_GET_ITEM(args, 0), PyTuple_GET_ITEM(args, 1)).release();
}

PyObject* alias_mro_entries(PyObject* self, PyObject*) { return PyTuple_Pack(1, as_alias(self)->origin); }
PyObject* alias_instancecheck(PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError, "isinstance() argument 2 cannot be a parameterized generic");
  return nullptr;
}
PyObject* alias_subclasscheck(PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError, "issubclass() argument 2 cannot be a parameterized generic");
  return nullptr;
}
PyObject* alias_reduce(PyObject* object) {
  AliasObject* self = as_alias(object);
  if (!self->starred) return Py_BuildValue("O(OO)", &Py_GenericAliasType, self->origin, self->args);
  // A starred alias is what iterating over the plain one gives.
  Ref<> plain = Ref<>::steal(Py_GenericAlias(self->origin, self->args));
  Ref<> iterator = plain ? Ref<>::steal(PyObject_GetIter(plain.get())) : nullptr;
  if (!iterator) return nullptr;
  return Py_BuildValue("N(N)", _PyEval_GetBuiltin(&_Py_ID(next)), iterator.release());
}
PyObject* alias_dir(PyObject* self) {
  Ref<> names = Ref<>::steal(PyObject_Dir(as_alias(self)->origin));
  if (!names) return nullptr;
  for (const char* own : kOwnAttributes) {
    Ref<> name = Ref<>::steal(PyUnicode_FromString(own));
    if (!name) return nullptr;
    const int present = PySequence_Contains(names.get(), name.get());
    if (present < 0 || (!present && PyList_Append(names.get(), name.get()) < 0)) return nullptr;
  }
  return names.release();
}
Ref<> alias_parameters(Borrowed<> self) {
  if (!ensure_parameters(as_alias(self))) return nullptr;
  return Ref<>::dup(as_alias(self)->parameters);
}
Ref<> alias_unpacked_args(Borrowed<> self) {
  const bool unpacked_tuple = as_alias(self)->starred && as_alias(self)->origin == as_object(&PyTuple_Type);
  return unpacked_tuple ? Ref<>::dup(as_alias(self)->args) : Ref<>::none();
}

PyMethodDef alias_methods[] = {
    method<alias_mro_entries, "__mro_entries__($self, bases, /)">(),
    method<alias_instancecheck, "__instancecheck__($self, instance, /)">(),
    method<alias_subclasscheck, "__subclasscheck__($self, cls, /)">(),
    method<alias_reduce, "__reduce__($self, /)">(),
    method<alias_dir, "__dir__($self, /)">(),
    {},
};
PyMemberDef alias_members[] = {
    {"__origin__", T_OBJECT, offsetof(AliasObject, origin), READONLY, nullptr},
    {"__args__", T_OBJECT, offsetof(AliasObject, args), READONLY, nullptr},
    {"__unpacked__", T_BOOL, offsetof(AliasObject, starred), READONLY, nullptr},
    {},
};
PyGetSetDef alias_getset[] = {
    getset<alias_parameters>("__parameters__", "Type variables in the GenericAlias."),
    getset<alias_unpacked_args>("__typing_unpacked_tuple_args__", nullptr),
    {},
};
PyMappingMethods alias_as_mapping = {.mp_subscript = alias_subscript};
PyNumberMethods alias_as_number = {.nb_or = _Py_union_type_or};

// ---- Iteration: `*alias` -----------------------------------------------------------------------------------------

struct AliasIterObject {
  PyObject_HEAD
  PyObject* alias;  // null once given
};
PyObject*& iter_alias(PyObject* self) { return reinterpret_cast<AliasIterObject*>(self)->alias; }

PyObject* alias_iter_next(PyObject* self) {
  PyObject* alias = iter_alias(self);
  if (alias == nullptr) return nullptr;
  PyObject* starred = Py_GenericAlias(as_alias(alias)->origin, as_alias(alias)->args);
  if (starred == nullptr) return nullptr;
  as_alias(starred)->starred = true;
  Py_CLEAR(iter_alias(self));
  return starred;
}
void alias_iter_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  Py_XDECREF(iter_alias(self));
  PyObject_GC_Del(self);
}
int alias_iter_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(iter_alias(self));
  return 0;
}
int alias_iter_clear(PyObject* self) {
  Py_CLEAR(iter_alias(self));
  return 0;
}
PyObject* alias_iter_reduce(PyObject* self) {
  PyObject* iter = _PyEval_GetBuiltin(&_Py_ID(iter));
  return iter_alias(self) != nullptr ? Py_BuildValue("N(O)", iter, iter_alias(self)) : Py_BuildValue("N(())", iter);
}
PyMethodDef alias_iter_methods[] = {
    method<alias_iter_reduce, "__reduce__($self, /)">(),
    {},
};
PyTypeObject g_alias_iter_type = {
    .ob_base = type_head(),
    .tp_name = "generic_alias_iterator",
    .tp_basicsize = sizeof(AliasIterObject),
    .tp_dealloc = alias_iter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = alias_iter_traverse,
    .tp_clear = alias_iter_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = alias_iter_next,
    .tp_methods = alias_iter_methods,
};

PyObject* alias_iter(PyObject* self) {
  if (!(g_alias_iter_type.tp_flags & Py_TPFLAGS_READY) && PyType_Ready(&g_alias_iter_type) < 0) return nullptr;
  AliasIterObject* iterator = PyObject_GC_New(AliasIterObject, &g_alias_iter_type);
  if (iterator == nullptr) return nullptr;
  iterator->alias = Py_NewRef(self);
  PyObject_GC_Track(iterator);
  return as_object(iterator);
}

}  // namespace
}  // namespace pyston

using namespace pyston;

/// The type variables in `args` (a tuple), each once, in order of appearance; a new tuple.
PyObject* _Py_make_parameters(PyObject* args) {
  Ref<> found = Ref<>::steal(PyList_New(0));
  if (!found) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
    PyObject* argument = PyTuple_GET_ITEM(args, i);
    // The attributes of a class are about its instances, not about itself.
    if (PyType_Check(argument)) continue;
    Ref<> subst, nested;
    if (lookup(argument, &_Py_ID(__typing_subst__), &subst) < 0) return nullptr;
    if (subst) {
      if (!append_unique(found.get(), argument)) return nullptr;
      continue;
    }
    if (lookup(argument, &_Py_ID(__parameters__), &nested) < 0) return nullptr;
    if (!nested || !PyTuple_Check(nested.get())) continue;
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(nested.get()); k++) {
      if (!append_unique(found.get(), PyTuple_GET_ITEM(nested.get(), k))) return nullptr;
    }
  }
  return PyList_AsTuple(found.get());
}

/// `args` with `parameters` replaced by what `item` (an argument or a tuple of them) gives; a new tuple.
PyObject* _Py_subs_parameters(PyObject* self, PyObject* args, PyObject* parameters, PyObject* item) {
  const Py_ssize_t expected = PyTuple_GET_SIZE(parameters);
  if (expected == 0) return PyErr_Format(PyExc_TypeError, "%R is not a generic class", self);
  Ref<> values = unpack_arguments(item);
  if (!values) return nullptr;
  for (Py_ssize_t i = 0; i < expected; i++) {
    Ref<> prepare;
    if (lookup(PyTuple_GET_ITEM(parameters, i), &_Py_ID(__typing_prepare_subst__), &prepare) < 0) return nullptr;
    if (!prepare || prepare.get() == Py_None) continue;
    Ref<> wrapped =
        PyTuple_Check(values.get()) ? std::move(values) : Ref<>::steal(PyTuple_Pack(1, values.get()));
    if (!wrapped) return nullptr;
    values = Ref<>::steal(PyObject_CallFunctionObjArgs(prepare.get(), self, wrapped.get(), nullptr));
    if (!values) return nullptr;
  }
  if (!PyTuple_Check(values.get())) {
    values = Ref<>::steal(PyTuple_Pack(1, values.get()));
    if (!values) return nullptr;
  }
  const Py_ssize_t given = PyTuple_GET_SIZE(values.get());
  if (given != expected) {
    return PyErr_Format(PyExc_TypeError, "Too %s arguments for %R; actual %zd, expected %zd",
                        given > expected ? "many" : "few", self, given, expected);
  }
  Ref<> result = Ref<>::steal(PyList_New(0));
  if (!result) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
    PyObject* argument = PyTuple_GET_ITEM(args, i);
    if (PyType_Check(argument)) {
      if (PyList_Append(result.get(), argument) < 0) return nullptr;
      continue;
    }
    const int unpack = is_unpacked_variadic(argument);
    if (unpack < 0) return nullptr;
    Ref<> subst, value;
    if (lookup(argument, &_Py_ID(__typing_subst__), &subst) < 0) return nullptr;
    if (subst) {
      const Py_ssize_t index = position_of(parameters, expected, argument);
      value = Ref<>::steal(PyObject_CallOneArg(subst.get(), PyTuple_GET_ITEM(values.get(), index)));
    } else {
      value = substitute_in(argument, parameters, values.get());
    }
    if (!value) return nullptr;
    if (unpack) {
      if (!PyTuple_Check(value.get())) {
        PyErr_Format(PyExc_TypeError, "expected a tuple, not %.200s", Py_TYPE(value.get())->tp_name);
        return nullptr;
      }
      const Py_ssize_t end = PyList_GET_SIZE(result.get());
      if (PyList_SetSlice(result.get(), end, end, value.get()) < 0) return nullptr;
    } else if (PyList_Append(result.get(), value.get()) < 0) {
      return nullptr;
    }
  }
  return PyList_AsTuple(result.get());
}

PyObject* Py_GenericAlias(PyObject* origin, PyObject* args) {
  return make_alias(&Py_GenericAliasType, origin, args).release();
}

PyTypeObject Py_GenericAliasType = {
    .ob_base = type_head(),
    .tp_name = "types.GenericAlias",
    .tp_basicsize = sizeof(AliasObject),
    .tp_dealloc = alias_dealloc,
    .tp_vectorcall_offset = offsetof(AliasObject, vectorcall),
    .tp_repr = alias_repr,
    .tp_as_number = &alias_as_number,
    .tp_as_mapping = &alias_as_mapping,
    .tp_hash = alias_hash,
    .tp_call = alias_call,
    .tp_getattro = alias_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "GenericAlias(origin, args, /)\n--\n\nA class with type arguments, such as list[int].",
    .tp_traverse = alias_traverse,
    .tp_richcompare = alias_richcompare,
    .tp_weaklistoffset = offsetof(AliasObject, weakreflist),
    .tp_iter = alias_iter,
    .tp_methods = alias_methods,
    .tp_members = alias_members,
    .tp_getset = alias_getset,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = alias_new,
    .tp_free = PyObject_GC_Del,
};
