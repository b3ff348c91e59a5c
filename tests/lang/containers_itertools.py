# itertools, functools, operator, heapq, bisect, deque, defaultdict.
import itertools as I, _functools as F, _operator as O, _heapq as H, _bisect as B
from _collections import deque, defaultdict, OrderedDict, _count_elements, _tuplegetter

def attempt(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return f'{type(error).__name__}: {error}'

print(list(I.accumulate([1, 2, 3])), list(I.accumulate([1, 2, 3], O.mul, initial=10)), list(I.chain('ab', [1])), list(I.chain.from_iterable(['x', 'yz'])))
print(list(I.combinations('abcd', 2)), list(I.combinations('ab', 3)), list(I.combinations('ab', 0)), list(I.combinations_with_replacement('abc', 2)))
print(list(I.permutations('abc', 2)), list(I.permutations(range(3))), list(I.product('ab', [1, 2])), list(I.product('ab', repeat=2)), list(I.product()))
print(list(I.compress('abcdef', [1, 0, 1, 0, 1])), list(I.islice(I.count(5), 3)), list(I.islice(I.count(1.5, 0.5), 3)), list(I.islice(I.cycle('ab'), 5)))
print(list(I.dropwhile(lambda x: x < 3, [1, 3, 1])), list(I.takewhile(lambda x: x < 3, [1, 3, 1])), list(I.filterfalse(None, [0, 1, 2])), list(I.starmap(pow, [(2, 3), (3, 2)])))
print([(k, list(g)) for k, g in I.groupby('aabbca')], [(k, len(list(g))) for k, g in I.groupby(range(10), lambda x: x // 4)])
print(list(I.islice(range(20), 2, 15, 3)), list(I.islice('abc', None)), list(I.pairwise('abcd')), list(I.repeat('x', 3)), list(I.zip_longest('ab', 'c', fillvalue='-')))
a, b = I.tee(range(5))
print(next(a), next(a), list(b), list(a), I.tee('x', 0), [list(x) for x in I.tee(range(200), 3)][2][-1])
print(I.count(3), I.count(3, 2), I.count(1.0), I.repeat(1), I.repeat(1, 4), attempt(I.count, 'a'), attempt(I.islice, [], -1), attempt(I.combinations, 'a', -1), attempt(I.tee, [], -1))
print(attempt(I.product, [1], repeat=-1), attempt(I.zip_longest, 1), attempt(I.chain, x=1), attempt(lambda: list(I.chain(1))), attempt(I.islice, 'a', 0, 1, 0))
for it in (I.chain('ab', 'c'), I.count(3), I.cycle('ab'), I.islice('abcd', 1, None), I.permutations('abc', 2), I.product('ab', 'c'), I.repeat('a', 2), I.combinations('abc', 2), I.accumulate([1, 2]), I.groupby('a')):
    print(type(it).__name__, next(it) is not None, type(it.__reduce__()).__name__, len(it.__reduce__()))
p = F.partial(int, base=2)
q = F.partial(F.partial(print, 1), 2)
print(p('101'), p.func, p.args, p.keywords, q.args, repr(F.partial(len, [1])), F.partial(max, 1, 5)(3, 9), F.partial(dict, a=1)(b=2), attempt(F.partial), attempt(F.partial, 1))
print(F.reduce(O.add, [1, 2, 3]), F.reduce(O.add, [], 'i'), attempt(F.reduce, O.add, []), sorted([3, 1, 2], key=F.cmp_to_key(lambda x, y: y - x)))
calls = []
def slow(x, y=0): calls.append((x, y)); return x + y
cached = F._lru_cache_wrapper(slow, 2, False, tuple.__new__ and (lambda *a: a))
print([cached(1), cached(2), cached(1), cached(3), cached(2), cached(1, y=2), cached(1, y=2)], calls, cached.cache_info())
cached.cache_clear()
print(cached.cache_info(), F._lru_cache_wrapper(slow, None, True, lambda *a: a)(4), attempt(cached, []))
print(O.itemgetter(1)('abc'), O.itemgetter(0, 2)('abc'), O.attrgetter('real')(5), O.attrgetter('real.imag', 'imag')(5), O.methodcaller('split', ',')('a,b'), O.methodcaller('format', x=1)('{x}'))
print(O.itemgetter(1), O.attrgetter('a.b', 'c'), O.methodcaller('m', 1, k=2), attempt(O.itemgetter), attempt(O.attrgetter, 1), attempt(O.itemgetter(5), 'a'))
print(O.add(1, 2), O.truediv(1, 4), O.pow(2, 5), O.contains([1], 1), O.indexOf('abc', 'c'), O.countOf([1, 1, 2], 1), O.is_(None, None), O.not_(0), O.length_hint([1, 2]), O.concat([1], [2]), O.lt(1, 2), O.call(len, 'ab'), O.index(True), O._compare_digest('a', 'a'), O._compare_digest(b'a', b'b'))
h = [5, 1, 9, 3, 7, 2, 8]
H.heapify(h); print(h)
H.heappush(h, 0); print(h, H.heappop(h), H.heapreplace(h, 4), H.heappushpop(h, -1), h, attempt(H.heappop, []))
m = [5, 1, 9]; H._heapify_max(m); print(m, H._heappop_max(m))
w = [(i * 7919) % 5003 for i in range(3000)]; H.heapify(w); print(w[:12], w[-3:])
print(B.bisect_left([1, 2, 2, 3], 2), B.bisect_right([1, 2, 2, 3], 2), B.bisect_left([1, 2, 3], 9, 0, 2), B.bisect_right([3, 2, 1], -2, key=lambda x: -x), attempt(B.bisect_left, [1], 1, -1))
z = [1, 3]; B.insort_left(z, 2); B.insort_right(z, 3); print(z)
d = deque([1, 2, 3], 4)
d.append(4); d.append(5); d.appendleft(0)
print(d, d.maxlen, d[0], d[-1], d.pop(), d.popleft(), len(d), attempt(lambda: d[9]), attempt(deque().pop), d + deque([7]), d * 2, deque('ab') * 2)
e = deque(range(20)); e.rotate(3); print(e); e.rotate(-7); print(e); e.reverse(); del e[4]; e[2] = 'x'; e.insert(3, 'y'); e.remove(5); print(e, e.index('y'), e.count(5), 'x' in e)
print(deque('abc') < deque('abd'), deque([1]) == deque([1]), attempt(lambda: deque([1]) + [1]), attempt(deque, 1), attempt(deque, [], -1), list(reversed(deque('ab'))), deque('ab').copy(), deque('ab', 1).__reduce__()[:2])
it = iter(e); next(it); e.append(1); print(attempt(next, it))
dd = defaultdict(list); dd['a'].append(1); print(dd, dd['b'], dd.get('c'), dd.copy(), defaultdict(int, x=1) | {'y': 2}, attempt(defaultdict, 1), attempt(lambda: defaultdict()['k']))
c = {}; _count_elements(c, 'abracadabra'); print(c)
o = OrderedDict(a=1, b=2, c=3); o.move_to_end('a'); print(o, list(o), o.popitem(), o.popitem(last=False), o, attempt(o.move_to_end, 'q'))
o = OrderedDict.fromkeys('xyz'); o['x'] = 1; del o['y']; o['y'] = 2; print(o, list(reversed(o)), o == {'x': 1, 'z': None, 'y': 2}, o == OrderedDict([('z', None), ('x', 1), ('y', 2)]), o.keys(), o.items(), o.values(), o | {'k': 1})
it = iter(o); next(it); o['new'] = 1; print(attempt(next, it))
print(_tuplegetter(0, 'doc'), _tuplegetter(1, None).__get__((1, 2), tuple))
