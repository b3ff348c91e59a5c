// PyType_Ready: from a filled-in PyTypeObject to a working class. Bases, dict, MRO, inheritance of slots and flags, and
// the registry of subclasses.
//
// tp_subclasses maps the address of a subclass (an int) to a weak reference, so that bases don't keep their
// subclasses alive and removal is one lookup.
#include "Objects/core/slot_functions.h"

#include "pycore_call.h"
#include "pycore_dict.h"
#include "pycore_moduleobject.h"
#include "pycore_object.h"
#include "pycore_pyerrors.h"

namespace pyston {

const char* short_type_name(PyTypeObject* type) {
  const char* dot = strrchr(type->tp_name, '.');
  return dot == nullptr ? type->tp_name : dot + 1;
}

// ---------------------------------------------------------------------------------------------------------------
// The registry of subclasses

int add_subclass(PyTypeObject* base, PyTypeObject* type) {
  auto key = Ref<>::steal(PyLong_FromVoidPtr(type));
  if (!key) return -1;
  auto weak = Ref<>::steal(PyWeakref_NewRef(as_object(type), nullptr));
  if (!weak) return -1;
  if (base->tp_subclasses == nullptr) {
    base->tp_subclasses = PyDict_New();
    if (base->tp_subclasses == nullptr) return -1;
  }
  return PyDict_SetItem(base->tp_subclasses, key.get(), weak.get());
}

void remove_subclass(PyTypeObject* base, PyTypeObject* type) {
  if (base->tp_subclasses == nullptr) return;
  auto key = Ref<>::steal(PyLong_FromVoidPtr(type));
  // It may be missing: the class's creation can have failed half-way.
  if (!key || PyDict_DelItem(base->tp_subclasses, key.get()) < 0) PyErr_Clear();
  if (PyDict_GET_SIZE(base->tp_subclasses) == 0) Py_CLEAR(base->tp_subclasses);
}

int add_to_bases(PyTypeObject* type, PyObject* bases) {
  int status = 0;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
    PyObject* base = PyTuple_GET_ITEM(bases, i);
    if (PyType_Check(base) && add_subclass(reinterpret_cast<PyTypeObject*>(base), type) < 0) status = -1;
  }
  return status;
}

void remove_from_bases(PyTypeObject* type, PyObject* bases) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
    PyObject* base = PyTuple_GET_ITEM(bases, i);
    if (PyType_Check(base)) remove_subclass(reinterpret_cast<PyTypeObject*>(base), type);
  }
}

int for_each_subclass(PyTypeObject* type, int (*visit)(PyTypeObject*, void*), void* context) {
  PyObject* subclasses = type->tp_subclasses;
  if (subclasses == nullptr) return 0;
  Py_INCREF(subclasses);
  Py_ssize_t position = 0;
  PyObject* weak;
  int status = 0;
  while (status >= 0 && PyDict_Next(subclasses, &position, nullptr, &weak)) {
    PyObject* subclass = PyWeakref_GET_OBJECT(weak);
    if (subclass == Py_None) continue;
    Py_INCREF(subclass);
    status = visit(reinterpret_cast<PyTypeObject*>(subclass), context);
    Py_DECREF(subclass);
  }
  Py_DECREF(subclasses);
  return status;
}

// ---------------------------------------------------------------------------------------------------------------
// Inheritance

namespace {

constexpr unsigned long kCollectionFlags = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING;

/// What comes from tp_base alone: sizes, offsets, collectability and the subclass flags.
void inherit_layout(PyTypeObject* type, PyTypeObject* base) {
  if (!has_feature(type, Py_TPFLAGS_HAVE_GC) && has_feature(base, Py_TPFLAGS_HAVE_GC) &&
      type->tp_traverse == nullptr && type->tp_clear == nullptr) {
    type->tp_flags |= Py_TPFLAGS_HAVE_GC;
    type->tp_traverse = base->tp_traverse;
    type->tp_clear = base->tp_clear;
  }
  type->tp_flags |= base->tp_flags & Py_TPFLAGS_MANAGED_DICT;
  if (type->tp_basicsize == 0) type->tp_basicsize = base->tp_basicsize;
  if (type->tp_itemsize == 0) type->tp_itemsize = base->tp_itemsize;
  if (type->tp_weaklistoffset == 0) type->tp_weaklistoffset = base->tp_weaklistoffset;
  if (type->tp_dictoffset == 0) type->tp_dictoffset = base->tp_dictoffset;

  if (PyType_IsSubtype(base, reinterpret_cast<PyTypeObject*>(PyExc_BaseException))) {
    type->tp_flags |= Py_TPFLAGS_BASE_EXC_SUBCLASS;
  } else if (PyType_IsSubtype(base, &PyType_Type)) {
    type->tp_flags |= Py_TPFLAGS_TYPE_SUBCLASS;
  } else if (PyType_IsSubtype(base, &PyLong_Type)) {
    type->tp_flags |= Py_TPFLAGS_LONG_SUBCLASS;
  } else if (PyType_IsSubtype(base, &PyBytes_Type)) {
    type->tp_flags |= Py_TPFLAGS_BYTES_SUBCLASS;
  } else if (PyType_IsSubtype(base, &PyUnicode_Type)) {
    type->tp_flags |= Py_TPFLAGS_UNICODE_SUBCLASS;
  } else if (PyType_IsSubtype(base, &PyTuple_Type)) {
    type->tp_flags |= Py_TPFLAGS_TUPLE_SUBCLASS;
  } else if (PyType_IsSubtype(base, &PyList_Type)) {
    type->tp_flags |= Py_TPFLAGS_LIST_SUBCLASS;
  } else if (PyType_IsSubtype(base, &PyDict_Type)) {
    type->tp_flags |= Py_TPFLAGS_DICT_SUBCLASS;
  }
  if (has_feature(base, _Py_TPFLAGS_MATCH_SELF)) type->tp_flags |= _Py_TPFLAGS_MATCH_SELF;
}

bool defines(PyTypeObject* type, PyObject* name) {
  int found = PyDict_Contains(type->tp_dict, name);
  if (found < 0) PyErr_Clear();
  return found > 0;
}

/// The slot `member` of `type` is taken from `base` when the type has none and the base itself introduced it.
template <class Suite, class Slot>
ALWAYS_INLINE void inherit_one(Suite* mine, const Suite* theirs, const Suite* grandparent, Slot Suite::* member) {
  if (mine->*member == Slot{} && theirs->*member != Slot{} &&
      (grandparent == nullptr || theirs->*member != grandparent->*member)) {
    mine->*member = theirs->*member;
  }
}

template <class Suite, class... Members>
ALWAYS_INLINE void inherit_suite(Suite* PyTypeObject::* suite, PyTypeObject* type, PyTypeObject* base,
                                 Members... members) {
  Suite* mine = type->*suite;
  Suite* theirs = base->*suite;
  if (mine == nullptr || theirs == nullptr) return;
  // When the grandparent lacks the table, everything in the base's counts as introduced there.
  const Suite* grandparent = base->tp_base == nullptr ? nullptr : base->tp_base->*suite;
  (inherit_one(mine, theirs, grandparent, members), ...);
}

void inherit_call(PyTypeObject* type, PyTypeObject* base) {
  if (type->tp_vectorcall_offset == 0) type->tp_vectorcall_offset = base->tp_vectorcall_offset;
  // A mutable class can get a __call__ later, so only immutable ones inherit the vectorcall protocol.
  if (type->tp_call == nullptr && has_feature(base, Py_TPFLAGS_HAVE_VECTORCALL) &&
      has_feature(type, Py_TPFLAGS_IMMUTABLETYPE)) {
    type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
  }
}

/// tp_free and collectability have to fit together: a non-collectable base's plain free can't free a collectable object.
void inherit_free(PyTypeObject* type, PyTypeObject* base) {
  if (has_feature(type, Py_TPFLAGS_HAVE_GC) == has_feature(base, Py_TPFLAGS_HAVE_GC)) {
    if (type->tp_free == nullptr) type->tp_free = base->tp_free;
  } else if (has_feature(type, Py_TPFLAGS_HAVE_GC) && type->tp_free == nullptr && base->tp_free == PyObject_Free) {
    type->tp_free = PyObject_GC_Del;
  }
}

}  // namespace

void inherit_slots(PyTypeObject* type, PyTypeObject* base) {
  inherit_suite(&PyTypeObject::tp_as_number, type, base, &PyNumberMethods::nb_add, &PyNumberMethods::nb_subtract,
                &PyNumberMethods::nb_multiply, &PyNumberMethods::nb_remainder, &PyNumberMethods::nb_divmod,
                &PyNumberMethods::nb_power, &PyNumberMethods::nb_negative, &PyNumberMethods::nb_positive,
                &PyNumberMethods::nb_absolute, &PyNumberMethods::nb_bool, &PyNumberMethods::nb_invert,
                &PyNumberMethods::nb_lshift, &PyNumberMethods::nb_rshift, &PyNumberMethods::nb_and,
                &PyNumberMethods::nb_xor, &PyNumberMethods::nb_or, &PyNumberMethods::nb_int,
                &PyNumberMethods::nb_float, &PyNumberMethods::nb_inplace_add, &PyNumberMethods::nb_inplace_subtract,
                &PyNumberMethods::nb_inplace_multiply, &PyNumberMethods::nb_inplace_remainder,
                &PyNumberMethods::nb_inplace_power, &PyNumberMethods::nb_inplace_lshift,
                &PyNumberMethods::nb_inplace_rshift, &PyNumberMethods::nb_inplace_and,
                &PyNumberMethods::nb_inplace_xor, &PyNumberMethods::nb_inplace_or, &PyNumberMethods::nb_true_divide,
                &PyNumberMethods::nb_floor_divide, &PyNumberMethods::nb_inplace_true_divide,
                &PyNumberMethods::nb_inplace_floor_divide, &PyNumberMethods::nb_index,
                &PyNumberMethods::nb_matrix_multiply, &PyNumberMethods::nb_inplace_matrix_multiply);
  inherit_suite(&PyTypeObject::tp_as_async, type, base, &PyAsyncMethods::am_await, &PyAsyncMethods::am_aiter,
                &PyAsyncMethods::am_anext, &PyAsyncMethods::am_send);
  inherit_suite(&PyTypeObject::tp_as_sequence, type, base, &PySequenceMethods::sq_length,
                &PySequenceMethods::sq_concat, &PySequenceMethods::sq_repeat, &PySequenceMethods::sq_item,
                &PySequenceMethods::sq_ass_item, &PySequenceMethods::sq_contains,
                &PySequenceMethods::sq_inplace_concat, &PySequenceMethods::sq_inplace_repeat);
  inherit_suite(&PyTypeObject::tp_as_mapping, type, base, &PyMappingMethods::mp_length,
                &PyMappingMethods::mp_subscript, &PyMappingMethods::mp_ass_subscript);
  inherit_suite(&PyTypeObject::tp_as_buffer, type, base, &PyBufferProcs::bf_getbuffer,
                &PyBufferProcs::bf_releasebuffer);

  const PyTypeObject* grandparent = base->tp_base;
  auto inherit = [&](auto member) { inherit_one(type, const_cast<const PyTypeObject*>(base), grandparent, member); };

  inherit(&PyTypeObject::tp_dealloc);
  if (type->tp_getattr == nullptr && type->tp_getattro == nullptr) {
    type->tp_getattr = base->tp_getattr;
    type->tp_getattro = base->tp_getattro;
  }
  if (type->tp_setattr == nullptr && type->tp_setattro == nullptr) {
    type->tp_setattr = base->tp_setattr;
    type->tp_setattro = base->tp_setattro;
  }
  inherit(&PyTypeObject::tp_repr);
  inherit_call(type, base);
  inherit(&PyTypeObject::tp_call);
  inherit(&PyTypeObject::tp_str);
  // Equality and hash belong together: who redefines one of them inherits neither.
  if (type->tp_richcompare == nullptr && type->tp_hash == nullptr && !defines(type, &_Py_ID(__eq__)) &&
      !defines(type, &_Py_ID(__hash__))) {
    type->tp_richcompare = base->tp_richcompare;
    type->tp_hash = base->tp_hash;
  }
  inherit(&PyTypeObject::tp_iter);
  inherit(&PyTypeObject::tp_iternext);
  bool inherits_get = type->tp_descr_get == nullptr;
  inherit(&PyTypeObject::tp_descr_get);
  // A method descriptor's contract survives only where __get__ can't be replaced.
  if (inherits_get && type->tp_descr_get != nullptr && type->tp_descr_get == base->tp_descr_get &&
      has_feature(type, Py_TPFLAGS_IMMUTABLETYPE) && has_feature(base, Py_TPFLAGS_METHOD_DESCRIPTOR)) {
    type->tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR;
  }
  inherit(&PyTypeObject::tp_descr_set);
  inherit(&PyTypeObject::tp_dictoffset);
  inherit(&PyTypeObject::tp_init);
  inherit(&PyTypeObject::tp_alloc);
  inherit(&PyTypeObject::tp_is_gc);
  inherit(&PyTypeObject::tp_finalize);
  inherit_free(type, base);
}

// ---------------------------------------------------------------------------------------------------------------
// The steps of PyType_Ready

namespace {

int ready_name_check(PyTypeObject* type) {
  if (type->tp_name == nullptr) {
    PyErr_Format(PyExc_SystemError, "Type does not define the tp_name field.");
    return -1;
  }
  return 0;
}

int ready_bases(PyTypeObject* type) {
  PyTypeObject* base = type->tp_base;
  if (base == nullptr && type != &PyBaseObject_Type) {
    base = &PyBaseObject_Type;
    if (has_feature(type, Py_TPFLAGS_HEAPTYPE)) Py_INCREF(base);
    type->tp_base = base;
  }
  if (base != nullptr && !_PyType_IsReady(base) && PyType_Ready(base) < 0) return -1;
  if (Py_TYPE(type) == nullptr && base != nullptr) Py_SET_TYPE(as_object(type), Py_TYPE(base));
  if (type->tp_bases == nullptr) {
    type->tp_bases = base == nullptr ? PyTuple_New(0) : PyTuple_Pack(1, base);
    if (type->tp_bases == nullptr) return -1;
  }
  return 0;
}

/// Adds the methods. METH_COEXIST replaces a slot wrapper of the same name, anything else keeps what is there.
int add_methods(PyTypeObject* type) {
  if (type->tp_methods == nullptr) return 0;
  PyObject* dict = type->tp_dict;
  for (PyMethodDef* row = type->tp_methods; row->ml_name != nullptr; row++) {
    Ref<> descriptor;
    bool named_by_descriptor = true;
    if (row->ml_flags & METH_CLASS) {
      if (row->ml_flags & METH_STATIC) {
        PyErr_SetString(PyExc_ValueError, "method cannot be both class and static");
        return -1;
      }
      descriptor = Ref<>::steal(PyDescr_NewClassMethod(type, row));
    } else if (row->ml_flags & METH_STATIC) {
      auto function = Ref<>::steal(PyCFunction_NewEx(row, as_object(type), nullptr));
      if (!function) return -1;
      descriptor = Ref<>::steal(PyStaticMethod_New(function.get()));
      named_by_descriptor = false;
    } else {
      descriptor = Ref<>::steal(PyDescr_NewMethod(type, row));
    }
    if (!descriptor) return -1;
    auto name = named_by_descriptor ? Ref<>::dup(PyDescr_NAME(descriptor.get()))
                                    : Ref<>::steal(PyUnicode_InternFromString(row->ml_name));
    if (!name) return -1;
    int status = (row->ml_flags & METH_COEXIST) ? PyDict_SetItem(dict, name.get(), descriptor.get())
                 : PyDict_SetDefault(dict, name.get(), descriptor.get()) == nullptr ? -1
                                                                                     : 0;
    if (status < 0) return -1;
  }
  return 0;
}

int add_members(PyTypeObject* type) {
  if (type->tp_members == nullptr) return 0;
  for (PyMemberDef* row = type->tp_members; row->name != nullptr; row++) {
    auto descriptor = Ref<>::steal(PyDescr_NewMember(type, row));
    if (!descriptor ||
        PyDict_SetDefault(type->tp_dict, PyDescr_NAME(descriptor.get()), descriptor.get()) == nullptr) {
      return -1;
    }
  }
  return 0;
}

int add_computed_attributes(PyTypeObject* type) {
  if (type->tp_getset == nullptr) return 0;
  for (PyGetSetDef* row = type->tp_getset; row->name != nullptr; row++) {
    auto descriptor = Ref<>::steal(PyDescr_NewGetSet(type, row));
    if (!descriptor ||
        PyDict_SetDefault(type->tp_dict, PyDescr_NAME(descriptor.get()), descriptor.get()) == nullptr) {
      return -1;
    }
  }
  return 0;
}

PyMethodDef new_method_definition = {
    "__new__", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(tp_new_wrapper)),
    METH_VARARGS | METH_KEYWORDS,
    "__new__($type, *args, **kwargs)\n--\n\nCreate and return a new object.  See help(type) for accurate signature."};

int add_new_method(PyTypeObject* type) {
  int present = PyDict_Contains(type->tp_dict, &_Py_ID(__new__));
  if (present != 0) return present < 0 ? -1 : 0;
  auto function = Ref<>::steal(PyCFunction_NewEx(&new_method_definition, as_object(type), nullptr));
  return function ? PyDict_SetItem(type->tp_dict, &_Py_ID(__new__), function.get()) : -1;
}

/// Static types that neither name a tp_new nor allow the inheritance of object's can't be instantiated.
int ready_new(PyTypeObject* type) {
  PyTypeObject* base = type->tp_base;
  if (type->tp_new == nullptr && base == &PyBaseObject_Type && !has_feature(type, Py_TPFLAGS_HEAPTYPE)) {
    type->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
  }
  if (has_feature(type, Py_TPFLAGS_DISALLOW_INSTANTIATION)) {
    type->tp_new = nullptr;
    return 0;
  }
  if (type->tp_new != nullptr) {
    if (has_feature(type, Py_TPFLAGS_HEAPTYPE) && type->tp_new == slot_tp_new) return 0;
    // A heap type from a spec that took over the base's function has the base's method too.
    return add_new_method(type);
  }
  type->tp_new = base->tp_new;
  return 0;
}

int ready_dict(PyTypeObject* type) {
  if (type->tp_dict == nullptr) {
    type->tp_dict = PyDict_New();
    if (type->tp_dict == nullptr) return -1;
  }
  if (ready_new(type) < 0 || add_slot_wrappers(type) < 0 || add_methods(type) < 0 || add_members(type) < 0 ||
      add_computed_attributes(type) < 0) {
    return -1;
  }
  // __doc__
  int present = PyDict_Contains(type->tp_dict, &_Py_ID(__doc__));
  if (present != 0) return present < 0 ? -1 : 0;
  if (type->tp_doc == nullptr) return PyDict_SetItem(type->tp_dict, &_Py_ID(__doc__), Py_None);
  auto doc = Ref<>::steal(_PyType_GetDocFromInternalDoc(type->tp_name, type->tp_doc));
  return doc ? PyDict_SetItem(type->tp_dict, &_Py_ID(__doc__), doc.get()) : -1;
}

int ready_mro(PyTypeObject* type) {
  if (install_mro(type, nullptr) < 0) return -1;
  // A static type can't hold references that keep heap types alive in one interpreter only.
  if (!has_feature(type, Py_TPFLAGS_HEAPTYPE)) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_mro); i++) {
      auto* base = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(type->tp_mro, i));
      if (PyType_Check(as_object(base)) && has_feature(base, Py_TPFLAGS_HEAPTYPE)) {
        PyErr_Format(PyExc_TypeError, "type '%.100s' is not dynamically allocated but its base type '%.100s' is dynamically allocated",
                     type->tp_name, base->tp_name);
        return -1;
      }
    }
  }
  return 0;
}

int ready_inheritance(PyTypeObject* type) {
  PyTypeObject* base = type->tp_base;
  if (base != nullptr) inherit_layout(type, base);
  PyObject* mro = type->tp_mro;
  for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro); i++) {
    PyObject* ancestor = PyTuple_GET_ITEM(mro, i);
    if (PyType_Check(ancestor)) inherit_slots(type, reinterpret_cast<PyTypeObject*>(ancestor));
  }
  if (base != nullptr) {
    // Sub-tables that the type doesn't have are shared.
    if (type->tp_as_async == nullptr) type->tp_as_async = base->tp_as_async;
    if (type->tp_as_number == nullptr) type->tp_as_number = base->tp_as_number;
    if (type->tp_as_sequence == nullptr) type->tp_as_sequence = base->tp_as_sequence;
    if (type->tp_as_mapping == nullptr) type->tp_as_mapping = base->tp_as_mapping;
    if (type->tp_as_buffer == nullptr) type->tp_as_buffer = base->tp_as_buffer;
  }
  if (has_feature(type, Py_TPFLAGS_HAVE_GC) && type->tp_traverse == nullptr) {
    PyErr_Format(PyExc_SystemError, "type %s has the Py_TPFLAGS_HAVE_GC flag but has no traverse function",
                 type->tp_name);
    return -1;
  }
  return 0;
}

int ready_hash(PyTypeObject* type) {
  if (type->tp_hash != nullptr) return 0;
  int present = PyDict_Contains(type->tp_dict, &_Py_ID(__hash__));
  if (present != 0) return present < 0 ? -1 : 0;
  if (PyDict_SetItem(type->tp_dict, &_Py_ID(__hash__), Py_None) < 0) return -1;
  type->tp_hash = PyObject_HashNotImplemented;
  return 0;
}

int ready_managed_dict(PyTypeObject* type) {
  if (!has_feature(type, Py_TPFLAGS_MANAGED_DICT)) return 0;
  if (!has_feature(type, Py_TPFLAGS_HEAPTYPE)) {
    PyErr_Format(PyExc_SystemError, "type %s has the Py_TPFLAGS_MANAGED_DICT flag but not Py_TPFLAGS_HEAPTYPE flag",
                 type->tp_name);
    return -1;
  }
  auto* heap_type = reinterpret_cast<PyHeapTypeObject*>(type);
  if (heap_type->ht_cached_keys == nullptr) {
    heap_type->ht_cached_keys = _PyDict_NewKeysForClass();
    if (heap_type->ht_cached_keys == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
  }
  return 0;
}

int ready_collection_flags(PyTypeObject* type) {
  // Which pattern-matching category a class belongs to: its own, else the first of its bases that has one.
  if (type->tp_flags & kCollectionFlags) return 0;
  PyObject* mro = type->tp_mro;
  for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro); i++) {
    auto* ancestor = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(mro, i));
    if (ancestor->tp_flags & kCollectionFlags) {
      type->tp_flags |= ancestor->tp_flags & kCollectionFlags;
      break;
    }
  }
  return 0;
}

int ready_steps(PyTypeObject* type) {
  if (ready_name_check(type) < 0 || ready_bases(type) < 0) return -1;
  if (ready_dict(type) < 0 || ready_mro(type) < 0 || ready_inheritance(type) < 0) return -1;
  if (ready_hash(type) < 0 || ready_managed_dict(type) < 0 || ready_collection_flags(type) < 0) return -1;
  return add_to_bases(type, type->tp_bases);
}

}  // namespace
}  // namespace pyston

using namespace pyston;

extern "C" {

int PyType_Ready(PyTypeObject* type) {
  if (has_feature(type, Py_TPFLAGS_READY)) return 0;
  if (has_feature(type, Py_TPFLAGS_READYING)) {
    PyErr_Format(PyExc_SystemError, "type %s is being made ready already", type->tp_name);
    return -1;
  }
  type->tp_flags |= Py_TPFLAGS_READYING;
  if (!has_feature(type, Py_TPFLAGS_HEAPTYPE)) type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
  if (ready_steps(type) < 0) {
    type->tp_flags &= ~Py_TPFLAGS_READYING;
    return -1;
  }
  type->tp_flags = (type->tp_flags & ~Py_TPFLAGS_READYING) | Py_TPFLAGS_READY;
  return 0;
}

int _PyType_CheckConsistency(PyTypeObject* type) {
  auto check = [&](bool condition, const char* text) {
    if (!condition) _PyObject_AssertFailed(as_object(type), text, nullptr, __FILE__, __LINE__, "_PyType_CheckConsistency");
  };
  if (!has_feature(type, Py_TPFLAGS_READY)) return 1;
  check(as_object(type)->ob_refcnt >= 1, "ob_refcnt >= 1");
  check(!has_feature(type, Py_TPFLAGS_READYING), "not being made ready");
  check(type->tp_dict != nullptr && type->tp_mro != nullptr, "tp_dict and tp_mro are set");
  if (has_feature(type, Py_TPFLAGS_HAVE_GC)) check(type->tp_traverse != nullptr, "collectable types can be traversed");
  if (has_feature(type, Py_TPFLAGS_DISALLOW_INSTANTIATION)) check(type->tp_new == nullptr, "tp_new == NULL");
  return 1;
}

// Living direct subclasses, new list.
PyObject* _PyType_GetSubclasses(PyTypeObject* type) {
  PyObject* list = PyList_New(0);
  if (list == nullptr) return nullptr;
  int status = for_each_subclass(
      type,
      [](PyTypeObject* subclass, void* out) { return PyList_Append(static_cast<PyObject*>(out), as_object(subclass)); },
      list);
  if (status < 0) {
    Py_DECREF(list);
    return nullptr;
  }
  return list;
}

// Takes back what PyType_Ready did to a static type, so that another initialisation can start afresh.
void _PyStaticType_Dealloc(PyTypeObject* type) {
  // Subclasses that are still alive keep using the type.
  if (type->tp_subclasses != nullptr) return;
  Py_CLEAR(type->tp_dict);
  Py_CLEAR(type->tp_bases);
  Py_CLEAR(type->tp_mro);
  Py_CLEAR(type->tp_cache);
  if (type->tp_weaklist != nullptr) {
    _PyWeakref_ClearRef(reinterpret_cast<PyWeakReference*>(type->tp_weaklist));
    Py_CLEAR(type->tp_weaklist);
  }
  type->tp_flags &= ~(Py_TPFLAGS_READY | Py_TPFLAGS_VALID_VERSION_TAG);
  type->tp_version_tag = 0;
}

}  // extern "C"
