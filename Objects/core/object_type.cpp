// The type `object`: what every class inherits. Pickling support is in object_reduce.cpp.
#include "Objects/bind.h"
#include "Objects/core/object_reduce.h"
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_pyerrors.h"

namespace pyston {
namespace {

bool has_arguments(PyObject* args, PyObject* kwargs) {
  return PyTuple_GET_SIZE(args) != 0 || (kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0);
}

}  // namespace

PyObject* raise_abstract_instantiation(PyTypeObject* type) {
  auto methods = Ref<>::steal(PyObject_GetAttr(as_object(type), &_Py_ID(__abstractmethods__)));
  if (!methods) return nullptr;
  auto sorted = Ref<>::steal(PySequence_List(methods.get()));
  if (!sorted || PyList_Sort(sorted.get()) < 0) return nullptr;
  auto joined = Ref<>::steal(PyUnicode_Join(&_Py_STR(comma_sep), sorted.get()));
  if (!joined) return nullptr;
  PyErr_Format(PyExc_TypeError, "Can't instantiate abstract class %s with abstract method%s %U", type->tp_name,
               PyList_GET_SIZE(sorted.get()) > 1 ? "s" : "", joined.get());
  return nullptr;
}

// Excess arguments are an error unless the class redefines exactly the other one of `__new__` and `__init__`.
PyObject* object_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (UNLIKELY(has_arguments(args, kwargs))) {
    if (type->tp_new != object_new) {
      PyErr_SetString(PyExc_TypeError, "object.__new__() takes exactly one argument (the type to instantiate)");
      return nullptr;
    }
    if (type->tp_init == object_init) {
      PyErr_Format(PyExc_TypeError, "%.200s() takes no arguments", type->tp_name);
      return nullptr;
    }
  }
  if (UNLIKELY(has_feature(type, Py_TPFLAGS_IS_ABSTRACT))) return raise_abstract_instantiation(type);
  PyObject* object = type->tp_alloc(type, 0);
  if (object == nullptr) return nullptr;
  if (_PyObject_InitializeDict(object) < 0) {
    Py_DECREF(object);
    return nullptr;
  }
  return object;
}

int object_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (LIKELY(!has_arguments(args, kwargs))) return 0;
  PyTypeObject* type = Py_TYPE(self);
  if (type->tp_init != object_init) {
    PyErr_SetString(PyExc_TypeError, "object.__init__() takes exactly one argument (the instance to initialize)");
    return -1;
  }
  if (type->tp_new == object_new) {
    PyErr_Format(PyExc_TypeError, "%.200s.__init__() takes exactly one argument (the instance to initialize)",
                 type->tp_name);
    return -1;
  }
  return 0;
}

PyObject* object_repr(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject* module;
  if (_PyObject_LookupAttr(as_object(type), &_Py_ID(__module__), &module) < 0) PyErr_Clear();
  auto owner = Ref<>::steal(module);
  auto qualified = Ref<>::steal(PyType_GetQualName(type));
  if (!qualified) return nullptr;
  if (module != nullptr && PyUnicode_Check(module) && !_PyUnicode_Equal(module, &_Py_ID(builtins))) {
    return PyUnicode_FromFormat("<%U.%U object at %p>", module, qualified.get(), self);
  }
  return PyUnicode_FromFormat("<%s object at %p>", type->tp_name, self);
}

PyObject* object_str(PyObject* self) {
  reprfunc repr = Py_TYPE(self)->tp_repr;
  return repr == nullptr ? object_repr(self) : repr(self);
}

namespace {

void object_dealloc(PyObject* self) { Py_TYPE(self)->tp_free(self); }

PyObject* object_richcompare(PyObject* self, PyObject* other, int op) {
  if (op == Py_EQ) return Py_NewRef(self == other ? Py_True : Py_NotImplemented);
  if (op == Py_NE && Py_TYPE(self)->tp_richcompare != nullptr) {
    // The opposite of whatever the class says about equality.
    PyObject* equal = Py_TYPE(self)->tp_richcompare(self, other, Py_EQ);
    if (equal == nullptr || equal == Py_NotImplemented) return equal;
    int truth = PyObject_IsTrue(equal);
    Py_DECREF(equal);
    return truth < 0 ? nullptr : Py_NewRef(truth ? Py_False : Py_True);
  }
  return Py_NewRef(Py_NotImplemented);
}

PyObject* get_class(PyObject* self, void*) { return Py_NewRef(as_object(Py_TYPE(self))); }


Ref<> object_format(Borrowed<> self, Borrowed<PyUnicodeObject> format_spec) {
  if (PyUnicode_GET_LENGTH(format_spec.object()) > 0) {
    return raise(PyExc_TypeError, "unsupported format string passed to %.200s.__format__", Py_TYPE(self)->tp_name);
  }
  return Ref<>::steal(PyObject_Str(self));
}

Ref<> object_sizeof(Borrowed<> self) {
  Py_ssize_t size = Py_TYPE(self)->tp_basicsize;
  Py_ssize_t item_size = Py_TYPE(self)->tp_itemsize;
  if (item_size > 0) size += Py_SIZE(self.get()) * item_size;
  return Ref<>::steal(PyLong_FromSsize_t(size));
}

Ref<> object_dir(Borrowed<> self) {
  PyObject* own;
  if (_PyObject_LookupAttr(self, &_Py_ID(__dict__), &own) < 0) return nullptr;
  auto owner = Ref<>::steal(own);
  auto names = VM_TRY(Ref<>::steal(own != nullptr && PyDict_Check(own) ? PyDict_Copy(own) : PyDict_New()));
  PyObject* cls;
  if (_PyObject_LookupAttr(self, &_Py_ID(__class__), &cls) < 0) return nullptr;
  auto class_owner = Ref<>::steal(cls);
  if (cls != nullptr) VM_CHECK(merge_class_dict(names.get(), cls));
  return Ref<>::steal(PyDict_Keys(names.get()));
}

PyMethodDef object_methods[] = {
    method<object_reduce_ex, "__reduce_ex__($self, protocol, /)", "Helper for pickle.">(),
    method<object_reduce, "__reduce__($self, /)", "Helper for pickle.">(),
    method<object_getstate, "__getstate__($self, /)", "Helper for pickle.">(),
    {"__subclasshook__", [](PyObject*, PyObject*) -> PyObject* { return Py_NewRef(Py_NotImplemented); },
     METH_CLASS | METH_VARARGS,
     "Decides what issubclass() with an abstract class says.\n\nCalled early by abc.ABCMeta.__subclasscheck__(); True, "
     "False or\nNotImplemented. The last one means that the usual way decides."},
    {"__init_subclass__", [](PyObject*, PyObject*) -> PyObject* { return Ref<>::none().release(); },
     METH_CLASS | METH_NOARGS,
     "Called when a class is subclassed; does nothing by default. A base class can redefine it to\ninitialise "
     "its subclasses."},
    method<object_format, "__format__($self, format_spec, /)", "Default object formatter.">(),
    method<object_sizeof, "__sizeof__($self, /)", "Size of object in memory, in bytes.">(),
    method<object_dir, "__dir__($self, /)", "Default dir() implementation.">(),
    {}};

PyGetSetDef object_getset[] = {{"__class__", get_class, object_set_class, "the object's class", nullptr}, {}};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyBaseObject_Type = {
    .ob_base = type_head(),
    .tp_name = "object",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = object_dealloc,
    .tp_repr = object_repr,
    .tp_hash = reinterpret_cast<hashfunc>(_Py_HashPointer),
    .tp_str = object_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "object()\n--\n\n"
              "The base class of the class hierarchy.\n\n"
              "When called, it accepts no arguments and returns a new featureless\n"
              "instance that has no instance attributes and cannot be given any.\n",
    .tp_richcompare = object_richcompare,
    .tp_methods = object_methods,
    .tp_getset = object_getset,
    .tp_init = object_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = object_new,
    .tp_free = PyObject_Free,
};
