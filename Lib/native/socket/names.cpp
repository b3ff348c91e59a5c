// Functions of the _socket module: names and numbers of hosts, services, protocols and interfaces; byte orders.
#include <arpa/inet.h>
#include <cerrno>
#include <climits>
#include <cstring>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include "Lib/native/socket/socket.h"

namespace pyston::socket_module {
namespace {

// ---- Hosts

PyObject* gethostname_(PyObject*, PyObject*) {
  if (PySys_Audit("socket.gethostname", nullptr) < 0) return nullptr;
  char name[1024];
  int status;
  Py_BEGIN_ALLOW_THREADS;
  status = gethostname(name, sizeof name - 1);
  Py_END_ALLOW_THREADS;
  if (status < 0) return raise_errno();
  name[sizeof name - 1] = '\0';
  return PyUnicode_DecodeFSDefault(name);
}

PyObject* sethostname_(PyObject*, PyObject* args) {
  PyObject* name;
  if (!PyArg_ParseTuple(args, "S:sethostname", &name)) {
    PyErr_Clear();
    if (!PyArg_ParseTuple(args, "O&:sethostname", PyUnicode_FSConverter, &name)) return nullptr;
  } else {
    Py_INCREF(name);
  }
  auto held = Ref<>::steal(name);
  if (PySys_Audit("socket.sethostname", "(O)", name) < 0) return nullptr;
  Py_buffer view;
  if (PyObject_GetBuffer(name, &view, PyBUF_SIMPLE) != 0) return nullptr;
  const int status = sethostname(static_cast<const char*>(view.buf), static_cast<size_t>(view.len));
  PyBuffer_Release(&view);
  if (status != 0) return raise_errno();
  return Py_NewRef(Py_None);
}

PyObject* gethostbyname_(PyObject*, PyObject* args) {
  HostName host;
  if (!PyArg_ParseTuple(args, "O&:gethostbyname", convert_host_name, &host)) return nullptr;
  if (PySys_Audit("socket.gethostbyname", "O", PyTuple_GET_ITEM(args, 0)) < 0) return nullptr;
  sockaddr_in address;
  if (resolve(host.text(), reinterpret_cast<sockaddr*>(&address), sizeof address, AF_INET) < 0) return nullptr;
  return ip_text(reinterpret_cast<sockaddr*>(&address), sizeof address).release();
}

/// (name, aliases, addresses). `wanted`: the family that was asked for.
PyObject* host_tuple(const hostent* host, int error, int wanted) {
  if (host == nullptr) return raise_herror(error);
  if (host->h_addrtype != wanted) {
    errno = EAFNOSUPPORT;
    return raise_errno();
  }
  auto aliases = Ref<>::steal(PyList_New(0));
  auto addresses = Ref<>::steal(PyList_New(0));
  if (!aliases || !addresses) return nullptr;
  for (char** alias = host->h_aliases; alias != nullptr && *alias != nullptr; alias++) {
    auto text = Ref<>::steal(PyUnicode_FromString(*alias));
    if (!text || PyList_Append(aliases.get(), text.get()) < 0) return nullptr;
  }
  for (char** item = host->h_addr_list; *item != nullptr; item++) {
    char buffer[INET6_ADDRSTRLEN];
    if (inet_ntop(wanted, *item, buffer, sizeof buffer) == nullptr) return raise_errno();
    auto text = Ref<>::steal(PyUnicode_FromString(buffer));
    if (!text || PyList_Append(addresses.get(), text.get()) < 0) return nullptr;
  }
  return Py_BuildValue("sOO", host->h_name, aliases.get(), addresses.get());
}

constexpr size_t kHostBuffer = 16384;

PyObject* gethostbyname_ex(PyObject*, PyObject* args) {
  HostName host;
  if (!PyArg_ParseTuple(args, "O&:gethostbyname_ex", convert_host_name, &host)) return nullptr;
  if (PySys_Audit("socket.gethostbyname", "O", PyTuple_GET_ITEM(args, 0)) < 0) return nullptr;
  // Reports what cannot be resolved at all in the resolver's own words.
  sockaddr_in address;
  if (resolve(host.text(), reinterpret_cast<sockaddr*>(&address), sizeof address, AF_INET) < 0) return nullptr;
  hostent entry, *result = nullptr;
  char buffer[kHostBuffer];
  int error = 0;
  Py_BEGIN_ALLOW_THREADS;
  gethostbyname_r(host.text(), &entry, buffer, sizeof buffer, &result, &error);
  Py_END_ALLOW_THREADS;
  return host_tuple(result, error, AF_INET);
}

PyObject* gethostbyaddr_(PyObject*, PyObject* args) {
  HostName host;
  if (!PyArg_ParseTuple(args, "O&:gethostbyaddr", convert_host_name, &host)) return nullptr;
  if (PySys_Audit("socket.gethostbyaddr", "O", PyTuple_GET_ITEM(args, 0)) < 0) return nullptr;
  sockaddr_storage address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (resolve(host.text(), generic, sizeof address, AF_UNSPEC) < 0) return nullptr;
  const void* number;
  socklen_t size;
  if (generic->sa_family == AF_INET) {
    number = &reinterpret_cast<sockaddr_in*>(generic)->sin_addr;
    size = sizeof(in_addr);
  } else {
    number = &reinterpret_cast<sockaddr_in6*>(generic)->sin6_addr;
    size = sizeof(in6_addr);
  }
  hostent entry, *result = nullptr;
  char buffer[kHostBuffer];
  int error = 0;
  const int family = generic->sa_family;
  Py_BEGIN_ALLOW_THREADS;
  gethostbyaddr_r(number, size, family, &entry, buffer, sizeof buffer, &result, &error);
  Py_END_ALLOW_THREADS;
  return host_tuple(result, error, family);
}

/// The port argument of getaddrinfo(): null for None. `holder` keeps the text alive.
bool port_text(PyObject* port, Ref<>& holder, const char*& text) {
  text = nullptr;
  if (port == nullptr || port == Py_None) return true;
  if (PyLong_CheckExact(port) || PyLong_Check(port)) {
    holder = Ref<>::steal(PyObject_Str(port));
    if (!holder) return false;
    text = PyUnicode_AsUTF8(holder.get());
    return text != nullptr;
  }
  if (PyUnicode_Check(port)) {
    text = PyUnicode_AsUTF8(port);
    return text != nullptr;
  }
  if (PyBytes_Check(port)) {
    text = PyBytes_AS_STRING(port);
    return true;
  }
  PyErr_SetString(PyExc_OSError, "Int or String expected");
  return false;
}

PyObject* getaddrinfo_(PyObject*, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"host", "port", "family", "type", "proto", "flags", nullptr};
  PyObject *host_object, *port_object;
  int family = AF_UNSPEC, type = 0, proto = 0, flags = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|iiii:getaddrinfo", const_cast<char**>(kNames), &host_object,
                                   &port_object, &family, &type, &proto, &flags)) {
    return nullptr;
  }
  Ref<> host_holder, port_holder;
  const char* host = nullptr;
  const char* port;
  if (PyUnicode_Check(host_object)) {
    host_holder = Ref<>::steal(PyUnicode_AsEncodedString(host_object, "idna", nullptr));
    if (!host_holder) return nullptr;
    host = PyBytes_AS_STRING(host_holder.get());
  } else if (PyBytes_Check(host_object)) {
    host = PyBytes_AS_STRING(host_object);
  } else if (host_object != Py_None) {
    return raise(PyExc_TypeError, "getaddrinfo() argument 1 must be string or None");
  }
  if (!port_text(port_object, port_holder, port)) return nullptr;
  if (PySys_Audit("socket.getaddrinfo", "OOiii", host_object, port_object, family, type, proto) < 0) return nullptr;
  addrinfo hints = {};
  hints.ai_family = family;
  hints.ai_socktype = type;
  hints.ai_protocol = proto;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  int error;
  Py_BEGIN_ALLOW_THREADS;
  error = getaddrinfo(host, port, &hints, &found);
  Py_END_ALLOW_THREADS;
  if (error != 0) return raise_gaierror(error);
  auto list = Ref<>::steal(PyList_New(0));
  for (addrinfo* item = found; list && item != nullptr; item = item->ai_next) {
    auto address = make_address(-1, item->ai_addr, item->ai_addrlen, proto);
    auto row = Ref<>::steal(address ? Py_BuildValue("iiisO", item->ai_family, item->ai_socktype, item->ai_protocol,
                                                    item->ai_canonname != nullptr ? item->ai_canonname : "",
                                                    address.get())
                                    : nullptr);
    if (!row || PyList_Append(list.get(), row.get()) < 0) list.reset();
  }
  freeaddrinfo(found);
  return list.release();
}

PyObject* getnameinfo_(PyObject*, PyObject* args) {
  PyObject* address;
  int flags;
  if (!PyArg_ParseTuple(args, "Oi:getnameinfo", &address, &flags)) return nullptr;
  if (!PyTuple_Check(address)) return raise(PyExc_TypeError, "getnameinfo() argument 1 must be a tuple");
  const char* host;
  int port;
  unsigned flow = 0, scope = 0;
  if (!PyArg_ParseTuple(address, "si|II;getnameinfo(): illegal sockaddr argument", &host, &port, &flow, &scope)) {
    return nullptr;
  }
  if (flow > 0xfffff) return raise(PyExc_OverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
  if (PySys_Audit("socket.getnameinfo", "(O)", address) < 0) return nullptr;
  char port_digits[32];
  PyOS_snprintf(port_digits, sizeof port_digits, "%d", port);
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  int error;
  Py_BEGIN_ALLOW_THREADS;
  error = getaddrinfo(host, port_digits, &hints, &found);
  Py_END_ALLOW_THREADS;
  if (error != 0) return raise_gaierror(error);
  PyObject* result = nullptr;
  if (found->ai_next != nullptr) {
    PyErr_SetString(PyExc_OSError, "sockaddr resolved to multiple addresses");
  } else if (found->ai_family == AF_INET && PyTuple_GET_SIZE(address) != 2) {
    PyErr_SetString(PyExc_OSError, "IPv4 sockaddr must be 2 tuple");
  } else {
    if (found->ai_family == AF_INET6) {
      auto* in = reinterpret_cast<sockaddr_in6*>(found->ai_addr);
      in->sin6_flowinfo = htonl(flow);
      in->sin6_scope_id = scope;
    }
    char host_name[NI_MAXHOST], service[NI_MAXSERV];
    Py_BEGIN_ALLOW_THREADS;
    error = getnameinfo(found->ai_addr, found->ai_addrlen, host_name, sizeof host_name, service, sizeof service,
                        flags);
    Py_END_ALLOW_THREADS;
    if (error != 0) {
      raise_gaierror(error);
    } else {
      auto name = Ref<>::steal(PyUnicode_Decode(host_name, static_cast<Py_ssize_t>(strlen(host_name)), "idna", nullptr));
      if (name) result = Py_BuildValue("Os", name.get(), service);
    }
  }
  freeaddrinfo(found);
  return result;
}

// ---- Services and protocols

PyObject* getservbyname_(PyObject*, PyObject* args) {
  const char *name, *proto = nullptr;
  if (!PyArg_ParseTuple(args, "s|s:getservbyname", &name, &proto)) return nullptr;
  if (PySys_Audit("socket.getservbyname", "ss", name, proto) < 0) return nullptr;
  servent* entry;
  Py_BEGIN_ALLOW_THREADS;
  entry = getservbyname(name, proto);
  Py_END_ALLOW_THREADS;
  if (entry == nullptr) return raise(PyExc_OSError, "service/proto not found");
  return PyLong_FromLong(ntohs(static_cast<uint16_t>(entry->s_port)));
}

PyObject* getservbyport_(PyObject*, PyObject* args) {
  int port;
  const char* proto = nullptr;
  if (!PyArg_ParseTuple(args, "i|s:getservbyport", &port, &proto)) return nullptr;
  if (port < 0 || port > 0xffff) return raise(PyExc_OverflowError, "getservbyport: port must be 0-65535.");
  if (PySys_Audit("socket.getservbyport", "is", port, proto) < 0) return nullptr;
  servent* entry;
  Py_BEGIN_ALLOW_THREADS;
  entry = getservbyport(htons(static_cast<uint16_t>(port)), proto);
  Py_END_ALLOW_THREADS;
  if (entry == nullptr) return raise(PyExc_OSError, "port/proto not found");
  return PyUnicode_FromString(entry->s_name);
}

PyObject* getprotobyname_(PyObject*, PyObject* args) {
  const char* name;
  if (!PyArg_ParseTuple(args, "s:getprotobyname", &name)) return nullptr;
  protoent* entry;
  Py_BEGIN_ALLOW_THREADS;
  entry = getprotobyname(name);
  Py_END_ALLOW_THREADS;
  if (entry == nullptr) return raise(PyExc_OSError, "protocol not found");
  return PyLong_FromLong(entry->p_proto);
}

// ---- Byte order

PyObject* swap_16(PyObject* args, const char* format, const char* name) {
  int value;
  if (!PyArg_ParseTuple(args, format, &value)) return nullptr;
  if (value < 0) {
    return raise(PyExc_OverflowError, "%s: can't convert negative Python int to C 16-bit unsigned integer", name);
  }
  if (value > 0xffff) {
    return raise(PyExc_OverflowError, "%s: Python int too large to convert to C 16-bit unsigned integer", name);
  }
  return PyLong_FromUnsignedLong(htons(static_cast<uint16_t>(value)));
}
PyObject* ntohs_(PyObject*, PyObject* args) { return swap_16(args, "i:ntohs", "ntohs"); }
PyObject* htons_(PyObject*, PyObject* args) { return swap_16(args, "i:htons", "htons"); }

/// ntohl and htonl are the same function.
PyObject* swap_32(PyObject*, PyObject* value) {
  if (!PyLong_Check(value)) {
    return PyErr_Format(PyExc_TypeError, "expected int, %s found", Py_TYPE(value)->tp_name);
  }
  const unsigned long wide = PyLong_AsUnsignedLong(value);
  if (wide == static_cast<unsigned long>(-1) && PyErr_Occurred()) return nullptr;
  if (wide > UINT32_MAX) return PyErr_Format(PyExc_OverflowError, "int larger than 32 bits");
  return PyLong_FromUnsignedLong(htonl(static_cast<uint32_t>(wide)));
}

// ---- Numeric addresses

PyObject* inet_aton_(PyObject*, PyObject* args) {
  const char* text;
  if (!PyArg_ParseTuple(args, "s:inet_aton", &text)) return nullptr;
  in_addr address;
  if (!inet_aton(text, &address)) return raise(PyExc_OSError, "illegal IP address string passed to inet_aton");
  return PyBytes_FromStringAndSize(reinterpret_cast<char*>(&address), sizeof address);
}

PyObject* inet_ntoa_(PyObject*, PyObject* args) {
  Py_buffer packed;
  if (!PyArg_ParseTuple(args, "y*:inet_ntoa", &packed)) return nullptr;
  in_addr address;
  const bool fits = packed.len == sizeof address;
  if (fits) memcpy(&address, packed.buf, sizeof address);
  PyBuffer_Release(&packed);
  if (!fits) return raise(PyExc_OSError, "packed IP wrong length");
  char text[INET_ADDRSTRLEN];
  return PyUnicode_FromString(inet_ntop(AF_INET, &address, text, sizeof text));
}

PyObject* inet_pton_(PyObject*, PyObject* args) {
  int family;
  const char* text;
  if (!PyArg_ParseTuple(args, "is:inet_pton", &family, &text)) return nullptr;
  char packed[sizeof(in6_addr)];
  const int status = inet_pton(family, text, packed);
  if (status == -1) return raise_errno();
  if (status == 0) return raise(PyExc_OSError, "illegal IP address string passed to inet_pton");
  return PyBytes_FromStringAndSize(packed, family == AF_INET ? 4 : 16);
}

PyObject* inet_ntop_(PyObject*, PyObject* args) {
  int family;
  Py_buffer packed;
  if (!PyArg_ParseTuple(args, "iy*:inet_ntop", &family, &packed)) return nullptr;
  PyObject* result = nullptr;
  if (family != AF_INET && family != AF_INET6) {
    PyErr_Format(PyExc_ValueError, "unknown address family %d", family);
  } else if (packed.len != (family == AF_INET ? 4 : 16)) {
    PyErr_SetString(PyExc_ValueError, "invalid length of packed IP address string");
  } else {
    char text[INET6_ADDRSTRLEN];
    result = inet_ntop(family, packed.buf, text, sizeof text) != nullptr ? PyUnicode_FromString(text) : raise_errno();
  }
  PyBuffer_Release(&packed);
  return result;
}

// ---- Interfaces

PyObject* if_nameindex_(PyObject*, PyObject*) {
  auto list = Ref<>::steal(PyList_New(0));
  if (!list) return nullptr;
  auto* all = if_nameindex();
  if (all == nullptr) return raise_errno();
  for (size_t i = 0; list && all[i].if_index != 0 && all[i].if_name != nullptr; i++) {
    auto row = Ref<>::steal(Py_BuildValue("IO&", all[i].if_index, PyUnicode_DecodeFSDefault, all[i].if_name));
    if (!row || PyList_Append(list.get(), row.get()) < 0) list.reset();
  }
  if_freenameindex(all);
  return list.release();
}

PyObject* if_nametoindex_(PyObject*, PyObject* args) {
  PyObject* name;
  if (!PyArg_ParseTuple(args, "O&:if_nametoindex", PyUnicode_FSConverter, &name)) return nullptr;
  const unsigned index = if_nametoindex(PyBytes_AS_STRING(name));
  Py_DECREF(name);
  if (index == 0) return raise(PyExc_OSError, "no interface with this name");
  return PyLong_FromUnsignedLong(index);
}

PyObject* if_indextoname_(PyObject*, PyObject* value) {
  const unsigned long index = PyLong_AsUnsignedLong(value);
  if (index == static_cast<unsigned long>(-1) && PyErr_Occurred()) return nullptr;
  char name[IF_NAMESIZE + 1];
  if (if_indextoname(static_cast<unsigned>(index), name) == nullptr) return raise_errno();
  return PyUnicode_DecodeFSDefault(name);
}

// ---- Sizes of ancillary data

/// `compute` is CMSG_LEN or CMSG_SPACE, `overhead` what it adds at most: the result has to fit into an int.
template <class Compute>
PyObject* control_size(PyObject* args, const char* format, const char* error, size_t overhead, Compute compute) {
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, format, &length)) return nullptr;
  if (length < 0 || length > INT_MAX - static_cast<Py_ssize_t>(overhead)) return raise(PyExc_OverflowError, error);
  return PyLong_FromSize_t(compute(static_cast<size_t>(length)));
}
PyObject* cmsg_len(PyObject*, PyObject* args) {
  return control_size(args, "n:CMSG_LEN", "CMSG_LEN() argument out of range", CMSG_LEN(0),
                      [](size_t n) { return CMSG_LEN(n); });
}
PyObject* cmsg_space(PyObject*, PyObject* args) {
  return control_size(args, "n:CMSG_SPACE", "CMSG_SPACE() argument out of range", CMSG_SPACE(1),
                      [](size_t n) { return CMSG_SPACE(n); });
}

}  // namespace

PyMethodDef name_functions[] = {
    {"gethostbyname", gethostbyname_, METH_VARARGS, "gethostbyname(host) -> address\n\nThe IPv4 address of a host."},
    {"gethostbyname_ex", gethostbyname_ex, METH_VARARGS,
     "gethostbyname_ex(host) -> (name, aliaslist, addresslist)\n\nAll IPv4 addresses of a host."},
    {"gethostbyaddr", gethostbyaddr_, METH_VARARGS,
     "gethostbyaddr(host) -> (name, aliaslist, addresslist)\n\nThe names of an address."},
    {"gethostname", gethostname_, METH_NOARGS, "gethostname() -> string\n\nThe name of this host."},
    {"sethostname", sethostname_, METH_VARARGS, "sethostname(name)\n\nSets the name of this host."},
    {"getservbyname", getservbyname_, METH_VARARGS, "getservbyname(servicename[, protocolname]) -> integer"},
    {"getservbyport", getservbyport_, METH_VARARGS, "getservbyport(port[, protocolname]) -> string"},
    {"getprotobyname", getprotobyname_, METH_VARARGS, "getprotobyname(name) -> integer"},
    {"ntohs", ntohs_, METH_VARARGS, "ntohs(integer) -> integer\n\n16 bits from network to host byte order."},
    {"ntohl", swap_32, METH_O, "ntohl(integer) -> integer\n\n32 bits from network to host byte order."},
    {"htons", htons_, METH_VARARGS, "htons(integer) -> integer\n\n16 bits from host to network byte order."},
    {"htonl", swap_32, METH_O, "htonl(integer) -> integer\n\n32 bits from host to network byte order."},
    {"inet_aton", inet_aton_, METH_VARARGS, "inet_aton(string) -> bytes\n\nPacks an IPv4 address."},
    {"inet_ntoa", inet_ntoa_, METH_VARARGS, "inet_ntoa(packed_ip) -> string\n\nUnpacks an IPv4 address."},
    {"inet_pton", inet_pton_, METH_VARARGS, "inet_pton(af, ip) -> bytes\n\nPacks an address of a family."},
    {"inet_ntop", inet_ntop_, METH_VARARGS, "inet_ntop(af, packed_ip) -> string\n\nUnpacks an address of a family."},
    {"getaddrinfo", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(getaddrinfo_)),
     METH_VARARGS | METH_KEYWORDS,
     "getaddrinfo(host, port [, family, type, proto, flags]) -> list of (family, type, proto, canonname, sockaddr)"},
    {"getnameinfo", getnameinfo_, METH_VARARGS, "getnameinfo(sockaddr, flags) --> (host, port)"},
    {"if_nameindex", if_nameindex_, METH_NOARGS, "if_nameindex() -> list of (index, name) of interfaces"},
    {"if_nametoindex", if_nametoindex_, METH_VARARGS, "if_nametoindex(if_name) -> index"},
    {"if_indextoname", if_indextoname_, METH_O, "if_indextoname(if_index) -> name"},
    {"CMSG_LEN", cmsg_len, METH_VARARGS, "CMSG_LEN(length) -> control message length, without trailing padding"},
    {"CMSG_SPACE", cmsg_space, METH_VARARGS, "CMSG_SPACE(length) -> buffer size of a control message"},
    {}};

}  // namespace pyston::socket_module
