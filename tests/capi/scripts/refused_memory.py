# What C++ code gets when memory is short.
import refused

for size in (100, 1 << 20, 1 << 44, 1 << 46):
    print(size, refused.allocate(size))
