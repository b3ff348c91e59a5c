// The loops that became hot: their state from first recording to machine code, kept per code object in its co_extra, so that they die
// with it.
#pragma once

#include <memory>

#include "JIT/ir/ir.h"
#include "JIT/jit.h"
#include "JIT/recorder/recorder.h"

namespace pyston::jit {

struct Counters {
#define COUNTER(name) long name = 0;
#include "JIT/hotness/counters.def"
#undef COUNTER
};
extern Counters counters;

struct Loop {
  PyCodeObject* code;
  _Py_CODEUNIT* header;
  enum State : uint8_t { kCold, kRecording, kCompiling, kCompiled, kGivenUp } state = kCold;
  bool in_memory = false;  // recorded with the frame in memory
  int attempts = 0;        // recordings given up in a row
  int versions = 0;
  Trace* newest = nullptr;  // the compiled version to enter; the others hang off it
  std::vector<std::unique_ptr<Trace>> traces;
};

/// Edges before a loop is recorded; in stress mode 2.
inline constexpr int kHotEdges = 1039;
/// Versions of a loop for different types at its entry.
inline constexpr int kMaxVersions = 4;
/// Recordings given up before the loop is.
inline constexpr int kMaxAttempts = 4;
/// A trace that is left this often after fewer iterations than kWorthwhile on average is retired.
inline constexpr long kTrialExits = 200;
inline constexpr long kWorthwhile = 3;
/// Entries whose guards fail before another version is recorded.
inline constexpr long kEntryMisses = 16;

extern Mode mode;
extern bool log_events;   // PYSTON_DUMP=jit-log
extern bool dump_traces;  // PYSTON_DUMP=trace

/// Counts an exit; may retire the trace or have another version recorded.
void note_exit(Trace* trace, Snapshot& snapshot, int64_t iterations);

// --- compile_queue.cpp ------------------------------------------------------------------------------------------------

/// Hands a trace to the compiling thread. It is the queue's until finished_compilation() gives it back.
void queue_compilation(Trace* trace);
/// Compiles at once (stress mode). False: *why.
bool compile_now(Trace* trace, const char** why);
/// A trace that is compiled (machine_code set) or could not be; null: none at the moment. Any trace's code may have died meanwhile.
Trace* finished_compilation(const char** why);
/// Takes a queued trace back whose code dies. True: it was not being compiled and belongs to the caller again.
bool cancel_compilation(Trace* trace);
bool open_code_generator(const char** why);
void stop_compiling();

}  // namespace pyston::jit
