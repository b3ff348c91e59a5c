# Pickles that name huge memo numbers and lengths, and damaged ones: an exception, no memory, no crash.
import io
import pickle
import random
import struct


def attempt(data, **options):
    try:
        result = pickle.loads(data, **options)
    except Exception as error:
        return type(error).__name__, str(error)
    return result


def number(opcode, value):
    return opcode + struct.pack("<I", value)


for far in (70_000, 3_000_000):
    for data in [
        b"]" + number(b"r", far) + b"K\1a" + number(b"j", far) + b"\x86.",  # the list twice
        b"K\1" + number(b"r", far) + b"0K\2" + number(b"r", far) + b"0" + number(b"j", far) + b".",  # put again
        b"K\1" + number(b"r", far) + b"0" + number(b"j", far - 1) + b".",
        b"(K\1" + number(b"r", far) + b"K\2\x94K\3\x94" + number(b"j", 1) + number(b"j", 2) + number(b"j", far) + b"t.",
        b"K\7p" + str(far).encode() + b"\ng" + str(far).encode() + b"\n\x86.",
    ]:
        print(far, attempt(data))
# Numbers that become near as the memo fills.
text = b"(" + b"K\1" + number(b"r", 70_000)
text += b"".join(b"K\2" + number(b"r", i) for i in range(70_000)) + number(b"j", 70_000) + number(b"j", 69_999)
text += b"K\5" + number(b"r", 70_000) + b"K\6" + number(b"r", 70_001) + number(b"j", 70_000) + number(b"j", 70_001) + b"t."
result = attempt(text)
print(len(result), result[-4:])

unpickler = pickle.Unpickler(io.BytesIO(b"K\1" + number(b"r", 100_000) + b"K\2\x94\x86."))
print(unpickler.load(), unpickler.memo.copy())
memo = unpickler.memo
other = pickle.Unpickler(io.BytesIO(number(b"j", 100_000) + b"."))
other.memo = memo
memo.clear()
print(memo.copy(), sorted(other.memo.copy().items()), other.load())

for data in [b"B\xff\xff\xff\x7f", b"T\xff\xff\xff\xff", b"X\xff\xff\xff\x7f", b"\x8d" + b"\xff" * 8, b"\x8e" + b"\xff" * 8,
             b"\x96" + b"\xff" * 8, b"\x95" + b"\xff" * 8, b"\x8b\xff\xff\xff\xff", b"\x8a\xff", b"g-1\n.", b"p-1\n.",
             b"gx\n.", b"g99999999999999999999\n."]:
    print(data, attempt(data))

generator = random.Random(1)
samples = [pickle.dumps(value, protocol) for protocol in range(6) for value in (
    [1, 2.5, "text", b"bytes", None, True, 10**30], {"a": (1, 2), "b": {3}, "c": bytearray(b"x")}, [range(3), slice(1), ...])]
outcomes = {}
for round in range(5_000):
    data = bytearray(generator.choice(samples))
    for change in range(generator.randrange(1, 4)):
        place = generator.randrange(len(data))
        what = generator.randrange(3)
        if what == 0:
            data[place] = generator.randrange(256)
        elif what == 1:
            del data[place]
        else:
            data.insert(place, generator.randrange(256))
        if not data:
            data = bytearray(b".")
    # A memo number far out makes python3.11 fill gigabytes.
    if any(byte in b"rpB\x8a\x8b\x8d\x8e\x96TXG" for byte in data):
        continue
    kind = type(attempt(bytes(data))).__name__
    outcomes[kind] = outcomes.get(kind, 0) + 1
print(sorted(outcomes.items()))
