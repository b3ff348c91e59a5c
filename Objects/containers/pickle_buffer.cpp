// pickle.PickleBuffer: marks a buffer as one that pickling may send out of band.
#include "Objects/bind.h"

namespace pyston {
namespace {

struct PickleBufferObject {
  PyObject_HEAD
  Py_buffer view;  // of the original object; obj is null once released
  PyObject* weakreflist;
};
ALWAYS_INLINE PickleBufferObject* as_buffer(PyObject* object) { return reinterpret_cast<PickleBufferObject*>(object); }

bool check_not_released(PyObject* self) {
  if (as_buffer(self)->view.obj != nullptr) return true;
  PyErr_SetString(PyExc_ValueError, "operation forbidden on released PickleBuffer object");
  return false;
}

Ref<> picklebuf_new(PyTypeObject* type, Borrowed<> object) {
  Ref<> self = Ref<>::steal(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  if (PyObject_GetBuffer(object, &as_buffer(self.get())->view, PyBUF_FULL_RO) < 0) return nullptr;
  return self;
}

void picklebuf_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  if (as_buffer(self)->weakreflist != nullptr) PyObject_ClearWeakRefs(self);
  PyBuffer_Release(&as_buffer(self)->view);
  Py_TYPE(self)->tp_free(self);
}
int picklebuf_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_buffer(self)->view.obj);
  return 0;
}
int picklebuf_clear(PyObject* self) {
  PyBuffer_Release(&as_buffer(self)->view);
  return 0;
}

int picklebuf_getbuffer(PyObject* self, Py_buffer* view, int flags) {
  if (!check_not_released(self)) return -1;
  return PyObject_GetBuffer(as_buffer(self)->view.obj, view, flags);
}
void picklebuf_releasebuffer(PyObject*, Py_buffer*) {}  // the view is of the original object, which releases it

PyObject* picklebuf_raw(PyObject* self) {
  if (!check_not_released(self)) return nullptr;
  const Py_buffer* view = &as_buffer(self)->view;
  if (view->suboffsets != nullptr || !PyBuffer_IsContiguous(view, 'A')) {
    PyErr_SetString(PyExc_BufferError, "cannot extract raw buffer from non-contiguous buffer");
    return nullptr;
  }
  PyObject* memory = PyMemoryView_FromObject(self);
  if (memory == nullptr) return nullptr;
  // Seen as plain bytes.
  Py_buffer* raw = PyMemoryView_GET_BUFFER(memory);
  raw->format = const_cast<char*>("B");
  raw->ndim = 1;
  raw->itemsize = 1;
  raw->strides = &raw->itemsize;
  raw->shape = &raw->len;
  return memory;
}
PyObject* picklebuf_release(PyObject* self) {
  PyBuffer_Release(&as_buffer(self)->view);
  Py_RETURN_NONE;
}

PyMethodDef picklebuf_methods[] = {
    method<picklebuf_raw, "raw($self, /)", "A memoryview of the memory as plain bytes; needs a contiguous buffer.">(),
    method<picklebuf_release, "release($self, /)", "Let go of the buffer.">(),
    {},
};
PyBufferProcs picklebuf_as_buffer = {picklebuf_getbuffer, picklebuf_releasebuffer};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyObject* PyPickleBuffer_FromObject(PyObject* object) {
  return picklebuf_new(&PyPickleBuffer_Type, object).release();
}

const Py_buffer* PyPickleBuffer_GetBuffer(PyObject* object) {
  if (!PyPickleBuffer_Check(object)) {
    PyErr_Format(PyExc_TypeError, "expected PickleBuffer, %.200s found", Py_TYPE(object)->tp_name);
    return nullptr;
  }
  return check_not_released(object) ? &as_buffer(object)->view : nullptr;
}

int PyPickleBuffer_Release(PyObject* object) {
  if (!PyPickleBuffer_Check(object)) {
    PyErr_Format(PyExc_TypeError, "expected PickleBuffer, %.200s found", Py_TYPE(object)->tp_name);
    return -1;
  }
  PyBuffer_Release(&as_buffer(object)->view);
  return 0;
}

PyTypeObject PyPickleBuffer_Type = {
    .ob_base = type_head(),
    .tp_name = "pickle.PickleBuffer",
    .tp_basicsize = sizeof(PickleBufferObject),
    .tp_dealloc = picklebuf_dealloc,
    .tp_as_buffer = &picklebuf_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Wrapper for potentially out-of-band buffers",
    .tp_traverse = picklebuf_traverse,
    .tp_clear = picklebuf_clear,
    .tp_weaklistoffset = offsetof(PickleBufferObject, weakreflist),
    .tp_methods = picklebuf_methods,
    .tp_new = constructor<picklebuf_new, "PickleBuffer(object, /)">,
};
