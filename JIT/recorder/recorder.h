// Records one iteration of a hot loop as trace IR while the interpreter runs it.
//
// Before each instruction the recorder sees the real frame. It keeps an image of it: for every slot whether memory holds the object, which
// unboxed value is known of it, or what an item of the stack would be if it had been pushed. Instructions whose operands
// are numbers become typed IR (record_numbers.cpp); moves and jumps only change the image (record_stack.cpp, record_control.cpp); anything
// else is laid down as its micro-ops, after the image has been written back to the frame (run_micro_ops).
//
// How to record another instruction natively: a case in record() that either emits IR for the observed operand types or
// falls back to run_micro_ops, which is always right.
#pragma once

#include <memory>

#include "JIT/ir/ir.h"

namespace pyston::jit {

enum class Abort : uint8_t {
#define ABORT_REASON(name, text) name,
#include "JIT/recorder/abort_reasons.def"
#undef ABORT_REASON
};
extern const char* const kAbortReasons[];

/// What the recorder knows of a slot.
struct Slot {
  enum Kind : uint8_t {
    kMemory,    // memory holds the object (owned by the slot); `value`, if any, is its unboxed content
    kValue,     // an unboxed value; memory is stale
    kConstant,  // (stack) an object of the code's constants, not pushed
    kLocal,     // (stack) the object in local `local`, not pushed
    kNull,      // (stack) null, not pushed
  } kind = kMemory;
  bool touched = false;          // (locals) written in this iteration
  bool bound = false;            // (locals) known not to be null
  int16_t local = -1;            // of kLocal
  Value value = kNoValue;
  PyTypeObject* type = nullptr;  // exact type of the object in memory, once it has been guarded
  PyObject* constant = nullptr;
};

struct Operands {
  Value a = kNoValue;
  Value b = kNoValue;
  Value c = kNoValue;
};
struct Immediates {
  int64_t first = 0;
  int64_t second = 0;
  int64_t third = 0;
};

class Recorder {
 public:
  Recorder(PyThreadState* tstate, _PyInterpreterFrame* frame, _Py_CODEUNIT* header, PyObject** stack_pointer, bool in_memory);

  enum class Step { kMore, kClosed, kAborted };
  /// The instruction at `unit` (perhaps an EXTENDED_ARG prefix) is about to run.
  Step step(_Py_CODEUNIT* unit, PyObject** stack_pointer);

  PyThreadState* thread() const { return tstate_; }
  _PyInterpreterFrame* frame() const { return frame_; }
  Abort abort_reason() const { return abort_; }
  std::unique_ptr<Trace> take_trace() { return std::move(trace_); }

 private:
  // --- recorder.cpp: the driver and the image ---
  bool aborted() const { return step_ == Step::kAborted; }
  bool abort(Abort reason);  // false
  bool record(int opcode, int oparg);
  bool catch_up(int at);
  void begin(int offset, int length, int opcode);
  Slot& top(int depth) { return slots_[locals_ + depth_ - depth]; }
  int slot_index(const Slot& slot) const { return static_cast<int>(&slot - slots_.data()); }
  PyObject* observed(int depth) const { return stack_pointer_[-depth]; }
  void push(const Slot& slot);
  Slot pop();
  Value emit(IrOp op, const Operands& operands = {}, const Immediates& immediates = {},
             ExitReason reason = ExitReason::kTypeGuard);
  Value emit_entry(IrOp op, Value operand, int64_t immediate);
  int16_t snapshot(ExitReason reason);
  int64_t instruction_address() const;
  /// A carry for an untouched local with a number in it; kNoValue: it holds something else.
  Value carry_in(int local);
  Value add_carry(int local, PyTypeObject* type);
  /// Guards that a local is bound (at entry, when nothing has written it yet).
  bool require_bound(int local);
  /// The unboxed content of an item `depth` below the top, of the type observed; kNoValue: no number.
  Value number_at(int depth);
  Value unbox_memory(Slot& slot, PyObject* object);
  Value number_constant(PyObject* object);
  Value as_float(Value value);
  /// Items that numbers were taken of are gone from the stack.
  void drop(int count);
  void push_value(Value value);
  /// The object of an item in a value of type kObject, borrowed, with its exact type guarded; kNoValue: it has no memory.
  Value object_at(int depth, PyTypeObject* type);
  Slot store_item(const Slot& item, int target);
  void write_back_item(int slot);
  void flush_references_to(int local);
  bool run_micro_ops(int opcode);
  int generic_opcode() const;
  void forget_local(int local);
  Value value_at_end(const Carry& carry, Value itself);
  void complete_snapshots();
  bool close();

  // --- record_stack.cpp ---
  bool record_load_fast(int local);
  bool record_store_fast(int local);
  bool store_value(int local);
  bool record_load_const(int index);
  bool record_pop_top();
  bool record_copy(int depth);
  bool record_swap(int depth);

  // --- record_numbers.cpp ---
  static bool zero_divisor(IrOp op, PyObject* divisor);
  static bool index_fits(PyObject* container, PyObject* index);
  bool record_binary_op(int oparg);
  bool record_compare_op(int oparg);
  bool record_unary(int opcode);
  bool record_binary_subscr();
  bool record_store_subscr();

  // --- record_control.cpp ---
  bool record_pop_jump(int target);
  bool resolve_jump(int at);
  bool guard_condition(int opcode, bool taken);
  Value condition_in_memory();
  bool record_for_iter();
  bool record_jump(int target);

  PyThreadState* tstate_;
  _PyInterpreterFrame* frame_;
  PyCodeObject* code_;
  _Py_CODEUNIT* units_;
  std::unique_ptr<Trace> trace_;
  std::vector<Slot> slots_;   // locals, then the stack
  std::vector<PyTypeObject*> entry_types_;  // of the numbers in locals at the header; null: something else
  int locals_;
  int depth_;
  PyObject** stack_pointer_ = nullptr;  // the real one

  // the instruction being recorded
  int offset_ = 0;        // of its first unit, prefixes included
  int unit_ = 0;          // of the instruction proper
  int next_ = 0;          // behind its caches
  int opcode_ = 0;        // as it stands (quickened, specialised)
  int oparg_ = 0;
  std::vector<int16_t> snapshots_here_;  // by reason

  int expected_ = -1;      // offset of the instruction to come; -1: wherever micro-ops go
  int pending_micro_ops_ = -1;  // index in body of a RunMicroOps whose next instruction isn't known yet
  int pending_jump_ = -1;       // target of a conditional jump whose way isn't known yet
  Value condition_value_ = kNoValue;      // what it tests: a number,
  PyObject* condition_object_ = nullptr;  // or True, False or None, in memory
  bool may_have_stored_ = false;  // a FOR_ITER that may do the STORE_FAST behind it
  int recorded_ = 0;
  Step step_ = Step::kMore;
  Abort abort_ = Abort::kUnsupported;
};

/// Loops longer than this are left to the interpreter.
inline constexpr int kMaxRecordedInstructions = 600;

}  // namespace pyston::jit
