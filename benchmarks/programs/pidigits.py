"""Digits of pi by a spigot (big integer multiplication and division)."""


def digits():
    q, r, t, k, n, l = 1, 0, 1, 1, 3, 3
    while True:
        if 4 * q + r - t < n * t:
            yield n
            q, r, n = 10 * q, 10 * (r - n * t), (10 * (3 * q + r)) // t - 10 * n
        else:
            q, r, t, k, n, l = (q * k, (2 * q + r) * l, t * l, k + 1, (q * (7 * k + 2) + r * l) // (t * l), l + 2)


source = digits()
line = ""
for position in range(1, 3501):
    line += str(next(source))
    if position % 50 == 0:
        print(line, position)
        line = ""
