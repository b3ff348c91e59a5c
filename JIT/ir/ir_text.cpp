// The trace IR's printer and verifier, both driven by irops.def.
#include "JIT/ir/ir.h"

namespace pyston::jit {

namespace {

const char* const kTypeNames[] = {"none", "object", "int", "float", "bool"};

std::string name_of(Value value) {
  if (value == kNoValue) return "-";
  const char* prefix = value_kind(value) == kEntryValue ? "e" : value_kind(value) == kCarryValue ? "c" : "v";
  return prefix + std::to_string(value_index(value));
}

void print_section(std::string& out, const Trace& trace, const std::vector<Instruction>& section, Value kind) {
  for (size_t i = 0; i < section.size(); i++) {
    const Instruction& instruction = section[i];
    const IrOpInfo& op = info(instruction.op);
    out += "  ";
    if (op.result != kNone) out += name_of(kind | static_cast<Value>(i)) + " = ";
    out += op.name;
    for (Value operand : instruction.operands) {
      if (operand != kNoValue) out += " " + name_of(operand);
    }
    for (int64_t immediate : instruction.imm) {
      if (immediate != 0) out += " #" + std::to_string(immediate);
    }
    if (op.flags & kExits) {
      const Snapshot& snapshot = trace.snapshots[instruction.snapshot];
      out += "  -> exit " + std::to_string(instruction.snapshot) + " (" +
             kExitReasons[static_cast<int>(snapshot.reason)] + " at " + std::to_string(snapshot.instruction);
      for (const SnapshotEntry& entry : snapshot.entries) {
        out += ", " + std::to_string(entry.slot) + ":";
        out += entry.kind == SnapshotEntry::kUnboxed ? name_of(entry.value)
               : entry.kind == SnapshotEntry::kNull ? "null"
               : entry.kind == SnapshotEntry::kCopyOf ? "slot " + std::to_string(entry.value)
                                                      : "const";
      }
      out += ")";
    }
    out += "\n";
  }
}

struct Verifier {
  const Trace& trace;
  std::string problem;

  void complain(const std::string& what) {
    if (problem.empty()) problem = what;
  }
  bool defined(Value value, Value section, size_t position) {
    if (value == kNoValue) return false;
    size_t index = static_cast<size_t>(value_index(value));
    if (value_kind(value) == kEntryValue) return section != kEntryValue ? index < trace.entry.size() : index < position;
    if (section == kEntryValue) return false;
    if (value_kind(value) == kCarryValue) return index < trace.carries.size();
    return index < position;
  }
  void check_section(const std::vector<Instruction>& section, Value kind) {
    for (size_t i = 0; i < section.size(); i++) {
      const Instruction& instruction = section[i];
      const IrOpInfo& op = info(instruction.op);
      std::string where = std::string(op.name) + " " + name_of(kind | static_cast<Value>(i));
      for (int k = 0; k < 3; k++) {
        if (op.operands[k] == kNone) {
          if (instruction.operands[k] != kNoValue) complain(where + ": too many operands");
        } else if (!defined(instruction.operands[k], kind, i)) {
          complain(where + ": operand is not defined before");
        } else if (trace.type_of(instruction.operands[k]) != op.operands[k]) {
          complain(where + ": operand of type " + kTypeNames[trace.type_of(instruction.operands[k])]);
        }
      }
      bool exits = (op.flags & kExits) != 0;
      if (exits != (instruction.snapshot >= 0)) complain(where + (exits ? ": no snapshot" : ": a snapshot"));
      if (!exits || instruction.snapshot < 0) continue;
      for (const SnapshotEntry& entry : trace.snapshots[instruction.snapshot].entries) {
        if (entry.kind == SnapshotEntry::kUnboxed && !defined(entry.value, kind == kEntryValue ? kEntryValue : 0, i)) {
          complain(where + ": its snapshot uses a later value");
        }
      }
    }
  }
};

}  // namespace

std::string print(const Trace& trace) {
  std::string out = std::string(trace.in_memory ? "memory" : "register") + " trace of " +
                    PyUnicode_AsUTF8(trace.code->co_qualname) + " at " +
                    std::to_string(trace.header - trace.units) + "\nentry:\n";
  print_section(out, trace, trace.entry, kEntryValue);
  out += "loop:\n";
  for (size_t i = 0; i < trace.carries.size(); i++) {
    const Carry& carry = trace.carries[i];
    out += "  " + name_of(kCarryValue | static_cast<Value>(i)) + " = " + kTypeNames[carry.type] + " slot " +
           std::to_string(carry.slot) + " from " + name_of(carry.initial) + " then " + name_of(carry.back) +
           (carry.dirty ? " (slot stale)\n" : "\n");
  }
  print_section(out, trace, trace.body, 0);
  return out;
}

std::string verify(const Trace& trace) {
  Verifier verifier{trace, {}};
  verifier.check_section(trace.entry, kEntryValue);
  verifier.check_section(trace.body, 0);
  for (const Carry& carry : trace.carries) {
    if (!verifier.defined(carry.initial, kEntryValue, trace.entry.size()) || trace.type_of(carry.initial) != carry.type) {
      verifier.complain("carry without a fitting initial value");
    }
    if (!verifier.defined(carry.back, 0, trace.body.size()) || trace.type_of(carry.back) != carry.type) {
      verifier.complain("carry without a fitting value at the end");
    }
  }
  return verifier.problem;
}

}  // namespace pyston::jit
