# Class creation, special method dispatch, and changes of classes after their creation.
import sys


def show(label, function):
    try:
        print(label, function())
    except Exception as error:
        print(label, type(error).__name__, error)


# The order of lookups: data descriptor, instance, other descriptor.
class Data:
    def __get__(self, obj, owner): return ("data", obj is None, owner.__name__)
    def __set__(self, obj, value): obj.__dict__["stored"] = value
    def __delete__(self, obj): print("delete")
class NonData:
    def __get__(self, obj, owner): return "nondata"
class C:
    data = Data()
    nondata = NonData()
c = C()
c.__dict__["data"] = 1
c.__dict__["nondata"] = 2
print(c.data, c.nondata, C.data, C.nondata)
c.data = 5
del c.data
print(c.__dict__)

# Metaclass attributes.
class Meta(type):
    @property
    def prop(cls): return "meta " + cls.__name__
    def method(cls): return cls.__name__ + ".method"
    def __call__(cls, *args, **kwargs):
        print("calling", args, kwargs)
        return super().__call__(*args, **kwargs)
    def __getattr__(cls, name): return "missing " + name
class M(metaclass=Meta):
    def __init__(self, x=0): self.x = x
print(M.prop, M.method(), M.other, M(3).x, M(x=4).x)
show("instance", lambda: M().prop)

# __init_subclass__, __set_name__, keyword arguments of classes.
class Field:
    def __set_name__(self, owner, name): print("set_name", owner.__name__, name)
class Base:
    def __init_subclass__(cls, /, tag=None, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.tag = tag
        print("init_subclass", cls.__name__, tag)
class Derived(Base, tag="t"):
    a = Field()
    b = Field()
print(Derived.tag, Base.__subclasses__())

# MRO.
class A: pass
class B1(A): pass
class B2(A): pass
class D(B1, B2): pass
print([k.__name__ for k in D.__mro__], D.__base__, D.__bases__)
show("bad mro", lambda: type("X", (A, B1), {}))
class MroMeta(type):
    def mro(cls): return [cls, A, object]
class Custom(B1, metaclass=MroMeta): pass
print(Custom.__mro__, issubclass(Custom, B1), issubclass(Custom, A))

# Special methods follow the class, not the instance; assignments update slots of subclasses too.
class S: pass
class T(S): pass
t = T()
t.__len__ = lambda: 5
show("len", lambda: len(t))
S.__len__ = lambda self: 7
show("len", lambda: len(t))
T.__len__ = lambda self: 8
show("len", lambda: len(t))
del T.__len__
show("len", lambda: len(t))
del S.__len__
show("len", lambda: len(t))
S.__eq__ = lambda self, other: "eq"
print(t == 1, t != 1)
S.__getattr__ = lambda self, name: "dyn " + name
print(t.zzz)
del S.__getattr__
show("getattr", lambda: t.zzz)
S.__call__ = lambda self, *a, **k: (a, k)
print(t(1, b=2))
S.__iter__ = lambda self: iter("abc")
print(list(t), "a" in t, "z" in t)
S.__contains__ = None
show("contains", lambda: 1 in t)
S.__bool__ = lambda self: False
print(bool(t), not t)

# Binary operators: reflection and subclass priority.
class N:
    def __init__(self, n): self.n = n
    def __add__(self, o): return ("N.add", self.n, getattr(o, "n", o))
    def __radd__(self, o): return ("N.radd", self.n, getattr(o, "n", o))
    def __pow__(self, o, m=None): return ("pow", m)
    def __rpow__(self, o, m=None): return ("rpow", m)
    def __iadd__(self, o): return NotImplemented
class N2(N):
    def __radd__(self, o): return ("N2.radd", self.n, getattr(o, "n", o))
print(N(1) + N(2), N(1) + N2(2), 1 + N(1), N2(1) + N(2), N2(1) + N2(2))
print(N(1) ** 2, 2 ** N(1), pow(N(1), 2, 3))
n = N(1); n += 2; print(n)
show("pow3", lambda: pow(2, N(1), 3))
show("add", lambda: object() + 1)
show("shift", lambda: print >> sys.stderr)
class R:
    def __lt__(self, o): return "lt"
    def __gt__(self, o): return "gt"
print(R() < 1, 1 < R(), R() > R())
show("le", lambda: R() <= 1)

# __hash__ and __eq__.
class E:
    def __eq__(self, o): return True
print(E.__hash__)
show("hash", lambda: hash(E()))
class F(E):
    __hash__ = E.__hash__
show("hash", lambda: hash(F()))
class H:
    def __hash__(self): return 1 << 70
print(hash(H()) == hash(1 << 70))

# Slots.
class Slots:
    __slots__ = ("a", "__private", "z")
    def __init__(self): self.a = 1; self.__private = 2
s = Slots()
print(s.a, s._Slots__private, sorted(k for k in Slots.__dict__ if not k.startswith("__")))
show("slot", lambda: s.z)
show("dict", lambda: s.__dict__)
class MoreSlots(Slots):
    __slots__ = {"b": "documented"}
m = MoreSlots(); m.b = 3
print(m.a, m.b)
show("weakref", lambda: s.__weakref__)

# __class__ and __bases__.
class X: pass
class Y:
    def hello(self): return "hello from Y"
x = X(); x.v = 1
x.__class__ = Y
print(x.hello(), x.v, type(x).__name__)
class Z(X): pass
z = Z()
Z.__bases__ = (Y,)
print(z.hello(), Z.__mro__, X.__subclasses__(), Z in Y.__subclasses__())

# super.
class P:
    @classmethod
    def make(cls): return ("P.make", cls.__name__)
    def f(self): return "P.f"
class Q(P):
    @classmethod
    def make(cls): return ("Q",) + super().make()
    def f(self):
        g = lambda: super(Q, self).f()
        return "Q+" + super().f() + g()
    def nested(self):
        return [super(Q, self).f() for _ in range(2)]
print(Q.make(), Q().f(), Q().nested(), super(Q, Q()).f(), super(Q, Q).make())
print(super(Q, Q()).__thisclass__, super(Q, Q()).__self_class__)

# object's own methods.
print(sorted(set(dir(object())) ^ set(object.__dict__)))
print(object().__reduce_ex__(2)[1:3], format(object.__new__(int := type("I", (), {"__str__": lambda s: "str"}))))
show("format", lambda: format(object(), "x"))
class WithState:
    __slots__ = ("p", "__dict__")
w = WithState(); w.p = 1; w.q = 2
print(w.__getstate__(), w.__reduce_ex__(4)[2], WithState().__getstate__())
class Args:
    def __getnewargs__(self): return (1, 2)
print(Args().__reduce_ex__(2)[1][1:])
show("pickle", lambda: sys.__reduce_ex__(2))
class D1(dict): pass
print([type(i).__name__ for i in D1(a=1).__reduce_ex__(2)])

# Finalisers.
class Del:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
d = Del(1); del d
d = Del(2); d.self = d
keep = []
class Resurrect:
    def __del__(self): keep.append(self); print("resurrected")
r = Resurrect(); del r
print(len(keep))
import gc
del d; gc.collect()

# Long chains don't overflow the C stack.
class Node:
    def __init__(self, n): self.next = n
node = None
for i in range(200000): node = Node(node)
del node
print("done")

# An object that becomes a descriptor after code that reads it has warmed up.
class Later: pass
class Holder:
    def __init__(self): self.x = 1
    x = Later()
    y = Later()
def read_x(o): return o.x
def read_y(o): return type(o.y).__name__
holder = Holder()
for _ in range(2000): read_x(holder); read_y(holder)
Later.__get__ = lambda self, instance, owner: "from descriptor"
print(read_x(holder), read_y(holder))
Later.__set__ = lambda self, instance, value: None
print(read_x(holder), read_y(holder))
del Later.__set__, Later.__get__
print(read_x(holder), read_y(holder))
