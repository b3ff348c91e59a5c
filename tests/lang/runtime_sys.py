# What sys offers: the same names as CPython's and no others, since packages tell engines apart by them.
import sys

print(*sorted(dir(sys)), sep="\n")
print(*(name for name in sorted(vars(sys.implementation)) if not name.startswith("_pyston")))
print(sys.implementation.name, sys.implementation.cache_tag, sys.implementation.version, hex(sys.implementation.hexversion))
