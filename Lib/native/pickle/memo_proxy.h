// Pickler.memo and Unpickler.memo: an object that shows its owner's memo and keeps the owner alive.
//
// A `Traits` names the owner's type (`Owner`), the proxy's (`kName`), what copy() says (`kCopyDoc`), and gives
// `static void clear(Owner*)` and `static Ref<> copy(Owner*)`, a dict with the memo's contents.
#pragma once

#include "Lib/native/pickle/pickle.h"

namespace pyston::pickling {

template <typename Traits>
class MemoProxy {
 public:
  using Owner = typename Traits::Owner;

  static Status create_type() {
    type_ = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
    return type_ != nullptr ? Status::kOk : Status::kError;
  }
  static bool check(PyObject* object) { return Py_IS_TYPE(object, type_); }
  static Owner* owner(PyObject* proxy) { return reinterpret_cast<Layout*>(proxy)->owner; }
  static Ref<> create(Owner* owner) {
    PyObject* proxy = type_->tp_alloc(type_, 0);
    if (proxy != nullptr) reinterpret_cast<Layout*>(proxy)->owner = reinterpret_cast<Owner*>(Py_NewRef(as_object(owner)));
    return Ref<>::steal(proxy);
  }

 private:
  struct Layout {
    PyObject_HEAD
    Owner* owner;
  };

  static PyObject* clear(PyObject* proxy) {
    Traits::clear(owner(proxy));
    Py_RETURN_NONE;
  }
  static Ref<> copy(PyObject* proxy) { return Traits::copy(owner(proxy)); }
  static PyObject* reduce(PyObject* proxy) {
    Ref<> contents = copy(proxy);
    return contents ? Py_BuildValue("(O(N))", &PyDict_Type, contents.release()) : nullptr;
  }
  static int traverse(PyObject* proxy, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(proxy));
    Py_VISIT(as_object(owner(proxy)));
    return 0;
  }
  static void dealloc(PyObject* proxy) {
    PyTypeObject* type = Py_TYPE(proxy);
    PyObject_GC_UnTrack(proxy);
    Py_XDECREF(as_object(owner(proxy)));
    type->tp_free(proxy);
    Py_DECREF(as_object(type));
  }

  inline static PyTypeObject* type_ = nullptr;
  inline static PyMethodDef methods[] = {
      method<clear, "clear($self, /)", "Remove all items.">(),
      method<copy, "copy($self, /)", Traits::kCopyDoc>(),
      method<reduce, "__reduce__($self, /)", "Pickle support.">(),
      {},
  };
  inline static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
      {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
      {Py_tp_hash, reinterpret_cast<void*>(PyObject_HashNotImplemented)},
      {Py_tp_methods, methods},
      {0, nullptr},
  };
  inline static PyType_Spec spec = {Traits::kName, sizeof(Layout), 0,
                                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
};

}  // namespace pyston::pickling
