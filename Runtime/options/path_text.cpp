// Questions about paths.
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "Runtime/options/paths.h"

namespace pyston::options {

std::string encode(const Path& path) {
  char* bytes = Py_EncodeLocale(path.c_str(), nullptr);
  std::string result = bytes == nullptr ? std::string() : std::string(bytes);
  PyMem_Free(bytes);
  return result;
}

Path decode(const char* bytes) {
  wchar_t* wide = Py_DecodeLocale(bytes, nullptr);
  Path result = wide == nullptr ? Path() : Path(wide);
  PyMem_RawFree(wide);
  return result;
}

bool is_file(const Path& path) {
  struct stat info;
  return stat(encode(path).c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool is_directory(const Path& path) {
  struct stat info;
  return stat(encode(path).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Path parent(const Path& path) {
  const size_t slash = path.rfind(L'/');
  if (slash == Path::npos) return L"";
  return slash == 0 ? L"/" : path.substr(0, slash);
}

Path join(const Path& left, const Path& right) {
  if (!right.empty() && right[0] == L'/') return right;
  return left.empty() || left.back() == L'/' ? left + right : left + L"/" + right;
}

Path real_path(const Path& path) {
  char resolved[PATH_MAX];
  return !path.empty() && realpath(encode(path).c_str(), resolved) != nullptr ? decode(resolved) : path;
}

}  // namespace pyston::options
