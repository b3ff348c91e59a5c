// property: a computed attribute from three functions.
#include "Objects/bind.h"
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_pyerrors.h"

using namespace pyston;

namespace {

struct PropertyObject {
  PyObject_HEAD
  PyObject* get;
  PyObject* set;
  PyObject* del;
  PyObject* doc;
  PyObject* name;    // from __set_name__, for error messages
  int getter_doc;    // the doc came from the getter, so a copy with another getter takes that one's
};

PropertyObject* as_property(PyObject* object) { return reinterpret_cast<PropertyObject*>(object); }

COLD PyObject* raise_missing(PyObject* self, PyObject* object, const char* what) {
  PropertyObject* property = as_property(self);
  auto owner = Ref<>::steal(PyType_GetQualName(Py_TYPE(object)));
  if (!owner) return nullptr;
  if (property->name != nullptr) {
    PyErr_Format(PyExc_AttributeError, "property %R of %R object has no %s", property->name, owner.get(), what);
  } else {
    PyErr_Format(PyExc_AttributeError, "property of %R object has no %s", owner.get(), what);
  }
  return nullptr;
}

PyObject* property_get(PyObject* self, PyObject* object, PyObject*) {
  if (object == nullptr || object == Py_None) return Py_NewRef(self);
  PyObject* function = as_property(self)->get;
  if (UNLIKELY(function == nullptr)) return raise_missing(self, object, "getter");
  return PyObject_CallOneArg(function, object);
}

int property_set(PyObject* self, PyObject* object, PyObject* value) {
  PyObject* function = value == nullptr ? as_property(self)->del : as_property(self)->set;
  if (UNLIKELY(function == nullptr)) {
    raise_missing(self, object, value == nullptr ? "deleter" : "setter");
    return -1;
  }
  PyObject* args[] = {nullptr, object, value};
  PyObject* result = PyObject_Vectorcall(function, args + 1, (value == nullptr ? 1 : 2) | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                         nullptr);
  if (result == nullptr) return -1;
  Py_DECREF(result);
  return 0;
}

/// A copy with some functions replaced (null: keep).
Ref<> copy_with(PropertyObject* old, PyObject* get, PyObject* set, PyObject* del) {
  auto choose = [](PyObject* replacement, PyObject* current) {
    if (replacement == nullptr || replacement == Py_None) return current != nullptr ? current : Py_None;
    return replacement;
  };
  PyObject* new_get = choose(get, old->get);
  PyObject* doc = old->getter_doc && new_get != Py_None ? Py_None : (old->doc != nullptr ? old->doc : Py_None);
  auto copy = VM_TRY(Ref<>::steal(PyObject_CallFunctionObjArgs(as_object(Py_TYPE(old)), new_get,
                                                               choose(set, old->set), choose(del, old->del), doc,
                                                               nullptr)));
  if (PyObject_TypeCheck(copy.get(), &PyProperty_Type)) {
    PyObject* name = Py_XNewRef(old->name);
    Py_XSETREF(as_property(copy.get())->name, name);
  }
  return copy;
}

Ref<> property_getter(Borrowed<PropertyObject> self, Borrowed<> function) {
  return copy_with(self, function, nullptr, nullptr);
}
Ref<> property_setter(Borrowed<PropertyObject> self, Borrowed<> function) {
  return copy_with(self, nullptr, function, nullptr);
}
Ref<> property_deleter(Borrowed<PropertyObject> self, Borrowed<> function) {
  return copy_with(self, nullptr, nullptr, function);
}

PyObject* property_set_name(PyObject* self, PyObject* args) {
  if (PyTuple_GET_SIZE(args) != 2) {
    PyErr_Format(PyExc_TypeError, "__set_name__() takes 2 positional arguments but %zd were given",
                 PyTuple_GET_SIZE(args));
    return nullptr;
  }
  PyObject* name = Py_NewRef(PyTuple_GET_ITEM(args, 1));
  Py_XSETREF(as_property(self)->name, name);
  return Ref<>::none().release();
}

PyMethodDef property_methods[] = {
    method<property_getter, "getter($self, fget, /)", "Returns a copy with another getter.">(),
    method<property_setter, "setter($self, fset, /)", "Returns a copy with another setter.">(),
    method<property_deleter, "deleter($self, fdel, /)", "Returns a copy with another deleter.">(),
    {"__set_name__", property_set_name, METH_VARARGS, "Tells the property its name."},
    {}};
// Descriptors to change a property with carry no text signature, as in the reference implementation.

PyMemberDef property_members[] = {{"fget", T_OBJECT, offsetof(PropertyObject, get), READONLY, nullptr},
                                  {"fset", T_OBJECT, offsetof(PropertyObject, set), READONLY, nullptr},
                                  {"fdel", T_OBJECT, offsetof(PropertyObject, del), READONLY, nullptr},
                                  {"__doc__", T_OBJECT, offsetof(PropertyObject, doc), 0, nullptr},
                                  {}};

/// Abstract when any of its functions is.
PyObject* get_is_abstract(PyObject* self, void*) {
  PropertyObject* property = as_property(self);
  for (PyObject* function : {property->get, property->set, property->del}) {
    int abstract = _PyObject_IsAbstract(function);
    if (abstract != 0) return abstract < 0 ? nullptr : Py_NewRef(Py_True);
  }
  return Py_NewRef(Py_False);
}
PyGetSetDef property_getset[] = {{"__isabstractmethod__", get_is_abstract, nullptr, nullptr, nullptr}, {}};

/// Takes over the getter's docstring where none was given.
Status adopt_doc(PropertyObject* self) {
  PyObject* doc;
  int found = _PyObject_LookupAttr(self->get, &_Py_ID(__doc__), &doc);
  if (found <= 0) return found < 0 ? Status::kError : Status::kOk;
  if (Py_TYPE(self) == &PyProperty_Type) {
    Py_XSETREF(self->doc, doc);
  } else {
    // A subclass shows its class's __doc__ through the member, so the instance dict gets the text.
    int status = PyObject_SetAttr(as_object(self), &_Py_ID(__doc__), doc);
    Py_DECREF(doc);
    if (status < 0) return Status::kError;
  }
  self->getter_doc = 1;
  return Status::kOk;
}

Status property_init(Borrowed<PropertyObject> self, PyObject* fget, PyObject* fset, PyObject* fdel, PyObject* doc) {
  auto store = [](PyObject*& field, PyObject* value) {
    PyObject* fresh = value == Py_None ? nullptr : Py_XNewRef(value);
    Py_XSETREF(field, fresh);
  };
  store(self->get, fget);
  store(self->set, fset);
  store(self->del, fdel);
  PyObject* doc_value = Py_XNewRef(doc);
  Py_XSETREF(self->doc, doc_value);
  Py_CLEAR(self->name);
  self->getter_doc = 0;
  if ((doc == nullptr || doc == Py_None) && self->get != nullptr) return adopt_doc(self);
  return Status::kOk;
}

void property_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PropertyObject* property = as_property(self);
  Py_XDECREF(property->get);
  Py_XDECREF(property->set);
  Py_XDECREF(property->del);
  Py_XDECREF(property->doc);
  Py_XDECREF(property->name);
  Py_TYPE(self)->tp_free(self);
}

int property_traverse(PyObject* self, visitproc visit, void* arg) {
  PropertyObject* property = as_property(self);
  Py_VISIT(property->get);
  Py_VISIT(property->set);
  Py_VISIT(property->del);
  Py_VISIT(property->doc);
  Py_VISIT(property->name);
  return 0;
}

int property_clear(PyObject* self) {
  Py_CLEAR(as_property(self)->doc);
  return 0;
}

}  // namespace

PyTypeObject PyProperty_Type = {
    .ob_base = type_head(),
    .tp_name = "property",
    .tp_basicsize = sizeof(PropertyObject),
    .tp_dealloc = property_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "property(fget=None, fset=None, fdel=None, doc=None)\n--\n\n"
              "An attribute computed by functions.\n\n"
              "  fget\n    gives the value\n"
              "  fset\n    stores a value\n"
              "  fdel\n    deletes the attribute\n"
              "  doc\n    docstring\n\n"
              "Mostly used as a decorator:\n\n"
              "class C:\n"
              "    @property\n"
              "    def x(self):\n"
              "        return self._x\n"
              "    @x.setter\n"
              "    def x(self, value):\n"
              "        self._x = value",
    .tp_traverse = property_traverse,
    .tp_clear = property_clear,
    .tp_methods = property_methods,
    .tp_members = property_members,
    .tp_getset = property_getset,
    .tp_descr_get = property_get,
    .tp_descr_set = property_set,
    .tp_init = initializer<property_init, "property($self, fget=None, fset=None, fdel=None, doc=None)">,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};
