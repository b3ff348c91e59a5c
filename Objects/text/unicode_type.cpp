// The str type: construction, slots, subscripts, representation, and its start-up.
//
// Instances of subclasses have the old layout (PyUnicodeObject with separately allocated characters), since code
// outside puts its own fields behind that struct; exact strings are compact.
#include "Objects/text/unicode_methods.h"

#include "internal/pycore_interp.h"
#include "internal/pycore_long.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_structseq.h"

namespace pyston::text {
namespace {

/// Copies an exact string into a new instance of a subclass.
PyObject* copy_into_subclass(PyTypeObject* type, PyObject* source) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  const Text text = view(source);
  PyUnicodeObject* fields = legacy_head(self);
  PyASCIIObject* head = ascii_head(self);
  head->length = text.length;
  head->hash = ascii_head(source)->hash;
  head->state = {.interned = 0, .kind = static_cast<unsigned>(text.kind), .compact = 0, .ascii = text.ascii, .ready = 1};
  head->wstr = nullptr;
  fields->_base.utf8 = nullptr;
  fields->_base.utf8_length = 0;
  fields->_base.wstr_length = 0;
  fields->data.any = nullptr;
  if (text.length > PY_SSIZE_T_MAX / text.kind - 1) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  const size_t bytes = static_cast<size_t>((text.length + 1) * text.kind);
  void* data = PyObject_Malloc(bytes);
  if (data == nullptr) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  memcpy(data, text.data, bytes);
  fields->data.any = data;
  if (text.ascii) {
    fields->_base.utf8 = static_cast<char*>(data);
    fields->_base.utf8_length = text.length;
  }
  if (text.kind == 4) {
    head->wstr = static_cast<wchar_t*>(data);
    fields->_base.wstr_length = text.length;
  }
  return self;
}

bool codec_name(PyObject* object, const char* parameter, const char*& text) {
  if (object == nullptr) return true;
  if (!PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "str() argument '%s' must be str, not %.50s", parameter,
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

/// str(object), str(bytes, encoding, errors) as an exact str unless __str__ says otherwise.
PyObject* convert_argument(PyObject* object, PyObject* encoding, PyObject* errors) {
  const char* encoding_text = nullptr;
  const char* errors_text = nullptr;
  if (!codec_name(encoding, "encoding", encoding_text) || !codec_name(errors, "errors", errors_text)) return nullptr;
  if (object == nullptr) return Py_NewRef(empty_string());
  if (encoding == nullptr && errors == nullptr) return PyObject_Str(object);
  return PyUnicode_FromEncodedObject(object, encoding_text, errors_text);
}

Ref<> str_new(PyTypeObject* type, PyObject* object, PyObject* encoding, PyObject* errors) {
  PyObject* value = convert_argument(object, encoding, errors);
  if (value == nullptr || type == &PyUnicode_Type) return Ref<>::steal(value);
  Ref<> owner = Ref<>::steal(value);
  if (!ready(value)) return nullptr;
  return Ref<>::steal(copy_into_subclass(type, value));
}

/// FAST: str(x) without tuple and keyword handling.
PyObject* str_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  if (LIKELY(count == 1 && kwnames == nullptr)) return PyObject_Str(args[0]);
  if (count == 0 && kwnames == nullptr) return Py_NewRef(empty_string());
  static constexpr Signature kSignature = parse_signature("str(object='', encoding='utf-8', errors='strict')");
  PyObject* bound[3];
  if (!bind_arguments(kSignature, args, count, kwnames, bound)) return nullptr;
  return convert_argument(bound[0], bound[1], bound[2]);
}

Py_ssize_t str_length(PyObject* self) { return ready(self) ? PyUnicode_GET_LENGTH(self) : -1; }

/// The character at a valid index.
PyObject* character_at(PyObject* self, Py_ssize_t index) {
  const Py_UCS4 c = PyUnicode_READ_CHAR(self, index);
  if (c < 0x100) return new_latin1_char(c);
  PyObject* result = allocate(1, c);
  if (result != nullptr) PyUnicode_WRITE(PyUnicode_KIND(result), PyUnicode_DATA(result), 0, c);
  return result;
}

PyObject* str_item(PyObject* self, Py_ssize_t index) {
  if (!ready(self)) return nullptr;
  if (UNLIKELY(index < 0 || index >= PyUnicode_GET_LENGTH(self))) return raise(PyExc_IndexError, "string index out of range");
  return character_at(self, index);
}

PyObject* str_subscript(PyObject* self, PyObject* item) {
  if (!ready(self)) return nullptr;
  if (PyIndex_Check(item)) {
    Py_ssize_t index = PyNumber_AsSsize_t(item, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) return nullptr;
    if (index < 0) index += PyUnicode_GET_LENGTH(self);
    return str_item(self, index);
  }
  if (!PySlice_Check(item)) {
    return raise(PyExc_TypeError, "string indices must be integers, not '%.200s'", Py_TYPE(item)->tp_name);
  }
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(item, &start, &stop, &step) < 0) return nullptr;
  const Text text = view(self);
  const Py_ssize_t length = PySlice_AdjustIndices(text.length, &start, &stop, step);
  if (length <= 0) return Py_NewRef(empty_string());
  if (start == 0 && step == 1 && length == text.length) return exact(self);
  if (step == 1) return slice(self, start, start + length);
  if (length == 1) return character_at(self, start);
  // Strided: gather at the source's width, then narrow.
  PyObject* result = allocate(length, class_max(text));
  if (result == nullptr) return nullptr;
  dispatch(text, [&](auto* from) {
    using Char = std::remove_const_t<std::remove_reference_t<decltype(*from)>>;
    Char* to = static_cast<Char*>(PyUnicode_DATA(result));
    size_t at = static_cast<size_t>(start);
    for (Py_ssize_t i = 0; i < length; i++, at += static_cast<size_t>(step)) to[i] = from[at];
  });
  if (text.ascii) return result;
  PyObject* narrow = PyUnicode_FromKindAndData(text.kind, PyUnicode_DATA(result), length);
  Py_DECREF(result);
  return narrow;
}

int str_contains(PyObject* self, PyObject* part) { return PyUnicode_Contains(self, part); }
PyObject* str_concat(PyObject* self, PyObject* other) { return PyUnicode_Concat(self, other); }
PyObject* str_str(PyObject* self) { return exact(self); }

PyObject* str_remainder(PyObject* left, PyObject* right) {
  if (!PyUnicode_Check(left)) Py_RETURN_NOTIMPLEMENTED;
  return PyUnicode_Format(left, right);
}

/// How repr shows one character: its length in the result, `quote` being escaped.
template <class Char>
Py_ssize_t repr_width(Char c, Py_UCS4 quote) {
  if (c == quote || c == '\\' || c == '\t' || c == '\n' || c == '\r') return 2;
  if (c < ' ' || c == 0x7f) return 4;
  if (c < 0x7f || Py_UNICODE_ISPRINTABLE(c)) return 1;
  return c < 0x100 ? 4 : c < 0x10000 ? 6 : 10;
}

PyObject* str_repr(PyObject* self) {
  if (!ready(self)) return nullptr;
  const Text text = view(self);
  Py_ssize_t single = 0;
  Py_ssize_t twice = 0;
  Py_ssize_t length = 2;
  Py_UCS4 max_char = 0x7f;
  bool overflow = false;
  constexpr Py_UCS4 kNoQuote = 0xffffffff;
  dispatch(text, [&](auto* characters) {
    for (Py_ssize_t i = 0; i < text.length; i++) {
      const Py_UCS4 c = characters[i];
      const Py_ssize_t width = repr_width(c, kNoQuote);
      if (width == 1) {
        if (c == '\'') single++;
        if (c == '"') twice++;
        if (c > max_char) max_char = c;
      }
      if (width > PY_SSIZE_T_MAX - length) overflow = true;
      length += width;
    }
  });
  if (overflow) return raise(PyExc_OverflowError, "string is too long to generate repr");
  Py_UCS4 quote = '\'';
  if (single > 0) {
    if (twice > 0) {
      length += single;
    } else {
      quote = '"';
    }
  }
  PyObject* result = allocate(length, max_char);
  if (result == nullptr) return nullptr;
  dispatch_mutable(static_cast<int>(PyUnicode_KIND(result)), PyUnicode_DATA(result), [&](auto* out) {
    using Char = std::remove_reference_t<decltype(*out)>;
    *out++ = static_cast<Char>(quote);
    dispatch(text, [&](auto* characters) {
      if (length == text.length + 2) {  // FAST: nothing to escape
        convert(characters, out, text.length);
        out += text.length;
        return;
      }
      for (Py_ssize_t i = 0; i < text.length; i++) {
        const Py_UCS4 c = characters[i];
        const Py_ssize_t width = repr_width(c, quote);
        if (width == 1) {
          *out++ = static_cast<Char>(c);
          continue;
        }
        *out++ = '\\';
        if (width == 2) {
          *out++ = static_cast<Char>(c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
          continue;
        }
        *out++ = width == 4 ? 'x' : width == 6 ? 'u' : 'U';
        for (int shift = static_cast<int>(width - 3) * 4; shift >= 0; shift -= 4) {
          *out++ = static_cast<Char>(static_cast<unsigned char>(Py_hexdigits[(c >> shift) & 15]));
        }
      }
    });
    *out = static_cast<Char>(quote);
  });
  return result;
}

PyNumberMethods str_number = {.nb_remainder = str_remainder};
PySequenceMethods str_sequence = {
    .sq_length = str_length,
    .sq_concat = str_concat,
    .sq_repeat = repeat,
    .sq_item = str_item,
    .sq_contains = str_contains,
};
PyMappingMethods str_mapping = {.mp_length = str_length, .mp_subscript = str_subscript};

}  // namespace
}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyTypeObject PyUnicode_Type = {
    .ob_base = type_head(),
    .tp_name = "str",
    .tp_basicsize = sizeof(PyUnicodeObject),
    .tp_dealloc = deallocate,
    .tp_repr = str_repr,
    .tp_as_number = &str_number,
    .tp_as_sequence = &str_sequence,
    .tp_as_mapping = &str_mapping,
    .tp_hash = pyston::text::hash,
    .tp_str = str_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_UNICODE_SUBCLASS | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "str(object='') -> str\n"
              "str(bytes_or_buffer[, encoding[, errors]]) -> str\n\n"
              "Text of an object: what its __str__() or else its repr() gives. With an encoding or an error\n"
              "handler the object has to provide bytes, which are decoded (by default as UTF-8, strictly).",
    .tp_richcompare = PyUnicode_RichCompare,
    .tp_iter = make_iterator,
    .tp_methods = str_methods,
    .tp_new = constructor<str_new, "str(object='', encoding='utf-8', errors='strict')">,
    .tp_free = PyObject_Del,
    .tp_vectorcall = str_vectorcall,
};

PyStatus _PyUnicode_InitTypes(PyInterpreterState* interp) {
  if (interp != _PyRuntime.interpreters.main && _PyRuntime.interpreters.main != nullptr) return PyStatus_Ok();
  if (!ready_formatter_types()) return PyStatus_Error("Can't initialize the format iterators of str");
  return PyStatus_Ok();
}

void _PyUnicode_FiniTypes(PyInterpreterState*) {}
