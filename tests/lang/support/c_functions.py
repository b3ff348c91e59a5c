"""Functions of this process and of the C++ library, called as C code calls them."""
import ctypes

process = ctypes.CDLL(None, use_errno=True)
libstdcxx = ctypes.CDLL("libstdc++.so.6")
size_t, pointer = ctypes.c_size_t, ctypes.c_void_p


def function(name, *types, library=process, result=pointer):
    found = getattr(library, name)
    found.argtypes = types
    found.restype = result
    return found
