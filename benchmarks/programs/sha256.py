"""SHA-256 in pure Python, checked against hashlib (32-bit arithmetic on ints)."""
import hashlib


def primes(count):
    found = []
    n = 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def fraction_bits(value, root):
    low, high = 0, 1 << 40
    scaled = value << (32 * root)
    while low < high:
        middle = (low + high + 1) >> 1
        if middle ** root <= scaled:
            low = middle
        else:
            high = middle - 1
    return low & 0xFFFFFFFF


K = [fraction_bits(p, 3) for p in primes(64)]
START = [fraction_bits(p, 2) for p in primes(8)]


def rotate(x, n):
    return (x >> n | x << (32 - n)) & 0xFFFFFFFF


def sha256(message):
    length = len(message) * 8
    message += b"\x80" + bytes((55 - len(message)) % 64) + length.to_bytes(8, "big")
    state = START[:]
    for start in range(0, len(message), 64):
        w = [int.from_bytes(message[start + i:start + i + 4], "big") for i in range(0, 64, 4)]
        for i in range(16, 64):
            s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3
            s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10
            w.append((w[i - 16] + s0 + w[i - 7] + s1) & 0xFFFFFFFF)
        a, b, c, d, e, f, g, h = state
        for i in range(64):
            s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
            t1 = h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]
            s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
            t2 = s0 + ((a & b) ^ (a & c) ^ (b & c))
            h, g, f, e, d, c, b, a = g, f, e, (d + t1) & 0xFFFFFFFF, c, b, a, (t1 + t2) & 0xFFFFFFFF
        state = [(x + y) & 0xFFFFFFFF for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in state)


data = bytes(i * 7 & 255 for i in range(330_000))
digest = sha256(data)
print(digest.hex(), digest == hashlib.sha256(data).digest())
