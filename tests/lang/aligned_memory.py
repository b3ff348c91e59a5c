# Memory that C code asks to be aligned is aligned, whatever the size; what it asks for plainly, to 16 bytes.
import ctypes

from support.c_functions import function, libstdcxx, pointer, size_t

free = function("free", pointer, result=None)


def misplaced_sizes(allocate, alignment, sizes, release):
    bad = []
    for size in sizes:
        blocks = [allocate(size) for _ in range(20)]
        if any(block % alignment for block in blocks):
            bad.append(size)
        for block in blocks:
            ctypes.memset(block, 0xAA, size)
            release(block)
    return bad


posix_memalign = function("posix_memalign", ctypes.POINTER(pointer), size_t, size_t, result=ctypes.c_int)


def by_posix_memalign(alignment, size):
    block = pointer()
    assert posix_memalign(ctypes.byref(block), alignment, size) == 0
    return block.value


new = function("_ZnwmSt11align_val_t", size_t, size_t, library=libstdcxx)
new_array = function("_ZnamSt11align_val_t", size_t, size_t, library=libstdcxx)
aligned = {
    "aligned_alloc": function("aligned_alloc", size_t, size_t),
    "memalign": function("memalign", size_t, size_t),
    "posix_memalign": by_posix_memalign,
    "operator new": lambda alignment, size: new(size, alignment),
    "operator new[]": lambda alignment, size: new_array(size, alignment),
}
for name, allocate in aligned.items():
    for alignment in (1 << power for power in range(3, 17)):
        sizes = (1, 100, alignment, 2 * alignment, 3 * alignment)
        bad = misplaced_sizes(lambda size: allocate(alignment, size), alignment, sizes, free)
        if bad:
            print(name, alignment, bad)
    print(name, "done")
print(posix_memalign(pointer(), 24, 24), posix_memalign(pointer(), 4, 24))
print(bool(aligned["memalign"](24, 24)), bool(aligned["aligned_alloc"](100, 24)))

realloc = function("realloc", pointer, size_t)
calloc = function("calloc", size_t, size_t)
plain = {
    "malloc": (function("malloc", size_t), free),
    "calloc": (lambda size: calloc(1, size), free),
    "realloc": (lambda size: realloc(realloc(None, 700), size), free),
    "operator new": (function("_Znwm", size_t, library=libstdcxx), free),
    "operator new[]": (function("_Znam", size_t, library=libstdcxx), free),
}
for domain in ("PyMem_Raw", "PyMem_", "PyObject_"):
    release = function(domain + "Free", pointer, result=None)
    again = function(domain + "Realloc", pointer, size_t)
    zeroed = function(domain + "Calloc", size_t, size_t)
    plain[domain + "Malloc"] = function(domain + "Malloc", size_t), release
    plain[domain + "Realloc"] = lambda size, again=again: again(again(None, 700), size), release
    plain[domain + "Calloc"] = lambda size, zeroed=zeroed: zeroed(size, 1), release
for name, (allocate, release) in plain.items():
    print(name, misplaced_sizes(allocate, 16, range(1, 600), release))

print(realloc(calloc(1, 5), 0), calloc(1 << 63, 2), function("reallocarray", pointer, size_t, size_t)(None, 1 << 63, 2))
print(all(ctypes.string_at(calloc(size, 3), 3 * size) == bytes(3 * size) for size in range(600)))
