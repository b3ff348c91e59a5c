"""DEFLATE decompression in pure Python, checked against zlib."""
import zlib


class Bits:
    def __init__(self, data):
        self.data = data
        self.position = 0
        self.buffer = 0
        self.count = 0

    def take(self, n):
        while self.count < n:
            self.buffer |= self.data[self.position] << self.count
            self.position += 1
            self.count += 8
        value = self.buffer & ((1 << n) - 1)
        self.buffer >>= n
        self.count -= n
        return value


def build(lengths):
    counts = [0] * 16
    for length in lengths:
        counts[length] += 1
    counts[0] = 0
    code, starts = 0, [0] * 16
    for bits in range(1, 16):
        code = (code + counts[bits - 1]) << 1
        starts[bits] = code
    table = {}
    for symbol, length in enumerate(lengths):
        if length:
            table[length, starts[length]] = symbol
            starts[length] += 1
    return table


def symbol_of(bits, table):
    code = length = 0
    while True:
        code = code << 1 | bits.take(1)
        length += 1
        if (length, code) in table:
            return table[length, code]


LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]
LENGTH_BITS = [0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [0]
DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
             4097, 6145, 8193, 12289, 16385, 24577]
DISTANCE_BITS = [0, 0, 0, 0] + [i // 2 for i in range(2, 28)]
ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]


def dynamic_tables(bits):
    literals, distances, codes = bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4
    lengths = [0] * 19
    for i in range(codes):
        lengths[ORDER[i]] = bits.take(3)
    table, lengths = build(lengths), []
    while len(lengths) < literals + distances:
        symbol = symbol_of(bits, table)
        if symbol < 16:
            lengths.append(symbol)
        elif symbol == 16:
            lengths += [lengths[-1]] * (3 + bits.take(2))
        elif symbol == 17:
            lengths += [0] * (3 + bits.take(3))
        else:
            lengths += [0] * (11 + bits.take(7))
    return build(lengths[:literals]), build(lengths[literals:])


def inflate(data):
    bits, out = Bits(data), bytearray()
    final = 0
    while not final:
        final, kind = bits.take(1), bits.take(2)
        if kind == 0:
            bits.take(bits.count % 8)
            length = bits.take(16)
            bits.take(16)
            out += bytes(bits.take(8) for _ in range(length))
            continue
        if kind == 1:
            literal_table = build([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8)
            distance_table = build([5] * 30)
        else:
            literal_table, distance_table = dynamic_tables(bits)
        while (symbol := symbol_of(bits, literal_table)) != 256:
            if symbol < 256:
                out.append(symbol)
                continue
            length = LENGTHS[symbol - 257] + bits.take(LENGTH_BITS[symbol - 257])
            code = symbol_of(bits, distance_table)
            distance = DISTANCES[code] + bits.take(DISTANCE_BITS[code])
            for _ in range(length):
                out.append(out[-distance])
    return bytes(out)


seed, words = 5, []
for _ in range(160_000):
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    words.append(("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu".split())[(seed >> 16) % 12])
text = " ".join(words).encode() + bytes(range(256)) * 4
compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
packed = compressor.compress(text) + compressor.flush()
result = inflate(packed)
print(len(text), result == text, zlib.crc32(result))
