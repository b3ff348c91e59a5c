// contextvars: Context, ContextVar, Token. A context holds a persistent map (hamt.cpp), so copying one is O(1).
//
// A variable caches the value it had last, with the thread and that thread's context version: setting variables and
// entering or leaving contexts changes the version. The cached reference is borrowed from the current context.
#include "Objects/bind.h"

extern "C" {  // the header itself doesn't say so
#include <internal/pycore_context.h>
#include <internal/pycore_hamt.h>
}
#include <internal/pycore_initconfig.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_object.h>
#include <internal/pycore_pyerrors.h>
#include <internal/pycore_pystate.h>

namespace pyston {
namespace {

PyObject* g_token_missing = nullptr;

ALWAYS_INLINE PyContext* as_context(PyObject* object) { return reinterpret_cast<PyContext*>(object); }
ALWAYS_INLINE PyContextVar* as_var(PyObject* object) { return reinterpret_cast<PyContextVar*>(object); }
ALWAYS_INLINE PyContextToken* as_token(PyObject* object) { return reinterpret_cast<PyContextToken*>(object); }

COLD bool check_kind(bool fine, const char* expected) {
  if (!fine) PyErr_Format(PyExc_TypeError, "an instance of %s was expected", expected);
  return fine;
}

/// Without variables and untracked.
PyContext* allocate_context() {
  _Py_context_state* state = &_PyInterpreterState_GET()->context;
  PyContext* context;
  if (state->numfree > 0) {
    context = state->freelist;
    state->freelist = reinterpret_cast<PyContext*>(context->ctx_weakreflist);
    state->numfree--;
    context->ctx_weakreflist = nullptr;
    _Py_NewReference(as_object(context));
  } else {
    context = PyObject_GC_New(PyContext, &PyContext_Type);
    if (context == nullptr) return nullptr;
  }
  context->ctx_vars = nullptr;
  context->ctx_prev = nullptr;
  context->ctx_entered = 0;
  context->ctx_weakreflist = nullptr;
  return context;
}

/// Takes the map over.
PyContext* new_context(PyHamtObject* vars) {
  if (vars == nullptr) return nullptr;
  PyContext* context = allocate_context();
  if (context == nullptr) {
    Py_DECREF(as_object(vars));
    return nullptr;
  }
  context->ctx_vars = vars;
  _PyObject_GC_TRACK(context);
  return context;
}

/// The current context of this thread, made when missing; borrowed from the thread state.
PyContext* current_context() {
  PyThreadState* tstate = _PyThreadState_GET();
  if (tstate->context == nullptr) {
    tstate->context = as_object(new_context(_PyHamt_New()));
    if (tstate->context == nullptr) return nullptr;
  }
  return as_context(tstate->context);
}

int enter(PyThreadState* tstate, PyContext* context) {
  if (context->ctx_entered) {
    _PyErr_Format(tstate, PyExc_RuntimeError, "cannot enter context: %R is already entered", context);
    return -1;
  }
  context->ctx_prev = as_context(tstate->context);  // takes the thread's reference over
  context->ctx_entered = 1;
  tstate->context = Py_NewRef(as_object(context));
  tstate->context_ver++;
  return 0;
}

int leave(PyThreadState* tstate, PyContext* context) {
  if (!context->ctx_entered) {
    PyErr_Format(PyExc_RuntimeError, "cannot exit context: %R has not been entered", context);
    return -1;
  }
  if (tstate->context != as_object(context)) {
    PyErr_SetString(PyExc_RuntimeError, "cannot exit context: thread state references a different context object");
    return -1;
  }
  PyObject* old = std::exchange(tstate->context, as_object(context->ctx_prev));
  tstate->context_ver++;
  context->ctx_prev = nullptr;
  context->ctx_entered = 0;
  Py_DECREF(old);
  return 0;
}

// ---- Context -----------------------------------------------------------------------------------------------------

PyObject* context_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  if (PyTuple_Size(args) != 0 || (kwargs != nullptr && PyDict_Size(kwargs) != 0)) {
    PyErr_SetString(PyExc_TypeError, "Context() does not accept any arguments");
    return nullptr;
  }
  return PyContext_New();
}
int context_clear(PyObject* self) {
  Py_CLEAR(as_context(self)->ctx_prev);
  Py_CLEAR(as_context(self)->ctx_vars);
  return 0;
}
int context_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(as_context(self)->ctx_prev));
  Py_VISIT(as_object(as_context(self)->ctx_vars));
  return 0;
}
void context_dealloc(PyObject* self) {
  PyContext* context = as_context(self);
  PyObject_GC_UnTrack(self);
  if (context->ctx_weakreflist != nullptr) PyObject_ClearWeakRefs(self);
  context_clear(self);
  _Py_context_state* state = &_PyInterpreterState_GET()->context;
  if (state->numfree < PyContext_MAXFREELIST) {
    state->numfree++;
    context->ctx_weakreflist = as_object(state->freelist);
    state->freelist = context;
  } else {
    Py_TYPE(self)->tp_free(self);
  }
}
PyObject* context_iter(PyObject* self) { return _PyHamt_NewIterKeys(as_context(self)->ctx_vars); }
PyObject* context_richcompare(PyObject* a, PyObject* b, int op) {
  if (!PyContext_CheckExact(a) || !PyContext_CheckExact(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  const int equal = _PyHamt_Eq(as_context(a)->ctx_vars, as_context(b)->ctx_vars);
  return equal < 0 ? nullptr : PyBool_FromLong(equal == (op == Py_EQ));
}
Py_ssize_t context_length(PyObject* self) { return _PyHamt_Len(as_context(self)->ctx_vars); }

/// 1 with *value (borrowed), 0, or -1; refuses keys that are no variables.
int context_find(PyObject* self, PyObject* key, PyObject** value) {
  if (!PyContextVar_CheckExact(key)) {
    PyErr_Format(PyExc_TypeError, "a ContextVar key was expected, got %R", key);
    return -1;
  }
  return _PyHamt_Find(as_context(self)->ctx_vars, key, value);
}
PyObject* context_subscript(PyObject* self, PyObject* key) {
  PyObject* value;
  const int found = context_find(self, key, &value);
  if (found > 0) return Py_NewRef(value);
  if (found == 0) PyErr_SetObject(PyExc_KeyError, key);
  return nullptr;
}
int context_contains(PyObject* self, PyObject* key) {
  PyObject* value;
  return context_find(self, key, &value);
}
PyObject* context_get(PyObject* self, PyObject* key, PyObject* default_value) {
  PyObject* value;
  const int found = context_find(self, key, &value);
  if (found < 0) return nullptr;
  if (found == 0) value = default_value != nullptr ? default_value : Py_None;
  return Py_NewRef(value);
}
PyObject* context_items(PyObject* self) { return _PyHamt_NewIterItems(as_context(self)->ctx_vars); }
PyObject* context_keys(PyObject* self) { return _PyHamt_NewIterKeys(as_context(self)->ctx_vars); }
PyObject* context_values(PyObject* self) { return _PyHamt_NewIterValues(as_context(self)->ctx_vars); }
PyObject* context_copy(PyObject* self) { return PyContext_Copy(self); }

PyObject* context_run(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (nargs < 1) {
    _PyErr_SetString(tstate, PyExc_TypeError, "run() missing 1 required positional argument");
    return nullptr;
  }
  if (enter(tstate, as_context(self)) < 0) return nullptr;
  PyObject* result = PyObject_Vectorcall(args[0], args + 1, static_cast<size_t>(nargs - 1), kwnames);
  if (leave(tstate, as_context(self)) < 0) {
    Py_XDECREF(result);
    return nullptr;
  }
  return result;
}

PyMethodDef context_methods[] = {
    method<context_get, "get($self, key, default=None, /)", "The value of the variable here, or the default.">(),
    method<context_items, "items($self, /)", "All variables and their values.">(),
    method<context_keys, "keys($self, /)", "All variables that are set.">(),
    method<context_values, "values($self, /)", "All values.">(),
    method<context_copy, "copy($self, /)", "A shallow copy.">(),
    {"run", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(context_run)), METH_FASTCALL | METH_KEYWORDS,
     nullptr},
    {},
};
PySequenceMethods context_as_sequence = {.sq_contains = context_contains};
PyMappingMethods context_as_mapping = {.mp_length = context_length, .mp_subscript = context_subscript};

// ---- ContextVar --------------------------------------------------------------------------------------------------

/// Mixes the address with the hash of the name: variables of the same name differ.
Py_hash_t make_var_hash(PyContextVar* var, PyObject* name) {
  const Py_hash_t name_hash = PyObject_Hash(name);
  if (name_hash == -1) return -1;
  const Py_hash_t hash = _Py_HashPointer(var) ^ name_hash;
  return hash == -1 ? -2 : hash;
}

PyContextVar* new_var(PyObject* name, PyObject* default_value) {
  if (!PyUnicode_Check(name)) {
    PyErr_SetString(PyExc_TypeError, "context variable name must be a str");
    return nullptr;
  }
  PyContextVar* var = PyObject_GC_New(PyContextVar, &PyContextVar_Type);
  if (var == nullptr) return nullptr;
  var->var_name = Py_NewRef(name);
  var->var_default = Py_XNewRef(default_value);
  var->var_cached = nullptr;
  var->var_cached_tsid = 0;
  var->var_cached_tsver = 0;
  var->var_hash = make_var_hash(var, name);
  if (var->var_hash == -1) {
    Py_DECREF(as_object(var));
    return nullptr;
  }
  if (_PyObject_GC_MAY_BE_TRACKED(name) || (default_value != nullptr && _PyObject_GC_MAY_BE_TRACKED(default_value))) {
    PyObject_GC_Track(var);
  }
  return var;
}

void cache_value(PyContextVar* var, PyThreadState* tstate, PyObject* value) {
  var->var_cached = value;
  var->var_cached_tsid = tstate->id;
  var->var_cached_tsver = tstate->context_ver;
}

int store(PyContextVar* var, PyObject* value) {
  var->var_cached = nullptr;
  PyContext* context = current_context();
  if (context == nullptr) return -1;
  PyHamtObject* vars = _PyHamt_Assoc(context->ctx_vars, as_object(var), value);
  if (vars == nullptr) return -1;
  Py_XSETREF(context->ctx_vars, vars);
  cache_value(var, _PyThreadState_GET(), value);
  return 0;
}

int remove(PyContextVar* var) {
  var->var_cached = nullptr;
  PyContext* context = current_context();
  if (context == nullptr) return -1;
  PyHamtObject* old = context->ctx_vars;
  PyHamtObject* vars = _PyHamt_Without(old, as_object(var));
  if (vars == nullptr) return -1;
  if (vars == old) {
    Py_DECREF(as_object(vars));
    PyErr_SetObject(PyExc_LookupError, as_object(var));
    return -1;
  }
  Py_XSETREF(context->ctx_vars, vars);
  return 0;
}

PyObject* var_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  static const char* const keywords[] = {"", "default", nullptr};
  PyObject *name, *default_value = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$O:ContextVar", const_cast<char**>(keywords), &name,
                                   &default_value)) {
    return nullptr;
  }
  return as_object(new_var(name, default_value));
}
int var_clear(PyObject* self) {
  PyContextVar* var = as_var(self);
  Py_CLEAR(var->var_name);
  Py_CLEAR(var->var_default);
  var->var_cached = nullptr;
  return 0;
}
int var_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_var(self)->var_name);
  Py_VISIT(as_var(self)->var_default);
  return 0;
}
void var_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  var_clear(self);
  Py_TYPE(self)->tp_free(self);
}
Py_hash_t var_hash(PyObject* self) { return as_var(self)->var_hash; }
Ref<> var_repr(Borrowed<PyContextVar> self) {
  if (self->var_default == nullptr) {
    return Ref<>::steal(PyUnicode_FromFormat("<ContextVar name=%R at %p>", self->var_name, self.get()));
  }
  return Ref<>::steal(
      PyUnicode_FromFormat("<ContextVar name=%R default=%R at %p>", self->var_name, self->var_default, self.get()));
}

PyObject* var_get(PyObject* self, PyObject* default_value) {
  PyObject* value;
  if (PyContextVar_Get(self, default_value, &value) < 0) return nullptr;
  if (value == nullptr) PyErr_SetObject(PyExc_LookupError, self);
  return value;
}
PyObject* var_set(PyObject* self, PyObject* value) { return PyContextVar_Set(self, value); }
PyObject* var_reset(PyObject* self, PyObject* token) {
  if (!PyContextToken_CheckExact(token)) {
    PyErr_Format(PyExc_TypeError, "expected an instance of Token, got %R", token);
    return nullptr;
  }
  if (PyContextVar_Reset(self, token) < 0) return nullptr;
  Py_RETURN_NONE;
}

PyMemberDef var_members[] = {
    {"name", T_OBJECT, offsetof(PyContextVar, var_name), READONLY, nullptr},
    {},
};
PyMethodDef var_methods[] = {
    method<var_get, "get($self, default=<unrepresentable>, /)",
           "The value in the current context, else the argument, else the variable's default; LookupError without any.">(),
    method<var_set, "set($self, value, /)", "Set the value in the current context; gives a token to undo that with.">(),
    method<var_reset, "reset($self, token, /)", "Restore the value from before the set() that gave the token.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "ContextVar[X], for annotations."},
    {},
};

// ---- Token -------------------------------------------------------------------------------------------------------

PyContextToken* new_token(PyContext* context, PyContextVar* var, PyObject* old_value) {
  PyContextToken* token = PyObject_GC_New(PyContextToken, &PyContextToken_Type);
  if (token == nullptr) return nullptr;
  token->tok_ctx = as_context(Py_NewRef(as_object(context)));
  token->tok_var = as_var(Py_NewRef(as_object(var)));
  token->tok_oldval = Py_XNewRef(old_value);
  token->tok_used = 0;
  PyObject_GC_Track(token);
  return token;
}
PyObject* token_new(PyTypeObject*, PyObject*, PyObject*) {
  PyErr_SetString(PyExc_RuntimeError, "Tokens can only be created by ContextVars");
  return nullptr;
}
int token_clear(PyObject* self) {
  Py_CLEAR(as_token(self)->tok_ctx);
  Py_CLEAR(as_token(self)->tok_var);
  Py_CLEAR(as_token(self)->tok_oldval);
  return 0;
}
int token_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(as_token(self)->tok_ctx));
  Py_VISIT(as_object(as_token(self)->tok_var));
  Py_VISIT(as_token(self)->tok_oldval);
  return 0;
}
void token_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  token_clear(self);
  Py_TYPE(self)->tp_free(self);
}
Ref<> token_repr(Borrowed<PyContextToken> self) {
  return Ref<>::steal(PyUnicode_FromFormat("<Token%s var=%R at %p>", self->tok_used ? " used" : "",
                                           as_object(self->tok_var), self.get()));
}
Ref<> token_var(Borrowed<PyContextToken> self) { return Ref<>::dup(as_object(self->tok_var)); }
Ref<> token_old_value(Borrowed<PyContextToken> self) {
  return Ref<>::dup(self->tok_oldval != nullptr ? self->tok_oldval : g_token_missing);
}

PyGetSetDef token_getset[] = {
    getset<token_var>("var"),
    getset<token_old_value>("old_value"),
    {},
};
PyMethodDef token_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "Token[X], for annotations."},
    {},
};

PyObject* missing_repr(PyObject*) { return PyUnicode_FromString("<Token.MISSING>"); }
void missing_dealloc(PyObject* self) { Py_TYPE(self)->tp_free(self); }

}  // namespace
}  // namespace pyston

using namespace pyston;

PyObject* PyContext_New(void) { return as_object(new_context(_PyHamt_New())); }

PyObject* PyContext_Copy(PyObject* object) {
  if (!check_kind(PyContext_CheckExact(object), "Context")) return nullptr;
  return as_object(new_context(reinterpret_cast<PyHamtObject*>(Py_NewRef(as_object(as_context(object)->ctx_vars)))));
}

PyObject* PyContext_CopyCurrent(void) {
  PyContext* context = current_context();
  if (context == nullptr) return nullptr;
  return as_object(new_context(reinterpret_cast<PyHamtObject*>(Py_NewRef(as_object(context->ctx_vars)))));
}

int PyContext_Enter(PyObject* context) {
  if (!check_kind(PyContext_CheckExact(context), "Context")) return -1;
  return enter(_PyThreadState_GET(), as_context(context));
}
int PyContext_Exit(PyObject* context) {
  if (!check_kind(PyContext_CheckExact(context), "Context")) return -1;
  return leave(_PyThreadState_GET(), as_context(context));
}

PyObject* PyContextVar_New(const char* name, PyObject* default_value) {
  Ref<> text = Ref<>::steal(PyUnicode_FromString(name));
  return text ? as_object(new_var(text.get(), default_value)) : nullptr;
}

/// *value (new reference): what the context, the caller or the variable says, in this order; may be null.
int PyContextVar_Get(PyObject* object, PyObject* default_value, PyObject** value) {
  if (!check_kind(PyContextVar_CheckExact(object), "ContextVar")) return -1;
  *value = nullptr;
  PyContextVar* var = as_var(object);
  PyThreadState* tstate = _PyThreadState_GET();
  if (tstate->context != nullptr) {
    if (var->var_cached != nullptr && var->var_cached_tsid == tstate->id &&
        var->var_cached_tsver == tstate->context_ver) {
      *value = Py_NewRef(var->var_cached);
      return 0;
    }
    PyObject* found = nullptr;
    const int status = _PyHamt_Find(as_context(tstate->context)->ctx_vars, object, &found);
    if (status < 0) return -1;
    if (status > 0) {
      cache_value(var, tstate, found);
      *value = Py_NewRef(found);
      return 0;
    }
  }
  *value = Py_XNewRef(default_value != nullptr ? default_value : var->var_default);
  return 0;
}

/// A token (new reference) that undoes the change.
PyObject* PyContextVar_Set(PyObject* object, PyObject* value) {
  if (!check_kind(PyContextVar_CheckExact(object), "ContextVar")) return nullptr;
  PyContextVar* var = as_var(object);
  PyContext* context = current_context();
  if (context == nullptr) return nullptr;
  PyObject* old = nullptr;
  if (_PyHamt_Find(context->ctx_vars, object, &old) < 0) return nullptr;
  PyContextToken* token = new_token(context, var, old);
  if (token == nullptr) return nullptr;
  if (store(var, value) < 0) {
    Py_DECREF(as_object(token));
    return nullptr;
  }
  return as_object(token);
}

int PyContextVar_Reset(PyObject* object, PyObject* token_object) {
  if (!check_kind(PyContextVar_CheckExact(object), "ContextVar")) return -1;
  if (!check_kind(PyContextToken_CheckExact(token_object), "Token")) return -1;
  PyContextVar* var = as_var(object);
  PyContextToken* token = as_token(token_object);
  if (token->tok_used) {
    PyErr_Format(PyExc_RuntimeError, "%R has already been used once", token);
    return -1;
  }
  if (var != token->tok_var) {
    PyErr_Format(PyExc_ValueError, "%R was created by a different ContextVar", token);
    return -1;
  }
  if (current_context() != token->tok_ctx) {
    PyErr_Format(PyExc_ValueError, "%R was created in a different Context", token);
    return -1;
  }
  token->tok_used = 1;
  return token->tok_oldval == nullptr ? remove(var) : store(var, token->tok_oldval);
}

PyObject* _PyContext_NewHamtForTests(void) { return as_object(_PyHamt_New()); }

void _PyContext_ClearFreeList(PyInterpreterState* interp) {
  _Py_context_state* state = &interp->context;
  for (; state->numfree > 0; state->numfree--) {
    PyContext* context = state->freelist;
    state->freelist = reinterpret_cast<PyContext*>(context->ctx_weakreflist);
    context->ctx_weakreflist = nullptr;
    PyObject_GC_Del(context);
  }
}

void _PyContext_Fini(PyInterpreterState* interp) {
  if (_Py_IsMainInterpreter(interp)) Py_CLEAR(g_token_missing);
  _PyContext_ClearFreeList(interp);
  _PyHamt_Fini(interp);
}

PyStatus _PyContext_Init(PyInterpreterState* interp) {
  if (!_Py_IsMainInterpreter(interp)) return PyStatus_Ok();
  if (PyType_Ready(&_PyContextTokenMissing_Type) < 0 || PyType_Ready(&PyContextToken_Type) < 0) {
    return PyStatus_Error("can't init context types");
  }
  if (g_token_missing == nullptr) g_token_missing = PyObject_New(PyObject, &_PyContextTokenMissing_Type);
  if (g_token_missing == nullptr) return PyStatus_NoMemory();
  if (PyDict_SetItemString(PyContextToken_Type.tp_dict, "MISSING", g_token_missing) < 0) {
    return PyStatus_Error("can't init context types");
  }
  return PyStatus_Ok();
}

PyTypeObject PyContext_Type = {
    .ob_base = type_head(),
    .tp_name = "_contextvars.Context",
    .tp_basicsize = sizeof(PyContext),
    .tp_dealloc = context_dealloc,
    .tp_as_sequence = &context_as_sequence,
    .tp_as_mapping = &context_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = context_traverse,
    .tp_clear = context_clear,
    .tp_richcompare = context_richcompare,
    .tp_weaklistoffset = offsetof(PyContext, ctx_weakreflist),
    .tp_iter = context_iter,
    .tp_methods = context_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = context_new,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject PyContextVar_Type = {
    .ob_base = type_head(),
    .tp_name = "_contextvars.ContextVar",
    .tp_basicsize = sizeof(PyContextVar),
    .tp_dealloc = var_dealloc,
    .tp_repr = slot<var_repr>,
    .tp_hash = var_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = var_traverse,
    .tp_clear = var_clear,
    .tp_methods = var_methods,
    .tp_members = var_members,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = var_new,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject PyContextToken_Type = {
    .ob_base = type_head(),
    .tp_name = "_contextvars.Token",
    .tp_basicsize = sizeof(PyContextToken),
    .tp_dealloc = token_dealloc,
    .tp_repr = slot<token_repr>,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = token_traverse,
    .tp_clear = token_clear,
    .tp_methods = token_methods,
    .tp_getset = token_getset,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = token_new,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject _PyContextTokenMissing_Type = {
    .ob_base = type_head(),
    .tp_name = "Token.MISSING",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = missing_dealloc,
    .tp_repr = missing_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
};
