# list and tuple: slicing, growth, comparison, errors, iterators; sorting of every key kind.
import sys

def attempt(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return f'{type(error).__name__}: {error}'

l = list(range(10))
l[2:5] = 'ab'
l[::3] = [None] * len(l[::3])
print(l, l[::-2], l[5:1], l[-3:], l[8:0:-3])
del l[::2]
print(l, attempt(lambda: l[99]), attempt(l.__setitem__, 99, 1), attempt(l.__getitem__, 'x'), attempt(l.__delitem__, 50))
print(attempt(l.__setitem__, slice(0, 4, 2), [1]), attempt(l.__setitem__, slice(0, 1), 5), attempt(lambda: l + (1,)))
l.extend(l)
l.insert(-1, 'x')
l.insert(100, 'end')
l += (7, 8)
print(l, l.count(None), l.index('end'), attempt(l.index, 'nope'), attempt(l.remove, 'nope'), attempt([].pop), attempt([1].pop, 3))
l *= 2
print(len(l), l * 0, [1, 2] * 3, 2 * [None], attempt(lambda: [1] * 'a'), attempt(lambda: [1] * (1 << 62)))
l.reverse()
print(l.pop(), l.pop(0), l.pop(-2), l[:3])
l.clear()
print(l, [1, 2] < [1, 3], [1, 2] < [1], [1] == [1.0], [float('nan')] == [float('nan')], attempt(lambda: [1] < ['a']))
it = iter([1, 2, 3])
next(it)
print(it.__length_hint__(), it.__reduce__()[1:], list(it), list(reversed([1, 2, 3])), attempt(next, it))
r = []
r.append(r)
print(r, (r,), [sys.getsizeof([0] * n) for n in (0, 1, 5, 9)])
grown = []
sizes = []
for i in range(70):
    grown.append(i)
    sizes.append(sys.getsizeof(grown))
print(sizes)
print(attempt(list, 1), attempt(list, 1, 2), attempt(lambda: list(x=1)), list('abc'), list({1: 2}), attempt(hash, []))
t = (1, 'a', None)
print(t + (2,), t * 2, t[1:], t[::-1], t[0:99], t.index('a'), t.count(1), attempt(t.index, 9), attempt(lambda: t + [1]), attempt(lambda: t[7]))
print((), (1,), (1, (2, ())), tuple('ab'), tuple([1]), attempt(tuple, 5), (1, 2) < (1, 3), (1,) < (1, 0), () == ())
print([hash(v) for v in ((), (1,), (1, 2), (1, (2, 3)), (0.5, None is None))], attempt(hash, ([],)))
class T(tuple):
    def __new__(cls, *args): return super().__new__(cls, args)
print(T(1, 2), type(T(1) + (2,)).__name__, T(1, 2)[:], type(T(1, 2)[:]).__name__)

print(sorted([3, 1, 2]), sorted('hello'), sorted([2.5, -1.0, 0.0]), sorted([10**30, 5, -10**30]), sorted([(2, 'b'), (1, 'z'), (2, 'a')]))
print(sorted(['b', 'a\u00e9', 'a', 'ab', '', 'abcdefghi', 'abcdefgh', 'abcdefghh', '\u20ac']), sorted([True, 3, 2.5, False]))
print(sorted([1, 2, 3, 4], reverse=True), sorted('bca', key=str.upper, reverse=True), attempt(sorted, [1, 'a']), attempt(sorted, [1], 2))
words = ['bb', 'a', 'cc', 'ddd', 'b', 'aaa']
print(sorted(words, key=len), sorted(words, key=len, reverse=True))
x = 12345
data = []
for _ in range(3000):
    x = (x * 1103515245 + 12345) % 2**31
    data.append(x % 1000)
for make in (lambda v: v, float, str, lambda v: (v % 7, v), lambda v: v * 10**20, lambda v: [v]):
    values = [make(v) for v in data]
    s = sorted(values)
    print(all(not s[i + 1] < s[i] for i in range(len(s) - 1)), s[:2], s[-1], s[::-1] == sorted(values, reverse=True) or 'stable')
pairs = [(v % 10, i) for i, v in enumerate(data)]
s = sorted(pairs, key=lambda p: p[0])
print(all(s[i][0] < s[i + 1][0] or s[i][1] < s[i + 1][1] for i in range(len(s) - 1)))
count = 0
class C:
    def __init__(self, v): self.v = v
    def __lt__(self, other):
        global count
        count += 1
        return self.v < other.v
for n in (10, 100, 3000):
    count = 0
    s = sorted(C(v) for v in data[:n])
    print(n, count, [c.v for c in s[:3]])
count = 0
s = sorted(C(v) for v in list(range(500)) + list(range(250)))
print(count)
class Bad:
    def __init__(self, v): self.v = v
    def __lt__(self, other):
        if self.v == 77: raise ValueError('bad')
        return self.v < other.v
bad = [Bad(v) for v in range(200, 0, -1)] + [Bad(v) for v in range(150)]
print(attempt(bad.sort), len(bad), sorted(b.v for b in bad) == sorted(list(range(200, 0, -1)) + list(range(150))))
mutated = [3, 1, 2]
print(attempt(mutated.sort, key=lambda v: mutated.append(v) or v), mutated)
