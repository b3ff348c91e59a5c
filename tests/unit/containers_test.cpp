// The hash table of C pointers that has no face in Python.
#include <gtest/gtest.h>

#include "Runtime/python.h"

#include <internal/pycore_hashtable.h>

TEST(PointerTable, KeepsWhatWasStored) {
  _Py_hashtable_t* table = _Py_hashtable_new(_Py_hashtable_hash_ptr, _Py_hashtable_compare_direct);
  ASSERT_NE(table, nullptr);
  static char memory[1000];
  for (char& place : memory) ASSERT_EQ(_Py_hashtable_set(table, &place, &place + 1), 0);
  EXPECT_EQ(table->nentries, 1000u);
  for (char& place : memory) EXPECT_EQ(_Py_hashtable_get(table, &place), &place + 1);
  for (int i = 0; i < 1000; i += 2) EXPECT_EQ(_Py_hashtable_steal(table, &memory[i]), &memory[i] + 1);
  EXPECT_EQ(_Py_hashtable_get(table, &memory[0]), nullptr);
  EXPECT_EQ(_Py_hashtable_get(table, &memory[1]), &memory[2]);
  EXPECT_EQ(_Py_hashtable_steal(table, &memory[0]), nullptr);
  _Py_hashtable_clear(table);
  EXPECT_EQ(table->nentries, 0u);
  EXPECT_EQ(_Py_hashtable_get(table, &memory[1]), nullptr);
  _Py_hashtable_destroy(table);
}
