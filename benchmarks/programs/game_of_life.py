"""Conway's life on a set of cells (tuples in sets and a Counter)."""
from collections import Counter


def step(cells):
    counts = Counter((x + dx, y + dy) for x, y in cells for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy)
    return {cell for cell, n in counts.items() if n == 3 or (n == 2 and cell in cells)}


cells = {(0, 0), (1, 0), (2, 0), (1, 2), (0, 1)} | {(20, 20), (21, 20), (22, 20), (22, 19), (21, 18)}
cells |= {(10, 10), (10, 11), (11, 9), (11, 11), (12, 10), (9, 10), (13, 12)}
for generation in range(14000):
    if generation % 1000 == 0:
        print(generation, len(cells), sum(x * 31 + y * 17 for x, y in cells))
    cells = step(cells)
print(len(cells))
