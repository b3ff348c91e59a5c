// The functions of sys, apart from tracing (sys_trace.cpp) and auditing (sys_audit.cpp).
#include "Lib/native/sys/sys_internal.h"
#include <frameobject.h>

#include "Objects/bind.h"
#include "internal/pycore_call.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_long.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pymem.h"
#include "internal/pycore_structseq.h"
#include "internal/pycore_tuple.h"

size_t _PySys_GetSizeOf(PyObject* object) {
  using pyston::Ref;
  PyThreadState* tstate = _PyThreadState_GET();
  if (PyType_Ready(Py_TYPE(object)) < 0) return static_cast<size_t>(-1);
  Ref<> method = Ref<>::steal(_PyObject_LookupSpecial(object, &_Py_ID(__sizeof__)));
  Ref<> result;
  if (!method) {
    if (!PyErr_Occurred()) {
      PyErr_Format(PyExc_TypeError, "Type %.100s doesn't define __sizeof__", Py_TYPE(object)->tp_name);
    }
  } else {
    result = Ref<>::steal(_PyObject_CallNoArgsTstate(tstate, method.get()));
  }
  if (!result) return static_cast<size_t>(-1);
  const Py_ssize_t size = PyLong_AsSsize_t(result.get());
  if (size == -1 && PyErr_Occurred()) return static_cast<size_t>(-1);
  if (size < 0) {
    PyErr_SetString(PyExc_ValueError, "__sizeof__() should return >= 0");
    return static_cast<size_t>(-1);
  }
  return static_cast<size_t>(size) + _PyType_PreHeaderSize(Py_TYPE(object));
}

namespace pyston::sys {
namespace {

/// Writes text to a stream whose encoding may not hold it, with backslashes for what it can't.
Status write_with_backslashes(PyObject* output, PyObject* text) {
  auto encoding = VM_TRY(Ref<>::steal(PyObject_GetAttr(output, &_Py_ID(encoding))));
  const char* encoding_name = PyUnicode_AsUTF8(encoding.get());
  if (encoding_name == nullptr) return Status::kError;
  auto encoded = VM_TRY(Ref<>::steal(PyUnicode_AsEncodedString(text, encoding_name, "backslashreplace")));
  PyObject* buffer = nullptr;
  VM_CHECK(_PyObject_LookupAttr(output, &_Py_ID(buffer), &buffer));
  if (buffer != nullptr) {
    Ref<> owner = Ref<>::steal(buffer);
    VM_CHECK(Ref<>::steal(PyObject_CallMethodOneArg(buffer, &_Py_ID(write), encoded.get())));
    return Status::kOk;
  }
  auto escaped = VM_TRY(Ref<>::steal(PyUnicode_FromEncodedObject(encoded.get(), encoding_name, "strict")));
  return PyFile_WriteObject(escaped.get(), output, Py_PRINT_RAW) < 0 ? Status::kError : Status::kOk;
}

Ref<> sys_displayhook(PyObject*, Borrowed<> object) {
  PyThreadState* tstate = _PyThreadState_GET();
  Ref<> builtins = Ref<>::steal(PyImport_GetModule(&_Py_ID(builtins)));
  if (!builtins) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "lost builtins module");
    return nullptr;
  }
  if (object == Py_None) return Ref<>::none();
  VM_CHECK(PyObject_SetAttr(builtins.get(), &_Py_ID(_), Py_None));  // frees the previous value before printing
  PyObject* output = _PySys_GetAttr(tstate, &_Py_ID(stdout));
  if (output == nullptr || output == Py_None) return raise(PyExc_RuntimeError, "lost sys.stdout");
  Ref<> keep_output = Ref<>::dup(output);
  auto text = VM_TRY(Ref<>::steal(PyObject_Repr(object)));
  if (PyFile_WriteObject(text.get(), output, Py_PRINT_RAW) != 0) {
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return nullptr;
    PyErr_Clear();
    VM_CHECK(write_with_backslashes(output, text.get()));
  }
  VM_CHECK(PyFile_WriteString("\n", output));
  VM_CHECK(PyObject_SetAttr(builtins.get(), &_Py_ID(_), object));
  return Ref<>::none();
}

Ref<> sys_excepthook(PyObject*, Borrowed<> type, Borrowed<> value, Borrowed<> traceback) {
  PyErr_Display(type, value, traceback);
  return Ref<>::none();
}

Ref<> sys_unraisablehook(PyObject*, Borrowed<> unraisable) {
  return Ref<>::steal(_PyErr_WriteUnraisableDefaultHook(unraisable));
}

Ref<> sys_exception(PyObject*) {
  const _PyErr_StackItem* item = _PyErr_GetTopmostException(_PyThreadState_GET());
  return Ref<>::dup(item->exc_value == nullptr ? Py_None : item->exc_value);
}

Ref<> sys_exc_info(PyObject*) {
  return Ref<>::steal(_PyErr_StackItemToExcInfoTuple(_PyErr_GetTopmostException(_PyThreadState_GET())));
}

Ref<> sys_exit(PyObject*, PyObject* status) {
  PyErr_SetObject(PyExc_SystemExit, status == nullptr ? Py_None : status);
  return nullptr;
}

Ref<> sys_getdefaultencoding(PyObject*) { return Ref<>::steal(PyUnicode_FromString("utf-8")); }

Ref<> sys_getfilesystemencoding(PyObject*) {
  return Ref<>::steal(PyUnicode_FromWideChar(_Py_GetConfig()->filesystem_encoding, -1));
}
Ref<> sys_getfilesystemencodeerrors(PyObject*) {
  return Ref<>::steal(PyUnicode_FromWideChar(_Py_GetConfig()->filesystem_errors, -1));
}

Ref<> sys_intern(PyObject*, Borrowed<PyUnicodeObject> string) {
  if (!PyUnicode_CheckExact(string.object())) {
    return raise(PyExc_TypeError, "can't intern %.400s", Py_TYPE(string.object())->tp_name);
  }
  PyObject* text = Py_NewRef(string.object());
  PyUnicode_InternInPlace(&text);
  return Ref<>::steal(text);
}

Ref<> sys_setswitchinterval(PyObject*, double interval) {
  if (interval <= 0.0) return raise(PyExc_ValueError, "switch interval must be strictly positive");
  _PyEval_SetSwitchInterval(static_cast<unsigned long>(1e6 * interval));
  return Ref<>::none();
}
Ref<> sys_getswitchinterval(PyObject*) {
  return Ref<>::steal(PyFloat_FromDouble(1e-6 * static_cast<double>(_PyEval_GetSwitchInterval())));
}

Ref<> sys_setrecursionlimit(PyObject*, int limit) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (limit < 1) return raise(PyExc_ValueError, "recursion limit must be greater or equal than 1");
  const int depth = tstate->recursion_limit - tstate->recursion_remaining;
  if (depth >= limit) {
    return raise(PyExc_RecursionError, "cannot set the recursion limit to %i at the recursion depth %i: the limit is too low",
                 limit, depth);
  }
  Py_SetRecursionLimit(limit);
  return Ref<>::none();
}
Ref<> sys_getrecursionlimit(PyObject*) { return Ref<>::steal(PyLong_FromLong(Py_GetRecursionLimit())); }

Ref<> sys_set_coroutine_origin_tracking_depth(PyObject*, int depth) {
  if (_PyEval_SetCoroutineOriginTrackingDepth(depth) < 0) return nullptr;
  return Ref<>::none();
}
Ref<> sys_get_coroutine_origin_tracking_depth(PyObject*) {
  return Ref<>::steal(PyLong_FromLong(_PyEval_GetCoroutineOriginTrackingDepth()));
}

PyTypeObject asyncgen_hooks_type;

Ref<> sys_set_asyncgen_hooks(PyObject*, PyObject* firstiter, PyObject* finalizer) {
  if (finalizer != nullptr && finalizer != Py_None && !PyCallable_Check(finalizer)) {
    return raise(PyExc_TypeError, "callable finalizer expected, got %.50s", Py_TYPE(finalizer)->tp_name);
  }
  if (firstiter != nullptr && firstiter != Py_None && !PyCallable_Check(firstiter)) {
    return raise(PyExc_TypeError, "callable firstiter expected, got %.50s", Py_TYPE(firstiter)->tp_name);
  }
  Ref<> old_finalizer = Ref<>::dup(_PyEval_GetAsyncGenFinalizer());
  if (finalizer != nullptr && _PyEval_SetAsyncGenFinalizer(finalizer == Py_None ? nullptr : finalizer) < 0) {
    return nullptr;
  }
  if (firstiter != nullptr && _PyEval_SetAsyncGenFirstiter(firstiter == Py_None ? nullptr : firstiter) < 0) {
    if (finalizer != nullptr) _PyEval_SetAsyncGenFinalizer(old_finalizer.get());
    return nullptr;
  }
  return Ref<>::none();
}

Ref<> sys_get_asyncgen_hooks(PyObject*) {
  auto hooks = VM_TRY(Ref<>::steal(PyStructSequence_New(&asyncgen_hooks_type)));
  PyObject* firstiter = _PyEval_GetAsyncGenFirstiter();
  PyObject* finalizer = _PyEval_GetAsyncGenFinalizer();
  PyStructSequence_SET_ITEM(hooks.get(), 0, Py_NewRef(firstiter == nullptr ? Py_None : firstiter));
  PyStructSequence_SET_ITEM(hooks.get(), 1, Py_NewRef(finalizer == nullptr ? Py_None : finalizer));
  return hooks;
}

Ref<> sys_setdlopenflags(PyObject*, int flags) {
  _PyInterpreterState_GET()->dlopenflags = flags;
  return Ref<>::none();
}
Ref<> sys_getdlopenflags(PyObject*) { return Ref<>::steal(PyLong_FromLong(_PyInterpreterState_GET()->dlopenflags)); }

Ref<> sys_get_int_max_str_digits(PyObject*) {
  return Ref<>::steal(PyLong_FromLong(_PyInterpreterState_GET()->int_max_str_digits));
}
Ref<> sys_set_int_max_str_digits(PyObject*, int maxdigits) {
  if (maxdigits != 0 && maxdigits < _PY_LONG_MAX_STR_DIGITS_THRESHOLD) {
    return raise(PyExc_ValueError, "maxdigits must be 0 or larger than %d", _PY_LONG_MAX_STR_DIGITS_THRESHOLD);
  }
  _PyInterpreterState_GET()->int_max_str_digits = maxdigits;
  return Ref<>::none();
}

PyObject* sys_getsizeof(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static constexpr Signature signature = parse_signature("getsizeof($module, object, default=<unrepresentable>)");
  PyObject* values[2];
  if (!bind_arguments(signature, args, nargs, kwnames, values)) return nullptr;
  const size_t size = _PySys_GetSizeOf(values[0]);
  if (size == static_cast<size_t>(-1) && PyErr_Occurred()) {
    if (values[1] != nullptr && PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Clear();
      return Py_NewRef(values[1]);
    }
    return nullptr;
  }
  return PyLong_FromSize_t(size);
}

Ref<> sys_getrefcount(PyObject*, Borrowed<> object) { return Ref<>::steal(PyLong_FromSsize_t(Py_REFCNT(object))); }
Ref<> sys_getallocatedblocks(PyObject*) { return Ref<>::steal(PyLong_FromSsize_t(_Py_GetAllocatedBlocks())); }
Ref<> sys_getquickenedcount(PyObject*) { return Ref<>::steal(PyLong_FromSsize_t(_Py_QuickenedCount)); }

Ref<> sys_getframe(PyObject*, Optional<int> depth_argument) {
  int depth = depth_argument.value_or(0);
  PyThreadState* tstate = _PyThreadState_GET();
  _PyInterpreterFrame* frame = tstate->cframe->current_frame;
  if (frame != nullptr) {
    while (depth > 0) {
      frame = frame->previous;
      if (frame == nullptr) break;
      if (_PyFrame_IsIncomplete(frame)) continue;
      depth--;
    }
  }
  while (frame != nullptr && _PyFrame_IsIncomplete(frame)) frame = frame->previous;
  if (frame == nullptr) return raise(PyExc_ValueError, "call stack is not deep enough");
  Ref<> result = Ref<>::dup(as_object(_PyFrame_GetFrameObject(frame)));
  if (!result) return nullptr;
  if (PySys_Audit("sys._getframe", "O", result.get()) < 0) return nullptr;
  return result;
}

Ref<> sys_current_frames(PyObject*) { return Ref<>::steal(_PyThread_CurrentFrames()); }
Ref<> sys_current_exceptions(PyObject*) { return Ref<>::steal(_PyThread_CurrentExceptions()); }
Ref<> sys_debugmallocstats(PyObject*) {
  if (_PyObject_DebugMallocStats(stderr)) fputc('\n', stderr);
  _PyObject_DebugTypeStats(stderr);
  return Ref<>::none();
}
Ref<> sys_clear_type_cache(PyObject*) {
  PyType_ClearCache();
  return Ref<>::none();
}
Ref<> sys_is_finalizing(PyObject*) { return Ref<>::steal(PyBool_FromLong(_Py_IsFinalizing())); }

/// breakpoint(): imports what PYTHONBREAKPOINT names and calls it.
PyObject* sys_breakpointhook(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* keywords) {
  const char* variable = getenv("PYTHONBREAKPOINT");
  const bool ignore = _Py_GetConfig()->use_environment == 0;
  if (ignore || variable == nullptr || variable[0] == '\0') variable = "pdb.set_trace";
  if (strcmp(variable, "0") == 0) Py_RETURN_NONE;
  const char* dot = strrchr(variable, '.');
  Ref<> module_name;
  const char* attribute;
  if (dot == nullptr) {
    module_name = Ref<>::steal(PyUnicode_FromString("builtins"));
    attribute = variable;
  } else {
    module_name = Ref<>::steal(PyUnicode_FromStringAndSize(variable, dot - variable));
    attribute = dot + 1;
  }
  if (!module_name) return nullptr;
  Ref<> fromlist = Ref<>::steal(Py_BuildValue("(s)", attribute));
  Ref<> module = fromlist && dot != variable ? Ref<>::steal(PyImport_ImportModuleLevelObject(
                                                   module_name.get(), nullptr, nullptr, fromlist.get(), 0))
                                             : nullptr;
  Ref<> hook = module ? Ref<>::steal(PyObject_GetAttrString(module.get(), attribute)) : nullptr;
  if (hook) return PyObject_Vectorcall(hook.get(), args, nargs, keywords);
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_ImportError) && !PyErr_ExceptionMatches(PyExc_AttributeError)) {
    return nullptr;
  }
  PyErr_Clear();
  if (PyErr_WarnFormat(PyExc_RuntimeWarning, 0, "Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"", variable) < 0) {
    return nullptr;
  }
  Py_RETURN_NONE;
}

PyStructSequence_Field asyncgen_hooks_fields[] = {
    {"firstiter", "called when an asynchronous generator is first iterated"},
    {"finalizer", "called when an asynchronous generator is about to be collected"},
    {nullptr, nullptr}};
PyStructSequence_Desc asyncgen_hooks_desc = {"asyncgen_hooks", "The hooks of asynchronous generators.",
                                             asyncgen_hooks_fields, 2};

}  // namespace

Status ready_asyncgen_hooks() {
  if (asyncgen_hooks_type.tp_name != nullptr) return Status::kOk;
  return PyStructSequence_InitType2(&asyncgen_hooks_type, &asyncgen_hooks_desc) < 0 ? Status::kError : Status::kOk;
}

PyMethodDef methods[] = {
    method<sys_displayhook, "displayhook($module, object, /)",
           "Prints an object to sys.stdout and keeps it in builtins._ (the prompt's echo).">(),
    method<sys_excepthook, "excepthook($module, exctype, value, traceback, /)",
           "Prints an exception to sys.stderr.">(),
    method<sys_unraisablehook, "unraisablehook($module, unraisable, /)",
           "Reports an exception that could not be raised.">(),
    method<sys_exception, "exception($module, /)", "The exception being handled, or None.">(),
    method<sys_exc_info, "exc_info($module, /)", "(type, value, traceback) of the exception being handled.">(),
    method<sys_exit, "exit($module, status=None, /)", "Raises SystemExit(status).">(),
    method<sys_getdefaultencoding, "getdefaultencoding($module, /)", "The default string encoding: 'utf-8'.">(),
    method<sys_getfilesystemencoding, "getfilesystemencoding($module, /)", "The encoding of file names.">(),
    method<sys_getfilesystemencodeerrors, "getfilesystemencodeerrors($module, /)",
           "The error handler of file names.">(),
    method<sys_intern, "intern($module, string, /)", "The interned equal of a string.">(),
    method<sys_setswitchinterval, "setswitchinterval($module, interval, /)",
           "Sets the thread switch interval, in seconds.">(),
    method<sys_getswitchinterval, "getswitchinterval($module, /)", "The thread switch interval in seconds.">(),
    method<sys_setrecursionlimit, "setrecursionlimit($module, limit, /)",
           "Sets the greatest depth of the Python call stack.">(),
    method<sys_getrecursionlimit, "getrecursionlimit($module, /)", "The greatest depth of the Python call stack.">(),
    method<sys_set_coroutine_origin_tracking_depth, "set_coroutine_origin_tracking_depth($module, /, depth)",
           "How many frames coroutines remember of where they were made; 0 switches it off.">(),
    method<sys_get_coroutine_origin_tracking_depth, "get_coroutine_origin_tracking_depth($module, /)",
           "How many frames coroutines remember of where they were made.">(),
    method<sys_set_asyncgen_hooks, "set_asyncgen_hooks($module, /, firstiter=None, finalizer=None)",
           "Sets the asynchronous generator hooks of this thread.">(),
    method<sys_get_asyncgen_hooks, "get_asyncgen_hooks($module, /)",
           "The asynchronous generator hooks of this thread.">(),
    method<sys_setdlopenflags, "setdlopenflags($module, flags, /)", "Sets dlopen flags for extension modules.">(),
    method<sys_getdlopenflags, "getdlopenflags($module, /)", "The dlopen flags for extension modules.">(),
    method<sys_get_int_max_str_digits, "get_int_max_str_digits($module, /)",
           "The limit of digits in int <-> str conversions; 0 is no limit.">(),
    method<sys_set_int_max_str_digits, "set_int_max_str_digits($module, /, maxdigits)",
           "Sets the limit of digits in int <-> str conversions.">(),
    {"getsizeof", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(sys_getsizeof)),
     METH_FASTCALL | METH_KEYWORDS,
     "getsizeof(object [, default]) -> int\n\nThe size of an object in bytes, without what it refers to."},
    method<sys_getrefcount, "getrefcount($module, object, /)",
           "The reference count of an object; the argument itself counts.">(),
    method<sys_getallocatedblocks, "getallocatedblocks($module, /)", "Number of memory blocks in use.">(),
    method<sys_getquickenedcount, "_getquickenedcount($module, /)", "Number of quickened code objects.">(),
    method<sys_getframe, "_getframe($module, depth=0, /)", "The frame `depth` levels up the call stack.">(),
    method<sys_current_frames, "_current_frames($module, /)", "{thread id: its current frame}">(),
    method<sys_current_exceptions, "_current_exceptions($module, /)", "{thread id: (type, value, traceback)}">(),
    method<sys_debugmallocstats, "_debugmallocstats($module, /)", "Prints the allocator's statistics to stderr.">(),
    method<sys_clear_type_cache, "_clear_type_cache($module, /)", "Empties the method cache.">(),
    method<sys_is_finalizing, "is_finalizing($module, /)", "True while the interpreter shuts down.">(),
    {"breakpointhook", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(sys_breakpointhook)),
     METH_FASTCALL | METH_KEYWORDS,
     "breakpointhook(*args, **kws)\n\nCalled by breakpoint(); calls what PYTHONBREAKPOINT names, pdb.set_trace by default."},
    {}};

}  // namespace pyston::sys
