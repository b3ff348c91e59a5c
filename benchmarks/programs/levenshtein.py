"""Edit distances between words (dynamic programming over strings)."""


def distance(a, b):
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]


def words(count):
    seed, out = 7, []
    for _ in range(count):
        letters = []
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        for _ in range(5 + (seed >> 16) % 20):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            letters.append("abcdefghijkl"[(seed >> 16) % 12])
        out.append("".join(letters))
    return out


vocabulary = words(190)
total, closest = 0, (99, "", "")
for i, a in enumerate(vocabulary):
    for b in vocabulary[i + 1:]:
        d = distance(a, b)
        total += d
        closest = min(closest, (d, a, b))
print(total, closest)
