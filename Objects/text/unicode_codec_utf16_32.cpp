// UTF-16 and UTF-32, both directions and byte orders.
//
// Byte order parameters follow the API: -1 little endian, 0 native with byte order mark, 1 big endian.
#include "Objects/text/codec_errors.h"

namespace pyston::text {
namespace {

Py_UCS4 unit16(const unsigned char* p, bool big) { return big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]; }
Py_UCS4 unit32(const unsigned char* p, bool big) {
  const Py_UCS4 b0 = p[0], b1 = p[1], b2 = p[2], b3 = p[3];
  return big ? b0 << 24 | b1 << 16 | b2 << 8 | b3 : b3 << 24 | b2 << 16 | b1 << 8 | b0;
}

void put16(ByteSink& sink, Py_UCS4 c, bool big) {
  sink.put(big ? c >> 8 & 0xff : c & 0xff);
  sink.put(big ? c & 0xff : c >> 8 & 0xff);
}
void put32(ByteSink& sink, Py_UCS4 c, bool big) {
  for (int k = 0; k < 4; k++) sink.put(c >> 8 * (big ? 3 - k : k) & 0xff);
}

/// Writes what is neither a surrogate nor too wide.
bool encode_unit(ByteSink& sink, Py_UCS4 c, bool big, bool wide) {
  if (!sink.reserve(4)) return false;
  if (wide) {
    put32(sink, c, big);
  } else if (c < 0x10000) {
    put16(sink, c, big);
  } else {
    put16(sink, Py_UNICODE_HIGH_SURROGATE(c), big);
    put16(sink, Py_UNICODE_LOW_SURROGATE(c), big);
  }
  return true;
}

PyObject* encode(PyObject* string, const char* errors, int byteorder, bool wide) {
  static constexpr const char* kReason = "surrogates not allowed";
  if (!PyUnicode_Check(string)) {
    PyErr_BadArgument();
    return nullptr;
  }
  if (!ready(string)) return nullptr;
  const Text text = view(string);
  const bool big = byteorder > 0;
  const int unit = wide ? 4 : 2;
  if (text.length > (PY_SSIZE_T_MAX - 8) / 4) return PyErr_NoMemory();
  ByteSink sink;
  if (!sink.start((text.length + (byteorder == 0)) * unit)) return nullptr;
  if (byteorder == 0 && !encode_unit(sink, 0xfeff, big, wide)) return nullptr;
  const char* encoding = wide ? (byteorder < 0 ? "utf-32-le" : byteorder > 0 ? "utf-32-be" : "utf-32")
                              : (byteorder < 0 ? "utf-16-le" : byteorder > 0 ? "utf-16-be" : "utf-16");
  EncodeErrors handler(encoding, errors, string);
  for (Py_ssize_t i = 0; i < text.length;) {
    const Py_UCS4 c = text[i];
    if (LIKELY(!is_surrogate(c))) {
      if (!encode_unit(sink, c, big, wide)) return nullptr;
      i++;
      continue;
    }
    const Py_ssize_t start = i;
    Ref<> value = Ref<>::steal(handler.replacement(kReason, start, start + 1, i));
    if (!value) return nullptr;
    if (PyBytes_Check(value.get())) {
      // QUIRK: bytes have to be whole units.
      if (PyBytes_GET_SIZE(value.get()) % unit != 0) {
        handler.raise_strict(kReason, start, start + 1);
        return nullptr;
      }
      if (!sink.write(PyBytes_AS_STRING(value.get()), PyBytes_GET_SIZE(value.get()))) return nullptr;
      continue;
    }
    if (!PyUnicode_IS_ASCII(value.get())) {
      handler.raise_strict(kReason, start, start + 1);
      return nullptr;
    }
    const Text put = view(value.get());
    for (Py_ssize_t k = 0; k < put.length; k++) {
      if (!encode_unit(sink, put[k], big, wide)) return nullptr;
    }
  }
  return sink.finish();
}

}  // namespace
}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_DecodeUTF16Stateful(const char* s, Py_ssize_t size, const char* errors, int* byteorder,
                                        Py_ssize_t* consumed) {
  int order = byteorder != nullptr ? *byteorder : 0;
  const char* input = s;
  Py_ssize_t position = 0;
  if (order == 0 && size >= 2) {
    const Py_UCS4 mark = unit16(reinterpret_cast<const unsigned char*>(s), false);
    if (mark == 0xfeff || mark == 0xfffe) {
      order = mark == 0xfeff ? -1 : 1;
      position = 2;
    }
  }
  const bool big = order > 0;
  DecodeErrors handler(big ? "utf-16-be" : "utf-16-le", errors);
  Writer writer(size / 2);
  while (position < size) {
    const unsigned char* p = reinterpret_cast<const unsigned char*>(input) + position;
    const Py_ssize_t left = size - position;
    const char* reason;
    Py_ssize_t stop;
    if (left < 2) {
      if (consumed != nullptr) break;
      reason = "truncated data";
      stop = size;
    } else {
      const Py_UCS4 c = unit16(p, big);
      if (LIKELY(!is_surrogate(c))) {
        if (!writer.put(c)) return nullptr;
        position += 2;
        continue;
      }
      if (c >= 0xdc00) {
        reason = "illegal encoding";
        stop = position + 2;
      } else if (left < 4) {
        if (consumed != nullptr) break;
        reason = "unexpected end of data";
        stop = size;
      } else {
        const Py_UCS4 low = unit16(p + 2, big);
        if (Py_UNICODE_IS_LOW_SURROGATE(low)) {
          if (!writer.put(Py_UNICODE_JOIN_SURROGATES(c, low))) return nullptr;
          position += 4;
          continue;
        }
        reason = "illegal UTF-16 surrogate";
        stop = position + 2;
      }
    }
    if (!handler.handle(reason, input, size, position, stop, position, writer)) return nullptr;
  }
  if (byteorder != nullptr) *byteorder = order;
  if (consumed != nullptr) *consumed = position;
  return writer.finish();
}

PyObject* PyUnicode_DecodeUTF16(const char* s, Py_ssize_t size, const char* errors, int* byteorder) {
  return PyUnicode_DecodeUTF16Stateful(s, size, errors, byteorder, nullptr);
}

PyObject* PyUnicode_DecodeUTF32Stateful(const char* s, Py_ssize_t size, const char* errors, int* byteorder,
                                        Py_ssize_t* consumed) {
  int order = byteorder != nullptr ? *byteorder : 0;
  const char* input = s;
  Py_ssize_t position = 0;
  if (order == 0 && size >= 4) {
    const Py_UCS4 mark = unit32(reinterpret_cast<const unsigned char*>(s), false);
    if (mark == 0xfeff || mark == 0xfffe0000) {
      order = mark == 0xfeff ? -1 : 1;
      position = 4;
    }
  }
  const bool big = order > 0;
  DecodeErrors handler(big ? "utf-32-be" : "utf-32-le", errors);
  Writer writer(size / 4);
  while (position < size) {
    const Py_ssize_t left = size - position;
    const char* reason;
    Py_ssize_t stop = position + 4;
    if (left < 4) {
      if (consumed != nullptr) break;
      reason = "truncated data";
      stop = size;
    } else {
      const Py_UCS4 c = unit32(reinterpret_cast<const unsigned char*>(input) + position, big);
      if (is_surrogate(c)) {
        reason = "code point in surrogate code point range(0xd800, 0xe000)";
      } else if (c > kMaxUnicode) {
        reason = "code point not in range(0x110000)";
      } else {
        if (!writer.put(c)) return nullptr;
        position += 4;
        continue;
      }
    }
    if (!handler.handle(reason, input, size, position, stop, position, writer)) return nullptr;
  }
  if (byteorder != nullptr) *byteorder = order;
  if (consumed != nullptr) *consumed = position;
  return writer.finish();
}

PyObject* PyUnicode_DecodeUTF32(const char* s, Py_ssize_t size, const char* errors, int* byteorder) {
  return PyUnicode_DecodeUTF32Stateful(s, size, errors, byteorder, nullptr);
}

PyObject* _PyUnicode_EncodeUTF16(PyObject* unicode, const char* errors, int byteorder) {
  return encode(unicode, errors, byteorder, false);
}
PyObject* PyUnicode_AsUTF16String(PyObject* unicode) { return encode(unicode, nullptr, 0, false); }
PyObject* _PyUnicode_EncodeUTF32(PyObject* unicode, const char* errors, int byteorder) {
  return encode(unicode, errors, byteorder, true);
}
PyObject* PyUnicode_AsUTF32String(PyObject* unicode) { return encode(unicode, nullptr, 0, true); }
