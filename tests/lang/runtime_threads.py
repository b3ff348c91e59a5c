# Threads, locks, thread-local attributes and signals.
import _thread
import os
import signal
import threading
import time
import weakref

received = []
signal.signal(signal.SIGUSR1, lambda number, frame: received.append((number, frame.f_code.co_name)))


def send():
    os.kill(os.getpid(), signal.SIGUSR1)
    for i in range(1000):
        pass
    print(received)


send()
try:
    signal.raise_signal(signal.SIGINT)
    time.sleep(1)
except KeyboardInterrupt:
    print('KeyboardInterrupt')


def alarm(number, frame):
    raise TimeoutError('alarm')


signal.signal(signal.SIGALRM, alarm)
signal.setitimer(signal.ITIMER_REAL, 0.02)
try:
    time.sleep(5)
except TimeoutError as error:
    print(error)
lock = _thread.allocate_lock()
print(lock.acquire(), lock.locked(), lock.acquire(False), lock.acquire(timeout=0.01))
lock.release()
for case in [lambda: signal.signal(0, 1), lambda: signal.signal(2, 3), lambda: signal.signal(9, signal.SIG_DFL),
             lambda: signal.strsignal(1), lambda: signal.sigtimedwait([signal.SIGUSR2], 0),
             lambda: signal.setitimer(9, 1), lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [0]),
             lambda: lock.release(), lambda: lock.acquire(False, 1), lambda: lock.acquire(True, -3),
             lambda: lock.acquire(True, 1e30), lambda: threading.RLock().release(),
             lambda: _thread.start_new_thread(1, ()), lambda: _thread.start_new_thread(print, 1),
             lambda: _thread.stack_size(-1), lambda: _thread.stack_size(1), lambda: _thread._local(1),
             lambda: _thread.interrupt_main(99)]:
    try:
        print(case())
    except Exception as error:
        print(repr(error))

count = 0
mutex = threading.Lock()


def work():
    global count
    for i in range(2000):
        with mutex:
            count += 1


threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(count)


class Local(threading.local):
    def __init__(self, value):
        self.value = value


local = Local(5)
local.value = 6
results = []


class Value:
    pass


def in_thread():
    results.append(local.value)
    local.extra = Value()
    results.append(sorted(local.__dict__))
    results.append(weakref.ref(local.extra))


thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
print(results[:2], results[2](), local.__dict__)
try:
    local.__dict__ = {}
except AttributeError as error:
    print(error)
with threading.Condition() as condition:
    pass
pid = os.fork()
if pid == 0:
    os._exit(6 + threading.active_count())
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
