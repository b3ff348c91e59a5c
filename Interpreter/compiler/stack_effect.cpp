// Net stack effect of every instruction of 3.11 and of the flow graph's pseudo instructions.
#include "Interpreter/compiler/flowgraph.h"

#include <algorithm>

#include <compile.h>

namespace pyston {

int stack_effect(int opcode, int oparg, int jump) {
  switch (opcode) {
    case NOP:
    case EXTENDED_ARG:
    case RESUME:
    case CACHE:
    case UNARY_POSITIVE:
    case UNARY_NEGATIVE:
    case UNARY_NOT:
    case UNARY_INVERT:
    case GET_ITER:
    case GET_YIELD_FROM_ITER:
    case GET_AWAITABLE:
    case GET_AITER:
    case SETUP_ANNOTATIONS:
    case ASYNC_GEN_WRAP:
    case YIELD_VALUE:
    case RETURN_GENERATOR:
    case LIST_TO_TUPLE:
    case SWAP:
    case KW_NAMES:
    case MAKE_CELL:
    case COPY_FREE_VARS:
    case JUMP_FORWARD:
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case kJump:
    case kJumpNoInterrupt:
    case kPopBlock:
    case DELETE_NAME:
    case DELETE_GLOBAL:
    case DELETE_FAST:
    case DELETE_DEREF:
    case LOAD_ATTR:
    case CHECK_EXC_MATCH:
    case CHECK_EG_MATCH: return 0;

    case PUSH_NULL:
    case LOAD_CONST:
    case LOAD_NAME:
    case LOAD_FAST:
    case LOAD_DEREF:
    case LOAD_CLASSDEREF:
    case LOAD_CLOSURE:
    case LOAD_BUILD_CLASS:
    case LOAD_ASSERTION_ERROR:
    case LOAD_METHOD:
    case IMPORT_FROM:
    case COPY:
    case GET_LEN:
    case GET_ANEXT:
    case MATCH_MAPPING:
    case MATCH_SEQUENCE:
    case MATCH_KEYS:
    case PUSH_EXC_INFO:
    case WITH_EXCEPT_START:
    case BEFORE_WITH:
    case BEFORE_ASYNC_WITH: return 1;
    case LOAD_GLOBAL: return (oparg & 1) + 1;

    case POP_TOP:
    case PRINT_EXPR:
    case IMPORT_STAR:
    case IMPORT_NAME:
    case BINARY_OP:
    case BINARY_SUBSCR:
    case COMPARE_OP:
    case IS_OP:
    case CONTAINS_OP:
    case STORE_NAME:
    case STORE_GLOBAL:
    case STORE_FAST:
    case STORE_DEREF:
    case DELETE_ATTR:
    case RETURN_VALUE:
    case RERAISE:
    case PREP_RERAISE_STAR:
    case POP_EXCEPT:
    case LIST_APPEND:
    case LIST_EXTEND:
    case SET_ADD:
    case SET_UPDATE:
    case DICT_MERGE:
    case DICT_UPDATE:
    case CALL:
    case kPopJumpIfFalse:
    case kPopJumpIfTrue:
    case kPopJumpIfNone:
    case kPopJumpIfNotNone:
    case POP_JUMP_FORWARD_IF_FALSE:
    case POP_JUMP_FORWARD_IF_TRUE:
    case POP_JUMP_FORWARD_IF_NONE:
    case POP_JUMP_FORWARD_IF_NOT_NONE:
    case POP_JUMP_BACKWARD_IF_FALSE:
    case POP_JUMP_BACKWARD_IF_TRUE:
    case POP_JUMP_BACKWARD_IF_NONE:
    case POP_JUMP_BACKWARD_IF_NOT_NONE: return -1;
    case DELETE_SUBSCR:
    case STORE_ATTR:
    case MAP_ADD:
    case MATCH_CLASS:
    case END_ASYNC_FOR: return -2;
    case STORE_SUBSCR: return -3;

    case FOR_ITER: return jump > 0 ? -1 : 1;
    case SEND: return jump > 0 ? -1 : 0;
    case JUMP_IF_TRUE_OR_POP:
    case JUMP_IF_FALSE_OR_POP: return jump != 0 ? 0 : -1;
    // The handler finds the exception (and the instruction offset below it).
    case kSetupFinally:
    case kSetupWith: return jump != 0 ? 1 : 0;
    case kSetupCleanup: return jump != 0 ? 2 : 0;

    case UNPACK_SEQUENCE: return oparg - 1;
    case UNPACK_EX: return (oparg & 0xFF) + (oparg >> 8);
    case BUILD_TUPLE:
    case BUILD_LIST:
    case BUILD_SET:
    case BUILD_STRING: return 1 - oparg;
    case BUILD_MAP: return 1 - 2 * oparg;
    case BUILD_CONST_KEY_MAP: return -oparg;
    case BUILD_SLICE: return oparg == 3 ? -2 : -1;
    case RAISE_VARARGS:
    case PRECALL: return -oparg;
    case CALL_FUNCTION_EX: return -2 - (oparg & 1);
    case MAKE_FUNCTION:
      return -((oparg & 1) != 0) - ((oparg & 2) != 0) - ((oparg & 4) != 0) - ((oparg & 8) != 0);
    case FORMAT_VALUE: return (oparg & 4) != 0 ? -1 : 0;
    default: return PY_INVALID_STACK_EFFECT;
  }
}

}  // namespace pyston

/// Effect for the jump taken (1), not taken (0) or the larger of both (-1); PY_INVALID_STACK_EFFECT if unknown.
int PyCompile_OpcodeStackEffectWithJump(int opcode, int oparg, int jump) {
  if (opcode < 0 || opcode > 255) return PY_INVALID_STACK_EFFECT;
  if (jump >= 0) return pyston::stack_effect(opcode, oparg, jump);
  return std::max(pyston::stack_effect(opcode, oparg, 0), pyston::stack_effect(opcode, oparg, 1));
}

int PyCompile_OpcodeStackEffect(int opcode, int oparg) {
  return PyCompile_OpcodeStackEffectWithJump(opcode, oparg, -1);
}
