# The character database: a checksum over all characters for each property, names, normalisation, and the 3.2.0 database.
import unicodedata
import zlib
from unicodedata import ucd_3_2_0

STEP = 7  # every seventh character keeps this short


def checksum(values):
    crc = 0
    for value in values:
        crc = zlib.crc32(repr(value).encode('utf-8', 'surrogatepass'), crc)
    return crc


codes = [chr(i) for i in range(0, 0x110000, STEP) if i < 0x20000 or i % 497 == 0] + [chr(i) for i in range(0x3000)]
for database in unicodedata, ucd_3_2_0:
    print(database.unidata_version)
    for name in ['category', 'bidirectional', 'combining', 'mirrored', 'east_asian_width', 'decomposition']:
        print(name, checksum(getattr(database, name)(c) for c in codes))
    for name in ['decimal', 'digit', 'numeric', 'name']:
        print(name, checksum(getattr(database, name)(c, None) for c in codes))
    for form in ['NFC', 'NFD', 'NFKC', 'NFKD']:
        print(form, checksum(database.normalize(form, c) for c in codes[::3]),
              checksum(database.is_normalized(form, c) for c in codes[::5]))
for c in codes[::50]:
    name = unicodedata.name(c, None)
    if name and unicodedata.lookup(name if name[:3] in ('CJK', 'HAN') else name.lower()) != c:
        print('round trip', name)


def show(call):
    try:
        return ascii(call())
    except Exception as error:
        return type(error).__name__ + ': ' + str(error)


for call in [lambda: unicodedata.lookup('NO SUCH'), lambda: unicodedata.name('\x00'), lambda: unicodedata.name('ab'),
             lambda: unicodedata.decimal('x'), lambda: unicodedata.digit('x'), lambda: unicodedata.numeric('x'),
             lambda: unicodedata.normalize('XYZ', 'a'), lambda: unicodedata.lookup('LATIN SMALL LETTER GHA'),
             lambda: unicodedata.lookup('LATIN SMALL LETTER R WITH TILDE'), lambda: '\N{BULLET}\N{HANGUL SYLLABLE GAG}',
             lambda: unicodedata.name('\u4e2d'), lambda: unicodedata.lookup('hangul syllable gag'), lambda: unicodedata.category(1),
             lambda: ucd_3_2_0.lookup('LATIN SMALL LETTER GHA'), lambda: unicodedata.normalize('NFC', 'e\u0301\u0323')]:
    print(show(call))
