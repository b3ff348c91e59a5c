// PyMember_GetOne and PyMember_SetOne: C struct fields as attributes.
#include "Objects/core/type.h"

#include "pycore_long.h"

#include <climits>
#include <type_traits>

using namespace pyston;

namespace {

template <class T>
T read(const void* address) {
  T value;
  memcpy(&value, address, sizeof(value));
  return value;
}
template <class T>
void write(void* address, T value) {
  memcpy(address, &value, sizeof(value));
}

bool warn_truncated(const char* message) { return PyErr_WarnEx(PyExc_RuntimeWarning, message, 1) >= 0; }

/// An integer field narrower than long: a value out of range is stored truncated, with a warning.
template <class T>
int set_narrow(void* address, PyObject* value, const char* message) {
  long number = PyLong_AsLong(value);
  if (number == -1 && PyErr_Occurred()) return -1;
  write<T>(address, static_cast<T>(number));
  if (static_cast<long>(static_cast<T>(number)) != number && !warn_truncated(message)) return -1;
  return 0;
}

/// unsigned int and unsigned long also take negative values, with a warning.
template <class T>
int set_unsigned(void* address, PyObject* value, const char* truncation) {
  unsigned long number = PyLong_AsUnsignedLong(value);
  if (number == static_cast<unsigned long>(-1) && PyErr_Occurred()) {
    PyErr_Clear();
    long negative = PyLong_AsLong(value);
    if (negative == -1 && PyErr_Occurred()) return -1;
    write<T>(address, static_cast<T>(negative));
    return warn_truncated("Writing negative value into unsigned field") ? 0 : -1;
  }
  write<T>(address, static_cast<T>(number));
  if (static_cast<unsigned long>(static_cast<T>(number)) != number && !warn_truncated(truncation)) return -1;
  return 0;
}

int set_object(char* address, PyMemberDef* member, PyObject* value) {
  auto** field = reinterpret_cast<PyObject**>(address);
  PyObject* old = *field;
  Py_XINCREF(value);
  *field = value;
  Py_XDECREF(old);
  return 0;
}

COLD int bad_member_type(const char* name) {
  PyErr_Format(PyExc_SystemError, "bad memberdescr type for %s", name);
  return -1;
}

}  // namespace

extern "C" {

PyObject* PyMember_GetOne(const char* object, PyMemberDef* member) {
  const char* address = object + member->offset;
  switch (member->type) {
    case T_BOOL: return PyBool_FromLong(read<char>(address));
    case T_BYTE: return PyLong_FromLong(read<signed char>(address));
    case T_UBYTE: return PyLong_FromUnsignedLong(read<unsigned char>(address));
    case T_SHORT: return PyLong_FromLong(read<short>(address));
    case T_USHORT: return PyLong_FromUnsignedLong(read<unsigned short>(address));
    case T_INT: return PyLong_FromLong(read<int>(address));
    case T_UINT: return PyLong_FromUnsignedLong(read<unsigned>(address));
    case T_LONG: return PyLong_FromLong(read<long>(address));
    case T_ULONG: return PyLong_FromUnsignedLong(read<unsigned long>(address));
    case T_PYSSIZET: return PyLong_FromSsize_t(read<Py_ssize_t>(address));
    case T_LONGLONG: return PyLong_FromLongLong(read<long long>(address));
    case T_ULONGLONG: return PyLong_FromUnsignedLongLong(read<unsigned long long>(address));
    case T_FLOAT: return PyFloat_FromDouble(read<float>(address));
    case T_DOUBLE: return PyFloat_FromDouble(read<double>(address));
    case T_STRING: {
      const char* text = read<const char*>(address);
      return text == nullptr ? Ref<>::none().release() : PyUnicode_FromString(text);
    }
    case T_STRING_INPLACE: return PyUnicode_FromString(address);
    case T_CHAR: return PyUnicode_FromStringAndSize(address, 1);
    case T_OBJECT: {
      PyObject* value = read<PyObject*>(address);
      return Py_NewRef(value == nullptr ? Py_None : value);
    }
    case T_OBJECT_EX: {
      PyObject* value = read<PyObject*>(address);
      if (UNLIKELY(value == nullptr)) {
        auto* holder = reinterpret_cast<PyObject*>(const_cast<char*>(object));
        PyErr_Format(PyExc_AttributeError, "'%.200s' object has no attribute '%s'", Py_TYPE(holder)->tp_name,
                     member->name);
        return nullptr;
      }
      return Py_NewRef(value);
    }
    case T_NONE: return Ref<>::none().release();
    default: bad_member_type(member->name); return nullptr;
  }
}

int PyMember_SetOne(char* object, PyMemberDef* member, PyObject* value) {
  char* address = object + member->offset;
  if (member->flags & READONLY) {
    PyErr_SetString(PyExc_AttributeError, "readonly attribute");
    return -1;
  }
  if (value == nullptr) {
    if (member->type == T_OBJECT_EX) {
      if (read<PyObject*>(address) == nullptr) {
        PyErr_SetString(PyExc_AttributeError, member->name);
        return -1;
      }
    } else if (member->type != T_OBJECT) {
      PyErr_SetString(PyExc_TypeError, "can't delete numeric/char attribute");
      return -1;
    }
  }
  switch (member->type) {
    case T_OBJECT:
    case T_OBJECT_EX: return set_object(address, member, value);
    case T_BOOL:
      if (!PyBool_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "attribute value type must be bool");
        return -1;
      }
      write<char>(address, value == Py_True);
      return 0;
    case T_BYTE: return set_narrow<signed char>(address, value, "Truncation of value to char");
    case T_UBYTE: return set_narrow<unsigned char>(address, value, "Truncation of value to unsigned char");
    case T_SHORT: return set_narrow<short>(address, value, "Truncation of value to short");
    case T_USHORT: return set_narrow<unsigned short>(address, value, "Truncation of value to unsigned short");
    case T_INT: return set_narrow<int>(address, value, "Truncation of value to int");
    case T_UINT: return set_unsigned<unsigned>(address, value, "Truncation of value to unsigned int");
    case T_LONG: {
      long number = PyLong_AsLong(value);
      write<long>(address, number);
      return number == -1 && PyErr_Occurred() ? -1 : 0;
    }
    case T_ULONG: return set_unsigned<unsigned long>(address, value, "Truncation of value to unsigned long");
    case T_PYSSIZET: {
      Py_ssize_t number = PyLong_AsSsize_t(value);
      write<Py_ssize_t>(address, number);
      return number == -1 && PyErr_Occurred() ? -1 : 0;
    }
    case T_LONGLONG: {
      long long number = PyLong_AsLongLong(value);
      write<long long>(address, number);
      return number == -1 && PyErr_Occurred() ? -1 : 0;
    }
    case T_ULONGLONG: {
      unsigned long long number =
          PyLong_Check(value) ? PyLong_AsUnsignedLongLong(value) : static_cast<unsigned long long>(PyLong_AsLong(value));
      write<unsigned long long>(address, number);
      return number == static_cast<unsigned long long>(-1) && PyErr_Occurred() ? -1 : 0;
    }
    case T_FLOAT: {
      double number = PyFloat_AsDouble(value);
      if (number == -1 && PyErr_Occurred()) return -1;
      write<float>(address, static_cast<float>(number));
      return 0;
    }
    case T_DOUBLE: {
      double number = PyFloat_AsDouble(value);
      if (number == -1 && PyErr_Occurred()) return -1;
      write<double>(address, number);
      return 0;
    }
    case T_CHAR: {
      Py_ssize_t length;
      const char* text = PyUnicode_AsUTF8AndSize(value, &length);
      if (text == nullptr || length != 1) {
        PyErr_BadArgument();
        return -1;
      }
      *address = text[0];
      return 0;
    }
    case T_STRING:
    case T_STRING_INPLACE: PyErr_SetString(PyExc_TypeError, "readonly attribute"); return -1;
    default: return bad_member_type(member->name);
  }
}

}  // extern "C"
