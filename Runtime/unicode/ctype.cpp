// Character classification and case mapping (the functions behind Py_UNICODE_ISALPHA and so on), Unicode 14.0.0.
//
// Each code point has a record: flags, digit values and case mappings. A mapping is a difference to add, or, with
// kExtended, an offset into rows (length, characters) for lower, upper, title and folded form.
#include "Runtime/python.h"
#include "Runtime/unicode/tables.h"

namespace pyston::unicode {
namespace {

alignas(8) constexpr unsigned char kData[] = {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
#pragma clang diagnostic ignored "-Wc++11-narrowing"  // embedded bytes above 127 count as negative char
#embed "ctype.bin"
#pragma clang diagnostic pop
};
#define TABLE(name, type, offset, count) const Column<type> k##name = UNICODE_COLUMN(kData, type, offset, count);
#include "Runtime/unicode/ctype.inc"
#undef TABLE

enum Flag : unsigned {
  kAlpha = 1 << 0,
  kDecimal = 1 << 1,
  kDigit = 1 << 2,
  kLower = 1 << 3,
  kLinebreak = 1 << 4,
  kSpace = 1 << 5,
  kTitle = 1 << 6,
  kUpper = 1 << 7,
  kXidStart = 1 << 8,
  kXidContinue = 1 << 9,
  kPrintable = 1 << 10,
  kNumeric = 1 << 11,
  kCaseIgnorable = 1 << 12,
  kCased = 1 << 13,
  kExtended = 1 << 14,
};

constexpr int kShift = kData[0];

ALWAYS_INLINE unsigned record_of(Py_UCS4 c) {
  if (UNLIKELY(c > 0x10ffff)) return kCtypeBlocks[static_cast<size_t>(kCtypeIndex[0x10ffff >> kShift]) << kShift];
  return kCtypeBlocks[(static_cast<size_t>(kCtypeIndex[c >> kShift]) << kShift) + (c & ((1u << kShift) - 1))];
}
ALWAYS_INLINE unsigned flags_of(Py_UCS4 c) { return kCtypeFlags[record_of(c)]; }

enum Mapping { kToLower, kToUpper, kToTitle, kToFolded };

/// The row of an extended record for a mapping: its length; `row` is set to its characters.
int extended_row(unsigned record, Mapping mapping, const uint32_t*& row) {
  const uint32_t* at = kCtypeExtended.values + kCtypeLower[record];
  for (int i = 0; i < mapping; i++) at += *at + 1;
  row = at + 1;
  return static_cast<int>(*at);
}

int32_t simple_delta(unsigned record, Mapping mapping) {
  return mapping == kToUpper ? kCtypeUpper[record] : mapping == kToTitle ? kCtypeTitle[record] : kCtypeLower[record];
}

Py_UCS4 map_one(Py_UCS4 c, Mapping mapping) {
  const unsigned record = record_of(c);
  if (UNLIKELY(kCtypeFlags[record] & kExtended)) {
    const uint32_t* row;
    extended_row(record, mapping, row);
    return row[0];
  }
  return c + static_cast<Py_UCS4>(simple_delta(record, mapping));
}

int map_full(Py_UCS4 c, Mapping mapping, Py_UCS4* out) {
  const unsigned record = record_of(c);
  if (UNLIKELY(kCtypeFlags[record] & kExtended)) {
    const uint32_t* row;
    const int length = extended_row(record, mapping, row);
    for (int i = 0; i < length; i++) out[i] = row[i];
    return length;
  }
  out[0] = c + static_cast<Py_UCS4>(simple_delta(record, mapping));
  return 1;
}

}  // namespace
}  // namespace pyston::unicode

using namespace pyston::unicode;

// clang-format off
const unsigned char _Py_ascii_whitespace[] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1,
    1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
// clang-format on

int _PyUnicode_IsAlpha(Py_UCS4 ch) { return (flags_of(ch) & kAlpha) != 0; }
int _PyUnicode_IsLowercase(Py_UCS4 ch) { return (flags_of(ch) & kLower) != 0; }
int _PyUnicode_IsUppercase(Py_UCS4 ch) { return (flags_of(ch) & kUpper) != 0; }
int _PyUnicode_IsTitlecase(Py_UCS4 ch) { return (flags_of(ch) & kTitle) != 0; }
int _PyUnicode_IsXidStart(Py_UCS4 ch) { return (flags_of(ch) & kXidStart) != 0; }
int _PyUnicode_IsXidContinue(Py_UCS4 ch) { return (flags_of(ch) & kXidContinue) != 0; }
int _PyUnicode_IsWhitespace(const Py_UCS4 ch) { return (flags_of(ch) & kSpace) != 0; }
int _PyUnicode_IsLinebreak(const Py_UCS4 ch) { return (flags_of(ch) & kLinebreak) != 0; }
int _PyUnicode_IsPrintable(Py_UCS4 ch) { return (flags_of(ch) & kPrintable) != 0; }
int _PyUnicode_IsNumeric(Py_UCS4 ch) { return (flags_of(ch) & kNumeric) != 0; }
int _PyUnicode_IsCaseIgnorable(Py_UCS4 ch) { return (flags_of(ch) & kCaseIgnorable) != 0; }
int _PyUnicode_IsCased(Py_UCS4 ch) { return (flags_of(ch) & kCased) != 0; }
int _PyUnicode_IsDecimalDigit(Py_UCS4 ch) { return (flags_of(ch) & kDecimal) != 0; }
int _PyUnicode_IsDigit(Py_UCS4 ch) { return (flags_of(ch) & kDigit) != 0; }

int _PyUnicode_ToDecimalDigit(Py_UCS4 ch) {
  const unsigned record = record_of(ch);
  return kCtypeFlags[record] & kDecimal ? kCtypeDecimal[record] : -1;
}
int _PyUnicode_ToDigit(Py_UCS4 ch) {
  const unsigned record = record_of(ch);
  return kCtypeFlags[record] & kDigit ? kCtypeDigit[record] : -1;
}
double _PyUnicode_ToNumeric(Py_UCS4 ch) {
  const unsigned record = record_of(ch);
  if (!(kCtypeFlags[record] & kNumeric)) return -1.0;
  const ptrdiff_t at = binary_search(kNumericCodes, static_cast<uint32_t>(ch));
  return at >= 0 ? kNumericValues[static_cast<size_t>(at)] : kCtypeDigit[record];
}

Py_UCS4 _PyUnicode_ToLowercase(Py_UCS4 ch) { return map_one(ch, kToLower); }
Py_UCS4 _PyUnicode_ToUppercase(Py_UCS4 ch) { return map_one(ch, kToUpper); }
Py_UCS4 _PyUnicode_ToTitlecase(Py_UCS4 ch) { return map_one(ch, kToTitle); }
int _PyUnicode_ToLowerFull(Py_UCS4 ch, Py_UCS4* res) { return map_full(ch, kToLower, res); }
int _PyUnicode_ToUpperFull(Py_UCS4 ch, Py_UCS4* res) { return map_full(ch, kToUpper, res); }
int _PyUnicode_ToTitleFull(Py_UCS4 ch, Py_UCS4* res) { return map_full(ch, kToTitle, res); }
int _PyUnicode_ToFoldedFull(Py_UCS4 ch, Py_UCS4* res) { return map_full(ch, kToFolded, res); }
