// The method table of str and the functions of it that its type's slots and the API use too.
#pragma once

#include "Objects/text/text.h"

namespace pyston::text {
extern PyMethodDef str_methods[];

PyObject* repeat(PyObject* self, Py_ssize_t times);
PyObject* rich_compare(PyObject* left, PyObject* right, int op);
void deallocate(PyObject* self);
PyObject* make_iterator(PyObject* self);

/// str.format and str.format_map (str_format.cpp); args/kwargs as for a METH_VARARGS function, kwargs any mapping.
PyObject* format_fields(PyObject* self, PyObject* args, PyObject* kwargs);
/// Readies the iterator types of `_string`.
bool ready_formatter_types();
PyObject* strip_whitespace(PyObject* self, int which);
PyObject* translate(PyObject* self, PyObject* table);
Ref<> maketrans(PyObject* type, Borrowed<> x, PyObject* y, PyObject* z);

/// Which ends strip methods work on.
enum StripEnds { kLeft = 0, kRight = 1, kBoth = 2 };
}  // namespace pyston::text
