"""Discrete event simulation with generators as processes (heapq, generators, deque)."""
import heapq
from collections import deque


class Environment:
    def __init__(self):
        self.now = 0
        self.queue = []
        self.serial = 0

    def schedule(self, delay, process, value=None):
        self.serial += 1
        heapq.heappush(self.queue, (self.now + delay, self.serial, process, value))

    def run(self, until):
        while self.queue and self.queue[0][0] <= until:
            self.now, _, process, value = heapq.heappop(self.queue)
            try:
                request = process.send(value)
            except StopIteration:
                continue
            if isinstance(request, int):
                self.schedule(request, process)
            else:
                request.ask(process)


class Resource:
    def __init__(self, env, capacity):
        self.env, self.free, self.waiting = env, capacity, deque()

    def ask(self, process):
        if self.free:
            self.free -= 1
            self.env.schedule(0, process)
        else:
            self.waiting.append(process)

    def release(self):
        if self.waiting:
            self.env.schedule(0, self.waiting.popleft())
        else:
            self.free += 1


def customer(env, teller, log, identity):
    arrived = env.now
    yield teller
    waited = env.now - arrived
    yield 3 + identity * 7 % 11
    teller.release()
    log.append((identity, waited))


def source(env, teller, log, count):
    for identity in range(count):
        env.schedule(0, customer(env, teller, log, identity))
        yield 1 + identity * identity % 4


env, log = Environment(), []
env.schedule(0, source(env, Resource(env, 4), log, 220_000))
env.run(10**9)
print(env.now, len(log), sum(w for _, w in log), max(log, key=lambda entry: entry[1]))
