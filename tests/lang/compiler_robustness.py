# Source text at its limits: nesting, null bytes, surrogates, encodings, line ends and tabs; damaged marshal data.
import ast
import codecs
import itertools
import marshal
import os
import random
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")


def attempt(function, *arguments):
    try:
        result = function(*arguments)
    except SyntaxError as error:
        return type(error).__name__, error.msg, error.lineno, error.offset, error.end_lineno, error.end_offset, error.text
    except Exception as error:
        return type(error).__name__, str(error)
    return result


def compiled(source, mode="exec"):
    result = attempt(compile, source, "<test>", mode)
    return result if isinstance(result, tuple) else "compiles"


def short(value):
    text = repr(value)
    return text if len(text) < 400 else f"{text[:200]} ... {text[-100:]} ({len(text)})"


def show(title, value):
    print(f"{title}: {short(value)}")


# --- Nesting: where the tokenizer, the parser, the symbol table and the compiler give up

FORMS = {
    "parentheses": ("(", "1", ")"), "lists": ("[", "", "]"), "sets": ("{", "1", "}"), "dicts": ("{1:", "2", "}"),
    "calls": ("f(", "", ")"), "subscripts": ("a[", "1", "]"), "minus": ("-", "1", ""), "not": ("not ", "x", ""),
    "lambda": ("lambda: ", "1", ""), "conditional": ("a if b else ", "c", ""), "power": ("2**", "1", ""),
    "await": ("await ", "x", ""), "comprehension": ("[x for x in ", "y", "]"), "attributes": ("", "a", ".b"),
    "trailing calls": ("", "f", "()"), "additions": ("", "x", "+x"), "comparisons": ("", "x", "<x"), "ands": ("", "x", " and x"),
    "walrus": ("(a:=", "1", ")"), "star": ("[*", "a", "]"), "strings": ("", "''", " 'x'"), "yield": ("(yield ", "x", ")"),
    "f-string": ("f'{", "1", "}'"), "tuples": ("(", "1", ",)"), "slices": ("a[b:", "1", "]"), "keywords": ("f(a=", "1", ")"),
}
for name, (before, middle, after) in FORMS.items():
    for depth in (1, 19, 20, 21, 50, 90, 99, 100, 101, 150, 190, 199, 200, 201, 250, 1000, 10000):
        show(f"{name} {depth}", compiled(before * depth + middle + after * depth))

BLOCKS = ["if x:", "while x:", "for x in y:", "with x:", "def f():", "class C:", "try:", "async def f():", "match x:", "else:"]
for head in BLOCKS[:7]:
    for depth in (1, 10, 19, 20, 21, 22, 50, 98, 99, 100, 101, 150):
        lines = [" " * i + head for i in range(depth)] + [" " * depth + "pass"]
        if head == "try:":
            lines += [" " * i + "finally: pass" for i in reversed(range(depth))]
        show(f"{head} {depth}", compiled("\n".join(lines)))
for count in (10, 100, 1000, 3000):
    show(f"elif {count}", compiled("if x: pass\n" + "elif x: pass\n" * count))
for count in (10, 255, 256, 1000):
    show(f"decorators {count}", compiled("@d\n" * count + "def f(): pass"))
    show(f"parameters {count}", compiled(f"def f({', '.join(f'a{i}' for i in range(count))}): pass"))
    show(f"with items {count}", compiled(f"with {', '.join(['a'] * count)}: pass"))
    show(f"targets {count}", compiled("a = " * count + "1"))
    show(f"generators {count}", compiled("[x " + "for x in y " * count + "]"))
    show(f"cases {count}", compiled("match x:\n" + "".join(f" case {i}: pass\n" for i in range(count))))
    show(f"alternatives {count}", compiled(f"match x:\n case {'|'.join(['1'] * count)}: pass"))
    show(f"patterns {count}", compiled(f"match x:\n case {'[' * count}{']' * count}: pass"))
show("a long line", compiled("x = " + "1 + " * 20000 + "1"))
show("many names", compiled("\n".join(f"a{i} = b{i}" for i in range(70000))))
show("a long name", compiled("a" * 100000 + " = 1"))
show("a long string", compiled("'" + "a" * 1000000 + "'"))
show("a long int", compiled("1" * 5000))
show("a long hexadecimal", compiled("0x" + "f" * 50000))
show("deep tree", attempt(lambda: compile(ast.Expression(
    body=__import__("functools").reduce(lambda inner, _: ast.UnaryOp(op=ast.Not(), operand=inner), range(500),
                                        ast.Constant(value=1))), "<tree>", "eval")).__class__)
for limit in (60, 100, 300):
    sys.setrecursionlimit(limit)
    results = [compiled("-" * depth + "1") for depth in (10, 50, 100, 150, 200, 290, 500, 900)]
    sys.setrecursionlimit(1000)
    show(f"recursion limit {limit}", results)

# --- Null bytes and surrogates

for source in ("\0", "a\0", "a = '\0'", "#\0", "a\n\0b", b"\0", b"x = 1\0", b"'\0'", b"# \0\n", "'\ud800'", "\ud800", "a\udc80 = 1",
               "# \ud800", "f'\udfff'", b"'\xed\xa0\x80'", "'''\ud800", "\ufeffx = 1", "\ufeff\ufeffx = 1", "x = \ufeff1"):
    show(f"source {source!a}", compiled(source))
    show(f"eval {source!a}", attempt(eval, source))
    show(f"tree {source!a}", attempt(lambda: ast.dump(ast.parse(source))))
show("null in the name", attempt(compile, "1", "a\0b", "eval").__class__)
show("surrogate in the name", attempt(compile, "1", "a\udc80b", "eval").__class__)
show("error in a file with a surrogate", attempt(compile, "1 +", "a\udc80b", "eval"))
for kind in (bytearray, memoryview):
    show(f"source as {kind.__name__}", compiled(kind(b"x = '\xc3\xa4'\n")))

# --- Encodings

TEXT = "# coding: {}\nx = 'a\u00e4\u20ac\u03b1\u3042'\ny = 1 +\n"
NAMES = sorted({name for name in __import__("encodings.aliases").aliases.aliases.values() if not name.endswith("_codec")})
for name in NAMES + ["utf-8", "UTF8", "Latin-1", "iso-8859-15", "nonsense", "utf-8-sig", "utf-7", "hex", "rot13", "base64", "idna",
                     "punycode", "undefined", "raw_unicode_escape", "unicode_escape", "mbcs", "a" * 300]:
    try:
        data = TEXT.format(name).encode(name, "ignore")
    except (LookupError, UnicodeError, TypeError, AssertionError):
        data = TEXT.format(name).encode("latin-1", "ignore")
    show(f"encoding {name}", compiled(data))
    show(f"declared {name}", compiled(b"# -*- coding: " + name.encode() + b" -*-\nx = '\xe4\x80\xff'\n"))
for line in (b"#coding=latin-1", b"# vim: set fileencoding=latin-1 :", b"#coding:latin-1", b"# coding : latin-1", b"#  coding =latin-1",
             b"x # coding: latin-1", b"# coding:", b"# coding: \xe4", b"\xef\xbb\xbf# coding: latin-1", b"\xef\xbb\xbf# coding: utf-8",
             b"\xef\xbb\xbf", b"\xef\xbb", b"\xef\xbb\xbf\xef\xbb\xbf", b"\xff\xfe#", b"\xfe\xff#", b"\n# coding: latin-1",
             b"\n\n# coding: latin-1", b"#\n# coding: latin-1", b"'''\n# coding: latin-1\n'''", b"\x0c# coding: latin-1",
             b"# coding: latin-1\r", b"# coding: utf-8\r\n", b"\\\n# coding: latin-1", b"# coding: latin-1 coding: utf-8"):
    show(f"cookie {line!r}", compiled(line + b"\nx = '\xe4'\n"))
    show(f"value {line!r}", attempt(lambda: ast.literal_eval(ast.parse(line + b"\n'\xc3\xa4'\n").body[-1].value)))
for tail in (b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xf8", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"):
    for where in (b"'%s'", b"# %s", b"x%s", b"\n\nx = '%s'", b"'''\n%s\n'''", b"'a' %s"):
        show(f"bad utf-8 {where % tail!r}", compiled(where % tail))
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "module.py")
    for data in (b"x = '\xe4'\n", b"\xef\xbb\xbfx = 1\n", b"# coding: latin-1\nx = '\xe4'\n", b"x = 1\0\n", b"# coding: nonsense\n",
                 b"x = 1\r\ny = 2\rz = 3\n", b"\xef\xbb\xbf# coding: latin-1\n", b"x = '\xe4", b"if x:\n\ty\n        z\n"):
        with open(path, "wb") as file:
            file.write(data)
        sys.path.insert(0, directory)
        sys.modules.pop("module", None)
        __import__("importlib").invalidate_caches()
        sys.dont_write_bytecode = True
        result = attempt(lambda: sorted(set(vars(__import__("module"))) & set("xyz")))
        show(f"import {data!r}", str(result).replace(directory, "DIRECTORY"))
        sys.path.pop(0)
        for opened in ("rb",):
            show(f"open {data!r}", attempt(lambda: compiled(open(path, opened).read())))

# --- Line ends, tabs, form feeds, continuation lines

generator = random.Random(4)
PARTS = ["\n", "\r\n", "\r", "\t", " ", "  ", "        ", "\f", "\\\n", "\\\r\n", "\\\r", "\\", "if x:", "y", "(", ")", "'a'", "'''", '"',
         "#c", ":", ";", "pass", "\x0b", "\x1a", "\x1c", "\u2028", "\x85", "\u00a0", "else:"]
for number in range(1500):
    source = "".join(generator.choice(PARTS) for _ in range(generator.randrange(1, 12)))
    show(f"lines {source!a}", compiled(source))
for indents in itertools.product(["", " ", "\t", " \t", "\t ", "        ", "       \t", "\f", " \f ", "\t\t"], repeat=3):
    source = f"{indents[0]}if x:\n{indents[1]}y\n{indents[2]}z\n"
    show(f"indents {source!a}", compiled(source))
for ending in ("\n", "\r\n", "\r"):
    source = f"def f():{ending}    '''a{ending}b\\{ending}c'''{ending}    return (1,{ending}  2){ending}"
    show(f"ending {ending!a}", attempt(lambda: ast.dump(ast.parse(source), include_attributes=True)))
    show(f"bytes ending {ending!a}", attempt(lambda: ast.dump(ast.parse(source.encode()), include_attributes=True)))

# --- Marshal data: cut, changed, made up

code = compile("def f(a, *b, c=(1, 2.5, 'x', b'y', 3j)): return {a, 10**30} | {None: ...}", "<m>", "exec")
data = marshal.dumps([code, (1, [2, {3: frozenset({4})}]), 2**70, "\u1234\ud800", 1.5, {5}])


def loaded(data):
    result = attempt(marshal.loads, data)
    return result if isinstance(result, tuple) and result and result[0].__class__ is str else type(result).__name__


for end in range(len(data)):
    show(f"cut at {end}", loaded(data[:end]))
for kind in range(256):
    for rest in (b"", b"\0", b"\xff" * 4, b"\1\0\0\0", b"\1\0\0\0N", b"\x7f\0\0\0" + b"N" * 10, b"\0\0\0\x80", b"\0\0\0\0"):
        if chr(kind & 127) in "c" and rest:
            continue
        show(f"type {kind:#x} {rest!r}", loaded(bytes([kind]) + rest))
for depth in (100, 1000, 1990, 2000, 2001, 5000):
    show(f"nested {depth}", loaded(b"\xa9\1" * depth + b"N"))
    show(f"nested lists {depth}", loaded(b"[\1\0\0\0" * depth + b"N"))
