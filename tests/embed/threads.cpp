// Threads that Python did not start: PyGILState_*, thread states by hand, pending calls, asynchronous exceptions.
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "scenario.h"

namespace {

void foreign_thread() {
  Py_Initialize();
  SHOW(PyGILState_Check());
  PyThreadState* saved = PyEval_SaveThread();
  SHOW(PyGILState_Check());
  std::thread([] {
    SHOW(PyGILState_GetThisThreadState() == nullptr);
    PyGILState_STATE outer = PyGILState_Ensure();
    SHOW(outer);
    PyGILState_STATE inner = PyGILState_Ensure();
    SHOW(inner);
    run("import threading; print(threading.current_thread().name, threading.active_count())");
    PyGILState_Release(inner);
    SHOW(PyGILState_Check());
    PyGILState_Release(outer);
    SHOW(PyGILState_GetThisThreadState() == nullptr);
  }).join();
  PyEval_RestoreThread(saved);
  run("print([t.name for t in threading.enumerate()])");
  SHOW(Py_FinalizeEx());
}

void many_threads() {
  Py_Initialize();
  run("import collections; seen = collections.Counter(); local = __import__('threading').local()");
  PyThreadState* saved = PyEval_SaveThread();
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; i++) {
    threads.emplace_back([i] {
      char source[100];
      snprintf(source, sizeof source, "seen[%d %% 4] += 1; local.x = %d; assert local.x == %d", i, i, i);
      for (int round = 0; round < 50; round++) {
        PyGILState_STATE state = PyGILState_Ensure();
        if (PyRun_SimpleString(source) != 0) puts("failed");
        PyGILState_Release(state);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  PyEval_RestoreThread(saved);
  run("print(sorted(seen.items()), hasattr(local, 'x'))");
  SHOW(Py_FinalizeEx());
}

void exception_in_thread() {
  Py_Initialize();
  PyErr_SetString(PyExc_ValueError, "of the main thread");
  PyThreadState* saved = PyEval_SaveThread();
  std::thread([] {
    PyGILState_STATE state = PyGILState_Ensure();
    SHOW(PyErr_Occurred() != nullptr);
    SHOW(PyRun_SimpleString("raise KeyError('of the thread')"));
    PyGILState_Release(state);
  }).join();
  PyEval_RestoreThread(saved);
  show_object("main", nullptr);
  SHOW(Py_FinalizeEx());
}

void states_by_hand() {
  Py_Initialize();
  PyInterpreterState* interpreter = PyThreadState_Get()->interp;
  PyThreadState* saved = PyEval_SaveThread();
  std::thread([interpreter] {
    PyThreadState* mine = PyThreadState_New(interpreter);
    PyEval_AcquireThread(mine);
    SHOW(PyThreadState_Get() == mine);
    SHOW(PyThreadState_GetInterpreter(mine) == interpreter);
    run("print('in a state of its own')");
    SHOW(PyThreadState_GetDict() != nullptr);
    SHOW(PyThreadState_GetFrame(mine) == nullptr);
    SHOW(PyThreadState_GetID(mine) > 1);
    Py_BEGIN_ALLOW_THREADS
    usleep(100);
    Py_END_ALLOW_THREADS
    PyThreadState_Clear(mine);
    PyThreadState_DeleteCurrent();
  }).join();
  PyEval_AcquireThread(saved);
  int count = 0;
  for (PyThreadState* t = PyInterpreterState_ThreadHead(interpreter); t != nullptr; t = PyThreadState_Next(t)) count++;
  SHOW(count);
  PyEval_ReleaseThread(saved);
  PyEval_AcquireThread(saved);
  SHOW(PyThreadState_Swap(nullptr) == saved);
  SHOW(PyThreadState_Swap(saved) == nullptr);
  SHOW(Py_FinalizeEx());
}

std::atomic<int> pending_calls{0};

void pending() {
  Py_Initialize();
  PyThreadState* saved = PyEval_SaveThread();
  int accepted = 0;
  std::thread([&accepted] {
    auto call = [](void* argument) -> int {
      pending_calls += static_cast<int>(reinterpret_cast<intptr_t>(argument));
      return 0;
    };
    while (accepted < 100 && Py_AddPendingCall(call, reinterpret_cast<void*>(intptr_t{1})) == 0) accepted++;
  }).join();
  PyEval_RestoreThread(saved);
  SHOW(accepted);
  run("for i in range(1000): pass");
  SHOW(pending_calls == accepted);
  Py_AddPendingCall([](void*) -> int {
    PyErr_SetString(PyExc_RuntimeError, "from a pending call");
    return -1;
  }, nullptr);
  SHOW(Py_MakePendingCalls());
  show_object("pending", nullptr);
  SHOW(Py_AddPendingCall([](void*) -> int { puts("called while finishing"); return 0; }, nullptr));
  SHOW(Py_FinalizeEx());
}

void asynchronous_exception() {
  Py_Initialize();
  run("import threading, time\n"
      "def loop():\n"
      "    try:\n"
      "        while True: time.sleep(0.001)\n"
      "    except KeyError as e: print('caught', repr(e))\n"
      "t = threading.Thread(target=loop); t.start(); ident = t.ident");
  PyObject* ident = PyObject_GetAttrString(PyImport_AddModule("__main__"), "ident");
  SHOW(PyThreadState_SetAsyncExc(PyLong_AsUnsignedLong(ident), PyExc_KeyError));
  SHOW(PyThreadState_SetAsyncExc(1, PyExc_KeyError));
  Py_DECREF(ident);
  run("t.join()");
  SHOW(Py_FinalizeEx());
}

void interrupt() {
  Py_Initialize();
  PyErr_SetInterrupt();
  SHOW(PyRun_SimpleString("for i in range(100): pass"));
  SHOW(PyErr_SetInterruptEx(-3));
  SHOW(PyErr_CheckSignals());
  SHOW(Py_FinalizeEx());
}

void started_elsewhere() {
  std::thread([] {
    Py_Initialize();
    run("import threading, signal; print(threading.current_thread() is threading.main_thread())");
    SHOW(Py_FinalizeEx());
  }).join();
  Py_Initialize();
  run("import threading; print(threading.current_thread() is threading.main_thread())");
  SHOW(Py_FinalizeEx());
}

void storage() {
  Py_tss_t key = Py_tss_NEEDS_INIT;
  SHOW(PyThread_tss_is_created(&key));
  SHOW(PyThread_tss_create(&key));
  SHOW(PyThread_tss_create(&key));
  SHOW(PyThread_tss_set(&key, &key));
  SHOW(PyThread_tss_get(&key) == &key);
  std::thread([&key] { SHOW(PyThread_tss_get(&key) == nullptr); }).join();
  PyThread_tss_delete(&key);
  SHOW(PyThread_tss_is_created(&key));
  PyThread_type_lock lock = PyThread_allocate_lock();
  SHOW(PyThread_acquire_lock(lock, NOWAIT_LOCK));
  SHOW(PyThread_acquire_lock(lock, NOWAIT_LOCK));
  SHOW(PyThread_acquire_lock_timed(lock, 1000, 0));
  PyThread_release_lock(lock);
  PyThread_free_lock(lock);
}

/// A foreign thread that comes when all is over must not run Python code, nor take the process down.
void late_thread() {
  Py_Initialize();
  PyThreadState* saved = PyEval_SaveThread();
  std::atomic<bool> inside{false};
  std::thread thread([&inside] {
    PyGILState_STATE state = PyGILState_Ensure();
    inside = true;
    PyRun_SimpleString("import time\nwhile True: time.sleep(0.001)");
    PyGILState_Release(state);
  });
  while (!inside) usleep(100);
  thread.detach();
  PyEval_RestoreThread(saved);
  SHOW(Py_FinalizeEx());
}

}  // namespace

SCENARIOS({"foreign_thread", foreign_thread}, {"many_threads", many_threads}, {"exception_in_thread", exception_in_thread},
          {"states_by_hand", states_by_hand}, {"pending", pending}, {"asynchronous_exception", asynchronous_exception},
          {"interrupt", interrupt}, {"started_elsewhere", started_elsewhere}, {"storage", storage}, {"late_thread", late_thread})
