"""markupsafe's C speedups: escaping every kind of string, subclasses, objects with __html__, errors."""
from markupsafe import Markup, _speedups, escape, escape_silent, soft_str

print(escape.__module__, escape is _speedups.escape)
for text in ("", "plain", "<a href='x'>&\"</a>", "é<", "€&", "\U0001f600>", "a" * 1000 + "<", "<" * 50, 5, None, 1.5, True, b"<"):
    print(repr(escape(text))[:120], type(escape(text)).__name__)
print(escape_silent(None) == "", soft_str(Markup("x")).__class__.__name__)


class Own:
    def __html__(self):
        return "<own>"


class Text(str):
    pass


class Broken:
    def __html__(self):
        raise ValueError("no")


class NoText:
    def __str__(self):
        return 5


print(escape(Own()), escape(Text("<t>")), Markup("<%s>") % "<x>", Markup("{0}").format("<y>"), Markup("<b>").join(["<", Own()]))
for bad in (Broken(), NoText()):
    try:
        escape(bad)
    except Exception as error:
        print(type(error).__name__, error)
for arguments in ((), ("a", "b")):
    try:
        escape(*arguments)
    except TypeError as error:
        print(error)
print(Markup("<em>x</em>").striptags(), Markup("&lt;&eacute;").unescape(), Markup("a") + "<", "<" + Markup("a"), Markup("<a>")[1:], Markup("x") * 3)
