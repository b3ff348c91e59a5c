// The hash tables of dict and set: layout choices, invariants and growth that Python code cannot see directly.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "Objects/containers/dict.h"
#include "Objects/containers/set.h"

namespace pyston {
namespace {

Ref<> number(long value) { return Ref<>::steal(PyLong_FromLong(value)); }
Ref<> text(const std::string& value) { return Ref<>::steal(PyUnicode_FromString(value.c_str())); }
PyDictObject* as_dict(const Ref<>& dict) { return reinterpret_cast<PyDictObject*>(dict.get()); }

/// Checks what dict.h promises of every table; returns the keys in order.
std::vector<long> checked_numbers(PyDictObject* dict) {
  PyDictKeysObject* keys = dict->ma_keys;
  EXPECT_LE(keys->dk_nentries + keys->dk_usable, usable_fraction(DK_SIZE(keys)));
  std::vector<long> found;
  Py_ssize_t position = 0;
  PyObject *key, *value;
  Py_hash_t hash;
  while (next_entry(dict, &position, &key, &value, &hash)) {
    EXPECT_EQ(hash, PyObject_Hash(key));
    EXPECT_EQ(_PyDict_GetItem_KnownHash(reinterpret_cast<PyObject*>(dict), key, hash), value);
    if (PyLong_Check(key)) found.push_back(PyLong_AsLong(key));
  }
  EXPECT_EQ(position, iteration_limit(dict));
  return found;
}

TEST(DictTable, KeepsOrderThroughDeletionsAndGrowth) {
  Ref<> dict = Ref<>::steal(PyDict_New());
  std::vector<long> expected;
  for (long i = 0; i < 5000; i++) {
    const long value = i * 7919 % 10007;
    ASSERT_EQ(PyDict_SetItem(dict.get(), number(value).get(), Py_None), 0);
    expected.push_back(value);
    if (i % 3 == 2) {
      const size_t place = static_cast<size_t>(i) * 31 % expected.size();
      ASSERT_EQ(PyDict_DelItem(dict.get(), number(expected[place]).get()), 0);
      expected.erase(expected.begin() + static_cast<ptrdiff_t>(place));
    }
    if (i % 97 == 0) EXPECT_EQ(checked_numbers(as_dict(dict)), expected);
  }
  EXPECT_EQ(checked_numbers(as_dict(dict)), expected);
  EXPECT_EQ(PyDict_GET_SIZE(dict.get()), static_cast<Py_ssize_t>(expected.size()));
}

TEST(DictTable, StringKeysHaveNoHashesUntilAnotherKeyComes) {
  Ref<> dict = Ref<>::steal(PyDict_New());
  for (int i = 0; i < 20; i++) ASSERT_EQ(PyDict_SetItem(dict.get(), text("k" + std::to_string(i)).get(), Py_None), 0);
  EXPECT_TRUE(DK_IS_UNICODE(as_dict(dict)->ma_keys));
  ASSERT_EQ(PyDict_SetItem(dict.get(), number(1).get(), Py_None), 0);
  EXPECT_FALSE(DK_IS_UNICODE(as_dict(dict)->ma_keys));
  EXPECT_EQ(checked_numbers(as_dict(dict)), std::vector<long>{1});
  for (int i = 0; i < 20; i++) EXPECT_EQ(PyDict_GetItem(dict.get(), text("k" + std::to_string(i)).get()), Py_None);
}

TEST(DictTable, EveryChangeTakesANewVersion) {
  Ref<> dict = Ref<>::steal(PyDict_New());
  uint64_t version = as_dict(dict)->ma_version_tag;
  auto changed = [&] { return std::exchange(version, as_dict(dict)->ma_version_tag) != as_dict(dict)->ma_version_tag; };
  PyDict_SetItemString(dict.get(), "a", Py_None);
  EXPECT_TRUE(changed());
  PyDict_SetItemString(dict.get(), "a", Py_True);
  EXPECT_TRUE(changed());
  EXPECT_EQ(PyDict_GetItemString(dict.get(), "a"), Py_True);
  EXPECT_FALSE(changed());
  PyDict_DelItemString(dict.get(), "a");
  EXPECT_TRUE(changed());
}

TEST(DictTable, IsTrackedOnlyWithContainersInside) {
  Ref<> dict = Ref<>::steal(PyDict_New());
  PyDict_SetItemString(dict.get(), "a", Py_None);
  EXPECT_FALSE(PyObject_GC_IsTracked(dict.get()));
  PyDict_SetItemString(dict.get(), "b", Ref<>::steal(PyList_New(0)).get());
  EXPECT_TRUE(PyObject_GC_IsTracked(dict.get()));
}

TEST(DictTable, InstancesShareTheirKeysInAnyOrderOfAssignment) {
  Ref<> globals = Ref<>::steal(PyDict_New());
  Ref<> done = Ref<>::steal(PyRun_String("class C:\n  def __init__(self): self.a = 1; self.b = 2\n"
                                         "x, y = C(), C()\nz = C.__new__(C); z.b = 3; z.a = 4\n"
                                         "dicts = [i.__dict__ for i in (x, y, z)]\n",
                                         Py_file_input, globals.get(), globals.get()));
  ASSERT_TRUE(done);
  PyObject* dicts = PyDict_GetItemString(globals.get(), "dicts");
  auto at = [&](Py_ssize_t i) { return reinterpret_cast<PyDictObject*>(PyList_GET_ITEM(dicts, i)); };
  EXPECT_NE(at(0)->ma_values, nullptr);
  EXPECT_EQ(at(0)->ma_keys, at(1)->ma_keys);
  EXPECT_EQ(at(0)->ma_keys, at(2)->ma_keys);
  Ref<> first = Ref<>::steal(PyObject_Repr(as_object(at(0))));
  Ref<> last = Ref<>::steal(PyObject_Repr(as_object(at(2))));
  EXPECT_STREQ(PyUnicode_AsUTF8(first.get()), "{'a': 1, 'b': 2}");
  EXPECT_STREQ(PyUnicode_AsUTF8(last.get()), "{'b': 3, 'a': 4}");
}

TEST(SetTable, NeverFillsThreeFifths) {
  Ref<> set = Ref<>::steal(PySet_New(nullptr));
  for (long i = 0; i < 3000; i++) {
    ASSERT_EQ(PySet_Add(set.get(), number(i << (i % 7)).get()), 0);
    if (i % 5 == 4) ASSERT_GE(PySet_Discard(set.get(), number(i - 1).get()), 0);
    const PySetObject* table = as_set(set.get());
    EXPECT_LT(table->fill * 5, (table->mask + 1) * 3);
    EXPECT_LE(table->used, table->fill);
  }
}

TEST(SetTable, DummiesDoNotPileUp) {
  Ref<> set = Ref<>::steal(PySet_New(nullptr));
  for (long round = 0; round < 1000; round++) {
    ASSERT_EQ(PySet_Add(set.get(), number(round).get()), 0);
    ASSERT_EQ(PySet_Discard(set.get(), number(round).get()), 1);
  }
  EXPECT_EQ(as_set(set.get())->used, 0);
  EXPECT_LE(as_set(set.get())->mask, 31);
  Py_ssize_t position = 0;
  setentry* entry;
  EXPECT_FALSE(set_next(as_set(set.get()), &position, &entry));
}

TEST(SetTable, CollidingHashesAreAllFound) {
  Ref<> set = Ref<>::steal(PySet_New(nullptr));
  // The hash of an int is its value modulo 2**61 - 1.
  std::vector<Ref<>> values;
  for (int i = 0; i < 40; i++) {
    Ref<> modulus = number((1L << 61) - 1);
    Ref<> product = Ref<>::steal(PyNumber_Multiply(modulus.get(), number(i).get()));
    values.push_back(Ref<>::steal(PyNumber_Add(product.get(), number(5).get())));
    ASSERT_EQ(PyObject_Hash(values.back().get()), 5);
    ASSERT_EQ(PySet_Add(set.get(), values.back().get()), 0);
  }
  EXPECT_EQ(PySet_GET_SIZE(set.get()), 40);
  for (const Ref<>& value : values) EXPECT_EQ(PySet_Contains(set.get(), value.get()), 1);
  for (const Ref<>& value : values) EXPECT_EQ(PySet_Discard(set.get(), value.get()), 1);
  EXPECT_EQ(PySet_Contains(set.get(), values[0].get()), 0);
}

}  // namespace
}  // namespace pyston
