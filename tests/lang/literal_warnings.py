# Warnings about literals in sources that do not compile: how often they come depends on the parser's passes.
import warnings

CASES = [
    "x = f(a, '\\e')\ny)\n", "x = '\\e'\ny)\n", "'\\e' )", "a['\\e')", "f'{x}\\e' 1", "x = f('\\e' 1)",
    "x.y('\\e')\n1a", "(a, '\\e'\n1a", "a = '\\e';b c", "x '\\e'", "x\n'\\e'\n$", "def f(a='\\e') $", "b'\\e' $ ",
    "[b'\\e' for x in $", "f('\\e'\n", "f'\\e{x y}'", 'f\'{"\\e"}\'', "'\\e{x}' f'{x!}'", '1or 2 x', 'x = 1or)',
    "f'{1or 2}' x", "f'{1or 2}' 'a' )", "x f'{1or 2}'", 'f\'{"a" 1or 2}\'', "f'{1or)}'",
]
for case in CASES:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            compile(case, "<case>", "exec")
        except SyntaxError as error:
            print(repr(case), error.args)
    for warning in caught:
        print("   ", warning.category.__name__, warning.message, warning.lineno)
