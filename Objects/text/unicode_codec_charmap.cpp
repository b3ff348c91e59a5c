// Character map codecs: bytes through a mapping (dict, 256-character string, EncodingMap).
#include "Objects/text/codec_errors.h"

namespace pyston::text {
namespace {

constexpr const char* kUndefined = "character maps to <undefined>";

/// Inverse of a decoding string as a three-level trie over the low 16 bits of a character: 5, 4 and 7 bits.
/// level1 holds 32 block numbers; 0xff marks "nothing there". A result of 0 is a miss except for character 0.
struct EncodingMap {
  PyObject_HEAD
  unsigned char level1[32];
  int count2;
  int count3;
  unsigned char level23[1];

  int look_up(Py_UCS4 c) const {
    if (c > 0xffff) return -1;
    if (c == 0) return 0;
    const int block = level1[c >> 11];
    if (block == 0xff) return -1;
    const int leaf = level23[16 * block + (c >> 7 & 15)];
    if (leaf == 0xff) return -1;
    const int byte = level23[16 * count2 + 128 * leaf + (c & 127)];
    return byte == 0 ? -1 : byte;
  }
};

PyObject* map_size(PyObject* object, PyObject*) {
  const EncodingMap* self = reinterpret_cast<EncodingMap*>(object);
  return PyLong_FromLong(static_cast<long>(sizeof(EncodingMap)) - 1 + 16 * self->count2 + 128 * self->count3);
}
PyMethodDef map_methods[] = {{"size", map_size, METH_NOARGS, "Size of the map in memory, in bytes."}, {}};

PyTypeObject encoding_map_type = {
    .ob_base = type_head(),
    .tp_name = "EncodingMap",
    .tp_basicsize = sizeof(EncodingMap),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = map_methods,
};

/// mapping[key] with look-up errors taken for "not there": new reference, or null without exception.
PyObject* mapping_item(PyObject* mapping, Py_UCS4 key) {
  Ref<> number = Ref<>::steal(PyLong_FromLong(static_cast<long>(key)));
  if (!number) return nullptr;
  if (PyDict_CheckExact(mapping)) {
    PyObject* value = PyDict_GetItemWithError(mapping, number.get());
    return Py_XNewRef(value);
  }
  PyObject* value = PyObject_GetItem(mapping, number.get());
  if (value == nullptr && PyErr_ExceptionMatches(PyExc_LookupError)) PyErr_Clear();
  return value;
}

/// Whether a character may be mapped to this: a byte as a number, or bytes. False: TypeError.
bool check_mapped(PyObject* value) {
  if (PyBytes_Check(value)) return true;
  if (!PyLong_Check(value)) {
    PyErr_Format(PyExc_TypeError, "character mapping must return integer, bytes or None, not %.400s",
                 Py_TYPE(value)->tp_name);
    return false;
  }
  const long byte = PyLong_AsLong(value);
  if (byte >= 0 && byte <= 255) return true;
  PyErr_Clear();
  PyErr_SetString(PyExc_TypeError, "character mapping must be in range(256)");
  return false;
}

enum class Encoded { kDone, kMissing, kError };

Encoded encode_character(ByteSink& sink, Py_UCS4 c, PyObject* mapping) {
  if (Py_IS_TYPE(mapping, &encoding_map_type)) {
    const int byte = reinterpret_cast<EncodingMap*>(mapping)->look_up(c);
    if (byte < 0) return Encoded::kMissing;
    return sink.add(static_cast<unsigned>(byte)) ? Encoded::kDone : Encoded::kError;
  }
  Ref<> value = Ref<>::steal(mapping_item(mapping, c));
  if (!value) return PyErr_Occurred() ? Encoded::kError : Encoded::kMissing;
  if (value.get() == Py_None) return Encoded::kMissing;
  if (!check_mapped(value.get())) return Encoded::kError;
  const bool written = PyLong_Check(value.get())
                           ? sink.add(static_cast<unsigned>(PyLong_AsLong(value.get())))
                           : sink.write(PyBytes_AS_STRING(value.get()), PyBytes_GET_SIZE(value.get()));
  return written ? Encoded::kDone : Encoded::kError;
}

/// Whether a character has no mapping; for finding the end of an unencodable run. -1: exception.
int is_missing(Py_UCS4 c, PyObject* mapping) {
  if (Py_IS_TYPE(mapping, &encoding_map_type)) return reinterpret_cast<EncodingMap*>(mapping)->look_up(c) < 0;
  Ref<> value = Ref<>::steal(mapping_item(mapping, c));
  if (!value) return PyErr_Occurred() ? -1 : 1;
  if (value.get() == Py_None) return 1;
  return check_mapped(value.get()) ? 0 : -1;
}

/// Encodes what an error handler put; false with the codec's error when that isn't in the map either.
bool encode_replacement(ByteSink& sink, const Text& put, PyObject* mapping, EncodeErrors& handler, Py_ssize_t start,
                        Py_ssize_t stop) {
  for (Py_ssize_t k = 0; k < put.length; k++) {
    switch (encode_character(sink, put[k], mapping)) {
      case Encoded::kDone:
        break;
      case Encoded::kError:
        return false;
      case Encoded::kMissing:
        handler.raise_strict(kUndefined, start, stop);
        return false;
    }
  }
  return true;
}

/// FAST: a map given as a string.
bool decode_with_string(DecodeErrors& handler, const char* input, Py_ssize_t size, PyObject* mapping, Writer& writer) {
  const Text map = view(mapping);
  Py_ssize_t position = 0;
  while (position < size) {
    const unsigned char byte = static_cast<unsigned char>(input[position]);
    const Py_UCS4 c = byte < map.length ? map[byte] : 0xfffe;
    if (LIKELY(c != 0xfffe)) {
      if (!writer.put(c)) return false;
      position++;
    } else if (!handler.handle(kUndefined, input, size, position, position + 1, position, writer)) {
      return false;
    }
  }
  return true;
}

bool decode_with_mapping(DecodeErrors& handler, const char* input, Py_ssize_t size, PyObject* mapping, Writer& writer) {
  Py_ssize_t position = 0;
  while (position < size) {
    Ref<> value = Ref<>::steal(mapping_item(mapping, static_cast<unsigned char>(input[position])));
    if (!value && PyErr_Occurred()) return false;
    bool undefined = !value || value.get() == Py_None;
    if (undefined) {
    } else if (PyLong_Check(value.get())) {
      const long code = PyLong_AsLong(value.get());
      if (code == 0xfffe) {
        undefined = true;
      } else if (code < 0 || code > static_cast<long>(kMaxUnicode)) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "character mapping must be in range(0x%x)", kMaxUnicode + 1);
        return false;
      } else if (!writer.put(static_cast<Py_UCS4>(code))) {
        return false;
      }
    } else if (PyUnicode_Check(value.get())) {
      if (!ready(value.get())) return false;
      if (PyUnicode_GET_LENGTH(value.get()) == 1 && PyUnicode_READ_CHAR(value.get(), 0) == 0xfffe) undefined = true;
      else if (!writer.string(value.get())) return false;
    } else {
      PyErr_SetString(PyExc_TypeError, "character mapping must return integer, None or str");
      return false;
    }
    if (!undefined) position++;
    else if (!handler.handle(kUndefined, input, size, position, position + 1, position, writer)) return false;
  }
  return true;
}

/// {character: byte} for maps that don't fit the trie.
PyObject* dict_map(const Text& map) {
  Ref<> dict = Ref<>::steal(PyDict_New());
  if (!dict) return nullptr;
  const Py_ssize_t n = map.length < 256 ? map.length : 256;
  for (Py_ssize_t i = 0; i < n; i++) {
    Ref<> key = Ref<>::steal(PyLong_FromLong(static_cast<long>(map[i])));
    Ref<> value = Ref<>::steal(PyLong_FromSsize_t(i));
    if (!key || !value || PyDict_SetItem(dict.get(), key.get(), value.get()) < 0) return nullptr;
  }
  return dict.release();
}

}  // namespace
}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_BuildEncodingMap(PyObject* string) {
  if (!PyUnicode_Check(string) || !ready(string) || PyUnicode_GET_LENGTH(string) == 0) {
    PyErr_BadArgument();
    return nullptr;
  }
  const Text map = view(string);
  const Py_ssize_t n = map.length < 256 ? map.length : 256;
  unsigned char level1[32];
  unsigned char level2[512];
  memset(level1, 0xff, sizeof(level1));
  memset(level2, 0xff, sizeof(level2));
  // The trie can't tell "byte 0" from a miss, so byte 0 has to be character 0 and nothing else may be.
  if (map[0] != 0) return dict_map(map);
  int count2 = 0;
  int count3 = 0;
  for (Py_ssize_t i = 1; i < n; i++) {
    const Py_UCS4 c = map[i];
    if (c == 0 || c > 0xffff) return dict_map(map);
    if (c == 0xfffe) continue;
    if (level1[c >> 11] == 0xff) level1[c >> 11] = static_cast<unsigned char>(count2++);
    if (level2[c >> 7] == 0xff) level2[c >> 7] = static_cast<unsigned char>(count3++);
  }
  if (count2 >= 0xff || count3 >= 0xff) return dict_map(map);
  if (PyType_Ready(&encoding_map_type) < 0) return nullptr;
  const size_t size = static_cast<size_t>(16 * count2 + 128 * count3);
  EncodingMap* self = static_cast<EncodingMap*>(PyObject_Malloc(sizeof(EncodingMap) + size));
  if (self == nullptr) return PyErr_NoMemory();
  PyObject_Init(as_object(self), &encoding_map_type);
  self->count2 = count2;
  self->count3 = count3;
  memcpy(self->level1, level1, sizeof(level1));
  memset(self->level23, 0xff, static_cast<size_t>(16 * count2));
  memset(self->level23 + 16 * count2, 0, static_cast<size_t>(128 * count3));
  int leaf = 0;
  for (Py_ssize_t i = 1; i < n; i++) {
    const Py_UCS4 c = map[i];
    if (c == 0xfffe) continue;
    unsigned char& slot = self->level23[16 * level1[c >> 11] + (c >> 7 & 15)];
    if (slot == 0xff) slot = static_cast<unsigned char>(leaf++);
    self->level23[16 * count2 + 128 * slot + (c & 127)] = static_cast<unsigned char>(i);
  }
  return as_object(self);
}

PyObject* PyUnicode_DecodeCharmap(const char* s, Py_ssize_t size, PyObject* mapping, const char* errors) {
  if (mapping == nullptr) return PyUnicode_DecodeLatin1(s, size, errors);
  DecodeErrors handler("charmap", errors);
  Writer writer(size);
  if (PyUnicode_CheckExact(mapping)) {
    if (!ready(mapping) || !decode_with_string(handler, s, size, mapping, writer)) return nullptr;
  } else if (!decode_with_mapping(handler, s, size, mapping, writer)) {
    return nullptr;
  }
  return writer.finish();
}

PyObject* _PyUnicode_EncodeCharmap(PyObject* unicode, PyObject* mapping, const char* errors) {
  if (!ready(unicode)) return nullptr;
  if (mapping == nullptr) return _PyUnicode_AsLatin1String(unicode, errors);
  const Text text = view(unicode);
  EncodeErrors handler("charmap", errors, unicode);
  ByteSink sink;
  if (!sink.start(text.length)) return nullptr;
  for (Py_ssize_t i = 0; i < text.length;) {
    const Encoded outcome = encode_character(sink, text[i], mapping);
    if (outcome == Encoded::kError) return nullptr;
    if (outcome == Encoded::kDone) {
      i++;
      continue;
    }
    const Py_ssize_t start = i;
    Py_ssize_t stop = i + 1;
    while (stop < text.length) {
      const int missing = is_missing(text[stop], mapping);
      if (missing < 0) return nullptr;
      if (!missing) break;
      stop++;
    }
    switch (handler.kind()) {
      case _Py_ERROR_IGNORE:
        i = stop;
        continue;
      case _Py_ERROR_REPLACE: {
        static constexpr Py_UCS1 kQuestion = '?';
        for (; i < stop; i++) {
          if (!encode_replacement(sink, Text{&kQuestion, 1, 1, true}, mapping, handler, start, stop)) return nullptr;
        }
        continue;
      }
      default:
        break;
    }
    Ref<> value = Ref<>::steal(handler.replacement(kUndefined, start, stop, i));
    if (!value) return nullptr;
    if (PyBytes_Check(value.get())) {
      if (!sink.write(PyBytes_AS_STRING(value.get()), PyBytes_GET_SIZE(value.get()))) return nullptr;
      continue;
    }
    if (!encode_replacement(sink, view(value.get()), mapping, handler, start, stop)) return nullptr;
  }
  return sink.finish();
}

PyObject* PyUnicode_AsCharmapString(PyObject* unicode, PyObject* mapping) {
  if (!PyUnicode_Check(unicode) || mapping == nullptr) {
    PyErr_BadArgument();
    return nullptr;
  }
  return _PyUnicode_EncodeCharmap(unicode, mapping, nullptr);
}
