// The parts of the unicodedata module: properties and normalisation (unicodedata.cpp), names (names.cpp).
#pragma once

#include "Objects/text/text.h"

namespace pyston::unicodedata {
/// Writes the name of a character, null-terminated. False when it has none or the buffer is too small.
bool character_name(Py_UCS4 code, char* buffer, int size);
enum class NameSet { kNames, kNamesAndAliases };
/// A character by name, in any case. False when there is none.
bool character_by_name(const char* name, int length, NameSet set, Py_UCS4& code);
/// The characters of a named sequence: their number (0: none such), pointed to by `characters`.
int sequence_by_name(const char* name, int length, const uint32_t*& characters);
}  // namespace pyston::unicodedata
