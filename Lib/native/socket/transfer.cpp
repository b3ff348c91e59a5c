// Methods of sockets that move data: recv*, send*, with ancillary data.
#include <cerrno>
#include <cstring>
#include <linux/if_alg.h>
#include <sys/uio.h>
#include <unistd.h>

#include "Lib/native/socket/wait.h"

namespace pyston::socket_module {
namespace {

/// Shortens a bytes object that was allocated for more.
Ref<> shorten(PyObject* bytes, Py_ssize_t size) {
  if (size != PyBytes_GET_SIZE(bytes)) _PyBytes_Resize(&bytes, size);
  return Ref<>::steal(bytes);
}

/// Receives into memory; the size, -1 with an exception.
Py_ssize_t receive(SocketObject* self, void* data, Py_ssize_t size, int flags) {
  if (size == 0) return 0;
  ssize_t result = 0;
  const bool done = socket_call(self, Wait::kRead, [&] {
    result = recv(self->fd, data, static_cast<size_t>(size), flags);
    return result >= 0;
  });
  return done ? result : -1;
}

Py_ssize_t receive_from(SocketObject* self, void* data, Py_ssize_t size, int flags, Ref<>& address_object) {
  Address address;
  if (!prepare_address(self, address)) return -1;
  const socklen_t room = address.length;
  ssize_t result = 0;
  const bool done = socket_call(self, Wait::kRead, [&] {
    address.length = room;
    result = recvfrom(self->fd, data, static_cast<size_t>(size), flags, address.get(), &address.length);
    return result >= 0;
  });
  if (!done) return -1;
  address_object = make_address(self->fd, address.get(), address.length, self->proto);
  return address_object ? result : -1;
}

PyObject* socket_recv(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  Py_ssize_t size;
  int flags = 0;
  if (!PyArg_ParseTuple(args, "n|i:recv", &size, &flags)) return nullptr;
  if (size < 0) return raise(PyExc_ValueError, "negative buffersize in recv");
  auto bytes = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, size));
  if (!bytes) return nullptr;
  const Py_ssize_t received = receive(self, PyBytes_AS_STRING(bytes.get()), size, flags);
  return received < 0 ? nullptr : shorten(bytes.release(), received).release();
}

PyObject* socket_recvfrom(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  Py_ssize_t size;
  int flags = 0;
  if (!PyArg_ParseTuple(args, "n|i:recvfrom", &size, &flags)) return nullptr;
  if (size < 0) return raise(PyExc_ValueError, "negative buffersize in recvfrom");
  auto bytes = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, size));
  if (!bytes) return nullptr;
  Ref<> address;
  const Py_ssize_t received = receive_from(self, PyBytes_AS_STRING(bytes.get()), size, flags, address);
  if (received < 0) return nullptr;
  bytes = shorten(bytes.release(), received);
  return bytes ? PyTuple_Pack(2, bytes.get(), address.get()) : nullptr;
}

/// Owns a buffer that PyArg_Parse filled.
struct BufferGuard {
  Py_buffer view = {};
  BufferGuard() = default;
  BufferGuard(const BufferGuard&) = delete;
  BufferGuard& operator=(const BufferGuard&) = delete;
  ~BufferGuard() {
    if (view.obj != nullptr) PyBuffer_Release(&view);
  }
};

/// Checks the size for recv_into() and its like; 0 stands for the whole buffer.
bool choose_size(const Py_buffer& view, Py_ssize_t& size, const char* method) {
  if (size < 0) {
    PyErr_Format(PyExc_ValueError, "negative buffersize in %s", method);
    return false;
  }
  if (size == 0) size = view.len;
  return true;
}

PyObject* socket_recv_into(PyObject* object, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"buffer", "nbytes", "flags", nullptr};
  auto* self = reinterpret_cast<SocketObject*>(object);
  BufferGuard buffer;
  Py_ssize_t size = 0;
  int flags = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "w*|ni:recv_into", const_cast<char**>(kNames), &buffer.view, &size,
                                   &flags)) {
    return nullptr;
  }
  if (!choose_size(buffer.view, size, "recv_into")) return nullptr;
  if (buffer.view.len < size) return raise(PyExc_ValueError, "buffer too small for requested bytes");
  const Py_ssize_t received = receive(self, buffer.view.buf, size, flags);
  return received < 0 ? nullptr : PyLong_FromSsize_t(received);
}

PyObject* socket_recvfrom_into(PyObject* object, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"buffer", "nbytes", "flags", nullptr};
  auto* self = reinterpret_cast<SocketObject*>(object);
  BufferGuard buffer;
  Py_ssize_t size = 0;
  int flags = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "w*|ni:recvfrom_into", const_cast<char**>(kNames), &buffer.view,
                                   &size, &flags)) {
    return nullptr;
  }
  if (!choose_size(buffer.view, size, "recvfrom_into")) return nullptr;
  if (buffer.view.len < size) return raise(PyExc_ValueError, "nbytes is greater than the length of the buffer");
  Ref<> address;
  const Py_ssize_t received = receive_from(self, buffer.view.buf, size, flags, address);
  return received < 0 ? nullptr : Py_BuildValue("nO", received, address.get());
}

// ---- recvmsg

Status append_ancillary(PyObject* list, msghdr& message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    const char* data = reinterpret_cast<const char*>(CMSG_DATA(header));
    const char* end = static_cast<const char*>(message.msg_control) + message.msg_controllen;
    if (header->cmsg_len < CMSG_LEN(0)) {
      return PyErr_WarnEx(PyExc_RuntimeWarning, "received malformed or improperly-truncated ancillary data", 1) < 0
                 ? Status::kError
                 : Status::kOk;
    }
    // A truncated last item is cut to what there is.
    size_t size = header->cmsg_len - CMSG_LEN(0);
    const bool truncated = size > static_cast<size_t>(end - data);
    if (truncated) size = static_cast<size_t>(end - data);
    auto item = Ref<>::steal(Py_BuildValue("iiy#", header->cmsg_level, header->cmsg_type, data,
                                           static_cast<Py_ssize_t>(size)));
    if (!item || PyList_Append(list, item.get()) < 0) return Status::kError;
    if (truncated) {
      return PyErr_WarnEx(PyExc_RuntimeWarning, "received malformed or improperly-truncated ancillary data", 1) < 0
                 ? Status::kError
                 : Status::kOk;
    }
  }
  return Status::kOk;
}

/// Descriptors that arrived and cannot be handed over would leak.
void close_descriptors(msghdr& message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      close(fd);
    }
  }
}

/// (data, ancillary, flags, address); `make_data(size)` makes the first item.
template <class MakeData>
PyObject* receive_message(SocketObject* self, iovec* vectors, size_t count, int flags, Py_ssize_t ancillary_size,
                          MakeData make_data) {
  if (ancillary_size < 0 || ancillary_size > INT_MAX) {
    return raise(PyExc_ValueError, "invalid ancillary data buffer length");
  }
  Address address;
  if (!prepare_address(self, address)) return nullptr;
  const socklen_t room = address.length;
  void* control = nullptr;
  if (ancillary_size > 0) {
    control = PyMem_Malloc(static_cast<size_t>(ancillary_size));
    if (control == nullptr) return PyErr_NoMemory();
  }
  msghdr message = {};
  ssize_t received = 0;
  const bool done = socket_call(self, Wait::kRead, [&] {
    message = {};
    message.msg_name = address.get();
    message.msg_namelen = room;
    message.msg_iov = vectors;
    message.msg_iovlen = count;
    message.msg_control = control;
    message.msg_controllen = static_cast<size_t>(ancillary_size);
    received = recvmsg(self->fd, &message, flags);
    return received >= 0;
  });
  PyObject* result = nullptr;
  if (done) {
    auto ancillary = Ref<>::steal(PyList_New(0));
    if (ancillary && ok(append_ancillary(ancillary.get(), message))) {
      auto data = Ref<>::steal(make_data(received));
      auto from = make_address(self->fd, address.get(), message.msg_namelen < room ? message.msg_namelen : room,
                               self->proto);
      if (data && from) {
        result = Py_BuildValue("OOiO", data.get(), ancillary.get(), message.msg_flags, from.get());
      }
    }
    if (result == nullptr) close_descriptors(message);
  }
  PyMem_Free(control);
  return result;
}

PyObject* socket_recvmsg(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  Py_ssize_t size, ancillary_size = 0;
  int flags = 0;
  if (!PyArg_ParseTuple(args, "n|ni:recvmsg", &size, &ancillary_size, &flags)) return nullptr;
  if (size < 0) return raise(PyExc_ValueError, "negative buffer size in recvmsg()");
  auto bytes = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, size));
  if (!bytes) return nullptr;
  iovec vector = {PyBytes_AS_STRING(bytes.get()), static_cast<size_t>(size)};
  return receive_message(self, &vector, 1, flags, ancillary_size,
                         [&](Py_ssize_t received) { return shorten(bytes.release(), received).release(); });
}

/// The buffers of a sequence as io vectors.
class Vectors {
 public:
  Vectors() = default;
  Vectors(const Vectors&) = delete;
  Vectors& operator=(const Vectors&) = delete;
  ~Vectors() {
    for (size_t i = 0; i < count_; i++) PyBuffer_Release(&views_[i]);
    PyMem_Free(views_);
    PyMem_Free(vectors_);
  }
  bool fill(PyObject* sequence, const char* format, const char* not_iterable, const char* too_many) {
    auto list = Ref<>::steal(PySequence_Fast(sequence, not_iterable));
    if (!list) return false;
    const Py_ssize_t size = PySequence_Fast_GET_SIZE(list.get());
    if (size > INT_MAX) {
      PyErr_SetString(PyExc_OSError, too_many);
      return false;
    }
    views_ = PyMem_New(Py_buffer, static_cast<size_t>(size + 1));
    vectors_ = PyMem_New(iovec, static_cast<size_t>(size + 1));
    if (views_ == nullptr || vectors_ == nullptr) {
      PyErr_NoMemory();
      return false;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
      if (!PyArg_Parse(PySequence_Fast_GET_ITEM(list.get(), i), format, &views_[i])) return false;
      vectors_[i] = {views_[i].buf, static_cast<size_t>(views_[i].len)};
      count_++;
    }
    return true;
  }
  iovec* data() { return vectors_; }
  size_t count() const { return count_; }

 private:
  Py_buffer* views_ = nullptr;
  iovec* vectors_ = nullptr;
  size_t count_ = 0;
};

PyObject* socket_recvmsg_into(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  PyObject* buffers;
  Py_ssize_t ancillary_size = 0;
  int flags = 0;
  if (!PyArg_ParseTuple(args, "O|ni:recvmsg_into", &buffers, &ancillary_size, &flags)) return nullptr;
  Vectors vectors;
  if (!vectors.fill(buffers,
                    "w*;recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers",
                    "recvmsg_into() argument 1 must be an iterable", "recvmsg_into() argument 1 is too long")) {
    return nullptr;
  }
  return receive_message(self, vectors.data(), vectors.count(), flags, ancillary_size, PyLong_FromSsize_t);
}

// ---- send

PyObject* socket_send(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  BufferGuard buffer;
  int flags = 0;
  if (!PyArg_ParseTuple(args, "y*|i:send", &buffer.view, &flags)) return nullptr;
  ssize_t sent = 0;
  const bool done = socket_call(self, Wait::kWrite, [&] {
    sent = send(self->fd, buffer.view.buf, static_cast<size_t>(buffer.view.len), flags);
    return sent >= 0;
  });
  return done ? PyLong_FromSsize_t(sent) : nullptr;
}

/// The timeout is for the whole of it.
PyObject* socket_sendall(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  BufferGuard buffer;
  int flags = 0;
  if (!PyArg_ParseTuple(args, "y*|i:sendall", &buffer.view, &flags)) return nullptr;
  const bool timed = self->timeout > 0;
  const _PyTime_t deadline = timed ? _PyDeadline_Init(self->timeout) : 0;
  const char* data = static_cast<const char*>(buffer.view.buf);
  Py_ssize_t left = buffer.view.len;
  do {
    _PyTime_t timeout = self->timeout;
    if (timed) {
      timeout = _PyDeadline_Get(deadline);
      if (timeout <= 0) return raise(PyExc_TimeoutError, "timed out");
    }
    ssize_t sent = 0;
    const bool done = socket_call(
        self, Wait::kWrite,
        [&] {
          sent = send(self->fd, data, static_cast<size_t>(left), flags);
          return sent >= 0;
        },
        {.timeout = timeout});
    if (!done) return nullptr;
    data += sent;
    left -= sent;
    // Large transfers shall be interruptible.
    if (PyErr_CheckSignals() != 0) return nullptr;
  } while (left > 0);
  return Py_NewRef(Py_None);
}

PyObject* socket_sendto(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  BufferGuard buffer;
  PyObject* address_object;
  int flags = 0;
  const Py_ssize_t count = PyTuple_GET_SIZE(args);
  bool parsed;
  switch (count) {
    case 2:
      parsed = PyArg_ParseTuple(args, "y*O:sendto", &buffer.view, &address_object);
      break;
    case 3:
      parsed = PyArg_ParseTuple(args, "y*iO:sendto", &buffer.view, &flags, &address_object);
      break;
    default:
      return raise(PyExc_TypeError, "sendto() takes 2 or 3 arguments (%zd given)", count);
  }
  if (!parsed) {
    buffer.view.obj = nullptr;  // released by the parser
    return nullptr;
  }
  Address address;
  if (!parse_address(self, address_object, address, "sendto")) return nullptr;
  if (PySys_Audit("socket.sendto", "OO", object, address_object) < 0) return nullptr;
  ssize_t sent = 0;
  const bool done = socket_call(self, Wait::kWrite, [&] {
    sent = sendto(self->fd, buffer.view.buf, static_cast<size_t>(buffer.view.len), flags, address.get(),
                  address.length);
    return sent >= 0;
  });
  return done ? PyLong_FromSsize_t(sent) : nullptr;
}

/// Control data for sendmsg(2), built item by item.
class Control {
 public:
  Control() = default;
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control() { PyMem_Free(data_); }

  /// Zeroed room for `size` bytes of payloads in total.
  bool reserve(size_t size) {
    size_ = size;
    if (size == 0) return true;
    data_ = PyMem_Calloc(1, size);
    if (data_ == nullptr) PyErr_NoMemory();
    return data_ != nullptr;
  }
  void attach(msghdr& message) {
    message.msg_control = data_;
    message.msg_controllen = size_;
  }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

struct ControlItem {
  int level, type;
  Py_buffer view;
};

/// A list of (level, type, data).
class ControlItems {
 public:
  ControlItems() = default;
  ControlItems(const ControlItems&) = delete;
  ControlItems& operator=(const ControlItems&) = delete;
  ~ControlItems() {
    for (Py_ssize_t i = 0; i < count_; i++) PyBuffer_Release(&items_[i].view);
    PyMem_Free(items_);
  }
  bool fill(PyObject* sequence) {
    auto list = Ref<>::steal(PySequence_Fast(sequence, "sendmsg() argument 2 must be an iterable"));
    if (!list) return false;
    const Py_ssize_t size = PySequence_Fast_GET_SIZE(list.get());
    items_ = PyMem_New(ControlItem, static_cast<size_t>(size + 1));
    if (items_ == nullptr) {
      PyErr_NoMemory();
      return false;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
      ControlItem& item = items_[i];
      if (!PyArg_Parse(PySequence_Fast_GET_ITEM(list.get(), i),
                       "(iiy*):[sendmsg() ancillary data items]", &item.level, &item.type, &item.view)) {
        return false;
      }
      count_++;
      if (item.view.len > INT_MAX) {
        PyErr_SetString(PyExc_OSError, "ancillary data item too large");
        return false;
      }
      space_ += CMSG_SPACE(static_cast<size_t>(item.view.len));
      if (space_ > INT_MAX) {
        PyErr_SetString(PyExc_OSError, "too much ancillary data");
        return false;
      }
    }
    return true;
  }
  size_t space() const { return space_; }
  void write(msghdr& message) const {
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    for (Py_ssize_t i = 0; i < count_ && header != nullptr; i++) {
      const ControlItem& item = items_[i];
      header->cmsg_level = item.level;
      header->cmsg_type = item.type;
      header->cmsg_len = CMSG_LEN(static_cast<size_t>(item.view.len));
      memcpy(CMSG_DATA(header), item.view.buf, static_cast<size_t>(item.view.len));
      header = CMSG_NXTHDR(&message, header);
    }
  }

 private:
  ControlItem* items_ = nullptr;
  Py_ssize_t count_ = 0;
  size_t space_ = 0;
};

PyObject* send_message(SocketObject* self, msghdr& message, int flags) {
  ssize_t sent = 0;
  const bool done = socket_call(self, Wait::kWrite, [&] {
    sent = sendmsg(self->fd, &message, flags);
    return sent >= 0;
  });
  return done ? PyLong_FromSsize_t(sent) : nullptr;
}

constexpr const char* kDataFormat = "y*;sendmsg() argument 1 must be an iterable of bytes-like objects";

PyObject* socket_sendmsg(PyObject* object, PyObject* args) {
  auto* self = reinterpret_cast<SocketObject*>(object);
  PyObject *data, *ancillary = nullptr, *address_object = nullptr;
  int flags = 0;
  if (!PyArg_ParseTuple(args, "O|OiO:sendmsg", &data, &ancillary, &flags, &address_object)) return nullptr;
  Address address;
  msghdr message = {};
  if (address_object != nullptr && address_object != Py_None) {
    if (!parse_address(self, address_object, address, "sendmsg")) return nullptr;
    if (PySys_Audit("socket.sendmsg", "OO", object, address_object) < 0) return nullptr;
    message.msg_name = address.get();
    message.msg_namelen = address.length;
  } else if (PySys_Audit("socket.sendmsg", "OO", object, Py_None) < 0) {
    return nullptr;
  }
  Vectors vectors;
  if (!vectors.fill(data, kDataFormat, "sendmsg() argument 1 must be an iterable",
                    "sendmsg() argument 1 is too long")) {
    return nullptr;
  }
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.count();
  ControlItems items;
  if (ancillary != nullptr && !items.fill(ancillary)) return nullptr;
  Control control;
  if (!control.reserve(items.space())) return nullptr;
  control.attach(message);
  items.write(message);
  return send_message(self, message, flags);
}

PyObject* socket_sendmsg_afalg(PyObject* object, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"msg", "op", "iv", "assoclen", "flags", nullptr};
  auto* self = reinterpret_cast<SocketObject*>(object);
  if (self->family != AF_ALG) return raise(PyExc_OSError, "algset is only supported for AF_ALG");
  PyObject *data = nullptr, *operation_object = nullptr, *assoc_object = nullptr;
  BufferGuard iv;
  int flags = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$O!y*O!i:sendmsg_afalg", const_cast<char**>(kNames), &data,
                                   &PyLong_Type, &operation_object, &iv.view, &PyLong_Type, &assoc_object, &flags)) {
    return nullptr;
  }
  if (operation_object == nullptr) {
    return raise(PyExc_TypeError, "sendmsg_afalg() missing required keyword argument 'op'");
  }
  const int operation = _PyLong_AsInt(operation_object);
  if (operation < 0) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "invalid value for op, must be >= 0");
    return nullptr;
  }
  int assoc_length = -1;
  if (assoc_object != nullptr) {
    assoc_length = _PyLong_AsInt(assoc_object);
    if (assoc_length < 0) {
      if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "invalid value for assoclen, must be >= 0");
      return nullptr;
    }
  }
  Vectors vectors;
  if (data != nullptr && !vectors.fill(data, kDataFormat, "sendmsg() argument 1 must be an iterable",
                                       "sendmsg() argument 1 is too long")) {
    return nullptr;
  }
  const size_t iv_size = iv.view.obj != nullptr ? sizeof(af_alg_iv) + static_cast<size_t>(iv.view.len) : 0;
  Control control;
  if (!control.reserve(CMSG_SPACE(4) + (iv_size != 0 ? CMSG_SPACE(iv_size) : 0) +
                       (assoc_length >= 0 ? CMSG_SPACE(4) : 0))) {
    return nullptr;
  }
  msghdr message = {};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.count();
  control.attach(message);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  auto put = [&](int type, const void* payload, size_t size) {
    header->cmsg_level = SOL_ALG;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(size);
    if (payload != nullptr) memcpy(CMSG_DATA(header), payload, size);
  };
  put(ALG_SET_OP, &operation, sizeof operation);
  if (iv_size != 0) {
    header = CMSG_NXTHDR(&message, header);
    put(ALG_SET_IV, nullptr, iv_size);
    auto* target = reinterpret_cast<af_alg_iv*>(CMSG_DATA(header));
    target->ivlen = static_cast<uint32_t>(iv.view.len);
    memcpy(target->iv, iv.view.buf, static_cast<size_t>(iv.view.len));
  }
  if (assoc_length >= 0) {
    header = CMSG_NXTHDR(&message, header);
    put(ALG_SET_AEAD_ASSOCLEN, &assoc_length, sizeof assoc_length);
  }
  return send_message(self, message, flags);
}

template <class Function>
PyCFunction as_method(Function function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

}  // namespace

PyMethodDef transfer_methods[] = {
    {"recv", socket_recv, METH_VARARGS, "recv(buffersize[, flags]) -> data\n\nReceives up to that many bytes."},
    {"recv_into", as_method(socket_recv_into), METH_VARARGS | METH_KEYWORDS,
     "recv_into(buffer, [nbytes[, flags]]) -> nbytes_read\n\nReceives into a buffer."},
    {"recvfrom", socket_recvfrom, METH_VARARGS,
     "recvfrom(buffersize[, flags]) -> (data, address info)\n\nLike recv(), with the sender's address."},
    {"recvfrom_into", as_method(socket_recvfrom_into), METH_VARARGS | METH_KEYWORDS,
     "recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address info)\n\nLike recv_into(), with the sender's "
     "address."},
    {"recvmsg", socket_recvmsg, METH_VARARGS,
     "recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)\n\nReceives data and ancillary "
     "data."},
    {"recvmsg_into", socket_recvmsg_into, METH_VARARGS,
     "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)\n\nReceives into several "
     "buffers."},
    {"send", socket_send, METH_VARARGS, "send(data[, flags]) -> count\n\nSends data; tells how much was sent."},
    {"sendall", socket_sendall, METH_VARARGS, "sendall(data[, flags])\n\nSends all of the data."},
    {"sendto", socket_sendto, METH_VARARGS, "sendto(data[, flags], address) -> count\n\nSends data to an address."},
    {"sendmsg", socket_sendmsg, METH_VARARGS,
     "sendmsg(buffers[, ancdata[, flags[, address]]]) -> count\n\nSends data and ancillary data."},
    {"sendmsg_afalg", as_method(socket_sendmsg_afalg), METH_VARARGS | METH_KEYWORDS,
     "sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags=MSG_MORE]]])\n\nSends data to a kernel algorithm."},
    {}};

}  // namespace pyston::socket_module
