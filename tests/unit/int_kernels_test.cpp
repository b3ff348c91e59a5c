// The digit kernels of int, checked against each other through identities over sizes around every threshold.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "Objects/numbers/int.h"

namespace pyston::digits {
namespace {

using Number = std::vector<digit>;

class Kernels : public testing::Test {
 protected:
  /// Extreme digits are frequent: carries and quotient corrections hang on them.
  Number random_number(Py_ssize_t n) {
    Number a(static_cast<size_t>(n));
    for (digit& d : a) {
      const unsigned kind = random_() % 4;
      d = kind == 0 ? 0 : kind == 1 ? PyLong_MASK : random_() & PyLong_MASK;
    }
    if (!a.empty() && a.back() == 0) a.back() = 1;
    return a;
  }
  static Py_ssize_t size(const Number& a) { return static_cast<Py_ssize_t>(a.size()); }
  static Number product(const Number& a, const Number& b) {
    Number out(a.size() + b.size(), 0x5555);
    EXPECT_TRUE(multiply(out.data(), a.data(), size(a), b.data(), size(b)));
    return out;
  }
  static Number sum(const Number& a, const Number& b) {
    const bool swap = a.size() < b.size();
    const Number &big = swap ? b : a, &small = swap ? a : b;
    Number out(big.size() + 1);
    add(out.data(), big.data(), size(big), small.data(), size(small));
    return out;
  }
  static Number trimmed(Number a) {
    while (!a.empty() && a.back() == 0) a.pop_back();
    return a;
  }

  std::mt19937 random_{12345};
  const std::vector<Py_ssize_t> sizes_ = {1, 2, 3, 4, 5, 8, 15, 31, 69, 70, 71, 100, 139, 141, 300, 1000};
};

TEST_F(Kernels, SubtractUndoesAdd) {
  for (Py_ssize_t n : sizes_) {
    for (Py_ssize_t m : sizes_) {
      if (m > n) continue;
      const Number a = random_number(n), b = random_number(m), total = sum(a, b);
      Number back(total.size());
      subtract(back.data(), total.data(), size(total), b.data(), m);
      EXPECT_EQ(trimmed(back), a);
    }
  }
}

TEST_F(Kernels, MultiplicationIsDistributiveAndCommutative) {
  for (Py_ssize_t n : sizes_) {
    for (Py_ssize_t m : sizes_) {
      const Number a = random_number(n), b = random_number(m), c = random_number(m);
      EXPECT_EQ(product(a, b), product(b, a));
      EXPECT_EQ(trimmed(product(a, trimmed(sum(b, c)))), trimmed(sum(product(a, b), product(a, c))));
    }
  }
}

TEST_F(Kernels, SquareIsTheProductWithItself) {
  for (Py_ssize_t n : sizes_) {
    const Number a = random_number(n);
    Number out(a.size() * 2);
    ASSERT_TRUE(square(out.data(), a.data(), n));
    EXPECT_EQ(out, product(a, a));
  }
}

TEST_F(Kernels, DivisionLeavesASmallerRemainder) {
  for (Py_ssize_t n : sizes_) {
    for (Py_ssize_t m : sizes_) {
      if (m < 2 || m > n) continue;
      for (int round = 0; round < 5; round++) {
        const Number a = random_number(n), b = random_number(m);
        Number quotient(static_cast<size_t>(n - m + 1)), remainder(b.size());
        ASSERT_TRUE(divide(quotient.data(), remainder.data(), a.data(), n, b.data(), m));
        const Number q = trimmed(quotient), r = trimmed(remainder);
        EXPECT_LT(compare(r.data(), size(r), b.data(), m), 0);
        Number back = q.empty() ? r : sum(product(q, b), r);
        EXPECT_EQ(trimmed(back), a);
      }
    }
  }
}

TEST_F(Kernels, DivisionByOneDigit) {
  for (Py_ssize_t n : sizes_) {
    const Number a = random_number(n);
    for (digit divisor : {digit{1}, digit{2}, digit{10}, digit{PyLong_MASK}, digit{1} << 29}) {
      Number quotient(a.size());
      const digit rest = divide_by_digit(quotient.data(), a.data(), n, divisor);
      EXPECT_LT(rest, divisor);
      EXPECT_EQ(trimmed(sum(product(quotient, {divisor}), {rest})), a);
    }
  }
}

TEST_F(Kernels, ShiftIsMultiplicationByAPowerOfTwo) {
  for (Py_ssize_t n : sizes_) {
    for (size_t shift : {1, 29, 30, 31, 59, 60, 64, 600}) {
      const Number a = random_number(n);
      Number out(a.size() + shift / 30 + 1);
      shift_left(out.data(), a.data(), n, shift);
      Number power(shift / 30 + 1, 0);
      power.back() = digit{1} << (shift % 30);
      EXPECT_EQ(trimmed(out), trimmed(product(a, power)));
    }
  }
}

TEST_F(Kernels, PackAndUnpackAreInverse) {
  for (Py_ssize_t n : sizes_) {
    const Number a = random_number(n);
    std::vector<Limb> limbs(static_cast<size_t>(limbs_for(n)));
    pack(limbs.data(), a.data(), n);
    Number back(a.size());
    unpack(back.data(), n, limbs.data(), limbs_for(n));
    EXPECT_EQ(back, a);
  }
}

}  // namespace
}  // namespace pyston::digits
