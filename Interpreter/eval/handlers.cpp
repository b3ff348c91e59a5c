// The interpreter: one handler per row of opcodes.def, composed from its micro-ops, and the entry from C.
//
// VM rules
// - A handler unpacks its registers into a State, runs the micro-ops, and tail-calls the next handler.
// - What a micro-op returns decides where that is; outcomes that a row cannot have are folded away by the compiler.
// - frame->prev_instr is the current instruction while code outside of the interpreter can run (not kPure).
#include "Interpreter/eval/handlers.h"

#include "Interpreter/eval/eval.h"
#include "Interpreter/eval/unwind.h"
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
#include "JIT/jit.h"

namespace pyston {

#define PARAMETERS                                                                                          \
  _PyInterpreterFrame *frame, _Py_CODEUNIT *next_instr, PyObject **stack_pointer, PyThreadState *tstate, int oparg
#define HANDLER(name) HANDLER_ABI static PyObject* op_##name(PARAMETERS)
#define TAIL_CALL [[clang::musttail]] return

#define DISPATCH_THROUGH(table, extra_bits)                                                       \
  do {                                                                                            \
    _Py_CODEUNIT unit = *s.next_instr;                                                            \
    TAIL_CALL table[_Py_OPCODE(unit)](s.frame, s.next_instr + 1, s.stack_pointer, s.tstate,       \
                                      (extra_bits) | _Py_OPARG(unit));                            \
  } while (false)
#define DISPATCH() DISPATCH_THROUGH(active_handlers, 0)

extern const Handler kNormalHandlers[256];

/// An exception has been raised in s.frame: goes on in a handler, in this frame or in one that called it.
HANDLER_ABI NEVER_INLINE static PyObject* op_error(PARAMETERS) {
  State s{frame, next_instr, stack_pointer, tstate, oparg, nullptr};
  UnwindPoint point{s.frame, s.next_instr, s.stack_pointer};
  if (!unwind_exception(tstate, point, true)) return nullptr;
  s.frame = point.frame;
  s.next_instr = point.next_instr;
  s.stack_pointer = point.stack_pointer;
  DISPATCH();
}

/// As op_error for an exception whose traceback already has this frame.
HANDLER_ABI NEVER_INLINE static PyObject* op_unwind(PARAMETERS) {
  State s{frame, next_instr, stack_pointer, tstate, oparg, nullptr};
  UnwindPoint point{s.frame, s.next_instr, s.stack_pointer};
  if (!unwind_exception(tstate, point, false)) return nullptr;
  s.frame = point.frame;
  s.next_instr = point.next_instr;
  s.stack_pointer = point.stack_pointer;
  DISPATCH();
}

extern const Handler kErrorHandler = op_error;
extern const Handler kUnwindHandler = op_unwind;

#define RUN(uop, deopt_handler, is_pure)                                                              \
  {                                                                                                   \
    Outcome outcome = uop_##uop(s);                                                                   \
    if (outcome != kNext) {                                                                           \
      switch (outcome) {                                                                              \
        case kNext:                                                                                   \
          break;                                                                                      \
        case kGo:                                                                                     \
          DISPATCH();                                                                                 \
        case kDeopt:                                                                                  \
          TAIL_CALL deopt_handler(frame, next_instr, stack_pointer, tstate, oparg);                   \
        case kRedo:                                                                                   \
          TAIL_CALL kNormalHandlers[_Py_OPCODE(next_instr[-1])](frame, next_instr, stack_pointer, tstate, oparg); \
        case kExtend:                                                                                 \
          DISPATCH_THROUGH(kNormalHandlers, oparg << 8);                                              \
        case kError:                                                                                  \
          if (is_pure) frame->prev_instr = next_instr - 1;                                            \
          TAIL_CALL op_error(s.frame, s.next_instr, s.stack_pointer, s.tstate, oparg);                \
        case kUnwind:                                                                                 \
          TAIL_CALL op_unwind(s.frame, s.next_instr, s.stack_pointer, s.tstate, oparg);               \
        case kTrace:                                                                                  \
          TAIL_CALL reinterpret_cast<Handler>(s.result)(s.frame, s.next_instr, s.stack_pointer, s.tstate, oparg); \
        case kLeave:                                                                                  \
          return s.result;                                                                            \
      }                                                                                               \
    }                                                                                                 \
  }

#define EXPAND(...) __VA_ARGS__
#define PICK_RUN(_1, _2, _3, _4, _5, _6, name, ...) name
#define RUN_1(d, p, a) RUN(a, d, p)
#define RUN_2(d, p, a, b) RUN(a, d, p) RUN(b, d, p)
#define RUN_3(d, p, a, b, c) RUN(a, d, p) RUN(b, d, p) RUN(c, d, p)
#define RUN_4(d, p, a, b, c, e) RUN_3(d, p, a, b, c) RUN(e, d, p)
#define RUN_5(d, p, a, b, c, e, f) RUN_4(d, p, a, b, c, e) RUN(f, d, p)
#define RUN_6(d, p, a, b, c, e, f, g) RUN_5(d, p, a, b, c, e, f) RUN(g, d, p)
#define RUN_ALL(d, p, ...) PICK_RUN(__VA_ARGS__, RUN_6, RUN_5, RUN_4, RUN_3, RUN_2, RUN_1)(d, p, __VA_ARGS__)

// Generic instructions are declared first: specialised ones fall back to them.
#define OPCODE(name, number, operand, pops, pushes, cache, family, flags, uops) HANDLER(name);
#include "Interpreter/bytecode/opcodes.def"
#undef OPCODE

/// A specialised instruction met something else: counts the miss, gives up on it after many, runs the generic form.
HANDLER_ABI NEVER_INLINE static PyObject* op_miss(PARAMETERS) {
  int opcode = _Py_OPCODE(next_instr[-1]);
  int family = _PyOpcode_Deopt[opcode];
  if (_PyOpcode_Caches[family] != 0) {
    // The counter of a specialised instruction holds the misses that are left.
    if (*next_instr == 0) {
      _Py_SET_OPCODE(next_instr[-1], adaptive_form(family));
      *next_instr = adaptive_counter_start();
    } else {
      --*next_instr;
    }
  } else {
    _Py_SET_OPCODE(next_instr[-1], family);
  }
  TAIL_CALL kNormalHandlers[family](frame, next_instr, stack_pointer, tstate, oparg);
}

#define OPCODE(name, number, operand, pops, pushes, cache, family, flags, uops)               \
  HANDLER(name) {                                                                             \
    State s{frame, next_instr, stack_pointer, tstate, oparg, nullptr};                        \
    if constexpr (((flags) & kPure) == 0) frame->prev_instr = next_instr - 1;                 \
    constexpr Handler deopt = ((flags) & kAdaptive) != 0 ? op_##family : op_miss;             \
    EXPAND(RUN_ALL EXPAND((deopt, ((flags) & kPure) != 0, EXPAND uops)))                      \
    s.next_instr += kCacheUnits<cache>;                                                       \
    DISPATCH();                                                                               \
  }
#include "Interpreter/bytecode/opcodes.def"
#undef OPCODE

HANDLER(no_such_instruction) {
  State s{frame, next_instr, stack_pointer, tstate, oparg, nullptr};
  frame->prev_instr = next_instr - 1;
  uop_invalid_opcode(s);
  TAIL_CALL op_error(s.frame, s.next_instr, s.stack_pointer, s.tstate, oparg);
}

/// Stands in for every instruction while some thread is traced or profiled: reports the events of this thread, then
/// runs the generic instruction.
HANDLER(traced) {
  _Py_CODEUNIT* instruction = next_instr - 1;
  if (tstate->cframe->use_tracing == 0) {
    TAIL_CALL kNormalHandlers[_Py_OPCODE(*instruction)](frame, next_instr, stack_pointer, tstate, oparg);
  }
  PyCodeObject* code = frame->f_code;
  if (tstate->tracing == 0 && instruction - _PyCode_CODE(code) >= code->_co_firsttraceable) {
    int previous_offset = _PyInterpreterFrame_LASTI(frame);
    frame->prev_instr = instruction;
    if (_PyOpcode_Deopt[_Py_OPCODE(*instruction)] == OP_RESUME) {
      if (oparg < 2 && eval_breaker_set(tstate) && handle_pending(tstate) != 0) {
        TAIL_CALL op_error(frame, next_instr, stack_pointer, tstate, oparg);
      }
      if (trace_function_entry(tstate, frame) != 0) {
        TAIL_CALL op_error(frame, next_instr, stack_pointer, tstate, oparg);
      }
    } else if (tstate->c_tracefunc != nullptr) {
      _PyFrame_SetStackPointer(frame, stack_pointer);
      int status = trace_line(tstate, frame, previous_offset);
      stack_pointer = _PyFrame_GetStackPointer(frame);
      frame->stacktop = -1;
      // QUIRK: when the trace function raises, a jump that it made before does not count.
      if (status != 0) TAIL_CALL op_error(frame, next_instr, stack_pointer, tstate, oparg);
      next_instr = frame->prev_instr + 1;
      oparg = _Py_OPARG(next_instr[-1]);
    }
  }
  int opcode = _PyOpcode_Deopt[_Py_OPCODE(next_instr[-1])];
  if (opcode == OP_RETURN_VALUE || opcode == OP_YIELD_VALUE) {
    PyObject* value = stack_pointer[-1];
    frame->prev_instr = next_instr - 1;
    _PyFrame_SetStackPointer(frame, stack_pointer - 1);
    if (opcode == OP_YIELD_VALUE) _PyFrame_GetGenerator(frame)->gi_frame_state = FRAME_SUSPENDED;
    int status = trace_function_exit(tstate, frame, value);
    // A jump from a yield moves where the generator will resume and may have dropped values.
    stack_pointer = _PyFrame_GetStackPointer(frame);
    frame->stacktop = -1;
    next_instr = frame->prev_instr + 1;
    if (status != 0) {
      Py_DECREF(value);
      UnwindPoint point{frame, next_instr, stack_pointer};
      if (!leave_frame_with_error(tstate, point)) return nullptr;
      TAIL_CALL op_error(point.frame, point.next_instr, point.stack_pointer, tstate, oparg);
    }
    *stack_pointer++ = value;
  } else if ((opcode == OP_PRECALL || opcode == OP_KW_NAMES) && frame->frame_obj != nullptr &&
             frame->frame_obj->f_trace_opcodes && trace_opcode(tstate, frame) != 0) {
    TAIL_CALL op_error(frame, next_instr, stack_pointer, tstate, oparg);
  }
  TAIL_CALL kNormalHandlers[opcode](frame, next_instr, stack_pointer, tstate, oparg);
}

namespace {
struct HandlerTable {
  Handler handlers[256];
};
constexpr HandlerTable make_normal_table() {
  HandlerTable table{};
  for (Handler& handler : table.handlers) handler = op_no_such_instruction;
#define OPCODE(name, number, operand, pops, pushes, cache, family, flags, uops) table.handlers[number] = op_##name;
#include "Interpreter/bytecode/opcodes.def"
#undef OPCODE
  return table;
}
constexpr HandlerTable kNormalTable = make_normal_table();
}  // namespace

#define HANDLER_ROWS_4(i) kNormalTable.handlers[i], kNormalTable.handlers[i + 1], kNormalTable.handlers[i + 2], kNormalTable.handlers[i + 3]
#define HANDLER_ROWS_16(i) HANDLER_ROWS_4(i), HANDLER_ROWS_4(i + 4), HANDLER_ROWS_4(i + 8), HANDLER_ROWS_4(i + 12)
#define HANDLER_ROWS_64(i) HANDLER_ROWS_16(i), HANDLER_ROWS_16(i + 16), HANDLER_ROWS_16(i + 32), HANDLER_ROWS_16(i + 48)
#define HANDLER_ROWS HANDLER_ROWS_64(0), HANDLER_ROWS_64(64), HANDLER_ROWS_64(128), HANDLER_ROWS_64(192)
extern const Handler kNormalHandlers[256] = {HANDLER_ROWS};
Handler active_handlers[256] = {HANDLER_ROWS};

static bool tracing_dispatch = false;

void set_tracing_dispatch(bool on) {
  if (on) jit::stop_recording();
  tracing_dispatch = on;
  for (int i = 0; i < 256; i++) active_handlers[i] = on ? op_traced : kNormalHandlers[i];
}

#if PYSTON_WITH_JIT
/// Stands in for every instruction while a loop is recorded.
HANDLER(record) {
  jit::record_instruction(tstate, frame, next_instr - 1, stack_pointer);
  TAIL_CALL kNormalHandlers[_Py_OPCODE(next_instr[-1])](frame, next_instr, stack_pointer, tstate, oparg);
}

void set_recording_dispatch(bool on) {
  if (tracing_dispatch) return;
  for (int i = 0; i < 256; i++) active_handlers[i] = on ? op_record : kNormalHandlers[i];
}
#endif

/// Enters the handlers at frame->prev_instr + 1.
HANDLER_ABI NEVER_INLINE static PyObject* op_enter(PARAMETERS) {
  State s{frame, next_instr, stack_pointer, tstate, oparg, nullptr};
  DISPATCH();
}

}  // namespace pyston

using namespace pyston;

PyObject* _PyEval_EvalFrameDefault(PyThreadState* tstate, _PyInterpreterFrame* frame, int throwflag) {
  if (UNLIKELY(_Py_EnterRecursiveCallTstate(tstate, ""))) return nullptr;
  _PyCFrame cframe;
  _PyCFrame* previous = tstate->cframe;
  cframe.use_tracing = previous->use_tracing;
  cframe.previous = previous;
  cframe.current_frame = frame;
  tstate->cframe = &cframe;
  frame->is_entry = true;
  frame->previous = previous->current_frame;
  PyObject** stack_pointer = _PyFrame_GetStackPointer(frame);
  _Py_CODEUNIT* next_instr = frame->prev_instr + 1;
  PyObject* result;
  if (LIKELY(!throwflag)) {
    // Nothing above is visible to the cycle collector while the frame runs.
    frame->stacktop = -1;
    result = op_enter(frame, next_instr, stack_pointer, tstate, 0);
  } else if (is_tracing(tstate) && trace_function_entry(tstate, frame) != 0) {
    UnwindPoint point{frame, next_instr, stack_pointer};
    (void)leave_frame_with_error(tstate, point);
    result = nullptr;
  } else {
    frame->stacktop = -1;
    result = op_error(frame, next_instr, stack_pointer, tstate, 0);
  }
  // Handlers leave the recursion count and the frame as after a return; the C level's own state ends here.
  tstate->cframe = cframe.previous;
  tstate->cframe->use_tracing = cframe.use_tracing;
  return result;
}
