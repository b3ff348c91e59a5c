// Laying down a trace: nearly every IR instruction is a call of its kernel, which LLVM inlines, and a branch to an exit where
// the kernel says so. What is left to do by hand are constants, the values that travel from one iteration to the next, exits, and calls
// of whole micro-op sequences.
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/MDBuilder.h>

// After LLVM: the Python headers bring C's <stdatomic.h>, which C++'s <atomic> cannot follow.
#include "JIT/codegen/lower.h"

#include "Interpreter/bytecode/opcodes.h"

namespace pyston::jit {
namespace {

using namespace llvm;

class Lowering {
 public:
  Lowering(const Trace& trace, Module& module, const Host& host)
      : trace_(trace), module_(module), host_(host), builder_(module.getContext()) {}

  Function* run(const std::string& name) {
    pointer_ = builder_.getPtrTy();
    handler_ = FunctionType::get(pointer_, {pointer_, pointer_, pointer_, pointer_, builder_.getInt32Ty()}, false);
    function_ = Function::Create(handler_, GlobalValue::ExternalLinkage, name, module_);
    function_->setCallingConv(CallingConv::PreserveNone);
    function_->addFnAttr("frame-pointer", "all");
    function_->addFnAttr(Attribute::NoUnwind);
    frame_ = function_->getArg(0);
    thread_ = function_->getArg(3);
    BasicBlock* entry = block("entry");
    builder_.SetInsertPoint(entry);
    out_ = builder_.CreateAlloca(builder_.getInt64Ty());
    micro_op_state_ = builder_.CreateAlloca(ArrayType::get(pointer_, 2));
    iterations_ = builder_.getInt64(0);
    lower_section(trace_.entry, entry_values_);
    lower_loop();
    return function_;
  }

 private:
  BasicBlock* block(const char* name) { return BasicBlock::Create(module_.getContext(), name, function_); }
  Constant* address(const void* pointer) {
    return ConstantExpr::getIntToPtr(builder_.getInt64(reinterpret_cast<uint64_t>(pointer)), pointer_);
  }
  Type* type_of(IrType type) {
    switch (type) {
      case kFloat: return builder_.getDoubleTy();
      default: return builder_.getInt64Ty();
    }
  }
  llvm::Value* value(pyston::jit::Value id) {
    int index = value_index(id);
    switch (value_kind(id)) {
      case kEntryValue: return entry_values_[index];
      case kCarryValue: return carries_[index];
      default: return body_values_[index];
    }
  }
  llvm::Value* bits(llvm::Value* any) {
    return any->getType()->isDoubleTy() ? builder_.CreateBitCast(any, builder_.getInt64Ty()) : any;
  }
  MDNode* likely() { return MDBuilder(module_.getContext()).createBranchWeights(2000, 1); }

  void leave(Handler handler, llvm::Value* next_instr, llvm::Value* stack_pointer, int oparg) {
    CallInst* call = builder_.CreateCall(handler_, address(reinterpret_cast<void*>(handler)),
                                         {frame_, next_instr, stack_pointer, thread_, builder_.getInt32(oparg)});
    call->setCallingConv(CallingConv::PreserveNone);
    call->setTailCallKind(CallInst::TCK_MustTail);
    builder_.CreateRet(call);
  }

  /// A block that leaves through a snapshot, its values put where op_leave_trace expects them.
  BasicBlock* exit_block(int number) {
    IRBuilder<>::InsertPointGuard guard(builder_);
    BasicBlock* exit = block("exit");
    builder_.SetInsertPoint(exit);
    const Snapshot& snapshot = trace_.snapshots[number];
    for (size_t i = 0; i < snapshot.entries.size(); i++) {
      const SnapshotEntry& entry = snapshot.entries[i];
      if (entry.kind == SnapshotEntry::kUnboxed) builder_.CreateStore(value(entry.value), address(host_.exit_values + i));
    }
    builder_.CreateStore(iterations_, address(host_.exit_iterations));
    leave(host_.leave, address(&trace_), function_->getArg(2), number);
    return exit;
  }

  void continue_if(llvm::Value* condition, BasicBlock* otherwise) {
    BasicBlock* next = block("next");
    builder_.CreateCondBr(condition, next, otherwise, likely());
    builder_.SetInsertPoint(next);
  }

  void lower_section(const std::vector<pyston::jit::Instruction>& section, std::vector<llvm::Value*>& values) {
    values.assign(section.size(), nullptr);
    for (size_t i = 0; i < section.size(); i++) values[i] = lower_instruction(section[i]);
  }

  llvm::Value* lower_instruction(const pyston::jit::Instruction& instruction) {
    switch (instruction.op) {
      case IrOp::ConstInt: return builder_.getInt64(static_cast<uint64_t>(instruction.imm[0]));
      case IrOp::ConstFloat:
        return ConstantFP::get(builder_.getDoubleTy(), std::bit_cast<double>(instruction.imm[0]));
      case IrOp::RunMicroOps: lower_micro_ops(instruction); return nullptr;
      default: return call_kernel(instruction);
    }
  }

  llvm::Value* call_kernel(const pyston::jit::Instruction& instruction) {
    const IrOpInfo& op = info(instruction.op);
    Function* kernel = module_.getFunction(std::string("kernel_") + op.name);
    std::vector<llvm::Value*> arguments{frame_, thread_};
    for (int64_t immediate : instruction.imm) arguments.push_back(builder_.getInt64(static_cast<uint64_t>(immediate)));
    for (pyston::jit::Value operand : instruction.operands) {
      arguments.push_back(operand == kNoValue ? builder_.getInt64(0) : bits(value(operand)));
    }
    arguments.push_back(out_);
    llvm::Value* stays = builder_.CreateCall(kernel, arguments);
    if (op.flags & kExits) continue_if(stays, exit_block(instruction.snapshot));
    return op.result == kNone ? nullptr : builder_.CreateLoad(type_of(op.result), out_);
  }

  /// The loop's head carries values and the number of completed iterations.
  void lower_loop() {
    BasicBlock* before = builder_.GetInsertBlock();
    BasicBlock* head = block("loop");
    builder_.CreateBr(head);
    builder_.SetInsertPoint(head);
    PHINode* count = builder_.CreatePHI(builder_.getInt64Ty(), 2);
    count->addIncoming(builder_.getInt64(0), before);
    iterations_ = count;
    for (const Carry& carry : trace_.carries) {
      PHINode* phi = builder_.CreatePHI(type_of(carry.type), 2);
      phi->addIncoming(value(carry.initial), before);
      carries_.push_back(phi);
    }
    lower_section(trace_.body, body_values_);
    BasicBlock* last = builder_.GetInsertBlock();
    count->addIncoming(builder_.CreateAdd(count, builder_.getInt64(1)), last);
    for (size_t i = 0; i < carries_.size(); i++) {
      cast<PHINode>(carries_[i])->addIncoming(value(trace_.carries[i].back), last);
    }
    builder_.CreateBr(head);
  }

  void lower_micro_ops(const pyston::jit::Instruction& instruction) {
    int opcode = static_cast<int>(instruction.imm[0]);
    int oparg = static_cast<int>(instruction.imm[1] & 0xffffffff);
    int expected = static_cast<int>(instruction.imm[1] >> 32);
    int offset = static_cast<int>(instruction.imm[2] >> 32);
    const Snapshot& snapshot = trace_.snapshots[instruction.snapshot];
    _Py_CODEUNIT* units = trace_.units;
    llvm::Value* stack_pointer = builder_.CreateConstGEP1_64(
        builder_.getInt8Ty(), frame_,
        offsetof(_PyInterpreterFrame, localsplus) + sizeof(PyObject*) * (trace_.locals + snapshot.depth));
    // Caches and opcode belong together: as long as the opcode is the recorded one, the caches are what it expects.
    BasicBlock* redo = block("redo");
    if (kOpcodeInfo[opcode].flags & kSpecialized) {
      llvm::Value* now = builder_.CreateLoad(builder_.getInt8Ty(), address(units + offset));
      continue_if(builder_.CreateICmpEQ(now, builder_.getInt8(opcode)), redo);
    }
    Function* micro_ops = module_.getFunction(std::string("micro_ops_") + kOpcodeInfo[opcode].name);
    llvm::Value* outcome = builder_.CreateCall(
        micro_ops, {frame_, address(units + offset + 1), stack_pointer, thread_, builder_.getInt32(oparg), micro_op_state_});
    llvm::Value* next_instr = builder_.CreateLoad(pointer_, micro_op_state_);
    llvm::Value* next_stack =
        builder_.CreateLoad(pointer_, builder_.CreateConstGEP1_64(pointer_, micro_op_state_, 1));
    llvm::Value* zero = builder_.getInt64(0);
    llvm::Value* not_tracing = builder_.CreateCall(module_.getFunction("kernel_NotTracing"),
                                                   {frame_, thread_, zero, zero, zero, zero, zero, zero, out_});
    llvm::Value* as_recorded = builder_.CreateAnd(builder_.CreateICmpULE(outcome, builder_.getInt32(kGo)),
                                                  builder_.CreateICmpEQ(next_instr, address(units + expected)));
    BasicBlock* elsewhere = block("elsewhere");
    continue_if(builder_.CreateAnd(as_recorded, not_tracing), elsewhere);

    IRBuilder<>::InsertPointGuard guard(builder_);
    BasicBlock* go_on = block("go_on");
    BasicBlock* error = block("error");
    BasicBlock* unwind = block("unwind");
    builder_.SetInsertPoint(elsewhere);
    SwitchInst* ways = builder_.CreateSwitch(outcome, go_on);
    ways->addCase(builder_.getInt32(kDeopt), redo);
    ways->addCase(builder_.getInt32(kRedo), redo);
    ways->addCase(builder_.getInt32(kError), error);
    ways->addCase(builder_.getInt32(kUnwind), unwind);
    builder_.SetInsertPoint(go_on);
    note_departure();
    leave(host_.go_on, next_instr, next_stack, instruction.snapshot);
    builder_.SetInsertPoint(redo);
    note_departure();
    leave(host_.go_on, address(units + snapshot.instruction), stack_pointer, instruction.snapshot);
    builder_.SetInsertPoint(error);
    leave(host_.error, next_instr, next_stack, 0);
    builder_.SetInsertPoint(unwind);
    leave(host_.unwind, next_instr, next_stack, 0);
  }

  void note_departure() {
    builder_.CreateStore(address(&trace_), address(host_.exit_values));
    builder_.CreateStore(iterations_, address(host_.exit_iterations));
  }

  const Trace& trace_;
  Module& module_;
  const Host& host_;
  IRBuilder<> builder_;
  Type* pointer_ = nullptr;
  FunctionType* handler_ = nullptr;
  Function* function_ = nullptr;
  llvm::Value* frame_ = nullptr;
  llvm::Value* thread_ = nullptr;
  llvm::Value* out_ = nullptr;             // where kernels put their result
  llvm::Value* micro_op_state_ = nullptr;  // a MicroOpState
  llvm::Value* iterations_ = nullptr;
  std::vector<llvm::Value*> entry_values_;
  std::vector<llvm::Value*> body_values_;
  std::vector<llvm::Value*> carries_;
};

}  // namespace

Function* lower(const Trace& trace, Module& module, const Host& host, const std::string& name) {
  return Lowering(trace, module, host).run(name);
}

}  // namespace pyston::jit
