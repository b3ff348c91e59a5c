// Shared by the files of the _socket module.
//
// INVARIANT: SocketObject has the layout that other extension modules (_ssl) know through the capsule "_socket.CAPI".
#pragma once

#include <sys/socket.h>

#include "Objects/bind.h"

namespace pyston::socket_module {

struct SocketObject {
  PyObject_HEAD
  int fd;  // -1: closed
  int family;
  int type;
  int proto;
  PyObject* (*raise_error)();
  _PyTime_t timeout;  // negative: blocks; 0: never waits
};
static_assert(sizeof(SocketObject) == 48);

extern PyTypeObject socket_type;
extern PyObject* herror;    // exception types
extern PyObject* gaierror;
extern _PyTime_t default_timeout;

/// An address of any family.
struct Address {
  sockaddr_storage storage;
  socklen_t length;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(&storage);
  }
};

// ---- module.cpp
PyObject* raise_errno();  // OSError from errno; null
PyObject* raise_gaierror(int error);
PyObject* raise_herror(int error);
inline Failure raise_os_error() {
  raise_errno();
  return {};
}

// ---- address.cpp
/// A host name as bytes: str through ASCII or IDNA; bytes and bytearray as they are.
class HostName {
 public:
  bool parse(PyObject* object);
  const char* text() const { return text_; }

 private:
  Ref<> holder_;
  const char* text_ = nullptr;
};
int convert_host_name(PyObject* object, void* host_name);  // for O&
/// Python object -> address of the socket's family, for the method `caller`. False with an exception.
bool parse_address(const SocketObject* self, PyObject* object, Address& out, const char* caller);
/// Room for the address that the kernel will write.
bool prepare_address(const SocketObject* self, Address& out);
/// Address -> Python object; None when it is empty.
Ref<> make_address(int fd, const sockaddr* address, size_t length, int proto);
/// Resolves a name or number into `out` (family AF_INET or AF_INET6, or any with AF_UNSPEC); its length, -1 on error.
int resolve(const char* name, sockaddr* out, size_t size, int family);
Ref<> ip_text(const sockaddr* address, size_t length);

// ---- object.cpp
/// Seconds or None; false with an exception.
bool parse_timeout(PyObject* value, _PyTime_t& timeout);
Ref<> timeout_object(_PyTime_t timeout);
bool ready_socket_type();

// ---- transfer.cpp
extern PyMethodDef transfer_methods[];
/// What an operation has to wait for.
enum class Wait { kRead, kWrite, kConnect };

// ---- names.cpp
extern PyMethodDef name_functions[];

}  // namespace pyston::socket_module
