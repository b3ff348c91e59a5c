// Specialising PRECALL (which performs calls), FOR_ITER and SEND.
#include "Interpreter/eval/uops/fast_calls.h"
#include "Interpreter/specialize/specialize.h"
#include "Objects/core/type.h"
#include "internal/pycore_function.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_runtime.h"

namespace pyston {

namespace {

/// Only positional parameters, and a fresh namespace.
bool is_simple(PyCodeObject* code) {
  return (code->co_flags & (CO_VARARGS | CO_VARKEYWORDS | CO_OPTIMIZED)) == CO_OPTIMIZED &&
         code->co_kwonlyargcount == 0;
}

int form_for_function(PyFunctionObject* function, int count, _PyCallCache* cache) {
  auto* code = reinterpret_cast<PyCodeObject*>(function->func_code);
  if (!is_simple(code)) return 0;
  uint32_t version = _PyFunction_GetVersionForCurrentState(function);
  if (version == 0) return 0;
  int accepted = code->co_argcount;
  int defaults = function->func_defaults == nullptr ? 0 : static_cast<int>(PyTuple_GET_SIZE(function->func_defaults));
  if (count > accepted || count < accepted - defaults || accepted - defaults > UINT16_MAX) return 0;
  write_u32(cache->func_version, version);
  cache->min_args = static_cast<uint16_t>(accepted > defaults ? accepted - defaults : 0);
  return OP_PRECALL_PYFUNC;
}

int form_for_bound_method(PyObject* method, int count, _PyCallCache* cache) {
  PyObject* function = PyMethod_GET_FUNCTION(method);
  if (!PyFunction_Check(function)) return 0;
  auto* code = reinterpret_cast<PyCodeObject*>(reinterpret_cast<PyFunctionObject*>(function)->func_code);
  if (code->co_argcount != count + 1) return 0;
  int form = form_for_function(reinterpret_cast<PyFunctionObject*>(function), count + 1, cache);
  return form == OP_PRECALL_PYFUNC ? OP_PRECALL_BOUND_METHOD : 0;
}

int form_for_c_function(PyObject* callable, int count) {
  const callable_cache& known = _PyInterpreterState_GET()->callable_cache;
  switch (PyCFunction_GET_FLAGS(callable) & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)) {
    case METH_O:
      if (count != 1) return 0;
      return callable == known.len ? OP_PRECALL_NO_KW_LEN : OP_PRECALL_NO_KW_BUILTIN_O;
    case METH_FASTCALL:
      return callable == known.isinstance && count == 2 ? OP_PRECALL_NO_KW_ISINSTANCE : OP_PRECALL_NO_KW_BUILTIN_FAST;
    case METH_FASTCALL | METH_KEYWORDS:
      return OP_PRECALL_BUILTIN_FAST_WITH_KEYWORDS;
  }
  return 0;
}

/// `count` includes self.
int form_for_method_descriptor(_Py_CODEUNIT* instruction, PyObject* callable, PyObject* self, int count) {
  auto* descriptor = reinterpret_cast<PyMethodDescrObject*>(callable);
  if (count < 1 || !Py_IS_TYPE(self, descriptor->d_common.d_type)) return 0;
  switch (descriptor->d_method->ml_flags) {
    case METH_NOARGS:
      return count == 1 ? OP_PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS : 0;
    case METH_O: {
      if (count != 2) return 0;
      bool is_statement = _Py_OPCODE(instruction[1 + kUnitsBehindPrecall]) == OP_POP_TOP;
      bool is_append = callable == _PyInterpreterState_GET()->callable_cache.list_append;
      if (is_append && is_statement && _Py_OPARG(*instruction) == 1) return OP_PRECALL_NO_KW_LIST_APPEND;
      return OP_PRECALL_NO_KW_METHOD_DESCRIPTOR_O;
    }
    case METH_FASTCALL:
      return OP_PRECALL_NO_KW_METHOD_DESCRIPTOR_FAST;
    case METH_FASTCALL | METH_KEYWORDS:
      return OP_PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS;
  }
  return 0;
}

int form_for_class(PyTypeObject* type, int count, _PyCallCache* cache) {
  if (count == 1) {
    if (type == &PyType_Type) return OP_PRECALL_NO_KW_TYPE_1;
    if (type == &PyUnicode_Type) return OP_PRECALL_NO_KW_STR_1;
    if (type == &PyTuple_Type) return OP_PRECALL_NO_KW_TUPLE_1;
  }
  if (type->tp_vectorcall != nullptr) return OP_PRECALL_BUILTIN_CLASS;
  // A class written in Python: object's allocation, a Python __init__ with plain parameters.
  if (!Py_IS_TYPE(type, &PyType_Type) || !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) ||
      PyType_HasFeature(type, Py_TPFLAGS_IS_ABSTRACT) || type->tp_new != PyBaseObject_Type.tp_new ||
      type->tp_alloc != PyType_GenericAlloc || type->tp_init != slot_tp_init || type->tp_itemsize != 0) {
    return 0;
  }
  PyObject* init = _PyType_Lookup(type, &_Py_ID(__init__));
  if (init == nullptr || !PyFunction_Check(init)) return 0;
  if (!PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG) || type->tp_version_tag == 0) return 0;
  auto* code = reinterpret_cast<PyCodeObject*>(reinterpret_cast<PyFunctionObject*>(init)->func_code);
  if (!is_simple(code) || code->co_argcount != count + 1) return 0;
  uint16_t place = cache_value(init);
  if (place == 0) return 0;
  write_u32(cache->func_version, type->tp_version_tag);
  cache->min_args = place;
  return OP_PRECALL_CLASS_INIT;
}

}  // namespace

void specialize_call(_Py_CODEUNIT* instruction, PyObject** args, int count) {
  // The forms look behind the PRECALL: the CALL must be there, without EXTENDED_ARG.
  _Py_CODEUNIT call = instruction[1 + kCacheUnits<_PyPrecallCache>];
  if (_PyOpcode_Deopt[_Py_OPCODE(call)] != OP_CALL || _Py_OPARG(call) != count) return not_specialized(instruction);
  auto* cache = reinterpret_cast<_PyCallCache*>(instruction + 1 + kCacheUnits<_PyPrecallCache> + 1);
  PyObject* callable = args[-2];
  int total = count;
  PyObject* self = args[-1];
  if (callable != nullptr) {
    total++;
  } else {
    callable = args[-1];
    self = count > 0 ? args[0] : nullptr;
  }
  int form = 0;
  if (PyFunction_Check(callable)) {
    form = form_for_function(reinterpret_cast<PyFunctionObject*>(callable), total, cache);
  } else if (PyCFunction_CheckExact(callable)) {
    form = form_for_c_function(callable, total);
  } else if (Py_IS_TYPE(callable, &PyMethodDescr_Type)) {
    form = form_for_method_descriptor(instruction, callable, self, total);
  } else if (args[-2] == nullptr && PyType_Check(callable)) {
    form = form_for_class(reinterpret_cast<PyTypeObject*>(callable), total, cache);
  } else if (args[-2] == nullptr && PyMethod_Check(callable)) {
    form = form_for_bound_method(callable, count, cache);
  }
  if (form == 0) return not_specialized(instruction);
  if (form == OP_PRECALL_PYFUNC) {
    // Only for show: the CALL is skipped.
    bool exact = reinterpret_cast<PyCodeObject*>(reinterpret_cast<PyFunctionObject*>(callable)->func_code)->co_argcount == total;
    _Py_SET_OPCODE(instruction[1 + kCacheUnits<_PyPrecallCache>],
                   exact ? OP_CALL_PY_EXACT_ARGS : OP_CALL_PY_WITH_DEFAULTS);
  }
  specialized(instruction, form);
}

void specialize_for_iter(_Py_CODEUNIT* instruction, PyObject* iterator, int oparg) {
  int form = OP_FOR_ITER;
  if (Py_IS_TYPE(iterator, &PyListIter_Type)) {
    form = OP_FOR_ITER_LIST;
  } else if (Py_IS_TYPE(iterator, &PyTupleIter_Type)) {
    form = OP_FOR_ITER_TUPLE;
  } else if (Py_IS_TYPE(iterator, &PyRangeIter_Type)) {
    form = OP_FOR_ITER_RANGE;
  } else if (PyGen_CheckExact(iterator) && oparg <= 0xff) {
    // The end of the generator reads the jump distance from the instruction itself: no EXTENDED_ARG.
    form = OP_FOR_ITER_GEN;
  }
  _Py_SET_OPCODE(*instruction, form);
}

void specialize_send(_Py_CODEUNIT* instruction, PyObject* receiver, int oparg) {
  bool is_generator = (PyGen_CheckExact(receiver) || PyCoro_CheckExact(receiver)) && oparg <= 0xff;
  _Py_SET_OPCODE(*instruction, is_generator ? OP_SEND_GEN : OP_SEND);
}

}  // namespace pyston
