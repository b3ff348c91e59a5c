// Paths as the path configuration handles them: wide text, file system questions asked in the locale's encoding.
#pragma once

#include <string>

#include "Runtime/options/options.h"

namespace pyston::options {

using Path = std::wstring;

std::string encode(const Path& path);
Path decode(const char* bytes);

bool is_file(const Path& path);
bool is_directory(const Path& path);
/// Without its last component; empty when it has only one.
Path parent(const Path& path);
/// `right` relative to `left`.
Path join(const Path& left, const Path& right);
/// With symbolic links followed, as far as the path exists.
Path real_path(const Path& path);

}  // namespace pyston::options
