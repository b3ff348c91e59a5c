# Source text in all encodings, with all line ends, tabs, form feeds and continuation lines.
import ast
import itertools
import os
import random
import sys
import tempfile
import warnings

from support.compiling import attempt, compiled, show

warnings.simplefilter("ignore")

# --- Encodings

TEXT = "# coding: {}\nx = 'a\u00e4\u20ac\u03b1\u3042'\ny = 1 +\n"
NAMES = sorted({name for name in __import__("encodings.aliases").aliases.aliases.values() if not name.endswith("_codec")})
for name in NAMES + ["utf-8", "UTF8", "Latin-1", "iso-8859-15", "nonsense", "utf-8-sig", "utf-7", "hex", "rot13", "base64", "idna",
                     "punycode", "undefined", "raw_unicode_escape", "unicode_escape", "mbcs", "a" * 300]:
    try:
        data = TEXT.format(name).encode(name, "ignore")
    except (LookupError, UnicodeError, TypeError, AssertionError):
        data = TEXT.format(name).encode("latin-1", "ignore")
    show(f"encoding {name}", compiled(data))
    show(f"declared {name}", compiled(b"# -*- coding: " + name.encode() + b" -*-\nx = '\xe4\x80\xff'\n"))
for line in (b"#coding=latin-1", b"# vim: set fileencoding=latin-1 :", b"#coding:latin-1", b"# coding : latin-1", b"#  coding =latin-1",
             b"x # coding: latin-1", b"# coding:", b"# coding: \xe4", b"\xef\xbb\xbf# coding: latin-1", b"\xef\xbb\xbf# coding: utf-8",
             b"\xef\xbb\xbf", b"\xef\xbb", b"\xef\xbb\xbf\xef\xbb\xbf", b"\xff\xfe#", b"\xfe\xff#", b"\n# coding: latin-1",
             b"\n\n# coding: latin-1", b"#\n# coding: latin-1", b"'''\n# coding: latin-1\n'''", b"\x0c# coding: latin-1",
             b"# coding: latin-1\r", b"# coding: utf-8\r\n", b"\\\n# coding: latin-1", b"# coding: latin-1 coding: utf-8"):
    show(f"cookie {line!r}", compiled(line + b"\nx = '\xe4'\n"))
    show(f"value {line!r}", attempt(lambda: ast.literal_eval(ast.parse(line + b"\n'\xc3\xa4'\n").body[-1].value)))
for tail in (b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xf8", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"):
    for where in (b"'%s'", b"# %s", b"x%s", b"\n\nx = '%s'", b"'''\n%s\n'''", b"'a' %s"):
        show(f"bad utf-8 {where % tail!r}", compiled(where % tail))
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "module.py")
    for data in (b"x = '\xe4'\n", b"\xef\xbb\xbfx = 1\n", b"# coding: latin-1\nx = '\xe4'\n", b"x = 1\0\n", b"# coding: nonsense\n",
                 b"x = 1\r\ny = 2\rz = 3\n", b"\xef\xbb\xbf# coding: latin-1\n", b"x = '\xe4", b"if x:\n\ty\n        z\n"):
        with open(path, "wb") as file:
            file.write(data)
        sys.path.insert(0, directory)
        sys.modules.pop("module", None)
        __import__("importlib").invalidate_caches()
        sys.dont_write_bytecode = True
        result = attempt(lambda: sorted(set(vars(__import__("module"))) & set("xyz")))
        show(f"import {data!r}", str(result).replace(directory, "DIRECTORY"))
        sys.path.pop(0)
        for opened in ("rb",):
            show(f"open {data!r}", attempt(lambda: compiled(open(path, opened).read())))

# --- Line ends, tabs, form feeds, continuation lines

generator = random.Random(4)
PARTS = ["\n", "\r\n", "\r", "\t", " ", "  ", "        ", "\f", "\\\n", "\\\r\n", "\\\r", "\\", "if x:", "y", "(", ")", "'a'", "'''", '"',
         "#c", ":", ";", "pass", "\x0b", "\x1a", "\x1c", "\u2028", "\x85", "\u00a0", "else:"]
for number in range(1500):
    source = "".join(generator.choice(PARTS) for _ in range(generator.randrange(1, 12)))
    show(f"lines {source!a}", compiled(source))
for indents in itertools.product(["", " ", "\t", " \t", "\t ", "        ", "       \t", "\f", " \f ", "\t\t"], repeat=3):
    source = f"{indents[0]}if x:\n{indents[1]}y\n{indents[2]}z\n"
    show(f"indents {source!a}", compiled(source))
for ending in ("\n", "\r\n", "\r"):
    source = f"def f():{ending}    '''a{ending}b\\{ending}c'''{ending}    return (1,{ending}  2){ending}"
    show(f"ending {ending!a}", attempt(lambda: ast.dump(ast.parse(source), include_attributes=True)))
    show(f"bytes ending {ending!a}", attempt(lambda: ast.dump(ast.parse(source.encode()), include_attributes=True)))
