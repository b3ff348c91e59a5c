"""Operating system kernel simulation: tasks, packets and a scheduler (polymorphic method calls, attributes)."""

IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = range(6)
KIND_DEVICE, KIND_WORK = range(2)


class Packet:
    def __init__(self, link, identity, kind):
        self.link = link
        self.identity = identity
        self.kind = kind
        self.datum = 0
        self.data = [0] * 4

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        tail = queue
        while tail.link is not None:
            tail = tail.link
        tail.link = self
        return queue


class Task:
    def __init__(self, scheduler, identity, priority, queue):
        self.scheduler = scheduler
        self.identity = identity
        self.priority = priority
        self.queue = queue
        self.next = scheduler.tasks
        self.held = False
        self.waiting = queue is None
        self.runnable = queue is not None
        scheduler.tasks = self
        scheduler.table[identity] = self

    def add_packet(self, packet, current):
        if self.queue is None:
            self.queue = packet
            self.runnable = True
            if self.priority > current.priority:
                return self
        else:
            self.queue = packet.append_to(self.queue)
        return current

    def run(self):
        packet = None
        if self.waiting and self.runnable and not self.held:
            packet = self.queue
            self.queue = packet.link
            self.waiting = False
            self.runnable = self.queue is not None
        return self.step(packet)

    def is_blocked(self):
        return self.held or (self.waiting and not self.runnable)

    def step(self, packet):
        raise NotImplementedError


class IdleTask(Task):
    def __init__(self, scheduler, count):
        super().__init__(scheduler, IDLE, 0, None)
        self.control = 1
        self.count = count
        self.waiting = False

    def step(self, packet):
        self.count -= 1
        if self.count == 0:
            return self.scheduler.hold_current()
        if self.control & 1 == 0:
            self.control >>= 1
            return self.scheduler.release(DEVICE_A)
        self.control = (self.control >> 1) ^ 0xD008
        return self.scheduler.release(DEVICE_B)


class WorkTask(Task):
    def __init__(self, scheduler, queue):
        super().__init__(scheduler, WORKER, 1000, queue)
        self.destination = HANDLER_A
        self.counter = 0

    def step(self, packet):
        if packet is None:
            return self.scheduler.wait_current()
        self.destination = HANDLER_B if self.destination == HANDLER_A else HANDLER_A
        packet.identity = self.destination
        packet.datum = 0
        for i in range(4):
            self.counter = self.counter % 26 + 1
            packet.data[i] = 64 + self.counter
        return self.scheduler.queue_packet(packet)


class HandlerTask(Task):
    def __init__(self, scheduler, identity, priority, queue):
        super().__init__(scheduler, identity, priority, queue)
        self.work = None
        self.devices = None

    def step(self, packet):
        if packet is not None:
            if packet.kind == KIND_WORK:
                self.work = packet.append_to(self.work)
            else:
                self.devices = packet.append_to(self.devices)
        if self.work is not None:
            work = self.work
            if work.datum >= 4:
                self.work = work.link
                return self.scheduler.queue_packet(work)
            if self.devices is not None:
                device = self.devices
                self.devices = device.link
                device.datum = work.data[work.datum]
                work.datum += 1
                return self.scheduler.queue_packet(device)
        return self.scheduler.wait_current()


class DeviceTask(Task):
    def __init__(self, scheduler, identity, priority):
        super().__init__(scheduler, identity, priority, None)
        self.pending = None

    def step(self, packet):
        if packet is None:
            if self.pending is None:
                return self.scheduler.wait_current()
            packet, self.pending = self.pending, None
            return self.scheduler.queue_packet(packet)
        self.pending = packet
        return self.scheduler.hold_current()


class Scheduler:
    def __init__(self):
        self.tasks = None
        self.table = [None] * 6
        self.current = None
        self.queued = 0
        self.holds = 0

    def hold_current(self):
        self.holds += 1
        self.current.held = True
        return self.current.next

    def wait_current(self):
        self.current.waiting = True
        return self.current

    def release(self, identity):
        task = self.table[identity]
        task.held = False
        return task if task.priority > self.current.priority else self.current

    def queue_packet(self, packet):
        task = self.table[packet.identity]
        self.queued += 1
        packet.link = None
        packet.identity = self.current.identity
        return task.add_packet(packet, self.current)

    def schedule(self):
        self.current = self.tasks
        while self.current is not None:
            if self.current.is_blocked():
                self.current = self.current.next
            else:
                self.current = self.current.run()


def run(count):
    scheduler = Scheduler()
    IdleTask(scheduler, count)
    queue = Packet(None, WORKER, KIND_WORK)
    queue = Packet(queue, WORKER, KIND_WORK)
    WorkTask(scheduler, queue)
    for handler, device, priority in ((HANDLER_A, DEVICE_A, 2000), (HANDLER_B, DEVICE_B, 3000)):
        queue = None
        for _ in range(3):
            queue = Packet(queue, device, KIND_DEVICE)
        HandlerTask(scheduler, handler, priority, queue)
    DeviceTask(scheduler, DEVICE_A, 4000)
    DeviceTask(scheduler, DEVICE_B, 5000)
    scheduler.schedule()
    return scheduler.queued, scheduler.holds


for _ in range(20):
    print(run(10_000))
