// Out-of-line parts of the interpreter that micro-ops and other C++ code call. Raw pointers: new references are
// returned, arguments are borrowed unless a line says "steals". Null or -1: an exception is set.
#pragma once

#include "Interpreter/bytecode/opcodes.h"
#include "Runtime/refs/ref.h"
#include "internal/pycore_pyerrors.h"

namespace pyston {

// --- frames and calls (calls.cpp) ---------------------------------------------------------------------------------

/// Pushes a frame for `func` with bound arguments. Steals func and every argument (on failure too); locals is borrowed.
_PyInterpreterFrame* push_function_frame(PyThreadState* tstate, PyFunctionObject* func, PyObject* locals,
                                         PyObject* const* args, Py_ssize_t argument_count, PyObject* kwnames);
/// The same from a tuple and a dict (may be null); borrows them, steals func.
_PyInterpreterFrame* push_function_frame_ex(PyThreadState* tstate, PyFunctionObject* func, PyObject* locals,
                                            PyObject* args, PyObject* kwargs);
/// Clears a finished frame and pops it from the data stack (or, for a generator's frame, ends the generator).
void clear_and_pop_frame(PyThreadState* tstate, _PyInterpreterFrame* frame);
/// "f(**kwargs)" failed in DICT_MERGE: turns the pending error into CPython's message about the call.
void format_kwargs_error(PyThreadState* tstate, PyObject* func, PyObject* kwargs);
/// "f(*args)" with something that is no iterable: TypeError, -1.
int check_args_iterable(PyThreadState* tstate, PyObject* func, PyObject* args);

// --- exceptions (unwind.cpp) --------------------------------------------------------------------------------------

/// Finds the handler of the code unit at `offset`. Sets the stack depth and whether the raising offset is pushed.
bool find_exception_handler(PyCodeObject* code, int offset, int* level, int* handler, int* push_lasti);
/// `raise exc from cause`; steals both, each may be null. Always sets an exception; true: a plain `raise` re-raised.
bool do_raise(PyThreadState* tstate, PyObject* exc, PyObject* cause);
int check_except_type_valid(PyThreadState* tstate, PyObject* right);
int check_except_star_type_valid(PyThreadState* tstate, PyObject* right);
/// Splits `exc_value` for `except* match_type`: *match (null or None: no match) and *rest, new references.
int exception_group_match(PyObject* exc_value, PyObject* match_type, PyObject** match, PyObject** rest);
void raise_name_error(PyThreadState* tstate, PyObject* exception, const char* format, PyObject* name);
void raise_unbound_local(PyThreadState* tstate, PyCodeObject* code, int index);
void raise_unbound_deref(PyThreadState* tstate, PyCodeObject* code, int index);

// --- names, imports, unpacking, patterns (names.cpp, imports.cpp, unpack.cpp) --------------------------

PyObject* load_name(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name);
PyObject* load_global(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name);
PyObject* load_class_deref(PyThreadState* tstate, _PyInterpreterFrame* frame, int index);
PyObject* load_build_class(PyThreadState* tstate, _PyInterpreterFrame* frame);
int store_name(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name, PyObject* value);
int delete_name(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name);
int delete_global(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name);
int setup_annotations(PyThreadState* tstate, _PyInterpreterFrame* frame);
int print_expression(PyThreadState* tstate, PyObject* value);
PyObject* import_name(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* name, PyObject* fromlist,
                      PyObject* level);
PyObject* import_from(PyThreadState* tstate, PyObject* module, PyObject* name);
int import_star(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* module);
/// Stores `count` items (and, when `after` >= 0, a list and `after` more) downwards from `top`: top[-1] is the first.
bool unpack_iterable(PyThreadState* tstate, PyObject* iterable, int count, int after, PyObject** top);
int list_extend(PyThreadState* tstate, PyObject* list, PyObject* iterable);
int dict_update(PyThreadState* tstate, PyObject* dict, PyObject* update);
PyObject* match_class(PyThreadState* tstate, PyObject* subject, PyObject* type, Py_ssize_t count, PyObject* names);
PyObject* match_keys(PyThreadState* tstate, PyObject* subject, PyObject* keys);
/// __enter__ and __exit__ (or the asynchronous pair) of a context manager: new references in *enter and *exit.
int lookup_context_manager(PyThreadState* tstate, PyObject* manager, bool async, PyObject** enter, PyObject** exit);
PyObject* format_value(PyObject* value, PyObject* spec, int conversion);
PyObject* make_function(_PyInterpreterFrame* frame, PyObject* code);

// --- asynchronous protocols (async_protocol.cpp) ------------------------------------------------------------------

PyObject* get_aiter(PyThreadState* tstate, PyObject* iterable);
PyObject* get_anext(PyThreadState* tstate, PyObject* iterator);
PyObject* get_awaitable(PyThreadState* tstate, PyObject* iterable, int where);
PyObject* get_yield_from_iter(PyThreadState* tstate, PyCodeObject* code, PyObject* iterable);

// --- tracing (tracing.cpp) ----------------------------------------------------------------------------------------

/// Line (and opcode) event before the instruction at frame->prev_instr; may move frame->prev_instr. -1: exception.
int trace_line(PyThreadState* tstate, _PyInterpreterFrame* frame, int previous_offset);
int trace_function_entry(PyThreadState* tstate, _PyInterpreterFrame* frame);
int trace_function_exit(PyThreadState* tstate, _PyInterpreterFrame* frame, PyObject* value);
void trace_function_unwind(PyThreadState* tstate, _PyInterpreterFrame* frame);
void trace_exception(PyThreadState* tstate, _PyInterpreterFrame* frame);
int trace_opcode(PyThreadState* tstate, _PyInterpreterFrame* frame);
/// Vectorcall with c_call/c_return/c_exception profile events when the callable is a C function.
PyObject* traced_vectorcall(PyThreadState* tstate, PyObject* callable, PyObject* const* args, size_t nargsf,
                            PyObject* kwnames);
PyObject* traced_call_ex(PyThreadState* tstate, PyObject* callable, PyObject* args, PyObject* kwargs);
/// Makes every dispatch go through the tracing handlers, or not (handlers.cpp).
void set_tracing_dispatch(bool on);

// --- eval breaker (gil.cpp) ---------------------------------------------------------------------------------------

/// Signals, pending calls, a request for the GIL, an asynchronous exception. -1: an exception is set.
int handle_pending(PyThreadState* tstate);

}  // namespace pyston
