"""Largest singular value of an infinite matrix by power iteration (function calls, generators, floats)."""
from math import sqrt


def element(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(vector):
    n = range(len(vector))
    return [sum(element(i, j) * vector[j] for j in n) for i in n]


def times_transposed(vector):
    n = range(len(vector))
    return [sum(element(j, i) * vector[j] for j in n) for i in n]


def main(size):
    u = [1.0] * size
    for _ in range(6):
        v = times_transposed(times(u))
        u = times_transposed(times(v))
    print(f"{sqrt(sum(a * b for a, b in zip(u, v)) / sum(b * b for b in v)):.9f}")


main(420)
