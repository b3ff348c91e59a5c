# C code that asks for more memory than the machine has gets none, and its blocks stay as they are.
import ctypes
import errno

from support.c_functions import function, libstdcxx, pointer, process, size_t

calls = {
    "malloc": function("malloc", size_t),
    "calloc": lambda size: calloc(size // 16, 16),
    "realloc": lambda size: realloc(kept, size),
    "reallocarray": lambda size: reallocarray(kept, size // 16, 16),
    "aligned_alloc": lambda size: aligned_alloc(64, size),
    "memalign": lambda size: memalign(64, size),
    "PyMem_RawMalloc": function("PyMem_RawMalloc", size_t),
    "PyMem_Malloc": function("PyMem_Malloc", size_t),
    "PyMem_Calloc": lambda size: zeroed(size // 16, 16),
    "PyObject_Malloc": function("PyObject_Malloc", size_t),
}
calloc, realloc = function("calloc", size_t, size_t), function("realloc", pointer, size_t)
reallocarray, zeroed = function("reallocarray", pointer, size_t, size_t), function("PyMem_Calloc", size_t, size_t)
aligned_alloc, memalign = function("aligned_alloc", size_t, size_t), function("memalign", size_t, size_t)
kept = process.malloc
kept.restype = pointer
kept = kept(100)
ctypes.memset(kept, 0x41, 100)
for name, call in calls.items():
    for size in (1 << 44, 1 << 46, 1 << 62):
        ctypes.set_errno(0)
        print(name, size, call(size), errno.errorcode.get(ctypes.get_errno()))
print(ctypes.string_at(kept, 100) == b"A" * 100)

nothrow = (ctypes.c_char * 1)()
print(function("_ZnwmRKSt9nothrow_t", size_t, pointer, library=libstdcxx)(1 << 44, nothrow))
print(function("posix_memalign", pointer, size_t, size_t, result=ctypes.c_int)(ctypes.byref(pointer()), 64, 1 << 44) == errno.ENOMEM)
for size in (1 << 44, 1 << 62):
    try:
        bytearray(size)
    except MemoryError as error:
        print(type(error))
