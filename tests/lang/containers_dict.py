# dict: order, resizing, deletion, views, merging, errors, subclass hooks, shared-key instances.
def attempt(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return f'{type(error).__name__}: {error}'

d = {}
for i in range(300):
    d[i] = i * i
    d[str(i)] = i
for i in range(0, 300, 3):
    del d[i]
print(len(d), list(d)[:12], list(d.items())[-3:])
print(list(reversed(d))[:5], list(reversed(d.values()))[:3], list(reversed(d.items()))[:2])
while len(d) > 395:
    print(d.popitem(), end=' ')
print()
print({1: 'a', 'b': 2} | {'b': 3, 4: 5}, {**{'x': 1}, 'y': 2})
d = {'a': 1}
d |= [('b', 2), ('a', 3)]
print(d, d.get('zz'), d.get('a', 9), d.setdefault('c'), d.setdefault('a', 7), d)
print(attempt(d.pop, 'zz'), d.pop('zz', None), d.pop('a'), attempt(lambda: d['nope']), attempt(lambda: d[[]]))
print(attempt(dict, 1), attempt(dict, [1]), attempt(dict, ['abc']), attempt(dict, [], []), attempt({}.popitem))
print(attempt(d.update, 1, 2), attempt(dict.fromkeys), dict.fromkeys('abc', 0), dict.fromkeys({1: 2}), dict.fromkeys({3, 4}))
print(dict(a=1, **{'b': 2}), dict([('k', 'v')], k='w'), dict({'x': 1}, y=2))
print(attempt(lambda: dict(**{1: 2})))
k = {1: 2, 3: 4}
it = iter(k)
next(it)
k[5] = 6
print(attempt(next, it), attempt(next, it))
print(k.keys() & {1, 9}, k.keys() - {1}, sorted(k.keys() | {7}), sorted(k.keys() ^ {1, 8}), k.items() & {(3, 4)})
print(k.keys().isdisjoint([9]), k.keys() == {1, 3, 5}, k.items() >= {(1, 2)}, k.values(), k.keys(), k.items())
print(repr(k.keys().mapping), (1, 2) in k.items(), (1, 3) in k.items(), 2 in k.values(), k.items() ^ {1: 2, 3: 9}.items())
r = {}
r['self'] = r
print(r, {'v': r.values()})
class Missing(dict):
    def __missing__(self, key):
        return ('missing', key)
m = Missing(a=1)
print(m['a'], m['b'], attempt(lambda: m.get('b')), m)
class Key:
    def __init__(self, n): self.n = n
    def __hash__(self): return 1
    def __eq__(self, other): return isinstance(other, Key) and self.n == other.n
    def __repr__(self): return f'K{self.n}'
c = {Key(i): i for i in range(20)}
del c[Key(3)]
print(c[Key(19)], Key(3) in c, len(c), list(c)[:4])
class Evil:
    def __hash__(self): return hash('x')
    def __eq__(self, other): raise ValueError('eq')
print(attempt(lambda: {'x': 1}[Evil()]), attempt({'x': 1}.get, Evil()))
class Str(str): pass
s = {'a': 1, 'b': 2}
print(s[Str('a')], Str('q') in s, s | {Str('a'): 5}, {1: 1, True: 2, 1.0: 3})
class P: pass
ps = []
for i in range(5):
    p = P()
    p.a = i
    if i % 2:
        p.b = i
    p.c = i
    ps.append(p)
print([p.__dict__ for p in ps])
del ps[1].b
ps[1].b = 'again'
print(ps[1].__dict__, vars(ps[0]) == {'a': 0, 'c': 0})
q = P()
for i in range(40):
    setattr(q, f'n{i}', i)
print(len(q.__dict__), list(q.__dict__)[-2:], q.n39)
q.__dict__ = {'only': 1}
print(q.only, attempt(lambda: q.n1))
print({1: 2} == {1: 2.0}, {1: 2} != {1: 3}, attempt(lambda: {} < {}))
print(str({'a': {'b': [1, (2,)]}}), {}.__repr__(), dict.__doc__ is not None, hash is hash)
x = {i: None for i in range(10)}
for i in range(9):
    x.pop(i)
x['new'] = 1
print(x, x.copy(), list(zip(x, x.values())))
x.clear()
print(x, len(x), bool(x))
print(attempt(hash, {}), [*{'z': 1, 'y': 2}], max({3: 1, 2: 5}))
del r, m
