// Code objects: construction and validation, the `code` type, comparison and hashing, per-code extra data.
//
// The instructions lie inline behind the struct and are rewritten in place by quickening; `co_code` shows the original
// (deoptimised) bytes. Line and position tables are in code_lines.cpp.
// INVARIANT: what _PyCode_Validate accepted can be constructed; execution trusts that code comes from the compiler, marshal
// or `code.replace`, as CPython does.
#include "Interpreter/bytecode/opcodes.h"
#include "Objects/bind.h"
#include "Runtime/state/lifecycle.h"

#include <pycore_code.h>
#include <pycore_initconfig.h>
#include <pycore_interp.h>
#include <pycore_opcode.h>
#include <pycore_pystate.h>
#include <pycore_tuple.h>

#include <cmath>
#include <opcode.h>

#include "Objects/callables/code_constants.h"
#include "Objects/callables/code_lines.h"

namespace pyston {

bool is_interned_constant(PyObject* text) {
  if (PyUnicode_READY(text) < 0 || !PyUnicode_IS_ASCII(text)) return false;
  const char* chars = PyUnicode_AsUTF8(text);
  for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); i++) {
    if (!Py_ISALNUM(chars[i]) && chars[i] != '_') return false;
  }
  return true;
}

namespace {

/// What PyCode_SetExtra hangs on a code object: one pointer per registered user.
struct CodeExtras {
  Py_ssize_t size;
  void* values[1];
};

Status intern_all(PyObject* names) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
    PyObject* name = PyTuple_GET_ITEM(names, i);
    if (name == nullptr || !PyUnicode_CheckExact(name)) {
      return raise(PyExc_SystemError, "non-string found in code slot");
    }
    PyUnicode_InternInPlace(&PyTuple_GET_ITEM(names, i));
  }
  return Status::kOk;
}

/// Constants that look like names are interned: attribute names passed to getattr() then compare by address.
Status intern_constants(PyObject* constants, bool* changed) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(constants); i++) {
    PyObject* value = PyTuple_GET_ITEM(constants, i);
    if (PyUnicode_CheckExact(value)) {
      if (is_interned_constant(value)) {
        PyObject* old = value;
        PyUnicode_InternInPlace(&value);
        if (old != value) {
          PyTuple_SET_ITEM(constants, i, value);
          if (changed != nullptr) *changed = true;
        }
      }
    } else if (PyTuple_CheckExact(value)) {
      VM_CHECK(intern_constants(value, nullptr));
    } else if (PyFrozenSet_CheckExact(value)) {
      Ref<> items = Ref<>::steal(PySequence_Tuple(value));
      if (!items) return Status::kError;
      bool item_changed = false;
      VM_CHECK(intern_constants(items.get(), &item_changed));
      if (item_changed) {
        PyObject* rebuilt = PyFrozenSet_New(items.get());
        if (rebuilt == nullptr) return Status::kError;
        PyTuple_SET_ITEM(constants, i, rebuilt);
        Py_DECREF(value);
        if (changed != nullptr) *changed = true;
      }
    }
  }
  return Status::kOk;
}

struct VariableCounts {
  int locals = 0;
  int plain_cells = 0;  // cells that are not also parameters or locals
  int cells = 0;
  int frees = 0;
};

VariableCounts count_variables(PyObject* names, PyObject* kinds) {
  VariableCounts counts;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
    const _PyLocals_Kind kind = _PyLocals_GetKind(kinds, static_cast<int>(i));
    if (kind & CO_FAST_LOCAL) {
      counts.locals++;
      if (kind & CO_FAST_CELL) counts.cells++;
    } else if (kind & CO_FAST_CELL) {
      counts.cells++;
      counts.plain_cells++;
    } else if (kind & CO_FAST_FREE) {
      counts.frees++;
    }
  }
  return counts;
}

/// The names of the variables with `kind`, in slot order; new tuple.
Ref<> variable_names(PyCodeObject* code, _PyLocals_Kind kind, int count) {
  Ref<> names = Ref<>::steal(PyTuple_New(count));
  if (!names) return nullptr;
  Py_ssize_t index = 0;
  for (int i = 0; i < code->co_nlocalsplus; i++) {
    if ((_PyLocals_GetKind(code->co_localspluskinds, i) & kind) == 0) continue;
    PyTuple_SET_ITEM(names.get(), index++, Py_NewRef(PyTuple_GET_ITEM(code->co_localsplusnames, i)));
  }
  return names;
}

_Py_CODEUNIT original_instruction(_Py_CODEUNIT unit) {
  return _Py_MAKECODEUNIT(_PyOpcode_Deopt[_Py_OPCODE(unit)], _Py_OPARG(unit));
}

/// Calls `visit(unit)` for every instruction as it was compiled; inline caches count as zero units.
template <class Visit>
void for_each_original_unit(const _Py_CODEUNIT* units, Py_ssize_t count, Visit visit) {
  for (Py_ssize_t i = 0; i < count;) {
    const _Py_CODEUNIT original = original_instruction(units[i]);
    visit(i++, original);
    for (int caches = _PyOpcode_Caches[_Py_OPCODE(original)]; caches > 0 && i < count; caches--) visit(i++, 0);
  }
}

bool same_instructions(PyCodeObject* a, PyCodeObject* b) {
  if (Py_SIZE(a) != Py_SIZE(b)) return false;
  const _Py_CODEUNIT* left = _PyCode_CODE(a);
  const _Py_CODEUNIT* right = _PyCode_CODE(b);
  for (Py_ssize_t i = 0; i < Py_SIZE(a);) {
    const _Py_CODEUNIT original = original_instruction(left[i]);
    if (original != original_instruction(right[i])) return false;
    i += 1 + _PyOpcode_Caches[_Py_OPCODE(original)];
  }
  return true;
}

// --- the type ---

void code_dealloc(PyCodeObject* self) {
  if (self->co_extra != nullptr) {
    auto* extras = static_cast<CodeExtras*>(self->co_extra);
    PyInterpreterState* interp = _PyInterpreterState_GET();
    for (Py_ssize_t i = 0; i < extras->size; i++) {
      freefunc free = interp->co_extra_freefuncs[i];
      if (free != nullptr) free(extras->values[i]);
    }
    PyMem_Free(extras);
  }
  Py_XDECREF(self->co_consts);
  Py_XDECREF(self->co_filename);
  Py_XDECREF(self->co_name);
  Py_XDECREF(self->co_qualname);
  // FAST: what is left are bytes and exact strings.
  if (state::memory_ends_soon && self->co_weakreflist == nullptr) return;
  Py_XDECREF(self->co_names);
  Py_XDECREF(self->co_localsplusnames);
  Py_XDECREF(self->co_localspluskinds);
  Py_XDECREF(self->co_linetable);
  Py_XDECREF(self->co_exceptiontable);
  Py_XDECREF(self->_co_code);
  if (self->co_weakreflist != nullptr) PyObject_ClearWeakRefs(as_object(self));
  if (self->_co_linearray != nullptr) PyMem_Free(self->_co_linearray);
  PyObject_Free(self);
}

Ref<> code_repr(Borrowed<PyCodeObject> self) {
  const int line = self->co_firstlineno != 0 ? self->co_firstlineno : -1;
  if (self->co_filename != nullptr && PyUnicode_Check(self->co_filename)) {
    return Ref<>::steal(PyUnicode_FromFormat("<code object %U at %p, file \"%U\", line %d>", self->co_name, self.get(),
                                             self->co_filename, line));
  }
  return Ref<>::steal(
      PyUnicode_FromFormat("<code object %U at %p, file ???, line %d>", self->co_name, self.get(), line));
}

Ref<> code_richcompare(Borrowed<> self, Borrowed<> other, int op) {
  if ((op != Py_EQ && op != Py_NE) || !PyCode_Check(self.get()) || !PyCode_Check(other.get())) {
    return Ref<>::dup(Py_NotImplemented);
  }
  auto* a = reinterpret_cast<PyCodeObject*>(self.get());
  auto* b = reinterpret_cast<PyCodeObject*>(other.get());
  int equal = a == b;
  if (!equal) {
    equal = a->co_argcount == b->co_argcount && a->co_posonlyargcount == b->co_posonlyargcount &&
            a->co_kwonlyargcount == b->co_kwonlyargcount && a->co_flags == b->co_flags &&
            a->co_firstlineno == b->co_firstlineno && same_instructions(a, b);
    if (equal) equal = PyObject_RichCompareBool(a->co_name, b->co_name, Py_EQ);
    if (equal > 0) {
      // 1 and True are equal constants but not the same code.
      Ref<> left = Ref<>::steal(_PyCode_ConstantKey(a->co_consts));
      Ref<> right = Ref<>::steal(_PyCode_ConstantKey(b->co_consts));
      if (!left || !right) return nullptr;
      equal = PyObject_RichCompareBool(left.get(), right.get(), Py_EQ);
    }
    if (equal > 0) equal = PyObject_RichCompareBool(a->co_names, b->co_names, Py_EQ);
    if (equal > 0) equal = PyObject_RichCompareBool(a->co_localsplusnames, b->co_localsplusnames, Py_EQ);
    if (equal > 0) equal = PyObject_RichCompareBool(a->co_linetable, b->co_linetable, Py_EQ);
    if (equal > 0) equal = PyObject_RichCompareBool(a->co_exceptiontable, b->co_exceptiontable, Py_EQ);
    if (equal < 0) return nullptr;
  }
  return Ref<>::steal(PyBool_FromLong((op == Py_EQ) == (equal != 0)));
}

/// FAST: without constants (which hold the code objects inside this one) and instructions; the line table, whose hash
/// is kept by the bytes object, tells functions of one line apart.
Py_hash_t code_hash(PyCodeObject* self) {
  Py_uhash_t hash = 20221213;
  auto mix = [&](Py_uhash_t value) { hash = (hash ^ value) * 1000003u; };
  for (PyObject* part : {self->co_name, self->co_names, self->co_localsplusnames, self->co_linetable}) {
    const Py_hash_t part_hash = PyObject_Hash(part);
    if (part_hash == -1) return -1;
    mix(static_cast<Py_uhash_t>(part_hash));
  }
  for (int value : {self->co_argcount, self->co_posonlyargcount, self->co_kwonlyargcount, self->co_flags,
                    self->co_firstlineno, static_cast<int>(Py_SIZE(self))}) {
    mix(static_cast<Py_uhash_t>(value));
  }
  return hash == static_cast<Py_uhash_t>(-1) ? 20221213 : static_cast<Py_hash_t>(hash);
}

/// A tuple of exact strings equal to `names`.
Ref<> exact_names(PyObject* names) {
  Ref<> result = Ref<>::steal(PyTuple_New(PyTuple_GET_SIZE(names)));
  if (!result) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
    PyObject* item = PyTuple_GET_ITEM(names, i);
    if (!PyUnicode_Check(item)) {
      return raise(PyExc_TypeError, "name tuples must contain only strings, not '%.500s'", Py_TYPE(item)->tp_name);
    }
    PyObject* exact = PyUnicode_CheckExact(item) ? Py_NewRef(item) : _PyUnicode_Copy(item);
    if (exact == nullptr) return nullptr;
    PyTuple_SET_ITEM(result.get(), i, exact);
  }
  return result;
}

Ref<> code_new(PyTypeObject* type, int argcount, int posonlyargcount, int kwonlyargcount, int nlocals, int stacksize,
               int flags, Borrowed<PyBytesObject> code, Borrowed<PyTupleObject> constants,
               Borrowed<PyTupleObject> names, Borrowed<PyTupleObject> varnames, Borrowed<PyUnicodeObject> filename,
               Borrowed<PyUnicodeObject> name, Borrowed<PyUnicodeObject> qualname, int firstlineno,
               Borrowed<PyBytesObject> linetable, Borrowed<PyBytesObject> exceptiontable,
               Optional<Borrowed<PyTupleObject>> freevars, Optional<Borrowed<PyTupleObject>> cellvars) {
  if (PySys_Audit("code.__new__", "OOOiiiiii", code.object(), filename.object(), name.object(), argcount,
                  posonlyargcount, kwonlyargcount, nlocals, stacksize, flags) < 0) {
    return nullptr;
  }
  if (argcount < 0) return raise(PyExc_ValueError, "code: argcount must not be negative");
  if (posonlyargcount < 0) return raise(PyExc_ValueError, "code: posonlyargcount must not be negative");
  if (kwonlyargcount < 0) return raise(PyExc_ValueError, "code: kwonlyargcount must not be negative");
  if (nlocals < 0) return raise(PyExc_ValueError, "code: nlocals must not be negative");
  auto checked_names = VM_TRY(exact_names(names.object()));
  auto checked_varnames = VM_TRY(exact_names(varnames.object()));
  Ref<> empty = Ref<>::steal(PyTuple_New(0));
  if (!empty) return nullptr;
  auto checked_frees = VM_TRY(exact_names(freevars ? freevars->object() : empty.get()));
  auto checked_cells = VM_TRY(exact_names(cellvars ? cellvars->object() : empty.get()));
  for (PyObject* tuple : {freevars ? freevars->object() : empty.get(), cellvars ? cellvars->object() : empty.get()}) {
    if (!PyTuple_Check(tuple)) {
      return raise(PyExc_TypeError, "code() argument 17 must be tuple, not %.50s", Py_TYPE(tuple)->tp_name);
    }
  }
  return Ref<>::steal(as_object(PyCode_NewWithPosOnlyArgs(
      argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, code.object(), constants.object(),
      checked_names.get(), checked_varnames.get(), checked_frees.get(), checked_cells.get(), filename.object(),
      name.object(), qualname.object(), firstlineno, linetable.object(), exceptiontable.object())));
}

Ref<> code_replace(Borrowed<PyCodeObject> self, Optional<int> argcount, Optional<int> posonlyargcount,
                   Optional<int> kwonlyargcount, Optional<int> nlocals, Optional<int> stacksize, Optional<int> flags,
                   Optional<int> firstlineno, Optional<Borrowed<PyBytesObject>> code,
                   Optional<Borrowed<PyTupleObject>> consts, Optional<Borrowed<PyTupleObject>> names,
                   Optional<Borrowed<PyTupleObject>> varnames, Optional<Borrowed<PyTupleObject>> freevars,
                   Optional<Borrowed<PyTupleObject>> cellvars, Optional<Borrowed<PyUnicodeObject>> filename,
                   Optional<Borrowed<PyUnicodeObject>> name, Optional<Borrowed<PyUnicodeObject>> qualname,
                   Optional<Borrowed<PyBytesObject>> linetable, Optional<Borrowed<PyBytesObject>> exceptiontable) {
  struct Number {
    Optional<int>& value;
    int current;
    const char* field;
  };
  Number numbers[] = {{argcount, self->co_argcount, "co_argcount"},
                      {posonlyargcount, self->co_posonlyargcount, "co_posonlyargcount"},
                      {kwonlyargcount, self->co_kwonlyargcount, "co_kwonlyargcount"},
                      {nlocals, self->co_nlocals, "co_nlocals"},
                      {stacksize, self->co_stacksize, "co_stacksize"},
                      {flags, self->co_flags, "co_flags"},
                      {firstlineno, self->co_firstlineno, "co_firstlineno"}};
  for (Number& number : numbers) {
    if (!number.value) number.value = number.current;
    if (*number.value < 0) return raise(PyExc_ValueError, "%s must be a positive integer", number.field);
  }
  PyCodeObject* own = self.get();
  auto code_bytes = VM_TRY(code ? Ref<>::dup(code->object()) : Ref<>::steal(_PyCode_GetCode(own)));
  if (PySys_Audit("code.__new__", "OOOiiiiii", code_bytes.get(), filename ? filename->object() : own->co_filename,
                  name ? name->object() : own->co_name, *argcount, *posonlyargcount, *kwonlyargcount, *nlocals,
                  *stacksize, *flags) < 0) {
    return nullptr;
  }
  auto new_varnames = VM_TRY(varnames ? Ref<>::dup(varnames->object()) : Ref<>::steal(_PyCode_GetVarnames(own)));
  auto new_cells = VM_TRY(cellvars ? Ref<>::dup(cellvars->object()) : Ref<>::steal(_PyCode_GetCellvars(own)));
  auto new_frees = VM_TRY(freevars ? Ref<>::dup(freevars->object()) : Ref<>::steal(_PyCode_GetFreevars(own)));
  auto pick = [](auto& given, PyObject* current) { return given ? given->object() : current; };
  return Ref<>::steal(as_object(PyCode_NewWithPosOnlyArgs(
      *argcount, *posonlyargcount, *kwonlyargcount, *nlocals, *stacksize, *flags, code_bytes.get(),
      pick(consts, own->co_consts), pick(names, own->co_names), new_varnames.get(), new_frees.get(), new_cells.get(),
      pick(filename, own->co_filename), pick(name, own->co_name), pick(qualname, own->co_qualname), *firstlineno,
      pick(linetable, own->co_linetable), pick(exceptiontable, own->co_exceptiontable))));
}

Ref<> code_sizeof(Borrowed<PyCodeObject> self) {
  Py_ssize_t size = static_cast<Py_ssize_t>(offsetof(PyCodeObject, co_code_adaptive)) + _PyCode_NBYTES(self.get());
  auto* extras = static_cast<CodeExtras*>(self->co_extra);
  if (extras != nullptr) {
    size += static_cast<Py_ssize_t>(sizeof(CodeExtras) + (extras->size - 1) * sizeof(extras->values[0]));
  }
  return Ref<>::steal(PyLong_FromSsize_t(size));
}

Ref<> code_varname_from_oparg(Borrowed<PyCodeObject> self, int oparg) {
  PyObject* name = oparg < 0 || oparg >= PyTuple_GET_SIZE(self->co_localsplusnames)
                       ? PyTuple_GetItem(self->co_localsplusnames, oparg)
                       : PyTuple_GET_ITEM(self->co_localsplusnames, oparg);
  return Ref<>::dup(name);
}

Ref<> code_get_code(Borrowed<PyCodeObject> self) { return Ref<>::steal(_PyCode_GetCode(self)); }
Ref<> code_get_varnames(Borrowed<PyCodeObject> self) { return Ref<>::steal(_PyCode_GetVarnames(self)); }
Ref<> code_get_cellvars(Borrowed<PyCodeObject> self) { return Ref<>::steal(_PyCode_GetCellvars(self)); }
Ref<> code_get_freevars(Borrowed<PyCodeObject> self) { return Ref<>::steal(_PyCode_GetFreevars(self)); }
Ref<> code_get_lnotab(Borrowed<PyCodeObject> self) { return code_old_line_table(self); }
/// The instructions as they are now, specialised ones included; forms that 3.11 does not know show as their family.
Ref<> code_get_adaptive(Borrowed<PyCodeObject> self) {
  auto bytes = Ref<>::steal(PyBytes_FromStringAndSize(self->co_code_adaptive, _PyCode_NBYTES(self.get())));
  if (!bytes) return nullptr;
  auto* units = reinterpret_cast<_Py_CODEUNIT*>(PyBytes_AS_STRING(bytes.get()));
  for (Py_ssize_t i = 0; i < Py_SIZE(self.get()); i++) {
    int opcode = _Py_OPCODE(units[i]);
    int family = _PyOpcode_Deopt[opcode];
    if (opcode >= kFirstExtraOpcode) _Py_SET_OPCODE(units[i], family);
    i += _PyOpcode_Caches[family];
  }
  return bytes;
}

PyMemberDef code_members[] = {
    {"co_argcount", T_INT, offsetof(PyCodeObject, co_argcount), READONLY},
    {"co_posonlyargcount", T_INT, offsetof(PyCodeObject, co_posonlyargcount), READONLY},
    {"co_kwonlyargcount", T_INT, offsetof(PyCodeObject, co_kwonlyargcount), READONLY},
    {"co_stacksize", T_INT, offsetof(PyCodeObject, co_stacksize), READONLY},
    {"co_flags", T_INT, offsetof(PyCodeObject, co_flags), READONLY},
    {"co_names", T_OBJECT, offsetof(PyCodeObject, co_names), READONLY},
    {"co_filename", T_OBJECT, offsetof(PyCodeObject, co_filename), READONLY},
    {"co_name", T_OBJECT, offsetof(PyCodeObject, co_name), READONLY},
    {"co_qualname", T_OBJECT, offsetof(PyCodeObject, co_qualname), READONLY},
    {"co_firstlineno", T_INT, offsetof(PyCodeObject, co_firstlineno), READONLY},
    {"co_linetable", T_OBJECT, offsetof(PyCodeObject, co_linetable), READONLY},
    {"co_exceptiontable", T_OBJECT, offsetof(PyCodeObject, co_exceptiontable), READONLY},
    {"co_consts", T_OBJECT, offsetof(PyCodeObject, co_consts), READONLY},
    {"co_nlocals", T_INT, offsetof(PyCodeObject, co_nlocals), READONLY},
    {},
};

PyGetSetDef code_getset[] = {
    getset<code_get_lnotab>("co_lnotab"),     getset<code_get_adaptive>("_co_code_adaptive"),
    getset<code_get_varnames>("co_varnames"), getset<code_get_cellvars>("co_cellvars"),
    getset<code_get_freevars>("co_freevars"), getset<code_get_code>("co_code"),
    {},
};

PyMethodDef code_methods[] = {
    method<code_sizeof, "__sizeof__($self, /)", "Size of the code object in memory, in bytes.">(),
    method<code_line_iterator, "co_lines($self, /)", "Iterator over (start, end, line) of the instructions.">(),
    method<code_position_iterator, "co_positions($self, /)",
           "Iterator over (line, end line, column, end column) of every code unit.">(),
    method<code_replace,
           "replace($self, /, *, co_argcount=-1, co_posonlyargcount=-1, co_kwonlyargcount=-1, co_nlocals=-1, "
           "co_stacksize=-1, co_flags=-1, co_firstlineno=-1, co_code=None, co_consts=None, co_names=None, "
           "co_varnames=None, co_freevars=None, co_cellvars=None, co_filename=None, co_name=None, co_qualname=None, "
           "co_linetable=None, co_exceptiontable=None)",
           "A copy of the code object in which the given fields have new values.">(),
    method<code_varname_from_oparg, "_varname_from_oparg($self, /, oparg)",
           "Name of the local variable in slot `oparg`; for the standard library only.">(),
    {},
};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyCode_Type = {
    .ob_base = type_head(),
    .tp_name = "code",
    .tp_basicsize = offsetof(PyCodeObject, co_code_adaptive),
    .tp_itemsize = sizeof(_Py_CODEUNIT),
    .tp_dealloc = slot<code_dealloc>,
    .tp_repr = slot<code_repr>,
    .tp_hash = slot<code_hash>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "code(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize,\n"
              "     flags, codestring, constants, names, varnames, filename, name,\n"
              "     qualname, firstlineno, linetable, exceptiontable, freevars=(),\n"
              "     cellvars=(), /)\n--\n\nMakes a code object from its parts, which are hardly checked.",
    .tp_richcompare = slot<code_richcompare>,
    .tp_weaklistoffset = offsetof(PyCodeObject, co_weakreflist),
    .tp_methods = code_methods,
    .tp_members = code_members,
    .tp_getset = code_getset,
    .tp_new = constructor<code_new,
                          "code(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, "
                          "constants, names, varnames, filename, name, qualname, firstlineno, linetable, "
                          "exceptiontable, freevars=(), cellvars=(), /)">,
};

// --- construction ---

int _PyCode_Validate(_PyCodeConstructor* con) {
  if (con->argcount < con->posonlyargcount || con->posonlyargcount < 0 || con->kwonlyargcount < 0 ||
      con->stacksize < 0 || con->flags < 0 || con->code == nullptr || !PyBytes_Check(con->code) ||
      con->consts == nullptr || !PyTuple_Check(con->consts) || con->names == nullptr || !PyTuple_Check(con->names) ||
      con->localsplusnames == nullptr || !PyTuple_Check(con->localsplusnames) || con->localspluskinds == nullptr ||
      !PyBytes_Check(con->localspluskinds) ||
      PyTuple_GET_SIZE(con->localsplusnames) != PyBytes_GET_SIZE(con->localspluskinds) || con->name == nullptr ||
      !PyUnicode_Check(con->name) || con->qualname == nullptr || !PyUnicode_Check(con->qualname) ||
      con->filename == nullptr || !PyUnicode_Check(con->filename) || con->linetable == nullptr ||
      !PyBytes_Check(con->linetable) || con->exceptiontable == nullptr || !PyBytes_Check(con->exceptiontable)) {
    PyErr_BadInternalCall();
    return -1;
  }
  if (PyBytes_GET_SIZE(con->code) % sizeof(_Py_CODEUNIT) != 0) {
    return raise(PyExc_ValueError, "code: co_code is malformed");
  }
  // Frames are addressed with int offsets.
  if (PyTuple_GET_SIZE(con->localsplusnames) > INT_MAX / 16 || con->stacksize > INT_MAX / 16 ||
      PyBytes_GET_SIZE(con->code) > INT_MAX / 2) {
    return raise(PyExc_OverflowError, "code: locals and stack are too large");
  }
  const VariableCounts counts = count_variables(con->localsplusnames, con->localspluskinds);
  const Py_ssize_t arguments = static_cast<Py_ssize_t>(con->argcount) + con->kwonlyargcount +
                               ((con->flags & CO_VARARGS) != 0) + ((con->flags & CO_VARKEYWORDS) != 0);
  if (arguments > counts.locals) return raise(PyExc_ValueError, "code: co_varnames is too small");
  return 0;
}

/// Makes a code object of validated parts (references are taken, not stolen).
PyCodeObject* _PyCode_New(_PyCodeConstructor* con) {
  if (failed(intern_all(con->names)) || failed(intern_constants(con->consts, nullptr)) ||
      failed(intern_all(con->localsplusnames))) {
    return nullptr;
  }
  Ref<> line_table = _Py_GetConfig()->code_debug_ranges ? Ref<>::dup(con->linetable)
                                                        : line_table_without_columns(con->linetable);
  if (!line_table) return nullptr;
  const Py_ssize_t units = PyBytes_GET_SIZE(con->code) / static_cast<Py_ssize_t>(sizeof(_Py_CODEUNIT));
  auto* code = reinterpret_cast<PyCodeObject*>(_PyObject_NewVar(&PyCode_Type, units));
  if (code == nullptr) return nullptr;
  const VariableCounts counts = count_variables(con->localsplusnames, con->localspluskinds);
  code->co_filename = Py_NewRef(con->filename);
  code->co_name = Py_NewRef(con->name);
  code->co_qualname = Py_NewRef(con->qualname);
  PyUnicode_InternInPlace(&code->co_name);
  PyUnicode_InternInPlace(&code->co_qualname);
  code->co_flags = con->flags;
  code->co_firstlineno = con->firstlineno;
  code->co_linetable = line_table.release();
  code->co_consts = Py_NewRef(con->consts);
  code->co_names = Py_NewRef(con->names);
  code->co_localsplusnames = Py_NewRef(con->localsplusnames);
  code->co_localspluskinds = Py_NewRef(con->localspluskinds);
  code->co_argcount = con->argcount;
  code->co_posonlyargcount = con->posonlyargcount;
  code->co_kwonlyargcount = con->kwonlyargcount;
  code->co_stacksize = con->stacksize;
  code->co_exceptiontable = Py_NewRef(con->exceptiontable);
  code->co_nlocalsplus = static_cast<int>(PyTuple_GET_SIZE(con->localsplusnames));
  code->co_nlocals = counts.locals;
  code->co_nplaincellvars = counts.plain_cells;
  code->co_ncellvars = counts.cells;
  code->co_nfreevars = counts.frees;
  code->co_weakreflist = nullptr;
  code->co_extra = nullptr;
  code->_co_code = nullptr;
  code->co_warmup = QUICKENING_INITIAL_WARMUP_VALUE;
  code->_co_linearray_entry_size = 0;
  code->_co_linearray = nullptr;
  memcpy(code->co_code_adaptive, PyBytes_AS_STRING(con->code), PyBytes_GET_SIZE(con->code));
  int first = 0;
  while (first < units && _Py_OPCODE(_PyCode_CODE(code)[first]) != RESUME) first++;
  code->_co_firsttraceable = first;
  return code;
}

PyCodeObject* PyCode_NewWithPosOnlyArgs(int argcount, int posonlyargcount, int kwonlyargcount, int nlocals,
                                        int stacksize, int flags, PyObject* code, PyObject* consts, PyObject* names,
                                        PyObject* varnames, PyObject* freevars, PyObject* cellvars,
                                        PyObject* filename, PyObject* name, PyObject* qualname, int firstlineno,
                                        PyObject* linetable, PyObject* exceptiontable) {
  if (varnames == nullptr || !PyTuple_Check(varnames) || cellvars == nullptr || !PyTuple_Check(cellvars) ||
      freevars == nullptr || !PyTuple_Check(freevars)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  const Py_ssize_t locals = PyTuple_GET_SIZE(varnames);
  const Py_ssize_t cells = PyTuple_GET_SIZE(cellvars);
  const Py_ssize_t frees = PyTuple_GET_SIZE(freevars);
  // A cell that is a local too shares its slot.
  auto local_slot = [&](PyObject* cell) -> Py_ssize_t {
    for (Py_ssize_t i = 0; i < locals; i++) {
      const int equal = PyObject_RichCompareBool(cell, PyTuple_GET_ITEM(varnames, i), Py_EQ);
      if (equal != 0) return equal < 0 ? -2 : i;
    }
    return -1;
  };
  Py_ssize_t shared = 0;
  for (Py_ssize_t i = 0; i < cells; i++) {
    const Py_ssize_t slot_index = local_slot(PyTuple_GET_ITEM(cellvars, i));
    if (slot_index == -2) return nullptr;
    shared += slot_index >= 0;
  }
  const Py_ssize_t total = locals + cells - shared + frees;
  Ref<> all_names = Ref<>::steal(PyTuple_New(total));
  Ref<> kinds = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, total));
  if (!all_names || !kinds) return nullptr;
  Py_ssize_t next = 0;
  auto add = [&](PyObject* variable, int kind) {
    PyTuple_SET_ITEM(all_names.get(), next, Py_NewRef(variable));
    _PyLocals_SetKind(kinds.get(), static_cast<int>(next++), static_cast<_PyLocals_Kind>(kind));
  };
  for (Py_ssize_t i = 0; i < locals; i++) add(PyTuple_GET_ITEM(varnames, i), CO_FAST_LOCAL);
  for (Py_ssize_t i = 0; i < cells; i++) {
    PyObject* cell = PyTuple_GET_ITEM(cellvars, i);
    const Py_ssize_t slot_index = local_slot(cell);
    if (slot_index == -2) return nullptr;
    if (slot_index >= 0) {
      _PyLocals_SetKind(kinds.get(), static_cast<int>(slot_index), CO_FAST_LOCAL | CO_FAST_CELL);
    } else {
      add(cell, CO_FAST_CELL);
    }
  }
  for (Py_ssize_t i = 0; i < frees; i++) add(PyTuple_GET_ITEM(freevars, i), CO_FAST_FREE);
  _PyCodeConstructor con = {
      .filename = filename,
      .name = name,
      .qualname = qualname,
      .flags = flags,
      .code = code,
      .firstlineno = firstlineno,
      .linetable = linetable,
      .consts = consts,
      .names = names,
      .localsplusnames = all_names.get(),
      .localspluskinds = kinds.get(),
      .argcount = argcount,
      .posonlyargcount = posonlyargcount,
      .kwonlyargcount = kwonlyargcount,
      .stacksize = stacksize,
      .exceptiontable = exceptiontable,
  };
  if (_PyCode_Validate(&con) < 0) return nullptr;
  if (nlocals != locals) return raise(PyExc_ValueError, "code: co_nlocals != len(co_varnames)");
  return _PyCode_New(&con);
}

PyCodeObject* PyCode_New(int argcount, int kwonlyargcount, int nlocals, int stacksize, int flags, PyObject* code,
                         PyObject* consts, PyObject* names, PyObject* varnames, PyObject* freevars, PyObject* cellvars,
                         PyObject* filename, PyObject* name, PyObject* qualname, int firstlineno, PyObject* linetable,
                         PyObject* exceptiontable) {
  return PyCode_NewWithPosOnlyArgs(argcount, 0, kwonlyargcount, nlocals, stacksize, flags, code, consts, names,
                                   varnames, freevars, cellvars, filename, name, qualname, firstlineno, linetable,
                                   exceptiontable);
}

/// A code object for a traceback entry of a C function: it only has a name and a line.
PyCodeObject* PyCode_NewEmpty(const char* filename, const char* funcname, int firstlineno) {
  static const unsigned char kCode[] = {RESUME, 0, LOAD_ASSERTION_ERROR, 0, RAISE_VARARGS, 1};
  static const unsigned char kLines[] = {0x80 | (PY_CODE_LOCATION_INFO_NO_COLUMNS << 3) | 2, 0};
  Ref<> name = Ref<>::steal(PyUnicode_FromString(funcname));
  Ref<> file = Ref<>::steal(PyUnicode_DecodeFSDefault(filename));
  Ref<> empty = Ref<>::steal(PyTuple_New(0));
  Ref<> nothing = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, 0));
  Ref<> code = Ref<>::steal(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(kCode), sizeof kCode));
  Ref<> lines = Ref<>::steal(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(kLines), sizeof kLines));
  if (!name || !file || !empty || !nothing || !code || !lines) return nullptr;
  _PyCodeConstructor con = {
      .filename = file.get(),
      .name = name.get(),
      .qualname = name.get(),
      .code = code.get(),
      .firstlineno = firstlineno,
      .linetable = lines.get(),
      .consts = empty.get(),
      .names = empty.get(),
      .localsplusnames = empty.get(),
      .localspluskinds = nothing.get(),
      .stacksize = 1,
      .exceptiontable = nothing.get(),
  };
  return _PyCode_New(&con);
}

// --- access ---

PyObject* _PyCode_GetVarnames(PyCodeObject* code) {
  return variable_names(code, CO_FAST_LOCAL, code->co_nlocals).release();
}
PyObject* _PyCode_GetCellvars(PyCodeObject* code) {
  return variable_names(code, CO_FAST_CELL, code->co_ncellvars).release();
}
PyObject* _PyCode_GetFreevars(PyCodeObject* code) {
  return variable_names(code, CO_FAST_FREE, code->co_nfreevars).release();
}
PyObject* PyCode_GetVarnames(PyCodeObject* code) { return _PyCode_GetVarnames(code); }
PyObject* PyCode_GetCellvars(PyCodeObject* code) { return _PyCode_GetCellvars(code); }
PyObject* PyCode_GetFreevars(PyCodeObject* code) { return _PyCode_GetFreevars(code); }

/// New reference to the bytes of the code as compiled; made once per code object.
PyObject* _PyCode_GetCode(PyCodeObject* code) {
  if (code->_co_code != nullptr) return Py_NewRef(code->_co_code);
  PyObject* bytes = PyBytes_FromStringAndSize(nullptr, _PyCode_NBYTES(code));
  if (bytes == nullptr) return nullptr;
  auto* out = reinterpret_cast<_Py_CODEUNIT*>(PyBytes_AS_STRING(bytes));
  for_each_original_unit(_PyCode_CODE(code), Py_SIZE(code),
                         [&](Py_ssize_t index, _Py_CODEUNIT unit) { out[index] = unit; });
  code->_co_code = Py_NewRef(bytes);
  return bytes;
}
PyObject* PyCode_GetCode(PyCodeObject* code) { return _PyCode_GetCode(code); }

/// Kept for the API: the compiler has optimised already.
PyObject* PyCode_Optimize(PyObject* code, PyObject*, PyObject*, PyObject*) { return Py_NewRef(code); }

/// New key under which equal constants of equal types compare equal: 0, 0.0, -0.0 and False differ.
PyObject* _PyCode_ConstantKey(PyObject* value) {
  // Types whose instances are equal only to instances of the same type are their own keys.
  if (value == Py_None || value == Py_Ellipsis || PyLong_CheckExact(value) || PyUnicode_CheckExact(value) ||
      PyCode_Check(value)) {
    return Py_NewRef(value);
  }
  if (PyBool_Check(value) || PyBytes_CheckExact(value)) return PyTuple_Pack(2, Py_TYPE(value), value);
  if (PyFloat_CheckExact(value)) {
    const double number = PyFloat_AS_DOUBLE(value);
    if (number == 0.0 && std::signbit(number)) return PyTuple_Pack(3, Py_TYPE(value), value, Py_None);
    return PyTuple_Pack(2, Py_TYPE(value), value);
  }
  if (PyComplex_CheckExact(value)) {
    const Py_complex number = PyComplex_AsCComplex(value);
    const bool real_negative = number.real == 0.0 && std::signbit(number.real);
    const bool imaginary_negative = number.imag == 0.0 && std::signbit(number.imag);
    if (real_negative && imaginary_negative) return PyTuple_Pack(3, Py_TYPE(value), value, Py_True);
    if (imaginary_negative) return PyTuple_Pack(3, Py_TYPE(value), value, Py_False);
    if (real_negative) return PyTuple_Pack(3, Py_TYPE(value), value, Py_None);
    return PyTuple_Pack(2, Py_TYPE(value), value);
  }
  if (PyTuple_CheckExact(value)) {
    Ref<> keys = Ref<>::steal(PyTuple_New(PyTuple_GET_SIZE(value)));
    if (!keys) return nullptr;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); i++) {
      PyObject* key = _PyCode_ConstantKey(PyTuple_GET_ITEM(value, i));
      if (key == nullptr) return nullptr;
      PyTuple_SET_ITEM(keys.get(), i, key);
    }
    return PyTuple_Pack(2, keys.get(), value);
  }
  if (PyFrozenSet_CheckExact(value)) {
    Ref<> keys = Ref<>::steal(PyTuple_New(PySet_GET_SIZE(value)));
    if (!keys) return nullptr;
    Py_ssize_t position = 0;
    Py_ssize_t index = 0;
    PyObject* item;
    Py_hash_t hash;
    while (_PySet_NextEntry(value, &position, &item, &hash)) {
      PyObject* key = _PyCode_ConstantKey(item);
      if (key == nullptr) return nullptr;
      PyTuple_SET_ITEM(keys.get(), index++, key);
    }
    Ref<> key_set = Ref<>::steal(PyFrozenSet_New(keys.get()));
    return key_set ? PyTuple_Pack(2, key_set.get(), value) : nullptr;
  }
  // Anything else (made by code.replace or ast) is the same as itself only.
  Ref<> identity = Ref<>::steal(PyLong_FromVoidPtr(value));
  return identity ? PyTuple_Pack(2, identity.get(), value) : nullptr;
}

// --- extra data ---

int _PyCode_GetExtra(PyObject* code, Py_ssize_t index, void** extra) {
  if (!PyCode_Check(code)) {
    PyErr_BadInternalCall();
    return -1;
  }
  auto* extras = static_cast<CodeExtras*>(reinterpret_cast<PyCodeObject*>(code)->co_extra);
  *extra = extras == nullptr || index < 0 || index >= extras->size ? nullptr : extras->values[index];
  return 0;
}

int _PyCode_SetExtra(PyObject* code, Py_ssize_t index, void* extra) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  if (!PyCode_Check(code) || index < 0 || index >= interp->co_extra_user_count) {
    PyErr_BadInternalCall();
    return -1;
  }
  auto* object = reinterpret_cast<PyCodeObject*>(code);
  auto* extras = static_cast<CodeExtras*>(object->co_extra);
  const Py_ssize_t old_size = extras == nullptr ? 0 : extras->size;
  if (index >= old_size) {
    const Py_ssize_t users = interp->co_extra_user_count;
    extras = static_cast<CodeExtras*>(PyMem_Realloc(extras, sizeof(CodeExtras) + (users - 1) * sizeof(void*)));
    if (extras == nullptr) return -1;
    for (Py_ssize_t i = old_size; i < users; i++) extras->values[i] = nullptr;
    extras->size = users;
    object->co_extra = extras;
  }
  if (extras->values[index] != nullptr) {
    freefunc free = interp->co_extra_freefuncs[index];
    if (free != nullptr) free(extras->values[index]);
  }
  extras->values[index] = extra;
  return 0;
}

// --- statically allocated code ---

/// Drops what a static code object acquired while it ran, so that the interpreter can start again.
void _PyStaticCode_Dealloc(PyCodeObject* code) {
  const Py_ssize_t units = Py_SIZE(code);
  for_each_original_unit(_PyCode_CODE(code), units, [&](Py_ssize_t index, _Py_CODEUNIT unit) {
    _PyCode_CODE(code)[index] = unit;
  });
  code->co_warmup = QUICKENING_INITIAL_WARMUP_VALUE;
  PyMem_Free(code->co_extra);
  code->co_extra = nullptr;
  Py_CLEAR(code->_co_code);
  if (code->co_weakreflist != nullptr) PyObject_ClearWeakRefs(as_object(code));
  if (code->_co_linearray != nullptr) {
    PyMem_Free(code->_co_linearray);
    code->_co_linearray = nullptr;
  }
}

int _PyStaticCode_InternStrings(PyCodeObject* code) {
  if (failed(intern_all(code->co_names)) || failed(intern_constants(code->co_consts, nullptr)) ||
      failed(intern_all(code->co_localsplusnames))) {
    return -1;
  }
  return 0;
}
