// Code generation for try, except*, with, and for leaving them by break, continue and return.
//
// A protected region is a block push ... pop-block pair in the graph. On the stack of a handler: the previous exception,
// the instruction offset where the region keeps it (cleanups), and the exception.
#include "Interpreter/compiler/codegen.h"

#include <pycore_code.h>

namespace pyston {

using namespace ast;

/// Emits what leaving `block` needs; with `preserve_top` the value to return stays on top.
bool Compiler::unwind(const FrameBlock& block, bool preserve_top) {
  switch (block.kind) {
    case FrameBlockKind::kWhileLoop:
    case FrameBlockKind::kExceptionHandler:
    case FrameBlockKind::kExceptionGroupHandler:
    case FrameBlockKind::kAsyncComprehension: return true;
    case FrameBlockKind::kForLoop:
    case FrameBlockKind::kPopValue:
      if (preserve_top) emit(SWAP, 2);
      emit(POP_TOP);
      return true;
    case FrameBlockKind::kTryExcept: emit(kPopBlock); return true;
    case FrameBlockKind::kFinallyTry:
      emit(kPopBlock);
      if (preserve_top && !push_frame_block(FrameBlockKind::kPopValue, nullptr, nullptr)) return false;
      if (!visit_statements(*static_cast<const Seq<Stmt*>*>(block.datum))) return false;
      if (preserve_top) pop_frame_block();
      // The finally block runs after the leaving statement: what follows has no line.
      clear_position();
      return true;
    case FrameBlockKind::kFinallyEnd:
      if (preserve_top) emit(SWAP, 2);
      emit(POP_TOP);
      if (preserve_top) emit(SWAP, 2);
      emit(kPopBlock);
      emit(POP_EXCEPT);
      return true;
    case FrameBlockKind::kWith:
    case FrameBlockKind::kAsyncWith:
      set_position_of(static_cast<const Stmt*>(block.datum));
      emit(kPopBlock);
      if (preserve_top) emit(SWAP, 2);
      if (!emit_exit_call_with_nones()) return false;
      if (block.kind == FrameBlockKind::kAsyncWith) {
        emit(GET_AWAITABLE, 2);
        if (!await_top()) return false;
      }
      emit(POP_TOP);
      clear_position();
      return true;
    case FrameBlockKind::kHandlerCleanup: {
      auto* name = static_cast<PyObject*>(const_cast<void*>(block.datum));
      if (name != nullptr) emit(kPopBlock);
      if (preserve_top) emit(SWAP, 2);
      emit(kPopBlock);
      emit(POP_EXCEPT);
      return name == nullptr || clear_exception_name(name);
    }
  }
  return true;
}

/// Unwinds from the inside out: everything, or (with `loop`) up to the innermost loop, which is stored there. The
/// blocks stay pushed; while one is unwound its own code is outside of it.
bool Compiler::unwind_all(bool preserve_top, FrameBlock** loop) {
  std::vector<FrameBlock>& blocks = unit().frame_blocks;
  if (blocks.empty()) return true;
  FrameBlock top = blocks.back();
  if (top.kind == FrameBlockKind::kExceptionGroupHandler) {
    return error("'break', 'continue' and 'return' cannot appear in an except* block");
  }
  if (loop != nullptr && (top.kind == FrameBlockKind::kWhileLoop || top.kind == FrameBlockKind::kForLoop)) {
    *loop = &blocks.back();
    return true;
  }
  blocks.pop_back();
  if (!unwind(top, preserve_top) || !unwind_all(preserve_top, loop)) return false;
  const ptrdiff_t loop_index = loop != nullptr && *loop != nullptr ? *loop - blocks.data() : -1;
  blocks.push_back(top);
  if (loop_index >= 0) *loop = &blocks[loop_index];
  return true;
}

bool Compiler::emit_exit_call_with_nones() {
  for (int i = 0; i < 3; i++) {
    if (!emit_constant(Py_None)) return false;
  }
  emit_precall(2);
  return true;
}

/// [previous, offset, exception] -> re-raised with the previous exception restored.
void Compiler::emit_pop_except_and_reraise() {
  emit(COPY, 3);
  emit(POP_EXCEPT);
  emit(RERAISE, 1);
}

/// The name of a handled exception is unbound afterwards (and bound to None before, in case the body deleted it).
bool Compiler::clear_exception_name(PyObject* name) {
  return emit_constant(Py_None) && access_name(name, ExprContext::kStore) && access_name(name, ExprContext::kDel);
}

template <class TryNode>
bool Compiler::visit_try_finally(TryNode* node) {
  Block* body = new_block();
  Block* end = new_block();
  Block* exit = new_block();
  emit_jump(kSetupFinally, end);
  use_next(body);
  if (!push_frame_block(FrameBlockKind::kFinallyTry, body, end, &node->finalbody)) return false;
  if (node->handlers.empty()) {
    if (!visit_statements(node->body)) return false;
  } else if constexpr (std::is_same_v<TryNode, node::Try>) {
    if (!visit_try_except(node)) return false;
  } else {
    if (!visit_try_star_except(node)) return false;
  }
  emit_without_line(kPopBlock);
  pop_frame_block();
  if (!visit_statements(node->finalbody)) return false;
  emit_jump_without_line(kJump, exit);

  use_next(end);
  clear_position();
  Block* cleanup = new_block();
  emit_jump(kSetupCleanup, cleanup);
  emit(PUSH_EXC_INFO);
  if (!push_frame_block(FrameBlockKind::kFinallyEnd, end, nullptr)) return false;
  if (!visit_statements(node->finalbody)) return false;
  pop_frame_block();
  emit(RERAISE, 0);
  use_next(cleanup);
  emit_pop_except_and_reraise();
  use_next(exit);
  return true;
}

bool Compiler::visit_try(node::Try* node) {
  return node->finalbody.empty() ? visit_try_except(node) : visit_try_finally(node);
}

bool Compiler::visit_try_star(node::TryStar* node) {
  return node->finalbody.empty() ? visit_try_star_except(node) : visit_try_finally(node);
}

bool Compiler::visit_named_handler(node::ExceptHandlerClause* handler, Block* end) {
  Block* cleanup_end = new_block();
  Block* cleanup_body = new_block();
  if (!access_name(handler->name, ExprContext::kStore)) return false;
  emit_jump(kSetupCleanup, cleanup_end);
  use_next(cleanup_body);
  if (!push_frame_block(FrameBlockKind::kHandlerCleanup, cleanup_body, nullptr, handler->name)) return false;
  if (!visit_statements(handler->body)) return false;
  pop_frame_block();
  clear_position();
  emit(kPopBlock);
  emit(kPopBlock);
  emit(POP_EXCEPT);
  if (!clear_exception_name(handler->name)) return false;
  emit_jump(kJump, end);

  use_next(cleanup_end);
  clear_position();
  if (!clear_exception_name(handler->name)) return false;
  emit(RERAISE, 1);
  return true;
}

bool Compiler::visit_plain_handler(node::ExceptHandlerClause* handler, Block* end) {
  Block* cleanup_body = new_block();
  emit(POP_TOP);
  use_next(cleanup_body);
  if (!push_frame_block(FrameBlockKind::kHandlerCleanup, cleanup_body, nullptr)) return false;
  if (!visit_statements(handler->body)) return false;
  pop_frame_block();
  clear_position();
  emit(kPopBlock);
  emit(POP_EXCEPT);
  emit_jump(kJump, end);
  return true;
}

bool Compiler::visit_try_except(node::Try* node) {
  Block* body = new_block();
  Block* except = new_block();
  Block* end = new_block();
  Block* cleanup = new_block();
  emit_jump(kSetupFinally, except);
  use_next(body);
  if (!push_frame_block(FrameBlockKind::kTryExcept, body, nullptr)) return false;
  if (!visit_statements(node->body)) return false;
  pop_frame_block();
  emit_without_line(kPopBlock);
  if (!visit_statements(node->orelse)) return false;
  emit_jump_without_line(kJump, end);

  use_next(except);
  clear_position();
  emit_jump(kSetupCleanup, cleanup);
  emit(PUSH_EXC_INFO);
  if (!push_frame_block(FrameBlockKind::kExceptionHandler, nullptr, nullptr)) return false;
  const int count = node->handlers.size();
  for (int i = 0; i < count; i++) {
    auto* handler = cast<node::ExceptHandlerClause>(node->handlers[i]);
    set_position_of(handler);
    if (handler->type == nullptr && i < count - 1) return error("default 'except:' must be last");
    except = new_block();
    if (handler->type != nullptr) {
      if (!visit(handler->type)) return false;
      emit(CHECK_EXC_MATCH);
      emit_jump(kPopJumpIfFalse, except);
    }
    if (handler->name != nullptr ? !visit_named_handler(handler, end) : !visit_plain_handler(handler, end)) return false;
    use_next(except);
  }
  clear_position();
  pop_frame_block();
  emit(RERAISE, 0);
  use_next(cleanup);
  emit_pop_except_and_reraise();
  use_next(end);
  return true;
}

/// Stack of an except* chain: [previous, original group, list of raised exceptions, rest of the group].
bool Compiler::visit_try_star_except(node::TryStar* node) {
  Block* body = new_block();
  Block* except = new_block();
  Block* orelse = new_block();
  Block* end = new_block();
  Block* cleanup = new_block();
  Block* reraise_star = new_block();
  emit_jump(kSetupFinally, except);
  use_next(body);
  if (!push_frame_block(FrameBlockKind::kTryExcept, body, nullptr)) return false;
  if (!visit_statements(node->body)) return false;
  pop_frame_block();
  emit_without_line(kPopBlock);
  emit_jump_without_line(kJump, orelse);

  use_next(except);
  clear_position();
  emit_jump(kSetupCleanup, cleanup);
  emit(PUSH_EXC_INFO);
  if (!push_frame_block(FrameBlockKind::kExceptionGroupHandler, nullptr, nullptr)) return false;
  const int count = node->handlers.size();
  for (int i = 0; i < count; i++) {
    auto* handler = cast<node::ExceptHandlerClause>(node->handlers[i]);
    set_position_of(handler);
    except = new_block();
    Block* handle_match = new_block();
    if (i == 0) {
      emit(COPY, 1);
      emit(BUILD_LIST, 0);
      emit(SWAP, 2);
    }
    if (handler->type != nullptr) {
      if (!visit(handler->type)) return false;
      emit(CHECK_EG_MATCH);
      emit(COPY, 1);
      emit_jump(kPopJumpIfNotNone, handle_match);
      emit(POP_TOP);
      emit_jump(kJump, except);
    }
    use_next(handle_match);
    Block* cleanup_end = new_block();
    Block* cleanup_body = new_block();
    if (handler->name != nullptr) {
      if (!access_name(handler->name, ExprContext::kStore)) return false;
    } else {
      emit(POP_TOP);
    }
    emit_jump(kSetupCleanup, cleanup_end);
    use_next(cleanup_body);
    if (!push_frame_block(FrameBlockKind::kHandlerCleanup, cleanup_body, nullptr, handler->name)) return false;
    if (!visit_statements(handler->body)) return false;
    pop_frame_block();
    clear_position();
    emit(kPopBlock);
    if (handler->name != nullptr && !clear_exception_name(handler->name)) return false;
    emit_jump(kJump, except);

    // The body raised: the exception joins the list.
    use_next(cleanup_end);
    clear_position();
    if (handler->name != nullptr && !clear_exception_name(handler->name)) return false;
    emit(LIST_APPEND, 3);
    emit(POP_TOP);
    emit_jump(kJump, except);
    use_next(except);
    if (i == count - 1) {
      emit(LIST_APPEND, 1);
      emit_jump(kJump, reraise_star);
    }
  }
  clear_position();
  pop_frame_block();
  Block* reraise = new_block();
  use_next(reraise_star);
  emit(PREP_RERAISE_STAR);
  emit(COPY, 1);
  emit_jump(kPopJumpIfNotNone, reraise);
  emit(POP_TOP);
  emit(kPopBlock);
  emit(POP_EXCEPT);
  emit_jump(kJump, end);
  use_next(reraise);
  emit(kPopBlock);
  emit(SWAP, 2);
  emit(POP_EXCEPT);
  emit(RERAISE, 0);
  use_next(cleanup);
  emit_pop_except_and_reraise();
  use_next(orelse);
  if (!visit_statements(node->orelse)) return false;
  use_next(end);
  return true;
}

// --- with ---

/// After __exit__ returned on the exceptional path: swallow or re-raise.
void Compiler::finish_with_except(Block* cleanup) {
  Block* suppress = new_block();
  emit_jump(kPopJumpIfTrue, suppress);
  emit(RERAISE, 2);
  use_next(cleanup);
  clear_position();
  emit_pop_except_and_reraise();
  use_next(suppress);
  emit(POP_TOP);
  emit(kPopBlock);
  emit(POP_EXCEPT);
  emit(POP_TOP);
  emit(POP_TOP);
}

template <class WithNode>
bool Compiler::visit_with(WithNode* node, int index, bool is_async) {
  WithItem* item = node->items[index];
  if (is_async) {
    if (is_top_level_await()) {
      unit().scope->is_coroutine = true;
    } else if (unit().kind != ScopeKind::kAsyncFunction) {
      return error("'async with' outside async function");
    }
  }
  Block* block = new_block();
  Block* final = new_block();
  Block* exit = new_block();
  Block* cleanup = new_block();
  if (!visit(item->context_expr)) return false;
  if (is_async) {
    emit(BEFORE_ASYNC_WITH);
    emit(GET_AWAITABLE, 1);
    if (!await_top()) return false;
  } else {
    emit(BEFORE_WITH);
  }
  emit_jump(kSetupWith, final);
  use_next(block);
  if (!push_frame_block(is_async ? FrameBlockKind::kAsyncWith : FrameBlockKind::kWith, block, final,
                        static_cast<Stmt*>(node))) {
    return false;
  }
  if (item->optional_vars != nullptr) {
    if (!visit(item->optional_vars)) return false;
  } else {
    emit(POP_TOP);
  }
  if (index + 1 == node->items.size()) {
    if (!visit_statements(node->body)) return false;
  } else if (!visit_with(node, index + 1, is_async)) {
    return false;
  }
  pop_frame_block();
  if (!is_async) clear_position();
  emit(kPopBlock);
  set_position_of(node);
  if (!emit_exit_call_with_nones()) return false;
  if (is_async) {
    emit(GET_AWAITABLE, 2);
    if (!await_top()) return false;
  }
  emit(POP_TOP);
  emit_jump(kJump, exit);

  use_next(final);
  emit_jump(kSetupCleanup, cleanup);
  emit(PUSH_EXC_INFO);
  emit(WITH_EXCEPT_START);
  if (is_async) {
    emit(GET_AWAITABLE, 2);
    if (!await_top()) return false;
  }
  finish_with_except(cleanup);
  use_next(exit);
  return true;
}

template bool Compiler::visit_with(node::With*, int, bool);
template bool Compiler::visit_with(node::AsyncWith*, int, bool);

}  // namespace pyston
