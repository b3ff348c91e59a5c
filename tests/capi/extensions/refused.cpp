// A C++ extension that asks for memory which it doesn't get: operator new throws what this module can catch, after its new-handler.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <new>

namespace {

int handler_calls = 0;

void handler() {
  if (++handler_calls == 2) std::set_new_handler(nullptr);
}

struct alignas(64) Wide {
  char bytes[64];
};

/// What comes of `new Item[count]`.
template <class Item>
const char* outcome(size_t count) {
  try {
    Item* volatile items = new Item[count];  // volatile: a pair of new and delete may be left out
    delete[] items;
    return "allocated";
  } catch (const std::bad_alloc&) {
    return "bad_alloc";
  } catch (...) {
    return "something else";
  }
}

PyObject* allocate(PyObject*, PyObject* argument) {
  const size_t size = PyLong_AsSize_t(argument);
  if (PyErr_Occurred()) return nullptr;
  char* volatile plain = new (std::nothrow) char[size];
  const bool without = plain == nullptr;
  delete[] plain;
  const char* first = outcome<char>(size);
  handler_calls = 0;
  std::set_new_handler(handler);
  const char* second = outcome<char>(size);
  std::set_new_handler(nullptr);
  return Py_BuildValue("ssisi", first, second, handler_calls, outcome<Wide>(size / 64), without);
}

PyMethodDef methods[] = {{"allocate", allocate, METH_O, nullptr}, {}};
PyModuleDef module = {PyModuleDef_HEAD_INIT, "refused", nullptr, 0, methods};

}  // namespace

PyMODINIT_FUNC PyInit_refused() { return PyModule_Create(&module); }
