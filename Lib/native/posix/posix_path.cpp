// Converting path, descriptor and id arguments; __fspath__.
#include <fcntl.h>
#include <string.h>

#include "Lib/native/posix/posix_internal.h"
#include "internal/pycore_object.h"

namespace pyston::posix {

Ref<> fspath(PyObject* path) {
  if (PyUnicode_Check(path) || PyBytes_Check(path)) return Ref<>::dup(path);
  Ref<> method = Ref<>::steal(_PyObject_LookupSpecial(path, &_Py_ID(__fspath__)));
  if (!method || method.get() == Py_None) {
    if (PyErr_Occurred()) return nullptr;
    return raise(PyExc_TypeError, "expected str, bytes or os.PathLike object, not %.200s",
                 _PyType_Name(Py_TYPE(path)));
  }
  auto result = VM_TRY(Ref<>::steal(PyObject_CallNoArgs(method.get())));
  if (!PyUnicode_Check(result.get()) && !PyBytes_Check(result.get())) {
    return raise(PyExc_TypeError, "expected %.200s.__fspath__() to return str or bytes, not %.200s",
                 _PyType_Name(Py_TYPE(path)), _PyType_Name(Py_TYPE(result.get())));
  }
  return result;
}

bool convert_dir_fd(PyObject* value, int& out) {
  if (value == Py_None) {
    out = AT_FDCWD;
    return true;
  }
  if (!PyIndex_Check(value)) {
    PyErr_Format(PyExc_TypeError, "argument should be integer or None, not %.200s", _PyType_Name(Py_TYPE(value)));
    return false;
  }
  Ref<> index = Ref<>::steal(PyNumber_Index(value));
  if (!index) return false;
  int overflow = 0;
  const long number = PyLong_AsLongAndOverflow(index.get(), &overflow);
  if (overflow > 0 || number > INT_MAX) {
    PyErr_SetString(PyExc_OverflowError, "fd is greater than maximum");
    return false;
  }
  if (overflow < 0 || number < INT_MIN) {
    PyErr_SetString(PyExc_OverflowError, "fd is less than minimum");
    return false;
  }
  out = static_cast<int>(number);
  return true;
}

bool convert_path(const char* function, const char* argument, PyObject* value, int kind, Path& out) {
  if (value == nullptr || (value == Py_None && (kind & kNullable))) {
    out.object = nullptr;
    return true;
  }
  out.object = value;
  if ((kind & kAllowFd) && PyIndex_Check(value)) return convert_dir_fd(value, out.fd);
  PyObject* source = value;
  if (!PyUnicode_Check(value) && !PyBytes_Check(value)) {
    Ref<> method = Ref<>::steal(_PyObject_LookupSpecial(value, &_Py_ID(__fspath__)));
    Ref<> resolved;
    bool converted_buffer = false;
    if (!method || method.get() == Py_None) {
      if (PyErr_Occurred()) return false;
      const char* accepted = (kind & kAllowFd) && (kind & kNullable) ? "string, bytes, os.PathLike, integer or None"
                             : (kind & kAllowFd)                     ? "string, bytes, os.PathLike or integer"
                             : (kind & kNullable)                    ? "string, bytes, os.PathLike or None"
                                                                     : "string, bytes or os.PathLike";
      // Other bytes-like objects are accepted with a warning.
      const bool has_buffer = PyObject_CheckBuffer(value);
      if (!has_buffer) {
        PyErr_Format(PyExc_TypeError, "%s: %s should be %s, not %.200s", function, argument, accepted,
                     _PyType_Name(Py_TYPE(value)));
        return false;
      }
      if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "%s: %s should be %s, not %.200s", function, argument, accepted,
                           _PyType_Name(Py_TYPE(value))) < 0) {
        return false;
      }
      resolved = Ref<>::steal(PyBytes_FromObject(value));
      converted_buffer = true;
    } else {
      resolved = Ref<>::steal(PyObject_CallNoArgs(method.get()));
    }
    if (!resolved) return false;
    if (!PyUnicode_Check(resolved.get()) && !PyBytes_Check(resolved.get())) {
      PyErr_Format(PyExc_TypeError, "expected %.200s.__fspath__() to return str or bytes, not %.200s",
                   _PyType_Name(Py_TYPE(value)), _PyType_Name(Py_TYPE(resolved.get())));
      return false;
    }
    out.keep_object = std::move(resolved);
    source = out.keep_object.get();
    if (!converted_buffer) out.object = source;  // errors name what the caller passed
  }
  Py_ssize_t length;
  if (PyUnicode_Check(source)) {
    if (PyUnicode_IS_COMPACT_ASCII(source)) {
      out.narrow = reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(source));
      length = PyUnicode_GET_LENGTH(source);
    } else {
      out.keep_bytes = Ref<>::steal(PyUnicode_EncodeFSDefault(source));
      if (!out.keep_bytes) return false;
      out.narrow = PyBytes_AS_STRING(out.keep_bytes.get());
      length = PyBytes_GET_SIZE(out.keep_bytes.get());
    }
  } else {
    out.is_bytes = true;
    out.narrow = PyBytes_AS_STRING(source);
    length = PyBytes_GET_SIZE(source);
  }
  if (strlen(out.narrow) != static_cast<size_t>(length)) {
    if (out.is_bytes) {
      PyErr_Format(PyExc_ValueError, "%s: embedded null character in %s", function, argument);
    } else {
      PyErr_SetString(PyExc_ValueError, "embedded null byte");
    }
    return false;
  }
  return true;
}

Failure error() {
  PyErr_SetFromErrno(PyExc_OSError);
  return {};
}
Failure error_with_path(const Path& path) {
  PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path.object == nullptr ? Py_None : path.object);
  return {};
}
Failure error_with_paths(const Path& first, const Path& second) {
  PyErr_SetFromErrnoWithFilenameObjects(PyExc_OSError, first.object, second.object);
  return {};
}

Ref<> from_uid(uid_t id) {
  return Ref<>::steal(id == static_cast<uid_t>(-1) ? PyLong_FromLong(-1) : PyLong_FromUnsignedLong(id));
}
Ref<> from_gid(gid_t id) { return from_uid(id); }

Ref<> decode_like(const Path& path, const char* name, Py_ssize_t length) {
  return path.is_bytes ? Ref<>::steal(PyBytes_FromStringAndSize(name, length))
                       : Ref<>::steal(PyUnicode_DecodeFSDefaultAndSize(name, length));
}

StringArray::~StringArray() {
  for (Py_ssize_t i = 0; i < count_; i++) PyMem_Free(items_[i]);
  PyMem_Free(items_);
}

bool StringArray::reserve(Py_ssize_t count) {
  items_ = static_cast<char**>(PyMem_Calloc(count + 1, sizeof(char*)));
  if (items_ == nullptr) PyErr_NoMemory();
  return items_ != nullptr;
}

bool StringArray::append(PyObject* value) {
  PyObject* bytes = nullptr;
  if (!PyUnicode_FSConverter(value, &bytes)) return false;
  const Py_ssize_t size = PyBytes_GET_SIZE(bytes) + 1;
  char* copy = static_cast<char*>(PyMem_Malloc(size));
  if (copy == nullptr) {
    PyErr_NoMemory();
  } else {
    memcpy(copy, PyBytes_AS_STRING(bytes), size);
    items_[count_++] = copy;
  }
  Py_DECREF(bytes);
  return copy != nullptr;
}

bool StringArray::from_sequence(PyObject* sequence, const char*) {
  const Py_ssize_t count = PySequence_Size(sequence);
  if (count < 0 || !reserve(count)) return false;
  for (Py_ssize_t i = 0; i < count; i++) {
    Ref<> item = Ref<>::steal(PySequence_GetItem(sequence, i));
    if (!item || !append(item.get())) return false;
  }
  return true;
}

bool StringArray::from_environment(PyObject* mapping) {
  const Py_ssize_t count = PyMapping_Size(mapping);
  if (count < 0 || !reserve(count)) return false;
  Ref<> keys = Ref<>::steal(PyMapping_Keys(mapping));
  Ref<> values = keys ? Ref<>::steal(PyMapping_Values(mapping)) : nullptr;
  if (!values) return false;
  if (!PyList_Check(keys.get()) || !PyList_Check(values.get())) {
    PyErr_SetString(PyExc_TypeError, "env.keys() or env.values() is not a list");
    return false;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* raw_key = nullptr;
    PyObject* raw_value = nullptr;
    if (i >= PyList_GET_SIZE(keys.get()) || i >= PyList_GET_SIZE(values.get())) break;
    if (!PyUnicode_FSConverter(PyList_GET_ITEM(keys.get(), i), &raw_key)) return false;
    Ref<> key = Ref<>::steal(raw_key);
    if (!PyUnicode_FSConverter(PyList_GET_ITEM(values.get(), i), &raw_value)) return false;
    Ref<> value = Ref<>::steal(raw_value);
    if (strchr(PyBytes_AS_STRING(raw_key) + (PyBytes_GET_SIZE(raw_key) > 0), '=') != nullptr) {
      PyErr_SetString(PyExc_ValueError, "illegal environment variable name");
      return false;
    }
    Ref<> pair = Ref<>::steal(
        PyBytes_FromFormat("%s=%s", PyBytes_AS_STRING(raw_key), PyBytes_AS_STRING(raw_value)));
    if (!pair || !append(pair.get())) return false;
  }
  return true;
}

namespace {

/// -1 means "unchanged"; other negative or too large values overflow.
bool convert_id(PyObject* value, const char* kind, unsigned& out) {
  Ref<> index = Ref<>::steal(PyNumber_Index(value));
  if (!index) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Format(PyExc_TypeError, "%s should be integer, not %.200s", kind, _PyType_Name(Py_TYPE(value)));
    }
    return false;
  }
  int overflow;
  const long number = PyLong_AsLongAndOverflow(index.get(), &overflow);
  if (overflow == 0 && number == -1) {
    out = static_cast<unsigned>(-1);
    return true;
  }
  // QUIRK: what fits a long but not an id is "less than minimum" on both sides.
  if (overflow < 0 || (overflow == 0 && (number < 0 || number > static_cast<long>(UINT_MAX)))) {
    PyErr_Format(PyExc_OverflowError, "%s is less than minimum", kind);
    return false;
  }
  if (overflow > 0) {
    PyErr_Format(PyExc_OverflowError, "%s is greater than maximum", kind);
    return false;
  }
  out = static_cast<unsigned>(number);
  return true;
}

}  // namespace
}  // namespace pyston::posix

namespace pyston::binding {
bool convert_uid(PyObject* value, posix::UserId& out) { return posix::convert_id(value, "uid", out.id); }
bool convert_gid(PyObject* value, posix::GroupId& out) { return posix::convert_id(value, "gid", out.id); }
}  // namespace pyston::binding

PyObject* PyOS_FSPath(PyObject* path) { return pyston::posix::fspath(path).release(); }

extern "C" {
PyAPI_FUNC(PyObject*) _PyLong_FromUid(uid_t id) { return pyston::posix::from_uid(id).release(); }
PyAPI_FUNC(PyObject*) _PyLong_FromGid(gid_t id) { return pyston::posix::from_gid(id).release(); }
PyAPI_FUNC(int) _Py_Uid_Converter(PyObject* value, uid_t* out) {
  return pyston::posix::convert_id(value, "uid", *out);
}
PyAPI_FUNC(int) _Py_Gid_Converter(PyObject* value, gid_t* out) {
  return pyston::posix::convert_id(value, "gid", *out);
}
}
