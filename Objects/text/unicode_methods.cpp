// The methods of str: everything in its method table that isn't long enough for a file of its own.
#include "Objects/text/unicode_methods.h"

#include "Objects/text/search.h"
#include "Objects/text/unicode_case.h"
#include "Objects/text/unicode_search.h"

#include "internal/pycore_ceval.h"
#include "internal/pycore_object.h"

namespace pyston::text {
namespace {

using Str = PyUnicodeObject;

// ---- searching ------------------------------------------------------------------------------------------------

/// Reads (sub[, start[, end]]) as the search methods take it; None stands for a missing bound.
struct SearchArguments {
  PyObject* sub;
  Py_ssize_t start = 0;
  Py_ssize_t stop = PY_SSIZE_T_MAX;

  bool read(const char* name, PyObject* const* args, Py_ssize_t count) {
    if (UNLIKELY(count < 1 || count > 3)) {
      PyErr_Format(PyExc_TypeError, "%s() takes at %s %d argument%s (%zd given)", name, count < 1 ? "least" : "most",
                   count < 1 ? 1 : 3, count < 1 ? "" : "s", count);
      return false;
    }
    sub = args[0];
    if (count >= 2 && !_PyEval_SliceIndex(args[1], &start)) return false;
    if (count >= 3 && !_PyEval_SliceIndex(args[2], &stop)) return false;
    return true;
  }
};

using Finder = Py_ssize_t (*)(const Text&, const Text&, Py_ssize_t, Py_ssize_t);

/// Position or count into `result`; false when an exception is set.
template <Finder finder>
ALWAYS_INLINE bool run_search(const char* name, PyObject* self, PyObject* const* args, Py_ssize_t count, Py_ssize_t& result) {
  SearchArguments arguments;
  if (!arguments.read(name, args, count) || !ensure_string(arguments.sub) || !ready(self)) return false;
  const Text text = view(self);
  adjust_bounds(arguments.start, arguments.stop, text.length);
  result = finder(text, view(arguments.sub), arguments.start, arguments.stop);
  return true;
}

template <Finder finder, FixedString Name>
PyObject* search_method(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  Py_ssize_t at;
  return run_search<finder>(Name.text, self, args, count, at) ? PyLong_FromSsize_t(at) : nullptr;
}
template <Finder finder, FixedString Name>
PyObject* index_method(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  Py_ssize_t at;
  if (!run_search<finder>(Name.text, self, args, count, at)) return nullptr;
  if (at < 0) {
    PyErr_SetString(PyExc_ValueError, "substring not found");
    return nullptr;
  }
  return PyLong_FromSsize_t(at);
}

template <bool kAtEnd>
PyObject* affix_method(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  const char* name = kAtEnd ? "endswith" : "startswith";
  SearchArguments arguments;
  if (!arguments.read(name, args, count) || !ready(self)) return nullptr;
  const Text text = view(self);
  if (LIKELY(PyUnicode_Check(arguments.sub))) {
    if (!ready(arguments.sub)) return nullptr;
    return Py_NewRef(tail_match(text, view(arguments.sub), arguments.start, arguments.stop, kAtEnd) ? Py_True : Py_False);
  }
  if (!PyTuple_Check(arguments.sub)) {
    return raise(PyExc_TypeError, "%s first arg must be str or a tuple of str, not %.100s", name,
                 Py_TYPE(arguments.sub)->tp_name);
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(arguments.sub); i++) {
    PyObject* part = PyTuple_GET_ITEM(arguments.sub, i);
    if (!PyUnicode_Check(part)) {
      return raise(PyExc_TypeError, "tuple for %s must only contain str, not %.100s", name, Py_TYPE(part)->tp_name);
    }
    if (!ready(part)) return nullptr;
    if (tail_match(text, view(part), arguments.start, arguments.stop, kAtEnd)) Py_RETURN_TRUE;
  }
  Py_RETURN_FALSE;
}

PyObject* str_replace(PyObject* self, Borrowed<Str> old_part, Borrowed<Str> new_part, Optional<Py_ssize_t> limit) {
  if (!ready(self) || !ready(old_part.object()) || !ready(new_part.object())) return nullptr;
  return replace(self, old_part.object(), new_part.object(), limit.value_or(-1));
}

template <PyObject* (*splitter)(PyObject*, PyObject*, Py_ssize_t)>
PyObject* str_split(PyObject* self, PyObject* separator, Optional<Py_ssize_t> limit) {
  if (!ready(self)) return nullptr;
  if (separator == Py_None) separator = nullptr;
  if (separator != nullptr && !PyUnicode_Check(separator)) {
    return raise(PyExc_TypeError, "must be str or None, not %.100s", Py_TYPE(separator)->tp_name);
  }
  if (separator != nullptr && !ready(separator)) return nullptr;
  return splitter(self, separator, limit.value_or(-1));
}

PyObject* str_splitlines(PyObject* self, Optional<int> keep_ends) {
  return ready(self) ? split_lines(self, keep_ends.value_or(0) != 0) : nullptr;
}

template <PyObject* (*cutter)(PyObject*, PyObject*)>
PyObject* str_partition(PyObject* self, Borrowed<> separator) {
  if (!ensure_string(separator) || !ready(self)) return nullptr;
  return cutter(self, separator);
}

PyObject* str_removeprefix(PyObject* self, Borrowed<Str> prefix) {
  if (!ready(self) || !ready(prefix.object())) return nullptr;
  const Text text = view(self);
  const Text part = view(prefix.object());
  if (!tail_match(text, part, 0, text.length, false)) return exact(self);
  return slice(self, part.length, text.length);
}

PyObject* str_removesuffix(PyObject* self, Borrowed<Str> suffix) {
  if (!ready(self) || !ready(suffix.object())) return nullptr;
  const Text text = view(self);
  const Text part = view(suffix.object());
  if (!tail_match(text, part, 0, text.length, true)) return exact(self);
  return slice(self, 0, text.length - part.length);
}

PyObject* str_join(PyObject* self, Borrowed<> iterable) { return PyUnicode_Join(self, iterable); }

// ---- stripping and padding ------------------------------------------------------------------------------------

template <class Drop>
PyObject* strip_while(PyObject* self, int ends, Drop&& drop) {
  const Text text = view(self);
  return dispatch(text, [&](auto* characters) {
    Py_ssize_t start = 0;
    Py_ssize_t stop = text.length;
    if (ends != kRight) {
      while (start < stop && drop(characters[start])) start++;
    }
    if (ends != kLeft) {
      while (stop > start && drop(characters[stop - 1])) stop--;
    }
    return slice(self, start, stop);
  });
}

PyObject* strip_characters(PyObject* self, int ends, PyObject* set) {
  if (!ready(self) || !ready(set)) return nullptr;
  const Text members = view(set);
  if (members.length == 1) {
    const Py_UCS4 only = members[0];
    return strip_while(self, ends, [only](Py_UCS4 c) { return c == only; });
  }
  // FAST: a bit per low character decides most questions without looking at the set.
  uint64_t bloom = 0;
  for (Py_ssize_t i = 0; i < members.length; i++) bloom |= uint64_t{1} << (members[i] & 63);
  return dispatch(members, [&](auto* wanted) {
    return strip_while(self, ends, [&](Py_UCS4 c) {
      return (bloom >> (c & 63) & 1) && search::find_char(wanted, members.length, c) >= 0;
    });
  });
}

template <int kEnds, FixedString Name>
PyObject* str_strip(PyObject* self, PyObject* characters) {
  if (characters == nullptr || characters == Py_None) return strip_whitespace(self, kEnds);
  if (!PyUnicode_Check(characters)) return raise(PyExc_TypeError, "%s arg must be None or str", Name.text);
  return strip_characters(self, kEnds, characters);
}

/// `left` and `right` fill characters around self.
PyObject* pad(PyObject* self, Py_ssize_t left, Py_ssize_t right, Py_UCS4 fill) {
  if (left < 0) left = 0;
  if (right < 0) right = 0;
  if (left == 0 && right == 0) return exact(self);
  const Text text = view(self);
  if (left > PY_SSIZE_T_MAX - text.length || right > PY_SSIZE_T_MAX - (left + text.length)) {
    return raise(PyExc_OverflowError, "padded string is too long");
  }
  const Py_UCS4 max_char = class_max(text) > fill ? class_max(text) : fill;
  const Py_ssize_t length = left + text.length + right;
  if (length == 1 && fill < 0x100) return new_latin1_char(fill);
  PyObject* result = allocate(length, max_char);
  if (result == nullptr) return nullptr;
  _PyUnicode_FastFill(result, 0, left, fill);
  _PyUnicode_FastFill(result, left + text.length, right, fill);
  copy_characters(static_cast<int>(PyUnicode_KIND(result)), PyUnicode_DATA(result), left, text, 0, text.length);
  return result;
}

/// The fill character of the justifying methods.
bool read_fill(PyObject* object, Py_UCS4& fill) {
  fill = ' ';
  if (object == nullptr) return true;
  if (!PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "The fill character must be a unicode character, not %.100s", Py_TYPE(object)->tp_name);
    return false;
  }
  if (!ready(object)) return false;
  if (PyUnicode_GET_LENGTH(object) != 1) {
    PyErr_SetString(PyExc_TypeError, "The fill character must be exactly one character long");
    return false;
  }
  fill = PyUnicode_READ_CHAR(object, 0);
  return true;
}

PyObject* str_center(PyObject* self, Py_ssize_t width, PyObject* fillchar) {
  Py_UCS4 fill;
  if (!read_fill(fillchar, fill) || !ready(self)) return nullptr;
  const Py_ssize_t margin = width - PyUnicode_GET_LENGTH(self);
  if (margin <= 0) return exact(self);
  const Py_ssize_t left = margin / 2 + (margin & width & 1);  // QUIRK: an odd margin in an odd width leans left
  return pad(self, left, margin - left, fill);
}

PyObject* str_ljust(PyObject* self, Py_ssize_t width, PyObject* fillchar) {
  Py_UCS4 fill;
  if (!read_fill(fillchar, fill) || !ready(self)) return nullptr;
  return pad(self, 0, width - PyUnicode_GET_LENGTH(self), fill);
}

PyObject* str_rjust(PyObject* self, Py_ssize_t width, PyObject* fillchar) {
  Py_UCS4 fill;
  if (!read_fill(fillchar, fill) || !ready(self)) return nullptr;
  return pad(self, width - PyUnicode_GET_LENGTH(self), 0, fill);
}

PyObject* str_zfill(PyObject* self, Py_ssize_t width) {
  if (!ready(self)) return nullptr;
  const Py_ssize_t missing = width - PyUnicode_GET_LENGTH(self);
  if (missing <= 0) return exact(self);
  PyObject* result = pad(self, missing, 0, '0');
  if (result == nullptr || PyUnicode_GET_LENGTH(self) == 0) return result;
  const Py_UCS4 sign = PyUnicode_READ_CHAR(self, 0);
  if (sign == '+' || sign == '-') {
    void* data = PyUnicode_DATA(result);
    PyUnicode_WRITE(PyUnicode_KIND(result), data, 0, sign);
    PyUnicode_WRITE(PyUnicode_KIND(result), data, missing, '0');
  }
  return result;
}

PyObject* str_expandtabs(PyObject* self, Optional<int> tab_size) {
  if (!ready(self)) return nullptr;
  const Py_ssize_t size = tab_size.value_or(8);
  const Text text = view(self);
  Py_ssize_t length = 0;
  Py_ssize_t column = 0;
  bool found = false;
  for (Py_ssize_t i = 0; i < text.length; i++) {
    const Py_UCS4 c = text[i];
    Py_ssize_t step = 1;
    if (c == '\t') {
      found = true;
      step = size > 0 ? size - column % size : 0;
    }
    column += step;
    if (c == '\n' || c == '\r') column = 0;
    if (step > PY_SSIZE_T_MAX - length) return raise(PyExc_OverflowError, "new string is too long");
    length += step;
  }
  if (!found) return exact(self);
  if (length == 0) return Py_NewRef(empty_string());
  PyObject* result = allocate(length, class_max(text));
  if (result == nullptr) return nullptr;
  dispatch(text, [&](auto* from) {
    using Char = std::remove_const_t<std::remove_reference_t<decltype(*from)>>;
    Char* to = static_cast<Char*>(PyUnicode_DATA(result));
    column = 0;
    for (Py_ssize_t i = 0; i < text.length; i++) {
      const Char c = from[i];
      if (c == '\t') {
        const Py_ssize_t step = size > 0 ? size - column % size : 0;
        column += step;
        for (Py_ssize_t k = 0; k < step; k++) *to++ = ' ';
        continue;
      }
      column = c == '\n' || c == '\r' ? 0 : column + 1;
      *to++ = c;
    }
  });
  if (length == 1 && PyUnicode_READ_CHAR(result, 0) < 0x100) Py_SETREF(result, new_latin1_char(PyUnicode_READ_CHAR(result, 0)));
  return result;
}

// ---- classification -------------------------------------------------------------------------------------------

/// True when the string isn't empty and `test` holds for every character.
template <class Test>
PyObject* all_characters(PyObject* self, Test&& test) {
  if (!ready(self)) return nullptr;
  const Text text = view(self);
  if (text.length == 0) Py_RETURN_FALSE;
  const bool all = dispatch(text, [&](auto* characters) {
    for (Py_ssize_t i = 0; i < text.length; i++) {
      if (!test(Py_UCS4{characters[i]})) return false;
    }
    return true;
  });
  return Py_NewRef(all ? Py_True : Py_False);
}

PyObject* str_isalnum(PyObject* self) {
  return all_characters(self, [](Py_UCS4 c) { return Py_UNICODE_ISALNUM(c); });
}
PyObject* str_isalpha(PyObject* self) {
  return all_characters(self, [](Py_UCS4 c) { return Py_UNICODE_ISALPHA(c); });
}
PyObject* str_isdecimal(PyObject* self) {
  return all_characters(self, [](Py_UCS4 c) { return c < 128 ? c - '0' < 10 : Py_UNICODE_ISDECIMAL(c) != 0; });
}
PyObject* str_isdigit(PyObject* self) {
  return all_characters(self, [](Py_UCS4 c) { return c < 128 ? c - '0' < 10 : Py_UNICODE_ISDIGIT(c) != 0; });
}
PyObject* str_isnumeric(PyObject* self) {
  return all_characters(self, [](Py_UCS4 c) { return c < 128 ? c - '0' < 10 : Py_UNICODE_ISNUMERIC(c) != 0; });
}
PyObject* str_isspace(PyObject* self) {
  return all_characters(self, [](Py_UCS4 c) { return Py_UNICODE_ISSPACE(c) != 0; });
}
PyObject* str_isprintable(PyObject* self) {
  if (!ready(self)) return nullptr;
  if (PyUnicode_GET_LENGTH(self) == 0) Py_RETURN_TRUE;
  return all_characters(self, [](Py_UCS4 c) { return Py_UNICODE_ISPRINTABLE(c) != 0; });
}
PyObject* str_isascii(PyObject* self) {
  if (!ready(self)) return nullptr;
  return Py_NewRef(PyUnicode_IS_ASCII(self) ? Py_True : Py_False);
}
PyObject* str_isidentifier(PyObject* self) {
  const int answer = PyUnicode_IsIdentifier(self);
  return answer < 0 ? nullptr : PyBool_FromLong(answer);
}

/// islower (want lower, refuse upper and title) and isupper, alike: some cased character, none of the wrong case.
template <bool kLower>
PyObject* has_case(PyObject* self) {
  if (!ready(self)) return nullptr;
  const Text text = view(self);
  bool cased = false;
  for (Py_ssize_t i = 0; i < text.length; i++) {
    const Py_UCS4 c = text[i];
    const bool right = kLower ? Py_UNICODE_ISLOWER(c) : Py_UNICODE_ISUPPER(c);
    if (right) {
      cased = true;
    } else if ((kLower ? Py_UNICODE_ISUPPER(c) : Py_UNICODE_ISLOWER(c)) || Py_UNICODE_ISTITLE(c)) {
      Py_RETURN_FALSE;
    }
  }
  return Py_NewRef(cased ? Py_True : Py_False);
}

PyObject* str_istitle(PyObject* self) {
  if (!ready(self)) return nullptr;
  const Text text = view(self);
  bool cased = false;
  bool inside = false;
  for (Py_ssize_t i = 0; i < text.length; i++) {
    const Py_UCS4 c = text[i];
    if (Py_UNICODE_ISUPPER(c) || Py_UNICODE_ISTITLE(c)) {
      if (inside) Py_RETURN_FALSE;
      inside = cased = true;
    } else if (Py_UNICODE_ISLOWER(c)) {
      if (!inside) Py_RETURN_FALSE;
      cased = true;
    } else {
      inside = false;
    }
  }
  return Py_NewRef(cased ? Py_True : Py_False);
}

template <PyObject* (*change)(PyObject*)>
PyObject* case_method(PyObject* self) {
  return ready(self) ? change(self) : nullptr;
}

// ---- conversion -----------------------------------------------------------------------------------------------

/// A codec argument as UTF-8 without inner nulls; `text` stays null when the argument is missing.
bool read_codec_argument(PyObject* object, const char* parameter, const char*& text) {
  if (object == nullptr) return true;
  if (!PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "encode() argument '%s' must be str, not %.50s", parameter,
                 object == Py_None ? "None" : Py_TYPE(object)->tp_name);
    return false;
  }
  Py_ssize_t size;
  text = PyUnicode_AsUTF8AndSize(object, &size);
  if (text == nullptr) return false;
  if (strlen(text) != static_cast<size_t>(size)) {
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return false;
  }
  return true;
}

PyObject* str_encode(PyObject* self, PyObject* encoding, PyObject* errors) {
  const char* encoding_text = nullptr;
  const char* errors_text = nullptr;
  if (!read_codec_argument(encoding, "encoding", encoding_text) || !read_codec_argument(errors, "errors", errors_text)) {
    return nullptr;
  }
  return PyUnicode_AsEncodedString(self, encoding_text, errors_text);
}

PyObject* str_translate(PyObject* self, Borrowed<> table) { return PyUnicode_Translate(self, table, "ignore"); }

PyObject* str_format_spec(PyObject* self, Borrowed<Str> spec) {
  if (!ready(self) || !ready(spec.object())) return nullptr;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(spec.object());
  if (length == 0) return PyUnicode_CheckExact(self) ? Py_NewRef(self) : PyObject_Str(self);
  Writer writer;
  if (_PyUnicode_FormatAdvancedWriter(writer.get(), self, spec.object(), 0, length) < 0) return nullptr;
  return writer.finish();
}

PyObject* str_format(PyObject* self, PyObject* args, PyObject* kwargs) { return format_fields(self, args, kwargs); }
PyObject* str_format_map(PyObject* self, PyObject* mapping) { return format_fields(self, nullptr, mapping); }

PyObject* str_getnewargs(PyObject* self) {
  PyObject* copy = _PyUnicode_Copy(self);
  return copy == nullptr ? nullptr : Py_BuildValue("(N)", copy);
}

PyObject* str_sizeof(PyObject* self) {
  Py_ssize_t size;
  if (PyUnicode_IS_COMPACT_ASCII(self)) {
    size = static_cast<Py_ssize_t>(sizeof(PyASCIIObject)) + PyUnicode_GET_LENGTH(self) + 1;
  } else if (PyUnicode_IS_COMPACT(self)) {
    size = static_cast<Py_ssize_t>(sizeof(PyCompactUnicodeObject)) +
           (PyUnicode_GET_LENGTH(self) + 1) * static_cast<Py_ssize_t>(PyUnicode_KIND(self));
  } else {
    size = static_cast<Py_ssize_t>(sizeof(PyUnicodeObject));
    if (legacy_head(self)->data.any != nullptr) {
      size += (PyUnicode_GET_LENGTH(self) + 1) * static_cast<Py_ssize_t>(PyUnicode_KIND(self));
    }
  }
  const void* data = PyUnicode_IS_READY(self) ? PyUnicode_DATA(self) : nullptr;
  const wchar_t* wide = ascii_head(self)->wstr;
  if (wide != nullptr && wide != data) size += ((PyUnicode_IS_COMPACT_ASCII(self) ? PyUnicode_GET_LENGTH(self) : compact_head(self)->wstr_length) + 1) * static_cast<Py_ssize_t>(sizeof(wchar_t));
  if (!PyUnicode_IS_COMPACT_ASCII(self) && compact_head(self)->utf8 != nullptr && compact_head(self)->utf8 != data) {
    size += compact_head(self)->utf8_length + 1;
  }
  return PyLong_FromSsize_t(size);
}

PyMethodDef raw_method(const char* name, _PyCFunctionFast function, const char* doc) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL, doc};
}

}  // namespace

PyObject* strip_whitespace(PyObject* self, int ends) {
  if (!ready(self)) return nullptr;
  return strip_while(self, ends, [](Py_UCS4 c) { return Py_UNICODE_ISSPACE(c) != 0; });
}

PyMethodDef str_methods[] = {
    method<str_encode, "encode($self, /, encoding='utf-8', errors='strict')", "The string as bytes in an encoding.">(),
    method<str_replace, "replace($self, old, new, count=-1, /)",
           "A copy in which occurrences of old, at most count of them, are replaced by new.">(),
    method<str_split<split>, "split($self, /, sep=None, maxsplit=-1)",
           "The parts between separators (runs of whitespace by default), cut at most maxsplit times from the left.">(),
    method<str_split<rsplit>, "rsplit($self, /, sep=None, maxsplit=-1)",
           "The parts between separators (runs of whitespace by default), cut at most maxsplit times from the right.">(),
    method<str_join, "join($self, iterable, /)", "The strings of an iterable with this string between them.">(),
    method<case_method<capitalize>, "capitalize($self, /)", "First character in title case, the others in lower case.">(),
    method<case_method<casefold>, "casefold($self, /)", "A form for comparisons without regard to case.">(),
    method<case_method<title>, "title($self, /)", "Every word begins in title case and goes on in lower case.">(),
    method<str_center, "center($self, width, fillchar=' ', /)", "Centred in a field of the given width.">(),
    raw_method("count", search_method<count_text, "count">,
               "S.count(sub[, start[, end]]) -> int\n\nHow often sub occurs without overlap in S[start:end]."),
    method<str_expandtabs, "expandtabs($self, /, tabsize=8)", "Tabs replaced by spaces up to the next tab stop.">(),
    raw_method("find", search_method<find_text, "find">,
               "S.find(sub[, start[, end]]) -> int\n\nLowest index of sub in S[start:end], -1 when it isn't there."),
    method<str_partition<partition>, "partition($self, sep, /)", "(before, separator, after) at its first occurrence.">(),
    raw_method("index", index_method<find_text, "index">,
               "S.index(sub[, start[, end]]) -> int\n\nLike find, but raises ValueError when sub isn't there."),
    method<str_ljust, "ljust($self, width, fillchar=' ', /)", "Left-aligned in a field of the given width.">(),
    method<case_method<lower>, "lower($self, /)", "A copy in lower case.">(),
    method<str_strip<kLeft, "lstrip">, "lstrip($self, chars=None, /)",
           "Without leading whitespace, or without leading characters of chars.">(),
    raw_method("rfind", search_method<rfind_text, "rfind">,
               "S.rfind(sub[, start[, end]]) -> int\n\nHighest index of sub in S[start:end], -1 when it isn't there."),
    raw_method("rindex", index_method<rfind_text, "rindex">,
               "S.rindex(sub[, start[, end]]) -> int\n\nLike rfind, but raises ValueError when sub isn't there."),
    method<str_rjust, "rjust($self, width, fillchar=' ', /)", "Right-aligned in a field of the given width.">(),
    method<str_strip<kRight, "rstrip">, "rstrip($self, chars=None, /)",
           "Without trailing whitespace, or without trailing characters of chars.">(),
    method<str_partition<rpartition>, "rpartition($self, sep, /)", "(before, separator, after) at its last occurrence.">(),
    method<str_splitlines, "splitlines($self, /, keepends=False)", "The lines, without their ends unless keepends.">(),
    method<str_strip<kBoth, "strip">, "strip($self, chars=None, /)",
           "Without whitespace at both ends, or without characters of chars there.">(),
    method<case_method<swapcase>, "swapcase($self, /)", "Upper case turned into lower case and the reverse.">(),
    method<str_translate, "translate($self, table, /)",
           "Each character replaced by what the table gives for its ordinal; None deletes it.">(),
    method<case_method<upper>, "upper($self, /)", "A copy in upper case.">(),
    raw_method("startswith", affix_method<false>,
               "S.startswith(prefix[, start[, end]]) -> bool\n\nWhether S[start:end] begins with a prefix or one of a tuple."),
    raw_method("endswith", affix_method<true>,
               "S.endswith(suffix[, start[, end]]) -> bool\n\nWhether S[start:end] ends with a suffix or one of a tuple."),
    method<str_removeprefix, "removeprefix($self, prefix, /)", "Without the prefix if it is there.">(),
    method<str_removesuffix, "removesuffix($self, suffix, /)", "Without the suffix if it is there.">(),
    method<str_isascii, "isascii($self, /)", "Whether all characters are ASCII.">(),
    method<has_case<true>, "islower($self, /)", "Whether there are cased characters, all of them lower case.">(),
    method<has_case<false>, "isupper($self, /)", "Whether there are cased characters, all of them upper case.">(),
    method<str_istitle, "istitle($self, /)", "Whether the words are in title case.">(),
    method<str_isspace, "isspace($self, /)", "Whether there are characters, all of them whitespace.">(),
    method<str_isdecimal, "isdecimal($self, /)", "Whether there are characters, all of them decimal digits.">(),
    method<str_isdigit, "isdigit($self, /)", "Whether there are characters, all of them digits.">(),
    method<str_isnumeric, "isnumeric($self, /)", "Whether there are characters, all of them numeric.">(),
    method<str_isalpha, "isalpha($self, /)", "Whether there are characters, all of them letters.">(),
    method<str_isalnum, "isalnum($self, /)", "Whether there are characters, all of them letters or numeric.">(),
    method<str_isidentifier, "isidentifier($self, /)", "Whether this is a valid Python identifier.">(),
    method<str_isprintable, "isprintable($self, /)", "Whether repr() shows all characters as they are.">(),
    method<str_zfill, "zfill($self, width, /)", "Padded with zeros on the left, after a sign.">(),
    {"format", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(str_format)), METH_VARARGS | METH_KEYWORDS,
     "S.format(*args, **kwargs) -> str\n\nReplaces the fields in braces by the formatted arguments."},
    {"format_map", str_format_map, METH_O,
     "S.format_map(mapping) -> str\n\nReplaces the fields in braces by formatted values of a mapping."},
    method<str_format_spec, "__format__($self, format_spec, /)", "Formatted as the specification says.">(),
    method<maketrans, "maketrans(x, y=<unrepresentable>, z=<unrepresentable>, /)",
           "A table for translate: from a dict, or from two strings of equal length and one of characters to drop.">(METH_STATIC),
    method<str_sizeof, "__sizeof__($self, /)", "Size of the string in memory, in bytes.">(),
    method<str_getnewargs, "__getnewargs__($self, /)">(),
    {}};

}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* _PyUnicode_XStrip(PyObject* self, int striptype, PyObject* sepobj) {
  return strip_characters(self, striptype, sepobj);
}

Py_ssize_t _PyUnicode_ScanIdentifier(PyObject* self) {
  if (!ready(self)) return -1;
  const Text text = view(self);
  if (text.length == 0) return 0;
  const Py_UCS4 first = text[0];
  if (first != '_' && !_PyUnicode_IsXidStart(first)) return 0;
  Py_ssize_t i = 1;
  while (i < text.length && _PyUnicode_IsXidContinue(text[i])) i++;
  return i;
}

int PyUnicode_IsIdentifier(PyObject* self) {
  if (!ready(self)) return -1;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(self);
  return length > 0 && _PyUnicode_ScanIdentifier(self) == length;
}
