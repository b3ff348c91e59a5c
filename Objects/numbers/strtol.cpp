// PyOS_strtoul and PyOS_strtol: C integers in Python's notation (0x, 0o, 0b prefixes), errno = ERANGE on overflow.
#include <cerrno>
#include <climits>

#include "Runtime/refs/ref.h"
#include "pycore_long.h"

namespace {

/// Reads a number in the given base (0: from its prefix). *end is where reading stopped, `text` when there is none.
unsigned long read_unsigned(const char* text, char** end, int base) {
  const char* p = text;
  while (Py_ISSPACE(*p)) p++;
  const char prefix = p[0] == '0' ? static_cast<char>(Py_TOLOWER(p[1])) : '\0';
  const int prefix_base = prefix == 'x' ? 16 : (prefix == 'o' ? 8 : (prefix == 'b' ? 2 : 0));
  if (end != nullptr) *end = const_cast<char*>(text);
  if (base != 0 && (base < 2 || base > 36)) return 0;
  if (prefix_base != 0 && (base == 0 || base == prefix_base)) {
    if (_PyLong_DigitValue[Py_CHARMASK(p[2])] >= prefix_base) {
      // "0x" without digits: nothing was read, but the zero.
      if (end != nullptr) *end = const_cast<char*>(p + 1);
      return 0;
    }
    base = prefix_base;
    p += 2;
  } else if (base == 0) {
    if (*p == '0') {  // only zeros may follow a leading zero
      while (*p == '0') p++;
      while (Py_ISSPACE(*p)) p++;
      if (end != nullptr) *end = const_cast<char*>(p);
      return 0;
    }
    base = 10;
  }
  unsigned long value = 0;
  bool overflow = false;
  const char* first = p;
  for (; _PyLong_DigitValue[Py_CHARMASK(*p)] < base; p++) {
    overflow |= __builtin_mul_overflow(value, static_cast<unsigned long>(base), &value);
    overflow |= __builtin_add_overflow(value, static_cast<unsigned long>(_PyLong_DigitValue[Py_CHARMASK(*p)]), &value);
  }
  if (end != nullptr && p > first) *end = const_cast<char*>(p);
  if (!overflow) return value;
  errno = ERANGE;
  return ULONG_MAX;
}

}  // namespace

unsigned long PyOS_strtoul(const char* text, char** end, int base) { return read_unsigned(text, end, base); }

long PyOS_strtol(const char* text, char** end, int base) {
  while (Py_ISSPACE(*text)) text++;
  const char sign = *text;
  if (sign == '+' || sign == '-') text++;
  const unsigned long magnitude = read_unsigned(text, end, base);
  if (magnitude <= static_cast<unsigned long>(LONG_MAX)) {
    return sign == '-' ? -static_cast<long>(magnitude) : static_cast<long>(magnitude);
  }
  if (sign == '-' && magnitude == static_cast<unsigned long>(LONG_MAX) + 1) return LONG_MIN;
  errno = ERANGE;
  return LONG_MAX;
}
