// Shared by generator.cpp and async_generator.cpp. Raw pointers: arguments borrowed, results new, null: exception set.
#pragma once

#include "Objects/bind.h"
#include "Objects/callables/generator.h"

namespace pyston {

inline constexpr Py_ssize_t kGeneratorBasicSize =
    offsetof(PyGenObject, gi_iframe) + offsetof(_PyInterpreterFrame, localsplus);

/// What resuming means: a value is sent, the pending exception is thrown, or thrown by close() (which is silent when
/// there is nothing left to close).
enum class SendMode { kValue, kThrow, kClose };

PySendResult generator_send(PyGenObject* generator, PyObject* value, PyObject** result, SendMode mode);
PyObject* generator_send_raising(PyGenObject* generator, PyObject* value, SendMode mode);
PyObject* generator_method_send(PyGenObject* generator, PyObject* value);
PyObject* generator_method_throw(PyGenObject* generator, PyObject* const* args, Py_ssize_t nargs);
/// `close_on_exit`: GeneratorExit closes the iterator that is delegated to instead of being thrown into it.
PyObject* generator_throw(PyGenObject* generator, bool close_on_exit, PyObject* type, PyObject* value,
                          PyObject* traceback);
PyObject* generator_close(PyGenObject* generator);
PySendResult generator_am_send(PyObject* self, PyObject* value, PyObject** result);

int generator_traverse(PyGenObject* self, visitproc visit, void* arg);
void generator_dealloc(PyGenObject* self);
Ref<> generator_get_name(Borrowed<PyGenObject> self);
Status generator_set_name(Borrowed<PyGenObject> self, PyObject* value);
Ref<> generator_get_qualname(Borrowed<PyGenObject> self);
Status generator_set_qualname(Borrowed<PyGenObject> self, PyObject* value);
Ref<> generator_get_delegate(Borrowed<PyGenObject> self);
Ref<> generator_get_frame(PyGenObject* self, const char* attribute);
Ref<> generator_sizeof(Borrowed<PyGenObject> self);

}  // namespace pyston
