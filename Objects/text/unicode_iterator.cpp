// Iterators over the characters of a str: one for ASCII strings, whose items are all singletons, one for the others.
#include "Objects/text/unicode_methods.h"

#include "internal/pycore_ceval.h"
#include "internal/pycore_object.h"

namespace pyston::text {
namespace {

struct StringIterator {
  PyObject_HEAD
  Py_ssize_t index;
  PyObject* string;  // null when exhausted
};

void iterator_dealloc(PyObject* object) {
  StringIterator* self = reinterpret_cast<StringIterator*>(object);
  _PyObject_GC_UNTRACK(self);
  Py_XDECREF(self->string);
  PyObject_GC_Del(self);
}

int iterator_traverse(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<StringIterator*>(object)->string);
  return 0;
}

PyObject* exhaust(StringIterator* self) {
  PyObject* string = self->string;
  self->string = nullptr;
  Py_DECREF(string);
  return nullptr;
}

PyObject* iterator_next(PyObject* object) {
  StringIterator* self = reinterpret_cast<StringIterator*>(object);
  PyObject* string = self->string;
  if (UNLIKELY(string == nullptr)) return nullptr;
  if (UNLIKELY(self->index >= PyUnicode_GET_LENGTH(string))) return exhaust(self);
  const Py_UCS4 c = PyUnicode_READ_CHAR(string, self->index);
  self->index++;
  return c < 0x100 ? new_latin1_char(c) : PyUnicode_FromOrdinal(static_cast<int>(c));
}

PyObject* ascii_iterator_next(PyObject* object) {
  StringIterator* self = reinterpret_cast<StringIterator*>(object);
  PyObject* string = self->string;
  if (UNLIKELY(string == nullptr)) return nullptr;
  if (UNLIKELY(self->index >= PyUnicode_GET_LENGTH(string))) return exhaust(self);
  const unsigned char* characters = static_cast<const unsigned char*>(PyUnicode_DATA(string));
  return Py_NewRef(reinterpret_cast<PyObject*>(&_Py_SINGLETON(strings).ascii[characters[self->index++]]));
}

Ref<> iterator_length_hint(Borrowed<StringIterator> self) {
  return Ref<>::steal(PyLong_FromSsize_t(self->string == nullptr ? 0 : PyUnicode_GET_LENGTH(self->string) - self->index));
}

Ref<> iterator_reduce(Borrowed<StringIterator> self) {
  Ref<> iter = Ref<>::steal(_PyEval_GetBuiltin(&_Py_ID(iter)));
  if (!iter) return nullptr;
  if (self->string != nullptr) {
    return Ref<>::steal(Py_BuildValue("N(O)n", iter.release(), self->string, self->index));
  }
  return Ref<>::steal(Py_BuildValue("N(O)", iter.release(), empty_string()));
}

Ref<> iterator_setstate(Borrowed<StringIterator> self, Borrowed<> state) {
  Py_ssize_t index = PyLong_AsSsize_t(state);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  if (self->string != nullptr) {
    const Py_ssize_t length = PyUnicode_GET_LENGTH(self->string);
    self->index = index < 0 ? 0 : index > length ? length : index;
  }
  return Ref<>::none();
}

PyMethodDef iterator_methods[] = {
    method<iterator_length_hint, "__length_hint__($self, /)", "How many characters are left.">(),
    method<iterator_reduce, "__reduce__($self, /)", "State for pickling.">(),
    method<iterator_setstate, "__setstate__($self, state, /)", "Sets the position.">(),
    {}};

}  // namespace

PyObject* make_iterator(PyObject* self) {
  if (!PyUnicode_Check(self)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (!ready(self)) return nullptr;
  PyTypeObject* type = PyUnicode_IS_COMPACT_ASCII(self) ? &_PyUnicodeASCIIIter_Type : &PyUnicodeIter_Type;
  StringIterator* iterator = PyObject_GC_New(StringIterator, type);
  if (iterator == nullptr) return nullptr;
  iterator->index = 0;
  iterator->string = Py_NewRef(self);
  _PyObject_GC_TRACK(iterator);
  return as_object(iterator);
}

}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyTypeObject PyUnicodeIter_Type = {
    .ob_base = type_head(),
    .tp_name = "str_iterator",
    .tp_basicsize = sizeof(StringIterator),
    .tp_dealloc = iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
    .tp_methods = iterator_methods,
};

PyTypeObject _PyUnicodeASCIIIter_Type = {
    .ob_base = type_head(),
    .tp_name = "str_ascii_iterator",
    .tp_basicsize = sizeof(StringIterator),
    .tp_dealloc = iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = ascii_iterator_next,
    .tp_methods = iterator_methods,
};
