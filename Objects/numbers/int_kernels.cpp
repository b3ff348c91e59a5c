// Arithmetic on vectors of 30-bit digits. Short operands are worked on directly; from kGmpThreshold digits on they are
// packed into 64-bit limbs for GMP's mpn functions, which does more good than any cleverness on 30-bit digits: packing
// is linear and a limb product replaces 4.5 digit products.
#include "Objects/numbers/int.h"

#include <gmp.h>

#include <cstring>

namespace pyston {

IntPool int_pool;

namespace digits {
namespace {
constexpr Py_ssize_t kGmpMultiplyThreshold = 12;
constexpr Py_ssize_t kGmpDivideThreshold = 12;
}  // namespace

void add(digit* out, const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb) {
  digit carry = 0;
  Py_ssize_t i = 0;
  for (; i < nb; i++) {
    carry += a[i] + b[i];
    out[i] = carry & PyLong_MASK;
    carry >>= kDigitBits;
  }
  for (; i < na; i++) {
    carry += a[i];
    out[i] = carry & PyLong_MASK;
    carry >>= kDigitBits;
  }
  out[i] = carry;
}

void subtract(digit* out, const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb) {
  digit borrow = 0;
  Py_ssize_t i = 0;
  for (; i < nb; i++) {
    borrow = a[i] - b[i] - borrow;
    out[i] = borrow & PyLong_MASK;
    borrow = (borrow >> kDigitBits) & 1;
  }
  for (; i < na; i++) {
    borrow = a[i] - borrow;
    out[i] = borrow & PyLong_MASK;
    borrow = (borrow >> kDigitBits) & 1;
  }
}

int compare(const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb) {
  if (na != nb) return na < nb ? -1 : 1;
  for (Py_ssize_t i = na; i-- > 0;) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

void pack(Limb* limbs, const digit* a, Py_ssize_t n) {
  unsigned __int128 accumulator = 0;
  int bits = 0;
  for (Py_ssize_t i = 0; i < n; i++) {
    accumulator |= static_cast<unsigned __int128>(a[i]) << bits;
    bits += kDigitBits;
    if (bits >= 64) {
      *limbs++ = static_cast<Limb>(accumulator);
      accumulator >>= 64;
      bits -= 64;
    }
  }
  if (bits > 0) *limbs = static_cast<Limb>(accumulator);
}

void unpack(digit* out, Py_ssize_t n, const Limb* limbs, Py_ssize_t limb_count) {
  unsigned __int128 accumulator = 0;
  int bits = 0;
  Py_ssize_t next = 0;
  for (Py_ssize_t i = 0; i < n; i++) {
    if (bits < kDigitBits && next < limb_count) {
      accumulator |= static_cast<unsigned __int128>(limbs[next++]) << bits;
      bits += 64;
    }
    out[i] = static_cast<digit>(accumulator) & PyLong_MASK;
    accumulator >>= kDigitBits;
    bits -= kDigitBits;
  }
}

namespace {

void multiply_schoolbook(digit* out, const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb) {
  memset(out, 0, static_cast<size_t>(na + nb) * sizeof(digit));
  for (Py_ssize_t i = 0; i < na; i++) {
    const twodigits factor = a[i];
    twodigits carry = 0;
    digit* row = out + i;
    for (Py_ssize_t k = 0; k < nb; k++) {
      carry += row[k] + b[k] * factor;
      row[k] = static_cast<digit>(carry & PyLong_MASK);
      carry >>= kDigitBits;
    }
    row[nb] = static_cast<digit>(carry);
  }
}

NEVER_INLINE bool multiply_gmp(digit* out, const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb) {
  const Py_ssize_t la = limbs_for(na);
  const Py_ssize_t lb = limbs_for(nb);
  Scratch<Limb, 128> memory(2 * (la + lb));
  if (!memory) return false;
  Limb* x = memory.get();
  Limb* y = x + la;
  Limb* product = y + lb;
  pack(x, a, na);
  if (a == b && na == nb) {
    mpn_sqr(product, x, la);
  } else {
    pack(y, b, nb);
    if (la >= lb) {
      mpn_mul(product, x, la, y, lb);
    } else {
      mpn_mul(product, y, lb, x, la);
    }
  }
  unpack(out, na + nb, product, la + lb);
  return true;
}

}  // namespace

bool multiply(digit* out, const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb) {
  if (na < kGmpMultiplyThreshold || nb < kGmpMultiplyThreshold) {
    if (na <= nb) {
      multiply_schoolbook(out, a, na, b, nb);
    } else {
      multiply_schoolbook(out, b, nb, a, na);
    }
    return true;
  }
  return multiply_gmp(out, a, na, b, nb);
}

bool square(digit* out, const digit* a, Py_ssize_t na) { return multiply(out, a, na, a, na); }

digit divide_by_digit(digit* quotient, const digit* a, Py_ssize_t na, digit divisor) {
  twodigits remainder = 0;
  for (Py_ssize_t i = na; i-- > 0;) {
    remainder = (remainder << kDigitBits) | a[i];
    const digit q = static_cast<digit>(remainder / divisor);
    if (quotient != nullptr) quotient[i] = q;
    remainder -= static_cast<twodigits>(q) * divisor;
  }
  return static_cast<digit>(remainder);
}

namespace {

/// Knuth's algorithm D on digits.
bool divide_schoolbook(digit* quotient, digit* remainder, const digit* a, Py_ssize_t na, const digit* b,
                       Py_ssize_t nb) {
  Scratch<digit> memory(na + 1 + nb + 1);
  if (!memory) return false;
  digit* u = memory.get();
  digit* v = u + na + 1;
  const int shift = kDigitBits - (32 - __builtin_clz(b[nb - 1]));
  shift_left(u, a, na, static_cast<size_t>(shift));
  shift_left(v, b, nb, static_cast<size_t>(shift));  // writes nb + 1 digits, the last one zero
  const twodigits v1 = v[nb - 1];
  const twodigits v2 = v[nb - 2];
  for (Py_ssize_t j = na - nb; j >= 0; j--) {
    digit* window = u + j;
    const twodigits top = (static_cast<twodigits>(window[nb]) << kDigitBits) | window[nb - 1];
    twodigits guess = top / v1;
    twodigits rest = top - guess * v1;
    while (guess >= PyLong_BASE || guess * v2 > ((rest << kDigitBits) | window[nb - 2])) {
      guess--;
      rest += v1;
      if (rest >= PyLong_BASE) break;
    }
    stwodigits borrow = 0;
    for (Py_ssize_t i = 0; i < nb; i++) {
      borrow += static_cast<stwodigits>(window[i]) - static_cast<stwodigits>(guess * v[i]);
      window[i] = static_cast<digit>(borrow) & PyLong_MASK;
      borrow >>= kDigitBits;
    }
    borrow += window[nb];
    window[nb] = static_cast<digit>(borrow) & PyLong_MASK;
    if (borrow < 0) {
      guess--;
      digit carry = 0;
      for (Py_ssize_t i = 0; i < nb; i++) {
        carry += window[i] + v[i];
        window[i] = carry & PyLong_MASK;
        carry >>= kDigitBits;
      }
      window[nb] = (window[nb] + carry) & PyLong_MASK;
    }
    quotient[j] = static_cast<digit>(guess);
  }
  for (Py_ssize_t i = 0; i < nb; i++) {
    const twodigits pair = (static_cast<twodigits>(i + 1 <= nb ? u[i + 1] : 0) << kDigitBits) | u[i];
    remainder[i] = static_cast<digit>(pair >> shift) & PyLong_MASK;
  }
  return true;
}

NEVER_INLINE bool divide_gmp(digit* quotient, digit* remainder, const digit* a, Py_ssize_t na, const digit* b,
                             Py_ssize_t nb) {
  Py_ssize_t la = limbs_for(na);
  Py_ssize_t lb = limbs_for(nb);
  Scratch<Limb, 192> memory(la + lb + (la + 1) + lb);
  if (!memory) return false;
  Limb* x = memory.get();
  Limb* y = x + la;
  Limb* q = y + lb;
  Limb* r = q + la + 1;
  pack(x, a, na);
  pack(y, b, nb);
  while (y[lb - 1] == 0) lb--;
  while (la > lb && x[la - 1] == 0) la--;
  mpn_tdiv_qr(q, r, 0, x, la, y, lb);
  unpack(quotient, na - nb + 1, q, la - lb + 1);
  unpack(remainder, nb, r, lb);
  return true;
}

}  // namespace

bool divide(digit* quotient, digit* remainder, const digit* a, Py_ssize_t na, const digit* b, Py_ssize_t nb) {
  if (nb < kGmpDivideThreshold || na - nb < kGmpDivideThreshold) {
    return divide_schoolbook(quotient, remainder, a, na, b, nb);
  }
  return divide_gmp(quotient, remainder, a, na, b, nb);
}

void shift_left(digit* out, const digit* a, Py_ssize_t na, size_t shift) {
  const Py_ssize_t words = static_cast<Py_ssize_t>(shift / kDigitBits);
  const int bits = static_cast<int>(shift % kDigitBits);
  memset(out, 0, static_cast<size_t>(words) * sizeof(digit));
  twodigits carry = 0;
  for (Py_ssize_t i = 0; i < na; i++) {
    carry |= static_cast<twodigits>(a[i]) << bits;
    out[words + i] = static_cast<digit>(carry & PyLong_MASK);
    carry >>= kDigitBits;
  }
  out[words + na] = static_cast<digit>(carry);
}

}  // namespace digits
}  // namespace pyston
