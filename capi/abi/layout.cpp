// Pins the layouts that compiled extensions rely on (x86-64, CPython 3.11). A failure here means that the headers we
// compile against are not the ones that extensions were compiled against.
#include "Runtime/python.h"

#include "pycore_code.h"
#include "pycore_frame.h"
#include "pycore_gc.h"
#include "pycore_interp.h"
#include "pycore_moduleobject.h"
#include "pycore_runtime.h"

#include <cstddef>

#define SIZE(type, bytes) static_assert(sizeof(type) == (bytes), #type " has another size")
#define OFFSET(type, member, bytes) static_assert(offsetof(type, member) == (bytes), #type "." #member " has moved")

SIZE(PyObject, 16);
OFFSET(PyObject, ob_refcnt, 0);
OFFSET(PyObject, ob_type, 8);
SIZE(PyVarObject, 24);
OFFSET(PyVarObject, ob_size, 16);
SIZE(PyGC_Head, 16);

SIZE(PyLongObject, 32);
OFFSET(PyLongObject, ob_digit, 24);
static_assert(PyLong_SHIFT == 30);
SIZE(PyFloatObject, 24);
SIZE(PyASCIIObject, 48);
OFFSET(PyASCIIObject, length, 16);
OFFSET(PyASCIIObject, hash, 24);
OFFSET(PyASCIIObject, state, 32);
OFFSET(PyASCIIObject, wstr, 40);
SIZE(PyCompactUnicodeObject, 72);
OFFSET(PyCompactUnicodeObject, utf8_length, 48);
OFFSET(PyCompactUnicodeObject, utf8, 56);
SIZE(PyUnicodeObject, 80);
OFFSET(PyBytesObject, ob_sval, 32);

SIZE(PyDictObject, 48);
OFFSET(PyDictObject, ma_used, 16);
OFFSET(PyDictObject, ma_version_tag, 24);
OFFSET(PyDictObject, ma_keys, 32);
OFFSET(PyDictObject, ma_values, 40);
SIZE(PyListObject, 40);
OFFSET(PyListObject, ob_item, 24);
OFFSET(PyTupleObject, ob_item, 24);
SIZE(PySetObject, 200);

SIZE(PyTypeObject, 408);
OFFSET(PyTypeObject, tp_flags, 168);
OFFSET(PyTypeObject, tp_dictoffset, 288);
OFFSET(PyTypeObject, tp_version_tag, 384);
OFFSET(PyTypeObject, tp_vectorcall, 400);
SIZE(PyHeapTypeObject, 904);
OFFSET(PyHeapTypeObject, ht_name, 848);
OFFSET(PyHeapTypeObject, ht_cached_keys, 872);
OFFSET(PyHeapTypeObject, ht_module, 880);

SIZE(PyFunctionObject, 136);
OFFSET(PyFunctionObject, vectorcall, 120);
OFFSET(PyFunctionObject, func_version, 128);
SIZE(PyCFunctionObject, 56);
SIZE(PyMethodObject, 48);
SIZE(PyMemberDescrObject, 48);
SIZE(PyModuleDef, 104);

OFFSET(PyCodeObject, co_flags, 48);
OFFSET(PyCodeObject, co_firstlineno, 72);
OFFSET(PyCodeObject, co_filename, 112);
OFFSET(PyCodeObject, co_linetable, 136);
OFFSET(PyCodeObject, co_extra, 176);
OFFSET(PyCodeObject, co_code_adaptive, 184);

SIZE(PyThreadState, 360);
OFFSET(PyThreadState, interp, 16);
OFFSET(PyThreadState, recursion_remaining, 32);
OFFSET(PyThreadState, recursion_limit, 36);
OFFSET(PyThreadState, tracing, 44);
OFFSET(PyThreadState, cframe, 56);
OFFSET(PyThreadState, c_profilefunc, 64);
OFFSET(PyThreadState, c_tracefunc, 72);
OFFSET(PyThreadState, curexc_type, 96);
OFFSET(PyThreadState, curexc_value, 104);
OFFSET(PyThreadState, curexc_traceback, 112);
OFFSET(PyThreadState, exc_info, 120);
OFFSET(PyThreadState, dict, 128);
OFFSET(PyThreadState, thread_id, 152);
OFFSET(PyThreadState, trash_delete_nesting, 168);
OFFSET(PyThreadState, context, 224);
OFFSET(PyThreadState, context_ver, 232);
OFFSET(PyThreadState, datastack_chunk, 296);
OFFSET(PyThreadState, datastack_top, 304);
OFFSET(PyThreadState, datastack_limit, 312);
OFFSET(PyThreadState, exc_state, 320);
OFFSET(PyThreadState, root_cframe, 336);
SIZE(_PyCFrame, 24);
OFFSET(_PyCFrame, use_tracing, 0);
OFFSET(_PyCFrame, current_frame, 8);
OFFSET(_PyCFrame, previous, 16);

OFFSET(_PyInterpreterFrame, f_func, 0);
OFFSET(_PyInterpreterFrame, f_globals, 8);
OFFSET(_PyInterpreterFrame, f_builtins, 16);
OFFSET(_PyInterpreterFrame, f_locals, 24);
OFFSET(_PyInterpreterFrame, f_code, 32);
OFFSET(_PyInterpreterFrame, frame_obj, 40);
OFFSET(_PyInterpreterFrame, previous, 48);
OFFSET(_PyInterpreterFrame, prev_instr, 56);
OFFSET(_PyInterpreterFrame, stacktop, 64);
OFFSET(_PyInterpreterFrame, is_entry, 68);
OFFSET(_PyInterpreterFrame, owner, 69);
OFFSET(_PyInterpreterFrame, localsplus, 72);
OFFSET(PyFrameObject, f_back, 16);
OFFSET(PyFrameObject, f_frame, 24);
OFFSET(PyFrameObject, f_trace, 32);
OFFSET(PyFrameObject, f_lineno, 40);
OFFSET(PyFrameObject, _f_frame_data, 48);
OFFSET(PyGenObject, gi_exc_state, 48);
OFFSET(PyGenObject, gi_frame_state, 75);
OFFSET(PyGenObject, gi_iframe, 80);

SIZE(_PyRuntimeState, 166688);
OFFSET(_PyRuntimeState, interpreters.head, 40);
OFFSET(_PyRuntimeState, gilstate.tstate_current, 576);
OFFSET(_PyRuntimeState, global_objects, 680);
SIZE(PyInterpreterState, 107752);
OFFSET(PyInterpreterState, threads, 8);
OFFSET(PyInterpreterState, ceval, 96);
OFFSET(PyInterpreterState, eval_frame, 1424);
