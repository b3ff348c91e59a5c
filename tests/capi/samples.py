"""The objects that API functions are tried with: conversions that work, that raise and that answer with a wrong type;
subclasses of the built-in types; functions, generators, exceptions. Their repr carries no address.
"""
import sys
import types

import caller


class Plain:
    """No special methods; prints alike in both interpreters."""

    def __repr__(self):
        return "<Plain>"


class Attributes(Plain):
    def __init__(self):
        self.key = "value"

    def method(self, *args, **kwargs):
        return ("method", args, kwargs)

    def __repr__(self):
        return f"<Attributes {sorted(self.__dict__)}>"


class Slots:
    __slots__ = ("key", "other")

    def __repr__(self):
        return "<Slots>"


def refuse(name):
    def method(self, *args):
        raise ValueError(f"refused by {name}")
    return method


class Raiser:
    """Every protocol is there and raises."""

    def __repr__(self):
        return "<Raiser>"


for name in ("index int float complex bool len length_hint iter next getitem setitem delitem contains add radd sub mul mod "
             "and or xor lshift rshift truediv floordiv divmod pow matmul iadd neg pos abs invert eq lt le gt ge ne hash call "
             "bytes fspath format getattr enter exit instancecheck subclasscheck dir aiter anext await").split():
    setattr(Raiser, f"__{name}__", refuse(f"__{name}__"))


class Convertible:
    """Every conversion works and gives an exact built-in."""
    __index__ = lambda self: 3
    __int__ = lambda self: 4
    __float__ = lambda self: 2.5
    __complex__ = lambda self: 1 + 2j
    __len__ = lambda self: 2
    __length_hint__ = lambda self: 6
    __iter__ = lambda self: iter("xy")
    __getitem__ = lambda self, key: ("item", key) if key not in (5, "missing") else self.fail(key)
    __contains__ = lambda self, key: key == "x"
    __bytes__ = lambda self: b"converted"
    __fspath__ = lambda self: "/path"
    __format__ = lambda self, spec: f"formatted {spec}"
    __repr__ = lambda self: "<Convertible>"
    __str__ = lambda self: "str of Convertible"
    __add__ = lambda self, other: "added"
    __radd__ = lambda self, other: "added on the right"
    __iadd__ = lambda self, other: "added in place"
    __pow__ = lambda self, other, modulus=None: ("power", modulus)
    __call__ = lambda self, *args, **kwargs: ("called", args, kwargs)
    __bool__ = lambda self: False
    __hash__ = lambda self: 11
    __eq__ = lambda self, other: NotImplemented
    fail = lambda self, key: (_ for _ in ()).throw(LookupError(key))


class Wrong:
    """Every conversion answers with a type that it must not."""
    __index__ = lambda self: 3.5
    __int__ = lambda self: "4"
    __float__ = lambda self: 1
    __complex__ = lambda self: 1.0
    __bool__ = lambda self: 1
    __len__ = lambda self: -1
    __length_hint__ = lambda self: "x"
    __iter__ = lambda self: 5
    __bytes__ = lambda self: "text"
    __fspath__ = lambda self: 1
    __format__ = lambda self, spec: 1
    __repr__ = lambda self: "<Wrong>"
    __str__ = lambda self: 1
    __hash__ = lambda self: "h"
    __dir__ = lambda self: 1
    __next__ = 3
    keys = lambda self: 4


class Int(int):
    __repr__ = lambda self: f"Int({int.__repr__(self)})"


class Float(float):
    __repr__ = lambda self: f"Float({float.__repr__(self)})"


class Str(str):
    __repr__ = lambda self: f"Str({str.__repr__(self)})"


class Bytes(bytes):
    __repr__ = lambda self: f"Bytes({bytes.__repr__(self)})"


class List(list):
    __repr__ = lambda self: f"List({list.__repr__(self)})"


class Tuple(tuple):
    __repr__ = lambda self: f"Tuple({tuple.__repr__(self)})"


class Dict(dict):
    __repr__ = lambda self: f"Dict({dict.__repr__(self)})"


class Missing(dict):
    __missing__ = lambda self, key: ("missing", key)


class Error(Exception):
    pass


class Quiet:
    """A data descriptor."""
    __get__ = lambda self, instance, owner: "descriptor"
    __set__ = lambda self, instance, value: None


class Hooked:
    def __getattr__(self, name):
        if name == "forbidden":
            raise ValueError("forbidden")
        return f"hooked {name}"

    __repr__ = lambda self: "<Hooked>"


def function(first, second=2, *rest, keyword=3, **others):
    "Text."
    local = first
    return ("function", first, second, rest, keyword, sorted(others))


def closure():
    captured = 5
    return lambda: captured


def generator(argument=1):
    received = yield argument
    yield received


async def coroutine():
    return 1


def raising(*args, **kwargs):
    raise KeyError("raised")


def traced():
    try:
        raise Error("text")
    except Error as error:
        return error


def chained():
    error = ValueError("outer")
    error.__cause__ = KeyError("inner")
    error.__context__ = TypeError("context")
    return error


def frame_of(argument=9):
    other = [argument]
    return sys._getframe()


def module():
    made = types.ModuleType("made", "Doc.")
    made.__file__ = "/made.py"
    made.value = 1
    return made


def nameless():
    made = types.ModuleType("made")
    del made.__name__
    return made


def started():
    made = generator(3)
    next(made)
    return made


def exhausted():
    made = iter([])
    next(made, None)
    return made


def text_error(kind):
    if kind == "encode":
        return UnicodeEncodeError("ascii", "a\xe9b", 1, 2, "why")
    if kind == "decode":
        return UnicodeDecodeError("utf-8", b"a\xff\xfeb", 1, 3, "why")
    return UnicodeTranslateError("a\xe9b", 1, 2, "why")


def codec_search(name):
    return None


def codec_info():
    import codecs
    return codecs.lookup("utf-8")


CAPSULE_NAME = bytearray(b"sample\0")


def capsule():
    word = caller.call(caller.symbol("PyCapsule_New"), 0, [0x1234, caller.address_of(CAPSULE_NAME), 0], [], [])[0]
    return caller.object_at(word)


def instance_method():
    import _testcapi
    return _testcapi.instancemethod(function)
