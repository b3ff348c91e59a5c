// The two directions between slots and special methods, both driven by slots.def:
//   slot -> method   add_slot_wrappers: a ready type's own slots appear in its dict as wrapper descriptors;
//   method -> slot   derive_slots / rederive_*: a class's slots follow what attribute lookup finds for their names.
//
// Several rows can share a slot (`__add__`/`__radd__`), and several slots a name (`__len__`: mapping and sequence). All
// rows of one slot form a group; a slot is always recomputed from its whole group.
#include "Objects/core/slot_functions.h"
#include "Objects/core/slot_wrappers.h"

#include "pycore_pyerrors.h"

namespace pyston {
namespace {

using SlotRow = wrapperbase;

#define SUITE_OFFSET_tp(member) offsetof(PyHeapTypeObject, ht_type.member)
#define SUITE_OFFSET_am(member) offsetof(PyHeapTypeObject, as_async.member)
#define SUITE_OFFSET_nb(member) offsetof(PyHeapTypeObject, as_number.member)
#define SUITE_OFFSET_mp(member) offsetof(PyHeapTypeObject, as_mapping.member)
#define SUITE_OFFSET_sq(member) offsetof(PyHeapTypeObject, as_sequence.member)

template <class T>
void* function_address(T function) {
  return reinterpret_cast<void*>(function);
}
inline void* function_address(std::nullptr_t) { return nullptr; }
inline wrapperfunc as_wrapper(wrapperfunc function) { return function; }
inline wrapperfunc as_wrapper(std::nullptr_t) { return nullptr; }
inline wrapperfunc as_wrapper(wrapperfunc_kwds function) {
  return reinterpret_cast<wrapperfunc>(reinterpret_cast<void (*)()>(function));
}
constexpr int wrapper_flags(wrapperfunc) { return 0; }
constexpr int wrapper_flags(std::nullptr_t) { return 0; }
constexpr int wrapper_flags(wrapperfunc_kwds) { return PyWrapperFlag_KEYWORDS; }

SlotRow slot_rows[] = {
#define SLOT(suite, member, method, wrapper, generic, parameters, doc)                           \
  {#method, static_cast<int>(SUITE_OFFSET_##suite(member)), function_address(generic), as_wrapper(wrapper), \
   #method parameters "\n--\n\n" doc, wrapper_flags(wrapper), &_Py_ID(method)},
#include "Objects/core/slots.def"
};
constexpr int kRowCount = sizeof(slot_rows) / sizeof(slot_rows[0]);

/// Rows by name: an open hash table on the address of the interned name.
constexpr unsigned kNameTableSize = 256;
struct NameEntry {
  PyObject* name;
  int first_row;  // further rows through next_row_of_name
};
NameEntry name_table[kNameTableSize];
int next_row_of_name[kRowCount];
int group_of_row[kRowCount];  // index of the first row with the same slot
bool tables_ready = false;

unsigned name_hash(PyObject* name) {
  uintptr_t bits = reinterpret_cast<uintptr_t>(name);
  return static_cast<unsigned>((bits >> 4) ^ (bits >> 11)) & (kNameTableSize - 1);
}

/// First row for a name, or -1. The name has to be interned.
int first_row_for(PyObject* name) {
  for (unsigned i = name_hash(name);; i = (i + 1) & (kNameTableSize - 1)) {
    if (name_table[i].name == name) return name_table[i].first_row;
    if (name_table[i].name == nullptr) return -1;
  }
}

void build_tables() {
  if (tables_ready) return;
  for (int row = 0; row < kRowCount; row++) {
    next_row_of_name[row] = -1;
    group_of_row[row] = row > 0 && slot_rows[row].offset == slot_rows[row - 1].offset ? group_of_row[row - 1] : row;
    PyObject* name = slot_rows[row].name_strobj;
    unsigned i = name_hash(name);
    while (name_table[i].name != nullptr && name_table[i].name != name) i = (i + 1) & (kNameTableSize - 1);
    if (name_table[i].name == nullptr) {
      name_table[i] = {name, row};
    } else {
      int last = name_table[i].first_row;
      while (next_row_of_name[last] >= 0) last = next_row_of_name[last];
      next_row_of_name[last] = row;
    }
  }
  tables_ready = true;
}

/// Where a row's slot is in `type`; null when the type has no such sub-table.
void** slot_address(PyTypeObject* type, int offset) {
  char* base;
  auto within = [&](size_t start) { return static_cast<size_t>(offset) >= start; };
  if (within(offsetof(PyHeapTypeObject, as_sequence))) {
    base = reinterpret_cast<char*>(type->tp_as_sequence);
    offset -= offsetof(PyHeapTypeObject, as_sequence);
  } else if (within(offsetof(PyHeapTypeObject, as_mapping))) {
    base = reinterpret_cast<char*>(type->tp_as_mapping);
    offset -= offsetof(PyHeapTypeObject, as_mapping);
  } else if (within(offsetof(PyHeapTypeObject, as_number))) {
    base = reinterpret_cast<char*>(type->tp_as_number);
    offset -= offsetof(PyHeapTypeObject, as_number);
  } else if (within(offsetof(PyHeapTypeObject, as_async))) {
    base = reinterpret_cast<char*>(type->tp_as_async);
    offset -= offsetof(PyHeapTypeObject, as_async);
  } else {
    base = reinterpret_cast<char*>(type);
  }
  return base == nullptr ? nullptr : reinterpret_cast<void**>(base + offset);
}

/// Of the slots that share a row's name, the single one that `type` fills; null when none or several are.
void** only_filled_slot(PyTypeObject* type, int row) {
  void** found = nullptr;
  int first = first_row_for(slot_rows[row].name_strobj);
  for (int other = first; other >= 0; other = next_row_of_name[other]) {
    void** address = slot_address(type, slot_rows[other].offset);
    if (address == nullptr || *address == nullptr) continue;
    if (found != nullptr) return nullptr;
    found = address;
  }
  return found;
}

bool is_inherited_new(PyObject* descriptor) {
  return Py_TYPE(descriptor) == &PyCFunction_Type &&
         reinterpret_cast<PyCFunctionObject*>(descriptor)->m_ml->ml_meth ==
             reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(tp_new_wrapper));
}

/// Recomputes the slot of the group that starts at row `group`. If every name resolves to the wrapper of one and the
/// same C function, that function goes into the slot directly; otherwise the generic function does.
void update_group(PyTypeObject* type, int group) {
  int offset = slot_rows[group].offset;
  void** address = slot_address(type, offset);
  if (address == nullptr) return;
  void* specific = nullptr;
  void* generic = nullptr;
  bool use_generic = false;

  for (int row = group; row < kRowCount && slot_rows[row].offset == offset; row++) {
    const SlotRow& entry = slot_rows[row];
    int failure = 0;
    PyObject* descriptor = find_in_mro(type, entry.name_strobj, &failure);
    if (descriptor == nullptr) {
      if (failure) PyErr_Clear();
      if (offset == static_cast<int>(offsetof(PyHeapTypeObject, ht_type.tp_iternext))) {
        specific = function_address(_PyObject_NextNotImplemented);
      }
      continue;
    }
    if (Py_TYPE(descriptor) == &PyWrapperDescr_Type &&
        reinterpret_cast<PyWrapperDescrObject*>(descriptor)->d_base->name_strobj == entry.name_strobj) {
      auto* wrapper = reinterpret_cast<PyWrapperDescrObject*>(descriptor);
      void** filled = only_filled_slot(type, row);
      if (filled == nullptr || filled == address) generic = entry.function;
      if ((specific == nullptr || specific == wrapper->d_wrapped) && wrapper->d_base->wrapper == entry.wrapper &&
          PyType_IsSubtype(type, PyDescr_TYPE(wrapper))) {
        specific = wrapper->d_wrapped;
      } else {
        use_generic = true;
      }
    } else if (is_inherited_new(descriptor) &&
               offset == static_cast<int>(offsetof(PyHeapTypeObject, ht_type.tp_new))) {
      // `__new__` of a C type: tp_new was inherited already, and stays as fast as it is.
      specific = function_address(type->tp_new);
    } else if (descriptor == Py_None && offset == static_cast<int>(offsetof(PyHeapTypeObject, ht_type.tp_hash))) {
      specific = function_address(PyObject_HashNotImplemented);
    } else {
      use_generic = true;
      generic = entry.function;
      if (entry.function == function_address(slot_tp_call)) type->tp_flags &= ~Py_TPFLAGS_HAVE_VECTORCALL;
    }
  }
  *address = specific != nullptr && !use_generic ? specific : generic;
}

/// A set of groups to recompute.
struct GroupSet {
  int groups[kRowCount];
  int count = 0;
  bool marked[kRowCount] = {};
  void add(int group) {
    if (marked[group]) return;
    marked[group] = true;
    groups[count++] = group;
  }
  void add_name(PyObject* name) {
    for (int row = first_row_for(name); row >= 0; row = next_row_of_name[row]) add(group_of_row[row]);
  }
};

/// Adds the groups of the special methods that the class's own dict defines.
void add_own_names(PyTypeObject* type, GroupSet& set) {
  PyObject* key;
  Py_ssize_t position = 0;
  while (PyDict_Next(type->tp_dict, &position, &key, nullptr)) {
    if (!PyUnicode_CheckExact(key) || !is_dunder_name(key)) continue;
    if (PyUnicode_CHECK_INTERNED(key)) {
      set.add_name(key);
    } else {
      PyObject* interned = Py_NewRef(key);
      PyUnicode_InternInPlace(&interned);
      set.add_name(interned);
      Py_DECREF(interned);
    }
  }
}

/// Whether lookups past the class itself give what they give for its only base.
bool extends_mro_of_base(PyTypeObject* type) {
  if (PyTuple_GET_SIZE(type->tp_bases) != 1) return false;
  PyObject* mro = type->tp_mro;
  PyObject* base_mro = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(type->tp_bases, 0))->tp_mro;
  if (base_mro == nullptr || PyTuple_GET_SIZE(mro) != PyTuple_GET_SIZE(base_mro) + 1) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(base_mro); i++) {
    if (PyTuple_GET_ITEM(mro, i + 1) != PyTuple_GET_ITEM(base_mro, i)) return false;
  }
  return true;
}

struct UpdateContext {
  const GroupSet* set;
  PyObject* name;  // subclasses that define it themselves don't change; null: visit all
};

int update_type_and_subclasses(PyTypeObject* type, void* context) {
  auto* update = static_cast<UpdateContext*>(context);
  if (update->name != nullptr && type->tp_dict != nullptr) {
    int defines = PyDict_Contains(type->tp_dict, update->name);
    if (defines < 0) return -1;
    if (defines) return 0;
  }
  for (int i = 0; i < update->set->count; i++) update_group(type, update->set->groups[i]);
  return for_each_subclass(type, update_type_and_subclasses, context);
}

}  // namespace

bool is_dunder_name(PyObject* name) {
  Py_ssize_t length = PyUnicode_GET_LENGTH(name);
  if (PyUnicode_KIND(name) != PyUnicode_1BYTE_KIND || length <= 4) return false;
  const Py_UCS1* text = PyUnicode_1BYTE_DATA(name);
  return text[0] == '_' && text[1] == '_' && text[length - 1] == '_' && text[length - 2] == '_';
}

int add_slot_wrappers(PyTypeObject* type) {
  build_tables();
  PyObject* dict = type->tp_dict;
  for (SlotRow& row : slot_rows) {
    if (row.wrapper == nullptr) continue;
    void** address = slot_address(type, row.offset);
    if (address == nullptr || *address == nullptr) continue;
    int present = PyDict_Contains(dict, row.name_strobj);
    if (present < 0) return -1;
    if (present) continue;
    if (*address == function_address(PyObject_HashNotImplemented)) {
      // Shows that the type is unhashable, and stops subclasses from finding a base's __hash__.
      if (PyDict_SetItem(dict, row.name_strobj, Py_None) < 0) return -1;
      continue;
    }
    auto descriptor = Ref<>::steal(PyDescr_NewWrapper(type, &row, *address));
    if (!descriptor || PyDict_SetItem(dict, row.name_strobj, descriptor.get()) < 0) return -1;
  }
  return 0;
}

void derive_slots(PyTypeObject* type) {
  build_tables();
  GroupSet set;
  add_own_names(type, set);
  // FAST: the slots of the base were just inherited. Only names in the class's own dict can make a difference or, where the
  // order of lookup is not the base's, names in any dict: a name that none but object defines gives object's slot.
  if (!extends_mro_of_base(type)) {
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(type->tp_mro); i++) {
      auto* other = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(type->tp_mro, i));
      if (other != &PyBaseObject_Type && other->tp_dict != nullptr) add_own_names(other, set);
    }
  }
  // Who defines one of __eq__ and __hash__ inherited neither slot: the other comes from the lookup as well.
  if (type->tp_richcompare == nullptr) set.add_name(&_Py_ID(__eq__));
  if (type->tp_hash == nullptr) set.add_name(&_Py_ID(__hash__));
  for (int i = 0; i < set.count; i++) update_group(type, set.groups[i]);
}

void forget_all_versions() { PyType_Modified(&PyBaseObject_Type); }

int rederive_all_slots(PyTypeObject* type) {
  forget_all_versions();  // the instances may have become descriptors, or stopped being ones
  GroupSet set;
  for (int row = 0; row < kRowCount; row++) set.add(group_of_row[row]);
  UpdateContext context{&set, nullptr};
  return update_type_and_subclasses(type, &context);
}

int rederive_slots_for_name(PyTypeObject* type, PyObject* name) {
  build_tables();
  GroupSet set;
  set.add_name(name);
  if (set.count == 0) return 0;
  if (name == &_Py_ID(__get__) || name == &_Py_ID(__set__) || name == &_Py_ID(__delete__)) forget_all_versions();
  for (int i = 0; i < set.count; i++) update_group(type, set.groups[i]);
  UpdateContext context{&set, name};
  return for_each_subclass(type, update_type_and_subclasses, &context);
}

// ---------------------------------------------------------------------------------------------------------------
// `__new__` of C types

PyObject* tp_new_wrapper(PyObject* self, PyObject* args, PyObject* kwargs) {
  auto* type = reinterpret_cast<PyTypeObject*>(self);
  if (self == nullptr || !PyType_Check(self)) {
    PyErr_Format(PyExc_SystemError, "__new__() called with non-type 'self'");
    return nullptr;
  }
  if (PyTuple_GET_SIZE(args) < 1) {
    PyErr_Format(PyExc_TypeError, "%s.__new__(): not enough arguments", type->tp_name);
    return nullptr;
  }
  PyObject* first = PyTuple_GET_ITEM(args, 0);
  if (!PyType_Check(first)) {
    PyErr_Format(PyExc_TypeError, "%s.__new__(X): X is not a type object (%s)", type->tp_name,
                 Py_TYPE(first)->tp_name);
    return nullptr;
  }
  auto* subtype = reinterpret_cast<PyTypeObject*>(first);
  if (!PyType_IsSubtype(subtype, type)) {
    PyErr_Format(PyExc_TypeError, "%s.__new__(%s): %s is not a subtype of %s", type->tp_name, subtype->tp_name,
                 subtype->tp_name, type->tp_name);
    return nullptr;
  }
  // The nearest C base must be built by its own function: object.__new__(dict) would leave the table uninitialised.
  PyTypeObject* native_base = subtype;
  while (native_base != nullptr && native_base->tp_new == slot_tp_new) native_base = native_base->tp_base;
  if (native_base != nullptr && native_base->tp_new != type->tp_new) {
    PyErr_Format(PyExc_TypeError, "%s.__new__(%s) is not safe, use %s.__new__()", type->tp_name, subtype->tp_name,
                 native_base->tp_name);
    return nullptr;
  }
  auto rest = Ref<>::steal(PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)));
  if (!rest) return nullptr;
  return type->tp_new(subtype, rest.get(), kwargs);
}

}  // namespace pyston

extern "C" PyStatus _PyTypes_InitSlotDefs(void) {
  pyston::build_tables();
  return PyStatus_Ok();
}
