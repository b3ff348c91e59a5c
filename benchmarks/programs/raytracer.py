"""A small ray tracer (operator methods, floats, many short-lived objects)."""
from math import sqrt


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x, self.y, self.z = x, y, z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def unit(self):
        return self * (1.0 / sqrt(self.dot(self)))


class Sphere:
    def __init__(self, centre, radius, colour, mirror):
        self.centre, self.radius, self.colour, self.mirror = centre, radius, colour, mirror

    def hit(self, origin, direction):
        offset = origin - self.centre
        b = offset.dot(direction)
        discriminant = b * b - offset.dot(offset) + self.radius * self.radius
        if discriminant < 0.0:
            return None
        distance = -b - sqrt(discriminant)
        return distance if distance > 1e-4 else None

    def normal(self, point):
        return (point - self.centre).unit()


class Floor:
    colour = 0.6
    mirror = 0.2

    def hit(self, origin, direction):
        if direction.y > -1e-6:
            return None
        distance = (-1.0 - origin.y) / direction.y
        return distance if distance > 1e-4 else None

    def normal(self, point):
        return Vector(0.0, 1.0, 0.0)


SCENE = [Sphere(Vector(0.0, 0.0, 6.0), 1.0, 0.9, 0.4), Sphere(Vector(1.8, 0.4, 7.0), 1.2, 0.5, 0.3),
         Sphere(Vector(-1.9, -0.3, 5.0), 0.7, 0.7, 0.5), Floor()]
LIGHT = Vector(-4.0, 6.0, 0.0)


def nearest(origin, direction):
    best, found = 1e9, None
    for item in SCENE:
        distance = item.hit(origin, direction)
        if distance is not None and distance < best:
            best, found = distance, item
    return best, found


def trace(origin, direction, depth):
    distance, item = nearest(origin, direction)
    if item is None:
        return 0.2 + 0.3 * max(0.0, direction.y)
    point = origin + direction * distance
    normal = item.normal(point)
    to_light = (LIGHT - point).unit()
    light = 0.1
    if nearest(point, to_light)[1] is None:
        light += 0.9 * max(0.0, normal.dot(to_light))
    shade = item.colour * light
    if depth > 0 and item.mirror > 0.0:
        reflected = direction - normal * (2.0 * direction.dot(normal))
        shade = shade * (1.0 - item.mirror) + item.mirror * trace(point, reflected, depth - 1)
    return shade


def main(width, height):
    eye = Vector(0.0, 0.5, 0.0)
    total = 0.0
    for y in range(height):
        row = [trace(eye, Vector((x - width / 2) / width, (height / 2 - y) / width, 1.0).unit(), 2) for x in range(width)]
        total += sum(row)
        if y % 24 == 0:
            print("".join(" .:-=+*#%@"[min(9, int(s * 10))] for s in row[::8]))
    print(f"{total:.6f}")


main(360, 240)
