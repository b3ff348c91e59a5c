// What the files of the `builtins` module share: its functions, in the order of the method table's topics.
#pragma once

#include "Objects/bind.h"

namespace pyston::builtins {

using FastFunction = PyObject* (*)(PyObject* module, PyObject* const* args, Py_ssize_t nargs);
using FastKeywordFunction = PyObject* (*)(PyObject* module, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);

// compile.cpp: code from source, and classes. Null with an exception on failure, as everywhere here.
PyObject* build_class(PyObject* module, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);
Ref<> import_module(Borrowed<> module, Borrowed<> name, PyObject* globals, PyObject* locals,
                    PyObject* fromlist, Optional<int> level);
Ref<> compile_source(Borrowed<> module, Borrowed<> source, Borrowed<> filename, Borrowed<PyUnicodeObject> mode,
                     Optional<int> flags, Optional<bool> dont_inherit, Optional<int> optimize,
                     Optional<int> feature_version);
Ref<> eval(Borrowed<> module, Borrowed<> source, PyObject* globals, PyObject* locals);
Ref<> exec(Borrowed<> module, Borrowed<> source, PyObject* globals, PyObject* locals, PyObject* closure);

// io.cpp
PyObject* print(PyObject* module, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);
Ref<> input(Borrowed<> module, PyObject* prompt);
PyObject* breakpoint(PyObject* module, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);

// aggregate.cpp
Ref<> all(Borrowed<> module, Borrowed<> iterable);
Ref<> any(Borrowed<> module, Borrowed<> iterable);
PyObject* max(PyObject* module, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);
PyObject* min(PyObject* module, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);
PyObject* sorted(PyObject* module, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);
Ref<> sum(Borrowed<> module, Borrowed<> iterable, PyObject* start);

}  // namespace pyston::builtins
