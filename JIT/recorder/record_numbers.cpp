// Recording arithmetic, comparisons and list items where the operands are numbers.
#include <opcode.h>

#include "JIT/recorder/recorder.h"
#include "Objects/numbers/int.h"

namespace pyston::jit {

namespace {

struct BinaryForms {
  int operation;  // NB_ADD ... of the plain operator
  IrOp ints;
  IrOp floats;
  bool has_ints;
  bool has_floats;
};
constexpr BinaryForms kBinaryForms[] = {
    {NB_ADD, IrOp::IntAdd, IrOp::FloatAdd, true, true},
    {NB_SUBTRACT, IrOp::IntSubtract, IrOp::FloatSubtract, true, true},
    {NB_MULTIPLY, IrOp::IntMultiply, IrOp::FloatMultiply, true, true},
    {NB_TRUE_DIVIDE, IrOp::IntTrueDivide, IrOp::FloatTrueDivide, true, true},
    {NB_FLOOR_DIVIDE, IrOp::IntFloorDivide, IrOp::FloatFloorDivide, true, true},
    {NB_REMAINDER, IrOp::IntRemainder, IrOp::FloatRemainder, true, true},
    {NB_AND, IrOp::IntAnd, IrOp::FloatAdd, true, false},
    {NB_OR, IrOp::IntOr, IrOp::FloatAdd, true, false},
    {NB_XOR, IrOp::IntXor, IrOp::FloatAdd, true, false},
    {NB_LSHIFT, IrOp::IntShiftLeft, IrOp::FloatAdd, true, false},
    {NB_RSHIFT, IrOp::IntShiftRight, IrOp::FloatAdd, true, false},
};

/// The int operation on these operands stays within int64 (else recording it would exit at once).
bool stays_small(IrOp op, PyObject* left, PyObject* right) {
  int64_t a = PyLong_AsLongLong(left);
  int64_t b = PyLong_AsLongLong(right);
  int64_t result;
  switch (op) {
    case IrOp::IntAdd: return !__builtin_add_overflow(a, b, &result);
    case IrOp::IntSubtract: return !__builtin_sub_overflow(a, b, &result);
    case IrOp::IntMultiply: return !__builtin_mul_overflow(a, b, &result);
    case IrOp::IntFloorDivide: return b != 0 && b != -1;
    case IrOp::IntRemainder: return b != 0;
    case IrOp::IntTrueDivide: {
      constexpr int64_t kExact = int64_t{1} << 53;
      return b != 0 && a <= kExact && a >= -kExact && b <= kExact && b >= -kExact;
    }
    case IrOp::IntShiftLeft: return b >= 0 && b < 63 && !__builtin_mul_overflow(a, int64_t{1} << b, &result);
    case IrOp::IntShiftRight: return b >= 0;
    default: return true;
  }
}

bool is_number(PyObject* object) { return PyLong_CheckExact(object) || PyFloat_CheckExact(object); }

}  // namespace

bool Recorder::record_binary_op(int oparg) {
  int operation = oparg >= NB_INPLACE_ADD ? oparg - NB_INPLACE_ADD : oparg;
  PyObject* left = observed(2);
  PyObject* right = observed(1);
  const BinaryForms* forms = nullptr;
  for (const BinaryForms& candidate : kBinaryForms) {
    if (candidate.operation == operation) forms = &candidate;
  }
  if (forms == nullptr || !is_number(left) || !is_number(right)) return run_micro_ops(opcode_);
  bool ints = PyLong_CheckExact(left) && PyLong_CheckExact(right);
  if (!ints && (!forms->has_floats || zero_divisor(forms->floats, right))) return run_micro_ops(opcode_);
  Value a = number_at(2);
  Value b = a == kNoValue ? kNoValue : number_at(1);
  if (b == kNoValue) return run_micro_ops(generic_opcode());
  if (ints) {
    if (!stays_small(forms->ints, left, right)) return run_micro_ops(generic_opcode());
    a = emit(forms->ints, {a, b}, {}, ExitReason::kOverflow);
  } else {
    a = emit(forms->floats, {as_float(a), as_float(b)}, {}, ExitReason::kOverflow);
  }
  drop(2);
  push_value(a);
  return !aborted();
}

/// The family's own form: for operands that the specialised one would miss.
int Recorder::generic_opcode() const { return kOpcodeInfo[opcode_].family; }

bool Recorder::zero_divisor(IrOp op, PyObject* divisor) {
  if (op != IrOp::FloatTrueDivide && op != IrOp::FloatFloorDivide && op != IrOp::FloatRemainder) return false;
  return PyFloat_CheckExact(divisor) ? PyFloat_AS_DOUBLE(divisor) == 0.0 : Py_SIZE(divisor) == 0;
}

Value Recorder::as_float(Value value) {
  return trace_->type_of(value) == kInt ? emit(IrOp::IntToFloat, {value}) : value;
}

bool Recorder::record_compare_op(int oparg) {
  PyObject* left = observed(2);
  PyObject* right = observed(1);
  bool numbers = (PyLong_CheckExact(left) && PyLong_CheckExact(right)) ||
                 (PyFloat_CheckExact(left) && PyFloat_CheckExact(right));
  Value a = numbers ? number_at(2) : kNoValue;
  Value b = a == kNoValue ? kNoValue : number_at(1);
  bool fused = opcode_ == OP_COMPARE_OP_INT_JUMP || opcode_ == OP_COMPARE_OP_FLOAT_JUMP || opcode_ == OP_COMPARE_OP_STR_JUMP;
  if (b == kNoValue) {
    if (!run_micro_ops(fused ? int(OP_COMPARE_OP) : opcode_)) return false;
    if (!fused) return true;
    // The interpreter goes on into the jump; here it is an instruction of its own.
    trace_->body[pending_micro_ops_].imm[1] |= static_cast<int64_t>(next_) << 32;
    pending_micro_ops_ = -1;
    depth_ -= 2;
    push({.type = &PyBool_Type});
  } else {
    Value result = emit(PyLong_CheckExact(left) ? IrOp::IntCompare : IrOp::FloatCompare, {a, b}, {oparg});
    drop(2);
    push_value(result);
  }
  if (!fused) return true;
  int distance = _Py_OPARG(units_[next_]);
  int jump = _PyOpcode_Deopt[_Py_OPCODE(units_[next_])];
  begin(next_, 1, jump);
  return record_pop_jump(kOpcodeInfo[jump].operand == kBackward ? next_ - distance : next_ + distance);
}

bool Recorder::record_unary(int opcode) {
  if (opcode == OP_UNARY_NOT) {
    Slot& item = top(1);
    if (item.kind != Slot::kValue || trace_->type_of(item.value) != kBool) return run_micro_ops(opcode_);
    item.value = emit(IrOp::Not, {item.value});
    return true;
  }
  PyObject* operand = observed(1);
  if (!is_number(operand)) return run_micro_ops(opcode_);
  bool is_float = PyFloat_CheckExact(operand);
  if (is_float && opcode == OP_UNARY_INVERT) return run_micro_ops(opcode_);
  Value value = number_at(1);
  if (value == kNoValue) return run_micro_ops(opcode_);
  IrOp op = is_float ? IrOp::FloatNegate : opcode == OP_UNARY_INVERT ? IrOp::IntInvert : IrOp::IntNegate;
  value = emit(op, {value}, {}, ExitReason::kOverflow);
  drop(1);
  push_value(value);
  return true;
}

/// list[int] and tuple[int] where the container is in a local variable.
bool Recorder::record_binary_subscr() {
  PyObject* container = observed(2);
  bool list = PyList_CheckExact(container);
  if ((!list && !PyTuple_CheckExact(container)) || !PyLong_CheckExact(observed(1)) || top(2).kind != Slot::kLocal ||
      !index_fits(container, observed(1))) {
    return run_micro_ops(opcode_);
  }
  Value index = number_at(1);
  if (index == kNoValue) return run_micro_ops(opcode_);
  Value object = object_at(2, Py_TYPE(container));
  Value item = emit(list ? IrOp::ListItem : IrOp::TupleItem, {object, index}, {}, ExitReason::kOverflow);
  // The index, when it has memory, is an int: releasing it runs no code and leaves the item where it is.
  drop(2);
  emit(IrOp::StoreObject, {item}, {locals_ + depth_, 0, instruction_address()});
  push({});
  return !aborted();
}

bool Recorder::index_fits(PyObject* container, PyObject* index) {
  if (!is_compact(as_long(index))) return false;
  int64_t at = compact_value(as_long(index));
  return at < Py_SIZE(container) && at >= -Py_SIZE(container);
}

/// list[int] = number where the list is in a local variable. The item that it replaces must be a number too in a register trace:
/// releasing anything else could run code, which would see stale locals.
bool Recorder::record_store_subscr() {
  PyObject* list = observed(2);
  PyObject* index = observed(1);
  PyObject* value = observed(3);
  if (!PyList_CheckExact(list) || !PyLong_CheckExact(index) || !is_number(value) || top(2).kind != Slot::kLocal ||
      top(3).kind != Slot::kValue || !index_fits(list, index)) {
    return run_micro_ops(opcode_);
  }
  IrType type = trace_->type_of(top(3).value);
  Value at = number_at(1);
  if (at == kNoValue || type == kBool) return run_micro_ops(opcode_);
  Value object = object_at(2, &PyList_Type);
  PyObject* old = PyList_GET_ITEM(list, compact_value(as_long(index)) + (Py_SIZE(index) < 0 ? Py_SIZE(list) : 0));
  if (!trace_->in_memory) {
    if (!is_number(old)) return abort(Abort::kRestart);
    Value item = emit(IrOp::ListItem, {object, at}, {}, ExitReason::kOverflow);
    emit(IrOp::GuardType, {item}, {reinterpret_cast<int64_t>(Py_TYPE(old))});
  }
  emit(type == kInt ? IrOp::SetListInt : IrOp::SetListFloat, {object, at, top(3).value}, {instruction_address()},
       ExitReason::kOverflow);
  drop(3);
  return !aborted();
}

}  // namespace pyston::jit
