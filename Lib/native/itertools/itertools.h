// Shared by the iterators of itertools. An iterator is a struct of object fields and plain ones; IteratorBase derives
// traversal, clearing and deallocation from the list of the object fields.
#pragma once

#include "Objects/bind.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_global_strings.h>
#include <internal/pycore_object.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_tuple.h>

namespace pyston {

template <class T, auto... kFields>
struct IteratorBase {
  static T* cast(PyObject* object) { return reinterpret_cast<T*>(object); }
  static int traverse(PyObject* self, visitproc visit, void* arg) {
    int status = 0;
    auto visit_one = [&](PyObject* field) { return field != nullptr && (status = visit(field, arg)) != 0; };
    (visit_one(as_object(cast(self)->*kFields)) || ...);
    return status;
  }
  static int clear(PyObject* self) {
    (drop(cast(self)->*kFields), ...);
    return 0;
  }
  static void dealloc(PyObject* self) {
    PyObject_GC_UnTrack(self);
    if constexpr (requires { T::free_extra; }) T::free_extra(cast(self));
    clear(self);
    Py_TYPE(self)->tp_free(self);
  }
  static constexpr PyTypeObject type(const char* name, const char* doc, newfunc create, iternextfunc next,
                                     PyMethodDef* methods) {
    PyTypeObject type = {.ob_base = type_head()};
    type.tp_name = name;
    type.tp_basicsize = sizeof(T);
    type.tp_dealloc = dealloc;
    type.tp_getattro = PyObject_GenericGetAttr;
    type.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE;
    type.tp_doc = doc;
    type.tp_traverse = traverse;
    type.tp_clear = clear;
    type.tp_iter = PyObject_SelfIter;
    type.tp_iternext = next;
    type.tp_methods = methods;
    type.tp_alloc = PyType_GenericAlloc;
    type.tp_new = create;
    type.tp_free = PyObject_GC_Del;
    return type;
  }

 private:
  template <class Field>
  static void drop(Field*& field) {
    Field* old = field;
    field = nullptr;
    Py_XDECREF(as_object(old));
  }
};

/// Allocates with all fields zero. Null with MemoryError set.
template <class T>
T* new_iterator(PyTypeObject* type) {
  return reinterpret_cast<T*>(type->tp_alloc(type, 0));
}

/// The next item, or null: at the end (StopIteration is swallowed) and on errors (exception set).
ALWAYS_INLINE PyObject* next_item(PyObject* iterator) {
  PyObject* item = Py_TYPE(iterator)->tp_iternext(iterator);
  if (UNLIKELY(item == nullptr) && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_StopIteration)) PyErr_Clear();
  return item;
}

/// The result tuple of an iterator that reuses it: itself when nobody else holds it, else a copy. Borrowed from the
/// iterator (*slot); null with an exception set.
inline PyObject* writable_result(PyObject** slot) {
  PyObject* result = *slot;
  if (Py_REFCNT(result) > 1) {
    PyObject* copy = _PyTuple_FromArray(&PyTuple_GET_ITEM(result, 0), PyTuple_GET_SIZE(result));
    if (copy == nullptr) return nullptr;
    *slot = copy;
    Py_DECREF(result);
    return copy;
  }
  // The collector may have untracked it while it held only atoms.
  if (!_PyObject_GC_IS_TRACKED(result)) _PyObject_GC_TRACK(result);
  return result;
}

/// Keywords are refused unless a subclass takes them in its own __init__.
inline bool refuse_keywords(PyTypeObject* type, PyTypeObject* base, const char* name, PyObject* kwargs) {
  return (type != base && type->tp_init != base->tp_init) || _PyArg_NoKeywords(name, kwargs);
}

extern PyTypeObject g_accumulate_type, g_chain_type, g_compress_type, g_count_type, g_cycle_type, g_dropwhile_type,
    g_filterfalse_type, g_islice_type, g_pairwise_type, g_repeat_type, g_starmap_type, g_takewhile_type,
    g_zip_longest_type;
extern PyTypeObject g_combinations_type, g_combinations_with_replacement_type, g_permutations_type, g_product_type;
extern PyTypeObject g_groupby_type, g_grouper_type, g_tee_type, g_tee_data_type;
PyObject* tee(PyObject* module, PyObject* iterable, Optional<Py_ssize_t> count);

}  // namespace pyston
