// The table of built-in modules, made from Lib/native/modules.def, and what embedders may add to it.
#include <stdlib.h>

#include "Runtime/import/import_internal.h"

#define NATIVE_MODULE(name, init) extern "C" PyObject* init(void);
#include "Lib/native/modules.def"
#undef NATIVE_MODULE

namespace {

_inittab initial_table[] = {
#define NATIVE_MODULE(name, init) {#name, init},
#include "Lib/native/modules.def"
#undef NATIVE_MODULE
    {"sys", nullptr},
    {"builtins", nullptr},
    {nullptr, nullptr},
};

_inittab* grown_table = nullptr;

}  // namespace

struct _inittab* PyImport_Inittab = initial_table;

int PyImport_ExtendInittab(struct _inittab* added) {
  size_t added_count = 0;
  while (added[added_count].name != nullptr) added_count++;
  if (added_count == 0) return 0;
  size_t count = 0;
  while (PyImport_Inittab[count].name != nullptr) count++;
  // The C library's allocator: the table outlives interpreters, each of which may bring another allocator.
  auto* table = static_cast<_inittab*>(malloc((count + added_count + 1) * sizeof(_inittab)));
  if (table == nullptr) return -1;
  memcpy(table, PyImport_Inittab, count * sizeof(_inittab));
  memcpy(table + count, added, (added_count + 1) * sizeof(_inittab));
  PyImport_Inittab = table;
  free(grown_table);
  grown_table = table;
  return 0;
}

int PyImport_AppendInittab(const char* name, PyObject* (*init)(void)) {
  _inittab rows[2] = {{name, init}, {nullptr, nullptr}};
  return PyImport_ExtendInittab(rows);
}

namespace pyston::import {

const _inittab* find_builtin(PyObject* name) {
  for (const _inittab* row = PyImport_Inittab; row->name != nullptr; row++) {
    if (PyUnicode_CompareWithASCIIString(name, row->name) == 0) return row;
  }
  return nullptr;
}

}  // namespace pyston::import
