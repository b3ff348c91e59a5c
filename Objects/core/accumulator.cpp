// _PyAccu: collects many small strings for a later join. A list of chunks; `small` holds the pending pieces, which are
// joined into one chunk of `large` when there are many.
#include "Objects/core/type.h"

#include "pycore_accu.h"

using namespace pyston;

namespace {

constexpr Py_ssize_t kPendingLimit = 100000;

int flush(_PyAccu* accumulator) {
  if (PyList_GET_SIZE(accumulator->small) == 0) return 0;
  auto chunk = Ref<>::steal(PyUnicode_Join(&_Py_STR(empty), accumulator->small));
  if (!chunk) return -1;
  if (accumulator->large == nullptr) {
    accumulator->large = PyList_New(0);
    if (accumulator->large == nullptr) return -1;
  }
  if (PyList_Append(accumulator->large, chunk.get()) < 0) return -1;
  return PyList_SetSlice(accumulator->small, 0, PyList_GET_SIZE(accumulator->small), nullptr);
}

}  // namespace

extern "C" {

int _PyAccu_Init(_PyAccu* accumulator) {
  accumulator->large = nullptr;
  accumulator->small = PyList_New(0);
  return accumulator->small == nullptr ? -1 : 0;
}

int _PyAccu_Accumulate(_PyAccu* accumulator, PyObject* text) {
  if (PyList_Append(accumulator->small, text) < 0) return -1;
  return PyList_GET_SIZE(accumulator->small) < kPendingLimit ? 0 : flush(accumulator);
}

PyObject* _PyAccu_FinishAsList(_PyAccu* accumulator) {
  if (flush(accumulator) < 0) {
    _PyAccu_Destroy(accumulator);
    return nullptr;
  }
  Py_CLEAR(accumulator->small);
  PyObject* chunks = accumulator->large;
  accumulator->large = nullptr;
  return chunks != nullptr ? chunks : PyList_New(0);
}

PyObject* _PyAccu_Finish(_PyAccu* accumulator) {
  auto pieces = Ref<>::steal(accumulator->large != nullptr ? _PyAccu_FinishAsList(accumulator)
                                                          : std::exchange(accumulator->small, nullptr));
  return pieces ? PyUnicode_Join(&_Py_STR(empty), pieces.get()) : nullptr;
}

void _PyAccu_Destroy(_PyAccu* accumulator) {
  Py_CLEAR(accumulator->small);
  Py_CLEAR(accumulator->large);
}

}  // extern "C"
