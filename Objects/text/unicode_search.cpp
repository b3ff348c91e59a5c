// Finding, counting, replacing, splitting and partitioning of str, over the kernels of search.h.
#include "Objects/text/unicode_search.h"

#include "Objects/text/search.h"

namespace pyston::text {

Py_ssize_t rfind_text(const Text& text, const Text& needle, Py_ssize_t start, Py_ssize_t stop) {
  if (stop - start < needle.length || needle.kind > text.kind) return -1;
  const Py_ssize_t at = dispatch(text, [&](auto* hay) {
    return dispatch(needle, [&](auto* sought) -> Py_ssize_t {
      if constexpr (sizeof(*sought) > sizeof(*hay)) return -1;
      else return search::rfind(hay + start, stop - start, sought, needle.length);
    });
  });
  return at < 0 ? -1 : start + at;
}

Py_ssize_t count_text(const Text& text, const Text& needle, Py_ssize_t start, Py_ssize_t stop) {
  if (stop - start < needle.length || needle.kind > text.kind) return 0;
  return dispatch(text, [&](auto* hay) {
    return dispatch(needle, [&](auto* sought) -> Py_ssize_t {
      if constexpr (sizeof(*sought) > sizeof(*hay)) return 0;
      else return search::count(hay + start, stop - start, sought, needle.length);
    });
  });
}

bool tail_match(const Text& text, const Text& part, Py_ssize_t start, Py_ssize_t stop, bool at_end) {
  adjust_bounds(start, stop, text.length);
  stop -= part.length;
  if (stop < start) return false;
  if (part.length == 0) return true;
  if (part.kind > text.kind) return false;
  const Py_ssize_t offset = at_end ? stop : start;
  if (part.kind == text.kind) return memcmp(text.at(offset), part.data, static_cast<size_t>(part.length * part.kind)) == 0;
  for (Py_ssize_t i = 0; i < part.length; i++) {
    if (text[offset + i] != part[i]) return false;
  }
  return true;
}

/// Appends a new reference to a list being built.
static bool append_slice(PyObject* list, PyObject* self, Py_ssize_t start, Py_ssize_t stop) {
  PyObject* piece = slice(self, start, stop);
  if (piece == nullptr) return false;
  const int status = PyList_Append(list, piece);
  Py_DECREF(piece);
  return status == 0;
}

static bool is_space(Py_UCS4 c) { return Py_UNICODE_ISSPACE(c); }

PyObject* split(PyObject* self, PyObject* separator, Py_ssize_t limit) {
  if (limit < 0) limit = PY_SSIZE_T_MAX;
  const Text text = view(self);
  Ref<> list = Ref<>::steal(PyList_New(0));
  if (!list) return nullptr;
  auto emit = [&](Py_ssize_t start, Py_ssize_t stop) { return append_slice(list.get(), self, start, stop); };
  if (separator == nullptr) {
    const bool fine = dispatch(text, [&](auto* characters) {
      return search::split_whitespace(characters, text.length, limit, [](Py_UCS4 c) { return is_space(c); }, emit);
    });
    return fine ? list.release() : nullptr;
  }
  const Text mark = view(separator);
  if (mark.length == 0) {
    PyErr_SetString(PyExc_ValueError, "empty separator");
    return nullptr;
  }
  if (mark.kind > text.kind || mark.length > text.length) return emit(0, text.length) ? list.release() : nullptr;
  const bool fine = dispatch(text, [&](auto* hay) {
    return dispatch(mark, [&](auto* sought) -> bool {
      if constexpr (sizeof(*sought) > sizeof(*hay)) return false;
      else return search::split(hay, text.length, sought, mark.length, limit, emit);
    });
  });
  return fine ? list.release() : nullptr;
}

PyObject* rsplit(PyObject* self, PyObject* separator, Py_ssize_t limit) {
  if (limit < 0) limit = PY_SSIZE_T_MAX;
  const Text text = view(self);
  Ref<> list = Ref<>::steal(PyList_New(0));
  if (!list) return nullptr;
  auto emit = [&](Py_ssize_t start, Py_ssize_t stop) { return append_slice(list.get(), self, start, stop); };
  bool fine;
  if (separator == nullptr) {
    fine = dispatch(text, [&](auto* characters) {
      return search::rsplit_whitespace(characters, text.length, limit, [](Py_UCS4 c) { return is_space(c); }, emit);
    });
  } else {
    const Text mark = view(separator);
    if (mark.length == 0) {
      PyErr_SetString(PyExc_ValueError, "empty separator");
      return nullptr;
    }
    if (mark.kind > text.kind || mark.length > text.length) {
      fine = emit(0, text.length);
    } else {
      fine = dispatch(text, [&](auto* hay) {
        return dispatch(mark, [&](auto* sought) -> bool {
          if constexpr (sizeof(*sought) > sizeof(*hay)) return false;
          else return search::rsplit(hay, text.length, sought, mark.length, limit, emit);
        });
      });
    }
  }
  if (!fine || PyList_Reverse(list.get()) < 0) return nullptr;
  return list.release();
}

static bool is_line_break(Py_UCS4 c) {
  if (c < 0x80) return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e);
  return _PyUnicode_IsLinebreak(c);
}

PyObject* split_lines(PyObject* self, bool keep_ends) {
  const Text text = view(self);
  Ref<> list = Ref<>::steal(PyList_New(0));
  if (!list) return nullptr;
  const bool fine = dispatch(text, [&](auto* characters) {
    return search::split_lines(
        characters, text.length, keep_ends, [](Py_UCS4 c) { return is_line_break(c); },
        [&](Py_ssize_t start, Py_ssize_t stop) { return append_slice(list.get(), self, start, stop); });
  });
  return fine ? list.release() : nullptr;
}

static PyObject* three_parts(PyObject* self, PyObject* separator, Py_ssize_t at, Py_ssize_t separator_length) {
  Ref<> before = Ref<>::steal(slice(self, 0, at));
  if (!before) return nullptr;
  Ref<> after = Ref<>::steal(slice(self, at + separator_length, PyUnicode_GET_LENGTH(self)));
  if (!after) return nullptr;
  PyObject* result = PyTuple_New(3);
  if (result == nullptr) return nullptr;
  PyTuple_SET_ITEM(result, 0, before.release());
  PyTuple_SET_ITEM(result, 1, Py_NewRef(separator));
  PyTuple_SET_ITEM(result, 2, after.release());
  return result;
}

PyObject* partition(PyObject* self, PyObject* separator) {
  const Text text = view(self);
  const Text mark = view(separator);
  if (mark.length == 0) {
    PyErr_SetString(PyExc_ValueError, "empty separator");
    return nullptr;
  }
  const Py_ssize_t at = find_text(text, mark, 0, text.length);
  if (at >= 0) return three_parts(self, separator, at, mark.length);
  return PyTuple_Pack(3, self, empty_string(), empty_string());
}

PyObject* rpartition(PyObject* self, PyObject* separator) {
  const Text text = view(self);
  const Text mark = view(separator);
  if (mark.length == 0) {
    PyErr_SetString(PyExc_ValueError, "empty separator");
    return nullptr;
  }
  const Py_ssize_t at = rfind_text(text, mark, 0, text.length);
  if (at >= 0) return three_parts(self, separator, at, mark.length);
  return PyTuple_Pack(3, empty_string(), empty_string(), self);
}

/// Replaces single characters by single characters of the same or smaller width, in one copy.
static PyObject* replace_character(PyObject* self, const Text& text, Py_UCS4 from, Py_UCS4 to, Py_ssize_t limit) {
  Py_UCS4 max_char = class_max(text);
  if (to > max_char) max_char = to;
  PyObject* result = allocate(text.length, max_char);
  if (result == nullptr) return nullptr;
  const int kind = static_cast<int>(PyUnicode_KIND(result));
  copy_characters(kind, PyUnicode_DATA(result), 0, text, 0, text.length);
  dispatch_mutable(kind, PyUnicode_DATA(result), [&](auto* characters) {
    using Char = std::remove_reference_t<decltype(*characters)>;
    if (limit >= text.length) {  // FAST: no counting, so it vectorises
      for (Py_ssize_t i = 0; i < text.length; i++) characters[i] = characters[i] == from ? static_cast<Char>(to) : characters[i];
      return;
    }
    for (Py_ssize_t i = 0; limit > 0; limit--, i++) {
      const Py_ssize_t at = search::find_char(characters + i, text.length - i, from);
      if (at < 0) break;
      i += at;
      characters[i] = static_cast<Char>(to);
    }
  });
  // The widest character may have been the one replaced.
  if (from > 0x7f && to < from && kind_for(from) >= kind_for(to)) {
    PyObject* narrow = PyUnicode_FromKindAndData(kind, PyUnicode_DATA(result), text.length);
    Py_DECREF(result);
    return narrow;
  }
  return result;
}

PyObject* replace(PyObject* self, PyObject* old_part, PyObject* new_part, Py_ssize_t limit) {
  const Text text = view(self);
  const Text from = view(old_part);
  const Text to = view(new_part);
  if (limit < 0) limit = PY_SSIZE_T_MAX;
  if (limit == 0 || old_part == new_part || text.length < from.length || from.kind > text.kind) return exact(self);
  if (from.length == 1 && to.length == 1) {
    const Py_UCS4 old_char = from[0];
    const Py_ssize_t first = find_text(text, from, 0, text.length);
    if (first < 0 || old_char == to[0]) return exact(self);
    return replace_character(self, text, old_char, to[0], limit);
  }
  Py_ssize_t occurrences;
  if (from.length == 0) {
    occurrences = text.length < limit ? text.length + 1 : limit;
  } else {
    occurrences = dispatch(text, [&](auto* hay) {
      return dispatch(from, [&](auto* sought) -> Py_ssize_t {
        if constexpr (sizeof(*sought) > sizeof(*hay)) return 0;
        else return search::count(hay, text.length, sought, from.length, limit);
      });
    });
  }
  if (occurrences == 0) return exact(self);
  const Py_ssize_t growth = to.length - from.length;
  if (growth > 0 && occurrences > (PY_SSIZE_T_MAX - text.length) / growth) {
    PyErr_SetString(PyExc_OverflowError, "replace string is too long");
    return nullptr;
  }
  const Py_ssize_t length = text.length + growth * occurrences;
  if (length == 0) return Py_NewRef(empty_string());
  // The result may be narrower than this when the removed part held the widest characters: narrowed at the end.
  const Py_UCS4 max_char = class_max(text) > class_max(to) ? class_max(text) : class_max(to);
  PyObject* result = allocate(length, max_char);
  if (result == nullptr) return nullptr;
  const int kind = static_cast<int>(PyUnicode_KIND(result));
  void* target = PyUnicode_DATA(result);
  Py_ssize_t out = 0;
  Py_ssize_t in = 0;
  if (from.length == 0) {
    for (Py_ssize_t i = 0; i < occurrences; i++) {
      copy_characters(kind, target, out, to, 0, to.length);
      out += to.length;
      if (in < text.length) copy_characters(kind, target, out++, text, in++, 1);
    }
  } else {
    for (Py_ssize_t i = 0; i < occurrences; i++) {
      const Py_ssize_t at = find_text(text, from, in, text.length);
      copy_characters(kind, target, out, text, in, at - in);
      out += at - in;
      copy_characters(kind, target, out, to, 0, to.length);
      out += to.length;
      in = at + from.length;
    }
  }
  copy_characters(kind, target, out, text, in, text.length - in);
  if (class_max(from) > class_max(to) || length == 1) {
    PyObject* narrow = PyUnicode_FromKindAndData(kind, PyUnicode_DATA(result), length);
    Py_DECREF(result);
    return narrow;
  }
  return result;
}

}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

Py_ssize_t PyUnicode_Find(PyObject* str, PyObject* substr, Py_ssize_t start, Py_ssize_t end, int direction) {
  if (!ensure_string(str) || !ensure_string(substr)) return -2;
  const Text text = view(str);
  adjust_bounds(start, end, text.length);
  return direction > 0 ? find_text(text, view(substr), start, end) : rfind_text(text, view(substr), start, end);
}

Py_ssize_t PyUnicode_FindChar(PyObject* str, Py_UCS4 ch, Py_ssize_t start, Py_ssize_t end, int direction) {
  if (!ready(str)) return -2;
  const Text text = view(str);
  adjust_bounds(start, end, text.length);
  if (end - start < 1) return -1;
  return dispatch(text, [&](auto* characters) -> Py_ssize_t {
    const Py_ssize_t at = direction > 0 ? search::find_char(characters + start, end - start, ch)
                                        : search::rfind_char(characters + start, end - start, ch);
    return at < 0 ? -1 : start + at;
  });
}

Py_ssize_t PyUnicode_Count(PyObject* str, PyObject* substr, Py_ssize_t start, Py_ssize_t end) {
  if (!ensure_string(str) || !ensure_string(substr)) return -1;
  const Text text = view(str);
  adjust_bounds(start, end, text.length);
  return count_text(text, view(substr), start, end);
}

Py_ssize_t PyUnicode_Tailmatch(PyObject* str, PyObject* substr, Py_ssize_t start, Py_ssize_t end, int direction) {
  if (!ensure_string(str) || !ensure_string(substr)) return -1;
  return tail_match(view(str), view(substr), start, end, direction > 0);
}

PyObject* PyUnicode_Replace(PyObject* str, PyObject* substr, PyObject* replstr, Py_ssize_t maxcount) {
  if (!ensure_string(str) || !ensure_string(substr) || !ensure_string(replstr)) return nullptr;
  return replace(str, substr, replstr, maxcount);
}

PyObject* PyUnicode_Split(PyObject* s, PyObject* sep, Py_ssize_t maxsplit) {
  if (!ensure_string(s) || (sep != nullptr && !ensure_string(sep))) return nullptr;
  return split(s, sep, maxsplit);
}

PyObject* PyUnicode_RSplit(PyObject* s, PyObject* sep, Py_ssize_t maxsplit) {
  if (!ensure_string(s) || (sep != nullptr && !ensure_string(sep))) return nullptr;
  return rsplit(s, sep, maxsplit);
}

PyObject* PyUnicode_Splitlines(PyObject* string, int keepends) {
  if (!ensure_string(string)) return nullptr;
  return split_lines(string, keepends != 0);
}

PyObject* PyUnicode_Partition(PyObject* s, PyObject* sep) {
  if (!ensure_string(s) || !ensure_string(sep)) return nullptr;
  return partition(s, sep);
}

PyObject* PyUnicode_RPartition(PyObject* s, PyObject* sep) {
  if (!ensure_string(s) || !ensure_string(sep)) return nullptr;
  return rpartition(s, sep);
}
