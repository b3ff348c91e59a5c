# Calls of a Python function from C.
from boundary import call_many_times


def main():
    function = lambda argument: argument
    for i in range(1000000):
        call_many_times(function, 1)
        call_many_times(function, 2)
    print(call_many_times(function, 2))


main()
