// lower, upper, casefold, capitalize, title and swapcase.
//
// ASCII strings are converted in one vectorisable pass. Others go character by character through the full mappings,
// one character to up to three, collected in a buffer of 32-bit characters and narrowed at the end.
#include "Objects/text/unicode_case.h"

namespace pyston::text {
namespace {

constexpr bool is_ascii_lower(unsigned char c) { return static_cast<unsigned char>(c - 'a') < 26; }
constexpr bool is_ascii_upper(unsigned char c) { return static_cast<unsigned char>(c - 'A') < 26; }
constexpr unsigned char ascii_lower(unsigned char c) { return static_cast<unsigned char>(c | (is_ascii_upper(c) << 5)); }
constexpr unsigned char ascii_upper(unsigned char c) { return static_cast<unsigned char>(c & ~(is_ascii_lower(c) << 5)); }

/// A copy of an ASCII string with `change` applied to every character.
template <class Change>
PyObject* map_ascii(const Text& text, Change&& change) {
  if (text.length == 0) return Py_NewRef(empty_string());
  const unsigned char* from = static_cast<const unsigned char*>(text.data);
  if (text.length == 1) return new_latin1_char(change(from[0]));
  PyObject* result = allocate(text.length, 0x7f);
  if (result == nullptr) return nullptr;
  unsigned char* to = reinterpret_cast<unsigned char*>(PyUnicode_DATA(result));
  for (Py_ssize_t i = 0; i < text.length; i++) to[i] = change(from[i]);
  return result;
}

/// Lower case of the capital sigma at `i`: final form after a cased and not before a cased letter.
Py_UCS4 lower_sigma(const Text& text, Py_ssize_t i) {
  Py_ssize_t k = i - 1;
  while (k >= 0 && _PyUnicode_IsCaseIgnorable(text[k])) k--;
  if (k < 0 || !_PyUnicode_IsCased(text[k])) return 0x3c3;
  k = i + 1;
  while (k < text.length && _PyUnicode_IsCaseIgnorable(text[k])) k++;
  return k == text.length || !_PyUnicode_IsCased(text[k]) ? 0x3c2 : 0x3c3;
}

int lower_at(const Text& text, Py_ssize_t i, Py_UCS4 c, Py_UCS4* out) {
  if (c == 0x3a3) {
    out[0] = lower_sigma(text, i);
    return 1;
  }
  return _PyUnicode_ToLowerFull(c, out);
}

/// Collects what `convert(i, character, out) -> count` gives for every character.
template <class Convert>
PyObject* map_full(const Text& text, Convert&& convert_one) {
  if (text.length > PY_SSIZE_T_MAX / static_cast<Py_ssize_t>(3 * sizeof(Py_UCS4))) {
    PyErr_SetString(PyExc_OverflowError, "string is too long");
    return nullptr;
  }
  Py_UCS4* buffer = static_cast<Py_UCS4*>(PyMem_Malloc(static_cast<size_t>(text.length) * 3 * sizeof(Py_UCS4)));
  if (buffer == nullptr) return PyErr_NoMemory();
  Py_UCS4* out = buffer;
  dispatch(text, [&](auto* characters) {
    for (Py_ssize_t i = 0; i < text.length; i++) out += convert_one(i, Py_UCS4{characters[i]}, out);
  });
  PyObject* result = from_ucs4(buffer, out - buffer);
  PyMem_Free(buffer);
  return result;
}

}  // namespace

PyObject* lower(PyObject* self) {
  const Text text = view(self);
  if (text.ascii) return map_ascii(text, ascii_lower);
  return map_full(text, [&](Py_ssize_t i, Py_UCS4 c, Py_UCS4* out) { return lower_at(text, i, c, out); });
}

PyObject* upper(PyObject* self) {
  const Text text = view(self);
  if (text.ascii) return map_ascii(text, ascii_upper);
  return map_full(text, [](Py_ssize_t, Py_UCS4 c, Py_UCS4* out) { return _PyUnicode_ToUpperFull(c, out); });
}

PyObject* casefold(PyObject* self) {
  const Text text = view(self);
  if (text.ascii) return map_ascii(text, ascii_lower);
  return map_full(text, [](Py_ssize_t, Py_UCS4 c, Py_UCS4* out) { return _PyUnicode_ToFoldedFull(c, out); });
}

PyObject* capitalize(PyObject* self) {
  const Text text = view(self);
  if (text.length == 0) return exact(self);
  if (text.ascii) {
    bool first = true;
    return map_ascii(text, [&](unsigned char c) {
      const unsigned char changed = first ? ascii_upper(c) : ascii_lower(c);
      first = false;
      return changed;
    });
  }
  return map_full(text, [&](Py_ssize_t i, Py_UCS4 c, Py_UCS4* out) {
    return i == 0 ? _PyUnicode_ToTitleFull(c, out) : lower_at(text, i, c, out);
  });
}

PyObject* title(PyObject* self) {
  const Text text = view(self);
  bool inside = false;
  if (text.ascii) {
    return map_ascii(text, [&](unsigned char c) {
      const unsigned char changed = inside ? ascii_lower(c) : ascii_upper(c);
      inside = is_ascii_lower(c) || is_ascii_upper(c);
      return changed;
    });
  }
  return map_full(text, [&](Py_ssize_t i, Py_UCS4 c, Py_UCS4* out) {
    const int count = inside ? lower_at(text, i, c, out) : _PyUnicode_ToTitleFull(c, out);
    inside = _PyUnicode_IsCased(c);
    return count;
  });
}

PyObject* swapcase(PyObject* self) {
  const Text text = view(self);
  if (text.ascii) {
    return map_ascii(text, [](unsigned char c) {
      return static_cast<unsigned char>(c ^ ((is_ascii_lower(c) || is_ascii_upper(c)) << 5));
    });
  }
  return map_full(text, [&](Py_ssize_t i, Py_UCS4 c, Py_UCS4* out) {
    if (Py_UNICODE_ISUPPER(c)) return lower_at(text, i, c, out);
    if (Py_UNICODE_ISLOWER(c)) return _PyUnicode_ToUpperFull(c, out);
    out[0] = c;
    return 1;
  });
}

}  // namespace pyston::text
