// What the files of `str` share: a view of any string, creation from raw characters, and the character-width dispatch.
//
// A str has one of three character widths (PEP 393). Code that looks at characters takes a `Text` view and calls
// `dispatch`, which runs a generic lambda on the properly typed pointer.
// INVARIANT: every string made here is compact and as narrow as its widest character allows; empty and one-character
// latin-1 strings are the shared singletons of `_PyRuntime`.
// Strings in the old wchar_t form ("not ready") exist only where extensions make them; `ready` converts them in place.
#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <cstring>

#include "Objects/bind.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_unicodeobject.h"

namespace pyston::text {

constexpr Py_UCS4 kMaxUnicode = 0x10ffff;

/// Borrowed view of a string's characters.
struct Text {
  const void* data;
  Py_ssize_t length;
  int kind;
  bool ascii;

  Py_UCS4 operator[](Py_ssize_t i) const {
    if (kind == 1) return static_cast<const Py_UCS1*>(data)[i];
    if (kind == 2) return static_cast<const Py_UCS2*>(data)[i];
    return static_cast<const Py_UCS4*>(data)[i];
  }
  const void* at(Py_ssize_t i) const { return static_cast<const char*>(data) + i * kind; }
};

ALWAYS_INLINE PyASCIIObject* ascii_head(PyObject* string) { return reinterpret_cast<PyASCIIObject*>(string); }
ALWAYS_INLINE PyCompactUnicodeObject* compact_head(PyObject* string) {
  return reinterpret_cast<PyCompactUnicodeObject*>(string);
}
ALWAYS_INLINE PyUnicodeObject* legacy_head(PyObject* string) { return reinterpret_cast<PyUnicodeObject*>(string); }

ALWAYS_INLINE bool ready(PyObject* string) {
  return LIKELY(ascii_head(string)->state.ready) || _PyUnicode_Ready(string) == 0;
}

/// The string must be ready.
ALWAYS_INLINE Text view(PyObject* string) {
  return {PyUnicode_DATA(string), PyUnicode_GET_LENGTH(string), static_cast<int>(PyUnicode_KIND(string)),
          static_cast<bool>(PyUnicode_IS_ASCII(string))};
}

/// Calls `function` with the characters as `const Py_UCS1*`, `const Py_UCS2*` or `const Py_UCS4*`.
template <class Function>
ALWAYS_INLINE auto dispatch(int kind, const void* data, Function&& function) {
  switch (kind) {
    case 1: return function(static_cast<const Py_UCS1*>(data));
    case 2: return function(static_cast<const Py_UCS2*>(data));
    default: return function(static_cast<const Py_UCS4*>(data));
  }
}
template <class Function>
ALWAYS_INLINE auto dispatch(const Text& text, Function&& function) {
  return dispatch(text.kind, text.data, static_cast<Function&&>(function));
}
template <class Function>
ALWAYS_INLINE auto dispatch_mutable(int kind, void* data, Function&& function) {
  switch (kind) {
    case 1: return function(static_cast<Py_UCS1*>(data));
    case 2: return function(static_cast<Py_UCS2*>(data));
    default: return function(static_cast<Py_UCS4*>(data));
  }
}

ALWAYS_INLINE int kind_for(Py_UCS4 max_char) { return max_char < 0x100 ? 1 : max_char < 0x10000 ? 2 : 4; }
/// The largest character that strings of this view's class may hold.
ALWAYS_INLINE Py_UCS4 class_max(const Text& text) {
  return text.ascii ? 0x7f : text.kind == 1 ? 0xff : text.kind == 2 ? 0xffff : kMaxUnicode;
}

inline PyObject* empty_string() { return reinterpret_cast<PyObject*>(&_Py_STR(empty)); }
/// Borrowed singleton of a character below 256.
ALWAYS_INLINE PyObject* latin1_char(unsigned c) {
  return c < 128 ? reinterpret_cast<PyObject*>(&_Py_SINGLETON(strings).ascii[c])
                 : reinterpret_cast<PyObject*>(&_Py_SINGLETON(strings).latin1[c - 128]);
}
ALWAYS_INLINE PyObject* new_latin1_char(unsigned c) { return Py_NewRef(latin1_char(c)); }

/// Length of the leading run of bytes below 128.
ALWAYS_INLINE Py_ssize_t ascii_prefix(const void* bytes, Py_ssize_t n) {
  const unsigned char* p = static_cast<const unsigned char*>(bytes);
  Py_ssize_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const int mask = _mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i)));
    if (mask != 0) return i + __builtin_ctz(static_cast<unsigned>(mask));
  }
  for (; i + 8 <= n; i += 8) {
    uint64_t word;
    memcpy(&word, p + i, 8);
    word &= 0x8080808080808080ULL;
    if (word != 0) return i + __builtin_ctzll(word) / 8;
  }
  for (; i < n && p[i] < 128; i++) {
  }
  return i;
}

/// An upper bound of the characters' values that falls in the right class (127, 255, 65535 or 0x10ffff).
template <class Char>
Py_UCS4 find_class_max(const Char* p, Py_ssize_t n) {
  if constexpr (sizeof(Char) == 1) {
    return ascii_prefix(p, n) == n ? 0x7f : 0xff;
  } else {
    // FAST: or-ing a block at a time vectorises; stop as soon as the widest class of the width is seen.
    constexpr Py_UCS4 kStop = sizeof(Char) == 2 ? 0xff00 : 0xffff0000;
    Py_UCS4 seen = 0;
    Py_ssize_t i = 0;
    while (i < n) {
      const Py_ssize_t stop = n - i > 64 ? i + 64 : n;
      Char bits = 0;
      for (; i < stop; i++) bits |= p[i];
      seen |= bits;
      if (seen & kStop) break;
    }
    return seen < 0x80 ? 0x7f : seen < 0x100 ? 0xff : seen < 0x10000 ? 0xffff : kMaxUnicode;
  }
}

/// Copies with change of width; narrowing assumes that the values fit.
template <class From, class To>
ALWAYS_INLINE void convert(const From* from, To* to, Py_ssize_t n) {
  if constexpr (sizeof(From) == sizeof(To)) {
    memcpy(to, from, static_cast<size_t>(n) * sizeof(To));
  } else {
    for (Py_ssize_t i = 0; i < n; i++) to[i] = static_cast<To>(from[i]);
  }
}

/// Copies characters between buffers of any widths.
inline void copy_characters(int to_kind, void* to, Py_ssize_t to_start, const Text& from, Py_ssize_t start,
                            Py_ssize_t n) {
  if (n <= 0) return;
  if (to_kind == from.kind) {
    memcpy(static_cast<char*>(to) + to_start * to_kind, from.at(start), static_cast<size_t>(n * to_kind));
    return;
  }
  dispatch(from, [&](auto* source) {
    dispatch_mutable(to_kind, to, [&](auto* target) { convert(source + start, target + to_start, n); });
  });
}

/// A fresh compact string with uninitialised characters (null-terminated); `length` > 0.
PyObject* allocate(Py_ssize_t length, Py_UCS4 max_char);

/// New strings from raw characters; found to be as narrow as possible.
PyObject* from_ascii(const char* bytes, Py_ssize_t n);
PyObject* from_ucs1(const Py_UCS1* characters, Py_ssize_t n);
PyObject* from_ucs2(const Py_UCS2* characters, Py_ssize_t n);
PyObject* from_ucs4(const Py_UCS4* characters, Py_ssize_t n);
/// The part [start, stop) of `string`, itself when that is everything and it is an exact str. Bounds must be valid.
PyObject* slice(PyObject* string, Py_ssize_t start, Py_ssize_t stop);
/// Exact str with the same characters (itself when it is one already).
PyObject* exact(PyObject* string);
/// Nobody else can see this string, so it may be changed in place.
bool is_modifiable(PyObject* string);
/// TypeError "must be str, not X" unless a ready str.
bool ensure_string(PyObject* object);

/// Lower-case letters, digits and dots; any other run in between becomes one underscore. False when it doesn't fit.
bool normalize_encoding(const char* encoding, char* out, size_t size);

/// Drops the interned entry of a dying string (unicode_intern.cpp).
void forget_interned(PyObject* string);
/// New reference to the interned string of these characters, all below 128. FAST: an object is made only when there is
/// none yet.
PyObject* intern_ascii(const void* characters, Py_ssize_t length);

/// Hash by content; equality of two ready strings.
Py_hash_t hash(PyObject* string);
ALWAYS_INLINE bool equal(PyObject* a, PyObject* b) {
  const PyASCIIObject* left = ascii_head(a);
  const PyASCIIObject* right = ascii_head(b);
  if (left->length != right->length) return false;
  if (PyUnicode_KIND(a) != PyUnicode_KIND(b)) return false;
  return memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), static_cast<size_t>(left->length) * PyUnicode_KIND(a)) == 0;
}

/// Clamps Python slice-style bounds to [0, length].
ALWAYS_INLINE void adjust_bounds(Py_ssize_t& start, Py_ssize_t& stop, Py_ssize_t length) {
  if (stop > length) {
    stop = length;
  } else if (stop < 0) {
    stop += length;
    if (stop < 0) stop = 0;
  }
  if (start < 0) {
    start += length;
    if (start < 0) start = 0;
  }
}

/// Releases a half-filled writer unless finished.
class Writer {
 public:
  Writer() { _PyUnicodeWriter_Init(&writer_); }
  explicit Writer(Py_ssize_t min_length) : Writer() {
    writer_.min_length = min_length;
    writer_.overallocate = 1;
  }
  ~Writer() { _PyUnicodeWriter_Dealloc(&writer_); }
  Writer(const Writer&) = delete;
  _PyUnicodeWriter* get() { return &writer_; }
  _PyUnicodeWriter* operator->() { return &writer_; }
  bool put(Py_UCS4 c) {
    if (LIKELY(c <= writer_.maxchar && writer_.pos < writer_.size)) {
      PyUnicode_WRITE(writer_.kind, writer_.data, writer_.pos, c);
      writer_.pos++;
      return true;
    }
    return _PyUnicodeWriter_WriteChar(&writer_, c) == 0;
  }
  bool string(PyObject* s) { return _PyUnicodeWriter_WriteStr(&writer_, s) == 0; }
  bool substring(PyObject* s, Py_ssize_t start, Py_ssize_t stop) {
    return _PyUnicodeWriter_WriteSubstring(&writer_, s, start, stop) == 0;
  }
  bool ascii(const char* s, Py_ssize_t n) { return _PyUnicodeWriter_WriteASCIIString(&writer_, s, n) == 0; }
  bool latin1(const char* s, Py_ssize_t n) { return _PyUnicodeWriter_WriteLatin1String(&writer_, s, n) == 0; }
  PyObject* finish() { return _PyUnicodeWriter_Finish(&writer_); }

 private:
  _PyUnicodeWriter writer_;
};

}  // namespace pyston::text
