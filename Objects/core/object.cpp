// Services every object has: creation, destruction, the trashcan, text forms, truth, hashing, and the singletons
// None and NotImplemented. Attribute access is in attribute_access.cpp, comparison in compare.cpp.
#include "Objects/bind.h"
#include "Objects/core/type.h"
#include "Runtime/memory/allocator.h"

#include "pycore_call.h"
#include "pycore_ceval.h"
#include "pycore_floatobject.h"
#include "pycore_list.h"
#include "pycore_pyerrors.h"
#include "pycore_pymem.h"
#include "pycore_runtime.h"
#include "pycore_tuple.h"

using namespace pyston;

// ---------------------------------------------------------------------------------------------------------------
// Reference counts and lifetime

#undef Py_Is
#undef Py_IsNone
#undef Py_IsTrue
#undef Py_IsFalse
#undef Py_NewRef
#undef Py_XNewRef
#undef _Py_IncRef
#undef _Py_DecRef

extern "C" {

void Py_IncRef(PyObject* object) { Py_XINCREF(object); }
void Py_DecRef(PyObject* object) { Py_XDECREF(object); }
PyAPI_FUNC(void) _Py_IncRef(PyObject* object);
PyAPI_FUNC(void) _Py_DecRef(PyObject* object);
void _Py_IncRef(PyObject* object) { Py_INCREF(object); }
void _Py_DecRef(PyObject* object) { Py_DECREF(object); }

PyObject* Py_NewRef(PyObject* object) {
  Py_INCREF(object);
  return object;
}
PyObject* Py_XNewRef(PyObject* object) {
  Py_XINCREF(object);
  return object;
}
int Py_Is(PyObject* left, PyObject* right) { return left == right; }
int Py_IsNone(PyObject* object) { return object == &_Py_NoneStruct; }
int Py_IsTrue(PyObject* object) { return object == Py_True; }
int Py_IsFalse(PyObject* object) { return object == Py_False; }

void _Py_NewReference(PyObject* object) {
  if (UNLIKELY(_Py_tracemalloc_config.tracing)) _PyTraceMalloc_NewReference(object);
  object->ob_refcnt = 1;
}

void _Py_Dealloc(PyObject* object) { Py_TYPE(object)->tp_dealloc(object); }

PyObject* PyObject_Init(PyObject* object, PyTypeObject* type) {
  if (object == nullptr) return PyErr_NoMemory();
  _PyObject_Init(object, type);
  return object;
}

PyVarObject* PyObject_InitVar(PyVarObject* object, PyTypeObject* type, Py_ssize_t size) {
  if (object == nullptr) return reinterpret_cast<PyVarObject*>(PyErr_NoMemory());
  _PyObject_InitVar(object, type, size);
  return object;
}

PyObject* _PyObject_New(PyTypeObject* type) {
  auto* object = static_cast<PyObject*>(PyObject_Malloc(static_cast<size_t>(_PyObject_SIZE(type))));
  if (UNLIKELY(object == nullptr)) return PyErr_NoMemory();
  _PyObject_Init(object, type);
  return object;
}

PyVarObject* _PyObject_NewVar(PyTypeObject* type, Py_ssize_t count) {
  auto* object = static_cast<PyVarObject*>(PyObject_Malloc(_PyObject_VAR_SIZE(type, count)));
  if (UNLIKELY(object == nullptr)) return reinterpret_cast<PyVarObject*>(PyErr_NoMemory());
  _PyObject_InitVar(object, type, count);
  return object;
}

// PEP 442: tp_finalize runs at most once for a collectable object.
void PyObject_CallFinalizer(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  if (type->tp_finalize == nullptr) return;
  bool collectable = _PyType_IS_GC(type);
  if (collectable && _PyGC_FINALIZED(self)) return;
  type->tp_finalize(self);
  if (collectable) _PyGC_SET_FINALIZED(self);
}

int PyObject_CallFinalizerFromDealloc(PyObject* self) {
  if (self->ob_refcnt != 0) {
    _PyObject_ASSERT_FAILED_MSG(self, "PyObject_CallFinalizerFromDealloc called on object with a non-zero refcount");
  }
  // The finalizer sees a live object. If it stored a reference somewhere, the object stays.
  self->ob_refcnt = 1;
  PyObject_CallFinalizer(self);
  return --self->ob_refcnt == 0 ? 0 : -1;
}

// ---------------------------------------------------------------------------------------------------------------
// Trashcan: a chain of deallocations deeper than the limit is queued through the objects' GC links.

static constexpr int kTrashcanDepth = 50;

int _PyTrash_begin(PyThreadState* tstate, PyObject* object) {
  if (LIKELY(tstate->trash_delete_nesting < kTrashcanDepth)) {
    tstate->trash_delete_nesting++;
    return 0;
  }
  _PyGCHead_SET_PREV(_Py_AS_GC(object), tstate->trash_delete_later);
  tstate->trash_delete_later = object;
  return 1;
}

static COLD void empty_trashcan(PyThreadState* tstate) {
  // One nesting level is kept so that the deallocators called here queue, but don't come back to this loop.
  tstate->trash_delete_nesting++;
  while (tstate->trash_delete_later != nullptr) {
    PyObject* object = tstate->trash_delete_later;
    tstate->trash_delete_later = reinterpret_cast<PyObject*>(_PyGCHead_PREV(_Py_AS_GC(object)));
    Py_TYPE(object)->tp_dealloc(object);
  }
  tstate->trash_delete_nesting--;
}

void _PyTrash_end(PyThreadState* tstate) {
  tstate->trash_delete_nesting--;
  if (UNLIKELY(tstate->trash_delete_later != nullptr) && tstate->trash_delete_nesting <= 0) empty_trashcan(tstate);
}

int _PyTrash_cond(PyObject* object, destructor dealloc) { return Py_TYPE(object)->tp_dealloc == dealloc; }

// ---------------------------------------------------------------------------------------------------------------
// Debugging aids

int _PyObject_IsFreed(PyObject* object) {
  if (_PyMem_IsPtrFreed(object) || _PyMem_IsPtrFreed(object->ob_type)) return 1;
  return 0;
}

int _PyObject_CheckConsistency(PyObject* object, int check_content) {
  if (object == nullptr || _PyObject_IsFreed(object)) {
    _PyObject_AssertFailed(object, "live object", nullptr, __FILE__, __LINE__, __func__);
  }
  if (object->ob_refcnt < 1 || object->ob_type == nullptr) {
    _PyObject_AssertFailed(object, "ob_refcnt >= 1 && ob_type != NULL", nullptr, __FILE__, __LINE__, __func__);
  }
  if (PyUnicode_Check(object)) {
    _PyUnicode_CheckConsistency(object, check_content);
  } else if (PyDict_Check(object)) {
    _PyDict_CheckConsistency(object, check_content);
  } else if (PyType_Check(object)) {
    _PyType_CheckConsistency(reinterpret_cast<PyTypeObject*>(object));
  }
  return 1;
}

void _PyObject_Dump(PyObject* object) {
  if (object == nullptr || _PyObject_IsFreed(object)) {
    fprintf(stderr, "<object at %p is freed>\n", static_cast<void*>(object));
    fflush(stderr);
    return;
  }
  PyTypeObject* type = Py_TYPE(object);
  // The header lines come first: printing the repr can crash on a broken object.
  fprintf(stderr, "object address  : %p\n", static_cast<void*>(object));
  fprintf(stderr, "object refcount : %zd\n", object->ob_refcnt);
  fprintf(stderr, "object type     : %p\n", static_cast<void*>(type));
  fprintf(stderr, "object type name: %s\n", type == nullptr ? "NULL" : type->tp_name);
  fprintf(stderr, "object repr     : ");
  fflush(stderr);
  PyGILState_STATE gil = PyGILState_Ensure();
  PyObject *exception, *value, *traceback;
  PyErr_Fetch(&exception, &value, &traceback);
  (void)PyObject_Print(object, stderr, 0);
  fflush(stderr);
  PyErr_Restore(exception, value, traceback);
  PyGILState_Release(gil);
  fprintf(stderr, "\n");
  fflush(stderr);
}

/// Where an object's memory begins: before the collector's link and the pointers to a managed dict.
static const void* allocation_of(PyObject* object) {
  return reinterpret_cast<const char*>(object) - _PyType_PreHeaderSize(Py_TYPE(object));
}

void _PyObject_AssertFailed(PyObject* object, const char* expression, const char* message, const char* file, int line,
                            const char* function) {
  fprintf(stderr, "%s:%d: ", file, line);
  if (function != nullptr) fprintf(stderr, "%s: ", function);
  fflush(stderr);
  if (expression != nullptr) {
    fprintf(stderr, "Assertion \"%s\" failed", expression);
  } else {
    fprintf(stderr, "Assertion failed");
  }
  if (message != nullptr) fprintf(stderr, ": %s", message);
  fprintf(stderr, "\n");
  fflush(stderr);
  if (_PyObject_IsFreed(object)) {
    fprintf(stderr, "<object at %p is freed>\n", static_cast<void*>(object));
  } else {
    _PyMem_DumpTraceback(fileno(stderr), allocation_of(object));
    _PyObject_Dump(object);
  }
  fflush(stderr);
  Py_FatalError("_PyObject_AssertFailed");
}

void _Py_FatalRefcountErrorFunc(const char* function, const char* message) {
  _Py_FatalErrorFormat(function, "%s: bug likely caused by a refcount error in a C extension", message);
}

void _PyDebugAllocatorStats(FILE* out, const char* block_name, int block_count, size_t block_size) {
  char head[160];
  PyOS_snprintf(head, sizeof(head), "%d %ss * %zd bytes each", block_count, block_name, block_size);
  PyOS_snprintf(head + strlen(head), sizeof(head) - strlen(head), "%*s", 0, "");
  fprintf(out, "%-50s = %15zd\n", head, static_cast<Py_ssize_t>(block_count) * static_cast<Py_ssize_t>(block_size));
}

// Free list statistics, for sys._debugmallocstats().
void _PyObject_DebugTypeStats(FILE* out) {
  _PyDict_DebugMallocStats(out);
  _PyFloat_DebugMallocStats(out);
  _PyList_DebugMallocStats(out);
  _PyTuple_DebugMallocStats(out);
}

void _Py_BreakPoint(void) {}

// ---------------------------------------------------------------------------------------------------------------
// Text forms

int PyObject_Print(PyObject* object, FILE* file, int flags) {
  if (PyErr_CheckSignals()) return -1;
  clearerr(file);
  if (object == nullptr) {
    Py_BEGIN_ALLOW_THREADS
    fprintf(file, "<nil>");
    Py_END_ALLOW_THREADS
  } else if (object->ob_refcnt <= 0) {
    fprintf(file, "<refcnt %zd at %p>", object->ob_refcnt, static_cast<void*>(object));
  } else {
    auto text = Ref<>::steal((flags & Py_PRINT_RAW) ? PyObject_Str(object) : PyObject_Repr(object));
    if (!text) return -1;
    auto encoded = Ref<>::steal(PyUnicode_AsEncodedString(text.get(), "utf-8", "backslashreplace"));
    if (!encoded) return -1;
    fwrite(PyBytes_AS_STRING(encoded.get()), 1, static_cast<size_t>(PyBytes_GET_SIZE(encoded.get())), file);
  }
  if (ferror(file)) {
    PyErr_SetFromErrno(PyExc_OSError);
    clearerr(file);
    return -1;
  }
  return 0;
}

PyObject* PyObject_Repr(PyObject* value) {
  if (PyErr_CheckSignals()) return nullptr;
  if (value == nullptr) return PyUnicode_FromString("<NULL>");
  PyTypeObject* type = Py_TYPE(value);
  if (type->tp_repr == nullptr) return PyUnicode_FromFormat("<%s object at %p>", type->tp_name, value);
  PyThreadState* tstate = _PyThreadState_GET();
  if (_Py_EnterRecursiveCallTstate(tstate, " while getting the repr of an object")) return nullptr;
  PyObject* result = type->tp_repr(value);
  _Py_LeaveRecursiveCallTstate(tstate);
  if (result != nullptr && UNLIKELY(!PyUnicode_Check(result))) {
    PyErr_Format(PyExc_TypeError, "__repr__ returned non-string (type %.200s)", Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return nullptr;
  }
  return result;
}

PyObject* PyObject_Str(PyObject* value) {
  if (value != nullptr && PyUnicode_CheckExact(value)) return Py_NewRef(value);
  if (PyErr_CheckSignals()) return nullptr;
  if (value == nullptr) return PyUnicode_FromString("<NULL>");
  PyTypeObject* type = Py_TYPE(value);
  if (type->tp_str == nullptr) return PyObject_Repr(value);
  PyThreadState* tstate = _PyThreadState_GET();
  if (_Py_EnterRecursiveCallTstate(tstate, " while getting the str of an object")) return nullptr;
  PyObject* result = type->tp_str(value);
  _Py_LeaveRecursiveCallTstate(tstate);
  if (result != nullptr && UNLIKELY(!PyUnicode_Check(result))) {
    PyErr_Format(PyExc_TypeError, "__str__ returned non-string (type %.200s)", Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return nullptr;
  }
  return result;
}

PyObject* PyObject_ASCII(PyObject* value) {
  PyObject* text = PyObject_Repr(value);
  if (text == nullptr || PyUnicode_IS_ASCII(text)) return text;
  auto encoded = Ref<>::steal(_PyUnicode_AsASCIIString(text, "backslashreplace"));
  Py_DECREF(text);
  if (!encoded) return nullptr;
  return PyUnicode_DecodeASCII(PyBytes_AS_STRING(encoded.get()), PyBytes_GET_SIZE(encoded.get()), nullptr);
}

PyObject* PyObject_Bytes(PyObject* value) {
  if (value == nullptr) return PyBytes_FromString("<NULL>");
  if (PyBytes_CheckExact(value)) return Py_NewRef(value);
  auto method = Ref<>::steal(_PyObject_LookupSpecial(value, &_Py_ID(__bytes__)));
  if (method) {
    PyObject* result = _PyObject_CallNoArgs(method.get());
    if (result != nullptr && !PyBytes_Check(result)) {
      PyErr_Format(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)", Py_TYPE(result)->tp_name);
      Py_DECREF(result);
      return nullptr;
    }
    return result;
  }
  if (PyErr_Occurred()) return nullptr;
  return PyBytes_FromObject(value);
}

PyObject* _PyObject_FunctionStr(PyObject* callable) {
  PyObject *qualified_name, *module;
  if (_PyObject_LookupAttr(callable, &_Py_ID(__qualname__), &qualified_name) < 0) return nullptr;
  if (qualified_name == nullptr) return PyObject_Str(callable);
  auto name_owner = Ref<>::steal(qualified_name);
  if (_PyObject_LookupAttr(callable, &_Py_ID(__module__), &module) < 0) return nullptr;
  auto module_owner = Ref<>::steal(module);
  if (module != nullptr && module != Py_None) {
    int differs = PyObject_RichCompareBool(&_Py_ID(builtins), module, Py_NE);
    if (differs < 0) return nullptr;
    if (differs) return PyUnicode_FromFormat("%S.%S()", module, qualified_name);
  }
  return PyUnicode_FromFormat("%S()", qualified_name);
}

// ---------------------------------------------------------------------------------------------------------------
// Recursive repr detection: a list of the objects under way, in the thread's dict.

int Py_ReprEnter(PyObject* object) {
  PyObject* thread_dict = PyThreadState_GetDict();
  if (thread_dict == nullptr) return 0;  // no thread state yet: nothing can be nested
  PyObject* active = PyDict_GetItemWithError(thread_dict, &_Py_ID(Py_Repr));
  if (active == nullptr) {
    if (PyErr_Occurred()) return -1;
    auto created = Ref<>::steal(PyList_New(0));
    if (!created) return -1;
    if (PyDict_SetItem(thread_dict, &_Py_ID(Py_Repr), created.get()) < 0) return -1;
    active = created.get();  // kept alive by the dict
  }
  for (Py_ssize_t i = PyList_GET_SIZE(active) - 1; i >= 0; i--) {
    if (PyList_GET_ITEM(active, i) == object) return 1;
  }
  return PyList_Append(active, object) < 0 ? -1 : 0;
}

void Py_ReprLeave(PyObject* object) {
  PyObject *exception, *value, *traceback;
  PyErr_Fetch(&exception, &value, &traceback);
  PyObject* thread_dict = PyThreadState_GetDict();
  PyObject* active = thread_dict ? PyDict_GetItemWithError(thread_dict, &_Py_ID(Py_Repr)) : nullptr;
  if (active != nullptr && PyList_Check(active)) {
    for (Py_ssize_t i = PyList_GET_SIZE(active) - 1; i >= 0; i--) {
      if (PyList_GET_ITEM(active, i) == object) {
        PyList_SetSlice(active, i, i + 1, nullptr);
        break;
      }
    }
  }
  PyErr_Restore(exception, value, traceback);
}

// ---------------------------------------------------------------------------------------------------------------
// Truth, hashing, callability

int PyObject_IsTrue(PyObject* value) {
  if (value == Py_True) return 1;
  if (value == Py_False || value == Py_None) return 0;
  PyTypeObject* type = Py_TYPE(value);
  Py_ssize_t result;
  if (type->tp_as_number != nullptr && type->tp_as_number->nb_bool != nullptr) {
    result = type->tp_as_number->nb_bool(value);
  } else if (type->tp_as_mapping != nullptr && type->tp_as_mapping->mp_length != nullptr) {
    result = type->tp_as_mapping->mp_length(value);
  } else if (type->tp_as_sequence != nullptr && type->tp_as_sequence->sq_length != nullptr) {
    result = type->tp_as_sequence->sq_length(value);
  } else {
    return 1;
  }
  return result > 0 ? 1 : static_cast<int>(result);
}

int PyObject_Not(PyObject* value) {
  int truth = PyObject_IsTrue(value);
  return truth < 0 ? truth : !truth;
}

Py_hash_t PyObject_HashNotImplemented(PyObject* value) {
  PyErr_Format(PyExc_TypeError, "unhashable type: '%.200s'", Py_TYPE(value)->tp_name);
  return -1;
}

Py_hash_t PyObject_Hash(PyObject* value) {
  PyTypeObject* type = Py_TYPE(value);
  if (LIKELY(type->tp_hash != nullptr)) return type->tp_hash(value);
  // A static type of an extension that nobody has made ready yet inherits its hash only now.
  if (!_PyType_IsReady(type)) {
    if (PyType_Ready(type) < 0) return -1;
    if (type->tp_hash != nullptr) return type->tp_hash(value);
  }
  return PyObject_HashNotImplemented(value);
}

int PyCallable_Check(PyObject* value) { return value != nullptr && Py_TYPE(value)->tp_call != nullptr; }

PyObject* PyObject_SelfIter(PyObject* self) { return Py_NewRef(self); }

PyObject* _PyObject_NextNotImplemented(PyObject* self) {
  PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", Py_TYPE(self)->tp_name);
  return nullptr;
}

// ---------------------------------------------------------------------------------------------------------------
// dir()

static PyObject* dir_of_locals() {
  PyObject* locals = PyEval_GetLocals();
  if (locals == nullptr) return nullptr;
  auto names = Ref<>::steal(PyMapping_Keys(locals));
  if (!names) return nullptr;
  if (!PyList_Check(names.get())) {
    PyErr_Format(PyExc_TypeError, "dir(): expected keys() of locals to be a list, not '%.200s'",
                 Py_TYPE(names.get())->tp_name);
    return nullptr;
  }
  if (PyList_Sort(names.get()) < 0) return nullptr;
  return names.release();
}

PyObject* PyObject_Dir(PyObject* object) {
  if (object == nullptr) return dir_of_locals();
  auto method = Ref<>::steal(_PyObject_LookupSpecial(object, &_Py_ID(__dir__)));
  if (!method) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "object does not provide __dir__");
    return nullptr;
  }
  auto names = Ref<>::steal(_PyObject_CallNoArgs(method.get()));
  if (!names) return nullptr;
  auto sorted = Ref<>::steal(PySequence_List(names.get()));
  if (!sorted || PyList_Sort(sorted.get()) < 0) return nullptr;
  return sorted.release();
}

}  // extern "C"

// ---------------------------------------------------------------------------------------------------------------
// None and NotImplemented

namespace {

void singleton_dealloc_none(PyObject*) { _Py_FatalRefcountErrorFunc("none_dealloc", "deallocating None"); }
void singleton_dealloc_not_implemented(PyObject*) {
  _Py_FatalErrorFunc("notimplemented_dealloc", "deallocating NotImplemented");
}

PyObject* none_repr(PyObject*) { return PyUnicode_FromString("None"); }
int none_bool(PyObject*) { return 0; }
PyObject* none_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  if (PyTuple_GET_SIZE(args) || (kwargs && PyDict_GET_SIZE(kwargs))) {
    PyErr_SetString(PyExc_TypeError, "NoneType takes no arguments");
    return nullptr;
  }
  return Ref<>::none().release();
}

PyNumberMethods none_as_number = {.nb_bool = none_bool};

PyObject* not_implemented_repr(PyObject*) { return PyUnicode_FromString("NotImplemented"); }
PyObject* not_implemented_reduce(PyObject*, PyObject*) { return PyUnicode_FromString("NotImplemented"); }
int not_implemented_bool(PyObject*) {
  if (PyErr_WarnEx(PyExc_DeprecationWarning, "NotImplemented should not be used in a boolean context", 1) < 0) {
    return -1;
  }
  return 1;
}
PyObject* not_implemented_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  if (PyTuple_GET_SIZE(args) || (kwargs && PyDict_GET_SIZE(kwargs))) {
    PyErr_SetString(PyExc_TypeError, "NotImplementedType takes no arguments");
    return nullptr;
  }
  return Ref<>::dup(Py_NotImplemented).release();
}
PyNumberMethods not_implemented_as_number = {.nb_bool = not_implemented_bool};
PyMethodDef not_implemented_methods[] = {{"__reduce__", not_implemented_reduce, METH_NOARGS, nullptr}, {}};

}  // namespace

PyTypeObject _PyNone_Type = {
    .ob_base = type_head(),
    .tp_name = "NoneType",
    .tp_dealloc = singleton_dealloc_none,
    .tp_repr = none_repr,
    .tp_as_number = &none_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = none_new,
};
PyObject _Py_NoneStruct = {1, &_PyNone_Type};

PyTypeObject _PyNotImplemented_Type = {
    .ob_base = type_head(),
    .tp_name = "NotImplementedType",
    .tp_dealloc = singleton_dealloc_not_implemented,
    .tp_repr = not_implemented_repr,
    .tp_as_number = &not_implemented_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = not_implemented_methods,
    .tp_new = not_implemented_new,
};
PyObject _Py_NotImplementedStruct = {1, &_PyNotImplemented_Type};
