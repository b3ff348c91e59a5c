// _abc: the engine of abc.ABCMeta. Each abstract class holds an `_abc_data` object with its registered virtual
// subclasses and two caches of answers, all as sets of weak references.
//
// The negative cache of a class is valid while its version equals the process-wide invalidation counter, which every
// register() increases.
#include "Objects/bind.h"
#include "Objects/core/type.h"

#include "pycore_call.h"
#include "pycore_moduleobject.h"
#include "pycore_object.h"

using namespace pyston;

namespace {

struct AbcState {
  PyTypeObject* data_type;
  unsigned long long invalidation_counter;
};

struct AbcData {
  PyObject_HEAD
  PyObject* registry;
  PyObject* cache;
  PyObject* negative_cache;
  unsigned long long negative_cache_version;
};

constexpr unsigned long kCollectionFlags = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING;

AbcState* state_of(PyObject* module) { return static_cast<AbcState*>(_PyModule_GetState(module)); }

// ---------------------------------------------------------------------------------------------------------------
// _abc_data

int data_traverse(PyObject* self, visitproc visit, void* arg) {
  auto* data = reinterpret_cast<AbcData*>(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(data->registry);
  Py_VISIT(data->cache);
  Py_VISIT(data->negative_cache);
  return 0;
}
int data_clear(PyObject* self) {
  auto* data = reinterpret_cast<AbcData*>(self);
  Py_CLEAR(data->registry);
  Py_CLEAR(data->cache);
  Py_CLEAR(data->negative_cache);
  return 0;
}
void data_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PyTypeObject* type = Py_TYPE(self);
  data_clear(self);
  type->tp_free(self);
  Py_DECREF(type);
}
PyObject* data_new(PyTypeObject* type, PyObject*, PyObject*) { return type->tp_alloc(type, 0); }

PyType_Slot data_slots[] = {{Py_tp_doc, const_cast<char*>("Internal state held by ABC machinery.")},
                            {Py_tp_new, reinterpret_cast<void*>(data_new)},
                            {Py_tp_dealloc, reinterpret_cast<void*>(data_dealloc)},
                            {Py_tp_traverse, reinterpret_cast<void*>(data_traverse)},
                            {Py_tp_clear, reinterpret_cast<void*>(data_clear)},
                            {0, nullptr}};
PyType_Spec data_spec = {.name = "_abc._abc_data",
                         .basicsize = sizeof(AbcData),
                         .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                         .slots = data_slots};

/// The class's _abc_data, owned; TypeError when `_abc_impl` was tampered with.
Ref<AbcData> data_of(PyObject* module, PyObject* cls) {
  auto data = VM_TRY(Ref<>::steal(PyObject_GetAttr(cls, &_Py_ID(_abc_impl))));
  if (Py_TYPE(data.get()) != state_of(module)->data_type) {
    return raise(PyExc_TypeError, "_abc_impl is set to a wrong type");
  }
  return Ref<AbcData>::steal(data.release());
}

// ---------------------------------------------------------------------------------------------------------------
// Sets of weak references

/// Whether the set (may be null) holds a weak reference to the class. -1 on error.
int set_contains(PyObject* set, PyObject* cls) {
  if (set == nullptr || PySet_GET_SIZE(set) == 0) return 0;
  auto weak = Ref<>::steal(PyWeakref_NewRef(cls, nullptr));
  if (!weak) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
    PyErr_Clear();
    return 0;
  }
  return PySet_Contains(set, weak.get());
}

/// Removes a dead reference. `set_weak` leads to the set, which may be gone already.
PyObject* remove_dead(PyObject* set_weak, PyObject* weak) {
  PyObject* set = PyWeakref_GET_OBJECT(set_weak);
  if (set == Py_None) return Ref<>::none().release();
  Py_INCREF(set);
  int status = PySet_Discard(set, weak);
  Py_DECREF(set);
  return status < 0 ? nullptr : Ref<>::none().release();
}
PyMethodDef remove_dead_definition = {"_destroy", remove_dead, METH_O, nullptr};

Status set_add(PyObject** set, PyObject* cls) {
  if (*set == nullptr) {
    *set = PySet_New(nullptr);
    if (*set == nullptr) return Status::kError;
  }
  auto set_weak = VM_TRY(Ref<>::steal(PyWeakref_NewRef(*set, nullptr)));
  auto callback = VM_TRY(Ref<>::steal(PyCFunction_NewEx(&remove_dead_definition, set_weak.get(), nullptr)));
  auto weak = VM_TRY(Ref<>::steal(PyWeakref_NewRef(cls, callback.get())));
  return PySet_Add(*set, weak.get()) < 0 ? Status::kError : Status::kOk;
}

// ---------------------------------------------------------------------------------------------------------------
// Which methods are abstract

Status collect_own(PyObject* cls, PyObject* abstracts) {
  PyObject* dict = reinterpret_cast<PyTypeObject*>(cls)->tp_dict;
  auto items = VM_TRY(Ref<>::steal(PyDict_Items(dict)));  // a copy: the attributes' code may run
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.get()); i++) {
    PyObject* item = PyList_GET_ITEM(items.get(), i);
    int abstract = _PyObject_IsAbstract(PyTuple_GET_ITEM(item, 1));
    if (abstract < 0) return Status::kError;
    if (abstract && PySet_Add(abstracts, PyTuple_GET_ITEM(item, 0)) < 0) return Status::kError;
  }
  return Status::kOk;
}

Status collect_inherited(PyObject* cls, PyObject* abstracts) {
  PyObject* bases = reinterpret_cast<PyTypeObject*>(cls)->tp_bases;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
    PyObject* base_abstracts;
    if (_PyObject_LookupAttr(PyTuple_GET_ITEM(bases, i), &_Py_ID(__abstractmethods__), &base_abstracts) < 0) {
      return Status::kError;
    }
    if (base_abstracts == nullptr) continue;
    auto owner = Ref<>::steal(base_abstracts);
    auto iterator = VM_TRY(Ref<>::steal(PyObject_GetIter(base_abstracts)));
    while (auto name = Ref<>::steal(PyIter_Next(iterator.get()))) {
      PyObject* value;
      if (_PyObject_LookupAttr(cls, name.get(), &value) < 0) return Status::kError;
      auto value_owner = Ref<>::steal(value);
      int abstract = _PyObject_IsAbstract(value);
      if (abstract < 0) return Status::kError;
      if (abstract && PySet_Add(abstracts, name.get()) < 0) return Status::kError;
    }
    if (PyErr_Occurred()) return Status::kError;
  }
  return Status::kOk;
}

Ref<> abc_init(Borrowed<> module, Borrowed<> self) {
  if (!PyType_Check(self.get())) return raise(PyExc_TypeError, "_abc_init() argument must be a class");
  auto abstracts = VM_TRY(Ref<>::steal(PyFrozenSet_New(nullptr)));
  VM_CHECK(collect_own(self, abstracts.get()));
  VM_CHECK(collect_inherited(self, abstracts.get()));
  VM_CHECK(PyObject_SetAttr(self, &_Py_ID(__abstractmethods__), abstracts.get()));
  auto data = VM_TRY(Ref<AbcData>::steal(data_new(state_of(module)->data_type, nullptr, nullptr)));
  data->negative_cache_version = state_of(module)->invalidation_counter;
  VM_CHECK(PyObject_SetAttr(self, &_Py_ID(_abc_impl), data.object()));
  // collections.abc.Sequence and Mapping mark themselves for pattern matching.
  auto* cls = reinterpret_cast<PyTypeObject*>(self.get());
  PyObject* flags = PyDict_GetItemWithError(cls->tp_dict, &_Py_ID(__abc_tpflags__));
  if (flags == nullptr) return PyErr_Occurred() ? nullptr : Ref<>::none();
  if (PyLong_CheckExact(flags)) {
    long value = PyLong_AsLong(flags);
    if (value == -1 && PyErr_Occurred()) return nullptr;
    if ((static_cast<unsigned long>(value) & kCollectionFlags) == kCollectionFlags) {
      return raise(PyExc_TypeError,
                   "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING");
    }
    cls->tp_flags |= static_cast<unsigned long>(value) & kCollectionFlags;
    VM_CHECK(PyDict_DelItem(cls->tp_dict, &_Py_ID(__abc_tpflags__)));
  }
  return Ref<>::none();
}

// ---------------------------------------------------------------------------------------------------------------
// register()

struct FlagUpdate {
  unsigned long flags;
};

int set_collection_flags(PyTypeObject* type, void* context) {
  auto flags = static_cast<FlagUpdate*>(context)->flags;
  // Immutable types decided about themselves; a class that has the flag already has passed it on.
  if ((type->tp_flags & kCollectionFlags) == flags) return 0;
  if (has_feature(type, Py_TPFLAGS_IMMUTABLETYPE)) return 0;
  type->tp_flags = (type->tp_flags & ~kCollectionFlags) | flags;
  return for_each_subclass(type, set_collection_flags, context);
}

Ref<> abc_register(Borrowed<> module, Borrowed<> self, Borrowed<> subclass) {
  if (!PyType_Check(subclass.get())) return raise(PyExc_TypeError, "Can only register classes");
  int already = PyObject_IsSubclass(subclass, self);
  if (already < 0) return nullptr;
  if (already) return Ref<>::dup(subclass.get());
  int cycle = PyObject_IsSubclass(self, subclass);
  if (cycle < 0) return nullptr;
  if (cycle) return raise(PyExc_RuntimeError, "Refusing to create an inheritance cycle");
  auto data = VM_TRY(data_of(module, self));
  VM_CHECK(set_add(&data->registry, subclass));
  state_of(module)->invalidation_counter++;
  if (PyType_Check(self.get())) {
    FlagUpdate update{reinterpret_cast<PyTypeObject*>(self.get())->tp_flags & kCollectionFlags};
    if (update.flags) set_collection_flags(reinterpret_cast<PyTypeObject*>(subclass.get()), &update);
  }
  return Ref<>::dup(subclass.get());
}

// ---------------------------------------------------------------------------------------------------------------
// isinstance() and issubclass()

Ref<> subclass_check(PyObject* self, PyObject* cls) {
  return Ref<>::steal(PyObject_CallMethodOneArg(self, &_Py_ID(__subclasscheck__), cls));
}

Ref<> abc_instancecheck(Borrowed<> module, Borrowed<> self, Borrowed<> instance) {
  auto data = VM_TRY(data_of(module, self));
  auto subclass = VM_TRY(Ref<>::steal(PyObject_GetAttr(instance, &_Py_ID(__class__))));
  int cached = set_contains(data->cache, subclass.get());
  if (cached != 0) return cached < 0 ? nullptr : Ref<>::dup(Py_True);
  PyObject* type = as_object(Py_TYPE(instance.get()));
  if (type == subclass.get()) {
    if (data->negative_cache_version == state_of(module)->invalidation_counter) {
      int denied = set_contains(data->negative_cache, subclass.get());
      if (denied != 0) return denied < 0 ? nullptr : Ref<>::dup(Py_False);
    }
    return subclass_check(self, subclass.get());
  }
  auto by_class = VM_TRY(subclass_check(self, subclass.get()));
  int truth = PyObject_IsTrue(by_class.get());
  if (truth < 0) return nullptr;
  return truth ? std::move(by_class) : subclass_check(self, type);
}

/// A registered class, or a subclass of one?
Lookup search_registry(AbcData* data, PyObject* subclass) {
  int exact = set_contains(data->registry, subclass);
  if (exact != 0) return exact < 0 ? Lookup::kError : Lookup::kFound;
  if (data->registry == nullptr) return Lookup::kMissing;
  // A copy: issubclass() can run code that registers more.
  auto copy = VM_TRY(Ref<>::steal(PySequence_List(data->registry)));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(copy.get()); i++) {
    PyObject* registered = PyWeakref_GET_OBJECT(PyList_GET_ITEM(copy.get(), i));
    if (registered == Py_None) continue;
    auto owner = Ref<>::dup(registered);
    int result = PyObject_IsSubclass(subclass, registered);
    if (result < 0) return Lookup::kError;
    if (result > 0) return set_add(&data->cache, subclass) == Status::kOk ? Lookup::kFound : Lookup::kError;
  }
  return Lookup::kMissing;
}

Lookup search_subclasses(PyObject* self, PyObject* subclass) {
  auto subclasses = VM_TRY(Ref<>::steal(PyObject_CallMethod(self, "__subclasses__", nullptr)));
  if (!PyList_Check(subclasses.get())) {
    return raise(PyExc_TypeError, "__subclasses__() must return a list");
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(subclasses.get()); i++) {
    int result = PyObject_IsSubclass(subclass, PyList_GET_ITEM(subclasses.get(), i));
    if (result != 0) return result < 0 ? Lookup::kError : Lookup::kFound;
  }
  return Lookup::kMissing;
}

bool is_in_mro(PyObject* subclass, PyObject* cls) {
  PyObject* mro = reinterpret_cast<PyTypeObject*>(subclass)->tp_mro;
  for (Py_ssize_t i = 0; mro != nullptr && i < PyTuple_GET_SIZE(mro); i++) {
    if (PyTuple_GET_ITEM(mro, i) == cls) return true;
  }
  return false;
}

Ref<> remember(PyObject** cache, PyObject* subclass, PyObject* answer) {
  VM_CHECK(set_add(cache, subclass));
  return Ref<>::dup(answer);
}

Ref<> abc_subclasscheck(Borrowed<> module, Borrowed<> self, Borrowed<> subclass) {
  if (!PyType_Check(subclass.get())) return raise(PyExc_TypeError, "issubclass() arg 1 must be a class");
  auto data = VM_TRY(data_of(module, self));
  AbcState* state = state_of(module);
  int cached = set_contains(data->cache, subclass);
  if (cached != 0) return cached < 0 ? nullptr : Ref<>::dup(Py_True);
  if (data->negative_cache_version < state->invalidation_counter) {
    if (data->negative_cache != nullptr && PySet_Clear(data->negative_cache) < 0) return nullptr;
    data->negative_cache_version = state->invalidation_counter;
  } else {
    int denied = set_contains(data->negative_cache, subclass);
    if (denied != 0) return denied < 0 ? nullptr : Ref<>::dup(Py_False);
  }
  auto hook = VM_TRY(Ref<>::steal(PyObject_CallMethodOneArg(self, &_Py_ID(__subclasshook__), subclass)));
  if (hook.get() == Py_True) return remember(&data->cache, subclass, Py_True);
  if (hook.get() == Py_False) return remember(&data->negative_cache, subclass, Py_False);
  if (hook.get() != Py_NotImplemented) {
    return raise(PyExc_AssertionError, "__subclasshook__ must return either False, True, or NotImplemented");
  }
  if (is_in_mro(subclass, self)) return remember(&data->cache, subclass, Py_True);
  Lookup found = search_registry(data.get(), subclass);
  if (found == Lookup::kError) return nullptr;
  if (found == Lookup::kFound) return Ref<>::dup(Py_True);
  found = search_subclasses(self, subclass);
  if (found == Lookup::kError) return nullptr;
  if (found == Lookup::kFound) return remember(&data->cache, subclass, Py_True);
  return remember(&data->negative_cache, subclass, Py_False);
}

// ---------------------------------------------------------------------------------------------------------------
// Sight and reset, for abc._py and the tests

Ref<> reset_registry(Borrowed<> module, Borrowed<> self) {
  auto data = VM_TRY(data_of(module, self));
  if (data->registry != nullptr && PySet_Clear(data->registry) < 0) return nullptr;
  return Ref<>::none();
}
Ref<> reset_caches(Borrowed<> module, Borrowed<> self) {
  auto data = VM_TRY(data_of(module, self));
  if (data->cache != nullptr && PySet_Clear(data->cache) < 0) return nullptr;
  if (data->negative_cache != nullptr && PySet_Clear(data->negative_cache) < 0) return nullptr;
  return Ref<>::none();
}
Ref<> copy_set(PyObject* set) { return Ref<>::steal(PySet_New(set)); }
Ref<> get_dump(Borrowed<> module, Borrowed<> self) {
  auto data = VM_TRY(data_of(module, self));
  auto registry = VM_TRY(copy_set(data->registry));
  auto cache = VM_TRY(copy_set(data->cache));
  auto negative = VM_TRY(copy_set(data->negative_cache));
  return Ref<>::steal(Py_BuildValue("NNNK", registry.release(), cache.release(), negative.release(),
                                    data->negative_cache_version));
}
Ref<> get_cache_token(Borrowed<> module) {
  return Ref<>::steal(PyLong_FromUnsignedLongLong(state_of(module)->invalidation_counter));
}

PyMethodDef module_methods[] = {
    method<get_cache_token, "get_cache_token($module, /)",
           "The current cache token: an opaque value that changes with every call to register()\n"
           "on any abstract base class.">(),
    method<abc_init, "_abc_init($module, self, /)", "Internal ABC helper for class set-up. Should be never used outside abc module.">(),
    method<reset_registry, "_reset_registry($module, self, /)", "Internal: clears the registry of a class.">(),
    method<reset_caches, "_reset_caches($module, self, /)", "Internal: clears both caches of a class.">(),
    method<get_dump, "_get_dump($module, self, /)",
           "Internal: the registry, cache, negative cache and its version, as a tuple.">(),
    method<abc_register, "_abc_register($module, self, subclass, /)", "Internal: registers a virtual subclass.">(),
    method<abc_instancecheck, "_abc_instancecheck($module, self, instance, /)", "Internal: isinstance().">(),
    method<abc_subclasscheck, "_abc_subclasscheck($module, self, subclass, /)", "Internal: issubclass().">(),
    {}};

int execute(PyObject* module) {
  AbcState* state = state_of(module);
  state->invalidation_counter = 0;
  state->data_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &data_spec, nullptr));
  return state->data_type == nullptr ? -1 : 0;
}
int module_traverse(PyObject* module, visitproc visit, void* arg) {
  Py_VISIT(state_of(module)->data_type);
  return 0;
}
int module_clear(PyObject* module) {
  Py_CLEAR(state_of(module)->data_type);
  return 0;
}

PyModuleDef_Slot module_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {0, nullptr}};
PyModuleDef module_definition = {.m_base = PyModuleDef_HEAD_INIT,
                                 .m_name = "_abc",
                                 .m_doc = "Module contains faster C implementation of abc.ABCMeta",
                                 .m_size = sizeof(AbcState),
                                 .m_methods = module_methods,
                                 .m_slots = module_slots,
                                 .m_traverse = module_traverse,
                                 .m_clear = module_clear};

}  // namespace

PyMODINIT_FUNC PyInit__abc(void) { return PyModuleDef_Init(&module_definition); }
