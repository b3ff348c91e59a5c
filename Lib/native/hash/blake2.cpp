// _blake2: BLAKE2b and BLAKE2s (RFC 7693) with all their parameters: key, salt, personalisation and tree hashing, which
// OpenSSL's interface doesn't offer.
#include <cstring>

#include "Lib/native/hash/hashing.h"
#include "Objects/numbers/int.h"

using namespace pyston;
using namespace pyston::hashing;

namespace {

constexpr uint8_t kSigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

/// What distinguishes the two functions.
struct Blake2b {
  using Word = uint64_t;
  static constexpr const char* kName = "blake2b";
  static constexpr const char* kTypeName = "_blake2.blake2b";
  static constexpr int kRounds = 12;
  static constexpr int kRotations[4] = {32, 24, 16, 63};
  static constexpr Word kInitial[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                       0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
  static constexpr int kMaxDigest = 64;
  static constexpr int kMaxKey = 64;
  static constexpr int kSaltSize = 16;
  static constexpr int kPersonSize = 16;
  static constexpr int kNodeOffsetBytes = 8;
};
struct Blake2s {
  using Word = uint32_t;
  static constexpr const char* kName = "blake2s";
  static constexpr const char* kTypeName = "_blake2.blake2s";
  static constexpr int kRounds = 10;
  static constexpr int kRotations[4] = {16, 12, 8, 7};
  static constexpr Word kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  static constexpr int kMaxDigest = 32;
  static constexpr int kMaxKey = 32;
  static constexpr int kSaltSize = 8;
  static constexpr int kPersonSize = 8;
  static constexpr int kNodeOffsetBytes = 6;
};

/// The running hash. The last block is kept back until the end, because it is compressed with a flag.
template <class Variant>
struct State {
  using Word = typename Variant::Word;
  static constexpr size_t kBlock = 16 * sizeof(Word);
  Word h[8];
  Word counter[2];
  bool last_node;
  uint8_t digest_size;
  size_t buffered;
  uint8_t buffer[kBlock];

  static Word rotate(Word x, int n) { return x >> n | x << (8 * sizeof(Word) - static_cast<size_t>(n)); }

  void compress(const uint8_t* block, bool last) {
    Word m[16];
    memcpy(m, block, sizeof(m));  // little-endian machine
    Word v[16];
    for (int i = 0; i < 8; i++) {
      v[i] = h[i];
      v[i + 8] = Variant::kInitial[i];
    }
    v[12] ^= counter[0];
    v[13] ^= counter[1];
    if (last) {
      v[14] = ~v[14];
      if (last_node) v[15] = ~v[15];
    }
    const auto mix = [&](int a, int b, int c, int d, Word x, Word y) {
      v[a] += v[b] + x;
      v[d] = rotate(v[d] ^ v[a], Variant::kRotations[0]);
      v[c] += v[d];
      v[b] = rotate(v[b] ^ v[c], Variant::kRotations[1]);
      v[a] += v[b] + y;
      v[d] = rotate(v[d] ^ v[a], Variant::kRotations[2]);
      v[c] += v[d];
      v[b] = rotate(v[b] ^ v[c], Variant::kRotations[3]);
    };
    for (int round = 0; round < Variant::kRounds; round++) {
      const uint8_t* s = kSigma[round % 10];
      mix(0, 4, 8, 12, m[s[0]], m[s[1]]);
      mix(1, 5, 9, 13, m[s[2]], m[s[3]]);
      mix(2, 6, 10, 14, m[s[4]], m[s[5]]);
      mix(3, 7, 11, 15, m[s[6]], m[s[7]]);
      mix(0, 5, 10, 15, m[s[8]], m[s[9]]);
      mix(1, 6, 11, 12, m[s[10]], m[s[11]]);
      mix(2, 7, 8, 13, m[s[12]], m[s[13]]);
      mix(3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
  }
  void count(size_t bytes) {
    counter[0] += static_cast<Word>(bytes);
    if (counter[0] < bytes) counter[1]++;
  }
  void update(const uint8_t* data, size_t size) {
    while (size > 0) {
      if (buffered == kBlock) {
        count(kBlock);
        compress(buffer, false);
        buffered = 0;
      }
      const size_t n = size < kBlock - buffered ? size : kBlock - buffered;
      memcpy(buffer + buffered, data, n);
      buffered += n;
      data += n;
      size -= n;
    }
  }
  void finish(uint8_t* out) {
    count(buffered);
    memset(buffer + buffered, 0, kBlock - buffered);
    compress(buffer, true);
    memcpy(out, h, digest_size);
  }
};

template <class Variant>
struct Blake2Object {
  PyObject_HEAD
  State<Variant> state;
  PyThread_type_lock lock;
};

template <class Variant>
struct Implementation {
  using Object = Blake2Object<Variant>;

  static Object* allocate(PyTypeObject* type) {
    Object* self = reinterpret_cast<Object*>(type->tp_alloc(type, 0));
    if (self != nullptr) self->lock = nullptr;
    return self;
  }
  static void dealloc(PyObject* object) {
    PyTypeObject* type = Py_TYPE(object);
    if (reinterpret_cast<Object*>(object)->lock != nullptr) PyThread_free_lock(reinterpret_cast<Object*>(object)->lock);
    explicit_bzero(&reinterpret_cast<Object*>(object)->state, sizeof(State<Variant>));
    type->tp_free(object);
    Py_DECREF(type);
  }
  static Status feed(Object* self, const Py_buffer& data) {
    return hash_update(self->lock, data, [self](const void* bytes, size_t size) { self->state.update(static_cast<const uint8_t*>(bytes), size); });
  }

  static PyObject* create(PyTypeObject* type, Optional<HashInput> data, Optional<int> digest_size_argument, Optional<Buffer> key,
                          Optional<Buffer> salt, Optional<Buffer> person, Optional<int> fanout_argument, Optional<int> depth_argument,
                          PyObject* leaf_size_object, PyObject* node_offset_object, Optional<int> node_depth_argument,
                          Optional<int> inner_size_argument, Optional<bool> last_node, Optional<bool>) {
    const int digest_size = digest_size_argument.value_or(Variant::kMaxDigest);
    const int fanout = fanout_argument.value_or(1);
    const int depth = depth_argument.value_or(1);
    const int node_depth = node_depth_argument.value_or(0);
    const int inner_size = inner_size_argument.value_or(0);
    unsigned long leaf_size = 0;
    unsigned long long node_offset = 0;
    if (leaf_size_object != nullptr && !_PyLong_UnsignedLong_Converter(leaf_size_object, &leaf_size)) return nullptr;
    if (node_offset_object != nullptr) {
      if (PyLong_Check(node_offset_object) && _PyLong_Sign(node_offset_object) < 0) return raise(PyExc_ValueError, "value must be positive");
      node_offset = PyLong_AsUnsignedLongLong(node_offset_object);
      if (node_offset == static_cast<unsigned long long>(-1) && PyErr_Occurred()) return nullptr;
    }
    if (digest_size <= 0 || digest_size > Variant::kMaxDigest) {
      return raise(PyExc_ValueError, "digest_size must be between 1 and %d bytes", Variant::kMaxDigest);
    }
    if (salt && salt->size() > Variant::kSaltSize) return raise(PyExc_ValueError, "maximum salt length is %d bytes", Variant::kSaltSize);
    if (person && person->size() > Variant::kPersonSize) {
      return raise(PyExc_ValueError, "maximum person length is %d bytes", Variant::kPersonSize);
    }
    if (fanout < 0 || fanout > 255) return raise(PyExc_ValueError, "fanout must be between 0 and 255");
    if (depth <= 0 || depth > 255) return raise(PyExc_ValueError, "depth must be between 1 and 255");
    if (leaf_size > 0xffffffffu) return raise(PyExc_OverflowError, "leaf_size is too large");
    if (Variant::kNodeOffsetBytes < 8 && node_offset >> (8 * (Variant::kNodeOffsetBytes % 8)) != 0) {
      return raise(PyExc_OverflowError, "node_offset is too large");
    }
    if (node_depth < 0 || node_depth > 255) return raise(PyExc_ValueError, "node_depth must be between 0 and 255");
    if (inner_size < 0 || inner_size > Variant::kMaxDigest) {
      return raise(PyExc_ValueError, "inner_size must be between 0 and is %d", Variant::kMaxDigest);
    }
    if (key && key->size() > Variant::kMaxKey) return raise(PyExc_ValueError, "maximum key length is %d bytes", Variant::kMaxKey);
    Object* self = allocate(type);
    if (self == nullptr) return nullptr;
    Ref<> owner = Ref<>::steal(self);
    // The parameter block of the specification, mixed into the initial state.
    uint8_t block[8 * sizeof(typename Variant::Word)] = {};
    const Py_ssize_t key_size = key ? key->size() : 0;
    block[0] = static_cast<uint8_t>(digest_size);
    block[1] = static_cast<uint8_t>(key_size);
    block[2] = static_cast<uint8_t>(fanout);
    block[3] = static_cast<uint8_t>(depth);
    memcpy(block + 4, &leaf_size, 4);
    memcpy(block + 8, &node_offset, Variant::kNodeOffsetBytes);
    block[8 + Variant::kNodeOffsetBytes] = static_cast<uint8_t>(node_depth);
    block[9 + Variant::kNodeOffsetBytes] = static_cast<uint8_t>(inner_size);
    uint8_t* tail = block + sizeof(block) - Variant::kSaltSize - Variant::kPersonSize;
    if (salt) memcpy(tail, salt->data(), static_cast<size_t>(salt->size()));
    if (person) memcpy(tail + Variant::kSaltSize, person->data(), static_cast<size_t>(person->size()));
    State<Variant>& state = self->state;
    memset(&state, 0, sizeof(state));
    memcpy(state.h, block, sizeof(block));
    for (int i = 0; i < 8; i++) state.h[i] ^= Variant::kInitial[i];
    state.digest_size = static_cast<uint8_t>(digest_size);
    state.last_node = last_node.value_or(false);
    if (key_size > 0) {  // a key is a block of its own in front of the data
      memcpy(state.buffer, key->data(), static_cast<size_t>(key_size));
      state.buffered = State<Variant>::kBlock;
    }
    if (data && !ok(feed(self, data->view))) return nullptr;
    return owner.release();
  }

  static PyObject* update(Borrowed<Object> self, HashInput data) {
    VM_CHECK(feed(self, data.view));
    Py_RETURN_NONE;
  }
  static State<Variant> snapshot(Object* self) {
    HashLock lock(self->lock);
    return self->state;
  }
  static PyObject* digest(Borrowed<Object> self) {
    uint8_t out[Variant::kMaxDigest];
    State<Variant> state = snapshot(self);
    state.finish(out);
    return PyBytes_FromStringAndSize(reinterpret_cast<char*>(out), state.digest_size);
  }
  static PyObject* hexdigest(Borrowed<Object> self) {
    uint8_t out[Variant::kMaxDigest];
    State<Variant> state = snapshot(self);
    state.finish(out);
    return _Py_strhex(reinterpret_cast<char*>(out), state.digest_size);
  }
  static PyObject* copy(Borrowed<Object> self) {
    Object* result = allocate(Py_TYPE(self.object()));
    if (result != nullptr) result->state = snapshot(self);
    return as_object(result);
  }
  static PyObject* get_name(PyObject*, void*) { return PyUnicode_FromString(Variant::kName); }
  static PyObject* get_block_size(PyObject*, void*) { return PyLong_FromSize_t(State<Variant>::kBlock); }
  static PyObject* get_digest_size(PyObject* self, void*) {
    return PyLong_FromLong(reinterpret_cast<Object*>(self)->state.digest_size);
  }

  static inline PyMethodDef methods[] = {
      method<copy, "copy($self, /)", "A copy of the hash object.">(),
      method<digest, "digest($self, /)", "The digest of what came so far, as bytes.">(),
      method<hexdigest, "hexdigest($self, /)", "The digest of what came so far, as hexadecimal digits.">(),
      method<update, "update($self, data, /)", "Takes in more data.">(),
      {}};
  static inline PyGetSetDef getset[] = {{"name", get_name, nullptr, nullptr, nullptr},
                                        {"block_size", get_block_size, nullptr, nullptr, nullptr},
                                        {"digest_size", get_digest_size, nullptr, nullptr, nullptr},
                                        {}};

  template <newfunc kConstructor>
  static Status add_to(PyObject* module, const char* prefix) {
    static PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
                                  {Py_tp_doc, const_cast<char*>("Return a new BLAKE2 hash object.")},
                                  {Py_tp_methods, methods},
                                  {Py_tp_getset, getset},
                                  {Py_tp_new, reinterpret_cast<void*>(kConstructor)},
                                  {0, nullptr}};
    static PyType_Spec spec = {Variant::kTypeName, sizeof(Object), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE, slots};
    Ref<> type = Ref<>::steal(PyType_FromModuleAndSpec(module, &spec, nullptr));
    if (!type) return Status::kError;
    VM_CHECK(PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type.get())));
    const struct {
      const char* name;
      int value;
    } constants[] = {{"SALT_SIZE", Variant::kSaltSize},
                     {"PERSON_SIZE", Variant::kPersonSize},
                     {"MAX_KEY_SIZE", Variant::kMaxKey},
                     {"MAX_DIGEST_SIZE", Variant::kMaxDigest}};
    PyObject* dict = reinterpret_cast<PyTypeObject*>(type.get())->tp_dict;
    for (const auto& constant : constants) {
      Ref<> value = Ref<>::steal(PyLong_FromLong(constant.value));
      if (!value) return Status::kError;
      VM_CHECK(PyDict_SetItemString(dict, constant.name, value.get()));
      char name[64];
      PyOS_snprintf(name, sizeof(name), "%s_%s", prefix, constant.name);
      VM_CHECK(PyModule_AddObjectRef(module, name, value.get()));
    }
    return Status::kOk;
  }
};

#define BLAKE2_SIGNATURE(name)                                                                                          \
  name "($type, data=b'', /, *, digest_size=0, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, "         \
       "node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True)"

int blake2_exec(PyObject* module) {
  VM_CHECK((Implementation<Blake2b>::add_to<constructor<Implementation<Blake2b>::create, BLAKE2_SIGNATURE("blake2b")>>(module, "BLAKE2B")));
  VM_CHECK((Implementation<Blake2s>::add_to<constructor<Implementation<Blake2s>::create, BLAKE2_SIGNATURE("blake2s")>>(module, "BLAKE2S")));
  return 0;
}
PyModuleDef_Slot blake2_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(blake2_exec)}, {}};
PyModuleDef blake2_module = {PyModuleDef_HEAD_INIT, "_blake2", "_blake2b provides BLAKE2b for hashlib\n", 0, nullptr, blake2_slots,
                             nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__blake2(void) { return PyModuleDef_Init(&blake2_module); }
