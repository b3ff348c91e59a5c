// groupby and tee: iterators that share their source with others.
#include "Lib/native/itertools/itertools.h"

namespace pyston {
namespace {

// ---- groupby -----------------------------------------------------------------------------------------------------

struct GroupBy {
  PyObject_HEAD
  PyObject* iterator;
  PyObject* key_function;  // None: items are their keys
  PyObject* target_key;    // of the group given last
  PyObject* current_key;   // of the item read last
  PyObject* current_value;
  const void* current_group;  // the group iterator given last: older ones are over. Not owned.
};
using GroupByBase = IteratorBase<GroupBy, &GroupBy::iterator, &GroupBy::key_function, &GroupBy::target_key,
                                 &GroupBy::current_key, &GroupBy::current_value>;

struct Group {
  PyObject_HEAD
  GroupBy* parent;
  PyObject* target_key;
};
using GroupBase = IteratorBase<Group, &Group::parent, &Group::target_key>;

Ref<> groupby_new(PyTypeObject* type, PyObject* iterable, PyObject* key) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  auto* self = new_iterator<GroupBy>(type);
  if (self == nullptr) return nullptr;
  self->iterator = iterator.release();
  self->key_function = Py_NewRef(key != nullptr ? key : Py_None);
  return Ref<>::steal(as_object(self));
}
/// Reads one item. 0, or -1 at the end and on errors.
int step(GroupBy* self) {
  Ref<> value = Ref<>::steal(PyIter_Next(self->iterator));
  if (!value) return -1;
  Ref<> key = self->key_function == Py_None ? Ref<>::dup(value.get())
                                            : Ref<>::steal(PyObject_CallOneArg(self->key_function, value.get()));
  if (!key) return -1;
  PyObject* old_value = std::exchange(self->current_value, value.release());
  PyObject* old_key = std::exchange(self->current_key, key.release());
  Py_XDECREF(old_key);
  Py_XDECREF(old_value);
  return 0;
}
int keys_equal(PyObject* a, PyObject* b) {
  Ref<> x = Ref<>::dup(a), y = Ref<>::dup(b);  // a comparison may step the iterator
  return PyObject_RichCompareBool(x.get(), y.get(), Py_EQ);
}
PyObject* new_group(GroupBy* parent, PyObject* key) {
  Group* group = PyObject_GC_New(Group, &g_grouper_type);
  if (group == nullptr) return nullptr;
  group->parent = GroupByBase::cast(Py_NewRef(as_object(parent)));
  group->target_key = Py_NewRef(key);
  parent->current_group = group;
  PyObject_GC_Track(group);
  return as_object(group);
}
PyObject* groupby_next(PyObject* object) {
  auto* self = GroupByBase::cast(object);
  self->current_group = nullptr;
  // Skip what is left of the group given last.
  while (true) {
    if (self->current_key != nullptr) {
      if (self->target_key == nullptr) break;
      const int equal = keys_equal(self->target_key, self->current_key);
      if (equal < 0) return nullptr;
      if (!equal) break;
    }
    if (step(self) < 0) return nullptr;
  }
  Py_XSETREF(self->target_key, Py_NewRef(self->current_key));
  Ref<> group = Ref<>::steal(new_group(self, self->target_key));
  return group ? PyTuple_Pack(2, self->current_key, group.get()) : nullptr;
}
PyObject* groupby_reduce(PyObject* object) {
  auto* self = GroupByBase::cast(object);
  if (self->target_key != nullptr && self->current_key != nullptr && self->current_value != nullptr) {
    return Py_BuildValue("O(OO)(OOO)", Py_TYPE(object), self->iterator, self->key_function, self->current_key,
                         self->current_value, self->target_key);
  }
  return Py_BuildValue("O(OO)", Py_TYPE(object), self->iterator, self->key_function);
}
PyObject* groupby_setstate(PyObject* object, PyObject* state) {
  if (!PyTuple_Check(state)) {
    PyErr_SetString(PyExc_TypeError, "state is not a tuple");
    return nullptr;
  }
  PyObject *current_key, *current_value, *target_key;
  if (!PyArg_ParseTuple(state, "OOO", &current_key, &current_value, &target_key)) return nullptr;
  auto* self = GroupByBase::cast(object);
  Py_XSETREF(self->current_key, Py_NewRef(current_key));
  Py_XSETREF(self->current_value, Py_NewRef(current_value));
  Py_XSETREF(self->target_key, Py_NewRef(target_key));
  Py_RETURN_NONE;
}
PyMethodDef groupby_methods[] = {
    method<groupby_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    method<groupby_setstate, "__setstate__($self, state, /)", "Set state information for unpickling.">(),
    {},
};

PyObject* group_new(PyTypeObject*, PyObject* args, PyObject*) {
  PyObject *parent, *key;
  if (!PyArg_ParseTuple(args, "O!O", &g_groupby_type, &parent, &key)) return nullptr;
  return new_group(GroupByBase::cast(parent), key);
}
PyObject* group_next(PyObject* object) {
  auto* self = GroupBase::cast(object);
  GroupBy* parent = self->parent;
  if (parent->current_group != self) return nullptr;
  if (parent->current_value == nullptr && step(parent) < 0) return nullptr;
  const int equal = keys_equal(self->target_key, parent->current_key);
  if (equal <= 0) return nullptr;
  PyObject* value = std::exchange(parent->current_value, nullptr);
  Py_CLEAR(parent->current_key);
  return value;
}
PyObject* group_reduce(PyObject* object) {
  auto* self = GroupBase::cast(object);
  if (self->parent->current_group != self) return Py_BuildValue("N(())", _PyEval_GetBuiltin(&_Py_ID(iter)));
  return Py_BuildValue("O(OO)", Py_TYPE(object), self->parent, self->target_key);
}
PyMethodDef group_methods[] = {
    method<group_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    {},
};

// ---- tee ---------------------------------------------------------------------------------------------------------

// Copies of an iterator walk along a chain of blocks of items; whoever comes to the end first reads on. Blocks that
// all have left are freed by reference counting.

constexpr int kBlockSize = 57;

struct TeeData {
  PyObject_HEAD
  PyObject* iterator;
  int filled;
  bool running;  // reading an item: a second reader would get it twice
  PyObject* next;  // the following block, made when needed
  PyObject* values[kBlockSize];
};
TeeData* as_data(PyObject* object) { return reinterpret_cast<TeeData*>(object); }

struct Tee {
  PyObject_HEAD
  TeeData* data;
  int index;
  PyObject* weakreflist;
  static void free_extra(Tee* self) {
    if (self->weakreflist != nullptr) PyObject_ClearWeakRefs(as_object(self));
  }
};
using TeeBase = IteratorBase<Tee, &Tee::data>;

TeeData* new_data(PyObject* iterator) {
  TeeData* data = PyObject_GC_New(TeeData, &g_tee_data_type);
  if (data == nullptr) return nullptr;
  data->iterator = Py_NewRef(iterator);
  data->filled = 0;
  data->running = false;
  data->next = nullptr;
  PyObject_GC_Track(data);
  return data;
}
/// The following block (new reference).
TeeData* next_block(TeeData* data) {
  if (data->next == nullptr) data->next = as_object(new_data(data->iterator));
  return as_data(Py_XNewRef(data->next));
}
PyObject* block_item(TeeData* data, int index) {
  if (index < data->filled) return Py_NewRef(data->values[index]);
  if (data->running) {
    PyErr_SetString(PyExc_RuntimeError, "cannot re-enter the tee iterator");
    return nullptr;
  }
  data->running = true;
  PyObject* value = PyIter_Next(data->iterator);
  data->running = false;
  if (value == nullptr) return nullptr;
  data->values[data->filled++] = Py_NewRef(value);
  return value;
}
int data_traverse(PyObject* object, visitproc visit, void* arg) {
  TeeData* self = as_data(object);
  Py_VISIT(self->iterator);
  for (int i = 0; i < self->filled; i++) Py_VISIT(self->values[i]);
  Py_VISIT(self->next);
  return 0;
}
int data_clear(PyObject* object) {
  TeeData* self = as_data(object);
  Py_CLEAR(self->iterator);
  while (self->filled > 0) {
    PyObject* value = self->values[--self->filled];
    Py_DECREF(value);
  }
  // A long chain is dropped link by link, not recursively.
  PyObject* next = std::exchange(self->next, nullptr);
  while (next != nullptr && Py_IS_TYPE(next, &g_tee_data_type) && Py_REFCNT(next) == 1) {
    PyObject* following = std::exchange(as_data(next)->next, nullptr);
    Py_DECREF(next);
    next = following;
  }
  Py_XDECREF(next);
  return 0;
}
void data_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  data_clear(self);
  PyObject_GC_Del(self);
}
PyObject* data_reduce(PyObject* object) {
  TeeData* self = as_data(object);
  Ref<> values = Ref<>::steal(PyList_New(self->filled));
  if (!values) return nullptr;
  for (int i = 0; i < self->filled; i++) PyList_SET_ITEM(values.get(), i, Py_NewRef(self->values[i]));
  return Py_BuildValue("O(ONO)", Py_TYPE(object), self->iterator, values.release(),
                       self->next != nullptr ? self->next : Py_None);
}
Ref<> data_new(PyTypeObject*, PyObject* iterator, Borrowed<PyListObject> values, PyObject* next) {
  TeeData* data = new_data(iterator);
  if (data == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(as_object(data));
  const Py_ssize_t count = Py_SIZE(values.get());
  if (count > kBlockSize) return raise(PyExc_ValueError, "Invalid arguments");
  for (Py_ssize_t i = 0; i < count; i++) data->values[i] = Py_NewRef(values->ob_item[i]);
  data->filled = static_cast<int>(count);
  if (count == kBlockSize) {
    if (next != Py_None) {
      if (!Py_IS_TYPE(next, &g_tee_data_type)) return raise(PyExc_ValueError, "Invalid arguments");
      data->next = Py_NewRef(next);
    }
  } else if (next != Py_None) {
    return raise(PyExc_ValueError, "Invalid arguments");
  }
  return owner;
}
PyMethodDef data_methods[] = {
    method<data_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    {},
};

PyObject* tee_next(PyObject* object) {
  auto* self = TeeBase::cast(object);
  if (self->index >= kBlockSize) {
    TeeData* following = next_block(self->data);
    if (following == nullptr) return nullptr;
    Py_SETREF(self->data, following);
    self->index = 0;
  }
  PyObject* value = block_item(self->data, self->index);
  if (value != nullptr) self->index++;
  return value;
}
PyObject* tee_copy(PyObject* object) {
  auto* self = TeeBase::cast(object);
  Tee* copy = PyObject_GC_New(Tee, &g_tee_type);
  if (copy == nullptr) return nullptr;
  copy->data = as_data(Py_NewRef(as_object(self->data)));
  copy->index = self->index;
  copy->weakreflist = nullptr;
  PyObject_GC_Track(copy);
  return as_object(copy);
}
PyObject* tee_from_iterable(PyObject* iterable) {
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  if (PyObject_TypeCheck(iterator.get(), &g_tee_type)) return tee_copy(iterator.get());
  TeeData* data = new_data(iterator.get());
  if (data == nullptr) return nullptr;
  Tee* self = PyObject_GC_New(Tee, &g_tee_type);
  if (self == nullptr) {
    Py_DECREF(as_object(data));
    return nullptr;
  }
  self->data = data;
  self->index = 0;
  self->weakreflist = nullptr;
  PyObject_GC_Track(self);
  return as_object(self);
}
Ref<> tee_new(PyTypeObject*, PyObject* iterable) { return Ref<>::steal(tee_from_iterable(iterable)); }
PyObject* tee_reduce(PyObject* object) {
  auto* self = TeeBase::cast(object);
  return Py_BuildValue("O(())(Oi)", Py_TYPE(object), self->data, self->index);
}
PyObject* tee_setstate(PyObject* object, PyObject* state) {
  if (!PyTuple_Check(state)) {
    PyErr_SetString(PyExc_TypeError, "state is not a tuple");
    return nullptr;
  }
  PyObject* data;
  int index;
  if (!PyArg_ParseTuple(state, "O!i", &g_tee_data_type, &data, &index)) return nullptr;
  if (index < 0 || index > kBlockSize) {
    PyErr_SetString(PyExc_ValueError, "Index out of range");
    return nullptr;
  }
  auto* self = TeeBase::cast(object);
  Py_SETREF(self->data, as_data(Py_NewRef(data)));
  self->index = index;
  Py_RETURN_NONE;
}
PyMethodDef tee_methods[] = {
    method<tee_copy, "__copy__($self, /)", "Returns an independent iterator.">(),
    method<tee_reduce, "__reduce__($self, /)", "Return state information for pickling.">(),
    method<tee_setstate, "__setstate__($self, state, /)", "Set state information for unpickling.">(),
    {},
};

PyTypeObject make_tee_type() {
  PyTypeObject type = TeeBase::type("itertools._tee", "_tee(iterable, /)\n--\n\nIterator wrapped to make it copyable.",
                                    constructor<tee_new, "_tee(iterable, /)">, tee_next, tee_methods);
  type.tp_flags &= ~Py_TPFLAGS_BASETYPE;
  type.tp_weaklistoffset = offsetof(Tee, weakreflist);
  return type;
}
PyTypeObject make_grouper_type() {
  PyTypeObject type = GroupBase::type("itertools._grouper", nullptr, group_new, group_next, group_methods);
  type.tp_flags &= ~Py_TPFLAGS_BASETYPE;
  return type;
}

}  // namespace

PyObject* tee(PyObject*, PyObject* iterable, Optional<Py_ssize_t> wanted) {
  const Py_ssize_t count = wanted.value_or(2);
  if (count < 0) {
    PyErr_SetString(PyExc_ValueError, "n must be >= 0");
    return nullptr;
  }
  Ref<> result = Ref<>::steal(PyTuple_New(count));
  if (!result || count == 0) return result.release();
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(iterable));
  if (!iterator) return nullptr;
  PyObject* copy_function;
  if (_PyObject_LookupAttr(iterator.get(), &_Py_ID(__copy__), &copy_function) < 0) return nullptr;
  Ref<> copy = Ref<>::steal(copy_function);
  if (!copy) {
    iterator = Ref<>::steal(tee_from_iterable(iterator.get()));
    if (!iterator) return nullptr;
    copy = Ref<>::steal(PyObject_GetAttr(iterator.get(), &_Py_ID(__copy__)));
    if (!copy) return nullptr;
  }
  PyTuple_SET_ITEM(result.get(), 0, iterator.release());
  for (Py_ssize_t i = 1; i < count; i++) {
    PyObject* twin = PyObject_CallNoArgs(copy.get());
    if (twin == nullptr) return nullptr;
    PyTuple_SET_ITEM(result.get(), i, twin);
  }
  return result.release();
}

PyTypeObject g_groupby_type = GroupByBase::type(
    "itertools.groupby",
    "groupby(iterable, key=None)\n--\n\nPairs (key, group) for each run of items with equal keys; group is an iterator.",
    constructor<groupby_new, "groupby(iterable, key=None)">, groupby_next, groupby_methods);
PyTypeObject g_grouper_type = make_grouper_type();
PyTypeObject g_tee_type = make_tee_type();
PyTypeObject g_tee_data_type = {
    .ob_base = type_head(),
    .tp_name = "itertools._tee_dataobject",
    .tp_basicsize = sizeof(TeeData),
    .tp_dealloc = data_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "teedataobject(iterable, values, next, /)\n--\n\nData container common to multiple tee objects.",
    .tp_traverse = data_traverse,
    .tp_clear = data_clear,
    .tp_methods = data_methods,
    .tp_new = constructor<data_new, "teedataobject(iterable, values, next, /)">,
    .tp_free = PyObject_GC_Del,
};

}  // namespace pyston
