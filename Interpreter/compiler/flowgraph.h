// The control-flow graph between code generation and bytes: instructions in basic blocks with symbolic jump targets.
//
// Opcodes are those of opcode.h plus the pseudo instructions below, which the passes of flowgraph.cpp turn into real
// ones: block pushes become rows of the exception table, jumps get their direction.
// INVARIANT: the order in which blocks are created is part of the result (some passes visit them newest first).
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "Interpreter/compiler/ast.h"

#include <opcode.h>

namespace pyston {

enum PseudoOpcode : int {
  kFirstPseudo = 256,
  kSetupFinally = kFirstPseudo,  // handlers: exceptions in what follows go to the target
  kSetupCleanup,                 // the same, and the handler finds the instruction offset below the exception
  kSetupWith,                    // the same, above the result of __enter__
  kPopBlock,                     // ends the innermost of the three
  kJump,
  kJumpNoInterrupt,
  kPopJumpIfFalse,
  kPopJumpIfTrue,
  kPopJumpIfNone,
  kPopJumpIfNotNone,
  kOpcodeCount,
};

/// What the passes ask about an opcode, as bits of one table.
enum OpcodeTrait : uint8_t {
  kIsJump = 1,
  kIsBlockPush = 2,
  kEndsBlock = 4,  // jumps, returns and raises
  kIsBackward = 8,
};
inline constexpr std::array<uint8_t, kOpcodeCount> kOpcodeTraits = [] {
  std::array<uint8_t, kOpcodeCount> traits{};
  for (int opcode : {int{kJump}, int{kJumpNoInterrupt}, int{kPopJumpIfFalse}, int{kPopJumpIfTrue}, int{kPopJumpIfNone},
                     int{kPopJumpIfNotNone}, FOR_ITER, SEND, JUMP_IF_FALSE_OR_POP, JUMP_IF_TRUE_OR_POP, JUMP_FORWARD,
                     POP_JUMP_FORWARD_IF_FALSE, POP_JUMP_FORWARD_IF_TRUE, POP_JUMP_FORWARD_IF_NONE,
                     POP_JUMP_FORWARD_IF_NOT_NONE}) {
    traits[opcode] = kIsJump | kEndsBlock;
  }
  for (int opcode : {JUMP_BACKWARD, JUMP_BACKWARD_NO_INTERRUPT, POP_JUMP_BACKWARD_IF_FALSE, POP_JUMP_BACKWARD_IF_TRUE,
                     POP_JUMP_BACKWARD_IF_NONE, POP_JUMP_BACKWARD_IF_NOT_NONE}) {
    traits[opcode] = kIsJump | kEndsBlock | kIsBackward;
  }
  for (int opcode : {RETURN_VALUE, RAISE_VARARGS, RERAISE}) traits[opcode] = kEndsBlock;
  for (int opcode : {kSetupFinally, kSetupCleanup, kSetupWith}) traits[opcode] = kIsBlockPush;
  return traits;
}();
inline bool is_jump(int opcode) { return (kOpcodeTraits[opcode] & kIsJump) != 0; }
inline bool is_backward_jump(int opcode) { return (kOpcodeTraits[opcode] & kIsBackward) != 0; }
inline bool is_block_push(int opcode) { return (kOpcodeTraits[opcode] & kIsBlockPush) != 0; }
inline bool has_target(int opcode) { return (kOpcodeTraits[opcode] & (kIsJump | kIsBlockPush)) != 0; }
inline bool ends_block(int opcode) { return (kOpcodeTraits[opcode] & kEndsBlock) != 0; }

inline constexpr ast::Position kNoPosition = {-1, -1, -1, -1};

struct Block;

struct Instruction {
  int opcode = NOP;
  int oparg = 0;
  ast::Position position = kNoPosition;
  Block* target = nullptr;   // of jumps and block pushes
  Block* handler = nullptr;  // where an exception goes; set by assign_handlers()
};

/// Innermost first; shared tails.
struct HandlerStack {
  Block* handler;
  const HandlerStack* outer;
};

struct Block {
  std::vector<Instruction> instructions;
  Block* next = nullptr;  // in layout order
  const HandlerStack* handlers = nullptr;
  int predecessors = 0;
  int start_depth = -1;
  int offset = 0;
  int units = 0;                // code units of the instructions
  bool is_exit = false;         // ends by leaving the frame
  bool no_fallthrough = false;  // control never reaches `next` from here
  bool visited = false;
  bool preserves_offset = false;  // a handler with the instruction offset on the stack

  bool empty() const { return instructions.empty(); }
  Instruction& last() { return instructions.back(); }
  /// As new, but with the memory of `instructions`.
  void reset() {
    std::vector<Instruction> memory = std::move(instructions);
    memory.clear();
    *this = Block();
    instructions = std::move(memory);
  }
};

/// Number of code units that the instruction occupies, EXTENDED_ARGs and inline caches included.
int instruction_units(const Instruction& instruction);
/// Net effect on the stack depth; `jump`: 1 taken, 0 not taken, -1 the larger of both. PY_INVALID_STACK_EFFECT when
/// there is no such instruction. Accepts pseudo instructions.
int stack_effect(int opcode, int oparg, int jump);

/// What the optimiser needs from the constants of the code object under construction.
class ConstantPool {
 public:
  virtual PyObject* constant(int index) = 0;
  virtual int count() const = 0;
  /// Index of the tuple (stolen), added when it is new; -1 with an exception on failure.
  virtual int add_folded_tuple(PyObject* tuple) = 0;
  virtual void truncate(int count) = 0;

 protected:
  ~ConstantPool() = default;
};

class FlowGraph {
 public:
  FlowGraph() = default;
  FlowGraph(const FlowGraph&) = delete;

  /// Begins a new graph in the memory of the last one.
  void start() {
    used_blocks_ = 0;
    handler_stacks_.clear();
    entry_ = current_ = new_block();
  }

  Block* entry() const { return entry_; }
  Block* current() const { return current_; }
  Block* new_block() {
    if (used_blocks_ == blocks_.size()) blocks_.push_back(std::make_unique<Block>());
    Block* block = blocks_[used_blocks_++].get();
    block->reset();
    return block;
  }
  /// Lays `block` out after the current block and continues there.
  void use_next(Block* block) {
    current_->next = block;
    current_ = block;
  }
  void add(int opcode, int oparg, const ast::Position& position, Block* target = nullptr) {
    if (!current_->empty() && ends_block(current_->last().opcode)) use_next(new_block());
    current_->instructions.push_back({opcode, oparg, position, target, nullptr});
  }
  bool current_returns() const {
    for (const Instruction& instruction : current_->instructions) {
      if (instruction.opcode == RETURN_VALUE) return true;
    }
    return false;
  }

  // The passes, in the order in which assemble.cpp runs them. Bool results: false with an exception set.

  bool normalize_blocks();
  bool optimize(ConstantPool& constants);
  void duplicate_exits_without_line();
  void trim_unused_constants(ConstantPool& constants);
  void propagate_lines();
  void give_exits_lines(int first_line);
  /// The frame's stack size, or -1 for a malformed graph.
  int compute_stack_depth(int start_depth);
  void assign_handlers();
  void remove_pseudo_handlers();
  void choose_jump_directions();
  void compute_offsets();

 private:
  bool optimize_block(Block& block, ConstantPool& constants);
  bool fold_constant_tuple(Block& block, size_t build, ConstantPool& constants);
  bool simplify_load_const(Block& block, size_t index, ConstantPool& constants);
  void extend_block(Block& block);
  void mark_reachable();
  void remove_empty_blocks();
  bool remove_redundant_jumps();

  std::span<const std::unique_ptr<Block>> blocks() const { return {blocks_.data(), used_blocks_}; }

  std::vector<std::unique_ptr<Block>> blocks_;  // in order of creation, behind them those of earlier graphs
  size_t used_blocks_ = 0;
  std::deque<HandlerStack> handler_stacks_;
  Block* entry_ = nullptr;
  Block* current_ = nullptr;
};

}  // namespace pyston
