// What the machine code of a trace is laid down from. Compiled to LLVM bitcode only, embedded in libpyston_jit.so, and
// inlined into each trace:
//
// - a kernel for every row of irops.def that is not kSpecial. All have one signature: the frame, the thread, three immediates, three operands,
//   where the result goes; floats and objects travel as 64 bits (the casts vanish on inlining). A kernel of an instruction
//   that may exit returns false to do so, before any effect.
// - micro_ops_NAME for every instruction: the micro-ops of its row, the interpreter's own. Both tiers run the same source.
//
// Arithmetic shared with the interpreter lives in its micro-ops' headers (floor_quotient, float_modulo, ...), never here.
#include "JIT/codegen/codegen.h"

#include "Interpreter/eval/eval.h"
#include "Interpreter/eval/uops/arithmetic.h"
#include "Interpreter/eval/uops/calls.h"
#include "Interpreter/eval/uops/containers.h"
#include "Interpreter/eval/uops/control.h"
#include "Interpreter/eval/uops/exceptions.h"
#include "Interpreter/eval/uops/fast_attributes.h"
#include "Interpreter/eval/uops/fast_calls.h"
#include "Interpreter/eval/uops/fast_iteration.h"
#include "Interpreter/eval/uops/fast_numbers.h"
#include "Interpreter/eval/uops/fast_subscripts.h"
#include "Interpreter/eval/uops/generators.h"
#include "Interpreter/eval/uops/names.h"
#include "Interpreter/eval/uops/stack.h"

namespace pyston::jit {
namespace {

using Frame = _PyInterpreterFrame;

#define KERNEL(name)                                                                                              \
  extern "C" __attribute__((visibility("default"), used)) bool kernel_##name(                                     \
      [[maybe_unused]] Frame* frame, [[maybe_unused]] PyThreadState* tstate, [[maybe_unused]] int64_t imm0,       \
      [[maybe_unused]] int64_t imm1, [[maybe_unused]] int64_t imm2, [[maybe_unused]] int64_t a,                   \
      [[maybe_unused]] int64_t b, [[maybe_unused]] int64_t c, [[maybe_unused]] int64_t* out)

ALWAYS_INLINE PyObject* object(int64_t bits) { return reinterpret_cast<PyObject*>(bits); }
ALWAYS_INLINE double number(int64_t bits) { return std::bit_cast<double>(bits); }
ALWAYS_INLINE bool give(int64_t* out, double value) {
  *out = std::bit_cast<int64_t>(value);
  return true;
}
ALWAYS_INLINE bool give(int64_t* out, int64_t value) {
  *out = value;
  return true;
}
ALWAYS_INLINE bool give(int64_t* out, PyObject* borrowed) {
  *out = reinterpret_cast<int64_t>(borrowed);
  return true;
}

}  // namespace

// --- loads and guards ---------------------------------------------------------------------------------------------

KERNEL(LoadSlot) { return give(out, frame->localsplus[imm0]); }
KERNEL(GuardBound) { return a != 0; }
KERNEL(GuardType) { return a != 0 && Py_TYPE(object(a)) == reinterpret_cast<PyTypeObject*>(imm0); }
KERNEL(GuardObject) { return a == imm0; }
KERNEL(GuardNotObject) { return a != imm0; }
KERNEL(GuardTrue) { return a != 0; }
KERNEL(GuardFalse) { return a == 0; }
/// After micro-ops, which may have switched tracing on.
KERNEL(NotTracing) { return !is_tracing(tstate); }
KERNEL(CheckBreaker) { return !eval_breaker_set(tstate); }

KERNEL(UnboxInt) {
  PyLongObject* value = as_long(object(a));
  if (LIKELY(is_compact(value))) return give(out, compact_value(value));
  if (!fits_int64(value)) return false;
  int64_t magnitude = value->ob_digit[0] | static_cast<int64_t>(value->ob_digit[1]) << kDigitBits |
                      static_cast<int64_t>(value->ob_digit[2]) << (2 * kDigitBits);
  return give(out, is_negative(value) ? -magnitude : magnitude);
}
KERNEL(UnboxFloat) { return give(out, PyFloat_AS_DOUBLE(object(a))); }

// --- arithmetic ---------------------------------------------------------------------------------------------------

KERNEL(IntAdd) { return !__builtin_add_overflow(a, b, out); }
KERNEL(IntSubtract) { return !__builtin_sub_overflow(a, b, out); }
KERNEL(IntMultiply) { return !__builtin_mul_overflow(a, b, out); }
KERNEL(IntFloorDivide) { return b != 0 && !(b == -1 && a == INT64_MIN) && give(out, floor_quotient(a, b)); }
KERNEL(IntRemainder) {
  if (UNLIKELY(b == 0)) return false;
  return give(out, b == -1 ? int64_t{0} : floor_remainder(a, b));
}
/// Exact operands make the division of doubles correctly rounded, which is what Python promises.
KERNEL(IntTrueDivide) {
  constexpr int64_t kExact = int64_t{1} << 53;
  if (b == 0 || a > kExact || a < -kExact || b > kExact || b < -kExact) return false;
  return give(out, static_cast<double>(a) / static_cast<double>(b));
}
KERNEL(IntAnd) { return give(out, a & b); }
KERNEL(IntOr) { return give(out, a | b); }
KERNEL(IntXor) { return give(out, a ^ b); }
KERNEL(IntShiftLeft) { return b >= 0 && b < 63 && !__builtin_mul_overflow(a, int64_t{1} << b, out); }
KERNEL(IntShiftRight) { return b >= 0 && give(out, a >> (b < 63 ? b : 63)); }
KERNEL(IntNegate) { return !__builtin_sub_overflow(int64_t{0}, a, out); }
KERNEL(IntInvert) { return give(out, ~a); }
KERNEL(IntToFloat) { return give(out, static_cast<double>(a)); }
KERNEL(IntTruth) { return give(out, static_cast<int64_t>(a != 0)); }

KERNEL(FloatAdd) { return give(out, number(a) + number(b)); }
KERNEL(FloatSubtract) { return give(out, number(a) - number(b)); }
KERNEL(FloatMultiply) { return give(out, number(a) * number(b)); }
KERNEL(FloatTrueDivide) { return number(b) != 0.0 && give(out, number(a) / number(b)); }
KERNEL(FloatFloorDivide) {
  if (UNLIKELY(number(b) == 0.0)) return false;
  double quotient;
  double remainder;
  float_divmod(number(a), number(b), &quotient, &remainder);
  return give(out, quotient);
}
KERNEL(FloatRemainder) { return number(b) != 0.0 && give(out, float_modulo(number(a), number(b))); }
KERNEL(FloatNegate) { return give(out, -number(a)); }
KERNEL(FloatTruth) { return give(out, static_cast<int64_t>(number(a) != 0.0)); }
KERNEL(Not) { return give(out, static_cast<int64_t>(a == 0)); }

template <class T>
ALWAYS_INLINE bool compare(int64_t comparison, T left, T right) {
  switch (comparison) {
    case Py_LT: return left < right;
    case Py_LE: return left <= right;
    case Py_EQ: return left == right;
    case Py_NE: return left != right;
    case Py_GT: return left > right;
    default: return left >= right;
  }
}
KERNEL(IntCompare) { return give(out, static_cast<int64_t>(compare(imm0, a, b))); }
KERNEL(FloatCompare) { return give(out, static_cast<int64_t>(compare(imm0, number(a), number(b)))); }

// --- reuse ------------------------------------------------------------------------------------------------------

/// FAST: a number that only one slot holds is written again instead of making a new one.
ALWAYS_INLINE bool overwrites_int(PyObject* old, int64_t value) {
  if (old == nullptr || Py_REFCNT(old) != 1 || !PyLong_CheckExact(old) || !is_compact(as_long(old)) || is_small_int(value) ||
      static_cast<uint64_t>(value + kTwoDigitLimit - 1) >= static_cast<uint64_t>(2 * kTwoDigitLimit - 1)) {
    return false;
  }
  overwrite_int(old, value);
  return true;
}
ALWAYS_INLINE bool overwrites_float(PyObject* old, double value) {
  if (old == nullptr || Py_REFCNT(old) != 1 || !PyFloat_CheckExact(old)) return false;
  reinterpret_cast<PyFloatObject*>(old)->ob_fval = value;
  return true;
}

// --- containers ---------------------------------------------------------------------------------------------------

KERNEL(RangeNext) {
  auto* iterator = reinterpret_cast<RangeIterator*>(a);
  if (UNLIKELY(iterator->index >= iterator->length)) return false;
  unsigned long steps = static_cast<unsigned long>(iterator->index++);
  return give(out, static_cast<int64_t>(iterator->start + steps * iterator->step));
}

ALWAYS_INLINE bool find_item(int64_t& index, Py_ssize_t size) {
  if (index < 0) index += size;
  return LIKELY(static_cast<uint64_t>(index) < static_cast<uint64_t>(size));
}
KERNEL(ListItem) { return find_item(b, PyList_GET_SIZE(object(a))) && give(out, PyList_GET_ITEM(object(a), b)); }
KERNEL(TupleItem) { return find_item(b, PyTuple_GET_SIZE(object(a))) && give(out, PyTuple_GET_ITEM(object(a), b)); }
KERNEL(ListLength) { return give(out, static_cast<int64_t>(PyList_GET_SIZE(object(a)))); }
/// Releases an object at `instruction`, which may run any code.
ALWAYS_INLINE void drop(Frame* frame, _Py_CODEUNIT* instruction, PyObject* owned) {
  if (--owned->ob_refcnt != 0) return;
  frame->prev_instr = instruction;
  _Py_Dealloc(owned);
}

/// Replaces an item by an owned object; dropping the old one may run any code.
ALWAYS_INLINE bool replace_item(Frame* frame, PyObject* list, int64_t index, _Py_CODEUNIT* instruction, PyObject* owned) {
  if (UNLIKELY(owned == nullptr)) {
    PyErr_Clear();
    return false;
  }
  PyObject* old = PyList_GET_ITEM(list, index);
  PyList_SET_ITEM(list, index, owned);
  drop(frame, instruction, old);
  return true;
}
KERNEL(SetListInt) {
  if (!find_item(b, PyList_GET_SIZE(object(a)))) return false;
  PyObject* old = PyList_GET_ITEM(object(a), b);
  if (overwrites_int(old, c)) return true;
  return replace_item(frame, object(a), b, reinterpret_cast<_Py_CODEUNIT*>(imm0), int_from_int64(c));
}
KERNEL(SetListFloat) {
  if (!find_item(b, PyList_GET_SIZE(object(a)))) return false;
  PyObject* old = PyList_GET_ITEM(object(a), b);
  if (overwrites_float(old, number(c))) return true;
  return replace_item(frame, object(a), b, reinterpret_cast<_Py_CODEUNIT*>(imm0), float_from_double(number(c)));
}

// --- stores -------------------------------------------------------------------------------------------------------

/// Puts an owned object into a slot. imm1 (and imm2) as irops.def says: whether the old one is to be dropped, which may run any code.
ALWAYS_INLINE bool put(Frame* frame, int64_t slot, bool drop_old, _Py_CODEUNIT* instruction, PyObject* owned) {
  PyObject* old = frame->localsplus[slot];
  frame->localsplus[slot] = owned;
  if (drop_old && old != nullptr) drop(frame, instruction, old);
  return true;
}
ALWAYS_INLINE _Py_CODEUNIT* instruction_of(int64_t tagged) { return reinterpret_cast<_Py_CODEUNIT*>(tagged & ~int64_t{1}); }

KERNEL(BoxInt) {
  if (imm1 && overwrites_int(frame->localsplus[imm0], a)) return true;
  PyObject* box = int_from_int64(a);
  if (UNLIKELY(box == nullptr)) {
    _PyErr_Clear(tstate);
    return false;
  }
  return put(frame, imm0, imm1 != 0, reinterpret_cast<_Py_CODEUNIT*>(imm2), box);
}
KERNEL(BoxFloat) {
  if (imm1 && overwrites_float(frame->localsplus[imm0], number(a))) return true;
  PyObject* box = float_from_double(number(a));
  if (UNLIKELY(box == nullptr)) {
    _PyErr_Clear(tstate);
    return false;
  }
  return put(frame, imm0, imm1 != 0, reinterpret_cast<_Py_CODEUNIT*>(imm2), box);
}
KERNEL(BoxBool) {
  return put(frame, imm0, imm1 != 0, reinterpret_cast<_Py_CODEUNIT*>(imm2), Py_NewRef(a ? Py_True : Py_False));
}
KERNEL(StoreObject) {
  return put(frame, imm0, imm1 != 0, reinterpret_cast<_Py_CODEUNIT*>(imm2), Py_NewRef(object(a)));
}
KERNEL(StoreConst) { return put(frame, imm0, imm1 & 1, instruction_of(imm1), Py_NewRef(object(imm2))); }
KERNEL(CopySlot) { return put(frame, imm0, imm1 & 1, instruction_of(imm1), Py_NewRef(frame->localsplus[imm2])); }
KERNEL(MoveSlot) { return put(frame, imm0, imm1 & 1, instruction_of(imm1), frame->localsplus[imm2]); }
KERNEL(StoreNull) {
  frame->localsplus[imm0] = nullptr;
  return true;
}
KERNEL(ReleaseSlot) {
  drop(frame, reinterpret_cast<_Py_CODEUNIT*>(imm1), frame->localsplus[imm0]);
  return true;
}

// --- micro-ops ----------------------------------------------------------------------------------------------------

#define RUN_MICRO_OP(uop)                              \
  if (Outcome outcome = uop_##uop(s); outcome != kNext) \
    return leave_micro_ops(s, out, outcome);
#define EXPAND(...) __VA_ARGS__
#define PICK_COUNT(_1, _2, _3, _4, name, ...) name
#define EACH_1(a) RUN_MICRO_OP(a)
#define EACH_2(a, b) RUN_MICRO_OP(a) RUN_MICRO_OP(b)
#define EACH_3(a, b, c) EACH_2(a, b) RUN_MICRO_OP(c)
#define EACH_4(a, b, c, d) EACH_3(a, b, c) RUN_MICRO_OP(d)
#define EACH(...) PICK_COUNT(__VA_ARGS__, EACH_4, EACH_3, EACH_2, EACH_1)(__VA_ARGS__)

ALWAYS_INLINE int leave_micro_ops(State& s, MicroOpState* out, Outcome outcome) {
  out->next_instr = s.next_instr;
  out->stack_pointer = s.stack_pointer;
  return outcome;
}

#define OPCODE(name, number, operand, pops, pushes, cache, family, flags, uops)                                        \
  extern "C" __attribute__((visibility("default"), used)) int micro_ops_##name(                                        \
      Frame* frame, _Py_CODEUNIT* next_instr, PyObject** stack_pointer, PyThreadState* tstate, int oparg,              \
      MicroOpState* out) {                                                                                             \
    State s{frame, next_instr, stack_pointer, tstate, oparg, nullptr};                                                 \
    frame->prev_instr = next_instr - 1;                                                                                \
    EXPAND(EACH uops)                                                                                                  \
    s.next_instr += kCacheUnits<cache>;                                                                                \
    return leave_micro_ops(s, out, kNext);                                                                             \
  }
#include "Interpreter/bytecode/opcodes.def"
#undef OPCODE

}  // namespace pyston::jit
