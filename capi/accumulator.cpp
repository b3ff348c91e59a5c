// _PyAccu: a list of string pieces that C code joins at the end. Kept for extensions (the standard `_json`); the
// two-level scheme behind it isn't needed, a list's append is cheap.
#include "Runtime/refs/ref.h"
extern "C" {  // the header itself doesn't say so
#include "internal/pycore_accu.h"
}

/// 0, or -1 with an exception.
int _PyAccu_Init(_PyAccu* accumulator) {
  accumulator->large = nullptr;
  accumulator->small = PyList_New(0);
  return accumulator->small == nullptr ? -1 : 0;
}

/// Borrows `text`, a str.
int _PyAccu_Accumulate(_PyAccu* accumulator, PyObject* text) { return PyList_Append(accumulator->small, text); }

/// New reference to the list of pieces; the accumulator is empty afterwards.
PyObject* _PyAccu_FinishAsList(_PyAccu* accumulator) { return std::exchange(accumulator->small, nullptr); }

/// New reference to the joined text; the accumulator is empty afterwards.
PyObject* _PyAccu_Finish(_PyAccu* accumulator) {
  pyston::Ref<> pieces = pyston::Ref<>::steal(_PyAccu_FinishAsList(accumulator));
  pyston::Ref<> separator = pyston::Ref<>::steal(PyUnicode_New(0, 0));
  return separator ? PyUnicode_Join(separator.get(), pieces.get()) : nullptr;
}

void _PyAccu_Destroy(_PyAccu* accumulator) {
  Py_CLEAR(accumulator->large);
  Py_CLEAR(accumulator->small);
}
