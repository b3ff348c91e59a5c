// The dict view of a frame's variables (f_locals, locals()): a snapshot that is refreshed from the fast locals on
// request, and written back after trace functions and `import *`.
#include "Interpreter/bytecode/opcodes.h"
#include "Runtime/refs/ref.h"
#include <frameobject.h>
#include "internal/pycore_frame.h"

using namespace pyston;

namespace {

/// Whether the instruction `opcode oparg` of the function's prologue has been executed.
bool prologue_op_ran(_PyInterpreterFrame* frame, int opcode, int oparg) {
  // Cells are made once, at the start, by instructions without specialised forms.
  int extended = 0;
  for (_Py_CODEUNIT* unit = _PyCode_CODE(frame->f_code); unit <= frame->prev_instr; unit++) {
    int current = _PyOpcode_Deopt[_Py_OPCODE(*unit)];
    extended |= _Py_OPARG(*unit);
    if (current == opcode && extended == oparg) return true;
    extended = current == OP_EXTENDED_ARG ? extended << 8 : 0;
    unit += _PyOpcode_Caches[current];
  }
  return false;
}

/// The cell in slot `index`, null when the slot holds a plain value.
PyObject* cell_of_slot(_PyInterpreterFrame* frame, int index, _PyLocals_Kind kind) {
  PyObject* value = frame->localsplus[index];
  if (value == nullptr) return nullptr;
  if (kind & CO_FAST_FREE) return value;
  // An argument that is a cell object itself is not the variable's cell until MAKE_CELL has run.
  if ((kind & CO_FAST_CELL) && PyCell_Check(value) && prologue_op_ran(frame, OP_MAKE_CELL, index)) return value;
  return nullptr;
}

/// Classes and modules keep free variables out of their namespace.
bool is_hidden(PyCodeObject* code, _PyLocals_Kind kind) {
  return (kind & CO_FAST_FREE) && !(code->co_flags & CO_OPTIMIZED);
}

}  // namespace

int _PyFrame_FastToLocalsWithError(_PyInterpreterFrame* frame) {
  PyObject* locals = frame->f_locals;
  if (locals == nullptr) {
    locals = frame->f_locals = PyDict_New();
    if (locals == nullptr) return -1;
  }
  PyCodeObject* code = frame->f_code;
  if (_PyInterpreterFrame_LASTI(frame) < 0 && _Py_OPCODE(_PyCode_CODE(code)[0]) == OP_COPY_FREE_VARS) {
    // Free variables are not there yet: run the first instruction now.
    PyObject* closure = frame->f_func->func_closure;
    int offset = code->co_nlocals + code->co_nplaincellvars;
    for (int i = 0; i < code->co_nfreevars; i++) {
      frame->localsplus[offset + i] = Py_NewRef(PyTuple_GET_ITEM(closure, i));
    }
    frame->prev_instr = _PyCode_CODE(code);
  }
  for (int i = 0; i < code->co_nlocalsplus; i++) {
    _PyLocals_Kind kind = _PyLocals_GetKind(code->co_localspluskinds, i);
    if (is_hidden(code, kind)) continue;
    PyObject* name = PyTuple_GET_ITEM(code->co_localsplusnames, i);
    PyObject* value = nullptr;
    if (frame->stacktop != 0) {
      PyObject* cell = cell_of_slot(frame, i, kind);
      value = cell != nullptr ? PyCell_GET(cell) : frame->localsplus[i];
    }
    if (value != nullptr) {
      if (PyObject_SetItem(locals, name, value) != 0) return -1;
    } else if (PyObject_DelItem(locals, name) != 0) {
      if (!PyErr_ExceptionMatches(PyExc_KeyError)) return -1;
      PyErr_Clear();
    }
  }
  return 0;
}

void _PyFrame_LocalsToFast(_PyInterpreterFrame* frame, int clear) {
  PyObject* locals = frame->f_locals;
  if (locals == nullptr) return;
  PyCodeObject* code = frame->f_code;
  PyObject *type, *error, *traceback;
  PyErr_Fetch(&type, &error, &traceback);
  for (int i = 0; i < code->co_nlocalsplus; i++) {
    _PyLocals_Kind kind = _PyLocals_GetKind(code->co_localspluskinds, i);
    if (is_hidden(code, kind)) continue;
    PyObject* value = PyObject_GetItem(locals, PyTuple_GET_ITEM(code->co_localsplusnames, i));
    if (value == nullptr) {
      PyErr_Clear();
      if (!clear) continue;
    }
    PyObject* cell = cell_of_slot(frame, i, kind);
    PyObject*& slot = cell != nullptr ? reinterpret_cast<PyCellObject*>(cell)->ob_ref : frame->localsplus[i];
    if (value != slot) {
      Py_XINCREF(value);
      PyObject* old = std::exchange(slot, value);
      Py_XDECREF(old);
    }
    Py_XDECREF(value);
  }
  PyErr_Restore(type, error, traceback);
}

int PyFrame_FastToLocalsWithError(PyFrameObject* frame) {
  if (frame == nullptr) {
    PyErr_BadInternalCall();
    return -1;
  }
  int status = _PyFrame_FastToLocalsWithError(frame->f_frame);
  if (status == 0) frame->f_fast_as_locals = 1;
  return status;
}

void PyFrame_FastToLocals(PyFrameObject* frame) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (PyFrame_FastToLocalsWithError(frame) < 0) PyErr_Clear();
  PyErr_Restore(type, value, traceback);
}

void PyFrame_LocalsToFast(PyFrameObject* frame, int clear) {
  if (frame == nullptr || !frame->f_fast_as_locals) return;
  if (frame->f_frame->owner == FRAME_OWNED_BY_FRAME_OBJECT && frame->f_frame->stacktop == 0) return;  // cleared
  _PyFrame_LocalsToFast(frame->f_frame, clear);
  frame->f_fast_as_locals = 0;
}
