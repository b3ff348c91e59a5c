"""LU decomposition with partial pivoting and solution of linear systems (nested list indexing)."""


def factor(a):
    n = len(a)
    pivots = list(range(n))
    for k in range(n):
        p = max(range(k, n), key=lambda r: abs(a[r][k]))
        if p != k:
            a[k], a[p] = a[p], a[k]
            pivots[k], pivots[p] = pivots[p], pivots[k]
        pivot_row = a[k]
        inverse = 1.0 / pivot_row[k]
        for i in range(k + 1, n):
            row = a[i]
            factor_ik = row[k] * inverse
            row[k] = factor_ik
            for j in range(k + 1, n):
                row[j] -= factor_ik * pivot_row[j]
    return pivots


def solve(a, pivots, b):
    n = len(a)
    x = [b[p] for p in pivots]
    for i in range(n):
        x[i] -= sum(a[i][j] * x[j] for j in range(i))
    for i in reversed(range(n)):
        x[i] = (x[i] - sum(a[i][j] * x[j] for j in range(i + 1, n))) / a[i][i]
    return x


n = 330
matrix = [[((i * 31 + j * 17) % 101) / 10 + (5.0 if i == j else 0.0) for j in range(n)] for i in range(n)]
pivots = factor(matrix)
for shift in range(5):
    x = solve(matrix, pivots, [float((i + shift) % 7) for i in range(n)])
    print(f"{sum(x):.9f} {max(x):.9f}")
