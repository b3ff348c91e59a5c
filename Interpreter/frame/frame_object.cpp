// The frame type: what sys._getframe(), tracebacks and trace functions hand out.
//
// A frame object is made on demand. It points to the interpreter frame while that runs and takes its contents over when
// it ends (frame.cpp).
#include "Interpreter/bytecode/opcodes.h"
#include "Interpreter/frame/frame_state.h"
#include "Objects/bind.h"
#include "internal/pycore_ceval.h"
#include <frameobject.h>
#include "internal/pycore_frame.h"
#include "internal/pycore_function.h"
#include "internal/pycore_object.h"

namespace pyston {

PyFrameState frame_state(PyFrameObject* frame) {
  _PyInterpreterFrame* inner = frame->f_frame;
  if (inner->owner == FRAME_OWNED_BY_GENERATOR) {
    return static_cast<PyFrameState>(_PyFrame_GetGenerator(inner)->gi_frame_state);
  }
  if (inner->owner == FRAME_OWNED_BY_THREAD) return FRAME_EXECUTING;
  return inner->stacktop == 0 ? FRAME_CLEARED : FRAME_COMPLETED;
}

namespace {

Ref<> frame_get_locals(Borrowed<PyFrameObject> self) {
  return Ref<>::steal(PyFrame_GetLocals(self));
}

Ref<> frame_get_lineno(Borrowed<PyFrameObject> self) {
  int line = PyFrame_GetLineNumber(self);
  return line < 0 ? Ref<>::none() : Ref<>::steal(PyLong_FromLong(line));
}

Ref<> frame_get_lasti(Borrowed<PyFrameObject> self) {
  int lasti = _PyInterpreterFrame_LASTI(self->f_frame);
  return Ref<>::steal(PyLong_FromLong(lasti < 0 ? -1 : lasti * static_cast<long>(sizeof(_Py_CODEUNIT))));
}

Ref<> frame_get_globals(Borrowed<PyFrameObject> self) {
  return Ref<>::dup(self->f_frame->f_globals != nullptr ? self->f_frame->f_globals : Py_None);
}

Ref<> frame_get_builtins(Borrowed<PyFrameObject> self) {
  return Ref<>::dup(self->f_frame->f_builtins != nullptr ? self->f_frame->f_builtins : Py_None);
}

Ref<> frame_get_code(Borrowed<PyFrameObject> self) {
  if (PySys_Audit("object.__getattr__", "Os", self.object(), "f_code") < 0) return nullptr;
  return Ref<>::dup(as_object(self->f_frame->f_code));
}

Ref<> frame_get_back(Borrowed<PyFrameObject> self) {
  PyObject* back = as_object(PyFrame_GetBack(self));
  return back == nullptr ? Ref<>::none() : Ref<>::steal(back);
}

Ref<> frame_get_trace(Borrowed<PyFrameObject> self) {
  return Ref<>::dup(self->f_trace != nullptr ? self->f_trace : Py_None);
}

Status frame_set_trace(Borrowed<PyFrameObject> self, PyObject* value) {
  if (value == Py_None) value = nullptr;
  if (value != self->f_trace) {
    Py_XINCREF(value);
    Py_XSETREF(self->f_trace, value);
  }
  return Status::kOk;
}

Ref<> frame_get_trace_opcodes(Borrowed<PyFrameObject> self) {
  return Ref<>::dup(self->f_trace_opcodes ? Py_True : Py_False);
}

Status frame_set_trace_opcodes(Borrowed<PyFrameObject> self, PyObject* value) {
  if (value == nullptr || !PyBool_Check(value)) {
    raise(PyExc_TypeError, "attribute value type must be bool");
    return Status::kError;
  }
  self->f_trace_opcodes = value == Py_True;
  return Status::kOk;
}

int frame_traverse(PyFrameObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->f_back);
  Py_VISIT(self->f_trace);
  if (self->f_frame->owner != FRAME_OWNED_BY_FRAME_OBJECT) return 0;
  return _PyFrame_Traverse(self->f_frame, visit, arg);
}

/// Drops variables and stack; keeps code and namespaces.
int frame_clear_values(PyFrameObject* self) {
  Py_CLEAR(self->f_trace);
  _PyInterpreterFrame* frame = self->f_frame;
  int count = std::exchange(frame->stacktop, 0);
  for (int i = 0; i < count; i++) Py_CLEAR(frame->localsplus[i]);
  return 0;
}

void frame_dealloc(PyFrameObject* self) {
  if (_PyObject_GC_IS_TRACKED(as_object(self))) _PyObject_GC_UNTRACK(as_object(self));
  Py_TRASHCAN_BEGIN(as_object(self), frame_dealloc);
  PyCodeObject* code = nullptr;
  if (self->f_frame->owner == FRAME_OWNED_BY_FRAME_OBJECT) {
    _PyInterpreterFrame* frame = self->f_frame;
    // The code object goes last: it knows how many variables there are.
    code = frame->f_code;
    frame->f_code = nullptr;
    Py_CLEAR(frame->f_func);
    Py_CLEAR(frame->f_locals);
    for (int i = 0; i < frame->stacktop; i++) Py_CLEAR(frame->localsplus[i]);
  }
  Py_CLEAR(self->f_back);
  Py_CLEAR(self->f_trace);
  PyObject_GC_Del(self);
  Py_XDECREF(as_object(code));
  Py_TRASHCAN_END;
}

Ref<> frame_repr(Borrowed<PyFrameObject> self) {
  PyCodeObject* code = self->f_frame->f_code;
  return Ref<>::steal(PyUnicode_FromFormat("<frame at %p, file %R, line %d, code %S>", self.get(), code->co_filename,
                                           PyFrame_GetLineNumber(self), code->co_name));
}

Ref<> frame_clear(Borrowed<PyFrameObject> self) {
  _PyInterpreterFrame* frame = self->f_frame;
  if (frame->owner == FRAME_OWNED_BY_GENERATOR) {
    PyGenObject* generator = _PyFrame_GetGenerator(frame);
    if (generator->gi_frame_state == FRAME_EXECUTING) {
      return raise(PyExc_RuntimeError, "cannot clear an executing frame");
    }
    _PyGen_Finalize(as_object(generator));
  } else if (frame->owner == FRAME_OWNED_BY_THREAD) {
    return raise(PyExc_RuntimeError, "cannot clear an executing frame");
  } else {
    (void)frame_clear_values(self);
  }
  return Ref<>::none();
}

Ref<> frame_sizeof(Borrowed<PyFrameObject> self) {
  PyCodeObject* code = self->f_frame->f_code;
  Py_ssize_t size = offsetof(PyFrameObject, _f_frame_data) + offsetof(_PyInterpreterFrame, localsplus) +
                    (code->co_nlocalsplus + code->co_stacksize) * static_cast<Py_ssize_t>(sizeof(PyObject*));
  return Ref<>::steal(PyLong_FromSsize_t(size));
}

PyMethodDef frame_methods[] = {
    method<frame_clear, "clear($self, /)", "Drops every reference that a finished frame holds.">(),
    method<frame_sizeof, "__sizeof__($self, /)", "Bytes taken by the frame in memory.">(),
    {}};

PyMemberDef frame_members[] = {{"f_trace_lines", T_BOOL, offsetof(PyFrameObject, f_trace_lines), 0, nullptr}, {}};

PyGetSetDef frame_getset[] = {
    getset<frame_get_back>("f_back"),
    getset<frame_get_locals>("f_locals"),
    getset<frame_get_lineno, frame_set_lineno>("f_lineno"),
    getset<frame_get_trace, frame_set_trace>("f_trace"),
    getset<frame_get_lasti>("f_lasti"),
    getset<frame_get_globals>("f_globals"),
    getset<frame_get_builtins>("f_builtins"),
    getset<frame_get_code>("f_code"),
    getset<frame_get_trace_opcodes, frame_set_trace_opcodes>("f_trace_opcodes"),
    {}};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyFrame_Type = {
    .ob_base = type_head(),
    .tp_name = "frame",
    .tp_basicsize = offsetof(PyFrameObject, _f_frame_data) + offsetof(_PyInterpreterFrame, localsplus),
    .tp_itemsize = sizeof(PyObject*),
    .tp_dealloc = reinterpret_cast<destructor>(frame_dealloc),
    .tp_repr = slot<frame_repr>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = reinterpret_cast<traverseproc>(frame_traverse),
    .tp_clear = reinterpret_cast<inquiry>(frame_clear_values),
    .tp_methods = frame_methods,
    .tp_members = frame_members,
    .tp_getset = frame_getset,
};

PyFrameObject* _PyFrame_New_NoTrack(PyCodeObject* code) {
  int slots = code->co_nlocalsplus + code->co_stacksize;
  PyFrameObject* frame = PyObject_GC_NewVar(PyFrameObject, &PyFrame_Type, slots);
  if (frame == nullptr) return nullptr;
  frame->f_back = nullptr;
  frame->f_trace = nullptr;
  frame->f_trace_lines = 1;
  frame->f_trace_opcodes = 0;
  frame->f_fast_as_locals = 0;
  frame->f_lineno = 0;
  return frame;
}

PyFrameObject* PyFrame_New(PyThreadState* tstate, PyCodeObject* code, PyObject* globals, PyObject* locals) {
  PyObject* builtins = _PyEval_BuiltinsFromGlobals(tstate, globals);  // borrowed
  if (builtins == nullptr) return nullptr;
  PyFrameConstructor description = {
      .fc_globals = globals,
      .fc_builtins = builtins,
      .fc_name = code->co_name,
      .fc_qualname = code->co_name,
      .fc_code = as_object(code),
      .fc_defaults = nullptr,
      .fc_kwdefaults = nullptr,
      .fc_closure = nullptr,
  };
  PyFunctionObject* func = _PyFunction_FromConstructor(&description);
  if (func == nullptr) return nullptr;
  PyFrameObject* object = _PyFrame_New_NoTrack(code);
  if (object == nullptr) {
    Py_DECREF(as_object(func));
    return nullptr;
  }
  auto* frame = reinterpret_cast<_PyInterpreterFrame*>(object->_f_frame_data);
  _PyFrame_InitializeSpecials(frame, func, locals, code->co_nlocalsplus);
  for (int i = 0; i < code->co_nlocalsplus; i++) frame->localsplus[i] = nullptr;
  object->f_frame = frame;
  frame->owner = FRAME_OWNED_BY_FRAME_OBJECT;
  // Everything that looks at frames skips those before their first RESUME; this one never runs but must be seen.
  frame->prev_instr = _PyCode_CODE(code) + code->_co_firsttraceable;
  frame->previous = nullptr;
  _PyObject_GC_TRACK(as_object(object));
  return object;
}

int PyFrame_GetLineNumber(PyFrameObject* frame) {
  if (frame->f_lineno != 0) return frame->f_lineno;
  return _PyInterpreterFrame_GetLine(frame->f_frame);
}

PyCodeObject* PyFrame_GetCode(PyFrameObject* frame) {
  return reinterpret_cast<PyCodeObject*>(Py_NewRef(as_object(frame->f_frame->f_code)));
}

PyFrameObject* PyFrame_GetBack(PyFrameObject* frame) {
  PyFrameObject* back = frame->f_back;
  if (back == nullptr) {
    _PyInterpreterFrame* previous = frame->f_frame->previous;
    while (previous != nullptr && _PyFrame_IsIncomplete(previous)) previous = previous->previous;
    if (previous != nullptr) back = _PyFrame_GetFrameObject(previous);
  }
  return reinterpret_cast<PyFrameObject*>(Py_XNewRef(as_object(back)));
}

PyObject* PyFrame_GetLocals(PyFrameObject* frame) {
  if (PyFrame_FastToLocalsWithError(frame) < 0) return nullptr;
  return Py_NewRef(frame->f_frame->f_locals);
}

PyObject* PyFrame_GetGlobals(PyFrameObject* frame) { return Py_NewRef(frame->f_frame->f_globals); }
PyObject* PyFrame_GetBuiltins(PyFrameObject* frame) { return Py_NewRef(frame->f_frame->f_builtins); }

int PyFrame_GetLasti(PyFrameObject* frame) {
  int lasti = _PyInterpreterFrame_LASTI(frame->f_frame);
  return lasti < 0 ? -1 : lasti * static_cast<int>(sizeof(_Py_CODEUNIT));
}

PyObject* PyFrame_GetGenerator(PyFrameObject* frame) {
  if (frame->f_frame->owner != FRAME_OWNED_BY_GENERATOR) return nullptr;
  return Py_NewRef(as_object(_PyFrame_GetGenerator(frame->f_frame)));
}

int _PyFrame_IsEntryFrame(PyFrameObject* frame) { return *reinterpret_cast<uint8_t*>(&frame->f_frame->is_entry) == 1; }
