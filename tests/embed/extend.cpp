// What an embedder plugs in: built-in modules, frozen modules, audit hooks, allocators, types of its own.
#include <stdlib.h>

#include "scenario.h"
#include "marshal.h"

namespace {

// ---- a module of the embedder's ---------------------------------------------------------------------------------------------

PyObject* add(PyObject*, PyObject* args) {
  long left, right;
  if (!PyArg_ParseTuple(args, "ll:add", &left, &right)) return nullptr;
  return PyLong_FromLong(left + right);
}
PyObject* call_back(PyObject*, PyObject* function) {
  printf("calling back\n");
  fflush(stdout);
  return PyObject_CallFunction(function, "is", 7, "seven");
}
PyMethodDef functions[] = {{"add", add, METH_VARARGS, "add(a, b)"}, {"call_back", call_back, METH_O, nullptr}, {}};

PyModuleDef single_definition = {PyModuleDef_HEAD_INIT, "host", "the host", -1, functions, nullptr, nullptr, nullptr, nullptr};
PyObject* init_single() {
  PyObject* module = PyModule_Create(&single_definition);
  if (module != nullptr) PyModule_AddIntConstant(module, "version", 3);
  return module;
}

struct Counter {
  PyObject_HEAD
  long count;
};
PyObject* counter_step(PyObject* self, PyObject*) { return PyLong_FromLong(++reinterpret_cast<Counter*>(self)->count); }
PyMethodDef counter_methods[] = {{"step", counter_step, METH_NOARGS, nullptr}, {}};
PyType_Slot counter_slots[] = {{Py_tp_methods, counter_methods}, {Py_tp_new, reinterpret_cast<void*>(PyType_GenericNew)}, {0, nullptr}};
PyType_Spec counter_spec = {"host_multi.Counter", sizeof(Counter), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, counter_slots};

int executed = 0;
int fill(PyObject* module) {
  executed++;
  *static_cast<long*>(PyModule_GetState(module)) = executed;
  PyObject* type = PyType_FromModuleAndSpec(module, &counter_spec, nullptr);
  if (type == nullptr) return -1;
  const int status = PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type));
  Py_DECREF(type);
  return status;
}
void freed(void*) { puts("module freed"); }
PyModuleDef_Slot multi_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(fill)}, {0, nullptr}};
PyModuleDef multi_definition = {PyModuleDef_HEAD_INIT, "host_multi", nullptr, sizeof(long), functions, multi_slots, nullptr, nullptr, freed};
PyObject* init_multi() { return PyModuleDef_Init(&multi_definition); }

void inittab() {
  SHOW(PyImport_AppendInittab("host", init_single));
  _inittab more[] = {{"host_multi", init_multi}, {nullptr, nullptr}};
  SHOW(PyImport_ExtendInittab(more));
  for (int life = 0; life < 3; life++) {
    Py_Initialize();
    run("import sys; print('host' in sys.builtin_module_names, 'host_multi' in sys.builtin_module_names)");
    run("import host; print(host.add(2, 3), host.version, host.__doc__, host.__spec__.origin)");
    run("print(host.call_back(lambda number, text: (number, text)))");
    run("host.call_back(lambda: 0)");
    run("import host_multi as m\nclass Sub(m.Counter): pass\ns = Sub(); s.step(); print(s.step(), m.Counter.__module__)");
    run("import importlib; del sys.modules['host_multi']; n = importlib.import_module('host_multi'); print(n is m, n.Counter is m.Counter)");
    SHOW(executed);
    SHOW(PyState_FindModule(&single_definition) != nullptr);
    PyThreadState* main = PyThreadState_Get();
    PyThreadState* sub = Py_NewInterpreter();
    run("import host, host_multi; print(host.add(1, 1), host.version, host_multi.Counter().step())");
    Py_EndInterpreter(sub);
    PyThreadState_Swap(main);
    SHOW(Py_FinalizeEx());
  }
}

void inittab_too_late() {
  Py_Initialize();
  PyImport_AppendInittab("host", init_single);
  puts("not reached");
}

void frozen() {
  Py_Initialize();
  PyObject* code = Py_CompileString("print('frozen', __name__); value = 11", "<mine>", Py_file_input);
  PyObject* bytes = PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION);
  static unsigned char buffer[4096];
  static _frozen table[3] = {};
  const int size = static_cast<int>(PyBytes_Size(bytes));
  memcpy(buffer, PyBytes_AsString(bytes), static_cast<size_t>(size));
  Py_DECREF(code);
  Py_DECREF(bytes);
  Py_Finalize();
  table[0].name = "mine";
  table[0].code = buffer;
  table[0].size = size;
  table[1].name = "mine_package";
  table[1].code = buffer;
  table[1].size = size;
  table[1].is_package = 1;
  PyImport_FrozenModules = table;
  Py_Initialize();
  SHOW(PyImport_ImportFrozenModule("mine"));
  SHOW(PyImport_ImportFrozenModule("not_there"));
  run("import mine, mine_package; print(mine.value, mine_package.__path__, mine_package.__spec__.origin)");
  SHOW(Py_FinalizeEx());
}

void frozen_main() {
  Py_Initialize();
  PyObject* code = Py_CompileString("import sys; print('frozen main', sys.argv); raise ValueError", "<main>", Py_file_input);
  PyObject* bytes = PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION);
  static unsigned char buffer[4096];
  static _frozen table[2] = {};
  const int size = static_cast<int>(PyBytes_Size(bytes));
  memcpy(buffer, PyBytes_AsString(bytes), static_cast<size_t>(size));
  Py_DECREF(code);
  Py_DECREF(bytes);
  Py_Finalize();
  table[0].name = "__main__";
  table[0].code = buffer;
  table[0].size = size;
  PyImport_FrozenModules = table;
  char* arguments[] = {const_cast<char*>("prog"), const_cast<char*>("-c"), nullptr};
  SHOW(Py_FrozenMain(2, arguments));
}

// ---- audit hooks ----------------------------------------------------------------------------------------------------------------

int events = 0;
int audit(const char* event, PyObject* args, void* data) {
  if (strncmp(event, "host.", 5) == 0) {
    printf("audit %s %d %s\n", event, args != nullptr, static_cast<const char*>(data));
    fflush(stdout);
  }
  if (strcmp(event, "host.refused") == 0) {
    PyErr_SetString(PyExc_PermissionError, "refused by the host");
    return -1;
  }
  if (strcmp(event, "cpython._PySys_ClearAuditHooks") == 0) puts("hooks cleared");
  events++;
  return 0;
}

void audit_hooks() {
  SHOW(PySys_AddAuditHook(audit, const_cast<char*>("before")));
  Py_Initialize();
  SHOW(events > 10);
  SHOW(PySys_Audit("host.event", "i", 1));
  SHOW(PySys_Audit("host.refused", nullptr));
  show_object("refused", nullptr);
  run("import sys; sys.audit('host.from_python', 1, 2)\n"
      "try: sys.audit('host.refused')\n"
      "except PermissionError as e: print(e)\n");
  run("def hook(event, args):\n    if event == 'host.two': print('python hook', args)\nsys.addaudithook(hook); sys.audit('host.two', 5)");
  SHOW(PySys_AddAuditHook([](const char*, PyObject*, void*) { return 0; }, nullptr));
  SHOW(Py_FinalizeEx());
}

int refuse_commands(const char* event, PyObject*, void*) {
  if (strcmp(event, "cpython.run_command") != 0) return 0;
  PyErr_SetString(PyExc_RuntimeError, "no commands here");
  return -1;
}

void audit_refuses_command() {
  PySys_AddAuditHook(refuse_commands, nullptr);
  char* arguments[] = {const_cast<char*>("prog"), const_cast<char*>("-c"), const_cast<char*>("print(1)"), nullptr};
  SHOW(Py_BytesMain(3, arguments));
}

void audit_refuses_start() {
  PySys_AddAuditHook(
      [](const char*, PyObject*, void*) {
        PyErr_SetString(PyExc_RuntimeError, "nothing is allowed");
        return -1;
      },
      nullptr);
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  PyStatus status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  SHOW(PyStatus_Exception(status));
}

PyObject* open_hooked(PyObject* path, void*) {
  PyObject* io = PyImport_ImportModule("_io");
  const char* name = strrchr(PyUnicode_AsUTF8(path), '/');
  PyObject* stream;
  if (name != nullptr && strncmp(name, "/hooked", 7) == 0) {
    printf("opening code %s\n", name);
    fflush(stdout);
    PyObject* bytes = PyBytes_FromString("opened_by_hook = True");
    stream = PyObject_CallMethod(io, "BytesIO", "O", bytes);
    Py_DECREF(bytes);
  } else {
    stream = PyObject_CallMethod(io, "open", "Os", path, "rb");
  }
  Py_DECREF(io);
  return stream;
}

void open_code_hook() {
  SHOW(PyFile_SetOpenCodeHook(open_hooked, nullptr));
  SHOW(PyFile_SetOpenCodeHook(open_hooked, nullptr));
  Py_Initialize();
  run("import sys, tempfile, os, io\n"
      "sys.dont_write_bytecode = True\n"
      "d = tempfile.mkdtemp(); p = d + '/hooked.py'; open(p, 'w').close()\n"
      "sys.path.insert(0, d); import hooked; print(hooked.opened_by_hook)\n"
      "os.remove(p); os.rmdir(d)");
  SHOW(PyFile_SetOpenCodeHook(open_hooked, nullptr));
  show_object("second", nullptr);
  SHOW(Py_FinalizeEx());
}

// ---- allocators -------------------------------------------------------------------------------------------------------------------

PyMemAllocatorEx original;
long allocations = 0, frees = 0;

void allocators() {
  PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &original);
  PyMemAllocatorEx counting = {
      nullptr,
      [](void*, size_t size) { allocations++; return original.malloc(original.ctx, size); },
      [](void*, size_t count, size_t size) { allocations++; return original.calloc(original.ctx, count, size); },
      [](void*, void* block, size_t size) { return original.realloc(original.ctx, block, size); },
      [](void*, void* block) { frees += block != nullptr; original.free(original.ctx, block); }};
  PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &counting);
  Py_Initialize();
  SHOW(allocations > 1000);
  run("x = [object() for _ in range(1000)]");
  SHOW(Py_FinalizeEx());
  SHOW(frees > allocations / 2);
}

void debug_allocator() {
  setenv("PYTHONMALLOC", "debug", 1);
  Py_Initialize();
  void* block = PyMem_Malloc(100);
  SHOW(static_cast<unsigned char*>(block)[0] == 0xcd);
  PyMem_Free(block);
  run("print([i ** 2 for i in range(5)])");
  SHOW(Py_FinalizeEx());
}

// ---- a running program's hooks ------------------------------------------------------------------------------------------------------

void profile() {
  Py_Initialize();
  static int calls = 0;
  PyEval_SetProfile(
      [](PyObject*, PyFrameObject*, int what, PyObject*) {
        calls += what == PyTrace_CALL;
        return 0;
      },
      nullptr);
  PyRun_SimpleString("def f(): pass\nfor i in range(10): f()");
  PyEval_SetProfile(nullptr, nullptr);
  SHOW(calls);
  SHOW(Py_FinalizeEx());
}

void function_from_method_def() {
  Py_Initialize();
  static PyMethodDef definition = {"add", add, METH_VARARGS, "add(a, b)"};
  PyObject* function = PyCFunction_New(&definition, nullptr);
  PyObject_SetAttrString(PyImport_AddModule("__main__"), "add", function);
  Py_DECREF(function);
  run("print(add(1, 2), add.__name__, add.__doc__)\ntry: add('x', 1)\nexcept TypeError as e: print(e)");
  PyObject* capsule = PyCapsule_New(&definition, "host.definition", [](PyObject*) { puts("capsule gone"); });
  PyObject_SetAttrString(PyImport_AddModule("__main__"), "capsule", capsule);
  Py_DECREF(capsule);
  run("print(str(capsule).split(' at')[0]); del capsule");
  SHOW(Py_FinalizeEx());
}

}  // namespace

SCENARIOS({"inittab", inittab}, {"inittab_too_late", inittab_too_late}, {"frozen", frozen}, {"frozen_main", frozen_main},
          {"audit_hooks", audit_hooks}, {"audit_refuses_command", audit_refuses_command}, {"audit_refuses_start", audit_refuses_start},
          {"open_code_hook", open_code_hook}, {"allocators", allocators}, {"debug_allocator", debug_allocator}, {"profile", profile},
          {"function_from_method_def", function_from_method_def})
