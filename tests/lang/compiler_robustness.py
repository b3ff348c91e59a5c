# Source text at its limits: nesting, null bytes, surrogates; damaged marshal data.
import ast
import marshal
import sys
import warnings

from support.compiling import attempt, compiled, show

warnings.simplefilter("ignore")

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
for source in ("f(\u00e4'", "\u00e4 = \u00e4(\u00e4 '", '\u00e4."""x', "\u00e4$", "\u00e4 0x", "\u00e4: \u00e4 = '\\d' '"):
    show(f"broken after a name {source!a}", compiled(source))
show("null in the name", attempt(compile, "1", "a\0b", "eval").__class__)
show("surrogate in the name", attempt(compile, "1", "a\udc80b", "eval").__class__)
show("error in a file with a surrogate", attempt(compile, "1 +", "a\udc80b", "eval"))
for kind in (bytearray, memoryview):
    show(f"source as {kind.__name__}", compiled(kind(b"x = '\xc3\xa4'\n")))

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
# References to a tuple that is still being read.
for data in (b"\xa9\1r\0\0\0\0", b"\xa9\1[\1\0\0\0r\0\0\0\0", b"\xa9\2N(\1\0\0\0r\0\0\0\0"):
    show(f"recursive {data!r}", attempt(lambda: repr(marshal.loads(data))))
