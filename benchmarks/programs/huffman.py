"""Huffman coding (heapq, dicts, bit strings)."""
import heapq
from collections import Counter


def codes_of(frequencies):
    heap = [(count, symbol, None) for symbol, count in sorted(frequencies.items())]
    heapq.heapify(heap)
    serial = 256
    while len(heap) > 1:
        a, b = heapq.heappop(heap), heapq.heappop(heap)
        heapq.heappush(heap, (a[0] + b[0], serial, (a, b)))
        serial += 1
    codes = {}

    def walk(node, prefix):
        _, symbol, children = node
        if children is None:
            codes[symbol] = prefix or "0"
        else:
            walk(children[0], prefix + "0")
            walk(children[1], prefix + "1")

    walk(heap[0], "")
    return codes


def decode(bits, codes):
    table = {code: symbol for symbol, code in codes.items()}
    out = bytearray()
    code = ""
    for bit in bits:
        code += bit
        if code in table:
            out.append(table[code])
            code = ""
    return bytes(out)


seed, data = 1, bytearray()
for _ in range(500_000):
    seed = (seed * 16807) % 2147483647
    data.append((seed % 64) & (seed >> 8) % 64 & 63)
codes = codes_of(Counter(data))
bits = "".join([codes[b] for b in data])
print(len(codes), len(bits), bits[:64])
for _ in range(3):
    assert decode(bits, codes) == data
print(sorted((len(c), s) for s, c in codes.items())[:8])
