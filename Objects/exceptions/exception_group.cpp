// BaseExceptionGroup, ExceptionGroup, and the two operations behind `except*`: splitting what is being handled and
// putting together what has to be raised at the end.
//
// INVARIANT: `excs` is a non-empty tuple of exceptions. BaseExceptionGroup(...) of Exceptions only makes an
// ExceptionGroup. ExceptionGroup itself is a heap type, one per interpreter, since it has two bases.
#include "Objects/exceptions/exception_fields.h"
#include "pycore_ceval.h"

namespace pyston {
namespace {

PyBaseExceptionGroupObject* as_group(PyObject* object) { return reinterpret_cast<PyBaseExceptionGroupObject*>(object); }
bool is_group(PyObject* object) { return PyObject_TypeCheck(object, &_PyExc_BaseExceptionGroup); }

using GroupFields =
    Fields<PyBaseExceptionGroupObject, &PyBaseExceptionGroupObject::msg, &PyBaseExceptionGroupObject::excs>;

/// Checks the members; `has_base` becomes true if one of them is not an Exception.
Status check_members(PyObject* members, bool& has_base) {
  const Py_ssize_t size = PyTuple_GET_SIZE(members);
  if (size == 0) return raise(PyExc_ValueError, "second argument (exceptions) must be a non-empty sequence");
  for (Py_ssize_t i = 0; i < size; i++) {
    if (!is_exception_instance(PyTuple_GET_ITEM(members, i))) {
      return raise(PyExc_ValueError, "Item %zd of second argument (exceptions) is not an exception", i);
    }
  }
  has_base = false;
  for (Py_ssize_t i = 0; i < size && !has_base; i++) {
    const int is_exception = PyObject_IsInstance(PyTuple_GET_ITEM(members, i), PyExc_Exception);
    if (is_exception < 0) return Status::kError;
    has_base = is_exception == 0;
  }
  return Status::kOk;
}

/// The type to make for the requested one, null with TypeError if Exceptions would hold a BaseException.
PyTypeObject* choose_type(PyTypeObject* type, bool has_base) {
  PyObject* group = exception_group_type();
  if (group == nullptr) return nullptr;
  if (as_object(type) == group) {
    if (has_base) return raise(PyExc_TypeError, "Cannot nest BaseExceptions in an ExceptionGroup");
  } else if (type == &_PyExc_BaseExceptionGroup) {
    if (!has_base) return reinterpret_cast<PyTypeObject*>(group);
  } else if (has_base) {
    const int is_exception = PyObject_IsSubclass(as_object(type), PyExc_Exception);
    if (is_exception < 0) return nullptr;
    if (is_exception) return raise(PyExc_TypeError, "Cannot nest BaseExceptions in '%.200s'", type->tp_name);
  }
  return type;
}

PyObject* group_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (!refuse_keywords(type->tp_name, kwargs)) return nullptr;
  PyObject* message;
  PyObject* given;
  if (!PyArg_ParseTuple(args, "UO:BaseExceptionGroup.__new__", &message, &given)) return nullptr;
  if (!PySequence_Check(given)) return raise(PyExc_TypeError, "second argument (exceptions) must be a sequence");
  auto members = Ref<>::steal(PySequence_Tuple(given));
  if (!members) return nullptr;
  bool has_base;
  VM_CHECK(check_members(members.get(), has_base));
  type = choose_type(type, has_base);
  if (type == nullptr) return nullptr;
  auto self = Ref<>::steal(base_exception_new(type, args, kwargs));
  if (!self) return nullptr;
  as_group(self.get())->msg = Py_NewRef(message);
  as_group(self.get())->excs = members.release();
  return self.release();
}

int group_init(PyObject* self, PyObject* args, PyObject* kwargs) { return base_exception_init(self, args, kwargs); }

PyObject* group_str(PyObject* self) {
  const Py_ssize_t size = PyTuple_GET_SIZE(as_group(self)->excs);
  return PyUnicode_FromFormat("%S (%zd sub-exception%s)", as_group(self)->msg, size, size > 1 ? "s" : "");
}

Ref<> derive(Borrowed<PyBaseExceptionGroupObject> self, Borrowed<> excs) {
  auto args = Ref<>::steal(PyTuple_Pack(2, self->msg, excs.get()));
  if (!args) return nullptr;
  return Ref<>::steal(PyObject_CallObject(PyExc_BaseExceptionGroup, args.get()));
}

/// The notes are copied, so that adding one to a part does not add it to the whole.
Status copy_notes(PyObject* from, PyObject* to) {
  PyObject* found;
  if (_PyObject_LookupAttr(from, &_Py_ID(__notes__), &found) < 0) return Status::kError;
  auto notes = Ref<>::steal(found);
  if (!notes || !PySequence_Check(notes.get())) return Status::kOk;
  auto copy = Ref<>::steal(PySequence_List(notes.get()));
  if (!copy) return Status::kError;
  return PyObject_SetAttr(to, &_Py_ID(__notes__), copy.get()) < 0 ? Status::kError : Status::kOk;
}

/// A group of `members` (a list) with the metadata of `original`; None if there are none.
Ref<> part_of(PyObject* original, PyObject* members) {
  if (PyList_GET_SIZE(members) == 0) return Ref<>::none();
  auto part = Ref<>::steal(PyObject_CallMethod(original, "derive", "(O)", members));
  if (!part) return nullptr;
  if (!is_group(part.get())) return raise(PyExc_TypeError, "derive must return an instance of BaseExceptionGroup");
  auto traceback = Ref<>::steal(PyException_GetTraceback(original));
  if (traceback && PyException_SetTraceback(part.get(), traceback.get()) < 0) return nullptr;
  PyException_SetContext(part.get(), PyException_GetContext(original));
  PyException_SetCause(part.get(), PyException_GetCause(original));
  VM_CHECK(copy_notes(original, part.get()));
  return part;
}

/// What selects the exceptions of a split.
struct Matcher {
  enum Kind { kType, kPredicate, kIdentity } kind;
  PyObject* value;  // an exception type or a tuple of them; a callable; a set of addresses

  Lookup matches(PyObject* exception) const {
    switch (kind) {
      case kType:
        return PyErr_GivenExceptionMatches(exception, value) ? Lookup::kFound : Lookup::kMissing;
      case kPredicate: {
        auto verdict = Ref<>::steal(PyObject_CallOneArg(value, exception));
        if (!verdict) return Lookup::kError;
        return static_cast<Lookup>(PyObject_IsTrue(verdict.get()));
      }
      case kIdentity: {
        if (is_group(exception)) return Lookup::kMissing;
        auto address = Ref<>::steal(PyLong_FromVoidPtr(exception));
        if (!address) return Lookup::kError;
        return static_cast<Lookup>(PySet_Contains(value, address.get()));
      }
    }
    Py_UNREACHABLE();
  }
};

bool is_exception_type(PyObject* value) { return PyExceptionClass_Check(value); }

Status make_matcher(PyObject* value, Matcher& out) {
  if (PyFunction_Check(value)) {
    out = {Matcher::kPredicate, value};
    return Status::kOk;
  }
  bool types = is_exception_type(value);
  if (PyTuple_CheckExact(value)) {
    types = true;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); i++) types &= is_exception_type(PyTuple_GET_ITEM(value, i));
  }
  if (!types) return raise(PyExc_TypeError, "expected a function, exception type or tuple of exception types");
  out = {Matcher::kType, value};
  return Status::kOk;
}

struct Split {
  Ref<> match;  // None, the exception itself, or a part of it
  Ref<> rest;   // the same for the others; null when not asked for
};

Status split_members(PyObject* exception, const Matcher& matcher, bool want_rest, Split& out);

/// Splits an exception by `matcher`, keeping the tree shape of groups.
Status split(PyObject* exception, const Matcher& matcher, bool want_rest, Split& out) {
  const Lookup whole = matcher.matches(exception);
  if (whole == Lookup::kError) return Status::kError;
  if (whole == Lookup::kFound) {
    out.match = Ref<>::dup(exception);
    if (want_rest) out.rest = Ref<>::none();
    return Status::kOk;
  }
  if (!is_group(exception)) {
    out.match = Ref<>::none();
    if (want_rest) out.rest = Ref<>::dup(exception);
    return Status::kOk;
  }
  if (_Py_EnterRecursiveCall(" in exceptiongroup_split_recursive")) return Status::kError;
  const Status status = split_members(exception, matcher, want_rest, out);
  _Py_LeaveRecursiveCall();
  return status;
}

Status append_unless_none(PyObject* list, const Ref<>& item) {
  if (item.get() == Py_None) return Status::kOk;
  return PyList_Append(list, item.get()) < 0 ? Status::kError : Status::kOk;
}

Status split_members(PyObject* exception, const Matcher& matcher, bool want_rest, Split& out) {
  auto matched = Ref<>::steal(PyList_New(0));
  auto others = Ref<>::steal(want_rest ? PyList_New(0) : nullptr);
  if (!matched || (want_rest && !others)) return Status::kError;
  auto members = Ref<>::dup(as_group(exception)->excs);  // a predicate can run any code
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(members.get()); i++) {
    Split inner;
    VM_CHECK(split(PyTuple_GET_ITEM(members.get(), i), matcher, want_rest, inner));
    VM_CHECK(append_unless_none(matched.get(), inner.match));
    if (want_rest) VM_CHECK(append_unless_none(others.get(), inner.rest));
  }
  out.match = part_of(exception, matched.get());
  if (!out.match) return Status::kError;
  if (!want_rest) return Status::kOk;
  out.rest = part_of(exception, others.get());
  return out.rest ? Status::kOk : Status::kError;
}

Ref<> group_split(Borrowed<> self, Arguments args) {
  if (args.size() != 1) return raise(PyExc_TypeError, "split expected 1 argument, got %zd", Py_ssize_t(args.size()));
  Matcher matcher;
  VM_CHECK(make_matcher(args[0], matcher));
  Split parts;
  VM_CHECK(split(self, matcher, true, parts));
  return Ref<>::steal(PyTuple_Pack(2, parts.match.get(), parts.rest.get()));
}

Ref<> group_subgroup(Borrowed<> self, Arguments args) {
  if (args.size() != 1) {
    return raise(PyExc_TypeError, "subgroup expected 1 argument, got %zd", Py_ssize_t(args.size()));
  }
  Matcher matcher;
  VM_CHECK(make_matcher(args[0], matcher));
  Split parts;
  VM_CHECK(split(self, matcher, false, parts));
  return std::move(parts.match);
}

Status collect_leaves(PyObject* exception, PyObject* addresses) {
  if (exception == Py_None) return Status::kOk;
  if (!is_group(exception)) {
    auto address = Ref<>::steal(PyLong_FromVoidPtr(exception));
    if (!address) return Status::kError;
    return PySet_Add(addresses, address.get()) < 0 ? Status::kError : Status::kOk;
  }
  if (_Py_EnterRecursiveCall(" in collect_exception_group_leaf_ids")) return Status::kError;
  PyObject* members = as_group(exception)->excs;
  Status status = Status::kOk;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(members) && ok(status); i++) {
    status = collect_leaves(PyTuple_GET_ITEM(members, i), addresses);
  }
  _Py_LeaveRecursiveCall();
  return status;
}

/// The part of `group` whose leaves occur in one of the exceptions of the list `keep`; None if there is none.
Ref<> project(PyObject* group, PyObject* keep) {
  auto addresses = Ref<>::steal(PySet_New(nullptr));
  if (!addresses) return nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keep); i++) {
    VM_CHECK(collect_leaves(PyList_GET_ITEM(keep, i), addresses.get()));
  }
  Split parts;
  VM_CHECK(split(group, {Matcher::kIdentity, addresses.get()}, false, parts));
  return std::move(parts.match);
}

/// Whether `exception` is a part of `original` that an except* clause let through or raised again unchanged.
bool same_metadata(PyObject* exception, PyObject* original) {
  if (!is_group(exception)) return false;
  const PyBaseExceptionObject* a = as_exception(exception);
  const PyBaseExceptionObject* b = as_exception(original);
  return a->notes == b->notes && a->traceback == b->traceback && a->cause == b->cause && a->context == b->context;
}

PyMethodDef group_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "Parametrises the class in annotations."},
    method<derive, "derive($self, excs, /)">(),
    method<group_split, "split($self, *args)">(),
    method<group_subgroup, "subgroup($self, *args)">(),
    {}};
PyMemberDef group_members[] = {
    {"message", T_OBJECT, offsetof(PyBaseExceptionGroupObject, msg), READONLY, "message of the group"},
    {"exceptions", T_OBJECT, offsetof(PyBaseExceptionGroupObject, excs), READONLY, "members of the group"},
    {}};

}  // namespace

PyObject* exception_group_type() {
  PyObject*& type = _PyInterpreterState_GET()->exc_state.PyExc_ExceptionGroup;
  if (LIKELY(type != nullptr)) return type;
  auto bases = Ref<>::steal(PyTuple_Pack(2, PyExc_BaseExceptionGroup, PyExc_Exception));
  if (!bases) return nullptr;
  type = PyErr_NewException("builtins.ExceptionGroup", bases.get(), nullptr);
  return type;
}

}  // namespace pyston

using namespace pyston;

extern "C" {
PyTypeObject _PyExc_BaseExceptionGroup = {
    .ob_base = type_head(),
    .tp_name = "BaseExceptionGroup",
    .tp_basicsize = sizeof(PyBaseExceptionGroupObject),
    .tp_dealloc = GroupFields::dealloc,
    .tp_str = group_str,
    .tp_flags = kExceptionFlags,
    .tp_doc = "Several unrelated exceptions as one.",
    .tp_traverse = GroupFields::traverse,
    .tp_clear = GroupFields::clear,
    .tp_methods = group_methods,
    .tp_members = group_members,
    .tp_base = &_PyExc_BaseException,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = group_init,
    .tp_new = group_new,
};
}

PyObject* _PyExc_CreateExceptionGroup(const char* message, PyObject* exceptions) {
  auto text = Ref<>::steal(PyUnicode_FromString(message));
  if (!text) return nullptr;
  auto args = Ref<>::steal(PyTuple_Pack(2, text.get(), exceptions));
  if (!args) return nullptr;
  return PyObject_CallObject(PyExc_BaseExceptionGroup, args.get());
}

/// What is to be raised after the except* clauses of one try: `original` was caught, `exceptions` is a list of what
/// the clauses raised, and of what none of them handled. None if nothing.
PyObject* _PyExc_PrepReraiseStar(PyObject* original, PyObject* exceptions) {
  const Py_ssize_t size = PyList_GET_SIZE(exceptions);
  if (size == 0) return Py_NewRef(Py_None);
  // A naked exception had been wrapped for the clauses; only one of them can have run.
  if (!is_group(original)) return Py_NewRef(PyList_GET_ITEM(exceptions, 0));

  auto raised = Ref<>::steal(PyList_New(0));
  auto reraised = Ref<>::steal(PyList_New(0));
  if (!raised || !reraised) return nullptr;
  for (Py_ssize_t i = 0; i < size; i++) {
    PyObject* exception = PyList_GET_ITEM(exceptions, i);
    if (exception == Py_None) continue;
    bool same = same_metadata(exception, original);
    PyObject* list = same ? reraised.get() : raised.get();
    if (PyList_Append(list, exception) < 0) return nullptr;
  }
  auto group = project(original, reraised.get());
  if (!group || PyList_GET_SIZE(raised.get()) == 0) return group.release();
  if (group.get() != Py_None && PyList_Append(raised.get(), group.get()) < 0) return nullptr;
  return _PyExc_CreateExceptionGroup("", raised.get());
}
