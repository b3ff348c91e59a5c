# Generators, coroutines and asynchronous generators: values, exceptions, closing, delegation.
def counter(n):
    try:
        for i in range(n):
            got = yield i
            if got is not None:
                yield ("got", got)
        return "done"
    finally:
        print("finally", n)

def delegate(n):
    result = yield from counter(n)
    print("result", result)
    yield from [7, 8]

for _ in range(12):
    list(i for i in range(3))
print(list(delegate(3)))
g = counter(5)
print(next(g), g.send("x"), next(g), g.gi_running, g.gi_suspended, g.gi_frame.f_lineno)
print(g.close(), g.gi_frame)
def stops():
    yield 1
    raise StopIteration(4)
try:
    list(stops())
except RuntimeError as error:
    print(error, repr(error.__cause__))
def loop_over(n):
    total = 0
    for i in range(n):
        for value in counter_quiet(i):
            total += value
    return total
def counter_quiet(n):
    for i in range(n):
        yield i
print(loop_over(30))
def raises_inside():
    yield 1
    raise KeyError("inside")
def catching():
    for _ in range(20):
        try:
            for value in raises_inside():
                pass
        except KeyError as error:
            result = str(error), error.__traceback__.tb_next.tb_frame.f_code.co_name
    return result
print(catching())
def ignores():
    while True:
        try:
            yield 1
        except GeneratorExit:
            pass
            yield 2
i = ignores(); next(i)
try:
    i.close()
except RuntimeError as error:
    print(error)
t = counter(2); next(t)
try:
    t.throw(ValueError, "thrown")
except ValueError as error:
    print("thrown", error)
def inner():
    try:
        yield 1
    except ValueError as error:
        print("inner", error)
        yield 2
    return 3
def outer():
    value = yield from inner()
    yield ("outer", value)
o = outer(); print(next(o), o.throw(ValueError("v")), next(o))
class Iter:
    def __init__(self): self.n = 0
    def __iter__(self): return self
    def __next__(self):
        self.n += 1
        if self.n > 3: raise StopIteration("end")
        return self.n
def from_iter():
    r = yield from Iter()
    print("r", r)
print(list(from_iter()))
def self_running():
    try:
        next(me)
    except ValueError as error:
        yield str(error)
me = self_running(); print(next(me))
try:
    counter(1).send(1)
except TypeError as error:
    print(error)

class Awaitable:
    def __await__(self):
        got = yield "suspended"
        return got
async def coroutine(n):
    total = 0
    for _ in range(n):
        total += await Awaitable()
    return total
def run(c, value=1):
    steps = []
    try:
        steps.append(c.send(None))
        while True:
            steps.append(c.send(value))
    except StopIteration as stop:
        return steps, stop.value
print(run(coroutine(4)))
async def outer_coroutine(): return await coroutine(2) + await coroutine(1)
for _ in range(15): last = run(outer_coroutine())
print(last)
async def agen(n):
    try:
        for i in range(n):
            await Awaitable()
            yield i
    finally:
        print("agen finally")
async def consume():
    found = []
    async for value in agen(3): found.append(value)
    found += [v async for v in agen(2)]
    a = agen(5)
    found.append(await a.__anext__())
    await a.aclose()
    return found
print(run(consume()))
async def bad():
    await 1
for c in (bad(),):
    try:
        c.send(None)
    except TypeError as error:
        print(error)
c = coroutine(1); c.close()
try:
    c.send(None)
except RuntimeError as error:
    print(error)
class Manager:
    async def __aenter__(self): return "entered"
    async def __aexit__(self, *args): print("exit", args[0]); return True
async def use():
    async with Manager() as m:
        print(m)
        raise KeyError
print(run(use()))
async def wrong():
    async with 1: pass
try: wrong().send(None)
except TypeError as error: print(error)
async def wrong_for():
    async for _ in 1: pass
try: wrong_for().send(None)
except TypeError as error: print(error)
print(coroutine.__name__, agen.__qualname__)
