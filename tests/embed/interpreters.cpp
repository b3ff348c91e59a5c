// Sub-interpreters: what they share, what they don't, and their end.
#include <stdlib.h>
#include <unistd.h>

#include "scenario.h"

namespace {

void separate() {
  Py_Initialize();
  PyThreadState* main = PyThreadState_Get();
  run("import sys, json; x = 'of main'; sys.mine = 1; json.mine = 1");
  SHOW(PyInterpreterState_GetID(main->interp));
  PyThreadState* sub = Py_NewInterpreter();
  SHOW(PyThreadState_Get() == sub);
  SHOW(PyInterpreterState_GetID(sub->interp));
  SHOW(PyInterpreterState_Get() == sub->interp);
  SHOW(PyInterpreterState_Main() == main->interp);
  run("import sys, json; print('x' in globals(), hasattr(sys, 'mine'), hasattr(json, 'mine'), __name__)");
  run("import threading; print(threading.current_thread().name, sys.argv, sys.path is not None)");
  run("print(type(None) is type(None), int('5'), [1, 2], {'a': 1})");
  run("1/0");
  PyThreadState_Swap(main);
  run("print(x, sys.mine, json.mine)");
  PyThreadState_Swap(sub);
  run("import atexit; atexit.register(print, 'atexit of sub')");
  Py_EndInterpreter(sub);
  SHOW(_PyThreadState_UncheckedGet() == nullptr);
  PyThreadState_Swap(main);
  run("print(x)");
  SHOW(Py_FinalizeEx());
}

/// The states that the loop of CPython's own test shows: several at a time, several lives of the runtime.
void repeated() {
  for (int life = 0; life < 3; life++) {
    Py_Initialize();
    PyThreadState* main = PyThreadState_Get();
    for (int i = 0; i < 3; i++) {
      PyThreadState* first = Py_NewInterpreter();
      run("import sys; print(id(sys.modules) != 0, len(sys.modules) > 10)");
      PyThreadState* second = Py_NewInterpreter();
      run("import re; print(re.match('a', 'a'))");
      SHOW(PyInterpreterState_GetID(second->interp));
      Py_EndInterpreter(second);
      PyThreadState_Swap(first);
      run("print('first again')");
      Py_EndInterpreter(first);
      PyThreadState_Swap(main);
    }
    SHOW(Py_FinalizeEx());
  }
}

void modules() {
  Py_Initialize();
  PyThreadState* main = PyThreadState_Get();
  const char* source =
      "import json, re, datetime, decimal, collections, struct, array, itertools, pickle, hashlib, zlib, ctypes\n"
      "import socket, random, math, unicodedata, csv, io, weakref, enum, typing, _testcapi, contextvars, queue\n"
      "print(json.dumps([1]), re.sub('a', 'b', 'a'), datetime.date(2020, 1, 2), decimal.Decimal('0.1') + 1)\n"
      "print(pickle.loads(pickle.dumps(datetime.timedelta(1))), random.Random(1).random(), array.array('d', [1.5]))\n"
      "class E(enum.Enum): A = 1\n"
      "print(E.A, issubclass(type('T', (dict,), {}), dict), isinstance(datetime.date.today(), datetime.date))\n"
      "try: [].no\n"
      "except AttributeError as e: print(e)\n";
  run(source);
  for (int i = 0; i < 3; i++) {
    PyThreadState* sub = Py_NewInterpreter();
    run(source);
    Py_EndInterpreter(sub);
    PyThreadState_Swap(main);
    run(source);
  }
  SHOW(Py_FinalizeEx());
}

void classes_and_caches() {
  Py_Initialize();
  PyThreadState* main = PyThreadState_Get();
  run("class A:\n    def f(self): return 'main'\n    @property\n    def p(self): return 1\n"
      "def hot():\n    a = A()\n    return [(a.f(), a.p, len([1]), isinstance(a, A)) for _ in range(200)][-1]\n"
      "print(hot())");
  PyThreadState* sub = Py_NewInterpreter();
  run("import builtins\nbuiltins.len = lambda x: 'patched'\n"
      "class A:\n    def f(self): return 'sub'\n    p = 2\n"
      "def hot():\n    a = A()\n    return [(a.f(), a.p, len([1]), isinstance(a, A)) for _ in range(200)][-1]\n"
      "print(hot())");
  PyThreadState_Swap(main);
  run("print(hot())");
  PyThreadState_Swap(sub);
  run("print(hot()); import sys; sys.setswitchinterval(0.01)");
  Py_EndInterpreter(sub);
  PyThreadState_Swap(main);
  run("print(hot())");
  SHOW(Py_FinalizeEx());
}

void walk() {
  Py_Initialize();
  PyThreadState* main = PyThreadState_Get();
  PyThreadState* subs[3];
  for (PyThreadState*& sub : subs) sub = Py_NewInterpreter();
  int count = 0;
  for (PyInterpreterState* i = PyInterpreterState_Head(); i != nullptr; i = PyInterpreterState_Next(i)) {
    printf("interpreter %ld\n", static_cast<long>(PyInterpreterState_GetID(i)));
    count++;
  }
  SHOW(count);
  show_object("dict", Py_XNewRef(PyInterpreterState_GetDict(subs[0]->interp)));
  for (PyThreadState* sub : subs) {
    PyThreadState_Swap(sub);
    Py_EndInterpreter(sub);
  }
  PyThreadState_Swap(main);
  SHOW(Py_FinalizeEx());
}

void state_in_module() {
  Py_Initialize();
  PyThreadState* main = PyThreadState_Get();
  run("import _testmultiphase; print(_testmultiphase.foo(1, 2)); _testmultiphase.mine = 1");
  PyThreadState* sub = Py_NewInterpreter();
  run("import _testmultiphase; print(hasattr(_testmultiphase, 'mine'))");
  Py_EndInterpreter(sub);
  PyThreadState_Swap(main);
  SHOW(Py_FinalizeEx());
}

void threads_of_sub() {
  Py_Initialize();
  PyThreadState* main = PyThreadState_Get();
  PyThreadState* sub = Py_NewInterpreter();
  run("import threading, time\n"
      "def work():\n    time.sleep(0.1); print('worked')\n"
      "for i in range(2): threading.Thread(target=work).start()\n");
  Py_EndInterpreter(sub);
  puts("ended");
  PyThreadState_Swap(main);
  SHOW(Py_FinalizeEx());
}

void left_over() {
  Py_Initialize();
  PyThreadState* main = PyThreadState_Get();
  Py_NewInterpreter();
  run("import atexit; print('never ended')");
  PyThreadState_Swap(main);
  run("print('back in main')");
}

void streams_of_sub() {
  Py_Initialize();
  PyThreadState* main = PyThreadState_Get();
  PyThreadState* sub = Py_NewInterpreter();
  run("import sys; sys.stdout = None");
  PyThreadState_Swap(main);
  run("print('main still prints')");
  PyThreadState_Swap(sub);
  run("print('nothing'); raise ValueError('to stderr of sub')");
  Py_EndInterpreter(sub);
  PyThreadState_Swap(main);
  SHOW(Py_FinalizeEx());
}

void by_module() {
  Py_Initialize();
  run("import _xxsubinterpreters as s\n"
      "i = s.create()\n"
      "s.run_string(i, 'print(\"in\", __name__)')\n"
      "print(len(s.list_all()), s.is_running(i))\n"
      "try: s.run_string(i, '1/0')\n"
      "except s.RunFailedError as e: print('failed', e)\n"
      "c = s.channel_create(); s.channel_send(c, b'bytes'); print(s.channel_recv(c))\n"
      "s.destroy(i); print(len(s.list_all()))\n");
  SHOW(Py_FinalizeEx());
}

void without_growth() {
  Py_Initialize();
  PyThreadState* main = PyThreadState_Get();
  long before = 0;
  for (int i = 0; i < 60; i++) {
    if (i == 20) before = resident_memory();
    PyThreadState* sub = Py_NewInterpreter();
    PyRun_SimpleString("import json, re; x = [str(i) for i in range(20000)]");
    Py_EndInterpreter(sub);
    PyThreadState_Swap(main);
  }
  const long grown = (resident_memory() - before) / 40;
  if (getenv("EMBED_VERBOSE") != nullptr) fprintf(stderr, "%ld KiB an interpreter\n", grown);
  SHOW(grown < 150);
  SHOW(Py_FinalizeEx());
}

}  // namespace

SCENARIOS({"separate", separate}, {"repeated", repeated}, {"modules", modules}, {"classes_and_caches", classes_and_caches},
          {"walk", walk}, {"state_in_module", state_in_module}, {"threads_of_sub", threads_of_sub}, {"left_over", left_over},
          {"streams_of_sub", streams_of_sub}, {"by_module", by_module}, {"without_growth", without_growth})
