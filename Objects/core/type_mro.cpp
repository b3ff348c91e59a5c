// Method resolution order (C3), subtype tests, and the choice of the base that decides about the instance layout.
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_pyerrors.h"

using namespace pyston;

namespace {

PyTypeObject* type_at(PyObject* tuple, Py_ssize_t index) {
  return reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(tuple, index));
}

/// Falls back to the chain of tp_base, for a type whose MRO isn't there yet.
bool is_in_base_chain(PyTypeObject* type, PyTypeObject* ancestor) {
  for (; type != nullptr; type = type->tp_base) {
    if (type == ancestor) return true;
  }
  return ancestor == &PyBaseObject_Type;
}

PyObject* class_name(PyObject* type) {
  PyObject* name;
  if (_PyObject_LookupAttr(type, &_Py_ID(__name__), &name) < 0) return nullptr;
  if (name == nullptr) return PyObject_Repr(type);
  if (!PyUnicode_Check(name)) {
    Py_DECREF(name);
    return PyObject_Repr(type);
  }
  return name;
}

COLD bool has_duplicate_bases(PyObject* bases) {
  Py_ssize_t count = PyTuple_GET_SIZE(bases);
  for (Py_ssize_t i = 0; i < count; i++) {
    for (Py_ssize_t j = i + 1; j < count; j++) {
      if (PyTuple_GET_ITEM(bases, i) != PyTuple_GET_ITEM(bases, j)) continue;
      auto name = Ref<>::steal(class_name(PyTuple_GET_ITEM(bases, i)));
      if (name) PyErr_Format(PyExc_TypeError, "duplicate base class %U", name.get());
      return true;
    }
  }
  return false;
}

/// One input list of the C3 merge.
struct MergeList {
  PyObject* tuple;
  Py_ssize_t next;

  PyObject* head() const { return next < PyTuple_GET_SIZE(tuple) ? PyTuple_GET_ITEM(tuple, next) : nullptr; }
  bool tail_contains(PyObject* candidate) const {
    for (Py_ssize_t i = next + 1; i < PyTuple_GET_SIZE(tuple); i++) {
      if (PyTuple_GET_ITEM(tuple, i) == candidate) return true;
    }
    return false;
  }
};

COLD void raise_inconsistent(const MergeList* lists, Py_ssize_t list_count) {
  auto heads = Ref<>::steal(PyDict_New());
  if (!heads) return;
  for (Py_ssize_t i = 0; i < list_count; i++) {
    PyObject* head = lists[i].head();
    if (head != nullptr && PyDict_SetItem(heads.get(), head, Py_None) < 0) return;
  }
  auto names = Ref<>::steal(PyList_New(0));
  if (!names) return;
  Py_ssize_t position = 0;
  PyObject* head;
  while (PyDict_Next(heads.get(), &position, &head, nullptr)) {
    auto name = Ref<>::steal(class_name(head));
    if (!name || PyList_Append(names.get(), name.get()) < 0) return;
  }
  auto joined = Ref<>::steal(PyUnicode_Join(&_Py_STR(comma_sep), names.get()));
  if (!joined) return;
  PyErr_Format(PyExc_TypeError, "Cannot create a consistent method resolution\norder (MRO) for bases %U",
               joined.get());
}

/// Appends the C3 merge of `lists` to `result`.
int merge(PyObject* result, MergeList* lists, Py_ssize_t list_count) {
  while (true) {
    Py_ssize_t exhausted = 0;
    PyObject* chosen = nullptr;
    for (Py_ssize_t i = 0; i < list_count && chosen == nullptr; i++) {
      PyObject* candidate = lists[i].head();
      if (candidate == nullptr) {
        exhausted++;
        continue;
      }
      bool blocked = false;
      for (Py_ssize_t j = 0; j < list_count && !blocked; j++) blocked = lists[j].tail_contains(candidate);
      if (!blocked) chosen = candidate;
    }
    if (chosen == nullptr) {
      if (exhausted == list_count) return 0;
      raise_inconsistent(lists, list_count);
      return -1;
    }
    if (PyList_Append(result, chosen) < 0) return -1;
    for (Py_ssize_t i = 0; i < list_count; i++) {
      if (lists[i].head() == chosen) lists[i].next++;
    }
  }
}

/// Verifies what an overriding mro() gave back and makes a tuple of it.
PyObject* check_custom_mro(PyTypeObject* type, PyObject* result) {
  auto mro = Ref<>::steal(PySequence_Tuple(result));
  if (!mro) return nullptr;
  PyTypeObject* solid = solid_base(type);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro.get()); i++) {
    PyObject* item = PyTuple_GET_ITEM(mro.get(), i);
    if (!PyType_Check(item)) {
      PyErr_Format(PyExc_TypeError, "mro() returned a non-class ('%.500s')", Py_TYPE(item)->tp_name);
      return nullptr;
    }
    auto* base = reinterpret_cast<PyTypeObject*>(item);
    if (!PyType_IsSubtype(solid, solid_base(base))) {
      PyErr_Format(PyExc_TypeError, "mro() returned base with unsuitable layout ('%.500s')", base->tp_name);
      return nullptr;
    }
  }
  return mro.release();
}

/// New tuple, null on error.
PyObject* compute_mro_tuple(PyTypeObject* type) {
  if (Py_TYPE(type) != &PyType_Type) {
    bool unbound = false;
    auto method = Ref<>::steal(lookup_special_method(as_object(type), &_Py_ID(mro), &unbound));
    if (!method) {
      if (!PyErr_Occurred()) PyErr_SetObject(PyExc_AttributeError, &_Py_ID(mro));
      return nullptr;
    }
    PyObject* self = as_object(type);
    auto result = Ref<>::steal(unbound ? PyObject_Vectorcall(method.get(), &self, 1, nullptr)
                                       : _PyObject_CallNoArgs(method.get()));
    if (!result) return nullptr;
    return check_custom_mro(type, result.get());
  }
  PyObject* bases = type->tp_bases;
  if (PyTuple_GET_SIZE(bases) == 1) {
    // FAST: with one base the linearisation is the class followed by the base's.
    PyTypeObject* base = type_at(bases, 0);
    if (base->tp_mro == nullptr) {
      PyErr_Format(PyExc_TypeError, "Cannot extend an incomplete type '%.100s'", base->tp_name);
      return nullptr;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(base->tp_mro);
    PyObject* mro = PyTuple_New(count + 1);
    if (mro == nullptr) return nullptr;
    PyTuple_SET_ITEM(mro, 0, Py_NewRef(as_object(type)));
    for (Py_ssize_t i = 0; i < count; i++) {
      PyTuple_SET_ITEM(mro, i + 1, Py_NewRef(PyTuple_GET_ITEM(base->tp_mro, i)));
    }
    return mro;
  }
  auto list = Ref<>::steal(compute_mro(type));
  return list ? PySequence_Tuple(list.get()) : nullptr;
}

}  // namespace

namespace pyston {

PyObject* compute_mro(PyTypeObject* type) {
  PyObject* bases = type->tp_bases;
  Py_ssize_t count = PyTuple_GET_SIZE(bases);
  for (Py_ssize_t i = 0; i < count; i++) {
    PyTypeObject* base = type_at(bases, i);
    if (base->tp_mro == nullptr) {
      PyErr_Format(PyExc_TypeError, "Cannot extend an incomplete type '%.100s'", base->tp_name);
      return nullptr;
    }
  }
  if (count > 1 && has_duplicate_bases(bases)) return nullptr;

  auto result = Ref<>::steal(PyList_New(0));
  if (!result || PyList_Append(result.get(), as_object(type)) < 0) return nullptr;
  if (count == 0) return result.release();
  auto* lists = static_cast<MergeList*>(PyMem_Malloc(static_cast<size_t>(count + 1) * sizeof(MergeList)));
  if (lists == nullptr) return PyErr_NoMemory();
  // The inputs are immutable tuples, but a comparison-free merge never runs Python code, so borrowing is safe.
  for (Py_ssize_t i = 0; i < count; i++) lists[i] = {type_at(bases, i)->tp_mro, 0};
  lists[count] = {bases, 0};
  int status = merge(result.get(), lists, count + 1);
  PyMem_Free(lists);
  return status < 0 ? nullptr : result.release();
}

int install_mro(PyTypeObject* type, PyObject** old_mro_out) {
  PyObject* old_mro = Py_XNewRef(type->tp_mro);
  PyObject* new_mro = compute_mro_tuple(type);
  // A mro() of the metaclass may have come back here and installed one of its own: that one wins.
  bool reentered = type->tp_mro != old_mro;
  Py_XDECREF(old_mro);
  if (new_mro == nullptr) return -1;
  if (reentered) {
    Py_DECREF(new_mro);
    return 0;
  }
  type->tp_mro = new_mro;
  type_mro_modified(type, type->tp_mro);
  // A custom mro() may list classes that aren't bases; these then decide about caching too.
  type_mro_modified(type, type->tp_bases);
  PyType_Modified(type);
  if (old_mro_out != nullptr) {
    *old_mro_out = old_mro;  // the reference that the type held
  } else {
    Py_XDECREF(old_mro);
  }
  return 1;
}

bool extra_instance_space(PyTypeObject* type, PyTypeObject* base) {
  size_t type_size = static_cast<size_t>(type->tp_basicsize);
  size_t base_size = static_cast<size_t>(base->tp_basicsize);
  if (type->tp_itemsize || base->tp_itemsize) return type_size != base_size || type->tp_itemsize != base->tp_itemsize;
  // A weak list or a dict pointer at the very end doesn't count as layout.
  if (type->tp_weaklistoffset && base->tp_weaklistoffset == 0 &&
      type->tp_weaklistoffset + sizeof(PyObject*) == type_size && has_feature(type, Py_TPFLAGS_HEAPTYPE)) {
    type_size -= sizeof(PyObject*);
  }
  if (type->tp_dictoffset && base->tp_dictoffset == 0 && !has_feature(type, Py_TPFLAGS_MANAGED_DICT) &&
      static_cast<size_t>(type->tp_dictoffset) + sizeof(PyObject*) == type_size &&
      has_feature(type, Py_TPFLAGS_HEAPTYPE)) {
    type_size -= sizeof(PyObject*);
  }
  return type_size != base_size;
}

PyTypeObject* solid_base(PyTypeObject* type) {
  PyTypeObject* base = type->tp_base != nullptr ? solid_base(type->tp_base) : &PyBaseObject_Type;
  return extra_instance_space(type, base) ? type : base;
}

PyTypeObject* best_base(PyObject* bases) {
  PyTypeObject* base = nullptr;
  PyTypeObject* winner = nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
    PyObject* item = PyTuple_GET_ITEM(bases, i);
    if (!PyType_Check(item)) {
      PyErr_SetString(PyExc_TypeError, "bases must be types");
      return nullptr;
    }
    auto* candidate_base = reinterpret_cast<PyTypeObject*>(item);
    if (!_PyType_IsReady(candidate_base) && PyType_Ready(candidate_base) < 0) return nullptr;
    if (!has_feature(candidate_base, Py_TPFLAGS_BASETYPE)) {
      PyErr_Format(PyExc_TypeError, "type '%.100s' is not an acceptable base type", candidate_base->tp_name);
      return nullptr;
    }
    PyTypeObject* candidate = solid_base(candidate_base);
    if (winner == nullptr) {
      winner = candidate;
      base = candidate_base;
    } else if (PyType_IsSubtype(winner, candidate)) {
    } else if (PyType_IsSubtype(candidate, winner)) {
      winner = candidate;
      base = candidate_base;
    } else {
      PyErr_SetString(PyExc_TypeError, "multiple bases have instance lay-out conflict");
      return nullptr;
    }
  }
  return base;
}

}  // namespace pyston

extern "C" {

int PyType_IsSubtype(PyTypeObject* type, PyTypeObject* ancestor) {
  PyObject* mro = type->tp_mro;
  if (UNLIKELY(mro == nullptr)) return is_in_base_chain(type, ancestor);
  // Only the MRO counts: a custom mro() may put the class elsewhere, or leave it out.
  PyObject** item = reinterpret_cast<PyTupleObject*>(mro)->ob_item;
  for (PyObject** end = item + PyTuple_GET_SIZE(mro); item != end; item++) {
    if (*item == as_object(ancestor)) return 1;
  }
  return 0;
}

PyTypeObject* _PyType_CalculateMetaclass(PyTypeObject* metatype, PyObject* bases) {
  // The metaclass has to be a subclass of the metaclasses of all bases; the most derived of them serves.
  PyTypeObject* winner = metatype;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
    PyTypeObject* candidate = Py_TYPE(PyTuple_GET_ITEM(bases, i));
    if (PyType_IsSubtype(winner, candidate)) continue;
    if (PyType_IsSubtype(candidate, winner)) {
      winner = candidate;
      continue;
    }
    PyErr_SetString(PyExc_TypeError,
                    "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the "
                    "metaclasses of all its bases");
    return nullptr;
  }
  return winner;
}

}  // extern "C"
