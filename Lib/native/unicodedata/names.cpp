// Character names, Unicode 14.0.0.
//
// A name is a sequence of word numbers in `NameStream`: below 192 one byte, else 192 + high byte and low byte; 255 ends
// it. Words are joined by spaces, except around a hyphen, which is a word too. Rows are: the named characters in
// ascending order, then the aliases, then the named sequences. The offset of every 16th row is kept.
// Hangul syllables and unified ideographs have computed names and no rows.
//
// Look-up by name goes through a hash table of rows, made on first use.
#include "Lib/native/unicodedata/unicodedata.h"
#include "Runtime/unicode/tables.h"

namespace pyston::unicodedata {
namespace {

using unicode::Column;

alignas(8) constexpr unsigned char kData[] = {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
#pragma clang diagnostic ignored "-Wc++11-narrowing"  // embedded bytes above 127 count as negative char
#embed "../../../Runtime/unicode/names.bin"
#pragma clang diagnostic pop
};
#define TABLE(name, type, offset, count) const Column<type> k##name = UNICODE_COLUMN(kData, type, offset, count);
#include "Runtime/unicode/names.inc"
#undef TABLE

constexpr int kMaxName = 256;
constexpr uint16_t kNoRow = 0xffff;

constexpr int kSyllableBase = 0xac00;
constexpr int kLeads = 19;
constexpr int kVowels = 21;
constexpr int kTails = 28;
constexpr int kSyllables = kLeads * kVowels * kTails;
constexpr const char* kLeadNames[kLeads] = {"G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S",
                                            "SS", "", "J", "JJ", "C", "K", "T", "P", "H"};
constexpr const char* kVowelNames[kVowels] = {"A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE",
                                              "OE", "YO", "U", "WEO", "WE", "WI", "YU", "EU", "YI", "I"};
constexpr const char* kTailNames[kTails] = {"", "G", "GG", "GS", "N", "NJ", "NH", "D", "L", "LG", "LM", "LB", "LS", "LT",
                                            "LP", "LH", "M", "B", "BS", "S", "SS", "NG", "J", "C", "K", "T", "P", "H"};

size_t row_count() { return kNameCount[0] + kExtraCodes.count; }

const uint8_t* skip_name(const uint8_t* p) {
  while (*p != 255) p += *p < 192 ? 1 : 2;
  return p + 1;
}

const uint8_t* row_start(size_t row) {
  const uint8_t* p = kNameStream.values + kNameOffsets[row / 16];
  for (size_t i = row % 16; i > 0; i--) p = skip_name(p);
  return p;
}

/// Spells a row's name; its length, or -1 when the buffer is too small (a null is written too).
int spell(const uint8_t* p, char* buffer, int size) {
  int length = 0;
  bool glue = true;
  while (*p != 255) {
    size_t word = *p++;
    if (word >= 192) word = 192 + ((word - 192) << 8 | *p++);
    const uint32_t start = kWordOffsets[word];
    const int n = static_cast<int>(kWordOffsets[word + 1] - start);
    const char* text = reinterpret_cast<const char*>(kWordBytes.values + start);
    const bool hyphen = n == 1 && *text == '-';
    if (length + n + 2 > size) return -1;
    if (!glue && !hyphen) buffer[length++] = ' ';
    memcpy(buffer + length, text, static_cast<size_t>(n));
    length += n;
    glue = hyphen;
  }
  buffer[length] = '\0';
  return length;
}

bool is_unified_ideograph(Py_UCS4 code) {
  for (size_t i = 0; i < kUnifiedRanges.count; i += 2) {
    if (code >= kUnifiedRanges[i] && code <= kUnifiedRanges[i + 1]) return true;
  }
  return false;
}

/// FNV-1a of the upper-case form.
uint32_t hash_name(const char* name, int length) {
  uint32_t hash = 2166136261u;
  for (int i = 0; i < length; i++) {
    hash = (hash ^ static_cast<unsigned char>(Py_TOUPPER(Py_CHARMASK(name[i])))) * 16777619u;
  }
  return hash;
}

bool same_name(const char* spelled, const char* name, int length) {
  for (int i = 0; i < length; i++) {
    if (spelled[i] != static_cast<char>(Py_TOUPPER(Py_CHARMASK(name[i])))) return false;
  }
  return true;
}

constexpr size_t kTableSize = 1 << 17;
uint16_t* name_table = nullptr;

/// Hash table of all rows; null when out of memory.
uint16_t* table() {
  if (name_table != nullptr) return name_table;
  uint16_t* slots = static_cast<uint16_t*>(PyMem_RawMalloc(kTableSize * sizeof(uint16_t)));
  if (slots == nullptr) return nullptr;
  memset(slots, 0xff, kTableSize * sizeof(uint16_t));
  const uint8_t* p = kNameStream.values;
  char buffer[kMaxName];
  for (size_t row = 0; row < row_count(); row++) {
    const int length = spell(p, buffer, kMaxName);
    p = skip_name(p);
    size_t i = hash_name(buffer, length) & (kTableSize - 1);
    while (slots[i] != kNoRow) i = (i + 1) & (kTableSize - 1);
    slots[i] = static_cast<uint16_t>(row);
  }
  return name_table = slots;
}

/// Row with that name, or -1.
long find_row(const char* name, int length) {
  uint16_t* slots = table();
  if (slots == nullptr || length >= kMaxName) return -1;
  char buffer[kMaxName];
  for (size_t i = hash_name(name, length) & (kTableSize - 1); slots[i] != kNoRow; i = (i + 1) & (kTableSize - 1)) {
    if (spell(row_start(slots[i]), buffer, kMaxName) == length && same_name(buffer, name, length)) return slots[i];
  }
  return -1;
}

Py_UCS4 code_of_row(size_t row) {
  if (row >= kNameCount[0]) return kExtraCodes[row - kNameCount[0]];
  const ptrdiff_t run = unicode::search_not_above(kNameRunRows, static_cast<uint16_t>(row));
  return kNameRunCodes[static_cast<size_t>(run)] + static_cast<Py_UCS4>(row) - kNameRunRows[static_cast<size_t>(run)];
}

/// The longest of `names` that `text` begins with: its number, -1 for none.
int longest_prefix(const char* text, int length, const char* const* names, int count, int& taken) {
  int best = -1;
  taken = -1;
  for (int i = 0; i < count; i++) {
    const int n = static_cast<int>(strlen(names[i]));
    if (n > taken && n <= length && memcmp(names[i], text, static_cast<size_t>(n)) == 0) {
      best = i;
      taken = n;
    }
  }
  return best;
}

bool starts_with(const char* name, int length, const char* prefix) {
  const int n = static_cast<int>(strlen(prefix));
  return length >= n && memcmp(prefix, name, static_cast<size_t>(n)) == 0;
}

/// QUIRK: computed names are found in upper case only.
bool computed_code(const char* name, int length, Py_UCS4& code) {
  if (starts_with(name, length, "HANGUL SYLLABLE ")) {
    const char* p = name + 16;
    int left = length - 16;
    int taken;
    const int lead = longest_prefix(p, left, kLeadNames, kLeads, taken);
    p += taken;
    left -= taken;
    const int vowel = longest_prefix(p, left, kVowelNames, kVowels, taken);
    if (vowel < 0) return false;
    p += taken;
    left -= taken;
    const int tail = longest_prefix(p, left, kTailNames, kTails, taken);
    if (left != taken || lead < 0) return false;
    code = static_cast<Py_UCS4>(kSyllableBase + (lead * kVowels + vowel) * kTails + tail);
    return true;
  }
  if (starts_with(name, length, "CJK UNIFIED IDEOGRAPH-")) {
    const int digits = length - 22;
    if (digits != 4 && digits != 5) return false;
    Py_UCS4 value = 0;
    for (int i = 22; i < length; i++) {
      const char c = name[i];
      if (c >= '0' && c <= '9') value = value * 16 + static_cast<Py_UCS4>(c - '0');
      else if (c >= 'A' && c <= 'F') value = value * 16 + static_cast<Py_UCS4>(c - 'A' + 10);
      else return false;
    }
    if (!is_unified_ideograph(value)) return false;
    code = value;
    return true;
  }
  return false;
}

}  // namespace

bool character_name(Py_UCS4 code, char* buffer, int size) {
  if (code >= kSyllableBase && code < kSyllableBase + kSyllables) {
    const int index = static_cast<int>(code) - kSyllableBase;
    const int n = PyOS_snprintf(buffer, static_cast<size_t>(size), "HANGUL SYLLABLE %s%s%s",
                                kLeadNames[index / (kVowels * kTails)], kVowelNames[index / kTails % kVowels],
                                kTailNames[index % kTails]);
    return n > 0 && n < size;
  }
  if (is_unified_ideograph(code)) {
    const int n = PyOS_snprintf(buffer, static_cast<size_t>(size), "CJK UNIFIED IDEOGRAPH-%X", code);
    return n > 0 && n < size;
  }
  const ptrdiff_t run = unicode::search_not_above(kNameRunCodes, static_cast<uint32_t>(code));
  if (run < 0) return false;
  const size_t r = static_cast<size_t>(run);
  const size_t row = kNameRunRows[r] + (code - kNameRunCodes[r]);
  const size_t stop = r + 1 < kNameRunRows.count ? kNameRunRows[r + 1] : kNameCount[0];
  return row < stop && spell(row_start(row), buffer, size) >= 0;
}

bool character_by_name(const char* name, int length, NameSet set, Py_UCS4& code) {
  if (computed_code(name, length, code)) return true;
  const long row = find_row(name, length);
  const size_t stop = set == NameSet::kNames ? kNameCount[0] : kNameCount[0] + kAliasCount[0];
  if (row < 0 || static_cast<size_t>(row) >= stop) return false;
  code = code_of_row(static_cast<size_t>(row));
  return true;
}

int sequence_by_name(const char* name, int length, const uint32_t*& characters) {
  const long row = find_row(name, length);
  if (row < 0 || static_cast<size_t>(row) < kNameCount[0] + kAliasCount[0]) return 0;
  const uint32_t* at = kSequenceRows.values + kExtraCodes[static_cast<size_t>(row) - kNameCount[0]];
  characters = at + 1;
  return static_cast<int>(*at);
}

}  // namespace pyston::unicodedata
