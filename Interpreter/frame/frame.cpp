// Interpreter frames: copying, clearing, and handing them over to the frame object that outlives them.
//
// A frame lives on the thread's data stack, inside a generator, or (once it is finished but still referenced) inside
// of its frame object. `owner` says where.
#include "Runtime/refs/ref.h"
#include <frameobject.h>
#include "internal/pycore_frame.h"
#include "internal/pycore_code.h"
#include "internal/pycore_object.h"

using namespace pyston;

int _PyFrame_Traverse(_PyInterpreterFrame* frame, visitproc visit, void* arg) {
  Py_VISIT(frame->frame_obj);
  Py_VISIT(frame->f_locals);
  Py_VISIT(frame->f_func);
  Py_VISIT(frame->f_code);
  // stacktop is -1 while the frame runs: its values are then roots, not part of a cycle's inner edges.
  for (int i = 0; i < frame->stacktop; i++) Py_VISIT(frame->localsplus[i]);
  return 0;
}

PyFrameObject* _PyFrame_MakeAndSetFrameObject(_PyInterpreterFrame* frame) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyFrameObject* object = _PyFrame_New_NoTrack(frame->f_code);
  if (object == nullptr) {
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return nullptr;
  }
  PyErr_Restore(type, value, traceback);
  if (frame->frame_obj != nullptr) {
    // The allocation ran the collector, whose finalisers made a frame object for this very frame: that one counts.
    auto* own = reinterpret_cast<_PyInterpreterFrame*>(object->_f_frame_data);
    memset(own, 0, offsetof(_PyInterpreterFrame, localsplus));
    own->f_code = reinterpret_cast<PyCodeObject*>(Py_NewRef(as_object(frame->f_code)));
    own->owner = FRAME_OWNED_BY_FRAME_OBJECT;
    object->f_frame = own;
    Py_DECREF(as_object(object));
    return frame->frame_obj;
  }
  object->f_frame = frame;
  frame->frame_obj = object;
  return object;
}

void _PyFrame_Copy(_PyInterpreterFrame* src, _PyInterpreterFrame* dest) {
  size_t size = offsetof(_PyInterpreterFrame, localsplus) + src->stacktop * sizeof(PyObject*);
  memcpy(dest, src, size);
}

namespace {

/// The frame object takes the finished frame's contents over.
void take_ownership(PyFrameObject* object, _PyInterpreterFrame* frame) {
  auto* own = reinterpret_cast<_PyInterpreterFrame*>(object->_f_frame_data);
  _PyFrame_Copy(frame, own);
  object->f_frame = own;
  own->owner = FRAME_OWNED_BY_FRAME_OBJECT;
  if (_PyFrame_IsIncomplete(own)) {
    // A generator that was never started: as good as just past its first RESUME, now that it is over.
    own->prev_instr = _PyCode_CODE(own->f_code) + own->f_code->_co_firsttraceable;
  }
  _PyInterpreterFrame* previous = frame->previous;
  while (previous != nullptr && _PyFrame_IsIncomplete(previous)) previous = previous->previous;
  if (previous != nullptr) {
    PyFrameObject* back = _PyFrame_GetFrameObject(previous);
    if (back == nullptr) {
      PyErr_Clear();  // no memory: the chain ends here
    } else {
      object->f_back = reinterpret_cast<PyFrameObject*>(Py_NewRef(as_object(back)));
    }
  }
  own->previous = nullptr;
  frame->previous = nullptr;
  if (!_PyObject_GC_IS_TRACKED(as_object(object))) _PyObject_GC_TRACK(as_object(object));
}

}  // namespace

void _PyFrame_Clear(_PyInterpreterFrame* frame) {
  if (UNLIKELY(frame->frame_obj != nullptr)) {
    PyFrameObject* object = std::exchange(frame->frame_obj, nullptr);
    if (Py_REFCNT(as_object(object)) > 1) {
      take_ownership(object, frame);
      Py_DECREF(as_object(object));
      return;
    }
    Py_DECREF(as_object(object));
  }
  for (int i = 0; i < frame->stacktop; i++) Py_XDECREF(frame->localsplus[i]);
  Py_XDECREF(frame->f_locals);
  Py_DECREF(as_object(frame->f_func));
  Py_DECREF(as_object(frame->f_code));
}

int _PyInterpreterFrame_GetLine(_PyInterpreterFrame* frame) {
  // FAST: code that runs often and raises keeps its line numbers in an array instead of decoding them each time.
  PyCodeObject* code = frame->f_code;
  int lasti = _PyInterpreterFrame_LASTI(frame);
  if (code->co_warmup == 0 && lasti >= 0) {
    if (LIKELY(_PyCode_InitLineArray(code) == 0)) return _PyCode_LineNumberFromArray(code, lasti);
    PyErr_Clear();
  }
  return PyCode_Addr2Line(frame->f_code,
                          _PyInterpreterFrame_LASTI(frame) * static_cast<int>(sizeof(_Py_CODEUNIT)));
}
