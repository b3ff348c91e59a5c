# mallinfo2() and mallinfo() tell C code what malloc() holds, malloc_trim() gives memory back.
import ctypes

libc = ctypes.CDLL(None)


class Statistics(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]


class NarrowStatistics(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name, _ in Statistics._fields_]


libc.mallinfo2.restype = Statistics
libc.mallinfo.restype = NarrowStatistics
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

start = libc.mallinfo2()
small = libc.malloc(1 << 16)
with_small = libc.mallinfo2()
large = libc.malloc(64 << 20)
with_large = libc.mallinfo2()
print(1 << 16 <= with_small.uordblks - start.uordblks < 1 << 18, 64 << 20 <= with_large.hblkhd - with_small.hblkhd < 65 << 20)
print(with_large.hblks > with_small.hblks, 0 < with_small.uordblks <= with_small.arena < 1 << 30)
narrow = libc.mallinfo()
print(abs(narrow.uordblks - with_large.uordblks) < 1 << 16, narrow.hblkhd == with_large.hblkhd)
libc.free(large)
libc.free(small)
print(libc.mallinfo2().hblkhd < with_large.hblkhd, libc.malloc_trim(0))
