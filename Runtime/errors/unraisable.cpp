// Exceptions that nobody can catch (in destructors, callbacks): sys.unraisablehook and its default.
#include "Objects/bind.h"
#include "pycore_frame.h"
#include "pycore_initconfig.h"
#include "pycore_pyerrors.h"
#include "pycore_pylifecycle.h"
#include "pycore_pystate.h"
#include "pycore_structseq.h"
#include "pycore_sysmodule.h"
#include "pycore_traceback.h"

using namespace pyston;

namespace {

PyTypeObject UnraisableHookArgsType;

PyStructSequence_Field kFields[] = {{"exc_type", "Exception type"},
                                    {"exc_value", "Exception value"},
                                    {"exc_traceback", "Exception traceback"},
                                    {"err_msg", "Error message"},
                                    {"object", "Object causing the exception"},
                                    {}};
PyStructSequence_Desc kDescription = {"UnraisableHookArgs", "What sys.unraisablehook gets.", kFields, 5};

PyObject* make_arguments(PyObject* type, PyObject* value, PyObject* traceback, PyObject* message, PyObject* object) {
  PyObject* args = PyStructSequence_New(&UnraisableHookArgsType);
  if (args == nullptr) return nullptr;
  PyObject* items[] = {type, value, traceback, message, object};
  for (Py_ssize_t i = 0; i < 5; i++) PyStructSequence_SET_ITEM(args, i, Py_NewRef(items[i] ? items[i] : Py_None));
  return args;
}

bool write(const char* text, PyObject* file) { return PyFile_WriteString(text, file) >= 0; }

/// Writes str() or repr() of a value, or `otherwise` if that raises.
bool write_object(PyObject* value, PyObject* file, int flags, const char* otherwise) {
  if (PyFile_WriteObject(value, file, flags) >= 0) return true;
  PyErr_Clear();
  return write(otherwise, file);
}

bool write_heading(PyObject* message, PyObject* object, PyObject* file) {
  const bool has_object = object != nullptr && object != Py_None;
  if (message != nullptr && message != Py_None) {
    if (PyFile_WriteObject(message, file, Py_PRINT_RAW) < 0) return false;
    if (!has_object) return write(":\n", file);
    return write(": ", file) && write_object(object, file, 0, "<object repr() failed>") && write("\n", file);
  }
  if (!has_object) return true;
  return write("Exception ignored in: ", file) && write_object(object, file, 0, "<object repr() failed>") &&
         write("\n", file);
}

bool write_type_name(PyObject* type, PyObject* file) {
  auto module = Ref<>::steal(PyObject_GetAttr(type, &_Py_ID(__module__)));
  if (!module || !PyUnicode_Check(module.get())) {
    PyErr_Clear();
    if (!write("<unknown>", file)) return false;
  } else if (!_PyUnicode_Equal(module.get(), &_Py_ID(builtins)) && !_PyUnicode_Equal(module.get(), &_Py_ID(__main__))) {
    if (PyFile_WriteObject(module.get(), file, Py_PRINT_RAW) < 0 || !write(".", file)) return false;
  }
  auto name = Ref<>::steal(PyType_GetQualName(reinterpret_cast<PyTypeObject*>(type)));
  if (!name || !PyUnicode_Check(name.get())) {
    PyErr_Clear();
    return write("<unknown>", file);
  }
  return PyFile_WriteObject(name.get(), file, Py_PRINT_RAW) >= 0;
}

/// The default hook's output. False: the error indicator says what went wrong, and nobody will look.
bool write_unraisable(PyObject* type, PyObject* value, PyObject* traceback, PyObject* message, PyObject* object,
                      PyObject* file) {
  if (!write_heading(message, object, file)) return false;
  if (traceback != nullptr && traceback != Py_None) {
    if (PyTraceBack_Print(traceback, file) < 0) PyErr_Clear();
  }
  if (type == nullptr || type == Py_None) return true;
  if (!write_type_name(type, file)) return false;
  if (value != nullptr && value != Py_None) {
    if (!write(": ", file) || !write_object(value, file, Py_PRINT_RAW, "<exception str() failed>")) return false;
  }
  if (!write("\n", file)) return false;
  auto flushed = Ref<>::steal(PyObject_CallMethodNoArgs(file, &_Py_ID(flush)));
  if (!flushed) PyErr_Clear();
  return true;
}

void write_to_stderr(PyThreadState* tstate, PyObject* type, PyObject* value, PyObject* traceback, PyObject* message,
                     PyObject* object) {
  PyObject* file = _PySys_GetAttr(tstate, &_Py_ID(stderr));
  if (file == nullptr || file == Py_None) return;
  auto held = Ref<>::dup(file);  // the hook or a str() may replace sys.stderr
  write_unraisable(type, value, traceback, message, object, file);
}

}  // namespace

PyStatus _PyErr_InitTypes(PyInterpreterState* interp) {
  if (!_Py_IsMainInterpreter(interp)) return PyStatus_Ok();
  if (UnraisableHookArgsType.tp_name == nullptr &&
      PyStructSequence_InitType2(&UnraisableHookArgsType, &kDescription) < 0) {
    return PyStatus_Error("failed to initialize UnraisableHookArgs type");
  }
  return PyStatus_Ok();
}

void _PyErr_FiniTypes(PyInterpreterState* interp) {
  if (_Py_IsMainInterpreter(interp)) _PyStructSequence_FiniType(&UnraisableHookArgsType);
}

PyObject* _PyErr_WriteUnraisableDefaultHook(PyObject* args) {
  if (!Py_IS_TYPE(args, &UnraisableHookArgsType)) {
    PyErr_SetString(PyExc_TypeError, "sys.unraisablehook argument type must be UnraisableHookArgs");
    return nullptr;
  }
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject* items[5];
  for (Py_ssize_t i = 0; i < 5; i++) items[i] = PyStructSequence_GET_ITEM(args, i);
  write_to_stderr(tstate, items[0], items[1], items[2], items[3], items[4]);
  if (_PyErr_Occurred(tstate)) return nullptr;
  return Py_NewRef(Py_None);
}

void _PyErr_WriteUnraisableMsg(const char* what, PyObject* object) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject *type, *value, *traceback;
  _PyErr_Fetch(tstate, &type, &value, &traceback);
  if (type == nullptr) return;
  if (traceback == nullptr) {
    PyFrameObject* frame = PyThreadState_GetFrame(tstate);
    if (frame != nullptr) {
      traceback = _PyTraceBack_FromFrame(nullptr, frame);
      if (traceback == nullptr) _PyErr_Clear(tstate);
      Py_DECREF(frame);
    }
  }
  _PyErr_NormalizeException(tstate, &type, &value, &traceback);
  if (traceback != nullptr && traceback != Py_None && PyTraceBack_Check(traceback)) {
    if (PyException_SetTraceback(value, traceback) < 0) _PyErr_Clear(tstate);
  }

  Ref<> message;
  if (what != nullptr) {
    message = Ref<>::steal(PyUnicode_FromFormat("Exception ignored %s", what));
    if (!message) PyErr_Clear();
  }
  auto args = Ref<>::steal(make_arguments(type, value, traceback, message.get(), object));
  bool done = false;
  PyObject* failed_hook = nullptr;
  if (args) {
    PyObject* hook = _PySys_GetAttr(tstate, &_Py_ID(unraisablehook));
    if (hook != nullptr) {
      auto held = Ref<>::dup(hook);
      if (_PySys_Audit(tstate, "sys.unraisablehook", "OO", hook, args.get()) < 0) {
        // The auditor's exception is what is reported.
        failed_hook = nullptr;
        what = "Exception ignored in audit hook";
      } else if (hook == Py_None) {
        done = true;
      } else {
        auto result = Ref<>::steal(PyObject_CallOneArg(hook, args.get()));
        if (result) {
          done = true;
        } else {
          failed_hook = hook;
          what = "Exception ignored in sys.unraisablehook";
        }
      }
      if (!done && _PyErr_Occurred(tstate)) {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
        _PyErr_Fetch(tstate, &type, &value, &traceback);
        message = Ref<>::steal(PyUnicode_FromString(what));
        if (!message) PyErr_Clear();
        write_to_stderr(tstate, type, value, traceback, message.get(), failed_hook);
        done = true;
      }
    }
  }
  if (!done) {
    _PyErr_Clear(tstate);
    write_to_stderr(tstate, type, value, traceback, message.get(), object);
  }
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
  _PyErr_Clear(tstate);
}

void PyErr_WriteUnraisable(PyObject* object) { _PyErr_WriteUnraisableMsg(nullptr, object); }
