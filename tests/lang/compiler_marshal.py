# marshal: bytes written, values read back, and bad data.
import marshal

VALUES = [None, True, False, ..., 0, -1, 2 ** 31, -2 ** 31 - 1, 10 ** 50, 1.5, -0.0, 2j, "", "abc", "\xe9\u20ac\U0001f600",
          "\ud800", b"", b"xyz", (), (1, (2,)), [1, [2]], {"a": 1, 2: ()}, {1, 2}, frozenset("ab"), StopIteration,
          bytearray(b"q"), "x" * 300, tuple(range(300))]
for value in VALUES:
    for version in range(5):
        data = marshal.dumps(value, version)
        back = marshal.loads(data)
        assert back == value or value != value or isinstance(value, bytearray), (value, back)
        if version in (1, 2):
            print(repr(value)[:30] if not isinstance(value, (set, frozenset)) else "set", version, data[:40].hex() if not isinstance(value, (set, frozenset)) else len(data))
shared = "a shared string " + str(len(VALUES))
data = marshal.dumps([shared, shared])
first, second = marshal.loads(data)
print(first is second)
loop = []
loop.append(loop)
try:
    marshal.dumps(loop)
    print(marshal.loads(marshal.dumps(loop))[0].__class__)
except ValueError as error:
    print(error)
for bad in [b"", b"?", b"i", b"r\0\0\0\0", b"l\1\0\0\0\xff\xff", b"l\1\0\0\0\0\0",
            b"(\1\0\0\0" * 3000, b"c" + b"\0" * 100, b"[\1\0\0\0" + b"0", b"z\5ab", b"{ii"]:
    try:
        print(marshal.loads(bad))
    except (ValueError, EOFError, TypeError, SystemError) as error:
        print(type(error).__name__, error)
for unmarshallable in [object(), [object()], int, {1: print}]:
    try:
        marshal.dumps(unmarshallable)
    except ValueError as error:
        print(error)
code = compile("def f(x, *, y=1):\n    return lambda: (x, y)", "<test>", "exec")
assert marshal.loads(marshal.dumps(code)) == code
