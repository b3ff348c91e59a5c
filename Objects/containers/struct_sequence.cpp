// Struct sequences (os.stat_result, time.struct_time, sys.version_info, …): tuples whose items have names.
//
// What surprises: a type may have more fields than its tuple has items; ob_size counts the visible ones only, the rest
// lies behind them. The numbers of fields are kept in the type's dict, under the names below.
#include "Objects/bind.h"

#include <internal/pycore_initconfig.h>
#include <internal/pycore_object.h>
#include <internal/pycore_structseq.h>
#include <internal/pycore_tuple.h>

namespace pyston {
namespace {

constexpr const char kVisibleKey[] = "n_sequence_fields";
constexpr const char kRealKey[] = "n_fields";
constexpr const char kUnnamedKey[] = "n_unnamed_fields";

ALWAYS_INLINE PyObject** items_of(PyObject* self) { return reinterpret_cast<PyTupleObject*>(self)->ob_item; }

Py_ssize_t count_from_type(PyTypeObject* type, PyObject* key) {
  PyObject* value = PyDict_GetItemWithError(type->tp_dict, key);
  if (value == nullptr && PyErr_Occurred()) return -1;
  if (value == nullptr) {
    PyErr_Format(PyExc_TypeError, "Missed attribute '%U' of type %s", key, type->tp_name);
    return -1;
  }
  return PyLong_AsSsize_t(value);
}
Py_ssize_t visible_fields(PyTypeObject* type) { return count_from_type(type, &_Py_ID(n_sequence_fields)); }
Py_ssize_t real_fields(PyTypeObject* type) { return count_from_type(type, &_Py_ID(n_fields)); }
Py_ssize_t unnamed_fields(PyTypeObject* type) { return count_from_type(type, &_Py_ID(n_unnamed_fields)); }

/// Fields of an instance, asking the type only when it may differ from the size.
Py_ssize_t real_size(PyObject* self) { return real_fields(Py_TYPE(self)); }

int structseq_traverse(PyObject* self, visitproc visit, void* arg) {
  if (Py_TYPE(self)->tp_flags & Py_TPFLAGS_HEAPTYPE) Py_VISIT(Py_TYPE(self));
  const Py_ssize_t size = real_size(self);
  for (Py_ssize_t i = 0; i < size; i++) Py_VISIT(items_of(self)[i]);
  return 0;
}

void structseq_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PyTypeObject* type = Py_TYPE(self);
  const Py_ssize_t size = real_size(self);
  for (Py_ssize_t i = 0; i < size; i++) Py_XDECREF(items_of(self)[i]);
  PyObject_GC_Del(self);
  if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) Py_DECREF(as_object(type));
}

Ref<> structseq_new(PyTypeObject* type, Borrowed<> argument, PyObject* extra) {
  const Py_ssize_t visible = visible_fields(type);
  if (visible < 0) return nullptr;
  const Py_ssize_t total = real_fields(type);
  if (total < 0) return nullptr;
  const Py_ssize_t unnamed = unnamed_fields(type);
  if (unnamed < 0) return nullptr;
  Ref<> sequence = Ref<>::steal(PySequence_Fast(argument, "constructor requires a sequence"));
  if (!sequence) return nullptr;
  if (extra != nullptr && !PyDict_Check(extra)) {
    return raise(PyExc_TypeError, "%.500s() takes a dict as second arg, if any", type->tp_name);
  }
  const Py_ssize_t length = PySequence_Fast_GET_SIZE(sequence.get());
  if (visible != total) {
    if (length < visible) {
      return raise(PyExc_TypeError, "%.500s() takes an at least %zd-sequence (%zd-sequence given)", type->tp_name,
                   visible, length);
    }
    if (length > total) {
      return raise(PyExc_TypeError, "%.500s() takes an at most %zd-sequence (%zd-sequence given)", type->tp_name, total,
                   length);
    }
  } else if (length != visible) {
    return raise(PyExc_TypeError, "%.500s() takes a %zd-sequence (%zd-sequence given)", type->tp_name, visible, length);
  }
  Ref<> self = Ref<>::steal(PyStructSequence_New(type));
  if (!self) return nullptr;
  Py_ssize_t i = 0;
  for (; i < length; i++) items_of(self.get())[i] = Py_NewRef(PySequence_Fast_GET_ITEM(sequence.get(), i));
  for (; i < total; i++) {
    PyObject* value = nullptr;
    if (extra != nullptr) {
      value = _PyDict_GetItemStringWithError(extra, type->tp_members[i - unnamed].name);
      if (value == nullptr && PyErr_Occurred()) return nullptr;
    }
    items_of(self.get())[i] = Py_NewRef(value != nullptr ? value : Py_None);
  }
  _PyObject_GC_TRACK(self.get());
  return self;
}

PyObject* structseq_repr(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  _PyUnicodeWriter writer;
  _PyUnicodeWriter_Init(&writer);
  writer.overallocate = 1;
  auto write = [&](const char* text) {
    Ref<> piece = Ref<>::steal(PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(strlen(text)), nullptr));
    return piece && _PyUnicodeWriter_WriteStr(&writer, piece.get()) == 0;
  };
  bool fine = write(type->tp_name) && _PyUnicodeWriter_WriteChar(&writer, '(') == 0;
  for (Py_ssize_t i = 0; fine && i < Py_SIZE(self); i++) {
    if (i > 0) fine = _PyUnicodeWriter_WriteASCIIString(&writer, ", ", 2) == 0;
    const char* name = type->tp_members[i].name;
    if (fine && name == nullptr) {
      PyErr_Format(PyExc_SystemError, "In structseq_repr(), member %zd name is NULL for type %.500s", i, type->tp_name);
      fine = false;
    }
    fine = fine && write(name) && _PyUnicodeWriter_WriteChar(&writer, '=') == 0;
    Ref<> text = fine ? Ref<>::steal(PyObject_Repr(items_of(self)[i])) : nullptr;
    fine = text && _PyUnicodeWriter_WriteStr(&writer, text.get()) == 0;
  }
  fine = fine && _PyUnicodeWriter_WriteChar(&writer, ')') == 0;
  if (!fine) {
    _PyUnicodeWriter_Dealloc(&writer);
    return nullptr;
  }
  return _PyUnicodeWriter_Finish(&writer);
}

PyObject* structseq_reduce(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  const Py_ssize_t total = real_fields(type), visible = visible_fields(type), unnamed = unnamed_fields(type);
  if (total < 0 || visible < 0 || unnamed < 0) return nullptr;
  Ref<> tuple = Ref<>::steal(_PyTuple_FromArray(items_of(self), visible));
  Ref<> rest = tuple ? Ref<>::steal(PyDict_New()) : nullptr;
  if (!rest) return nullptr;
  for (Py_ssize_t i = visible; i < total; i++) {
    if (PyDict_SetItemString(rest.get(), type->tp_members[i - unnamed].name, items_of(self)[i]) < 0) return nullptr;
  }
  return Py_BuildValue("(O(OO))", type, tuple.get(), rest.get());
}

PyMethodDef structseq_methods[] = {
    {"__reduce__", [](PyObject* self, PyObject*) -> PyObject* { return structseq_reduce(self); }, METH_NOARGS, nullptr},
    {},
};

Py_ssize_t count_members(PyStructSequence_Desc* description, Py_ssize_t* unnamed) {
  *unnamed = 0;
  Py_ssize_t i = 0;
  for (; description->fields[i].name != nullptr; i++) {
    if (description->fields[i].name == PyStructSequence_UnnamedField) ++*unnamed;
  }
  return i;
}

PyMemberDef* make_members(PyStructSequence_Desc* description, Py_ssize_t count, Py_ssize_t unnamed) {
  PyMemberDef* members = PyMem_New(PyMemberDef, static_cast<size_t>(count - unnamed + 1));
  if (members == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  Py_ssize_t out = 0;
  for (Py_ssize_t i = 0; i < count; i++) {
    if (description->fields[i].name == PyStructSequence_UnnamedField) continue;
    members[out++] = {description->fields[i].name, T_OBJECT,
                      static_cast<Py_ssize_t>(offsetof(PyTupleObject, ob_item) + static_cast<size_t>(i) * sizeof(PyObject*)),
                      READONLY, description->fields[i].doc};
  }
  members[out] = {};
  return members;
}

int store_counts(PyStructSequence_Desc* description, PyObject* dict, Py_ssize_t count, Py_ssize_t unnamed) {
  auto store = [dict](const char* key, Py_ssize_t value) {
    Ref<> number = Ref<>::steal(PyLong_FromSsize_t(value));
    return number && PyDict_SetItemString(dict, key, number.get()) == 0;
  };
  if (!store(kVisibleKey, description->n_in_sequence) || !store(kRealKey, count) || !store(kUnnamedKey, unnamed)) {
    return -1;
  }
  // Names of the fields that can be matched by position.
  Ref<> keys = Ref<>::steal(PyTuple_New(description->n_in_sequence));
  if (!keys) return -1;
  Py_ssize_t out = 0;
  for (Py_ssize_t i = 0; i < description->n_in_sequence; i++) {
    if (description->fields[i].name == PyStructSequence_UnnamedField) continue;
    PyObject* name = PyUnicode_FromString(description->fields[i].name);
    if (name == nullptr) return -1;
    PyTuple_SET_ITEM(keys.get(), out++, name);
  }
  PyObject* sized = keys.release();
  if (_PyTuple_Resize(&sized, out) < 0) return -1;
  const int status = PyDict_SetItemString(dict, "__match_args__", sized);
  Py_DECREF(sized);
  return status;
}

constexpr newfunc structseq_new_slot = constructor<structseq_new, "structseq(sequence, dict=None)">;

}  // namespace
}  // namespace pyston

using namespace pyston;

const char* const PyStructSequence_UnnamedField = "unnamed field";

/// New reference, untracked; all fields are null.
PyObject* PyStructSequence_New(PyTypeObject* type) {
  const Py_ssize_t total = real_fields(type);
  if (total < 0) return nullptr;
  const Py_ssize_t visible = visible_fields(type);
  if (visible < 0) return nullptr;
  PyTupleObject* self = PyObject_GC_NewVar(PyTupleObject, type, total);
  if (self == nullptr) return nullptr;
  Py_SET_SIZE(self, visible);  // the hidden fields lie behind the visible items
  for (Py_ssize_t i = 0; i < total; i++) self->ob_item[i] = nullptr;
  return as_object(self);
}

void PyStructSequence_SetItem(PyObject* self, Py_ssize_t index, PyObject* value) {
  PyTuple_SET_ITEM(self, index, value);
}
PyObject* PyStructSequence_GetItem(PyObject* self, Py_ssize_t index) { return PyTuple_GET_ITEM(self, index); }

int _PyStructSequence_InitType(PyTypeObject* type, PyStructSequence_Desc* description, unsigned long flags) {
  Py_ssize_t unnamed;
  const Py_ssize_t count = count_members(description, &unnamed);
  const bool ready = type->tp_flags & Py_TPFLAGS_READY;
  if (!ready) {
    if (Py_REFCNT(as_object(type)) == 0) Py_SET_REFCNT(as_object(type), 1);
    type->tp_name = description->name;
    type->tp_basicsize = sizeof(PyTupleObject) - sizeof(PyObject*);
    type->tp_itemsize = sizeof(PyObject*);
    type->tp_dealloc = structseq_dealloc;
    type->tp_repr = structseq_repr;
    type->tp_doc = description->doc;
    type->tp_base = &PyTuple_Type;
    type->tp_methods = structseq_methods;
    type->tp_new = structseq_new_slot;
    type->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | flags;
    type->tp_traverse = structseq_traverse;
    type->tp_members = make_members(description, count, unnamed);
    if (type->tp_members == nullptr) return -1;
    if (PyType_Ready(type) < 0) {
      PyMem_Free(type->tp_members);
      return -1;
    }
    Py_INCREF(as_object(type));
  }
  return store_counts(description, type->tp_dict, count, unnamed);
}

int PyStructSequence_InitType2(PyTypeObject* type, PyStructSequence_Desc* description) {
  return _PyStructSequence_InitType(type, description, 0);
}
void PyStructSequence_InitType(PyTypeObject* type, PyStructSequence_Desc* description) {
  (void)_PyStructSequence_InitType(type, description, 0);
}

/// At shutdown: makes a static type uninitialised again, unless it is still in use.
void _PyStructSequence_FiniType(PyTypeObject* type) {
  if (type->tp_subclasses != nullptr || Py_REFCNT(as_object(type)) > 1) return;
  // The name stays for whoever prints it later.
  PyMem_Free(type->tp_members);
  _PyStaticType_Dealloc(type);
  type->tp_members = nullptr;
}

PyTypeObject* _PyStructSequence_NewType(PyStructSequence_Desc* description, unsigned long flags) {
  Py_ssize_t unnamed;
  const Py_ssize_t count = count_members(description, &unnamed);
  PyMemberDef* members = make_members(description, count, unnamed);
  if (members == nullptr) return nullptr;
  PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(structseq_dealloc)},
      {Py_tp_repr, reinterpret_cast<void*>(structseq_repr)},
      {Py_tp_doc, const_cast<char*>(description->doc)},
      {Py_tp_methods, structseq_methods},
      {Py_tp_new, reinterpret_cast<void*>(structseq_new_slot)},
      {Py_tp_members, members},
      {Py_tp_traverse, reinterpret_cast<void*>(structseq_traverse)},
      {0, nullptr},
  };
  PyType_Spec spec = {
      .name = description->name,
      .basicsize = sizeof(PyTupleObject) - sizeof(PyObject*),
      .itemsize = sizeof(PyObject*),
      .flags = static_cast<unsigned>(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | flags),
      .slots = slots,
  };
  Ref<> bases = Ref<>::steal(PyTuple_Pack(1, &PyTuple_Type));
  auto* type = bases ? reinterpret_cast<PyTypeObject*>(PyType_FromSpecWithBases(&spec, bases.get())) : nullptr;
  PyMem_Free(members);  // the type has its own copy
  if (type == nullptr) return nullptr;
  if (store_counts(description, type->tp_dict, count, unnamed) < 0) {
    Py_DECREF(as_object(type));
    return nullptr;
  }
  return type;
}

PyTypeObject* PyStructSequence_NewType(PyStructSequence_Desc* description) {
  return _PyStructSequence_NewType(description, 0);
}
