// The binding layer: signatures read at compile time, argument errors with CPython's texts, ownership types.
#include "Objects/bind.h"

#include <gtest/gtest.h>

#include <string>

namespace pyston {
namespace {

constexpr Signature kSort = parse_signature("sort($self, /, *, key=None, reverse=False)");
static_assert(kSort.total == 2 && kSort.positional == 0 && kSort.required == 0 && kSort.takes_keywords());
constexpr Signature kOpen = parse_signature("open($module, /, path, flags, mode=511, *, dir_fd=None)");
static_assert(kOpen.total == 4 && kOpen.positional == 3 && kOpen.required == 2 && kOpen.positional_only == 0);
constexpr Signature kPow = parse_signature("pow(x, y, z=(1, 2), /)");
static_assert(kPow.total == 3 && kPow.positional_only == 3 && kPow.required == 2 && !kPow.takes_keywords());

/// Text of the pending exception, which is cleared.
std::string taken_error() {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (type == nullptr) return "";
  PyErr_NormalizeException(&type, &value, &traceback);
  Ref<> text = Ref<>::steal(PyObject_Str(value));
  std::string result = reinterpret_cast<PyTypeObject*>(type)->tp_name;
  result += ": ";
  result += PyUnicode_AsUTF8(text.get());
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
  return result;
}

Ref<> joined(PyObject*, Borrowed<PyUnicodeObject> text, Optional<Py_ssize_t> count, PyObject* end) {
  return Ref<>::steal(PyUnicode_FromFormat("%U*%zd%s", text.object(), count.value_or(1), end == nullptr ? "" : "!"));
}
PyMethodDef kJoined = method<joined, "joined($module, text, count=1, *, end=None)">();

std::string call(const char* expression) {
  Ref<> globals = Ref<>::steal(PyDict_New());
  Ref<> function = Ref<>::steal(PyCFunction_New(&kJoined, nullptr));
  PyDict_SetItemString(globals.get(), "joined", function.get());
  Ref<> result = Ref<>::steal(PyRun_String(expression, Py_eval_input, globals.get(), globals.get()));
  if (!result) return taken_error();
  return PyUnicode_AsUTF8(result.get());
}

TEST(Bind, ConvertsAndFillsDefaults) {
  EXPECT_EQ(call("joined('a')"), "a*1");
  EXPECT_EQ(call("joined('a', 3)"), "a*3");
  EXPECT_EQ(call("joined(count=2, text='b', end=1)"), "b*2!");
}

TEST(Bind, ReportsArgumentErrorsAsCPython) {
  EXPECT_EQ(call("joined()"), "TypeError: joined() missing required argument 'text' (pos 1)");
  EXPECT_EQ(call("joined(1)"), "TypeError: joined() argument 'text' must be str, not int");
  EXPECT_EQ(call("joined('a', 1, 2)"), "TypeError: joined() takes at most 2 positional arguments (3 given)");
  EXPECT_EQ(call("joined('a', text='b')"), "TypeError: argument for joined() given by name ('text') and position (1)");
  EXPECT_EQ(call("joined('a', nope=1)"), "TypeError: 'nope' is an invalid keyword argument for joined()");
}

TEST(Ref, OwnsExactlyOneReference) {
  PyObject* list = PyList_New(0);
  const Py_ssize_t before = Py_REFCNT(list);
  {
    Ref<> first = Ref<>::dup(list);
    EXPECT_EQ(Py_REFCNT(list), before + 1);
    Ref<> second = std::move(first);
    EXPECT_EQ(Py_REFCNT(list), before + 1);
    EXPECT_FALSE(first);
  }
  EXPECT_EQ(Py_REFCNT(list), before);
  Py_DECREF(list);
}

Ref<> fails() { return raise(PyExc_ValueError, "no %d", 3); }
Status propagates() {
  auto value = VM_TRY(fails());
  return Status::kOk;
}

TEST(Ref, TryPropagatesTheException) {
  EXPECT_EQ(propagates(), Status::kError);
  EXPECT_EQ(taken_error(), "ValueError: no 3");
}

}  // namespace
}  // namespace pyston
