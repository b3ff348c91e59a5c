// The location table of code objects: a byte per entry start (high bit set, kind, length in code units), then varints.
//
// INVARIANT: tables may be garbage (code.replace): every read is bounded by the end of the table, never by its contents.
#include "Objects/callables/code_lines.h"

#include <pycore_code.h>

#include <string>

#include "Objects/bind.h"

namespace pyston {
namespace {

/// A source range; -1 where unknown.
struct Location {
  int line = -1;
  int end_line = -1;
  int column = -1;
  int end_column = -1;
};

bool starts_entry(uint8_t byte) { return (byte & 0x80) != 0; }
int entry_kind(uint8_t byte) { return (byte >> 3) & 15; }
int entry_units(uint8_t byte) { return (byte & 7) + 1; }

/// Reads the varints of one entry.
class Reader {
 public:
  Reader(const uint8_t* next, const uint8_t* limit) : next_(next), limit_(limit) {}
  int byte() { return next_ < limit_ ? *next_++ : 0; }
  int varint() {
    unsigned value = 0;
    int shift = 0;
    for (;;) {
      const int read = byte();
      if (shift < 32) value |= static_cast<unsigned>(read & 63) << shift;
      shift += 6;
      if ((read & 64) == 0) return static_cast<int>(value);
    }
  }
  int signed_varint() {
    const unsigned value = static_cast<unsigned>(varint());
    return value & 1 ? -static_cast<int>(value >> 1) : static_cast<int>(value >> 1);
  }

 private:
  const uint8_t* next_;
  const uint8_t* limit_;
};

int line_delta(const uint8_t* entry, const uint8_t* limit) {
  switch (entry_kind(*entry)) {
    case PY_CODE_LOCATION_INFO_NO_COLUMNS:
    case PY_CODE_LOCATION_INFO_LONG: return Reader(entry + 1, limit).signed_varint();
    case PY_CODE_LOCATION_INFO_ONE_LINE1: return 1;
    case PY_CODE_LOCATION_INFO_ONE_LINE2: return 2;
    default: return 0;
  }
}

bool has_no_line(const uint8_t* entry) { return entry_kind(*entry) == PY_CODE_LOCATION_INFO_NONE; }

const uint8_t* next_entry(const uint8_t* entry, const uint8_t* limit) {
  do entry++;
  while (entry < limit && !starts_entry(*entry));
  return entry;
}

/// The full range of an entry whose line (after its delta) is `line`.
Location entry_location(const uint8_t* entry, const uint8_t* limit, int line) {
  const int kind = entry_kind(*entry);
  Reader reader(entry + 1, limit);
  switch (kind) {
    case PY_CODE_LOCATION_INFO_NONE: return {};
    case PY_CODE_LOCATION_INFO_LONG: {
      reader.signed_varint();
      const int end_line = line + reader.varint();
      const int column = reader.varint() - 1;
      return {line, end_line, column, reader.varint() - 1};
    }
    case PY_CODE_LOCATION_INFO_NO_COLUMNS: return {line, line, -1, -1};
    case PY_CODE_LOCATION_INFO_ONE_LINE0:
    case PY_CODE_LOCATION_INFO_ONE_LINE1:
    case PY_CODE_LOCATION_INFO_ONE_LINE2: {
      const int column = reader.byte();
      return {line, line, column, reader.byte()};
    }
    default: {
      const int second = reader.byte();
      const int column = (kind << 3) | (second >> 4);
      return {line, line, column, column + (second & 15)};
    }
  }
}

const uint8_t* table_begin(PyCodeObject* code) {
  return reinterpret_cast<const uint8_t*>(PyBytes_AS_STRING(code->co_linetable));
}
const uint8_t* table_end(PyCodeObject* code) { return table_begin(code) + PyBytes_GET_SIZE(code->co_linetable); }

/// Entries in order, with their ranges.
class EntryWalker {
 public:
  explicit EntryWalker(PyCodeObject* code)
      : next_(table_begin(code)), limit_(table_end(code)), line_(code->co_firstlineno) {}
  bool advance() {
    if (next_ >= limit_) return false;
    line_ += line_delta(next_, limit_);
    location = entry_location(next_, limit_, line_);
    units = entry_units(*next_);
    start = end;
    end += units * static_cast<int>(sizeof(_Py_CODEUNIT));
    next_ = next_entry(next_, limit_);
    return true;
  }
  Location location;
  int units = 0;
  int start = 0;  // byte offsets
  int end = 0;

 private:
  const uint8_t* next_;
  const uint8_t* limit_;
  int line_;
};

// --- iterators ---

struct LineIterator {
  PyObject_HEAD
  PyCodeObject* code;
  PyCodeAddressRange range;
};

struct PositionIterator {
  PyObject_HEAD
  PyCodeObject* code;
  EntryWalker* walker;
  int offset;  // of the next code unit, in bytes
};

PyObject* none_or_int(int value) { return value < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(value); }

void line_iterator_dealloc(LineIterator* self) {
  Py_DECREF(self->code);
  PyObject_Free(self);
}

PyObject* line_iterator_next(LineIterator* self) {
  PyCodeAddressRange& range = self->range;
  if (range.ar_end >= _PyCode_NBYTES(self->code) || !_PyLineTable_NextAddressRange(&range)) return nullptr;
  const int start = range.ar_start;
  return Py_BuildValue("(iiN)", start, range.ar_end, none_or_int(range.ar_line));
}

void position_iterator_dealloc(PositionIterator* self) {
  Py_DECREF(self->code);
  delete self->walker;
  PyObject_Free(self);
}

PyObject* position_iterator_next(PositionIterator* self) {
  if (self->offset >= _PyCode_NBYTES(self->code)) return nullptr;
  while (self->offset >= self->walker->end) {
    if (!self->walker->advance()) return nullptr;
  }
  self->offset += sizeof(_Py_CODEUNIT);
  const Location& at = self->walker->location;
  return Py_BuildValue("(NNNN)", none_or_int(at.line), none_or_int(at.end_line), none_or_int(at.column),
                       none_or_int(at.end_column));
}

}  // namespace
}  // namespace pyston

using namespace pyston;

extern "C" {
PyTypeObject _PyLineIterator = {
    .ob_base = type_head(),
    .tp_name = "line_iterator",
    .tp_basicsize = sizeof(LineIterator),
    .tp_dealloc = slot<line_iterator_dealloc>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = slot<line_iterator_next>,
};
PyTypeObject _PyPositionsIterator = {
    .ob_base = type_head(),
    .tp_name = "positions_iterator",
    .tp_basicsize = sizeof(PositionIterator),
    .tp_dealloc = slot<position_iterator_dealloc>,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = slot<position_iterator_next>,
};
}

namespace pyston {

Ref<> code_line_iterator(Borrowed<PyCodeObject> code) {
  if (PyType_Ready(&_PyLineIterator) < 0) return nullptr;
  auto* iterator = PyObject_New(LineIterator, &_PyLineIterator);
  if (iterator == nullptr) return nullptr;
  iterator->code = reinterpret_cast<PyCodeObject*>(Py_NewRef(code.object()));
  _PyCode_InitAddressRange(code, &iterator->range);
  return Ref<>::steal(as_object(iterator));
}

Ref<> code_position_iterator(Borrowed<PyCodeObject> code) {
  if (PyType_Ready(&_PyPositionsIterator) < 0) return nullptr;
  auto* iterator = PyObject_New(PositionIterator, &_PyPositionsIterator);
  if (iterator == nullptr) return nullptr;
  iterator->code = reinterpret_cast<PyCodeObject*>(Py_NewRef(code.object()));
  iterator->walker = new EntryWalker(code);
  iterator->offset = 0;
  return Ref<>::steal(as_object(iterator));
}

Ref<> code_old_line_table(Borrowed<PyCodeObject> code) {
  // Pairs (offset delta, signed line delta), each in a byte, from the first line on.
  std::string out;
  PyCodeAddressRange range;
  _PyCode_InitAddressRange(code, &range);
  int offset = 0;
  int line = code->co_firstlineno;
  auto emit = [&](int offset_delta, int delta) {
    out += static_cast<char>(offset_delta);
    out += static_cast<char>(delta);
  };
  while (_PyLineTable_NextAddressRange(&range)) {
    if (range.ar_line < 0 || range.ar_line == line) continue;
    int offset_delta = range.ar_start - offset;
    int delta = range.ar_line - line;
    for (; offset_delta > 254; offset_delta -= 254) emit(254, 0);
    if (delta < -128 || delta > 127) {
      const int step = delta < 0 ? -128 : 127;
      emit(offset_delta, step);
      delta -= step;
      offset_delta = 0;
      for (; delta < -128 || delta > 127; delta -= step) emit(0, step);
    }
    emit(offset_delta, delta);
    offset = range.ar_start;
    line = range.ar_line;
  }
  return Ref<>::steal(PyBytes_FromStringAndSize(out.data(), static_cast<Py_ssize_t>(out.size())));
}

Ref<> line_table_without_columns(PyObject* table) {
  std::string out;
  const auto* entry = reinterpret_cast<const uint8_t*>(PyBytes_AS_STRING(table));
  const uint8_t* limit = entry + PyBytes_GET_SIZE(table);
  uint8_t buffer[8];
  for (; entry < limit; entry = next_entry(entry, limit)) {
    const int units = entry_units(*entry);
    if (has_no_line(entry)) {
      write_location_entry_start(buffer, PY_CODE_LOCATION_INFO_NONE, units);
      out += static_cast<char>(buffer[0]);
    } else {
      write_location_entry_start(buffer, PY_CODE_LOCATION_INFO_NO_COLUMNS, units);
      out += static_cast<char>(buffer[0]);
      const int written = write_signed_varint(buffer, line_delta(entry, limit));
      out.append(reinterpret_cast<char*>(buffer), written);
    }
  }
  return Ref<>::steal(PyBytes_FromStringAndSize(out.data(), static_cast<Py_ssize_t>(out.size())));
}

}  // namespace pyston

// --- the C readers ---

void _PyLineTable_InitAddressRange(const char* linetable, Py_ssize_t length, int firstlineno,
                                   PyCodeAddressRange* range) {
  range->opaque.lo_next = reinterpret_cast<const uint8_t*>(linetable);
  range->opaque.limit = range->opaque.lo_next + length;
  range->opaque.computed_line = firstlineno;
  range->ar_start = -1;
  range->ar_end = 0;
  range->ar_line = -1;
}

/// The first line; the range is before the first entry.
int _PyCode_InitAddressRange(PyCodeObject* code, PyCodeAddressRange* bounds) {
  _PyLineTable_InitAddressRange(PyBytes_AS_STRING(code->co_linetable), PyBytes_GET_SIZE(code->co_linetable),
                                code->co_firstlineno, bounds);
  return bounds->ar_line;
}

int _PyLineTable_NextAddressRange(PyCodeAddressRange* range) {
  const uint8_t* entry = range->opaque.lo_next;
  const uint8_t* limit = range->opaque.limit;
  if (entry >= limit) return 0;
  range->opaque.computed_line += line_delta(entry, limit);
  range->ar_line = has_no_line(entry) ? -1 : range->opaque.computed_line;
  range->ar_start = range->ar_end;
  range->ar_end += entry_units(*entry) * static_cast<int>(sizeof(_Py_CODEUNIT));
  range->opaque.lo_next = next_entry(entry, limit);
  return 1;
}

int _PyLineTable_PreviousAddressRange(PyCodeAddressRange* range) {
  if (range->ar_start <= 0) return 0;
  const uint8_t* limit = range->opaque.limit;
  const uint8_t* entry = range->opaque.lo_next;
  do entry--;
  while (!starts_entry(*entry));
  range->opaque.computed_line -= line_delta(entry, limit);
  range->opaque.lo_next = entry;  // the current entry becomes the next one
  do entry--;
  while (!starts_entry(*entry));
  range->ar_end = range->ar_start;
  range->ar_start -= entry_units(*entry) * static_cast<int>(sizeof(_Py_CODEUNIT));
  range->ar_line = has_no_line(entry) ? -1 : range->opaque.computed_line;
  return 1;
}

/// Moves `bounds` to the entry with offset `lasti`; its line, or -1.
int _PyCode_CheckLineNumber(int lasti, PyCodeAddressRange* bounds) {
  while (bounds->ar_end <= lasti) {
    if (!_PyLineTable_NextAddressRange(bounds)) return -1;
  }
  while (bounds->ar_start > lasti) {
    if (!_PyLineTable_PreviousAddressRange(bounds)) return -1;
  }
  return bounds->ar_line;
}

int PyCode_Addr2Line(PyCodeObject* code, int offset) {
  if (offset < 0) return code->co_firstlineno;
  if (code->_co_linearray != nullptr) {
    return _PyCode_LineNumberFromArray(code, offset / static_cast<int>(sizeof(_Py_CODEUNIT)));
  }
  PyCodeAddressRange bounds;
  _PyCode_InitAddressRange(code, &bounds);
  return _PyCode_CheckLineNumber(offset, &bounds);
}

int PyCode_Addr2Location(PyCodeObject* code, int offset, int* start_line, int* start_column, int* end_line,
                         int* end_column) {
  if (offset < 0) {
    *start_line = *end_line = code->co_firstlineno;
    *start_column = *end_column = 0;
    return 1;
  }
  EntryWalker walker(code);
  while (walker.advance()) {
    if (offset < walker.end) {
      *start_line = walker.location.line;
      *end_line = walker.location.end_line;
      *start_column = walker.location.column;
      *end_column = walker.location.end_column;
      return 1;
    }
  }
  *start_line = *end_line = *start_column = *end_column = -1;
  return 1;
}

/// Fills the array that maps code units to lines, which line tracing reads at every instruction.
int _PyCode_CreateLineArray(PyCodeObject* code) {
  PyCodeAddressRange bounds;
  int highest = 0;
  _PyCode_InitAddressRange(code, &bounds);
  while (_PyLineTable_NextAddressRange(&bounds)) {
    if (bounds.ar_line > highest) highest = bounds.ar_line;
  }
  const int entry_size = highest < (1 << 15) ? 2 : 4;
  const Py_ssize_t units = Py_SIZE(code);
  auto* array = static_cast<char*>(PyMem_Malloc(units * entry_size + 1));
  if (array == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  memset(array, 0xFF, units * entry_size);  // -1: no line
  _PyCode_InitAddressRange(code, &bounds);
  while (_PyLineTable_NextAddressRange(&bounds)) {
    for (Py_ssize_t i = bounds.ar_start / 2; i < bounds.ar_end / 2 && i < units; i++) {
      if (entry_size == 2) {
        reinterpret_cast<int16_t*>(array)[i] = static_cast<int16_t>(bounds.ar_line);
      } else {
        reinterpret_cast<int32_t*>(array)[i] = bounds.ar_line;
      }
    }
  }
  code->_co_linearray_entry_size = static_cast<short>(entry_size);
  code->_co_linearray = array;
  return 0;
}
