// Searching in str, shared by the methods and the API: bounds are absolute, positions are -1 when nothing is found.
#pragma once

#include "Objects/text/text.h"

namespace pyston::text {
Py_ssize_t find_text(const Text& text, const Text& needle, Py_ssize_t start, Py_ssize_t stop);
Py_ssize_t rfind_text(const Text& text, const Text& needle, Py_ssize_t start, Py_ssize_t stop);
Py_ssize_t count_text(const Text& text, const Text& needle, Py_ssize_t start, Py_ssize_t stop);
bool tail_match(const Text& text, const Text& part, Py_ssize_t start, Py_ssize_t stop, bool at_end);
PyObject* replace(PyObject* self, PyObject* old_part, PyObject* new_part, Py_ssize_t limit);
PyObject* split(PyObject* self, PyObject* separator, Py_ssize_t limit);   // separator null: whitespace
PyObject* rsplit(PyObject* self, PyObject* separator, Py_ssize_t limit);
PyObject* split_lines(PyObject* self, bool keep_ends);
PyObject* partition(PyObject* self, PyObject* separator);
PyObject* rpartition(PyObject* self, PyObject* separator);
}  // namespace pyston::text
