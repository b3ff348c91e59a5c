"""The trace compiler, seen from Python."""
from _pyston import jit_statistics

__all__ = ["stats"]


def stats():
    """The trace compiler's counters by name, since the start of the process; empty where it isn't built in."""
    return jit_statistics()
