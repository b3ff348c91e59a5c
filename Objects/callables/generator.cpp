// Generators and coroutines: resuming, throwing into, closing and finalising a suspended frame.
//
// The three kinds (generator, coroutine, asynchronous generator) share one layout, PyGenObject; this file has what they share
// and the first two types. Asynchronous generators and their awaitables are in async_generator.cpp.
#include "Objects/callables/generator.h"

#include "Interpreter/bytecode/opcodes.h"
#include "Objects/bind.h"
#include "Objects/callables/generator_shared.h"
#include "internal/pycore_call.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"

namespace pyston {

namespace {

/// "generator", "coroutine" or "async generator", for messages.
const char* kind_name(PyGenObject* generator) {
  if (PyCoro_CheckExact(as_object(generator))) return "coroutine";
  return PyAsyncGen_CheckExact(as_object(generator)) ? "async generator" : "generator";
}

bool is_iterable_coroutine(PyObject* object) {
  return PyGen_CheckExact(object) &&
         (reinterpret_cast<PyGenObject*>(object)->gi_code->co_flags & CO_ITERABLE_COROUTINE) != 0;
}

}  // namespace

// --- running ------------------------------------------------------------------------------------------------------

void generator_convert_stop(PyThreadState* tstate, PyGenObject* generator) {
  const char* name = kind_name(generator);
  if (_PyErr_ExceptionMatches(tstate, PyExc_StopIteration)) {
    _PyErr_FormatFromCauseTstate(tstate, PyExc_RuntimeError, "%s raised StopIteration", name);
  } else if (PyAsyncGen_CheckExact(as_object(generator)) &&
             _PyErr_ExceptionMatches(tstate, PyExc_StopAsyncIteration)) {
    _PyErr_FormatFromCauseTstate(tstate, PyExc_RuntimeError, "%s raised StopAsyncIteration", name);
  }
}

namespace {

/// The body is over: frees what it holds. The exception state goes first, it may refer to the frame.
void drop_frame(PyGenObject* generator) {
  _PyErr_ClearExcState(&generator->gi_exc_state);
  generator->gi_frame_state = FRAME_CLEARED;
  _PyFrame_Clear(generator_frame(generator));
}

}  // namespace

void generator_finish(PyThreadState* tstate, PyGenObject* generator) {
  generator->gi_frame_state = FRAME_COMPLETED;
  tstate->cframe->current_frame = generator_frame(generator)->previous;
  generator_leave(tstate, generator);
  drop_frame(generator);
}

PySendResult generator_send(PyGenObject* generator, PyObject* value, PyObject** result, SendMode mode) {
  *result = nullptr;
  PyThreadState* tstate = _PyThreadState_GET();
  bool throwing = mode != SendMode::kValue;
  if (UNLIKELY(generator->gi_frame_state == FRAME_CREATED && value != nullptr && value != Py_None)) {
    PyErr_Format(PyExc_TypeError, "can't send non-None value to a just-started %s", kind_name(generator));
    return PYGEN_ERROR;
  }
  if (UNLIKELY(generator->gi_frame_state == FRAME_EXECUTING)) {
    PyErr_Format(PyExc_ValueError, "%s already executing", kind_name(generator));
    return PYGEN_ERROR;
  }
  if (UNLIKELY(generator->gi_frame_state >= FRAME_COMPLETED)) {
    if (PyCoro_CheckExact(as_object(generator)) && mode != SendMode::kClose) {
      PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
    } else if (value != nullptr && !throwing) {
      *result = Py_NewRef(Py_None);
      return PYGEN_RETURN;
    }
    return PYGEN_ERROR;
  }
  _PyInterpreterFrame* frame = generator_frame(generator);
  _PyFrame_StackPush(frame, Py_NewRef(value != nullptr ? value : Py_None));
  frame->previous = tstate->cframe->current_frame;
  generator_enter(tstate, generator);
  if (throwing) _PyErr_ChainStackItem(nullptr);
  PyObject* outcome = _PyEval_EvalFrame(tstate, frame, throwing);
  if (generator->gi_frame_state == FRAME_EXECUTING) generator->gi_frame_state = FRAME_COMPLETED;
  generator_leave(tstate, generator);

  if (outcome != nullptr) {
    if (LIKELY(generator->gi_frame_state == FRAME_SUSPENDED)) {
      *result = outcome;
      return PYGEN_NEXT;
    }
    // FAST: next() reports the plain end by a null without an exception.
    if (outcome == Py_None && value == nullptr && !PyAsyncGen_CheckExact(as_object(generator))) Py_CLEAR(outcome);
  } else {
    generator_convert_stop(tstate, generator);
  }
  drop_frame(generator);
  *result = outcome;
  return outcome != nullptr ? PYGEN_RETURN : PYGEN_ERROR;
}

/// As generator_send, with the end reported as StopIteration (or StopAsyncIteration).
PyObject* generator_send_raising(PyGenObject* generator, PyObject* value, SendMode mode) {
  PyObject* result;
  if (generator_send(generator, value, &result, mode) != PYGEN_RETURN) return result;
  if (PyAsyncGen_CheckExact(as_object(generator))) {
    PyErr_SetNone(PyExc_StopAsyncIteration);
  } else if (result == Py_None) {
    PyErr_SetNone(PyExc_StopIteration);
  } else {
    _PyGen_SetStopIterationValue(result);
  }
  Py_DECREF(result);
  return nullptr;
}

PyObject* generator_method_send(PyGenObject* generator, PyObject* value) {
  return generator_send_raising(generator, value, SendMode::kValue);
}

PySendResult generator_am_send(PyObject* self, PyObject* value, PyObject** result) {
  return generator_send(reinterpret_cast<PyGenObject*>(self), value, result, SendMode::kValue);
}

namespace {

PyObject* generator_iternext(PyObject* self) {
  PyObject* result;
  if (generator_send(reinterpret_cast<PyGenObject*>(self), nullptr, &result, SendMode::kValue) == PYGEN_RETURN) {
    if (result != Py_None) _PyGen_SetStopIterationValue(result);
    Py_CLEAR(result);
  }
  return result;
}

// --- closing and throwing -----------------------------------------------------------------------------------------

/// Marks the generator as running while its subiterator is closed or thrown into.
class MarkExecuting {
 public:
  explicit MarkExecuting(PyGenObject* generator) : generator_(generator), state_(generator->gi_frame_state) {
    generator->gi_frame_state = FRAME_EXECUTING;
  }
  ~MarkExecuting() { generator_->gi_frame_state = state_; }

 private:
  PyGenObject* generator_;
  int8_t state_;
};

/// close() of the iterator that the generator delegates to. -1: it raised.
int close_subiterator(PyObject* iterator) {
  PyObject* result = nullptr;
  if (PyGen_CheckExact(iterator) || PyCoro_CheckExact(iterator)) {
    result = generator_close(reinterpret_cast<PyGenObject*>(iterator));
    if (result == nullptr) return -1;
  } else {
    PyObject* close;
    if (_PyObject_LookupAttr(iterator, &_Py_ID(close), &close) < 0) PyErr_WriteUnraisable(iterator);
    if (close != nullptr) {
      result = _PyObject_CallNoArgs(close);
      Py_DECREF(close);
      if (result == nullptr) return -1;
    }
  }
  Py_XDECREF(result);
  return 0;
}

}  // namespace

PyObject* generator_close(PyGenObject* generator) {
  PyObject* delegate = _PyGen_yf(generator);
  int status = 0;
  if (delegate != nullptr) {
    {
      MarkExecuting mark(generator);
      status = close_subiterator(delegate);
    }
    Py_DECREF(delegate);
  }
  if (status == 0) PyErr_SetNone(PyExc_GeneratorExit);
  PyObject* result = generator_send_raising(generator, Py_None, SendMode::kClose);
  if (result != nullptr) {
    Py_DECREF(result);
    PyErr_Format(PyExc_RuntimeError, "%s ignored GeneratorExit", kind_name(generator));
    return nullptr;
  }
  if (!PyErr_ExceptionMatches(PyExc_StopIteration) && !PyErr_ExceptionMatches(PyExc_GeneratorExit)) return nullptr;
  PyErr_Clear();
  return Py_NewRef(Py_None);
}

namespace {

/// Raises in the generator's own frame.
PyObject* throw_here(PyGenObject* generator, PyObject* type, PyObject* value, PyObject* traceback) {
  if (traceback == Py_None) {
    traceback = nullptr;
  } else if (traceback != nullptr && !PyTraceBack_Check(traceback)) {
    PyErr_SetString(PyExc_TypeError, "throw() third argument must be a traceback object");
    return nullptr;
  }
  Py_INCREF(type);
  Py_XINCREF(value);
  Py_XINCREF(traceback);
  if (PyExceptionClass_Check(type)) {
    PyErr_NormalizeException(&type, &value, &traceback);
  } else if (PyExceptionInstance_Check(type)) {
    if (value != nullptr && value != Py_None) {
      PyErr_SetString(PyExc_TypeError, "instance exception may not have a separate value");
      Py_DECREF(type);
      Py_DECREF(value);
      Py_XDECREF(traceback);
      return nullptr;
    }
    Py_XDECREF(value);
    value = type;
    type = Py_NewRef(PyExceptionInstance_Class(value));
    if (traceback == nullptr) traceback = PyException_GetTraceback(value);
  } else {
    PyErr_Format(PyExc_TypeError, "exceptions must be classes or instances deriving from BaseException, not %s",
                 Py_TYPE(type)->tp_name);
    Py_DECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return nullptr;
  }
  PyErr_Restore(type, value, traceback);
  return generator_send_raising(generator, Py_None, SendMode::kThrow);
}

/// Throws into the iterator that the generator delegates to. *has_throw is false when that has no throw().
PyObject* throw_into_delegate(PyGenObject* generator, PyObject* delegate, bool close_on_exit, PyObject* type,
                              PyObject* value, PyObject* traceback, bool* has_throw) {
  *has_throw = true;
  PyObject* throw_method = nullptr;
  bool is_generator = PyGen_CheckExact(delegate) || PyCoro_CheckExact(delegate);
  if (!is_generator) {
    if (_PyObject_LookupAttr(delegate, &_Py_ID(throw), &throw_method) < 0) return nullptr;
    if (throw_method == nullptr) {
      *has_throw = false;
      return nullptr;
    }
  }
  // The frame is put on the stack, for complete tracebacks.
  PyThreadState* tstate = _PyThreadState_GET();
  _PyInterpreterFrame* frame = generator_frame(generator);
  _PyInterpreterFrame* previous = tstate->cframe->current_frame;
  frame->previous = previous;
  tstate->cframe->current_frame = frame;
  PyObject* result;
  {
    MarkExecuting mark(generator);
    result = is_generator ? generator_throw(reinterpret_cast<PyGenObject*>(delegate), close_on_exit, type, value,
                                            traceback)
                          : PyObject_CallFunctionObjArgs(throw_method, type, value, traceback, nullptr);
  }
  tstate->cframe->current_frame = previous;
  frame->previous = nullptr;
  Py_XDECREF(throw_method);
  return result;
}

/// The subiterator is finished (its value or an exception is pending): goes on behind the SEND loop.
PyObject* resume_after_delegate(PyGenObject* generator) {
  _PyInterpreterFrame* frame = generator_frame(generator);
  Py_DECREF(_PyFrame_StackPop(frame));
  // prev_instr is the YIELD_VALUE; the SEND before it jumps to the end of the loop.
  frame->prev_instr--;
  frame->prev_instr += _Py_OPARG(*frame->prev_instr);
  PyObject* value;
  if (_PyGen_FetchStopIterationValue(&value) == 0) {
    PyObject* result = generator_method_send(generator, value);
    Py_DECREF(value);
    return result;
  }
  return generator_send_raising(generator, Py_None, SendMode::kThrow);
}

}  // namespace

PyObject* generator_throw(PyGenObject* generator, bool close_on_exit, PyObject* type, PyObject* value,
                          PyObject* traceback) {
  PyObject* delegate = _PyGen_yf(generator);
  if (delegate == nullptr) return throw_here(generator, type, value, traceback);
  if (close_on_exit && PyErr_GivenExceptionMatches(type, PyExc_GeneratorExit)) {
    int status;
    {
      MarkExecuting mark(generator);
      status = close_subiterator(delegate);
    }
    Py_DECREF(delegate);
    if (status < 0) return generator_send_raising(generator, Py_None, SendMode::kThrow);
    return throw_here(generator, type, value, traceback);
  }
  bool has_throw;
  PyObject* result = throw_into_delegate(generator, delegate, close_on_exit, type, value, traceback, &has_throw);
  Py_DECREF(delegate);
  if (!has_throw) return throw_here(generator, type, value, traceback);
  if (result != nullptr) return result;
  if (PyErr_Occurred() && generator->gi_frame_state >= FRAME_COMPLETED) return nullptr;
  return resume_after_delegate(generator);
}

PyObject* generator_method_throw(PyGenObject* generator, PyObject* const* args, Py_ssize_t nargs) {
  if (!_PyArg_CheckPositional("throw", nargs, 1, 3)) return nullptr;
  return generator_throw(generator, true, args[0], nargs > 1 ? args[1] : nullptr, nargs > 2 ? args[2] : nullptr);
}

// --- life ---------------------------------------------------------------------------------------------------------

int generator_traverse(PyGenObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->gi_code);
  Py_VISIT(self->gi_name);
  Py_VISIT(self->gi_qualname);
  if (self->gi_frame_state < FRAME_CLEARED) {
    int status = _PyFrame_Traverse(generator_frame(self), visit, arg);
    if (status != 0) return status;
  }
  Py_VISIT(self->gi_exc_state.exc_value);
  return 0;
}

void generator_dealloc(PyGenObject* self) {
  _PyObject_GC_UNTRACK(as_object(self));
  if (self->gi_weakreflist != nullptr) PyObject_ClearWeakRefs(as_object(self));
  _PyObject_GC_TRACK(as_object(self));
  if (PyObject_CallFinalizerFromDealloc(as_object(self))) return;  // resurrected
  _PyObject_GC_UNTRACK(as_object(self));
  bool is_coroutine = (self->gi_code->co_flags & CO_COROUTINE) != 0;
  if (PyAsyncGen_CheckExact(as_object(self)) || is_coroutine) Py_CLEAR(self->gi_origin_or_finalizer);
  if (self->gi_frame_state < FRAME_CLEARED) {
    self->gi_frame_state = FRAME_CLEARED;
    generator_frame(self)->previous = nullptr;
    _PyFrame_Clear(generator_frame(self));
  }
  Py_CLEAR(self->gi_code);
  Py_CLEAR(self->gi_name);
  Py_CLEAR(self->gi_qualname);
  _PyErr_ClearExcState(&self->gi_exc_state);
  PyObject_GC_Del(self);
}

// --- attributes ---------------------------------------------------------------------------------------------------

Ref<> generator_get_name(Borrowed<PyGenObject> self) { return Ref<>::dup(self->gi_name); }
Ref<> generator_get_qualname(Borrowed<PyGenObject> self) { return Ref<>::dup(self->gi_qualname); }

Status generator_set_name(Borrowed<PyGenObject> self, PyObject* value) {
  if (value == nullptr || !PyUnicode_Check(value)) {
    return raise(PyExc_TypeError, "__name__ must be set to a string object");
  }
  Py_XSETREF(self->gi_name, Py_NewRef(value));
  return Status::kOk;
}

Status generator_set_qualname(Borrowed<PyGenObject> self, PyObject* value) {
  if (value == nullptr || !PyUnicode_Check(value)) {
    return raise(PyExc_TypeError, "__qualname__ must be set to a string object");
  }
  Py_XSETREF(self->gi_qualname, Py_NewRef(value));
  return Status::kOk;
}

Ref<> generator_get_delegate(Borrowed<PyGenObject> self) {
  PyObject* delegate = _PyGen_yf(self);
  return delegate == nullptr ? Ref<>::none() : Ref<>::steal(delegate);
}

Ref<> generator_get_running(Borrowed<PyGenObject> self) {
  return Ref<>::dup(self->gi_frame_state == FRAME_EXECUTING ? Py_True : Py_False);
}

Ref<> generator_get_suspended(Borrowed<PyGenObject> self) {
  return Ref<>::dup(self->gi_frame_state == FRAME_SUSPENDED ? Py_True : Py_False);
}

Ref<> generator_get_frame(PyGenObject* self, const char* attribute) {
  if (PySys_Audit("object.__getattr__", "Os", self, attribute) < 0) return nullptr;
  if (self->gi_frame_state >= FRAME_CLEARED) return Ref<>::none();
  return Ref<>::dup(as_object(_PyFrame_GetFrameObject(generator_frame(self))));
}

Ref<> generator_sizeof(Borrowed<PyGenObject> self) {
  PyCodeObject* code = self->gi_code;
  Py_ssize_t size = offsetof(PyGenObject, gi_iframe) + offsetof(_PyInterpreterFrame, localsplus) +
                    (code->co_nlocalsplus + code->co_stacksize) * static_cast<Py_ssize_t>(sizeof(PyObject*));
  return Ref<>::steal(PyLong_FromSsize_t(size));
}

namespace {

Ref<> gen_get_frame(Borrowed<PyGenObject> self) { return generator_get_frame(self, "gi_frame"); }
Ref<> coro_get_frame(Borrowed<PyGenObject> self) { return generator_get_frame(self, "cr_frame"); }

Ref<> generator_repr(Borrowed<PyGenObject> self) {
  return Ref<>::steal(PyUnicode_FromFormat("<generator object %S at %p>", self->gi_qualname, self.get()));
}
Ref<> coroutine_repr(Borrowed<PyGenObject> self) {
  return Ref<>::steal(PyUnicode_FromFormat("<coroutine object %S at %p>", self->gi_qualname, self.get()));
}

Ref<> bound_send(Borrowed<PyGenObject> self, Borrowed<> value) {
  return Ref<>::steal(generator_method_send(self, value));
}
Ref<> bound_throw(Borrowed<PyGenObject> self, Arguments args) {
  return Ref<>::steal(generator_method_throw(self, args.data(), static_cast<Py_ssize_t>(args.size())));
}
Ref<> bound_close(Borrowed<PyGenObject> self) { return Ref<>::steal(generator_close(self)); }

/// The docstrings of the iterator methods have no signature line of the usual form.
PyMethodDef with_doc(PyMethodDef row, const char* doc) {
  row.ml_doc = doc;
  return row;
}

constexpr const char* kThrowDoc =
    "throw(value)\nthrow(type[,value[,tb]])\n\nRaises an exception in generator where it is suspended; gives the next value "
    "that it yields.";
constexpr const char* kCoroThrowDoc =
    "throw(value)\nthrow(type[,value[,tb]])\n\nRaises an exception in coroutine where it is suspended; gives the next value "
    "that it yields.";

PyMethodDef generator_methods[] = {
    with_doc(method<bound_send, "send($self, arg, /)">(),
             "send(arg) -> passes 'arg' into generator as the result of its yield;\ngives the next yielded value or raises "
             "StopIteration."),
    with_doc(method<bound_throw, "throw(*args)">(), kThrowDoc),
    with_doc(method<bound_close, "close($self, /)">(), "close() -> raises GeneratorExit inside generator."),
    with_doc(method<generator_sizeof, "__sizeof__($self, /)">(), "__sizeof__() -> bytes taken in memory"),
    {}};

PyMemberDef generator_members[] = {
    {"gi_code", T_OBJECT, offsetof(PyGenObject, gi_code), READONLY | PY_AUDIT_READ, nullptr}, {}};

PyGetSetDef generator_getset[] = {
    getset<generator_get_name, generator_set_name>("__name__", "name of the generator"),
    getset<generator_get_qualname, generator_set_qualname>("__qualname__", "qualified name of the generator"),
    getset<generator_get_delegate>("gi_yieldfrom", "what `yield from` is iterating over, or None"),
    getset<generator_get_running>("gi_running"),
    getset<gen_get_frame>("gi_frame"),
    getset<generator_get_suspended>("gi_suspended"),
    {}};

// --- coroutines ---------------------------------------------------------------------------------------------------

/// The iterator that `await coroutine` gives to those who call __await__ themselves.
struct CoroutineWrapper {
  PyObject ob_base;
  PyCoroObject* coroutine;
};

PyObject* coroutine_await(PyObject* self) {
  auto* wrapper = PyObject_GC_New(CoroutineWrapper, &_PyCoroWrapper_Type);
  if (wrapper == nullptr) return nullptr;
  wrapper->coroutine = reinterpret_cast<PyCoroObject*>(Py_NewRef(self));
  _PyObject_GC_TRACK(as_object(wrapper));
  return as_object(wrapper);
}

PyGenObject* wrapped(CoroutineWrapper* self) { return reinterpret_cast<PyGenObject*>(self->coroutine); }

void wrapper_dealloc(CoroutineWrapper* self) {
  _PyObject_GC_UNTRACK(as_object(self));
  Py_CLEAR(self->coroutine);
  PyObject_GC_Del(self);
}

int wrapper_traverse(CoroutineWrapper* self, visitproc visit, void* arg) {
  Py_VISIT(as_object(self->coroutine));
  return 0;
}

PyObject* wrapper_iternext(PyObject* self) {
  return generator_iternext(as_object(reinterpret_cast<CoroutineWrapper*>(self)->coroutine));
}

Ref<> wrapper_send(Borrowed<CoroutineWrapper> self, Borrowed<> value) {
  return Ref<>::steal(generator_method_send(wrapped(self), value));
}
Ref<> wrapper_throw(Borrowed<CoroutineWrapper> self, Arguments args) {
  return Ref<>::steal(generator_method_throw(wrapped(self), args.data(), static_cast<Py_ssize_t>(args.size())));
}
Ref<> wrapper_close(Borrowed<CoroutineWrapper> self) { return Ref<>::steal(generator_close(wrapped(self))); }

constexpr const char* kCoroSendDoc =
    "send(arg) -> passes 'arg' into coroutine as the result of its await;\ngives what it yields next or raises "
    "StopIteration.";
constexpr const char* kCoroCloseDoc = "close() -> raises GeneratorExit inside coroutine.";

PyMethodDef wrapper_methods[] = {
    with_doc(method<wrapper_send, "send($self, arg, /)">(), kCoroSendDoc),
    with_doc(method<wrapper_throw, "throw(*args)">(), kCoroThrowDoc),
    with_doc(method<wrapper_close, "close($self, /)">(), kCoroCloseDoc),
    {}};

PyMethodDef coroutine_methods[] = {
    with_doc(method<bound_send, "send($self, arg, /)">(), kCoroSendDoc),
    with_doc(method<bound_throw, "throw(*args)">(), kCoroThrowDoc),
    with_doc(method<bound_close, "close($self, /)">(), kCoroCloseDoc),
    with_doc(method<generator_sizeof, "__sizeof__($self, /)">(), "__sizeof__() -> bytes taken in memory"),
    {}};

PyMemberDef coroutine_members[] = {
    {"cr_code", T_OBJECT, offsetof(PyCoroObject, cr_code), READONLY | PY_AUDIT_READ, nullptr},
    {"cr_origin", T_OBJECT, offsetof(PyCoroObject, cr_origin_or_finalizer), READONLY, nullptr},
    {}};

PyGetSetDef coroutine_getset[] = {
    getset<generator_get_name, generator_set_name>("__name__", "name of the coroutine"),
    getset<generator_get_qualname, generator_set_qualname>("__qualname__", "qualified name of the coroutine"),
    getset<generator_get_delegate>("cr_await", "what the coroutine is awaiting, or None"),
    getset<generator_get_running>("cr_running"),
    getset<coro_get_frame>("cr_frame"),
    getset<generator_get_suspended>("cr_suspended"),
    {}};

PyAsyncMethods generator_as_async = {.am_send = generator_am_send};
PyAsyncMethods coroutine_as_async = {.am_await = coroutine_await, .am_send = generator_am_send};

/// Where the coroutine was created: ((file, line, function), ...), innermost first.
PyObject* origin_of_coroutine(int depth, _PyInterpreterFrame* frame) {
  PyObject* list = PyList_New(0);
  for (; list != nullptr && frame != nullptr && depth > 0; frame = frame->previous) {
    if (_PyFrame_IsIncomplete(frame)) continue;
    depth--;
    PyObject* entry = Py_BuildValue("OiO", frame->f_code->co_filename, _PyInterpreterFrame_GetLine(frame),
                                    frame->f_code->co_name);
    if (entry == nullptr || PyList_Append(list, entry) < 0) Py_CLEAR(list);
    Py_XDECREF(entry);
  }
  if (list == nullptr) return nullptr;
  PyObject* origin = PyList_AsTuple(list);
  Py_DECREF(list);
  return origin;
}

/// A generator of any kind without a frame yet. Borrows everything.
PyGenObject* allocate_generator(PyTypeObject* type, PyCodeObject* code, PyObject* name, PyObject* qualname) {
  auto* generator = PyObject_GC_NewVar(PyGenObject, type, code->co_nlocalsplus + code->co_stacksize);
  if (generator == nullptr) return nullptr;
  generator->gi_frame_state = FRAME_CLEARED;
  generator->gi_code = reinterpret_cast<PyCodeObject*>(Py_NewRef(as_object(code)));
  generator->gi_weakreflist = nullptr;
  generator->gi_exc_state.exc_value = nullptr;
  generator->gi_exc_state.previous_item = nullptr;
  generator->gi_name = Py_NewRef(name);
  generator->gi_qualname = Py_NewRef(qualname);
  generator->gi_origin_or_finalizer = nullptr;
  generator->gi_hooks_inited = 0;
  generator->gi_closed = 0;
  generator->gi_running_async = 0;
  _PyObject_GC_TRACK(as_object(generator));
  return generator;
}

/// Makes a generator of a frame object that has not run. Steals the frame.
PyObject* generator_from_frame(PyTypeObject* type, PyFrameObject* frame_object, PyObject* name, PyObject* qualname) {
  PyCodeObject* code = frame_object->f_frame->f_code;
  PyGenObject* generator = allocate_generator(type, code, name != nullptr ? name : code->co_name,
                                              qualname != nullptr ? qualname : code->co_qualname);
  if (generator == nullptr) {
    Py_DECREF(as_object(frame_object));
    return nullptr;
  }
  _PyInterpreterFrame* frame = generator_frame(generator);
  _PyFrame_Copy(frame_object->f_frame, frame);
  frame->owner = FRAME_OWNED_BY_GENERATOR;
  frame->frame_obj = frame_object;  // takes the caller's reference
  frame->previous = nullptr;
  frame_object->f_frame = frame;
  generator->gi_frame_state = FRAME_CREATED;
  return as_object(generator);
}

}  // namespace
}  // namespace pyston

using namespace pyston;

PyTypeObject PyGen_Type = {
    .ob_base = type_head(),
    .tp_name = "generator",
    .tp_basicsize = kGeneratorBasicSize,
    .tp_itemsize = sizeof(PyObject*),
    .tp_dealloc = reinterpret_cast<destructor>(generator_dealloc),
    .tp_as_async = &generator_as_async,
    .tp_repr = slot<generator_repr>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = reinterpret_cast<traverseproc>(generator_traverse),
    .tp_weaklistoffset = offsetof(PyGenObject, gi_weakreflist),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = generator_iternext,
    .tp_methods = generator_methods,
    .tp_members = generator_members,
    .tp_getset = generator_getset,
    .tp_finalize = _PyGen_Finalize,
};

PyTypeObject PyCoro_Type = {
    .ob_base = type_head(),
    .tp_name = "coroutine",
    .tp_basicsize = kGeneratorBasicSize,
    .tp_itemsize = sizeof(PyObject*),
    .tp_dealloc = reinterpret_cast<destructor>(generator_dealloc),
    .tp_as_async = &coroutine_as_async,
    .tp_repr = slot<coroutine_repr>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = reinterpret_cast<traverseproc>(generator_traverse),
    .tp_weaklistoffset = offsetof(PyCoroObject, cr_weakreflist),
    .tp_methods = coroutine_methods,
    .tp_members = coroutine_members,
    .tp_getset = coroutine_getset,
    .tp_finalize = _PyGen_Finalize,
};

PyTypeObject _PyCoroWrapper_Type = {
    .ob_base = type_head(),
    .tp_name = "coroutine_wrapper",
    .tp_basicsize = sizeof(CoroutineWrapper),
    .tp_dealloc = reinterpret_cast<destructor>(wrapper_dealloc),
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Drives a coroutine through the iterator protocol.",
    .tp_traverse = reinterpret_cast<traverseproc>(wrapper_traverse),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = wrapper_iternext,
    .tp_methods = wrapper_methods,
};

PyObject* _PyGen_yf(PyGenObject* generator) {
  if (generator->gi_frame_state >= FRAME_CLEARED || generator->gi_frame_state == FRAME_CREATED) return nullptr;
  _PyInterpreterFrame* frame = generator_frame(generator);
  // Delegating generators wait before a RESUME of the `yield from` or `await` kind, the delegate on the stack.
  _Py_CODEUNIT next = frame->prev_instr[1];
  if (_PyOpcode_Deopt[_Py_OPCODE(next)] != OP_RESUME || _Py_OPARG(next) < 2) return nullptr;
  return Py_NewRef(_PyFrame_StackPeek(frame));
}

int _PyGen_SetStopIterationValue(PyObject* value) {
  if (value == nullptr || (!PyTuple_Check(value) && !PyExceptionInstance_Check(value))) {
    PyErr_SetObject(PyExc_StopIteration, value);
    return 0;
  }
  // A tuple or an exception would be taken for constructor arguments or for the exception itself.
  PyObject* exception = PyObject_CallOneArg(PyExc_StopIteration, value);
  if (exception == nullptr) return -1;
  PyErr_SetObject(PyExc_StopIteration, exception);
  Py_DECREF(exception);
  return 0;
}

int _PyGen_FetchStopIterationValue(PyObject** result) {
  PyObject* value = nullptr;
  if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
    PyObject *type, *exception, *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    if (exception != nullptr) {
      bool is_instance = PyObject_TypeCheck(exception, reinterpret_cast<PyTypeObject*>(type));
      if (!is_instance && type == PyExc_StopIteration && !PyTuple_Check(exception)) {
        value = Py_NewRef(exception);  // not normalised: this is the value itself
      } else {
        if (!is_instance) {
          PyErr_NormalizeException(&type, &exception, &traceback);
          if (!PyObject_TypeCheck(exception, reinterpret_cast<PyTypeObject*>(PyExc_StopIteration))) {
            PyErr_Restore(type, exception, traceback);
            return -1;
          }
        }
        value = Py_XNewRef(reinterpret_cast<PyStopIterationObject*>(exception)->value);
      }
    }
    Py_XDECREF(type);
    Py_XDECREF(exception);
    Py_XDECREF(traceback);
  } else if (PyErr_Occurred()) {
    return -1;
  }
  *result = value != nullptr ? value : Py_NewRef(Py_None);
  return 0;
}

void _PyGen_Finalize(PyObject* self) {
  auto* generator = reinterpret_cast<PyGenObject*>(self);
  if (generator->gi_frame_state >= FRAME_COMPLETED) return;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyObject* result = nullptr;
  PyObject* finalizer =
      PyAsyncGen_CheckExact(self) && !generator->gi_closed ? generator->gi_origin_or_finalizer : nullptr;
  if (finalizer != nullptr) {
    result = PyObject_CallOneArg(finalizer, self);
  } else if (generator->gi_code != nullptr && (generator->gi_code->co_flags & CO_COROUTINE) &&
             generator->gi_frame_state == FRAME_CREATED) {
    _PyErr_WarnUnawaitedCoroutine(self);
  } else {
    result = generator_close(generator);
  }
  if (result == nullptr) {
    if (PyErr_Occurred()) PyErr_WriteUnraisable(self);
  } else {
    Py_DECREF(result);
  }
  PyErr_Restore(type, value, traceback);
}

PyObject* _PyCoro_GetAwaitableIter(PyObject* object) {
  if (PyCoro_CheckExact(object) || is_iterable_coroutine(object)) return Py_NewRef(object);
  PyTypeObject* type = Py_TYPE(object);
  if (type->tp_as_async == nullptr || type->tp_as_async->am_await == nullptr) {
    PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression", type->tp_name);
    return nullptr;
  }
  PyObject* iterator = type->tp_as_async->am_await(object);
  if (iterator == nullptr) return nullptr;
  if (PyCoro_CheckExact(iterator) || is_iterable_coroutine(iterator)) {
    PyErr_SetString(PyExc_TypeError, "__await__() returned a coroutine");
    Py_CLEAR(iterator);
  } else if (!PyIter_Check(iterator)) {
    PyErr_Format(PyExc_TypeError, "__await__() returned non-iterator of type '%.100s'", Py_TYPE(iterator)->tp_name);
    Py_CLEAR(iterator);
  }
  return iterator;
}

PyObject* _Py_MakeCoro(PyFunctionObject* func) {
  auto* code = reinterpret_cast<PyCodeObject*>(func->func_code);
  int kind = code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
  PyTypeObject* type = kind == CO_GENERATOR         ? &PyGen_Type
                       : kind == CO_ASYNC_GENERATOR ? &PyAsyncGen_Type
                                                    : &PyCoro_Type;
  PyGenObject* generator = allocate_generator(type, code, func->func_name, func->func_qualname);
  if (generator == nullptr || type != &PyCoro_Type) return as_object(generator);
  PyThreadState* tstate = _PyThreadState_GET();
  if (tstate->coroutine_origin_tracking_depth > 0) {
    // The coroutine's own frame is current but incomplete, so that it is skipped.
    PyObject* origin = origin_of_coroutine(tstate->coroutine_origin_tracking_depth, tstate->cframe->current_frame);
    generator->gi_origin_or_finalizer = origin;
    if (origin == nullptr) {
      Py_DECREF(as_object(generator));
      return nullptr;
    }
  }
  return as_object(generator);
}

PyObject* PyGen_NewWithQualName(PyFrameObject* frame, PyObject* name, PyObject* qualname) {
  return generator_from_frame(&PyGen_Type, frame, name, qualname);
}

PyObject* PyGen_New(PyFrameObject* frame) { return PyGen_NewWithQualName(frame, nullptr, nullptr); }

PyObject* PyCoro_New(PyFrameObject* frame, PyObject* name, PyObject* qualname) {
  PyObject* coroutine = generator_from_frame(&PyCoro_Type, frame, name, qualname);
  PyThreadState* tstate = _PyThreadState_GET();
  if (coroutine != nullptr && tstate->coroutine_origin_tracking_depth > 0) {
    PyObject* origin = origin_of_coroutine(tstate->coroutine_origin_tracking_depth, tstate->cframe->current_frame);
    if (origin == nullptr) {
      Py_DECREF(coroutine);
      return nullptr;
    }
    reinterpret_cast<PyCoroObject*>(coroutine)->cr_origin_or_finalizer = origin;
  }
  return coroutine;
}

PyObject* PyAsyncGen_New(PyFrameObject* frame, PyObject* name, PyObject* qualname) {
  return generator_from_frame(&PyAsyncGen_Type, frame, name, qualname);
}
