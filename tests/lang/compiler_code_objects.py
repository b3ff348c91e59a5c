# Code objects: attributes, replace(), comparison, line and position tables, and nonsense that must be refused.
def f(a, b=1, *c, d, **e):
    x = a
    def g():
        return x, b
    return g


code = f.__code__
for name in sorted(n for n in dir(code) if n.startswith("co_") and n not in ("co_filename", "co_consts", "co_lines", "co_positions")):
    print(name, getattr(code, name))
print(list(code.co_lines()))
print(list(code.co_positions()))
print(code == code.replace(), hash(code) == hash(code.replace()), code == code.replace(co_name="h"))
print([code._varname_from_oparg(i) for i in range(code.co_nlocals)])
for changes in [dict(co_argcount=-1), dict(co_argcount=99), dict(co_nlocals=9), dict(co_code=b"abc"), dict(co_varnames=()),
                dict(co_names=(1,)), dict(co_stacksize=-2), dict(co_firstlineno=-5),
                dict(co_name=3), dict(co_flags=-1), dict(nonsense=1)]:
    try:
        print(changes, code.replace(**changes) is not None)
    except Exception as error:
        print(changes, type(error).__name__, error)
for table in [b"", b"\x80", b"\xff" * 9, bytes(range(128, 256)), b"\0" * 20]:
    broken = code.replace(co_linetable=table)
    list(broken.co_lines()), list(broken.co_positions()), broken.co_lnotab
print((lambda: 0).__code__.co_qualname, f(1, d=2).__code__.co_qualname)
print(compile("0, 0.0, -0.0, False, 0j, b'', ''", "", "eval").co_consts)
