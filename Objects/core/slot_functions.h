// Declares the generic slot functions of slots.def, for the table in type_slots.cpp.
#pragma once

#include "Objects/core/type.h"

namespace pyston {

PyObject* slot_tp_repr(PyObject*);
Py_hash_t slot_tp_hash(PyObject*);
PyObject* slot_tp_str(PyObject*);
int slot_tp_setattro(PyObject*, PyObject*, PyObject*);
PyObject* slot_tp_richcompare(PyObject*, PyObject*, int);
PyObject* slot_tp_iter(PyObject*);
PyObject* slot_tp_iternext(PyObject*);
PyObject* slot_tp_descr_get(PyObject*, PyObject*, PyObject*);
int slot_tp_descr_set(PyObject*, PyObject*, PyObject*);
PyObject* slot_am_await(PyObject*);
PyObject* slot_am_aiter(PyObject*);
PyObject* slot_am_anext(PyObject*);
PyObject* slot_nb_power(PyObject*, PyObject*, PyObject*);
PyObject* slot_nb_inplace_power(PyObject*, PyObject*, PyObject*);
int slot_nb_bool(PyObject*);
Py_ssize_t slot_sq_length(PyObject*);
PyObject* slot_mp_subscript(PyObject*, PyObject*);
int slot_mp_ass_subscript(PyObject*, PyObject*, PyObject*);
PyObject* slot_sq_item(PyObject*, Py_ssize_t);
int slot_sq_ass_item(PyObject*, Py_ssize_t, PyObject*);
int slot_sq_contains(PyObject*, PyObject*);

#define UNARY(suite, member, method, wrapper, doc) PyObject* slot_##member(PyObject*);
#define BINARY(member, method, reflected, symbol) PyObject* slot_##member(PyObject*, PyObject*);
#define BINARY_DIVMOD(member, method, reflected) PyObject* slot_##member(PyObject*, PyObject*);
#define INPLACE(member, method, symbol) PyObject* slot_##member(PyObject*, PyObject*);
#include "Objects/core/slots.def"

}  // namespace pyston
