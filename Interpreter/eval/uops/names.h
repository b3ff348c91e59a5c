// Micro-ops of names, attributes, imports and the other statements that go through a namespace.
#pragma once

#include "Interpreter/eval/eval.h"
#include "Interpreter/eval/state.h"
#include "Interpreter/eval/uops/arithmetic.h"

namespace pyston {

ALWAYS_INLINE Outcome push_result(State& s, PyObject* result) {
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return kNext;
}

UOP(load_name) { return push_result(s, load_name(s.tstate, s.frame, s.name(s.oparg))); }

UOP(store_name) {
  PyObject* value = s.pop();
  int status = store_name(s.tstate, s.frame, s.name(s.oparg), value);
  Py_DECREF(value);
  return UNLIKELY(status != 0) ? kError : kNext;
}

UOP(delete_name) { return UNLIKELY(delete_name(s.tstate, s.frame, s.name(s.oparg)) != 0) ? kError : kNext; }

UOP(load_global) {
  PyObject* value = load_global(s.tstate, s.frame, s.name(s.oparg >> 1));
  if (UNLIKELY(value == nullptr)) return kError;
  if (s.oparg & 1) s.push(nullptr);
  s.push(value);
  return kNext;
}

UOP(store_global) {
  PyObject* value = s.pop();
  int status = PyDict_SetItem(s.frame->f_globals, s.name(s.oparg), value);
  Py_DECREF(value);
  return UNLIKELY(status != 0) ? kError : kNext;
}

UOP(delete_global) { return UNLIKELY(delete_global(s.tstate, s.frame, s.name(s.oparg)) != 0) ? kError : kNext; }

UOP(load_attr) { return finish_unary(s, PyObject_GetAttr(s.peek(1), s.name(s.oparg))); }

UOP(store_attr) {
  PyObject* owner = s.pop();
  PyObject* value = s.pop();
  int status = PyObject_SetAttr(owner, s.name(s.oparg), value);
  Py_DECREF(value);
  Py_DECREF(owner);
  return UNLIKELY(status != 0) ? kError : kNext;
}

UOP(delete_attr) {
  PyObject* owner = s.pop();
  int status = PyObject_SetAttr(owner, s.name(s.oparg), nullptr);
  Py_DECREF(owner);
  return UNLIKELY(status != 0) ? kError : kNext;
}

/// Leaves (method, self) when the attribute is a method found on the type, else (null, attribute).
UOP(load_method) {
  PyObject* object = s.peek(1);
  PyObject* method = nullptr;
  bool unbound = _PyObject_GetMethod(object, s.name(s.oparg), &method) != 0;
  if (UNLIKELY(method == nullptr)) return kError;
  if (unbound) {
    s.peek(1) = method;
    s.push(object);
  } else {
    s.peek(1) = nullptr;
    s.push(method);
    Py_DECREF(object);
  }
  return kNext;
}

UOP(load_build_class) { return push_result(s, load_build_class(s.tstate, s.frame)); }
UOP(load_assertion_error) { return push_result(s, Py_NewRef(PyExc_AssertionError)); }
UOP(setup_annotations) { return UNLIKELY(setup_annotations(s.tstate, s.frame) != 0) ? kError : kNext; }

UOP(print_expr) {
  PyObject* value = s.pop();
  int status = print_expression(s.tstate, value);
  Py_DECREF(value);
  return UNLIKELY(status != 0) ? kError : kNext;
}

UOP(import_name) {
  PyObject* fromlist = s.pop();
  PyObject* level = s.pop();
  PyObject* module = import_name(s.tstate, s.frame, s.name(s.oparg), fromlist, level);
  Py_DECREF(level);
  Py_DECREF(fromlist);
  return push_result(s, module);
}

UOP(import_from) { return push_result(s, import_from(s.tstate, s.peek(1), s.name(s.oparg))); }

UOP(import_star) {
  PyObject* module = s.pop();
  int status = import_star(s.tstate, s.frame, module);
  Py_DECREF(module);
  return UNLIKELY(status != 0) ? kError : kNext;
}

UOP(make_function) {
  auto* function = reinterpret_cast<PyFunctionObject*>(make_function(s.frame, s.peek(1)));
  if (UNLIKELY(function == nullptr)) return kError;
  Py_DECREF(s.pop());
  if (s.oparg & 0x08) function->func_closure = s.pop();
  if (s.oparg & 0x04) function->func_annotations = s.pop();
  if (s.oparg & 0x02) function->func_kwdefaults = s.pop();
  if (s.oparg & 0x01) function->func_defaults = s.pop();
  s.push(as_object(function));
  return kNext;
}

}  // namespace pyston
