// The trace IR's verifier: what it must not let through.
#include <gtest/gtest.h>

#include "JIT/ir/ir.h"

namespace pyston::jit {
namespace {

Instruction make(IrOp op, Value a = kNoValue, Value b = kNoValue, int snapshot = -1) {
  return {.op = op, .snapshot = static_cast<int16_t>(snapshot), .operands = {a, b, kNoValue}};
}

/// i is carried in slot 0: i = i + 1 until the sum overflows.
Trace counting_loop() {
  Trace trace{};
  trace.snapshots.push_back({0, 0, ExitReason::kEntryGuard, {}});
  trace.snapshots.push_back({4, 0, ExitReason::kOverflow, {{SnapshotEntry::kUnboxed, 0, kCarryValue, nullptr}}});
  trace.entry = {make(IrOp::LoadSlot), make(IrOp::UnboxInt, kEntryValue | 0, kNoValue, 0)};
  trace.carries = {{kInt, 0, kEntryValue | 1, 1, true}};
  trace.body = {make(IrOp::ConstInt), make(IrOp::IntAdd, kCarryValue | 0, 0, 1)};
  return trace;
}

TEST(JitIr, AcceptsACountingLoop) { EXPECT_EQ(verify(counting_loop()), ""); }

TEST(JitIr, RejectsAnOperandOfAnotherType) {
  Trace trace = counting_loop();
  trace.body[1].op = IrOp::FloatAdd;
  trace.body[1].snapshot = -1;
  EXPECT_NE(verify(trace).find("FloatAdd v1: operand of type int"), std::string::npos);
}

TEST(JitIr, RejectsAUseBeforeTheDefinition) {
  Trace trace = counting_loop();
  std::swap(trace.body[0], trace.body[1]);
  EXPECT_NE(verify(trace).find("operand is not defined before"), std::string::npos);
}

TEST(JitIr, RejectsAnExitWithoutASnapshot) {
  Trace trace = counting_loop();
  trace.body[1].snapshot = -1;
  EXPECT_EQ(verify(trace), "IntAdd v1: no snapshot");
}

TEST(JitIr, RejectsASnapshotOfALaterValue) {
  Trace trace = counting_loop();
  trace.snapshots[1].entries[0].value = 1;
  EXPECT_EQ(verify(trace), "IntAdd v1: its snapshot uses a later value");
}

TEST(JitIr, RejectsACarryWhoseTypeChanges) {
  Trace trace = counting_loop();
  trace.carries[0].type = kFloat;
  EXPECT_NE(verify(trace), "");
}

TEST(JitIr, EveryInstructionThatExitsAndWritesHasATableRow) {
  EXPECT_STREQ(info(IrOp::RunMicroOps).name, "RunMicroOps");
  EXPECT_EQ(info(IrOp::IntAdd).result, kInt);
  EXPECT_EQ(info(IrOp::IntAdd).flags, kExits);
}

}  // namespace
}  // namespace pyston::jit
