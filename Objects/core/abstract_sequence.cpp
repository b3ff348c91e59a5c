// The sequence protocol: sizes, items, slices, concatenation, searching, and conversion to tuple and list.
#include "Objects/core/type.h"

#include "pycore_abstract.h"
#include "pycore_call.h"
#include "pycore_list.h"
#include "pycore_pyerrors.h"
#include "pycore_tuple.h"

using namespace pyston;

extern "C" PyObject* _PySlice_FromIndices(Py_ssize_t start, Py_ssize_t stop);

namespace {

COLD PyObject* raise_null() {
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
  return nullptr;
}

template <class... Arguments>
COLD int fail(const char* format, Arguments... arguments) {
  PyErr_Format(PyExc_TypeError, format, arguments...);
  return -1;
}

ALWAYS_INLINE bool is_mapping_type(PyTypeObject* type) {
  return type->tp_as_mapping != nullptr && type->tp_as_mapping->mp_subscript != nullptr;
}

/// Counts a negative index from the end. False on error.
bool normalize_index(PyObject* sequence, PySequenceMethods* methods, Py_ssize_t& index) {
  if (index >= 0 || methods->sq_length == nullptr) return true;
  Py_ssize_t length = methods->sq_length(sequence);
  if (length < 0) return false;
  index += length;
  return true;
}

int assign_item(PyObject* sequence, Py_ssize_t index, PyObject* value, const char* message) {
  if (sequence == nullptr) {
    raise_null();
    return -1;
  }
  PyTypeObject* type = Py_TYPE(sequence);
  PySequenceMethods* methods = type->tp_as_sequence;
  if (methods != nullptr && methods->sq_ass_item != nullptr) {
    if (!normalize_index(sequence, methods, index)) return -1;
    return methods->sq_ass_item(sequence, index, value);
  }
  if (type->tp_as_mapping != nullptr && type->tp_as_mapping->mp_ass_subscript != nullptr) {
    return fail("%.200s is not a sequence", type->tp_name);
  }
  return fail(message, type->tp_name);
}

int assign_slice(PyObject* sequence, Py_ssize_t start, Py_ssize_t stop, PyObject* value, const char* message) {
  if (sequence == nullptr) {
    raise_null();
    return -1;
  }
  PyMappingMethods* mapping = Py_TYPE(sequence)->tp_as_mapping;
  if (mapping == nullptr || mapping->mp_ass_subscript == nullptr) return fail(message, Py_TYPE(sequence)->tp_name);
  auto slice = Ref<>::steal(_PySlice_FromIndices(start, stop));
  return slice ? mapping->mp_ass_subscript(sequence, slice.get(), value) : -1;
}

}  // namespace

extern "C" {

int PySequence_Check(PyObject* value) {
  if (PyDict_Check(value)) return 0;
  return Py_TYPE(value)->tp_as_sequence != nullptr && Py_TYPE(value)->tp_as_sequence->sq_item != nullptr;
}

Py_ssize_t PySequence_Size(PyObject* value) {
  if (value == nullptr) {
    raise_null();
    return -1;
  }
  PyTypeObject* type = Py_TYPE(value);
  if (type->tp_as_sequence != nullptr && type->tp_as_sequence->sq_length != nullptr) {
    return type->tp_as_sequence->sq_length(value);
  }
  if (type->tp_as_mapping != nullptr && type->tp_as_mapping->mp_length != nullptr) {
    return fail("%.200s is not a sequence", type->tp_name);
  }
  return fail("object of type '%.200s' has no len()", type->tp_name);
}

#undef PySequence_Length
PyAPI_FUNC(Py_ssize_t) PySequence_Length(PyObject* value);
Py_ssize_t PySequence_Length(PyObject* value) { return PySequence_Size(value); }

// Classes written in Python have no sq_concat; for them `+` decides, provided both are sequences.
PyObject* PySequence_Concat(PyObject* left, PyObject* right) {
  if (left == nullptr || right == nullptr) return raise_null();
  PySequenceMethods* methods = Py_TYPE(left)->tp_as_sequence;
  if (methods != nullptr && methods->sq_concat != nullptr) return methods->sq_concat(left, right);
  if (PySequence_Check(left) && PySequence_Check(right)) {
    PyNumberMethods* number = Py_TYPE(left)->tp_as_number;
    PyNumberMethods* right_number = Py_TYPE(right)->tp_as_number;
    if ((number && number->nb_add) || (right_number && right_number->nb_add)) {
      PyObject* result = PyNumber_Add(left, right);
      if (result != nullptr || !PyErr_ExceptionMatches(PyExc_TypeError)) return result;
      PyErr_Clear();
    }
  }
  PyErr_Format(PyExc_TypeError, "'%.200s' object can't be concatenated", Py_TYPE(left)->tp_name);
  return nullptr;
}

PyObject* PySequence_Repeat(PyObject* value, Py_ssize_t count) {
  if (value == nullptr) return raise_null();
  PySequenceMethods* methods = Py_TYPE(value)->tp_as_sequence;
  if (methods != nullptr && methods->sq_repeat != nullptr) return methods->sq_repeat(value, count);
  PyNumberMethods* number = Py_TYPE(value)->tp_as_number;
  if (PySequence_Check(value) && number != nullptr && number->nb_multiply != nullptr) {
    auto times = Ref<>::steal(PyLong_FromSsize_t(count));
    if (!times) return nullptr;
    PyObject* result = number->nb_multiply(value, times.get());
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  PyErr_Format(PyExc_TypeError, "'%.200s' object can't be repeated", Py_TYPE(value)->tp_name);
  return nullptr;
}

PyObject* PySequence_InPlaceConcat(PyObject* left, PyObject* right) {
  if (left == nullptr || right == nullptr) return raise_null();
  PySequenceMethods* methods = Py_TYPE(left)->tp_as_sequence;
  if (methods != nullptr && methods->sq_inplace_concat != nullptr) return methods->sq_inplace_concat(left, right);
  if (methods != nullptr && methods->sq_concat != nullptr) return methods->sq_concat(left, right);
  if (PySequence_Check(left) && PySequence_Check(right)) {
    PyObject* result = PyNumber_InPlaceAdd(left, right);
    if (result != nullptr || !PyErr_ExceptionMatches(PyExc_TypeError)) return result;
    PyErr_Clear();
  }
  PyErr_Format(PyExc_TypeError, "'%.200s' object can't be concatenated", Py_TYPE(left)->tp_name);
  return nullptr;
}

PyObject* PySequence_InPlaceRepeat(PyObject* value, Py_ssize_t count) {
  if (value == nullptr) return raise_null();
  PySequenceMethods* methods = Py_TYPE(value)->tp_as_sequence;
  if (methods != nullptr && methods->sq_inplace_repeat != nullptr) return methods->sq_inplace_repeat(value, count);
  if (methods != nullptr && methods->sq_repeat != nullptr) return methods->sq_repeat(value, count);
  if (PySequence_Check(value)) {
    auto times = Ref<>::steal(PyLong_FromSsize_t(count));
    if (!times) return nullptr;
    PyObject* result = PyNumber_InPlaceMultiply(value, times.get());
    if (result != nullptr || !PyErr_ExceptionMatches(PyExc_TypeError)) return result;
    PyErr_Clear();
  }
  PyErr_Format(PyExc_TypeError, "'%.200s' object can't be repeated", Py_TYPE(value)->tp_name);
  return nullptr;
}

PyObject* PySequence_GetItem(PyObject* sequence, Py_ssize_t index) {
  if (sequence == nullptr) return raise_null();
  PyTypeObject* type = Py_TYPE(sequence);
  PySequenceMethods* methods = type->tp_as_sequence;
  if (methods != nullptr && methods->sq_item != nullptr) {
    if (!normalize_index(sequence, methods, index)) return nullptr;
    return methods->sq_item(sequence, index);
  }
  PyErr_Format(PyExc_TypeError,
               is_mapping_type(type) ? "%.200s is not a sequence" : "'%.200s' object does not support indexing",
               type->tp_name);
  return nullptr;
}

PyObject* PySequence_GetSlice(PyObject* sequence, Py_ssize_t start, Py_ssize_t stop) {
  if (sequence == nullptr) return raise_null();
  if (is_mapping_type(Py_TYPE(sequence))) {
    auto slice = Ref<>::steal(_PySlice_FromIndices(start, stop));
    return slice ? Py_TYPE(sequence)->tp_as_mapping->mp_subscript(sequence, slice.get()) : nullptr;
  }
  PyErr_Format(PyExc_TypeError, "'%.200s' object is unsliceable", Py_TYPE(sequence)->tp_name);
  return nullptr;
}

int PySequence_SetItem(PyObject* sequence, Py_ssize_t index, PyObject* value) {
  return assign_item(sequence, index, value, "'%.200s' object does not support item assignment");
}
int PySequence_DelItem(PyObject* sequence, Py_ssize_t index) {
  return assign_item(sequence, index, nullptr, "'%.200s' object doesn't support item deletion");
}
int PySequence_SetSlice(PyObject* sequence, Py_ssize_t start, Py_ssize_t stop, PyObject* value) {
  return assign_slice(sequence, start, stop, value, "'%.200s' object doesn't support slice assignment");
}
int PySequence_DelSlice(PyObject* sequence, Py_ssize_t start, Py_ssize_t stop) {
  return assign_slice(sequence, start, stop, nullptr, "'%.200s' object doesn't support slice deletion");
}

PyObject* PySequence_Tuple(PyObject* value) {
  if (value == nullptr) return raise_null();
  if (PyTuple_CheckExact(value)) return Py_NewRef(value);
  if (PyList_CheckExact(value)) return PyList_AsTuple(value);
  PyObject* list = PySequence_List(value);
  if (list == nullptr) return nullptr;
  // The list is ours alone, so its items move over.
  auto* items = reinterpret_cast<PyListObject*>(list);
  Py_ssize_t count = Py_SIZE(list);
  Py_SET_SIZE(items, 0);
  PyObject* tuple = _PyTuple_FromArraySteal(items->ob_item, count);
  Py_DECREF(list);
  return tuple;
}

PyObject* PySequence_List(PyObject* value) {
  if (value == nullptr) return raise_null();
  PyObject* list = PyList_New(0);
  if (list == nullptr) return nullptr;
  PyObject* none = _PyList_Extend(reinterpret_cast<PyListObject*>(list), value);
  if (none == nullptr) {
    Py_DECREF(list);
    return nullptr;
  }
  Py_DECREF(none);
  return list;
}

PyObject* PySequence_Fast(PyObject* value, const char* message) {
  if (value == nullptr) return raise_null();
  if (PyList_CheckExact(value) || PyTuple_CheckExact(value)) return Py_NewRef(value);
  auto iterator = Ref<>::steal(PyObject_GetIter(value));
  if (!iterator) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_SetString(PyExc_TypeError, message);
    return nullptr;
  }
  return PySequence_List(iterator.get());
}

Py_ssize_t _PySequence_IterSearch(PyObject* sequence, PyObject* value, int operation) {
  if (sequence == nullptr || value == nullptr) {
    raise_null();
    return -1;
  }
  auto iterator = Ref<>::steal(PyObject_GetIter(sequence));
  if (!iterator) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Format(PyExc_TypeError, "argument of type '%.200s' is not iterable", Py_TYPE(sequence)->tp_name);
    }
    return -1;
  }
  Py_ssize_t position = 0;
  Py_ssize_t count = 0;
  bool overflowed = false;
  while (true) {
    PyObject* item = PyIter_Next(iterator.get());
    if (item == nullptr) {
      if (PyErr_Occurred()) return -1;
      break;
    }
    int equal = PyObject_RichCompareBool(item, value, Py_EQ);
    Py_DECREF(item);
    if (equal < 0) return -1;
    if (equal) {
      switch (operation) {
        case PY_ITERSEARCH_CONTAINS: return 1;
        case PY_ITERSEARCH_INDEX:
          if (overflowed) {
            PyErr_SetString(PyExc_OverflowError, "index exceeds C integer size");
            return -1;
          }
          return position;
        default:
          if (count == PY_SSIZE_T_MAX) {
            PyErr_SetString(PyExc_OverflowError, "count exceeds C integer size");
            return -1;
          }
          count++;
      }
    }
    if (position == PY_SSIZE_T_MAX) {
      overflowed = true;
    } else {
      position++;
    }
  }
  if (operation == PY_ITERSEARCH_INDEX) {
    PyErr_SetString(PyExc_ValueError, "sequence.index(x): x not in sequence");
    return -1;
  }
  return count;
}

Py_ssize_t PySequence_Count(PyObject* sequence, PyObject* value) {
  return _PySequence_IterSearch(sequence, value, PY_ITERSEARCH_COUNT);
}
Py_ssize_t PySequence_Index(PyObject* sequence, PyObject* value) {
  return _PySequence_IterSearch(sequence, value, PY_ITERSEARCH_INDEX);
}

int PySequence_Contains(PyObject* sequence, PyObject* value) {
  PySequenceMethods* methods = Py_TYPE(sequence)->tp_as_sequence;
  if (methods != nullptr && methods->sq_contains != nullptr) return methods->sq_contains(sequence, value);
  return static_cast<int>(_PySequence_IterSearch(sequence, value, PY_ITERSEARCH_CONTAINS));
}

#undef PySequence_In
PyAPI_FUNC(int) PySequence_In(PyObject* sequence, PyObject* value);
int PySequence_In(PyObject* sequence, PyObject* value) { return PySequence_Contains(sequence, value); }

// A null-terminated array of C strings from a sequence of bytes; the caller frees it with _Py_FreeCharPArray.
char* const* _PySequence_BytesToCharpArray(PyObject* sequence) {
  Py_ssize_t count = PySequence_Size(sequence);
  if (count < 0) return nullptr;
  auto** array = static_cast<char**>(PyMem_Calloc(static_cast<size_t>(count) + 1, sizeof(char*)));
  if (array == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    auto item = Ref<>::steal(PySequence_GetItem(sequence, i));
    char* text;
    if (!item || PyBytes_AsStringAndSize(item.get(), &text, nullptr) < 0) {
      _Py_FreeCharPArray(array);
      return nullptr;
    }
    size_t size = static_cast<size_t>(PyBytes_GET_SIZE(item.get())) + 1;
    array[i] = static_cast<char*>(PyMem_Malloc(size));
    if (array[i] == nullptr) {
      PyErr_NoMemory();
      _Py_FreeCharPArray(array);
      return nullptr;
    }
    memcpy(array[i], text, size);
  }
  return array;
}

void _Py_FreeCharPArray(char* const array[]) {
  for (Py_ssize_t i = 0; array[i] != nullptr; i++) PyMem_Free(array[i]);
  PyMem_Free(const_cast<char**>(array));
}

}  // extern "C"
