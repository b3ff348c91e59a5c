// ASCII and Latin-1, both directions.
#include "Objects/text/codec_errors.h"

namespace pyston::text {
namespace {

int hex_width(Py_UCS4 c) { return c < 0x100 ? 2 : c < 0x10000 ? 4 : 8; }

/// \xNN, \uNNNN or \UNNNNNNNN.
bool write_backslash(ByteSink& sink, Py_UCS4 c) {
  const int width = hex_width(c);
  if (!sink.reserve(width + 2)) return false;
  sink.put('\\');
  sink.put(width == 2 ? 'x' : width == 4 ? 'u' : 'U');
  for (int shift = (width - 1) * 4; shift >= 0; shift -= 4) sink.put(static_cast<unsigned char>(Py_hexdigits[(c >> shift) & 15]));
  return true;
}

/// &#N;
bool write_xml_reference(ByteSink& sink, Py_UCS4 c) {
  char digits[10];
  int n = 0;
  do {
    digits[n++] = static_cast<char>('0' + c % 10);
    c /= 10;
  } while (c != 0);
  if (!sink.reserve(n + 3)) return false;
  sink.put('&');
  sink.put('#');
  while (n > 0) sink.put(static_cast<unsigned char>(digits[--n]));
  sink.put(';');
  return true;
}

COLD PyObject* encode_below(PyObject* string, const char* errors, Py_UCS4 limit) {
  const char* encoding = limit == 256 ? "latin-1" : "ascii";
  const char* reason = limit == 256 ? "ordinal not in range(256)" : "ordinal not in range(128)";
  const Text text = view(string);
  EncodeErrors handler(encoding, errors, string);
  ByteSink sink;
  if (!sink.start(text.length)) return nullptr;
  for (Py_ssize_t i = 0; i < text.length;) {
    Py_UCS4 c = text[i];
    if (c < limit) {
      if (!sink.add(c)) return nullptr;
      i++;
      continue;
    }
    Py_ssize_t stop = i + 1;
    while (stop < text.length && text[stop] >= limit) stop++;
    switch (handler.kind()) {
      case _Py_ERROR_REPLACE:
        for (; i < stop; i++) {
          if (!sink.add('?')) return nullptr;
        }
        continue;
      case _Py_ERROR_IGNORE:
        i = stop;
        continue;
      case _Py_ERROR_BACKSLASHREPLACE:
        for (; i < stop; i++) {
          if (!write_backslash(sink, text[i])) return nullptr;
        }
        continue;
      case _Py_ERROR_XMLCHARREFREPLACE:
        for (; i < stop; i++) {
          if (!write_xml_reference(sink, text[i])) return nullptr;
        }
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
    Ref<> value = Ref<>::steal(handler.replacement(reason, start, stop, i));
    if (!value) return nullptr;
    if (PyBytes_Check(value.get())) {
      if (!sink.write(PyBytes_AS_STRING(value.get()), PyBytes_GET_SIZE(value.get()))) return nullptr;
      continue;
    }
    const Text put = view(value.get());
    for (Py_ssize_t k = 0; k < put.length; k++) {
      c = put[k];
      if (c >= limit) {
        handler.raise_strict(reason, start, stop);
        return nullptr;
      }
      if (!sink.add(c)) return nullptr;
    }
  }
  return sink.finish();
}

}  // namespace
}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_DecodeLatin1(const char* s, Py_ssize_t size, const char*) {
  return from_ucs1(reinterpret_cast<const Py_UCS1*>(s), size);
}

PyObject* _PyUnicode_AsLatin1String(PyObject* unicode, const char* errors) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (!ready(unicode)) return nullptr;
  const Text text = view(unicode);
  if (text.kind == 1) return PyBytes_FromStringAndSize(static_cast<const char*>(text.data), text.length);
  return encode_below(unicode, errors, 256);
}

PyObject* PyUnicode_AsLatin1String(PyObject* unicode) { return _PyUnicode_AsLatin1String(unicode, nullptr); }

PyObject* PyUnicode_DecodeASCII(const char* s, Py_ssize_t size, const char* errors) {
  const Py_ssize_t prefix = ascii_prefix(s, size);
  if (LIKELY(prefix == size)) return from_ascii(s, size);
  DecodeErrors handler("ascii", errors);
  Writer writer(size);
  const char* input = s;
  Py_ssize_t position = 0;
  while (position < size) {
    const Py_ssize_t run = ascii_prefix(input + position, size - position);
    if (!writer.ascii(input + position, run)) return nullptr;
    position += run;
    if (position == size) break;
    if (handler.kind() == _Py_ERROR_SURROGATEESCAPE) {
      if (!writer.put(0xdc00u + static_cast<unsigned char>(input[position]))) return nullptr;
      position++;
    } else if (!handler.handle("ordinal not in range(128)", input, size, position, position + 1, position, writer)) {
      return nullptr;
    }
  }
  return writer.finish();
}

PyObject* _PyUnicode_AsASCIIString(PyObject* unicode, const char* errors) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (!ready(unicode)) return nullptr;
  const Text text = view(unicode);
  if (text.ascii) return PyBytes_FromStringAndSize(static_cast<const char*>(text.data), text.length);
  return encode_below(unicode, errors, 128);
}

PyObject* PyUnicode_AsASCIIString(PyObject* unicode) { return _PyUnicode_AsASCIIString(unicode, nullptr); }
