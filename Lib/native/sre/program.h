// The executable form of a regular expression.
//
// `re` compiles a pattern to a list of integers. `translate` checks that list, so that no list can make the engine read
// out of bounds, and turns it into a `Program`: instructions with absolute targets, character classes with a bitmap for
// the characters below 256, literal runs gathered into strings, first-character sets for alternatives and searching.
// The engine (engine.h) runs a Program over text of any character width.
#pragma once

#include <vector>

#include "Runtime/refs/ref.h"

namespace pyston::sre {

using Code = uint32_t;
constexpr Code kMaxRepeat = 0xffffffff;

/// Opcodes, positions and categories as `re._constants` numbers them (MAGIC 20220615).
enum SourceOp : Code {
  kFailure, kSuccess, kAny, kAnyAll, kAssert, kAssertNot, kAt, kBranch, kCategory, kCharset, kBigCharset, kGroupRef,
  kGroupRefExists, kIn, kInfo, kJump, kLiteral, kMark, kMaxUntil, kMinUntil, kNotLiteral, kNegate, kRange, kRepeat,
  kRepeatOne, kSubpattern, kMinRepeatOne, kAtomicGroup, kPossessiveRepeat, kPossessiveRepeatOne, kGroupRefIgnore,
  kInIgnore, kLiteralIgnore, kNotLiteralIgnore, kGroupRefLocIgnore, kInLocIgnore, kLiteralLocIgnore,
  kNotLiteralLocIgnore, kGroupRefUniIgnore, kInUniIgnore, kLiteralUniIgnore, kNotLiteralUniIgnore, kRangeUniIgnore,
};
enum Position : Code {
  kAtBeginning, kAtBeginningLine, kAtBeginningString, kAtBoundary, kAtNonBoundary, kAtEnd, kAtEndLine, kAtEndString,
  kAtLocBoundary, kAtLocNonBoundary, kAtUniBoundary, kAtUniNonBoundary, kPositionCount,
};
enum Category : Code {
  kDigit, kNotDigit, kSpace, kNotSpace, kWord, kNotWord, kLinebreak, kNotLinebreak, kLocWord, kLocNotWord, kUniDigit,
  kUniNotDigit, kUniSpace, kUniNotSpace, kUniWord, kUniNotWord, kUniLinebreak, kUniNotLinebreak, kCategoryCount,
};

enum class Fold : uint8_t { kNone, kAscii, kUnicode, kLocale };

/// A set of the characters below 256.
struct Bitmap {
  uint64_t words[4] = {};
  bool has(unsigned c) const { return words[c >> 6] >> (c & 63) & 1; }
  void add(unsigned c) { words[c >> 6] |= uint64_t{1} << (c & 63); }
  void add(const Bitmap& other) {
    for (int i = 0; i < 4; i++) words[i] |= other.words[i];
  }
  void fill() {
    for (uint64_t& word : words) word = ~uint64_t{0};
  }
  bool intersects(const Bitmap& other) const {
    uint64_t common = 0;
    for (int i = 0; i < 4; i++) common |= words[i] & other.words[i];
    return common != 0;
  }
};

/// Something that matches exactly one character.
struct CharClass {
  enum Kind : uint8_t { kOne, kNotOne, kNotNewline, kEverything, kSet } kind = kSet;
  Fold fold = Fold::kNone;
  bool by_locale = false;  // the answer depends on the locale at the time of matching: no bitmap
  Py_UCS4 character = 0;   // of kOne and kNotOne, folded if `fold` says so
  const Code* set = nullptr;  // the set's code, ended by FAILURE; for characters above 255
  Bitmap bitmap;

  /// Any character, without the bitmap.
  bool matches_slowly(Py_UCS4 c) const;
  /// For classes that don't depend on the locale.
  void fill_bitmap();
  ALWAYS_INLINE bool matches(Py_UCS4 c) const {
    return LIKELY(c < 256 && !by_locale) ? bitmap.has(c) : matches_slowly(c);
  }
};

/// What a match can begin with: a superset.
struct FirstSet {
  Bitmap narrow;
  bool wide = false;   // some character above 255
  bool empty = false;  // nothing at all
  void everything() {
    narrow.fill();
    wide = true;
  }
};

enum class Op : uint8_t {
  kEnd,            // the whole pattern has matched
  kFail,
  kChar,           // a: character
  kClass,          // a: class
  kString,         // a: offset, b: length in `characters`
  kAt,             // a: position
  kMark,           // a: mark
  kJump,           // a: target
  kBranch,         // a: first alternative, b: number of them
  kGroupRef,       // a: group, flag: Fold
  kGroupExists,    // a: group, b: target when it hasn't matched
  kAssert,         // a: characters to look behind, b: continuation; the body follows
  kAssertNot,      // the same
  kAtomic,         // b: continuation
  kSubEnd,         // end of the body of an assertion, atomic group or possessive repeat
  kRepeatOne,      // a: class, b: minimum, c: maximum; flag: marks between it and what comes next
  kLazyOne,        // the same
  kPossessiveOne,  // the same
  kRepeat,         // a: minimum, b: maximum, c: the loop's end instruction; the body follows
  kMaxUntil,       // a: the kRepeat
  kMinUntil,       // a: the kRepeat
  kPossessive,     // a: minimum, b: maximum, c: continuation; the body follows, ended by kSubEnd
};

struct Instruction {
  Op op;
  uint8_t flag = 0;
  uint32_t a = 0;
  uint32_t b = 0;
  uint32_t c = 0;
};

struct Alternative {
  uint32_t target;
  FirstSet first;
};

struct Program {
  std::vector<Instruction> code;
  std::vector<CharClass> classes;
  std::vector<Alternative> alternatives;
  std::vector<Py_UCS4> characters;  // of kString
  FirstSet first;                   // of the whole pattern
  std::vector<Py_UCS4> prefix;      // literal text every match begins with
  Py_UCS4 prefix_max = 0;
  bool anchored = false;            // begins with ^ or \A
  Code min_width = 0;
  Py_ssize_t groups = 0;
};

/// Fills `program` from the pattern's code, which has to live as long. False: the code is invalid.
bool translate(const Code* code, size_t length, Py_ssize_t groups, Program& program);

Py_UCS4 fold_character(Fold fold, Py_UCS4 c);
Py_UCS4 locale_upper(Py_UCS4 c);
bool in_category(Code category, Py_UCS4 c);
bool is_word_locale(Py_UCS4 c);

}  // namespace pyston::sre
