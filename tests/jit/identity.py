# A compiled loop keeps which variables are one object, and the lifetime of what they held before.
import sys


def same_result(n):
    a = b = 1000
    i = 0
    while i < n:
        a = a + i
        b = a
        i += 1
    return a is b, a == b


def equal_results(n):
    a = b = 1000
    i = 0
    while i < n:
        a = i + 100000
        b = i + 100000
        i += 1
    return a is b, a == b


def keeps_argument(x, n):
    y = x
    i = 0
    while i < n:
        y = x
        i += 1
    return y is x


def rotates(n):
    a, b, c = 1000.5, 2000.5, 3000.5
    originals = (a, b, c)
    i = 0
    while i < n:
        a, b, c = b, c, a
        i += 1
    return [originals.index(v) for v in (a, b, c)], [any(v is o for o in originals) for v in (a, b, c)]


def delayed(n):
    a = b = c = 0.5
    seen = []
    i = 0
    while i < n:
        c = b
        b = a
        a = a + 1.0
        i += 1
    return a is b, b is c, a, b, c


def constant(n):
    k = 77777
    x = 0
    i = 0
    while i < n:
        x = k
        k = 77777
        i += 1
    return x is k


def small(n):
    x = 0
    i = 0
    while i < n:
        x = i % 10
        y = i % 10
        i += 1
    return x is y


def plus_zero(n):
    x = 123456.0
    y = x
    i = 0
    while i < n:
        x = x + 0.0
        i += 1
    return x is y


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("dropped", self.name)


def replaced(n):
    x = Noisy("first")
    y = None
    for i in range(n):
        x = i
        if i == 0:
            print("after first store")
        y = x
    return x, y


def in_turn(n):
    total = 0
    for i in range(n):
        x = Noisy(i) if i % 40 == 5 else i
        total += i
        x = total
    return total


def locals_seen(n):
    total = 0
    seen = []
    for i in range(n):
        total += i * 3
        if i % 50 == 0:
            frame_locals = sys._getframe().f_locals
            seen.append((frame_locals["total"], frame_locals["i"]))
    return seen


def reference_counts(n):
    x = 12345.75
    before = sys.getrefcount(x)
    i = 0
    y = z = 0.0
    while i < n:
        y = x
        z = y
        i += 1
    return sys.getrefcount(x) - before


def list_identity(n):
    box = [1000.5]
    x = box[0]
    i = 0
    while i < n:
        x = box[0]
        i += 1
    return x is box[0]


def list_items(n):
    items = [float(i) for i in range(100)]
    shared = items[:]
    i = 0
    while i < n:
        k = i % 100
        items[k] = items[k] * 1.5 + 1.0
        i += 1
    return sum(items), sum(shared), items[0] is shared[0]


for f in (same_result, equal_results, rotates, delayed, constant, small, plus_zero, replaced, in_turn, locals_seen,
          reference_counts, list_identity, list_items):
    for n in (1, 2, 3, 4, 7, 100, 101, 102, 3000):
        print(f.__name__, n, f(n))
print(keeps_argument(99999, 500), keeps_argument(0.5, 500), keeps_argument("s", 500))
