// Data that one interpreter may hand to another: the registry of shareable types and the built-in ones among them.
#include "Runtime/state/state.h"
#include "pycore_pyerrors.h"

using namespace pyston;

namespace {

class RegistryLock {
 public:
  RegistryLock() { PyThread_acquire_lock(_PyRuntime.xidregistry.mutex, WAIT_LOCK); }
  ~RegistryLock() { PyThread_release_lock(_PyRuntime.xidregistry.mutex); }
  RegistryLock(const RegistryLock&) = delete;
  RegistryLock& operator=(const RegistryLock&) = delete;
};

struct SharedBytes {
  const char* data;
  Py_ssize_t size;
};
struct SharedText {
  int kind;
  const void* data;
  Py_ssize_t length;
};

template <class T>
T* allocate_shared() {
  auto* shared = static_cast<T*>(PyMem_RawMalloc(sizeof(T)));
  if (shared == nullptr) PyErr_NoMemory();
  return shared;
}

int share_bytes(PyObject* object, _PyCrossInterpreterData* data) {
  auto* shared = allocate_shared<SharedBytes>();
  if (shared == nullptr) return -1;
  *shared = {PyBytes_AS_STRING(object), PyBytes_GET_SIZE(object)};
  data->data = shared;
  data->obj = Py_NewRef(object);  // owns what the struct points into
  data->new_object = [](_PyCrossInterpreterData* given) -> PyObject* {
    auto* bytes = static_cast<SharedBytes*>(given->data);
    return PyBytes_FromStringAndSize(bytes->data, bytes->size);
  };
  data->free = PyMem_RawFree;
  return 0;
}

int share_text(PyObject* object, _PyCrossInterpreterData* data) {
  auto* shared = allocate_shared<SharedText>();
  if (shared == nullptr) return -1;
  *shared = {static_cast<int>(PyUnicode_KIND(object)), PyUnicode_DATA(object), PyUnicode_GET_LENGTH(object)};
  data->data = shared;
  data->obj = Py_NewRef(object);
  data->new_object = [](_PyCrossInterpreterData* given) -> PyObject* {
    auto* text = static_cast<SharedText*>(given->data);
    return PyUnicode_FromKindAndData(text->kind, text->data, text->length);
  };
  data->free = PyMem_RawFree;
  return 0;
}

/// The number is in the pointer: only what fits.
int share_int(PyObject* object, _PyCrossInterpreterData* data) {
  const Py_ssize_t value = PyLong_AsSsize_t(object);
  if (value == -1 && PyErr_Occurred()) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
      PyErr_SetString(PyExc_OverflowError, "try sending as bytes");
    }
    return -1;
  }
  data->data = reinterpret_cast<void*>(value);
  data->obj = nullptr;
  data->new_object = [](_PyCrossInterpreterData* given) {
    return PyLong_FromSsize_t(reinterpret_cast<Py_ssize_t>(given->data));
  };
  data->free = nullptr;
  return 0;
}

int share_none(PyObject*, _PyCrossInterpreterData* data) {
  data->data = nullptr;
  data->obj = nullptr;
  data->new_object = [](_PyCrossInterpreterData*) { return Py_NewRef(Py_None); };
  data->free = nullptr;
  return 0;
}

/// Called under the lock; false: out of memory.
bool add_to_registry(PyTypeObject* type, crossinterpdatafunc getdata) {
  auto* item = static_cast<_xidregitem*>(PyMem_RawMalloc(sizeof(_xidregitem)));
  if (item == nullptr) return false;
  *item = {type, getdata, _PyRuntime.xidregistry.head};
  _PyRuntime.xidregistry.head = item;
  return true;
}

void add_builtin_types() {
  if (_PyRuntime.xidregistry.head != nullptr) return;
  if (!add_to_registry(Py_TYPE(Py_None), share_none) || !add_to_registry(&PyLong_Type, share_int) ||
      !add_to_registry(&PyBytes_Type, share_bytes) || !add_to_registry(&PyUnicode_Type, share_text)) {
    Py_FatalError("could not register builtin types for cross-interpreter sharing");
  }
}

int refuse(PyObject* object) {
  if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "%S does not support cross-interpreter data", object);
  return -1;
}

int check(const _PyCrossInterpreterData* data) {
  if (data->interp < 0) {
    PyErr_SetString(PyExc_SystemError, "missing interp");
    return -1;
  }
  if (data->new_object == nullptr) {
    PyErr_SetString(PyExc_SystemError, "missing new_object func");
    return -1;
  }
  return 0;
}

void release(_PyCrossInterpreterData* data) {
  if (data->free != nullptr) data->free(data->data);
  Py_XDECREF(data->obj);
}

}  // namespace

int _PyCrossInterpreterData_RegisterClass(PyTypeObject* type, crossinterpdatafunc getdata) {
  if (getdata == nullptr) {
    PyErr_Format(PyExc_ValueError, "missing 'getdata' func");
    return -1;
  }
  // The registry keeps types alive: it has no way to learn that one dies.
  Py_INCREF(type);
  bool added;
  {
    RegistryLock lock;
    add_builtin_types();
    added = add_to_registry(type, getdata);
  }
  if (added) return 0;
  Py_DECREF(type);
  PyErr_NoMemory();
  return -1;
}

crossinterpdatafunc _PyCrossInterpreterData_Lookup(PyObject* object) {
  RegistryLock lock;
  add_builtin_types();
  for (_xidregitem* item = _PyRuntime.xidregistry.head; item != nullptr; item = item->next) {
    if (item->cls == Py_TYPE(object)) return item->getdata;
  }
  return nullptr;
}

int _PyObject_CheckCrossInterpreterData(PyObject* object) {
  return _PyCrossInterpreterData_Lookup(object) != nullptr ? 0 : refuse(object);
}

int _PyObject_GetCrossInterpreterData(PyObject* object, _PyCrossInterpreterData* data) {
  *data = {};
  auto held = Ref<>::dup(object);
  crossinterpdatafunc getdata = _PyCrossInterpreterData_Lookup(object);
  if (getdata == nullptr) return refuse(object);
  if (getdata(object, data) != 0) return -1;
  data->interp = _PyInterpreterState_GET()->id;
  if (check(data) != 0) {
    _PyCrossInterpreterData_Release(data);
    return -1;
  }
  return 0;
}

PyObject* _PyCrossInterpreterData_NewObject(_PyCrossInterpreterData* data) { return data->new_object(data); }

/// In the interpreter that the data came from, since that owns `obj`.
void _PyCrossInterpreterData_Release(_PyCrossInterpreterData* data) {
  if (data->data == nullptr && data->obj == nullptr) return;
  PyInterpreterState* owner = _PyInterpreterState_LookUpID(data->interp);
  if (owner == nullptr) {
    // The object died with its interpreter.
    PyErr_Clear();
    return;
  }
  if (owner == _PyInterpreterState_GET()) {
    release(data);
    return;
  }
  PyThreadState* saved = PyThreadState_Swap(PyInterpreterState_ThreadHead(owner));
  release(data);
  PyThreadState_Swap(saved);
}
