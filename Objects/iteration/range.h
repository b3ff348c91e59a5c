// Layouts of range and its iterators, shared with the interpreter's FOR_ITER paths. The sizes are CPython 3.11's.
#pragma once

#include "Runtime/refs/ref.h"

namespace pyston {

/// start, stop, step and the number of items are exact ints.
struct RangeObject {
  PyObject_HEAD
  PyObject* start;
  PyObject* stop;
  PyObject* step;
  PyObject* length;
};

/// Iterator over a range whose numbers all fit a long: item i is start + i * step.
struct RangeIterator {
  PyObject_HEAD
  long index;
  long start;
  long step;
  long length;
};

/// Iterator over any other range.
struct LongRangeIterator {
  PyObject_HEAD
  PyObject* index;
  PyObject* start;
  PyObject* step;
  PyObject* length;
};

/// Sequence iterator of PySeqIter_New; `sequence` is null when exhausted.
struct SequenceIterator {
  PyObject_HEAD
  Py_ssize_t index;
  PyObject* sequence;
};

/// iter(callable, sentinel); both null when exhausted.
struct CallIterator {
  PyObject_HEAD
  PyObject* callable;
  PyObject* sentinel;
};

struct EnumerateObject {
  PyObject_HEAD
  Py_ssize_t index;
  PyObject* iterator;
  PyObject* result;      // the last tuple, reused when nobody else holds it
  PyObject* long_index;  // the index once it has outgrown Py_ssize_t, else null
  PyObject* one;
};

}  // namespace pyston
