// The error indicator: setting, fetching, matching, normalising and chaining exceptions.
//
// The indicator is the triple curexc_type/value/traceback of the thread state, where compiled extensions read and write
// it. INVARIANT: value and traceback are null when type is. The value may be a message, a tuple of arguments or null
// until somebody normalises the triple.
// What is being *handled* is another thing: the stack of _PyErr_StackItem at tstate->exc_info.
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

#include "Objects/bind.h"
#include "pycore_ceval.h"
#include "pycore_initconfig.h"
#include "pycore_pyerrors.h"
#include "pycore_pystate.h"

namespace pyston {
namespace {

bool is_exception_class(PyObject* value) { return PyExceptionClass_Check(value); }
bool is_exception_instance(PyObject* value) { return PyExceptionInstance_Check(value); }

/// Puts an owned reference in the place of another.
void replace_reference(PyObject*& place, PyObject* owned) {
  PyObject* old = place;
  place = owned;
  Py_XDECREF(old);
}

/// Makes an instance of `type`: no value, a tuple of arguments, or the one argument. New reference.
PyObject* create_exception(PyObject* type, PyObject* value) {
  PyObject* exception;
  if (value == nullptr || value == Py_None) {
    exception = PyObject_CallNoArgs(type);
  } else if (PyTuple_Check(value)) {
    exception = PyObject_Call(type, value, nullptr);
  } else {
    exception = PyObject_CallOneArg(type, value);
  }
  if (exception != nullptr && !is_exception_instance(exception)) {
    PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %s", type,
                 Py_TYPE(exception)->tp_name);
    Py_CLEAR(exception);
  }
  return exception;
}

/// Cuts `value` out of the context chain that starts at `handled`, so that hanging `handled` below `value` makes no
/// cycle. Brent-like two-speed walk: a chain that is a cycle already ends the search.
void break_context_cycle(PyObject* handled, PyObject* value) {
  PyObject* node = handled;
  PyObject* slow = handled;
  bool advance_slow = false;
  while (true) {
    auto* base = reinterpret_cast<PyBaseExceptionObject*>(node);
    PyObject* next = base->context;
    if (next == nullptr) return;
    if (next == value) {
      PyException_SetContext(node, nullptr);
      return;
    }
    node = next;
    if (node == slow) return;
    if (advance_slow) slow = reinterpret_cast<PyBaseExceptionObject*>(slow)->context;
    advance_slow = !advance_slow;
  }
}

/// Chains a new exception to the one being handled. `value` is stolen; returns the instance, null if making it failed
/// (the error is set then).
COLD PyObject* chain_to_handled(PyThreadState* tstate, PyObject* exception, PyObject* value, PyObject* handled) {
  auto held = Ref<>::dup(handled);
  _PyErr_Clear(tstate);
  if (value == nullptr || !is_exception_instance(value)) {
    PyObject* instance = create_exception(exception, value);
    Py_XDECREF(value);
    if (instance == nullptr) return nullptr;
    value = instance;
  }
  if (handled != value) {
    break_context_cycle(handled, value);
    PyException_SetContext(value, held.release());
  }
  return value;
}

}  // namespace
}  // namespace pyston

using namespace pyston;

// ---- The indicator

void _PyErr_Restore(PyThreadState* tstate, PyObject* type, PyObject* value, PyObject* traceback) {
  if (traceback != nullptr && !PyTraceBack_Check(traceback)) {
    Py_DECREF(traceback);
    traceback = nullptr;
  }
  PyObject* old_type = tstate->curexc_type;
  PyObject* old_value = tstate->curexc_value;
  PyObject* old_traceback = tstate->curexc_traceback;
  tstate->curexc_type = type;
  tstate->curexc_value = value;
  tstate->curexc_traceback = traceback;
  Py_XDECREF(old_type);
  Py_XDECREF(old_value);
  Py_XDECREF(old_traceback);
}

void PyErr_Restore(PyObject* type, PyObject* value, PyObject* traceback) {
  _PyErr_Restore(_PyThreadState_GET(), type, value, traceback);
}

void _PyErr_Fetch(PyThreadState* tstate, PyObject** type, PyObject** value, PyObject** traceback) {
  *type = tstate->curexc_type;
  *value = tstate->curexc_value;
  *traceback = tstate->curexc_traceback;
  tstate->curexc_type = nullptr;
  tstate->curexc_value = nullptr;
  tstate->curexc_traceback = nullptr;
}

void PyErr_Fetch(PyObject** type, PyObject** value, PyObject** traceback) {
  _PyErr_Fetch(_PyThreadState_GET(), type, value, traceback);
}

void _PyErr_Clear(PyThreadState* tstate) { _PyErr_Restore(tstate, nullptr, nullptr, nullptr); }
void PyErr_Clear(void) { _PyErr_Clear(_PyThreadState_GET()); }

PyObject* PyErr_Occurred(void) {
  // Asked by extensions before a thread state exists, too.
  PyThreadState* tstate = _PyThreadState_GET();
  return tstate != nullptr ? _PyErr_Occurred(tstate) : nullptr;
}

void _PyErr_SetObject(PyThreadState* tstate, PyObject* exception, PyObject* value) {
  if (exception != nullptr && UNLIKELY(!is_exception_class(exception))) {
    _PyErr_Format(tstate, PyExc_SystemError, "_PyErr_SetObject: exception %R is not a BaseException subclass",
                  exception);
    return;
  }
  Py_XINCREF(value);
  PyObject* handled = _PyErr_GetTopmostException(tstate)->exc_value;
  if (UNLIKELY(handled != nullptr && handled != Py_None)) {
    value = chain_to_handled(tstate, exception, value, handled);
    if (value == nullptr) return;
  }
  PyObject* traceback = nullptr;
  if (value != nullptr && is_exception_instance(value)) traceback = PyException_GetTraceback(value);
  Py_XINCREF(exception);
  _PyErr_Restore(tstate, exception, value, traceback);
}

void PyErr_SetObject(PyObject* exception, PyObject* value) {
  _PyErr_SetObject(_PyThreadState_GET(), exception, value);
}

void _PyErr_SetKeyError(PyObject* key) {
  // A bare tuple as the value would be taken for the arguments.
  PyObject* args = PyTuple_Pack(1, key);
  if (args == nullptr) return;
  PyErr_SetObject(PyExc_KeyError, args);
  Py_DECREF(args);
}

void _PyErr_SetNone(PyThreadState* tstate, PyObject* exception) { _PyErr_SetObject(tstate, exception, nullptr); }
void PyErr_SetNone(PyObject* exception) { _PyErr_SetObject(_PyThreadState_GET(), exception, nullptr); }

void _PyErr_SetString(PyThreadState* tstate, PyObject* exception, const char* string) {
  // QUIRK: text that isn't UTF-8 gives the exception without a message.
  PyObject* value = PyUnicode_FromString(string);
  _PyErr_SetObject(tstate, exception, value);
  Py_XDECREF(value);
}

void PyErr_SetString(PyObject* exception, const char* string) {
  _PyErr_SetString(_PyThreadState_GET(), exception, string);
}

// ---- Matching and normalising

int PyErr_GivenExceptionMatches(PyObject* error, PyObject* expected) {
  if (error == nullptr || expected == nullptr) return 0;  // "no error" matches nothing
  if (PyTuple_Check(expected)) {
    const Py_ssize_t size = PyTuple_GET_SIZE(expected);
    for (Py_ssize_t i = 0; i < size; i++) {
      if (PyErr_GivenExceptionMatches(error, PyTuple_GET_ITEM(expected, i))) return 1;
    }
    return 0;
  }
  if (is_exception_instance(error)) error = PyExceptionInstance_Class(error);
  if (error == expected) return 1;
  if (is_exception_class(error) && is_exception_class(expected)) {
    return PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(error), reinterpret_cast<PyTypeObject*>(expected));
  }
  return 0;
}

int _PyErr_ExceptionMatches(PyThreadState* tstate, PyObject* exception) {
  return PyErr_GivenExceptionMatches(_PyErr_Occurred(tstate), exception);
}

int PyErr_ExceptionMatches(PyObject* exception) { return _PyErr_ExceptionMatches(_PyThreadState_GET(), exception); }

void _PyErr_NormalizeException(PyThreadState* tstate, PyObject** type, PyObject** value, PyObject** traceback) {
  // Making the instance can itself raise; then that exception is the one to normalise. A constructor that always fails
  // gets this many chances before it is called a recursion, and as many again before the process is given up.
  constexpr int kChances = 32;
  int failures = 0;
  while (*type != nullptr) {
    if (*value == nullptr) *value = Py_NewRef(Py_None);
    if (!is_exception_class(*type)) return;
    PyObject* of_value = is_exception_instance(*value) ? PyExceptionInstance_Class(*value) : nullptr;
    int is_subclass = 0;
    if (of_value != nullptr) {
      is_subclass = of_value == *type ? 1 : PyObject_IsSubclass(of_value, *type);
    }
    if (is_subclass == 0) {
      PyObject* fixed = create_exception(*type, *value);
      if (fixed != nullptr) {
        replace_reference(*value, fixed);
        return;
      }
    } else if (is_subclass > 0) {
      // The class of the value is the more exact one.
      if (of_value != *type) replace_reference(*type, Py_NewRef(of_value));
      return;
    }
    // The new exception takes the place of the old; it inherits the traceback when it has none.
    Py_DECREF(*type);
    Py_DECREF(*value);
    if (++failures == kChances) {
      _PyErr_Clear(tstate);
      _PyErr_SetString(tstate, PyExc_RecursionError, "maximum recursion depth exceeded while normalizing an exception");
    }
    PyObject* old_traceback = *traceback;
    _PyErr_Fetch(tstate, type, value, traceback);
    if (old_traceback != nullptr) {
      if (*traceback == nullptr) {
        *traceback = old_traceback;
      } else {
        Py_DECREF(old_traceback);
      }
    }
    if (failures >= 2 * kChances) {
      Py_FatalError(PyErr_GivenExceptionMatches(*type, PyExc_MemoryError)
                        ? "Cannot recover from MemoryErrors while normalizing exceptions."
                        : "Cannot recover from the recursive normalization of an exception.");
    }
  }
}

void PyErr_NormalizeException(PyObject** type, PyObject** value, PyObject** traceback) {
  _PyErr_NormalizeException(_PyThreadState_GET(), type, value, traceback);
}

// ---- What is being handled

_PyErr_StackItem* _PyErr_GetTopmostException(PyThreadState* tstate) {
  _PyErr_StackItem* item = tstate->exc_info;
  while ((item->exc_value == nullptr || item->exc_value == Py_None) && item->previous_item != nullptr) {
    item = item->previous_item;
  }
  return item;
}

PyObject* _PyErr_GetHandledException(PyThreadState* tstate) {
  PyObject* exception = _PyErr_GetTopmostException(tstate)->exc_value;
  if (exception == nullptr || exception == Py_None) return nullptr;
  return Py_NewRef(exception);
}

PyObject* PyErr_GetHandledException(void) { return _PyErr_GetHandledException(_PyThreadState_GET()); }

void _PyErr_SetHandledException(PyThreadState* tstate, PyObject* exception) {
  PyObject* old = tstate->exc_info->exc_value;
  tstate->exc_info->exc_value = Py_XNewRef(exception == Py_None ? nullptr : exception);
  Py_XDECREF(old);
}

void PyErr_SetHandledException(PyObject* exception) { _PyErr_SetHandledException(_PyThreadState_GET(), exception); }

namespace {
/// The old triple of an instance: new references, None when there is no exception.
void unpack_handled(PyObject* value, PyObject** type, PyObject** traceback) {
  *traceback = nullptr;
  if (value == nullptr || value == Py_None) {
    *type = Py_NewRef(Py_None);
  } else {
    *type = Py_NewRef(PyExceptionInstance_Class(value));
    *traceback = PyException_GetTraceback(value);
  }
  if (*traceback == nullptr) *traceback = Py_NewRef(Py_None);
}
}  // namespace

void _PyErr_GetExcInfo(PyThreadState* tstate, PyObject** type, PyObject** value, PyObject** traceback) {
  PyObject* handled = _PyErr_GetTopmostException(tstate)->exc_value;
  unpack_handled(handled, type, traceback);
  *value = Py_XNewRef(handled);
}

void PyErr_GetExcInfo(PyObject** type, PyObject** value, PyObject** traceback) {
  _PyErr_GetExcInfo(_PyThreadState_GET(), type, value, traceback);
}

void PyErr_SetExcInfo(PyObject* type, PyObject* value, PyObject* traceback) {
  PyErr_SetHandledException(value);
  Py_XDECREF(value);
  // All are stolen; type and traceback follow from the value.
  Py_XDECREF(type);
  Py_XDECREF(traceback);
}

PyObject* _PyErr_StackItemToExcInfoTuple(_PyErr_StackItem* item) {
  PyObject *type, *traceback;
  unpack_handled(item->exc_value, &type, &traceback);
  PyObject* result = PyTuple_Pack(3, type, item->exc_value != nullptr ? item->exc_value : Py_None, traceback);
  Py_DECREF(type);
  Py_DECREF(traceback);
  return result;
}

// ---- Chaining

void _PyErr_ChainExceptions(PyObject* type, PyObject* value, PyObject* traceback) {
  if (type == nullptr) return;
  PyThreadState* tstate = _PyThreadState_GET();
  if (!is_exception_class(type)) {
    _PyErr_Format(tstate, PyExc_SystemError, "_PyErr_ChainExceptions: exception %R is not a BaseException subclass",
                  type);
    return;
  }
  if (!_PyErr_Occurred(tstate)) {
    _PyErr_Restore(tstate, type, value, traceback);
    return;
  }
  PyObject *new_type, *new_value, *new_traceback;
  _PyErr_Fetch(tstate, &new_type, &new_value, &new_traceback);
  _PyErr_NormalizeException(tstate, &type, &value, &traceback);
  if (traceback != nullptr) {
    PyException_SetTraceback(value, traceback);
    Py_DECREF(traceback);
  }
  Py_DECREF(type);
  _PyErr_NormalizeException(tstate, &new_type, &new_value, &new_traceback);
  PyException_SetContext(new_value, value);
  _PyErr_Restore(tstate, new_type, new_value, new_traceback);
}

void _PyErr_ChainStackItem(_PyErr_StackItem* item) {
  PyThreadState* tstate = _PyThreadState_GET();
  _PyErr_StackItem* own = nullptr;
  if (item != nullptr) {
    own = tstate->exc_info;
    tstate->exc_info = item;
  } else {
    item = tstate->exc_info;
  }
  if (item->exc_value != nullptr && item->exc_value != Py_None) {
    PyObject *type, *value, *traceback;
    _PyErr_Fetch(tstate, &type, &value, &traceback);
    _PyErr_NormalizeException(tstate, &type, &value, &traceback);
    if (value != nullptr) {
      if (traceback != nullptr) PyException_SetTraceback(value, traceback);
      _PyErr_SetObject(tstate, type, value);
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
  }
  if (own != nullptr) tstate->exc_info = own;
}

namespace {
/// Raises `exception` with the current error as its context and cause.
PyObject* format_from_cause(PyThreadState* tstate, PyObject* exception, const char* format, va_list arguments) {
  PyObject *type, *cause, *traceback;
  _PyErr_Fetch(tstate, &type, &cause, &traceback);
  _PyErr_NormalizeException(tstate, &type, &cause, &traceback);
  if (traceback != nullptr) {
    PyException_SetTraceback(cause, traceback);
    Py_DECREF(traceback);
  }
  Py_DECREF(type);
  PyErr_FormatV(exception, format, arguments);
  PyObject* value;
  _PyErr_Fetch(tstate, &type, &value, &traceback);
  _PyErr_NormalizeException(tstate, &type, &value, &traceback);
  PyException_SetCause(value, Py_NewRef(cause));
  PyException_SetContext(value, cause);
  _PyErr_Restore(tstate, type, value, traceback);
  return nullptr;
}
}  // namespace

PyObject* _PyErr_FormatFromCauseTstate(PyThreadState* tstate, PyObject* exception, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  format_from_cause(tstate, exception, format, arguments);
  va_end(arguments);
  return nullptr;
}

PyObject* _PyErr_FormatFromCause(PyObject* exception, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  format_from_cause(_PyThreadState_GET(), exception, format, arguments);
  va_end(arguments);
  return nullptr;
}

namespace {
/// Whether an exception can be replaced by a fresh one of its type with another message, losing nothing.
bool is_plain(PyObject* value) {
  PyTypeObject* type = Py_TYPE(value);
  auto* base = reinterpret_cast<PyTypeObject*>(PyExc_BaseException);
  if (type->tp_init != base->tp_init || type->tp_new != base->tp_new) return false;
  // Room for a dict and a list of weak references is what every subclass has.
  Py_ssize_t size = static_cast<Py_ssize_t>(sizeof(PyBaseExceptionObject));
  if (type->tp_dictoffset != base->tp_dictoffset && type->tp_dictoffset != 0) size += sizeof(PyObject*);
  if (type->tp_weaklistoffset > 0) size += sizeof(PyObject*);
  if (type->tp_basicsize != size || type->tp_itemsize != 0) return false;
  auto* exception = reinterpret_cast<PyBaseExceptionObject*>(value);
  const Py_ssize_t nargs = PyTuple_GET_SIZE(exception->args);
  if (nargs > 1 || (nargs == 1 && !PyUnicode_CheckExact(PyTuple_GET_ITEM(exception->args, 0)))) return false;
  return exception->dict == nullptr || PyDict_GET_SIZE(exception->dict) == 0;
}
}  // namespace

PyObject* _PyErr_TrySetFromCause(const char* format, ...) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (value == nullptr || !is_plain(value)) {
    PyErr_Restore(type, value, traceback);
    return nullptr;
  }
  if (traceback != nullptr) {
    PyException_SetTraceback(value, traceback);
    Py_DECREF(traceback);
  }
  va_list arguments;
  va_start(arguments, format);
  PyObject* prefix = PyUnicode_FromFormatV(format, arguments);
  va_end(arguments);
  if (prefix == nullptr) {
    Py_DECREF(type);
    Py_DECREF(value);
    return nullptr;
  }
  PyErr_Format(type, "%U (%s: %S)", prefix, Py_TYPE(value)->tp_name, value);
  Py_DECREF(prefix);
  Py_DECREF(type);
  PyObject* replacement;
  PyErr_Fetch(&type, &replacement, &traceback);
  PyErr_NormalizeException(&type, &replacement, &traceback);
  PyException_SetCause(replacement, value);
  PyErr_Restore(type, replacement, traceback);
  return replacement;
}

// ---- Raising with a message

int PyErr_BadArgument(void) {
  PyErr_SetString(PyExc_TypeError, "bad argument type for built-in operation");
  return 0;
}

PyObject* _PyErr_NoMemory(PyThreadState* tstate) {
  if (Py_TYPE(PyExc_MemoryError) == nullptr) Py_FatalError("Out of memory and PyExc_MemoryError is not initialized yet");
  _PyErr_SetNone(tstate, PyExc_MemoryError);
  return nullptr;
}

PyObject* PyErr_NoMemory(void) { return _PyErr_NoMemory(_PyThreadState_GET()); }

namespace {
PyObject* format_error(PyThreadState* tstate, PyObject* exception, const char* format, va_list arguments) {
  // The caller may be replacing an error: formatting has to run without it.
  _PyErr_Clear(tstate);
  PyObject* message = PyUnicode_FromFormatV(format, arguments);
  _PyErr_SetObject(tstate, exception, message);
  Py_XDECREF(message);
  return nullptr;
}
}  // namespace

PyObject* PyErr_FormatV(PyObject* exception, const char* format, va_list arguments) {
  return format_error(_PyThreadState_GET(), exception, format, arguments);
}

PyObject* PyErr_Format(PyObject* exception, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  format_error(_PyThreadState_GET(), exception, format, arguments);
  va_end(arguments);
  return nullptr;
}

PyObject* _PyErr_Format(PyThreadState* tstate, PyObject* exception, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  format_error(tstate, exception, format, arguments);
  va_end(arguments);
  return nullptr;
}

void _PyErr_BadInternalCall(const char* filename, int lineno) {
  PyErr_Format(PyExc_SystemError, "%s:%d: bad argument to internal function", filename, lineno);
}

#undef PyErr_BadInternalCall
void PyErr_BadInternalCall(void) { PyErr_SetString(PyExc_SystemError, "bad argument to internal function"); }

PyObject* PyErr_SetFromErrnoWithFilenameObjects(PyObject* exception, PyObject* filename, PyObject* filename2) {
  const int number = errno;
  // A signal whose handler raises takes precedence over "interrupted".
  if (number == EINTR && PyErr_CheckSignals() != 0) return nullptr;
  Ref<> message = Ref<>::steal(number == 0 ? PyUnicode_FromString("Error")
                                           : PyUnicode_DecodeLocale(strerror(number), "surrogateescape"));
  if (!message) return nullptr;
  Ref<> args;
  if (filename == nullptr) {
    args = Ref<>::steal(Py_BuildValue("(iO)", number, message.get()));
  } else if (filename2 == nullptr) {
    args = Ref<>::steal(Py_BuildValue("(iOO)", number, message.get(), filename));
  } else {
    args = Ref<>::steal(Py_BuildValue("(iOOiO)", number, message.get(), filename, 0, filename2));
  }
  if (!args) return nullptr;
  auto error = Ref<>::steal(PyObject_Call(exception, args.get(), nullptr));
  if (error) PyErr_SetObject(as_object(Py_TYPE(error.get())), error.get());
  return nullptr;
}

PyObject* PyErr_SetFromErrnoWithFilenameObject(PyObject* exception, PyObject* filename) {
  return PyErr_SetFromErrnoWithFilenameObjects(exception, filename, nullptr);
}

PyObject* PyErr_SetFromErrnoWithFilename(PyObject* exception, const char* filename) {
  Ref<> name;
  if (filename != nullptr) {
    const int saved = errno;
    name = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
    errno = saved;
    if (!name) return nullptr;
  }
  return PyErr_SetFromErrnoWithFilenameObjects(exception, name.get(), nullptr);
}

PyObject* PyErr_SetFromErrno(PyObject* exception) {
  return PyErr_SetFromErrnoWithFilenameObjects(exception, nullptr, nullptr);
}

PyObject* PyErr_SetImportErrorSubclass(PyObject* exception, PyObject* msg, PyObject* name, PyObject* path) {
  const int is_subclass = PyObject_IsSubclass(exception, PyExc_ImportError);
  if (is_subclass < 0) return nullptr;
  if (!is_subclass) {
    PyErr_SetString(PyExc_TypeError, "expected a subclass of ImportError");
    return nullptr;
  }
  if (msg == nullptr) {
    PyErr_SetString(PyExc_TypeError, "expected a message argument");
    return nullptr;
  }
  auto kwargs = Ref<>::steal(PyDict_New());
  if (!kwargs || PyDict_SetItem(kwargs.get(), &_Py_ID(name), name != nullptr ? name : Py_None) < 0 ||
      PyDict_SetItem(kwargs.get(), &_Py_ID(path), path != nullptr ? path : Py_None) < 0) {
    return nullptr;
  }
  auto error = Ref<>::steal(PyObject_VectorcallDict(exception, &msg, 1, kwargs.get()));
  if (error) PyErr_SetObject(as_object(Py_TYPE(error.get())), error.get());
  return nullptr;
}

PyObject* PyErr_SetImportError(PyObject* msg, PyObject* name, PyObject* path) {
  return PyErr_SetImportErrorSubclass(PyExc_ImportError, msg, name, path);
}

// ---- New exception types

PyObject* PyErr_NewException(const char* name, PyObject* base, PyObject* dict) {
  const char* dot = strrchr(name, '.');
  if (dot == nullptr) {
    PyErr_SetString(PyExc_SystemError, "PyErr_NewException: name must be module.class");
    return nullptr;
  }
  if (base == nullptr) base = PyExc_Exception;
  auto namespace_ = Ref<>::dup(dict);
  if (!namespace_) {
    namespace_ = Ref<>::steal(PyDict_New());
    if (!namespace_) return nullptr;
  }
  const int has_module = PyDict_Contains(namespace_.get(), &_Py_ID(__module__));
  if (has_module < 0) return nullptr;
  if (!has_module) {
    auto module = Ref<>::steal(PyUnicode_FromStringAndSize(name, dot - name));
    if (!module || PyDict_SetItem(namespace_.get(), &_Py_ID(__module__), module.get()) < 0) return nullptr;
  }
  auto bases = PyTuple_Check(base) ? Ref<>::dup(base) : Ref<>::steal(PyTuple_Pack(1, base));
  if (!bases) return nullptr;
  return PyObject_CallFunction(as_object(&PyType_Type), "sOO", dot + 1, bases.get(), namespace_.get());
}

PyObject* PyErr_NewExceptionWithDoc(const char* name, const char* doc, PyObject* base, PyObject* dict) {
  auto namespace_ = dict != nullptr ? Ref<>::dup(dict) : Ref<>::steal(PyDict_New());
  if (!namespace_) return nullptr;
  if (doc != nullptr) {
    auto text = Ref<>::steal(PyUnicode_FromString(doc));
    if (!text || PyDict_SetItemString(namespace_.get(), "__doc__", text.get()) < 0) return nullptr;
  }
  return PyErr_NewException(name, base, namespace_.get());
}
