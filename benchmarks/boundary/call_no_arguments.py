# Calls of a METH_NOARGS function.
from boundary import no_arguments


def main():
    for i in range(1000000):
        no_arguments()
        no_arguments()
    print(no_arguments())


main()
