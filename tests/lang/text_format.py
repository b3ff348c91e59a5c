# str % arguments, str.format, format_map, and what they refuse.
import _string


def show(call):
    try:
        return ascii(call())
    except Exception as error:
        return type(error).__name__ + ': ' + ascii(str(error))


PERCENT = ['%d', '%5d', '%-5d|', '%05d', '%+d', '% d', '%x', '%#x', '%#X', '%o', '%#o', '%.5d', '%8.3d', '%s', '%10s', '%-10s|',
           '%.2s', '%r', '%a', '%c', '%5c', '%e', '%.2f', '%+08.2f', '%g', '%G', '%#g', '%i', '%u', '%ld', '%%', '% %', '%5%',
           '%', '%y', '%(a)s', '%(a', '%*d', '%.*f', '%s %s', 'plain', '%\xe9']
VALUES = [(), 5, -5, (5,), 'ab', ('ab',), 2.5, (7, 2.5), {'a': 3}, '\u4e2d', 65, 1 << 70, None, b'x', (6, 7, 8), 0x110000, True]
for spec in PERCENT:
    for value in VALUES:
        print(ascii(spec), ascii(value), show(lambda: spec % value))

FORMATS = ['{}', '{0}{1}', '{}{0}', '{0}{}', '{{}}', '{', '}', '{!r}', '{!a:>8}', '{!x}', '{!', '{:', '{0', '{0[1]}', '{0[a]}', '{0.real}',
           '{0.}', '{0[}', '{0[]}', '{0[1]x}', '{:{}}', '{:{}{}}', '{:{:{}}}', '{a}', '{a[b]}', '{1}{a}', '{0:>{1}}', '{99999999999999999999}',
           '{-1}', '{ }', '{0!r:^20}', 'x{}y{}z', '{:d}', '{:s}']
for spec in FORMATS:
    print(ascii(spec), show(lambda: spec.format('xyz', 12, a={'b': 1})), show(lambda: spec.format_map({'a': [1], '0': 2})),
          show(lambda: list(_string.formatter_parser(spec))))
for name in ['a', 'a.b', 'a[0].c[x]', '0', '', 'a[', 'a]b']:
    print(name, show(lambda: [list(p) if hasattr(p, '__next__') else p for p in _string.formatter_field_name_split(name)]))
