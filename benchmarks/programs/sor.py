"""Successive over-relaxation on a grid (float stencils)."""


def relax(grid, omega, sweeps):
    rows = len(grid)
    keep = 1.0 - omega
    quarter = omega * 0.25
    for _ in range(sweeps):
        for i in range(1, rows - 1):
            above, row, below = grid[i - 1], grid[i], grid[i + 1]
            for j in range(1, len(row) - 1):
                row[j] = quarter * (above[j] + below[j] + row[j - 1] + row[j + 1]) + keep * row[j]


n = 100
grid = [[0.0] * n for _ in range(n)]
grid[0] = [1.0] * n
for i in range(n):
    grid[i][0] = i / n
relax(grid, 1.25, 800)
print(f"{sum(map(sum, grid)):.9f} {grid[50][50]:.9f}")
