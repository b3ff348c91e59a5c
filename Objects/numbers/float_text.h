// Decimal digits of doubles: one engine (std::to_chars) behind repr, format, round and the dtoa API.
#pragma once

#include "Objects/numbers/float.h"

namespace pyston {

/// Digits of a finite double without sign and trailing zeros; the value is 0.d1d2d3... * 10**point.
struct DecimalDigits {
  // The longest exact expansion has 767 significant digits; nobody gets more than kMaximum plus the integer part.
  static constexpr int kMaximum = 1100;
  char text[kMaximum + 340];
  int length;  // at least 1; zero is "0" with point 1
  int point;
};

/// Shortest digits that read back as the same double.
void shortest_digits(double value, DecimalDigits& out);
/// `count` >= 1 significant digits, rounded half to even on the exact value.
void significant_digits(double value, int count, DecimalDigits& out);
/// Digits up to the `places`-th after the point (before it when negative), rounded half to even on the exact value.
void digits_to_place(double value, int places, DecimalDigits& out);

/// repr() text of a double into `out` (at least 32 bytes); returns its length. ".0" is added when `add_dot`.
enum class Dot { kLeave, kAdd };
int write_repr(double value, Dot dot, char* out);

/// Reads a decimal floating-point number (no inf or nan); null when there is none. Out of range gives inf or 0.
const char* read_decimal(const char* text, const char* stop, double* value, bool* overflow);

}  // namespace pyston
