# Opcode events: every offset has one, and an exception of the trace function surfaces at any of them.
import sys


def double(x, *, by=2):
    return x * by


def traced(values):
    total = 0
    try:
        for value in values:
            total += double(value) + double(value, by=3)
        print("total", len(values), str(total))
    except ValueError as error:
        print("caught", error)
        return -1
    return total


def run(stop_at):
    offsets = []

    def trace(frame, event, argument):
        if frame.f_code is not traced.__code__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            offsets.append(frame.f_lasti)
            if len(offsets) == stop_at:
                raise ValueError(f"at {frame.f_lasti}")
        return trace

    sys.settrace(trace)
    try:
        result = traced([1, 2])
    except ValueError as error:
        result = f"escaped {error} {error.__traceback__.tb_next.tb_lasti}"
    sys.settrace(None)
    return result, len(offsets), hash(tuple(offsets))


print(run(0))
for stop_at in range(1, 110):
    print(stop_at, run(stop_at))
