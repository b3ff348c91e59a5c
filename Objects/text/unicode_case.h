// Case conversion of whole strings (new references).
#pragma once

#include "Objects/text/text.h"

namespace pyston::text {
PyObject* lower(PyObject* self);
PyObject* upper(PyObject* self);
PyObject* casefold(PyObject* self);
PyObject* capitalize(PyObject* self);
PyObject* title(PyObject* self);
PyObject* swapcase(PyObject* self);
}  // namespace pyston::text
