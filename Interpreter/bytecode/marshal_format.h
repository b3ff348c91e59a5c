// Type codes of the marshal format, version 4 (that of .pyc files), shared by reader and writer.
#pragma once

namespace pyston::marshal {

enum TypeCode : unsigned char {
  kNull = '0',
  kNone = 'N',
  kFalse = 'F',
  kTrue = 'T',
  kStopIteration = 'S',
  kEllipsis = '.',
  kInt = 'i',
  kInt64 = 'I',  // read only: nobody writes it any more
  kFloat = 'f',
  kBinaryFloat = 'g',
  kComplex = 'x',
  kBinaryComplex = 'y',
  kLong = 'l',
  kBytes = 's',
  kInterned = 't',
  kReference = 'r',
  kTuple = '(',
  kList = '[',
  kDict = '{',
  kCode = 'c',
  kUnicode = 'u',
  kUnknown = '?',
  kSet = '<',
  kFrozenSet = '>',
  kAscii = 'a',
  kAsciiInterned = 'A',
  kSmallTuple = ')',
  kShortAscii = 'z',
  kShortAsciiInterned = 'Z',
};

/// Set in a type code: the object gets the next reference number.
inline constexpr int kReferenceFlag = 0x80;
/// Nesting that reader and writer follow on the C stack.
inline constexpr int kMaxDepth = 2000;
/// Digits of ints are written in base 2 ** 15, whatever the digits in memory.
inline constexpr int kDigitBits = 15;
inline constexpr int kDigitMask = (1 << kDigitBits) - 1;
inline constexpr int kDigitRatio = PyLong_SHIFT / kDigitBits;

}  // namespace pyston::marshal
