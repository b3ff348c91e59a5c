// Laying down a trace as LLVM IR.
#pragma once

#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>

#include "JIT/codegen/codegen.h"

namespace pyston::jit {

/// Adds the function `name` (a Handler) for a verified trace to a module that declares the kernels. Owned by the module.
llvm::Function* lower(const Trace& trace, llvm::Module& module, const Host& host, const std::string& name);

}  // namespace pyston::jit
