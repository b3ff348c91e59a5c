// Functions of the C API that only make sense together: allocation and initialisation, locks, threads, writers, tables,
// parser records. Each function here is one such sequence and reports what it saw.
#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE_MODULE 1
#include <Python.h>

#include <errno.h>
#include <pythread.h>
#include <stddef.h>

#include "internal/pycore_accu.h"
#include "internal/pycore_bytesobject.h"
#include "internal/pycore_hashtable.h"
#include "internal/pycore_pyerrors.h"

static PyObject* from_errno(PyObject* self, PyObject* args) {
  int number, kind;
  PyObject *type, *first = NULL, *second = NULL;
  if (!PyArg_ParseTuple(args, "iiO|OO", &kind, &number, &type, &first, &second)) return NULL;
  errno = number;
  if (kind == 0) return PyErr_SetFromErrno(type);
  if (kind == 1) return PyErr_SetFromErrnoWithFilename(type, first == NULL ? NULL : PyUnicode_AsUTF8(first));
  if (kind == 2) return PyErr_SetFromErrnoWithFilenameObject(type, first);
  return PyErr_SetFromErrnoWithFilenameObjects(type, first, second);
}

static PyObject* release_lock_and_take_it(PyObject* self, PyObject* ignored) {
  int before = PyGILState_Check();
  PyThreadState* saved = PyEval_SaveThread();
  int between = PyGILState_Check();
  PyGILState_STATE state = PyGILState_Ensure();
  int ensured = PyGILState_Check();
  PyGILState_Release(state);
  int released = PyGILState_Check();
  PyEval_RestoreThread(saved);
  return Py_BuildValue("(iiiii)", before, between, ensured, released, PyThreadState_Get() == saved);
}

static PyThread_type_lock finished;
static PyObject* from_thread;
static void thread_body(void* argument) {
  PyGILState_STATE state = PyGILState_Ensure();
  from_thread = Py_BuildValue("(si)", (char*)argument, state == PyGILState_UNLOCKED);
  PyGILState_Release(state);
  PyThread_release_lock(finished);
}
static PyObject* start_thread(PyObject* self, PyObject* ignored) {
  finished = PyThread_allocate_lock();
  int first = PyThread_acquire_lock(finished, WAIT_LOCK);
  int second = PyThread_acquire_lock(finished, NOWAIT_LOCK);
  int third = PyThread_acquire_lock_timed(finished, 1000, 0);
  unsigned long started = PyThread_start_new_thread(thread_body, "argument");
  Py_BEGIN_ALLOW_THREADS
  PyThread_acquire_lock(finished, WAIT_LOCK);
  Py_END_ALLOW_THREADS
  PyThread_release_lock(finished);
  PyThread_free_lock(finished);
  return Py_BuildValue("(iiiiN)", first, second, third, started != PYTHREAD_INVALID_THREAD_ID, from_thread);
}

static PyObject* thread_storage(PyObject* self, PyObject* ignored) {
  Py_tss_t* key = PyThread_tss_alloc();
  int before = PyThread_tss_is_created(key);
  int created = PyThread_tss_create(key);
  int again = PyThread_tss_create(key);
  void* empty = PyThread_tss_get(key);
  PyThread_tss_set(key, &before);
  int kept = PyThread_tss_get(key) == &before;
  PyThread_tss_delete(key);
  int after = PyThread_tss_is_created(key);
  PyThread_tss_free(key);
  return Py_BuildValue("(iiiiii)", before, created, again, empty == NULL, kept, after);
}

// ---- objects by hand -------------------------------------------------------------------------------------------------

typedef struct {
  PyObject_VAR_HEAD
  PyObject* weak;
  PyObject* held;
} Node;
static int finalized, deallocated;
static int node_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(((Node*)self)->held);
  return 0;
}
static int node_clear(PyObject* self) {
  Py_CLEAR(((Node*)self)->held);
  return 0;
}
static void node_finalize(PyObject* self) { finalized++; }
static void node_dealloc(PyObject* self) {
  if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
  PyObject_GC_UnTrack(self);
  Py_TRASHCAN_BEGIN(self, node_dealloc)
  if (((Node*)self)->weak != NULL) PyObject_ClearWeakRefs(self);
  node_clear(self);
  deallocated++;
  PyObject_GC_Del(self);
  Py_TRASHCAN_END
}
static PyTypeObject node_type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "sequences.Node",
                                 .tp_basicsize = sizeof(Node),
                                 .tp_itemsize = 8,
                                 .tp_dealloc = node_dealloc,
                                 .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
                                 .tp_traverse = node_traverse,
                                 .tp_clear = node_clear,
                                 .tp_weaklistoffset = offsetof(Node, weak),
                                 .tp_finalize = node_finalize};
static PyObject* new_node(PyObject* held, Py_ssize_t items) {
  Node* node = PyObject_GC_NewVar(Node, &node_type, items);
  if (node == NULL) return NULL;
  node->weak = NULL;
  node->held = Py_XNewRef(held);
  PyObject_GC_Track(node);
  return (PyObject*)node;
}
static PyObject* make_node(PyObject* self, PyObject* args) {
  PyObject* held = NULL;
  Py_ssize_t items = 0;
  return PyArg_ParseTuple(args, "|On", &held, &items) ? new_node(held, items) : NULL;
}
static PyObject* node_counts(PyObject* self, PyObject* ignored) { return Py_BuildValue("(ii)", finalized, deallocated); }
static PyObject* deep_chain(PyObject* self, PyObject* length) {
  PyObject* chain = NULL;
  for (long i = PyLong_AsLong(length); i > 0; i--) {
    PyObject* next = new_node(chain, 0);
    Py_XDECREF(chain);
    chain = next;
  }
  Py_DECREF(chain);
  return node_counts(NULL, NULL);
}
static PyObject* initialise(PyObject* self, PyObject* ignored) {
  PyObject* memory = PyObject_Malloc(sizeof(PyFloatObject));
  PyFloatObject* number = (PyFloatObject*)PyObject_Init(memory, &PyFloat_Type);
  number->ob_fval = 2.5;
  PyVarObject* bytes = PyObject_Malloc(sizeof(PyBytesObject) + 3);
  PyObject_InitVar(bytes, &PyBytes_Type, 3);
  ((PyBytesObject*)bytes)->ob_shash = -1;
  memcpy(((PyBytesObject*)bytes)->ob_sval, "abc", 4);
  return Py_BuildValue("(NNn)", number, bytes, Py_REFCNT(number));
}
static PyObject* allocate(PyObject* self, PyObject* args) {
  PyTypeObject* type;
  Py_ssize_t items;
  if (!PyArg_ParseTuple(args, "On", &type, &items)) return NULL;
  PyObject* object = PyType_GenericAlloc(type, items);
  if (object == NULL) return NULL;
  PyObject* result = Py_BuildValue("(Oni)", Py_TYPE(object), Py_REFCNT(object), PyObject_GC_IsTracked(object));
  Py_DECREF(object);
  return result;
}
static PyObject* new_text(PyObject* self, PyObject* args) {
  Py_ssize_t size;
  unsigned maximum;
  if (!PyArg_ParseTuple(args, "nI", &size, &maximum)) return NULL;
  PyObject* text = PyUnicode_New(size, maximum);
  if (text == NULL) return NULL;
  PyUnicode_Fill(text, 0, size, maximum);
  return Py_BuildValue("(Nii)", text, PyUnicode_KIND(text), PyUnicode_IS_ASCII(text));
}

// ---- writers, tables, parsers ----------------------------------------------------------------------------------------

static PyObject* write_bytes(PyObject* self, PyObject* args) {
  int overallocate, as_bytearray;
  if (!PyArg_ParseTuple(args, "ii", &overallocate, &as_bytearray)) return NULL;
  _PyBytesWriter writer;
  _PyBytesWriter_Init(&writer);
  writer.overallocate = overallocate;
  writer.use_bytearray = as_bytearray;
  char* end = _PyBytesWriter_Alloc(&writer, 3);
  memcpy(end, "abc", 3);
  end += 3;
  end = _PyBytesWriter_WriteBytes(&writer, end, "0123456789", 10);
  end = _PyBytesWriter_Prepare(&writer, end, 600);
  memset(end, 'x', 600);
  return _PyBytesWriter_Finish(&writer, end + 600);
}
static PyObject* accumulate(PyObject* self, PyObject* texts) {
  _PyAccu joined, listed;
  _PyAccu_Init(&joined);
  _PyAccu_Init(&listed);
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(texts); i++) {
    if (_PyAccu_Accumulate(&joined, PyList_GET_ITEM(texts, i)) < 0) return NULL;
    if (_PyAccu_Accumulate(&listed, PyList_GET_ITEM(texts, i)) < 0) return NULL;
  }
  PyObject* list = _PyAccu_FinishAsList(&listed);
  Py_ssize_t items = PyList_GET_SIZE(list);
  PyObject* joined_list = PyUnicode_Join(PyUnicode_FromString(""), list);
  Py_DECREF(list);
  return Py_BuildValue("(NNi)", _PyAccu_Finish(&joined), joined_list, items > 0);
}
static int count_entry(_Py_hashtable_t* table, const void* key, const void* value, void* sum) {
  *(long*)sum += (long)key * 1000 + (long)value;
  return 0;
}
static PyObject* use_hashtable(PyObject* self, PyObject* ignored) {
  _Py_hashtable_t* table = _Py_hashtable_new(_Py_hashtable_hash_ptr, _Py_hashtable_compare_direct);
  for (long i = 1; i <= 100; i++) _Py_hashtable_set(table, (void*)i, (void*)(i * 2));
  long sum = 0;
  _Py_hashtable_foreach(table, count_entry, &sum);
  long found = (long)_Py_hashtable_get(table, (void*)50), missing = (long)_Py_hashtable_get(table, (void*)500);
  long stolen = (long)_Py_hashtable_steal(table, (void*)50), gone = (long)_Py_hashtable_get(table, (void*)50);
  PyObject* result = Py_BuildValue("(lllllk)", sum, found, missing, stolen, gone, (unsigned long)_Py_hashtable_size(table));
  _Py_hashtable_clear(table);
  _Py_hashtable_destroy(table);
  return result;
}
static PyObject* unpack(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  static const char* const keywords[] = {"", "second", "third", NULL};
  static _PyArg_Parser parser = {NULL, keywords, "unpack", 0};
  PyObject* buffer[3];
  Py_ssize_t optional = count + (names ? PyTuple_GET_SIZE(names) : 0) - 1;
  PyObject* const* found = _PyArg_UnpackKeywords(args, count, NULL, names, &parser, 1, 2, 0, buffer);
  if (found == NULL) return NULL;
  // The function stops filling in when it has found everything: what lies behind is not to be looked at.
  PyObject *second = Py_None, *third = Py_None;
  Py_ssize_t left = optional;
  if (left > 0 && found[1] != NULL) {
    second = found[1];
    left--;
  }
  if (left > 0 && found[2] != NULL) third = found[2];
  return Py_BuildValue("(OOOn)", found[0], second, third, optional);
}
static PyObject* parse_record(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const keywords[] = {"", "second", "third", NULL};
  static _PyArg_Parser parser = {"i|s$O:parse_record", keywords, NULL, 0};
  int first;
  const char* second = "default";
  PyObject* third = Py_None;
  if (!_PyArg_ParseTupleAndKeywordsFast(args, kwargs, &parser, &first, &second, &third)) return NULL;
  return Py_BuildValue("(isO)", first, second, third);
}
static PyObject* chain_errors(PyObject* self, PyObject* args) {
  PyObject *first, *second;
  if (!PyArg_ParseTuple(args, "OO", &first, &second)) return NULL;
  PyErr_SetObject((PyObject*)Py_TYPE(first), first);
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (second != Py_None) PyErr_SetObject((PyObject*)Py_TYPE(second), second);
  _PyErr_ChainExceptions(type, value, traceback);
  return NULL;
}
static PyObject* recurse(PyObject* self, PyObject* ignored) {
  if (Py_EnterRecursiveCall(" in a sequence")) return NULL;
  PyObject* result = recurse(self, ignored);
  Py_LeaveRecursiveCall();
  return result;
}
static PyObject* without_tracing(PyObject* self, PyObject* function) {
  PyThreadState_EnterTracing(PyThreadState_Get());
  PyObject* result = PyObject_CallNoArgs(function);
  PyThreadState_LeaveTracing(PyThreadState_Get());
  return result;
}

static PyModuleDef state_module = {PyModuleDef_HEAD_INIT, "state", NULL, 16, NULL};
static PyObject* module_states(PyObject* self, PyObject* ignored) {
  PyObject* module = PyModule_Create(&state_module);
  int found_before = PyState_FindModule(&state_module) != NULL;
  int added = PyState_AddModule(module, &state_module);
  int found = PyState_FindModule(&state_module) == module;
  int removed = PyState_RemoveModule(&state_module);
  int state = PyModule_GetState(module) != NULL && PyModule_GetDef(module) == &state_module;
  Py_DECREF(module);
  return Py_BuildValue("(iiiii)", found_before, added, found, removed, state);
}
static PyObject* structure_sequence(PyObject* self, PyObject* ignored) {
  static PyStructSequence_Field fields[] = {{"first", "Text."}, {"unnamed", NULL}, {"hidden", NULL}, {NULL}};
  static PyStructSequence_Desc description = {"sequences.Sequence", "Doc.", fields, 2};
  fields[1].name = PyStructSequence_UnnamedField;
  static PyTypeObject type;
  if (type.tp_name == NULL && PyStructSequence_InitType2(&type, &description) < 0) return NULL;
  PyObject* result = PyStructSequence_New(&type);
  for (int i = 0; i < 3; i++) PyStructSequence_SetItem(result, i, PyLong_FromLong(i + 1000));
  return result;
}

static PyMethodDef methods[] = {{"from_errno", from_errno, METH_VARARGS},
                                {"release_lock_and_take_it", release_lock_and_take_it, METH_NOARGS},
                                {"start_thread", start_thread, METH_NOARGS},
                                {"thread_storage", thread_storage, METH_NOARGS},
                                {"make_node", make_node, METH_VARARGS},
                                {"node_counts", node_counts, METH_NOARGS},
                                {"deep_chain", deep_chain, METH_O},
                                {"initialise", initialise, METH_NOARGS},
                                {"allocate", allocate, METH_VARARGS},
                                {"new_text", new_text, METH_VARARGS},
                                {"write_bytes", write_bytes, METH_VARARGS},
                                {"accumulate", accumulate, METH_O},
                                {"use_hashtable", use_hashtable, METH_NOARGS},
                                {"unpack", (PyCFunction)(void*)unpack, METH_FASTCALL | METH_KEYWORDS},
                                {"parse_record", (PyCFunction)(void*)parse_record, METH_VARARGS | METH_KEYWORDS},
                                {"chain_errors", chain_errors, METH_VARARGS},
                                {"recurse", recurse, METH_NOARGS},
                                {"without_tracing", without_tracing, METH_O},
                                {"module_states", module_states, METH_NOARGS},
                                {"structure_sequence", structure_sequence, METH_NOARGS},
                                {NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "sequences", NULL, -1, methods};
PyMODINIT_FUNC PyInit_sequences(void) {
  PyObject* module = PyModule_Create(&definition);
  if (module != NULL && PyModule_AddType(module, &node_type) < 0) return NULL;
  return module;
}
