"""Scalar loops over numpy: float64 and int64 arithmetic, indexing, item assignment, comparisons, conversions."""
import numpy as np


def float_arithmetic(count):
    step = np.float64(0.5)
    total = np.float64(0.0)
    for _ in range(count):
        total = total + step * step - step / 4.0
    return total


def integer_arithmetic(count):
    mask = np.int64(1023)
    total = np.int64(1)
    for _ in range(count):
        total = ((total << 1) ^ 5) & mask
    return total


def prefix_sums(count):
    values = np.arange(1000, dtype=float)
    sums = np.zeros(1000)
    for _ in range(count // 1000):
        running = 0.0
        for i in range(1000):
            running += values[i]
            sums[i] = running
    return sums[-1]


def grid(count):
    cells = np.zeros((40, 40), dtype=np.int64)
    for i in range(count):
        cells[i % 40, i * 7 % 40] += i
    return int(cells.sum())


def comparisons(count):
    values = np.linspace(0.0, 1.0, 1000)
    above = 0
    for _ in range(count // 1000):
        for value in values:
            if value > 0.25 and float(value) < 0.75:
                above += 1
    return above


print(float_arithmetic(400000), integer_arithmetic(400000), prefix_sums(400000), grid(300000), comparisons(400000))
