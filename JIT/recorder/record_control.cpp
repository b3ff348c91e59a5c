// Recording jumps and loops. A conditional jump is recorded when the next instruction shows which way it went.
#include "JIT/recorder/recorder.h"
#include "Objects/iteration/range.h"

namespace pyston::jit {

bool Recorder::record_jump(int target) {
  expected_ = target;
  if (target > unit_) return true;
  if (units_ + target == trace_->header) return close();
  return abort(Abort::kInnerLoop);
}

static bool tests_none(int opcode) {
  return opcode == OP_POP_JUMP_FORWARD_IF_NONE || opcode == OP_POP_JUMP_FORWARD_IF_NOT_NONE ||
         opcode == OP_POP_JUMP_BACKWARD_IF_NONE || opcode == OP_POP_JUMP_BACKWARD_IF_NOT_NONE;
}

bool Recorder::record_pop_jump(int target) {
  int opcode = _PyOpcode_Deopt[_Py_OPCODE(units_[unit_])];
  Slot& item = top(1);
  condition_value_ = kNoValue;
  condition_object_ = nullptr;
  if (item.kind == Slot::kNull) return abort(Abort::kUnsupported);
  if (item.kind == Slot::kValue) {
    condition_value_ = item.value;
  } else if (item.kind != Slot::kConstant && !tests_none(opcode)) {
    // A comparison that has been run as micro-ops just now has left a bool, which the interpreter has not made yet.
    PyObject* object = item.type == &PyBool_Type ? Py_True : observed(1);
    if (object == Py_True || object == Py_False || object == Py_None) {
      condition_object_ = object;
    } else {
      condition_value_ = number_at(1);
      if (condition_value_ == kNoValue) return run_micro_ops(opcode_);
    }
  }
  snapshot(ExitReason::kBranch);
  pending_jump_ = target;
  return !aborted();
}

/// The pending conditional jump went to `at`: guards that it will.
bool Recorder::resolve_jump(int at) {
  int target = pending_jump_;
  pending_jump_ = -1;
  if (at != target && at != next_) return abort(Abort::kStrayed);
  bool taken = at == target;
  int opcode = _PyOpcode_Deopt[_Py_OPCODE(units_[unit_])];
  if (!guard_condition(opcode, taken)) return false;
  drop(1);
  expected_ = at;
  if (target > unit_ || !taken) return !aborted();
  if (units_ + target == trace_->header) return close() && false;
  return abort(Abort::kInnerLoop);
}

bool Recorder::guard_condition(int opcode, bool taken) {
  Slot& item = top(1);
  if (item.kind == Slot::kConstant || (tests_none(opcode) && item.kind == Slot::kValue)) return true;  // always so
  if (tests_none(opcode)) {
    bool none = taken == (opcode == OP_POP_JUMP_FORWARD_IF_NONE || opcode == OP_POP_JUMP_BACKWARD_IF_NONE);
    emit(none ? IrOp::GuardObject : IrOp::GuardNotObject, {condition_in_memory()},
         {reinterpret_cast<int64_t>(Py_None)}, ExitReason::kBranch);
    return true;
  }
  bool truth = taken == (opcode == OP_POP_JUMP_FORWARD_IF_TRUE || opcode == OP_POP_JUMP_BACKWARD_IF_TRUE);
  if (condition_object_ != nullptr) {
    PyObject* expected = condition_object_ == Py_None ? Py_None : truth ? Py_True : Py_False;
    emit(IrOp::GuardObject, {condition_in_memory()}, {reinterpret_cast<int64_t>(expected)}, ExitReason::kBranch);
    return true;
  }
  Value value = condition_value_;
  IrType type = trace_->type_of(value);
  if (type == kInt) value = emit(IrOp::IntTruth, {value});
  if (type == kFloat) value = emit(IrOp::FloatTruth, {value});
  emit(truth ? IrOp::GuardTrue : IrOp::GuardFalse, {value}, {}, ExitReason::kBranch);
  return true;
}

Value Recorder::condition_in_memory() {
  Slot& item = top(1);
  return emit(IrOp::LoadSlot, {}, {item.kind == Slot::kLocal ? item.local : slot_index(item)});
}

/// for over a range: its iterator waits on the stack, in memory.
bool Recorder::record_for_iter() {
  PyObject* iterator = observed(1);
  if (!Py_IS_TYPE(iterator, &PyRangeIter_Type) || top(1).kind != Slot::kMemory) return run_micro_ops(opcode_);
  auto* range = reinterpret_cast<RangeIterator*>(iterator);
  if (range->index >= range->length) return abort(Abort::kLeftLoop);
  Value object = emit(IrOp::LoadSlot, {}, {locals_ + depth_ - 1});
  emit(IrOp::GuardType, {object}, {reinterpret_cast<int64_t>(&PyRangeIter_Type)});
  push_value(emit(IrOp::RangeNext, {object}, {}, ExitReason::kLoopEnd));
  may_have_stored_ = true;
  return !aborted();
}

}  // namespace pyston::jit
