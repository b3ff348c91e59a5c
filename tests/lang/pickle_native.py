# Pickles must be byte for byte what CPython writes; broken ones raise its errors.
import collections
import hashlib
import io
import pickle
import pickletools


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


class Slots:
    __slots__ = ("a", "b")


slots = Slots()
slots.a = 1
loop = [1]
loop.append((loop, loop))
values = [
    None, True, 0, 255, 256, 65536, -1, 2**31, -(2**63), 10**50, 1.5, "text", "é\n\\\0", b"", b"bytes", bytearray(b"x"),
    (), (1,), (1, 2, 3, 4), list(range(2500)), {i: str(i) for i in range(1200)}, Point(1, [2]), collections.OrderedDict(a=1),
    loop, len, Point, type(None), ..., NotImplemented, "long" * 30000, [bytes([i % 256]) * 70000 for i in range(2)],
]
for protocol in range(6):
    for value in values + ([slots, frozenset([3]), {4}] if protocol >= 2 else []):
        data = pickle.dumps(value, protocol)
        again = pickle.dumps(pickle.loads(data), protocol)
        stream = io.BytesIO()
        pickle.Pickler(stream, protocol).dump(value)
        print(protocol, len(data), hashlib.md5(data).hexdigest(), data == again, stream.getvalue() == data)
for data in [b"", b"N", b"(", b".", b"t.", b"(.", b"h\1.", b"]a.", b"\x80\7.", b"\x8c\5ab", b"'", b"~", b"I1x\n.", b"R.",
             b"K\1K\2R.", b"(K\1d.", b"S'a\n.", b"\x82\0.", b"\x93.", b"K\1)\x81.", b"cos\nnothing\n.", b"Pabc\n.", b"\x97."]:
    try:
        print(data, pickle.loads(data))
    except Exception as error:
        print(data, type(error), error)
for value in [lambda: 0, (i for i in ()), io.BytesIO().write]:
    try:
        pickle.dumps(value)
    except Exception as error:
        print(type(error), str(error).split(" at 0x")[0])
buffers = []
data = pickle.dumps([pickle.PickleBuffer(bytearray(b"out of band"))], 5, buffer_callback=buffers.append)
print(data, bytes(pickle.loads(data, buffers=buffers)[0]))
