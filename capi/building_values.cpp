// Py_BuildValue and its relatives: Python values from C variables as a format string says; and the helpers of
// `modsupport.h` that fill modules.
#include <cstdarg>
#include <cstring>

#include "Runtime/python.h"
#undef Py_BuildValue
#undef Py_VaBuildValue
#undef _Py_VaBuildStack
#include "Runtime/refs/ref.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_pystate.h"

extern "C" {
PyAPI_FUNC(PyObject*) Py_BuildValue(const char*, ...);
PyAPI_FUNC(PyObject*) _Py_BuildValue_SizeT(const char*, ...);
PyAPI_FUNC(PyObject*) Py_VaBuildValue(const char*, va_list);
PyAPI_FUNC(PyObject*) _Py_VaBuildValue_SizeT(const char*, va_list);
PyAPI_FUNC(PyObject**) _Py_VaBuildStack(PyObject**, Py_ssize_t, const char*, va_list, Py_ssize_t*);
PyAPI_FUNC(PyObject**) _Py_VaBuildStack_SizeT(PyObject**, Py_ssize_t, const char*, va_list, Py_ssize_t*);
}

const char* _Py_PackageContext = nullptr;

namespace {

using pyston::Ref;

/// Number of values in the format up to `end`, -1 with SystemError for unbalanced brackets.
Py_ssize_t count_values(const char* format, char end) {
  Py_ssize_t count = 0;
  int depth = 0;
  for (; depth > 0 || *format != end; format++) {
    switch (*format) {
      case '\0':
        PyErr_SetString(PyExc_SystemError, "unmatched paren in format");
        return -1;
      case '(': case '[': case '{':
        if (depth == 0) count++;
        depth++;
        break;
      case ')': case ']': case '}': depth--; break;
      case '#': case '&': case ',': case ':': case ' ': case '\t': break;
      default:
        if (depth == 0) count++;
    }
  }
  return count;
}

class Builder {
 public:
  Builder(const char* format, va_list* arguments, bool clean) : format_(format), arguments_(arguments), clean_(clean) {}

  Ref<> build() {
    const Py_ssize_t count = count_values(format_, '\0');
    if (count < 0) return nullptr;
    if (count == 0) return Ref<>::none();
    if (count == 1) return value();
    return tuple('\0', count);
  }

  /// Fills `out` with `count` new references; on failure everything is released and false returned.
  bool build_stack(PyObject** out, Py_ssize_t count) {
    bool good = true;
    for (Py_ssize_t i = 0; i < count; i++) {
      // A failure must still consume the remaining arguments: "N" ones are owned by this call.
      out[i] = guarded_value(good);
      good = good && out[i] != nullptr;
    }
    if (good && close('\0')) return true;
    for (Py_ssize_t i = 0; i < count; i++) Py_XDECREF(out[i]);
    return false;
  }

 private:
  /// New reference or null; with a pending exception the value is built and dropped around it.
  PyObject* guarded_value(bool good) {
    if (good) return value().release();
    PyObject *type, *exception, *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    Ref<> dropped = value();
    PyErr_Clear();
    PyErr_Restore(type, exception, traceback);
    return nullptr;
  }

  template <class Store>
  bool fill(Py_ssize_t count, Store store) {
    bool good = true;
    for (Py_ssize_t i = 0; i < count; i++) {
      PyObject* item = guarded_value(good);
      if (item == nullptr) {
        good = false;
      } else {
        store(i, item);
      }
    }
    return good;
  }

  bool close(char end) {
    if (*format_ != end) {
      PyErr_SetString(PyExc_SystemError, "Unmatched paren in format");
      return false;
    }
    if (end != '\0') format_++;
    return true;
  }

  Ref<> tuple(char end, Py_ssize_t count) {
    if (count < 0) return nullptr;
    Ref<> result = Ref<>::steal(PyTuple_New(count));
    if (!result) return nullptr;
    if (!fill(count, [&](Py_ssize_t i, PyObject* item) { PyTuple_SET_ITEM(result.get(), i, item); })) return nullptr;
    return close(end) ? std::move(result) : Ref<>();
  }

  Ref<> list(Py_ssize_t count) {
    if (count < 0) return nullptr;
    Ref<> result = Ref<>::steal(PyList_New(count));
    if (!result) return nullptr;
    if (!fill(count, [&](Py_ssize_t i, PyObject* item) { PyList_SET_ITEM(result.get(), i, item); })) return nullptr;
    return close(']') ? std::move(result) : Ref<>();
  }

  Ref<> dict(Py_ssize_t count) {
    if (count < 0) return nullptr;
    if (count % 2 != 0) {
      PyErr_SetString(PyExc_SystemError, "Bad dict format");
      return nullptr;
    }
    Ref<> result = Ref<>::steal(PyDict_New());
    if (!result) return nullptr;
    Ref<> key;
    bool stored = true;
    const bool good = fill(count, [&](Py_ssize_t i, PyObject* item) {
      if (i % 2 == 0) {
        key = Ref<>::steal(item);
      } else {
        stored = stored && PyDict_SetItem(result.get(), key.get(), item) == 0;
        Py_DECREF(item);
      }
    });
    if (!good || !stored) return nullptr;
    return close('}') ? std::move(result) : Ref<>();
  }

  /// Length behind a `#`, -1 for a NUL-terminated string.
  bool length(Py_ssize_t* out) {
    *out = -1;
    if (*format_ != '#') return true;
    format_++;
    if (!clean_) {
      (void)va_arg(*arguments_, int);  // stays in step for the units that follow
      PyErr_SetString(PyExc_SystemError, "PY_SSIZE_T_CLEAN macro must be defined for '#' formats");
      return false;
    }
    *out = va_arg(*arguments_, Py_ssize_t);
    return true;
  }

  template <class Character, class Make>
  Ref<> text(Make make) {
    auto* characters = va_arg(*arguments_, const Character*);
    Py_ssize_t size;
    if (!length(&size)) return nullptr;
    if (characters == nullptr) return Ref<>::none();
    return Ref<>::steal(make(characters, size));
  }

  static PyObject* utf8(const char* characters, Py_ssize_t size) {
    if (size < 0) {
      const size_t measured = strlen(characters);
      if (measured > PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "string too long for Python string");
        return nullptr;
      }
      size = static_cast<Py_ssize_t>(measured);
    }
    return PyUnicode_FromStringAndSize(characters, size);
  }

  Ref<> object(char unit) {
    if (*format_ == '&') {
      format_++;
      using Convert = PyObject* (*)(void*);
      Convert convert = va_arg(*arguments_, Convert);
      void* argument = va_arg(*arguments_, void*);
      return Ref<>::steal(convert(argument));
    }
    PyObject* value = va_arg(*arguments_, PyObject*);
    if (value == nullptr) {
      if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "NULL object passed to Py_BuildValue");
      return nullptr;
    }
    return unit == 'N' ? Ref<>::steal(value) : Ref<>::dup(value);
  }

  Ref<> value() {
    while (true) {
      const char unit = *format_++;
      switch (unit) {
        case '(': return tuple(')', count_values(format_, ')'));
        case '[': return list(count_values(format_, ']'));
        case '{': return dict(count_values(format_, '}'));
        case 'b': case 'B': case 'h': case 'i': return Ref<>::steal(PyLong_FromLong(va_arg(*arguments_, int)));
        case 'H': return Ref<>::steal(PyLong_FromLong(static_cast<long>(va_arg(*arguments_, unsigned))));
        case 'I': return Ref<>::steal(PyLong_FromUnsignedLong(va_arg(*arguments_, unsigned)));
        case 'n': return Ref<>::steal(PyLong_FromSsize_t(va_arg(*arguments_, Py_ssize_t)));
        case 'l': return Ref<>::steal(PyLong_FromLong(va_arg(*arguments_, long)));
        case 'k': return Ref<>::steal(PyLong_FromUnsignedLong(va_arg(*arguments_, unsigned long)));
        case 'L': return Ref<>::steal(PyLong_FromLongLong(va_arg(*arguments_, long long)));
        case 'K': return Ref<>::steal(PyLong_FromUnsignedLongLong(va_arg(*arguments_, unsigned long long)));
        case 'u':
          return text<wchar_t>([](const wchar_t* characters, Py_ssize_t size) {
            return PyUnicode_FromWideChar(characters, size);
          });
        case 'f': case 'd': return Ref<>::steal(PyFloat_FromDouble(va_arg(*arguments_, double)));
        case 'D': return Ref<>::steal(PyComplex_FromCComplex(*va_arg(*arguments_, Py_complex*)));
        case 'c': {
          const char byte = static_cast<char>(va_arg(*arguments_, int));
          return Ref<>::steal(PyBytes_FromStringAndSize(&byte, 1));
        }
        case 'C': return Ref<>::steal(PyUnicode_FromOrdinal(va_arg(*arguments_, int)));
        case 's': case 'z': case 'U': return text<char>(utf8);
        case 'y':
          return text<char>([](const char* bytes, Py_ssize_t size) {
            return PyBytes_FromStringAndSize(bytes, size < 0 ? static_cast<Py_ssize_t>(strlen(bytes)) : size);
          });
        case 'N': case 'S': case 'O': return object(unit);
        case ':': case ',': case ' ': case '\t': continue;
        default:
          PyErr_SetString(PyExc_SystemError, "bad format char passed to Py_BuildValue");
          return nullptr;
      }
    }
  }

  const char* format_;
  va_list* arguments_;
  bool clean_;
};

PyObject* build(const char* format, va_list source, bool clean) {
  va_list arguments;
  va_copy(arguments, source);
  PyObject* result = Builder(format, &arguments, clean).build().release();
  va_end(arguments);
  return result;
}

PyObject** build_stack(PyObject** small, Py_ssize_t small_size, const char* format, va_list source, bool clean,
                       Py_ssize_t* count_out) {
  const Py_ssize_t count = count_values(format, '\0');
  if (count <= 0) {
    *count_out = 0;
    return count == 0 ? small : nullptr;
  }
  PyObject** stack = count <= small_size ? small : static_cast<PyObject**>(PyMem_Malloc(count * sizeof(PyObject*)));
  if (stack == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  va_list arguments;
  va_copy(arguments, source);
  const bool good = Builder(format, &arguments, clean).build_stack(stack, count);
  va_end(arguments);
  if (!good) {
    if (stack != small) PyMem_Free(stack);
    return nullptr;
  }
  *count_out = count;
  return stack;
}

}  // namespace

PyObject* Py_BuildValue(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  PyObject* result = build(format, arguments, false);
  va_end(arguments);
  return result;
}
PyObject* _Py_BuildValue_SizeT(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  PyObject* result = build(format, arguments, true);
  va_end(arguments);
  return result;
}
PyObject* Py_VaBuildValue(const char* format, va_list arguments) { return build(format, arguments, false); }
PyObject* _Py_VaBuildValue_SizeT(const char* format, va_list arguments) { return build(format, arguments, true); }
PyObject** _Py_VaBuildStack(PyObject** small, Py_ssize_t size, const char* format, va_list arguments, Py_ssize_t* count) {
  return build_stack(small, size, format, arguments, false, count);
}
PyObject** _Py_VaBuildStack_SizeT(PyObject** small, Py_ssize_t size, const char* format, va_list arguments,
                                  Py_ssize_t* count) {
  return build_stack(small, size, format, arguments, true, count);
}

// ---- filling modules --------------------------------------------------------------------------------------------------

int PyModule_AddObjectRef(PyObject* module, const char* name, PyObject* value) {
  if (!PyModule_Check(module)) {
    PyErr_SetString(PyExc_TypeError, "PyModule_AddObjectRef() first argument must be a module");
    return -1;
  }
  if (value == nullptr) {
    if (!PyErr_Occurred()) {
      PyErr_SetString(PyExc_SystemError,
                      "PyModule_AddObjectRef() must be called with an exception raised if value is NULL");
    }
    return -1;
  }
  PyObject* dict = PyModule_GetDict(module);
  if (dict == nullptr) {
    PyErr_Format(PyExc_SystemError, "module '%s' has no __dict__", PyModule_GetName(module));
    return -1;
  }
  return PyDict_SetItemString(dict, name, value);
}

/// Steals `value` on success only.
int PyModule_AddObject(PyObject* module, const char* name, PyObject* value) {
  const int result = PyModule_AddObjectRef(module, name, value);
  if (result == 0) Py_XDECREF(value);
  return result;
}

int PyModule_AddIntConstant(PyObject* module, const char* name, long value) {
  PyObject* object = PyLong_FromLong(value);
  if (object == nullptr) return -1;
  const int result = PyModule_AddObjectRef(module, name, object);
  Py_DECREF(object);
  return result;
}

int PyModule_AddStringConstant(PyObject* module, const char* name, const char* value) {
  PyObject* object = PyUnicode_FromString(value);
  if (object == nullptr) return -1;
  const int result = PyModule_AddObjectRef(module, name, object);
  Py_DECREF(object);
  return result;
}

int PyModule_AddType(PyObject* module, PyTypeObject* type) {
  if (PyType_Ready(type) < 0) return -1;
  return PyModule_AddObjectRef(module, _PyType_Name(type), reinterpret_cast<PyObject*>(type));
}
