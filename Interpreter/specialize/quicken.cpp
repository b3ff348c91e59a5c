// Quickening: code that has run a few times is rewritten in place so that its instructions adapt to what they see.
#include "Interpreter/bytecode/opcodes.h"

extern "C" {

Py_ssize_t _Py_QuickenedCount = 0;

/// The adaptive form of a generic instruction; 0: it has none.
uint8_t _PyOpcode_Adaptive[256] = {};

}

void _PyCode_Quicken(PyCodeObject* code) {
  _Py_QuickenedCount++;
  _Py_CODEUNIT* units = _PyCode_CODE(code);
  for (Py_ssize_t i = 0; i < Py_SIZE(code); i++) {
    int opcode = _PyOpcode_Deopt[_Py_OPCODE(units[i])];
    if (_PyOpcode_Adaptive[opcode] != 0) _Py_SET_OPCODE(units[i], _PyOpcode_Adaptive[opcode]);
    i += _PyOpcode_Caches[opcode];
  }
}
