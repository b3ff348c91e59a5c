// The `_opcode` module behind `opcode` and `dis`.
#include "Objects/bind.h"

#include <compile.h>
#include <opcode.h>

namespace pyston {
namespace {

Ref<> opcode_stack_effect(Borrowed<> module, int opcode, PyObject* argument, PyObject* jump) {
  int jump_kind;
  if (jump == nullptr || jump == Py_None) {
    jump_kind = -1;
  } else if (jump == Py_True) {
    jump_kind = 1;
  } else if (jump == Py_False) {
    jump_kind = 0;
  } else {
    return raise(PyExc_ValueError, "stack_effect: jump must be False, True or None");
  }
  const bool has_argument = argument != nullptr && argument != Py_None;
  int oparg = 0;
  if (opcode >= HAVE_ARGUMENT) {
    if (!has_argument) {
      return raise(PyExc_ValueError, "stack_effect: opcode requires oparg but oparg was not specified");
    }
    const long value = PyLong_AsLong(argument);
    if (value == -1 && PyErr_Occurred()) return nullptr;
    oparg = static_cast<int>(value);
  } else if (has_argument) {
    return raise(PyExc_ValueError, "stack_effect: opcode does not permit oparg but oparg was specified");
  }
  const int effect = PyCompile_OpcodeStackEffectWithJump(opcode, oparg, jump_kind);
  if (effect == PY_INVALID_STACK_EFFECT) return raise(PyExc_ValueError, "invalid opcode or oparg");
  return Ref<>::steal(PyLong_FromLong(effect));
}

/// None, as in any build that doesn't count.
Ref<> opcode_get_specialization_stats(Borrowed<> module) { return Ref<>::none(); }

PyMethodDef opcode_methods[] = {
    method<opcode_stack_effect, "stack_effect($module, opcode, oparg=None, /, *, jump=None)",
           "What the instruction does to the depth of the stack.">(),
    method<opcode_get_specialization_stats, "get_specialization_stats($module, /)",
           "Counters of specialisation, where they are kept.">(),
    {},
};

PyModuleDef opcode_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_opcode",
    .m_doc = "Properties of instructions.",
    .m_methods = opcode_methods,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__opcode(void) { return PyModuleDef_Init(&pyston::opcode_module); }
