// Asynchronous generators and the awaitables their methods give.
//
// `yield value` inside an `async def` wraps the value (ASYNC_GEN_WRAP), so that the driver can tell it from what an inner `await`
// passes up: an unwrapped value goes on up to the event loop, a wrapped one ends the __anext__() with that value.
#include "Objects/bind.h"
#include "Objects/callables/generator.h"
#include "Objects/callables/generator_shared.h"
#include "internal/pycore_call.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"

namespace pyston {
namespace {

enum class AwaitState { kInit, kIterating, kClosed };

struct WrappedValue {
  PyObject ob_base;
  PyObject* value;
};

/// __anext__() and asend()
struct SendAwaitable {
  PyObject ob_base;
  PyAsyncGenObject* generator;
  PyObject* value;  // null: __anext__()
  AwaitState state;
};

/// athrow() and aclose()
struct ThrowAwaitable {
  PyObject ob_base;
  PyAsyncGenObject* generator;
  PyObject* args;  // null: aclose()
  AwaitState state;
};

PyGenObject* as_generator(PyAsyncGenObject* generator) { return reinterpret_cast<PyGenObject*>(generator); }

bool is_wrapped(PyObject* value) { return Py_IS_TYPE(value, &_PyAsyncGenWrappedValue_Type); }

bool pending_end() {
  return PyErr_ExceptionMatches(PyExc_StopAsyncIteration) || PyErr_ExceptionMatches(PyExc_GeneratorExit);
}

/// Turns what the body gave (stolen, null: exception or end) into what the awaitable's driver sees.
PyObject* unwrap(PyAsyncGenObject* generator, PyObject* result) {
  if (result == nullptr) {
    if (!PyErr_Occurred()) PyErr_SetNone(PyExc_StopAsyncIteration);
    if (pending_end()) generator->ag_closed = 1;
    generator->ag_running_async = 0;
    return nullptr;
  }
  if (!is_wrapped(result)) return result;
  _PyGen_SetStopIterationValue(reinterpret_cast<WrappedValue*>(result)->value);
  Py_DECREF(result);
  generator->ag_running_async = 0;
  return nullptr;
}

// --- __anext__() and asend() --------------------------------------------------------------------------------------

PyObject* new_send_awaitable(PyAsyncGenObject* generator, PyObject* value) {
  auto* awaitable = PyObject_GC_New(SendAwaitable, &_PyAsyncGenASend_Type);
  if (awaitable == nullptr) return nullptr;
  awaitable->generator = reinterpret_cast<PyAsyncGenObject*>(Py_NewRef(as_object(generator)));
  awaitable->value = Py_XNewRef(value);
  awaitable->state = AwaitState::kInit;
  _PyObject_GC_TRACK(as_object(awaitable));
  return as_object(awaitable);
}

void send_dealloc(SendAwaitable* self) {
  _PyObject_GC_UNTRACK(as_object(self));
  Py_CLEAR(self->generator);
  Py_CLEAR(self->value);
  PyObject_GC_Del(self);
}

int send_traverse(SendAwaitable* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(self->generator));
  Py_VISIT(self->value);
  return 0;
}

Failure raise_reused_send() {
  return raise(PyExc_RuntimeError, "cannot reuse already awaited __anext__()/asend()");
}

PyObject* send_resume(SendAwaitable* self, PyObject* value) {
  if (self->state == AwaitState::kClosed) return raise_reused_send();
  if (self->state == AwaitState::kInit) {
    if (self->generator->ag_running_async) {
      return raise(PyExc_RuntimeError, "anext(): asynchronous generator is already running");
    }
    if (value == nullptr || value == Py_None) value = self->value;
    self->state = AwaitState::kIterating;
  }
  self->generator->ag_running_async = 1;
  PyObject* result = unwrap(self->generator, generator_method_send(as_generator(self->generator), value));
  if (result == nullptr) self->state = AwaitState::kClosed;
  return result;
}

PyObject* send_iternext(PyObject* self) { return send_resume(reinterpret_cast<SendAwaitable*>(self), nullptr); }

Ref<> send_send(Borrowed<SendAwaitable> self, Borrowed<> value) { return Ref<>::steal(send_resume(self, value)); }

Ref<> send_throw(Borrowed<SendAwaitable> self, Arguments args) {
  if (self->state == AwaitState::kClosed) return raise_reused_send();
  PyObject* result = generator_method_throw(as_generator(self->generator), args.data(),
                                            static_cast<Py_ssize_t>(args.size()));
  result = unwrap(self->generator, result);
  if (result == nullptr) self->state = AwaitState::kClosed;
  return Ref<>::steal(result);
}

Ref<> send_close(Borrowed<SendAwaitable> self) {
  self->state = AwaitState::kClosed;
  return Ref<>::none();
}

// --- athrow() and aclose() ----------------------------------------------------------------------------------------

PyObject* new_throw_awaitable(PyAsyncGenObject* generator, PyObject* args) {
  auto* awaitable = PyObject_GC_New(ThrowAwaitable, &_PyAsyncGenAThrow_Type);
  if (awaitable == nullptr) return nullptr;
  awaitable->generator = reinterpret_cast<PyAsyncGenObject*>(Py_NewRef(as_object(generator)));
  awaitable->args = Py_XNewRef(args);
  awaitable->state = AwaitState::kInit;
  _PyObject_GC_TRACK(as_object(awaitable));
  return as_object(awaitable);
}

void throw_dealloc(ThrowAwaitable* self) {
  _PyObject_GC_UNTRACK(as_object(self));
  Py_CLEAR(self->generator);
  Py_CLEAR(self->args);
  PyObject_GC_Del(self);
}

int throw_traverse(ThrowAwaitable* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(self->generator));
  Py_VISIT(self->args);
  return 0;
}

Failure raise_reused_throw() {
  return raise(PyExc_RuntimeError, "cannot reuse already awaited aclose()/athrow()");
}

void finish_throw(ThrowAwaitable* self) {
  self->generator->ag_running_async = 0;
  self->state = AwaitState::kClosed;
}

/// The body yielded although it was being closed.
PyObject* refuse_yield(ThrowAwaitable* self) {
  finish_throw(self);
  return raise(PyExc_RuntimeError, "async generator ignored GeneratorExit");
}

/// An exception came out of the body: for aclose(), the expected ones mean that it is done.
PyObject* check_end(ThrowAwaitable* self) {
  finish_throw(self);
  if (self->args == nullptr && pending_end()) {
    PyErr_Clear();
    PyErr_SetNone(PyExc_StopIteration);
  }
  return nullptr;
}

PyObject* start_throw(ThrowAwaitable* self, PyObject* value) {
  PyAsyncGenObject* generator = self->generator;
  if (generator->ag_running_async) {
    self->state = AwaitState::kClosed;
    return raise(PyExc_RuntimeError, self->args == nullptr ? "aclose(): asynchronous generator is already running"
                                                           : "athrow(): asynchronous generator is already running");
  }
  if (generator->ag_closed) {
    self->state = AwaitState::kClosed;
    PyErr_SetNone(PyExc_StopAsyncIteration);
    return nullptr;
  }
  if (value != Py_None) return raise(PyExc_RuntimeError, "can't send non-None value to a just-started coroutine");
  self->state = AwaitState::kIterating;
  generator->ag_running_async = 1;
  PyObject* result;
  if (self->args == nullptr) {
    generator->ag_closed = 1;
    // The inner awaitables see GeneratorExit themselves: they may have to await on the way out.
    result = generator_throw(as_generator(generator), false, PyExc_GeneratorExit, nullptr, nullptr);
    if (result != nullptr && is_wrapped(result)) {
      Py_DECREF(result);
      return refuse_yield(self);
    }
  } else {
    PyObject* type;
    PyObject* exception = nullptr;
    PyObject* traceback = nullptr;
    if (!PyArg_UnpackTuple(self->args, "athrow", 1, 3, &type, &exception, &traceback)) return nullptr;
    result = unwrap(generator, generator_throw(as_generator(generator), false, type, exception, traceback));
  }
  return result != nullptr ? result : check_end(self);
}

PyObject* throw_resume(ThrowAwaitable* self, PyObject* value) {
  if (self->state == AwaitState::kClosed) return raise_reused_throw();
  PyGenObject* generator = as_generator(self->generator);
  if (generator->gi_frame_state >= FRAME_COMPLETED) {
    self->state = AwaitState::kClosed;
    PyErr_SetNone(PyExc_StopIteration);
    return nullptr;
  }
  if (self->state == AwaitState::kInit) return start_throw(self, value);
  PyObject* result = generator_method_send(generator, value);
  if (self->args != nullptr) return unwrap(self->generator, result);
  if (result == nullptr) return check_end(self);
  if (!is_wrapped(result)) return result;
  Py_DECREF(result);
  return refuse_yield(self);
}

PyObject* throw_iternext(PyObject* self) { return throw_resume(reinterpret_cast<ThrowAwaitable*>(self), Py_None); }

Ref<> throw_send(Borrowed<ThrowAwaitable> self, Borrowed<> value) { return Ref<>::steal(throw_resume(self, value)); }

Ref<> throw_throw(Borrowed<ThrowAwaitable> self, Arguments args) {
  if (self->state == AwaitState::kClosed) return raise_reused_throw();
  PyObject* result = generator_method_throw(as_generator(self->generator), args.data(),
                                            static_cast<Py_ssize_t>(args.size()));
  if (self->args != nullptr) return Ref<>::steal(unwrap(self->generator, result));
  if (result != nullptr && is_wrapped(result)) {
    Py_DECREF(result);
    return Ref<>::steal(refuse_yield(self));
  }
  if (result == nullptr && pending_end()) {
    PyErr_Clear();
    PyErr_SetNone(PyExc_StopIteration);
  }
  return Ref<>::steal(result);
}

Ref<> throw_close(Borrowed<ThrowAwaitable> self) {
  self->state = AwaitState::kClosed;
  return Ref<>::none();
}

// --- the generator ------------------------------------------------------------------------------------------------

/// On first iteration the event loop's hooks are taken over and told.
bool init_hooks(PyAsyncGenObject* self) {
  if (self->ag_hooks_inited) return true;
  self->ag_hooks_inited = 1;
  PyThreadState* tstate = _PyThreadState_GET();
  self->ag_origin_or_finalizer = Py_XNewRef(tstate->async_gen_finalizer);
  PyObject* first_iteration = tstate->async_gen_firstiter;
  if (first_iteration == nullptr) return true;
  Py_INCREF(first_iteration);
  PyObject* result = PyObject_CallOneArg(first_iteration, as_object(self));
  Py_DECREF(first_iteration);
  Py_XDECREF(result);
  return result != nullptr;
}

PyObject* asyncgen_anext(PyObject* self) {
  auto* generator = reinterpret_cast<PyAsyncGenObject*>(self);
  return init_hooks(generator) ? new_send_awaitable(generator, nullptr) : nullptr;
}

Ref<> asyncgen_asend(Borrowed<PyAsyncGenObject> self, Borrowed<> value) {
  return init_hooks(self) ? Ref<>::steal(new_send_awaitable(self, value)) : nullptr;
}

Ref<> asyncgen_aclose(Borrowed<PyAsyncGenObject> self) {
  return init_hooks(self) ? Ref<>::steal(new_throw_awaitable(self, nullptr)) : nullptr;
}

PyObject* asyncgen_athrow(PyObject* self, PyObject* args) {
  auto* generator = reinterpret_cast<PyAsyncGenObject*>(self);
  return init_hooks(generator) ? new_throw_awaitable(generator, args) : nullptr;
}

int asyncgen_traverse(PyAsyncGenObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->ag_origin_or_finalizer);
  return generator_traverse(as_generator(self), visit, arg);
}

Ref<> asyncgen_repr(Borrowed<PyAsyncGenObject> self) {
  return Ref<>::steal(PyUnicode_FromFormat("<async_generator object %S at %p>", self->ag_qualname, self.get()));
}

Ref<> asyncgen_get_frame(Borrowed<PyGenObject> self) { return generator_get_frame(self, "ag_frame"); }

void wrapped_dealloc(WrappedValue* self) {
  _PyObject_GC_UNTRACK(as_object(self));
  Py_CLEAR(self->value);
  PyObject_GC_Del(self);
}

int wrapped_traverse(WrappedValue* self, visitproc visit, void* arg) {
  Py_VISIT(self->value);
  return 0;
}

PyMethodDef send_methods[] = {
    method<send_send, "send($self, arg, /)", "Resumes the generator with a value.">(),
    method<send_throw, "throw(*args)", "Raises an exception where the generator is suspended.">(),
    method<send_close, "close($self, /)", "Makes this awaitable unusable.">(),
    {}};

PyMethodDef throw_methods[] = {
    method<throw_send, "send($self, arg, /)", "Resumes the generator with a value.">(),
    method<throw_throw, "throw(*args)", "Raises an exception where the generator is suspended.">(),
    method<throw_close, "close($self, /)", "Makes this awaitable unusable.">(),
    {}};

PyMethodDef asyncgen_methods[] = {
    method<asyncgen_asend, "asend($self, arg, /)", "An awaitable that resumes the generator with a value.">(),
    {"athrow", asyncgen_athrow, METH_VARARGS,
     "athrow(typ[,val[,tb]]) -> an awaitable that raises an exception in the generator."},
    method<asyncgen_aclose, "aclose($self, /)", "An awaitable that closes the generator.">(),
    method<generator_sizeof, "__sizeof__($self, /)", "Bytes taken in memory.">(),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {}};

PyMemberDef asyncgen_members[] = {
    {"ag_running", T_BOOL, offsetof(PyAsyncGenObject, ag_running_async), READONLY, nullptr},
    {"ag_code", T_OBJECT, offsetof(PyAsyncGenObject, ag_code), READONLY | PY_AUDIT_READ, nullptr},
    {}};

PyGetSetDef asyncgen_getset[] = {
    getset<generator_get_name, generator_set_name>("__name__", "name of the async generator"),
    getset<generator_get_qualname, generator_set_qualname>("__qualname__", "qualified name of the async generator"),
    getset<generator_get_delegate>("ag_await", "what the generator is awaiting, or None"),
    getset<asyncgen_get_frame>("ag_frame"),
    {}};

PyAsyncMethods asyncgen_as_async = {
    .am_aiter = PyObject_SelfIter, .am_anext = asyncgen_anext, .am_send = generator_am_send};
PyAsyncMethods awaitable_as_async = {.am_await = PyObject_SelfIter};

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyAsyncGen_Type = {
    .ob_base = type_head(),
    .tp_name = "async_generator",
    .tp_basicsize = kGeneratorBasicSize,
    .tp_itemsize = sizeof(PyObject*),
    .tp_dealloc = reinterpret_cast<destructor>(generator_dealloc),
    .tp_as_async = &asyncgen_as_async,
    .tp_repr = slot<asyncgen_repr>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = reinterpret_cast<traverseproc>(asyncgen_traverse),
    .tp_weaklistoffset = offsetof(PyAsyncGenObject, ag_weakreflist),
    .tp_methods = asyncgen_methods,
    .tp_members = asyncgen_members,
    .tp_getset = asyncgen_getset,
    .tp_finalize = _PyGen_Finalize,
};

PyTypeObject _PyAsyncGenASend_Type = {
    .ob_base = type_head(),
    .tp_name = "async_generator_asend",
    .tp_basicsize = sizeof(SendAwaitable),
    .tp_dealloc = reinterpret_cast<destructor>(send_dealloc),
    .tp_as_async = &awaitable_as_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = reinterpret_cast<traverseproc>(send_traverse),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = send_iternext,
    .tp_methods = send_methods,
};

PyTypeObject _PyAsyncGenAThrow_Type = {
    .ob_base = type_head(),
    .tp_name = "async_generator_athrow",
    .tp_basicsize = sizeof(ThrowAwaitable),
    .tp_dealloc = reinterpret_cast<destructor>(throw_dealloc),
    .tp_as_async = &awaitable_as_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = reinterpret_cast<traverseproc>(throw_traverse),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = throw_iternext,
    .tp_methods = throw_methods,
};

PyTypeObject _PyAsyncGenWrappedValue_Type = {
    .ob_base = type_head(),
    .tp_name = "async_generator_wrapped_value",
    .tp_basicsize = sizeof(WrappedValue),
    .tp_dealloc = reinterpret_cast<destructor>(wrapped_dealloc),
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = reinterpret_cast<traverseproc>(wrapped_traverse),
};

PyObject* _PyAsyncGenValueWrapperNew(PyObject* value) {
  auto* wrapped = PyObject_GC_New(WrappedValue, &_PyAsyncGenWrappedValue_Type);
  if (wrapped == nullptr) return nullptr;
  wrapped->value = Py_NewRef(value);
  _PyObject_GC_TRACK(as_object(wrapped));
  return as_object(wrapped);
}

// These objects come from the general allocator, which is fast enough without free lists.
void _PyAsyncGen_Fini(PyInterpreterState*) {}
void _PyAsyncGen_ClearFreeLists(PyInterpreterState*) {}
