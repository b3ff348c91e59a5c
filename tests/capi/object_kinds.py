"""Kinds of functions.tsv that are Python objects: OBJECTS maps a kind to [(label, factory)], good values first of all.

A factory is called for every case, so that no case sees another's changes. WRONG_OBJECTS are tried in the place of every one.
"""
import array
import collections
import contextvars
import io
import sys
import types
import weakref

from samples import *  # noqa: F403

CODE = function.__code__


def each(**factories):
    return list(factories.items())


def constant(*values):
    """Immutable values, which need no factory; strings and numbers are copied where that is possible."""
    return [(repr(v), (lambda v=v: v)) for v in values]


INTS = constant(0, 7, -1, 300, 2**31, -2**31 - 1, 2**63 - 1, -2**63, 2**63, 2**64 - 1, 2**64, -10**30, True) + \
    each(Int=lambda: Int(5))
FLOATS = constant(0.0, -0.0, 1.5, -2.75, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 1e18) + \
    each(Float=lambda: Float(2.5))
STRINGS = constant("", "a", "text", "caf\xe9", "\u20ac uro", "\U0001f600x", "with space ", "a\0b", "\ud800", "key") + \
    each(Str=lambda: Str("sub"), fresh=lambda: "".join(["fr", "esh"]))
BYTES = constant(b"", b"b", b"bytes", b"a\0b", b"\xff\xfe", b"1 2") + each(Bytes=lambda: Bytes(b"sub"))
LISTS = each(empty=list, two=lambda: [1, "b"], nested=lambda: [[3], [1], [2]], mixed=lambda: [3, 1, 2, 5, 4],
             unordered=lambda: [1, "a", 2], List=lambda: List([1, 2]))
TUPLES = each(empty=tuple, one=lambda: (1,), two=lambda: (1, "b"), strings=lambda: ("a", "b", "c"),
              Tuple=lambda: Tuple((1, 2)), three=lambda: (1000, 2000, 3000))
DICTS = each(empty=dict, key=lambda: {"key": "value"}, ints=lambda: {1: 2, 3: 4}, mixed=lambda: {"a": 1, 2.5: [2]},  # no key whose hash is an address
             Dict=lambda: Dict(key=1), Missing=lambda: Missing(a=1))
SETS = each(empty=set, some=lambda: {1, 2, "key"})
FROZEN = each(frozen=lambda: frozenset([1, "key"]))
CALLABLES = each(function=lambda: function, builtin=lambda: len, type=lambda: int, method=lambda: Attributes().method,
                 Convertible=Convertible, raising=lambda: raising, closure=closure, bound=lambda: [].append,
                 unbound=lambda: list.append, Error=lambda: Error)
EXCEPTIONS = each(value=lambda: ValueError("text"), empty=lambda: KeyError(), traced=traced, chained=chained,
                  stop=lambda: StopIteration(5), exit=lambda: SystemExit(3), oserror=lambda: OSError(2, "no", "file"))
ITERATORS = each(list=lambda: iter([1, 2]), empty=lambda: iter(()), generator=generator, started=started, map=lambda: map(int, "12"),
                 bad=lambda: map(int, "x"), exhausted=exhausted)
TYPES = each(int=lambda: int, dict=lambda: dict, Plain=lambda: Plain, Slots=lambda: Slots, Error=lambda: Error,
             type=lambda: type, bool=lambda: bool, namedtuple=lambda: collections.namedtuple("Named", "a b"))
BUFFERS = each(bytes=lambda: b"buffer", bytearray=lambda: bytearray(b"array"), memoryview=lambda: memoryview(b"view"),
               strided=lambda: memoryview(b"abcdef")[::2], array=lambda: array.array("i", [1, 2, 3]),
               cast=lambda: memoryview(bytearray(24)).cast("i", (2, 3)))
ANY = [*constant(None, 7, 2.5, "text", b"bytes"), ("list", lambda: [1, 2]), ("dict", lambda: {"key": 1}), ("Plain", Plain),
       ("Convertible", Convertible)]

WRONG_OBJECTS = [*constant(None, 3, -2**70, 2.5, "wrong", b"wrong"), ("tuple", lambda: (1, 2)), ("list", lambda: [3, 4]),
                 ("dict", lambda: {"k": 1}), ("set", lambda: {1}), ("Plain", Plain), ("Raiser", Raiser), ("Wrong", Wrong),
                 ("type", lambda: int), ("builtin", lambda: len)]

OBJECTS = {
    "object": ANY,
    "any": ANY + INTS[:4] + STRINGS[:5] + BYTES[:3] + LISTS[:3] + TUPLES[:3] + DICTS[:3] + SETS + CALLABLES[:5] + TYPES[:3],
    "int": INTS, "float": FLOATS, "str": STRINGS, "bytes": BYTES, "list": LISTS, "tuple": TUPLES, "dict": DICTS,
    "bytearray": each(empty=bytearray, some=lambda: bytearray(b"some"), big=lambda: bytearray(100)),
    "set": SETS, "anyset": SETS + FROZEN, "frozenset": FROZEN,
    "number": constant(0, 7, -3, 2**70, 2.5, -0.0, 1 + 2j, True) + each(Convertible=Convertible, Int=lambda: Int(5)),
    "complex": constant(0j, 1 + 2j, -1.5j, complex("nan+infj"), 3, 2.5) + each(Convertible=Convertible),
    "key": constant("key", 1, None, "missing", ("a", 1)) + each(Convertible=Convertible),
    "hashable": constant("key", 1, 2, "missing", 2.5, (1, "a"), b"b"),
    "name": constant("key", "missing", "__class__", "method", "__module__", "__len__"),
    "ascii": constant("", "ascii", "two words"),
    "module_name": constant("json", "sys", "missing_module", "os.path", ""),
    "sequence": LISTS[:3] + TUPLES[:3] + constant("text", b"bytes") + each(range=lambda: range(5), bytearray=lambda: bytearray(b"ba"),
                                                                        Convertible=Convertible),
    "mapping": DICTS[:4] + each(proxy=lambda: types.MappingProxyType({"key": 1}), Convertible=Convertible,
                                userdict=lambda: collections.UserDict(key=1), chain=lambda: collections.ChainMap({"key": 1})),
    "container": DICTS[:3] + LISTS[:3] + TUPLES[:2] + SETS + constant("text", b"bytes") + each(Convertible=Convertible),
    "iterable": LISTS[:3] + TUPLES[:3] + DICTS[:2] + SETS[:1] + constant("ab", b"ab") + each(generator=generator,
                                                                                          Convertible=Convertible),
    "strings": each(list=lambda: ["a", "b"], tuple=lambda: ("x", "\u20ac", "z"), one=lambda: ["only"], empty=list,
                    mixed=lambda: ["a", 1], generator=lambda: (c for c in "pq")),
    "pairs": each(list=lambda: [("a", 1), ("b", 2)], same=lambda: [("key", 1), ("key", 2)], short=lambda: [("a",)], empty=list,
                  bad=lambda: [1], strings=lambda: ["ab", "cd"]),
    "iterator": ITERATORS, "callable": CALLABLES, "function": each(function=lambda: types.FunctionType(CODE, {"__name__": "m"}, "f", (1,)),
                                                                   closure=closure),
    "args": each(empty=tuple, one=lambda: (1,), two=lambda: (1, "b"), strings=lambda: ("x", "y", "z")),
    "kwargs": each(empty=dict, keyword=lambda: {"keyword": 9}, unknown=lambda: {"unknown": 1}),
    "type": TYPES, "exception": EXCEPTIONS,
    "exception_type": each(ValueError=lambda: ValueError, Error=lambda: Error, KeyError=lambda: KeyError, OSError=lambda: OSError,
                           tuple=lambda: (TypeError, ValueError)),
    "classinfo": TYPES + each(tuple=lambda: (int, str), nested=lambda: ((int,), (str, dict)), union=lambda: int | str,
                              abc=lambda: collections.abc.Mapping),
    "encode_error": each(encode=lambda: text_error("encode")), "decode_error": each(decode=lambda: text_error("decode")),
    "translate_error": each(translate=lambda: text_error("translate")),
    "text_error": each(encode=lambda: text_error("encode"), decode=lambda: text_error("decode"),
                       translate=lambda: text_error("translate")),
    "slice": constant(slice(None), slice(1, 5), slice(5, 1, -1), slice(-3, None, 2), slice(0, 10**20), slice(None, None, 0),
                      slice("a", 2)),
    "slice_part": constant(None, 0, 3, -2, 2**70, "text"),
    "code": each(function=lambda: CODE.replace(), closure=lambda: closure().__code__, generator=lambda: generator.__code__),
    "expression": each(code=lambda: compile("x + 1", "file", "eval"), raising=lambda: compile("1 / zero", "file", "eval")),
    "frame": each(finished=frame_of, current=lambda: sys._getframe(), generator=lambda: started().gi_frame),
    "cell": each(full=lambda: closure().__closure__[0], empty=types.CellType),
    "method": each(bound=lambda: Attributes().method, builtin=lambda: types.MethodType(len, [1])),
    "builtin": each(len=lambda: len, append=lambda: [].append, fromkeys=lambda: dict.fromkeys),
    "module": each(module=module, sys=lambda: sys, nameless=nameless),
    "weakref": each(live=lambda: weakref.ref(function), dead=lambda: weakref.ref(Plain()), proxy=lambda: weakref.proxy(function)),
    "referable": each(plain=Plain, function=lambda: function, type=lambda: Plain),
    "callback": each(none=lambda: None, function=lambda: function),
    "buffer": BUFFERS, "writable": BUFFERS[1:2] + BUFFERS[4:],
    "generator": each(new=generator, started=started), "awaitable": each(coroutine=coroutine),
    "context": each(copy=contextvars.copy_context, new=contextvars.Context),
    "context_var": each(plain=lambda: contextvars.ContextVar("name"), default=lambda: contextvars.ContextVar("name", default=5)),
    "long_bytearray": each(big=lambda: bytearray(b"long enough")), "vectorcallable": CALLABLES[:2] + CALLABLES[3:6],
    "simple_buffer": each(bytearray=lambda: bytearray(b"array"), array=lambda: array.array("b", [1, 2, 3, 4, 5])),
    "text_dict": each(empty=dict, key=lambda: {"key": "value"}, two=lambda: {"a": 1, "b": [2]}), "text_stream": each(text=io.StringIO),
    "exact_str": STRINGS[:-2], "capsule": each(own=capsule), "bool": constant(True, False),
    "globals": each(empty=dict, x=lambda: {"x": 1, "zero": 0, "__builtins__": __builtins__}),
    "locals": each(x=lambda: {"x": 5, "zero": 0}, proxy=lambda: Missing(x=6, zero=0)),
    "path": constant("/tmp/no/such", b"/dev/null", "relative", "a\0b") + each(fspath=Convertible),
    "stream": each(text=io.StringIO, lines=lambda: io.StringIO("first\nsecond\n"), bytes=lambda: io.BytesIO(b"first\nsecond")),
    "traceback": each(real=lambda: traced().__traceback__),
    "attributed": each(Attributes=Attributes, Slots=Slots, Hooked=Hooked, type=lambda: type("Fresh", (), {"key": 1}), module=module,
                       int=lambda: 5, Plain=Plain),
    "descriptor": each(property=lambda: property(len), data=Quiet, function=lambda: function, none=lambda: None),
    "instance_method": each(function=lambda: function),
    "view": each(keys=lambda: {"a": 1, "b": 2}.keys(), items=lambda: {"a": 1}.items()),
    "sequence_item": constant(1, "b", "t", b"y", 115, [3]),
    "format": constant("%s and %s", "%d", "plain", "%(key)s", "%%", "%5.2f|", "%z", "%"),
    "spec": constant("", ">10", "x", "05d", ".3f", "bad"),
    "charmap": each(dict=lambda: {97: "b", 98: None, 99: 100}, string=lambda: "xyz", empty=dict),
    "table": each(dict=lambda: {97: "b", 98: None, 99: 100}, empty=dict),
    "ordered": each(some=lambda: collections.OrderedDict(key=1), empty=collections.OrderedDict),
    "number_text": constant("12", " 3.5 ", "x", "", "1_000", "inf", b"7", "0x10") + each(Str=lambda: Str("8")),
    "date": each(struct=lambda: sys.version_info, flags=lambda: sys.flags),
    "fd_object": each(one=lambda: 1, fileno=lambda: type("F", (), {"fileno": lambda self: 2})(), negative=lambda: -1,
                      bad=lambda: type("F", (), {"fileno": lambda self: "x"})()),
    "search": each(search=lambda: codec_search), "pickle_buffer": each(buffer=lambda: __import__("pickle").PickleBuffer(b"abc")),
    "none": constant(None), "number_or_none": constant(None, 2, 7, "x") + each(Convertible=Convertible), "small_int": constant(0, 5, 12),
    "exception_or_none": each(value=lambda: ValueError("cause"), none=lambda: None),
    "exception_class": each(ValueError=lambda: ValueError, Error=lambda: Error), "import_error": each(ImportError=lambda: ImportError,
                                                                                            subclass=lambda: ModuleNotFoundError),
    "warning": each(UserWarning=lambda: UserWarning, DeprecationWarning=lambda: DeprecationWarning),
    "bases": each(none=lambda: (object,), dict=lambda: (Plain,), final=lambda: (bool,), bad=lambda: (1,)),
    "bases_tuple": each(object=lambda: (object,), two=lambda: (int, Plain), meta=lambda: (collections.abc.Mapping,), none=tuple),
    "bytes_items": each(list=lambda: [b"a", b"b"], tuple=lambda: (b"x", bytearray(b"y")), bad=lambda: [b"a", 1], empty=list),
    "charmap_string": each(latin=lambda: "".join(map(chr, range(256))), short=lambda: "abc\u20ac"), "codec_info": each(utf8=codec_info),
    "constant_value": constant(None, 1, True, 0.0, -0.0, 1 + 0j, -0j, "text", b"bytes", (1, 2.0), frozenset([1]), ...),
    "fresh_bytes": each(bytes=lambda: b"".join([b"fresh ", b"bytes"])),
    "fresh_tuple": each(tuple=lambda: tuple([1, 2, 3]), one=lambda: tuple([1])),
    "fresh_str": each(ascii=lambda: "".join(["fresh", " str"]), wide=lambda: "".join(["\u20ac", "uro"])),
    "fresh_weakref": each(ref=lambda: weakref.ref(function, len)), "plain_function": each(function=lambda: function, closure=closure),
    "heap_type": each(fresh=lambda: type("Fresh", (), {})), "plain_type": each(Plain=lambda: Plain, Slots=lambda: Slots, Error=lambda: Error),
    "instance_method_object": each(function=instance_method), "lines": constant("a\nb\r\nc", "one", "", "x\n\ny", "\x1ca\u2028b"),
    "long_str": constant("several", "caf\xe9s", "\u20acuros", "\U0001f600faces"), "frozen": constant("__hello__", "missing", "zipimport"),
    "marshalled": constant(1, -2**40, 1.5, "text", b"bytes", (1, ("a",)), None, 2j) + each(list=lambda: [1, [2]], dict=lambda: {"a": 1},
                                                                                   plain=Plain),
    "module_code": each(code=lambda: compile("value = 3", "file", "exec"), raising=lambda: compile("1 / 0", "file", "exec")),
    "number_string": constant("12", "-7", " 3 ", "x", "", "1_0", "0x1f", "\u0661", "ab"), "readable": constant(__file__, "/no/such/file"),
    "reloadable": each(module=lambda: __import__("colorsys"), made=module), "slot_wrapper": each(len=lambda: list.__len__, add=lambda: int.__add__),
    "source_text": constant("1 + 1", b"x", "a\0b") + each(bytearray=lambda: bytearray(b"1")), "special": constant("__len__", "__missing__", "__call__"),
    "view_type": each(keys=lambda: type({}.keys()), items=lambda: type({}.items())),
    "hex": constant("00ff", "ab cd", "xyz", "", "\u20ac"), "separator": constant(":", b"-", "", "\u20ac", "ab"),
    "spec_object": each(spec=lambda: __import__("importlib.machinery").machinery.ModuleSpec("made", None),
                        namespace=lambda: types.SimpleNamespace(name="made", origin=None)),
    "fromlist": each(none=lambda: None, some=lambda: ("path",), star=lambda: ("*",)),
}
