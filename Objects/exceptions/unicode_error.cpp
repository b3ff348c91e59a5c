// UnicodeEncodeError, UnicodeDecodeError, UnicodeTranslateError and their C accessors.
//
// Python code may assign anything to the attributes: every reader checks types and clamps positions.
#include "Objects/exceptions/exception_fields.h"

namespace pyston {
namespace {

PyUnicodeErrorObject* as_unicode_error(PyObject* object) { return reinterpret_cast<PyUnicodeErrorObject*>(object); }

using UnicodeFields = Fields<PyUnicodeErrorObject, &PyUnicodeErrorObject::encoding, &PyUnicodeErrorObject::object,
                             &PyUnicodeErrorObject::reason>;

/// A str attribute, new reference.
PyObject* text_attribute(PyObject* value, const char* name) {
  if (value == nullptr) return PyErr_Format(PyExc_TypeError, "%.200s attribute not set", name);
  if (!PyUnicode_Check(value)) return PyErr_Format(PyExc_TypeError, "%.200s attribute must be unicode", name);
  return Py_NewRef(value);
}

PyObject* bytes_attribute(PyObject* value, const char* name) {
  if (value == nullptr) return PyErr_Format(PyExc_TypeError, "%.200s attribute not set", name);
  if (!PyBytes_Check(value)) return PyErr_Format(PyExc_TypeError, "%.200s attribute must be bytes", name);
  return Py_NewRef(value);
}

/// Length of the `object` attribute, -1 with an exception if that has the wrong type.
Py_ssize_t text_length(PyObject* exception) {
  auto object = Ref<>::steal(text_attribute(as_unicode_error(exception)->object, "object"));
  return object ? PyUnicode_GET_LENGTH(object.get()) : -1;
}
Py_ssize_t bytes_length(PyObject* exception) {
  auto object = Ref<>::steal(bytes_attribute(as_unicode_error(exception)->object, "object"));
  return object ? PyBytes_GET_SIZE(object.get()) : -1;
}

int clamped_start(PyObject* exception, Py_ssize_t size, Py_ssize_t* start) {
  if (size < 0) return -1;
  Py_ssize_t value = as_unicode_error(exception)->start;
  if (value < 0) value = 0;
  if (value >= size) value = size - 1;
  *start = value;
  return 0;
}

int clamped_end(PyObject* exception, Py_ssize_t size, Py_ssize_t* end) {
  if (size < 0) return -1;
  Py_ssize_t value = as_unicode_error(exception)->end;
  if (value < 1) value = 1;
  if (value > size) value = size;
  *end = value;
  return 0;
}

int set_reason(PyObject* exception, const char* reason) {
  PyObject* text = PyUnicode_FromString(reason);
  if (text == nullptr) return -1;
  replace_field(as_unicode_error(exception)->reason, text);
  return 0;
}

void assign(PyUnicodeErrorObject* self, PyObject* encoding, PyObject* object, PyObject* reason) {
  Py_XINCREF(encoding);
  replace_field(self->encoding, encoding);
  Py_INCREF(object);
  replace_field(self->object, object);
  Py_INCREF(reason);
  replace_field(self->reason, reason);
}

int encode_error_init(PyObject* exception, PyObject* args, PyObject* kwargs) {
  if (base_exception_init(exception, args, kwargs) < 0) return -1;
  PyUnicodeErrorObject* self = as_unicode_error(exception);
  PyObject *encoding, *object, *reason;
  Py_ssize_t start, end;
  if (!PyArg_ParseTuple(args, "UUnnU", &encoding, &object, &start, &end, &reason)) return -1;
  self->start = start;
  self->end = end;
  assign(self, encoding, object, reason);
  return 0;
}

int decode_error_init(PyObject* exception, PyObject* args, PyObject* kwargs) {
  if (base_exception_init(exception, args, kwargs) < 0) return -1;
  PyUnicodeErrorObject* self = as_unicode_error(exception);
  PyObject *encoding, *object, *reason;
  Py_ssize_t start, end;
  if (!PyArg_ParseTuple(args, "UOnnU", &encoding, &object, &start, &end, &reason)) return -1;
  auto bytes = Ref<>::dup(object);
  if (!PyBytes_Check(object)) {
    Buffer view;
    if (!view.acquire(object)) return -1;
    bytes = Ref<>::steal(PyBytes_FromStringAndSize(view.data(), view.size()));
    if (!bytes) return -1;
  }
  self->start = start;
  self->end = end;
  assign(self, encoding, bytes.get(), reason);
  return 0;
}

int translate_error_init(PyObject* exception, PyObject* args, PyObject* kwargs) {
  if (base_exception_init(exception, args, kwargs) < 0) return -1;
  PyUnicodeErrorObject* self = as_unicode_error(exception);
  PyObject *object, *reason;
  Py_ssize_t start, end;
  if (!PyArg_ParseTuple(args, "UnnU", &object, &start, &end, &reason)) return -1;
  self->start = start;
  self->end = end;
  assign(self, nullptr, object, reason);
  return 0;
}

/// The offending character as an escape: \xhh, \uhhhh or \Uhhhhhhhh.
void escape_character(Py_UCS4 character, char (&out)[16]) {
  const char* format = character <= 0xff ? "\\x%02x" : character <= 0xffff ? "\\u%04x" : "\\U%08x";
  PyOS_snprintf(out, sizeof out, format, static_cast<int>(character));
}

bool is_single(const PyUnicodeErrorObject* self, Py_ssize_t size) {
  return self->start >= 0 && self->start < size && self->end == self->start + 1;
}

PyObject* encode_error_str(PyObject* exception) {
  PyUnicodeErrorObject* self = as_unicode_error(exception);
  if (self->object == nullptr) return PyUnicode_FromString("");
  auto reason = Ref<>::steal(PyObject_Str(self->reason));
  if (!reason) return nullptr;
  auto encoding = Ref<>::steal(PyObject_Str(self->encoding));
  if (!encoding) return nullptr;
  if (PyUnicode_Check(self->object) && is_single(self, PyUnicode_GET_LENGTH(self->object))) {
    char escaped[16];
    escape_character(PyUnicode_ReadChar(self->object, self->start), escaped);
    return PyUnicode_FromFormat("'%U' codec can't encode character '%s' in position %zd: %U", encoding.get(), escaped,
                                self->start, reason.get());
  }
  return PyUnicode_FromFormat("'%U' codec can't encode characters in position %zd-%zd: %U", encoding.get(),
                              self->start, self->end - 1, reason.get());
}

PyObject* decode_error_str(PyObject* exception) {
  PyUnicodeErrorObject* self = as_unicode_error(exception);
  if (self->object == nullptr) return PyUnicode_FromString("");
  auto reason = Ref<>::steal(PyObject_Str(self->reason));
  if (!reason) return nullptr;
  auto encoding = Ref<>::steal(PyObject_Str(self->encoding));
  if (!encoding) return nullptr;
  if (PyBytes_Check(self->object) && is_single(self, PyBytes_GET_SIZE(self->object))) {
    const int byte = static_cast<unsigned char>(PyBytes_AS_STRING(self->object)[self->start]);
    return PyUnicode_FromFormat("'%U' codec can't decode byte 0x%02x in position %zd: %U", encoding.get(), byte,
                                self->start, reason.get());
  }
  return PyUnicode_FromFormat("'%U' codec can't decode bytes in position %zd-%zd: %U", encoding.get(), self->start,
                              self->end - 1, reason.get());
}

PyObject* translate_error_str(PyObject* exception) {
  PyUnicodeErrorObject* self = as_unicode_error(exception);
  if (self->object == nullptr) return PyUnicode_FromString("");
  auto reason = Ref<>::steal(PyObject_Str(self->reason));
  if (!reason) return nullptr;
  if (PyUnicode_Check(self->object) && is_single(self, PyUnicode_GET_LENGTH(self->object))) {
    char escaped[16];
    escape_character(PyUnicode_ReadChar(self->object, self->start), escaped);
    return PyUnicode_FromFormat("can't translate character '%s' in position %zd: %U", escaped, self->start,
                                reason.get());
  }
  return PyUnicode_FromFormat("can't translate characters in position %zd-%zd: %U", self->start, self->end - 1,
                              reason.get());
}

PyMemberDef unicode_error_members[] = {
    {"encoding", T_OBJECT, offsetof(PyUnicodeErrorObject, encoding), 0, "name of the encoding"},
    {"object", T_OBJECT, offsetof(PyUnicodeErrorObject, object), 0, "what was being converted"},
    {"start", T_PYSSIZET, offsetof(PyUnicodeErrorObject, start), 0, "where the trouble starts"},
    {"end", T_PYSSIZET, offsetof(PyUnicodeErrorObject, end), 0, "where it ends"},
    {"reason", T_OBJECT, offsetof(PyUnicodeErrorObject, reason), 0, "what the trouble is"},
    {}};

constexpr PyTypeObject unicode_error_type(const char* name, const char* doc, initproc init, reprfunc str) {
  return {
      .ob_base = type_head(),
      .tp_name = name,
      .tp_basicsize = sizeof(PyUnicodeErrorObject),
      .tp_dealloc = UnicodeFields::dealloc,
      .tp_str = str,
      .tp_flags = kExceptionFlags,
      .tp_doc = doc,
      .tp_traverse = UnicodeFields::traverse,
      .tp_clear = UnicodeFields::clear,
      .tp_members = unicode_error_members,
      .tp_base = &_PyExc_UnicodeError,
      .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
      .tp_init = init,
      .tp_new = base_exception_new,
  };
}

}  // namespace
}  // namespace pyston

using namespace pyston;

extern "C" {
PyTypeObject _PyExc_UnicodeEncodeError =
    unicode_error_type("UnicodeEncodeError", "Text cannot be encoded.", encode_error_init, encode_error_str);
PyTypeObject _PyExc_UnicodeDecodeError =
    unicode_error_type("UnicodeDecodeError", "Bytes cannot be decoded.", decode_error_init, decode_error_str);
PyTypeObject _PyExc_UnicodeTranslateError = unicode_error_type(
    "UnicodeTranslateError", "Text cannot be translated.", translate_error_init, translate_error_str);
}

PyObject* PyUnicodeEncodeError_GetEncoding(PyObject* self) {
  return text_attribute(as_unicode_error(self)->encoding, "encoding");
}
PyObject* PyUnicodeDecodeError_GetEncoding(PyObject* self) {
  return text_attribute(as_unicode_error(self)->encoding, "encoding");
}
PyObject* PyUnicodeEncodeError_GetObject(PyObject* self) {
  return text_attribute(as_unicode_error(self)->object, "object");
}
PyObject* PyUnicodeDecodeError_GetObject(PyObject* self) {
  return bytes_attribute(as_unicode_error(self)->object, "object");
}
PyObject* PyUnicodeTranslateError_GetObject(PyObject* self) {
  return text_attribute(as_unicode_error(self)->object, "object");
}
int PyUnicodeEncodeError_GetStart(PyObject* self, Py_ssize_t* start) {
  return clamped_start(self, text_length(self), start);
}
int PyUnicodeDecodeError_GetStart(PyObject* self, Py_ssize_t* start) {
  return clamped_start(self, bytes_length(self), start);
}
int PyUnicodeTranslateError_GetStart(PyObject* self, Py_ssize_t* start) {
  return clamped_start(self, text_length(self), start);
}
int PyUnicodeEncodeError_GetEnd(PyObject* self, Py_ssize_t* end) { return clamped_end(self, text_length(self), end); }
int PyUnicodeDecodeError_GetEnd(PyObject* self, Py_ssize_t* end) { return clamped_end(self, bytes_length(self), end); }
int PyUnicodeTranslateError_GetEnd(PyObject* self, Py_ssize_t* end) {
  return clamped_end(self, text_length(self), end);
}
int PyUnicodeEncodeError_SetStart(PyObject* self, Py_ssize_t start) {
  as_unicode_error(self)->start = start;
  return 0;
}
int PyUnicodeDecodeError_SetStart(PyObject* self, Py_ssize_t start) {
  as_unicode_error(self)->start = start;
  return 0;
}
int PyUnicodeTranslateError_SetStart(PyObject* self, Py_ssize_t start) {
  as_unicode_error(self)->start = start;
  return 0;
}
int PyUnicodeEncodeError_SetEnd(PyObject* self, Py_ssize_t end) {
  as_unicode_error(self)->end = end;
  return 0;
}
int PyUnicodeDecodeError_SetEnd(PyObject* self, Py_ssize_t end) {
  as_unicode_error(self)->end = end;
  return 0;
}
int PyUnicodeTranslateError_SetEnd(PyObject* self, Py_ssize_t end) {
  as_unicode_error(self)->end = end;
  return 0;
}
PyObject* PyUnicodeEncodeError_GetReason(PyObject* self) {
  return text_attribute(as_unicode_error(self)->reason, "reason");
}
PyObject* PyUnicodeDecodeError_GetReason(PyObject* self) {
  return text_attribute(as_unicode_error(self)->reason, "reason");
}
PyObject* PyUnicodeTranslateError_GetReason(PyObject* self) {
  return text_attribute(as_unicode_error(self)->reason, "reason");
}
int PyUnicodeEncodeError_SetReason(PyObject* self, const char* reason) { return set_reason(self, reason); }
int PyUnicodeDecodeError_SetReason(PyObject* self, const char* reason) { return set_reason(self, reason); }
int PyUnicodeTranslateError_SetReason(PyObject* self, const char* reason) { return set_reason(self, reason); }

PyObject* PyUnicodeDecodeError_Create(const char* encoding, const char* object, Py_ssize_t length, Py_ssize_t start,
                                      Py_ssize_t end, const char* reason) {
  return PyObject_CallFunction(PyExc_UnicodeDecodeError, "sy#nns", encoding, object, length, start, end, reason);
}

PyObject* _PyUnicodeTranslateError_Create(PyObject* object, Py_ssize_t start, Py_ssize_t end, const char* reason) {
  return PyObject_CallFunction(PyExc_UnicodeTranslateError, "Onns", object, start, end, reason);
}
