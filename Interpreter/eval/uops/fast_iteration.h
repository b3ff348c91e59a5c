// Micro-ops of loops over lists, tuples, ranges and generators.
#pragma once

#include "Interpreter/eval/state.h"
#include "Interpreter/eval/uops/control.h"
#include "Interpreter/eval/uops/fast_numbers.h"
#include "Interpreter/eval/uops/generators.h"
#include "Objects/containers/sequences.h"
#include "Objects/iteration/range.h"

namespace pyston {

UOP(adapt_for_iter) {
  specialize_for_iter(s.next_instr - 1, s.peek(1), s.oparg);
  return kRedo;
}
UOP(adapt_send) {
  specialize_send(s.next_instr - 1, s.peek(2), s.oparg);
  return kRedo;
}

/// Drops the used up iterator and leaves the loop.
ALWAYS_INLINE Outcome leave_loop(State& s) {
  Py_DECREF(s.pop());
  s.jump(s.oparg);
  return kGo;
}

UOP(guard_list_iterator) { return Py_IS_TYPE(s.peek(1), &PyListIter_Type) ? kNext : kDeopt; }
UOP(guard_tuple_iterator) { return Py_IS_TYPE(s.peek(1), &PyTupleIter_Type) ? kNext : kDeopt; }
UOP(guard_range_iterator) { return Py_IS_TYPE(s.peek(1), &PyRangeIter_Type) ? kNext : kDeopt; }

UOP(next_of_list) {
  auto* iterator = reinterpret_cast<SequenceIterObject*>(s.peek(1));
  PyObject* list = iterator->sequence;
  if (LIKELY(list != nullptr)) {
    if (LIKELY(iterator->index < PyList_GET_SIZE(list))) {
      s.push(Py_NewRef(PyList_GET_ITEM(list, iterator->index++)));
      return kNext;
    }
    iterator->sequence = nullptr;
    Py_DECREF(list);
  }
  return leave_loop(s);
}

UOP(next_of_tuple) {
  auto* iterator = reinterpret_cast<SequenceIterObject*>(s.peek(1));
  PyObject* tuple = iterator->sequence;
  if (LIKELY(tuple != nullptr)) {
    if (LIKELY(iterator->index < PyTuple_GET_SIZE(tuple))) {
      s.push(Py_NewRef(PyTuple_GET_ITEM(tuple, iterator->index++)));
      return kNext;
    }
    iterator->sequence = nullptr;
    Py_DECREF(tuple);
  }
  return leave_loop(s);
}

UOP(next_of_range) {
  auto* iterator = reinterpret_cast<RangeIterator*>(s.peek(1));
  if (UNLIKELY(iterator->index >= iterator->length)) return leave_loop(s);
  long value = static_cast<long>(iterator->start + static_cast<unsigned long>(iterator->index++) * iterator->step);
  // FAST: the loop variable's last int is written again when nothing else holds it; does the STORE_FAST too.
  _Py_CODEUNIT next = *s.next_instr;
  if (_Py_OPCODE(next) == OP_STORE_FAST || _Py_OPCODE(next) == OP_STORE_FAST__LOAD_FAST) {
    PyObject* variable = s.local(_Py_OPARG(next));
    if (variable != nullptr && Py_REFCNT(variable) == 1 && PyLong_CheckExact(variable) &&
        is_compact(as_long(variable)) && !is_small_int(value) &&
        static_cast<uint64_t>(value + kTwoDigitLimit - 1) < static_cast<uint64_t>(2 * kTwoDigitLimit - 1)) {
      overwrite_int(variable, value);
      s.next_instr++;  // a STORE_FAST__LOAD_FAST's second half stands for itself
      return kGo;
    }
  }
  PyObject* item = int_from_int64(value);
  if (UNLIKELY(item == nullptr)) return kError;
  s.push(item);
  return kNext;
}

/// A generator that waits (not running, not finished), in a thread without an evaluation hook or a trace function.
ALWAYS_INLINE bool can_push_generator(State& s, PyObject* object) {
  if (!PyGen_CheckExact(object) && !PyCoro_CheckExact(object)) return false;
  auto* generator = reinterpret_cast<PyGenObject*>(object);
  return generator->gi_frame_state < FRAME_EXECUTING && s.tstate->interp->eval_frame == nullptr &&
         !is_tracing(s.tstate);
}

UOP(next_of_generator) {
  PyObject* iterator = s.peek(1);
  if (UNLIKELY(!PyGen_CheckExact(iterator) || !can_push_generator(s, iterator))) return kDeopt;
  return enter_generator(s, reinterpret_cast<PyGenObject*>(iterator), Py_NewRef(Py_None));
}

UOP(send_to_generator) {
  PyObject* receiver = s.peek(2);
  if (UNLIKELY(!can_push_generator(s, receiver))) return kDeopt;
  auto* generator = reinterpret_cast<PyGenObject*>(receiver);
  if (UNLIKELY(generator->gi_frame_state == FRAME_CREATED && s.peek(1) != Py_None)) return kDeopt;
  return enter_generator(s, generator, s.pop());
}

}  // namespace pyston
