// Specialising BINARY_OP, COMPARE_OP, BINARY_SUBSCR, STORE_SUBSCR, CONTAINS_OP and UNPACK_SEQUENCE.
#include "Interpreter/eval/uops/fast_numbers.h"
#include "Interpreter/specialize/specialize.h"
#include "internal/pycore_function.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_runtime.h"

#include <opcode.h>

namespace pyston {

namespace {

/// The plain operator of an in-place one.
int plain_operator(int oparg) { return oparg >= NB_INPLACE_ADD ? oparg - NB_INPLACE_ADD : oparg; }

int form_for_ints(int oparg, PyObject* left, PyObject* right) {
  switch (plain_operator(oparg)) {
    case NB_ADD: return OP_BINARY_OP_ADD_INT;
    case NB_SUBTRACT: return OP_BINARY_OP_SUBTRACT_INT;
    case NB_MULTIPLY: return OP_BINARY_OP_MULTIPLY_INT;
  }
  if (!is_compact(as_long(left)) || !is_compact(as_long(right))) return 0;
  switch (plain_operator(oparg)) {
    case NB_AND:
    case NB_OR:
    case NB_XOR: return OP_BINARY_OP_BITWISE_INT;
    case NB_LSHIFT:
    case NB_RSHIFT: return OP_BINARY_OP_SHIFT_INT;
    case NB_FLOOR_DIVIDE: return OP_BINARY_OP_FLOOR_DIVIDE_INT;
    case NB_REMAINDER: return OP_BINARY_OP_REMAINDER_INT;
  }
  return 0;
}

int form_for_floats(int oparg) {
  switch (plain_operator(oparg)) {
    case NB_ADD: return OP_BINARY_OP_ADD_FLOAT;
    case NB_SUBTRACT: return OP_BINARY_OP_SUBTRACT_FLOAT;
    case NB_MULTIPLY: return OP_BINARY_OP_MULTIPLY_FLOAT;
    case NB_TRUE_DIVIDE: return OP_BINARY_OP_TRUE_DIVIDE_FLOAT;
    case NB_REMAINDER: return OP_BINARY_OP_REMAINDER_FLOAT;
  }
  return 0;
}

int form_for_mixed(int oparg) {
  switch (plain_operator(oparg)) {
    case NB_ADD:
    case NB_SUBTRACT:
    case NB_MULTIPLY:
    case NB_TRUE_DIVIDE: return OP_BINARY_OP_MIXED_FLOAT;
  }
  return 0;
}

bool stores_into(_Py_CODEUNIT unit, PyObject** locals, PyObject* object) {
  int opcode = _Py_OPCODE(unit);
  return (opcode == STORE_FAST || opcode == STORE_FAST__LOAD_FAST || opcode == STORE_FAST__STORE_FAST) &&
         locals[_Py_OPARG(unit)] == object;
}

/// Orders (see fast_numbers.h) for which a comparison operator holds.
unsigned orders_of_operator(int oparg) {
  switch (oparg) {
    case Py_LT: return kLess;
    case Py_LE: return kLess | kEqual;
    case Py_EQ: return kEqual;
    case Py_NE: return kLess | kGreater | kUnordered;
    case Py_GT: return kGreater;
    default: return kGreater | kEqual;
  }
}

/// The mask for a comparison followed by `next`; *jumps tells whether that is a conditional jump to fuse with.
unsigned mask_with_jump(int oparg, _Py_CODEUNIT next, bool* jumps) {
  unsigned orders = orders_of_operator(oparg);
  constexpr unsigned kAll = kLess | kEqual | kGreater | kUnordered;
  *jumps = true;
  switch (_Py_OPCODE(next)) {
    case POP_JUMP_FORWARD_IF_TRUE: return orders;
    case POP_JUMP_FORWARD_IF_FALSE: return kAll & ~orders;
    case POP_JUMP_BACKWARD_IF_TRUE: return orders | kJumpsBackward;
    case POP_JUMP_BACKWARD_IF_FALSE: return (kAll & ~orders) | kJumpsBackward;
  }
  *jumps = false;
  return orders;
}

}  // namespace

void specialize_binary_op(_Py_CODEUNIT* instruction, PyObject* left, PyObject* right, int oparg, PyObject** locals) {
  int form = 0;
  if (PyLong_CheckExact(left) && PyLong_CheckExact(right)) {
    form = form_for_ints(oparg, left, right);
  } else if (PyFloat_CheckExact(left) && PyFloat_CheckExact(right)) {
    form = form_for_floats(oparg);
  } else if ((PyFloat_CheckExact(left) && PyLong_CheckExact(right)) ||
             (PyLong_CheckExact(left) && PyFloat_CheckExact(right))) {
    form = form_for_mixed(oparg);
  } else if (PyUnicode_CheckExact(left) && PyUnicode_CheckExact(right) && plain_operator(oparg) == NB_ADD) {
    bool in_place = stores_into(instruction[1 + kCacheUnits<_PyBinaryOpCache>], locals, left);
    form = in_place ? OP_BINARY_OP_INPLACE_ADD_UNICODE : OP_BINARY_OP_ADD_UNICODE;
  }
  if (form == 0) return not_specialized(instruction);
  specialized(instruction, form);
}

void specialize_compare_op(_Py_CODEUNIT* instruction, PyObject* left, PyObject* right, int oparg) {
  auto* cache = reinterpret_cast<_PyCompareOpCache*>(instruction + 1);
  bool jumps;
  unsigned mask = mask_with_jump(oparg, instruction[1 + kCacheUnits<_PyCompareOpCache>], &jumps);
  int form = 0;
  if (PyLong_CheckExact(left) && PyLong_CheckExact(right)) {
    if (is_compact(as_long(left)) && is_compact(as_long(right))) {
      form = jumps ? OP_COMPARE_OP_INT_JUMP : OP_COMPARE_OP_INT;
    }
  } else if (PyFloat_CheckExact(left) && PyFloat_CheckExact(right)) {
    form = jumps ? OP_COMPARE_OP_FLOAT_JUMP : OP_COMPARE_OP_FLOAT;
  } else if (PyUnicode_CheckExact(left) && PyUnicode_CheckExact(right) && (oparg == Py_EQ || oparg == Py_NE)) {
    form = jumps ? OP_COMPARE_OP_STR_JUMP : OP_COMPARE_OP_STR;
  }
  if (form == 0) return not_specialized(instruction);
  cache->mask = static_cast<uint16_t>(mask);
  specialized(instruction, form);
}

namespace {

/// A function that takes exactly `count` positional arguments and nothing else.
bool takes_exactly(PyFunctionObject* function, int count) {
  auto* code = reinterpret_cast<PyCodeObject*>(function->func_code);
  return (code->co_flags & (CO_VARARGS | CO_VARKEYWORDS | CO_OPTIMIZED)) == CO_OPTIMIZED &&
         code->co_kwonlyargcount == 0 && code->co_argcount == count;
}

/// Keeps a Python __getitem__ in the class for BINARY_SUBSCR_GETITEM.
bool cache_getitem(_Py_CODEUNIT* instruction, PyTypeObject* type) {
  if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) return false;
  PyObject* descriptor = _PyType_Lookup(type, &_Py_ID(__getitem__));
  if (descriptor == nullptr || !PyFunction_Check(descriptor) || type->tp_version_tag == 0) return false;
  auto* function = reinterpret_cast<PyFunctionObject*>(descriptor);
  if (!takes_exactly(function, 2)) return false;
  uint32_t version = _PyFunction_GetVersionForCurrentState(function);
  if (version == 0 || version > UINT16_MAX) return false;
  auto* cache = reinterpret_cast<_PyBinarySubscrCache*>(instruction + 1);
  write_u32(cache->type_version, type->tp_version_tag);
  cache->func_version = static_cast<uint16_t>(version);
  reinterpret_cast<PyHeapTypeObject*>(type)->_spec_cache.getitem = descriptor;
  return true;
}

}  // namespace

void specialize_binary_subscr(_Py_CODEUNIT* instruction, PyObject* container, PyObject* key) {
  int form = 0;
  bool small_key = PyLong_CheckExact(key) && is_single(as_long(key));
  if (PyList_CheckExact(container)) {
    if (small_key) form = OP_BINARY_SUBSCR_LIST_INT;
  } else if (PyTuple_CheckExact(container)) {
    if (small_key) form = OP_BINARY_SUBSCR_TUPLE_INT;
  } else if (PyDict_CheckExact(container)) {
    form = OP_BINARY_SUBSCR_DICT;
  } else if (PyUnicode_CheckExact(container)) {
    if (small_key && PyUnicode_IS_COMPACT_ASCII(container)) form = OP_BINARY_SUBSCR_STR_INT;
  } else if (cache_getitem(instruction, Py_TYPE(container))) {
    form = OP_BINARY_SUBSCR_GETITEM;
  }
  if (form == 0) return not_specialized(instruction);
  specialized(instruction, form);
}

void specialize_store_subscr(_Py_CODEUNIT* instruction, PyObject* container, PyObject* key) {
  if (PyList_CheckExact(container) && PyLong_CheckExact(key) && is_single(as_long(key))) {
    return specialized(instruction, OP_STORE_SUBSCR_LIST_INT);
  }
  if (PyDict_CheckExact(container)) return specialized(instruction, OP_STORE_SUBSCR_DICT);
  not_specialized(instruction);
}

void specialize_unpack_sequence(_Py_CODEUNIT* instruction, PyObject* sequence, int count) {
  if (PyTuple_CheckExact(sequence) && PyTuple_GET_SIZE(sequence) == count) {
    return specialized(instruction, count == 2 ? OP_UNPACK_SEQUENCE_TWO_TUPLE : OP_UNPACK_SEQUENCE_TUPLE);
  }
  if (PyList_CheckExact(sequence) && PyList_GET_SIZE(sequence) == count) {
    return specialized(instruction, OP_UNPACK_SEQUENCE_LIST);
  }
  not_specialized(instruction);
}

void specialize_contains_op(_Py_CODEUNIT* instruction, PyObject* container) {
  int form = PyDict_CheckExact(container)     ? OP_CONTAINS_OP_DICT
             : PyAnySet_CheckExact(container) ? OP_CONTAINS_OP_SET
                                              : OP_CONTAINS_OP;
  _Py_SET_OPCODE(*instruction, form);
}

}  // namespace pyston
