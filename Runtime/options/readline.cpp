// PyOS_Readline: one line of input for the prompt and input(), through GNU readline when its module is imported.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "Runtime/refs/ref.h"
#include "internal/pycore_pystate.h"

PyThreadState* _PyOS_ReadlineTState = nullptr;
char* (*PyOS_ReadlineFunctionPointer)(FILE*, FILE*, const char*) = nullptr;
int (*PyOS_InputHook)(void) = nullptr;

namespace {

PyThread_type_lock readline_lock = nullptr;

enum class ReadResult { kLine, kInterrupted, kEnd };

/// Reads one piece of a line into `buffer`, without the GIL. Signal handlers run on EINTR.
ReadResult read_piece(char* buffer, int size, FILE* file) {
  while (true) {
    if (PyOS_InputHook != nullptr && _PyOS_ReadlineTState == _PyThreadState_GET()) PyOS_InputHook();
    errno = 0;
    clearerr(file);
    if (fgets(buffer, size, file) != nullptr) return ReadResult::kLine;
    const int error = errno;
    if (feof(file)) {
      clearerr(file);
      return ReadResult::kEnd;
    }
    if (error != EINTR) return ReadResult::kEnd;
    PyEval_RestoreThread(_PyOS_ReadlineTState);
    const int raised = PyErr_CheckSignals();
    PyEval_SaveThread();
    if (raised < 0) return ReadResult::kInterrupted;
  }
}

}  // namespace

/// A PyMem_RawMalloc'ed line with its newline, "" at the end of input, null with an exception on interruption.
extern "C" PyAPI_FUNC(char*) PyOS_StdioReadline(FILE* input, FILE* output, const char* prompt) {
  fflush(output);
  if (prompt != nullptr) fprintf(stderr, "%s", prompt);
  fflush(stderr);
  size_t capacity = 128;
  size_t length = 0;
  auto* line = static_cast<char*>(PyMem_RawMalloc(capacity));
  while (line != nullptr) {
    switch (read_piece(line + length, static_cast<int>(capacity - length), input)) {
      case ReadResult::kInterrupted:
        PyMem_RawFree(line);
        return nullptr;
      case ReadResult::kEnd:
        line[length] = '\0';
        return line;
      case ReadResult::kLine: break;
    }
    length += strlen(line + length);
    if (length > 0 && line[length - 1] == '\n') return line;
    capacity *= 2;
    auto* grown = static_cast<char*>(PyMem_RawRealloc(line, capacity));
    if (grown == nullptr) PyMem_RawFree(line);
    line = grown;
  }
  PyEval_RestoreThread(_PyOS_ReadlineTState);
  PyErr_NoMemory();
  PyEval_SaveThread();
  return nullptr;
}

/// The same as PyMem_Malloc'ed memory, called with the GIL held; it is released while waiting.
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
  Py_BEGIN_ALLOW_THREADS
  PyThread_acquire_lock(readline_lock, WAIT_LOCK);
  _PyOS_ReadlineTState = tstate;
  Py_END_ALLOW_THREADS
  char* raw;
  PyEval_SaveThread();
  if (!isatty(fileno(input)) || !isatty(fileno(output)) || !_Py_IsMainInterpreter(tstate->interp)) {
    raw = PyOS_StdioReadline(input, output, prompt);
  } else {
    raw = PyOS_ReadlineFunctionPointer(input, output, prompt);
  }
  PyEval_RestoreThread(tstate);
  _PyOS_ReadlineTState = nullptr;
  PyThread_release_lock(readline_lock);
  if (raw == nullptr) return nullptr;
  const size_t size = strlen(raw) + 1;
  auto* line = static_cast<char*>(PyMem_Malloc(size));
  if (line != nullptr) {
    memcpy(line, raw, size);
  } else {
    PyErr_NoMemory();
  }
  PyMem_RawFree(raw);
  return line;
}
