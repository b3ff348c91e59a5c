# Calls of METH_FASTCALL functions, with and without keywords allowed.
from boundary import fast, fast_keywords


def main():
    for i in range(1000000):
        fast(i, 2)
        fast_keywords(1, 2, 3)
    print(fast_keywords(1, 2, 3))


main()
