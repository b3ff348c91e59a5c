// Quickening: code that has run a few times is rewritten in place so that its instructions adapt to what they see, and
// frequent pairs run as one. co_code, marshal and dis map everything back through _PyOpcode_Deopt.
#include "Interpreter/specialize/specialize.h"

namespace pyston {
namespace {

/// The adaptive form of each generic instruction (0: it has none), from the kAdaptive rows of the table.
struct AdaptiveForms {
  uint8_t form[256] = {};
  constexpr AdaptiveForms() {
#define OPCODE(name, number, operand, pops, pushes, cache, family, flags, uops) \
  if (((flags) & kAdaptive) != 0 && form[OP_##family] == 0) form[OP_##family] = number;
#include "Interpreter/bytecode/opcodes.def"
#undef OPCODE
    form[OP_RESUME] = OP_RESUME_QUICK;
    form[OP_JUMP_BACKWARD] = OP_JUMP_BACKWARD_QUICK;
  }
};
constexpr AdaptiveForms kAdaptiveForms;

/// The instruction that does `first` and `second`, 0: there is none.
int superinstruction(int first, int second) {
  switch (first << 8 | second) {
    case OP_LOAD_FAST << 8 | OP_LOAD_FAST: return OP_LOAD_FAST__LOAD_FAST;
    case OP_LOAD_FAST << 8 | OP_LOAD_CONST: return OP_LOAD_FAST__LOAD_CONST;
    case OP_LOAD_CONST << 8 | OP_LOAD_FAST: return OP_LOAD_CONST__LOAD_FAST;
    case OP_STORE_FAST << 8 | OP_LOAD_FAST: return OP_STORE_FAST__LOAD_FAST;
    case OP_STORE_FAST << 8 | OP_STORE_FAST: return OP_STORE_FAST__STORE_FAST;
  }
  return 0;
}

}  // namespace
}  // namespace pyston

using namespace pyston;

extern "C" {
Py_ssize_t _Py_QuickenedCount = 0;
}

int pyston::adaptive_form(int family) { return kAdaptiveForms.form[family]; }

void _PyCode_Quicken(PyCodeObject* code) {
  _Py_QuickenedCount++;
  _Py_CODEUNIT* units = _PyCode_CODE(code);
  int previous = -1;
  for (Py_ssize_t i = 0; i < Py_SIZE(code); i++) {
    int opcode = _PyOpcode_Deopt[_Py_OPCODE(units[i])];
    int caches = _PyOpcode_Caches[opcode];
    int form = kAdaptiveForms.form[opcode];
    if (form != 0) {
      _Py_SET_OPCODE(units[i], form);
      previous = -1;
      i += caches;
      continue;
    }
    int pair = previous < 0 ? 0 : superinstruction(previous, opcode);
    if (pair != 0) _Py_SET_OPCODE(units[i - 1], pair);
    previous = opcode;
    i += caches;
  }
}
