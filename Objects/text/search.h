// Substring search shared by str (1, 2 and 4 byte characters), bytes and bytearray.
//
// A search compares first and last character of the needle at 16 bytes' worth of positions at once and verifies the
// candidates; when verifying has cost more than a few needle lengths it goes on with two-way matching, so that every
// search is linear in the worst case. Needle and haystack may have different character widths (the needle's is never
// the wider one in practice), so nobody has to widen a needle first.
//
// Positions are returned as indices, -1 when there is none. Nothing here allocates or sets exceptions.
#pragma once

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <cwchar>
#include <type_traits>

namespace pyston::search {

using Index = ptrdiff_t;

/// 16 bytes of haystack compared with one character; lane bits come from movemask (sizeof(Char) bits per lane).
template <class Char>
struct Lanes {
  static constexpr int kCount = 16 / sizeof(Char);
  static __m128i broadcast(Char c) {
    if constexpr (sizeof(Char) == 1) return _mm_set1_epi8(static_cast<char>(c));
    if constexpr (sizeof(Char) == 2) return _mm_set1_epi16(static_cast<short>(c));
    if constexpr (sizeof(Char) == 4) return _mm_set1_epi32(static_cast<int>(c));
  }
  static __m128i equal(const Char* at, __m128i pattern) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    if constexpr (sizeof(Char) == 1) return _mm_cmpeq_epi8(block, pattern);
    if constexpr (sizeof(Char) == 2) return _mm_cmpeq_epi16(block, pattern);
    if constexpr (sizeof(Char) == 4) return _mm_cmpeq_epi32(block, pattern);
  }
  static unsigned mask(__m128i lanes) { return static_cast<unsigned>(_mm_movemask_epi8(lanes)); }
  static int first(unsigned mask) { return __builtin_ctz(mask) / static_cast<int>(sizeof(Char)); }
  static int last(unsigned mask) { return (31 - __builtin_clz(mask)) / static_cast<int>(sizeof(Char)); }
  static unsigned lane(int index) { return ((1u << sizeof(Char)) - 1) << (index * sizeof(Char)); }
};

template <class Char>
inline Index find_char(const Char* hay, Index n, uint32_t wanted) {
  if constexpr (sizeof(Char) < 4) {
    if (wanted > static_cast<Char>(-1)) return -1;
  }
  if (n <= 0) return -1;
  if constexpr (sizeof(Char) == 1) {
    const void* hit = memchr(hay, static_cast<int>(wanted), static_cast<size_t>(n));
    return hit == nullptr ? -1 : static_cast<const Char*>(hit) - hay;
  } else if constexpr (sizeof(Char) == 4) {
    const wchar_t* base = reinterpret_cast<const wchar_t*>(hay);
    const wchar_t* hit = wmemchr(base, static_cast<wchar_t>(wanted), static_cast<size_t>(n));
    return hit == nullptr ? -1 : hit - base;
  } else {
    using L = Lanes<Char>;
    const __m128i pattern = L::broadcast(static_cast<Char>(wanted));
    Index i = 0;
    for (; i + L::kCount <= n; i += L::kCount) {
      const unsigned mask = L::mask(L::equal(hay + i, pattern));
      if (mask != 0) return i + L::first(mask);
    }
    for (; i < n; i++) {
      if (hay[i] == wanted) return i;
    }
    return -1;
  }
}

template <class Char>
inline Index rfind_char(const Char* hay, Index n, uint32_t wanted) {
  if constexpr (sizeof(Char) < 4) {
    if (wanted > static_cast<Char>(-1)) return -1;
  }
  using L = Lanes<Char>;
  const __m128i pattern = L::broadcast(static_cast<Char>(wanted));
  Index i = n;
  for (; i >= L::kCount; i -= L::kCount) {
    const unsigned mask = L::mask(L::equal(hay + i - L::kCount, pattern));
    if (mask != 0) return i - L::kCount + L::last(mask);
  }
  while (i-- > 0) {
    if (hay[i] == wanted) return i;
  }
  return -1;
}

template <class Hay, class Needle>
inline bool matches(const Hay* hay, const Needle* needle, Index m) {
  if constexpr (sizeof(Hay) == sizeof(Needle)) {
    return memcmp(hay, needle, static_cast<size_t>(m) * sizeof(Hay)) == 0;
  } else {
    for (Index i = 0; i < m; i++) {
      if (hay[i] != needle[i]) return false;
    }
    return true;
  }
}

/// A text read forwards or backwards, so that two-way matching serves find and rfind.
template <class Char, bool kBackwards>
struct Reading {
  const Char* base;
  Index length;
  uint32_t operator[](Index i) const { return kBackwards ? base[length - 1 - i] : base[i]; }
};

/// Start of the maximal suffix of the needle under < (or > when kInverted), and its period.
template <bool kInverted, class Text>
Index maximal_suffix(Text needle, Index m, Index& period) {
  Index suffix = -1;
  Index candidate = 0;
  Index k = 1;
  period = 1;
  while (candidate + k < m) {
    const uint32_t a = needle[candidate + k];
    const uint32_t b = needle[suffix + k];
    if (kInverted ? b < a : a < b) {
      candidate += k;
      k = 1;
      period = candidate - suffix;
    } else if (a == b) {
      if (k != period) {
        k++;
      } else {
        candidate += period;
        k = 1;
      }
    } else {
      suffix = candidate++;
      k = period = 1;
    }
  }
  return suffix;
}

/// Crochemore and Perrin's two-way matching: linear time, constant space.
template <class Hay, class Needle>
__attribute__((noinline)) Index two_way(Hay hay, Index n, Needle needle, Index m) {
  Index period_less;
  Index period_greater;
  const Index less = maximal_suffix<false>(needle, m, period_less);
  const Index greater = maximal_suffix<true>(needle, m, period_greater);
  const Index cut = (less > greater ? less : greater) + 1;
  Index period = less > greater ? period_less : period_greater;
  bool periodic = cut + period <= m;
  for (Index i = 0; periodic && i < cut; i++) periodic = needle[i] == needle[i + period];
  if (!periodic) period = (cut > m - cut ? cut : m - cut) + 1;
  Index remembered = 0;  // characters known to match after a shift by a period
  Index at = 0;
  while (at + m <= n) {
    Index i = cut > remembered ? cut : remembered;
    while (i < m && needle[i] == hay[at + i]) i++;
    if (i < m) {
      at += i - cut + 1;
      remembered = 0;
      continue;
    }
    i = cut;
    while (i > remembered && needle[i - 1] == hay[at + i - 1]) i--;
    if (i <= remembered) return at;
    at += period;
    remembered = periodic ? m - period : 0;
  }
  return -1;
}

/// Leftmost occurrence of the needle; an empty needle is found at 0.
template <class Hay, class Needle>
Index find(const Hay* hay, Index n, const Needle* needle, Index m) {
  if (m > n) return -1;
  if (m <= 1) return m == 0 ? 0 : find_char(hay, n, needle[0]);
  if constexpr (sizeof(Needle) > sizeof(Hay)) {
    for (Index i = 0; i < m; i++) {
      if (needle[i] > static_cast<Hay>(-1)) return -1;
    }
  }
  using L = Lanes<Hay>;
  const __m128i first = L::broadcast(static_cast<Hay>(needle[0]));
  const __m128i last = L::broadcast(static_cast<Hay>(needle[m - 1]));
  const Index stop = n - m + 1;  // one past the last possible start
  Index budget = 8 * m + 256;
  Index i = 0;
  for (; i + L::kCount <= stop; i += L::kCount) {
    unsigned mask = L::mask(_mm_and_si128(L::equal(hay + i, first), L::equal(hay + i + m - 1, last)));
    while (mask != 0) {
      const int lane = L::first(mask);
      if (matches(hay + i + lane + 1, needle + 1, m - 2)) return i + lane;
      budget -= m;
      mask &= ~L::lane(lane);
    }
    if (__builtin_expect(budget < 0, 0)) {
      const Index start = i + L::kCount;
      const Index at = two_way(Reading<Hay, false>{hay + start, n - start}, n - start, Reading<Needle, false>{needle, m}, m);
      return at < 0 ? -1 : start + at;
    }
  }
  for (; i < stop; i++) {
    if (hay[i] == needle[0] && hay[i + m - 1] == needle[m - 1] && matches(hay + i + 1, needle + 1, m - 2)) return i;
  }
  return -1;
}

/// Rightmost occurrence of the needle; an empty needle is found at n.
template <class Hay, class Needle>
Index rfind(const Hay* hay, Index n, const Needle* needle, Index m) {
  if (m > n) return -1;
  if (m <= 1) return m == 0 ? n : rfind_char(hay, n, needle[0]);
  if constexpr (sizeof(Needle) > sizeof(Hay)) {
    for (Index i = 0; i < m; i++) {
      if (needle[i] > static_cast<Hay>(-1)) return -1;
    }
  }
  using L = Lanes<Hay>;
  const __m128i first = L::broadcast(static_cast<Hay>(needle[0]));
  const __m128i last = L::broadcast(static_cast<Hay>(needle[m - 1]));
  Index budget = 8 * m + 256;
  Index i = n - m + 1;  // starts below i are still to be tried
  for (; i >= L::kCount; i -= L::kCount) {
    const Hay* block = hay + i - L::kCount;
    unsigned mask = L::mask(_mm_and_si128(L::equal(block, first), L::equal(block + m - 1, last)));
    while (mask != 0) {
      const int lane = L::last(mask);
      if (matches(block + lane + 1, needle + 1, m - 2)) return block + lane - hay;
      budget -= m;
      mask &= ~L::lane(lane);
    }
    if (__builtin_expect(budget < 0, 0)) {
      const Index rest = i - L::kCount + m - 1;  // text in which all remaining starts lie
      const Index at = two_way(Reading<Hay, true>{hay, rest}, rest, Reading<Needle, true>{needle, m}, m);
      return at < 0 ? -1 : rest - at - m;
    }
  }
  while (i-- > 0) {
    if (hay[i] == needle[0] && hay[i + m - 1] == needle[m - 1] && matches(hay + i + 1, needle + 1, m - 2)) return i;
  }
  return -1;
}

/// Number of occurrences of one character, at most `limit`.
template <class Char>
Index count_char(const Char* hay, Index n, uint32_t wanted, Index limit) {
  if constexpr (sizeof(Char) < 4) {
    if (wanted > static_cast<Char>(-1)) return 0;
  }
  if (limit >= n) {  // FAST: no early exit, which the compiler turns into vector code
    const Char c = static_cast<Char>(wanted);
    Index total = 0;
    for (Index i = 0; i < n; i++) total += hay[i] == c;
    return total;
  }
  Index total = 0;
  for (Index i = 0; total < limit; total++) {
    const Index at = find_char(hay + i, n - i, wanted);
    if (at < 0) break;
    i += at + 1;
  }
  return total;
}

/// Number of non-overlapping occurrences, at most `limit`; an empty needle occurs n + 1 times.
template <class Hay, class Needle>
Index count(const Hay* hay, Index n, const Needle* needle, Index m, Index limit = PTRDIFF_MAX) {
  if (n < 0) return 0;
  if (m == 0) return n < limit ? n + 1 : limit;
  if (m == 1) return count_char(hay, n, needle[0], limit);
  Index total = 0;
  for (Index i = 0; total < limit; total++) {
    const Index at = find(hay + i, n - i, needle, m);
    if (at < 0) break;
    i += at + m;
  }
  return total;
}

/// Calls `emit(start, stop) -> bool` for every piece between separators, left to right, cutting at most `limit` times.
/// False when emit failed. The separator isn't empty.
template <class Hay, class Needle, class Emit>
bool split(const Hay* hay, Index n, const Needle* separator, Index m, Index limit, Emit&& emit) {
  Index start = 0;
  for (; limit > 0; limit--) {
    const Index at = find(hay + start, n - start, separator, m);
    if (at < 0) break;
    if (!emit(start, start + at)) return false;
    start += at + m;
  }
  return emit(start, n);
}

/// The same from the right; pieces come rightmost first.
template <class Hay, class Needle, class Emit>
bool rsplit(const Hay* hay, Index n, const Needle* separator, Index m, Index limit, Emit&& emit) {
  Index stop = n;
  for (; limit > 0; limit--) {
    const Index at = rfind(hay, stop, separator, m);
    if (at < 0) break;
    if (!emit(at + m, stop)) return false;
    stop = at;
  }
  return emit(Index{0}, stop);
}

/// Pieces between runs of whitespace, without empty ones; the last piece keeps inner and loses outer whitespace.
template <class Hay, class IsSpace, class Emit>
bool split_whitespace(const Hay* hay, Index n, Index limit, IsSpace&& is_space, Emit&& emit) {
  Index i = 0;
  for (; limit > 0; limit--) {
    while (i < n && is_space(hay[i])) i++;
    if (i == n) return true;
    const Index start = i++;
    while (i < n && !is_space(hay[i])) i++;
    if (!emit(start, i)) return false;
  }
  while (i < n && is_space(hay[i])) i++;
  if (i == n) return true;
  return emit(i, n);
}

/// QUIRK: as in CPython the leftover of split keeps its trailing, that of rsplit its leading whitespace.
template <class Hay, class IsSpace, class Emit>
bool rsplit_whitespace(const Hay* hay, Index n, Index limit, IsSpace&& is_space, Emit&& emit) {
  Index i = n;
  for (; limit > 0; limit--) {
    while (i > 0 && is_space(hay[i - 1])) i--;
    if (i == 0) return true;
    const Index stop = i--;
    while (i > 0 && !is_space(hay[i - 1])) i--;
    if (!emit(i, stop)) return false;
  }
  while (i > 0 && is_space(hay[i - 1])) i--;
  if (i == 0) return true;
  return emit(Index{0}, i);
}

/// Lines, with their ends when `keep_ends`; "\r\n" is one end.
template <class Hay, class IsBreak, class Emit>
bool split_lines(const Hay* hay, Index n, bool keep_ends, IsBreak&& is_break, Emit&& emit) {
  for (Index i = 0; i < n;) {
    const Index start = i;
    while (i < n && !is_break(hay[i])) i++;
    Index stop = i;
    if (i < n) {
      i += hay[i] == '\r' && i + 1 < n && hay[i + 1] == '\n' ? 2 : 1;
      if (keep_ends) stop = i;
    }
    if (!emit(start, stop)) return false;
  }
  return true;
}

}  // namespace pyston::search
