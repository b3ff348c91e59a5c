// The trace IR's tables, from irops.def and exit_reasons.def; shared by the executable and libpyston_jit.so.
#include "JIT/ir/ir.h"

namespace pyston::jit {

const IrOpInfo kIrOps[] = {
#define IROP(name, a, b, c, result, flags, immediates) {#name, {a, b, c}, result, flags},
#include "JIT/ir/irops.def"
#undef IROP
};

const char* const kExitReasons[] = {
#define EXIT_REASON(name, text) text,
#include "JIT/exits/exit_reasons.def"
#undef EXIT_REASON
};

}  // namespace pyston::jit
