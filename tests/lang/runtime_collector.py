# The cycle collector: finalizers, resurrection, weak references, callbacks, the gc module's checks.
import gc
import weakref

gc.collect()
log = []


class Node:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        log.append(('del', self.name))


a, b = Node(1), Node(2)
a.other, b.other = b, a
reference = weakref.ref(a, lambda r: log.append('callback'))
del a, b
print(gc.collect(), log, reference())

kept = []


class Phoenix:
    def __del__(self):
        kept.append(self)


bird = Phoenix()
bird.me = bird
del bird
print(gc.collect(), len(kept), gc.is_finalized(kept[0]))
kept.clear()
print(gc.collect())

calls = []


def callback(phase, info):
    calls.append((phase, sorted(info)))


gc.callbacks.append(callback)
gc.collect(0)
gc.callbacks.remove(callback)
print(calls)
print(gc.is_tracked(()), gc.is_tracked([]), gc.is_tracked({}), gc.is_tracked({'a': []}), gc.is_tracked(1))
inner = [1]
outer = [inner]
print(any(x is outer for x in gc.get_referrers(inner)), gc.get_referents(outer) == [inner])
gc.freeze()
print(gc.get_freeze_count() > 10)
gc.unfreeze()
print(gc.get_freeze_count())
for case in [lambda: gc.collect(5), lambda: gc.collect(-1), lambda: gc.get_objects(5), lambda: gc.get_objects(-2),
             lambda: gc.set_threshold(), lambda: gc.set_threshold(1, 2, 3, 4), lambda: gc.get_objects('a'),
             lambda: gc.set_debug('a')]:
    try:
        print(case())
    except Exception as error:
        print(repr(error))
gc.set_threshold(100, 5)
print(gc.get_threshold())
gc.set_threshold(700, 10, 10)

deep = []
for i in range(100000):
    deep = [deep]
del deep


class Link:
    pass


root = end = Link()
for i in range(20000):
    new = Link()
    end.next, new.previous = new, end
    end = new
del root, end, new
print(gc.collect())
error = None
for i in range(20000):
    newer = ValueError(i)
    newer.__context__ = error
    error = newer
del error, newer
table = {}
for i in range(1000):
    table[i] = {i: [table]}
del table
print(gc.collect())
gc.set_debug(gc.DEBUG_SAVEALL)
a = []
a.append(a)
del a
gc.collect()
print(len(gc.garbage))
gc.set_debug(0)
gc.garbage.clear()
