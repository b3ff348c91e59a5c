"""AES-128 encryption in pure Python (bit operations, table lookups)."""


def make_sbox():
    p = q = 1
    sbox = [0] * 256
    while True:
        p = p ^ (p << 1 & 255) ^ (0x1B if p & 128 else 0)
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 255
        if q & 128:
            q ^= 9
        x = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        sbox[p] = (x ^ 0x63) & 255
        if p == 1:
            break
    sbox[0] = 0x63
    return sbox


SBOX = make_sbox()


def double(x):
    x <<= 1
    return x ^ 0x11B if x & 0x100 else x


def expand(key):
    words = [list(key[i:i + 4]) for i in range(0, 16, 4)]
    constant = 1
    for i in range(4, 44):
        word = words[i - 1][:]
        if i % 4 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= constant
            constant = double(constant)
        words.append([a ^ b for a, b in zip(words[i - 4], word)])
    return [sum(words[i:i + 4], []) for i in range(0, 44, 4)]


SHIFT = [0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11]


def encrypt(block, keys):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for round_number in range(1, 11):
        state = [SBOX[state[i]] for i in SHIFT]
        if round_number < 10:
            mixed = []
            for c in range(0, 16, 4):
                a, b, d, e = state[c:c + 4]
                every = a ^ b ^ d ^ e
                mixed += [a ^ every ^ double(a ^ b), b ^ every ^ double(b ^ d), d ^ every ^ double(d ^ e),
                          e ^ every ^ double(e ^ a)]
            state = mixed
        state = [a ^ b for a, b in zip(state, keys[round_number])]
    return bytes(state)


assert encrypt(bytes.fromhex("00112233445566778899aabbccddeeff"), expand(bytes(range(16)))).hex() == \
    "69c4e0d86a7b0430d8cdb78070b4c55a"
keys = expand(b"a secret key 16b")
chain = bytes(16)
for counter in range(18000):
    chain = encrypt(bytes(a ^ b for a, b in zip(chain, counter.to_bytes(16, "big"))), keys)
print(chain.hex())
