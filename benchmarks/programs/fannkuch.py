"""Pancake flips over all permutations (list slicing and indexing)."""


def fannkuch(n):
    permutation = list(range(n))
    count = list(range(1, n + 1))
    checksum = maximum = 0
    index = 0
    remaining = n
    while True:
        while remaining > 1:
            count[remaining - 1] = remaining
            remaining -= 1
        if permutation[0]:
            working = permutation[:]
            flips = 0
            while first := working[0]:
                working[:first + 1] = working[first::-1]
                flips += 1
            maximum = max(maximum, flips)
            checksum += -flips if index & 1 else flips
        while True:
            if remaining == n:
                return checksum, maximum
            permutation.insert(remaining, permutation.pop(0))
            count[remaining] -= 1
            if count[remaining] > 0:
                break
            remaining += 1
        index += 1


print("checksum %d, maximum flips %d" % fannkuch(9))
