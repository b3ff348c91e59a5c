// Micro-ops of unary and binary operators, comparisons and tests.
#pragma once

#include "Interpreter/eval/eval.h"
#include "Interpreter/eval/state.h"
#include "internal/pycore_abstract.h"

namespace pyston {

using BinaryFunction = PyObject* (*)(PyObject*, PyObject*);
/// Indexed by NB_ADD ...
extern const BinaryFunction kBinaryFunctions[26];

/// Replaces the two topmost items by `result` (owned, null: error).
ALWAYS_INLINE Outcome finish_binary(State& s, PyObject* result) {
  PyObject* right = s.peek(1);
  PyObject* left = s.peek(2);
  s.shrink(2);
  Py_DECREF(left);
  Py_DECREF(right);
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return kNext;
}

/// Replaces the topmost item by `result` (owned, null: error).
ALWAYS_INLINE Outcome finish_unary(State& s, PyObject* result) {
  PyObject* operand = s.pop();
  Py_DECREF(operand);
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return kNext;
}

ALWAYS_INLINE PyObject* new_bool(bool value) { return Py_NewRef(value ? Py_True : Py_False); }

UOP(unary_positive) { return finish_unary(s, PyNumber_Positive(s.peek(1))); }
UOP(unary_negative) { return finish_unary(s, PyNumber_Negative(s.peek(1))); }
UOP(unary_invert) { return finish_unary(s, PyNumber_Invert(s.peek(1))); }

UOP(unary_not) {
  PyObject* operand = s.peek(1);
  if (PyBool_Check(operand)) {  // FAST: True and False outlive the exchange
    s.peek(1) = new_bool(operand == Py_False);
    Py_DECREF(operand);
    return kNext;
  }
  int truth = PyObject_IsTrue(operand);
  return finish_unary(s, truth < 0 ? nullptr : new_bool(truth == 0));
}

UOP(binary_op) { return finish_binary(s, kBinaryFunctions[s.oparg](s.peek(2), s.peek(1))); }
UOP(compare_op) { return finish_binary(s, PyObject_RichCompare(s.peek(2), s.peek(1), s.oparg)); }
UOP(is_op) { return finish_binary(s, new_bool((s.peek(2) == s.peek(1)) != (s.oparg != 0))); }

UOP(contains_op) {
  int found = PySequence_Contains(s.peek(1), s.peek(2));
  return finish_binary(s, found < 0 ? nullptr : new_bool((found != 0) != (s.oparg != 0)));
}

UOP(binary_subscr) { return finish_binary(s, PyObject_GetItem(s.peek(2), s.peek(1))); }

UOP(store_subscr) {
  PyObject* key = s.peek(1);
  PyObject* container = s.peek(2);
  PyObject* value = s.peek(3);
  int status = PyObject_SetItem(container, key, value);
  s.shrink(3);
  Py_DECREF(value);
  Py_DECREF(container);
  Py_DECREF(key);
  return UNLIKELY(status != 0) ? kError : kNext;
}

UOP(delete_subscr) {
  PyObject* key = s.peek(1);
  PyObject* container = s.peek(2);
  int status = PyObject_DelItem(container, key);
  s.shrink(2);
  Py_DECREF(container);
  Py_DECREF(key);
  return UNLIKELY(status != 0) ? kError : kNext;
}

UOP(build_slice) {
  PyObject* step = s.oparg == 3 ? s.pop() : nullptr;
  PyObject* stop = s.pop();
  PyObject* start = s.pop();
  PyObject* slice = PySlice_New(start, stop, step);
  Py_DECREF(start);
  Py_DECREF(stop);
  Py_XDECREF(step);
  if (UNLIKELY(slice == nullptr)) return kError;
  s.push(slice);
  return kNext;
}

UOP(format_value) {
  PyObject* spec = (s.oparg & FVS_MASK) == FVS_HAVE_SPEC ? s.pop() : nullptr;
  PyObject* value = s.pop();
  PyObject* text = format_value(value, spec, s.oparg & FVC_MASK);
  Py_DECREF(value);
  Py_XDECREF(spec);
  if (UNLIKELY(text == nullptr)) return kError;
  s.push(text);
  return kNext;
}

}  // namespace pyston
