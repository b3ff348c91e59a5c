// From the code that `re._compiler` emits to a Program, with all checks (see program.h).
#include "Lib/native/sre/program.h"

namespace pyston::sre {
namespace {

constexpr int kMaxDepth = 1000;

class Translator {
 public:
  Translator(const Code* code, size_t length, Py_ssize_t groups, Program& program)
      : code_(code), length_(length), groups_(groups), program_(program) {}

  bool run() {
    size_t at = 0;
    if (length_ > 0 && code_[0] == kInfo) {
      if (length_ < 2 || code_[1] < 4 || code_[1] >= length_) return false;
      program_.min_width = code_[3];
      at = 1 + code_[1];
    }
    if (length_ == 0 || code_[length_ - 1] != kSuccess) return false;
    if (!sequence(at, length_ - 1, 0)) return false;
    emit({.op = Op::kEnd});
    program_.groups = groups_;
    for (Alternative& alternative : program_.alternatives) alternative.first = first_of(alternative.target);
    find_prefix();
    program_.first = first_of(0);
    mark_followers();
    return true;
  }

 private:
  uint32_t here() const { return static_cast<uint32_t>(program_.code.size()); }
  uint32_t emit(Instruction instruction) {
    program_.code.push_back(instruction);
    return here() - 1;
  }

  /// Adds a class and its bitmap; its number.
  uint32_t add_class(CharClass c) {
    if (!c.by_locale) c.fill_bitmap();
    program_.classes.push_back(c);
    return static_cast<uint32_t>(program_.classes.size() - 1);
  }

  /// Checks a set in [at, stop), which FAILURE has to end.
  bool check_set(size_t at, size_t stop, bool& by_locale) {
    while (at < stop) {
      const size_t left = stop - at - 1;
      switch (code_[at++]) {
        case kFailure:
          return at == stop;
        case kNegate:
          break;
        case kLiteral:
          if (left < 1) return false;
          at += 1;
          break;
        case kCategory:
          if (left < 1 || code_[at] >= kCategoryCount) return false;
          if (code_[at] == kLocWord || code_[at] == kLocNotWord) by_locale = true;
          at += 1;
          break;
        case kRange:
        case kRangeUniIgnore:
          if (left < 2) return false;
          at += 2;
          break;
        case kCharset:
          if (left < 8) return false;
          at += 8;
          break;
        case kBigCharset: {
          if (left < 65) return false;
          const Code blocks = code_[at++];
          if (blocks > 256 || stop - at < 64 + size_t{blocks} * 8) return false;
          const unsigned char* numbers = reinterpret_cast<const unsigned char*>(code_ + at);
          for (int i = 0; i < 256; i++) {
            if (numbers[i] >= blocks) return false;
          }
          at += 64 + size_t{blocks} * 8;
          break;
        }
        default:
          return false;
      }
    }
    return false;
  }

  /// Reads a one-character matcher at `at`, moving behind it. False when that isn't one or it is malformed.
  bool character_class(size_t& at, size_t stop, CharClass& c) {
    if (at >= stop) return false;
    const Code op = code_[at];
    switch (op) {
      case kAny:
        c.kind = CharClass::kNotNewline;
        at += 1;
        return true;
      case kAnyAll:
        c.kind = CharClass::kEverything;
        at += 1;
        return true;
      case kLiteral:
      case kNotLiteral:
      case kLiteralIgnore:
      case kNotLiteralIgnore:
      case kLiteralUniIgnore:
      case kNotLiteralUniIgnore:
      case kLiteralLocIgnore:
      case kNotLiteralLocIgnore:
        if (stop - at < 2) return false;
        c.kind = op == kLiteral || op == kLiteralIgnore || op == kLiteralUniIgnore || op == kLiteralLocIgnore
                     ? CharClass::kOne
                     : CharClass::kNotOne;
        c.fold = op == kLiteral || op == kNotLiteral                     ? Fold::kNone
                 : op == kLiteralIgnore || op == kNotLiteralIgnore       ? Fold::kAscii
                 : op == kLiteralUniIgnore || op == kNotLiteralUniIgnore ? Fold::kUnicode
                                                                         : Fold::kLocale;
        c.by_locale = c.fold == Fold::kLocale;
        c.character = code_[at + 1];
        at += 2;
        return true;
      case kCategory:
        // As a set of its own: the category and the end have to stand in a place that lives as long as the program.
        if (stop - at < 2 || code_[at + 1] >= kCategoryCount) return false;
        c.set = kCategorySets[code_[at + 1]];
        c.by_locale = code_[at + 1] == kLocWord || code_[at + 1] == kLocNotWord;
        at += 2;
        return true;
      case kIn:
      case kInIgnore:
      case kInUniIgnore:
      case kInLocIgnore: {
        if (stop - at < 2) return false;
        const Code skip = code_[at + 1];
        if (skip < 2 || skip > stop - at - 1) return false;
        c.fold = op == kIn ? Fold::kNone : op == kInIgnore ? Fold::kAscii : op == kInUniIgnore ? Fold::kUnicode : Fold::kLocale;
        c.by_locale = c.fold == Fold::kLocale;
        if (!check_set(at + 2, at + 1 + skip, c.by_locale)) return false;
        c.set = code_ + at + 2;
        at += 1 + skip;
        return true;
      }
      default:
        return false;
    }
  }

  /// Translates code[at, stop).
  bool sequence(size_t at, size_t stop, int depth) {
    if (depth > kMaxDepth) return false;
    while (at < stop) {
      if (!item(at, stop, depth)) return false;
    }
    return at == stop;
  }

  /// Literals in a row become one string instruction.
  void literals(size_t& at, size_t stop) {
    const uint32_t start = static_cast<uint32_t>(program_.characters.size());
    size_t end = at;
    while (stop - end >= 2 && code_[end] == kLiteral) end += 2;
    if (end - at == 2) {
      emit({.op = Op::kChar, .a = code_[at + 1]});
    } else {
      for (; at < end; at += 2) program_.characters.push_back(code_[at + 1]);
      emit({.op = Op::kString, .a = start, .b = static_cast<uint32_t>(program_.characters.size()) - start});
    }
    at = end;
  }

  bool item(size_t& at, size_t stop, int depth) {
    const size_t left = stop - at;  // the opcode included
    switch (code_[at]) {
      case kFailure:
        emit({.op = Op::kFail});
        at += 1;
        return true;
      case kLiteral:
        if (left < 2) return false;
        literals(at, stop);
        return true;
      case kMark:
        if (left < 2 || code_[at + 1] >= 2 * static_cast<size_t>(groups_)) return false;
        emit({.op = Op::kMark, .a = code_[at + 1]});
        at += 2;
        return true;
      case kAt:
        if (left < 2 || code_[at + 1] >= kPositionCount) return false;
        emit({.op = Op::kAt, .a = code_[at + 1]});
        at += 2;
        return true;
      case kGroupRef:
      case kGroupRefIgnore:
      case kGroupRefUniIgnore:
      case kGroupRefLocIgnore: {
        if (left < 2 || code_[at + 1] >= static_cast<size_t>(groups_)) return false;
        const Fold fold = code_[at] == kGroupRef            ? Fold::kNone
                          : code_[at] == kGroupRefIgnore    ? Fold::kAscii
                          : code_[at] == kGroupRefUniIgnore ? Fold::kUnicode
                                                            : Fold::kLocale;
        emit({.op = Op::kGroupRef, .flag = static_cast<uint8_t>(fold), .a = code_[at + 1]});
        at += 2;
        return true;
      }
      case kBranch:
        return branch(at, stop, depth);
      case kGroupRefExists:
        return conditional(at, stop, depth);
      case kAssert:
      case kAssertNot:
      case kAtomicGroup:
        return enclosed(at, stop, depth);
      case kRepeat:
      case kPossessiveRepeat:
        return repeat(at, stop, depth);
      case kRepeatOne:
      case kMinRepeatOne:
      case kPossessiveRepeatOne:
        return repeat_one(at, stop);
      default: {
        CharClass c;
        if (!character_class(at, stop, c)) return false;
        if (c.kind == CharClass::kOne && c.fold == Fold::kNone) emit({.op = Op::kChar, .a = c.character});
        else emit({.op = Op::kClass, .a = add_class(c)});
        return true;
      }
    }
  }

  /// BRANCH (skip body JUMP tail)* 0
  bool branch(size_t& at, size_t stop, int depth) {
    at += 1;
    const uint32_t instruction = emit({.op = Op::kBranch});
    std::vector<Alternative> alternatives;
    std::vector<uint32_t> jumps;
    size_t target = 0;
    while (true) {
      if (at >= stop) return false;
      const Code skip = code_[at];
      if (skip == 0) break;
      if (skip < 3 || skip >= stop - at) return false;
      const size_t end = at + skip;
      if (code_[end - 2] != kJump) return false;
      const Code tail = code_[end - 1];
      if (tail == 0 || tail > stop - (end - 1)) return false;
      if (target == 0) target = end - 1 + tail;
      if (target != end - 1 + tail) return false;
      alternatives.push_back({here(), {}});
      if (!sequence(at + 1, end - 2, depth + 1)) return false;
      jumps.push_back(emit({.op = Op::kJump}));
      at = end;
    }
    at += 1;
    if (target != 0 && target != at) return false;
    for (uint32_t jump : jumps) program_.code[jump].a = here();
    program_.code[instruction].a = static_cast<uint32_t>(program_.alternatives.size());
    program_.code[instruction].b = static_cast<uint32_t>(alternatives.size());
    program_.alternatives.insert(program_.alternatives.end(), alternatives.begin(), alternatives.end());
    // Alternatives of inner branches were added before: the rows of one branch have to be together.
    return true;
  }

  /// GROUPREF_EXISTS group skip yes [JUMP skip no]. The skip leads, from its own place, one behind the "yes" part and
  /// the jump; whether there is a jump shows only by walking the items.
  bool conditional(size_t& at, size_t stop, int depth) {
    if (stop - at < 3 || code_[at + 1] >= static_cast<size_t>(groups_)) return false;
    const Code skip = code_[at + 2];
    if (skip < 2 || skip > stop - at - 1) return false;
    const size_t body = at + 3;
    const size_t yes_stop = at + 1 + skip;
    const uint32_t test = emit({.op = Op::kGroupExists, .a = code_[at + 1]});
    if (ends_with_jump(body, yes_stop)) {
      const Code distance = code_[yes_stop - 1];
      if (distance < 1 || distance > stop - (yes_stop - 1)) return false;
      const size_t no_stop = yes_stop - 1 + distance;
      if (!sequence(body, yes_stop - 2, depth + 1)) return false;
      const uint32_t jump = emit({.op = Op::kJump});
      program_.code[test].b = here();
      if (!sequence(yes_stop, no_stop, depth + 1)) return false;
      program_.code[jump].a = here();
      at = no_stop;
      return true;
    }
    if (!sequence(body, yes_stop, depth + 1)) return false;
    program_.code[test].b = here();
    at = yes_stop;
    return true;
  }

  /// The items from `at` on fill the range and the last one is a JUMP.
  bool ends_with_jump(size_t at, size_t stop) {
    if (stop - at < 2 || code_[stop - 2] != kJump) return false;
    while (at < stop - 2) {
      const size_t length = item_length(at, stop - 2);
      if (length == 0) return false;
      at += length;
    }
    return at == stop - 2;
  }

  /// Length of the item at `at`; 0 when it can't be told.
  size_t item_length(size_t at, size_t stop) {
    switch (code_[at]) {
      case kFailure:
      case kAny:
      case kAnyAll:
        return 1;
      case kIn:
      case kInIgnore:
      case kInUniIgnore:
      case kInLocIgnore:
      case kAssert:
      case kAssertNot:
      case kAtomicGroup:
      case kRepeatOne:
      case kMinRepeatOne:
      case kPossessiveRepeatOne:
        return stop - at < 2 ? 0 : 1 + size_t{code_[at + 1]};
      case kRepeat:
      case kPossessiveRepeat:
        return stop - at < 2 ? 0 : 2 + size_t{code_[at + 1]};
      case kGroupRefExists: {
        if (stop - at < 3) return 0;
        if (code_[at + 2] < 2 || code_[at + 2] > stop - at - 1) return 0;
        const size_t end = at + 1 + code_[at + 2];
        if (ends_with_jump(at + 3, end)) return end - 1 + code_[end - 1] - at;
        return end - at;
      }
      case kBranch: {
        size_t p = at + 1;
        while (p < stop && code_[p] != 0) p += code_[p];
        return p < stop ? p + 1 - at : 0;
      }
      default:
        return 2;
    }
  }

  /// ASSERT skip back body SUCCESS; ATOMIC_GROUP skip body SUCCESS
  bool enclosed(size_t& at, size_t stop, int depth) {
    const Code op = code_[at];
    const size_t head = op == kAtomicGroup ? 2 : 3;
    if (stop - at < head + 1) return false;
    const Code skip = code_[at + 1];
    if (skip < head || skip > stop - at - 1) return false;
    const size_t end = at + 1 + skip;
    if (code_[end - 1] != kSuccess) return false;
    if (op != kAtomicGroup && code_[at + 2] > 0x7fffffff) return false;
    const uint32_t instruction =
        emit({.op = op == kAssert ? Op::kAssert : op == kAssertNot ? Op::kAssertNot : Op::kAtomic,
              .a = op == kAtomicGroup ? 0 : code_[at + 2]});
    if (!sequence(at + head, end - 1, depth + 1)) return false;
    emit({.op = Op::kSubEnd});
    program_.code[instruction].b = here();
    at = end;
    return true;
  }

  /// REPEAT skip min max body UNTIL
  bool repeat(size_t& at, size_t stop, int depth) {
    if (stop - at < 5) return false;
    const Code skip = code_[at + 1];
    if (skip < 3 || skip >= stop - at - 1) return false;
    const Code minimum = code_[at + 2];
    const Code maximum = code_[at + 3];
    if (minimum > maximum) return false;
    const size_t end = at + 1 + skip;
    const Code until = code_[end];
    const bool possessive = code_[at] == kPossessiveRepeat;
    if (possessive ? until != kSuccess : until != kMaxUntil && until != kMinUntil) return false;
    const uint32_t instruction =
        emit({.op = possessive ? Op::kPossessive : Op::kRepeat, .a = minimum, .b = maximum});
    if (!sequence(at + 4, end, depth + 1)) return false;
    if (possessive) {
      emit({.op = Op::kSubEnd});
      program_.code[instruction].c = here();
    } else {
      program_.code[instruction].c =
          emit({.op = until == kMaxUntil ? Op::kMaxUntil : Op::kMinUntil, .a = instruction});
    }
    at = end + 1;
    return true;
  }

  /// REPEAT_ONE skip min max item SUCCESS
  bool repeat_one(size_t& at, size_t stop) {
    if (stop - at < 6) return false;
    const Code skip = code_[at + 1];
    if (skip < 5 || skip > stop - at - 1) return false;
    const Code minimum = code_[at + 2];
    const Code maximum = code_[at + 3];
    if (minimum > maximum) return false;
    const size_t end = at + 1 + skip;
    if (code_[end - 1] != kSuccess) return false;
    size_t body = at + 4;
    CharClass c;
    if (!character_class(body, end - 1, c) || body != end - 1) return false;
    const Op op = code_[at] == kRepeatOne ? Op::kRepeatOne : code_[at] == kMinRepeatOne ? Op::kLazyOne : Op::kPossessiveOne;
    emit({.op = op, .a = add_class(c), .b = minimum, .c = maximum});
    at = end;
    return true;
  }

  // ---- analysis of the finished program ----------------------------------------------------------------------------

  static void add_class_to(FirstSet& set, const CharClass& c) {
    if (c.by_locale) {
      set.everything();
      return;
    }
    set.narrow.add(c.bitmap);
    // Above 255 only single characters are told apart; a folded one may come from there too.
    if (!(c.kind == CharClass::kOne && c.fold == Fold::kNone && c.character < 256)) set.wide = true;
  }

  void add_character(FirstSet& set, Py_UCS4 c) {
    if (c < 256) set.narrow.add(c);
    else set.wide = true;
  }

  /// Superset of the characters with which the program can go on at `pc`; gives up (everything) when that gets long.
  FirstSet first_of(uint32_t pc) {
    FirstSet set;
    int budget = 200;
    collect_first(pc, set, budget, 0);
    if (set.empty) set.everything();
    return set;
  }

  void collect_first(uint32_t pc, FirstSet& set, int& budget, int depth) {
    while (true) {
      if (--budget < 0 || depth > 20) {
        set.empty = true;
        return;
      }
      const Instruction& i = program_.code[pc];
      switch (i.op) {
        case Op::kChar:
          add_character(set, i.a);
          return;
        case Op::kString:
          add_character(set, program_.characters[i.a]);
          return;
        case Op::kClass:
          add_class_to(set, program_.classes[i.a]);
          return;
        case Op::kRepeatOne:
        case Op::kLazyOne:
        case Op::kPossessiveOne:
          add_class_to(set, program_.classes[i.a]);
          if (i.b > 0) return;
          pc++;
          break;
        case Op::kMark:
        case Op::kAt:
        case Op::kAtomic:  // goes into the body, whose end leads nowhere: see kSubEnd
          pc++;
          break;
        case Op::kAssert:
        case Op::kAssertNot:
          pc = i.b;
          break;
        case Op::kJump:
          pc = i.a;
          break;
        case Op::kBranch:
          for (uint32_t k = 0; k < i.b && !set.empty; k++) {
            collect_first(program_.alternatives[i.a + k].target, set, budget, depth + 1);
          }
          return;
        case Op::kRepeat:
          if (i.a == 0) collect_first(i.c + 1, set, budget, depth + 1);
          pc++;
          break;
        case Op::kMaxUntil:
        case Op::kMinUntil:
          // Another round or the tail.
          collect_first(i.a + 1, set, budget, depth + 1);
          pc++;
          break;
        case Op::kFail:
          return;
        default:
          // The end, an empty sub-pattern, references, conditions: anything may follow.
          set.empty = true;
          return;
      }
    }
  }

  void find_prefix() {
    uint32_t pc = 0;
    while (true) {
      const Instruction& i = program_.code[pc];
      if (i.op == Op::kChar) {
        program_.prefix.push_back(i.a);
      } else if (i.op == Op::kString) {
        for (uint32_t k = 0; k < i.b; k++) program_.prefix.push_back(program_.characters[i.a + k]);
      } else if (i.op != Op::kMark) {
        break;
      }
      pc++;
    }
    const Instruction& next = program_.code[pc];
    program_.anchored = program_.prefix.empty() && next.op == Op::kAt && (next.a == kAtBeginning || next.a == kAtBeginningString);
    for (Py_UCS4 c : program_.prefix) program_.prefix_max = c > program_.prefix_max ? c : program_.prefix_max;
  }

  /// A greedy repeat of characters none of which can begin what follows needs no way back: it is possessive.
  void mark_followers() {
    for (uint32_t pc = 0; pc < program_.code.size(); pc++) {
      Instruction& i = program_.code[pc];
      if (i.op != Op::kRepeatOne && i.op != Op::kLazyOne) continue;
      while (i.flag < 255 && program_.code[pc + 1 + i.flag].op == Op::kMark) i.flag++;
      if (i.op == Op::kLazyOne) continue;
      const CharClass& c = program_.classes[i.a];
      if (c.by_locale) continue;
      const FirstSet next = first_of(pc + 1);
      const bool wide = !(c.kind == CharClass::kOne && c.fold == Fold::kNone && c.character < 256);
      if (!next.narrow.intersects(c.bitmap) && !(wide && next.wide)) i.op = Op::kPossessiveOne;
    }
  }

  static const Code kCategorySets[kCategoryCount][3];

  const Code* code_;
  size_t length_;
  Py_ssize_t groups_;
  Program& program_;
};

#define SET(n) {kCategory, n, kFailure}
const Code Translator::kCategorySets[kCategoryCount][3] = {SET(0),  SET(1),  SET(2),  SET(3),  SET(4),  SET(5),
                                                           SET(6),  SET(7),  SET(8),  SET(9),  SET(10), SET(11),
                                                           SET(12), SET(13), SET(14), SET(15), SET(16), SET(17)};
#undef SET

}  // namespace

bool translate(const Code* code, size_t length, Py_ssize_t groups, Program& program) {
  return Translator(code, length, groups, program).run();
}

}  // namespace pyston::sre
