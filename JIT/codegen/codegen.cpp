// From a trace to machine code. libpyston_jit.so is this file and lower.cpp, LLVM and the embedded bitcode of kernels.cpp.
//
// Each trace becomes a module of its own: the bitcode is opened lazily, the trace's function is added, only the kernels it calls are read in and
// inlined, a short O2 pipeline runs, and ORC links the result. Symbols of the executable are given to ORC by address, so nothing of it needs to be
// exported; LLVM itself stays private to this library.
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/ExecutionEngine/JITLink/JITLink.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/PassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <cstdio>

// After LLVM: the Python headers bring C's <stdatomic.h>, which C++'s <atomic> cannot follow.
#include "JIT/codegen/lower.h"

// The bitcode, from bitcode.S.
extern "C" const char pyston_jit_bitcode[];
extern "C" const char pyston_jit_bitcode_end[];

namespace pyston::jit {
namespace {

using namespace llvm;

const Host* host = nullptr;
orc::LLJIT* engine = nullptr;  // never destroyed: its code may run until the process ends
TargetMachine* machine = nullptr;
int traces = 0;

/// Texts for Host that outlive the error.
const char* keep(Error error) {
  static std::string text;
  text = toString(std::move(error));
  return text.c_str();
}

Error start_engine() {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  auto target = orc::JITTargetMachineBuilder::detectHost();
  if (!target) return target.takeError();
  target->setRelocationModel(Reloc::PIC_).setCodeModel(CodeModel::Small).setCodeGenOptLevel(CodeGenOptLevel::Default);
  auto made_machine = target->createTargetMachine();
  if (!made_machine) return made_machine.takeError();
  machine = made_machine->release();
  auto made = orc::LLJITBuilder()
                  .setJITTargetMachineBuilder(std::move(*target))
                  .setObjectLinkingLayerCreator(
                      [](orc::ExecutionSession& session, const Triple&) -> Expected<std::unique_ptr<orc::ObjectLayer>> {
                        return std::make_unique<orc::ObjectLinkingLayer>(session);
                      })
                  .create();
  if (!made) return made.takeError();
  engine = made->release();
  orc::SymbolMap symbols;
  for (const HostSymbol* symbol = host->symbols; symbol->name != nullptr; symbol++) {
    symbols[engine->mangleAndIntern(symbol->name)] = {orc::ExecutorAddr::fromPtr(symbol->address), JITSymbolFlags::Exported};
  }
  return engine->getMainJITDylib().define(orc::absoluteSymbols(std::move(symbols)));
}

/// Everything that the trace does not use goes; what it uses is read in and becomes private to it.
Error keep_what_is_called(Module& module, Function* trace) {
  for (const char* list : {"llvm.used", "llvm.compiler.used"}) {
    if (GlobalVariable* used = module.getNamedGlobal(list)) used->eraseFromParent();
  }
  bool found = true;
  while (found) {
    found = false;
    for (Function& function : module) {
      if (!function.isMaterializable() || function.use_empty()) continue;
      if (Error error = function.materialize()) return error;
      found = true;
    }
  }
  for (Function& function : make_early_inc_range(module)) {
    if (&function == trace) continue;
    if (function.use_empty()) {
      function.eraseFromParent();
    } else if (!function.isDeclaration()) {
      function.setLinkage(GlobalValue::InternalLinkage);
      function.setVisibility(GlobalValue::DefaultVisibility);
      function.setComdat(nullptr);
      function.removeFnAttr(Attribute::NoInline);
      function.addFnAttr(Attribute::AlwaysInline);
    }
  }
  return module.materializeMetadata();
}

/// Inlines the kernels, takes their out-parameters and casts apart, merges and moves out of the loop what it can. A third of the time of
/// LLVM's own O2 pipeline, for the same code in what traces are made of.
constexpr const char* kPasses =
    "always-inline,globaldce,"
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,loop-mssa(loop-rotate,licm),gvn,"
    "simplifycfg,instcombine<no-verify-fixpoint>,loop-mssa(licm),dse,adce,simplifycfg)";

void optimize(Module& module) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager calls;
  ModuleAnalysisManager modules;
  PassBuilder builder(machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(calls);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, calls, modules);
  ModulePassManager passes;
  cantFail(builder.parsePassPipeline(passes, kPasses));
  passes.run(module, modules);
}

void print_assembly(Module& module, TargetMachine& with) {
  auto copy = CloneModule(module);
  SmallString<4096> text;
  raw_svector_ostream stream(text);
  legacy::PassManager passes;
  if (!with.addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::AssemblyFile)) {
    passes.run(*copy);
    errs() << text;
  }
}

Expected<Handler> compile_module(const Trace& trace) {
  auto context = std::make_unique<LLVMContext>();
  StringRef bitcode(pyston_jit_bitcode, static_cast<size_t>(pyston_jit_bitcode_end - pyston_jit_bitcode));
  auto opened = getLazyBitcodeModule(MemoryBufferRef(bitcode, "kernels"), *context);
  if (!opened) return opened.takeError();
  std::unique_ptr<Module> module = std::move(*opened);
  module->setDataLayout(machine->createDataLayout());
  module->setTargetTriple(machine->getTargetTriple().str());
  std::string name = "trace_" + std::to_string(traces++);
  Function* function = lower(trace, *module, *host, name);
  if (Error error = keep_what_is_called(*module, function)) return std::move(error);
  for (Function& each : *module) {
    each.addFnAttr("target-cpu", machine->getTargetCPU());
    each.addFnAttr("target-features", machine->getTargetFeatureString());
  }
  if (host->dump_llvm) {
    std::string problems;
    raw_string_ostream stream(problems);
    if (verifyModule(*module, &stream)) return createStringError(inconvertibleErrorCode(), stream.str().c_str());
  }
  optimize(*module);
  if (host->dump_llvm) function->print(errs());
  if (host->dump_assembly) print_assembly(*module, *machine);
  if (Error error = engine->addIRModule(orc::ThreadSafeModule(std::move(module), std::move(context)))) return std::move(error);
  auto address = engine->lookup(name);
  if (!address) return address.takeError();
  return address->toPtr<Handler>();
}

Handler compile(const Trace* trace, const char** why) {
  auto compiled = compile_module(*trace);
  if (compiled) return *compiled;
  *why = keep(compiled.takeError());
  return nullptr;
}

const CodeGenerator generator = {compile};

}  // namespace
}  // namespace pyston::jit

extern "C" __attribute__((visibility("default"))) const pyston::jit::CodeGenerator* pyston_jit_code_generator(
    const pyston::jit::Host* with, const char** why) {
  using namespace pyston::jit;
  host = with;
  if (llvm::Error error = start_engine()) {
    *why = keep(std::move(error));
    return nullptr;
  }
  return &generator;
}
