// What the files of this folder share: the exception types, the slots of BaseException, and Fields<>, which derives
// tp_clear, tp_traverse and tp_dealloc of an exception struct from the list of its object fields.
#pragma once

#include "Objects/bind.h"
#include "pycore_exceptions.h"
#include "pycore_interp.h"
#include "pycore_object.h"
#include "pycore_pyerrors.h"
#include "pycore_pystate.h"

extern "C" {
#define SIMPLE(name, base, family, doc) extern PyTypeObject _PyExc_##name;
#define SPECIAL(name, base) extern PyTypeObject _PyExc_##name;
#include "Objects/exceptions/exception_types.def"
}

namespace pyston {

constexpr unsigned long kExceptionFlags =
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASE_EXC_SUBCLASS;

inline PyBaseExceptionObject* as_exception(PyObject* object) {
  return reinterpret_cast<PyBaseExceptionObject*>(object);
}
inline bool is_exception_instance(PyObject* object) { return PyExceptionInstance_Check(object); }

PyObject* base_exception_new(PyTypeObject* type, PyObject* args, PyObject* kwargs);
int base_exception_init(PyObject* self, PyObject* args, PyObject* kwargs);
/// Stores `args` only; for initialisers that check the keywords themselves.
void base_exception_set_args(PyObject* self, PyObject* args);
PyObject* base_exception_str(PyObject* self);
int base_exception_clear(PyObject* self);
int base_exception_traverse(PyObject* self, visitproc visit, void* arg);
/// False (TypeError set) when keywords were given: "ValueError() takes no keyword arguments".
bool refuse_keywords(const char* name, PyObject* kwargs);
/// (type, args) or (type, args, dict), as pickling wants it. `args` is borrowed.
PyObject* exception_reduce_with(PyObject* self, PyObject* args);

/// Swaps in an owned value, then drops the old one.
template <class T>
ALWAYS_INLINE void replace_field(T*& field, PyObject* owned) {
  T* old = field;
  field = reinterpret_cast<T*>(owned);
  Py_XDECREF(as_object(old));
}

/// Collector and destructor slots of struct T with the object fields kFields behind the common head.
template <class T, PyObject* T::*... kFields>
struct Fields {
  static int clear(PyObject* self) {
    auto* exception = reinterpret_cast<T*>(self);
    (replace_field(exception->*kFields, nullptr), ...);
    return base_exception_clear(self);
  }
  static int traverse(PyObject* self, visitproc visit, void* arg) {
    auto* exception = reinterpret_cast<T*>(self);
    int stop = 0;
    ((exception->*kFields != nullptr && stop == 0 ? stop = visit(exception->*kFields, arg) : 0), ...);
    return stop != 0 ? stop : base_exception_traverse(self, visit, arg);
  }
  /// Chains of __context__ and __cause__ can be long: the trashcan bounds the C recursion.
  static void dealloc(PyObject* self) {
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, dealloc)
    clear(self);
    Py_TYPE(self)->tp_free(self);
    Py_TRASHCAN_END
  }
};

using BaseFields = Fields<PyBaseExceptionObject>;
using OSErrorFields = Fields<PyOSErrorObject, &PyOSErrorObject::myerrno, &PyOSErrorObject::strerror,
                             &PyOSErrorObject::filename, &PyOSErrorObject::filename2>;
using ImportErrorFields =
    Fields<PyImportErrorObject, &PyImportErrorObject::msg, &PyImportErrorObject::name, &PyImportErrorObject::path>;
using SyntaxErrorFields =
    Fields<PySyntaxErrorObject, &PySyntaxErrorObject::msg, &PySyntaxErrorObject::filename,
           &PySyntaxErrorObject::lineno, &PySyntaxErrorObject::offset, &PySyntaxErrorObject::end_lineno,
           &PySyntaxErrorObject::end_offset, &PySyntaxErrorObject::text, &PySyntaxErrorObject::print_file_and_line>;
using NameErrorFields = Fields<PyNameErrorObject, &PyNameErrorObject::name>;

int os_error_init(PyObject* self, PyObject* args, PyObject* kwargs);
int import_error_init(PyObject* self, PyObject* args, PyObject* kwargs);
int syntax_error_init(PyObject* self, PyObject* args, PyObject* kwargs);
int name_error_init(PyObject* self, PyObject* args, PyObject* kwargs);

/// Drops what MemoryError keeps for bad times.
void free_memory_error_list(PyInterpreterState* interp);
/// Fills the list, so that MemoryError can be raised when nothing can be allocated.
bool fill_memory_error_list();
/// errno -> subclass of OSError, in interp->exc_state.errnomap.
bool build_errno_map(PyInterpreterState* interp);
/// The ExceptionGroup class of this interpreter (borrowed), created on first use; null with an exception.
PyObject* exception_group_type();

}  // namespace pyston
