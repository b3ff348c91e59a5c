// One interpreter for all unit tests, started like an embedding program would.
#include <gtest/gtest.h>

#include "Runtime/python.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  Py_Initialize();
  const int result = RUN_ALL_TESTS();
  if (Py_FinalizeEx() < 0) return 1;
  return result;
}
