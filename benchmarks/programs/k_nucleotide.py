"""Counts of DNA subsequences (string slices as dict keys)."""
from collections import defaultdict


def sequence(length):
    seed, out = 42, []
    for _ in range(length):
        seed = (seed * 3877 + 29573) % 139968
        out.append("ACGT"[seed * 4 // 139968])
    return "".join(out)


def frequencies(text, size):
    counts = defaultdict(int)
    for i in range(len(text) - size + 1):
        counts[text[i:i + size]] += 1
    return counts


text = sequence(600_000)
for size in (1, 2):
    counts = frequencies(text, size)
    for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"{key} {100 * count / sum(counts.values()):.3f}")
for size in (4, 6, 8, 12):
    counts = frequencies(text, size)
    print(size, len(counts), max(counts.items(), key=lambda item: (item[1], item[0])))
