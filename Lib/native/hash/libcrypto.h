// OpenSSL's digests, from the library that is opened when the first hash object is made: start-up, and programs that
// hash nothing (or through `_hashlib`), do without its memory and relocations.
#pragma once

#include <openssl/evp.h>

#include "Runtime/refs/ref.h"

#define LIBCRYPTO_FUNCTIONS(FUNCTION)                                                                              \
  FUNCTION(EVP_MD_CTX_new) FUNCTION(EVP_MD_CTX_free) FUNCTION(EVP_MD_CTX_copy_ex) FUNCTION(EVP_DigestInit_ex)      \
  FUNCTION(EVP_DigestUpdate) FUNCTION(EVP_DigestFinal_ex) FUNCTION(EVP_DigestFinalXOF) FUNCTION(EVP_md5)           \
  FUNCTION(EVP_sha1) FUNCTION(EVP_sha224) FUNCTION(EVP_sha256) FUNCTION(EVP_sha384) FUNCTION(EVP_sha512)           \
  FUNCTION(EVP_sha3_224) FUNCTION(EVP_sha3_256) FUNCTION(EVP_sha3_384) FUNCTION(EVP_sha3_512) FUNCTION(EVP_shake128) \
  FUNCTION(EVP_shake256)

namespace pyston::hashing {

struct LibCrypto {
#define FUNCTION(name) decltype(&::name) name;
  LIBCRYPTO_FUNCTIONS(FUNCTION)
#undef FUNCTION
};

/// Null with ImportError when the library cannot be opened.
const LibCrypto* open_libcrypto();

}  // namespace pyston::hashing
