# Disassembly of functions that use every kind of statement: both engines must print the same instructions.
import dis
import io


def show(source, mode="exec", **options):
    def walk(code):
        print(code.co_qualname, code.co_flags, code.co_stacksize, code.co_names, code.co_varnames, code.co_cellvars,
              code.co_freevars, code.co_linetable.hex(), code.co_exceptiontable.hex())
        out = io.StringIO()
        for instruction in dis.get_instructions(code):
            value = instruction.argrepr if not hasattr(instruction.argval, "co_code") else "<code>"
            out.write(f"  {instruction.offset} {instruction.opname} {instruction.arg} {value}\n")
        print(out.getvalue(), end="")
        for constant in code.co_consts:
            if hasattr(constant, "co_code"):
                walk(constant)
    walk(compile(source, "<test>", mode, dont_inherit=True, **options))


show('''
def f(a, /, b: int = 1, *c, d="x", **e) -> str:
    """doc"""
    for i in [1, 2, 3]:
        if i in {1, 2} and not b: continue
        elif a < b <= d: break
    else:
        return (yield)
    while a: a -= 1
    x, *y = c, (1, 2, 3), [4, 5, 6], {**e, "k": 1}, f"{a!r:>{b}} {d=}"
    return lambda: (x, y, *c)
''')
show('''
async def g(q):
    async with q as r, q: await r
    async for s in r: yield [t async for t in s if t]
    return
''')
show('''
class C(B, metaclass=M, **kw):
    x: int = 1
    def __init__(self): super().__init__(*self.__p, z=1, **k)
    @property
    def y(self): return __class__
''')
show('''
try:
    a.b.c(1, k=2)[1:2] = 3
except (A, B) as e: del e.x
except: raise X from y
else: assert z, "m"
finally: import p.q as r, s.t; from . import u as v
''')
show('''
try: a
except* V as e: b
except* W: c
''')
show('''
match p:
    case 1 | 2.5 | "s" | None: a
    case [x, 1, *_, y] if x: b
    case {"k": v, **rest}: c
    case C(1, q=[z] as w): d
    case _: e
''')
show("a if b else c or d and not e", "eval")
show("1 + 2 * 3, 'a' * 3, (1, 2)[0], -1, not None, 2 ** 200, 1 / 0, 'x %s y' % (z,)", "eval")
show("x = 1\nassert x", optimize=1)
show("'doc'\ndef f(): 'doc'", optimize=2)
show("1; x", "single")
