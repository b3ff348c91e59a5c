// Micro-ops that build, extend and take apart containers.
#pragma once

#include "Interpreter/eval/eval.h"
#include "Interpreter/eval/state.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_list.h"
#include "internal/pycore_tuple.h"
#include "internal/pycore_global_strings.h"

namespace pyston {

ALWAYS_INLINE void drop_items(State& s, int count) {
  while (count-- > 0) Py_DECREF(s.pop());
}

UOP(build_tuple) {
  PyObject* tuple = _PyTuple_FromArraySteal(s.stack_pointer - s.oparg, s.oparg);
  s.shrink(s.oparg);  // stolen on failure too
  if (UNLIKELY(tuple == nullptr)) return kError;
  s.push(tuple);
  return kNext;
}

UOP(build_list) {
  PyObject* list = PyList_New(s.oparg);
  if (UNLIKELY(list == nullptr)) return kError;
  PyObject** items = s.stack_pointer - s.oparg;
  for (int i = 0; i < s.oparg; i++) PyList_SET_ITEM(list, i, items[i]);
  s.shrink(s.oparg);
  s.push(list);
  return kNext;
}

UOP(build_set) {
  PyObject* set = PySet_New(nullptr);
  if (UNLIKELY(set == nullptr)) return kError;
  int status = 0;
  for (int i = s.oparg; i > 0 && status == 0; i--) status = PySet_Add(set, s.peek(i));
  if (UNLIKELY(status != 0)) {
    Py_DECREF(set);
    return kError;
  }
  drop_items(s, s.oparg);
  s.push(set);
  return kNext;
}

UOP(build_map) {
  PyObject** items = s.stack_pointer - 2 * s.oparg;
  PyObject* map = _PyDict_FromItems(items, 2, items + 1, 2, s.oparg);
  if (UNLIKELY(map == nullptr)) return kError;
  drop_items(s, 2 * s.oparg);
  s.push(map);
  return kNext;
}

UOP(build_const_key_map) {
  PyObject* keys = s.peek(1);
  if (UNLIKELY(!PyTuple_CheckExact(keys) || PyTuple_GET_SIZE(keys) != s.oparg)) {
    PyErr_SetString(PyExc_SystemError, "bad BUILD_CONST_KEY_MAP keys argument");
    return kError;
  }
  PyObject* map = _PyDict_FromItems(&PyTuple_GET_ITEM(keys, 0), 1, s.stack_pointer - 1 - s.oparg, 1, s.oparg);
  if (UNLIKELY(map == nullptr)) return kError;
  drop_items(s, s.oparg + 1);
  s.push(map);
  return kNext;
}

UOP(build_string) {
  PyObject* text = _PyUnicode_JoinArray(&_Py_STR(empty), s.stack_pointer - s.oparg, s.oparg);
  if (UNLIKELY(text == nullptr)) return kError;
  drop_items(s, s.oparg);
  s.push(text);
  return kNext;
}

UOP(list_append) {
  PyObject* value = s.pop();
  auto* list = reinterpret_cast<PyListObject*>(s.peek(s.oparg));
  return UNLIKELY(_PyList_AppendTakeRef(list, value) < 0) ? kError : kNext;
}

UOP(set_add) {
  PyObject* value = s.pop();
  int status = PySet_Add(s.peek(s.oparg), value);
  Py_DECREF(value);
  return UNLIKELY(status != 0) ? kError : kNext;
}

UOP(map_add) {
  PyObject* value = s.pop();
  PyObject* key = s.pop();
  // Takes over key and value, on failure too.
  int status = _PyDict_SetItem_Take2(reinterpret_cast<PyDictObject*>(s.peek(s.oparg)), key, value);
  return UNLIKELY(status != 0) ? kError : kNext;
}

UOP(list_extend) {
  PyObject* iterable = s.pop();
  int status = list_extend(s.tstate, s.peek(s.oparg), iterable);
  Py_DECREF(iterable);
  return UNLIKELY(status < 0) ? kError : kNext;
}

UOP(set_update) {
  PyObject* iterable = s.pop();
  int status = _PySet_Update(s.peek(s.oparg), iterable);
  Py_DECREF(iterable);
  return UNLIKELY(status < 0) ? kError : kNext;
}

UOP(dict_update) {
  PyObject* update = s.pop();
  int status = dict_update(s.tstate, s.peek(s.oparg), update);
  Py_DECREF(update);
  return UNLIKELY(status < 0) ? kError : kNext;
}

UOP(dict_merge) {
  PyObject* update = s.pop();
  int status = _PyDict_MergeEx(s.peek(s.oparg), update, 2);
  if (UNLIKELY(status < 0)) format_kwargs_error(s.tstate, s.peek(2 + s.oparg), update);
  Py_DECREF(update);
  return UNLIKELY(status < 0) ? kError : kNext;
}

UOP(list_to_tuple) {
  PyObject* list = s.pop();
  PyObject* tuple = PyList_AsTuple(list);
  Py_DECREF(list);
  if (UNLIKELY(tuple == nullptr)) return kError;
  s.push(tuple);
  return kNext;
}

UOP(unpack_sequence) {
  PyObject* sequence = s.pop();
  PyObject** top = s.stack_pointer + s.oparg;
  bool done = unpack_iterable(s.tstate, sequence, s.oparg, -1, top);
  Py_DECREF(sequence);
  if (UNLIKELY(!done)) return kError;
  s.stack_pointer = top;
  return kNext;
}

UOP(unpack_ex) {
  PyObject* sequence = s.pop();
  int before = s.oparg & 0xff;
  int after = s.oparg >> 8;
  PyObject** top = s.stack_pointer + before + 1 + after;
  bool done = unpack_iterable(s.tstate, sequence, before, after, top);
  Py_DECREF(sequence);
  if (UNLIKELY(!done)) return kError;
  s.stack_pointer = top;
  return kNext;
}

UOP(get_len) {
  Py_ssize_t length = PyObject_Length(s.peek(1));
  if (UNLIKELY(length < 0)) return kError;
  PyObject* result = PyLong_FromSsize_t(length);
  if (UNLIKELY(result == nullptr)) return kError;
  s.push(result);
  return kNext;
}

UOP(match_mapping) {
  s.push(Py_NewRef(Py_TYPE(s.peek(1))->tp_flags & Py_TPFLAGS_MAPPING ? Py_True : Py_False));
  return kNext;
}

UOP(match_sequence) {
  s.push(Py_NewRef(Py_TYPE(s.peek(1))->tp_flags & Py_TPFLAGS_SEQUENCE ? Py_True : Py_False));
  return kNext;
}

UOP(match_keys) {
  PyObject* values = match_keys(s.tstate, s.peek(2), s.peek(1));
  if (UNLIKELY(values == nullptr)) return kError;
  s.push(values);
  return kNext;
}

UOP(match_class) {
  PyObject* names = s.pop();
  PyObject* type = s.pop();
  PyObject* subject = s.peek(1);
  PyObject* attributes = match_class(s.tstate, subject, type, s.oparg, names);
  Py_DECREF(names);
  Py_DECREF(type);
  if (attributes == nullptr) {
    if (UNLIKELY(_PyErr_Occurred(s.tstate) != nullptr)) return kError;
    attributes = Py_NewRef(Py_None);
  }
  s.peek(1) = attributes;
  Py_DECREF(subject);
  return kNext;
}

}  // namespace pyston
