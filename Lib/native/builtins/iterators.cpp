// The iterator types of the builtins module: filter, map, zip.
#include "Lib/native/builtins/builtins.h"

#include <pycore_gc.h>
#include <pycore_global_strings.h>
#include <pycore_object.h>
#include <pycore_runtime.h>
#include <pycore_tuple.h>

namespace pyston {
namespace {

struct FilterObject {
  PyObject_HEAD
  PyObject* function;
  PyObject* iterator;
};

struct MapObject {
  PyObject_HEAD
  PyObject* iterators;  // tuple
  PyObject* function;
};

struct ZipObject {
  PyObject_HEAD
  Py_ssize_t count;
  PyObject* iterators;  // tuple
  PyObject* result;     // handed out again when nobody else holds it; null before the first use
  int strict;
};

/// A call argument that only the exact type refuses: subclasses may take keywords in their own __init__.
bool refuse_keywords(PyTypeObject* type, PyTypeObject* own, const char* name, PyObject* kwargs) {
  if (kwargs == nullptr || PyDict_GET_SIZE(kwargs) == 0) return true;
  if (type != own && type->tp_init != own->tp_init) return true;
  PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", name);
  return false;
}

Ref<> iterators_of(PyObject* args, Py_ssize_t first) {
  const Py_ssize_t count = PyTuple_GET_SIZE(args) - first;
  Ref<> iterators = Ref<>::steal(PyTuple_New(count));
  if (!iterators) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* iterator = PyObject_GetIter(PyTuple_GET_ITEM(args, first + i));
    if (iterator == nullptr) return nullptr;
    PyTuple_SET_ITEM(iterators.get(), i, iterator);
  }
  return iterators;
}

// --- filter ---

PyObject* filter_make(PyTypeObject* type, PyObject* function, PyObject* iterable) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  auto* self = reinterpret_cast<FilterObject*>(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->function = Py_NewRef(function);
  self->iterator = iterator.release();
  return as_object(self);
}

PyObject* filter_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (!refuse_keywords(type, &PyFilter_Type, "filter", kwargs)) return nullptr;
  PyObject* function;
  PyObject* iterable;
  if (!PyArg_UnpackTuple(args, "filter", 2, 2, &function, &iterable)) return nullptr;
  return filter_make(type, function, iterable);
}

PyObject* filter_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (kwnames != nullptr && PyTuple_GET_SIZE(kwnames) > 0) {
    return raise(PyExc_TypeError, "filter() takes no keyword arguments");
  }
  if (nargs != 2) return raise(PyExc_TypeError, "filter expected 2 arguments, got %zd", nargs);
  return filter_make(reinterpret_cast<PyTypeObject*>(type), args[0], args[1]);
}

void filter_dealloc(FilterObject* self) {
  PyObject_GC_UnTrack(self);
  Py_TRASHCAN_BEGIN(self, filter_dealloc)
  Py_XDECREF(self->function);
  Py_XDECREF(self->iterator);
  Py_TYPE(self)->tp_free(self);
  Py_TRASHCAN_END
}

int filter_traverse(FilterObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->iterator);
  Py_VISIT(self->function);
  return 0;
}

PyObject* filter_next(FilterObject* self) {
  PyObject* iterator = self->iterator;
  const iternextfunc next = Py_TYPE(iterator)->tp_iternext;
  const bool tests_truth = self->function == Py_None || self->function == as_object(&PyBool_Type);
  for (;;) {
    Ref<> item = Ref<>::steal(next(iterator));
    if (!item) return nullptr;
    int keep;
    if (tests_truth) {
      keep = PyObject_IsTrue(item.get());
    } else {
      Ref<> verdict = Ref<>::steal(PyObject_CallOneArg(self->function, item.get()));
      if (!verdict) return nullptr;
      keep = PyObject_IsTrue(verdict.get());
    }
    if (keep > 0) return item.release();
    if (keep < 0) return nullptr;
  }
}

Ref<> filter_reduce(Borrowed<FilterObject> self) {
  return Ref<>::steal(Py_BuildValue("O(OO)", Py_TYPE(self.object()), self->function, self->iterator));
}

PyMethodDef filter_methods[] = {
    method<filter_reduce, "__reduce__($self, /)", "State for pickling.">(),
    {},
};

// --- map ---

PyObject* map_make(PyTypeObject* type, PyObject* function, Ref<> iterators) {
  if (!iterators) return nullptr;
  auto* self = reinterpret_cast<MapObject*>(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->iterators = iterators.release();
  self->function = Py_NewRef(function);
  return as_object(self);
}

PyObject* map_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (!refuse_keywords(type, &PyMap_Type, "map", kwargs)) return nullptr;
  if (PyTuple_GET_SIZE(args) < 2) return raise(PyExc_TypeError, "map() must have at least two arguments.");
  return map_make(type, PyTuple_GET_ITEM(args, 0), iterators_of(args, 1));
}

PyObject* map_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (kwnames != nullptr && PyTuple_GET_SIZE(kwnames) > 0) {
    return raise(PyExc_TypeError, "map() takes no keyword arguments");
  }
  if (nargs < 2) return raise(PyExc_TypeError, "map() must have at least two arguments.");
  Ref<> iterators = Ref<>::steal(PyTuple_New(nargs - 1));
  if (!iterators) return nullptr;
  for (Py_ssize_t i = 1; i < nargs; i++) {
    PyObject* iterator = PyObject_GetIter(args[i]);
    if (iterator == nullptr) return nullptr;
    PyTuple_SET_ITEM(iterators.get(), i - 1, iterator);
  }
  return map_make(reinterpret_cast<PyTypeObject*>(type), args[0], std::move(iterators));
}

void map_dealloc(MapObject* self) {
  PyObject_GC_UnTrack(self);
  Py_TRASHCAN_BEGIN(self, map_dealloc)
  Py_XDECREF(self->iterators);
  Py_XDECREF(self->function);
  Py_TYPE(self)->tp_free(self);
  Py_TRASHCAN_END
}

int map_traverse(MapObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->iterators);
  Py_VISIT(self->function);
  return 0;
}

PyObject* map_next(MapObject* self) {
  constexpr Py_ssize_t kSmall = 6;
  const Py_ssize_t count = PyTuple_GET_SIZE(self->iterators);
  // FAST: one iterable, with room for a bound method's self before the argument.
  if (LIKELY(count == 1)) {
    PyObject* iterator = PyTuple_GET_ITEM(self->iterators, 0);
    PyObject* stack[2] = {nullptr, Py_TYPE(iterator)->tp_iternext(iterator)};
    if (stack[1] == nullptr) return nullptr;
    PyObject* result = PyObject_Vectorcall(self->function, stack + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
    Py_DECREF(stack[1]);
    return result;
  }
  PyObject* small[kSmall];
  PyObject** stack = small;
  if (count > kSmall) {
    stack = static_cast<PyObject**>(PyMem_Malloc(count * sizeof(PyObject*)));
    if (stack == nullptr) return PyErr_NoMemory();
  }
  Py_ssize_t filled = 0;
  for (; filled < count; filled++) {
    PyObject* iterator = PyTuple_GET_ITEM(self->iterators, filled);
    stack[filled] = Py_TYPE(iterator)->tp_iternext(iterator);
    if (stack[filled] == nullptr) break;
  }
  PyObject* result = filled == count ? PyObject_Vectorcall(self->function, stack, count, nullptr) : nullptr;
  for (Py_ssize_t i = 0; i < filled; i++) Py_DECREF(stack[i]);
  if (stack != small) PyMem_Free(stack);
  return result;
}

Ref<> map_reduce(Borrowed<MapObject> self) {
  const Py_ssize_t count = PyTuple_GET_SIZE(self->iterators);
  Ref<> args = Ref<>::steal(PyTuple_New(count + 1));
  if (!args) return nullptr;
  PyTuple_SET_ITEM(args.get(), 0, Py_NewRef(self->function));
  for (Py_ssize_t i = 0; i < count; i++) {
    PyTuple_SET_ITEM(args.get(), i + 1, Py_NewRef(PyTuple_GET_ITEM(self->iterators, i)));
  }
  return Ref<>::steal(Py_BuildValue("OO", Py_TYPE(self.object()), args.get()));
}

PyMethodDef map_methods[] = {
    method<map_reduce, "__reduce__($self, /)", "State for pickling.">(),
    {},
};

// --- zip ---

PyObject* zip_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  int strict = 0;
  if (kwargs != nullptr) {
    Ref<> empty = Ref<>::steal(PyTuple_New(0));
    static const char* kNames[] = {"strict", nullptr};
    if (!empty || !PyArg_ParseTupleAndKeywords(empty.get(), kwargs, "|$p:zip", const_cast<char**>(kNames), &strict)) {
      return nullptr;
    }
  }
  const Py_ssize_t count = PyTuple_GET_SIZE(args);
  Ref<> iterators = iterators_of(args, 0);
  if (!iterators) return nullptr;
  Ref<> result = Ref<>::steal(PyTuple_New(count));
  if (!result) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) PyTuple_SET_ITEM(result.get(), i, Py_NewRef(Py_None));
  auto* self = reinterpret_cast<ZipObject*>(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->iterators = iterators.release();
  self->count = count;
  self->result = result.release();
  self->strict = strict;
  return as_object(self);
}

void zip_dealloc(ZipObject* self) {
  PyObject_GC_UnTrack(self);
  Py_TRASHCAN_BEGIN(self, zip_dealloc)
  Py_XDECREF(self->iterators);
  Py_XDECREF(self->result);
  Py_TYPE(self)->tp_free(self);
  Py_TRASHCAN_END
}

int zip_traverse(ZipObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->iterators);
  Py_VISIT(self->result);
  return 0;
}

/// An iterator ended early: fine, unless `strict` wants them all to end now.
COLD PyObject* zip_end(ZipObject* self, Py_ssize_t ended) {
  if (!self->strict) return nullptr;
  if (PyErr_Occurred()) {
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return nullptr;
    PyErr_Clear();
  }
  if (ended > 0) {
    return raise(PyExc_ValueError, "zip() argument %d is shorter than argument%s%d", static_cast<int>(ended + 1),
                 ended == 1 ? " " : "s 1-", static_cast<int>(ended));
  }
  for (Py_ssize_t i = 1; i < self->count; i++) {
    PyObject* iterator = PyTuple_GET_ITEM(self->iterators, i);
    Ref<> item = Ref<>::steal(Py_TYPE(iterator)->tp_iternext(iterator));
    if (item) {
      return raise(PyExc_ValueError, "zip() argument %d is longer than argument%s%d", static_cast<int>(i + 1),
                   i == 1 ? " " : "s 1-", static_cast<int>(i));
    }
    if (PyErr_Occurred()) {
      if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return nullptr;
      PyErr_Clear();
    }
  }
  return nullptr;
}

PyObject* zip_next(ZipObject* self) {
  const Py_ssize_t count = self->count;
  if (count == 0) return nullptr;
  PyObject* result = self->result;
  if (Py_REFCNT(result) == 1) {
    // FAST: the caller has dropped the last tuple, so it can be filled again.
    Py_INCREF(result);
    for (Py_ssize_t i = 0; i < count; i++) {
      PyObject* iterator = PyTuple_GET_ITEM(self->iterators, i);
      PyObject* item = Py_TYPE(iterator)->tp_iternext(iterator);
      if (item == nullptr) {
        Py_DECREF(result);
        return zip_end(self, i);
      }
      PyObject* old = PyTuple_GET_ITEM(result, i);
      PyTuple_SET_ITEM(result, i, item);
      Py_DECREF(old);
    }
    // The collector may have stopped tracking a tuple of atoms; the new items may need it.
    if (!_PyObject_GC_IS_TRACKED(result)) _PyObject_GC_TRACK(result);
    return result;
  }
  result = PyTuple_New(count);
  if (result == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* iterator = PyTuple_GET_ITEM(self->iterators, i);
    PyObject* item = Py_TYPE(iterator)->tp_iternext(iterator);
    if (item == nullptr) {
      Py_DECREF(result);
      return zip_end(self, i);
    }
    PyTuple_SET_ITEM(result, i, item);
  }
  return result;
}

Ref<> zip_reduce(Borrowed<ZipObject> self) {
  if (self->strict) {
    return Ref<>::steal(PyTuple_Pack(3, Py_TYPE(self.object()), self->iterators, Py_True));
  }
  return Ref<>::steal(PyTuple_Pack(2, Py_TYPE(self.object()), self->iterators));
}

Ref<> zip_setstate(Borrowed<ZipObject> self, Borrowed<> state) {
  const int strict = PyObject_IsTrue(state);
  if (strict < 0) return nullptr;
  self->strict = strict;
  return Ref<>::none();
}

PyMethodDef zip_methods[] = {
    method<zip_reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<zip_setstate, "__setstate__($self, state, /)", "Restores the state of __reduce__.">(),
    {},
};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyFilter_Type = {
    .ob_base = type_head(),
    .tp_name = "filter",
    .tp_basicsize = sizeof(FilterObject),
    .tp_dealloc = slot<filter_dealloc>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "filter(function or None, iterable) --> filter object\n\n"
              "Iterates over the items for which the function is true (with None: that are true).",
    .tp_traverse = reinterpret_cast<traverseproc>(reinterpret_cast<void (*)()>(filter_traverse)),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = slot<filter_next>,
    .tp_methods = filter_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = filter_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = filter_vectorcall,
};

PyTypeObject PyMap_Type = {
    .ob_base = type_head(),
    .tp_name = "map",
    .tp_basicsize = sizeof(MapObject),
    .tp_dealloc = slot<map_dealloc>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "map(func, *iterables) --> map object\n\n"
              "Iterates over the function's results for the items of all iterables; ends with the shortest.",
    .tp_traverse = reinterpret_cast<traverseproc>(reinterpret_cast<void (*)()>(map_traverse)),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = slot<map_next>,
    .tp_methods = map_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = map_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = map_vectorcall,
};

PyTypeObject PyZip_Type = {
    .ob_base = type_head(),
    .tp_name = "zip",
    .tp_basicsize = sizeof(ZipObject),
    .tp_dealloc = slot<zip_dealloc>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "zip(*iterables, strict=False) --> zip object\n\n"
              "Iterates over tuples of the items of all iterables; ends with the shortest. With `strict` a ValueError\n"
              "tells when they don't end together.\n\n>>> list(zip('abc', range(9)))\n[('a', 0), ('b', 1), ('c', 2)]",
    .tp_traverse = reinterpret_cast<traverseproc>(reinterpret_cast<void (*)()>(zip_traverse)),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = slot<zip_next>,
    .tp_methods = zip_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = zip_new,
    .tp_free = PyObject_GC_Del,
};
