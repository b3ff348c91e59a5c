# Weak references: callbacks, order, proxies, containers of them.
import _weakref
from _weakref import ref, proxy, getweakrefcount, getweakrefs

def attempt(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return f'{type(error).__name__}: {error}'

class C:
    def __init__(self, n): self.n = n
    def __len__(self): return self.n
    def __getitem__(self, k): return (self.n, k)
    def __add__(self, o): return ('add', self.n, o)
    def __radd__(self, o): return ('radd', self.n, o)
    def __eq__(self, o): return isinstance(o, C) and self.n == o.n
    def __hash__(self): return hash(self.n)
    def __str__(self): return 'C!'
    def __iter__(self): return iter((1, 2))
    def __contains__(self, x): return x == 'in'
log = []
c = C(3)
r1, r2 = ref(c), ref(c)
print(r1 is r2, r1() is c, getweakrefcount(c), hash(r1) == hash(c), r1 == ref(C(3)), r1 != ref(C(4)))
r3 = ref(c, lambda r: log.append(('r3', r is r3, r())))
r4 = ref(c, lambda r: log.append(('r4', r() is None)))
p = proxy(c)
print(len(p), p['k'], p + 1, 1 + p, p.n, str(p), list(p), 'in' in p, bool(p), getweakrefcount(c), [type(x).__name__ for x in getweakrefs(c)])
p.n = 5
print(c.n, type(p).__name__, p == c, attempt(hash, p))
del c
print(log, r1(), attempt(lambda: p.n), attempt(len, p), attempt(str, p), r1 == r2, hash(r1) if False else '')
print(attempt(ref, 5), attempt(ref), attempt(proxy, []), attempt(lambda: ref(C(1))(2)), repr(r1).split(' at ')[0], 'dead' in repr(r1))
d = C(1)
def boom(r): raise ValueError
class R(ref):
    __slots__ = 'x',
rr = R(d); rr.x = 7
print(rr.x, rr() is d, ref(d) is rr, rr.__callback__)
def f(): return 42
pf = proxy(f)
print(pf(), type(pf).__name__)
class Node: pass
n = Node(); n.me = n
rn = ref(n, lambda r: log.append('node'))
del n
import gc
gc.collect()
print(log[-1], rn())
s = {1, 2}
print(ref(s)() is s, ref(frozenset([1])).__class__.__name__, getweakrefcount(5))
