# set and frozenset: order of iteration, algebra, errors, hashing.
def attempt(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return f'{type(error).__name__}: {error}'

s = {5, 1, 99, 33, 8, 17, 1024, -1, -2}
# (No None among the elements: its hash is its address.)
print(s, list(s), frozenset(s), set(), frozenset(), {"n", True, 0} - {0})
big = set(range(0, 5000, 7))
print(list(big)[:20], len(big), sum(big))
for i in range(0, 5000, 14):
    big.discard(i)
print(list(big)[:20], [big.pop() for _ in range(10)])
a, b = {1, 2, 3, 10, 20}, {3, 2, 40, 50}
print(a | b, a & b, a - b, a ^ b, a <= b, a < a, a >= {1}, a == {20, 10, 3, 2, 1}, a.isdisjoint({7}), a.isdisjoint([1]))
print(a.union([7, 8], 'x'), a.intersection([1, 2], {2}), a.difference([1], {2: 0}), a.symmetric_difference([1, 77]))
c = set(a)
c |= b; print(c)
c &= {3, 2, 1, 50}; print(c)
c -= {1}; print(c)
c ^= {2, 9}; print(c)
c.update([1, 1, 5], (6,)); print(c)
c.intersection_update([1, 5, 6, 7]); print(c)
c.difference_update({5}, [6]); print(c)
c.symmetric_difference_update({1: 2, 30: 3}); print(c)
print(attempt(a.remove, 1000), attempt(a.add, []), attempt(set().pop), attempt(lambda: a | [1]), attempt(lambda: a < [1]))
print(attempt(set, 5), attempt(set, [[]]), attempt(lambda: set(x=1)), attempt(lambda: frozenset(x=1)), attempt(hash, set()))
print({1, 2} in {frozenset({1, 2})}, attempt({frozenset({3})}.remove, {3}), [] is None)
print(hash(frozenset()), hash(frozenset({1, 2, 3})), hash(frozenset(range(100))), frozenset({1}) == {1}, type(frozenset({1}) | {2}).__name__, type({2} | frozenset({1})).__name__)
class S(set): pass
class F(frozenset): pass
print(S([1]) | {2}, type(S([1]) | {2}).__name__, type(S([1]).copy()).__name__, F([1]), F([1]).copy() == F([1]), S())
r = iter({1, 2, 3})
t = {1, 2, 3}
it = iter(t)
next(it); t.add(4)
print(attempt(next, it), r.__length_hint__(), sorted(r), r.__length_hint__())
class K:
    def __init__(self, n): self.n = n
    def __hash__(self): return self.n % 3
    def __eq__(self, o): return self.n == o.n
    def __repr__(self): return f'K{self.n}'
k = {K(i) for i in range(12)}
print(len(k), K(5) in k, K(50) in k)
k.discard(K(4))
print(len(k), sorted(x.n for x in k))
f = frozenset('a')
print(frozenset(f) is f, f.copy() is f, set(f) == f, f.union() == f, {*()} == set(), {*'aab'} == {'a', 'b'})
print([x for x in {i * 37 % 101 for i in range(40)}])
print(sorted(dir(set)) == sorted(set(dir(set))), set.__contains__({1}, 1), {1}.__reduce__()[1])
