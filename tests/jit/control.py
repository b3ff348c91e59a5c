# Leaving compiled loops every way: exceptions, breaks, tracing, signals, threads, fork, code that dies.
import gc
import os
import signal
import sys
import threading
import traceback


def raises_at(n, stop):
    total = 0
    try:
        for i in range(n):
            total += i
            if i == stop:
                raise ValueError(total)
    except ValueError as error:
        return i, total, error.args
    return "no"


def index_error(items, n):
    total = 0
    try:
        for i in range(n):
            total += items[i]
    except IndexError as error:
        return total, i, str(error), traceback.extract_tb(error.__traceback__)[0].lineno
    return total


def nested(n):
    total = 0
    for i in range(n):
        for j in range(n):
            if j == i:
                continue
            if j > i + 20:
                break
            total += i * j
    return total


def unbound(n):
    try:
        for i in range(n):
            if i > 10:
                del y
            y = i
            if i > 500:
                del y
                i = y
    except UnboundLocalError as error:
        return i, str(error)


def strings(n):
    s = ""
    for i in range(n):
        s += "x"
        if i % 3 == 0:
            s += str(i)
    return len(s), s[-10:]


def conditions(values):
    kinds = [0] * 4
    for value in values:
        if value is None:
            kinds[0] += 1
        elif value:
            kinds[1] += 1
        elif value == 0:
            kinds[2] += 1
        else:
            kinds[3] += 1
    return kinds


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def move(self, dx):
        self.x += dx
        return self.x


class Slotted:
    __slots__ = ("value",)


def attributes(n):
    p = Point(0, 0.0)
    q = Slotted()
    q.value = 0
    for i in range(n):
        p.x = p.x + i
        p.y += 0.5
        q.value += p.x % 3
        if i == n // 2:
            p.__dict__["x"] = 10
        if i == n // 2 + 50:
            p.z = "new"
    return p.x, p.y, q.value, sorted(p.__dict__)


def methods(n):
    p = Point(1, 2)
    for i in range(n):
        p.move(i)
    return p.x


def respecialised(things):
    out = 0
    for thing in things:
        out += thing.x
    return out


class Other:
    x = 5


def generator_loop(n):
    total = 0
    i = 0
    while i < n:
        total += i
        if i % 100 == 99:
            yield total
        i += 1


def traced_midway(n):
    events = []

    def tracer(frame, event, arg):
        if event == "line":
            events.append((frame.f_lineno - frame.f_code.co_firstlineno, frame.f_locals.get("i")))
        return tracer

    def loop():
        total = 0
        for i in range(n):
            total += i
            if i == n - 3:
                sys._getframe().f_trace = tracer
                sys.settrace(tracer)
        return total

    result = loop()
    sys.settrace(None)
    return result, events


def alarm_in_loop():
    fired = []
    signal.signal(signal.SIGALRM, lambda number, frame: fired.append(frame.f_code.co_name))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    i = 0
    while not fired:
        i += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    return fired, i > 0


def interrupt_in_loop():
    signal.setitimer(signal.ITIMER_REAL, 0)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    i = 0
    try:
        while True:
            i += 1
    except KeyboardInterrupt:
        return "interrupted", i > 0


def threads():
    done = []

    def work(k):
        i = s = 0
        while i < 30000:
            i += 1
            s += i * k
        done.append((k, s))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(done)


def forked():
    def loop(n):
        i = s = 0
        while i < n:
            i += 1
            s += i
        return s

    loop(5000)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, str((loop(20000), loop(20000.0))).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return os.read(read, 100)


def dying_code():
    total = 0
    for k in range(24):
        names = {}
        exec(f"def f(n):\n i = s = 0\n while i < n:\n  i += 1\n  s += i * {k}\n return s", names)
        total += names["f"](40)
        del names
        if k % 8 == 0:
            gc.collect()
    return total


def recursive(n):
    if n == 0:
        return 0
    total = 0
    for i in range(30):
        total += i
    return total + recursive(n - 1)


class Sneaky:
    def __add__(self, other):
        return 1

    __radd__ = __add__


def class_body():
    class Body:
        total = 0
        for i in range(300):
            total += i

    return Body.total, Body.i


def try_in_loop(n):
    caught = 0
    for i in range(n):
        try:
            x = 10 // (i % 5)
        except ZeroDivisionError:
            caught += 1
        else:
            caught += x
        finally:
            caught += 1000
    return caught


def while_else(n):
    i = 0
    while i < n:
        i += 1
    else:
        return "else", i


def many_locals(n):
    a = b = c = d = e = f = g = h = 0
    for i in range(n):
        a += 1; b += a; c += b; d = a - b; e = d * 2; f = e + c; g = f % 1000003; h += g
    return a, b, c, d, e, f, g, h


def unpacking(n):
    pairs = [(i, float(i)) for i in range(n)]
    s = 0
    t = 0.0
    for a, b in pairs:
        s += a
        t += b
    return s, t


def patched_builtin(n):
    total = 0
    for i in range(n):
        total += len("abc")
        if i == n // 2:
            globals()["len"] = lambda x: 100
    del globals()["len"]
    return total


print(raises_at(5000, 4000), raises_at(5000, 2), raises_at(100, 1000))
print(index_error(list(range(1000)), 2000), index_error([0.5] * 300, 301), index_error([1] * 50, 50))
print(nested(80), unbound(1000), strings(2000), conditions([None, 1, 0, "", "a", 0.0, [], [1], True, False] * 100))
print(attributes(2000), methods(1000))
print(respecialised([Point(1, 2)] * 200 + [Other()] * 200 + [Slotted] * 0 + [Point(3, 4)] * 200))
print(list(generator_loop(1000)))
print(traced_midway(500))
print(alarm_in_loop(), interrupt_in_loop())
print(threads(), forked(), dying_code(), recursive(100))
print(sum([Sneaky()] * 5), class_body(), try_in_loop(1000), while_else(2000), many_locals(1500), unpacking(1000))
print(patched_builtin(1000))
total = 0
for i in range(3000):
    total += i * i
    if i == 2900:
        total = float(total)
print(total, i)
raise SystemExit(3)
