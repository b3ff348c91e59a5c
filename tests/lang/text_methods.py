# Every str method over a small alphabet chosen to hit all widths, cases, whitespace and line breaks.
import itertools

ALPHABET = ['a', 'B', ' ', '\t', '\r\n', '\x1c', '1', '\xe9', '\xdf', '\u01c5', '\u03a3', '\u0130', '\ufb01', '\u2028',
            '\u4e2d', '\U0001f600', '\ud800', '\x00', "'", '"']


def show(call):
    try:
        result = call()
    except Exception as error:
        result = type(error).__name__, str(error)
    return ascii(result)


SIMPLE = ['upper', 'lower', 'title', 'swapcase', 'capitalize', 'casefold', 'strip', 'lstrip', 'rstrip', 'split', 'rsplit',
          'splitlines', 'isalnum', 'isalpha', 'isdecimal', 'isdigit', 'isnumeric', 'isspace', 'isprintable',
          'isidentifier', 'islower', 'isupper', 'istitle', 'isascii', 'expandtabs', '__repr__', '__len__']
WITH_TEXT = ['find', 'rfind', 'index', 'rindex', 'count', 'startswith', 'endswith', 'split', 'rsplit', 'partition',
             'rpartition', 'strip', 'lstrip', 'rstrip', 'removeprefix', 'removesuffix', '__contains__', '__add__',
             '__eq__', '__lt__', 'join']
for pair in itertools.product(ALPHABET, repeat=2):
    text = ''.join(pair)
    print(ascii(text), *[show(getattr(text, name)) for name in SIMPLE])
for i, (x, y) in enumerate(itertools.product(ALPHABET, repeat=2)):
    text = x + y + x
    for name in WITH_TEXT:
        print(i, name, show(lambda: getattr(text, name)(y)))
    print(i, show(lambda: text.replace(x, y)), show(lambda: text.replace(y, 'zz', 1)), show(lambda: text[::-1]),
          show(lambda: text.center(9, y)), show(lambda: text * 3), show(lambda: text.translate({ord(y[0]): 'xyz'})))

for call in [lambda: 'a'.find(), lambda: 'a'.find(1), lambda: 'a'.find('a', 'b'), lambda: 'a'.split(''),
             lambda: 'a'.split(1), lambda: 'a'.startswith(1), lambda: 'a'.startswith(('a', 1)), lambda: 'a'.join([1]),
             lambda: 'a'.join(1), lambda: 'a'.center(5, 'xx'), lambda: 'a'.center(5, 1), lambda: 'a'.strip(1),
             lambda: 'a'.replace('a', 1), lambda: 'a' + 1, lambda: 1 in 'a', lambda: 'a'[5], lambda: 'a'['b'],
             lambda: str.maketrans('a', 'bc'), lambda: str.maketrans({'ab': 1}), lambda: 'a'.translate({97: 3.5}),
             lambda: str(b'\xff', 'utf-8'), lambda: str('a', 'utf-8'), lambda: str(1, 'utf-8'), lambda: 'a'.encode(1),
             lambda: 'a' < 1, lambda: chr(-1), lambda: 'a'.zfill('b'), lambda: 'a'.partition('')]:
    print(show(call))


class Text(str):
    def __str__(self):
        return 'other'


value = Text('caf\xe9')
print(repr(value), str(value), type(value.upper()), type(value + 'x'), value[1:3], hash(value) == hash('caf\xe9'))
print(list(iter('a\xe9\u4e2d')), 'abc'.__iter__().__length_hint__())
