"""Seeds for the fuzz targets: small pieces of the standard library and its tests, always the same ones.

    corpus.py lexer|parser|compiler|marshal DIRECTORY
"""
import ast
import hashlib
import marshal
import pathlib
import random
import sys
import sysconfig
import textwrap
import warnings

MAX_SOURCE = 300
SNIPPETS = 1500
# Files dense in syntax that the library itself seldom uses.
DENSE = ["test/test_grammar.py", "test/test_patma.py", "test/test_fstring.py", "test/test_syntax.py",
         "test/test_except_star.py", "test/test_coroutines.py", "test/test_type_comments.py",
         "test/test_positional_only_arg.py", "test/test_named_expressions.py", "test/test_generators.py",
         "test/test_scope.py", "test/test_unpack_ex.py", "test/test_string_literals.py", "test/test_unparse.py"]
# What is hard to come by through mutation.
SPECIAL = [b"# coding: latin-1\nx = '\xe4'\n", b"\xef\xbb\xbfx = 1\n", b"#!/x\n# -*- coding: utf-16 -*-\n", b"\x0cif 1:\r\n\tx\r\n",
           b"x = 1 \\\n  + 2\n", b"if 1:\n        x\n\ty\n", b"(" * 150 + b")" * 150, b"[" * 250, b"-" * 500 + b"1",
           b"f'{x!r:{y}}' f'{{}}' '\\N{DIGIT ONE}\\u1234\\xff'", b"rb'\\x' b'\\xff'", b"0x_f 0b1 0o7 1_0.0e-1j 1if 1else 2",
           "\u00e4\u00f6 = '\U0001F600\u2028'; \uff41 = \u2102".encode(), b"def f(a, /, b: int = 1, *c, d, **e) -> x: ...",
           b"match x:\n case {'a': [1, *_], **r} | A(b=-1+2j) if y: pass\n", b"async def f():\n [x async for y in z]\n await w\n",
           b"try: x\nexcept* (A, B) as e: raise\nelse: y\nfinally: z\n", b"x = lambda *, a=1: (yield)\n",
           b"with (a as b, c as [d, *e],): pass\n", b"global x\nnonlocal y\n", b"from __future__ import annotations\nx: y\n",
           b"'''a\nb''' \"\"\"c\"\"\" 'd\\\ne'\n", b"x = {**a, 'b': 1, **c}; y = {*a, 1}; z = [*a]\n", b"'%s %5.2f' % (a, b)\n"]


def pieces(source):
    """Statements that are short enough, of any depth, with the lines they stand on."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            text = textwrap.dedent("".join(lines[node.lineno - 1:node.end_lineno]))
            if 3 < len(text) <= MAX_SOURCE:
                yield text.encode("utf-8", "surrogatepass")


def snippets():
    root = pathlib.Path(sysconfig.get_path("stdlib"))
    generator = random.Random(20)
    library = sorted(root.glob("*.py")) + sorted(root.glob("asyncio/*.py"))
    chosen = generator.sample(library, 60) + [root / name for name in DENSE if (root / name).exists()]
    found = set()
    for path in chosen:
        found.update(pieces(path.read_text("utf-8", "replace")))
    return generator.sample(sorted(found), min(SNIPPETS, len(found))) + SPECIAL


def marshalled(sources):
    values = [None, True, ..., 0, -1, 2**100, -2**40, 1.5, float("nan"), 1j, "a", "\u1234", "\ud800", b"x", (), (1, (2,)),
              [1, [2]], {1: 2, "a": None}, {1, "b"}, frozenset({1}), StopIteration, "x" * 300, tuple(range(300))]
    shared = ["shared"]
    values += [(shared, shared, "name", "name"), [values[:9]] * 2]
    for value in values:
        for version in range(5):
            try:
                yield marshal.dumps(value, version)
            except ValueError:
                pass
    for source in sources[:400]:
        try:
            yield marshal.dumps(compile(source, "<seed>", "exec"))
        except (SyntaxError, ValueError):
            pass


def main():
    target, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    warnings.simplefilter("ignore")
    seeds = snippets()
    if target == "marshal":
        seeds = list(marshalled(seeds))
    elif target != "lexer":
        # The first byte is the choice of options: a file, or an expression.
        seeds = [b"\0" + seed for seed in seeds] + [b"\x02" + seed for seed in seeds[:200]]
    directory.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (directory / hashlib.sha1(seed).hexdigest()).write_bytes(seed)


if __name__ == "__main__":
    main()
