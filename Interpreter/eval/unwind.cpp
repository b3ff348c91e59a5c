// Raising, matching and unwinding of exceptions. Trying costs nothing: handlers are found in the code object's
// exception table, after the fact.
#include "Interpreter/eval/unwind.h"

#include "Interpreter/eval/eval.h"
#include "Objects/callables/generator.h"
#include "internal/pycore_call.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_runtime.h"

namespace pyston {

// --- the exception table ------------------------------------------------------------------------------------------
//
// A sorted sequence of entries (start, length, target, depth * 2 + lasti), each number a big-endian varint of six-bit
// groups. Bit 7 marks the first byte of an entry, so that a search can start in the middle; bit 6 says that more groups follow.

namespace {

constexpr uint8_t kEntryStart = 0x80;
constexpr uint8_t kMoreGroups = 0x40;
constexpr uint8_t kGroupMask = 0x3f;

const uint8_t* read_number(const uint8_t* at, int& value) {
  unsigned result = *at & kGroupMask;
  while (*at & kMoreGroups) {
    at++;
    result = (result << 6) | (*at & kGroupMask);
  }
  value = static_cast<int>(result);
  return at + 1;
}

/// The first entry start at or before `at`.
const uint8_t* back_to_entry(const uint8_t* at) {
  while ((*at & kEntryStart) == 0) at--;
  return at;
}

const uint8_t* next_entry(const uint8_t* at, const uint8_t* end) {
  at++;
  while (at < end && (*at & kEntryStart) == 0) at++;
  return at;
}

}  // namespace

bool find_exception_handler(PyCodeObject* code, int offset, int* level, int* handler, int* push_lasti) {
  auto* low = reinterpret_cast<const uint8_t*>(PyBytes_AS_STRING(code->co_exceptiontable));
  const uint8_t* end = low + PyBytes_GET_SIZE(code->co_exceptiontable);
  if (low == end) return false;
  const uint8_t* high = end;
  int start = 0;
  // Narrow [low, high) until a few entries are left: the wanted one starts at or after low.
  while (high - low > 32) {
    const uint8_t* middle = back_to_entry(low + (high - low) / 2);
    if (middle == low) break;
    read_number(middle, start);
    if (start > offset) {
      high = middle;
    } else {
      low = middle;
    }
  }
  for (const uint8_t* entry = low; entry < end; entry = next_entry(entry, end)) {
    int length, depth_and_lasti;
    const uint8_t* at = read_number(entry, start);
    if (start > offset) return false;
    at = read_number(at, length);
    if (offset >= start + length) continue;
    at = read_number(at, *handler);
    read_number(at, depth_and_lasti);
    *level = depth_and_lasti >> 1;
    *push_lasti = depth_and_lasti & 1;
    return true;
  }
  return false;
}

// --- unwinding ----------------------------------------------------------------------------------------------------

namespace {

void drop_stack_to(UnwindPoint& point, PyObject** target) {
  while (point.stack_pointer > target) Py_XDECREF(*--point.stack_pointer);
}

/// Moves to the handler in point.frame, if there is one: [lasti] exception value are pushed.
bool enter_handler(PyThreadState* tstate, UnwindPoint& point) {
  _PyInterpreterFrame* frame = point.frame;
  PyCodeObject* code = frame->f_code;
  int offset = static_cast<int>(point.next_instr - _PyCode_CODE(code)) - 1;
  int level, handler, push_lasti;
  if (!find_exception_handler(code, offset, &level, &handler, &push_lasti)) return false;
  drop_stack_to(point, _PyFrame_Stackbase(frame) + level);
  if (push_lasti) {
    PyObject* lasti = PyLong_FromLong(_PyInterpreterFrame_LASTI(frame));
    if (lasti == nullptr) return false;
    *point.stack_pointer++ = lasti;
  }
  PyObject *type, *value, *traceback;
  _PyErr_Fetch(tstate, &type, &value, &traceback);
  _PyErr_NormalizeException(tstate, &type, &value, &traceback);
  PyException_SetTraceback(value, traceback != nullptr ? traceback : Py_None);
  Py_XDECREF(traceback);
  Py_XDECREF(type);
  *point.stack_pointer++ = value;
  point.next_instr = _PyCode_CODE(code) + handler;
  return true;
}

}  // namespace

bool leave_frame_with_error(PyThreadState* tstate, UnwindPoint& point) {
  _PyInterpreterFrame* frame = point.frame;
  drop_stack_to(point, _PyFrame_Stackbase(frame));
  _PyFrame_SetStackPointer(frame, point.stack_pointer);
  _Py_LeaveRecursiveCallTstate(tstate);
  if (frame_entry_kind(frame) == 1) return false;
  _PyInterpreterFrame* caller = frame->previous;
  if (frame->owner == FRAME_OWNED_BY_GENERATOR) {
    PyGenObject* generator = _PyFrame_GetGenerator(frame);
    generator_convert_stop(tstate, generator);
    generator_finish(tstate, generator);
    tstate->cframe->current_frame = caller;
  } else {
    tstate->cframe->current_frame = caller;
    clear_and_pop_frame(tstate, frame);
  }
  point.frame = caller;
  point.next_instr = caller->prev_instr + 1;
  point.stack_pointer = _PyFrame_GetStackPointer(caller);
  caller->stacktop = -1;
  return true;
}

bool unwind_exception(PyThreadState* tstate, UnwindPoint& point, bool add_traceback) {
  while (true) {
    if (add_traceback) {
      if (_PyErr_Occurred(tstate) == nullptr) {
        _PyErr_SetString(tstate, PyExc_SystemError, "error return without exception set");
      }
      if (!_PyFrame_IsIncomplete(point.frame)) {
        PyFrameObject* object = _PyFrame_GetFrameObject(point.frame);
        if (object != nullptr) PyTraceBack_Here(object);
      }
      if (tstate->c_tracefunc != nullptr) trace_exception(tstate, point.frame);
    }
    if (enter_handler(tstate, point)) return true;
    drop_stack_to(point, _PyFrame_Stackbase(point.frame));
    point.frame->stacktop = point.frame->f_code->co_nlocalsplus;
    trace_function_unwind(tstate, point.frame);
    if (!leave_frame_with_error(tstate, point)) return false;
    add_traceback = true;
  }
}

// --- raise --------------------------------------------------------------------------------------------------------

namespace {

/// An instance of the class `type` (stolen), or null with an exception.
PyObject* instantiate_exception(PyThreadState* tstate, PyObject* type, PyObject** instance_type) {
  PyObject* value = _PyObject_CallNoArgs(type);
  if (value != nullptr && !PyExceptionInstance_Check(value)) {
    _PyErr_Format(tstate, PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %R", type,
                  Py_TYPE(value));
    Py_CLEAR(value);
  }
  if (value == nullptr) {
    Py_DECREF(type);
    return nullptr;
  }
  *instance_type = type;
  return value;
}

bool reraise_current(PyThreadState* tstate) {
  PyObject* value = _PyErr_GetTopmostException(tstate)->exc_value;
  if (value == nullptr || value == Py_None) {
    _PyErr_SetString(tstate, PyExc_RuntimeError, "No active exception to reraise");
    return false;
  }
  _PyErr_Restore(tstate, Py_NewRef(as_object(Py_TYPE(value))), Py_NewRef(value), PyException_GetTraceback(value));
  return true;
}

/// Sets value.__cause__ from the expression behind `from` (stolen). False: TypeError is set.
bool attach_cause(PyThreadState* tstate, PyObject* value, PyObject* cause) {
  PyObject* fixed;
  if (PyExceptionClass_Check(cause)) {
    fixed = _PyObject_CallNoArgs(cause);
    if (fixed == nullptr) {
      Py_DECREF(cause);
      return false;
    }
    Py_DECREF(cause);
    if (!PyExceptionInstance_Check(fixed)) {
      // PyException_SetCause wants an exception; 3.11 does not look here. Refuse rather than corrupt.
      Py_DECREF(fixed);
      _PyErr_SetString(tstate, PyExc_TypeError, "exception causes must derive from BaseException");
      return false;
    }
  } else if (PyExceptionInstance_Check(cause)) {
    fixed = cause;
  } else if (cause == Py_None) {
    Py_DECREF(cause);
    fixed = nullptr;
  } else {
    Py_DECREF(cause);
    _PyErr_SetString(tstate, PyExc_TypeError, "exception causes must derive from BaseException");
    return false;
  }
  PyException_SetCause(value, fixed);
  return true;
}

}  // namespace

bool do_raise(PyThreadState* tstate, PyObject* exc, PyObject* cause) {
  if (exc == nullptr) return reraise_current(tstate);
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  if (PyExceptionClass_Check(exc)) {
    value = instantiate_exception(tstate, exc, &type);
    if (value == nullptr) {
      Py_XDECREF(cause);
      return false;
    }
  } else if (PyExceptionInstance_Check(exc)) {
    value = exc;
    type = Py_NewRef(as_object(Py_TYPE(exc)));
  } else {
    Py_DECREF(exc);
    Py_XDECREF(cause);
    _PyErr_SetString(tstate, PyExc_TypeError, "exceptions must derive from BaseException");
    return false;
  }
  if (cause == nullptr || attach_cause(tstate, value, cause)) _PyErr_SetObject(tstate, type, value);
  Py_DECREF(value);
  Py_DECREF(type);
  return false;
}

// --- except and except* -------------------------------------------------------------------------------------------

namespace {
constexpr const char* kCannotCatch = "catching classes that do not inherit from BaseException is not allowed";
constexpr const char* kCannotCatchGroup =
    "catching ExceptionGroup with except* is not allowed. Use except instead.";

/// Applies `check` to a class or to each member of a tuple of classes; -1 when one returns non-zero.
template <class Check>
int for_each_type(PyObject* types, Check check) {
  if (!PyTuple_Check(types)) return check(types);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(types); i++) {
    if (check(PyTuple_GET_ITEM(types, i)) < 0) return -1;
  }
  return 0;
}
}  // namespace

int check_except_type_valid(PyThreadState* tstate, PyObject* right) {
  return for_each_type(right, [tstate](PyObject* type) {
    if (PyExceptionClass_Check(type)) return 0;
    _PyErr_SetString(tstate, PyExc_TypeError, kCannotCatch);
    return -1;
  });
}

int check_except_star_type_valid(PyThreadState* tstate, PyObject* right) {
  if (check_except_type_valid(tstate, right) < 0) return -1;
  return for_each_type(right, [tstate](PyObject* type) {
    int is_group = PyObject_IsSubclass(type, PyExc_BaseExceptionGroup);
    if (is_group > 0) _PyErr_SetString(tstate, PyExc_TypeError, kCannotCatchGroup);
    return is_group == 0 ? 0 : -1;
  });
}

int exception_group_match(PyObject* exc_value, PyObject* match_type, PyObject** match, PyObject** rest) {
  *match = nullptr;
  *rest = nullptr;
  if (exc_value == Py_None) {
    *match = Py_NewRef(Py_None);
    *rest = Py_NewRef(Py_None);
    return 0;
  }
  if (PyErr_GivenExceptionMatches(exc_value, match_type)) {
    if (PyObject_TypeCheck(exc_value, reinterpret_cast<PyTypeObject*>(PyExc_BaseExceptionGroup))) {
      *match = Py_NewRef(exc_value);
    } else {
      // A single exception is handed to `except*` as a group of one.
      PyObject* members = PyTuple_Pack(1, exc_value);
      if (members == nullptr) return -1;
      *match = _PyExc_CreateExceptionGroup("", members);
      Py_DECREF(members);
      if (*match == nullptr) return -1;
    }
    *rest = Py_NewRef(Py_None);
    return 0;
  }
  if (PyObject_TypeCheck(exc_value, reinterpret_cast<PyTypeObject*>(PyExc_BaseExceptionGroup))) {
    PyObject* pair = PyObject_CallMethod(exc_value, "split", "(O)", match_type);
    if (pair == nullptr) return -1;
    if (!PyTuple_CheckExact(pair)) {
      PyErr_Format(PyExc_TypeError, "%.200s.split must return a tuple, not %.200s", Py_TYPE(exc_value)->tp_name,
                   Py_TYPE(pair)->tp_name);
      Py_DECREF(pair);
      return -1;
    }
    if (PyTuple_GET_SIZE(pair) < 2) {
      PyErr_Format(PyExc_TypeError, "%.200s.split must return a 2-tuple, got tuple of size %zd",
                   Py_TYPE(exc_value)->tp_name, PyTuple_GET_SIZE(pair));
      Py_DECREF(pair);
      return -1;
    }
    *match = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
    *rest = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
    Py_DECREF(pair);
    return 0;
  }
  *match = Py_NewRef(Py_None);
  *rest = Py_NewRef(Py_None);
  return 0;
}

// --- unbound names ------------------------------------------------------------------------------------------------

void raise_name_error(PyThreadState* tstate, PyObject* exception, const char* format, PyObject* name) {
  if (name == nullptr) return;
  const char* text = PyUnicode_AsUTF8(name);
  if (text == nullptr) return;
  _PyErr_Format(tstate, exception, format, text);
  if (exception != PyExc_NameError) return;
  // NameError.name is what suggestions are looked up by; failing to set it is no reason to fail.
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (PyErr_GivenExceptionMatches(value, PyExc_NameError)) {
    auto* error = reinterpret_cast<PyNameErrorObject*>(value);
    if (error->name == nullptr) (void)PyObject_SetAttr(value, &_Py_ID(name), name);
  }
  PyErr_Restore(type, value, traceback);
}

void raise_unbound_local(PyThreadState* tstate, PyCodeObject* code, int index) {
  raise_name_error(tstate, PyExc_UnboundLocalError,
                   "cannot access local variable '%s' where it is not associated with a value",
                   PyTuple_GET_ITEM(code->co_localsplusnames, index));
}

void raise_unbound_deref(PyThreadState* tstate, PyCodeObject* code, int index) {
  if (_PyErr_Occurred(tstate)) return;
  PyObject* name = PyTuple_GET_ITEM(code->co_localsplusnames, index);
  if (index < code->co_nlocalsplus - code->co_nfreevars) {
    raise_name_error(tstate, PyExc_UnboundLocalError,
                     "cannot access local variable '%s' where it is not associated with a value", name);
  } else {
    raise_name_error(tstate, PyExc_NameError,
                     "cannot access free variable '%s' where it is not associated with a value in enclosing scope",
                     name);
  }
}

}  // namespace pyston
