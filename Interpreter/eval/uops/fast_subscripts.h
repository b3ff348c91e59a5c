// Micro-ops of specialised subscripts, membership tests and unpacking.
#pragma once

#include "Interpreter/eval/state.h"
#include "Interpreter/eval/uops/calls.h"
#include "Interpreter/eval/uops/fast_numbers.h"
#include "internal/pycore_dict.h"

namespace pyston {

UOP(adapt_binary_subscr) {
  return adapt(s, [&] { specialize_binary_subscr(s.next_instr - 1, s.peek(2), s.peek(1)); });
}
UOP(adapt_store_subscr) {
  return adapt(s, [&] { specialize_store_subscr(s.next_instr - 1, s.peek(2), s.peek(1)); });
}
UOP(adapt_unpack_sequence) {
  return adapt(s, [&] { specialize_unpack_sequence(s.next_instr - 1, s.peek(1), s.oparg); });
}

/// The key on top is an exact int of at most one digit.
UOP(guard_key_single_int) { return PyLong_CheckExact(s.peek(1)) && is_single(as_long(s.peek(1))) ? kNext : kDeopt; }
UOP(guard_container_list) { return PyList_CheckExact(s.peek(2)) ? kNext : kDeopt; }
UOP(guard_container_tuple) { return PyTuple_CheckExact(s.peek(2)) ? kNext : kDeopt; }
UOP(guard_container_dict) { return PyDict_CheckExact(s.peek(2)) ? kNext : kDeopt; }
UOP(guard_container_ascii) { return PyUnicode_CheckExact(s.peek(2)) && PyUnicode_IS_COMPACT_ASCII(s.peek(2)) ? kNext : kDeopt; }

/// The index in [0, size), or -1.
ALWAYS_INLINE Py_ssize_t checked_index(PyObject* key, Py_ssize_t size) {
  Py_ssize_t index = single_value(as_long(key));
  if (index < 0) index += size;
  return LIKELY(static_cast<size_t>(index) < static_cast<size_t>(size)) ? index : -1;
}

ALWAYS_INLINE Outcome finish_subscr(State& s, PyObject* result) {
  PyObject* key = s.peek(1);
  PyObject* container = s.peek(2);
  s.peek(2) = result;
  s.shrink(1);
  Py_DECREF(key);
  Py_DECREF(container);
  return kNext;
}

UOP(list_subscr) {
  PyObject* list = s.peek(2);
  Py_ssize_t index = checked_index(s.peek(1), PyList_GET_SIZE(list));
  if (UNLIKELY(index < 0)) return kDeopt;
  return finish_subscr(s, Py_NewRef(PyList_GET_ITEM(list, index)));
}

UOP(tuple_subscr) {
  PyObject* tuple = s.peek(2);
  Py_ssize_t index = checked_index(s.peek(1), PyTuple_GET_SIZE(tuple));
  if (UNLIKELY(index < 0)) return kDeopt;
  return finish_subscr(s, Py_NewRef(PyTuple_GET_ITEM(tuple, index)));
}

UOP(str_subscr) {
  PyObject* text = s.peek(2);
  Py_ssize_t index = checked_index(s.peek(1), PyUnicode_GET_LENGTH(text));
  if (UNLIKELY(index < 0)) return kDeopt;
  Py_UCS1 character = PyUnicode_1BYTE_DATA(text)[index];
  return finish_subscr(s, Py_NewRef(as_object(&_Py_SINGLETON(strings).ascii[character])));
}

UOP(dict_subscr) {
  PyObject* dict = s.peek(2);
  PyObject* key = s.peek(1);
  PyObject* value = PyDict_GetItemWithError(dict, key);
  if (UNLIKELY(value == nullptr)) {
    if (_PyErr_Occurred(s.tstate) == nullptr) _PyErr_SetKeyError(key);
    s.shrink(2);
    Py_DECREF(dict);
    Py_DECREF(key);
    return kError;
  }
  return finish_subscr(s, Py_NewRef(value));
}

/// Runs a class's __getitem__, a Python function, as a pushed frame.
UOP(guard_getitem) {
  auto* cache = s.cache<_PyBinarySubscrCache>();
  PyTypeObject* type = Py_TYPE(s.peek(2));
  if (type->tp_version_tag != read_u32(cache->type_version)) return kDeopt;
  PyObject* cached = reinterpret_cast<PyHeapTypeObject*>(type)->_spec_cache.getitem;
  auto* function = reinterpret_cast<PyFunctionObject*>(cached);
  if (function == nullptr || function->func_version != cache->func_version) return kDeopt;
  return s.tstate->interp->eval_frame == nullptr ? kNext : kDeopt;
}

UOP(call_getitem) {
  auto* function = reinterpret_cast<PyFunctionObject*>(
      reinterpret_cast<PyHeapTypeObject*>(Py_TYPE(s.peek(2)))->_spec_cache.getitem);
  Py_INCREF(as_object(function));
  PyObject** args = s.stack_pointer - 2;
  _PyInterpreterFrame* callee = push_function_frame(s.tstate, function, nullptr, args, 2, nullptr);
  s.stack_pointer = args;
  if (UNLIKELY(callee == nullptr)) return kError;
  s.next_instr += kCacheUnits<_PyBinarySubscrCache>;
  return enter_frame(s, callee);
}

UOP(list_store_subscr) {
  PyObject* key = s.peek(1);
  PyObject* list = s.peek(2);
  PyObject* value = s.peek(3);
  Py_ssize_t index = checked_index(key, PyList_GET_SIZE(list));
  if (UNLIKELY(index < 0)) return kDeopt;
  PyObject* old = PyList_GET_ITEM(list, index);
  PyList_SET_ITEM(list, index, value);
  s.shrink(3);
  Py_DECREF(key);
  Py_DECREF(old);
  Py_DECREF(list);
  return kNext;
}

UOP(dict_store_subscr) {
  PyObject* key = s.peek(1);
  PyObject* dict = s.peek(2);
  PyObject* value = s.peek(3);
  s.shrink(3);
  int status = _PyDict_SetItem_Take2(reinterpret_cast<PyDictObject*>(dict), key, value);
  Py_DECREF(dict);
  return UNLIKELY(status != 0) ? kError : kNext;
}

UOP(guard_top_tuple_of_oparg) {
  return PyTuple_CheckExact(s.peek(1)) && PyTuple_GET_SIZE(s.peek(1)) == s.oparg ? kNext : kDeopt;
}
UOP(guard_top_list_of_oparg) {
  return PyList_CheckExact(s.peek(1)) && PyList_GET_SIZE(s.peek(1)) == s.oparg ? kNext : kDeopt;
}

ALWAYS_INLINE Outcome unpack_items(State& s, PyObject** items, int count) {
  PyObject* sequence = s.pop();
  while (count-- > 0) s.push(Py_NewRef(items[count]));
  Py_DECREF(sequence);
  return kNext;
}
UOP(unpack_tuple) { return unpack_items(s, &PyTuple_GET_ITEM(s.peek(1), 0), s.oparg); }
UOP(unpack_list) { return unpack_items(s, _PyList_ITEMS(s.peek(1)), s.oparg); }
UOP(unpack_pair) {
  PyObject* pair = s.peek(1);
  if (UNLIKELY(!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2)) return kDeopt;
  PyObject* first = PyTuple_GET_ITEM(pair, 0);
  PyObject* second = PyTuple_GET_ITEM(pair, 1);
  Py_INCREF(first);
  Py_INCREF(second);
  s.peek(1) = second;
  s.push(first);
  Py_DECREF(pair);
  return kNext;
}

UOP(adapt_contains_op) {
  specialize_contains_op(s.next_instr - 1, s.peek(1));
  return kRedo;
}

ALWAYS_INLINE Outcome finish_contains(State& s, int found) {
  return finish_binary(s, found < 0 ? nullptr : new_bool((found != 0) != (s.oparg != 0)));
}
UOP(guard_top_dict) { return PyDict_CheckExact(s.peek(1)) ? kNext : kDeopt; }
UOP(guard_top_any_set) { return PyAnySet_CheckExact(s.peek(1)) ? kNext : kDeopt; }
UOP(dict_contains) { return finish_contains(s, PyDict_Contains(s.peek(1), s.peek(2))); }
UOP(set_contains) { return finish_contains(s, PySet_Type.tp_as_sequence->sq_contains(s.peek(1), s.peek(2))); }

}  // namespace pyston
