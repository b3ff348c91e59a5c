// Functions and types of an extension that do next to nothing: what the programs beside it measure is the way to them.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

static PyObject* no_arguments(PyObject* self, PyObject* ignored) { Py_RETURN_NONE; }
static PyObject* one(PyObject* self, PyObject* argument) { return Py_NewRef(argument); }
static PyObject* fast(PyObject* self, PyObject* const* args, Py_ssize_t count) { return Py_NewRef(args[0]); }
static PyObject* fast_keywords(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  return Py_NewRef(args[0]);
}
static PyObject* many(PyObject* self, PyObject* args) {
  PyObject *first, *second;
  if (!PyArg_ParseTuple(args, "OO", &first, &second)) return NULL;
  return Py_NewRef(second);
}
static PyObject* keywords(PyObject* self, PyObject* args, PyObject* kwargs) {
  static char* names[] = {"first", "second", NULL};
  PyObject *first, *second = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O", names, &first, &second)) return NULL;
  return Py_NewRef(second);
}
static PyObject* read_buffer(PyObject* self, PyObject* object) {
  Py_buffer view;
  if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) return NULL;
  Py_ssize_t size = view.len;
  PyBuffer_Release(&view);
  return PyLong_FromSsize_t(size);
}
static PyObject* call_many_times(PyObject* self, PyObject* args) {
  PyObject* function;
  Py_ssize_t count;
  if (!PyArg_ParseTuple(args, "On", &function, &count)) return NULL;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* result = PyObject_CallOneArg(function, Py_None);
    if (result == NULL) return NULL;
    Py_DECREF(result);
  }
  Py_RETURN_NONE;
}

typedef struct {
  PyObject_HEAD
  vectorcallfunc vectorcall;
  PyObject* object;
  Py_ssize_t number;
  double real;
} Thing;

static PyObject* thing_vectorcall(PyObject* self, PyObject* const* args, size_t count, PyObject* names) {
  return Py_NewRef(args[0]);
}
static PyObject* thing_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  Thing* self = (Thing*)type->tp_alloc(type, 0);
  if (self == NULL) return NULL;
  self->vectorcall = thing_vectorcall;
  self->object = Py_NewRef(Py_None);
  self->number = 5;
  self->real = 2.5;
  return (PyObject*)self;
}
static void thing_dealloc(PyObject* self) {
  Py_XDECREF(((Thing*)self)->object);
  Py_TYPE(self)->tp_free(self);
}
static PyObject* thing_method(PyObject* self, PyObject* ignored) { return Py_NewRef(((Thing*)self)->object); }
static PyObject* thing_add(PyObject* self, PyObject* other) { return Py_NewRef(self); }
static Py_ssize_t thing_length(PyObject* self) { return 7; }
static PyObject* thing_item(PyObject* self, Py_ssize_t index) { return Py_NewRef(((Thing*)self)->object); }
static PyObject* thing_get(PyObject* self, void* closure) { return Py_NewRef(((Thing*)self)->object); }
static int thing_set(PyObject* self, PyObject* value, void* closure) {
  Py_XSETREF(((Thing*)self)->object, Py_XNewRef(value));
  return 0;
}
static int thing_getbuffer(PyObject* self, Py_buffer* view, int flags) {
  return PyBuffer_FillInfo(view, self, &((Thing*)self)->real, sizeof(double), 1, flags);
}
static PyMethodDef thing_methods[] = {{"method", thing_method, METH_NOARGS}, {"one", one, METH_O},
                                      {"fast", (PyCFunction)fast, METH_FASTCALL}, {NULL}};
static PyMemberDef thing_members[] = {{"object", T_OBJECT, offsetof(Thing, object)},
                                      {"number", T_PYSSIZET, offsetof(Thing, number)},
                                      {"real", T_DOUBLE, offsetof(Thing, real)},
                                      {NULL}};
static PyGetSetDef thing_getset[] = {{"computed", thing_get, thing_set}, {NULL}};
static PyNumberMethods thing_numbers = {.nb_add = thing_add};
static PySequenceMethods thing_sequence = {.sq_length = thing_length, .sq_item = thing_item};
static PyBufferProcs thing_buffer = {.bf_getbuffer = thing_getbuffer};
static PyTypeObject thing_type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "boundary.Thing",
                                  .tp_basicsize = sizeof(Thing),
                                  .tp_dealloc = thing_dealloc,
                                  .tp_vectorcall_offset = offsetof(Thing, vectorcall),
                                  .tp_as_number = &thing_numbers,
                                  .tp_as_sequence = &thing_sequence,
                                  .tp_call = PyVectorcall_Call,
                                  .tp_as_buffer = &thing_buffer,
                                  .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
                                  .tp_methods = thing_methods,
                                  .tp_members = thing_members,
                                  .tp_getset = thing_getset,
                                  .tp_new = thing_new};

static PyMethodDef methods[] = {{"no_arguments", no_arguments, METH_NOARGS},
                                {"one", one, METH_O},
                                {"fast", (PyCFunction)fast, METH_FASTCALL},
                                {"fast_keywords", (PyCFunction)(void*)fast_keywords, METH_FASTCALL | METH_KEYWORDS},
                                {"many", many, METH_VARARGS},
                                {"keywords", (PyCFunction)(void*)keywords, METH_VARARGS | METH_KEYWORDS},
                                {"read_buffer", read_buffer, METH_O},
                                {"call_many_times", call_many_times, METH_VARARGS},
                                {NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "boundary", NULL, -1, methods};
PyMODINIT_FUNC PyInit_boundary(void) {
  PyObject* module = PyModule_Create(&definition);
  if (module != NULL && PyModule_AddType(module, &thing_type) < 0) return NULL;
  return module;
}
