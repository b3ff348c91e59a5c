// The `builtins` module: its table, and the functions that hardly do more than call the object protocol.
#include "Lib/native/builtins/builtins.h"

#include <pycore_ceval.h>
#include <pycore_frame.h>
#include <pycore_global_strings.h>
#include <pycore_initconfig.h>
#include <pycore_moduleobject.h>
#include <pycore_object.h>
#include <pycore_pyerrors.h>
#include <pycore_pylifecycle.h>
#include <pycore_pystate.h>
#include <pycore_runtime.h>

extern "C" PyObject* PyAnextAwaitable_New(PyObject* awaitable, PyObject* default_value);

namespace pyston::builtins {
namespace {

bool check_count(const char* name, Py_ssize_t nargs, Py_ssize_t low, Py_ssize_t high) {
  return _PyArg_CheckPositional(name, nargs, low, high) != 0;
}

Ref<> abs(Borrowed<> module, Borrowed<> x) { return Ref<>::steal(PyNumber_Absolute(x)); }

Ref<> aiter(Borrowed<> module, Borrowed<> iterable) { return Ref<>::steal(PyObject_GetAIter(iterable)); }

PyObject* anext(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (!check_count("anext", nargs, 1, 2)) return nullptr;
  PyTypeObject* type = Py_TYPE(args[0]);
  if (type->tp_as_async == nullptr || type->tp_as_async->am_anext == nullptr) {
    return raise(PyExc_TypeError, "'%.200s' object is not an async iterator", type->tp_name);
  }
  Ref<> awaitable = Ref<>::steal(type->tp_as_async->am_anext(args[0]));
  if (!awaitable || nargs == 1) return awaitable.release();
  return PyAnextAwaitable_New(awaitable.get(), args[1]);
}

Ref<> ascii(Borrowed<> module, Borrowed<> object) { return Ref<>::steal(PyObject_ASCII(object)); }
Ref<> bin(Borrowed<> module, Borrowed<> number) { return Ref<>::steal(PyNumber_ToBase(number, 2)); }
Ref<> hex(Borrowed<> module, Borrowed<> number) { return Ref<>::steal(PyNumber_ToBase(number, 16)); }
Ref<> oct(Borrowed<> module, Borrowed<> number) { return Ref<>::steal(PyNumber_ToBase(number, 8)); }

Ref<> callable(Borrowed<> module, Borrowed<> object) {
  return Ref<>::steal(PyBool_FromLong(PyCallable_Check(object)));
}

Ref<> chr(Borrowed<> module, int i) { return Ref<>::steal(PyUnicode_FromOrdinal(i)); }

Ref<> delattr(Borrowed<> module, Borrowed<> object, Borrowed<> name) {
  if (PyObject_SetAttr(object, name, nullptr) < 0) return nullptr;
  return Ref<>::none();
}

PyObject* dir(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs > 1) return raise(PyExc_TypeError, "dir expected at most 1 argument, got %zd", nargs);
  return PyObject_Dir(nargs == 0 ? nullptr : args[0]);
}

Ref<> divmod(Borrowed<> module, Borrowed<> x, Borrowed<> y) { return Ref<>::steal(PyNumber_Divmod(x, y)); }

Ref<> format(Borrowed<> module, Borrowed<> value, Optional<Borrowed<PyUnicodeObject>> specification) {
  return Ref<>::steal(PyObject_Format(value, specification ? specification->object() : nullptr));
}

PyObject* getattr(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (!check_count("getattr", nargs, 2, 3)) return nullptr;
  if (nargs == 2) return PyObject_GetAttr(args[0], args[1]);
  PyObject* value;
  const int found = _PyObject_LookupAttr(args[0], args[1], &value);
  if (found < 0) return nullptr;
  return found > 0 ? value : Py_NewRef(args[2]);
}

Ref<> globals(Borrowed<> module) {
  PyObject* dict = PyEval_GetGlobals();
  return Ref<>::dup(dict);
}

Ref<> locals(Borrowed<> module) {
  PyObject* mapping = PyEval_GetLocals();
  return Ref<>::dup(mapping);
}

Ref<> hasattr(Borrowed<> module, Borrowed<> object, Borrowed<> name) {
  PyObject* value;
  const int found = _PyObject_LookupAttr(object, name, &value);
  if (found < 0) return nullptr;
  Py_XDECREF(value);
  return Ref<>::dup(found > 0 ? Py_True : Py_False);
}

Ref<> hash(Borrowed<> module, Borrowed<> object) {
  const Py_hash_t value = PyObject_Hash(object);
  return value == -1 ? Ref<>() : Ref<>::steal(PyLong_FromSsize_t(value));
}

Ref<> id(Borrowed<> module, Borrowed<> object) {
  Ref<> value = Ref<>::steal(PyLong_FromVoidPtr(object.get()));
  if (value && PySys_Audit("builtins.id", "O", value.get()) < 0) return nullptr;
  return value;
}

Ref<> isinstance(Borrowed<> module, Borrowed<> object, Borrowed<> classes) {
  const int result = PyObject_IsInstance(object, classes);
  return result < 0 ? Ref<>() : Ref<>::dup(result ? Py_True : Py_False);
}

Ref<> issubclass(Borrowed<> module, Borrowed<> cls, Borrowed<> classes) {
  const int result = PyObject_IsSubclass(cls, classes);
  return result < 0 ? Ref<>() : Ref<>::dup(result ? Py_True : Py_False);
}

PyObject* iter(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (!check_count("iter", nargs, 1, 2)) return nullptr;
  if (nargs == 1) return PyObject_GetIter(args[0]);
  if (!PyCallable_Check(args[0])) return raise(PyExc_TypeError, "iter(v, w): v must be callable");
  return PyCallIter_New(args[0], args[1]);
}

Ref<> len(Borrowed<> module, Borrowed<> object) {
  const Py_ssize_t size = PyObject_Size(object);
  return size < 0 ? Ref<>() : Ref<>::steal(PyLong_FromSsize_t(size));
}

PyObject* next(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (!check_count("next", nargs, 1, 2)) return nullptr;
  PyObject* iterator = args[0];
  if (!PyIter_Check(iterator)) {
    return raise(PyExc_TypeError, "'%.200s' object is not an iterator", Py_TYPE(iterator)->tp_name);
  }
  PyObject* item = Py_TYPE(iterator)->tp_iternext(iterator);
  if (item != nullptr) return item;
  if (nargs > 1) {
    if (PyErr_Occurred()) {
      if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return nullptr;
      PyErr_Clear();
    }
    return Py_NewRef(args[1]);
  }
  if (!PyErr_Occurred()) PyErr_SetNone(PyExc_StopIteration);
  return nullptr;
}

Ref<> ord(Borrowed<> module, Borrowed<> c) {
  PyObject* object = c.get();
  Py_ssize_t size;
  if (PyUnicode_Check(object)) {
    if (PyUnicode_READY(object) < 0) return nullptr;
    size = PyUnicode_GET_LENGTH(object);
    if (size == 1) return Ref<>::steal(PyLong_FromLong(PyUnicode_READ_CHAR(object, 0)));
  } else if (PyBytes_Check(object)) {
    size = PyBytes_GET_SIZE(object);
    if (size == 1) return Ref<>::steal(PyLong_FromLong(static_cast<unsigned char>(*PyBytes_AS_STRING(object))));
  } else if (PyByteArray_Check(object)) {
    size = PyByteArray_GET_SIZE(object);
    if (size == 1) return Ref<>::steal(PyLong_FromLong(static_cast<unsigned char>(*PyByteArray_AS_STRING(object))));
  } else {
    return raise(PyExc_TypeError, "ord() expected string of length 1, but %.200s found", Py_TYPE(object)->tp_name);
  }
  return raise(PyExc_TypeError, "ord() expected a character, but string of length %zd found", size);
}

Ref<> pow(Borrowed<> module, Borrowed<> base, Borrowed<> exp, PyObject* mod) {
  return Ref<>::steal(PyNumber_Power(base, exp, mod == nullptr ? Py_None : mod));
}

Ref<> repr(Borrowed<> module, Borrowed<> object) { return Ref<>::steal(PyObject_Repr(object)); }

Ref<> round(Borrowed<> module, Borrowed<> number, PyObject* digits) {
  PyTypeObject* type = Py_TYPE(number.get());
  if (type->tp_dict == nullptr && PyType_Ready(type) < 0) return nullptr;
  Ref<> method = Ref<>::steal(_PyObject_LookupSpecial(number, &_Py_ID(__round__)));
  if (!method) {
    if (PyErr_Occurred()) return nullptr;
    return raise(PyExc_TypeError, "type %.100s doesn't define __round__ method", type->tp_name);
  }
  if (digits == nullptr || digits == Py_None) return Ref<>::steal(PyObject_CallNoArgs(method.get()));
  return Ref<>::steal(PyObject_CallOneArg(method.get(), digits));
}

Ref<> setattr(Borrowed<> module, Borrowed<> object, Borrowed<> name, Borrowed<> value) {
  if (PyObject_SetAttr(object, name, value) < 0) return nullptr;
  return Ref<>::none();
}

PyObject* vars(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs > 1) return raise(PyExc_TypeError, "vars expected at most 1 argument, got %zd", nargs);
  if (nargs == 0) return Py_XNewRef(PyEval_GetLocals());
  PyObject* dict;
  const int found = _PyObject_LookupAttr(args[0], &_Py_ID(__dict__), &dict);
  if (found == 0) PyErr_SetString(PyExc_TypeError, "vars() argument must have __dict__ attribute");
  return dict;
}

PyMethodDef fast(const char* name, FastFunction function, const char* doc) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL, doc};
}
PyMethodDef fast_keywords(const char* name, FastKeywordFunction function, const char* doc) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL | METH_KEYWORDS,
          doc};
}

PyMethodDef builtin_methods[] = {
    fast_keywords("__build_class__", build_class,
                  "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\n"
                  "What the class statement calls."),
    method<import_module, "__import__($module, /, name, globals=None, locals=None, fromlist=(), level=0)",
           "What the import statement calls; importlib.import_module() is for programs.">(),
    method<abs, "abs($module, x, /)", "The absolute value of a number.">(),
    method<all, "all($module, iterable, /)", "Whether no item is false.">(),
    method<any, "any($module, iterable, /)", "Whether some item is true.">(),
    method<ascii, "ascii($module, obj, /)", "repr() with everything beyond ASCII escaped.">(),
    method<bin, "bin($module, number, /)", "The integer in binary, with the prefix 0b.\n\n>>> bin(37)\n'0b100101'">(),
    fast_keywords("breakpoint", breakpoint,
                  "breakpoint(*args, **kws)\n\nCalls sys.breakpointhook, which starts the debugger by default."),
    method<callable, "callable($module, obj, /)", "Whether the object can be called.">(),
    method<chr, "chr($module, i, /)", "The string of one character with the given code point.">(),
    method<compile_source,
           "compile($module, /, source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, "
           "_feature_version=-1)",
           "A code object (or syntax tree) made from source text or a syntax tree.">(),
    method<delattr, "delattr($module, obj, name, /)", "del obj.name">(),
    fast("dir", dir,
         "dir([object]) -> list of strings\n\nNames of the object's attributes; without an object: of the scope."),
    method<divmod, "divmod($module, x, y, /)", "The tuple (x // y, x % y).">(),
    method<eval, "eval($module, source, globals=None, locals=None, /)", "The value of an expression.">(),
    method<exec, "exec($module, source, globals=None, locals=None, /, *, closure=None)", "Runs statements.">(),
    method<format, "format($module, value, format_spec='', /)", "value.__format__(format_spec)">(),
    fast("getattr", getattr,
         "getattr(object, name[, default]) -> value\n\nobject.name, or the default where there is no such attribute."),
    method<globals, "globals($module, /)", "The dict of the module's global variables.">(),
    method<hasattr, "hasattr($module, obj, name, /)", "Whether the object has the attribute.">(),
    method<hash, "hash($module, obj, /)", "The hash value: equal objects have equal ones.">(),
    method<hex, "hex($module, number, /)", "The integer in hexadecimal, with the prefix 0x.\n\n>>> hex(1023)\n'0x3ff'">(),
    method<id, "id($module, obj, /)", "The identity of the object: no other living object has it.">(),
    method<input, "input($module, prompt='', /)", "A line from standard input, without its end.">(),
    method<isinstance, "isinstance($module, obj, class_or_tuple, /)",
           "Whether the object is an instance of the class or of one of them.">(),
    method<issubclass, "issubclass($module, cls, class_or_tuple, /)",
           "Whether the class derives from the class or from one of them.">(),
    fast("iter", iter,
         "iter(iterable) -> iterator\niter(callable, sentinel) -> iterator\n\n"
         "The iterator of an object, or one that calls until the sentinel comes."),
    method<aiter, "aiter($module, async_iterable, /)", "The asynchronous iterator of an object.">(),
    method<len, "len($module, obj, /)", "The number of items.">(),
    method<locals, "locals($module, /)", "A mapping of the local variables.">(),
    fast_keywords("max", max,
                  "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value"
                  "\n\nThe largest item or argument."),
    fast_keywords("min", min,
                  "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value"
                  "\n\nThe smallest item or argument."),
    fast("next", next,
         "next(iterator[, default])\n\nThe next item, or the default (else StopIteration) where there is none."),
    fast("anext", anext,
         "anext($module, aiterator, default=<unrepresentable>, /)\n--\n\n"
         "An awaitable for the next item of an asynchronous iterator."),
    method<oct, "oct($module, number, /)", "The integer in octal, with the prefix 0o.\n\n>>> oct(342)\n'0o526'">(),
    method<ord, "ord($module, c, /)", "The code point of a string of one character.">(),
    method<pow, "pow($module, /, base, exp, mod=None)", "base ** exp, or base ** exp % mod.">(),
    fast_keywords("print", print,
                  "print($module, /, *args, sep=' ', end='\\n', file=None, flush=False)\n--\n\n"
                  "Writes the arguments to a file (sys.stdout): sep between them, end after them."),
    method<repr, "repr($module, obj, /)", "The printable form of the object, for programmers.">(),
    method<round, "round($module, /, number, ndigits=None)", "The number rounded to so many decimal digits.">(),
    method<setattr, "setattr($module, obj, name, value, /)", "obj.name = value">(),
    fast_keywords("sorted", sorted,
                  "sorted($module, iterable, /, *, key=None, reverse=False)\n--\n\nA new sorted list of the items."),
    method<sum, "sum($module, iterable, /, start=0)",
           "Return the sum of `start` and the items.\n\nTypeError if `start` is a string: ''.join() is for those.">(),
    fast("vars", vars,
         "vars([object]) -> dictionary\n\nobject.__dict__, or without an object the local variables."),
    {},
};

PyModuleDef builtins_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "builtins",
    .m_doc = "The names that every module sees: built-in functions, types, exceptions and constants.\n\n"
             "Import it to reach a built-in whose name you have given to something else.",
    .m_size = -1,
    .m_methods = builtin_methods,
};

struct BuiltinValue {
  const char* name;
  PyObject* value;
};

}  // namespace
}  // namespace pyston::builtins

/// Makes the module at start-up (exceptions and `open` are added later by their owners). New reference.
PyObject* _PyBuiltin_Init(PyInterpreterState* interp) {
  using namespace pyston;
  using pyston::builtins::BuiltinValue;
  Ref<> module =
      Ref<>::steal(_PyModule_CreateInitialized(&pyston::builtins::builtins_module, PYTHON_API_VERSION));
  if (!module) return nullptr;
  PyObject* dict = PyModule_GetDict(module.get());
  const BuiltinValue values[] = {
      {"None", Py_None},
      {"Ellipsis", Py_Ellipsis},
      {"NotImplemented", Py_NotImplemented},
      {"False", Py_False},
      {"True", Py_True},
      {"bool", as_object(&PyBool_Type)},
      {"memoryview", as_object(&PyMemoryView_Type)},
      {"bytearray", as_object(&PyByteArray_Type)},
      {"bytes", as_object(&PyBytes_Type)},
      {"classmethod", as_object(&PyClassMethod_Type)},
      {"complex", as_object(&PyComplex_Type)},
      {"dict", as_object(&PyDict_Type)},
      {"enumerate", as_object(&PyEnum_Type)},
      {"filter", as_object(&PyFilter_Type)},
      {"float", as_object(&PyFloat_Type)},
      {"frozenset", as_object(&PyFrozenSet_Type)},
      {"property", as_object(&PyProperty_Type)},
      {"int", as_object(&PyLong_Type)},
      {"list", as_object(&PyList_Type)},
      {"map", as_object(&PyMap_Type)},
      {"object", as_object(&PyBaseObject_Type)},
      {"range", as_object(&PyRange_Type)},
      {"reversed", as_object(&PyReversed_Type)},
      {"set", as_object(&PySet_Type)},
      {"slice", as_object(&PySlice_Type)},
      {"staticmethod", as_object(&PyStaticMethod_Type)},
      {"str", as_object(&PyUnicode_Type)},
      {"super", as_object(&PySuper_Type)},
      {"tuple", as_object(&PyTuple_Type)},
      {"type", as_object(&PyType_Type)},
      {"zip", as_object(&PyZip_Type)},
  };
  for (const BuiltinValue& entry : values) {
    if (PyDict_SetItemString(dict, entry.name, entry.value) < 0) return nullptr;
  }
  Ref<> debug = Ref<>::steal(PyBool_FromLong(_PyInterpreterState_GetConfig(interp)->optimization_level == 0));
  if (!debug || PyDict_SetItemString(dict, "__debug__", debug.get()) < 0) return nullptr;
  return module.release();
}
