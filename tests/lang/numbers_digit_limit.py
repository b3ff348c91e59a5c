# The limit of digits between int and decimal text is looked at before the work is done.
import sys
import time


def attempt(function):
    start = time.process_time()
    try:
        result = function()
    except ValueError as error:
        result = error
    print(type(result).__name__, result, time.process_time() - start < 0.5)


digits = "7" * 20_000_000
number = 1 << 60_000_000
for limit in (640, 4300, 1_000_000):
    sys.set_int_max_str_digits(limit)
    attempt(lambda: int(digits))
    attempt(lambda: int("-" + digits))
    attempt(lambda: str(number))
    attempt(lambda: f"{-number}")
    attempt(lambda: "%d" % number)
    attempt(lambda: repr(number))
    attempt(lambda: len(hex(number)))
    print(int("7" * limit) % 1000 if limit < 5000 else None)
    attempt(lambda: int("7" * (limit + 1)))
    print(int("_".join("7" * limit)) % 1000 if limit < 5000 else None)
sys.set_int_max_str_digits(0)
attempt(lambda: len(str(10**5000)))
for limit in (-1, 1, 639):
    attempt(lambda: sys.set_int_max_str_digits(limit))
