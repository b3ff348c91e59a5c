"""Prime sieves: by bytearray slices and by plain loops over a list."""


def slices(n):
    flags = bytearray([1]) * (n + 1)
    flags[0:2] = b"\0\0"
    for i in range(2, int(n ** 0.5) + 1):
        if flags[i]:
            flags[i * i::i] = bytes(len(range(i * i, n + 1, i)))
    return [i for i, f in enumerate(flags) if f]


def loops(n):
    flags = [True] * (n + 1)
    primes = []
    for i in range(2, n + 1):
        if flags[i]:
            primes.append(i)
            j = i * i
            while j <= n:
                flags[j] = False
                j += i
    return primes


a = slices(6_000_000)
b = loops(4_000_000)
print(len(a), a[-1], sum(a) % 1_000_007, len(b), b[-1], sum(b) % 1_000_007)
