// An extension that breaks the rules of the C API in every way that python3.11 has a diagnosis for. Each function or
// type commits one sin; the PyInit_* functions are modules whose initialisation goes wrong (loaded by name from this file).
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>

static PyObject* null_without_error(PyObject* self, PyObject* ignored) { return NULL; }
static PyObject* result_with_error(PyObject* self, PyObject* ignored) {
  PyErr_SetString(PyExc_ValueError, "left behind");
  Py_RETURN_NONE;
}
static PyObject* null_fast(PyObject* self, PyObject* const* args, Py_ssize_t count) { return NULL; }
static PyObject* result_with_error_fast(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  return result_with_error(self, NULL);
}
static PyObject* null_keywords(PyObject* self, PyObject* args, PyObject* kwargs) { return NULL; }

// ---- fatal ones ------------------------------------------------------------------------------------------------------

static PyObject* drop_none(PyObject* self, PyObject* ignored) {
  Py_SET_REFCNT(Py_None, 1);
  Py_DECREF(Py_None);
  return NULL;
}
static PyObject* drop_not_implemented(PyObject* self, PyObject* ignored) {
  Py_SET_REFCNT(Py_NotImplemented, 1);
  Py_DECREF(Py_NotImplemented);
  return NULL;
}
static PyObject* track_twice(PyObject* self, PyObject* ignored) {
  PyObject* list = PyList_New(0);
  PyObject_GC_Track(list);
  return list;
}
static PyObject* state_without_lock(PyObject* self, PyObject* ignored) {
  PyEval_SaveThread();
  PyThreadState_Get();
  return NULL;
}
static PyObject* allocate_without_lock(PyObject* self, PyObject* ignored) {
  PyEval_SaveThread();
  PyMem_Malloc(10);
  return NULL;
}
static PyObject* object_without_lock(PyObject* self, PyObject* ignored) {
  PyEval_SaveThread();
  PyObject_Malloc(10);
  return NULL;
}
static PyObject* save_twice(PyObject* self, PyObject* ignored) {
  PyEval_SaveThread();
  PyEval_SaveThread();
  return NULL;
}
static PyObject* restore_null(PyObject* self, PyObject* ignored) {
  PyEval_RestoreThread(NULL);
  return NULL;
}
static void* release_on_foreign_thread(void* ignored) {
  PyGILState_Release(PyGILState_UNLOCKED);
  return NULL;
}
static PyObject* release_unheld(PyObject* self, PyObject* ignored) {
  pthread_t thread;
  pthread_create(&thread, NULL, release_on_foreign_thread, NULL);
  pthread_join(thread, NULL);
  return NULL;
}
static PyObject* delete_current(PyObject* self, PyObject* ignored) {
  PyThreadState_Delete(PyThreadState_Get());
  return NULL;
}
static PyObject* write_past_end(PyObject* self, PyObject* ignored) {
  char* memory = PyMem_Malloc(8);
  memory[8] = 'x';
  PyMem_Free(memory);
  return NULL;
}
static PyObject* wrong_domain(PyObject* self, PyObject* ignored) {
  PyMem_RawFree(PyMem_Malloc(8));
  return NULL;
}
static PyObject* fatal_error(PyObject* self, PyObject* ignored) {
  Py_FatalError("told so");
  return NULL;
}
static PyObject* exit_three(PyObject* self, PyObject* ignored) {
  Py_Exit(3);
  return NULL;
}

// ---- types -----------------------------------------------------------------------------------------------------------

static PyObject* slot_null(PyObject* self) { return NULL; }
static PyObject* slot_null_two(PyObject* self, PyObject* other) { return NULL; }
static PyObject* slot_null_three(PyObject* self, PyObject* args, PyObject* kwargs) { return NULL; }
static int slot_minus_two(PyObject* self, PyObject* key, PyObject* value) { return -1; }
static Py_hash_t slot_hash(PyObject* self) { return -1; }
static int slot_bool(PyObject* self) { return -1; }
static PyObject* slot_call_with_error(PyObject* self, PyObject* args, PyObject* kwargs) {
  return result_with_error(self, NULL);
}
static PyObject* slot_next_with_error(PyObject* self) { return result_with_error(self, NULL); }
static int slot_getbuffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = NULL;
  return -1;
}
static PyType_Slot failing_slots[] = {
    {Py_tp_repr, slot_null},           {Py_nb_add, slot_null_two},           {Py_nb_negative, slot_null},
    {Py_tp_call, slot_null_three},     {Py_mp_subscript, slot_null_two},     {Py_mp_ass_subscript, slot_minus_two},
    {Py_tp_hash, slot_hash},           {Py_nb_bool, slot_bool},              {Py_tp_iter, slot_null},
    {Py_nb_int, slot_null},            {Py_tp_getattro, slot_null_two},      {Py_bf_getbuffer, slot_getbuffer},
    {0, NULL}};
static PyType_Spec failing_spec = {"misbehave.Failing", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, failing_slots};
static PyType_Slot leaving_slots[] = {
    {Py_tp_call, slot_call_with_error}, {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, slot_next_with_error}, {0, NULL}};
static PyType_Spec leaving_spec = {"misbehave.Leaving", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, leaving_slots};
static PyType_Slot no_new_slots[] = {{Py_tp_new, slot_null_three}, {0, NULL}};
static PyType_Spec no_new_spec = {"misbehave.NoNew", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, no_new_slots};

static void dealloc_with_error(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyErr_SetString(PyExc_ValueError, "from a deallocator");
  type->tp_free(self);
  Py_DECREF(type);
}
static PyType_Slot dealloc_slots[] = {{Py_tp_dealloc, dealloc_with_error}, {0, NULL}};
static PyType_Spec dealloc_spec = {"misbehave.Dealloc", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, dealloc_slots};

static void finalize_with_error(PyObject* self) { PyErr_SetString(PyExc_ValueError, "from a finalizer"); }
static void finalizing_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
  type->tp_free(self);
  Py_DECREF(type);
}
static PyType_Slot finalize_slots[] = {
    {Py_tp_dealloc, finalizing_dealloc}, {Py_tp_finalize, finalize_with_error}, {0, NULL}};
static PyType_Spec finalize_spec = {"misbehave.Finalize", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, finalize_slots};

static PyType_Slot unknown_slots[] = {{1000, slot_null}, {0, NULL}};
static PyType_Slot negative_slots[] = {{-7, slot_null}, {0, NULL}};
static PyType_Slot no_slots[] = {{0, NULL}};
static PyType_Spec bad_specs[] = {
    {"misbehave.Unknown", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, unknown_slots},
    {"misbehave.Negative", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, negative_slots},
    {NULL, sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, no_slots},
    {"misbehave.Collected", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, no_slots},
    {"misbehave.Small", 8, 0, Py_TPFLAGS_DEFAULT, no_slots},
    {"Dotless", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, no_slots}};
static PyObject* from_spec(PyObject* self, PyObject* args) {
  int number;
  PyObject* bases = NULL;
  if (!PyArg_ParseTuple(args, "i|O", &number, &bases)) return NULL;
  return PyType_FromSpecWithBases(&bad_specs[number], bases);
}

static PyTypeObject unnamed_type = {PyVarObject_HEAD_INIT(NULL, 0).tp_basicsize = sizeof(PyObject)};
static PyTypeObject collected_type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "misbehave.Collected",
                                      .tp_basicsize = sizeof(PyObject),
                                      .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC};
static PyTypeObject final_type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "misbehave.Final",
                                  .tp_basicsize = sizeof(PyLongObject),
                                  .tp_base = &PyBool_Type};
static PyTypeObject derived_type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "misbehave.Derived",
                                    .tp_basicsize = sizeof(PyObject)};
static PyObject* ready(PyObject* self, PyObject* args) {
  int number;
  PyObject* base = NULL;
  if (!PyArg_ParseTuple(args, "i|O", &number, &base)) return NULL;
  PyTypeObject* types[] = {&unnamed_type, &collected_type, &final_type, &derived_type};
  if (base != NULL) types[number]->tp_base = (PyTypeObject*)Py_NewRef(base);
  if (PyType_Ready(types[number]) < 0) return NULL;
  return Py_NewRef(types[number]);
}

static PyMethodDef bad_methods[] = {{"flags", null_without_error, METH_VARARGS | METH_O, NULL}, {NULL}};
static PyMethodDef class_methods[] = {{"class_method", null_without_error, METH_CLASS | METH_NOARGS, NULL}, {NULL}};
static PyObject* add_bad_methods(PyObject* self, PyObject* module) {
  return PyModule_AddFunctions(module, bad_methods) < 0 ? NULL : Py_NewRef(Py_None);
}
static PyObject* add_class_methods(PyObject* self, PyObject* module) {
  return PyModule_AddFunctions(module, class_methods) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef methods[] = {{"null_without_error", null_without_error, METH_NOARGS},
                                {"null_without_error_one", null_without_error, METH_O},
                                {"null_without_error_many", null_without_error, METH_VARARGS},
                                {"null_fast", (PyCFunction)null_fast, METH_FASTCALL},
                                {"null_keywords", (PyCFunction)null_keywords, METH_VARARGS | METH_KEYWORDS},
                                {"result_with_error", result_with_error, METH_NOARGS},
                                {"result_with_error_one", result_with_error, METH_O},
                                {"result_with_error_many", result_with_error, METH_VARARGS},
                                {"result_with_error_fast", (PyCFunction)result_with_error_fast, METH_FASTCALL},
                                {"drop_none", drop_none, METH_NOARGS},
                                {"drop_not_implemented", drop_not_implemented, METH_NOARGS},
                                {"track_twice", track_twice, METH_NOARGS},
                                {"state_without_lock", state_without_lock, METH_NOARGS},
                                {"allocate_without_lock", allocate_without_lock, METH_NOARGS},
                                {"object_without_lock", object_without_lock, METH_NOARGS},
                                {"save_twice", save_twice, METH_NOARGS},
                                {"restore_null", restore_null, METH_NOARGS},
                                {"release_unheld", release_unheld, METH_NOARGS},
                                {"delete_current", delete_current, METH_NOARGS},
                                {"write_past_end", write_past_end, METH_NOARGS},
                                {"wrong_domain", wrong_domain, METH_NOARGS},
                                {"fatal_error", fatal_error, METH_NOARGS},
                                {"exit_three", exit_three, METH_NOARGS},
                                {"from_spec", from_spec, METH_VARARGS},
                                {"ready", ready, METH_VARARGS},
                                {"add_bad_methods", add_bad_methods, METH_O},
                                {"add_class_methods", add_class_methods, METH_O},
                                {NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "misbehave", NULL, -1, methods};
PyMODINIT_FUNC PyInit_misbehave(void) {
  PyObject* module = PyModule_Create(&definition);
  PyType_Spec* specs[] = {&failing_spec, &leaving_spec, &no_new_spec, &dealloc_spec, &finalize_spec};
  for (size_t i = 0; module != NULL && i < sizeof specs / sizeof *specs; i++) {
    PyObject* type = PyType_FromSpec(specs[i]);
    if (type == NULL || PyModule_AddType(module, (PyTypeObject*)type) < 0) return NULL;
  }
  return module;
}

// ---- modules that can't be initialised -------------------------------------------------------------------------------

PyMODINIT_FUNC PyInit_init_null(void) { return NULL; }
PyMODINIT_FUNC PyInit_init_error(void) {
  PyErr_SetString(PyExc_ValueError, "init failed");
  return NULL;
}
PyMODINIT_FUNC PyInit_init_unreported(void) {
  PyErr_SetString(PyExc_ValueError, "init failed");
  return PyModule_New("init_unreported");
}
PyMODINIT_FUNC PyInit_init_number(void) { return PyLong_FromLong(5); }
PyMODINIT_FUNC PyInit_init_definitionless(void) { return PyModule_New("init_definitionless"); }
static PyModuleDef uninitialized = {.m_name = "init_uninitialized"};
PyMODINIT_FUNC PyInit_init_uninitialized(void) { return (PyObject*)&uninitialized; }

static PyObject* create_null(PyObject* spec, PyModuleDef* def) { return NULL; }
static PyObject* create_unreported(PyObject* spec, PyModuleDef* def) {
  PyErr_SetString(PyExc_ValueError, "create failed");
  return PyModule_New("created");
}
static PyObject* create_number(PyObject* spec, PyModuleDef* def) { return PyLong_FromLong(5); }
static int exec_silent(PyObject* module) { return -1; }
static int exec_unreported(PyObject* module) {
  PyErr_SetString(PyExc_ValueError, "exec failed");
  return 0;
}
static int exec_error(PyObject* module) {
  PyErr_SetString(PyExc_ValueError, "exec failed");
  return -1;
}
static int exec_good(PyObject* module) { return PyModule_AddIntConstant(module, "done", 1); }

#define MULTI(name, size, ...)                                                                       \
  static PyModuleDef_Slot slots_##name[] = {__VA_ARGS__, {0, NULL}};                                 \
  static PyModuleDef def_##name = {PyModuleDef_HEAD_INIT, #name, NULL, size, NULL, slots_##name};    \
  PyMODINIT_FUNC PyInit_##name(void) { return PyModuleDef_Init(&def_##name); }

MULTI(multi_unknown_slot, 0, {17, exec_good})
MULTI(multi_negative_slot, 0, {-3, exec_good})
MULTI(multi_two_creates, 0, {Py_mod_create, create_null}, {Py_mod_create, create_null})
MULTI(multi_negative_size, -5, {Py_mod_exec, exec_good})
MULTI(multi_create_null, 0, {Py_mod_create, create_null})
MULTI(multi_create_unreported, 0, {Py_mod_create, create_unreported})
MULTI(multi_create_number, 0, {Py_mod_create, create_number})
MULTI(multi_number_with_state, 10, {Py_mod_create, create_number})
MULTI(multi_number_with_exec, 0, {Py_mod_create, create_number}, {Py_mod_exec, exec_good})
MULTI(multi_exec_silent, 0, {Py_mod_exec, exec_silent})
MULTI(multi_exec_unreported, 0, {Py_mod_exec, exec_unreported})
MULTI(multi_exec_error, 0, {Py_mod_exec, exec_error})
MULTI(multi_good, 0, {Py_mod_exec, exec_good})
static PyModuleDef other_api = {PyModuleDef_HEAD_INIT, "other_api", NULL, -1, methods};
PyMODINIT_FUNC PyInit_other_api(void) { return PyModule_Create2(&other_api, 1009); }
