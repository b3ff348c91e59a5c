"""Dense matrix product with lists of lists (integers and floats)."""


def multiply(a, b):
    columns = list(zip(*b))
    return [[sum(x * y for x, y in zip(row, column)) for column in columns] for row in a]


def naive(a, b):
    n, m, p = len(a), len(b), len(b[0])
    out = [[0.0] * p for _ in range(n)]
    for i in range(n):
        row = a[i]
        target = out[i]
        for j in range(p):
            total = 0.0
            for k in range(m):
                total += row[k] * b[k][j]
            target[j] = total
    return out


n = 165
integers = [[(i * 7 + j * 3) % 11 - 5 for j in range(n)] for i in range(n)]
floats = [[1.0 / (1 + i + j) for j in range(n)] for i in range(n)]
product = multiply(multiply(integers, integers), integers)
print(sum(map(sum, product)), product[3][5])
product = naive(floats, naive(floats, floats))
print(f"{sum(map(sum, product)):.9f}")
