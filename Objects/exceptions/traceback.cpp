// The traceback object: one link per frame that an exception passed through, newest last. Printing is in
// Interpreter/frame/traceback_print.cpp.
#include "Objects/bind.h"
#include <frameobject.h>

#include "internal/pycore_frame.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_traceback.h"
#include "structmember.h"

using namespace pyston;

namespace {

/// Steals neither; new reference.
PyObject* make_traceback(PyObject* next, PyFrameObject* frame, int lasti, int lineno) {
  auto* traceback = PyObject_GC_New(PyTracebackObject, &PyTraceBack_Type);
  if (traceback == nullptr) return nullptr;
  traceback->tb_next = reinterpret_cast<PyTracebackObject*>(Py_XNewRef(next));
  traceback->tb_frame = reinterpret_cast<PyFrameObject*>(Py_NewRef(as_object(frame)));
  traceback->tb_lasti = lasti;
  traceback->tb_lineno = lineno;
  PyObject_GC_Track(traceback);
  return as_object(traceback);
}

Ref<> traceback_new(PyTypeObject*, Borrowed<> next, Borrowed<> frame, int lasti, int lineno) {
  PyObject* link = next == Py_None ? nullptr : next.get();
  if (link != nullptr && !PyTraceBack_Check(link)) {
    return raise(PyExc_TypeError, "expected traceback object or None, got '%s'", Py_TYPE(link)->tp_name);
  }
  if (!PyFrame_Check(frame)) {
    return raise(PyExc_TypeError, "TracebackType() argument 'tb_frame' must be frame, not %.50s",
                 frame == Py_None ? "None" : Py_TYPE(frame)->tp_name);
  }
  return Ref<>::steal(make_traceback(link, reinterpret_cast<PyFrameObject*>(frame.get()), lasti, lineno));
}

Ref<> traceback_next(Borrowed<PyTracebackObject> self) {
  return Ref<>::dup(self->tb_next == nullptr ? Py_None : as_object(self->tb_next));
}

Status traceback_set_next(Borrowed<PyTracebackObject> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_TypeError, "can't delete tb_next attribute");
  if (value == Py_None) {
    value = nullptr;
  } else if (!PyTraceBack_Check(value)) {
    return raise(PyExc_TypeError, "expected traceback object, got '%s'", Py_TYPE(value)->tp_name);
  }
  for (auto* cursor = reinterpret_cast<PyTracebackObject*>(value); cursor != nullptr; cursor = cursor->tb_next) {
    if (cursor == self.get()) return raise(PyExc_ValueError, "traceback loop detected");
  }
  PyTracebackObject* old = self->tb_next;
  self->tb_next = reinterpret_cast<PyTracebackObject*>(Py_XNewRef(value));
  Py_XDECREF(old);
  return Status::kOk;
}

/// -1 asks for the line of tb_lasti.
Ref<> traceback_lineno(Borrowed<PyTracebackObject> self) {
  int lineno = self->tb_lineno;
  if (lineno == -1) {
    PyCodeObject* code = PyFrame_GetCode(self->tb_frame);
    lineno = PyCode_Addr2Line(code, self->tb_lasti);
    Py_DECREF(code);
    if (lineno == -1) return Ref<>::none();
  }
  return Ref<>::steal(PyLong_FromLong(lineno));
}

Ref<> traceback_dir(Borrowed<PyTracebackObject>) {
  return Ref<>::steal(Py_BuildValue("[ssss]", "tb_frame", "tb_next", "tb_lasti", "tb_lineno"));
}

void traceback_dealloc(PyTracebackObject* self) {
  PyObject_GC_UnTrack(self);
  Py_TRASHCAN_BEGIN(self, [](PyObject* object) { traceback_dealloc(reinterpret_cast<PyTracebackObject*>(object)); })
  Py_XDECREF(self->tb_next);
  Py_XDECREF(self->tb_frame);
  PyObject_GC_Del(self);
  Py_TRASHCAN_END
}

int traceback_traverse(PyTracebackObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->tb_next);
  Py_VISIT(self->tb_frame);
  return 0;
}

int traceback_clear(PyTracebackObject* self) {
  Py_CLEAR(self->tb_next);
  Py_CLEAR(self->tb_frame);
  return 0;
}

PyMethodDef traceback_methods[] = {method<traceback_dir, "__dir__($self, /)">(), {}};
PyMemberDef traceback_members[] = {
    {"tb_frame", T_OBJECT, offsetof(PyTracebackObject, tb_frame), READONLY | PY_AUDIT_READ},
    {"tb_lasti", T_INT, offsetof(PyTracebackObject, tb_lasti), READONLY},
    {nullptr}};
PyGetSetDef traceback_getset[] = {getset<traceback_next, traceback_set_next>("tb_next"),
                                  getset<traceback_lineno>("tb_lineno"),
                                  {}};

}  // namespace

PyTypeObject PyTraceBack_Type = {
    .ob_base = type_head(),
    .tp_name = "traceback",
    .tp_basicsize = sizeof(PyTracebackObject),
    .tp_dealloc = slot<traceback_dealloc>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "TracebackType(tb_next, tb_frame, tb_lasti, tb_lineno)\n--\n\nA link of a traceback.",
    .tp_traverse = reinterpret_cast<traverseproc>(traceback_traverse),
    .tp_clear = reinterpret_cast<inquiry>(traceback_clear),
    .tp_methods = traceback_methods,
    .tp_members = traceback_members,
    .tp_getset = traceback_getset,
    .tp_new = constructor<traceback_new, "TracebackType(tb_next, tb_frame, tb_lasti, tb_lineno)">,
};

PyObject* _PyTraceBack_FromFrame(PyObject* next, PyFrameObject* frame) {
  if (next != nullptr && !PyTraceBack_Check(next)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  const int lasti = _PyInterpreterFrame_LASTI(frame->f_frame) * static_cast<int>(sizeof(_Py_CODEUNIT));
  return make_traceback(next, frame, lasti, PyFrame_GetLineNumber(frame));
}

/// Adds the frame to the traceback of the pending exception.
int PyTraceBack_Here(PyFrameObject* frame) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyObject* extended = _PyTraceBack_FromFrame(traceback, frame);
  if (extended == nullptr) {
    _PyErr_ChainExceptions(type, value, traceback);
    return -1;
  }
  PyErr_Restore(type, value, extended);
  Py_XDECREF(traceback);
  return 0;
}

/// Adds a made-up frame: C code that wants to appear in tracebacks (pyexpat, datetime).
void _PyTraceback_Add(const char* function, const char* filename, int lineno) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyObject* globals = PyDict_New();
  PyCodeObject* code = globals == nullptr ? nullptr : PyCode_NewEmpty(filename, function, lineno);
  PyFrameObject* frame = code == nullptr ? nullptr : PyFrame_New(PyThreadState_Get(), code, globals, nullptr);
  Py_XDECREF(code);
  Py_XDECREF(globals);
  if (frame == nullptr) {
    _PyErr_ChainExceptions(type, value, traceback);
    return;
  }
  frame->f_lineno = lineno;
  PyErr_Restore(type, value, traceback);
  PyTraceBack_Here(frame);
  Py_DECREF(frame);
}
