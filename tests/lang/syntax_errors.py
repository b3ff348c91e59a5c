# What is reported for mistakes in source text: type, message and the whole location.
CASES = [
    "f() = 1", "(a b)", "x = (1,\n2", "print a", "if x = 3: pass", "for f() in x: pass", "del f()", "a, f() = 1",
    "with a as f(): pass", "[x for f() in y]", "{1:2, 3}", "{1:*a}", "{1:}", "def f(a=1,b): pass", "def f((a)): pass",
    "def f(*): pass", "lambda *: 1", "def f(**k, a): pass", "f(a=1, b)", "f(**a, *b)", "f(x for x in y, 1)",
    "f(1, x for x in y)", "f(a.b=1)", "f(True=1)", "(*a)", "(**a)", "[*a for a in b]", "[a, b for a in b]",
    "{**a for a in b}", "[a]: int", "a,b: int", "f(): int", "f() += 1", "1 if 2", "from a import b,", "a = 1 = 2",
    "if x:\npass", "  x", "if x:\n    y\n  z\n", "try:\n pass\nexcept A, B:\n pass", "try:\n pass\nexcept*: pass",
    "class A\n  pass\n", "def f()\n  pass\n", "match x\n", "match x:\n case a as _: pass\n", "x = 'abc", "x = '''abc",
    "x)", "(]", "0777", "1__0", "0b2", "1a", "a\\ b", "\u20ac = 1", "f'{a b}'", "f'{}'", "f'{a'", "f'}'", "f'{a!x}'",
    "'\\x'", "b'\\x'", "async x", "(" * 201,
]
for case in CASES:
    try:
        compile(case, "<case>", "exec")
        print(repr(case[:40]), "accepted")
    except SyntaxError as error:
        print(repr(case[:40]), type(error).__name__, error.args)
