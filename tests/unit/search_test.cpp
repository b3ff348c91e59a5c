// Substring search against the definition, over every width and the shapes that make searches slow.
#include "Objects/text/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

namespace pyston::search {
namespace {

template <class Hay, class Needle>
void compare_with_definition(const std::vector<Hay>& hay, const std::vector<Needle>& needle) {
  const Index n = static_cast<Index>(hay.size()), m = static_cast<Index>(needle.size());
  std::vector<Index> places;
  for (Index i = 0; i + m <= n; i++) {
    if (std::equal(needle.begin(), needle.end(), hay.begin() + i)) places.push_back(i);
  }
  EXPECT_EQ(find(hay.data(), n, needle.data(), m), places.empty() ? -1 : places.front());
  EXPECT_EQ(rfind(hay.data(), n, needle.data(), m), places.empty() ? -1 : places.back());
  Index apart = 0, next = 0;
  for (Index place : places) {
    if (place < next) continue;
    apart++;
    next = place + m;
  }
  EXPECT_EQ(count(hay.data(), n, needle.data(), m), m == 0 ? n + 1 : apart);
  EXPECT_EQ(count(hay.data(), n, needle.data(), m, Index{2}), std::min<Index>(2, m == 0 ? n + 1 : apart));
}

template <class Hay, class Needle>
void compare_random(unsigned letters) {
  std::mt19937 random(letters * 31 + sizeof(Hay));
  for (int round = 0; round < 3000; round++) {
    std::vector<Hay> hay(random() % 200);
    std::vector<Needle> needle(random() % (round % 3 == 0 ? 40 : 6));
    for (Hay& c : hay) c = static_cast<Hay>('a' + random() % letters);
    for (Needle& c : needle) c = static_cast<Needle>('a' + random() % letters);
    // Half of the needles are taken from the text, so that there is something to find.
    if (round % 2 == 0 && needle.size() <= hay.size()) {
      const size_t from = random() % (hay.size() - needle.size() + 1);
      for (size_t i = 0; i < needle.size(); i++) needle[i] = static_cast<Needle>(hay[from + i]);
    }
    compare_with_definition(hay, needle);
  }
}

TEST(Search, AgreesWithTheDefinition) {
  for (unsigned letters : {1, 2, 3, 20}) {
    compare_random<uint8_t, uint8_t>(letters);
    compare_random<uint16_t, uint8_t>(letters);
    compare_random<uint16_t, uint16_t>(letters);
    compare_random<uint32_t, uint8_t>(letters);
    compare_random<uint32_t, uint16_t>(letters);
    compare_random<uint32_t, uint32_t>(letters);
  }
}

TEST(Search, FindsCharactersAtEveryPlace) {
  for (Index n = 0; n < 70; n++) {
    for (Index place = 0; place < n; place++) {
      std::vector<uint8_t> narrow(static_cast<size_t>(n), 'a');
      std::vector<uint16_t> wide(static_cast<size_t>(n), 'a');
      narrow[static_cast<size_t>(place)] = 'b';
      wide[static_cast<size_t>(place)] = 0x1234;
      EXPECT_EQ(find_char(narrow.data(), n, 'b'), place);
      EXPECT_EQ(rfind_char(narrow.data(), n, 'b'), place);
      EXPECT_EQ(find_char(wide.data(), n, 0x1234), place);
      EXPECT_EQ(rfind_char(wide.data(), n, 0x1234), place);
      EXPECT_EQ(find_char(narrow.data(), n, 0x162), -1);  // 'b' in the low byte only
    }
  }
}

TEST(Search, IsLinearForPeriodicTexts) {
  // Comparing at every place would take 10**11 steps.
  std::vector<uint8_t> hay(1'000'000, 'a');
  std::vector<uint8_t> needle(200'001, 'a');
  needle[100'000] = 'b';
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(find(hay.data(), 1'000'000, needle.data(), 200'001), -1);
  EXPECT_EQ(rfind(hay.data(), 1'000'000, needle.data(), 200'001), -1);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace pyston::search
