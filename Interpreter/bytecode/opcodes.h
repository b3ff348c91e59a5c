// Names and properties of instructions, all derived from opcodes.def.
//
// `OP_NAME` are the numbers. This header does not include CPython's <opcode.h>, whose macros have the bare names;
// opcodes.cpp includes both and asserts that they agree.
#pragma once

#include "Runtime/python.h"
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"

namespace pyston {

/// What an instruction's argument means.
enum Operand : uint8_t {
  kUnused,
  kName,       // index into co_names
  kNameShift,  // index into co_names times two, plus a flag
  kConst,      // index into co_consts
  kLocal,      // index into localsplus
  kForward,    // distance in code units, forward from the next instruction
  kBackward,   // distance in code units, backward from the next instruction
  kCompare,    // Py_LT ...
  kBinary,     // NB_ADD ...
  kCount,      // a number of items
  kFlag,       // bits particular to the instruction
  kInvert,     // 1: the negated test
  kExtension,  // upper bits of the next instruction's argument
};

enum OpcodeFlags : unsigned {
  kPure = 1,          // runs no code outside the interpreter: frame->prev_instr need not be current
  kJump = 2,          // may set the next instruction
  kEntersFrame = 4,   // may continue in a new frame
  kLeavesFrame = 8,   // continues in the calling frame
  kSpecialized = 16,  // written by a specialiser; falls back to the family
  kAdaptive = 32,     // counts down to an attempt to specialise
};

/// Size of an inline cache in code units.
struct NoCache {};
template <class Cache>
inline constexpr int kCacheUnits = sizeof(Cache) / sizeof(_Py_CODEUNIT);
template <>
inline constexpr int kCacheUnits<NoCache> = 0;

enum Opcode : int {
#define OPCODE(name, number, operand, pops, pushes, cache, family, flags, uops) OP_##name = number,
#include "Interpreter/bytecode/opcodes.def"
#undef OPCODE
};

struct OpcodeInfo {
  const char* name;  // null: no such instruction
  Operand operand;
  uint8_t cache_units;
  uint8_t family;
  uint8_t flags;
};
extern const OpcodeInfo kOpcodeInfo[256];

/// Numbers from here on are forms of our own, which no tool knows: whoever shows adaptive code shows their family.
inline constexpr int kFirstExtraOpcode = 181;

}  // namespace pyston

extern "C" {
extern const uint8_t _PyOpcode_Caches[256];
extern const uint8_t _PyOpcode_Deopt[256];
}
