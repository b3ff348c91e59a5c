// super(): attribute lookup that starts behind a given class in the MRO of an object (or class).
#include "Objects/bind.h"
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_frame.h"
#include "pycore_pyerrors.h"

using namespace pyston;

namespace {

struct SuperObject {
  PyObject_HEAD
  PyTypeObject* type;      // the search starts behind it
  PyObject* object;        // what is bound; null for an unbound super
  PyTypeObject* obj_type;  // whose MRO is searched
};

SuperObject* as_super(PyObject* self) { return reinterpret_cast<SuperObject*>(self); }

/// Searches the MRO of obj_type behind `type`. New reference to the raw attribute, or null (check for an exception).
PyObject* find_behind(SuperObject* self, PyObject* name) {
  PyObject* mro = self->obj_type->tp_mro;
  if (mro == nullptr) return nullptr;
  Py_ssize_t count = PyTuple_GET_SIZE(mro);
  Py_ssize_t i = 0;
  while (i < count - 1 && PyTuple_GET_ITEM(mro, i) != as_object(self->type)) i++;
  i++;
  if (i >= count) return nullptr;
  Py_INCREF(mro);
  PyObject* found = nullptr;
  for (; i < count; i++) {
    PyObject* dict = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(mro, i))->tp_dict;
    found = PyDict_GetItemWithError(dict, name);
    if (found != nullptr) {
      Py_INCREF(found);
      break;
    }
    if (PyErr_Occurred()) break;
  }
  Py_DECREF(mro);
  return found;
}

PyObject* super_getattro(PyObject* self, PyObject* name) {
  SuperObject* super = as_super(self);
  // `super().__class__` is super itself, so that isinstance(super(), X) isn't fooled.
  bool searches = super->obj_type != nullptr &&
                  !(PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) == 9 &&
                    _PyUnicode_Equal(name, &_Py_ID(__class__)));
  if (searches) {
    PyTypeObject* start = super->obj_type;
    PyObject* found = find_behind(super, name);
    if (found != nullptr) {
      descrgetfunc get = Py_TYPE(found)->tp_descr_get;
      if (get == nullptr) return found;
      // A class method call through super(C, cls) binds no instance.
      PyObject* result = get(found, super->object == as_object(start) ? nullptr : super->object, as_object(start));
      Py_DECREF(found);
      return result;
    }
    if (PyErr_Occurred()) return nullptr;
  }
  return PyObject_GenericGetAttr(self, name);
}

/// Which type's MRO serves for binding `object`: its own as a class, its type, or its (faked) `__class__`.
/// New reference, null with TypeError.
PyTypeObject* check_binding(PyTypeObject* type, PyObject* object) {
  if (PyType_Check(object) && PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(object), type)) {
    return reinterpret_cast<PyTypeObject*>(Py_NewRef(object));
  }
  if (PyType_IsSubtype(Py_TYPE(object), type)) {
    return reinterpret_cast<PyTypeObject*>(Py_NewRef(as_object(Py_TYPE(object))));
  }
  PyObject* claimed;
  if (_PyObject_LookupAttr(object, &_Py_ID(__class__), &claimed) < 0) return nullptr;
  if (claimed != nullptr && PyType_Check(claimed) && claimed != as_object(Py_TYPE(object)) &&
      PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(claimed), type)) {
    return reinterpret_cast<PyTypeObject*>(claimed);
  }
  Py_XDECREF(claimed);
  PyErr_SetString(PyExc_TypeError, "super(type, obj): obj must be an instance or subtype of type");
  return nullptr;
}

PyObject* super_descr_get(PyObject* self, PyObject* object, PyObject*) {
  SuperObject* super = as_super(self);
  if (object == nullptr || object == Py_None || super->object != nullptr) return Py_NewRef(self);
  if (Py_TYPE(self) != &PySuper_Type) {
    return PyObject_CallFunctionObjArgs(as_object(Py_TYPE(self)), super->type, object, nullptr);
  }
  PyTypeObject* obj_type = check_binding(super->type, object);
  if (obj_type == nullptr) return nullptr;
  auto* bound = reinterpret_cast<SuperObject*>(PySuper_Type.tp_alloc(&PySuper_Type, 0));
  if (bound == nullptr) {
    Py_DECREF(obj_type);
    return nullptr;
  }
  bound->type = reinterpret_cast<PyTypeObject*>(Py_NewRef(as_object(super->type)));
  bound->object = Py_NewRef(object);
  bound->obj_type = obj_type;
  return as_object(bound);
}

/// super() without arguments: the class from the `__class__` cell, the object from the first parameter. Borrowed.
int arguments_from_frame(_PyInterpreterFrame* frame, PyTypeObject** type_out, PyObject** object_out) {
  PyCodeObject* code = frame->f_code;
  if (code->co_argcount == 0) {
    PyErr_SetString(PyExc_RuntimeError, "super(): no arguments");
    return -1;
  }
  PyObject* first = _PyFrame_GetLocalsArray(frame)[0];
  // The parameter itself may live in a cell, once MAKE_CELL has run.
  if (first != nullptr && (_PyLocals_GetKind(code->co_localspluskinds, 0) & CO_FAST_CELL) && PyCell_Check(first) &&
      _PyInterpreterFrame_LASTI(frame) >= 0) {
    first = PyCell_GET(first);
  }
  if (first == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "super(): arg[0] deleted");
    return -1;
  }
  int first_free = code->co_nlocalsplus - code->co_nfreevars;
  for (int i = first_free; i < code->co_nlocalsplus; i++) {
    PyObject* name = PyTuple_GET_ITEM(code->co_localsplusnames, i);
    if (!_PyUnicode_Equal(name, &_Py_ID(__class__))) continue;
    PyObject* cell = _PyFrame_GetLocalsArray(frame)[i];
    if (cell == nullptr || !PyCell_Check(cell)) {
      PyErr_SetString(PyExc_RuntimeError, "super(): bad __class__ cell");
      return -1;
    }
    PyObject* type = PyCell_GET(cell);
    if (type == nullptr) {
      PyErr_SetString(PyExc_RuntimeError, "super(): empty __class__ cell");
      return -1;
    }
    if (!PyType_Check(type)) {
      PyErr_Format(PyExc_RuntimeError, "super(): __class__ is not a type (%s)", Py_TYPE(type)->tp_name);
      return -1;
    }
    *type_out = reinterpret_cast<PyTypeObject*>(type);
    *object_out = first;
    return 0;
  }
  PyErr_SetString(PyExc_RuntimeError, "super(): __class__ cell not found");
  return -1;
}

int initialize(SuperObject* super, PyTypeObject* type, PyObject* object) {
  PyTypeObject* obj_type = nullptr;
  if (type == nullptr) {
    PyThreadState* tstate = _PyThreadState_GET();
    _PyInterpreterFrame* frame = tstate->cframe->current_frame;
    if (frame == nullptr) {
      PyErr_SetString(PyExc_RuntimeError, "super(): no current frame");
      return -1;
    }
    if (arguments_from_frame(frame, &type, &object) < 0) return -1;
  }
  if (object == Py_None) object = nullptr;
  if (object != nullptr) {
    obj_type = check_binding(type, object);
    if (obj_type == nullptr) return -1;
  }
  Py_INCREF(type);
  Py_XINCREF(object);
  PyTypeObject* old_type = std::exchange(super->type, type);
  PyObject* old_object = std::exchange(super->object, object);
  PyTypeObject* old_obj_type = std::exchange(super->obj_type, obj_type);
  Py_XDECREF(as_object(old_type));
  Py_XDECREF(old_object);
  Py_XDECREF(as_object(old_obj_type));
  return 0;
}

bool check_type_argument(PyObject* argument) {
  if (argument == nullptr || PyType_Check(argument)) return true;
  PyErr_Format(PyExc_TypeError, "super() argument 1 must be a type, not %.200s", Py_TYPE(argument)->tp_name);
  return false;
}

int super_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (!_PyArg_NoKeywords("super", kwargs)) return -1;
  PyObject *type = nullptr, *object = nullptr;
  if (!PyArg_UnpackTuple(args, "super", 0, 2, &type, &object) || !check_type_argument(type)) return -1;
  return initialize(as_super(self), reinterpret_cast<PyTypeObject*>(type), object);
}

PyObject* super_vectorcall(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (!_PyArg_NoKwnames("super", kwnames)) return nullptr;
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (!_PyArg_CheckPositional("super()", nargs, 0, 2)) return nullptr;
  if (nargs > 0 && !check_type_argument(args[0])) return nullptr;
  auto super = Ref<>::steal(reinterpret_cast<PyTypeObject*>(self)->tp_alloc(reinterpret_cast<PyTypeObject*>(self), 0));
  if (!super) return nullptr;
  if (initialize(as_super(super.get()), nargs > 0 ? reinterpret_cast<PyTypeObject*>(args[0]) : nullptr,
                 nargs > 1 ? args[1] : nullptr) < 0) {
    return nullptr;
  }
  return super.release();
}

void super_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  SuperObject* super = as_super(self);
  Py_XDECREF(super->object);
  Py_XDECREF(as_object(super->type));
  Py_XDECREF(as_object(super->obj_type));
  Py_TYPE(self)->tp_free(self);
}

PyObject* super_repr(PyObject* self) {
  SuperObject* super = as_super(self);
  const char* name = super->type ? super->type->tp_name : "NULL";
  if (super->obj_type != nullptr) {
    return PyUnicode_FromFormat("<super: <class '%s'>, <%s object>>", name, super->obj_type->tp_name);
  }
  return PyUnicode_FromFormat("<super: <class '%s'>, NULL>", name);
}

int super_traverse(PyObject* self, visitproc visit, void* arg) {
  SuperObject* super = as_super(self);
  Py_VISIT(super->object);
  Py_VISIT(super->type);
  Py_VISIT(super->obj_type);
  return 0;
}

PyMemberDef super_members[] = {
    {"__thisclass__", T_OBJECT, offsetof(SuperObject, type), READONLY, "the class invoking super()"},
    {"__self__", T_OBJECT, offsetof(SuperObject, object), READONLY, "the instance invoking super(); may be None"},
    {"__self_class__", T_OBJECT, offsetof(SuperObject, obj_type), READONLY,
     "the type of the instance invoking super(); may be None"},
    {}};

}  // namespace

PyTypeObject PySuper_Type = {
    .ob_base = type_head(),
    .tp_name = "super",
    .tp_basicsize = sizeof(SuperObject),
    .tp_dealloc = super_dealloc,
    .tp_repr = super_repr,
    .tp_getattro = super_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "super() -> same as super(__class__, <first argument>)\n"
              "super(type) -> unbound super object\n"
              "super(type, obj) -> bound super object; requires isinstance(obj, type)\n"
              "super(type, type2) -> bound super object; requires issubclass(type2, type)\n\n"
              "The bound object looks attributes up behind `type` in the method resolution order:\n"
              "class C(B):\n"
              "    def meth(self, arg):\n"
              "        super().meth(arg)\n"
              "It works for class methods too.\n",
    .tp_traverse = super_traverse,
    .tp_members = super_members,
    .tp_descr_get = super_descr_get,
    .tp_init = super_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = super_vectorcall,
};
