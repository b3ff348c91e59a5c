// Leaving a trace: rebuilds the interpreter's frame from a snapshot and the values that machine code has put into exit_values.
//
// Objects keep their identity: values that were one object in the interpreter become one object again. A local whose value did not change since
// the trace was entered keeps the object in its slot; one that holds what another held an iteration ago gets that one's object; only
// results of arithmetic get new objects, one for each result.
#include "JIT/exits/leave_trace.h"

#include "Interpreter/eval/eval.h"
#include "JIT/hotness/loops.h"
#include "Objects/numbers/float.h"
#include "Objects/numbers/int.h"

namespace pyston::jit {

int64_t exit_values[kMaxExitValues];
int64_t exit_iterations;

namespace {

/// Which object a value stands for when a trace is left after `iterations`.
struct Identity {
  enum Kind { kSlot, kConstant, kMade } kind;
  int64_t which;      // the slot; the object's address; the value
  int64_t iteration;  // in which a kMade one was made

  bool operator==(const Identity& other) const {
    return kind == other.kind && which == other.which && iteration == other.iteration;
  }
};

/// The slot from whose object an entry value was unboxed.
int slot_of_entry(const Trace& trace, Value value) {
  return static_cast<int>(trace.instruction(trace.instruction(value).operands[0]).imm[0]);
}

Identity identity_of(const Trace& trace, Value value, int64_t iteration) {
  // Follows the value back through the iterations in which it only moved from local to local. What only ever moves goes round in
  // a cycle of at most all carries.
  const auto carries = static_cast<int64_t>(trace.carries.size());
  int64_t steps = 0;
  while (value_kind(value) == kCarryValue) {
    const Carry& carry = trace.carries[value_index(value)];
    if (iteration == 0) return {Identity::kSlot, carry.slot, 0};
    value = carry.back;
    iteration--;
    if (++steps == carries + 1 && iteration > 0) {
      Value start = value;
      int64_t length = 0;
      do {
        value = trace.carries[value_index(value)].back;
        length++;
      } while (value != start);
      iteration %= length;
    }
  }
  if (value_kind(value) == kEntryValue) return {Identity::kSlot, slot_of_entry(trace, value), 0};
  const Instruction& made = trace.instruction(value);
  if (made.op == IrOp::ConstInt || made.op == IrOp::ConstFloat) return {Identity::kConstant, made.imm[1], 0};
  return {Identity::kMade, value, iteration};
}

PyObject* box(IrType type, int64_t bits) {
  switch (type) {
    case kInt: return int_from_int64(bits);
    case kFloat: return float_from_double(std::bit_cast<double>(bits));
    default: return Py_NewRef(bits ? Py_True : Py_False);
  }
}

}  // namespace

/// Writes what the snapshot says to the frame. False: no memory for an object (exception set); the frame is as before, which is stale by some iterations.
static bool rebuild_frame(const Trace& trace, const Snapshot& snapshot, _PyInterpreterFrame* frame) {
  PyObject* objects[kMaxExitValues];
  Identity identities[kMaxExitValues];
  size_t count = snapshot.entries.size();
  for (size_t i = 0; i < count; i++) {
    const SnapshotEntry& entry = snapshot.entries[i];
    PyObject*& object = objects[i];
    switch (entry.kind) {
      case SnapshotEntry::kNull: object = nullptr; continue;
      case SnapshotEntry::kConstant: object = Py_NewRef(entry.constant); continue;
      case SnapshotEntry::kCopyOf: object = Py_XNewRef(frame->localsplus[entry.value]); continue;
      case SnapshotEntry::kUnboxed: break;
    }
    identities[i] = identity_of(trace, entry.value, exit_iterations);
    object = nullptr;
    for (size_t k = 0; k < i && object == nullptr; k++) {
      if (snapshot.entries[k].kind == SnapshotEntry::kUnboxed && identities[k] == identities[i]) {
        object = Py_NewRef(objects[k]);
      }
    }
    if (object != nullptr) continue;
    if (identities[i].kind == Identity::kSlot) {
      object = Py_NewRef(frame->localsplus[identities[i].which]);
    } else if (identities[i].kind == Identity::kConstant) {
      object = Py_NewRef(reinterpret_cast<PyObject*>(identities[i].which));
    } else {
      object = box(trace.type_of(entry.value), exit_values[i]);
      if (object == nullptr) {
        while (i-- > 0) Py_XDECREF(objects[i]);
        return false;
      }
    }
  }
  // Old objects of locals are numbers: dropping them runs no code.
  for (size_t i = 0; i < count; i++) {
    int slot = snapshot.entries[i].slot;
    PyObject* old = slot < trace.locals ? frame->localsplus[slot] : nullptr;
    frame->localsplus[slot] = objects[i];
    Py_XDECREF(old);
  }
  return true;
}

namespace {
struct Departure {
  _Py_CODEUNIT* next_instr;
  PyObject** stack_pointer;
  Handler continuation;  // null: dispatch
};
}  // namespace

static Departure depart(Trace* trace, int number, _PyInterpreterFrame* frame, PyThreadState* tstate) {
  Snapshot& snapshot = trace->snapshots[static_cast<size_t>(number)];
  Departure departure{trace->units + snapshot.instruction,
                      frame->localsplus + trace->locals + snapshot.depth, nullptr};
  note_exit(trace, snapshot, exit_iterations);
  if (number == 0) {
    for (Trace* older = trace->older; older != nullptr; older = older->older) {
      if (older->retired) continue;
      departure.continuation = older->machine_code;
      return departure;
    }
    return departure;
  }
  if (!rebuild_frame(*trace, snapshot, frame)) {
    frame->prev_instr = departure.next_instr;
    departure.continuation = kErrorHandler;
    departure.next_instr++;
    for (const SnapshotEntry& entry : snapshot.entries) {
      if (entry.slot >= trace->locals) frame->localsplus[entry.slot] = nullptr;
    }
  }
  return departure;
}

#define PARAMETERS                                                                                          \
  _PyInterpreterFrame *frame, _Py_CODEUNIT *next_instr, PyObject **stack_pointer, PyThreadState *tstate, int oparg

HANDLER_ABI PyObject* op_leave_trace(PARAMETERS) {
  Departure departure = depart(reinterpret_cast<Trace*>(next_instr), oparg, frame, tstate);
  if (departure.continuation != nullptr) {
    [[clang::musttail]] return departure.continuation(frame, departure.next_instr, departure.stack_pointer, tstate, 0);
  }
  _Py_CODEUNIT unit = *departure.next_instr;
  [[clang::musttail]] return active_handlers[_Py_OPCODE(unit)](frame, departure.next_instr + 1, departure.stack_pointer,
                                                               tstate, _Py_OPARG(unit));
}

/// Leaves behind micro-ops that went elsewhere than recorded: the frame is in memory. exit_values holds the trace.
HANDLER_ABI PyObject* op_go_on(PARAMETERS) {
  auto* trace = reinterpret_cast<Trace*>(exit_values[0]);
  note_exit(trace, trace->snapshots[static_cast<size_t>(oparg)], exit_iterations);
  _Py_CODEUNIT unit = *next_instr;
  [[clang::musttail]] return active_handlers[_Py_OPCODE(unit)](frame, next_instr + 1, stack_pointer, tstate,
                                                               _Py_OPARG(unit));
}

}  // namespace pyston::jit
