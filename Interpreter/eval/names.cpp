// Names: locals of modules and classes, globals, builtins; annotations, printing, formatting, making functions.
#include "Interpreter/eval/eval.h"
#include "internal/pycore_call.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_sysmodule.h"

namespace pyston {

namespace {

constexpr const char* kNotDefined = "name '%.200s' is not defined";

/// Item of a namespace that may be any mapping; null without an exception when it is missing. Returns new.
PyObject* namespace_get(PyThreadState* tstate, PyObject* mapping, PyObject* name) {
  if (PyDict_CheckExact(mapping)) return Py_XNewRef(PyDict_GetItemWithError(mapping, name));
  PyObject* value = PyObject_GetItem(mapping, name);
  if (value == nullptr && _PyErr_ExceptionMatches(tstate, PyExc_KeyError)) _PyErr_Clear(tstate);
  return value;
}

/// Global, then builtin; NameError when there is neither. Returns new.
PyObject* global_or_builtin(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name) {
  PyObject* value = namespace_get(tstate, frame->f_globals, name);
  if (value != nullptr || _PyErr_Occurred(tstate)) return value;
  value = namespace_get(tstate, frame->f_builtins, name);
  if (value == nullptr && !_PyErr_Occurred(tstate)) raise_name_error(tstate, PyExc_NameError, kNotDefined, name);
  return value;
}

}  // namespace

PyObject* load_name(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name) {
  if (UNLIKELY(frame->f_locals == nullptr)) {
    _PyErr_Format(tstate, PyExc_SystemError, "no locals when loading %R", name);
    return nullptr;
  }
  PyObject* value = namespace_get(tstate, frame->f_locals, name);
  if (value != nullptr || _PyErr_Occurred(tstate)) return value;
  return global_or_builtin(tstate, frame, name);
}

PyObject* load_global(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name) {
  if (LIKELY(PyDict_CheckExact(frame->f_globals) && PyDict_CheckExact(frame->f_builtins))) {
    PyObject* value = _PyDict_LoadGlobal(reinterpret_cast<PyDictObject*>(frame->f_globals),
                                         reinterpret_cast<PyDictObject*>(frame->f_builtins), name);
    if (LIKELY(value != nullptr)) return Py_NewRef(value);
    if (!_PyErr_Occurred(tstate)) raise_name_error(tstate, PyExc_NameError, kNotDefined, name);
    return nullptr;
  }
  return global_or_builtin(tstate, frame, name);
}

PyObject* load_class_deref(PyThreadState* tstate, _PyInterpreterFrame* frame, int index) {
  PyObject* name = PyTuple_GET_ITEM(frame->f_code->co_localsplusnames, index);
  PyObject* value = namespace_get(tstate, frame->f_locals, name);
  if (value != nullptr || _PyErr_Occurred(tstate)) return value;
  value = PyCell_GET(frame->localsplus[index]);
  if (value == nullptr) raise_unbound_deref(tstate, frame->f_code, index);
  return Py_XNewRef(value);
}

PyObject* load_build_class(PyThreadState* tstate, _PyInterpreterFrame* frame) {
  PyObject* value = namespace_get(tstate, frame->f_builtins, &_Py_ID(__build_class__));
  if (value == nullptr && !_PyErr_Occurred(tstate)) {
    _PyErr_SetString(tstate, PyExc_NameError, "__build_class__ not found");
  }
  return value;
}

int store_name(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name, PyObject* value) {
  PyObject* locals = frame->f_locals;
  if (UNLIKELY(locals == nullptr)) {
    _PyErr_Format(tstate, PyExc_SystemError, "no locals found when storing %R", name);
    return -1;
  }
  return PyDict_CheckExact(locals) ? PyDict_SetItem(locals, name, value) : PyObject_SetItem(locals, name, value);
}

int delete_name(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name) {
  PyObject* locals = frame->f_locals;
  if (UNLIKELY(locals == nullptr)) {
    _PyErr_Format(tstate, PyExc_SystemError, "no locals when deleting %R", name);
    return -1;
  }
  int status = PyObject_DelItem(locals, name);
  // QUIRK: any failure of a mapping reads as the name not being there.
  if (status != 0) raise_name_error(tstate, PyExc_NameError, kNotDefined, name);
  return status;
}

int delete_global(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name) {
  int status = PyDict_DelItem(frame->f_globals, name);
  if (status != 0 && _PyErr_ExceptionMatches(tstate, PyExc_KeyError)) {
    raise_name_error(tstate, PyExc_NameError, kNotDefined, name);
  }
  return status;
}

int setup_annotations(PyThreadState* tstate, _PyInterpreterFrame* frame) {
  PyObject* locals = frame->f_locals;
  if (locals == nullptr) {
    _PyErr_Format(tstate, PyExc_SystemError, "no locals found when setting up annotations");
    return -1;
  }
  PyObject* name = &_Py_ID(__annotations__);
  PyObject* present = namespace_get(tstate, locals, name);
  if (present != nullptr) {
    Py_DECREF(present);
    return 0;
  }
  if (_PyErr_Occurred(tstate)) return -1;
  PyObject* annotations = PyDict_New();
  if (annotations == nullptr) return -1;
  int status = PyObject_SetItem(locals, name, annotations);
  Py_DECREF(annotations);
  return status;
}

int print_expression(PyThreadState* tstate, PyObject* value) {
  PyObject* hook = _PySys_GetAttr(tstate, &_Py_ID(displayhook));  // borrowed from sys
  if (hook == nullptr) {
    _PyErr_SetString(tstate, PyExc_RuntimeError, "lost sys.displayhook");
    return -1;
  }
  PyObject* result = PyObject_CallOneArg(hook, value);
  Py_XDECREF(result);
  return result == nullptr ? -1 : 0;
}

PyObject* format_value(PyObject* value, PyObject* spec, int conversion) {
  PyObject* converted = nullptr;
  switch (conversion) {
    case FVC_NONE:
      converted = Py_NewRef(value);
      break;
    case FVC_STR:
      converted = PyObject_Str(value);
      break;
    case FVC_REPR:
      converted = PyObject_Repr(value);
      break;
    case FVC_ASCII:
      converted = PyObject_ASCII(value);
      break;
  }
  if (converted == nullptr) return nullptr;
  if (spec == nullptr && PyUnicode_CheckExact(converted)) return converted;
  PyObject* text = PyObject_Format(converted, spec);
  Py_DECREF(converted);
  return text;
}

PyObject* make_function(_PyInterpreterFrame* frame, PyObject* code) {
  return PyFunction_New(code, frame->f_globals);
}

}  // namespace pyston
