"""Knapsack and coin change by dynamic programming, with an LRU-cached recursive variant."""
from functools import lru_cache


def items(count):
    seed = 3
    for _ in range(count):
        seed = (seed * 69069 + 1) & 0xFFFFFFFF
        yield 5 + (seed >> 20) % 60, 10 + (seed >> 12) % 200


def knapsack(things, capacity):
    best = [0] * (capacity + 1)
    for weight, value in things:
        for room in range(capacity, weight - 1, -1):
            candidate = best[room - weight] + value
            if candidate > best[room]:
                best[room] = candidate
    return best[capacity]


@lru_cache(maxsize=None)
def ways(amount, coins):
    if amount == 0:
        return 1
    if amount < 0 or not coins:
        return 0
    return ways(amount - coins[-1], coins) + ways(amount, coins[:-1])


things = list(items(2400))
print(knapsack(things, 4000))
for target in range(200, 2401, 200):
    print(target, ways(target, (1, 2, 5, 10, 20, 50, 100, 200)))
print(ways.cache_info())
