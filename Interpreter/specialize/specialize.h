// Specialisers: look at the operands of an instruction and rewrite it in place to a form that is fast for them.
//
// Each gets the instruction (its cache follows) and never fails: either the opcode is rewritten and the counter set to the number
// of misses that are tolerated, or the counter is set to wait longer before the next attempt.
#pragma once

#include "Interpreter/bytecode/opcodes.h"
#include "Runtime/refs/ref.h"

namespace pyston {

/// Misses after which a specialised instruction becomes adaptive again.
inline constexpr uint16_t kMissBudget = 53;

/// The adaptive form of a generic instruction; 0: it has none.
int adaptive_form(int family);

void specialize_binary_op(_Py_CODEUNIT* instruction, PyObject* left, PyObject* right, int oparg, PyObject** locals);
void specialize_compare_op(_Py_CODEUNIT* instruction, PyObject* left, PyObject* right, int oparg);
void specialize_binary_subscr(_Py_CODEUNIT* instruction, PyObject* container, PyObject* key);
void specialize_store_subscr(_Py_CODEUNIT* instruction, PyObject* container, PyObject* key);
void specialize_load_attr(_Py_CODEUNIT* instruction, PyObject* owner, PyObject* name);
void specialize_store_attr(_Py_CODEUNIT* instruction, PyObject* owner, PyObject* name);
void specialize_load_method(_Py_CODEUNIT* instruction, PyObject* owner, PyObject* name);
void specialize_load_global(_Py_CODEUNIT* instruction, PyObject* globals, PyObject* builtins, PyObject* name);
void specialize_unpack_sequence(_Py_CODEUNIT* instruction, PyObject* sequence, int count);
/// `args` points to the first argument; args[-1] and args[-2] are the callable's slots.
void specialize_call(_Py_CODEUNIT* instruction, PyObject** args, int count);
/// FOR_ITER, SEND and CONTAINS_OP have no cache: they are specialised at once, and generic for good after a miss.
void specialize_for_iter(_Py_CODEUNIT* instruction, PyObject* iterator, int oparg);
void specialize_send(_Py_CODEUNIT* instruction, PyObject* receiver, int oparg);
void specialize_contains_op(_Py_CODEUNIT* instruction, PyObject* container);

/// Values that do not fit an inline cache (descriptors and class attributes of LOAD_ATTR). They are borrowed: valid as long as the
/// type version in the instruction's cache is current, which is checked before every use.
extern PyObject* cached_values[1 << 16];
/// For some of them: the version of the shared keys that do not hide the value.
extern uint32_t cached_keys_versions[1 << 16];
/// A free place in cached_values; 0: none left.
uint16_t cache_value(PyObject* value);

/// Shared by the specialisers: commit to a form, or wait.
inline void specialized(_Py_CODEUNIT* instruction, int opcode) {
  _Py_SET_OPCODE(*instruction, opcode);
  instruction[1] = kMissBudget;
}
inline void not_specialized(_Py_CODEUNIT* instruction) { instruction[1] = adaptive_counter_backoff(instruction[1]); }

}  // namespace pyston
