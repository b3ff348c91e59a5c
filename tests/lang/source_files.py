# Scripts read from files: what is wrong with their bytes is reported where the reading gets there.
import os
import subprocess
import sys
import tempfile

FILES = {
    "null and bad byte": b"0000\x00\n00000000000\n\x00\n\x9e\n",
    "null in a comment": b"#\x00\n#\xfd\n",
    "syntax error first": b"a b\n#\xfd\n",
    "number error first": b"1a\na = 1\nx = '\xfd'\n",
    "inside a string": b'a = 1\n\n"""\n\xfd\n',
    "null glues lines": b"a=1\x00b\nprint(a)\n",
    "inside a bracket": b"a = (1\nb c\n\xfd\n",
    "first chunk": b"# coding: ascii\na = 1\nb = 2 3\nx = '\xfd'\n",
    "later chunk": b"# coding: ascii\n" + b"a = 1\n" * 2000 + b"x = '\xfd'\n",
    "later chunk, number error first": b"# coding: ascii\n" + b"a = 1\n" * 200 + b"1a\n" + b"a = 1\n" * 2000 + b"x = '\xfd'\n",
    "later chunk, in a bracket": b"# coding: ascii\na = (1\n" + b"# abcdefg\n" * 2000 + b"x = '\xfd'\n",
    "null, recoded": b"# coding: latin-1\na = 1\x00\nb = 3\n",
    "recoded": b"# coding: latin-1\r\nprint(ascii('\xfd'))\r\nc d\r\n",
    "cookie on line 2": b"#!/usr/bin/python\r# coding: cp1252\rprint(ascii('\x80'))\rc d\r",
    "unknown encoding": b"# coding: martian\nx\n",
    "mark and cookie": b"\xef\xbb\xbf# coding: latin-1\nx\n",
    "newlines": b"a = 1\r\nb = 1\rc d\r\n",
    "no last newline": b"a = 1\n  b\nprint(1",
}
with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    for name, text in FILES.items():
        with open("source.py", "wb") as stream:
            stream.write(text)
        done = subprocess.run([sys.executable, "source.py"], capture_output=True)
        print(name, done.returncode, done.stdout, done.stderr.replace(os.fsencode(directory), b"DIRECTORY"))
