// The call protocols: vectorcall, tp_call, and the convenience functions around them.
//
// A vector of arguments may carry PY_VECTORCALL_ARGUMENTS_OFFSET: args[-1] may then be overwritten for the duration of
// the call, which is what lets a bound method prepend its self without a copy.
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_ceval.h"
#include "pycore_dict.h"
#include "pycore_pyerrors.h"
#include "pycore_tuple.h"

#include <cstdarg>

// The headers redirect these names to their _SizeT forms; here both are defined.
#undef PyObject_CallFunction
#undef PyObject_CallMethod
#undef _PyObject_CallMethodId
#undef _Py_VaBuildStack
extern "C" PyAPI_FUNC(PyObject**) _Py_VaBuildStack(PyObject**, Py_ssize_t, const char*, va_list, Py_ssize_t*);

using namespace pyston;

namespace {

/// Arguments on the C stack when few, else on the heap, with one spare item in front.
class ArgumentVector {
 public:
  static constexpr Py_ssize_t kOnStack = 8;
  ~ArgumentVector() {
    if (items_ != small_) PyMem_Free(items_);
  }
  /// args() of at least `count` items. False with MemoryError.
  bool reserve(Py_ssize_t count) {
    if (LIKELY(count < kOnStack)) return true;
    items_ = static_cast<PyObject**>(PyMem_Malloc(static_cast<size_t>(count + 1) * sizeof(PyObject*)));
    if (items_ != nullptr) return true;
    items_ = small_;
    PyErr_NoMemory();
    return false;
  }
  PyObject** args() { return items_ + 1; }

 private:
  PyObject* small_[kOnStack + 1];
  PyObject** items_ = small_;
};

COLD PyObject* raise_not_callable(PyThreadState* tstate, PyObject* callable) {
  _PyErr_Format(tstate, PyExc_TypeError, "'%.200s' object is not callable", Py_TYPE(callable)->tp_name);
  return nullptr;
}

COLD PyObject* raise_null(PyThreadState* tstate) {
  if (!_PyErr_Occurred(tstate)) _PyErr_SetString(tstate, PyExc_SystemError, "null argument to internal routine");
  return nullptr;
}

COLD PyObject* report_bad_result(PyThreadState* tstate, PyObject* callable, PyObject* result, const char* where) {
  if (result == nullptr) {
    if (callable != nullptr) {
      _PyErr_Format(tstate, PyExc_SystemError, "%R returned NULL without setting an exception", callable);
    } else {
      _PyErr_Format(tstate, PyExc_SystemError, "%s returned NULL without setting an exception", where);
    }
    return nullptr;
  }
  Py_DECREF(result);
  if (callable != nullptr) {
    _PyErr_FormatFromCauseTstate(tstate, PyExc_SystemError, "%R returned a result with an exception set", callable);
  } else {
    _PyErr_FormatFromCauseTstate(tstate, PyExc_SystemError, "%s returned a result with an exception set", where);
  }
  return nullptr;
}

/// Calls a vectorcall function with keyword arguments from a dict.
PyObject* vectorcall_with_dict(PyThreadState* tstate, vectorcallfunc function, PyObject* callable,
                               PyObject* const* args, Py_ssize_t nargs, PyObject* kwargs) {
  Py_ssize_t keyword_count = PyDict_GET_SIZE(kwargs);
  ArgumentVector vector;
  if (!vector.reserve(nargs + keyword_count)) return nullptr;
  auto names = Ref<>::steal(PyTuple_New(keyword_count));
  if (!names) return nullptr;
  for (Py_ssize_t i = 0; i < nargs; i++) vector.args()[i] = Py_NewRef(args[i]);
  Py_ssize_t position = 0, i = 0;
  PyObject *key, *value;
  bool strings = true;
  while (i < keyword_count && PyDict_Next(kwargs, &position, &key, &value)) {
    strings = strings && PyUnicode_Check(key);
    PyTuple_SET_ITEM(names.get(), i, Py_NewRef(key));
    vector.args()[nargs + i] = Py_NewRef(value);
    i++;
  }
  PyObject* result = nullptr;
  if (LIKELY(strings)) {
    result = function(callable, vector.args(), static_cast<size_t>(nargs) | PY_VECTORCALL_ARGUMENTS_OFFSET, names.get());
    result = _Py_CheckFunctionResult(tstate, callable, result, nullptr);
  } else {
    _PyErr_SetString(tstate, PyExc_TypeError, "keywords must be strings");
  }
  for (Py_ssize_t k = 0; k < nargs + i; k++) Py_DECREF(vector.args()[k]);
  return result;
}

PyObject* call_vector_from_tuple(PyThreadState* tstate, vectorcallfunc function, PyObject* callable, PyObject* tuple,
                                 PyObject* kwargs) {
  PyObject** args = _PyTuple_ITEMS(tuple);
  Py_ssize_t nargs = PyTuple_GET_SIZE(tuple);
  if (kwargs == nullptr || PyDict_GET_SIZE(kwargs) == 0) return function(callable, args, static_cast<size_t>(nargs), nullptr);
  return vectorcall_with_dict(tstate, function, callable, args, nargs, kwargs);
}

enum class FormatSizes { kInt, kSsize };

/// Arguments described by a Py_BuildValue format. A single tuple stands for the argument list itself.
PyObject* call_with_format(PyThreadState* tstate, PyObject* callable, const char* format, va_list va,
                           FormatSizes sizes) {
  if (callable == nullptr) return raise_null(tstate);
  if (format == nullptr || *format == '\0') return _PyObject_CallNoArgsTstate(tstate, callable);
  PyObject* small[_PY_FASTCALL_SMALL_STACK];
  Py_ssize_t count;
  PyObject** stack = sizes == FormatSizes::kSsize
                         ? _Py_VaBuildStack_SizeT(small, _PY_FASTCALL_SMALL_STACK, format, va, &count)
                         : _Py_VaBuildStack(small, _PY_FASTCALL_SMALL_STACK, format, va, &count);
  if (stack == nullptr) return nullptr;
  PyObject* result;
  if (count == 1 && PyTuple_Check(stack[0])) {
    result = _PyObject_VectorcallTstate(tstate, callable, _PyTuple_ITEMS(stack[0]),
                                        static_cast<size_t>(PyTuple_GET_SIZE(stack[0])), nullptr);
  } else {
    result = _PyObject_VectorcallTstate(tstate, callable, stack, static_cast<size_t>(count), nullptr);
  }
  for (Py_ssize_t i = 0; i < count; i++) Py_DECREF(stack[i]);
  if (stack != small) PyMem_Free(stack);
  return result;
}

PyObject* call_method_with_format(PyThreadState* tstate, PyObject* method, const char* format, va_list va,
                                  FormatSizes sizes) {
  if (!PyCallable_Check(method)) {
    _PyErr_Format(tstate, PyExc_TypeError, "attribute of type '%.200s' is not callable", Py_TYPE(method)->tp_name);
    return nullptr;
  }
  return call_with_format(tstate, method, format, va, sizes);
}

/// Null-terminated object arguments, with `self` (may be null) in front.
PyObject* call_with_objects(PyThreadState* tstate, PyObject* callable, PyObject* self, va_list va) {
  if (callable == nullptr) return raise_null(tstate);
  va_list copy;
  va_copy(copy, va);
  Py_ssize_t count = self != nullptr ? 1 : 0;
  while (va_arg(copy, PyObject*) != nullptr) count++;
  va_end(copy);
  ArgumentVector vector;
  if (!vector.reserve(count)) return nullptr;
  Py_ssize_t i = 0;
  if (self != nullptr) vector.args()[i++] = self;
  while (i < count) vector.args()[i++] = va_arg(va, PyObject*);
  return _PyObject_VectorcallTstate(tstate, callable, vector.args(), static_cast<size_t>(count), nullptr);
}

PyObject* make_keyword_dict(PyObject* const* values, PyObject* names) {
  return _PyDict_FromItems(&PyTuple_GET_ITEM(names, 0), 1, values, 1, PyTuple_GET_SIZE(names));
}

}  // namespace

extern "C" {

PyObject* _Py_CheckFunctionResult(PyThreadState* tstate, PyObject* callable, PyObject* result, const char* where) {
  if (LIKELY((result != nullptr) == (tstate->curexc_type == nullptr))) return result;
  return report_bad_result(tstate, callable, result, where);
}

int _Py_CheckSlotResult(PyObject* object, const char* slot_name, int success) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (!success && !_PyErr_Occurred(tstate)) {
    _Py_FatalErrorFormat(__func__, "Slot %s of type %s failed without setting an exception", slot_name,
                         Py_TYPE(object)->tp_name);
  }
  if (success && _PyErr_Occurred(tstate)) {
    _Py_FatalErrorFormat(__func__, "Slot %s of type %s succeeded with an exception set", slot_name,
                         Py_TYPE(object)->tp_name);
  }
  return 1;
}

// ---------------------------------------------------------------------------------------------------------------
// Core

PyObject* _PyObject_MakeTpCall(PyThreadState* tstate, PyObject* callable, PyObject* const* args, Py_ssize_t nargs,
                               PyObject* keywords) {
  ternaryfunc call = Py_TYPE(callable)->tp_call;
  if (UNLIKELY(call == nullptr)) return raise_not_callable(tstate, callable);
  bool from_dict = keywords != nullptr && PyDict_Check(keywords);
  if (!from_dict) {
    // FAST: classes and objects with __call__ take the vector as it is.
    if (call == type_call) {
      if (_Py_EnterRecursiveCallTstate(tstate, " while calling a Python object")) return nullptr;
      PyObject* result = type_call_vector(tstate, reinterpret_cast<PyTypeObject*>(callable), args, nargs, keywords);
      _Py_LeaveRecursiveCallTstate(tstate);
      return result;
    }
    if (call == slot_tp_call) {
      bool unbound = false;
      PyObject* method = lookup_special_method(callable, &_Py_ID(__call__), &unbound);
      if (method == nullptr) {
        if (!_PyErr_Occurred(tstate)) _PyErr_SetObject(tstate, PyExc_AttributeError, &_Py_ID(__call__));
        return nullptr;
      }
      PyObject* result = nullptr;
      if (!_Py_EnterRecursiveCallTstate(tstate, " while calling a Python object")) {
        result = unbound ? call_with_self(tstate, method, callable, args, nargs, keywords)
                         : _PyObject_VectorcallTstate(tstate, method, args, static_cast<size_t>(nargs), keywords);
        _Py_LeaveRecursiveCallTstate(tstate);
      }
      Py_DECREF(method);
      return result;
    }
  }
  auto tuple = Ref<>::steal(_PyTuple_FromArray(args, nargs));
  if (!tuple) return nullptr;
  Ref<> kwargs;
  if (from_dict) {
    kwargs = Ref<>::dup(keywords);
  } else if (keywords != nullptr && PyTuple_GET_SIZE(keywords) != 0) {
    kwargs = Ref<>::steal(make_keyword_dict(args + nargs, keywords));
    if (!kwargs) return nullptr;
  }
  if (_Py_EnterRecursiveCallTstate(tstate, " while calling a Python object")) return nullptr;
  PyObject* result = call(callable, tuple.get(), kwargs.get());
  _Py_LeaveRecursiveCallTstate(tstate);
  return _Py_CheckFunctionResult(tstate, callable, result, nullptr);
}

vectorcallfunc PyVectorcall_Function(PyObject* callable) { return _PyVectorcall_FunctionInline(callable); }

PyObject* PyObject_Vectorcall(PyObject* callable, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  return _PyObject_VectorcallTstate(_PyThreadState_GET(), callable, args, nargsf, kwnames);
}

PyObject* _PyObject_FastCall(PyObject* callable, PyObject* const* args, Py_ssize_t nargs) {
  return _PyObject_FastCallTstate(_PyThreadState_GET(), callable, args, nargs);
}

PyObject* _PyObject_FastCallDictTstate(PyThreadState* tstate, PyObject* callable, PyObject* const* args, size_t nargsf,
                                       PyObject* kwargs) {
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  vectorcallfunc function = _PyVectorcall_FunctionInline(callable);
  if (function == nullptr) return _PyObject_MakeTpCall(tstate, callable, args, nargs, kwargs);
  if (kwargs == nullptr || PyDict_GET_SIZE(kwargs) == 0) {
    return _Py_CheckFunctionResult(tstate, callable, function(callable, args, nargsf, nullptr), nullptr);
  }
  return vectorcall_with_dict(tstate, function, callable, args, nargs, kwargs);
}

PyObject* PyObject_VectorcallDict(PyObject* callable, PyObject* const* args, size_t nargsf, PyObject* kwargs) {
  return _PyObject_FastCallDictTstate(_PyThreadState_GET(), callable, args, nargsf, kwargs);
}

PyObject* PyVectorcall_Call(PyObject* callable, PyObject* tuple, PyObject* kwargs) {
  PyThreadState* tstate = _PyThreadState_GET();
  // Not through the type's flag: this function is itself used as tp_call of types that support the protocol.
  Py_ssize_t offset = Py_TYPE(callable)->tp_vectorcall_offset;
  if (offset <= 0) {
    _PyErr_Format(tstate, PyExc_TypeError, "'%.200s' object does not support vectorcall", Py_TYPE(callable)->tp_name);
    return nullptr;
  }
  vectorcallfunc function;
  memcpy(&function, reinterpret_cast<char*>(callable) + offset, sizeof(function));
  if (function == nullptr) {
    _PyErr_Format(tstate, PyExc_TypeError, "'%.200s' object does not support vectorcall", Py_TYPE(callable)->tp_name);
    return nullptr;
  }
  PyObject* result = call_vector_from_tuple(tstate, function, callable, tuple, kwargs);
  return _Py_CheckFunctionResult(tstate, callable, result, nullptr);
}

PyObject* _PyObject_Call(PyThreadState* tstate, PyObject* callable, PyObject* args, PyObject* kwargs) {
  vectorcallfunc function = _PyVectorcall_FunctionInline(callable);
  if (function != nullptr) {
    PyObject* result = call_vector_from_tuple(tstate, function, callable, args, kwargs);
    return _Py_CheckFunctionResult(tstate, callable, result, nullptr);
  }
  ternaryfunc call = Py_TYPE(callable)->tp_call;
  if (UNLIKELY(call == nullptr)) return raise_not_callable(tstate, callable);
  if (_Py_EnterRecursiveCallTstate(tstate, " while calling a Python object")) return nullptr;
  PyObject* result = call(callable, args, kwargs);
  _Py_LeaveRecursiveCallTstate(tstate);
  return _Py_CheckFunctionResult(tstate, callable, result, nullptr);
}

PyObject* PyObject_Call(PyObject* callable, PyObject* args, PyObject* kwargs) {
  return _PyObject_Call(_PyThreadState_GET(), callable, args, kwargs);
}

PyAPI_FUNC(PyObject*) PyCFunction_Call(PyObject* callable, PyObject* args, PyObject* kwargs);
PyObject* PyCFunction_Call(PyObject* callable, PyObject* args, PyObject* kwargs) {
  return _PyObject_Call(_PyThreadState_GET(), callable, args, kwargs);
}

PyObject* PyObject_CallOneArg(PyObject* callable, PyObject* argument) {
  PyObject* args[] = {nullptr, argument};
  return _PyObject_VectorcallTstate(_PyThreadState_GET(), callable, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                    nullptr);
}

PyObject* PyObject_CallNoArgs(PyObject* callable) { return _PyObject_CallNoArgsTstate(_PyThreadState_GET(), callable); }

PyObject* PyObject_CallObject(PyObject* callable, PyObject* args) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (args == nullptr) return _PyObject_CallNoArgsTstate(tstate, callable);
  if (!PyTuple_Check(args)) {
    _PyErr_SetString(tstate, PyExc_TypeError, "argument list must be a tuple");
    return nullptr;
  }
  return _PyObject_Call(tstate, callable, args, nullptr);
}

PyAPI_FUNC(PyObject*) PyEval_CallObjectWithKeywords(PyObject* callable, PyObject* args, PyObject* kwargs);
PyObject* PyEval_CallObjectWithKeywords(PyObject* callable, PyObject* args, PyObject* kwargs) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (args != nullptr && !PyTuple_Check(args)) {
    _PyErr_SetString(tstate, PyExc_TypeError, "argument list must be a tuple");
    return nullptr;
  }
  if (kwargs != nullptr && !PyDict_Check(kwargs)) {
    _PyErr_SetString(tstate, PyExc_TypeError, "keyword list must be a dictionary");
    return nullptr;
  }
  if (args == nullptr) return _PyObject_FastCallDictTstate(tstate, callable, nullptr, 0, kwargs);
  return _PyObject_Call(tstate, callable, args, kwargs);
}

PyObject* _PyObject_Call_Prepend(PyThreadState* tstate, PyObject* callable, PyObject* self, PyObject* args,
                                 PyObject* kwargs) {
  Py_ssize_t count = PyTuple_GET_SIZE(args);
  ArgumentVector vector;
  if (!vector.reserve(count + 1)) return nullptr;
  vector.args()[0] = self;
  memcpy(vector.args() + 1, _PyTuple_ITEMS(args), static_cast<size_t>(count) * sizeof(PyObject*));
  return _PyObject_FastCallDictTstate(tstate, callable, vector.args(),
                                      static_cast<size_t>(count + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwargs);
}

// ---------------------------------------------------------------------------------------------------------------
// By format string

PyAPI_FUNC(PyObject*) PyObject_CallFunction(PyObject* callable, const char* format, ...);
PyObject* PyObject_CallFunction(PyObject* callable, const char* format, ...) {
  va_list va;
  va_start(va, format);
  PyObject* result = call_with_format(_PyThreadState_GET(), callable, format, va, FormatSizes::kInt);
  va_end(va);
  return result;
}

PyObject* _PyObject_CallFunction_SizeT(PyObject* callable, const char* format, ...) {
  va_list va;
  va_start(va, format);
  PyObject* result = call_with_format(_PyThreadState_GET(), callable, format, va, FormatSizes::kSsize);
  va_end(va);
  return result;
}

PyAPI_FUNC(PyObject*) PyEval_CallFunction(PyObject* callable, const char* format, ...);
PyObject* PyEval_CallFunction(PyObject* callable, const char* format, ...) {
  va_list va;
  va_start(va, format);
  PyObject* result = call_with_format(_PyThreadState_GET(), callable, format, va, FormatSizes::kInt);
  va_end(va);
  return result;
}

#define CALL_METHOD_BY_FORMAT(object, method_expression, sizes)                                   \
  PyThreadState* tstate = _PyThreadState_GET();                                                    \
  if (object == nullptr || name == nullptr) return raise_null(tstate);                             \
  auto method = Ref<>::steal(method_expression);                                                   \
  if (!method) return nullptr;                                                                     \
  va_list va;                                                                                      \
  va_start(va, format);                                                                            \
  PyObject* result = call_method_with_format(tstate, method.get(), format, va, FormatSizes::sizes); \
  va_end(va);                                                                                      \
  return result

PyAPI_FUNC(PyObject*) PyObject_CallMethod(PyObject* object, const char* name, const char* format, ...);
PyObject* PyObject_CallMethod(PyObject* object, const char* name, const char* format, ...) {
  CALL_METHOD_BY_FORMAT(object, PyObject_GetAttrString(object, name), kInt);
}
PyObject* _PyObject_CallMethod_SizeT(PyObject* object, const char* name, const char* format, ...) {
  CALL_METHOD_BY_FORMAT(object, PyObject_GetAttrString(object, name), kSsize);
}
PyAPI_FUNC(PyObject*) PyEval_CallMethod(PyObject* object, const char* name, const char* format, ...);
PyObject* PyEval_CallMethod(PyObject* object, const char* name, const char* format, ...) {
  CALL_METHOD_BY_FORMAT(object, PyObject_GetAttrString(object, name), kInt);
}
PyObject* _PyObject_CallMethod(PyObject* object, PyObject* name, const char* format, ...) {
  CALL_METHOD_BY_FORMAT(object, PyObject_GetAttr(object, name), kSsize);
}
PyAPI_FUNC(PyObject*) _PyObject_CallMethodId(PyObject* object, _Py_Identifier* name, const char* format, ...);
PyObject* _PyObject_CallMethodId(PyObject* object, _Py_Identifier* name, const char* format, ...) {
  CALL_METHOD_BY_FORMAT(object, _PyObject_GetAttrId(object, name), kInt);
}
PyObject* _PyObject_CallMethodId_SizeT(PyObject* object, _Py_Identifier* name, const char* format, ...) {
  CALL_METHOD_BY_FORMAT(object, _PyObject_GetAttrId(object, name), kSsize);
}

PyObject* _PyObject_CallMethodFormat(PyThreadState* tstate, PyObject* callable, const char* format, ...) {
  va_list va;
  va_start(va, format);
  PyObject* result = call_method_with_format(tstate, callable, format, va, FormatSizes::kSsize);
  va_end(va);
  return result;
}

// ---------------------------------------------------------------------------------------------------------------
// Methods by name

PyObject* PyObject_VectorcallMethod(PyObject* name, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject* method = nullptr;
  int unbound = _PyObject_GetMethod(args[0], name, &method);
  if (UNLIKELY(method == nullptr)) return nullptr;
  if (unbound) {
    // args[-1], if it may be changed, belongs to a callee that takes the arguments without self.
    nargsf &= ~PY_VECTORCALL_ARGUMENTS_OFFSET;
  } else {
    args++;
    nargsf = static_cast<size_t>(PyVectorcall_NARGS(nargsf) - 1) | PY_VECTORCALL_ARGUMENTS_OFFSET;
  }
  PyObject* result = _PyObject_VectorcallTstate(tstate, method, args, nargsf, kwnames);
  Py_DECREF(method);
  return result;
}

PyObject* PyObject_CallMethodObjArgs(PyObject* object, PyObject* name, ...) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (object == nullptr || name == nullptr) return raise_null(tstate);
  PyObject* method = nullptr;
  int unbound = _PyObject_GetMethod(object, name, &method);
  if (method == nullptr) return nullptr;
  va_list va;
  va_start(va, name);
  PyObject* result = call_with_objects(tstate, method, unbound ? object : nullptr, va);
  va_end(va);
  Py_DECREF(method);
  return result;
}

PyObject* _PyObject_CallMethodIdObjArgs(PyObject* object, _Py_Identifier* name, ...) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (object == nullptr || name == nullptr) return raise_null(tstate);
  PyObject* text = _PyUnicode_FromId(name);
  if (text == nullptr) return nullptr;
  PyObject* method = nullptr;
  int unbound = _PyObject_GetMethod(object, text, &method);
  if (method == nullptr) return nullptr;
  va_list va;
  va_start(va, name);
  PyObject* result = call_with_objects(tstate, method, unbound ? object : nullptr, va);
  va_end(va);
  Py_DECREF(method);
  return result;
}

PyObject* PyObject_CallFunctionObjArgs(PyObject* callable, ...) {
  va_list va;
  va_start(va, callable);
  PyObject* result = call_with_objects(_PyThreadState_GET(), callable, nullptr, va);
  va_end(va);
  return result;
}

PyObject* _PyStack_AsDict(PyObject* const* values, PyObject* kwnames) { return make_keyword_dict(values, kwnames); }

}  // extern "C"

// ---------------------------------------------------------------------------------------------------------------
// Keyword dict to vector, for callers inside the core that keep the vector themselves

extern "C" PyObject* const* _PyStack_UnpackDict(PyThreadState* tstate, PyObject* const* args, Py_ssize_t nargs,
                                                PyObject* kwargs, PyObject** p_kwnames) {
  Py_ssize_t keyword_count = PyDict_GET_SIZE(kwargs);
  auto* memory = static_cast<PyObject**>(
      PyMem_Malloc(static_cast<size_t>(1 + nargs + keyword_count) * sizeof(PyObject*)));
  if (memory == nullptr) {
    _PyErr_NoMemory(tstate);
    return nullptr;
  }
  PyObject* names = PyTuple_New(keyword_count);
  if (names == nullptr) {
    PyMem_Free(memory);
    return nullptr;
  }
  PyObject** stack = memory + 1;
  for (Py_ssize_t i = 0; i < nargs; i++) stack[i] = Py_NewRef(args[i]);
  Py_ssize_t position = 0, i = 0;
  PyObject *key, *value;
  bool strings = true;
  while (PyDict_Next(kwargs, &position, &key, &value)) {
    strings = strings && PyUnicode_Check(key);
    PyTuple_SET_ITEM(names, i, Py_NewRef(key));
    stack[nargs + i] = Py_NewRef(value);
    i++;
  }
  if (!strings) {
    _PyErr_SetString(tstate, PyExc_TypeError, "keywords must be strings");
    for (Py_ssize_t k = 0; k < nargs + keyword_count; k++) Py_DECREF(stack[k]);
    PyMem_Free(memory);
    Py_DECREF(names);
    return nullptr;
  }
  *p_kwnames = names;
  return stack;
}

extern "C" void _PyStack_UnpackDict_Free(PyObject* const* stack, Py_ssize_t nargs, PyObject* kwnames) {
  Py_ssize_t count = PyTuple_GET_SIZE(kwnames) + nargs;
  for (Py_ssize_t i = 0; i < count; i++) Py_DECREF(stack[i]);
  PyMem_Free(const_cast<PyObject**>(stack - 1));
  Py_DECREF(kwnames);
}
