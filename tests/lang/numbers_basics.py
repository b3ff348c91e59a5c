# Numbers: results, texts and error messages of int, float, complex, formatting, math and cmath.
def show(expression, **names):
    try:
        print(expression, "=>", eval(expression, globals(), names))
    except Exception as error:
        print(expression, "=>", type(error).__name__, error)


for text in [
    '1//0',
    '1%0',
    'divmod(1,0)',
    '1/0',
    '1<<-1',
    '1>>-1',
    '1<<(1<<70)',
    '0<<(1<<70)',
    '1>>(1<<70)',
    'pow(2,3,0)',
    'pow(2,-1,4)',
    'pow(2,-1)',
    'pow(2.0,3,4)',
    '0**-1',
    "int('x')",
    "int('1'*5000)",
    'str(10**5000)',
    "int('1',1)",
    'int(1,2)',
    'int(base=3)',
    'int([])',
    "int('')",
    "int(b'xx')",
    "int('1__2')",
    "int('0x1f',0)",
    "int('010',0)",
    "int('00',0)",
    "int('-0',0)",
    "(1).to_bytes(0,'big')",
    "(-1).to_bytes(1,'big')",
    "(256).to_bytes(1,'big')",
    "(1).to_bytes(-1,'big')",
    "(1).to_bytes(1,'x')",
    "int.from_bytes(3,'big')",
    "int.from_bytes('a','big')",
    '10**400/1',
    '1/10**400',
    'float(10**400)',
    '(10**400)*1.0',
    '10**400//3.0',
    "int(float('inf'))",
    "int(float('nan'))",
    "(1).__format__('x','y')",
    'round(5,-1)',
    'round(15,-1)',
    'round(25,-1)',
    'round(1,2,3)',
    'round(5,1.0)',
    "(5).__round__('a')",
    "'%d'%10**5",
    "1 .__pow__('a')",
    'int.__new__(3)',
    'int.__new__(str)',
    'int(3,x=1)',
    "int('1',base='a')",
    "int(x='1')",
    '1&1.0',
    '(2**64).bit_length()',
    '(2**64).bit_count()',
    "int('٣')",
    "int(' 12\\n')",
    "int('1\\0')",
    "int('1_000')",
    "int('_1')",
    "int('1_')",
    "int('0b1',2)",
    "int('0o7',8)",
    "int('0_1')",
    "int('0x_1',16)",
    'hex(1.0)',
    "int('9'*4301,10)",
    "int('9'*5000+'x')",
    "int(b'9'*5000)",
    "int('\\ud800')",
    "complex('1+2j')",
    "complex('x')",
    "complex(1,'2')",
    "complex('1',2)",
    'complex([])',
    'complex(1j,2j)',
    '1j//1',
    '1j%1',
    'divmod(1j,1)',
    '1j<2',
    'pow(1j,2,3)',
    '0j**-1',
    '0j**1j',
    '1j/0',
    "float('x')",
    "float(b'x')",
    'float([])',
    '1.0//0',
    '1.0%0',
    'divmod(1.0,0)',
    '1.0/0',
    '0.0**-1',
    '(-1.0)**0.5',
    '1e300**2',
    'pow(1.0,2,3)',
    "float.fromhex('zz')",
    "float.fromhex('0x1p5000')",
    "float.__getformat__('x')",
    "float.__getformat__('double')",
    "float.__setformat__('double','unknown')",
    '(1.5).as_integer_ratio()',
    "float('inf').as_integer_ratio()",
    "float('nan').as_integer_ratio()",
    'round(1.5,1000)',
    'round(2.675,2)',
    "round(float('inf'))",
    "round(float('nan'))",
    'round(1e308,-308)',
    'round(1.7e308,-308)',
    "float('1_0.5')",
    "float('1__0')",
    "float('1e400')",
    "float('infinity')",
    "float(' nan ')",
    "float('\\0')",
    "format(1.5,'d')",
    "format(1,'s')",
    "format('a','d')",
    "format('a','=5')",
    "format('a',',')",
    "format(1,'5.2')",
    "format(1,'#n')",
    "format(1,'_,')",
    "format(1,',_')",
    "format(1,',,')",
    "format(1,',x')",
    "format(1,'_x')",
    "format(1.0,'z')",
    "format(1,'z')",
    "format('a','z')",
    "format(1,'+c')",
    "format(1,'#c')",
    "format(0x110000,'c')",
    "format(1,'q')",
    "format(1,'qq')",
    "format(1j,'=5')",
    "format(1j,'05')",
    "format(1j,'%')",
    "format('a','+')",
    "format('a',' ')",
    "format('a','#')",
    "format(1,'99999999999999999999')",
    "format(1.0,'.99999999999999999999')",
    "format(1.0,'.3000000000')",
    "format(1,'.')",
    "format(1,',n')",
    "format(1.0,',n')",
    "format(True,'')",
    "format(True,'d')",
    "format('a','05')",
    "format(-0.0,'z.1f')",
    "format(1,'\\u20ac')",
    "format(3,'\\ud800')",
    "format(1.5,'_c')",
    "format('a','_')",
    "format(1, '_c')",
    "format(1, ',d')",
    '1 .__lshift__(1.0)',
    "float.fromhex('0x1.fffffffffffff8p1023')",
    'True.__and__(1)',
    '~True',
    'bool(3,4)',
    'bool(x=1)',
    'bool.__new__(int)',
]:
    show(text)

import math, random

values = [0, 1, -1, 7, -7, 2**29, 2**30, -2**30, 2**31, 2**59, 2**60, -2**60, 2**63, 2**64 + 1, 10**30, -10**40 + 7, 3**200, -7**300]
generator = random.Random(12345)
values += [generator.getrandbits(bits) - (1 << bits - 1) for bits in (20, 45, 61, 90, 500, 2000)]
total = 0
for a in values:
    print(a, hex(a), a.bit_length(), a.bit_count(), hash(a), ~a, -a, abs(a), int(str(a)) == a)
    for b in values:
        total = (total * 31 + (a + b) * 3 + (a - b) * 5 + a * b + (a & b) + (a | b) * 7 + (a ^ b)) % (2**61 - 1)
        if b:
            q, r = divmod(a, b)
            assert q * b + r == a and (r == 0 or (r < 0) == (b < 0))
            try:
                total = (total * 7 + q + r + hash(a / b)) % (2**61 - 1)
            except OverflowError as error:
                print(error)
            total = (total + math.gcd(a, b) + math.lcm(a, b)) % (2**61 - 1)
        if 0 <= b < 200:
            assert (a << b) >> b == a
            total = (total + (a >> b)) % (2**61 - 1)
        total += (a < b) + 2 * (a == b) + 4 * (a <= b)
print(total)
for a in values:
    if a >= 0:
        r = math.isqrt(a)
        assert r * r <= a < (r + 1) ** 2
    print(pow(3, abs(a), 10**9 + 7), pow(a, 5, 2**80 + 13))
    for size in (1, 4, 8, 9, 20):
        for order in "big", "little":
            for signed in False, True:
                try:
                    data = a.to_bytes(size, order, signed=signed)
                    assert int.from_bytes(data, order, signed=signed) == a
                    print(data.hex(), end=" ")
                except OverflowError as error:
                    print(error, end=" ")
    print()
floats = [0.0, -0.0, 1.0, 0.1, 1 / 3, 1e16, 1e22, 123456789012345680.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e-5, 0.0001, 12345.678, math.pi * 1e10, float("inf"), float("nan")]
for x in floats:
    print(repr(x), x.hex(), "%e %f %g %.3g %.10f %r" % (x, x, x, x, x, x), format(x, "n"), format(x, ",.3f"), format(x, "+012.4e"), format(x, "^20"), hash(x) if x == x else "nan")
    for digits in (0, 1, 2, 5, -1, -3, 17):
        print(round(x, digits), end=" ")
    print()
print(math.factorial(50), math.comb(100, 37), math.perm(40, 13), math.fsum([0.1] * 10), math.hypot(3, 4, 12), math.dist((1, 2, 3), (4, 5, 6)), math.prod(range(1, 20)))
