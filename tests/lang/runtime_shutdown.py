# A daemon thread that ends at shutdown while it asks for the GIL must not leave the main thread waiting for it.
import atexit
import gc
import sys
import threading
import time


def run():
    while True:
        pass


class Last:
    def __del__(self):
        sys.stdout.write("gone\n")
        sys.stdout.flush()  # lets the GIL go


# The last collection takes longer than the switch interval, with the GIL held.
gc.disable()
kept = [[i, Last] for i in range(400000)]
kept += [kept, Last()]
gc.set_threshold(10**9)
gc.enable()
del kept
# The thread's request for the GIL falls into this call, which never looks at it: the last thing before finalisation.
atexit.register(sum, range(10**6))
threading.Thread(target=run, daemon=True).start()
time.sleep(0.05)
