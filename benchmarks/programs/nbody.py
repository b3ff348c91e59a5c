"""Gravitational simulation of the outer planets (floats, tuple unpacking, nested loops)."""
from math import pi, sqrt

SOLAR_MASS = 4 * pi * pi
DAYS = 365.24

BODIES = {
    "sun": ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], SOLAR_MASS),
    "jupiter": ([4.84143144246472090, -1.16032004402742839, -0.103622044471123109],
                [0.00166007664274403694 * DAYS, 0.00769901118419740425 * DAYS, -0.0000690460016972063023 * DAYS],
                0.000954791938424326609 * SOLAR_MASS),
    "saturn": ([8.34336671824457987, 4.12479856412430479, -0.403523417114321381],
               [-0.00276742510726411 * DAYS, 0.00499852801234917238 * DAYS, 0.0000230417297573763929 * DAYS],
               0.000285885980666130812 * SOLAR_MASS),
    "uranus": ([12.8943695621391310, -15.1111514016986312, -0.223307578892655734],
               [0.00296460137564761618 * DAYS, 0.00237847173959480950 * DAYS, -0.0000296589568540237556 * DAYS],
               0.0000436624404335156298 * SOLAR_MASS),
    "neptune": ([15.3796971148509165, -25.9193146099879641, 0.179258772950371181],
                [0.00268067772490389322 * DAYS, 0.00162824170038242295 * DAYS, -0.000095159225451971587 * DAYS],
                0.0000515138902046611451 * SOLAR_MASS),
}


def all_pairs(bodies):
    return [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1:]]


def advance(dt, steps, bodies, pairs):
    for _ in range(steps):
        for ([x1, y1, z1], v1, m1), ([x2, y2, z2], v2, m2) in pairs:
            dx = x1 - x2
            dy = y1 - y2
            dz = z1 - z2
            magnitude = dt * (dx * dx + dy * dy + dz * dz) ** -1.5
            b1 = m1 * magnitude
            b2 = m2 * magnitude
            v1[0] -= dx * b2
            v1[1] -= dy * b2
            v1[2] -= dz * b2
            v2[0] += dx * b1
            v2[1] += dy * b1
            v2[2] += dz * b1
        for position, (vx, vy, vz), _ in bodies:
            position[0] += dt * vx
            position[1] += dt * vy
            position[2] += dt * vz


def energy(bodies, pairs):
    total = 0.0
    for ((x1, y1, z1), _, m1), ((x2, y2, z2), _, m2) in pairs:
        total -= m1 * m2 / sqrt((x1 - x2) ** 2 + (y1 - y2) ** 2 + (z1 - z2) ** 2)
    for _, (vx, vy, vz), mass in bodies:
        total += mass * (vx * vx + vy * vy + vz * vz) / 2.0
    return total


def main():
    bodies = list(BODIES.values())
    pairs = all_pairs(bodies)
    px = py = pz = 0.0
    for _, (vx, vy, vz), mass in bodies:
        px -= vx * mass
        py -= vy * mass
        pz -= vz * mass
    bodies[0][1][:] = [px / SOLAR_MASS, py / SOLAR_MASS, pz / SOLAR_MASS]
    print(f"{energy(bodies, pairs):.9f}")
    advance(0.01, 180_000, bodies, pairs)
    print(f"{energy(bodies, pairs):.9f}")


main()
