// _md5, _sha1, _sha256, _sha512 and _sha3: one hash object over OpenSSL's EVP interface, one type per algorithm.
#include "Lib/native/hash/hashing.h"
#include "Lib/native/hash/libcrypto.h"

using namespace pyston;
using namespace pyston::hashing;

namespace {

struct Algorithm {
  const char* name;
  const char* type_name;
  const EVP_MD* (*LibCrypto::*digest)();
  int block_size;
  int digest_size;     // 0: the length is chosen when asking for the digest
  int capacity_bits;   // SHA-3 only
  unsigned char suffix;
};

struct DigestObject {
  PyObject_HEAD
  const LibCrypto* library;
  EVP_MD_CTX* context;
  PyThread_type_lock lock;  // made for the first update that releases the GIL
};
DigestObject* as_digest(PyObject* object) { return reinterpret_cast<DigestObject*>(object); }

Failure raise_openssl() { return raise(PyExc_RuntimeError, "OpenSSL refused a digest operation"); }

DigestObject* new_digest(PyTypeObject* type) {
  const LibCrypto* library = open_libcrypto();
  if (library == nullptr) return nullptr;
  DigestObject* self = as_digest(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->lock = nullptr;
  self->library = library;
  self->context = library->EVP_MD_CTX_new();
  if (self->context == nullptr) {
    Py_DECREF(as_object(self));
    return reinterpret_cast<DigestObject*>(PyErr_NoMemory());
  }
  return self;
}

void digest_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  as_digest(self)->library->EVP_MD_CTX_free(as_digest(self)->context);
  if (as_digest(self)->lock != nullptr) PyThread_free_lock(as_digest(self)->lock);
  type->tp_free(self);
  Py_DECREF(type);
}

Status update(DigestObject* self, const Py_buffer& data) {
  return hash_update(self->lock, data, [self](const void* bytes, size_t size) {
    self->library->EVP_DigestUpdate(self->context, bytes, size);
  });
}

PyObject* digest_update(Borrowed<DigestObject> self, HashInput data) {
  VM_CHECK(update(self, data.view));
  Py_RETURN_NONE;
}

/// The digest so far; `length` matters for extendable functions only.
Status finish(DigestObject* self, const Algorithm& algorithm, unsigned char* out, size_t length) {
  const LibCrypto& library = *self->library;
  EVP_MD_CTX* copy = library.EVP_MD_CTX_new();
  if (copy == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  int done;
  {
    HashLock lock(self->lock);
    done = library.EVP_MD_CTX_copy_ex(copy, self->context);
  }
  if (done) {
    done = algorithm.digest_size == 0 ? library.EVP_DigestFinalXOF(copy, out, length)
                                      : library.EVP_DigestFinal_ex(copy, out, nullptr);
  }
  library.EVP_MD_CTX_free(copy);
  return done ? Status::kOk : raise_openssl();
}

template <const Algorithm& kAlgorithm>
PyObject* digest_digest(Borrowed<DigestObject> self) {
  unsigned char out[EVP_MAX_MD_SIZE];
  if (!ok(finish(self, kAlgorithm, out, 0))) return nullptr;
  return PyBytes_FromStringAndSize(reinterpret_cast<char*>(out), kAlgorithm.digest_size);
}
template <const Algorithm& kAlgorithm>
PyObject* digest_hexdigest(Borrowed<DigestObject> self) {
  unsigned char out[EVP_MAX_MD_SIZE];
  if (!ok(finish(self, kAlgorithm, out, 0))) return nullptr;
  return _Py_strhex(reinterpret_cast<char*>(out), kAlgorithm.digest_size);
}

/// Bytes of an extendable digest. Returns new.
PyObject* extended_digest(DigestObject* self, const Algorithm& algorithm, PyObject* length_object) {
  unsigned long length;
  if (!_PyLong_UnsignedLong_Converter(length_object, &length)) return nullptr;
  if (length >= (1ul << 29)) return raise(PyExc_ValueError, "length is too large");
  Ref<> result = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(length)));
  if (!result || length == 0) return result.release();
  return ok(finish(self, algorithm, reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(result.get())), length)) ? result.release() : nullptr;
}
template <const Algorithm& kAlgorithm>
PyObject* shake_digest(Borrowed<DigestObject> self, Borrowed<> length) {
  return extended_digest(self, kAlgorithm, length);
}
template <const Algorithm& kAlgorithm>
PyObject* shake_hexdigest(Borrowed<DigestObject> self, Borrowed<> length) {
  Ref<> bytes = Ref<>::steal(extended_digest(self, kAlgorithm, length));
  return bytes ? _Py_strhex(PyBytes_AS_STRING(bytes.get()), PyBytes_GET_SIZE(bytes.get())) : nullptr;
}

PyObject* digest_copy(Borrowed<DigestObject> self) {
  DigestObject* copy = new_digest(Py_TYPE(self.object()));
  if (copy == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(copy);
  HashLock lock(self->lock);
  if (!self->library->EVP_MD_CTX_copy_ex(copy->context, self->context)) return raise_openssl();
  return owner.release();
}

PyObject* create(PyTypeObject* type, const Algorithm& algorithm, Optional<HashInput>& data) {
  DigestObject* self = new_digest(type);
  if (self == nullptr) return nullptr;
  Ref<> owner = Ref<>::steal(self);
  const EVP_MD* digest = (self->library->*algorithm.digest)();
  if (!self->library->EVP_DigestInit_ex(self->context, digest, nullptr)) return raise_openssl();
  if (data && !ok(update(self, data->view))) return nullptr;
  return owner.release();
}

template <const Algorithm& kAlgorithm>
PyObject* get_block_size(PyObject*, void*) {
  return PyLong_FromLong(kAlgorithm.block_size);
}
template <const Algorithm& kAlgorithm>
PyObject* get_digest_size(PyObject*, void*) {
  return PyLong_FromLong(kAlgorithm.digest_size);
}
template <const Algorithm& kAlgorithm>
PyObject* get_name(PyObject*, void*) {
  return PyUnicode_FromString(kAlgorithm.name);
}
template <const Algorithm& kAlgorithm>
PyObject* get_capacity_bits(PyObject*, void*) {
  return PyLong_FromLong(kAlgorithm.capacity_bits);
}
template <const Algorithm& kAlgorithm>
PyObject* get_rate_bits(PyObject*, void*) {
  return PyLong_FromLong(1600 - kAlgorithm.capacity_bits);
}
template <const Algorithm& kAlgorithm>
PyObject* get_suffix(PyObject*, void*) {
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(&kAlgorithm.suffix), 1);
}


template <const Algorithm& kAlgorithm>
struct DigestTables {
  static inline PyMethodDef methods[] = {
      method<digest_copy, "copy($self, /)", "A copy of the hash object.">(),
      method<digest_digest<kAlgorithm>, "digest($self, /)", "The digest of what came so far, as bytes.">(),
      method<digest_hexdigest<kAlgorithm>, "hexdigest($self, /)", "The digest of what came so far, as hexadecimal digits.">(),
      method<digest_update, "update($self, obj, /)", "Takes in more data.">(),
      {}};
  static inline PyMethodDef shake_methods[] = {
      method<digest_copy, "copy($self, /)", "A copy of the hash object.">(),
      method<shake_digest<kAlgorithm>, "digest($self, length, /)", "A digest of that length of what came so far, as bytes.">(),
      method<shake_hexdigest<kAlgorithm>, "hexdigest($self, length, /)",
             "A digest of that length of what came so far, as hexadecimal digits.">(),
      method<digest_update, "update($self, data, /)", "Takes in more data.">(),
      {}};
  static inline PyGetSetDef getset[] = {{"block_size", get_block_size<kAlgorithm>, nullptr, nullptr, nullptr},
                                        {"name", get_name<kAlgorithm>, nullptr, nullptr, nullptr},
                                        {"digest_size", get_digest_size<kAlgorithm>, nullptr, nullptr, nullptr},
                                        {}};
  static inline PyGetSetDef sha3_getset[] = {{"block_size", get_block_size<kAlgorithm>, nullptr, nullptr, nullptr},
                                             {"name", get_name<kAlgorithm>, nullptr, nullptr, nullptr},
                                             {"digest_size", get_digest_size<kAlgorithm>, nullptr, nullptr, nullptr},
                                             {"_capacity_bits", get_capacity_bits<kAlgorithm>, nullptr, nullptr, nullptr},
                                             {"_rate_bits", get_rate_bits<kAlgorithm>, nullptr, nullptr, nullptr},
                                             {"_suffix", get_suffix<kAlgorithm>, nullptr, nullptr, nullptr},
                                             {}};
  static PyObject* construct(PyTypeObject* type, Optional<HashInput> data, Optional<bool>) {
    return create(type, kAlgorithm, data);
  }
  static inline PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(digest_dealloc)},
                                       {Py_tp_methods, methods},
                                       {Py_tp_getset, getset},
                                       {0, nullptr}};
  static inline PyType_Spec spec = {kAlgorithm.type_name, sizeof(DigestObject), 0,
                                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  static inline PyType_Slot sha3_slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(digest_dealloc)},
      {Py_tp_methods, kAlgorithm.digest_size == 0 ? shake_methods : methods},
      {Py_tp_getset, sha3_getset},
      {Py_tp_new, reinterpret_cast<void*>(constructor<construct, "sha3_224($type, data=b'', /, *, usedforsecurity=True)">)},
      {Py_tp_doc, const_cast<char*>("sha3([data], *, usedforsecurity=True) -> SHA3 object\n\nA new hash object of the SHA-3 family.")},
      {0, nullptr}};
  static inline PyType_Spec sha3_spec = {kAlgorithm.type_name, sizeof(DigestObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                         sha3_slots};
};

constexpr Algorithm kMd5 = {"md5", "_md5.md5", &LibCrypto::EVP_md5, 64, 16, 0, 0};
constexpr Algorithm kSha1 = {"sha1", "_sha1.sha1", &LibCrypto::EVP_sha1, 64, 20, 0, 0};
constexpr Algorithm kSha224 = {"sha224", "_sha256.sha224", &LibCrypto::EVP_sha224, 64, 28, 0, 0};
constexpr Algorithm kSha256 = {"sha256", "_sha256.sha256", &LibCrypto::EVP_sha256, 64, 32, 0, 0};
constexpr Algorithm kSha384 = {"sha384", "_sha512.sha384", &LibCrypto::EVP_sha384, 128, 48, 0, 0};
constexpr Algorithm kSha512 = {"sha512", "_sha512.sha512", &LibCrypto::EVP_sha512, 128, 64, 0, 0};
constexpr Algorithm kSha3_224 = {"sha3_224", "_sha3.sha3_224", &LibCrypto::EVP_sha3_224, 144, 28, 448, 6};
constexpr Algorithm kSha3_256 = {"sha3_256", "_sha3.sha3_256", &LibCrypto::EVP_sha3_256, 136, 32, 512, 6};
constexpr Algorithm kSha3_384 = {"sha3_384", "_sha3.sha3_384", &LibCrypto::EVP_sha3_384, 104, 48, 768, 6};
constexpr Algorithm kSha3_512 = {"sha3_512", "_sha3.sha3_512", &LibCrypto::EVP_sha3_512, 72, 64, 1024, 6};
constexpr Algorithm kShake128 = {"shake_128", "_sha3.shake_128", &LibCrypto::EVP_shake128, 168, 0, 256, 0x1f};
constexpr Algorithm kShake256 = {"shake_256", "_sha3.shake_256", &LibCrypto::EVP_shake256, 136, 0, 512, 0x1f};

/// State of the modules with one or two algorithms: their types.
struct ModuleState {
  PyTypeObject* types[2];
};
ModuleState* state_of(PyObject* module) { return static_cast<ModuleState*>(PyModule_GetState(module)); }

template <const Algorithm& kAlgorithm, int kIndex>
PyObject* module_create(PyObject* module, Optional<HashInput> data, Optional<bool>) {
  return create(state_of(module)->types[kIndex], kAlgorithm, data);
}

Status add_type(PyObject* module, int index, PyType_Spec& spec, const char* name) {
  PyTypeObject*& type = state_of(module)->types[index];
  type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &spec, nullptr));
  if (type == nullptr) return Status::kError;
  return static_cast<Status>(PyModule_AddObjectRef(module, name, as_object(type)));
}
int module_traverse(PyObject* module, visitproc visit, void* arg) {
  for (PyTypeObject* type : state_of(module)->types) Py_VISIT(type);
  return 0;
}
int module_clear(PyObject* module) {
  for (PyTypeObject*& type : state_of(module)->types) Py_CLEAR(type);
  return 0;
}
void module_free(void* module) { module_clear(static_cast<PyObject*>(module)); }

PyMethodDef md5_functions[] = {
    method<module_create<kMd5, 0>, "md5($module, /, string=b'', *, usedforsecurity=True)", "A new MD5 hash object.">(), {}};
PyMethodDef sha1_functions[] = {
    method<module_create<kSha1, 0>, "sha1($module, /, string=b'', *, usedforsecurity=True)", "A new SHA-1 hash object.">(), {}};
PyMethodDef sha256_functions[] = {
    method<module_create<kSha256, 1>, "sha256($module, /, string=b'', *, usedforsecurity=True)", "A new SHA-256 hash object.">(),
    method<module_create<kSha224, 0>, "sha224($module, /, string=b'', *, usedforsecurity=True)", "A new SHA-224 hash object.">(),
    {}};
PyMethodDef sha512_functions[] = {
    method<module_create<kSha512, 1>, "sha512($module, /, string=b'', *, usedforsecurity=True)", "A new SHA-512 hash object.">(),
    method<module_create<kSha384, 0>, "sha384($module, /, string=b'', *, usedforsecurity=True)", "A new SHA-384 hash object.">(),
    {}};

int md5_exec(PyObject* module) { return static_cast<int>(add_type(module, 0, DigestTables<kMd5>::spec, "MD5Type")); }
int sha1_exec(PyObject* module) { return static_cast<int>(add_type(module, 0, DigestTables<kSha1>::spec, "SHA1Type")); }
int sha256_exec(PyObject* module) {
  VM_CHECK(add_type(module, 0, DigestTables<kSha224>::spec, "SHA224Type"));
  return static_cast<int>(add_type(module, 1, DigestTables<kSha256>::spec, "SHA256Type"));
}
int sha512_exec(PyObject* module) {
  VM_CHECK(add_type(module, 0, DigestTables<kSha384>::spec, "SHA384Type"));
  return static_cast<int>(add_type(module, 1, DigestTables<kSha512>::spec, "SHA512Type"));
}
int sha3_exec(PyObject* module) {
  PyType_Spec* specs[] = {&DigestTables<kSha3_224>::sha3_spec, &DigestTables<kSha3_256>::sha3_spec,
                          &DigestTables<kSha3_384>::sha3_spec, &DigestTables<kSha3_512>::sha3_spec,
                          &DigestTables<kShake128>::sha3_spec, &DigestTables<kShake256>::sha3_spec};
  for (PyType_Spec* spec : specs) {
    Ref<> type = Ref<>::steal(PyType_FromModuleAndSpec(module, spec, nullptr));
    if (!type || PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type.get())) < 0) return -1;
  }
  if (PyModule_AddIntConstant(module, "keccakopt", 0) < 0) return -1;
  return PyModule_AddStringConstant(module, "implementation", "OpenSSL");
}

#define HASH_MODULE(name, functions)                                                                      \
  PyModuleDef_Slot name##_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(name##_exec)}, {}};            \
  PyModuleDef name##_module = {PyModuleDef_HEAD_INIT, "_" #name,        nullptr,      sizeof(ModuleState), \
                               functions,             name##_slots, module_traverse, module_clear,        \
                               module_free};
HASH_MODULE(md5, md5_functions)
HASH_MODULE(sha1, sha1_functions)
HASH_MODULE(sha256, sha256_functions)
HASH_MODULE(sha512, sha512_functions)
HASH_MODULE(sha3, nullptr)

}  // namespace

PyMODINIT_FUNC PyInit__md5(void) { return PyModuleDef_Init(&md5_module); }
PyMODINIT_FUNC PyInit__sha1(void) { return PyModuleDef_Init(&sha1_module); }
PyMODINIT_FUNC PyInit__sha256(void) { return PyModuleDef_Init(&sha256_module); }
PyMODINIT_FUNC PyInit__sha512(void) { return PyModuleDef_Init(&sha512_module); }
PyMODINIT_FUNC PyInit__sha3(void) { return PyModuleDef_Init(&sha3_module); }
