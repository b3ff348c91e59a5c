// Concatenation, in-place appending, joining and repetition of str.
#include "Objects/text/text.h"

namespace pyston::text {

/// self * times.
PyObject* repeat(PyObject* self, Py_ssize_t times) {
  if (times < 1) return Py_NewRef(empty_string());
  if (times == 1) return exact(self);
  if (!ready(self)) return nullptr;
  const Text text = view(self);
  if (text.length == 0) return Py_NewRef(empty_string());
  if (text.length > PY_SSIZE_T_MAX / times) {
    PyErr_SetString(PyExc_OverflowError, "repeated string is too long");
    return nullptr;
  }
  const Py_ssize_t length = text.length * times;
  PyObject* result = allocate(length, class_max(text));
  if (result == nullptr) return nullptr;
  char* target = static_cast<char*>(PyUnicode_DATA(result));
  if (text.kind == 1 && text.length == 1) {
    memset(target, static_cast<const unsigned char*>(text.data)[0], static_cast<size_t>(length));
    return result;
  }
  size_t filled = static_cast<size_t>(text.length * text.kind);
  const size_t total = static_cast<size_t>(length * text.kind);
  memcpy(target, text.data, filled);
  while (filled < total) {  // doubling: each copy repeats all that is there
    const size_t step = filled <= total - filled ? filled : total - filled;
    memcpy(target + filled, target, step);
    filled += step;
  }
  return result;
}

/// left + right for two ready strings, neither empty.
static PyObject* concatenate(PyObject* left, PyObject* right) {
  const Text a = view(left);
  const Text b = view(right);
  if (UNLIKELY(a.length > PY_SSIZE_T_MAX - b.length)) {
    PyErr_SetString(PyExc_OverflowError, "strings are too large to concat");
    return nullptr;
  }
  const Py_UCS4 max_char = class_max(a) > class_max(b) ? class_max(a) : class_max(b);
  PyObject* result = allocate(a.length + b.length, max_char);
  if (UNLIKELY(result == nullptr)) return nullptr;
  const int kind = static_cast<int>(PyUnicode_KIND(result));
  void* target = PyUnicode_DATA(result);
  copy_characters(kind, target, 0, a, 0, a.length);
  copy_characters(kind, target, a.length, b, 0, b.length);
  return result;
}

}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_Concat(PyObject* left, PyObject* right) {
  if (!ensure_string(left)) return nullptr;
  if (UNLIKELY(!PyUnicode_Check(right))) {
    PyErr_Format(PyExc_TypeError, "can only concatenate str (not \"%.200s\") to str", Py_TYPE(right)->tp_name);
    return nullptr;
  }
  if (!ready(right)) return nullptr;
  if (PyUnicode_GET_LENGTH(left) == 0) return PyUnicode_FromObject(right);
  if (PyUnicode_GET_LENGTH(right) == 0) return PyUnicode_FromObject(left);
  return concatenate(left, right);
}

void PyUnicode_Append(PyObject** p_left, PyObject* right) {
  if (p_left == nullptr || *p_left == nullptr) {
    if (!PyErr_Occurred()) PyErr_BadInternalCall();
    return;
  }
  PyObject* left = *p_left;
  if (right == nullptr || !PyUnicode_Check(left) || !PyUnicode_Check(right)) {
    if (!PyErr_Occurred()) PyErr_BadInternalCall();
    Py_CLEAR(*p_left);
    return;
  }
  if (!ready(left) || !ready(right)) {
    Py_CLEAR(*p_left);
    return;
  }
  if (PyUnicode_GET_LENGTH(left) == 0) {
    Py_SETREF(*p_left, PyUnicode_FromObject(right));
    return;
  }
  if (PyUnicode_GET_LENGTH(right) == 0) return;
  const Text a = view(left);
  const Text b = view(right);
  if (a.length > PY_SSIZE_T_MAX - b.length) {
    PyErr_SetString(PyExc_OverflowError, "strings are too large to concat");
    Py_CLEAR(*p_left);
    return;
  }
  // FAST: nobody else can see the left string and the right one's characters fit into its width: grow it in place.
  if (is_modifiable(left) && PyUnicode_IS_COMPACT(left) && b.kind <= a.kind && !(a.ascii && !b.ascii) && left != right) {
    if (PyUnicode_Resize(p_left, a.length + b.length) != 0) {
      Py_CLEAR(*p_left);
      return;
    }
    copy_characters(a.kind, PyUnicode_DATA(*p_left), a.length, b, 0, b.length);
    return;
  }
  Py_SETREF(*p_left, concatenate(left, right));
}

void PyUnicode_AppendAndDel(PyObject** pleft, PyObject* right) {
  PyUnicode_Append(pleft, right);
  Py_XDECREF(right);
}

PyObject* _PyUnicode_JoinArray(PyObject* separator, PyObject* const* items, Py_ssize_t count) {
  if (count == 0) return Py_NewRef(empty_string());
  if (count == 1 && PyUnicode_CheckExact(items[0])) return Py_NewRef(items[0]);
  Text mark{nullptr, 0, 1, true};
  PyObject* default_separator = latin1_char(' ');
  if (separator == nullptr) separator = default_separator;
  if (!PyUnicode_Check(separator)) {
    PyErr_Format(PyExc_TypeError, "separator: expected str instance, %.80s found", Py_TYPE(separator)->tp_name);
    return nullptr;
  }
  if (!ready(separator)) return nullptr;
  mark = view(separator);
  // One pass for size and width, one for the copy.
  Py_UCS4 max_char = count > 1 && mark.length > 0 ? class_max(mark) : 0x7f;
  Py_ssize_t length = 0;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* item = items[i];
    if (UNLIKELY(!PyUnicode_Check(item))) {
      PyErr_Format(PyExc_TypeError, "sequence item %zd: expected str instance, %.80s found", i, Py_TYPE(item)->tp_name);
      return nullptr;
    }
    if (!ready(item)) return nullptr;
    const Py_ssize_t step = PyUnicode_GET_LENGTH(item) + (i != 0 ? mark.length : 0);
    if (!PyUnicode_IS_ASCII(item)) {
      const Py_UCS4 item_max = class_max(view(item));
      if (item_max > max_char) max_char = item_max;
    }
    if (UNLIKELY(step > PY_SSIZE_T_MAX - length)) {
      PyErr_SetString(PyExc_OverflowError, "join() result is too long for a Python string");
      return nullptr;
    }
    length += step;
  }
  if (length == 0) return Py_NewRef(empty_string());
  PyObject* result = allocate(length, max_char);
  if (result == nullptr) return nullptr;
  const int kind = static_cast<int>(PyUnicode_KIND(result));
  if (max_char < 0x100) {  // FAST: all one byte wide
    char* out = static_cast<char*>(PyUnicode_DATA(result));
    for (Py_ssize_t i = 0; i < count; i++) {
      if (i != 0 && mark.length != 0) {
        if (mark.length == 1) {
          *out++ = *static_cast<const char*>(mark.data);
        } else {
          memcpy(out, mark.data, static_cast<size_t>(mark.length));
          out += mark.length;
        }
      }
      const size_t n = static_cast<size_t>(PyUnicode_GET_LENGTH(items[i]));
      memcpy(out, PyUnicode_DATA(items[i]), n);
      out += n;
    }
    return result;
  }
  Py_ssize_t out = 0;
  void* target = PyUnicode_DATA(result);
  for (Py_ssize_t i = 0; i < count; i++) {
    if (i != 0) {
      copy_characters(kind, target, out, mark, 0, mark.length);
      out += mark.length;
    }
    const Text item = view(items[i]);
    copy_characters(kind, target, out, item, 0, item.length);
    out += item.length;
  }
  return result;
}

PyObject* PyUnicode_Join(PyObject* separator, PyObject* seq) {
  PyObject* items = PySequence_Fast(seq, "can only join an iterable");
  if (items == nullptr) return nullptr;
  PyObject* result = _PyUnicode_JoinArray(separator, PySequence_Fast_ITEMS(items), PySequence_Fast_GET_SIZE(items));
  Py_DECREF(items);
  return result;
}
