// Reading the location table of code objects (PEP 657), for Python code: iterators and derived tables.
// The C readers (PyCode_Addr2Line, _PyLineTable_*) have their CPython names; all are in code_lines.cpp.
#pragma once

#include "Runtime/refs/ref.h"

namespace pyston {

/// Iterator over (start offset, end offset, line or None).
Ref<> code_line_iterator(Borrowed<PyCodeObject> code);
/// Iterator over (line, end line, column, end column), one per code unit, None where unknown.
Ref<> code_position_iterator(Borrowed<PyCodeObject> code);
/// The `co_lnotab` of Python 3.10 and before.
Ref<> code_old_line_table(Borrowed<PyCodeObject> code);
/// A copy of the table with lines only, for -X no_debug_ranges.
Ref<> line_table_without_columns(PyObject* table);

}  // namespace pyston
