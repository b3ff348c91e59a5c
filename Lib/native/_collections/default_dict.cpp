// collections.defaultdict: a dict that makes missing values by calling a factory.
#include "Lib/native/_collections/collections.h"

namespace pyston {
namespace {

struct DefaultDictObject {
  PyDictObject dict;
  PyObject* factory;  // null or None: missing keys raise
};
ALWAYS_INLINE PyObject*& factory_of(PyObject* self) { return reinterpret_cast<DefaultDictObject*>(self)->factory; }

PyObject* missing(PyObject* self, PyObject* key) {
  PyObject* factory = factory_of(self);
  if (factory == nullptr || factory == Py_None) {
    // The key is the one argument, even when it is a tuple.
    Ref<> arguments = Ref<>::steal(PyTuple_Pack(1, key));
    if (arguments) PyErr_SetObject(PyExc_KeyError, arguments.get());
    return nullptr;
  }
  Ref<> value = Ref<>::steal(PyObject_CallNoArgs(factory));
  if (!value || PyObject_SetItem(self, key, value.get()) < 0) return nullptr;
  return value.release();
}

/// Calls the class with the factory and the items of `source`.
PyObject* new_like(PyObject* self, PyObject* source) {
  PyObject* factory = factory_of(self) != nullptr ? factory_of(self) : Py_None;
  return PyObject_CallFunctionObjArgs(as_object(Py_TYPE(self)), factory, source, nullptr);
}
PyObject* copy(PyObject* self) { return new_like(self, self); }

PyObject* reduce(PyObject* self) {
  PyObject* factory = factory_of(self);
  Ref<> arguments = Ref<>::steal(factory == nullptr || factory == Py_None ? PyTuple_New(0) : PyTuple_Pack(1, factory));
  if (!arguments) return nullptr;
  Ref<> items = Ref<>::steal(PyObject_CallMethodNoArgs(self, &_Py_ID(items)));
  Ref<> iterator = items ? Ref<>::steal(PyObject_GetIter(items.get())) : nullptr;
  if (!iterator) return nullptr;
  return PyTuple_Pack(5, Py_TYPE(self), arguments.get(), Py_None, Py_None, iterator.get());
}

void default_dict_dealloc(PyObject* self) {
  // Untracked before anything is dropped; dict's deallocator does the rest.
  PyObject_GC_UnTrack(self);
  Py_CLEAR(factory_of(self));
  PyDict_Type.tp_dealloc(self);
}
int default_dict_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(factory_of(self));
  return PyDict_Type.tp_traverse(self, visit, arg);
}
int default_dict_clear(PyObject* self) {
  Py_CLEAR(factory_of(self));
  return PyDict_Type.tp_clear(self);
}

PyObject* default_dict_repr(PyObject* self) {
  Ref<> base = Ref<>::steal(PyDict_Type.tp_repr(self));
  if (!base) return nullptr;
  Ref<> factory;
  if (factory_of(self) == nullptr) {
    factory = Ref<>::steal(PyUnicode_FromString("None"));
  } else {
    // A factory that is a bound method of the dict itself would recurse.
    const int entered = Py_ReprEnter(factory_of(self));
    if (entered < 0) return nullptr;
    if (entered > 0) {
      factory = Ref<>::steal(PyUnicode_FromString("..."));
    } else {
      factory = Ref<>::steal(PyObject_Repr(factory_of(self)));
      Py_ReprLeave(factory_of(self));
    }
  }
  if (!factory) return nullptr;
  return PyUnicode_FromFormat("%s(%U, %U)", _PyType_Name(Py_TYPE(self)), factory.get(), base.get());
}

PyObject* default_dict_or(PyObject* left, PyObject* right) {
  const bool left_is_default = PyObject_TypeCheck(left, &g_default_dict_type);
  PyObject* self = left_is_default ? left : right;
  PyObject* other = left_is_default ? right : left;
  if (!PyDict_Check(other)) Py_RETURN_NOTIMPLEMENTED;
  Ref<> result = Ref<>::steal(new_like(self, left));
  if (!result || PyDict_Update(result.get(), right) < 0) return nullptr;
  return result.release();
}

int default_dict_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyObject* factory = nullptr;
  const Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (count > 0) {
    factory = PyTuple_GET_ITEM(args, 0);
    if (!PyCallable_Check(factory) && factory != Py_None) {
      PyErr_SetString(PyExc_TypeError, "first argument must be callable or None");
      return -1;
    }
  }
  Ref<> rest = Ref<>::steal(PySequence_GetSlice(args, 1, PY_SSIZE_T_MAX));
  if (!rest) return -1;
  PyObject* old = std::exchange(factory_of(self), Py_XNewRef(factory));
  const int status = PyDict_Type.tp_init(self, rest.get(), kwargs);
  Py_XDECREF(old);
  return status;
}

PyMethodDef default_dict_methods[] = {
    method<missing, "__missing__($self, key, /)", "Store and return what the factory makes; KeyError without a factory.">(),
    method<copy, "copy($self, /)", "A shallow copy.">(),
    method<copy, "__copy__($self, /)", "A shallow copy.">(),
    method<reduce, "__reduce__($self, /)", "State for pickling.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "defaultdict[K, V], for annotations."},
    {},
};
PyMemberDef default_dict_members[] = {
    {"default_factory", T_OBJECT, offsetof(DefaultDictObject, factory), 0,
     "Called without arguments to make the value of a missing key."},
    {},
};
PyNumberMethods default_dict_as_number = {.nb_or = default_dict_or};

}  // namespace

PyTypeObject g_default_dict_type = {
    .ob_base = type_head(),
    .tp_name = "collections.defaultdict",
    .tp_basicsize = sizeof(DefaultDictObject),
    .tp_dealloc = default_dict_dealloc,
    .tp_repr = default_dict_repr,
    .tp_as_number = &default_dict_as_number,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "defaultdict(default_factory=None, /, [...]) --> dict with default factory\n\n"
              "A missing key gets the value that default_factory() gives. The other arguments are those of dict().",
    .tp_traverse = default_dict_traverse,
    .tp_clear = default_dict_clear,
    .tp_methods = default_dict_methods,
    .tp_members = default_dict_members,
    .tp_base = &PyDict_Type,
    .tp_init = default_dict_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};

}  // namespace pyston
