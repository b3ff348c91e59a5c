// The functions that make a C slot callable as a Python method (`int.__add__`): they unpack `args` for the slot's C
// signature. Each has the wrapperfunc (or wrapperfunc_kwds) signature; `wrapped` is the slot function.
#pragma once

#include "Objects/core/type.h"

namespace pyston {

PyObject* wrap_unary(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_next(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_hash(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_inquiry(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_length(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_binary(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_binary_left(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_binary_right(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_ternary(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_ternary_right(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_repeat(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_item(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_set_index(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_delete_index(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_contains(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_setitem(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_delitem(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_setattr(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_delattr(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_descr_get(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_descr_set(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_descr_delete(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_finalize(PyObject* self, PyObject* args, void* wrapped);
PyObject* wrap_call(PyObject* self, PyObject* args, void* wrapped, PyObject* kwargs);
PyObject* wrap_init(PyObject* self, PyObject* args, void* wrapped, PyObject* kwargs);

/// Checks that the tuple has exactly `count` items.
bool check_argument_count(PyObject* args, Py_ssize_t count);

template <int op>
PyObject* wrap_compare(PyObject* self, PyObject* args, void* wrapped) {
  if (!check_argument_count(args, 1)) return nullptr;
  return reinterpret_cast<richcmpfunc>(wrapped)(self, PyTuple_GET_ITEM(args, 0), op);
}

}  // namespace pyston
