// What keys(), values(), items() and iteration over a dict give: views, forward and reverse iterators.
#include "Objects/bind.h"
#include "Objects/containers/dict.h"

namespace pyston {
namespace {

ALWAYS_INLINE PyDictObject* as_dict(PyObject* object) { return reinterpret_cast<PyDictObject*>(object); }
ALWAYS_INLINE DictIterObject* as_iter(PyObject* object) { return reinterpret_cast<DictIterObject*>(object); }
ALWAYS_INLINE _PyDictViewObject* as_view(PyObject* object) { return reinterpret_cast<_PyDictViewObject*>(object); }

// ---- Iterators ---------------------------------------------------------------------------------------------------

enum class Yield { kKeys, kValues, kItems };

void iter_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_object(as_iter(self)->dict));
  Py_XDECREF(as_iter(self)->result);
  PyObject_GC_Del(self);
}

int iter_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(as_iter(self)->dict));
  Py_VISIT(as_iter(self)->result);
  return 0;
}

COLD PyObject* iteration_failed(DictIterObject* self, const char* message) {
  PyErr_SetString(PyExc_RuntimeError, message);
  self->used = -1;  // every later step fails too
  return nullptr;
}

COLD PyObject* iteration_done(DictIterObject* self) {
  PyDictObject* dict = self->dict;
  self->dict = nullptr;
  Py_DECREF(as_object(dict));
  return nullptr;
}

/// The reusable pair when nobody else holds it, else a new one.
ALWAYS_INLINE PyObject* make_pair(DictIterObject* self, PyObject* key, PyObject* value) {
  Py_INCREF(key);
  Py_INCREF(value);
  PyObject* pair = self->result;
  if (Py_REFCNT(pair) == 1) {
    PyObject* old_key = PyTuple_GET_ITEM(pair, 0);
    PyObject* old_value = PyTuple_GET_ITEM(pair, 1);
    PyTuple_SET_ITEM(pair, 0, key);
    PyTuple_SET_ITEM(pair, 1, value);
    Py_INCREF(pair);
    Py_DECREF(old_key);
    Py_DECREF(old_value);
    // The collector may have untracked the pair while it held only atoms.
    if (!_PyObject_GC_IS_TRACKED(pair)) _PyObject_GC_TRACK(pair);
    return pair;
  }
  pair = PyTuple_New(2);
  if (UNLIKELY(pair == nullptr)) {
    Py_DECREF(key);
    Py_DECREF(value);
    return nullptr;
  }
  PyTuple_SET_ITEM(pair, 0, key);
  PyTuple_SET_ITEM(pair, 1, value);
  return pair;
}

template <Yield kYield>
ALWAYS_INLINE PyObject* yield_entry(DictIterObject* self, PyObject* key, PyObject* value) {
  if constexpr (kYield == Yield::kKeys) return Py_NewRef(key);
  if constexpr (kYield == Yield::kValues) return Py_NewRef(value);
  return make_pair(self, key, value);
}

template <Yield kYield>
PyObject* iter_next(PyObject* object) {
  DictIterObject* self = as_iter(object);
  PyDictObject* dict = self->dict;
  if (UNLIKELY(dict == nullptr)) return nullptr;
  if (UNLIKELY(self->used != dict->ma_used)) {
    return iteration_failed(self, "dictionary changed size during iteration");
  }
  PyObject *key, *value;
  if (!next_entry(dict, &self->position, &key, &value, nullptr)) return iteration_done(self);
  // As many entries as the dict has were given already: some were removed and others added.
  if (UNLIKELY(self->length == 0)) return iteration_failed(self, "dictionary keys changed during iteration");
  self->length--;
  return yield_entry<kYield>(self, key, value);
}

template <Yield kYield>
PyObject* reverse_next(PyObject* object) {
  DictIterObject* self = as_iter(object);
  PyDictObject* dict = self->dict;
  if (dict == nullptr) return nullptr;
  if (self->used != dict->ma_used) return iteration_failed(self, "dictionary changed size during iteration");
  const Py_ssize_t limit = iteration_limit(dict);
  PyObject *key, *value;
  // The table may have been compacted without a change of size.
  if (self->position >= limit) self->position = limit - 1;
  do {
    if (self->position < 0) return iteration_done(self);
  } while (!entry_at(dict, self->position--, &key, &value, nullptr));
  self->length--;
  return yield_entry<kYield>(self, key, value);
}

PyObject* iter_length_hint(PyObject* object) {
  DictIterObject* self = as_iter(object);
  const Py_ssize_t length = self->dict != nullptr && self->used == self->dict->ma_used ? self->length : 0;
  return PyLong_FromSsize_t(length);
}

bool is_reverse(PyObject* self) {
  return Py_IS_TYPE(self, &PyDictRevIterKey_Type) || Py_IS_TYPE(self, &PyDictRevIterValue_Type) ||
         Py_IS_TYPE(self, &PyDictRevIterItem_Type);
}

/// Pickled as iter(list of what is left).
PyObject* iter_reduce(PyObject* object) {
  // A copy with its own position gives what is left without moving this one.
  DictIterObject* self = as_iter(object);
  Ref<> rest;
  if (self->dict != nullptr) {
    Ref<> copy = Ref<>::steal(new_dict_iterator(self->dict, Py_TYPE(object)));
    if (!copy) return nullptr;
    as_iter(copy.get())->used = self->used;
    as_iter(copy.get())->position = self->position;
    as_iter(copy.get())->length = self->length;
    rest = Ref<>::steal(PySequence_List(copy.get()));
  } else {
    rest = Ref<>::steal(PyList_New(0));
  }
  if (!rest) return nullptr;
  return Py_BuildValue("N(N)", _PyEval_GetBuiltin(&_Py_ID(iter)), rest.release());
}

PyMethodDef iter_methods[] = {
    method<iter_length_hint, "__length_hint__($self, /)", "How many items are left, as far as one can tell.">(),
    method<iter_reduce, "__reduce__($self, /)", "State for pickling.">(),
    {},
};

constexpr PyTypeObject iterator_type(const char* name, iternextfunc next) {
  PyTypeObject type = {.ob_base = type_head()};
  type.tp_name = name;
  type.tp_basicsize = sizeof(DictIterObject);
  type.tp_dealloc = iter_dealloc;
  type.tp_getattro = PyObject_GenericGetAttr;
  type.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = iter_traverse;
  type.tp_iter = PyObject_SelfIter;
  type.tp_iternext = next;
  type.tp_methods = iter_methods;
  return type;
}

// ---- Views -------------------------------------------------------------------------------------------------------

void view_dealloc(PyObject* self) {
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(as_object(as_view(self)->dv_dict));
  PyObject_GC_Del(self);
}

int view_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(as_view(self)->dv_dict));
  return 0;
}

Py_ssize_t view_length(PyObject* self) { return as_view(self)->dv_dict != nullptr ? as_view(self)->dv_dict->ma_used : 0; }

PyObject* view_mapping(Borrowed<PyObject> self) {
  return PyDictProxy_New(as_object(as_view(self)->dv_dict));
}

PyObject* view_repr(PyObject* self) {
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered > 0 ? PyUnicode_FromString("...") : nullptr;
  PyObject* result = nullptr;
  Ref<> list = Ref<>::steal(PySequence_List(self));
  if (list) result = PyUnicode_FromFormat("%s(%R)", Py_TYPE(self)->tp_name, list.get());
  Py_ReprLeave(self);
  return result;
}

template <PyTypeObject* type>
PyObject* view_iter(PyObject* self) {
  if (as_view(self)->dv_dict == nullptr) Py_RETURN_NONE;
  return new_dict_iterator(as_view(self)->dv_dict, type);
}

int keys_contains(PyObject* self, PyObject* key) {
  if (as_view(self)->dv_dict == nullptr) return 0;
  return PyDict_Contains(as_object(as_view(self)->dv_dict), key);
}

int items_contains(PyObject* self, PyObject* item) {
  if (as_view(self)->dv_dict == nullptr) return 0;
  if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) return 0;
  PyObject* found = PyDict_GetItemWithError(as_object(as_view(self)->dv_dict), PyTuple_GET_ITEM(item, 0));
  if (found == nullptr) return PyErr_Occurred() ? -1 : 0;
  Ref<> owner = Ref<>::dup(found);
  return PyObject_RichCompareBool(found, PyTuple_GET_ITEM(item, 1), Py_EQ);
}

/// Whether `other` has every item of `self`: 1, 0 or -1.
int all_contained_in(PyObject* self, PyObject* other) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(self));
  if (!iterator) return -1;
  while (true) {
    Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!item) return PyErr_Occurred() ? -1 : 1;
    const int found = PySequence_Contains(other, item.get());
    if (found <= 0) return found;
  }
}

PyObject* view_richcompare(PyObject* self, PyObject* other, int op) {
  if (!PyAnySet_Check(other) && !PyDictViewSet_Check(other)) Py_RETURN_NOTIMPLEMENTED;
  const Py_ssize_t mine = PyObject_Size(self);
  if (mine < 0) return nullptr;
  const Py_ssize_t theirs = PyObject_Size(other);
  if (theirs < 0) return nullptr;
  int verdict = 0;
  switch (op) {
    case Py_NE:
    case Py_EQ:
      if (mine == theirs) verdict = all_contained_in(self, other);
      if (op == Py_NE && verdict >= 0) verdict = !verdict;
      break;
    case Py_LT:
      if (mine < theirs) verdict = all_contained_in(self, other);
      break;
    case Py_LE:
      if (mine <= theirs) verdict = all_contained_in(self, other);
      break;
    case Py_GT:
      if (mine > theirs) verdict = all_contained_in(other, self);
      break;
    case Py_GE:
      if (mine >= theirs) verdict = all_contained_in(other, self);
      break;
  }
  return verdict < 0 ? nullptr : PyBool_FromLong(verdict);
}

Ref<> set_of(PyObject* view) {
  // FAST: the keys of a dict go over with their hashes.
  if (PyDictKeys_Check(view)) return Ref<>::steal(PySet_New(as_object(as_view(view)->dv_dict)));
  return Ref<>::steal(PySet_New(view));
}

PyObject* view_subtract(PyObject* self, PyObject* other) {
  Ref<> result = set_of(self);
  if (!result) return nullptr;
  Ref<> ignored = Ref<>::steal(PyObject_CallMethodOneArg(result.get(), &_Py_ID(difference_update), other));
  return ignored ? result.release() : nullptr;
}

PyObject* view_or(PyObject* self, PyObject* other) {
  Ref<> result = set_of(self);
  if (!result || _PySet_Update(result.get(), other) < 0) return nullptr;
  return result.release();
}

PyObject* view_xor(PyObject* self, PyObject* other) {
  Ref<> result = set_of(self);
  if (!result) return nullptr;
  Ref<> ignored = Ref<>::steal(PyObject_CallMethodOneArg(result.get(), &_Py_ID(symmetric_difference_update), other));
  return ignored ? result.release() : nullptr;
}

/// items() ^ items(): by looking values up, so that only differing pairs are made.
PyObject* items_xor(PyObject* self, PyObject* other) {
  if (!PyDictItems_Check(self) || !PyDictItems_Check(other)) return view_xor(self, other);
  Ref<> result = Ref<>::steal(PySet_New(nullptr));
  Ref<> mine = Ref<>::steal(PyDict_Copy(as_object(as_view(self)->dv_dict)));
  if (!result || !mine) return nullptr;
  auto add_pair = [&](PyObject* key, PyObject* value) {
    Ref<> pair = Ref<>::steal(PyTuple_Pack(2, key, value));
    return pair && PySet_Add(result.get(), pair.get()) == 0;
  };
  PyDictObject* theirs = as_view(other)->dv_dict;
  Py_ssize_t position = 0;
  PyObject *key, *value;
  Py_hash_t hash;
  while (next_entry(theirs, &position, &key, &value, &hash)) {
    Ref<> key_owner = Ref<>::dup(key), value_owner = Ref<>::dup(value);
    PyObject* found = _PyDict_GetItem_KnownHash(mine.get(), key, hash);
    if (found == nullptr) {
      if (PyErr_Occurred()) return nullptr;
      if (!add_pair(key, value)) return nullptr;
      continue;
    }
    Ref<> found_owner = Ref<>::dup(found);
    const int equal = PyObject_RichCompareBool(found, value, Py_EQ);
    if (equal < 0) return nullptr;
    if (!equal && !add_pair(key, value)) return nullptr;
    if (equal && _PyDict_DelItem_KnownHash(mine.get(), key, hash) < 0) return nullptr;
  }
  position = 0;
  while (next_entry(as_dict(mine.get()), &position, &key, &value, &hash)) {
    if (!add_pair(key, value)) return nullptr;
  }
  return result.release();
}

PyObject* view_isdisjoint(PyObject* self, PyObject* other) {
  if (self == other) return PyBool_FromLong(view_length(self) == 0);
  // Walk the shorter one when both know their length.
  if (PyAnySet_CheckExact(other) || PyDictViewSet_Check(other)) {
    const Py_ssize_t theirs = PyObject_Size(other);
    if (theirs < 0) return nullptr;
    if (theirs > view_length(self)) std::swap(self, other);
  }
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(other));
  if (!iterator) return nullptr;
  while (true) {
    Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!item) {
      if (PyErr_Occurred()) return nullptr;
      Py_RETURN_TRUE;
    }
    const int found = PySequence_Contains(self, item.get());
    if (found < 0) return nullptr;
    if (found > 0) Py_RETURN_FALSE;
  }
}

template <PyTypeObject* type>
PyObject* view_reversed(PyObject* self) {
  if (as_view(self)->dv_dict == nullptr) Py_RETURN_NONE;
  return new_dict_iterator(as_view(self)->dv_dict, type);
}

PyMethodDef keys_methods[] = {
    method<view_isdisjoint, "isdisjoint($self, other, /)", "Whether the view and the iterable have nothing in common.">(),
    method<view_reversed<&PyDictRevIterKey_Type>, "__reversed__($self, /)", "An iterator over the keys, newest first.">(),
    {},
};
PyMethodDef items_methods[] = {
    method<view_isdisjoint, "isdisjoint($self, other, /)", "Whether the view and the iterable have nothing in common.">(),
    method<view_reversed<&PyDictRevIterItem_Type>, "__reversed__($self, /)", "An iterator over the pairs, newest first.">(),
    {},
};
PyMethodDef values_methods[] = {
    method<view_reversed<&PyDictRevIterValue_Type>, "__reversed__($self, /)",
           "An iterator over the values, newest first.">(),
    {},
};
PyGetSetDef view_getset[] = {
    getset<view_mapping>("mapping", "The dictionary this view is of, read-only."),
    {},
};

PyNumberMethods keys_as_number = {
    .nb_subtract = view_subtract,
    .nb_and = _PyDictView_Intersect,
    .nb_xor = view_xor,
    .nb_or = view_or,
};
PyNumberMethods items_as_number = {
    .nb_subtract = view_subtract,
    .nb_and = _PyDictView_Intersect,
    .nb_xor = items_xor,
    .nb_or = view_or,
};
PySequenceMethods keys_as_sequence = {.sq_length = view_length, .sq_contains = keys_contains};
PySequenceMethods items_as_sequence = {.sq_length = view_length, .sq_contains = items_contains};
PySequenceMethods values_as_sequence = {.sq_length = view_length};

}  // namespace

PyObject* new_dict_iterator(PyDictObject* dict, PyTypeObject* type) {
  DictIterObject* self = PyObject_GC_New(DictIterObject, type);
  if (self == nullptr) return nullptr;
  self->dict = as_dict(Py_NewRef(as_object(dict)));
  self->used = dict->ma_used;
  self->length = dict->ma_used;
  self->position = is_reverse(as_object(self)) ? iteration_limit(dict) - 1 : 0;
  self->result = nullptr;
  if (type == &PyDictIterItem_Type || type == &PyDictRevIterItem_Type) {
    self->result = PyTuple_Pack(2, Py_None, Py_None);
    if (self->result == nullptr) {
      Py_DECREF(as_object(dict));
      PyObject_GC_Del(self);
      return nullptr;
    }
  }
  _PyObject_GC_TRACK(self);
  return as_object(self);
}

}  // namespace pyston

using namespace pyston;

/// A view of the given type; new reference. Refuses anything but dicts.
PyObject* _PyDictView_New(PyObject* dict, PyTypeObject* type) {
  if (dict == nullptr) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (!PyDict_Check(dict)) {
    PyErr_Format(PyExc_TypeError, "%s() requires a dict argument, not '%s'", type->tp_name, Py_TYPE(dict)->tp_name);
    return nullptr;
  }
  _PyDictViewObject* view = PyObject_GC_New(_PyDictViewObject, type);
  if (view == nullptr) return nullptr;
  view->dv_dict = reinterpret_cast<PyDictObject*>(Py_NewRef(dict));
  _PyObject_GC_TRACK(view);
  return as_object(view);
}

/// view & other, as a new set; walks the shorter side where that is known.
PyObject* _PyDictView_Intersect(PyObject* self, PyObject* other) {
  // `other & view` arrives here too.
  if (PyDictViewSet_Check(other) && (!PyDictViewSet_Check(self) || view_length(other) > view_length(self))) {
    std::swap(self, other);
  }
  const Py_ssize_t length = view_length(self);
  // A set knows best how to intersect itself with something shorter.
  if (PySet_CheckExact(other) && length <= PySet_GET_SIZE(other)) {
    return PyObject_CallMethodOneArg(other, &_Py_ID(intersection), self);
  }
  Ref<> result = Ref<>::steal(PySet_New(nullptr));
  Ref<> iterator = result ? Ref<>::steal(PyObject_GetIter(other)) : nullptr;
  if (!iterator) return nullptr;
  while (true) {
    Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!item) return PyErr_Occurred() ? nullptr : result.release();
    const int found = Py_TYPE(self)->tp_as_sequence->sq_contains(self, item.get());
    if (found < 0) return nullptr;
    if (found > 0 && PySet_Add(result.get(), item.get()) < 0) return nullptr;
  }
}

PyTypeObject PyDictIterKey_Type = iterator_type("dict_keyiterator", iter_next<Yield::kKeys>);
PyTypeObject PyDictIterValue_Type = iterator_type("dict_valueiterator", iter_next<Yield::kValues>);
PyTypeObject PyDictIterItem_Type = iterator_type("dict_itemiterator", iter_next<Yield::kItems>);
PyTypeObject PyDictRevIterKey_Type = iterator_type("dict_reversekeyiterator", reverse_next<Yield::kKeys>);
PyTypeObject PyDictRevIterValue_Type = iterator_type("dict_reversevalueiterator", reverse_next<Yield::kValues>);
PyTypeObject PyDictRevIterItem_Type = iterator_type("dict_reverseitemiterator", reverse_next<Yield::kItems>);

PyTypeObject PyDictKeys_Type = {
    .ob_base = type_head(),
    .tp_name = "dict_keys",
    .tp_basicsize = sizeof(_PyDictViewObject),
    .tp_dealloc = view_dealloc,
    .tp_repr = view_repr,
    .tp_as_number = &keys_as_number,
    .tp_as_sequence = &keys_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = view_traverse,
    .tp_richcompare = view_richcompare,
    .tp_iter = view_iter<&PyDictIterKey_Type>,
    .tp_methods = keys_methods,
    .tp_getset = view_getset,
};

PyTypeObject PyDictItems_Type = {
    .ob_base = type_head(),
    .tp_name = "dict_items",
    .tp_basicsize = sizeof(_PyDictViewObject),
    .tp_dealloc = view_dealloc,
    .tp_repr = view_repr,
    .tp_as_number = &items_as_number,
    .tp_as_sequence = &items_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = view_traverse,
    .tp_richcompare = view_richcompare,
    .tp_iter = view_iter<&PyDictIterItem_Type>,
    .tp_methods = items_methods,
    .tp_getset = view_getset,
};

PyTypeObject PyDictValues_Type = {
    .ob_base = type_head(),
    .tp_name = "dict_values",
    .tp_basicsize = sizeof(_PyDictViewObject),
    .tp_dealloc = view_dealloc,
    .tp_repr = view_repr,
    .tp_as_sequence = &values_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = view_traverse,
    .tp_iter = view_iter<&PyDictIterValue_Type>,
    .tp_methods = values_methods,
    .tp_getset = view_getset,
};
