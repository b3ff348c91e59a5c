// What the files of the object model share: lookups along the MRO, version tags, slot derivation.
//
// INVARIANT: tp_version_tag is non-zero only while VALID_VERSION_TAG is set, and only while all bases have a valid tag
// too, so that invalidating a class reaches every class whose lookups could change.
#pragma once

#include "Runtime/refs/ref.h"

#include "pycore_object.h"
#include "pycore_typeobject.h"

namespace pyston {

/// Searches the dicts of the MRO, without the cache. Borrowed result (owned by a class dict); null with `*failure` 0
/// means missing, with -1 that an exception is set.
PyObject* find_in_mro(PyTypeObject* type, PyObject* name, int* failure);
/// Gives `type` and its bases version tags. False when the tags have run out or the type can't have one.
bool assign_version_tag(PyTypeObject* type);
/// Decides after a change of the MRO whether attribute caching is still possible.
void type_mro_modified(PyTypeObject* type, PyObject* bases);

// type_mro.cpp
/// Computes tp_mro (through a metaclass's mro() where overridden). `*old_mro` (when not null) gets the previous one,
/// new reference. 1: installed, 0: somebody else installed another one meanwhile, -1: error.
int install_mro(PyTypeObject* type, PyObject** old_mro);
/// The C3 linearisation, new reference to a list.
PyObject* compute_mro(PyTypeObject* type);
/// The base that decides about the instance layout, borrowed; null with an exception set.
PyTypeObject* best_base(PyObject* bases);
bool extra_instance_space(PyTypeObject* type, PyTypeObject* base);
/// The nearest ancestor-or-self whose layout adds real fields (not just dict and weak list).
PyTypeObject* solid_base(PyTypeObject* type);

// type_ready.cpp
int add_subclass(PyTypeObject* base, PyTypeObject* type);
void remove_subclass(PyTypeObject* base, PyTypeObject* type);
int add_to_bases(PyTypeObject* type, PyObject* bases);
void remove_from_bases(PyTypeObject* type, PyObject* bases);
/// Calls fn(subclass, context) for the living direct subclasses. Stops at the first negative result and returns it.
int for_each_subclass(PyTypeObject* type, int (*visit)(PyTypeObject* subclass, void* context), void* context);
void inherit_slots(PyTypeObject* type, PyTypeObject* base);

// type_slots.cpp
/// Adds wrapper descriptors for the slots that `type` itself fills.
int add_slot_wrappers(PyTypeObject* type);
/// Sets the slots of a new heap type from what its MRO's dicts define.
void derive_slots(PyTypeObject* type);
/// Redoes all slots of `type` and its subclasses after a change of `__bases__`.
int rederive_all_slots(PyTypeObject* type);
/// Redoes the slots that depend on `name` in `type` and its subclasses, after an assignment to a class attribute.
int rederive_slots_for_name(PyTypeObject* type, PyObject* name);
/// Invalidates what is cached about any class. Inline caches remember how a class attribute behaves under its owner's
/// version, so it takes this when an object that may be a class attribute becomes a descriptor or stops being one.
void forget_all_versions();
bool is_dunder_name(PyObject* name);
PyObject* tp_new_wrapper(PyObject* self, PyObject* args, PyObject* kwargs);

// slot_functions.cpp: generic slot implementations that others recognise by address
PyObject* slot_tp_new(PyTypeObject* type, PyObject* args, PyObject* kwargs);
int slot_tp_init(PyObject* self, PyObject* args, PyObject* kwargs);
PyObject* slot_tp_call(PyObject* self, PyObject* args, PyObject* kwargs);
PyObject* slot_tp_getattr_hook(PyObject* self, PyObject* name);
PyObject* slot_tp_getattro(PyObject* self, PyObject* name);
void slot_tp_finalize(PyObject* self);
/// Looks a special method up on the type. *unbound: the result still needs `self` as first argument. New reference;
/// null without an exception when missing.
PyObject* lookup_special_method(PyObject* self, PyObject* name, bool* unbound);

// type_call.cpp
PyObject* type_call(PyObject* type, PyObject* args, PyObject* kwargs);
/// Instantiation from a vector of arguments, without building tuples where the type allows.
PyObject* type_call_vector(PyThreadState* tstate, PyTypeObject* type, PyObject* const* args, Py_ssize_t nargs,
                           PyObject* kwnames);
PyObject* type_vectorcall(PyObject* metatype, PyObject* const* args, size_t nargsf, PyObject* kwnames);
/// Calls fn(self, args..., kwnames...) for a vector that doesn't hold self.
PyObject* call_with_self(PyThreadState* tstate, PyObject* callable, PyObject* self, PyObject* const* args,
                         Py_ssize_t nargs, PyObject* kwnames);

// type_attributes.cpp
/// Attribute of a class. With `suppress`, a plain miss gives null without an exception.
PyObject* type_lookup_attribute(PyTypeObject* type, PyObject* name, bool suppress);
PyObject* type_getattro(PyObject* type, PyObject* name);
int type_setattro(PyObject* type, PyObject* name, PyObject* value);
PyObject* module_getattro(PyObject* module, PyObject* name);
PyObject* module_lookup_attribute(PyObject* module, PyObject* name, bool suppress);
/// Adds the attributes of a class and of all its bases to the dict `into`.
Status merge_class_dict(PyObject* into, PyObject* cls);
extern PyGetSetDef type_getset[];
extern PyMemberDef type_members[];
/// Whether an instance may be moved from one class to the other.
bool compatible_for_assignment(PyTypeObject* old_type, PyTypeObject* new_type, const char* attribute);
int type_set_bases(PyObject* type, PyObject* value, void*);
int object_set_class(PyObject* self, PyObject* value, void*);

// object_type.cpp
PyObject* object_new(PyTypeObject* type, PyObject* args, PyObject* kwargs);
int object_init(PyObject* self, PyObject* args, PyObject* kwargs);
PyObject* object_repr(PyObject* self);
PyObject* object_str(PyObject* self);
COLD PyObject* raise_abstract_instantiation(PyTypeObject* type);
PyObject* object_reduce_ex_default(PyObject* self, int protocol);

// type_new.cpp
PyObject* type_new(PyTypeObject* metatype, PyObject* args, PyObject* kwargs);
int type_init(PyObject* type, PyObject* args, PyObject* kwargs);
PyObject* type_prepare(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);

// type_instances.cpp: the slots of instances of heap types
void subtype_dealloc(PyObject* self);
int subtype_traverse(PyObject* self, visitproc visit, void* arg);
int subtype_clear(PyObject* self);
extern PyGetSetDef subtype_getset_full[];
extern PyGetSetDef subtype_getset_dict_only[];
extern PyGetSetDef subtype_getset_weakref_only[];

// descr.cpp
/// Adds `name` and `obj` to an AttributeError that has neither.
COLD void add_attribute_error_context(PyObject* object, PyObject* name);

/// `type.__dict__[name]`-style borrowed lookup with the cache; null without an exception when missing.
inline PyObject* type_lookup(PyTypeObject* type, PyObject* name) { return _PyType_Lookup(type, name); }

ALWAYS_INLINE bool has_feature(PyTypeObject* type, unsigned long flag) { return (type->tp_flags & flag) != 0; }

/// The last component of tp_name.
const char* short_type_name(PyTypeObject* type);

}  // namespace pyston
