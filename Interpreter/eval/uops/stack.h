// Micro-ops that move values between the value stack, locals, cells and constants.
#pragma once

#include "Interpreter/eval/eval.h"
#include "Interpreter/eval/state.h"

namespace pyston {

UOP(nop) { return kNext; }

UOP(invalid_opcode) {
  PyErr_Format(PyExc_SystemError, "%s:%d: unknown opcode %d", PyUnicode_AsUTF8(s.frame->f_code->co_filename),
               _PyInterpreterFrame_GetLine(s.frame), int(_Py_OPCODE(*s.instruction())));
  return kError;
}

UOP(extended_arg) { return kExtend; }

/// Between the halves of a superinstruction: on to the second one's argument.
UOP(next_oparg) {
  s.oparg = _Py_OPARG(*s.next_instr);
  s.next_instr++;
  return kNext;
}

UOP(pop_top) {
  Py_DECREF(s.pop());
  return kNext;
}

UOP(push_null) {
  s.push(nullptr);
  return kNext;
}

UOP(copy) {
  s.push(Py_NewRef(s.peek(s.oparg)));
  return kNext;
}

UOP(swap) {
  std::swap(s.peek(1), s.peek(s.oparg));
  return kNext;
}

UOP(load_const) {
  s.push(Py_NewRef(s.constant(s.oparg)));
  return kNext;
}

UOP(load_fast) {
  PyObject* value = s.local(s.oparg);
  if (UNLIKELY(value == nullptr)) {
    raise_unbound_local(s.tstate, s.frame->f_code, s.oparg);
    return kError;
  }
  s.push(Py_NewRef(value));
  return kNext;
}

UOP(store_fast) {
  PyObject* old = std::exchange(s.local(s.oparg), s.pop());
  Py_XDECREF(old);
  return kNext;
}

UOP(delete_fast) {
  PyObject* old = s.local(s.oparg);
  if (UNLIKELY(old == nullptr)) {
    raise_unbound_local(s.tstate, s.frame->f_code, s.oparg);
    return kError;
  }
  s.local(s.oparg) = nullptr;
  Py_DECREF(old);
  return kNext;
}

UOP(make_cell) {
  PyObject* initial = s.local(s.oparg);
  PyObject* cell = PyCell_New(initial);
  if (UNLIKELY(cell == nullptr)) return kError;
  s.local(s.oparg) = cell;
  Py_XDECREF(initial);
  return kNext;
}

UOP(load_deref) {
  PyObject* value = PyCell_GET(s.local(s.oparg));
  if (UNLIKELY(value == nullptr)) {
    raise_unbound_deref(s.tstate, s.frame->f_code, s.oparg);
    return kError;
  }
  s.push(Py_NewRef(value));
  return kNext;
}

UOP(store_deref) {
  auto* cell = reinterpret_cast<PyCellObject*>(s.local(s.oparg));
  PyObject* old = std::exchange(cell->ob_ref, s.pop());
  Py_XDECREF(old);
  return kNext;
}

UOP(delete_deref) {
  auto* cell = reinterpret_cast<PyCellObject*>(s.local(s.oparg));
  PyObject* old = cell->ob_ref;
  if (UNLIKELY(old == nullptr)) {
    raise_unbound_deref(s.tstate, s.frame->f_code, s.oparg);
    return kError;
  }
  cell->ob_ref = nullptr;
  Py_DECREF(old);
  return kNext;
}

UOP(load_classderef) {
  PyObject* value = load_class_deref(s.tstate, s.frame, s.oparg);
  if (UNLIKELY(value == nullptr)) return kError;
  s.push(value);
  return kNext;
}

UOP(copy_free_vars) {
  PyObject* closure = s.frame->f_func->func_closure;
  PyCodeObject* code = s.frame->f_code;
  PyObject** target = s.frame->localsplus + code->co_nlocals + code->co_nplaincellvars;
  for (int i = 0; i < s.oparg; i++) target[i] = Py_NewRef(PyTuple_GET_ITEM(closure, i));
  return kNext;
}

}  // namespace pyston
