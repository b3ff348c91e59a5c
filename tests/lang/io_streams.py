# Files and memory streams: buffering, universal newlines, positions, errors.
import io, os, tempfile

path = os.path.join(tempfile.mkdtemp(), "file")
with open(path, "wb") as f:
    print(f.write(b"one\r\ntwo\rthree\nfour"), f.tell())
for newline in (None, "", "\n", "\r", "\r\n"):
    with open(path, encoding="utf-8", newline=newline) as f:
        print(newline, list(f), f.newlines)
with open(path, "w", encoding="utf-8", newline="\r\n") as f:
    print(f.write("a\nb\u20ac\n"), f.line_buffering)
print(open(path, "rb").read())
with open(path, "r+b") as f:
    print(f.read(2), f.tell(), f.seek(1), f.write(b"XY"), f.tell(), f.peek()[:3], f.read())
with open(path, encoding="utf-8") as f:
    line = f.readline()
    here = f.tell()
    print(repr(line), repr(f.read(1)), f.seek(here) == here, repr(f.read()))
s = io.StringIO("x\ny\n")
print(s.readlines(), s.tell(), s.seek(0), s.write("abc"), s.getvalue(), s.truncate(2), s.getvalue())
b = io.BytesIO(b"abcdef")
view = b.getbuffer()
view[0] = 65
try:
    b.truncate(1)
except BufferError as error:
    print(error)
view.release()
print(b.getvalue(), b.read1(2), b.readinto(bytearray(3)), b.tell())
for arguments in ((path, "q"), (path, "rw"), (path, "rb", -1, "utf-8"), (path, "r", 0), ("/nonexistent/x",)):
    try:
        open(*arguments)
    except Exception as error:
        print(type(error).__name__, error)
f = open(path)
f.close()
try:
    f.read()
except ValueError as error:
    print(error)
