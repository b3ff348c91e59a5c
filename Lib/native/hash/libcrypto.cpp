// See libcrypto.h.
#include "Lib/native/hash/libcrypto.h"

#include <dlfcn.h>

namespace pyston::hashing {

const LibCrypto* open_libcrypto() {
  static LibCrypto functions;
  static bool is_open = false;
  if (LIKELY(is_open)) return &functions;
  void* library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return raise(PyExc_ImportError, "%s", dlerror());
#define FUNCTION(name)                                                                   \
  functions.name = reinterpret_cast<decltype(functions.name)>(dlsym(library, #name));    \
  if (functions.name == nullptr) return raise(PyExc_ImportError, "%s", dlerror());
  LIBCRYPTO_FUNCTIONS(FUNCTION)
#undef FUNCTION
  is_open = true;
  return &functions;
}

}  // namespace pyston::hashing
