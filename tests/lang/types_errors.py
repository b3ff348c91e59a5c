# Error texts of attribute access, classes, descriptors and calls.
import warnings
warnings.simplefilter("ignore")
class A: pass
a=A()
def t(f):
    try: print(f())
    except BaseException as e: print(type(e).__name__, e, getattr(e,'name',None), hasattr(e,'obj') and e.obj is not None)
def d(): del a.x
t(d)
class S: __slots__=('q',)
s=S()
def d(): del s.q
t(d)
def d(): s.z=1
t(d)
def d(): del s.z
t(d)
t(lambda: s.q)
def d(): del A.x
t(d)
def d(): int.x=1
t(d)
def d(): del int.x
t(d)
def d(): (1).x=1
t(d)
def d(): (1).real=1
t(d)
def d(): del (1).real
t(d)
t(lambda:(1).foo); t(lambda:int.foo)
import sys
t(lambda:sys.foo)
t(lambda:getattr(1,1)); t(lambda:setattr(1,1,1))
t(lambda:object(1)); t(lambda:A(1)); t(lambda:object.__new__()); t(lambda:object.__new__(1)); t(lambda:object.__new__(int));t(lambda:int.__new__(bool)); t(lambda:int.__new__(A))
class B:
    def __new__(cls,*a): return object.__new__(cls,*a)
t(lambda:B(1))
class C:
    def __init__(self,*a): object.__init__(self,*a)
t(lambda:C(1))
t(lambda:object.__init__(A(),3))
t(lambda: type(int)(1,2)); t(lambda:type('a')); t(lambda:type(1,(),{})); t(lambda:type('a',1,{})); t(lambda:type('a',(),1)); t(lambda:type('a',(1,),{}))
t(lambda:type('a',(bool,),{})); t(lambda:type('a',(int,str),{})); t(lambda:type('a',(A,object,A),{})); t(lambda:type('a',(object,A),{}))
t(lambda:type('a',(int,),{'__slots__':['x']})); t(lambda:type('a',(),{'__slots__':['1x']})); t(lambda:type('a',(),{'__slots__':['__dict__','__dict__']}));t(lambda:type('a',(),{'__slots__':['x'],'x':1}));t(lambda:type('a',(),{'__slots__':[1]}))
t(lambda:type('a\0',(),{})); t(lambda:type('a',(),{'__qualname__':1})); t(lambda: type.__call__()); t(lambda: type.__call__(1)); t(lambda:A.__dict__['__dict__'].__get__(1))
def d(): a.__class__=1
t(d)
def d(): a.__class__=int
t(d)
def d(): a.__class__=S
t(d)
def d(): A.__name__=1
t(d)
def d(): A.__name__='a\0'
t(d)
def d(): int.__name__='a'
t(d)
def d(): del A.__name__
t(d)
def d(): A.__bases__=()
t(d)
def d(): A.__bases__=1
t(d)
def d(): A.__bases__=(1,)
t(d)
def d(): A.__bases__=(A,)
t(d)
def d(): A.__bases__=(int,)
t(d)
def d(): A.__qualname__=3
t(d)
def d(): A.__mro__=3
t(d)
def d(): A.__abstractmethods__={'a'}; A()
t(d)
def d(): A.__abstractmethods__={'a','b'}; A()
t(d)
t(lambda: type.__abstractmethods__)
t(lambda: super()); t(lambda: super(1)); t(lambda:super(int,1)); t(lambda:super(int,'a')); t(lambda:super(int,1).foo); t(lambda:super(int)); t(lambda:super(int,int))
t(lambda: A.__subclasses__(1)); t(lambda:A.mro(1)); t(lambda:int.__add__()); t(lambda:int.__add__(1)); t(lambda:int.__add__('a',1)); t(lambda:int.__add__(1,2,3)); t(lambda:(1).__add__(k=1)); t(lambda:list.append()); t(lambda:list.append(1,2)); t(lambda:[].append()); t(lambda:[].append(1,2)); t(lambda:[].append(x=1));t(lambda:list.append([],x=1)); t(lambda:[].copy(1)); t(lambda:[].pop(1,2,3)); t(lambda:dict.fromkeys()); t(lambda:dict.__dict__['fromkeys'](1)); t(lambda:dict.__dict__['fromkeys']()); t(lambda:dict.__dict__['fromkeys'](int))
t(lambda: (1).__class__.real.__get__('a')); t(lambda:int.real.__get__(None)); t(lambda:S.q.__get__(1)); t(lambda:list.append.__get__(1)); t(lambda:list.append.__get__(None,None)); t(lambda:dict.__dict__['fromkeys'].__get__(None)); t(lambda:dict.__dict__['fromkeys'].__get__(None,1));t(lambda:dict.__dict__['fromkeys'].__get__(None,int)); t(lambda:int.real.__set__(1)); t(lambda:int.real.__set__('a',1))
t(lambda: property().fget); t(lambda: property().__get__(1)); t(lambda:property().__set__(1,2)); t(lambda:property().__delete__(1))
class P:
    x=property()
    y=property(lambda s:1)
    @property
    def z(self):...
def d(): P().y=1
t(d)
def d(): del P().y
t(d)
t(lambda: P().x)
def d(): P().z=1
t(d)
def d(): del P().z
t(d)
f=lambda:0; t(lambda: f(1)); one=1; t(lambda:one()); t(lambda:len()); t(lambda:len(1,2)); t(lambda:len(x=1)); t(lambda: A()(1))
t(lambda:repr(type('X',(),{'__repr__':lambda s:1})())); t(lambda:str(type('X',(),{'__str__':lambda s:1})()));t(lambda:hash(type('X',(),{'__hash__':lambda s:'a'})()));t(lambda:bool(type('X',(),{'__bool__':lambda s:1})()));t(lambda:bool(type('X',(),{'__len__':lambda s:-1})()));t(lambda:len(type('X',(),{'__len__':lambda s:'a'})()));t(lambda:len(type('X',(),{'__len__':lambda s:1<<99})()));t(lambda:hash([])); t(lambda:1<'a'); t(lambda:dir(type('X',(),{'__dir__':lambda s:1})())); t(lambda:bytes(type('X',(),{'__bytes__':lambda s:1})()))
