# Calls of a METH_O function.
from boundary import one


def main():
    for i in range(1000000):
        one(i)
        one(1)
    print(one(1))


main()
