// Between the executable and libpyston_jit.so: plain data both ways, no LLVM. The executable opens the library when the first trace is
// to be compiled and calls kEntryPoint once for a CodeGenerator.
#pragma once

#include "JIT/ir/ir.h"

namespace pyston::jit {

/// Where micro-ops left the machine (out parameter of micro_ops_NAME in kernels.cpp).
struct MicroOpState {
  _Py_CODEUNIT* next_instr;
  PyObject** stack_pointer;
};

/// An address that bitcode refers to.
struct HostSymbol {
  const char* name;
  void* address;
};

/// What the code generator needs of the executable; lives as long as the process.
struct Host {
  const HostSymbol* symbols;  // in no order, ended by a null name
  /// Handlers that traces leave through. `leave` gets the snapshot's number as oparg and the Trace as next_instr; its values are in
  /// `exit_values`, the completed iterations in *exit_iterations. `error`, `unwind` and `go_on` get the machine's state.
  Handler leave;
  Handler error;
  Handler unwind;
  Handler go_on;
  int64_t* exit_values;  // kMaxExitValues of them
  int64_t* exit_iterations;
  bool dump_llvm;
  bool dump_assembly;
};
inline constexpr int kMaxExitValues = 256;

struct CodeGenerator {
  /// Compiles a verified trace; thread-safe against everything but itself, reads only `trace` and what Host names. Returns the handler or null,
  /// then *why (static text) says why.
  Handler (*compile)(const Trace* trace, const char** why);
};

inline constexpr const char* kEntryPoint = "pyston_jit_code_generator";
using EntryPoint = const CodeGenerator* (*)(const Host* host, const char** why);

}  // namespace pyston::jit
