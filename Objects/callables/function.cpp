// Python functions, and the classmethod and staticmethod wrappers.
//
// func_version identifies (code, defaults, keyword defaults, annotations) to inline caches: 0 means none was given
// out, any change of those resets it to 0, and numbers are not reused.
#include "Objects/bind.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_function.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_runtime.h"

namespace pyston {
namespace {

uint32_t next_function_version = 1;

PyFunctionObject* as_function(PyObject* object) { return reinterpret_cast<PyFunctionObject*>(object); }

// --- attributes ---------------------------------------------------------------------------------------------------

Ref<> function_get_code(Borrowed<PyFunctionObject> self) {
  if (PySys_Audit("object.__getattr__", "Os", self.object(), "__code__") < 0) return nullptr;
  return Ref<>::dup(self->func_code);
}

Status function_set_code(Borrowed<PyFunctionObject> self, PyObject* value) {
  if (value == nullptr || !PyCode_Check(value)) {
    return raise(PyExc_TypeError, "__code__ must be set to a code object");
  }
  if (PySys_Audit("object.__setattr__", "OsO", self.object(), "__code__", value) < 0) return Status::kError;
  int free_variables = PyCode_GetNumFree(reinterpret_cast<PyCodeObject*>(value));
  Py_ssize_t closure_size = self->func_closure == nullptr ? 0 : PyTuple_GET_SIZE(self->func_closure);
  if (closure_size != free_variables) {
    return raise(PyExc_ValueError, "%U() requires a code object with %zd free vars, not %d", self->func_name,
                 closure_size, free_variables);
  }
  self->func_version = 0;
  Py_XSETREF(self->func_code, Py_NewRef(value));
  return Status::kOk;
}

Ref<> function_get_name(Borrowed<PyFunctionObject> self) { return Ref<>::dup(self->func_name); }

Status function_set_name(Borrowed<PyFunctionObject> self, PyObject* value) {
  if (value == nullptr || !PyUnicode_Check(value)) {
    return raise(PyExc_TypeError, "__name__ must be set to a string object");
  }
  Py_XSETREF(self->func_name, Py_NewRef(value));
  return Status::kOk;
}

Ref<> function_get_qualname(Borrowed<PyFunctionObject> self) { return Ref<>::dup(self->func_qualname); }

Status function_set_qualname(Borrowed<PyFunctionObject> self, PyObject* value) {
  if (value == nullptr || !PyUnicode_Check(value)) {
    return raise(PyExc_TypeError, "__qualname__ must be set to a string object");
  }
  Py_XSETREF(self->func_qualname, Py_NewRef(value));
  return Status::kOk;
}

Ref<> function_get_defaults(Borrowed<PyFunctionObject> self) {
  if (PySys_Audit("object.__getattr__", "Os", self.object(), "__defaults__") < 0) return nullptr;
  return Ref<>::dup(self->func_defaults != nullptr ? self->func_defaults : Py_None);
}

Status function_set_defaults(Borrowed<PyFunctionObject> self, PyObject* value) {
  if (value == Py_None) value = nullptr;
  if (value != nullptr && !PyTuple_Check(value)) {
    return raise(PyExc_TypeError, "__defaults__ must be set to a tuple object");
  }
  int audited = value != nullptr
                    ? PySys_Audit("object.__setattr__", "OsO", self.object(), "__defaults__", value)
                    : PySys_Audit("object.__delattr__", "Os", self.object(), "__defaults__");
  if (audited < 0) return Status::kError;
  self->func_version = 0;
  Py_XINCREF(value);
  Py_XSETREF(self->func_defaults, value);
  return Status::kOk;
}

Ref<> function_get_kwdefaults(Borrowed<PyFunctionObject> self) {
  if (PySys_Audit("object.__getattr__", "Os", self.object(), "__kwdefaults__") < 0) return nullptr;
  return Ref<>::dup(self->func_kwdefaults != nullptr ? self->func_kwdefaults : Py_None);
}

Status function_set_kwdefaults(Borrowed<PyFunctionObject> self, PyObject* value) {
  if (value == Py_None) value = nullptr;
  if (value != nullptr && !PyDict_Check(value)) {
    return raise(PyExc_TypeError, "__kwdefaults__ must be set to a dict object");
  }
  int audited = value != nullptr
                    ? PySys_Audit("object.__setattr__", "OsO", self.object(), "__kwdefaults__", value)
                    : PySys_Audit("object.__delattr__", "Os", self.object(), "__kwdefaults__");
  if (audited < 0) return Status::kError;
  self->func_version = 0;
  Py_XINCREF(value);
  Py_XSETREF(self->func_kwdefaults, value);
  return Status::kOk;
}

/// The annotations dict, made on first use; MAKE_FUNCTION leaves a flat tuple of names and values. Borrowed.
PyObject* annotations_dict(PyFunctionObject* self) {
  if (self->func_annotations == nullptr) return nullptr;
  if (PyTuple_CheckExact(self->func_annotations)) {
    PyObject* flat = self->func_annotations;
    PyObject* dict = PyDict_New();
    if (dict == nullptr) return nullptr;
    for (Py_ssize_t i = 0; i + 1 < PyTuple_GET_SIZE(flat); i += 2) {
      if (PyDict_SetItem(dict, PyTuple_GET_ITEM(flat, i), PyTuple_GET_ITEM(flat, i + 1)) < 0) {
        Py_DECREF(dict);
        return nullptr;
      }
    }
    Py_SETREF(self->func_annotations, dict);
  }
  return self->func_annotations;
}

Ref<> function_get_annotations(Borrowed<PyFunctionObject> self) {
  if (self->func_annotations == nullptr) {
    self->func_annotations = PyDict_New();
    if (self->func_annotations == nullptr) return nullptr;
  }
  return Ref<>::dup(annotations_dict(self));
}

Status function_set_annotations(Borrowed<PyFunctionObject> self, PyObject* value) {
  if (value == Py_None) value = nullptr;
  if (value != nullptr && !PyDict_Check(value)) {
    return raise(PyExc_TypeError, "__annotations__ must be set to a dict object");
  }
  self->func_version = 0;
  Py_XINCREF(value);
  Py_XSETREF(self->func_annotations, value);
  return Status::kOk;
}

PyGetSetDef function_getset[] = {
    getset<function_get_code, function_set_code>("__code__"),
    getset<function_get_defaults, function_set_defaults>("__defaults__"),
    getset<function_get_kwdefaults, function_set_kwdefaults>("__kwdefaults__"),
    getset<function_get_annotations, function_set_annotations>("__annotations__"),
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    getset<function_get_name, function_set_name>("__name__"),
    getset<function_get_qualname, function_set_qualname>("__qualname__"),
    {}};

PyMemberDef function_members[] = {
    {"__closure__", T_OBJECT, offsetof(PyFunctionObject, func_closure), READONLY, nullptr},
    {"__doc__", T_OBJECT, offsetof(PyFunctionObject, func_doc), 0, nullptr},
    {"__globals__", T_OBJECT, offsetof(PyFunctionObject, func_globals), READONLY, nullptr},
    {"__module__", T_OBJECT, offsetof(PyFunctionObject, func_module), 0, nullptr},
    {"__builtins__", T_OBJECT, offsetof(PyFunctionObject, func_builtins), READONLY, nullptr},
    {}};

// --- slots --------------------------------------------------------------------------------------------------------

Ref<> function_new(PyTypeObject*, Borrowed<> code_argument, Borrowed<> globals, PyObject* name, PyObject* defaults,
                   PyObject* closure) {
  if (!PyCode_Check(code_argument.get())) {
    return raise(PyExc_TypeError, "function() argument 'code' must be code, not %.50s",
                 Py_TYPE(code_argument.get())->tp_name);
  }
  if (!PyDict_Check(globals.get())) {
    return raise(PyExc_TypeError, "function() argument 'globals' must be dict, not %.50s",
                 Py_TYPE(globals.get())->tp_name);
  }
  auto* code = reinterpret_cast<PyCodeObject*>(code_argument.get());
  if (name != nullptr && name != Py_None && !PyUnicode_Check(name)) {
    return raise(PyExc_TypeError, "arg 3 (name) must be None or string");
  }
  if (defaults != nullptr && defaults != Py_None && !PyTuple_Check(defaults)) {
    return raise(PyExc_TypeError, "arg 4 (defaults) must be None or tuple");
  }
  if (closure == nullptr) closure = Py_None;
  if (!PyTuple_Check(closure)) {
    if (code->co_nfreevars && closure == Py_None) return raise(PyExc_TypeError, "arg 5 (closure) must be tuple");
    if (closure != Py_None) return raise(PyExc_TypeError, "arg 5 (closure) must be None or tuple");
  }
  Py_ssize_t closure_size = closure == Py_None ? 0 : PyTuple_GET_SIZE(closure);
  if (closure_size != code->co_nfreevars) {
    return raise(PyExc_ValueError, "%U requires closure of length %zd, not %zd", code->co_name,
                 static_cast<Py_ssize_t>(code->co_nfreevars), closure_size);
  }
  for (Py_ssize_t i = 0; i < closure_size; i++) {
    PyObject* cell = PyTuple_GET_ITEM(closure, i);
    if (!PyCell_Check(cell)) {
      return raise(PyExc_TypeError, "arg 5 (closure) expected cell, found %s", Py_TYPE(cell)->tp_name);
    }
  }
  if (PySys_Audit("function.__new__", "O", code_argument.get()) < 0) return nullptr;
  auto function = Ref<PyFunctionObject>::steal(PyFunction_New(code_argument.get(), globals.get()));
  if (!function) return nullptr;
  if (name != nullptr && name != Py_None) Py_SETREF(function->func_name, Py_NewRef(name));
  if (defaults != nullptr && defaults != Py_None) function->func_defaults = Py_NewRef(defaults);
  if (closure != Py_None) function->func_closure = Py_NewRef(closure);
  return function;
}

int function_clear(PyFunctionObject* self) {
  self->func_version = 0;
  Py_CLEAR(self->func_globals);
  Py_CLEAR(self->func_builtins);
  Py_CLEAR(self->func_module);
  Py_CLEAR(self->func_defaults);
  Py_CLEAR(self->func_kwdefaults);
  Py_CLEAR(self->func_doc);
  Py_CLEAR(self->func_dict);
  Py_CLEAR(self->func_closure);
  Py_CLEAR(self->func_annotations);
  // Never null, since finalisers may still look at them: names become empty, the code (in no cycle) stays.
  Py_SETREF(self->func_name, Py_NewRef(&_Py_STR(empty)));
  Py_SETREF(self->func_qualname, Py_NewRef(&_Py_STR(empty)));
  return 0;
}

void function_dealloc(PyFunctionObject* self) {
  _PyObject_GC_UNTRACK(as_object(self));
  if (self->func_weakreflist != nullptr) PyObject_ClearWeakRefs(as_object(self));
  (void)function_clear(self);
  Py_DECREF(self->func_code);
  Py_DECREF(self->func_name);
  Py_DECREF(self->func_qualname);
  PyObject_GC_Del(self);
}

int function_traverse(PyFunctionObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->func_code);
  Py_VISIT(self->func_globals);
  Py_VISIT(self->func_builtins);
  Py_VISIT(self->func_module);
  Py_VISIT(self->func_defaults);
  Py_VISIT(self->func_kwdefaults);
  Py_VISIT(self->func_doc);
  Py_VISIT(self->func_name);
  Py_VISIT(self->func_dict);
  Py_VISIT(self->func_closure);
  Py_VISIT(self->func_annotations);
  Py_VISIT(self->func_qualname);
  return 0;
}

Ref<> function_repr(Borrowed<PyFunctionObject> self) {
  return Ref<>::steal(PyUnicode_FromFormat("<function %U at %p>", self->func_qualname, self.get()));
}

PyObject* function_descr_get(PyObject* self, PyObject* object, PyObject*) {
  if (object == Py_None || object == nullptr) return Py_NewRef(self);
  return PyMethod_New(self, object);
}

/// The docstring is the first constant, if that is a string.
PyObject* docstring_of(PyCodeObject* code) {
  if (PyTuple_GET_SIZE(code->co_consts) == 0) return Py_None;
  PyObject* first = PyTuple_GET_ITEM(code->co_consts, 0);
  return PyUnicode_Check(first) ? first : Py_None;
}

PyFunctionObject* allocate_function(PyCodeObject* code) {
  auto* function = PyObject_GC_New(PyFunctionObject, &PyFunction_Type);
  if (function == nullptr) return nullptr;
  function->func_code = Py_NewRef(as_object(code));
  function->func_defaults = nullptr;
  function->func_kwdefaults = nullptr;
  function->func_closure = nullptr;
  function->func_doc = nullptr;
  function->func_dict = nullptr;
  function->func_weakreflist = nullptr;
  function->func_module = nullptr;
  function->func_annotations = nullptr;
  function->vectorcall = _PyFunction_Vectorcall;
  function->func_version = 0;
  return function;
}

bool check_function(PyObject* object) {
  if (PyFunction_Check(object)) return true;
  PyErr_BadInternalCall();
  return false;
}

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyFunction_Type = {
    .ob_base = type_head(),
    .tp_name = "function",
    .tp_basicsize = sizeof(PyFunctionObject),
    .tp_dealloc = reinterpret_cast<destructor>(function_dealloc),
    .tp_vectorcall_offset = offsetof(PyFunctionObject, vectorcall),
    .tp_repr = slot<function_repr>,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_doc = "function(code, globals, name=None, argdefs=None, closure=None)\n--\n\nMakes a function of a code object.\n\n"
              "  code\n    what it does\n  globals\n    its global namespace, a dict\n  name\n    overrides the name in the code "
              "object\n  argdefs\n    default values, a tuple\n  closure\n    cells for its free variables, a tuple",
    .tp_traverse = reinterpret_cast<traverseproc>(function_traverse),
    .tp_clear = reinterpret_cast<inquiry>(function_clear),
    .tp_weaklistoffset = offsetof(PyFunctionObject, func_weakreflist),
    .tp_members = function_members,
    .tp_getset = function_getset,
    .tp_descr_get = function_descr_get,
    .tp_dictoffset = offsetof(PyFunctionObject, func_dict),
    .tp_new = constructor<function_new, "function(code, globals, name=None, argdefs=None, closure=None)">,
};

PyFunctionObject* _PyFunction_FromConstructor(PyFrameConstructor* description) {
  PyObject* module = PyDict_GetItemWithError(description->fc_globals, &_Py_ID(__name__));
  if (module == nullptr && PyErr_Occurred()) return nullptr;
  PyFunctionObject* function = allocate_function(reinterpret_cast<PyCodeObject*>(description->fc_code));
  if (function == nullptr) return nullptr;
  function->func_globals = Py_NewRef(description->fc_globals);
  function->func_builtins = Py_NewRef(description->fc_builtins);
  function->func_name = Py_NewRef(description->fc_name);
  function->func_qualname = Py_NewRef(description->fc_qualname);
  function->func_defaults = Py_XNewRef(description->fc_defaults);
  function->func_kwdefaults = Py_XNewRef(description->fc_kwdefaults);
  function->func_closure = Py_XNewRef(description->fc_closure);
  function->func_doc = Py_NewRef(Py_None);
  function->func_module = Py_XNewRef(module);
  _PyObject_GC_TRACK(as_object(function));
  return function;
}

PyObject* PyFunction_NewWithQualName(PyObject* code, PyObject* globals, PyObject* qualname) {
  PyThreadState* tstate = _PyThreadState_GET();
  auto* code_object = reinterpret_cast<PyCodeObject*>(code);
  PyObject* module = PyDict_GetItemWithError(globals, &_Py_ID(__name__));
  if (module == nullptr && _PyErr_Occurred(tstate)) return nullptr;
  PyObject* builtins = _PyEval_BuiltinsFromGlobals(tstate, globals);
  if (builtins == nullptr) return nullptr;
  PyFunctionObject* function = allocate_function(code_object);
  if (function == nullptr) return nullptr;
  function->func_globals = Py_NewRef(globals);
  function->func_builtins = Py_NewRef(builtins);
  function->func_name = Py_NewRef(code_object->co_name);
  function->func_qualname = Py_NewRef(qualname != nullptr ? qualname : code_object->co_qualname);
  function->func_doc = Py_NewRef(docstring_of(code_object));
  function->func_module = Py_XNewRef(module);
  _PyObject_GC_TRACK(as_object(function));
  return as_object(function);
}

PyObject* PyFunction_New(PyObject* code, PyObject* globals) {
  return PyFunction_NewWithQualName(code, globals, nullptr);
}

uint32_t _PyFunction_GetVersionForCurrentState(PyFunctionObject* function) {
  if (function->func_version != 0) return function->func_version;
  if (function->vectorcall != _PyFunction_Vectorcall) return 0;
  if (next_function_version == 0) return 0;  // all used up
  return function->func_version = next_function_version++;
}

PyObject* PyFunction_GetCode(PyObject* op) { return check_function(op) ? as_function(op)->func_code : nullptr; }
PyObject* PyFunction_GetGlobals(PyObject* op) { return check_function(op) ? as_function(op)->func_globals : nullptr; }
PyObject* PyFunction_GetModule(PyObject* op) { return check_function(op) ? as_function(op)->func_module : nullptr; }
PyObject* PyFunction_GetDefaults(PyObject* op) { return check_function(op) ? as_function(op)->func_defaults : nullptr; }
PyObject* PyFunction_GetKwDefaults(PyObject* op) {
  return check_function(op) ? as_function(op)->func_kwdefaults : nullptr;
}
PyObject* PyFunction_GetClosure(PyObject* op) { return check_function(op) ? as_function(op)->func_closure : nullptr; }
PyObject* PyFunction_GetAnnotations(PyObject* op) {
  return check_function(op) ? annotations_dict(as_function(op)) : nullptr;
}

int PyFunction_SetDefaults(PyObject* op, PyObject* defaults) {
  if (!check_function(op)) return -1;
  if (defaults == Py_None) {
    defaults = nullptr;
  } else if (defaults == nullptr || !PyTuple_Check(defaults)) {
    PyErr_SetString(PyExc_SystemError, "non-tuple default args");
    return -1;
  }
  as_function(op)->func_version = 0;
  Py_XINCREF(defaults);
  Py_XSETREF(as_function(op)->func_defaults, defaults);
  return 0;
}

int PyFunction_SetKwDefaults(PyObject* op, PyObject* defaults) {
  if (!check_function(op)) return -1;
  if (defaults == Py_None) {
    defaults = nullptr;
  } else if (defaults == nullptr || !PyDict_Check(defaults)) {
    PyErr_SetString(PyExc_SystemError, "non-dict keyword only default args");
    return -1;
  }
  as_function(op)->func_version = 0;
  Py_XINCREF(defaults);
  Py_XSETREF(as_function(op)->func_kwdefaults, defaults);
  return 0;
}

int PyFunction_SetClosure(PyObject* op, PyObject* closure) {
  if (!check_function(op)) return -1;
  if (closure == Py_None) {
    closure = nullptr;
  } else if (!PyTuple_Check(closure)) {
    PyErr_Format(PyExc_SystemError, "expected tuple for closure, got '%.100s'", Py_TYPE(closure)->tp_name);
    return -1;
  }
  as_function(op)->func_version = 0;
  Py_XINCREF(closure);
  Py_XSETREF(as_function(op)->func_closure, closure);
  return 0;
}

int PyFunction_SetAnnotations(PyObject* op, PyObject* annotations) {
  if (!check_function(op)) return -1;
  if (annotations == Py_None) {
    annotations = nullptr;
  } else if (annotations == nullptr || !PyDict_Check(annotations)) {
    PyErr_SetString(PyExc_SystemError, "non-dict annotations");
    return -1;
  }
  as_function(op)->func_version = 0;
  Py_XINCREF(annotations);
  Py_XSETREF(as_function(op)->func_annotations, annotations);
  return 0;
}
