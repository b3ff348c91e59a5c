// _pyston: what is particular to this engine.
#include "JIT/jit.h"
#include "Objects/bind.h"

namespace pyston {
namespace {

Ref<> jit_statistics(Borrowed<PyObject> module) {
#if PYSTON_WITH_JIT
  return Ref<>::steal(jit::statistics());
#else
  return Ref<>::steal(PyDict_New());
#endif
}

PyMethodDef methods[] = {
    method<jit_statistics, "jit_statistics($module, /)",
                             "A dict of the trace compiler's counters by name (ints, since the start); empty without one.">(),
    {}};

PyModuleDef_Slot slots[] = {{}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "_pyston",
                          .m_doc = "What is particular to this engine.",
                          .m_methods = methods,
                          .m_slots = slots};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__pyston(void) { return PyModuleDef_Init(&pyston::definition); }
