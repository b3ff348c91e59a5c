// The trace IR: what the recorder makes and the code generator lays down.
//
// A trace is one loop of one frame: `entry` runs once, before the first iteration (loads, type guards and unboxing of what the loop needs);
// `body` is the iteration. A Carry is a value that travels from one iteration to the next (a phi). Values are numbered;
// operands of `body` may be of any of the three kinds, those of `entry` only entry values.
//
// Guards carry a Snapshot: where the interpreter goes on, and for every slot of the frame whose memory is not current the value that
// belongs there. INVARIANT: an instruction exits before it has any effect, so that the interpreter can run the Python instruction anew.
//
// A register trace keeps changed locals in values until it is left: their slots are stale meanwhile. A memory trace
// (one with RunMicroOps, which look at the frame) writes every local at once and only caches unboxed values.
#pragma once

// Before the Python headers, which bring C's <stdatomic.h>.
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "Interpreter/eval/handlers.h"

namespace pyston::jit {

enum IrType : uint8_t { kNone, kObject, kInt, kFloat, kBool };

enum IrFlags : uint8_t { kExits = 1, kWrites = 2, kSpecial = 4 };

enum class IrOp : uint8_t {
#define IROP(name, a, b, c, result, flags, immediates) name,
#include "JIT/ir/irops.def"
#undef IROP
};

struct IrOpInfo {
  const char* name;
  IrType operands[3];
  IrType result;
  uint8_t flags;
};
extern const IrOpInfo kIrOps[];
inline const IrOpInfo& info(IrOp op) { return kIrOps[static_cast<int>(op)]; }

/// A value: its kind in the upper bits, its index below.
using Value = int32_t;
inline constexpr Value kNoValue = -1;
inline constexpr Value kEntryValue = 1 << 28;
inline constexpr Value kCarryValue = 2 << 28;
inline Value value_kind(Value value) { return value & (3 << 28); }
inline int value_index(Value value) { return value & ((1 << 28) - 1); }

struct Instruction {
  IrOp op;
  int16_t snapshot = -1;
  Value operands[3] = {kNoValue, kNoValue, kNoValue};
  int64_t imm[3] = {};
};

struct Carry {
  IrType type;
  int slot;                // the local it belongs to
  Value initial;           // an entry value
  Value back = kNoValue;   // at the end of an iteration; itself: it does not change
  bool dirty = false;      // the slot's memory is stale after the first iteration
};

struct SnapshotEntry {
  enum Kind : uint8_t {
    kUnboxed,   // the value, boxed
    kConstant,  // an object
    kCopyOf,    // the object in another slot
    kNull,
  } kind;
  int16_t slot;
  Value value;         // kUnboxed; kCopyOf: the slot
  PyObject* constant;  // borrowed from the code object
};

enum class ExitReason : uint8_t {
#define EXIT_REASON(name, text) name,
#include "JIT/exits/exit_reasons.def"
#undef EXIT_REASON
};
inline constexpr size_t kExitReasonCount = 0
#define EXIT_REASON(name, text) +1
#include "JIT/exits/exit_reasons.def"
#undef EXIT_REASON
    ;
extern const char* const kExitReasons[];

struct Snapshot {
  int instruction;  // offset in code units where the interpreter goes on
  int depth;        // items on the value stack
  ExitReason reason;
  std::vector<SnapshotEntry> entries;
  long count = 0;  // how often the trace was left here
};

struct Trace {
  PyCodeObject* code;      // borrowed: the trace dies with it; not to be looked into while compiling
  _Py_CODEUNIT* units;     // the code's instructions
  _Py_CODEUNIT* header;    // the first instruction of the loop
  int locals;              // slots before the value stack
  int depth;               // items on the value stack there
  bool in_memory = false;  // a memory trace
  std::vector<Instruction> entry;
  std::vector<Instruction> body;
  std::vector<Carry> carries;
  std::vector<Snapshot> snapshots;

  Handler machine_code = nullptr;
  long left = 0;        // exits so far
  long entry_misses = 0;
  long iterations = 0;  // completed before them
  Trace* older = nullptr;  // the version to try when this one's entry guards fail
  bool retired = false;    // not entered any more

  IrType type_of(Value value) const {
    int index = value_index(value);
    if (value_kind(value) == kCarryValue) return carries[index].type;
    return info((value_kind(value) == kEntryValue ? entry : body)[index].op).result;
  }
  const Instruction& instruction(Value value) const {
    return (value_kind(value) == kEntryValue ? entry : body)[value_index(value)];
  }
};

/// The trace as text, for PYSTON_DUMP=trace.
std::string print(const Trace& trace);
/// What is wrong with the trace (operand kinds, types, order, snapshots); empty: nothing.
std::string verify(const Trace& trace);

}  // namespace pyston::jit
