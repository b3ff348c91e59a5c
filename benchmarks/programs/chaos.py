"""Chaos game on a spline (objects with properties, random points from a fixed generator)."""


class Random:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        return (self.state >> 33) % n


class Point:
    def __init__(self, x, y):
        self._x, self._y = x, y

    @property
    def x(self):
        return self._x

    @property
    def y(self):
        return self._y

    def towards(self, other, share):
        return Point(self.x + (other.x - self.x) * share, self.y + (other.y - self.y) * share)


class Curve:
    def __init__(self, points):
        self.points = points

    def __call__(self, t):
        points = self.points
        while len(points) > 1:
            points = [a.towards(b, t) for a, b in zip(points, points[1:])]
        return points[0]


def main(count, size):
    random = Random(2026)
    curves = [Curve([Point(0.1, 0.1), Point(0.3, 0.9), Point(0.5, 0.2)]),
              Curve([Point(0.5, 0.2), Point(0.7, 0.8), Point(0.9, 0.9), Point(0.8, 0.1)]),
              Curve([Point(0.2, 0.7), Point(0.4, 0.4), Point(0.9, 0.5)])]
    grid = [[0] * size for _ in range(size)]
    here = Point(0.5, 0.5)
    for _ in range(count):
        target = curves[random.below(len(curves))](random.below(1000) / 1000)
        here = here.towards(target, 0.5)
        grid[int(here.y * size)][int(here.x * size)] += 1
    for row in grid[::2]:
        print("".join(" .:*#"[min(4, n * size * size // (count * 2))] for n in row))
    print(sum(n * (i + 1) for i, row in enumerate(grid) for n in row))


main(200_000, 40)
