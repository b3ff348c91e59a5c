# Encoders and decoders with all standard error handlers, over well-formed and damaged input.
import codecs

ENCODINGS = ['utf-8', 'utf-16', 'utf-32', 'utf-16-le', 'utf-16-be', 'utf-32-be', 'utf-7', 'latin-1', 'ascii',
             'unicode-escape', 'raw-unicode-escape', 'cp1252', 'utf-8-sig']
HANDLERS = ['strict', 'ignore', 'replace', 'backslashreplace', 'xmlcharrefreplace', 'namereplace', 'surrogateescape',
            'surrogatepass', 'nosuch']
TEXTS = ['', 'abc', 'caf\xe9', '\u4e2d\u6587', '\U0001f600!', 'a\ud800b', '\udc80\udcff', '+-~\\', '\x00\x7f\x80\u2028']
BYTES = [b'', b'abc', b'\xc3\xa9', b'\xc3', b'\xe2\x82', b'\xed\xa0\x80', b'\xf0\x9f\x98\x80', b'\xf5\x80', b'\xff\xfea\x00',
         b'\xfe\xff\x00a', b'\x00\xd8', b'\x00\xd8a\x00', b'+AGE-', b'+', b'+2D3eAA-', b'\\x4', b'\\u12', b'\\N{DIGIT ONE}',
         b'\\N{no}', b'\\U00110000', b'a\\', b'\x81\x8d', b'\x00\x00\x11\x00']


def show(call):
    try:
        return ascii(call())
    except Exception as error:
        return type(error).__name__ + ': ' + ascii(str(error))


for encoding in ENCODINGS:
    for handler in HANDLERS:
        for text in TEXTS:
            print(encoding, handler, ascii(text), show(lambda: text.encode(encoding, handler)))
        for data in BYTES:
            print(encoding, handler, data, show(lambda: data.decode(encoding, handler)))

# Incremental decoding byte by byte.
for encoding in ['utf-8', 'utf-16', 'utf-32', 'utf-7', 'utf-8-sig']:
    data = 'a\xe9\u4e2d\U0001f600'.encode(encoding)
    decoder = codecs.getincrementaldecoder(encoding)()
    print(encoding, [decoder.decode(data[i:i + 1]) for i in range(len(data))], ascii(decoder.decode(b'', True)))

# Handlers of one's own: replacement, jumping, bytes, bad results.
codecs.register_error('test.jump', lambda e: ('<%s>' % e.object[e.start:e.end], e.end))
codecs.register_error('test.bytes', lambda e: (b'!', e.end))
codecs.register_error('test.bad', lambda e: 42)
codecs.register_error('test.far', lambda e: ('', 1000))
for handler in ['test.jump', 'test.bytes', 'test.bad', 'test.far']:
    print(handler, show(lambda: 'x\xe9\u4e2dy'.encode('ascii', handler)), show(lambda: b'x\xff\xfey'.decode('utf-8', handler)))
for call in [lambda: codecs.lookup('nosuch'), lambda: codecs.lookup_error('nosuch'), lambda: 'a'.encode('rot13'),
             lambda: codecs.encode('abc', 'rot13'), lambda: codecs.charmap_encode('ab', 'strict', {97: 98}),
             lambda: codecs.charmap_decode(b'ab', 'replace', {97: 'X'}), lambda: codecs.register(1),
             lambda: codecs.escape_decode(b'\\x41\\n'), lambda: codecs.escape_encode(b'\x00a\\')]:
    print(show(call))
