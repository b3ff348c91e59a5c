# Modes, flags and feature versions of compile(), trees that no source gives, unparsing, incomplete input.
import ast
import codeop
import warnings

warnings.simplefilter("ignore")
LOAD, STORE = ast.Load(), ast.Store()


def show(label, function):
    try:
        result = function()
    except (SyntaxError, ValueError, TypeError, AttributeError, OverflowError, SystemError, RecursionError) as error:
        result = type(error).__name__, str(error).split(" at 0x")[0], error.args[1:]
    print(label, result)


def code(source, mode, flags=0):
    compiled = compile(source, "<source>", mode, flags)
    return compiled.co_flags, compiled.co_code.hex()


def dump(source, **options):
    return ast.dump(ast.parse(source, **options), include_attributes=True)


def typed_in(source, mode):
    compiled = codeop.compile_command(source, "<input>", mode)
    return compiled and compiled.co_code.hex()


AWAITING = [
    'await x', 'async for a in b: pass', 'async with a as b: pass', '[x async for x in y]', 'def f(): await x',
    'lambda: await x', 'class C: await x', 'x = await y + 1', 'yield 1', 'return 1', '[await z for z in q]',
    '{await a: await b}', '(await x for x in y)', 'async def f(): return [i async for i in j]', 'if 1:\n  await x\n',
]
for source in AWAITING:
    for mode in ("exec", "single", "eval"):
        show((source, mode), lambda: code(source, mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))

INPUT = [
    '', '\n', 'x', 'x\n', 'if x:', 'if x:\n  y', 'if x:\n  y\n', '(', '[1,', 'x +', "'a", "'''a", "'''a\n",
    'def f():', 'def f():\n  pass\n', '@a', '@a\n', 'class C:\n', 'for x in', 'try:\n  a\n',
    'try:\n  a\nexcept:\n  b', 'x \\', 'x \\\n', '# c', 'lambda: ', '1 2', 'a b', 'x = ', 'match x:\n',
    'match x:\n case', 'async def f():\n', 'raise = 2', 'f(a=', '{1:', '{1:2', 'if 1:\n  pass\nelse:', "f'{", "f'{x",
    "f'{x}", 'with a:', 'return', '  x', '\tx\n', 'if 9==3:\n  pass\nelse:\n  pass',
    'def f():\n    a\n  d\n', 'a\n)', 'a = b]', "match x:\n case y:\n  'z\n 0\n", 'if x:\n  y\n }',
]
for source in INPUT:
    for mode in ("single", "exec", "eval"):
        show((source, mode), lambda: typed_in(source, mode))

FUNCTION_TYPES = [
    '() -> int', '(int) -> int', '(int, str) -> x', '(*int) -> x', '(*int, **str) -> x', '(int, *int, **str) -> x',
    '(**str) -> x', '(int,) -> x', '(*int, int) -> x', '(**a, *b) -> c', 'int -> x', '(a.b[c], d) -> e.f\n', '() ->',
    '(a b) -> c', '(x) -> y z', '() -> (yield)',
]
for source in FUNCTION_TYPES:
    show(source, lambda: dump(source, mode="func_type"))

EXPRESSIONS = [
    'x', 'x, y', '*x', 'x\n\n', 'x = 1', '', '(yield)', 'x y', 'x; y', '  x', '\nx', 'x for x in y', 'lambda: 1',
    'a if b else c', 'x #c',
]
for source in EXPRESSIONS:
    show(source, lambda: dump(source, mode="eval"))

STATEMENTS = [
    'x', 'x\n', 'x; y', 'x; y\n', 'x\ny', 'if x: y', 'if x: y\n', 'if x:\n  y\n', 'if x:\n  y\nz\n', '', '\n', '#',
    'def f(): pass', 'x # c', 'x\n# c\n', 'x\n\n\n', 'x;\n', '@a\ndef f(): pass\n',
]
for source in STATEMENTS:
    show(source, lambda: dump(source, mode="single"))

VERSIONS = [
    'async def f():\n  pass\n', 'async def f():\n  async for x in y:\n    pass\n',
    'async def f():\n  async with x as y:\n    pass\n', 'async def f():\n  await x\n', 'x: int = 3\n', '(x): int\n',
    'x.y: int = 2 + 4\n', 'a @ b\n', 'a @= b\n', '1_000 + 2\n', '(x := 3)\n', 'f(x := 3, 4)\n', '[x := 3]\n',
    'if x := 3: pass\n', 'def f(a, /, b): pass\n', 'lambda a, /, b: 1\n', 'lambda a=1, /, *b: 1\n', "f'{a}'\n",
    'with (a as b, c): pass\n', 'with (a, b): pass\n', 'with (a): pass\n', 'with (a as b): pass\n',
    'match x:\n  case 1:\n    pass\n', 'try: pass\nexcept* A: pass\n', '[x async for x in y]\n',
    'async def f():\n  [x async for x in y]\n', 'async def f(): return [x async for x in y if z]\n',
    '@a.b[1]\ndef f(): pass\n', '@x:=y\ndef f(): pass\n', 'x[*a]\n', 'def f(*a: *b): pass\n',
    'for x in *a, b: pass\n', 'return *a, b\n', 'async = 1\n', 'await = 2\n', 'def async(): pass\n',
    'async def f():\n  def async(): pass\n', 'f(**a, *b)\n', "print(f'{x=}')\n", 'x = *a,\n', 'del (a)\n',
    'x[a:=1]\n', '{x:=1}\n', 'x[a:=1, b]\n', 'while x := f(): y\n', 'async for x in y: pass\n',
    'def f():\n  async with a: pass\n', 'global x\n', '1_0.0_1j\n', '0x_f\n',
    'class A:\n    async def f(self):\n        await x\n\nasync def h():\n    a = 1\n    b = await x\nawait = 1\n',
    'async def f():\n    # type: () -> int\n    return await x\n\n\nasync def g():  # type: () -> int\n    return await x\nasync = 1\n',
    'for x in y:  # type: int\npass\n', 'with x:  # type: int\npass\n', 'def f():  # type: () -> int\npass\n',
    'for x in y:\npass\n', 'with x:\npass\n', 'def f():\n  # type: () -> int\n  pass\n$\n',
    'def f():\n  # type: () -> int\n  pass\nx y\n',
]
for source in VERSIONS:
    for minor in range(3, 12):
        for comments in (False, True):
            show((source, minor, comments), lambda: dump(source, feature_version=(3, minor), type_comments=comments))

TREES = [
    ast.Module([ast.Expr(ast.Name('x', STORE))], []),
    ast.Module([ast.Assign([ast.Name('x', LOAD)], ast.Constant(1))], []),
    ast.Module([ast.Assign([], ast.Constant(1))], []), ast.Module([ast.Delete([])], []),
    ast.Module([ast.Delete([ast.Name('x', LOAD)])], []),
    ast.Module([ast.FunctionDef('f', ast.arguments([], [], None, [], [], None, []), [], [])], []),
    ast.Module([ast.Expr(ast.Constant([]))], []), ast.Module([ast.Expr(ast.Constant(object))], []),
    ast.Module([ast.Expr(ast.BoolOp(ast.And(), [ast.Constant(1)]))], []),
    ast.Module([ast.Expr(ast.Compare(ast.Constant(1), [], []))], []),
    ast.Module([ast.Expr(ast.Compare(ast.Constant(1), [ast.Lt()], []))], []),
    ast.Module([ast.Expr(ast.Dict([ast.Constant(1)], []))], []), ast.Module([ast.Expr(ast.Set([]))], []),
    ast.Module([ast.Expr(ast.ListComp(ast.Constant(1), []))], []), ast.Module([ast.Try([], [], [], [])], []),
    ast.Module([ast.Try([ast.Pass()], [], [], [])], []),
    ast.Module([ast.Try([ast.Pass()], [], [ast.Pass()], [ast.Pass()])], []), ast.Module([ast.Global([])], []),
    ast.Module([ast.Import([])], []), ast.Module([ast.ImportFrom('x', [ast.alias('a')], -1)], []),
    ast.Module([ast.With([], [ast.Pass()])], []), ast.Module([ast.Match(ast.Constant(1), [])], []),
    ast.Module([ast.Match(ast.Constant(1), [ast.match_case(ast.MatchValue(ast.Name('x', LOAD)), None, [ast.Pass()])])], []),
    ast.Module([ast.Match(ast.Constant(1), [ast.match_case(ast.MatchSingleton(1), None, [ast.Pass()])])], []),
    ast.Module([ast.Match(ast.Constant(1), [ast.match_case(ast.MatchMapping([], [ast.MatchAs()], None), None, [ast.Pass()])])], []),
    ast.Module([ast.Match(ast.Constant(1), [ast.match_case(ast.MatchAs(ast.MatchAs(), None), None, [ast.Pass()])])], []),
    ast.Module([ast.Match(ast.Constant(1), [ast.match_case(ast.MatchAs(None, '_'), None, [ast.Pass()])])], []),
    ast.Module([ast.Match(ast.Constant(1), [ast.match_case(ast.MatchOr([ast.MatchAs()]), None, [ast.Pass()])])], []),
    ast.Module([ast.Expr(ast.Name('None', LOAD))], []), ast.Module([ast.Expr(ast.Name('True', LOAD))], []),
    ast.Module([ast.Expr(None)], []), ast.Module([None], []), ast.Module([ast.Raise(None, ast.Constant(1))], []),
    ast.Module([ast.AnnAssign(ast.Tuple([], STORE), ast.Constant(1), None, 1)], []),
    ast.Module([ast.AnnAssign(ast.Attribute(ast.Name('a', LOAD), 'b', STORE), ast.Constant(1), None, 1)], []),
    ast.Module([ast.AugAssign(ast.Tuple([], STORE), ast.Add(), ast.Constant(1))], []),
    ast.Module([ast.Expr(ast.Starred(ast.Name('x', LOAD), LOAD))], []),
    ast.Module([ast.Expr(ast.Call(ast.Name('f', LOAD), [], [ast.keyword('True', ast.Constant(1))]))], []),
    ast.Module([ast.ClassDef('None', [], [], [ast.Pass()], [])], []),
    ast.Module([ast.Expr(ast.Attribute(ast.Name('x', LOAD), 'None', LOAD))], []),
    ast.Module([ast.Nonlocal(['x'])], []), ast.Module([ast.Return(None)], []), ast.Expression(ast.Yield(None)),
    ast.Module([ast.Expr(ast.FormattedValue(ast.Constant(1), -1))], []),
    ast.Module([ast.Expr(ast.JoinedStr([ast.Constant(1)]))], []),
    ast.Module([ast.Expr(ast.NamedExpr(ast.Constant(1), ast.Constant(1)))], []),
    ast.Module([ast.For(ast.Constant(1), ast.Constant(1), [ast.Pass()], [])], []),
    ast.Module([ast.Expr(ast.Lambda(ast.arguments([], [], None, [], [], None, [ast.Constant(1)]), ast.Constant(1)))], []),
    ast.Module([ast.Expr(ast.Lambda(ast.arguments([], [], None, [ast.arg('a')], [], None, []), ast.Constant(1)))], []),
    ast.Module([ast.Expr(ast.Lambda(ast.arguments([], [ast.arg('None')], None, [], [], None, []), ast.Constant(1)))], []),
    ast.Interactive([]), ast.Module([], []), ast.Expr(ast.Constant(1)),
]
for tree in TREES:
    for mode in ("exec", "eval", "single"):
        show((ast.dump(tree), mode), lambda: code(ast.fix_missing_locations(tree), mode))

# Without the help of fix_missing_locations().
UNLOCATED = [
    ast.Module([ast.Expr(ast.Constant(1))], []), ast.Module([ast.Pass()]),
    ast.Module([ast.Expr(ast.Constant(1, lineno=1))], []),
    ast.Module([ast.Expr(ast.Constant(1, lineno=1, col_offset=0, end_lineno=0, end_col_offset=0), lineno=1, col_offset=0)], []),
    ast.Module([ast.Pass(lineno='x', col_offset=0)], []),
    ast.Module([ast.Pass(lineno=2, col_offset=0, end_lineno=1, end_col_offset=0)], []),
    ast.Module([ast.Pass(lineno=1, col_offset=5, end_lineno=1, end_col_offset=2)], []),
    ast.Module([ast.Pass(lineno=-1, col_offset=0)], []), ast.Module([ast.Pass(lineno=2 ** 40, col_offset=0)], []),
    ast.Module('ab', []), ast.Module([ast.Name()], []), ast.Module([ast.Name('x', LOAD, lineno=1, col_offset=0)], []),
    ast.Module([1], []), ast.Module([ast.FunctionDef()], []),
    ast.Module([ast.FunctionDef(name=1, lineno=1, col_offset=0)], []),
    ast.Module([ast.Expr(ast.Name(b'x', LOAD, lineno=1, col_offset=0), lineno=1, col_offset=0)], []),
    ast.Module([ast.Expr(ast.UnaryOp(ast.Add(), ast.Constant(1)), lineno=1, col_offset=0)], []),
]
for number, tree in enumerate(UNLOCATED):
    show(number, lambda: code(tree, "exec"))

UNPARSED = [
    'x', 'lambda:x', 'a if b else c', '(a,b)', 'a,', 'f(*a,**b)', 'x[a,b:c]', 'x[*a]', "f'{x!r:>{y}}a{{'", "'\\n\\''",
    '-(-1)', '(-1)**2', '2**-1', 'not (a and b)', 'a<b<c', '(yield)', 'await x', '{**a,1:2}', '{*a}', '()', '1e1000',
    '1j', '-1j', '...', "b'\\xff'", "'\\ud800'", '(x:=1)', '[x for x in y if z]', 'a@b',
    'async def f():\n async with a: pass', 'try: pass\nexcept* A: pass', 'with (a as b, c): pass',
    "match a:\n case {'x': 1, **r} if z: pass\n case [1, *_] | A(b, c=d) as e: pass",
    'def f(a, /, b: int=1, *c, d, e=2, **f) -> g: pass', 'global a, b', '@a\nclass C(B, metaclass=M): pass',
    'x: int = 1', '(x): int', 'del a, b', 'assert a, b', 'raise a from b', 'from .. import a as b', 'import a.b as c',
    "'''a\nb'''", 'def f():\n  \'\'\'doc\n  "x"\'\'\'', 'if a: pass\nelif b: pass\nelse: pass',
    'while a: pass\nelse: pass', 'for a, in b: pass', 'return', 'x = yield a, b', 'print((yield))', 'a = b = c',
    'lambda *a, b=1: (yield)', 'f"{\'a\'}"', 'f\'\'\'{"\'"}\'\'\'',
]
for source in UNPARSED:
    show(source, lambda: ast.unparse(ast.parse(source)))
