// PyOS_Readline: a line typed at the prompt. Line editing comes from module `readline`, which hooks in here.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

#include "Runtime/python.h"
#include "internal/pycore_pystate.h"

PyThreadState* _PyOS_ReadlineTState = nullptr;
char* (*PyOS_ReadlineFunctionPointer)(FILE*, FILE*, const char*) = nullptr;
int (*PyOS_InputHook)(void) = nullptr;

namespace {

PyThread_type_lock readline_lock = nullptr;

enum class ReadStatus { kOk, kEnd, kInterrupted, kError };

/// fgets() that lets signal handlers run. Without the GIL.
ReadStatus read_part(PyThreadState* tstate, char* buffer, int size, FILE* file) {
  for (;;) {
    if (PyOS_InputHook != nullptr) PyOS_InputHook();
    errno = 0;
    clearerr(file);
    if (std::fgets(buffer, size, file) != nullptr) return ReadStatus::kOk;
    const int error = errno;
    if (feof(file)) {
      clearerr(file);
      return ReadStatus::kEnd;
    }
    if (error != EINTR) return ReadStatus::kError;
    PyEval_RestoreThread(tstate);
    const int raised = PyErr_CheckSignals();
    PyEval_SaveThread();
    if (raised < 0) return ReadStatus::kInterrupted;
  }
}

}  // namespace

/// The line (PyMem_RawMalloc'ed, with its newline), "" at the end of the file, null when interrupted.
char* PyOS_StdioReadline(FILE* input, FILE* output, const char* prompt) {
  PyThreadState* tstate = _PyOS_ReadlineTState;
  std::fflush(output);
  if (prompt != nullptr) std::fprintf(stderr, "%s", prompt);
  std::fflush(stderr);
  size_t capacity = 100;
  size_t size = 0;
  char* line = static_cast<char*>(PyMem_RawMalloc(capacity));
  auto fail_without_memory = [&]() -> char* {
    PyMem_RawFree(line);
    PyEval_RestoreThread(tstate);
    PyErr_NoMemory();
    PyEval_SaveThread();
    return nullptr;
  };
  if (line == nullptr) return fail_without_memory();
  for (;;) {
    switch (read_part(tstate, line + size, static_cast<int>(capacity - size), input)) {
      case ReadStatus::kOk: break;
      case ReadStatus::kInterrupted: PyMem_RawFree(line); return nullptr;
      case ReadStatus::kEnd:
      case ReadStatus::kError: line[size] = '\0'; return line;
    }
    size += std::strlen(line + size);
    if (size > 0 && line[size - 1] == '\n') return line;
    capacity = size * 2 + 2;
    char* grown = static_cast<char*>(PyMem_RawRealloc(line, capacity));
    if (grown == nullptr) return fail_without_memory();
    line = grown;
  }
}

/// The same in PyMem_Malloc'ed memory; called with the GIL.
char* PyOS_Readline(FILE* input, FILE* output, const char* prompt) {
  PyThreadState* tstate = _PyThreadState_GET();
  if (_PyOS_ReadlineTState == tstate) {
    PyErr_SetString(PyExc_RuntimeError, "can't re-enter readline");
    return nullptr;
  }
  if (PyOS_ReadlineFunctionPointer == nullptr) PyOS_ReadlineFunctionPointer = PyOS_StdioReadline;
  if (readline_lock == nullptr) {
    readline_lock = PyThread_allocate_lock();
    if (readline_lock == nullptr) {
      PyErr_SetString(PyExc_MemoryError, "can't allocate lock");
      return nullptr;
    }
  }
  char* line;
  Py_BEGIN_ALLOW_THREADS
  PyThread_acquire_lock(readline_lock, WAIT_LOCK);
  _PyOS_ReadlineTState = tstate;
  // Editing makes sense on a terminal only.
  if (!isatty(fileno(input)) || !isatty(fileno(output)) || !_Py_IsMainInterpreter(tstate->interp)) {
    line = PyOS_StdioReadline(input, output, prompt);
  } else {
    line = PyOS_ReadlineFunctionPointer(input, output, prompt);
  }
  _PyOS_ReadlineTState = nullptr;
  PyThread_release_lock(readline_lock);
  Py_END_ALLOW_THREADS
  if (line == nullptr) return nullptr;
  const size_t size = std::strlen(line) + 1;
  char* copy = static_cast<char*>(PyMem_Malloc(size));
  if (copy != nullptr) std::memcpy(copy, line, size);
  else PyErr_NoMemory();
  PyMem_RawFree(line);
  return copy;
}
