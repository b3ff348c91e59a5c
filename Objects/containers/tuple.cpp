// tuple: immutable; memory of short ones is recycled per length through the interpreter's free lists.
//
// What surprises: tuples of atoms made in one go are never tracked by the collector; it untracks others once it sees
// that they hold only atoms;
// the empty tuple is a static singleton; the hash is xxHash's mixing so that (x, (x, y)) and alike spread.
#include "Objects/containers/sequences.h"
#include "Objects/containers/trashcan.h"

#include <internal/pycore_ceval.h>
#include <internal/pycore_global_objects.h>
#include <internal/pycore_initconfig.h>
#include <internal/pycore_runtime.h>
#include <internal/pycore_unicodeobject.h>

namespace pyston {
namespace {

ALWAYS_INLINE PyTupleObject* as_tuple(PyObject* object) { return reinterpret_cast<PyTupleObject*>(object); }
ALWAYS_INLINE PyObject* empty_tuple() { return as_object(&_Py_SINGLETON(tuple_empty)); }

COLD PyObject* too_large() { return PyErr_NoMemory(); }

/// Untracked tuple with uninitialised items; size > 0.
ALWAYS_INLINE PyTupleObject* allocate(Py_ssize_t size) {
  if (LIKELY(size <= PyTuple_MAXSAVESIZE)) {
    _Py_tuple_state* state = &_PyInterpreterState_GET()->tuple;
    PyTupleObject* tuple = state->free_list[size - 1];
    if (LIKELY(tuple != nullptr)) {
      state->free_list[size - 1] = as_tuple(tuple->ob_item[0]);
      state->numfree[size - 1]--;
      _Py_NewReference(as_object(tuple));
      return tuple;
    }
  } else if (UNLIKELY(static_cast<size_t>(size) >
                      (static_cast<size_t>(PY_SSIZE_T_MAX) - (sizeof(PyTupleObject) - sizeof(PyObject*))) /
                          sizeof(PyObject*))) {
    too_large();
    return nullptr;
  }
  return PyObject_GC_NewVar(PyTupleObject, &PyTuple_Type, size);
}

/// Tracks a tuple that was just filled, unless nothing in it can be part of a cycle: the collector would find out that
/// much later, and the tuple is usually gone by then.
ALWAYS_INLINE void track_filled(PyTupleObject* tuple, Py_ssize_t size) {
  for (Py_ssize_t i = 0; i < size; i++) {
    PyObject* item = tuple->ob_item[i];
    if (PyType_IS_GC(Py_TYPE(item)) && (!PyTuple_CheckExact(item) || _PyObject_GC_IS_TRACKED(item))) {
      _PyObject_GC_TRACK(tuple);
      return;
    }
  }
}

void tuple_dealloc(PyObject* self) {
  untrack(self);
  TrashcanScope scope(self, tuple_dealloc);
  if (UNLIKELY(scope.postponed())) return;
  PyTupleObject* tuple = as_tuple(self);
  const Py_ssize_t size = Py_SIZE(tuple);
  for (Py_ssize_t i = size; --i >= 0;) Py_XDECREF(tuple->ob_item[i]);
  bool kept = false;
  if (LIKELY(size > 0 && size <= PyTuple_MAXSAVESIZE && PyTuple_CheckExact(self))) {
    _Py_tuple_state* state = &_PyInterpreterState_GET()->tuple;
    if (LIKELY(state->numfree[size - 1] < PyTuple_MAXFREELIST)) {
      tuple->ob_item[0] = as_object(state->free_list[size - 1]);
      state->free_list[size - 1] = tuple;
      state->numfree[size - 1]++;
      kept = true;
    }
  }
  if (!kept) Py_TYPE(self)->tp_free(self);
}

int tuple_traverse(PyObject* self, visitproc visit, void* arg) {
  for (Py_ssize_t i = Py_SIZE(self); --i >= 0;) Py_VISIT(as_tuple(self)->ob_item[i]);
  return 0;
}

PyObject* tuple_repr(PyObject* self) {
  const Py_ssize_t size = Py_SIZE(self);
  if (size == 0) return PyUnicode_FromString("()");
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered > 0 ? PyUnicode_FromString("(...)") : nullptr;
  _PyUnicodeWriter writer;
  _PyUnicodeWriter_Init(&writer);
  writer.overallocate = 1;
  writer.min_length = size > 1 ? 1 + 1 + 3 * (size - 1) + 1 : 4;
  bool fine = _PyUnicodeWriter_WriteChar(&writer, '(') == 0;
  for (Py_ssize_t i = 0; fine && i < size; i++) {
    if (i > 0) fine = _PyUnicodeWriter_WriteASCIIString(&writer, ", ", 2) == 0;
    Ref<> text = fine ? Ref<>::steal(PyObject_Repr(as_tuple(self)->ob_item[i])) : nullptr;
    fine = text && _PyUnicodeWriter_WriteStr(&writer, text.get()) == 0;
  }
  if (fine) {
    writer.overallocate = 0;
    fine = size > 1 ? _PyUnicodeWriter_WriteChar(&writer, ')') == 0
                    : _PyUnicodeWriter_WriteASCIIString(&writer, ",)", 2) == 0;
  }
  Py_ReprLeave(self);
  if (!fine) {
    _PyUnicodeWriter_Dealloc(&writer);
    return nullptr;
  }
  return _PyUnicodeWriter_Finish(&writer);
}

Py_hash_t tuple_hash(PyObject* self) {
  constexpr Py_uhash_t kPrime1 = 11400714785074694791ULL;
  constexpr Py_uhash_t kPrime2 = 14029467366897019727ULL;
  constexpr Py_uhash_t kPrime5 = 2870177450012600261ULL;
  const Py_ssize_t size = Py_SIZE(self);
  Py_uhash_t hash = kPrime5;
  for (Py_ssize_t i = 0; i < size; i++) {
    const auto lane = static_cast<Py_uhash_t>(PyObject_Hash(as_tuple(self)->ob_item[i]));
    if (UNLIKELY(lane == static_cast<Py_uhash_t>(-1))) return -1;
    hash += lane * kPrime2;
    hash = (hash << 31) | (hash >> 33);
    hash *= kPrime1;
  }
  hash += static_cast<Py_uhash_t>(size) ^ (kPrime5 ^ 3527539UL);
  return hash == static_cast<Py_uhash_t>(-1) ? 1546275796 : static_cast<Py_hash_t>(hash);
}

Py_ssize_t tuple_length(PyObject* self) { return Py_SIZE(self); }

int tuple_contains(PyObject* self, PyObject* value) {
  PyTupleObject* tuple = as_tuple(self);
  for (Py_ssize_t i = 0, n = Py_SIZE(tuple); i < n; i++) {
    const int equal = items_equal(tuple->ob_item[i], value);
    if (equal != 0) return equal;
  }
  return 0;
}

PyObject* tuple_item(PyObject* self, Py_ssize_t index) {
  if (UNLIKELY(static_cast<size_t>(index) >= static_cast<size_t>(Py_SIZE(self)))) {
    PyErr_SetString(PyExc_IndexError, "tuple index out of range");
    return nullptr;
  }
  return Py_NewRef(as_tuple(self)->ob_item[index]);
}

PyObject* tuple_slice(PyTupleObject* tuple, Py_ssize_t low, Py_ssize_t high) {
  if (low < 0) low = 0;
  if (high > Py_SIZE(tuple)) high = Py_SIZE(tuple);
  if (high < low) high = low;
  if (low == 0 && high == Py_SIZE(tuple) && PyTuple_CheckExact(tuple)) return Py_NewRef(as_object(tuple));
  return _PyTuple_FromArray(tuple->ob_item + low, high - low);
}

PyObject* tuple_concat(PyObject* self, PyObject* other) {
  if (Py_SIZE(self) == 0 && PyTuple_CheckExact(other)) return Py_NewRef(other);
  if (!PyTuple_Check(other)) {
    PyErr_Format(PyExc_TypeError, "can only concatenate tuple (not \"%.200s\") to tuple", Py_TYPE(other)->tp_name);
    return nullptr;
  }
  if (Py_SIZE(other) == 0 && PyTuple_CheckExact(self)) return Py_NewRef(self);
  const Py_ssize_t size = Py_SIZE(self) + Py_SIZE(other);
  if (size == 0) return PyTuple_New(0);
  PyTupleObject* result = allocate(size);
  if (result == nullptr) return nullptr;
  copy_items(result->ob_item, as_tuple(self)->ob_item, Py_SIZE(self));
  copy_items(result->ob_item + Py_SIZE(self), as_tuple(other)->ob_item, Py_SIZE(other));
  _PyObject_GC_TRACK(result);
  return as_object(result);
}

PyObject* tuple_repeat(PyObject* self, Py_ssize_t count) {
  const Py_ssize_t size = Py_SIZE(self);
  if ((size == 0 || count == 1) && PyTuple_CheckExact(self)) return Py_NewRef(self);
  if (size == 0 || count <= 0) return PyTuple_New(0);
  if (count > PY_SSIZE_T_MAX / size) return PyErr_NoMemory();
  PyTupleObject* result = allocate(size * count);
  if (result == nullptr) return nullptr;
  PyObject** source = as_tuple(self)->ob_item;
  for (Py_ssize_t i = 0; i < size; i++) {
    Py_SET_REFCNT(source[i], Py_REFCNT(source[i]) + count);
    result->ob_item[i] = source[i];
  }
  for (Py_ssize_t filled = size; filled < size * count;) {
    const Py_ssize_t chunk = filled <= size * count - filled ? filled : size * count - filled;
    memcpy(result->ob_item + filled, result->ob_item, static_cast<size_t>(chunk) * sizeof(PyObject*));
    filled += chunk;
  }
  _PyObject_GC_TRACK(result);
  return as_object(result);
}

PyObject* tuple_subscript(PyObject* self, PyObject* key) {
  if (PyIndex_Check(key)) {
    Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) return nullptr;
    if (index < 0) index += Py_SIZE(self);
    return tuple_item(self, index);
  }
  if (PySlice_Check(key)) {
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) return nullptr;
    const Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (count <= 0) return PyTuple_New(0);
    if (step == 1) return tuple_slice(as_tuple(self), start, start + count);
    PyTupleObject* result = allocate(count);
    if (result == nullptr) return nullptr;
    PyObject** source = as_tuple(self)->ob_item;
    for (Py_ssize_t i = 0; i < count; i++, start += step) result->ob_item[i] = Py_NewRef(source[start]);
    _PyObject_GC_TRACK(result);
    return as_object(result);
  }
  PyErr_Format(PyExc_TypeError, "tuple indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
  return nullptr;
}

PyObject* tuple_richcompare(PyObject* a, PyObject* b, int op) {
  if (!PyTuple_Check(a) || !PyTuple_Check(b)) Py_RETURN_NOTIMPLEMENTED;
  const Py_ssize_t size_a = Py_SIZE(a), size_b = Py_SIZE(b);
  const Py_ssize_t common = size_a < size_b ? size_a : size_b;
  Py_ssize_t i = 0;
  for (; i < common; i++) {
    const int equal = items_equal(as_tuple(a)->ob_item[i], as_tuple(b)->ob_item[i]);
    if (equal < 0) return nullptr;
    if (!equal) break;
  }
  if (i >= common) return compare_sizes(size_a, size_b, op);
  if (op == Py_EQ) Py_RETURN_FALSE;
  if (op == Py_NE) Py_RETURN_TRUE;
  return PyObject_RichCompare(as_tuple(a)->ob_item[i], as_tuple(b)->ob_item[i], op);
}

PyObject* tuple_iter(PyObject* self) { return new_sequence_iterator(self, &PyTupleIter_Type, 0); }

PyObject* new_from_iterable(PyTypeObject* type, PyObject* iterable) {
  if (type == &PyTuple_Type) return iterable == nullptr ? PyTuple_New(0) : PySequence_Tuple(iterable);
  Ref<> items = Ref<>::steal(iterable == nullptr ? PyTuple_New(0) : PySequence_Tuple(iterable));
  if (!items) return nullptr;
  const Py_ssize_t size = PyTuple_GET_SIZE(items.get());
  PyObject* self = type->tp_alloc(type, size);
  if (self == nullptr) return nullptr;
  copy_items(as_tuple(self)->ob_item, as_tuple(items.get())->ob_item, size);
  // tp_alloc of a subclass tracked it already.
  return self;
}

Ref<> tuple_new(PyTypeObject* type, PyObject* iterable) { return Ref<>::steal(new_from_iterable(type, iterable)); }
constexpr newfunc tuple_new_bound = constructor<tuple_new, "tuple(iterable=(), /)">;
PyObject* tuple_new_slot(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  // Subclasses may take keywords in their __init__.
  if ((type == &PyTuple_Type || type->tp_init == PyTuple_Type.tp_init) && !_PyArg_NoKeywords("tuple", kwargs)) return nullptr;
  return tuple_new_bound(type, args, nullptr);
}

PyObject* tuple_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (!_PyArg_NoKwnames("tuple", kwnames)) return nullptr;
  const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  if (!_PyArg_CheckPositional("tuple", count, 0, 1)) return nullptr;
  return new_from_iterable(reinterpret_cast<PyTypeObject*>(type), count == 0 ? nullptr : args[0]);
}

PyObject* tuple_count(PyObject* self, PyObject* value) {
  Py_ssize_t count = 0;
  for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
    const int equal = items_equal(as_tuple(self)->ob_item[i], value);
    if (equal < 0) return nullptr;
    count += equal;
  }
  return PyLong_FromSsize_t(count);
}

bool slice_bound(PyObject* value, Py_ssize_t fallback, Py_ssize_t* out) {
  *out = fallback;
  return value == nullptr || _PyEval_SliceIndexNotNone(value, out);
}

PyObject* tuple_index(PyObject* self, PyObject* value, PyObject* start_object, PyObject* stop_object) {
  Py_ssize_t start, stop;
  if (!slice_bound(start_object, 0, &start) || !slice_bound(stop_object, PY_SSIZE_T_MAX, &stop)) return nullptr;
  const Py_ssize_t size = Py_SIZE(self);
  if (start < 0 && (start += size) < 0) start = 0;
  if (stop < 0) stop += size;
  if (stop > size) stop = size;
  for (Py_ssize_t i = start; i < stop; i++) {
    const int equal = items_equal(as_tuple(self)->ob_item[i], value);
    if (equal < 0) return nullptr;
    if (equal) return PyLong_FromSsize_t(i);
  }
  PyErr_SetString(PyExc_ValueError, "tuple.index(x): x not in tuple");
  return nullptr;
}

PyObject* tuple_getnewargs(PyObject* self) {
  return Py_BuildValue("(N)", _PyTuple_FromArray(as_tuple(self)->ob_item, Py_SIZE(self)));
}

PyMethodDef tuple_methods[] = {
    method<tuple_getnewargs, "__getnewargs__($self, /)">(),
    method<tuple_index, "index($self, value, start=0, stop=sys.maxsize, /)",
           "Position of the first item that equals value; ValueError when there is none.">(),
    method<tuple_count, "count($self, value, /)", "How many items equal value.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "tuple[X, ...], for annotations."},
    {},
};

PySequenceMethods tuple_as_sequence = {
    .sq_length = tuple_length,
    .sq_concat = tuple_concat,
    .sq_repeat = tuple_repeat,
    .sq_item = tuple_item,
    .sq_contains = tuple_contains,
};
PyMappingMethods tuple_as_mapping = {
    .mp_length = tuple_length,
    .mp_subscript = tuple_subscript,
};

}  // namespace

}  // namespace pyston

using namespace pyston;

/// New reference; items are null and the caller fills them.
PyObject* PyTuple_New(Py_ssize_t size) {
  if (size == 0) return Py_NewRef(empty_tuple());
  if (UNLIKELY(size < 0)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  PyTupleObject* tuple = allocate(size);
  if (UNLIKELY(tuple == nullptr)) return nullptr;
  for (Py_ssize_t i = 0; i < size; i++) tuple->ob_item[i] = nullptr;
  _PyObject_GC_TRACK(tuple);
  return as_object(tuple);
}

PyObject* _PyTuple_FromArray(PyObject* const* items, Py_ssize_t count) {
  if (count == 0) return Py_NewRef(empty_tuple());
  PyTupleObject* tuple = allocate(count);
  if (UNLIKELY(tuple == nullptr)) return nullptr;
  copy_items(tuple->ob_item, items, count);
  track_filled(tuple, count);
  return as_object(tuple);
}

/// Takes the items over, on failure too.
PyObject* _PyTuple_FromArraySteal(PyObject* const* items, Py_ssize_t count) {
  if (count == 0) return Py_NewRef(empty_tuple());
  PyTupleObject* tuple = allocate(count);
  if (UNLIKELY(tuple == nullptr)) {
    for (Py_ssize_t i = 0; i < count; i++) Py_DECREF(items[i]);
    return nullptr;
  }
  for (Py_ssize_t i = 0; i < count; i++) tuple->ob_item[i] = items[i];
  track_filled(tuple, count);
  return as_object(tuple);
}

PyObject* PyTuple_Pack(Py_ssize_t count, ...) {
  if (count == 0) return PyTuple_New(0);
  PyTupleObject* tuple = allocate(count);
  if (tuple == nullptr) return nullptr;
  va_list arguments;
  va_start(arguments, count);
  for (Py_ssize_t i = 0; i < count; i++) tuple->ob_item[i] = Py_NewRef(va_arg(arguments, PyObject*));
  va_end(arguments);
  track_filled(tuple, count);
  return as_object(tuple);
}

Py_ssize_t PyTuple_Size(PyObject* tuple) {
  if (!PyTuple_Check(tuple)) {
    PyErr_BadInternalCall();
    return -1;
  }
  return Py_SIZE(tuple);
}

PyObject* PyTuple_GetItem(PyObject* tuple, Py_ssize_t index) {
  if (!PyTuple_Check(tuple)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (static_cast<size_t>(index) >= static_cast<size_t>(Py_SIZE(tuple))) {
    PyErr_SetString(PyExc_IndexError, "tuple index out of range");
    return nullptr;
  }
  return as_tuple(tuple)->ob_item[index];
}

/// Steals `item`, on failure too; only for a tuple that nobody else has seen.
int PyTuple_SetItem(PyObject* tuple, Py_ssize_t index, PyObject* item) {
  if (!PyTuple_Check(tuple) || Py_REFCNT(tuple) != 1) {
    Py_XDECREF(item);
    PyErr_BadInternalCall();
    return -1;
  }
  if (static_cast<size_t>(index) >= static_cast<size_t>(Py_SIZE(tuple))) {
    Py_XDECREF(item);
    PyErr_SetString(PyExc_IndexError, "tuple assignment index out of range");
    return -1;
  }
  PyObject* old = std::exchange(as_tuple(tuple)->ob_item[index], item);
  Py_XDECREF(old);
  return 0;
}

PyObject* PyTuple_GetSlice(PyObject* tuple, Py_ssize_t low, Py_ssize_t high) {
  if (tuple == nullptr || !PyTuple_Check(tuple)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  return tuple_slice(as_tuple(tuple), low, high);
}

/// Called by the collector: a tuple of untracked things need not be looked at again.
void _PyTuple_MaybeUntrack(PyObject* object) {
  if (!PyTuple_CheckExact(object) || !_PyObject_GC_IS_TRACKED(object)) return;
  for (Py_ssize_t i = 0, n = Py_SIZE(object); i < n; i++) {
    PyObject* item = as_tuple(object)->ob_item[i];
    // A null item is one that is still to be filled.
    if (item == nullptr || _PyObject_GC_MAY_BE_TRACKED(item)) return;
  }
  _PyObject_GC_UNTRACK(object);
}

/// Resizes a tuple that only the caller holds; on failure *slot is released and null.
int _PyTuple_Resize(PyObject** slot, Py_ssize_t new_size) {
  PyTupleObject* tuple = as_tuple(*slot);
  if (tuple == nullptr || !Py_IS_TYPE(tuple, &PyTuple_Type) || (Py_SIZE(tuple) != 0 && Py_REFCNT(tuple) != 1)) {
    *slot = nullptr;
    Py_XDECREF(as_object(tuple));
    PyErr_BadInternalCall();
    return -1;
  }
  const Py_ssize_t old_size = Py_SIZE(tuple);
  if (old_size == new_size) return 0;
  if (new_size == 0 || old_size == 0) {
    // The empty tuple is shared: it is exchanged, not resized.
    *slot = PyTuple_New(new_size);
    Py_DECREF(as_object(tuple));
    return *slot == nullptr ? -1 : 0;
  }
  if (_PyObject_GC_IS_TRACKED(tuple)) _PyObject_GC_UNTRACK(tuple);
  for (Py_ssize_t i = new_size; i < old_size; i++) Py_CLEAR(tuple->ob_item[i]);
  PyTupleObject* resized = PyObject_GC_Resize(PyTupleObject, tuple, new_size);
  if (resized == nullptr) {
    *slot = nullptr;
    PyObject_GC_Del(tuple);
    return -1;
  }
  _Py_NewReference(as_object(resized));
  for (Py_ssize_t i = old_size; i < new_size; i++) resized->ob_item[i] = nullptr;
  *slot = as_object(resized);
  _PyObject_GC_TRACK(resized);
  return 0;
}

PyStatus _PyTuple_InitGlobalObjects(PyInterpreterState*) { return PyStatus_Ok(); }

PyStatus _PyTuple_InitTypes(PyInterpreterState* interp) {
  if (!_Py_IsMainInterpreter(interp)) return PyStatus_Ok();
  if (PyType_Ready(&PyTuple_Type) < 0) return PyStatus_Error("Can't initialize tuple type");
  if (PyType_Ready(&PyTupleIter_Type) < 0) return PyStatus_Error("Can't initialize tuple iterator type");
  return PyStatus_Ok();
}

void _PyTuple_ClearFreeList(PyInterpreterState* interp) {
  for (int i = 0; i < PyTuple_NFREELISTS; i++) {
    PyTupleObject* tuple = interp->tuple.free_list[i];
    interp->tuple.free_list[i] = nullptr;
    interp->tuple.numfree[i] = 0;
    while (tuple != nullptr) {
      PyTupleObject* next = as_tuple(tuple->ob_item[0]);
      PyObject_GC_Del(tuple);
      tuple = next;
    }
  }
}

void _PyTuple_Fini(PyInterpreterState* interp) { _PyTuple_ClearFreeList(interp); }

void _PyTuple_DebugMallocStats(FILE* out) {
  for (int i = 0; i < PyTuple_NFREELISTS; i++) {
    char name[64];
    PyOS_snprintf(name, sizeof(name), "free %d-sized PyTupleObject", i + 1);
    _PyDebugAllocatorStats(out, name, _PyInterpreterState_GET()->tuple.numfree[i],
                           _PyObject_VAR_SIZE(&PyTuple_Type, i + 1));
  }
}

PyTypeObject PyTuple_Type = {
    .ob_base = type_head(),
    .tp_name = "tuple",
    .tp_basicsize = sizeof(PyTupleObject) - sizeof(PyObject*),
    .tp_itemsize = sizeof(PyObject*),
    .tp_dealloc = tuple_dealloc,
    .tp_repr = tuple_repr,
    .tp_as_sequence = &tuple_as_sequence,
    .tp_as_mapping = &tuple_as_mapping,
    .tp_hash = tuple_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_TUPLE_SUBCLASS |
                _Py_TPFLAGS_MATCH_SELF | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "tuple(iterable=(), /)\n--\n\nAn immutable sequence of the items of the iterable.",
    .tp_traverse = tuple_traverse,
    .tp_richcompare = tuple_richcompare,
    .tp_iter = tuple_iter,
    .tp_methods = tuple_methods,
    .tp_new = tuple_new_slot,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = tuple_vectorcall,
};

static_assert(sizeof(PyTupleObject) == 32);
