// Runs a Program (program.h) over text: a backtracking matcher with an explicit stack, so that neither the pattern nor
// the text can overflow the C stack.
//
// The stack holds choices (where to go on after a failure) and undo records (what to put back on the way there: marks,
// loop counters). Failing pops records until a choice is found. A body that is matched on its own (assertion, atomic
// group, possessive repeat) stands above a barrier record: when the body matches, its choices are dropped and its undo
// records kept; when it fails, the barrier is reached and says what that means.
//
// INVARIANT: `marks`, the loop states and `barrier_` are always what they were when the topmost record was pushed, plus
// the changes recorded above it.
#pragma once

#include <cstdlib>

#include "Lib/native/sre/program.h"
#include "Objects/text/search.h"

namespace pyston::sre {

/// What a match attempt needs and produces, in character positions.
struct Attempt {
  const void* text;      // first character of the whole string
  Py_ssize_t start;      // where to try (search: first place)
  Py_ssize_t end;        // where the text ends for the pattern
  bool full = false;          // the match has to reach `end`
  bool must_advance = false;  // the match may not end at `start`
  Py_ssize_t match_start = 0;
  Py_ssize_t match_end = 0;
  Py_ssize_t* marks;     // 2 per group, -1 when not set
  Py_ssize_t last_index = 0;  // group that closed last, 0: none
};

enum class Outcome { kMatch, kNoMatch, kError };

/// Stack storage that is kept between attempts of one call.
struct Record {
  enum Kind : uint32_t { kChoice, kGreedy, kLazy, kMarkUndo, kLastUndo, kLoopUndo, kCurrentUndo, kLoopDrop, kBarrier } kind;
  uint32_t pc;
  Py_ssize_t a;
  Py_ssize_t b;
};
struct Loop {
  Py_ssize_t count;
  Py_ssize_t last;   // where the last optional round began, -1: none
  uint32_t pc;       // its kRepeat
  int32_t outer;     // loop around it, -1: none
};
template <class T>
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  ~Pool() {
    if (data_ != room_) free(data_);
  }
  bool push(const T& value) {
    if (UNLIKELY(size_ == capacity_) && !grow()) return false;
    data_[size_++] = value;
    return true;
  }
  T& operator[](size_t i) { return data_[i]; }
  T& top() { return data_[size_ - 1]; }
  void pop() { size_--; }
  size_t size() const { return size_; }
  void resize_down(size_t size) { size_ = size; }

 private:
  COLD bool grow() {
    const size_t capacity = capacity_ * 4;
    if (capacity > PY_SSIZE_T_MAX / sizeof(T)) return false;
    const bool first = data_ == room_;
    T* grown = static_cast<T*>(realloc(first ? nullptr : data_, capacity * sizeof(T)));
    if (grown == nullptr) return false;
    if (first) memcpy(grown, room_, sizeof(room_));
    data_ = grown;
    capacity_ = capacity;
    return true;
  }
  static constexpr size_t kRoom = 24;  // enough for most attempts, without allocation
  T room_[kRoom];
  T* data_ = room_;
  size_t size_ = 0;
  size_t capacity_ = kRoom;
};

template <class Char>
class Engine {
 public:
  Engine(const Program& program, Attempt& attempt)
      : program_(program),
        attempt_(attempt),
        text_(static_cast<const Char*>(attempt.text)),
        end_(attempt.end),
        mark_count_(2 * program.groups) {}

  /// Matches at `start` exactly.
  Outcome match() {
    if (end_ - attempt_.start < static_cast<Py_ssize_t>(program_.min_width)) return Outcome::kNoMatch;
    return match_at(attempt_.start);
  }

  /// Finds the leftmost match from `start` on.
  Outcome search() {
    const Py_ssize_t width = static_cast<Py_ssize_t>(program_.min_width);
    Py_ssize_t last = end_ - width;  // last possible start
    if (width > end_ - attempt_.start) return Outcome::kNoMatch;
    const FirstSet& first = program_.first;
    const bool unfiltered = first.wide && (first.narrow.words[0] & first.narrow.words[1] & first.narrow.words[2] &
                                           first.narrow.words[3]) == ~uint64_t{0};
    Py_ssize_t at = attempt_.start;
    if (program_.anchored) last = at < last ? at : last;  // the first attempt is the only one that can do
    const bool by_prefix = !program_.prefix.empty();
    if (by_prefix && sizeof(Char) < 4 && program_.prefix_max > static_cast<Char>(-1)) return Outcome::kNoMatch;
    while (at <= last) {
      if (by_prefix) {
        const Py_ssize_t found = find_prefix(at);
        if (found < 0) return Outcome::kNoMatch;
        at = found;
        if (at > last) return Outcome::kNoMatch;
      } else if (!unfiltered) {
        const Py_ssize_t limit = last < end_ ? last + 1 : end_;
        while (at < limit && !(text_[at] < 256 ? first.narrow.has(text_[at]) : first.wide)) at++;
        if (at >= limit) return Outcome::kNoMatch;
      }
      const Outcome outcome = match_at(at);
      if (outcome != Outcome::kNoMatch) return outcome;
      attempt_.must_advance = false;
      at++;
    }
    return Outcome::kNoMatch;
  }

 private:
  Py_ssize_t find_prefix(Py_ssize_t at) {
    const std::vector<Py_UCS4>& prefix = program_.prefix;
    const Py_ssize_t found = prefix.size() == 1
                                 ? search::find_char(text_ + at, end_ - at, prefix[0])
                                 : search::find(text_ + at, end_ - at, prefix.data(), static_cast<Py_ssize_t>(prefix.size()));
    return found < 0 ? -1 : at + found;
  }

  Outcome match_at(Py_ssize_t at) {
    for (Py_ssize_t i = 0; i < mark_count_; i++) attempt_.marks[i] = -1;
    attempt_.last_index = 0;
    stack_.resize_down(0);
    loops_.resize_down(0);
    barrier_ = -1;
    current_ = -1;
    attempt_.match_start = at;
    const Outcome outcome = run(at);
    if (outcome == Outcome::kError && !PyErr_Occurred()) PyErr_NoMemory();
    return outcome;
  }

  ALWAYS_INLINE bool one(const CharClass& c, Py_ssize_t at) const { return c.matches(text_[at]); }

  /// How many characters from `at` on belong to the class, at most `limit`.
  Py_ssize_t count(const CharClass& c, Py_ssize_t at, Py_ssize_t limit) const {
    const Char* p = text_ + at;
    const Char* start = p;
    const Char* stop = text_ + (limit < end_ - at ? at + limit : end_);
    switch (c.kind) {
      case CharClass::kEverything:
        return stop - start;
      case CharClass::kNotNewline: {
        const Py_ssize_t found = search::find_char(p, stop - p, '\n');
        return found < 0 ? stop - start : found;
      }
      case CharClass::kOne:
        if (c.fold == Fold::kNone) {
          while (p < stop && *p == c.character) p++;
          return p - start;
        }
        break;
      case CharClass::kNotOne:
        if (c.fold == Fold::kNone) {
          const Py_ssize_t found = search::find_char(p, stop - p, c.character);
          return found < 0 ? stop - start : found;
        }
        break;
      case CharClass::kSet:
        break;
    }
    if constexpr (sizeof(Char) == 1) {
      if (LIKELY(!c.by_locale)) {
        const Bitmap& bitmap = c.bitmap;
        while (p < stop && bitmap.has(*p)) p++;
        return p - start;
      }
    }
    while (p < stop && c.matches(*p)) p++;
    return p - start;
  }

  bool matches_string(const Instruction& i, Py_ssize_t at) const {
    if (end_ - at < static_cast<Py_ssize_t>(i.b)) return false;
    const Py_UCS4* wanted = program_.characters.data() + i.a;
    for (uint32_t k = 0; k < i.b; k++) {
      if (text_[at + static_cast<Py_ssize_t>(k)] != wanted[k]) return false;
    }
    return true;
  }

  template <class IsWord>
  bool at_boundary(Py_ssize_t at, bool wanted, IsWord&& is_word) const {
    if (end_ == 0) return false;
    const bool before = at > 0 && is_word(text_[at - 1]);
    const bool after = at < end_ && is_word(text_[at]);
    return (before != after) == wanted;
  }

  bool at_position(Code position, Py_ssize_t at) const {
    switch (position) {
      case kAtBeginning:
      case kAtBeginningString:
        return at == 0;
      case kAtBeginningLine:
        return at == 0 || text_[at - 1] == '\n';
      case kAtEnd:
        return at == end_ || (end_ - at == 1 && text_[at] == '\n');
      case kAtEndLine:
        return at == end_ || text_[at] == '\n';
      case kAtEndString:
        return at == end_;
      case kAtBoundary:
      case kAtNonBoundary:
        return at_boundary(at, position == kAtBoundary, [](Py_UCS4 c) { return in_category(kWord, c); });
      case kAtLocBoundary:
      case kAtLocNonBoundary:
        return at_boundary(at, position == kAtLocBoundary, [](Py_UCS4 c) { return is_word_locale(c); });
      case kAtUniBoundary:
      case kAtUniNonBoundary:
        return at_boundary(at, position == kAtUniBoundary, [](Py_UCS4 c) { return in_category(kUniWord, c); });
      default:
        return false;
    }
  }

  bool group_range(uint32_t group, Py_ssize_t& start, Py_ssize_t& stop) const {
    start = attempt_.marks[2 * group];
    stop = attempt_.marks[2 * group + 1];
    return start >= 0 && stop >= start;
  }

  /// Moves `at` over a repetition of the group's text.
  bool matches_group(const Instruction& i, Py_ssize_t& at) const {
    Py_ssize_t start, stop;
    if (!group_range(i.a, start, stop) || end_ - at < stop - start) return false;
    const Fold fold = static_cast<Fold>(i.flag);
    for (; start < stop; start++, at++) {
      const Py_UCS4 a = text_[at];
      const Py_UCS4 b = text_[start];
      if (a == b) continue;
      if (fold == Fold::kNone || fold_character(fold, a) != fold_character(fold, b)) return false;
    }
    return true;
  }

  bool can_begin(const FirstSet& first, Py_ssize_t at) const {
    if (at >= end_) return true;  // it may be empty there: let it find out
    const Py_UCS4 c = text_[at];
    return c < 256 ? first.narrow.has(c) : first.wide;
  }

  ALWAYS_INLINE bool push(Record::Kind kind, uint32_t pc, Py_ssize_t a, Py_ssize_t b) {
    return stack_.push({kind, pc, a, b});
  }

  bool set_mark(uint32_t mark, Py_ssize_t at) {
    if (stack_.size() > 0) {
      if (!push(Record::kMarkUndo, mark, attempt_.marks[mark], 0)) return false;
      if ((mark & 1) && !push(Record::kLastUndo, 0, attempt_.last_index, 0)) return false;
    }
    attempt_.marks[mark] = at;
    if (mark & 1) attempt_.last_index = static_cast<Py_ssize_t>(mark / 2) + 1;
    return true;
  }

  bool save_loop(int32_t loop) {
    return push(Record::kLoopUndo, static_cast<uint32_t>(loop), loops_[static_cast<size_t>(loop)].count,
                loops_[static_cast<size_t>(loop)].last);
  }
  bool leave_loop(int32_t loop) {
    if (!push(Record::kCurrentUndo, 0, current_, 0)) return false;
    current_ = loops_[static_cast<size_t>(loop)].outer;
    return true;
  }

  bool push_barrier(uint32_t pc, Py_ssize_t at) {
    if (!push(Record::kBarrier, pc, at, barrier_)) return false;
    barrier_ = static_cast<Py_ssize_t>(stack_.size()) - 1;
    return true;
  }

  /// Takes back everything down to the barrier, and the barrier itself.
  void unwind_to_barrier() {
    while (static_cast<Py_ssize_t>(stack_.size()) - 1 > barrier_) {
      undo(stack_.top());
      stack_.pop();
    }
    barrier_ = stack_.top().b;
    stack_.pop();
  }

  /// Drops the choices above the barrier and the barrier; keeps what is needed to undo.
  void commit_to_barrier() {
    size_t out = static_cast<size_t>(barrier_);
    const Py_ssize_t outer = stack_[out].b;
    for (size_t i = out + 1; i < stack_.size(); i++) {
      const Record::Kind kind = stack_[i].kind;
      if (kind >= Record::kMarkUndo && kind <= Record::kLoopDrop) stack_[out++] = stack_[i];
    }
    stack_.resize_down(out);
    barrier_ = outer;
  }

  ALWAYS_INLINE void undo(const Record& record) {
    switch (record.kind) {
      case Record::kMarkUndo:
        attempt_.marks[record.pc] = record.a;
        break;
      case Record::kLastUndo:
        attempt_.last_index = record.a;
        break;
      case Record::kLoopUndo:
        loops_[record.pc].count = record.a;
        loops_[record.pc].last = record.b;
        break;
      case Record::kCurrentUndo:
        current_ = static_cast<int32_t>(record.a);
        break;
      case Record::kLoopDrop:
        current_ = static_cast<int32_t>(record.a);
        loops_.resize_down(static_cast<size_t>(record.b));
        break;
      default:
        break;
    }
  }

  Outcome run(Py_ssize_t at);

  const Program& program_;
  Attempt& attempt_;
  const Char* text_;
  Py_ssize_t end_;
  Py_ssize_t mark_count_;
  Pool<Record> stack_;
  Pool<Loop> loops_;
  Py_ssize_t barrier_ = -1;  // record of the innermost body being matched on its own
  int32_t current_ = -1;     // innermost open loop
  uint32_t ticks_ = 0;
};

template <class Char>
Outcome Engine<Char>::run(Py_ssize_t at) {
  const Instruction* const code = program_.code.data();
  uint32_t pc = 0;
#define MUST(condition) \
  if (UNLIKELY(!(condition))) return Outcome::kError
  while (true) {
    const Instruction& i = code[pc];
    switch (i.op) {
      case Op::kChar:
        if (at >= end_ || text_[at] != i.a) goto fail;
        at++;
        pc++;
        continue;
      case Op::kClass:
        if (at >= end_ || !one(program_.classes[i.a], at)) goto fail;
        at++;
        pc++;
        continue;
      case Op::kString:
        if (!matches_string(i, at)) goto fail;
        at += i.b;
        pc++;
        continue;
      case Op::kAt:
        if (!at_position(i.a, at)) goto fail;
        pc++;
        continue;
      case Op::kMark:
        MUST(set_mark(i.a, at));
        pc++;
        continue;
      case Op::kJump:
        pc = i.a;
        continue;
      case Op::kFail:
        goto fail;
      case Op::kBranch: {
        // Alternatives that can't begin here are passed over; the last possible one needs no way back.
        const Alternative* alternative = program_.alternatives.data() + i.a;
        const Alternative* stop = alternative + i.b;
        while (alternative < stop && !can_begin(alternative->first, at)) alternative++;
        if (alternative == stop) goto fail;
        const Alternative* next = alternative + 1;
        while (next < stop && !can_begin(next->first, at)) next++;
        if (next < stop) {
          MUST(push(Record::kChoice, pc, at, next - program_.alternatives.data()));
        }
        pc = alternative->target;
        continue;
      }
      case Op::kGroupRef:
        if (!matches_group(i, at)) goto fail;
        pc++;
        continue;
      case Op::kGroupExists: {
        Py_ssize_t start, stop;
        pc = group_range(i.a, start, stop) ? pc + 1 : i.b;
        continue;
      }
      case Op::kAssert:
      case Op::kAssertNot:
        if (at < static_cast<Py_ssize_t>(i.a)) {  // nothing that far back
          if (i.op == Op::kAssert) goto fail;
          pc = i.b;
          continue;
        }
        MUST(push_barrier(pc, at));
        at -= i.a;
        pc++;
        continue;
      case Op::kAtomic:
        MUST(push_barrier(pc, at));
        pc++;
        continue;
      case Op::kSubEnd: {
        const Record barrier = stack_[static_cast<size_t>(barrier_)];
        const Instruction& opener = code[barrier.pc];
        switch (opener.op) {
          case Op::kAssert:
            commit_to_barrier();
            at = barrier.a;
            pc = opener.b;
            continue;
          case Op::kAssertNot:
            unwind_to_barrier();
            goto fail;
          case Op::kAtomic:
            commit_to_barrier();
            pc = opener.b;
            continue;
          default: {  // a round of a possessive repeat
            commit_to_barrier();
            Loop& loop = loops_[static_cast<size_t>(current_)];
            MUST(save_loop(current_));
            loop.count++;
            const bool moved = at != loop.last;
            loop.last = at;
            const bool more = loop.count < static_cast<Py_ssize_t>(opener.a) ||
                              (moved && (opener.b == kMaxRepeat || loop.count < static_cast<Py_ssize_t>(opener.b)));
            if (more) {
              MUST(push_barrier(barrier.pc, at));
              pc = barrier.pc + 1;
            } else {
              MUST(leave_loop(current_));
              pc = opener.c;
            }
            continue;
          }
        }
      }
      case Op::kPossessive:
        MUST(push(Record::kLoopDrop, 0, current_, static_cast<Py_ssize_t>(loops_.size())));
        MUST(loops_.push({0, -1, pc, current_}));
        current_ = static_cast<int32_t>(loops_.size()) - 1;
        if (i.b == 0) {
          MUST(leave_loop(current_));
          pc = i.c;
          continue;
        }
        MUST(push_barrier(pc, at));
        pc++;
        continue;
      case Op::kPossessiveOne: {
        const Py_ssize_t n = count(program_.classes[i.a], at, i.c == kMaxRepeat ? PY_SSIZE_T_MAX : static_cast<Py_ssize_t>(i.c));
        if (n < static_cast<Py_ssize_t>(i.b)) goto fail;
        at += n;
        pc++;
        continue;
      }
      case Op::kRepeatOne: {
        const Py_ssize_t n = count(program_.classes[i.a], at, i.c == kMaxRepeat ? PY_SSIZE_T_MAX : static_cast<Py_ssize_t>(i.c));
        const Py_ssize_t least = at + static_cast<Py_ssize_t>(i.b);
        at += n;
        if (at < least) goto fail;
        if (at > least) {
          MUST(push(Record::kGreedy, pc, least, at));
          goto fail;  // takes the record up again, which tries the longest first
        }
        pc++;
        continue;
      }
      case Op::kLazyOne: {
        if (i.b > 0) {
          const Py_ssize_t least = static_cast<Py_ssize_t>(i.b);
          if (end_ - at < least || count(program_.classes[i.a], at, least) < least) goto fail;
          at += least;
        }
        if (i.c > i.b) {
          MUST(push(Record::kLazy, pc, at, i.c == kMaxRepeat ? PY_SSIZE_T_MAX : static_cast<Py_ssize_t>(i.c - i.b)));
        }
        pc++;
        continue;
      }
      case Op::kRepeat:
        MUST(push(Record::kLoopDrop, 0, current_, static_cast<Py_ssize_t>(loops_.size())));
        MUST(loops_.push({0, -1, pc, current_}));
        current_ = static_cast<int32_t>(loops_.size()) - 1;
        pc = i.c;
        continue;
      case Op::kMaxUntil: {
        const int32_t index = current_;
        Loop& loop = loops_[static_cast<size_t>(index)];
        const Instruction& opener = code[loop.pc];
        if (loop.count < static_cast<Py_ssize_t>(opener.a)) {
          MUST(save_loop(index));
          loops_[static_cast<size_t>(index)].count++;
          pc = loop.pc + 1;
          continue;
        }
        if ((opener.b == kMaxRepeat || loop.count < static_cast<Py_ssize_t>(opener.b)) && at != loop.last) {
          // Another round first; the tail when that fails.
          MUST(push(Record::kChoice, pc, at, index));
          MUST(save_loop(index));
          Loop& again = loops_[static_cast<size_t>(index)];
          again.count++;
          again.last = at;
          pc = again.pc + 1;
          continue;
        }
        MUST(leave_loop(index));
        pc++;
        continue;
      }
      case Op::kMinUntil: {
        const int32_t index = current_;
        Loop& loop = loops_[static_cast<size_t>(index)];
        const Instruction& opener = code[loop.pc];
        if (loop.count < static_cast<Py_ssize_t>(opener.a)) {
          MUST(save_loop(index));
          loop.count++;
          pc = loop.pc + 1;
          continue;
        }
        // The tail first; another round when that fails.
        if ((opener.b == kMaxRepeat || loop.count < static_cast<Py_ssize_t>(opener.b)) && at != loop.last) {
          MUST(push(Record::kChoice, pc, at, index));
        }
        MUST(leave_loop(index));
        pc++;
        continue;
      }
      case Op::kEnd:
        if ((attempt_.full && at != end_) || (attempt_.must_advance && at == attempt_.start)) goto fail;
        attempt_.match_end = at;
        return Outcome::kMatch;
    }
  fail:
    if (UNLIKELY((++ticks_ & 0xfff) == 0) && PyErr_CheckSignals() != 0) return Outcome::kError;
    while (true) {
      if (stack_.size() == 0) return Outcome::kNoMatch;
      Record& record = stack_.top();
      if (record.kind == Record::kGreedy) {
        // Gives characters back, down to where the next instruction can begin.
        const Instruction& next = code[record.pc + 1 + code[record.pc].flag];
        at = record.b;
        if (next.op == Op::kChar || next.op == Op::kString) {
          const Py_UCS4 wanted = next.op == Op::kChar ? next.a : program_.characters[next.a];
          if (at >= end_) at = end_ - 1;
          while (at >= record.a && text_[at] != wanted) at--;
          if (at < record.a) {
            stack_.pop();
            continue;
          }
        } else if (next.op == Op::kClass) {
          const CharClass& c = program_.classes[next.a];
          while (at >= record.a && (at >= end_ || !one(c, at))) at--;
          if (at < record.a) {
            stack_.pop();
            continue;
          }
        }
        pc = record.pc + 1;
        if (at == record.a) stack_.pop();
        else record.b = at - 1;
        break;
      }
      if (record.kind == Record::kLazy) {
        const Instruction& lazy = code[record.pc];
        const CharClass& c = program_.classes[lazy.a];
        const Instruction& next = code[record.pc + 1 + lazy.flag];
        at = record.a;
        Py_ssize_t left = record.b;
        bool found = false;
        if (next.op == Op::kChar || next.op == Op::kString) {
          // FAST: takes characters until the next one is the wanted one.
          const Py_UCS4 wanted = next.op == Op::kChar ? next.a : program_.characters[next.a];
          while (left > 0 && at < end_ && one(c, at)) {
            at++;
            left--;
            if (at < end_ && text_[at] == wanted) {
              found = true;
              break;
            }
          }
        } else if (left > 0 && at < end_ && one(c, at)) {
          at++;
          left--;
          found = true;
        }
        if (!found) {
          stack_.pop();
          continue;
        }
        pc = record.pc + 1;
        if (left == 0) {
          stack_.pop();
        } else {
          record.a = at;
          record.b = left;
        }
        break;
      }
      if (record.kind == Record::kChoice) {
        const Instruction& choice = code[record.pc];
        at = record.a;
        if (choice.op == Op::kBranch) {
          const Alternative* alternative = program_.alternatives.data() + record.b;
          const Alternative* stop = program_.alternatives.data() + choice.a + choice.b;
          const Alternative* next = alternative + 1;
          while (next < stop && !can_begin(next->first, at)) next++;
          if (next < stop) record.b = next - program_.alternatives.data();
          else stack_.pop();
          pc = alternative->target;
          break;
        }
        const int32_t index = static_cast<int32_t>(record.b);
        pc = record.pc;
        stack_.pop();
        current_ = index;
        if (choice.op == Op::kMaxUntil) {
          MUST(leave_loop(index));
          pc++;
        } else {
          MUST(save_loop(index));
          Loop& loop = loops_[static_cast<size_t>(index)];
          loop.count++;
          loop.last = at;
          pc = loop.pc + 1;
        }
        break;
      }
      if (record.kind == Record::kBarrier) {
        // The body of an assertion, atomic group or possessive round has failed.
        const Instruction& opener = code[record.pc];
        const Record barrier = record;
        barrier_ = barrier.b;
        stack_.pop();
        if (opener.op == Op::kAssertNot) {
          at = barrier.a;
          pc = opener.b;
          break;
        }
        if (opener.op == Op::kPossessive && loops_[static_cast<size_t>(current_)].count >= static_cast<Py_ssize_t>(opener.a)) {
          at = barrier.a;
          MUST(leave_loop(current_));
          pc = opener.c;
          break;
        }
        continue;
      }
      undo(record);
      stack_.pop();
    }
  }
#undef MUST
}

}  // namespace pyston::sre
