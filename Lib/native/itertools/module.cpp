// itertools: the module.
#include "Lib/native/itertools/itertools.h"

namespace pyston {
namespace {

PyMethodDef itertools_functions[] = {
    method<tee, "tee($module, iterable, n=2, /)", "Returns a tuple of n independent iterators.">(),
    {},
};

int itertools_exec(PyObject* module) {
  PyTypeObject* const types[] = {
      &g_accumulate_type, &g_chain_type,       &g_combinations_type, &g_combinations_with_replacement_type,
      &g_compress_type,   &g_count_type,       &g_cycle_type,        &g_dropwhile_type,
      &g_filterfalse_type, &g_groupby_type,    &g_grouper_type,      &g_islice_type,
      &g_pairwise_type,   &g_permutations_type, &g_product_type,     &g_repeat_type,
      &g_starmap_type,    &g_takewhile_type,   &g_tee_type,          &g_tee_data_type,
      &g_zip_longest_type,
  };
  for (PyTypeObject* type : types) {
    if (PyModule_AddType(module, type) < 0) return -1;
  }
  return 0;
}
PyModuleDef_Slot itertools_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(itertools_exec)}, {0, nullptr}};
PyModuleDef itertools_module = {
    PyModuleDef_HEAD_INIT,
    "itertools",
    "Functional tools for creating and using iterators.\n\n"
    "Infinite: count, cycle, repeat. Ending with the shortest input: accumulate, chain, compress, dropwhile,\n"
    "filterfalse, groupby, islice, pairwise, starmap, takewhile, tee, zip_longest.\n"
    "Combinatoric: combinations, combinations_with_replacement, permutations, product.\n",
    0,
    itertools_functions,
    itertools_slots,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit_itertools(void) { return PyModuleDef_Init(&pyston::itertools_module); }
