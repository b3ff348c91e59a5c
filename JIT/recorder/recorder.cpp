// The recorder's driver, its image of the frame, snapshots, and the end of the loop.
#include "JIT/recorder/recorder.h"

#include "JIT/codegen/codegen.h"
#include "Objects/numbers/int.h"

namespace pyston::jit {

const char* const kAbortReasons[] = {
#define ABORT_REASON(name, text) text,
#include "JIT/recorder/abort_reasons.def"
#undef ABORT_REASON
};

/// Exact float, or exact int that fits int64: its IR type; kNone for anything else.
static IrType number_type(PyObject* object) {
  if (object == nullptr) return kNone;
  if (PyFloat_CheckExact(object)) return kFloat;
  return PyLong_CheckExact(object) && fits_int64(as_long(object)) ? kInt : kNone;
}

Recorder::Recorder(PyThreadState* tstate, _PyInterpreterFrame* frame, _Py_CODEUNIT* header, PyObject** stack_pointer,
                   bool in_memory)
    : tstate_(tstate), frame_(frame), code_(frame->f_code), units_(_PyCode_CODE(frame->f_code)) {
  locals_ = code_->co_nlocalsplus;
  depth_ = static_cast<int>(stack_pointer - frame->localsplus) - locals_;
  trace_ = std::make_unique<Trace>();
  trace_->code = code_;
  trace_->units = units_;
  trace_->locals = locals_;
  trace_->header = header;
  trace_->depth = depth_;
  trace_->in_memory = in_memory;
  expected_ = static_cast<int>(header - units_);
  trace_->snapshots.push_back({expected_, depth_, ExitReason::kEntryGuard, {}});
  slots_.resize(static_cast<size_t>(locals_ + code_->co_stacksize + 1));
  for (int i = 0; i < locals_; i++) {
    PyObject* object = frame->localsplus[i];
    entry_types_.push_back(number_type(object) != kNone ? Py_TYPE(object) : nullptr);
  }
}

bool Recorder::abort(Abort reason) {
  if (step_ == Step::kMore) abort_ = reason;
  step_ = Step::kAborted;
  return false;
}

void Recorder::begin(int offset, int length, int opcode) {
  unit_ = offset + length - 1;
  offset_ = offset;
  opcode_ = opcode;
  next_ = unit_ + 1 + kOpcodeInfo[opcode].cache_units;
  snapshots_here_.assign(kExitReasonCount, -1);
}

Recorder::Step Recorder::step(_Py_CODEUNIT* unit, PyObject** stack_pointer) {
  int at = static_cast<int>(unit - units_);
  stack_pointer_ = stack_pointer;
  if (pending_micro_ops_ >= 0) {
    // Where micro-ops went, and what they left on the stack, shows now.
    trace_->body[pending_micro_ops_].imm[1] |= static_cast<int64_t>(at) << 32;
    pending_micro_ops_ = -1;
    if (at < offset_) {
      abort(Abort::kStrayed);
      return step_;
    }
    depth_ = static_cast<int>(stack_pointer - frame_->localsplus) - locals_;
    for (int i = 0; i < depth_; i++) slots_[locals_ + i] = Slot{};
  } else if (pending_jump_ >= 0) {
    if (!resolve_jump(at)) return step_;
  } else if (at != expected_ && !(may_have_stored_ && catch_up(at))) {
    abort(Abort::kStrayed);
    return step_;
  }
  may_have_stored_ = false;
  if (++recorded_ > kMaxRecordedInstructions) {
    abort(Abort::kTooLong);
    return step_;
  }
  int oparg = 0;
  int length = 0;
  int opcode;
  do {
    opcode = _Py_OPCODE(units_[at + length]);
    oparg = oparg << 8 | _Py_OPARG(units_[at + length]);
    length++;
  } while (_PyOpcode_Deopt[opcode] == OP_EXTENDED_ARG);
  begin(at, length, opcode);
  oparg_ = oparg;
  expected_ = next_;
  record(opcode, oparg);
  return step_;
}

/// A FOR_ITER over a range has done the STORE_FAST behind it.
bool Recorder::catch_up(int at) {
  int opcode = _Py_OPCODE(units_[expected_]);
  if (at != expected_ + 1 || (opcode != OP_STORE_FAST && opcode != OP_STORE_FAST__LOAD_FAST)) return false;
  begin(expected_, 1, opcode);
  return record_store_fast(_Py_OPARG(units_[expected_]));
}

bool Recorder::record(int opcode, int oparg) {
  auto second = [&] {  // the other half of a superinstruction
    begin(unit_ + 1, 1, _PyOpcode_Deopt[_Py_OPCODE(units_[unit_ + 1])]);
    expected_ = next_;
    oparg_ = _Py_OPARG(units_[unit_]);
    return oparg_;
  };
  switch (opcode) {
    case OP_LOAD_FAST__LOAD_FAST: return record_load_fast(oparg) && record_load_fast(second());
    case OP_LOAD_FAST__LOAD_CONST: return record_load_fast(oparg) && record_load_const(second());
    case OP_LOAD_CONST__LOAD_FAST: return record_load_const(oparg) && record_load_fast(second());
    case OP_STORE_FAST__LOAD_FAST: return record_store_fast(oparg) && record_load_fast(second());
    case OP_STORE_FAST__STORE_FAST: return record_store_fast(oparg) && record_store_fast(second());
  }
  switch (_PyOpcode_Deopt[opcode]) {
    case OP_NOP: return true;
    case OP_LOAD_FAST: return record_load_fast(oparg);
    case OP_STORE_FAST: return record_store_fast(oparg);
    case OP_LOAD_CONST: return record_load_const(oparg);
    case OP_POP_TOP: return record_pop_top();
    case OP_COPY: return record_copy(oparg);
    case OP_SWAP: return record_swap(oparg);
    case OP_PUSH_NULL: push({.kind = Slot::kNull}); return true;
    case OP_BINARY_OP: return record_binary_op(oparg);
    case OP_COMPARE_OP: return record_compare_op(oparg);
    case OP_UNARY_NEGATIVE:
    case OP_UNARY_INVERT:
    case OP_UNARY_NOT: return record_unary(_PyOpcode_Deopt[opcode]);
    case OP_BINARY_SUBSCR: return record_binary_subscr();
    case OP_STORE_SUBSCR: return record_store_subscr();
    case OP_JUMP_FORWARD: return record_jump(next_ + oparg);
    case OP_JUMP_BACKWARD: return record_jump(next_ - oparg);
    case OP_POP_JUMP_FORWARD_IF_FALSE:
    case OP_POP_JUMP_FORWARD_IF_TRUE:
    case OP_POP_JUMP_FORWARD_IF_NONE:
    case OP_POP_JUMP_FORWARD_IF_NOT_NONE: return record_pop_jump(next_ + oparg);
    case OP_POP_JUMP_BACKWARD_IF_FALSE:
    case OP_POP_JUMP_BACKWARD_IF_TRUE:
    case OP_POP_JUMP_BACKWARD_IF_NONE:
    case OP_POP_JUMP_BACKWARD_IF_NOT_NONE: return record_pop_jump(next_ - oparg);
    case OP_FOR_ITER: return record_for_iter();
  }
  return run_micro_ops(opcode);
}

// --- the image ----------------------------------------------------------------------------------------------------

void Recorder::push(const Slot& slot) { slots_[locals_ + depth_++] = slot; }

Slot Recorder::pop() {
  depth_--;
  return slots_[locals_ + depth_];
}

int64_t Recorder::instruction_address() const { return reinterpret_cast<int64_t>(units_ + unit_); }

Value Recorder::emit(IrOp op, const Operands& operands, const Immediates& immediates, ExitReason reason) {
  Instruction instruction{.op = op,
                          .operands = {operands.a, operands.b, operands.c},
                          .imm = {immediates.first, immediates.second, immediates.third}};
  if (info(op).flags & kExits) instruction.snapshot = snapshot(reason);
  trace_->body.push_back(instruction);
  return static_cast<Value>(trace_->body.size() - 1);
}

Value Recorder::emit_entry(IrOp op, Value operand, int64_t immediate) {
  Instruction instruction{.op = op, .operands = {operand, kNoValue, kNoValue}, .imm = {immediate, 0, 0}};
  if (info(op).flags & kExits) instruction.snapshot = 0;
  trace_->entry.push_back(instruction);
  return kEntryValue | static_cast<Value>(trace_->entry.size() - 1);
}

/// INVARIANT: made before the instruction changes the image, so that it describes the frame as the instruction found it.
int16_t Recorder::snapshot(ExitReason reason) {
  int16_t& known = snapshots_here_[static_cast<size_t>(reason)];
  if (known >= 0) return known;
  Snapshot made{offset_, depth_, reason, {}};
  for (int i = 0; i < locals_ + depth_; i++) {
    const Slot& slot = slots_[i];
    int16_t index = static_cast<int16_t>(i);
    switch (slot.kind) {
      case Slot::kMemory: break;
      case Slot::kValue: made.entries.push_back({SnapshotEntry::kUnboxed, index, slot.value, nullptr}); break;
      case Slot::kConstant: made.entries.push_back({SnapshotEntry::kConstant, index, kNoValue, slot.constant}); break;
      case Slot::kLocal: made.entries.push_back({SnapshotEntry::kCopyOf, index, slot.local, nullptr}); break;
      case Slot::kNull: made.entries.push_back({SnapshotEntry::kNull, index, kNoValue, nullptr}); break;
    }
  }
  if (made.entries.size() + trace_->carries.size() > kMaxExitValues / 2) abort(Abort::kTooManyValues);
  known = static_cast<int16_t>(trace_->snapshots.size());
  trace_->snapshots.push_back(std::move(made));
  return known;
}

Value Recorder::carry_in(int local) {
  Slot& slot = slots_[local];
  PyTypeObject* type = entry_types_[local];
  if (type == nullptr || slot.touched || slot.kind != Slot::kMemory) return kNoValue;
  if (slot.value != kNoValue) return slot.value;
  if (number_type(frame_->localsplus[local]) == kNone) return kNoValue;
  slot.value = add_carry(local, type);
  slot.type = type;
  slot.bound = true;
  return slot.value;
}

/// Has the number in `local`, of that type, loaded and unboxed before the first iteration.
Value Recorder::add_carry(int local, PyTypeObject* type) {
  Value object = emit_entry(IrOp::LoadSlot, kNoValue, local);
  emit_entry(IrOp::GuardType, object, reinterpret_cast<int64_t>(type));
  bool is_int = type == &PyLong_Type;
  Value initial = emit_entry(is_int ? IrOp::UnboxInt : IrOp::UnboxFloat, object, 0);
  trace_->carries.push_back({is_int ? kInt : kFloat, local, initial});
  return kCarryValue | static_cast<Value>(trace_->carries.size() - 1);
}

bool Recorder::require_bound(int local) {
  Slot& slot = slots_[local];
  if (slot.bound) return true;
  if (frame_->localsplus[local] == nullptr) return abort(Abort::kUnbound);
  if (slot.touched) {
    emit(IrOp::GuardBound, {emit(IrOp::LoadSlot, {}, {local})});
  } else {
    emit_entry(IrOp::GuardBound, emit_entry(IrOp::LoadSlot, kNoValue, local), 0);
  }
  slot.bound = true;
  return true;
}

/// Unboxes the number in a slot's memory, which `object` is.
Value Recorder::unbox_memory(Slot& slot, PyObject* object) {
  if (slot.value != kNoValue) return slot.value;
  if (number_type(object) == kNone) return kNoValue;
  Value loaded = emit(IrOp::LoadSlot, {}, {slot_index(slot)});
  if (slot.type != Py_TYPE(object)) emit(IrOp::GuardType, {loaded}, {reinterpret_cast<int64_t>(Py_TYPE(object))});
  slot.type = Py_TYPE(object);
  slot.bound = true;
  slot.value = emit(PyLong_CheckExact(object) ? IrOp::UnboxInt : IrOp::UnboxFloat, {loaded});
  return slot.value;
}

Value Recorder::number_constant(PyObject* object) {
  int64_t address = reinterpret_cast<int64_t>(object);
  switch (number_type(object)) {
    case kInt: return emit(IrOp::ConstInt, {}, {PyLong_AsLongLong(object), address});
    case kFloat: return emit(IrOp::ConstFloat, {}, {std::bit_cast<int64_t>(PyFloat_AS_DOUBLE(object)), address});
    default: return kNoValue;
  }
}

Value Recorder::number_at(int depth) {
  Slot& slot = top(depth);
  switch (slot.kind) {
    case Slot::kValue: return slot.value;
    case Slot::kConstant: return number_constant(slot.constant);
    case Slot::kNull: return kNoValue;
    case Slot::kMemory: return unbox_memory(slot, observed(depth));
    case Slot::kLocal: {
      Value carried = carry_in(slot.local);
      return carried != kNoValue ? carried : unbox_memory(slots_[slot.local], observed(depth));
    }
  }
  return kNoValue;
}

Value Recorder::object_at(int depth, PyTypeObject* type) {
  Slot& slot = top(depth);
  if (slot.kind != Slot::kLocal || !Py_IS_TYPE(observed(depth), type)) return kNoValue;
  Value object = emit(IrOp::LoadSlot, {}, {slot.local});
  emit(IrOp::GuardType, {object}, {reinterpret_cast<int64_t>(type)});
  return object;
}

void Recorder::drop(int count) {
  for (; count > 0; count--) {
    Slot& slot = top(1);
    if (slot.kind == Slot::kMemory) emit(IrOp::ReleaseSlot, {}, {slot_index(slot), instruction_address()});
    pop();
  }
}

void Recorder::push_value(Value value) { push({.kind = Slot::kValue, .value = value}); }

/// Puts what `item` stands for into the memory of slot `target`: of a local, whose old object is released, or of the stack. Returns what
/// the slot is then.
Slot Recorder::store_item(const Slot& item, int target) {
  int64_t instruction = instruction_address();
  int64_t drop = target < locals_;
  Slot stored{.touched = true, .bound = true, .value = item.value, .type = item.type};
  switch (item.kind) {
    case Slot::kMemory:
      emit(IrOp::MoveSlot, {}, {target, instruction | drop, slot_index(item)});
      break;
    case Slot::kValue: {
      IrType type = trace_->type_of(item.value);
      IrOp op = type == kInt ? IrOp::BoxInt : type == kFloat ? IrOp::BoxFloat : IrOp::BoxBool;
      emit(op, {item.value}, {target, drop, instruction}, ExitReason::kNoMemory);
      stored.type = type == kInt ? &PyLong_Type : type == kFloat ? &PyFloat_Type : &PyBool_Type;
      if (type == kBool) stored.value = kNoValue;
      break;
    }
    case Slot::kConstant:
      emit(IrOp::StoreConst, {}, {target, instruction | drop, reinterpret_cast<int64_t>(item.constant)});
      stored.type = Py_TYPE(item.constant);
      break;
    case Slot::kLocal:
      emit(IrOp::CopySlot, {}, {target, instruction | drop, item.local});
      stored.type = slots_[item.local].type;
      stored.value = slots_[item.local].value;
      break;
    case Slot::kNull:
      emit(IrOp::StoreNull, {}, {target});
      break;
  }
  return stored;
}

/// Puts an item of the stack that has not been pushed so far into memory.
void Recorder::write_back_item(int index) {
  if (slots_[index].kind != Slot::kMemory) slots_[index] = store_item(slots_[index], index);
}

/// `local` is about to be written: items that stand for its object take their own reference.
void Recorder::flush_references_to(int local) {
  for (int i = locals_; i < locals_ + depth_; i++) {
    if (slots_[i].kind == Slot::kLocal && slots_[i].local == local) write_back_item(i);
  }
}

// --- micro-ops ----------------------------------------------------------------------------------------------------

bool Recorder::run_micro_ops(int opcode) {
  if (kOpcodeInfo[opcode].flags & kAdaptive) opcode = kOpcodeInfo[opcode].family;
  if (kOpcodeInfo[opcode].name == nullptr) return abort(Abort::kUnsupported);
  if (kOpcodeInfo[opcode].flags & kEntersFrame) return abort(Abort::kPythonCall);
  if (kOpcodeInfo[opcode].flags & kLeavesFrame) return abort(Abort::kLeftFrame);
  if (kOpcodeInfo[opcode].operand == kBackward) return abort(Abort::kUnsupported);
  if (!trace_->in_memory) return abort(Abort::kRestart);
  for (int i = 0; i < depth_; i++) write_back_item(locals_ + i);
  snapshots_here_[static_cast<size_t>(ExitReason::kMicroOps)] = -1;  // of the image as it is now
  pending_micro_ops_ = emit(IrOp::RunMicroOps, {},
                            {opcode, oparg_, depth_ | static_cast<int64_t>(unit_) << 32}, ExitReason::kMicroOps);
  switch (opcode) {
    case OP_DELETE_FAST:
    case OP_MAKE_CELL:
      forget_local(oparg_);
      break;
    case OP_BINARY_OP_INPLACE_ADD_UNICODE:
      forget_local(_Py_OPARG(units_[next_]));
      break;
  }
  return !aborted();
}

void Recorder::forget_local(int local) { slots_[local] = Slot{.touched = true}; }

// --- the end of the loop ------------------------------------------------------------------------------------------

/// What `local` holds at the end of the iteration, as a value of the carry's type.
Value Recorder::value_at_end(const Carry& carry, Value itself) {
  Slot& slot = slots_[carry.slot];
  if (slot.kind == Slot::kMemory && !slot.touched) return itself;
  Value value = slot.kind == Slot::kValue ? slot.value : unbox_memory(slot, frame_->localsplus[carry.slot]);
  return value != kNoValue && trace_->type_of(value) == carry.type ? value : kNoValue;
}

bool Recorder::close() {
  if (depth_ != trace_->depth) return abort(Abort::kUnstable);
  for (int i = 0; i < depth_; i++) {
    if (slots_[locals_ + i].kind != Slot::kMemory) return abort(Abort::kUnstable);
  }
  begin(static_cast<int>(trace_->header - units_), 1, OP_NOP);
  emit(IrOp::CheckBreaker, {}, {}, ExitReason::kBreaker);
  // A local that ends the iteration in a value must begin it in one: of the same type, since only one is recorded.
  for (int local = 0; local < locals_; local++) {
    if (slots_[local].kind != Slot::kValue) continue;
    Carry* carry = nullptr;
    for (Carry& candidate : trace_->carries) {
      if (candidate.slot == local) carry = &candidate;
    }
    if (carry == nullptr) {
      IrType type = trace_->type_of(slots_[local].value);
      PyTypeObject* needed = type == kInt ? &PyLong_Type : &PyFloat_Type;
      if (type == kBool || entry_types_[local] != needed) return abort(Abort::kUnstable);
      carry = &trace_->carries[value_index(add_carry(local, needed))];
    }
    carry->dirty = true;
  }
  for (size_t i = 0; i < trace_->carries.size(); i++) {
    Value back = value_at_end(trace_->carries[i], kCarryValue | static_cast<Value>(i));
    if (back == kNoValue) return abort(Abort::kUnstable);
    trace_->carries[i].back = back;
  }
  complete_snapshots();
  if (aborted()) return false;
  step_ = Step::kClosed;
  return true;
}

/// From the second iteration on, the memory of a local that travels in a value is stale from the start; and items of the stack that
/// stand for its object are that value.
void Recorder::complete_snapshots() {
  for (size_t i = 0; i < trace_->carries.size(); i++) {
    const Carry& carry = trace_->carries[i];
    if (!carry.dirty) continue;
    for (size_t k = 1; k < trace_->snapshots.size(); k++) {
      auto& entries = trace_->snapshots[k].entries;
      Value value = kCarryValue | static_cast<Value>(i);
      bool present = false;
      for (SnapshotEntry& entry : entries) {
        present |= entry.slot == carry.slot;
        if (entry.kind == SnapshotEntry::kCopyOf && entry.value == carry.slot) {
          entry = {SnapshotEntry::kUnboxed, entry.slot, value, nullptr};
        }
      }
      if (!present) entries.push_back({SnapshotEntry::kUnboxed, static_cast<int16_t>(carry.slot), value, nullptr});
    }
  }
}

}  // namespace pyston::jit
