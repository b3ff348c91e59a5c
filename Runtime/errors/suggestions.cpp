// "Did you mean: ...?" of AttributeError and NameError.
//
// The cost of a candidate is a Levenshtein distance where a substitution that only changes case is cheap and a common
// prefix and suffix are free. Candidates beyond a third of the combined length are not offered.
#include <climits>
#include <cstring>

#include "Objects/bind.h"
#include "pycore_frame.h"
#include "pycore_pyerrors.h"
#include "pycore_pystate.h"

namespace pyston {
namespace {

constexpr Py_ssize_t kMaxCandidates = 750;
constexpr size_t kMaxLength = 40;
constexpr size_t kMoveCost = 2;
constexpr size_t kCaseCost = 1;

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

size_t substitution_cost(char a, char b) {
  // Equal low bits are necessary for being the same letter but for the case.
  if ((a & 31) != (b & 31)) return kMoveCost;
  if (a == b) return 0;
  return ascii_lower(a) == ascii_lower(b) ? kCaseCost : kMoveCost;
}

/// Distance of two byte strings, or more than `max_cost` as soon as it is clear that it is above. `row` has room for
/// kMaxLength entries.
size_t edit_distance(const char* a, size_t a_size, const char* b, size_t b_size, size_t max_cost, size_t* row) {
  if (a == b) return 0;
  while (a_size != 0 && b_size != 0 && *a == *b) {
    a++, b++;
    a_size--, b_size--;
  }
  while (a_size != 0 && b_size != 0 && a[a_size - 1] == b[b_size - 1]) {
    a_size--, b_size--;
  }
  if (a_size == 0 || b_size == 0) return (a_size + b_size) * kMoveCost;
  if (a_size > kMaxLength || b_size > kMaxLength) return max_cost + 1;
  if (b_size < a_size) {
    std::swap(a, b);
    std::swap(a_size, b_size);
  }
  if ((b_size - a_size) * kMoveCost > max_cost) return max_cost + 1;

  // row[i] is the cost of turning the part of b seen so far into a[0..i].
  for (size_t i = 0; i < a_size; i++) row[i] = (i + 1) * kMoveCost;
  size_t result = 0;
  for (size_t j = 0; j < b_size; j++) {
    size_t diagonal = j * kMoveCost;
    result = diagonal;
    size_t smallest = SIZE_MAX;
    size_t left = (j + 1) * kMoveCost;
    for (size_t i = 0; i < a_size; i++) {
      const size_t substitute = diagonal + substitution_cost(b[j], a[i]);
      diagonal = row[i];
      const size_t shift = (left < diagonal ? left : diagonal) + kMoveCost;
      left = substitute < shift ? substitute : shift;
      row[i] = left;
      if (left < smallest) smallest = left;
    }
    result = left;
    if (smallest > max_cost) return max_cost + 1;
  }
  return result;
}

/// The nearest name of the list `names` to `name`; null (without an exception) if none is near.
Ref<> nearest(PyObject* names, PyObject* name) {
  const Py_ssize_t count = PyList_GET_SIZE(names);
  if (count >= kMaxCandidates) return nullptr;
  Py_ssize_t name_size;
  const char* name_text = PyUnicode_AsUTF8AndSize(name, &name_size);
  if (name_text == nullptr) return nullptr;
  size_t row[kMaxLength];
  size_t best_cost = SIZE_MAX;
  PyObject* best = nullptr;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* candidate = PyList_GET_ITEM(names, i);
    if (_PyUnicode_Equal(candidate, name)) continue;  // it is there, and yet it was not found
    Py_ssize_t size;
    const char* text = PyUnicode_AsUTF8AndSize(candidate, &size);
    if (text == nullptr) return nullptr;
    size_t max_cost = static_cast<size_t>(name_size + size + 3) * kMoveCost / 6;
    if (best_cost - 1 < max_cost) max_cost = best_cost - 1;
    const size_t cost =
        edit_distance(name_text, static_cast<size_t>(name_size), text, static_cast<size_t>(size), max_cost, row);
    if (cost > max_cost) continue;
    best = candidate;
    best_cost = cost;
  }
  return Ref<>::dup(best);
}

Ref<> for_attribute_error(PyAttributeErrorObject* error) {
  if (error->name == nullptr || error->obj == nullptr || !PyUnicode_CheckExact(error->name)) return nullptr;
  auto names = Ref<>::steal(PyObject_Dir(error->obj));
  if (!names) return nullptr;
  return nearest(names.get(), error->name);
}

/// Names of a mapping as a list; a non-string key makes the search impossible, as it does for dir().
Ref<> nearest_in(PyObject* mapping, PyObject* name) {
  auto keys = Ref<>::steal(PySequence_List(mapping));
  if (!keys) return nullptr;
  return nearest(keys.get(), name);
}

Ref<> for_name_error(PyNameErrorObject* error, PyTracebackObject* traceback) {
  if (error->name == nullptr || !PyUnicode_CheckExact(error->name)) return nullptr;
  while (traceback->tb_next != nullptr) traceback = traceback->tb_next;
  PyFrameObject* frame = traceback->tb_frame;
  auto code = Ref<PyCodeObject>::steal(PyFrame_GetCode(frame));

  auto names = Ref<>::steal(PyCode_GetVarnames(code.get()));
  if (!names) return nullptr;
  auto list = Ref<>::steal(PySequence_List(names.get()));
  if (!list) return nullptr;
  auto suggestion = nearest(list.get(), error->name);
  if (suggestion || PyErr_Occurred()) return suggestion;
  suggestion = nearest_in(frame->f_frame->f_globals, error->name);
  if (suggestion || PyErr_Occurred()) return suggestion;
  return nearest_in(frame->f_frame->f_builtins, error->name);
}

}  // namespace
}  // namespace pyston

using namespace pyston;

/// A new reference to a suggestion (a str); null if there is none. May leave an exception set.
PyObject* _Py_Offer_Suggestions(PyObject* exception) {
  if (Py_IS_TYPE(exception, reinterpret_cast<PyTypeObject*>(PyExc_AttributeError))) {
    return for_attribute_error(reinterpret_cast<PyAttributeErrorObject*>(exception)).release();
  }
  if (Py_IS_TYPE(exception, reinterpret_cast<PyTypeObject*>(PyExc_NameError))) {
    auto* traceback = reinterpret_cast<PyTracebackObject*>(reinterpret_cast<PyBaseExceptionObject*>(exception)->traceback);
    if (traceback == nullptr) return nullptr;
    return for_name_error(reinterpret_cast<PyNameErrorObject*>(exception), traceback).release();
  }
  return nullptr;
}

Py_ssize_t _Py_UTF8_Edit_Cost(PyObject* a, PyObject* b, Py_ssize_t max_cost) {
  Py_ssize_t a_size, b_size;
  const char* a_text = PyUnicode_AsUTF8AndSize(a, &a_size);
  if (a_text == nullptr) return -1;
  const char* b_text = PyUnicode_AsUTF8AndSize(b, &b_size);
  if (b_text == nullptr) return -1;
  if (max_cost == -1) max_cost = static_cast<Py_ssize_t>(kMoveCost) * (a_size > b_size ? a_size : b_size);
  size_t row[kMaxLength];
  return static_cast<Py_ssize_t>(edit_distance(a_text, static_cast<size_t>(a_size), b_text, static_cast<size_t>(b_size),
                                               static_cast<size_t>(max_cost), row));
}
