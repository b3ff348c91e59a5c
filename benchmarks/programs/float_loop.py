# The loop of int_loop.py over floats.
def loop(i, n):
    s = 0.0
    while i < n:
        i += 1.0
        s += i * i % 7.0
    return s


print(loop(0.0, 4_000_000.0), loop(1e9, 1e9 + 2_000_000.0))
