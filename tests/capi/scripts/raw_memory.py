# Raw memory at the offsets that compiled packages, debuggers and samplers read: the thread state, frames, dicts, types,
# _PyRuntime, strings, ints, code objects, generators; the frame evaluation hook, code extras, C tracing.
import contextvars
import gc
import sys
import types

import memory
from memory import object_at, peek

STATE = memory.thread_state()


def word(address, offset):
    return peek(address, offset, 8)


def frames():
    """[(name, line, locals, owner)] along cframe.current_frame -> previous."""
    frame = word(word(STATE, 56), 8)
    result = []
    while frame:
        code = object_at(word(frame, 32))
        first = id(code) + 184
        offset = word(frame, 56) - first
        line = next((line for start, stop, line in code.co_lines() if start <= offset < stop), None)
        values = [object_at(word(frame, 72 + 8 * i)) for i in range(code.co_argcount)]
        inside = word(STATE, 296) <= frame < word(STATE, 312)
        result.append((code.co_name, line and line - code.co_firstlineno, values, peek(frame, 69, 1), inside, peek(frame, 64, 4) != 0,
                       object_at(word(frame, 8)) is globals()))
        frame = word(frame, 48)
    return result


def frame_chain():
    def inner(a, b):
        return frames()

    def outer(a):
        return inner(a, "b")

    class Thing:
        def __add__(self, other):
            return frames()

        def __init__(self, value=1):
            self.seen = frames()

        @property
        def attribute(self):
            return frames()
    for _ in range(20):
        chain = outer(1)
    for row in chain[:4]:
        print("frame", row)
    print("through C", [row[0] for row in memory.call(lambda: outer(2))][:6])
    print("operator", [row[0] for row in Thing() + 1][:3])
    print("init", [row[0] for row in Thing(2).seen][:3])
    print("property", [row[0] for row in Thing().attribute][:3])

    def generator(x):
        yield frames()
    print("generator", next(generator(5))[:2])
    print("chunk", word(STATE, 296) < word(STATE, 304) <= word(STATE, 312))


def thread_state():
    interpreter = word(STATE, 16)
    runtime = memory.symbol("_PyRuntime")
    print("runtime", word(runtime, 576) == STATE, word(runtime, 40) == interpreter, word(interpreter, 16) == STATE)
    print("depth", peek(STATE, 36, 4) == sys.getrecursionlimit(), 0 < peek(STATE, 32, 4) < peek(STATE, 36, 4))
    before = peek(STATE, 32, 4)
    deeper = memory.call(lambda: peek(STATE, 32, 4))
    print("recursion", before - deeper > 0, peek(STATE, 32, 4) == before)
    print("use_tracing", peek(word(STATE, 56), 0, 1), "tracing", peek(STATE, 44, 4), "hooks", word(STATE, 64), word(STATE, 72))
    import threading
    print("thread", word(STATE, 152) == threading.get_ident(), "cframe", word(STATE, 56) != 0)
    print("pending", memory.pending_error(ValueError("set")))
    try:
        memory.raise_by_fields()
    except KeyError as error:
        print("raised", repr(error))
    try:
        raise ValueError("handled")
    except ValueError:
        print("handled", repr(object_at(word(word(STATE, 120), 0))))
    print("not handled", object_at(word(word(STATE, 120), 0)))
    version = word(STATE, 232)
    contextvars.copy_context().run(lambda: print("context", type(object_at(word(STATE, 224))).__name__, word(STATE, 232) > version))
    print("context version", word(STATE, 232) > version)


def dicts():
    d = {"a": 1}
    operations = {"nothing": lambda: None, "get": lambda: d["a"], "set new": lambda: d.__setitem__("b", 2), "set other": lambda: d.__setitem__("a", 7),
                  "set same": lambda: d.__setitem__("a", 7), "setdefault there": lambda: d.setdefault("a", 5), "setdefault new": lambda: d.setdefault("z", 5),
                  "delete": lambda: d.__delitem__("b"), "pop": lambda: d.pop("z"), "pop missing": lambda: d.pop("z", None), "update": lambda: d.update(q=1),
                  "update same": lambda: d.update(q=1), "or": lambda: d.__ior__({"r": 2}), "popitem": lambda: d.popitem(), "copy": lambda: d.copy(),
                  "iterate": lambda: list(d), "clear": lambda: d.clear(), "clear empty": lambda: d.clear()}
    for name, operation in operations.items():
        before = word(id(d), 24)
        operation()
        print("version", name, word(id(d), 24) != before, word(id(d), 16))
    namespace = {}
    exec("def f():\n    global x\n    for x in range(50):\n        pass\n", namespace)
    before = word(id(namespace), 24)
    namespace["f"]()
    print("global stores", word(id(namespace), 24) != before)
    before = word(id(namespace), 24)
    namespace["f"].__globals__["x"] = 1000
    print("global store", word(id(namespace), 24) != before)

    class Thing:
        pass
    things = [Thing() for _ in range(3)]
    for thing in things:
        thing.a = 1
    place = things[0].__dict__
    before = word(id(place), 24)
    for _ in range(50):
        things[0].a = object()
    print("attribute store", word(id(place), 24) != before)


def classes():
    class Thing:
        def method(self):
            return 1
    thing = Thing()
    for _ in range(20):
        thing.method()
    tag = peek(id(Thing), 384, 4)
    print("type version", tag != 0, peek(id(Thing), 384, 4) == tag)
    Thing.other = 1
    print("changed", peek(id(Thing), 384, 4) == tag)
    for _ in range(20):
        thing.method()
    print("looked up", peek(id(Thing), 384, 4) not in (0, tag))
    print("flags", *(word(id(t), 168) & ~(1 << 19) for t in (Thing, int, dict, type, BaseException)), peek(id(Thing), 288, 8) < 100)
    print("heap type", object_at(word(id(Thing), 848)), word(id(Thing), 872) != 0)


def values():
    runtime = memory.symbol("_PyRuntime") + 680
    print("small ints", all(id(n) == runtime + 32 * (n + 5) for n in range(-5, 257)))
    print("digits", [peek(id(-(2**65) - 7), o, 4) for o in (24, 28, 32)], peek(id(-(2**65) - 7), 16, 8) - 2**64)
    text = "".join(["caf", "\xe9"])
    print("str", word(id(text), 16), word(id(text), 24) == 2**64 - 1, peek(id(text), 32, 4) & 0xff, memory.bytes_at(id(text) + 72, 5))
    hash(text)
    print("hash", word(id(text), 24) == hash(text) % 2**64)
    text = "".join(["asc", "ii"])
    print("ascii", peek(id(text), 32, 4) & 0xff, memory.bytes_at(id(text) + 48, 6))
    text = "".join(["\u20ac", "x"])
    print("two bytes", peek(id(text), 32, 4) & 0xff, memory.bytes_at(id(text) + 72, 6), word(id(text), 48))
    print("one character", id("a") == id("abc"[0]), id("\xe9") == id("caf\xe9"[3]))
    items = [1, "two"]
    print("list", word(id(items), 16), word(word(id(items), 24), 8) == id(items[1]), word(id(items), 32) >= 2)
    pair = (1, "x")
    print("tuple", word(id(pair), 16), word(id(pair), 32) == id(pair[1]))
    print("bytes", memory.bytes_at(id(b"bytes") + 32, 6))
    some = {1, 2, 3}
    print("set", word(id(some), 16), word(id(some), 24), word(id(some), 32))
    print("float", memory.bytes_at(id(1.5) + 16, 8))
    print("collector", [bool(word(id(o) - 16, 0)) for o in ([], {}, set(), (1, []), lambda: 1)])
    untracked = tuple([1, 2])
    gc.collect()
    print("untracked tuple", bool(word(id(untracked) - 16, 0)))


def functions():
    def function(a, b=2, *, c=3):
        "Doc."
        return a
    code = function.__code__
    print("function", [object_at(word(id(function), o)) is v for o, v in ((16, function.__globals__), (32, function.__name__), (40, function.__qualname__),
                                                                 (48, code), (56, function.__defaults__), (64, function.__kwdefaults__))], word(id(function), 120) != 0)
    print("code", peek(id(code), 48, 4), peek(id(code), 72, 4) - code.co_firstlineno, object_at(word(id(code), 112)) is code.co_filename,
          object_at(word(id(code), 136)) == code.co_linetable, memory.bytes_at(id(code) + 184, 2) == code.co_code[:2])
    for _ in range(30):
        function(1)
    print("co_code", code.co_code == function.__code__.co_code, len(code.co_code))
    print("method", word(id([].append), 16) != 0, word(id("".join), 24) == id(""))
    bound = types.MethodType(function, 5)
    print("bound", word(id(bound), 16) == id(function), word(id(bound), 24) == id(5))

    def generator():
        yield peek(id(made), 75, 1)
    made = generator()
    print("generator", peek(id(made), 75, 1), next(made), peek(id(made), 75, 1), list(made), peek(id(made), 75, 1))
    made = generator()
    frame = made.gi_frame
    print("generator frame", word(id(frame), 24) == id(made) + 80, peek(id(frame), 40, 4))


def hooks():
    def leaf(n):
        return n

    def middle(n):
        return sum(leaf(i) for i in range(n))

    class Thing:
        def __init__(self):
            self.value = leaf(3)

        @property
        def attribute(self):
            return leaf(4)

    def program():
        for _ in range(12):
            leaf(1)
        return middle(2), Thing().value, Thing().attribute
    program()
    result, names = memory.record_frames(program)
    print("evaluated", result, names)
    result, names = memory.record_frames(lambda: [leaf(1), *map(leaf, [2])])
    print("evaluated", result, names)

    def failing():
        raise KeyError("in hook")
    try:
        memory.record_frames(failing)
    except SystemError as error:
        print(type(error))
    except KeyError as error:
        print(repr(error))


def extras():
    code = compile("1", "f", "eval")
    memory.set_extra(code, 40)
    memory.set_extra(code, 2)
    print("extra", memory.get_extra(code), memory.freed_extras(), memory.get_extra(compile("2", "f", "eval")), word(id(code), 176) != 0)
    del code
    print("freed", memory.freed_extras())


def events():
    def leaf(x):
        y = len([x])
        return y

    def program():
        total = leaf(1)
        try:
            int("x")
        except ValueError:
            total += 1
        for i in (1, 2):
            total += i
        return total
    for event in memory.profiled(program):
        print("profile", event)
    for event in memory.traced(program):
        print("trace", event)


def capsules():
    import datetime
    import pyexpat
    import unicodedata
    import _socket
    pointer = memory.capsule_pointer("datetime.datetime_CAPI")
    print("datetime", [object_at(word(pointer, 8 * i)) for i in range(5)], object_at(word(pointer, 40)) is datetime.timezone.utc)
    print("functions", all(word(pointer, o) for o in range(48, 96, 8)))
    pointer = memory.capsule_pointer("pyexpat.expat_CAPI")
    print("pyexpat", memory.bytes_at(word(pointer, 0), -1), peek(pointer, 8, 4), [peek(pointer, o, 4) for o in (12, 16, 20)] == list(pyexpat.version_info))
    print("unicodedata", word(memory.capsule_pointer("unicodedata._ucnhash_CAPI"), 0) != 0, unicodedata.name("a"))
    pointer = memory.capsule_pointer("_socket.CAPI")
    print("socket", object_at(word(pointer, 0)) is _socket.SocketType, object_at(word(pointer, 8)))


for part in (frame_chain, thread_state, dicts, classes, values, functions, hooks, extras, events, capsules):
    part()
