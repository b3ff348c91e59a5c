"""Monte Carlo integration with an own generator (method calls, integer arithmetic)."""


class Generator:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return self.state / 0x80000000


def estimate_pi(count, generator):
    inside = 0
    for _ in range(count):
        x = generator.next()
        y = generator.next()
        if x * x + y * y <= 1.0:
            inside += 1
    return 4.0 * inside / count


def walk(steps, generator):
    position = best = 0
    for _ in range(steps):
        position += 1 if generator.next() > 0.5 else -1
        best = max(best, abs(position))
    return position, best


generator = Generator(113)
print(estimate_pi(1_400_000, generator))
print(walk(1_400_000, generator))
