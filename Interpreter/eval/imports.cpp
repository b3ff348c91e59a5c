// The import statement: `import a.b`, `from m import n`, `from m import *`.
#include "Interpreter/eval/eval.h"
#include "internal/pycore_call.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_runtime.h"

namespace pyston {

PyObject* import_name(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name, PyObject* fromlist,
                      PyObject* level) {
  PyObject* importer = PyDict_CheckExact(frame->f_builtins)
                           ? _PyDict_GetItemWithError(frame->f_builtins, &_Py_ID(__import__))
                           : PyObject_GetItem(frame->f_builtins, &_Py_ID(__import__));
  if (importer == nullptr) {
    if (!_PyErr_Occurred(tstate)) _PyErr_SetString(tstate, PyExc_ImportError, "__import__ not found");
    return nullptr;
  }
  if (PyDict_CheckExact(frame->f_builtins)) Py_INCREF(importer);
  PyObject* locals = frame->f_locals;
  PyObject* result = nullptr;
  if (importer == tstate->interp->import_func) {  // FAST: nobody replaced __import__
    int depth = _PyLong_AsInt(level);
    if (depth != -1 || !_PyErr_Occurred(tstate)) {
      result = PyImport_ImportModuleLevelObject(name, frame->f_globals, locals == nullptr ? Py_None : locals, fromlist,
                                                depth);
    }
  } else {
    PyObject* args[5] = {name, frame->f_globals, locals == nullptr ? Py_None : locals, fromlist, level};
    result = PyObject_Vectorcall(importer, args, 5, nullptr);
  }
  Py_DECREF(importer);
  return result;
}

namespace {

/// "cannot import name 'x' from 'm' (path)", with a guess at the reason. `module_name` may be null.
COLD void raise_cannot_import(PyObject* module, PyObject* name, PyObject* module_name) {
  PyObject* shown_name = module_name != nullptr ? Py_NewRef(module_name) : PyUnicode_FromString("<unknown module name>");
  if (shown_name == nullptr) return;
  PyObject* path = PyModule_GetFilenameObject(module);
  PyObject* message = nullptr;
  if (path == nullptr) {
    PyErr_Clear();
    message = PyUnicode_FromFormat("cannot import name %R from %R (unknown location)", name, shown_name);
  } else {
    PyObject* spec = PyObject_GetAttr(module, &_Py_ID(__spec__));
    if (spec == nullptr) PyErr_Clear();
    const char* format = _PyModuleSpec_IsInitializing(spec)
                             ? "cannot import name %R from partially initialized module %R (most likely due to a "
                               "circular import) (%S)"
                             : "cannot import name %R from %R (%S)";
    Py_XDECREF(spec);
    message = PyUnicode_FromFormat(format, name, shown_name, path);
  }
  // ImportError's name is the module's, null when it has none.
  if (message != nullptr) PyErr_SetImportError(message, module_name, path);
  Py_XDECREF(message);
  Py_XDECREF(path);
  Py_DECREF(shown_name);
}

}  // namespace

PyObject* import_from(PyThreadState* tstate, PyObject* module, PyObject* name) {
  PyObject* value;
  if (_PyObject_LookupAttr(module, name, &value) != 0) return value;
  // A submodule that is being imported in a circle is in sys.modules before it is an attribute of its package.
  PyObject* module_name = PyObject_GetAttr(module, &_Py_ID(__name__));
  if (module_name == nullptr) PyErr_Clear();
  if (module_name != nullptr && !PyUnicode_Check(module_name)) Py_CLEAR(module_name);
  if (module_name != nullptr) {
    PyObject* full_name = PyUnicode_FromFormat("%U.%U", module_name, name);
    if (full_name == nullptr) {
      Py_DECREF(module_name);
      return nullptr;
    }
    value = PyImport_GetModule(full_name);
    Py_DECREF(full_name);
    if (value != nullptr || _PyErr_Occurred(tstate)) {
      Py_DECREF(module_name);
      return value;
    }
  }
  raise_cannot_import(module, name, module_name);
  Py_XDECREF(module_name);
  return nullptr;
}

namespace {

/// The complaint about a name in `from module import *` that is no string.
COLD void raise_bad_star_name(PyThreadState* tstate, PyObject* module, PyObject* name, bool from_all) {
  PyObject* module_name;
  if (_PyObject_LookupAttr(module, &_Py_ID(__name__), &module_name) < 0) return;
  if (module_name == nullptr) {
    _PyErr_Format(tstate, PyExc_AttributeError, "module has no attribute '__name__'");
    return;
  }
  if (!PyUnicode_Check(module_name)) {
    _PyErr_Format(tstate, PyExc_TypeError, "module __name__ must be a string, not %.100s",
                  Py_TYPE(module_name)->tp_name);
  } else {
    _PyErr_Format(tstate, PyExc_TypeError, from_all ? "Item in %U.__all__ must be str, not %.100s"
                                                    : "Key in %U.__dict__ must be str, not %.100s",
                  module_name, Py_TYPE(name)->tp_name);
  }
  Py_DECREF(module_name);
}

int import_all_from(PyThreadState* tstate, PyObject* locals, PyObject* module) {
  PyObject* names;
  if (_PyObject_LookupAttr(module, &_Py_ID(__all__), &names) < 0) return -1;
  bool from_all = names != nullptr;
  if (!from_all) {
    PyObject* dict;
    if (_PyObject_LookupAttr(module, &_Py_ID(__dict__), &dict) < 0) return -1;
    if (dict == nullptr) {
      _PyErr_SetString(tstate, PyExc_ImportError, "from-import-* object has no __dict__ and no __all__");
      return -1;
    }
    names = PyMapping_Keys(dict);
    Py_DECREF(dict);
    if (names == nullptr) return -1;
  }
  int status = 0;
  for (Py_ssize_t i = 0; status == 0; i++) {
    PyObject* name = PySequence_GetItem(names, i);
    if (name == nullptr) {
      if (_PyErr_ExceptionMatches(tstate, PyExc_IndexError)) {
        _PyErr_Clear(tstate);
      } else {
        status = -1;
      }
      break;
    }
    if (!PyUnicode_Check(name)) {
      raise_bad_star_name(tstate, module, name, from_all);
      Py_DECREF(name);
      status = -1;
      break;
    }
    bool hidden = !from_all && PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) == '_';
    if (!hidden) {
      PyObject* value = PyObject_GetAttr(module, name);
      if (value == nullptr) {
        status = -1;
      } else if (PyDict_CheckExact(locals)) {
        status = PyDict_SetItem(locals, name, value);
      } else {
        status = PyObject_SetItem(locals, name, value);
      }
      Py_XDECREF(value);
    }
    Py_DECREF(name);
  }
  Py_DECREF(names);
  return status;
}

}  // namespace

int import_star(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* module) {
  if (_PyFrame_FastToLocalsWithError(frame) < 0) return -1;
  if (frame->f_locals == nullptr) {
    _PyErr_SetString(tstate, PyExc_SystemError, "no locals found during 'import *'");
    return -1;
  }
  int status = import_all_from(tstate, frame->f_locals, module);
  _PyFrame_LocalsToFast(frame, 0);
  return status;
}

}  // namespace pyston
