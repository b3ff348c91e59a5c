# Argument binding: what is accepted and the text of every complaint.
def report(function, *args, **kwargs):
    try:
        print(function(*args, **kwargs))
    except TypeError as error:
        print(type(error).__name__, error)

def plain(a, b): return a, b
def defaults(a, b=2, c=3): return a, b, c
def positional_only(a, b, /, c): return a, b, c
def keyword_only(a, *, b, c=3): return a, b, c
def variadic(a, *args, **kwargs): return a, args, kwargs
def everything(a, b=1, /, c=2, *args, d, e=5, **kwargs): return a, b, c, args, d, e, kwargs
def three(a, b, c): pass
def nothing(): return "nothing"

for _ in range(30):  # long enough for specialised instructions
    pass

report(plain, 1, 2); report(plain, 1); report(plain); report(plain, 1, 2, 3); report(plain, 1, b=2)
report(plain, 1, a=2); report(plain, 1, 2, c=3); report(plain, **{"a": 1, "b": 2})
report(defaults, 1); report(defaults, 1, c=9); report(defaults); report(defaults, 1, 2, 3, 4)
report(positional_only, 1, 2, 3); report(positional_only, 1, b=2, c=3); report(positional_only, a=1, b=2, c=3)
report(keyword_only, 1, b=2); report(keyword_only, 1); report(keyword_only, 1, 2); report(keyword_only, 1, 2, b=3)
report(variadic, 1, 2, 3, x=4); report(variadic); report(variadic, 1, a=2)
report(everything, 0, d=1); report(everything, 0, 1, 2, 3, 4, d=5, z=6); report(everything, 0)
report(three); report(three, 1); report(three, 1, 2, 3, 4); report(nothing, 1); report(nothing)
report(lambda *, a, b, c: 0); report(lambda a, *, b: 0, 1, 2, 3); report(lambda a, *, b: 0, 1, 2, b=3)

for source in ("plain(*1)", "plain(**1)", "plain(*[1], **{1: 2})", "plain(1, **{'a': 2})", "len(1, 2)", "len()",
               "print(sep=1)", "plain(**{'a': 1}, **{'a': 2})", "[].append()", "[].append(1, 2)", "int('x', y=1)",
               "None()", "(lambda: 0)(1)", "'abc'.join(1)", "plain(1, 2, *[3])", "nothing(**{'x': 1})",
               "isinstance(1)", "sum()", "dict(1)", "dict([1])", "object(1)", "type()", "type(1, 2)"):
    try:
        print(source, eval(source))
    except Exception as error:
        print(source, type(error).__name__, error)

class Point:
    def __init__(self, x, y=0):
        self.x, self.y = x, y
    def shifted(self, by):
        return Point(self.x + by, self.y)
    def __getitem__(self, key):
        return (self.x, key)
    @property
    def total(self):
        return self.x + self.y
    @classmethod
    def origin(cls): return cls(0)
    @staticmethod
    def name(value): return f"<{value}>"

class Bad:
    def __init__(self): return 3

def loop():
    result = []
    for i in range(40):
        p = Point(i, 1)
        q = p.shifted(2)
        method = q.shifted
        result.append((p.total, q[i], method(3).x, Point.origin().y, Point.name(i), Point(y=i, x=1).y))
    return result
print(loop()[-1], len(loop()))
for _ in range(20):
    try:
        Bad()
    except TypeError as error:
        message = str(error)
print(message)
def failing_constructor():
    class Picky:
        def __init__(self, value):
            if value > 15: raise ValueError(value)
    for i in range(30):
        try:
            Picky(i)
        except ValueError as error:
            print("picky", error, end=" ")
    print()
failing_constructor()
def recurse(n): return recurse(n + 1)
try:
    recurse(0)
except RecursionError as error:
    print(error)
class Chain:
    def __getattr__(self, name): return getattr(self, name + "x")
try:
    Chain().a
except RecursionError as error:
    print(str(error)[:32])
