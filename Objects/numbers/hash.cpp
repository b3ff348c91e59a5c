// Hash functions: SipHash-1-3 for bytes and strings under the process's secret, the numeric hash modulo 2**61 - 1, the
// pointer hash; and where the secret and os.urandom come from.
#include <sys/random.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "Runtime/refs/ref.h"
#include "pycore_fileutils.h"
#include "pycore_initconfig.h"
#include "pycore_pyhash.h"
#include "pycore_pylifecycle.h"

_Py_HashSecret_t _Py_HashSecret = {};

namespace {

/// The four words of SipHash (Aumasson and Bernstein).
struct Sip {
  uint64_t v0, v1, v2, v3;
  Sip(uint64_t k0, uint64_t k1)
      : v0(k0 ^ 0x736f6d6570736575), v1(k1 ^ 0x646f72616e646f6d), v2(k0 ^ 0x6c7967656e657261), v3(k1 ^ 0x7465646279746573) {}
  static uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }
  ALWAYS_INLINE void round() {
    v0 += v1;
    v2 += v3;
    v1 = rotate(v1, 13) ^ v0;
    v3 = rotate(v3, 16) ^ v2;
    v0 = rotate(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = rotate(v1, 17) ^ v2;
    v3 = rotate(v3, 21) ^ v0;
    v2 = rotate(v2, 32);
  }
  ALWAYS_INLINE void absorb(uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

uint64_t siphash13(uint64_t k0, uint64_t k1, const void* data, size_t length) {
  const unsigned char* p = static_cast<const unsigned char*>(data);
  uint64_t last = static_cast<uint64_t>(length) << 56;
  Sip state(k0, k1);
  for (; length >= 8; length -= 8, p += 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    state.absorb(word);
  }
  uint64_t tail = 0;
  memcpy(&tail, p, length);
  state.absorb(last | tail);
  state.v2 ^= 0xff;
  state.round();
  state.round();
  state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

Py_hash_t hash_with_secret(const void* data, Py_ssize_t length) {
  return static_cast<Py_hash_t>(
      siphash13(_Py_HashSecret.siphash.k0, _Py_HashSecret.siphash.k1, data, static_cast<size_t>(length)));
}

PyHash_FuncDef hash_definition = {hash_with_secret, "siphash13", 64, 128};

}  // namespace

Py_hash_t _Py_HashBytes(const void* data, Py_ssize_t length) {
  if (length == 0) return 0;
  const Py_hash_t hash = hash_with_secret(data, length);
  return hash == -1 ? -2 : hash;
}

uint64_t _Py_KeyedHash(uint64_t key, const char* data, Py_ssize_t length) {
  return siphash13(key, 0, data, static_cast<size_t>(length));
}

PyHash_FuncDef* PyHash_GetFuncDef(void) { return &hash_definition; }

Py_hash_t _Py_HashPointerRaw(const void* pointer) {
  // Low bits of addresses are zero: rotate them to the top.
  const size_t value = reinterpret_cast<size_t>(pointer);
  return static_cast<Py_hash_t>(value >> 4 | value << 60);
}
Py_hash_t _Py_HashPointer(const void* pointer) {
  const Py_hash_t hash = _Py_HashPointerRaw(pointer);
  return hash == -1 ? -2 : hash;
}

/// Hash of a number: the same for equal values of any numeric type. NaNs hash by identity of `object`.
Py_hash_t _Py_HashDouble(PyObject* object, double value) {
  constexpr double kDirect = 1152921504606846976.0;  // 2**60
  if (value > -kDirect && value < kDirect) {
    const int64_t whole = static_cast<int64_t>(value);
    if (static_cast<double>(whole) == value) return whole == -1 ? -2 : whole;
  }
  if (!std::isfinite(value)) {
    if (std::isinf(value)) return value > 0 ? _PyHASH_INF : -_PyHASH_INF;
    return _Py_HashPointer(object);
  }
  int exponent;
  const double fraction = frexp(std::fabs(value), &exponent);
  // value = mantissa * 2**(exponent - 53), and multiplying by 2 modulo 2**61 - 1 is a rotation of 61 bits.
  const uint64_t mantissa = static_cast<uint64_t>(ldexp(fraction, 53));
  int shift = (exponent - 53) % _PyHASH_BITS;
  if (shift < 0) shift += _PyHASH_BITS;
  uint64_t hash = ((mantissa << shift) & _PyHASH_MODULUS) | mantissa >> (_PyHASH_BITS - shift);
  if (hash >= _PyHASH_MODULUS) hash -= _PyHASH_MODULUS;
  const Py_hash_t result = value < 0 ? -static_cast<Py_hash_t>(hash) : static_cast<Py_hash_t>(hash);
  return result == -1 ? -2 : result;
}

// Random bytes ------------------------------------------------------------------------------------------------------

namespace {

enum class Blocking { kNo, kYes };
enum class Errors { kSilent, kRaise };

int random_from_device(unsigned char* out, Py_ssize_t size, Errors errors) {
  const int descriptor = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errors == Errors::kRaise) PyErr_SetString(PyExc_NotImplementedError, "/dev/urandom (or equivalent) not found");
    return -1;
  }
  while (size > 0) {
    const ssize_t n = read(descriptor, out, static_cast<size_t>(size));
    if (n < 0 && errno == EINTR && (errors == Errors::kSilent || PyErr_CheckSignals() == 0)) continue;
    if (n <= 0) {
      if (errors == Errors::kRaise && !PyErr_Occurred()) PyErr_SetFromErrno(PyExc_OSError);
      close(descriptor);
      return -1;
    }
    out += n;
    size -= n;
  }
  close(descriptor);
  return 0;
}

int random_bytes(void* buffer, Py_ssize_t size, Blocking blocking, Errors errors) {
  if (size < 0) {
    if (errors == Errors::kRaise) PyErr_Format(PyExc_ValueError, "negative argument not allowed");
    return -1;
  }
  unsigned char* out = static_cast<unsigned char*>(buffer);
  while (size > 0) {
    const ssize_t n = getrandom(out, static_cast<size_t>(Py_MIN(size, 1 << 20)), blocking == Blocking::kNo ? GRND_NONBLOCK : 0);
    if (n >= 0) {
      out += n;
      size -= n;
      continue;
    }
    if (errno == EINTR) {
      if (errors == Errors::kRaise && PyErr_CheckSignals() < 0) return -1;
      continue;
    }
    if (errno == ENOSYS || errno == EPERM || (errno == EAGAIN && blocking == Blocking::kNo)) {
      return random_from_device(out, size, errors);
    }
    if (errors == Errors::kRaise) PyErr_SetFromErrno(PyExc_OSError);
    return -1;
  }
  return 0;
}

}  // namespace

int _PyOS_URandom(void* buffer, Py_ssize_t size) { return random_bytes(buffer, size, Blocking::kYes, Errors::kRaise); }
int _PyOS_URandomNonblock(void* buffer, Py_ssize_t size) {
  return random_bytes(buffer, size, Blocking::kNo, Errors::kRaise);
}

/// Fills the hash secret from PYTHONHASHSEED (a linear congruential sequence, as in CPython) or from the system. Once in a process:
/// strings and the dictionaries of static types live on through a re-initialisation.
PyStatus _Py_HashRandomization_Init(const PyConfig* config) {
  static bool initialized = false;
  if (initialized) return PyStatus_Ok();
  initialized = true;
  unsigned char* secret = _Py_HashSecret.uc;
  constexpr size_t kSize = sizeof(_Py_HashSecret.uc);
  if (config->use_hash_seed) {
    if (config->hash_seed == 0) {
      memset(secret, 0, kSize);
    } else {
      unsigned x = static_cast<unsigned>(config->hash_seed);
      for (size_t i = 0; i < kSize; i++) {
        x = x * 214013 + 2531011;
        secret[i] = static_cast<unsigned char>(x >> 16);
      }
    }
  } else if (random_bytes(secret, kSize, Blocking::kNo, Errors::kSilent) < 0) {
    return PyStatus_Error("failed to get random numbers to initialize Python");
  }
  return PyStatus_Ok();
}

void _Py_HashRandomization_Fini(void) {}
