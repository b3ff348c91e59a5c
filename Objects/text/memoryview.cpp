// memoryview: a window on another object's buffer.
//
// A managed buffer holds the one Py_buffer obtained from the exporter; any number of memoryviews share it and describe
// their own window in `view`, whose shape, strides and suboffsets lie behind the object. view.obj is borrowed from the
// managed buffer. INVARIANT: the exporter's buffer is released exactly when the last view on it is released.
#include <climits>
#include <cstring>

#include "Objects/bind.h"
#include "pycore_abstract.h"
#include "pycore_object.h"
#include "pycore_strhex.h"

using namespace pyston;

namespace {

PyMemoryViewObject* as_view(PyObject* object) { return reinterpret_cast<PyMemoryViewObject*>(object); }

bool is_released(const PyMemoryViewObject* self) {
  return (self->flags & _Py_MEMORYVIEW_RELEASED) || (self->mbuf->flags & _Py_MANAGED_BUFFER_RELEASED);
}
bool check_released(const PyMemoryViewObject* self) {
  if (LIKELY(!is_released(self))) return true;
  PyErr_SetString(PyExc_ValueError, "operation forbidden on released memoryview object");
  return false;
}
#define CHECK_RELEASED(self) \
  if (!check_released(self)) return Failure {}

bool is_c_contiguous(int flags) { return flags & (_Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C); }
bool is_f_contiguous(int flags) { return flags & (_Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_FORTRAN); }

// Managed buffer ----------------------------------------------------------------------------------------------------

_PyManagedBufferObject* new_managed_buffer() {
  _PyManagedBufferObject* self = PyObject_GC_New(_PyManagedBufferObject, &_PyManagedBuffer_Type);
  if (self == nullptr) return nullptr;
  self->flags = 0;
  self->exports = 0;
  self->master.obj = nullptr;
  _PyObject_GC_TRACK(self);
  return self;
}

_PyManagedBufferObject* managed_buffer_from(PyObject* exporter) {
  _PyManagedBufferObject* self = new_managed_buffer();
  if (self == nullptr) return nullptr;
  if (PyObject_GetBuffer(exporter, &self->master, PyBUF_FULL_RO) < 0) {
    self->master.obj = nullptr;
    Py_DECREF(as_object(self));
    return nullptr;
  }
  return self;
}

void release_managed_buffer(_PyManagedBufferObject* self) {
  if (self->flags & _Py_MANAGED_BUFFER_RELEASED) return;
  self->flags |= _Py_MANAGED_BUFFER_RELEASED;
  if (_PyObject_GC_IS_TRACKED(as_object(self))) _PyObject_GC_UNTRACK(self);
  PyBuffer_Release(&self->master);
}

void managed_buffer_dealloc(PyObject* object) {
  _PyManagedBufferObject* self = reinterpret_cast<_PyManagedBufferObject*>(object);
  release_managed_buffer(self);
  if (self->flags & _Py_MANAGED_BUFFER_FREE_FORMAT) PyMem_Free(self->master.format);
  PyObject_GC_Del(self);
}
int managed_buffer_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<_PyManagedBufferObject*>(self)->master.obj);
  return 0;
}
int managed_buffer_clear(PyObject* self) {
  release_managed_buffer(reinterpret_cast<_PyManagedBufferObject*>(self));
  return 0;
}

// Making views ------------------------------------------------------------------------------------------------------

void share_values(Py_buffer* out, const Py_buffer* source) {
  static char unsigned_bytes[] = "B";
  out->obj = source->obj;
  out->buf = source->buf;
  out->len = source->len;
  out->itemsize = source->itemsize;
  out->readonly = source->readonly;
  out->format = source->format != nullptr ? source->format : unsigned_bytes;
  out->internal = source->internal;
}

void fill_c_strides(Py_buffer* view) {
  Py_ssize_t stride = view->itemsize;
  for (int i = view->ndim - 1; i >= 0; i--) {
    view->strides[i] = stride;
    stride *= view->shape[i];
  }
}

void share_shape(Py_buffer* out, const Py_buffer* source) {
  if (source->ndim == 0) {
    out->shape = nullptr;
    out->strides = nullptr;
    return;
  }
  if (source->ndim == 1) {
    out->shape[0] = source->shape != nullptr ? source->shape[0] : source->len / source->itemsize;
    out->strides[0] = source->strides != nullptr ? source->strides[0] : source->itemsize;
    return;
  }
  memcpy(out->shape, source->shape, static_cast<size_t>(source->ndim) * sizeof(Py_ssize_t));
  if (source->strides != nullptr) {
    memcpy(out->strides, source->strides, static_cast<size_t>(source->ndim) * sizeof(Py_ssize_t));
  } else {
    fill_c_strides(out);
  }
}

void compute_flags(PyMemoryViewObject* self) {
  const Py_buffer* view = &self->view;
  int flags = 0;
  if (view->ndim == 0) {
    flags = _Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
  } else if (view->ndim == 1) {
    if (view->shape[0] == 1 || view->strides[0] == view->itemsize) flags = _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
  } else {
    if (PyBuffer_IsContiguous(view, 'C')) flags |= _Py_MEMORYVIEW_C;
    if (PyBuffer_IsContiguous(view, 'F')) flags |= _Py_MEMORYVIEW_FORTRAN;
  }
  if (view->suboffsets != nullptr) {
    flags &= ~(_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN);
    flags |= _Py_MEMORYVIEW_PIL;
  }
  self->flags = flags;
}

PyMemoryViewObject* allocate_view(int ndim) {
  PyMemoryViewObject* self = PyObject_GC_NewVar(PyMemoryViewObject, &PyMemoryView_Type, 3 * ndim);
  if (self == nullptr) return nullptr;
  self->mbuf = nullptr;
  self->hash = -1;
  self->flags = 0;
  self->exports = 0;
  self->view.ndim = ndim;
  self->view.shape = self->ob_array;
  self->view.strides = self->ob_array + ndim;
  self->view.suboffsets = self->ob_array + 2 * ndim;
  self->weakreflist = nullptr;
  _PyObject_GC_TRACK(self);
  return self;
}

void attach(PyMemoryViewObject* self, _PyManagedBufferObject* buffer) {
  self->mbuf = reinterpret_cast<_PyManagedBufferObject*>(Py_NewRef(as_object(buffer)));
  buffer->exports++;
}

/// A view of what `source` describes (the whole exporter when null). Returns new.
PyMemoryViewObject* add_view(_PyManagedBufferObject* buffer, const Py_buffer* source) {
  if (source == nullptr) source = &buffer->master;
  if (source->ndim > PyBUF_MAX_NDIM) {
    return raise(PyExc_ValueError, "memoryview: number of dimensions must not exceed %d", PyBUF_MAX_NDIM);
  }
  PyMemoryViewObject* self = allocate_view(source->ndim);
  if (self == nullptr) return nullptr;
  share_values(&self->view, source);
  share_shape(&self->view, source);
  if (source->suboffsets == nullptr) {
    self->view.suboffsets = nullptr;
  } else {
    memcpy(self->view.suboffsets, source->suboffsets, static_cast<size_t>(source->ndim) * sizeof(Py_ssize_t));
  }
  compute_flags(self);
  attach(self, buffer);
  return self;
}

/// A view on a fresh managed buffer whose master is a copy of `info` without owning its object. Returns new.
PyObject* view_of_unowned(const Py_buffer* info) {
  _PyManagedBufferObject* buffer = new_managed_buffer();
  if (buffer == nullptr) return nullptr;
  buffer->master = *info;
  buffer->master.obj = nullptr;
  PyMemoryViewObject* self = add_view(buffer, nullptr);
  Py_DECREF(as_object(buffer));
  return as_object(self);
}

// Items -------------------------------------------------------------------------------------------------------------

/// The type code of a native one-character format ("i" or "@i") and its size; -1 for others.
Py_ssize_t native_format(char* code, const char* format) {
  if (format[0] == '@') format++;
  Py_ssize_t size;
  switch (format[0]) {
    case 'c': case 'b': case 'B': size = 1; break;
    case 'h': case 'H': size = sizeof(short); break;
    case 'i': case 'I': size = sizeof(int); break;
    case 'l': case 'L': size = sizeof(long); break;
    case 'q': case 'Q': size = sizeof(long long); break;
    case 'n': case 'N': size = sizeof(Py_ssize_t); break;
    case 'f': size = sizeof(float); break;
    case 'd': size = sizeof(double); break;
    case '?': size = sizeof(bool); break;
    case 'P': size = sizeof(void*); break;
    default: return -1;
  }
  if (format[1] != '\0') return -1;
  *code = format[0];
  return size;
}

/// The format's type code for item access. False: NotImplementedError set.
bool item_format(const Py_buffer& view, char& code) {
  const char* format = view.format[0] == '@' ? view.format + 1 : view.format;
  if (format[0] != '\0' && format[1] == '\0') {
    code = format[0];
    return true;
  }
  PyErr_Format(PyExc_NotImplementedError, "memoryview: unsupported format %s", view.format);
  return false;
}

template <class T>
T load(const char* p) {
  T value;
  memcpy(&value, p, sizeof(value));
  return value;
}

/// One item as an object. Returns new.
PyObject* unpack_item(const char* p, char code, const char* format) {
  switch (code) {
    case 'B': return PyLong_FromLong(static_cast<unsigned char>(*p));
    case 'b': return PyLong_FromLong(static_cast<signed char>(*p));
    case 'h': return PyLong_FromLong(load<short>(p));
    case 'H': return PyLong_FromLong(load<unsigned short>(p));
    case 'i': return PyLong_FromLong(load<int>(p));
    case 'I': return PyLong_FromUnsignedLong(load<unsigned>(p));
    case 'l': case 'q': case 'n': return PyLong_FromLong(load<long>(p));
    case 'L': case 'Q': case 'N': return PyLong_FromUnsignedLong(load<unsigned long>(p));
    case 'f': return PyFloat_FromDouble(PyFloat_Unpack4(p, PY_LITTLE_ENDIAN));
    case 'd': return PyFloat_FromDouble(load<double>(p));
    case '?': return PyBool_FromLong(*p != 0);
    case 'c': return PyBytes_FromStringAndSize(p, 1);
    case 'P': return PyLong_FromVoidPtr(load<void*>(p));
    default: return raise(PyExc_NotImplementedError, "memoryview: format %s not supported", format);
  }
}

/// Turns conversion errors into memoryview's own; MemoryError and the like pass.
int conversion_failed(const char* format) {
  if (PyErr_ExceptionMatches(PyExc_TypeError)) {
    PyErr_Clear();
    return raise(PyExc_TypeError, "memoryview: invalid type for format '%s'", format);
  }
  if (PyErr_ExceptionMatches(PyExc_OverflowError) || PyErr_ExceptionMatches(PyExc_ValueError)) {
    PyErr_Clear();
    return raise(PyExc_ValueError, "memoryview: invalid value for format '%s'", format);
  }
  return -1;
}

template <class T>
int store_integer(char* p, PyObject* item, const char* format) {
  Ref<> number = Ref<>::steal(_PyNumber_Index(item));
  if (!number) return conversion_failed(format);
  T value;
  if constexpr (std::is_signed_v<T>) {
    const long long wide = PyLong_AsLongLong(number.get());
    if (wide == -1 && PyErr_Occurred()) return conversion_failed(format);
    value = static_cast<T>(wide);
    if (static_cast<long long>(value) != wide) return raise(PyExc_ValueError, "memoryview: invalid value for format '%s'", format);
  } else {
    const unsigned long long wide = PyLong_AsUnsignedLongLong(number.get());
    if (wide == static_cast<unsigned long long>(-1) && PyErr_Occurred()) return conversion_failed(format);
    value = static_cast<T>(wide);
    if (static_cast<unsigned long long>(value) != wide) return raise(PyExc_ValueError, "memoryview: invalid value for format '%s'", format);
  }
  memcpy(p, &value, sizeof(value));
  return 0;
}

/// Stores an object as one item. -1: exception set. The view may get released while the object is converted.
int pack_item(PyMemoryViewObject* self, char* p, PyObject* item, const char* format_text) {
  const char* format = format_text[0] == '@' ? format_text + 1 : format_text;
  char temporary[16];
  int outcome;
  size_t size;
  switch (format[0]) {
    case 'b': outcome = store_integer<signed char>(temporary, item, format_text); size = 1; break;
    case 'B': outcome = store_integer<unsigned char>(temporary, item, format_text); size = 1; break;
    case 'h': outcome = store_integer<short>(temporary, item, format_text); size = 2; break;
    case 'H': outcome = store_integer<unsigned short>(temporary, item, format_text); size = 2; break;
    case 'i': outcome = store_integer<int>(temporary, item, format_text); size = 4; break;
    case 'I': outcome = store_integer<unsigned>(temporary, item, format_text); size = 4; break;
    case 'l': case 'q': case 'n': outcome = store_integer<long>(temporary, item, format_text); size = 8; break;
    case 'L': case 'Q': case 'N': case 'P':
      outcome = store_integer<unsigned long>(temporary, item, format_text);
      size = 8;
      break;
    case 'f':
    case 'd': {
      const double value = PyFloat_AsDouble(item);
      if (value == -1.0 && PyErr_Occurred()) return conversion_failed(format_text);
      outcome = 0;
      if (format[0] == 'f') {
        const float narrow = static_cast<float>(value);
        memcpy(temporary, &narrow, size = sizeof(narrow));
      } else {
        memcpy(temporary, &value, size = sizeof(value));
      }
      break;
    }
    case '?': {
      const int truth = PyObject_IsTrue(item);
      if (truth < 0) return -1;
      temporary[0] = static_cast<char>(truth);
      outcome = 0;
      size = 1;
      break;
    }
    case 'c':
      if (!PyBytes_Check(item)) return raise(PyExc_TypeError, "memoryview: invalid type for format '%s'", format_text);
      if (PyBytes_GET_SIZE(item) != 1) return raise(PyExc_ValueError, "memoryview: invalid value for format '%s'", format_text);
      temporary[0] = PyBytes_AS_STRING(item)[0];
      outcome = 0;
      size = 1;
      break;
    default:
      return raise(PyExc_NotImplementedError, "memoryview: format %s not supported", format_text);
  }
  if (outcome < 0) return -1;
  CHECK_RELEASED(self);
  memcpy(p, temporary, size);
  return 0;
}

// Walking over items ------------------------------------------------------------------------------------------------

ALWAYS_INLINE char* follow_suboffset(char* p, const Py_buffer& view, int dimension) {
  if (view.suboffsets != nullptr && view.suboffsets[dimension] >= 0) {
    p = *reinterpret_cast<char**>(p) + view.suboffsets[dimension];
  }
  return p;
}

char* item_pointer(const Py_buffer& view, const Py_ssize_t* indices) {
  char* p = static_cast<char*>(view.buf);
  for (int i = 0; i < view.ndim; i++) p = follow_suboffset(p + view.strides[i] * indices[i], view, i);
  return p;
}

Py_ssize_t item_count(const Py_buffer& view) {
  Py_ssize_t count = 1;
  for (int i = 0; i < view.ndim; i++) count *= view.shape[i];
  return count;
}

/// Steps to the next item, the last index fastest ('F': the first index).
void advance(const Py_buffer& view, Py_ssize_t* indices, char order) {
  if (order == 'F') {
    for (int i = 0; i < view.ndim && ++indices[i] == view.shape[i]; i++) indices[i] = 0;
  } else {
    for (int i = view.ndim - 1; i >= 0 && ++indices[i] == view.shape[i]; i--) indices[i] = 0;
  }
}

void copy_out(char* out, const Py_buffer& view, char order) {
  if (order == 'A') order = PyBuffer_IsContiguous(&view, 'F') && !PyBuffer_IsContiguous(&view, 'C') ? 'F' : 'C';
  if (PyBuffer_IsContiguous(&view, order)) {
    memcpy(out, view.buf, static_cast<size_t>(view.len));
    return;
  }
  Py_ssize_t indices[PyBUF_MAX_NDIM] = {};
  for (Py_ssize_t left = item_count(view); left > 0; left--) {
    memcpy(out, item_pointer(view, indices), static_cast<size_t>(view.itemsize));
    out += view.itemsize;
    advance(view, indices, order);
  }
}

void copy_in(const Py_buffer& view, const char* in) {
  Py_ssize_t indices[PyBUF_MAX_NDIM] = {};
  for (Py_ssize_t left = item_count(view); left > 0; left--) {
    memcpy(item_pointer(view, indices), in, static_cast<size_t>(view.itemsize));
    in += view.itemsize;
    advance(view, indices, 'C');
  }
}

bool same_shape(const Py_buffer& a, const Py_buffer& b) {
  if (a.ndim != b.ndim) return false;
  for (int i = 0; i < a.ndim; i++) {
    if (a.shape[i] != b.shape[i]) return false;
    if (a.shape[i] == 0) break;
  }
  return true;
}

bool same_structure(const Py_buffer& a, const Py_buffer& b) {
  const char* x = a.format[0] == '@' ? a.format + 1 : a.format;
  const char* y = b.format[0] == '@' ? b.format + 1 : b.format;
  if (strcmp(x, y) == 0 && a.itemsize == b.itemsize && same_shape(a, b)) return true;
  PyErr_SetString(PyExc_ValueError, "memoryview assignment: lvalue and rvalue have different structures");
  return false;
}

/// Copies items between views of equal structure that may overlap. -1: no memory.
int copy_items(const Py_buffer& to, const Py_buffer& from) {
  if (!same_structure(to, from)) return -1;
  char* temporary = static_cast<char*>(PyMem_Malloc(static_cast<size_t>(Py_MAX(from.len, 1))));
  if (temporary == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  copy_out(temporary, from, 'C');
  copy_in(to, temporary);
  PyMem_Free(temporary);
  return 0;
}

}  // namespace

int PyBuffer_ToContiguous(void* out, const Py_buffer* source, Py_ssize_t length, char order) {
  if (length != source->len) return raise(PyExc_ValueError, "PyBuffer_ToContiguous: len != view->len");
  if (PyBuffer_IsContiguous(source, order)) {
    memcpy(out, source->buf, static_cast<size_t>(length));
    return 0;
  }
  // Missing strides mean C order, which an order of 'F' doesn't take as contiguous.
  Py_buffer view = *source;
  Py_ssize_t strides[PyBUF_MAX_NDIM];
  if (view.strides == nullptr) {
    PyBuffer_FillContiguousStrides(view.ndim, view.shape, strides, static_cast<int>(view.itemsize), 'C');
    view.strides = strides;
  }
  copy_out(static_cast<char*>(out), view, order);
  return 0;
}

// Public constructors -----------------------------------------------------------------------------------------------

PyObject* PyMemoryView_FromMemory(char* memory, Py_ssize_t size, int flags) {
  Py_buffer info;
  if (PyBuffer_FillInfo(&info, nullptr, memory, size, flags == PyBUF_WRITE ? 0 : 1, PyBUF_FULL_RO) < 0) return nullptr;
  return view_of_unowned(&info);
}

/// The buffer's memory must outlive the view; its object isn't held.
PyObject* PyMemoryView_FromBuffer(const Py_buffer* info) {
  if (info->buf == nullptr) return raise(PyExc_ValueError, "PyMemoryView_FromBuffer(): info->buf must not be NULL");
  return view_of_unowned(info);
}

PyObject* PyMemoryView_FromObject(PyObject* object) {
  if (PyMemoryView_Check(object)) {
    CHECK_RELEASED(as_view(object));
    return as_object(add_view(as_view(object)->mbuf, &as_view(object)->view));
  }
  if (!PyObject_CheckBuffer(object)) {
    return raise(PyExc_TypeError, "memoryview: a bytes-like object is required, not '%.200s'", Py_TYPE(object)->tp_name);
  }
  _PyManagedBufferObject* buffer = managed_buffer_from(object);
  if (buffer == nullptr) return nullptr;
  PyMemoryViewObject* self = add_view(buffer, nullptr);
  Py_DECREF(as_object(buffer));
  return as_object(self);
}

/// A contiguous view: of the object itself or, for reading, of a copy. Returns new.
PyObject* PyMemoryView_GetContiguous(PyObject* object, int buffer_type, char order) {
  Ref<> self = Ref<>::steal(PyMemoryView_FromObject(object));
  if (!self) return nullptr;
  const Py_buffer& view = as_view(self.get())->view;
  if (buffer_type == PyBUF_WRITE && view.readonly) {
    return raise(PyExc_BufferError, "underlying buffer is not writable");
  }
  if (PyBuffer_IsContiguous(&view, order)) return self.release();
  if (buffer_type == PyBUF_WRITE) {
    return raise(PyExc_BufferError, "writable contiguous buffer requested for a non-contiguous object.");
  }
  Ref<> bytes = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, view.len));
  if (!bytes) return nullptr;
  copy_out(PyBytes_AS_STRING(bytes.get()), view, order);
  _PyManagedBufferObject* buffer = managed_buffer_from(bytes.get());
  if (buffer == nullptr) return nullptr;
  Py_buffer copy = view;
  Py_ssize_t strides[PyBUF_MAX_NDIM];
  copy.obj = buffer->master.obj;
  copy.buf = buffer->master.buf;
  copy.readonly = 1;
  copy.strides = strides;
  copy.suboffsets = nullptr;
  if (order == 'F') {
    Py_ssize_t stride = view.itemsize;
    for (int i = 0; i < view.ndim; i++) {
      strides[i] = stride;
      stride *= view.shape[i];
    }
  } else {
    fill_c_strides(&copy);
  }
  PyMemoryViewObject* result = add_view(buffer, &copy);
  Py_DECREF(as_object(buffer));
  return as_object(result);
}

// Lifetime ----------------------------------------------------------------------------------------------------------

namespace {

/// Lets go of the exporter. Fails while somebody holds a buffer of this view.
Status release_view(PyMemoryViewObject* self) {
  if (self->flags & _Py_MEMORYVIEW_RELEASED) return Status::kOk;
  if (self->exports > 0) {
    return raise(PyExc_BufferError, "memoryview has %zd exported buffer%s", self->exports, self->exports == 1 ? "" : "s");
  }
  self->flags |= _Py_MEMORYVIEW_RELEASED;
  if (--self->mbuf->exports == 0) release_managed_buffer(self->mbuf);
  return Status::kOk;
}

void memory_dealloc(PyObject* object) {
  PyMemoryViewObject* self = as_view(object);
  _PyObject_GC_UNTRACK(self);
  if (self->mbuf != nullptr) {
    (void)release_view(self);
    Py_CLEAR(self->mbuf);
  }
  if (self->weakreflist != nullptr) PyObject_ClearWeakRefs(object);
  PyObject_GC_Del(self);
}
int memory_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_view(self)->mbuf);
  return 0;
}
int memory_clear(PyObject* object) {
  PyMemoryViewObject* self = as_view(object);
  if (self->exports == 0 && self->mbuf != nullptr) {
    (void)release_view(self);
    Py_CLEAR(self->mbuf);
  }
  return 0;
}

int memory_getbuffer(PyObject* object, Py_buffer* out, int flags) {
  PyMemoryViewObject* self = as_view(object);
  CHECK_RELEASED(self);
  const auto wants = [flags](int what) { return (flags & what) == what; };
  *out = self->view;
  out->obj = nullptr;
  if (wants(PyBUF_WRITABLE) && self->view.readonly) return raise(PyExc_BufferError, "memoryview: underlying buffer is not writable");
  if (!wants(PyBUF_FORMAT)) out->format = nullptr;
  if (wants(PyBUF_C_CONTIGUOUS) && !is_c_contiguous(self->flags)) {
    return raise(PyExc_BufferError, "memoryview: underlying buffer is not C-contiguous");
  }
  if (wants(PyBUF_F_CONTIGUOUS) && !is_f_contiguous(self->flags)) {
    return raise(PyExc_BufferError, "memoryview: underlying buffer is not Fortran contiguous");
  }
  if (wants(PyBUF_ANY_CONTIGUOUS) && !is_c_contiguous(self->flags) && !is_f_contiguous(self->flags)) {
    return raise(PyExc_BufferError, "memoryview: underlying buffer is not contiguous");
  }
  if (!wants(PyBUF_INDIRECT) && (self->flags & _Py_MEMORYVIEW_PIL)) {
    return raise(PyExc_BufferError, "memoryview: underlying buffer requires suboffsets");
  }
  if (!wants(PyBUF_STRIDES)) {
    if (!is_c_contiguous(self->flags)) return raise(PyExc_BufferError, "memoryview: underlying buffer is not C-contiguous");
    out->strides = nullptr;
  }
  if (!wants(PyBUF_ND)) {
    // Without a shape it can only be a string of bytes.
    if (out->format != nullptr) {
      return raise(PyExc_BufferError, "memoryview: cannot cast to unsigned bytes if the format flag is present");
    }
    out->ndim = 1;
    out->shape = nullptr;
  }
  out->obj = Py_NewRef(object);
  self->exports++;
  return 0;
}
void memory_releasebuffer(PyObject* self, Py_buffer*) { as_view(self)->exports--; }

PyObject* memory_new(PyTypeObject*, Borrowed<> object) { return PyMemoryView_FromObject(object); }

Status memory_release(Borrowed<PyMemoryViewObject> self) { return release_view(self); }

PyObject* memory_enter(PyObject* self, PyObject*) {
  CHECK_RELEASED(as_view(self));
  return Py_NewRef(self);
}
PyObject* memory_exit(PyObject* self, PyObject*) {
  return ok(release_view(as_view(self))) ? Py_NewRef(Py_None) : nullptr;
}

PyObject* memory_repr(PyObject* self) {
  return PyUnicode_FromFormat(as_view(self)->flags & _Py_MEMORYVIEW_RELEASED ? "<released memory at %p>" : "<memory at %p>",
                              self);
}

Py_hash_t memory_hash(PyObject* object) {
  PyMemoryViewObject* self = as_view(object);
  if (self->hash != -1) return self->hash;
  CHECK_RELEASED(self);
  const Py_buffer& view = self->view;
  if (!view.readonly) return raise(PyExc_ValueError, "cannot hash writable memoryview object");
  char code;
  native_format(&code, view.format);
  if (native_format(&code, view.format) != 1 || (code != 'B' && code != 'b' && code != 'c')) {
    return raise(PyExc_ValueError, "memoryview: hashing is restricted to formats 'B', 'b' or 'c'");
  }
  if (view.obj != nullptr && PyObject_Hash(view.obj) == -1) return -1;  // the exporter must be hashable as well
  if (is_c_contiguous(self->flags)) {
    self->hash = _Py_HashBytes(view.buf, view.len);
  } else {
    char* copy = static_cast<char*>(PyMem_Malloc(static_cast<size_t>(Py_MAX(view.len, 1))));
    if (copy == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
    copy_out(copy, view, 'C');
    self->hash = _Py_HashBytes(copy, view.len);
    PyMem_Free(copy);
  }
  return self->hash;
}

// Comparison --------------------------------------------------------------------------------------------------------

/// Unpacks items of a format that memoryview itself doesn't know, through the struct module.
class StructUnpacker {
 public:
  ~StructUnpacker() { PyMem_Free(item_); }
  bool prepare(const char* format, Py_ssize_t item_size) {
    Ref<> module = Ref<>::steal(PyImport_ImportModule("struct"));
    if (!module) return false;
    Ref<> type = Ref<>::steal(PyObject_GetAttrString(module.get(), "Struct"));
    if (!type) return false;
    Ref<> object = Ref<>::steal(PyObject_CallFunction(type.get(), "y", format));
    if (!object) return false;
    unpack_ = Ref<>::steal(PyObject_GetAttrString(object.get(), "unpack_from"));
    item_ = static_cast<char*>(PyMem_Malloc(static_cast<size_t>(Py_MAX(item_size, 1))));
    if (!unpack_ || item_ == nullptr) return false;
    size_ = item_size;
    view_ = Ref<>::steal(PyMemoryView_FromMemory(item_, item_size, PyBUF_WRITE));
    return static_cast<bool>(view_);
  }
  Ref<> unpack(const char* p) {
    memcpy(item_, p, static_cast<size_t>(size_));
    Ref<> values = Ref<>::steal(PyObject_CallOneArg(unpack_.get(), view_.get()));
    if (values && PyTuple_GET_SIZE(values.get()) == 1) return Ref<>::dup(PyTuple_GET_ITEM(values.get(), 0));
    return values;
  }

 private:
  Ref<> unpack_;
  Ref<> view_;
  char* item_ = nullptr;
  Py_ssize_t size_ = 0;
};

/// Equality of two items of one native format.
bool equal_native(const char* p, const char* q, char code) {
  switch (code) {
    case 'f': return load<float>(p) == load<float>(q);
    case 'd': return load<double>(p) == load<double>(q);
    case '?': return (*p != 0) == (*q != 0);
    case 'h': case 'H': return load<short>(p) == load<short>(q);
    case 'i': case 'I': return load<int>(p) == load<int>(q);
    case 'b': case 'B': case 'c': return *p == *q;
    default: return load<long>(p) == load<long>(q);
  }
}

/// 1, 0, or -1 with an exception set.
int equal_views(const Py_buffer& a, const Py_buffer& b) {
  if (!same_shape(a, b)) return 0;
  char code = '_';
  char other = '_';
  if (native_format(&code, a.format) < 0) code = '_';
  if (native_format(&other, b.format) < 0) other = '_';
  StructUnpacker unpack_a;
  StructUnpacker unpack_b;
  if (code == '_' || other == '_' || code != other) {
    code = '_';
    if (!unpack_a.prepare(a.format, a.itemsize) || !unpack_b.prepare(b.format, b.itemsize)) {
      if (PyErr_ExceptionMatches(PyExc_MemoryError)) return -1;
      PyErr_Clear();  // a format nobody understands makes the views unequal
      return 0;
    }
  }
  Py_ssize_t indices[PyBUF_MAX_NDIM] = {};
  for (Py_ssize_t left = item_count(a); left > 0; left--) {
    const char* p = item_pointer(a, indices);
    const char* q = item_pointer(b, indices);
    if (code != '_') {
      if (!equal_native(p, q, code)) return 0;
    } else {
      Ref<> x = unpack_a.unpack(p);
      if (!x) return -1;
      Ref<> y = unpack_b.unpack(q);
      if (!y) return -1;
      const int equal = PyObject_RichCompareBool(x.get(), y.get(), Py_EQ);
      if (equal <= 0) return equal;
    }
    advance(a, indices, 'C');
  }
  return 1;
}

PyObject* memory_richcompare(PyObject* v, PyObject* w, int op) {
  if (op != Py_EQ && op != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  int equal;
  if (is_released(as_view(v))) {
    equal = v == w;
  } else if (PyMemoryView_Check(w)) {
    equal = is_released(as_view(w)) ? v == w : equal_views(as_view(v)->view, as_view(w)->view);
  } else {
    Py_buffer other;
    if (PyObject_GetBuffer(w, &other, PyBUF_FULL_RO) < 0) {
      PyErr_Clear();
      Py_RETURN_NOTIMPLEMENTED;
    }
    // Fill in what the exporter may leave out.
    Py_ssize_t shape[1] = {other.itemsize > 0 ? other.len / other.itemsize : 0};
    Py_ssize_t strides[1] = {other.itemsize};
    static char unsigned_bytes[] = "B";
    Py_buffer full = other;
    if (full.format == nullptr) full.format = unsigned_bytes;
    if (full.ndim == 1 && full.shape == nullptr) full.shape = shape;
    if (full.ndim == 1 && full.strides == nullptr) full.strides = strides;
    equal = equal_views(as_view(v)->view, full);
    PyBuffer_Release(&other);
  }
  if (equal < 0) return nullptr;
  return PyBool_FromLong(equal == (op == Py_EQ));
}

// Indexing ----------------------------------------------------------------------------------------------------------

/// Pointer to item i of dimension d. Null: IndexError.
char* lookup(char* p, const Py_buffer& view, Py_ssize_t i, int dimension) {
  const Py_ssize_t n = view.shape[dimension];
  if (i < 0) i += n;
  if (i < 0 || i >= n) return raise(PyExc_IndexError, "index out of bounds on dimension %d", dimension + 1);
  return follow_suboffset(p + view.strides[dimension] * i, view, dimension);
}

char* lookup_tuple(const Py_buffer& view, PyObject* indices) {
  const Py_ssize_t n = PyTuple_GET_SIZE(indices);
  if (n > view.ndim) return raise(PyExc_TypeError, "cannot index %zd-dimension view with %zd-element tuple", static_cast<Py_ssize_t>(view.ndim), n);
  char* p = static_cast<char*>(view.buf);
  for (int d = 0; d < n; d++) {
    const Py_ssize_t i = PyNumber_AsSsize_t(PyTuple_GET_ITEM(indices, d), PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) return nullptr;
    p = lookup(p, view, i, d);
    if (p == nullptr) return nullptr;
  }
  return p;
}

template <int (*Check)(PyObject*)>
bool is_tuple_of(PyObject* key) {
  if (!PyTuple_Check(key)) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); i++) {
    if (!Check(PyTuple_GET_ITEM(key, i))) return false;
  }
  return true;
}
int is_index(PyObject* object) { return _PyIndex_Check(object); }
int is_slice(PyObject* object) { return PySlice_Check(object); }

PyObject* memory_item(PyObject* object, Py_ssize_t i) {
  PyMemoryViewObject* self = as_view(object);
  const Py_buffer& view = self->view;
  CHECK_RELEASED(self);
  char code;
  if (!item_format(view, code)) return nullptr;
  if (view.ndim == 0) return raise(PyExc_TypeError, "invalid indexing of 0-dim memory");
  if (view.ndim > 1) return raise(PyExc_NotImplementedError, "multi-dimensional sub-views are not implemented");
  char* p = lookup(static_cast<char*>(view.buf), view, i, 0);
  return p == nullptr ? nullptr : unpack_item(p, code, view.format);
}

/// Narrows one dimension of a view in place.
Status apply_slice(Py_buffer& view, PyObject* slice, int dimension) {
  Py_ssize_t start;
  Py_ssize_t stop;
  Py_ssize_t step;
  VM_CHECK(PySlice_Unpack(slice, &start, &stop, &step));
  const Py_ssize_t count = PySlice_AdjustIndices(view.shape[dimension], &start, &stop, step);
  if (view.suboffsets == nullptr || dimension == 0) {
    view.buf = static_cast<char*>(view.buf) + view.strides[dimension] * start;
  } else {
    int d = dimension - 1;
    while (d >= 0 && view.suboffsets[d] < 0) d--;
    if (d < 0) {
      view.buf = static_cast<char*>(view.buf) + view.strides[dimension] * start;
    } else {
      view.suboffsets[d] += view.strides[dimension] * start;
    }
  }
  view.shape[dimension] = count;
  view.strides[dimension] *= step;
  return Status::kOk;
}

void recompute_length(Py_buffer& view) { view.len = item_count(view) * view.itemsize; }

PyObject* memory_subscript(PyObject* object, PyObject* key) {
  PyMemoryViewObject* self = as_view(object);
  const Py_buffer& view = self->view;
  CHECK_RELEASED(self);
  if (view.ndim == 0) {
    if (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0) {
      char code;
      return item_format(view, code) ? unpack_item(static_cast<char*>(view.buf), code, view.format) : nullptr;
    }
    if (key == Py_Ellipsis) return Py_NewRef(object);
    return raise(PyExc_TypeError, "invalid indexing of 0-dim memory");
  }
  if (_PyIndex_Check(key)) {
    const Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) return nullptr;
    return memory_item(object, i);
  }
  if (PySlice_Check(key)) {
    CHECK_RELEASED(self);
    Ref<> sliced = Ref<>::steal(add_view(self->mbuf, &view));
    if (!sliced) return nullptr;
    PyMemoryViewObject* result = as_view(sliced.get());
    if (!ok(apply_slice(result->view, key, 0))) return nullptr;
    recompute_length(result->view);
    compute_flags(result);
    return sliced.release();
  }
  if (is_tuple_of<is_index>(key)) {
    if (PyTuple_GET_SIZE(key) < view.ndim) return raise(PyExc_NotImplementedError, "sub-views are not implemented");
    char code;
    if (!item_format(view, code)) return nullptr;
    char* p = lookup_tuple(view, key);
    if (p == nullptr) return nullptr;
    CHECK_RELEASED(self);
    return unpack_item(p, code, view.format);
  }
  if (is_tuple_of<is_slice>(key)) {
    return raise(PyExc_NotImplementedError, "multi-dimensional slicing is not implemented");
  }
  return raise(PyExc_TypeError, "memoryview: invalid slice key");
}

int assign_slice(PyMemoryViewObject* self, PyObject* key, PyObject* value) {
  Py_buffer source;
  if (PyObject_GetBuffer(value, &source, PyBUF_FULL_RO) < 0) return -1;
  Py_buffer from = source;
  static char unsigned_bytes[] = "B";
  Py_ssize_t from_shape[1] = {source.itemsize > 0 ? source.len / source.itemsize : 0};
  Py_ssize_t from_strides[1] = {source.itemsize};
  if (from.format == nullptr) from.format = unsigned_bytes;
  if (from.ndim == 1 && from.shape == nullptr) from.shape = from_shape;
  if (from.ndim == 1 && from.strides == nullptr) from.strides = from_strides;
  Py_buffer to = self->view;
  Py_ssize_t arrays[3] = {self->view.shape[0], self->view.strides[0],
                          self->view.suboffsets != nullptr ? self->view.suboffsets[0] : -1};
  to.shape = &arrays[0];
  to.strides = &arrays[1];
  if (self->view.suboffsets != nullptr) to.suboffsets = &arrays[2];
  int outcome = -1;
  // Working out the slice can have run code that released the view.
  if (ok(apply_slice(to, key, 0)) && check_released(self)) {
    recompute_length(to);
    outcome = copy_items(to, from);
  }
  PyBuffer_Release(&source);
  return outcome;
}

int memory_assign_subscript(PyObject* object, PyObject* key, PyObject* value) {
  PyMemoryViewObject* self = as_view(object);
  const Py_buffer& view = self->view;
  CHECK_RELEASED(self);
  char code;
  if (!item_format(view, code)) return -1;
  if (view.readonly) return raise(PyExc_TypeError, "cannot modify read-only memory");
  if (value == nullptr) return raise(PyExc_TypeError, "cannot delete memory");
  if (view.ndim == 0) {
    if (key == Py_Ellipsis || (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0)) {
      return pack_item(self, static_cast<char*>(view.buf), value, view.format);
    }
    return raise(PyExc_TypeError, "invalid indexing of 0-dim memory");
  }
  if (_PyIndex_Check(key)) {
    if (view.ndim > 1) return raise(PyExc_NotImplementedError, "sub-views are not implemented");
    const Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) return -1;
    CHECK_RELEASED(self);
    char* p = lookup(static_cast<char*>(view.buf), view, i, 0);
    return p == nullptr ? -1 : pack_item(self, p, value, view.format);
  }
  if (PySlice_Check(key) && view.ndim == 1) return assign_slice(self, key, value);
  if (is_tuple_of<is_index>(key)) {
    if (PyTuple_GET_SIZE(key) < view.ndim) return raise(PyExc_NotImplementedError, "sub-views are not implemented");
    char* p = lookup_tuple(view, key);
    if (p == nullptr) return -1;
    CHECK_RELEASED(self);
    return pack_item(self, p, value, view.format);
  }
  if (PySlice_Check(key) || is_tuple_of<is_slice>(key)) {
    return raise(PyExc_NotImplementedError, "memoryview slice assignments are currently restricted to ndim = 1");
  }
  return raise(PyExc_TypeError, "memoryview: invalid slice key");
}

Py_ssize_t memory_length(PyObject* object) {
  PyMemoryViewObject* self = as_view(object);
  CHECK_RELEASED(self);
  return self->view.ndim == 0 ? 1 : self->view.shape[0];
}

// Methods -----------------------------------------------------------------------------------------------------------

PyObject* list_of_dimension(const Py_buffer& view, char* p, int dimension, char code) {
  if (dimension == view.ndim) return unpack_item(p, code, view.format);
  const Py_ssize_t n = view.shape[dimension];
  Ref<> list = Ref<>::steal(PyList_New(n));
  if (!list) return nullptr;
  for (Py_ssize_t i = 0; i < n; i++, p += view.strides[dimension]) {
    PyObject* item = list_of_dimension(view, follow_suboffset(p, view, dimension), dimension + 1, code);
    if (item == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), i, item);
  }
  return list.release();
}

PyObject* memory_tolist(Borrowed<PyMemoryViewObject> self) {
  CHECK_RELEASED(self);
  char code;
  if (!item_format(self->view, code)) return nullptr;
  return list_of_dimension(self->view, static_cast<char*>(self->view.buf), 0, code);
}

PyObject* memory_tobytes(Borrowed<PyMemoryViewObject> self, PyObject* order_object) {
  CHECK_RELEASED(self);
  char order = 'C';
  if (order_object != nullptr && order_object != Py_None) {
    if (!PyUnicode_Check(order_object)) {
      return raise(PyExc_TypeError, "tobytes() argument 'order' must be str or None, not %.50s", Py_TYPE(order_object)->tp_name);
    }
    if (_PyUnicode_EqualToASCIIString(order_object, "F")) {
      order = 'F';
    } else if (_PyUnicode_EqualToASCIIString(order_object, "A")) {
      order = 'A';
    } else if (!_PyUnicode_EqualToASCIIString(order_object, "C")) {
      return raise(PyExc_ValueError, "order must be 'C', 'F' or 'A'");
    }
  }
  PyObject* result = PyBytes_FromStringAndSize(nullptr, self->view.len);
  if (result == nullptr) return nullptr;
  if (self->view.len > 0) copy_out(PyBytes_AS_STRING(result), self->view, order);
  return result;
}

PyObject* memory_hex(Borrowed<PyMemoryViewObject> self, PyObject* separator, Optional<int> group) {
  CHECK_RELEASED(self);
  if (is_c_contiguous(self->flags)) {
    return _Py_strhex_with_sep(static_cast<char*>(self->view.buf), self->view.len, separator, group.value_or(1));
  }
  Ref<> bytes = Ref<>::steal(memory_tobytes(self, nullptr));
  return bytes ? _Py_strhex_with_sep(PyBytes_AS_STRING(bytes.get()), PyBytes_GET_SIZE(bytes.get()), separator, group.value_or(1))
               : nullptr;
}

PyObject* memory_toreadonly(Borrowed<PyMemoryViewObject> self) {
  CHECK_RELEASED(self);
  PyMemoryViewObject* result = add_view(self->mbuf, &self->view);
  if (result != nullptr) result->view.readonly = 1;
  return as_object(result);
}

/// The static text of a native format, which a view can point to for ever.
char* native_format_text(const char* format) {
  static char texts[][3] = {"c", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "n", "N", "f", "d", "?", "P",
                            "@c", "@b", "@B", "@h", "@H", "@i", "@I", "@l", "@L", "@q", "@Q", "@n", "@N", "@f", "@d", "@?", "@P"};
  for (char* text : texts) {
    if (strcmp(text, format) == 0) return text;
  }
  return nullptr;
}

Status cast_to_1d(PyMemoryViewObject* self, PyObject* format) {
  Py_buffer& view = self->view;
  char source_code;
  char code;
  if (native_format(&source_code, view.format) < 0) source_code = '_';  // may still be seen as bytes
  Ref<> ascii = Ref<>::steal(PyUnicode_AsASCIIString(format));
  if (!ascii) return Status::kError;
  const Py_ssize_t size = native_format(&code, PyBytes_AS_STRING(ascii.get()));
  if (size < 0) {
    return raise(PyExc_ValueError,
                 "memoryview: destination format must be a native single character format prefixed with an optional '@'");
  }
  const auto is_byte = [](char c) { return c == 'b' || c == 'B' || c == 'c'; };
  if (!is_byte(source_code) && !is_byte(code)) {
    return raise(PyExc_TypeError, "memoryview: cannot cast between two non-byte formats");
  }
  if (view.len % size != 0) return raise(PyExc_TypeError, "memoryview: length is not a multiple of itemsize");
  view.format = native_format_text(PyBytes_AS_STRING(ascii.get()));
  view.itemsize = size;
  view.ndim = 1;
  view.shape[0] = view.len / size;
  view.strides[0] = size;
  view.suboffsets = nullptr;
  compute_flags(self);
  return Status::kOk;
}

Status cast_to_nd(PyMemoryViewObject* self, PyObject* shape, int ndim) {
  Py_buffer& view = self->view;
  view.ndim = ndim;
  Py_ssize_t length = view.itemsize;
  if (ndim == 0) {
    view.shape = nullptr;
    view.strides = nullptr;
  } else {
    for (int i = 0; i < ndim; i++) {
      PyObject* item = PySequence_Fast_GET_ITEM(shape, i);
      if (!PyLong_Check(item)) return raise(PyExc_TypeError, "memoryview.cast(): elements of shape must be integers");
      const Py_ssize_t n = PyLong_AsSsize_t(item);
      if (n == -1 && PyErr_Occurred()) return Status::kError;
      if (n <= 0) return raise(PyExc_ValueError, "memoryview.cast(): elements of shape must be integers > 0");
      if (n > PY_SSIZE_T_MAX / length) return raise(PyExc_ValueError, "memoryview.cast(): product(shape) > SSIZE_MAX");
      length *= n;
      view.shape[i] = n;
    }
    fill_c_strides(&view);
  }
  if (view.len != length) return raise(PyExc_TypeError, "memoryview: product(shape) * itemsize != buffer size");
  compute_flags(self);
  return Status::kOk;
}

PyObject* memory_cast(Borrowed<PyMemoryViewObject> self, Borrowed<PyUnicodeObject> format, PyObject* shape) {
  CHECK_RELEASED(self);
  const Py_buffer& view = self->view;
  if (!is_c_contiguous(self->flags)) return raise(PyExc_TypeError, "memoryview: casts are restricted to C-contiguous views");
  if (shape != nullptr || view.ndim != 1) {
    for (int i = 0; i < view.ndim; i++) {
      if (view.shape[i] == 0) return raise(PyExc_TypeError, "memoryview: cannot cast view with zeros in shape or strides");
    }
  }
  Py_ssize_t ndim = 1;
  if (shape != nullptr) {
    if (!PyList_Check(shape) && !PyTuple_Check(shape)) return raise(PyExc_TypeError, "shape must be a list or a tuple");
    ndim = PySequence_Fast_GET_SIZE(shape);
    if (ndim > PyBUF_MAX_NDIM) {
      return raise(PyExc_ValueError, "memoryview: number of dimensions must not exceed %d", PyBUF_MAX_NDIM);
    }
    if (view.ndim != 1 && ndim != 1) return raise(PyExc_TypeError, "memoryview: cast must be 1D -> ND or ND -> 1D");
  }
  Ref<> result = Ref<>::steal(allocate_view(static_cast<int>(Py_MAX(ndim, 1))));
  if (!result) return nullptr;
  PyMemoryViewObject* cast = as_view(result.get());
  share_values(&cast->view, &view);
  attach(cast, self->mbuf);
  if (!ok(cast_to_1d(cast, format.object()))) return nullptr;
  if (shape != nullptr && !ok(cast_to_nd(cast, shape, static_cast<int>(ndim)))) return nullptr;
  return result.release();
}

PyObject* tuple_of(const Py_ssize_t* values, int count) {
  PyObject* result = PyTuple_New(values == nullptr ? 0 : count);
  if (result == nullptr || values == nullptr) return result;
  for (int i = 0; i < count; i++) {
    PyObject* item = PyLong_FromSsize_t(values[i]);
    if (item == nullptr) {
      Py_DECREF(result);
      return nullptr;
    }
    PyTuple_SET_ITEM(result, i, item);
  }
  return result;
}

#define VIEW_GETTER(name, expression)                  \
  PyObject* get_##name(PyObject* object, void*) {      \
    PyMemoryViewObject* self = as_view(object);        \
    CHECK_RELEASED(self);                              \
    const Py_buffer& view = self->view;                \
    (void)view;                                        \
    return expression;                                 \
  }
VIEW_GETTER(obj, Py_NewRef(view.obj != nullptr ? view.obj : Py_None))
VIEW_GETTER(nbytes, PyLong_FromSsize_t(view.len))
VIEW_GETTER(readonly, PyBool_FromLong(view.readonly))
VIEW_GETTER(itemsize, PyLong_FromSsize_t(view.itemsize))
VIEW_GETTER(format, PyUnicode_FromString(view.format))
VIEW_GETTER(ndim, PyLong_FromLong(view.ndim))
VIEW_GETTER(shape, tuple_of(view.shape, view.ndim))
VIEW_GETTER(strides, tuple_of(view.strides, view.ndim))
VIEW_GETTER(suboffsets, tuple_of(view.suboffsets, view.ndim))
VIEW_GETTER(c_contiguous, PyBool_FromLong(is_c_contiguous(self->flags)))
VIEW_GETTER(f_contiguous, PyBool_FromLong(is_f_contiguous(self->flags)))
VIEW_GETTER(contiguous, PyBool_FromLong(is_c_contiguous(self->flags) || is_f_contiguous(self->flags)))

PyGetSetDef memory_getset[] = {
    {"obj", get_obj, nullptr, "The object whose memory this is.", nullptr},
    {"nbytes", get_nbytes, nullptr, "How many bytes tobytes() would give.", nullptr},
    {"readonly", get_readonly, nullptr, "Whether the memory can only be read.", nullptr},
    {"itemsize", get_itemsize, nullptr, "Size of one item in bytes.", nullptr},
    {"format", get_format, nullptr, "Format of an item, in the struct module's notation.", nullptr},
    {"ndim", get_ndim, nullptr, "Number of dimensions.", nullptr},
    {"shape", get_shape, nullptr, "Number of items in each dimension.", nullptr},
    {"strides", get_strides, nullptr, "Bytes from one item to the next in each dimension.", nullptr},
    {"suboffsets", get_suboffsets, nullptr, "For arrays of pointers: what to add behind each.", nullptr},
    {"c_contiguous", get_c_contiguous, nullptr, "Whether the memory is contiguous, last index fastest.", nullptr},
    {"f_contiguous", get_f_contiguous, nullptr, "Whether the memory is contiguous, first index fastest.", nullptr},
    {"contiguous", get_contiguous, nullptr, "Whether the memory is contiguous.", nullptr},
    {}};

PyMethodDef memory_methods[] = {
    method<memory_release, "release($self, /)", "Lets go of the exporter's memory.">(),
    method<memory_tobytes, "tobytes($self, /, order='C')",
           "The items as bytes; order 'C' (last index fastest), 'F' (first index fastest) or 'A' (as in memory).">(),
    method<memory_hex, "hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)",
           "The bytes as hexadecimal digits.\n\n  sep\n    A separator between groups.\n  bytes_per_sep\n"
           "    Group size, counted from the right; from the left when negative.\n\n"
           ">>> view = memoryview(b'\\xf0\\x0d\\xbe\\xef')\n>>> view.hex()\n'f00dbeef'\n>>> view.hex('-')\n"
           "'f0-0d-be-ef'\n>>> view.hex('_', 3)\n'f0_0dbeef'\n>>> view.hex(':', -3)\n'f00dbe:ef'">(),
    method<memory_tolist, "tolist($self, /)", "The items as a list, nested for several dimensions.">(),
    method<memory_cast, "cast($self, /, format, shape=<unrepresentable>)",
           "A view on the same memory with another format or shape.">(),
    method<memory_toreadonly, "toreadonly($self, /)", "A view that can't be written through.">(),
    {"__enter__", memory_enter, METH_NOARGS, nullptr},
    {"__exit__", memory_exit, METH_VARARGS, nullptr},
    {}};

// Iterator ----------------------------------------------------------------------------------------------------------

struct MemoryIterator {
  PyObject_HEAD
  Py_ssize_t index;
  PyMemoryViewObject* view;  // null when exhausted
  Py_ssize_t length;
  const char* format;
};
MemoryIterator* as_iterator(PyObject* self) { return reinterpret_cast<MemoryIterator*>(self); }

void iterator_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_object(as_iterator(self)->view));
  PyObject_GC_Del(self);
}
int iterator_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_iterator(self)->view);
  return 0;
}
PyObject* iterator_next(PyObject* object) {
  MemoryIterator* it = as_iterator(object);
  PyMemoryViewObject* self = it->view;
  if (self == nullptr) return nullptr;
  if (it->index < it->length) {
    CHECK_RELEASED(self);
    char* p = lookup(static_cast<char*>(self->view.buf), self->view, it->index++, 0);
    return p == nullptr ? nullptr : unpack_item(p, it->format[0] == '@' ? it->format[1] : it->format[0], it->format);
  }
  it->view = nullptr;
  Py_DECREF(as_object(self));
  return nullptr;
}

}  // namespace

extern "C" PyTypeObject _PyMemoryIter_Type;

static PyObject* memory_iter(PyObject* object) {
  PyMemoryViewObject* self = as_view(object);
  CHECK_RELEASED(self);
  if (self->view.ndim == 0) return raise(PyExc_TypeError, "invalid indexing of 0-dim memory");
  if (self->view.ndim != 1) return raise(PyExc_NotImplementedError, "multi-dimensional sub-views are not implemented");
  char code;
  if (!item_format(self->view, code)) return nullptr;
  // The type isn't in the table of start-up types: no header declares it.
  if (!(_PyMemoryIter_Type.tp_flags & Py_TPFLAGS_READY) && PyType_Ready(&_PyMemoryIter_Type) < 0) return nullptr;
  MemoryIterator* it = PyObject_GC_New(MemoryIterator, &_PyMemoryIter_Type);
  if (it == nullptr) return nullptr;
  it->index = 0;
  it->view = as_view(Py_NewRef(object));
  it->length = self->view.shape[0];
  it->format = self->view.format;
  _PyObject_GC_TRACK(it);
  return as_object(it);
}

static PySequenceMethods memory_as_sequence = {.sq_length = memory_length, .sq_item = memory_item};
static PyMappingMethods memory_as_mapping = {
    .mp_length = memory_length, .mp_subscript = memory_subscript, .mp_ass_subscript = memory_assign_subscript};
static PyBufferProcs memory_as_buffer = {.bf_getbuffer = memory_getbuffer, .bf_releasebuffer = memory_releasebuffer};

PyTypeObject _PyManagedBuffer_Type = {
    .ob_base = type_head(),
    .tp_name = "managedbuffer",
    .tp_basicsize = sizeof(_PyManagedBufferObject),
    .tp_dealloc = managed_buffer_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = managed_buffer_traverse,
    .tp_clear = managed_buffer_clear,
};

PyTypeObject PyMemoryView_Type = {
    .ob_base = type_head(),
    .tp_name = "memoryview",
    .tp_basicsize = offsetof(PyMemoryViewObject, ob_array),
    .tp_itemsize = sizeof(Py_ssize_t),
    .tp_dealloc = memory_dealloc,
    .tp_repr = memory_repr,
    .tp_as_sequence = &memory_as_sequence,
    .tp_as_mapping = &memory_as_mapping,
    .tp_hash = memory_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &memory_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "memoryview(object)\n--\n\nA view on the memory of an object that supports the buffer protocol.",
    .tp_traverse = memory_traverse,
    .tp_clear = memory_clear,
    .tp_richcompare = memory_richcompare,
    .tp_weaklistoffset = offsetof(PyMemoryViewObject, weakreflist),
    .tp_iter = memory_iter,
    .tp_methods = memory_methods,
    .tp_getset = memory_getset,
    .tp_new = constructor<memory_new, "memoryview($type, object)">,
};

PyTypeObject _PyMemoryIter_Type = {
    .ob_base = type_head(),
    .tp_name = "memory_iterator",
    .tp_basicsize = sizeof(MemoryIterator),
    .tp_dealloc = iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
};
