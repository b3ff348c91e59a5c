# Loops over ints and floats: type changes, overflow, division by zero and odd values in the middle of a compiled loop.
import math


def ints(n):
    i = s = 0
    while i < n:
        i += 1
        s += i * i % 7
    return i, s


def floats(n):
    i = s = 0.0
    while i < n:
        i += 1.0
        s += i * i % 7.0
    return i, s


def big_squares(start, n):
    s = 0
    i = start
    end = start + n
    while i < end:
        i += 1
        s += i * i % 7
    return i, s


def grows(start, factor, n):
    x = start
    values = []
    for i in range(n):
        x = x * factor + i
    values.append(x)
    return values


def changes_type(n):
    x = 0
    for i in range(n):
        if i == n // 2:
            x = x + 0.5
        x = x + i
    return x


def adds_anything(values):
    total = values[0]
    for i in range(1, len(values)):
        total = total + values[i]
    return total


def collects(function, arguments):
    out = []
    for argument in arguments:
        try:
            out.append(function(*argument))
        except Exception as error:
            out.append((type(error).__name__, str(error)))
    return out


def divide_down(start, step, how):
    x = 1000
    d = start
    for i in range(5000):
        if how == 0:
            x = 1000 // d
        elif how == 1:
            x = 1000 % d
        else:
            x = 1000 / d
        d -= step
    return x, d


def float_edges(values, divisors):
    out = []
    for d in divisors:
        s = 0.0
        for v in values:
            x = v
            k = 0
            while k < 30:
                y = x % d
                z = x // d
                q = x / d
                k += 1
            out.append((y, z, q, math.copysign(1.0, y), math.copysign(1.0, z)))
    return out


def int_edges(values, divisors):
    out = []
    for d in divisors:
        for v in values:
            k = 0
            while k < 30:
                y = v % d
                z = v // d
                q = v / d
                a = v & d
                o = v | d
                e = v ^ d
                m = -v
                n = ~v
                k += 1
            out.append((y, z, q, a, o, e, m, n))
    return out


def shifts(n):
    out = []
    x = 1
    for i in range(n):
        x = x << 1
        y = x >> 3
        if i % 10 == 0:
            out.append((x, y))
    return out


def shift_amount(start):
    k = start
    total = 0
    while k > -3:
        total += 5 << k
        k -= 1
    return total


def compare_chain(n):
    hits = 0
    i = 0
    while i < n:
        if 3 < i % 10 <= 7:
            hits += 1
        if i % 2 == 0 and i % 3 == 0 or i % 5 == 4:
            hits += 10
        if not i % 4:
            hits += 100
        i += 1
    return hits


def mixed(n):
    x = 0
    y = 1.5
    for i in range(n):
        x += i
        y = y * 1.0000001 + i / 3 - x % 7 * 0.25
    return x, y


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def collatz(limit):
    best = 0
    for start in range(1, limit):
        n = start
        steps = 0
        while n != 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            steps += 1
        if steps > best:
            best = steps
    return best


def booleans(n):
    flag = False
    count = 0
    i = 0
    while i < n:
        flag = i % 3 == 0
        if flag:
            count += 1
        i += 1
    return flag, count, flag is False


def negative_steps(n):
    total = 0
    for i in range(n, -n, -3):
        total += i
    return total, i


for f, n in ((ints, 10000), (floats, 10000.0), (compare_chain, 5000), (mixed, 5000), (fibonacci, 400), (collatz, 600),
             (booleans, 4000), (negative_steps, 5000), (changes_type, 5000), (shifts, 200)):
    print(f.__name__, f(n))
for start in (0, 2**30 - 50, 2**31 - 500, 2**31, 2**32 - 100, 2**60 - 100, 2**62 - 100, 2**63 - 100, -2**63 - 100):
    print(start, big_squares(start, 3000))
for factor in (2, 3, -1, -2, 10, 2**20, 1.5, -0.5):
    print(factor, grows(1, factor, 200))
print(adds_anything(list(range(1000)) + [0.5] * 1000 + [2**70] * 500 + [1 + 2j] * 100))
print(adds_anything([0.25] * 1000 + [True] * 1000 + list(range(2**62, 2**62 + 1000))))
print(adds_anything([str(i) for i in range(300)]))
for how in range(3):
    print(collects(divide_down, [(4000, 1, how), (3000, 1, how), (3000.0, 1.0, how), (-10, 1, how), (2500, 0.5, how)]))
edges = [0.0, -0.0, 1.0, -1.0, 0.1, -0.1, 7.5, -7.5, 1e15, 1e16 + 2, -1e17, 1e300, -1e300, 5e-324, -5e-324, 2.2e-308, 1e-200,
         math.inf, -math.inf, math.nan, 3.0000000000000004, 2.9999999999999996, 6.0, 9007199254740993.0]
for row in float_edges(edges, [d for d in edges if d != 0.0]):
    print(*row)
int_values = [0, 1, -1, 2, 7, -7, 255, 256, 257, -5, -6, 2**30 - 1, 2**30, -2**30, 2**31, 2**32 - 1, 2**32, 2**53 + 1, -2**60, 2**60 - 1,
              2**60, 2**62, -2**62, 2**63 - 1, -2**63, 2**63, 2**64 + 3]
for row in int_edges(int_values, [v for v in int_values if v]):
    print(*row)
print(collects(shift_amount, [(100,), (62,), (70,)]))
