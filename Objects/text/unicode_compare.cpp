// Comparison, hashing and containment of str.
//
// Equality is decided by length, width and one memcmp, since equal strings have equal widths (text.h's invariant);
// ordering compares the common prefix a block at a time.
#include "Objects/text/search.h"
#include "Objects/text/text.h"

#include "internal/pycore_pyhash.h"

namespace pyston::text {

Py_hash_t hash(PyObject* string) {
  PyASCIIObject* fields = ascii_head(string);
  if (LIKELY(fields->hash != -1)) return fields->hash;
  if (!ready(string)) return -1;
  return fields->hash =
             _Py_HashBytes(PyUnicode_DATA(string), PyUnicode_GET_LENGTH(string) * static_cast<Py_ssize_t>(PyUnicode_KIND(string)));
}

/// -1, 0 or 1, by code points.
static int compare(const Text& left, const Text& right) {
  const Py_ssize_t n = left.length < right.length ? left.length : right.length;
  int order = 0;
  if (left.kind == 1 && right.kind == 1) {
    order = memcmp(left.data, right.data, static_cast<size_t>(n));
  } else {
    order = dispatch(left, [&](auto* a) {
      return dispatch(right, [&](auto* b) -> int {
        for (Py_ssize_t i = 0; i < n; i++) {
          if (a[i] != b[i]) return Py_UCS4{a[i]} < Py_UCS4{b[i]} ? -1 : 1;
        }
        return 0;
      });
    });
  }
  if (order != 0) return order < 0 ? -1 : 1;
  return left.length < right.length ? -1 : left.length > right.length ? 1 : 0;
}

/// Index of `needle` in `text[start:stop]`, or -1.
Py_ssize_t find_text(const Text& text, const Text& needle, Py_ssize_t start, Py_ssize_t stop) {
  if (stop - start < needle.length || needle.kind > text.kind) return -1;
  const Py_ssize_t at = dispatch(text, [&](auto* hay) {
    return dispatch(needle, [&](auto* sought) -> Py_ssize_t {
      if constexpr (sizeof(*sought) > sizeof(*hay)) return -1;
      else return search::find(hay + start, stop - start, sought, needle.length);
    });
  });
  return at < 0 ? -1 : start + at;
}

PyObject* rich_compare(PyObject* left, PyObject* right, int op) {
  if (!PyUnicode_Check(left) || !PyUnicode_Check(right)) Py_RETURN_NOTIMPLEMENTED;
  if (!ready(left) || !ready(right)) return nullptr;
  if (op == Py_EQ || op == Py_NE) {
    const bool same = left == right || equal(left, right);
    return Py_NewRef(same == (op == Py_EQ) ? Py_True : Py_False);
  }
  const int order = left == right ? 0 : compare(view(left), view(right));
  Py_RETURN_RICHCOMPARE(order, 0, op);
}

}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

int PyUnicode_Compare(PyObject* left, PyObject* right) {
  if (PyUnicode_Check(left) && PyUnicode_Check(right)) {
    if (!ready(left) || !ready(right)) return -1;
    return left == right ? 0 : compare(view(left), view(right));
  }
  PyErr_Format(PyExc_TypeError, "Can't compare %.100s and %.100s", Py_TYPE(left)->tp_name, Py_TYPE(right)->tp_name);
  return -1;
}

PyObject* PyUnicode_RichCompare(PyObject* left, PyObject* right, int op) { return rich_compare(left, right, op); }

int _PyUnicode_EQ(PyObject* a, PyObject* b) { return equal(a, b); }

int _PyUnicode_Equal(PyObject* a, PyObject* b) {
  if (a == b) return 1;
  if (!ready(a) || !ready(b)) return -1;
  return equal(a, b);
}

int PyUnicode_CompareWithASCIIString(PyObject* uni, const char* str) {
  if (!ready(uni)) {
    PyErr_Clear();
    return -1;
  }
  const Text right{str, static_cast<Py_ssize_t>(strlen(str)), 1, false};
  return compare(view(uni), right);
}

int _PyUnicode_EqualToASCIIString(PyObject* unicode, const char* str) {
  if (!ready(unicode)) {
    PyErr_Clear();
    return 0;
  }
  if (!PyUnicode_IS_ASCII(unicode)) return 0;
  const size_t length = static_cast<size_t>(PyUnicode_GET_LENGTH(unicode));
  return strlen(str) == length && memcmp(PyUnicode_1BYTE_DATA(unicode), str, length) == 0;
}

int _PyUnicode_EqualToASCIIId(PyObject* left, _Py_Identifier* right) {
  PyObject* identifier = _PyUnicode_FromId(right);
  if (identifier == nullptr) {
    PyErr_Clear();
    return _PyUnicode_EqualToASCIIString(left, right->string);
  }
  if (left == identifier) return 1;
  if (!ready(left)) {
    PyErr_Clear();
    return 0;
  }
  return equal(left, identifier);
}

int PyUnicode_Contains(PyObject* str, PyObject* substr) {
  if (!PyUnicode_Check(substr)) {
    PyErr_Format(PyExc_TypeError, "'in <string>' requires string as left operand, not %.100s", Py_TYPE(substr)->tp_name);
    return -1;
  }
  if (!ready(substr) || !ensure_string(str)) return -1;
  const Text text = view(str);
  return find_text(text, view(substr), 0, text.length) >= 0;
}
