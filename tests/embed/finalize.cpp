// The end of an interpreter, and starting again: order of exit functions, what is still usable, threads, memory.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "scenario.h"

namespace {

void exit_order() {
  Py_Initialize();
  SHOW(Py_AtExit([] { puts("C first"); }));
  SHOW(Py_AtExit([] { puts("C second"); SHOW(Py_IsInitialized()); }));
  run("import atexit, threading, sys\n"
      "class Dying:\n"
      "    def __init__(self, name): self.name = name\n"
      "    def __del__(self): print('del', self.name, sys is not None and sys.is_finalizing())\n"
      "at_module_level = Dying('module level')\n"
      "cycle = Dying('cycle'); cycle.self = cycle\n"
      "sys.kept = Dying('in sys')\n"
      "import builtins; builtins.kept = Dying('in builtins')\n"
      "atexit.register(print, 'atexit first')\n"
      "atexit.register(lambda: print('atexit second', threading.main_thread().is_alive()))\n"
      "def waiting():\n"
      "    import time; time.sleep(0.2); print('thread done')\n"
      "threading.Thread(target=waiting).start()\n");
  SHOW(Py_FinalizeEx());
}

void too_many_exit_functions() {
  int accepted = 0;
  while (accepted < 100 && Py_AtExit([] {}) == 0) accepted++;
  SHOW(accepted);
  Py_Initialize();
  SHOW(Py_FinalizeEx());
}

void exit_errors() {
  Py_Initialize();
  run("import atexit, sys\n"
      "atexit.register(print, 'last')\n"
      "@atexit.register\n"
      "def fails(): 1/0\n"
      "class Bad:\n"
      "    def __del__(self): raise ValueError('in del')\n"
      "bad = Bad()\n");
  SHOW(Py_FinalizeEx());
}

void flush_status() {
  Py_Initialize();
  run("import sys\n"
      "sys.stdout = open('/dev/full', 'w')\n");
  PyRun_SimpleString("sys.stdout.write('does not fit')");
  SHOW(Py_FinalizeEx());
}

void daemon_thread() {
  Py_Initialize();
  run("import threading, time\n"
      "def forever():\n"
      "    while True: time.sleep(0.01)\n"
      "for i in range(3): threading.Thread(target=forever, daemon=True).start()\n"
      "print('running')\n");
  SHOW(Py_FinalizeEx());
}

void again() {
  for (int i = 0; i < 10; i++) {
    Py_Initialize();
    run("import sys; print('again', 'left_over' in globals(), len(sys.modules) > 10); left_over = 1; sys.left_over = 1");
    run("print(hasattr(sys, 'left_over'), sys.getrecursionlimit()); sys.setrecursionlimit(500)");
    SHOW(Py_FinalizeEx());
  }
}

/// State that lives outside of interpreters in the implementation: interned strings, caches, static types, signals, hash seed.
void again_with_modules() {
  for (int i = 0; i < 5; i++) {
    Py_Initialize();
    run("import json, re, datetime, decimal, collections, threading, struct, array, itertools, pickle, hashlib, zlib, asyncio\n"
        "import ctypes, socket, select, random, math, unicodedata, xml.etree.ElementTree as ET, csv, io, weakref, enum, typing\n"
        "import _testcapi, _decimal, _json, _asyncio, _queue, _sqlite3, _ssl, _bz2, _lzma, contextvars, mmap, zoneinfo\n");
    run("print(json.loads('[1, 2.5, \"x\"]'), re.sub('a+', 'b', 'caat'), datetime.date(2024, 2, 29), decimal.Decimal('1.10') + 1)");
    run("print(pickle.loads(pickle.dumps({'a': datetime.datetime(2020, 1, 1), 'b': collections.OrderedDict(x=1)})))");
    run("print(struct.pack('>H', 258), array.array('i', [1, 2]), hashlib.sha256(b'x').hexdigest()[:8], zlib.crc32(b'abc'))");
    run("print(ET.fromstring('<a b=\"1\"><c/></a>').attrib, ctypes.sizeof(ctypes.c_long), unicodedata.name('a'))");
    run("async def main():\n    await asyncio.sleep(0)\n    return 'async'\nprint(asyncio.run(main()))");
    run("class Colour(enum.Enum):\n    RED = 1\nprint(Colour.RED, typing.List[int])");
    run("class A:\n    x = 1\n    def f(self): return self.x\nprint([A().f() for _ in range(100)][-1])");
    run("try:\n    raise ExceptionGroup('eg', [ValueError(1)])\nexcept* ValueError as e: print(repr(e))");
    run("def gen():\n    try:\n        yield 1\n    finally:\n        print('generator closed')\nkept = gen(); print(next(kept))");
    run("t = threading.Thread(target=print, args=('from thread',)); t.start(); t.join()");
    SHOW(Py_FinalizeEx());
  }
}

/// Memory of one life of the interpreter must go back to the next one. The bound is far below what one life needs.
void again_without_growth() {
  long before = 0;
  for (int i = 0; i < 60; i++) {
    if (i == 20) before = resident_memory();
    Py_Initialize();
    PyRun_SimpleString("import json, re, collections, threading; x = [str(i) for i in range(20000)]");
    if (Py_FinalizeEx() != 0) puts("failed");
  }
  const long grown = (resident_memory() - before) / 40;
  if (getenv("EMBED_VERBOSE") != nullptr) fprintf(stderr, "%ld KiB a life\n", grown);
  SHOW(grown < 150);
}

void again_with_other_configuration() {
  for (int i = 0; i < 4; i++) {
    PyConfig config;
    if (i % 2 == 0) {
      PyConfig_InitIsolatedConfig(&config);
    } else {
      PyConfig_InitPythonConfig(&config);
    }
    config.optimization_level = i;
    config.use_hash_seed = 1;
    config.hash_seed = 10 + i;
    show_status(PyConfig_SetString(&config, &config.program_name, i < 2 ? L"/p/one" : L"/p/two"));
    show_status(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
    run("import sys; print(sys.flags.optimize, sys.flags.isolated, sys.executable, hash('abc'), sys.flags.hash_randomization)");
    SHOW(Py_FinalizeEx());
  }
}

void objects_before_and_after() {
  Py_Initialize();
  PyObject* none = Py_None;
  PyObject* small = PyLong_FromLong(5);
  SHOW(Py_FinalizeEx());
  Py_Initialize();
  SHOW(none == Py_None);
  PyObject* again = PyLong_FromLong(5);
  SHOW(small == again);
  Py_DECREF(again);
  SHOW(PyLong_AsLong(small));
  SHOW(Py_FinalizeEx());
}

void finalize_in_exit_handler() {
  Py_Initialize();
  atexit([] {
    run("print('still running in exit()')");
    Py_Finalize();
  });
  run("x = 1");
  exit(4);
}

void unfinalized() {
  Py_Initialize();
  run("import atexit; atexit.register(print, 'not called'); print('left running')");
}

void inside_allow_threads() {
  Py_Initialize();
  Py_BEGIN_ALLOW_THREADS
  usleep(1000);
  Py_END_ALLOW_THREADS
  PyThreadState* saved = PyEval_SaveThread();
  PyEval_RestoreThread(saved);
  SHOW(Py_FinalizeEx());
}

}  // namespace

SCENARIOS({"exit_order", exit_order}, {"too_many_exit_functions", too_many_exit_functions}, {"exit_errors", exit_errors},
          {"flush_status", flush_status}, {"daemon_thread", daemon_thread}, {"again", again},
          {"again_with_modules", again_with_modules}, {"again_without_growth", again_without_growth},
          {"again_with_other_configuration", again_with_other_configuration},
          {"objects_before_and_after", objects_before_and_after}, {"finalize_in_exit_handler", finalize_in_exit_handler},
          {"unfinalized", unfinalized}, {"inside_allow_threads", inside_allow_threads})
