// Calls of Python functions: frames, the binding of arguments to parameters with 3.11's error texts, and the entry
// points of the C API that evaluate code.
#include "Interpreter/eval/eval.h"
#include "Objects/callables/generator.h"
#include "internal/pycore_call.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_function.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_tuple.h"

namespace pyston {

// --- error texts --------------------------------------------------------------------------------------------------

namespace {

PyObject* parameter_name(PyCodeObject* code, Py_ssize_t index) {
  return PyTuple_GET_ITEM(code->co_localsplusnames, index);
}

/// "missing 2 required positional arguments: 'a' and 'b'". Steals `names`, a list of reprs.
void raise_missing(PyThreadState* tstate, const char* kind, PyObject* names, PyObject* qualname) {
  Py_ssize_t count = PyList_GET_SIZE(names);
  PyObject* text = nullptr;
  if (count == 1) {
    text = Py_NewRef(PyList_GET_ITEM(names, 0));
  } else if (count == 2) {
    text = PyUnicode_FromFormat("%U and %U", PyList_GET_ITEM(names, 0), PyList_GET_ITEM(names, 1));
  } else {
    // "'a', 'b', and 'c'"
    PyObject* tail = PyUnicode_FromFormat(", %U, and %U", PyList_GET_ITEM(names, count - 2),
                                          PyList_GET_ITEM(names, count - 1));
    PyObject* separator = PyUnicode_FromString(", ");
    if (tail != nullptr && separator != nullptr && PyList_SetSlice(names, count - 2, count, nullptr) == 0) {
      PyObject* head = PyUnicode_Join(separator, names);
      if (head != nullptr) text = PyUnicode_Concat(head, tail);
      Py_XDECREF(head);
    }
    Py_XDECREF(separator);
    Py_XDECREF(tail);
  }
  if (text != nullptr) {
    _PyErr_Format(tstate, PyExc_TypeError, "%U() missing %i required %s argument%s: %U", qualname,
                  static_cast<int>(count), kind, count == 1 ? "" : "s", text);
    Py_DECREF(text);
  }
  Py_DECREF(names);
}

COLD void raise_missing_parameters(PyThreadState* tstate, PyFunctionObject* func, PyCodeObject* code,
                                   PyObject** locals, Py_ssize_t start, Py_ssize_t end, const char* kind) {
  PyObject* names = PyList_New(0);
  if (names == nullptr) return;
  for (Py_ssize_t i = start; i < end; i++) {
    if (locals[i] != nullptr) continue;
    PyObject* name = PyObject_Repr(parameter_name(code, i));
    if (name == nullptr || PyList_Append(names, name) < 0) {
      Py_XDECREF(name);
      Py_DECREF(names);
      return;
    }
    Py_DECREF(name);
  }
  raise_missing(tstate, kind, names, func->func_qualname);
}

COLD void raise_too_many_positional(PyThreadState* tstate, PyFunctionObject* func, PyCodeObject* code, Py_ssize_t given,
                                    PyObject** locals) {
  Py_ssize_t accepted = code->co_argcount;
  Py_ssize_t keyword_only_given = 0;
  for (Py_ssize_t i = accepted; i < accepted + code->co_kwonlyargcount; i++) keyword_only_given += locals[i] != nullptr;
  Py_ssize_t defaults = func->func_defaults == nullptr ? 0 : PyTuple_GET_SIZE(func->func_defaults);
  PyObject* signature;
  bool plural;
  if (defaults > 0) {
    plural = true;
    signature = PyUnicode_FromFormat("from %zd to %zd", accepted - defaults, accepted);
  } else {
    plural = accepted != 1;
    signature = PyUnicode_FromFormat("%zd", accepted);
  }
  if (signature == nullptr) return;
  PyObject* keyword_note =
      keyword_only_given > 0
          ? PyUnicode_FromFormat(" positional argument%s (and %zd keyword-only argument%s)", given != 1 ? "s" : "",
                                 keyword_only_given, keyword_only_given != 1 ? "s" : "")
          : PyUnicode_FromString("");
  if (keyword_note != nullptr) {
    _PyErr_Format(tstate, PyExc_TypeError, "%U() takes %U positional argument%s but %zd%U %s given",
                  func->func_qualname, signature, plural ? "s" : "", given, keyword_note,
                  given == 1 && keyword_only_given == 0 ? "was" : "were");
    Py_DECREF(keyword_note);
  }
  Py_DECREF(signature);
}

/// Keywords that name positional-only parameters: reports them all and returns true.
COLD bool raise_positional_only_as_keyword(PyThreadState* tstate, PyCodeObject* code, PyObject* kwnames,
                                           PyObject* qualname) {
  PyObject* names = PyList_New(0);
  if (names == nullptr) return true;
  bool failed = false;
  for (Py_ssize_t i = 0; i < code->co_posonlyargcount && !failed; i++) {
    PyObject* name = parameter_name(code, i);
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(kwnames) && !failed; k++) {
      int equal = PyObject_RichCompareBool(name, PyTuple_GET_ITEM(kwnames, k), Py_EQ);
      failed = equal < 0 || (equal > 0 && PyList_Append(names, PyTuple_GET_ITEM(kwnames, k)) < 0);
    }
  }
  if (!failed && PyList_GET_SIZE(names) == 0) {
    Py_DECREF(names);
    return false;
  }
  if (!failed) {
    PyObject* separator = PyUnicode_FromString(", ");
    PyObject* joined = separator == nullptr ? nullptr : PyUnicode_Join(separator, names);
    if (joined != nullptr) {
      _PyErr_Format(tstate, PyExc_TypeError,
                    "%U() got some positional-only arguments passed as keyword arguments: '%U'", qualname, joined);
      Py_DECREF(joined);
    }
    Py_XDECREF(separator);
  }
  Py_DECREF(names);
  return true;
}

// --- binding ------------------------------------------------------------------------------------------------------

/// Index of the parameter called `keyword`, -1 when there is none, -2 on an error. Names are interned: pointers first.
Py_ssize_t find_parameter(PyCodeObject* code, PyObject* keyword) {
  Py_ssize_t total = code->co_argcount + code->co_kwonlyargcount;
  PyObject** names = &PyTuple_GET_ITEM(code->co_localsplusnames, 0);
  for (Py_ssize_t i = code->co_posonlyargcount; i < total; i++) {
    if (names[i] == keyword) return i;
  }
  for (Py_ssize_t i = code->co_posonlyargcount; i < total; i++) {
    int equal = PyObject_RichCompareBool(keyword, names[i], Py_EQ);
    if (equal > 0) return i;
    if (equal < 0) return -2;
  }
  return -1;
}

/// Puts one keyword argument (stolen) in its place.
bool bind_keyword(PyThreadState* tstate, PyFunctionObject* func, PyCodeObject* code, PyObject** locals, PyObject* kwdict,
                  PyObject* keyword, PyObject* value, PyObject* kwnames) {
  if (UNLIKELY(keyword == nullptr || !PyUnicode_Check(keyword))) {
    _PyErr_Format(tstate, PyExc_TypeError, "%U() keywords must be strings", func->func_qualname);
    Py_DECREF(value);
    return false;
  }
  Py_ssize_t index = find_parameter(code, keyword);
  if (LIKELY(index >= 0)) {
    if (UNLIKELY(locals[index] != nullptr)) {
      _PyErr_Format(tstate, PyExc_TypeError, "%U() got multiple values for argument '%S'", func->func_qualname,
                    keyword);
      Py_DECREF(value);
      return false;
    }
    locals[index] = value;
    return true;
  }
  bool done = false;
  if (index == -1) {
    if (kwdict != nullptr) {
      done = PyDict_SetItem(kwdict, keyword, value) == 0;
    } else if (code->co_posonlyargcount == 0 ||
               !raise_positional_only_as_keyword(tstate, code, kwnames, func->func_qualname)) {
      _PyErr_Format(tstate, PyExc_TypeError, "%U() got an unexpected keyword argument '%S'", func->func_qualname,
                    keyword);
    }
  }
  Py_DECREF(value);
  return done;
}

/// Fills parameters that got no argument from the defaults.
bool bind_defaults(PyThreadState* tstate, PyFunctionObject* func, PyCodeObject* code, PyObject** locals,
                   Py_ssize_t given) {
  Py_ssize_t accepted = code->co_argcount;
  if (given < accepted) {
    Py_ssize_t defaults = func->func_defaults == nullptr ? 0 : PyTuple_GET_SIZE(func->func_defaults);
    Py_ssize_t first_default = accepted - defaults;
    for (Py_ssize_t i = given; i < first_default; i++) {
      if (UNLIKELY(locals[i] == nullptr)) {
        raise_missing_parameters(tstate, func, code, locals, 0, first_default, "positional");
        return false;
      }
    }
    for (Py_ssize_t i = given > first_default ? given - first_default : 0; i < defaults; i++) {
      if (locals[first_default + i] == nullptr) {
        locals[first_default + i] = Py_NewRef(PyTuple_GET_ITEM(func->func_defaults, i));
      }
    }
  }
  if (code->co_kwonlyargcount == 0) return true;
  bool missing = false;
  for (Py_ssize_t i = accepted; i < accepted + code->co_kwonlyargcount; i++) {
    if (locals[i] != nullptr) continue;
    PyObject* value = nullptr;
    if (func->func_kwdefaults != nullptr) {
      value = PyDict_GetItemWithError(func->func_kwdefaults, parameter_name(code, i));
      if (value == nullptr && _PyErr_Occurred(tstate)) return false;
    }
    missing |= value == nullptr;
    locals[i] = Py_XNewRef(value);
  }
  if (UNLIKELY(missing)) {
    raise_missing_parameters(tstate, func, code, locals, accepted, accepted + code->co_kwonlyargcount,
                             "keyword-only");
    return false;
  }
  return true;
}

/// Spreads arguments over the parameters of `func` in `locals`, which is all null. Steals every argument, on failure too.
bool bind_arguments_to_locals(PyThreadState* tstate, PyFunctionObject* func, PyObject** locals,
                              PyObject* const* args, Py_ssize_t argument_count, PyObject* kwnames) {
  auto* code = reinterpret_cast<PyCodeObject*>(func->func_code);
  Py_ssize_t keyword_count = kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames);
  Py_ssize_t accepted = code->co_argcount;
  Py_ssize_t parameters = accepted + code->co_kwonlyargcount;
  PyObject* kwdict = nullptr;
  Py_ssize_t taken = 0;  // arguments of `args` that have been taken over
  bool done = false;

  if (code->co_flags & CO_VARKEYWORDS) {
    kwdict = PyDict_New();
    if (kwdict == nullptr) goto finish;
    locals[parameters + !!(code->co_flags & CO_VARARGS)] = kwdict;
  }
  for (; taken < argument_count && taken < accepted; taken++) locals[taken] = args[taken];
  if (code->co_flags & CO_VARARGS) {
    PyObject* rest;
    if (argument_count <= accepted) {
      rest = PyTuple_New(0);
    } else {
      rest = _PyTuple_FromArraySteal(args + taken, argument_count - taken);
      taken = argument_count;
    }
    if (rest == nullptr) goto finish;
    locals[parameters] = rest;
  }
  {
    // Positional arguments too many are dropped only after the keywords have been looked at: the message counts them.
    const Py_ssize_t first_keyword = argument_count;
    for (; taken < argument_count; taken++) Py_DECREF(args[taken]);
    for (Py_ssize_t i = 0; i < keyword_count; i++) {
      taken = first_keyword + i + 1;
      if (!bind_keyword(tstate, func, code, locals, kwdict, PyTuple_GET_ITEM(kwnames, i), args[first_keyword + i],
                        kwnames)) {
        goto finish;
      }
    }
  }
  if (UNLIKELY(argument_count > accepted && !(code->co_flags & CO_VARARGS))) {
    raise_too_many_positional(tstate, func, code, argument_count, locals);
    goto finish;
  }
  done = bind_defaults(tstate, func, code, locals, argument_count);

finish:
  for (; taken < argument_count + keyword_count; taken++) Py_DECREF(args[taken]);
  return done;
}

}  // namespace

_PyInterpreterFrame* push_function_frame(PyThreadState* tstate, PyFunctionObject* func, PyObject* locals,
                                         PyObject* const* args, Py_ssize_t argument_count, PyObject* kwnames) {
  auto* code = reinterpret_cast<PyCodeObject*>(func->func_code);
  size_t size = code->co_nlocalsplus + code->co_stacksize + FRAME_SPECIALS_SIZE;
  _PyInterpreterFrame* frame = _PyThreadState_BumpFramePointer(tstate, size);
  if (UNLIKELY(frame == nullptr)) {
    Py_ssize_t total = argument_count + (kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames));
    for (Py_ssize_t i = 0; i < total; i++) Py_DECREF(args[i]);
    Py_DECREF(as_object(func));
    _PyErr_NoMemory(tstate);
    return nullptr;
  }
  _PyFrame_InitializeSpecials(frame, func, locals, code->co_nlocalsplus);
  PyObject** slots = frame->localsplus;
  // FAST: exactly the positional parameters, nothing else to bind.
  if (LIKELY(kwnames == nullptr && argument_count == code->co_argcount && code->co_kwonlyargcount == 0 &&
             (code->co_flags & (CO_VARARGS | CO_VARKEYWORDS)) == 0)) {
    Py_ssize_t i = 0;
    for (; i < argument_count; i++) slots[i] = args[i];
    for (; i < code->co_nlocalsplus; i++) slots[i] = nullptr;
    return frame;
  }
  for (int i = 0; i < code->co_nlocalsplus; i++) slots[i] = nullptr;
  if (UNLIKELY(!bind_arguments_to_locals(tstate, func, slots, args, argument_count, kwnames))) {
    clear_and_pop_frame(tstate, frame);
    return nullptr;
  }
  return frame;
}

_PyInterpreterFrame* push_function_frame_ex(PyThreadState* tstate, PyFunctionObject* func, PyObject* locals,
                                            PyObject* args, PyObject* kwargs) {
  Py_ssize_t positional = PyTuple_GET_SIZE(args);
  Py_ssize_t keywords = kwargs == nullptr ? 0 : PyDict_GET_SIZE(kwargs);
  PyObject* small[8];
  PyObject** vector = small;
  PyObject* kwnames = nullptr;
  if (positional + keywords > 8) {
    vector = static_cast<PyObject**>(PyMem_Malloc((positional + keywords) * sizeof(PyObject*)));
    if (vector == nullptr) {
      Py_DECREF(as_object(func));
      PyErr_NoMemory();
      return nullptr;
    }
  }
  if (keywords > 0) {
    kwnames = PyTuple_New(keywords);
    if (kwnames == nullptr) {
      if (vector != small) PyMem_Free(vector);
      Py_DECREF(as_object(func));
      return nullptr;
    }
    PyObject *key, *value;
    Py_ssize_t at = 0;
    bool all_strings = true;
    while (PyDict_Next(kwargs, &at, &key, &value)) all_strings &= PyUnicode_Check(key) != 0;
    if (UNLIKELY(!all_strings)) {
      _PyErr_SetString(tstate, PyExc_TypeError, "keywords must be strings");
      Py_DECREF(kwnames);
      if (vector != small) PyMem_Free(vector);
      Py_DECREF(as_object(func));
      return nullptr;
    }
    at = 0;
    for (Py_ssize_t i = 0; PyDict_Next(kwargs, &at, &key, &value); i++) {
      PyTuple_SET_ITEM(kwnames, i, Py_NewRef(key));
      vector[positional + i] = Py_NewRef(value);
    }
  }
  for (Py_ssize_t i = 0; i < positional; i++) vector[i] = Py_NewRef(PyTuple_GET_ITEM(args, i));
  _PyInterpreterFrame* frame = push_function_frame(tstate, func, locals, vector, positional, kwnames);
  Py_XDECREF(kwnames);
  if (vector != small) PyMem_Free(vector);
  return frame;
}

void clear_and_pop_frame(PyThreadState* tstate, _PyInterpreterFrame* frame) {
  // Destructors that run here are one level deeper than the frame itself.
  tstate->recursion_remaining--;
  _PyFrame_Clear(frame);
  tstate->recursion_remaining++;
  _PyThreadState_PopFrame(tstate, frame);
}

void format_kwargs_error(PyThreadState* tstate, PyObject* func, PyObject* kwargs) {
  if (_PyErr_ExceptionMatches(tstate, PyExc_AttributeError)) {
    // kwargs has no keys(): it is no mapping.
    _PyErr_Clear(tstate);
    PyObject* name = _PyObject_FunctionStr(func);
    if (name == nullptr) return;
    _PyErr_Format(tstate, PyExc_TypeError, "%U argument after ** must be a mapping, not %.200s", name,
                  Py_TYPE(kwargs)->tp_name);
    Py_DECREF(name);
    return;
  }
  if (!_PyErr_ExceptionMatches(tstate, PyExc_KeyError)) return;
  PyObject *type, *value, *traceback;
  _PyErr_Fetch(tstate, &type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  PyObject* arguments = value == nullptr ? nullptr : reinterpret_cast<PyBaseExceptionObject*>(value)->args;
  if (arguments == nullptr || PyTuple_GET_SIZE(arguments) != 1) {
    _PyErr_Restore(tstate, type, value, traceback);
    return;
  }
  _PyErr_Clear(tstate);
  PyObject* name = _PyObject_FunctionStr(func);
  if (name != nullptr) {
    PyObject* key = PyTuple_GET_ITEM(arguments, 0);
    _PyErr_Format(tstate, PyExc_TypeError, "%U got multiple values for keyword argument '%S'", name, key);
    Py_DECREF(name);
  }
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
}

int check_args_iterable(PyThreadState* tstate, PyObject* func, PyObject* args) {
  if (Py_TYPE(args)->tp_iter != nullptr || PySequence_Check(args)) return 0;
  // _PyObject_FunctionStr must run without an exception set; none is.
  PyObject* name = _PyObject_FunctionStr(func);
  if (name != nullptr) {
    _PyErr_Format(tstate, PyExc_TypeError, "%U argument after * must be an iterable, not %.200s", name,
                  Py_TYPE(args)->tp_name);
    Py_DECREF(name);
  }
  return -1;
}

}  // namespace pyston

using namespace pyston;

// --- entry points -------------------------------------------------------------------------------------------------

PyObject* _PyEval_Vector(PyThreadState* tstate, PyFunctionObject* func, PyObject* locals, PyObject* const* args,
                         size_t argcount, PyObject* kwnames) {
  // The frame takes over references: give it its own.
  Py_INCREF(as_object(func));
  size_t total = argcount + (kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames));
  for (size_t i = 0; i < total; i++) Py_INCREF(args[i]);
  _PyInterpreterFrame* frame = push_function_frame(tstate, func, locals, args, argcount, kwnames);
  if (UNLIKELY(frame == nullptr)) return nullptr;
  PyObject* result = _PyEval_EvalFrame(tstate, frame, 0);
  clear_and_pop_frame(tstate, frame);
  return result;
}

PyObject* _PyFunction_Vectorcall(PyObject* func, PyObject* const* stack, size_t nargsf, PyObject* kwnames) {
  auto* function = reinterpret_cast<PyFunctionObject*>(func);
  PyThreadState* tstate = _PyThreadState_GET();
  auto* code = reinterpret_cast<PyCodeObject*>(function->func_code);
  PyObject* locals = code->co_flags & CO_OPTIMIZED ? nullptr : function->func_globals;
  return _PyEval_Vector(tstate, function, locals, stack, PyVectorcall_NARGS(nargsf), kwnames);
}

PyObject* PyEval_EvalCode(PyObject* code, PyObject* globals, PyObject* locals) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (locals == nullptr) locals = globals;
  PyObject* builtins = _PyEval_BuiltinsFromGlobals(tstate, globals);  // borrowed
  if (builtins == nullptr) return nullptr;
  auto* code_object = reinterpret_cast<PyCodeObject*>(code);
  PyFrameConstructor description = {
      .fc_globals = globals,
      .fc_builtins = builtins,
      .fc_name = code_object->co_name,
      .fc_qualname = code_object->co_name,
      .fc_code = code,
      .fc_defaults = nullptr,
      .fc_kwdefaults = nullptr,
      .fc_closure = nullptr,
  };
  PyFunctionObject* func = _PyFunction_FromConstructor(&description);
  if (func == nullptr) return nullptr;
  PyObject* result = _PyEval_Vector(tstate, func, locals, nullptr, 0, nullptr);
  Py_DECREF(as_object(func));
  return result;
}

PyObject* PyEval_EvalCodeEx(PyObject* code, PyObject* globals, PyObject* locals, PyObject* const* args, int argcount,
                            PyObject* const* kwargs, int kwcount, PyObject* const* defs, int defcount, PyObject* kwdefs,
                            PyObject* closure) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject* builtins = _PyEval_BuiltinsFromGlobals(tstate, globals);
  if (builtins == nullptr) return nullptr;
  PyObject* defaults = _PyTuple_FromArray(defs, defcount);
  if (defaults == nullptr) return nullptr;
  auto* code_object = reinterpret_cast<PyCodeObject*>(code);
  if (locals == nullptr) locals = globals;
  PyObject* result = nullptr;
  PyObject* kwnames = nullptr;
  PyObject** vector = nullptr;
  PyFunctionObject* func = nullptr;
  PyFrameConstructor description = {
      .fc_globals = globals,
      .fc_builtins = builtins,
      .fc_name = code_object->co_name,
      .fc_qualname = code_object->co_name,
      .fc_code = code,
      .fc_defaults = defaults,
      .fc_kwdefaults = kwdefs,
      .fc_closure = closure,
  };
  if (kwcount > 0) {
    kwnames = PyTuple_New(kwcount);
    vector = static_cast<PyObject**>(PyMem_Malloc((argcount + kwcount) * sizeof(PyObject*)));
    if (kwnames == nullptr || vector == nullptr) {
      if (kwnames != nullptr) PyErr_NoMemory();
      goto finish;
    }
    for (int i = 0; i < argcount; i++) vector[i] = args[i];
    for (int i = 0; i < kwcount; i++) {
      PyTuple_SET_ITEM(kwnames, i, Py_NewRef(kwargs[2 * i]));
      vector[argcount + i] = kwargs[2 * i + 1];
    }
    args = vector;
  }
  func = _PyFunction_FromConstructor(&description);
  if (func == nullptr) goto finish;
  result = _PyEval_Vector(tstate, func, locals, args, argcount, kwnames);
finish:
  Py_XDECREF(as_object(func));
  Py_XDECREF(kwnames);
  PyMem_Free(vector);
  Py_DECREF(defaults);
  return result;
}

PyObject* PyEval_EvalFrame(PyFrameObject* frame) {
  return _PyEval_EvalFrame(_PyThreadState_GET(), frame->f_frame, 0);
}

PyObject* PyEval_EvalFrameEx(PyFrameObject* frame, int throwflag) {
  return _PyEval_EvalFrame(_PyThreadState_GET(), frame->f_frame, throwflag);
}

_PyInterpreterFrame* _PyFrame_Push(PyThreadState* tstate, PyFunctionObject* func) {
  auto* code = reinterpret_cast<PyCodeObject*>(func->func_code);
  size_t size = code->co_nlocalsplus + code->co_stacksize + FRAME_SPECIALS_SIZE;
  _PyInterpreterFrame* frame = _PyThreadState_BumpFramePointer(tstate, size);
  if (frame == nullptr) {
    Py_DECREF(as_object(func));
    return nullptr;
  }
  _PyFrame_InitializeSpecials(frame, func, nullptr, code->co_nlocalsplus);
  for (int i = 0; i < code->co_nlocalsplus; i++) frame->localsplus[i] = nullptr;
  return frame;
}
