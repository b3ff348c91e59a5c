// IncrementalNewlineDecoder (universal newlines on top of another incremental decoder), the search for line ends, and
// _TextIOBase.
#include "Lib/native/io/io.h"

#include <cstring>

namespace pyston::io {

PyObject* newlines_of(int seen) {
  switch (seen) {
    case kSeenCr: return PyUnicode_FromString("\r");
    case kSeenLf: return PyUnicode_FromString("\n");
    case kSeenCrLf: return PyUnicode_FromString("\r\n");
    case kSeenCr | kSeenLf: return Py_BuildValue("ss", "\r", "\n");
    case kSeenCr | kSeenCrLf: return Py_BuildValue("ss", "\r", "\r\n");
    case kSeenLf | kSeenCrLf: return Py_BuildValue("ss", "\n", "\r\n");
    case kSeenCr | kSeenLf | kSeenCrLf: return Py_BuildValue("sss", "\r", "\n", "\r\n");
    default: Py_RETURN_NONE;
  }
}

namespace {

/// Index of `c` in [start, length), or -1.
Py_ssize_t find_character(int kind, const void* data, Py_ssize_t start, Py_ssize_t length, Py_UCS4 c) {
  if (kind == PyUnicode_1BYTE_KIND) {
    const char* base = static_cast<const char*>(data);
    const void* found = std::memchr(base + start, static_cast<int>(c), static_cast<size_t>(length - start));
    return found == nullptr ? -1 : static_cast<const char*>(found) - base;
  }
  for (Py_ssize_t i = start; i < length; i++) {
    if (PyUnicode_READ(kind, data, i) == c) return i;
  }
  return -1;
}

/// Which line ends `text` has.
int scan_newlines(PyObject* text) {
  const int kind = PyUnicode_KIND(text);
  const void* data = PyUnicode_DATA(text);
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  int seen = 0;
  Py_ssize_t i = 0;
  if (find_character(kind, data, 0, length, '\r') < 0) {
    return find_character(kind, data, 0, length, '\n') >= 0 ? kSeenLf : 0;
  }
  for (; i < length && seen != (kSeenCr | kSeenLf | kSeenCrLf); i++) {
    const Py_UCS4 c = PyUnicode_READ(kind, data, i);
    if (c == '\n') {
      seen |= kSeenLf;
    } else if (c == '\r') {
      if (i + 1 < length && PyUnicode_READ(kind, data, i + 1) == '\n') {
        seen |= kSeenCrLf;
        i++;
      } else {
        seen |= kSeenCr;
      }
    }
  }
  return seen;
}

/// A copy with every line end as "\n". Only called when there is a "\r".
PyObject* translate_newlines(PyObject* text) {
  const int kind = PyUnicode_KIND(text);
  const void* in = PyUnicode_DATA(text);
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  Py_ssize_t out_length = length;
  for (Py_ssize_t i = 0; i + 1 < length; i++) {
    if (PyUnicode_READ(kind, in, i) == '\r' && PyUnicode_READ(kind, in, i + 1) == '\n') out_length--;
  }
  PyObject* result = PyUnicode_New(out_length, PyUnicode_MAX_CHAR_VALUE(text));
  if (result == nullptr) return nullptr;
  void* out = PyUnicode_DATA(result);
  Py_ssize_t k = 0;
  for (Py_ssize_t i = 0; i < length; i++) {
    Py_UCS4 c = PyUnicode_READ(kind, in, i);
    if (c == '\r') {
      if (i + 1 < length && PyUnicode_READ(kind, in, i + 1) == '\n') i++;
      c = '\n';
    }
    PyUnicode_WRITE(kind, out, k++, c);
  }
  return result;
}

Status decoder_init(NewlineDecoder* self, Borrowed<> decoder, int translate, PyObject* errors) {
  Py_XSETREF(self->errors, errors != nullptr ? Py_NewRef(errors) : PyUnicode_InternFromString("strict"));
  if (self->errors == nullptr) return Status::kError;
  Py_XSETREF(self->decoder, Py_NewRef(decoder.get()));
  self->translate = translate != 0;
  self->seen = 0;
  self->pending_cr = false;
  return Status::kOk;
}

bool is_ready(NewlineDecoder* self) {
  if (self->decoder != nullptr) return true;
  PyErr_SetString(PyExc_ValueError, "IncrementalNewlineDecoder.__init__() not called");
  return false;
}

PyObject* decoder_decode(NewlineDecoder* self, Borrowed<> input, Optional<bool> final) {
  return newline_decoder_decode(self, input, final.value_or(false));
}

PyObject* decoder_getstate(NewlineDecoder* self) {
  if (!is_ready(self)) return nullptr;
  Ref<> buffer;
  unsigned long long flag = 0;
  if (self->decoder != Py_None) {
    auto state = Ref<>::steal(PyObject_CallMethodNoArgs(self->decoder, &_Py_ID(getstate)));
    if (!state) return nullptr;
    if (!PyTuple_Check(state.get())) return raise(PyExc_TypeError, "illegal decoder state");
    PyObject* borrowed;
    if (!PyArg_ParseTuple(state.get(), "OK;illegal decoder state", &borrowed, &flag)) return nullptr;
    buffer = Ref<>::dup(borrowed);
  } else {
    buffer = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, 0));
    if (!buffer) return nullptr;
  }
  flag = flag << 1 | (self->pending_cr ? 1 : 0);
  return Py_BuildValue("OK", buffer.get(), flag);
}

PyObject* decoder_setstate(NewlineDecoder* self, Borrowed<> state) {
  if (!is_ready(self)) return nullptr;
  if (!PyTuple_Check(state)) return raise(PyExc_TypeError, "state argument must be a tuple");
  PyObject* buffer;
  unsigned long long flag;
  if (!PyArg_ParseTuple(state, "OK;setstate(): illegal state argument", &buffer, &flag)) return nullptr;
  self->pending_cr = flag & 1;
  if (self->decoder == Py_None) Py_RETURN_NONE;
  return _PyObject_CallMethod(self->decoder, &_Py_ID(setstate), "((OK))", buffer, flag >> 1);
}

PyObject* decoder_reset(NewlineDecoder* self) {
  if (!is_ready(self)) return nullptr;
  self->seen = 0;
  self->pending_cr = false;
  if (self->decoder == Py_None) Py_RETURN_NONE;
  return PyObject_CallMethodNoArgs(self->decoder, &_Py_ID(reset));
}

PyObject* decoder_get_newlines(NewlineDecoder* self) {
  if (!is_ready(self)) return nullptr;
  return newlines_of(self->seen);
}

void decoder_dealloc(PyObject* object) {
  NewlineDecoder* self = reinterpret_cast<NewlineDecoder*>(object);
  Py_CLEAR(self->decoder);
  Py_CLEAR(self->errors);
  Py_TYPE(object)->tp_free(object);
}

PyMethodDef decoder_methods[] = {
    method<decoder_decode, "decode($self, /, input, final=False)">(),
    method<decoder_getstate, "getstate($self, /)">(),
    method<decoder_setstate, "setstate($self, state, /)">(),
    method<decoder_reset, "reset($self, /)">(),
    {},
};
PyGetSetDef decoder_getset[] = {getset<decoder_get_newlines>("newlines"), {}};

}  // namespace

PyObject* newline_decoder_decode(NewlineDecoder* self, PyObject* input, bool final) {
  if (!is_ready(self)) return nullptr;
  Ref<> output;
  if (self->decoder == Py_None) {
    output = Ref<>::dup(input);
  } else {
    output = Ref<>::steal(
        PyObject_CallMethodObjArgs(self->decoder, &_Py_ID(decode), input, final ? Py_True : Py_False, nullptr));
    if (!output) return nullptr;
  }
  if (!PyUnicode_Check(output.get())) {
    return raise(PyExc_TypeError, "decoder should return a string result, not '%.200s'", Py_TYPE(output.get())->tp_name);
  }
  if (PyUnicode_READY(output.get()) < 0) return nullptr;
  Py_ssize_t length = PyUnicode_GET_LENGTH(output.get());
  if (self->pending_cr && (final || length > 0)) {
    auto cr = Ref<>::steal(PyUnicode_FromOrdinal('\r'));
    if (!cr) return nullptr;
    output = Ref<>::steal(PyUnicode_Concat(cr.get(), output.get()));
    if (!output) return nullptr;
    self->pending_cr = false;
    length++;
  }
  // A "\r" at the end may be half of a "\r\n": it waits for the next input.
  if (!final && length > 0 && PyUnicode_READ_CHAR(output.get(), length - 1) == '\r') {
    output = Ref<>::steal(PyUnicode_Substring(output.get(), 0, length - 1));
    if (!output) return nullptr;
    self->pending_cr = true;
    length--;
  }
  if (length == 0) return output.release();
  const int kind = PyUnicode_KIND(output.get());
  const void* data = PyUnicode_DATA(output.get());
  if (find_character(kind, data, 0, length, '\r') < 0) {
    if (!(self->seen & kSeenLf) && find_character(kind, data, 0, length, '\n') >= 0) self->seen |= kSeenLf;
    return output.release();
  }
  self->seen |= scan_newlines(output.get());
  return self->translate ? translate_newlines(output.get()) : output.release();
}

Py_ssize_t find_line_ending(bool translated, bool universal, PyObject* readnl, int kind, const void* data,
                            Py_ssize_t length, Py_ssize_t* consumed) {
  *consumed = length;
  if (translated) {
    const Py_ssize_t found = find_character(kind, data, 0, length, '\n');
    return found < 0 ? -1 : found + 1;
  }
  if (universal) {
    const Py_ssize_t cr = find_character(kind, data, 0, length, '\r');
    const Py_ssize_t lf = find_character(kind, data, 0, cr < 0 ? length : cr, '\n');
    if (lf >= 0) return lf + 1;
    if (cr < 0) return -1;
    return cr + 1 < length && PyUnicode_READ(kind, data, cr + 1) == '\n' ? cr + 2 : cr + 1;
  }
  const char* separator = static_cast<const char*>(PyUnicode_DATA(readnl));
  const Py_ssize_t separator_length = PyUnicode_GET_LENGTH(readnl);
  if (separator_length == 1) {
    const Py_ssize_t found = find_character(kind, data, 0, length, static_cast<unsigned char>(separator[0]));
    return found < 0 ? -1 : found + 1;
  }
  Py_ssize_t start = 0;
  for (;;) {
    const Py_ssize_t found = find_character(kind, data, start, length, static_cast<unsigned char>(separator[0]));
    if (found < 0) return -1;
    Py_ssize_t i = 1;
    while (i < separator_length && found + i < length &&
           PyUnicode_READ(kind, data, found + i) == static_cast<unsigned char>(separator[i])) {
      i++;
    }
    if (i == separator_length) return found + i;
    if (found + i == length) {
      *consumed = found;  // perhaps the separator's first half
      return -1;
    }
    start = found + 1;
  }
}

PyTypeObject NewlineDecoder_Type = {
    .ob_base = type_head(),
    .tp_name = "_io.IncrementalNewlineDecoder",
    .tp_basicsize = sizeof(NewlineDecoder),
    .tp_dealloc = decoder_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "IncrementalNewlineDecoder(decoder, translate, errors='strict')\n--\n\n"
              "Finds (and, if `translate`, replaces by \\n) the line ends in what another decoder gives.",
    .tp_methods = decoder_methods,
    .tp_getset = decoder_getset,
    .tp_init = initializer<decoder_init, "IncrementalNewlineDecoder(decoder, translate, errors='strict')">,
    .tp_new = PyType_GenericNew,
};

// --- _TextIOBase -----------------------------------------------------------------------------------------------

namespace {

PyObject* text_detach(PyObject*) { return unsupported("detach"); }
PyObject* text_read(PyObject*, Arguments) { return unsupported("read"); }
PyObject* text_readline(PyObject*, Arguments) { return unsupported("readline"); }
PyObject* text_write(PyObject*, Arguments) { return unsupported("write"); }
PyObject* text_get_none(PyObject*) { Py_RETURN_NONE; }

PyMethodDef text_methods[] = {
    method<text_detach, "detach($self, /)", "Separates the underlying buffer and gives it.">(),
    method<text_read, "read($self, /, *args)", "Reads at most that many characters, or everything.">(),
    method<text_readline, "readline($self, /, *args)", "Reads a line; '' at the end of the file.">(),
    method<text_write, "write($self, /, *args)", "Writes the string and gives its length.">(),
    {},
};
PyGetSetDef text_getset[] = {
    getset<text_get_none>("encoding", "The encoding's name"),
    getset<text_get_none>("newlines", "The line ends found so far: None, one, or a tuple of them"),
    getset<text_get_none>("errors", "The error handler's name"),
    {},
};

}  // namespace

PyTypeObject TextIOBase_Type = {
    .ob_base = type_head(),
    .tp_name = "_io._TextIOBase",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Base class of character streams. There is no readinto(): strings do not change.",
    .tp_methods = text_methods,
    .tp_getset = text_getset,
    .tp_base = &IOBase_Type,
};

}  // namespace pyston::io
