// _random: the Mersenne Twister MT19937 of Matsumoto and Nishimura.
#include <ctime>
#include <unistd.h>

#include "Objects/bind.h"
#include "Objects/numbers/float.h"
#include "Objects/numbers/int.h"
#include "pycore_pylifecycle.h"

using namespace pyston;

namespace {

constexpr int kN = 624;
constexpr int kM = 397;

/// `index` is the next word of `state` to be used; kN: the state must be advanced first.
struct RandomObject {
  PyObject_HEAD
  int index;
  uint32_t state[kN];
};

COLD NEVER_INLINE void advance(RandomObject* self) {
  uint32_t* mt = self->state;
  const auto twist = [](uint32_t high, uint32_t low) {
    const uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
    return (y >> 1) ^ ((y & 1) ? 0x9908b0dfu : 0);
  };
  int k = 0;
  for (; k < kN - kM; k++) mt[k] = mt[k + kM] ^ twist(mt[k], mt[k + 1]);
  for (; k < kN - 1; k++) mt[k] = mt[k + kM - kN] ^ twist(mt[k], mt[k + 1]);
  mt[kN - 1] = mt[kM - 1] ^ twist(mt[kN - 1], mt[0]);
  self->index = 0;
}

ALWAYS_INLINE uint32_t next_word(RandomObject* self) {
  if (UNLIKELY(self->index >= kN)) advance(self);
  uint32_t y = self->state[self->index++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ y >> 18;
}

void seed_with_word(RandomObject* self, uint32_t seed) {
  uint32_t* mt = self->state;
  mt[0] = seed;
  for (uint32_t i = 1; i < kN; i++) mt[i] = 1812433253u * (mt[i - 1] ^ mt[i - 1] >> 30) + i;
  self->index = kN;
}

void seed_with_key(RandomObject* self, const uint32_t* key, size_t length) {
  uint32_t* mt = self->state;
  seed_with_word(self, 19650218u);
  size_t i = 1;
  size_t j = 0;
  const auto step = [&] {
    if (++i >= kN) {
      mt[0] = mt[kN - 1];
      i = 1;
    }
  };
  for (size_t k = length > kN ? length : kN; k > 0; k--) {
    mt[i] = (mt[i] ^ ((mt[i - 1] ^ mt[i - 1] >> 30) * 1664525u)) + key[j] + static_cast<uint32_t>(j);
    step();
    if (++j >= length) j = 0;
  }
  for (int k = kN - 1; k > 0; k--) {
    mt[i] = (mt[i] ^ ((mt[i - 1] ^ mt[i - 1] >> 30) * 1566083941u)) - static_cast<uint32_t>(i);
    step();
  }
  mt[0] = 0x80000000u;
}

Status seed_from_system(RandomObject* self) {
  uint32_t key[kN];
  if (_PyOS_URandomNonblock(key, sizeof(key)) < 0) {
    // Without a source of randomness the time has to do.
    PyErr_Clear();
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    key[0] = static_cast<uint32_t>(now.tv_nsec);
    key[1] = static_cast<uint32_t>(now.tv_sec);
    key[2] = static_cast<uint32_t>(getpid());
    clock_gettime(CLOCK_MONOTONIC, &now);
    key[3] = static_cast<uint32_t>(now.tv_nsec);
    key[4] = static_cast<uint32_t>(now.tv_sec);
    seed_with_key(self, key, 5);
    return Status::kOk;
  }
  seed_with_key(self, key, kN);
  return Status::kOk;
}

Status seed_random(RandomObject* self, PyObject* argument) {
  if (argument == nullptr || argument == Py_None) return seed_from_system(self);
  Ref<> number;
  if (PyLong_CheckExact(argument)) {
    number = Ref<>::steal(PyNumber_Absolute(argument));
  } else if (PyLong_Check(argument)) {
    // A subclass may have its own idea of abs().
    number = Ref<>::steal(PyLong_Type.tp_as_number->nb_absolute(argument));
  } else {
    const Py_hash_t hash = PyObject_Hash(argument);
    if (hash == -1) return Status::kError;
    number = Ref<>::steal(PyLong_FromSize_t(static_cast<size_t>(hash)));
  }
  if (!number) return Status::kError;
  const size_t bits = _PyLong_NumBits(number.get());
  if (bits == static_cast<size_t>(-1) && PyErr_Occurred()) return Status::kError;
  const Py_ssize_t words = bits == 0 ? 1 : static_cast<Py_ssize_t>((bits - 1) / 32 + 1);
  Scratch<uint32_t, 32> key(words);
  if (!key) return Status::kError;
  VM_CHECK(_PyLong_AsByteArray(as_long(number.get()), reinterpret_cast<unsigned char*>(key.get()),
                               static_cast<size_t>(words) * 4, 1, 0));
  seed_with_key(self, key.get(), static_cast<size_t>(words));
  return Status::kOk;
}

PyObject* random_random(Borrowed<RandomObject> self) {
  const uint32_t a = next_word(self) >> 5;
  const uint32_t b = next_word(self) >> 6;
  return float_from_double((a * 67108864.0 + b) * (1.0 / 9007199254740992.0));
}

Status random_seed(Borrowed<RandomObject> self, PyObject* n) { return seed_random(self, n); }

PyObject* random_getstate(Borrowed<RandomObject> self) {
  Ref<> state = Ref<>::steal(PyTuple_New(kN + 1));
  if (!state) return nullptr;
  for (int i = 0; i <= kN; i++) {
    PyObject* word = PyLong_FromUnsignedLong(i < kN ? self->state[i] : static_cast<uint32_t>(self->index));
    if (word == nullptr) return nullptr;
    PyTuple_SET_ITEM(state.get(), i, word);
  }
  return state.release();
}

Status random_setstate(Borrowed<RandomObject> self, Borrowed<> state) {
  if (!PyTuple_Check(state.get())) return raise(PyExc_TypeError, "state vector must be a tuple");
  if (PyTuple_GET_SIZE(state.get()) != kN + 1) return raise(PyExc_ValueError, "state vector is the wrong size");
  uint32_t words[kN];
  for (int i = 0; i < kN; i++) {
    const unsigned long word = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(state.get(), i));
    if (word == static_cast<unsigned long>(-1) && PyErr_Occurred()) return Status::kError;
    words[i] = static_cast<uint32_t>(word);
  }
  const long index = PyLong_AsLong(PyTuple_GET_ITEM(state.get(), kN));
  if (index == -1 && PyErr_Occurred()) return Status::kError;
  if (index < 0 || index > kN) return raise(PyExc_ValueError, "invalid state");
  self->index = static_cast<int>(index);
  memcpy(self->state, words, sizeof(words));
  return Status::kOk;
}

PyObject* random_getrandbits(Borrowed<RandomObject> self, int k) {
  if (k < 0) return raise(PyExc_ValueError, "number of bits must be non-negative");
  if (k == 0) return small_int(0);
  if (k <= 32) return int_from_int64(next_word(self) >> (32 - k));
  const Py_ssize_t words = (k - 1) / 32 + 1;
  Scratch<uint32_t, 32> buffer(words);
  if (!buffer) return nullptr;
  for (Py_ssize_t i = 0; i < words; i++, k -= 32) {
    uint32_t word = next_word(self);
    if (k < 32) word >>= 32 - k;
    buffer[i] = word;
  }
  return _PyLong_FromByteArray(reinterpret_cast<unsigned char*>(buffer.get()), static_cast<size_t>(words) * 4, 1, 0);
}

int random_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyTypeObject* base = Py_TYPE(self);
  while (base->tp_base != &PyBaseObject_Type) base = base->tp_base;
  if ((Py_TYPE(self) == base || Py_TYPE(self)->tp_init == base->tp_init) && kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) {
    return raise(PyExc_TypeError, "Random() takes no keyword arguments");
  }
  const Py_ssize_t n = PyTuple_GET_SIZE(args);
  if (n > 1) return raise(PyExc_TypeError, "Random() requires 0 or 1 argument");
  return static_cast<int>(seed_random(reinterpret_cast<RandomObject*>(self), n == 1 ? PyTuple_GET_ITEM(args, 0) : nullptr));
}

void random_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef random_methods[] = {
    method<random_random, "random($self, /)", "random() -> x in the interval [0, 1).">(),
    method<random_seed, "seed($self, n=None, /)",
           "seed([n]) -> None.\n\nSets the state from an int or a hashable object; without one, from the system.">(),
    method<random_getstate, "getstate($self, /)", "getstate() -> tuple containing the current state.">(),
    method<random_setstate, "setstate($self, state, /)", "setstate(state) -> None.  Restores generator state.">(),
    method<random_getrandbits, "getrandbits($self, k, /)", "getrandbits(k) -> x.  Generates an int with k random bits.">(),
    {}};

PyType_Slot random_type_slots[] = {
    {Py_tp_doc, const_cast<char*>("Random() -> create a random number generator with its own internal state.")},
    {Py_tp_methods, random_methods},
    {Py_tp_new, reinterpret_cast<void*>(PyType_GenericNew)},
    {Py_tp_init, reinterpret_cast<void*>(random_init)},
    {Py_tp_free, reinterpret_cast<void*>(PyObject_Free)},
    {Py_tp_dealloc, reinterpret_cast<void*>(random_dealloc)},
    {0, nullptr}};
PyType_Spec random_type_spec = {"_random.Random", sizeof(RandomObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                random_type_slots};

int random_exec(PyObject* module) {
  Ref<> type = Ref<>::steal(PyType_FromModuleAndSpec(module, &random_type_spec, nullptr));
  return type ? PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type.get())) : -1;
}

PyModuleDef_Slot random_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(random_exec)}, {}};
PyModuleDef random_module = {PyModuleDef_HEAD_INIT, "_random", "Module implements the Mersenne Twister random number generator.",
                             0, nullptr, random_slots, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__random(void) { return PyModuleDef_Init(&random_module); }
