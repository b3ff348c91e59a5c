# Calls of a METH_VARARGS function that parses its tuple.
from boundary import many


def main():
    for i in range(1000000):
        many(i, 2)
        many(1, 2)
    print(many(1, 2))


main()
