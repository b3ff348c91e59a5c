# Regular expressions: every construct, on the three widths, with spans and groups.
import re

PATTERNS = ['a', 'abc', '.', '.*', '.*?b', 'a*', 'a+?', 'a{2,3}', 'a{,2}?', '(a)(b)?', '(a|b)*', '(?:ab|a)+c?', '[a-c]+', '[^a]+', r'\w+',
            r'\W+', r'\d+|\s+', '^a', 'b$', r'\Aa|b\Z', r'\bab?\b', r'\B.', '(?=a)..', '(?!a).', '(?<=a)b', '(?<!a)b', r'(.)\1', '(?P<x>a)(?P=x)',
            '(a)?(?(1)b|c)', '(?>a+)a', 'a++b', '(?:ab)*+', '(?i:B)', '(?s:.)+', '(a*)*', '(a*)+?b', '((a)|b)*', '[\u00e9-\u00ff]', '\u03a3',
            '(?:a|ab)(?:c|bcd)(?:d*)', '[a-z]*z|b', 'x?y?z?', '()', '(?:(a)|(b)|(c))+']
TEXTS = ['', 'a', 'ab', 'aab', 'abcabc', 'bca cab', 'aaaa', 'ba\nab\n', 'ac', 'a1 b2', '\u00e9ab\u00c9', 'ab\u4e2da', '\U0001f600aab', '\u03c3\u03a3\u03c2']
for pattern in PATTERNS:
    for flags in (0, re.I, re.M | re.S, re.A):
        compiled = re.compile(pattern, flags)
        for text in TEXTS:
            row = []
            for match in (compiled.match(text), compiled.search(text), compiled.fullmatch(text)):
                row.append(match and (match.span(), match.groups(), match.lastindex, match.lastgroup, match.regs))
            row += [compiled.findall(text), compiled.split(text), compiled.sub('-', text), compiled.subn(r'<\g<0>>', text, 2),
                    [m.span() for m in compiled.finditer(text, 1)], compiled.sub(lambda m: m[0].upper(), text)]
            print(ascii((pattern, flags, text, row)))


def show(call):
    try:
        return ascii(call())
    except Exception as error:
        return type(error).__name__ + ': ' + str(error)


match = re.match('(?P<one>a)(b)?', 'ac')
for call in [lambda: match, lambda: match.re, lambda: match.group(3), lambda: match['two'], lambda: match.group('one', 2),
             lambda: match.groupdict(), lambda: match.expand(r'\1-\g<one>-\2'), lambda: match.groups(0), lambda: match.span(2),
             lambda: re.compile('a').match(b'a'), lambda: re.compile(b'a').match('a'), lambda: re.compile('a').match(1),
             lambda: re.compile(b'(a)').findall(bytearray(b'aba')), lambda: re.sub('a', 1, 'a'), lambda: re.sub('a', r'\2', 'a'),
             lambda: re.split('(,)|;', 'a,b;c'), lambda: re.compile('a', re.I | re.X), lambda: re.compile('a') == re.compile('a'),
             lambda: re.sub('(?P<n>.)', r'[\g<n>]', 'xy'), lambda: re.escape('a.b*c'), lambda: re.findall('(?a)\\w+', 'a\u00e9b'),
             lambda: re.match('(?:.|\n)*', 'x' * 100000).end(),
             lambda: re.compile('(' * 50 + 'a' + ')' * 50).match('a').group(50)]:
    print(show(call))
scanner = re.compile('a|(b)').scanner('abxa')
print(scanner.match(), scanner.match().lastindex, scanner.match(), scanner.search(), scanner.pattern)
