// list: a growable array of references. Sorting is in list_sort.cpp.
//
// INVARIANT: during sort() the list looks empty and `allocated` is -1, so that changes made meanwhile are noticed.
// Growth follows CPython's factors (visible through sys.getsizeof).
#include "Objects/containers/list.h"
#include "Objects/containers/trashcan.h"

#include <internal/pycore_ceval.h>
#include <internal/pycore_unicodeobject.h>

namespace pyston {

/// Makes room for `size` items and sets the size. 0, or -1 with MemoryError set.
int list_resize(PyListObject* list, Py_ssize_t size) {
  const Py_ssize_t allocated = list->allocated;
  if (allocated >= size && size >= (allocated >> 1)) {
    Py_SET_SIZE(list, size);
    return 0;
  }
  size_t room = (static_cast<size_t>(size) + (static_cast<size_t>(size) >> 3) + 6) & ~static_cast<size_t>(3);
  // A big jump is more likely an extend to the final size than the start of many appends.
  if (size - Py_SIZE(list) > static_cast<Py_ssize_t>(room) - size) {
    room = (static_cast<size_t>(size) + 3) & ~static_cast<size_t>(3);
  }
  if (size == 0) room = 0;
  PyObject** items = nullptr;
  if (room <= static_cast<size_t>(PY_SSIZE_T_MAX) / sizeof(PyObject*)) {
    items = static_cast<PyObject**>(PyMem_Realloc(list->ob_item, room * sizeof(PyObject*)));
  }
  if (UNLIKELY(items == nullptr)) {
    PyErr_NoMemory();
    return -1;
  }
  list->ob_item = items;
  Py_SET_SIZE(list, size);
  list->allocated = static_cast<Py_ssize_t>(room);
  return 0;
}

namespace {

ALWAYS_INLINE PyListObject* as_list(PyObject* object) { return reinterpret_cast<PyListObject*>(object); }

/// Exactly sized storage for an empty list.
int preallocate(PyListObject* list, Py_ssize_t size) {
  const Py_ssize_t room = size == 0 ? 0 : (size + 1) & ~static_cast<Py_ssize_t>(1);
  PyObject** items = PyMem_New(PyObject*, static_cast<size_t>(room));
  if (items == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  list->ob_item = items;
  list->allocated = room;
  return 0;
}

ALWAYS_INLINE bool in_range(Py_ssize_t index, Py_ssize_t size) {
  return static_cast<size_t>(index) < static_cast<size_t>(size);
}

/// Empty list from the free list; ob_item is null.
ALWAYS_INLINE PyListObject* allocate_list() {
  _Py_list_state* state = &_PyInterpreterState_GET()->list;
  PyListObject* list;
  if (LIKELY(state->numfree > 0)) {
    list = state->free_list[--state->numfree];
    _Py_NewReference(as_object(list));
  } else {
    list = PyObject_GC_New(PyListObject, &PyList_Type);
    if (UNLIKELY(list == nullptr)) return nullptr;
  }
  list->ob_item = nullptr;
  list->allocated = 0;
  Py_SET_SIZE(list, 0);
  return list;
}

/// A list of `size` uninitialised items, untracked.
ALWAYS_INLINE PyListObject* allocate_sized(Py_ssize_t size) {
  PyListObject* list = allocate_list();
  if (UNLIKELY(list == nullptr)) return nullptr;
  if (size > 0) {
    list->ob_item = static_cast<PyObject**>(
        static_cast<size_t>(size) > static_cast<size_t>(PY_SSIZE_T_MAX) / sizeof(PyObject*)
            ? nullptr
            : PyMem_Malloc(static_cast<size_t>(size) * sizeof(PyObject*)));
    if (UNLIKELY(list->ob_item == nullptr)) {
      PyObject_GC_Del(list);
      PyErr_NoMemory();
      return nullptr;
    }
    list->allocated = size;
    Py_SET_SIZE(list, size);
  }
  return list;
}

/// Drops `count` items last to first, then the memory.
void drop_items(PyObject** items, Py_ssize_t count) {
  while (--count >= 0) Py_XDECREF(items[count]);
  PyMem_Free(items);
}

void list_clear_items(PyListObject* list) {
  PyObject** items = list->ob_item;
  if (items == nullptr) return;
  const Py_ssize_t size = Py_SIZE(list);
  Py_SET_SIZE(list, 0);
  list->ob_item = nullptr;
  list->allocated = 0;
  drop_items(items, size);
}

void list_dealloc(PyObject* self) {
  untrack(self);
  TrashcanScope scope(self, list_dealloc);
  if (UNLIKELY(scope.postponed())) return;
  PyListObject* list = as_list(self);
  if (list->ob_item != nullptr) drop_items(list->ob_item, Py_SIZE(list));
  _Py_list_state* state = &_PyInterpreterState_GET()->list;
  if (LIKELY(state->numfree < PyList_MAXFREELIST && PyList_CheckExact(self))) {
    state->free_list[state->numfree++] = list;
  } else {
    Py_TYPE(self)->tp_free(self);
  }
}

int list_traverse(PyObject* self, visitproc visit, void* arg) {
  for (Py_ssize_t i = Py_SIZE(self); --i >= 0;) Py_VISIT(as_list(self)->ob_item[i]);
  return 0;
}

int list_clear_slot(PyObject* self) {
  list_clear_items(as_list(self));
  return 0;
}

PyObject* list_repr(PyObject* self) {
  if (Py_SIZE(self) == 0) return PyUnicode_FromString("[]");
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered > 0 ? PyUnicode_FromString("[...]") : nullptr;
  _PyUnicodeWriter writer;
  _PyUnicodeWriter_Init(&writer);
  writer.overallocate = 1;
  writer.min_length = 1 + 1 + 3 * (Py_SIZE(self) - 1) + 1;
  bool fine = _PyUnicodeWriter_WriteChar(&writer, '[') == 0;
  // The size is read anew each time: __repr__ may change the list.
  for (Py_ssize_t i = 0; fine && i < Py_SIZE(self); i++) {
    Ref<> item = Ref<>::dup(as_list(self)->ob_item[i]);
    if (i > 0) fine = _PyUnicodeWriter_WriteASCIIString(&writer, ", ", 2) == 0;
    Ref<> text = fine ? Ref<>::steal(PyObject_Repr(item.get())) : nullptr;
    fine = text && _PyUnicodeWriter_WriteStr(&writer, text.get()) == 0;
  }
  if (fine) {
    writer.overallocate = 0;
    fine = _PyUnicodeWriter_WriteChar(&writer, ']') == 0;
  }
  Py_ReprLeave(self);
  if (!fine) {
    _PyUnicodeWriter_Dealloc(&writer);
    return nullptr;
  }
  return _PyUnicodeWriter_Finish(&writer);
}

Py_ssize_t list_length(PyObject* self) { return Py_SIZE(self); }

int list_contains(PyObject* self, PyObject* value) {
  for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
    const int equal = items_equal(as_list(self)->ob_item[i], value);
    if (equal != 0) return equal;
  }
  return 0;
}

PyObject* list_item(PyObject* self, Py_ssize_t index) {
  if (UNLIKELY(!in_range(index, Py_SIZE(self)))) {
    PyErr_SetString(PyExc_IndexError, "list index out of range");
    return nullptr;
  }
  return Py_NewRef(as_list(self)->ob_item[index]);
}

PyObject* list_slice(PyListObject* list, Py_ssize_t low, Py_ssize_t high) {
  const Py_ssize_t size = high - low;
  PyListObject* result = allocate_sized(size <= 0 ? 0 : size);
  if (result == nullptr) return nullptr;
  if (size > 0) copy_items(result->ob_item, list->ob_item + low, size);
  _PyObject_GC_TRACK(result);
  return as_object(result);
}

PyObject* list_concat(PyObject* self, PyObject* other) {
  if (!PyList_Check(other)) {
    PyErr_Format(PyExc_TypeError, "can only concatenate list (not \"%.200s\") to list", Py_TYPE(other)->tp_name);
    return nullptr;
  }
  if (Py_SIZE(self) > PY_SSIZE_T_MAX - Py_SIZE(other)) return PyErr_NoMemory();
  PyListObject* result = allocate_sized(Py_SIZE(self) + Py_SIZE(other));
  if (result == nullptr) return nullptr;
  copy_items(result->ob_item, as_list(self)->ob_item, Py_SIZE(self));
  copy_items(result->ob_item + Py_SIZE(self), as_list(other)->ob_item, Py_SIZE(other));
  _PyObject_GC_TRACK(result);
  return as_object(result);
}

/// Fills items[size .. size*count) with copies of the first `size` items, whose references are taken here.
void replicate(PyObject** items, Py_ssize_t size, Py_ssize_t count, Py_ssize_t new_references) {
  for (Py_ssize_t i = 0; i < size; i++) Py_SET_REFCNT(items[i], Py_REFCNT(items[i]) + new_references);
  const Py_ssize_t total = size * count;
  if (size == 1) {
    PyObject* item = items[0];
    for (Py_ssize_t i = 1; i < total; i++) items[i] = item;
    return;
  }
  for (Py_ssize_t filled = size; filled < total;) {
    const Py_ssize_t chunk = filled <= total - filled ? filled : total - filled;
    memcpy(items + filled, items, static_cast<size_t>(chunk) * sizeof(PyObject*));
    filled += chunk;
  }
}

PyObject* list_repeat(PyObject* self, Py_ssize_t count) {
  const Py_ssize_t size = Py_SIZE(self);
  if (count <= 0 || size == 0) return PyList_New(0);
  if (size > PY_SSIZE_T_MAX / count) return PyErr_NoMemory();
  PyListObject* result = allocate_sized(size * count);
  if (result == nullptr) return nullptr;
  memcpy(result->ob_item, as_list(self)->ob_item, static_cast<size_t>(size) * sizeof(PyObject*));
  replicate(result->ob_item, size, count, count);
  _PyObject_GC_TRACK(result);
  return as_object(result);
}

PyObject* list_inplace_repeat(PyObject* self, Py_ssize_t count) {
  const Py_ssize_t size = Py_SIZE(self);
  if (size == 0 || count == 1) return Py_NewRef(self);
  if (count < 1) {
    list_clear_items(as_list(self));
    return Py_NewRef(self);
  }
  if (size > PY_SSIZE_T_MAX / count) return PyErr_NoMemory();
  if (list_resize(as_list(self), size * count) < 0) return nullptr;
  replicate(as_list(self)->ob_item, size, count, count - 1);
  return Py_NewRef(self);
}

/// list[low:high] = items (null: none); low and high are clamped. 0 or -1.
int assign_slice(PyListObject* list, Py_ssize_t low, Py_ssize_t high, PyObject* value) {
  Ref<> source;
  PyObject** new_items = nullptr;
  Py_ssize_t count = 0;
  if (value != nullptr) {
    if (as_object(list) == value) {
      source = Ref<>::steal(list_slice(list, 0, Py_SIZE(list)));  // l[a:b] = l
    } else {
      source = Ref<>::steal(PySequence_Fast(value, "can only assign an iterable"));
    }
    if (!source) return -1;
    count = PySequence_Fast_GET_SIZE(source.get());
    new_items = PySequence_Fast_ITEMS(source.get());
  }
  const Py_ssize_t size = Py_SIZE(list);
  if (low < 0) low = 0;
  if (low > size) low = size;
  if (high < low) high = low;
  if (high > size) high = size;
  const Py_ssize_t removed = high - low;
  const Py_ssize_t change = count - removed;
  if (size + change == 0) {
    list_clear_items(list);
    return 0;
  }
  // What is removed is dropped last: that can run any code.
  PyObject* few[8];
  PyObject** recycle = few;
  if (removed > 8) {
    recycle = PyMem_New(PyObject*, static_cast<size_t>(removed));
    if (recycle == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
  }
  if (removed > 0) memcpy(recycle, list->ob_item + low, static_cast<size_t>(removed) * sizeof(PyObject*));
  int status = 0;
  if (change < 0) {
    memmove(list->ob_item + high + change, list->ob_item + high,
            static_cast<size_t>(size - high) * sizeof(PyObject*));
    if (list_resize(list, size + change) < 0) {
      // Shrinking in place cannot fail for good: keep the larger block.
      PyErr_Clear();
      Py_SET_SIZE(list, size + change);
    }
  } else if (change > 0) {
    if (list_resize(list, size + change) < 0) {
      status = -1;
    } else {
      memmove(list->ob_item + high + change, list->ob_item + high,
              static_cast<size_t>(size - high) * sizeof(PyObject*));
    }
  }
  if (status == 0) {
    copy_items(list->ob_item + low, new_items, count);
    for (Py_ssize_t i = removed; --i >= 0;) Py_XDECREF(recycle[i]);
  }
  if (recycle != few) PyMem_Free(recycle);
  return status;
}

int assign_item(PyListObject* list, Py_ssize_t index, PyObject* value) {
  if (UNLIKELY(!in_range(index, Py_SIZE(list)))) {
    PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
    return -1;
  }
  if (value == nullptr) return assign_slice(list, index, index + 1, nullptr);
  PyObject* old = std::exchange(list->ob_item[index], Py_NewRef(value));
  Py_DECREF(old);
  return 0;
}

int list_assign_item(PyObject* self, Py_ssize_t index, PyObject* value) {
  return assign_item(as_list(self), index, value);
}

PyObject* list_subscript(PyObject* self, PyObject* key) {
  if (PyIndex_Check(key)) {
    Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) return nullptr;
    if (index < 0) index += Py_SIZE(self);
    return list_item(self, index);
  }
  if (PySlice_Check(key)) {
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) return nullptr;
    const Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (count <= 0) return PyList_New(0);
    if (step == 1) return list_slice(as_list(self), start, start + count);
    PyListObject* result = allocate_sized(count);
    if (result == nullptr) return nullptr;
    PyObject** source = as_list(self)->ob_item;
    for (Py_ssize_t i = 0; i < count; i++, start += step) result->ob_item[i] = Py_NewRef(source[start]);
    _PyObject_GC_TRACK(result);
    return as_object(result);
  }
  PyErr_Format(PyExc_TypeError, "list indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
  return nullptr;
}

/// del list[start:stop:step] with step != 1 and count > 0 items.
int delete_extended(PyListObject* list, Py_ssize_t start, Py_ssize_t step, Py_ssize_t count) {
  if (step < 0) {  // the same items from the other end
    start = start + step * (count - 1);
    step = -step;
  }
  PyObject** garbage = PyMem_New(PyObject*, static_cast<size_t>(count));
  if (garbage == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  PyObject** items = list->ob_item;
  const Py_ssize_t size = Py_SIZE(list);
  Py_ssize_t out = start;
  for (Py_ssize_t i = 0, position = start; i < count; i++, position += step) {
    garbage[i] = items[position];
    const Py_ssize_t next = i + 1 < count ? position + step : size;
    const Py_ssize_t kept = next - position - 1;
    memmove(items + out, items + position + 1, static_cast<size_t>(kept) * sizeof(PyObject*));
    out += kept;
  }
  Py_SET_SIZE(list, size - count);
  const int status = list_resize(list, size - count);
  for (Py_ssize_t i = 0; i < count; i++) Py_DECREF(garbage[i]);
  PyMem_Free(garbage);
  return status;
}

int assign_extended(PyListObject* list, PyObject* key, PyObject* value) {
  Ref<> source = Ref<>::steal(as_object(list) == value
                                  ? list_slice(list, 0, Py_SIZE(list))
                                  : PySequence_Fast(value, "must assign iterable to extended slice"));
  if (!source) return -1;
  // Building the source can have changed the list: positions are computed now.
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(key, &start, &stop, &step) < 0) return -1;
  const Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(list), &start, &stop, step);
  if (PySequence_Fast_GET_SIZE(source.get()) != count) {
    PyErr_Format(PyExc_ValueError, "attempt to assign sequence of size %zd to extended slice of size %zd",
                 PySequence_Fast_GET_SIZE(source.get()), count);
    return -1;
  }
  if (count == 0) return 0;
  PyObject** garbage = PyMem_New(PyObject*, static_cast<size_t>(count));
  if (garbage == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  PyObject** new_items = PySequence_Fast_ITEMS(source.get());
  for (Py_ssize_t i = 0; i < count; i++, start += step) {
    garbage[i] = std::exchange(list->ob_item[start], Py_NewRef(new_items[i]));
  }
  for (Py_ssize_t i = 0; i < count; i++) Py_DECREF(garbage[i]);
  PyMem_Free(garbage);
  return 0;
}

int list_assign_subscript(PyObject* self, PyObject* key, PyObject* value) {
  PyListObject* list = as_list(self);
  if (PyIndex_Check(key)) {
    Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) return -1;
    if (index < 0) index += Py_SIZE(list);
    return assign_item(list, index, value);
  }
  if (!PySlice_Check(key)) {
    PyErr_Format(PyExc_TypeError, "list indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
    return -1;
  }
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(key, &start, &stop, &step) < 0) return -1;
  const Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(list), &start, &stop, step);
  if (step == 1) return assign_slice(list, start, stop, value);
  if (value == nullptr) return count <= 0 ? 0 : delete_extended(list, start, step, count);
  return assign_extended(list, key, value);
}

PyObject* list_richcompare(PyObject* a, PyObject* b, int op) {
  if (!PyList_Check(a) || !PyList_Check(b)) Py_RETURN_NOTIMPLEMENTED;
  if (Py_SIZE(a) != Py_SIZE(b) && (op == Py_EQ || op == Py_NE)) {
    return Py_NewRef(op == Py_EQ ? Py_False : Py_True);
  }
  Py_ssize_t i = 0;
  for (; i < Py_SIZE(a) && i < Py_SIZE(b); i++) {
    const int equal = items_equal(as_list(a)->ob_item[i], as_list(b)->ob_item[i]);
    if (equal < 0) return nullptr;
    if (!equal) break;
  }
  if (i >= Py_SIZE(a) || i >= Py_SIZE(b)) return compare_sizes(Py_SIZE(a), Py_SIZE(b), op);
  if (op == Py_EQ) Py_RETURN_FALSE;
  if (op == Py_NE) Py_RETURN_TRUE;
  Ref<> left = Ref<>::dup(as_list(a)->ob_item[i]), right = Ref<>::dup(as_list(b)->ob_item[i]);
  return PyObject_RichCompare(left.get(), right.get(), op);
}

PyObject* list_iter(PyObject* self) { return new_sequence_iterator(self, &PyListIter_Type, 0); }

// ---- extend ------------------------------------------------------------------------------------------------------

int extend_from_items(PyListObject* list, PyObject* source) {
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(source);
  if (count == 0) return 0;
  const Py_ssize_t size = Py_SIZE(list);
  if (list->ob_item == nullptr) {
    if (preallocate(list, count) < 0) return -1;
    Py_SET_SIZE(list, count);
  } else if (list_resize(list, size + count) < 0) {
    return -1;
  }
  // Read after the resize: the source can be the list itself.
  copy_items(list->ob_item + size, PySequence_Fast_ITEMS(source), count);
  return 0;
}

int extend_from_iterator(PyListObject* list, PyObject* iterable) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return -1;
  iternextfunc next = Py_TYPE(iterator.get())->tp_iternext;
  const Py_ssize_t hint = PyObject_LengthHint(iterable, 8);
  if (hint < 0) return -1;
  const Py_ssize_t size = Py_SIZE(list);
  if (hint > PY_SSIZE_T_MAX - size) {
    // The iterable lies or memory will run out anyway; go on and see.
  } else if (list->ob_item == nullptr) {
    if (hint > 0 && preallocate(list, hint) < 0) return -1;
  } else {
    if (list_resize(list, size + hint) < 0) return -1;
    Py_SET_SIZE(list, size);
  }
  while (true) {
    PyObject* item = next(iterator.get());
    if (item == nullptr) {
      if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
        PyErr_Clear();
      }
      break;
    }
    if (LIKELY(Py_SIZE(list) < list->allocated)) {
      const Py_ssize_t end = Py_SIZE(list);
      list->ob_item[end] = item;
      Py_SET_SIZE(list, end + 1);
    } else if (_PyList_AppendTakeRefListResize(list, item) < 0) {
      return -1;
    }
  }
  // Give back what the hint claimed too much.
  if (Py_SIZE(list) < list->allocated) return list_resize(list, Py_SIZE(list));
  return 0;
}

int list_extend(PyListObject* list, PyObject* iterable) {
  if (PyList_CheckExact(iterable) || PyTuple_CheckExact(iterable) || iterable == as_object(list)) {
    return extend_from_items(list, iterable);
  }
  return extend_from_iterator(list, iterable);
}

PyObject* list_extend_method(PyObject* self, PyObject* iterable) {
  if (list_extend(as_list(self), iterable) < 0) return nullptr;
  Py_RETURN_NONE;
}

PyObject* list_inplace_concat(PyObject* self, PyObject* other) {
  if (list_extend(as_list(self), other) < 0) return nullptr;
  return Py_NewRef(self);
}

int insert_at(PyListObject* list, Py_ssize_t where, PyObject* value) {
  const Py_ssize_t size = Py_SIZE(list);
  if (list_resize(list, size + 1) < 0) return -1;
  if (where < 0 && (where += size) < 0) where = 0;
  if (where > size) where = size;
  PyObject** items = list->ob_item;
  memmove(items + where + 1, items + where, static_cast<size_t>(size - where) * sizeof(PyObject*));
  items[where] = Py_NewRef(value);
  return 0;
}

// ---- Construction ------------------------------------------------------------------------------------------------

int list_init_from(PyObject* self, PyObject* iterable) {
  PyListObject* list = as_list(self);
  if (list->ob_item != nullptr) list_clear_items(list);
  return iterable == nullptr ? 0 : list_extend(list, iterable);
}

int list_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  // Subclasses with their own __new__ or __init__ may be called with keywords.
  if (PyList_CheckExact(self) && !_PyArg_NoKeywords("list", kwargs)) return -1;
  if (!PyList_CheckExact(self) && Py_TYPE(self)->tp_new == PyList_Type.tp_new && !_PyArg_NoKeywords("list", kwargs)) {
    return -1;
  }
  if (!_PyArg_CheckPositional("list", PyTuple_GET_SIZE(args), 0, 1)) return -1;
  return list_init_from(self, PyTuple_GET_SIZE(args) == 0 ? nullptr : PyTuple_GET_ITEM(args, 0));
}

PyObject* list_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (!_PyArg_NoKwnames("list", kwnames)) return nullptr;
  const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  if (!_PyArg_CheckPositional("list", count, 0, 1)) return nullptr;
  Ref<> list = Ref<>::steal(type == as_object(&PyList_Type)
                                ? PyList_New(0)
                                : PyType_GenericAlloc(reinterpret_cast<PyTypeObject*>(type), 0));
  if (!list) return nullptr;
  if (count > 0 && list_extend(as_list(list.get()), args[0]) < 0) return nullptr;
  return list.release();
}

// ---- Methods -----------------------------------------------------------------------------------------------------

PyObject* list_append(PyObject* self, PyObject* value) {
  if (_PyList_AppendTakeRef(as_list(self), Py_NewRef(value)) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* list_clear(PyObject* self) {
  list_clear_items(as_list(self));
  Py_RETURN_NONE;
}
PyObject* list_copy(PyObject* self) { return list_slice(as_list(self), 0, Py_SIZE(self)); }
PyObject* list_count(PyObject* self, PyObject* value) {
  Py_ssize_t count = 0;
  for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
    const int equal = items_equal(as_list(self)->ob_item[i], value);
    if (equal < 0) return nullptr;
    count += equal;
  }
  return PyLong_FromSsize_t(count);
}
PyObject* list_index(PyObject* self, PyObject* value, PyObject* start_object, PyObject* stop_object) {
  Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX;
  if (start_object != nullptr && !_PyEval_SliceIndexNotNone(start_object, &start)) return nullptr;
  if (stop_object != nullptr && !_PyEval_SliceIndexNotNone(stop_object, &stop)) return nullptr;
  if (start < 0 && (start += Py_SIZE(self)) < 0) start = 0;
  if (stop < 0 && (stop += Py_SIZE(self)) < 0) stop = 0;
  for (Py_ssize_t i = start; i < stop && i < Py_SIZE(self); i++) {
    const int equal = items_equal(as_list(self)->ob_item[i], value);
    if (equal < 0) return nullptr;
    if (equal) return PyLong_FromSsize_t(i);
  }
  PyErr_Format(PyExc_ValueError, "%R is not in list", value);
  return nullptr;
}
PyObject* list_insert(PyObject* self, Py_ssize_t index, PyObject* value) {
  if (insert_at(as_list(self), index, value) < 0) return nullptr;
  Py_RETURN_NONE;
}
PyObject* list_pop(PyObject* self, Optional<Py_ssize_t> wanted) {
  PyListObject* list = as_list(self);
  Py_ssize_t index = wanted.value_or(-1);
  const Py_ssize_t size = Py_SIZE(list);
  if (UNLIKELY(size == 0)) {
    PyErr_SetString(PyExc_IndexError, "pop from empty list");
    return nullptr;
  }
  if (index < 0) index += size;
  if (UNLIKELY(!in_range(index, size))) {
    PyErr_SetString(PyExc_IndexError, "pop index out of range");
    return nullptr;
  }
  PyObject** items = list->ob_item;
  PyObject* value = items[index];
  if (size == 1) {
    list->ob_item = nullptr;
    list->allocated = 0;
    Py_SET_SIZE(list, 0);
    PyMem_Free(items);
    return value;
  }
  memmove(items + index, items + index + 1, static_cast<size_t>(size - 1 - index) * sizeof(PyObject*));
  Py_SET_SIZE(list, size - 1);
  if (UNLIKELY(size - 1 < (list->allocated >> 1)) && list_resize(list, size - 1) < 0) PyErr_Clear();
  return value;
}
PyObject* list_remove(PyObject* self, PyObject* value) {
  for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
    const int equal = items_equal(as_list(self)->ob_item[i], value);
    if (equal < 0) return nullptr;
    if (equal) {
      if (assign_slice(as_list(self), i, i + 1, nullptr) < 0) return nullptr;
      Py_RETURN_NONE;
    }
  }
  PyErr_SetString(PyExc_ValueError, "list.remove(x): x not in list");
  return nullptr;
}
PyObject* list_reverse(PyObject* self) {
  reverse_items(as_list(self)->ob_item, Py_SIZE(self));
  Py_RETURN_NONE;
}
PyObject* list_reversed(PyObject* self) {
  return new_sequence_iterator(self, &PyListRevIter_Type, Py_SIZE(self) - 1);
}
PyObject* list_sizeof(PyObject* self) {
  return PyLong_FromSsize_t(static_cast<Py_ssize_t>(_PyObject_SIZE(Py_TYPE(self))) +
                            as_list(self)->allocated * static_cast<Py_ssize_t>(sizeof(PyObject*)));
}
PyObject* list_sort_method(PyObject* self, PyObject* key, Optional<int> reverse) {
  return sort_list(as_list(self), key == Py_None ? nullptr : key, reverse.value_or(0) != 0);
}

PyMethodDef list_methods[] = {
    method<list_subscript, "__getitem__($self, index, /)", "x.__getitem__(y) <==> x[y]">(METH_COEXIST),
    method<list_reversed, "__reversed__($self, /)", "An iterator from the end to the start.">(),
    method<list_sizeof, "__sizeof__($self, /)", "Memory used by the list, in bytes.">(),
    method<list_clear, "clear($self, /)", "Remove all items.">(),
    method<list_copy, "copy($self, /)", "A shallow copy.">(),
    method<list_append, "append($self, object, /)", "Add the object at the end.">(),
    method<list_insert, "insert($self, index, object, /)", "Insert the object before the index.">(),
    method<list_extend_method, "extend($self, iterable, /)", "Add all items of the iterable at the end.">(),
    method<list_pop, "pop($self, index=-1, /)", "Remove and return the item at the index, the last by default.">(),
    method<list_remove, "remove($self, value, /)", "Remove the first item that equals value; ValueError without one.">(),
    method<list_index, "index($self, value, start=0, stop=sys.maxsize, /)",
           "Position of the first item that equals value; ValueError when there is none.">(),
    method<list_count, "count($self, value, /)", "How many items equal value.">(),
    method<list_reverse, "reverse($self, /)", "Turn the order round, in place.">(),
    method<list_sort_method, "sort($self, /, *, key=None, reverse=False)",
           "Sort in place, ascending unless reverse is true; equal items keep their order.\n\n"
           "With key, items are ordered by what key(item) gives, called once for each.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "list[X], for annotations."},
    {},
};

PySequenceMethods list_as_sequence = {
    .sq_length = list_length,
    .sq_concat = list_concat,
    .sq_repeat = list_repeat,
    .sq_item = list_item,
    .sq_ass_item = list_assign_item,
    .sq_contains = list_contains,
    .sq_inplace_concat = list_inplace_concat,
    .sq_inplace_repeat = list_inplace_repeat,
};
PyMappingMethods list_as_mapping = {
    .mp_length = list_length,
    .mp_subscript = list_subscript,
    .mp_ass_subscript = list_assign_subscript,
};

COLD int not_a_list() {
  PyErr_BadInternalCall();
  return -1;
}

}  // namespace
}  // namespace pyston

using namespace pyston;

/// New reference; items are null and the caller fills them.
PyObject* PyList_New(Py_ssize_t size) {
  if (UNLIKELY(size < 0)) {
    not_a_list();
    return nullptr;
  }
  PyListObject* list = allocate_sized(size);
  if (UNLIKELY(list == nullptr)) return nullptr;
  for (Py_ssize_t i = 0; i < size; i++) list->ob_item[i] = nullptr;
  _PyObject_GC_TRACK(list);
  return as_object(list);
}

Py_ssize_t PyList_Size(PyObject* list) { return PyList_Check(list) ? Py_SIZE(list) : not_a_list(); }

/// Borrowed.
PyObject* PyList_GetItem(PyObject* list, Py_ssize_t index) {
  if (!PyList_Check(list)) {
    not_a_list();
    return nullptr;
  }
  if (!in_range(index, Py_SIZE(list))) {
    PyErr_SetString(PyExc_IndexError, "list index out of range");
    return nullptr;
  }
  return as_list(list)->ob_item[index];
}

/// Steals `item`, on failure too.
int PyList_SetItem(PyObject* list, Py_ssize_t index, PyObject* item) {
  if (!PyList_Check(list)) {
    Py_XDECREF(item);
    return not_a_list();
  }
  if (!in_range(index, Py_SIZE(list))) {
    Py_XDECREF(item);
    PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
    return -1;
  }
  PyObject* old = std::exchange(as_list(list)->ob_item[index], item);
  Py_XDECREF(old);
  return 0;
}

int PyList_Insert(PyObject* list, Py_ssize_t where, PyObject* item) {
  return PyList_Check(list) && item != nullptr ? insert_at(as_list(list), where, item) : not_a_list();
}

int PyList_Append(PyObject* list, PyObject* item) {
  if (!PyList_Check(list) || item == nullptr) return not_a_list();
  return _PyList_AppendTakeRef(as_list(list), Py_NewRef(item));
}

/// Steals `item`; the slow half of _PyList_AppendTakeRef.
int _PyList_AppendTakeRefListResize(PyListObject* list, PyObject* item) {
  const Py_ssize_t size = Py_SIZE(list);
  if (list_resize(list, size + 1) < 0) {
    Py_DECREF(item);
    return -1;
  }
  list->ob_item[size] = item;
  return 0;
}

PyObject* PyList_GetSlice(PyObject* list, Py_ssize_t low, Py_ssize_t high) {
  if (!PyList_Check(list)) {
    not_a_list();
    return nullptr;
  }
  const Py_ssize_t size = Py_SIZE(list);
  if (low < 0) low = 0;
  if (low > size) low = size;
  if (high < low) high = low;
  if (high > size) high = size;
  return list_slice(as_list(list), low, high);
}

int PyList_SetSlice(PyObject* list, Py_ssize_t low, Py_ssize_t high, PyObject* items) {
  return PyList_Check(list) ? assign_slice(as_list(list), low, high, items) : not_a_list();
}

PyObject* _PyList_Extend(PyListObject* list, PyObject* iterable) {
  return list_extend_method(as_object(list), iterable);
}

int PyList_Sort(PyObject* list) {
  if (list == nullptr || !PyList_Check(list)) return not_a_list();
  Ref<> done = Ref<>::steal(sort_list(as_list(list), nullptr, false));
  return done ? 0 : -1;
}

int PyList_Reverse(PyObject* list) {
  if (list == nullptr || !PyList_Check(list)) return not_a_list();
  reverse_items(as_list(list)->ob_item, Py_SIZE(list));
  return 0;
}

PyObject* PyList_AsTuple(PyObject* list) {
  if (list == nullptr || !PyList_Check(list)) {
    not_a_list();
    return nullptr;
  }
  return _PyTuple_FromArray(as_list(list)->ob_item, Py_SIZE(list));
}

void _PyList_ClearFreeList(PyInterpreterState* interp) {
  while (interp->list.numfree > 0) PyObject_GC_Del(interp->list.free_list[--interp->list.numfree]);
}

void _PyList_Fini(PyInterpreterState* interp) { _PyList_ClearFreeList(interp); }

void _PyList_DebugMallocStats(FILE* out) {
  _PyDebugAllocatorStats(out, "free PyListObject", _PyInterpreterState_GET()->list.numfree, sizeof(PyListObject));
}

PyTypeObject PyList_Type = {
    .ob_base = type_head(),
    .tp_name = "list",
    .tp_basicsize = sizeof(PyListObject),
    .tp_dealloc = list_dealloc,
    .tp_repr = list_repr,
    .tp_as_sequence = &list_as_sequence,
    .tp_as_mapping = &list_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_LIST_SUBCLASS |
                _Py_TPFLAGS_MATCH_SELF | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "list(iterable=(), /)\n--\n\nA mutable sequence of the items of the iterable.",
    .tp_traverse = list_traverse,
    .tp_clear = list_clear_slot,
    .tp_richcompare = list_richcompare,
    .tp_iter = list_iter,
    .tp_methods = list_methods,
    .tp_init = list_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = list_vectorcall,
};

static_assert(sizeof(PyListObject) == 40);
