// Setting f_lineno: a debugger's jump. Finds an instruction that starts the wanted line and that can be entered with the
// value stack as it is, cutting the stack down where blocks are left.
//
// For every instruction the kinds of the values on the stack are computed by following all paths (jumps and exception
// handlers included). A jump is allowed when the target's stack is a prefix of the current one, kind by kind.
#include "Interpreter/bytecode/opcodes.h"
#include "Interpreter/frame/frame_state.h"
#include <climits>

#include "internal/pycore_ceval.h"
#include "internal/pycore_code.h"

namespace pyston {

namespace {

/// What a slot of the value stack holds, as far as jumps care.
enum SlotKind : uint8_t { kIterator = 1, kException = 2, kObject = 3, kNullSlot = 4, kLastInstruction = 5 };

/// A stack of kinds, three bits each, the top in the low bits.
using KindStack = int64_t;
constexpr KindStack kUninitialized = -2;
constexpr KindStack kOverflowed = -1;
constexpr int kBits = 3;
constexpr int kMaxDepth = 63 / kBits;
constexpr KindStack kWillOverflow = int64_t{1} << ((kMaxDepth - 1) * kBits);

KindStack push_kind(KindStack stack, SlotKind kind) {
  return static_cast<uint64_t>(stack) >= static_cast<uint64_t>(kWillOverflow) ? kOverflowed : (stack << kBits) | kind;
}
KindStack pop_kind(KindStack stack) { return stack >> kBits; }
KindStack pop_kinds(KindStack stack, int count) {
  while (count-- > 0 && stack > 0) stack = pop_kind(stack);
  return stack;
}
SlotKind kind_at(KindStack stack, int depth) {
  return static_cast<SlotKind>((stack >> (kBits * (depth - 1))) & ((1 << kBits) - 1));
}
SlotKind top_kind(KindStack stack) { return kind_at(stack, 1); }

/// Whether values of kind `from` may stand where the code expects `to`.
bool compatible(SlotKind from, SlotKind to) {
  if (to == 0) return false;
  if (to == kObject) return from != kNullSlot;
  if (to == kNullSlot) return true;
  return from == to;
}

bool compatible_stacks(KindStack from, KindStack to) {
  if (from < 0 || to < 0) return false;
  auto depth = [](KindStack stack) {
    int n = 0;
    for (; stack != 0; stack = pop_kind(stack)) n++;
    return n;
  };
  int from_depth = depth(from);
  int to_depth = depth(to);
  if (to_depth > from_depth) return false;
  from = pop_kinds(from, from_depth - to_depth);
  for (; from != 0; from = pop_kind(from), to = pop_kind(to)) {
    if (!compatible(top_kind(from), top_kind(to))) return false;
  }
  return true;
}

struct Analysis {
  PyCodeObject* code;
  int length;
  KindStack* stacks;  // one an instruction, owned
  bool changed = false;

  explicit Analysis(PyCodeObject* code_object) : code(code_object), length(static_cast<int>(Py_SIZE(code_object))) {
    stacks = static_cast<KindStack*>(PyMem_Malloc((length + 1) * sizeof(KindStack)));
    if (stacks == nullptr) return;
    for (int i = 0; i <= length; i++) stacks[i] = kUninitialized;
  }
  ~Analysis() { PyMem_Free(stacks); }

  void reach(int offset, KindStack stack) {
    if (offset < 0 || offset > length || stacks[offset] != kUninitialized) return;
    stacks[offset] = stack;
    changed = true;
  }

  void run() {
    reach(0, 0);
    do {
      changed = false;
      follow_instructions();
      follow_exception_table();
    } while (changed);
  }

  void follow_instructions() {
    _Py_CODEUNIT* units = _PyCode_CODE(code);
    for (int i = 0; i < length;) {
      int start = i;
      int oparg = _Py_OPARG(units[i]);
      int opcode = _PyOpcode_Deopt[_Py_OPCODE(units[i])];
      KindStack stack = stacks[i];
      while (opcode == OP_EXTENDED_ARG && i + 1 < length) {
        i++;
        if (stack != kUninitialized && stacks[i] == kUninitialized) stacks[i] = stack;
        opcode = _PyOpcode_Deopt[_Py_OPCODE(units[i])];
        oparg = (oparg << 8) | _Py_OPARG(units[i]);
      }
      int next = i + 1 + _PyOpcode_Caches[opcode];
      stack = stacks[start] != kUninitialized ? stacks[start] : stacks[i];
      if (stack != kUninitialized) step(opcode, oparg, next, stack);
      i = next;
    }
  }

  /// Propagates the stack before an instruction to its successors.
  void step(int opcode, int oparg, int next, KindStack stack) {
    switch (opcode) {
      case OP_JUMP_IF_FALSE_OR_POP:
      case OP_JUMP_IF_TRUE_OR_POP:
        reach(next + oparg, stack);
        reach(next, pop_kind(stack));
        return;
      case OP_POP_JUMP_FORWARD_IF_FALSE:
      case OP_POP_JUMP_FORWARD_IF_TRUE:
      case OP_POP_JUMP_FORWARD_IF_NONE:
      case OP_POP_JUMP_FORWARD_IF_NOT_NONE:
        reach(next + oparg, pop_kind(stack));
        reach(next, pop_kind(stack));
        return;
      case OP_POP_JUMP_BACKWARD_IF_FALSE:
      case OP_POP_JUMP_BACKWARD_IF_TRUE:
      case OP_POP_JUMP_BACKWARD_IF_NONE:
      case OP_POP_JUMP_BACKWARD_IF_NOT_NONE:
        reach(next - oparg, pop_kind(stack));
        reach(next, pop_kind(stack));
        return;
      case OP_JUMP_FORWARD:
        reach(next + oparg, stack);
        return;
      case OP_JUMP_BACKWARD:
      case OP_JUMP_BACKWARD_NO_INTERRUPT:
        reach(next - oparg, stack);
        return;
      case OP_SEND:
        reach(next + oparg, push_kind(pop_kinds(stack, 2), kObject));
        reach(next, stack);
        return;
      case OP_FOR_ITER:
        reach(next + oparg, pop_kind(stack));
        reach(next, push_kind(stack, kObject));
        return;
      case OP_GET_ITER:
      case OP_GET_AITER:
        reach(next, push_kind(pop_kind(stack), kIterator));
        return;
      case OP_END_ASYNC_FOR:
        reach(next, pop_kinds(stack, 2));
        return;
      case OP_PUSH_EXC_INFO:
        reach(next, push_kind(push_kind(pop_kind(stack), kException), kException));
        return;
      case OP_POP_EXCEPT:
      case OP_POP_TOP:
        reach(next, pop_kind(stack));
        return;
      case OP_RETURN_VALUE:
      case OP_RAISE_VARARGS:
      case OP_RERAISE:
        return;
      case OP_PUSH_NULL:
        reach(next, push_kind(stack, kNullSlot));
        return;
      case OP_LOAD_GLOBAL:
        if (oparg & 1) stack = push_kind(stack, kNullSlot);
        reach(next, push_kind(stack, kObject));
        return;
      case OP_LOAD_METHOD:
        reach(next, push_kind(push_kind(pop_kind(stack), kNullSlot), kObject));
        return;
      case OP_CALL:
        reach(next, push_kind(pop_kinds(stack, oparg + 2), kObject));
        return;
      case OP_SWAP: {
        // Exchanges two fields of the packed stack.
        KindStack top = top_kind(stack);
        KindStack other = kind_at(stack, oparg);
        KindStack mask = (1 << kBits) - 1;
        stack &= ~(mask | (mask << (kBits * (oparg - 1))));
        stack |= other | (top << (kBits * (oparg - 1)));
        reach(next, stack);
        return;
      }
      case OP_COPY:
        reach(next, push_kind(stack, kind_at(stack, oparg)));
        return;
      default:
        reach(next, generic_effect(opcode, oparg, stack));
        return;
    }
  }

  /// Pops and pushes as the table says; what is pushed are plain objects.
  static KindStack generic_effect(int opcode, int oparg, KindStack stack) {
    int pops = 0;
    int pushes = 0;
    switch (opcode) {
#define OPCODE(name, number, operand, pop_count, push_count, cache, family, flags, uops) \
  case number:                                                                           \
    pops = (pop_count);                                                                  \
    pushes = (push_count);                                                               \
    break;
#include "Interpreter/bytecode/opcodes.def"
#undef OPCODE
    }
    // Items below that an instruction only looks at keep their kinds.
    int delta = pushes - pops;
    bool replaces = opcode == OP_GET_LEN || opcode == OP_MATCH_MAPPING || opcode == OP_MATCH_SEQUENCE ||
                    opcode == OP_MATCH_KEYS || opcode == OP_IMPORT_FROM || opcode == OP_WITH_EXCEPT_START ||
                    opcode == OP_GET_ANEXT || opcode == OP_CHECK_EXC_MATCH || opcode == OP_CHECK_EG_MATCH;
    if (replaces) {
      while (delta-- > 0) stack = push_kind(stack, kObject);
      return stack;
    }
    stack = pop_kinds(stack, pops);
    while (pushes-- > 0) stack = push_kind(stack, kObject);
    return stack;
  }

  void follow_exception_table() {
    auto* at = reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(code->co_exceptiontable));
    auto* end = at + PyBytes_GET_SIZE(code->co_exceptiontable);
    while (at < end) {
      int start, size, handler, depth_and_lasti;
      at = parse_varint(at, &start);
      at = parse_varint(at, &size);
      at = parse_varint(at, &handler);
      at = parse_varint(at, &depth_and_lasti);
      if (start >= length || stacks[start] == kUninitialized) continue;
      KindStack stack = stacks[start];
      int depth = 0;
      for (KindStack rest = stack; rest > 0; rest = pop_kind(rest)) depth++;
      stack = pop_kinds(stack, depth - (depth_and_lasti >> 1));
      if (depth_and_lasti & 1) stack = push_kind(stack, kLastInstruction);
      reach(handler, push_kind(stack, kException));
    }
  }
};

/// First line at or after `line` that has code; marks units that start lines. -1: none.
int first_line_not_before(const int* lines, int length, int line) {
  int result = INT_MAX;
  for (int i = 0; i < length; i++) {
    if (lines[i] >= line && lines[i] < result) result = lines[i];
  }
  return result == INT_MAX ? -1 : result;
}

/// lines[i] is the line that starts at unit i, -1 where none does. Owned; null: no memory.
int* line_starts(PyCodeObject* code) {
  int length = static_cast<int>(Py_SIZE(code));
  int* lines = static_cast<int*>(PyMem_Malloc((length + 1) * sizeof(int)));
  if (lines == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  for (int i = 0; i < length; i++) lines[i] = -1;
  PyCodeAddressRange bounds;
  _PyCode_InitAddressRange(code, &bounds);
  int last_line = -1;
  while (_PyLineTable_NextAddressRange(&bounds)) {
    if (bounds.ar_line != last_line && bounds.ar_line != -1) {
      lines[bounds.ar_start / sizeof(_Py_CODEUNIT)] = bounds.ar_line;
      last_line = bounds.ar_line;
    }
  }
  return lines;
}

const char* explain_incompatible(int64_t target) {
  if (target == kOverflowed) return "stack to deep to analyze";
  if (target == kUninitialized) return "can't jump into an exception handler, or code may be unreachable";
  switch (target == 0 ? kObject : top_kind(target)) {
    case kException:
      return "can't jump into an 'except' block as there's no exception";
    case kLastInstruction:
      return "can't jump into a re-raising block as there's no location";
    case kObject:
    case kNullSlot:
      return "incompatible stacks";
    case kIterator:
      return "can't jump into the body of a for loop";
  }
  return "incompatible stacks";
}

/// The checks that do not depend on where the jump goes.
bool may_jump_now(PyFrameObject* frame, PyObject* value) {
  if (value == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
    return false;
  }
  if (!PyLong_CheckExact(value)) {
    PyErr_SetString(PyExc_ValueError, "lineno must be an integer");
    return false;
  }
  bool is_generator = frame->f_frame->owner == FRAME_OWNED_BY_GENERATOR;
  PyFrameState state = frame_state(frame);
  PyThreadState* tstate = _PyThreadState_GET();
  if (is_generator && state == FRAME_CREATED) {
    PyErr_Format(PyExc_ValueError, "can't jump from the 'call' trace event of a new frame");
    return false;
  }
  if (!is_generator && _PyInterpreterFrame_LASTI(frame->f_frame) <= frame->f_frame->f_code->_co_firsttraceable &&
      tstate->tracing_what == PyTrace_CALL) {
    PyErr_Format(PyExc_ValueError, "can't jump from the 'call' trace event of a new frame");
    return false;
  }
  switch (tstate->tracing_what) {
    case PyTrace_EXCEPTION:
      PyErr_SetString(PyExc_ValueError, "can only jump from a 'line' trace event");
      return false;
    case PyTrace_CALL:
      PyErr_Format(PyExc_ValueError, "can't jump from the 'call' trace event of a new frame");
      return false;
    case PyTrace_LINE:
      break;
    case PyTrace_RETURN:
      if (state == FRAME_SUSPENDED) break;
      [[fallthrough]];
    default:
      PyErr_SetString(PyExc_ValueError, "can only jump from a 'line' trace event");
      return false;
  }
  // Only a trace function has a frame in which setting the line means something.
  if (frame->f_trace == nullptr) {
    PyErr_Format(PyExc_ValueError, "f_lineno can only be set by a trace function");
    return false;
  }
  return true;
}

}  // namespace

Status frame_set_lineno(Borrowed<PyFrameObject> self, PyObject* value) {
  if (!may_jump_now(self, value)) return Status::kError;
  _PyInterpreterFrame* frame = self->f_frame;
  PyCodeObject* code = frame->f_code;
  int overflow;
  long wanted = PyLong_AsLongAndOverflow(value, &overflow);
  if (overflow || wanted > INT_MAX || wanted < INT_MIN) {
    return raise(PyExc_ValueError, "lineno out of range");
  }
  int line = static_cast<int>(wanted);
  if (line < code->co_firstlineno) {
    return raise(PyExc_ValueError, "line %d comes before the current code block", line);
  }
  int length = static_cast<int>(Py_SIZE(code));
  int* lines = line_starts(code);
  if (lines == nullptr) return Status::kError;
  line = first_line_not_before(lines, length, line);
  if (line < 0) {
    PyMem_Free(lines);
    return raise(PyExc_ValueError, "line %d comes after the current code block", static_cast<int>(wanted));
  }
  Analysis analysis(code);
  if (analysis.stacks == nullptr) {
    PyMem_Free(lines);
    PyErr_NoMemory();
    return Status::kError;
  }
  analysis.run();

  int here = _PyInterpreterFrame_LASTI(frame);
  int64_t stack = analysis.stacks[here];
  PyFrameState state = frame_state(self);
  if (state == FRAME_SUSPENDED) stack = pop_kind(stack);  // the yielded value has been popped
  int best = -1;
  int64_t best_stack = kOverflowed;
  const char* message = "cannot find bytecode for specified line";
  for (int i = 0; i < length; i++) {
    if (lines[i] != line) continue;
    int64_t target = analysis.stacks[i];
    if (compatible_stacks(stack, target)) {
      message = nullptr;
      if (target > best_stack) {
        best_stack = target;
        best = i;
      }
    } else if (message != nullptr) {
      if (stack == kOverflowed) {
        message = "stack to deep to analyze";
      } else if (stack == kUninitialized) {
        message = "can't jump from unreachable code";
      } else {
        message = explain_incompatible(target);
      }
    }
  }
  PyMem_Free(lines);
  if (message != nullptr) return raise(PyExc_ValueError, message);

  while (stack > best_stack) {
    PyObject* popped = _PyFrame_StackPop(frame);
    if (top_kind(stack) == kException) {
      // Leaving an except block: the exception handled before it is current again.
      PyThreadState* tstate = _PyThreadState_GET();
      PyObject* old = std::exchange(tstate->exc_info->exc_value, popped == Py_None ? nullptr : popped);
      if (popped == Py_None) Py_DECREF(popped);
      Py_XDECREF(old);
    } else {
      Py_XDECREF(popped);
    }
    stack = pop_kind(stack);
  }
  self->f_lineno = 0;
  frame->prev_instr = _PyCode_CODE(code) + best;
  return Status::kOk;
}

}  // namespace pyston
