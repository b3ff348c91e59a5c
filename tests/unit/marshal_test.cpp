// Marshal: round trips with their back references, and every damage of a good stream ends in an exception.
#include <gtest/gtest.h>

#include <string>

#include "Runtime/refs/ref.h"

#include <marshal.h>

namespace pyston {
namespace {

Ref<> evaluate(const char* expression) {
  Ref<> globals = Ref<>::steal(PyDict_New());
  return Ref<>::steal(PyRun_String(expression, Py_eval_input, globals.get(), globals.get()));
}
std::string dumped(PyObject* object, int version) {
  Ref<> bytes = Ref<>::steal(PyMarshal_WriteObjectToString(object, version));
  if (!bytes) {
    PyErr_Clear();
    return "";
  }
  return {PyBytes_AS_STRING(bytes.get()), static_cast<size_t>(PyBytes_GET_SIZE(bytes.get()))};
}
Ref<> loaded(const std::string& data) {
  return Ref<>::steal(PyMarshal_ReadObjectFromString(data.data(), static_cast<Py_ssize_t>(data.size())));
}

constexpr const char* kValue =
    "[None, True, ..., 0, -1, 2**31, -(2**200), 1.5, -0.0, 2j, '', 'a', 'é', '\\u20ac', '\\ud800', b'', b'x' * 300, (), "
    "(1,), tuple(range(300)), [], {}, {'k': [1]}, {1, 2}, frozenset('a'), StopIteration]";

TEST(Marshal, RoundTripsInEveryVersion) {
  Ref<> value = evaluate(kValue);
  ASSERT_TRUE(value);
  for (int version = 0; version <= Py_MARSHAL_VERSION; version++) {
    Ref<> back = loaded(dumped(value.get(), version));
    ASSERT_TRUE(back) << version;
    EXPECT_EQ(PyObject_RichCompareBool(value.get(), back.get(), Py_EQ), 1) << version;
  }
}

TEST(Marshal, SharedObjectsStayShared) {
  Ref<> value = evaluate("(lambda x: [x, x, (x,)])(['shared'])");
  Ref<> back = loaded(dumped(value.get(), 4));
  ASSERT_TRUE(back);
  PyObject* first = PyList_GET_ITEM(back.get(), 0);
  EXPECT_EQ(first, PyList_GET_ITEM(back.get(), 1));
  EXPECT_EQ(first, PyTuple_GET_ITEM(PyList_GET_ITEM(back.get(), 2), 0));
  Ref<> old = loaded(dumped(value.get(), 2));
  EXPECT_NE(PyList_GET_ITEM(old.get(), 0), PyList_GET_ITEM(old.get(), 1));
}

TEST(Marshal, DamageIsAnException) {
  Ref<> value = evaluate("[(1, 'ab'), {'k': b'xy'}, compile('def f(a): return a + 1', 'file', 'exec'), 2**100, 1.5]");
  ASSERT_TRUE(value);
  const std::string good = dumped(value.get(), 4);
  for (size_t cut = 0; cut < good.size(); cut++) {
    EXPECT_FALSE(loaded(good.substr(0, cut))) << cut;
    EXPECT_TRUE(PyErr_Occurred()) << cut;
    PyErr_Clear();
  }
  for (size_t place = 0; place < good.size(); place++) {
    for (unsigned char bit = 1; bit != 0; bit = static_cast<unsigned char>(bit << 1)) {
      std::string bad = good;
      bad[place] = static_cast<char>(bad[place] ^ bit);
      Ref<> result = loaded(bad);  // may be another good value
      EXPECT_EQ(static_cast<bool>(result), PyErr_Occurred() == nullptr) << place;
      PyErr_Clear();
    }
  }
}

TEST(Marshal, DeepNestingIsAnException) {
  std::string data;
  for (int i = 0; i < 100000; i++) data += std::string("(\1\0\0\0", 5);
  EXPECT_FALSE(loaded(data + "N"));
  EXPECT_TRUE(PyErr_ExceptionMatches(PyExc_ValueError));
  PyErr_Clear();
}

}  // namespace
}  // namespace pyston
