"""All shortest paths of a weighted graph."""

n = 200
INFINITE = 10**9
distance = [[0 if i == j else INFINITE for j in range(n)] for i in range(n)]
for i in range(n):
    for k in (1, 3, 7, 19, 41):
        distance[i][(i * k + k) % n] = min(distance[i][(i * k + k) % n], (i * 13 + k * 7) % 97 + 1)
for k in range(n):
    through = distance[k]
    for row in distance:
        base = row[k]
        if base == INFINITE:
            continue
        for j in range(n):
            candidate = base + through[j]
            if candidate < row[j]:
                row[j] = candidate
print(sum(d for row in distance for d in row if d < INFINITE), max(d for row in distance for d in row if d < INFINITE))
