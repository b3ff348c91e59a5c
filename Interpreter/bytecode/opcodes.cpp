// The tables behind opcodes.h, and the proof that opcodes.def agrees with the headers of CPython 3.11.
#include "Interpreter/bytecode/opcodes.h"

#include <opcode.h>

namespace pyston {

namespace {
struct Tables {
  OpcodeInfo info[256] = {};
  uint8_t caches[256] = {};
  uint8_t deopt[256] = {};
};

constexpr Tables make_tables() {
  Tables tables;
#define OPCODE(name, number, operand, pops, pushes, cache, family, flags, uops)                       \
  tables.info[number] = {#name, operand, kCacheUnits<cache>, uint8_t(OP_##family), uint8_t(flags)}; \
  tables.deopt[number] = OP_##family;                                                                 \
  if ((OP_##family) == (number)) tables.caches[number] = kCacheUnits<cache>;
#include "Interpreter/bytecode/opcodes.def"
#undef OPCODE
  return tables;
}
constexpr Tables kTables = make_tables();

// EXTRA_OPCODE rows are forms of our own; the header has no number for them.
#define PINNED(name, number) static_assert((name) == (number), "opcode number differs from 3.11's");
#define OPCODE(name, number, operand, pops, pushes, cache, family, flags, uops) PINNED(name, number)
#define EXTRA_OPCODE(name, number, operand, pops, pushes, cache, family, flags, uops)
#include "Interpreter/bytecode/opcodes.def"
#undef OPCODE
#undef EXTRA_OPCODE

// Cache sizes are visible through co_code, dis and .pyc files.
static_assert(kTables.caches[BINARY_SUBSCR] == 4 && kTables.caches[STORE_SUBSCR] == 1);
static_assert(kTables.caches[UNPACK_SEQUENCE] == 1 && kTables.caches[STORE_ATTR] == 4);
static_assert(kTables.caches[LOAD_ATTR] == 4 && kTables.caches[COMPARE_OP] == 2);
static_assert(kTables.caches[LOAD_GLOBAL] == 5 && kTables.caches[BINARY_OP] == 1);
static_assert(kTables.caches[LOAD_METHOD] == 10 && kTables.caches[PRECALL] == 1 && kTables.caches[CALL] == 4);
}  // namespace

#define INFO_ROW(i) kTables.info[i]
#define INFO_ROWS_4(i) INFO_ROW(i), INFO_ROW(i + 1), INFO_ROW(i + 2), INFO_ROW(i + 3)
#define INFO_ROWS_16(i) INFO_ROWS_4(i), INFO_ROWS_4(i + 4), INFO_ROWS_4(i + 8), INFO_ROWS_4(i + 12)
#define INFO_ROWS_64(i) INFO_ROWS_16(i), INFO_ROWS_16(i + 16), INFO_ROWS_16(i + 32), INFO_ROWS_16(i + 48)
const OpcodeInfo kOpcodeInfo[256] = {INFO_ROWS_64(0), INFO_ROWS_64(64), INFO_ROWS_64(128), INFO_ROWS_64(192)};

}  // namespace pyston

namespace {
#define BYTE_ROWS_4(t, i) t[i], t[i + 1], t[i + 2], t[i + 3]
#define BYTE_ROWS_16(t, i) BYTE_ROWS_4(t, i), BYTE_ROWS_4(t, i + 4), BYTE_ROWS_4(t, i + 8), BYTE_ROWS_4(t, i + 12)
#define BYTE_ROWS_64(t, i) BYTE_ROWS_16(t, i), BYTE_ROWS_16(t, i + 16), BYTE_ROWS_16(t, i + 32), BYTE_ROWS_16(t, i + 48)
#define BYTE_ROWS(t) BYTE_ROWS_64(t, 0), BYTE_ROWS_64(t, 64), BYTE_ROWS_64(t, 128), BYTE_ROWS_64(t, 192)
}  // namespace

extern "C" {
const uint8_t _PyOpcode_Caches[256] = {BYTE_ROWS(pyston::kTables.caches)};
const uint8_t _PyOpcode_Deopt[256] = {BYTE_ROWS(pyston::kTables.deopt)};
}
