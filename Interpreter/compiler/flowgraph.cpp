// Passes over the control-flow graph: jump threading, constant conditions, swaps, dead code, NOP removal, line
// numbers, stack depth, exception regions, jump directions and offsets.
#include "Interpreter/compiler/flowgraph.h"

#include <algorithm>
#include <climits>

#include <pycore_opcode.h>

namespace pyston {

namespace {

void make_nop(Instruction& instruction) {
  instruction.opcode = NOP;
  instruction.oparg = 0;
}

Block* skip_empty(Block* block) {
  while (block->empty() && block->next != nullptr) block = block->next;
  return block;
}

/// Drops NOPs that no line number needs. QUIRK: what runs before the block is not looked at.
void clean_block(Block& block) {
  int previous_line = -1;
  std::vector<Instruction>& code = block.instructions;
  size_t kept = 0;
  for (size_t i = 0; i < code.size(); i++) {
    const int line = code[i].position.lineno;
    if (code[i].opcode == NOP) {
      if (line < 0 || line == previous_line) continue;
      if (i + 1 < code.size()) {
        const int next_line = code[i + 1].position.lineno;
        if (next_line == line) continue;
        if (next_line < 0) {
          code[i + 1].position = code[i].position;
          continue;
        }
      } else {
        Block* next = block.next;
        while (next != nullptr && next->empty()) next = next->next;
        if (next != nullptr && next->instructions[0].position.lineno == line) continue;
      }
    }
    if (kept != i) code[kept] = code[i];
    kept++;
    previous_line = line;
  }
  code.resize(kept);
}

bool is_exit_without_line(const Block& block) {
  if (!block.is_exit) return false;
  for (const Instruction& instruction : block.instructions) {
    if (instruction.position.lineno >= 0) return false;
  }
  return true;
}

// --- SWAP sequences ---

/// Replaces a run of SWAPs (NOPs in between) by the shortest run with the same effect. Gives the index of its end.
size_t shorten_swaps(Block& block, size_t start) {
  std::vector<Instruction>& code = block.instructions;
  size_t end = start + 1;
  int depth = code[start].oparg;
  bool several = false;
  for (; end < code.size(); end++) {
    if (code[end].opcode == SWAP) {
      depth = std::max(depth, code[end].oparg);
      several = true;
    } else if (code[end].opcode != NOP) {
      break;
    }
  }
  if (!several) return start;
  // origin[i]: which item the run brings to depth i (0 is the top).
  std::vector<int> origin(depth);
  for (int i = 0; i < depth; i++) origin[i] = i;
  for (size_t i = start; i < end; i++) {
    if (code[i].opcode == SWAP) std::swap(origin[0], origin[code[i].oparg - 1]);
  }
  // Each cycle of the permutation is undone by swaps with the top; filling from the end runs them in reverse.
  constexpr int kDone = -1;
  size_t out = end;
  auto emit_swap = [&](int depth_index) {
    out--;
    code[out].opcode = SWAP;
    code[out].oparg = depth_index + 1;
  };
  for (int i = 0; i < depth; i++) {
    if (origin[i] == kDone || origin[i] == i) continue;
    int position = i;
    for (;;) {
      if (position != 0) emit_swap(position);
      const int following = origin[position];
      if (following == kDone) break;
      origin[position] = kDone;
      position = following;
    }
  }
  while (out > start) make_nop(code[--out]);
  return end - 1;
}

bool is_swappable(int opcode) { return opcode == STORE_FAST || opcode == POP_TOP; }

/// Index of the next store or pop after `index`, on `line` unless that is negative; -1 when something else comes first.
int next_swappable(const Block& block, int index, int line) {
  for (int i = index + 1; i < static_cast<int>(block.instructions.size()); i++) {
    const Instruction& instruction = block.instructions[i];
    if (line >= 0 && instruction.position.lineno != line) return -1;
    if (instruction.opcode == NOP) continue;
    return is_swappable(instruction.opcode) ? i : -1;
  }
  return -1;
}

/// Swaps the instructions that consume the swapped items instead of the items.
void apply_static_swaps(Block& block, int index) {
  std::vector<Instruction>& code = block.instructions;
  for (; index >= 0; index--) {
    Instruction& swap = code[index];
    if (swap.opcode != SWAP) {
      if (swap.opcode == NOP || is_swappable(swap.opcode)) continue;
      return;
    }
    const int first = next_swappable(block, index, -1);
    if (first < 0) return;
    int second = first;
    const int line = code[first].position.lineno;
    for (int count = swap.oparg - 1; count > 0; count--) {
      second = next_swappable(block, second, line);
      if (second < 0) return;
    }
    make_nop(swap);
    std::swap(code[first], code[second]);
  }
}

/// Redirects `jump` past the jump it leads to. Only on the same line, so that no line event is lost.
bool thread_jump(Instruction& jump, const Instruction& target, int opcode) {
  if (jump.position.lineno != target.position.lineno || jump.target == target.target) return false;
  jump.target = target.target;
  jump.opcode = opcode;
  return true;
}

/// Simplifies the jump at `jump`; true when it changed and may simplify further.
bool simplify_jump(Instruction& jump) {
  jump.target = skip_empty(jump.target);
  if (jump.target->empty()) return false;
  const Instruction& target = jump.target->instructions[0];
  switch (jump.opcode) {
    case JUMP_IF_FALSE_OR_POP:
    case JUMP_IF_TRUE_OR_POP: {
      const bool on_false = jump.opcode == JUMP_IF_FALSE_OR_POP;
      const int same_pop = on_false ? kPopJumpIfFalse : kPopJumpIfTrue;
      const int opposite_pop = on_false ? kPopJumpIfTrue : kPopJumpIfFalse;
      const int opposite = on_false ? JUMP_IF_TRUE_OR_POP : JUMP_IF_FALSE_OR_POP;
      if (target.opcode == same_pop) return thread_jump(jump, target, same_pop);
      if (target.opcode == kJump || target.opcode == jump.opcode) return thread_jump(jump, target, jump.opcode);
      if (target.opcode == opposite || target.opcode == opposite_pop) {
        // The tested value decides the second test too: it pops and falls through.
        if (jump.position.lineno != target.position.lineno) return false;
        jump.opcode = same_pop;
        jump.target = jump.target->next;
        return true;
      }
      return false;
    }
    case kPopJumpIfNone:
    case kPopJumpIfNotNone:
    case kPopJumpIfFalse:
    case kPopJumpIfTrue:
    case kJump: return target.opcode == kJump && thread_jump(jump, target, jump.opcode);
    default: return false;
  }
}

}  // namespace

int instruction_units(const Instruction& instruction) {
  const unsigned oparg = static_cast<unsigned>(instruction.oparg);
  const int extended = (oparg > 0xFFFFFF) + (oparg > 0xFFFF) + (oparg > 0xFF);
  return extended + 1 + (instruction.opcode < kFirstPseudo ? _PyOpcode_Caches[instruction.opcode] : 0);
}

bool FlowGraph::normalize_blocks() {
  for (const std::unique_ptr<Block>& owned : blocks()) {
    Block& block = *owned;
    for (size_t i = 0; i < block.instructions.size(); i++) {
      Instruction& instruction = block.instructions[i];
      switch (instruction.opcode) {
        case RETURN_VALUE:
        case RAISE_VARARGS:
        case RERAISE:
          block.is_exit = true;
          block.no_fallthrough = true;
          break;
        case kJump:
        case kJumpNoInterrupt: block.no_fallthrough = true; [[fallthrough]];
        default:
          if (is_jump(instruction.opcode)) {
            if (i + 1 != block.instructions.size()) {
              PyErr_SetString(PyExc_SystemError, "malformed control flow graph.");
              return false;
            }
            instruction.target = skip_empty(instruction.target);
          }
      }
    }
  }
  for (size_t i = used_blocks_; i-- > 0;) extend_block(*blocks_[i]);
  return true;
}

/// Copies a short exit block that belongs to no line over the jump that leads to it.
void FlowGraph::extend_block(Block& block) {
  constexpr size_t kMaxCopied = 4;
  if (block.empty()) return;
  Instruction& last = block.last();
  if (last.opcode != kJump) return;
  Block* exit = last.target;
  if (!is_exit_without_line(*exit) || exit->instructions.size() > kMaxCopied) return;
  make_nop(last);
  last.target = nullptr;
  block.instructions.insert(block.instructions.end(), exit->instructions.begin(), exit->instructions.end());
  block.is_exit = true;
}

bool FlowGraph::fold_constant_tuple(Block& block, size_t build, ConstantPool& constants) {
  const int count = block.instructions[build].oparg;
  if (static_cast<size_t>(count) > build) return true;
  Instruction* items = &block.instructions[build - count];
  for (int i = 0; i < count; i++) {
    if (items[i].opcode != LOAD_CONST) return true;
  }
  PyObject* tuple = PyTuple_New(count);
  if (tuple == nullptr) return false;
  for (int i = 0; i < count; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(constants.constant(items[i].oparg)));
  const int index = constants.add_folded_tuple(tuple);
  if (index < 0) return false;
  for (int i = 0; i < count; i++) make_nop(items[i]);
  items[count].opcode = LOAD_CONST;
  items[count].oparg = index;
  return true;
}

/// A constant that is only tested decides the jump now.
bool FlowGraph::simplify_load_const(Block& block, size_t index, ConstantPool& constants) {
  std::vector<Instruction>& code = block.instructions;
  if (index + 1 >= code.size()) return true;
  Instruction& load = code[index];
  Instruction& next = code[index + 1];
  switch (next.opcode) {
    case kPopJumpIfFalse:
    case kPopJumpIfTrue:
    case JUMP_IF_FALSE_OR_POP:
    case JUMP_IF_TRUE_OR_POP: {
      const int truth = PyObject_IsTrue(constants.constant(load.oparg));
      if (truth < 0) return false;
      const bool pops = next.opcode == kPopJumpIfFalse || next.opcode == kPopJumpIfTrue;
      const bool jumps_if_true = next.opcode == kPopJumpIfTrue || next.opcode == JUMP_IF_TRUE_OR_POP;
      const bool taken = (truth != 0) == jumps_if_true;
      if (pops || !taken) make_nop(load);
      if (taken) {
        next.opcode = kJump;
        block.no_fallthrough = true;
      } else {
        make_nop(next);
      }
      return true;
    }
    case IS_OP: {
      if (index + 2 >= code.size() || constants.constant(load.oparg) != Py_None) return true;
      Instruction& jump = code[index + 2];
      if (jump.opcode != kPopJumpIfFalse && jump.opcode != kPopJumpIfTrue) return true;
      const bool jumps_if_not_none = (next.oparg == 1) != (jump.opcode == kPopJumpIfFalse);
      make_nop(load);
      make_nop(next);
      jump.opcode = jumps_if_not_none ? kPopJumpIfNotNone : kPopJumpIfNone;
      return true;
    }
    default: return true;
  }
}

bool FlowGraph::optimize_block(Block& block, ConstantPool& constants) {
  std::vector<Instruction>& code = block.instructions;
  for (size_t i = 0; i < code.size(); i++) {
    Instruction& instruction = code[i];
    const int next_opcode = i + 1 < code.size() ? code[i + 1].opcode : CACHE;
    switch (instruction.opcode) {
      case LOAD_CONST:
        if (!simplify_load_const(block, i, constants)) return false;
        break;
      case BUILD_TUPLE:
        if (next_opcode == UNPACK_SEQUENCE && instruction.oparg == code[i + 1].oparg && instruction.oparg >= 1 &&
            instruction.oparg <= 3) {
          // a, b = b, a needs no tuple.
          if (instruction.oparg == 1) {
            make_nop(code[i + 1]);
          } else {
            code[i + 1].opcode = SWAP;
          }
          make_nop(instruction);
          continue;
        }
        if (!fold_constant_tuple(block, i, constants)) return false;
        break;
      case SWAP:
        if (instruction.oparg == 1) {
          make_nop(instruction);
          break;
        }
        i = shorten_swaps(block, i);
        apply_static_swaps(block, static_cast<int>(i));
        break;
      case PUSH_NULL:
        if (next_opcode == LOAD_GLOBAL) {
          make_nop(instruction);
          code[i + 1].oparg |= 1;
        }
        break;
      default:
        if (is_jump(instruction.opcode)) {
          // Bounded, since jumps on one line can form a cycle.
          for (int steps = 0; steps < 1000 && simplify_jump(code[i]); steps++) {
          }
        }
    }
  }
  return true;
}

void FlowGraph::mark_reachable() {
  for (const std::unique_ptr<Block>& block : blocks()) block->predecessors = 0;
  std::vector<Block*> pending{entry_};
  entry_->predecessors = 1;
  auto reach = [&](Block* block) {
    if (block->predecessors++ == 0) pending.push_back(block);
  };
  while (!pending.empty()) {
    Block* block = pending.back();
    pending.pop_back();
    if (block->next != nullptr && !block->no_fallthrough) reach(block->next);
    for (const Instruction& instruction : block->instructions) {
      if (has_target(instruction.opcode)) reach(instruction.target);
    }
  }
}

void FlowGraph::remove_empty_blocks() {
  for (Block* block = entry_; block != nullptr; block = block->next) {
    if (block->next != nullptr) block->next = skip_empty(block->next);
  }
  for (Block* block = entry_; block != nullptr; block = block->next) {
    for (Instruction& instruction : block->instructions) {
      if (has_target(instruction.opcode)) instruction.target = skip_empty(instruction.target);
    }
  }
}

bool FlowGraph::remove_redundant_jumps() {
  bool removed = false;
  for (Block* block = entry_; block != nullptr; block = block->next) {
    if (block->empty()) continue;
    Instruction& last = block->last();
    if ((last.opcode == kJump || last.opcode == kJumpNoInterrupt) && last.target == block->next) {
      block->no_fallthrough = false;
      make_nop(last);  // QUIRK: it stays if it gets a line of its own
      removed = true;
    }
  }
  return removed;
}

bool FlowGraph::optimize(ConstantPool& constants) {
  for (Block* block = entry_; block != nullptr; block = block->next) {
    if (!optimize_block(*block, constants)) return false;
    clean_block(*block);
  }
  for (size_t i = used_blocks_; i-- > 0;) extend_block(*blocks_[i]);
  mark_reachable();
  for (Block* block = entry_; block != nullptr; block = block->next) {
    if (block->predecessors == 0) {
      block->instructions.clear();
      block->no_fallthrough = false;
    }
  }
  for (Block* block = entry_; block != nullptr; block = block->next) clean_block(*block);
  remove_empty_blocks();
  if (remove_redundant_jumps()) remove_empty_blocks();
  return true;
}

void FlowGraph::duplicate_exits_without_line() {
  // An exit without a line takes the line of whoever jumps there, so every jump needs its own copy.
  const size_t original_count = used_blocks_;
  for (size_t i = original_count; i-- > 0;) {
    Block& block = *blocks_[i];
    if (block.empty() || !is_jump(block.last().opcode)) continue;
    Instruction& jump = block.last();
    Block* exit = jump.target;
    if (!is_exit_without_line(*exit) || exit->predecessors <= 1) continue;
    Block* copy = new_block();
    copy->instructions = exit->instructions;
    copy->is_exit = true;
    copy->no_fallthrough = true;
    copy->instructions[0].position = jump.position;
    jump.target = copy;
    exit->predecessors--;
    copy->predecessors = 1;
    copy->next = exit->next;
    exit->next = copy;
  }
  for (Block* block = entry_; block != nullptr; block = block->next) {
    if (block->no_fallthrough || block->next == nullptr || block->empty()) continue;
    if (is_exit_without_line(*block->next)) block->next->instructions[0].position = block->last().position;
  }
}

void FlowGraph::trim_unused_constants(ConstantPool& constants) {
  int highest = 0;  // the first constant may be the docstring
  for (Block* block = entry_; block != nullptr; block = block->next) {
    for (const Instruction& instruction : block->instructions) {
      if (instruction.opcode == LOAD_CONST || instruction.opcode == KW_NAMES) {
        highest = std::max(highest, instruction.oparg);
      }
    }
  }
  if (highest + 1 < constants.count()) constants.truncate(highest + 1);
}

void FlowGraph::propagate_lines() {
  for (Block* block = entry_; block != nullptr; block = block->next) {
    if (block->empty()) continue;
    ast::Position position = kNoPosition;
    for (Instruction& instruction : block->instructions) {
      if (instruction.position.lineno < 0) {
        instruction.position = position;
      } else {
        position = instruction.position;
      }
    }
    auto inherit = [&](Block* successor) {
      if (successor->predecessors == 1 && !successor->empty() && successor->instructions[0].position.lineno < 0) {
        successor->instructions[0].position = position;
      }
    };
    if (!block->no_fallthrough && block->next != nullptr) inherit(block->next);
    if (is_jump(block->last().opcode)) inherit(block->last().target);
  }
}

void FlowGraph::give_exits_lines(int first_line) {
  int line = first_line;
  for (Block* block = entry_; block != nullptr; block = block->next) {
    if (block->empty()) continue;
    const Instruction& last = block->last();
    if (last.position.lineno >= 0) {
      line = last.position.lineno;
    } else if (last.opcode == RETURN_VALUE) {
      for (Instruction& instruction : block->instructions) instruction.position.lineno = line;
    }
  }
}

int FlowGraph::compute_stack_depth(int start_depth) {
  int deepest = 0;
  std::vector<Block*> pending;
  auto enter = [&](Block* block, int depth) {
    if (block->start_depth >= depth) return;
    block->start_depth = depth;
    pending.push_back(block);
  };
  enter(entry_, start_depth);
  while (!pending.empty()) {
    Block* block = pending.back();
    pending.pop_back();
    int depth = block->start_depth;
    bool falls_through = true;
    for (const Instruction& instruction : block->instructions) {
      const int effect = stack_effect(instruction.opcode, instruction.oparg, 0);
      if (effect == PY_INVALID_STACK_EFFECT) {
        PyErr_Format(PyExc_SystemError, "compiler stack_effect(opcode=%d, arg=%i) failed", instruction.opcode,
                     instruction.oparg);
        return -1;
      }
      const int new_depth = depth + effect;
      deepest = std::max(deepest, new_depth);
      if (has_target(instruction.opcode)) {
        const int target_depth = depth + stack_effect(instruction.opcode, instruction.oparg, 1);
        deepest = std::max(deepest, target_depth);
        enter(instruction.target, target_depth);
      }
      depth = new_depth;
      if (instruction.opcode == kJump || instruction.opcode == kJumpNoInterrupt ||
          (ends_block(instruction.opcode) && !is_jump(instruction.opcode))) {
        falls_through = false;
        break;
      }
    }
    if (falls_through && block->next != nullptr) enter(block->next, depth);
  }
  return deepest;
}

void FlowGraph::assign_handlers() {
  for (const std::unique_ptr<Block>& block : blocks()) block->visited = false;
  std::vector<Block*> pending{entry_};
  entry_->visited = true;
  auto visit = [&](Block* block, const HandlerStack* handlers) {
    if (block->visited) return;
    block->visited = true;
    block->handlers = handlers;
    pending.push_back(block);
  };
  while (!pending.empty()) {
    Block* block = pending.back();
    pending.pop_back();
    const HandlerStack* handlers = block->handlers;
    for (Instruction& instruction : block->instructions) {
      if (is_block_push(instruction.opcode)) {
        visit(instruction.target, handlers);
        if (instruction.opcode != kSetupFinally) instruction.target->preserves_offset = true;
        handlers = &handler_stacks_.emplace_back(HandlerStack{instruction.target, handlers});
      } else if (instruction.opcode == kPopBlock) {
        if (handlers != nullptr) handlers = handlers->outer;
      } else {
        instruction.handler = handlers == nullptr ? nullptr : handlers->handler;
        if (is_jump(instruction.opcode)) visit(instruction.target, handlers);
      }
    }
    if (!block->no_fallthrough && block->next != nullptr) visit(block->next, handlers);
  }
}

void FlowGraph::remove_pseudo_handlers() {
  for (Block* block = entry_; block != nullptr; block = block->next) {
    for (Instruction& instruction : block->instructions) {
      if (is_block_push(instruction.opcode) || instruction.opcode == kPopBlock) {
        make_nop(instruction);
        instruction.target = nullptr;
      }
    }
  }
  for (Block* block = entry_; block != nullptr; block = block->next) clean_block(*block);
}

void FlowGraph::choose_jump_directions() {
  for (const std::unique_ptr<Block>& block : blocks()) block->visited = false;
  for (Block* block = entry_; block != nullptr; block = block->next) {
    block->visited = true;
    if (block->empty()) continue;
    Instruction& last = block->last();
    if (!is_jump(last.opcode)) continue;
    const bool forward = !last.target->visited;
    switch (last.opcode) {
      case kJump: last.opcode = forward ? JUMP_FORWARD : JUMP_BACKWARD; break;
      case kJumpNoInterrupt: last.opcode = forward ? JUMP_FORWARD : JUMP_BACKWARD_NO_INTERRUPT; break;
      case kPopJumpIfFalse: last.opcode = forward ? POP_JUMP_FORWARD_IF_FALSE : POP_JUMP_BACKWARD_IF_FALSE; break;
      case kPopJumpIfTrue: last.opcode = forward ? POP_JUMP_FORWARD_IF_TRUE : POP_JUMP_BACKWARD_IF_TRUE; break;
      case kPopJumpIfNone: last.opcode = forward ? POP_JUMP_FORWARD_IF_NONE : POP_JUMP_BACKWARD_IF_NONE; break;
      case kPopJumpIfNotNone:
        last.opcode = forward ? POP_JUMP_FORWARD_IF_NOT_NONE : POP_JUMP_BACKWARD_IF_NOT_NONE;
        break;
      default: break;
    }
  }
}

void FlowGraph::compute_offsets() {
  for (Block* block = entry_; block != nullptr; block = block->next) {
    block->units = 0;
    for (const Instruction& instruction : block->instructions) block->units += instruction_units(instruction);
  }
  // A jump that needs an EXTENDED_ARG moves everything behind it, so repeat until sizes are stable.
  for (bool again = true; again;) {
    again = false;
    int offset = 0;
    for (Block* block = entry_; block != nullptr; block = block->next) {
      block->offset = offset;
      offset += block->units;
    }
    for (Block* block = entry_; block != nullptr; block = block->next) {
      if (block->empty() || !is_jump(block->last().opcode)) continue;
      Instruction& jump = block->last();
      const int units = instruction_units(jump);
      const int end = block->offset + block->units;
      const int target = jump.target->offset;
      jump.oparg = is_backward_jump(jump.opcode) ? end - target : target - end;
      const int growth = instruction_units(jump) - units;
      if (growth != 0) again = true;
      block->units += growth;
    }
  }
}

}  // namespace pyston
