// Weak references: ref, proxy and callable proxy, and what happens to them when their object dies.
//
// An object with weak references heads a doubly linked list of them. INVARIANT: the list starts with the one reusable
// plain ref (exact type, no callback), if there is one, then the reusable proxy, then all others, newest first.
// wr_object is not owned; it is None once the object is gone.
#include "Objects/bind.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_object.h>
#include <internal/pycore_pystate.h>

namespace pyston {
namespace {

ALWAYS_INLINE PyWeakReference* as_weakref(PyObject* object) { return reinterpret_cast<PyWeakReference*>(object); }
ALWAYS_INLINE PyWeakReference** list_of(PyObject* object) {
  return reinterpret_cast<PyWeakReference**>(_PyObject_GET_WEAKREFS_LISTPTR(object));
}

PyObject* ref_vectorcall(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames);

void init_weakref(PyWeakReference* self, PyObject* object, PyObject* callback) {
  self->hash = -1;
  self->wr_object = object;
  self->wr_prev = nullptr;
  self->wr_next = nullptr;
  self->wr_callback = Py_XNewRef(callback);
  self->vectorcall = ref_vectorcall;
}

PyWeakReference* new_weakref(PyObject* object, PyObject* callback, PyTypeObject* type) {
  PyWeakReference* self = PyObject_GC_New(PyWeakReference, type);
  if (self == nullptr) return nullptr;
  init_weakref(self, object, callback);
  PyObject_GC_Track(self);
  return self;
}

/// Takes the reference out of its object's list; the callback is left in place.
void unlink_weakref(PyWeakReference* self) {
  if (self->wr_object == Py_None) return;
  PyWeakReference** list = list_of(self->wr_object);
  if (*list == self) *list = self->wr_next;
  self->wr_object = Py_None;
  if (self->wr_prev != nullptr) self->wr_prev->wr_next = self->wr_next;
  if (self->wr_next != nullptr) self->wr_next->wr_prev = self->wr_prev;
  self->wr_prev = nullptr;
  self->wr_next = nullptr;
}

void clear_weakref(PyWeakReference* self) {
  PyObject* callback = self->wr_callback;
  unlink_weakref(self);
  if (callback != nullptr) {
    self->wr_callback = nullptr;
    Py_DECREF(callback);
  }
}

/// The reusable plain ref and proxy of a list, where present.
void find_reusable(PyWeakReference* head, PyWeakReference** ref, PyWeakReference** proxy) {
  *ref = nullptr;
  *proxy = nullptr;
  if (head == nullptr || head->wr_callback != nullptr) return;
  if (PyWeakref_CheckRefExact(as_object(head))) {
    *ref = head;
    head = head->wr_next;
  }
  if (head != nullptr && head->wr_callback == nullptr && PyWeakref_CheckProxy(as_object(head))) *proxy = head;
}

void insert_first(PyWeakReference* self, PyWeakReference** list) {
  PyWeakReference* next = *list;
  self->wr_prev = nullptr;
  self->wr_next = next;
  if (next != nullptr) next->wr_prev = self;
  *list = self;
}

void insert_after(PyWeakReference* self, PyWeakReference* previous) {
  self->wr_prev = previous;
  self->wr_next = previous->wr_next;
  if (self->wr_next != nullptr) self->wr_next->wr_prev = self;
  previous->wr_next = self;
}

void insert_last_reusable(PyWeakReference* self, PyWeakReference** list) {
  PyWeakReference *ref, *proxy;
  find_reusable(*list, &ref, &proxy);
  PyWeakReference* previous = proxy != nullptr ? proxy : ref;
  if (previous == nullptr) {
    insert_first(self, list);
  } else {
    insert_after(self, previous);
  }
}

COLD void not_weakly_referenceable(PyObject* object) {
  PyErr_Format(PyExc_TypeError, "cannot create weak reference to '%s' object", Py_TYPE(object)->tp_name);
}

ALWAYS_INLINE bool supports_weakrefs(PyObject* object) { return Py_TYPE(object)->tp_weaklistoffset > 0; }

// ---- weakref.ref -------------------------------------------------------------------------------------------------

void weakref_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  clear_weakref(as_weakref(self));
  Py_TYPE(self)->tp_free(self);
}

int weakref_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_weakref(self)->wr_callback);
  return 0;
}

int weakref_clear(PyObject* self) {
  clear_weakref(as_weakref(self));
  return 0;
}

PyObject* ref_vectorcall(PyObject* self, PyObject* const*, size_t nargsf, PyObject* kwnames) {
  if (!_PyArg_NoKwnames("weakref", kwnames)) return nullptr;
  if (!_PyArg_CheckPositional("weakref", PyVectorcall_NARGS(nargsf), 0, 0)) return nullptr;
  return Py_NewRef(PyWeakref_GET_OBJECT(self));
}

Py_hash_t ref_hash(PyObject* self) {
  if (as_weakref(self)->hash != -1) return as_weakref(self)->hash;
  Ref<> object = Ref<>::dup(PyWeakref_GET_OBJECT(self));
  if (object.get() == Py_None) {
    PyErr_SetString(PyExc_TypeError, "weak object has gone away");
    return -1;
  }
  return as_weakref(self)->hash = PyObject_Hash(object.get());
}

PyObject* ref_repr(PyObject* self) {
  Ref<> object = Ref<>::dup(PyWeakref_GET_OBJECT(self));
  if (object.get() == Py_None) return PyUnicode_FromFormat("<weakref at %p; dead>", self);
  PyObject* name;
  if (_PyObject_LookupAttr(object.get(), &_Py_ID(__name__), &name) < 0) return nullptr;
  PyObject* result;
  if (name == nullptr || !PyUnicode_Check(name)) {
    result = PyUnicode_FromFormat("<weakref at %p; to '%s' at %p>", self, Py_TYPE(object.get())->tp_name, object.get());
  } else {
    result = PyUnicode_FromFormat("<weakref at %p; to '%s' at %p (%U)>", self, Py_TYPE(object.get())->tp_name,
                                  object.get(), name);
  }
  Py_XDECREF(name);
  return result;
}

/// Live references compare by their objects, dead ones by identity.
PyObject* ref_richcompare(PyObject* self, PyObject* other, int op) {
  if ((op != Py_EQ && op != Py_NE) || !PyWeakref_Check(self) || !PyWeakref_Check(other)) Py_RETURN_NOTIMPLEMENTED;
  if (PyWeakref_GET_OBJECT(self) == Py_None || PyWeakref_GET_OBJECT(other) == Py_None) {
    return PyBool_FromLong((self == other) == (op == Py_EQ));
  }
  Ref<> a = Ref<>::dup(PyWeakref_GET_OBJECT(self)), b = Ref<>::dup(PyWeakref_GET_OBJECT(other));
  return PyObject_RichCompare(a.get(), b.get(), op);
}

bool parse_arguments(const char* name, PyObject* args, PyObject** object, PyObject** callback) {
  *callback = nullptr;
  if (!PyArg_UnpackTuple(args, name, 1, 2, object, callback)) return false;
  if (*callback == Py_None) *callback = nullptr;
  return true;
}

PyObject* ref_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  PyObject *object, *callback;
  if (!parse_arguments("__new__", args, &object, &callback)) return nullptr;
  if (!supports_weakrefs(object)) {
    not_weakly_referenceable(object);
    return nullptr;
  }
  PyWeakReference** list = list_of(object);
  PyWeakReference *ref, *proxy;
  find_reusable(*list, &ref, &proxy);
  if (callback == nullptr && type == &_PyWeakref_RefType && ref != nullptr) return Py_NewRef(as_object(ref));
  PyWeakReference* self = as_weakref(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  init_weakref(self, object, callback);
  if (callback == nullptr && type == &_PyWeakref_RefType) {
    insert_first(self, list);
  } else {
    // The allocation can have run a collection that changed the list: it is searched anew.
    insert_last_reusable(self, list);
  }
  return as_object(self);
}

int ref_init(PyObject*, PyObject* args, PyObject* kwargs) {
  if (!_PyArg_NoKeywords("ref", kwargs)) return -1;
  PyObject *object, *callback;
  return parse_arguments("__init__", args, &object, &callback) ? 0 : -1;
}

PyMemberDef ref_members[] = {
    {"__callback__", T_OBJECT, offsetof(PyWeakReference, wr_callback), READONLY, nullptr},
    {},
};
PyMethodDef ref_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "weakref.ref[X], for annotations."},
    {},
};

// ---- Proxies -----------------------------------------------------------------------------------------------------

/// A strong reference to what a proxy stands for (other objects stand for themselves), ReferenceError when dead.
Ref<> unwrap(PyObject* object) {
  if (!PyWeakref_CheckProxy(object)) return Ref<>::dup(object);
  PyObject* target = PyWeakref_GET_OBJECT(object);
  if (target == Py_None) {
    return raise(PyExc_ReferenceError, "weakly-referenced object no longer exists");
  }
  return Ref<>::dup(target);
}

template <PyObject* (*operation)(PyObject*)>
PyObject* proxy_unary(PyObject* self) {
  Ref<> target = unwrap(self);
  return target ? operation(target.get()) : nullptr;
}
template <PyObject* (*operation)(PyObject*, PyObject*)>
PyObject* proxy_binary(PyObject* a, PyObject* b) {
  Ref<> x = unwrap(a);
  if (!x) return nullptr;
  Ref<> y = unwrap(b);
  return y ? operation(x.get(), y.get()) : nullptr;
}
template <PyObject* (*operation)(PyObject*, PyObject*, PyObject*)>
PyObject* proxy_ternary(PyObject* a, PyObject* b, PyObject* c) {
  Ref<> x = unwrap(a);
  if (!x) return nullptr;
  Ref<> y = unwrap(b);
  if (!y) return nullptr;
  if (c == nullptr) return operation(x.get(), y.get(), nullptr);
  Ref<> z = unwrap(c);
  return z ? operation(x.get(), y.get(), z.get()) : nullptr;
}
PyObject* proxy_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  Ref<> target = unwrap(self);
  return target ? PyObject_Call(target.get(), args, kwargs) : nullptr;
}

PyObject* proxy_repr(PyObject* self) {
  PyObject* target = PyWeakref_GET_OBJECT(self);
  return PyUnicode_FromFormat("<weakproxy at %p to %s at %p>", self, Py_TYPE(target)->tp_name, target);
}
int proxy_setattr(PyObject* self, PyObject* name, PyObject* value) {
  Ref<> target = unwrap(self);
  return target ? PyObject_SetAttr(target.get(), name, value) : -1;
}
PyObject* proxy_richcompare(PyObject* a, PyObject* b, int op) {
  Ref<> x = unwrap(a);
  if (!x) return nullptr;
  Ref<> y = unwrap(b);
  return y ? PyObject_RichCompare(x.get(), y.get(), op) : nullptr;
}
int proxy_bool(PyObject* self) {
  Ref<> target = unwrap(self);
  return target ? PyObject_IsTrue(target.get()) : -1;
}
void proxy_dealloc(PyObject* self) {
  if (as_weakref(self)->wr_callback != nullptr) PyObject_GC_UnTrack(self);
  clear_weakref(as_weakref(self));
  PyObject_GC_Del(self);
}
int proxy_contains(PyObject* self, PyObject* value) {
  Ref<> target = unwrap(self);
  return target ? PySequence_Contains(target.get(), value) : -1;
}
Py_ssize_t proxy_length(PyObject* self) {
  Ref<> target = unwrap(self);
  return target ? PyObject_Length(target.get()) : -1;
}
int proxy_assign(PyObject* self, PyObject* key, PyObject* value) {
  Ref<> target = unwrap(self);
  if (!target) return -1;
  return value == nullptr ? PyObject_DelItem(target.get(), key) : PyObject_SetItem(target.get(), key, value);
}
PyObject* proxy_iter(PyObject* self) {
  Ref<> target = unwrap(self);
  return target ? PyObject_GetIter(target.get()) : nullptr;
}
PyObject* proxy_iternext(PyObject* self) {
  Ref<> target = unwrap(self);
  if (!target) return nullptr;
  if (!PyIter_Check(target.get())) {
    PyErr_Format(PyExc_TypeError, "Weakref proxy referenced a non-iterator '%.200s' object",
                 Py_TYPE(target.get())->tp_name);
    return nullptr;
  }
  return PyIter_Next(target.get());
}
PyObject* proxy_bytes(PyObject* self) {
  Ref<> target = unwrap(self);
  return target ? PyObject_CallMethodNoArgs(target.get(), &_Py_ID(__bytes__)) : nullptr;
}
PyObject* proxy_reversed(PyObject* self) {
  Ref<> target = unwrap(self);
  return target ? PyObject_CallMethodNoArgs(target.get(), &_Py_ID(__reversed__)) : nullptr;
}

PyMethodDef proxy_methods[] = {
    method<proxy_bytes, "__bytes__($self, /)">(),
    method<proxy_reversed, "__reversed__($self, /)">(),
    {},
};

PyNumberMethods proxy_as_number = {
    .nb_add = proxy_binary<PyNumber_Add>,
    .nb_subtract = proxy_binary<PyNumber_Subtract>,
    .nb_multiply = proxy_binary<PyNumber_Multiply>,
    .nb_remainder = proxy_binary<PyNumber_Remainder>,
    .nb_divmod = proxy_binary<PyNumber_Divmod>,
    .nb_power = proxy_ternary<PyNumber_Power>,
    .nb_negative = proxy_unary<PyNumber_Negative>,
    .nb_positive = proxy_unary<PyNumber_Positive>,
    .nb_absolute = proxy_unary<PyNumber_Absolute>,
    .nb_bool = proxy_bool,
    .nb_invert = proxy_unary<PyNumber_Invert>,
    .nb_lshift = proxy_binary<PyNumber_Lshift>,
    .nb_rshift = proxy_binary<PyNumber_Rshift>,
    .nb_and = proxy_binary<PyNumber_And>,
    .nb_xor = proxy_binary<PyNumber_Xor>,
    .nb_or = proxy_binary<PyNumber_Or>,
    .nb_int = proxy_unary<PyNumber_Long>,
    .nb_float = proxy_unary<PyNumber_Float>,
    .nb_inplace_add = proxy_binary<PyNumber_InPlaceAdd>,
    .nb_inplace_subtract = proxy_binary<PyNumber_InPlaceSubtract>,
    .nb_inplace_multiply = proxy_binary<PyNumber_InPlaceMultiply>,
    .nb_inplace_remainder = proxy_binary<PyNumber_InPlaceRemainder>,
    .nb_inplace_power = proxy_ternary<PyNumber_InPlacePower>,
    .nb_inplace_lshift = proxy_binary<PyNumber_InPlaceLshift>,
    .nb_inplace_rshift = proxy_binary<PyNumber_InPlaceRshift>,
    .nb_inplace_and = proxy_binary<PyNumber_InPlaceAnd>,
    .nb_inplace_xor = proxy_binary<PyNumber_InPlaceXor>,
    .nb_inplace_or = proxy_binary<PyNumber_InPlaceOr>,
    .nb_floor_divide = proxy_binary<PyNumber_FloorDivide>,
    .nb_true_divide = proxy_binary<PyNumber_TrueDivide>,
    .nb_inplace_floor_divide = proxy_binary<PyNumber_InPlaceFloorDivide>,
    .nb_inplace_true_divide = proxy_binary<PyNumber_InPlaceTrueDivide>,
    .nb_index = proxy_unary<PyNumber_Index>,
    .nb_matrix_multiply = proxy_binary<PyNumber_MatrixMultiply>,
    .nb_inplace_matrix_multiply = proxy_binary<PyNumber_InPlaceMatrixMultiply>,
};
PySequenceMethods proxy_as_sequence = {.sq_length = proxy_length, .sq_contains = proxy_contains};
PyMappingMethods proxy_as_mapping = {
    .mp_length = proxy_length,
    .mp_subscript = proxy_binary<PyObject_GetItem>,
    .mp_ass_subscript = proxy_assign,
};

constexpr PyTypeObject proxy_type(const char* name) {
  PyTypeObject type = {.ob_base = type_head()};
  type.tp_name = name;
  type.tp_basicsize = sizeof(PyWeakReference);
  type.tp_dealloc = proxy_dealloc;
  type.tp_repr = proxy_repr;
  type.tp_as_number = &proxy_as_number;
  type.tp_as_sequence = &proxy_as_sequence;
  type.tp_as_mapping = &proxy_as_mapping;
  type.tp_hash = PyObject_HashNotImplemented;
  type.tp_str = proxy_unary<PyObject_Str>;
  type.tp_getattro = proxy_binary<PyObject_GetAttr>;
  type.tp_setattro = proxy_setattr;
  type.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = weakref_traverse;
  type.tp_clear = weakref_clear;
  type.tp_richcompare = proxy_richcompare;
  type.tp_iter = proxy_iter;
  type.tp_iternext = proxy_iternext;
  type.tp_methods = proxy_methods;
  return type;
}

PyTypeObject callable_proxy_type() {
  PyTypeObject type = proxy_type("weakref.CallableProxyType");
  type.tp_call = proxy_call;
  return type;
}

COLD void run_callback(PyWeakReference* ref, PyObject* callback) {
  PyObject* result = PyObject_CallOneArg(callback, as_object(ref));
  if (result == nullptr) {
    PyErr_WriteUnraisable(callback);
  } else {
    Py_DECREF(result);
  }
}

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject _PyWeakref_RefType = {
    .ob_base = type_head(),
    .tp_name = "weakref.ReferenceType",
    .tp_basicsize = sizeof(PyWeakReference),
    .tp_dealloc = weakref_dealloc,
    .tp_vectorcall_offset = offsetof(PyWeakReference, vectorcall),
    .tp_repr = ref_repr,
    .tp_hash = ref_hash,
    .tp_call = PyVectorcall_Call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_BASETYPE,
    .tp_traverse = weakref_traverse,
    .tp_clear = weakref_clear,
    .tp_richcompare = ref_richcompare,
    .tp_methods = ref_methods,
    .tp_members = ref_members,
    .tp_init = ref_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = ref_new,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject _PyWeakref_ProxyType = proxy_type("weakref.ProxyType");
PyTypeObject _PyWeakref_CallableProxyType = callable_proxy_type();

PyObject* PyWeakref_NewRef(PyObject* object, PyObject* callback) {
  if (!supports_weakrefs(object)) {
    not_weakly_referenceable(object);
    return nullptr;
  }
  PyWeakReference** list = list_of(object);
  PyWeakReference *ref, *proxy;
  find_reusable(*list, &ref, &proxy);
  if (callback == Py_None) callback = nullptr;
  if (callback == nullptr && ref != nullptr) return Py_NewRef(as_object(ref));
  PyWeakReference* self = new_weakref(object, callback, &_PyWeakref_RefType);
  if (self == nullptr) return nullptr;
  // The allocation can have run a collection that changed the list: it is searched anew.
  find_reusable(*list, &ref, &proxy);
  if (callback != nullptr) {
    insert_last_reusable(self, list);
  } else if (ref != nullptr) {
    Py_DECREF(as_object(self));
    return Py_NewRef(as_object(ref));
  } else {
    insert_first(self, list);
  }
  return as_object(self);
}

PyObject* PyWeakref_NewProxy(PyObject* object, PyObject* callback) {
  if (!supports_weakrefs(object)) {
    not_weakly_referenceable(object);
    return nullptr;
  }
  PyWeakReference** list = list_of(object);
  PyWeakReference *ref, *proxy;
  find_reusable(*list, &ref, &proxy);
  if (callback == Py_None) callback = nullptr;
  if (callback == nullptr && proxy != nullptr) return Py_NewRef(as_object(proxy));
  PyTypeObject* type = PyCallable_Check(object) ? &_PyWeakref_CallableProxyType : &_PyWeakref_ProxyType;
  PyWeakReference* self = new_weakref(object, callback, type);
  if (self == nullptr) return nullptr;
  find_reusable(*list, &ref, &proxy);
  if (callback == nullptr && proxy != nullptr) {
    Py_DECREF(as_object(self));
    return Py_NewRef(as_object(proxy));
  }
  PyWeakReference* previous = callback == nullptr ? ref : proxy != nullptr ? proxy : ref;
  if (previous == nullptr) {
    insert_first(self, list);
  } else {
    insert_after(self, previous);
  }
  return as_object(self);
}

/// Borrowed; None when the object is gone.
PyObject* PyWeakref_GetObject(PyObject* ref) {
  if (ref == nullptr || !PyWeakref_Check(ref)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  return PyWeakref_GET_OBJECT(ref);
}

Py_ssize_t _PyWeakref_GetWeakrefCount(PyWeakReference* head) {
  Py_ssize_t count = 0;
  for (; head != nullptr; head = head->wr_next) count++;
  return count;
}

/// For the collector: takes the object away and keeps the callback.
void _PyWeakref_ClearRef(PyWeakReference* self) {
  PyObject* callback = std::exchange(self->wr_callback, nullptr);
  clear_weakref(self);
  self->wr_callback = callback;
}

/// Called by the deallocator of a dying object: clears all references, then runs their callbacks.
void PyObject_ClearWeakRefs(PyObject* object) {
  if (object == nullptr || !_PyType_SUPPORTS_WEAKREFS(Py_TYPE(object)) || Py_REFCNT(object) != 0) {
    PyErr_BadInternalCall();
    return;
  }
  PyWeakReference** list = list_of(object);
  // The reusable ones have no callback.
  for (int i = 0; i < 2 && *list != nullptr && (*list)->wr_callback == nullptr; i++) clear_weakref(*list);
  if (*list == nullptr) return;

  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  const Py_ssize_t count = _PyWeakref_GetWeakrefCount(*list);
  if (count == 1) {
    PyWeakReference* ref = *list;
    PyObject* callback = std::exchange(ref->wr_callback, nullptr);
    clear_weakref(ref);
    if (callback != nullptr) {
      // A reference that is being deallocated itself has nobody to tell.
      if (Py_REFCNT(as_object(ref)) > 0) {
        Py_INCREF(as_object(ref));
        run_callback(ref, callback);
        Py_DECREF(as_object(ref));
      }
      Py_DECREF(callback);
    }
  } else {
    // All are dead before the first callback can look at them.
    PyObject* pairs = PyTuple_New(count * 2);
    if (pairs == nullptr) {
      _PyErr_ChainExceptions(type, value, traceback);
      return;
    }
    for (Py_ssize_t i = 0; *list != nullptr; i++) {
      PyWeakReference* ref = *list;
      PyObject* callback = std::exchange(ref->wr_callback, nullptr);
      if (Py_REFCNT(as_object(ref)) > 0) {
        PyTuple_SET_ITEM(pairs, i * 2, Py_NewRef(as_object(ref)));
        PyTuple_SET_ITEM(pairs, i * 2 + 1, callback);
      } else {
        Py_XDECREF(callback);
      }
      clear_weakref(ref);
    }
    for (Py_ssize_t i = 0; i < count; i++) {
      PyObject* callback = PyTuple_GET_ITEM(pairs, i * 2 + 1);
      if (callback != nullptr) run_callback(as_weakref(PyTuple_GET_ITEM(pairs, i * 2)), callback);
    }
    Py_DECREF(pairs);
  }
  PyErr_Restore(type, value, traceback);
}
