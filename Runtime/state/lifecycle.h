// Parts of start-up and shutdown that stand in files of their own.
#pragma once

#include "Runtime/refs/ref.h"

namespace pyston::state {

/// Set by the command: the process ends with the interpreter.
inline bool process_ends_with_interpreter = false;
/// The command is shutting down. Memory of interned strings and code objects, which have no destructors that a program could
/// see, is left to the kernel.
inline bool memory_ends_soon = false;

/// A minimal sys.stderr over the C stream, so that errors of start-up can be shown.
Status open_preliminary_stderr();
/// Makes sys.stdin, stdout and stderr; a file descriptor that isn't open gives None.
Status open_standard_streams(PyThreadState* tstate);
/// Flushes sys.stdout and sys.stderr. An error in stdout is reported as unraisable and fails.
Status flush_standard_streams();
/// Empties sys.modules in the documented order, so that finalisers run while their modules still exist.
void finalize_modules(PyThreadState* tstate);

}  // namespace pyston::state
