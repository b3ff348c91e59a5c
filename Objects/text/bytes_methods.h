// The methods that bytes and bytearray share, as templates over a Kind that says how a result is made:
//
//   Kind::make(data, size)        a new object, data may be null (contents then unset)
//   Kind::same(self)              the result when nothing changes (bytes: itself, bytearray: a copy)
//   Kind::kName                   for error texts
//
// A bytearray can be changed by whatever Python code an argument's conversion runs. Conversions come first (bind.h does
// them before the method runs), data is looked at afterwards.
#pragma once

#include <cstring>

#include "Objects/bind.h"
#include "Objects/text/search.h"
#include "pycore_abstract.h"
#include "pycore_bytesobject.h"
#include "pycore_strhex.h"

namespace pyston::bytes {

struct View {
  const char* data;
  Py_ssize_t size;
  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(data); }
};

ALWAYS_INLINE View view(PyObject* self) {
  if (PyBytes_Check(self)) return {PyBytes_AS_STRING(self), PyBytes_GET_SIZE(self)};
  return {PyByteArray_AS_STRING(self), PyByteArray_GET_SIZE(self)};
}

struct BytesKind {
  static constexpr const char* kName = "bytes";
  static PyObject* make(const char* data, Py_ssize_t size) { return PyBytes_FromStringAndSize(data, size); }
  static PyObject* same(PyObject* self) {
    return PyBytes_CheckExact(self) ? Py_NewRef(self) : make(PyBytes_AS_STRING(self), PyBytes_GET_SIZE(self));
  }
  static char* data(PyObject* self) { return PyBytes_AS_STRING(self); }
};
struct ByteArrayKind {
  static constexpr const char* kName = "bytearray";
  static PyObject* make(const char* data, Py_ssize_t size) { return PyByteArray_FromStringAndSize(data, size); }
  static PyObject* same(PyObject* self) { return make(PyByteArray_AS_STRING(self), PyByteArray_GET_SIZE(self)); }
  static char* data(PyObject* self) { return PyByteArray_AS_STRING(self); }
};

// Searching ---------------------------------------------------------------------------------------------------------

/// What find and its relatives take: (sub[, start[, end]]) with sub bytes-like or one byte.
class SearchArguments {
 public:
  /// False: exception set. Bounds are clipped to `size`.
  bool parse(const char* name, Arguments args) {
    const Py_ssize_t n = static_cast<Py_ssize_t>(args.size());
    if (n < 1 || n > 3) {
      PyErr_Format(PyExc_TypeError, "%s() takes at %s %d argument%s (%zd given)", name, n < 1 ? "least" : "most",
                   n < 1 ? 1 : 3, n < 1 ? "" : "s", n);
      return false;
    }
    if (n > 1 && args[1] != Py_None && !_PyEval_SliceIndex(args[1], &start)) return false;
    if (n > 2 && args[2] != Py_None && !_PyEval_SliceIndex(args[2], &stop)) return false;
    object = args[0];
    return true;
  }
  bool load_needle() {
    if (PyObject_CheckBuffer(object)) {
      if (!buffer.acquire(object)) return false;
      needle = buffer.data();
      needle_size = buffer.size();
      return true;
    }
    if (!_PyIndex_Check(object)) {
      PyErr_Format(PyExc_TypeError, "argument should be integer or bytes-like object, not '%.200s'", Py_TYPE(object)->tp_name);
      return false;
    }
    const Py_ssize_t value = PyNumber_AsSsize_t(object, nullptr);
    if (value == -1 && PyErr_Occurred()) return false;
    if (value < 0 || value > 255) {
      PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
      return false;
    }
    byte = static_cast<char>(value);
    needle = &byte;
    needle_size = 1;
    return true;
  }
  void clip(Py_ssize_t size) {
    if (stop > size) stop = size;
    if (stop < 0) stop = Py_MAX(stop + size, 0);
    if (start < 0) start = Py_MAX(start + size, 0);
  }

  PyObject* object = nullptr;
  const char* needle = nullptr;
  Py_ssize_t needle_size = 0;
  Py_ssize_t start = 0;
  Py_ssize_t stop = PY_SSIZE_T_MAX;

 private:
  Buffer buffer;
  char byte = 0;
};

enum class Direction { kForward, kBackward };

/// Index of the needle, -1 when absent, -2 with an exception set.
inline Py_ssize_t find_index(PyObject* self, const char* name, Arguments args, Direction direction) {
  SearchArguments search;
  if (!search.parse(name, args) || !search.load_needle()) return -2;
  const View text = view(self);
  search.clip(text.size);
  const Py_ssize_t length = search.stop - search.start;
  if (length < search.needle_size) return -1;
  const uint8_t* hay = text.bytes() + search.start;
  const uint8_t* needle = reinterpret_cast<const uint8_t*>(search.needle);
  const Py_ssize_t at = direction == Direction::kForward ? search::find(hay, length, needle, search.needle_size)
                                                         : search::rfind(hay, length, needle, search.needle_size);
  return at < 0 ? -1 : at + search.start;
}

inline PyObject* find(Borrowed<> self, Arguments args) {
  const Py_ssize_t at = find_index(self, "find", args, Direction::kForward);
  return at == -2 ? nullptr : PyLong_FromSsize_t(at);
}
inline PyObject* rfind(Borrowed<> self, Arguments args) {
  const Py_ssize_t at = find_index(self, "rfind", args, Direction::kBackward);
  return at == -2 ? nullptr : PyLong_FromSsize_t(at);
}
inline PyObject* index(Borrowed<> self, Arguments args) {
  const Py_ssize_t at = find_index(self, "index", args, Direction::kForward);
  if (at == -1) return raise(PyExc_ValueError, "subsection not found");
  return at == -2 ? nullptr : PyLong_FromSsize_t(at);
}
inline PyObject* rindex(Borrowed<> self, Arguments args) {
  const Py_ssize_t at = find_index(self, "rindex", args, Direction::kBackward);
  if (at == -1) return raise(PyExc_ValueError, "subsection not found");
  return at == -2 ? nullptr : PyLong_FromSsize_t(at);
}
inline PyObject* count(Borrowed<> self, Arguments args) {
  SearchArguments search;
  if (!search.parse("count", args) || !search.load_needle()) return nullptr;
  const View text = view(self);
  search.clip(text.size);
  return PyLong_FromSsize_t(search::count(text.bytes() + search.start, search.stop - search.start,
                                          reinterpret_cast<const uint8_t*>(search.needle), search.needle_size));
}

inline int contains(PyObject* self, PyObject* item) {
  const Py_ssize_t value = _PyIndex_Check(item) ? PyNumber_AsSsize_t(item, nullptr) : -1;
  if (!_PyIndex_Check(item) || (value == -1 && PyErr_Occurred())) {
    PyErr_Clear();
    Buffer needle;
    if (!needle.acquire(item)) return -1;
    const View text = view(self);
    return search::find(text.bytes(), text.size, needle.bytes(), needle.size()) >= 0;
  }
  if (value < 0 || value > 255) return raise(PyExc_ValueError, "byte must be in range(0, 256)");
  const View text = view(self);
  return search::find_char(text.bytes(), text.size, static_cast<uint32_t>(value)) >= 0;
}

enum class Edge { kStart, kEnd };
/// Whether text[start:stop] starts or ends with the affix: 1, 0, -1 with an exception set.
inline int matches_edge(PyObject* self, PyObject* affix_object, Py_ssize_t start, Py_ssize_t stop, Edge edge) {
  Buffer affix;
  if (!affix.acquire(affix_object)) return -1;
  const View text = view(self);
  if (stop > text.size) stop = text.size;
  if (stop < 0) stop = Py_MAX(stop + text.size, 0);
  if (start < 0) start = Py_MAX(start + text.size, 0);
  if (stop - start < affix.size() || start > text.size) return 0;
  const char* at = edge == Edge::kStart ? text.data + start : text.data + stop - affix.size();
  return memcmp(at, affix.data(), static_cast<size_t>(affix.size())) == 0;
}
inline PyObject* edge_method(PyObject* self, const char* name, Arguments args, Edge edge) {
  SearchArguments search;
  if (!search.parse(name, args)) return nullptr;
  if (PyTuple_Check(search.object)) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(search.object); i++) {
      const int result = matches_edge(self, PyTuple_GET_ITEM(search.object, i), search.start, search.stop, edge);
      if (result != 0) return result < 0 ? nullptr : Py_NewRef(Py_True);
    }
    Py_RETURN_FALSE;
  }
  const int result = matches_edge(self, search.object, search.start, search.stop, edge);
  if (result < 0) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Format(PyExc_TypeError, "%s first arg must be bytes or a tuple of bytes, not %s", name,
                   Py_TYPE(search.object)->tp_name);
    }
    return nullptr;
  }
  return PyBool_FromLong(result);
}
inline PyObject* startswith(Borrowed<> self, Arguments args) { return edge_method(self, "startswith", args, Edge::kStart); }
inline PyObject* endswith(Borrowed<> self, Arguments args) { return edge_method(self, "endswith", args, Edge::kEnd); }

// Classification ----------------------------------------------------------------------------------------------------

template <unsigned kMask>
PyObject* is_all(Borrowed<> self) {
  const View text = view(self);
  for (Py_ssize_t i = 0; i < text.size; i++) {
    if (!(_Py_ctype_table[Py_CHARMASK(text.data[i])] & kMask)) Py_RETURN_FALSE;
  }
  return PyBool_FromLong(text.size > 0);
}
inline PyObject* isascii(Borrowed<> self) {
  const View text = view(self);
  uint8_t all = 0;
  for (Py_ssize_t i = 0; i < text.size; i++) all |= text.bytes()[i];
  return PyBool_FromLong(all < 0x80);
}
/// At least one letter, and none of the other case.
template <unsigned kCase>
PyObject* is_cased(Borrowed<> self) {
  const View text = view(self);
  bool any = false;
  for (Py_ssize_t i = 0; i < text.size; i++) {
    const unsigned flags = _Py_ctype_table[Py_CHARMASK(text.data[i])];
    if (flags & (PY_CTF_ALPHA & ~kCase)) Py_RETURN_FALSE;
    any |= (flags & kCase) != 0;
  }
  return PyBool_FromLong(any);
}
inline PyObject* istitle(Borrowed<> self) {
  const View text = view(self);
  bool any = false;
  bool in_word = false;
  for (Py_ssize_t i = 0; i < text.size; i++) {
    const unsigned char c = Py_CHARMASK(text.data[i]);
    if (Py_ISUPPER(c)) {
      if (in_word) Py_RETURN_FALSE;
      in_word = any = true;
    } else if (Py_ISLOWER(c)) {
      if (!in_word) Py_RETURN_FALSE;
      any = true;
    } else {
      in_word = false;
    }
  }
  return PyBool_FromLong(any);
}

// Case --------------------------------------------------------------------------------------------------------------

/// A new object in which every byte is replaced by step(byte, previous was a letter, is the first).
template <class Kind, class Step>
PyObject* map_bytes(PyObject* self, Step step) {
  const View text = view(self);
  PyObject* result = Kind::make(nullptr, text.size);
  if (result == nullptr) return nullptr;
  char* out = Kind::data(result);
  bool in_word = false;
  for (Py_ssize_t i = 0; i < text.size; i++) {
    const unsigned char c = Py_CHARMASK(text.data[i]);
    out[i] = static_cast<char>(step(c, in_word, i == 0));
    in_word = Py_ISALPHA(c);
  }
  return result;
}
template <class Kind>
PyObject* lower(Borrowed<> self) {
  return map_bytes<Kind>(self, [](unsigned char c, bool, bool) { return Py_TOLOWER(c); });
}
template <class Kind>
PyObject* upper(Borrowed<> self) {
  return map_bytes<Kind>(self, [](unsigned char c, bool, bool) { return Py_TOUPPER(c); });
}
template <class Kind>
PyObject* swapcase(Borrowed<> self) {
  return map_bytes<Kind>(self, [](unsigned char c, bool, bool) { return Py_ISUPPER(c) ? Py_TOLOWER(c) : Py_TOUPPER(c); });
}
template <class Kind>
PyObject* title(Borrowed<> self) {
  return map_bytes<Kind>(self, [](unsigned char c, bool in_word, bool) { return in_word ? Py_TOLOWER(c) : Py_TOUPPER(c); });
}
template <class Kind>
PyObject* capitalize(Borrowed<> self) {
  return map_bytes<Kind>(self, [](unsigned char c, bool, bool first) { return first ? Py_TOUPPER(c) : Py_TOLOWER(c); });
}

// Padding and stripping ---------------------------------------------------------------------------------------------

/// The fill character of center and its relatives.
struct FillByte {
  char value = ' ';
};

template <class Kind>
PyObject* pad(PyObject* self, Py_ssize_t left, Py_ssize_t right, char fill) {
  left = Py_MAX(left, 0);
  right = Py_MAX(right, 0);
  if (left == 0 && right == 0) return Kind::same(self);
  const View text = view(self);
  if (text.size > PY_SSIZE_T_MAX - left - right) return PyErr_NoMemory();
  PyObject* result = Kind::make(nullptr, left + text.size + right);
  if (result == nullptr) return nullptr;
  char* out = Kind::data(result);
  memset(out, fill, static_cast<size_t>(left));
  memcpy(out + left, text.data, static_cast<size_t>(text.size));
  memset(out + left + text.size, fill, static_cast<size_t>(right));
  return result;
}
template <class Kind>
PyObject* center(Borrowed<> self, Py_ssize_t width, Optional<FillByte> fill) {
  const Py_ssize_t padding = width - view(self).size;
  if (padding <= 0) return Kind::same(self);
  const Py_ssize_t left = padding / 2 + (padding & width & 1);
  return pad<Kind>(self, left, padding - left, fill.value_or(FillByte()).value);
}
template <class Kind>
PyObject* ljust(Borrowed<> self, Py_ssize_t width, Optional<FillByte> fill) {
  return pad<Kind>(self, 0, width - view(self).size, fill.value_or(FillByte()).value);
}
template <class Kind>
PyObject* rjust(Borrowed<> self, Py_ssize_t width, Optional<FillByte> fill) {
  return pad<Kind>(self, width - view(self).size, 0, fill.value_or(FillByte()).value);
}
template <class Kind>
PyObject* zfill(Borrowed<> self, Py_ssize_t width) {
  const Py_ssize_t zeros = width - view(self).size;
  PyObject* result = pad<Kind>(self, zeros, 0, '0');
  if (result == nullptr || zeros <= 0) return result;
  char* out = Kind::data(result);
  if (out[zeros] == '+' || out[zeros] == '-') std::swap(out[0], out[zeros]);
  return result;
}

template <class Kind>
PyObject* expandtabs(Borrowed<> self, Optional<int> tab_size) {
  const int tab = tab_size.value_or(8);
  const View text = view(self);
  const auto walk = [&](auto&& put) {
    Py_ssize_t column = 0;
    for (Py_ssize_t i = 0; i < text.size; i++) {
      const char c = text.data[i];
      if (c == '\t') {
        const Py_ssize_t spaces = tab > 0 ? tab - column % tab : 0;
        column += spaces;
        if (!put(' ', spaces)) return false;
      } else {
        column = c == '\n' || c == '\r' ? 0 : column + 1;
        if (!put(c, 1)) return false;
      }
    }
    return true;
  };
  Py_ssize_t total = 0;
  if (!walk([&](char, Py_ssize_t n) { return !__builtin_add_overflow(total, n, &total); })) {
    return raise(PyExc_OverflowError, "result too long");
  }
  PyObject* result = Kind::make(nullptr, total);
  if (result == nullptr) return nullptr;
  char* out = Kind::data(result);
  walk([&](char c, Py_ssize_t n) {
    memset(out, c, static_cast<size_t>(n));
    out += n;
    return true;
  });
  return result;
}

enum class Sides { kLeft, kRight, kBoth };
template <class Kind, Sides kSides>
PyObject* strip(Borrowed<> self, PyObject* characters) {
  bool drop[256] = {};
  if (characters == nullptr || characters == Py_None) {
    for (int c : {9, 10, 11, 12, 13, 32}) drop[c] = true;
  } else {
    Buffer set;
    if (!set.acquire(characters)) return nullptr;
    for (Py_ssize_t i = 0; i < set.size(); i++) drop[set.bytes()[i]] = true;
  }
  const View text = view(self);
  Py_ssize_t first = 0;
  Py_ssize_t last = text.size;
  if constexpr (kSides != Sides::kRight) {
    while (first < last && drop[text.bytes()[first]]) first++;
  }
  if constexpr (kSides != Sides::kLeft) {
    while (last > first && drop[text.bytes()[last - 1]]) last--;
  }
  return last - first == text.size ? Kind::same(self) : Kind::make(text.data + first, last - first);
}

template <class Kind>
PyObject* removeprefix(Borrowed<> self, Buffer prefix) {
  const View text = view(self);
  if (prefix.size() > 0 && text.size >= prefix.size() &&
      memcmp(text.data, prefix.data(), static_cast<size_t>(prefix.size())) == 0) {
    return Kind::make(text.data + prefix.size(), text.size - prefix.size());
  }
  return Kind::same(self);
}
template <class Kind>
PyObject* removesuffix(Borrowed<> self, Buffer suffix) {
  const View text = view(self);
  if (suffix.size() > 0 && text.size >= suffix.size() &&
      memcmp(text.data + text.size - suffix.size(), suffix.data(), static_cast<size_t>(suffix.size())) == 0) {
    return Kind::make(text.data, text.size - suffix.size());
  }
  return Kind::same(self);
}

// Splitting and joining ---------------------------------------------------------------------------------------------

template <class Kind, Direction kDirection>
PyObject* split(Borrowed<> self, PyObject* separator, Optional<Py_ssize_t> max_split) {
  Buffer sep;
  const bool whitespace = separator == nullptr || separator == Py_None;
  if (!whitespace) {
    if (!sep.acquire(separator)) return nullptr;
    if (sep.size() == 0) return raise(PyExc_ValueError, "empty separator");
  }
  Py_ssize_t limit = max_split.value_or(-1);
  if (limit < 0) limit = PY_SSIZE_T_MAX;
  const View text = view(self);
  Ref<> list = Ref<>::steal(PyList_New(0));
  if (!list) return nullptr;
  const auto emit = [&](Py_ssize_t start, Py_ssize_t stop) {
    PyObject* piece = start == 0 && stop == text.size ? Kind::same(self) : Kind::make(text.data + start, stop - start);
    if (piece == nullptr) return false;
    const int outcome = PyList_Append(list.get(), piece);
    Py_DECREF(piece);
    return outcome == 0;
  };
  const auto is_space = [](uint8_t c) { return Py_ISSPACE(c) != 0; };
  bool done;
  if constexpr (kDirection == Direction::kForward) {
    done = whitespace ? search::split_whitespace(text.bytes(), text.size, limit, is_space, emit)
                      : search::split(text.bytes(), text.size, sep.bytes(), sep.size(), limit, emit);
  } else {
    done = (whitespace ? search::rsplit_whitespace(text.bytes(), text.size, limit, is_space, emit)
                       : search::rsplit(text.bytes(), text.size, sep.bytes(), sep.size(), limit, emit)) &&
           PyList_Reverse(list.get()) == 0;
  }
  return done ? list.release() : nullptr;
}

template <class Kind>
PyObject* splitlines(Borrowed<> self, Optional<int> keepends) {
  const View text = view(self);
  Ref<> list = Ref<>::steal(PyList_New(0));
  if (!list) return nullptr;
  const bool done = search::split_lines(
      text.bytes(), text.size, keepends.value_or(0) != 0, [](uint8_t c) { return c == '\n' || c == '\r'; },
      [&](Py_ssize_t start, Py_ssize_t stop) {
        PyObject* piece = start == 0 && stop == text.size ? Kind::same(self) : Kind::make(text.data + start, stop - start);
        if (piece == nullptr) return false;
        const int outcome = PyList_Append(list.get(), piece);
        Py_DECREF(piece);
        return outcome == 0;
      });
  return done ? list.release() : nullptr;
}

template <class Kind, Direction kDirection>
PyObject* partition(Borrowed<> self, Borrowed<> separator) {
  Buffer sep;
  if (!sep.acquire(separator)) return nullptr;
  if (sep.size() == 0) return raise(PyExc_ValueError, "empty separator");
  const View text = view(self);
  const Py_ssize_t at = kDirection == Direction::kForward
                            ? search::find(text.bytes(), text.size, sep.bytes(), sep.size())
                            : search::rfind(text.bytes(), text.size, sep.bytes(), sep.size());
  Ref<> parts[3];
  if (at < 0) {
    parts[kDirection == Direction::kForward ? 0 : 2] = Ref<>::steal(Kind::same(self));
    parts[1] = Ref<>::steal(Kind::make(nullptr, 0));
    parts[kDirection == Direction::kForward ? 2 : 0] = Ref<>::steal(Kind::make(nullptr, 0));
  } else {
    parts[0] = Ref<>::steal(Kind::make(text.data, at));
    // bytes gives back the separator object itself where it can.
    parts[1] = std::is_same_v<Kind, BytesKind> && PyBytes_CheckExact(separator.get())
                   ? Ref<>::dup(separator.get())
                   : Ref<>::steal(Kind::make(sep.data(), sep.size()));
    parts[2] = Ref<>::steal(Kind::make(text.data + at + sep.size(), text.size - at - sep.size()));
  }
  if (!parts[0] || !parts[1] || !parts[2]) return nullptr;
  return PyTuple_Pack(3, parts[0].get(), parts[1].get(), parts[2].get());
}

/// A list or tuple of bytes-like objects joined by self.
template <class Kind>
PyObject* join(PyObject* self, PyObject* iterable) {
  Ref<> sequence = Ref<>::steal(PySequence_Fast(iterable, "can only join an iterable"));
  if (!sequence) return nullptr;
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence.get());
  if (count == 0) return Kind::make(nullptr, 0);
  if (std::is_same_v<Kind, BytesKind> && count == 1 && PyBytes_CheckExact(PySequence_Fast_GET_ITEM(sequence.get(), 0))) {
    return Py_NewRef(PySequence_Fast_GET_ITEM(sequence.get(), 0));
  }
  constexpr Py_ssize_t kInline = 10;
  Py_buffer inline_buffers[kInline];
  Py_buffer* buffers = inline_buffers;
  if (count > kInline) {
    buffers = PyMem_New(Py_buffer, static_cast<size_t>(count));
    if (buffers == nullptr) return PyErr_NoMemory();
  }
  Py_ssize_t acquired = 0;
  PyObject* result = nullptr;
  Py_ssize_t total = 0;
  for (; acquired < count; acquired++) {
    PyObject* item = PySequence_Fast_GET_ITEM(sequence.get(), acquired);
    Py_buffer& buffer = buffers[acquired];
    if (PyBytes_CheckExact(item)) {  // FAST: no exporter to ask
      buffer.obj = Py_NewRef(item);
      buffer.buf = PyBytes_AS_STRING(item);
      buffer.len = PyBytes_GET_SIZE(item);
      buffer.internal = nullptr;
    } else if (PyObject_GetBuffer(item, &buffer, PyBUF_SIMPLE) != 0) {
      PyErr_Format(PyExc_TypeError, "sequence item %zd: expected a bytes-like object, %.80s found", acquired,
                   Py_TYPE(item)->tp_name);
      break;
    }
    if (__builtin_add_overflow(total, buffer.len, &total) ||
        (acquired > 0 && __builtin_add_overflow(total, view(self).size, &total))) {
      PyErr_SetString(PyExc_OverflowError, "join() result is too long");
      acquired++;
      break;
    }
    if (PySequence_Fast_GET_SIZE(sequence.get()) != count) {
      PyErr_SetString(PyExc_RuntimeError, "sequence changed size during iteration");
      acquired++;
      break;
    }
  }
  if (!PyErr_Occurred()) result = Kind::make(nullptr, total);
  if (result != nullptr) {
    const View separator = view(self);
    char* out = Kind::data(result);
    for (Py_ssize_t i = 0; i < count; i++) {
      if (i > 0) {
        memcpy(out, separator.data, static_cast<size_t>(separator.size));
        out += separator.size;
      }
      memcpy(out, buffers[i].buf, static_cast<size_t>(buffers[i].len));
      out += buffers[i].len;
    }
  }
  for (Py_ssize_t i = 0; i < acquired; i++) {
    if (PyBytes_CheckExact(buffers[i].obj)) {
      Py_DECREF(buffers[i].obj);
    } else {
      PyBuffer_Release(&buffers[i]);
    }
  }
  if (buffers != inline_buffers) PyMem_Free(buffers);
  return result;
}
template <class Kind>
PyObject* join_method(Borrowed<> self, Borrowed<> iterable) {
  return join<Kind>(self, iterable);
}

// Replacing ---------------------------------------------------------------------------------------------------------

template <class Kind>
PyObject* replace(Borrowed<> self, Buffer old_text, Buffer new_text, Optional<Py_ssize_t> max_count) {
  Py_ssize_t limit = max_count.value_or(-1);
  if (limit < 0) limit = PY_SSIZE_T_MAX;
  const View text = view(self);
  const Py_ssize_t count = search::count(text.bytes(), text.size, old_text.bytes(), old_text.size(), limit);
  if (count == 0 || limit == 0) return Kind::same(self);
  Py_ssize_t change;
  Py_ssize_t total;
  if (__builtin_mul_overflow(new_text.size() - old_text.size(), count, &change) ||
      __builtin_add_overflow(text.size, change, &total)) {
    return raise(PyExc_OverflowError, "replace bytes is too long");
  }
  PyObject* result = Kind::make(nullptr, total);
  if (result == nullptr) return nullptr;
  char* out = Kind::data(result);
  const auto put = [&](const char* data, Py_ssize_t size) {
    memcpy(out, data, static_cast<size_t>(size));
    out += size;
  };
  Py_ssize_t at = 0;
  for (Py_ssize_t i = 0; i < count; i++) {
    if (old_text.size() == 0) {  // before every byte and at the end
      put(new_text.data(), new_text.size());
      if (at < text.size) put(text.data + at++, 1);
    } else {
      const Py_ssize_t hit = at + search::find(text.bytes() + at, text.size - at, old_text.bytes(), old_text.size());
      put(text.data + at, hit - at);
      put(new_text.data(), new_text.size());
      at = hit + old_text.size();
    }
  }
  put(text.data + at, text.size - at);
  return result;
}

template <class Kind>
PyObject* translate(Borrowed<> self, Borrowed<> table_object, PyObject* deletechars) {
  Buffer table;
  const unsigned char* map = nullptr;
  if (table_object.get() != Py_None) {
    if (!table.acquire(table_object)) return nullptr;
    if (table.size() != 256) return raise(PyExc_ValueError, "translation table must be 256 characters long");
    map = table.bytes();
  }
  bool drop[256] = {};
  bool drops = false;
  if (deletechars != nullptr) {  // looked at after the table: its errors come first
    Buffer unwanted;
    if (!unwanted.acquire(deletechars)) return nullptr;
    for (Py_ssize_t i = 0; i < unwanted.size(); i++) drop[unwanted.bytes()[i]] = drops = true;
  }
  const View text = view(self);
  PyObject* result = Kind::make(nullptr, text.size);
  if (result == nullptr) return nullptr;
  unsigned char* out = reinterpret_cast<unsigned char*>(Kind::data(result));
  Py_ssize_t length = 0;
  bool changed = false;
  for (Py_ssize_t i = 0; i < text.size; i++) {
    const unsigned char c = text.bytes()[i];
    if (drops && drop[c]) continue;
    const unsigned char mapped = map == nullptr ? c : map[c];
    changed |= mapped != c;
    out[length++] = mapped;
  }
  if (!changed && length == text.size && std::is_same_v<Kind, BytesKind>) {
    Py_DECREF(result);
    return Kind::same(self);
  }
  if (length < text.size) Py_SETREF(result, Kind::make(reinterpret_cast<char*>(out), length));
  return result;
}

inline PyObject* maketrans(Borrowed<>, Buffer from, Buffer to) {
  if (from.size() != to.size()) return raise(PyExc_ValueError, "maketrans arguments must have same length");
  PyObject* result = PyBytes_FromStringAndSize(nullptr, 256);
  if (result == nullptr) return nullptr;
  unsigned char* table = reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(result));
  for (int i = 0; i < 256; i++) table[i] = static_cast<unsigned char>(i);
  for (Py_ssize_t i = 0; i < from.size(); i++) table[from.bytes()[i]] = to.bytes()[i];
  return result;
}

inline PyObject* maketrans_static(PyObject*, Buffer from, Buffer to) { return maketrans(Py_None, std::move(from), std::move(to)); }

inline PyObject* hex(Borrowed<> self, PyObject* separator, Optional<int> group) {
  const View text = view(self);
  return _Py_strhex_with_sep(text.data, text.size, separator, group.value_or(1));
}

inline PyObject* decode(Borrowed<> self, Optional<const char*> encoding, Optional<const char*> errors) {
  return PyUnicode_FromEncodedObject(self, encoding.value_or(nullptr), errors.value_or(nullptr));
}

/// The repr of bytes: quotes chosen like str's, everything outside printable ASCII escaped. Returns new.
PyObject* repr(const char* prefix, View text, const char* suffix, bool smart_quotes);

// clang-format off
/// Rows of the method tables of both types.
#define PYSTON_BYTES_METHODS(Kind, type)                                                                               \
    method<capitalize<Kind>, "capitalize($self, /)", "A copy whose first byte is upper case (ASCII) and the rest lower case.">(), \
    method<center<Kind>, "center($self, width, fillchar=b' ', /)", "A copy centred in a field of the given width.">(),  \
    method<bytes::count, "count(*args)", "B.count(sub[, start[, end]]) -> int\n\nHow often sub occurs, without overlaps, in B[start:end].">(), \
    method<decode, "decode($self, /, encoding='utf-8', errors='strict')", "The bytes decoded to a str.\n\n  encoding\n    The codec's name.\n  errors\n    What to do about undecodable bytes: 'strict', 'ignore', 'replace' or another registered handler.">(), \
    method<endswith, "endswith(*args)", "B.endswith(suffix[, start[, end]]) -> bool\n\nWhether B[start:end] ends with the suffix, or with one of a tuple.">(), \
    method<expandtabs<Kind>, "expandtabs($self, /, tabsize=8)", "A copy with tabs replaced by spaces.">(),              \
    method<bytes::find, "find(*args)", "B.find(sub[, start[, end]]) -> int\n\nThe lowest index of sub in B[start:end], -1 when there is none.">(), \
    method<bytes::hex, "hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)", "The bytes as hexadecimal digits.\n\n  sep\n    A separator between groups.\n  bytes_per_sep\n    Group size, counted from the right; from the left when negative.\n\n>>> data = " type "(b'\\xf0\\x0d\\xbe\\xef')\n>>> data.hex()\n'f00dbeef'\n>>> data.hex('-')\n'f0-0d-be-ef'\n>>> data.hex('_', 3)\n'f0_0dbeef'\n>>> data.hex(':', -3)\n'f00dbe:ef'">(), \
    method<bytes::index, "index(*args)", "B.index(sub[, start[, end]]) -> int\n\nLike find, but ValueError when there is none.">(), \
    method<is_all<PY_CTF_ALNUM>, "isalnum($self, /)", "B.isalnum() -> bool\n\nWhether there are only ASCII letters and digits, and any.">(), \
    method<is_all<PY_CTF_ALPHA>, "isalpha($self, /)", "B.isalpha() -> bool\n\nWhether there are only ASCII letters, and any.">(), \
    method<bytes::isascii, "isascii($self, /)", "B.isascii() -> bool\n\nWhether all bytes are below 128.">(),                  \
    method<is_all<PY_CTF_DIGIT>, "isdigit($self, /)", "B.isdigit() -> bool\n\nWhether there are only ASCII digits, and any.">(), \
    method<is_cased<PY_CTF_LOWER>, "islower($self, /)", "B.islower() -> bool\n\nWhether there are letters, and all are lower case.">(), \
    method<is_all<PY_CTF_SPACE>, "isspace($self, /)", "B.isspace() -> bool\n\nWhether there is only ASCII whitespace, and any.">(), \
    method<istitle, "istitle($self, /)", "B.istitle() -> bool\n\nWhether upper case letters start words and lower case ones continue them.">(), \
    method<is_cased<PY_CTF_UPPER>, "isupper($self, /)", "B.isupper() -> bool\n\nWhether there are letters, and all are upper case.">(), \
    method<join_method<Kind>, "join($self, iterable_of_bytes, /)", "Bytes-like objects put together with this one between them.\n\nb'.'.join([b'ab', b'pq']) is b'ab.pq'.">(), \
    method<ljust<Kind>, "ljust($self, width, fillchar=b' ', /)", "A copy left-justified in a field of the given width.">(), \
    method<lower<Kind>, "lower($self, /)", "A copy in lower case (ASCII).">(),                                          \
    method<strip<Kind, Sides::kLeft>, "lstrip($self, bytes=None, /)", "A copy without leading bytes of the set (ASCII whitespace).">(), \
    method<maketrans_static, "maketrans(frm, to, /)", "B.maketrans(frm, to) -> translation table for translate().">(METH_STATIC), \
    method<partition<Kind, Direction::kForward>, "partition($self, sep, /)", "What stands before the first separator, the separator, what stands behind it; with none, B and twice nothing.">(), \
    method<removeprefix<Kind>, "removeprefix($self, prefix, /)", "A copy without the prefix, if it is there.">(),        \
    method<removesuffix<Kind>, "removesuffix($self, suffix, /)", "A copy without the suffix, if it is there.">(),        \
    method<replace<Kind>, "replace($self, old, new, count=-1, /)", "A copy with occurrences of old (the first count ones) replaced by new.">(), \
    method<rfind, "rfind(*args)", "B.rfind(sub[, start[, end]]) -> int\n\nThe highest index of sub in B[start:end], -1 when there is none.">(), \
    method<bytes::rindex, "rindex(*args)", "B.rindex(sub[, start[, end]]) -> int\n\nLike rfind, but ValueError when there is none.">(), \
    method<rjust<Kind>, "rjust($self, width, fillchar=b' ', /)", "A copy right-justified in a field of the given width.">(), \
    method<partition<Kind, Direction::kBackward>, "rpartition($self, sep, /)", "Like partition, at the last separator; with none, twice nothing and B.">(), \
    method<split<Kind, Direction::kBackward>, "rsplit($self, /, sep=None, maxsplit=-1)", "Like split, working from the right.">(), \
    method<strip<Kind, Sides::kRight>, "rstrip($self, bytes=None, /)", "A copy without trailing bytes of the set (ASCII whitespace).">(), \
    method<split<Kind, Direction::kForward>, "split($self, /, sep=None, maxsplit=-1)", "A list of the sections between separators.\n\n  sep\n    The separator; None: runs of ASCII whitespace.\n  maxsplit\n    How many cuts at most; -1: any number.">(), \
    method<splitlines<Kind>, "splitlines($self, /, keepends=False)", "A list of the lines, with their ends only when keepends is true.">(), \
    method<startswith, "startswith(*args)", "B.startswith(prefix[, start[, end]]) -> bool\n\nWhether B[start:end] starts with the prefix, or with one of a tuple.">(), \
    method<strip<Kind, Sides::kBoth>, "strip($self, bytes=None, /)", "A copy without leading and trailing bytes of the set (ASCII whitespace).">(), \
    method<swapcase<Kind>, "swapcase($self, /)", "A copy with upper and lower case (ASCII) exchanged.">(),               \
    method<title<Kind>, "title($self, /)", "A copy in which words start in upper case (ASCII).">(),                     \
    method<translate<Kind>, "translate($self, table, /, delete=b'')", "A copy with the bytes in delete left out and the others mapped through the table of 256 bytes.">(), \
    method<upper<Kind>, "upper($self, /)", "A copy in upper case (ASCII).">(),                                          \
    method<zfill<Kind>, "zfill($self, width, /)", "A copy padded on the left with zeros, behind a sign.">()
// clang-format on

}  // namespace pyston::bytes

namespace pyston::binding {
template <>
struct Convert<bytes::FillByte> {
  static bool convert(const Signature& signature, int index, PyObject* value, bytes::FillByte& out) {
    if (PyBytes_Check(value) && PyBytes_GET_SIZE(value) == 1) {
      out.value = PyBytes_AS_STRING(value)[0];
      return true;
    }
    if (PyByteArray_Check(value) && PyByteArray_GET_SIZE(value) == 1) {
      out.value = PyByteArray_AS_STRING(value)[0];
      return true;
    }
    raise_bad_argument(signature, index, "a byte string of length 1", value);
    return false;
  }
};
}  // namespace pyston::binding
