// The one door between the interpreter and the trace compiler. The interpreter counts loop edges here, enters compiled
// loops, and lets the recorder watch; with PYSTON_WITH_JIT off all of it folds away.
//
// The whole path: a loop edge is hot (hotness/) -> its instructions are recorded as trace IR (recorder/, ir/) -> compiled on a background
// thread by the shared object libpyston_jit.so (codegen/, the only part that knows LLVM) -> entered from the edge by tail call ->
// left at a failing guard by tail call, the frame rebuilt from a snapshot (exits/).
//
// INVARIANT: everything here is guarded by the GIL, except the queue to the compiling thread.
#pragma once

#include "Interpreter/eval/handlers.h"

namespace pyston::jit {

#if PYSTON_WITH_JIT

/// What is known of one loop edge: a direct-mapped cache keyed by the jump's target.
struct EdgeSlot {
  const _Py_CODEUNIT* target;
  Handler entry;  // the compiled loop, or null
  int countdown;  // edges left until hot_edge is asked
};
inline constexpr size_t kEdgeSlots = 4096;
extern EdgeSlot edge_slots[kEdgeSlots];

/// The trace compiler is on (PYSTON_JIT, -X jit).
extern bool enabled;

ALWAYS_INLINE EdgeSlot& edge_slot(const _Py_CODEUNIT* target) {
  return edge_slots[(reinterpret_cast<uintptr_t>(target) >> 1) % kEdgeSlots];
}

/// An edge whose slot is another loop's or has counted down. Returns the compiled loop to enter or null; may start recording.
Handler hot_edge(PyThreadState* tstate, _PyInterpreterFrame* frame, _Py_CODEUNIT* target, PyObject** stack_pointer);

/// Called with every instruction that the recording thread is about to run (from op_record).
void record_instruction(PyThreadState* tstate, _PyInterpreterFrame* frame, _Py_CODEUNIT* instruction,
                        PyObject** stack_pointer);

/// Recording is thrown away: dispatch goes through other handlers from now on (tracing was switched on).
void stop_recording();

enum class Mode { kOff, kOn, kStress };
/// Switches the compiler on. kStress: loops are hot at once and compiled before they go on. False: libpyston_jit.so cannot be
/// used; *why says what is wrong.
bool start(Mode mode, const char** why);
/// Before the interpreter is finalised: the compiling thread ends, nothing is compiled any more.
void stop();
/// The counters of pyston.jit.stats(), by name. New reference.
PyObject* statistics();

/// A jump to `s.next_instr`, the head of a loop.
ALWAYS_INLINE Outcome count_edge(State& s) {
  if (LIKELY(!enabled)) return kGo;
  EdgeSlot& slot = edge_slot(s.next_instr);
  Handler entry = nullptr;
  if (slot.target == s.next_instr && slot.entry != nullptr && !is_tracing(s.tstate)) {
    entry = slot.entry;
  } else if (UNLIKELY(slot.target != s.next_instr || --slot.countdown <= 0)) {
    entry = hot_edge(s.tstate, s.frame, s.next_instr, s.stack_pointer);
  }
  if (entry == nullptr) return kGo;
  s.result = reinterpret_cast<PyObject*>(entry);
  return kTrace;
}

#else

ALWAYS_INLINE Outcome count_edge(State&) { return kGo; }
inline void stop_recording() {}
inline void stop() {}

#endif

}  // namespace pyston::jit
