// Performing a socket operation under the socket's timeout.
#pragma once

#include <cerrno>
#include <climits>
#include <poll.h>

#include "Lib/native/socket/socket.h"

namespace pyston::socket_module {

enum class Ready { kYes, kTimeout, kError };

/// Waits for readiness, for `interval` at most. At once, when the socket blocks or never waits.
inline Ready wait_ready(const SocketObject* self, Wait wait, _PyTime_t interval) {
  if (self->fd < 0) return Ready::kYes;
  pollfd entry = {self->fd, 0, 0};
  switch (wait) {
    case Wait::kRead:
      entry.events = POLLIN;
      break;
    case Wait::kWrite:
      entry.events = POLLOUT;
      break;
    case Wait::kConnect:
      entry.events = POLLOUT | POLLERR;
      break;
  }
  _PyTime_t milliseconds = _PyTime_AsMilliseconds(interval, _PyTime_ROUND_CEILING);
  if (milliseconds < 0) milliseconds = 0;
  if (milliseconds > INT_MAX) milliseconds = INT_MAX;
  int count;
  Py_BEGIN_ALLOW_THREADS;
  count = poll(&entry, 1, static_cast<int>(milliseconds));
  Py_END_ALLOW_THREADS;
  return count < 0 ? Ready::kError : count == 0 ? Ready::kTimeout : Ready::kYes;
}

struct CallOptions {
  _PyTime_t timeout;
  /// Waits first, whatever the timeout: for the second half of connect().
  bool wait_first = false;
  /// If not null: gets the errno instead of an exception being raised (-1: a Python exception is set).
  int* error = nullptr;
};

/// Calls `operation()` without the GIL until it is neither interrupted nor would block; it gives true on success and
/// errno on failure. False: an exception is set, or `*error` is.
template <class Operation>
bool socket_call(SocketObject* self, Wait wait, Operation operation, const CallOptions& options) {
  const bool timed = options.timeout > 0;
  const _PyTime_t deadline = timed ? _PyDeadline_Init(options.timeout) : 0;
  _PyTime_t interval = options.timeout;
  while (true) {
    if (timed || options.wait_first) {
      Ready ready;
      if (timed) {
        ready = interval >= 0 ? wait_ready(self, wait, interval) : Ready::kTimeout;
      } else {
        // A blocking connect() that a signal interrupted: no limit.
        pollfd entry = {self->fd, POLLOUT | POLLERR, 0};
        int count;
        Py_BEGIN_ALLOW_THREADS;
        count = poll(&entry, 1, -1);
        Py_END_ALLOW_THREADS;
        ready = count < 0 ? Ready::kError : Ready::kYes;
      }
      if (ready == Ready::kError) {
        if (options.error != nullptr) *options.error = errno;
        if (errno == EINTR) {
          if (PyErr_CheckSignals() != 0) {
            if (options.error != nullptr) *options.error = -1;
            return false;
          }
          if (timed) interval = _PyDeadline_Get(deadline);
          continue;
        }
        if (options.error == nullptr) self->raise_error();
        return false;
      }
      if (ready == Ready::kTimeout) {
        if (options.error != nullptr) {
          *options.error = EWOULDBLOCK;
        } else {
          PyErr_SetString(PyExc_TimeoutError, "timed out");
        }
        return false;
      }
    }
    while (true) {
      bool done;
      Py_BEGIN_ALLOW_THREADS;
      done = operation();
      Py_END_ALLOW_THREADS;
      if (done) {
        if (options.error != nullptr) *options.error = 0;
        return true;
      }
      if (options.error != nullptr) *options.error = errno;
      if (errno != EINTR) break;
      if (PyErr_CheckSignals() != 0) {
        if (options.error != nullptr) *options.error = -1;
        return false;
      }
    }
    // Readiness can be spurious: the data was for somebody else, or had a bad checksum.
    if (timed && (errno == EWOULDBLOCK || errno == EAGAIN)) {
      interval = _PyDeadline_Get(deadline);
      continue;
    }
    if (options.error == nullptr) self->raise_error();
    return false;
  }
}

template <class Operation>
bool socket_call(SocketObject* self, Wait wait, Operation operation) {
  return socket_call(self, wait, operation, {.timeout = self->timeout});
}

}  // namespace pyston::socket_module
