// Micro-ops of int, float and str operators: guards on exact types and the operations behind them.
//
// A dying operand is reused for the result: one that only the stack owns, or that only the stack and the local variable
// own which the next instruction overwrites (`x = x + y`). Small ints stay the shared ones.
#pragma once

#include "Interpreter/eval/state.h"
#include "Interpreter/eval/uops/arithmetic.h"
#include "Interpreter/eval/uops/control.h"
#include "Interpreter/specialize/specialize.h"
#include "Objects/numbers/float.h"
#include "Objects/numbers/int.h"

namespace pyston {

// --- guards: leave for the generic instruction with the stack untouched ---------------------------------------------

UOP(guard_both_int) { return PyLong_CheckExact(s.peek(2)) && PyLong_CheckExact(s.peek(1)) ? kNext : kDeopt; }
UOP(guard_both_float) { return PyFloat_CheckExact(s.peek(2)) && PyFloat_CheckExact(s.peek(1)) ? kNext : kDeopt; }
UOP(guard_both_str) { return PyUnicode_CheckExact(s.peek(2)) && PyUnicode_CheckExact(s.peek(1)) ? kNext : kDeopt; }
UOP(guard_both_compact_int) {
  return PyLong_CheckExact(s.peek(2)) && PyLong_CheckExact(s.peek(1)) && is_compact(as_long(s.peek(2))) &&
                 is_compact(as_long(s.peek(1)))
             ? kNext
             : kDeopt;
}
/// One float and one int (either order), the int small enough to convert exactly.
UOP(guard_float_and_int) {
  PyObject* left = s.peek(2);
  PyObject* right = s.peek(1);
  if (PyFloat_CheckExact(left)) return PyLong_CheckExact(right) && is_single(as_long(right)) ? kNext : kDeopt;
  return PyFloat_CheckExact(right) && PyLong_CheckExact(left) && is_single(as_long(left)) ? kNext : kDeopt;
}

// --- adaptive instructions ----------------------------------------------------------------------------------------

/// Counts down to an attempt to specialise; the counter is the first unit of the cache.
template <class Specialize>
ALWAYS_INLINE Outcome adapt(State& s, Specialize specialize) {
  _Py_CODEUNIT* counter = s.next_instr;
  if (UNLIKELY(*counter < (1 << ADAPTIVE_BACKOFF_BITS))) {
    specialize();
    return kRedo;
  }
  *counter -= 1 << ADAPTIVE_BACKOFF_BITS;
  return kDeopt;
}

UOP(adapt_binary_op) {
  return adapt(s, [&] { specialize_binary_op(s.next_instr - 1, s.peek(2), s.peek(1), s.oparg, s.frame->localsplus); });
}
UOP(adapt_compare_op) {
  return adapt(s, [&] { specialize_compare_op(s.next_instr - 1, s.peek(2), s.peek(1), s.oparg); });
}

// --- reuse of operands --------------------------------------------------------------------------------------------

/// Whether the next instruction overwrites the local variable that holds `object`.
ALWAYS_INLINE bool next_stores_over(State& s, PyObject* object) {
  _Py_CODEUNIT next = s.next_instr[kCacheUnits<_PyBinaryOpCache>];
  int opcode = _Py_OPCODE(next);
  return (opcode == OP_STORE_FAST || opcode == OP_STORE_FAST__LOAD_FAST || opcode == OP_STORE_FAST__STORE_FAST) &&
         s.local(_Py_OPARG(next)) == object;
}

/// Nobody will look at the left operand again.
ALWAYS_INLINE bool left_dies(State& s, PyObject* left) {
  Py_ssize_t references = Py_REFCNT(left);
  return references == 1 || (references == 2 && next_stores_over(s, left));
}

/// Writes a compact, not small value into an int that has room for two digits.
ALWAYS_INLINE void overwrite_int(PyObject* target, int64_t value) {
  PyLongObject* number = as_long(target);
  uint64_t magnitude = value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  number->ob_digit[0] = static_cast<digit>(magnitude & PyLong_MASK);
  number->ob_digit[1] = static_cast<digit>(magnitude >> kDigitBits);
  Py_ssize_t size = magnitude >= PyLong_BASE ? 2 : 1;
  number->ob_base.ob_size = value < 0 ? -size : size;
}

/// Replaces two compact ints by an int of the given value.
ALWAYS_INLINE Outcome finish_int(State& s, int64_t value) {
  PyObject* left = s.peek(2);
  PyObject* right = s.peek(1);
  // FAST: no allocation. Magnitudes from 2**60 on need a third digit.
  if (left_dies(s, left) && !is_small_int(value) && static_cast<uint64_t>(value + kTwoDigitLimit - 1) < static_cast<uint64_t>(2 * kTwoDigitLimit - 1)) {
    overwrite_int(left, value);
    s.shrink(1);
    Py_DECREF(right);
    return kNext;
  }
  PyObject* result = int_from_int64(value);
  s.shrink(2);
  Py_DECREF(left);
  Py_DECREF(right);
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return kNext;
}

/// Replaces two floats (or a float and an int) by a float.
ALWAYS_INLINE Outcome finish_float(State& s, double value) {
  PyObject* left = s.peek(2);
  PyObject* right = s.peek(1);
  if (PyFloat_CheckExact(left) && left_dies(s, left)) {
    reinterpret_cast<PyFloatObject*>(left)->ob_fval = value;
    s.shrink(1);
    Py_DECREF(right);
    return kNext;
  }
  if (PyFloat_CheckExact(right) && Py_REFCNT(right) == 1) {
    reinterpret_cast<PyFloatObject*>(right)->ob_fval = value;
    s.peek(2) = right;
    s.shrink(1);
    Py_DECREF(left);
    return kNext;
  }
  PyObject* result = float_from_double(value);
  s.shrink(2);
  Py_DECREF(left);
  Py_DECREF(right);
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return kNext;
}

ALWAYS_INLINE double float_of(PyObject* number) { return PyFloat_AS_DOUBLE(number); }
ALWAYS_INLINE double double_of(PyObject* number) {
  return PyFloat_CheckExact(number) ? PyFloat_AS_DOUBLE(number) : static_cast<double>(single_value(as_long(number)));
}

// --- int ----------------------------------------------------------------------------------------------------------

UOP(int_add) {
  PyLongObject* left = as_long(s.peek(2));
  PyLongObject* right = as_long(s.peek(1));
  if (LIKELY(is_compact(left) && is_compact(right))) return finish_int(s, compact_value(left) + compact_value(right));
  return finish_binary(s, _PyLong_Add(left, right));
}

UOP(int_subtract) {
  PyLongObject* left = as_long(s.peek(2));
  PyLongObject* right = as_long(s.peek(1));
  if (LIKELY(is_compact(left) && is_compact(right))) return finish_int(s, compact_value(left) - compact_value(right));
  return finish_binary(s, _PyLong_Subtract(left, right));
}

UOP(int_multiply) {
  PyLongObject* left = as_long(s.peek(2));
  PyLongObject* right = as_long(s.peek(1));
  if (LIKELY(is_single(left) && is_single(right))) return finish_int(s, single_value(left) * single_value(right));
  return finish_binary(s, _PyLong_Multiply(left, right));
}

/// and, or, xor of compact ints; two's complement works on any width.
UOP(int_bitwise) {
  int64_t left = compact_value(as_long(s.peek(2)));
  int64_t right = compact_value(as_long(s.peek(1)));
  switch (s.oparg) {
    case 1:   // NB_AND
    case 14:  // NB_INPLACE_AND
      return finish_int(s, left & right);
    case 7:   // NB_OR
    case 20:  // NB_INPLACE_OR
      return finish_int(s, left | right);
    default:
      return finish_int(s, left ^ right);
  }
}

UOP(guard_shift_amount) {
  int64_t amount = compact_value(as_long(s.peek(1)));
  return amount >= 0 && amount < 63 ? kNext : kDeopt;
}

UOP(int_shift) {
  int64_t left = compact_value(as_long(s.peek(2)));
  int64_t amount = compact_value(as_long(s.peek(1)));
  if (s.oparg == 9 || s.oparg == 22) return finish_int(s, left >> amount);  // NB_RSHIFT, NB_INPLACE_RSHIFT
  int64_t result;
  if (UNLIKELY(__builtin_mul_overflow(left, int64_t{1} << amount, &result))) {
    return finish_binary(s, kBinaryFunctions[3](s.peek(2), s.peek(1)));
  }
  return finish_int(s, result);
}

/// Division by zero raises in the generic instruction.
UOP(guard_divisor) { return as_long(s.peek(1))->ob_base.ob_size != 0 ? kNext : kDeopt; }

/// Both values are in [0, 2**32): a narrow unsigned division does, which is much faster than a wide signed one.
ALWAYS_INLINE bool divides_narrowly(int64_t left, int64_t right) {
  return LIKELY((static_cast<uint64_t>(left | right) >> 32) == 0);
}

/// left // right, right not 0, and not the smallest number by -1.
ALWAYS_INLINE int64_t floor_quotient(int64_t left, int64_t right) {
  if (divides_narrowly(left, right)) return static_cast<uint32_t>(left) / static_cast<uint32_t>(right);
  int64_t quotient = left / right;
  return (left % right != 0) && ((left < 0) != (right < 0)) ? quotient - 1 : quotient;
}
/// left % right, with the sign of right.
ALWAYS_INLINE int64_t floor_remainder(int64_t left, int64_t right) {
  if (divides_narrowly(left, right)) return static_cast<uint32_t>(left) % static_cast<uint32_t>(right);
  int64_t remainder = left % right;
  return remainder != 0 && ((remainder < 0) != (right < 0)) ? remainder + right : remainder;
}

UOP(int_floor_divide) {
  return finish_int(s, floor_quotient(compact_value(as_long(s.peek(2))), compact_value(as_long(s.peek(1)))));
}
UOP(int_remainder) {
  return finish_int(s, floor_remainder(compact_value(as_long(s.peek(2))), compact_value(as_long(s.peek(1)))));
}

// --- float --------------------------------------------------------------------------------------------------------

UOP(float_add) { return finish_float(s, float_of(s.peek(2)) + float_of(s.peek(1))); }
UOP(float_subtract) { return finish_float(s, float_of(s.peek(2)) - float_of(s.peek(1))); }
UOP(float_multiply) { return finish_float(s, float_of(s.peek(2)) * float_of(s.peek(1))); }

UOP(float_true_divide) {
  double divisor = float_of(s.peek(1));
  if (UNLIKELY(divisor == 0.0)) return kDeopt;
  return finish_float(s, float_of(s.peek(2)) / divisor);
}

UOP(float_remainder) {
  double divisor = float_of(s.peek(1));
  if (UNLIKELY(divisor == 0.0)) return kDeopt;
  return finish_float(s, float_modulo(float_of(s.peek(2)), divisor));
}

/// + - * / of a float and an int.
UOP(mixed_arithmetic) {
  double left = double_of(s.peek(2));
  double right = double_of(s.peek(1));
  switch (s.oparg) {
    case 0:   // NB_ADD
    case 13:  // NB_INPLACE_ADD
      return finish_float(s, left + right);
    case 10:  // NB_SUBTRACT
    case 23:  // NB_INPLACE_SUBTRACT
      return finish_float(s, left - right);
    case 5:   // NB_MULTIPLY
    case 18:  // NB_INPLACE_MULTIPLY
      return finish_float(s, left * right);
    default:  // NB_TRUE_DIVIDE, NB_INPLACE_TRUE_DIVIDE
      if (UNLIKELY(right == 0.0)) return kDeopt;
      return finish_float(s, left / right);
  }
}

// --- str ----------------------------------------------------------------------------------------------------------

UOP(str_concatenate) { return finish_binary(s, PyUnicode_Concat(s.peek(2), s.peek(1))); }

/// The next instruction stores over the local variable that holds the left string.
UOP(guard_next_stores_left) { return next_stores_over(s, s.peek(2)) ? kNext : kDeopt; }

/// `s = s + t`: appends in place where the string has no other owner; does the STORE_FAST too.
UOP(str_append_to_local) {
  PyObject* right = s.peek(1);
  PyObject* left = s.peek(2);
  _Py_CODEUNIT* store = s.next_instr + kCacheUnits<_PyBinaryOpCache>;
  PyObject** target = &s.local(_Py_OPARG(*store));
  Py_DECREF(left);  // now owned by the variable alone
  s.shrink(2);
  PyUnicode_Append(target, right);
  Py_DECREF(right);
  if (UNLIKELY(*target == nullptr)) return kError;
  s.next_instr = store + 1;
  return kGo;
}

// --- comparisons --------------------------------------------------------------------------------------------------
//
// The cache's mask says for which orders (1: less, 2: equal, 4: greater, 8: unordered) the comparison holds. In the
// *_JUMP forms it says for which the following POP_JUMP is taken; bit 4 (16) marks a backward one.

enum : unsigned { kLess = 1, kEqual = 2, kGreater = 4, kUnordered = 8, kJumpsBackward = 16 };

template <class T>
ALWAYS_INLINE unsigned order_of(T left, T right) {
  return left < right ? kLess : left > right ? kGreater : left == right ? kEqual : kUnordered;
}

/// Drops both operands and takes or skips the conditional jump behind the comparison.
ALWAYS_INLINE Outcome jump_on_order(State& s, unsigned order) {
  PyObject* left = s.peek(2);
  PyObject* right = s.peek(1);
  unsigned mask = s.cache<_PyCompareOpCache>()->mask;
  s.shrink(2);
  Py_DECREF(left);
  Py_DECREF(right);
  s.next_instr += kCacheUnits<_PyCompareOpCache> + 1;
  if (order & mask) {
    int distance = _Py_OPARG(s.next_instr[-1]);
    if (mask & kJumpsBackward) {
      s.next_instr -= distance;
      return loop_edge(s);
    }
    s.next_instr += distance;
  }
  return kGo;
}

ALWAYS_INLINE Outcome push_order(State& s, unsigned order) {
  return finish_binary(s, new_bool((order & s.cache<_PyCompareOpCache>()->mask) != 0));
}

UOP(int_compare_jump) {
  return jump_on_order(s, order_of(compact_value(as_long(s.peek(2))), compact_value(as_long(s.peek(1)))));
}
UOP(float_compare_jump) { return jump_on_order(s, order_of(float_of(s.peek(2)), float_of(s.peek(1)))); }
UOP(int_compare) {
  return push_order(s, order_of(compact_value(as_long(s.peek(2))), compact_value(as_long(s.peek(1)))));
}
UOP(float_compare) { return push_order(s, order_of(float_of(s.peek(2)), float_of(s.peek(1)))); }

/// Equality of exact strings: 1 or 0, no error possible for ready ones.
ALWAYS_INLINE unsigned str_equality(PyObject* left, PyObject* right) {
  if (left == right) return kEqual;
  return _PyUnicode_Equal(left, right) > 0 ? kEqual : kLess;
}
UOP(str_compare_jump) { return jump_on_order(s, str_equality(s.peek(2), s.peek(1))); }
UOP(str_compare) { return push_order(s, str_equality(s.peek(2), s.peek(1))); }

}  // namespace pyston
