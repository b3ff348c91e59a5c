// The `pyston` command.
#include "Runtime/python.h"
#include "Runtime/state/lifecycle.h"

int main(int argc, char** argv) {
  pyston::state::process_ends_with_interpreter = true;
  return Py_BytesMain(argc, argv);
}
