// The buffer protocol's helpers: acquiring and releasing views, contiguity, copying between layouts.
#include "Objects/core/type.h"

using namespace pyston;

namespace {

/// Whether items lie without gaps, the last index varying fastest (C) or the first (Fortran).
bool has_dense_strides(const Py_buffer* view, bool fortran) {
  if (view->len == 0 || view->ndim == 0) return true;
  if (view->strides == nullptr) {
    // No strides means C order, which is Fortran order too for at most one dimension longer than 1.
    if (!fortran || view->ndim <= 1) return true;
    int long_dimensions = 0;
    for (int i = 0; i < view->ndim; i++) long_dimensions += view->shape[i] > 1;
    return long_dimensions <= 1;
  }
  Py_ssize_t expected = view->itemsize;
  for (int k = 0; k < view->ndim; k++) {
    int i = fortran ? k : view->ndim - 1 - k;
    Py_ssize_t dimension = view->shape[i];
    // A dimension of one item may have any stride.
    if (dimension > 1 && view->strides[i] != expected) return false;
    expected *= dimension;
  }
  return true;
}

bool is_buffer(PyObject* object) {
  PyBufferProcs* procs = Py_TYPE(object)->tp_as_buffer;
  return procs != nullptr && procs->bf_getbuffer != nullptr;
}

COLD int raise_not_bytes_like(PyObject* object) {
  PyErr_Format(PyExc_TypeError, "a bytes-like object is required, not '%.100s'", Py_TYPE(object)->tp_name);
  return -1;
}

/// The pre-3.0 functions: pointer and size outlive the view, on the object's responsibility.
int as_simple_buffer(PyObject* object, const void** buffer, Py_ssize_t* length, int flags) {
  if (object == nullptr || buffer == nullptr || length == nullptr) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
    return -1;
  }
  Py_buffer view;
  if (PyObject_GetBuffer(object, &view, flags) != 0) return -1;
  *buffer = view.buf;
  *length = view.len;
  PyBuffer_Release(&view);
  return 0;
}

using AdvanceIndex = void (*)(int, Py_ssize_t*, const Py_ssize_t*);

/// Zeroed index vector of a view; null with MemoryError.
Py_ssize_t* new_index(const Py_buffer* view) {
  auto* index = static_cast<Py_ssize_t*>(PyMem_Calloc(static_cast<size_t>(view->ndim > 0 ? view->ndim : 1), sizeof(Py_ssize_t)));
  if (index == nullptr) PyErr_NoMemory();
  return index;
}

}  // namespace

extern "C" {

int PyObject_CheckBuffer(PyObject* object) { return is_buffer(object); }

int PyObject_GetBuffer(PyObject* object, Py_buffer* view, int flags) {
  if (!is_buffer(object)) return raise_not_bytes_like(object);
  return Py_TYPE(object)->tp_as_buffer->bf_getbuffer(object, view, flags);
}

void PyBuffer_Release(Py_buffer* view) {
  PyObject* object = view->obj;
  if (object == nullptr) return;
  PyBufferProcs* procs = Py_TYPE(object)->tp_as_buffer;
  if (procs != nullptr && procs->bf_releasebuffer != nullptr) procs->bf_releasebuffer(object, view);
  view->obj = nullptr;
  Py_DECREF(object);
}

int PyBuffer_IsContiguous(const Py_buffer* view, char order) {
  if (view->suboffsets != nullptr) return 0;
  if (order == 'C') return has_dense_strides(view, false);
  if (order == 'F') return has_dense_strides(view, true);
  if (order == 'A') return has_dense_strides(view, false) || has_dense_strides(view, true);
  return 0;
}

void* PyBuffer_GetPointer(const Py_buffer* view, const Py_ssize_t* indices) {
  auto* pointer = static_cast<char*>(view->buf);
  for (int i = 0; i < view->ndim; i++) {
    pointer += view->strides[i] * indices[i];
    if (view->suboffsets != nullptr && view->suboffsets[i] >= 0) {
      pointer = *reinterpret_cast<char**>(pointer) + view->suboffsets[i];
    }
  }
  return pointer;
}

void _Py_add_one_to_index_F(int dimensions, Py_ssize_t* index, const Py_ssize_t* shape) {
  for (int k = 0; k < dimensions; k++) {
    if (index[k] < shape[k] - 1) {
      index[k]++;
      return;
    }
    index[k] = 0;
  }
}

void _Py_add_one_to_index_C(int dimensions, Py_ssize_t* index, const Py_ssize_t* shape) {
  for (int k = dimensions - 1; k >= 0; k--) {
    if (index[k] < shape[k] - 1) {
      index[k]++;
      return;
    }
    index[k] = 0;
  }
}

int PyBuffer_FromContiguous(const Py_buffer* view, const void* buffer, Py_ssize_t length, char order) {
  if (length > view->len) length = view->len;
  if (PyBuffer_IsContiguous(view, order)) {
    memcpy(view->buf, buffer, static_cast<size_t>(length));
    return 0;
  }
  Py_ssize_t* index = new_index(view);
  if (index == nullptr) return -1;
  AdvanceIndex advance = order == 'F' ? _Py_add_one_to_index_F : _Py_add_one_to_index_C;
  auto* source = static_cast<const char*>(buffer);
  for (Py_ssize_t left = length / view->itemsize; left > 0; left--) {
    memcpy(PyBuffer_GetPointer(view, index), source, static_cast<size_t>(view->itemsize));
    source += view->itemsize;
    advance(view->ndim, index, view->shape);
  }
  PyMem_Free(index);
  return 0;
}

int PyObject_CopyData(PyObject* destination, PyObject* source) {
  if (!is_buffer(destination) || !is_buffer(source)) {
    PyErr_SetString(PyExc_TypeError, "both destination and source must be bytes-like objects");
    return -1;
  }
  Py_buffer to, from;
  if (PyObject_GetBuffer(destination, &to, PyBUF_FULL) != 0) return -1;
  if (PyObject_GetBuffer(source, &from, PyBUF_FULL_RO) != 0) {
    PyBuffer_Release(&to);
    return -1;
  }
  int status = 0;
  if (to.len < from.len) {
    PyErr_SetString(PyExc_BufferError, "destination is too small to receive data from source");
    status = -1;
  } else if ((PyBuffer_IsContiguous(&to, 'C') && PyBuffer_IsContiguous(&from, 'C')) ||
             (PyBuffer_IsContiguous(&to, 'F') && PyBuffer_IsContiguous(&from, 'F'))) {
    memcpy(to.buf, from.buf, static_cast<size_t>(from.len));
  } else if (Py_ssize_t* index = new_index(&from)) {
    Py_ssize_t count = 1;
    for (int i = 0; i < from.ndim; i++) count *= from.shape[i];
    for (; count > 0; count--) {
      memcpy(PyBuffer_GetPointer(&to, index), PyBuffer_GetPointer(&from, index), static_cast<size_t>(from.itemsize));
      _Py_add_one_to_index_C(from.ndim, index, from.shape);
    }
    PyMem_Free(index);
  } else {
    status = -1;
  }
  PyBuffer_Release(&to);
  PyBuffer_Release(&from);
  return status;
}

void PyBuffer_FillContiguousStrides(int dimensions, Py_ssize_t* shape, Py_ssize_t* strides, int item_size, char order) {
  Py_ssize_t stride = item_size;
  for (int k = 0; k < dimensions; k++) {
    int i = order == 'F' ? k : dimensions - 1 - k;
    strides[i] = stride;
    stride *= shape[i];
  }
}

int PyBuffer_FillInfo(Py_buffer* view, PyObject* object, void* buffer, Py_ssize_t length, int read_only, int flags) {
  if (view == nullptr) {
    PyErr_SetString(PyExc_BufferError, "PyBuffer_FillInfo: view==NULL argument is obsolete");
    return -1;
  }
  if ((flags & PyBUF_WRITABLE) == PyBUF_WRITABLE && read_only) {
    PyErr_SetString(PyExc_BufferError, "Object is not writable.");
    return -1;
  }
  view->obj = Py_XNewRef(object);
  view->buf = buffer;
  view->len = length;
  view->readonly = read_only;
  view->itemsize = 1;
  view->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? const_cast<char*>("B") : nullptr;
  view->ndim = 1;
  view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &view->len : nullptr;
  view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : nullptr;
  view->suboffsets = nullptr;
  view->internal = nullptr;
  return 0;
}

Py_ssize_t PyBuffer_SizeFromFormat(const char* format) {
  auto module = Ref<>::steal(PyImport_ImportModule("struct"));
  if (!module) return -1;
  auto size = Ref<>::steal(PyObject_CallMethod(module.get(), "calcsize", "s", format));
  return size ? PyLong_AsSsize_t(size.get()) : -1;
}

// The old buffer functions of the stable ABI.
PyAPI_FUNC(int) PyObject_AsCharBuffer(PyObject*, const char**, Py_ssize_t*);
int PyObject_AsCharBuffer(PyObject* object, const char** buffer, Py_ssize_t* length) {
  return as_simple_buffer(object, reinterpret_cast<const void**>(buffer), length, PyBUF_SIMPLE);
}
int PyObject_CheckReadBuffer(PyObject* object) {
  Py_buffer view;
  if (!is_buffer(object)) return 0;
  if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) == -1) {
    PyErr_Clear();
    return 0;
  }
  PyBuffer_Release(&view);
  return 1;
}
int PyObject_AsReadBuffer(PyObject* object, const void** buffer, Py_ssize_t* length) {
  return as_simple_buffer(object, buffer, length, PyBUF_SIMPLE);
}
int PyObject_AsWriteBuffer(PyObject* object, void** buffer, Py_ssize_t* length) {
  if (object != nullptr && buffer != nullptr && length != nullptr && !is_buffer(object)) {
    PyErr_SetString(PyExc_TypeError, "expected a writable bytes-like object");
    return -1;
  }
  const int status = as_simple_buffer(object, const_cast<const void**>(buffer), length, PyBUF_WRITABLE);
  if (status < 0 && PyErr_ExceptionMatches(PyExc_BufferError)) {
    PyErr_SetString(PyExc_TypeError, "expected a writable bytes-like object");
  }
  return status;
}

}  // extern "C"
