// The C half of the table-driven C API test: calls any exported function by address, with raw words and doubles as
// arguments, and reports the raw result, the exception, and how the call changed the reference counts of chosen objects.
// Nothing here knows a signature: x86-64's calling convention lets one prototype pass any mix of integers, pointers and
// doubles (kWords of the former, kDoubles of the latter), to variadic functions too.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <structmember.h>
#include <stdio.h>

enum { kWords = 20, kDoubles = 4, kWatched = 16 };

typedef struct {
  double first, second;
} Doubles;

typedef long (*WordFunction)(long, ...);
typedef Doubles (*DoubleFunction)(long, ...);

#define ARGUMENTS(w, d)                                                                                              \
  w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13], w[14], w[15], w[16], w[17], \
      w[18], w[19], d[0], d[1], d[2], d[3]

static int read_words(PyObject* list, long* words) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
    words[i] = (long)PyLong_AsUnsignedLongMask(PyList_GET_ITEM(list, i));
    if (words[i] == -1 && PyErr_Occurred()) return -1;
  }
  return 0;
}

// call(address, returns_double, words, doubles, watched) -> (word, (double, double), exception, refcount changes)
static PyObject* call(PyObject* module, PyObject* args) {
  Py_ssize_t address;
  int returns_double;
  PyObject *word_list, *double_list, *watched;
  if (!PyArg_ParseTuple(args, "npO!O!O!", &address, &returns_double, &PyList_Type, &word_list, &PyList_Type,
                        &double_list, &PyList_Type, &watched)) {
    return NULL;
  }
  long words[kWords] = {0};
  double doubles[kDoubles] = {0};
  Py_ssize_t before[kWatched], after[kWatched];
  Py_ssize_t count = PyList_GET_SIZE(watched);
  if (PyList_GET_SIZE(word_list) > kWords || PyList_GET_SIZE(double_list) > kDoubles || count > kWatched) {
    return PyErr_Format(PyExc_ValueError, "too many arguments");
  }
  if (read_words(word_list, words) < 0) return NULL;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(double_list); i++) {
    doubles[i] = PyFloat_AsDouble(PyList_GET_ITEM(double_list, i));
  }
  PyObject* objects[kWatched];
  for (Py_ssize_t i = 0; i < count; i++) objects[i] = PyList_GET_ITEM(watched, i);
  long word = 0;
  Doubles real = {0, 0};
  for (Py_ssize_t i = 0; i < count; i++) before[i] = Py_REFCNT(objects[i]);
  if (returns_double) {
    real = ((DoubleFunction)address)(ARGUMENTS(words, doubles));
  } else {
    word = ((WordFunction)address)(ARGUMENTS(words, doubles));
  }
  for (Py_ssize_t i = 0; i < count; i++) after[i] = Py_REFCNT(objects[i]);
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (type != NULL) PyErr_NormalizeException(&type, &value, &traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  if (value == NULL) value = Py_NewRef(Py_None);
  PyObject* changes = PyList_New(0);
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* change = PyLong_FromSsize_t(after[i] - before[i]);
    PyList_Append(changes, change);
    Py_DECREF(change);
  }
  return Py_BuildValue("(l(dd)NN)", word, real.first, real.second, value, changes);
}

// Before the call: an exception for functions that look at the indicator.
static PyObject* call_with_error(PyObject* module, PyObject* args) {
  PyObject *error, *rest;
  if (!PyArg_ParseTuple(args, "OO", &error, &rest)) return NULL;
  long address = PyLong_AsLong(PyTuple_GET_ITEM(rest, 0));
  long words[kWords] = {0};
  double doubles[kDoubles] = {0};
  if (read_words(PyTuple_GET_ITEM(rest, 1), words) < 0) return NULL;
  PyErr_SetObject((PyObject*)Py_TYPE(error), error);
  long word = ((WordFunction)address)(ARGUMENTS(words, doubles));
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (type != NULL) PyErr_NormalizeException(&type, &value, &traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  if (value == NULL) value = Py_NewRef(Py_None);
  return Py_BuildValue("(l(dd)N[])", word, 0.0, 0.0, value);
}

static PyObject* symbol(PyObject* module, PyObject* name) {
  void* found = dlsym(RTLD_DEFAULT, PyUnicode_AsUTF8(name));
  return PyLong_FromVoidPtr(found);
}

static PyObject* object_at(PyObject* module, PyObject* address) {
  return Py_NewRef((PyObject*)PyLong_AsVoidPtr(address));
}

static PyObject* incref(PyObject* module, PyObject* object) {
  Py_INCREF(object);
  Py_RETURN_NONE;
}

static PyObject* decref_at(PyObject* module, PyObject* address) {
  PyObject* object = PyLong_AsVoidPtr(address);
  Py_DECREF(object);
  Py_RETURN_NONE;
}

static PyObject* refcount_at(PyObject* module, PyObject* address) {
  return PyLong_FromSsize_t(Py_REFCNT((PyObject*)PyLong_AsVoidPtr(address)));
}

// memory(address, size): size < 0 reads up to the zero byte.
static PyObject* memory(PyObject* module, PyObject* args) {
  Py_ssize_t address, size;
  if (!PyArg_ParseTuple(args, "nn", &address, &size)) return NULL;
  return size < 0 ? PyBytes_FromString((const char*)address) : PyBytes_FromStringAndSize((const char*)address, size);
}

static PyObject* wide_memory(PyObject* module, PyObject* address) {
  return PyUnicode_FromWideChar(PyLong_AsVoidPtr(address), -1);
}

// The address of a writable buffer's memory, valid while the bytearray keeps its size.
static PyObject* address_of(PyObject* module, PyObject* object) {
  return PyLong_FromVoidPtr(PyBytes_Check(object) ? PyBytes_AS_STRING(object) : PyByteArray_AsString(object));
}

static PyObject* open_file(PyObject* module, PyObject* text) {
  FILE* file = tmpfile();
  fwrite(PyBytes_AS_STRING(text), 1, (size_t)PyBytes_GET_SIZE(text), file);
  rewind(file);
  return PyLong_FromVoidPtr(file);
}

static PyObject* file_contents(PyObject* module, PyObject* address) {
  FILE* file = PyLong_AsVoidPtr(address);
  fflush(file);
  rewind(file);
  char text[4096];
  return PyBytes_FromStringAndSize(text, (Py_ssize_t)fread(text, 1, sizeof text, file));
}

// C functions and definitions that API functions take pointers to.
static PyObject* sample_method(PyObject* self, PyObject* argument) {
  return PyUnicode_FromFormat("sample(%R, %R)", self ? self : Py_None, argument ? argument : Py_None);
}
static PyMethodDef sample_methods[] = {{"noargs", sample_method, METH_NOARGS, "noargs($self)\n--\n\nText."},
                                       {"one", sample_method, METH_O, NULL},
                                       {"many", sample_method, METH_VARARGS, "Plain text."},
                                       {"broken", sample_method, METH_NOARGS | METH_O, NULL},
                                       {NULL}};
static PyObject* sample_get(PyObject* self, void* closure) { return PyUnicode_FromString("got"); }
static PyGetSetDef sample_getset = {"attribute", sample_get, NULL, "Text.", NULL};
static PyMemberDef sample_members[] = {{"first", T_SHORT, 16, 0, "Text."},
                                       {"second", T_PYSSIZET, 16, READONLY, NULL},
                                       {"third", T_OBJECT, 16, 0, NULL}};
static PyModuleDef sample_module = {PyModuleDef_HEAD_INIT, "sample", "Text.", 8, sample_methods};
static PyType_Slot sample_slots[] = {{Py_tp_doc, "Text."}, {Py_tp_methods, sample_methods}, {0, NULL}};
static PyType_Spec sample_spec = {"package.Sample", 32, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, sample_slots};
static PyType_Slot bad_slots[] = {{1000, NULL}, {0, NULL}};
static PyType_Spec bad_spec = {"package.Bad", 32, 0, Py_TPFLAGS_DEFAULT, bad_slots};
static PyStructSequence_Field fields[] = {{"first", "Text."}, {"second", NULL}, {NULL}};
static PyStructSequence_Desc sample_sequence = {"package.Sequence", "Text.", fields, 1};
static int pending(void* argument) { return 0; }
static void destructor_of_capsule(PyObject* capsule) {}

static PyObject* sample(PyObject* module, PyObject* name) {
  static const struct {
    const char* name;
    void* address;
  } table[] = {{"noargs", &sample_methods[0]},    {"one", &sample_methods[1]},     {"many", &sample_methods[2]},
               {"broken", &sample_methods[3]},    {"methods", &sample_methods[0]}, {"getset", &sample_getset},
               {"short", &sample_members[0]},     {"readonly", &sample_members[1]}, {"member", &sample_members[2]},
               {"module", &sample_module},        {"spec", &sample_spec},          {"bad_spec", &bad_spec},
               {"sequence", &sample_sequence},    {"pending", pending},            {"destructor", destructor_of_capsule},
               {"function", sample_method}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    if (PyUnicode_CompareWithASCIIString(name, table[i].name) == 0) return PyLong_FromVoidPtr(table[i].address);
  }
  return PyErr_Format(PyExc_KeyError, "%R", name);
}

static PyMethodDef methods[] = {{"call", call, METH_VARARGS, NULL},
                                {"call_with_error", call_with_error, METH_VARARGS, NULL},
                                {"symbol", symbol, METH_O, NULL},
                                {"object_at", object_at, METH_O, NULL},
                                {"incref", incref, METH_O, NULL},
                                {"decref_at", decref_at, METH_O, NULL},
                                {"refcount_at", refcount_at, METH_O, NULL},
                                {"memory", memory, METH_VARARGS, NULL},
                                {"wide_memory", wide_memory, METH_O, NULL},
                                {"address_of", address_of, METH_O, NULL},
                                {"open_file", open_file, METH_O, NULL},
                                {"file_contents", file_contents, METH_O, NULL},
                                {"sample", sample, METH_O, NULL},
                                {NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "caller", NULL, -1, methods};
PyMODINIT_FUNC PyInit_caller(void) { return PyModule_Create(&definition); }
