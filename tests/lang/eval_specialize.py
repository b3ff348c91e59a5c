# Every specialised instruction with the operands it was made for, then with others, then with the first ones again.
import sys
def arithmetic(values):
    out = []
    for a, b in values:
        try:
            out.append((a + b, a - b, a * b))
            out.append((a / b, a // b, a % b))
            out.append((a < b, a <= b, a == b, a != b, a > b, a >= b))
            out.append((a & b, a | b, a ^ b, a << (b & 63), a >> (b & 63)))
        except (TypeError, ZeroDivisionError, OverflowError) as error:
            out.append(str(error))
    return out
ints = [(i, j) for i in (0, 1, -1, 5, 256, 257, -6, 2**29, 2**30, -2**30, 2**59, 2**60, -2**60, 2**63, 10**30)
        for j in (1, -1, 3, -7, 2**30, 2**31, 2**60, 10**20, 0)]
floats = [(x, y) for x in (0.0, -0.0, 1.5, -2.25, 1e300, float("inf"), float("nan")) for y in (1.0, -3.5, 0.0, 1e-300)]
mixed = [(1, 2.5), (2.5, 1), (10**20, 1.5), (1.5, 10**20), (True, 2), (2, True), (0.5, True), (1.5, 0), (3, 0.0)]
for _ in range(3):
    for group in (ints, floats, mixed, ints):
        result = arithmetic(group)
        print(hash(str(result)) == hash(str(arithmetic(group))), str(result[::17]))
def in_place(n):
    i, x, s, keep = 1000, 1.5, "", []
    for k in range(n):
        old_i, old_x = i, x
        i = i + 300
        x = x + 0.5
        i += k
        x *= 1.001
        s += "ab"
        s = s + str(k)
        keep.append((old_i, i, old_x))
    return i, x, s[-6:], keep[0], keep[-1]
print(in_place(50))
def aliases(n):
    a = 100000
    seen = []
    for _ in range(n):
        b = a
        a = a + 1
        seen.append(b)
    return seen[:3], seen[-3:], a
print(aliases(40))
def loop_variable(n):
    kept = []
    for i in range(1000, 1000 + n):
        if i % 7 == 0: kept.append(i)
    return kept, i
print(loop_variable(50))
def nested(n):
    total = 0
    for i in range(300, 300 + n):
        for j in range(i, i + 5):
            total += i * j
    return total, i, j
print(nested(20))
class Values:
    shared = "class"
    def __init__(self, n): self.a = n; self.b = 2
    def method(self): return self.a
class Slots:
    __slots__ = ("a", "b")
    def __init__(self, n): self.a = n; self.b = 3
    def method(self): return self.a + 1
class WithGetattr:
    def __init__(self, n): self.a = n
    def __getattr__(self, name): return "missing " + name
    def method(self): return self.b
class Computed:
    @property
    def a(self): return "computed"
    @a.setter
    def a(self, value): pass
    def method(self): return "m"
def read(objects):
    out = []
    for o in objects:
        try:
            o.a = o.a
            out.append((o.a, o.method(), getattr(o, "shared", None)))
        except AttributeError as error:
            out.append(str(error))
    return out
many = [Values(i) for i in range(20)] + [Slots(1)] * 20 + [WithGetattr(4)] * 20 + [Computed()] * 20 + [Values(9)]
many[3].__dict__["c"] = 1
many[5].method = lambda: "instance"
print(read(many)[::5], read(many[::-1])[::7])
def shared_of(objects): return [o.shared for o in objects]
vs = [Values(i) for i in range(30)]
print(shared_of(vs)[-1]); vs[10].shared = "own"; print(shared_of(vs)[9:12]); Values.shared = "changed"; print(shared_of(vs)[9:12])
del vs[10].shared; print(shared_of(vs)[9:12])
s = Slots(1)
del s.a
for _ in range(12):
    try: s.a
    except AttributeError as e: text = str(e)
print(text)
counter = 0
def bump():
    global counter
    counter += 1
    return len("x" * counter)
for _ in range(30): bump()
print(counter)
saved = len
def patched(): return [len("abc") for _ in range(3)]
for _ in range(20): patched()
import builtins
builtins.len = lambda x: "patched"
print(patched()); builtins.len = saved; print(patched())
len = lambda x: "global"
print(patched()); del len; print(patched())
def containers(c, keys):
    out = []
    for k in keys:
        try: out.append((c[k], k in c))
        except (IndexError, KeyError, TypeError) as error: out.append(type(error).__name__)
    return out
print(containers([1, 2, 3], [0, -1, 2, 3, -4, True, 2**40, "x"] * 2)[:8])
print(containers((1, 2, 3), [0, -1, 2, 3, -4, True, 2**40, "x"] * 2)[:8])
print(containers("añb"[:1] + "bc", [0, -1, 2, 3, -4] * 4)[:5], containers("añb", [0, 1, -1] * 4)[:3])
print(containers({"a": 1}, ["a", "b", []] * 4)[:3])
def store(target, keys):
    for k in keys:
        try: target[k] = k
        except (IndexError, TypeError) as error: print(type(error).__name__, error)
    return target
print(store([0] * 5, [0, 1, -1, 2, 9]), store({}, ["a", "b", 1]), store([0] * 3, [0, 1] * 20))
def unpack(items):
    out = []
    for item in items:
        try:
            a, b = item
            out.append((a, b))
        except (ValueError, TypeError) as error: out.append(str(error))
    return out
print(unpack([(1, 2)] * 12 + [[3, 4]] * 3 + ["xy", (1,), (1, 2, 3), 5, {1: 1, 2: 2}]))
def iterate(sources): return [[x for x in s] for s in sources]
print(iterate([[1, 2], (3, 4), range(3), "ab", {5: 6}, iter([7]), range(2**70, 2**70 + 2), [1, 2]]))
def calls(functions, x):
    return [f(x) for f in functions]
print(str(calls([str, len, tuple, type, repr, list, ",".join, [].append, Values] * 2, "ab"))[:60])
def compares(pairs): return [("lt" if a < b else "ge") + ("eq" if a == b else "ne") for a, b in pairs]
print(compares([(1, 2), (2, 1), (1.0, 2.0), ("a", "a"), ("a", "b"), (1, 1.0), (2**70, 2**70), (float("nan"), 1.0)] * 3))
def while_loop(n):
    i = 0
    while i < n: i += 1
    x = 0.0
    while x < n: x += 1.0
    return i, x
print(while_loop(1000))
class Proxy:
    """A getter's AttributeError reaches __getattr__, however often the read has run."""
    def __init__(self, target): self.target = target
    def __getattr__(self, name): return getattr(self.target, name)
    @property
    def inner(self): return self.missing
    @property
    def options(self): return self.inner.options
class Target: options = 5
def reads(objects): return [o.options for o in objects]
print(set(reads([Proxy(Target)] * 40)))
class Late:
    @property
    def options(self): return self.absent
def late(objects):
    out = []
    for o in objects:
        try: out.append(o.options)
        except AttributeError as error: out.append(str(error))
    return out
print(set(late([Late()] * 40)))
Late.__getattr__ = lambda self, name: name
print(set(late([Late()] * 40)))
