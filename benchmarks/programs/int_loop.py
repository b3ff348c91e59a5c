# A while loop over ints below 2**62: what the trace compiler was first built for.
def loop(i, n):
    s = 0
    while i < n:
        i += 1
        s += i * i % 7
    return s


print(loop(0, 6_000_000), loop(2**30, 2**30 + 3_000_000), loop(2**31 - 3_000_000, 2**31 - 1))
