// Membership of characters in categories and sets, and case folding, for the regular expression engine.
#include <cctype>

#include "Lib/native/sre/program.h"

namespace pyston::sre {

bool is_word_locale(Py_UCS4 c) { return c < 256 && (isalnum(static_cast<int>(c)) || c == '_'); }
static bool is_word_ascii(Py_UCS4 c) { return c < 128 && (Py_ISALNUM(c) || c == '_'); }
static bool is_word_unicode(Py_UCS4 c) { return Py_UNICODE_ISALNUM(c) || c == '_'; }

bool in_category(Code category, Py_UCS4 c) {
  switch (category) {
    case kDigit: return c < 128 && Py_ISDIGIT(c);
    case kNotDigit: return !(c < 128 && Py_ISDIGIT(c));
    case kSpace: return c < 128 && Py_ISSPACE(c);
    case kNotSpace: return !(c < 128 && Py_ISSPACE(c));
    case kWord: return is_word_ascii(c);
    case kNotWord: return !is_word_ascii(c);
    case kLinebreak: return c == '\n';
    case kNotLinebreak: return c != '\n';
    case kLocWord: return is_word_locale(c);
    case kLocNotWord: return !is_word_locale(c);
    case kUniDigit: return Py_UNICODE_ISDECIMAL(c);
    case kUniNotDigit: return !Py_UNICODE_ISDECIMAL(c);
    case kUniSpace: return Py_UNICODE_ISSPACE(c);
    case kUniNotSpace: return !Py_UNICODE_ISSPACE(c);
    case kUniWord: return is_word_unicode(c);
    case kUniNotWord: return !is_word_unicode(c);
    case kUniLinebreak: return Py_UNICODE_ISLINEBREAK(c);
    case kUniNotLinebreak: return !Py_UNICODE_ISLINEBREAK(c);
    default: return false;
  }
}

static Py_UCS4 locale_lower(Py_UCS4 c) { return c < 256 ? static_cast<Py_UCS4>(tolower(static_cast<int>(c))) : c; }
Py_UCS4 locale_upper(Py_UCS4 c) { return c < 256 ? static_cast<Py_UCS4>(toupper(static_cast<int>(c))) : c; }

Py_UCS4 fold_character(Fold fold, Py_UCS4 c) {
  switch (fold) {
    case Fold::kAscii: return c < 128 ? static_cast<Py_UCS4>(Py_TOLOWER(c)) : c;
    case Fold::kUnicode: return Py_UNICODE_TOLOWER(c);
    case Fold::kLocale: return locale_lower(c);
    default: return c;
  }
}

/// Walks a set's code, which translate has checked.
static bool in_set(const Code* set, Py_UCS4 c) {
  bool yes = true;
  while (true) {
    switch (*set++) {
      case kFailure:
        return !yes;
      case kNegate:
        yes = !yes;
        break;
      case kLiteral:
        if (c == *set++) return yes;
        break;
      case kCategory:
        if (in_category(*set++, c)) return yes;
        break;
      case kRange:
        if (set[0] <= c && c <= set[1]) return yes;
        set += 2;
        break;
      case kRangeUniIgnore: {
        if (set[0] <= c && c <= set[1]) return yes;
        const Py_UCS4 upper = Py_UNICODE_TOUPPER(c);
        if (set[0] <= upper && upper <= set[1]) return yes;
        set += 2;
        break;
      }
      case kCharset:
        if (c < 256 && set[c / 32] >> (c & 31) & 1) return yes;
        set += 8;
        break;
      case kBigCharset: {
        const Code blocks = *set++;
        if (c < 65536) {
          const Code block = reinterpret_cast<const unsigned char*>(set)[c >> 8];
          if (set[64 + block * 8 + ((c & 255) >> 5)] >> (c & 31) & 1) return yes;
        }
        set += 64 + blocks * 8;
        break;
      }
      default:
        return false;
    }
  }
}

/// The characters below 256 of a category that the locale has no part in. Made when it is first asked for.
static const Bitmap& category_bitmap(Code category) {
  static Bitmap bitmaps[kCategoryCount];
  static bool made[kCategoryCount];
  Bitmap& bitmap = bitmaps[category];
  if (!made[category]) {
    for (unsigned c = 0; c < 256; c++) {
      if (in_category(category, c)) bitmap.add(c);
    }
    made[category] = true;
  }
  return bitmap;
}

/// in_set() for all characters below 256 at once. The set doesn't depend on case folding.
static Bitmap set_bitmap(const Code* set) {
  Bitmap members, decided;
  bool yes = true;
  auto decide = [&](const Bitmap& matched) {
    for (int i = 0; i < 4; i++) {
      if (yes) members.words[i] |= matched.words[i] & ~decided.words[i];
      decided.words[i] |= matched.words[i];
    }
  };
  while (*set != kFailure) {
    Bitmap matched;
    switch (*set++) {
      case kNegate:
        yes = !yes;
        break;
      case kLiteral:
        if (*set < 256) matched.add(*set);
        set++;
        break;
      case kCategory:
        matched = category_bitmap(*set++);
        break;
      case kRange:
        for (Code c = set[0]; c < 256 && c <= set[1]; c++) matched.add(c);
        set += 2;
        break;
      case kCharset:
        for (int i = 0; i < 8; i++) matched.words[i / 2] |= uint64_t{set[i]} << (i % 2 * 32);
        set += 8;
        break;
      case kBigCharset: {
        const Code blocks = *set++;
        const Code* block = set + 64 + reinterpret_cast<const unsigned char*>(set)[0] * 8;
        for (int i = 0; i < 8; i++) matched.words[i / 2] |= uint64_t{block[i]} << (i % 2 * 32);
        set += 64 + blocks * 8;
        break;
      }
      default:
        return members;
    }
    decide(matched);
  }
  yes = !yes;
  Bitmap everything;
  everything.fill();
  decide(everything);
  return members;
}

void CharClass::fill_bitmap() {
  if (kind == kSet && fold == Fold::kNone) {
    bitmap = set_bitmap(set);
  } else if (kind == kOne && fold == Fold::kNone) {
    if (character < 256) bitmap.add(character);
  } else if (kind == kEverything) {
    bitmap.fill();
  } else {
    for (unsigned c = 0; c < 256; c++) {
      if (matches_slowly(c)) bitmap.add(c);
    }
  }
}

bool CharClass::matches_slowly(Py_UCS4 c) const {
  switch (kind) {
    case kEverything:
      return true;
    case kNotNewline:
      return c != '\n';
    case kOne:
    case kNotOne: {
      bool same;
      if (fold == Fold::kLocale) {
        same = c == character || locale_lower(c) == character || locale_upper(c) == character;
      } else {
        same = fold_character(fold, c) == character;
      }
      return same == (kind == kOne);
    }
    case kSet:
      if (fold == Fold::kLocale) {
        // As for single characters: either case may be the listed one.
        const Py_UCS4 lower = locale_lower(c);
        if (in_set(set, lower)) return true;
        const Py_UCS4 upper = locale_upper(c);
        return upper != lower && in_set(set, upper);
      }
      return in_set(set, fold_character(fold, c));
  }
  return false;
}

}  // namespace pyston::sre
