// functools.partial: a callable with some arguments filled in.
#include "Lib/native/_functools/functools.h"

namespace pyston {
namespace {

struct PartialObject {
  PyObject_HEAD
  PyObject* function;
  PyObject* args;    // a tuple
  PyObject* kwargs;  // a dict
  PyObject* dict;
  PyObject* weakreflist;
  vectorcallfunc vectorcall;  // null after __setstate__ with an odd function
};
ALWAYS_INLINE PartialObject* as_partial(PyObject* object) { return reinterpret_cast<PartialObject*>(object); }

/// Keywords of the call over those of the partial, as a dict.
PyObject* call_with_keywords(PartialObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  Ref<> kwargs = Ref<>::steal(PyDict_Copy(self->kwargs));
  if (!kwargs) return nullptr;
  const Py_ssize_t keywords = kwnames != nullptr ? PyTuple_GET_SIZE(kwnames) : 0;
  for (Py_ssize_t i = 0; i < keywords; i++) {
    if (PyDict_SetItem(kwargs.get(), PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0) return nullptr;
  }
  const Py_ssize_t bound = PyTuple_GET_SIZE(self->args);
  Ref<> all = Ref<>::steal(PyTuple_New(bound + nargs));
  if (!all) return nullptr;
  for (Py_ssize_t i = 0; i < bound; i++) PyTuple_SET_ITEM(all.get(), i, Py_NewRef(PyTuple_GET_ITEM(self->args, i)));
  for (Py_ssize_t i = 0; i < nargs; i++) PyTuple_SET_ITEM(all.get(), bound + i, Py_NewRef(args[i]));
  return PyObject_Call(self->function, all.get(), kwargs.get());
}

PyObject* partial_vectorcall(PyObject* object, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  PartialObject* self = as_partial(object);
  const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (UNLIKELY(PyDict_GET_SIZE(self->kwargs) != 0)) return call_with_keywords(self, args, nargs, kwnames);
  const Py_ssize_t bound = PyTuple_GET_SIZE(self->args);
  const Py_ssize_t total = nargs + (kwnames != nullptr ? PyTuple_GET_SIZE(kwnames) : 0);
  PyObject* const* bound_args = reinterpret_cast<PyTupleObject*>(self->args)->ob_item;
  if (total == 0) return PyObject_Vectorcall(self->function, bound_args, static_cast<size_t>(bound), nullptr);
  if (bound == 0) return PyObject_Vectorcall(self->function, args, nargsf, kwnames);
  // FAST: the caller left a place in front of its arguments.
  if (bound == 1 && (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET)) {
    PyObject** place = const_cast<PyObject**>(args) - 1;
    PyObject* saved = std::exchange(*place, bound_args[0]);
    PyObject* result = PyObject_Vectorcall(self->function, place, static_cast<size_t>(nargs + 1), kwnames);
    *place = saved;
    return result;
  }
  PyObject* few[16];
  PyObject** all = few;
  if (bound + total > 16) {
    all = PyMem_New(PyObject*, static_cast<size_t>(bound + total));
    if (all == nullptr) return PyErr_NoMemory();
  }
  Ref<> args_owner = Ref<>::dup(self->args);  // __setstate__ may come in between
  memcpy(all, bound_args, static_cast<size_t>(bound) * sizeof(PyObject*));
  memcpy(all + bound, args, static_cast<size_t>(total) * sizeof(PyObject*));
  PyObject* result = PyObject_Vectorcall(self->function, all, static_cast<size_t>(bound + nargs), kwnames);
  if (all != few) PyMem_Free(all);
  return result;
}

PyObject* partial_call(PyObject* object, PyObject* args, PyObject* kwargs) {
  PartialObject* self = as_partial(object);
  Ref<> all_kwargs = Ref<>::steal(PyDict_Copy(self->kwargs));
  if (!all_kwargs || (kwargs != nullptr && PyDict_Merge(all_kwargs.get(), kwargs, 1) < 0)) return nullptr;
  Ref<> all = Ref<>::steal(PySequence_Concat(self->args, args));
  if (!all) return nullptr;
  const bool any = PyDict_GET_SIZE(all_kwargs.get()) != 0;
  return PyObject_Call(self->function, all.get(), any ? all_kwargs.get() : nullptr);
}

PyObject* partial_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (PyTuple_GET_SIZE(args) < 1) {
    PyErr_SetString(PyExc_TypeError, "type 'partial' takes at least one argument");
    return nullptr;
  }
  PyObject* function = PyTuple_GET_ITEM(args, 0);
  PyObject *inner_args = nullptr, *inner_kwargs = nullptr;
  // A partial of a partial is flattened, unless somebody hung attributes on it.
  if (Py_TYPE(function)->tp_call == partial_call && as_partial(function)->dict == nullptr) {
    inner_args = as_partial(function)->args;
    inner_kwargs = as_partial(function)->kwargs;
    function = as_partial(function)->function;
  }
  if (!PyCallable_Check(function)) {
    PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
    return nullptr;
  }
  Ref<> own_args = Ref<>::steal(PyTuple_GetSlice(args, 1, PY_SSIZE_T_MAX));
  if (own_args && inner_args != nullptr && PyTuple_GET_SIZE(inner_args) > 0) {
    own_args = Ref<>::steal(PySequence_Concat(inner_args, own_args.get()));
  }
  if (!own_args) return nullptr;
  Ref<> own_kwargs = Ref<>::steal(inner_kwargs != nullptr ? PyDict_Copy(inner_kwargs) : PyDict_New());
  if (!own_kwargs || (kwargs != nullptr && PyDict_Merge(own_kwargs.get(), kwargs, 1) < 0)) return nullptr;
  PyObject* object = type->tp_alloc(type, 0);
  if (object == nullptr) return nullptr;
  PartialObject* self = as_partial(object);
  self->function = Py_NewRef(function);
  self->args = own_args.release();
  self->kwargs = own_kwargs.release();
  self->dict = nullptr;
  self->weakreflist = nullptr;
  self->vectorcall = partial_vectorcall;
  return object;
}

int partial_clear(PyObject* self) {
  Py_CLEAR(as_partial(self)->function);
  Py_CLEAR(as_partial(self)->args);
  Py_CLEAR(as_partial(self)->kwargs);
  Py_CLEAR(as_partial(self)->dict);
  return 0;
}
int partial_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as_partial(self)->function);
  Py_VISIT(as_partial(self)->args);
  Py_VISIT(as_partial(self)->kwargs);
  Py_VISIT(as_partial(self)->dict);
  return 0;
}
void partial_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (as_partial(self)->weakreflist != nullptr) PyObject_ClearWeakRefs(self);
  partial_clear(self);
  type->tp_free(self);
  Py_DECREF(as_object(type));
}

Ref<> describe(PartialObject* self, const char* name) {
  Ref<> text = Ref<>::steal(PyUnicode_FromFormat("%s(%R", name, self->function));
  for (Py_ssize_t i = 0; text && i < PyTuple_GET_SIZE(self->args); i++) {
    text = Ref<>::steal(PyUnicode_FromFormat("%U, %R", text.get(), PyTuple_GET_ITEM(self->args, i)));
  }
  Py_ssize_t position = 0;
  PyObject *key, *value;
  while (text && PyDict_Next(self->kwargs, &position, &key, &value)) {
    Ref<> key_owner = Ref<>::dup(key), value_owner = Ref<>::dup(value);
    text = Ref<>::steal(PyUnicode_FromFormat("%U, %S=%R", text.get(), key, value));
  }
  return text ? Ref<>::steal(PyUnicode_FromFormat("%U)", text.get())) : nullptr;
}
PyObject* partial_repr(PyObject* self) {
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered > 0 ? PyUnicode_FromString("...") : nullptr;
  // Only the class itself is shown with its module; tp_name of a subclass has none.
  Ref<> text = describe(as_partial(self), Py_TYPE(self)->tp_name);
  Py_ReprLeave(self);
  return text.release();
}

PyObject* partial_reduce(PyObject* object) {
  PartialObject* self = as_partial(object);
  return Py_BuildValue("O(O)(OOOO)", Py_TYPE(object), self->function, self->function, self->args, self->kwargs,
                       self->dict != nullptr ? self->dict : Py_None);
}
PyObject* partial_setstate(PyObject* object, PyObject* state) {
  PyObject *function, *args, *kwargs, *dict;
  if (!PyTuple_Check(state)) {
    PyErr_SetString(PyExc_TypeError, "invalid partial state");
    return nullptr;
  }
  if (!PyArg_ParseTuple(state, "OOOO", &function, &args, &kwargs, &dict) || !PyCallable_Check(function) ||
      !PyTuple_Check(args) || (kwargs != Py_None && !PyDict_Check(kwargs))) {
    PyErr_SetString(PyExc_TypeError, "invalid partial state");
    return nullptr;
  }
  Ref<> new_args = PyTuple_CheckExact(args) ? Ref<>::dup(args) : Ref<>::steal(PySequence_Tuple(args));
  Ref<> new_kwargs = kwargs == Py_None          ? Ref<>::steal(PyDict_New())
                     : PyDict_CheckExact(kwargs) ? Ref<>::dup(kwargs)
                                                 : Ref<>::steal(PyDict_Copy(kwargs));
  if (!new_args || !new_kwargs) return nullptr;
  PartialObject* self = as_partial(object);
  PyObject* new_dict = dict == Py_None ? nullptr : Py_NewRef(dict);
  Ref<> old_function = Ref<>::steal(std::exchange(self->function, Py_NewRef(function)));
  Ref<> old_args = Ref<>::steal(std::exchange(self->args, new_args.release()));
  Ref<> old_kwargs = Ref<>::steal(std::exchange(self->kwargs, new_kwargs.release()));
  Ref<> old_dict = Ref<>::steal(std::exchange(self->dict, new_dict));
  Py_RETURN_NONE;
}

PyMethodDef partial_methods[] = {
    method<partial_reduce, "__reduce__($self, /)">(),
    method<partial_setstate, "__setstate__($self, state, /)">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "partial[X], for annotations."},
    {},
};
PyMemberDef partial_members[] = {
    {"func", T_OBJECT, offsetof(PartialObject, function), READONLY, "the function that is called"},
    {"args", T_OBJECT, offsetof(PartialObject, args), READONLY, "positional arguments put in front"},
    {"keywords", T_OBJECT, offsetof(PartialObject, kwargs), READONLY, "keyword arguments added"},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PartialObject, weakreflist), READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(PartialObject, dict), READONLY, nullptr},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(PartialObject, vectorcall), READONLY, nullptr},
    {},
};
PyGetSetDef partial_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {},
};
PyType_Slot partial_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(partial_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(partial_repr)},
    {Py_tp_call, reinterpret_cast<void*>(partial_call)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_setattro, reinterpret_cast<void*>(PyObject_GenericSetAttr)},
    {Py_tp_doc, const_cast<char*>("partial(func, *args, **keywords) - new function with partial application\n"
                                  "    of the given arguments and keywords.\n")},
    {Py_tp_traverse, reinterpret_cast<void*>(partial_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(partial_clear)},
    {Py_tp_methods, partial_methods},
    {Py_tp_members, partial_members},
    {Py_tp_getset, partial_getset},
    {Py_tp_new, reinterpret_cast<void*>(partial_new)},
    {Py_tp_free, reinterpret_cast<void*>(PyObject_GC_Del)},
    {0, nullptr},
};
PyType_Spec partial_spec = {
    "functools.partial", sizeof(PartialObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE |
        Py_TPFLAGS_HAVE_VECTORCALL,
    partial_slots,
};

}  // namespace

int add_partial_type(PyObject* module) {
  Ref<> type = Ref<>::steal(PyType_FromModuleAndSpec(module, &partial_spec, nullptr));
  return type ? PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type.get())) : -1;
}

}  // namespace pyston
