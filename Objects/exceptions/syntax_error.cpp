// SyntaxError: a message and the place, as SyntaxError(msg, (filename, lineno, offset, text[, end_lineno, end_offset])).
#include "Objects/exceptions/exception_fields.h"

namespace pyston {
namespace {

/// The part of a path behind its last slash; new reference.
PyObject* base_name(PyObject* path) {
  if (PyUnicode_READY(path) < 0) return nullptr;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(path);
  const Py_ssize_t slash = PyUnicode_FindChar(path, '/', 0, length, -1);
  if (slash == -2) return nullptr;
  return PyUnicode_Substring(path, slash + 1, length);
}

PyObject* syntax_error_str(PyObject* object) {
  auto* self = reinterpret_cast<PySyntaxErrorObject*>(object);
  PyObject* msg = self->msg != nullptr ? self->msg : Py_None;
  Ref<> filename;
  if (self->filename != nullptr && PyUnicode_Check(self->filename)) {
    filename = Ref<>::steal(base_name(self->filename));
    if (!filename) return nullptr;
  }
  const bool has_line = self->lineno != nullptr && PyLong_CheckExact(self->lineno);
  if (!filename && !has_line) return PyObject_Str(msg);
  if (!has_line) return PyUnicode_FromFormat("%S (%U)", msg, filename.get());
  int overflow;
  const long line = PyLong_AsLongAndOverflow(self->lineno, &overflow);
  if (!filename) return PyUnicode_FromFormat("%S (line %ld)", msg, line);
  return PyUnicode_FromFormat("%S (%U, line %ld)", msg, filename.get(), line);
}

PyMemberDef syntax_error_members[] = {
    {"msg", T_OBJECT, offsetof(PySyntaxErrorObject, msg), 0, "message"},
    {"filename", T_OBJECT, offsetof(PySyntaxErrorObject, filename), 0, "name of the file"},
    {"lineno", T_OBJECT, offsetof(PySyntaxErrorObject, lineno), 0, "line, from 1"},
    {"offset", T_OBJECT, offsetof(PySyntaxErrorObject, offset), 0, "column, from 1"},
    {"text", T_OBJECT, offsetof(PySyntaxErrorObject, text), 0, "the source line"},
    {"end_lineno", T_OBJECT, offsetof(PySyntaxErrorObject, end_lineno), 0, "last line"},
    {"end_offset", T_OBJECT, offsetof(PySyntaxErrorObject, end_offset), 0, "column behind the end"},
    {"print_file_and_line", T_OBJECT, offsetof(PySyntaxErrorObject, print_file_and_line), 0,
     "whether the place is printed"},
    {}};

}  // namespace

int syntax_error_init(PyObject* object, PyObject* args, PyObject* kwargs) {
  if (base_exception_init(object, args, kwargs) < 0) return -1;
  auto* self = reinterpret_cast<PySyntaxErrorObject*>(object);
  const Py_ssize_t size = PyTuple_GET_SIZE(args);
  if (size >= 1) replace_field(self->msg, Py_NewRef(PyTuple_GET_ITEM(args, 0)));
  if (size != 2) return 0;
  auto info = Ref<>::steal(PySequence_Tuple(PyTuple_GET_ITEM(args, 1)));
  if (!info) return -1;
  PyObject *filename, *lineno, *offset, *text, *end_lineno = nullptr, *end_offset = nullptr;
  if (!PyArg_ParseTuple(info.get(), "OOOO|OO", &filename, &lineno, &offset, &text, &end_lineno, &end_offset)) {
    return -1;
  }
  replace_field(self->filename, Py_NewRef(filename));
  replace_field(self->lineno, Py_NewRef(lineno));
  replace_field(self->offset, Py_NewRef(offset));
  replace_field(self->text, Py_NewRef(text));
  Py_XINCREF(end_lineno);
  replace_field(self->end_lineno, end_lineno);
  Py_XINCREF(end_offset);
  replace_field(self->end_offset, end_offset);
  if (end_lineno != nullptr && end_offset == nullptr) {
    PyErr_SetString(PyExc_TypeError, "end_offset must be provided when end_lineno is provided");
    return -1;
  }
  return 0;
}

}  // namespace pyston

using namespace pyston;

extern "C" {
PyTypeObject _PyExc_SyntaxError = {
    .ob_base = type_head(),
    .tp_name = "SyntaxError",
    .tp_basicsize = sizeof(PySyntaxErrorObject),
    .tp_dealloc = SyntaxErrorFields::dealloc,
    .tp_str = syntax_error_str,
    .tp_flags = kExceptionFlags,
    .tp_doc = "The source text is not valid Python.",
    .tp_traverse = SyntaxErrorFields::traverse,
    .tp_clear = SyntaxErrorFields::clear,
    .tp_members = syntax_error_members,
    .tp_base = &_PyExc_Exception,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = syntax_error_init,
};
}
