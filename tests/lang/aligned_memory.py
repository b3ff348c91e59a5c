# Memory that C code asks to be aligned is aligned, whatever the size.
import ctypes

libc = ctypes.CDLL(None)
libstdcxx = ctypes.CDLL("libstdc++.so.6")
libc.free.argtypes = [ctypes.c_void_p]


def function(library, name):
    found = getattr(library, name)
    found.restype = ctypes.c_void_p
    found.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
    return found


def by_posix_memalign(alignment, size):
    block = ctypes.c_void_p()
    assert libc.posix_memalign(ctypes.byref(block), ctypes.c_size_t(alignment), ctypes.c_size_t(size)) == 0
    return block.value


new = function(libstdcxx, "_ZnwmSt11align_val_t")
new_array = function(libc if hasattr(libc, "_ZnamSt11align_val_t") else libstdcxx, "_ZnamSt11align_val_t")
ways = {
    "aligned_alloc": function(libc, "aligned_alloc"),
    "memalign": function(libc, "memalign"),
    "posix_memalign": by_posix_memalign,
    "operator new": lambda alignment, size: new(size, alignment),
    "operator new[]": lambda alignment, size: new_array(size, alignment),
}
for name, allocate in ways.items():
    for power in range(3, 17):
        alignment = 1 << power
        for size in (1, 100, alignment, 2 * alignment, 3 * alignment):
            blocks = [allocate(alignment, size) for _ in range(20)]
            misplaced = [block for block in blocks if block % alignment]
            for block in blocks:
                ctypes.memset(block, 0xAA, size)
                libc.free(block)
            if misplaced:
                print(name, alignment, size, len(misplaced), "of", len(blocks))
    print(name, "done")

print(libc.posix_memalign(ctypes.byref(ctypes.c_void_p()), ctypes.c_size_t(24), ctypes.c_size_t(24)))
print(libc.posix_memalign(ctypes.byref(ctypes.c_void_p()), ctypes.c_size_t(4), ctypes.c_size_t(24)))
print(bool(ways["memalign"](24, 24)), bool(ways["aligned_alloc"](100, 24)))
