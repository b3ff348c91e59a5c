// Reads raw memory at numeric offsets, as compiled packages and debuggers do that carry their own idea of the layouts:
// nothing here comes from the internal headers. Also what only C can do: hooks and callbacks that record what they see.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <string.h>

static PyObject* peek(PyObject* self, PyObject* args) {
  Py_ssize_t address, offset;
  int size;
  if (!PyArg_ParseTuple(args, "nni", &address, &offset, &size)) return NULL;
  const char* place = (const char*)address + offset;
  if (size == 8) return PyLong_FromUnsignedLong(*(const unsigned long*)place);
  if (size == 4) return PyLong_FromLong(*(const int*)place);
  if (size == 2) return PyLong_FromLong(*(const unsigned short*)place);
  return PyLong_FromLong(*(const signed char*)place);
}
static PyObject* bytes_at(PyObject* self, PyObject* args) {
  Py_ssize_t address, size;
  if (!PyArg_ParseTuple(args, "nn", &address, &size)) return NULL;
  return size < 0 ? PyBytes_FromString((char*)address) : PyBytes_FromStringAndSize((char*)address, size);
}
static PyObject* object_at(PyObject* self, PyObject* address) {
  PyObject* object = PyLong_AsVoidPtr(address);
  return object == NULL ? PyUnicode_FromString("NULL") : Py_NewRef(object);
}
static PyObject* symbol(PyObject* self, PyObject* name) {
  return PyLong_FromVoidPtr(dlsym(RTLD_DEFAULT, PyUnicode_AsUTF8(name)));
}
static PyObject* thread_state(PyObject* self, PyObject* ignored) { return PyLong_FromVoidPtr(PyThreadState_Get()); }
static PyObject* capsule_pointer(PyObject* self, PyObject* name) {
  void* pointer = PyCapsule_Import(PyUnicode_AsUTF8(name), 0);
  return pointer == NULL ? NULL : PyLong_FromVoidPtr(pointer);
}

// The pending exception as Cython reads and writes it, past the API: curexc_type at 96, value 104, traceback 112.
static PyObject* pending_error(PyObject* self, PyObject* error) {
  PyObject** state = (PyObject**)PyThreadState_Get();
  PyErr_SetObject((PyObject*)Py_TYPE(error), error);
  PyObject* result = Py_BuildValue("(OOi)", state[12], state[13], state[14] == NULL);
  Py_CLEAR(state[12]);
  Py_CLEAR(state[13]);
  Py_CLEAR(state[14]);
  if (PyErr_Occurred()) return PyErr_Format(PyExc_AssertionError, "clearing the fields left an error");
  state[12] = Py_NewRef(PyExc_KeyError);
  state[13] = PyUnicode_FromString("written");
  if (!PyErr_ExceptionMatches(PyExc_LookupError)) return PyErr_Format(PyExc_AssertionError, "writing them set no error");
  PyErr_Clear();
  return result;
}
static PyObject* raise_by_fields(PyObject* self, PyObject* ignored) {
  PyObject** state = (PyObject**)PyThreadState_Get();
  state[12] = Py_NewRef(PyExc_KeyError);
  state[13] = PyUnicode_FromString("written");
  return NULL;
}
static PyObject* call(PyObject* self, PyObject* function) { return PyObject_CallNoArgs(function); }

// ---- frame evaluation (PEP 523) --------------------------------------------------------------------------------------

static PyObject* evaluated;
static PyObject* recording_eval(PyThreadState* state, struct _PyInterpreterFrame* frame, int throwing) {
  PyObject* code = ((PyObject**)frame)[4];  // f_code at 32
  PyObject* name = PyObject_GetAttrString(code, "co_name");
  PyList_Append(evaluated, name);
  Py_DECREF(name);
  return _PyEval_EvalFrameDefault(state, frame, throwing);
}
static PyObject* record_frames(PyObject* self, PyObject* function) {
  PyInterpreterState* interpreter = PyInterpreterState_Get();
  if (_PyInterpreterState_GetEvalFrameFunc(interpreter) != _PyEval_EvalFrameDefault) {
    return PyErr_Format(PyExc_AssertionError, "the default evaluation function isn't _PyEval_EvalFrameDefault");
  }
  evaluated = PyList_New(0);
  _PyInterpreterState_SetEvalFrameFunc(interpreter, recording_eval);
  PyObject* result = PyObject_CallNoArgs(function);
  _PyInterpreterState_SetEvalFrameFunc(interpreter, _PyEval_EvalFrameDefault);
  return Py_BuildValue("(NN)", result, evaluated);
}

// ---- code extra ------------------------------------------------------------------------------------------------------

static Py_ssize_t extra_index = -1;
static long freed;
static void free_extra(void* extra) { freed += (long)extra; }
static PyObject* set_extra(PyObject* self, PyObject* args) {
  PyObject* code;
  long value;
  if (!PyArg_ParseTuple(args, "Ol", &code, &value)) return NULL;
  if (extra_index < 0) extra_index = _PyEval_RequestCodeExtraIndex(free_extra);
  if (_PyCode_SetExtra(code, extra_index, (void*)value) < 0) return NULL;
  Py_RETURN_NONE;
}
static PyObject* get_extra(PyObject* self, PyObject* code) {
  void* extra;
  if (_PyCode_GetExtra(code, extra_index, &extra) < 0) return NULL;
  return PyLong_FromLong((long)extra);
}
static PyObject* freed_extras(PyObject* self, PyObject* ignored) { return PyLong_FromLong(freed); }

// ---- profile and trace functions in C --------------------------------------------------------------------------------

static int record_event(PyObject* events, PyFrameObject* frame, int what, PyObject* argument) {
  PyCodeObject* code = PyFrame_GetCode(frame);
  PyObject* shown = what == PyTrace_C_CALL || what == PyTrace_C_RETURN || what == PyTrace_C_EXCEPTION
                        ? PyObject_GetAttrString(argument, "__name__")
                        : Py_NewRef(Py_None);
  PyObject* event = Py_BuildValue("(iOiiN)", what, code->co_name, PyFrame_GetLineNumber(frame) - code->co_firstlineno,
                                  PyFrame_GetLasti(frame), shown);
  Py_DECREF(code);
  if (event == NULL) return -1;
  PyList_Append(events, event);
  Py_DECREF(event);
  return 0;
}
static PyObject* profiled(PyObject* self, PyObject* function) {
  PyObject* events = PyList_New(0);
  PyEval_SetProfile(record_event, events);
  PyObject* result = PyObject_CallNoArgs(function);
  PyEval_SetProfile(NULL, NULL);
  if (result == NULL) PyErr_Clear();
  Py_XDECREF(result);
  return events;
}
static PyObject* traced(PyObject* self, PyObject* function) {
  PyObject* events = PyList_New(0);
  PyEval_SetTrace(record_event, events);
  PyObject* result = PyObject_CallNoArgs(function);
  PyEval_SetTrace(NULL, NULL);
  if (result == NULL) PyErr_Clear();
  Py_XDECREF(result);
  return events;
}

static PyMethodDef methods[] = {{"peek", peek, METH_VARARGS},
                                {"bytes_at", bytes_at, METH_VARARGS},
                                {"object_at", object_at, METH_O},
                                {"symbol", symbol, METH_O},
                                {"thread_state", thread_state, METH_NOARGS},
                                {"capsule_pointer", capsule_pointer, METH_O},
                                {"pending_error", pending_error, METH_O},
                                {"raise_by_fields", raise_by_fields, METH_NOARGS},
                                {"call", call, METH_O},
                                {"record_frames", record_frames, METH_O},
                                {"set_extra", set_extra, METH_VARARGS},
                                {"get_extra", get_extra, METH_O},
                                {"freed_extras", freed_extras, METH_NOARGS},
                                {"profiled", profiled, METH_O},
                                {"traced", traced, METH_O},
                                {NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "memory", NULL, -1, methods};
PyMODINIT_FUNC PyInit_memory(void) { return PyModule_Create(&definition); }
