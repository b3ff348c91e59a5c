// Socket addresses: between Python objects and the kernel's structures, family by family.
//
// A new family: a parse_ function, a make_ function, a row in each of the two switches, a line in prepare_address().
#include <arpa/inet.h>
#include <cstring>
#include <linux/can.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include "Lib/native/socket/socket.h"

namespace pyston::socket_module {

// ---- Host names

bool HostName::parse(PyObject* object) {
  Py_ssize_t size;
  if (PyBytes_Check(object)) {
    holder_ = Ref<>::dup(object);
    text_ = PyBytes_AS_STRING(object);
    size = PyBytes_GET_SIZE(object);
  } else if (PyByteArray_Check(object)) {
    // A copy: the array may change while the GIL is released.
    holder_ = Ref<>::steal(PyBytes_FromStringAndSize(PyByteArray_AS_STRING(object), PyByteArray_GET_SIZE(object)));
    if (!holder_) return false;
    text_ = PyBytes_AS_STRING(holder_.get());
    size = PyBytes_GET_SIZE(holder_.get());
  } else if (PyUnicode_Check(object)) {
    if (PyUnicode_READY(object) < 0) return false;
    if (PyUnicode_IS_COMPACT_ASCII(object)) {
      holder_ = Ref<>::dup(object);
      text_ = static_cast<const char*>(PyUnicode_DATA(object));
      size = PyUnicode_GET_LENGTH(object);
    } else {
      holder_ = Ref<>::steal(PyUnicode_AsEncodedString(object, "idna", nullptr));
      if (!holder_) {
        PyErr_SetString(PyExc_TypeError, "encoding of hostname failed");
        return false;
      }
      text_ = PyBytes_AS_STRING(holder_.get());
      size = PyBytes_GET_SIZE(holder_.get());
    }
  } else {
    PyErr_Format(PyExc_TypeError, "str, bytes or bytearray expected, not %s", Py_TYPE(object)->tp_name);
    return false;
  }
  if (strlen(text_) == static_cast<size_t>(size)) return true;
  PyErr_SetString(PyExc_TypeError, "host name must not contain null character");
  return false;
}

int convert_host_name(PyObject* object, void* host_name) {
  return static_cast<HostName*>(host_name)->parse(object) ? 1 : 0;
}

int resolve(const char* name, sockaddr* out, size_t size, int family) {
  memset(out, 0, size);
  addrinfo hints = {};
  addrinfo* found;
  if (name[0] == '\0') {
    hints.ai_family = family;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_PASSIVE;
    int error;
    Py_BEGIN_ALLOW_THREADS;
    error = getaddrinfo(nullptr, "0", &hints, &found);
    Py_END_ALLOW_THREADS;
    if (error != 0) {
      raise_gaierror(error);
      return -1;
    }
    const int length = found->ai_family == AF_INET ? 4 : found->ai_family == AF_INET6 ? 16 : -1;
    const bool several = found->ai_next != nullptr;
    if (length > 0 && !several && found->ai_addrlen <= size) memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (length < 0) {
      PyErr_SetString(PyExc_OSError, "unsupported address family");
    } else if (several) {
      PyErr_SetString(PyExc_OSError, "wildcard resolved to multiple address");
      return -1;
    }
    return length;
  }
  if (strcmp(name, "255.255.255.255") == 0 || strcmp(name, "<broadcast>") == 0) {
    if (family != AF_INET && family != AF_UNSPEC) {
      PyErr_SetString(PyExc_OSError, "address family mismatched");
      return -1;
    }
    auto* in = reinterpret_cast<sockaddr_in*>(out);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = INADDR_BROADCAST;
    return sizeof(in->sin_addr);
  }
  // FAST: numbers need no resolver.
  if (family == AF_UNSPEC || family == AF_INET) {
    auto* in = reinterpret_cast<sockaddr_in*>(out);
    if (inet_pton(AF_INET, name, &in->sin_addr) > 0) {
      in->sin_family = AF_INET;
      return 4;
    }
  }
  if ((family == AF_UNSPEC || family == AF_INET6) && strchr(name, '%') == nullptr) {
    auto* in = reinterpret_cast<sockaddr_in6*>(out);
    memset(in, 0, sizeof *in);
    if (inet_pton(AF_INET6, name, &in->sin6_addr) > 0) {
      in->sin6_family = AF_INET6;
      return 16;
    }
  }
  hints.ai_family = family;
  int error;
  Py_BEGIN_ALLOW_THREADS;
  error = getaddrinfo(name, nullptr, &hints, &found);
  Py_END_ALLOW_THREADS;
  if (error != 0) {
    raise_gaierror(error);
    return -1;
  }
  memcpy(out, found->ai_addr, found->ai_addrlen < size ? found->ai_addrlen : size);
  freeaddrinfo(found);
  if (out->sa_family == AF_INET) return 4;
  if (out->sa_family == AF_INET6) return 16;
  PyErr_SetString(PyExc_OSError, "unknown address family");
  return -1;
}

Ref<> ip_text(const sockaddr* address, size_t length) {
  char text[INET6_ADDRSTRLEN];
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text, sizeof text);
  }
  return Ref<>::steal(PyUnicode_FromString(text));
}

namespace {

bool require_tuple(PyObject* object, const char* caller, const char* family) {
  if (PyTuple_Check(object)) return true;
  PyErr_Format(PyExc_TypeError, "%s(): %s address must be tuple, not %.500s", caller, family, Py_TYPE(object)->tp_name);
  return false;
}

/// Turns the OverflowError of an oversized port into the usual text.
bool fail_port(const char* caller) {
  if (PyErr_ExceptionMatches(PyExc_OverflowError)) PyErr_Format(PyExc_OverflowError, "%s(): port must be 0-65535.", caller);
  return false;
}

bool check_port(int port, const char* caller) {
  if (port >= 0 && port <= 0xffff) return true;
  PyErr_Format(PyExc_OverflowError, "%s(): port must be 0-65535.", caller);
  return false;
}

/// The index of an interface name; an empty name is index 0. False with OSError.
bool interface_index(int fd, const char* name, size_t length, int& index) {
  index = 0;
  if (length == 0) return true;
  ifreq request = {};
  if (length >= sizeof request.ifr_name) {
    PyErr_SetString(PyExc_OSError, "interface name too long");
    return false;
  }
  memcpy(request.ifr_name, name, length);
  if (ioctl(fd, SIOCGIFINDEX, &request) < 0) {
    raise_errno();
    return false;
  }
  index = request.ifr_ifindex;
  return true;
}

bool parse_unix(PyObject* object, Address& out) {
  Ref<> path;
  if (PyUnicode_Check(object)) {
    path = Ref<>::steal(PyUnicode_EncodeFSDefault(object));
    if (!path) return false;
    object = path.get();
  }
  Py_buffer view;
  if (!PyArg_Parse(object, "y*", &view)) return false;
  auto* un = out.as<sockaddr_un>();
  const auto length = static_cast<size_t>(view.len);
  const bool abstract = length == 0 || static_cast<const char*>(view.buf)[0] == '\0';
  // Abstract names may fill the field; others need their terminating null.
  const bool fits = abstract ? length <= sizeof un->sun_path : length < sizeof un->sun_path;
  if (!fits) {
    PyErr_SetString(PyExc_OSError, "AF_UNIX path too long");
  } else {
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, view.buf, length);
    if (!abstract) un->sun_path[length] = '\0';
    out.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + (abstract ? 0 : 1));
  }
  PyBuffer_Release(&view);
  return fits;
}

bool parse_inet(PyObject* object, Address& out, const char* caller, int family) {
  if (!require_tuple(object, caller, "AF_INET")) return false;
  HostName host;
  int port;
  if (!PyArg_ParseTuple(object, "O&i;AF_INET address must be a pair (host, port)", convert_host_name, &host, &port)) {
    return fail_port(caller);
  }
  auto* in = out.as<sockaddr_in>();
  if (resolve(host.text(), out.get(), sizeof *in, AF_INET) < 0 || !check_port(port, caller)) return false;
  in->sin_family = static_cast<sa_family_t>(family);
  in->sin_port = htons(static_cast<uint16_t>(port));
  out.length = sizeof *in;
  return true;
}

bool parse_inet6(PyObject* object, Address& out, const char* caller) {
  if (!require_tuple(object, caller, "AF_INET6")) return false;
  HostName host;
  int port;
  unsigned flow = 0, scope = 0;
  if (!PyArg_ParseTuple(object, "O&i|II;AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])",
                        convert_host_name, &host, &port, &flow, &scope)) {
    return fail_port(caller);
  }
  auto* in = out.as<sockaddr_in6>();
  if (resolve(host.text(), out.get(), sizeof *in, AF_INET6) < 0 || !check_port(port, caller)) return false;
  if (flow > 0xfffff) {
    PyErr_Format(PyExc_OverflowError, "%s(): flowinfo must be 0-1048575.", caller);
    return false;
  }
  in->sin6_family = AF_INET6;
  in->sin6_port = htons(static_cast<uint16_t>(port));
  in->sin6_flowinfo = htonl(flow);
  in->sin6_scope_id = scope;
  out.length = sizeof *in;
  return true;
}

bool parse_netlink(PyObject* object, Address& out, const char* caller) {
  if (!require_tuple(object, caller, "AF_NETLINK")) return false;
  auto* nl = out.as<sockaddr_nl>();
  unsigned pid, groups;
  if (!PyArg_ParseTuple(object, "II;AF_NETLINK address must be a pair (pid, groups)", &pid, &groups)) return false;
  *nl = {};
  nl->nl_family = AF_NETLINK;
  nl->nl_pid = pid;
  nl->nl_groups = groups;
  out.length = sizeof *nl;
  return true;
}

bool parse_packet(const SocketObject* self, PyObject* object, Address& out, const char* caller) {
  if (!require_tuple(object, caller, "AF_PACKET")) return false;
  const char* interface;
  int protocol, packet_type = PACKET_HOST, hardware_type = 0;
  Py_buffer hardware = {};
  if (!PyArg_ParseTuple(object,
                        "si|iiy*;AF_PACKET address must be a tuple of two to five elements", &interface, &protocol,
                        &packet_type, &hardware_type, &hardware)) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
      PyErr_Format(PyExc_OverflowError, "%s(): address argument out of range", caller);
    }
    return false;
  }
  bool done = false;
  int index;
  if (hardware.buf != nullptr && hardware.len > 8) {
    PyErr_SetString(PyExc_ValueError, "Hardware address must be 8 bytes or less");
  } else if (protocol < 0 || protocol > 0xffff) {
    PyErr_Format(PyExc_OverflowError, "%s(): proto must be 0-65535.", caller);
  } else if (interface_index(self->fd, interface, strlen(interface), index)) {
    auto* ll = out.as<sockaddr_ll>();
    *ll = {};
    ll->sll_family = AF_PACKET;
    ll->sll_protocol = htons(static_cast<uint16_t>(protocol));
    ll->sll_ifindex = index;
    ll->sll_pkttype = static_cast<unsigned char>(packet_type);
    ll->sll_hatype = static_cast<unsigned short>(hardware_type);
    if (hardware.buf != nullptr) {
      memcpy(ll->sll_addr, hardware.buf, static_cast<size_t>(hardware.len));
      ll->sll_halen = static_cast<unsigned char>(hardware.len);
    }
    out.length = sizeof *ll;
    done = true;
  }
  if (hardware.obj != nullptr) PyBuffer_Release(&hardware);
  return done;
}

bool parse_can(const SocketObject* self, PyObject* object, Address& out, const char* caller) {
  if (!require_tuple(object, caller, "AF_CAN")) return false;
  PyObject* name = nullptr;
  unsigned long rx_id = 0, tx_id = 0;
  unsigned long long j1939_name = 0;
  unsigned j1939_pgn = 0, j1939_address = 0;
  bool parsed;
  switch (self->proto) {
    case CAN_RAW:
    case CAN_BCM:
      parsed = PyArg_ParseTuple(object, "O&;AF_CAN address must be a tuple (interface, )", PyUnicode_FSConverter, &name);
      break;
    case CAN_ISOTP:
      parsed = PyArg_ParseTuple(object, "O&kk", PyUnicode_FSConverter, &name, &rx_id, &tx_id);
      break;
    case CAN_J1939:
      parsed = PyArg_ParseTuple(object, "O&KIB", PyUnicode_FSConverter, &name, &j1939_name, &j1939_pgn, &j1939_address);
      break;
    default:
      PyErr_Format(PyExc_OSError, "%s(): unsupported CAN protocol", caller);
      return false;
  }
  if (!parsed) return false;
  auto held = Ref<>::steal(name);
  int index;
  if (PyBytes_GET_SIZE(name) >= IFNAMSIZ) {
    PyErr_Format(PyExc_OSError, "AF_CAN interface name too long");
    return false;
  }
  if (!interface_index(self->fd, PyBytes_AS_STRING(name), static_cast<size_t>(PyBytes_GET_SIZE(name)), index)) {
    return false;
  }
  auto* can = out.as<sockaddr_can>();
  *can = {};
  can->can_family = AF_CAN;
  can->can_ifindex = index;
  if (self->proto == CAN_ISOTP) {
    can->can_addr.tp.rx_id = static_cast<canid_t>(rx_id);
    can->can_addr.tp.tx_id = static_cast<canid_t>(tx_id);
  } else if (self->proto == CAN_J1939) {
    can->can_addr.j1939.name = j1939_name;
    can->can_addr.j1939.pgn = j1939_pgn;
    can->can_addr.j1939.addr = static_cast<uint8_t>(j1939_address);
  }
  out.length = sizeof *can;
  return true;
}

bool parse_tipc(PyObject* object, Address& out, const char* caller) {
  if (!require_tuple(object, caller, "AF_TIPC")) return false;
  unsigned type, v1, v2, v3, scope = TIPC_CLUSTER_SCOPE;
  if (!PyArg_ParseTuple(object,
                        "IIII|I;AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])", &type, &v1, &v2,
                        &v3, &scope)) {
    return false;
  }
  auto* tipc = out.as<sockaddr_tipc>();
  *tipc = {};
  tipc->family = AF_TIPC;
  tipc->scope = static_cast<signed char>(scope);
  tipc->addrtype = static_cast<unsigned char>(type);
  switch (type) {
    case TIPC_ADDR_NAMESEQ:
      tipc->addr.nameseq = {v1, v2, v3};
      break;
    case TIPC_ADDR_NAME:
      tipc->addr.name.name = {v1, v2};
      tipc->addr.name.domain = v3;
      break;
    case TIPC_ADDR_ID:
      tipc->addr.id = {v1, v2};
      break;
    default:
      PyErr_SetString(PyExc_TypeError, "Invalid address type");
      return false;
  }
  out.length = sizeof *tipc;
  return true;
}

bool parse_alg(PyObject* object, Address& out, const char* caller) {
  if (!require_tuple(object, caller, "AF_ALG")) return false;
  const char *type, *name;
  auto* alg = out.as<sockaddr_alg>();
  *alg = {};
  alg->salg_family = AF_ALG;
  if (!PyArg_ParseTuple(object, "ss|HH;AF_ALG address must be a tuple (type, name[, feat[, mask]])", &type, &name,
                        &alg->salg_feat, &alg->salg_mask)) {
    return false;
  }
  if (strlen(type) >= sizeof alg->salg_type) {
    PyErr_SetString(PyExc_ValueError, "AF_ALG type too long.");
    return false;
  }
  if (strlen(name) >= sizeof alg->salg_name) {
    PyErr_SetString(PyExc_ValueError, "AF_ALG name too long.");
    return false;
  }
  memcpy(alg->salg_type, type, strlen(type) + 1);
  memcpy(alg->salg_name, name, strlen(name) + 1);
  out.length = sizeof *alg;
  return true;
}

bool parse_vsock(PyObject* object, Address& out, const char* caller) {
  if (!require_tuple(object, caller, "AF_VSOCK")) return false;
  auto* vm = out.as<sockaddr_vm>();
  *vm = {};
  vm->svm_family = AF_VSOCK;
  out.length = sizeof *vm;
  return PyArg_ParseTuple(object, "II:AF_VSOCK", &vm->svm_cid, &vm->svm_port) != 0;
}

bool parse_qipcrtr(PyObject* object, Address& out, const char* caller) {
  if (!require_tuple(object, caller, "AF_QIPCRTR")) return false;
  unsigned node, port;
  if (!PyArg_ParseTuple(object, "II:AF_QIPCRTR", &node, &port)) return false;
  auto* qrtr = out.as<sockaddr_qrtr>();
  *qrtr = {};
  qrtr->sq_family = AF_QIPCRTR;
  qrtr->sq_node = node;
  qrtr->sq_port = port;
  out.length = sizeof *qrtr;
  return true;
}

Ref<> make_unix(const sockaddr* address, size_t length) {
  auto* un = reinterpret_cast<const sockaddr_un*>(address);
  const size_t path_length = length > offsetof(sockaddr_un, sun_path) ? length - offsetof(sockaddr_un, sun_path) : 0;
  if (path_length > 0 && un->sun_path[0] == '\0') {
    return Ref<>::steal(PyBytes_FromStringAndSize(un->sun_path, static_cast<Py_ssize_t>(path_length)));
  }
  return Ref<>::steal(
      PyUnicode_DecodeFSDefaultAndSize(un->sun_path, static_cast<Py_ssize_t>(strnlen(un->sun_path, path_length))));
}

/// The name of an interface; empty for index 0 or one that is gone.
const char* interface_name(int fd, int index, ifreq& request) {
  request = {};
  if (index == 0) return "";
  request.ifr_ifindex = index;
  return ioctl(fd, SIOCGIFNAME, &request) == 0 ? request.ifr_name : "";
}

Ref<> make_packet(int fd, const sockaddr_ll* ll) {
  ifreq request;
  return Ref<>::steal(Py_BuildValue("shbhy#", interface_name(fd, ll->sll_ifindex, request), ntohs(ll->sll_protocol),
                                    ll->sll_pkttype, ll->sll_hatype, ll->sll_addr,
                                    static_cast<Py_ssize_t>(ll->sll_halen)));
}

Ref<> make_can(int fd, const sockaddr_can* can, int proto) {
  ifreq request;
  const char* name = interface_name(fd, can->can_ifindex, request);
  switch (proto) {
    case CAN_ISOTP:
      return Ref<>::steal(Py_BuildValue("O&kk", PyUnicode_DecodeFSDefault, name,
                                        static_cast<unsigned long>(can->can_addr.tp.rx_id),
                                        static_cast<unsigned long>(can->can_addr.tp.tx_id)));
    case CAN_J1939:
      return Ref<>::steal(Py_BuildValue("O&KIB", PyUnicode_DecodeFSDefault, name,
                                        static_cast<unsigned long long>(can->can_addr.j1939.name),
                                        static_cast<unsigned>(can->can_addr.j1939.pgn), can->can_addr.j1939.addr));
    default:
      return Ref<>::steal(Py_BuildValue("(O&)", PyUnicode_DecodeFSDefault, name));
  }
}

Ref<> make_tipc(const sockaddr_tipc* tipc) {
  unsigned v1 = 0, v2 = 0, v3 = 0;
  switch (tipc->addrtype) {
    case TIPC_ADDR_NAMESEQ:
      v1 = tipc->addr.nameseq.type, v2 = tipc->addr.nameseq.lower, v3 = tipc->addr.nameseq.upper;
      break;
    case TIPC_ADDR_NAME:
      v1 = tipc->addr.name.name.type, v2 = v3 = tipc->addr.name.name.instance;
      break;
    case TIPC_ADDR_ID:
      v1 = tipc->addr.id.node, v2 = tipc->addr.id.ref;
      break;
    default:
      PyErr_SetString(PyExc_ValueError, "Invalid address type");
      return nullptr;
  }
  return Ref<>::steal(Py_BuildValue("IIIII", tipc->addrtype, v1, v2, v3, tipc->scope));
}

}  // namespace

bool parse_address(const SocketObject* self, PyObject* object, Address& out, const char* caller) {
  memset(&out.storage, 0, sizeof out.storage);
  switch (self->family) {
    case AF_UNIX:
      return parse_unix(object, out);
    case AF_INET:
    case AF_RDS:
      // QUIRK: RDS sockets are addressed as IPv4.
      return parse_inet(object, out, caller, AF_INET);
    case AF_INET6:
      return parse_inet6(object, out, caller);
    case AF_NETLINK:
      return parse_netlink(object, out, caller);
    case AF_PACKET:
      return parse_packet(self, object, out, caller);
    case AF_CAN:
      return parse_can(self, object, out, caller);
    case AF_TIPC:
      return parse_tipc(object, out, caller);
    case AF_ALG:
      return parse_alg(object, out, caller);
    case AF_VSOCK:
      return parse_vsock(object, out, caller);
    case AF_QIPCRTR:
      return parse_qipcrtr(object, out, caller);
    default:
      PyErr_Format(PyExc_OSError, "%s(): bad family", caller);
      return false;
  }
}

bool prepare_address(const SocketObject* self, Address& out) {
  memset(&out.storage, 0, sizeof out.storage);
  switch (self->family) {
    case AF_UNIX:
      out.length = sizeof(sockaddr_un);
      return true;
    case AF_INET:
    case AF_RDS:
      out.length = sizeof(sockaddr_in);
      return true;
    case AF_INET6:
      out.length = sizeof(sockaddr_in6);
      return true;
    case AF_NETLINK:
      out.length = sizeof(sockaddr_nl);
      return true;
    case AF_PACKET:
      out.length = sizeof(sockaddr_ll);
      return true;
    case AF_CAN:
      out.length = sizeof(sockaddr_can);
      return true;
    case AF_TIPC:
      out.length = sizeof(sockaddr_tipc);
      return true;
    case AF_ALG:
      out.length = sizeof(sockaddr_alg);
      return true;
    case AF_VSOCK:
      out.length = sizeof(sockaddr_vm);
      return true;
    case AF_QIPCRTR:
      out.length = sizeof(sockaddr_qrtr);
      return true;
    default:
      PyErr_SetString(PyExc_OSError, "getsockaddrlen: bad family");
      return false;
  }
}

Ref<> make_address(int fd, const sockaddr* address, size_t length, int proto) {
  if (length == 0) return Ref<>::none();  // a stream socket has no addresses of senders
  switch (address->sa_family) {
    case AF_INET: {
      auto host = ip_text(address, length);
      if (!host) return nullptr;
      auto* in = reinterpret_cast<const sockaddr_in*>(address);
      return Ref<>::steal(Py_BuildValue("Oi", host.get(), ntohs(in->sin_port)));
    }
    case AF_INET6: {
      auto host = ip_text(address, length);
      if (!host) return nullptr;
      auto* in = reinterpret_cast<const sockaddr_in6*>(address);
      return Ref<>::steal(Py_BuildValue("OiII", host.get(), ntohs(in->sin6_port), ntohl(in->sin6_flowinfo),
                                        in->sin6_scope_id));
    }
    case AF_UNIX:
      return make_unix(address, length);
    case AF_NETLINK: {
      auto* nl = reinterpret_cast<const sockaddr_nl*>(address);
      return Ref<>::steal(Py_BuildValue("II", nl->nl_pid, nl->nl_groups));
    }
    case AF_PACKET:
      return make_packet(fd, reinterpret_cast<const sockaddr_ll*>(address));
    case AF_CAN:
      return make_can(fd, reinterpret_cast<const sockaddr_can*>(address), proto);
    case AF_TIPC:
      return make_tipc(reinterpret_cast<const sockaddr_tipc*>(address));
    case AF_ALG: {
      auto* alg = reinterpret_cast<const sockaddr_alg*>(address);
      return Ref<>::steal(Py_BuildValue("s#s#HH", alg->salg_type,
                                        static_cast<Py_ssize_t>(strnlen(reinterpret_cast<const char*>(alg->salg_type),
                                                                        sizeof alg->salg_type)),
                                        alg->salg_name,
                                        static_cast<Py_ssize_t>(strnlen(reinterpret_cast<const char*>(alg->salg_name),
                                                                        sizeof alg->salg_name)),
                                        alg->salg_feat, alg->salg_mask));
    }
    case AF_VSOCK: {
      auto* vm = reinterpret_cast<const sockaddr_vm*>(address);
      return Ref<>::steal(Py_BuildValue("II", vm->svm_cid, vm->svm_port));
    }
    case AF_QIPCRTR: {
      auto* qrtr = reinterpret_cast<const sockaddr_qrtr*>(address);
      return Ref<>::steal(Py_BuildValue("II", qrtr->sq_node, qrtr->sq_port));
    }
    default:
      // A family that is not known here: the raw bytes.
      return Ref<>::steal(Py_BuildValue("iy#", address->sa_family, address->sa_data,
                                        static_cast<Py_ssize_t>(sizeof address->sa_data)));
  }
}

}  // namespace pyston::socket_module
