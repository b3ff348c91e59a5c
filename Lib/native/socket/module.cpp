// The _socket module: its functions over descriptors, its errors and constants, and the capsule for _ssl.
#include <cerrno>
#include <cstring>
#include <linux/can.h>
#include <linux/can/bcm.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>
#include <ctime>
#include <linux/errqueue.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <unistd.h>

#include "Lib/native/constants.h"
#include "Lib/native/socket/socket.h"
#include "pycore_fileutils.h"

namespace pyston::socket_module {

PyObject* herror = nullptr;
PyObject* gaierror = nullptr;
_PyTime_t default_timeout = -1'000'000'000;

PyObject* raise_errno() { return PyErr_SetFromErrno(PyExc_OSError); }

namespace {

PyObject* raise_numbered(PyObject* type, int number, const char* text) {
  auto args = Ref<>::steal(Py_BuildValue("(is)", number, text));
  if (args) PyErr_SetObject(type, args.get());
  return nullptr;
}

}  // namespace

PyObject* raise_gaierror(int error) {
  if (error == EAI_SYSTEM) return raise_errno();
  return raise_numbered(gaierror, error, gai_strerror(error));
}

PyObject* raise_herror(int error) { return raise_numbered(herror, error, hstrerror(error)); }

namespace {

Ref<> close_(Borrowed<>, int fd) {
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = close(fd);
  Py_END_ALLOW_THREADS;
  if (status < 0 && errno != ECONNRESET) return raise_os_error();
  return Ref<>::none();
}

Ref<> dup_(Borrowed<>, int fd) {
  const int copy = _Py_dup(fd);
  if (copy == -1) return nullptr;
  return Ref<>::steal(PyLong_FromLong(copy));
}

/// A socket object for a new descriptor, which is closed on failure.
Ref<> wrap(int fd, int family, int type, int proto) {
  auto socket = Ref<>::steal(PyObject_CallFunction(as_object(&socket_type), "iiii", family, type, proto, fd));
  if (!socket) close(fd);
  return socket;
}

Ref<> socketpair_(Borrowed<>, Optional<int> family, Optional<int> type, Optional<int> proto) {
  const int f = family.value_or(AF_UNIX), t = type.value_or(SOCK_STREAM), p = proto.value_or(0);
  int fds[2];
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = socketpair(f, t | SOCK_CLOEXEC, p, fds);
  Py_END_ALLOW_THREADS;
  if (status < 0) return raise_os_error();
  auto first = wrap(fds[0], f, t, p);
  if (!first) {
    close(fds[1]);
    return nullptr;
  }
  auto second = wrap(fds[1], f, t, p);
  if (!second) return nullptr;
  return Ref<>::steal(PyTuple_Pack(2, first.get(), second.get()));
}

Ref<> getdefaulttimeout(Borrowed<>) { return timeout_object(default_timeout); }
Ref<> setdefaulttimeout(Borrowed<>, Borrowed<> timeout) {
  _PyTime_t value;
  if (!parse_timeout(timeout, value)) return nullptr;
  default_timeout = value;
  return Ref<>::none();
}

PyMethodDef methods[] = {
    method<close_, "close($module, fd, /)", "Closes a descriptor; for those that are no files.">(),
    method<dup_, "dup($module, fd, /)", "Makes a copy of a descriptor, not inherited by child processes.">(),
    method<socketpair_, "socketpair($module, family=AF_UNIX, type=SOCK_STREAM, proto=0, /)",
           "Makes two connected sockets.">(),
    method<getdefaulttimeout, "getdefaulttimeout($module, /)", "The timeout of new sockets; None has no limit.">(),
    method<setdefaulttimeout, "setdefaulttimeout($module, timeout, /)", "Sets the timeout of new sockets.">(),
    {}};

/// What the capsule holds, as extension modules know it.
struct Capsule {
  PyTypeObject* socket_type;
  PyObject* error;
  PyObject* timeout_error;
};

const IntConstant kConstants[] = {
#define SOCKET_CONSTANT(name) {#name, static_cast<long long>(name)},
#define SOCKET_NUMBER(name, value) {#name, value},
#include "Lib/native/socket/constants.def"
};

PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "_socket",
                          .m_doc = "Sockets; the socket module adds to this.",
                          .m_size = -1,
                          .m_methods = methods};

bool add_capsule(PyObject* module) {
  auto* content = static_cast<Capsule*>(PyMem_Malloc(sizeof(Capsule)));
  if (content == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  *content = {reinterpret_cast<PyTypeObject*>(Py_NewRef(as_object(&socket_type))), Py_NewRef(PyExc_OSError),
              Py_NewRef(PyExc_TimeoutError)};
  auto capsule = Ref<>::steal(PyCapsule_New(content, "_socket.CAPI", [](PyObject* object) {
    auto* held = static_cast<Capsule*>(PyCapsule_GetPointer(object, "_socket.CAPI"));
    Py_DECREF(held->socket_type);
    Py_DECREF(held->error);
    Py_DECREF(held->timeout_error);
    PyMem_Free(held);
  }));
  if (!capsule) {
    PyMem_Free(content);
    return false;
  }
  return PyModule_AddObjectRef(module, "CAPI", capsule.get()) >= 0;
}

bool fill(PyObject* module) {
  if (herror == nullptr) herror = PyErr_NewException("socket.herror", PyExc_OSError, nullptr);
  if (gaierror == nullptr) gaierror = PyErr_NewException("socket.gaierror", PyExc_OSError, nullptr);
  if (herror == nullptr || gaierror == nullptr) return false;
  const struct {
    const char* name;
    PyObject* value;
  } objects[] = {{"error", PyExc_OSError},
                 {"herror", herror},
                 {"gaierror", gaierror},
                 {"timeout", PyExc_TimeoutError},
                 {"SocketType", as_object(&socket_type)},
                 {"socket", as_object(&socket_type)},
                 {"has_ipv6", Py_True}};
  if (add_constants(module, kConstants) < 0) return false;
  for (const auto& row : objects) {
    if (PyModule_AddObjectRef(module, row.name, row.value) < 0) return false;
  }
  if (PyModule_AddStringConstant(module, "BDADDR_ANY", "00:00:00:00:00:00") < 0) return false;
  if (PyModule_AddStringConstant(module, "BDADDR_LOCAL", "00:00:00:FF:FF:FF") < 0) return false;
  return add_capsule(module);
}

}  // namespace
}  // namespace pyston::socket_module

PyMODINIT_FUNC PyInit__socket(void) {
  using namespace pyston::socket_module;
  if (!ready_socket_type()) return nullptr;
  PyObject* module = PyModule_Create(&definition);
  if (module == nullptr) return nullptr;
  if (PyModule_AddFunctions(module, name_functions) < 0 || !fill(module)) {
    Py_DECREF(module);
    return nullptr;
  }
  return module;
}
