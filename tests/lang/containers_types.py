# Generic aliases, unions, namespaces, contexts, struct sequences.
import sys, types, contextvars, time, os

def attempt(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return f'{type(error).__name__}: {error}'

a = dict[str, list[int]]
print(a, a.__origin__, a.__args__, a.__parameters__, a == dict[str, list[int]], hash(a) == hash(dict[str, list[int]]), a(x=1))
print(tuple[()], tuple[int, ...], [*tuple[int]], list[int] | None, attempt(isinstance, 1, list[int]), attempt(lambda: list[int][str]))
u = int | str | int | None
print(u, u.__args__, u == (None | str | int), isinstance(1, u), isinstance(1.5, u), issubclass(bool, u), attempt(lambda: int | 5), type(u).__name__)
n = types.SimpleNamespace(a=1, b='x')
n.c = n
print(n, n == types.SimpleNamespace(a=1), attempt(types.SimpleNamespace, 1), vars(types.SimpleNamespace(z=2)))
v = contextvars.ContextVar('v', default=5)
def inside():
    token = v.set(7)
    print(v.get(), token.old_value, contextvars.copy_context()[v])
    v.reset(token)
    return v.get()
ctx = contextvars.copy_context()
print(ctx.run(inside), v.get(), attempt(contextvars.ContextVar('w').get)[:34], len(ctx), v in ctx, attempt(lambda: ctx[1]))
many = [contextvars.ContextVar(f'c{i}') for i in range(200)]
def fill():
    for i, c in enumerate(many):
        c.set(i)
    snapshot = contextvars.copy_context()
    for c in many[::2]:
        c.set(-1)
    print(len(snapshot), sum(snapshot.values()), sum(c.get() for c in many), snapshot == contextvars.copy_context())
contextvars.Context().run(fill)
s = time.struct_time(range(9))
print(s, s.tm_year, s[:3], len(s), s == tuple(range(9)), attempt(time.struct_time, [1]), s.n_fields > 8, type(s).__match_args__[:2])
print(os.stat_result(range(10)).st_mode, attempt(os.stat_result, 'abc'), sys.version_info[:2])
