// Module `_io`: what its files share. Layering: raw (FileIO) below buffered below text, as in the `io` documentation.
//
// FAST paths between the layers apply only when the lower object's type is exactly the built-in one, so that
// subclasses and duck types always see the method calls that CPython would make.
#pragma once

#include "Objects/bind.h"
#include "Runtime/python.h"
#include "internal/pycore_global_strings.h"
#include "internal/pycore_runtime.h"

namespace pyston::io {

constexpr Py_ssize_t kDefaultBufferSize = 8 * 1024;

struct FileIO {
  PyObject_HEAD
  int fd;
  bool created;
  bool readable;
  bool writable;
  bool appending;
  signed char seekable;  // -1: not asked yet
  bool closefd;
  char finalizing;       // a member of type T_BOOL
  unsigned blksize;
  PyObject* weakreflist;
  PyObject* dict;
};

/// BufferedReader, BufferedWriter and BufferedRandom. Offsets are within `buffer`; -1 marks an unused side.
/// INVARIANT: `pos` is the logical position, `raw_pos` where the raw stream stands, both relative to the buffer.
struct Buffered {
  PyObject_HEAD
  PyObject* raw;
  bool ok;
  bool detached;
  bool readable;
  bool writable;
  char finalizing;
  bool raw_is_fileio;     // exact types on both sides: system calls without method calls
  off_t abs_pos;       // the raw stream's position, -1: unknown
  char* buffer;
  off_t pos;
  off_t raw_pos;
  off_t read_end;
  off_t write_pos;
  off_t write_end;
  // Mutual exclusion: `owner` is guarded by the GIL; `gate` is only touched on contention.
  unsigned long owner;
  int waiters;
  PyThread_type_lock gate;
  Py_ssize_t buffer_size;
  PyObject* dict;
  PyObject* weakreflist;
};

extern PyTypeObject IOBase_Type, RawIOBase_Type, BufferedIOBase_Type, TextIOBase_Type;
extern "C" {
PyAPI_DATA(PyTypeObject) _PyBytesIOBuffer_Type;  // exported: _testcapi reaches it
}
extern PyTypeObject FileIO_Type, BytesIO_Type, StringIO_Type;
extern PyTypeObject BufferedReader_Type, BufferedWriter_Type, BufferedRandom_Type, BufferedRWPair_Type;
extern PyTypeObject TextIOWrapper_Type, NewlineDecoder_Type;

extern PyObject* unsupported_operation;  // io.UnsupportedOperation

/// Raises io.UnsupportedOperation(message).
Failure unsupported(const char* message);

// iobase.cpp
bool check_closed(PyObject* self);      // false: ValueError is set (or the attribute lookup failed)
bool check_readable(PyObject* self);
bool check_writable(PyObject* self);
bool check_seekable(PyObject* self);
bool finalize(PyObject* self);          // in tp_dealloc: false when the object was resurrected
PyObject* call_close_of_base(PyTypeObject* base, PyObject* self);
/// A read interrupted by a signal whose handler did not raise is retried: true (and the error is gone) in that case.
bool retry_after_interrupt();
/// True if `self` (attribute lookup) is closed; -1 on error.
int is_closed(PyObject* self);
off_t to_offset(PyObject* value, PyObject* error);
PyObject* from_offset(off_t value);
/// A size argument: -1 for None. Sets TypeError for anything without __index__.
bool size_argument(PyObject* value, Py_ssize_t& out);
PyObject* repr_with_name(PyObject* self);

// fileio.cpp, for the buffered layer's fast paths; CPython's return conventions: -1 error, -2 would block.
Py_ssize_t fileio_read_into(FileIO* self, char* out, Py_ssize_t size);
Py_ssize_t fileio_write_from(FileIO* self, const char* data, Py_ssize_t size);

// buffered.cpp, for the text layer's fast paths
/// Appends to the buffer when there is room and nothing needs a lock or a check; false: use the method.
bool buffered_write_fast(PyObject* buffer, const char* data, Py_ssize_t size);
void raise_blocking(const char* message, Py_ssize_t written);

// newline_decoder.cpp
enum SeenNewlines : int { kSeenCr = 1, kSeenLf = 2, kSeenCrLf = 4 };
struct NewlineDecoder {
  PyObject_HEAD
  PyObject* decoder;
  PyObject* errors;
  bool pending_cr;
  bool translate;
  int seen;  // SeenNewlines
};
PyObject* newline_decoder_decode(NewlineDecoder* self, PyObject* input, bool final);
PyObject* newlines_of(int seen);

/// Where the line that begins at `start` ends (past its newline), or -1 with `*consumed` characters known to be
/// without an end. `readnl` is null or the separator.
Py_ssize_t find_line_ending(bool translated, bool universal, PyObject* readnl, int kind, const void* data,
                            Py_ssize_t length, Py_ssize_t* consumed);

/// Size parameter that may be None (-1), for bind.h.
struct Size {
  Py_ssize_t value = -1;
};

}  // namespace pyston::io

namespace pyston::binding {
template <>
struct Convert<io::Size> {
  static bool convert(const Signature&, int, PyObject* value, io::Size& out) {
    return value == nullptr || io::size_argument(value, out.value);
  }
};
}  // namespace pyston::binding
