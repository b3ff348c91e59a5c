// Recording moves between locals, constants and the stack: they change the image and seldom emit anything.
#include "JIT/recorder/recorder.h"

namespace pyston::jit {

bool Recorder::record_load_fast(int local) {
  if (slots_[local].kind == Slot::kValue) {
    push_value(slots_[local].value);
    return true;
  }
  if (!require_bound(local)) return false;
  push({.kind = Slot::kLocal, .local = static_cast<int16_t>(local)});
  return true;
}

bool Recorder::record_load_const(int index) {
  push({.kind = Slot::kConstant, .constant = PyTuple_GET_ITEM(code_->co_consts, index)});
  return true;
}

/// A register trace: the local becomes the value; its old object stays in memory until the trace is left, which nobody
/// can see since it is a number.
bool Recorder::store_value(int local) {
  Slot& item = top(1);
  if (item.kind == Slot::kMemory) return abort(Abort::kRestart);
  Value value = kNoValue;
  if (item.kind == Slot::kValue) {
    value = item.value;
  } else if (item.kind == Slot::kConstant) {
    value = number_constant(item.constant);
  } else if (item.kind == Slot::kLocal) {
    value = carry_in(item.local);
  }
  if (value == kNoValue || trace_->type_of(value) == kBool) return abort(Abort::kRestart);
  Slot& target = slots_[local];
  if (target.kind == Slot::kMemory && carry_in(local) == kNoValue) return abort(Abort::kRestart);
  flush_references_to(local);
  pop();
  target = Slot{.kind = Slot::kValue, .touched = true, .bound = true, .value = value};
  return true;
}

bool Recorder::record_store_fast(int local) {
  if (!trace_->in_memory) return store_value(local);
  flush_references_to(local);
  if (top(1).kind == Slot::kNull) return abort(Abort::kUnsupported);
  Slot stored = store_item(top(1), local);
  pop();
  slots_[local] = stored;
  return !aborted();
}

bool Recorder::record_pop_top() {
  drop(1);
  return true;
}

bool Recorder::record_copy(int depth) {
  Slot item = top(depth);
  if (item.kind == Slot::kMemory) {
    emit(IrOp::CopySlot, {}, {locals_ + depth_, instruction_address(), locals_ + depth_ - depth});
  }
  push(item);
  return true;
}

bool Recorder::record_swap(int depth) {
  if (top(1).kind == Slot::kMemory || top(depth).kind == Slot::kMemory) return run_micro_ops(opcode_);
  std::swap(top(1), top(depth));
  return true;
}

}  // namespace pyston::jit
