// Classes that C code creates at run time from a PyType_Spec, and questions about their slots and modules.
#include "Objects/core/type.h"

#include "pycore_dict.h"
#include "pycore_moduleobject.h"
#include "pycore_pyerrors.h"

using namespace pyston;

namespace {

#define SUITE_OFFSET_tp(member) offsetof(PyHeapTypeObject, ht_type.member)
#define SUITE_OFFSET_am(member) offsetof(PyHeapTypeObject, as_async.member)
#define SUITE_OFFSET_nb(member) offsetof(PyHeapTypeObject, as_number.member)
#define SUITE_OFFSET_mp(member) offsetof(PyHeapTypeObject, as_mapping.member)
#define SUITE_OFFSET_sq(member) offsetof(PyHeapTypeObject, as_sequence.member)
#define SUITE_OFFSET_bf(member) offsetof(PyHeapTypeObject, as_buffer.member)

/// Offsets by slot number; number 0 ends a spec.
constexpr short kSlotOffsets[] = {
    0,
#define TYPE_SLOT(number, suite, member) SUITE_OFFSET_##suite(member),
#include "Objects/core/type_slot_ids.def"
};
constexpr int kSlotCount = sizeof(kSlotOffsets) / sizeof(kSlotOffsets[0]);
static_assert(kSlotCount == Py_am_send + 1, "typeslots.h and type_slot_ids.def disagree");

/// The slots of a spec that are needed before the type can be allocated.
struct SpecSummary {
  Py_ssize_t member_count = 0;
  PyMemberDef* members = nullptr;
  PyTypeObject* base = nullptr;
  PyObject* bases = nullptr;
  Py_ssize_t weaklist_offset = 0;
  Py_ssize_t dict_offset = 0;
  Py_ssize_t vectorcall_offset = 0;
};

SpecSummary summarize(const PyType_Spec* spec) {
  SpecSummary summary;
  for (const PyType_Slot* slot = spec->slots; slot->slot != 0; slot++) {
    switch (slot->slot) {
      case Py_tp_base: summary.base = static_cast<PyTypeObject*>(slot->pfunc); break;
      case Py_tp_bases: summary.bases = static_cast<PyObject*>(slot->pfunc); break;
      case Py_tp_members:
        summary.members = static_cast<PyMemberDef*>(slot->pfunc);
        for (PyMemberDef* member = summary.members; member->name != nullptr; member++) {
          summary.member_count++;
          // Offsets have no slot numbers; they come as members with these names.
          if (strcmp(member->name, "__weaklistoffset__") == 0) summary.weaklist_offset = member->offset;
          if (strcmp(member->name, "__dictoffset__") == 0) summary.dict_offset = member->offset;
          if (strcmp(member->name, "__vectorcalloffset__") == 0) summary.vectorcall_offset = member->offset;
        }
        break;
    }
  }
  return summary;
}

/// The tuple of bases, new reference.
Ref<> bases_tuple(const SpecSummary& summary, PyObject* bases) {
  if (bases == nullptr) bases = summary.bases;
  if (bases == nullptr) {
    return Ref<>::steal(PyTuple_Pack(1, summary.base != nullptr ? summary.base : &PyBaseObject_Type));
  }
  return PyTuple_Check(bases) ? Ref<>::dup(bases) : Ref<>::steal(PyTuple_Pack(1, bases));
}

Status copy_doc(PyTypeObject* type, const char* doc) {
  if (doc == nullptr) return Status::kOk;
  size_t size = strlen(doc) + 1;
  auto* copy = static_cast<char*>(PyObject_Malloc(size));
  if (copy == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  memcpy(copy, doc, size);
  PyObject_Free(const_cast<char*>(type->tp_doc));
  type->tp_doc = copy;
  return Status::kOk;
}

Status fill_slots(PyHeapTypeObject* heap_type, const PyType_Spec* spec, const SpecSummary& summary) {
  PyTypeObject* type = &heap_type->ht_type;
  for (const PyType_Slot* slot = spec->slots; slot->slot != 0; slot++) {
    if (slot->slot < 0 || slot->slot >= kSlotCount) return raise(PyExc_RuntimeError, "invalid slot offset");
    switch (slot->slot) {
      case Py_tp_base:
      case Py_tp_bases: break;  // decided already
      case Py_tp_doc: VM_CHECK(copy_doc(type, static_cast<const char*>(slot->pfunc))); break;
      case Py_tp_members:
        // Behind the type, where deallocation and traversal look for slots.
        memcpy(_PyHeapType_GET_MEMBERS(heap_type), summary.members,
               sizeof(PyMemberDef) * static_cast<size_t>(summary.member_count));
        type->tp_members = _PyHeapType_GET_MEMBERS(heap_type);
        break;
      default:
        memcpy(reinterpret_cast<char*>(heap_type) + kSlotOffsets[slot->slot], &slot->pfunc, sizeof(void*));
    }
  }
  return Status::kOk;
}

/// `name` is "package.module.Class": its last part names the class, the rest `__module__`.
Status set_names(PyHeapTypeObject* heap_type, const char* name) {
  const char* dot = strrchr(name, '.');
  auto short_name = VM_TRY(Ref<>::steal(PyUnicode_FromString(dot == nullptr ? name : dot + 1)));
  heap_type->ht_name = Py_NewRef(short_name.get());
  heap_type->ht_qualname = short_name.release();
  size_t size = strlen(name) + 1;
  heap_type->_ht_tpname = static_cast<char*>(PyMem_Malloc(size));
  if (heap_type->_ht_tpname == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  memcpy(heap_type->_ht_tpname, name, size);
  heap_type->ht_type.tp_name = heap_type->_ht_tpname;
  return Status::kOk;
}

Status set_module_attribute(PyTypeObject* type, const char* name) {
  int present = PyDict_Contains(type->tp_dict, &_Py_ID(__module__));
  if (present != 0) return present < 0 ? Status::kError : Status::kOk;
  const char* dot = strrchr(name, '.');
  if (dot != nullptr) {
    auto module = VM_TRY(Ref<>::steal(PyUnicode_FromStringAndSize(name, dot - name)));
    return PyDict_SetItem(type->tp_dict, &_Py_ID(__module__), module.get()) < 0 ? Status::kError : Status::kOk;
  }
  return PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "builtin type %.200s has no __module__ attribute", name)
             ? Status::kError
             : Status::kOk;
}

Status set_offset(PyTypeObject* type, Py_ssize_t PyTypeObject::* field, Py_ssize_t offset, const char* pseudo_member) {
  if (offset == 0) return Status::kOk;
  type->*field = offset;
  return PyDict_DelItemString(type->tp_dict, pseudo_member) < 0 ? Status::kError : Status::kOk;
}

}  // namespace

extern "C" {

PyObject* PyType_FromModuleAndSpec(PyObject* module, PyType_Spec* spec, PyObject* bases) {
  SpecSummary summary = summarize(spec);
  if (spec->name == nullptr) {
    PyErr_SetString(PyExc_SystemError, "Type spec does not define the name field.");
    return nullptr;
  }
  auto base_tuple = bases_tuple(summary, bases);
  if (!base_tuple) return nullptr;
  PyTypeObject* base = best_base(base_tuple.get());
  if (base == nullptr) return nullptr;

  PyObject* memory = PyType_GenericAlloc(&PyType_Type, summary.member_count);
  if (memory == nullptr) return nullptr;
  auto owner = Ref<>::steal(memory);
  auto* heap_type = reinterpret_cast<PyHeapTypeObject*>(memory);
  PyTypeObject* type = &heap_type->ht_type;
  type->tp_flags = spec->flags | Py_TPFLAGS_HEAPTYPE;
  if (failed(set_names(heap_type, spec->name))) return nullptr;
  heap_type->ht_module = Py_XNewRef(module);
  type->tp_as_async = &heap_type->as_async;
  type->tp_as_number = &heap_type->as_number;
  type->tp_as_sequence = &heap_type->as_sequence;
  type->tp_as_mapping = &heap_type->as_mapping;
  type->tp_as_buffer = &heap_type->as_buffer;
  type->tp_bases = base_tuple.release();
  type->tp_base = reinterpret_cast<PyTypeObject*>(Py_NewRef(as_object(base)));
  type->tp_basicsize = spec->basicsize;
  type->tp_itemsize = spec->itemsize;
  if (failed(fill_slots(heap_type, spec, summary))) return nullptr;
  if (type->tp_dealloc == nullptr) type->tp_dealloc = subtype_dealloc;
  type->tp_vectorcall_offset = summary.vectorcall_offset;
  if (PyType_Ready(type) < 0) return nullptr;
  if (failed(set_offset(type, &PyTypeObject::tp_weaklistoffset, summary.weaklist_offset, "__weaklistoffset__")) ||
      failed(set_offset(type, &PyTypeObject::tp_dictoffset, summary.dict_offset, "__dictoffset__")) ||
      failed(set_module_attribute(type, spec->name))) {
    return nullptr;
  }
  return owner.release();
}

PyObject* PyType_FromSpecWithBases(PyType_Spec* spec, PyObject* bases) {
  return PyType_FromModuleAndSpec(nullptr, spec, bases);
}
PyObject* PyType_FromSpec(PyType_Spec* spec) { return PyType_FromModuleAndSpec(nullptr, spec, nullptr); }

void* PyType_GetSlot(PyTypeObject* type, int slot) {
  if (slot <= 0 || slot >= kSlotCount) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  size_t offset = static_cast<size_t>(kSlotOffsets[slot]);
  const void* suite = type;
  size_t start = 0;
  struct {
    size_t start;
    const void* table;
  } const suites[] = {{offsetof(PyHeapTypeObject, as_async), type->tp_as_async},
                      {offsetof(PyHeapTypeObject, as_number), type->tp_as_number},
                      {offsetof(PyHeapTypeObject, as_mapping), type->tp_as_mapping},
                      {offsetof(PyHeapTypeObject, as_sequence), type->tp_as_sequence},
                      {offsetof(PyHeapTypeObject, as_buffer), type->tp_as_buffer}};
  for (const auto& candidate : suites) {
    if (offset >= candidate.start) {
      suite = candidate.table;
      start = candidate.start;
    }
  }
  if (suite == nullptr) return nullptr;
  void* value;
  memcpy(&value, static_cast<const char*>(suite) + (offset - start), sizeof(value));
  return value;
}

PyObject* PyType_GetModule(PyTypeObject* type) {
  if (!has_feature(type, Py_TPFLAGS_HEAPTYPE)) {
    PyErr_Format(PyExc_TypeError, "PyType_GetModule: Type '%s' is not a heap type", type->tp_name);
    return nullptr;
  }
  PyObject* module = reinterpret_cast<PyHeapTypeObject*>(type)->ht_module;
  if (module == nullptr) {
    PyErr_Format(PyExc_TypeError, "PyType_GetModule: Type '%s' has no associated module", type->tp_name);
  }
  return module;
}

void* PyType_GetModuleState(PyTypeObject* type) {
  PyObject* module = PyType_GetModule(type);
  return module == nullptr ? nullptr : _PyModule_GetState(module);
}

// The module of the first class in the MRO that was defined with `definition`. Borrowed.
PyObject* PyType_GetModuleByDef(PyTypeObject* type, PyModuleDef* definition) {
  PyObject* mro = type->tp_mro;
  for (Py_ssize_t i = 0; mro != nullptr && i < PyTuple_GET_SIZE(mro); i++) {
    auto* cls = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(mro, i));
    if (!has_feature(cls, Py_TPFLAGS_HEAPTYPE)) continue;
    PyObject* module = reinterpret_cast<PyHeapTypeObject*>(cls)->ht_module;
    if (module != nullptr && PyModule_Check(module) && _PyModule_GetDef(module) == definition) return module;
  }
  PyErr_Format(PyExc_TypeError, "PyType_GetModuleByDef: No superclass of '%s' has the given module", type->tp_name);
  return nullptr;
}

}  // extern "C"
