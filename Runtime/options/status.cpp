// PyStatus and PyWideStringList: the two value types of the initialisation API (PEP 587).
#include <wchar.h>

#include "Runtime/options/options.h"
#include "Runtime/refs/ref.h"

using namespace pyston::options;

namespace pyston::options {

PyStatus assign(wchar_t** field, const wchar_t* value) {
  wchar_t* copy = nullptr;
  if (value != nullptr) {
    const size_t size = (wcslen(value) + 1) * sizeof(wchar_t);
    copy = static_cast<wchar_t*>(PyMem_RawMalloc(size));
    if (copy == nullptr) return status_no_memory(__func__);
    memcpy(copy, value, size);
  }
  PyMem_RawFree(*field);
  *field = copy;
  return status_ok();
}

PyStatus assign_decoded(wchar_t** field, const char* value) {
  wchar_t* decoded = nullptr;
  if (value != nullptr) {
    size_t length;
    decoded = Py_DecodeLocale(value, &length);
    if (decoded == nullptr) {
      return length == static_cast<size_t>(-2) ? status_error(__func__, "cannot decode string")
                                               : status_no_memory(__func__);
    }
  }
  PyMem_RawFree(*field);
  *field = decoded;
  return status_ok();
}

}  // namespace pyston::options

PyStatus PyStatus_Ok(void) { return status_ok(); }
PyStatus PyStatus_Error(const char* message) { return status_error(nullptr, message); }
PyStatus PyStatus_NoMemory(void) { return status_no_memory(nullptr); }
PyStatus PyStatus_Exit(int code) { return status_exit(code); }
int PyStatus_IsError(PyStatus status) { return status._type == PyStatus::_PyStatus_TYPE_ERROR; }
int PyStatus_IsExit(PyStatus status) { return status._type == PyStatus::_PyStatus_TYPE_EXIT; }
int PyStatus_Exception(PyStatus status) { return is_exception(status); }

PyObject* _PyErr_SetFromPyStatus(PyStatus status) {
  if (!PyStatus_IsError(status)) {
    PyErr_SetString(PyExc_SystemError, "an initialisation status that is no error was turned into an exception");
  } else if (status.err_msg != nullptr && strcmp(status.err_msg, "memory allocation failed") == 0) {
    PyErr_NoMemory();
  } else {
    PyErr_Format(PyExc_ValueError, "%s", status.err_msg);
  }
  return nullptr;
}

void _PyWideStringList_Clear(PyWideStringList* list) {
  for (Py_ssize_t i = 0; i < list->length; i++) PyMem_RawFree(list->items[i]);
  PyMem_RawFree(list->items);
  list->length = 0;
  list->items = nullptr;
}

int _PyWideStringList_Copy(PyWideStringList* list, const PyWideStringList* source) {
  PyWideStringList copy{};
  for (Py_ssize_t i = 0; i < source->length; i++) {
    if (is_exception(PyWideStringList_Append(&copy, source->items[i]))) {
      _PyWideStringList_Clear(&copy);
      return -1;
    }
  }
  _PyWideStringList_Clear(list);
  *list = copy;
  return 0;
}

PyStatus PyWideStringList_Insert(PyWideStringList* list, Py_ssize_t index, const wchar_t* item) {
  if (index < 0) return status_error(__func__, "PyWideStringList_Insert index must be >= 0");
  if (index > list->length) index = list->length;
  wchar_t* copy = nullptr;
  STATUS_TRY(assign(&copy, item));
  auto** items =
      static_cast<wchar_t**>(PyMem_RawRealloc(list->items, (list->length + 1) * sizeof(wchar_t*)));
  if (items == nullptr) {
    PyMem_RawFree(copy);
    return status_no_memory(__func__);
  }
  memmove(items + index + 1, items + index, (list->length - index) * sizeof(wchar_t*));
  items[index] = copy;
  list->items = items;
  list->length++;
  return status_ok();
}

PyStatus PyWideStringList_Append(PyWideStringList* list, const wchar_t* item) {
  return PyWideStringList_Insert(list, list->length, item);
}

PyStatus _PyWideStringList_Extend(PyWideStringList* list, const PyWideStringList* other) {
  for (Py_ssize_t i = 0; i < other->length; i++) STATUS_TRY(PyWideStringList_Append(list, other->items[i]));
  return status_ok();
}

PyObject* _PyWideStringList_AsList(const PyWideStringList* list) {
  PyObject* result = PyList_New(list->length);
  if (result == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < list->length; i++) {
    PyObject* item = PyUnicode_FromWideChar(list->items[i], -1);
    if (item == nullptr) {
      Py_DECREF(result);
      return nullptr;
    }
    PyList_SET_ITEM(result, i, item);
  }
  return result;
}

#ifndef NDEBUG
int _PyWideStringList_CheckConsistency(const PyWideStringList* list) {
  return list->length >= 0 && (list->length == 0 || list->items != nullptr);
}
#endif

PyStatus _PyArgv_AsWstrList(const _PyArgv* args, PyWideStringList* list) {
  PyWideStringList result{};
  for (Py_ssize_t i = 0; i < args->argc; i++) {
    wchar_t* decoded = nullptr;
    PyStatus status = args->use_bytes_argv ? assign_decoded(&decoded, args->bytes_argv[i])
                                           : assign(&decoded, args->wchar_argv[i]);
    if (!is_exception(status)) status = PyWideStringList_Append(&result, decoded);
    PyMem_RawFree(decoded);
    if (is_exception(status)) {
      _PyWideStringList_Clear(&result);
      return status;
    }
  }
  _PyWideStringList_Clear(list);
  *list = result;
  return status_ok();
}

int _Py_str_to_int(const char* text, int* result) {
  char* end;
  errno = 0;
  const long value = strtol(text, &end, 10);
  if (*end != '\0' || errno == ERANGE || value < INT_MIN || value > INT_MAX) return -1;
  *result = static_cast<int>(value);
  return 0;
}

const wchar_t* _Py_get_xoption(const PyWideStringList* xoptions, const wchar_t* name) {
  const size_t length = wcslen(name);
  for (Py_ssize_t i = 0; i < xoptions->length; i++) {
    const wchar_t* option = xoptions->items[i];
    if (wcsncmp(option, name, length) == 0 && (option[length] == L'\0' || option[length] == L'=')) return option;
  }
  return nullptr;
}

const char* _Py_GetEnv(int use_environment, const char* name) {
  if (!use_environment) return nullptr;
  const char* value = getenv(name);
  return value != nullptr && value[0] != '\0' ? value : nullptr;
}

void _Py_get_env_flag(int use_environment, int* flag, const char* name) {
  const char* text = _Py_GetEnv(use_environment, name);
  if (text == nullptr) return;
  int value;
  if (_Py_str_to_int(text, &value) < 0 || value < 0) value = 1;  // PYTHONDEBUG=text counts as 1
  if (*flag < value) *flag = value;
}
