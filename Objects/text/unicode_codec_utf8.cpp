// UTF-8, in both directions, for str and for wchar_t (the latter is used before and without an interpreter).
//
// Decoding validates first, which finds the exact length and width of the result, then fills it in one pass. Only
// input with an error goes through the piecewise decoder. Encoding measures first as well.
#include "Objects/text/codec_errors.h"

namespace pyston::text {
namespace {

/// One UTF-8 sequence at [p, end): length when well formed; else 0 with the kind and extent of the damage.
struct Sequence {
  int length;
  int bad_length;      // bytes that the error covers
  bool incomplete;     // fine so far, but the input ends
  const char* reason;
};

inline bool is_continuation(unsigned char c) { return (c & 0xc0) == 0x80; }

COLD Sequence diagnose(const unsigned char* p, const unsigned char* end) {
  static constexpr const char* kStart = "invalid start byte";
  static constexpr const char* kContinuation = "invalid continuation byte";
  static constexpr const char* kEnd = "unexpected end of data";
  const unsigned char first = *p;
  const Py_ssize_t left = end - p;
  if (first < 0xc2 || first > 0xf4) return {0, 1, false, kStart};
  const int wanted = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (int i = 1; i < wanted; i++) {
    if (i >= left) return {0, static_cast<int>(left), true, kEnd};
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (i == 1) {
      if (first == 0xe0) low = 0xa0;
      if (first == 0xed) high = 0x9f;
      if (first == 0xf0) low = 0x90;
      if (first == 0xf4) high = 0x8f;
    }
    if (p[i] < low || p[i] > high) return {0, i, false, kContinuation};
  }
  return {wanted, 0, false, nullptr};
}

/// Length of the well-formed sequence at p, 0 when there is none.
ALWAYS_INLINE int sequence_length(const unsigned char* p, const unsigned char* end) {
  const unsigned char c = *p;
  if (c < 0x80) return 1;
  if (c < 0xe0) return c >= 0xc2 && end - p >= 2 && is_continuation(p[1]) ? 2 : 0;
  if (c < 0xf0) {
    if (end - p < 3 || !is_continuation(p[1]) || !is_continuation(p[2])) return 0;
    if (c == 0xe0 && p[1] < 0xa0) return 0;
    if (c == 0xed && p[1] > 0x9f) return 0;
    return 3;
  }
  if (c > 0xf4 || end - p < 4 || !is_continuation(p[1]) || !is_continuation(p[2]) || !is_continuation(p[3])) return 0;
  if (c == 0xf0 && p[1] < 0x90) return 0;
  if (c == 0xf4 && p[1] > 0x8f) return 0;
  return 4;
}

/// What validation finds out: characters in the well-formed prefix, where it ends, and its widest class.
struct Measure {
  Py_ssize_t characters;
  Py_UCS4 max_char;
  const unsigned char* stop;
};

Measure measure(const unsigned char* p, const unsigned char* end) {
  Py_ssize_t characters = 0;
  Py_UCS4 max_char = 0x7f;
  while (p < end) {
    if (*p < 0x80) {
      const Py_ssize_t run = ascii_prefix(p, end - p);
      characters += run;
      p += run;
      continue;
    }
    const int length = sequence_length(p, end);
    if (length == 0) break;
    const Py_UCS4 bound = length == 2 ? (*p < 0xc4 ? 0xff : 0x7ff) : length == 3 ? 0xffff : kMaxUnicode;
    if (bound > max_char) max_char = bound;
    characters++;
    p += length;
  }
  return {characters, max_char == 0x7ff ? 0xffff : max_char, p};
}

/// Decodes well-formed input.
template <class Char>
Char* fill(const unsigned char* p, const unsigned char* end, Char* out) {
  while (p < end) {
    const unsigned char c = *p;
    if (c < 0x80) {
      if (end - p >= 8 && p[1] < 0x80) {
        const Py_ssize_t run = ascii_prefix(p, end - p);
        convert(p, out, run);
        p += run;
        out += run;
        continue;
      }
      *out++ = static_cast<Char>(c);
      p++;
    } else if (c < 0xe0) {
      *out++ = static_cast<Char>((c & 0x1f) << 6 | (p[1] & 0x3f));
      p += 2;
    } else if (c < 0xf0) {
      *out++ = static_cast<Char>((c & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f));
      p += 3;
    } else {
      *out++ = static_cast<Char>((c & 0x07) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 | (p[3] & 0x3f));
      p += 4;
    }
  }
  return out;
}

bool write_well_formed(Writer& writer, const unsigned char* p, const Measure& found) {
  if (found.characters == 0) return true;
  if (_PyUnicodeWriter_Prepare(writer.get(), found.characters, found.max_char) < 0) return false;
  dispatch_mutable(writer->kind, writer->data, [&](auto* data) { fill(p, found.stop, data + writer->pos); });
  writer->pos += found.characters;
  return true;
}

/// Input with errors, or that ends in the middle of a character.
COLD PyObject* decode_piecewise(const char* input, Py_ssize_t size, const char* errors, Py_ssize_t* consumed) {
  DecodeErrors handler("utf-8", errors);
  Writer writer(size);
  Py_ssize_t position = 0;
  while (position < size) {
    const unsigned char* start = reinterpret_cast<const unsigned char*>(input) + position;
    const unsigned char* end = reinterpret_cast<const unsigned char*>(input) + size;
    const Measure found = measure(start, end);
    if (!write_well_formed(writer, start, found)) return nullptr;
    position += found.stop - start;
    if (found.stop == end) break;
    const Sequence damage = diagnose(found.stop, end);
    if (consumed != nullptr) {
      if (damage.incomplete) break;
      // QUIRK: two bytes of an encoded surrogate may become one that the handler lets through.
      if (found.stop[0] == 0xed && end - found.stop == 2 && found.stop[1] >= 0xa0 && found.stop[1] <= 0xbf) break;
    }
    if (handler.kind() == _Py_ERROR_SURROGATEESCAPE) {
      for (int i = 0; i < damage.bad_length; i++) {
        if (!writer.put(0xdc00u + found.stop[i])) return nullptr;
      }
      position += damage.bad_length;
    } else if (!handler.handle(damage.reason, input, size, position, position + damage.bad_length, position, writer)) {
      return nullptr;
    }
  }
  if (consumed != nullptr) *consumed = position;
  return writer.finish();
}

struct EncodedSize {
  Py_ssize_t bytes;
  bool surrogates;
};

template <class Char>
EncodedSize encoded_size(const Char* p, Py_ssize_t n) {
  Py_ssize_t bytes = n;
  bool surrogates = false;
  for (Py_ssize_t i = 0; i < n; i++) {
    const Py_UCS4 c = p[i];
    bytes += c >= 0x80;
    if constexpr (sizeof(Char) > 1) {
      bytes += c >= 0x800;
      surrogates |= (c & 0xfffff800) == 0xd800;
    }
    if constexpr (sizeof(Char) > 2) bytes += c >= 0x10000;
  }
  return {bytes, surrogates};
}

ALWAYS_INLINE char* put_character(char* out, Py_UCS4 c) {
  if (c < 0x80) {
    *out++ = static_cast<char>(c);
  } else if (c < 0x800) {
    *out++ = static_cast<char>(0xc0 | c >> 6);
    *out++ = static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    *out++ = static_cast<char>(0xe0 | c >> 12);
    *out++ = static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    *out++ = static_cast<char>(0x80 | (c & 0x3f));
  } else {
    *out++ = static_cast<char>(0xf0 | c >> 18);
    *out++ = static_cast<char>(0x80 | ((c >> 12) & 0x3f));
    *out++ = static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    *out++ = static_cast<char>(0x80 | (c & 0x3f));
  }
  return out;
}

void encode_into(const Text& text, char* out) {
  dispatch(text, [&](auto* p) {
    for (Py_ssize_t i = 0; i < text.length; i++) out = put_character(out, p[i]);
  });
}

EncodedSize measure_encoded(const Text& text) {
  if (text.length > PY_SSIZE_T_MAX / 4) return {PY_SSIZE_T_MAX, false};
  return dispatch(text, [&](auto* p) { return encoded_size(p, text.length); });
}

COLD PyObject* encode_with_surrogates(PyObject* string, const char* errors) {
  static constexpr const char* kReason = "surrogates not allowed";
  const Text text = view(string);
  EncodeErrors handler("utf-8", errors, string);
  ByteSink sink;
  if (!sink.start(text.length * 3)) return nullptr;
  for (Py_ssize_t i = 0; i < text.length;) {
    const Py_UCS4 c = text[i];
    if (!is_surrogate(c)) {
      if (!sink.reserve(4)) return nullptr;
      sink.cursor() = put_character(sink.cursor(), c);
      i++;
      continue;
    }
    Py_ssize_t stop = i + 1;
    while (stop < text.length && is_surrogate(text[stop])) stop++;
    switch (handler.kind()) {
      case _Py_ERROR_REPLACE:
        if (!sink.reserve(stop - i)) return nullptr;
        for (; i < stop; i++) sink.put('?');
        continue;
      case _Py_ERROR_IGNORE:
        i = stop;
        continue;
      case _Py_ERROR_SURROGATEPASS:
        if (!sink.reserve(3 * (stop - i))) return nullptr;
        for (; i < stop; i++) sink.cursor() = put_character(sink.cursor(), text[i]);
        continue;
      case _Py_ERROR_SURROGATEESCAPE:
        while (i < stop && text[i] >= 0xdc80 && text[i] <= 0xdcff) {
          if (!sink.add(text[i] & 0xff)) return nullptr;
          i++;
        }
        if (i == stop) continue;
        break;
      default:
        break;
    }
    const Py_ssize_t start = i;
    Ref<> value = Ref<>::steal(handler.replacement(kReason, start, stop, i));
    if (!value) return nullptr;
    if (PyBytes_Check(value.get())) {
      if (!sink.write(PyBytes_AS_STRING(value.get()), PyBytes_GET_SIZE(value.get()))) return nullptr;
      continue;
    }
    if (!PyUnicode_IS_ASCII(value.get())) {
      handler.raise_strict(kReason, start, stop);
      return nullptr;
    }
    if (!sink.write(PyUnicode_1BYTE_DATA(value.get()), PyUnicode_GET_LENGTH(value.get()))) return nullptr;
  }
  return sink.finish();
}

/// Fills the utf8 cache of a non-ASCII string.
COLD bool fill_utf8_cache(PyObject* string) {
  const Text text = view(string);
  const EncodedSize size = measure_encoded(text);
  if (size.surrogates) {
    PyObject* never = encode_with_surrogates(string, nullptr);  // raises
    Py_XDECREF(never);
    return false;
  }
  char* cache = static_cast<char*>(PyObject_Malloc(static_cast<size_t>(size.bytes) + 1));
  if (cache == nullptr) return PyErr_NoMemory(), false;
  encode_into(text, cache);
  cache[size.bytes] = 0;
  compact_head(string)->utf8 = cache;
  compact_head(string)->utf8_length = size.bytes;
  return true;
}

}  // namespace

/// Decodes bytes known to hold an escape-free UTF-8 text; used by the public entry points below.
static PyObject* decode_utf8(const char* s, Py_ssize_t size, const char* errors, Py_ssize_t* consumed) {
  const unsigned char* p = reinterpret_cast<const unsigned char*>(s);
  const unsigned char* end = p + size;
  const Py_ssize_t prefix = ascii_prefix(p, size);
  if (LIKELY(prefix == size)) {
    if (consumed != nullptr) *consumed = size;
    return from_ascii(s, size);
  }
  Measure found = measure(p + prefix, end);
  if (found.stop != end) return decode_piecewise(s, size, errors, consumed);
  if (consumed != nullptr) *consumed = size;
  const Py_ssize_t length = prefix + found.characters;
  if (length == 1 && found.max_char < 0x100) return new_latin1_char((p[0] & 0x1fu) << 6 | (p[1] & 0x3fu));
  PyObject* result = allocate(length, found.max_char);
  if (result == nullptr) return nullptr;
  dispatch_mutable(static_cast<int>(PyUnicode_KIND(result)), PyUnicode_DATA(result), [&](auto* out) {
    convert(p, out, prefix);
    fill(p + prefix, end, out + prefix);
  });
  return result;
}

}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_DecodeUTF8Stateful(const char* s, Py_ssize_t size, const char* errors, Py_ssize_t* consumed) {
  return decode_utf8(s, size, errors, consumed);
}

PyObject* PyUnicode_DecodeUTF8(const char* s, Py_ssize_t size, const char* errors) {
  return decode_utf8(s, size, errors, nullptr);
}

const char* PyUnicode_AsUTF8AndSize(PyObject* unicode, Py_ssize_t* psize) {
  if (UNLIKELY(!PyUnicode_Check(unicode))) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (!ready(unicode)) return nullptr;
  if (LIKELY(PyUnicode_IS_COMPACT_ASCII(unicode))) {
    if (psize != nullptr) *psize = PyUnicode_GET_LENGTH(unicode);
    return static_cast<const char*>(PyUnicode_DATA(unicode));
  }
  if (compact_head(unicode)->utf8 == nullptr && !fill_utf8_cache(unicode)) return nullptr;
  if (psize != nullptr) *psize = compact_head(unicode)->utf8_length;
  return compact_head(unicode)->utf8;
}

const char* PyUnicode_AsUTF8(PyObject* unicode) { return PyUnicode_AsUTF8AndSize(unicode, nullptr); }

PyObject* _PyUnicode_AsUTF8String(PyObject* unicode, const char* errors) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (!ready(unicode)) return nullptr;
  const Text text = view(unicode);
  if (text.ascii) return PyBytes_FromStringAndSize(static_cast<const char*>(text.data), text.length);
  if (PyUnicode_IS_COMPACT(unicode) && compact_head(unicode)->utf8 != nullptr) {
    return PyBytes_FromStringAndSize(compact_head(unicode)->utf8, compact_head(unicode)->utf8_length);
  }
  const EncodedSize size = measure_encoded(text);
  if (size.surrogates) return encode_with_surrogates(unicode, errors);
  PyObject* bytes = PyBytes_FromStringAndSize(nullptr, size.bytes);
  if (bytes != nullptr) encode_into(text, PyBytes_AS_STRING(bytes));
  return bytes;
}

PyObject* PyUnicode_AsUTF8String(PyObject* unicode) { return _PyUnicode_AsUTF8String(unicode, nullptr); }

/// Returns 0, -1 (out of memory), -2 (undecodable: *wlen is the position) or -3 (handler not supported).
int _Py_DecodeUTF8Ex(const char* s, Py_ssize_t size, wchar_t** wstr, size_t* wlen, const char** reason,
                     _Py_error_handler errors) {
  if (errors != _Py_ERROR_STRICT && errors != _Py_ERROR_SURROGATEESCAPE && errors != _Py_ERROR_SURROGATEPASS) return -3;
  if (size > PY_SSIZE_T_MAX / static_cast<Py_ssize_t>(sizeof(wchar_t)) - 1) return -1;
  wchar_t* wide = static_cast<wchar_t*>(PyMem_RawMalloc(static_cast<size_t>(size + 1) * sizeof(wchar_t)));
  if (wide == nullptr) return -1;
  Py_UCS4* out = reinterpret_cast<Py_UCS4*>(wide);
  const unsigned char* begin = reinterpret_cast<const unsigned char*>(s);
  const unsigned char* p = begin;
  const unsigned char* end = p + size;
  while (p < end) {
    const Measure found = measure(p, end);
    out = fill(p, found.stop, out);
    p = found.stop;
    if (p == end) break;
    if (errors == _Py_ERROR_SURROGATEESCAPE) {
      *out++ = 0xdc00u + *p++;
      continue;
    }
    if (errors == _Py_ERROR_SURROGATEPASS && end - p >= 3 && p[0] == 0xed && (p[1] & 0xe0) == 0xa0 && is_continuation(p[2])) {
      *out++ = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
      p += 3;
      continue;
    }
    PyMem_RawFree(wide);
    if (reason != nullptr) *reason = diagnose(p, end).reason;
    if (wlen != nullptr) *wlen = static_cast<size_t>(p - begin);
    return -2;
  }
  *out = 0;
  if (wlen != nullptr) *wlen = static_cast<size_t>(out - reinterpret_cast<Py_UCS4*>(wide));
  *wstr = wide;
  return 0;
}

wchar_t* _Py_DecodeUTF8_surrogateescape(const char* arg, Py_ssize_t arglen, size_t* wlen) {
  wchar_t* wide = nullptr;
  const int status = _Py_DecodeUTF8Ex(arg, arglen, &wide, wlen, nullptr, _Py_ERROR_SURROGATEESCAPE);
  if (status != 0) {
    if (wlen != nullptr) *wlen = status == -1 ? static_cast<size_t>(-1) : static_cast<size_t>(-2);
    return nullptr;
  }
  return wide;
}

/// Returns 0, -1 (out of memory), -2 (unencodable, position in *error_pos) or -3 (handler not supported).
int _Py_EncodeUTF8Ex(const wchar_t* text, char** str, size_t* error_pos, const char** reason, int raw_malloc,
                     _Py_error_handler errors) {
  if (errors != _Py_ERROR_STRICT && errors != _Py_ERROR_SURROGATEESCAPE && errors != _Py_ERROR_SURROGATEPASS) return -3;
  const size_t length = wcslen(text);
  if (length > PY_SSIZE_T_MAX / 4 - 1) return -1;
  char* bytes = static_cast<char*>(raw_malloc ? PyMem_RawMalloc(length * 4 + 1) : PyMem_Malloc(length * 4 + 1));
  if (bytes == nullptr) return -1;
  char* out = bytes;
  for (size_t i = 0; i < length; i++) {
    const Py_UCS4 c = static_cast<Py_UCS4>(text[i]);
    if (is_surrogate(c)) {
      if (errors == _Py_ERROR_SURROGATEESCAPE && c >= 0xdc80 && c <= 0xdcff) {
        *out++ = static_cast<char>(c & 0xff);
        continue;
      }
      if (errors != _Py_ERROR_SURROGATEPASS) {
        if (raw_malloc) PyMem_RawFree(bytes);
        else PyMem_Free(bytes);
        if (error_pos != nullptr) *error_pos = i;
        if (reason != nullptr) *reason = "encoding error";
        return -2;
      }
    }
    out = put_character(out, c);
  }
  *out++ = 0;
  const size_t size = static_cast<size_t>(out - bytes);
  char* fitted = static_cast<char*>(raw_malloc ? PyMem_RawRealloc(bytes, size) : PyMem_Realloc(bytes, size));
  *str = fitted != nullptr ? fitted : bytes;
  return 0;
}
