// sys.stdin, sys.stdout and sys.stderr.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "Runtime/options/options.h"
#include "Runtime/state/lifecycle.h"
#include "internal/pycore_fileutils.h"
#include "internal/pycore_initconfig.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pymem.h"
#include "internal/pycore_pystate.h"

namespace pyston::state {
namespace {

char* requested_encoding = nullptr;
char* requested_errors = nullptr;

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

/// New reference; None where the descriptor isn't open.
Ref<> make_stream(const PyConfig* config, PyObject* io, int fd, bool write_mode, const char* name,
                  const wchar_t* encoding, const wchar_t* errors) {
  if (!is_open(fd)) return Ref<>::none();
  // stdin is always buffered: the prompt and input() read it through the C library or this buffer, never both.
  const bool unbuffered = !config->buffered_stdio && write_mode;
  const char* mode = write_mode ? "wb" : "rb";
  auto buffer = VM_TRY(Ref<>::steal(PyObject_CallMethod(io, "open", "isiOOOO", fd, mode, unbuffered ? 0 : -1, Py_None,
                                                        Py_None, Py_None, Py_False)));
  Ref<> raw;
  if (!unbuffered) {
    raw = VM_TRY(Ref<>::steal(PyObject_GetAttr(buffer.get(), &_Py_ID(raw))));
  } else {
    raw = Ref<>::dup(buffer.get());
  }
  auto text_name = VM_TRY(Ref<>::steal(PyUnicode_FromString(name)));
  VM_CHECK(PyObject_SetAttr(raw.get(), &_Py_ID(name), text_name.get()));
  auto is_tty_object = VM_TRY(Ref<>::steal(PyObject_CallMethodNoArgs(raw.get(), &_Py_ID(isatty))));
  const int is_tty = PyObject_IsTrue(is_tty_object.get());
  if (is_tty < 0) return nullptr;
  PyObject* write_through = unbuffered ? Py_True : Py_False;
  const bool line_buffering = (is_tty || fd == fileno(stderr)) && config->buffered_stdio && write_mode;
  // What Py_SetStandardStreamEncoding asked for goes before the configuration; stderr's handler is fixed.
  auto encoding_text = VM_TRY(Ref<>::steal(requested_encoding != nullptr ? PyUnicode_FromString(requested_encoding)
                                                                         : PyUnicode_FromWideChar(encoding, -1)));
  auto errors_text = VM_TRY(Ref<>::steal(requested_errors != nullptr && fd != fileno(stderr)
                                             ? PyUnicode_FromString(requested_errors)
                                             : PyUnicode_FromWideChar(errors, -1)));
  auto stream = VM_TRY(Ref<>::steal(PyObject_CallMethod(io, "TextIOWrapper", "OOOsOO", buffer.get(), encoding_text.get(),
                                                        errors_text.get(), "\n",
                                                        line_buffering ? Py_True : Py_False, write_through)));
  auto mode_text = VM_TRY(Ref<>::steal(PyUnicode_FromString(write_mode ? "w" : "r")));
  VM_CHECK(PyObject_SetAttr(stream.get(), &_Py_ID(mode), mode_text.get()));
  return stream;
}

/// A script that is a directory is refused before anything runs.
void refuse_directory_stdin() {
  struct stat info;
  if (fstat(fileno(stdin), &info) != 0 || !S_ISDIR(info.st_mode)) return;
  Py_ExitStatusException(options::status_error("init_sys_streams", "<stdin> is a directory, cannot continue"));
}

}  // namespace

Status open_preliminary_stderr() {
  auto printer = VM_TRY(Ref<>::steal(PyFile_NewStdPrinter(fileno(stderr))));
  VM_CHECK(PySys_SetObject("stderr", printer.get()));
  return PySys_SetObject("__stderr__", printer.get()) < 0 ? Status::kError : Status::kOk;
}

Status open_standard_streams(PyThreadState* tstate) {
  const PyConfig* config = _PyInterpreterState_GetConfig(tstate->interp);
  refuse_directory_stdin();
  // The codecs of the streams are looked up through the encodings package; io brings the rest.
  auto encodings = VM_TRY(Ref<>::steal(PyImport_ImportModule("encodings.utf_8")));
  auto latin = VM_TRY(Ref<>::steal(PyImport_ImportModule("encodings.latin_1")));
  auto io = VM_TRY(Ref<>::steal(PyImport_ImportModule("io")));
  struct Row {
    const char* attribute;
    const char* saved;
    const char* name;
    int fd;
    bool write_mode;
    const wchar_t* errors;
  };
  const Row rows[] = {
      {"stdin", "__stdin__", "<stdin>", fileno(stdin), false, config->stdio_errors},
      {"stdout", "__stdout__", "<stdout>", fileno(stdout), true, config->stdio_errors},
      {"stderr", "__stderr__", "<stderr>", fileno(stderr), true, L"backslashreplace"},
  };
  for (const Row& row : rows) {
    auto stream = VM_TRY(
        make_stream(config, io.get(), row.fd, row.write_mode, row.name, config->stdio_encoding, row.errors));
    VM_CHECK(PySys_SetObject(row.saved, stream.get()));
    VM_CHECK(PySys_SetObject(row.attribute, stream.get()));
  }
  _Py_ClearStandardStreamEncoding();
  return Status::kOk;
}

Status flush_standard_streams() {
  Status status = Status::kOk;
  auto flush = [](const char* name) -> bool {
    PyObject* stream = PySys_GetObject(name);
    if (stream == nullptr || stream == Py_None) return true;
    Ref<> keep = Ref<>::dup(stream);
    Ref<> closed = Ref<>::steal(PyObject_GetAttrString(stream, "closed"));
    if (!closed) PyErr_Clear();
    if (closed && PyObject_IsTrue(closed.get()) > 0) return true;
    Ref<> result = Ref<>::steal(PyObject_CallMethodNoArgs(stream, &_Py_ID(flush)));
    return static_cast<bool>(result);
  };
  PyObject* standard_out = PySys_GetObject("stdout");
  if (!flush("stdout")) {
    PyErr_WriteUnraisable(standard_out);
    status = Status::kError;
  }
  if (!flush("stderr")) {
    PyErr_Clear();
    status = Status::kError;
  }
  return status;
}

}  // namespace pyston::state

using namespace pyston::state;

int Py_SetStandardStreamEncoding(const char* encoding, const char* errors) {
  if (Py_IsInitialized()) return -1;
  auto copy = [](const char* text, char** out) {
    if (text == nullptr) return true;
    *out = _PyMem_RawStrdup(text);
    return *out != nullptr;
  };
  if (!copy(encoding, &requested_encoding)) return -2;
  if (!copy(errors, &requested_errors)) return -3;
  return 0;
}

void _Py_ClearStandardStreamEncoding(void) {
  PyMem_RawFree(requested_encoding);
  PyMem_RawFree(requested_errors);
  requested_encoding = requested_errors = nullptr;
}
