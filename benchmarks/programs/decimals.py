"""decimal, fractions and statistics."""
import statistics
from decimal import ROUND_HALF_EVEN, Decimal, getcontext, localcontext
from fractions import Fraction


def decimal_e(digits):
    with localcontext() as context:
        context.prec = digits + 5
        total = term = Decimal(1)
        n = 0
        while term > Decimal(10) ** -(digits + 3):
            n += 1
            term /= n
            total += term
    getcontext().prec = digits
    return +total


def interest(years):
    balance = Decimal("1000.00")
    for year in range(years):
        balance = (balance * Decimal("1.0315")).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return balance


def harmonic(n):
    return sum((Fraction(1, k) for k in range(1, n + 1)), Fraction(0))


for _ in range(400):
    e = decimal_e(400)
print(str(e)[:60], interest(400))
h = harmonic(4000)
print(h.numerator % 10**9, h.denominator % 10**9, float(h))
data = [((i * 7919) % 1009) / 7 for i in range(30000)]
print(f"{statistics.mean(data):.9f} {statistics.stdev(data):.9f} {statistics.median(data):.9f}")
print(statistics.quantiles(data, n=4), statistics.mode(int(x) for x in data))
