"""Kinds of functions.tsv that are not Python objects: C_KINDS maps a kind to [(label, factory of an Argument)].

One kind may stand for several C parameters that belong together: bytes and their length, a format and what it formats.
"""
import struct

import caller
from object_kinds import BUFFERS
from samples import Attributes, List, Plain


class Argument:
    def __init__(self, words=(), doubles=(), watched=(), keep=(), after=None):
        self.words = list(words)
        self.doubles = list(doubles)
        self.watched = list(watched)
        self.keep = list(keep)
        self.after = after


OUT_KINDS = {"object": 8, "borrowed": 8, "word": 8, "int": 4, "text": 8, "double": 8, "pointer": 8, "wide": 8, "method": 8}


def out_argument(kind, fill=0x55):
    """Room for a result; what was stored there is shown after the call."""
    memory = bytearray([0 if kind == "method" else fill] * 8)  # _PyObject_GetMethod relies on a null pointer

    def shown():
        value, = struct.unpack("q" if OUT_KINDS[kind] == 8 else "i", memory[:OUT_KINDS[kind]])
        untouched = value in (0x5555555555555555, 0x55555555)
        if untouched or kind in ("word", "int"):
            return "untouched" if untouched else value
        if kind == "double":
            return struct.unpack("d", memory)[0]
        if value == 0 or kind == "pointer":
            return "NULL" if value == 0 else "pointer"
        if kind in ("object", "borrowed", "method"):
            return caller.object_at(value)
        return caller.memory(value, -1) if kind == "text" else caller.wide_memory(value)
    return Argument([caller.address_of(memory)], keep=[memory], after=shown)


def text_argument(value):
    data = bytearray(value + b"\0")
    return Argument([caller.address_of(data)], keep=[data])


def wide_argument(value):
    data = bytearray(value.encode("utf-32-le", "surrogatepass") + bytes(4))
    return Argument([caller.address_of(data)], keep=[data])


def sized_argument(value):
    data = bytearray(value + b"\0")
    return Argument([caller.address_of(data), len(value)], keep=[data])


def words(*values):
    return [(repr(v), (lambda v=v: Argument([v]))) for v in values]


def texts(*values):
    return [(repr(v), (lambda v=v: text_argument(v))) for v in values]


def wides(*values):
    return [(repr(v), (lambda v=v: wide_argument(v))) for v in values]


def doubles(*values):
    return [(repr(v), (lambda v=v: Argument(doubles=[v]))) for v in values]


def sized(*values):
    return [(repr(v), (lambda v=v: sized_argument(v))) for v in values]


def sample(name):
    return (name, lambda: Argument([caller.sample(name)]))


def pointers(objects):
    """A C array of object pointers, as a bytearray."""
    return bytearray(struct.pack(f"{len(objects) + 1}P", *map(id, objects), 0))


def vector(*objects, names=None, offset=0):
    """(args, nargsf, kwnames) of a vectorcall; with an offset, the argument in front may be overwritten."""
    def make():
        values = [o() if o in (List, Plain) else o for o in objects]
        memory = pointers([None] * bool(offset) + values)
        positional = len(values) - len(names or ())
        return Argument([caller.address_of(memory) + 8 * bool(offset), positional | (1 << 63 if offset else 0), id(names) if names else 0],
                        watched=values, keep=[memory, values, names])
    return (f"{objects!r}{names or ''}{'+' * bool(offset)}", make)


def array_of(*objects):
    def make():
        memory = pointers(objects)
        return Argument([caller.address_of(memory), len(objects)], watched=objects, keep=[memory])
    return (repr(objects), make)


def varargs(text, *values):
    """A format string and what follows it; bytes become char pointers, other objects stay objects, ints stay words."""
    def make():
        argument = text_argument(text.encode())
        for value in values:
            if isinstance(value, bytes):
                data = bytearray(value + b"\0")
                argument.keep.append(data)
                argument.words.append(caller.address_of(data))
            elif isinstance(value, float):
                argument.doubles.append(value)
            elif isinstance(value, int) and not isinstance(value, bool):
                argument.words.append(value)
            else:
                argument.words.append(id(value))
                argument.watched.append(value)
        return argument
    return (f"{text!r}{values!r}", make)


def va_list(label_and_make, fixed=1):
    """The same behind a va_list whose register area is used up, so that everything is read from memory."""
    label, make = label_and_make

    def wrapped():
        argument = make()
        overflow = bytearray(struct.pack(f"{len(argument.words) - fixed + 1}Q", *(w & 2**64 - 1 for w in argument.words[fixed:]), 0))
        area = bytearray(struct.pack("IIPP", 48, 176, caller.address_of(overflow), 0))
        argument.keep += [overflow, area]
        argument.words = [*argument.words[:fixed], caller.address_of(area)]
        return argument
    return (label, wrapped)


def object_arguments(*objects):
    return (repr(objects), lambda: Argument([*map(id, objects), 0], watched=objects))


def parser_arguments(args, text, count):
    """(args, format, out...): what was stored is shown."""
    def make():
        data = bytearray(text.encode() + b"\0")
        out = bytearray(8 * max(count, 1))
        base = caller.address_of(out)
        return Argument([id(args), caller.address_of(data), *(base + 8 * i for i in range(count))], watched=[args],
                        keep=[data, out, args], after=lambda: shown_words(out, count))
    return (f"{args!r} {text!r}", make)


def shown_words(out, count):
    """Words that look like addresses are only said to be pointers."""
    return ["pointer" if 2**20 < w < 2**63 else w - (w >> 63 << 64) for w in struct.unpack(f"{count}Q", out[:8 * count])]


def identifier(name):
    """A _Py_Identifier: the string and an index that the interpreter fills in."""
    def make():
        text = bytearray(name.encode() + b"\0")
        memory = bytearray(struct.pack("Pq", caller.address_of(text), -1))
        IDENTIFIERS.append((text, memory))  # the interpreter remembers the string by the index
        return Argument([caller.address_of(memory)])
    return (name, make)


IDENTIFIERS = []


def current_thread():
    return caller.call(caller.symbol("PyThreadState_Get"), 0, [], [], [])[0]


def current_interpreter():
    return caller.call(caller.symbol("PyInterpreterState_Get"), 0, [], [], [])[0]


def buffer_of(factory, flags=0x11c):
    """A Py_buffer over an object's memory (PyBUF_FULL_RO)."""
    def make():
        owner = factory()
        view = bytearray(80)
        caller.call(caller.symbol("PyObject_GetBuffer"), 0, [id(owner), caller.address_of(view), flags], [], [])
        return Argument([caller.address_of(view)], keep=[view, owner])
    return make


def scratch(size, fill=b"\0"):
    """Writable memory whose contents are shown after the call."""
    def make():
        memory = bytearray(fill * size)
        return Argument([caller.address_of(memory)], keep=[memory], after=lambda: bytes(memory))
    return (f"memory[{size}]", make)


def new_view():
    """Room for a Py_buffer, whose numbers and texts are shown after the call."""
    def make():
        memory = bytearray(80)

        def shown():
            _, _, length, itemsize, readonly, ndim, format_, shape, strides, suboffsets, _ = struct.unpack("PPqqiiPPPPP", memory)
            sizes = [struct.unpack(f"{ndim}q", caller.memory(p, 8 * ndim)) if p else None for p in (shape, strides, suboffsets)]
            return length, itemsize, readonly, ndim, caller.memory(format_, -1) if format_ else None, sizes
        return Argument([caller.address_of(memory)], keep=[memory], after=shown)
    return ("view", make)


def broken_down_time():
    """Room for a struct tm; the name of its zone is a pointer and left out."""
    def make():
        memory = bytearray(64)
        return Argument([caller.address_of(memory)], keep=[memory], after=lambda: struct.unpack("9iq", memory[:48]))
    return ("tm", make)


def file_of(text):
    def make():
        stream = caller.open_file(text)
        return Argument([stream], after=lambda: caller.file_contents(stream))
    return (f"file {text!r}", make)


def writer(*parts):
    """An initialised _PyUnicodeWriter; its text is shown after the call."""
    def make():
        memory = bytearray(64)
        place = caller.address_of(memory)
        caller.call(caller.symbol("_PyUnicodeWriter_Init"), 0, [place], [], [])
        for part in parts:
            caller.call(caller.symbol("_PyUnicodeWriter_WriteStr"), 0, [place, id(part)], [], [])

        def shown():
            word, _, error, _ = caller.call(caller.symbol("_PyUnicodeWriter_Finish"), 0, [place], [], [])
            return repr(error) if not word else caller.object_at(word)
        return Argument([place], keep=[memory], after=shown)
    return (f"writer {parts!r}", make)


def wide_list(*items):
    def make():
        memory = bytearray(16)
        place = caller.address_of(memory)
        status = bytearray(64)
        for item in items:
            text = wide_argument(item)
            caller.call(caller.symbol("PyWideStringList_Append"), 0, [caller.address_of(status), place, *text.words], [], [])

        def shown():
            word = caller.call(caller.symbol("_PyWideStringList_AsList"), 0, [place], [], [])[0]
            return caller.object_at(word) if word else None
        return Argument([place], keep=[memory], after=shown)
    return (f"wide list {items!r}", make)


BUILD = [varargs(""), varargs("i", 5), varargs("s", b"text"), varargs("(iO)", 5, "object"), varargs("{s:i}", b"key", 3),
         varargs("[iii]", 1, 2, 3), varargs("z", 0), varargs("O", None), varargs("ss", b"one", b"two"), varargs("y#", b"bytes", 3),
         varargs("s#", b"text", 2), varargs("u", 0), varargs("c", 65), varargs("C", 0x20ac), varargs("n", -7), varargs("k", 2**64 - 1),
         varargs("()"), varargs("[]"), varargs("{}"), varargs("b", 200), varargs("h", -5), varargs("H", 65535), varargs("I", 2**32 - 1),
         varargs("L", -2**63), varargs("K", 2**64 - 1), varargs("p", 1), varargs("(i", 5), varargs("i)", 5), varargs("O", 0),
         varargs("?", 1), varargs("{i}", 1), varargs("S", "text"), varargs("U", b"utf8"), varargs("((ii)[s])", 1, 2, b"x"),
         varargs("i , i", 1, 2)]
PRINTF = [varargs("plain"), varargs("%d and %s", 5, b"text"), varargs("%5d|%-5d|%05d", 3, 4, 5), varargs("%x %X", 255, 171),
          varargs("%ld %lu", -1, 2**64 - 1), varargs("%zd %zu", -3, 7), varargs("%c", 65), varargs("%.3s|", b"truncated"),
          varargs("%10s|", b"padded"), varargs("%%"), varargs("%p", 0), varargs("%lld", -2**63), varargs("%i", -7), varargs("%u", 2**32 - 1),
          varargs("%")]
OBJECT_PRINTF = [*PRINTF, varargs("%U|", "text"), varargs("%S %R", "str", "repr"), varargs("%A", "caf\xe9"), varargs("%V", 0, b"instead"),
                 varargs("%V|", "object", b"instead"), varargs("%.2R|%5U|", "text", "u"), varargs("%q", 1), varargs("%c", 0x110000),
                 varargs("%-5U|", "ab"), varargs("%5R|", 'x'), varargs("%s", b"caf\xc3\xa9 \xff"), varargs("%jd", 5), varargs("%td", 5)]
PARSE = [parser_arguments((), "", 0), parser_arguments((5,), "i", 1), parser_arguments((5, "x"), "iO", 2), parser_arguments(("text",), "s", 1),
         parser_arguments((None,), "z", 1), parser_arguments((b"x",), "y", 1), parser_arguments((1,), "ii", 2), parser_arguments((1, 2, 3), "ii:name", 2),
         parser_arguments((1,), "i|i", 2), parser_arguments((1, 2), "i|i:name", 2), parser_arguments(("x",), "i", 1), parser_arguments((2**40,), "i", 1),
         parser_arguments((300,), "b", 1), parser_arguments((-1,), "B", 1), parser_arguments((70000,), "h", 1), parser_arguments((1.5,), "d", 1),
         parser_arguments((5,), "s;custom message", 1), parser_arguments(((1, 2),), "(ii)", 2), parser_arguments(((1,),), "(ii):f", 2),
         parser_arguments(("ab",), "C", 1), parser_arguments((b"a",), "c", 1), parser_arguments((True,), "p", 1), parser_arguments((5,), "U", 1),
         parser_arguments((5,), "S", 1), parser_arguments((5,), "Y", 1), parser_arguments(("a\0b",), "s", 1), parser_arguments((2**70,), "n", 1),
         parser_arguments((-1,), "k", 1), parser_arguments((2**70,), "K", 1), parser_arguments((2**70,), "L", 1), parser_arguments(("é",), "s#", 2),
         parser_arguments((5,), "?", 1), parser_arguments([1], "i", 1), parser_arguments((1 + 2j,), "D", 2), parser_arguments((2.5,), "i", 1)]

def keep(thing):
    """Memory that API functions hold on to for good."""
    IDENTIFIERS.append(thing)
    return thing


def static(text):
    return (repr(text), lambda: Argument([caller.address_of(keep(bytearray(text + b"\0")))]))


def in_out(value):
    """A Py_ssize_t that the function reads and changes."""
    def make():
        memory = bytearray(struct.pack("q", value))
        return Argument([caller.address_of(memory)], keep=[memory], after=lambda: struct.unpack("q", memory)[0])
    return (f"&{value}", make)


def numbers(*values):
    """An array of 64-bit numbers, shown after the call."""
    def make():
        memory = bytearray(struct.pack(f"{len(values)}q", *values))
        return Argument([caller.address_of(memory)], keep=[memory], after=lambda: struct.unpack(f"{len(values)}q", memory))
    return (f"&{values}", make)


def pointer_to_null():
    return ("&NULL", lambda: out_argument("word", 0))


def pointer_array(make_item, *values):
    def make():
        items = [make_item(v) for v in values]
        memory = bytearray(struct.pack(f"{len(items) + 1}P", *(i.words[0] for i in items), 0))
        return Argument([caller.address_of(memory)], keep=[memory, items])
    return (repr(values), make)


def wide_sized(text, size):
    def make():
        argument = wide_argument(text)
        argument.words.append(size)
        return argument
    return (f"{text!r}, {size}", make)


def string_pairs():
    values = (1, 2)
    memory = pointers(values)
    return ("a=1, b=2", lambda: Argument([caller.address_of(memory), id(("a", "b"))], keep=[memory]))


def predicate():
    return ("PyObject_Not", lambda: Argument([caller.symbol("PyObject_Not")]))


def configuration(initialiser):
    """A PyConfig; its size is the headers'."""
    def make():
        memory = keep(bytearray(440))
        if initialiser is not None:
            caller.call(caller.symbol(initialiser), 0, [caller.address_of(memory)], [], [])
        return Argument([caller.address_of(memory)])
    return (str(initialiser), make)


def keyword_arguments(args, keywords, text, names, count):
    def make():
        argument = parser_arguments(args, text, count)[1]()
        array_words = [caller.address_of(keep(bytearray(n.encode() + b"\0"))) for n in names]
        array = keep(bytearray(struct.pack(f"{len(names) + 1}P", *array_words, 0)))
        first, template, *rest = argument.words
        argument.words = [first, id(keywords) if keywords is not None else 0, template, caller.address_of(array), *rest]
        argument.keep.append(keywords)
        return argument
    return (f"{args!r} {keywords!r} {text!r} {names!r}", make)


def unpack_arguments(args, least, most):
    """(args, name, least, most, out...)"""
    def make():
        argument = parser_arguments(args, "name", most)[1]()
        argument.words[2:2] = [least, most]
        return argument
    return (f"{args!r} {least} {most}", make)


def on_stack(label_and_make, args):
    """The same with the tuple's items as an array and a count."""
    label, make = label_and_make

    def wrapped():
        argument = make()
        memory = pointers(args)
        argument.words[:1] = [caller.address_of(memory), len(args)]
        argument.keep.append(memory)
        return argument
    return (label, wrapped)


def packed(*values):
    return (repr(values), lambda: Argument([len(values), *map(id, values)], watched=values))


PARSE_ONE = [parser_arguments(*p) for p in ((5, "i", 1), ("text", "s", 1), ((1, 2), "ii", 2), ((1, 2), "(ii)", 2), (5, "s", 1), (None, "z", 1), (5, "", 0),
                                           ("text", "s;message", 1))]
PARSE_KEYWORDS = [keyword_arguments(*p) for p in (
    ((1, 2), None, "ii", ("a", "b"), 2), ((1,), {"b": 2}, "ii:name", ("a", "b"), 2), ((), {"a": 1}, "i|i:name", ("a", "b"), 2),
    ((), None, "i|i:name", ("a", "b"), 2), ((1, 2, 3), None, "ii:name", ("a", "b"), 2), ((1,), {"a": 1}, "i|i:name", ("a", "b"), 2),
    ((1,), {"c": 1}, "i|i:name", ("a", "b"), 2), ((1,), {"c": 1}, "i|i", ("a", "b"), 2), ((1,), {}, "i|$i:name", ("a", "b"), 2), ((1, 2), {}, "i|$i:name", ("a", "b"), 2),
    ((1,), {"b": 5}, "i|$i:name", ("a", "b"), 2), ((1,), {"b": "x"}, "ii:name", ("", "b"), 2), ((), {"b": 1}, "Oi:name", ("", "b"), 2),
    ((1,), {}, "i$i:name", ("a", "b"), 2), ((), {}, "O|$O:name", ("", "default"), 2), ((), {}, "O|O:name", ("", "b"), 2), (("x",), {}, "s;text", ("a",), 1), ((), {}, "|$ii:name", ("a", "b"), 2), ((1,), {}, "|$ii:name", ("a", "b"), 2))]
PARSE_STACK = [on_stack(parser_arguments(*p), p[0]) for p in (((), "", 0), ((1,), "i", 1), ((1, 2), "i:name", 1), ((), "i:name", 1), (("x", 2), "O|i:name", 2))]
UNPACK = [unpack_arguments(*p) for p in (((), 0, 1), ((1,), 1, 1), ((1, 2), 1, 2), ((), 1, 2), ((1, 2, 3), 1, 2), ((), 2, 2), ([1], 1, 1))]
UNPACK_STACK = [on_stack(unpack_arguments(*p), p[0]) for p in (((), 0, 1), ((1,), 1, 1), ((1, 2), 1, 2), ((), 1, 2), ((1, 2, 3), 1, 2), ((), 2, 2))]
AUDIT = [("NULL", lambda: Argument([0])), varargs("i", 5), varargs("sO", b"text", None), varargs("(", 1)]
PACK = [packed(), packed(1), packed("a", 2, None)]
C_KINDS = {
    "int": words(0, 1, -1, 2, 100, 2**31 - 1, -2**31),
    "small": words(0, 1, 2, 3, -1), "flag": words(0, 1), "true": words(1), "zero": words(0), "null": words(0),
    "long": words(0, 1, -1, 255, 2**31, 2**63 - 1, -2**63), "ulong": words(0, 1, 255, 2**32, 2**64 - 1),
    "uint": words(0, 1, 255, 2**32 - 1),
    "index": words(0, 1, -1, 2, 5, 2**63 - 1, -2**63), "start": words(0, 1, -1, 3, 2**63 - 1), "end": words(2, 100, -1, 0, 2**63 - 1),
    "count": words(0, 1, 3, -1, 2**63 - 1), "size": words(0, 1, 16, 100), "length": words(0, 1, 5, -1, 2**63 - 1),
    "limit": words(-1, 0, 1, 2), "hash": words(0, 1, -1, 12345), "op": words(0, 1, 2, 3, 4, 5), "base": words(10, 16, 2, 8, 0, 36, 37, 1),
    "number_base": words(10, 16, 2, 8), "direction": words(1, -1), "ucs4": words(0, 65, 97, 0xe9, 0x20ac, 0x1f600, 0x10ffff, 0x110000),
    "character": words(0, 32, 48, 65, 95, 97, 0xb2, 0xdf, 0xe9, 0x130, 0x1c5, 0x345, 0x3a3, 0x660, 0x2028, 0x20ac, 0x2160, 0xfb01, 0x1d7d8, 0x1f600,
                       0x10ffff),
    "order": words(ord("C"), ord("F"), ord("A"), ord("x")), "byteorder": words(0, 1, -1), "errno": words(0, 2, 9),
    "double": doubles(0.0, -0.0, 1.5, -2.75, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 65504.0),
    "double2": doubles(0.0, 2.5, float("nan")),
    "complex": [(repr(v), lambda v=v: Argument(doubles=[v.real, v.imag])) for v in (0j, 1 + 2j, -1.5 - 0.5j, complex("inf-nanj"), 3 + 0j)],
    "text": texts(b"", b"text", b"key", b"caf\xc3\xa9", b"\xff\xfe"), "key_text": texts(b"key", b"missing", b"", b"caf\xc3\xa9", b"__class__"),
    "name": texts(b"key", b"missing", b"__class__", b"method", b"__module__"),
    "number_text": texts(b"12", b"-3.5e2", b" 7", b"7 ", b"x", b"", b"0x1f", b"1_0", b"inf", b"nan", b"1e400", b"0b1", b"0o17", b"00", b"1__0"),
    "module_text": texts(b"json", b"sys", b"missing_module", b"os.path", b""), "message": texts(b"message"), "where": texts(b" in test"),
    "encoding": texts(b"utf-8", b"latin-1", b"ascii", b"no-such", b"rot13", b"hex", b"utf-16"), "encoding?": texts(b"utf-8", b"ascii", b"no-such") + words(0),
    "errors": texts(b"strict", b"ignore", b"replace", b"surrogateescape", b"backslashreplace", b"no-such", b"surrogatepass") + words(0),
    "attribute": texts(b"byteorder", b"maxunicode", b"missing", b"stdout"), "capsule_name": texts(b"sample", b"wrong") + words(0),
    "capsule_path": texts(b"datetime.datetime_CAPI", b"datetime.missing", b"nothing.there", b"unicodedata._ucnhash_CAPI", b"_socket.CAPI", b"sys"),
    "source": texts(b"1 + 1", b"x = 5", b"print('out')", b"1 +", b"raise KeyError(1)", b"\xff"), "input": words(256, 257, 258),
    "filename": texts(b"<file>"), "compile_start": words(256, 257, 258, 345), "optimize": words(-1, 0, 2),
    "class_name": texts(b"module.Name", b"Name", b"a.b.Name"), "documentation": texts(b"Text.", b"f($self, /)\n--\n\nText.", b"f(x)\nplain", b"") + words(0),
    "printf": PRINTF, "object_printf": OBJECT_PRINTF, "build": BUILD, "arguments": [object_arguments(), object_arguments(1), object_arguments(1, "two")], "parse": PARSE,
    "va_printf": [va_list(p) for p in OBJECT_PRINTF if "%f" not in p[0]], "va_build": [va_list(p) for p in BUILD],
    "data": sized(b"", b"ascii", b"caf\xc3\xa9", b"a\xffb", b"\\x41\\n\\N{DIGIT ONE}\\q", b"+AGE-", b"\xff\xfea\0", b"a\0\0\0b\0\0\0", b"\xed\xa0\x80", b"abc\xe2\x82"),
    "source_data": sized(b"12", b"3.5", b"x", b"1_0"), "marshal_data": sized(b"i\x05\0\0\0", b"N", b"\xe9\x01\0\0\0", b"", b"[\x02\0\0\0NN", b"?", b"s\xff\xff\xff\x7f"),
    "signed_data": [(f"{v}", lambda v=v: sized_argument(v)) for v in (b"\x01\x02", b"\xff\xff\xff", b"", b"\x80" + bytes(8))],
    "wide": wides("", "text", "caf\xe9", "\U0001f600"),
    "vector": [vector(), vector(1), vector(1, "b"), vector(1, 2, names=("keyword",)), vector(1, 2, names=("unknown",)), vector(1, 2, offset=1), vector(List, 1)],
    "self_vector": [vector(Attributes()), vector(Attributes(), 1), vector([1], 2), vector(Attributes(), 1, 2, names=("k",)), vector(5, offset=1)],
    "stack": [array_of(), array_of(1), array_of("a", "b"), array_of(1, "x", None)],
    "strings_array": [array_of(), array_of("a"), array_of("a", "b\u20ac")],
    "identifier": [identifier("key"), identifier("missing"), identifier("method"), identifier("__class__")],
    "thread": [("current", lambda: Argument([current_thread()]))], "interpreter": [("current", lambda: Argument([current_interpreter()]))],
    "view": [(label, buffer_of(factory)) for label, factory in BUFFERS],
    "contiguous_view": [(label, buffer_of(factory)) for label, factory in BUFFERS if label != "strided"],
    "new_view": [new_view()], "room": [("room", lambda: Argument([caller.address_of(keep(bytearray(64)))]))], "tm": [broken_down_time()], "memory": [scratch(32)], "memory8": [scratch(8, b"\x3f")], "ones": [scratch(16, b"\xc1")],
    "buffer_flags": words(0, 1, 4, 8, 0x18, 0x1c, 0x38, 0x58, 0x98, 0x11c, 0x11d, 0x100),
    "method": [sample("noargs"), sample("one"), sample("many"), sample("broken")], "methods": [sample("methods")], "getset": [sample("getset")],
    "member": [sample("short"), sample("readonly"), sample("member")], "definition": [sample("module")], "type_spec": [sample("spec"), sample("bad_spec")],
    "sequence_description": [sample("sequence")], "pending": [sample("pending")], "capsule_destructor": [sample("destructor"), ("null", lambda: Argument([0]))],
    "pointer": words(0x1234, 1), "pointer?": words(0, 0x1234), "file": [file_of(b""), file_of(b"print('ran')\n"), file_of(b"1 +\n"), file_of(b"raise KeyError(5)\n")],
    "marshal_file": [file_of(b"i\x05\0\0\0"), file_of(b""), file_of(b"?")], "out_file": [file_of(b"")], "marshal_version": words(0, 2, 4),
    "writer": [writer(), writer("text"), writer("caf\xe9 ", "\u20ac")], "wide_list": [wide_list(), wide_list("a", "b")],
    "timeout": words(0, 1, -1, 1500000000, 1999999999, 2**63 - 1, -2**63, 86400 * 10**9), "rounding": words(0, 1, 2, 3), "stack_level": words(1, 2),
    "signal": words(2, 15, 0, -1, 1000), "fd": words(1, -1, 999), "opcode": words(1, 100, 116, 124, 0, 255), "level": words(0, 1, -1), "api_version": words(1013, 3, 1),
    "slot": words(66, 47, 0, -1, 100), "precision": words(0, 3, 17), "format_code": words(*map(ord, "efgrEx")), "float_flags": words(0, 1, 2, 4),
    "kind": words(1, 2, 4, 0, 3), "raw": sized(b"text"), "strip": words(0, 1, 2), "search": words(1, 2, 3), "print_flags": words(0, 1), "newline": words(-1, 0, 1, 3),
    "contiguous_type": words(0x100, 0x200, 0x400), "extra_index": words(0, 1, 300, -1), "domain": words(0, 1, 2), "category": words(1, 6),
    "bytesize": words(1, 2, 4, 8), "indent": words(0, 2, -1), "width": words(0, 4, 16, 100),
    "read_mode": texts(b"r"), "finite": doubles(0.0, 1.5, 1e300, float("inf"), -1.0), "null_wide_room": [("&NULL", lambda: Argument([caller.address_of(keep(bytearray(8)))]))],
    "offset": words(0, 2, 4), "memory64": [scratch(64)], "memory256": [scratch(256)], "zeros": [scratch(32)], "record": [scratch(32, b"\x01")],
    "config": [configuration(None)], "python_config": [configuration("PyConfig_InitPythonConfig")],
    "parse_keywords": PARSE_KEYWORDS, "parse_one": PARSE_ONE, "parse_stack": PARSE_STACK, "va_parse": [va_list(p, 2) for p in PARSE],
    "va_parse_keywords": [va_list(p, 4) for p in PARSE_KEYWORDS], "unpack": UNPACK, "unpack_stack": UNPACK_STACK,
    "va_plain_printf": [va_list(p) for p in PRINTF], "audit": AUDIT, "event": texts(b"test.event"), "pack": PACK,
    "allocator_name": texts(b"malloc", b"pymalloc_debug", b"default", b"debug", b"none"), "ascii_code": words(*map(ord, "(+*-=.<>/%|!&@^~:a")),
    "ascii_data": sized(b"", b"ascii", b"longer text"), "bad_fd": words(999, -1), "byte_format": sized(b"%s|%d", b"%b", b"%z", b"%5.1f", b"plain"),
    "divisor": words(1, 1000, 10**9), "documentation_text": texts(b"message(x)\n--\n\nText.", b"message($self, /)\n--\n\nMore.", b"Text."),
    "dtoa_digits": words(0, 3, 17), "dtoa_mode": words(0, 2, 3), "position": [in_out(0), in_out(1), in_out(-1), in_out(100)],
    "end_position": [in_out(2), in_out(100), in_out(-1)], "step": words(1, 2, -1), "small_size": words(0, 1, 5, 10),
    "env_name": texts(b"LC_ALL", b"NO_SUCH_VARIABLE"), "error_handler": words(1, 2, 3, 4, 0, 5, 9), "errors_name": texts(b"strict", b"surrogateescape", b"x"),
    "file_input": words(257), "floats": texts(b"\x00\x3c\x00\x00\x00\x00\xf0\x3f", b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x3c\x01\x02\x03\x04\x05\x06\x07"),
    "frozen": texts(b"__hello__", b"missing"), "group": words(0, 1, 2, -2), "indices": [numbers(0, 0), numbers(1, 2), numbers(0, 2)], "shape": [numbers(2, 3)],
    "kind_data": [(repr(v), lambda v=v: sized_argument(v[:8]) and Argument([caller.address_of(keep(bytearray(v))), len(v) // 4])) for v in
                  (b"abcdefgh", b"a\0b\0c\0d\0", b"a\0\0\0\xac\x20\0\0")],
    "legal_ucs4": words(0, 65, 0xe9, 0x20ac, 0x1f600), "long_code": words(*map(ord, "doxX")), "memory_flags": words(0x100, 0x200), "minus_one": words(-1),
    "missing_path": texts(b"/no/such/file", b"/root/none"), "mode": texts(b"r", b"w", b"x"), "needle": sized(b"t", b"ex", b"", b"nothing"),
    "new_module": texts(b"made_by_test", b"sys"), "null_wide": [pointer_to_null()], "order_place": [in_out(0), in_out(-1), in_out(1), ("null", lambda: Argument([0]))],
    "ordinal": words(0, 65, 0x10ffff, 0x110000, -1), "positive": words(1, 10, 100), "predicate": [predicate()],
    "readable": texts(__file__.encode(), b"/no/such/file"), "repeat": words(0, 1, 3, -1, 2**62), "resize": words(0, 1, 3, -1),
    "seconds": words(0, 86400 * 365, 1700000000), "shift": words(0, 1, 30, 100), "spec_end": words(0), "stack_size": words(0, 100, 1 << 20),
    "static_name": [static(b"name"), static(b"datetime.datetime_CAPI")], "std_fd": words(0, 1, 2, 999),
    "string_pairs": [string_pairs()], "struct_format": texts(b"i", b"<hh", b"x", b"bad", b"3s"), "struct_index": words(0, 1, 2),
    "text_array": [pointer_array(text_argument, b"one", b"two")], "wide_array": [pointer_array(wide_argument, "one", "two")],
    "time_pair": [numbers(1, 500), numbers(-1, 999), numbers(0, 0), numbers(2**40, 1)], "tss": [scratch(16)], "usable_signal": words(10, 999),
    "wide_mode": wides("r"), "wide_path": wides("/a/../b", "a//b/./c", "", "/", "../x"), "wide_sized": [wide_sized("", 0), wide_sized("text", 4),
                                                                                            wide_sized("caf\xe9\U0001f600", -1), wide_sized("\ud800", 1)],
    "writable_view": [(label, buffer_of(factory, 0x11d)) for label, factory in BUFFERS if label in ("bytearray", "array", "cast")],
    "inf_text": texts(b"inf", b"-Infinity", b"nan", b"+nan", b"infx", b"x", b""),
}
