// What happens at a hot loop edge: entering a compiled loop, starting a recording, giving up. Runs with the GIL held.
#include "JIT/hotness/loops.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "Interpreter/eval/eval.h"

namespace pyston::jit {

bool enabled = false;
EdgeSlot edge_slots[kEdgeSlots];
Mode mode = Mode::kOff;
Counters counters;
bool log_events = false;
bool dump_traces = false;

namespace {

struct CodeLoops {
  std::vector<std::unique_ptr<Loop>> loops;
};

Py_ssize_t extra_index = -1;
std::unique_ptr<Recorder> recorder;
Loop* recorded_loop = nullptr;
int elsewhere = 0;  // instructions in a row that the recording thread ran outside of the recorded frame

/// A recording whose frame has gone away, by an exception, would never end.
constexpr int kMaxElsewhere = 20000;

int threshold() { return mode == Mode::kStress ? 2 : kHotEdges; }

void log(const Loop& loop, const char* what, const char* detail) {
  if (!log_events) return;
  const char* name = PyUnicode_AsUTF8(loop.code->co_qualname);
  if (name == nullptr) PyErr_Clear();
  int line = PyCode_Addr2Line(loop.code, static_cast<int>(loop.header - _PyCode_CODE(loop.code)) * 2);
  fprintf(stderr, "jit: %s, line %d: %s%s%s\n", name == nullptr ? "?" : name, line, what, *detail ? ": " : "", detail);
}

/// The slot answers no edge of this loop any more.
void forget_edge(const Loop& loop) {
  EdgeSlot& slot = edge_slot(loop.header);
  if (slot.target == loop.header) slot = {};
}

/// co_extra's destructor: the code dies.
void forget_code(void* extra) {
  auto* all = static_cast<CodeLoops*>(extra);
  if (all == nullptr) return;
  for (auto& loop : all->loops) {
    forget_edge(*loop);
    for (auto& trace : loop->traces) {
      // The compiling thread has it: it deletes it when done (finished_compilation finds it without an owner).
      if (trace && !cancel_compilation(trace.get())) (void)trace.release();
    }
  }
  delete all;
}

Loop* find_loop(PyCodeObject* code, _Py_CODEUNIT* header, bool create) {
  void* extra = nullptr;
  if (_PyCode_GetExtra(reinterpret_cast<PyObject*>(code), extra_index, &extra) != 0) {
    PyErr_Clear();
    return nullptr;
  }
  auto* all = static_cast<CodeLoops*>(extra);
  if (all != nullptr) {
    for (auto& loop : all->loops) {
      if (loop->header == header) return loop.get();
    }
  }
  if (!create) return nullptr;
  if (all == nullptr) {
    all = new CodeLoops;
    if (_PyCode_SetExtra(reinterpret_cast<PyObject*>(code), extra_index, all) != 0) {
      PyErr_Clear();
      delete all;
      return nullptr;
    }
  }
  all->loops.push_back(std::make_unique<Loop>(Loop{.code = code, .header = header}));
  return all->loops.back().get();
}

void give_up(Loop& loop, const char* why) {
  loop.state = loop.newest != nullptr ? Loop::kCompiled : Loop::kGivenUp;
  loop.attempts = kMaxAttempts;
  counters.loops_given_up++;
  log(loop, "given up", why);
}

void install(Loop& loop, Trace* trace) {
  trace->older = loop.newest;
  loop.newest = trace;
  loop.versions++;
  loop.state = Loop::kCompiled;
  loop.attempts = 0;
  counters.traces_compiled++;
  edge_slot(loop.header) = {loop.header, trace->machine_code, threshold()};
  log(loop, "compiled", trace->in_memory ? "memory trace" : "register trace");
}

void poll_compilations() {
  const char* why;
  while (Trace* trace = finished_compilation(&why)) {
    Loop* loop = find_loop(trace->code, trace->header, false);
    if (trace->machine_code != nullptr) {
      install(*loop, trace);
    } else {
      counters.traces_failed++;
      give_up(*loop, why);
    }
  }
}

void end_recording() {
  recorder.reset();
  recorded_loop = nullptr;
  set_recording_dispatch(false);
}

void start_recording(PyThreadState* tstate, _PyInterpreterFrame* frame, Loop& loop, PyObject** stack_pointer) {
  recorder = std::make_unique<Recorder>(tstate, frame, loop.header, stack_pointer, loop.in_memory);
  recorded_loop = &loop;
  loop.state = Loop::kRecording;
  elsewhere = 0;
  counters.recordings++;
  set_recording_dispatch(true);
}

void recording_failed(Abort reason) {
  Loop& loop = *recorded_loop;
  end_recording();
  loop.state = loop.newest != nullptr ? Loop::kCompiled : Loop::kCold;
  EdgeSlot& slot = edge_slot(loop.header);
  if (reason == Abort::kRestart) {
    loop.in_memory = true;
    counters.restarted_in_memory++;
    if (slot.target == loop.header) slot.countdown = 1;
    return;
  }
  log(loop, "not recorded", kAbortReasons[static_cast<int>(reason)]);
  if (++loop.attempts >= kMaxAttempts || reason == Abort::kInnerLoop) {
    give_up(loop, kAbortReasons[static_cast<int>(reason)]);
  }
  if (slot.target == loop.header) slot.countdown = threshold() << loop.attempts;
}

void recording_closed() {
  Loop& loop = *recorded_loop;
  std::unique_ptr<Trace> owned = recorder->take_trace();
  Trace* trace = owned.get();
  std::string problem = verify(*trace);
  if (dump_traces || !problem.empty()) fprintf(stderr, "%s%s\n", print(*trace).c_str(), problem.c_str());
  if (!problem.empty()) return recording_failed(Abort::kInvalid);
  loop.traces.push_back(std::move(owned));
  loop.state = Loop::kCompiling;
  end_recording();
  if (mode != Mode::kStress) return queue_compilation(trace);
  const char* why;
  if (compile_now(trace, &why)) return install(loop, trace);
  counters.traces_failed++;
  give_up(loop, why);
}

}  // namespace

Handler hot_edge(PyThreadState* tstate, _PyInterpreterFrame* frame, _Py_CODEUNIT* target, PyObject** stack_pointer) {
  poll_compilations();
  EdgeSlot& slot = edge_slot(target);
  bool counted = slot.target == target;
  if (recorder != nullptr || is_tracing(tstate) || tstate->interp->eval_frame != nullptr) {
    if (counted) slot.countdown = threshold();
    return nullptr;
  }
  Loop* loop = find_loop(frame->f_code, target, counted);
  Handler entry = loop != nullptr && loop->newest != nullptr ? loop->newest->machine_code : nullptr;
  if (!counted || entry != nullptr) {
    slot = {target, entry, threshold()};
    return entry;
  }
  if (loop == nullptr) return nullptr;
  switch (loop->state) {
    case Loop::kCold:
      slot.countdown = threshold();
      start_recording(tstate, frame, *loop, stack_pointer);
      break;
    case Loop::kRecording:
    case Loop::kCompiling:
      slot.countdown = 64;  // asks again whether the machine code is there
      break;
    case Loop::kCompiled:
    case Loop::kGivenUp:
      slot.countdown = INT_MAX;
      break;
  }
  return nullptr;
}

void record_instruction(PyThreadState* tstate, _PyInterpreterFrame* frame, _Py_CODEUNIT* instruction,
                        PyObject** stack_pointer) {
  if (recorder == nullptr || tstate != recorder->thread()) return;
  if (frame != recorder->frame()) {
    if (++elsewhere > kMaxElsewhere) recording_failed(Abort::kLeftFrame);
    return;
  }
  elsewhere = 0;
  if (frame->f_code != recorded_loop->code) return recording_failed(Abort::kLeftFrame);
  switch (recorder->step(instruction, stack_pointer)) {
    case Recorder::Step::kMore: return;
    case Recorder::Step::kClosed: return recording_closed();
    case Recorder::Step::kAborted: return recording_failed(recorder->abort_reason());
  }
}

void stop_recording() {
  if (recorder != nullptr) recording_failed(Abort::kTracing);
}

void note_exit(Trace* trace, Snapshot& snapshot, int64_t iterations) {
  snapshot.count++;
  counters.exits++;
  counters.iterations += iterations;
  trace->iterations += iterations;
  trace->left++;
  Loop* loop = nullptr;
  if (snapshot.reason == ExitReason::kEntryGuard) {
    if (++trace->entry_misses % kEntryMisses != 0) return;
    loop = find_loop(trace->code, trace->header, false);
    if (loop->newest != trace || loop->state != Loop::kCompiled || loop->versions >= kMaxVersions ||
        loop->attempts >= kMaxAttempts) {
      return;
    }
    loop->state = Loop::kCold;  // the types at its entry are others now: another version
    edge_slot(trace->header) = {trace->header, nullptr, 1};
    return;
  }
  if (trace->retired || trace->left < kTrialExits || trace->iterations >= trace->left * kWorthwhile) return;
  trace->retired = true;
  counters.traces_retired++;
  loop = find_loop(trace->code, trace->header, false);
  log(*loop, "retired", kExitReasons[static_cast<int>(snapshot.reason)]);
  Trace** link = &loop->newest;
  while (*link != trace) link = &(*link)->older;
  *link = trace->older;
  if (loop->newest == nullptr) loop->state = Loop::kGivenUp;
  edge_slot(trace->header) = {trace->header, loop->newest ? loop->newest->machine_code : nullptr, INT_MAX};
}

bool start(Mode wanted, const char** why) {
  mode = wanted;
  if (wanted == Mode::kOff) return true;
  const char* dump = getenv("PYSTON_DUMP");
  log_events = dump != nullptr && strstr(dump, "jit-log") != nullptr;
  dump_traces = dump != nullptr && strstr(dump, "trace") != nullptr;
  if (!open_code_generator(why)) return false;
  extra_index = _PyEval_RequestCodeExtraIndex(forget_code);
  if (extra_index < 0) {
    *why = "no index for extra data of code objects is left";
    return false;
  }
  enabled = true;
  return true;
}

void stop() {
  if (!enabled) return;
  enabled = false;
  stop_recording();
  stop_compiling();
}

PyObject* statistics() {
  PyObject* dict = PyDict_New();
  if (dict == nullptr) return nullptr;
#define COUNTER(name)                                                                          \
  if (Ref<> value = Ref<>::steal(PyLong_FromLong(counters.name));                              \
      !value || PyDict_SetItemString(dict, #name, value.get()) != 0) {                         \
    Py_DECREF(dict);                                                                           \
    return nullptr;                                                                            \
  }
#include "JIT/hotness/counters.def"
#undef COUNTER
  return dict;
}

}  // namespace pyston::jit
