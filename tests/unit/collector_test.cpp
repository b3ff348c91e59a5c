// The cycle collector: its lists, what it frees and keeps, and the generations objects move through.
#include <gtest/gtest.h>

#include <string>

#include "Runtime/memory/collector.h"

namespace pyston {
namespace {

bool run(const char* code, PyObject* globals) {
  Ref<> result = Ref<>::steal(PyRun_String(code, Py_file_input, globals, globals));
  if (!result) PyErr_Print();
  return static_cast<bool>(result);
}
std::string text_of(PyObject* globals, const char* name) {
  Ref<> text = Ref<>::steal(PyObject_Repr(PyDict_GetItemString(globals, name)));
  return PyUnicode_AsUTF8(text.get());
}
/// 0, 1, 2: the generation whose list an object is in; -1: none.
int generation_of(PyObject* object) {
  for (int generation = 0; generation < NUM_GENERATIONS; generation++) {
    PyGC_Head* list = &collector_state().generations[generation].head;
    for (PyGC_Head* node = gc_list::next(list); node != list; node = gc_list::next(node)) {
      if (object_of(node) == object) return generation;
    }
  }
  return -1;
}

TEST(CollectorLists, MoveAndMerge) {
  PyGC_Head first, second, nodes[3];
  gc_list::init(&first);
  gc_list::init(&second);
  EXPECT_TRUE(gc_list::is_empty(&first));
  for (PyGC_Head& node : nodes) {
    node._gc_prev = 0;
    gc_list::append(&node, &first);
  }
  gc_list::move(&nodes[1], &second);
  EXPECT_EQ(gc_list::size(&first), 2);
  EXPECT_EQ(gc_list::next(&nodes[0]), &nodes[2]);
  gc_list::merge(&first, &second);
  EXPECT_TRUE(gc_list::is_empty(&first));
  EXPECT_EQ(gc_list::size(&second), 3);
  EXPECT_EQ(gc_list::next(&second), &nodes[1]);
  EXPECT_EQ(gc_list::prev(&second), &nodes[2]);
  gc_list::remove(&nodes[0]);
  EXPECT_EQ(gc_list::size(&second), 2);
}

TEST(Collector, FreesCyclesAndKeepsWhatIsReachable) {
  Ref<> list = Ref<>::steal(PyList_New(0));
  PyGC_Collect();
  PyObject* lost = PyList_New(0);
  PyList_Append(lost, lost);
  PyList_Append(lost, list.get());
  const Py_ssize_t references = Py_REFCNT(list.get());
  Py_DECREF(lost);
  EXPECT_EQ(Py_REFCNT(list.get()), references);
  EXPECT_EQ(PyGC_Collect(), 1);
  EXPECT_EQ(Py_REFCNT(list.get()), references - 1);
}

TEST(Collector, SurvivorsAge) {
  Ref<> list = Ref<>::steal(PyList_New(0));
  PyThreadState* tstate = PyThreadState_Get();
  EXPECT_EQ(generation_of(list.get()), 0);
  collect_with_callbacks(tstate, 0);
  EXPECT_EQ(generation_of(list.get()), 1);
  collect_with_callbacks(tstate, 1);
  EXPECT_EQ(generation_of(list.get()), 2);
  collect_with_callbacks(tstate, 2);
  EXPECT_EQ(generation_of(list.get()), 2);
}

TEST(Collector, WeakReferencesDieBeforeFinalizersRun) {
  Ref<> globals = Ref<>::steal(PyDict_New());
  ASSERT_TRUE(run("import gc, weakref\nlog = []\n"
                  "class C:\n  def __del__(self): log.append(('del', reference() is None))\n"
                  "a = C(); a.self = a\nreference = weakref.ref(a, lambda r: log.append('callback'))\n"
                  "del a\ncount = gc.collect()\n",
                  globals.get()));
  EXPECT_EQ(text_of(globals.get(), "log"), "['callback', ('del', True)]");
}

TEST(Collector, ResurrectedObjectsAreFinalizedOnce) {
  Ref<> globals = Ref<>::steal(PyDict_New());
  ASSERT_TRUE(run("import gc\nkept = []\nlog = []\n"
                  "class C:\n  def __del__(self): log.append(1); kept.append(self)\n"
                  "a = C(); a.self = a; del a\ngc.collect()\nalive = len(kept)\nkept.clear()\ngc.collect()\n",
                  globals.get()));
  EXPECT_EQ(text_of(globals.get(), "alive"), "1");
  EXPECT_EQ(text_of(globals.get(), "log"), "[1]");
  EXPECT_EQ(text_of(globals.get(), "kept"), "[]");
}

}  // namespace
}  // namespace pyston
